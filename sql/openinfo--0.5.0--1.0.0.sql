\echo Use "ALTER EXTENSION openinfo UPDATE TO '1.0.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;

-- openinfo 1.0.0: integrations, billing, notification preferences.

-- ---------------------------------------------------------------------------------------------------------------
-- Types
-- ---------------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.integration_type AS ENUM ('slack', 'zapier', 'webhook', 'email');
COMMENT ON TYPE @extschema@.integration_type IS 'Kinds of services that events are sent to';

CREATE TYPE @extschema@.integration_status AS ENUM ('active', 'inactive', 'error');
COMMENT ON TYPE @extschema@.integration_status IS 'Whether events are sent';

CREATE TYPE @extschema@.billing_event_type AS ENUM ('subscription_created', 'subscription_updated', 'subscription_cancelled', 'payment_succeeded', 'payment_failed', 'plan_upgraded', 'plan_downgraded');
COMMENT ON TYPE @extschema@.billing_event_type IS 'What happens to a subscription';

-- ---------------------------------------------------------------------------------------------------------------
-- Sealing (src/sealing.c) and preferences (src/members.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.seal_secrets() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_seal_secrets';
REVOKE ALL ON FUNCTION @extschema@.seal_secrets() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.seal_secrets() IS 'Trigger: takes secrets out of config before the row is stored';

CREATE FUNCTION @extschema@.keep_sealed_secrets() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_keep_sealed_secrets';
REVOKE ALL ON FUNCTION @extschema@.keep_sealed_secrets() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.keep_sealed_secrets() IS 'Trigger: puts what was taken out of config into sealed_secrets';

CREATE FUNCTION @extschema@.make_preferences() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_make_preferences';
REVOKE ALL ON FUNCTION @extschema@.make_preferences() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.make_preferences() IS 'Trigger: makes the notification preferences of a new member';

-- ---------------------------------------------------------------------------------------------------------------
-- Integrations (src/integrations.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_integration_config(p_integration_id uuid) RETURNS jsonb
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_get_integration_config';
REVOKE ALL ON FUNCTION @extschema@.get_integration_config(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_integration_config(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_integration_config(uuid) IS 'The config of an integration: whole for owners and admins, with [REDACTED] for members';

CREATE FUNCTION @extschema@.send_integration_event(p_workspace_id uuid, p_integration_type @extschema@.integration_type, p_event_data jsonb) RETURNS boolean
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_send_integration_event';
REVOKE ALL ON FUNCTION @extschema@.send_integration_event(uuid, @extschema@.integration_type, jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.send_integration_event(uuid, @extschema@.integration_type, jsonb) TO service_role;
COMMENT ON FUNCTION @extschema@.send_integration_event(uuid, @extschema@.integration_type, jsonb) IS 'Puts an event into integration_events for the active integration of that type; false when none is';

CREATE FUNCTION @extschema@.record_integration_error(p_integration_id uuid, p_error_message text) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_record_integration_error';
REVOKE ALL ON FUNCTION @extschema@.record_integration_error(uuid, text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.record_integration_error(uuid, text) TO service_role;
COMMENT ON FUNCTION @extschema@.record_integration_error(uuid, text) IS 'Counts an error of an integration; the fifth in a row sets its status to error';

CREATE FUNCTION @extschema@.clear_integration_errors() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_clear_integration_errors';
REVOKE ALL ON FUNCTION @extschema@.clear_integration_errors() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.clear_integration_errors() IS 'Trigger: an event that was sent ends the row of errors';

-- ---------------------------------------------------------------------------------------------------------------
-- Billing (src/billing.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.has_active_subscription(p_workspace_id uuid DEFAULT @extschema@.get_user_workspace_id()) RETURNS boolean
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_has_active_subscription';
REVOKE ALL ON FUNCTION @extschema@.has_active_subscription(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.has_active_subscription(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.has_active_subscription(uuid) IS 'Is the subscription of a workspace active or trialing?';

CREATE FUNCTION @extschema@.update_workspace_plan(p_workspace_id uuid, p_new_plan text, p_stripe_subscription_id text DEFAULT NULL) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_update_workspace_plan';
REVOKE ALL ON FUNCTION @extschema@.update_workspace_plan(uuid, text, text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.update_workspace_plan(uuid, text, text) TO service_role;
COMMENT ON FUNCTION @extschema@.update_workspace_plan(uuid, text, text) IS 'Puts every member of a workspace on a plan, and records the change';

CREATE FUNCTION @extschema@.record_billing_event(
    p_workspace_id uuid, p_event_type @extschema@.billing_event_type, p_stripe_event_id text, p_event_at timestamptz,
    p_amount_cents bigint DEFAULT NULL, p_metadata jsonb DEFAULT '{}') RETURNS boolean
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_record_billing_event';
REVOKE ALL ON FUNCTION @extschema@.record_billing_event(uuid, @extschema@.billing_event_type, text, timestamptz, bigint, jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.record_billing_event(uuid, @extschema@.billing_event_type, text, timestamptz, bigint, jsonb) TO service_role;
COMMENT ON FUNCTION @extschema@.record_billing_event(uuid, @extschema@.billing_event_type, text, timestamptz, bigint, jsonb) IS 'Records an event of Stripe once, and reflects it in stripe_customers unless a newer one is; false when it was seen before';

CREATE FUNCTION @extschema@.get_billing_summary(p_workspace_id uuid DEFAULT @extschema@.get_user_workspace_id()) RETURNS jsonb
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_get_billing_summary';
REVOKE ALL ON FUNCTION @extschema@.get_billing_summary(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_billing_summary(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_billing_summary(uuid) IS 'current_plan, subscription_status, current_period_end, total_events, last_payment';

-- ---------------------------------------------------------------------------------------------------------------
-- Jobs (src/jobs.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.schedule_jobs() RETURNS SETOF text
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_schedule_jobs' ROWS 4;
REVOKE ALL ON FUNCTION @extschema@.schedule_jobs() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.schedule_jobs() TO service_role;
COMMENT ON FUNCTION @extschema@.schedule_jobs() IS 'Schedules the four jobs with pg_cron, for this database; returns their names';

CREATE FUNCTION @extschema@.unschedule_jobs() RETURNS SETOF text
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_unschedule_jobs' ROWS 4;
REVOKE ALL ON FUNCTION @extschema@.unschedule_jobs() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.unschedule_jobs() TO service_role;
COMMENT ON FUNCTION @extschema@.unschedule_jobs() IS 'Takes the four jobs away; returns the names of those that were there';

CREATE FUNCTION @extschema@.job_status() RETURNS TABLE (name text, schedule text, active boolean, last_start timestamptz,
        last_status text, last_message text, duration interval, next_due timestamptz, overdue boolean)
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_job_status' ROWS 4;
REVOKE ALL ON FUNCTION @extschema@.job_status() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.job_status() TO service_role;
COMMENT ON FUNCTION @extschema@.job_status() IS 'The four jobs and how they are doing; see view openinfo_jobs';

-- A view that named cron.job could not be made where pg_cron is not; so a function looks.
CREATE VIEW @extschema@.openinfo_jobs WITH (security_invoker = true) AS
    SELECT name, schedule, active, last_start, last_status, last_message, duration, next_due, overdue
      FROM @extschema@.job_status();
REVOKE ALL ON TABLE @extschema@.openinfo_jobs FROM PUBLIC, anon, authenticated, service_role;
GRANT SELECT ON TABLE @extschema@.openinfo_jobs TO service_role;
COMMENT ON VIEW @extschema@.openinfo_jobs IS 'The four jobs: how the last run went, when the next is due, and whether one is overdue';
COMMENT ON COLUMN @extschema@.openinfo_jobs.name IS 'Name of the job';
COMMENT ON COLUMN @extschema@.openinfo_jobs.schedule IS 'When it runs, as cron writes it; UTC';
COMMENT ON COLUMN @extschema@.openinfo_jobs.active IS 'Whether pg_cron runs it';
COMMENT ON COLUMN @extschema@.openinfo_jobs.last_start IS 'When the last run began';
COMMENT ON COLUMN @extschema@.openinfo_jobs.last_status IS 'How it went: succeeded, failed, running, ...; "not scheduled" where pg_cron has no such job for this database';
COMMENT ON COLUMN @extschema@.openinfo_jobs.last_message IS 'What it said';
COMMENT ON COLUMN @extschema@.openinfo_jobs.duration IS 'How long it took';
COMMENT ON COLUMN @extschema@.openinfo_jobs.next_due IS 'When it is due next; NULL when it is not active, or its schedule is none of five numeric fields';
COMMENT ON COLUMN @extschema@.openinfo_jobs.overdue IS 'Due for more than ten minutes and not run; NULL when that cannot be known';

-- ---------------------------------------------------------------------------------------------------------------
-- Guard (src/guard.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.guard_drop() RETURNS event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_guard_drop';
REVOKE ALL ON FUNCTION @extschema@.guard_drop() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.guard_drop() IS 'Event trigger: announces a command that must not delete data';

-- Without DROP TABLE: a server that has lost the library must still be able to drop tables.
CREATE EVENT TRIGGER openinfo_guard ON ddl_command_start WHEN TAG IN ('DROP EXTENSION', 'DROP SCHEMA', 'DROP OWNED')
    EXECUTE FUNCTION @extschema@.guard_drop();
COMMENT ON EVENT TRIGGER openinfo_guard IS 'DROP EXTENSION, DROP SCHEMA and DROP OWNED delete no data of openinfo unless openinfo.allow_drop is on';

-- ---------------------------------------------------------------------------------------------------------------
-- Migration
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.migration_20260101000006_integrations_billing() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- integrations --------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.integrations (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        type            @extschema@.integration_type NOT NULL,
        name            text NOT NULL,
        status          @extschema@.integration_status NOT NULL DEFAULT 'active',
        config          jsonb NOT NULL DEFAULT '{}',
        last_used_at    timestamptz,
        total_events_sent int NOT NULL DEFAULT 0,
        last_error      text,
        error_count     int NOT NULL DEFAULT 0,
        UNIQUE (id, workspace_id),
        FOREIGN KEY (created_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        CONSTRAINT integrations_name_not_blank CHECK (btrim(name) <> ''),
        CONSTRAINT integrations_config_object CHECK (jsonb_typeof(config) = 'object'),
        CONSTRAINT integrations_counters_not_negative CHECK (total_events_sent >= 0 AND error_count >= 0)
    );
    CREATE INDEX idx_integrations_workspace_id ON @extschema@.integrations (workspace_id, created_at DESC);
    CREATE INDEX idx_integrations_created_by ON @extschema@.integrations (created_by, workspace_id);
    CREATE UNIQUE INDEX integrations_workspace_id_type_key ON @extschema@.integrations (workspace_id, type) WHERE status = 'active';
    PERFORM @extschema@.protect_table('@extschema@.integrations'::regclass);
    GRANT SELECT, INSERT (type, name, status, config), UPDATE (type, name, status, config), DELETE
        ON TABLE @extschema@.integrations TO authenticated;
    -- The names put "seal" last among the BEFORE triggers: it sees the row as it will be stored.
    CREATE TRIGGER zz_seal BEFORE INSERT OR UPDATE ON @extschema@.integrations FOR EACH ROW EXECUTE FUNCTION @extschema@.seal_secrets();
    CREATE TRIGGER zz_seal_keep AFTER INSERT OR UPDATE ON @extschema@.integrations FOR EACH ROW EXECUTE FUNCTION @extschema@.keep_sealed_secrets();
    CREATE POLICY read_own_workspace ON @extschema@.integrations FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY add_as_admin ON @extschema@.integrations FOR INSERT TO authenticated
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)));
    CREATE POLICY change_as_admin ON @extschema@.integrations FOR UPDATE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)));
    CREATE POLICY delete_as_admin ON @extschema@.integrations FOR DELETE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)));
    PERFORM @extschema@.describe_table('@extschema@.integrations'::regclass, 'Where a workspace wants its events sent'::text, ARRAY[
        ['type', 'What kind of service'],
        ['name', 'Name to show'],
        ['status', 'Whether events are sent'],
        ['config', 'Object: how to reach the service; secrets are shown as [REDACTED], see get_integration_config()'],
        ['last_used_at', 'When an event was last sent'],
        ['total_events_sent', 'Events sent'],
        ['last_error', 'What went wrong last'],
        ['error_count', 'Errors since the last success; the fifth sets status to error'],
        ['integrations_workspace_id_type_key', 'One active integration of a type'],
        ['integrations_name_not_blank', 'An integration has a name'],
        ['integrations_config_object', 'An object, not an array or a scalar'],
        ['integrations_counters_not_negative', 'A counter is never negative'],
        ['zz_seal', 'Takes secrets out of config before the row is stored'],
        ['zz_seal_keep', 'Puts what was taken out into sealed_secrets'],
        ['read_own_workspace', 'Members see the integrations of their active workspace'],
        ['add_as_admin', 'Owners and admins add them'],
        ['change_as_admin', 'Owners and admins change them'],
        ['delete_as_admin', 'Owners and admins delete them']]);

    -- sealed_secrets ------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.sealed_secrets (
        integration_id uuid NOT NULL,
        workspace_id   uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        sealed         jsonb NOT NULL,
        sealed_at      timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (integration_id, workspace_id),
        FOREIGN KEY (integration_id, workspace_id) REFERENCES @extschema@.integrations (id, workspace_id) ON DELETE CASCADE
    );
    CREATE INDEX idx_sealed_secrets_workspace_id ON @extschema@.sealed_secrets (workspace_id);
    PERFORM @extschema@.protect_table('@extschema@.sealed_secrets'::regclass);
    -- No API role reads this, not even service_role: only get_integration_config() opens it.
    REVOKE ALL ON TABLE @extschema@.sealed_secrets FROM service_role;
    DROP POLICY service_all ON @extschema@.sealed_secrets;
    PERFORM @extschema@.describe_table('@extschema@.sealed_secrets'::regclass, 'Sealed: the config of integrations with its secrets. No API role may read it'::text, ARRAY[
        ['integration_id', 'The row of integrations'],
        ['sealed', 'Object: what was taken out of config'],
        ['sealed_at', 'When it was sealed']]);

    -- integration_events --------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.integration_events (
        id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at     timestamptz NOT NULL DEFAULT now(),
        workspace_id   uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        integration_id uuid NOT NULL,
        event_data     jsonb NOT NULL,
        sent_at        timestamptz,
        FOREIGN KEY (integration_id, workspace_id) REFERENCES @extschema@.integrations (id, workspace_id) ON DELETE CASCADE
    );
    CREATE INDEX idx_integration_events_workspace_id ON @extschema@.integration_events (workspace_id, created_at DESC);
    CREATE INDEX idx_integration_events_integration_id ON @extschema@.integration_events (integration_id, workspace_id);
    CREATE INDEX idx_integration_events_unsent ON @extschema@.integration_events (created_at) WHERE sent_at IS NULL;
    PERFORM @extschema@.protect_table('@extschema@.integration_events'::regclass);
    CREATE TRIGGER clear_errors AFTER UPDATE ON @extschema@.integration_events FOR EACH ROW
        WHEN (OLD.sent_at IS NULL AND NEW.sent_at IS NOT NULL) EXECUTE FUNCTION @extschema@.clear_integration_errors();
    PERFORM @extschema@.describe_table('@extschema@.integration_events'::regclass, 'Outbox: events that the sender takes from here; filled by send_integration_event()'::text, ARRAY[
        ['integration_id', 'Where it is to go'],
        ['event_data', 'The event'],
        ['sent_at', 'Set by the sender once it is delivered'],
        ['idx_integration_events_integration_id', 'Serves the foreign key to integrations'],
        ['idx_integration_events_unsent', 'Events that wait for the sender'],
        ['clear_errors', 'An event that was sent ends the row of errors']]);

    -- billing_events ------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.billing_events (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        event_type      @extschema@.billing_event_type NOT NULL,
        stripe_event_id text UNIQUE,
        event_at        timestamptz NOT NULL DEFAULT now(),
        amount_cents    bigint,
        currency        text,
        old_plan        text,
        new_plan        text,
        metadata        jsonb DEFAULT '{}',
        FOREIGN KEY (created_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        CONSTRAINT billing_events_amount_not_negative CHECK (amount_cents >= 0),
        CONSTRAINT billing_events_metadata_object CHECK (jsonb_typeof(metadata) = 'object')
    );
    CREATE INDEX idx_billing_events_workspace_id ON @extschema@.billing_events (workspace_id, created_at DESC);
    CREATE INDEX idx_billing_events_created_by ON @extschema@.billing_events (created_by, workspace_id);
    PERFORM @extschema@.protect_table('@extschema@.billing_events'::regclass);
    GRANT SELECT ON TABLE @extschema@.billing_events TO authenticated;
    CREATE POLICY read_own_workspace ON @extschema@.billing_events FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.describe_table('@extschema@.billing_events'::regclass, 'What happened to the subscription of a workspace'::text, ARRAY[
        ['event_type', 'What happened'],
        ['stripe_event_id', 'Stripe''s id of the event; an event is recorded once'],
        ['event_at', 'When it happened at Stripe'],
        ['amount_cents', 'Amount in the smallest unit of the currency'],
        ['currency', 'Currency, as Stripe writes it'],
        ['old_plan', 'Plan before'],
        ['new_plan', 'Plan after'],
        ['metadata', 'Object: whatever came with it'],
        ['billing_events_stripe_event_id_key', 'An event of Stripe is recorded once'],
        ['billing_events_amount_not_negative', 'An amount is never negative'],
        ['billing_events_metadata_object', 'An object, not an array or a scalar'],
        ['read_own_workspace', 'Members see the billing of their active workspace']]);

    -- notification_preferences --------------------------------------------------------------------------------
    CREATE TABLE @extschema@.notification_preferences (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        user_id         uuid NOT NULL DEFAULT @extschema@.get_user_id(),
        email_new_leads       boolean NOT NULL DEFAULT true,
        email_daily_digest    boolean NOT NULL DEFAULT true,
        email_weekly_report   boolean NOT NULL DEFAULT true,
        email_query_completed boolean NOT NULL DEFAULT false,
        email_credit_low      boolean NOT NULL DEFAULT true,
        email_billing_updates boolean NOT NULL DEFAULT true,
        inapp_new_leads       boolean NOT NULL DEFAULT true,
        inapp_mentions        boolean NOT NULL DEFAULT true,
        inapp_system_updates  boolean NOT NULL DEFAULT true,
        slack_new_leads       boolean NOT NULL DEFAULT false,
        slack_daily_digest    boolean NOT NULL DEFAULT false,
        FOREIGN KEY (created_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (user_id, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE CASCADE,
        UNIQUE (user_id, workspace_id)
    );
    CREATE INDEX idx_notification_preferences_workspace_id ON @extschema@.notification_preferences (workspace_id);
    CREATE INDEX idx_notification_preferences_created_by ON @extschema@.notification_preferences (created_by, workspace_id);
    PERFORM @extschema@.protect_table('@extschema@.notification_preferences'::regclass);
    GRANT SELECT, UPDATE (email_new_leads, email_daily_digest, email_weekly_report, email_query_completed, email_credit_low, email_billing_updates,
                          inapp_new_leads, inapp_mentions, inapp_system_updates, slack_new_leads, slack_daily_digest)
        ON TABLE @extschema@.notification_preferences TO authenticated;
    CREATE POLICY read_own ON @extschema@.notification_preferences FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND user_id = (SELECT @extschema@.get_user_id()));
    CREATE POLICY change_own ON @extschema@.notification_preferences FOR UPDATE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND user_id = (SELECT @extschema@.get_user_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND user_id = (SELECT @extschema@.get_user_id()));
    CREATE TRIGGER zz_make_preferences AFTER INSERT ON @extschema@.users FOR EACH ROW EXECUTE FUNCTION @extschema@.make_preferences();
    COMMENT ON TRIGGER zz_make_preferences ON @extschema@.users IS 'A member gets his notification preferences at once';
    INSERT INTO @extschema@.notification_preferences (user_id, workspace_id) SELECT id, workspace_id FROM @extschema@.users;
    PERFORM @extschema@.describe_table('@extschema@.notification_preferences'::regclass, 'What a member wants to be told, and how; made with the member'::text, ARRAY[
        ['user_id', 'The member'],
        ['email_new_leads', 'E-mail: new leads'],
        ['email_daily_digest', 'E-mail: daily digest'],
        ['email_weekly_report', 'E-mail: weekly report'],
        ['email_query_completed', 'E-mail: a query completed'],
        ['email_credit_low', 'E-mail: credits run low'],
        ['email_billing_updates', 'E-mail: billing'],
        ['inapp_new_leads', 'In the application: new leads'],
        ['inapp_mentions', 'In the application: mentions'],
        ['inapp_system_updates', 'In the application: news of the system'],
        ['slack_new_leads', 'Slack: new leads'],
        ['slack_daily_digest', 'Slack: daily digest'],
        ['notification_preferences_user_id_workspace_id_key', 'A member has one row'],
        ['notification_preferences_user_id_workspace_id_fkey', 'Goes with its member'],
        ['read_own', 'A member sees his own'],
        ['change_own', 'A member changes his own']]);

    -- stripe_customers ----------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.stripe_customers (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        stripe_customer_id text NOT NULL UNIQUE,
        stripe_subscription_id text UNIQUE,
        subscription_status text,
        current_period_start timestamptz,
        current_period_end timestamptz,
        default_payment_method text,
        last_event_at   timestamptz,
        metadata        jsonb DEFAULT '{}',
        FOREIGN KEY (created_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        CONSTRAINT stripe_customers_period_forward CHECK (current_period_end >= current_period_start),
        CONSTRAINT stripe_customers_metadata_object CHECK (jsonb_typeof(metadata) = 'object')
    );
    CREATE UNIQUE INDEX idx_stripe_customers_workspace_id ON @extschema@.stripe_customers (workspace_id);
    CREATE INDEX idx_stripe_customers_created_by ON @extschema@.stripe_customers (created_by, workspace_id);
    PERFORM @extschema@.protect_table('@extschema@.stripe_customers'::regclass);
    GRANT SELECT ON TABLE @extschema@.stripe_customers TO authenticated;
    CREATE POLICY read_own_workspace ON @extschema@.stripe_customers FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.describe_table('@extschema@.stripe_customers'::regclass, 'The workspace as Stripe knows it'::text, ARRAY[
        ['stripe_customer_id', 'Stripe''s id of the customer'],
        ['stripe_subscription_id', 'Stripe''s id of the subscription'],
        ['subscription_status', 'As Stripe writes it: active, trialing, past_due, canceled, ...'],
        ['current_period_start', 'Begin of the paid period'],
        ['current_period_end', 'End of the paid period'],
        ['default_payment_method', 'Stripe''s id of the payment method'],
        ['last_event_at', 'When the newest event that is reflected here happened; older ones change nothing'],
        ['metadata', 'Object: whatever the application wants to keep'],
        ['stripe_customers_stripe_customer_id_key', 'A customer is one workspace'],
        ['stripe_customers_stripe_subscription_id_key', 'A subscription belongs to one workspace'],
        ['idx_stripe_customers_workspace_id', 'A workspace is one customer'],
        ['stripe_customers_period_forward', 'A period ends after it begins'],
        ['stripe_customers_metadata_object', 'An object, not an array or a scalar'],
        ['read_own_workspace', 'Members see the billing of their active workspace']]);
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000006_integrations_billing() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000006_integrations_billing() IS 'Migration 6: integrations, billing_events, notification_preferences, stripe_customers';

SELECT @extschema@.apply_migrations();

-- Jobs are scheduled where pg_cron is.  Never while a dump is restored: then apply_migrations() has made no tables, the
-- jobs are in the dump, with the user's own, and one that is there already makes the restore of all of them fail.
DO $do$
BEGIN
    IF to_regclass('@extschema@.schema_migrations') IS NULL
       OR NOT EXISTS (SELECT FROM @extschema@.schema_migrations WHERE version = '20260101000006') THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
        -- CREATE EXTENSION holds back notices by raising this to warning; ours is meant to be read.
        IF current_setting('client_min_messages') = 'warning' THEN
            PERFORM set_config('client_min_messages', 'notice', true);
            RAISE NOTICE 'openinfo schedules no jobs: pg_cron is not in this database'
                USING HINT = 'Run CREATE EXTENSION pg_cron and then SELECT @extschema@.schedule_jobs(); where pg_cron lives in another database, see "Jobs" in the README.';
            PERFORM set_config('client_min_messages', 'warning', true);
        END IF;
        RETURN;
    END IF;
    PERFORM @extschema@.schedule_jobs();
EXCEPTION WHEN OTHERS THEN
    -- whatever pg_cron has against it, the extension itself is whole
    RAISE WARNING 'openinfo schedules no jobs: %', SQLERRM
        USING HINT = 'When that is mended, run SELECT @extschema@.schedule_jobs().';
END
$do$;
