-- What the plan of a workspace allows: active queries, and saved searches.
SET search_path = openinfo, pg_temp;

INSERT INTO workspaces (id, slug, name) VALUES
    ('d0000000-0000-4000-8000-000000000001', 'limits-one', 'One'),
    ('d0000000-0000-4000-8000-000000000002', 'limits-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email, plan) VALUES
    ('d0000000-0000-4000-8000-0000000000a1', 'd0000000-0000-4000-8000-000000000001',
     'd0000000-0000-4000-8000-0000000000f1', 'ann@limits.example', 'free'),
    ('d0000000-0000-4000-8000-0000000000a2', 'd0000000-0000-4000-8000-000000000001',
     'd0000000-0000-4000-8000-0000000000f2', 'bob@limits.example', 'starter');
INSERT INTO global_topics (id, topic)
    VALUES ('d0000000-0000-4000-8000-0000000000e1', 'limits: cloud security');
\set one '\'d0000000-0000-4000-8000-000000000001\''
\set two '\'d0000000-0000-4000-8000-000000000002\''
\set ann '\'d0000000-0000-4000-8000-0000000000a1\''
\set bob '\'d0000000-0000-4000-8000-0000000000a2\''
\set topic '\'d0000000-0000-4000-8000-0000000000e1\''
\set nobody '\'d0000000-0000-4000-8000-00000000dead\''

CREATE FUNCTION pg_temp.sign_in(person text) RETURNS void LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims',
                         CASE WHEN person IS NULL THEN ''
                              ELSE format('{"sub": "d0000000-0000-4000-8000-0000000000%s"}', person) END,
                         false) $$;
GRANT EXECUTE ON FUNCTION pg_temp.sign_in(text) TO PUBLIC;
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE statement; RETURN 'not refused';
       EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
GRANT EXECUTE ON FUNCTION pg_temp.refusal(text) TO PUBLIC;
CREATE VIEW pg_temp.active AS
    SELECT w.slug, count(q.id) AS active
      FROM workspaces w LEFT JOIN queries q ON q.workspace_id = w.id AND q.status = 'active'
     WHERE w.id IN (:one, :two) GROUP BY w.slug;

-- -----------------------------------------------------------------------------------------------------------
-- Active queries
-- -----------------------------------------------------------------------------------------------------------

-- The plan of a workspace is the best among its members: starter, two active queries.
SET ROLE authenticated;
SELECT pg_temp.sign_in('f1');
SELECT check_query_limit();
INSERT INTO queries (topic_id) VALUES (:topic);
SELECT check_query_limit() AS one_more;
INSERT INTO queries (topic_id, name, filters) VALUES (:topic, 'Second', '{}');
SELECT check_query_limit(user_workspace_id => get_user_workspace_id()) AS one_more;
-- One too many: PT402, with what a client needs to know as JSON.
INSERT INTO queries (topic_id) VALUES (:topic);
\set VERBOSITY sqlstate
INSERT INTO queries (topic_id) VALUES (:topic);
\set VERBOSITY default
-- What is not active does not count, until it becomes so.
INSERT INTO queries (topic_id, name, status)
    VALUES (:topic, 'Paused', 'paused'), (:topic, 'Completed', 'completed');
UPDATE queries SET status = 'active' WHERE name = 'Paused';
UPDATE queries SET name = 'Second, renamed', filters = '{"industry": "Retail"}' WHERE name = 'Second';
UPDATE queries SET status = 'active' WHERE status = 'active';
-- A statement is judged by what it leaves: one may take the place of another in a single UPDATE ...
UPDATE queries SET status = CASE name WHEN 'Paused' THEN 'active' ELSE 'paused' END::query_status
 WHERE name IN ('Paused', 'Second, renamed');
SELECT name, status FROM queries WHERE name IN ('Paused', 'Second, renamed') ORDER BY name;
-- ... and of many rows not even some become active.
UPDATE queries SET status = 'active';
DELETE FROM queries;
INSERT INTO queries (topic_id, name) VALUES (:topic, '1'), (:topic, '2'), (:topic, '3');
INSERT INTO queries (topic_id, name) VALUES (:topic, '1'), (:topic, '2');
WITH moved AS (UPDATE queries SET status = 'completed' WHERE name = '1') INSERT INTO queries (topic_id, name)
    VALUES (:topic, '3');
SELECT name, status FROM queries ORDER BY name;
RESET ROLE;

-- For every caller: COPY, ON CONFLICT, another workspace, the service, a superuser.
SET ROLE service_role;
INSERT INTO queries (workspace_id, topic_id, name) VALUES (:one, :topic, '4');
INSERT INTO queries (id, workspace_id, topic_id, name, status) VALUES (:nobody, :one, :topic, '5', 'paused');
INSERT INTO queries (id, workspace_id, topic_id, name) VALUES (:nobody, :one, :topic, '5')
    ON CONFLICT (id) DO NOTHING;
INSERT INTO queries (id, workspace_id, topic_id, name) VALUES (:nobody, :one, :topic, '5')
    ON CONFLICT (id) DO UPDATE SET status = 'active';
UPDATE queries SET status = 'active' WHERE id = :nobody;
RESET ROLE;
COPY queries (workspace_id, topic_id, name) FROM stdin;
d0000000-0000-4000-8000-000000000001	d0000000-0000-4000-8000-0000000000e1	6
d0000000-0000-4000-8000-000000000001	d0000000-0000-4000-8000-0000000000e1	7
\.
-- A workspace without members is on plan free.
SELECT check_query_limit(:two);
INSERT INTO queries (workspace_id, topic_id, name) VALUES (:two, :topic, '8');
SELECT check_query_limit(:two);
UPDATE queries SET workspace_id = :one WHERE name = '8';
UPDATE queries SET workspace_id = :two WHERE name = '2';
SELECT * FROM pg_temp.active ORDER BY slug;

-- A limit that is lowered stops nothing that runs, and lets nothing begin; not
-- even in the place of another, until the count is below it.
UPDATE users SET plan = 'free' WHERE id = :bob;
SELECT check_query_limit(:one);
UPDATE queries SET leads_this_week = 5, total_leads_generated = 9 WHERE workspace_id = :one AND name = '3';
INSERT INTO queries (workspace_id, topic_id, name) VALUES (:one, :topic, '9');
UPDATE queries SET status = CASE id WHEN :nobody THEN 'active' ELSE 'paused' END::query_status
 WHERE workspace_id = :one AND name IN ('3', '5');
SELECT * FROM pg_temp.active ORDER BY slug;
-- Plans are the user's: unlimited, none at all, one more.
UPDATE plans SET active_queries = 0 WHERE name = 'free';
UPDATE queries SET status = 'paused' WHERE workspace_id = :one;
SELECT check_query_limit(:one),
       pg_temp.refusal('UPDATE openinfo.queries SET status = ''active'' WHERE name = ''3''');
UPDATE plans SET active_queries = NULL WHERE name = 'free';
SELECT check_query_limit(:one),
       pg_temp.refusal('UPDATE openinfo.queries SET status = ''active'' WHERE workspace_id = '
                       '''d0000000-0000-4000-8000-000000000001''');
UPDATE plans SET active_queries = 1 WHERE name = 'free';
INSERT INTO plans (name, active_queries) VALUES ('regress', 5);
UPDATE users SET plan = 'regress' WHERE id = :ann;
SELECT count(*) AS active, check_query_limit(:one)
  FROM queries WHERE workspace_id = :one AND status = 'active';
UPDATE users SET plan = 'free' WHERE id = :ann;
DELETE FROM plans WHERE name = 'regress';
UPDATE plans SET active_queries = (ARRAY[1])[1] WHERE name = 'free';

-- Without its index it counts by another, or by none.
BEGIN;
DROP INDEX idx_queries_active;
SELECT check_query_limit(:one);
DROP INDEX idx_queries_workspace_id;
SELECT check_query_limit(:one), check_query_limit(:two);
CREATE INDEX of_another_status ON queries (workspace_id) WHERE status = 'paused';
SELECT check_query_limit(:one);
ROLLBACK;

-- REPEATABLE READ and SERIALIZABLE count as well.
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO queries (workspace_id, topic_id, name) VALUES (:one, :topic, '9');
ROLLBACK;

-- The loading of a dump is not judged: its triggers come after the data, or not at all.
SET session_replication_role = replica;
INSERT INTO queries (workspace_id, topic_id, name) VALUES (:one, :topic, 'restored');
RESET session_replication_role;
-- Callers.
SET ROLE authenticated;
SELECT pg_temp.sign_in('f1');
SELECT call, pg_temp.refusal(format('SELECT %s', call)) AS refusal
  FROM (VALUES ('check_query_limit(''d0000000-0000-4000-8000-000000000002'')'),
               ('check_query_limit(''d0000000-0000-4000-8000-00000000dead'')')) AS v(call);
SELECT pg_temp.sign_in('f9');
SELECT check_query_limit() AS in_no_workspace;
SELECT pg_temp.sign_in(NULL);
SELECT pg_temp.refusal('SELECT check_query_limit()') AS signed_out;
SET ROLE anon;
SELECT openinfo.check_query_limit();
SET ROLE service_role;
SELECT check_query_limit(:nobody) AS unknown, check_query_limit(NULL) AS nobody,
       check_query_limit() AS default_of_nobody;
RESET ROLE;

-- -----------------------------------------------------------------------------------------------------------
-- Saved searches
-- -----------------------------------------------------------------------------------------------------------

UPDATE users SET plan = 'free' WHERE id IN (:ann, :bob);
CREATE VIEW pg_temp.saved AS
    SELECT w.slug, count(s.id) AS saved FROM workspaces w LEFT JOIN saved_searches s ON s.workspace_id = w.id
     WHERE w.id IN (:one, :two) GROUP BY w.slug;
GRANT SELECT ON pg_temp.saved TO PUBLIC;

-- Free: five of a workspace, whichever member saves them.
SET ROLE authenticated;
SELECT pg_temp.sign_in('f1');
INSERT INTO saved_searches (name) SELECT 'Ann ' || i FROM generate_series(1, 3) i;
SELECT pg_temp.sign_in('f2');
INSERT INTO saved_searches (name, filters) VALUES ('Bob 1', '{"industry": "Retail"}');
-- Of many rows not even some are saved.
INSERT INTO saved_searches (name) VALUES ('Bob 2'), ('Bob 3');
SELECT saved FROM pg_temp.saved WHERE slug = 'limits-one';
INSERT INTO saved_searches (name) VALUES ('Bob 2');
-- One too many: PT402, with what a client needs to know as JSON.
INSERT INTO saved_searches (name) VALUES ('Bob 3');
\set VERBOSITY sqlstate
INSERT INTO saved_searches (name) VALUES ('Bob 3');
\set VERBOSITY default
WITH gone AS (DELETE FROM saved_searches WHERE name = 'Bob 2' RETURNING name)
    INSERT INTO saved_searches (name) SELECT name || ', again' FROM gone;
-- What is there is used, changed and deleted as ever; who deletes one may save another.
UPDATE saved_searches SET name = name || '.', filters = '{"size": 5}', use_count = 1 + use_count;
DELETE FROM saved_searches WHERE name = 'Bob 1.';
INSERT INTO saved_searches (name) VALUES ('Bob 3');
-- What another workspace has counts there; saved searches of people are not counted here, nor limited.
INSERT INTO saved_people_searches (name) SELECT 'People ' || i FROM generate_series(1, 8) i;
SELECT saved FROM pg_temp.saved WHERE slug = 'limits-one';
RESET ROLE;

-- For every caller: the service, a superuser, COPY, ON CONFLICT, another workspace.
SET ROLE service_role;
INSERT INTO saved_searches (workspace_id, name) VALUES (:one, 'Service');
INSERT INTO saved_searches (id, workspace_id, name)
    SELECT id, workspace_id, 'There' FROM saved_searches WHERE name = 'Bob 3' ON CONFLICT (id) DO NOTHING;
INSERT INTO saved_searches (id, workspace_id, name) SELECT id, workspace_id, 'There' FROM saved_searches
 WHERE name = 'Bob 3' ON CONFLICT (id) DO UPDATE SET name = excluded.name;
INSERT INTO saved_searches (id, workspace_id, name) VALUES (:nobody, :one, 'New')
    ON CONFLICT (id) DO UPDATE SET name = excluded.name;
SELECT name FROM saved_searches WHERE workspace_id = :one ORDER BY name;
-- A workspace without members is on plan free.
INSERT INTO saved_searches (id, workspace_id, name) VALUES (:nobody, :two, 'Moves');
UPDATE saved_searches SET workspace_id = :one WHERE id = :nobody;
UPDATE saved_searches SET workspace_id = :two, created_by = NULL WHERE workspace_id = :one AND name = 'There';
UPDATE saved_searches SET workspace_id = workspace_id WHERE workspace_id = :one;
UPDATE saved_searches SET workspace_id = :one WHERE id = :nobody;
SELECT * FROM pg_temp.saved ORDER BY slug;
RESET ROLE;
INSERT INTO saved_searches (workspace_id, name) VALUES (:one, 'Superuser');
COPY saved_searches (workspace_id, name) FROM stdin;
d0000000-0000-4000-8000-000000000002	1
d0000000-0000-4000-8000-000000000002	2
d0000000-0000-4000-8000-000000000002	3
d0000000-0000-4000-8000-000000000002	4
\.
COPY saved_searches (workspace_id, name) FROM stdin;
d0000000-0000-4000-8000-000000000002	5
\.
-- Of two workspaces in one statement one is full.
DELETE FROM saved_searches WHERE id = :nobody;
INSERT INTO saved_searches (workspace_id, name) VALUES (:one, '5'), (:two, '6');
SELECT * FROM pg_temp.saved ORDER BY slug;

-- A larger plan of one member is the workspace's; a smaller one deletes
-- nothing, and nothing is added until the count is below its limit.
UPDATE users SET plan = 'starter' WHERE id = :bob;
INSERT INTO saved_searches (workspace_id, name) SELECT :one, 'Starter ' || i FROM generate_series(1, 17) i;
INSERT INTO saved_searches (workspace_id, name) SELECT :one, 'Starter ' || i FROM generate_series(1, 16) i;
UPDATE users SET plan = 'free' WHERE id = :bob;
INSERT INTO saved_searches (workspace_id, name) VALUES (:one, 'More');
UPDATE saved_searches SET use_count = 1 WHERE workspace_id = :one;
DELETE FROM saved_searches WHERE workspace_id = :one AND name LIKE 'Starter %' AND name <> 'Starter 1';
SELECT * FROM pg_temp.saved ORDER BY slug;
INSERT INTO saved_searches (workspace_id, name) VALUES (:one, 'More');
DELETE FROM saved_searches WHERE workspace_id = :one AND name = 'Starter 1';
INSERT INTO saved_searches (workspace_id, name) VALUES (:one, 'More');

-- Plans are the user's: none at all, unlimited, one more.
BEGIN;
UPDATE plans SET saved_searches = 0 WHERE name = 'free';
DELETE FROM saved_searches WHERE workspace_id = :one;
SELECT pg_temp.refusal('INSERT INTO openinfo.saved_searches (workspace_id, name) VALUES '
                       '(''d0000000-0000-4000-8000-000000000001'', ''None'')');
UPDATE plans SET saved_searches = NULL WHERE name = 'free';
INSERT INTO saved_searches (workspace_id, name) SELECT :one, 'Many ' || i FROM generate_series(1, 1000) i;
SELECT * FROM pg_temp.saved ORDER BY slug;
ROLLBACK;
-- The best plan is the same for every limit: the one with most active queries, then
-- daily credits, saved searches, rows of an export.
BEGIN;
INSERT INTO plans (name, active_queries, daily_credits, saved_searches, export_rows) VALUES
    ('regress a', 3, 10, 40, 1), ('regress b', 3, NULL, 6, 1), ('regress c', 3, NULL, 7, 1),
    ('regress d', 3, NULL, 7, 2), ('regress e', 2, NULL, NULL, NULL), ('regress f', 3, NULL, 7, 2);
CREATE FUNCTION pg_temp.plan_of_two(one text, two text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_detail text;
BEGIN
    UPDATE openinfo.users SET plan = CASE id WHEN 'd0000000-0000-4000-8000-0000000000a1' THEN one ELSE two END
     WHERE workspace_id = 'd0000000-0000-4000-8000-000000000001';
    INSERT INTO openinfo.saved_searches (workspace_id, name)
        SELECT 'd0000000-0000-4000-8000-000000000001', 'n' || i FROM generate_series(1, 100) i;
    RETURN 'not refused';
EXCEPTION WHEN SQLSTATE 'PT402' THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
    RETURN format('%s, %s', v_detail::jsonb ->> 'plan', v_detail::jsonb ->> 'limit');
END
$$;
SELECT one, two, pg_temp.plan_of_two(one, two) AS plan
  FROM (VALUES ('free', 'regress a'), ('regress a', 'regress b'), ('regress b', 'regress c'),
               ('regress d', 'regress c'), ('regress e', 'regress d'), ('regress f', 'regress d'),
               ('regress d', 'enterprise')) v (one, two);
ROLLBACK;

-- Without its index it counts all the same.
BEGIN;
DROP INDEX idx_saved_searches_workspace_id;
SELECT pg_temp.refusal('INSERT INTO openinfo.saved_searches (workspace_id, name) VALUES '
                       '(''d0000000-0000-4000-8000-000000000001'', ''6'')');
DELETE FROM saved_searches WHERE workspace_id = :one AND name = 'More';
SELECT pg_temp.refusal('INSERT INTO openinfo.saved_searches (workspace_id, name) VALUES '
                       '(''d0000000-0000-4000-8000-000000000001'', ''5'')');
ROLLBACK;
-- REPEATABLE READ and SERIALIZABLE count as well.
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO saved_searches (workspace_id, name) VALUES (:one, '6');
ROLLBACK;
-- The loading of a dump is not judged.
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO saved_searches (workspace_id, name) VALUES (:one, 'Restored');
ROLLBACK;
-- Nobody calls a trigger function.
SELECT role, has_function_privilege(role, 'openinfo.limit_saved_searches()', 'EXECUTE') AS may
  FROM unnest('{anon, authenticated, service_role}'::text[]) role;

DELETE FROM workspaces WHERE id IN (:one, :two);
DELETE FROM global_topics WHERE id = :topic;
