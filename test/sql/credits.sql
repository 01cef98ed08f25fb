-- Credits: how many a member may spend per UTC day, and the ledger of what was spent.
SET search_path = openinfo, pg_temp;

INSERT INTO workspaces (id, slug, name) VALUES
    ('c0000000-0000-4000-8000-000000000001', 'credits-one', 'One'),
    ('c0000000-0000-4000-8000-000000000002', 'credits-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email, plan, daily_credit_limit) VALUES
    ('c0000000-0000-4000-8000-0000000000a1', 'c0000000-0000-4000-8000-000000000001',
     'c0000000-0000-4000-8000-0000000000f1', 'ann@credits.example', 'free', 3),
    ('c0000000-0000-4000-8000-0000000000a2', 'c0000000-0000-4000-8000-000000000001',
     'c0000000-0000-4000-8000-0000000000f2', 'bob@credits.example', 'enterprise', NULL),
    ('c0000000-0000-4000-8000-0000000000b1', 'c0000000-0000-4000-8000-000000000002',
     'c0000000-0000-4000-8000-0000000000f3', 'una@credits.example', 'starter', 50);
\set one '\'c0000000-0000-4000-8000-000000000001\''
\set two '\'c0000000-0000-4000-8000-000000000002\''
\set ann '\'c0000000-0000-4000-8000-0000000000a1\''
\set bob '\'c0000000-0000-4000-8000-0000000000a2\''
\set una '\'c0000000-0000-4000-8000-0000000000b1\''
\set nobody '\'c0000000-0000-4000-8000-00000000dead\''

CREATE FUNCTION pg_temp.sign_in(person text) RETURNS void LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims',
                         CASE WHEN person IS NULL THEN ''
                              ELSE format('{"sub": "c0000000-0000-4000-8000-0000000000%s"}', person) END,
                         false) $$;
GRANT EXECUTE ON FUNCTION pg_temp.sign_in(text) TO PUBLIC;
-- How a statement is refused.
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN EXECUTE statement; RETURN 'not refused';
       EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
GRANT EXECUTE ON FUNCTION pg_temp.refusal(text) TO PUBLIC;
-- What must hold whatever happens: what the counters of today say was spent is what the ledger of today says.
CREATE VIEW pg_temp.books AS
    SELECT split_part(email, '@', 1) AS member, daily_credits_used AS counter,
           (SELECT coalesce(sum(credits_used), 0) FROM credit_usage l WHERE l.user_id = u.id) AS ledger,
           daily_credit_limit AS "limit"
      FROM users u WHERE workspace_id IN (:one, :two);

-- Members spend their own; the ledger has a line with everything passed in the call.
SET ROLE authenticated;
SELECT pg_temp.sign_in('f1');
SELECT *
  FROM check_credits_available() AS free(one),
       check_credits_available(p_credits_needed => 3) AS three,
       check_credits_available(p_credits_needed => 4) AS four;
SELECT record_credit_usage(p_workspace_id => get_user_workspace_id(), p_user_id => get_user_id(),
                           p_action_type => 'email_reveal', p_credits_used => 2,
                           p_reference_id => :nobody, p_metadata => '{"why": "test"}') AS line \gset
SELECT id = :'line' AS returned, workspace_id = :one AS workspace, user_id = :ann AS member,
       created_by = :ann AS author, action_type, credits_used, reference_id = :nobody AS reference, metadata,
       idempotency_key
  FROM credit_usage;
SELECT credits_limit, credits_used, credits_remaining,
       resets_at = (date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC'
           AS at_midnight
  FROM get_credit_balance();

-- At the limit: PT402, with what a client needs to know as JSON.
SELECT record_credit_usage(get_user_workspace_id(), get_user_id(), 'lead_export', 2);
\set VERBOSITY sqlstate
SELECT record_credit_usage(get_user_workspace_id(), get_user_id(), 'lead_export', 2);
\set VERBOSITY default
SELECT record_credit_usage(get_user_workspace_id(), get_user_id(), 'lead_export') IS NOT NULL AS the_last_one;
SELECT check_credits_available(), credits_remaining FROM get_credit_balance();
RESET ROLE;
SELECT * FROM pg_temp.books ORDER BY member;

-- Arguments out of range.
SELECT call, pg_temp.refusal(format('SELECT %s', call)) AS refusal
  FROM unnest(ARRAY[
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
       '''c0000000-0000-4000-8000-0000000000a1'', ''email_reveal'', 0)',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
       '''c0000000-0000-4000-8000-0000000000a1'', ''email_reveal'', -1)',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
       '''c0000000-0000-4000-8000-0000000000a1'', ''email_reveal'', -2147483648)',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
       '''c0000000-0000-4000-8000-0000000000a1'', ''email_reveal'', 2147483647)',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
       '''c0000000-0000-4000-8000-0000000000a1'', ''email_reveal'', NULL)',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
       '''c0000000-0000-4000-8000-0000000000a1'', NULL)',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
       '''c0000000-0000-4000-8000-0000000000a1'', ''no such action'')',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', NULL, ''email_reveal'')',
       'record_credit_usage(NULL, ''c0000000-0000-4000-8000-0000000000a1'', ''email_reveal'')',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
       '''c0000000-0000-4000-8000-00000000dead'', ''email_reveal'')',
       'record_credit_usage(''c0000000-0000-4000-8000-00000000dead'', '
       '''c0000000-0000-4000-8000-0000000000a1'', ''email_reveal'')',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000002'', '
       '''c0000000-0000-4000-8000-0000000000a1'', ''email_reveal'')',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
       '''c0000000-0000-4000-8000-0000000000a2'', ''email_reveal'', 1, NULL, ''[]'')',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
       '''c0000000-0000-4000-8000-0000000000a2'', ''email_reveal'', p_idempotency_key => '''')',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
       '''c0000000-0000-4000-8000-0000000000a2'', ''email_reveal'', p_idempotency_key => E'' \n'')',
       'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
       '''c0000000-0000-4000-8000-0000000000a2'', ''email_reveal'', p_idempotency_key => repeat(''x'', 256))',
       'check_credits_available(''c0000000-0000-4000-8000-0000000000a1'', 0)',
       'check_credits_available(''c0000000-0000-4000-8000-0000000000a1'', -1)',
       'check_credits_available(''c0000000-0000-4000-8000-0000000000a1'', NULL)']) AS call;

-- The largest numbers: no sum overflows.  What is unlimited ends where the counter does.
SELECT check_credits_available(:ann, 2147483647) AS limited,
       check_credits_available(:bob, 2147483647) AS unlimited;
SELECT record_credit_usage(:one, :bob, 'people_search', 2147483646) IS NOT NULL AS nearly_all;
SELECT check_credits_available(:bob, 1) AS one, check_credits_available(:bob, 2) AS two, credits_limit,
       credits_used, credits_remaining
  FROM get_credit_balance(:bob);
SELECT record_credit_usage(:one, :bob, 'people_search', 1, p_metadata => NULL) IS NOT NULL AS the_last_one;
SELECT record_credit_usage(:one, :bob, 'people_search', 1);
SELECT metadata FROM credit_usage WHERE user_id = :bob AND credits_used = 1;
SELECT * FROM pg_temp.books ORDER BY member;

-- Nobody: unknown members have no credits and no balance.
SELECT check_credits_available(:nobody) AS unknown,
       check_credits_available(NULL) AS nobody,
       (SELECT count(*) FROM get_credit_balance(:nobody)) AS balances;

-- Callers: members for themselves; the service for everybody; no other role.
SET ROLE authenticated;
SELECT pg_temp.sign_in('f1');
SELECT caller, call, pg_temp.refusal(format('SELECT %s', call)) AS refusal
  FROM (VALUES ('ann',
                'record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
                '''c0000000-0000-4000-8000-0000000000a2'', ''email_reveal'')'),
               ('ann',
                'record_credit_usage(''c0000000-0000-4000-8000-000000000002'', '
                '''c0000000-0000-4000-8000-0000000000a1'', ''email_reveal'')'),
               ('ann',
                'record_credit_usage(''c0000000-0000-4000-8000-000000000002'', '
                '''c0000000-0000-4000-8000-0000000000b1'', ''email_reveal'')'),
               ('ann',
                'record_credit_usage(''c0000000-0000-4000-8000-00000000dead'', '
                '''c0000000-0000-4000-8000-00000000dead'', ''email_reveal'')'),
               ('ann', 'check_credits_available(''c0000000-0000-4000-8000-0000000000a2'')'),
               ('ann', 'check_credits_available(''c0000000-0000-4000-8000-00000000dead'')'),
               ('ann', 'get_credit_balance(''c0000000-0000-4000-8000-0000000000b1'')'),
               ('ann', 'reset_daily_credits()')) AS v(caller, call);
-- somebody who has signed in and belongs to nothing
SELECT pg_temp.sign_in('f9');
SELECT check_credits_available(), (SELECT count(*) FROM get_credit_balance()) AS balances,
       pg_temp.refusal('SELECT record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
                       '''c0000000-0000-4000-8000-0000000000a2'', ''email_reveal'')');
SELECT pg_temp.sign_in(NULL);
SELECT call, pg_temp.refusal(format('SELECT %s', call)) AS signed_out
  FROM (VALUES ('record_credit_usage(''c0000000-0000-4000-8000-000000000001'', '
                '''c0000000-0000-4000-8000-0000000000a1'', ''email_reveal'')'),
               ('check_credits_available()'), ('get_credit_balance()')) AS v(call);
SET ROLE anon;
SELECT openinfo.check_credits_available();
SET ROLE service_role;
SELECT record_credit_usage(:two, :una, 'contact_enrichment', 7) IS NOT NULL AS spent, credits_used
  FROM get_credit_balance(:una);
SELECT credits_used FROM get_credit_balance(:una);
RESET ROLE;
-- EXECUTE granted by mistake does not let a user run the job.
GRANT EXECUTE ON FUNCTION reset_daily_credits() TO authenticated;
SET ROLE authenticated;
SELECT reset_daily_credits();
RESET ROLE;
REVOKE EXECUTE ON FUNCTION reset_daily_credits() FROM authenticated;

-- A key charges once; the same call returns the same line.
SELECT record_credit_usage(:two, :una, 'email_reveal', 5, :nobody, '{"a": 1, "b": 2}', 'key') AS first \gset
SELECT record_credit_usage(:two, :una, 'email_reveal', 5, :nobody, '{"b": 2, "a": 1}', 'key')
       = :'first' AS same;
SELECT * FROM pg_temp.books WHERE member = 'una';
-- Each argument counts.
SELECT changed,
       pg_temp.refusal(format('SELECT record_credit_usage(%L, %L, %L, %L, %L, %L, ''key'')', w, u, a, n, r,
                              m)) AS refusal
  FROM (VALUES ('nothing', :two, :una, 'email_reveal', 5, :nobody, '{"a": 1, "b": 2}'),
               ('action', :two, :una, 'lead_export', 5, :nobody, '{"a": 1, "b": 2}'),
               ('credits', :two, :una, 'email_reveal', 6, :nobody, '{"a": 1, "b": 2}'),
               ('reference', :two, :una, 'email_reveal', 5, :una, '{"a": 1, "b": 2}'),
               ('no reference', :two, :una, 'email_reveal', 5, NULL, '{"a": 1, "b": 2}'),
               ('metadata', :two, :una, 'email_reveal', 5, :nobody, '{"a": 1}'),
               ('no metadata', :two, :una, 'email_reveal', 5, :nobody, NULL)) AS v(changed, w, u, a, n, r, m);
-- A key belongs to its workspace.
SELECT record_credit_usage(:one, :ann, 'email_reveal', 1, p_idempotency_key => 'key');
-- No metadata is the same as none to speak of.
SELECT record_credit_usage(:two, :una, 'email_reveal', 1, p_metadata => NULL, p_idempotency_key => 'plain')
     = record_credit_usage(:two, :una, 'email_reveal', 1, p_idempotency_key => 'plain') AS same;
-- A repeated call is answered even when nothing is left.
UPDATE users SET daily_credit_limit = daily_credits_used WHERE id = :una;
SELECT record_credit_usage(:two, :una, 'email_reveal', 5, :nobody, '{"a": 1, "b": 2}', 'key')
       = :'first' AS same;
UPDATE users SET daily_credit_limit = 50 WHERE id = :una;
-- What was rolled back was not spent: the same call charges.
BEGIN;
SELECT record_credit_usage(:two, :una, 'email_reveal', 2, p_idempotency_key => 'again') AS rolled_back \gset
SAVEPOINT s;
SELECT record_credit_usage(:two, :una, 'email_reveal', 2, p_idempotency_key => 'again')
       = :'rolled_back' AS same_within;
ROLLBACK;
SELECT record_credit_usage(:two, :una, 'email_reveal', 2, p_idempotency_key => 'again')
       <> :'rolled_back' AS another_line;
BEGIN;
SAVEPOINT s;
SELECT record_credit_usage(:two, :una, 'email_reveal', 3, p_idempotency_key => 'savepoint')
       IS NOT NULL AS undone;
ROLLBACK TO s;
SELECT record_credit_usage(:two, :una, 'email_reveal', 4, p_idempotency_key => 'savepoint')
       IS NOT NULL AS other_arguments;
COMMIT;
SELECT * FROM pg_temp.books WHERE member = 'una';

-- READ ONLY is PostgreSQL's to refuse; a repeated key is no exception.
BEGIN READ ONLY;
SELECT check_credits_available(:una), credits_used FROM get_credit_balance(:una);
SELECT record_credit_usage(:two, :una, 'email_reveal', 2, p_idempotency_key => 'again');
ROLLBACK;
BEGIN READ ONLY;
SELECT reset_daily_credits();
ROLLBACK;

-- The day is the UTC day.  A counter of an earlier day counts as zero, job or no job.
UPDATE users SET daily_credits_used = 3, credits_reset_on = (now() AT TIME ZONE 'UTC')::date - 1
 WHERE id = :ann;
SET TimeZone = 'Pacific/Kiritimati';
SELECT credits_used,
       credits_remaining,
       resets_at AT TIME ZONE 'UTC'
           = date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day' AS at_midnight,
       check_credits_available(:ann, 3) AS three, check_credits_available(:ann, 4) AS four
  FROM get_credit_balance(:ann);
RESET TimeZone;
SELECT record_credit_usage(:one, :ann, 'email_reveal', 4);
SELECT record_credit_usage(:one, :ann, 'email_reveal', 2) IS NOT NULL AS spent;
SELECT daily_credits_used, credits_reset_on = (now() AT TIME ZONE 'UTC')::date AS today
  FROM users WHERE id = :ann;
-- A counter of tomorrow, from before a clock was set back, counts as it stands,
-- and keeps its day: nothing is free twice.
UPDATE users SET credits_reset_on = (now() AT TIME ZONE 'UTC')::date + 1 WHERE id = :ann;
SELECT credits_used,
       credits_remaining,
       resets_at AT TIME ZONE 'UTC'
           = date_trunc('day', now() AT TIME ZONE 'UTC') + interval '2 days' AS the_midnight_after
  FROM get_credit_balance(:ann);
SELECT record_credit_usage(:one, :ann, 'email_reveal', 1) IS NOT NULL AS spent;
SELECT record_credit_usage(:one, :ann, 'email_reveal', 1);
SELECT daily_credits_used, credits_reset_on - (now() AT TIME ZONE 'UTC')::date AS days_ahead
  FROM users WHERE id = :ann;
SELECT reset_daily_credits();
UPDATE users SET credits_reset_on = 'infinity' WHERE id = :ann;
SELECT credits_used, resets_at FROM get_credit_balance(:ann);
UPDATE users SET credits_reset_on = '-infinity' WHERE id = :ann;
SELECT credits_used, check_credits_available(:ann, 3) FROM get_credit_balance(:ann);
-- A limit that was lowered below what is used leaves nothing, not less than nothing.
UPDATE users SET credits_reset_on = (now() AT TIME ZONE 'UTC')::date, daily_credit_limit = 1 WHERE id = :ann;
SELECT *
  FROM get_credit_balance(:ann) AS b(credits_limit, credits_used, credits_remaining, at),
       LATERAL (SELECT check_credits_available(:ann)) AS c
 WHERE at > now() \gset
SELECT :credits_limit AS "limit", :credits_used AS used, :credits_remaining AS remaining,
       :'check_credits_available' AS one_more;

-- The midnight job writes what is not zero and of an earlier day, and nothing else; updated_at stays.
UPDATE users SET daily_credits_used = 2, credits_reset_on = (now() AT TIME ZONE 'UTC')::date - 2
 WHERE id = :ann;
UPDATE users SET daily_credits_used = 0, credits_reset_on = (now() AT TIME ZONE 'UTC')::date - 2
 WHERE id = :bob;
CREATE TEMP TABLE before AS SELECT id, daily_credits_used, credits_reset_on, updated_at, xmin AS version
  FROM users WHERE workspace_id IN (:one, :two);
SET ROLE service_role;
SELECT reset_daily_credits();
SELECT reset_daily_credits() AS again;
RESET ROLE;
SELECT split_part(u.email, '@', 1) AS member, b.daily_credits_used AS before, u.daily_credits_used AS after,
       u.xmin <> b.version AS written,
       (now() AT TIME ZONE 'UTC')::date - u.credits_reset_on AS days_ago,
       u.updated_at = b.updated_at AS untouched
  FROM users u JOIN before b USING (id) ORDER BY member;
-- ... and any other change moves it again.
UPDATE users SET full_name = 'Ann' WHERE id = :ann;
SELECT updated_at > (SELECT updated_at FROM before WHERE id = :ann) AS moved FROM users WHERE id = :ann;

-- The ledger is append-only, for every role; an update that changes nothing passes.
SET ROLE service_role;
SELECT statement, pg_temp.refusal(statement) AS refusal
  FROM unnest(ARRAY['UPDATE openinfo.credit_usage SET credits_used = 1 WHERE idempotency_key = ''key''',
                    'UPDATE openinfo.credit_usage SET user_id = NULL WHERE idempotency_key = ''key''',
                    'UPDATE openinfo.credit_usage SET idempotency_key = NULL WHERE idempotency_key = ''key''',
                    'DELETE FROM openinfo.credit_usage WHERE idempotency_key = ''key''',
                    'INSERT INTO openinfo.credit_usage (workspace_id, user_id, action_type, '
                    'credits_used) VALUES (''c0000000-0000-4000-8000-000000000001'', '
                    '''c0000000-0000-4000-8000-0000000000b1'', ''email_reveal'', 1)',
                    'INSERT INTO openinfo.credit_usage (workspace_id, user_id, action_type, '
                    'credits_used) VALUES (''c0000000-0000-4000-8000-000000000001'', '
                    '''c0000000-0000-4000-8000-0000000000a1'', ''email_reveal'', 0)']) AS statement;
RESET ROLE;
TRUNCATE credit_usage;
SET ROLE authenticated;
SELECT pg_temp.sign_in('f3');
SELECT statement, pg_temp.refusal(statement) AS refusal
  FROM unnest(ARRAY['UPDATE openinfo.credit_usage SET credits_used = 1', 'DELETE FROM openinfo.credit_usage',
                    'TRUNCATE openinfo.credit_usage',
                    'INSERT INTO openinfo.credit_usage (action_type, credits_used) VALUES (''email_reveal'', '
                    '1)',
                    'UPDATE openinfo.users SET daily_credits_used = 0',
                    'UPDATE openinfo.users SET daily_credit_limit = NULL',
                    'UPDATE openinfo.users SET credits_reset_on = current_date - 1']) AS statement;
-- members see their own workspace's
SELECT count(*) FILTER (WHERE workspace_id <> :two) AS others, count(*) > 0 AS own FROM credit_usage;
SELECT pg_temp.sign_in(NULL);
RESET ROLE;

-- Where a direct scan of the workspaces or users sees nothing, because Citus
-- has distributed them, it counts as no deletion.
BEGIN;
SET LOCAL allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition AS
    SELECT unnest('{workspaces,users}'::regclass[]) AS logicalrelid;
GRANT SELECT ON pg_catalog.pg_dist_partition TO public;
SELECT pg_temp.refusal('DELETE FROM openinfo.workspaces WHERE id = ''c0000000-0000-4000-8000-000000000001''');
SELECT pg_temp.refusal('DELETE FROM openinfo.users WHERE id = ''c0000000-0000-4000-8000-0000000000b1''');
ROLLBACK;

-- The ledger outlives the member, and is deleted with the workspace.
SELECT count(*) AS lines, sum(credits_used) AS credits
  FROM credit_usage WHERE workspace_id = :two \gset before_
DELETE FROM users WHERE id = :una;
SELECT count(*) = :before_lines AS lines,
       sum(credits_used) = :before_credits AS credits,
       count(user_id) + count(created_by) AS members
  FROM credit_usage WHERE workspace_id = :two;
SELECT record_credit_usage(:two, :una, 'email_reveal', 5, :nobody, '{"a": 1, "b": 2}', 'key');
DELETE FROM workspaces WHERE id IN (:one, :two);
SELECT count(*) FROM credit_usage;

-- Nothing of the caller's captures a name: a temporary table is not the ledger, whatever the search_path.
INSERT INTO workspaces (id, slug, name) VALUES (:one, 'credits-one', 'One');
INSERT INTO users (id, workspace_id, auth_user_id, email)
    VALUES (:ann, :one, 'c0000000-0000-4000-8000-0000000000f1', 'ann@credits.example');
CREATE TEMP TABLE credit_usage (LIKE openinfo.credit_usage);
CREATE TEMP TABLE users (LIKE openinfo.users);
SET search_path = pg_temp;
SELECT openinfo.record_credit_usage(:one, :ann, 'email_reveal') IS NOT NULL AS spent;
SELECT (SELECT count(*) FROM pg_temp.credit_usage) AS temporary,
       (SELECT count(*) FROM openinfo.credit_usage) AS ledger,
       openinfo.check_credits_available(:ann, 2) AS two,
       openinfo.check_credits_available(:ann, 3) AS three;
DROP TABLE pg_temp.credit_usage, pg_temp.users;
SET search_path = openinfo, pg_temp;

-- A trigger of the user's that discards rows cannot lose credits.
CREATE FUNCTION pg_temp.discard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER discard BEFORE INSERT ON credit_usage FOR EACH ROW EXECUTE FUNCTION pg_temp.discard();
SELECT pg_temp.refusal(format('SELECT record_credit_usage(%L, %L, %L)', :one, :ann, 'email_reveal'));
SELECT pg_temp.refusal(format('SELECT record_credit_usage(%L, %L, %L, p_idempotency_key => %L)', :one, :ann,
                              'email_reveal', 'k'));
DROP TRIGGER discard ON credit_usage;
SELECT credits_used FROM get_credit_balance(:ann);
DELETE FROM workspaces WHERE id = :one;
