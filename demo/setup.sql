-- The extension, the functions that all parts use, and the data.
-- own and real are directories; real may be empty.

CREATE EXTENSION pg_cron;
CREATE SCHEMA app;
CREATE EXTENSION openinfo SCHEMA app;
-- for this session, the sessions of the other parts, and those of a user who tries the server
SET search_path = app, public;
SELECT format('ALTER DATABASE %I SET search_path = app, public', current_database()) \gexec

-- -----------------------------------------------------------------------------------------------------------
-- The functions of the demonstration
-- -----------------------------------------------------------------------------------------------------------

CREATE SCHEMA demo;
GRANT USAGE ON SCHEMA demo TO anon, authenticated, service_role;

CREATE TABLE demo.people (name text PRIMARY KEY, auth_user_id uuid NOT NULL);
GRANT SELECT ON demo.people TO authenticated;
INSERT INTO demo.people VALUES
    ('Ann',  '0a000000-0000-4000-8000-00000000000a'),
    ('Bob',  '0b000000-0000-4000-8000-00000000000b'),
    ('Cleo', '0c000000-0000-4000-8000-00000000000c'),
    ('Dan',  '0d000000-0000-4000-8000-00000000000d'),
    ('Eve',  '0e000000-0000-4000-8000-00000000000e');

-- Ids as an attacker could have learnt them: what stops an attacker is not that they are unknown.
CREATE FUNCTION demo.person(p_name text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
    $$ SELECT auth_user_id FROM demo.people WHERE name = p_name $$;
CREATE FUNCTION demo.workspace(p_slug text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
    $$ SELECT id FROM app.workspaces WHERE slug = p_slug $$;
CREATE FUNCTION demo.user_id(p_name text, p_slug text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
    $$ SELECT id FROM app.users
        WHERE auth_user_id = demo.person(p_name) AND workspace_id = demo.workspace(p_slug) $$;
CREATE FUNCTION demo.lead_of(p_slug text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
    $$ SELECT id FROM app.leads WHERE workspace_id = demo.workspace(p_slug) ORDER BY created_at, id
        LIMIT 1 $$;
CREATE FUNCTION demo.query_of(p_slug text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
    $$ SELECT id FROM app.queries WHERE workspace_id = demo.workspace(p_slug) ORDER BY created_at, id
        LIMIT 1 $$;

-- What PostgREST does at the start of each request; here for the whole session instead of the transaction.
CREATE PROCEDURE demo.sign_in(p_name text, p_slug text DEFAULT NULL) LANGUAGE plpgsql AS $$
BEGIN
    IF demo.person(p_name) IS NULL THEN
        RAISE EXCEPTION 'the demonstration has no person "%"', p_name;
    END IF;
    PERFORM set_config('request.jwt.claims',
                       json_build_object('sub', demo.person(p_name), 'role', 'authenticated')::text, false),
            set_config('openinfo.workspace_id', coalesce(demo.workspace(p_slug)::text, ''), false),
            set_config('role', 'authenticated', false);
END
$$;
CREATE PROCEDURE demo.sign_out() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('request.jwt.claims', '', false),
            set_config('openinfo.workspace_id', '', false),
            set_config('role', 'none', false);
END
$$;

-- One value as a certain member sees it, for tables that put several members side by side.
CREATE FUNCTION demo.seen_by(p_name text, p_slug text, p_query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_result bigint;
BEGIN
    CALL demo.sign_in(p_name, p_slug);
    EXECUTE p_query INTO STRICT v_result;
    CALL demo.sign_out();
    RETURN v_result;
END
$$;

-- Shows how a statement is refused.  One that is not, or for another reason, ends the demonstration.
CREATE PROCEDURE demo.refused(p_statement text, p_sqlstate text) LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
    v_message text;
    v_hint text;
BEGIN
    BEGIN
        EXECUTE p_statement;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT,
            v_hint = PG_EXCEPTION_HINT;
    END;
    IF v_state IS DISTINCT FROM p_sqlstate THEN
        RAISE EXCEPTION 'expected SQLSTATE % but got %: %', p_sqlstate, coalesce(v_state, 'success'),
            p_statement
            USING DETAIL = coalesce(v_message, '');
    END IF;
    RAISE INFO 'refused: % %', v_state, v_message;
    IF v_hint <> '' THEN
        RAISE INFO 'hint: %', v_hint;
    END IF;
END
$$;

CREATE FUNCTION demo.claim(p_holds boolean, p_what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_holds IS NOT TRUE THEN
        RAISE EXCEPTION 'this is not so: %', p_what;
    END IF;
END
$$;

-- -----------------------------------------------------------------------------------------------------------
-- The data
-- -----------------------------------------------------------------------------------------------------------

CREATE TEMP TABLE own_topic (topic text, category topic_category, volume int, last_week int);
CREATE TEMP TABLE own_company (name text, domain text, industry text, country text);
CREATE TEMP TABLE real_topic (slug text, display_name text, short_description text, aliases text,
                              related text);
CREATE TEMP TABLE real_company (symbol text, name text, sector text, industry text, headquarters text,
                                added text, cik text, founded text);

SELECT format('COPY %s FROM %L (FORMAT csv, HEADER true)', t, file)
  FROM (VALUES ('own_topic',    :'own' || '/topics.csv'),
               ('own_company',  :'own' || '/companies.csv'),
               ('real_topic',   nullif(:'real', '') || '/topics.csv'),
               ('real_company', nullif(:'real', '') || '/companies.csv')) AS v (t, file)
 WHERE file IS NOT NULL \gexec

INSERT INTO global_topics (topic, category, current_volume) SELECT topic, category, volume FROM own_topic;
INSERT INTO trends (topic_id, week_start, volume)
    SELECT t.id, date_trunc('week', now() AT TIME ZONE 'UTC')::date - 7, o.last_week
      FROM own_topic o JOIN global_topics t USING (topic);
-- The real topics come without a volume: the number of others that call them related is used instead.
INSERT INTO global_topics (topic, category, current_volume)
    SELECT DISTINCT ON (lower(r.display_name)) r.display_name, 'technology', 100 * coalesce(n.mentions, 0)
      FROM real_topic r
      LEFT JOIN (SELECT btrim(s) AS slug, count(*)::int AS mentions
                   FROM real_topic, string_to_table(related, ',') s GROUP BY 1) n USING (slug)
     WHERE btrim(r.display_name) <> ''
       AND NOT EXISTS (SELECT FROM own_topic o WHERE lower(o.topic) = lower(r.display_name))
     ORDER BY lower(r.display_name), r.slug;

CREATE TABLE demo.companies (n int GENERATED ALWAYS AS IDENTITY, company_data jsonb NOT NULL);
GRANT SELECT ON demo.companies TO authenticated;
INSERT INTO demo.companies (company_data)
    SELECT jsonb_build_object('name', name, 'domain', domain, 'industry', industry, 'location', country)
      FROM own_company ORDER BY name;
INSERT INTO demo.companies (company_data)
    SELECT jsonb_build_object('name', r.name, 'symbol', r.symbol, 'industry', r.industry,
                              'location', r.headquarters)
      FROM real_company r
     WHERE NOT EXISTS (SELECT FROM own_company o WHERE starts_with(r.name || ' ', o.name || ' '))
     ORDER BY r.name;

\echo '== A server with nothing in it but this'
SELECT split_part(current_setting('server_version'), ' ', 1) AS postgresql,
       (SELECT extversion FROM pg_extension WHERE extname = 'openinfo') AS openinfo,
       (SELECT extversion FROM pg_extension WHERE extname = 'pg_cron') AS pg_cron,
       (SELECT count(*) FROM schema_migrations) AS migrations,
       (SELECT count(*) FROM global_topics) AS topics,
       (SELECT count(DISTINCT category) FROM global_topics) AS categories,
       (SELECT count(*) FROM demo.companies) AS companies;
SELECT demo.claim((SELECT count(*) >= 150 AND count(DISTINCT category) = 9 FROM global_topics),
                  'at least 150 topics, of all nine categories') \gset
