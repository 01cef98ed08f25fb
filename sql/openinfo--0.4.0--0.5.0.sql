\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.5.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- openinfo 0.5.0: people search, with e-mails that are sealed until they are paid for.

-- ---------------------------------------------------------------------------------------------------------------
-- Sealing (src/sealing/)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.seal_contact() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_seal_contact';
REVOKE ALL ON FUNCTION @extschema@.seal_contact() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.seal_contact() IS 'Trigger: takes e-mails and phones out of person_data before the row is stored';

CREATE FUNCTION @extschema@.store_sealed_contact() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_store_sealed_contact';
REVOKE ALL ON FUNCTION @extschema@.store_sealed_contact() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.store_sealed_contact() IS 'Trigger: puts what was taken out of person_data into sealed_contacts';

-- ---------------------------------------------------------------------------------------------------------------
-- People (src/people/)
-- ---------------------------------------------------------------------------------------------------------------

-- LEAKPROOF, so that a lookup uses the index under row-level security: they never fail and show nothing.
CREATE FUNCTION @extschema@.person_name(person_data jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'openinfo_person_name';
REVOKE ALL ON FUNCTION @extschema@.person_name(jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.person_name(jsonb) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.person_name(jsonb) IS 'full_name as it is compared: composed (NFC), lowercase, one space between words; indexed with the workspace';

CREATE FUNCTION @extschema@.person_company(person_data jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'openinfo_person_company';
REVOKE ALL ON FUNCTION @extschema@.person_company(jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.person_company(jsonb) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.person_company(jsonb) IS 'company as it is compared: composed (NFC), lowercase, one space between words; indexed with the name';

CREATE FUNCTION @extschema@.person_seniority(person_data jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'openinfo_person_seniority';
REVOKE ALL ON FUNCTION @extschema@.person_seniority(jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.person_seniority(jsonb) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.person_seniority(jsonb) IS 'seniority_level, composed (NFC), one space between words, or NULL; indexed with the workspace';

CREATE FUNCTION @extschema@.person_email(person_data jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_person_email';
REVOKE ALL ON FUNCTION @extschema@.person_email(jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.person_email(jsonb) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.person_email(jsonb) IS 'The e-mail in an object that the caller has: in "email" or anywhere in it';

CREATE FUNCTION @extschema@.person_matches(person_data jsonb, filters jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_person_matches';
REVOKE ALL ON FUNCTION @extschema@.person_matches(jsonb, jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.person_matches(jsonb, jsonb) TO openinfo_owner;
COMMENT ON FUNCTION @extschema@.person_matches(jsonb, jsonb) IS 'Whether the text filters of search_people() find a person';

CREATE FUNCTION @extschema@.reveal_person_email(p_result_id uuid, p_user_id uuid DEFAULT @extschema@.get_user_id()) RETURNS jsonb
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_reveal_person_email';
REVOKE ALL ON FUNCTION @extschema@.reveal_person_email(uuid, uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.reveal_person_email(uuid, uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.reveal_person_email(uuid, uuid) IS 'Pays one credit for the contact of a person and unseals it: email, already_revealed, credits_used, credits_remaining';

CREATE FUNCTION @extschema@.search_people(p_workspace_id uuid, p_filters jsonb, p_limit int DEFAULT 50, p_offset int DEFAULT 0, p_after uuid DEFAULT NULL) RETURNS TABLE (
        id uuid, full_name text, title text, company text, location text, seniority_level text, department text,
        linkedin_url text, email text, email_revealed boolean, created_at timestamptz)
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_search_people';
REVOKE ALL ON FUNCTION @extschema@.search_people(uuid, jsonb, int, int, uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.search_people(uuid, jsonb, int, int, uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.search_people(uuid, jsonb, int, int, uuid) IS 'People of a workspace, newest first; email is [HIDDEN] until it is paid for';

CREATE FUNCTION @extschema@.count_people(p_workspace_id uuid, p_filters jsonb DEFAULT '{}') RETURNS bigint
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_count_people';
REVOKE ALL ON FUNCTION @extschema@.count_people(uuid, jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.count_people(uuid, jsonb) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.count_people(uuid, jsonb) IS 'Number of people that search_people() finds with these filters';

CREATE FUNCTION @extschema@.person_exists(p_workspace_id uuid, p_full_name text, p_company text) RETURNS uuid
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_person_exists';
REVOKE ALL ON FUNCTION @extschema@.person_exists(uuid, text, text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.person_exists(uuid, text, text) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.person_exists(uuid, text, text) IS 'The person of that name at that company in a workspace, or NULL';

CREATE FUNCTION @extschema@.get_people_search_stats(p_workspace_id uuid) RETURNS jsonb
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_get_people_search_stats';
REVOKE ALL ON FUNCTION @extschema@.get_people_search_stats(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_people_search_stats(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_people_search_stats(uuid) IS 'Counts of the people of a workspace';

CREATE FUNCTION @extschema@.update_saved_search_usage(p_search_id uuid) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_update_saved_search_usage';
REVOKE ALL ON FUNCTION @extschema@.update_saved_search_usage(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.update_saved_search_usage(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.update_saved_search_usage(uuid) IS 'Counts one use of a saved search, of people or of companies';

CREATE FUNCTION @extschema@.export_people_to_csv(p_workspace_id uuid, p_filters jsonb DEFAULT '{}') RETURNS TABLE (
        full_name text, title text, company text, location text, email text, linkedin_url text, seniority_level text, department text)
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_export_people_to_csv';
REVOKE ALL ON FUNCTION @extschema@.export_people_to_csv(uuid, jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.export_people_to_csv(uuid, jsonb) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.export_people_to_csv(uuid, jsonb) IS 'People of a workspace as rows of an export; email is [HIDDEN] until it is paid for';

-- ---------------------------------------------------------------------------------------------------------------
-- Migration
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.migration_20260101000005_people_search() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- people_search_results -----------------------------------------------------------------------------------
    CREATE TABLE @extschema@.people_search_results (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        user_id         uuid DEFAULT @extschema@.get_user_id(),
        person_data     jsonb NOT NULL,
        search_filters  jsonb DEFAULT '{}',
        email_revealed_at timestamptz,
        email_revealed_by uuid,
        UNIQUE (id, workspace_id),
        FOREIGN KEY (created_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (user_id, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (user_id),
        FOREIGN KEY (email_revealed_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (email_revealed_by),
        CONSTRAINT people_search_results_person_data_named CHECK (jsonb_typeof(person_data) = 'object' AND jsonb_typeof(person_data -> 'full_name') IS NOT DISTINCT FROM 'string'
            AND NOT @extschema@.is_blank(person_data ->> 'full_name')),
        CONSTRAINT people_search_results_search_filters_object CHECK (jsonb_typeof(search_filters) = 'object')
    );
    CREATE INDEX idx_people_search_results_workspace_id ON @extschema@.people_search_results (workspace_id, created_at DESC);
    CREATE INDEX idx_people_search_results_created_by ON @extschema@.people_search_results (created_by, workspace_id);
    CREATE INDEX idx_people_search_results_user_id ON @extschema@.people_search_results (user_id, workspace_id);
    CREATE INDEX idx_people_search_results_email_revealed_by ON @extschema@.people_search_results (email_revealed_by, workspace_id);
    CREATE INDEX idx_people_search_results_person_name ON @extschema@.people_search_results
        (workspace_id, @extschema@.person_name(person_data), @extschema@.person_company(person_data));
    CREATE INDEX idx_people_search_results_person_seniority ON @extschema@.people_search_results
        (workspace_id, @extschema@.person_seniority(person_data));
    CREATE INDEX idx_people_search_results_person_data ON @extschema@.people_search_results USING gin (person_data jsonb_path_ops);
    PERFORM @extschema@.secure_table('@extschema@.people_search_results'::regclass);
    GRANT SELECT, INSERT (person_data, search_filters), DELETE ON TABLE @extschema@.people_search_results TO authenticated;
    -- The names put "seal" last among the BEFORE triggers: it sees the row as it will be stored.
    CREATE TRIGGER zz_seal_fields BEFORE INSERT OR UPDATE ON @extschema@.people_search_results FOR EACH ROW EXECUTE FUNCTION @extschema@.seal_contact();
    CREATE TRIGGER zz_store_sealed AFTER INSERT OR UPDATE ON @extschema@.people_search_results FOR EACH ROW EXECUTE FUNCTION @extschema@.store_sealed_contact();
    CREATE POLICY read_own_workspace ON @extschema@.people_search_results FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY add_own ON @extschema@.people_search_results FOR INSERT TO authenticated
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND user_id = (SELECT @extschema@.get_user_id()));
    CREATE POLICY delete_own_workspace ON @extschema@.people_search_results FOR DELETE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.people_search_results'::regclass, 'People that a search found. What has not been paid for is not in here'::text, ARRAY[
        ['user_id', 'Who searched; NULL once he is removed'],
        ['person_data', 'Object: the person; "full_name" is required. E-mails and phones are sealed until they are paid for'],
        ['search_filters', 'Object: the filters that found him'],
        ['email_revealed_at', 'When the contact was paid for'],
        ['email_revealed_by', 'Who paid'],
        ['idx_people_search_results_person_name', 'The way to a person by name and company under row-level security'],
        ['idx_people_search_results_person_seniority', 'The way to people by seniority under row-level security'],
        ['idx_people_search_results_person_data', 'Serves containment (@>) without row-level security'],
        ['people_search_results_person_data_named', 'An object whose full_name is a string and not blank'],
        ['people_search_results_search_filters_object', 'An object, not an array or a scalar'],
        ['zz_seal_fields', 'Takes e-mails and phones out of the row before it is stored'],
        ['zz_store_sealed', 'Puts what was taken out into sealed_contacts'],
        ['read_own_workspace', 'Members see the people of their active workspace'],
        ['add_own', 'A member adds in his own name'],
        ['delete_own_workspace', 'Members delete people of their active workspace']]);

    -- sealed_contacts -----------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.sealed_contacts (
        result_id    uuid NOT NULL,
        workspace_id uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        sealed       jsonb NOT NULL,
        sealed_at    timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (result_id, workspace_id),
        FOREIGN KEY (result_id, workspace_id) REFERENCES @extschema@.people_search_results (id, workspace_id) ON DELETE CASCADE
    );
    CREATE INDEX idx_sealed_contacts_workspace_id ON @extschema@.sealed_contacts (workspace_id);
    PERFORM @extschema@.secure_table('@extschema@.sealed_contacts'::regclass);
    -- No API role reads this, not even service_role: only reveal_person_email() opens it.
    REVOKE ALL ON TABLE @extschema@.sealed_contacts FROM service_role;
    DROP POLICY service_all ON @extschema@.sealed_contacts;
    PERFORM @extschema@.comment_on_table('@extschema@.sealed_contacts'::regclass, 'Sealed: what was taken out of person_data until it is paid for. No API role may read it'::text, ARRAY[
        ['result_id', 'The row of people_search_results'],
        ['sealed', 'Object: what was taken out of person_data'],
        ['sealed_at', 'When it was sealed']]);

    -- saved_people_searches -----------------------------------------------------------------------------------
    CREATE TABLE @extschema@.saved_people_searches (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        user_id         uuid DEFAULT @extschema@.get_user_id(),
        name            text NOT NULL,
        filters         jsonb DEFAULT '{}',
        last_used_at    timestamptz,
        use_count       int NOT NULL DEFAULT 0,
        FOREIGN KEY (created_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (user_id, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (user_id),
        CONSTRAINT saved_people_searches_name_not_blank CHECK (NOT @extschema@.is_blank(name)),
        CONSTRAINT saved_people_searches_filters_object CHECK (jsonb_typeof(filters) = 'object'),
        CONSTRAINT saved_people_searches_use_count_not_negative CHECK (use_count >= 0)
    );
    CREATE INDEX idx_saved_people_searches_workspace_id ON @extschema@.saved_people_searches (workspace_id, created_at DESC);
    CREATE INDEX idx_saved_people_searches_created_by ON @extschema@.saved_people_searches (created_by, workspace_id);
    CREATE INDEX idx_saved_people_searches_user_id ON @extschema@.saved_people_searches (user_id, workspace_id);
    CREATE INDEX idx_saved_people_searches_filters ON @extschema@.saved_people_searches USING gin (filters jsonb_path_ops);
    PERFORM @extschema@.secure_table('@extschema@.saved_people_searches'::regclass);
    GRANT SELECT, INSERT (name, filters), UPDATE (name, filters, last_used_at, use_count), DELETE
        ON TABLE @extschema@.saved_people_searches TO authenticated;
    CREATE POLICY read_own_workspace ON @extschema@.saved_people_searches FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY add_own ON @extschema@.saved_people_searches FOR INSERT TO authenticated
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND user_id = (SELECT @extschema@.get_user_id()));
    CREATE POLICY change_own_workspace ON @extschema@.saved_people_searches FOR UPDATE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY delete_own ON @extschema@.saved_people_searches FOR DELETE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND user_id = (SELECT @extschema@.get_user_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.saved_people_searches'::regclass, 'People filters kept under a name'::text, ARRAY[
        ['user_id', 'Who saved it; NULL once he is removed'],
        ['name', 'Name to show'],
        ['filters', 'Object: the filters'],
        ['last_used_at', 'When it was last used'],
        ['use_count', 'How often it was used'],
        ['idx_saved_people_searches_filters', 'Serves containment (@>) without row-level security'],
        ['saved_people_searches_name_not_blank', 'A saved search has a name'],
        ['saved_people_searches_filters_object', 'An object, not an array or a scalar'],
        ['saved_people_searches_use_count_not_negative', 'A counter is never negative'],
        ['read_own_workspace', 'Members see the saved searches of their active workspace'],
        ['add_own', 'A member saves in his own name'],
        ['change_own_workspace', 'Members share saved searches'],
        ['delete_own', 'A member deletes what he saved']]);
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000005_people_search() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000005_people_search() IS 'Migration 5: people_search_results, saved_people_searches';

SELECT @extschema@.apply_migrations();
