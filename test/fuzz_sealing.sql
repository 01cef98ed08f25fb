-- Fuzz: generated records of people, in the shapes in which vendors deliver them, with a contact planted.
--
--   psql -X -v records=120000 -f test/fuzz_sealing.sql
--
-- A record is a vendor's shape, in which one leaf, or a leaf beside it, holds a contact: alone, or inside a
-- visible text; an address in one of the encodings of the at sign, or a number in one of the decimal scripts
-- of Unicode.  The same number gives the same records.  A member reads them all.
--
-- What is a problem:
--   the planted contact in what the member reads, in any form
--   a visible leaf, other than the planted one, that the member cannot read
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\if :{?records} \else \set records 10000 \endif
CREATE SCHEMA IF NOT EXISTS openinfo;
CREATE EXTENSION IF NOT EXISTS openinfo SCHEMA openinfo;
GRANT USAGE ON SCHEMA openinfo TO authenticated, service_role;
CREATE SCHEMA fuzz_sealing;
SET search_path = openinfo, pg_temp;

-- Shapes, by vendor: what is in them is no contact.
CREATE TABLE fuzz_sealing.shapes (n serial, vendor text, record jsonb);
INSERT INTO fuzz_sealing.shapes (vendor, record) VALUES
('People Data Labs',
 '{"id": "qEnOZ5Oh0poWnQ1luFBfVw_0000", "full_name": "Sean Thorne", "first_name": "sean", '
 '"job_title": "co-founder", "job_title_role": "operations", "job_title_levels": ["owner", "cxo"], '
 '"location_name": "san francisco, california", "location_metro": "san francisco", '
 '"linkedin_url": "linkedin.com/in/seanthorne", "work_email": "w", "recommended_personal_email": "r", '
 '"personal_emails": ["p"], "mobile_phone": "m", "phone_numbers": ["n"], "emails": [{"address": "a", '
 '"type": "current_professional"}], "skills": ["startups", "data"], "experience": [{"company": {"name": '
 '"PDL", "size": "51-200", "website": "pdl.example"}, "title": {"name": "ceo", "levels": ["cxo"]}, '
 '"start_date": "2015-03", "summary": "s"}], "education": [{"school": {"name": "Oregon", '
 '"type": "post-secondary"}, "degrees": ["bachelors"], "gpa": 3.5}], "job_summary": "j", '
 '"street_address": "s"}'),
('Apollo',
 '{"id": "64a7ff0cc4dfae00013df1a5", "full_name": "Tim Zheng", "name": "Tim Zheng", "title": "Founder", '
 '"headline": "Founder & CEO at Apollo", "email": "e", "email_status": "verified", "personal_emails": [], '
 '"photo_url": "https://media.example/tim.jpg", "city": "San Francisco", "country": "United States", '
 '"seniority": "founder", "departments": ["c_suite"], "organization": {"id": "5e66b6381e05b4008c8331b8", '
 '"name": "Apollo.io", "website_url": "https://www.apollo.example", "phone": "p", '
 '"primary_phone": {"number": "n", "source": "Owler"}, "sanitized_phone": "s", '
 '"industry": "information technology", "estimated_num_employees": 1600}, '
 '"phone_numbers": [{"raw_number": "r", "sanitized_number": "s", "type": "mobile", "status": "no_status"}], '
 '"employment_history": [{"title": "Founder", "organization_name": "Braingenie", "start_date": "2011-03-01", '
 '"current": false}]}'),
('Clearbit',
 '{"id": "d54c54ad-40be-4305-8a34-0ab44710b90d", "fullName": "Alex MacCaw", "full_name": "Alex MacCaw", '
 '"name": {"givenName": "Alex", "familyName": "MacCaw"}, "email": "e", "location": "San Francisco, CA, US", '
 '"timeZone": "America/Los_Angeles", "geo": {"city": "San Francisco", "lat": 37.7749295, '
 '"lng": -122.4194155}, "bio": "b", "site": "s", "avatar": "https://logo.example/a", '
 '"employment": {"domain": "d", "name": "Clearbit", "title": "Co-founder, CEO", "role": "leadership", '
 '"seniority": "executive"}, "github": {"handle": "maccman", "followers": 2932}, '
 '"linkedin": {"handle": "in/alex"}, "company": {"name": "Clearbit", "phone": "p", '
 '"site": {"emailAddresses": ["a"], "phoneNumbers": ["n"]}}}'),
('Hunter',
 '{"full_name": "Dustin Moskovitz", "data": {"first_name": "Dustin", "last_name": "Moskovitz", "email": "e", '
 '"score": 97, "position": "Chief Executive Officer", "company": "Asana", "phone_number": "p", '
 '"verification": {"date": "2025-11-06", "status": "valid"}, "linkedin_url": '
 '"https://linkedin.example/in/annroe"}, "emails": [{"value": "v", "type": "personal", "confidence": 92, '
 '"seniority": "senior", "department": "it"}]}'),
('ZoomInfo',
 '{"id": 1292106293, "full_name": "Henry Schuck", "firstName": "Henry", "lastName": "Schuck", "email": "e", '
 '"hasEmail": true, "phone": "p", "directPhoneDoNotCall": false, "mobilePhone": "m", '
 '"jobTitle": "Chief Executive Officer", "managementLevel": ["C-Level"], "jobFunction": [{"name": '
 '"Executive", "department": "C-Suite"}], "city": "Vancouver", "state": "Washington", '
 '"companyId": 344589814, "company": {"id": 344589814, "name": "ZoomInfo", "fax": "f", "phone": "p", '
 '"revenue": 1239500, "employeeCount": 3508}, "externalUrls": [{"type": "linkedin.com", '
 '"url": "https://linkedin.example/in/bobroe"}], "lastUpdatedDate": "d"}'),
('HubSpot',
 '{"full_name": "Brian Halligan", "vid": 204727, "properties": {"firstname": "Brian", '
 '"lastname": "Halligan", "email": "e", "hs_additional_emails": "a", "phone": "p", "mobilephone": "m", '
 '"fax": "f", "jobtitle": "CEO", "company": "HubSpot", "hs_email_optout": false, '
 '"lifecyclestage": "customer", "hs_object_id": "204727", "website": "http://hubspot.example", '
 '"hs_calculated_phone_number": "c", "hs_searchable_calculated_phone_number": "s", '
 '"notes_last_contacted": "n"}}'),
('Salesforce',
 '{"Id": "003D000000QYVZb", "full_name": "Stella Pavlova", "FirstName": "Stella", "LastName": "Pavlova", '
 '"Title": "SVP, Production", "Department": "Production", "Email": "e", "Phone": "p", "MobilePhone": "m", '
 '"HomePhone": "h", "OtherPhone": "o", "Fax": "f", "AssistantName": "a", "AssistantPhone": "b", '
 '"MailingCity": "Moscow", "MailingCountry": "Russia", "MailingStreet": "s", "LeadSource": "Partner", '
 '"CreatedDate": "2019-02-19T17:41:40.000+0000", "Description": "d", "Custom__c": "c"}'),
('LinkedIn export',
 '{"full_name": "Ann Lee", "First Name": "Ann", "Last Name": "Lee", "URL": '
 '"https://linkedin.example/in/annlee", "Email Address": "e", "Company": "Acme", "Position": "Buyer", '
 '"Connected On": "19 Feb 2024", "Summary": "s", "Phone Numbers": "n", "Twitter Handles": "t", '
 '"Websites": ["w"]}'),
('Lusha',
 '{"full_name": "Yoni Tserruya", "firstName": "Yoni", "lastName": "Tserruya", '
 '"emailAddresses": [{"email": "e", "emailType": "work", "emailConfidence": "A+"}], '
 '"phoneNumbers": [{"number": "n", "phoneType": "mobile", "doNotCall": false}], "jobTitle": {"title": "CEO", '
 '"departments": ["Management"], "seniority": "C-Suite"}, "location": {"country": "Israel", '
 '"city": "Tel Aviv"}, "socialLinks": {"linkedin": "https://linkedin.example/in/yoni"}, '
 '"company": {"name": "Lusha", "employees": "201 - 500", "social": {"x": "y"}}}'),
('RocketReach',
 '{"id": 5244, "full_name": "Amit Shanbhag", "name": "Amit Shanbhag", "current_title": "CEO", '
 '"current_employer": "RocketReach", "recommended_email": "r", "current_work_email": "w", '
 '"current_personal_email": "p", "emails": [{"email": "e", "smtp_valid": "valid", "type": "professional", '
 '"grade": "A"}], "phones": [{"number": "n", "type": "mobile", "recommended": true}], '
 '"teaser": {"emails": ["t"], "phones": [{"number": "u", "is_premium": false}]}, "location": "Seattle, WA", '
 '"skills": ["Java"], "links": {"linkedin": "https://linkedin.example/in/amit", "other": "o"}, '
 '"profile_pic": "https://cdn.example/p.jpg", "birth_year": "b"}');

-- Leaves of the shapes, with the kind of their field, or NULL when it is not on the list.
CREATE TABLE fuzz_sealing.leaves AS
WITH RECURSIVE walk (shape, path, key, value) AS (
    SELECT n, '{}'::text[], NULL::text, record FROM fuzz_sealing.shapes
    UNION ALL
    SELECT w.shape, w.path || c.key, CASE WHEN jsonb_typeof(w.value) = 'object' THEN c.key ELSE w.key END,
           c.value
      FROM walk w CROSS JOIN LATERAL (
           SELECT o.key, o.value
             FROM jsonb_each(CASE jsonb_typeof(w.value) WHEN 'object' THEN w.value ELSE '{}' END) o
           UNION ALL
           SELECT (a.i - 1)::text, a.value
             FROM jsonb_array_elements(CASE jsonb_typeof(w.value) WHEN 'array' THEN w.value ELSE '[]' END)
                  WITH ORDINALITY a (value, i)) c
)
SELECT row_number() OVER (ORDER BY w.shape, w.path) AS n, w.shape, w.path, w.value, v.kind
  FROM walk w
  LEFT JOIN visible_fields v ON v.object = 'person'
      AND visible_field_name(v.field) = visible_field_name(w.key)
 WHERE jsonb_typeof(w.value) NOT IN ('object', 'array') AND w.key <> 'full_name';

-- Contacts: "tweet" marks an address, 4 and 2 by turns a number.  bare: digits
-- alone, which a url, an id or a date may show.
CREATE TABLE fuzz_sealing.contacts AS
SELECT row_number() OVER () AS n, c.contact, c.bare FROM (
    SELECT format(f, a) AS contact, false AS bare
      FROM unnest(ARRAY['@', '%40', '%2540', '%u0040', '&#64;', '&#0000000064;', '&#x40;', '&#X0040;',
                        '&commat;', '&amp;#64;', '\u0040', '\x40',
                        '＠', '﹫', 'ⓐ', '[at]', '(AT)', '{at}']) a,
           unnest(ARRAY['tweet%sx.example', 'Tweet <tweet.tweet%smail.x.example>', 'mailto:tweet%sx.example',
                        'https://x.example/?to=tweet%sx.example']) f
    UNION ALL
    SELECT translate(f,
                     '0123456789',
                     (SELECT string_agg(chr(z.zero + i), '' ORDER BY i) FROM generate_series(0, 9) i)),
           f !~ '[+]'
      FROM (SELECT unnest('{48,1632,1776,1984,2406,2534,2662,2790,2918,3046,3174,3302,3430,3558,3664,3792,'
                          '3872,4160,4240,6112,6160,6470,6608,6784,6800,6992,7088,7232,7248,42528,43216,'
                          '43264,43472,43504,43600,44016,65296,66720,68912,69734,69872,69942,70096,70384,'
                          '70736,70864,71248,71360,71472,71904,72016,72784,73040,73120,92768,92864,93008,'
                          '120782,120792,120802,120812,120822,123200,123632,125264,130032}'::int[])
                AS zero) z,
           unnest('{+4242424242,+42 424 24242,0424242,042 42 42,(042) '
                  '424-2424,042.424.2424,042/4242424,4242424242,0 4 2 4 2 4 2,042–4242,042&ensp;42&ensp;42,'
                  '042<b>42</b>42,042      42      42}'::text[]
                  || text U&'0\200b\200b\200b\200b\200b\200b424242') f
) c;

-- A leaf with a contact in it: alone, in a text, or as a key beside it.
CREATE FUNCTION fuzz_sealing.plant(p_record jsonb, p_path text[], p_value jsonb, p_contact text, p_way int)
    RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_way
        WHEN 0 THEN jsonb_set(p_record, p_path, to_jsonb(p_contact))
        WHEN 1 THEN jsonb_set(p_record, p_path,
                              to_jsonb(format('%s | %s (call me)', p_value #>> '{}', p_contact)))
        WHEN 2 THEN jsonb_set(p_record, p_path, jsonb_build_array('x', p_contact))
        WHEN 3 THEN jsonb_set(p_record, p_path, jsonb_build_object('note', p_contact, 'city', 'Bern'))
        ELSE jsonb_set(p_record, p_path,
                       jsonb_build_object(p_contact, jsonb_build_object('city', 'Bern'))) END
$$;

INSERT INTO workspaces (id, slug, name) VALUES ('f5000000-0000-4000-8000-000000000001', 'fuzz-sealing', 'F');
INSERT INTO users (workspace_id, auth_user_id, email)
    VALUES ('f5000000-0000-4000-8000-000000000001', 'f5000000-0000-4000-8000-0000000000a1', 'f@x.example');
-- Multiples of numbers without a common divisor, so that every leaf meets every contact in every way.
CREATE TABLE fuzz_sealing.records AS
SELECT i AS n, overlay(overlay(md5(i::text) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid AS id,
       l.n AS leaf, c.contact, i % 5 AS way,
       fuzz_sealing.plant(s.record, l.path, l.value, c.contact, i % 5) AS record
  FROM generate_series(1, :records) i
  JOIN fuzz_sealing.leaves l ON l.n = 1 + (i * 7919) % (SELECT count(*) FROM fuzz_sealing.leaves)
  JOIN fuzz_sealing.contacts c
      ON c.n = 1 + (i::bigint * 104729 / 97) % (SELECT count(*) FROM fuzz_sealing.contacts)
  JOIN fuzz_sealing.shapes s ON s.n = l.shape
 WHERE NOT (c.bare AND coalesce(l.kind, 'text') <> 'text');
INSERT INTO people_search_results (id, workspace_id, person_data)
    SELECT id, 'f5000000-0000-4000-8000-000000000001', record FROM fuzz_sealing.records;
GRANT USAGE ON SCHEMA fuzz_sealing TO authenticated;
SET request.jwt.claims = '{"sub": "f5000000-0000-4000-8000-0000000000a1"}';
SET ROLE authenticated;
CREATE TEMP TABLE read AS SELECT id, person_data FROM people_search_results;
RESET ROLE;

CREATE TABLE fuzz_sealing.problems AS
SELECT 'readable' AS problem, r.contact, r.way, l.path, x.person_data
  FROM fuzz_sealing.records r JOIN read x USING (id) JOIN fuzz_sealing.leaves l ON l.n = r.leaf
 WHERE x.person_data::text ~* 'tweet' OR strpos(x.person_data::text, to_jsonb(r.contact)::text) > 0
    OR strpos(x.person_data::text, r.contact) > 0
UNION ALL
SELECT 'hidden', o.value #>> '{}', r.way, o.path, x.person_data
  FROM fuzz_sealing.records r JOIN read x USING (id) JOIN fuzz_sealing.leaves l ON l.n = r.leaf
  JOIN fuzz_sealing.leaves o ON o.shape = l.shape AND o.n <> l.n AND o.kind IS NOT NULL
 WHERE r.n % 10 = 0 AND strpos(x.person_data::text, o.value::text) = 0
UNION ALL
SELECT 'lost', NULL, r.way, NULL, NULL
  FROM fuzz_sealing.records r LEFT JOIN read x USING (id) WHERE x.id IS NULL;
SELECT problem, count(*), (array_agg(contact))[1:5], min(path::text), (array_agg(way))[1:5],
       min(person_data::text)
  FROM fuzz_sealing.problems GROUP BY problem;
\pset tuples_only on
\pset format unaligned
SELECT format('%s records with a contact, %s problems',
              (SELECT count(*) FROM fuzz_sealing.records),
              (SELECT count(*) FROM fuzz_sealing.problems));
DROP SCHEMA fuzz_sealing CASCADE;
-- Without statistics the cascade may take an index on the workspace alone.
ANALYZE people_search_results, sealed_contacts;
DELETE FROM workspaces WHERE slug = 'fuzz-sealing';
