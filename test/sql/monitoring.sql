-- The views for monitoring: who may read them, and that every value is a number.
SET search_path = openinfo, pg_temp;

SELECT v, array_agg(r ORDER BY r) FILTER (WHERE has_table_privilege(r, v, 'SELECT')) AS readers,
       bool_or(has_any_column_privilege(r, v, 'INSERT, UPDATE') OR has_table_privilege(r, v, 'DELETE'))
           AS writable
  FROM unnest('{openinfo_jobs,openinfo_metrics}'::text[]) v,
       unnest('{anon,authenticated,service_role,openinfo_monitor}'::text[]) r
 GROUP BY v ORDER BY v;

-- What openinfo_monitor may do beyond that: look into the schema, and call what the views call.
SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = 'openinfo_monitor';
SELECT p, has_schema_privilege('openinfo_monitor', 'openinfo', p) FROM unnest('{USAGE,CREATE}'::text[]) p;
SELECT relname, p FROM pg_class, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p
 WHERE relnamespace = 'openinfo'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
   AND (has_table_privilege('openinfo_monitor', oid, p)
        OR p IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
        AND has_any_column_privilege('openinfo_monitor', oid, p))
 ORDER BY 1, 2;
SELECT proname FROM pg_proc
 WHERE pronamespace = 'openinfo'::regnamespace
   AND has_function_privilege('openinfo_monitor', oid, 'EXECUTE') ORDER BY proname;

-- Every value is a finite number, and no metric is listed twice.
SET ROLE openinfo_monitor;
SELECT name, labels, value
  FROM openinfo_metrics WHERE value IS NULL OR value IN ('NaN', 'Infinity', '-Infinity') OR value < 0;
SELECT name, labels FROM openinfo_metrics GROUP BY name, labels HAVING count(*) > 1;
SELECT name, array_agg(DISTINCT k ORDER BY k) AS labels
  FROM openinfo_metrics LEFT JOIN LATERAL jsonb_object_keys(labels) k ON true GROUP BY name ORDER BY name;
SELECT name, labels FROM openinfo_metrics WHERE name !~ '_bytes$' ORDER BY name, labels;
SELECT count(*) > 0 AS jobs FROM openinfo_jobs;
-- Sizes of every table and index of the schema.
SELECT c.relname AS missing
  FROM pg_class c
 CROSS JOIN LATERAL (SELECT CASE WHEN c.relkind IN ('r', 'p') THEN 'table' ELSE 'index' END AS kind) k
 WHERE c.relnamespace = 'openinfo'::regnamespace AND c.relkind IN ('r', 'p', 'i', 'I')
   AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM openinfo_metrics m
                    WHERE m.name = format('openinfo_%s_bytes', k.kind) AND m.labels ->> k.kind = c.relname);
-- Nothing of a tenant.
\set VERBOSITY terse
SELECT count(*) FROM leads;
SELECT get_workspace_stats('0c000000-0000-4000-8000-000000000001');
RESET ROLE;
-- Also when EXECUTE is granted by mistake.
BEGIN;
GRANT EXECUTE ON FUNCTION tenant_metrics(), job_status() TO authenticated;
SET LOCAL ROLE authenticated;
SAVEPOINT s;
SELECT count(*) FROM tenant_metrics();
ROLLBACK TO s;
SELECT count(*) FROM job_status();
ROLLBACK;

-- What is counted, beside what was there before.
BEGIN;
CREATE TABLE pg_temp.before AS SELECT * FROM openinfo_metrics WHERE name !~ '_bytes$';
INSERT INTO workspaces (id, slug, name) VALUES ('0c000000-0000-4000-8000-000000000001', 'metrics', 'M');
INSERT INTO users (id, workspace_id, auth_user_id, email, plan, daily_credit_limit, daily_credits_used,
                   credits_reset_on)
    VALUES
    ('0c000000-0000-4000-8000-00000000000a', '0c000000-0000-4000-8000-000000000001', gen_random_uuid(),
     'a@metrics.example', 'enterprise', NULL, 7, (now() AT TIME ZONE 'UTC')::date),
    ('0c000000-0000-4000-8000-00000000000b', '0c000000-0000-4000-8000-000000000001', gen_random_uuid(),
     'b@metrics.example', 'enterprise', NULL, 9, '2026-01-05');
INSERT INTO global_topics (id, topic) VALUES ('0c000000-0000-4000-8000-0000000000f1', 'metrics: a topic');
INSERT INTO queries (workspace_id, topic_id, name, status, next_run_at, lease_until)
SELECT '0c000000-0000-4000-8000-000000000001', '0c000000-0000-4000-8000-0000000000f1', name,
       status::query_status, now() + next, now() + lease
  FROM (VALUES ('due', 'active', interval '-20 years', NULL::interval),
               ('claimed', 'active', '-1 hour', interval '1 minute'),
               ('later', 'active', '1 hour', NULL), ('paused', 'paused', '-1 hour', NULL)) v (name, status,
                                                                                              next, lease);
INSERT INTO leads (workspace_id, company_data, created_at, enrichment_status, enrichment_attempts,
                   enrichment_lease_until, delivery_status, delivery_attempts, enrichment_next_attempt_at,
                   delivery_next_attempt_at)
SELECT '0c000000-0000-4000-8000-000000000001', format('{"name": "%s"}', n)::jsonb,
       now() - interval '20 years', e::enrichment_status, ea, now() + lease, d::delivery_status, da,
       now() + CASE n WHEN 9 THEN interval '1 minute' END, now() + CASE n WHEN 10 THEN interval '1 minute' END
  FROM (VALUES (1, 'pending', 0, NULL::interval, 'pending', 0),
               (2, 'failed', 2, NULL, 'pending', 0),
               (3, 'failed', 3, NULL, 'pending', 0),
               (4, 'enriching', 1, '1 minute', 'pending', 0), (5, 'enriching', 1, '-1 minute', 'pending', 0),
               (6, 'enriched', 1, NULL, 'pending', 0),
        (7, 'enriched', 1, NULL, 'failed', 3),
        (8, 'enriched', 1, NULL, 'delivered', 1),
               (9, 'failed', 1, NULL, 'pending', 0),
               (10, 'enriched', 1, NULL, 'failed', 2)) v (n, e, ea, lease, d, da);
INSERT INTO export_jobs (workspace_id, user_id, status)
    VALUES ('0c000000-0000-4000-8000-000000000001', '0c000000-0000-4000-8000-00000000000a', 'failed');
INSERT INTO expired_export_files (workspace_id, file_url)
    VALUES ('0c000000-0000-4000-8000-000000000001', 'a'), ('0c000000-0000-4000-8000-000000000001', 'b');
INSERT INTO integrations (id, workspace_id, type, name, status) VALUES
    ('0c000000-0000-4000-8000-0000000000d1', '0c000000-0000-4000-8000-000000000001', 'slack', 'S', 'active'),
    ('0c000000-0000-4000-8000-0000000000d2', '0c000000-0000-4000-8000-000000000001', 'webhook', 'W', 'error');
INSERT INTO integration_events (workspace_id, integration_id, event_data, created_at, status, attempts,
                                lease_until, next_attempt_at, sent_at)
SELECT '0c000000-0000-4000-8000-000000000001', ('0c000000-0000-4000-8000-0000000000' || i)::uuid,
       jsonb_build_object('event', what), now() - interval '20 years', s::delivery_status, n, now() + lease,
       now() + wait, sent
  FROM (VALUES ('due', 'd1', 'pending', 0, NULL::interval, NULL::interval, NULL::timestamptz),
               ('due again', 'd1', 'failed', 7, NULL, '-1 minute', NULL),
               ('waiting', 'd1', 'failed', 1, NULL, '1 minute', NULL),
               ('claimed', 'd1', 'pending', 1, '1 minute', NULL, NULL),
               ('held back', 'd2', 'pending', 0, NULL, NULL, NULL),
               ('exhausted', 'd1', 'failed', 8, NULL, NULL, NULL),
               ('delivered', 'd1', 'delivered', 1, NULL, NULL, now())) v (what, i, s, n, lease, wait, sent);
SELECT name,
       labels,
       CASE WHEN name = 'openinfo_queue_age_seconds' THEN m.value > 600000000 END AS old,
       CASE WHEN name <> 'openinfo_queue_age_seconds' THEN m.value - b.value END AS more
  FROM openinfo_metrics m JOIN pg_temp.before b USING (name, labels) WHERE m.value <> b.value
 ORDER BY name, labels;
ROLLBACK;
