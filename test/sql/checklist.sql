-- security_checklist(): every item holds on a new installation, and each is reported once it is broken.
SET search_path = pg_temp;
SET client_min_messages = warning;

-- It needs no more than service_role has.
SET ROLE service_role;
SELECT item, ok, detail IS NOT NULL AS says_what FROM openinfo.security_checklist();
RESET ROLE;

-- Nobody else may ask.
SELECT r, has_function_privilege(r, 'openinfo.security_checklist()', 'EXECUTE')
  FROM unnest('{anon,authenticated,service_role}'::text[]) r;

-- What service_role finds after a command, which is then undone.
CREATE FUNCTION pg_temp.found_after(p_command text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    v_found text[];
BEGIN
    BEGIN
        EXECUTE p_command;
        SET LOCAL ROLE service_role;
        -- MAINTAIN is there from 17 on
        v_found := ARRAY(SELECT item || ': ' || regexp_replace(detail, 'MAINTAIN on [^;]*; ', '', 'g')
                           FROM openinfo.security_checklist() WHERE NOT ok);
        RAISE EXCEPTION USING ERRCODE = 'UNDO0';
    EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
        NULL;
    END;
    RETURN QUERY SELECT unnest(v_found);
END
$$;

-- Each item, broken in the ways that it can be.  What a member of another role may do, and what
-- PUBLIC may, a request may do as well, so one command can break several.
CREATE TABLE pg_temp.broken (n int GENERATED ALWAYS AS IDENTITY, command text);
INSERT INTO pg_temp.broken (command) VALUES
    ('ALTER TABLE openinfo.leads DISABLE ROW LEVEL SECURITY'),
    ('ALTER TABLE openinfo.schema_migrations DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY'),
    ('ALTER TABLE openinfo.users NO FORCE ROW LEVEL SECURITY'),
    ('ALTER TABLE openinfo.integration_events RENAME TO events'),

    ('CREATE POLICY mine ON openinfo.leads TO authenticated USING (true)'),
    ('CREATE POLICY mine ON openinfo.leads FOR SELECT TO PUBLIC USING (company_data ? ''name'')'),
    ('CREATE POLICY mine ON openinfo.leads FOR INSERT TO authenticated WITH CHECK (true)'),
    ('CREATE POLICY mine ON openinfo.leads TO authenticated USING (workspace_id = (SELECT '
     'openinfo.get_user_workspace_id()) OR company_data ? ''public'')'),
    ('CREATE POLICY mine ON openinfo.leads TO authenticated USING (workspace_id = (SELECT '
     'openinfo.get_user_workspace_id())) WITH CHECK (workspace_id IS NOT NULL)'),
    ('CREATE POLICY mine ON openinfo.workspaces FOR SELECT TO authenticated USING (slug <> '''')'),
    ('CREATE POLICY mine ON openinfo.plans FOR UPDATE TO authenticated USING (true)'),
    ('CREATE ROLE regress_group; GRANT regress_group TO authenticated; '
     'CREATE POLICY mine ON openinfo.leads TO regress_group USING (true)'),
    ('CREATE SCHEMA regress_other; CREATE FUNCTION regress_other.get_user_workspace_id() '
     'RETURNS uuid LANGUAGE sql AS ''SELECT null::uuid'';
      CREATE POLICY mine ON openinfo.leads TO authenticated
        USING (workspace_id = (SELECT regress_other.get_user_workspace_id()))'),

    ('CREATE SCHEMA regress_other; GRANT USAGE ON SCHEMA regress_other TO authenticated; '
     'CREATE VIEW regress_other.all_leads AS TABLE openinfo.leads; '
     'GRANT SELECT ON regress_other.all_leads TO authenticated'),
    ('CREATE SCHEMA regress_other; GRANT USAGE ON SCHEMA regress_other TO anon;
      CREATE VIEW regress_other.inner_view WITH (security_invoker = true) AS TABLE openinfo.users;
      CREATE VIEW regress_other.outer_view AS SELECT count(*) FROM regress_other.inner_view;
      GRANT SELECT ON regress_other.outer_view TO anon'),
    ('CREATE SCHEMA regress_other; GRANT USAGE ON SCHEMA regress_other TO authenticated; '
     'CREATE MATERIALIZED VIEW regress_other.kept AS SELECT slug FROM openinfo.workspaces; '
     'GRANT SELECT ON regress_other.kept TO authenticated'),

    ('ALTER ROLE authenticated BYPASSRLS'),
    ('ALTER ROLE anon LOGIN'),
    ('ALTER ROLE authenticated CREATEROLE REPLICATION'),
    ('GRANT pg_write_server_files TO authenticated'),
    ('CREATE ROLE regress_owner; GRANT CREATE ON SCHEMA openinfo TO regress_owner; '
     'ALTER TABLE openinfo.trends OWNER TO regress_owner; GRANT regress_owner TO anon'),
    ('CREATE ROLE regress_owner; GRANT CREATE ON SCHEMA openinfo TO authenticated; '
     'ALTER TABLE openinfo.trends OWNER TO authenticated; '
     'REVOKE CREATE ON SCHEMA openinfo FROM authenticated'),

    ('GRANT EXECUTE ON FUNCTION openinfo.reset_daily_credits() TO authenticated'),
    ('GRANT EXECUTE ON FUNCTION openinfo.security_checklist() TO authenticated'),
    ('CREATE ROLE regress_group; GRANT regress_group TO authenticated; '
     'GRANT EXECUTE ON FUNCTION openinfo.seal_contact() TO regress_group'),

    ('ALTER FUNCTION openinfo.security_checklist() RESET search_path'),
    ('ALTER FUNCTION openinfo.apply_migrations() SET search_path = public'),
    ('CREATE FUNCTION public.regress_open() RETURNS int LANGUAGE sql SECURITY DEFINER AS ''SELECT 1'''),
    ('CREATE FUNCTION public.regress_open() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '
     'pg_catalog, "$user" AS ''SELECT 1'''),
    ('CREATE SCHEMA regress_other; GRANT ALL ON SCHEMA regress_other TO authenticated;
      CREATE FUNCTION regress_other.open() RETURNS int LANGUAGE sql SECURITY DEFINER
        SET search_path = pg_catalog, regress_other AS ''SELECT 1'''),
    ('CREATE SCHEMA regress_other; CREATE FUNCTION regress_other.fired() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER AS ''BEGIN RETURN NULL; END'';
      CREATE TRIGGER mine AFTER INSERT ON openinfo.leads
        FOR EACH ROW EXECUTE FUNCTION regress_other.fired()'),

    ('GRANT SELECT ON openinfo.sealed_contacts TO service_role'),
    ('GRANT UPDATE (sealed) ON openinfo.sealed_secrets TO service_role'),
    ('DROP TRIGGER zz_seal_fields ON openinfo.people_search_results'),
    ('ALTER TABLE openinfo.integrations DISABLE TRIGGER zz_store_sealed'),
    ('INSERT INTO openinfo.workspaces (id, slug, name) VALUES (''c4ec0000-0000-4000-8000-000000000001'', '
     '''checklist'', ''C'');
      INSERT INTO openinfo.integrations (workspace_id, type, name, config)
      VALUES (''c4ec0000-0000-4000-8000-000000000001'', ''slack'', ''S'', ''{"channel": "#a"}'');
      DELETE FROM openinfo.visible_fields WHERE object = ''integration'''),
    ('DROP TRIGGER zz_seal_fields ON openinfo.integrations; '
     'CREATE TRIGGER zz_seal_fields BEFORE INSERT OR UPDATE OF name ON openinfo.integrations FOR EACH ROW '
     'EXECUTE FUNCTION openinfo.seal_secrets()'),

    ('ALTER TABLE openinfo.users DROP CONSTRAINT users_email_format'),
    ('ALTER TABLE openinfo.users DROP CONSTRAINT users_email_format; '
     'ALTER TABLE openinfo.users ADD CONSTRAINT users_email_format CHECK (email ~ ''@'') NOT VALID'),
    ('ALTER TABLE openinfo.users DROP CONSTRAINT users_email_format; '
     'ALTER TABLE openinfo.users ADD CONSTRAINT users_email_format CHECK (email <> '''')'),

    ('ALTER TABLE openinfo.leads DROP CONSTRAINT leads_workspace_id_fkey'),
    ('ALTER TABLE openinfo.leads DROP CONSTRAINT leads_workspace_id_fkey; '
     'ALTER TABLE openinfo.leads ADD FOREIGN KEY (workspace_id) REFERENCES openinfo.workspaces ON DELETE '
     'RESTRICT'),
    ('ALTER TABLE openinfo.queries DROP CONSTRAINT queries_workspace_id_fkey; '
     'ALTER TABLE openinfo.queries ADD FOREIGN KEY (workspace_id) REFERENCES openinfo.workspaces ON DELETE '
     'CASCADE NOT VALID'),
    ('ALTER TABLE openinfo.queries ALTER workspace_id DROP NOT NULL'),

    ('ALTER TABLE openinfo.leads ADD seen_by uuid REFERENCES openinfo.users (id) ON DELETE CASCADE'),
    ('ALTER TABLE openinfo.leads ADD seen_by uuid; ALTER TABLE openinfo.leads ADD FOREIGN KEY (seen_by, '
     'workspace_id) REFERENCES openinfo.users (id, workspace_id) ON DELETE SET NULL'),
    ('ALTER TABLE openinfo.trends DROP CONSTRAINT trends_topic_id_fkey; '
     'ALTER TABLE openinfo.trends ADD FOREIGN KEY (topic_id) REFERENCES openinfo.global_topics ON DELETE SET '
     'NULL'),
    ('ALTER TABLE openinfo.leads DISABLE TRIGGER ALL'),

    ('DROP INDEX openinfo.idx_saved_searches_workspace_id'),
    ('UPDATE pg_index SET indisvalid = false WHERE indexrelid = '
     '''openinfo.idx_users_workspace_id''::regclass; DROP INDEX openinfo.users_workspace_id_email_key'),

    ('GRANT INSERT ON openinfo.leads TO PUBLIC'),
    ('GRANT SELECT (slug) ON openinfo.workspaces TO PUBLIC'),
    ('GRANT EXECUTE ON FUNCTION openinfo.leave_workspace() TO PUBLIC'),
    ('GRANT SELECT ON openinfo.openinfo_metrics TO PUBLIC'),

    ('GRANT SELECT ON openinfo.plans TO anon'),
    ('GRANT UPDATE (email) ON openinfo.users TO anon'),
    ('GRANT SELECT ON openinfo.openinfo_jobs TO anon'),
    ('GRANT EXECUTE ON FUNCTION openinfo.create_workspace(text, text, text, text) TO anon'),

    ('GRANT UPDATE (role, daily_credits_used) ON openinfo.users TO authenticated'),
    ('GRANT INSERT ON openinfo.saved_searches TO authenticated'),
    ('GRANT DELETE ON openinfo.credit_usage TO authenticated'),
    ('GRANT SELECT (file_url) ON openinfo.expired_export_files TO authenticated'),
    ('GRANT SELECT ON openinfo.openinfo_metrics TO authenticated'),
    ('CREATE ROLE regress_group; GRANT regress_group TO authenticated; '
     'GRANT DELETE ON openinfo.workspaces TO regress_group'),

    ('GRANT TRUNCATE ON openinfo.leads TO service_role'),
    ('GRANT REFERENCES (id), TRIGGER ON openinfo.leads TO authenticated'),

    ('GRANT CREATE ON SCHEMA openinfo TO service_role'),
    ('GRANT CREATE ON SCHEMA openinfo TO PUBLIC'),

    ('ALTER ROLE authenticated SET request.jwt.claims = ''{"sub": "0a000000-0000-4000-8000-00000000000a"}'''),
    ('ALTER DATABASE openinfo_regress SET openinfo.workspace_id = ''0a000000-0000-4000-8000-00000000000a'''),
    ('ALTER ROLE ALL SET openinfo.allow_drop = on'),

    ('CREATE ROLE regress_login LOGIN NOINHERIT; GRANT anon, authenticated, service_role TO regress_login'),
    ('CREATE ROLE regress_group; GRANT authenticated, service_role TO regress_group;
      CREATE ROLE regress_login LOGIN IN ROLE regress_group'),
    ('CREATE ROLE regress_login LOGIN BYPASSRLS; GRANT authenticated TO regress_login'),
    ('CREATE ROLE regress_group BYPASSRLS; CREATE ROLE regress_login LOGIN;
      GRANT anon, regress_group TO regress_login'),
    ('CREATE ROLE regress_login LOGIN SUPERUSER; GRANT authenticated TO regress_login'),

    ('CREATE ROLE regress_other SUPERUSER; ALTER TABLE openinfo.trends OWNER TO regress_other'),
    ('ALTER ROLE openinfo_owner LOGIN SUPERUSER BYPASSRLS CREATEROLE CREATEDB REPLICATION'),
    ('CREATE ROLE regress_group; GRANT openinfo_owner TO regress_group; GRANT pg_monitor TO openinfo_owner'),

    ('CREATE ROLE regress_group; GRANT CREATE ON SCHEMA openinfo TO regress_group'),
    ('CREATE ROLE regress_group; ALTER SCHEMA openinfo OWNER TO regress_group'),

    ('CREATE ROLE regress_writer; CREATE SCHEMA regress_other AUTHORIZATION regress_writer;
      GRANT TRIGGER ON openinfo.queries TO regress_writer; GRANT USAGE ON SCHEMA openinfo TO regress_writer;
      SET LOCAL ROLE regress_writer;
      CREATE FUNCTION regress_other.fired() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END'';
      CREATE TRIGGER mine AFTER INSERT ON openinfo.queries FOR EACH ROW
          EXECUTE FUNCTION regress_other.fired();
      RESET ROLE');
CREATE TABLE pg_temp.finding AS
    SELECT b.n, b.command, f AS found FROM pg_temp.broken b LEFT JOIN LATERAL pg_temp.found_after(b.command) f
        ON true;
-- Of long findings the first three objects.
\pset format unaligned
\pset fieldsep ' -> '
\pset tuples_only on
SELECT regexp_replace(command, '\s+', ' ', 'g'),
       regexp_replace(regexp_replace(found, '; openinfo\.leads_p[^;]*', '', 'g'), '^((?:[^;]*;){3}).*',
                      '\1 ...')
  FROM pg_temp.finding ORDER BY n, found COLLATE "C";
\pset tuples_only off
\pset format aligned

-- Every item has been broken, and everything is undone.
SELECT item FROM openinfo.security_checklist()
 WHERE NOT EXISTS (SELECT FROM pg_temp.finding WHERE starts_with(found, item || ': '));
SELECT count(*) AS not_ok FROM openinfo.security_checklist() WHERE NOT ok;

-- Every table is looked at: what is opened is named.
SELECT c.relname, wanted FROM pg_class c
 CROSS JOIN LATERAL (SELECT array_agg(f) AS found
                       FROM pg_temp.found_after(format('ALTER TABLE %1$s DISABLE ROW LEVEL SECURITY, '
                                                       'NO FORCE ROW LEVEL SECURITY; '
                                                       'GRANT ALL ON %1$s TO PUBLIC',
                                                       c.oid::regclass)) f) x
 CROSS JOIN unnest(ARRAY['RLS is enabled on all tables', 'RLS is forced on all tables',
                         'PUBLIC has no access', 'anon has no access',
                         'authenticated has only the privileges that openinfo grants',
                         'No API role has TRUNCATE, REFERENCES or TRIGGER']) wanted
 WHERE c.relnamespace = 'openinfo'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM unnest(x.found) f
                    WHERE starts_with(f, wanted) AND strpos(f, c.oid::regclass::text) > 0);

-- What is allowed: users revoke, add objects, and grant privileges to roles of their own.
SELECT f FROM pg_temp.found_after('REVOKE SELECT ON openinfo.trends FROM authenticated;
    DROP POLICY delete_own ON openinfo.export_jobs; DROP INDEX openinfo.idx_leads_contact_data;
    ALTER TABLE openinfo.leads ADD score int;
    CREATE ROLE regress_reader; GRANT SELECT ON openinfo.leads TO regress_reader;
    CREATE POLICY reader ON openinfo.leads FOR SELECT TO regress_reader USING (true);
    CREATE ROLE regress_requests LOGIN NOINHERIT; GRANT anon, authenticated TO regress_requests;
    CREATE ROLE regress_workers LOGIN BYPASSRLS; GRANT service_role TO regress_workers;
    CREATE FUNCTION public.regress_fired() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END'';
    CREATE TRIGGER mine AFTER INSERT ON openinfo.leads FOR EACH ROW EXECUTE FUNCTION public.regress_fired();
    CREATE POLICY signed_in ON openinfo.leads AS RESTRICTIVE TO authenticated USING (auth.uid() IS NOT NULL);
    REVOKE EXECUTE ON FUNCTION openinfo.leave_workspace() FROM authenticated') f;

-- The user's own tables, in whatever schema, once they have a workspace_id.
CREATE SCHEMA regress_own;
GRANT USAGE ON SCHEMA regress_own TO anon, authenticated;
CREATE TABLE regress_own.unrelated (id uuid);
GRANT ALL ON regress_own.unrelated TO anon;
SELECT count(*) AS not_ok FROM openinfo.security_checklist() WHERE NOT ok;
CREATE TABLE regress_own.notes (id uuid PRIMARY KEY, workspace_id uuid,
                                query_id uuid REFERENCES openinfo.queries);
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON regress_own.notes
    TO anon, authenticated;
SELECT item, detail FROM openinfo.security_checklist() WHERE NOT ok;

-- Created as the README says, it is in order.
REVOKE ALL ON regress_own.notes FROM anon, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON regress_own.notes TO authenticated;
ALTER TABLE regress_own.notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY,
    ALTER workspace_id SET NOT NULL, DROP COLUMN query_id,
    ADD FOREIGN KEY (workspace_id) REFERENCES openinfo.workspaces ON DELETE CASCADE;
CREATE INDEX ON regress_own.notes (workspace_id);
CREATE POLICY own ON regress_own.notes TO authenticated
    USING (workspace_id = (SELECT openinfo.get_user_workspace_id()));
SELECT count(*) AS not_ok FROM openinfo.security_checklist() WHERE NOT ok;
SELECT f FROM pg_temp.found_after('ALTER POLICY own ON regress_own.notes USING (true)') f;
SELECT f
  FROM pg_temp.found_after('ALTER POLICY own ON regress_own.notes USING (workspace_id = '
                           'openinfo.get_user_workspace_id() OR true)') f;
SELECT f FROM pg_temp.found_after('ALTER POLICY own ON regress_own.notes WITH CHECK (id IS NOT NULL)') f;
-- Naming the workspace is not comparing it with the caller's.
SELECT expression, f
  FROM unnest(ARRAY['workspace_id IS NOT NULL', 'workspace_id = workspace_id',
                    'openinfo.get_user_workspace_id() IS NOT NULL',
                    'workspace_id <> openinfo.get_user_workspace_id()',
                    'NOT (workspace_id = openinfo.get_user_workspace_id())',
                    'workspace_id = id AND openinfo.get_user_workspace_id() IS NOT NULL',
                    'workspace_id = openinfo.get_user_workspace_id()',
                    'openinfo.get_user_workspace_id() = workspace_id',
                    '(SELECT openinfo.get_user_workspace_id()) = notes.workspace_id AND NOT (id IS NULL)'])
       WITH ORDINALITY x (expression, n)
  LEFT JOIN LATERAL pg_temp.found_after(format('ALTER POLICY own ON regress_own.notes USING (%s)',
                                               expression)) f
       ON true
 ORDER BY n;
SELECT f FROM pg_temp.found_after('DROP POLICY own ON regress_own.notes') f;
SELECT f FROM pg_temp.found_after('GRANT CREATE ON SCHEMA regress_own TO authenticated') f;
SELECT f
  FROM pg_temp.found_after('CREATE VIEW regress_own.seen AS TABLE regress_own.notes; '
                           'GRANT SELECT ON regress_own.seen TO authenticated') f;
-- A restrictive policy holds whatever is permitted.
SELECT f
  FROM pg_temp.found_after('CREATE POLICY all_of_it ON regress_own.notes TO authenticated USING (true); '
                           'ALTER POLICY own ON regress_own.notes USING (true)') f;
SELECT f FROM pg_temp.found_after('CREATE POLICY kept ON regress_own.notes AS RESTRICTIVE TO authenticated
        USING (workspace_id = (SELECT openinfo.get_user_workspace_id()));
    ALTER POLICY own ON regress_own.notes USING (true)') f;
-- Its partitions are tables that can be asked directly.
SELECT f FROM pg_temp.found_after('CREATE TABLE regress_own.parted (LIKE regress_own.notes,
        FOREIGN KEY (workspace_id) REFERENCES openinfo.workspaces ON DELETE CASCADE) PARTITION BY HASH (id);
    CREATE INDEX ON regress_own.parted (workspace_id);
    ALTER TABLE regress_own.parted ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE TABLE regress_own.part PARTITION OF regress_own.parted
        FOR VALUES WITH (MODULUS 1, REMAINDER 0)') f;
DROP SCHEMA regress_own CASCADE;
