-- What goes, and what stays, when a member, a row, a topic or a workspace is removed.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse
\set one '''0e000000-0000-0000-0000-000000000001'''
\set two '''0e000000-0000-0000-0000-000000000002'''
\set ann '''0e000000-0000-0000-0000-0000000000a1'''
\set bob '''0e000000-0000-0000-0000-0000000000b1'''
\set cam '''0e000000-0000-0000-0000-0000000000c2'''
\set topic '''0e000000-0000-0000-0000-0000000000f1'''

-- Two workspaces with the same rows; in the first, Bob is the author of everything that can have one.
INSERT INTO workspaces (id, slug, name) VALUES (:one, 'removal-one', 'One'), (:two, 'removal-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email, role, plan, daily_credit_limit) VALUES
    (:ann, :one, :ann, 'ann@removal.example', 'owner', 'pro', 1000),
    (:bob, :one, :bob, 'bob@removal.example', 'member', 'pro', 1000),
    (:cam, :two, :cam, 'cam@removal.example', 'owner', 'pro', 1000);
INSERT INTO global_topics (id, topic, created_by) VALUES (:topic, 'removal: a topic', :bob);
INSERT INTO trends (topic_id, week_start) VALUES (:topic, '2026-01-05');
CREATE TABLE pg_temp.author AS VALUES (:one::uuid, :bob::uuid), (:two, :cam);
INSERT INTO queries (workspace_id, created_by, topic_id, name)
    SELECT w, u, :topic, 'Query' FROM pg_temp.author a (w, u);
INSERT INTO saved_searches (workspace_id, created_by, name)
    SELECT w, u, 'Search' FROM pg_temp.author a (w, u);
INSERT INTO leads (workspace_id, created_by, query_id, company_data)
    SELECT w, u, q.id, '{"name": "Alpha", "domain": "alpha.example"}'
  FROM pg_temp.author a (w, u) JOIN queries q ON q.workspace_id = w;
INSERT INTO credit_usage (workspace_id, created_by, user_id, action_type, credits_used)
    SELECT w, u, u, 'email_reveal', 1 FROM pg_temp.author a (w, u);
INSERT INTO export_jobs (workspace_id, created_by, user_id) SELECT w, u, u FROM pg_temp.author a (w, u);
INSERT INTO expired_export_files (workspace_id, file_url) SELECT w, 'file' FROM pg_temp.author a (w, u);
INSERT INTO people_search_results (workspace_id, created_by, user_id, person_data)
    SELECT w, u, u, '{"full_name": "Dan", "email": "dan@alpha.example"}' FROM pg_temp.author a (w, u);
INSERT INTO people_search_results (workspace_id, created_by, user_id, person_data, email_revealed_at,
                                   email_revealed_by)
SELECT w, u, u, '{"full_name": "Eve", "email": "eve@alpha.example"}', now(), u FROM pg_temp.author a (w, u);
INSERT INTO saved_people_searches (workspace_id, created_by, user_id, name)
    SELECT w, u, u, 'People' FROM pg_temp.author a (w, u);
INSERT INTO integrations (workspace_id, created_by, type, name, config)
    SELECT w, u, 'webhook', 'Hook', '{"token": "t"}' FROM pg_temp.author a (w, u);
INSERT INTO integration_events (workspace_id, integration_id, event_data)
    SELECT workspace_id, id, '{}' FROM integrations WHERE workspace_id IN (:one, :two);
INSERT INTO billing_events (workspace_id, created_by, event_type)
    SELECT w, u, 'payment_succeeded' FROM pg_temp.author a (w, u);
INSERT INTO stripe_customers (workspace_id, created_by, stripe_customer_id)
    SELECT w, u, 'removal ' || w FROM pg_temp.author a (w, u);
INSERT INTO invitations (workspace_id, created_by, email, role, token_sha256, expires_at, accepted_at,
                         accepted_by)
    SELECT w, u, 'fay@removal.example', 'member', sha256('t'), now(), now(), u FROM pg_temp.author a (w, u);
UPDATE workspaces SET created_by = u FROM pg_temp.author a (w, u) WHERE id = w;
UPDATE users SET created_by = :bob, referred_by = :bob WHERE id = :ann;
UPDATE notification_preferences SET created_by = user_id WHERE user_id IN (:bob, :cam);
UPDATE notification_preferences SET created_by = :bob WHERE user_id = :ann;

-- Every row of a workspace: where it is stored, which transaction wrote it, and what is in it.
CREATE FUNCTION pg_temp.rows_of(p_workspace uuid) RETURNS TABLE (tab text, key text, place text, data jsonb)
    LANGUAGE plpgsql AS $$
DECLARE
    v_table record;
BEGIN
    FOR v_table IN
        SELECT c.relname, CASE WHEN c.relname = 'workspaces' THEN 'id' ELSE 'workspace_id' END AS workspace
          FROM pg_class c
         WHERE c.relnamespace = 'openinfo'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND (c.relname = 'workspaces'
                OR EXISTS (SELECT FROM pg_attribute a
                            WHERE a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped))
    LOOP
        RETURN QUERY EXECUTE format('SELECT %L::text, coalesce(to_jsonb(t) ->> ''id'', '
                                    'to_jsonb(t) ->> ''result_id'', to_jsonb(t) ->> ''integration_id'', '
                                    'to_jsonb(t)::text), t.ctid::text || t.xmin, to_jsonb(t) '
                                    'FROM openinfo.%I t WHERE %I = $1',
                                    v_table.relname, v_table.relname, v_table.workspace) USING p_workspace;
    END LOOP;
END
$$;
-- Which tables have rows of the workspace now that were not there, lack
-- rows that were, or have changed columns.
CREATE FUNCTION pg_temp.changes(p_workspace uuid, p_before text, OUT tab text, OUT gone bigint,
                                OUT kept bigint, OUT changed text)
    RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format($sql$
        SELECT coalesce(b.tab, a.tab), count(*) FILTER (WHERE a.key IS NULL), count(a.key),
               (SELECT string_agg(DISTINCT k, ', ' ORDER BY k) FROM unnest(array_agg(d.keys)) AS k)
          FROM %s b FULL JOIN pg_temp.rows_of($1) a ON a.tab = b.tab AND a.key = b.key
         CROSS JOIN LATERAL (SELECT string_agg(o.key, ', ' ORDER BY o.key) AS keys FROM jsonb_each(b.data) o
                              WHERE a.data -> o.key IS DISTINCT FROM o.value AND a.key IS NOT NULL) d
         GROUP BY 1 ORDER BY coalesce(b.tab, a.tab) COLLATE "C"$sql$, p_before) USING p_workspace;
END
$$;
CREATE TABLE pg_temp.one_before AS SELECT * FROM pg_temp.rows_of(:one);
CREATE TABLE pg_temp.two_before AS SELECT * FROM pg_temp.rows_of(:two);
CREATE FUNCTION pg_temp.two_untouched() RETURNS boolean LANGUAGE sql AS $$
    SELECT count(*) > 0 AND bool_and(b.place = a.place AND b.data = a.data)
      FROM pg_temp.two_before b
      FULL JOIN pg_temp.rows_of('0e000000-0000-0000-0000-000000000002') a
           ON a.tab = b.tab AND a.key = b.key $$;

-- Nothing below passes because a table is empty: this lists the tenant tables that are.
SELECT DISTINCT c.relname AS empty
  FROM pg_class c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped
 WHERE c.relnamespace = 'openinfo'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND (NOT EXISTS (SELECT FROM pg_temp.one_before b WHERE b.tab = c.relname)
        OR NOT EXISTS (SELECT FROM pg_temp.two_before b WHERE b.tab = c.relname));
SELECT pg_temp.two_untouched();

-- A member: membership and preferences are deleted; the member's rows are kept, without their author and
-- otherwise unchanged.
BEGIN;
SELECT set_config('request.jwt.claims', '{"sub": "0e000000-0000-0000-0000-0000000000a1"}', true)
       IS NULL AS signed_out;
SET LOCAL ROLE authenticated;
SELECT remove_member(:bob);
RESET ROLE;
SELECT tab, gone, changed
  FROM pg_temp.changes(:one, 'pg_temp.one_before') WHERE gone > 0 OR changed IS NOT NULL;
SELECT pg_temp.two_untouched();
SELECT created_by = :bob AS a_global_row_may_name_anybody FROM global_topics WHERE id = :topic;
-- The ledger is kept, and is as closed as before.
SELECT user_id, created_by, credits_used FROM credit_usage WHERE workspace_id = :one;
SAVEPOINT s;
UPDATE credit_usage SET user_id = :ann WHERE workspace_id = :one;
ROLLBACK TO s;
DELETE FROM credit_usage WHERE workspace_id = :one;
ROLLBACK TO s;
-- A member who is still there cannot be removed from it.
UPDATE credit_usage SET user_id = NULL WHERE workspace_id = :two;
ROLLBACK;

-- The same by plain SQL, as the service.
BEGIN;
SET LOCAL ROLE service_role;
DELETE FROM users WHERE id = :bob;
RESET ROLE;
SELECT tab, gone, changed
  FROM pg_temp.changes(:one, 'pg_temp.one_before') WHERE gone > 0 OR changed IS NOT NULL;
SELECT pg_temp.two_untouched();
ROLLBACK;

-- What belongs to a row is deleted with it, and nothing else is.
BEGIN;
DELETE FROM queries WHERE workspace_id = :one;
DELETE FROM people_search_results WHERE workspace_id = :one AND email_revealed_at IS NULL;
DELETE FROM integrations WHERE workspace_id = :one;
SELECT tab, gone, kept, changed
  FROM pg_temp.changes(:one, 'pg_temp.one_before') WHERE gone > 0 OR changed IS NOT NULL;
SELECT pg_temp.two_untouched();
ROLLBACK;

-- A topic that is asked about stays, and so does a plan that somebody is on; once they are free they go.
-- (A foreign key with RESTRICT has an error of its own since 18.)
BEGIN;
CREATE FUNCTION pg_temp.delete_topic(p_id uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM global_topics WHERE id = p_id;
    RETURN 'deleted';
EXCEPTION WHEN foreign_key_violation OR restrict_violation THEN
    RETURN 'refused';
END
$$;
SELECT pg_temp.delete_topic(:topic);
SAVEPOINT s;
DELETE FROM plans WHERE name = 'pro';
ROLLBACK TO s;
DELETE FROM queries WHERE topic_id = :topic;
SELECT pg_temp.delete_topic(:topic);
SELECT count(*) AS trends FROM trends WHERE topic_id = :topic;
ROLLBACK;

-- A plan's name may change: its members follow.
BEGIN;
UPDATE plans SET name = 'professional' WHERE name = 'pro';
SELECT DISTINCT plan FROM users WHERE workspace_id IN (:one, :two);
ROLLBACK;

-- The ledger cannot be emptied either, alone or with others.
BEGIN;
SAVEPOINT s;
TRUNCATE credit_usage;
ROLLBACK TO s;
SET LOCAL client_min_messages = warning;
TRUNCATE workspaces CASCADE;
ROLLBACK;

-- A workspace: all its rows are deleted with it, ledger and sealed parts too, but for the files that wait to
-- be deleted from the store; those of the other one are not even rewritten.
BEGIN;
SET LOCAL ROLE service_role;
DELETE FROM workspaces WHERE id = :one;
RESET ROLE;
SELECT * FROM pg_temp.changes(:one, 'pg_temp.one_before') WHERE kept > 0 OR gone = 0;
SELECT sum(gone) = (SELECT count(*) - 1 FROM pg_temp.one_before) AS all_gone
  FROM pg_temp.changes(:one, 'pg_temp.one_before');
SELECT pg_temp.two_untouched();
SELECT count(*) AS topics FROM global_topics WHERE id = :topic;
SELECT count(*) AS trends FROM trends WHERE topic_id = :topic;
ROLLBACK;

DELETE FROM workspaces WHERE id IN (:one, :two);
DELETE FROM expired_export_files WHERE workspace_id IN (:one, :two);
DELETE FROM global_topics WHERE id = :topic;
