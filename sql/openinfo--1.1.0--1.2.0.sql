\echo Use "ALTER EXTENSION openinfo UPDATE TO '1.2.0'" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT @extschema@.require_trusted_schema();

-- openinfo 1.2.0: partitions of leads; more than one machine.

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
    -- functions of its row are dropped and created again, but not what the table itself needs them for
    SELECT DISTINCT format('%s depends on function %s', pg_describe_object(d.classid, d.objid, 0),
                           f.oid::regprocedure)
      FROM @extschema@.table_routines(p_table) f
      JOIN pg_depend d ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = f.oid
                      AND d.classid <> 'pg_proc'::regclass
      JOIN parts p ON p.classid = d.classid AND p.objid = d.objid
    UNION ALL
    SELECT format('%s is in tablespace %I', pg_describe_object(p.classid, p.objid, 0), s.spcname)
      FROM parts p JOIN pg_class c ON p.classid = 'pg_class'::regclass AND c.oid = p.objid
      JOIN pg_tablespace s ON s.oid = c.reltablespace
    UNION ALL
    SELECT format('%s is unlogged', pg_describe_object(p.classid, p.objid, 0))
      FROM parts p JOIN pg_class c ON p.classid = 'pg_class'::regclass AND c.oid = p.objid
     WHERE c.relkind = 'r' AND c.relpersistence = 'u'
    UNION ALL
    SELECT format('it is clustered on index %I', x.relname)
      FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
     WHERE i.indrelid = p_table AND i.indisclustered
    UNION ALL
    SELECT DISTINCT format('role %s has granted privileges on it', a.grantor::regrole)
      FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
     WHERE c.oid = p_table AND a.grantor <> c.relowner
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
        -- by OID, so that indexes and foreign keys are checked in the same order as before
        SELECT 1, lpad(k.oid::text, 10, '0'),
               format('ALTER TABLE %s ADD CONSTRAINT %I %s', p_table, k.conname, pg_get_constraintdef(k.oid))
          FROM constraints k WHERE k.contype <> 'f'
        UNION ALL
        SELECT 2, lpad(i.oid::text, 10, '0'), regexp_replace(pg_get_indexdef(i.oid), ' ON ONLY ', ' ON ')
          FROM indexes i
         WHERE NOT EXISTS (SELECT FROM constraints k WHERE k.conindid = i.oid AND k.contype <> 'f')
        UNION ALL
        SELECT 3, '' AS name, pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext s
         WHERE s.stxrelid = p_table
        UNION ALL
        SELECT 3, '' AS name, format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', p_table, a.attname,
                             a.attstattarget)
          FROM pg_attribute a
         WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget >= 0
        UNION ALL
        -- builds of PostgreSQL keep options of their own there
        SELECT 3, '' AS name, format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', p_table, a.attname, o.option)
          FROM pg_attribute a CROSS JOIN LATERAL unnest(a.attoptions) AS o (option)
         WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped
           AND o.option ~ '^n_distinct(_inherited)?='
        UNION ALL
        SELECT 4, '' AS name, format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', i.oid::regclass,
                             a.attnum, a.attstattarget)
          FROM indexes i JOIN pg_attribute a ON a.attrelid = i.oid AND a.attstattarget >= 0
        UNION ALL
        SELECT 4, '' AS name, format('ALTER STATISTICS %s.%I SET STATISTICS %s', s.stxnamespace::regnamespace,
                             s.stxname, s.stxstattarget)
          FROM pg_statistic_ext s WHERE s.stxrelid = p_table AND s.stxstattarget >= 0
        UNION ALL
        SELECT 4, lpad(k.oid::text, 10, '0'),
               format('ALTER TABLE %s ADD CONSTRAINT %I %s', p_table, k.conname, pg_get_constraintdef(k.oid))
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
        SELECT 9, '' AS name, g FROM routines r
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
        SELECT 11, '' AS name, format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_table) FROM the t
         WHERE t.relrowsecurity
        UNION ALL
        SELECT 11, '' AS name, format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', p_table) FROM the t
         WHERE t.relforcerowsecurity
        UNION ALL
        SELECT 12, '' AS name, format('REVOKE ALL ON TABLE %s FROM PUBLIC, anon, authenticated, service_role',
                              p_table)
        UNION ALL
        SELECT 13, '' AS name, g FROM the t
         CROSS JOIN LATERAL @extschema@.grant_statements('TABLE ' || p_table, '', t.relacl, t.relowner) g
        UNION ALL
        SELECT 13, '' AS name, g FROM the t JOIN pg_attribute a ON a.attrelid = t.oid AND NOT a.attisdropped
         CROSS JOIN LATERAL @extschema@.grant_statements('TABLE ' || p_table, format(' (%I)', a.attname),
                                                         a.attacl, t.relowner) g
        UNION ALL
        SELECT 14, '' AS name, format('COMMENT ON %s %s IS %L',
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
    SET search_path = pg_catalog, pg_temp SET row_security = off SET check_function_bodies = off
    SET quote_all_identifiers = off AS $fn$
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
    v_locks   bigint;
    v_sessions int;
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
    EXECUTE format('SELECT %s.require_one_server()', v_schema);
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
                  HINT = 'Drop or undo what is named, and do it again afterwards.';
    END IF;
    -- A server would find out after it has copied the rows.  The way back needs most: to drop a partition
    -- locks it, its two types, its TOAST table and that one's index, and each of its parts.
    SELECT p_parts * (5 + sum(n)) INTO v_locks
      FROM (SELECT count(*) FROM pg_index WHERE indrelid = v_leads::regclass
            UNION ALL SELECT count(*) FROM pg_constraint WHERE conrelid = v_leads::regclass
            UNION ALL SELECT count(*) FROM pg_attrdef WHERE adrelid = v_leads::regclass
            UNION ALL SELECT count(*) FROM pg_trigger WHERE tgrelid = v_leads::regclass) AS parts (n);
    v_sessions := current_setting('max_connections')::int
                  + current_setting('max_prepared_transactions')::int;
    IF v_locks > v_sessions * current_setting('max_locks_per_transaction')::bigint THEN
        RAISE EXCEPTION 'cannot partition table "leads" into % tables', p_parts
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('That, and the way back, takes about %s locks.', v_locks),
                  HINT = format('Set max_locks_per_transaction to %s and restart the server, or make fewer'
                                ' partitions.', ceil(v_locks::numeric / v_sessions));
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
-- Citus
-- -----------------------------------------------------------------------------------------------------------

-- Where the rows of each table are on a cluster: with their workspace, on every node, or on the coordinator.
CREATE FUNCTION @extschema@.table_distribution() RETURNS TABLE (relname text, kind text)
    LANGUAGE sql IMMUTABLE ROWS 25 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES ('plans', 'reference'), ('visible_fields', 'reference'), ('global_topics', 'reference'),
           ('trends', 'reference'), ('workspaces', 'reference'), ('workspace_creations', 'reference'),
           ('users', 'distributed'), ('queries', 'distributed'), ('people_search_results', 'distributed'),
           ('integrations', 'distributed'), ('leads', 'distributed'), ('saved_searches', 'distributed'),
           ('credit_usage', 'distributed'), ('export_jobs', 'distributed'),
           ('expired_export_files', 'distributed'), ('sealed_contacts', 'distributed'),
           ('saved_people_searches', 'distributed'), ('sealed_secrets', 'distributed'),
           ('integration_events', 'distributed'), ('billing_events', 'distributed'),
           ('notification_preferences', 'distributed'), ('stripe_customers', 'distributed'),
           ('invitations', 'distributed'), ('schema_migrations', 'local');
END;
REVOKE ALL ON FUNCTION @extschema@.table_distribution() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.table_distribution() IS
    'Used by distribute(): where the rows of each table are on a Citus cluster';

-- Whether Citus distributes the tables; users stands for all.  True on every worker, which gets the extension
-- when it joins the cluster.
CREATE FUNCTION @extschema@.is_distributed() RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_users  CONSTANT oid := (
        SELECT c.oid FROM pg_class c JOIN pg_extension e ON e.extnamespace = c.relnamespace
         WHERE e.extname = 'openinfo' AND c.relname = 'users');
    v_result boolean;
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE 'SELECT EXISTS (SELECT FROM pg_dist_local_group WHERE groupid <> 0)
                 OR EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid::oid = $1)'
       INTO v_result USING v_users;
    RETURN v_result;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.is_distributed() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.is_distributed() TO service_role;
COMMENT ON FUNCTION @extschema@.is_distributed() IS 'Whether the tables are distributed by Citus';

-- Citus connects to a node as the role that is working, so that roles must be able to log in on a cluster.
CREATE FUNCTION @extschema@.require_cluster() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_coordinator boolean;
    v_statements  text;
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NULL THEN
        RAISE EXCEPTION 'Citus is not installed in this database'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Create extension citus, add the nodes, and call the procedure on the coordinator.';
    END IF;
    EXECUTE 'SELECT groupid = 0 FROM pg_dist_local_group' INTO v_coordinator;
    IF NOT v_coordinator THEN
        RAISE EXCEPTION 'this node is not the coordinator'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Call the procedure on the coordinator.';
    END IF;
    SELECT string_agg(format('ALTER ROLE %I LOGIN;', rolname), ' ' ORDER BY rolname) INTO v_statements
      FROM pg_roles
     WHERE rolname IN ('authenticated', 'service_role', 'openinfo_owner') AND NOT rolcanlogin;
    IF v_statements IS NOT NULL THEN
        RAISE EXCEPTION 'Citus cannot connect to its nodes as the roles of openinfo'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'It connects as the role that is working, without a password.',
                  HINT = format('Let pg_hba.conf admit these roles from the nodes alone, and run: %s',
                                v_statements);
    END IF;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.require_cluster() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.require_cluster() IS
    'Used by distribute(): raises an error where this is no coordinator, or roles cannot log in';

CREATE FUNCTION @extschema@.require_one_server() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema CONSTANT text := (SELECT extnamespace::regnamespace FROM pg_extension
                                WHERE extname = 'openinfo');
    v_spread boolean;
BEGIN
    EXECUTE format('SELECT %s.is_distributed()', v_schema) INTO v_spread;
    IF v_spread THEN
        RAISE EXCEPTION 'the tables are distributed by Citus'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Run CALL %s.undistribute() on the coordinator.', v_schema);
    END IF;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.require_one_server() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.require_one_server() IS
    'Used by partition_leads() and the downgrade: raises an error when the tables are distributed';

-- INSERT on whole shards, because Citus writes all columns of a row there.  Which columns members may name is
-- decided by the table that they name, on the node that they are connected to.
CREATE FUNCTION @extschema@.grant_on_shards() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_table regclass;
    v_error text;
BEGIN
    FOR v_table IN
        SELECT DISTINCT a.attrelid
          FROM pg_extension e JOIN pg_class c ON c.relnamespace = e.extnamespace
          JOIN pg_attribute a ON a.attrelid = c.oid CROSS JOIN LATERAL aclexplode(a.attacl) x
         WHERE e.extname = 'openinfo' AND x.grantee = 'authenticated'::regrole
           AND x.privilege_type = 'INSERT'
    LOOP
        SELECT r.result INTO v_error
          FROM run_command_on_shards(v_table, 'GRANT INSERT ON TABLE %s TO authenticated') r
         WHERE NOT r.success LIMIT 1;
        IF v_error IS NOT NULL THEN
            RAISE EXCEPTION 'could not grant INSERT on the shards of %: %', v_table, v_error;
        END IF;
    END LOOP;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.grant_on_shards() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.grant_on_shards() IS
    'Used by distribute(): grants INSERT on shards, which Citus writes with all columns';

CREATE FUNCTION @extschema@.require_plain_leads() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema CONSTANT text := (SELECT extnamespace::regnamespace FROM pg_extension
                                WHERE extname = 'openinfo');
BEGIN
    IF EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass(v_schema || '.leads')) THEN
        RAISE EXCEPTION 'table "leads" is partitioned'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('Run SELECT %s.unpartition_leads().', v_schema);
    END IF;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.require_plain_leads() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.require_plain_leads() IS
    'Used by distribute() and the downgrade: raises an error when leads is partitioned';

-- What distribute() does, in a transaction in which the nodes fire no triggers.
CREATE FUNCTION @extschema@.distribute_tables() RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp SET client_min_messages = error
    SET quote_all_identifiers = off AS $fn$
DECLARE
    v_schema CONSTANT text := (SELECT extnamespace::regnamespace FROM pg_extension
                                WHERE extname = 'openinfo');
    v_call   CONSTANT text := '\( SELECT ([^()]*\([^()]*\)) AS \w+\)';
    v_tables oid[];
    v_spread oid[];
    v_later  text[] := '{}';
    v_about  text[];
    v_object record;
BEGIN
    EXECUTE format('SELECT %s.require_plain_leads()', v_schema);
    PERFORM set_config('citus.enable_unsafe_triggers', 'on', true),
            set_config('citus.enable_local_reference_table_foreign_keys', 'off', true),
            set_config('citus.multi_shard_modify_mode', 'sequential', true);
    EXECUTE format('SELECT array_agg(format(%L, relname)::regclass::oid),
                           array_agg(format(%1$L, relname)::regclass::oid) FILTER (WHERE kind = %L)
                      FROM %s.table_distribution() WHERE kind <> %L',
                   v_schema || '.%I', 'distributed', v_schema, 'local')
       INTO v_tables, v_spread;
    -- comments of keys that are dropped and created again
    EXECUTE format('SELECT array_agg(d) FROM unnest($1) t CROSS JOIN LATERAL %s.table_definition(t) d
                     WHERE d ~ %L', v_schema, '^COMMENT ON (CONSTRAINT|INDEX)')
       INTO v_about USING v_tables;

    -- Citus has no sub-selects in policies.
    FOR v_object IN
        SELECT p.polname, p.polrelid::regclass AS name,
               regexp_replace(pg_get_expr(p.polqual, p.polrelid), v_call, '\1', 'g') AS qual,
               regexp_replace(pg_get_expr(p.polwithcheck, p.polrelid), v_call, '\1', 'g') AS checked
          FROM pg_policy p
         WHERE p.polrelid = ANY (v_tables)
           AND concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) ~ 'SELECT'
    LOOP
        EXECUTE format('ALTER POLICY %I ON %s', v_object.polname, v_object.name)
                || coalesce(' USING (' || v_object.qual || ')', '')
                || coalesce(' WITH CHECK (' || v_object.checked || ')', '');
    END LOOP;

    -- Nor ON DELETE SET NULL (column): remove_member() does it, and the key is checked at the end.
    FOR v_object IN
        SELECT k.conname, k.conrelid, k.conrelid::regclass AS name, pg_get_constraintdef(k.oid) AS definition
          FROM pg_constraint k
         WHERE k.contype = 'f' AND k.conrelid = ANY (v_tables) AND k.confrelid = ANY (v_spread)
           AND (k.confdeltype = 'n' OR k.conrelid <> ALL (v_spread))
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', v_object.name, v_object.conname);
        CONTINUE WHEN v_object.conrelid <> ALL (v_spread);
        v_later := v_later || format('ALTER TABLE %s ADD CONSTRAINT %I %s DEFERRABLE INITIALLY DEFERRED',
            v_object.name, v_object.conname,
            regexp_replace(v_object.definition, ' ON DELETE SET NULL( \([^)]*\))?', ''));
    END LOOP;

    -- A key of a distributed table includes the workspace.
    FOR v_object IN
        SELECT k.conname, k.conrelid::regclass AS name, k.contype,
               string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
          FROM pg_constraint k
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
         WHERE k.contype IN ('p', 'u') AND k.conrelid = ANY (v_spread)
         GROUP BY k.oid
        HAVING 'workspace_id' <> ALL (array_agg(a.attname::text))
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', v_object.name, v_object.conname);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s (%s, workspace_id)', v_object.name,
                       v_object.conname, CASE v_object.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END,
                       v_object.columns);
    END LOOP;

    FOR v_object IN
        EXECUTE format('SELECT format(%L, relname)::regclass AS name, relname, kind
                          FROM %s.table_distribution() WITH ORDINALITY d (relname, kind, n)
                         WHERE kind <> %L ORDER BY kind DESC, n', v_schema || '.%I', v_schema, 'local')
    LOOP
        IF v_object.kind = 'reference' THEN
            PERFORM create_reference_table(v_object.name);
        ELSE
            PERFORM create_distributed_table(v_object.name, 'workspace_id',
                        colocate_with => CASE v_object.relname WHEN 'users' THEN 'none'
                                                               ELSE v_schema || '.users' END);
        END IF;
    END LOOP;
    FOR i IN 1 .. cardinality(v_later) LOOP
        EXECUTE v_later[i];
    END LOOP;
    FOR i IN 1 .. cardinality(v_about) LOOP
        CONTINUE WHEN v_about[i] ~ ' workspaces_created_by_id_fkey on ';
        EXECUTE v_about[i];
    END LOOP;
    FOR i IN 1 .. cardinality(v_tables) LOOP
        PERFORM truncate_local_data_after_distributing_table(v_tables[i]::regclass);
    END LOOP;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.distribute_tables() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.distribute_tables() IS
    'Used by distribute(): changes keys and policies, and distributes the tables';

/*
 * What undistribute() does: each table is built anew beside the distributed one, as rebuild_leads() does it.
 * What distribute() changed is derived from what it looks like now: keys that had to include the workspace,
 * foreign keys that are checked at the end, calls in policies.
 */
CREATE FUNCTION @extschema@.undistribute_tables() RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp SET client_min_messages = error
    SET check_function_bodies = off SET quote_all_identifiers = off AS $fn$
DECLARE
    v_schema  CONSTANT text := (SELECT extnamespace::regnamespace FROM pg_extension
                                 WHERE extname = 'openinfo');
    v_calls   CONSTANT text := format('(?<!SELECT )%s\.(get_user_workspace_id\(\)|get_user_id\(\)'
                                      '|user_has_role\([^()]*\))',
                                      regexp_replace(v_schema, '(\W)', '\\\1', 'g'));
    v_tables  regclass[];
    v_names   text[];
    v_creates text[];
    v_object  record;
    v_columns text;
BEGIN
    EXECUTE format('SELECT array_agg(format(%L, relname)::regclass), array_agg(relname)
                      FROM %s.table_distribution() WHERE kind <> %L', v_schema || '.%I', v_schema, 'local')
       INTO v_tables, v_names;
    EXECUTE format('SELECT array_agg(d ORDER BY d ~ %L, d ~ %L, n)
                      FROM unnest($1) t CROSS JOIN LATERAL %s.table_definition(t) WITH ORDINALITY d (d, n)',
                   '^COMMENT ON', ' FOREIGN KEY ', v_schema)
       INTO v_creates USING v_tables;

    FOR v_object IN
        SELECT k.conname, k.conrelid::regclass AS name FROM pg_constraint k
         WHERE k.contype = 'f' AND k.conrelid = ANY (v_tables)
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', v_object.name, v_object.conname);
    END LOOP;
    FOR i IN 1 .. cardinality(v_tables) LOOP
        SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) INTO v_columns FROM pg_attribute
         WHERE attrelid = v_tables[i] AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
        EXECUTE format('CREATE TABLE %1$s.%2$I (LIKE %1$s.%3$I INCLUDING ALL '
                       'EXCLUDING INDEXES EXCLUDING STATISTICS)%4$s', v_schema, v_names[i] || '_new',
                       v_names[i], (SELECT ' WITH (' || array_to_string(reloptions, ', ') || ')'
                                      FROM pg_class WHERE oid = v_tables[i]));
        EXECUTE format('ALTER TABLE %s.%I OWNER TO openinfo_owner', v_schema, v_names[i] || '_new');
        EXECUTE format('INSERT INTO %1$s.%2$I (%4$s) SELECT %4$s FROM %1$s.%3$I', v_schema,
                       v_names[i] || '_new', v_names[i], v_columns);
        FOR v_object IN
            EXECUTE format('SELECT oid::regprocedure AS name FROM %s.table_routines($1)', v_schema)
              USING v_tables[i]
        LOOP
            EXECUTE format('DROP ROUTINE %s', v_object.name);
        END LOOP;
    END LOOP;
    FOR i IN 1 .. cardinality(v_names) LOOP
        EXECUTE format('DROP TABLE %s.%I', v_schema, v_names[i]);
        EXECUTE format('ALTER TABLE %s.%I RENAME TO %I', v_schema, v_names[i] || '_new', v_names[i]);
    END LOOP;

    FOR i IN 1 .. cardinality(v_creates) LOOP
        v_creates[i] := regexp_replace(v_creates[i], ' PRIMARY KEY \(id, workspace_id\)$',
                                       ' PRIMARY KEY (id)');
        IF v_creates[i] ~ ' ADD CONSTRAINT (users_referral_code|billing_events_stripe_event_id'
                          '|stripe_customers_stripe_(customer|subscription)_id)_key UNIQUE ' THEN
            v_creates[i] := replace(v_creates[i], ', workspace_id)', ')');
        ELSIF v_creates[i] ~ ' DEFERRABLE INITIALLY DEFERRED$' THEN
            v_creates[i] := regexp_replace(v_creates[i],
                '(FOREIGN KEY \((\w+), workspace_id\) REFERENCES .*) DEFERRABLE INITIALLY DEFERRED$',
                '\1 ON DELETE SET NULL (\2)');
        ELSIF v_creates[i] ~ '^CREATE POLICY' THEN
            v_creates[i] := regexp_replace(v_creates[i], v_calls, '(SELECT ' || v_schema || '.\1)', 'g');
        END IF;
        EXECUTE v_creates[i];
    END LOOP;
    EXECUTE format('ALTER TABLE %1$s.workspaces ADD CONSTRAINT workspaces_created_by_id_fkey
                        FOREIGN KEY (created_by, id) REFERENCES %1$s.users (id, workspace_id)
                        ON DELETE SET NULL (created_by)', v_schema);
    EXECUTE format('COMMENT ON CONSTRAINT workspaces_created_by_id_fkey ON %s.workspaces IS %L', v_schema,
                   'An author of the same workspace; set to NULL when they are removed');
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.undistribute_tables() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.undistribute_tables() IS
    'Used by undistribute(): brings all rows back to the coordinator, with keys and policies of one server';

CREATE PROCEDURE @extschema@.distribute() LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_distribute';
REVOKE ALL ON PROCEDURE @extschema@.distribute() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON PROCEDURE @extschema@.distribute() IS
    'Distributes the tables over the nodes of a Citus cluster; again: grants on shards that were moved';

CREATE PROCEDURE @extschema@.undistribute() LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_undistribute';
REVOKE ALL ON PROCEDURE @extschema@.undistribute() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON PROCEDURE @extschema@.undistribute() IS
    'Brings the tables of a Citus cluster back to one server';

-- Where the tables are distributed, workers lack one, roles may log in, and policies have no sub-selects.
CREATE OR REPLACE FUNCTION @extschema@.checklist_rls_enabled() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS (SELECT * FROM @extschema@.checked_tables())
    SELECT t.name FROM tables t WHERE NOT t.relrowsecurity
    UNION ALL
    SELECT format('%s.%I is missing', e.extnamespace::regnamespace, a.relname)
      FROM @extschema@.api_privileges() a JOIN pg_extension e ON e.extname = 'openinfo'
     WHERE NOT EXISTS (SELECT FROM tables t WHERE t.ours AND t.relname = a.relname)
       AND NOT (a.relname = 'schema_migrations' AND @extschema@.is_distributed());
END;

CREATE OR REPLACE FUNCTION @extschema@.owner_rights() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT v.what
      FROM pg_roles o
     CROSS JOIN LATERAL (VALUES (o.rolsuper, 'SUPERUSER'),
                                (o.rolcanlogin AND NOT @extschema@.is_distributed(), 'LOGIN'),
                                (o.rolbypassrls, 'BYPASSRLS'), (o.rolcreaterole, 'CREATEROLE'),
                                (o.rolcreatedb, 'CREATEDB'), (o.rolreplication, 'REPLICATION'))
               AS v (holds, what)
     WHERE o.rolname = 'openinfo_owner' AND v.holds
    UNION ALL
    SELECT 'membership in ' || m.roleid::regrole FROM pg_auth_members m JOIN pg_roles o ON o.oid = m.member
     WHERE o.rolname = 'openinfo_owner'
    UNION ALL
    SELECT 'member ' || m.member::regrole FROM pg_auth_members m JOIN pg_roles o ON o.oid = m.roleid
     WHERE o.rolname = 'openinfo_owner';
END;

CREATE OR REPLACE FUNCTION @extschema@.checklist_roles() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT r.name || ' ' || x.trait
      FROM @extschema@.checked_roles() r JOIN pg_roles g ON g.oid = r.oid
     CROSS JOIN LATERAL (VALUES (g.rolsuper, 'is a superuser'), (g.rolbypassrls, 'has BYPASSRLS'),
                                (g.rolcreaterole, 'has CREATEROLE'), (g.rolreplication, 'has REPLICATION'),
                                (g.rolcanlogin AND NOT (g.rolname = 'authenticated'
                                                        AND @extschema@.is_distributed()),
                                 'can log in')) x (has_it, trait)
     WHERE r.by_request AND x.has_it
    UNION ALL
    SELECT format('%s is a member of %I', r.name, g.rolname)
      FROM @extschema@.checked_roles() r JOIN pg_roles g ON g.oid <> r.oid
     WHERE r.by_request AND pg_has_role(r.oid, g.oid, 'MEMBER')
       AND (g.rolsuper OR g.rolbypassrls OR g.oid IN (SELECT t.relowner FROM @extschema@.checked_tables() t)
            OR g.rolname IN ('service_role', 'pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files',
                             'pg_write_server_files', 'pg_execute_server_program'))
    UNION ALL
    SELECT format('%s owns %s', r.name, t.name)
      FROM @extschema@.checked_roles() r JOIN @extschema@.checked_tables() t ON t.relowner = r.oid
     WHERE r.by_request;
END;

CREATE OR REPLACE FUNCTION @extschema@.checked_policies()
    RETURNS TABLE (tableoid oid, name text, polcmd text, polpermissive boolean, bound boolean)
    LANGUAGE sql STABLE ROWS 30 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.oid, t.name || ' (' || quote_ident(p.polname) || ')', p.polcmd::text, p.polpermissive,
           CASE WHEN NOT t.ours THEN
                    (SELECT bool_and((e ~ '\mworkspace_id = (\( SELECT )?[^() ]*\mget_user_workspace_id\(\)'
                                      OR e ~ '\mget_user_workspace_id\(\)( AS \w+\))? = '
                                             '[^() ]*\mworkspace_id\M')
                                     AND e !~ '\mOR true\M' AND e !~ '\mNOT \(+[^() ]*\mworkspace_id\M')
                       FROM unnest(x.expressions) e)
                    AND x.calls
                WHEN t.workspace_column IS NULL AND t.relname <> 'workspaces' THEN p.polcmd = 'r'
                ELSE (SELECT bool_and(e ~ (CASE t.relname WHEN 'workspaces' THEN '\m' ELSE '\mworkspace_' END
                                           || 'id = (\( SELECT )?[^()]*\mget_user_workspace_id\(\)')
                                      AND regexp_replace(e, '''[^'']*''', '', 'g') !~ '\mOR\M')
                        FROM unnest(x.expressions) e)
                     AND x.calls
           END
      FROM @extschema@.checked_tables() t JOIN pg_policy p ON p.polrelid = t.oid
     CROSS JOIN LATERAL (SELECT array_remove(ARRAY[pg_get_expr(p.polqual, t.oid),
                                                   pg_get_expr(p.polwithcheck, t.oid)], NULL),
                                EXISTS (SELECT FROM pg_depend d
                                         WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                                           AND d.refclassid = 'pg_proc'::regclass AND d.refobjid
                                             = '@extschema@.get_user_workspace_id()'::regprocedure))
                        x (expressions, calls)
     WHERE EXISTS (SELECT FROM unnest(p.polroles) g CROSS JOIN @extschema@.checked_roles() r
                    WHERE r.by_request AND CASE WHEN g = 0 THEN true ELSE pg_has_role(r.oid, g, 'USAGE') END);
END;

-- -----------------------------------------------------------------------------------------------------------
-- Migration
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.migration_20260301000001_scale_out() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- visible_fields ----------------------------------------------------------------------------------------
    -- Logical replication, as between cells, fires triggers of rows alone.
    CREATE TRIGGER visible_field_changed AFTER INSERT OR UPDATE OR DELETE ON @extschema@.visible_fields
        FOR EACH ROW EXECUTE FUNCTION @extschema@.visible_fields_changed();
    ALTER TABLE @extschema@.visible_fields ENABLE ALWAYS TRIGGER visible_field_changed;
    PERFORM @extschema@.comment_on_table('@extschema@.visible_fields'::regclass, NULL, ARRAY[
        ['visible_field_changed', 'The same where a row is replicated']]);
    -- No other table changes until partition_leads() is called.
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260301000001_scale_out()
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260301000001_scale_out() IS
    'Migration 8: partitions of leads, Citus, and replication of visible_fields';

SELECT @extschema@.apply_migrations();

-- A worker of a Citus cluster gets its tables from distribute(), and no jobs.  What the steps before have
-- created there in this transaction is dropped; it is empty.
DO $do$
DECLARE
    v_worker boolean := false;
    v_drop   text;
BEGIN
    IF to_regclass('pg_catalog.pg_dist_local_group') IS NOT NULL THEN
        EXECUTE 'SELECT groupid <> 0 FROM pg_dist_local_group' INTO v_worker;
    END IF;
    IF NOT v_worker OR to_regclass('@extschema@.schema_migrations') IS NULL THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
        PERFORM @extschema@.unschedule_jobs();
    END IF;
    FOR v_drop IN
        SELECT format('DROP FUNCTION %s', r.oid::regprocedure)
          FROM pg_class c CROSS JOIN LATERAL @extschema@.table_routines(c.oid) r
         WHERE c.relnamespace = '@extschema@'::regnamespace AND c.relkind = 'r'
        UNION ALL
        SELECT format('DROP TABLE %s', string_agg(format('@extschema@.%I', d.relname), ', '))
          FROM @extschema@.table_distribution() d
    LOOP
        EXECUTE v_drop;
    END LOOP;
END
$do$;
