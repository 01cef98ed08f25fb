\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.3.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- From 0.4.0 back to 0.3.0: raises an error if rows would be lost, unless openinfo.allow_data_loss is on.

SELECT @extschema@.drop_table_if_empty('@extschema@.expired_export_files'::regclass, 'true'::text);
SELECT @extschema@.drop_table_if_empty('@extschema@.export_jobs'::regclass, 'true'::text);
SELECT @extschema@.drop_table_if_empty('@extschema@.credit_usage'::regclass, 'true'::text);
DROP FUNCTION IF EXISTS @extschema@.lead_domain(@extschema@.leads);
SELECT @extschema@.drop_table_if_empty('@extschema@.leads'::regclass, 'true'::text);
SELECT @extschema@.execute_as_owner(
    'DELETE FROM @extschema@.schema_migrations WHERE version = ''20260101000004''');

DROP FUNCTION @extschema@.migration_20260101000004_lead_system();
DROP FUNCTION @extschema@.get_workspace_stats(uuid);
DROP FUNCTION @extschema@.cleanup_expired_exports();
DROP FUNCTION @extschema@.update_lead_delivery(uuid, @extschema@.delivery_status, text);
DROP FUNCTION @extschema@.update_lead_enrichment(uuid, @extschema@.enrichment_status, jsonb, text);
DROP FUNCTION @extschema@.get_leads_pending_delivery(int);
DROP FUNCTION @extschema@.get_leads_pending_enrichment(int);
DROP FUNCTION @extschema@.ingest_leads(uuid, jsonb, text);
DROP FUNCTION @extschema@.forbid_ledger_change();
DROP FUNCTION @extschema@.get_credit_balance(uuid);
DROP FUNCTION @extschema@.record_credit_usage(uuid, uuid, @extschema@.credit_action, int, uuid, jsonb, text);
DROP FUNCTION @extschema@.check_credits_available(uuid, int);
DROP FUNCTION @extschema@.queue_file_deletion();
DROP FUNCTION @extschema@.set_expires_at();
DROP FUNCTION @extschema@.lead_domain(jsonb);

DROP TYPE @extschema@.export_status;
DROP TYPE @extschema@.export_format;
DROP TYPE @extschema@.credit_action;
DROP TYPE @extschema@.delivery_status;
DROP TYPE @extschema@.enrichment_status;
