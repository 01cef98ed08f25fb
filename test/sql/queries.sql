-- Queries: their names, the time of their next run, and the leads they found this week.
SET search_path = openinfo, pg_temp;

INSERT INTO workspaces (id, slug, name) VALUES ('d0000000-0000-4000-8000-000000000001', 'queries-one', 'One');
INSERT INTO users (id, workspace_id, auth_user_id, email, plan) VALUES
    ('d0000000-0000-4000-8000-0000000000a1', 'd0000000-0000-4000-8000-000000000001',
     'd0000000-0000-4000-8000-0000000000f1', 'ann@queries.example', 'free');
INSERT INTO global_topics (id, topic)
    VALUES ('d0000000-0000-4000-8000-0000000000e1', 'queries: cloud  security');
\set one '\'d0000000-0000-4000-8000-000000000001\''
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

-- The weekly job writes rows that are not zero; members may not run it.
INSERT INTO queries (workspace_id, topic_id, name, status, leads_this_week, total_leads_generated)
    VALUES (:one, :topic, 'Found', 'active', 5, 9), (:one, :topic, 'Found nothing', 'paused', 0, 0);
SET ROLE authenticated;
SELECT pg_temp.sign_in('f1');
SELECT pg_temp.refusal('SELECT reset_weekly_lead_counts()');
SELECT pg_temp.sign_in(NULL);
SET ROLE service_role;
CREATE TEMP TABLE before AS SELECT id, updated_at, xmin AS version FROM queries;
SELECT reset_weekly_lead_counts();
SELECT reset_weekly_lead_counts() AS again;
SELECT count(*) FILTER (WHERE q.xmin <> b.version) AS written,
       bool_and((q.updated_at > b.updated_at) = (q.xmin <> b.version)) AS updated_at_says_so,
       sum(leads_this_week) AS this_week,
       sum(total_leads_generated) AS total
  FROM queries q JOIN before b USING (id);
RESET ROLE;
BEGIN READ ONLY;
SELECT reset_weekly_lead_counts();
ROLLBACK;

-- Names: the topic and the values of the filters; every input has a name.
SELECT filters, generate_query_name(topic_name => 'Cloud security', query_filters => filters)
  FROM unnest(ARRAY['{}', 'null', '[]', '[1, 2]', '"text"', '5', 'true', NULL,
                    '{"industry": "Healthcare"}', '{"industry": null}', '{"industry": ""}',
                    '{"industry": " \n"}', '{"industry": true}', '{"industry": 7.50}',
                    '{"industry": ["Healthcare", null, "Retail", {"x": 1}, "", "Finance", "Media"]}',
                    '{"industry": []}', '{"industry": [[["deep"]]]}', '{"industry": [null, "Retail", []]}',
                    '{"size": {"min": 50, "max": 200}}', '{"size": {"min": 50}}', '{"size": {"max": 200}}',
                    '{"size": {"min": "x", "max": null}}', '{"size": {}}',
                    '{"location": {"country": "US", "state": null, "city": "Austin"}, "industry": "Retail", '
                    '"size": {"min": 1, "max": 10}}',
                    '{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6}']::jsonb[]) AS filters;
SELECT generate_query_name(NULL, NULL) AS nothing,
       generate_query_name(E' \t\n', '{"industry": "Retail"}') AS blank,
       generate_query_name('  two   words ', NULL) AS folded,
       generate_query_name(U&'\00A0\3000two\2003words\00A0', '{"industry": "\u00a0Retail\u2009"}') AS unicode;
SELECT length(generate_query_name(repeat('ä', 10000), '{}')) AS characters,
       length(generate_query_name('x', jsonb_build_object('k', repeat('y', 10000)))) AS of_filters;
SELECT provolatile FROM pg_proc WHERE oid = 'generate_query_name(text, jsonb)'::regprocedure;
-- A query without a name gets one, also when its name is set to NULL; a blank name
-- is refused; the foreign key refuses an unknown topic.
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

-- When it runs: a member may postpone a query, but cannot have it run before
-- the present, or within 24 hours of its last run.
DELETE FROM queries WHERE workspace_id = :one;
CREATE VIEW pg_temp.due AS
    SELECT name,
           CASE WHEN next_run_at = now() THEN 'now'
                ELSE (next_run_at - last_run_at)::text || ' after the last run' END AS due
      FROM openinfo.queries;
GRANT SELECT ON pg_temp.due TO authenticated, service_role;
BEGIN;
SET LOCAL ROLE authenticated;
SELECT pg_temp.sign_in('f1');
INSERT INTO queries (topic_id, name, status, next_run_at)
SELECT :topic, coalesce(t, 'NULL'), 'paused', t::timestamptz
  FROM unnest(ARRAY['-infinity', '2000-01-01', NULL]) t;
SELECT * FROM pg_temp.due ORDER BY name;
SET LOCAL ROLE service_role;
SELECT update_query_run_time(id) FROM queries;
SELECT DISTINCT due FROM pg_temp.due;
SET LOCAL ROLE authenticated;
UPDATE queries
   SET next_run_at
       = CASE name WHEN 'NULL' THEN NULL WHEN '-infinity' THEN '-infinity'::timestamptz ELSE now() END;
SELECT DISTINCT due FROM pg_temp.due;
UPDATE queries SET next_run_at = last_run_at + interval '3 days' WHERE name = 'NULL';
UPDATE queries SET next_run_at = last_run_at + interval '25 hours', name = 'nearer' WHERE name = 'NULL';
UPDATE queries SET next_run_at = 'infinity' WHERE name = '-infinity';
-- a query that is due stays due, whatever else is written
RESET ROLE;
UPDATE queries SET last_run_at = now() - interval '2 days', next_run_at = now() - interval '1 day'
 WHERE name = '2000-01-01';
SET LOCAL ROLE authenticated;
UPDATE queries SET name = 'overdue', next_run_at = next_run_at WHERE name = '2000-01-01';
-- the service may have it run at once
SET LOCAL ROLE service_role;
UPDATE queries SET next_run_at = now() WHERE name = '-infinity';
SELECT * FROM pg_temp.due ORDER BY name;
ROLLBACK;
SELECT pg_temp.sign_in(NULL);

DELETE FROM workspaces WHERE id = :one;
DELETE FROM global_topics WHERE id = :topic;
