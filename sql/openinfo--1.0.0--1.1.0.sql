\echo Use "ALTER EXTENSION openinfo UPDATE TO '1.1.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- openinfo 1.1.0: invitations, seats and the deletion of workspaces; delivery of events; search of leads.

-- -----------------------------------------------------------------------------------------------------------
-- Migrations
-- -----------------------------------------------------------------------------------------------------------

/*
 * Locks the tables that a migration alters, before it does anything else, so that clients at work neither
 * fail nor wait long.  p_locks has pairs of a table and a lock mode.  A lock is waited for no longer than
 * 100 milliseconds, which is less than the deadlock_timeout of clients; if that is not enough, all locks are
 * released and requested again, for a minute or so.  With its own deadlock_timeout, which is shorter still,
 * autovacuum is canceled where it is in the way.
 */
CREATE FUNCTION @extschema@.lock_tables(p_locks text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' SET deadlock_timeout = '50ms' AS $fn$
DECLARE
    v_schema CONSTANT regnamespace := (SELECT extnamespace FROM pg_extension WHERE extname = 'openinfo');
    v_table  text;
BEGIN
    FOR v_attempt IN 1 .. 300 LOOP
        BEGIN
            FOR i IN 1 .. array_length(p_locks, 1) LOOP
                v_table := format('%s.%I', v_schema, p_locks[i][1]);
                EXECUTE format('LOCK TABLE %s IN %s MODE', v_table, p_locks[i][2]);
            END LOOP;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
    RAISE EXCEPTION 'could not lock table %', v_table
        USING ERRCODE = 'lock_not_available',
              HINT = 'End the transactions that pg_locks shows for the table, and try again.';
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.lock_tables(text[]) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.lock_tables(text[]) IS
    'Used by migrations: locks tables without failures or long waits of clients';

-- -----------------------------------------------------------------------------------------------------------
-- Teams (src/workspaces/)
-- -----------------------------------------------------------------------------------------------------------

-- -----------------------------------------------------------------------------------------------------------
-- Delivery of events (src/integrations/)
-- -----------------------------------------------------------------------------------------------------------

-- -----------------------------------------------------------------------------------------------------------
-- Search of leads (src/leads/)
-- -----------------------------------------------------------------------------------------------------------

-- -----------------------------------------------------------------------------------------------------------
-- Privileges, the security checklist, and the migration
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.api_privileges_20260201000001() RETURNS TABLE (
        relname text, reads boolean, inserts text[], updates text[], deletes boolean)
    LANGUAGE sql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES ('invitations', true, '{}'::text[], '{}'::text[], false),
           ('workspace_creations', false, '{}', '{}', false);
END;
REVOKE ALL ON FUNCTION @extschema@.api_privileges_20260201000001()
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.api_privileges_20260201000001() TO service_role;
COMMENT ON FUNCTION @extschema@.api_privileges_20260201000001() IS 'Privileges of migration 7';

-- The files of a deleted workspace are kept until they are deleted from the store.
CREATE OR REPLACE FUNCTION @extschema@.checklist_workspace_cascade() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS (SELECT * FROM @extschema@.checked_tables())
    SELECT t.name || '.workspace_id may be NULL' FROM tables t
     WHERE t.workspace_column IS NOT NULL AND NOT t.workspace_required
    UNION ALL
    SELECT t.name || ' has no foreign key ON DELETE CASCADE' FROM tables t
     WHERE t.workspace_column IS NOT NULL
       AND NOT (t.ours AND t.relname = 'expired_export_files')
       AND NOT EXISTS (SELECT FROM @extschema@.checked_foreign_keys() k
                         JOIN tables w
                           ON w.oid = k.confrelid AND w.ours AND w.relname = 'workspaces'
                        WHERE k.tableoid = t.oid AND k.conkey = ARRAY[t.workspace_column]
                          AND k.confdeltype = 'c' AND k.convalidated);
END;

CREATE OR REPLACE FUNCTION @extschema@.revoke_default_privileges() RETURNS event_trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_table regclass;
BEGIN
    -- The tables of api_privileges() are listed here, because a role that creates a table may not call it.
    FOR v_table IN
        SELECT c.oid
          FROM pg_event_trigger_ddl_commands() AS d
          JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
          JOIN pg_extension AS e ON e.extname = 'openinfo' AND e.extnamespace = c.relnamespace
         WHERE d.command_tag = 'CREATE TABLE' AND c.relkind IN ('r', 'p')
           AND c.relname IN (
               'billing_events', 'credit_usage', 'expired_export_files', 'export_jobs', 'global_topics',
               'integration_events', 'integrations', 'invitations', 'leads', 'notification_preferences',
               'people_search_results', 'plans', 'queries', 'saved_people_searches', 'saved_searches',
               'schema_migrations', 'sealed_contacts', 'sealed_secrets', 'stripe_customers', 'trends',
               'users', 'visible_fields', 'workspace_creations', 'workspaces')
    LOOP
        EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC, anon, authenticated, service_role', v_table);
    END LOOP;
END
$fn$;

CREATE FUNCTION @extschema@.migration_20260201000001_teams() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- locks: every table of an earlier version that is altered below, or referred to by a new foreign key ---
    PERFORM @extschema@.lock_tables(ARRAY[
        ['workspaces', 'ACCESS EXCLUSIVE'],
        ['users', 'SHARE ROW EXCLUSIVE'],
        ['plans', 'ACCESS EXCLUSIVE'],
        ['expired_export_files', 'ACCESS EXCLUSIVE']]);

    -- Teams -------------------------------------------------------------------------------------------------
    ALTER TABLE @extschema@.plans
        ADD COLUMN members int CONSTRAINT plans_members_not_negative CHECK (members >= 0);
    PERFORM @extschema@.comment_on_table('@extschema@.plans'::regclass, NULL, ARRAY[
        ['members', 'Seats: members of a workspace and its open invitations'],
        ['plans_members_not_negative', 'Not negative']]);
    -- Not where there are workspaces, which may have more members than that.
    PERFORM @extschema@.execute_as_owner(
        'UPDATE @extschema@.plans
            SET members = CASE name WHEN ''free'' THEN 5 WHEN ''starter'' THEN 10 WHEN ''pro'' THEN 50 END
          WHERE name IN (''free'', ''starter'', ''pro'')
            AND NOT EXISTS (SELECT FROM @extschema@.workspaces)');

    CREATE TABLE @extschema@.invitations (
        id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at   timestamptz NOT NULL DEFAULT now(),
        updated_at   timestamptz NOT NULL DEFAULT now(),
        created_by   uuid,
        workspace_id uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        email        text NOT NULL,
        role         @extschema@.user_role NOT NULL,
        token_sha256 bytea NOT NULL,
        expires_at   timestamptz NOT NULL,
        accepted_at  timestamptz,
        accepted_by  uuid,
        revoked_at   timestamptz,
        UNIQUE (workspace_id, token_sha256),
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (accepted_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (accepted_by),
        CONSTRAINT invitations_email_format
            CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:].]+$' AND length(email) <= 320),
        CONSTRAINT invitations_token_length CHECK (length(token_sha256) = 32),
        CONSTRAINT invitations_ended_once CHECK (accepted_at IS NULL OR revoked_at IS NULL)
    );
    CREATE INDEX idx_invitations_workspace_id ON @extschema@.invitations (workspace_id, created_at DESC);
    CREATE INDEX idx_invitations_created_by ON @extschema@.invitations (created_by, workspace_id);
    CREATE INDEX idx_invitations_accepted_by ON @extschema@.invitations (accepted_by, workspace_id);
    CREATE UNIQUE INDEX invitations_workspace_id_email_key
        ON @extschema@.invitations (workspace_id, lower(email))
        WHERE accepted_at IS NULL AND revoked_at IS NULL;
    PERFORM @extschema@.secure_table('@extschema@.invitations'::regclass);
    REVOKE INSERT, UPDATE, DELETE ON TABLE @extschema@.invitations FROM service_role;
    GRANT SELECT ON TABLE @extschema@.invitations TO authenticated;
    CREATE POLICY read_as_admin ON @extschema@.invitations FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id())
               AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)));
    PERFORM @extschema@.comment_on_table('@extschema@.invitations'::regclass,
        'Invitations of people to a workspace. An invitation is open until it is accepted, revoked or expired'
        ::text, ARRAY[
        ['email', 'Address that the invitation is sent to, and that the member gets'],
        ['role', 'Role that the member gets'],
        ['token_sha256', 'SHA-256 of the token, which is not stored'],
        ['expires_at', 'When the invitation ends by itself'],
        ['accepted_at', 'When it was accepted'],
        ['accepted_by', 'Member who accepted it; NULL after they were removed'],
        ['revoked_at', 'When it was revoked, or replaced by another one of the same address'],
        ['invitations_workspace_id_token_sha256_key', 'A token belongs to one invitation'],
        ['invitations_workspace_id_email_key',
         'An address has one open invitation of a workspace, compared without case'],
        ['idx_invitations_accepted_by', 'Supports the foreign key of the member'],
        ['invitations_email_format',
         'One @ with text on both sides, a dot in the domain, no white space; at most 320 characters'],
        ['invitations_token_length', 'As long as a SHA-256'],
        ['invitations_ended_once', 'Accepted or revoked, not both'],
        ['read_as_admin', 'Owners and admins see the invitations of their active workspace']]);

    -- Without foreign keys, because a row outlives its workspace
    CREATE TABLE @extschema@.workspace_creations (
        workspace    uuid PRIMARY KEY,
        auth_user_id uuid NOT NULL,
        created_at   timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX idx_workspace_creations_auth_user_id
        ON @extschema@.workspace_creations (auth_user_id, created_at);
    CREATE INDEX idx_workspace_creations_created_at ON @extschema@.workspace_creations (created_at);
    PERFORM @extschema@.secure_table('@extschema@.workspace_creations'::regclass);
    REVOKE INSERT, UPDATE, DELETE ON TABLE @extschema@.workspace_creations FROM service_role;
    PERFORM @extschema@.comment_on_table('@extschema@.workspace_creations'::regclass,
        'Workspaces created within the last 24 hours, for openinfo.workspaces_per_person'::text, ARRAY[
        ['workspace', 'The workspace, which may have been deleted since'],
        ['auth_user_id', 'Person who created it'],
        ['idx_workspace_creations_auth_user_id', 'What a person has created'],
        ['idx_workspace_creations_created_at', 'Rows that are no longer needed']]);

    -- Files of exports wait to be deleted from the store, also after their workspace has been deleted.
    ALTER TABLE @extschema@.expired_export_files
        DROP CONSTRAINT IF EXISTS expired_export_files_workspace_id_fkey;
    PERFORM @extschema@.comment_on_table('@extschema@.expired_export_files'::regclass, NULL, ARRAY[
        ['workspace_id', 'Workspace that the file belonged to, which may have been deleted since']]);

    -- Delivery of events ------------------------------------------------------------------------------------

    -- Search of leads ---------------------------------------------------------------------------------------
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260201000001_teams()
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260201000001_teams() IS
    'Migration 7: invitations, seats; delivery of events; search of leads';

SELECT @extschema@.apply_migrations();
