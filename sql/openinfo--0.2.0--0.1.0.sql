\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.1.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- From 0.2.0 back to 0.1.0: raises an error if rows would be lost, unless openinfo.allow_data_loss is on.

SELECT @extschema@.drop_table_if_empty('@extschema@.trends'::regclass, 'true'::text);
SELECT @extschema@.drop_table_if_empty('@extschema@.global_topics'::regclass, 'true'::text);
SELECT @extschema@.execute_as_owner(
    'DELETE FROM @extschema@.schema_migrations WHERE version = ''20260101000002''');

DROP FUNCTION @extschema@.migration_20260101000002_global_topics();
DROP FUNCTION @extschema@.set_week_end();

DROP FUNCTION @extschema@.update_topic_trends();
DROP FUNCTION @extschema@.get_trending_losers(int);
DROP FUNCTION @extschema@.get_trending_gainers(int);

DROP FUNCTION @extschema@.search_topics(text, int);
DROP OPERATOR FAMILY @extschema@.topic_keys_ops USING gin;
DROP FUNCTION @extschema@.topic_keys_answer(internal, smallint, bytea[], int, internal, internal, internal);
DROP FUNCTION @extschema@.topic_keys_in_range(bytea, bytea, smallint, internal);
DROP FUNCTION @extschema@.topic_keys_scan(
    bytea[], internal, smallint, internal, internal, internal, internal);
DROP FUNCTION @extschema@.topic_keys_extract(bytea[], internal, internal);
DROP FUNCTION @extschema@.set_search_bucket();
DROP FUNCTION @extschema@.topic_search_keys(text, smallint);
DROP TEXT SEARCH DICTIONARY @extschema@.porter_stem;

DROP TYPE @extschema@.trend_direction;
DROP TYPE @extschema@.topic_category;
