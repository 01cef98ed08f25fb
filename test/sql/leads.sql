-- Companies found for a workspace: the domain that identifies them, and batches.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

INSERT INTO workspaces (id, slug, name) VALUES
    ('1ead0000-0000-0000-0000-000000000001', 'leads-one', 'One'),
    ('1ead0000-0000-0000-0000-000000000002', 'leads-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email, plan) VALUES
    ('1ead0000-0000-0000-0000-0000000000a1', '1ead0000-0000-0000-0000-000000000001',
     '1ead0000-0000-0000-0000-0000000000f1', 'ann@leads.example', 'enterprise'),
    ('1ead0000-0000-0000-0000-0000000000a2', '1ead0000-0000-0000-0000-000000000002',
     '1ead0000-0000-0000-0000-0000000000f2', 'bob@leads.example', 'enterprise');
INSERT INTO global_topics (id, topic) VALUES ('1ead0000-0000-0000-0000-0000000000e1', 'leads: a topic');
INSERT INTO queries (id, workspace_id, topic_id, name) VALUES
    ('1ead0000-0000-0000-0000-000000000011', '1ead0000-0000-0000-0000-000000000001',
     '1ead0000-0000-0000-0000-0000000000e1', 'one'),
    ('1ead0000-0000-0000-0000-000000000012', '1ead0000-0000-0000-0000-000000000001',
     '1ead0000-0000-0000-0000-0000000000e1', 'one, second'),
    ('1ead0000-0000-0000-0000-000000000021', '1ead0000-0000-0000-0000-000000000002',
     '1ead0000-0000-0000-0000-0000000000e1', 'two');
CREATE VIEW pg_temp.counters AS
    SELECT name, total_leads_generated AS total, leads_this_week AS week
      FROM queries WHERE topic_id = '1ead0000-0000-0000-0000-0000000000e1';
GRANT SELECT ON pg_temp.counters TO authenticated;

-- lead_domain: no domain is no key, no string, or a blank one.
SELECT company, lead_domain(company::jsonb)
  FROM (VALUES ('{"domain": "acme.com"}'),
               ('{"domain": " ACME . Com\t\n"}'),
               ('{"domain": ""}'),
               ('{"domain": " \t"}'),
               ('{"domain": null}'),
               ('{"domain": 7}'), ('{"domain": ["acme.com"]}'), ('{"Domain": "acme.com"}'), ('{}'), ('[]'),
        ('"acme.com"'), ('null'),
               ('{"domain": "a.com", "domain": "b.com"}'), ('{"domain": "münchen.de"}')) AS v (company);
CREATE FUNCTION pg_temp.domains(VARIADIC written text[]) RETURNS TABLE (domain text, written text[])
    LANGUAGE sql AS
    $$ SELECT lead_domain(jsonb_build_object('domain', w)), array_agg(w ORDER BY place)
         FROM unnest($1) WITH ORDINALITY x (w, place) GROUP BY 1 ORDER BY 1 $$;
-- One domain, however it is written: scheme, user, "www.", port, path, query, fragment,
-- white space, case and a dot at the end are not part of it.
SELECT domain, cardinality(written) AS ways
  FROM pg_temp.domains('acme.example', 'ACME.example', 'www.acme.example', 'WWW.Acme.Example.',
                       'acme.example.', 'acme.example..', 'acme.example:8080', 'acme.example:',
    'https://www.acme.example/', 'http://acme.example', 'HTTPS://ACME.EXAMPLE', 'https:acme.example',
    'https:/acme.example', 'https:\\acme.example', '//acme.example', 'ftp://acme.example/pub',
    'https://acme.example/about?x=1#top', 'acme.example/de', 'acme.example?utm=1', 'acme.example#a',
    'acme.example\a', 'https://user:secret@www.acme.example:443/a@b', 'info@acme.example',
    'mailto:info@acme.example', E' \tacme.example\r\n', U&'\00A0acme.example\3000', U&'\FEFFacme.example',
    'acme . example', 'www.www.acme.example', 'http://www.acme.example.:80/');
-- Other hosts are other domains; "www" may be the name itself.
SELECT left(domain, 20) AS domain, length(domain), cardinality(written) AS ways
  FROM pg_temp.domains('shop.acme.example', 'wwwacme.example', 'www.com', 'http://www.de/',
                       'www2.acme.example', 'acme.co.uk', 'xn--mnchen-3ya.de', 'acme.xn--p1ai', 'münchen.de',
                       'пример.рф',
    'a.b.c.d.example', '3m.com', 'my_shop.example', '7-eleven.com', repeat('a', 63) || '.example',
    repeat('b.', 123) || 'example', 'localhost.example');
-- A text that is not a host name is no domain.
SELECT domain, cardinality(written) AS texts, CASE WHEN domain IS NOT NULL THEN written END AS wrong
  FROM pg_temp.domains('n/a', 'N/A', 'N.A.', 'n.a', '-', '--', '.', '...', '?', 'unknown', 'none', 'null',
                       'NULL', 'tbd', 'k. A.', '—', 'localhost', 'acme', 'www', 'www.', 'http://',
                       'https://www.', 'http:///',
    'acme..example', '.acme.example', '-acme.example', 'acme-.example', 'acme.-example', 'acme.e', 'acme.123',
    '127.0.0.1', '10.1', 'https://192.168.0.1:8080/', '[::1]', 'http://[2001:db8::1]/', '12:30',
    'acme.example, beta.example', 'acme.example;beta.example', 'acme.example beta.example', 'Acme Inc.',
    'see acme.example', 'acme.example!', 'acme(example).com', '@', 'a@', 'info@', 'acme.exam_ple',
    repeat('a', 64) || '.example', repeat('a.', 124) || 'example', 'http://' || repeat('x', 100000),
    repeat('@', 1000), repeat('www.', 1000), repeat(' ', 100000) || 'x');

-- A domain is unique in a workspace, however it is written; companies without a domain are not.
INSERT INTO leads (workspace_id, company_data)
    VALUES ('1ead0000-0000-0000-0000-000000000001', '{"name": "Acme", "domain": "Acme.com "}');
INSERT INTO leads (workspace_id, company_data)
    VALUES ('1ead0000-0000-0000-0000-000000000001', '{"name": "Acme", "domain": " aCMe.com"}');
INSERT INTO leads (workspace_id, company_data)
    VALUES ('1ead0000-0000-0000-0000-000000000002', '{"name": "Acme", "domain": "acme.com"}');
INSERT INTO leads (workspace_id, company_data)
SELECT '1ead0000-0000-0000-0000-000000000001', company::jsonb
  FROM (VALUES ('{"name": "A", "domain": ""}'),
               ('{"name": "B", "domain": " "}'),
               ('{"name": "C"}'),
               ('{"name": "C"}')) v (company);
UPDATE leads SET company_data = '{"name": "C", "domain": "ACME.COM"}' WHERE company_data ->> 'name' = 'B';
-- Two companies without a host name are two; a text too long for an index is not a host name either.
INSERT INTO leads (workspace_id, company_data)
SELECT '1ead0000-0000-0000-0000-000000000001', jsonb_build_object('name', 'No host', 'domain', domain)
  FROM unnest(ARRAY['n/a', 'n/a', '-', '-', 'unknown', 'Unknown', repeat('x', 10000),
                    repeat('x', 10000)]) domain;
INSERT INTO leads (workspace_id, company_data)
    VALUES ('1ead0000-0000-0000-0000-000000000001', '{"name": "Acme", "domain": "https://www.acme.com/de"}');
-- A name is required.
INSERT INTO leads (workspace_id, company_data)
    VALUES ('1ead0000-0000-0000-0000-000000000001', '{"name": " \t", "domain": "blank.example"}');
DELETE FROM leads
 WHERE workspace_id IN ('1ead0000-0000-0000-0000-000000000001', '1ead0000-0000-0000-0000-000000000002');

-- A batch of fifty, as a member: one company is in it twice, one has no name, one element is not an object.
SET ROLE authenticated;
SET request.jwt.claim.sub = '1ead0000-0000-0000-0000-0000000000f1';
SELECT * FROM ingest_leads(p_query_id => '1ead0000-0000-0000-0000-000000000011', p_leads => (
    SELECT jsonb_agg(CASE n WHEN 10 THEN '{"name": "Company 9", "domain": " COMPANY-9.example"}'
                            WHEN 20 THEN '{"domain": "company-20.example"}'
                            WHEN 30 THEN '"company-30.example"'
                            ELSE jsonb_build_object('name', 'Company ' || n, 'domain',
                                                    'company-' || n || '.example') END ORDER BY n)
      FROM generate_series(1, 50) n));
SELECT count(*) AS leads,
       count(DISTINCT lead_domain(company_data)) AS domains,
       bool_and(query_id = '1ead0000-0000-0000-0000-000000000011') AS of_query,
       bool_and(created_by = '1ead0000-0000-0000-0000-0000000000a1') AS by_member,
       bool_and(contact_data = '{}') AS no_contact,
       bool_and(enrichment_status = 'pending' AND delivery_status = 'pending') AS waiting
  FROM leads;
SELECT * FROM pg_temp.counters ORDER BY name;
-- The first of two equal elements is stored.
SELECT company_data FROM leads WHERE lead_domain(company_data) = 'company-9.example';
-- The same batch again adds nothing, through another query of the workspace too.
SELECT *
  FROM ingest_leads('1ead0000-0000-0000-0000-000000000012',
                    '[{"name": "Company 1", "domain": "Company-1.example"}, {"name": "Fresh", '
                    '"domain": "fresh.example"}]');
SELECT * FROM pg_temp.counters ORDER BY name;

-- An element is a company, or company and contact; the contact may be missing or null.
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', '[
    {"company_data": {"name": "Both", "domain": "both.example"}, "contact_data": {"title": "CTO"}},
    {"company_data": {"name": "Only", "domain": "only.example"}},
    {"company_data": {"name": "Null", "domain": "null.example"}, "contact_data": null},
    {"company_data": null, "name": "Bare", "domain": "bare.example"}]');
SELECT company_data, contact_data
  FROM leads
 WHERE lead_domain(company_data) IN ('both.example', 'only.example', 'null.example', 'bare.example')
     ORDER BY company_data ->> 'name';

-- Bad elements of every kind are skipped, and the good one among them is stored.
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', jsonb_build_array(
    NULL, true, 7, '"text"', '[]'::jsonb, '[{"name": "In an array"}]'::jsonb, '{}'::jsonb,
    '{"name": null}'::jsonb, '{"name": ""}'::jsonb, '{"name": " \t\r\n"}'::jsonb, '{"name": 7}'::jsonb,
    '{"name": {"first": "A"}}'::jsonb,
    '{"company_data": []}'::jsonb, '{"company_data": "Acme", "name": "Acme"}'::jsonb,
    '{"company_data": {}}'::jsonb,
    '{"company_data": {"name": "C"}, "contact_data": []}'::jsonb,
    '{"company_data": {"name": "C"}, "contact_data": "CTO"}'::jsonb,
    jsonb_build_object('name', 'Long', 'domain',
                       (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 200) n)),
    '{"name": "Good", "domain": "good.example"}'::jsonb));
-- A text of a thousand bytes as domain, a name of a megabyte, deep nesting,
-- a key twice, and no domain at all, twice.
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', jsonb_build_array(
    jsonb_build_object('name',
                       'Longest',
                       'domain',
                       (SELECT substr(string_agg(md5(n::text), ''), 1, 1000) FROM generate_series(1, 200) n)),
    jsonb_build_object('name', repeat('megabyte', 131072)),
    ('{"name": "Deep", "domain": "deep.example", "x": ' || repeat('[', 1000) || repeat(']', 1000)
     || '}')::jsonb,
    '{"name": "First", "name": "Last", "domain": "first.example", "domain": "last.example"}'::jsonb,
    '{"name": "Nowhere"}'::jsonb, '{"name": "Nowhere"}'::jsonb));
SELECT company_data FROM leads WHERE lead_domain(company_data) = 'last.example';
-- Known companies are recognized by their domain, in the batch and in the workspace.
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', '[
    {"name": "Written", "domain": "https://www.written.example/"},
    {"name": "Written", "domain": "www.written.example"}, {"name": "Written", "domain": "written.example."},
    {"name": "None", "domain": "n/a"}, {"name": "None", "domain": "n/a"}]');
SELECT *
  FROM ingest_leads('1ead0000-0000-0000-0000-000000000011',
                    '[{"name": "Written", "domain": "info@written.example"}]');

-- 'update': a known company gets the newer data; its contact is kept when
-- the element has none; so are status and query.
RESET ROLE;
UPDATE leads SET enrichment_status = 'enriched', contact_data = '{"title": "CTO"}'
 WHERE lead_domain(company_data) = 'written.example';
SET ROLE authenticated;
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', p_on_conflict => 'update', p_leads => '[
    {"name": "Written anew", "domain": "WRITTEN.example", "employees": 7},
    {"name": "Newer", "domain": "newer.example"}, {"name": "None", "domain": "n/a"}, {"name": ""}]');
SELECT company_data, contact_data, enrichment_status,
       query_id = '1ead0000-0000-0000-0000-000000000011' AS first_query, updated_at > created_at AS updated
  FROM leads WHERE lead_domain(company_data) = 'written.example';
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[
    {"company_data": {"name": "Written", "domain": "written.example"}, "contact_data": {}},
    {"company_data": {"name": "Newer", "domain": "newer.example"}, "contact_data": {"title": "CEO"}}]',
    'update');
SELECT company_data, contact_data
  FROM leads WHERE lead_domain(company_data) IN ('written.example', 'newer.example') ORDER BY 1;
-- Of several elements with one domain the last one is the newest.
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[
    {"name": "Twice 1", "domain": "twice.example"}, {"name": "Newer 1", "domain": "newer.example"},
    {"name": "Between", "domain": "between.example"},
    {"name": "Newer 2", "domain": "newer.example"}, {"name": "Twice 2", "domain": "www.twice.example"},
    {"name": "Newer 3", "domain": "newer.example"}]', 'update');
SELECT company_data FROM leads
 WHERE lead_domain(company_data) IN ('twice.example', 'newer.example', 'between.example') ORDER BY 1;
SELECT *
  FROM ingest_leads('1ead0000-0000-0000-0000-000000000012',
                    '[{"name": "Newer 4", "domain": "newer.example"}]', 'skip');
-- another word is refused
\set VERBOSITY default
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[]', 'replace');
\set VERBOSITY terse
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[]', 'UPDATE');
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[]', NULL);
SELECT * FROM pg_temp.counters ORDER BY name;
DELETE FROM leads
 WHERE query_id = '1ead0000-0000-0000-0000-000000000012' AND lead_domain(company_data) <> 'fresh.example'
    OR lead_domain(company_data) = 'written.example';

-- An element that violates a constraint or a unique index of the user's, or for which a trigger raises an
-- error, is skipped; the others are stored, whatever their number and position.
RESET ROLE;
ALTER TABLE leads ADD CONSTRAINT regress_employees CHECK ((company_data ->> 'employees')::int >= 0);
CREATE UNIQUE INDEX regress_register ON leads (workspace_id, (company_data ->> 'register'));
CREATE FUNCTION regress_no_competitors() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.company_data ? 'raise' THEN RAISE EXCEPTION 'not this one'
        USING ERRCODE = NEW.company_data ->> 'raise'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER regress_before BEFORE INSERT OR UPDATE ON leads FOR EACH ROW
    EXECUTE FUNCTION regress_no_competitors();
CREATE FUNCTION regress_after() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.company_data ->> 'name' = 'After' THEN RAISE EXCEPTION 'not this one, after all'; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER regress_after AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION regress_after();
SET ROLE authenticated;
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[
    {"name": "Kept 1", "employees": 1, "register": "HRB 1"}, {"name": "Negative", "employees": -1},
    {"name": "No number", "employees": "many"}, {"name": "Too many", "employees": 99999999999},
    {"name": "Kept 2", "domain": "kept.example"}, {"name": "Same register", "register": "HRB 1"},
    {"name": "Raises", "raise": "P0001"}, {"name": "Raises", "raise": "23514"},
    {"name": "Raises", "raise": "OI001"}, {"name": "After"}, {"name": "Kept 3", "employees": 3}]');
SELECT company_data ->> 'name' AS name FROM leads
 WHERE query_id = '1ead0000-0000-0000-0000-000000000012' AND company_data ->> 'name' LIKE 'Kept%' ORDER BY 1;
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', (
    SELECT jsonb_agg(jsonb_build_object('name', 'Every third', 'domain', 'third-' || n || '.example',
                                        'employees', CASE n % 3 WHEN 0 THEN -1 ELSE n END))
      FROM generate_series(1, 100) n));
SELECT *
  FROM ingest_leads('1ead0000-0000-0000-0000-000000000012',
                    (SELECT jsonb_agg('{"name": "All", "employees": -1}'::jsonb)
                       FROM generate_series(1, 20)));
-- The same when known companies are updated: the old data is kept, and a later element may still replace it.
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', p_on_conflict => 'update', p_leads => '[
    {"name": "Worse", "domain": "kept.example", "employees": -1},
    {"name": "Better", "domain": "kept.example", "employees": 1},
    {"name": "Worse", "domain": "kept.example", "raise": "P0001"},
    {"name": "Worse", "domain": "third-1.example", "employees": -1}]');
SELECT company_data ->> 'name' AS name, company_data ->> 'employees' AS employees
  FROM leads WHERE lead_domain(company_data) IN ('kept.example', 'third-1.example') ORDER BY 1;
-- An error that does not depend on the element fails the batch.
SELECT *
  FROM ingest_leads('1ead0000-0000-0000-0000-000000000012',
                    '[{"name": "Stays out"}, {"name": "Raises", "raise": "42501"}]');
SELECT *
  FROM ingest_leads('1ead0000-0000-0000-0000-000000000012',
                    '[{"name": "Stays out"}, {"name": "Raises", "raise": "40001"}]');
SELECT count(*) AS stayed_out FROM leads WHERE company_data ->> 'name' = 'Stays out';
RESET ROLE;
DROP TRIGGER regress_before ON leads;
DROP TRIGGER regress_after ON leads;
DROP FUNCTION regress_no_competitors(), regress_after();
DROP INDEX regress_register;
ALTER TABLE leads DROP CONSTRAINT regress_employees;
DELETE FROM leads
 WHERE query_id = '1ead0000-0000-0000-0000-000000000012'
   AND lead_domain(company_data) IS DISTINCT FROM 'fresh.example';
SET ROLE authenticated;

-- Empty batches.
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[]');
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[1, 2]');
SELECT * FROM pg_temp.counters ORDER BY name;

-- An argument that is not an array is refused, and so is text that PostgreSQL cannot store.
SELECT * FROM ingest_leads(NULL, '[]');
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', NULL);
\set VERBOSITY default
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', '{"name": "Acme"}');
\set VERBOSITY terse
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', 'null');
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', '"[]"');
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-000000000011', '[{"name": "\u0000"}]');

-- For a member, another workspace's query and one that does not exist are
-- the same; without a person there is an error.
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

-- The service may ingest into any workspace; the rows belong to the query's workspace, and have no author.
SET ROLE service_role;
SELECT *
  FROM ingest_leads('1ead0000-0000-0000-0000-000000000021',
                    '[{"name": "Acme", "domain": "company-1.example"}]');
SELECT * FROM ingest_leads('1ead0000-0000-0000-0000-00000000dead', '[{"name": "Acme"}]');
SELECT workspace_id = '1ead0000-0000-0000-0000-000000000002' AS of_query, created_by
  FROM leads WHERE query_id = '1ead0000-0000-0000-0000-000000000021';
-- A counter at its maximum stays there, and the leads are stored.
UPDATE queries SET total_leads_generated = 2147483647 WHERE id = '1ead0000-0000-0000-0000-000000000021';
SELECT *
  FROM ingest_leads('1ead0000-0000-0000-0000-000000000021', '[{"name": "More", "domain": "more.example"}]');
SELECT count(*) AS leads FROM leads WHERE query_id = '1ead0000-0000-0000-0000-000000000021';
-- Neither the caller's search_path nor a temporary table has any effect.
CREATE TEMP TABLE leads (id int);
SET search_path = pg_temp, openinfo;
SELECT *
  FROM openinfo.ingest_leads('1ead0000-0000-0000-0000-000000000012',
                             '[{"name": "Path", "domain": "path.example"}]');
DROP TABLE pg_temp.leads;
SET search_path = openinfo, pg_temp;
BEGIN READ ONLY;
SELECT *
  FROM ingest_leads('1ead0000-0000-0000-0000-000000000012', '[{"name": "Read", "domain": "read.example"}]');
ROLLBACK;
RESET ROLE;

-- Under row-level security the index finds a lead by its domain: write lead_domain(company_data).
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
ANALYZE leads;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET ROLE authenticated;
SET request.jwt.claim.sub = '1ead0000-0000-0000-0000-0000000000f1';
SELECT plan ~ 'leads_workspace_id_domain_key' AS index,
       plan ~ 'Index Cond: [^\n]*lead_domain\(company_data\) = ''good.example''' AS condition
  FROM pg_temp.plan_of($$SELECT * FROM leads WHERE lead_domain(company_data) = 'good.example'$$) plan;
SELECT company_data ->> 'name' AS name FROM leads WHERE lead_domain(company_data) = 'good.example';
-- So does the computed field, as PostgREST asks for it.
SELECT plan ~ 'Index Cond: [^\n]*lead_domain\(company_data\) = ''good.example''' AS condition
  FROM pg_temp.plan_of($$SELECT * FROM leads WHERE leads.lead_domain = 'good.example'$$) plan;
SELECT leads.lead_domain, company_data ->> 'name' AS name FROM leads WHERE leads.lead_domain = 'good.example';
RESET ROLE;
-- It does not keep anybody from changing the table, and can be created
-- again when the schema has been renamed.
BEGIN;
ALTER TABLE leads ADD COLUMN score int NOT NULL DEFAULT 5;
ALTER SCHEMA openinfo RENAME TO regress_renamed;
SET LOCAL search_path = regress_renamed;
SELECT create_computed_field('leads', 'lead_domain', 'company_data'),
    create_computed_field('people_search_results', f, 'person_data')
  FROM unnest('{person_name,person_company,person_seniority}'::text[]) f;
SET LOCAL ROLE authenticated;
SELECT score, leads.lead_domain FROM leads WHERE leads.lead_domain = 'good.example';
ROLLBACK;
SET ROLE authenticated;
-- An index finds the newest leads too, without sorting.
SELECT plan ~ 'idx_leads_workspace_id' AS index, plan ~ 'Sort\n' AS sort
  FROM pg_temp.plan_of('SELECT * FROM leads ORDER BY created_at DESC LIMIT 20') plan;
RESET ROLE;
RESET request.jwt.claim.sub;
RESET enable_seqscan;
RESET enable_bitmapscan;

DELETE FROM workspaces WHERE slug LIKE 'leads-%';
DELETE FROM global_topics WHERE topic = 'leads: a topic';
SELECT count(*) AS left_behind FROM leads;
