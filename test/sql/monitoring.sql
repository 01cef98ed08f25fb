-- The views that watch the installation: who may read them, and that they say what is so.
SET search_path = openinfo, pg_temp;
SET client_min_messages = notice;

SELECT v, array_agg(r ORDER BY r) FILTER (WHERE has_table_privilege(r, v, 'SELECT')) AS readers,
       bool_or(has_any_column_privilege(r, v, 'INSERT, UPDATE') OR has_table_privilege(r, v, 'DELETE')) AS writable
  FROM unnest('{openinfo_table_sizes,openinfo_index_usage,openinfo_connections,openinfo_slow_queries}'::text[]) v, unnest('{anon,authenticated,service_role}'::text[]) r GROUP BY v ORDER BY v;
SELECT r, has_function_privilege(r, 'slow_queries()', 'EXECUTE') FROM unnest('{anon,authenticated,service_role}'::text[]) r;

CREATE SCHEMA regress_watched;
CREATE TABLE regress_watched.notes (id int PRIMARY KEY, workspace_id uuid, note text);
CREATE TABLE regress_watched.unrelated (id int PRIMARY KEY);
CREATE INDEX notes_note ON regress_watched.notes (note);
INSERT INTO regress_watched.notes SELECT n, NULL, 'note ' || n FROM generate_series(1, 1000) n;
ANALYZE regress_watched.notes;

SET ROLE service_role;

-- Every table of the schema, and the user's own that have a workspace_id.
SELECT c.relname AS missing FROM pg_class c WHERE c.relnamespace = 'openinfo'::regnamespace AND c.relkind = 'r'
   AND NOT EXISTS (SELECT FROM openinfo_table_sizes s WHERE s.schema_name = 'openinfo' AND s.table_name = c.relname);
SELECT schema_name, table_name, estimated_rows, total_bytes = (SELECT pg_total_relation_size(c.oid) FROM pg_class c WHERE c.relnamespace = 'regress_watched'::regnamespace AND c.relname = 'notes') AS total,
       total_bytes = table_bytes + index_bytes AS sum, index_bytes > 0 AS has_indexes, dead_rows >= 0 AS dead, last_vacuum IS NULL AS never_vacuumed
  FROM openinfo_table_sizes WHERE schema_name <> 'openinfo';
SELECT array_agg(total_bytes) = array_agg(total_bytes ORDER BY total_bytes DESC) AS largest_first FROM openinfo_table_sizes;

-- Every index, too; an index that enforces a key is needed even when nobody asks it.
SELECT i.indexrelid::regclass AS missing FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'openinfo'::regnamespace AND c.relkind = 'r'
   AND NOT EXISTS (SELECT FROM openinfo_index_usage u WHERE u.schema_name = 'openinfo' AND (u.index_name)::regclass = i.indexrelid);
SELECT table_name, index_name, scans, entries_read, enforces, valid, unused, definition FROM openinfo_index_usage WHERE schema_name = 'regress_watched' ORDER BY index_name;
RESET ROLE;
SET enable_seqscan = off;
SELECT count(*) FROM regress_watched.notes WHERE note = 'note 7';
RESET enable_seqscan;
SELECT pg_stat_force_next_flush();
SET ROLE service_role;
SELECT index_name, scans, unused FROM openinfo_index_usage WHERE schema_name = 'regress_watched' ORDER BY index_name;

-- Connections to this database, this one among them.
SELECT sum(connections) >= 1 AS connected, bool_and(connections > 0 AND waiting_for_lock BETWEEN 0 AND connections AND max_connections = current_setting('max_connections')::int) AS sane FROM openinfo_connections;
RESET ROLE;
SELECT connections >= 1 AS me, longest_transaction >= interval '0' AS since FROM openinfo_connections WHERE role_name = current_user AND state = 'active';

-- Without pg_stat_statements there are no slow queries to tell of; in the database alone, it tells nothing, and why.
SET ROLE service_role;
SELECT count(*) FROM openinfo_slow_queries;
RESET ROLE;
CREATE EXTENSION pg_stat_statements SCHEMA regress_watched;
SELECT count(*) FROM openinfo_slow_queries;
SET ROLE service_role;
SELECT count(*) FROM openinfo_slow_queries;
RESET ROLE;
DROP EXTENSION pg_stat_statements;

SET client_min_messages = warning;
DROP SCHEMA regress_watched CASCADE;
