-- The rules that everything in the catalog must obey: tables, functions, types, and what hangs on them.
-- A rule speaks of all that is there, so that an object added later is held to it too.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT plan(74);

SELECT extnamespace::regnamespace AS schema FROM pg_extension WHERE extname = 'openinfo' \gset

CREATE TEMP VIEW our_table AS
    SELECT c.oid, c.relname::text AS name, c.relrowsecurity, c.relforcerowsecurity, c.relowner
      FROM pg_class c WHERE c.relnamespace = :'schema'::regnamespace AND c.relkind IN ('r', 'p')
       AND NOT c.relispartition;

CREATE TEMP VIEW our_member AS
    SELECT d.classid, d.objid
      FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
     WHERE e.extname = 'openinfo' AND d.deptype = 'e';

-- Functions that are members, and the ones of the auth schema that the
-- extension creates where they are missing.
CREATE TEMP VIEW our_function AS
    SELECT p.*, p.oid::regprocedure::text AS signature, l.lanname,
           EXISTS (SELECT FROM our_member m WHERE m.objid = p.oid AND m.classid = 'pg_proc'::regclass)
               AS member
      FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
     WHERE EXISTS (SELECT FROM our_member m WHERE m.objid = p.oid AND m.classid = 'pg_proc'::regclass)
        OR p.oid IN ('auth.uid()'::regprocedure, 'auth.jwt()'::regprocedure, 'auth.role()'::regprocedure);

CREATE TEMP VIEW our_policy AS
    SELECT p.*, t.name AS tablename, pg_get_expr(p.polqual, p.polrelid) AS using_text,
           pg_get_expr(p.polwithcheck, p.polrelid) AS check_text
      FROM pg_policy p JOIN our_table t ON t.oid = p.polrelid;

CREATE TEMP VIEW our_fkey AS
    SELECT k.*, t.name AS tablename, f.name AS referred,
           ARRAY(SELECT a.attname::text
                   FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
                   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY i) AS columns,
           ARRAY(SELECT a.attname::text
                   FROM unnest(k.confkey) WITH ORDINALITY u(n, i)
                   JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY i)
               AS referred_columns
      FROM pg_constraint k JOIN our_table t ON t.oid = k.conrelid LEFT JOIN our_table f ON f.oid = k.confrelid
     WHERE k.contype = 'f' AND k.conparentid = 0;

-- One row per key column of an index, written so that two equal texts order and compare alike.
CREATE TEMP VIEW our_index_key AS
    SELECT i.indexrelid, i.indrelid, n AS position,
           pg_get_indexdef(i.indexrelid, n, true) || ' ' || i.indclass[n - 1] || ' ' || i.indcollation[n - 1]
           || ' ' || i.indoption[n - 1] AS key
      FROM pg_index i JOIN our_table t ON t.oid = i.indrelid
      CROSS JOIN LATERAL generate_series(1, i.indnkeyatts) n;

-- The fifteen tables that applications are written against, and those that do not belong to a workspace.
CREATE TEMP TABLE fifteen (name text) ON COMMIT DROP;
INSERT INTO fifteen
    VALUES ('workspaces'), ('users'), ('global_topics'), ('trends'), ('queries'), ('saved_searches'),
           ('leads'), ('credit_usage'),
    ('export_jobs'), ('people_search_results'), ('saved_people_searches'), ('integrations'),
    ('billing_events'), ('notification_preferences'), ('stripe_customers');
CREATE TEMP TABLE global (name text) ON COMMIT DROP;
INSERT INTO global
    VALUES ('workspaces'), ('global_topics'), ('trends'), ('plans'), ('visible_fields'),
           ('schema_migrations'), ('workspace_creations');
CREATE TEMP VIEW tenant AS SELECT * FROM our_table WHERE name NOT IN (SELECT name FROM global);

-- Row-level security ----------------------------------------------------------------------------------------

SELECT cmp_ok((SELECT count(*)::int FROM our_table), '>=', 21,
              'the rules below speak of tables that are there');
SELECT is_empty($$ SELECT name FROM our_table WHERE NOT relrowsecurity $$,
                'every table has row-level security');
SELECT is_empty($$ SELECT name FROM our_table WHERE NOT relforcerowsecurity $$,
                'every table forces row-level security on its owner');
SELECT is_empty($$ SELECT tablename, polname FROM our_policy WHERE 0 = ANY (polroles) $$,
                'every policy names its role; none is for PUBLIC');
SELECT is_empty($$ SELECT tablename, polname FROM our_policy WHERE 'anon'::regrole = ANY (polroles) $$,
                'no policy is for anon');
SELECT is_empty($$ SELECT tablename, polname FROM our_policy WHERE NOT polpermissive $$,
                'no policy is restrictive: a user adds those');
SELECT is_empty($$ SELECT tablename, polname FROM our_policy
                    WHERE polcmd IN ('*', 'w') AND polwithcheck IS NULL
                       OR polcmd = 'a' AND polwithcheck IS NULL $$,
    'every policy that lets rows be written says WITH CHECK');
SELECT is_empty($$ SELECT tablename, polname
                     FROM our_policy WHERE polcmd IN ('*', 'w') AND using_text IS DISTINCT FROM check_text $$,
    'what may be changed and what it may be changed into are the same');

-- A policy that reads a table with policies recurses, and one that reads any table is slow.
SELECT is_empty($$ SELECT tablename, polname FROM our_policy
                    WHERE polqual::text ~ ':rtekind 0' OR polwithcheck::text ~ ':rtekind 0' $$,
    'no policy reads a table');
SELECT is_empty($$
    SELECT p.tablename, p.polname, d.refobjid::regclass
      FROM our_policy p JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
     WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid <> p.polrelid
$$, 'no policy depends on another table');

-- ( SELECT f() ) is evaluated once per query, f() once per row.
SELECT is_empty($$
    SELECT tablename, polname, expression
      FROM our_policy CROSS JOIN LATERAL unnest(ARRAY[using_text, check_text]) expression
     WHERE regexp_replace(expression, '\( SELECT (\w+\.)?\w+\([^()]*\) AS \w+\)', '', 'g') ~ '\w\('
$$, 'a policy calls a function only inside a scalar sub-select');
SELECT isnt_empty($$ SELECT FROM our_policy WHERE using_text ~ 'SELECT (\w+\.)?get_user_workspace_id\(\)' $$,
                  '... and the rule above sees the calls');
SELECT is_empty($$
    SELECT p.tablename, p.polname FROM our_policy p JOIN tenant t ON t.oid = p.polrelid
     WHERE 'authenticated'::regrole = ANY (p.polroles)
       AND (coalesce(using_text, check_text) !~ 'workspace_id = \( SELECT (\w+\.)?get_user_workspace_id\(\)'
            OR coalesce(check_text, using_text)
                !~ 'workspace_id = \( SELECT (\w+\.)?get_user_workspace_id\(\)'
            OR using_text ~* '\mor\M' OR check_text ~* '\mor\M')
$$,
                'every policy of a tenant table for "authenticated" asks for the active workspace, '
                'without an alternative');

-- Membership of the extension -------------------------------------------------------------------------------

SELECT is_empty($$ SELECT c.oid::regclass
                     FROM our_member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
                    WHERE c.relkind <> 'v' $$,
    'no table, sequence or index is a member of the extension');
SELECT is_empty($$ SELECT pg_describe_object(classid, objid, 0) FROM our_member
                    WHERE classid NOT IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_class'::regclass,
                                          'pg_event_trigger'::regclass, 'pg_opclass'::regclass,
                                          'pg_opfamily'::regclass, 'pg_ts_dict'::regclass) $$,
    'its members are functions, types, views, event triggers, and the operator class and dictionary of the '
    'search');
SELECT is_empty($$ SELECT signature FROM our_function
                    WHERE NOT member AND pronamespace <> 'auth'::regnamespace $$,
                'only the auth shim is no member');
-- A member whose argument is the row type of a table that is none could not be dumped.
SELECT set_eq(format($$ SELECT p.oid::regprocedure::text FROM pg_proc p
                         WHERE p.pronamespace = %L::regnamespace
                           AND p.oid NOT IN (SELECT oid FROM our_function) $$,
                     :'schema'),
    format($$ SELECT format('%%1$s.%%2$s(%%1$s.%%3$s)', %L, f, t)::regprocedure::text
                FROM (VALUES ('lead_domain', 'leads'), ('person_name', 'people_search_results'),
        ('person_company', 'people_search_results'), ('person_seniority', 'people_search_results')) c (f,
                                                                                                       t) $$,
           :'schema'),
    'every function in the schema is a member, but the computed fields');
SELECT is_empty(format($$ SELECT p.oid::regprocedure, proowner::regrole, proacl FROM pg_proc p
     WHERE p.pronamespace = %L::regnamespace AND p.oid NOT IN (SELECT oid FROM our_function)
       AND (proowner <> 'openinfo_owner'::regrole OR prosecdef OR proconfig IS NOT NULL OR provolatile <> 'i'
            OR NOT has_function_privilege('authenticated', p.oid, 'EXECUTE')
            OR EXISTS (SELECT FROM aclexplode(proacl) a
                        WHERE a.grantee NOT IN ('openinfo_owner'::regrole, 'authenticated'::regrole,
                                                'service_role'::regrole))) $$, :'schema'),
    'which belong to the owner of the tables, for authenticated and service_role, and can be inlined');
SELECT is_empty(format($$ SELECT relname FROM pg_class
                           WHERE relnamespace = %L::regnamespace AND relkind IN ('S', 'f', 'm') $$,
                       :'schema'),
    'there are no sequences, foreign tables and materialized views, which row-level security does not reach');
SELECT is_empty(format($$ SELECT relname FROM pg_class
                           WHERE relnamespace = %L::regnamespace AND relkind = 'v'
                             AND NOT coalesce(reloptions @> '{security_invoker=true}'
                                              OR reloptions @> '{security_invoker=on}',
                                              false) $$,
                       :'schema'),
    'every view has security_invoker');

-- Functions -------------------------------------------------------------------------------------------------

SELECT is_empty($$
    SELECT signature, proconfig FROM our_function
     WHERE (prosecdef OR lanname <> 'c')
       AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)
$$, 'every definer, SQL and PL/pgSQL function pins its search_path');
SELECT is_empty($$ SELECT signature, lanname
                     FROM our_function WHERE lanname NOT IN ('c', 'sql', 'plpgsql') $$,
                'functions are in C, SQL or PL/pgSQL');
SELECT is_empty($$ SELECT signature, a.grantee::regrole
                     FROM our_function
                     CROSS JOIN LATERAL aclexplode(coalesce(proacl, acldefault('f', proowner))) a
                    WHERE a.grantee = 0 $$,
    'no function is granted to PUBLIC');
SELECT is_empty($$ SELECT signature FROM our_function WHERE has_function_privilege('anon', oid, 'EXECUTE') $$,
                'anon may execute no function');
SELECT is_empty($$ SELECT signature, r FROM our_function
                     CROSS JOIN unnest(ARRAY['anon', 'authenticated', 'service_role']) r
                    WHERE prorettype IN ('trigger'::regtype, 'event_trigger'::regtype)
                      AND has_function_privilege(r, oid, 'EXECUTE') $$,
    'no API role may execute a trigger function, and so put it on a table of their own');
SELECT is_empty($$ SELECT signature FROM our_function CROSS JOIN LATERAL aclexplode(proacl) a
                    WHERE a.is_grantable AND a.grantee <> proowner $$,
    'nobody may pass on the right to execute');
SELECT is_empty($$ SELECT signature, prosrc FROM our_function
                    WHERE lanname = 'c' AND prosrc !~ ('^openinfo_' || proname || '(_\d+_\d+)?$') $$,
    'the C symbol of function x is openinfo_x');
SELECT is_empty($$ SELECT signature, probin FROM our_function WHERE lanname = 'c' AND probin <> 'openinfo' $$,
                'all of C comes from one library');
SELECT set_eq($$ SELECT proname::text, provolatile::text, proparallel::text, proleakproof, prosecdef
                   FROM our_function
                  WHERE proname IN ('get_user_workspace_id', 'get_user_id', 'user_has_role') $$,
              $$ VALUES ('get_user_workspace_id', 's', 's', false, false),
                        ('get_user_id', 's', 's', false, false),
                        ('user_has_role', 's', 's', false, false) $$,
    'the identity functions are STABLE and PARALLEL SAFE, and neither leakproof nor definer');
-- Stable too would be wrong: they are indexed or stored.
SELECT is_empty($$ SELECT signature FROM our_function
                    WHERE proname IN ('is_blank', 'lead_domain', 'person_name', 'person_company',
                                      'person_seniority', 'generate_query_name')
                      AND provolatile <> 'i' $$,
                'what an index or a name is made from is IMMUTABLE');
SELECT is_empty($$ SELECT signature FROM our_function
                    WHERE proleakproof
                      AND proname
                          NOT IN ('lead_domain', 'person_name', 'person_company', 'person_seniority') $$,
    'what is indexed of leads and people is leakproof, which PostgreSQL may run on rows of other workspaces, '
    'and nothing else');
SELECT is_empty($$ SELECT signature FROM our_function
                    WHERE prorettype = 'trigger'::regtype AND (provolatile <> 'v' OR proparallel <> 'u') $$,
                'trigger functions are VOLATILE and PARALLEL UNSAFE');
SELECT is_empty($$ SELECT signature FROM our_function WHERE proname !~ '^[a-z][a-z0-9_]*$' $$,
                'function names are lower case');

-- Indexes ---------------------------------------------------------------------------------------------------

SELECT is_empty($$
    SELECT k.tablename, k.conname FROM our_fkey k
     WHERE NOT EXISTS (SELECT FROM pg_index i
                        WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
                          AND (SELECT array_agg(c::int2 ORDER BY c)
                                 FROM unnest((i.indkey::int2[])[0:cardinality(k.conkey) - 1]) c)
                            = (SELECT array_agg(c ORDER BY c) FROM unnest(k.conkey) c))
$$, 'every foreign key is served by an index that begins with its columns');
SELECT is_empty($$
    SELECT i.indrelid::regclass, i.indexrelid::regclass AS redundant, o.indexrelid::regclass AS because_of
      FROM pg_index i JOIN our_table t ON t.oid = i.indrelid
      JOIN pg_index o ON o.indrelid = i.indrelid AND o.indexrelid <> i.indexrelid
      JOIN pg_class ic ON ic.oid = i.indexrelid
      JOIN pg_class oc ON oc.oid = o.indexrelid AND oc.relam = ic.relam
     WHERE NOT i.indisunique
       AND (o.indpred IS NULL OR pg_get_expr(o.indpred, o.indrelid) = pg_get_expr(i.indpred, i.indrelid))
       AND NOT EXISTS (SELECT FROM our_index_key a WHERE a.indexrelid = i.indexrelid
                                AND NOT EXISTS (SELECT FROM our_index_key b
                                                 WHERE b.indexrelid = o.indexrelid AND b.position = a.position
                                                   AND b.key = a.key))
$$, 'no index is redundant');
SELECT is_empty($$ SELECT i.indexrelid::regclass FROM pg_index i JOIN our_table t ON t.oid = i.indrelid
                    WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) $$,
                'every index is valid');
SELECT is_empty($$
    SELECT t.name FROM tenant t
     WHERE NOT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
                        WHERE i.indrelid = t.oid AND c.relname = 'idx_' || t.name || '_workspace_id'
                          AND a.attname = 'workspace_id' AND i.indpred IS NULL)
$$, 'every tenant table has idx_<table>_workspace_id, and it begins with the workspace');
SELECT is_empty($$
    SELECT w.name
      FROM unnest(ARRAY['users', 'queries', 'saved_searches', 'leads', 'credit_usage', 'export_jobs',
                        'people_search_results', 'saved_people_searches', 'integrations',
                        'billing_events']) w(name)
     WHERE pg_get_indexdef(to_regclass('idx_' || w.name || '_workspace_id'))
         !~ 'btree \(workspace_id, created_at DESC\)'
        OR to_regclass('idx_' || w.name || '_workspace_id') IS NULL
$$, 'where rows are listed by date, it goes on with created_at');

CREATE TEMP TABLE wanted_index (tablename text, definition text) ON COMMIT DROP;
INSERT INTO wanted_index VALUES
    ('queries', 'gin \(filters jsonb_path_ops\)'),
    ('saved_searches', 'gin \(filters jsonb_path_ops\)'),
    ('export_jobs', 'gin \(filters jsonb_path_ops\)'),
    ('saved_people_searches', 'gin \(filters jsonb_path_ops\)'),
    ('leads', 'gin \(company_data jsonb_path_ops\)'),
    ('leads', 'gin \(contact_data jsonb_path_ops\)'),
    ('people_search_results', 'gin \(person_data jsonb_path_ops\)'),
    ('global_topics', 'INDEX idx_global_topics_topic_tsv ON .* gin \(topic_tsv\)'),
    ('queries', 'btree \(next_run_at\) WHERE \(status = ''active'''),
    ('export_jobs', 'btree \(expires_at\) WHERE \(expires_at IS NOT NULL');
SELECT is_empty($$ SELECT tablename, definition FROM wanted_index w
                    WHERE NOT EXISTS (SELECT FROM pg_indexes i
                                       WHERE i.tablename = w.tablename AND i.indexdef ~ w.definition) $$,
    'the GIN and partial indexes are there');

-- Comments --------------------------------------------------------------------------------------------------

SELECT is_empty($$ SELECT name FROM our_table WHERE obj_description(oid, 'pg_class') IS NULL $$,
                'every table has a comment');
SELECT is_empty($$ SELECT t.name, a.attname FROM our_table t JOIN pg_attribute a ON a.attrelid = t.oid
                    WHERE a.attnum > 0 AND NOT a.attisdropped AND col_description(t.oid, a.attnum) IS NULL $$,
    'every column has a comment');
SELECT is_empty($$ SELECT i.indexrelid::regclass FROM our_table t JOIN pg_index i ON i.indrelid = t.oid
                    WHERE obj_description(i.indexrelid, 'pg_class') IS NULL $$,
                'every index has a comment');
SELECT is_empty($$ SELECT t.name, k.conname FROM our_table t JOIN pg_constraint k ON k.conrelid = t.oid
                    WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')
                      AND obj_description(k.oid, 'pg_constraint') IS NULL $$,
    'every constraint has a comment');
SELECT is_empty($$ SELECT t.name, g.tgname FROM our_table t JOIN pg_trigger g ON g.tgrelid = t.oid
                    WHERE NOT g.tgisinternal AND obj_description(g.oid, 'pg_trigger') IS NULL $$,
                'every trigger has a comment');
SELECT is_empty($$ SELECT tablename, polname
                     FROM our_policy WHERE obj_description(oid, 'pg_policy') IS NULL $$,
                'every policy has a comment');
SELECT is_empty($$ SELECT signature FROM our_function WHERE obj_description(oid, 'pg_proc') IS NULL $$,
                'every function has a comment');
SELECT is_empty($$ SELECT pg_describe_object(classid, objid, 0)
                     FROM our_member WHERE obj_description(objid, classid::regclass::name) IS NULL
                      AND NOT EXISTS (SELECT FROM pg_type y
                                       WHERE classid = 'pg_type'::regclass AND y.oid = objid
                                         AND (y.typelem <> 0 OR y.typrelid <> 0)) $$,
    'every member of the extension has a comment');
SELECT isnt(obj_description('auth'::regnamespace, 'pg_namespace'), NULL, 'schema auth has a comment');
SELECT isnt((SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'openinfo'), NULL,
            'the extension has a comment');
SELECT is_empty($$ SELECT pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description
                     FROM pg_description d
                     JOIN our_table t ON d.classoid = 'pg_class'::regclass AND d.objoid = t.oid
                    WHERE length(btrim(d.description)) < 8 $$,
    'a comment says something');

-- Tenancy ---------------------------------------------------------------------------------------------------

SELECT is_empty($$
    SELECT t.name FROM tenant t
     WHERE NOT EXISTS (SELECT FROM pg_attribute a
                         JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                        WHERE a.attrelid = t.oid AND a.attname = 'workspace_id'
                          AND a.atttypid = 'uuid'::regtype AND a.attnotnull
                          AND pg_get_expr(d.adbin, d.adrelid) ~ '^(\w+\.)?get_user_workspace_id\(\)$')
$$, 'every tenant table has workspace_id uuid not null, filled with the active workspace');
SELECT is_empty($$
    SELECT t.name FROM tenant t
     WHERE t.name <> 'expired_export_files'
       AND NOT EXISTS (SELECT FROM our_fkey k
                      WHERE k.conrelid = t.oid AND k.columns = '{workspace_id}' AND k.referred = 'workspaces'
                        AND k.referred_columns = '{id}' AND k.confdeltype = 'c' AND k.convalidated)
$$, 'it goes with its workspace, but for the files that wait to be deleted from the store');
SELECT is_empty($$
    SELECT k.tablename, k.conname FROM our_fkey k JOIN tenant t ON t.oid = k.conrelid
     WHERE k.referred IN (SELECT name FROM tenant)
       AND NOT EXISTS (SELECT FROM generate_subscripts(k.columns, 1) i
                        WHERE k.columns[i] = 'workspace_id' AND k.referred_columns[i] = 'workspace_id')
$$, 'every reference between tenant tables carries the workspace');
SELECT is_empty($$ SELECT k.tablename, k.conname FROM our_fkey k
                    WHERE k.tablename = 'workspaces'
                      AND NOT (k.columns @> '{id}'
                               AND k.referred_columns[array_position(k.columns, 'id')] = 'workspace_id') $$,
    'a workspace points only to users of its own');
SELECT is_empty($$ SELECT k.tablename, k.conname FROM our_fkey k
                    WHERE k.tablename IN ('global_topics', 'trends', 'plans', 'schema_migrations',
                                          'workspace_creations')
                      AND k.referred IN (SELECT name FROM tenant UNION SELECT 'workspaces') $$,
    'no global table points into a workspace');
SELECT is_empty($$ SELECT k.tablename, k.conname FROM our_fkey k WHERE k.referred IS NULL $$,
                'no foreign key leaves the schema');
SELECT is_empty($$ SELECT k.tablename, k.conname FROM our_fkey k
                    WHERE k.confdeltype IN ('n', 'd')
                      AND (k.confdelsetcols IS NULL OR cardinality(k.confdelsetcols) <> 1) $$,
    'every ON DELETE SET NULL names its one column');
SELECT is_empty($$ SELECT k.tablename, k.conname
                     FROM our_fkey k
                     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.confdelsetcols)
                    WHERE a.attname IN ('id', 'workspace_id') OR a.attnotnull $$,
    '... and that column may be null, and is not the workspace');
SELECT is_empty($$
    SELECT t.name, a.attname FROM tenant t JOIN pg_attribute a ON a.attrelid = t.oid
     WHERE a.attname IN ('created_by', 'user_id', 'referred_by', 'email_revealed_by') AND NOT a.attisdropped
       AND NOT EXISTS (SELECT FROM our_fkey k
                        WHERE k.conrelid = t.oid AND k.columns = ARRAY[a.attname::text, 'workspace_id']
                          AND k.referred = 'users' AND k.referred_columns = '{id,workspace_id}'
                           AND (k.confdeltype = 'n'
                                OR t.name = 'notification_preferences' AND a.attname = 'user_id'
                                AND k.confdeltype = 'c'))
$$, 'every author is a user of the row''s own workspace, forgotten when they are removed');

-- What the tables have in common ----------------------------------------------------------------------------

SELECT is_empty($$ SELECT name FROM fifteen EXCEPT SELECT name FROM our_table $$,
                'the fifteen tables are there');
SELECT is_empty($$
    SELECT f.name, w.col FROM fifteen f JOIN our_table t USING (name)
     CROSS JOIN (VALUES ('id', 'uuid', true, 'gen_random_uuid()'),
                        ('created_at', 'timestamp with time zone', true, 'now()'),
                        ('updated_at', 'timestamp with time zone', true, 'now()'),
                 ('created_by', 'uuid', false, NULL)) w(col, type, filled, otherwise)
     WHERE NOT EXISTS (SELECT FROM pg_attribute a
                         LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                        WHERE a.attrelid = t.oid AND a.attname = w.col
                          AND format_type(a.atttypid, a.atttypmod) = w.type AND a.attnotnull = w.filled
                          AND pg_get_expr(d.adbin, d.adrelid) IS NOT DISTINCT FROM w.otherwise)
$$, 'each of the fifteen has id, created_at, updated_at and created_by, with their defaults');
SELECT is_empty($$ SELECT f.name FROM fifteen f JOIN our_table t USING (name)
                    WHERE NOT EXISTS (SELECT FROM pg_constraint k
                                       WHERE k.conrelid = t.oid AND k.contype = 'p'
                                         AND pg_get_constraintdef(k.oid) ~ CASE
                                             WHEN t.oid IN (SELECT partrelid FROM pg_partitioned_table)
                                             THEN '^PRIMARY KEY \(id, workspace_id\)$'
                                             ELSE '^PRIMARY KEY \(id\)$' END) $$,
    'the primary key of each of the fifteen is id, with the workspace where it is partitioned by it');
-- tgtype: 1 row, 2 before, 4 insert, 16 update
SELECT is_empty($$
    SELECT t.name, w.fn FROM our_table t JOIN pg_attribute a ON a.attrelid = t.oid AND NOT a.attisdropped
      JOIN (VALUES ('updated_at', 'set_updated_at', 19), ('created_by', 'set_created_by', 7)) w(col, fn, type)
          ON w.col = a.attname
     WHERE NOT EXISTS (SELECT FROM pg_trigger g JOIN our_function p ON p.oid = g.tgfoid
                        WHERE g.tgrelid = t.oid AND p.proname = w.fn AND p.lanname = 'c' AND g.tgtype = w.type
                          AND g.tgenabled = 'O' AND g.tgqual IS NULL AND cardinality(g.tgattr::int2[]) = 0)
$$, 'updated_at and created_by are kept by triggers in C, everywhere');
SELECT is_empty($$ SELECT t.name, g.tgname FROM our_table t JOIN pg_trigger g ON g.tgrelid = t.oid
                    WHERE NOT g.tgisinternal AND g.tgfoid NOT IN (SELECT oid FROM our_function) $$,
    'every trigger calls a function of the extension');
SELECT is_empty($$ SELECT t.name FROM our_table t WHERE t.relowner <> 'openinfo_owner'::regrole $$,
                'the tables are owned by openinfo_owner');

-- The documented tables -------------------------------------------------------------------------------------

CREATE TEMP TABLE wanted_column (tablename text, name text, type text, filled boolean, otherwise text)
    ON COMMIT DROP;
INSERT INTO wanted_column VALUES
    ('plans', 'name', 'text', true, NULL),
    ('plans', 'active_queries', 'integer', false, NULL),
    ('plans', 'saved_searches', 'integer', false, NULL),
    ('plans', 'daily_credits', 'integer', false, NULL), ('plans', 'export_rows', 'integer', false, NULL),
    ('schema_migrations', 'version', 'text', true, NULL),
    ('schema_migrations', 'name', 'text', NULL, NULL),
    ('schema_migrations', 'applied_at', 'timestamp with time zone', NULL, 'now()'),
    ('expired_export_files', 'file_url', 'text', true, NULL),
    ('expired_export_files', 'workspace_id', 'uuid', true, NULL),
    ('expired_export_files', 'expired_at', 'timestamp with time zone', true, NULL),
    ('plans', 'members', 'integer', false, NULL),
    ('invitations', 'id', 'uuid', true, 'gen_random_uuid()'),
    ('invitations', 'created_at', 'timestamp with time zone', true, 'now()'),
    ('invitations', 'updated_at', 'timestamp with time zone', true, 'now()'),
    ('invitations', 'created_by', 'uuid', false, NULL),
    ('invitations', 'email', 'text', true, NULL),
    ('invitations', 'role', 'user_role', true, NULL),
    ('invitations', 'token_sha256', 'bytea', true, NULL),
    ('invitations', 'expires_at', 'timestamp with time zone', true, NULL),
    ('invitations', 'accepted_at', 'timestamp with time zone', false, NULL),
    ('invitations', 'accepted_by', 'uuid', false, NULL),
    ('invitations', 'revoked_at', 'timestamp with time zone', false, NULL),
    ('workspaces', 'slug', 'text', true, NULL),
    ('workspaces', 'name', 'text', true, NULL),
    ('workspaces', 'industry_vertical', 'text', false, NULL),
    ('workspaces', 'subdomain', 'text', false, NULL),
    ('workspaces', 'custom_domain', 'text', false, NULL), ('workspaces', 'branding', 'jsonb', NULL, NULL),
    ('users', 'auth_user_id', 'uuid', true, NULL),
    ('users', 'email', 'text', true, NULL),
    ('users', 'full_name', 'text', false, NULL),
    ('users', 'avatar_url', 'text', false, NULL),
    ('users', 'role', 'user_role', true, '''member''::user_role'),
    ('users', 'plan', 'text', true, '''free''::text'),
    ('users', 'daily_credits_used', 'integer', true, '0'),
    ('users', 'daily_credit_limit', 'integer', false, '3'),
    ('users', 'credits_reset_on', 'date', true, NULL),
    ('users', 'referral_code', 'text', false, NULL),
    ('users', 'referred_by', 'uuid', false, NULL),
    ('users', 'last_login_at', 'timestamp with time zone', false, NULL),
    ('global_topics', 'topic', 'text', true, NULL),
    ('global_topics', 'category', 'topic_category', NULL, NULL),
    ('global_topics', 'topic_tsv', 'tsvector', NULL, NULL),
    ('global_topics', 'current_volume', 'integer', true, '0'),
    ('global_topics', 'trend_direction', 'trend_direction', NULL, NULL),
    ('global_topics', 'change_percent', 'numeric', NULL, NULL),
    ('trends', 'topic_id', 'uuid', true, NULL),
    ('trends', 'week_start', 'date', true, NULL),
    ('trends', 'week_end', 'date', true, NULL),
    ('trends', 'volume', 'integer', true, NULL),
    ('trends', 'change_percent', 'numeric', false, NULL),
    ('trends', 'rank_overall', 'integer', NULL, NULL),
    ('trends', 'rank_category', 'integer', NULL, NULL),
    ('queries', 'topic_id', 'uuid', true, NULL),
    ('queries', 'name', 'text', true, NULL),
    ('queries', 'filters', 'jsonb', true, NULL),
    ('queries', 'status', 'query_status', true, '''active''::query_status'),
    ('queries', 'last_run_at', 'timestamp with time zone', false, NULL),
    ('queries', 'next_run_at', 'timestamp with time zone', false, NULL),
    ('queries', 'total_leads_generated', 'integer', true, '0'),
    ('queries', 'leads_this_week', 'integer', true, '0'),
    ('saved_searches', 'name', 'text', true, NULL),
    ('saved_searches', 'filters', 'jsonb', true, NULL),
    ('saved_searches', 'last_used_at', 'timestamp with time zone', false, NULL),
    ('saved_searches', 'use_count', 'integer', true, '0'),
    ('leads', 'query_id', 'uuid', NULL, NULL),
    ('leads', 'company_data', 'jsonb', true, NULL),
    ('leads', 'contact_data', 'jsonb', NULL, NULL),
    ('leads', 'enrichment_status', 'enrichment_status', true, '''pending''::enrichment_status'),
    ('leads', 'delivery_status', 'delivery_status', true, '''pending''::delivery_status'),
    ('leads', 'enrichment_attempts', 'integer', true, '0'),
    ('leads', 'delivery_attempts', 'integer', true, '0'),
    ('leads', 'enrichment_next_attempt_at', 'timestamp with time zone', false, NULL),
    ('leads', 'delivery_next_attempt_at', 'timestamp with time zone', false, NULL),
    ('integration_events', 'status', 'delivery_status', true, '''pending''::delivery_status'),
    ('integration_events', 'attempts', 'integer', true, '0'),
    ('integration_events', 'lease_until', 'timestamp with time zone', false, NULL),
    ('integration_events', 'next_attempt_at', 'timestamp with time zone', false, NULL),
    ('integration_events', 'last_error', 'text', false, NULL),
    ('leads', 'last_error', 'text', false, NULL),
    ('leads', 'enriched_at', 'timestamp with time zone', false, NULL),
    ('leads', 'delivered_at', 'timestamp with time zone', false, NULL),
    ('credit_usage', 'user_id', 'uuid', false, NULL),
    ('credit_usage', 'action_type', 'credit_action', true, NULL),
    ('credit_usage', 'credits_used', 'integer', true, NULL),
    ('credit_usage', 'reference_id', 'uuid', false, NULL),
    ('credit_usage', 'metadata', 'jsonb', NULL, NULL),
    ('credit_usage', 'idempotency_key', 'text', false, NULL),
    ('export_jobs', 'user_id', 'uuid', NULL, NULL),
    ('export_jobs', 'export_format', 'export_format', NULL, NULL),
    ('export_jobs', 'filters', 'jsonb', NULL, NULL),
    ('export_jobs', 'status', 'export_status', true, '''pending''::export_status'),
    ('export_jobs', 'file_url', 'text', false, NULL),
    ('export_jobs', 'file_size_bytes', 'bigint', false, NULL),
    ('export_jobs', 'row_count', 'integer', false, NULL),
    ('export_jobs', 'error_message', 'text', false, NULL),
    ('export_jobs', 'started_at', 'timestamp with time zone', false, NULL),
    ('export_jobs', 'completed_at', 'timestamp with time zone', false, NULL),
    ('export_jobs', 'expires_at', 'timestamp with time zone', false, NULL),
    ('people_search_results', 'user_id', 'uuid', NULL, NULL),
    ('people_search_results', 'person_data', 'jsonb', true, NULL),
    ('people_search_results', 'search_filters', 'jsonb', NULL, NULL),
    ('people_search_results', 'email_revealed_at', 'timestamp with time zone', false, NULL),
    ('people_search_results', 'email_revealed_by', 'uuid', false, NULL),
    ('saved_people_searches', 'user_id', 'uuid', NULL, NULL),
    ('saved_people_searches', 'name', 'text', true, NULL),
    ('saved_people_searches', 'filters', 'jsonb', NULL, NULL),
    ('saved_people_searches', 'last_used_at', 'timestamp with time zone', false, NULL),
    ('saved_people_searches', 'use_count', 'integer', true, '0'),
    ('integrations', 'type', 'integration_type', true, NULL),
    ('integrations', 'name', 'text', true, NULL),
    ('integrations', 'status', 'integration_status', true, '''active''::integration_status'),
    ('integrations', 'config', 'jsonb', true, NULL),
    ('integrations', 'last_used_at', 'timestamp with time zone', false, NULL),
    ('integrations', 'total_events_sent', 'integer', true, '0'),
    ('integrations', 'last_error', 'text', false, NULL),
    ('integrations', 'error_count', 'integer', true, '0'),
    ('billing_events', 'event_type', 'billing_event_type', true, NULL),
    ('billing_events', 'stripe_event_id', 'text', NULL, NULL),
    ('billing_events', 'amount_cents', 'bigint', false, NULL),
    ('billing_events', 'currency', 'text', false, NULL),
    ('billing_events', 'old_plan', 'text', false, NULL),
    ('billing_events', 'new_plan', 'text', false, NULL),
    ('billing_events', 'metadata', 'jsonb', NULL, NULL),
    ('notification_preferences', 'user_id', 'uuid', true, NULL),
    ('notification_preferences', 'email_new_leads', 'boolean', true, 'true'),
    ('notification_preferences', 'email_daily_digest', 'boolean', true, 'true'),
    ('notification_preferences', 'email_weekly_report', 'boolean', true, 'true'),
    ('notification_preferences', 'email_query_completed', 'boolean', true, 'false'),
    ('notification_preferences', 'email_credit_low', 'boolean', true, 'true'),
    ('notification_preferences', 'email_billing_updates', 'boolean', true, 'true'),
    ('notification_preferences', 'inapp_new_leads', 'boolean', true, 'true'),
    ('notification_preferences', 'inapp_mentions', 'boolean', true, 'true'),
    ('notification_preferences', 'inapp_system_updates', 'boolean', true, 'true'),
    ('notification_preferences', 'slack_new_leads', 'boolean', true, 'false'),
    ('notification_preferences', 'slack_daily_digest', 'boolean', true, 'false'),
    ('stripe_customers', 'stripe_customer_id', 'text', true, NULL),
    ('stripe_customers', 'stripe_subscription_id', 'text', false, NULL),
    ('stripe_customers', 'subscription_status', 'text', false, NULL),
    ('stripe_customers', 'current_period_start', 'timestamp with time zone', false, NULL),
    ('stripe_customers', 'current_period_end', 'timestamp with time zone', false, NULL),
    ('stripe_customers', 'default_payment_method', 'text', false, NULL),
    ('stripe_customers', 'metadata', 'jsonb', NULL, NULL);
-- numeric may have a precision; a type of ours may be shown with its schema
SELECT is_empty($$
    SELECT w.tablename, w.name, w.type, w.filled, w.otherwise FROM wanted_column w
     WHERE
         NOT EXISTS (SELECT FROM our_table t JOIN pg_attribute a ON a.attrelid = t.oid AND NOT a.attisdropped
                       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                      WHERE t.name = w.tablename AND a.attname = w.name
                        AND (SELECT regexp_replace(format_type(a.atttypid, NULL), '^.*\.', '')) = w.type
                        AND (w.filled IS NULL OR a.attnotnull = w.filled)
                        AND (w.otherwise IS NULL OR pg_get_expr(d.adbin, d.adrelid) = w.otherwise))
$$, 'the documented columns are there, with their types');
SELECT is((SELECT attgenerated::text
             FROM pg_attribute WHERE attrelid = 'global_topics'::regclass AND attname = 'topic_tsv'),
          's',
          'topic_tsv is kept by the database');

CREATE TEMP TABLE wanted_enum (name text, labels text[]) ON COMMIT DROP;
INSERT INTO wanted_enum VALUES
    ('user_role', '{owner,admin,member}'),
    ('topic_category', '{technology,marketing,sales,finance,operations,hr,legal,product,other}'),
    ('trend_direction', '{up,down,stable}'),
    ('query_status', '{active,paused,completed}'),
    ('enrichment_status', '{pending,enriching,enriched,failed}'),
    ('delivery_status', '{pending,delivered,failed}'),
    ('credit_action', '{email_reveal,lead_export,people_search,contact_enrichment}'),
    ('export_format', '{csv,json}'),
    ('export_status', '{pending,processing,completed,failed}'),
    ('integration_type', '{slack,zapier,webhook,email}'),
    ('integration_status', '{active,inactive,error}'),
    ('billing_event_type',
     '{subscription_created,subscription_updated,subscription_cancelled,payment_succeeded,payment_failed,'
     'plan_upgraded,plan_downgraded}');
SELECT set_eq(format($$ SELECT t.typname::text, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
                          FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
                         WHERE t.typnamespace = %L::regnamespace GROUP BY t.typname $$, :'schema'),
              $$ SELECT name, labels FROM wanted_enum $$,
              'the documented enum types, with their labels in order, and no others');
SELECT is_empty($$ SELECT name FROM wanted_enum w
                    WHERE NOT EXISTS (SELECT FROM our_member m
                                       WHERE m.classid = 'pg_type'::regclass
                                         AND m.objid = to_regtype(w.name)) $$,
                'the enum types are members of the extension');

-- A unique key on these columns or expressions; where it is partial, the condition comes after the column.
CREATE TEMP TABLE wanted_key (tablename text, key text) ON COMMIT DROP;
INSERT INTO wanted_key VALUES
    ('plans', '(name)'),
    ('schema_migrations', '(version)'),
    ('workspaces', '(slug)'),
    ('workspaces', '(subdomain)'),
    ('workspaces', '(custom_domain)'),
    ('users', '(auth_user_id, workspace_id)'),
    ('users', '(id, workspace_id)'),
    ('users', '(referral_code)'),
    ('users', '(workspace_id, lower(email))'),
    ('global_topics', '(topic)'), ('trends', '(topic_id, week_start)'), ('queries', '(id, workspace_id)'),
    ('leads', '(workspace_id, lead_domain(company_data))'),
    ('credit_usage', '(workspace_id, idempotency_key)'),
    ('integrations', '(workspace_id, type) WHERE (status = ''active''::integration_status)'),
    ('billing_events', '(stripe_event_id)'),
    ('notification_preferences', '(user_id, workspace_id)'),
    ('stripe_customers', '(workspace_id)'),
    ('stripe_customers', '(stripe_customer_id)'),
    ('stripe_customers', '(stripe_subscription_id)');
SELECT is_empty($$ SELECT tablename, key FROM wanted_key w
                    WHERE NOT EXISTS (SELECT FROM our_table t JOIN pg_index i ON i.indrelid = t.oid
                                       WHERE t.name = w.tablename AND i.indisunique
                                         AND regexp_replace(regexp_replace(pg_get_indexdef(i.indexrelid),
                                                                           '^.* USING btree ', ''),
                                                            'public\.', '', 'g') = w.key) $$,
    'the documented unique keys are there');
-- A unique key without the workspace would let one workspace learn of, and block, what another has.
SELECT set_eq($$
    SELECT t.name, c.relname::text
      FROM tenant t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid
     WHERE i.indisunique
       AND NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = t.oid AND a.attnum = ANY (i.indkey::int2[])
                          AND a.attname IN ('id', 'workspace_id'))
$$, $$ VALUES ('users', 'users_referral_code_key'), ('billing_events', 'billing_events_stripe_event_id_key'),
              ('stripe_customers', 'stripe_customers_stripe_customer_id_key'),
              ('stripe_customers', 'stripe_customers_stripe_subscription_id_key') $$,
    'unique keys of tenant tables carry the workspace, but for codes that outsiders hand in');
SELECT is_empty($$ SELECT t.name FROM our_table t
                     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'change_percent'
                    WHERE a.atttypmod <> -1 AND (a.atttypmod - 4 >> 16) - ((a.atttypmod - 4) & 2047) < 9 $$,
                'change_percent holds two million, and far more');
-- What the schema lets the API roles do
SELECT is_empty(format($$ SELECT r FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) r
                           WHERE has_schema_privilege(r, %L, 'CREATE') $$,
                       :'schema'),
                'no API role may create objects in the schema');
SELECT is_empty(format($$ SELECT r FROM unnest(ARRAY['authenticated', 'service_role']) r
                           WHERE NOT has_schema_privilege(r, %L, 'USAGE') $$,
                       :'schema'),
                'the two that work in it may look into it');

SELECT * FROM finish();
ROLLBACK;
