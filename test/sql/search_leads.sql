-- search_leads(): what is typed finds the leads of a workspace, by name, domain, industry and contact.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

INSERT INTO workspaces (id, slug, name) VALUES
    ('5ea40000-0000-4000-8000-000000000001', 'search-one', 'One'),
    ('5ea40000-0000-4000-8000-000000000002', 'search-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email) VALUES
    ('5ea40000-0000-4000-8000-0000000000a1', '5ea40000-0000-4000-8000-000000000001',
     '5ea40000-0000-4000-8000-0000000000f1', 'ann@search.example'),
    ('5ea40000-0000-4000-8000-0000000000a2', '5ea40000-0000-4000-8000-000000000002',
     '5ea40000-0000-4000-8000-0000000000f2', 'bob@search.example');
CREATE FUNCTION pg_temp.add(p_workspace int, p_day int, p_company jsonb, p_contact jsonb DEFAULT '{}')
    RETURNS void LANGUAGE sql AS $$
    INSERT INTO openinfo.leads (id, workspace_id, company_data, contact_data, created_at)
    VALUES (md5(p_workspace || p_company::text)::uuid,
            ('5ea40000-0000-4000-8000-00000000000' || p_workspace)::uuid, p_company, p_contact,
            '2026-01-01'::timestamptz + p_day * interval '1 day')
$$;
SELECT count(pg_temp.add(1, day, company::jsonb, contact::jsonb)) AS leads
  FROM (VALUES
    (1, '{"name": "Acme", "domain": "acme.example", "industry": "Machinery"}', '{"name": "Wile Coyote"}'),
    (2, '{"name": "Acme Rockets Inc", "domain": "http://www.rockets.example/", "industry": "Air & Space"}',
        '{"full_name": "Ana María Núñez", "email": "secret@rockets.example", "title": "Roadrunner"}'),
    (3, '{"name": "The Rockets of Acme", "industry": "Toys", "slogan": "Zeppelins for all"}',
        '{"first_name": "Wernher", "last_name": "von Braun"}'),
    (4, '{"name": "Elastic Search Partners", "domain": "es-partners.example"}', '{"name": ["no", "string"]}'),
    (5, '{"name": "Straße & Söhne", "industry": "Construction"}', '{}'),
    (6, '{"name": "人工智能技术", "industry": 7, "domain": "n/a"}', '{"name": "王小明"}'),
    (7, '{"name": "IT for It"}', '{"name": "Acme"}')) v (day, company, contact);
SELECT pg_temp.add(2, 1, '{"name": "Acme Spies", "domain": "acme.example"}', '{"name": "Zebulon Quux"}');
-- What a text finds, in order, each with its relevance.
CREATE FUNCTION pg_temp.found(VARIADIC p_texts text[]) RETURNS TABLE (typed text, found text)
    LANGUAGE sql AS $$
    SELECT left(t, 20), string_agg(s.relevance || ' ' || (s.company_data ->> 'name'), ', ' ORDER BY s.n)
      FROM unnest(p_texts) WITH ORDINALITY u (t, place)
      LEFT JOIN LATERAL openinfo.search_leads(t) WITH ORDINALITY
           s (id, company_data, query_id, created_at, relevance, n) ON true
     GROUP BY t, place ORDER BY place
$$;

SET request.jwt.claim.sub = '5ea40000-0000-4000-8000-0000000000f1';
SET ROLE authenticated;
-- The name that equals the text comes first, then those that begin with it, then the others; the newest
-- first.
SELECT * FROM pg_temp.found('a', 'ac', 'acme', 'ACME', 'Acme Rockets', 'acme rockets inc');
-- By domain, by industry, by the contact's name; words in any order, the last one unfinished.
SELECT * FROM pg_temp.found('rockets.example', 'es-part', 'space', 'air', 'wile', 'coyote w', 'nunez ana',
                            'braun', 'von wer', 'toys rock', 'machinery acme');
-- Stop words, marks, scripts without spaces.
SELECT * FROM pg_temp.found('it', 'the', 'for it', 'strasse', 'sohne', '智能', '小明');
-- A space more or less, and typos, when nothing else is found.
SELECT * FROM pg_temp.found('elasticsearch', 'acmerock', 'par tners', 'acne', 'cme', 'aacme', 'amce',
                            'rokets', 'coyoet', 'elsatik', 'elastic serch', 'machinerz acme', 'xlastic',
                            'construktion', 'xonstructoin', 'onstructionn');
-- Nothing else of a lead is searched: not its other fields, and not what a contact has beside a name.
SELECT * FROM pg_temp.found('zeppelins', 'slogan', 'secret', 'roadrunner', 'secret@rockets.example',
                            'no string');
-- Nothing, and any text.
SELECT * FROM pg_temp.found('', ' ', '%_\ & | ! :*', 'zzzz', repeat('x', 5000), U&'\0301\0301', NULL);
-- What comes with a lead.
SELECT company_data, query_id, created_at = '2026-01-03' AS created, relevance
  FROM search_leads('rockets inc');

-- Pages: each begins behind the last row of the one before, and together they are the whole.
CREATE FUNCTION pg_temp.pages(p_text text, p_size int) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_all   text[] := '{}';
    v_after uuid;
    r       record;
BEGIN
    FOR i IN 1..50 LOOP
        SELECT array_agg(company_data ->> 'name' ORDER BY n) AS names,
               (array_agg(id ORDER BY n DESC))[1] AS last
          INTO r
          FROM openinfo.search_leads(p_text, p_size, v_after) WITH ORDINALITY
               s (id, company_data, query_id, created_at, relevance, n);
        EXIT WHEN r.last IS NULL;
        v_all := v_all || r.names;
        v_after := r.last;
    END LOOP;
    RETURN v_all;
END
$$;
SELECT typed, size, pg_temp.pages(typed, size) = whole AS same, cardinality(whole) AS leads
  FROM (VALUES ('a'), ('acme'), ('e'), ('rockets'), ('acmerock'), ('rokets'), ('acne')) t (typed),
       generate_series(1, 3) size,
       LATERAL (SELECT array_agg(company_data ->> 'name' ORDER BY n) AS whole
                  FROM search_leads(typed) WITH ORDINALITY
                       s (id, company_data, query_id, created_at, relevance, n)) w;
\set VERBOSITY default
SELECT count(*)
  FROM search_leads('acme', p_after => md5('2{"name": "Acme Spies", "domain": "acme.example"}')::uuid);
SELECT count(*) FROM search_leads('acme', p_after => '5ea40000-0000-4000-8000-0000000000ff');
SELECT count(*) FROM search_leads('straße', p_after => (SELECT id FROM search_leads('acme', 1)));
SELECT count(*) FROM search_leads('acme', 0);
SELECT count(*) FROM search_leads('acme', -1);
\set VERBOSITY terse
SELECT count(*) FROM search_leads('acme', NULL);
SELECT count(*) FROM search_leads('acme', 2147483647);
SELECT count(*) FROM search_leads('acme', 2);

-- Another workspace's leads are not found, whatever is typed, and none of its words is what a typo was
-- meant to be.
SELECT * FROM pg_temp.found('spies', 'acme spies', 'zebulon', 'quux', 'quuxx', 'spices');
SELECT count(*) FROM search_leads('acme', p_workspace_id => '5ea40000-0000-4000-8000-000000000002');
SELECT count(*) FROM search_leads('acme', p_workspace_id => '5ea40000-0000-4000-8000-0000000000ff');
SELECT count(*) FROM search_leads('acme', p_workspace_id => NULL);
RESET ROLE;

-- Nobody, anon, the service.
SET ROLE authenticated;
RESET request.jwt.claim.sub;
SELECT count(*) FROM search_leads('acme');
SET ROLE anon;
SELECT count(*) FROM search_leads('acme');
SET ROLE service_role;
SELECT company_data ->> 'name' AS name, relevance
  FROM search_leads('acme', p_workspace_id => '5ea40000-0000-4000-8000-000000000002');
SELECT count(*) FROM search_leads('acme', p_workspace_id => '5ea40000-0000-4000-8000-0000000000ff');
SELECT count(*) FROM search_leads('acme', p_workspace_id => NULL);
RESET ROLE;

-- It sees what its statement sees: own changes, rolled back or not.
SET request.jwt.claim.sub = '5ea40000-0000-4000-8000-0000000000f1';
SET ROLE authenticated;
BEGIN;
INSERT INTO leads (company_data, contact_data) VALUES ('{"name": "Quantum Acme"}', '{"name": "Max Planck"}');
SELECT * FROM pg_temp.found('quan', 'planck', 'qantum');
UPDATE leads SET company_data = '{"name": "Relative Acme"}' WHERE company_data ->> 'name' = 'Quantum Acme';
SELECT * FROM pg_temp.found('quan', 'relat', 'planck');
SAVEPOINT here;
DELETE FROM leads WHERE company_data ->> 'name' = 'Relative Acme';
SELECT * FROM pg_temp.found('planck');
ROLLBACK TO here;
SELECT * FROM pg_temp.found('planck');
ROLLBACK;
SELECT * FROM pg_temp.found('planck', 'acme');
RESET ROLE;

-- Without its index: 55000, and the hint is the statement that creates it.
CREATE FUNCTION pg_temp.hint() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_hint text;
BEGIN
    PERFORM openinfo.search_leads('acme');
    RETURN NULL;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    GET STACKED DIAGNOSTICS v_hint = PG_EXCEPTION_HINT;
    RETURN v_hint;
END
$$;
DROP INDEX idx_leads_search;
SELECT count(*) FROM search_leads('acme');
SELECT pg_temp.hint() AS hint \gset
\echo :hint
:hint
SELECT * FROM pg_temp.found('acme', 'rokets');
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_leads_search'::regclass;
SELECT pg_temp.hint() AS hint \gset
\echo :hint
:hint
SELECT * FROM pg_temp.found('acme', 'rokets');
COMMENT ON INDEX idx_leads_search IS 'Search: words of name, domain, industry and contact, by workspace';
-- Something else of that name is not used.
BEGIN;
ALTER INDEX idx_leads_search RENAME TO regress_other;
CREATE INDEX idx_leads_search ON leads (workspace_id);
SELECT pg_temp.hint();
ROLLBACK;
-- Without the index of the newest the rows are the same, read one by one.
BEGIN;
DROP INDEX idx_leads_workspace_id;
SELECT * FROM pg_temp.found('a', 'acme');
ROLLBACK;

CREATE FUNCTION pg_temp.buffers(p_text text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_plan json;
BEGIN
    EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM openinfo.search_leads(%L)', p_text)
       INTO v_plan;
    RETURN (v_plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::int
           + (v_plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::int;
END
$$;
-- The budget: a word that all leads have, and one that the oldest has too.
INSERT INTO leads (workspace_id, company_data, created_at)
    SELECT '5ea40000-0000-4000-8000-000000000001',
           jsonb_build_object('name', 'Filler ' || n, 'industry', 'Filling'),
           '2026-02-01'::timestamptz + n / 10 * interval '1 minute' FROM generate_series(1, 3000) n;
SELECT typed, (SELECT count(*) FROM search_leads(typed)) AS leads,
       (SELECT bool_and(falls)
          FROM (SELECT (relevance, created_at) <= (lag(relevance) OVER w, lag(created_at) OVER w) AS falls
                  FROM search_leads(typed) WINDOW w AS ()) s) AS falling,
       pg_temp.buffers(typed) <= 1700 AS bounded
  FROM unnest(ARRAY['f', 'filler', 'filling', 'filler f', 'filler 2999', 'fille 1', 'filer']) typed;
SELECT cardinality(pg_temp.pages('filling', 1000)) AS pages_of_thousand;
-- A word that another workspace has costs as much as one that nobody has: the time of a search tells nothing.
INSERT INTO leads (workspace_id, company_data)
    SELECT '5ea40000-0000-4000-8000-000000000002', jsonb_build_object('name', 'Quagmire ' || n)
      FROM generate_series(1, 3000) n;
SELECT others, nobodys, (SELECT count(*) FROM search_leads(others)) AS leads,
       abs(pg_temp.buffers(others) - pg_temp.buffers(nobodys)) <= 2 AS costs_the_same
  FROM (VALUES ('q', 'x'), ('qua', 'qub'), ('quagmire', 'quogmare'), ('quagmire 2999', 'quogmare 2999'),
               ('filler quagmire', 'filler quogmare'), ('qagmire', 'qogmare')) t (others, nobodys);

RESET request.jwt.claim.sub;
DELETE FROM workspaces WHERE slug LIKE 'search-%';
SELECT count(*) AS left_behind FROM leads;
