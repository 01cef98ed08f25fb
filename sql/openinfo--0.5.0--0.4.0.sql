\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.4.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- From 0.5.0 back to 0.4.0: raises an error if rows would be lost, unless openinfo.allow_data_loss is on.

SELECT @extschema@.drop_table_if_empty('@extschema@.saved_people_searches'::regclass, 'true'::text);
SELECT @extschema@.drop_table_if_empty('@extschema@.sealed_contacts'::regclass, 'true'::text);
DROP FUNCTION IF EXISTS @extschema@.person_name(@extschema@.people_search_results),
    @extschema@.person_company(@extschema@.people_search_results),
    @extschema@.person_seniority(@extschema@.people_search_results);
SELECT @extschema@.drop_table_if_empty('@extschema@.people_search_results'::regclass, 'true'::text);
-- Fields that the next upgrade inserts again are not counted.
SELECT @extschema@.drop_table_if_empty('@extschema@.visible_fields'::regclass,
    '(field, kind) NOT IN (SELECT d.field, d.kind FROM @extschema@.default_visible_fields(object) d)'::text);
SELECT @extschema@.execute_as_owner(
    'DELETE FROM @extschema@.schema_migrations WHERE version = ''20260101000005''');

DROP FUNCTION @extschema@.migration_20260101000005_people_search();
DROP FUNCTION @extschema@.export_people_to_csv(uuid, jsonb);
DROP FUNCTION @extschema@.update_saved_search_usage(uuid);
DROP FUNCTION @extschema@.get_people_search_stats(uuid);
DROP FUNCTION @extschema@.person_exists(uuid, text, text);
DROP FUNCTION @extschema@.count_people(uuid, jsonb);
DROP FUNCTION @extschema@.search_people(uuid, jsonb, int, int, uuid);
DROP FUNCTION @extschema@.reveal_person_email(uuid, uuid);
DROP FUNCTION @extschema@.person_matches(jsonb, jsonb);
DROP FUNCTION @extschema@.person_email(jsonb);
DROP FUNCTION @extschema@.person_seniority(jsonb);
DROP FUNCTION @extschema@.person_company(jsonb);
DROP FUNCTION @extschema@.person_name(jsonb);
DROP FUNCTION @extschema@.store_sealed_contact();
DROP FUNCTION @extschema@.seal_contact();
DROP FUNCTION @extschema@.reseal(text);
DROP FUNCTION @extschema@.is_sealed(text, jsonb);
DROP FUNCTION @extschema@.check_visible_field();
DROP FUNCTION @extschema@.visible_fields_changed();
DROP FUNCTION @extschema@.visible_field_name(text);
DROP FUNCTION @extschema@.default_visible_fields(text);
