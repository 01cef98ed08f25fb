\echo Use "ALTER EXTENSION openinfo UPDATE TO '0.5.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- openinfo 0.5.0: people search; e-mail addresses are sealed until they are paid for.

-- -----------------------------------------------------------------------------------------------------------
-- Sealing (src/sealing/)
-- -----------------------------------------------------------------------------------------------------------

-- The list of visible fields as it is installed; the migration copies it into table visible_fields.
CREATE FUNCTION @extschema@.default_visible_fields(p_object text) RETURNS TABLE (field text, kind text)
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $fn$
SELECT f.field, d.kind FROM (VALUES
    ('person', 'text',
    'full_name name first_name middle_name middle_initial last_name given_name family_name nickname
        name_prefix name_suffix prefix suffix salutation pronouns gender title job_title current_title
        position role sub_role job_title_role job_title_sub_role job_title_class job_title_levels
        headline job_level levels occupation seniority seniority_level management_level department
        departments sub_department subdepartments master_department job_function functions persona
        persona_type company company_name current_company current_employer organization
        organization_name employer account_name company_type industry industries sub_industry sector
        company_industry job_company_name job_company_industry employment_type ticker currency location
        location_name city state region province county country country_code state_code continent
        locality metro metro_area neighborhood timezone location_country location_region
        location_locality location_metro location_continent person_city person_state person_country
        person_location company_city company_state company_country mailing_city mailing_state
        mailing_country job_company_location_name job_company_location_country skills interests language
        languages proficiency certifications specialties school school_name university institution
        degree degrees major majors minors field_of_study type kind label is_current current is_primary
        primary status verification verified lead_status lead_source source stage lifecycle_stage rating
        email_status email_type email_verified email_verification_status email_deliverability
        email_opt_out hs_email_optout has_opted_out_of_email unsubscribed_from_emails do_not_call
        has_email has_personal_email has_work_email has_phone has_mobile_phone has_direct_phone
        smtp_valid accept_all disposable webmail username handle screen_name'),
    ('person', 'url',
    'linkedin_url linkedin linkedin_profile linkedin_profile_url public_profile_url profile_url
        profile person_linkedin_url company_linkedin_url linkedin_company_url twitter_url twitter x_url
        facebook_url facebook instagram_url instagram github_url github gitlab_url xing_url xing
        youtube_url medium_url crunchbase_url crunchbase angellist_url angellist stackoverflow_url url
        website website_url company_website company_url company_domain primary_domain
        job_company_website photo_url photo avatar avatar_url profile_pic image_url logo_url'),
    ('person', 'id',
    'id uuid urn external_id person_id contact_id company_id organization_id account_id owner_id
        lead_id record_id profile_id vid object_id hs_object_id linkedin_id linkedin_uid facebook_id
        twitter_id hubspot_id salesforce_id apollo_id zoom_info_id rocketreach_id crunchbase_id orcid
        registration_number postal_code zip zip_code latitude longitude lat lng lon email_confidence
        email_score confidence confidence_score score grade accuracy likelihood match_score lead_score
        hubspot_score revenue annual_revenue revenue_range revenue_usd funding total_funding market_cap
        employees employee_count employee_range employees_range number_of_employees
        estimated_num_employees headcount company_size size followers followers_count follower_count
        connections connections_count num_connections years_of_experience inferred_years_experience sic
        sic_code naics naics_code gpa version'),
    ('person', 'date',
    'created created_at created_date create_date updated updated_at modified_at last_modified
        last_modified_date system_modstamp last_updated last_updated_at last_seen last_seen_at
        first_seen indexed_at timestamp date year start_date end_date start_year end_year started_at
        ended_at job_start_date job_last_updated hired_at connected_on last_activity_date last_contacted
        email_verified_at email_last_verified_on founded founded_year founded_at'),
    ('integration', 'text',
    'channel channel_name channels event events event_type event_types webhook_events topics method
        format content_type from from_name subject template enabled active muted verify_ssl language
        locale timezone frequency schedule digest mode kind type label description priority retries
        max_retries timeout timeout_seconds batch_size fields columns filters sort_by project team board
        list stage pipeline icon_emoji mention region environment'),
    ('integration', 'id', 'version api_version'),
    ('integration', 'date', 'created_at updated_at expires_at')
) AS d (object, kind, fields) CROSS JOIN LATERAL regexp_split_to_table(d.fields, '\s+') AS f (field)
 WHERE d.object = p_object
$fn$;
REVOKE ALL ON FUNCTION @extschema@.default_visible_fields(text)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.default_visible_fields(text) TO service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.default_visible_fields(text) IS
    'Fields of an object (person or integration) that are visible unless visible_fields has been changed';

-- Its cost keeps the planner from calling it for each row of the list instead of using the index.
CREATE FUNCTION @extschema@.visible_field_name(p_field text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'openinfo_visible_field_name';
REVOKE ALL ON FUNCTION @extschema@.visible_field_name(text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.visible_field_name(text) TO service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.visible_field_name(text) IS
    'A field as keys are compared with it: without case, signs and digits at its end';

CREATE FUNCTION @extschema@.visible_fields_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_visible_fields_changed';
REVOKE ALL ON FUNCTION @extschema@.visible_fields_changed() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.visible_fields_changed() IS
    'Trigger: makes every session read the list of visible fields again';

CREATE FUNCTION @extschema@.check_visible_field() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    IF NEW.object = 'person'
       AND regexp_replace(lower(NEW.field), '[^a-z]', '', 'g')
           ~ ('^(?!has|is|un|webmail).*(mails?|mail(address|addr)(es)?|phones?'
              '|(phone|mobile|fax|cell|tel)(number|num|no|nr)s?)$'
              '|^(tel|mobile|cell|fax|whatsapp)s?$')
    THEN
        RAISE WARNING 'visible field "%" is named like a contact', NEW.field
            USING HINT = 'Members see its values before anybody has paid for them.';
    END IF;
    RETURN NEW;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.check_visible_field() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.check_visible_field() IS
    'Trigger: warns about a visible field of a person that is named like a contact';

CREATE FUNCTION @extschema@.is_sealed(p_object text, p_data jsonb) RETURNS boolean
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_is_sealed';
REVOKE ALL ON FUNCTION @extschema@.is_sealed(text, jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.is_sealed(text, jsonb) TO service_role;
COMMENT ON FUNCTION @extschema@.is_sealed(text, jsonb) IS
    'Whether an object (person or integration) shows only what visible_fields lets it show';

CREATE FUNCTION @extschema@.reseal(p_object text) RETURNS bigint
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_reseal';
REVOKE ALL ON FUNCTION @extschema@.reseal(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.reseal(text) IS
    'Applies visible_fields to the rows that are there, for superusers; returns the number of rows changed';

CREATE FUNCTION @extschema@.seal_contact() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_seal_contact';
REVOKE ALL ON FUNCTION @extschema@.seal_contact() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.seal_contact() IS 
    'Trigger: removes fields that are not visible from person_data';

CREATE FUNCTION @extschema@.store_sealed_contact() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_store_sealed_contact';
REVOKE ALL ON FUNCTION @extschema@.store_sealed_contact() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.store_sealed_contact() IS
    'Trigger: stores what was removed from person_data in sealed_contacts';

-- -----------------------------------------------------------------------------------------------------------
-- People (src/people/)
-- -----------------------------------------------------------------------------------------------------------

-- LEAKPROOF, so that a lookup uses the index under row-level security: they raise no errors.
CREATE FUNCTION @extschema@.person_name(person_data jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'openinfo_person_name';
REVOKE ALL ON FUNCTION @extschema@.person_name(jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.person_name(jsonb) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.person_name(jsonb) IS
    'full_name normalized for comparison: NFC, lowercase, one space between words. Indexed';

CREATE FUNCTION @extschema@.person_company(person_data jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'openinfo_person_company';
REVOKE ALL ON FUNCTION @extschema@.person_company(jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.person_company(jsonb) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.person_company(jsonb) IS
    'company normalized for comparison: NFC, lowercase, one space between words. Indexed';

CREATE FUNCTION @extschema@.person_seniority(person_data jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'openinfo_person_seniority';
REVOKE ALL ON FUNCTION @extschema@.person_seniority(jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.person_seniority(jsonb) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.person_seniority(jsonb) IS
    'seniority_level normalized: NFC, one space between words; or NULL. Indexed';

CREATE FUNCTION @extschema@.person_email(person_data jsonb) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_person_email';
REVOKE ALL ON FUNCTION @extschema@.person_email(jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.person_email(jsonb) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.person_email(jsonb) IS
    'E-mail address in an object; a current work address is preferred';

CREATE FUNCTION @extschema@.person_matches(person_data jsonb, filters jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_person_matches';
REVOKE ALL ON FUNCTION @extschema@.person_matches(jsonb, jsonb)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.person_matches(jsonb, jsonb) TO openinfo_owner;
COMMENT ON FUNCTION @extschema@.person_matches(jsonb, jsonb) IS
    'Whether a person matches the text filters of search_people()';

CREATE FUNCTION @extschema@.reveal_person_email(
        p_result_id uuid, p_user_id uuid DEFAULT @extschema@.get_user_id()) RETURNS jsonb
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_reveal_person_email';
REVOKE ALL ON FUNCTION @extschema@.reveal_person_email(uuid, uuid)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.reveal_person_email(uuid, uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.reveal_person_email(uuid, uuid) IS
    'Spends one credit and reveals a person: email, already_revealed, credits_used, credits_remaining';

CREATE FUNCTION @extschema@.search_people(
        p_workspace_id uuid, p_filters jsonb, p_limit int DEFAULT 50, p_offset int DEFAULT 0,
        p_after uuid DEFAULT NULL) RETURNS TABLE (
        id uuid, full_name text, title text, company text, location text, seniority_level text,
        department text,
        linkedin_url text, email text, email_revealed boolean, created_at timestamptz)
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_search_people';
REVOKE ALL ON FUNCTION @extschema@.search_people(uuid, jsonb, int, int, uuid)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.search_people(uuid, jsonb, int, int, uuid)
    TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.search_people(uuid, jsonb, int, int, uuid) IS
    'People of a workspace that match the filters, newest first; email is [HIDDEN] until it is paid for';

CREATE FUNCTION @extschema@.count_people(p_workspace_id uuid, p_filters jsonb DEFAULT '{}') RETURNS bigint
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_count_people';
REVOKE ALL ON FUNCTION @extschema@.count_people(uuid, jsonb) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.count_people(uuid, jsonb) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.count_people(uuid, jsonb) IS
    'Number of people that search_people() finds with these filters';

CREATE FUNCTION @extschema@.person_exists(p_workspace_id uuid, p_full_name text, p_company text) RETURNS uuid
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_person_exists';
REVOKE ALL ON FUNCTION @extschema@.person_exists(uuid, text, text)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.person_exists(uuid, text, text) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.person_exists(uuid, text, text) IS
    'Id of the person with this name and company in a workspace, or NULL';

CREATE FUNCTION @extschema@.get_people_search_stats(p_workspace_id uuid) RETURNS jsonb
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_get_people_search_stats';
REVOKE ALL ON FUNCTION @extschema@.get_people_search_stats(uuid)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_people_search_stats(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.get_people_search_stats(uuid) IS
    'Numbers of people and revealed e-mail addresses of a workspace';

CREATE FUNCTION @extschema@.update_saved_search_usage(p_search_id uuid) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_update_saved_search_usage';
REVOKE ALL ON FUNCTION @extschema@.update_saved_search_usage(uuid)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.update_saved_search_usage(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.update_saved_search_usage(uuid) IS
    'Counts a use of a saved search or saved people search';

CREATE FUNCTION @extschema@.export_people_to_csv(p_workspace_id uuid, p_filters jsonb DEFAULT '{}')
    RETURNS TABLE (
        full_name text, title text, company text, location text, email text, linkedin_url text,
        seniority_level text, department text)
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_export_people_to_csv';
REVOKE ALL ON FUNCTION @extschema@.export_people_to_csv(uuid, jsonb)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.export_people_to_csv(uuid, jsonb) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.export_people_to_csv(uuid, jsonb) IS
    'People of a workspace that match the filters, for an export; email is [HIDDEN] until it is paid for';

-- -----------------------------------------------------------------------------------------------------------
-- Migration
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.migration_20260101000005_people_search() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- people_search_results ---------------------------------------------------------------------------------
    CREATE TABLE @extschema@.people_search_results (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        user_id         uuid DEFAULT @extschema@.get_user_id(),
        person_data     jsonb NOT NULL,
        search_filters  jsonb DEFAULT '{}',
        email_revealed_at timestamptz,
        email_revealed_by uuid,
        UNIQUE (id, workspace_id),
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (user_id, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (user_id),
        FOREIGN KEY (email_revealed_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (email_revealed_by),
        CONSTRAINT people_search_results_person_data_named
            CHECK (jsonb_typeof(person_data) = 'object'
                   AND jsonb_typeof(person_data -> 'full_name') IS NOT DISTINCT FROM 'string'
            AND NOT @extschema@.is_blank(person_data ->> 'full_name')),
        CONSTRAINT people_search_results_search_filters_object CHECK (jsonb_typeof(search_filters) = 'object')
    );
    CREATE INDEX idx_people_search_results_workspace_id
        ON @extschema@.people_search_results (workspace_id, created_at DESC);
    CREATE INDEX idx_people_search_results_created_by
        ON @extschema@.people_search_results (created_by, workspace_id);
    CREATE INDEX idx_people_search_results_user_id
        ON @extschema@.people_search_results (user_id, workspace_id);
    CREATE INDEX idx_people_search_results_email_revealed_by
        ON @extschema@.people_search_results (email_revealed_by, workspace_id);
    CREATE INDEX idx_people_search_results_person_name ON @extschema@.people_search_results
        (workspace_id, @extschema@.person_name(person_data), @extschema@.person_company(person_data));
    CREATE INDEX idx_people_search_results_person_seniority ON @extschema@.people_search_results
        (workspace_id, @extschema@.person_seniority(person_data));
    CREATE INDEX idx_people_search_results_person_data ON @extschema@.people_search_results
        USING gin (person_data jsonb_path_ops);
    PERFORM @extschema@.secure_table('@extschema@.people_search_results'::regclass);
    GRANT SELECT, INSERT (person_data, search_filters), DELETE ON TABLE @extschema@.people_search_results
        TO authenticated;
    -- By its name zz_seal_fields fires last of the BEFORE triggers, on the row as it will be stored.
    CREATE TRIGGER zz_seal_fields BEFORE INSERT OR UPDATE ON @extschema@.people_search_results
        FOR EACH ROW EXECUTE FUNCTION @extschema@.seal_contact();
    CREATE TRIGGER zz_store_sealed AFTER INSERT OR UPDATE ON @extschema@.people_search_results
        FOR EACH ROW EXECUTE FUNCTION @extschema@.store_sealed_contact();
    CREATE POLICY read_own_workspace ON @extschema@.people_search_results FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY add_own ON @extschema@.people_search_results FOR INSERT TO authenticated
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id())
                    AND user_id = (SELECT @extschema@.get_user_id()));
    CREATE POLICY delete_own_workspace ON @extschema@.people_search_results FOR DELETE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.people_search_results'::regclass,
        'People found by searches. Data that has not been paid for is in sealed_contacts'::text, ARRAY[
        ['user_id', 'Member who searched; NULL after they were removed'],
        ['person_data',
         'Object: the person; "full_name" is required. Only visible_fields are shown until it is paid for'],
        ['search_filters', 'Object: the filters of the search'],
        ['email_revealed_at', 'When the contact was paid for'],
        ['email_revealed_by', 'Member who paid'],
        ['idx_people_search_results_person_name',
         'Supports lookups by name and company, also under row-level security'],
        ['idx_people_search_results_person_seniority',
         'Supports lookups by seniority, also under row-level security'],
        ['idx_people_search_results_person_data',
         'Supports containment (@>) where row-level security does not apply'],
        ['people_search_results_person_data_named', 'An object whose "full_name" is a string and not blank'],
        ['people_search_results_search_filters_object', 'An object, not an array or a scalar'],
        ['zz_seal_fields', 'Removes fields that are not visible from person_data'],
        ['zz_store_sealed', 'Stores what was removed in sealed_contacts'],
        ['read_own_workspace', 'Members see the people of their active workspace'],
        ['add_own', 'Members add people in their own name'],
        ['delete_own_workspace', 'Members delete people of their active workspace']]);
    PERFORM @extschema@.create_computed_field('@extschema@.people_search_results'::regclass, f, 'person_data')
       FROM unnest(ARRAY['person_name', 'person_company', 'person_seniority']) f;

    -- visible_fields ----------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.visible_fields (
        object text COLLATE "C",
        field  text COLLATE "C",
        kind   text NOT NULL DEFAULT 'text',
        PRIMARY KEY (object, field),
        CONSTRAINT visible_fields_object_known CHECK (object IN ('person', 'integration')),
        CONSTRAINT visible_fields_kind_known CHECK (kind IN ('text', 'url', 'id', 'date')),
        CONSTRAINT visible_fields_field_named CHECK (field ~ '[[:alpha:]]' AND octet_length(field) <= 64)
    );
    CREATE UNIQUE INDEX visible_fields_name
        ON @extschema@.visible_fields (object, @extschema@.visible_field_name(field));
    PERFORM @extschema@.secure_table('@extschema@.visible_fields'::regclass);
    REVOKE INSERT, UPDATE, DELETE ON TABLE @extschema@.visible_fields FROM service_role;
    CREATE TRIGGER check_visible_field BEFORE INSERT OR UPDATE ON @extschema@.visible_fields
        FOR EACH ROW EXECUTE FUNCTION @extschema@.check_visible_field();
    CREATE TRIGGER visible_fields_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE
        ON @extschema@.visible_fields
        FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.visible_fields_changed();
    ALTER TABLE @extschema@.visible_fields ENABLE ALWAYS TRIGGER visible_fields_changed;
    PERFORM @extschema@.comment_on_table('@extschema@.visible_fields'::regclass,
        'Fields of JSON objects that are visible to members; others are sealed. Users may change it'::text,
        ARRAY[
        ['object', 'person: person_data of people_search_results; integration: config of integrations'],
        ['field', 'Key of the object, at any depth; compared without case, signs and digits at its end'],
        ['kind',
         'Kind of the values: text, url, id or date. What can be a telephone number is sealed in a text'],
        ['visible_fields_name', 'A key is on the list once, however it is spelled'],
        ['visible_fields_object_known', 'person or integration'],
        ['visible_fields_kind_known', 'text, url, id or date'],
        ['visible_fields_field_named', 'A key with a letter in it, of at most 64 bytes'],
        ['check_visible_field', 'Warns about a field of a person that is named like a contact'],
        ['visible_fields_changed', 'Sessions keep the list and read it again after a change']]);
    INSERT INTO @extschema@.visible_fields (object, field, kind)
        SELECT o, d.field, d.kind
          FROM unnest('{person,integration}'::text[]) o
         CROSS JOIN LATERAL @extschema@.default_visible_fields(o) d;

    -- sealed_contacts ---------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.sealed_contacts (
        result_id    uuid NOT NULL,
        workspace_id uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        sealed       jsonb NOT NULL,
        sealed_at    timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (result_id, workspace_id),
        FOREIGN KEY (result_id, workspace_id)
            REFERENCES @extschema@.people_search_results (id, workspace_id) ON DELETE CASCADE
    );
    CREATE INDEX idx_sealed_contacts_workspace_id ON @extschema@.sealed_contacts (workspace_id);
    PERFORM @extschema@.secure_table('@extschema@.sealed_contacts'::regclass);
    -- No API role reads it, not even service_role; reveal_person_email() does.
    REVOKE ALL ON TABLE @extschema@.sealed_contacts FROM service_role;
    DROP POLICY service_all ON @extschema@.sealed_contacts;
    PERFORM @extschema@.comment_on_table('@extschema@.sealed_contacts'::regclass,
        'What is sealed of person_data until it is paid for. No API role may read it'::text, ARRAY[
        ['result_id', 'The row of people_search_results'],
        ['sealed', 'Object: what was removed from person_data'],
        ['sealed_at', 'When it was sealed']]);

    -- saved_people_searches ---------------------------------------------------------------------------------
    CREATE TABLE @extschema@.saved_people_searches (
        id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        created_by      uuid,
        workspace_id    uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        user_id         uuid DEFAULT @extschema@.get_user_id(),
        name            text NOT NULL,
        filters         jsonb DEFAULT '{}',
        last_used_at    timestamptz,
        use_count       int NOT NULL DEFAULT 0,
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (user_id, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (user_id),
        CONSTRAINT saved_people_searches_name_not_blank CHECK (NOT @extschema@.is_blank(name)),
        CONSTRAINT saved_people_searches_filters_object CHECK (jsonb_typeof(filters) = 'object'),
        CONSTRAINT saved_people_searches_use_count_not_negative CHECK (use_count >= 0)
    );
    CREATE INDEX idx_saved_people_searches_workspace_id
        ON @extschema@.saved_people_searches (workspace_id, created_at DESC);
    CREATE INDEX idx_saved_people_searches_created_by
        ON @extschema@.saved_people_searches (created_by, workspace_id);
    CREATE INDEX idx_saved_people_searches_user_id
        ON @extschema@.saved_people_searches (user_id, workspace_id);
    CREATE INDEX idx_saved_people_searches_filters ON @extschema@.saved_people_searches
        USING gin (filters jsonb_path_ops);
    PERFORM @extschema@.secure_table('@extschema@.saved_people_searches'::regclass);
    GRANT SELECT, INSERT (name, filters), UPDATE (name, filters, last_used_at, use_count), DELETE
        ON TABLE @extschema@.saved_people_searches TO authenticated;
    CREATE POLICY read_own_workspace ON @extschema@.saved_people_searches FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY add_own ON @extschema@.saved_people_searches FOR INSERT TO authenticated
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id())
                    AND user_id = (SELECT @extschema@.get_user_id()));
    CREATE POLICY change_own_workspace ON @extschema@.saved_people_searches FOR UPDATE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY delete_own ON @extschema@.saved_people_searches FOR DELETE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id())
               AND user_id = (SELECT @extschema@.get_user_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.saved_people_searches'::regclass,
        'Named filters for people'::text, ARRAY[
        ['user_id', 'Member who saved the search; NULL after they were removed'],
        ['name', 'Display name'],
        ['filters', 'Object: the filters'],
        ['last_used_at', 'When the search was last used'],
        ['use_count', 'How often the search was used'],
        ['idx_saved_people_searches_filters',
         'Supports containment (@>) where row-level security does not apply'],
        ['saved_people_searches_name_not_blank', 'The name is not blank'],
        ['saved_people_searches_filters_object', 'An object, not an array or a scalar'],
        ['saved_people_searches_use_count_not_negative', 'Not negative'],
        ['read_own_workspace', 'Members see the saved searches of their active workspace'],
        ['add_own', 'Members add saved searches in their own name'],
        ['change_own_workspace', 'Members change the saved searches of their active workspace'],
        ['delete_own', 'Members delete their own saved searches']]);
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000005_people_search()
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000005_people_search() IS
    'Migration 5: people_search_results, saved_people_searches';

SELECT @extschema@.apply_migrations();
