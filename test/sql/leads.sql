-- Companies found for a workspace: what makes two of them the same, and how a batch of them comes in.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

INSERT INTO workspaces (id, slug, name) VALUES
    ('1ead0000-0000-0000-0000-000000000001', 'leads-one', 'One'),
    ('1ead0000-0000-0000-0000-000000000002', 'leads-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email, plan) VALUES
    ('1ead0000-0000-0000-0000-0000000000a1', '1ead0000-0000-0000-0000-000000000001', '1ead0000-0000-0000-0000-0000000000f1', 'ann@leads.example', 'enterprise'),
    ('1ead0000-0000-0000-0000-0000000000a2', '1ead0000-0000-0000-0000-000000000002', '1ead0000-0000-0000-0000-0000000000f2', 'bob@leads.example', 'enterprise');
INSERT INTO global_topics (id, topic) VALUES ('1ead0000-0000-0000-0000-0000000000e1', 'leads: a topic');
INSERT INTO queries (id, workspace_id, topic_id, name) VALUES
    ('1ead0000-0000-0000-0000-000000000011', '1ead0000-0000-0000-0000-000000000001', '1ead0000-0000-0000-0000-0000000000e1', 'one'),
    ('1ead0000-0000-0000-0000-000000000012', '1ead0000-0000-0000-0000-000000000001', '1ead0000-0000-0000-0000-0000000000e1', 'one, second'),
    ('1ead0000-0000-0000-0000-000000000021', '1ead0000-0000-0000-0000-000000000002', '1ead0000-0000-0000-0000-0000000000e1', 'two');
CREATE VIEW pg_temp.counters AS
    SELECT name, total_leads_generated AS total, leads_this_week AS week FROM queries WHERE topic_id = '1ead0000-0000-0000-0000-0000000000e1';
GRANT SELECT ON pg_temp.counters TO authenticated;

-- lead_domain: white space and case do not count; no domain is no key, no string, or a blank one.
SELECT company, lead_domain(company::jsonb)
  FROM (VALUES ('{"domain": "acme.com"}'), ('{"domain": " ACME . Com\t\n"}'), ('{"domain": ""}'), ('{"domain": " \t"}'), ('{"domain": null}'),
               ('{"domain": 7}'), ('{"domain": ["acme.com"]}'), ('{"Domain": "acme.com"}'), ('{}'), ('[]'), ('"acme.com"'), ('null'),
               ('{"domain": "a.com", "domain": "b.com"}'), ('{"domain": "münchen.de"}')) AS v (company);

-- One domain once per workspace, for every way to write it; without a domain as often as you like.
INSERT INTO leads (workspace_id, company_data) VALUES ('1ead0000-0000-0000-0000-000000000001', '{"name": "Acme", "domain": "Acme.com "}');
INSERT INTO leads (workspace_id, company_data) VALUES ('1ead0000-0000-0000-0000-000000000001', '{"name": "Acme", "domain": " aCMe.com"}');
INSERT INTO leads (workspace_id, company_data) VALUES ('1ead0000-0000-0000-0000-000000000002', '{"name": "Acme", "domain": "acme.com"}');
INSERT INTO leads (workspace_id, company_data)
SELECT '1ead0000-0000-0000-0000-000000000001', company::jsonb FROM (VALUES ('{"name": "A", "domain": ""}'), ('{"name": "B", "domain": " "}'), ('{"name": "C"}'), ('{"name": "C"}')) v (company);
UPDATE leads SET company_data = '{"name": "C", "domain": "ACME.COM"}' WHERE company_data ->> 'name' = 'B';
-- A name is required, and a domain that no index can hold is refused by its constraint.
INSERT INTO leads (workspace_id, company_data) VALUES ('1ead0000-0000-0000-0000-000000000001', '{"name": " \t", "domain": "blank.example"}');
INSERT INTO leads (workspace_id, company_data) VALUES ('1ead0000-0000-0000-0000-000000000001', jsonb_build_object('name', 'Long', 'domain', repeat('x', 1001)));
DELETE FROM leads WHERE workspace_id IN ('1ead0000-0000-0000-0000-000000000001', '1ead0000-0000-0000-0000-000000000002');

-- A batch of fifty, as a member: one is there twice, one has no name, one is no object.
SET ROLE authenticated;
SET request.jwt.claim.sub = '1ead0000-0000-0000-0000-0000000000f1';
SELECT * FROM ingest_leads(p_query_id => '1ead0000-0000-0000-0000-000000000011', p_leads => (
    SELECT jsonb_agg(CASE n WHEN 10 THEN '{"name": "Company 9", "domain": " COMPANY-9.example"}'
                            WHEN 20 THEN '{"domain": "company-20.example"}'
                            WHEN 30 THEN '"company-30.example"'
                            ELSE jsonb_build_object('name', 'Company ' || n, 'domain', 'company-' || n || '.example') END ORDER BY n)
      FROM generate_series(1, 50) n));
SELECT count(*) AS leads, count(DISTINCT lead_domain(company_data)) AS domains, bool_and(query_id = '1ead0000-0000-0000-0000-000000000011') AS of_query,
       bool_and(created_by = '1ead0000-0000-0000-0000-0000000000a1') AS by_member, bool_and(contact_data = '{}') AS no_contact,
       bool_and(enrichment_status = 'pending' AND delivery_status = 'pending') AS waiting
  FROM leads;
SELECT * FROM pg_temp.counters ORDER BY name;
-- Of equal ones the first stays.
SELECT company_data FROM leads WHERE lead_domain(company_data) = 'company-9.example';
-- The same batch again adds nothing, through another query of the workspace too.
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[{"name": "Company 1", "domain": "Company-1.example"}, {"name": "Fresh", "domain": "fresh.example"}]');
SELECT * FROM pg_temp.counters ORDER BY name;

-- An element is a company, or company and contact; the contact may be missing or null.
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', '[
    {"company_data": {"name": "Both", "domain": "both.example"}, "contact_data": {"title": "CTO"}},
    {"company_data": {"name": "Only", "domain": "only.example"}},
    {"company_data": {"name": "Null", "domain": "null.example"}, "contact_data": null},
    {"company_data": null, "name": "Bare", "domain": "bare.example"}]');
SELECT company_data, contact_data FROM leads WHERE lead_domain(company_data) IN ('both.example', 'only.example', 'null.example', 'bare.example') ORDER BY company_data ->> 'name';

-- Bad elements of every kind are skipped, and the good one among them stays.
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', jsonb_build_array(
    NULL, true, 7, '"text"', '[]'::jsonb, '[{"name": "In an array"}]'::jsonb, '{}'::jsonb,
    '{"name": null}'::jsonb, '{"name": ""}'::jsonb, '{"name": " \t\r\n"}'::jsonb, '{"name": 7}'::jsonb, '{"name": {"first": "A"}}'::jsonb,
    '{"company_data": []}'::jsonb, '{"company_data": "Acme", "name": "Acme"}'::jsonb, '{"company_data": {}}'::jsonb,
    '{"company_data": {"name": "C"}, "contact_data": []}'::jsonb, '{"company_data": {"name": "C"}, "contact_data": "CTO"}'::jsonb,
    jsonb_build_object('name', 'Long', 'domain', (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 200) n)),
    '{"name": "Good", "domain": "good.example"}'::jsonb));
-- A domain of a thousand bytes, a name of a megabyte, deep nesting, a key twice, and no domain at all, twice.
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', jsonb_build_array(
    jsonb_build_object('name', 'Longest', 'domain', (SELECT substr(string_agg(md5(n::text), ''), 1, 1000) FROM generate_series(1, 200) n)),
    jsonb_build_object('name', repeat('megabyte', 131072)),
    ('{"name": "Deep", "domain": "deep.example", "x": ' || repeat('[', 1000) || repeat(']', 1000) || '}')::jsonb,
    '{"name": "First", "name": "Last", "domain": "first.example", "domain": "last.example"}'::jsonb,
    '{"name": "Nowhere"}'::jsonb, '{"name": "Nowhere"}'::jsonb));
SELECT company_data FROM leads WHERE lead_domain(company_data) = 'last.example';
-- Nothing in, nothing counted.
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[]');
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[1, 2]');
SELECT * FROM pg_temp.counters ORDER BY name;

-- What is no batch is refused, and so is text that PostgreSQL itself cannot hold.
SELECT * FROM ingest_leads(NULL, '[]');
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', NULL);
\set VERBOSITY default
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', '{"name": "Acme"}');
\set VERBOSITY terse
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', 'null');
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', '"[]"');
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', '[{"name": "\u0000"}]');

-- Another workspace's query, and one that does not exist, are the same to a member; nobody at all is nobody.
\set VERBOSITY default
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000021', '[{"name": "Acme"}]');
\set VERBOSITY terse
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-00000000dead', '[{"name": "Acme"}]');
SET request.jwt.claim.sub = '1ead0000-0000-0000-0000-0000000000f9';
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', '[{"name": "Acme"}]');
RESET request.jwt.claim.sub;
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', '[{"name": "Acme"}]');
RESET ROLE;
SET ROLE anon;
SELECT * FROM openinfo.ingest_leads('1ead0000-0000-0000-0000-000000000011', '[{"name": "Acme"}]');
RESET ROLE;

-- The service ingests anywhere; the rows are the query's workspace's, and have no author.
SET ROLE service_role;
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000021', '[{"name": "Acme", "domain": "company-1.example"}]');
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-00000000dead', '[{"name": "Acme"}]');
SELECT workspace_id = '1ead0000-0000-0000-0000-000000000002' AS of_query, created_by FROM leads WHERE query_id = '1ead0000-0000-0000-0000-000000000021';
-- A counter that is full stays so, and the leads come in all the same.
UPDATE queries SET total_leads_generated = 2147483647 WHERE id = '1ead0000-0000-0000-0000-000000000021';
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000021', '[{"name": "More", "domain": "more.example"}]');
SELECT count(*) AS leads FROM leads WHERE query_id = '1ead0000-0000-0000-0000-000000000021';
-- Neither search_path nor a temporary table of the caller's changes anything.
CREATE TEMP TABLE leads (id int);
SET search_path = pg_temp, openinfo;
SELECT * FROM openinfo.ingest_leads('1ead0000-0000-0000-0000-000000000012', '[{"name": "Path", "domain": "path.example"}]');
DROP TABLE pg_temp.leads;
SET search_path = openinfo, pg_temp;
BEGIN READ ONLY;
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[{"name": "Read", "domain": "read.example"}]');
ROLLBACK;
RESET ROLE;

-- Under row-level security a lead is found by its domain through the index: write lead_domain(company_data).
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_line text;
    v_plan text := '';
BEGIN
    FOR v_line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        v_plan := v_plan || v_line || E'\n';
    END LOOP;
    RETURN v_plan;
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.plan_of(text) TO authenticated;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET ROLE authenticated;
SET request.jwt.claim.sub = '1ead0000-0000-0000-0000-0000000000f1';
SELECT plan ~ 'leads_workspace_id_domain_key' AS index, plan ~ 'Index Cond: [^\n]*lead_domain\(company_data\) = ''good.example''' AS condition
  FROM pg_temp.plan_of($$SELECT * FROM leads WHERE lead_domain(company_data) = 'good.example'$$) plan;
SELECT company_data ->> 'name' AS name FROM leads WHERE lead_domain(company_data) = 'good.example';
-- The newest leads come from an index too, without sorting.
SELECT plan ~ 'idx_leads_workspace_id' AS index, plan ~ 'Sort' AS sort
  FROM pg_temp.plan_of('SELECT * FROM leads ORDER BY created_at DESC LIMIT 20') plan;
RESET ROLE;
RESET request.jwt.claim.sub;
RESET enable_seqscan;
RESET enable_bitmapscan;

DELETE FROM workspaces WHERE slug LIKE 'leads-%';
DELETE FROM global_topics WHERE topic = 'leads: a topic';
SELECT count(*) AS left_behind FROM leads;
