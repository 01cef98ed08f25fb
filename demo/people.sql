\echo '== An e-mail is seen when it is paid for'
CALL demo.sign_in('Ann');
INSERT INTO people_search_results (person_data)
    SELECT jsonb_build_object('full_name', name, 'title', title,
                              'company', (SELECT company_data ->> 'name'
                                           FROM leads ORDER BY created_at, id LIMIT 1),
                              'seniority_level', level, 'email', lower(name) || '@people.example',
                              'phone', '+49 30 1234567')
      FROM (VALUES ('Pat', 'Head of Data', 'director'),
                   ('Robin', 'Data Engineer', 'senior'),
                   ('Sam', 'Data Analyst', 'junior')) AS v (name, title, level);
SELECT id AS pat FROM search_people(get_user_workspace_id(), '{"title": "head of"}') \gset
\echo '-- Ann searched for people; the e-mails and phones found were sent along, and are not in the table:'
SELECT full_name, title, seniority_level, email
  FROM search_people(get_user_workspace_id(), '{"title": "DATA"}') ORDER BY full_name;
SELECT demo.claim((SELECT bool_and(person_data::text !~ '@|1234567') FROM people_search_results),
                  'what is not paid for is not in the table') \gset
\echo '-- Nor has anybody, not even the backend, a way around it:'
CALL demo.refused($$SELECT * FROM sealed_contacts$$, '42501');
RESET ROLE;
SET ROLE service_role;
CALL demo.refused($$UPDATE people_search_results SET email_revealed_at = now()$$, '42501');
\echo '-- Ann reveals one; Bob, of the same workspace, then sees it free; the export hides the others:'
CALL demo.sign_in('Ann');
SELECT reveal_person_email(:'pat') AS ann \gset
CALL demo.sign_in('Bob');
SELECT reveal_person_email(:'pat') AS bob \gset
SELECT who, answer ->> 'email' AS email, answer ->> 'credits_used' AS credits_used,
       answer ->> 'already_revealed' AS already_revealed, answer ->> 'credits_remaining' AS remaining
  FROM (VALUES ('Ann', :'ann'::jsonb), ('Bob', :'bob'::jsonb)) AS v (who, answer);
SELECT full_name, title, email FROM export_people_to_csv(get_user_workspace_id()) ORDER BY full_name;
SELECT demo.claim(:'ann'::jsonb ->> 'credits_used' = '1' AND :'bob'::jsonb ->> 'credits_used' = '0'
                  AND (SELECT count(*) FILTER (WHERE email = '[HIDDEN]') = 2 AND count(*) = 3
                         FROM export_people_to_csv(get_user_workspace_id())),
                  'one is paid for, once') \gset
CALL demo.sign_out();
