\echo '== Two workspaces, and what each member sees'

-- Each row is written by a member, in the same way as in production.
CALL demo.sign_in('Ann');
SELECT create_workspace('north', 'North Labs', 'ann@north.example', 'Ann') AS north \gset
SELECT add_member(:'north', demo.person('Bob'), 'bob@north.example') AS bob \gset
INSERT INTO queries (topic_id, name, filters)
    SELECT id, 'Who asks about machine learning?', '{"industry": ["Software", "Semiconductors"]}'
      FROM global_topics WHERE topic = 'Machine Learning';
INSERT INTO leads (query_id, company_data)
    SELECT q.id, c.company_data
      FROM queries q, demo.companies c WHERE c.n % 2 = 0 OR c.n % 10 = 1 ORDER BY c.n;

CALL demo.sign_in('Cleo');
SELECT create_workspace('south', 'South Sales', 'cleo@south.example', 'Cleo') AS south \gset
SELECT add_member(:'south', demo.person('Dan'), 'dan@south.example', 'admin') AS dan,
       add_member(:'south', demo.person('Ann'), 'ann@south.example') AS ann \gset
INSERT INTO queries (topic_id, name, filters)
    SELECT id, 'Who moves to the cloud?', '{"location": ["Germany"]}'
      FROM global_topics WHERE topic = 'Cloud Migration';
INSERT INTO leads (query_id, company_data)
    SELECT q.id, c.company_data
      FROM queries q, demo.companies c WHERE c.n % 2 = 1 OR c.n % 5 = 4 ORDER BY c.n;
CALL demo.sign_out();

\echo '-- Ann created North Labs, Cleo created South Sales; some companies are leads of both.'
\echo '-- The same statements for everybody:'
CREATE TEMP TABLE membership AS
SELECT w.slug, w.name AS workspace, p.name AS member, u.role
  FROM users u JOIN workspaces w ON w.id = u.workspace_id JOIN demo.people p USING (auth_user_id);
CREATE TEMP TABLE seen AS
SELECT slug, workspace, member, role,
       demo.seen_by(member, slug, 'SELECT count(*) FROM users') AS members,
       demo.seen_by(member, slug, 'SELECT count(*) FROM queries') AS queries,
       demo.seen_by(member, slug, 'SELECT count(*) FROM leads') AS leads,
       demo.seen_by(member, slug, 'SELECT count(*) FROM leads WHERE workspace_id <> get_user_workspace_id()')
           AS leads_of_others,
       demo.seen_by(member, slug, 'SELECT count(*) FROM global_topics') AS topics
  FROM membership;
SELECT workspace, member, role, members, queries, leads, leads_of_others, topics
  FROM seen ORDER BY slug, role, member;
SELECT demo.claim((SELECT sum(leads_of_others) = 0 AND min(leads) > 0 FROM seen),
                  'nobody sees a lead of another workspace') \gset
SELECT demo.claim((SELECT bool_and(s.leads = (SELECT count(*) FROM leads l
                                               WHERE l.workspace_id = demo.workspace(s.slug)))
                     FROM seen s),
                  'all members see all leads of their workspace') \gset

\echo '-- Every table with a workspace, asked by every member for rows of another one:'
CREATE TEMP TABLE asked AS
SELECT t.relname,
       demo.seen_by(m.member, m.slug,
                    format('SELECT count(*) FROM %I WHERE workspace_id IS DISTINCT FROM '
                           'get_user_workspace_id()',
                           t.relname)) AS strangers
  FROM membership m,
       (SELECT c.relname
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id'
         WHERE c.relnamespace = 'app'::regnamespace AND c.relkind = 'r'
           AND has_table_privilege('authenticated', c.oid, 'SELECT')) AS t;
SELECT count(DISTINCT relname) AS tables, count(*) AS questions, sum(strangers) AS rows_of_others FROM asked;
SELECT demo.claim((SELECT sum(strangers) = 0 AND count(DISTINCT relname) >= 12 FROM asked),
                  'no table shows a row of another workspace') \gset
