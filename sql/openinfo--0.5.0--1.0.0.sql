\echo Use "ALTER EXTENSION openinfo UPDATE TO '1.0.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- openinfo 1.0.0: integrations, billing and notification preferences; jobs, monitoring, the security
-- checklist.

-- -----------------------------------------------------------------------------------------------------------
-- Types
-- -----------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.integration_type AS ENUM ('slack', 'zapier', 'webhook', 'email');
COMMENT ON TYPE @extschema@.integration_type IS 'Type of the service that events are sent to';

CREATE TYPE @extschema@.integration_status AS ENUM ('active', 'inactive', 'error');
COMMENT ON TYPE @extschema@.integration_status IS
    'State of the integration; events are sent only while it is active';

CREATE TYPE @extschema@.billing_event_type AS ENUM (
    'subscription_created', 'subscription_updated', 'subscription_cancelled', 'payment_succeeded',
    'payment_failed', 'plan_upgraded', 'plan_downgraded');
COMMENT ON TYPE @extschema@.billing_event_type IS 'Type of a billing event';

-- -----------------------------------------------------------------------------------------------------------
-- Sealing (src/sealing/) and preferences (src/workspaces/members.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.seal_secrets() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_seal_secrets';
REVOKE ALL ON FUNCTION @extschema@.seal_secrets() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.seal_secrets() IS
    'Trigger: removes fields that are not visible from config';

CREATE FUNCTION @extschema@.store_sealed_secrets() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_store_sealed_secrets';
REVOKE ALL ON FUNCTION @extschema@.store_sealed_secrets() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.store_sealed_secrets() IS
    'Trigger: stores what was removed from config in sealed_secrets';

CREATE FUNCTION @extschema@.create_preferences() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_create_preferences';
REVOKE ALL ON FUNCTION @extschema@.create_preferences() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.create_preferences() IS
    'Trigger: creates the notification preferences of a new member';

-- -----------------------------------------------------------------------------------------------------------
-- Integrations (src/integrations/integrations.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_integration_config(p_integration_id uuid) RETURNS jsonb
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_get_integration_config';
REVOKE ALL ON FUNCTION @extschema@.get_integration_config(uuid)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_integration_config(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_integration_config(uuid) IS
    'config of an integration, with its secrets for owners and admins, with [REDACTED] for members';

CREATE FUNCTION @extschema@.send_integration_event(
        p_workspace_id uuid, p_integration_type @extschema@.integration_type, p_event_data jsonb)
    RETURNS boolean
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_send_integration_event';
REVOKE ALL ON FUNCTION @extschema@.send_integration_event(uuid, @extschema@.integration_type, jsonb)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.send_integration_event(uuid, @extschema@.integration_type, jsonb)
    TO service_role;
COMMENT ON FUNCTION @extschema@.send_integration_event(uuid, @extschema@.integration_type, jsonb) IS
    'Adds an event to integration_events for the active integration of the type; false if there is none';

CREATE FUNCTION @extschema@.record_integration_error(p_integration_id uuid, p_error_message text) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_record_integration_error';
REVOKE ALL ON FUNCTION @extschema@.record_integration_error(uuid, text)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.record_integration_error(uuid, text) TO service_role;
COMMENT ON FUNCTION @extschema@.record_integration_error(uuid, text) IS
    'Counts an error of an integration; the fifth consecutive one sets its status to error';

CREATE FUNCTION @extschema@.reset_integration_errors() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_reset_integration_errors';
REVOKE ALL ON FUNCTION @extschema@.reset_integration_errors() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.reset_integration_errors() IS
    'Trigger: a delivered event resets the consecutive-error count';

-- -----------------------------------------------------------------------------------------------------------
-- Billing (src/billing/)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.has_active_subscription(
        p_workspace_id uuid DEFAULT @extschema@.get_user_workspace_id()) RETURNS boolean
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_has_active_subscription';
REVOKE ALL ON FUNCTION @extschema@.has_active_subscription(uuid)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.has_active_subscription(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.has_active_subscription(uuid) IS
    'Whether the subscription of a workspace is active or trialing';

CREATE FUNCTION @extschema@.update_workspace_plan(
        p_workspace_id uuid, p_new_plan text, p_stripe_subscription_id text DEFAULT NULL) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_update_workspace_plan';
REVOKE ALL ON FUNCTION @extschema@.update_workspace_plan(uuid, text, text)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.update_workspace_plan(uuid, text, text) TO service_role;
COMMENT ON FUNCTION @extschema@.update_workspace_plan(uuid, text, text) IS
    'Changes the plan of all members of a workspace and records a billing event';

CREATE FUNCTION @extschema@.record_billing_event(
        p_workspace_id uuid, p_event_type @extschema@.billing_event_type, p_stripe_event_id text,
        p_event_at timestamptz, p_amount_cents bigint DEFAULT NULL, p_metadata jsonb DEFAULT '{}',
        p_event_seconds bigint DEFAULT NULL) RETURNS boolean
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_record_billing_event';
REVOKE ALL ON FUNCTION @extschema@.record_billing_event(
    uuid, @extschema@.billing_event_type, text, timestamptz, bigint, jsonb, bigint)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.record_billing_event(
    uuid, @extschema@.billing_event_type, text, timestamptz, bigint, jsonb, bigint)
    TO service_role;
COMMENT ON FUNCTION @extschema@.record_billing_event(
    uuid, @extschema@.billing_event_type, text, timestamptz, bigint, jsonb, bigint) IS
    'Records a Stripe event and computes stripe_customers from all events; false if it had been recorded';

CREATE FUNCTION @extschema@.get_billing_summary(
        p_workspace_id uuid DEFAULT @extschema@.get_user_workspace_id()) RETURNS jsonb
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_get_billing_summary';
REVOKE ALL ON FUNCTION @extschema@.get_billing_summary(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_billing_summary(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_billing_summary(uuid) IS
    'current_plan, subscription_status, current_period_end, total_events, last_payment';

-- -----------------------------------------------------------------------------------------------------------
-- Jobs (src/operations/jobs.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.schedule_jobs() RETURNS SETOF text
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_schedule_jobs' ROWS 4;
REVOKE ALL ON FUNCTION @extschema@.schedule_jobs() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.schedule_jobs() TO service_role;
COMMENT ON FUNCTION @extschema@.schedule_jobs() IS
    'Schedules the four jobs of this database with pg_cron; returns their names';

CREATE FUNCTION @extschema@.unschedule_jobs() RETURNS SETOF text
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_unschedule_jobs' ROWS 4;
REVOKE ALL ON FUNCTION @extschema@.unschedule_jobs() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.unschedule_jobs() TO service_role;
COMMENT ON FUNCTION @extschema@.unschedule_jobs() IS
    'Unschedules the four jobs; returns the names of those that were scheduled';

CREATE FUNCTION @extschema@.job_status() RETURNS TABLE (
        name text, schedule text, active boolean, last_start timestamptz, last_success timestamptz,
        last_status text, last_message text, duration interval, overdue boolean)
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_job_status' ROWS 4;
REVOKE ALL ON FUNCTION @extschema@.job_status() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.job_status() TO service_role, openinfo_monitor;
COMMENT ON FUNCTION @extschema@.job_status() IS
    'Schedule and last run of the four jobs; see view openinfo_jobs';

-- A function reads cron.job, because a view that names it could not be created without pg_cron.
CREATE VIEW @extschema@.openinfo_jobs WITH (security_invoker = true) AS
    SELECT name, schedule, active, last_start, last_success, last_status, last_message, duration, overdue
      FROM @extschema@.job_status();
REVOKE ALL ON TABLE @extschema@.openinfo_jobs FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON TABLE @extschema@.openinfo_jobs TO service_role, openinfo_monitor;
COMMENT ON VIEW @extschema@.openinfo_jobs IS
    'The four jobs: the last run of each, and whether the next one is overdue';
COMMENT ON COLUMN @extschema@.openinfo_jobs.name IS 'Name of the job';
COMMENT ON COLUMN @extschema@.openinfo_jobs.schedule IS 'When it runs, as a cron expression in UTC';
COMMENT ON COLUMN @extschema@.openinfo_jobs.active IS 'Whether pg_cron runs it';
COMMENT ON COLUMN @extschema@.openinfo_jobs.last_start IS 'When the last run began';
COMMENT ON COLUMN @extschema@.openinfo_jobs.last_success IS 'When the last successful run ended';
COMMENT ON COLUMN @extschema@.openinfo_jobs.last_status IS
    'Status of the last run: succeeded, failed, running, ...; or "not scheduled"';
COMMENT ON COLUMN @extschema@.openinfo_jobs.last_message IS 'Message of the last run';
COMMENT ON COLUMN @extschema@.openinfo_jobs.duration IS 'How long the last run took';
COMMENT ON COLUMN @extschema@.openinfo_jobs.overdue IS
    'Active, and not started for longer than its interval (a day or a week) and ten minutes; NULL if unknown';

-- -----------------------------------------------------------------------------------------------------------
-- Monitoring (src/operations/metrics.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.tenant_metrics() RETURNS TABLE (name text, labels jsonb, value double precision)
    LANGUAGE c STABLE ROWS 20 AS 'MODULE_PATHNAME', 'openinfo_tenant_metrics';
REVOKE ALL ON FUNCTION @extschema@.tenant_metrics() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.tenant_metrics() TO service_role, openinfo_monitor;
COMMENT ON FUNCTION @extschema@.tenant_metrics() IS
    'Totals over the rows of all workspaces; see view openinfo_metrics';

CREATE VIEW @extschema@.openinfo_metrics WITH (security_invoker = true) AS
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
REVOKE ALL ON TABLE @extschema@.openinfo_metrics FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON TABLE @extschema@.openinfo_metrics TO service_role, openinfo_monitor;
COMMENT ON VIEW @extschema@.openinfo_metrics IS 'Numbers for exporters: sizes, jobs, queues, failures';
COMMENT ON COLUMN @extschema@.openinfo_metrics.name IS
    'Name of the metric, which ends with its unit unless it is a count';
COMMENT ON COLUMN @extschema@.openinfo_metrics.labels IS
    'Object: what the value is about, such as a table, a queue or a job';
COMMENT ON COLUMN @extschema@.openinfo_metrics.value IS 'Seconds, bytes, a count, or 1 for yes and 0 for no';

-- -----------------------------------------------------------------------------------------------------------
-- Privileges and the security checklist
-- -----------------------------------------------------------------------------------------------------------

-- Privileges of "authenticated" on the tables of this version.  A version that grants more has a function of
-- its own, with a row for each table that it changes; api_privileges() returns the union.
CREATE FUNCTION @extschema@.api_privileges_20260101000006() RETURNS TABLE (
        relname text, reads boolean, inserts text[], updates text[], deletes boolean)
    LANGUAGE sql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES
        ('workspaces', true, '{}'::text[],
         '{name,industry_vertical,subdomain,custom_domain,branding}'::text[], false),
        ('users', true, '{}', '{full_name,avatar_url,last_login_at}', false),
        ('plans', true, '{}', '{}', false),
        ('global_topics', true, '{}', '{}', false),
        ('trends', true, '{}', '{}', false),
        ('queries', true, '{topic_id,name,filters,status,next_run_at}', '{name,filters,status,next_run_at}',
         true),
        ('saved_searches', true, '{name,filters}', '{name,filters,last_used_at,use_count}', true),
        ('leads', true, '{query_id,company_data,contact_data}', '{company_data,contact_data,query_id}', true),
        ('credit_usage', true, '{}', '{}', false),
        ('export_jobs', true, '{export_format,filters}', '{}', true),
        ('expired_export_files', false, '{}', '{}', false),
        ('people_search_results', true, '{person_data,search_filters}', '{}', true),
        ('visible_fields', false, '{}', '{}', false),
        ('sealed_contacts', false, '{}', '{}', false),
        ('saved_people_searches', true, '{name,filters}', '{name,filters,last_used_at,use_count}', true),
        ('integrations', true, '{type,name,status,config}', '{type,name,status,config}', true),
        ('sealed_secrets', false, '{}', '{}', false),
        ('integration_events', false, '{}', '{}', false),
        ('billing_events', true, '{}', '{}', false),
        ('notification_preferences', true, '{}',
         '{email_new_leads,email_daily_digest,email_weekly_report,email_query_completed,email_credit_low,
           email_billing_updates,inapp_new_leads,inapp_mentions,inapp_system_updates,slack_new_leads,
           slack_daily_digest}', false),
        ('stripe_customers', true, '{}', '{}', false),
        ('schema_migrations', false, '{}', '{}', false);
END;
REVOKE ALL ON FUNCTION @extschema@.api_privileges_20260101000006()
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.api_privileges_20260101000006() TO service_role;
COMMENT ON FUNCTION @extschema@.api_privileges_20260101000006() IS 'Privileges of the first six migrations';

CREATE FUNCTION @extschema@.api_privileges() RETURNS TABLE (
        relname text, reads boolean, inserts text[], updates text[], deletes boolean)
    LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_all CONSTANT text := (
        SELECT string_agg(format('SELECT * FROM %s', d.objid::regprocedure), ' UNION ALL ')
          FROM pg_extension e
          JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
                          AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
          JOIN pg_proc p ON p.oid = d.objid AND p.proname::text ~ '^api_privileges_\d+$'
         WHERE e.extname = 'openinfo');
BEGIN
    RETURN QUERY EXECUTE format('
        SELECT a.relname, bool_or(a.reads),
               coalesce(array_agg(DISTINCT i.c) FILTER (WHERE i.c IS NOT NULL), ''{}''),
               coalesce(array_agg(DISTINCT u.c) FILTER (WHERE u.c IS NOT NULL), ''{}''), bool_or(a.deletes)
          FROM (%s) AS a
          LEFT JOIN LATERAL unnest(a.inserts) AS i (c) ON true
          LEFT JOIN LATERAL unnest(a.updates) AS u (c) ON true
         GROUP BY a.relname', v_all);
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.api_privileges() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.api_privileges() TO service_role;
COMMENT ON FUNCTION @extschema@.api_privileges() IS
    'Privileges of "authenticated" on each table: SELECT, columns of INSERT and UPDATE, DELETE';

/*
 * The security checklist compares the catalog with what it should be.  What counts is the effective
 * privilege, whatever it results from: a grant, PUBLIC, a membership in another role.  Only what goes beyond
 * the grants of openinfo is reported; revoking more is up to the user.
 *
 * A checklist_...() function returns the objects that violate its item.  A checked_...() function returns
 * what several items look at.  "Ours" are tables of openinfo; a tenant table is any table that has a
 * workspace_id.  What "authenticated" may execute, the catalog remembers from the script that granted it
 * (pg_init_privs).
 */
CREATE FUNCTION @extschema@.checked_tables() RETURNS TABLE (
        oid oid, name text, relname text, relowner oid, relnamespace oid, relrowsecurity boolean,
        relforcerowsecurity boolean, relacl aclitem[], workspace_column int2, workspace_required boolean,
        ours boolean, reads boolean, inserts text[], updates text[], deletes boolean)
    LANGUAGE sql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.oid, c.oid::regclass::text, c.relname::text, c.relowner, c.relnamespace, c.relrowsecurity,
           c.relforcerowsecurity, c.relacl, w.attnum, w.attnotnull,
           a.relname IS NOT NULL, a.reads, a.inserts, a.updates, a.deletes
      FROM pg_class c
      LEFT JOIN pg_attribute w ON w.attrelid = c.oid AND w.attname = 'workspace_id' AND NOT w.attisdropped
      LEFT JOIN @extschema@.api_privileges() a
             ON a.relname = c.relname::text
            AND c.relnamespace = (SELECT e.extnamespace FROM pg_extension e WHERE e.extname = 'openinfo')
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
       AND (a.relname IS NOT NULL OR w.attnum IS NOT NULL)
       AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace);
END;
REVOKE ALL ON FUNCTION @extschema@.checked_tables() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checked_tables() TO service_role;
COMMENT ON FUNCTION @extschema@.checked_tables() IS
    'Used by the security checklist: tables of openinfo, and all others that have a workspace_id';

CREATE FUNCTION @extschema@.checked_roles() RETURNS TABLE (oid oid, name text, by_request boolean)
    LANGUAGE sql STABLE ROWS 3 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT r.oid, r.rolname::text, r.rolname <> 'service_role'
      FROM pg_roles r WHERE r.rolname IN ('anon', 'authenticated', 'service_role');
END;
REVOKE ALL ON FUNCTION @extschema@.checked_roles() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checked_roles() TO service_role;
COMMENT ON FUNCTION @extschema@.checked_roles() IS
    'Used by the security checklist: the API roles; by_request is true of roles of users'' requests';

CREATE FUNCTION @extschema@.checked_columns() RETURNS TABLE (
        tableoid oid, name text, ours boolean, attnum int2, attacl aclitem[], insertable boolean,
        updatable boolean)
    LANGUAGE sql STABLE ROWS 200 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.oid, t.name || '.' || quote_ident(a.attname), t.ours, a.attnum, a.attacl,
           a.attname::text = ANY (t.inserts), a.attname::text = ANY (t.updates)
      FROM @extschema@.checked_tables() t
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped;
END;
REVOKE ALL ON FUNCTION @extschema@.checked_columns() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checked_columns() TO service_role;
COMMENT ON FUNCTION @extschema@.checked_columns() IS
    'Used by the security checklist: columns of those tables, and whether "authenticated" may write them';

CREATE FUNCTION @extschema@.checked_functions() RETURNS TABLE (
        oid oid, proacl aclitem[], proowner oid, proconfig text[], pinned boolean,
        initprivs aclitem[])
    LANGUAGE sql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT p.oid, p.proacl, p.proowner, p.proconfig,
           p.prosecdef OR l.lanname <> 'c', i.initprivs
      FROM pg_extension e
      JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
      JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
      JOIN pg_language l ON l.oid = p.prolang
      LEFT JOIN pg_init_privs i ON i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid AND i.objsubid = 0
     WHERE e.extname = 'openinfo';
END;
REVOKE ALL ON FUNCTION @extschema@.checked_functions() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checked_functions() TO service_role;
COMMENT ON FUNCTION @extschema@.checked_functions() IS
    'Used by the security checklist: functions of openinfo; pinned is true if they must set search_path';

CREATE FUNCTION @extschema@.checked_definers() RETURNS TABLE (oid oid, name text, proconfig text[])
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT p.oid, p.oid::regprocedure::text, p.proconfig
      FROM pg_proc p
     WHERE p.prosecdef AND p.pronamespace <> 'pg_catalog'::regnamespace
       AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
                        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                          AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
                          AND x.extname <> 'openinfo')
       AND (EXISTS (SELECT FROM @extschema@.checked_roles() r
                     WHERE r.by_request AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
                       AND has_schema_privilege(r.oid, p.pronamespace, 'USAGE'))
            OR EXISTS (SELECT FROM pg_trigger g JOIN @extschema@.checked_tables() t ON t.oid = g.tgrelid
                        WHERE g.tgfoid = p.oid));
END;
REVOKE ALL ON FUNCTION @extschema@.checked_definers() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checked_definers() TO service_role;
COMMENT ON FUNCTION @extschema@.checked_definers() IS
    'Used by the security checklist: SECURITY DEFINER functions that requests or triggers can call';

CREATE FUNCTION @extschema@.checked_views() RETURNS TABLE (oid oid, name text, relacl aclitem[])
    LANGUAGE sql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.oid, c.oid::regclass::text, c.relacl
      FROM pg_extension e
      JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
      JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
     WHERE e.extname = 'openinfo' AND c.relkind = 'v';
END;
REVOKE ALL ON FUNCTION @extschema@.checked_views() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checked_views() TO service_role;
COMMENT ON FUNCTION @extschema@.checked_views() IS
    'Used by the security checklist: views of openinfo';

CREATE FUNCTION @extschema@.checked_view_tables() RETURNS TABLE (view oid, tenant boolean)
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE reads_directly (view, relation) AS (
        SELECT w.ev_class, d.refobjid
          FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid <> w.ev_class
    ), reads (view, relation) AS (
        SELECT r.view, r.relation FROM reads_directly r
        UNION
        SELECT m.view, d.relation FROM reads m JOIN reads_directly d ON d.view = m.relation
    )
    SELECT r.view, bool_or(t.workspace_column IS NOT NULL OR t.relname = 'workspaces')
      FROM reads r JOIN @extschema@.checked_tables() t ON t.oid = r.relation
     GROUP BY r.view;
END;
REVOKE ALL ON FUNCTION @extschema@.checked_view_tables() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checked_view_tables() TO service_role;
COMMENT ON FUNCTION @extschema@.checked_view_tables() IS
    'Used by the security checklist: views and materialized views that read those tables, also indirectly';

-- Tables of openinfo must name the workspace in its own words, without an alternative; others must compare
-- it.
CREATE FUNCTION @extschema@.checked_policies()
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
REVOKE ALL ON FUNCTION @extschema@.checked_policies() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checked_policies() TO service_role;
COMMENT ON FUNCTION @extschema@.checked_policies() IS
    'Used by the security checklist: policies of anon and authenticated; bound if they name the workspace';

CREATE FUNCTION @extschema@.checked_foreign_keys() RETURNS TABLE (
        tableoid oid, name text, workspace_column int2, oid oid, conkey int2[], confkey int2[], confrelid oid,
        confdeltype text, confdelsetcols int2[], convalidated boolean)
    LANGUAGE sql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.oid, t.name || ' (' || quote_ident(k.conname) || ')', t.workspace_column, k.oid, k.conkey,
           k.confkey, k.confrelid, k.confdeltype::text, k.confdelsetcols, k.convalidated
      FROM @extschema@.checked_tables() t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f';
END;
REVOKE ALL ON FUNCTION @extschema@.checked_foreign_keys() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checked_foreign_keys() TO service_role;
COMMENT ON FUNCTION @extschema@.checked_foreign_keys() IS
    'Used by the security checklist: foreign keys of those tables';

CREATE FUNCTION @extschema@.checked_schemas() RETURNS TABLE (oid oid, ours boolean)
    LANGUAGE sql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT n.relnamespace, bool_or(n.ours)
      FROM (SELECT e.extnamespace AS relnamespace, true AS ours
              FROM pg_extension e WHERE e.extname = 'openinfo'
            UNION ALL SELECT t.relnamespace, false FROM @extschema@.checked_tables() t) n
     GROUP BY n.relnamespace;
END;
REVOKE ALL ON FUNCTION @extschema@.checked_schemas() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checked_schemas() TO service_role;
COMMENT ON FUNCTION @extschema@.checked_schemas() IS
    'Used by the security checklist: schemas of those tables';

-- Explicit memberships, of superusers too, which could become any role.
CREATE FUNCTION @extschema@.checked_logins() RETURNS TABLE (name text, role name, bypasses text)
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE becomes (login, role) AS (
        SELECT r.oid, r.oid FROM pg_roles r WHERE r.rolcanlogin
        UNION
        SELECT b.login, m.roleid FROM becomes b JOIN pg_auth_members m ON m.member = b.role
    )
    SELECT quote_ident(l.rolname), r.rolname,
           CASE WHEN r.rolsuper THEN 'a superuser' WHEN r.rolbypassrls THEN 'a role with BYPASSRLS' END
      FROM becomes b JOIN pg_roles l ON l.oid = b.login JOIN pg_roles r ON r.oid = b.role;
END;
REVOKE ALL ON FUNCTION @extschema@.checked_logins() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checked_logins() TO service_role;
COMMENT ON FUNCTION @extschema@.checked_logins() IS
    'Used by the security checklist: roles that can log in, and which roles each is or is a member of';

CREATE FUNCTION @extschema@.checklist_rls_enabled() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS (SELECT * FROM @extschema@.checked_tables())
    SELECT t.name FROM tables t WHERE NOT t.relrowsecurity
    UNION ALL
    SELECT format('%s.%I is missing', e.extnamespace::regnamespace, a.relname)
      FROM @extschema@.api_privileges() a JOIN pg_extension e ON e.extname = 'openinfo'
     WHERE NOT EXISTS (SELECT FROM tables t WHERE t.ours AND t.relname = a.relname);
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_rls_enabled() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_rls_enabled() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_rls_enabled() IS
    'Security checklist: violations of "RLS is enabled on all tables"';

CREATE FUNCTION @extschema@.checklist_rls_forced() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.name FROM @extschema@.checked_tables() t WHERE NOT t.relforcerowsecurity;
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_rls_forced() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_rls_forced() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_rls_forced() IS
    'Security checklist: violations of "RLS is forced on all tables"';

-- A restrictive policy for all commands that names the workspace holds, whatever else is permitted.
CREATE FUNCTION @extschema@.checklist_policies() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH policies AS (SELECT * FROM @extschema@.checked_policies())
    SELECT p.name FROM policies p
     WHERE p.polpermissive AND NOT coalesce(p.bound, true)
       AND NOT EXISTS (SELECT FROM policies h
                        WHERE h.tableoid = p.tableoid AND NOT h.polpermissive AND h.polcmd = '*' AND h.bound)
    UNION ALL
    SELECT t.name || ' has no policy'
      FROM @extschema@.checked_tables() t JOIN @extschema@.checked_roles() r ON r.name = 'authenticated'
     WHERE t.workspace_column IS NOT NULL AND NOT t.ours
       AND NOT EXISTS (SELECT FROM policies p WHERE p.tableoid = t.oid)
       AND (has_any_column_privilege(r.oid, t.oid, 'SELECT, INSERT, UPDATE')
            OR has_table_privilege(r.oid, t.oid, 'DELETE'));
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_policies() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_policies() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_policies() IS
    'Security checklist: violations of "Policies restrict rows to the active workspace"';

-- Without security_invoker a view reads as its owner.  RLS applies neither to materialized views nor to
-- foreign tables.
CREATE FUNCTION @extschema@.checklist_views() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.oid::regclass::text FROM pg_class c
     WHERE (c.relkind IN ('m', 'f')
            OR c.relkind = 'v' AND NOT EXISTS (SELECT FROM pg_options_to_table(c.reloptions) o
                                                WHERE o.option_name = 'security_invoker'
                                                  AND o.option_value::boolean))
       AND CASE c.relkind
                WHEN 'f' THEN EXISTS (SELECT FROM pg_attribute a
                                       WHERE a.attrelid = c.oid AND a.attname = 'workspace_id'
                                         AND NOT a.attisdropped)
                ELSE EXISTS (SELECT FROM @extschema@.checked_view_tables() v
                              WHERE v.view = c.oid AND v.tenant) END
       AND EXISTS (SELECT FROM @extschema@.checked_roles() r
                    WHERE r.by_request AND has_schema_privilege(r.oid, c.relnamespace, 'USAGE')
                      AND (has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE')
                           OR has_table_privilege(r.oid, c.oid, 'DELETE')));
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_views() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_views() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_views() IS
    'Security checklist: violations of "Views do not bypass RLS"';

CREATE FUNCTION @extschema@.checklist_roles() RETURNS SETOF text
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
REVOKE ALL ON FUNCTION @extschema@.checklist_roles() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_roles() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_roles() IS
    'Security checklist: violations of "API roles cannot bypass RLS"';

CREATE FUNCTION @extschema@.checklist_service_functions() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT f.oid::regprocedure::text FROM @extschema@.checked_functions() f
      JOIN @extschema@.checked_roles() r ON r.name = 'authenticated'
     WHERE has_function_privilege(r.oid, f.oid, 'EXECUTE')
       AND NOT EXISTS (SELECT FROM aclexplode(f.initprivs) a WHERE a.grantee IN (0, r.oid));
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_service_functions()
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_service_functions() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_service_functions() IS
    'Security checklist: violations of "Service functions are not executable by API roles"';

-- Without a path of its own the function takes the caller's; one with a schema that requests may create in is
-- as bad.
CREATE FUNCTION @extschema@.checklist_search_path() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT f.oid::regprocedure::text FROM @extschema@.checked_functions() f
     WHERE f.pinned AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (f.proconfig), false)
    UNION
    SELECT f.name
      FROM @extschema@.checked_definers() f
      LEFT JOIN LATERAL (SELECT substr(s, 13) AS path
                           FROM unnest(f.proconfig) s WHERE s ~ '^search_path=') s ON true
     WHERE s.path IS NULL
        OR EXISTS (SELECT FROM unnest(string_to_array(s.path, ',')) y
                    CROSS JOIN LATERAL (SELECT btrim(y, ' "') AS name) p
                    WHERE p.name = '$user'
                       OR EXISTS (SELECT FROM pg_namespace n CROSS JOIN @extschema@.checked_roles() r
                                   WHERE n.nspname = p.name AND r.by_request
                                     AND has_schema_privilege(r.oid, n.oid, 'CREATE')));
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_search_path() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_search_path() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_search_path() IS
    'Security checklist: violations of "SECURITY DEFINER functions have a safe search_path"';

-- The triggers must run for each row, on INSERT and on UPDATE of any column, without a condition.
CREATE FUNCTION @extschema@.checklist_sealed_data() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('%s on %s for %s', p, t.name, r.name)
      FROM @extschema@.checked_tables() t CROSS JOIN @extschema@.checked_roles() r
     CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p
     WHERE t.ours AND t.relname IN ('sealed_contacts', 'sealed_secrets')
       AND CASE p WHEN 'DELETE' THEN has_table_privilege(r.oid, t.oid, p)
                  ELSE has_any_column_privilege(r.oid, t.oid, p) END
    UNION ALL
    SELECT format('%s() does not run on %s', s.fn, t.name)
      FROM (VALUES ('people_search_results', 'seal_contact'),
                   ('people_search_results', 'store_sealed_contact'),
                   ('integrations', 'seal_secrets'), ('integrations', 'store_sealed_secrets')) s (relname, fn)
      JOIN @extschema@.checked_tables() t ON t.ours AND t.relname = s.relname
     WHERE NOT EXISTS (SELECT FROM pg_trigger g JOIN @extschema@.checked_functions() f ON f.oid = g.tgfoid
                         JOIN pg_proc p ON p.oid = f.oid
                        WHERE g.tgrelid = t.oid AND p.proname = s.fn AND g.tgenabled IN ('O', 'A')
                          AND g.tgtype & 21 = 21 AND g.tgattr = '' AND g.tgqual IS NULL);
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_sealed_data() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_sealed_data() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_sealed_data() IS
    'Security checklist: violations of "Sensitive data is sealed"';

-- Dynamic, which leaves no dependency on the tables and finds them in a schema that was renamed.  It reads
-- every row.
CREATE FUNCTION @extschema@.checklist_visible_fields() RETURNS SETOF text
    LANGUAGE plpgsql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema CONSTANT regnamespace := (SELECT extnamespace FROM pg_extension WHERE extname = 'openinfo');
    v_count  bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %1$s.people_search_results
                     WHERE email_revealed_at IS NULL AND NOT %1$s.is_sealed(''person'', person_data)',
                   v_schema)
       INTO v_count;
    IF v_count > 0 THEN
        RETURN NEXT format('%s rows of people_search_results are not sealed: run reseal(''person'')',
                           v_count);
    END IF;
    EXECUTE format('SELECT count(*) FROM %1$s.integrations
                     WHERE NOT %1$s.is_sealed(''integration'', config)', v_schema)
       INTO v_count;
    IF v_count > 0 THEN
        RETURN NEXT format('%s rows of integrations are not sealed: run reseal(''integration'')', v_count);
    END IF;
EXCEPTION
    WHEN undefined_table OR undefined_column THEN
        RETURN NEXT SQLERRM;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.checklist_visible_fields() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_visible_fields() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_visible_fields() IS
    'Security checklist: violations of "Rows show only visible fields"';

CREATE FUNCTION @extschema@.checklist_email_check() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.name || '.email' FROM @extschema@.checked_tables() t
     WHERE t.ours AND t.relname = 'users'
       AND NOT EXISTS (SELECT FROM pg_constraint k
                         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (k.conkey)
                        WHERE k.conrelid = t.oid AND k.contype = 'c' AND k.convalidated
                          AND a.attname = 'email'
                          AND pg_get_constraintdef(k.oid) ~ '~.*@');
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_email_check() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_email_check() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_email_check() IS
    'Security checklist: violations of "E-mail addresses are validated in a CHECK constraint"';

CREATE FUNCTION @extschema@.checklist_workspace_cascade() RETURNS SETOF text
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
REVOKE ALL ON FUNCTION @extschema@.checklist_workspace_cascade()
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_workspace_cascade() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_workspace_cascade() IS
    'Security checklist: violations of "Tenant rows are deleted with their workspace"';

CREATE FUNCTION @extschema@.checklist_foreign_keys() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH keys AS (SELECT * FROM @extschema@.checked_foreign_keys())
    SELECT k.name || ' does not include the workspace'
      FROM keys k JOIN @extschema@.checked_tables() r ON r.oid = k.confrelid
     WHERE k.workspace_column IS NOT NULL AND r.workspace_column IS NOT NULL
       AND NOT EXISTS (SELECT FROM generate_subscripts(k.conkey, 1) i
                        WHERE k.conkey[i] = k.workspace_column AND k.confkey[i] = r.workspace_column)
    UNION ALL
    SELECT k.name || ' is not validated' FROM keys k WHERE NOT k.convalidated
    UNION ALL
    SELECT k.name || ' would change workspace_id, or a column that must not be NULL'
      FROM keys k
     WHERE k.confdeltype IN ('n', 'd')
       AND EXISTS (SELECT FROM unnest(coalesce(k.confdelsetcols, k.conkey)) s
                     JOIN pg_attribute a ON a.attrelid = k.tableoid AND a.attnum = s
                    WHERE a.attname = 'workspace_id' OR a.attnotnull AND k.confdeltype = 'n')
    UNION ALL
    SELECT DISTINCT k.name || ' is disabled'
      FROM keys k JOIN pg_trigger g ON g.tgconstraint = k.oid
     WHERE g.tgenabled IN ('D', 'R');
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_foreign_keys() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_foreign_keys() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_foreign_keys() IS
    'Security checklist: violations of "Foreign keys include the workspace"';

CREATE FUNCTION @extschema@.checklist_workspace_index() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.name FROM @extschema@.checked_tables() t
     WHERE t.workspace_column IS NOT NULL
       AND NOT EXISTS (SELECT FROM pg_index i
                        WHERE i.indrelid = t.oid AND i.indkey[0] = t.workspace_column AND i.indisvalid
                          AND i.indpred IS NULL);
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_workspace_index() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_workspace_index() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_workspace_index() IS
    'Security checklist: violations of "Tenant tables have an index on workspace_id"';

CREATE FUNCTION @extschema@.checklist_public() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('%s on %s', a.privilege_type, t.name)
      FROM (SELECT w.name, w.relacl FROM @extschema@.checked_tables() w
            UNION ALL SELECT v.name, v.relacl FROM @extschema@.checked_views() v) t
     CROSS JOIN LATERAL aclexplode(t.relacl) a WHERE a.grantee = 0
    UNION ALL
    SELECT format('%s on %s', a.privilege_type, c.name)
      FROM @extschema@.checked_columns() c CROSS JOIN LATERAL aclexplode(c.attacl) a WHERE a.grantee = 0
    UNION ALL
    SELECT format('%s on %s', a.privilege_type, f.oid::regprocedure)
      FROM @extschema@.checked_functions() f
     CROSS JOIN LATERAL aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a WHERE a.grantee = 0;
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_public() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_public() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_public() IS
    'Security checklist: violations of "PUBLIC has no access"';

CREATE FUNCTION @extschema@.checklist_anon() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('%s on %s', p, t.name)
      FROM (SELECT w.oid, w.name FROM @extschema@.checked_tables() w
            UNION ALL SELECT v.oid, v.name FROM @extschema@.checked_views() v) t
      JOIN @extschema@.checked_roles() r ON r.name = 'anon'
     CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p
     WHERE CASE WHEN p IN ('DELETE', 'TRUNCATE', 'TRIGGER') THEN has_table_privilege(r.oid, t.oid, p)
                ELSE has_any_column_privilege(r.oid, t.oid, p) END
    UNION ALL
    SELECT format('EXECUTE on %s', f.oid::regprocedure)
      FROM @extschema@.checked_functions() f JOIN @extschema@.checked_roles() r ON r.name = 'anon'
     WHERE has_function_privilege(r.oid, f.oid, 'EXECUTE');
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_anon() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_anon() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_anon() IS
    'Security checklist: violations of "anon has no access"';

CREATE FUNCTION @extschema@.checklist_authenticated() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('%s on %s', p, c.name)
      FROM @extschema@.checked_columns() c JOIN @extschema@.checked_roles() r ON r.name = 'authenticated'
     CROSS JOIN unnest('{INSERT,UPDATE}'::text[]) p
     WHERE c.ours AND NOT CASE p WHEN 'INSERT' THEN c.insertable ELSE c.updatable END
       AND has_column_privilege(r.oid, c.tableoid, c.attnum, p)
    UNION ALL
    SELECT format('%s on %s', p, t.name)
      FROM (SELECT w.oid, w.name, w.reads, w.deletes FROM @extschema@.checked_tables() w WHERE w.ours
            UNION ALL SELECT v.oid, v.name, false, false FROM @extschema@.checked_views() v) t
      JOIN @extschema@.checked_roles() r ON r.name = 'authenticated'
     CROSS JOIN unnest('{SELECT,DELETE}'::text[]) p
     WHERE CASE p WHEN 'SELECT' THEN NOT t.reads AND has_any_column_privilege(r.oid, t.oid, p)
                  ELSE NOT t.deletes AND has_table_privilege(r.oid, t.oid, p) END;
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_authenticated() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_authenticated() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_authenticated() IS
    'Security checklist: violations of "authenticated has only the privileges that openinfo grants"';

-- RLS does not apply to TRUNCATE, so tables of the user count too.
CREATE FUNCTION @extschema@.checklist_truncate() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('%s on %s for %s', p, t.name, r.name)
      FROM @extschema@.checked_tables() t CROSS JOIN @extschema@.checked_roles() r
     CROSS JOIN unnest('{TRUNCATE,REFERENCES,TRIGGER,MAINTAIN}'::text[]) p
     WHERE (t.ours OR r.by_request)
       AND CASE p WHEN 'REFERENCES' THEN has_any_column_privilege(r.oid, t.oid, p)
                  WHEN 'MAINTAIN' THEN current_setting('server_version_num')::int >= 170000
                                       AND has_table_privilege(r.oid, t.oid, p)
                  ELSE has_table_privilege(r.oid, t.oid, p) END;
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_truncate() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_truncate() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_truncate() IS
    'Security checklist: violations of "No API role has TRUNCATE, REFERENCES or TRIGGER"';

CREATE FUNCTION @extschema@.checklist_create_in_schema() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('%s in schema %s', r.name, n.oid::regnamespace)
      FROM @extschema@.checked_schemas() n
     CROSS JOIN (SELECT c.name, c.by_request FROM @extschema@.checked_roles() c
                 UNION ALL SELECT 'public'::text AS name, true AS by_request) r
     WHERE (n.ours OR r.by_request) AND has_schema_privilege(r.name::name, n.oid, 'CREATE');
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_create_in_schema()
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_create_in_schema() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_create_in_schema() IS
    'Security checklist: violations of "No API role may create objects in the schemas"';

CREATE FUNCTION @extschema@.checklist_settings() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('%s: %s', coalesce('role ' || quote_ident(g.rolname),
                                     CASE d.setdatabase WHEN 0 THEN 'every role' ELSE 'database' END), s)
      FROM pg_db_role_setting d LEFT JOIN pg_roles g ON g.oid = d.setrole CROSS JOIN unnest(d.setconfig) s
     WHERE d.setdatabase IN (0, (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))
       AND (s ~ '^(request\.jwt\.[^=]*|openinfo\.workspace_id)=.'
            OR s ~ '^openinfo\.allow_[^=]*=(on|true|yes|1)$')
    UNION ALL
    SELECT format('configuration: %s=%s', s.name, s.reset_val) FROM pg_settings s
     WHERE (s.name ~ '^request\.jwt\.' OR s.name = 'openinfo.workspace_id') AND s.reset_val <> ''
        OR s.name ~ '^openinfo\.allow_' AND s.reset_val = 'on';
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_settings() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_settings() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_settings() IS
    'Security checklist: violations of "No setting supplies an identity or disables a safeguard"';

CREATE FUNCTION @extschema@.checklist_logins() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT DISTINCT format('%s can become both %s and service_role', r.name, r.role)
      FROM @extschema@.checked_logins() r JOIN @extschema@.checked_logins() s ON s.name = r.name
     WHERE r.role IN ('anon', 'authenticated') AND s.role = 'service_role'
    UNION ALL
    SELECT DISTINCT format('%s can become both %s and %s', r.name, r.role, b.bypasses)
      FROM @extschema@.checked_logins() r JOIN @extschema@.checked_logins() b ON b.name = r.name
     WHERE r.role IN ('anon', 'authenticated') AND b.role NOT IN ('anon', 'authenticated', 'service_role')
       AND b.bypasses IS NOT NULL;
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_logins() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_logins() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_logins() IS
    'Security checklist: violations of "Logins that serve requests can become nothing else"';

CREATE FUNCTION @extschema@.checklist_owner() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('%s belongs to %s', t.name, t.relowner::regrole) FROM @extschema@.checked_tables() t
     WHERE t.ours
       AND t.relowner IS DISTINCT FROM (SELECT o.oid FROM pg_roles o WHERE o.rolname = 'openinfo_owner')
    UNION ALL
    SELECT 'openinfo_owner has ' || r FROM @extschema@.owner_rights() r;
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_owner() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_owner() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_owner() IS
    'Security checklist: violations of "openinfo_owner owns the tables and has no other rights"';

CREATE FUNCTION @extschema@.checklist_schema_creators() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE c.role WHEN 0 THEN 'PUBLIC' ELSE c.role::regrole::text END
           || CASE WHEN c.owns THEN ' owns schema ' ELSE ' may create in schema ' END
           || e.extnamespace::regnamespace
      FROM @extschema@.schema_creators() c JOIN pg_extension e ON e.extname = 'openinfo'
     WHERE c.role <> e.extowner;
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_schema_creators() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_schema_creators() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_schema_creators() IS
    'Security checklist: violations of "Only trusted roles may create objects in the schema of openinfo"';

-- When a function of openinfo writes, a trigger runs as openinfo_owner, which RLS does not restrict.
CREATE FUNCTION @extschema@.checklist_triggers() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT DISTINCT format('%s, which a trigger on %s calls, belongs to %s', p.oid::regprocedure, t.name,
                           p.proowner::regrole)
      FROM @extschema@.checked_tables() t JOIN pg_trigger g ON g.tgrelid = t.oid
      JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_roles o ON o.oid = p.proowner
      JOIN pg_extension e ON e.extname = 'openinfo'
     WHERE t.ours AND NOT o.rolsuper AND o.rolname <> 'openinfo_owner' AND o.oid <> e.extowner;
END;
REVOKE ALL ON FUNCTION @extschema@.checklist_triggers() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.checklist_triggers() TO service_role;
COMMENT ON FUNCTION @extschema@.checklist_triggers() IS
    'Security checklist: violations of "Triggers call functions of trusted roles"';

CREATE FUNCTION @extschema@.security_checklist() RETURNS TABLE (item text, ok boolean, detail text)
    LANGUAGE sql STABLE ROWS 23 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH counted AS (
        SELECT count(*) AS tables, count(t.workspace_column) AS tenant_tables,
               count(*) FILTER (WHERE NOT t.ours) AS own_tables,
               count(*) FILTER (WHERE t.ours AND t.relname ~ '^sealed_') AS sealed_tables,
               (SELECT count(*) FROM @extschema@.checked_views()) AS views,
               (SELECT count(*) FROM @extschema@.checked_functions()) AS functions
          FROM @extschema@.checked_tables() t
    )
    SELECT c.item, cardinality(c.found) = 0,
           CASE WHEN cardinality(c.found) = 0 THEN c.checked
                ELSE array_to_string(c.found[1:20], '; ')
                     || CASE WHEN cardinality(c.found) > 20 
                             THEN format('; and %s more', cardinality(c.found) - 20) ELSE '' END END
      FROM counted CROSS JOIN LATERAL (VALUES
                (1, 'RLS is enabled on all tables',
                 ARRAY(SELECT f FROM @extschema@.checklist_rls_enabled() f ORDER BY f COLLATE "C"),
                 tables || ' tables'),
                (2, 'RLS is forced on all tables',
                 ARRAY(SELECT f FROM @extschema@.checklist_rls_forced() f ORDER BY f COLLATE "C"),
                 tables || ' tables'),
                (3, 'Policies restrict rows to the active workspace',
                 ARRAY(SELECT f FROM @extschema@.checklist_policies() f ORDER BY f COLLATE "C"),
                 (SELECT count(*) || ' policies' FROM @extschema@.checked_policies())),
                (4, 'Views do not bypass RLS',
                 ARRAY(SELECT f FROM @extschema@.checklist_views() f ORDER BY f COLLATE "C"),
                 (SELECT count(*) || ' views' FROM @extschema@.checked_view_tables())),
                (5, 'API roles cannot bypass RLS',
                 ARRAY(SELECT f FROM @extschema@.checklist_roles() f ORDER BY f COLLATE "C"),
                 (SELECT count(*) || ' roles' FROM @extschema@.checked_roles() r WHERE r.by_request)),
                (6, 'Service functions are not executable by API roles',
                 ARRAY(SELECT f FROM @extschema@.checklist_service_functions() f ORDER BY f COLLATE "C"),
                 functions || ' functions'),
                (7, 'SECURITY DEFINER functions have a safe search_path',
                 ARRAY(SELECT f FROM @extschema@.checklist_search_path() f ORDER BY f COLLATE "C"),
                 (SELECT count(*) || ' functions' FROM (
                 SELECT d.oid FROM @extschema@.checked_definers() d
                 UNION SELECT f.oid FROM @extschema@.checked_functions() f WHERE f.pinned) x)),
                (8, 'Sensitive data is sealed',
                 ARRAY(SELECT f FROM @extschema@.checklist_sealed_data() f ORDER BY f COLLATE "C"),
                 sealed_tables || ' tables'),
                (9, 'E-mail addresses are validated in a CHECK constraint',
                 ARRAY(SELECT f FROM @extschema@.checklist_email_check() f ORDER BY f COLLATE "C"),
                 '1 table'),
                (10, 'Tenant rows are deleted with their workspace',
                 ARRAY(SELECT f FROM @extschema@.checklist_workspace_cascade() f ORDER BY f COLLATE "C"),
                 tenant_tables || ' tables'),
                (11, 'Foreign keys include the workspace',
                 ARRAY(SELECT f FROM @extschema@.checklist_foreign_keys() f ORDER BY f COLLATE "C"),
                 (SELECT count(*) || ' foreign keys' FROM @extschema@.checked_foreign_keys())),
                (12, 'Tenant tables have an index on workspace_id',
                 ARRAY(SELECT f FROM @extschema@.checklist_workspace_index() f ORDER BY f COLLATE "C"),
                 tenant_tables || ' tables'),
                (13, 'PUBLIC has no access',
                 ARRAY(SELECT f FROM @extschema@.checklist_public() f ORDER BY f COLLATE "C"),
                 tables + views + functions || ' tables, views and functions'),
                (14, 'anon has no access',
                 ARRAY(SELECT f FROM @extschema@.checklist_anon() f ORDER BY f COLLATE "C"),
                 tables + views + functions || ' tables, views and functions'),
                (15, 'authenticated has only the privileges that openinfo grants',
                 ARRAY(SELECT f FROM @extschema@.checklist_authenticated() f ORDER BY f COLLATE "C"),
                 (SELECT count(*) || ' columns' FROM @extschema@.checked_columns() c WHERE c.ours)),
                (16, 'No API role has TRUNCATE, REFERENCES or TRIGGER',
                 ARRAY(SELECT f FROM @extschema@.checklist_truncate() f ORDER BY f COLLATE "C"),
                 tables || ' tables'),
                (17, 'No API role may create objects in the schemas',
                 ARRAY(SELECT f FROM @extschema@.checklist_create_in_schema() f ORDER BY f COLLATE "C"),
                 (SELECT count(*) || ' schemas' FROM @extschema@.checked_schemas())),
                (18, 'No setting supplies an identity or disables a safeguard',
                 ARRAY(SELECT f FROM @extschema@.checklist_settings() f ORDER BY f COLLATE "C"),
                 (SELECT count(*) || ' settings of roles and databases' FROM pg_db_role_setting)),
                (19, 'Rows show only visible fields',
                 ARRAY(SELECT f FROM @extschema@.checklist_visible_fields() f),
                 '2 tables'),
                (20, 'Logins that serve requests can become nothing else',
                 ARRAY(SELECT f FROM @extschema@.checklist_logins() f ORDER BY f COLLATE "C"),
                 (SELECT count(DISTINCT l.name) || ' logins' FROM @extschema@.checked_logins() l)),
                (21, 'openinfo_owner owns the tables and has no other rights',
                 ARRAY(SELECT f FROM @extschema@.checklist_owner() f ORDER BY f COLLATE "C"),
                 tables - own_tables || ' tables'),
                (22, 'Only trusted roles may create objects in the schema of openinfo',
                 ARRAY(SELECT f FROM @extschema@.checklist_schema_creators() f ORDER BY f COLLATE "C"),
                 '1 schema'),
                (23, 'Triggers call functions of trusted roles',
                 ARRAY(SELECT f FROM @extschema@.checklist_triggers() f ORDER BY f COLLATE "C"),
                 (SELECT count(*) || ' triggers' FROM @extschema@.checked_tables() t
                    JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal WHERE t.ours)))
           c (n, item, found, checked)
     ORDER BY c.n;
END;
REVOKE ALL ON FUNCTION @extschema@.security_checklist() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.security_checklist() TO service_role;
COMMENT ON FUNCTION @extschema@.security_checklist() IS
    'Checks the installation against the security checklist; detail names the objects that violate an item';

-- -----------------------------------------------------------------------------------------------------------
-- Protection against accidental drops (src/operations/drop_guard.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.guard_against_drop() RETURNS event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_guard_against_drop';
REVOKE ALL ON FUNCTION @extschema@.guard_against_drop() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.guard_against_drop() IS
    'Event trigger: registers a command that must not drop tables';

-- Without DROP TABLE: a server that has lost the library must still be able to drop tables.
CREATE EVENT TRIGGER openinfo_guard ON ddl_command_start
    WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA', 'DROP OWNED')
    EXECUTE FUNCTION @extschema@.guard_against_drop();
COMMENT ON EVENT TRIGGER openinfo_guard IS
    'DROP EXTENSION, DROP SCHEMA and DROP OWNED drop no tables of openinfo unless openinfo.allow_drop is on';

/*
 * A table of openinfo that a restored dump creates has no privileges of API roles, whatever ALTER DEFAULT
 * PRIVILEGES grants; the dump then grants what it recorded.  In PL/pgSQL, because CREATE TABLE must work
 * without the library.
 */
CREATE FUNCTION @extschema@.revoke_default_privileges() RETURNS event_trigger
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
REVOKE ALL ON FUNCTION @extschema@.revoke_default_privileges() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.revoke_default_privileges() IS
    'Event trigger: revokes default privileges on a table of openinfo that a dump creates';

CREATE EVENT TRIGGER openinfo_revoke_default_privileges ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
    EXECUTE FUNCTION @extschema@.revoke_default_privileges();
COMMENT ON EVENT TRIGGER openinfo_revoke_default_privileges IS
    'Revokes default privileges on tables of openinfo that a dump creates';

-- -----------------------------------------------------------------------------------------------------------
-- Migration
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.migration_20260101000006_integrations_billing() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- integrations ------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.integrations (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        type            @extschema@.integration_type NOT NULL,
        name            text NOT NULL,
        status          @extschema@.integration_status NOT NULL DEFAULT 'active',
        config          jsonb NOT NULL DEFAULT '{}',
        last_used_at    timestamptz,
        total_events_sent int NOT NULL DEFAULT 0,
        last_error      text,
        error_count     int NOT NULL DEFAULT 0,
        UNIQUE (id, workspace_id),
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        CONSTRAINT integrations_name_not_blank CHECK (NOT @extschema@.is_blank(name)),
        CONSTRAINT integrations_config_object CHECK (jsonb_typeof(config) = 'object'),
        CONSTRAINT integrations_counters_not_negative CHECK (total_events_sent >= 0 AND error_count >= 0)
    );
    CREATE INDEX idx_integrations_workspace_id ON @extschema@.integrations (workspace_id, created_at DESC);
    CREATE INDEX idx_integrations_created_by ON @extschema@.integrations (created_by, workspace_id);
    CREATE UNIQUE INDEX integrations_workspace_id_type_key ON @extschema@.integrations (workspace_id, type)
        WHERE status = 'active';
    PERFORM @extschema@.secure_table('@extschema@.integrations'::regclass);
    GRANT SELECT, INSERT (type, name, status, config), UPDATE (type, name, status, config), DELETE
        ON TABLE @extschema@.integrations TO authenticated;
    -- By its name zz_seal_fields fires last of the BEFORE triggers, on the row as it will be stored.
    CREATE TRIGGER zz_seal_fields BEFORE INSERT OR UPDATE ON @extschema@.integrations
        FOR EACH ROW EXECUTE FUNCTION @extschema@.seal_secrets();
    CREATE TRIGGER zz_store_sealed AFTER INSERT OR UPDATE ON @extschema@.integrations
        FOR EACH ROW EXECUTE FUNCTION @extschema@.store_sealed_secrets();
    CREATE POLICY read_own_workspace ON @extschema@.integrations FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY add_as_admin ON @extschema@.integrations FOR INSERT TO authenticated
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id())
                    AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)));
    CREATE POLICY change_as_admin ON @extschema@.integrations FOR UPDATE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id())
               AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id())
                    AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)));
    CREATE POLICY delete_as_admin ON @extschema@.integrations FOR DELETE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id())
               AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)));
    PERFORM @extschema@.comment_on_table('@extschema@.integrations'::regclass,
        'Services that events of a workspace are sent to'::text, ARRAY[
        ['type', 'Type of the service'],
        ['name', 'Display name'],
        ['status', 'State of the integration; events are sent only while it is active'],
        ['config',
         'Object: settings of the service; only visible_fields are shown, see get_integration_config()'],
        ['last_used_at', 'When the last event was sent'],
        ['total_events_sent', 'Number of events sent'],
        ['last_error', 'Last error message'],
        ['error_count', 'Consecutive errors; the fifth sets status to error'],
        ['integrations_workspace_id_type_key', 'A workspace has one active integration of a type'],
        ['integrations_name_not_blank', 'The name is not blank'],
        ['integrations_config_object', 'An object, not an array or a scalar'],
        ['integrations_counters_not_negative', 'Not negative'],
        ['zz_seal_fields', 'Removes fields that are not visible from config'],
        ['zz_store_sealed', 'Stores what was removed in sealed_secrets'],
        ['read_own_workspace', 'Members see the integrations of their active workspace'],
        ['add_as_admin', 'Owners and admins add integrations to their active workspace'],
        ['change_as_admin', 'Owners and admins change integrations of their active workspace'],
        ['delete_as_admin', 'Owners and admins delete integrations of their active workspace']]);

    -- sealed_secrets ----------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.sealed_secrets (
        integration_id uuid NOT NULL,
        workspace_id   uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        sealed         jsonb NOT NULL,
        sealed_at      timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (integration_id, workspace_id),
        FOREIGN KEY (integration_id, workspace_id)
            REFERENCES @extschema@.integrations (id, workspace_id) ON DELETE CASCADE
    );
    CREATE INDEX idx_sealed_secrets_workspace_id ON @extschema@.sealed_secrets (workspace_id);
    PERFORM @extschema@.secure_table('@extschema@.sealed_secrets'::regclass);
    -- No API role reads it, not even service_role; get_integration_config() does.
    REVOKE ALL ON TABLE @extschema@.sealed_secrets FROM service_role;
    DROP POLICY service_all ON @extschema@.sealed_secrets;
    PERFORM @extschema@.comment_on_table('@extschema@.sealed_secrets'::regclass,
        'What is sealed of config of integrations. No API role may read it'::text, ARRAY[
        ['integration_id', 'The row of integrations'],
        ['sealed', 'Object: what was removed from config'],
        ['sealed_at', 'When it was sealed']]);

    -- integration_events ------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.integration_events (
        id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at     timestamptz NOT NULL DEFAULT now(),
        workspace_id   uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        integration_id uuid NOT NULL,
        event_data     jsonb NOT NULL,
        sent_at        timestamptz,
        FOREIGN KEY (integration_id, workspace_id)
            REFERENCES @extschema@.integrations (id, workspace_id) ON DELETE CASCADE
    );
    CREATE INDEX idx_integration_events_workspace_id
        ON @extschema@.integration_events (workspace_id, created_at DESC);
    CREATE INDEX idx_integration_events_integration_id
        ON @extschema@.integration_events (integration_id, workspace_id);
    CREATE INDEX idx_integration_events_unsent ON @extschema@.integration_events (created_at)
        WHERE sent_at IS NULL;
    PERFORM @extschema@.secure_table('@extschema@.integration_events'::regclass);
    CREATE TRIGGER reset_errors AFTER UPDATE ON @extschema@.integration_events FOR EACH ROW
        WHEN (OLD.sent_at IS NULL AND NEW.sent_at IS NOT NULL)
        EXECUTE FUNCTION @extschema@.reset_integration_errors();
    PERFORM @extschema@.comment_on_table('@extschema@.integration_events'::regclass,
        'Outbox of events for the sender; filled by send_integration_event()'::text, ARRAY[
        ['integration_id', 'Integration that the event is sent to'],
        ['event_data', 'The event'],
        ['sent_at', 'When the event was delivered; set by the sender'],
        ['idx_integration_events_integration_id', 'Supports the foreign key to integrations'],
        ['idx_integration_events_unsent', 'Events to be sent, by age'],
        ['reset_errors', 'A delivered event resets the consecutive-error count']]);

    -- billing_events ----------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.billing_events (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        event_type      @extschema@.billing_event_type NOT NULL,
        stripe_event_id text UNIQUE,
        event_at        timestamptz NOT NULL DEFAULT now(),
        amount_cents    bigint,
        currency        text,
        old_plan        text,
        new_plan        text,
        metadata        jsonb DEFAULT '{}',
        facts           jsonb,
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        CONSTRAINT billing_events_metadata_object CHECK (jsonb_typeof(metadata) = 'object'),
        CONSTRAINT billing_events_facts_object CHECK (jsonb_typeof(facts) = 'object')
    );
    CREATE INDEX idx_billing_events_workspace_id
        ON @extschema@.billing_events (workspace_id, created_at DESC);
    CREATE INDEX idx_billing_events_created_by ON @extschema@.billing_events (created_by, workspace_id);
    PERFORM @extschema@.secure_table('@extschema@.billing_events'::regclass);
    GRANT SELECT ON TABLE @extschema@.billing_events TO authenticated;
    CREATE POLICY read_own_workspace ON @extschema@.billing_events FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.billing_events'::regclass,
        'Events of the subscription of a workspace'::text, ARRAY[
        ['event_type', 'Type of the event'],
        ['stripe_event_id', 'Id of the event in Stripe'],
        ['event_at', 'When the event happened in Stripe'],
        ['amount_cents', 'Amount in the smallest unit of the currency; negative for a credit'],
        ['currency', 'Currency code as in Stripe'],
        ['old_plan', 'Plan before the event'],
        ['new_plan', 'Plan after the event'],
        ['metadata', 'Object: data of the event'],
        ['facts',
         'Object: state of the subscription that record_billing_event() found in the event, or NULL'],
        ['billing_events_stripe_event_id_key', 'A Stripe event is recorded once'],
        ['billing_events_metadata_object', 'An object, not an array or a scalar'],
        ['billing_events_facts_object', 'An object, not an array or a scalar'],
        ['read_own_workspace', 'Members see the billing of their active workspace']]);

    -- notification_preferences ------------------------------------------------------------------------------
    CREATE TABLE @extschema@.notification_preferences (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        user_id         uuid NOT NULL DEFAULT @extschema@.get_user_id(),
        email_new_leads       boolean NOT NULL DEFAULT true,
        email_daily_digest    boolean NOT NULL DEFAULT true,
        email_weekly_report   boolean NOT NULL DEFAULT true,
        email_query_completed boolean NOT NULL DEFAULT false,
        email_credit_low      boolean NOT NULL DEFAULT true,
        email_billing_updates boolean NOT NULL DEFAULT true,
        inapp_new_leads       boolean NOT NULL DEFAULT true,
        inapp_mentions        boolean NOT NULL DEFAULT true,
        inapp_system_updates  boolean NOT NULL DEFAULT true,
        slack_new_leads       boolean NOT NULL DEFAULT false,
        slack_daily_digest    boolean NOT NULL DEFAULT false,
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (user_id, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE CASCADE,
        UNIQUE (user_id, workspace_id)
    );
    CREATE INDEX idx_notification_preferences_workspace_id
        ON @extschema@.notification_preferences (workspace_id);
    CREATE INDEX idx_notification_preferences_created_by
        ON @extschema@.notification_preferences (created_by, workspace_id);
    PERFORM @extschema@.secure_table('@extschema@.notification_preferences'::regclass);
    GRANT SELECT, UPDATE (email_new_leads, email_daily_digest, email_weekly_report, email_query_completed,
                          email_credit_low, email_billing_updates, inapp_new_leads, inapp_mentions,
                          inapp_system_updates, slack_new_leads, slack_daily_digest)
        ON TABLE @extschema@.notification_preferences TO authenticated;
    CREATE POLICY read_own ON @extschema@.notification_preferences FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id())
               AND user_id = (SELECT @extschema@.get_user_id()));
    CREATE POLICY change_own ON @extschema@.notification_preferences FOR UPDATE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id())
               AND user_id = (SELECT @extschema@.get_user_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id())
                    AND user_id = (SELECT @extschema@.get_user_id()));
    CREATE TRIGGER zz_create_preferences AFTER INSERT ON @extschema@.users
        FOR EACH ROW EXECUTE FUNCTION @extschema@.create_preferences();
    COMMENT ON TRIGGER zz_create_preferences ON @extschema@.users IS
        'Creates the notification preferences of a new member';
    INSERT INTO @extschema@.notification_preferences (user_id, workspace_id)
        SELECT id, workspace_id FROM @extschema@.users;
    PERFORM @extschema@.comment_on_table('@extschema@.notification_preferences'::regclass,
        'Notifications that a member receives; created with the member'::text, ARRAY[
        ['user_id', 'The member'],
        ['email_new_leads', 'E-mail: new leads'],
        ['email_daily_digest', 'E-mail: daily digest'],
        ['email_weekly_report', 'E-mail: weekly report'],
        ['email_query_completed', 'E-mail: query completed'],
        ['email_credit_low', 'E-mail: few credits left'],
        ['email_billing_updates', 'E-mail: billing updates'],
        ['inapp_new_leads', 'In the application: new leads'],
        ['inapp_mentions', 'In the application: mentions'],
        ['inapp_system_updates', 'In the application: system updates'],
        ['slack_new_leads', 'Slack: new leads'],
        ['slack_daily_digest', 'Slack: daily digest'],
        ['notification_preferences_user_id_workspace_id_key', 'A member has one row'],
        ['notification_preferences_user_id_workspace_id_fkey', 'The row is deleted with its member'],
        ['read_own', 'Members see their own preferences'],
        ['change_own', 'Members change their own preferences']]);

    -- stripe_customers --------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.stripe_customers (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        stripe_customer_id text NOT NULL UNIQUE,
        stripe_subscription_id text UNIQUE,
        subscription_status text,
        current_period_start timestamptz,
        current_period_end timestamptz,
        default_payment_method text,
        last_event_at   timestamptz,
        initial_state   jsonb,
        metadata        jsonb DEFAULT '{}',
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        CONSTRAINT stripe_customers_period_forward CHECK (current_period_end >= current_period_start),
        CONSTRAINT stripe_customers_metadata_object CHECK (jsonb_typeof(metadata) = 'object'),
        CONSTRAINT stripe_customers_initial_state_object CHECK (jsonb_typeof(initial_state) = 'object')
    );
    CREATE UNIQUE INDEX idx_stripe_customers_workspace_id ON @extschema@.stripe_customers (workspace_id);
    CREATE INDEX idx_stripe_customers_created_by ON @extschema@.stripe_customers (created_by, workspace_id);
    PERFORM @extschema@.secure_table('@extschema@.stripe_customers'::regclass);
    GRANT SELECT ON TABLE @extschema@.stripe_customers TO authenticated;
    CREATE POLICY read_own_workspace ON @extschema@.stripe_customers FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.stripe_customers'::regclass,
        'Stripe customer and subscription of a workspace'::text, ARRAY[
        ['stripe_customer_id', 'Id of the customer in Stripe'],
        ['stripe_subscription_id', 'Id of the subscription in Stripe'],
        ['subscription_status', 'Status as in Stripe: active, trialing, past_due, canceled, ...'],
        ['current_period_start', 'Start of the paid period'],
        ['current_period_end', 'End of the paid period'],
        ['default_payment_method', 'Id of the payment method in Stripe'],
        ['last_event_at', 'When the latest event that this row reflects happened'],
        ['initial_state',
         'Object: the state before the first recorded event. Set to NULL to keep manual changes'],
        ['metadata', 'Object: data of the application'],
        ['stripe_customers_stripe_customer_id_key', 'A customer belongs to one workspace'],
        ['stripe_customers_stripe_subscription_id_key', 'A subscription belongs to one workspace'],
        ['idx_stripe_customers_workspace_id', 'A workspace has one customer'],
        ['stripe_customers_period_forward', 'A period does not end before it starts'],
        ['stripe_customers_metadata_object', 'An object, not an array or a scalar'],
        ['stripe_customers_initial_state_object', 'An object, not an array or a scalar'],
        ['read_own_workspace', 'Members see the billing of their active workspace']]);
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000006_integrations_billing()
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000006_integrations_billing() IS
    'Migration 6: integrations, billing_events, notification_preferences, stripe_customers';

SELECT @extschema@.apply_migrations();

-- Jobs are scheduled if pg_cron is installed, but not while a dump is restored, when apply_migrations() has
-- created no tables: the jobs are in the dump, and a job that exists already would make it fail.
DO $do$
BEGIN
    -- separately, because without the table the next condition cannot be parsed
    IF to_regclass('@extschema@.schema_migrations') IS NULL THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM @extschema@.schema_migrations WHERE version = '20260101000006') THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
        -- CREATE EXTENSION suppresses notices by setting this to warning.
        IF current_setting('client_min_messages') = 'warning' THEN
            PERFORM set_config('client_min_messages', 'notice', true);
            RAISE NOTICE 'openinfo schedules no jobs: pg_cron is not in this database'
                USING HINT = 'Run CREATE EXTENSION pg_cron and then SELECT @extschema@.schedule_jobs(). '
                             'If pg_cron is in another database, see "Jobs" in docs/operations.md.';
            PERFORM set_config('client_min_messages', 'warning', true);
        END IF;
        RETURN;
    END IF;
    PERFORM @extschema@.schedule_jobs();
EXCEPTION WHEN OTHERS THEN
    -- If pg_cron rejects the jobs, the installation completes.
    RAISE WARNING 'openinfo schedules no jobs: %', SQLERRM
        USING HINT = 'Fix the cause and run SELECT @extschema@.schedule_jobs().';
END
$do$;
