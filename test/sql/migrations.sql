-- What the scripts of a next version are given: comments on what is new, grants that a
-- dump keeps, and a way back that refuses to lose values.
SET search_path = openinfo, pg_temp;

-- Comments: a second call describes only what it names, whatever the user has added.
BEGIN;
ALTER TABLE leads ADD COLUMN users_own int;
CREATE INDEX users_own_idx ON leads (users_own);
ALTER TABLE leads ADD COLUMN urgency int
    NOT NULL DEFAULT 0 CONSTRAINT leads_urgency_in_range CHECK (urgency BETWEEN 0 AND 9);
SELECT obj_description('leads'::regclass) AS before \gset
SELECT comment_on_table('leads', NULL,
                        ARRAY[['urgency', 'How urgent'], ['leads_urgency_in_range', 'From 0 to 9']]);
SELECT obj_description('leads'::regclass) = :'before' AS table_kept,
       col_description('leads'::regclass, attnum), obj_description(k.oid, 'pg_constraint')
  FROM pg_attribute JOIN pg_constraint k ON conrelid = attrelid AND conname = 'leads_urgency_in_range'
 WHERE attrelid = 'leads'::regclass AND attname = 'urgency';
SELECT attname, col_description(attrelid, attnum)
  FROM pg_attribute WHERE attrelid = 'leads'::regclass AND attname = 'users_own';
-- A name that is not on the table is an error; so is, with a comment for the table, anything that has none.
\set VERBOSITY terse
SAVEPOINT s;
SELECT comment_on_table('leads', NULL, ARRAY[['prioriti', 'How urgent']]);
ROLLBACK TO s;
SELECT comment_on_table('leads', 'Companies', ARRAY[['urgency', 'How urgent']]);
\set VERBOSITY default
ROLLBACK;

-- Grants: what a script grants on a table that was there already would be an
-- initial privilege, which pg_dump leaves out.
BEGIN;
CREATE TABLE users_own (id int);
ALTER TABLE leads ADD COLUMN urgency int;
GRANT INSERT (urgency), UPDATE (urgency) ON leads TO authenticated;
INSERT INTO pg_init_privs (objoid, classoid, objsubid, privtype, initprivs)
SELECT attrelid, 'pg_class'::regclass, attnum, 'e', attacl
  FROM pg_attribute WHERE attrelid = 'leads'::regclass AND attname = 'urgency';
SELECT count(*) FROM pg_init_privs WHERE objoid = 'leads'::regclass;
SELECT count(*) AS applied FROM apply_migrations();
SELECT count(*) FROM pg_init_privs WHERE objoid = 'leads'::regclass;
SELECT p, has_column_privilege('authenticated', 'leads', 'urgency', p)
  FROM unnest('{INSERT,UPDATE,SELECT}'::text[]) p;
SELECT count(*) AS members FROM pg_depend d
 WHERE d.deptype = 'e' AND d.classid = 'pg_class'::regclass
   AND d.objid IN ('leads'::regclass, 'users_own'::regclass);
ROLLBACK;

-- The way back: values other than NULL and the default are not lost by accident.
BEGIN;
CREATE FUNCTION pg_temp.tries(p_column text, p_default text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_state text; v_message text; v_hint text;
BEGIN
    PERFORM openinfo.drop_column_if_empty('leads', p_column, p_default);
    RETURN 'dropped';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT, v_hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', v_state, v_message, nullif(v_hint, ''));
END
$$;
INSERT INTO workspaces (id, slug, name) VALUES ('0b000000-0000-4000-8000-000000000001', 'migrations', 'M');
INSERT INTO leads (workspace_id, company_data)
SELECT '0b000000-0000-4000-8000-000000000001', format('{"name": "Company %s"}', n)::jsonb
  FROM generate_series(1, 3) n;
ALTER TABLE leads ADD COLUMN urgency int DEFAULT 5, ADD COLUMN "Mood" query_status DEFAULT 'active',
    ADD COLUMN raw json;
SELECT pg_temp.tries('urgency');
SELECT pg_temp.tries('urgency', '5');
UPDATE leads SET "Mood" = CASE company_data ->> 'name' WHEN 'Company 1' THEN 'paused' END::query_status;
SELECT pg_temp.tries('Mood', 'active');
UPDATE leads SET "Mood" = NULL WHERE "Mood" = 'paused';
SELECT pg_temp.tries('Mood', 'active');
UPDATE leads SET raw = '{}';
SELECT pg_temp.tries('raw');
SET LOCAL openinfo.allow_data_loss = on;
SELECT pg_temp.tries('raw');
SELECT pg_temp.tries('raw');
ROLLBACK;
