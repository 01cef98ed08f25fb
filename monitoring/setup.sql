-- A login for the exporter, and the one number of the security checklist that it may read.  Once, as a
-- superuser, in the database of the extension; with other names than app and exporter where yours differ.

CREATE ROLE exporter LOGIN;
GRANT pg_monitor, openinfo_monitor TO exporter;
ALTER ROLE exporter SET search_path = app, pg_catalog;

-- The checklist reads rows of tenants, which the exporter may not; the function runs as service_role, and
-- returns a number.
CREATE FUNCTION app.checklist_failures() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'SELECT count(*) FROM app.security_checklist() WHERE NOT ok';
ALTER FUNCTION app.checklist_failures() OWNER TO service_role;
REVOKE ALL ON FUNCTION app.checklist_failures() FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION app.checklist_failures() TO openinfo_monitor;
