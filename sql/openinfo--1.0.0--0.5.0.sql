\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.5.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- From 1.0.0 back to 0.5.0: raises an error if rows would be lost, unless openinfo.allow_data_loss is on.

SELECT @extschema@.unschedule_jobs();

DROP TRIGGER zz_create_preferences ON @extschema@.users;

SELECT @extschema@.drop_table_if_empty('@extschema@.stripe_customers'::regclass, 'true'::text);
-- The next upgrade creates default preferences again, but not values of columns that users have added.
SELECT @extschema@.drop_table_if_empty('@extschema@.notification_preferences'::regclass,
    $$NOT (email_new_leads AND email_daily_digest AND email_weekly_report AND NOT email_query_completed
           AND email_credit_low AND email_billing_updates AND inapp_new_leads AND inapp_mentions
           AND inapp_system_updates AND NOT slack_new_leads AND NOT slack_daily_digest)
      OR jsonb_strip_nulls(to_jsonb(notification_preferences) - ARRAY['id', 'created_at', 'updated_at',
         'created_by', 'workspace_id', 'user_id', 'email_new_leads', 'email_daily_digest',
         'email_weekly_report', 'email_query_completed', 'email_credit_low', 'email_billing_updates',
         'inapp_new_leads', 'inapp_mentions', 'inapp_system_updates', 'slack_new_leads',
         'slack_daily_digest']) <> '{}'$$::text);
SELECT @extschema@.drop_table_if_empty('@extschema@.billing_events'::regclass, 'true'::text);
SELECT @extschema@.drop_table_if_empty('@extschema@.integration_events'::regclass, 'true'::text);
SELECT @extschema@.drop_table_if_empty('@extschema@.sealed_secrets'::regclass, 'true'::text);
SELECT @extschema@.drop_table_if_empty('@extschema@.integrations'::regclass, 'true'::text);
SELECT @extschema@.execute_as_owner(
    'DELETE FROM @extschema@.schema_migrations WHERE version = ''20260101000006''');

DROP FUNCTION @extschema@.migration_20260101000006_integrations_billing();
DROP FUNCTION @extschema@.get_billing_summary(uuid);
DROP FUNCTION @extschema@.record_billing_event(
    uuid, @extschema@.billing_event_type, text, timestamptz, bigint, jsonb, bigint);
DROP FUNCTION @extschema@.update_workspace_plan(uuid, text, text);
DROP FUNCTION @extschema@.has_active_subscription(uuid);
DROP FUNCTION @extschema@.reset_integration_errors();
DROP FUNCTION @extschema@.record_integration_error(uuid, text);
DROP FUNCTION @extschema@.send_integration_event(uuid, @extschema@.integration_type, jsonb);
DROP FUNCTION @extschema@.get_integration_config(uuid);
DROP FUNCTION @extschema@.security_checklist();
DROP FUNCTION @extschema@.checklist_triggers();
DROP FUNCTION @extschema@.checklist_schema_creators();
DROP FUNCTION @extschema@.checklist_owner();
DROP FUNCTION @extschema@.checklist_logins();
DROP FUNCTION @extschema@.checklist_settings();
DROP FUNCTION @extschema@.checklist_create_in_schema();
DROP FUNCTION @extschema@.checklist_truncate();
DROP FUNCTION @extschema@.checklist_authenticated();
DROP FUNCTION @extschema@.checklist_anon();
DROP FUNCTION @extschema@.checklist_public();
DROP FUNCTION @extschema@.checklist_workspace_index();
DROP FUNCTION @extschema@.checklist_foreign_keys();
DROP FUNCTION @extschema@.checklist_workspace_cascade();
DROP FUNCTION @extschema@.checklist_email_check();
DROP FUNCTION @extschema@.checklist_visible_fields();
DROP FUNCTION @extschema@.checklist_sealed_data();
DROP FUNCTION @extschema@.checklist_search_path();
DROP FUNCTION @extschema@.checklist_service_functions();
DROP FUNCTION @extschema@.checklist_roles();
DROP FUNCTION @extschema@.checklist_views();
DROP FUNCTION @extschema@.checklist_policies();
DROP FUNCTION @extschema@.checklist_rls_forced();
DROP FUNCTION @extschema@.checklist_rls_enabled();
DROP FUNCTION @extschema@.checked_logins();
DROP FUNCTION @extschema@.checked_schemas();
DROP FUNCTION @extschema@.checked_foreign_keys();
DROP FUNCTION @extschema@.checked_policies();
DROP FUNCTION @extschema@.checked_view_tables();
DROP FUNCTION @extschema@.checked_views();
DROP FUNCTION @extschema@.checked_definers();
DROP FUNCTION @extschema@.checked_functions();
DROP FUNCTION @extschema@.checked_columns();
DROP FUNCTION @extschema@.checked_roles();
DROP FUNCTION @extschema@.checked_tables();
DROP VIEW @extschema@.openinfo_metrics;
DROP FUNCTION @extschema@.tenant_metrics();
DROP VIEW @extschema@.openinfo_jobs;
DROP FUNCTION @extschema@.job_status();
DROP FUNCTION @extschema@.unschedule_jobs();
DROP FUNCTION @extschema@.schedule_jobs();
DROP EVENT TRIGGER openinfo_revoke_default_privileges;
DROP FUNCTION @extschema@.revoke_default_privileges();
DROP FUNCTION @extschema@.api_privileges();
DROP FUNCTION @extschema@.api_privileges_20260101000006();
DROP EVENT TRIGGER openinfo_guard;
DROP FUNCTION @extschema@.guard_against_drop();
DROP FUNCTION @extschema@.create_preferences();
DROP FUNCTION @extschema@.store_sealed_secrets();
DROP FUNCTION @extschema@.seal_secrets();

DROP TYPE @extschema@.billing_event_type;
DROP TYPE @extschema@.integration_status;
DROP TYPE @extschema@.integration_type;
