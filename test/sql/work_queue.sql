-- What workers do with queries and leads: claim, work, report.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

INSERT INTO workspaces (id, slug, name) VALUES
    ('b0b00000-0000-0000-0000-000000000001', 'processing-one', 'One'),
    ('b0b00000-0000-0000-0000-000000000002', 'processing-two', 'Two');
INSERT INTO users (workspace_id, auth_user_id, email, plan)
SELECT id, gen_random_uuid(), slug || '@processing.example', 'enterprise'
  FROM workspaces WHERE slug LIKE 'processing-%';
INSERT INTO global_topics (id, topic) VALUES ('b0b00000-0000-0000-0000-0000000000e1', 'processing: a topic');
INSERT INTO queries (id, workspace_id, topic_id, name, filters, status, next_run_at)
SELECT ('b0b00000-0000-0000-0000-00000000001' || n)::uuid,
       ('b0b00000-0000-0000-0000-00000000000' || w)::uuid,
       'b0b00000-0000-0000-0000-0000000000e1',
       name, '{"size": "small"}', status::query_status, due
  FROM (VALUES (1, 1, 'due for a day', 'active', now() - interval '1 day'),
               (2, 2, 'due for two days', 'active', now() - interval '2 days'),
               (3, 1, 'due now', 'active', now()),
        (4, 1, 'never planned', 'active', NULL),
        (5, 1, 'due tomorrow', 'active', now() + interval '1 day'),
               (6, 1, 'paused', 'paused', now() - interval '1 day'),
        (7, 1, 'completed', 'completed', now() - interval '1 day')) v (n, w, name, status, due);

-- Only the service claims and reports, also when EXECUTE has been granted to others.
SET ROLE authenticated;
SELECT * FROM get_active_queries_for_processing();
SELECT * FROM get_leads_pending_enrichment();
SELECT * FROM get_leads_pending_delivery();
RESET ROLE;
BEGIN;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA openinfo TO authenticated;
SET LOCAL ROLE authenticated;
\set VERBOSITY default
SAVEPOINT s; SELECT * FROM get_active_queries_for_processing(); ROLLBACK TO s;
\set VERBOSITY terse
SAVEPOINT s; SELECT * FROM get_leads_pending_enrichment(); ROLLBACK TO s;
SAVEPOINT s; SELECT * FROM get_leads_pending_delivery(); ROLLBACK TO s;
SAVEPOINT s; SELECT update_lead_enrichment(gen_random_uuid(), 'enriched'); ROLLBACK TO s;
SAVEPOINT s; SELECT update_lead_delivery(gen_random_uuid(), 'delivered'); ROLLBACK TO s;
SAVEPOINT s; SELECT update_query_run_time(gen_random_uuid()); ROLLBACK TO s;
SAVEPOINT s; SELECT increment_query_leads(gen_random_uuid(), 1); ROLLBACK TO s;
ROLLBACK;

SET ROLE service_role;

-- -----------------------------------------------------------------------------------------------------------
-- Queries
-- -----------------------------------------------------------------------------------------------------------

-- batch_size below 1 is an error, above 1,000 is 1,000.
\set VERBOSITY default
SELECT * FROM get_active_queries_for_processing(0);
\set VERBOSITY terse
SELECT * FROM get_active_queries_for_processing(batch_size => -1);
SELECT * FROM get_active_queries_for_processing(NULL);
SELECT * FROM get_leads_pending_enrichment(0);
SELECT * FROM get_leads_pending_delivery(0);
BEGIN;
INSERT INTO queries (workspace_id, topic_id, name)
SELECT 'b0b00000-0000-0000-0000-000000000001', 'b0b00000-0000-0000-0000-0000000000e1', 'many'
  FROM generate_series(1, 1001);
SELECT count(*) FROM get_active_queries_for_processing(2147483647);
ROLLBACK;

-- Due active queries of every workspace, the longest due first and those
-- with NULL before them; each only once.
SELECT q.name, c.workspace_id = q.workspace_id AS workspace, c.topic_id = q.topic_id AS topic_id, c.filters,
       c.topic
  FROM get_active_queries_for_processing(2) WITH ORDINALITY c (id, workspace_id, topic_id, filters, topic,
                                                               place)
  JOIN queries q USING (id) ORDER BY place;
SELECT q.name
  FROM get_active_queries_for_processing() WITH ORDINALITY c (id, workspace_id, topic_id, filters, topic,
                                                              place)
  JOIN queries q USING (id) ORDER BY place;
SELECT count(*) AS again FROM get_active_queries_for_processing();
SELECT name,
       lease_until > now() + interval '14 minutes'
       AND lease_until <= now() + interval '15 minutes' AS fifteen_minutes
  FROM queries WHERE lease_until IS NOT NULL ORDER BY name;

-- A worker has died: its lease ends, and another worker gets the query.
UPDATE queries SET lease_until = now() - interval '1 second'
 WHERE id = 'b0b00000-0000-0000-0000-000000000011';
SELECT q.name FROM get_active_queries_for_processing() c JOIN queries q USING (id);

-- Turns: however many queries of one workspace are due, and for however
-- long, one of them is claimed per turn.
BEGIN;
UPDATE queries SET status = 'paused';
INSERT INTO queries (workspace_id, topic_id, name, next_run_at)
SELECT ('b0b00000-0000-0000-0000-00000000000' || w)::uuid, 'b0b00000-0000-0000-0000-0000000000e1', name,
       now() - due
  FROM (VALUES (1, 'many', 5, interval '3 days'), (2, 'few', 2, interval '1 hour')) v (w, name, count, due),
       generate_series(1, count);
SELECT string_agg(q.name, ', ' ORDER BY place) AS claimed
  FROM get_active_queries_for_processing(3) WITH ORDINALITY c (id, workspace_id, topic_id, filters, topic,
                                                               place)
  JOIN queries q USING (id);
SELECT string_agg(q.name, ', ' ORDER BY place) AS claimed
  FROM get_active_queries_for_processing() WITH ORDINALITY c (id, workspace_id, topic_id, filters, topic,
                                                              place)
  JOIN queries q USING (id);
ROLLBACK;

-- The report: last run now, next in 24 hours, also on the day on which clocks change; the lease ends.
SET timezone = 'Europe/Berlin';
SELECT update_query_run_time(query_id => 'b0b00000-0000-0000-0000-000000000011');
RESET timezone;
SELECT now() - last_run_at < interval '1 minute' AS now, next_run_at - last_run_at AS next, lease_until
  FROM queries WHERE id = 'b0b00000-0000-0000-0000-000000000011';
SELECT count(*) AS due FROM get_active_queries_for_processing();
SELECT update_query_run_time(NULL);
\set VERBOSITY default
SELECT update_query_run_time('b0b00000-0000-0000-0000-00000000dead');
\set VERBOSITY terse

-- Counters: they never decrease, and stop at their maximum.
SELECT increment_query_leads(query_id => 'b0b00000-0000-0000-0000-000000000011', lead_count => 5);
SELECT increment_query_leads('b0b00000-0000-0000-0000-000000000011', 0);
SELECT total_leads_generated, leads_this_week FROM queries WHERE id = 'b0b00000-0000-0000-0000-000000000011';
SELECT increment_query_leads('b0b00000-0000-0000-0000-000000000011', -1);
BEGIN;
SELECT increment_query_leads('b0b00000-0000-0000-0000-000000000011', 2147483647);
SELECT total_leads_generated, leads_this_week FROM queries WHERE id = 'b0b00000-0000-0000-0000-000000000011';
ROLLBACK;
SELECT increment_query_leads('b0b00000-0000-0000-0000-000000000011', NULL);
SELECT increment_query_leads(NULL, 1);
SELECT increment_query_leads('b0b00000-0000-0000-0000-00000000dead', 1);
SELECT total_leads_generated, leads_this_week FROM queries WHERE id = 'b0b00000-0000-0000-0000-000000000011';

-- A count of an earlier week is not added to, when the weekly job has skipped the row or has not run.
BEGIN;
RESET ROLE;
SET LOCAL session_replication_role = replica;
UPDATE queries
   SET leads_this_week = 9, updated_at = date_trunc('week', now(), 'UTC') - interval '1 microsecond'
 WHERE name = 'due now';
UPDATE queries SET leads_this_week = 9, updated_at = date_trunc('week', now(), 'UTC')
 WHERE name = 'due for a day';
SET LOCAL session_replication_role = origin;
SET LOCAL ROLE service_role;
SELECT increment_query_leads(id, 2) FROM queries WHERE name IN ('due now', 'due for a day');
SELECT increment_query_leads(id, 2) FROM queries WHERE name IN ('due now', 'due for a day');
SELECT name, leads_this_week FROM queries WHERE name IN ('due now', 'due for a day') ORDER BY name;
ROLLBACK;
SET ROLE service_role;

-- -----------------------------------------------------------------------------------------------------------
-- Enrichment
-- -----------------------------------------------------------------------------------------------------------

-- Lead 5 is the oldest.
INSERT INTO leads (id, workspace_id, query_id, company_data, created_at)
SELECT ('b0b00000-0000-0000-0000-00000000002' || n)::uuid,
       'b0b00000-0000-0000-0000-000000000001',
       'b0b00000-0000-0000-0000-000000000011',
       jsonb_build_object('name', 'Lead ' || n), now() - interval '1 hour' * n
  FROM generate_series(1, 5) n;
RESET ROLE;
CREATE VIEW pg_temp.enrichment AS
    SELECT company_data ->> 'name' AS lead, enrichment_status AS status, enrichment_attempts AS attempts,
           enrichment_lease_until > now() AS leased,
           contact_data, last_error, now() - enriched_at < interval '1 minute' AS enriched
      FROM openinfo.leads WHERE workspace_id = 'b0b00000-0000-0000-0000-000000000001';
CREATE VIEW pg_temp.delivery AS
    SELECT company_data ->> 'name' AS lead, delivery_status AS status, delivery_attempts AS attempts,
           delivery_lease_until > now() AS leased,
           last_error, now() - delivered_at < interval '1 minute' AS delivered
      FROM openinfo.leads
     WHERE workspace_id = 'b0b00000-0000-0000-0000-000000000001' AND enrichment_status = 'enriched';
GRANT SELECT ON pg_temp.enrichment, pg_temp.delivery TO service_role;
SET ROLE service_role;

-- The oldest first, each only once; the claim counts the attempt.
SELECT company_data ->> 'name' AS lead, workspace_id = 'b0b00000-0000-0000-0000-000000000001' AS workspace,
       query_id = 'b0b00000-0000-0000-0000-000000000011' AS query, contact_data, attempts
  FROM get_leads_pending_enrichment(batch_size => 4);
SELECT company_data ->> 'name' AS lead FROM get_leads_pending_enrichment();
SELECT count(*) AS again FROM get_leads_pending_enrichment();
SELECT * FROM pg_temp.enrichment ORDER BY lead;

-- Reports: success with and without a contact, failure, work that takes longer, and work that is returned.
SELECT update_lead_enrichment(p_lead_id => 'b0b00000-0000-0000-0000-000000000021', p_status => 'enriched',
                              p_contact_data => '{"title": "CTO"}');
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000022', 'enriched');
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000023', 'failed', p_error => 'no answer');
UPDATE leads SET enrichment_lease_until = now() + interval '1 minute'
 WHERE id = 'b0b00000-0000-0000-0000-000000000024';
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000024', 'enriching');
SELECT enrichment_lease_until > now() + interval '14 minutes' AS renewed
  FROM leads WHERE id = 'b0b00000-0000-0000-0000-000000000024';
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000025', 'pending');
SELECT * FROM pg_temp.enrichment ORDER BY lead;

-- A returned lead can be claimed again at once, a failed one after one minute, and then after two; after
-- three attempts they are exhausted.
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_enrichment();
UPDATE leads SET enrichment_next_attempt_at = enrichment_next_attempt_at - interval '1 minute'
 WHERE id = 'b0b00000-0000-0000-0000-000000000023';
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_enrichment();
SELECT clock_timestamp() AS before \gset
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000023', 'failed', NULL, 'no answer again');
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000025', 'pending');
SELECT enrichment_next_attempt_at - interval '2 minutes' BETWEEN :'before' AND clock_timestamp()
           AS two_minutes
  FROM leads WHERE id = 'b0b00000-0000-0000-0000-000000000023';
UPDATE leads SET enrichment_next_attempt_at = enrichment_next_attempt_at - interval '2 minutes'
 WHERE id = 'b0b00000-0000-0000-0000-000000000023';
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_enrichment();
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000023', 'failed', NULL, 'never an answer');
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000025', 'pending');
SELECT count(*) AS again FROM get_leads_pending_enrichment();
SELECT count(*) AS waiting FROM leads WHERE enrichment_next_attempt_at IS NOT NULL;
SELECT * FROM pg_temp.enrichment ORDER BY lead;

-- "pending" restarts an exhausted lead.  A worker has died: when its lease ends, the lead is claimed again.
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000025', 'pending');
UPDATE leads SET enrichment_lease_until = now() - interval '1 second'
 WHERE id = 'b0b00000-0000-0000-0000-000000000024';
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_enrichment(1);
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_enrichment(1);
-- A lead whose third worker has died is exhausted, and the worker that
-- finds it gets another one in its place.
UPDATE leads SET enrichment_lease_until = now() - interval '1 second', enrichment_attempts = 3
 WHERE id = 'b0b00000-0000-0000-0000-000000000025';
UPDATE leads SET enrichment_lease_until = now() - interval '1 second'
 WHERE id = 'b0b00000-0000-0000-0000-000000000024';
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_enrichment(1);
SELECT * FROM pg_temp.enrichment WHERE lead IN ('Lead 4', 'Lead 5') ORDER BY lead;

-- A late report does not change a lead that is done; "pending" restarts it.
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000021', 'failed', '{}', 'late');
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000021', 'enriching');
SELECT * FROM pg_temp.enrichment WHERE lead = 'Lead 1';
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000021', 'pending');
SELECT company_data ->> 'name' AS lead, contact_data, attempts FROM get_leads_pending_enrichment();
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000021', 'enriched', '{"title": "CEO"}');
-- A report without a claim counts as an attempt; success clears the error.
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000025', 'pending');
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000025', 'failed', NULL, 'unclaimed');
SELECT * FROM pg_temp.enrichment WHERE lead = 'Lead 5';
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000025', 'enriching');
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000025', 'enriched');
SELECT * FROM pg_temp.enrichment WHERE lead IN ('Lead 1', 'Lead 5') ORDER BY lead;

-- Arguments.
SELECT update_lead_enrichment(NULL, 'enriched');
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000021', NULL);
\set VERBOSITY default
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000021', 'enriched', '[]');
\set VERBOSITY terse
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000021', 'enriched', 'null');
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000021', 'enriched', '"CTO"');
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-00000000dead', 'enriched');
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000021', 'enriched',
                              jsonb_build_object('note', repeat('megabyte', 131072)));
SELECT update_lead_enrichment('b0b00000-0000-0000-0000-000000000021',
                              'enriched',
                              ('{"title": "CTO", "title": "CEO", "deep": ' || repeat('[', 1000)
                               || repeat(']', 1000) || '}')::jsonb);
SELECT contact_data ->> 'title' AS last_title FROM leads WHERE id = 'b0b00000-0000-0000-0000-000000000021';

-- -----------------------------------------------------------------------------------------------------------
-- Delivery
-- -----------------------------------------------------------------------------------------------------------

-- Only enriched leads are delivered: the oldest first, each only once.
SELECT company_data ->> 'name' AS lead,
       workspace_id = 'b0b00000-0000-0000-0000-000000000001' AS workspace,
       query_id = 'b0b00000-0000-0000-0000-000000000011' AS query,
       attempts
  FROM get_leads_pending_delivery(batch_size => 2);
SELECT company_data ->> 'name' AS lead FROM get_leads_pending_delivery();
SELECT count(*) AS again FROM get_leads_pending_delivery();
SELECT update_lead_delivery(p_lead_id => 'b0b00000-0000-0000-0000-000000000021', p_status => 'delivered');
SELECT update_lead_delivery('b0b00000-0000-0000-0000-000000000022', 'failed', p_error => 'mailbox full');
SELECT * FROM pg_temp.delivery ORDER BY lead;

-- Three attempts, with the same waits.
SELECT count(*) AS at_once FROM get_leads_pending_delivery();
UPDATE leads SET delivery_next_attempt_at = delivery_next_attempt_at - interval '1 minute';
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_delivery();
SELECT update_lead_delivery('b0b00000-0000-0000-0000-000000000022', 'failed');
UPDATE leads SET delivery_next_attempt_at = delivery_next_attempt_at - interval '1 minute';
SELECT count(*) AS after_one_minute FROM get_leads_pending_delivery();
UPDATE leads SET delivery_next_attempt_at = delivery_next_attempt_at - interval '1 minute';
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_delivery();
SELECT update_lead_delivery('b0b00000-0000-0000-0000-000000000022', 'failed', 'mailbox gone');
SELECT count(*) AS again FROM get_leads_pending_delivery();
-- A worker dies three times.
UPDATE leads SET delivery_lease_until = now() - interval '1 second'
 WHERE id = 'b0b00000-0000-0000-0000-000000000025';
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_delivery();
UPDATE leads SET delivery_lease_until = now() - interval '1 second'
 WHERE id = 'b0b00000-0000-0000-0000-000000000025';
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_delivery();
UPDATE leads SET delivery_lease_until = now() - interval '1 second'
 WHERE id = 'b0b00000-0000-0000-0000-000000000025';
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_delivery();
SELECT * FROM pg_temp.delivery ORDER BY lead;

-- A late report does not change a delivered lead; "pending" restarts it, and returns a claimed one.
SELECT update_lead_delivery('b0b00000-0000-0000-0000-000000000021', 'failed', 'late');
SELECT update_lead_delivery('b0b00000-0000-0000-0000-000000000022', 'pending');
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_delivery();
SELECT update_lead_delivery('b0b00000-0000-0000-0000-000000000022', 'pending');
SELECT company_data ->> 'name' AS lead, attempts FROM get_leads_pending_delivery();
SELECT update_lead_delivery('b0b00000-0000-0000-0000-000000000022', 'delivered');
SELECT * FROM pg_temp.delivery WHERE lead <> 'Lead 5' ORDER BY lead;
SELECT update_lead_delivery(NULL, 'delivered');
SELECT update_lead_delivery('b0b00000-0000-0000-0000-000000000022', NULL);
SELECT update_lead_delivery('b0b00000-0000-0000-0000-00000000dead', 'delivered');

-- Claiming writes: in READ ONLY it raises PostgreSQL's own error.
BEGIN READ ONLY;
SELECT * FROM get_leads_pending_delivery();
ROLLBACK;

-- The conditions of the functions match the partial indexes: claiming does not read the tables.
RESET ROLE;
DISCARD PLANS;
CREATE VIEW pg_temp.scans AS
    SELECT sum(seq_scan) AS n
      FROM pg_stat_xact_user_tables WHERE schemaname = 'openinfo' AND relname ~ '^(leads(_p\d+)?|queries)$';
BEGIN;
SET LOCAL enable_seqscan = off;
SELECT n AS before FROM pg_temp.scans \gset
SELECT count(*) FROM get_active_queries_for_processing();
SELECT count(*) FROM get_leads_pending_enrichment();
SELECT count(*) FROM get_leads_pending_delivery();
SELECT n - :before AS tables_read FROM pg_temp.scans;
-- such a scan would be counted
SELECT count(*) FROM leads WHERE last_error = 'never';
SELECT n > :before AS counted FROM pg_temp.scans;
COMMIT;

DELETE FROM workspaces WHERE slug LIKE 'processing-%';
DELETE FROM global_topics WHERE topic = 'processing: a topic';
SELECT (SELECT count(*) FROM leads) + (SELECT count(*) FROM queries) AS left_behind;
