\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.4.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- openinfo 0.4.0: leads, the ledger of credits, and exports.

-- ---------------------------------------------------------------------------------------------------------------
-- Types
-- ---------------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.enrichment_status AS ENUM ('pending', 'enriching', 'enriched', 'failed');
COMMENT ON TYPE @extschema@.enrichment_status IS 'How far the enrichment of a lead is';

CREATE TYPE @extschema@.delivery_status AS ENUM ('pending', 'delivered', 'failed');
COMMENT ON TYPE @extschema@.delivery_status IS 'How far the delivery of a lead is';

CREATE TYPE @extschema@.credit_action AS ENUM ('email_reveal', 'lead_export', 'people_search', 'contact_enrichment');
COMMENT ON TYPE @extschema@.credit_action IS 'What credits are spent on';

CREATE TYPE @extschema@.export_format AS ENUM ('csv', 'json');
COMMENT ON TYPE @extschema@.export_format IS 'Form of an exported file';

CREATE TYPE @extschema@.export_status AS ENUM ('pending', 'processing', 'completed', 'failed');
COMMENT ON TYPE @extschema@.export_status IS 'How far an export is';

-- ---------------------------------------------------------------------------------------------------------------
-- Leads and exports: what the tables need (src/leads/domain.c, src/workspaces/audit_columns.c)
-- ---------------------------------------------------------------------------------------------------------------

-- LEAKPROOF, so that a lookup by domain uses the index under row-level security: it never fails and shows nothing.
CREATE FUNCTION @extschema@.lead_domain(company_data jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'openinfo_lead_domain';
REVOKE ALL ON FUNCTION @extschema@.lead_domain(jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.lead_domain(jsonb) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.lead_domain(jsonb) IS 'The company''s domain in lowercase, without scheme, www., port and path; NULL when it is not a host name; indexed with the workspace';

CREATE FUNCTION @extschema@.set_expires_at() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_expires_at';
REVOKE ALL ON FUNCTION @extschema@.set_expires_at() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_expires_at() IS 'Trigger: an export expires seven days after completion';

-- ---------------------------------------------------------------------------------------------------------------
-- Credits (src/credits/)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.check_credits_available(p_user_id uuid DEFAULT @extschema@.get_user_id(), p_credits_needed int DEFAULT 1) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_check_credits_available';
REVOKE ALL ON FUNCTION @extschema@.check_credits_available(uuid, int) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.check_credits_available(uuid, int) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.check_credits_available(uuid, int) IS 'Could the member spend that many credits now?';

CREATE FUNCTION @extschema@.record_credit_usage(p_workspace_id uuid, p_user_id uuid, p_action_type @extschema@.credit_action,
        p_credits_used int DEFAULT 1, p_reference_id uuid DEFAULT NULL, p_metadata jsonb DEFAULT '{}', p_idempotency_key text DEFAULT NULL) RETURNS uuid
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_record_credit_usage';
REVOKE ALL ON FUNCTION @extschema@.record_credit_usage(uuid, uuid, @extschema@.credit_action, int, uuid, jsonb, text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.record_credit_usage(uuid, uuid, @extschema@.credit_action, int, uuid, jsonb, text) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.record_credit_usage(uuid, uuid, @extschema@.credit_action, int, uuid, jsonb, text) IS 'Spends credits of a member and writes the ledger, in one step; returns credit_usage.id';

CREATE FUNCTION @extschema@.get_credit_balance(p_user_id uuid DEFAULT @extschema@.get_user_id())
    RETURNS TABLE (credits_limit int, credits_used int, credits_remaining int, resets_at timestamptz)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'openinfo_get_credit_balance';
REVOKE ALL ON FUNCTION @extschema@.get_credit_balance(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_credit_balance(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_credit_balance(uuid) IS 'How the member''s credits stand now; limit and remaining are NULL when unlimited';

CREATE FUNCTION @extschema@.forbid_ledger_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_forbid_ledger_change';
REVOKE ALL ON FUNCTION @extschema@.forbid_ledger_change() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.forbid_ledger_change() IS 'Trigger: the credit ledger is append-only';

-- ---------------------------------------------------------------------------------------------------------------
-- Leads: batches (src/leads/leads.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.ingest_leads(p_query_id uuid, p_leads jsonb, p_on_conflict text DEFAULT 'skip')
    RETURNS TABLE (inserted int, skipped int, updated int)
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_ingest_leads';
REVOKE ALL ON FUNCTION @extschema@.ingest_leads(uuid, jsonb, text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.ingest_leads(uuid, jsonb, text) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.ingest_leads(uuid, jsonb, text) IS 'Adds a batch of leads to the workspace of a query; skips elements that are refused, and skips or updates known companies';

-- ---------------------------------------------------------------------------------------------------------------
-- Work queue: what workers do with leads (src/queries/work_queue.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_leads_pending_enrichment(batch_size int DEFAULT 50) RETURNS TABLE (id uuid, workspace_id uuid, query_id uuid, company_data jsonb, contact_data jsonb, attempts int)
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_get_leads_pending_enrichment';
REVOKE ALL ON FUNCTION @extschema@.get_leads_pending_enrichment(int) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_leads_pending_enrichment(int) TO service_role;
COMMENT ON FUNCTION @extschema@.get_leads_pending_enrichment(int) IS 'Claims leads that are to be enriched for fifteen minutes, the oldest first; three attempts at most';

CREATE FUNCTION @extschema@.get_leads_pending_delivery(batch_size int DEFAULT 50) RETURNS TABLE (id uuid, workspace_id uuid, query_id uuid, company_data jsonb, contact_data jsonb, attempts int)
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_get_leads_pending_delivery';
REVOKE ALL ON FUNCTION @extschema@.get_leads_pending_delivery(int) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_leads_pending_delivery(int) TO service_role;
COMMENT ON FUNCTION @extschema@.get_leads_pending_delivery(int) IS 'Claims enriched leads that are to be delivered for fifteen minutes, the oldest first; three attempts at most';

CREATE FUNCTION @extschema@.update_lead_enrichment(p_lead_id uuid, p_status @extschema@.enrichment_status, p_contact_data jsonb DEFAULT NULL, p_error text DEFAULT NULL) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_update_lead_enrichment';
REVOKE ALL ON FUNCTION @extschema@.update_lead_enrichment(uuid, @extschema@.enrichment_status, jsonb, text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.update_lead_enrichment(uuid, @extschema@.enrichment_status, jsonb, text) TO service_role;
COMMENT ON FUNCTION @extschema@.update_lead_enrichment(uuid, @extschema@.enrichment_status, jsonb, text) IS 'Reports what became of the enrichment of a lead';

CREATE FUNCTION @extschema@.update_lead_delivery(p_lead_id uuid, p_status @extschema@.delivery_status, p_error text DEFAULT NULL) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_update_lead_delivery';
REVOKE ALL ON FUNCTION @extschema@.update_lead_delivery(uuid, @extschema@.delivery_status, text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.update_lead_delivery(uuid, @extschema@.delivery_status, text) TO service_role;
COMMENT ON FUNCTION @extschema@.update_lead_delivery(uuid, @extschema@.delivery_status, text) IS 'Reports what became of the delivery of a lead';

-- ---------------------------------------------------------------------------------------------------------------
-- Exports and statistics (src/leads/exports.c, src/leads/stats.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.queue_file_deletion() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_queue_file_deletion';
REVOKE ALL ON FUNCTION @extschema@.queue_file_deletion() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.queue_file_deletion() IS 'Trigger: the file of an export that is deleted is to be deleted from the file store';

CREATE FUNCTION @extschema@.cleanup_expired_exports() RETURNS bigint
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_cleanup_expired_exports';
REVOKE ALL ON FUNCTION @extschema@.cleanup_expired_exports() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.cleanup_expired_exports() TO service_role;
COMMENT ON FUNCTION @extschema@.cleanup_expired_exports() IS 'Deletes expired exports, whose files are thereby listed in expired_export_files; returns how many';

CREATE FUNCTION @extschema@.get_workspace_stats(p_workspace_id uuid DEFAULT @extschema@.get_user_workspace_id()) RETURNS jsonb
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_get_workspace_stats';
REVOKE ALL ON FUNCTION @extschema@.get_workspace_stats(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_workspace_stats(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_workspace_stats(uuid) IS 'Leads, queries, credits and members of a workspace in numbers';

-- ---------------------------------------------------------------------------------------------------------------
-- Migration
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.migration_20260101000004_lead_system() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- leads ---------------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.leads (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        query_id        uuid,
        company_data    jsonb NOT NULL,
        contact_data    jsonb DEFAULT '{}',
        enrichment_status @extschema@.enrichment_status NOT NULL DEFAULT 'pending',
        delivery_status @extschema@.delivery_status NOT NULL DEFAULT 'pending',
        enrichment_attempts int NOT NULL DEFAULT 0,
        delivery_attempts int NOT NULL DEFAULT 0,
        enrichment_lease_until timestamptz,
        delivery_lease_until timestamptz,
        last_error      text,
        enriched_at     timestamptz,
        delivered_at    timestamptz,
        FOREIGN KEY (query_id, workspace_id) REFERENCES @extschema@.queries (id, workspace_id) ON DELETE CASCADE,
        FOREIGN KEY (created_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        CONSTRAINT leads_company_data_named CHECK (jsonb_typeof(company_data) = 'object' AND jsonb_typeof(company_data -> 'name') IS NOT DISTINCT FROM 'string'
            AND NOT @extschema@.is_blank(company_data ->> 'name')),
        CONSTRAINT leads_contact_data_object CHECK (jsonb_typeof(contact_data) = 'object'),
        CONSTRAINT leads_attempts_not_negative CHECK (enrichment_attempts >= 0 AND delivery_attempts >= 0)
    );
    CREATE INDEX idx_leads_workspace_id ON @extschema@.leads (workspace_id, created_at DESC);
    CREATE INDEX idx_leads_created_by ON @extschema@.leads (created_by, workspace_id);
    CREATE INDEX idx_leads_query_id ON @extschema@.leads (query_id, workspace_id);
    CREATE UNIQUE INDEX leads_workspace_id_domain_key ON @extschema@.leads (workspace_id, @extschema@.lead_domain(company_data));
    -- what the claiming functions ask for, word for word
    CREATE INDEX idx_leads_to_enrich ON @extschema@.leads (created_at, id)
        WHERE enrichment_status IN ('pending', 'enriching') OR enrichment_status = 'failed' AND enrichment_attempts < 3;
    CREATE INDEX idx_leads_to_deliver ON @extschema@.leads (created_at, id)
        WHERE enrichment_status = 'enriched' AND (delivery_status = 'pending' OR delivery_status = 'failed' AND delivery_attempts < 3);
    CREATE INDEX idx_leads_company_data ON @extschema@.leads USING gin (company_data jsonb_path_ops);
    CREATE INDEX idx_leads_contact_data ON @extschema@.leads USING gin (contact_data jsonb_path_ops);
    PERFORM @extschema@.secure_table('@extschema@.leads'::regclass);
    GRANT SELECT, INSERT (query_id, company_data, contact_data), UPDATE (company_data, contact_data, query_id), DELETE
        ON TABLE @extschema@.leads TO authenticated;
    CREATE POLICY own_workspace ON @extschema@.leads FOR ALL TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.leads'::regclass, 'Companies found for a workspace, on their way through enrichment and delivery'::text, ARRAY[
        ['query_id', 'The query that found it; the lead goes with it'],
        ['company_data', 'Object: the company; "name" is required, "domain" is unique in the workspace'],
        ['contact_data', 'Object: whom to talk to there'],
        ['enrichment_status', 'How far enrichment is'],
        ['delivery_status', 'How far delivery is'],
        ['enrichment_attempts', 'Times that enrichment was begun; three at most'],
        ['delivery_attempts', 'Times that delivery was begun; three at most'],
        ['enrichment_lease_until', 'Claimed by an enrichment worker until then'],
        ['delivery_lease_until', 'Claimed by a delivery worker until then'],
        ['last_error', 'What went wrong last'],
        ['enriched_at', 'When enrichment succeeded'],
        ['delivered_at', 'When delivery succeeded'],
        ['idx_leads_query_id', 'Serves the foreign key to queries'],
        ['leads_workspace_id_domain_key', 'A company domain is in a workspace once, however it is written; also used to find a lead by domain'],
        ['idx_leads_to_enrich', 'Leads that are to be enriched, by age'],
        ['idx_leads_to_deliver', 'Enriched leads that are to be delivered, by age'],
        ['idx_leads_company_data', 'Serves containment (@>) without row-level security'],
        ['idx_leads_contact_data', 'Serves containment (@>) without row-level security'],
        ['leads_company_data_named', 'An object whose name is a string and not blank'],
        ['leads_contact_data_object', 'An object, not an array or a scalar'],
        ['leads_attempts_not_negative', 'A counter is never negative'],
        ['own_workspace', 'Members work with the leads of their active workspace']]);
    PERFORM @extschema@.create_computed_field('@extschema@.leads'::regclass, 'lead_domain', 'company_data');

    -- credit_usage --------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.credit_usage (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        user_id         uuid,
        auth_user_id    uuid,
        action_type     @extschema@.credit_action NOT NULL,
        credits_used    int NOT NULL,
        reference_id    uuid,
        metadata        jsonb DEFAULT '{}',
        idempotency_key text,
        UNIQUE (workspace_id, idempotency_key),
        FOREIGN KEY (created_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (user_id, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (user_id),
        CONSTRAINT credit_usage_credits_used_positive CHECK (credits_used > 0),
        CONSTRAINT credit_usage_metadata_object CHECK (jsonb_typeof(metadata) = 'object')
    );
    CREATE INDEX idx_credit_usage_workspace_id ON @extschema@.credit_usage (workspace_id, created_at DESC);
    CREATE INDEX idx_credit_usage_created_by ON @extschema@.credit_usage (created_by, workspace_id);
    CREATE INDEX idx_credit_usage_user_id ON @extschema@.credit_usage (user_id, workspace_id);
    PERFORM @extschema@.secure_table('@extschema@.credit_usage'::regclass);
    GRANT SELECT ON TABLE @extschema@.credit_usage TO authenticated;
    CREATE TRIGGER forbid_ledger_change BEFORE UPDATE OR DELETE ON @extschema@.credit_usage FOR EACH ROW EXECUTE FUNCTION @extschema@.forbid_ledger_change();
    CREATE TRIGGER forbid_ledger_truncate BEFORE TRUNCATE ON @extschema@.credit_usage FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.forbid_ledger_change();
    CREATE POLICY read_own_workspace ON @extschema@.credit_usage FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.credit_usage'::regclass, 'Ledger of spent credits. Append-only: it goes only with its workspace'::text, ARRAY[
        ['user_id', 'Whose credits; NULL once that member is removed: the ledger outlives him'],
        ['auth_user_id', 'The person, also after their membership has ended: rejoining gives no fresh credits'],
        ['action_type', 'What they were spent on'],
        ['credits_used', 'How many'],
        ['reference_id', 'The row that it was about'],
        ['metadata', 'Object: whatever the application wants to keep'],
        ['idempotency_key', 'Names the spend, so that a repeated call charges nothing'],
        ['credit_usage_workspace_id_idempotency_key_key', 'A key means one spend'],
        ['credit_usage_credits_used_positive', 'A spend is a positive number'],
        ['credit_usage_metadata_object', 'An object, not an array or a scalar'],
        ['forbid_ledger_change', 'Refuses to change or delete a line, but with its workspace'],
        ['forbid_ledger_truncate', 'Refuses TRUNCATE'],
        ['read_own_workspace', 'Members see what their active workspace spent']]);

    -- export_jobs ---------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.export_jobs (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        user_id         uuid DEFAULT @extschema@.get_user_id(),
        export_format   @extschema@.export_format NOT NULL DEFAULT 'csv',
        filters         jsonb DEFAULT '{}',
        status          @extschema@.export_status NOT NULL DEFAULT 'pending',
        file_url        text,
        file_size_bytes bigint,
        row_count       int,
        error_message   text,
        started_at      timestamptz,
        completed_at    timestamptz,
        expires_at      timestamptz,
        FOREIGN KEY (created_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (user_id, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (user_id),
        CONSTRAINT export_jobs_filters_object CHECK (jsonb_typeof(filters) = 'object'),
        CONSTRAINT export_jobs_file_size_positive CHECK (file_size_bytes > 0),
        CONSTRAINT export_jobs_row_count_not_negative CHECK (row_count >= 0)
    );
    CREATE INDEX idx_export_jobs_workspace_id ON @extschema@.export_jobs (workspace_id, created_at DESC);
    CREATE INDEX idx_export_jobs_created_by ON @extschema@.export_jobs (created_by, workspace_id);
    CREATE INDEX idx_export_jobs_user_id ON @extschema@.export_jobs (user_id, workspace_id);
    CREATE INDEX idx_export_jobs_expires_at ON @extschema@.export_jobs (expires_at) WHERE expires_at IS NOT NULL;
    CREATE INDEX idx_export_jobs_filters ON @extschema@.export_jobs USING gin (filters jsonb_path_ops);
    PERFORM @extschema@.secure_table('@extschema@.export_jobs'::regclass);
    GRANT SELECT, INSERT (export_format, filters), DELETE ON TABLE @extschema@.export_jobs TO authenticated;
    CREATE TRIGGER set_expires_at BEFORE INSERT OR UPDATE ON @extschema@.export_jobs FOR EACH ROW
        WHEN (NEW.expires_at IS NULL AND (NEW.completed_at IS NOT NULL OR NEW.status = 'completed')) EXECUTE FUNCTION @extschema@.set_expires_at();
    CREATE TRIGGER queue_file_deletion AFTER DELETE ON @extschema@.export_jobs FOR EACH ROW
        WHEN (NOT @extschema@.is_blank(OLD.file_url)) EXECUTE FUNCTION @extschema@.queue_file_deletion();
    CREATE POLICY read_own_workspace ON @extschema@.export_jobs FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY add_own ON @extschema@.export_jobs FOR INSERT TO authenticated
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND user_id = (SELECT @extschema@.get_user_id()));
    CREATE POLICY delete_own ON @extschema@.export_jobs FOR DELETE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND user_id = (SELECT @extschema@.get_user_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.export_jobs'::regclass, 'Exports that members asked for, and where the file is'::text, ARRAY[
        ['user_id', 'Who asked; NULL once he is removed'],
        ['export_format', 'Form of the file'],
        ['filters', 'Object: which rows'],
        ['status', 'How far it is'],
        ['file_url', 'Where the file is'],
        ['file_size_bytes', 'Size of the file in bytes'],
        ['row_count', 'Rows in the file'],
        ['error_message', 'Why it failed'],
        ['started_at', 'When work began'],
        ['completed_at', 'When the file was there'],
        ['expires_at', 'When the file may go; seven days after completion when left out'],
        ['idx_export_jobs_expires_at', 'Exports by expiry'],
        ['idx_export_jobs_filters', 'Serves containment (@>) without row-level security'],
        ['export_jobs_filters_object', 'An object, not an array or a scalar'],
        ['export_jobs_file_size_positive', 'A file has a size'],
        ['export_jobs_row_count_not_negative', 'A counter is never negative'],
        ['set_expires_at', 'Fills expires_at when the job completes'],
        ['queue_file_deletion', 'Writes the file to expired_export_files'],
        ['read_own_workspace', 'Members see the exports of their active workspace'],
        ['add_own', 'A member asks in his own name'],
        ['delete_own', 'A member deletes what he asked for']]);

    -- expired_export_files ------------------------------------------------------------------------------------
    -- file_url is not unique: a signed URL may be longer than an index entry, and a job is cleaned up only once anyway.
    CREATE TABLE @extschema@.expired_export_files (
        id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        file_url     text NOT NULL,
        workspace_id uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        expired_at   timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX idx_expired_export_files_workspace_id ON @extschema@.expired_export_files (workspace_id, expired_at);
    PERFORM @extschema@.secure_table('@extschema@.expired_export_files'::regclass);
    PERFORM @extschema@.comment_on_table('@extschema@.expired_export_files'::regclass, 'Files that the file store''s worker is to delete; filled when an export is deleted'::text, ARRAY[
        ['file_url', 'Where the file is'],
        ['expired_at', 'When its export expired or was deleted'],
        ['idx_expired_export_files_workspace_id', 'Files of a workspace']]);
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000004_lead_system() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000004_lead_system() IS 'Migration 4: leads, credit_usage, export_jobs';

SELECT @extschema@.apply_migrations();
