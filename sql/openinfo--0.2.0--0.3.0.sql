\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.3.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- openinfo 0.3.0: queries, saved searches, and what a plan allows.

-- ---------------------------------------------------------------------------------------------------------------
-- Types
-- ---------------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.query_status AS ENUM ('active', 'paused', 'completed');
COMMENT ON TYPE @extschema@.query_status IS 'Only active queries run';

-- ---------------------------------------------------------------------------------------------------------------
-- Limits of the plan (src/workspaces/plan_limits.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.check_query_limit(user_workspace_id uuid DEFAULT @extschema@.get_user_workspace_id()) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_check_query_limit';
REVOKE ALL ON FUNCTION @extschema@.check_query_limit(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.check_query_limit(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.check_query_limit(uuid) IS 'May one more query of the workspace become active?';

CREATE FUNCTION @extschema@.limit_active_queries() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_limit_active_queries';
REVOKE ALL ON FUNCTION @extschema@.limit_active_queries() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.limit_active_queries() IS 'Trigger: no more active queries than the plan allows';

CREATE FUNCTION @extschema@.limit_saved_searches() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_limit_saved_searches';
REVOKE ALL ON FUNCTION @extschema@.limit_saved_searches() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.limit_saved_searches() IS 'Trigger: no more saved searches than the plan allows';

-- ---------------------------------------------------------------------------------------------------------------
-- Queries: their names, and their week (src/queries/queries.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.generate_query_name(topic_name text, query_filters jsonb) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_generate_query_name';
REVOKE ALL ON FUNCTION @extschema@.generate_query_name(text, jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.generate_query_name(text, jsonb) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.generate_query_name(text, jsonb) IS 'The name that a query gets from its topic and filters when it is given none';

CREATE FUNCTION @extschema@.reset_weekly_lead_counts() RETURNS bigint
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_reset_weekly_lead_counts';
REVOKE ALL ON FUNCTION @extschema@.reset_weekly_lead_counts() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.reset_weekly_lead_counts() TO service_role;
COMMENT ON FUNCTION @extschema@.reset_weekly_lead_counts() IS 'Job: sets leads_this_week to zero in rows that nobody is writing; returns the number of rows';

CREATE FUNCTION @extschema@.set_query_name() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_query_name';
REVOKE ALL ON FUNCTION @extschema@.set_query_name() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_query_name() IS 'Trigger: names a query that was given no name';

CREATE FUNCTION @extschema@.set_next_run_at() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_next_run_at';
REVOKE ALL ON FUNCTION @extschema@.set_next_run_at() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_next_run_at() IS 'Trigger: members cannot have a query run more often than once in 24 hours';

-- ---------------------------------------------------------------------------------------------------------------
-- Work queue: what workers do with queries (src/queries/work_queue.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_active_queries_for_processing(batch_size int DEFAULT 100) RETURNS TABLE (id uuid, workspace_id uuid, topic_id uuid, filters jsonb, topic text)
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_get_active_queries_for_processing';
REVOKE ALL ON FUNCTION @extschema@.get_active_queries_for_processing(int) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_active_queries_for_processing(int) TO service_role;
COMMENT ON FUNCTION @extschema@.get_active_queries_for_processing(int) IS 'Claims due queries for fifteen minutes, in turns by workspace, the longest due first';

CREATE FUNCTION @extschema@.update_query_run_time(query_id uuid) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_update_query_run_time';
REVOKE ALL ON FUNCTION @extschema@.update_query_run_time(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.update_query_run_time(uuid) TO service_role;
COMMENT ON FUNCTION @extschema@.update_query_run_time(uuid) IS 'Reports that a query has run: last run now, next in 24 hours, no longer claimed';

CREATE FUNCTION @extschema@.increment_query_leads(query_id uuid, lead_count int) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_increment_query_leads';
REVOKE ALL ON FUNCTION @extschema@.increment_query_leads(uuid, int) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.increment_query_leads(uuid, int) TO service_role;
COMMENT ON FUNCTION @extschema@.increment_query_leads(uuid, int) IS 'Adds to the counters of a query';

-- ---------------------------------------------------------------------------------------------------------------
-- Migration
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.migration_20260101000003_query_system() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- queries -------------------------------------------------------------------------------------------------
    -- Counters and claims are written often, and next_run_at is indexed only while the query is active.
    CREATE TABLE @extschema@.queries (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        topic_id        uuid NOT NULL REFERENCES @extschema@.global_topics (id) ON DELETE RESTRICT,
        name            text NOT NULL,
        filters         jsonb NOT NULL DEFAULT '{}',
        status          @extschema@.query_status NOT NULL DEFAULT 'active',
        last_run_at     timestamptz,
        next_run_at     timestamptz DEFAULT now(),
        lease_until     timestamptz,
        total_leads_generated int NOT NULL DEFAULT 0,
        leads_this_week int NOT NULL DEFAULT 0,
        UNIQUE (id, workspace_id),
        FOREIGN KEY (created_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        CONSTRAINT queries_name_not_blank CHECK (NOT @extschema@.is_blank(name)),
        CONSTRAINT queries_filters_object CHECK (jsonb_typeof(filters) = 'object'),
        CONSTRAINT queries_counters_not_negative CHECK (total_leads_generated >= 0 AND leads_this_week >= 0)
    ) WITH (fillfactor = 80);
    CREATE INDEX idx_queries_workspace_id ON @extschema@.queries (workspace_id, created_at DESC);
    CREATE INDEX idx_queries_created_by ON @extschema@.queries (created_by, workspace_id);
    CREATE INDEX idx_queries_topic_id ON @extschema@.queries (topic_id);
    CREATE INDEX idx_queries_active ON @extschema@.queries (workspace_id, id) WHERE status = 'active';
    CREATE INDEX idx_queries_next_run_at ON @extschema@.queries (next_run_at) WHERE status = 'active';
    CREATE INDEX idx_queries_filters ON @extschema@.queries USING gin (filters jsonb_path_ops);
    PERFORM @extschema@.secure_table('@extschema@.queries'::regclass);
    GRANT SELECT, INSERT (topic_id, name, filters, status, next_run_at), UPDATE (name, filters, status, next_run_at), DELETE
        ON TABLE @extschema@.queries TO authenticated;
    CREATE TRIGGER set_name BEFORE INSERT OR UPDATE ON @extschema@.queries FOR EACH ROW
        WHEN (NEW.name IS NULL) EXECUTE FUNCTION @extschema@.set_query_name();
    CREATE TRIGGER set_next_run_at BEFORE INSERT OR UPDATE ON @extschema@.queries FOR EACH ROW
        WHEN (NEW.next_run_at IS NULL OR NEW.next_run_at < greatest(now(), NEW.last_run_at + interval '24 hours'))
        EXECUTE FUNCTION @extschema@.set_next_run_at();
    -- The names put them before the triggers of the foreign keys, RI_...: the workspace is locked before its users are,
    -- as everywhere.
    CREATE TRIGGER "0_limit_insert" AFTER INSERT ON @extschema@.queries FOR EACH ROW
        WHEN (NEW.status = 'active') EXECUTE FUNCTION @extschema@.limit_active_queries();
    CREATE TRIGGER "0_limit_update" AFTER UPDATE ON @extschema@.queries FOR EACH ROW
        WHEN (NEW.status = 'active' AND (OLD.status <> 'active' OR NEW.workspace_id <> OLD.workspace_id))
        EXECUTE FUNCTION @extschema@.limit_active_queries();
    CREATE POLICY own_workspace ON @extschema@.queries FOR ALL TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.queries'::regclass, 'Questions that a workspace keeps asking: a topic and filters; each run finds leads'::text, ARRAY[
        ['topic_id', 'The topic asked about'],
        ['name', 'Name to show; made from topic and filters when left out'],
        ['filters', 'Object: which companies are wanted'],
        ['status', 'Only active queries run, and only they count against the plan'],
        ['last_run_at', 'When it last ran'],
        ['next_run_at', 'When the query is due; NULL means at once. Members can only postpone it'],
        ['lease_until', 'Claimed by a worker until then; see get_active_queries_for_processing()'],
        ['total_leads_generated', 'Leads found since the beginning'],
        ['leads_this_week', 'Leads found since Monday, UTC'],
        ['queries_topic_id_fkey', 'A topic that is asked about cannot be deleted'],
        ['idx_queries_topic_id', 'Serves the foreign key to global_topics'],
        ['idx_queries_active', 'What the limit of the plan counts'],
        ['set_name', 'Names a query that was given no name'],
        ['set_next_run_at', 'Members cannot have a query run more often than once in 24 hours'],
        ['0_limit_insert', 'Refuses one active query too many'],
        ['0_limit_update', 'Refuses one active query too many'],
        ['idx_queries_next_run_at', 'Queries that are due'],
        ['idx_queries_filters', 'Serves containment (@>) without row-level security'],
        ['queries_name_not_blank', 'A query has a name'],
        ['queries_filters_object', 'An object, not an array or a scalar'],
        ['queries_counters_not_negative', 'A counter is never negative'],
        ['own_workspace', 'Members work with the queries of their active workspace']]);

    -- saved_searches ------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.saved_searches (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        name            text NOT NULL,
        filters         jsonb NOT NULL DEFAULT '{}',
        last_used_at    timestamptz,
        use_count       int NOT NULL DEFAULT 0,
        FOREIGN KEY (created_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        CONSTRAINT saved_searches_name_not_blank CHECK (NOT @extschema@.is_blank(name)),
        CONSTRAINT saved_searches_filters_object CHECK (jsonb_typeof(filters) = 'object'),
        CONSTRAINT saved_searches_use_count_not_negative CHECK (use_count >= 0)
    );
    CREATE INDEX idx_saved_searches_workspace_id ON @extschema@.saved_searches (workspace_id, created_at DESC);
    CREATE INDEX idx_saved_searches_created_by ON @extschema@.saved_searches (created_by, workspace_id);
    CREATE INDEX idx_saved_searches_filters ON @extschema@.saved_searches USING gin (filters jsonb_path_ops);
    PERFORM @extschema@.secure_table('@extschema@.saved_searches'::regclass);
    GRANT SELECT, INSERT (name, filters), UPDATE (name, filters, last_used_at, use_count), DELETE
        ON TABLE @extschema@.saved_searches TO authenticated;
    CREATE TRIGGER "0_limit_insert" AFTER INSERT ON @extschema@.saved_searches FOR EACH ROW
        EXECUTE FUNCTION @extschema@.limit_saved_searches();
    CREATE TRIGGER "0_limit_update" AFTER UPDATE ON @extschema@.saved_searches FOR EACH ROW
        WHEN (NEW.workspace_id <> OLD.workspace_id) EXECUTE FUNCTION @extschema@.limit_saved_searches();
    CREATE POLICY own_workspace ON @extschema@.saved_searches FOR ALL TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.saved_searches'::regclass, 'Filters kept under a name'::text, ARRAY[
        ['name', 'Name to show'],
        ['filters', 'Object: the filters'],
        ['last_used_at', 'When it was last used'],
        ['use_count', 'How often it was used'],
        ['idx_saved_searches_filters', 'Serves containment (@>) without row-level security'],
        ['0_limit_insert', 'Refuses one saved search too many'],
        ['0_limit_update', 'Refuses one saved search too many, when it comes from another workspace'],
        ['saved_searches_name_not_blank', 'A saved search has a name'],
        ['saved_searches_filters_object', 'An object, not an array or a scalar'],
        ['saved_searches_use_count_not_negative', 'A counter is never negative'],
        ['own_workspace', 'Members work with the saved searches of their active workspace']]);
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000003_query_system() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000003_query_system() IS 'Migration 3: queries, saved_searches';

SELECT @extschema@.apply_migrations();
