\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.2.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- From 0.3.0 back to 0.2.0: raises an error if rows would be lost, unless openinfo.allow_data_loss is on.

SELECT @extschema@.drop_table_if_empty('@extschema@.saved_searches'::regclass, 'true'::text);
SELECT @extschema@.drop_table_if_empty('@extschema@.queries'::regclass, 'true'::text);
SELECT @extschema@.execute_as_owner(
    'DELETE FROM @extschema@.schema_migrations WHERE version = ''20260101000003''');

DROP FUNCTION @extschema@.migration_20260101000003_query_system();
DROP FUNCTION @extschema@.increment_query_leads(uuid, int);
DROP FUNCTION @extschema@.update_query_run_time(uuid);
DROP FUNCTION @extschema@.get_active_queries_for_processing(int);
DROP FUNCTION @extschema@.set_next_run_at();
DROP FUNCTION @extschema@.set_query_name();
DROP FUNCTION @extschema@.reset_weekly_lead_counts();
DROP FUNCTION @extschema@.generate_query_name(text, jsonb);
DROP FUNCTION @extschema@.limit_saved_searches();
DROP FUNCTION @extschema@.limit_active_queries();
DROP FUNCTION @extschema@.check_query_limit(uuid);

DROP TYPE @extschema@.query_status;
