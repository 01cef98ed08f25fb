\echo Use "ALTER EXTENSION openinfo UPDATE TO '1.2.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- openinfo 1.2.0: partitions of leads.

-- -----------------------------------------------------------------------------------------------------------
-- Rebuilding a table
--
-- A table cannot become partitioned, so partition_leads() creates another one in its place: columns by LIKE,
-- rows by INSERT, and all that is attached to the table from the statements of table_definition().
-- -----------------------------------------------------------------------------------------------------------

-- Functions and procedures whose argument, result or parsed body refers to a table; none of an extension.
CREATE FUNCTION @extschema@.table_routines(p_table regclass) RETURNS TABLE (oid oid)
    LANGUAGE sql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT DISTINCT p.oid
      FROM pg_class c
      JOIN pg_type t ON t.oid = c.reltype
      JOIN pg_depend d ON (d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)
                       OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray))
      JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid AND p.prokind IN ('f', 'p')
     WHERE c.oid = p_table
       AND NOT EXISTS (SELECT FROM pg_depend e
                        WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e');
END;
REVOKE ALL ON FUNCTION @extschema@.table_routines(regclass) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.table_routines(regclass) IS
    'Used by partition_leads(): functions that depend on a table and are created again with it';

-- Everything that is dropped with a table, and its partitions, because it is a part of them.
CREATE FUNCTION @extschema@.table_parts(p_table regclass) RETURNS TABLE (classid oid, objid oid)
    LANGUAGE sql STABLE ROWS 50 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS (
        SELECT c.oid, c.reltype FROM pg_class c
         WHERE c.oid = p_table
            OR c.relispartition AND EXISTS (SELECT FROM pg_inherits i
                                             WHERE i.inhrelid = c.oid AND i.inhparent = p_table)
    )
    SELECT 'pg_class'::regclass::oid, t.oid FROM tables t
    UNION ALL SELECT 'pg_type'::regclass, t.reltype FROM tables t
    UNION ALL SELECT 'pg_type'::regclass, y.typarray FROM tables t JOIN pg_type y ON y.oid = t.reltype
    UNION ALL SELECT 'pg_class'::regclass, i.indexrelid FROM tables t JOIN pg_index i ON i.indrelid = t.oid
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid
    UNION ALL
    SELECT 'pg_attrdef'::regclass, d.oid FROM tables t JOIN pg_attrdef d ON d.adrelid = t.oid
    UNION ALL
    SELECT 'pg_trigger'::regclass, g.oid FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid
    UNION ALL
    SELECT 'pg_policy'::regclass, p.oid FROM tables t JOIN pg_policy p ON p.polrelid = t.oid
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, s.oid FROM tables t JOIN pg_statistic_ext s ON s.stxrelid = t.oid
    UNION ALL
    SELECT 'pg_class'::regclass, d.objid
      FROM tables t
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.deptype = 'a'
      JOIN pg_class s ON d.classid = 'pg_class'::regclass AND s.oid = d.objid AND s.relkind = 'S'
    UNION ALL
    SELECT 'pg_proc'::regclass, r.oid FROM @extschema@.table_routines(p_table) r;
END;
REVOKE ALL ON FUNCTION @extschema@.table_parts(regclass) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.table_parts(regclass) IS
    'Used by partition_leads(): objects that are parts of a table';

/*
 * Why a table cannot be rebuilt: one line for each object that would be lost, or that a partitioned table
 * cannot have.
 */
CREATE FUNCTION @extschema@.table_obstacles(p_table regclass, p_partitioned boolean) RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH parts AS (SELECT * FROM @extschema@.table_parts(p_table))
    SELECT DISTINCT coalesce(v.kind || v.oid::regclass, pg_describe_object(d.classid, d.objid, 0))
           || ' depends on it'
      FROM parts t
      JOIN pg_depend d ON d.refclassid = t.classid AND d.refobjid = t.objid AND d.deptype <> 'i'
      LEFT JOIN LATERAL (SELECT c.oid, CASE c.relkind WHEN 'v' THEN 'view '
                                                      WHEN 'm' THEN 'materialized view ' END AS kind
                           FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class
                          WHERE d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid) v ON true
     WHERE NOT EXISTS (SELECT FROM parts p WHERE p.classid = d.classid AND p.objid = d.objid)
       AND NOT EXISTS (SELECT FROM pg_trigger g WHERE d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
                                                  AND g.tgisinternal)
    UNION ALL
    SELECT format('it refers to itself by foreign key %I', k.conname) FROM pg_constraint k
     WHERE k.conrelid = p_table AND k.confrelid = p_table
    UNION ALL
    SELECT format('constraint %I is not validated', k.conname) FROM pg_constraint k
     WHERE k.conrelid = p_table AND NOT k.convalidated
    UNION ALL
    SELECT format('column %I is an identity column', a.attname) FROM pg_attribute a
     WHERE a.attrelid = p_table AND a.attidentity <> '' AND NOT a.attisdropped
    UNION ALL
    SELECT format('index %I is its replica identity', x.relname)
      FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
     WHERE i.indrelid = p_table AND i.indisreplident
    UNION ALL
    SELECT format('exclusion constraint %I is not possible there', k.conname) FROM pg_constraint k
     WHERE p_partitioned AND k.conrelid = p_table AND k.contype = 'x'
    UNION ALL
    SELECT format('unique index %I does not include workspace_id', x.relname)
      FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
      JOIN pg_attribute w ON w.attrelid = i.indrelid AND w.attname = 'workspace_id'
     WHERE p_partitioned AND i.indrelid = p_table AND i.indisunique AND NOT i.indisprimary
       AND w.attnum <> ALL ((i.indkey::int2[])[0:i.indnkeyatts - 1])
    UNION ALL
    SELECT format('trigger %I has transition tables', g.tgname) FROM pg_trigger g
     WHERE p_partitioned AND g.tgrelid = p_table AND g.tgtype & 1 = 1
       AND (g.tgnewtable IS NOT NULL OR g.tgoldtable IS NOT NULL);
END;
REVOKE ALL ON FUNCTION @extschema@.table_obstacles(regclass, boolean)
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.table_obstacles(regclass, boolean) IS
    'Used by partition_leads(): why a table cannot be rebuilt, one line for each reason';

-- Statements that grant what an ACL says beyond the rights of the owner.  p_columns is empty, or '(column)'.
CREATE FUNCTION @extschema@.grant_statements(
        p_object text, p_columns text, p_acl aclitem[], p_owner oid) RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('GRANT %s%s ON %s TO %s%s', a.privilege_type, p_columns, p_object,
                  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
                  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
      FROM aclexplode(p_acl) a WHERE a.grantee <> p_owner;
END;
REVOKE ALL ON FUNCTION @extschema@.grant_statements(text, text, aclitem[], oid)
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.grant_statements(text, text, aclitem[], oid) IS
    'Used by partition_leads(): the statements that grant what an ACL says';

/*
 * Statements that create, on an empty table with the columns and CHECK constraints of this one, all else:
 * indexes, keys, triggers, policies, privileges, comments, and the functions that depend on it.
 */
CREATE FUNCTION @extschema@.table_definition(p_table regclass) RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH the AS (
        SELECT c.oid, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity, c.relreplident
          FROM pg_class c WHERE c.oid = p_table
    ), constraints AS (
        SELECT k.oid, k.contype, k.conname, k.conindid FROM pg_constraint k
         WHERE k.conrelid = p_table AND k.contype IN ('p', 'u', 'x', 'f')
    ), indexes AS (
        SELECT i.indexrelid AS oid FROM pg_index i WHERE i.indrelid = p_table
    ), triggers AS (
        SELECT g.oid, g.tgname, g.tgenabled FROM pg_trigger g WHERE g.tgrelid = p_table AND NOT g.tgisinternal
    ), routines AS (
        SELECT p.oid, p.oid::regprocedure AS name, p.proowner,
               coalesce(p.proacl, acldefault('f', p.proowner)) AS acl
          FROM @extschema@.table_routines(p_table) r JOIN pg_proc p ON p.oid = r.oid
    ), described AS (
        SELECT 'pg_class'::regclass AS classid, p_table AS oid
        UNION ALL SELECT 'pg_class'::regclass, i.oid FROM indexes i
        UNION ALL SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k WHERE k.conrelid = p_table
        UNION ALL SELECT 'pg_trigger'::regclass, g.oid FROM triggers g
        UNION ALL SELECT 'pg_policy'::regclass, p.oid FROM pg_policy p WHERE p.polrelid = p_table
        UNION ALL SELECT 'pg_statistic_ext'::regclass, s.oid FROM pg_statistic_ext s
                   WHERE s.stxrelid = p_table
        UNION ALL SELECT 'pg_proc'::regclass, r.oid FROM routines r
    )
    SELECT s.statement
      FROM (
        SELECT 1, k.conname::text, format('ALTER TABLE %s ADD CONSTRAINT %I %s', p_table, k.conname,
                                          pg_get_constraintdef(k.oid))
          FROM constraints k WHERE k.contype <> 'f'
        UNION ALL
        SELECT 2, '', regexp_replace(pg_get_indexdef(i.oid), ' ON ONLY ', ' ON ')
          FROM indexes i
         WHERE NOT EXISTS (SELECT FROM constraints k WHERE k.conindid = i.oid AND k.contype <> 'f')
        UNION ALL
        SELECT 3, '', pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext s WHERE s.stxrelid = p_table
        UNION ALL
        SELECT 3, '', format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', p_table, a.attname,
                             a.attstattarget)
          FROM pg_attribute a
         WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget >= 0
        UNION ALL
        SELECT 4, k.conname, format('ALTER TABLE %s ADD CONSTRAINT %I %s', p_table, k.conname,
                                    pg_get_constraintdef(k.oid))
          FROM constraints k WHERE k.contype = 'f'
        UNION ALL
        SELECT 5, g.tgname, pg_get_triggerdef(g.oid) FROM triggers g
        UNION ALL
        SELECT 6, g.tgname, format('ALTER TABLE %s %s TRIGGER %I', p_table,
                                   CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
                                                    ELSE 'ENABLE ALWAYS' END, g.tgname)
          FROM triggers g WHERE g.tgenabled <> 'O'
        UNION ALL
        SELECT 7, r.name::text, pg_get_functiondef(r.oid) FROM routines r
        UNION ALL
        SELECT 8, r.name::text, format('ALTER ROUTINE %s OWNER TO %s', r.name, r.proowner::regrole)
          FROM routines r
        UNION ALL
        SELECT 8, r.name::text, format('REVOKE ALL ON ROUTINE %s FROM PUBLIC, anon, authenticated, '
                                       'service_role', r.name)
          FROM routines r
        UNION ALL
        SELECT 9, '', g FROM routines r
         CROSS JOIN LATERAL @extschema@.grant_statements('ROUTINE ' || r.name, '', r.acl, r.proowner) g
        UNION ALL
        SELECT 10, p.polname,
               format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', p.polname, p_table,
                      CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                      CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                    WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                      (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE r::regrole::text END, ', ')
                         FROM unnest(p.polroles) r))
               || coalesce(' USING (' || pg_get_expr(p.polqual, p_table) || ')', '')
               || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p_table) || ')', '')
          FROM pg_policy p WHERE p.polrelid = p_table
        UNION ALL
        SELECT 11, '', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_table) FROM the t
         WHERE t.relrowsecurity
        UNION ALL
        SELECT 11, '', format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', p_table) FROM the t
         WHERE t.relforcerowsecurity
        UNION ALL
        SELECT 12, '', format('REVOKE ALL ON TABLE %s FROM PUBLIC, anon, authenticated, service_role',
                              p_table)
        UNION ALL
        SELECT 13, '', g FROM the t
         CROSS JOIN LATERAL @extschema@.grant_statements('TABLE ' || p_table, '', t.relacl, t.relowner) g
        UNION ALL
        SELECT 13, '', g FROM the t JOIN pg_attribute a ON a.attrelid = t.oid AND NOT a.attisdropped
         CROSS JOIN LATERAL @extschema@.grant_statements('TABLE ' || p_table, format(' (%I)', a.attname),
                                                         a.attacl, t.relowner) g
        UNION ALL
        SELECT 14, '', format('COMMENT ON %s %s IS %L',
                              CASE i.type WHEN 'table column' THEN 'COLUMN'
                                          WHEN 'table constraint' THEN 'CONSTRAINT'
                                          WHEN 'statistics object' THEN 'STATISTICS'
                                          ELSE upper(i.type) END, i.identity, c.description)
          FROM described o JOIN pg_description c ON c.classoid = o.classid AND c.objoid = o.oid
         CROSS JOIN LATERAL pg_identify_object(c.classoid, c.objoid, c.objsubid) i
      ) s (step, name, statement)
     ORDER BY s.step, s.name COLLATE "C", s.statement COLLATE "C";
END;
REVOKE ALL ON FUNCTION @extschema@.table_definition(regclass) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.table_definition(regclass) IS
    'Used by partition_leads(): statements that create all of a table but its columns';

-- -----------------------------------------------------------------------------------------------------------
-- Partitions of leads
-- -----------------------------------------------------------------------------------------------------------

/*
 * Builds leads anew, with p_parts hash partitions by workspace_id, or plain with NULL.  It takes the place of
 * the old table when everything is done; until then, readers and writers of leads wait, and writers of the
 * tables that it refers to.  check_function_bodies is off because a body may name the schema as it was called
 * before it was renamed.
 */
CREATE FUNCTION @extschema@.rebuild_leads(p_parts int) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp SET row_security = off SET check_function_bodies = off AS $fn$
DECLARE
    -- looked up, because the schema may have been renamed
    v_schema  CONSTANT text := (SELECT extnamespace::regnamespace FROM pg_extension
                                 WHERE extname = 'openinfo');
    v_leads   CONSTANT text := v_schema || '.leads';
    v_new     CONSTANT text := v_schema || '.leads_new';
    v_key     CONSTANT text := CASE WHEN p_parts IS NULL THEN '(id)' ELSE '(id, workspace_id)' END;
    v_reasons text;
    v_columns text;
    v_options text;
    v_identity "char";
    v_drops   text[];
    v_creates text[];
    v_object  record;
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'cannot rebuild table "leads" in a transaction with isolation level %',
                        upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Rows that were inserted after it began would be lost.',
                  HINT = 'Use isolation level READ COMMITTED.';
    END IF;
    EXECUTE format('SELECT %s.require_trusted_schema()', v_schema);
    -- the other three, because new foreign keys refer to them
    EXECUTE format('SELECT %s.lock_tables($1)', v_schema)
      USING ARRAY[['workspaces', 'SHARE ROW EXCLUSIVE'], ['users', 'SHARE ROW EXCLUSIVE'],
                  ['queries', 'SHARE ROW EXCLUSIVE'], ['leads', 'ACCESS EXCLUSIVE']];
    EXECUTE format('SELECT string_agg(o, E''.\n'' ORDER BY o COLLATE "C") || ''.''
                      FROM %s.table_obstacles($1, $2) o', v_schema)
       INTO v_reasons USING v_leads::regclass, p_parts IS NOT NULL;
    IF v_reasons IS NOT NULL THEN
        RAISE EXCEPTION 'cannot rebuild table "leads"'
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = v_reasons,
                  HINT = 'Drop what is named, and create it again afterwards.';
    END IF;

    -- What the old table is made of.  Storage parameters are those of the table or of its first partition.
    EXECUTE format('SELECT array_agg(d) FROM %s.table_definition($1) d', v_schema)
       INTO v_creates USING v_leads::regclass;
    EXECUTE format('SELECT array_agg(format(''DROP ROUTINE %%s'', oid::regprocedure))
                      FROM %s.table_routines($1)', v_schema)
       INTO v_drops USING v_leads::regclass;
    SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) INTO v_columns
      FROM pg_attribute
     WHERE attrelid = v_leads::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
    SELECT coalesce(' WITH (' || array_to_string(reloptions, ', ') || ')', ''), relreplident
      INTO v_options, v_identity
      FROM pg_class
     WHERE oid = v_leads::regclass AND relkind = 'r'
        OR oid = (SELECT min(inhrelid::text::bigint)::oid FROM pg_inherits
                   WHERE inhparent = v_leads::regclass);
    FOR v_object IN
        SELECT s.oid::regclass AS name, a.attname
          FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
          JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
         WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
           AND d.refobjid = v_leads::regclass AND d.deptype = 'a'
    LOOP
        EXECUTE format('ALTER SEQUENCE %s OWNED BY NONE', v_object.name);
        v_creates := v_creates || format('ALTER SEQUENCE %s OWNED BY %s.%I', v_object.name, v_leads,
                                         v_object.attname);
    END LOOP;

    EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)%s',
                   v_new, v_leads,
                   CASE WHEN p_parts IS NULL THEN v_options ELSE ' PARTITION BY HASH (workspace_id)' END);
    FOR i IN 0 .. coalesce(p_parts, 0) - 1 LOOP
        EXECUTE format('CREATE TABLE %1$s_p%2$s PARTITION OF %1$s FOR VALUES WITH (MODULUS %3$s, '
                       'REMAINDER %2$s)%4$s', v_new, i, p_parts, v_options);
    END LOOP;
    FOR v_object IN
        SELECT relid::text AS name FROM pg_partition_tree(v_new::regclass)
        UNION ALL SELECT v_new WHERE p_parts IS NULL
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO openinfo_owner', v_object.name);
        CONTINUE WHEN v_identity = 'd';
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY %s', v_object.name,
                       CASE v_identity WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END);
    END LOOP;

    -- Policies of users must not hide rows from the owner.  The table is dropped in a moment.
    EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', v_leads);
    EXECUTE format('SELECT %s.execute_as_owner($1)', v_schema)
      USING format('INSERT INTO %1$s (%3$s) SELECT %3$s FROM %2$s', v_new, v_leads, v_columns);
    FOR i IN 1 .. coalesce(cardinality(v_drops), 0) LOOP
        EXECUTE v_drops[i];
    END LOOP;
    EXECUTE format('DROP TABLE %s', v_leads);
    EXECUTE format('ALTER TABLE %s RENAME TO leads', v_new);
    FOR i IN 0 .. coalesce(p_parts, 0) - 1 LOOP
        EXECUTE format('ALTER TABLE %1$s_p%2$s RENAME TO leads_p%2$s', v_new, i);
    END LOOP;

    FOR i IN 1 .. cardinality(v_creates) LOOP
        EXECUTE regexp_replace(v_creates[i], ' PRIMARY KEY \(id(, workspace_id)?\)$',
                               ' PRIMARY KEY ' || v_key);
    END LOOP;
    -- Nobody reads or writes a partition but through leads.
    FOR v_object IN
        SELECT inhrelid::regclass AS name, row_number() OVER (ORDER BY inhrelid) AS n FROM pg_inherits
         WHERE inhparent = v_leads::regclass
    LOOP
        EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC, anon, authenticated, service_role',
                       v_object.name);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', v_object.name);
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', v_object.name);
        EXECUTE format('COMMENT ON TABLE %s IS %L', v_object.name,
                       format('Partition %s of leads, of %s', v_object.n, p_parts));
    END LOOP;
    -- An error names the index of the partition, so that it must say which index it is.
    FOR v_object IN
        SELECT x.inhrelid::regclass AS name, p.relname AS parent,
               substring(t.relname::text, '_p\d+$') AS suffix
          FROM pg_index i JOIN pg_class p ON p.oid = i.indexrelid
          JOIN pg_inherits x ON x.inhparent = i.indexrelid
          JOIN pg_index c ON c.indexrelid = x.inhrelid JOIN pg_class t ON t.oid = c.indrelid
         WHERE i.indrelid = v_leads::regclass
    LOOP
        EXECUTE format('ALTER INDEX %s RENAME TO %I', v_object.name,
                       left(v_object.parent::text, 63 - length(v_object.suffix)) || v_object.suffix);
    END LOOP;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.rebuild_leads(int) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.rebuild_leads(int) IS
    'Used by partition_leads() and unpartition_leads(): builds leads anew, partitioned or plain';

CREATE FUNCTION @extschema@.partition_leads(p_parts int) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema CONSTANT text := (SELECT extnamespace::regnamespace FROM pg_extension
                                WHERE extname = 'openinfo');
BEGIN
    IF p_parts IS NULL OR p_parts NOT BETWEEN 1 AND 1024 THEN
        RAISE EXCEPTION 'argument "p_parts" must be from 1 to 1024, not %', coalesce(p_parts::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('SELECT %s.rebuild_leads($1)', v_schema) USING p_parts;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.partition_leads(int) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.partition_leads(int) IS
    'Partitions leads by workspace_id into p_parts tables; called again, into another number of tables';

CREATE FUNCTION @extschema@.unpartition_leads() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema CONSTANT text := (SELECT extnamespace::regnamespace FROM pg_extension
                                WHERE extname = 'openinfo');
BEGIN
    IF EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = (v_schema || '.leads')::regclass) THEN
        EXECUTE format('SELECT %s.rebuild_leads(NULL)', v_schema);
    END IF;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.unpartition_leads() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.unpartition_leads() IS
    'Makes leads one table again; does nothing when it is one';

CREATE OR REPLACE FUNCTION @extschema@.revoke_default_privileges() RETURNS event_trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_table regclass;
BEGIN
    -- Partitions of leads, and the tables of api_privileges(), which are listed here because a role that
    -- creates a table may not call it.
    FOR v_table IN
        SELECT c.oid
          FROM pg_event_trigger_ddl_commands() AS d
          JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
          JOIN pg_extension AS e ON e.extname = 'openinfo' AND e.extnamespace = c.relnamespace
         WHERE d.command_tag = 'CREATE TABLE' AND c.relkind IN ('r', 'p')
           AND (c.relname ~ '^leads_p\d+$' OR c.relname IN (
               'billing_events', 'credit_usage', 'expired_export_files', 'export_jobs', 'global_topics',
               'integration_events', 'integrations', 'invitations', 'leads', 'notification_preferences',
               'people_search_results', 'plans', 'queries', 'saved_people_searches', 'saved_searches',
               'schema_migrations', 'sealed_contacts', 'sealed_secrets', 'stripe_customers', 'trends',
               'users', 'visible_fields', 'workspace_creations', 'workspaces'))
    LOOP
        EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC, anon, authenticated, service_role', v_table);
    END LOOP;
END
$fn$;

-- Sizes of a partitioned table and its indexes are sums over the partitions.
CREATE OR REPLACE VIEW @extschema@.openinfo_metrics WITH (security_invoker = true) AS
    WITH ours AS (
        SELECT c.oid, c.relname::text AS name
          FROM pg_class c JOIN pg_extension e ON e.extname = 'openinfo' AND e.extnamespace = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    )
    SELECT 'openinfo_table_bytes' AS name, jsonb_build_object('table', t.name) AS labels,
           coalesce((SELECT sum(pg_table_size(p.relid)) FROM pg_partition_tree(t.oid) p),
                    pg_table_size(t.oid), 0)::double precision AS value
      FROM ours t
    UNION ALL
    SELECT 'openinfo_index_bytes', jsonb_build_object('table', t.name, 'index', x.relname),
           coalesce((SELECT sum(pg_relation_size(p.relid)) FROM pg_partition_tree(x.oid) p),
                    pg_relation_size(x.oid), 0)::double precision
      FROM ours t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class x ON x.oid = i.indexrelid
    UNION ALL
    SELECT m.name, jsonb_build_object('job', j.name), m.value
      FROM @extschema@.job_status() j
     CROSS JOIN LATERAL (VALUES
            ('openinfo_job_active', j.active::int::double precision),
            ('openinfo_job_overdue', j.overdue::int::double precision),
            ('openinfo_job_last_success_seconds',
             extract(epoch FROM clock_timestamp() - j.last_success)::double precision)) m (name, value)
     WHERE m.value IS NOT NULL
    UNION ALL
    SELECT m.name, m.labels, m.value FROM @extschema@.tenant_metrics() m;

-- -----------------------------------------------------------------------------------------------------------
-- Migration
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.migration_20260301000001_scale_out() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- No table changes until partition_leads() is called.
    NULL;
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260301000001_scale_out()
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260301000001_scale_out() IS 'Migration 8: partitions of leads';

SELECT @extschema@.apply_migrations();
