\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.3.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;

-- openinfo 0.3.0: queries, saved searches, and what a plan allows.

-- ---------------------------------------------------------------------------------------------------------------
-- Types
-- ---------------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.query_status AS ENUM ('active', 'paused', 'completed');
COMMENT ON TYPE @extschema@.query_status IS 'Only active queries run';

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
        CONSTRAINT queries_name_not_blank CHECK (btrim(name) <> ''),
        CONSTRAINT queries_filters_object CHECK (jsonb_typeof(filters) = 'object'),
        CONSTRAINT queries_counters_not_negative CHECK (total_leads_generated >= 0 AND leads_this_week >= 0)
    ) WITH (fillfactor = 80);
    CREATE INDEX idx_queries_workspace_id ON @extschema@.queries (workspace_id, created_at DESC);
    CREATE INDEX idx_queries_created_by ON @extschema@.queries (created_by, workspace_id);
    CREATE INDEX idx_queries_topic_id ON @extschema@.queries (topic_id);
    CREATE INDEX idx_queries_next_run_at ON @extschema@.queries (next_run_at) WHERE status = 'active';
    CREATE INDEX idx_queries_filters ON @extschema@.queries USING gin (filters jsonb_path_ops);
    PERFORM @extschema@.protect_table('@extschema@.queries');
    GRANT SELECT, INSERT (topic_id, name, filters, status, next_run_at), UPDATE (name, filters, status, next_run_at), DELETE
        ON TABLE @extschema@.queries TO authenticated;
    CREATE POLICY own_workspace ON @extschema@.queries FOR ALL TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.describe_table('@extschema@.queries', 'Questions that a workspace keeps asking: a topic and filters; each run finds leads', ARRAY[
        ['topic_id', 'The topic asked about'],
        ['name', 'Name to show; made from topic and filters when left out'],
        ['filters', 'Object: which companies are wanted'],
        ['status', 'Only active queries run, and only they count against the plan'],
        ['last_run_at', 'When it last ran'],
        ['next_run_at', 'When it is due'],
        ['lease_until', 'Claimed by a worker until then; see get_active_queries_for_processing()'],
        ['total_leads_generated', 'Leads found since the beginning'],
        ['leads_this_week', 'Leads found since Monday, UTC'],
        ['queries_topic_id_fkey', 'A topic that is asked about cannot be deleted'],
        ['idx_queries_topic_id', 'Serves the foreign key to global_topics'],
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
        CONSTRAINT saved_searches_name_not_blank CHECK (btrim(name) <> ''),
        CONSTRAINT saved_searches_filters_object CHECK (jsonb_typeof(filters) = 'object'),
        CONSTRAINT saved_searches_use_count_not_negative CHECK (use_count >= 0)
    );
    CREATE INDEX idx_saved_searches_workspace_id ON @extschema@.saved_searches (workspace_id, created_at DESC);
    CREATE INDEX idx_saved_searches_created_by ON @extschema@.saved_searches (created_by, workspace_id);
    CREATE INDEX idx_saved_searches_filters ON @extschema@.saved_searches USING gin (filters jsonb_path_ops);
    PERFORM @extschema@.protect_table('@extschema@.saved_searches');
    GRANT SELECT, INSERT (name, filters), UPDATE (name, filters, last_used_at, use_count), DELETE
        ON TABLE @extschema@.saved_searches TO authenticated;
    CREATE POLICY own_workspace ON @extschema@.saved_searches FOR ALL TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.describe_table('@extschema@.saved_searches', 'Filters kept under a name', ARRAY[
        ['name', 'Name to show'],
        ['filters', 'Object: the filters'],
        ['last_used_at', 'When it was last used'],
        ['use_count', 'How often it was used'],
        ['idx_saved_searches_filters', 'Serves containment (@>) without row-level security'],
        ['saved_searches_name_not_blank', 'A saved search has a name'],
        ['saved_searches_filters_object', 'An object, not an array or a scalar'],
        ['saved_searches_use_count_not_negative', 'A counter is never negative'],
        ['own_workspace', 'Members work with the saved searches of their active workspace']]);
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000003_query_system() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000003_query_system() IS 'Migration 3: queries, saved_searches';

SELECT @extschema@.apply_migrations();
