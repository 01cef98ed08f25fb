-- Attacks from inside: users who are signed in, send SQL of their own, and may create objects outside our
-- schema.
SET search_path = openinfo, pg_temp;
SET client_min_messages = warning;
\set VERBOSITY terse
\set victim '''a77ac000-0000-4000-8000-000000000001'''
\set own '''a77ac000-0000-4000-8000-000000000002'''
\set vera '''a77ac000-0000-4000-8000-0000000000a1'''
\set mallory '''a77ac000-0000-4000-8000-0000000000a2'''
INSERT INTO workspaces (id, slug, name, subdomain, custom_domain)
    VALUES (:victim, 'attacks-victim', 'Victim', 'attacks-victim', 'victim.example'),
           (:own, 'attacks-own', 'Own', NULL, NULL);
INSERT INTO users (id, workspace_id, auth_user_id, email, role, referral_code) VALUES
    (:vera, :victim, 'a77ac000-0000-4000-8000-0000000000f1', 'vera@victim.example', 'owner', 'VVVVVVVV'),
    (:mallory, :own, 'a77ac000-0000-4000-8000-0000000000f2', 'mallory@own.example', 'member', 'MMMMMMMM'),
    ('a77ac000-0000-4000-8000-0000000000a3', :own, 'a77ac000-0000-4000-8000-0000000000f3',
     'owner@own.example', 'owner', 'OOOOOOOO');
INSERT INTO global_topics (id, topic) VALUES ('a77ac000-0000-4000-8000-000000000009', 'attacks');
INSERT INTO queries (id, workspace_id, topic_id, name)
    VALUES ('a77ac000-0000-4000-8000-000000000011', :victim, 'a77ac000-0000-4000-8000-000000000009',
            'Victim''s query'),
           ('a77ac000-0000-4000-8000-000000000012', :own, 'a77ac000-0000-4000-8000-000000000009',
            'Own query');
INSERT INTO leads (workspace_id, company_data)
    SELECT :victim, jsonb_build_object('name', 'Secret ' || i, 'domain', format('secret%s.example', i))
      FROM generate_series(1, 50) i;
INSERT INTO leads (workspace_id, company_data) VALUES (:own, '{"name": "Own", "domain": "own.example"}');
ANALYZE leads;
-- Mallory's login may create schemas and temporary objects, and works as "authenticated".
CREATE ROLE regress_mallory LOGIN IN ROLE authenticated;
SELECT format('GRANT CREATE, TEMPORARY ON DATABASE %I TO regress_mallory', current_database()) \gexec
\c - regress_mallory
SET search_path = openinfo, pg_temp;
SET request.jwt.claims = '{"sub": "a77ac000-0000-4000-8000-0000000000f2"}';
SELECT email, role FROM users WHERE id = get_user_id();

-- -----------------------------------------------------------------------------------------------------------
-- Claiming to be another user, or a higher role
-- -----------------------------------------------------------------------------------------------------------

SET ROLE service_role;
SET ROLE postgres;
SET SESSION AUTHORIZATION service_role;
-- Promotion, column by column.
UPDATE users SET role = 'owner';
UPDATE users SET plan = 'enterprise';
UPDATE users SET daily_credits_used = 0;
UPDATE users SET daily_credit_limit = NULL;
UPDATE users SET credits_reset_on = '2000-01-01';
UPDATE users SET workspace_id = 'a77ac000-0000-4000-8000-000000000001';
UPDATE users SET auth_user_id = 'a77ac000-0000-4000-8000-0000000000f1';
UPDATE users SET email = 'vera@victim.example';
UPDATE users SET id = 'a77ac000-0000-4000-8000-0000000000a1';
UPDATE users SET created_at = '2000-01-01';
UPDATE users SET created_by = id;
UPDATE users SET referral_code = 'XXXXXXXX';
UPDATE users SET referred_by = 'a77ac000-0000-4000-8000-0000000000a3';
UPDATE users SET full_name = 'M', role = 'owner';
SELECT set_member_role(get_user_id(), 'owner');
SELECT set_member_role(get_user_id(), 'admin');
-- What users may write reaches their own row only.
UPDATE users SET full_name = 'Mallory' RETURNING email;
UPDATE workspaces SET name = 'Mine' RETURNING slug;
UPDATE users SET full_name = 'Mallory' WHERE id = 'a77ac000-0000-4000-8000-0000000000a1' RETURNING email;
SELECT email FROM users WHERE id = 'a77ac000-0000-4000-8000-0000000000a1' FOR UPDATE;
-- Joining another workspace.
INSERT INTO users (workspace_id, auth_user_id, email)
    VALUES ('a77ac000-0000-4000-8000-000000000001', 'a77ac000-0000-4000-8000-0000000000f2',
            'mallory@own.example');
INSERT INTO users (id) VALUES (get_user_id())
    ON CONFLICT (id) DO UPDATE SET workspace_id = 'a77ac000-0000-4000-8000-000000000001';
SELECT add_member('a77ac000-0000-4000-8000-000000000001', 'a77ac000-0000-4000-8000-0000000000f2',
                  'mallory@own.example', 'owner');
SELECT add_member(get_user_workspace_id(), 'a77ac000-0000-4000-8000-0000000000f4', 'friend@own.example');
SELECT remove_member('a77ac000-0000-4000-8000-0000000000a1');
SELECT remove_member('a77ac000-0000-4000-8000-0000000000a3');
BEGIN;
SET LOCAL openinfo.workspace_id = 'a77ac000-0000-4000-8000-000000000001';
SELECT get_user_workspace_id(), get_user_id(), user_has_role('member');
SELECT add_member('a77ac000-0000-4000-8000-000000000001', 'a77ac000-0000-4000-8000-0000000000f2',
                  'mallory@own.example');
ROLLBACK;
-- Claims in the wrong place, and in settings of other names.
BEGIN;
SET LOCAL request.jwt.claims
    = '{"sub": "a77ac000-0000-4000-8000-0000000000f2", "role": "service_role", "user_role": "owner", '
      '"user_metadata": {"sub": "a77ac000-0000-4000-8000-0000000000f1", "workspace_id": '
      '"a77ac000-0000-4000-8000-000000000001", "role": "owner"}, "app_metadata": {"sub": '
      '"a77ac000-0000-4000-8000-0000000000f1", "role": "service_role", "provider": "x"}}';
SET LOCAL request.jwt.claim.sub = 'a77ac000-0000-4000-8000-0000000000f1';
SET LOCAL request.jwt.claim.role = 'service_role';
SET LOCAL request.jwt.claims.sub = 'a77ac000-0000-4000-8000-0000000000f1';
SET LOCAL request.jwt.claims_workspace_id = 'a77ac000-0000-4000-8000-000000000001';
SELECT email, user_has_role('admin') AS admin, count(*) OVER () AS users FROM users WHERE id = get_user_id();
SELECT count(*) FROM leads;
ROLLBACK;

-- -----------------------------------------------------------------------------------------------------------
-- The settings of the extension
-- -----------------------------------------------------------------------------------------------------------

SET openinfo.allow_drop = on;
SET openinfo.allow_data_loss = on;
SET openinfo.install_tables = off;
SELECT set_config('openinfo.allow_drop', 'on', false);
SET openinfo.user_id = 'a77ac000-0000-4000-8000-0000000000a1';
ALTER ROLE regress_mallory SET openinfo.allow_drop = on;
-- Before the library is loaded the server knows nothing of them; when it is, they are as they were.
\c - regress_mallory
SET openinfo.allow_drop = on;
SET openinfo.allow_data_loss = on;
SET search_path = openinfo, pg_temp;
SELECT get_user_id();
SELECT name, setting FROM pg_settings WHERE name LIKE 'openinfo.allow%' ORDER BY name COLLATE "C";
SET request.jwt.claims = '{"sub": "a77ac000-0000-4000-8000-0000000000f2"}';

-- -----------------------------------------------------------------------------------------------------------
-- Changing what is ours
-- -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION openinfo.get_user_id(text) RETURNS uuid
    LANGUAGE sql AS $$ SELECT 'a77ac000-0000-4000-8000-0000000000a1'::uuid $$;
CREATE TABLE openinfo.planted (id int);
CREATE OR REPLACE FUNCTION openinfo.get_user_id() RETURNS uuid
    LANGUAGE sql AS $$ SELECT 'a77ac000-0000-4000-8000-0000000000a1'::uuid $$;
ALTER FUNCTION openinfo.get_user_id() OWNER TO regress_mallory;
ALTER TYPE openinfo.user_role ADD VALUE 'root';
ALTER TABLE openinfo.leads DISABLE ROW LEVEL SECURITY;
ALTER TABLE openinfo.leads DISABLE TRIGGER ALL;
CREATE POLICY mine ON openinfo.leads USING (true);
CREATE RULE mine AS ON INSERT TO openinfo.leads DO ALSO NOTIFY leads;
CREATE TRIGGER mine BEFORE INSERT ON openinfo.leads FOR EACH ROW
    EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE STATISTICS mine ON company_data, query_id FROM openinfo.leads;
GRANT SELECT ON openinfo.leads TO PUBLIC;
DROP EXTENSION openinfo CASCADE;
ALTER EXTENSION openinfo UPDATE TO '0.5.0';
SET session_replication_role = replica;
-- Without policies there are no rows at all.
SET row_security = off;
SELECT count(*) FROM leads;
SELECT count(*) FROM global_topics;
UPDATE users SET full_name = 'x';
RESET row_security;
-- Our trigger functions on tables of their own.
CREATE TEMP TABLE own_people (id uuid, workspace_id uuid, person_data jsonb, email_revealed_at timestamptz,
                              created_by uuid, updated_at timestamptz, config jsonb);
CREATE TRIGGER mine BEFORE INSERT ON own_people FOR EACH ROW EXECUTE FUNCTION openinfo.seal_contact();
CREATE TRIGGER mine AFTER INSERT ON own_people FOR EACH ROW EXECUTE FUNCTION openinfo.store_sealed_contact();
CREATE TRIGGER mine BEFORE UPDATE ON own_people FOR EACH ROW EXECUTE FUNCTION openinfo.seal_secrets();
CREATE TRIGGER mine BEFORE INSERT ON own_people FOR EACH ROW EXECUTE FUNCTION openinfo.set_created_by();
SELECT openinfo.drop_table_if_empty('openinfo.leads');
SELECT openinfo.apply_migrations();
SELECT openinfo.secure_table('own_people');

-- -----------------------------------------------------------------------------------------------------------
-- Objects that look like ours
-- -----------------------------------------------------------------------------------------------------------

-- Any call of one of these would show the notice.
CREATE SCHEMA regress_evil;
SET search_path = regress_evil;
CREATE FUNCTION say(what text) RETURNS boolean
    LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% runs as %', what, current_user; RETURN true; END $$;
CREATE FUNCTION get_user_workspace_id() RETURNS uuid
    LANGUAGE plpgsql AS
    $$ BEGIN PERFORM regress_evil.say('get_user_workspace_id()');
       RETURN 'a77ac000-0000-4000-8000-000000000001'; END $$;
CREATE FUNCTION get_user_id() RETURNS uuid
    LANGUAGE plpgsql AS
    $$ BEGIN PERFORM regress_evil.say('get_user_id()'); RETURN 'a77ac000-0000-4000-8000-0000000000a1'; END $$;
CREATE FUNCTION user_has_role(text) RETURNS boolean
    LANGUAGE sql AS $$ SELECT regress_evil.say('user_has_role()') $$;
CREATE FUNCTION lower(text) RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.say('lower()'); RETURN 'x'; END $$;
CREATE FUNCTION now() RETURNS timestamptz
    LANGUAGE plpgsql AS $$ BEGIN PERFORM regress_evil.say('now()'); RETURN '-infinity'; END $$;
CREATE FUNCTION gen_random_uuid() RETURNS uuid
    LANGUAGE plpgsql AS
    $$ BEGIN PERFORM regress_evil.say('gen_random_uuid()'); RETURN 'a77ac000-0000-4000-8000-0000000000a1';
       END $$;
CREATE FUNCTION same(uuid, uuid) RETURNS boolean LANGUAGE sql AS $$ SELECT regress_evil.say('= of uuid') $$;
CREATE OPERATOR = (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = same);
CREATE FUNCTION same(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT regress_evil.say('= of text') $$;
CREATE OPERATOR = (LEFTARG = text, RIGHTARG = text, FUNCTION = same);
CREATE FUNCTION other(anyelement, anyelement) RETURNS boolean
    LANGUAGE sql AS $$ SELECT regress_evil.say('<>') $$;
CREATE OPERATOR <> (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = other);
CREATE TYPE user_role AS ENUM ('member', 'admin', 'owner');
CREATE TYPE uuid AS (a int);
CREATE TABLE users (id pg_catalog.uuid, workspace_id pg_catalog.uuid, auth_user_id pg_catalog.uuid,
                    role openinfo.user_role, email text, created_at timestamptz);
INSERT INTO users
    VALUES ('a77ac000-0000-4000-8000-0000000000a1', 'a77ac000-0000-4000-8000-000000000001',
            'a77ac000-0000-4000-8000-0000000000f2', 'owner', 'x', '2000-01-01');
CREATE TABLE plans (name text, daily_credits int, active_queries int);
GRANT ALL ON SCHEMA regress_evil TO PUBLIC;
GRANT ALL ON ALL TABLES IN SCHEMA regress_evil TO PUBLIC;
CREATE TEMP TABLE users AS TABLE regress_evil.users;
CREATE TEMP TABLE workspaces AS
    SELECT 'a77ac000-0000-4000-8000-000000000001'::pg_catalog.uuid AS id, 'x'::text AS slug;
CREATE TEMP TABLE plans AS SELECT 'free'::text AS name, 1000000 AS daily_credits, 1000000 AS active_queries;
CREATE TEMP TABLE notification_preferences (user_id pg_catalog.uuid, workspace_id pg_catalog.uuid);
GRANT ALL ON ALL TABLES IN SCHEMA pg_temp TO PUBLIC;

SET search_path = pg_temp, regress_evil, pg_catalog, openinfo;
SELECT openinfo.get_user_workspace_id(), openinfo.get_user_id(), openinfo.user_has_role('owner') AS owner,
       openinfo.user_has_role('member') AS member;
SELECT company_data FROM openinfo.leads;
SELECT name FROM openinfo.queries;
SELECT email FROM openinfo.users ORDER BY 1;
INSERT INTO openinfo.leads (company_data) VALUES ('{"name": "New", "domain": "New.example"}')
    RETURNING pg_catalog.substr(workspace_id::text, 36) AS workspace,
              pg_catalog.substr(created_by::text, 36) AS author,
              created_at > '2020-01-01' AS now;
UPDATE openinfo.leads SET contact_data = '{}' RETURNING company_data ->> 'name';
DELETE FROM openinfo.leads WHERE company_data ->> 'name' LIKE 'New' RETURNING company_data;
SELECT openinfo.add_member('a77ac000-0000-4000-8000-000000000001', 'a77ac000-0000-4000-8000-0000000000f2',
                           'm@own.example', 'owner');
-- A workspace of their own, created through functions that write as the owner of the tables.
SELECT openinfo.create_workspace('attacks-mallory', 'M', 'm@own.example') IS NULL AS failed;
-- It is the active one now; back to the one that holds their rows.
SET request.jwt.claims
    = '{"sub": "a77ac000-0000-4000-8000-0000000000f2", "workspace_id": '
      '"a77ac000-0000-4000-8000-000000000002"}';
BEGIN;
SET LOCAL request.jwt.claims = '{"sub": "a77ac000-0000-4000-8000-0000000000f5"}';
SELECT openinfo.create_workspace('attacks-second', 'S', 's@own.example') IS NULL AS failed;
SELECT openinfo.add_member(openinfo.get_user_workspace_id(), 'a77ac000-0000-4000-8000-0000000000f6',
                           't@own.example', 'admin') IS NULL AS failed;
SELECT email, role, plan, daily_credit_limit, pg_catalog.length(referral_code) AS code
  FROM openinfo.users ORDER BY email;
SELECT openinfo.set_member_role(id, 'owner') FROM openinfo.users WHERE email LIKE 't@%';
SELECT openinfo.leave_workspace();
COMMIT;
SELECT pg_catalog.count(*) AS temporary_rows FROM pg_temp.notification_preferences;

-- -----------------------------------------------------------------------------------------------------------
-- Looking past the policies
-- -----------------------------------------------------------------------------------------------------------

SET search_path = openinfo, regress_evil, pg_temp;
-- A function that is cheaper than every policy, and tells what it sees.
CREATE FUNCTION regress_evil.peek(text) RETURNS boolean
    LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$;
CREATE FUNCTION regress_evil.peek_sql(text) RETURNS boolean
    LANGUAGE sql COST 0.0000001 AS $$ SELECT regress_evil.peek($1) $$;
CREATE FUNCTION regress_evil.peek_jsonb(jsonb, jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$;
CREATE OPERATOR regress_evil.@@@ (LEFTARG = jsonb, RIGHTARG = jsonb, FUNCTION = regress_evil.peek_jsonb,
                                  RESTRICT = contsel);
SELECT count(*) FROM leads WHERE regress_evil.peek(company_data ->> 'name');
SELECT count(*) FROM leads WHERE regress_evil.peek_sql(company_data ->> 'name') AND company_data IS NOT NULL;
SELECT count(*) FROM leads WHERE company_data OPERATOR(regress_evil.@@@) '{}';
SELECT count(*) FROM leads l JOIN leads m ON regress_evil.peek(m.company_data ->> 'name');
SELECT count(*) FROM users WHERE regress_evil.peek(email) AND email <> '';
UPDATE leads SET contact_data = '{}' WHERE regress_evil.peek(company_data ->> 'name');
DELETE FROM leads WHERE regress_evil.peek(company_data ->> 'name') AND false;
-- An error that depends on a row of another workspace.
SELECT count(*) FROM leads WHERE 1 / (CASE WHEN company_data ->> 'name' LIKE 'Secret%' THEN 0 ELSE 1 END) = 1;
SELECT count(*) FROM leads
 WHERE (company_data ->> 'name')::text::int < 0 OR company_data ->> 'name' = 'Secret 7';
-- Lookup by domain, whose function is leakproof so that its index is used.
SELECT count(*) FROM leads
 WHERE workspace_id = 'a77ac000-0000-4000-8000-000000000001'
   AND lead_domain(company_data) = 'secret7.example';
-- Views: with the privileges of their owner, and with those of the caller.
CREATE VIEW regress_evil.all_leads AS SELECT * FROM openinfo.leads;
CREATE VIEW regress_evil.all_leads_as_you WITH (security_invoker) AS SELECT * FROM openinfo.leads;
CREATE VIEW regress_evil.barrier WITH (security_barrier) AS
    SELECT * FROM openinfo.leads WHERE regress_evil.peek(company_data ->> 'name');
SELECT (SELECT count(*) FROM regress_evil.all_leads),
       (SELECT count(*) FROM regress_evil.all_leads_as_you),
       (SELECT count(*) FROM regress_evil.barrier);
CREATE MATERIALIZED VIEW regress_evil.copied AS SELECT company_data FROM openinfo.leads;
SELECT count(*) FROM regress_evil.copied;
COPY (SELECT company_data FROM leads) TO stdout;
-- Statistics, and the plan's measurements of rows that were looked at.
SELECT count(*) FROM pg_stats WHERE schemaname = 'openinfo' AND tablename = 'leads';
SELECT count(*) FROM pg_statistic;

-- -----------------------------------------------------------------------------------------------------------
-- What errors tell
-- -----------------------------------------------------------------------------------------------------------

-- What another workspace has, one may have as well.
INSERT INTO leads (company_data) VALUES ('{"name": "Same", "domain": "secret7.example"}')
    RETURNING company_data;
-- A row of another workspace gets the same error as one that does not
-- exist, but for the id that was asked for.
CREATE FUNCTION regress_evil.outcome(statement text, id text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_detail text;
    v_hint   text;
BEGIN
    EXECUTE format(statement, id);
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
    RETURN replace(concat_ws(' / ', SQLSTATE, SQLERRM, nullif(v_detail, ''), nullif(v_hint, '')), id, 'ID');
END
$$;
SET request.jwt.claims = '{"sub": "a77ac000-0000-4000-8000-0000000000f3"}';
SELECT o.foreign_one = o.none AND o.foreign_one !~ 'Victim' AS same, left(o.foreign_one, 5) AS state,
       statement
  FROM (VALUES
    ('INSERT INTO leads (query_id, company_data) VALUES (%L, ''{"name": "x"}'')', '000000000011'),
    ('UPDATE leads SET query_id = %L', '000000000011'),
    ('UPDATE queries SET name = ''x'' WHERE id = %L', '000000000011'),
    ('DELETE FROM queries WHERE id = %L', '000000000011'),
    ('SELECT add_member(%L, gen_random_uuid(), ''x@x.example'')', '000000000001'),
    ('SELECT set_member_role(%L, ''admin'')', '0000000000a1'),
    ('SELECT remove_member(%L)', '0000000000a1')) s(statement, foreign_id)
 CROSS JOIN
     LATERAL (SELECT regress_evil.outcome(statement, 'a77ac000-0000-4000-8000-' || foreign_id) AS foreign_one,
                     regress_evil.outcome(statement, 'a77ac000-0000-4000-8000-ff0000000000') AS none) o;
-- What is unique among all workspaces says that it is taken, and by nobody.
SELECT regress_evil.outcome($$ SELECT create_workspace('attacks-victim', 'x', 'x@x.example') $$);
SELECT regress_evil.outcome($$ UPDATE workspaces SET subdomain = 'attacks-victim' $$);
SELECT regress_evil.outcome($$ UPDATE workspaces SET custom_domain = 'victim.example' $$);
SELECT regress_evil.outcome($$ SELECT add_member(get_user_workspace_id(),
                                                 'a77ac000-0000-4000-8000-0000000000f1',
                                                 'vera@victim.example') $$);

-- Nothing of the victim's has changed.
\c - postgres
SET search_path = openinfo, pg_temp;
SET client_min_messages = warning;
SELECT (SELECT count(*) FROM leads WHERE workspace_id = w.id AND company_data ->> 'name' LIKE 'Secret%')
    AS leads,
       (SELECT count(*) FROM users WHERE workspace_id = w.id AND role = 'owner') AS users,
       (SELECT count(*) FROM queries WHERE workspace_id = w.id) AS queries,
       name
  FROM workspaces w WHERE slug = 'attacks-victim';
DROP OWNED BY regress_mallory CASCADE;
DROP ROLE regress_mallory;
DELETE FROM workspaces WHERE slug LIKE 'attacks-%';
DELETE FROM global_topics WHERE topic = 'attacks';
