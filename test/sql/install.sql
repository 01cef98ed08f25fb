-- The extension installs in one command, into the schema that is named, and gives the newest version.
CREATE SCHEMA openinfo;
CREATE EXTENSION openinfo SCHEMA openinfo;
SELECT extversion FROM pg_extension WHERE extname = 'openinfo';
SELECT version, name FROM openinfo.schema_migrations ORDER BY version;

-- Functions, types, an operator class, views and event triggers are
-- members of the extension; not one table is.
SELECT count(*) FILTER (WHERE classid = 'pg_proc'::regclass) > 0 AS functions,
       count(*) FILTER (WHERE classid = 'pg_type'::regclass) > 0 AS types,
       count(*) FILTER (WHERE classid
                            NOT IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_event_trigger'::regclass,
                                    'pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_ts_dict'::regclass)
                        AND NOT EXISTS (SELECT FROM pg_class c
                                         WHERE c.oid = objid AND classid = 'pg_class'::regclass
                                           AND c.relkind = 'v')) AS others
  FROM pg_depend
 WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'openinfo');

-- The tables.
SELECT relname FROM pg_class WHERE relnamespace = 'openinfo'::regnamespace AND relkind = 'r'
 ORDER BY relname COLLATE "C";

-- Without CASCADE, dropping the extension is refused.
\set VERBOSITY sqlstate
DROP EXTENSION openinfo;
\set VERBOSITY default

-- Applying migrations again does nothing.
SELECT count(*) FROM openinfo.apply_migrations();

-- The plans that come with it.
SELECT name, active_queries, saved_searches, daily_credits, export_rows, members
  FROM openinfo.plans ORDER BY daily_credits NULLS LAST;
