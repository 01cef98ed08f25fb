\echo Use "CREATE EXTENSION openinfo" to load this file. \quit
SET LOCAL search_path = pg_catalog, pg_temp;

/*
 * openinfo 0.1.0: workspaces and users; who is calling, and what he belongs to.
 *
 * Words used in all six scripts:
 *   person      somebody who has signed in; known by the claim "sub" of his JWT (auth_user_id)
 *   membership  a row of "users": one person in one workspace.  users.id is the membership's id.
 *   active workspace  the one that this statement works in; see get_user_workspace_id()
 *   author      the membership that wrote a row: created_by, user_id, referred_by, email_revealed_by
 *
 * Functions and types are members of the extension.  Tables are not: they are made by one function per migration,
 * which apply_migrations() runs and then takes out of the extension, so that pg_dump carries them like any other
 * table and DROP EXTENSION cannot delete a row.
 *
 * The reason beside each REVOKE: PUBLIC gets EXECUTE by default, and a Supabase-like ALTER DEFAULT PRIVILEGES gives
 * everything to the three API roles by name; so each is taken away by name before what is meant is granted.
 */

-- Roles are created when missing and never altered: openinfo_owner owns the tables, and functions work as it;
-- openinfo_monitor reads metrics; the others are the callers.  Two databases may be installing at once: the loser of
-- that race sees unique_violation rather than duplicate_object.
DO $do$
DECLARE
    v_role text;
BEGIN
    FOREACH v_role IN ARRAY ARRAY['openinfo_owner', 'anon', 'authenticated', 'service_role', 'openinfo_monitor'] LOOP
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

/*
 * Scripts run as a superuser, and any role that may create in the schema could plant objects that they find there: nobody but
 * superusers and the installing role may.  The same holds for the owner of the schema, who may drop what is in it, and
 * for the owners of the tables.
 * openinfo_owner, which owns the tables, must have no rights besides, and nobody may become it.
 */
CREATE FUNCTION @extschema@.require_trusted_schema() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema CONSTANT oid := (SELECT extnamespace FROM pg_extension WHERE extname = 'openinfo');
    v_name   CONSTANT text := (SELECT nspname FROM pg_namespace WHERE oid = v_schema);
    v_right  record;
    v_trust  text;
BEGIN
    FOR v_right IN
        -- pg_database_owner is whoever owns the database
        SELECT CASE r.rolname WHEN 'pg_database_owner' THEN d.datdba ELSE g.role END AS role, g.owns
          FROM (SELECT nspowner AS role, true AS owns FROM pg_namespace WHERE oid = v_schema
                UNION ALL
                SELECT x.grantee, false FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x
                 WHERE n.oid = v_schema AND x.privilege_type = 'CREATE') g
          LEFT JOIN pg_roles r ON r.oid = g.role
          JOIN pg_database d ON d.datname = current_database()
         ORDER BY g.owns DESC
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE oid = v_right.role AND (rolsuper OR rolname = current_user));
        IF v_right.owns THEN
            RAISE EXCEPTION 'schema "%" is owned by role "%", which is not a superuser', v_name, v_right.role::regrole
                USING ERRCODE = 'insufficient_privilege',
                      HINT = format('Run ALTER SCHEMA %I OWNER TO CURRENT_USER, or install into another schema.', v_name);
        END IF;
        RAISE EXCEPTION 'schema "%" allows % to create objects in it', v_name,
                        CASE v_right.role WHEN 0 THEN 'PUBLIC' ELSE format('role "%s"', v_right.role::regrole) END
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('Run REVOKE CREATE ON SCHEMA %I FROM %s.', v_name,
                                CASE v_right.role WHEN 0 THEN 'PUBLIC' ELSE v_right.role::regrole::text END);
    END LOOP;

    SELECT string_agg(t.what, ', ') INTO v_trust
      FROM pg_roles o
     CROSS JOIN LATERAL (
        SELECT v.what
          FROM (VALUES (o.rolsuper, 'SUPERUSER'), (o.rolcanlogin, 'LOGIN'), (o.rolbypassrls, 'BYPASSRLS'),
                       (o.rolcreaterole, 'CREATEROLE'), (o.rolcreatedb, 'CREATEDB'),
                       (o.rolreplication, 'REPLICATION')) AS v (holds, what)
         WHERE v.holds
        UNION ALL
        SELECT 'membership in ' || m.roleid::regrole FROM pg_auth_members m WHERE m.member = o.oid
        UNION ALL
        SELECT 'member ' || m.member::regrole FROM pg_auth_members m WHERE m.roleid = o.oid) t
     WHERE o.rolname = 'openinfo_owner';
    IF v_trust IS NOT NULL THEN
        RAISE EXCEPTION 'role openinfo_owner must not have: %', v_trust
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Use ALTER ROLE openinfo_owner and REVOKE to take these away, or drop the role: '
                         'it is created when it does not exist.';
    END IF;
    EXECUTE format('SELECT %I.require_owned_tables()', v_name);
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.require_trusted_schema() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.require_trusted_schema() IS
    'Used by scripts: raises an error when a role that is not trusted could plant objects in the schema';
SELECT @extschema@.require_trusted_schema();

-- ---------------------------------------------------------------------------------------------------------------
-- Types
-- ---------------------------------------------------------------------------------------------------------------

CREATE TYPE @extschema@.user_role AS ENUM ('owner', 'admin', 'member');
COMMENT ON TYPE @extschema@.user_role IS 'Role of a membership; owner stands above admin, admin above member';

-- ---------------------------------------------------------------------------------------------------------------
-- Identity (src/access/)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.get_user_workspace_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_get_user_workspace_id';
REVOKE ALL ON FUNCTION @extschema@.get_user_workspace_id() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_user_workspace_id() TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.get_user_workspace_id() IS 'The caller''s active workspace, or NULL when he has none';

CREATE FUNCTION @extschema@.get_user_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_get_user_id';
REVOKE ALL ON FUNCTION @extschema@.get_user_id() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.get_user_id() TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.get_user_id() IS 'users.id of the caller in his active workspace, or NULL';

CREATE FUNCTION @extschema@.user_has_role(required_role @extschema@.user_role) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'openinfo_user_has_role';
REVOKE ALL ON FUNCTION @extschema@.user_has_role(@extschema@.user_role) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.user_has_role(@extschema@.user_role) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.user_has_role(@extschema@.user_role) IS 'Has the caller that role, or a higher one, in his active workspace?';

-- ---------------------------------------------------------------------------------------------------------------
-- Stamps: the triggers that fill created_by, updated_at and referral_code (src/workspaces/audit_columns.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.set_created_by() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_created_by';
REVOKE ALL ON FUNCTION @extschema@.set_created_by() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_created_by() IS 'Trigger: fills created_by with the caller''s membership in the row''s workspace';

CREATE FUNCTION @extschema@.set_updated_at() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_updated_at';
REVOKE ALL ON FUNCTION @extschema@.set_updated_at() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_updated_at() IS 'Trigger: moves updated_at forward on every UPDATE';

CREATE FUNCTION @extschema@.set_referral_code() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_referral_code';
REVOKE ALL ON FUNCTION @extschema@.set_referral_code() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_referral_code() IS 'Trigger: gives a user without a referral code one that nobody has';

-- ---------------------------------------------------------------------------------------------------------------
-- Membership (src/workspaces/members.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.create_workspace(p_slug text, p_name text, p_email text, p_full_name text DEFAULT NULL) RETURNS uuid
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_create_workspace';
REVOKE ALL ON FUNCTION @extschema@.create_workspace(text, text, text, text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.create_workspace(text, text, text, text) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.create_workspace(text, text, text, text) IS 'Makes a workspace and the signed-in person its owner; returns the workspace''s id';

CREATE FUNCTION @extschema@.add_member(p_workspace_id uuid, p_auth_user_id uuid, p_email text, p_role @extschema@.user_role DEFAULT 'member') RETURNS uuid
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_add_member';
REVOKE ALL ON FUNCTION @extschema@.add_member(uuid, uuid, text, @extschema@.user_role) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.add_member(uuid, uuid, text, @extschema@.user_role) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.add_member(uuid, uuid, text, @extschema@.user_role) IS 'Adds a person to a workspace, on the workspace''s plan; owners and admins; returns users.id';

CREATE FUNCTION @extschema@.set_member_role(p_user_id uuid, p_role @extschema@.user_role) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_set_member_role';
REVOKE ALL ON FUNCTION @extschema@.set_member_role(uuid, @extschema@.user_role) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.set_member_role(uuid, @extschema@.user_role) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.set_member_role(uuid, @extschema@.user_role) IS 'Changes a member''s role; owners and admins, nobody above his own role, never the last owner''s';

CREATE FUNCTION @extschema@.remove_member(p_user_id uuid) RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_remove_member';
REVOKE ALL ON FUNCTION @extschema@.remove_member(uuid) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.remove_member(uuid) TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.remove_member(uuid) IS 'Removes a member from his workspace; owners and admins, never the last owner';

CREATE FUNCTION @extschema@.leave_workspace() RETURNS void
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_leave_workspace';
REVOKE ALL ON FUNCTION @extschema@.leave_workspace() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.leave_workspace() TO authenticated, service_role;
COMMENT ON FUNCTION @extschema@.leave_workspace() IS 'The caller leaves his active workspace; the last owner cannot';

-- ---------------------------------------------------------------------------------------------------------------
-- Credits: the midnight job (src/credits/); what spends them comes with the ledger, in 0.4.0
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.reset_daily_credits() RETURNS bigint
    LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_reset_daily_credits';
REVOKE ALL ON FUNCTION @extschema@.reset_daily_credits() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.reset_daily_credits() TO service_role;
COMMENT ON FUNCTION @extschema@.reset_daily_credits() IS 'Job: sets the credit counters of earlier days to zero; returns how many it wrote';

-- ---------------------------------------------------------------------------------------------------------------
-- Names: what the constraints on them call (src/core/white_space.c)
-- ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION @extschema@.is_blank(value text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'openinfo_is_blank';
REVOKE ALL ON FUNCTION @extschema@.is_blank(text) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.is_blank(text) TO authenticated, service_role, openinfo_owner;
COMMENT ON FUNCTION @extschema@.is_blank(text) IS 'Whether a text is empty or only white space, as Unicode defines it';

-- ---------------------------------------------------------------------------------------------------------------
-- Migrations
-- ---------------------------------------------------------------------------------------------------------------

/*
 * What every table has in common, in one place so that none can lack it: row-level security, forced; nothing for the
 * API roles but service_role's rows; and, where the columns are there, the stamps.
 * A migration calls it right after CREATE TABLE and then grants to "authenticated" what the contract lists.
 */
CREATE FUNCTION @extschema@.secure_table(p_table regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema CONSTANT regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = p_table);
    v_stamp  record;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_table);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', p_table);
    EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC, anon, authenticated, service_role', p_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %s TO service_role', p_table);
    -- BYPASSRLS is not to be relied on: service_role may lack it.
    EXECUTE format('CREATE POLICY service_all ON %s FOR ALL TO service_role USING (true) WITH CHECK (true)', p_table);
    EXECUTE format('COMMENT ON POLICY service_all ON %s IS %L', p_table, 'The backend works in every workspace');
    -- Functions do not need it, but what else works as the owner of a table under forced row-level security does.
    EXECUTE format('CREATE POLICY owner_all ON %s FOR ALL TO openinfo_owner USING (true) WITH CHECK (true)', p_table);
    EXECUTE format('COMMENT ON POLICY owner_all ON %s IS %L', p_table, 'The owner of the tables works in every workspace');

    FOR v_stamp IN
        SELECT *
          FROM (VALUES ('created_by', 'set_created_by', 'BEFORE INSERT', 'set_created_by', 'Fills created_by with the caller''s membership'),
                       ('updated_at', 'set_updated_at', 'BEFORE UPDATE', 'set_updated_at', 'Moves updated_at on every UPDATE'))
               AS s(col, trg, moment, fn, what)
         WHERE EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = p_table AND a.attname = s.col::name AND NOT a.attisdropped)
    LOOP
        EXECUTE format('CREATE TRIGGER %I %s ON %s FOR EACH ROW EXECUTE FUNCTION %s.%I()', v_stamp.trg, v_stamp.moment, p_table, v_schema, v_stamp.fn);
        EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', v_stamp.trg, p_table, v_stamp.what);
    END LOOP;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.secure_table(regclass) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.secure_table(regclass) IS 'Used by the migrations: row-level security, grants and stamps that every table has in common';

/*
 * Comments on a table and on what is on it.  p_about is pairs of a name (column, index, constraint, policy or trigger
 * of that table) and its comment; a name that the table does not have is an error.
 *
 * For a new table, p_comment is the comment of the table itself: then everything on it gets a comment, columns and keys
 * that all tables have in common the usual one, and it is an error when anything is left without.  For a table that an
 * earlier version has created, p_comment is NULL: then only what p_about names is commented on, whatever else the user
 * may have added to the table.
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

    -- Everything on the table that can carry a comment: kind, name, and the comment it gets when none is given.
    FOR v_object IN
        SELECT 'COLUMN' AS kind, a.attname::text AS name, v_common ->> a.attname::text AS usual
          FROM pg_attribute a WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 'INDEX', c.relname::text,
               CASE WHEN i.indisprimary THEN 'Identity of the row'
                    WHEN d.definition ~ '\(id, workspace_id\)$' THEN 'Target of references that include the workspace'
                    WHEN d.definition ~ '\(workspace_id(, created_at DESC)?\)$' THEN 'Rows of a workspace'
                    WHEN d.definition ~ '\((created_by|user_id|referred_by|email_revealed_by), workspace_id\)$'
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
REVOKE ALL ON FUNCTION @extschema@.comment_on_table(regclass, text, text[]) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.comment_on_table(regclass, text, text[]) IS
    'Used by migrations: comments on a table, its columns, indexes, constraints, policies and triggers';

/*
 * A computed field: a function of the row, which PostgREST offers like a column, and which is p_name(p_column) of the
 * extension.  Its argument is the row type of a table that is the user's, so it cannot be a member: it is dumped with
 * the table.  Without a search_path of its own it is inlined, and so uses the index on p_name(p_column).  Its body is a
 * string: with a parsed one, which depends on the column, PostgreSQL refuses to add a column with a default to the
 * table.  So it names the schema, and has to be created again when the schema has been renamed.
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
    'Used by migrations: creates a function of a table''s row that applies a function of the extension to a column';

/*
 * Runs the migrations that schema_migrations does not list, in order, and takes the tables they made out of the
 * extension.  While a dump is being restored it does nothing: the tables come from the dump, with everything that
 * their owner did to them.  pg_dump and pg_restore say so themselves by row_security = off.
 *
 * It asks for the schema's name instead of having it written in: it must work after ALTER SCHEMA ... RENAME.
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
    SELECT extnamespace, extnamespace::regnamespace INTO v_schema, v_name FROM pg_extension WHERE extname = 'openinfo';

    IF current_setting('row_security') = 'off' OR NOT coalesce(current_setting('openinfo.install_tables', true), 'on')::boolean THEN
        RAISE NOTICE 'openinfo makes no tables: they are expected from the dump that is being restored'
            USING HINT = format('If nothing is being restored, or the dump was of an older version: SET row_security = on; SET openinfo.install_tables = on; SELECT %s.apply_migrations().', v_name);
        RETURN;
    END IF;

    -- Two at once would create everything twice.
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
        EXECUTE format('SELECT %s.secure_table($1)', v_name) USING to_regclass(format('%s.schema_migrations', v_name));
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON TABLE %s.schema_migrations FROM service_role', v_name);
        EXECUTE format('SELECT %s.comment_on_table($1, $2, $3)', v_name)
          USING to_regclass(format('%s.schema_migrations', v_name)), 'The migrations that have been applied to this database'::text, ARRAY[
            ['version', 'Timestamp that orders the migrations'],
            ['name', 'What the migration brings'],
            ['applied_at', 'When it ran here']];

        -- Once, and not in a restore: somebody who takes it back means it.  A GRANT in an extension script is recorded
        -- as an initial privilege, and pg_dump leaves initial privileges out; for the schema, which is the user's, that
        -- would lose every grant that he ever made on it.  So the record is put back, from 17 on with its dependencies.
        SELECT initprivs INTO v_initprivs FROM pg_init_privs WHERE classoid = 'pg_namespace'::regclass AND objoid = v_schema;
        EXECUTE format('GRANT USAGE ON SCHEMA %s TO authenticated, service_role, openinfo_owner, openinfo_monitor', v_name);
        IF v_initprivs IS NULL THEN
            DELETE FROM pg_init_privs WHERE classoid = 'pg_namespace'::regclass AND objoid = v_schema;
        ELSE
            UPDATE pg_init_privs SET initprivs = v_initprivs WHERE classoid = 'pg_namespace'::regclass AND objoid = v_schema;
        END IF;
        DELETE FROM pg_shdepend
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND classid = 'pg_namespace'::regclass AND objid = v_schema AND deptype = 'i'
           AND refobjid NOT IN (SELECT grantee FROM aclexplode(v_initprivs) UNION ALL SELECT grantor FROM aclexplode(v_initprivs));
    END IF;

    FOR v_migration IN
        SELECT p.proname, substring(p.proname::text, '^migration_(\d+)_') AS version, substring(p.proname::text, '^migration_\d+_(.*)$') AS name
          FROM pg_proc p
          JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
          JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'openinfo'
         WHERE p.pronamespace = v_schema AND p.proname::text ~ '^migration_\d+_' AND p.pronargs = 0
         ORDER BY p.proname
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s.schema_migrations WHERE version = $1)', v_name) INTO v_known USING v_migration.version;
        IF NOT v_known THEN
            EXECUTE format('SELECT %s.%I()', v_name, v_migration.proname);
            v_applied := v_applied || format('(%L, %L)', v_migration.version, v_migration.name);
            RETURN NEXT v_migration.version || '_' || v_migration.name;
        END IF;
    END LOOP;

    -- Tables of this call; those of others were there before, or belong to somebody else.
    FOR v_object IN
        SELECT oid::regclass AS name FROM pg_class
         WHERE relnamespace = v_schema AND relkind IN ('r', 'p') AND oid <> ALL (v_tables)
           AND relowner = current_user::regrole
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO openinfo_owner', v_object.name);
    END LOOP;
    IF v_applied <> '{}' THEN
        EXECUTE format('SELECT %s.execute_as_owner($1)', v_name)
          USING format('INSERT INTO %s.schema_migrations (version, name) VALUES ', v_name) || array_to_string(v_applied, ', ');
    END IF;

    -- Inside CREATE or ALTER EXTENSION everything that was made has become a member; what belongs to the user leaves.
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
                    AND d.objid IN (to_regprocedure('auth.uid()'), to_regprocedure('auth.jwt()'), to_regprocedure('auth.role()'))))
    LOOP
        EXECUTE format('ALTER EXTENSION openinfo DROP %s %s', v_object.type, v_object.identity);
    END LOOP;

    -- A GRANT on a table that was there already has become an initial privilege, which pg_dump leaves out although the
    -- table is no member.  Only scripts leave such a record on a table that is not a member; passing the table through
    -- the extension deletes it, of its columns too.
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
COMMENT ON FUNCTION @extschema@.apply_migrations() IS 'Runs the migrations that schema_migrations does not list yet and returns their names; for the owner of the extension';

/*
 * For the scripts that lead back to an older version: locks a table and refuses to go on when it holds rows that
 * p_rows, a condition, selects.  With p_column, what would be lost are values of that column.
 */
CREATE FUNCTION @extschema@.forbid_data_loss(p_table regclass, p_rows text, p_column text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off AS $fn$
DECLARE
    v_allowed CONSTANT boolean := coalesce(current_setting('openinfo.allow_data_loss', true), 'off')::boolean;
    v_count   bigint;
BEGIN
    IF NOT v_allowed AND current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
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
                        CASE WHEN p_column IS NULL THEN 'row' ELSE 'value' END || CASE v_count WHEN 1 THEN '' ELSE 's' END,
                        coalesce('column "' || p_column || '" of ', ''),
                        (SELECT relname FROM pg_class WHERE oid = p_table)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Back up the data, or set "openinfo.allow_data_loss" to "on".';
    END IF;
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.forbid_data_loss(regclass, text, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.forbid_data_loss(regclass, text, text) IS
    'Used by downgrades: raises an error when rows or values would be lost';

-- p_rows says which rows count; those that the next upgrade creates again by itself do not.
CREATE FUNCTION @extschema@.drop_table_if_empty(p_table regclass, p_rows text DEFAULT 'true') RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    -- not written in, because the schema may have been renamed
    v_schema CONSTANT regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = p_table);
BEGIN
    EXECUTE format('SELECT %s.forbid_data_loss($1, $2, NULL)', v_schema) USING p_table, p_rows;
    EXECUTE format('DROP TABLE %s', p_table);
END
$fn$;
REVOKE ALL ON FUNCTION @extschema@.drop_table_if_empty(regclass, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.drop_table_if_empty(regclass, text) IS
    'Used by downgrades: drops a table unless rows would be lost';

-- p_default is the value that rows have when nobody has set one, as text; it is not counted, and neither is NULL.
CREATE FUNCTION @extschema@.drop_column_if_empty(p_table regclass, p_column text, p_default text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
DECLARE
    v_schema CONSTANT regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = p_table);
    v_type   text;
BEGIN
    SELECT format_type(atttypid, atttypmod) INTO v_type
      FROM pg_attribute WHERE attrelid = p_table AND attname = p_column::name AND attnum > 0 AND NOT attisdropped;
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
REVOKE ALL ON FUNCTION @extschema@.drop_column_if_empty(regclass, text, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.drop_column_if_empty(regclass, text, text) IS
    'Used by downgrades: drops a column unless values would be lost';

CREATE FUNCTION @extschema@.migration_20260101000001_init_core_tables() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $migration$
BEGIN
    -- plans --------------------------------------------------------------------------------------------------------
    CREATE TABLE @extschema@.plans (
        name           text PRIMARY KEY,
        active_queries int,
        saved_searches int,
        daily_credits  int,
        export_rows    int,
        created_at     timestamptz NOT NULL DEFAULT now(),
        updated_at     timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT plans_name_not_blank CHECK (NOT @extschema@.is_blank(name)),
        CONSTRAINT plans_limits_not_negative CHECK (active_queries >= 0 AND saved_searches >= 0 AND daily_credits >= 0 AND export_rows >= 0)
    );
    PERFORM @extschema@.secure_table('@extschema@.plans'::regclass);
    GRANT SELECT ON TABLE @extschema@.plans TO authenticated;
    CREATE POLICY read_all ON @extschema@.plans FOR SELECT TO authenticated USING (true);
    PERFORM @extschema@.comment_on_table('@extschema@.plans'::regclass, 'What each plan allows; NULL is unlimited. Yours to change and extend'::text, ARRAY[
        ['name', 'Name of the plan'],
        ['active_queries', 'Queries of a workspace that may be active at once'],
        ['saved_searches', 'Saved searches that a workspace may have, those of people not counted'],
        ['daily_credits', 'Credits of each member per UTC day'],
        ['export_rows', 'Rows of one export'],
        ['plans_name_not_blank', 'A plan has a name'],
        ['plans_limits_not_negative', 'Limits are counts'],
        ['read_all', 'Every member may compare the plans']]);
    INSERT INTO @extschema@.plans (name, active_queries, saved_searches, daily_credits, export_rows) VALUES
        ('free',          1,    5,    3,   100),
        ('starter',       2,   20,   50,  1000),
        ('pro',           5,   50, 1000, 10000),
        ('enterprise', NULL, NULL, NULL,  NULL);

    -- workspaces ---------------------------------------------------------------------------------------------------
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

    -- users --------------------------------------------------------------------------------------------------------
    -- The fillfactor leaves room for the credit counter, so that spending and the midnight reset are HOT updates.
    CREATE TABLE @extschema@.users (
        id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at         timestamptz NOT NULL DEFAULT now(),
        updated_at         timestamptz NOT NULL DEFAULT now(),
        created_by         uuid,
        workspace_id       uuid NOT NULL DEFAULT @extschema@.get_user_workspace_id() REFERENCES @extschema@.workspaces (id) ON DELETE CASCADE,
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
        FOREIGN KEY (created_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by),
        FOREIGN KEY (referred_by, workspace_id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (referred_by),
        CONSTRAINT users_email_format CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:].]+$' AND length(email) <= 320),
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
        USING (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND id = (SELECT @extschema@.get_user_id()))
        WITH CHECK (workspace_id = (SELECT @extschema@.get_user_workspace_id()) AND id = (SELECT @extschema@.get_user_id()));
    PERFORM @extschema@.comment_on_table('@extschema@.users'::regclass, 'Memberships: one row is one person in one workspace'::text, ARRAY[
        ['auth_user_id', 'The person: claim "sub" of his JWT'],
        ['email', 'E-mail address, once per workspace in any case'],
        ['full_name', 'Name to show'],
        ['avatar_url', 'Picture to show'],
        ['role', 'What he may do in the workspace; changed through set_member_role()'],
        ['plan', 'Plan that he is on; the workspace is on the best plan of its members'],
        ['daily_credits_used', 'Credits spent on the UTC day in credits_reset_on; counts as zero on any later day'],
        ['daily_credit_limit', 'Credits per UTC day; NULL is unlimited'],
        ['credits_reset_on', 'UTC day that daily_credits_used belongs to'],
        ['referral_code', 'Eight characters that nobody else has; made when left out'],
        ['referred_by', 'The member whose referral brought him'],
        ['last_login_at', 'When he last signed in, as the application says'],
        ['users_auth_user_id_workspace_id_key', 'A person is in a workspace once'],
        ['users_workspace_id_email_key', 'An e-mail address is in a workspace once, in any case'],
        ['users_referral_code_key', 'A referral code means one member'],
        ['idx_users_plan', 'Serves the foreign key to plans'],
        ['users_plan_fkey', 'The plan exists'],
        ['users_email_format', 'One @, something on both sides, a dot in the domain, no spaces'],
        ['users_daily_credits_used_not_negative', 'A counter is never negative'],
        ['users_daily_credit_limit_not_negative', 'A limit is never negative'],
        ['users_referral_code_format', 'Eight characters'],
        ['set_referral_code', 'Makes a referral code when none is given'],
        ['read_own_workspace', 'Members see one another'],
        ['change_own_row', 'A member changes his own profile']]);

    -- workspaces, continued: what needs users ------------------------------------------------------------------------
    ALTER TABLE @extschema@.workspaces
        ADD FOREIGN KEY (created_by, id) REFERENCES @extschema@.users (id, workspace_id) ON DELETE SET NULL (created_by);
    CREATE INDEX idx_workspaces_created_by ON @extschema@.workspaces (created_by, id);
    PERFORM @extschema@.secure_table('@extschema@.workspaces'::regclass);
    GRANT SELECT, UPDATE (name, industry_vertical, subdomain, custom_domain, branding) ON TABLE @extschema@.workspaces TO authenticated;
    CREATE POLICY read_own ON @extschema@.workspaces FOR SELECT TO authenticated
        USING (id = (SELECT @extschema@.get_user_workspace_id()));
    CREATE POLICY change_own ON @extschema@.workspaces FOR UPDATE TO authenticated
        USING (id = (SELECT @extschema@.get_user_workspace_id()) AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)))
        WITH CHECK (id = (SELECT @extschema@.get_user_workspace_id()) AND (SELECT @extschema@.user_has_role('admin'::@extschema@.user_role)));
    PERFORM @extschema@.comment_on_table('@extschema@.workspaces'::regclass, 'Tenants: everything else belongs to one of these'::text, ARRAY[
        ['slug', 'Name in addresses: lower-case letters, digits and hyphens'],
        ['name', 'Name to show'],
        ['industry_vertical', 'Line of business'],
        ['subdomain', 'Subdomain of the platform; same form as slug'],
        ['custom_domain', 'Domain of the workspace''s own'],
        ['branding', 'Object: logo_url, primary_color, secondary_color'],
        ['workspaces_slug_key', 'A slug means one workspace'],
        ['workspaces_subdomain_key', 'A subdomain means one workspace'],
        ['workspaces_custom_domain_key', 'A domain means one workspace'],
        ['idx_workspaces_created_by', 'Serves the foreign key of the author'],
        ['workspaces_slug_format', 'Lower-case letters, digits and hyphens'],
        ['workspaces_name_not_blank', 'A workspace has a name'],
        ['workspaces_subdomain_format', 'Lower-case letters, digits and hyphens'],
        ['workspaces_custom_domain_format', 'Lower case, without scheme, port and final dot; others in Punycode: so that one host is one value'],
        ['workspaces_branding_object', 'An object, not an array or a scalar'],
        ['read_own', 'Members see their active workspace'],
        ['change_own', 'Owners and admins change it']]);

    -- The auth shim --------------------------------------------------------------------------------------------------
    -- Policies that users write tend to say auth.uid(), as on Supabase.  Made only where missing, never called by
    -- openinfo itself, and ordinary objects of the user afterwards.
    IF to_regnamespace('auth') IS NULL THEN
        CREATE SCHEMA auth;
        COMMENT ON SCHEMA auth IS 'Who is calling, from the claims of the JWT';
        REVOKE ALL ON SCHEMA auth FROM PUBLIC, anon, authenticated, service_role;
        GRANT USAGE ON SCHEMA auth TO authenticated, service_role;
    END IF;
    IF to_regprocedure('auth.jwt()') IS NULL THEN
        CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
            $sql$ SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb $sql$;
        REVOKE ALL ON FUNCTION auth.jwt() FROM PUBLIC, anon, authenticated, service_role;
        GRANT EXECUTE ON FUNCTION auth.jwt() TO authenticated, service_role;
        COMMENT ON FUNCTION auth.jwt() IS 'The claims of the caller''s JWT';
    END IF;
    IF to_regprocedure('auth.uid()') IS NULL THEN
        CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
            $sql$ SELECT nullif(CASE WHEN current_setting('request.jwt.claims', true) <> ''
                                     THEN current_setting('request.jwt.claims', true)::jsonb ->> 'sub'
                                     ELSE current_setting('request.jwt.claim.sub', true) END, '')::uuid $sql$;
        REVOKE ALL ON FUNCTION auth.uid() FROM PUBLIC, anon, authenticated, service_role;
        GRANT EXECUTE ON FUNCTION auth.uid() TO authenticated, service_role;
        COMMENT ON FUNCTION auth.uid() IS 'The caller''s person: claim "sub" of his JWT';
    END IF;
    IF to_regprocedure('auth.role()') IS NULL THEN
        CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
            $sql$ SELECT nullif(CASE WHEN current_setting('request.jwt.claims', true) <> ''
                                     THEN current_setting('request.jwt.claims', true)::jsonb ->> 'role'
                                     ELSE current_setting('request.jwt.claim.role', true) END, '') $sql$;
        REVOKE ALL ON FUNCTION auth.role() FROM PUBLIC, anon, authenticated, service_role;
        GRANT EXECUTE ON FUNCTION auth.role() TO authenticated, service_role;
        COMMENT ON FUNCTION auth.role() IS 'The role that the caller''s JWT asks for';
    END IF;
END
$migration$;
REVOKE ALL ON FUNCTION @extschema@.migration_20260101000001_init_core_tables() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION @extschema@.migration_20260101000001_init_core_tables() IS 'Migration 1: workspaces, users, plans';

SELECT @extschema@.apply_migrations();
