\echo Use "ALTER EXTENSION openinfo UPDATE TO '1.1.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- From 1.2.0 back to 1.1.0, which knows no partitions.

DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass('@extschema@.leads')) THEN
        RAISE EXCEPTION 'table "leads" is partitioned'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Run SELECT @extschema@.unpartition_leads().';
    END IF;
END
$do$;

SELECT @extschema@.execute_as_owner(
    'DELETE FROM @extschema@.schema_migrations WHERE version = ''20260301000001''');

DROP FUNCTION @extschema@.migration_20260301000001_scale_out();
DROP FUNCTION @extschema@.unpartition_leads();
DROP FUNCTION @extschema@.partition_leads(int);
DROP FUNCTION @extschema@.rebuild_leads(int);
DROP FUNCTION @extschema@.table_definition(regclass);
DROP FUNCTION @extschema@.grant_statements(text, text, aclitem[], oid);
DROP FUNCTION @extschema@.table_obstacles(regclass, boolean);
DROP FUNCTION @extschema@.table_parts(regclass);
DROP FUNCTION @extschema@.table_routines(regclass);

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

CREATE OR REPLACE VIEW @extschema@.openinfo_metrics WITH (security_invoker = true) AS
    WITH ours AS (
        SELECT c.oid, c.relname::text AS name
          FROM pg_class c JOIN pg_extension e ON e.extname = 'openinfo' AND e.extnamespace = c.relnamespace
         WHERE c.relkind = 'r'
    )
    SELECT 'openinfo_table_bytes' AS name, jsonb_build_object('table', t.name) AS labels,
           coalesce(pg_table_size(t.oid), 0)::double precision AS value
      FROM ours t
    UNION ALL
    SELECT 'openinfo_index_bytes', jsonb_build_object('table', t.name, 'index', x.relname),
           coalesce(pg_relation_size(x.oid), 0)::double precision
      FROM ours t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class x ON x.oid = i.indexrelid
    UNION ALL
    SELECT m.name, jsonb_build_object('job', j.name), m.value
      FROM @extschema@.job_status() j
     CROSS JOIN LATERAL (VALUES
            ('openinfo_job_active', j.active::int::double precision),
            ('openinfo_job_overdue', j.overdue::int::double precision),
            ('openinfo_job_last_success_seconds',
             extract(epoch FROM clock_timestamp() - j.last_success)::double precision)) m (name, value)
     WHERE m.value IS NOT NULL
    UNION ALL
    SELECT m.name, m.labels, m.value FROM @extschema@.tenant_metrics() m;
