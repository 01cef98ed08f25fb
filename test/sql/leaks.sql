-- What has not been paid for, and the secrets of integrations, are nowhere: every role
-- reads every table, calls every function and provokes errors, and whatever comes back is
-- searched for canaries that were planted before.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

INSERT INTO workspaces (id, slug, name) VALUES
    ('81000000-0000-4000-8000-000000000001', 'canaries-one', 'One'),
    ('81000000-0000-4000-8000-000000000002', 'canaries-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email, role) VALUES
    ('82000000-0000-4000-8000-000000000001', '81000000-0000-4000-8000-000000000001',
     '8a000000-0000-4000-8000-0000000000a1', 'ann@canaries.example', 'owner'),
    ('82000000-0000-4000-8000-000000000002', '81000000-0000-4000-8000-000000000001',
     '8a000000-0000-4000-8000-0000000000a2', 'bob@canaries.example', 'member'),
    ('82000000-0000-4000-8000-000000000003', '81000000-0000-4000-8000-000000000002',
     '8a000000-0000-4000-8000-0000000000a3', 'cam@canaries.example', 'owner');
-- One row in each form that an e-mail or a phone has been seen in; every
-- canary begins with "tweet" or is 4242424242.
INSERT INTO people_search_results (id, workspace_id, user_id, person_data) VALUES
    ('83000000-0000-4000-8000-000000000001', '81000000-0000-4000-8000-000000000001',
     '82000000-0000-4000-8000-000000000001',
     '{"full_name": "Dee", "company": "Acme", "title": "Head", "seniority_level": "senior", '
     '"email": "tweet1@x.example", "phone": "+4242424242"}'),
    ('83000000-0000-4000-8000-000000000002', '81000000-0000-4000-8000-000000000001',
     '82000000-0000-4000-8000-000000000001',
     '{"full_name": "tweet2@x.example", "Work E-Mail": "tweet3", "emails": ["tweet4@x.example"], '
     '"contacts": [{"value": "tweet5@x.example"}], "tweet6@x.example": 1}'),
    ('83000000-0000-4000-8000-000000000003', '81000000-0000-4000-8000-000000000001', NULL,
     '{"full_name": "Eli", "about": {"text": ["write to <tweet7@x.example>", '
     '{"mobile_number": 4242424242}]}, "email": {"work": {"value": "tweet8"}}}');
INSERT INTO integrations (id, workspace_id, type, name, config) VALUES
    ('84000000-0000-4000-8000-000000000001', '81000000-0000-4000-8000-000000000001', 'slack', 'Chat',
     '{"webhook_url": "https://hooks.slack.example/tweet9", "auth": {"token": "tweet10"}, '
     '"list": [{"api_key": "tweet11"}], "url": "https://user:tweet12@x.example/"}');
INSERT INTO saved_people_searches (id, workspace_id, name)
    VALUES ('85000000-0000-4000-8000-000000000001', '81000000-0000-4000-8000-000000000001', 'Saved');
ANALYZE;

-- Arguments to try, by type; a function is called with every combination of the first four arguments' values.
CREATE FUNCTION pg_temp.values_for(type oid) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN type = 'uuid'::regtype
            THEN ARRAY['81000000-0000-4000-8000-000000000001', '82000000-0000-4000-8000-000000000001',
                       '82000000-0000-4000-8000-000000000002',
                       '83000000-0000-4000-8000-000000000001', '84000000-0000-4000-8000-000000000001',
                       '85000000-0000-4000-8000-000000000001']
        WHEN type = 'jsonb'::regtype THEN ARRAY['{}', '{"title": "head"}', 'null']
        WHEN type = 'boolean'::regtype THEN ARRAY['true']
        WHEN type = 'text'::regtype THEN ARRAY['tweet', 'Dee']
        WHEN type = 'date'::regtype OR type = 'timestamptz'::regtype THEN ARRAY['2026-01-01']
        WHEN type IN ('int'::regtype, 'bigint'::regtype, 'smallint'::regtype) THEN ARRAY['1']
        WHEN EXISTS (SELECT FROM pg_enum WHERE enumtypid = type)
            THEN (SELECT ARRAY[min(enumlabel)::text] FROM pg_enum WHERE enumtypid = type)
        ELSE ARRAY[NULL::text] END
$$;
CREATE FUNCTION pg_temp.calls(fn oid) RETURNS SETOF text LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_lists text[] := ARRAY[''];
    v_types oid[];
BEGIN
    SELECT array_agg(t ORDER BY n) INTO v_types
      FROM pg_proc p, unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(t, n) WHERE p.oid = fn;
    FOR i IN 1 .. coalesce(cardinality(v_types), 0) LOOP
        v_lists := (SELECT array_agg(l || CASE WHEN l = '' THEN '' ELSE ', ' END
                                     || format('%L::%s', v, v_types[i]::regtype))
                      FROM unnest(v_lists) l,
                           unnest(CASE WHEN i <= 4 THEN pg_temp.values_for(v_types[i])
                                       ELSE (pg_temp.values_for(v_types[i]))[1:1] END) v);
    END LOOP;
    RETURN QUERY SELECT format('SELECT c::text FROM %s(%s) AS c', fn::regproc, l) FROM unnest(v_lists) l;
END
$$;

/*
 * Runs a statement as a person in a role, rolls it back, and returns everything that the person got to see:
 * rows, or all parts of the error.
 */
CREATE FUNCTION pg_temp.seen(role name, person text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_rows text;
    v_message text; v_detail text; v_hint text; v_context text; v_column text; v_constraint text;
BEGIN
    BEGIN
        PERFORM set_config('request.jwt.claims',
                           CASE WHEN person IS NULL THEN ''
                                ELSE format('{"sub": "8a000000-0000-4000-8000-0000000000%s"}', person) END,
                           true);
        PERFORM set_config('role', role, true);
        EXECUTE format('WITH seen AS (%s) SELECT string_agg(seen::text, E''\n'') FROM seen',
                       query) INTO v_rows;
        RAISE EXCEPTION USING ERRCODE = 'XX999', MESSAGE = coalesce('rows: ' || v_rows, 'nothing');
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_message = MESSAGE_TEXT, v_detail = PG_EXCEPTION_DETAIL,
            v_hint = PG_EXCEPTION_HINT,
            v_context = PG_EXCEPTION_CONTEXT, v_column = COLUMN_NAME, v_constraint = CONSTRAINT_NAME;
        -- the context quotes the statement itself, which is known to the caller who sent it
        RETURN concat_ws(E'\n', v_message, v_detail, v_hint, replace(v_context, query, ''), v_column,
                         v_constraint);
    END;
END
$$;

CREATE TEMP TABLE callers (role name, person text);
INSERT INTO callers
    VALUES ('anon', NULL), ('anon', 'a1'), ('authenticated', NULL), ('authenticated', 'a1'),
           ('authenticated', 'a2'), ('authenticated', 'a3'), ('service_role', NULL), ('service_role', 'a1');

CREATE TEMP TABLE attempts AS
-- every table and view: the extension's, the statistics, and what the server says about others
SELECT format('SELECT t::text FROM %s t', c.oid::regclass) AS query
  FROM pg_class c
 WHERE (c.relnamespace = 'openinfo'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm'))
    OR c.oid IN ('pg_stats'::regclass, 'pg_statistic'::regclass, 'pg_stats_ext'::regclass,
                 'pg_stats_ext_exprs'::regclass, 'pg_stat_activity'::regclass,
                 'pg_prepared_statements'::regclass, 'pg_cursors'::regclass)
UNION ALL
-- every function of the extension, but the two that open a seal
SELECT pg_temp.calls(p.oid)
  FROM pg_proc p
 WHERE p.pronamespace = 'openinfo'::regnamespace AND p.prorettype <> 'trigger'::regtype
   AND p.prorettype <> 'event_trigger'::regtype
   AND p.proname NOT IN ('reveal_person_email', 'get_integration_config', 'unschedule_jobs', 'schedule_jobs')
UNION ALL
-- the seals: with somebody else's key, or as somebody who gets the redacted form
SELECT * FROM (VALUES
    ('SELECT reveal_person_email(''83000000-0000-4000-8000-000000000001'', '
     '''82000000-0000-4000-8000-000000000003'')'),
    ('SELECT person_email(''{}'')'),
    ('SELECT openinfo.person_email(s.sealed) FROM openinfo.sealed_contacts s'),
    -- RETURNING, failing rows, plans and what a policy or a function of the caller's own would be given
    ('INSERT INTO openinfo.people_search_results (person_data) SELECT person_data FROM '
     'openinfo.people_search_results RETURNING *'),
    ('INSERT INTO openinfo.people_search_results (id, person_data) SELECT id, '
     'person_data FROM openinfo.people_search_results RETURNING *'),
    ('UPDATE openinfo.people_search_results SET person_data = person_data || ''{"title": "new"}'' RETURNING '
     '*'),
    ('UPDATE openinfo.people_search_results SET person_data = person_data || ''{"full_name": ""}'' RETURNING '
     '*'),
    ('UPDATE openinfo.people_search_results SET email_revealed_at = now() RETURNING *'),
    ('INSERT INTO openinfo.people_search_results AS r (id, person_data) SELECT id, '
     'person_data FROM openinfo.people_search_results ON CONFLICT (id) DO UPDATE SET email_revealed_at = '
     'now() RETURNING *'),
    ('UPDATE openinfo.people_search_results SET search_filters = ''[]'' RETURNING *'),
    ('UPDATE openinfo.people_search_results SET id = ''83000000-0000-4000-8000-000000000009'' RETURNING *'),
    ('DELETE FROM openinfo.people_search_results RETURNING *'),
    ('UPDATE openinfo.integrations SET name = '''' RETURNING *'),
    ('UPDATE openinfo.integrations SET config = config || ''{"a": 1}'' RETURNING *'),
    ('UPDATE openinfo.integrations SET config = ''{"auth": "[REDACTED]", "url": "[REDACTED]"}'' RETURNING *'),
    ('DELETE FROM openinfo.integrations RETURNING *'),
    ('SELECT person_data::text::int FROM openinfo.people_search_results'),
    ('SELECT config::text::int FROM openinfo.integrations'),
    ('SELECT ctid, xmin, r.* FROM openinfo.sealed_contacts r'),
    ('SELECT a.* FROM openinfo.people_search_results r, openinfo.search_people(r.workspace_id, ''{}'') a'),
    -- without a page to go on from, which the generated calls have
    ('SELECT a::text FROM search_people(get_user_workspace_id(), ''{}'') a')) AS v(query);

-- The attempts did something: each caller's, and how many of them gave rows.
CREATE TEMP TABLE results AS
SELECT c.role, c.person, a.query, pg_temp.seen(c.role, c.person, a.query) AS seen FROM callers c, attempts a;
SELECT count(*) > 200 AS many_attempts FROM attempts;
SELECT role, person, count(*) FILTER (WHERE seen LIKE 'rows: %') > 20 AS got_rows
  FROM results GROUP BY role, person ORDER BY role, person;
SELECT DISTINCT substring(query,
                          'FROM (search_people|export_people_to_csv|get_people_search_stats|person_exists)\(')
    AS function
  FROM results
 WHERE role = 'authenticated' AND seen LIKE 'rows: %'
   AND query ~ 'FROM (search_people|export_people_to_csv|get_people_search_stats|person_exists)\('
 ORDER BY function;

-- No canary in any of them.
SELECT role, person, query, seen FROM results WHERE seen ~ 'tweet\d' OR seen ~ '4242424242';

-- The search finds what is there: a member who pays, and an admin who asks, see theirs.
SELECT pg_temp.seen('authenticated', 'a2',
                    'SELECT reveal_person_email(''83000000-0000-4000-8000-000000000001'')')
       ~ 'tweet1@' AS paid,
       pg_temp.seen('authenticated', 'a1',
                    'SELECT get_integration_config(''84000000-0000-4000-8000-000000000001'')')
           ~ 'tweet10' AS admin,
       pg_temp.seen('authenticated', 'a2',
                    'SELECT get_integration_config(''84000000-0000-4000-8000-000000000001'')')
           ~ 'tweet' AS member,
       pg_temp.seen('authenticated', 'a3',
                    'SELECT get_integration_config(''84000000-0000-4000-8000-000000000001'')')
           ~ 'tweet' AS other_workspace;

-- Plans of statements show no sealed value either; nor do the statistics of indexes on expressions.
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_line text; v_plan text := '';
BEGIN
    FOR v_line IN EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, COSTS off, TIMING off, SUMMARY off) ' || query LOOP
        v_plan := v_plan || v_line;
    END LOOP;
    RETURN v_plan;
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.plan_of(text) TO PUBLIC;
SELECT bool_or(pg_temp.seen('authenticated', 'a1', format('SELECT pg_temp.plan_of(%L)', query))
                   ~ 'tweet\d|4242424242') AS canary_in_a_plan
  FROM (VALUES ('SELECT * FROM openinfo.people_search_results'),
               ('SELECT * FROM openinfo.search_people(openinfo.get_user_workspace_id(), ''{}'')'),
               ('SELECT * FROM openinfo.integrations'),
        ('DELETE FROM openinfo.people_search_results')) AS v(query);
-- A caller's own function, however low its COST, is called only with rows of the caller's workspace, without
-- what is sealed.
CREATE FUNCTION pg_temp.tattle(jsonb) RETURNS boolean
    LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE EXCEPTION 'seen: %', $1; END $$;
GRANT EXECUTE ON FUNCTION pg_temp.tattle(jsonb) TO PUBLIC;
SELECT pg_temp.seen('authenticated', 'a3',
                    'SELECT * FROM openinfo.people_search_results WHERE pg_temp.tattle(person_data)')
       ~ '^nothing' AS nothing_of_others,
       pg_temp.seen('authenticated', 'a1',
                    'SELECT * FROM openinfo.people_search_results WHERE pg_temp.tattle(person_data)')
           ~ 'tweet\d|4242424242' AS own;

DELETE FROM workspaces WHERE slug LIKE 'canaries-%';
