-- leads is partitioned by workspace, and made one table again, with all that a user has added to it.
SET search_path = openinfo, pg_temp;
\set SHOW_CONTEXT never
SELECT unpartition_leads();
INSERT INTO workspaces (id, slug, name)
    SELECT format('9a000000-0000-4000-8000-%s', lpad(n::text, 12, '0'))::uuid, 'partitions-' || n, 'W'
      FROM generate_series(1, 8) n;
INSERT INTO users (id, workspace_id, auth_user_id, email)
    SELECT id, id, id, 'a@partitions.example' FROM workspaces WHERE slug LIKE 'partitions-%';
INSERT INTO leads (workspace_id, company_data)
    SELECT w.id, jsonb_build_object('name', 'C ' || n, 'domain', format('c%s.example', n))
      FROM workspaces w, generate_series(1, 3) n WHERE w.slug LIKE 'partitions-%';

-- What a user has added: columns, one with a sequence and one generated, an index, a trigger that is always
-- fired, policies, privileges, comments, statistics, a computed field of their own.
ALTER TABLE leads ADD COLUMN regress_n bigserial, ADD COLUMN regress_gone int,
    ADD COLUMN regress_size int GENERATED ALWAYS AS (length(company_data ->> 'name')) STORED
        CONSTRAINT regress_size_positive CHECK (regress_size > 0);
ALTER TABLE leads DROP COLUMN regress_gone, ALTER COLUMN regress_size SET STATISTICS 7, SET (fillfactor = 70);
COMMENT ON COLUMN leads.regress_size IS 'Length of the name';
CREATE UNIQUE INDEX regress_n_key ON leads (workspace_id, regress_n);
CREATE STATISTICS openinfo.regress_both ON regress_n, regress_size FROM leads;
ALTER STATISTICS openinfo.regress_both SET STATISTICS 33;
ALTER TABLE leads ALTER COLUMN regress_n SET (n_distinct = 5);
CREATE INDEX regress_lower ON leads (lower(regress_size::text));
ALTER INDEX regress_lower ALTER COLUMN 1 SET STATISTICS 77;
CREATE FUNCTION regress_shout(leads) RETURNS text LANGUAGE sql
    AS $$ SELECT upper($1.company_data ->> 'name') $$;
GRANT EXECUTE ON FUNCTION regress_shout(leads) TO authenticated;
CREATE FUNCTION regress_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER regress_noted BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION regress_noted();
ALTER TABLE leads ENABLE ALWAYS TRIGGER regress_noted;
CREATE POLICY regress_small ON leads AS RESTRICTIVE FOR SELECT TO authenticated USING (regress_size < 100);
CREATE ROLE regress_reader;
GRANT SELECT ON leads TO regress_reader WITH GRANT OPTION;
GRANT UPDATE (regress_size) ON leads TO authenticated;
GRANT USAGE ON SEQUENCE leads_regress_n_seq TO authenticated;
REVOKE EXECUTE ON FUNCTION lead_domain(leads) FROM service_role;

-- Rows without what partitioning adds; in pg_catalog alone, names are complete.
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
    SELECT count(*) || ' ' || md5(string_agg(to_jsonb(l)::text, ',' ORDER BY l.id)) FROM leads l $$;
CREATE FUNCTION pg_temp.definition() RETURNS SETOF text LANGUAGE sql SET search_path = pg_catalog AS $$
    SELECT openinfo.table_definition('openinfo.leads')
    UNION ALL
    SELECT format('%s %s %s %s %s', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                  a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = 'openinfo.leads'::regclass AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT pg_get_constraintdef(oid) FROM pg_constraint
     WHERE conrelid = 'openinfo.leads'::regclass AND contype = 'c'
    UNION ALL
    SELECT 'owner ' || relowner::regrole || ' ' || coalesce(reloptions::text, '') FROM pg_class
     WHERE oid = 'openinfo.leads'::regclass AND relkind = 'r' $$;
CREATE TABLE pg_temp.plain AS SELECT d, pg_temp.rows() AS rows FROM pg_temp.definition() d;
SELECT count(*) > 40 AS much FROM pg_temp.plain;

-- Whatever a session has set about identifiers.
SET quote_all_identifiers = on;
SELECT partition_leads(4);
RESET quote_all_identifiers;
SELECT DISTINCT pg_temp.rows() = rows AS same_rows FROM pg_temp.plain;
-- Only the primary key is another one; options are those of the partitions.
SELECT d FROM (SELECT d FROM pg_temp.plain EXCEPT SELECT pg_temp.definition()) x ORDER BY d;
SELECT d FROM (SELECT pg_temp.definition() AS d EXCEPT SELECT d FROM pg_temp.plain) x ORDER BY d;
SELECT relname, relkind, relrowsecurity, relforcerowsecurity, relowner::regrole, reloptions,
       obj_description(oid, 'pg_class') AS comment,
       (SELECT count(*) FROM aclexplode(relacl) a WHERE a.grantee <> relowner) AS grants,
       (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) AS policies
  FROM pg_class c
 WHERE relnamespace = 'openinfo'::regnamespace AND relkind IN ('r', 'p') AND relname ~ '^leads(_p\d+)?$'
 ORDER BY relname COLLATE "C" DESC;
SELECT x.indrelid::regclass AS partition, x.indexrelid::regclass AS index FROM pg_index x
 WHERE x.indrelid = 'leads_p2'::regclass ORDER BY x.indexrelid::regclass::text COLLATE "C";
SELECT count(DISTINCT tableoid) > 1 AS spread, count(*) AS rows FROM leads;
SELECT item, detail FROM security_checklist() WHERE NOT ok;

-- The partition of the active workspace alone is read; nobody reads one directly.
SET request.jwt.claim.sub = '9a000000-0000-4000-8000-000000000003';
SET ROLE authenticated;
SELECT count(*), count(DISTINCT workspace_id) FROM leads;
SELECT regress_shout(l), lead_domain(l) FROM leads l ORDER BY 1;
SELECT count(*) FROM leads_p0;
INSERT INTO leads (company_data) VALUES ('{"name": "New", "domain": "c1.example"}');
INSERT INTO leads (company_data) VALUES ('{"name": "New", "domain": "new.example"}')
    RETURNING regress_size, created_by = get_user_id() AS by_member;
DELETE FROM leads WHERE company_data ->> 'name' = 'New';
RESET ROLE;
SET ROLE service_role;
SELECT count(*) FROM leads_p1;
SELECT partition_leads(2);
RESET ROLE;
RESET request.jwt.claim.sub;

-- Called again, into another number of partitions.
SELECT partition_leads(2);
SELECT count(*) AS partitions FROM pg_inherits WHERE inhparent = 'leads'::regclass;
SELECT DISTINCT pg_temp.rows() = rows AS same_rows FROM pg_temp.plain;
SELECT partition_leads(0);
SELECT partition_leads(1025);
SELECT partition_leads(NULL);
-- The sizes are those of the partitions.
SELECT name, value > 0 AS some FROM openinfo_metrics
 WHERE name ~ '_bytes$' AND labels ->> 'table' = 'leads'
   AND coalesce(labels ->> 'index', 'leads_pkey') = 'leads_pkey' ORDER BY name;
-- The functions of 1.1.0 know no partitions.
ALTER EXTENSION openinfo UPDATE TO '1.1.0';

-- And back: everything is as it was.
SET quote_all_identifiers = on;
SELECT unpartition_leads();
RESET quote_all_identifiers;
SELECT DISTINCT pg_temp.rows() = rows AS same_rows FROM pg_temp.plain;
SELECT d FROM (SELECT d FROM pg_temp.plain EXCEPT SELECT pg_temp.definition()) x ORDER BY d;
SELECT d FROM (SELECT pg_temp.definition() AS d EXCEPT SELECT d FROM pg_temp.plain) x ORDER BY d;
SELECT unpartition_leads();

-- What stands in the way is named, each by itself.
CREATE FUNCTION pg_temp.refused(p_command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_detail text;
BEGIN
    EXECUTE p_command;
    PERFORM openinfo.partition_leads(2);
    RAISE EXCEPTION 'was not refused' USING ERRCODE = 'assert_failure';
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
    RETURN SQLERRM || ': ' || v_detail;
END
$$;
CREATE ROLE regress_other;
GRANT USAGE ON SCHEMA openinfo TO regress_reader;
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE regress_space LOCATION '';
SET client_min_messages = error;	-- a publication while wal_level is replica
SELECT command, pg_temp.refused(command)
  FROM unnest(ARRAY[
    'CREATE VIEW openinfo.regress_view AS SELECT id FROM openinfo.leads',
    'CREATE MATERIALIZED VIEW openinfo.regress_kept AS SELECT id FROM openinfo.leads',
    'CREATE VIEW openinfo.regress_view AS SELECT openinfo.regress_shout(l) FROM openinfo.leads l',
    'CREATE TABLE openinfo.regress_notes (lead_id uuid REFERENCES openinfo.leads (id))',
    'CREATE TABLE openinfo.regress_notes (lead openinfo.leads)',
    'CREATE TABLE openinfo.regress_child () INHERITS (openinfo.leads)',
    'ALTER TABLE openinfo.leads ADD COLUMN parent uuid REFERENCES openinfo.leads (id)',
    'ALTER TABLE openinfo.leads ADD COLUMN crm bigint UNIQUE',
    'ALTER TABLE openinfo.leads ADD COLUMN num bigint GENERATED ALWAYS AS IDENTITY',
    'ALTER TABLE openinfo.leads ADD CONSTRAINT regress_old CHECK (id IS NOT NULL) NOT VALID',
    'ALTER TABLE openinfo.leads ADD CONSTRAINT regress_one EXCLUDE (id WITH =)',
    'ALTER TABLE openinfo.leads REPLICA IDENTITY USING INDEX leads_pkey',
    'CREATE TRIGGER regress_new AFTER INSERT ON openinfo.leads REFERENCING NEW TABLE AS added FOR EACH ROW
         EXECUTE FUNCTION openinfo.regress_noted()',
    'CREATE RULE regress_rule AS ON DELETE TO openinfo.leads DO ALSO NOTHING',
    'CREATE POLICY regress_leads ON openinfo.queries USING (EXISTS (SELECT FROM openinfo.leads))',
    'CREATE PUBLICATION regress_out FOR TABLE openinfo.leads',
    'CREATE POLICY regress_domain ON openinfo.leads USING (openinfo.lead_domain(leads) IS NOT NULL)',
    'CREATE INDEX regress_domain ON openinfo.leads (openinfo.lead_domain(leads))',
    'ALTER TABLE openinfo.leads SET UNLOGGED',
    'ALTER TABLE openinfo.leads SET TABLESPACE regress_space',
    'CREATE INDEX regress_there ON openinfo.leads (last_error) TABLESPACE regress_space',
    'ALTER TABLE openinfo.leads CLUSTER ON leads_pkey',
    'GRANT SELECT ON openinfo.leads TO regress_reader WITH GRANT OPTION; SET ROLE regress_reader;
     GRANT SELECT ON openinfo.leads TO regress_other; RESET ROLE']) WITH ORDINALITY c (command, n)
 ORDER BY n;
RESET client_min_messages;
REVOKE USAGE ON SCHEMA openinfo FROM regress_reader;
DROP TABLESPACE regress_space;
DROP ROLE regress_other;
-- So many tables need more locks than a transaction can have, which a server would find out at the end.
DO $$ BEGIN
    PERFORM openinfo.partition_leads(1024);
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    RAISE NOTICE '%', SQLERRM;
END $$;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT partition_leads(2);
ROLLBACK;

DROP POLICY regress_small ON leads;
DROP TRIGGER regress_noted ON leads;
DROP STATISTICS regress_both;
DROP FUNCTION regress_noted(), regress_shout(leads);
ALTER TABLE leads DROP COLUMN regress_n, DROP COLUMN regress_size, RESET (fillfactor);
REVOKE ALL ON leads FROM regress_reader;
DROP ROLE regress_reader;
GRANT EXECUTE ON FUNCTION lead_domain(leads) TO service_role;
DELETE FROM workspaces WHERE slug LIKE 'partitions-%';
