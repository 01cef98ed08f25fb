-- People that a search found, and the e-mails that are paid for one by one.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

CREATE FUNCTION pg_temp.sign_in(person text) RETURNS void LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims', CASE WHEN person IS NULL THEN ''
        ELSE format('{"sub": "5a000000-0000-4000-8000-0000000000%s"}', person) END, false) $$;
GRANT EXECUTE ON FUNCTION pg_temp.sign_in(text) TO PUBLIC;
-- Credits of a member, and what was spent according to the ledger.
CREATE FUNCTION pg_temp.spent(member text) RETURNS text LANGUAGE sql SECURITY DEFINER AS
    $$ SELECT daily_credits_used || ' of ' || coalesce(daily_credit_limit::text, 'any number') || ', ' ||
              (SELECT coalesce(sum(c.credits_used), 0) FROM openinfo.credit_usage c WHERE c.user_id = u.id
                  AND c.action_type = 'email_reveal') || ' in the ledger'
         FROM openinfo.users u WHERE email = member || '@people.example' $$;
GRANT EXECUTE ON FUNCTION pg_temp.spent(text) TO PUBLIC;

INSERT INTO workspaces (id, slug, name) VALUES
    ('51000000-0000-4000-8000-000000000001', 'people-one', 'One'),
    ('51000000-0000-4000-8000-000000000002', 'people-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email, role) VALUES
    ('52000000-0000-4000-8000-000000000001', '51000000-0000-4000-8000-000000000001',
        '5a000000-0000-4000-8000-0000000000a1', 'ann@people.example', 'owner'),
    ('52000000-0000-4000-8000-000000000002', '51000000-0000-4000-8000-000000000001',
        '5a000000-0000-4000-8000-0000000000a2', 'bob@people.example', 'member'),
    ('52000000-0000-4000-8000-000000000003', '51000000-0000-4000-8000-000000000002',
        '5a000000-0000-4000-8000-0000000000a3', 'cam@people.example', 'owner');
-- created_at gives the order; the last one is the newest
INSERT INTO people_search_results (id, workspace_id, created_at, person_data)
SELECT ('53000000-0000-4000-8000-0000000000' || n)::uuid, '51000000-0000-4000-8000-000000000001',
    '2026-01-05 00:00+00'::timestamptz + n::int * interval '1 minute', data::jsonb
  FROM (VALUES
    ('11', '{"full_name": "Dee Dixon", "title": "Head of Engineering", "company": "Acme Labs",
        "location": "Berlin, Germany", "seniority_level": "director", "department": "engineering",
        "linkedin_url": "https://linkedin.example/in/dee", "email": "dee@acme.example",
        "phone": "+49 30 1234567"}'),
    ('12', '{"full_name": "Eli Evans", "title": "100% Remote Engineer", "company": "a_b Systems",
        "location": "München", "seniority_level": "senior", "department": "engineering",
        "email": "eli@ab.example"}'),
    ('13', '{"full_name": "Fay Ford", "title": "Sales\\Partner", "company": "Acme Labs", "location": "Paris",
        "seniority_level": "Senior", "department": "sales",
        "contacts": {"work": ["Fay <fay@acme.example>."]}}'),
    ('14', '{"full_name": "Gus Gray", "title": "Intern", "company": "aXb Systems", "location": "Paris",
        "seniority_level": "senior_manager", "department": "sales", "phone": "+33 1 23456789"}'),
    ('15', '{"full_name": "Hal Hart", "email": "hal@hart.example"}'),
    ('16', '{"full_name": "Ida Ibsen", "email": "ida@ibsen.example"}'),
    ('17', '{"full_name": "Jon Jung", "email": "jon@jung.example"}')) AS p(n, data);
INSERT INTO people_search_results (id, workspace_id, person_data) VALUES
    ('53000000-0000-4000-8000-000000000021', '51000000-0000-4000-8000-000000000002',
        '{"full_name": "Zoe Zorn", "email": "zoe@zorn.example"}');

SET ROLE authenticated;
SELECT pg_temp.sign_in('a1');

-- Reveal: one credit, for the e-mail and whatever else was sealed with it.
SELECT person_data ? 'email' AS email, person_data ? 'phone' AS phone, email_revealed_at IS NOT NULL AS paid
    FROM people_search_results WHERE id = '53000000-0000-4000-8000-000000000011';
SELECT reveal_person_email(p_result_id => '53000000-0000-4000-8000-000000000011');
SELECT person_data ->> 'email' AS email, person_data ->> 'phone' AS phone, email_revealed_at IS NOT NULL
    AS paid, email_revealed_by = get_user_id() AS by_ann
  FROM people_search_results WHERE id = '53000000-0000-4000-8000-000000000011';
SELECT pg_temp.spent('ann');
SELECT action_type, credits_used, reference_id, metadata FROM credit_usage;

-- Again, by the same member or by a colleague: free.
SELECT reveal_person_email('53000000-0000-4000-8000-000000000011');
SELECT pg_temp.sign_in('a2');
SELECT reveal_person_email('53000000-0000-4000-8000-000000000011');
SELECT pg_temp.spent('bob');
BEGIN READ ONLY;
SELECT reveal_person_email('53000000-0000-4000-8000-000000000011') ->> 'already_revealed' AS also_read_only;
COMMIT;

-- An e-mail anywhere in the object is one; only the address is returned.
SELECT reveal_person_email('53000000-0000-4000-8000-000000000013');
SELECT person_data -> 'contacts' AS contacts FROM people_search_results
    WHERE id = '53000000-0000-4000-8000-000000000013';

RESET ROLE;
SELECT p AS person, person_email(p::jsonb)
  FROM unnest(ARRAY['{"a": "boss@x.example", "email": {"work": "ann@x.example"}}',
      '{"a": "boss@x.example", "contact": {"Work E-Mail": ["none", "ann@x.example"]}}',
                    '{"a": "boss@x.example", "email": "none"}',
                        '{"email": "mailto:ann.lee+x@x.example?subject=hi"}',
                        '{"about": [{"ann@x.example": 1}]}',
                    '{"email": "@", "mail": "a@", "x": "@b", "email2": 5}', '{}', '["ann@x.example"]',
                        '"ann@x.example"', '"Ann <ann@x.example>, bob@x.example"',
                    '{"email": "ann%40x.example"}', '{"email": "ann＠x.example"}']) AS p;
-- Which one: a current work address, then one without a label, personal, old, an assistant's, a
-- company's; in a list by its confidence.  A vendor's placeholder is none.
SELECT p AS person, person_email(p::jsonb)
  FROM unnest(ARRAY['{"old_email": "no@x.example", "work_email": "ann@x.example"}',
                    '{"company": {"email": "no@x.example"}, "person_work_email": "ann@x.example"}',
                    '{"email": "ann@x.example", "work_email": "no@x.example"}',
                    '{"emails": [{"email": "no@x.example", "type": "personal"}, {"email": "ann@x.example", '
                    '"type": "work"}]}',
                    '{"emails": [{"value": "no@x.example", "confidence": 9}, {"value": "ann@x.example", '
                    '"confidence": 92}]}',
                    '{"emails": [{"email": "no@x.example", "emailConfidence": "B"}, '
                    '{"email": "ann@x.example", "emailConfidence": "A+"}]}',
                    '{"assistantEmail": "no@x.example", "personal_emails": ["ann@x.example"]}',
                    '{"note": "ann@x.example", "company_email": "info@x.example"}',
                    '{"email": "email_not_unlocked@domain.com"}',
                    '{"email": "a***@x.example", "emails": ["noemail@x.example"]}',
                    '{"email": "j...@x.example", "personal_email": "ann@x.example"}']) AS p;
-- In time that grows with the length alone.
SELECT person_email(jsonb_build_object('email', repeat('%40', 100000))) AS long,
       person_email(jsonb_build_object('email', repeat('a', 100000) || '@x')) AS beyond;
SELECT person_email((repeat('[', 3000) || '"ann@x.example"' || repeat(']', 3000))::jsonb) AS deep,
    person_email(jsonb_build_object('email', repeat('@ ', 500000))) AS long;
SET ROLE authenticated;

-- No e-mail known: free, and what is sealed (here a phone) stays so.
SELECT reveal_person_email('53000000-0000-4000-8000-000000000014');
SELECT person_data ? 'phone' AS phone, email_revealed_at IS NOT NULL AS paid FROM people_search_results
    WHERE id = '53000000-0000-4000-8000-000000000014';
SELECT pg_temp.spent('bob');

-- A rollback, also to a savepoint, takes both back.
BEGIN;
SAVEPOINT before;
SELECT reveal_person_email('53000000-0000-4000-8000-000000000015') ->> 'email' AS seen_for_now;
ROLLBACK TO before;
SELECT person_data ? 'email' AS email FROM people_search_results
    WHERE id = '53000000-0000-4000-8000-000000000015';
COMMIT;
SELECT pg_temp.spent('bob');

-- No credits left: PT402, and still sealed.
SELECT reveal_person_email('53000000-0000-4000-8000-000000000015') -> 'credits_remaining' AS remaining;
SELECT reveal_person_email('53000000-0000-4000-8000-000000000016') -> 'credits_remaining' AS remaining;
\set VERBOSITY default
SELECT reveal_person_email('53000000-0000-4000-8000-000000000017');
\set VERBOSITY terse
SELECT person_data ? 'email' AS email FROM people_search_results
    WHERE id = '53000000-0000-4000-8000-000000000017';
SELECT pg_temp.spent('bob');

-- A counter of an earlier day counts as zero.
RESET ROLE;
UPDATE users SET credits_reset_on = credits_reset_on - 1 WHERE email = 'bob@people.example';
SET ROLE authenticated;
SELECT reveal_person_email('53000000-0000-4000-8000-000000000016') -> 'credits_remaining' AS remaining;

-- A colleague's credits, nobody's, another workspace's result, an unknown one: 42501, the last two alike.
\set VERBOSITY default
SELECT reveal_person_email('53000000-0000-4000-8000-000000000017', '52000000-0000-4000-8000-000000000001');
SELECT reveal_person_email('53000000-0000-4000-8000-000000000021');
SELECT reveal_person_email('53000000-0000-4000-8000-0000000000ff');
\set VERBOSITY sqlstate
SELECT reveal_person_email('53000000-0000-4000-8000-000000000017', NULL);
SELECT reveal_person_email(NULL);
SELECT pg_temp.sign_in(NULL);
SELECT reveal_person_email('53000000-0000-4000-8000-000000000017');
SET ROLE anon;
SELECT reveal_person_email('53000000-0000-4000-8000-000000000017');

-- service_role names whose credits it is; they must be of the result's workspace.
SET ROLE service_role;
\set VERBOSITY terse
SELECT reveal_person_email('53000000-0000-4000-8000-000000000017');
SELECT reveal_person_email('53000000-0000-4000-8000-000000000017', '52000000-0000-4000-8000-000000000003');
SELECT reveal_person_email('53000000-0000-4000-8000-0000000000ff', '52000000-0000-4000-8000-000000000001');
SELECT reveal_person_email('53000000-0000-4000-8000-000000000011', '52000000-0000-4000-8000-000000000003');
UPDATE users SET daily_credit_limit = NULL WHERE email = 'cam@people.example';
SELECT reveal_person_email('53000000-0000-4000-8000-000000000021', '52000000-0000-4000-8000-000000000003');
-- Not even the backend opens a seal without paying, nor does it bring a contact along as paid for.
UPDATE people_search_results SET email_revealed_at = now() WHERE id = '53000000-0000-4000-8000-000000000012';
INSERT INTO people_search_results (workspace_id, person_data, email_revealed_at)
    VALUES ('51000000-0000-4000-8000-000000000002', '{"full_name": "Yan", "email": "yan@y.example"}', now())
    RETURNING person_data ->> 'email' AS without_a_credit;
RESET ROLE;
SELECT count(*) AS still_sealed FROM sealed_contacts
    WHERE workspace_id = '51000000-0000-4000-8000-000000000001';

-- Search: title, company and location contain the text, in any case; no letter is a wildcard.
SET ROLE authenticated;
SELECT pg_temp.sign_in('a1');
SELECT * FROM search_people(p_workspace_id => get_user_workspace_id(), p_filters => '{"company": "acme"}',
    p_limit => 1, p_offset => 1);
CREATE FUNCTION pg_temp.found(filters jsonb) RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(split_part(full_name, ' ', 1), ' ')
        FROM openinfo.search_people(openinfo.get_user_workspace_id(), filters) $$;
GRANT EXECUTE ON FUNCTION pg_temp.found(jsonb) TO PUBLIC;
SELECT f AS filters, pg_temp.found(f::jsonb)
  FROM unnest(ARRAY['{}', '{"title": "ENGINEER"}', '{"title": "%"}', '{"company": "a_b"}',
      '{"title": "s\\p"}', '{"location": "MÜNCHEN"}', '{"location": "berlin, g"}',
                    '{"title": "engineer", "company": "labs"}', '{"title": "nobody"}', '{"title": ""}',
                        '{"title": null}', '{"title": "%%", "company": "labs"}']) AS f;
-- seniority_level and department are equal to it, case and all.
SELECT f AS filters, pg_temp.found(f::jsonb)
  FROM unnest(ARRAY['{"seniority_level": "senior"}', '{"seniority_level": "Senior"}',
      '{"seniority_level": "SENIOR"}', '{"department": "sales"}', '{"department": "sale"}',
                    '{"department": "sales", "seniority_level": "senior_manager"}',
                        '{"department": "sales", "title": "partner"}']) AS f;
-- full_name contains the text; email_revealed is "true" or "false".
SELECT f AS filters, pg_temp.found(f::jsonb), count_people(get_user_workspace_id(), f::jsonb)
  FROM unnest(ARRAY['{"full_name": "DIX"}', '{"full_name": " gus   gray "}', '{"full_name": "x%"}',
      '{"email_revealed": "true"}', '{"email_revealed": "false", "department": "sales"}',
                    '{"email_revealed": true}', '{"email_revealed": ""}',
                        '{"email_revealed": null, "title": " "}', '{}']) AS f;
SELECT count_people(p_workspace_id => get_user_workspace_id()), count_people(get_user_workspace_id(), NULL);
-- One name is one: composed and decomposed, with spaces of any kind; in a filter, in person_exists() and in a
-- department.
BEGIN;
INSERT INTO people_search_results (person_data) VALUES
    (jsonb_build_object('full_name', U&'Ren\00E9e M\00FCller', 'company', U&'\00C9clair\00A0SA', 'title',
        U&'Pr\00E9sidente', 'location', U&'Orl\00E9ans\00A0Nord', 'department', U&'qualit\00E9',
        'seniority_level', U&'Confirm\00E9')),
    (jsonb_build_object('full_name', U&'\0130nci \0130pek', 'company', 'A' || repeat(U&'\0301', 1000000)));
SELECT t.spelling, person_exists(get_user_workspace_id(), t.name, t.company) IS NOT NULL AS exists
  FROM (VALUES ('composed', U&'Ren\00E9e M\00FCller', U&'\00C9clair SA'),
      ('decomposed', U&'Rene\0301e Mu\0308ller', U&'E\0301clair SA'),
      ('in capitals', U&'RENE\0301E M\00DCLLER', U&'\00C9CLAIR\2003SA'),
               ('no-break spaces', U&'Ren\00E9e\00A0M\00FCller', U&'\00C9clair\202F SA'),
                   ('spaces around', U&'\3000Ren\00E9e  M\00FCller\2028', U&' \00C9clair SA '),
               ('invisible', U&'\FEFFRen\00E9e M\00FC\00ADl\200Bler', U&'\00C9clair SA'),
                   ('without marks', 'Renee Muller', 'Eclair SA')) AS t(spelling, name, company);
SELECT f AS filters, pg_temp.found(f) FROM unnest(ARRAY[jsonb_build_object('full_name', U&'ne\0301e\00A0m'),
    jsonb_build_object('company', U&'E\0301CLAIR s'), jsonb_build_object('title', U&'PRE\0301'),
    jsonb_build_object('location', U&'le\0301ans nord'), jsonb_build_object('department', U&'qualite\0301'),
        jsonb_build_object('seniority_level', U&'Confirme\0301'),
        jsonb_build_object('seniority_level', U&'confirm\00E9'),
    jsonb_build_object('full_name', U&'I\0307NC')]) AS f;
ROLLBACK;
-- Pages by p_after: rows of one time are neither repeated nor left out, also when others are added and
-- deleted meanwhile.
BEGIN;
INSERT INTO people_search_results (person_data) SELECT jsonb_build_object('full_name', 'Twin ' || n)
    FROM generate_series(1, 7) n;
CREATE FUNCTION pg_temp.pages(size int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_page uuid[];
    v_all  uuid[] := '{}';
    v_size text[] := '{}';
BEGIN
    LOOP
        SELECT array_agg(id ORDER BY n) INTO v_page
            FROM openinfo.search_people(openinfo.get_user_workspace_id(), '{}', size,
            p_after => v_all[cardinality(v_all)]) WITH ORDINALITY AS p(id, a, b, c, d, e, f, g, h, i, j, n);
        EXIT WHEN v_page IS NULL;
        v_all := v_all || v_page;
        v_size := v_size || cardinality(v_page)::text;
        INSERT INTO openinfo.people_search_results (person_data) VALUES ('{"full_name": "Meanwhile"}');
    END LOOP;
    RETURN format('pages of %s: %s in all, %s of them different, as on one page: %s',
        array_to_string(v_size, ', '), cardinality(v_all), (SELECT count(DISTINCT i) FROM unnest(v_all) i),
                  v_all = ARRAY(SELECT id FROM openinfo.people_search_results
                      WHERE person_data ->> 'full_name' <> 'Meanwhile' ORDER BY created_at DESC, id));
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.pages(int) TO PUBLIC;
RESET ROLE;
-- Rows that are added meanwhile get the time of day, as those of other transactions do.
ALTER TABLE people_search_results ALTER created_at SET DEFAULT clock_timestamp();
SET ROLE authenticated;
SELECT pg_temp.pages(1);
DELETE FROM people_search_results WHERE person_data ->> 'full_name' = 'Meanwhile';
SELECT pg_temp.pages(4);
DELETE FROM people_search_results WHERE person_data ->> 'full_name' = 'Meanwhile';
SELECT pg_temp.pages(1000);
SELECT full_name FROM search_people(get_user_workspace_id(), '{"department": "engineering"}', 1, 0,
    (SELECT id FROM people_search_results WHERE person_data ->> 'full_name' = 'Fay Ford'));
SELECT count(*) AS behind_the_last FROM search_people(get_user_workspace_id(), '{}', 50, 0,
    '53000000-0000-4000-8000-000000000011');
ROLLBACK;
\set VERBOSITY default
-- A row of another workspace and one that does not exist are refused alike; no other values.
SELECT * FROM search_people(get_user_workspace_id(), '{}', p_after => '53000000-0000-4000-8000-000000000021');
SELECT * FROM search_people(get_user_workspace_id(), '{}', p_after => '53000000-0000-4000-8000-0000000000ff');
SELECT * FROM search_people(get_user_workspace_id(), '{"email_revealed": "yes"}');
SELECT count_people(get_user_workspace_id(), '{"name": "x"}');
\set VERBOSITY sqlstate
SELECT count_people(get_user_workspace_id(), '{"email_revealed": 1}');
SELECT count_people(get_user_workspace_id(), '[]');
SELECT count_people('51000000-0000-4000-8000-000000000002');
SELECT count_people(NULL);
SELECT person_matches('{}', '{}');
\set VERBOSITY terse
-- Of duplicate keys jsonb keeps the last one.
SELECT pg_temp.found('{"department": "sales", "department": "engineering"}');
SELECT pg_temp.found(NULL) = pg_temp.found('{}') AS null_is_no_filter;

-- The e-mail: itself when it is paid for, [HIDDEN] when one is known, NULL when none is.
SELECT full_name, email, email_revealed FROM search_people(get_user_workspace_id(), '{}');

-- Limits: below 1 is refused, above 1,000 counts as 1,000; NULL is the default.
SELECT count(*) FROM search_people(get_user_workspace_id(), '{}', 2147483647);
SELECT count(*) FROM search_people(get_user_workspace_id(), '{}', NULL, NULL);
SELECT count(*) FROM search_people(get_user_workspace_id(), '{}', 50, 2147483647);
\set VERBOSITY default
SELECT * FROM search_people(get_user_workspace_id(), '{}', 0);
SELECT * FROM search_people(get_user_workspace_id(), '{}', -1);
SELECT * FROM search_people(get_user_workspace_id(), '{}', 1, -1);
-- Filters that are no filters.
SELECT * FROM search_people(get_user_workspace_id(), '{"senority_level": "senior"}');
SELECT * FROM search_people(get_user_workspace_id(), '{"title": ["Engineer"]}');
SELECT * FROM search_people(get_user_workspace_id(), '[]');
\set VERBOSITY sqlstate
SELECT * FROM search_people(get_user_workspace_id(), 'null');
SELECT * FROM search_people(get_user_workspace_id(), '"title"');
SELECT * FROM search_people(get_user_workspace_id(), '{"title": 5}');
SELECT * FROM search_people(get_user_workspace_id(), '{"title": {"contains": "x"}}');
SELECT * FROM search_people(get_user_workspace_id(), (repeat('[', 5000) || repeat(']', 5000))::jsonb);
SELECT count(*) FROM search_people(get_user_workspace_id(), jsonb_build_object('title',
    repeat('x', 1000000)));
SELECT count(*) FROM search_people(get_user_workspace_id(), jsonb_build_object('seniority_level',
    repeat('x', 1000000)));
-- Another workspace, and none.
SELECT * FROM search_people('51000000-0000-4000-8000-000000000002', '{}');
SELECT * FROM search_people(NULL, '{}');
SELECT * FROM export_people_to_csv('51000000-0000-4000-8000-000000000002');
SELECT person_exists('51000000-0000-4000-8000-000000000002', 'Zoe Zorn', NULL);
SELECT get_people_search_stats('51000000-0000-4000-8000-000000000002');
SELECT get_people_search_stats(NULL);
\set VERBOSITY terse

-- Seniority below its 512 indexed bytes: the whole value decides.
INSERT INTO people_search_results (person_data) SELECT jsonb_build_object('full_name', 'Kim Long',
    'seniority_level', repeat('x', 600) || n) FROM generate_series(1, 2) n;
SELECT count(*) FROM search_people(get_user_workspace_id(), jsonb_build_object('seniority_level',
    repeat('x', 600) || 1));
DELETE FROM people_search_results WHERE person_data ->> 'full_name' = 'Kim Long';

-- Export: the same rows, hidden what is not paid for.
SELECT * FROM export_people_to_csv(get_user_workspace_id(), '{"company": "a"}');
SELECT count(*), count(email) AS emails, count(*) FILTER (WHERE email = '[HIDDEN]') AS hidden
    FROM export_people_to_csv(p_workspace_id => get_user_workspace_id());
-- Not more of them than the plan of the workspace has in one export.
RESET ROLE;
UPDATE plans SET export_rows = 3 WHERE name = 'free';
SET ROLE authenticated;
SELECT count(*) FROM export_people_to_csv(get_user_workspace_id(), '{"company": "b"}');
\set VERBOSITY default
SELECT count(*) FROM export_people_to_csv(get_user_workspace_id());
\set VERBOSITY terse
RESET ROLE;
UPDATE plans SET export_rows = 100 WHERE name = 'free';
SET ROLE authenticated;

-- person_exists: name and company in any case, with any spaces; the oldest.
SELECT person_exists(p_workspace_id => get_user_workspace_id(), p_full_name => ' dee   DIXON ',
    p_company => 'ACME LABS');
SELECT person_exists(get_user_workspace_id(), 'Dee Dixon', 'Acme') IS NULL AS other_company,
       person_exists(get_user_workspace_id(), 'Dee Dixon', NULL) IS NULL AS company_known,
       person_exists(get_user_workspace_id(), 'Hal Hart', NULL) AS no_company_known,
       person_exists(get_user_workspace_id(), 'Hal Hart', ' ') IS NOT NULL AS blank_is_none,
       person_exists(get_user_workspace_id(), 'D%', 'Acme Labs') IS NULL AS no_wildcards,
       person_exists(get_user_workspace_id(), NULL, 'Acme Labs') IS NULL AS no_name,
       person_exists(get_user_workspace_id(), 'Zoe Zorn', NULL) IS NULL AS not_of_others,
       person_exists(get_user_workspace_id(), repeat('x', 1000000), 'y') IS NULL AS long_name;
INSERT INTO people_search_results (person_data) VALUES ('{"full_name": "Dee Dixon", "company": "Acme Labs"}'),
    ('{"full_name": "Lou", "company": {"name": "Acme"}}');
SELECT person_exists(get_user_workspace_id(), 'Dee Dixon', 'Acme Labs') AS the_oldest;
SELECT person_exists(get_user_workspace_id(), 'Lou', NULL) IS NOT NULL AS no_string_is_no_company;
DELETE FROM people_search_results WHERE created_at = (SELECT max(created_at) FROM people_search_results);

-- Under row-level security, lookups by name and company and by seniority use their indexes.
SET enable_seqscan = off;
CREATE FUNCTION pg_temp.index_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO v_plan;
    RETURN format('%s on %s', v_plan -> 0 -> 'Plan' ->> 'Index Name',
        regexp_replace(v_plan -> 0 -> 'Plan' ->> 'Index Cond', '\$0|\(InitPlan \w+\)\.col1', '...'));
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.index_of(text) TO PUBLIC;
SELECT pg_temp.index_of($$SELECT id FROM people_search_results
    WHERE person_name(person_data) = person_name('{"full_name": "Dee Dixon"}'::jsonb)
    AND person_company(person_data) = 'acme labs'$$);
SELECT pg_temp.index_of($$SELECT id FROM people_search_results
    WHERE person_seniority(person_data) = 'senior'$$);
-- So do the computed fields.
SELECT pg_temp.index_of($$SELECT id FROM people_search_results p
    WHERE p.person_name = 'dee dixon' AND p.person_company = 'acme labs'$$);
SELECT pg_temp.index_of($$SELECT id FROM people_search_results p WHERE p.person_seniority = 'senior'$$);
RESET enable_seqscan;
SELECT count(*) FROM people_search_results WHERE person_seniority(person_data) = 'senior';

-- A name that does not fit into an index entry can be stored.
INSERT INTO people_search_results (person_data) VALUES (jsonb_build_object('full_name', repeat('Ü', 2000),
    'company', repeat('x', 4000), 'seniority_level', repeat('é', 2000)));
SELECT length(person_name(person_data)) AS name, octet_length(person_company(person_data)) AS company,
    octet_length(person_seniority(person_data)) AS seniority
  FROM people_search_results WHERE length(person_data ->> 'full_name') = 2000;
DELETE FROM people_search_results WHERE length(person_data ->> 'full_name') = 2000;

-- Counts.
SELECT get_people_search_stats(get_user_workspace_id()) - 'people_today' - 'people_this_week' AS stats;
SELECT pg_temp.sign_in('a3');
SELECT get_people_search_stats(get_user_workspace_id()) AS stats;

-- Saved searches, of people and of companies.
SELECT pg_temp.sign_in('a1');
INSERT INTO saved_people_searches (name) VALUES ('Engineers') RETURNING id AS people \gset
INSERT INTO saved_searches (name) VALUES ('Labs') RETURNING id AS companies \gset
SELECT update_saved_search_usage(p_search_id => :'people'), update_saved_search_usage(:'people'),
    update_saved_search_usage(:'companies');
SELECT name, use_count, last_used_at IS NOT NULL AS used FROM saved_people_searches UNION ALL SELECT name,
    use_count, NULL FROM saved_searches;
RESET ROLE;
UPDATE saved_people_searches SET use_count = 2147483647 WHERE id = :'people';
SET ROLE authenticated;
SELECT update_saved_search_usage(:'people');
SELECT use_count AS stops_at FROM saved_people_searches;
SELECT pg_temp.sign_in('a3');
\set VERBOSITY sqlstate
SELECT update_saved_search_usage(:'people');
SELECT update_saved_search_usage('53000000-0000-4000-8000-0000000000ff');
SELECT update_saved_search_usage(NULL);
SELECT pg_temp.sign_in(NULL);
SELECT update_saved_search_usage(:'people');
SET ROLE service_role;
SELECT update_saved_search_usage(:'companies');
SELECT update_saved_search_usage('53000000-0000-4000-8000-0000000000ff');
RESET ROLE;
\set VERBOSITY default

DELETE FROM workspaces WHERE slug LIKE 'people-%';
