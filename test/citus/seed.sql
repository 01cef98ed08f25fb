-- Workspaces 1 to 20, one for each run of the calls, with the same rows.  The last digits of an id are the
-- workspace, the first one says what it is: 1 workspace, 2 owner, 3 member, 4 another one, 5 query, 6 and 7
-- leads, 8 result of a search for people, 9 integration, a event, b saved search, c export.  Members are
-- their own persons.
INSERT INTO global_topics (id, topic, category, current_volume) VALUES
    ('e0000000-0000-4000-8000-00000000e001', 'Machine Learning', 'technology', 100),
    ('e0000000-0000-4000-8000-00000000e002', 'Machine Tools', 'other', 50);
INSERT INTO trends (topic_id, week_start, volume)
    SELECT id, date_trunc('week', now() AT TIME ZONE 'UTC')::date - 7, 75 FROM global_topics;

CREATE TEMP TABLE seed AS
SELECT n, i[1] AS workspace, i[2] AS owner, i[3] AS member, i[4] AS third, i[5] AS query, i[6] AS lead,
       i[7] AS lead2, i[8] AS result, i[9] AS integration, i[10] AS event, i[11] AS search, i[12] AS export
  FROM generate_series(1, 20) n
 CROSS JOIN LATERAL (
        SELECT array_agg(format('%s0000000-0000-4000-8000-%s', substr('123456789abc', k, 1),
                                lpad(n::text, 12, '0'))::uuid ORDER BY k)
          FROM generate_series(1, 12) k) ids (i);

INSERT INTO workspaces (id, slug, name) SELECT workspace, 'workspace-' || n, 'W' FROM seed;
INSERT INTO users (id, workspace_id, auth_user_id, created_by, email, role, plan, daily_credit_limit)
    SELECT m.id, workspace, m.id, m.id, m.email || '@example.org', m.role, 'pro', 1000
      FROM seed CROSS JOIN LATERAL (VALUES (owner, 'owner'::user_role, 'ann'), (member, 'member', 'bob'),
                                           (third, 'member', 'cam')) m (id, role, email);
INSERT INTO queries (id, workspace_id, created_by, topic_id, name, leads_this_week)
    SELECT query, workspace, owner, 'e0000000-0000-4000-8000-00000000e001', 'Q', 3 FROM seed;
INSERT INTO leads (id, workspace_id, query_id, company_data, contact_data, created_at)
    SELECT l.id, workspace, query, format('{"name": "Company %s", "domain": "c%1$s.example"}', l.k)::jsonb,
           '{"full_name": "Ann Example"}', '2026-01-01'::timestamptz + l.k * interval '1 hour'
      FROM seed CROSS JOIN LATERAL (VALUES (1, lead), (2, lead2)) l (k, id);
INSERT INTO people_search_results (id, workspace_id, user_id, person_data)
    SELECT result, workspace, owner,
           '{"full_name": "Ann", "title": "CTO", "company": "A", "email": "ann@a.example"}'
      FROM seed;
INSERT INTO integrations (id, workspace_id, type, name, config)
    SELECT integration, workspace, 'slack', 'S', '{"channel": "#c", "token": "t"}' FROM seed;
INSERT INTO integration_events (id, workspace_id, integration_id, event_data)
    SELECT event, workspace, integration, '{}' FROM seed;
INSERT INTO saved_searches (id, workspace_id, created_by, name)
    SELECT search, workspace, owner, 'S' FROM seed;
INSERT INTO export_jobs (id, workspace_id, user_id, status, file_url, completed_at, expires_at)
    SELECT export, workspace, owner, 'completed', 'file', '2026-01-01', '2026-01-02' FROM seed;
