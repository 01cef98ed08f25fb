-- What one call may cost: hostile values of :bytes bytes, and a statement for each place that takes one.
--
-- shape	a value of text or jsonb that is expensive to somebody: repeated
-- pieces of what the code looks for, deep nesting,
--			wide objects, combining marks, long runs without spaces
--   cell	one shape in one place: an argument of a function, or a column that "authenticated" may write
--
-- resources.pl runs the cells, each between resource.start() and
-- resource.stop(), and judges what they report.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE SCHEMA app;
CREATE EXTENSION openinfo SCHEMA app;
CREATE SCHEMA resource;
GRANT USAGE ON SCHEMA resource TO PUBLIC;

-- -----------------------------------------------------------------------------------------------------------
-- Shapes
-- -----------------------------------------------------------------------------------------------------------

-- Not compressed, so that pg_column_size() tells how much a function is handed.
CREATE TABLE resource.shapes (n serial, name text, as_text text, as_json jsonb);
ALTER TABLE resource.shapes ALTER as_text SET STORAGE EXTERNAL, ALTER as_json SET STORAGE EXTERNAL;
GRANT SELECT ON resource.shapes TO PUBLIC;

INSERT INTO resource.shapes (name, as_text)
SELECT 'text: ' || name,
       left(repeat(piece, :bytes / octet_length(piece) + 1),
            :bytes / greatest(octet_length(piece) / length(piece), 1))
  FROM (VALUES ('percent-encoded at sign', '%40'),
               ('at signs', '@'),
               ('addresses', 'a@b.co '),
               ('half an address', 'a@b.'),
               ('HTML at sign', '&#64;'), ('JSON at sign', '\u0040'), ('plus and a digit', '+1 '),
        ('digits', '5'),
               ('Arabic digits', U&'\0665'), ('fullwidth digits', U&'\FF15'), ('URL', 'https://a/'),
        ('slashes', '/'), ('dots', '.'),
               ('a word per letter', 'a '), ('one word', 'x'), ('two letters', 'ab'), ('spaces', ' '),
        ('newlines', E'\n'),
               ('combining marks', U&'\0301'),
        ('letters with marks', U&'e\0301\0323'),
        ('Hangul jamo', U&'\1100\1161\11A8'),
               ('ligatures', U&'\FDFA'), ('kanji', U&'\6A5F\68B0'), ('hyphens', 'a-'), ('wildcards', '%_\'),
        ('tsquery', 'a & !(b | c) <-> '),
               ('quotes', '''"'), ('parentheses', '('), ('brackets', '['), ('tel:', 'tel:'),
        ('base64', 'QEA='))
       AS v (name, piece);

-- The same strings under keys that are known, and in a list.
INSERT INTO resource.shapes (name, as_json)
SELECT format('json: %s under %s', name, key), jsonb_build_object('name', 'x', 'full_name', 'x', key, as_text)
  FROM resource.shapes, unnest('{name,full_name,email,company,bio,url,domain,last_error}'::text[]) AS key
 WHERE as_text IS NOT NULL;

INSERT INTO resource.shapes (name, as_json)
SELECT 'json: ' || name, ('{"name": "x", "full_name": "x", "value": ' || value || '}')::jsonb
  FROM (VALUES ('numbers', '[' || repeat('7,', :bytes / 2) || '7]'),
               ('numbers 60 arrays deep',
                repeat('[', 60) || repeat('7,', :bytes / 2) || '7' || repeat(']', 60)),
               ('nested arrays', repeat('[', 2000) || repeat(']', 2000)),
               ('nested objects', repeat('{"a":', 2000) || '1' || repeat('}', 2000)),
               ('nested e-mails', repeat('{"email":', 2000) || '"a@b.co"' || repeat('}', 2000)),
               ('empty arrays', '[' || repeat('[],', :bytes / 3) || '[]]'),
               ('short strings', '[' || repeat('"a",', :bytes / 4) || '"a"]'),
               ('addresses in a list', '[' || repeat('"a@b.co",', :bytes / 9) || '"a@b.co"]'),
               ('a long number', repeat('9', 100000)),
               ('null', 'null'))
       AS v (name, value)
UNION ALL
SELECT 'json: wide object of ' || name,
       (SELECT jsonb_object_agg(prefix || i, value) FROM generate_series(1, :bytes / 20) i)
                                       || '{"name": "x", "full_name": "x"}'
  FROM (VALUES ('words', 'key', '"v"'::jsonb),
               ('e-mails', 'email', '"a@b.co"'),
               ('placeholders', 'k', '"[REDACTED]"')) AS v (name, prefix, value)
UNION ALL
SELECT 'json: a long key', jsonb_build_object('name', 'x', 'full_name', 'x', repeat('k', :bytes), 1)
UNION ALL
SELECT 'json: leads',
       (SELECT jsonb_agg(jsonb_build_object('name', 'c' || i, 'domain', i || '.example'))
          FROM generate_series(1, :bytes / 40) i)
UNION ALL
SELECT 'json: a list of blank leads', ('[' || repeat('{},', :bytes / 3) || '{}]')::jsonb;

-- -----------------------------------------------------------------------------------------------------------
-- One workspace with a row in every table that is written through the API
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION resource.id(p_what text) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT overlay(overlay(md5(p_what) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid $$;
SET search_path = app, pg_temp;
INSERT INTO workspaces (id, slug, name) VALUES (resource.id('workspace'), 'one', 'One');
INSERT INTO users (id, workspace_id, auth_user_id, email, role, plan, daily_credit_limit)
    VALUES (resource.id('user'), resource.id('workspace'), resource.id('person'), 'a@one.example', 'owner',
            'enterprise', NULL);
INSERT INTO global_topics (id, topic, current_volume)
    SELECT resource.id('topic' || i), 'topic ' || md5(i::text), i FROM generate_series(1, 1000) i;
INSERT INTO queries (id, workspace_id, topic_id, name, filters)
    VALUES (resource.id('query'), resource.id('workspace'), resource.id('topic1'), 'q', '{}');
INSERT INTO saved_searches (id, workspace_id, name, filters)
    VALUES (resource.id('search'), resource.id('workspace'), 's', '{}');
INSERT INTO leads (id, workspace_id, query_id, company_data, contact_data)
    VALUES (resource.id('lead'), resource.id('workspace'), resource.id('query'), '{"name": "Acme"}', '{}');
INSERT INTO export_jobs (id, workspace_id, user_id)
    VALUES (resource.id('export'), resource.id('workspace'), resource.id('user'));
INSERT INTO people_search_results (id, workspace_id, user_id, person_data, search_filters)
    VALUES (resource.id('result'), resource.id('workspace'), resource.id('user'),
            '{"full_name": "Ann", "email": "ann@a.example"}', '{}');
INSERT INTO saved_people_searches (id, workspace_id, user_id, name, filters)
    VALUES (resource.id('people'), resource.id('workspace'), resource.id('user'), 'p', '{}');
INSERT INTO integrations (id, workspace_id, type, name, config)
    VALUES (resource.id('integration'), resource.id('workspace'), 'slack', 'i',
            '{"url": "https://a.example/secret"}');
RESET search_path;

-- -----------------------------------------------------------------------------------------------------------
-- Cells
-- -----------------------------------------------------------------------------------------------------------

-- %s in the statement: the value
CREATE TABLE resource.places (place text, type regtype, role name, statement text);

-- A value for an argument that is not the one that is tried; NULL: its default, or NULL.
CREATE FUNCTION resource.other(p_function text, p_name text, p_type regtype) RETURNS text LANGUAGE sql AS $$
    SELECT CASE
        WHEN p_type = 'uuid'::regtype THEN quote_literal(resource.id(CASE
            WHEN p_name ~ 'workspace' THEN 'workspace' WHEN p_name ~ 'auth_user' THEN 'person'
            WHEN p_name ~ 'user' THEN 'user'
            WHEN p_name ~ 'query' THEN 'query' WHEN p_name ~ 'lead' THEN 'lead'
            WHEN p_name ~ 'result' THEN 'result'
            WHEN p_name ~ 'search' THEN 'people' WHEN p_name ~ 'integration' THEN 'integration'
            ELSE p_name END)) || '::uuid'
        WHEN p_type = 'text'::regtype THEN quote_literal(CASE
            WHEN p_name ~ 'slug' THEN 'two' WHEN p_name ~ 'email' THEN 'b@one.example'
            WHEN p_name ~ 'plan' THEN 'pro'
            WHEN p_name ~ 'on_conflict' THEN 'update' ELSE 'x' END)
        WHEN p_type
            = 'jsonb'::regtype THEN CASE WHEN p_name ~ 'leads' THEN '''[]''::jsonb' ELSE '''{}''::jsonb' END
        WHEN p_type = 'timestamptz'::regtype THEN '''2026-01-05 00:00+00''::timestamptz'
        WHEN (SELECT typtype FROM pg_type WHERE oid = p_type) = 'e' THEN
            (SELECT quote_literal(enumlabel) || '::' || p_type
               FROM pg_enum WHERE enumtypid = p_type ORDER BY enumsortorder LIMIT 1)
    END $$;

DO $$
DECLARE
    v_function record;
    v_try      int;
    v_list     text;
    v_value    text;
BEGIN
    FOR v_function IN
        SELECT p.oid, p.proname, p.proargtypes::oid[] AS types, p.proargnames AS names, r.role
          FROM pg_proc p
          JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
          JOIN pg_extension e
              ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'openinfo'
         CROSS JOIN
             LATERAL (SELECT role
                        FROM unnest('{authenticated,service_role}'::name[]) WITH ORDINALITY AS v (role, n)
                       WHERE has_function_privilege(role, p.oid, 'EXECUTE') ORDER BY n LIMIT 1) r
         WHERE 'internal'::regtype <> ALL (p.proargtypes)
           AND p.proargtypes::oid[] && ARRAY['text'::regtype, 'jsonb'::regtype]::oid[]
         ORDER BY p.proname
    LOOP
        FOR v_try IN 1 .. cardinality(v_function.types) LOOP
            CONTINUE WHEN v_function.types[v_try - 1] NOT IN ('text'::regtype, 'jsonb'::regtype);
            v_list := NULL;
            FOR i IN 1 .. cardinality(v_function.types) LOOP
                v_value := CASE WHEN i = v_try THEN '%s'
                                ELSE resource.other(v_function.proname, coalesce(v_function.names[i], ''),
                                                    v_function.types[i - 1]) END;
                CONTINUE WHEN v_value IS NULL;
                v_list := concat_ws(', ', v_list,
                                    coalesce(nullif(v_function.names[i], '') || ' => ', '') || v_value);
            END LOOP;
            INSERT INTO resource.places VALUES (
                v_function.proname || '(' || coalesce(nullif(v_function.names[v_try], ''), v_try::text)
                || ')',
                v_function.types[v_try - 1], v_function.role,
                format('SELECT count(*) FROM app.%I(%s)', v_function.proname, v_list));
        END LOOP;
    END LOOP;
END
$$;

-- What PostgreSQL's own parser needs: 64 bytes and more for each container in a value, however empty.
INSERT INTO resource.places
    VALUES ('PostgreSQL itself', 'jsonb', 'authenticated', 'SELECT count(%s::text::jsonb)');

-- A new row like the one that is there but for one column, and the row that is there changed.
INSERT INTO resource.places
SELECT format('%s.%s', c.relname, a.attname) || ', ' || lower(v.command), a.atttypid, 'authenticated',
       CASE v.command
           WHEN 'INSERT' THEN format('INSERT INTO %s (%s) SELECT %s FROM %1$s LIMIT 1', c.oid::regclass,
                                     w.names, w.vals)
           ELSE format('UPDATE %s SET %I = %%s', c.oid::regclass, a.attname) END
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 CROSS JOIN (VALUES ('INSERT'), ('UPDATE')) AS v (command)
 CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(b.attname), ', ' ORDER BY b.attnum) AS names,
           string_agg(CASE WHEN b.attnum = a.attnum THEN '%s' ELSE quote_ident(b.attname) END,
                      ', ' ORDER BY b.attnum) AS vals
      FROM pg_attribute b
     WHERE b.attrelid = c.oid AND b.attnum > 0 AND NOT b.attisdropped
       AND has_column_privilege('authenticated', c.oid, b.attnum, 'INSERT')) w
 WHERE c.relnamespace = 'app'::regnamespace AND c.relkind = 'r'
   AND a.atttypid IN ('text'::regtype, 'jsonb'::regtype)
   AND has_column_privilege('authenticated', c.oid, a.attnum, v.command);

CREATE TABLE resource.cells AS
SELECT row_number() OVER (ORDER BY p.place, s.n)::int AS n, p.place, s.name AS shape, p.role,
       CASE WHEN p.type = 'text'::regtype THEN pg_column_size(s.as_text) ELSE pg_column_size(s.as_json) END
           AS bytes,
       format(p.statement, format('(SELECT %s FROM resource.shapes WHERE n = %s)',
                                  CASE WHEN p.type = 'text'::regtype THEN 'as_text' ELSE 'as_json' END,
                                  s.n)) AS statement
  FROM resource.places p
  JOIN resource.shapes s
      ON CASE WHEN p.type = 'text'::regtype THEN s.as_text IS NOT NULL ELSE s.as_json IS NOT NULL END;

-- -----------------------------------------------------------------------------------------------------------
-- The meter: CPU time and peak memory of this server process, as the kernel counts them
-- -----------------------------------------------------------------------------------------------------------

CREATE TABLE resource.spent (n int, cpu_ms numeric, memory_kb bigint, was_limited boolean);
CREATE TABLE resource.started (cpu_ns bigint, memory_kb bigint);
INSERT INTO resource.started VALUES (0, 0);

CREATE FUNCTION resource.cpu_ns() RETURNS bigint LANGUAGE sql VOLATILE AS
    $$ SELECT split_part(pg_read_file('/proc/self/schedstat', 0, 200), ' ', 1)::bigint $$;
CREATE FUNCTION resource.memory_kb(p_line text) RETURNS bigint LANGUAGE sql VOLATILE AS
    $$ SELECT substring(pg_read_file('/proc/self/status', 0, 8000), p_line || ':\s+(\d+) kB')::bigint $$;

CREATE FUNCTION resource.start() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    COPY (SELECT 5) TO '/proc/self/clear_refs';		-- the peak begins anew
    UPDATE resource.started SET memory_kb = resource.memory_kb('VmRSS'), cpu_ns = resource.cpu_ns();
END
$$;
CREATE FUNCTION resource.stop(p_n int, p_limited boolean) RETURNS void LANGUAGE sql AS $$
    INSERT INTO resource.spent
    SELECT p_n, (resource.cpu_ns() - cpu_ns) / 1e6, resource.memory_kb('VmHWM') - memory_kb, p_limited
      FROM resource.started
$$;
