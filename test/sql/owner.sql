-- The tables belong to openinfo_owner, a role without any other right;
-- functions run as it, for every caller.
SET search_path = openinfo, pg_temp;
SELECT rolsuper, rolcanlogin, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
  FROM pg_roles WHERE rolname = 'openinfo_owner';
SELECT count(*) FROM pg_auth_members WHERE 'openinfo_owner'::regrole IN (roleid, member);
SELECT DISTINCT relowner::regrole
  FROM pg_class WHERE relnamespace = 'openinfo'::regnamespace AND relkind IN ('r', 'p');

-- A trigger that a user adds runs as that role when a function writes, also when a superuser calls it.
CREATE TABLE pg_temp.ran (as_role text, superuser boolean);
GRANT INSERT ON pg_temp.ran TO PUBLIC;
CREATE FUNCTION pg_temp.who() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ran SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user;
    RETURN NULL;
END
$$;
BEGIN;
INSERT INTO workspaces (id, slug, name) VALUES ('0e000000-0000-4000-8000-000000000001', 'owner', 'Owner');
INSERT INTO users (id, workspace_id, auth_user_id, email, daily_credits_used, credits_reset_on)
    VALUES ('0e000000-0000-4000-8000-000000000002', '0e000000-0000-4000-8000-000000000001',
            '0e000000-0000-4000-8000-000000000003', 'a@owner.example', 2, '2020-01-01');
CREATE TRIGGER regress_who AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION pg_temp.who();
SELECT reset_daily_credits();
TABLE pg_temp.ran;

-- It may do what the definitions of the tables do: maintenance of expression indexes, CHECKs, defaults.
ANALYZE leads;
ANALYZE people_search_results;
ANALYZE global_topics;
CREATE INDEX regress_domain ON leads (lead_domain(company_data));
REINDEX TABLE people_search_results;
REINDEX TABLE global_topics;
SET LOCAL ROLE openinfo_owner;
INSERT INTO global_topics (id, topic, current_volume)
    VALUES ('0e000000-0000-4000-8000-000000000004', 'owner topic', 5);
INSERT INTO queries (id, workspace_id, topic_id, filters) VALUES
    ('0e000000-0000-4000-8000-000000000005', '0e000000-0000-4000-8000-000000000001',
     '0e000000-0000-4000-8000-000000000004', '{}');
INSERT INTO leads (workspace_id, query_id, company_data) VALUES
    ('0e000000-0000-4000-8000-000000000001', '0e000000-0000-4000-8000-000000000005',
     '{"name": "Acme", "domain": "acme.example"}');
INSERT INTO people_search_results (workspace_id, user_id, person_data) VALUES
    ('0e000000-0000-4000-8000-000000000001', '0e000000-0000-4000-8000-000000000002', '{"full_name": "Ann"}');
SELECT (SELECT count(*) FROM leads WHERE company_data ->> 'name' = 'Acme') AS leads,
       (SELECT count(*) FROM people_search_results WHERE person_data ->> 'full_name' = 'Ann') AS people;
-- It may not call what is for the service.
SELECT reset_daily_credits();
ROLLBACK;

-- Every function in a default, CHECK, generated column, index or policy of our tables.
SELECT p.oid::regprocedure AS not_executable
  FROM pg_proc p
 WHERE p.pronamespace = 'openinfo'::regnamespace
   AND NOT has_function_privilege('openinfo_owner', p.oid, 'EXECUTE')
   AND EXISTS (SELECT FROM pg_depend d
                WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid
                  AND (d.classid IN ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_policy'::regclass)
                       OR d.classid = 'pg_class'::regclass
                          AND (SELECT relkind FROM pg_class WHERE oid = d.objid) IN ('i', 'r', 'p')))
 ORDER BY 1;

-- A table that belongs to another role is refused by name, by what reads as by what writes.
CREATE ROLE regress_owner_other;
BEGIN;
GRANT CREATE ON SCHEMA openinfo TO regress_owner_other;
ALTER TABLE leads OWNER TO regress_owner_other;
SAVEPOINT s;
SELECT reset_daily_credits();
ROLLBACK TO s;
SELECT get_workspace_stats('0e000000-0000-4000-8000-000000000001');
ROLLBACK TO s;
ALTER TABLE leads OWNER TO openinfo_owner;
SELECT reset_daily_credits() >= 0 AS runs_again;
-- Dropped, and another one in its place.
ALTER TABLE credit_usage RENAME TO credit_usage_before;
CREATE TABLE openinfo.credit_usage (id uuid);
ALTER TABLE openinfo.credit_usage OWNER TO regress_owner_other;
SELECT reset_daily_credits();
ROLLBACK;
DROP ROLE regress_owner_other;

-- What the scripts use is for superusers alone.
SET ROLE service_role;
SELECT execute_as_owner('SELECT 1');
SELECT require_owned_tables();
SELECT require_trusted_schema();
RESET ROLE;
DROP FUNCTION pg_temp.who();
RESET search_path;
