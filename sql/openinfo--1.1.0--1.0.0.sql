\echo Use "ALTER EXTENSION openinfo UPDATE TO '1.0.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- From 1.1.0 back to 1.0.0: raises an error if rows would be lost, unless openinfo.allow_data_loss is on.

-- Search of leads -------------------------------------------------------------------------------------------
DROP INDEX IF EXISTS @extschema@.idx_leads_search;

-- Delivery of events ----------------------------------------------------------------------------------------
SELECT @extschema@.drop_column_if_empty('@extschema@.leads'::regclass, c, NULL::text)
  FROM unnest('{enrichment_next_attempt_at,delivery_next_attempt_at}'::text[]) c;
SELECT @extschema@.drop_column_if_empty('@extschema@.integration_events'::regclass, c, NULL::text)
  FROM unnest('{lease_until,next_attempt_at,last_error}'::text[]) c;
SELECT @extschema@.drop_column_if_empty('@extschema@.integration_events'::regclass, 'attempts'::text,
                                        '0'::text);
-- 1.0.0 tells an event that has been sent by sent_at.
SELECT @extschema@.forbid_data_loss('@extschema@.integration_events'::regclass,
    $$CASE status WHEN 'pending' THEN false WHEN 'delivered' THEN sent_at IS NULL ELSE true END$$::text,
    'status'::text);
ALTER TABLE @extschema@.integration_events DROP COLUMN status;

-- Teams -----------------------------------------------------------------------------------------------------
DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_trigger
                WHERE tgrelid = '@extschema@.users'::regclass AND tgname = 'zz_create_preferences') THEN
        COMMENT ON TRIGGER zz_create_preferences ON @extschema@.users IS
            'Creates the notification preferences of a new member';
    END IF;
END
$do$;
DROP TRIGGER IF EXISTS zz_move_member ON @extschema@.users;
SELECT @extschema@.drop_table_if_empty('@extschema@.invitations'::regclass, 'true'::text);
SELECT @extschema@.drop_table_if_empty('@extschema@.workspace_creations'::regclass,
    'created_at > now() - interval ''24 hours'''::text);
-- Without workspaces the next upgrade sets the seats of the plans again.
SELECT @extschema@.forbid_data_loss('@extschema@.plans'::regclass,
    $$CASE WHEN EXISTS (SELECT FROM @extschema@.workspaces) THEN members IS NOT NULL
           ELSE members IS DISTINCT FROM CASE name WHEN 'free' THEN 5 WHEN 'starter' THEN 10
                                                   WHEN 'pro' THEN 50 END END$$::text, 'members'::text);
ALTER TABLE @extschema@.plans DROP COLUMN members;
SELECT @extschema@.forbid_data_loss('@extschema@.expired_export_files'::regclass,
    'workspace_id NOT IN (SELECT id FROM @extschema@.workspaces)'::text, NULL::text);
SELECT @extschema@.execute_as_owner(
    'DELETE FROM @extschema@.expired_export_files
      WHERE workspace_id NOT IN (SELECT id FROM @extschema@.workspaces)');
ALTER TABLE @extschema@.expired_export_files
    ADD CONSTRAINT expired_export_files_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE;
SELECT @extschema@.comment_on_table('@extschema@.expired_export_files'::regclass, NULL::text, ARRAY[
    ['workspace_id', 'Workspace that the row belongs to'],
    ['expired_export_files_workspace_id_fkey', 'The row is deleted with its workspace']]);

SELECT @extschema@.execute_as_owner(
    'DELETE FROM @extschema@.schema_migrations WHERE version = ''20260201000001''');

DROP FUNCTION @extschema@.api_privileges_20260201000001();
DROP FUNCTION @extschema@.migration_20260201000001_teams();

-- Search of leads -------------------------------------------------------------------------------------------
DROP FUNCTION @extschema@.search_leads(text, int, uuid, uuid);
DROP FUNCTION @extschema@.lead_search_keys(uuid, jsonb, jsonb);

-- Delivery of events ----------------------------------------------------------------------------------------
DROP FUNCTION @extschema@.update_integration_event(uuid, @extschema@.delivery_status, text);
DROP FUNCTION @extschema@.get_integration_events_pending(int);

-- Teams -----------------------------------------------------------------------------------------------------
CREATE OR REPLACE FUNCTION @extschema@.checklist_workspace_cascade() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS (SELECT * FROM @extschema@.checked_tables())
    SELECT t.name || '.workspace_id may be NULL' FROM tables t
     WHERE t.workspace_column IS NOT NULL AND NOT t.workspace_required
    UNION ALL
    SELECT t.name || ' has no foreign key ON DELETE CASCADE' FROM tables t
     WHERE t.workspace_column IS NOT NULL
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
               'integration_events', 'integrations', 'leads', 'notification_preferences',
               'people_search_results', 'plans',
               'queries', 'saved_people_searches', 'saved_searches', 'schema_migrations', 'sealed_contacts',
               'sealed_secrets', 'stripe_customers', 'trends', 'users', 'visible_fields', 'workspaces')
    LOOP
        EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC, anon, authenticated, service_role', v_table);
    END LOOP;
END
$fn$;

COMMENT ON FUNCTION @extschema@.create_preferences() IS
    'Trigger: creates the notification preferences of a new member';
DROP FUNCTION @extschema@.revoke_invitation(uuid);
DROP FUNCTION @extschema@.accept_invitation(text, text);
DROP FUNCTION @extschema@.invite_member(text, @extschema@.user_role, interval, uuid);
DROP FUNCTION @extschema@.delete_workspace(text);
DROP FUNCTION @extschema@.get_my_workspaces();
DROP FUNCTION @extschema@.lock_tables(text[]);
