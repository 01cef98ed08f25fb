\echo Use "ALTER EXTENSION openinfo UPDATE TO '1.1.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- From 1.2.0 back to 1.1.0, which knows no partitions.

SELECT @extschema@.require_plain_leads();
SELECT @extschema@.require_one_server();

DROP TRIGGER IF EXISTS visible_field_changed ON @extschema@.visible_fields;
SELECT @extschema@.execute_as_owner(
    'DELETE FROM @extschema@.schema_migrations WHERE version = ''20260301000001''');

DROP FUNCTION @extschema@.migration_20260301000001_scale_out();
CREATE OR REPLACE FUNCTION @extschema@.checked_policies()
    RETURNS TABLE (tableoid oid, name text, polcmd text, polpermissive boolean, bound boolean)
    LANGUAGE sql STABLE ROWS 30 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.oid, t.name || ' (' || quote_ident(p.polname) || ')', p.polcmd::text, p.polpermissive,
           CASE WHEN NOT t.ours THEN
                    (SELECT bool_and((e ~ '\mworkspace_id = (\( SELECT )?[^() ]*\mget_user_workspace_id\(\)'
                                      OR e ~ '\mget_user_workspace_id\(\)( AS \w+\))? = '
                                             '[^() ]*\mworkspace_id\M')
                                     AND e !~ '\mOR true\M' AND e !~ '\mNOT \(+[^() ]*\mworkspace_id\M')
                       FROM unnest(x.expressions) e)
                    AND x.calls
                WHEN t.workspace_column IS NULL AND t.relname <> 'workspaces' THEN p.polcmd = 'r'
                ELSE (SELECT bool_and(e ~ (CASE t.relname WHEN 'workspaces' THEN '\m' ELSE '\mworkspace_' END
                                           || 'id = \( SELECT [^()]*\mget_user_workspace_id\(\)')
                                      AND regexp_replace(e, '''[^'']*''', '', 'g') !~ '\mOR\M')
                        FROM unnest(x.expressions) e)
                     AND x.calls
           END
      FROM @extschema@.checked_tables() t JOIN pg_policy p ON p.polrelid = t.oid
     CROSS JOIN LATERAL (SELECT array_remove(ARRAY[pg_get_expr(p.polqual, t.oid),
                                                   pg_get_expr(p.polwithcheck, t.oid)], NULL),
                                EXISTS (SELECT FROM pg_depend d
                                         WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                                           AND d.refclassid = 'pg_proc'::regclass AND d.refobjid
                                             = '@extschema@.get_user_workspace_id()'::regprocedure))
                        x (expressions, calls)
     WHERE EXISTS (SELECT FROM unnest(p.polroles) g CROSS JOIN @extschema@.checked_roles() r
                    WHERE r.by_request AND CASE WHEN g = 0 THEN true ELSE pg_has_role(r.oid, g, 'USAGE') END);
END;

CREATE OR REPLACE FUNCTION @extschema@.checklist_roles() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT r.name || ' ' || x.trait
      FROM @extschema@.checked_roles() r JOIN pg_roles g ON g.oid = r.oid
     CROSS JOIN LATERAL (VALUES (g.rolsuper, 'is a superuser'), (g.rolbypassrls, 'has BYPASSRLS'),
                                (g.rolcreaterole, 'has CREATEROLE'), (g.rolreplication, 'has REPLICATION'),
                                (g.rolcanlogin, 'can log in')) x (has_it, trait)
     WHERE r.by_request AND x.has_it
    UNION ALL
    SELECT format('%s is a member of %I', r.name, g.rolname)
      FROM @extschema@.checked_roles() r JOIN pg_roles g ON g.oid <> r.oid
     WHERE r.by_request AND pg_has_role(r.oid, g.oid, 'MEMBER')
       AND (g.rolsuper OR g.rolbypassrls OR g.oid IN (SELECT t.relowner FROM @extschema@.checked_tables() t)
            OR g.rolname IN ('service_role', 'pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files',
                             'pg_write_server_files', 'pg_execute_server_program'))
    UNION ALL
    SELECT format('%s owns %s', r.name, t.name)
      FROM @extschema@.checked_roles() r JOIN @extschema@.checked_tables() t ON t.relowner = r.oid
     WHERE r.by_request;
END;

CREATE OR REPLACE FUNCTION @extschema@.owner_rights() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT v.what
      FROM pg_roles o
     CROSS JOIN LATERAL (VALUES (o.rolsuper, 'SUPERUSER'), (o.rolcanlogin, 'LOGIN'),
                                (o.rolbypassrls, 'BYPASSRLS'), (o.rolcreaterole, 'CREATEROLE'),
                                (o.rolcreatedb, 'CREATEDB'), (o.rolreplication, 'REPLICATION'))
               AS v (holds, what)
     WHERE o.rolname = 'openinfo_owner' AND v.holds
    UNION ALL
    SELECT 'membership in ' || m.roleid::regrole FROM pg_auth_members m JOIN pg_roles o ON o.oid = m.member
     WHERE o.rolname = 'openinfo_owner'
    UNION ALL
    SELECT 'member ' || m.member::regrole FROM pg_auth_members m JOIN pg_roles o ON o.oid = m.roleid
     WHERE o.rolname = 'openinfo_owner';
END;

CREATE OR REPLACE FUNCTION @extschema@.checklist_rls_enabled() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS (SELECT * FROM @extschema@.checked_tables())
    SELECT t.name FROM tables t WHERE NOT t.relrowsecurity
    UNION ALL
    SELECT format('%s.%I is missing', e.extnamespace::regnamespace, a.relname)
      FROM @extschema@.api_privileges() a JOIN pg_extension e ON e.extname = 'openinfo'
     WHERE NOT EXISTS (SELECT FROM tables t WHERE t.ours AND t.relname = a.relname);
END;

DROP PROCEDURE @extschema@.undistribute();
DROP PROCEDURE @extschema@.distribute();
DROP FUNCTION @extschema@.undistribute_tables();
DROP FUNCTION @extschema@.distribute_tables();
DROP FUNCTION @extschema@.grant_on_shards();
DROP FUNCTION @extschema@.require_plain_leads();
DROP FUNCTION @extschema@.require_one_server();
DROP FUNCTION @extschema@.require_cluster();
DROP FUNCTION @extschema@.is_distributed();
DROP FUNCTION @extschema@.table_distribution();
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
