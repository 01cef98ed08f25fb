-- The isolation matrix: every table x caller x command x whose rows.  The expectations are one table,
-- from which the attempts are generated.  Each attempt really runs, as its caller, and is rolled back.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

-- What "authenticated" may do.  reads: all, workspace, admin (or owner), own (their own row), none.
-- writes: member, admin (or owner), own, none.  service: all, append, read, none.  touches: the column that
-- UPDATE tries.
CREATE TEMP TABLE matrix (tablename text, reads text, inserts text, updates text, touches text, deletes text,
                          service text)
    ON COMMIT DROP;
INSERT INTO matrix VALUES
    ('workspaces',               'workspace', 'none',   'admin',  'name',            'none',   'all'),
    ('users',                    'workspace', 'none',   'own',    'full_name',       'none',   'all'),
    ('plans',                    'all',       'none',   'none',   'daily_credits',   'none',   'all'),
    ('global_topics',            'all',       'none',   'none',   'current_volume',  'none',   'all'),
    ('trends',                   'all',       'none',   'none',   'volume',          'none',   'all'),
    ('queries',                  'workspace', 'member', 'member', 'name',            'member', 'all'),
    ('saved_searches',           'workspace', 'member', 'member', 'use_count',       'member', 'all'),
    ('leads',                    'workspace', 'member', 'member', 'contact_data',    'member', 'all'),
    ('credit_usage',             'workspace', 'none',   'none',   'credits_used',    'none',   'append'),
    ('billing_events',           'workspace', 'none',   'none',   'metadata',        'none',   'all'),
    ('stripe_customers',         'workspace', 'none',   'none',   'metadata',        'none',   'all'),
    ('export_jobs',              'workspace', 'member', 'none',   'file_url',        'own',    'all'),
    ('people_search_results',    'workspace', 'member', 'none',   'person_data',     'member', 'all'),
    ('saved_people_searches',    'workspace', 'member', 'member', 'use_count',       'own',    'all'),
    ('integrations',             'workspace', 'admin',  'admin',  'name',            'admin',  'all'),
    ('notification_preferences', 'own',       'none',   'own',    'email_new_leads', 'none',   'all'),
    ('invitations',              'admin',     'none',   'none',   'role',            'none',   'read'),
    ('workspace_creations',      'none',      'none',   'none',   'created_at',      'none',   'read'),
    ('schema_migrations',        'none',      'none',   'none',   'name',            'none',   'read'),
    ('visible_fields',           'none',      'none',   'none',   'kind',            'none',   'read'),
    ('expired_export_files',     'none',      'none',   'none',   'file_url',        'none',   'all'),
    ('integration_events',       'none',      'none',   'none',   'event_data',      'none',   'all'),
    ('sealed_contacts',          'none',      'none',   'none',   'sealed',          'none',   'none'),
    ('sealed_secrets',           'none',      'none',   'none',   'sealed',          'none',   'none');

-- How a row is created.  $W, $U: the workspace and a user in it; $N: something that is not there
-- yet.  The second form is the one that "authenticated" has, who names neither.  clear: what
-- a second row of the kind would collide with.
CREATE TEMP TABLE sample (tablename text, service text, member text, clear text) ON COMMIT DROP;
INSERT INTO sample VALUES
    ('workspaces', $$(slug, name) VALUES ('matrix-$N', 'W')$$, NULL, NULL),
    ('users', $$(workspace_id, auth_user_id, email) VALUES ($W, gen_random_uuid(), '$N@example.com')$$, NULL,
     NULL),
    ('plans', $$(name, daily_credits) VALUES ('matrix-$N', 1)$$, NULL, NULL),
    ('global_topics', $$(topic) VALUES ('matrix-$N')$$, NULL, NULL),
    ('trends',
     $$(topic_id, week_start, week_end) SELECT id, date '2026-01-05' + (random() * 10000)::int * 7, 'infinity'
         FROM global_topics WHERE topic = 'matrix-0'$$,
     NULL,
     NULL),
    ('queries',
     $$(workspace_id, topic_id, name) SELECT $W, id, 'Q' FROM global_topics WHERE topic = 'matrix-asked'$$,
                $$(topic_id, name) SELECT id, 'Q' FROM global_topics WHERE topic = 'matrix-asked'$$, NULL),
    ('saved_searches', $$(workspace_id, name) VALUES ($W, 'S')$$, $$(name) VALUES ('S')$$, NULL),
    ('leads', $$(workspace_id, company_data) VALUES ($W, '{"name": "L", "domain": "$N.example"}')$$,
     $$(company_data) VALUES ('{"name": "L", "domain": "$N.example"}')$$, NULL),
    ('credit_usage',
     $$(workspace_id, user_id, action_type, credits_used) VALUES ($W, $U, 'people_search', 1)$$, NULL, NULL),
    ('billing_events',
     $$(workspace_id, event_type, stripe_event_id) VALUES ($W, 'payment_failed', 'evt_$N')$$, NULL, NULL),
    ('stripe_customers',
     $$(workspace_id, stripe_customer_id) VALUES ($W, 'cus_$N')$$,
     NULL,
     $$DELETE FROM stripe_customers WHERE workspace_id = $W$$),
    ('export_jobs', $$(workspace_id, user_id) VALUES ($W, $U)$$, $$(export_format) VALUES ('csv')$$, NULL),
    ('people_search_results',
     $$(workspace_id, user_id, person_data) VALUES ($W, $U, '{"full_name": "P", "email": "p@example.com"}')$$,
                              $$(person_data) VALUES ('{"full_name": "P", "email": "p@example.com"}')$$,
     NULL),
    ('saved_people_searches', $$(workspace_id, user_id, name) VALUES ($W, $U, 'S')$$, $$(name) VALUES ('S')$$,
     NULL),
    ('integrations',
     $$(workspace_id, type, name, status, config) VALUES ($W, 'slack', 'I', 'inactive', '{"token": "t"}')$$,
                     $$(type, name, status, config) VALUES ('slack', 'I', 'inactive', '{"token": "t"}')$$,
     NULL),
    -- created with the user
    ('notification_preferences',
     $$(workspace_id, user_id) VALUES ($W, $U)$$,
     NULL,
     $$DELETE FROM notification_preferences WHERE user_id = $U$$),
    ('invitations',
     $$(workspace_id, email, role, token_sha256, expires_at)
           VALUES ($W, '$N@example.com', 'member', sha256('$N'), 'infinity')$$, NULL, NULL),
    ('workspace_creations',
     $$(workspace, auth_user_id) VALUES (gen_random_uuid(), md5('matrix')::uuid)$$, NULL, NULL),
    ('schema_migrations', $$(version, name) VALUES ('matrix-$N', 'M')$$, NULL, NULL),
    ('visible_fields', $$(object, field) VALUES ('person', '$N matrix')$$, NULL, NULL),
    ('expired_export_files', $$(workspace_id, file_url) VALUES ($W, 'file-$N')$$, NULL, NULL),
    ('integration_events',
     $$(workspace_id, integration_id, event_data)
           SELECT $W, id, '{}' FROM integrations WHERE workspace_id = $W LIMIT 1$$,
     NULL, NULL),
    -- created with the person and the integration
    ('sealed_contacts',
     $$(workspace_id, result_id, sealed)
           SELECT $W, id, '{}' FROM people_search_results WHERE workspace_id = $W LIMIT 1$$,
     NULL,
     $$DELETE FROM sealed_contacts WHERE workspace_id = $W$$),
    ('sealed_secrets',
     $$(workspace_id, integration_id, sealed)
           SELECT $W, id, '{}' FROM integrations WHERE workspace_id = $W LIMIT 1$$,
     NULL,
     $$DELETE FROM sealed_secrets WHERE workspace_id = $W$$);

-- A table added later fails here until it is in the matrix.
SELECT set_eq($$ SELECT c.relname::text FROM pg_class c JOIN pg_extension e ON e.extnamespace = c.relnamespace
                  WHERE e.extname = 'openinfo' AND c.relkind IN ('r', 'p') AND NOT c.relispartition $$,
              $$ SELECT tablename FROM matrix $$, 'the matrix has every table of the schema');
SELECT set_eq($$ SELECT tablename FROM sample $$, $$ SELECT tablename FROM matrix $$,
              'there is a sample row for every table of the matrix');

-- Who calls -------------------------------------------------------------------------------------------------

CREATE ROLE regress_bypass BYPASSRLS IN ROLE service_role;
CREATE TEMP TABLE caller (name text, role text, rank text, workspace uuid, auth_user_id uuid, asks uuid)
    ON COMMIT DROP;
INSERT INTO caller VALUES
    ('owner',           'authenticated',  'owner',  'a0000000-0000-4000-8000-000000000001',
     'a0000000-0000-4000-8000-0000000000f1', NULL),
    ('admin',           'authenticated',  'admin',  'a0000000-0000-4000-8000-000000000001',
     'a0000000-0000-4000-8000-0000000000f2', NULL),
    ('member',          'authenticated',  'member', 'a0000000-0000-4000-8000-000000000001',
     'a0000000-0000-4000-8000-0000000000f3', NULL),
    ('other owner',     'authenticated',  'owner',  'b0000000-0000-4000-8000-000000000001',
     'b0000000-0000-4000-8000-0000000000f1', NULL),
    -- a member of both who works in the first: the second is treated as any other
    ('traveller',       'authenticated',  'member', 'a0000000-0000-4000-8000-000000000001',
     'c0000000-0000-4000-8000-0000000000f1', 'a0000000-0000-4000-8000-000000000001'),
    -- asks for a workspace without being a member
    ('intruder',        'authenticated',  NULL,     NULL, 'b0000000-0000-4000-8000-0000000000f1',
     'a0000000-0000-4000-8000-000000000001'),
    ('stranger',        'authenticated',  NULL,     NULL, 'd0000000-0000-4000-8000-0000000000f1', NULL),
    ('nobody',          'authenticated',  NULL,     NULL, NULL, NULL),
    ('anon',            'anon',           NULL,     NULL, 'a0000000-0000-4000-8000-0000000000f1', NULL),
    ('service',         'service_role',   NULL,     NULL, NULL, NULL),
    ('service as user', 'service_role',   NULL,     NULL, 'a0000000-0000-4000-8000-0000000000f3', NULL),
    ('bypass',          'regress_bypass', NULL,     NULL, NULL, NULL);
SELECT ok(NOT rolbypassrls, 'service_role works without BYPASSRLS here')
  FROM pg_roles WHERE rolname = 'service_role';

-- Two workspaces with rows in every table, one row for each member where rows have a user -------------------

CREATE FUNCTION pg_temp.statement(p_sample text, p_workspace uuid, p_user uuid) RETURNS text
    LANGUAGE sql AS $$
    SELECT replace(replace(replace(p_sample, '$W', coalesce(quote_literal(p_workspace) || '::uuid', 'NULL')),
                           '$U',
                           coalesce(quote_literal(p_user) || '::uuid', 'NULL')),
                   '$N',
                   left(md5(random()::text), 12));
$$;

INSERT INTO workspaces (id, slug, name)
    VALUES ('a0000000-0000-4000-8000-000000000001', 'matrix-a', 'A'),
           ('b0000000-0000-4000-8000-000000000001', 'matrix-b', 'B');
INSERT INTO users (workspace_id, auth_user_id, email, role, plan, daily_credit_limit)
    SELECT workspace, auth_user_id, rank || '@example.com', rank::user_role, 'enterprise', NULL::int
      FROM caller WHERE workspace IS NOT NULL AND name <> 'traveller'
    UNION ALL
    SELECT w, 'c0000000-0000-4000-8000-0000000000f1', 'traveller@example.com', 'member', 'enterprise', NULL
      FROM unnest('{a0000000-0000-4000-8000-000000000001,b0000000-0000-4000-8000-000000000001}'::uuid[]) w;
INSERT INTO global_topics (topic) VALUES ('matrix-0'), ('matrix-asked');
INSERT INTO plans (name, daily_credits) VALUES ('matrix-0', 1);
INSERT INTO trends (topic_id, week_start, week_end)
    SELECT id, '2026-01-05', '2026-01-11' FROM global_topics WHERE topic = 'matrix-0';
INSERT INTO schema_migrations (version, name) VALUES ('matrix-0', 'M');
INSERT INTO visible_fields (object, field) VALUES ('person', '0 matrix');
INSERT INTO workspace_creations (workspace, auth_user_id) VALUES (gen_random_uuid(), md5('matrix')::uuid);
DO $$
DECLARE
    v record;
BEGIN
    FOR v IN
        SELECT s.tablename, s.service, u.workspace_id, u.id
          FROM users u CROSS JOIN sample s
         WHERE s.tablename
             NOT IN ('workspaces', 'users', 'global_topics', 'plans', 'trends', 'schema_migrations',
                     'visible_fields', 'workspace_creations', 'notification_preferences', 'sealed_contacts',
                     'sealed_secrets')
           AND (s.tablename <> 'stripe_customers' OR u.role = 'owner')
         ORDER BY array_position('{integrations,people_search_results}', s.tablename) NULLS LAST
    LOOP
        EXECUTE format('INSERT INTO %I %s', v.tablename, pg_temp.statement(v.service, v.workspace_id, v.id));
    END LOOP;
END
$$;

-- Which rows an attempt is about: those of a workspace, or, on the global tables, the ones created above.
CREATE FUNCTION pg_temp.whose(p_table text, p_workspace uuid) RETURNS text LANGUAGE sql AS $$
    SELECT CASE p_table WHEN 'workspaces' THEN format('id = %L', p_workspace)
                        WHEN 'plans' THEN $q$name = 'matrix-0'$q$
                        WHEN 'global_topics' THEN $q$topic = 'matrix-0'$q$
                        WHEN 'trends'
                            THEN $q$topic_id = (SELECT id FROM global_topics WHERE topic = 'matrix-0')$q$
                        WHEN 'schema_migrations' THEN $q$version = 'matrix-0'$q$
                        WHEN 'visible_fields' THEN $q$field = '0 matrix'$q$
                        WHEN 'workspace_creations' THEN $q$auth_user_id = md5('matrix')::uuid$q$
                        ELSE format('workspace_id = %L', p_workspace) END;
$$;
CREATE FUNCTION pg_temp.is_global(p_table text) RETURNS boolean
    LANGUAGE sql AS
    $$ SELECT p_table IN ('plans', 'global_topics', 'trends', 'schema_migrations', 'visible_fields',
                          'workspace_creations') $$;

-- How many there are of them, and how many belong to the caller.
CREATE FUNCTION pg_temp.rows(p_table text, p_workspace uuid, p_person uuid DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    v_rows bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %I WHERE %s', p_table, pg_temp.whose(p_table, p_workspace))
         || CASE WHEN p_person IS NOT NULL
                 THEN format(' AND %I = (SELECT id FROM users WHERE auth_user_id = %L AND workspace_id = %L)',
                             CASE p_table WHEN 'users' THEN 'id' ELSE 'user_id' END, p_person, p_workspace)
                 ELSE '' END INTO v_rows;
    RETURN v_rows;
END
$$;

SELECT is_empty($$ SELECT tablename, w FROM matrix
                     CROSS JOIN unnest('{a0000000-0000-4000-8000-000000000001,'
                                       'b0000000-0000-4000-8000-000000000001}'::uuid[]) w
                    WHERE pg_temp.rows(tablename, w) = 0 $$,
    'both workspaces have a row in every table, so that an empty result means isolation');

-- Attempts --------------------------------------------------------------------------------------------------

-- Everything that a workspace has, as one text.
CREATE FUNCTION pg_temp.fingerprint(p_workspace uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_table text;
    v_part  text;
    v_whole text := '';
BEGIN
    FOR v_table IN SELECT tablename FROM matrix ORDER BY 1 LOOP
        EXECUTE format('SELECT md5(string_agg(t::text, e''\n'' ORDER BY t::text)) FROM %I t WHERE %s',
                       v_table, pg_temp.whose(v_table, p_workspace)) INTO v_part;
        v_whole := v_whole || v_table || ' ' || coalesce(v_part, '-') || e'\n';
    END LOOP;
    RETURN v_whole;
END
$$;

-- Runs a command as the caller, undoes it and says what came of it: the SQLSTATE of the refusal, or the
-- number of rows; and, when something was written, whether a workspace that is not the caller's has changed.
CREATE FUNCTION pg_temp.attempt(p_caller caller, p_clear text, p_command text, p_keep uuid DEFAULT NULL)
    RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_rows   bigint;
    v_before text;
    v_result text;
BEGIN
    IF p_keep IS NOT NULL THEN
        v_before := pg_temp.fingerprint(p_keep);
    END IF;
    BEGIN
        IF p_clear IS NOT NULL THEN
            EXECUTE p_clear;
        END IF;
        PERFORM set_config('request.jwt.claims',
                           CASE WHEN p_caller.auth_user_id IS NULL THEN ''
                                ELSE json_build_object('sub', p_caller.auth_user_id)::text END,
                           true),
                set_config('openinfo.workspace_id', coalesce(p_caller.asks::text, ''), true);
        EXECUTE format('SET LOCAL ROLE %I', p_caller.role);
        EXECUTE p_command;
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        RESET ROLE;
        v_result := v_rows;
        IF p_keep IS NOT NULL AND pg_temp.fingerprint(p_keep) <> v_before THEN
            v_result := v_result || ', and the other workspace has changed';
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = v_result;
    EXCEPTION WHEN OTHERS THEN
        v_result := CASE SQLSTATE WHEN 'UNDO0' THEN SQLERRM WHEN '42501' THEN 'refused'
                             ELSE format('%s: %s', SQLSTATE, SQLERRM) END;
    END;
    RETURN v_result;
END
$$;

CREATE TEMP TABLE attempt ON COMMIT DROP AS
    SELECT m.*, c.name AS caller, c.role, c.rank, c.workspace, c.auth_user_id, o.command, w.id AS target,
           w.name AS target_name,
           -- what the matrix allows
           CASE WHEN c.role = 'anon' OR o.command = 'truncate' THEN 'refused'
                WHEN c.role <> 'authenticated' THEN
                    CASE WHEN m.service = 'none'
                             OR m.service = 'read' AND o.command <> 'select' THEN 'refused'
                         WHEN m.service = 'append' AND o.command IN ('update', 'delete') THEN 'refused'
                         WHEN o.command = 'insert' THEN '1' ELSE pg_temp.rows(m.tablename, w.id)::text END
                WHEN o.command = 'insert' THEN
                    CASE WHEN c.workspace IS DISTINCT FROM w.id OR m.inserts = 'none'
                             OR m.inserts = 'admin' AND c.rank = 'member' THEN 'refused'
                         ELSE '1' END
                ELSE
                    CASE r.grade WHEN 'none' THEN 'refused'
                                 WHEN 'all' THEN pg_temp.rows(m.tablename, w.id)::text
                                 ELSE CASE WHEN c.workspace IS DISTINCT FROM w.id
                                               OR r.grade = 'admin' AND c.rank = 'member' THEN 0
                                           WHEN r.grade
                                               = 'own' THEN pg_temp.rows(m.tablename, w.id, c.auth_user_id)
                                           ELSE pg_temp.rows(m.tablename, w.id) END::text END
           END AS expected,
           pg_temp.attempt(c, CASE WHEN o.command = 'insert' THEN pg_temp.statement(s.clear, w.id, u.id) END,
               CASE o.command
                    WHEN 'select' THEN format('SELECT * FROM %I WHERE %s', m.tablename,
                                              pg_temp.whose(m.tablename, w.id))
                    WHEN 'insert' THEN format('INSERT INTO %I %s', m.tablename,
                        pg_temp.statement(CASE WHEN c.role = 'authenticated'
                                                   AND c.workspace IS NOT DISTINCT FROM w.id
                                                       THEN coalesce(s.member, s.service)
                                               ELSE s.service END,
                                          w.id,
                                          u.id))
                    WHEN 'update' THEN format('UPDATE %I SET %I = %2$I WHERE %s', m.tablename, m.touches,
                                              pg_temp.whose(m.tablename, w.id))
                    WHEN 'delete'
                        THEN format('DELETE FROM %I WHERE %s', m.tablename, pg_temp.whose(m.tablename, w.id))
                    WHEN 'truncate' THEN format('TRUNCATE %I', m.tablename) END,
               -- writers of "authenticated" leave every other workspace as it is
               CASE WHEN c.role = 'authenticated' AND o.command <> 'select'
                        AND NOT pg_temp.is_global(m.tablename)
                    THEN CASE WHEN w.id IS DISTINCT FROM c.workspace THEN w.id
                              ELSE (SELECT x.id FROM workspaces x
                                     WHERE x.slug IN ('matrix-a', 'matrix-b') AND x.id <> w.id) END
                    END) AS got
      FROM matrix m
      JOIN sample s USING (tablename)
     CROSS JOIN caller c
     CROSS JOIN unnest('{select,insert,update,delete,truncate}'::text[]) WITH ORDINALITY o(command, place)
     CROSS JOIN LATERAL (SELECT CASE o.command WHEN 'select' THEN m.reads WHEN 'update' THEN m.updates
                                         WHEN 'delete' THEN m.deletes END AS grade) r
     CROSS JOIN (VALUES ('a0000000-0000-4000-8000-000000000001'::uuid, 'A'),
                        ('b0000000-0000-4000-8000-000000000001', 'B')) w(id, name)
     CROSS JOIN LATERAL (SELECT id FROM users WHERE workspace_id = w.id AND role = 'owner') u
     WHERE NOT pg_temp.is_global(m.tablename) OR w.name = 'A';

SELECT is(got,
          expected,
          format('%s: %s %s%s',
                 caller,
                 upper(command),
                 tablename,
                 CASE WHEN pg_temp.is_global(tablename) THEN '' ELSE ' of workspace ' || target_name END))
  FROM attempt
 ORDER BY tablename, array_position('{select,insert,update,delete,truncate}', command), target_name, caller;

-- The same without a condition: what a caller gets who asks for everything --------------------------------

SELECT is(pg_temp.attempt(c, NULL, format('SELECT * FROM %I', m.tablename)),
          pg_temp.attempt(c, NULL,
                          format('SELECT * FROM %I WHERE %s', m.tablename,
                                 pg_temp.whose(m.tablename, c.workspace))),
          format('%s: all of %s is what their workspace has of it', c.name, m.tablename))
  FROM matrix m CROSS JOIN caller c WHERE m.reads IN ('workspace', 'own') AND c.workspace IS NOT NULL
 ORDER BY m.tablename, c.name;
SELECT is(pg_temp.attempt(c, NULL, format('SELECT * FROM %I', m.tablename)), '0',
          format('%s: all of %s is nothing', c.name, m.tablename))
  FROM matrix m CROSS JOIN caller c
 WHERE m.reads IN ('workspace', 'own') AND c.workspace IS NULL AND c.role = 'authenticated'
 ORDER BY m.tablename, c.name;

-- UPDATE and DELETE without a condition do not reach the other workspace.
SELECT unalike(pg_temp.attempt(c,
                               NULL,
                               format(v.command, m.tablename, m.touches),
                               (SELECT id FROM workspaces
                                 WHERE slug IN ('matrix-a', 'matrix-b') AND id IS DISTINCT FROM c.workspace
                                 ORDER BY slug LIMIT 1)),
               '%changed%',
          format('%s: %s everywhere stays in their workspace', c.name,
                 format(v.command, m.tablename, m.touches)))
  FROM matrix m CROSS JOIN caller c
  CROSS JOIN (VALUES ('UPDATE %I SET %I = %2$I'), ('DELETE FROM %I')) v(command)
 WHERE c.role = 'authenticated' AND m.reads IN ('workspace', 'own') ORDER BY m.tablename, c.name;

-- What members add without naming a workspace belongs to their own, and is theirs.
SELECT is(pg_temp.attempt(c,
                          NULL,
                          format('WITH new AS (INSERT INTO %I %s RETURNING *) SELECT FROM new WHERE '
                                 'workspace_id = %L AND created_by = get_user_id() %s',
                                 m.tablename,
                                 pg_temp.statement(s.member, NULL, NULL),
                                 c.workspace,
                                 CASE WHEN EXISTS (SELECT FROM information_schema.columns i
                                                    WHERE i.table_name = m.tablename
                                                      AND i.column_name = 'user_id')
                                          THEN 'AND user_id = get_user_id()'
                                      ELSE '' END)), '1',
          format('%s: a new row of %s is their workspace''s and their own', c.name, m.tablename))
  FROM matrix m JOIN sample s USING (tablename) CROSS JOIN caller c
 WHERE s.member IS NOT NULL AND c.workspace IS NOT NULL
   AND (m.inserts = 'member' OR c.rank IN ('owner', 'admin')) ORDER BY m.tablename,
       c.name;

-- An UPDATE cannot hand a row to another workspace: not as a member, to whom the column is closed ...
SELECT is(pg_temp.attempt(c, NULL,
                          format('UPDATE %I SET workspace_id = %L', m.tablename,
                                 'b0000000-0000-4000-8000-000000000001')),
          'refused',
          format('%s: rows of %s stay in their workspace', c.name, m.tablename))
  FROM matrix m CROSS JOIN caller c
 WHERE NOT pg_temp.is_global(m.tablename) AND m.tablename <> 'workspaces'
   AND c.role IN ('authenticated', 'anon') ORDER BY m.tablename,
       c.name;
-- ... and not even where every column has been granted to them.
GRANT INSERT, UPDATE
    ON queries, saved_searches, leads, integrations, people_search_results, saved_people_searches,
       export_jobs, users, workspaces, notification_preferences
    TO authenticated;
SELECT is(pg_temp.attempt(c, NULL,
                          format('UPDATE %I SET workspace_id = %L', m.tablename,
                                 'b0000000-0000-4000-8000-000000000001')),
          CASE WHEN c.workspace IS NULL OR c.rank = 'member' AND m.updates = 'admin' THEN '0'
               ELSE 'refused' END,
          format('%s, granted all columns: rows of %s stay in their workspace', c.name, m.tablename))
  FROM matrix m CROSS JOIN caller c
 WHERE m.tablename <> 'workspaces' AND m.updates <> 'none' AND c.role = 'authenticated'
   AND c.name <> 'other owner'
 ORDER BY m.tablename, c.name;
SELECT is(pg_temp.attempt(c, NULL,
                          format('INSERT INTO %I %s', m.tablename, pg_temp.statement(s.service, w.id, NULL))),
          'refused',
          format('%s, granted all columns: no row of %s into another workspace', c.name, m.tablename))
  FROM matrix m JOIN sample s USING (tablename) CROSS JOIN caller c
  JOIN workspaces w ON w.slug IN ('matrix-a', 'matrix-b') AND w.id IS DISTINCT FROM c.workspace
 WHERE m.inserts <> 'none' AND c.role = 'authenticated' ORDER BY m.tablename, c.name;

-- References: for no role can a row of one workspace point to one of another --------------------------------

-- the message names a partition where leads has some
SELECT is(regexp_replace(pg_temp.attempt(ROW(c.*)::caller, NULL,
              CASE WHEN k.conrelid = 'credit_usage'::regclass      -- append-only
                   THEN format('INSERT INTO credit_usage (workspace_id, action_type, credits_used, '
                               '%I) SELECT %L, ''people_search'', 1, id FROM users WHERE workspace_id = %L '
                               'LIMIT 1',
                               a.attname, 'a0000000-0000-4000-8000-000000000001',
                               'b0000000-0000-4000-8000-000000000001')
                   ELSE format('UPDATE %1$s SET %2$I = (SELECT id FROM %3$s WHERE workspace_id = %4$L LIMIT '
                               '1) WHERE ctid = (SELECT ctid FROM %1$s WHERE %5$s LIMIT 1)',
                               k.conrelid::regclass, a.attname, k.confrelid::regclass,
                               'b0000000-0000-4000-8000-000000000001',
                               pg_temp.whose(k.conrelid::regclass::text,
                                             'a0000000-0000-4000-8000-000000000001')) END),
              '"leads_p\d+"', '"leads"'),
          format('23503: insert or update on table "%s" violates foreign key constraint "%s"',
                 k.conrelid::regclass, k.conname),
          format('%s: %s.%s names no row of another workspace', c.name, k.conrelid::regclass, a.attname))
  FROM pg_constraint k
  JOIN pg_extension e ON e.extname = 'openinfo' AND k.connamespace = e.extnamespace
  JOIN pg_attribute a
      ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND a.attname NOT IN ('id', 'workspace_id')
  JOIN (SELECT * FROM caller UNION ALL SELECT 'superuser', session_user, NULL, NULL, NULL, NULL) c
      ON c.name = 'superuser'
      OR c.name IN ('service', 'bypass') AND k.conrelid::regclass::text !~ '^(sealed|invitations$)'
 WHERE k.conparentid = 0 AND k.contype = 'f' AND cardinality(k.conkey) = 2
 ORDER BY k.conrelid::regclass::text, a.attname, c.name;
SELECT cmp_ok((SELECT count(*)::int FROM pg_constraint WHERE contype = 'f' AND cardinality(conkey) = 2), '>=',
              20, 'there are such references');

-- Deleting everything that one workspace has leaves the other as it is, for the backend too.
SELECT is(pg_temp.attempt(c, NULL, $$ DELETE FROM workspaces WHERE slug = 'matrix-a' $$,
                          'b0000000-0000-4000-8000-000000000001'),
          '1',
          c.name || ': deleting a workspace leaves the others alone')
  FROM caller c WHERE c.role NOT IN ('authenticated', 'anon') ORDER BY c.name;

-- Functions: an id of another workspace gets the answer that one gets which does not exist ------------------

-- A call whose ids are those of a workspace, or, with NULL, ids that nobody has; p_at names the one argument
-- whose id is to be another workspace's.  The other arguments are whatever fits.
CREATE FUNCTION pg_temp.call(p_function oid, p_workspace uuid, p_at text DEFAULT NULL,
                             p_instead uuid DEFAULT NULL)
    RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_arg   record;
    v_whose uuid;
    v_value text;
    v_args  text[] := '{}';
BEGIN
    FOR v_arg IN
        SELECT a.name, t.oid::regtype::text AS type, t.typtype
          FROM pg_proc p CROSS JOIN LATERAL unnest(p.proargtypes, p.proargnames[:p.pronargs]) a(type, name)
          JOIN pg_type t ON t.oid = a.type WHERE p.oid = p_function
    LOOP
        v_whose := CASE WHEN v_arg.name = p_at THEN p_instead ELSE p_workspace END;
        v_value := CASE WHEN v_arg.typtype = 'e' THEN NULL WHEN v_arg.name = 'p_on_conflict' THEN 'skip'
                        WHEN v_arg.type = 'text' THEN 'a name'
                        WHEN v_arg.name ~ 'leads' THEN '[{"name": "L"}]' WHEN v_arg.type = 'jsonb' THEN '{}'
                        WHEN v_arg.type ~ 'int' THEN '1'
                        WHEN v_arg.type <> 'uuid' THEN NULL
                        WHEN v_whose IS NULL THEN 'e0000000-0000-4000-8000-0000000000ee' END;
        IF v_arg.typtype = 'e' THEN
            EXECUTE format('SELECT (enum_range(NULL::%s))[1]', v_arg.type) INTO v_value;
        ELSIF v_arg.type = 'uuid' AND v_whose IS NOT NULL THEN
            EXECUTE CASE WHEN v_arg.name ~ 'workspace' THEN 'SELECT $1'
                         WHEN v_arg.name ~ 'auth_user'
                             THEN 'SELECT auth_user_id FROM users '
                                  'WHERE workspace_id = $1 AND role = ''owner'''
                         ELSE format('SELECT id FROM %I WHERE workspace_id = $1 ORDER BY %s LIMIT 1',
                                     CASE WHEN v_arg.name ~ 'user' THEN 'users'
                                          WHEN v_arg.name ~ 'query' THEN 'queries'
                                          WHEN v_arg.name ~ 'result' THEN 'people_search_results'
                                          WHEN v_arg.name ~ 'integration' THEN 'integrations'
                                          WHEN v_arg.name ~ 'search' THEN 'saved_people_searches'
                                          WHEN v_arg.name ~ 'lead' THEN 'leads' ELSE 'credit_usage' END,
                                     CASE WHEN v_arg.name ~ 'user' THEN 'role' ELSE 'id' END) END
                INTO v_value USING v_whose;
        END IF;
        v_args := v_args || format('%I => %L::%s', v_arg.name, v_value, v_arg.type);
    END LOOP;
    RETURN format('SELECT string_agg(answer::text, '' '') FROM %s(%s) answer', p_function::regproc,
                  array_to_string(v_args, ', '));
END
$$;
-- What a call answers, and whether it changed another workspace.
CREATE FUNCTION pg_temp.answer(p_caller caller, p_call text, p_keep uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_before text := pg_temp.fingerprint(p_keep);
    v_result text;
BEGIN
    BEGIN
        PERFORM set_config('request.jwt.claims',
                           CASE WHEN p_caller.auth_user_id IS NULL THEN ''
                                ELSE json_build_object('sub', p_caller.auth_user_id)::text END,
                           true),
                set_config('openinfo.workspace_id', coalesce(p_caller.asks::text, ''), true);
        EXECUTE format('SET LOCAL ROLE %I', p_caller.role);
        EXECUTE p_call INTO v_result;
        RESET ROLE;
        v_result := 'answer: ' || coalesce(v_result, 'none')
        || CASE WHEN pg_temp.fingerprint(p_keep) <> v_before THEN ', and the other workspace has changed'
                ELSE '' END;
        RAISE EXCEPTION USING ERRCODE = 'UNDO0', MESSAGE = v_result;
    EXCEPTION WHEN OTHERS THEN
        v_result := CASE SQLSTATE WHEN 'UNDO0' THEN SQLERRM ELSE format('%s: %s', SQLSTATE, SQLERRM) END;
    END;
    -- ids that were handed in may come back, new ones are never the same
    RETURN regexp_replace(v_result, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'UUID', 'g');
END
$$;
-- An immutable function reads no table.
CREATE TEMP VIEW callable_with_ids AS
    SELECT p.oid,
           p.oid::regprocedure::text AS signature,
           ARRAY(SELECT p.proargnames[i]
                   FROM generate_series(1, p.pronargs) i WHERE p.proargtypes[i - 1] = 'uuid'::regtype) AS ids
      FROM pg_proc p JOIN pg_extension e ON e.extname = 'openinfo' AND p.pronamespace = e.extnamespace
     WHERE has_function_privilege('authenticated', p.oid, 'EXECUTE') AND p.provolatile <> 'i'
       AND 'uuid'::regtype = ANY (p.proargtypes);
CREATE TEMP TABLE called ON COMMIT DROP AS
    SELECT f.signature, c.name AS caller, c.workspace,
           pg_temp.answer(c, pg_temp.call(f.oid, x.id), x.id) AS of_other,
           pg_temp.answer(c, pg_temp.call(f.oid, NULL), x.id) AS of_nobody,
           CASE WHEN c.workspace
                    IS NOT NULL THEN pg_temp.answer(c, pg_temp.call(f.oid, c.workspace), x.id) END AS of_own
      FROM callable_with_ids f
     CROSS JOIN caller c
      JOIN workspaces x ON x.slug = CASE WHEN c.name = 'other owner' THEN 'matrix-a' ELSE 'matrix-b' END
     WHERE c.role = 'authenticated' AND c.name <> 'intruder';

SELECT is(of_other, of_nobody, format('%s: %s, of another workspace, is as of none', caller, signature))
  FROM called ORDER BY signature, caller;
SELECT matches(of_other,
               CASE WHEN caller = 'nobody' THEN '^PT401: ' ELSE '^42501: ' END,
               format('%s: %s, of another workspace, is refused', caller, signature))
  FROM called ORDER BY signature, caller;
-- Refused is what is another's: the same call for one's own workspace is not.
SELECT doesnt_match(of_own,
                    '^(PT401|42501: permission denied for (workspace|function|table))',
                    format('%s: %s, of their own workspace', caller, signature))
  FROM called WHERE caller IN ('owner', 'other owner') ORDER BY signature, caller;

-- One id of another workspace among one's own.
SELECT is(pg_temp.answer(c, pg_temp.call(f.oid, c.workspace, i, x.id), x.id),
          pg_temp.answer(c, pg_temp.call(f.oid, c.workspace, i, NULL), x.id),
          format('%s: %s, whose %s is of another workspace, is as of none', c.name, f.signature, i))
  FROM callable_with_ids f CROSS JOIN LATERAL unnest(f.ids) i JOIN caller c ON c.name IN ('owner', 'member')
  JOIN workspaces x ON x.slug = 'matrix-b' ORDER BY f.signature, c.name, i;

SELECT * FROM finish();
ROLLBACK;
