\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.4.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- openinfo 0.4.0: leads, the credit ledger and exports.

-- -----------------------------------------------------------------------------------------------------------
-- Types
-- -----------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.enrichment_status AS ENUM ('pending', 'enriching', 'enriched', 'failed');
COMMENT ON TYPE @extschema@.enrichment_status IS 'State of the enrichment of a lead';

CREATE TYPE @extschema@.delivery_status AS ENUM ('pending', 'delivered', 'failed');
COMMENT ON TYPE @extschema@.delivery_status IS 'State of the delivery of a lead';

CREATE TYPE @extschema@.credit_action AS ENUM (
    'email_reveal', 'lead_export', 'people_search', 'contact_enrichment');
COMMENT ON TYPE @extschema@.credit_action IS 'What credits are spent on';

CREATE TYPE @extschema@.export_format AS ENUM ('csv', 'json');
COMMENT ON TYPE @extschema@.export_format IS 'Format of an exported file';

CREATE TYPE @extschema@.export_status AS ENUM ('pending', 'processing', 'completed', 'failed');
COMMENT ON TYPE @extschema@.export_status IS 'State of an export';

-- -----------------------------------------------------------------------------------------------------------
-- Leads and exports: used by the tables (src/leads/domain.c, src/workspaces/audit_columns.c)
-- -----------------------------------------------------------------------------------------------------------

-- LEAKPROOF, so that a lookup by domain uses the index under row-level security: it raises no errors.
CREATE FUNCTION @extschema@.lead_domain(company_data jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'openinfo_lead_domain';
REVOKE ALL ON FUNCTION @extschema@.lead_domain(jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.lead_domain(jsonb) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.lead_domain(jsonb) IS
    'Domain of the company in lowercase, without scheme, www., port and path, or NULL. Indexed';

CREATE FUNCTION @extschema@.set_expires_at() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_expires_at';
REVOKE ALL ON FUNCTION @extschema@.set_expires_at() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_expires_at() IS
    'Trigger: sets expires_at to seven days after completion where it is NULL';

-- -----------------------------------------------------------------------------------------------------------
-- Credits (src/credits/)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.check_credits_available(
        p_user_id uuid DEFAULT @extschema@.get_user_id(), p_credits_needed int DEFAULT 1) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_check_credits_available';
REVOKE ALL ON FUNCTION @extschema@.check_credits_available(uuid, int)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.check_credits_available(uuid, int) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.check_credits_available(uuid, int) IS
    'Whether a member has that many credits left today';

CREATE FUNCTION @extschema@.record_credit_usage(
        p_workspace_id uuid, p_user_id uuid, p_action_type @extschema@.credit_action,
        p_credits_used int DEFAULT 1, p_reference_id uuid DEFAULT NULL, p_metadata jsonb DEFAULT '{}',
        p_idempotency_key text DEFAULT NULL) RETURNS uuid
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_record_credit_usage';
REVOKE ALL ON FUNCTION @extschema@.record_credit_usage(
    uuid, uuid, @extschema@.credit_action, int, uuid, jsonb, text)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.record_credit_usage(
    uuid, uuid, @extschema@.credit_action, int, uuid, jsonb, text)
    TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.record_credit_usage(
    uuid, uuid, @extschema@.credit_action, int, uuid, jsonb, text) IS
    'Spends credits of a member and records them in the ledger; returns credit_usage.id';

CREATE FUNCTION @extschema@.get_credit_balance(p_user_id uuid DEFAULT @extschema@.get_user_id())
    RETURNS TABLE (credits_limit int, credits_used int, credits_remaining int, resets_at timestamptz)
    LANGUAGE c STABLE PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'openinfo_get_credit_balance';
REVOKE ALL ON FUNCTION @extschema@.get_credit_balance(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_credit_balance(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_credit_balance(uuid) IS
    'Credits of a member today; credits_limit and credits_remaining are NULL if unlimited';

CREATE FUNCTION @extschema@.forbid_ledger_change() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_forbid_ledger_change';
REVOKE ALL ON FUNCTION @extschema@.forbid_ledger_change() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.forbid_ledger_change() IS 'Trigger: the credit ledger is append-only';

-- -----------------------------------------------------------------------------------------------------------
-- Leads (src/leads/leads.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.ingest_leads(p_query_id uuid, p_leads jsonb, p_on_conflict text DEFAULT 'skip')
    RETURNS TABLE (inserted int, skipped int, updated int)
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_ingest_leads';
REVOKE ALL ON FUNCTION @extschema@.ingest_leads(uuid, jsonb, text)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.ingest_leads(uuid, jsonb, text) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.ingest_leads(uuid, jsonb, text) IS
    'Adds leads to the workspace of a query; skips invalid elements, skips or updates known companies';

-- -----------------------------------------------------------------------------------------------------------
-- Work queue of leads (src/queries/work_queue.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_leads_pending_enrichment(batch_size int DEFAULT 50)
    RETURNS TABLE (id uuid, workspace_id uuid, query_id uuid, company_data jsonb, contact_data jsonb,
                   attempts int)
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_get_leads_pending_enrichment';
REVOKE ALL ON FUNCTION @extschema@.get_leads_pending_enrichment(int)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_leads_pending_enrichment(int) TO service_role;
COMMENT ON FUNCTION @extschema@.get_leads_pending_enrichment(int) IS
    'Claims leads to be enriched for fifteen minutes, oldest first; at most three attempts each';

CREATE FUNCTION @extschema@.get_leads_pending_delivery(batch_size int DEFAULT 50)
    RETURNS TABLE (id uuid, workspace_id uuid, query_id uuid, company_data jsonb, contact_data jsonb,
                   attempts int)
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_get_leads_pending_delivery';
REVOKE ALL ON FUNCTION @extschema@.get_leads_pending_delivery(int)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_leads_pending_delivery(int) TO service_role;
COMMENT ON FUNCTION @extschema@.get_leads_pending_delivery(int) IS
    'Claims enriched leads to be delivered for fifteen minutes, oldest first; at most three attempts each';

CREATE FUNCTION @extschema@.update_lead_enrichment(
        p_lead_id uuid, p_status @extschema@.enrichment_status, p_contact_data jsonb DEFAULT NULL,
        p_error text DEFAULT NULL) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_update_lead_enrichment';
REVOKE ALL ON FUNCTION @extschema@.update_lead_enrichment(uuid, @extschema@.enrichment_status, jsonb, text)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.update_lead_enrichment(uuid, @extschema@.enrichment_status, jsonb, text)
    TO service_role;
COMMENT ON FUNCTION @extschema@.update_lead_enrichment(uuid, @extschema@.enrichment_status, jsonb, text) IS
    'Reports the result of the enrichment of a lead';

CREATE FUNCTION @extschema@.update_lead_delivery(
        p_lead_id uuid, p_status @extschema@.delivery_status, p_error text DEFAULT NULL) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_update_lead_delivery';
REVOKE ALL ON FUNCTION @extschema@.update_lead_delivery(uuid, @extschema@.delivery_status, text)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.update_lead_delivery(uuid, @extschema@.delivery_status, text)
    TO service_role;
COMMENT ON FUNCTION @extschema@.update_lead_delivery(uuid, @extschema@.delivery_status, text) IS
    'Reports the result of the delivery of a lead';

-- -----------------------------------------------------------------------------------------------------------
-- Exports and statistics (src/leads/exports.c, src/leads/stats.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.queue_file_deletion() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_queue_file_deletion';
REVOKE ALL ON FUNCTION @extschema@.queue_file_deletion() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.queue_file_deletion() IS
    'Trigger: adds the file of a deleted export to expired_export_files';

CREATE FUNCTION @extschema@.cleanup_expired_exports() RETURNS bigint
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_cleanup_expired_exports';
REVOKE ALL ON FUNCTION @extschema@.cleanup_expired_exports() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.cleanup_expired_exports() TO service_role;
COMMENT ON FUNCTION @extschema@.cleanup_expired_exports() IS
    'Job: deletes expired exports and adds their files to expired_export_files; returns their number';

CREATE FUNCTION @extschema@.get_workspace_stats(
        p_workspace_id uuid DEFAULT @extschema@.get_user_workspace_id()) RETURNS jsonb
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_get_workspace_stats';
REVOKE ALL ON FUNCTION @extschema@.get_workspace_stats(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_workspace_stats(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_workspace_stats(uuid) IS
    'Numbers of leads, queries, credits and members of a workspace';

-- -----------------------------------------------------------------------------------------------------------
-- Migration
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.migration_20260101000004_lead_system() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- leads -------------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.leads (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
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
        FOREIGN KEY (query_id, workspace_id)
            REFERENCES @extschema@.queries (id, workspace_id) ON DELETE CASCADE,
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        CONSTRAINT leads_company_data_named
            CHECK (jsonb_typeof(company_data) = 'object'
                   AND jsonb_typeof(company_data -> 'name') IS NOT DISTINCT FROM 'string'
            AND NOT @extschema@.is_blank(company_data ->> 'name')),
        CONSTRAINT leads_contact_data_object CHECK (jsonb_typeof(contact_data) = 'object'),
        CONSTRAINT leads_attempts_not_negative CHECK (enrichment_attempts >= 0 AND delivery_attempts >= 0)
    );
    CREATE INDEX idx_leads_workspace_id ON @extschema@.leads (workspace_id, created_at DESC);
    CREATE INDEX idx_leads_created_by ON @extschema@.leads (created_by, workspace_id);
    CREATE INDEX idx_leads_query_id ON @extschema@.leads (query_id, workspace_id);
    CREATE UNIQUE INDEX leads_workspace_id_domain_key
        ON @extschema@.leads (workspace_id, @extschema@.lead_domain(company_data));
    -- The conditions are those of the claiming functions.
    CREATE INDEX idx_leads_to_enrich ON @extschema@.leads (created_at, id)
        WHERE enrichment_status IN ('pending', 'enriching')
              OR enrichment_status = 'failed' AND enrichment_attempts < 3;
    CREATE INDEX idx_leads_to_deliver ON @extschema@.leads (created_at, id)
        WHERE enrichment_status = 'enriched'
              AND (delivery_status = 'pending' OR delivery_status = 'failed' AND delivery_attempts < 3);
    CREATE INDEX idx_leads_company_data ON @extschema@.leads USING gin (company_data jsonb_path_ops);
    CREATE INDEX idx_leads_contact_data ON @extschema@.leads USING gin (contact_data jsonb_path_ops);
    PERFORM @extschema@.secure_table('@extschema@.leads'::regclass);
    GRANT SELECT, INSERT (query_id, company_data, contact_data),
          UPDATE (company_data, contact_data, query_id), DELETE
        ON TABLE @extschema@.leads TO authenticated;
    CREATE POLICY own_workspace ON @extschema@.leads FOR ALL TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.leads'::regclass,
        'Companies found for a workspace, with the state of their enrichment and delivery'::text, ARRAY[
        ['query_id', 'Query that found the lead; the lead is deleted with it'],
        ['company_data', 'Object: the company; "name" is required, "domain" is unique in the workspace'],
        ['contact_data', 'Object: the contact at the company'],
        ['enrichment_status', 'State of the enrichment'],
        ['delivery_status', 'State of the delivery'],
        ['enrichment_attempts', 'Number of attempts at enrichment, at most three'],
        ['delivery_attempts', 'Number of attempts at delivery, at most three'],
        ['enrichment_lease_until', 'End of the claim of an enrichment worker'],
        ['delivery_lease_until', 'End of the claim of a delivery worker'],
        ['last_error', 'Last error message'],
        ['enriched_at', 'When enrichment succeeded'],
        ['delivered_at', 'When delivery succeeded'],
        ['idx_leads_query_id', 'Supports the foreign key to queries'],
        ['leads_workspace_id_domain_key',
         'A domain is unique in the workspace, however it is spelled; supports lookups by domain'],
        ['idx_leads_to_enrich', 'Leads to be enriched, by age'],
        ['idx_leads_to_deliver', 'Enriched leads to be delivered, by age'],
        ['idx_leads_company_data', 'Supports containment (@>) where row-level security does not apply'],
        ['idx_leads_contact_data', 'Supports containment (@>) where row-level security does not apply'],
        ['leads_company_data_named', 'An object whose "name" is a string and not blank'],
        ['leads_contact_data_object', 'An object, not an array or a scalar'],
        ['leads_attempts_not_negative', 'Not negative'],
        ['own_workspace', 'Members read and write the leads of their active workspace']]);
    PERFORM @extschema@.create_computed_field('@extschema@.leads'::regclass, 'lead_domain', 'company_data');

    -- credit_usage ------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.credit_usage (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        user_id         uuid,
        auth_user_id    uuid,
        action_type     @extschema@.credit_action NOT NULL,
        credits_used    int NOT NULL,
        reference_id    uuid,
        metadata        jsonb DEFAULT '{}',
        idempotency_key text,
        UNIQUE (workspace_id, idempotency_key),
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (user_id, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (user_id),
        CONSTRAINT credit_usage_credits_used_positive CHECK (credits_used > 0),
        CONSTRAINT credit_usage_metadata_object CHECK (jsonb_typeof(metadata) = 'object')
    );
    CREATE INDEX idx_credit_usage_workspace_id ON @extschema@.credit_usage (workspace_id, created_at DESC);
    CREATE INDEX idx_credit_usage_created_by ON @extschema@.credit_usage (created_by, workspace_id);
    CREATE INDEX idx_credit_usage_user_id ON @extschema@.credit_usage (user_id, workspace_id);
    PERFORM @extschema@.secure_table('@extschema@.credit_usage'::regclass);
    GRANT SELECT ON TABLE @extschema@.credit_usage TO authenticated;
    CREATE TRIGGER forbid_ledger_change BEFORE UPDATE OR DELETE ON @extschema@.credit_usage
        FOR EACH ROW EXECUTE FUNCTION @extschema@.forbid_ledger_change();
    CREATE TRIGGER forbid_ledger_truncate BEFORE TRUNCATE ON @extschema@.credit_usage
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.forbid_ledger_change();
    CREATE POLICY read_own_workspace ON @extschema@.credit_usage FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.credit_usage'::regclass,
        'Ledger of spent credits. Append-only: rows are deleted only with their workspace'::text, ARRAY[
        ['user_id', 'Member whose credits were spent; NULL after they were removed'],
        ['auth_user_id',
         'The person; kept when they are removed, so that rejoining does not renew their credits'],
        ['action_type', 'What the credits were spent on'],
        ['credits_used', 'Number of credits'],
        ['reference_id', 'Row that the credits were spent on'],
        ['metadata', 'Object: data of the application'],
        ['idempotency_key', 'Identifies the call, so that a repeated one spends nothing'],
        ['credit_usage_workspace_id_idempotency_key_key', 'A key is unique in the workspace'],
        ['credit_usage_credits_used_positive', 'Positive'],
        ['credit_usage_metadata_object', 'An object, not an array or a scalar'],
        ['forbid_ledger_change', 'Forbids UPDATE, and DELETE except with the workspace'],
        ['forbid_ledger_truncate', 'Forbids TRUNCATE'],
        ['read_own_workspace', 'Members see the credits spent by their active workspace']]);

    -- export_jobs -------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.export_jobs (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
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
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (user_id, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (user_id),
        CONSTRAINT export_jobs_filters_object CHECK (jsonb_typeof(filters) = 'object'),
        CONSTRAINT export_jobs_file_size_positive CHECK (file_size_bytes > 0),
        CONSTRAINT export_jobs_row_count_not_negative CHECK (row_count >= 0)
    );
    CREATE INDEX idx_export_jobs_workspace_id ON @extschema@.export_jobs (workspace_id, created_at DESC);
    CREATE INDEX idx_export_jobs_created_by ON @extschema@.export_jobs (created_by, workspace_id);
    CREATE INDEX idx_export_jobs_user_id ON @extschema@.export_jobs (user_id, workspace_id);
    CREATE INDEX idx_export_jobs_expires_at ON @extschema@.export_jobs (expires_at)
        WHERE expires_at IS NOT NULL;
    CREATE INDEX idx_export_jobs_filters ON @extschema@.export_jobs USING gin (filters jsonb_path_ops);
    PERFORM @extschema@.secure_table('@extschema@.export_jobs'::regclass);
    GRANT SELECT, INSERT (export_format, filters), DELETE ON TABLE @extschema@.export_jobs TO authenticated;
    CREATE TRIGGER set_expires_at BEFORE INSERT OR UPDATE ON @extschema@.export_jobs FOR EACH ROW
        WHEN (NEW.expires_at IS NULL AND (NEW.completed_at IS NOT NULL OR NEW.status = 'completed'))
        EXECUTE FUNCTION @extschema@.set_expires_at();
    CREATE TRIGGER queue_file_deletion AFTER DELETE ON @extschema@.export_jobs FOR EACH ROW
        WHEN (NOT @extschema@.is_blank(OLD.file_url)) EXECUTE FUNCTION @extschema@.queue_file_deletion();
    CREATE POLICY read_own_workspace ON @extschema@.export_jobs FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY add_own ON @extschema@.export_jobs FOR INSERT TO authenticated
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id())
                    AND user_id = (SELECT @extschema@.get_user_id()));
    CREATE POLICY delete_own ON @extschema@.export_jobs FOR DELETE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id())
               AND user_id = (SELECT @extschema@.get_user_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.export_jobs'::regclass,
        'Exports requested by members, with the location of the file'::text, ARRAY[
        ['user_id', 'Member who requested the export; NULL after they were removed'],
        ['export_format', 'Format of the file'],
        ['filters', 'Object: the filters of the exported rows'],
        ['status', 'State of the export'],
        ['file_url', 'URL of the file'],
        ['file_size_bytes', 'Size of the file in bytes'],
        ['row_count', 'Rows in the file'],
        ['error_message', 'Why the export failed'],
        ['started_at', 'When a worker started the export'],
        ['completed_at', 'When the file was complete'],
        ['expires_at', 'When the export is deleted with its file; seven days after completion if omitted'],
        ['idx_export_jobs_expires_at', 'Exports by expiry'],
        ['idx_export_jobs_filters', 'Supports containment (@>) where row-level security does not apply'],
        ['export_jobs_filters_object', 'An object, not an array or a scalar'],
        ['export_jobs_file_size_positive', 'Positive'],
        ['export_jobs_row_count_not_negative', 'Not negative'],
        ['set_expires_at', 'Sets expires_at when the export completes'],
        ['queue_file_deletion', 'Adds the file to expired_export_files'],
        ['read_own_workspace', 'Members see the exports of their active workspace'],
        ['add_own', 'Members add exports in their own name'],
        ['delete_own', 'Members delete their own exports']]);

    -- expired_export_files ----------------------------------------------------------------------------------
    -- file_url is not unique, because a signed URL may be longer than an index entry.
    CREATE TABLE @extschema@.expired_export_files (
        id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        file_url     text NOT NULL,
        workspace_id uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        expired_at   timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX idx_expired_export_files_workspace_id
        ON @extschema@.expired_export_files (workspace_id, expired_at);
    PERFORM @extschema@.secure_table('@extschema@.expired_export_files'::regclass);
    PERFORM @extschema@.comment_on_table('@extschema@.expired_export_files'::regclass,
        'Files of deleted exports, to be deleted by a worker of the file store'::text, ARRAY[
        ['file_url', 'URL of the file'],
        ['expired_at', 'When its export expired or was deleted'],
        ['idx_expired_export_files_workspace_id', 'Files of a workspace']]);
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000004_lead_system()
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000004_lead_system() IS
    'Migration 4: leads, credit_usage, export_jobs';

SELECT @extschema@.apply_migrations();
