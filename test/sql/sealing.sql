-- Sealing: of a person who is not paid for, and of the config of an
-- integration, members see visible_fields only.
SET search_path = openinfo, pg_temp;
SET client_min_messages = warning;
\set VERBOSITY terse

INSERT INTO workspaces (id, slug, name)
    VALUES ('5ea10000-0000-4000-8000-000000000001', 'sealing-one', 'One'),
           ('5ea10000-0000-4000-8000-000000000002', 'sealing-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email, role)
    SELECT format('5ea10000-0000-4000-8000-0000000000a%s', n)::uuid, '5ea10000-0000-4000-8000-000000000001',
           format('5ea10000-0000-4000-8000-0000000000f%s', n)::uuid, role || '@sealing.example', role
      FROM unnest(enum_range(NULL::user_role)) WITH ORDINALITY u(role, n);
CREATE FUNCTION pg_temp.sign_in(n text) RETURNS void LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims',
                         CASE WHEN n IS NULL THEN ''
                              ELSE format('{"sub": "5ea10000-0000-4000-8000-0000000000f%s"}', n) END,
                         false) $$;
GRANT EXECUTE ON FUNCTION pg_temp.sign_in(text) TO PUBLIC;
-- What is in a row and what was taken out of it; rows are known by the last character of their ids.
CREATE VIEW pg_temp.people AS
    SELECT right(p.id::text, 1) AS row, person_data AS shown, sealed, email_revealed_at IS NOT NULL AS paid
      FROM people_search_results p LEFT JOIN sealed_contacts s ON s.result_id = p.id ORDER BY p.id;
CREATE VIEW pg_temp.configs AS
    SELECT right(i.id::text, 1) AS row, config AS shown, sealed
      FROM integrations i LEFT JOIN sealed_secrets s ON s.integration_id = i.id ORDER BY i.id;
-- The outcome of a statement that is expected to fail.
CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_detail text;
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ': ' || SQLERRM
        || CASE WHEN SQLERRM || v_detail ~ 'canary' THEN '; it shows what is sealed' ELSE '' END;
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.outcome(text) TO PUBLIC;

-- -----------------------------------------------------------------------------------------------------------
-- What is on the list is visible, at every depth; everything else is sealed
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.split(data jsonb, OUT shown jsonb, OUT sealed jsonb) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO people_search_results (id, workspace_id, person_data)
    VALUES ('5ea10000-0000-4000-8000-00000000000f', '5ea10000-0000-4000-8000-000000000001',
            '{"full_name": "P"}'::jsonb || data)
    RETURNING person_data - CASE WHEN data ? 'full_name' THEN '' ELSE 'full_name' END INTO shown;
    SELECT s.sealed INTO sealed
      FROM sealed_contacts s WHERE result_id = '5ea10000-0000-4000-8000-00000000000f';
    DELETE FROM people_search_results WHERE id = '5ea10000-0000-4000-8000-00000000000f';
END
$$;
\pset format unaligned
\pset tuples_only on
SELECT data, 'shown', shown, CASE WHEN sealed = data THEN 'sealed' ELSE coalesce(sealed::text, 'nothing') END
  FROM (VALUES
    ('{"title": "CTO", "Job-Title": "CTO", "JOB_TITLE2": "CTO", "jobTitle": "CTO"}'::jsonb),
    ('{"email": "canary@x.example", "E-Mail": "canary", "phone": 4930123456, "bio": "canary", '
     '"anything": true}'),
    ('{"email": null, "phones": [], "contact": {}, "": "canary"}'),
    ('{"a": {"b": {"c": {"email": "canary@x.example", "city": "Bern"}}}}'),
    ('{"location": {"email": "canary"}, "skills": []}'),
    ('{"skills": ["C++", ["SQL", "canary@x.example"]], "experience": [{"title": "CTO", "tel": "canary"}, '
     '{"tel": "canary"}]}'),
    ('{"phones": [{"type": "mobile", "number": "canary"}]}'),
    ('{"email_status": "verified", "email_type": "work", "email_confidence": 0.97, "hs_email_optout": true, '
     '"has_phone": false}'),
    ('{"created": 1700000000, "registration_number": "HRB 1234567", "revenue": 12000000000, '
     '"size": "1001-5000"}'),
    ('{"id": "2125550100", "linkedin_url": "https://www.linkedin.com/in/ann-212-555-0100", '
     '"start_date": "2019-01-02 10:30"}'),
    ('{"full_name": "canary@x.example", "title": "CEO"}'),
    ('{"full_name": "Ann", "canary@x.example": {"city": "Bern"}, "name 030 1234567": "Bern"}')) v(data)
 CROSS JOIN LATERAL pg_temp.split(data);
-- What is shown, split again, is shown; and below eight levels whatever there is is sealed.
SELECT 'again', (pg_temp.split(shown)).sealed IS NULL
  FROM pg_temp.split('{"full_name": "+4930123456", "skills": ["a", "2125550100", ["b", "+4930123456"]], '
                     '"a": {"city": "x", "tel": 1}}');
SELECT levels, shown::text ~ 'Bern' AS shown, sealed IS NOT NULL AS sealed
  FROM unnest('{6,7,8,100}'::int[]) levels
 CROSS JOIN
     LATERAL pg_temp.split((repeat('{"a":', levels) || '{"city": "Bern"}' || repeat('}', levels))::jsonb);

-- Contacts in visible text: sealed in each of these kinds of fields.
CREATE FUNCTION pg_temp.sealed_as(text) RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(field, ' ') FROM unnest('{title,url,id,created}'::text[]) field
        WHERE NOT is_sealed('person', jsonb_build_object(field, $1)) $$;
SELECT text, coalesce(pg_temp.sealed_as(text), 'shown')
  FROM unnest(ARRAY['canary@x.example', 'Canary <canary@x.example>', 'canäry@müller.example',
                    'canary＠x.example', 'canary﹫x.example', 'canaryⓐx.example',
       'https://x.example/?to=canary%40x.example', 'canary%2540x.example', 'canary%u0040x.example',
       'canary&#64;x.example', 'canary&#x40;x.example',
       'canary&amp;#64;x.example', 'canary&commat;x.example', 'canary\u0040x.example', 'canary\x40x.example',
       'canary [at] x [dot] example', 'canary @ x.example',
       'https://user:canary@x.example/', 'mailto:canary', 'tel:12345', 'https://wa.me/12',
       'https://x.example/?phone=4930123456',
       '+49 170 1234567', '+1 (212) 555-0100', 'https://x.example/?n=%2B4930123456', '(212) 555-0100',
       '0170/1234567', '0301234', '030 12 34', '212.555.0100',
       'tel 0301234567', 'A-0301234567', '0 3 0 1 2 3 4', '030–1234', '030\u200b1234567',
       '030&nbsp;123&nbsp;45', '%30%33%30%31%32%33%34', '&#48;&#51;&#48;1234',
       '０３０１２３４', '٠٣٠١٢٣٤', '߀߃߀߁߂߃߄', '𝟎𝟑𝟎𝟏𝟐𝟑𝟒',
       '⁰³⁰¹²³⁴', '①②③④⑤⑥⑦', '🄁🄁🄁🄁🄁🄁🄁', '2125550100',
       -- as a page or a nested JSON has them, or with what a reader does not see
       'canary&#0000000064;x.example', 'canary&#x000000040;x.example', 'mailto&colon;canary',
       '030&ensp;12&thinsp;34', '030<b>12</b>34', '030          12          34',
       '\ud835\udfce\ud835\udfd1\ud835\udfce\ud835\udfcf\ud835\udfd0\ud835\udfd1\ud835\udfd2',
       U&'t\200bel:12345', U&'mail\00adto:canary', U&'\202a+49 170 1234567\202c',
       repeat(U&'3\200b\200b\200b\200b\200b\200b', 7), '❸❸❷❶❹❻❼', '➌⓪➌⓪➊➋➌➍',
       '3️⃣3️⃣2️⃣1️⃣4️⃣6️⃣7️⃣',
       'canary @ x。example', '+49,301,234,567', 'Ann2 <2125550100> 3',
       'Engineer, C++11/14/17/20', repeat('x', 4097)]) text;
SELECT zero FROM unnest('{2406,3302,65296,66720,73184,125264,130032}'::int[]) zero
 WHERE pg_temp.sealed_as(translate('0301234',
                                   '01234',
                                   (SELECT string_agg(chr(zero + i), '' ORDER BY i)
                                      FROM generate_series(0, 4) i))) IS NULL;
-- ... and in none of these.
SELECT text, coalesce(pg_temp.sealed_as(text), 'shown')
  FROM unnest(ARRAY['Head of Sales @ Acme', '@ann', 'https://x.example/@ann', 'Hotel Manager: Ritz',
                    'VP Mobile (2015-2019), Call Center 2020', 'Grew to 1,000,000 users, $12,000,000',
       '30 under 30, 2020', 'Suite 123456', '10115 Berlin', '100 % remote', 'R&D', 'AT&T', 'C:\users',
       'Bob "X" [at home]', 'Q&A;',
       '<b>5</b> of <b>1000</b>', '', ' ', '%', '&#;', '\u00', '日本語', 'Zoë']) text;
-- JSON numbers are judged as strings are.
SELECT data, is_sealed('person', data)
  FROM (VALUES ('{"title": 2125550100}'::jsonb),
               ('{"title": 2125550100.0}'),
               ('{"title": 123456}'),
               ('{"id": 2125550100}')) v(data);
\pset format aligned
\pset tuples_only off

-- The list is the operator's.  Others cannot change it, and a name that
-- says contact is accepted with a warning.
SET client_min_messages = warning;
INSERT INTO visible_fields (object, field) VALUES ('person', 'Work E-Mail'), ('person', 'shoe size');
SELECT pg_temp.outcome($$ INSERT INTO visible_fields (object, field) VALUES ('person', 'SHOE_SIZE2') $$);
SELECT pg_temp.outcome($$ INSERT INTO visible_fields (object, field) VALUES ('company', 'size') $$);
SELECT pg_temp.outcome($$ INSERT INTO visible_fields VALUES ('person', 'x', 'phone') $$);
SELECT pg_temp.outcome($$ INSERT INTO visible_fields (object, field) VALUES ('person', '123') $$);
SET ROLE service_role;
SELECT count(*) > 300 AS listed FROM visible_fields;
SELECT pg_temp.outcome($$ INSERT INTO visible_fields (object, field) VALUES ('person', 'bio') $$);
SELECT pg_temp.outcome($$ SELECT reseal('person') $$);
RESET ROLE;
-- A change of the list acts on what is written afterwards, reseal() on the
-- rows that are there: in both directions.
INSERT INTO people_search_results (id, workspace_id, person_data) VALUES
    ('5ea10000-0000-4000-8000-00000000001b',
     '5ea10000-0000-4000-8000-000000000001',
     '{"full_name": "Bo", "shoe_size": 44, "hat": "canary-hat", "email": "canary-bo@x.example"}'),
    ('5ea10000-0000-4000-8000-00000000001c', '5ea10000-0000-4000-8000-000000000001',
     '{"full_name": "Cy", "city": "Bern"}');
INSERT INTO integrations (id, workspace_id, type, name, config) VALUES
    ('5ea10000-0000-4000-8000-00000000002b', '5ea10000-0000-4000-8000-000000000001', 'email', 'E',
     '{"channel": "#a", "colour": "canary-red"}');
DELETE FROM visible_fields WHERE field IN ('shoe size', 'Work E-Mail');
INSERT INTO visible_fields (object, field) VALUES ('person', 'hat'), ('integration', 'colour');
SELECT * FROM pg_temp.people;
-- A placeholder written back is the sealed value, also under a key that
-- has been listed since; then it is shown.
UPDATE integrations SET config = config || '{"channel": "#b"}' RETURNING config;
DELETE FROM visible_fields WHERE object = 'integration' AND field = 'channel';
SET client_min_messages = notice;
SELECT reseal('person'), reseal('person') AS again, reseal('integration'), reseal('integration') AS again;
SET client_min_messages = warning;
SELECT * FROM pg_temp.people;
SELECT * FROM pg_temp.configs;
SELECT pg_temp.outcome($$ SELECT reseal('company') $$), pg_temp.outcome($$ SELECT reseal(NULL) $$);
TRUNCATE visible_fields;
INSERT INTO visible_fields
    SELECT o, d.* FROM unnest('{person,integration}'::text[]) o
      CROSS JOIN LATERAL default_visible_fields(o) d;
-- A change counts from the next statement on, also one that is undone, and also where triggers are off.
BEGIN;
SELECT is_sealed('person', '{"full_name": "A", "regress_hat": "bowler"}') AS hat_is_listed;
SAVEPOINT s;
INSERT INTO visible_fields (object, field) VALUES ('person', 'regress hat');
SELECT is_sealed('person', '{"full_name": "A", "regress_hat": "bowler"}') AS hat_is_listed;
ROLLBACK TO s;
SELECT is_sealed('person', '{"full_name": "A", "regress_hat": "bowler"}') AS hat_is_listed;
SET LOCAL session_replication_role = replica;
INSERT INTO visible_fields (object, field) VALUES ('person', 'regress hat');
SELECT is_sealed('person', '{"full_name": "A", "regress_hat": "bowler"}') AS hat_is_listed;
ROLLBACK;
SELECT is_sealed('person', '{"full_name": "A", "regress_hat": "bowler"}') AS hat_is_listed;
DELETE FROM people_search_results;
DELETE FROM integrations;

-- -----------------------------------------------------------------------------------------------------------
-- Never to be seen, by whatever way the row comes
-- -----------------------------------------------------------------------------------------------------------

SET ROLE service_role;
INSERT INTO people_search_results (id, workspace_id, person_data)
VALUES ('5ea10000-0000-4000-8000-000000000011',
        '5ea10000-0000-4000-8000-000000000001',
        '{"full_name": "Ann", "email": "canary-ann@x.example", "phone": "030 1"}'),
       ('5ea10000-0000-4000-8000-000000000012', '5ea10000-0000-4000-8000-000000000001',
        '{"full_name": "Bob"}')
           RETURNING person_data;
-- Written by an upsert, the contact belongs to the row that is there.
INSERT INTO people_search_results (id, workspace_id, person_data)
VALUES ('5ea10000-0000-4000-8000-000000000012',
        '5ea10000-0000-4000-8000-000000000001',
        '{"full_name": "Bob", "title": "CTO", "email": "canary-bob@x.example"}')
ON CONFLICT (id) DO UPDATE SET person_data = excluded.person_data RETURNING person_data;
INSERT INTO people_search_results (id, workspace_id, person_data)
VALUES ('5ea10000-0000-4000-8000-000000000012', '5ea10000-0000-4000-8000-000000000001',
        '{"full_name": "Bob", "phone": "030 2"}')
ON CONFLICT (id) DO UPDATE SET person_data = people_search_results.person_data || excluded.person_data
    RETURNING person_data;
-- One that takes nothing over from the row that was turned away takes over no contact either.
INSERT INTO people_search_results (id, workspace_id, person_data)
VALUES ('5ea10000-0000-4000-8000-000000000012',
        '5ea10000-0000-4000-8000-000000000001',
        '{"full_name": "Mallory", "email": "canary-mal@x.example"}')
ON CONFLICT (id) DO UPDATE SET search_filters = '{"seen": true}' RETURNING person_data;
-- A row that is turned away leaves nothing behind.
INSERT INTO people_search_results (id, workspace_id, person_data)
VALUES ('5ea10000-0000-4000-8000-000000000012',
        '5ea10000-0000-4000-8000-000000000001',
        '{"full_name": "Bob", "email": "canary-no@x.example"}')
    ON CONFLICT DO NOTHING RETURNING person_data;
-- A row that is offered twice keeps the contact of the first.
INSERT INTO people_search_results (id, workspace_id, person_data)
VALUES ('5ea10000-0000-4000-8000-000000000016', '5ea10000-0000-4000-8000-000000000001',
        '{"full_name": "Ida", "email": "canary-ida@x.example"}'),
       ('5ea10000-0000-4000-8000-000000000016', '5ea10000-0000-4000-8000-000000000001',
        '{"full_name": "Ian", "email": "canary-ian@x.example"}'),
       ('5ea10000-0000-4000-8000-000000000017', '5ea10000-0000-4000-8000-000000000001',
        '{"full_name": "Jo"}'),
       ('5ea10000-0000-4000-8000-000000000017', '5ea10000-0000-4000-8000-000000000001',
        '{"full_name": "Jan", "email": "canary-jan@x.example"}')
    ON CONFLICT DO NOTHING RETURNING person_data;
RESET ROLE;
SELECT * FROM pg_temp.people;
-- So does one that another trigger updates before its contact is stored.
CREATE FUNCTION pg_temp.enrich() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE openinfo.people_search_results SET person_data = person_data || '{"title": "CTO"}'
     WHERE id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER enrich AFTER INSERT ON people_search_results
    FOR EACH ROW EXECUTE FUNCTION pg_temp.enrich();
INSERT INTO people_search_results (id, workspace_id, person_data)
VALUES ('5ea10000-0000-4000-8000-000000000018', '5ea10000-0000-4000-8000-000000000001',
        '{"full_name": "Kim", "email": "canary-kim@x.example"}');
DROP TRIGGER enrich ON people_search_results;
SELECT * FROM pg_temp.people WHERE row = '8';
DELETE FROM people_search_results WHERE right(id::text, 1) IN ('6', '7', '8');

-- What was sealed from a row goes to no other row, though one statement text writes both: a function ...
SET ROLE service_role;
DO $$
BEGIN
    INSERT INTO people_search_results (id, workspace_id, person_data)
        VALUES ('5ea10000-0000-4000-8000-000000000012',
                '5ea10000-0000-4000-8000-000000000001',
                '{"full_name": "Ann", "email": "canary-do@x.example"}')
        ON CONFLICT DO NOTHING;
    UPDATE people_search_results SET search_filters = '{"do": 1}'
     WHERE id = '5ea10000-0000-4000-8000-000000000011';
END
$$;
-- ... MERGE ...
MERGE INTO people_search_results p
    USING (VALUES ('5ea10000-0000-4000-8000-000000000013'::uuid,
                   '{"full_name": "Bob", "email": "canary-cid@x.example"}'::jsonb),
                  ('5ea10000-0000-4000-8000-000000000012', NULL)) v(id, data) ON p.id = v.id
 WHEN NOT MATCHED THEN INSERT (id, workspace_id, person_data)
     VALUES (v.id, '5ea10000-0000-4000-8000-000000000001', v.data)
 WHEN MATCHED THEN UPDATE SET search_filters = '{"merge": 1}';
-- ... and WITH, also into another workspace.
INSERT INTO people_search_results (id, workspace_id, person_data)
    VALUES ('5ea10000-0000-4000-8000-000000000014', '5ea10000-0000-4000-8000-000000000002',
            '{"full_name": "Dee"}');
WITH offered AS (INSERT INTO people_search_results (id, workspace_id, person_data)
                     VALUES ('5ea10000-0000-4000-8000-000000000012',
                             '5ea10000-0000-4000-8000-000000000001',
                             '{"full_name": "Dee", "email": "canary-with@x.example"}')
                     ON CONFLICT DO NOTHING)
UPDATE people_search_results SET search_filters = '{"with": 1}'
 WHERE id = '5ea10000-0000-4000-8000-000000000014';
RESET ROLE;
SELECT row, sealed FROM pg_temp.people;

-- COPY in and out.
COPY people_search_results (id, workspace_id, person_data) FROM stdin;
5ea10000-0000-4000-8000-000000000015	5ea10000-0000-4000-8000-000000000001	{"full_name": "Eve", \
"contact": {"email": "canary-eve@x.example"}}
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
SELECT pg_temp.plan_shows($$ SELECT * FROM people_search_results
                              WHERE person_data ->> 'full_name' = 'Eve' $$);

-- An error about the row does not show it, though its detail is the whole
-- row for somebody whom policies do not hold.
RESET ROLE;
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data)
                              VALUES ('5ea10000-0000-4000-8000-000000000001',
                                      '{"email": "canary@x.example"}') $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data)
                              VALUES ('5ea10000-0000-4000-8000-000000000001',
                                      '{"full_name": " ", "a": ["canary@x.example"]}') $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data)
                              VALUES ('5ea10000-0000-4000-8000-000000000001', '["canary@x.example"]') $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data)
                              VALUES ('5ea10000-0000-4000-8000-000000000001', '"canary@x.example"') $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data)
                              VALUES ('5ea10000-0000-4000-8000-000000000001', NULL) $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data)
                              VALUES ('5ea10000-0000-4000-8000-0000000000ff',
                                      '{"full_name": "No", "email": "canary@x.example"}') $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (workspace_id, person_data)
                              VALUES (NULL, '{"full_name": "No", "email": "canary@x.example"}') $$);
SELECT pg_temp.outcome($$ INSERT INTO people_search_results (id, workspace_id, person_data)
                              VALUES (NULL, '5ea10000-0000-4000-8000-000000000001',
                                      '{"full_name": "No", "email": "canary@x.example"}') $$);
SELECT pg_temp.outcome($$ UPDATE people_search_results SET id = NULL
                           WHERE person_data ->> 'full_name' = 'Ann' $$);
SELECT pg_temp.outcome($$ UPDATE people_search_results SET workspace_id = NULL
                           WHERE person_data ->> 'full_name' = 'Ann' $$);
SELECT pg_temp.outcome($$ UPDATE people_search_results SET person_data = '{"email": "canary@x.example"}'
                           WHERE person_data ->> 'full_name' = 'Ann' $$);
SELECT pg_temp.outcome($$ UPDATE people_search_results
                             SET workspace_id = '5ea10000-0000-4000-8000-000000000002'
                           WHERE person_data ->> 'full_name' = 'Ann' $$);

-- A member adds a person: the same.
SELECT pg_temp.sign_in('3');
SET ROLE authenticated;
INSERT INTO people_search_results (person_data)
    VALUES ('{"full_name": "Fay", "email": "canary-fay@x.example"}') RETURNING person_data;
SELECT person_data FROM people_search_results WHERE person_data ->> 'full_name' = 'Fay';
RESET ROLE;
SELECT pg_temp.sign_in(NULL);
SELECT sealed FROM sealed_contacts JOIN people_search_results p ON p.id = result_id
 WHERE person_data ->> 'full_name' = 'Fay';
DELETE FROM people_search_results WHERE person_data ->> 'full_name' = 'Fay';
SELECT count(*) AS gone_with_the_row FROM sealed_contacts WHERE sealed::text ~ 'canary-fay';

-- -----------------------------------------------------------------------------------------------------------
-- From sealed to paid and back
-- -----------------------------------------------------------------------------------------------------------

-- The backend writes back what it read: what is sealed stays, and what is new is added to it.
SET ROLE service_role;
UPDATE people_search_results SET person_data = person_data || '{"title": "CEO"}'
 WHERE id = '5ea10000-0000-4000-8000-000000000011' RETURNING person_data;
UPDATE people_search_results SET person_data = person_data || '{"email": "canary-new@x.example"}'
 WHERE id = '5ea10000-0000-4000-8000-000000000011' RETURNING person_data;
RESET ROLE;
SELECT * FROM pg_temp.people WHERE row = '1';
-- Paid for: everything comes back, and nothing stays behind.  Unpaid again: sealed again.  Without
-- paying, through reveal_person_email(), only the owner of the tables gets there.
SET ROLE service_role;
UPDATE people_search_results SET email_revealed_at = now() WHERE id = '5ea10000-0000-4000-8000-000000000011';
-- Nor by a row that comes as paid for, in whatever way it comes.
INSERT INTO people_search_results (workspace_id, person_data, email_revealed_at)
    VALUES ('5ea10000-0000-4000-8000-000000000001', '{"full_name": "Hal", "email": "canary-hal@x.example"}',
            now());
INSERT INTO people_search_results (id, workspace_id, person_data, email_revealed_at)
    VALUES ('5ea10000-0000-4000-8000-000000000011', '5ea10000-0000-4000-8000-000000000001',
            '{"full_name": "Hal"}', now())
ON CONFLICT (id) DO UPDATE SET email_revealed_at = excluded.email_revealed_at;
MERGE INTO people_search_results p USING (VALUES ('5ea10000-0000-4000-8000-00000000001a'::uuid)) v(id)
    ON p.id = v.id
 WHEN NOT MATCHED THEN INSERT (id, workspace_id, person_data, email_revealed_at)
     VALUES (v.id, '5ea10000-0000-4000-8000-000000000001', '{"full_name": "Hal"}', now());
RESET ROLE;
-- The owner of the tables, who restores a dump, inserts it as it was.
BEGIN;
INSERT INTO people_search_results (workspace_id, person_data, email_revealed_at)
    VALUES ('5ea10000-0000-4000-8000-000000000001', '{"full_name": "Hal", "email": "hal@x.example"}',
            '2026-01-01')
    RETURNING person_data;
ROLLBACK;
UPDATE people_search_results
   SET email_revealed_at = now(), email_revealed_by = '5ea10000-0000-4000-8000-0000000000a1'
 WHERE id = '5ea10000-0000-4000-8000-000000000011' RETURNING person_data;
RESET ROLE;
SELECT * FROM pg_temp.people WHERE row = '1';
SET ROLE service_role;
UPDATE people_search_results SET search_filters = '{"paid": 1}'
 WHERE id = '5ea10000-0000-4000-8000-000000000011' RETURNING person_data;
UPDATE people_search_results SET email_revealed_at = NULL WHERE id = '5ea10000-0000-4000-8000-000000000011'
    RETURNING person_data;
RESET ROLE;
SELECT * FROM pg_temp.people WHERE row = '1';

-- A statement that failed, and one that was rolled back, leave nothing for the next.
BEGIN;
SAVEPOINT s;
INSERT INTO people_search_results (id, workspace_id, person_data)
    VALUES ('5ea10000-0000-4000-8000-000000000017',
            '5ea10000-0000-4000-8000-000000000001',
            '{"full_name": "Gus", "email": "canary-gus@x.example"}');
ROLLBACK TO s;
INSERT INTO people_search_results (id, workspace_id, person_data)
    VALUES ('5ea10000-0000-4000-8000-000000000017', '5ea10000-0000-4000-8000-000000000001',
            '{"full_name": "Gus"}');
SAVEPOINT s;
UPDATE people_search_results
   SET person_data
       = jsonb_build_object('full_name',
                            CASE WHEN id = '5ea10000-0000-4000-8000-000000000017' THEN 'Gus' ELSE '' END,
                            'email', 'canary-gus@x.example')
 WHERE id >= '5ea10000-0000-4000-8000-000000000015' AND workspace_id = '5ea10000-0000-4000-8000-000000000001';
ROLLBACK TO s;
UPDATE people_search_results SET email_revealed_at = now() WHERE id = '5ea10000-0000-4000-8000-000000000017';
UPDATE people_search_results SET search_filters = '{"paid": 1}'
 WHERE id = '5ea10000-0000-4000-8000-000000000017';
COMMIT;
SELECT * FROM pg_temp.people WHERE row = '7';

-- -----------------------------------------------------------------------------------------------------------
-- Nobody reads what is sealed
-- -----------------------------------------------------------------------------------------------------------

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
  FROM unnest('{anon,authenticated,service_role}'::text[]) r
  CROSS JOIN unnest('{sealed_contacts,sealed_secrets}'::text[]) t;
SET ROLE service_role;
COPY sealed_contacts TO stdout;
COPY sealed_secrets TO stdout;
SELECT count(*) AS statistics FROM pg_stats
 WHERE schemaname = 'openinfo'
   AND (tablename LIKE 'sealed%' OR most_common_vals::text ~ 'canary' OR histogram_bounds::text ~ 'canary');
RESET ROLE;
SET ROLE authenticated;
SELECT count(*) AS statistics
  FROM pg_stats WHERE schemaname = 'openinfo' AND tablename NOT IN ('plans', 'global_topics', 'trends');
RESET ROLE;
SELECT pg_temp.sign_in(NULL);
-- A canary in no table but the sealed ones; the one that was unsealed is in the row that was paid for.
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace = 'openinfo'::regnamespace AND c.relkind = 'r'
   AND (xpath('//n/text()',
              query_to_xml(format('SELECT count(*) AS n FROM openinfo.%I t WHERE t::text ~ ''canary''',
                                  c.relname),
                           false, true, '')))[1]::text <> '0'
    ORDER BY 1;

-- -----------------------------------------------------------------------------------------------------------
-- Secrets of integrations: a placeholder stays in their place
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.split_config(data jsonb, OUT shown jsonb, OUT sealed jsonb) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO integrations (id, workspace_id, type, name, config)
        VALUES ('5ea10000-0000-4000-8000-00000000000f', '5ea10000-0000-4000-8000-000000000001', 'zapier', 'Z',
                data)
        RETURNING config INTO shown;
    SELECT s.sealed INTO sealed
      FROM sealed_secrets s WHERE integration_id = '5ea10000-0000-4000-8000-00000000000f';
    DELETE FROM integrations WHERE id = '5ea10000-0000-4000-8000-00000000000f';
END
$$;
\pset format unaligned
\pset tuples_only on
SELECT data, 'shown', shown, CASE WHEN sealed = data THEN 'sealed' ELSE coalesce(sealed::text, 'nothing') END
  FROM (VALUES
    ('{"token": "canary", "smtp_pass": 1234, "x": "xoxb-canary", "monkey": "canary", "sort_key": null, '
     '"on": true}'::jsonb),
    ('{"channel": "#leads", "webhook_events": ["lead.created"], "method": "POST", "from": "Leads", '
     '"enabled": true}'),
    ('{"auth": {"kind": "basic", "user": "canary", "password": "canary"}, "headers": {"Authorization": '
     '"canary"}}'),
    ('{"list": [{"label": "a", "key": "canary"}, "canary", 1], "keys": ["canary"], "none": [], '
     '"channels": ["#a", "#b"]}'),
    ('{"subject": "mail canary@x.example", "description": "https://user:canary@x.example"}'),
    ('{"channel": "#a", "canary@x.example": 1, "users": {"canary@x.example": 1, "channel": "#b"}}')) v(data)
  CROSS JOIN LATERAL pg_temp.split_config(data);
\pset format aligned
\pset tuples_only off

-- An admin reads a config, edits it and writes it: a placeholder keeps the secret in its place.
SELECT pg_temp.sign_in('2');
SET ROLE authenticated;
INSERT INTO integrations (type, name, config)
    VALUES ('slack', 'S',
            '{"channel": "#a", "token": "canary-1", "nested": {"secret": "canary-2", "mode": 1}}')
    RETURNING config;
UPDATE integrations SET config = config || '{"channel": "#b"}' WHERE type = 'slack' RETURNING config;
RESET ROLE;
SELECT shown, sealed FROM pg_temp.configs;
-- A new secret takes the place of the old one; a key that is left out is gone, and its secret too.
SET ROLE authenticated;
UPDATE integrations
   SET config = '{"channel": "#b", "token": "canary-3", "nested": {"secret": "[REDACTED]", "mode": 2}}'
 WHERE type = 'slack' RETURNING config;
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
-- A placeholder without a secret is stored as it is.
SET ROLE authenticated;
UPDATE integrations SET config = '{"token": "[REDACTED]"}' WHERE type = 'slack' RETURNING config;
RESET ROLE;
SELECT shown, sealed FROM pg_temp.configs;

-- A key that is a contact cannot be shown, and stays; its value can be replaced.
SET ROLE authenticated;
INSERT INTO integrations (type, name, config)
    VALUES ('zapier', 'C', '{"channel": "#b", "canary@x.example": {"on": true}}') RETURNING config;
UPDATE integrations SET config = config || '{"channel": "#c"}' WHERE type = 'zapier' RETURNING config;
SELECT get_integration_config(id) FROM integrations WHERE type = 'zapier';
UPDATE integrations SET config = '{"canary@x.example": null}' WHERE type = 'zapier' RETURNING config;
SELECT get_integration_config(id) FROM integrations WHERE type = 'zapier';
DELETE FROM integrations WHERE type = 'zapier';
RESET ROLE;

-- In arrays the elements have no names: each keeps its secret while others come, go and change places.
SET ROLE authenticated;
UPDATE integrations
   SET config
       = '{"targets": [{"label": "a", "token": "canary-a"}, {"label": "b", "token": "canary-b"}, "canary-c", '
         '"canary-d"]}'
 WHERE type = 'slack' RETURNING config;
UPDATE integrations
   SET config
       = '{"targets": [{"label": "b", "token": "[REDACTED]"}, {"label": "new", "token": "canary-n"}, '
         '"[REDACTED]", "[REDACTED]", {"label": "a", "token": "[REDACTED]"}]}'
 WHERE type = 'slack' RETURNING config;
RESET ROLE;
SELECT sealed FROM pg_temp.configs;
-- Also when an element is edited.
SET ROLE authenticated;
UPDATE integrations SET config = jsonb_set(config, '{targets,0,label}', '"B"') WHERE type = 'slack'
    RETURNING config;
RESET ROLE;
SELECT sealed FROM pg_temp.configs;
SET ROLE authenticated;
UPDATE integrations SET config = '{"targets": [{"label": "a", "token": "[REDACTED]"}]}' WHERE type = 'slack'
    RETURNING config;
RESET ROLE;
SELECT sealed FROM pg_temp.configs;

-- An upsert brings new secrets, and keeps those that it does not name.
SET ROLE authenticated;
INSERT INTO integrations (type, name, config)
    VALUES ('slack', 'T', '{"token": "canary-5", "other": {"secret": "canary-6"}}')
ON CONFLICT (workspace_id, type)
     WHERE status = 'active' DO UPDATE SET name = excluded.name, config = excluded.config
        RETURNING name, config;
RESET ROLE;
SELECT sealed FROM pg_temp.configs;
SET ROLE authenticated;
INSERT INTO integrations (type, name, config)
    VALUES ('slack', 'T', '{"token": "canary-7", "other": {"secret": "[REDACTED]"}}')
ON CONFLICT (workspace_id, type) WHERE status = 'active' DO UPDATE SET config = excluded.config
        RETURNING config;
RESET ROLE;
SELECT sealed FROM pg_temp.configs;
SET ROLE authenticated;
INSERT INTO integrations (type, name, config) VALUES ('slack', 'T', '{"token": "canary-8"}')
ON CONFLICT (workspace_id, type) WHERE status = 'active' DO UPDATE SET name = excluded.name RETURNING config;
RESET ROLE;
SELECT sealed FROM pg_temp.configs;
-- One workspace's secret never fills another's placeholder.
SELECT pg_temp.sign_in(NULL);
INSERT INTO integrations (id, workspace_id, type, name, config)
    VALUES ('5ea10000-0000-4000-8000-000000000022', '5ea10000-0000-4000-8000-000000000002', 'slack', 'Two',
            '{"token": "[REDACTED]"}');
SET ROLE service_role;
DO $$
BEGIN
    INSERT INTO integrations (workspace_id, type, name, config)
        VALUES ('5ea10000-0000-4000-8000-000000000001', 'slack', 'T', '{"token": "canary-9"}')
        ON CONFLICT DO NOTHING;
    UPDATE integrations SET config = '{"token": "[REDACTED]"}'
     WHERE id = '5ea10000-0000-4000-8000-000000000022';
END
$$;
RESET ROLE;
SELECT sealed FROM sealed_secrets WHERE workspace_id = '5ea10000-0000-4000-8000-000000000002';
-- Errors show no secret; a member neither adds nor changes one.
SELECT pg_temp.sign_in('2');
SET ROLE authenticated;
SELECT pg_temp.outcome($$ INSERT INTO integrations (type, name, config)
                              VALUES ('email', ' ', '{"token": "canary"}') $$);
SELECT pg_temp.outcome($$ INSERT INTO integrations (type, name, config)
                              VALUES ('email', 'E', '["https://hooks.x.example/canary"]') $$);
SELECT pg_temp.outcome($$ INSERT INTO integrations (type, name, config)
                              VALUES ('slack', 'E', '{"token": "canary"}') $$);
SELECT pg_temp.sign_in('3');
SELECT pg_temp.outcome($$ INSERT INTO integrations (type, name, config)
                              VALUES ('email', 'E', '{"token": "canary"}') $$);
UPDATE integrations SET config = '{}' RETURNING config;
SELECT config FROM integrations;
RESET ROLE;
SELECT pg_temp.sign_in(NULL);

-- -----------------------------------------------------------------------------------------------------------
-- Large and deep
-- -----------------------------------------------------------------------------------------------------------

SET ROLE service_role;
INSERT INTO people_search_results (id, workspace_id, person_data)
SELECT '5ea10000-0000-4000-8000-000000000018', '5ea10000-0000-4000-8000-000000000001',
       jsonb_build_object('full_name', 'Large', 'mails',
                          jsonb_build_object('email', repeat('canary', 100000)),
                          'skills',
                          (SELECT jsonb_agg(jsonb_build_object('name', i, 'at',
                                                               CASE WHEN i
                                                                        = 5000 THEN 'canary@x.example' END))
                             FROM generate_series(1, 10000) i));
SELECT person_data ? 'mails' AS mails, jsonb_array_length(person_data -> 'skills'),
       person_data::text ~ 'canary' AS canary
  FROM people_search_results WHERE id = '5ea10000-0000-4000-8000-000000000018';
RESET ROLE;
SELECT length(sealed #>> '{mails}') > 600000 AS mails, sealed #>> '{skills,4999,at}' AS at
  FROM sealed_contacts WHERE result_id = '5ea10000-0000-4000-8000-000000000018';
-- Nesting beyond the stack is refused, and the server lives.  Where the limit is depends on the machine.
SET ROLE service_role;
SELECT levels,
       pg_temp.outcome(format($$ INSERT INTO people_search_results (workspace_id, person_data)
                                     VALUES ('5ea10000-0000-4000-8000-000000000001',
                                             jsonb_build_object('full_name',
                                                                'Deep',
                                                                'deep',
                                                                (repeat('{"a":', %1$s) || '"canary@x.example"'
                                                                 || repeat('}', %1$s))::jsonb)) $$,
                              levels)) ~ '^(ok|54001: stack depth limit exceeded)$' AS as_expected
  FROM unnest('{100,1000,3000,10000,100000}'::int[]) levels;
SELECT count(*) >= 2 AS usual_depth_is_fine
  FROM people_search_results WHERE person_data ->> 'full_name' = 'Deep';
SELECT levels,
       pg_temp.outcome(format($$ INSERT INTO integrations (workspace_id, type, name, config)
                                     VALUES ('5ea10000-0000-4000-8000-000000000002',
                                             'email',
                                             'Deep',
                                             ('{"deep":' || repeat('[', %1$s) || '"https://u:p@x.example"'
                                              || repeat(']', %1$s) || '}')::jsonb)
                                     ON CONFLICT DO NOTHING $$,
                              levels)) ~ '^(ok|54001: stack depth limit exceeded)$' AS as_expected
  FROM unnest('{100,10000,100000}'::int[]) levels;
SELECT count(*) AS canaries
  FROM people_search_results WHERE person_data::text ~ 'canary' AND email_revealed_at IS NULL;
RESET ROLE;

-- Much of it, in time and memory that grow with the length alone.
SELECT piece,
       is_sealed('person',
                 jsonb_build_object('skills', to_jsonb(array_fill(repeat(piece, 300), ARRAY[1000])))) AS shown
  FROM unnest('{a@ ,%2540,0-,"&amp;",(at),"1,000,",̈,"tel "}'::text[]) piece;
SELECT is_sealed('person',
                 (repeat('{"a":', 60) || (SELECT jsonb_agg(i)::text FROM generate_series(1, 100000) i)
                  || repeat('}', 60))::jsonb) AS shown;

DELETE FROM workspaces WHERE slug LIKE 'sealing-%';
SELECT (SELECT count(*) FROM sealed_contacts) AS contacts, (SELECT count(*) FROM sealed_secrets) AS secrets;
