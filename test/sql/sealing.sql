-- Sealing: contacts that have not been paid for, and secrets of integrations, are in no row that anybody can read.
SET search_path = openinfo, pg_temp;
SET client_min_messages = warning;
\set VERBOSITY terse

INSERT INTO workspaces (id, slug, name) VALUES ('5ea10000-0000-4000-8000-000000000001', 'sealing-one', 'One'), ('5ea10000-0000-4000-8000-000000000002', 'sealing-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email, role)
    SELECT format('5ea10000-0000-4000-8000-0000000000a%s', n)::uuid, '5ea10000-0000-4000-8000-000000000001', format('5ea10000-0000-4000-8000-0000000000f%s', n)::uuid, role || '@sealing.example', role
      FROM unnest(enum_range(NULL::user_role)) WITH ORDINALITY u(role, n);
CREATE FUNCTION pg_temp.sign_in(n text) RETURNS void LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims', CASE WHEN n IS NULL THEN '' ELSE format('{"sub": "5ea10000-0000-4000-8000-0000000000f%s"}', n) END, false) $$;
GRANT EXECUTE ON FUNCTION pg_temp.sign_in(text) TO PUBLIC;
-- What is in a row and what was taken out of it; rows are known by the last character of their ids.
CREATE VIEW pg_temp.people AS
    SELECT right(p.id::text, 1) AS row, person_data AS shown, sealed, email_revealed_at IS NOT NULL AS paid
      FROM people_search_results p LEFT JOIN sealed_contacts s ON s.result_id = p.id ORDER BY p.id;
CREATE VIEW pg_temp.configs AS
    SELECT right(i.id::text, 1) AS row, config AS shown, sealed FROM integrations i LEFT JOIN sealed_secrets s ON s.integration_id = i.id ORDER BY i.id;
-- The outcome of a statement that is expected to fail.
CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_detail text;
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ': ' || SQLERRM || CASE WHEN SQLERRM || v_detail ~ 'canary' THEN '; it shows what is sealed' ELSE '' END;
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.outcome(text) TO PUBLIC;

-- ------------------------------------------------------------------------------------------------------------------
-- What is a contact: by its key, however spelled, or by what it looks like, wherever it stands
-- ------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.split(data jsonb, OUT shown jsonb, OUT sealed jsonb) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO people_search_results (id, workspace_id, person_data)
    VALUES ('5ea10000-0000-4000-8000-00000000000f', '5ea10000-0000-4000-8000-000000000001', '{"full_name": "P"}'::jsonb || data) RETURNING person_data - CASE WHEN data ? 'full_name' THEN '' ELSE 'full_name' END INTO shown;
    SELECT s.sealed INTO sealed FROM sealed_contacts s WHERE result_id = '5ea10000-0000-4000-8000-00000000000f';
    DELETE FROM people_search_results WHERE id = '5ea10000-0000-4000-8000-00000000000f';
END
$$;
\pset format unaligned
\pset tuples_only on
-- Everything in these is sealed.
SELECT data, CASE WHEN shown = '{}' AND sealed = data THEN 'sealed' ELSE format('SHOWN: %s SEALED: %s', shown, sealed) END
  FROM (VALUES
    ('{"email": "canary@x.example"}'::jsonb),
    ('{"Email": "canary@x.example"}'),
    ('{"E-Mail": "canary@x.example"}'),
    ('{"e_mail": "canary@x.example"}'),
    ('{"WORK EMAIL": "canary@x.example"}'),
    ('{"email_addresses": ["canary@x.example"]}'),
    ('{"emails": [{"canary": 1}]}'),
    ('{"primaryEmail": {"local": "canary", "domain": "x.example"}}'),
    ('{"mail": "canary"}'),
    ('{"email_user": "canary", "email_domain": "x.example"}'),
    ('{"phone": "0170 12"}'),
    ('{"Phone-Number": 491701234567}'),
    ('{"mobile": "1"}'),
    ('{"mobile_phone": "1"}'),
    ('{"tel": "1"}'),
    ('{"telephone": ["1", "2"]}'),
    ('{"telefono": "1"}'),
    ('{"WhatsApp": "1"}'),
    ('{"fax": "1"}'),
    ('{"direct_dial": "1"}'),
    ('{"canary@x.example": true}'),
    ('{"contact": "canary@x.example"}'),
    ('{"contact": "mailto:canary@x.example"}'),
    ('{"contact": "Canary <canary@x.example>"}'),
    ('{"contact": "\u0063anary\u0040x.example"}'),
    ('{"contact": "canary＠x.example"}'),
    ('{"contact": "https://x.example/?to=canary%40x.example"}'),
    ('{"contact": "canary&#64;x.example"}'),
    ('{"contact": "canäry@müller.example"}'),
    ('{"contact": "+49 170 1234567"}'),
    ('{"contact": "+1 (212) 555-0100"}'),
    ('{"contact": "Call me: +491701234567, any time"}'),
    ('{"contact": "(212) 555-0100"}'),
    ('{"contact": "office 212-555-0100 ext. 7"}'),
    ('{"contact": "212.555.0100"}'),
    ('{"contact": "0170/1234567"}'),
    ('{"contact": "tel:12345"}'),
    ('{"contact_number": "4930123456"}'),
    ('{"office_no": "1"}'),
    ('{"Direct Line": 1}'),
    ('{"ph": "1"}'),
    ('{"call": "1"}'),
    ('{"tel2": "1", "Phone 1": "1", "callerId": "1", "wa_id": "1"}'),
    ('{"hq": "2125550100"}'),
    ('{"number": "2125550100"}'),
    ('{"contact": "2125550100"}'),
    ('{"contact": " 91 98765 43210 "}'),
    ('{"contact": "2125550100/2125550101"}'),
    ('{"contact": "212 555\u00a00100"}'),
    ('{"contact": "212\u2013555\u20130100"}'),
    ('{"contact": "０３０ １２３４５６７"}'),
    ('{"contact": "٢١٢٥٥٥٠١٠٠"}'),
    ('{"contact": "030\u200b1234567"}'),
    ('{"contact": "(0)30 1234567"}'),
    ('{"bio": "\u260e\ufe0f2125550100"}'),
    ('{"bio": "CEO | \ud83d\udcde0301234567"}'),
    ('{"bio": "\u201c0301234567\u201d"}'),
    ('{"n": 2125550100}'),
    ('{"n": 2125550100.0}'),
    ('{"2125550100": true}'),
    ('{"candidate": "2125550100"}'),
    ('{"bio": "call 030 1234567"}'),
    ('{"bio": "in Berlin: (030) 1234567, mornings"}'),
    ('{"bio": "0301234567 or 0301234568"}'),
    ('{"bio": "01.02.2024 030 1234567"}'),
    ('{"bio": "Paris 01 23 45 67 89"}'),
    ('{"bio": "0044 20 7946 0958"}'),
    ('{"bio": "reach me at 2125550100."}'),
    ('{"contact": "tel 0301234567"}'),
    ('{"bio": "Tel. no.: 4930123"}'),
    ('{"bio": "call me at 91 98765 43210"}'),
    ('{"id": "tel 4930123456"}'),
    ('{"chat": "https://wa.me/4930123456"}'),
    ('{"chat": "https://x.example/?phone=%2B4930123456"}'),
    ('{"id": "0170/1234567"}'),
    ('{"id": "+4930123456"}'),
    ('{"links": ["https://x.example", "canary@x.example"]}'),
    ('{"links": [["x", ["y", "canary@x.example"]]]}')) v(data) CROSS JOIN LATERAL pg_temp.split(data);
-- Some of these: the nesting stays.
SELECT data, 'shown', shown, 'sealed', sealed
  FROM (VALUES
    ('{"a": {"b": {"c": {"email": "canary@x.example", "city": "Bern"}}}}'::jsonb),
    ('{"jobs": [{"title": "CTO", "email": "canary@x.example"}, {"title": "CEO"}]}'),
    ('{"contacts": [{"type": "phone", "value": "030 12345"}, {"type": "web", "value": "x.example"}]}'),
    ('{"facts": [{"type": "revenue", "value": 12000000000}, {"type": "office", "value": "2125550100"}]}'),
    ('{"numbers": [2125550100, 7], "revenues": [2125550100]}'),
    ('{"person": {"id": 2125550100, "reach": 2125550100}, "ids": ["2125550100"]}'),
    ('{"contact": {"kind": "Mobile", "number": 12345}}'),
    ('{"full_name": "canary@x.example", "title": "CEO"}'),
    ('{"full_name": "Ann", "email": "a", "bio": "Mail canary@x.example"}'),
    ('{"full_name": "Ann", "email": null, "email_verified": true, "phones": []}')) v(data) CROSS JOIN LATERAL pg_temp.split(data);
-- What is shown, split again, is shown.
SELECT 'again', (pg_temp.split(shown)).sealed IS NULL
  FROM pg_temp.split('{"full_name": "+4930123456", "n": [2125550100, 7], "m": [[{"tel": 1, "x": {"value": 2125550100, "kind": "office"}}, "tel 4930123"]], "kind": "phone", "value": [1, {"ph": 2}], "id": {"value": 2125550100, "content": [2125550100]}}');
-- Nothing of these: what only looks like it stays useful.
SELECT data, CASE WHEN shown = data AND sealed IS NULL THEN 'shown' ELSE format('SHOWN: %s SEALED: %s', shown, sealed) END
  FROM (VALUES
    ('{"title": "Head of Sales @ Acme"}'::jsonb),
    ('{"title": "Engineer, C++11/14/17/20"}'),
    ('{"linkedin_url": "https://linkedin.com/in/ann-12345678"}'),
    ('{"profile": "https://x.example/@ann"}'),
    ('{"handle": "@ann"}'),
    ('{"company": {"name": "Mobile Phones Ltd", "address": "Street 1", "size": "1000-5000", "founded": "1999-12-31"}}'),
    ('{"zip": "94105-1234", "lat": "52.5200066", "ip": "192.168.100.200", "period": "2019-2024"}'),
    ('{"price": "+20 %", "rank": 4917012345678}'),
    ('{"orcid": "0000-0002-1825-0097", "hotel": "Ritz"}'),
    ('{"full_name": "Ann 3rd", "title": "VP Mobile (2015-2019), Call Center 2020", "company": "3M 2000 Ltd", "bio": "Since 2019, 1000-5000 people"}'),
    ('{"id": "2125550100", "ID": 2125550100, "companyId": 2125550100, "urn": "urn:li:member:2125550100", "cik": "0000066740", "duns": "012345678"}'),
    ('{"linkedin_url": "https://www.linkedin.com/in/ann-212-555-0100", "linkedin": "https://linkedin.com/in/ann-0301234567/", "profile": "linkedin.com/in/ann-2125550100"}'),
    ('{"photo": "https://x.example/u/2125550100.jpg?v=0301234567", "uuid": "12345678-1234-4567-8901-123456789012", "ref": "53000000-0000-4000-8000-000000000011"}'),
    ('{"start_date": "01.02.2024", "when": "2024-01-02 10:30", "at": "2024-01-02T10:30:00.123456Z", "text": "from 01.02.2024 10:30 to 03.04.2024 11:30", "span": "01/2019 - 02/2024", "dates": "2019-01-02 - 2020"}'),
    ('{"created_at": 1700000000000, "timestamp": "1700000000", "last_seen_at": 1700000000, "updated": 1.5, "birthday": "01.02.1990"}'),
    ('{"revenue": 12000000000, "annual_revenue_usd": "12000000000", "funding": {"amount": 1200000000}, "revenue_range": "1000000000-5000000000", "market_cap": 1200000000}'),
    ('{"employees": "10000-50000", "employee_count": 2300000, "size": "10001-500000", "followers": 1234567890}'),
    ('{"zip": "94105-1234", "postal_code": "01067", "place": "01067 Dresden", "code": "941051234567"}'),
    ('{"share": 0.12345678901, "score": "0.12345678901", "lng": "13.40495400001", "part": "13.40495400001", "host": "192.168.100.200", "n": 123456789}'),
    ('{"value": {"revenue": {"value": 12000000000}}, "bio": "Raised $12000000000 for order A-0301234567"}'),
    ('{"email_verified": true, "has_phone": false}'),
    ('{"a": [[[[]]]], "b": {}, "c": null, "": ""}')) v(data) CROSS JOIN LATERAL pg_temp.split(data);
\pset format aligned
\pset tuples_only off

-- ------------------------------------------------------------------------------------------------------------------
-- Never to be seen, by whatever way the row comes
-- ------------------------------------------------------------------------------------------------------------------

SET ROLE service_role;
INSERT INTO people_search_results (id, workspace_id, person_data)
VALUES ('5ea10000-0000-4000-8000-000000000011', '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Ann", "email": "canary-ann@x.example", "phone": "030 1"}'),
       ('5ea10000-0000-4000-8000-000000000012', '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Bob"}') RETURNING person_data;
-- Written by an upsert, the contact belongs to the row that is there.
INSERT INTO people_search_results (id, workspace_id, person_data)
VALUES ('5ea10000-0000-4000-8000-000000000012', '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Bob", "title": "CTO", "email": "canary-bob@x.example"}')
ON CONFLICT (id) DO UPDATE SET person_data = excluded.person_data RETURNING person_data;
INSERT INTO people_search_results (id, workspace_id, person_data)
VALUES ('5ea10000-0000-4000-8000-000000000012', '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Bob", "phone": "030 2"}')
ON CONFLICT (id) DO UPDATE SET person_data = people_search_results.person_data || excluded.person_data RETURNING person_data;
-- One that takes nothing over from the row that was turned away takes over no contact either.
INSERT INTO people_search_results (id, workspace_id, person_data)
VALUES ('5ea10000-0000-4000-8000-000000000012', '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Mallory", "email": "canary-mal@x.example"}')
ON CONFLICT (id) DO UPDATE SET search_filters = '{"seen": true}' RETURNING person_data;
-- A row that is turned away leaves nothing behind.
INSERT INTO people_search_results (id, workspace_id, person_data)
VALUES ('5ea10000-0000-4000-8000-000000000012', '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Bob", "email": "canary-no@x.example"}') ON CONFLICT DO NOTHING RETURNING person_data;
RESET ROLE;
SELECT * FROM pg_temp.people;

-- What was sealed from a row goes to no other row, though one statement text writes both: a function ...
SET ROLE service_role;
DO $$
BEGIN
    INSERT INTO people_search_results (id, workspace_id, person_data) VALUES ('5ea10000-0000-4000-8000-000000000012', '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Ann", "email": "canary-do@x.example"}') ON CONFLICT DO NOTHING;
    UPDATE people_search_results SET search_filters = '{"do": 1}' WHERE id = '5ea10000-0000-4000-8000-000000000011';
END
$$;
-- ... MERGE ...
MERGE INTO people_search_results p USING (VALUES ('5ea10000-0000-4000-8000-000000000013'::uuid, '{"full_name": "Bob", "email": "canary-cid@x.example"}'::jsonb), ('5ea10000-0000-4000-8000-000000000012', NULL)) v(id, data) ON p.id = v.id
 WHEN NOT MATCHED THEN INSERT (id, workspace_id, person_data) VALUES (v.id, '5ea10000-0000-4000-8000-000000000001', v.data)
 WHEN MATCHED THEN UPDATE SET search_filters = '{"merge": 1}';
-- ... and WITH, also into another workspace.
INSERT INTO people_search_results (id, workspace_id, person_data) VALUES ('5ea10000-0000-4000-8000-000000000014', '5ea10000-0000-4000-8000-000000000002', '{"full_name": "Dee"}');
WITH offered AS (INSERT INTO people_search_results (id, workspace_id, person_data) VALUES ('5ea10000-0000-4000-8000-000000000012', '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Dee", "email": "canary-with@x.example"}') ON CONFLICT DO NOTHING)
UPDATE people_search_results SET search_filters = '{"with": 1}' WHERE id = '5ea10000-0000-4000-8000-000000000014';
RESET ROLE;
SELECT row, sealed FROM pg_temp.people;

-- COPY in and out.
COPY people_search_results (id, workspace_id, person_data) FROM stdin;
5ea10000-0000-4000-8000-000000000015	5ea10000-0000-4000-8000-000000000001	{"full_name": "Eve", "contact": {"email": "canary-eve@x.example"}}
\.
SET ROLE service_role;
COPY (SELECT person_data FROM people_search_results ORDER BY id) TO stdout;
-- A plan does not show it either.
CREATE FUNCTION pg_temp.plan_shows(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_line text;
BEGIN
    FOR v_line IN EXECUTE 'EXPLAIN (ANALYZE, VERBOSE) ' || statement LOOP
        IF v_line ~ 'canary' THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;
SELECT pg_temp.plan_shows($$ SELECT * FROM people_search_results WHERE person_data ->> 'full_name' = 'Eve' $$);

-- An error about the row does not show it, though its detail is the whole row for somebody whom policies do not hold.
RESET ROLE;
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data) VALUES ('5ea10000-0000-4000-8000-000000000001', '{"email": "canary@x.example"}') $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data) VALUES ('5ea10000-0000-4000-8000-000000000001', '{"full_name": " ", "a": ["canary@x.example"]}') $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data) VALUES ('5ea10000-0000-4000-8000-000000000001', '["canary@x.example"]') $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data) VALUES ('5ea10000-0000-4000-8000-000000000001', '"canary@x.example"') $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data) VALUES ('5ea10000-0000-4000-8000-000000000001', NULL) $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data) VALUES ('5ea10000-0000-4000-8000-0000000000ff', '{"full_name": "No", "email": "canary@x.example"}') $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data) VALUES (NULL, '{"full_name": "No", "email": "canary@x.example"}') $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (id, workspace_id, person_data) VALUES (NULL, '5ea10000-0000-4000-8000-000000000001', '{"full_name": "No", "email": "canary@x.example"}') $$);
SELECT pg_temp.outcome($$ UPDATE people_search_results SET id = NULL WHERE person_data ->> 'full_name' = 'Ann' $$);
SELECT pg_temp.outcome($$ UPDATE people_search_results SET workspace_id = NULL WHERE person_data ->> 'full_name' = 'Ann' $$);
SELECT pg_temp.outcome($$ UPDATE people_search_results SET person_data = '{"email": "canary@x.example"}' WHERE person_data ->> 'full_name' = 'Ann' $$);
SELECT pg_temp.outcome($$ UPDATE people_search_results SET workspace_id = '5ea10000-0000-4000-8000-000000000002' WHERE person_data ->> 'full_name' = 'Ann' $$);

-- A member adds a person: the same.
SELECT pg_temp.sign_in('3');
SET ROLE authenticated;
INSERT INTO people_search_results (person_data) VALUES ('{"full_name": "Fay", "email": "canary-fay@x.example"}') RETURNING person_data;
SELECT person_data FROM people_search_results WHERE person_data ->> 'full_name' = 'Fay';
RESET ROLE;
SELECT pg_temp.sign_in(NULL);
SELECT sealed FROM sealed_contacts JOIN people_search_results p ON p.id = result_id WHERE person_data ->> 'full_name' = 'Fay';
DELETE FROM people_search_results WHERE person_data ->> 'full_name' = 'Fay';
SELECT count(*) AS gone_with_the_row FROM sealed_contacts WHERE sealed::text ~ 'canary-fay';

-- ------------------------------------------------------------------------------------------------------------------
-- From sealed to paid and back
-- ------------------------------------------------------------------------------------------------------------------

-- The backend writes back what it read: what is sealed stays, and what is new is added to it.
SET ROLE service_role;
UPDATE people_search_results SET person_data = person_data || '{"title": "CEO"}' WHERE id = '5ea10000-0000-4000-8000-000000000011' RETURNING person_data;
UPDATE people_search_results SET person_data = person_data || '{"email": "canary-new@x.example"}' WHERE id = '5ea10000-0000-4000-8000-000000000011' RETURNING person_data;
RESET ROLE;
SELECT * FROM pg_temp.people WHERE row = '1';
-- Paid for: everything comes back, and nothing stays behind.  Unpaid again: sealed again.  Without paying, through
-- reveal_person_email(), only the owner of the tables gets there.
SET ROLE service_role;
UPDATE people_search_results SET email_revealed_at = now() WHERE id = '5ea10000-0000-4000-8000-000000000011';
-- Nor by a row that comes as paid for, in whatever way it comes.
INSERT INTO people_search_results (workspace_id, person_data, email_revealed_at) VALUES ('5ea10000-0000-4000-8000-000000000001', '{"full_name": "Hal", "email": "canary-hal@x.example"}', now());
INSERT INTO people_search_results (id, workspace_id, person_data, email_revealed_at) VALUES ('5ea10000-0000-4000-8000-000000000011', '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Hal"}', now())
ON CONFLICT (id) DO UPDATE SET email_revealed_at = excluded.email_revealed_at;
MERGE INTO people_search_results p USING (VALUES ('5ea10000-0000-4000-8000-00000000001a'::uuid)) v(id) ON p.id = v.id
 WHEN NOT MATCHED THEN INSERT (id, workspace_id, person_data, email_revealed_at) VALUES (v.id, '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Hal"}', now());
RESET ROLE;
-- The owner of the tables, who restores a dump, inserts it as it was.
BEGIN;
INSERT INTO people_search_results (workspace_id, person_data, email_revealed_at) VALUES ('5ea10000-0000-4000-8000-000000000001', '{"full_name": "Hal", "email": "hal@x.example"}', '2026-01-01') RETURNING person_data;
ROLLBACK;
UPDATE people_search_results SET email_revealed_at = now(), email_revealed_by = '5ea10000-0000-4000-8000-0000000000a1' WHERE id = '5ea10000-0000-4000-8000-000000000011' RETURNING person_data;
RESET ROLE;
SELECT * FROM pg_temp.people WHERE row = '1';
SET ROLE service_role;
UPDATE people_search_results SET search_filters = '{"paid": 1}' WHERE id = '5ea10000-0000-4000-8000-000000000011' RETURNING person_data;
UPDATE people_search_results SET email_revealed_at = NULL WHERE id = '5ea10000-0000-4000-8000-000000000011' RETURNING person_data;
RESET ROLE;
SELECT * FROM pg_temp.people WHERE row = '1';

-- A statement that failed, and one that was rolled back, leave nothing for the next.
BEGIN;
SAVEPOINT s;
INSERT INTO people_search_results (id, workspace_id, person_data) VALUES ('5ea10000-0000-4000-8000-000000000017', '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Gus", "email": "canary-gus@x.example"}');
ROLLBACK TO s;
INSERT INTO people_search_results (id, workspace_id, person_data) VALUES ('5ea10000-0000-4000-8000-000000000017', '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Gus"}');
SAVEPOINT s;
UPDATE people_search_results SET person_data = jsonb_build_object('full_name', CASE WHEN id = '5ea10000-0000-4000-8000-000000000017' THEN 'Gus' ELSE '' END, 'email', 'canary-gus@x.example')
 WHERE id >= '5ea10000-0000-4000-8000-000000000015' AND workspace_id = '5ea10000-0000-4000-8000-000000000001';
ROLLBACK TO s;
UPDATE people_search_results SET email_revealed_at = now() WHERE id = '5ea10000-0000-4000-8000-000000000017';
UPDATE people_search_results SET search_filters = '{"paid": 1}' WHERE id = '5ea10000-0000-4000-8000-000000000017';
COMMIT;
SELECT * FROM pg_temp.people WHERE row = '7';

-- ------------------------------------------------------------------------------------------------------------------
-- Nobody reads what is sealed
-- ------------------------------------------------------------------------------------------------------------------

ANALYZE people_search_results;
ANALYZE sealed_contacts;
CREATE FUNCTION pg_temp.as_role(role text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_outcome text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    v_outcome := pg_temp.outcome(statement);
    RESET ROLE;
    RETURN v_outcome;
END
$$;
SELECT pg_temp.sign_in('1');
SELECT r AS role, t AS "table", pg_temp.as_role(r, format('SELECT FROM %I', t)) AS "select"
  FROM unnest('{anon,authenticated,service_role}'::text[]) r CROSS JOIN unnest('{sealed_contacts,sealed_secrets}'::text[]) t;
SET ROLE service_role;
COPY sealed_contacts TO stdout;
COPY sealed_secrets TO stdout;
SELECT count(*) AS statistics FROM pg_stats WHERE schemaname = 'openinfo' AND (tablename LIKE 'sealed%' OR most_common_vals::text ~ 'canary' OR histogram_bounds::text ~ 'canary');
RESET ROLE;
SET ROLE authenticated;
SELECT count(*) AS statistics FROM pg_stats WHERE schemaname = 'openinfo' AND tablename NOT IN ('plans', 'global_topics', 'trends');
RESET ROLE;
SELECT pg_temp.sign_in(NULL);
-- A canary in no table but the sealed ones; the one that was unsealed is in the row that was paid for.
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace = 'openinfo'::regnamespace AND c.relkind = 'r'
   AND (xpath('//n/text()', query_to_xml(format('SELECT count(*) AS n FROM openinfo.%I t WHERE t::text ~ ''canary''', c.relname), false, true, '')))[1]::text <> '0' ORDER BY 1;

-- ------------------------------------------------------------------------------------------------------------------
-- Secrets of integrations: a placeholder stays in their place
-- ------------------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.split_config(data jsonb, OUT shown jsonb, OUT sealed jsonb) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO integrations (id, workspace_id, type, name, config) VALUES ('5ea10000-0000-4000-8000-00000000000f', '5ea10000-0000-4000-8000-000000000001', 'zapier', 'Z', data) RETURNING config INTO shown;
    SELECT s.sealed INTO sealed FROM sealed_secrets s WHERE integration_id = '5ea10000-0000-4000-8000-00000000000f';
    DELETE FROM integrations WHERE id = '5ea10000-0000-4000-8000-00000000000f';
END
$$;
\pset format unaligned
\pset tuples_only on
SELECT data, 'shown', shown, CASE WHEN sealed = data THEN 'sealed' ELSE coalesce(sealed::text, 'nothing') END
  FROM (VALUES
    ('{"token": "canary"}'::jsonb),
    ('{"Api-Key": "canary", "signing_secret": "canary", "routing_key": "canary"}'),
    ('{"PASSWORD": "canary", "smtp_pass": 1234, "credentials": {"user": "u", "pin": "canary"}}'),
    ('{"webhook_url": "https://x.example/canary"}'),
    ('{"url": "https://hooks.slack.example/services/T/B/canary"}'),
    ('{"url": "https://chat.example/api/webhooks/1/canary"}'),
    ('{"url": "https://user:canary@x.example/path"}'),
    ('{"url": "https://x.example/path?a=1&access_token=canary"}'),
    ('{"url": "HTTPS://X.EXAMPLE/path?CODE=canary"}'),
    ('{"send": "Bearer canary-12345"}'),
    ('{"headers": {"Authorization": "canary", "Accept": "*/*"}}'),
    ('{"headers": [{"name": "X-Api-Key", "value": "canary"}, {"name": "Accept", "value": "*/*"}]}'),
    ('{"pem": "-----BEGIN PRIVATE KEY-----\ncanary"}'),
    ('{"sk": "canary", "pat": "canary", "jwt": "canary", "hmac": "canary", "pw": "canary", "pin": 1234, "otp": "canary", "creds": "canary", "token2": "canary"}'),
    ('{"oauth": {"refresh": "canary", "access": "canary"}, "basic_auth": "canary:canary"}'),
    ('{"a": "Bearer x", "b": "bearer   canary", "c": "Basic Y2FuYXJ5", "d": "Token c", "e": " BEARER\tcanary "}'),
    ('{"a": "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9", "b": "curl -H ''Authorization: Basic canary'' https://x.example", "c": "X-Api-Key: canary", "d": "Server=x;Password=canary;", "e": "{\"token\": \"canary\"}"}'),
    ('{"a": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.canary", "b": "it is eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0."}'),
    ('{"a": "xoxb-1-canary", "b": "xoxp-1-canary", "c": "xoxa-1-canary", "d": "xapp-1-canary", "e": "bot xoxb-canary!"}'),
    ('{"a": "sk_live_canary", "b": "sk_test_canary", "c": "rk_live_canary", "d": "whsec_canary", "e": "shpat_canary"}'),
    ('{"a": "ghp_canary", "b": "gho_canary", "c": "ghu_canary", "d": "ghs_canary", "e": "ghr_canary", "f": "github_pat_canary", "g": "glpat-canary"}'),
    ('{"a": "AKIACANARYCANARY0123", "b": "ASIACANARYCANARY0123", "c": "AIzaCanary0123456789", "d": "sk-canary0123456789", "e": "SG.canary.canary", "f": "pat-na1-canary"}'),
    ('{"a": "https://hook.eu1.make.com/canary", "b": "https://hook.integromat.com/canary", "c": "https://x.webhook.office.com/canary", "d": "hooks.slack.com/services/canary", "e": "https://maker.ifttt.com/trigger/x/with/key/canary"}'),
    ('{"a": "https://api.telegram.org/bot1:canary/send", "b": "https://open.feishu.cn/open-apis/bot/v2/hook/canary", "c": "https://x.m.pipedream.net/canary", "d": "https://events.pagerduty.com/integration/canary/enqueue", "e": "see https://x.example and <https://hooks.slack.com/canary>"}'),
    ('{"a": "https://x.example/#access_token=canary", "b": "https://a.example https://user:canary@x.example/"}'),
    ('{"channel": "#sk-leads-2024", "to": "sk-leads-2024", "topic": "sales/webhook", "text": "Task: ask-ann, risk_test_1; the bearer of news came", "scheme": "Basic auth", "type": "token access"}'),
    ('{"to": "ann@x.example, bob@x.example", "from": "Ann <ann@x.example>", "url": "https://SG.example.com/a/b?page=2&q=", "docs": "https://x.example/hook-line", "site": "www.make.com/en", "home": "https://hook.example", "root": "https://hooks.example:8443/", "mailto": "mailto:ann@x.example"}'),
    ('{"public_key": "p", "vapidPublicKey": "p", "publishable_key": "pk_live_1", "pem": "-----BEGIN PUBLIC KEY-----\np\n-----END PUBLIC KEY-----", "ssh": "ssh-ed25519 AAAAC3 ann", "certificate": "-----BEGIN CERTIFICATE-----\np"}'),
    ('{"chain": "-----BEGIN CERTIFICATE-----\np\n-----END CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\ncanary"}'),
    ('{"channel": "#leads", "url": "https://x.example/in?format=json", "has_token": true, "public_key": "p", "plan": "basic plan"}')) v(data) CROSS JOIN LATERAL pg_temp.split_config(data);
-- In time that grows with the length alone, whatever the string repeats; one that is none ends on time.
SELECT piece, (pg_temp.split(jsonb_build_object('x', repeat(piece, 200000)))).sealed IS NOT NULL AS contact, (pg_temp.split_config(jsonb_build_object('x', repeat(piece, 200000)))).sealed IS NOT NULL AS secret
  FROM unnest('{"0 ","00","(0)","+ ","tel ","1 ","://","a=","eyJ","-eyJ.","sk-","-----BEGIN ","\" ",":"}'::text[]) piece;
\pset format aligned
\pset tuples_only off

-- An admin reads a config, edits it and writes it: what is a placeholder stays the secret that it stands for.
SELECT pg_temp.sign_in('2');
SET ROLE authenticated;
INSERT INTO integrations (type, name, config) VALUES ('slack', 'S', '{"channel": "#a", "token": "canary-1", "nested": {"secret": "canary-2", "n": 1}}') RETURNING config;
UPDATE integrations SET config = config || '{"channel": "#b"}' WHERE type = 'slack' RETURNING config;
RESET ROLE;
SELECT shown, sealed FROM pg_temp.configs;
-- A new secret takes the place of the old one; a key that is left out is gone, and its secret too.
SET ROLE authenticated;
UPDATE integrations SET config = '{"channel": "#b", "token": "canary-3", "nested": {"secret": "[REDACTED]", "n": 2}}' WHERE type = 'slack' RETURNING config;
RESET ROLE;
SELECT shown, sealed FROM pg_temp.configs;
SET ROLE authenticated;
UPDATE integrations SET config = config - 'token' WHERE type = 'slack' RETURNING config;
RESET ROLE;
SELECT shown, sealed FROM pg_temp.configs;
SET ROLE authenticated;
UPDATE integrations SET config = '{"channel": "#b"}' WHERE type = 'slack' RETURNING config;
RESET ROLE;
SELECT shown, sealed FROM pg_temp.configs;
-- A placeholder that stands for nothing stays one.
SET ROLE authenticated;
UPDATE integrations SET config = '{"token": "[REDACTED]"}' WHERE type = 'slack' RETURNING config;
RESET ROLE;
SELECT shown, sealed FROM pg_temp.configs;

-- In arrays the elements have no names: each keeps its secret while others come, go and change places.
SET ROLE authenticated;
UPDATE integrations SET config = '{"targets": [{"to": "a", "token": "canary-a"}, {"to": "b", "token": "canary-b"}, "https://hooks.x.example/canary-c", "plain"]}' WHERE type = 'slack' RETURNING config;
UPDATE integrations SET config = '{"targets": [{"to": "b", "token": "[REDACTED]"}, {"to": "new", "token": "canary-n"}, "plain", "[REDACTED]", {"to": "a", "token": "[REDACTED]"}]}' WHERE type = 'slack' RETURNING config;
RESET ROLE;
SELECT sealed FROM pg_temp.configs;
-- Also when an element is edited.
SET ROLE authenticated;
UPDATE integrations SET config = jsonb_set(config, '{targets,0,to}', '"B"') WHERE type = 'slack' RETURNING config;
RESET ROLE;
SELECT sealed FROM pg_temp.configs;
SET ROLE authenticated;
UPDATE integrations SET config = '{"targets": [{"to": "a", "token": "[REDACTED]"}]}' WHERE type = 'slack' RETURNING config;
RESET ROLE;
SELECT sealed FROM pg_temp.configs;

-- An upsert brings new secrets, and keeps those that it does not name.
SET ROLE authenticated;
INSERT INTO integrations (type, name, config) VALUES ('slack', 'T', '{"token": "canary-5", "other": {"secret": "canary-6"}}')
ON CONFLICT (workspace_id, type) WHERE status = 'active' DO UPDATE SET name = excluded.name, config = excluded.config RETURNING name, config;
RESET ROLE;
SELECT sealed FROM pg_temp.configs;
SET ROLE authenticated;
INSERT INTO integrations (type, name, config) VALUES ('slack', 'T', '{"token": "canary-7", "other": {"secret": "[REDACTED]"}}')
ON CONFLICT (workspace_id, type) WHERE status = 'active' DO UPDATE SET config = excluded.config RETURNING config;
RESET ROLE;
SELECT sealed FROM pg_temp.configs;
SET ROLE authenticated;
INSERT INTO integrations (type, name, config) VALUES ('slack', 'T', '{"token": "canary-8"}')
ON CONFLICT (workspace_id, type) WHERE status = 'active' DO UPDATE SET name = excluded.name RETURNING config;
RESET ROLE;
SELECT sealed FROM pg_temp.configs;
-- One workspace's secret never fills another's placeholder.
SELECT pg_temp.sign_in(NULL);
INSERT INTO integrations (id, workspace_id, type, name, config) VALUES ('5ea10000-0000-4000-8000-000000000022', '5ea10000-0000-4000-8000-000000000002', 'slack', 'Two', '{"token": "[REDACTED]"}');
SET ROLE service_role;
DO $$
BEGIN
    INSERT INTO integrations (workspace_id, type, name, config) VALUES ('5ea10000-0000-4000-8000-000000000001', 'slack', 'T', '{"token": "canary-9"}') ON CONFLICT DO NOTHING;
    UPDATE integrations SET config = '{"token": "[REDACTED]"}' WHERE id = '5ea10000-0000-4000-8000-000000000022';
END
$$;
RESET ROLE;
SELECT sealed FROM sealed_secrets WHERE workspace_id = '5ea10000-0000-4000-8000-000000000002';
-- Errors show no secret; a member neither adds nor changes one.
SELECT pg_temp.sign_in('2');
SET ROLE authenticated;
SELECT pg_temp.outcome($$ INSERT INTO integrations (type, name, config) VALUES ('email', ' ', '{"token": "canary"}') $$);
SELECT pg_temp.outcome($$ INSERT INTO integrations (type, name, config) VALUES ('email', 'E', '["https://hooks.x.example/canary"]') $$);
SELECT pg_temp.outcome($$ INSERT INTO integrations (type, name, config) VALUES ('slack', 'E', '{"token": "canary"}') $$);
SELECT pg_temp.sign_in('3');
SELECT pg_temp.outcome($$ INSERT INTO integrations (type, name, config) VALUES ('email', 'E', '{"token": "canary"}') $$);
UPDATE integrations SET config = '{}' RETURNING config;
SELECT config FROM integrations;
RESET ROLE;
SELECT pg_temp.sign_in(NULL);

-- ------------------------------------------------------------------------------------------------------------------
-- Large and deep
-- ------------------------------------------------------------------------------------------------------------------

SET ROLE service_role;
INSERT INTO people_search_results (id, workspace_id, person_data)
SELECT '5ea10000-0000-4000-8000-000000000018', '5ea10000-0000-4000-8000-000000000001',
       jsonb_build_object('full_name', 'Large', 'text', repeat('x', 1000000), 'mails', jsonb_build_object('email', repeat('canary', 100000)),
                          'list', (SELECT jsonb_agg(jsonb_build_object('n', i, 'at', CASE WHEN i = 5000 THEN 'canary@x.example' END)) FROM generate_series(1, 10000) i));
SELECT length(person_data ->> 'text'), person_data ? 'mails' AS mails, jsonb_array_length(person_data -> 'list'), person_data::text ~ 'canary' AS canary FROM people_search_results WHERE id = '5ea10000-0000-4000-8000-000000000018';
RESET ROLE;
SELECT length(sealed #>> '{mails}') > 600000 AS mails, sealed #>> '{list,4999,at}' AS at FROM sealed_contacts WHERE result_id = '5ea10000-0000-4000-8000-000000000018';
-- Below sixty-four levels whatever there is is sealed.
SELECT levels, shown::text ~ '42' AS shown, sealed IS NOT NULL AS sealed
  FROM unnest('{10,63,65,100}'::int[]) levels CROSS JOIN LATERAL pg_temp.split((repeat('{"a":', levels) || '[42]' || repeat('}', levels))::jsonb);
-- Nesting beyond the stack is refused, and the server lives.  Where the limit is depends on the machine.
SET ROLE service_role;
SELECT levels, pg_temp.outcome(format($$ INSERT INTO people_search_results (workspace_id, person_data) VALUES ('5ea10000-0000-4000-8000-000000000001', jsonb_build_object('full_name', 'Deep', 'deep', (repeat('{"a":', %1$s) || '"canary@x.example"' || repeat('}', %1$s))::jsonb)) $$, levels)) ~ '^(ok|54001: stack depth limit exceeded)$' AS as_expected
  FROM unnest('{100,1000,3000,10000,100000}'::int[]) levels;
SELECT count(*) >= 2 AS usual_depth_is_fine FROM people_search_results WHERE person_data ->> 'full_name' = 'Deep';
SELECT levels, pg_temp.outcome(format($$ INSERT INTO integrations (workspace_id, type, name, config) VALUES ('5ea10000-0000-4000-8000-000000000002', 'email', 'Deep', ('{"deep":' || repeat('[', %1$s) || '"https://u:p@x.example"' || repeat(']', %1$s) || '}')::jsonb) ON CONFLICT DO NOTHING $$, levels)) ~ '^(ok|54001: stack depth limit exceeded)$' AS as_expected
  FROM unnest('{100,10000,100000}'::int[]) levels;
SELECT count(*) AS canaries FROM people_search_results WHERE person_data::text ~ 'canary' AND email_revealed_at IS NULL;
RESET ROLE;

DELETE FROM workspaces WHERE slug LIKE 'sealing-%';
SELECT (SELECT count(*) FROM sealed_contacts) AS contacts, (SELECT count(*) FROM sealed_secrets) AS secrets;
