\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.2.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- openinfo 0.2.0: topics, which are shared by all workspaces, and their weekly trends.

-- -----------------------------------------------------------------------------------------------------------
-- Types
-- -----------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.topic_category AS ENUM (
    'technology', 'marketing', 'sales', 'finance', 'operations', 'hr', 'legal', 'product', 'other');
COMMENT ON TYPE @extschema@.topic_category IS 'Category of a topic';

CREATE TYPE @extschema@.trend_direction AS ENUM ('up', 'down', 'stable');
COMMENT ON TYPE @extschema@.trend_direction IS
    'Change of a week: up is more than 10 %, down is less than -10 %';

-- -----------------------------------------------------------------------------------------------------------
-- Audit columns (src/workspaces/audit_columns.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.set_week_end() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_week_end';
REVOKE ALL ON FUNCTION @extschema@.set_week_end() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_week_end() IS
    'Trigger: sets week_end to six days after week_start where it is NULL';

-- -----------------------------------------------------------------------------------------------------------
-- Topics (src/topics/)
-- -----------------------------------------------------------------------------------------------------------

-- Porter's rules of 1980, which do not change between major versions of the server: index entries depend on
-- them.
CREATE TEXT SEARCH DICTIONARY @extschema@.porter_stem (TEMPLATE = pg_catalog.snowball, LANGUAGE = 'porter');
COMMENT ON TEXT SEARCH DICTIONARY @extschema@.porter_stem IS
    'Stems of English words, for the search index of topics';

-- The search index calls it as the role that writes topics, which needs EXECUTE.
CREATE FUNCTION @extschema@.topic_search_keys(p_topic text, p_bucket smallint) RETURNS bytea[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_topic_search_keys';
REVOKE ALL ON FUNCTION @extschema@.topic_search_keys(text, smallint)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.topic_search_keys(text, smallint) TO service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.topic_search_keys(text, smallint) IS
    'The keys of a topic in the search index';

CREATE FUNCTION @extschema@.set_search_bucket() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_search_bucket';
REVOKE ALL ON FUNCTION @extschema@.set_search_bucket() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_search_bucket() IS 'Trigger: keeps the volume bucket of a topic';

-- Support functions of the operator class: only the index calls them.
CREATE FUNCTION @extschema@.topic_keys_extract(bytea[], internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_topic_keys_extract';
REVOKE ALL ON FUNCTION @extschema@.topic_keys_extract(bytea[], internal, internal)
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.topic_keys_extract(bytea[], internal, internal) IS
    'GIN support function 2 of topic_keys_ops';

CREATE FUNCTION @extschema@.topic_keys_scan(
        bytea[], internal, smallint, internal, internal, internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_topic_keys_scan';
REVOKE ALL ON FUNCTION @extschema@.topic_keys_scan(
    bytea[], internal, smallint, internal, internal, internal, internal)
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.topic_keys_scan(
    bytea[], internal, smallint, internal, internal, internal, internal)
    IS 'GIN support function 3 of topic_keys_ops';

CREATE FUNCTION @extschema@.topic_keys_in_range(bytea, bytea, smallint, internal) RETURNS int
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_topic_keys_in_range';
REVOKE ALL ON FUNCTION @extschema@.topic_keys_in_range(bytea, bytea, smallint, internal)
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.topic_keys_in_range(bytea, bytea, smallint, internal) IS
    'GIN support function 5 of topic_keys_ops';

CREATE FUNCTION @extschema@.topic_keys_answer(internal, smallint, bytea[], int, internal, internal, internal)
    RETURNS "char"
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_topic_keys_answer';
REVOKE ALL
    ON FUNCTION @extschema@.topic_keys_answer(internal, smallint, bytea[], int, internal, internal, internal)
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.topic_keys_answer(
    internal, smallint, bytea[], int, internal, internal, internal)
    IS 'GIN support function 6 of topic_keys_ops';

-- No operators: no query is ever planned with this class, only search_topics() uses it.
CREATE OPERATOR CLASS @extschema@.topic_keys_ops FOR TYPE bytea[] USING gin AS
    FUNCTION 1 byteacmp(bytea, bytea),
    FUNCTION 2 @extschema@.topic_keys_extract(bytea[], internal, internal),
    FUNCTION 3 @extschema@.topic_keys_scan(
            bytea[], internal, smallint, internal, internal, internal, internal),
    FUNCTION 5 @extschema@.topic_keys_in_range(bytea, bytea, smallint, internal),
    FUNCTION 6 @extschema@.topic_keys_answer(internal, smallint, bytea[], int, internal, internal, internal),
    STORAGE bytea;
COMMENT ON OPERATOR CLASS @extschema@.topic_keys_ops USING gin IS
    'Words of topics by volume; for search_topics() alone';
COMMENT ON OPERATOR FAMILY @extschema@.topic_keys_ops USING gin IS
    'Words of topics by volume; for search_topics() alone';

CREATE FUNCTION @extschema@.search_topics(search_query text, result_limit int DEFAULT 20)
    RETURNS TABLE (id uuid, topic text, category @extschema@.topic_category, current_volume int,
                   trend_direction @extschema@.trend_direction, relevance real)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'openinfo_search_topics';
REVOKE ALL ON FUNCTION @extschema@.search_topics(text, int) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.search_topics(text, int) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.search_topics(text, int) IS
    'Topics that match an incomplete or misspelled query, best match first';

-- -----------------------------------------------------------------------------------------------------------
-- Trends (src/topics/trends.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_trending_gainers(result_limit int DEFAULT 20)
    RETURNS TABLE (id uuid, topic text, category @extschema@.topic_category, current_volume int,
                   change_percent numeric)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'openinfo_get_trending_gainers';
REVOKE ALL ON FUNCTION @extschema@.get_trending_gainers(int) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_trending_gainers(int) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_trending_gainers(int) IS 'Topics that go up, greatest gain first';

CREATE FUNCTION @extschema@.get_trending_losers(result_limit int DEFAULT 20)
    RETURNS TABLE (id uuid, topic text, category @extschema@.topic_category, current_volume int,
                   change_percent numeric)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'openinfo_get_trending_losers';
REVOKE ALL ON FUNCTION @extschema@.get_trending_losers(int) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_trending_losers(int) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_trending_losers(int) IS 'Topics that go down, greatest loss first';

CREATE FUNCTION @extschema@.update_topic_trends() RETURNS bigint
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_update_topic_trends';
REVOKE ALL ON FUNCTION @extschema@.update_topic_trends() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.update_topic_trends() TO service_role;
COMMENT ON FUNCTION @extschema@.update_topic_trends() IS
    'Weekly job: computes trends of this week and directions of topics; returns the number of topics';

-- -----------------------------------------------------------------------------------------------------------
-- Migration
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.migration_20260101000002_global_topics() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- global_topics -----------------------------------------------------------------------------------------
    -- created_by has no foreign key, because a global table does not refer to rows of a workspace.
    CREATE TABLE @extschema@.global_topics (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        topic           text NOT NULL UNIQUE,
        category        @extschema@.topic_category NOT NULL DEFAULT 'other',
        topic_tsv       tsvector GENERATED ALWAYS AS (
            to_tsvector('pg_catalog.english'::regconfig, topic)) STORED,
        current_volume  int NOT NULL DEFAULT 0,
        trend_direction @extschema@.trend_direction NOT NULL DEFAULT 'stable',
        change_percent  numeric(16, 2) NOT NULL DEFAULT 0,
        search_bucket   smallint NOT NULL DEFAULT 0,
        trend_change    numeric(16, 2) GENERATED ALWAYS AS (
            CASE WHEN trend_direction <> 'stable' THEN change_percent END) STORED,
        CONSTRAINT global_topics_topic_not_blank CHECK (NOT @extschema@.is_blank(topic)),
        CONSTRAINT global_topics_current_volume_not_negative CHECK (current_volume >= 0)
    ) WITH (fillfactor = 50);
    -- The volume of every row changes every week.  Only where that changes the bucket or the direction is an
    -- indexed column updated; the other updates are HOT, with the new row versions in the other half of each
    -- page.  Without fastupdate, because a search would have to read the pending list.
    CREATE INDEX idx_global_topics_search ON @extschema@.global_topics
        USING gin (@extschema@.topic_search_keys(topic, search_bucket) @extschema@.topic_keys_ops)
            WITH (fastupdate = off);
    CREATE INDEX idx_global_topics_trend ON @extschema@.global_topics (trend_direction, trend_change)
        WHERE trend_change IS NOT NULL;
    CREATE INDEX idx_global_topics_topic_tsv ON @extschema@.global_topics USING gin (topic_tsv);
    PERFORM @extschema@.secure_table('@extschema@.global_topics'::regclass);
    CREATE TRIGGER set_search_bucket BEFORE INSERT OR UPDATE ON @extschema@.global_topics
        FOR EACH ROW EXECUTE FUNCTION @extschema@.set_search_bucket();
    -- Also for rows that are replicated logically, because the search depends on it.
    ALTER TABLE @extschema@.global_topics ENABLE ALWAYS TRIGGER set_search_bucket;
    GRANT SELECT ON TABLE @extschema@.global_topics TO authenticated;
    CREATE POLICY read_all ON @extschema@.global_topics FOR SELECT TO authenticated USING (true);
    PERFORM @extschema@.comment_on_table('@extschema@.global_topics'::regclass,
        'Topics that companies are interested in; shared by all workspaces'::text, ARRAY[
        ['topic', 'The topic, for display'],
        ['category', 'Category of the topic'],
        ['topic_tsv', 'Stemmed words of the topic; generated'],
        ['current_volume', 'Number of signals this week'],
        ['trend_direction', 'Direction of the volume; set by update_topic_trends()'],
        ['change_percent', 'Change from the latest earlier week in percent; set by update_topic_trends()'],
        ['search_bucket', 'Volume rounded to half an octave; set by a trigger, for the search'],
        ['trend_change', 'change_percent of topics that go up or down; generated'],
        ['idx_global_topics_search',
         'Search: words, prefixes and stems by volume; also the words that typos are corrected to'],
        ['set_search_bucket', 'Sets search_bucket'],
        ['idx_global_topics_trend', 'Supports get_trending_gainers() and get_trending_losers()'],
        ['global_topics_topic_key', 'A topic is unique'],
        ['idx_global_topics_topic_tsv', 'Full-text search'],
        ['global_topics_topic_not_blank', 'The topic is not blank'],
        ['global_topics_current_volume_not_negative', 'Not negative'],
        ['read_all', 'Members see all topics']]);

    -- trends ------------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.trends (
        id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at     timestamptz NOT NULL DEFAULT now(),
        updated_at     timestamptz NOT NULL DEFAULT now(),
        created_by     uuid,
        topic_id       uuid NOT NULL REFERENCES @extschema@.global_topics (id) ON DELETE CASCADE,
        week_start     date NOT NULL,
        week_end       date NOT NULL,
        volume         int NOT NULL DEFAULT 0,
        change_percent numeric(16, 2),
        rank_overall   int,
        rank_category  int,
        UNIQUE (topic_id, week_start),
        CONSTRAINT trends_week_end_after_start CHECK (week_end > week_start),
        CONSTRAINT trends_volume_not_negative CHECK (volume >= 0),
        CONSTRAINT trends_ranks_positive CHECK (rank_overall > 0 AND rank_category > 0)
    );
    PERFORM @extschema@.secure_table('@extschema@.trends'::regclass);
    GRANT SELECT ON TABLE @extschema@.trends TO authenticated;
    CREATE POLICY read_all ON @extschema@.trends FOR SELECT TO authenticated USING (true);
    CREATE TRIGGER set_week_end BEFORE INSERT ON @extschema@.trends FOR EACH ROW
        WHEN (NEW.week_end IS NULL) EXECUTE FUNCTION @extschema@.set_week_end();
    PERFORM @extschema@.comment_on_table('@extschema@.trends'::regclass,
        'Volume of each topic by week'::text, ARRAY[
        ['topic_id', 'The topic'],
        ['week_start', 'First day of the week: Monday, UTC'],
        ['week_end', 'Last day of the week; six days after week_start if omitted'],
        ['volume', 'Number of signals in that week'],
        ['change_percent',
         'Change from the latest earlier week in percent; NULL if there is none or its volume was 0'],
        ['rank_overall', 'Rank by volume among all topics of the week'],
        ['rank_category', 'Rank by volume in the category of the topic'],
        ['trends_topic_id_week_start_key', 'A topic has one row per week'],
        ['trends_topic_id_fkey', 'The row is deleted with its topic'],
        ['trends_week_end_after_start', 'A week ends after it starts'],
        ['trends_volume_not_negative', 'Not negative'],
        ['trends_ranks_positive', 'The first place is 1'],
        ['set_week_end', 'Fills week_end when it is left out'],
        ['read_all', 'Every member sees all trends']]);
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000002_global_topics()
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000002_global_topics() IS
    'Migration 2: global_topics, trends';

SELECT @extschema@.apply_migrations();
