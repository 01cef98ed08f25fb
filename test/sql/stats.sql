-- The numbers of a workspace, for its dashboard.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

INSERT INTO workspaces (id, slug, name)
    VALUES ('57a70000-0000-0000-0000-000000000001', 'stats-one', 'One'),
           ('57a70000-0000-0000-0000-000000000002', 'stats-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email, plan, daily_credits_used, daily_credit_limit,
                   credits_reset_on)
    VALUES
    ('57a70000-0000-0000-0000-0000000000a1', '57a70000-0000-0000-0000-000000000001',
     '57a70000-0000-0000-0000-0000000000f1', 'ann@stats.example', 'enterprise', 4, 3,
     (now() AT TIME ZONE 'UTC')::date),
    ('57a70000-0000-0000-0000-0000000000a2', '57a70000-0000-0000-0000-000000000001',
     '57a70000-0000-0000-0000-0000000000f2', 'bob@stats.example', 'enterprise', 3, 5,
     (now() AT TIME ZONE 'UTC')::date - 1),
    ('57a70000-0000-0000-0000-0000000000a3', '57a70000-0000-0000-0000-000000000002',
     '57a70000-0000-0000-0000-0000000000f3', 'una@stats.example', 'enterprise', 7, NULL,
     (now() AT TIME ZONE 'UTC')::date);

-- An empty workspace: zeros, no nulls.  Credits of an earlier day count as zero; what one
-- member has overspent does not reduce what remains for another.
SET ROLE authenticated;
SET request.jwt.claim.sub = '57a70000-0000-0000-0000-0000000000f1';
SELECT jsonb_pretty(get_workspace_stats());
RESET ROLE;

INSERT INTO global_topics (id, topic) VALUES ('57a70000-0000-0000-0000-0000000000e1', 'stats: a topic');
INSERT INTO queries (workspace_id, topic_id, name, status)
SELECT '57a70000-0000-0000-0000-000000000001', '57a70000-0000-0000-0000-0000000000e1', 'query',
       s::query_status
  FROM unnest(ARRAY['active', 'active', 'active', 'paused', 'paused', 'completed']) s;
INSERT INTO queries (workspace_id, topic_id, name)
    VALUES ('57a70000-0000-0000-0000-000000000002', '57a70000-0000-0000-0000-0000000000e1', 'other');
-- Ten leads now, and one on each side of the start of this day and of this week.
INSERT INTO leads (workspace_id, company_data, enrichment_status, delivery_status, created_at)
SELECT '57a70000-0000-0000-0000-000000000001'::uuid, '{"name": "Company"}'::jsonb, e::enrichment_status,
       d::delivery_status, at
  FROM (VALUES ('enriched', 'delivered', date_trunc('day', now(), 'UTC')),
               ('enriched', 'failed', date_trunc('day', now(), 'UTC') - interval '1 microsecond'),
               ('enriching', 'pending', date_trunc('week', now(), 'UTC')),
               ('failed', 'pending',
                date_trunc('week', now(), 'UTC') - interval '1 microsecond')) v (e, d, at)
 UNION ALL
SELECT '57a70000-0000-0000-0000-000000000001'::uuid, '{"name": "Company"}'::jsonb,
       'pending'::enrichment_status, 'pending'::delivery_status, now()
  FROM generate_series(1, 10);
INSERT INTO leads (workspace_id, company_data)
    VALUES ('57a70000-0000-0000-0000-000000000002', '{"name": "Other"}');

-- The numbers agree with separate counts; the session's time zone does not matter.
SET timezone = 'Pacific/Kiritimati';
SET ROLE authenticated;
SELECT s #> '{leads,total}' AS total, s #> '{leads,by_status}' AS by_status, s -> 'queries' AS queries,
       s -> 'members' AS members,
       (s #>> '{leads,today}')::int
           = (SELECT count(*) FROM leads
               WHERE (created_at AT TIME ZONE 'UTC')::date = (now() AT TIME ZONE 'UTC')::date) AS today,
       (s #>> '{leads,this_week}')::int = (SELECT count(*) FROM leads
                                            WHERE date_trunc('week', created_at AT TIME ZONE 'UTC')
                                                = date_trunc('week', now() AT TIME ZONE 'UTC')) AS this_week
  FROM get_workspace_stats() s;
RESET timezone;
SELECT get_workspace_stats(get_user_workspace_id())
       = get_workspace_stats(p_workspace_id => get_user_workspace_id()) AS same;

-- Only the caller's own workspace.
\set VERBOSITY default
SELECT get_workspace_stats('57a70000-0000-0000-0000-000000000002');
\set VERBOSITY terse
SELECT get_workspace_stats('57a70000-0000-0000-0000-00000000dead');
SELECT get_workspace_stats(NULL);
SET request.jwt.claim.sub = '57a70000-0000-0000-0000-0000000000f9';
SELECT get_workspace_stats();
SELECT get_workspace_stats('57a70000-0000-0000-0000-000000000001');
RESET request.jwt.claim.sub;
SELECT get_workspace_stats();
RESET ROLE;
SET ROLE anon;
SELECT openinfo.get_workspace_stats();
RESET ROLE;

-- The service sees every workspace.  When one member has no limit, limit and remaining are null.
SET ROLE service_role;
SELECT get_workspace_stats('57a70000-0000-0000-0000-000000000002') - 'leads' AS stats;
SELECT get_workspace_stats();
SELECT get_workspace_stats('57a70000-0000-0000-0000-00000000dead');
-- It only reads, so it works in a read-only transaction.
BEGIN READ ONLY;
SELECT get_workspace_stats('57a70000-0000-0000-0000-000000000002') #> '{leads,total}' AS total;
COMMIT;
RESET ROLE;

DELETE FROM workspaces WHERE slug LIKE 'stats-%';
DELETE FROM global_topics WHERE topic = 'stats: a topic';
SELECT (SELECT count(*) FROM leads) + (SELECT count(*) FROM queries) AS left_behind;
