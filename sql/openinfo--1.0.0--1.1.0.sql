\echo Use "ALTER EXTENSION openinfo UPDATE TO '1.1.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- openinfo 1.1.0: invitations, seats and the deletion of workspaces; delivery of events; search of leads.

-- -----------------------------------------------------------------------------------------------------------
-- Migrations
-- -----------------------------------------------------------------------------------------------------------

/*
 * Locks the tables that a migration alters, before it does anything else, so that clients at work neither
 * fail nor wait long.  p_locks has pairs of a table and a lock mode, in the order in which most requests use
 * the tables: users and workspaces last, which are locked for foreign keys.  All locks together are waited
 * for no longer than half a second, which is less than the deadlock_timeout of clients; if that is not
 * enough, or a client uses the tables in another order, they are released and requested again, for a minute
 * or two.  With its own deadlock_timeout, which is shorter still, autovacuum is canceled where it is in the
 * way.
 */
CREATE FUNCTION @extschema@.lock_tables(p_locks text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp SET lock_timeout = '500ms' SET deadlock_timeout = '50ms' AS $fn$
DECLARE
    v_schema CONSTANT regnamespace := (SELECT extnamespace FROM pg_extension WHERE extname = 'openinfo');
    v_table  text;
    v_until  timestamptz;
BEGIN
    FOR v_attempt IN 1 .. 200 LOOP
        v_until := clock_timestamp() + interval '500 milliseconds';
        BEGIN
            FOR i IN 1 .. array_length(p_locks, 1) LOOP
                v_table := format('%s.%I', v_schema, p_locks[i][1]);
                PERFORM set_config('lock_timeout', greatest(1, ceil(1000 * extract(
                                       epoch FROM v_until - clock_timestamp())))::text, true);
                EXECUTE format('LOCK TABLE %s IN %s MODE', v_table, p_locks[i][2]);
            END LOOP;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            -- until the clients that waited have gone on
            PERFORM pg_sleep(0.2);
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

CREATE FUNCTION @extschema@.get_my_workspaces() RETURNS TABLE (
        workspace_id uuid, slug text, name text, role @extschema@.user_role, plan text, is_active boolean,
        member_since timestamptz)
    LANGUAGE c STABLE ROWS 3 AS 'MODULE_PATHNAME', 'openinfo_get_my_workspaces';
REVOKE ALL ON FUNCTION @extschema@.get_my_workspaces() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_my_workspaces() TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_my_workspaces() IS
    'Workspaces of the signed-in person, the oldest membership first';

CREATE FUNCTION @extschema@.delete_workspace(p_slug text) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_delete_workspace';
REVOKE ALL ON FUNCTION @extschema@.delete_workspace(text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.delete_workspace(text) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.delete_workspace(text) IS
    'Deletes the active workspace, which must have this slug, and all its rows. Requires owner';

CREATE FUNCTION @extschema@.invite_member(
        p_email text, p_role @extschema@.user_role DEFAULT 'member', p_expires_in interval DEFAULT '7 days',
        p_workspace_id uuid DEFAULT @extschema@.get_user_workspace_id())
    RETURNS TABLE (invitation_id uuid, token text, expires_at timestamptz)
    LANGUAGE c ROWS 1 AS 'MODULE_PATHNAME', 'openinfo_invite_member';
REVOKE ALL ON FUNCTION @extschema@.invite_member(text, @extschema@.user_role, interval, uuid)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.invite_member(text, @extschema@.user_role, interval, uuid)
    TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.invite_member(text, @extschema@.user_role, interval, uuid) IS
    'Invites an address to a workspace; returns the token, which is not stored. Requires owner or admin';

CREATE FUNCTION @extschema@.accept_invitation(p_token text, p_full_name text DEFAULT NULL) RETURNS uuid
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_accept_invitation';
REVOKE ALL ON FUNCTION @extschema@.accept_invitation(text, text)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.accept_invitation(text, text) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.accept_invitation(text, text) IS
    'Makes the signed-in person a member by the token of an invitation; returns workspaces.id';

CREATE FUNCTION @extschema@.revoke_invitation(p_invitation_id uuid) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_revoke_invitation';
REVOKE ALL ON FUNCTION @extschema@.revoke_invitation(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.revoke_invitation(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.revoke_invitation(uuid) IS
    'Ends an open invitation. Requires owner or admin';

COMMENT ON FUNCTION @extschema@.create_preferences() IS
    'Trigger: creates the notification preferences of a new member, uses up their invitation, counts seats';

-- -----------------------------------------------------------------------------------------------------------
-- Delivery of events (src/integrations/)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_integration_events_pending(batch_size int DEFAULT 50)
    RETURNS TABLE (id uuid, workspace_id uuid, integration_id uuid, type @extschema@.integration_type,
                   config jsonb, event_data jsonb, attempts int)
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_get_integration_events_pending' ROWS 50;
REVOKE ALL ON FUNCTION @extschema@.get_integration_events_pending(int)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_integration_events_pending(int) TO service_role;
COMMENT ON FUNCTION @extschema@.get_integration_events_pending(int) IS
    'Claims events to be sent for fifteen minutes, longest due first; at most eight attempts each';

CREATE FUNCTION @extschema@.update_integration_event(
        p_event_id uuid, p_status @extschema@.delivery_status, p_error text DEFAULT NULL) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_update_integration_event';
REVOKE ALL ON FUNCTION @extschema@.update_integration_event(uuid, @extschema@.delivery_status, text)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.update_integration_event(uuid, @extschema@.delivery_status, text)
    TO service_role;
COMMENT ON FUNCTION @extschema@.update_integration_event(uuid, @extschema@.delivery_status, text) IS
    'Reports whether an event was delivered; one that failed is tried again after 1, 2, 4 ... minutes';

-- -----------------------------------------------------------------------------------------------------------
-- Search of leads (src/leads/)
-- -----------------------------------------------------------------------------------------------------------

-- The search index calls it as the role that writes leads, which needs EXECUTE.
CREATE FUNCTION @extschema@.lead_search_keys(p_scope uuid, p_company_data jsonb, p_contact_data jsonb)
    RETURNS bytea[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_lead_search_keys';
REVOKE ALL ON FUNCTION @extschema@.lead_search_keys(uuid, jsonb, jsonb)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.lead_search_keys(uuid, jsonb, jsonb)
    TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.lead_search_keys(uuid, jsonb, jsonb) IS
    'The keys of a lead in the search index';

CREATE FUNCTION @extschema@.search_leads(
        p_query text, p_limit int DEFAULT 50, p_after uuid DEFAULT NULL,
        p_workspace_id uuid DEFAULT @extschema@.get_user_workspace_id())
    RETURNS TABLE (id uuid, company_data jsonb, query_id uuid, created_at timestamptz, relevance real)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 50 AS 'MODULE_PATHNAME', 'openinfo_search_leads';
REVOKE ALL ON FUNCTION @extschema@.search_leads(text, int, uuid, uuid)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.search_leads(text, int, uuid, uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.search_leads(text, int, uuid, uuid) IS
    'Leads of a workspace by what is typed of name, domain, industry or contact, best match first, in pages';

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
DECLARE
    -- why the index of search_leads() is not built here.  Sessions that have loaded the library of an earlier
    -- version lack the function in it, and could write no leads.
    v_without_index CONSTANT text := CASE
        WHEN EXISTS (SELECT FROM @extschema@.leads OFFSET 100000) THEN 'for more than 100,000 leads'
        WHEN EXISTS (SELECT FROM @extschema@.leads)
             AND EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                            AND backend_type = 'client backend' AND pid <> pg_backend_pid())
        THEN 'while other sessions are connected' END;
BEGIN
    -- locks: every table of an earlier version that is altered below, or referred to by a new foreign key ---
    PERFORM @extschema@.lock_tables(ARRAY[
        ['leads', 'ACCESS EXCLUSIVE'],
        ['integration_events', 'ACCESS EXCLUSIVE'],
        ['expired_export_files', 'ACCESS EXCLUSIVE'],
        ['plans', 'ACCESS EXCLUSIVE'],
        ['users', 'SHARE ROW EXCLUSIVE'],
        ['workspaces', 'ACCESS EXCLUSIVE']]);

    -- Delivery of events ------------------------------------------------------------------------------------
    -- first, because rows are written as openinfo_owner, who does not own new tables yet
    ALTER TABLE @extschema@.leads
        ADD COLUMN enrichment_next_attempt_at timestamptz,
        ADD COLUMN delivery_next_attempt_at timestamptz;
    PERFORM @extschema@.comment_on_table('@extschema@.leads'::regclass, NULL, ARRAY[
        ['enrichment_next_attempt_at', 'After a failed attempt at enrichment: when the next one may begin'],
        ['delivery_next_attempt_at', 'After a failed attempt at delivery: when the next one may begin']]);

    ALTER TABLE @extschema@.integration_events
        ADD COLUMN attempts int NOT NULL DEFAULT 0,
        ADD COLUMN lease_until timestamptz,
        ADD COLUMN next_attempt_at timestamptz,
        ADD COLUMN last_error text;
    -- What has been sent is "delivered", without a rewrite of the table; what has not is "pending".
    IF (SELECT count(*) FROM (SELECT FROM @extschema@.integration_events
                               WHERE sent_at IS NULL LIMIT 10001) e) <= 10000 THEN
        ALTER TABLE @extschema@.integration_events
            ADD COLUMN status @extschema@.delivery_status NOT NULL DEFAULT 'delivered';
        ALTER TABLE @extschema@.integration_events ALTER COLUMN status SET DEFAULT 'pending';
    ELSE
        ALTER TABLE @extschema@.integration_events
            ADD COLUMN status @extschema@.delivery_status NOT NULL DEFAULT 'pending';
        RAISE WARNING 'events that have been sent get status "pending", because many have not been sent'
            USING HINT = 'They are not sent again. To correct their status, run: '
                         'UPDATE @extschema@.integration_events SET status = ''delivered'' '
                         'WHERE sent_at IS NOT NULL AND status = ''pending''.';
    END IF;
    -- The conditions are those of get_integration_events_pending(), which works without the index too.
    IF pg_relation_size('@extschema@.integration_events'::regclass) < 512 * 1024 * 1024 THEN
        CREATE INDEX idx_integration_events_due
            ON @extschema@.integration_events (greatest(created_at, next_attempt_at, lease_until), id)
            WHERE sent_at IS NULL AND (status = 'pending' OR status = 'failed' AND attempts < 8);
        COMMENT ON INDEX @extschema@.idx_integration_events_due IS
            'Events to be sent, by the time from which they can be claimed';
    ELSE
        RAISE WARNING 'index "idx_integration_events_due" is not created, because the table is large'
            USING HINT = 'Run: CREATE INDEX CONCURRENTLY idx_integration_events_due '
                         'ON @extschema@.integration_events '
                         '(greatest(created_at, next_attempt_at, lease_until), id) '
                         'WHERE sent_at IS NULL AND (status = ''pending'' '
                         'OR status = ''failed'' AND attempts < 8).';
    END IF;
    PERFORM @extschema@.comment_on_table('@extschema@.integration_events'::regclass, NULL, ARRAY[
        ['status', 'State of the delivery'],
        ['attempts', 'Number of attempts at delivery, at most eight'],
        ['lease_until', 'End of the claim of a sender'],
        ['next_attempt_at', 'After a failed attempt: when the next one may begin'],
        ['last_error', 'Last error message, without secrets of the integration']]);
    PERFORM @extschema@.execute_as_owner(
        'UPDATE @extschema@.integration_events SET status = ''pending''
          WHERE sent_at IS NULL AND status <> ''pending''');

    -- Teams -------------------------------------------------------------------------------------------------
    ALTER TABLE @extschema@.plans
        ADD COLUMN members int CONSTRAINT plans_members_not_negative CHECK (members >= 0);
    PERFORM @extschema@.comment_on_table('@extschema@.plans'::regclass, NULL, ARRAY[
        ['members', 'Seats: members of a workspace and its open invitations'],
        ['plans_members_not_negative', 'Not negative']]);
    IF EXISTS (SELECT FROM pg_trigger
                WHERE tgrelid = '@extschema@.users'::regclass AND tgname = 'zz_create_preferences') THEN
        COMMENT ON TRIGGER zz_create_preferences ON @extschema@.users IS
            'Creates the notification preferences of a new member, uses up their invitation, counts seats';
    END IF;
    -- By its name it fires after the triggers of the foreign keys, RI_..., as the other one.
    CREATE TRIGGER zz_move_member AFTER UPDATE OF workspace_id ON @extschema@.users FOR EACH ROW
        WHEN (OLD.workspace_id IS DISTINCT FROM NEW.workspace_id)
        EXECUTE FUNCTION @extschema@.create_preferences();
    COMMENT ON TRIGGER zz_move_member ON @extschema@.users IS
        'Does for a member who is moved to another workspace what is done for a new one';
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

    -- Search of leads ---------------------------------------------------------------------------------------
    -- With fastupdate, which makes inserting cheap; the search reads the pending list, which is therefore
    -- short.
    IF v_without_index IS NULL THEN
        CREATE INDEX idx_leads_search ON @extschema@.leads
            USING gin (@extschema@.lead_search_keys(workspace_id, company_data, contact_data)
                       @extschema@.topic_keys_ops) WITH (gin_pending_list_limit = 512);
        PERFORM @extschema@.comment_on_table('@extschema@.leads'::regclass, NULL, ARRAY[
            ['idx_leads_search', 'Search: words of name, domain, industry and contact, by workspace']]);
    ELSE
        RAISE WARNING 'search_leads() needs an index, which is not built here %', v_without_index
            USING DETAIL = 'Sessions from before the update cannot write leads once it is there.',
                  HINT = 'CREATE INDEX CONCURRENTLY idx_leads_search ON @extschema@.leads'
                         ' USING gin (@extschema@.lead_search_keys(workspace_id, company_data, contact_data)'
                         ' @extschema@.topic_keys_ops) WITH (gin_pending_list_limit = 512);';
    END IF;
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260201000001_teams()
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260201000001_teams() IS
    'Migration 7: invitations, seats; delivery of events; search of leads';

SELECT @extschema@.apply_migrations();
