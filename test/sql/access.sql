-- Who is calling: claims -> person, membership, active workspace, role.
SET search_path = openinfo, pg_temp;
SET client_min_messages = warning;
\set VERBOSITY terse
\set ann '''1de00000-0000-4000-8000-0000000000fa'''
\set bob '''1de00000-0000-4000-8000-0000000000fb'''
\set one '''1de00000-0000-4000-8000-000000000001'''
\set two '''1de00000-0000-4000-8000-000000000002'''
\set three '''1de00000-0000-4000-8000-000000000003'''

-- Ann owns the first workspace and is a member of the second, where Bob is
-- admin; nobody of them is in the third.
INSERT INTO workspaces (id, slug, name)
    VALUES (:one, 'identity-one', 'One'), (:two, 'identity-two', 'Two'), (:three, 'identity-three', 'Three');
INSERT INTO users (workspace_id, auth_user_id, email, role, created_at) VALUES
    (:two, :ann, 'ann@identity.example', 'member', '2026-01-02'),
    (:one, :ann, 'ann@identity.example', 'owner', '2026-01-01'),
    (:two, :bob, 'bob@identity.example', 'admin', '2026-01-01');
INSERT INTO saved_searches (workspace_id, name)
    VALUES (:one, 'one'), (:two, 'two'), (:two, 'two as well'), (:three, 'three');

-- Who the caller is, in one line: member, role there, workspace.
CREATE FUNCTION pg_temp.who() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_workspace uuid := get_user_workspace_id();
    v_user      uuid := get_user_id();
    v_roles     text := (SELECT string_agg(r::text, '+' ORDER BY r)
                           FROM unnest(enum_range(NULL::user_role)) r WHERE user_has_role(r));
BEGIN
    IF (v_workspace IS NULL) <> (v_user IS NULL) OR (v_workspace IS NULL) <> (v_roles IS NULL) THEN
        RETURN 'the three functions disagree';
    END IF;
    RETURN coalesce((SELECT format('%s, %s of %s', split_part(u.email, '@', 1), v_roles, w.slug)
                       FROM users u JOIN workspaces w ON w.id = u.workspace_id
                      WHERE u.id = v_user AND w.id = v_workspace),
                    'nobody');
END
$$;
-- The same with certain settings, in a transaction of its own as it were; what is refused, with its SQLSTATE.
CREATE FUNCTION pg_temp.who_with(claims text, sub text DEFAULT '', workspace text DEFAULT '') RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    v_who  text;
    v_hint text;
BEGIN
    PERFORM set_config('request.jwt.claims', claims, true),
            set_config('request.jwt.claim.sub', sub, true),
            set_config('openinfo.workspace_id', workspace, true);
    v_who := pg_temp.who();
    PERFORM set_config('request.jwt.claims', '', true),
            set_config('request.jwt.claim.sub', '', true),
            set_config('openinfo.workspace_id', '', true);
    RETURN v_who;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_hint = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ': ' || SQLERRM || CASE WHEN v_hint = '' THEN ', without a hint' ELSE '' END;
END
$$;

-- -----------------------------------------------------------------------------------------------------------
-- The person
-- -----------------------------------------------------------------------------------------------------------

SHOW request.jwt.claims;
SELECT pg_temp.who();
\pset format unaligned
\pset tuples_only on
SELECT n,
       pg_temp.who_with(replace(replace(replace(claims, 'ANN', '1de00000-0000-4000-8000-0000000000fa'), 'BOB',
                                        '1de00000-0000-4000-8000-0000000000fb'),
                                'TWO',
                                '1de00000-0000-4000-8000-000000000002'))
  FROM (VALUES
    -- nobody: no claims, no sub
    ('no claims', ''),
    ('empty object', '{}'),
    ('null sub', '{"sub": null}'),
    ('empty sub', '{"sub": ""}'),
    ('other claims', '{"role": "authenticated", "aud": ["x"], "exp": 1}'),
    ('unknown person', '{"sub": "1de00000-0000-4000-8000-0000000000ff"}'),
    -- somebody
    ('sub', '{"sub": "ANN"}'),
    ('among others',
     '{"iss": "x", "aud": ["a", {"sub": "BOB"}], "sub": "ANN", "exp": 1.5e3, "x": {"sub": "BOB"}, '
     '"y": [null, true]}'),
    ('white space', E'\t\n { "sub" :\r "ANN" } '),
    ('upper case', '{"sub": "1DE00000-0000-4000-8000-0000000000FA"}'),
    ('escaped key and value', '{"\u0073\u0075\u0062": "\u0031de00000-0000-4000-8000-0000000000fa"}'),
    ('twice: the last counts', '{"sub": "BOB", "sub": "ANN"}'),
    ('twice: not the wrong one', '{"sub": "no uuid", "sub": "ANN"}'),
    ('twice: the last is null', '{"sub": "ANN", "sub": null}'),
    -- never somebody else: only the claim itself counts
    ('nested', '{"x": {"sub": "ANN"}}'),
    ('nested in app_metadata', '{"app_metadata": {"sub": "ANN"}}'),
    ('in user_metadata', '{"user_metadata": {"sub": "ANN", "user_id": "ANN"}}'),
    ('other spelling',
     '{"Sub": "ANN", "SUB": "ANN", " sub": "ANN", "sub ": "ANN", "auth_user_id": "ANN", "user_id": "ANN"}'),
    -- refused: 22023
    ('no JSON', 'sub=ANN'),
    ('cut off', '{"sub": "ANN"'),
    ('more behind it', '{"sub": "ANN"} {"sub": "BOB"}'),
    ('comma too many', '{"sub": "ANN",}'),
    ('single quotes', '{''sub'': ''ANN''}'),
    ('blank', ' '),
    ('array', '[{"sub": "ANN"}]'),
    ('string', '"ANN"'),
    ('number', '1'),
    ('null', 'null'),
    ('sub is no uuid', '{"sub": "ann"}'),
    ('sub too long', '{"sub": "ANN0"}'),
    ('sub with blank', '{"sub": " ANN"}'),
    ('sub in braces', '{"sub": "{ANN}"}'),
    ('sub is a number', '{"sub": 1}'),
    ('sub is false', '{"sub": false}'),
    ('sub is an object', '{"sub": {"sub": "ANN"}}'),
    ('sub is an array', '{"sub": ["ANN"]}'),
    ('zero byte', '{"sub": "ANN\u0000"}'),
    ('half a surrogate', '{"x": "\ud83d", "sub": "ANN"}'),
    ('control character', E'{"x": "\x01", "sub": "ANN"}')) v(n, claims);
\pset format aligned
\pset tuples_only off
-- The error in full.
SET request.jwt.claims = '{"sub": "ann"}';
\set VERBOSITY default
SELECT get_user_workspace_id();
SET request.jwt.claims = '[]';
SELECT get_user_id();
\set VERBOSITY terse
-- The next request is not affected by the one that was refused.
SET request.jwt.claims = '';
SELECT pg_temp.who();

-- The form of older PostgREST; request.jwt.claims, where there is one, decides alone.
SELECT pg_temp.who_with('', sub => :ann) AS sub,
       pg_temp.who_with('', sub => upper(:ann)) AS upper,
       pg_temp.who_with('', sub => 'ann') AS malformed;
SELECT pg_temp.who_with('{}', sub => :ann) AS without_sub,
       pg_temp.who_with(format('{"sub": "%s"}', :bob), sub => :ann) AS both,
       pg_temp.who_with('{', sub => :ann) AS malformed;

-- Large and deep.
SELECT pg_temp.who_with(format('{"x": "%s", "sub": "%s", "y": [%s0]}', repeat('x', 1000000), :ann,
                               repeat('0,', 100000))) AS large;
SELECT pg_temp.who_with(format('{"x": %s, "sub": "%s"}', repeat('[', 500) || repeat(']', 500), :ann)) AS deep,
       pg_temp.who_with(format('{"x": %s, "sub": "%s"}', repeat('[', 1000000) || repeat(']', 1000000), :ann))
           ~ '^54001: stack depth limit exceeded' AS too_deep;

-- -----------------------------------------------------------------------------------------------------------
-- The active workspace
-- -----------------------------------------------------------------------------------------------------------

\pset format unaligned
\pset tuples_only on
SELECT n,
       pg_temp.who_with(replace(replace(replace(replace(claims, 'ANN',
                                                        '1de00000-0000-4000-8000-0000000000fa'),
                                                'ONE', '1de00000-0000-4000-8000-000000000001'),
                                        'TWO',
                                        '1de00000-0000-4000-8000-000000000002'),
                                'THREE',
                                '1de00000-0000-4000-8000-000000000003'))
  FROM (VALUES
    ('the oldest membership', '{"sub": "ANN"}'),
    ('claim', '{"sub": "ANN", "workspace_id": "TWO"}'),
    ('claim before sub', '{"workspace_id": "TWO", "sub": "ANN"}'),
    ('app_metadata', '{"sub": "ANN", "app_metadata": {"workspace_id": "TWO"}}'),
    ('app_metadata, among others',
     '{"app_metadata": {"x": {"workspace_id": "ONE"}, "workspace_id": "TWO", "roles": ["workspace_id"]}, '
     '"sub": "ANN"}'),
    ('top level before app_metadata',
     '{"sub": "ANN", "app_metadata": {"workspace_id": "ONE"}, "workspace_id": "TWO"}'),
    ('empty at the top: app_metadata',
     '{"sub": "ANN", "workspace_id": "", "app_metadata": {"workspace_id": "TWO"}}'),
    ('app_metadata twice: the last',
     '{"sub": "ANN", "app_metadata": {"workspace_id": "ONE"}, "app_metadata": {"workspace_id": "TWO"}}'),
    ('app_metadata twice: the last has none',
     '{"sub": "ANN", "app_metadata": {"workspace_id": "TWO"}, "app_metadata": {}}'),
    ('null and empty count as left out',
     '{"sub": "ANN", "workspace_id": null, "app_metadata": {"workspace_id": ""}}'),
    ('not a member of it: none, and not another one', '{"sub": "ANN", "workspace_id": "THREE"}'),
    ('there is no such workspace', '{"sub": "ANN", "workspace_id": "1de00000-0000-4000-8000-0000000000ff"}'),
    ('without a person', '{"workspace_id": "ONE"}'),
    -- what users can write themselves does not count
    ('user_metadata',
     '{"sub": "ANN", "user_metadata": {"workspace_id": "TWO", "app_metadata": {"workspace_id": "TWO"}}}'),
    ('deeper in app_metadata', '{"sub": "ANN", "app_metadata": {"app_metadata": {"workspace_id": "TWO"}}}'),
    ('in an array', '{"sub": "ANN", "app_metadata": [{"workspace_id": "TWO"}]}'),
    ('app_metadata elsewhere', '{"sub": "ANN", "x": {"app_metadata": {"workspace_id": "TWO"}}}'),
    ('app_metadata is a string', '{"sub": "ANN", "app_metadata": "workspace_id"}'),
    ('role claims',
     '{"sub": "ANN", "workspace_id": "TWO", "role": "service_role", "user_role": "owner", '
     '"app_metadata": {"role": "owner", "user_role": "owner"}}'),
    -- refused
    ('no uuid', '{"sub": "ANN", "workspace_id": "two"}'),
    ('a number', '{"sub": "ANN", "workspace_id": 2}'),
    ('no uuid in app_metadata', '{"sub": "ANN", "app_metadata": {"workspace_id": "two"}}')) v(n, claims);
\pset format aligned
\pset tuples_only off
-- openinfo.workspace_id comes first, and counts only for a member.
SELECT pg_temp.who_with(format('{"sub": "%s"}', :ann), workspace => :two) AS chosen,
       pg_temp.who_with(format('{"sub": "%s", "workspace_id": "%s"}', :ann, :two), workspace => :one)
           AS before_claim,
       pg_temp.who_with(format('{"sub": "%s"}', :ann), workspace => :three) AS not_a_member;
SELECT pg_temp.who_with(format('{"sub": "%s"}', :ann), workspace => 'two') AS malformed,
       pg_temp.who_with(format('{"sub": "%s"}', :ann), workspace => upper(:two)) AS upper,
       pg_temp.who_with('', workspace => :one) AS nobody;
-- Two memberships of the same age: always the same one.
BEGIN;
UPDATE users SET created_at = '2026-01-01' WHERE auth_user_id = :ann;
SELECT pg_temp.who_with(format('{"sub": "%s"}', :ann))
       = pg_temp.who_with(format('{"sub": "%s"}', :ann)) AS same,
       pg_temp.who_with(format('{"sub": "%s"}', :ann))
           ~ (SELECT w.slug FROM users u JOIN workspaces w ON w.id = u.workspace_id WHERE auth_user_id = :ann
               ORDER BY u.id LIMIT 1) AS by_id;
ROLLBACK;

-- -----------------------------------------------------------------------------------------------------------
-- Roles
-- -----------------------------------------------------------------------------------------------------------

SELECT pg_temp.who_with(format('{"sub": "%s"}', :ann)) AS owner,
       pg_temp.who_with(format('{"sub": "%s"}', :bob)) AS admin,
       pg_temp.who_with(format('{"sub": "%s"}', :ann), workspace => :two) AS member;
SELECT user_has_role('member') AS nobody, user_has_role(NULL) AS "null", user_has_role('boss');
SELECT user_has_role('member') AS nobody, user_has_role(NULL) AS "null";

-- -----------------------------------------------------------------------------------------------------------
-- As of now: claims, membership, plans
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.sign_in(person text, local boolean DEFAULT false) RETURNS void LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims',
                         CASE WHEN person IS NULL THEN '' ELSE format('{"sub": "%s"}', person) END, local) $$;
GRANT EXECUTE ON FUNCTION pg_temp.sign_in(text, boolean), pg_temp.who() TO PUBLIC;

-- Claims change from one statement to the next, and end with SET LOCAL.
SET ROLE authenticated;
BEGIN;
SELECT FROM pg_temp.sign_in(:ann, true);
SELECT name FROM saved_searches ORDER BY name;
SELECT FROM pg_temp.sign_in(:bob, true);
SELECT name FROM saved_searches ORDER BY name;
SAVEPOINT s;
SELECT FROM pg_temp.sign_in(:ann, true);
SELECT name FROM saved_searches ORDER BY name;
ROLLBACK TO s;
SELECT name FROM saved_searches ORDER BY name;
COMMIT;
SELECT name FROM saved_searches ORDER BY name;

-- A plan that was cached for one person serves another: prepared statements ...
PREPARE searches AS SELECT name FROM saved_searches ORDER BY name;
PREPARE search(text) AS SELECT count(*) FROM saved_searches WHERE name LIKE $1;
SET plan_cache_mode = force_generic_plan;
SELECT FROM pg_temp.sign_in(:ann);
EXECUTE searches;
EXECUTE search('%');
SELECT FROM pg_temp.sign_in(:bob);
EXECUTE searches;
EXECUTE search('%');
SELECT FROM pg_temp.sign_in(NULL);
EXECUTE searches;
EXECUTE search('%');
-- ... also another role ...
RESET ROLE;
SET ROLE service_role;
SELECT count(*) FROM saved_searches;
EXECUTE search('%');
SET ROLE authenticated;
EXECUTE search('%');
RESET plan_cache_mode;
DEALLOCATE ALL;
-- ... and functions, whatever they are declared to be.
RESET ROLE;
CREATE FUNCTION pg_temp.count_stable() RETURNS bigint
    LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT count(*) FROM openinfo.saved_searches); END $$;
CREATE FUNCTION pg_temp.count_sql() RETURNS bigint
    LANGUAGE sql AS $$ SELECT count(*) FROM openinfo.saved_searches $$;
CREATE FUNCTION pg_temp.count_as(person text) RETURNS bigint
    LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_temp.sign_in(person); RETURN pg_temp.count_stable(); END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pg_temp TO PUBLIC;
SET ROLE authenticated;
SELECT FROM pg_temp.sign_in(:ann);
SELECT pg_temp.count_stable(), pg_temp.count_sql();
SELECT FROM pg_temp.sign_in(:bob);
SELECT pg_temp.count_stable(), pg_temp.count_sql();
SELECT pg_temp.count_as(:ann) AS ann, pg_temp.count_as(:bob) AS bob, pg_temp.count_as(NULL) AS nobody,
       pg_temp.count_as(:ann) AS ann;

-- A cursor does not change its workspace on the way.
BEGIN;
SELECT FROM pg_temp.sign_in(:bob);
DECLARE c CURSOR FOR SELECT name FROM saved_searches;
FETCH c;
SELECT FROM pg_temp.sign_in(:ann);
FETCH ALL FROM c;
COMMIT;

-- A member who is removed has no access from the next statement on; one who is added has it at once.
RESET ROLE;
BEGIN;
SELECT FROM pg_temp.sign_in(:bob);
SET LOCAL ROLE authenticated;
SELECT count(*) FROM saved_searches;
RESET ROLE;
DELETE FROM users WHERE auth_user_id = :bob;
SELECT pg_temp.who();
SET LOCAL ROLE authenticated;
SELECT count(*) FROM saved_searches;
RESET ROLE;
INSERT INTO users (workspace_id, auth_user_id, email, role)
    VALUES (:three, :bob, 'bob@identity.example', 'owner');
SELECT pg_temp.who();
UPDATE users SET role = 'member' WHERE auth_user_id = :bob;
SELECT pg_temp.who();
SET LOCAL ROLE authenticated;
SELECT name FROM saved_searches;
ROLLBACK;
SELECT pg_temp.who();
-- After the oldest workspace is deleted, a person is in the next one.
BEGIN;
SELECT FROM pg_temp.sign_in(:ann);
SELECT pg_temp.who();
DELETE FROM workspaces WHERE id = :one;
SELECT pg_temp.who();
ROLLBACK;

-- Parallel workers know who is calling; the plan allows as many rows as they need to be worth starting.
UPDATE users SET plan = 'enterprise' WHERE workspace_id = :one;
INSERT INTO saved_searches (workspace_id, name) SELECT :one, 'n' || i FROM generate_series(1, 1000) i;
ANALYZE saved_searches;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;
SET max_parallel_workers_per_gather = 2;
CREATE FUNCTION pg_temp.is_parallel(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_line text;
    v_found boolean := false;
BEGIN
    FOR v_line IN EXECUTE 'EXPLAIN (ANALYZE) ' || statement LOOP
        v_found := v_found OR v_line ~ 'Workers Launched: [1-9]';
    END LOOP;
    RETURN v_found;
END
$$;
SELECT FROM pg_temp.sign_in(:ann);
-- asked by each row, in the worker: the leader's snapshot and settings are there
SELECT pg_temp.is_parallel($$ SELECT count(*) FROM openinfo.saved_searches
                               WHERE workspace_id = openinfo.get_user_workspace_id()
                                 AND openinfo.user_has_role('owner')
                                 AND openinfo.get_user_id() IS NOT NULL $$);
SELECT count(*) FROM saved_searches
 WHERE workspace_id = get_user_workspace_id() AND user_has_role('owner') AND get_user_id() IS NOT NULL;
BEGIN;
SET LOCAL openinfo.workspace_id = '1de00000-0000-4000-8000-000000000002';
SELECT count(*) FROM saved_searches
 WHERE workspace_id = get_user_workspace_id() AND NOT user_has_role('admin') AND get_user_id() IS NOT NULL;
ROLLBACK;
SET ROLE authenticated;
SELECT count(*) FROM saved_searches;
SELECT FROM pg_temp.sign_in('no uuid');
SELECT count(*) FROM saved_searches;
RESET ROLE;
RESET ALL;

DELETE FROM openinfo.workspaces WHERE slug LIKE 'identity-%';
