\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.3.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- openinfo 0.3.0: queries, saved searches and the limits of plans.

-- -----------------------------------------------------------------------------------------------------------
-- Types
-- -----------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.query_status AS ENUM ('active', 'paused', 'completed');
COMMENT ON TYPE @extschema@.query_status IS 'State of a query; only active queries run';

-- -----------------------------------------------------------------------------------------------------------
-- Plan limits (src/workspaces/plan_limits.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.check_query_limit(
        user_workspace_id uuid DEFAULT @extschema@.get_user_workspace_id()) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_check_query_limit';
REVOKE ALL ON FUNCTION @extschema@.check_query_limit(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.check_query_limit(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.check_query_limit(uuid) IS
    'Whether the plan of the workspace allows one more active query';

CREATE FUNCTION @extschema@.limit_active_queries() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_limit_active_queries';
REVOKE ALL ON FUNCTION @extschema@.limit_active_queries() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.limit_active_queries() IS
    'Trigger: enforces the plan limit for active queries';

CREATE FUNCTION @extschema@.limit_saved_searches() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_limit_saved_searches';
REVOKE ALL ON FUNCTION @extschema@.limit_saved_searches() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.limit_saved_searches() IS
    'Trigger: enforces the plan limit for saved searches';

-- -----------------------------------------------------------------------------------------------------------
-- Queries (src/queries/queries.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.generate_query_name(topic_name text, query_filters jsonb) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_generate_query_name';
REVOKE ALL ON FUNCTION @extschema@.generate_query_name(text, jsonb)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.generate_query_name(text, jsonb)
    TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.generate_query_name(text, jsonb) IS
    'Name of a query, generated from its topic and filters';

CREATE FUNCTION @extschema@.reset_weekly_lead_counts() RETURNS bigint
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_reset_weekly_lead_counts';
REVOKE ALL ON FUNCTION @extschema@.reset_weekly_lead_counts() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.reset_weekly_lead_counts() TO service_role;
COMMENT ON FUNCTION @extschema@.reset_weekly_lead_counts() IS
    'Job: sets leads_this_week to zero, except in locked rows; returns the number of rows';

CREATE FUNCTION @extschema@.set_query_name() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_query_name';
REVOKE ALL ON FUNCTION @extschema@.set_query_name() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_query_name() IS 'Trigger: generates the name of a query where it is NULL';

CREATE FUNCTION @extschema@.set_next_run_at() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_next_run_at';
REVOKE ALL ON FUNCTION @extschema@.set_next_run_at() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_next_run_at() IS
    'Trigger: members cannot let a query run more often than once in 24 hours';

-- -----------------------------------------------------------------------------------------------------------
-- Work queue of queries (src/queries/work_queue.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_active_queries_for_processing(batch_size int DEFAULT 100)
    RETURNS TABLE (id uuid, workspace_id uuid, topic_id uuid, filters jsonb, topic text)
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_get_active_queries_for_processing';
REVOKE ALL ON FUNCTION @extschema@.get_active_queries_for_processing(int)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_active_queries_for_processing(int) TO service_role;
COMMENT ON FUNCTION @extschema@.get_active_queries_for_processing(int) IS
    'Claims due queries for fifteen minutes, longest due first, taking turns between workspaces';

CREATE FUNCTION @extschema@.update_query_run_time(query_id uuid) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_update_query_run_time';
REVOKE ALL ON FUNCTION @extschema@.update_query_run_time(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.update_query_run_time(uuid) TO service_role;
COMMENT ON FUNCTION @extschema@.update_query_run_time(uuid) IS
    'Reports that a query has run: sets last_run_at, next_run_at to 24 hours later, and ends the claim';

CREATE FUNCTION @extschema@.increment_query_leads(query_id uuid, lead_count int) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_increment_query_leads';
REVOKE ALL ON FUNCTION @extschema@.increment_query_leads(uuid, int)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.increment_query_leads(uuid, int) TO service_role;
COMMENT ON FUNCTION @extschema@.increment_query_leads(uuid, int) IS 'Adds to the lead counters of a query';

-- -----------------------------------------------------------------------------------------------------------
-- Migration
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.migration_20260101000003_query_system() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- queries -----------------------------------------------------------------------------------------------
    -- The fillfactor leaves space in each page, because counters and claims are updated often.
    CREATE TABLE @extschema@.queries (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
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
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
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
    GRANT SELECT, INSERT (topic_id, name, filters, status, next_run_at),
          UPDATE (name, filters, status, next_run_at), DELETE
        ON TABLE @extschema@.queries TO authenticated;
    CREATE TRIGGER set_name BEFORE INSERT OR UPDATE ON @extschema@.queries FOR EACH ROW
        WHEN (NEW.name IS NULL) EXECUTE FUNCTION @extschema@.set_query_name();
    CREATE TRIGGER set_next_run_at BEFORE INSERT OR UPDATE ON @extschema@.queries FOR EACH ROW
        WHEN (NEW.next_run_at IS NULL
              OR NEW.next_run_at < greatest(now(), NEW.last_run_at + interval '24 hours'))
        EXECUTE FUNCTION @extschema@.set_next_run_at();
    -- By their names these fire before the triggers of the foreign keys, RI_..., so that the workspace is
    -- locked before its users, as in all functions.
    CREATE TRIGGER "0_limit_insert" AFTER INSERT ON @extschema@.queries FOR EACH ROW
        WHEN (NEW.status = 'active') EXECUTE FUNCTION @extschema@.limit_active_queries();
    CREATE TRIGGER "0_limit_update" AFTER UPDATE ON @extschema@.queries FOR EACH ROW
        WHEN (NEW.status = 'active' AND (OLD.status <> 'active' OR NEW.workspace_id <> OLD.workspace_id))
        EXECUTE FUNCTION @extschema@.limit_active_queries();
    CREATE POLICY own_workspace ON @extschema@.queries FOR ALL TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.queries'::regclass,
        'Recurring searches of a workspace for leads: a topic and filters'::text, ARRAY[
        ['topic_id', 'Topic of the query'],
        ['name', 'Display name; generated from topic and filters if omitted'],
        ['filters', 'Object: the filters for companies'],
        ['status', 'Only active queries run, and only they count against the plan limit'],
        ['last_run_at', 'When the query last ran'],
        ['next_run_at', 'When the query is due; NULL means at once. Members can only postpone it'],
        ['lease_until', 'End of the claim of a worker; see get_active_queries_for_processing()'],
        ['total_leads_generated', 'Leads found in total'],
        ['leads_this_week', 'Leads found since Monday, UTC'],
        ['queries_topic_id_fkey', 'A topic with queries cannot be deleted'],
        ['idx_queries_topic_id', 'Supports the foreign key to global_topics'],
        ['idx_queries_active', 'Supports the plan limit'],
        ['set_name', 'Generates a name if none is given'],
        ['set_next_run_at', 'Members cannot let a query run more often than once in 24 hours'],
        ['0_limit_insert', 'Enforces the plan limit for active queries'],
        ['0_limit_update', 'Enforces the plan limit for active queries'],
        ['idx_queries_next_run_at', 'Due queries'],
        ['idx_queries_filters', 'Supports containment (@>) where row-level security does not apply'],
        ['queries_name_not_blank', 'The name is not blank'],
        ['queries_filters_object', 'An object, not an array or a scalar'],
        ['queries_counters_not_negative', 'Not negative'],
        ['own_workspace', 'Members read and write the queries of their active workspace']]);

    -- saved_searches ----------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.saved_searches (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        name            text NOT NULL,
        filters         jsonb NOT NULL DEFAULT '{}',
        last_used_at    timestamptz,
        use_count       int NOT NULL DEFAULT 0,
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        CONSTRAINT saved_searches_name_not_blank CHECK (NOT @extschema@.is_blank(name)),
        CONSTRAINT saved_searches_filters_object CHECK (jsonb_typeof(filters) = 'object'),
        CONSTRAINT saved_searches_use_count_not_negative CHECK (use_count >= 0)
    );
    CREATE INDEX idx_saved_searches_workspace_id
        ON @extschema@.saved_searches (workspace_id, created_at DESC);
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
    PERFORM @extschema@.comment_on_table('@extschema@.saved_searches'::regclass, 'Named filters'::text, ARRAY[
        ['name', 'Display name'],
        ['filters', 'Object: the filters'],
        ['last_used_at', 'When the search was last used'],
        ['use_count', 'How often the search was used'],
        ['idx_saved_searches_filters', 'Supports containment (@>) where row-level security does not apply'],
        ['0_limit_insert', 'Enforces the plan limit for saved searches'],
        ['0_limit_update', 'Enforces the plan limit for saved searches that are moved to another workspace'],
        ['saved_searches_name_not_blank', 'The name is not blank'],
        ['saved_searches_filters_object', 'An object, not an array or a scalar'],
        ['saved_searches_use_count_not_negative', 'Not negative'],
        ['own_workspace', 'Members read and write the saved searches of their active workspace']]);
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000003_query_system()
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000003_query_system() IS
    'Migration 3: queries, saved_searches';

SELECT @extschema@.apply_migrations();
