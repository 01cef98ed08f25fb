-- More than one machine, where there is one: tools/citus_check.sh tests what a Citus cluster does.
SET search_path = openinfo, pg_temp;
SELECT is_distributed();
CALL distribute();
CALL undistribute();
BEGIN;
CALL distribute();
ROLLBACK;
SET ROLE service_role;
CALL distribute();
CALL undistribute();
SELECT is_distributed();
RESET ROLE;

-- Every table of every version has its place on a cluster.
SELECT coalesce(a.relname, d.relname) AS table, a.relname IS NULL AS unknown, d.kind
  FROM api_privileges() a FULL JOIN table_distribution() d ON d.relname = a.relname
 WHERE a.relname IS NULL OR d.kind IS NULL;
-- With the workspace are the tables that have one; a foreign key leads to the same place, or to every node,
-- but for the one that distribute() drops.
SELECT d.relname, d.kind FROM table_distribution() d
 WHERE (d.kind = 'distributed') <> EXISTS (SELECT FROM pg_attribute a
                                            WHERE a.attrelid = to_regclass('openinfo.' || d.relname)
                                              AND a.attname = 'workspace_id' AND NOT a.attisdropped);
SELECT k.conrelid::regclass AS table, k.conname, k.confrelid::regclass AS refers_to
  FROM pg_constraint k
  JOIN table_distribution() d ON to_regclass('openinfo.' || d.relname) = k.conrelid
  JOIN table_distribution() r ON to_regclass('openinfo.' || r.relname) = k.confrelid
 WHERE k.contype = 'f' AND d.kind = 'reference' AND r.kind = 'distributed';
-- A key that cannot include the workspace is one of those that undistribute() knows.
SELECT k.conname FROM pg_constraint k
  JOIN table_distribution() d ON to_regclass('openinfo.' || d.relname) = k.conrelid
  JOIN pg_attribute w ON w.attrelid = k.conrelid AND w.attname = 'workspace_id'
 WHERE d.kind = 'distributed' AND k.contype = 'u' AND w.attnum <> ALL (k.conkey) ORDER BY 1;
