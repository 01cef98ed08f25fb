-- Queries: their names, and how many of a workspace may be active at once.
SET search_path = openinfo, pg_temp;

INSERT INTO workspaces (id, slug, name) VALUES
    ('d0000000-0000-4000-8000-000000000001', 'queries-one', 'One'),
    ('d0000000-0000-4000-8000-000000000002', 'queries-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email, plan) VALUES
    ('d0000000-0000-4000-8000-0000000000a1', 'd0000000-0000-4000-8000-000000000001', 'd0000000-0000-4000-8000-0000000000f1', 'ann@queries.example', 'free'),
    ('d0000000-0000-4000-8000-0000000000a2', 'd0000000-0000-4000-8000-000000000001', 'd0000000-0000-4000-8000-0000000000f2', 'bob@queries.example', 'starter');
INSERT INTO global_topics (id, topic) VALUES ('d0000000-0000-4000-8000-0000000000e1', 'queries: cloud  security');
\set one '\'d0000000-0000-4000-8000-000000000001\''
\set two '\'d0000000-0000-4000-8000-000000000002\''
\set ann '\'d0000000-0000-4000-8000-0000000000a1\''
\set bob '\'d0000000-0000-4000-8000-0000000000a2\''
\set topic '\'d0000000-0000-4000-8000-0000000000e1\''
\set nobody '\'d0000000-0000-4000-8000-00000000dead\''

CREATE FUNCTION pg_temp.sign_in(person text) RETURNS void LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims', CASE WHEN person IS NULL THEN '' ELSE format('{"sub": "d0000000-0000-4000-8000-0000000000%s"}', person) END, false) $$;
GRANT EXECUTE ON FUNCTION pg_temp.sign_in(text) TO PUBLIC;
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE statement; RETURN 'not refused'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
GRANT EXECUTE ON FUNCTION pg_temp.refusal(text) TO PUBLIC;
CREATE VIEW pg_temp.active AS
    SELECT w.slug, count(q.id) AS active FROM workspaces w LEFT JOIN queries q ON q.workspace_id = w.id AND q.status = 'active'
     WHERE w.id IN (:one, :two) GROUP BY w.slug;

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
INSERT INTO queries (topic_id, name, status) VALUES (:topic, 'Paused', 'paused'), (:topic, 'Completed', 'completed');
UPDATE queries SET status = 'active' WHERE name = 'Paused';
UPDATE queries SET name = 'Second, renamed', filters = '{"industry": "Retail"}' WHERE name = 'Second';
UPDATE queries SET status = 'active' WHERE status = 'active';
-- A statement is judged by what it leaves: one may take the place of another in a single UPDATE ...
UPDATE queries SET status = CASE name WHEN 'Paused' THEN 'active' ELSE 'paused' END::query_status WHERE name IN ('Paused', 'Second, renamed');
SELECT name, status FROM queries WHERE name IN ('Paused', 'Second, renamed') ORDER BY name;
-- ... and of many rows not even some become active.
UPDATE queries SET status = 'active';
DELETE FROM queries;
INSERT INTO queries (topic_id, name) VALUES (:topic, '1'), (:topic, '2'), (:topic, '3');
INSERT INTO queries (topic_id, name) VALUES (:topic, '1'), (:topic, '2');
WITH moved AS (UPDATE queries SET status = 'completed' WHERE name = '1') INSERT INTO queries (topic_id, name) VALUES (:topic, '3');
SELECT name, status FROM queries ORDER BY name;
RESET ROLE;

-- For every caller: COPY, ON CONFLICT, another workspace, the service, a superuser.
SET ROLE service_role;
INSERT INTO queries (workspace_id, topic_id, name) VALUES (:one, :topic, '4');
INSERT INTO queries (id, workspace_id, topic_id, name, status) VALUES (:nobody, :one, :topic, '5', 'paused');
INSERT INTO queries (id, workspace_id, topic_id, name) VALUES (:nobody, :one, :topic, '5') ON CONFLICT (id) DO NOTHING;
INSERT INTO queries (id, workspace_id, topic_id, name) VALUES (:nobody, :one, :topic, '5') ON CONFLICT (id) DO UPDATE SET status = 'active';
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

-- A limit that is lowered stops nothing that runs, and lets nothing begin; not even in the place of another, before there is room.
UPDATE users SET plan = 'free' WHERE id = :bob;
SELECT check_query_limit(:one);
UPDATE queries SET leads_this_week = 5, total_leads_generated = 9 WHERE workspace_id = :one AND name = '3';
INSERT INTO queries (workspace_id, topic_id, name) VALUES (:one, :topic, '9');
UPDATE queries SET status = CASE id WHEN :nobody THEN 'active' ELSE 'paused' END::query_status WHERE workspace_id = :one AND name IN ('3', '5');
SELECT * FROM pg_temp.active ORDER BY slug;
-- Plans are the user's: unlimited, none at all, one more.
UPDATE plans SET active_queries = 0 WHERE name = 'free';
UPDATE queries SET status = 'paused' WHERE workspace_id = :one;
SELECT check_query_limit(:one), pg_temp.refusal('UPDATE openinfo.queries SET status = ''active'' WHERE name = ''3''');
UPDATE plans SET active_queries = NULL WHERE name = 'free';
SELECT check_query_limit(:one), pg_temp.refusal('UPDATE openinfo.queries SET status = ''active'' WHERE workspace_id = ''d0000000-0000-4000-8000-000000000001''');
UPDATE plans SET active_queries = 1 WHERE name = 'free';
INSERT INTO plans (name, active_queries) VALUES ('regress', 5);
UPDATE users SET plan = 'regress' WHERE id = :ann;
SELECT count(*) AS active, check_query_limit(:one) FROM queries WHERE workspace_id = :one AND status = 'active';
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
  FROM (VALUES ('check_query_limit(''d0000000-0000-4000-8000-000000000002'')'), ('check_query_limit(''d0000000-0000-4000-8000-00000000dead'')'), ('reset_weekly_lead_counts()')) AS v(call);
SELECT pg_temp.sign_in('f9');
SELECT check_query_limit() AS in_no_workspace;
SELECT pg_temp.sign_in(NULL);
SELECT pg_temp.refusal('SELECT check_query_limit()') AS signed_out;
SET ROLE anon;
SELECT openinfo.check_query_limit();
SET ROLE service_role;
SELECT check_query_limit(:nobody) AS unknown, check_query_limit(NULL) AS nobody, check_query_limit() AS default_of_nobody;

-- The weekly job writes what is not zero.
CREATE TEMP TABLE before AS SELECT id, updated_at, xmin AS version FROM queries;
SELECT reset_weekly_lead_counts();
SELECT reset_weekly_lead_counts() AS again;
SELECT count(*) FILTER (WHERE q.xmin <> b.version) AS written, bool_and((q.updated_at > b.updated_at) = (q.xmin <> b.version)) AS updated_at_says_so, sum(leads_this_week) AS this_week, sum(total_leads_generated) AS total
  FROM queries q JOIN before b USING (id);
RESET ROLE;
BEGIN READ ONLY;
SELECT reset_weekly_lead_counts();
ROLLBACK;

-- Names: the topic, and what the filters say; whatever they are, a name comes out.
SELECT filters, generate_query_name(topic_name => 'Cloud security', query_filters => filters)
  FROM unnest(ARRAY['{}', 'null', '[]', '[1, 2]', '"text"', '5', 'true', NULL,
                    '{"industry": "Healthcare"}', '{"industry": null}', '{"industry": ""}', '{"industry": " \n"}', '{"industry": true}', '{"industry": 7.50}',
                    '{"industry": ["Healthcare", null, "Retail", {"x": 1}, "", "Finance", "Media"]}', '{"industry": []}', '{"industry": [[["deep"]]]}', '{"industry": [null, "Retail", []]}',
                    '{"size": {"min": 50, "max": 200}}', '{"size": {"min": 50}}', '{"size": {"max": 200}}', '{"size": {"min": "x", "max": null}}', '{"size": {}}',
                    '{"location": {"country": "US", "state": null, "city": "Austin"}, "industry": "Retail", "size": {"min": 1, "max": 10}}',
                    '{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}']::jsonb[]) AS filters;
SELECT generate_query_name(NULL, NULL) AS nothing, generate_query_name(E' \t\n', '{"industry": "Retail"}') AS blank, generate_query_name('  two   words ', NULL) AS folded;
SELECT length(generate_query_name(repeat('ä', 10000), '{}')) AS characters, length(generate_query_name('x', jsonb_build_object('k', repeat('y', 10000)))) AS of_filters;
SELECT provolatile FROM pg_proc WHERE oid = 'generate_query_name(text, jsonb)'::regprocedure;
-- A query without a name gets one, also when it loses it; a blank one is refused; an unknown topic is the foreign key's to refuse.
DELETE FROM queries WHERE workspace_id = :one;
SET ROLE authenticated;
SELECT pg_temp.sign_in('f1');
INSERT INTO queries (topic_id, filters) VALUES (:topic, '{"industry": "Retail"}') RETURNING name;
UPDATE queries SET name = NULL, filters = '{"industry": "Media"}' RETURNING name;
UPDATE queries SET name = E' \n';
INSERT INTO queries (topic_id, status) VALUES (:nobody, 'paused');
INSERT INTO queries (topic_id, status) VALUES (NULL, 'paused');
INSERT INTO queries (topic_id, filters, status) VALUES (:topic, NULL, 'paused');
INSERT INTO queries (topic_id, filters, status) VALUES (:topic, '[]', 'paused');
SELECT pg_temp.sign_in(NULL);
RESET ROLE;

DELETE FROM workspaces WHERE id IN (:one, :two);
DELETE FROM global_topics WHERE id = :topic;
