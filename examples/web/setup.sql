-- What the page needs beside the members of the demonstration (demo/setup.sql, demo/members.sql): the logins and the
-- function of docs/clients.md, and people whose e-mail addresses can be paid for.
CREATE ROLE requests LOGIN NOINHERIT;
GRANT anon, authenticated TO requests;
CREATE FUNCTION public.choose_workspace() RETURNS void LANGUAGE sql AS $$
    SELECT set_config('openinfo.workspace_id',
                      coalesce(current_setting('request.headers', true)::json ->> 'x-workspace-id', ''), true)
$$;
GRANT USAGE ON SCHEMA public TO anon;
REVOKE SELECT ON demo.people, demo.companies FROM authenticated;

INSERT INTO app.people_search_results (workspace_id, person_data)
    SELECT demo.workspace(slug),
           jsonb_build_object('full_name', name, 'title', title, 'company', company,
                              'seniority_level', level,
                              'email', lower(replace(name, ' ', '.')) || '@people.example')
      FROM (VALUES ('north', 'Pat Weber',    'Head of Data',       'Siemens', 'director'),
                   ('north', 'Robin Mayer',  'Data Engineer',      'SAP',     'senior'),
                   ('north', 'Sam Keller',   'Data Analyst',       'Bosch',   'junior'),
                   ('north', 'Alex Braun',   'Machine Learning Lead', 'BMW',  'senior'),
                   ('south', 'Kim Fischer',  'Cloud Architect',    'Airbus',  'senior'),
                   ('south', 'Jo Schulz',    'Head of Platform',   'Adidas',  'director'))
           AS v (slug, name, title, company, level);
