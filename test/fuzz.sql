-- Fuzz: every C function with generated arguments, and every table with generated rows, by every kind of
-- caller.
--

--
-- What is called is read from the catalog, so a new function is covered at once; a new table wants rows in
-- fuzz.fill(), and a type that no argument had before wants a line in fuzz.value(): both say so when they
-- lack it.
--
-- Calls go in batches, each a transaction that begins with the same rows and is rolled back; each call is a
-- subtransaction that stays, so that one finds what those before it left.  A call is written to the server's
-- log before it runs: after a crash the last line that begins with "fuzz:" is the one.  The same seed
-- gives the same calls.
--
-- What is a problem:
--   a SQLSTATE that is not in fuzz.expected
--   anon, or a caller who may not execute a function, gets an answer
--   a word of the other workspace, an unpaid e-mail or a secret in an answer or in the text of an error


\set QUIET on
\set ON_ERROR_STOP on
\set ECHO none
SET client_min_messages = warning;
\if :{?seed} \else \set seed 1 \endif
\if :{?calls} \else \set calls 2000 \endif

CREATE SCHEMA openinfo;
CREATE EXTENSION openinfo SCHEMA openinfo;
-- as a user of the API has it: a schema that the user may use
GRANT USAGE ON SCHEMA openinfo TO anon, authenticated, service_role;
CREATE SCHEMA fuzz;

-- -----------------------------------------------------------------------------------------------------------
-- What may be answered
-- -----------------------------------------------------------------------------------------------------------

-- kind: function, table (an INSERT, UPDATE or DELETE that the caller wrote), trigger (a trigger function
-- called as none)
CREATE TABLE fuzz.expected (sqlstate text, kind text, why text NOT NULL, PRIMARY KEY (sqlstate, kind));
INSERT INTO fuzz.expected
SELECT v.sqlstate, k.kind, v.why
  FROM (VALUES ('PT401', 'nobody is signed in'), ('42501', 'not yours, or not your role'),
        ('PT402', 'no credits left, or the plan''s limit'),
               ('22023', 'an argument out of range'), ('23503', 'a foreign key'),
                   ('23505', 'a unique constraint'),
               ('23514', 'a check constraint'), ('55000', 'what it needs is not there'),
                   ('25006', 'the transaction is read-only'))
       AS v (sqlstate, why), (VALUES ('function'), ('table')) AS k (kind)
UNION ALL VALUES
    ('54001', 'function', 'PostgreSQL''s own: JSON that is nested deeper than max_stack_depth'),
    ('54001', 'table',    'PostgreSQL''s own: JSON that is nested deeper than max_stack_depth'),
    ('23502', 'table',    'PostgreSQL''s own: a column that must have a value'),
    ('22003', 'table',    'PostgreSQL''s own: a number that does not fit into its column'),
    ('22008', 'table',    'PostgreSQL''s own: a date later than there are dates'),
    ('54000', 'function', 'PostgreSQL''s own: a text that is too long for the index that it belongs into'),
    ('54000', 'table',    'PostgreSQL''s own: a text that is too long for the index that it belongs into'),
    ('39P01', 'trigger',  'it is no function to be called');

-- -----------------------------------------------------------------------------------------------------------
-- Rows of two workspaces: "a", whose people call, and "b", whose rows all contain the word Zqforeign
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION fuzz.id(p_what text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT overlay(overlay(md5(p_what) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid $$;

CREATE PROCEDURE fuzz.fill(p_ws text, p_word text) LANGUAGE plpgsql SET search_path = openinfo, pg_temp AS $$
DECLARE
    v_ws    uuid := fuzz.id(p_ws);
    v_owner uuid := fuzz.id(p_ws || 'owner');
BEGIN
    INSERT INTO workspaces (id, slug, name, subdomain) VALUES (v_ws, lower(p_word), p_word, lower(p_word));
    INSERT INTO users (id, workspace_id, auth_user_id, email, role, full_name, plan, daily_credit_limit,
                       referral_code)
        SELECT fuzz.id(p_ws || r), v_ws, fuzz.id('person' || p_ws || r),
            format('%s.%s@example.com', r, p_word), left(r, length(r) - (r ~ '2$')::int)::user_role,
               p_word, 'starter', 5, upper(left(md5(p_ws || r), 8))
          FROM unnest('{owner,admin,member,member2}'::text[]) r;
    INSERT INTO queries (id, workspace_id, created_by, topic_id, name, filters, status, next_run_at)
        SELECT fuzz.id(p_ws || 'query' || i), v_ws, v_owner, fuzz.id('topic' || i), p_word,
            '{"industry": ["software"]}', CASE i WHEN 3 THEN 'paused' ELSE 'active' END::query_status, now()
          FROM generate_series(1, 3) i;
    INSERT INTO saved_searches (id, workspace_id, created_by, name, filters)
        VALUES (fuzz.id(p_ws || 'search'), v_ws, v_owner, p_word, '{}');
    INSERT INTO leads (id, workspace_id, query_id, company_data, contact_data)
        SELECT fuzz.id(p_ws || 'lead' || i), v_ws, fuzz.id(p_ws || 'query1'),
            jsonb_build_object('name', p_word, 'domain', format('%s%s.example', p_word, i)),
            '{"role": "head"}'
          FROM generate_series(1, 4) i;
    INSERT INTO credit_usage (id, workspace_id, user_id, action_type, credits_used, idempotency_key, metadata)
        VALUES (fuzz.id(p_ws || 'usage'), v_ws, v_owner, 'email_reveal', 2, 'key',
                jsonb_build_object('note', p_word));
    UPDATE users SET daily_credits_used = 2, credits_reset_on = (now() AT TIME ZONE 'UTC')::date
        WHERE id = v_owner;
    INSERT INTO export_jobs (id, workspace_id, user_id, status, file_url, completed_at)
        VALUES (fuzz.id(p_ws || 'export'), v_ws, v_owner, 'completed', p_word, '2020-01-05');
    INSERT INTO expired_export_files (workspace_id, file_url) VALUES (v_ws, p_word);
    INSERT INTO people_search_results (id, workspace_id, user_id, person_data)
        SELECT fuzz.id(p_ws || 'result' || i), v_ws, v_owner,
               jsonb_build_object('full_name', p_word || i, 'title', p_word, 'company', 'Acme', 'location',
                                  'Berlin', 'seniority_level', 'senior', 'department', 'sales')
               || CASE WHEN i < 4 THEN jsonb_build_object('email', format('unpaid-%s%s@zz.example', p_ws, i),
                                                          'phone', '+4242424242') ELSE '{}' END
          FROM generate_series(1, 4) i;
    INSERT INTO saved_people_searches (id, workspace_id, user_id, name, filters)
        VALUES (fuzz.id(p_ws || 'people'), v_ws, v_owner, p_word, '{}');
    INSERT INTO integrations (id, workspace_id, created_by, type, name, config)
        SELECT fuzz.id(p_ws || t), v_ws, v_owner, t::integration_type, p_word,
            jsonb_build_object('url', 'https://a.example/' || p_word, 'token', 'Zqsecret')
          FROM unnest('{slack,webhook}'::text[]) t;
    INSERT INTO integration_events (id, workspace_id, integration_id, event_data)
        VALUES (fuzz.id(p_ws || 'event'), v_ws, fuzz.id(p_ws || 'slack'), jsonb_build_object('note', p_word));
    INSERT INTO invitations (id, workspace_id, created_by, email, role, token_sha256, expires_at)
        VALUES (fuzz.id(p_ws || 'invitation'), v_ws, v_owner, format('invited.%s@example.com', p_word),
                'member', sha256(convert_to(p_word, 'UTF8')), now() + interval '7 days');
    INSERT INTO workspace_creations (workspace, auth_user_id)
        VALUES (v_ws, fuzz.id('person' || p_ws || 'owner'));
    INSERT INTO billing_events (id, workspace_id, event_type, stripe_event_id, amount_cents, currency)
        VALUES (fuzz.id(p_ws || 'billing'), v_ws, 'payment_succeeded', p_word, 4900, 'usd');
    INSERT INTO stripe_customers (id, workspace_id, stripe_customer_id, stripe_subscription_id,
                                  subscription_status)
        VALUES (fuzz.id(p_ws || 'stripe'), v_ws, 'c' || p_word, 's' || p_word, 'active');
END
$$;

INSERT INTO openinfo.global_topics (id, topic, category, current_volume)
    SELECT fuzz.id('topic' || i), t, (enum_range(NULL::openinfo.topic_category))[1 + i % 9], i * 37
      FROM unnest('{machine learning,IT,AI,HR,elastic search,C++ & \"quotes\" \\ backslash,'
                  'data privacy,cloud,über straße,機械学習}'::text[]) WITH ORDINALITY AS v (t, i);
INSERT INTO openinfo.trends (topic_id, week_start, volume) SELECT id, '2020-01-06', 100
    FROM openinfo.global_topics;
CALL fuzz.fill('a', 'Alpha');
CALL fuzz.fill('b', 'Zqforeign');
ANALYZE;

-- The tables, and how rows of a workspace are told.
CREATE TABLE fuzz.tables AS
    SELECT c.oid::regclass AS name, c.relname::text AS short,
           CASE WHEN c.relname = 'workspaces' THEN 'id'
                WHEN c.relname = 'workspace_creations' THEN 'workspace'
                WHEN EXISTS (SELECT FROM pg_attribute a
                             WHERE a.attrelid = c.oid
                    AND a.attname = 'workspace_id') THEN 'workspace_id' END AS workspace,
           EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attname = 'id' AND a.atttypid = 'uuid'::regtype) AS has_id
      FROM pg_class c WHERE c.relnamespace = 'openinfo'::regnamespace AND c.relkind = 'r' ORDER BY c.relname;

DO $$
DECLARE
    v record;
    v_empty boolean;
BEGIN
    FOR v IN SELECT t.*, w.ws FROM fuzz.tables t, unnest('{a,b}'::text[]) AS w (ws) LOOP
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s WHERE %s)', v.name,
                       CASE WHEN v.workspace IS NULL THEN 'true'
                            ELSE format('%I = %L', v.workspace, fuzz.id(v.ws)) END) INTO v_empty;
        IF v_empty THEN
            RAISE EXCEPTION 'fuzz.fill() makes no row of table %', v.name;
        END IF;
    END LOOP;
END
$$;

-- The functions: with the name, type and default of each argument.
CREATE TABLE fuzz.functions AS
    SELECT p.oid, p.proname::text AS name,
           CASE WHEN p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype) THEN 'trigger'
                ELSE 'function' END AS kind,
           p.proargtypes::oid[] AS types, p.proargnames AS names, p.pronargs - p.pronargdefaults AS required,
               p.proisstrict AS is_strict
      FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
     WHERE p.prokind = 'f' AND p.pronamespace = 'openinfo'::regnamespace AND l.lanname = 'c'
       -- no value of that type can be created, not even NULL: such a function is called by an index alone
       AND 'internal'::regtype <> ALL (p.proargtypes)
       -- what it is given is a statement to run
       AND p.proname <> 'execute_as_owner'
     ORDER BY p.proname;

-- Ids that are there, by the table that they identify.
CREATE TABLE fuzz.ids (n serial, id uuid, what text, own boolean);
DO $$
DECLARE
    v record;
BEGIN
    FOR v IN SELECT * FROM fuzz.tables WHERE has_id LOOP
        EXECUTE format('INSERT INTO fuzz.ids (id, what, own) SELECT id, %L, %s FROM %s ORDER BY ctid',
                       v.short,
                       CASE WHEN v.workspace IS NULL THEN 'true'
                            ELSE format('%I = %L', v.workspace, fuzz.id('a')) END, v.name);
    END LOOP;
    INSERT INTO fuzz.ids (id, what, own) SELECT auth_user_id, 'auth_users', workspace_id = fuzz.id('a')
        FROM openinfo.users ORDER BY ctid;
END
$$;

-- -----------------------------------------------------------------------------------------------------------
-- Arguments: each function returns SQL
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION fuzz.below(p_n int) RETURNS int LANGUAGE sql VOLATILE AS $$
    SELECT floor(random() * p_n)::int $$;
CREATE FUNCTION fuzz.pick(p_of text[]) RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT p_of[1 + floor(random() * cardinality(p_of))::int] $$;

-- Text as it is, not quoted.
CREATE FUNCTION fuzz.words() RETURNS text LANGUAGE plpgsql VOLATILE AS $fn$
DECLARE
    v_said CONSTANT text[] := ARRAY['', ' ', E'\t\n', 'a', 'IT', 'Alpha', 'alpha', 'Acme', 'free', 'pro',
                                    'enterprise', 'none', 'key', 'machine learning', 'machin',
        'x@example.com', 'owner.Alpha@example.com', 'alpha1.example', 'senior', '%', '_', '%_\', '''', '"',
            '\', '''; DROP TABLE users; --', '$$', '%s%n%d', '{0}', ':*', 'a & | ! b <-> c:*', '&|!()<>',
        'NULL', 'null', '[HIDDEN]', '[REDACTED]', '{"a": 1}', '00000000-0000-0000-0000-000000000000',
            E'\x01\x02\x1b\x7f', '  padded  ', U&'\00A0', U&'\200B', U&'\FEFF', U&'\202Etfel', U&'e\0301',
        'ÄÖÜß', 'İıſ', 'ﬀ', U&'\+01F600\200D\+01F469', '日本語', 'عربى', U&'\+10FFFF',
        U&'\FFFF',
            '9223372036854775808', '-1', 'infinity', 'https://u:p@h.example/?token=1', '+491701234567',
            'owner', 'c9', 'evt_1'];
    v_text text := '';
BEGIN
    CASE fuzz.below(12)
        WHEN 0, 1, 2, 3, 4, 5 THEN RETURN fuzz.pick(v_said);
        WHEN 6, 7 THEN RETURN fuzz.pick(v_said) || fuzz.pick(ARRAY['', ' ', '-', '@', '.'])
            || fuzz.pick(v_said);
        WHEN 8 THEN RETURN (SELECT string_agg(substr('abcdefghijklmnopqrstuvwxyz0123456789-_ .@',
            1 + fuzz.below(41), 1), '') FROM generate_series(1, 1 + fuzz.below(30)));
        WHEN 9 THEN
            -- any letter at all
            FOR i IN 1..1 + fuzz.below(20) LOOP
                v_text := v_text || chr(CASE fuzz.below(4) WHEN 0 THEN 1 + fuzz.below(127)
                    WHEN 1 THEN 128 + fuzz.below(2000) WHEN 2 THEN 2048 + fuzz.below(50000)
                    ELSE 65536 + fuzz.below(1000000) END);
            END LOOP;
            RETURN v_text;
        -- 10 kB, which compresses, and some that does not
        WHEN 10 THEN v_text := fuzz.pick(v_said) || 'x';
        RETURN left(repeat(v_text, 10000 / length(v_text) + 1), 10000);
        ELSE RETURN (SELECT string_agg(md5(random()::text), fuzz.pick('{"",-," "}'))
                     FROM generate_series(1, CASE fuzz.below(4) WHEN 0 THEN 300 ELSE 2 END));
    END CASE;
END
$fn$;

-- JSON of every shape; the keys are those that the extension knows, and others.
CREATE FUNCTION fuzz.json(p_depth int) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_keys CONSTANT text[] := ARRAY['full_name', 'name', 'domain', 'company', 'title', 'location',
                                    'seniority_level', 'department', 'email', 'E-Mail', 'phone',
        'linkedin_url', 'type', 'value',
        'url', 'token', 'api_key', 'headers', 'password', 'min', 'max', 'industry', 'company_size', 'filters',
            'sub', 'workspace_id', 'app_metadata', '', ' ', 'a', '"', '\', 'ü', '日本', 'id',
            'current_period_end',
        'current_period_start', 'subscription_status', 'status', 'plan', 'new_plan', 'old_plan',
            'stripe_customer_id', 'stripe_subscription_id', 'customer', 'subscription', 'currency'];
    v_json text;
    v_kind int := fuzz.below(CASE WHEN p_depth > 3 THEN 8 ELSE 14 END);
BEGIN
    IF v_kind < 4 THEN
        RETURN to_json(replace(fuzz.words(), E'\x01', '.'))::text;
    ELSIF v_kind = 4 THEN
        RETURN fuzz.pick(ARRAY['null', 'true', 'false', '{}', '[]', '""']);
    ELSIF v_kind < 8 THEN
        RETURN fuzz.pick('{0,-0,1,-1,1.5,2147483647,2147483648,-2147483649,9223372036854775808,'
                         '1e300,1e-300,1e1000,-1e5000,0.000000000000000000000000001,1704067200,253402300800,'
                         '99999999999999}');
    ELSIF v_kind < 10 THEN
        SELECT '[' || coalesce(string_agg(fuzz.json(p_depth + 1), ','), '') || ']' INTO v_json
            FROM generate_series(1, fuzz.below(4));
        RETURN v_json;
    END IF;
    SELECT '{' || coalesce(string_agg(to_json(CASE fuzz.below(8) WHEN 0 THEN fuzz.words()
        ELSE fuzz.pick(v_keys) END)::text || ':' || fuzz.json(p_depth + 1), ','), '') || '}'
      INTO v_json FROM generate_series(1, fuzz.below(6));
    RETURN v_json;
END
$$;

-- An object that the function called can do something with, a shape, or something huge or deep.
CREATE FUNCTION fuzz.jsonb() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    CASE fuzz.below(20)
        WHEN 0 THEN RETURN format('(repeat(%L, %2$s) || repeat(%3$L, %2$s))::jsonb', '[',
                                  fuzz.pick('{10,100,1000}'), ']');
        WHEN 1 THEN RETURN format('(repeat(%L, %2$s) || 1 || repeat(%3$L, %2$s))::jsonb', '{"email":',
                                  fuzz.pick('{10,100,1000}'), '}');
        WHEN 2 THEN RETURN format('(SELECT jsonb_agg(%s::jsonb) FROM generate_series(1, %s))',
                                  quote_literal(fuzz.json(3)), fuzz.pick('{100,2000}'));
        WHEN 3 THEN RETURN format('(SELECT jsonb_object_agg(i, %s::jsonb) FROM generate_series(1, %s) i)',
                                  quote_literal(fuzz.json(3)), fuzz.pick('{100,2000}'));
        WHEN 4, 5 THEN RETURN quote_literal(jsonb_build_object('full_name', fuzz.words(), 'company',
                fuzz.words(), 'email', fuzz.words(), 'seniority_level', fuzz.words())) || '::jsonb';
        WHEN 6, 7 THEN RETURN quote_literal(jsonb_build_object(
                fuzz.pick('{title,company,location,seniority_level,department}'), fuzz.words())) || '::jsonb';
        WHEN 8 THEN RETURN quote_literal(jsonb_build_object('name', fuzz.words(), 'domain', fuzz.words()))
            || '::jsonb';
        WHEN 9, 10 THEN RETURN format('(SELECT jsonb_agg(e) FROM (VALUES %s) AS v (e))',
            (SELECT string_agg(format('(%L::jsonb)',
                                      CASE fuzz.below(3) WHEN 0 THEN fuzz.json(2)
                ELSE jsonb_build_object('name', fuzz.words(), 'domain', fuzz.words())::text END), ', ')
                FROM generate_series(1, 1 + fuzz.below(5))));
        WHEN 11, 12 THEN RETURN fuzz.pick('{"''{}''::jsonb","''[]''::jsonb","''null''::jsonb"}');
        ELSE RETURN quote_literal(fuzz.json(0)) || '::jsonb';
    END CASE;
END
$$;

CREATE FUNCTION fuzz.uuid(p_argument text, p_last uuid) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    -- the last word of the name, as tables begin or go on with it: p_query_id is about queries
    v_stem CONSTANT text := left(substring(regexp_replace(p_argument, '^p_|_id$', '', 'g') FROM '[a-z]+$'),
                                 4);
    v_kind int := fuzz.below(20);
    v_own  boolean := random() < 0.8;
    v_ids  uuid[];
BEGIN
    CASE v_kind
        WHEN 0 THEN RETURN '''00000000-0000-0000-0000-000000000000''::uuid';
        WHEN 1 THEN RETURN '''ffffffff-ffff-ffff-ffff-ffffffffffff''::uuid';
        WHEN 2 THEN RETURN quote_literal(md5(random()::text)) || '::uuid';
        WHEN 3 THEN RETURN coalesce(quote_literal(p_last), 'NULL') || '::uuid';
        WHEN 4 THEN NULL;
        ELSE SELECT array_agg(id ORDER BY n) INTO v_ids FROM fuzz.ids
              WHERE own = v_own AND CASE WHEN p_argument ~ 'auth_user' THEN what = 'auth_users'
                  WHEN p_argument ~ '_by$' THEN what = 'users' ELSE what ~ v_stem
                  AND what <> 'auth_users' END;
    END CASE;
    IF v_ids IS NULL THEN
        SELECT array_agg(id ORDER BY n) INTO v_ids FROM fuzz.ids;
    END IF;
    RETURN quote_literal(v_ids[1 + fuzz.below(cardinality(v_ids))]) || '::uuid';
END
$$;

CREATE FUNCTION fuzz.value(p_type regtype, p_argument text, p_last uuid) RETURNS text
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_type pg_type;
BEGIN
    IF fuzz.below(12) = 0 THEN
        RETURN format('NULL::%s', p_type);
    END IF;
    CASE p_type::text
        WHEN 'uuid' THEN RETURN fuzz.uuid(p_argument, p_last);
        WHEN 'text' THEN RETURN quote_literal(fuzz.words());
        WHEN 'jsonb' THEN RETURN fuzz.jsonb();
        WHEN 'bytea' THEN RETURN fuzz.pick(ARRAY['''\x''::bytea',
            format('decode(%L, ''hex'')', left(md5(random()::text), 2 * fuzz.below(17))),
            format('convert_to(%L, ''UTF8'')', fuzz.words()), '''\x00ff''::bytea']);
        WHEN 'smallint' THEN RETURN quote_literal(fuzz.pick('{0,1,-1,2,7,10,15,31,32,63,64,32767,-32768}'))
            || '::smallint';
        WHEN 'integer', 'bigint', 'numeric', 'real', 'double precision' THEN
            RETURN quote_literal(CASE WHEN fuzz.below(3) > 0 THEN (1 + fuzz.below(5))::text
                        ELSE fuzz.pick(ARRAY['0', '-1', '10', '49', '1000', '1001', '2147483647',
                                             '-2147483648', '2147483646', '1073741824']
                                       || CASE WHEN p_type <> 'integer'::regtype
                                               THEN '{9223372036854775807,-9223372036854775808,'
                                                    '4611686018427387904}' END::text[]
                                       || CASE WHEN p_type = 'numeric'::regtype
                                               THEN '{1e100,1e-100,NaN,infinity,2000001,0.5}' END::text[])
                   END)
                   || '::' || p_type;
        WHEN 'boolean' THEN RETURN fuzz.pick('{true,false}');
        WHEN 'timestamp with time zone' THEN
            RETURN '(' || fuzz.pick(ARRAY['now()', '''infinity''', '''-infinity''', '''epoch''',
                '''4713-01-01 BC''', '''294276-12-31 23:59Z''', 'now() - interval ''1 day''',
                'now() + interval ''1 day''', '''2024-02-29 23:59:59.999999Z'''])
                   || ')::timestamptz';
        WHEN 'date' THEN RETURN fuzz.pick(ARRAY['current_date', '''infinity''', '''-infinity''',
            '''4713-01-01 BC''', '''5874897-12-31''', '''2024-02-29''']) || '::date';
        WHEN 'interval' THEN RETURN quote_literal(fuzz.pick(ARRAY['0', '1 minute', '7 days', '-1 day',
            '1 month', '90 days', '1 microsecond', '178000000 years', '-178000000 years'])) || '::interval';
        ELSE NULL;
    END CASE;
    SELECT * INTO v_type FROM pg_type WHERE oid = p_type;
    IF v_type.typtype = 'e' THEN
        RETURN quote_literal(fuzz.pick(ARRAY(SELECT enumlabel::text FROM pg_enum WHERE enumtypid = p_type
                                             ORDER BY enumsortorder))) || '::' || p_type;
    ELSIF v_type.typcategory = 'A' THEN
        RETURN format('ARRAY[%s]::%s', (SELECT string_agg(fuzz.value(v_type.typelem, p_argument, p_last),
            ', ') FROM generate_series(1, fuzz.below(4))), p_type);
    END IF;
    RAISE EXCEPTION 'fuzz.value() knows no type %', p_type;
END
$$;

-- A call of a function: each argument that has a default is sometimes left out.
CREATE FUNCTION fuzz.function_call(p_function fuzz.functions, p_last uuid) RETURNS text
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_arguments text[] := '{}';
BEGIN
    FOR i IN 1..coalesce(array_length(p_function.types, 1), 0) LOOP
        IF i > p_function.required AND fuzz.below(4) = 0 THEN
            CONTINUE;
        END IF;
        v_arguments := v_arguments || (coalesce(quote_ident(p_function.names[i]) || ' => ', '')
                                       || fuzz.value(p_function.types[i - 1],
                                                     coalesce(p_function.names[i], ''), p_last));
    END LOOP;
    IF p_function.kind = 'trigger' THEN
        RETURN format('SELECT openinfo.%I()', p_function.name);
    END IF;
    RETURN format('SELECT string_agg(f::text, chr(10)) FROM (SELECT * FROM openinfo.%I(%s) LIMIT 2000) AS f',
                  p_function.name, array_to_string(v_arguments, ', '));
END
$$;

-- A statement on a table, which fires the triggers.
CREATE FUNCTION fuzz.statement(p_table fuzz.tables, p_last uuid) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_columns text[];
    v_values  text[];
    v_column  record;
    v_kind    int := fuzz.below(8);
    -- mostly what may be written, so that there is something for the triggers to do
    v_may     text := CASE WHEN fuzz.below(4) = 0 THEN NULL WHEN v_kind < 5 THEN 'INSERT' ELSE 'UPDATE' END;
    v_where   text := CASE WHEN p_table.has_id THEN 'id = ' || fuzz.uuid(p_table.short || '_id', p_last)
                           ELSE 'true' END;
BEGIN
    IF v_kind = 0 THEN
        RETURN format('SELECT string_agg(t::text, chr(10)) FROM %s AS t', p_table.name);
    ELSIF v_kind = 1 THEN
        RETURN format('DELETE FROM %s AS t WHERE %s RETURNING t::text', p_table.name, v_where);
    END IF;
    FOR v_column IN
        SELECT attname, atttypid::regtype AS type, attnotnull AND NOT atthasdef AS wanted FROM pg_attribute
         WHERE attrelid = p_table.name AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
             AND atttypid <> 'tsvector'::regtype
           AND attname NOT IN ('id', 'created_at', 'updated_at', 'created_by')
           AND (v_may IS NULL OR NOT has_any_column_privilege('authenticated', p_table.name, v_may)
                OR has_column_privilege('authenticated', p_table.name, attnum, v_may)) ORDER BY attnum
    LOOP
        -- an INSERT wants nearly all that have no default; an UPDATE is of a few
        CONTINUE WHEN random() > CASE WHEN v_kind >= 5 THEN 0.2 WHEN v_column.wanted THEN 0.95 ELSE 0.4 END;
        v_columns := v_columns || quote_ident(v_column.attname);
        v_values := v_values || fuzz.value(v_column.type, v_column.attname, p_last);
    END LOOP;
    IF v_columns IS NULL THEN
        RETURN format('INSERT INTO %s AS t DEFAULT VALUES RETURNING t::text', p_table.name);
    ELSIF v_kind < 5 THEN
        RETURN format('INSERT INTO %s AS t (%s) VALUES (%s) RETURNING t::text', p_table.name,
                      array_to_string(v_columns, ', '), array_to_string(v_values, ', '));
    END IF;
    RETURN format('UPDATE %s AS t SET %s WHERE %s RETURNING t::text', p_table.name,
                  (SELECT string_agg(c || ' = ' || v, ', ') FROM unnest(v_columns, v_values) AS u (c, v)),
        v_where);
END
$$;

-- -----------------------------------------------------------------------------------------------------------
-- Callers
-- -----------------------------------------------------------------------------------------------------------

-- others: does somebody of the other workspace, or the service, call?  Then its rows may change.
CREATE TABLE fuzz.callers (n serial, name text, role text, person text, others boolean);
INSERT INTO fuzz.callers (name, role, person, others)
SELECT v.name, v.role, v.person, v.others
  FROM (VALUES (4, 'owner',    'authenticated', 'aowner',  false),
               (2, 'admin',    'authenticated', 'aadmin',  false),
               (4, 'member',   'authenticated', 'amember', false),
               (1, 'stranger', 'authenticated', 'nobody of them', false),
               (1, 'signed out', 'authenticated', NULL, false),
               (1, 'broken claims', 'authenticated', NULL, false),
               (1, 'anon',     'anon', 'aowner', false),
               (9, 'service',  'service_role', NULL, true),
               (1, 'service as a person', 'service_role', 'amember', true),
               (1, 'superuser', 'postgres', NULL, true),
               (2, 'other workspace', 'authenticated', 'bowner', true))
       AS v (often, name, role, person, others), generate_series(1, v.often);

CREATE FUNCTION fuzz.claims(p_caller fuzz.callers) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_claims jsonb;
BEGIN
    IF p_caller.name = 'broken claims' THEN
        RETURN fuzz.pick(ARRAY[fuzz.words(), fuzz.json(0), '{"sub": 1}', '{"sub": "x"}',
                               '{"sub": {"sub": "x"}}', '[]', '{', '{"sub": "\u0000"}', '{"sub": "\ud800"}',
                              '{"app_metadata": {"workspace_id": []}}', repeat('[', 100000),
                                  repeat('{"sub":', 1000), '{"sub": null, "sub": ""}', E'{"sub":\x01"}']);
    ELSIF p_caller.person IS NULL THEN
        RETURN fuzz.pick('{"","{}","{\"sub\": null}","{\"role\": \"owner\"}"}');
    END IF;
    v_claims := jsonb_build_object('sub', fuzz.id('person' || p_caller.person));
    -- naming a workspace, the caller's own or not, at either place
    CASE fuzz.below(8)
        WHEN 0 THEN v_claims := v_claims || jsonb_build_object('workspace_id', fuzz.id(fuzz.pick('{a,b}')));
        WHEN 1 THEN v_claims := v_claims || jsonb_build_object('app_metadata',
                jsonb_build_object('workspace_id', fuzz.id(fuzz.pick('{a,b}'))));
        WHEN 2 THEN v_claims := v_claims || jsonb_build_object('user_metadata',
                jsonb_build_object('workspace_id', fuzz.id('b'), 'role', 'owner'));
        ELSE NULL;
    END CASE;
    RETURN v_claims;
END
$$;

-- -----------------------------------------------------------------------------------------------------------
-- What must hold
-- -----------------------------------------------------------------------------------------------------------

-- Checksum of the rows that a batch may not change: "b" and the global tables, or everything.
CREATE FUNCTION fuzz.checksum(p_all boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v     record;
    v_sum text;
    v_all text := '';
BEGIN
    FOR v IN SELECT * FROM fuzz.tables LOOP
        EXECUTE format('SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM %s AS t WHERE %s',
                       v.name,
                       CASE WHEN p_all OR v.workspace IS NULL THEN 'true'
                            ELSE format('%I = %L', v.workspace, fuzz.id('b')) END) INTO v_sum;
        v_all := v_all || v.short || ' ' || coalesce(v_sum, '-') || E'\n';
    END LOOP;
    RETURN v_all;
END
$$;

-- Counters, limits and owners, as they must be unless the service has written them itself.
-- A plan that the service has lowered stops nothing that was there before.
CREATE FUNCTION fuzz.broken(p_others boolean) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT format('counter of user %s is %s, the ledger says %s, the limit is %s', u.id, u.daily_credits_used,
                  spent, u.daily_credit_limit)
      FROM openinfo.users u,
           LATERAL (SELECT coalesce(sum(credits_used), 0) AS spent FROM openinfo.credit_usage c
                     WHERE c.user_id = u.id AND c.created_at >= date_trunc('day', now(), 'UTC')) s
     WHERE u.credits_reset_on = (now() AT TIME ZONE 'UTC')::date
         AND (u.daily_credits_used <> spent OR NOT p_others AND u.daily_credits_used > u.daily_credit_limit)
    UNION ALL
    SELECT format('workspace %s has %s active queries', w.id, count(*)) FROM openinfo.workspaces w
        JOIN openinfo.queries q ON q.workspace_id = w.id AND q.status = 'active'
     GROUP BY w.id HAVING NOT p_others AND count(*) > (SELECT max(coalesce(p.active_queries, 1000000))
         FROM openinfo.users u JOIN openinfo.plans p ON p.name = u.plan WHERE u.workspace_id = w.id)
    UNION ALL
    SELECT format('workspace %s has %s saved searches', w.id, count(*)) FROM openinfo.workspaces w
        JOIN openinfo.saved_searches s ON s.workspace_id = w.id
     GROUP BY w.id HAVING NOT p_others AND count(*) > (SELECT max(coalesce(p.saved_searches, 1000000))
         FROM openinfo.users u JOIN openinfo.plans p ON p.name = u.plan WHERE u.workspace_id = w.id)
    UNION ALL
    SELECT format('workspace %s has no owner', w.id) FROM openinfo.workspaces w
     WHERE NOT EXISTS (SELECT FROM openinfo.users u WHERE u.workspace_id = w.id AND u.role = 'owner');
$$;

-- Whose e-mails are paid for.
CREATE FUNCTION fuzz.paid() RETURNS uuid[] LANGUAGE sql AS $$ SELECT coalesce(array_agg(id), '{}')
    FROM openinfo.people_search_results WHERE email_revealed_at IS NOT NULL $$;

-- What of an answer the caller may not see; paid: before, for a row that is deleted is none afterwards.
CREATE FUNCTION fuzz.leak(p_caller fuzz.callers, p_text text, p_paid uuid[]) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    v text;
BEGIN
    IF p_text IS NULL OR p_caller.name = 'superuser' THEN
        RETURN NULL;
    ELSIF NOT p_caller.others AND p_text ~* 'zqforeign' THEN
        RETURN 'a word of the other workspace';
    -- an earlier call may have promoted a member to admin
    ELSIF p_text ~ 'Zqsecret' AND p_caller.role <> 'service_role'
          AND NOT EXISTS (SELECT FROM openinfo.users
                          WHERE auth_user_id = fuzz.id('person' || p_caller.person) AND role
              IN ('owner', 'admin')
                           AND workspace_id = fuzz.id(left(p_caller.person, 1))) THEN
        RETURN 'a secret of an integration';
    END IF;
    FOR v IN SELECT m[1] FROM regexp_matches(p_text, 'unpaid-(..)@', 'g') m LOOP
        IF fuzz.id(overlay(v PLACING 'result' FROM 2 FOR 0)) <> ALL (p_paid || fuzz.paid()) THEN
            RETURN 'an e-mail that has not been paid for';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

-- -----------------------------------------------------------------------------------------------------------
-- The run
-- -----------------------------------------------------------------------------------------------------------

CREATE TABLE fuzz.results (what text, sqlstate text, calls bigint, slowest float8);
CREATE TABLE fuzz.problems (n serial, problem text, caller text, call text, claims text);

CREATE PROCEDURE fuzz.run(p_seed int, p_calls int, p_batch int DEFAULT 100) LANGUAGE plpgsql AS $$
DECLARE
    v_caller    fuzz.callers;
    v_callers   fuzz.callers[];
    v_function  fuzz.functions;
    v_functions fuzz.functions[];
    v_table     fuzz.tables;
    v_tables    fuzz.tables[];
    v_call      text;
    v_claims    text;
    v_what      text;
    v_kind      text;
    v_may       boolean;
    v_answer    text;
    v_state     text;
    v_text      text;
    v_detail    text;
    v_hint      text;
    v_last      uuid;
    v_paid      uuid[];
    v_before    text;
    v_after     text;
    v_others    boolean;
    v_wrote     boolean;
    v_read_only boolean;
    v_start     timestamptz;
    v_took      float8;
    v_key       text;
    v_counts    jsonb := '{}';
    v_slowest   jsonb := '{}';
    v_problems  jsonb := '[]';
    v_done      int := 0;
    v           text;
BEGIN
    SELECT array_agg(f ORDER BY f.name) INTO v_functions FROM fuzz.functions f;
    SELECT array_agg(t ORDER BY t.short) INTO v_tables FROM fuzz.tables t;
    PERFORM setseed(0), setseed((p_seed % 1000000) / 1000000.0);

    WHILE v_done < p_calls AND jsonb_array_length(v_problems) < 50 LOOP
        ROLLBACK;
        v_others := fuzz.below(3) = 0;
        v_read_only := fuzz.below(10) = 0;
        IF fuzz.below(4) = 0 THEN
            ROLLBACK;
            SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
        END IF;
        SELECT array_agg(c ORDER BY c.n) INTO v_callers FROM fuzz.callers c WHERE v_others OR NOT c.others;
        v_before := fuzz.checksum(v_read_only);
        PERFORM set_config('search_path', fuzz.pick('{"","openinfo",pg_temp,"public, openinfo"}'), true);
        PERFORM set_config('transaction_read_only', v_read_only::text, true);
        v_last := NULL;
        v_wrote := false;

        FOR i IN 1..least(p_batch, p_calls - v_done) LOOP
            v_caller := v_callers[1 + fuzz.below(cardinality(v_callers))];
            v_claims := fuzz.claims(v_caller);
            IF fuzz.below(6) = 0 THEN
                v_table := v_tables[1 + fuzz.below(cardinality(v_tables))];
                -- a superuser may break anything
                CONTINUE WHEN v_caller.role = 'postgres';
                v_wrote := v_wrote OR v_caller.role = 'service_role';
                v_kind := 'table';
                v_what := 'table ' || v_table.short;
                v_call := fuzz.statement(v_table, v_last);
                v_may := v_caller.role <> 'anon';
            ELSE
                v_function := v_functions[1 + fuzz.below(cardinality(v_functions))];
                v_may := has_function_privilege(v_caller.role, v_function.oid, 'EXECUTE');
                -- there is little to find there
                CONTINUE WHEN (NOT v_may OR v_function.kind = 'trigger') AND fuzz.below(5) > 0;
                v_kind := v_function.kind;
                v_what := v_function.name || '()';
                v_call := fuzz.function_call(v_function, v_last);
            END IF;
            RAISE LOG 'fuzz: %: % with % %', v_caller.name, left(v_call, 2000),
                current_setting('openinfo.workspace_id', true), left(v_claims, 300);

            v_answer := NULL;
            v_state := '00000';
            v_text := NULL;
            v_detail := NULL;
            v_hint := NULL;
            v_paid := fuzz.paid();
            v_start := clock_timestamp();
            BEGIN
                PERFORM set_config('request.jwt.claims', v_claims, true),
                    set_config('request.jwt.claim.sub', '', true),
                        set_config('openinfo.workspace_id',
                                   CASE fuzz.below(40) WHEN 0 THEN fuzz.id('b')::text
                                        WHEN 1 THEN fuzz.id('a')::text WHEN 2 THEN 'x' ELSE '' END, true),
                        set_config('role', v_caller.role, true);
                EXECUTE v_call INTO v_answer;
                PERFORM set_config('role', 'none', true);
            EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
                GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_text = MESSAGE_TEXT,
                    v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
            END;
            v_took := extract(epoch FROM clock_timestamp() - v_start) * 1000;
            v_done := v_done + 1;
            IF v_answer ~ '^\([0-9a-f-]{36}\)$' THEN
                v_last := btrim(v_answer, '()');
            END IF;

            v_key := v_what || '|' || v_state;
            v_counts := jsonb_set(v_counts, ARRAY[v_key],
                                  to_jsonb(coalesce((v_counts ->> v_key)::int, 0) + 1));
            IF v_took > coalesce((v_slowest ->> v_key)::float8, -1) THEN
                v_slowest := jsonb_set(v_slowest, ARRAY[v_key], to_jsonb(v_took));
            END IF;

            -- PostgreSQL itself answers NULL for a STRICT function, to any caller
            v := CASE WHEN v_answer IS NOT NULL AND NOT v_may
                      AND NOT (v_kind = 'function' AND v_function.is_strict
                               AND v_answer = '()') THEN 'an answer to somebody who may not ask'
                      WHEN v_state NOT IN ('00000', '42501') AND NOT v_may
                          AND v_kind <> 'table' THEN format('%s to somebody who may not ask: %s', v_state,
                                                            v_text)
                      WHEN v_state <> '00000'
                          AND NOT (v_kind = 'trigger' AND v_caller.role <> 'postgres' AND v_state = '42501')
                           AND NOT EXISTS (SELECT FROM fuzz.expected e
                                           WHERE e.sqlstate = v_state AND e.kind = v_kind)
                      THEN format('%s: %s', v_state, v_text) END;
            v := coalesce(v, fuzz.leak(v_caller, v_answer, v_paid),
                          fuzz.leak(v_caller, concat_ws(' ', v_text, v_detail, v_hint), v_paid)
                || ' in an error');
            IF v IS NOT NULL THEN
                v_problems := v_problems || jsonb_build_object('problem', v, 'caller', v_caller.name, 'call',
                        v_call, 'claims', v_claims);
            END IF;
        END LOOP;

        v_after := fuzz.checksum(v_read_only);
        IF (v_read_only OR NOT v_others) AND v_before <> v_after THEN
            v_problems := v_problems || jsonb_build_object('problem', 'rows changed that may not: ' ||
                (SELECT string_agg(split_part(b, ' ', 1), ', ')
                 FROM unnest(string_to_array(v_before, E'\n'), string_to_array(v_after, E'\n')) AS u (b, a)
                    WHERE b IS DISTINCT FROM a),
                'call', format('batch that ends at call %s', v_done));
        END IF;
        FOR v IN SELECT fuzz.broken(v_others) WHERE NOT v_wrote LOOP
            v_problems := v_problems || jsonb_build_object('problem', v, 'call',
                                                           format('batch that ends at call %s', v_done));
        END LOOP;
    END LOOP;

    ROLLBACK;
    INSERT INTO fuzz.results SELECT split_part(key, '|', 1), split_part(key, '|', 2), value::bigint,
        (v_slowest ->> key)::float8 FROM jsonb_each_text(v_counts);
    INSERT INTO fuzz.problems (problem, caller, call, claims)
        SELECT p ->> 'problem', p ->> 'caller', p ->> 'call', p ->> 'claims'
        FROM jsonb_array_elements(v_problems) p;
    COMMIT;
END
$$;

SET log_error_verbosity = terse;
SET log_min_error_statement = panic;
SET timezone = 'America/New_York';		-- where the day is another one than in UTC for some hours
CALL fuzz.run(:seed, :calls);

-- -----------------------------------------------------------------------------------------------------------
-- The summary
-- -----------------------------------------------------------------------------------------------------------

\pset footer off
\pset border 0
\pset null ''
SELECT what, sum(calls) AS calls, sum(calls) FILTER (WHERE sqlstate = '00000') AS answered,
       string_agg(format('%s %s', sqlstate, calls), ', '
                  ORDER BY sqlstate) FILTER (WHERE sqlstate <> '00000') AS refused,
           round(max(slowest))::int AS "slowest, ms"
  FROM fuzz.results GROUP BY what ORDER BY what;
SELECT sqlstate, sum(calls) AS calls, (SELECT string_agg(DISTINCT why, '; ') FROM fuzz.expected e
                                       WHERE e.sqlstate = r.sqlstate) AS why FROM fuzz.results r
    GROUP BY sqlstate ORDER BY sqlstate;
SELECT problem, caller, left(call, 1000) AS call, left(claims, 200) AS claims
    FROM (SELECT DISTINCT ON (problem) * FROM fuzz.problems ORDER BY problem, n) p ORDER BY n LIMIT 20 \gx
-- a function that nobody could call was not tested
SELECT format('no call of %s()', name) AS "not called" FROM fuzz.functions
    WHERE name || '()' NOT IN (SELECT what FROM fuzz.results)
    AND :calls >= 2000 \g (tuples_only=on format=unaligned)
\pset tuples_only on
\pset format unaligned
SELECT format('%s calls with seed %s, %s problems', (SELECT sum(calls) FROM fuzz.results), :seed,
              (SELECT count(*) FROM fuzz.problems)
              + (SELECT count(*) FROM fuzz.functions
                 WHERE name || '()' NOT IN (SELECT what FROM fuzz.results) AND :calls >= 2000));
