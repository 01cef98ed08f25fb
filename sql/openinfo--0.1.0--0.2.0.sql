\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.2.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;

-- openinfo 0.2.0: topics, which all workspaces share, and their weekly trends.

-- ---------------------------------------------------------------------------------------------------------------
-- Types
-- ---------------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.topic_category AS ENUM ('technology', 'marketing', 'sales', 'finance', 'operations', 'hr', 'legal', 'product', 'other');
COMMENT ON TYPE @extschema@.topic_category IS 'What a topic is about';

CREATE TYPE @extschema@.trend_direction AS ENUM ('up', 'down', 'stable');
COMMENT ON TYPE @extschema@.trend_direction IS 'Up above 10 % in a week, down below -10 %, stable between';

-- ---------------------------------------------------------------------------------------------------------------
-- Stamps (src/stamps.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.set_week_end() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_week_end';
REVOKE ALL ON FUNCTION @extschema@.set_week_end() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_week_end() IS 'Trigger: a week ends six days after it starts';

-- ---------------------------------------------------------------------------------------------------------------
-- Migration
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.migration_20260101000002_global_topics() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- global_topics ------------------------------------------------------------------------------------------------
    -- created_by has no foreign key: a global table does not point into a workspace.
    CREATE TABLE @extschema@.global_topics (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        topic           text NOT NULL UNIQUE,
        category        @extschema@.topic_category NOT NULL DEFAULT 'other',
        topic_tsv       tsvector GENERATED ALWAYS AS (to_tsvector('pg_catalog.english'::regconfig, topic)) STORED,
        current_volume  int NOT NULL DEFAULT 0,
        trend_direction @extschema@.trend_direction NOT NULL DEFAULT 'stable',
        change_percent  numeric(16, 2) NOT NULL DEFAULT 0,
        CONSTRAINT global_topics_topic_not_blank CHECK (btrim(topic) <> ''),
        CONSTRAINT global_topics_current_volume_not_negative CHECK (current_volume >= 0)
    );
    CREATE INDEX idx_global_topics_topic_tsv ON @extschema@.global_topics USING gin (topic_tsv);
    PERFORM @extschema@.protect_table('@extschema@.global_topics'::regclass);
    GRANT SELECT ON TABLE @extschema@.global_topics TO authenticated;
    CREATE POLICY read_all ON @extschema@.global_topics FOR SELECT TO authenticated USING (true);
    PERFORM @extschema@.describe_table('@extschema@.global_topics'::regclass, 'Topics that companies show interest in; shared by all workspaces'::text, ARRAY[
        ['topic', 'The topic as it is shown'],
        ['category', 'What it is about'],
        ['topic_tsv', 'The topic''s words, stemmed; kept by the database'],
        ['current_volume', 'Signals counted this week'],
        ['trend_direction', 'Where the volume is going; written by update_topic_trends()'],
        ['change_percent', 'Change against the latest earlier week, in percent; written by update_topic_trends()'],
        ['global_topics_topic_key', 'A topic is listed once'],
        ['idx_global_topics_topic_tsv', 'Full-text search'],
        ['global_topics_topic_not_blank', 'A topic has a name'],
        ['global_topics_current_volume_not_negative', 'A volume is a count'],
        ['read_all', 'Every member sees all topics']]);

    -- trends ---------------------------------------------------------------------------------------------------------
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
    PERFORM @extschema@.protect_table('@extschema@.trends'::regclass);
    GRANT SELECT ON TABLE @extschema@.trends TO authenticated;
    CREATE POLICY read_all ON @extschema@.trends FOR SELECT TO authenticated USING (true);
    CREATE TRIGGER stamp_week_end BEFORE INSERT ON @extschema@.trends FOR EACH ROW
        WHEN (NEW.week_end IS NULL) EXECUTE FUNCTION @extschema@.set_week_end();
    PERFORM @extschema@.describe_table('@extschema@.trends'::regclass, 'Volume of each topic, week by week'::text, ARRAY[
        ['topic_id', 'The topic'],
        ['week_start', 'First day of the week: Monday, UTC'],
        ['week_end', 'Last day of the week; six days after the first when left out'],
        ['volume', 'Signals counted in that week'],
        ['change_percent', 'Change against the latest earlier week; NULL when there is none or its volume was 0'],
        ['rank_overall', 'Place among all topics of the week, by volume'],
        ['rank_category', 'Place within the topic''s category'],
        ['trends_topic_id_week_start_key', 'A topic has one row a week'],
        ['trends_topic_id_fkey', 'Goes with its topic'],
        ['trends_week_end_after_start', 'A week has a length'],
        ['trends_volume_not_negative', 'A volume is a count'],
        ['trends_ranks_positive', 'The first place is 1'],
        ['stamp_week_end', 'Fills week_end when it is left out'],
        ['read_all', 'Every member sees all trends']]);
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000002_global_topics() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000002_global_topics() IS 'Migration 2: global_topics, trends';

SELECT @extschema@.apply_migrations();
