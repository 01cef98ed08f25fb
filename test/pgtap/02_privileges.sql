-- What each API role may do, column by column and function by function: what PostgreSQL says
-- (has_..._privilege) and what it does.  What is not listed here is refused.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

SELECT extnamespace::regnamespace AS schema FROM pg_extension WHERE extname = 'openinfo' \gset

CREATE TEMP VIEW our_table AS
    SELECT c.oid, c.relname::text AS name
      FROM pg_class c WHERE c.relnamespace = :'schema'::regnamespace AND c.relkind IN ('r', 'p')
       AND NOT c.relispartition;
CREATE TEMP VIEW our_column AS
    SELECT t.oid AS relid, t.name AS tablename, a.attname::text AS name, a.attnum, a.attgenerated
      FROM our_table t JOIN pg_attribute a ON a.attrelid = t.oid WHERE a.attnum > 0 AND NOT a.attisdropped;

-- Tables: what "authenticated" may read, and the columns that it may write ----------------------------------

CREATE TEMP TABLE granted (tablename text, reads boolean, inserts text[], updates text[], deletes boolean)
    ON COMMIT DROP;
INSERT INTO granted SELECT * FROM api_privileges();
SELECT is_empty($$ SELECT relname FROM api_privileges(), pg_proc
                    WHERE proname = 'revoke_default_privileges'
                      AND strpos(prosrc, quote_literal(relname)) = 0 $$,
    'the event trigger knows every table');
-- api_privileges() says what is meant; that it is meant so, this says again for what matters most.
SELECT is_empty($$ SELECT relname FROM api_privileges() WHERE reads AND relname IN
        ('sealed_contacts', 'sealed_secrets', 'integration_events', 'expired_export_files',
         'schema_migrations', 'visible_fields', 'workspace_creations') $$,
    'sealed tables and what workers use are closed');
SELECT is_empty($$ SELECT relname FROM api_privileges() WHERE inserts <> '{}' AND relname NOT IN
        ('queries', 'saved_searches', 'leads', 'export_jobs', 'people_search_results',
         'saved_people_searches', 'integrations') $$,
    'members insert into seven tables');
SELECT is_empty($$ SELECT relname FROM api_privileges() WHERE deletes AND relname NOT IN
        ('queries', 'saved_searches', 'leads', 'export_jobs', 'people_search_results',
         'saved_people_searches', 'integrations') $$,
    'members delete from the same');
SELECT is_empty($$ SELECT relname FROM api_privileges() WHERE updates <> '{}' AND relname NOT IN
        ('workspaces', 'users', 'queries', 'saved_searches', 'leads', 'saved_people_searches', 'integrations',
         'notification_preferences') $$,
    'members update eight');
SELECT results_eq($$ SELECT updates FROM api_privileges() WHERE relname = 'users' $$,
                  $$ VALUES ('{avatar_url,full_name,last_login_at}'::text[]) $$,
    'neither role nor plan nor credits of a member');
SELECT is_empty($$ SELECT relname, c FROM api_privileges() CROSS JOIN unnest(inserts || updates) c
     WHERE c IN ('id', 'workspace_id', 'user_id', 'created_by', 'created_at', 'updated_at')
        OR c ~ '(credits_|daily_credit|attempts|lease|revealed|stripe|total_)' $$,
    'no column that openinfo itself keeps');

SELECT set_eq($$ SELECT name FROM our_table $$, $$ SELECT tablename FROM granted $$,
              'every table of the schema is listed here');
SELECT is_empty($$ SELECT g.tablename, c FROM granted g CROSS JOIN unnest(g.inserts || g.updates) c
                    WHERE NOT EXISTS (SELECT FROM our_column o
                                       WHERE o.tablename = g.tablename AND o.name = c) $$,
    'every column listed here exists');

-- In the order of the columns, so that the arrays compare.
CREATE FUNCTION pg_temp.sorted(p_table text, p_columns text[]) RETURNS text[] LANGUAGE sql AS $$
    SELECT coalesce(array_agg(name ORDER BY attnum), '{}')
      FROM our_column WHERE tablename = p_table AND name = ANY (p_columns);
$$;
CREATE FUNCTION pg_temp.columns_with(p_role text, p_table text, p_privilege text) RETURNS text[]
    LANGUAGE sql AS $$
    SELECT coalesce(array_agg(name ORDER BY attnum), '{}')
      FROM our_column WHERE tablename = p_table AND has_column_privilege(p_role, relid, attnum, p_privilege);
$$;

SELECT is(has_table_privilege('authenticated', tablename, 'SELECT'), reads,
          format('authenticated: SELECT on %s', tablename))
  FROM granted ORDER BY tablename;
SELECT is(has_table_privilege('authenticated', tablename, 'DELETE'), deletes,
          format('authenticated: DELETE on %s', tablename))
  FROM granted ORDER BY tablename;
SELECT is(pg_temp.columns_with('authenticated', tablename, 'INSERT'),
          pg_temp.sorted(tablename, inserts),
          format('authenticated: columns that INSERT into %s may name', tablename))
  FROM granted ORDER BY tablename;
SELECT is(pg_temp.columns_with('authenticated', tablename, 'UPDATE'),
          pg_temp.sorted(tablename, updates),
          format('authenticated: columns that UPDATE of %s may set', tablename))
  FROM granted ORDER BY tablename;
SELECT is_empty(format($$ SELECT o.name FROM our_column o
                           WHERE o.tablename = %L
                             AND has_column_privilege('authenticated', relid, attnum, 'SELECT')
                                 <> %L::boolean $$,
                       tablename,
                       reads),
                format('authenticated: all or none of the columns of %s may be read', tablename)) FROM granted
 ORDER BY tablename;

-- The same by doing it, for each role inside the workspace --------------------------------------------------

INSERT INTO workspaces (id, slug, name) VALUES ('a0000000-0000-4000-8000-000000000002', 'privileges', 'P');
INSERT INTO users (workspace_id, auth_user_id, email, role, plan)
    SELECT 'a0000000-0000-4000-8000-000000000002', md5('privileges' || r)::uuid, r || '@example.com', r,
           'enterprise'
      FROM unnest(enum_range(NULL::user_role)) r;

-- Says whether a statement is refused for want of a privilege; whatever else
-- becomes of it does not matter here.
CREATE FUNCTION pg_temp.permitted(p_role text, p_rank text, p_command text) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    v_message text;
BEGIN
    BEGIN
        PERFORM set_config('request.jwt.claims',
                           CASE WHEN p_rank IS NULL THEN ''
                                ELSE json_build_object('sub', md5('privileges' || p_rank)::uuid)::text END,
                           true);
        EXECUTE format('SET LOCAL ROLE %I', p_role);
        EXECUTE p_command;
        RAISE EXCEPTION USING ERRCODE = 'UNDO0';
    EXCEPTION WHEN OTHERS THEN
        v_message := CASE WHEN SQLSTATE = '42501' THEN SQLERRM END;
    END;
    RETURN v_message IS NULL
           OR v_message !~ '^permission denied for (table|function|procedure|view|schema|sequence) ';
END
$$;

-- A generated column can only be set to DEFAULT, and says so before any privilege is looked at.
SELECT is(ARRAY(SELECT o.name FROM our_column o
                 WHERE o.tablename = g.tablename
                   AND pg_temp.permitted('authenticated',
                                         r::text,
                                         format('UPDATE %I SET %I = %s',
                                                o.tablename,
                                                o.name,
                                                CASE o.attgenerated WHEN '' THEN quote_ident(o.name)
                                                         ELSE 'DEFAULT' END)) ORDER BY o.attnum),
          pg_temp.sorted(g.tablename, g.updates),
          format('%s: UPDATE of %s, column by column', r, g.tablename))
  FROM granted g CROSS JOIN unnest(enum_range(NULL::user_role)) r ORDER BY g.tablename, r;
SELECT is(ARRAY(SELECT o.name FROM our_column o
                 WHERE o.tablename = g.tablename
                   AND pg_temp.permitted('authenticated', r::text,
                                         format('INSERT INTO %I (%I) VALUES (DEFAULT)', o.tablename, o.name))
                       ORDER BY o.attnum),
          pg_temp.sorted(g.tablename, g.inserts),
          format('%s: INSERT into %s, column by column', r, g.tablename))
  FROM granted g CROSS JOIN unnest(enum_range(NULL::user_role)) r ORDER BY g.tablename, r;
SELECT is(pg_temp.permitted('authenticated', r::text, format('SELECT * FROM %I', g.tablename)),
          g.reads,
          format('%s: SELECT * FROM %s', r, g.tablename))
  FROM granted g CROSS JOIN unnest(enum_range(NULL::user_role)) r ORDER BY g.tablename, r;
-- What PostgREST sends when it returns the rows that it has written.
SELECT ok(pg_temp.permitted('authenticated',
                            'owner',
                            format('INSERT INTO %I (%s) VALUES (%s) RETURNING *', tablename,
                                   array_to_string(inserts, ', '),
                                   array_to_string(array_fill('DEFAULT'::text, ARRAY[cardinality(inserts)]),
                                                   ', '))),
          format('owner: INSERT INTO %s ... RETURNING *', tablename)) FROM granted WHERE inserts <> '{}'
 ORDER BY tablename;

-- Nothing for anon, and TRUNCATE, REFERENCES and TRIGGER for nobody -----------------------------------------

SELECT is_empty($$ SELECT name, p FROM our_table
                     CROSS JOIN unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) p
                    WHERE has_any_column_privilege('anon', oid, p) $$,
                'anon: no column of any table');
SELECT is_empty($$ SELECT name, p FROM our_table CROSS JOIN unnest('{DELETE,TRUNCATE,TRIGGER}'::text[]) p
                    WHERE has_table_privilege('anon', oid, p) $$,
                'anon: no table');
SELECT is_empty($$ SELECT name FROM our_table
                    WHERE pg_temp.permitted('anon', 'owner', format('SELECT FROM %I', name))
                       OR pg_temp.permitted('anon', 'owner', format('SELECT count(*) FROM %I', name)) $$,
    'anon: not even a count, whatever its claims say');
SELECT is_empty($$ SELECT name, r, p FROM our_table
                     CROSS JOIN unnest('{anon,authenticated,service_role}'::text[]) r
                     CROSS JOIN unnest('{TRUNCATE,TRIGGER}'::text[]) p
                    WHERE has_table_privilege(r, oid, p) $$,
    'TRUNCATE and TRIGGER: nobody');
SELECT is_empty($$ SELECT name, r FROM our_table
                     CROSS JOIN unnest('{anon,authenticated,service_role}'::text[]) r
                    WHERE has_any_column_privilege(r, oid, 'REFERENCES') $$,
                'REFERENCES: nobody');
SELECT is_empty($$ SELECT name, r FROM our_table
                     CROSS JOIN unnest('{anon,authenticated,service_role}'::text[]) r
                    WHERE current_setting('server_version_num')::int >= 170000
                      AND has_table_privilege(r, oid, 'MAINTAIN') $$,
    'MAINTAIN: nobody, where it exists');
SELECT is_empty($$ SELECT t.name, a.grantee::regrole, a.privilege_type
                     FROM our_table t JOIN pg_class c USING (oid) CROSS JOIN LATERAL aclexplode(c.relacl) a
                    WHERE a.grantee = 0 OR a.is_grantable AND a.grantee <> c.relowner $$,
    'no privilege is PUBLIC''s, and none may be passed on');
SELECT is_empty($$ SELECT o.tablename, o.name, a.grantee::regrole
                     FROM our_column o JOIN pg_attribute t ON t.attrelid = o.relid AND t.attnum = o.attnum
                     CROSS JOIN LATERAL aclexplode(t.attacl) a WHERE a.grantee = 0 OR a.is_grantable $$,
    'and no column''s');

-- service_role ----------------------------------------------------------------------------------------------

SELECT is_empty($$ SELECT name, p FROM our_table CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p
                    WHERE name
                        NOT IN ('sealed_contacts', 'sealed_secrets', 'schema_migrations', 'visible_fields',
                                'invitations', 'workspace_creations')
                      AND NOT has_table_privilege('service_role', oid, p) $$,
    'service_role works in every table');
SELECT is_empty($$ SELECT name, p FROM our_table
                     CROSS JOIN unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) p
                    WHERE name IN ('sealed_contacts', 'sealed_secrets')
                      AND has_any_column_privilege('service_role', oid, p) $$,
    '... but in the sealed ones');
SELECT is_empty($$ SELECT t, p FROM unnest('{schema_migrations,visible_fields,invitations,'
                                          'workspace_creations}'::text[]) t
                     CROSS JOIN unnest('{INSERT,UPDATE,DELETE}'::text[]) p
                    WHERE has_table_privilege('service_role', t, p) $$,
                '... and only reads what functions and the operator alone write');

-- Functions -------------------------------------------------------------------------------------------------

-- Who may call what.  user: "authenticated" and the service; service: the service alone (what the
-- scheduler runs as the owner of the jobs too); nobody: what the extension uses itself.
CREATE TEMP TABLE callable (name text, caller text) ON COMMIT DROP;
INSERT INTO callable VALUES
    ('get_user_workspace_id', 'user'),
    ('get_user_id', 'user'),
    ('user_has_role', 'user'),
    ('create_workspace', 'user'),
    ('add_member', 'user'),
    ('set_member_role', 'user'),
    ('remove_member', 'user'),
    ('leave_workspace', 'user'),
    ('get_my_workspaces', 'user'), ('delete_workspace', 'user'),
    ('invite_member', 'user'), ('accept_invitation', 'user'), ('revoke_invitation', 'user'),
    ('reset_daily_credits', 'service'),
    ('search_topics', 'user'),
    ('get_trending_gainers', 'user'),
    ('get_trending_losers', 'user'),
    ('update_topic_trends', 'service'),
    ('check_query_limit', 'user'),
    ('get_active_queries_for_processing', 'service'),
    ('update_query_run_time', 'service'),
    ('increment_query_leads', 'service'),
    ('reset_weekly_lead_counts', 'service'), ('generate_query_name', 'user'),
    ('check_credits_available', 'user'),
    ('record_credit_usage', 'user'),
    ('get_credit_balance', 'user'),
    ('ingest_leads', 'user'), ('search_leads', 'user'),
    ('get_leads_pending_enrichment', 'service'),
    ('get_leads_pending_delivery', 'service'),
    ('update_lead_enrichment', 'service'),
    ('update_lead_delivery', 'service'),
    ('cleanup_expired_exports', 'service'), ('get_workspace_stats', 'user'),
    ('reveal_person_email', 'user'), ('search_people', 'user'), ('count_people', 'user'),
    ('person_exists', 'user'), ('get_people_search_stats', 'user'), ('update_saved_search_usage', 'user'),
    ('export_people_to_csv', 'user'),
    ('get_integration_config', 'user'),
    ('send_integration_event', 'service'),
    ('record_integration_error', 'service'),
    ('get_integration_events_pending', 'service'),
    ('update_integration_event', 'service'),
    ('has_active_subscription', 'user'),
    ('update_workspace_plan', 'service'),
    ('record_billing_event', 'service'),
    ('get_billing_summary', 'user'),
    ('schedule_jobs', 'service'),
    ('unschedule_jobs', 'service');
CREATE TEMP TABLE internal (name text, caller text) ON COMMIT DROP;
INSERT INTO internal VALUES
    -- in an index, and so called by any role that writes a lead or a person
    ('is_blank', 'user'), ('lead_domain', 'user'), ('lead_search_keys', 'user'), ('person_name', 'user'),
    ('person_company', 'user'), ('person_seniority', 'user'),
    -- what the functions on people ask, as the owner of the tables
    ('person_email', 'user'), ('person_matches', 'nobody'),
    -- the list of visible fields: its index, the checklist, and what only the operator calls
    ('visible_field_name', 'service'),
    ('default_visible_fields', 'service'),
    ('is_sealed', 'service'),
    ('reseal', 'nobody'),
    -- behind views, which ask as their caller; and the checklist
    ('job_status', 'service'),
    ('tenant_metrics', 'service'),
    ('security_checklist', 'service'),
    ('api_privileges', 'service'),
    -- in an index too, for any role that writes a topic; and what only the index itself calls
    ('topic_search_keys', 'service'),
    ('topic_keys_extract', 'nobody'),
    ('topic_keys_scan', 'nobody'),
    ('topic_keys_in_range', 'nobody'),
    ('topic_keys_answer', 'nobody'),
    ('owner_rights', 'service'),
    ('schema_creators', 'service'),
    ('require_trusted_schema', 'nobody'), ('require_owned_tables', 'nobody'), ('execute_as_owner', 'nobody'),
    ('secure_table', 'nobody'),
    ('lock_tables', 'nobody'),
    ('comment_on_table', 'nobody'),
    ('create_computed_field', 'nobody'),
    ('apply_migrations', 'nobody'),
    ('table_routines', 'nobody'), ('table_parts', 'nobody'), ('table_obstacles', 'nobody'),
    ('grant_statements', 'nobody'), ('table_definition', 'nobody'),
    ('table_distribution', 'nobody'), ('is_distributed', 'service'), ('require_cluster', 'nobody'),
    ('require_one_server', 'nobody'), ('require_plain_leads', 'nobody'), ('grant_on_shards', 'nobody'),
    ('distribute_tables', 'nobody'), ('undistribute_tables', 'nobody'), ('distribute', 'nobody'),
    ('undistribute', 'nobody'),
    ('rebuild_leads', 'nobody'), ('partition_leads', 'nobody'), ('unpartition_leads', 'nobody'),
    ('forbid_data_loss', 'nobody'), ('drop_table_if_empty', 'nobody'), ('drop_column_if_empty', 'nobody');

CREATE TEMP VIEW our_function AS
    SELECT p.oid, p.oid::regprocedure::text AS signature, p.proname::text AS name,
           CASE WHEN p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype)
                    OR p.proname ~ '^migration_\d+_' THEN 'nobody'
                WHEN p.proname ~ '^api_privileges_\d+$' THEN 'service'
                WHEN p.proname ~ '^check(ed|list)_' THEN 'service'
                ELSE (SELECT caller FROM (TABLE callable UNION ALL TABLE internal) l
                       WHERE l.name = p.proname) END AS caller,
           -- a constant NULL for a strict function would be folded before anybody looks at privileges
           (SELECT format(CASE p.prokind WHEN 'p' THEN 'CALL %s()'
                                         ELSE 'SELECT %s(%s) FROM (SELECT %s OFFSET 0) arguments' END,
                          p.oid::regproc,
                          string_agg('a' || i, ', ' ORDER BY i),
                          string_agg(format('NULL::%s AS a%s', format_type(t, NULL), i), ', ' ORDER BY i))
              FROM unnest(p.proargtypes) WITH ORDINALITY a(t, i)) AS call
      FROM pg_proc p
      JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
      JOIN pg_extension e
          ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'openinfo';

-- A function added later fails here until it is listed.
SELECT is_empty($$ SELECT signature FROM our_function WHERE caller IS NULL $$,
                'every function is listed here');
SELECT is_empty($$ SELECT name, count(*) FROM our_function GROUP BY name HAVING count(*) > 1 $$,
                'no function is overloaded: clients call them by named arguments');
SELECT is_empty($$ SELECT name FROM callable EXCEPT SELECT name FROM our_function $$,
                'every documented function is there');

SELECT is(array_remove(ARRAY[CASE WHEN has_function_privilege('anon', oid, 'EXECUTE') THEN 'anon' END,
                             CASE WHEN has_function_privilege('authenticated', oid, 'EXECUTE')
                                      THEN 'authenticated' END,
                             CASE WHEN has_function_privilege('service_role', oid, 'EXECUTE')
                                      THEN 'service_role' END], NULL),
          CASE caller WHEN 'user' THEN '{authenticated,service_role}' WHEN 'service' THEN '{service_role}'
                   ELSE '{}' END::text[],
          format('EXECUTE on %s', signature))
  FROM our_function ORDER BY signature;
-- The same by calling it.  Trigger functions follow; what takes an "internal" can be called by no statement.
SELECT is(ARRAY(SELECT signature FROM our_function f JOIN pg_proc p USING (oid)
                 WHERE p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
                   AND 'pg_catalog.internal'::regtype <> ALL (p.proargtypes::oid[])
                   AND pg_temp.permitted(r.role, r.rank, call) ORDER BY 1),
          ARRAY(SELECT signature FROM our_function WHERE r.role = 'authenticated' AND caller = 'user'
                 ORDER BY 1),
          format('%s (%s): what it can call', r.role, r.rank))
  FROM (VALUES ('anon', 'owner'),
               ('authenticated', 'owner'),
               ('authenticated', 'member'),
               ('authenticated', NULL)) r(role, rank);
-- Not executable, so that users cannot put one on a table of their own.
CREATE TABLE pg_temp.own_table (id uuid, workspace_id uuid, created_by uuid, updated_at timestamptz,
                                person_data jsonb, config jsonb);
GRANT ALL ON pg_temp.own_table TO anon, authenticated, service_role;
SELECT is_empty(format($$ SELECT signature, r FROM our_function f JOIN pg_proc p USING (oid)
                            CROSS JOIN unnest('{anon,authenticated,service_role}'::text[]) r
                           WHERE p.prorettype = 'trigger'::regtype
                             AND pg_temp.permitted(r, 'owner',
                                                   'CREATE TRIGGER t BEFORE INSERT ON own_table FOR EACH ROW '
                                                   'EXECUTE FUNCTION ' || signature) $$),
    'nobody can make a trigger of one');

SELECT * FROM finish();
ROLLBACK;
