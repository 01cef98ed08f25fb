\echo Use "CREATE EXTENSION openinfo" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;

/*
 * openinfo 0.1.0: workspaces, users and plans; the caller and their active workspace.
 *
 * Words used in all scripts:
 *   person            someone who signs in, identified by the claim "sub" of their JWT (auth_user_id)
 *   membership        a row of "users": one person in one workspace; users.id identifies the membership
 *   active workspace  the workspace that a statement of the caller works in; see get_user_workspace_id()
 *   author            the membership that wrote a row: created_by, user_id, referred_by, email_revealed_by
 *   API roles         anon, authenticated and service_role, which requests run as
 *   openinfo_owner    owns the tables; functions that need more than the caller may do run as it
 *   openinfo_monitor  reads the metrics and the state of the jobs, and no row of a tenant
 *
 * Functions and types are members of the extension.  Tables are not: each migration is a function that
 * creates tables, and apply_migrations() removes them from the extension and gives them to openinfo_owner, so
 * that pg_dump dumps them like any other table and DROP EXTENSION cannot delete a row.
 *
 * Each function has a REVOKE: EXECUTE is granted to PUBLIC by default, and ALTER DEFAULT PRIVILEGES, as on
 * Supabase, may grant everything to the API roles by name.  Therefore all of them are named, before the
 * intended GRANT.
 */

-- Roles are created if they do not exist, and never altered.  If two databases create them at the same time,
-- the error may be unique_violation rather than duplicate_object.
DO $do$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY
        ARRAY['openinfo_owner', 'anon', 'authenticated', 'service_role', 'openinfo_monitor']
    LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_role::name) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', v_role);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
END
$do$;

CREATE FUNCTION @extschema@.require_owned_tables() RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_require_owned_tables';
REVOKE ALL ON FUNCTION @extschema@.require_owned_tables() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.require_owned_tables() IS
    'Used by scripts: raises an error when a table of the extension is not owned by role openinfo_owner';

CREATE FUNCTION @extschema@.execute_as_owner(p_statement text) RETURNS bigint
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'openinfo_execute_as_owner';
REVOKE ALL ON FUNCTION @extschema@.execute_as_owner(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.execute_as_owner(text) IS
    'Used by scripts: runs one statement as role openinfo_owner and returns the number of rows';

-- What openinfo_owner has besides the tables: attributes, and memberships in both directions.
CREATE FUNCTION @extschema@.owner_rights() RETURNS SETOF text
    LANGUAGE sql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT v.what
      FROM pg_roles o
     CROSS JOIN LATERAL (VALUES (o.rolsuper, 'SUPERUSER'), (o.rolcanlogin, 'LOGIN'),
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
REVOKE ALL ON FUNCTION @extschema@.owner_rights() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.owner_rights() TO service_role;
COMMENT ON FUNCTION @extschema@.owner_rights() IS
    'Used by scripts and the security checklist: rights of role openinfo_owner that it must not have';

-- Roles that are no superusers and own the schema of the extension or may create in it; role 0 is PUBLIC.
CREATE FUNCTION @extschema@.schema_creators() RETURNS TABLE (role oid, owns boolean)
    LANGUAGE sql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.role, c.owns
      FROM (-- pg_database_owner has one member, the owner of the database
            SELECT CASE r.rolname WHEN 'pg_database_owner' THEN d.datdba ELSE g.role END AS role, g.owns
              FROM pg_extension e
             CROSS JOIN LATERAL (
                SELECT n.nspowner AS role, true AS owns FROM pg_namespace n WHERE n.oid = e.extnamespace
                UNION ALL
                SELECT x.grantee, false FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x
                 WHERE n.oid = e.extnamespace AND x.privilege_type = 'CREATE') g
              LEFT JOIN pg_roles r ON r.oid = g.role
              JOIN pg_database d ON d.datname = current_database()
             WHERE e.extname = 'openinfo') c
     WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = c.role AND r.rolsuper);
END;
REVOKE ALL ON FUNCTION @extschema@.schema_creators() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.schema_creators() TO service_role;
COMMENT ON FUNCTION @extschema@.schema_creators() IS
    'Used by scripts and the security checklist: roles that own the schema or may create in it';

/*
 * Scripts run as a superuser, and a role that may create objects in the schema could plant some that they
 * find there.  Therefore only superusers and the installing role may create objects in the schema or own it,
 * and openinfo_owner must own the tables.  openinfo_owner must have no other privileges, and no members.
 */
CREATE FUNCTION @extschema@.require_trusted_schema() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema CONSTANT oid := (SELECT extnamespace FROM pg_extension WHERE extname = 'openinfo');
    v_name   CONSTANT text := (SELECT nspname FROM pg_namespace WHERE oid = v_schema);
    v_right  record;
    v_trust  text;
BEGIN
    FOR v_right IN EXECUTE format('SELECT role, owns FROM %I.schema_creators() ORDER BY owns DESC', v_name)
    LOOP
        CONTINUE WHEN v_right.role = current_user::regrole;
        IF v_right.owns THEN
            RAISE EXCEPTION 'schema "%" is owned by role "%", which is not a superuser',
                            v_name, v_right.role::regrole
                USING ERRCODE = 'insufficient_privilege',
                      HINT = format('Run ALTER SCHEMA %I OWNER TO CURRENT_USER, '
                                    'or install into another schema.', v_name);
        END IF;
        RAISE EXCEPTION 'schema "%" allows % to create objects in it', v_name,
                        CASE v_right.role WHEN 0 THEN 'PUBLIC'
                                          ELSE format('role "%s"', v_right.role::regrole) END
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('Run REVOKE CREATE ON SCHEMA %I FROM %s.', v_name,
                                CASE v_right.role WHEN 0 THEN 'PUBLIC' ELSE v_right.role::regrole::text END);
    END LOOP;

    EXECUTE format('SELECT string_agg(r, %L) FROM %I.owner_rights() r', ', ', v_name) INTO v_trust;
    IF v_trust IS NOT NULL THEN
        RAISE EXCEPTION 'role openinfo_owner must not have: %', v_trust
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Remove these with ALTER ROLE and REVOKE, or drop the role: '
                         'it is created if it does not exist.';
    END IF;
    EXECUTE format('SELECT %I.require_owned_tables()', v_name);
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.require_trusted_schema() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.require_trusted_schema() IS
    'Used by scripts: raises an error when a role that is not trusted could plant objects in the schema';
SELECT @extschema@.require_trusted_schema();

-- -----------------------------------------------------------------------------------------------------------
-- Types
-- -----------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.user_role AS ENUM ('owner', 'admin', 'member');
COMMENT ON TYPE @extschema@.user_role IS 'Role of a membership; owner is above admin, admin above member';

-- -----------------------------------------------------------------------------------------------------------
-- Access: the caller and their active workspace (src/access/)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_user_workspace_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_get_user_workspace_id';
REVOKE ALL ON FUNCTION @extschema@.get_user_workspace_id() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_user_workspace_id() TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.get_user_workspace_id() IS 'Active workspace of the caller, or NULL';

CREATE FUNCTION @extschema@.get_user_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_get_user_id';
REVOKE ALL ON FUNCTION @extschema@.get_user_id() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_user_id() TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.get_user_id() IS 'users.id of the caller in their active workspace, or NULL';

CREATE FUNCTION @extschema@.user_has_role(required_role @extschema@.user_role) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'openinfo_user_has_role';
REVOKE ALL ON FUNCTION @extschema@.user_has_role(@extschema@.user_role)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.user_has_role(@extschema@.user_role)
    TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.user_has_role(@extschema@.user_role) IS
    'Whether the caller has at least this role in their active workspace';

-- -----------------------------------------------------------------------------------------------------------
-- Audit columns: triggers that set created_by, updated_at and referral_code (src/workspaces/audit_columns.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.set_created_by() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_created_by';
REVOKE ALL ON FUNCTION @extschema@.set_created_by() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_created_by() IS
    'Trigger: sets created_by to the membership of the caller in the workspace of the row';

CREATE FUNCTION @extschema@.set_updated_at() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_updated_at';
REVOKE ALL ON FUNCTION @extschema@.set_updated_at() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_updated_at() IS
    'Trigger: sets updated_at on every UPDATE, never to an earlier time';

CREATE FUNCTION @extschema@.set_referral_code() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_referral_code';
REVOKE ALL ON FUNCTION @extschema@.set_referral_code() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_referral_code() IS
    'Trigger: sets a unique referral_code where it is NULL';

-- -----------------------------------------------------------------------------------------------------------
-- Members (src/workspaces/members.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.create_workspace(
        p_slug text, p_name text, p_email text, p_full_name text DEFAULT NULL) RETURNS uuid
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_create_workspace';
REVOKE ALL ON FUNCTION @extschema@.create_workspace(text, text, text, text)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.create_workspace(text, text, text, text) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.create_workspace(text, text, text, text) IS
    'Creates a workspace with the caller as its owner; returns its id';

CREATE FUNCTION @extschema@.add_member(
        p_workspace_id uuid, p_auth_user_id uuid, p_email text, p_role @extschema@.user_role DEFAULT 'member')
    RETURNS uuid
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_add_member';
REVOKE ALL ON FUNCTION @extschema@.add_member(uuid, uuid, text, @extschema@.user_role)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.add_member(uuid, uuid, text, @extschema@.user_role)
    TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.add_member(uuid, uuid, text, @extschema@.user_role) IS
    'Adds a person to a workspace, on the plan of the workspace; returns users.id. Requires owner or admin';

CREATE FUNCTION @extschema@.set_member_role(p_user_id uuid, p_role @extschema@.user_role) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_member_role';
REVOKE ALL ON FUNCTION @extschema@.set_member_role(uuid, @extschema@.user_role)
    FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.set_member_role(uuid, @extschema@.user_role)
    TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_member_role(uuid, @extschema@.user_role) IS
    'Changes a member''s role. Requires owner or admin, and a role that is not above the caller''s own';

CREATE FUNCTION @extschema@.remove_member(p_user_id uuid) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_remove_member';
REVOKE ALL ON FUNCTION @extschema@.remove_member(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.remove_member(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.remove_member(uuid) IS
    'Removes a member from their workspace. Requires owner or admin; cannot remove the last owner';

CREATE FUNCTION @extschema@.leave_workspace() RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_leave_workspace';
REVOKE ALL ON FUNCTION @extschema@.leave_workspace() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.leave_workspace() TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.leave_workspace() IS
    'Removes the caller from their active workspace; the last owner cannot leave';

-- -----------------------------------------------------------------------------------------------------------
-- Credits: the daily job (src/credits/); credits are spent from 0.4.0 on
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.reset_daily_credits() RETURNS bigint
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_reset_daily_credits';
REVOKE ALL ON FUNCTION @extschema@.reset_daily_credits() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.reset_daily_credits() TO service_role;
COMMENT ON FUNCTION @extschema@.reset_daily_credits() IS
    'Job: sets the credit counters of earlier days to zero; returns the number of rows';

-- -----------------------------------------------------------------------------------------------------------
-- Names: used by constraints (src/core/white_space.c)
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.is_blank(value text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_is_blank';
REVOKE ALL ON FUNCTION @extschema@.is_blank(text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.is_blank(text) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.is_blank(text) IS
    'Whether a text is empty or consists of white space, as Unicode defines it';

-- -----------------------------------------------------------------------------------------------------------
-- Migrations
-- -----------------------------------------------------------------------------------------------------------

/*
 * Gives a table what all tables have in common: forced row-level security, privileges and policies of
 * service_role and openinfo_owner, none of other API roles, and the triggers of created_by and updated_at
 * where it has these.  A migration calls it right after CREATE TABLE, and then grants privileges to
 * "authenticated".
 */
CREATE FUNCTION @extschema@.secure_table(p_table regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema  CONSTANT regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = p_table);
    v_trigger record;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_table);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', p_table);
    EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC, anon, authenticated, service_role', p_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %s TO service_role', p_table);
    -- service_role need not have BYPASSRLS.
    EXECUTE format('CREATE POLICY service_all ON %s FOR ALL TO service_role USING (true) WITH CHECK (true)',
                   p_table);
    EXECUTE format('COMMENT ON POLICY service_all ON %s IS %L', p_table,
                   'The backend works in every workspace');
    -- For statements of openinfo_owner outside of functions, because row-level security is forced.
    EXECUTE format('CREATE POLICY owner_all ON %s FOR ALL TO openinfo_owner USING (true) WITH CHECK (true)',
                   p_table);
    EXECUTE format('COMMENT ON POLICY owner_all ON %s IS %L', p_table,
                   'The owner of the tables works in every workspace');

    FOR v_trigger IN
        SELECT *
          FROM (VALUES ('created_by', 'set_created_by', 'BEFORE INSERT',
                        'Sets created_by to the membership of the caller'),
                       ('updated_at', 'set_updated_at', 'BEFORE UPDATE', 'Sets updated_at on every UPDATE'))
               AS t (column_name, name, moment, what)
         WHERE EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = p_table AND a.attname = t.column_name::name AND NOT a.attisdropped)
    LOOP
        EXECUTE format('CREATE TRIGGER %1$I %2$s ON %3$s FOR EACH ROW EXECUTE FUNCTION %4$s.%1$I()',
                       v_trigger.name, v_trigger.moment, p_table, v_schema);
        EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', v_trigger.name, p_table, v_trigger.what);
    END LOOP;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.secure_table(regclass) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.secure_table(regclass) IS
    'Used by migrations: row-level security, privileges and triggers that all tables have in common';

/*
 * Comments on a table, its columns, indexes, constraints, policies and triggers.  p_about has pairs of a name
 * and its comment; a name that does not exist on the table is an error.
 *
 * For a new table, p_comment is the comment on the table itself, and everything on it must have a comment:
 * columns and keys that all tables have in common get the usual one.  For a table of an earlier version, to
 * which the user may have added objects, p_comment is NULL, and only what p_about names gets a comment.
 */
CREATE FUNCTION @extschema@.comment_on_table(p_table regclass, p_comment text, p_about text[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema   CONSTANT regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = p_table);
    v_about    CONSTANT jsonb := (SELECT coalesce(jsonb_object_agg(p_about[i][1], p_about[i][2]), '{}')
                                    FROM generate_subscripts(p_about, 1) i);
    v_common   CONSTANT jsonb := jsonb_build_object(
        'id', 'Identity of the row (UUID version 4)',
        'created_at', 'When the row was inserted',
        'updated_at', 'When the row was last changed',
        'created_by', 'Membership that inserted the row, if any',
        'workspace_id', 'Workspace that the row belongs to');
    v_on_table text[] := '{}';
    v_object   record;
    v_comment  text;
    v_name     text;
BEGIN
    IF p_comment IS NOT NULL THEN
        EXECUTE format('COMMENT ON TABLE %s IS %L', p_table, p_comment);
    END IF;

    -- Everything on the table that can have a comment: its kind, its name and its usual comment
    FOR v_object IN
        SELECT 'COLUMN' AS kind, a.attname::text AS name, v_common ->> a.attname::text AS usual
          FROM pg_attribute a WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 'INDEX', c.relname::text,
               CASE WHEN i.indisprimary THEN 'Identity of the row'
                    WHEN d.definition ~ '\(id, workspace_id\)$'
                    THEN 'Target of references that include the workspace'
                    WHEN d.definition ~ '\(workspace_id(, created_at DESC)?\)$' THEN 'Rows of a workspace'
                    WHEN d.definition
                         ~ '\((created_by|user_id|referred_by|email_revealed_by), workspace_id\)$'
                    THEN 'Supports the foreign key of the author' END
          FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         CROSS JOIN LATERAL (SELECT pg_get_indexdef(i.indexrelid)) d (definition)
         WHERE i.indrelid = p_table
        UNION ALL
        SELECT 'CONSTRAINT', k.conname::text,
               CASE WHEN k.contype = 'p' THEN 'Identity of the row'
                    WHEN k.contype = 'f' AND pg_get_constraintdef(k.oid) ~ '^FOREIGN KEY \(workspace_id\)'
                    THEN 'The row is deleted with its workspace'
                    WHEN k.contype = 'f' AND k.confdelsetcols IS NOT NULL
                    THEN 'An author of the same workspace; set to NULL when they are removed'
                    WHEN k.contype = 'f' THEN 'A row of the same workspace'
                    WHEN k.contype = 'u' THEN 'Unique'
                    WHEN k.contype = 'c' THEN 'Checked: ' || pg_get_expr(k.conbin, k.conrelid) END
          FROM pg_constraint k WHERE k.conrelid = p_table AND k.contype IN ('p', 'u', 'f', 'c')
        UNION ALL
        SELECT 'POLICY', p.polname::text, obj_description(p.oid, 'pg_policy')
          FROM pg_policy p WHERE p.polrelid = p_table
        UNION ALL
        SELECT 'TRIGGER', t.tgname::text, obj_description(t.oid, 'pg_trigger')
          FROM pg_trigger t WHERE t.tgrelid = p_table AND NOT t.tgisinternal
    LOOP
        v_on_table := v_on_table || v_object.name;
        v_comment := v_about ->> v_object.name;
        IF v_comment IS NULL AND p_comment IS NULL THEN
            CONTINUE;
        END IF;
        v_comment := coalesce(v_comment, v_object.usual);
        IF v_comment IS NULL THEN
            RAISE EXCEPTION 'no comment for % "%" of table %', lower(v_object.kind), v_object.name, p_table;
        END IF;
        EXECUTE CASE v_object.kind
            WHEN 'COLUMN' THEN format('COMMENT ON COLUMN %s.%I IS %L', p_table, v_object.name, v_comment)
            WHEN 'INDEX' THEN format('COMMENT ON INDEX %s.%I IS %L', v_schema, v_object.name, v_comment)
            ELSE format('COMMENT ON %s %I ON %s IS %L', v_object.kind, v_object.name, p_table, v_comment) END;
    END LOOP;

    FOR v_name IN SELECT jsonb_object_keys(v_about) LOOP
        IF v_name <> ALL (v_on_table) THEN
            RAISE EXCEPTION 'table % has no "%" to comment on', p_table, v_name;
        END IF;
    END LOOP;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.comment_on_table(regclass, text, text[])
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.comment_on_table(regclass, text, text[]) IS
    'Used by migrations: comments on a table, its columns, indexes, constraints, policies and triggers';

/*
 * Creates a computed field: a function of the row, which PostgREST offers like a column, with the value of
 * p_name(p_column).  Its argument has the type of a table that is not a member, so it is not a member either,
 * and is dumped with the table.  It sets no search_path, so that it is inlined and the index on
 * p_name(p_column) is used.  Its body is a string, because with a parsed body, which depends on the column,
 * PostgreSQL could not add columns with a default to the table.  Therefore it must be created again after
 * ALTER SCHEMA ... RENAME.
 */
CREATE FUNCTION @extschema@.create_computed_field(p_table regclass, p_name text, p_column text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema    CONSTANT regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = p_table);
    v_signature CONSTANT text := format('%s.%I(%s)', v_schema, p_name, p_table);
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION %s RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L',
                   v_signature, format('SELECT %s.%I(($1).%I)', v_schema, p_name, p_column));
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, anon, authenticated, service_role', v_signature);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO authenticated, service_role', v_signature);
    EXECUTE format('ALTER FUNCTION %s OWNER TO openinfo_owner', v_signature);
    EXECUTE format('COMMENT ON FUNCTION %s IS %L', v_signature,
                   format('Computed field of %s: %s(%s)', (SELECT relname FROM pg_class WHERE oid = p_table),
                          p_name, p_column));
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.create_computed_field(regclass, text, text)
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.create_computed_field(regclass, text, text) IS
    'Used by migrations: creates a computed field, a function of the row of a table';

/*
 * Runs the migrations that schema_migrations does not list, in order, and removes the tables from the
 * extension.
 * While a dump is restored it does nothing, because the dump creates the tables as they were.  Scripts of
 * pg_dump, and pg_restore, set row_security to off, by which a restore is recognized.
 *
 * The name of the schema is looked up, so that the function works after ALTER SCHEMA ... RENAME.
 */
CREATE FUNCTION @extschema@.apply_migrations() RETURNS SETOF text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema    oid;
    v_name      text;
    v_tables    oid[];
    v_initprivs aclitem[];
    v_migration record;
    v_object    record;
    v_known     boolean;
    v_applied   text[] := '{}';
BEGIN
    SELECT extnamespace, extnamespace::regnamespace INTO v_schema, v_name
      FROM pg_extension WHERE extname = 'openinfo';

    IF current_setting('row_security') = 'off'
       OR NOT coalesce(current_setting('openinfo.install_tables', true), 'on')::boolean THEN
        RAISE NOTICE 'openinfo creates no tables: the dump being restored is expected to create them'
            USING HINT = format('If nothing is being restored, or the dump is of an older version: '
                                'SET row_security = on; SET openinfo.install_tables = on; '
                                'SELECT %s.apply_migrations().', v_name);
        RETURN;
    END IF;

    -- Concurrent calls wait for each other.
    PERFORM pg_advisory_xact_lock(hashtextextended('openinfo.apply_migrations', 0));
    EXECUTE format('SELECT %s.require_trusted_schema()', v_name);
    SELECT coalesce(array_agg(oid), '{}') INTO v_tables
      FROM pg_class WHERE relnamespace = v_schema AND relkind IN ('r', 'p');

    IF to_regclass(format('%s.schema_migrations', v_name)) IS NULL THEN
        EXECUTE format('CREATE TABLE %s.schema_migrations (
            version    text PRIMARY KEY,
            name       text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )', v_name);
        EXECUTE format('SELECT %s.secure_table($1)', v_name)
          USING to_regclass(format('%s.schema_migrations', v_name));
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON TABLE %s.schema_migrations FROM service_role',
                       v_name);
        EXECUTE format('SELECT %s.comment_on_table($1, $2, $3)', v_name)
          USING to_regclass(format('%s.schema_migrations', v_name)),
                'Migrations that have been applied to this database'::text, ARRAY[
            ['version', 'Timestamp that orders the migrations'],
            ['name', 'Name of the migration'],
            ['applied_at', 'When it was applied']];

        -- Only with the first migration, so that a later REVOKE stays.  A GRANT in an extension script is
        -- recorded as an initial privilege, and pg_dump omits initial privileges; as the schema belongs to
        -- the user, that would lose their own grants on it.  Therefore the record is restored, from 17 on
        -- with its dependencies.
        SELECT initprivs INTO v_initprivs
          FROM pg_init_privs WHERE classoid = 'pg_namespace'::regclass AND objoid = v_schema;
        EXECUTE format('GRANT USAGE ON SCHEMA %s '
                       'TO authenticated, service_role, openinfo_owner, openinfo_monitor', v_name);
        IF v_initprivs IS NULL THEN
            DELETE FROM pg_init_privs WHERE classoid = 'pg_namespace'::regclass AND objoid = v_schema;
        ELSE
            UPDATE pg_init_privs SET initprivs = v_initprivs
             WHERE classoid = 'pg_namespace'::regclass AND objoid = v_schema;
        END IF;
        DELETE FROM pg_shdepend
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND classid = 'pg_namespace'::regclass AND objid = v_schema AND deptype = 'i'
           AND refobjid NOT IN (SELECT grantee FROM aclexplode(v_initprivs)
                                UNION ALL SELECT grantor FROM aclexplode(v_initprivs));
    END IF;

    FOR v_migration IN
        SELECT p.proname, substring(p.proname::text, '^migration_(\d+)_') AS version,
               substring(p.proname::text, '^migration_\d+_(.*)$') AS name
          FROM pg_proc p
          JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
          JOIN pg_extension e
            ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'openinfo'
         WHERE p.pronamespace = v_schema AND p.proname::text ~ '^migration_\d+_' AND p.pronargs = 0
         ORDER BY p.proname
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s.schema_migrations WHERE version = $1)', v_name)
           INTO v_known USING v_migration.version;
        IF NOT v_known THEN
            EXECUTE format('SELECT %s.%I()', v_name, v_migration.proname);
            -- Tables that it has created, so that the next one can write to them through execute_as_owner();
            -- others have existed before, or have another owner.
            FOR v_object IN
                SELECT oid::regclass AS name FROM pg_class
                 WHERE relnamespace = v_schema AND relkind IN ('r', 'p') AND oid <> ALL (v_tables)
                   AND relowner = current_user::regrole
            LOOP
                EXECUTE format('ALTER TABLE %s OWNER TO openinfo_owner', v_object.name);
            END LOOP;
            v_applied := v_applied || format('(%L, %L)', v_migration.version, v_migration.name);
            RETURN NEXT v_migration.version || '_' || v_migration.name;
        END IF;
    END LOOP;

    IF v_applied <> '{}' THEN
        EXECUTE format('SELECT %s.execute_as_owner($1)', v_name)
          USING format('INSERT INTO %s.schema_migrations (version, name) VALUES %s',
                       v_name, array_to_string(v_applied, ', '));
    END IF;

    -- In CREATE and ALTER EXTENSION all new objects become members; those of the user are removed.
    FOR v_object IN
        SELECT i.type, i.identity
          FROM pg_depend d
          JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
         CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i
         WHERE e.extname = 'openinfo' AND d.deptype = 'e'
           AND (i.type = 'table' OR (i.type = 'schema' AND i.name = 'auth')
                -- computed fields
                OR (d.classid = 'pg_proc'::regclass
                    AND EXISTS (SELECT FROM pg_proc p JOIN pg_type t ON t.oid = ANY (p.proargtypes)
                                  JOIN pg_class c ON c.oid = t.typrelid
                                 WHERE p.oid = d.objid AND c.relkind IN ('r', 'p')))
                OR (d.classid = 'pg_proc'::regclass
                    AND d.objid IN (to_regprocedure('auth.uid()'), to_regprocedure('auth.jwt()'),
                                    to_regprocedure('auth.role()'))))
    LOOP
        EXECUTE format('ALTER EXTENSION openinfo DROP %s %s', v_object.type, v_object.identity);
    END LOOP;

    -- A GRANT on an existing table is recorded as an initial privilege too, and pg_dump would omit it
    -- although the table is not a member.  Adding the table to the extension and removing it deletes that
    -- record, and those of its columns.
    FOR v_object IN
        SELECT DISTINCT c.oid::regclass AS name
          FROM pg_init_privs i JOIN pg_class c ON i.classoid = 'pg_class'::regclass AND c.oid = i.objoid
         WHERE c.relnamespace = v_schema AND c.relkind IN ('r', 'p') AND c.oid = ANY (v_tables)
           AND c.relowner = 'openinfo_owner'::regrole
           AND NOT EXISTS (SELECT FROM pg_depend d
                            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER EXTENSION openinfo ADD TABLE %s', v_object.name);
        EXECUTE format('ALTER EXTENSION openinfo DROP TABLE %s', v_object.name);
    END LOOP;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.apply_migrations() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.apply_migrations() IS
    'Runs the migrations that schema_migrations does not list and returns their names';

/*
 * Used by scripts that downgrade: locks a table and raises an error if it has rows for which the condition
 * p_rows is true.  With p_column, what would be lost are values of that column.
 */
CREATE FUNCTION @extschema@.forbid_data_loss(p_table regclass, p_rows text, p_column text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off AS $fn$
DECLARE
    v_allowed CONSTANT boolean := coalesce(current_setting('openinfo.allow_data_loss', true), 'off')::boolean;
    v_count   bigint;
BEGIN
    IF NOT v_allowed
       AND current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'cannot downgrade in a transaction with isolation level %',
                        upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Rows that were inserted after it began could not be counted.',
                  HINT = 'Use isolation level READ COMMITTED.';
    END IF;
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', p_table);
    EXECUTE format('SELECT count(*) FROM %s WHERE %s', p_table, p_rows) INTO v_count;
    IF v_count > 0 AND NOT v_allowed THEN
        RAISE EXCEPTION 'downgrade would delete % % from %table "%"', v_count,
                        CASE WHEN p_column IS NULL THEN 'row' ELSE 'value' END
                        || CASE v_count WHEN 1 THEN '' ELSE 's' END,
                        coalesce('column "' || p_column || '" of ', ''),
                        (SELECT relname FROM pg_class WHERE oid = p_table)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Back up the data, or set "openinfo.allow_data_loss" to "on".';
    END IF;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.forbid_data_loss(regclass, text, text)
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.forbid_data_loss(regclass, text, text) IS
    'Used by downgrades: raises an error when rows or values would be lost';

-- p_rows is true of rows that would be lost; those that the next upgrade creates again need not be counted.
CREATE FUNCTION @extschema@.drop_table_if_empty(p_table regclass, p_rows text DEFAULT 'true') RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    -- looked up, because the schema may have been renamed
    v_schema CONSTANT regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = p_table);
BEGIN
    EXECUTE format('SELECT %s.forbid_data_loss($1, $2, NULL)', v_schema) USING p_table, p_rows;
    EXECUTE format('DROP TABLE %s', p_table);
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.drop_table_if_empty(regclass, text)
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.drop_table_if_empty(regclass, text) IS
    'Used by downgrades: drops a table unless rows would be lost';

-- p_default is the default of the column, as text; rows that have it, or NULL, are not counted.
CREATE FUNCTION @extschema@.drop_column_if_empty(p_table regclass, p_column text, p_default text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema CONSTANT regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = p_table);
    v_type   text;
BEGIN
    SELECT format_type(atttypid, atttypmod) INTO v_type
      FROM pg_attribute
     WHERE attrelid = p_table AND attname = p_column::name AND attnum > 0 AND NOT attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of table "%" does not exist', p_column,
                        (SELECT relname FROM pg_class WHERE oid = p_table)
            USING ERRCODE = 'undefined_column';
    END IF;
    -- As text, because not every type has an equality operator.
    EXECUTE format('SELECT %s.forbid_data_loss($1, $2, $3)', v_schema)
      USING p_table, format('%1$I IS NOT NULL AND %1$I::text IS DISTINCT FROM CAST(%2$L AS %3$s)::text',
                            p_column, p_default, v_type), p_column;
    EXECUTE format('ALTER TABLE %s DROP COLUMN %I', p_table, p_column);
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.drop_column_if_empty(regclass, text, text)
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.drop_column_if_empty(regclass, text, text) IS
    'Used by downgrades: drops a column unless values would be lost';

CREATE FUNCTION @extschema@.migration_20260101000001_init_core_tables() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- plans -------------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.plans (
        name           text PRIMARY KEY,
        active_queries int,
        saved_searches int,
        daily_credits  int,
        export_rows    int,
        created_at     timestamptz NOT NULL DEFAULT now(),
        updated_at     timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT plans_name_not_blank CHECK (NOT @extschema@.is_blank(name)),
        CONSTRAINT plans_limits_not_negative
            CHECK (active_queries >= 0 AND saved_searches >= 0 AND daily_credits >= 0 AND export_rows >= 0)
    );
    PERFORM @extschema@.secure_table('@extschema@.plans'::regclass);
    GRANT SELECT ON TABLE @extschema@.plans TO authenticated;
    CREATE POLICY read_all ON @extschema@.plans FOR SELECT TO authenticated USING (true);
    PERFORM @extschema@.comment_on_table('@extschema@.plans'::regclass,
        'Limits of each plan; NULL is unlimited. Users may change and extend it'::text, ARRAY[
        ['name', 'Name of the plan'],
        ['active_queries', 'Queries of a workspace that may be active at the same time'],
        ['saved_searches', 'Saved searches that a workspace may have, without saved people searches'],
        ['daily_credits', 'Credits of a member per UTC day'],
        ['export_rows', 'Rows of one export'],
        ['plans_name_not_blank', 'The name is not blank'],
        ['plans_limits_not_negative', 'Limits are not negative'],
        ['read_all', 'Members see all plans']]);
    INSERT INTO @extschema@.plans (name, active_queries, saved_searches, daily_credits, export_rows) VALUES
        ('free',          1,    5,    3,   100),
        ('starter',       2,   20,   50,  1000),
        ('pro',           5,   50, 1000, 10000),
        ('enterprise', NULL, NULL, NULL,  NULL);

    -- workspaces --------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.workspaces (
        id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at        timestamptz NOT NULL DEFAULT now(),
        updated_at        timestamptz NOT NULL DEFAULT now(),
        created_by        uuid,
        slug              text NOT NULL UNIQUE,
        name              text NOT NULL,
        industry_vertical text,
        subdomain         text UNIQUE,
        custom_domain     text UNIQUE,
        branding          jsonb DEFAULT '{}',
        CONSTRAINT workspaces_slug_format CHECK (slug ~ '^[a-z0-9-]+$'),
        CONSTRAINT workspaces_name_not_blank CHECK (NOT @extschema@.is_blank(name)),
        CONSTRAINT workspaces_subdomain_format CHECK (subdomain ~ '^[a-z0-9-]+$'),
        CONSTRAINT workspaces_custom_domain_format CHECK (custom_domain ~ '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$'),
        CONSTRAINT workspaces_branding_object CHECK (jsonb_typeof(branding) = 'object')
    );

    -- users -------------------------------------------------------------------------------------------------
    -- The fillfactor leaves space in each page, so that updates of the credit counter are HOT.
    CREATE TABLE @extschema@.users (
        id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at         timestamptz NOT NULL DEFAULT now(),
        updated_at         timestamptz NOT NULL DEFAULT now(),
        created_by         uuid,
        workspace_id       uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id()
            REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
        auth_user_id       uuid NOT NULL,
        email              text NOT NULL,
        full_name          text,
        avatar_url         text,
        role               @extschema@.user_role NOT NULL DEFAULT 'member',
        plan               text NOT NULL DEFAULT 'free' REFERENCES @extschema@.plans (name) ON UPDATE CASCADE,
        daily_credits_used int NOT NULL DEFAULT 0,
        daily_credit_limit int DEFAULT 3,
        credits_reset_on   date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
        referral_code      text UNIQUE,
        referred_by        uuid,
        last_login_at      timestamptz,
        UNIQUE (auth_user_id, workspace_id),
        UNIQUE (id, workspace_id),
        FOREIGN KEY (created_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (referred_by, workspace_id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (referred_by),
        CONSTRAINT users_email_format
            CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:].]+$' AND length(email) <= 320),
        CONSTRAINT users_daily_credits_used_not_negative CHECK (daily_credits_used >= 0),
        CONSTRAINT users_daily_credit_limit_not_negative CHECK (daily_credit_limit >= 0),
        CONSTRAINT users_referral_code_format CHECK (length(referral_code) = 8)
    ) WITH (fillfactor = 80);
    CREATE UNIQUE INDEX users_workspace_id_email_key ON @extschema@.users (workspace_id, lower(email));
    CREATE INDEX idx_users_workspace_id ON @extschema@.users (workspace_id, created_at DESC);
    CREATE INDEX idx_users_plan ON @extschema@.users (plan);
    CREATE INDEX idx_users_created_by ON @extschema@.users (created_by, workspace_id);
    CREATE INDEX idx_users_referred_by ON @extschema@.users (referred_by, workspace_id);
    PERFORM @extschema@.secure_table('@extschema@.users'::regclass);
    CREATE TRIGGER set_referral_code BEFORE INSERT OR UPDATE ON @extschema@.users FOR EACH ROW
        WHEN (NEW.referral_code IS NULL) EXECUTE FUNCTION @extschema@.set_referral_code();
    GRANT SELECT, UPDATE (full_name, avatar_url, last_login_at) ON TABLE @extschema@.users TO authenticated;
    CREATE POLICY read_own_workspace ON @extschema@.users FOR SELECT TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY change_own_row ON @extschema@.users FOR UPDATE TO authenticated
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id())
               AND id = (SELECT @extschema@.get_user_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id())
                    AND id = (SELECT @extschema@.get_user_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.users'::regclass,
        'Memberships: a row is one person in one workspace'::text, ARRAY[
        ['auth_user_id', 'The person: claim "sub" of their JWT'],
        ['email', 'E-mail address; unique in the workspace, compared without case'],
        ['full_name', 'Display name'],
        ['avatar_url', 'URL of a picture'],
        ['role', 'Role in the workspace; changed by set_member_role()'],
        ['plan', 'Plan of the member; the plan of the workspace is the best plan of its members'],
        ['daily_credits_used', 'Credits spent on the UTC day credits_reset_on; zero on any later day'],
        ['daily_credit_limit', 'Credits per UTC day; NULL is unlimited'],
        ['credits_reset_on', 'UTC day that daily_credits_used belongs to'],
        ['referral_code', 'Eight characters, unique; generated if omitted'],
        ['referred_by', 'Member who referred this one'],
        ['last_login_at', 'When the person last signed in; set by the application'],
        ['users_auth_user_id_workspace_id_key', 'A person has one membership in a workspace'],
        ['users_workspace_id_email_key',
         'An e-mail address is unique in the workspace, compared without case'],
        ['users_referral_code_key', 'A referral code is unique'],
        ['idx_users_plan', 'Supports the foreign key to plans'],
        ['users_plan_fkey', 'An existing plan'],
        ['users_email_format',
         'One @ with text on both sides, a dot in the domain, no white space; at most 320 characters'],
        ['users_daily_credits_used_not_negative', 'Not negative'],
        ['users_daily_credit_limit_not_negative', 'Not negative'],
        ['users_referral_code_format', 'Eight characters'],
        ['set_referral_code', 'Generates a referral code if none is given'],
        ['read_own_workspace', 'Members see the members of their active workspace'],
        ['change_own_row', 'Members change their own profile']]);

    -- workspaces, continued, because it refers to users -----------------------------------------------------
    ALTER TABLE @extschema@.workspaces
        ADD FOREIGN KEY (created_by, id)
            REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by);
    CREATE INDEX idx_workspaces_created_by ON @extschema@.workspaces (created_by, id);
    PERFORM @extschema@.secure_table('@extschema@.workspaces'::regclass);
    GRANT SELECT, UPDATE (name, industry_vertical, subdomain, custom_domain, branding)
        ON TABLE @extschema@.workspaces TO authenticated;
    CREATE POLICY read_own ON @extschema@.workspaces FOR SELECT TO authenticated
        USING (id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY change_own ON @extschema@.workspaces FOR UPDATE TO authenticated
        USING (id = (SELECT @extschema@.get_user_workspace_id())
               AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)))
        WITH CHECK (id = (SELECT @extschema@.get_user_workspace_id())
                    AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)));
    PERFORM @extschema@.comment_on_table('@extschema@.workspaces'::regclass,
        'Workspaces, the tenants'::text, ARRAY[
        ['slug', 'Name in URLs: lowercase letters, digits and hyphens'],
        ['name', 'Display name'],
        ['industry_vertical', 'Industry of the workspace'],
        ['subdomain', 'Subdomain of the platform: lowercase letters, digits and hyphens'],
        ['custom_domain', 'Domain that the workspace owns'],
        ['branding', 'Object: logo_url, primary_color, secondary_color'],
        ['workspaces_slug_key', 'A slug is unique'],
        ['workspaces_subdomain_key', 'A subdomain is unique'],
        ['workspaces_custom_domain_key', 'A domain is unique'],
        ['idx_workspaces_created_by', 'Supports the foreign key of the author'],
        ['workspaces_slug_format', 'Lowercase letters, digits and hyphens'],
        ['workspaces_name_not_blank', 'The name is not blank'],
        ['workspaces_subdomain_format', 'Lowercase letters, digits and hyphens'],
        ['workspaces_custom_domain_format',
         'Lowercase, without scheme, port and final dot; international names in Punycode'],
        ['workspaces_branding_object', 'An object, not an array or a scalar'],
        ['read_own', 'Members see their active workspace'],
        ['change_own', 'Owners and admins change their active workspace']]);

    -- Schema auth -------------------------------------------------------------------------------------------
    -- For policies of users, which tend to call auth.uid() as on Supabase.  Created only if they do not
    -- exist, not called by openinfo, and not members of the extension.
    IF to_regnamespace('auth') IS NULL THEN
        CREATE SCHEMA auth;
        COMMENT ON SCHEMA auth IS 'The caller, from the claims of their JWT';
        REVOKE ALL ON SCHEMA auth FROM PUBLIC, anon, authenticated, service_role;
        GRANT USAGE ON SCHEMA auth TO authenticated, service_role;
    END IF;
    IF to_regprocedure('auth.jwt()') IS NULL THEN
        CREATE FUNCTION auth.jwt()
            RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
            $sql$ SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb $sql$;
        REVOKE ALL ON FUNCTION auth.jwt() FROM PUBLIC, anon, authenticated, service_role;
        GRANT EXECUTE ON FUNCTION auth.jwt() TO authenticated, service_role;
        COMMENT ON FUNCTION auth.jwt() IS 'Claims of the caller''s JWT';
    END IF;
    IF to_regprocedure('auth.uid()') IS NULL THEN
        CREATE FUNCTION auth.uid()
            RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
            $sql$ SELECT nullif(CASE WHEN current_setting('request.jwt.claims', true) <> ''
                                     THEN current_setting('request.jwt.claims', true)::jsonb ->> 'sub'
                                     ELSE current_setting('request.jwt.claim.sub', true) END, '')::uuid $sql$;
        REVOKE ALL ON FUNCTION auth.uid() FROM PUBLIC, anon, authenticated, service_role;
        GRANT EXECUTE ON FUNCTION auth.uid() TO authenticated, service_role;
        COMMENT ON FUNCTION auth.uid() IS 'Claim "sub" of the caller''s JWT: the person';
    END IF;
    IF to_regprocedure('auth.role()') IS NULL THEN
        CREATE FUNCTION auth.role()
            RETURNS text LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
            $sql$ SELECT nullif(CASE WHEN current_setting('request.jwt.claims', true) <> ''
                                     THEN current_setting('request.jwt.claims', true)::jsonb ->> 'role'
                                     ELSE current_setting('request.jwt.claim.role', true) END, '') $sql$;
        REVOKE ALL ON FUNCTION auth.role() FROM PUBLIC, anon, authenticated, service_role;
        GRANT EXECUTE ON FUNCTION auth.role() TO authenticated, service_role;
        COMMENT ON FUNCTION auth.role() IS 'Claim "role" of the caller''s JWT';
    END IF;
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000001_init_core_tables()
    FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000001_init_core_tables() IS
    'Migration 1: workspaces, users, plans';

SELECT @extschema@.apply_migrations();
