-- Exports that have expired.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

INSERT INTO workspaces (id, slug, name)
    VALUES ('e0900000-0000-0000-0000-000000000001', 'exports-one', 'One'),
           ('e0900000-0000-0000-0000-000000000002', 'exports-two', 'Two');
INSERT INTO users (id, workspace_id, auth_user_id, email) VALUES
    ('e0900000-0000-0000-0000-0000000000a1', 'e0900000-0000-0000-0000-000000000001',
     'e0900000-0000-0000-0000-0000000000f1', 'ann@exports.example');

-- A member requests an export; it expires seven days after its completion, unless expires_at is set.
SET ROLE authenticated;
SET request.jwt.claim.sub = 'e0900000-0000-0000-0000-0000000000f1';
INSERT INTO export_jobs (export_format, filters) VALUES ('csv', '{"size": "small"}')
    RETURNING user_id = get_user_id() AS own, status, expires_at;
RESET ROLE;
RESET request.jwt.claim.sub;
UPDATE export_jobs
   SET status = 'completed', completed_at = now(), file_url = 'store://fresh', file_size_bytes = 1,
       row_count = 0
 WHERE workspace_id = 'e0900000-0000-0000-0000-000000000001' RETURNING expires_at - completed_at AS lives;
UPDATE export_jobs SET expires_at = completed_at + interval '1 hour'
 WHERE workspace_id = 'e0900000-0000-0000-0000-000000000001' RETURNING expires_at - completed_at AS lives;

-- A worker may leave out the time of completion.
BEGIN;
UPDATE export_jobs SET status = 'completed', completed_at = NULL, expires_at = NULL
 WHERE workspace_id = 'e0900000-0000-0000-0000-000000000001'
RETURNING completed_at = now() AS now, expires_at - completed_at AS lives;
UPDATE export_jobs SET status = 'failed', completed_at = NULL, expires_at = NULL
 WHERE workspace_id = 'e0900000-0000-0000-0000-000000000001'
RETURNING completed_at, expires_at;
ROLLBACK;

-- Nothing has expired yet.
SELECT cleanup_expired_exports();

-- Expired jobs are deleted, in every workspace and whatever their status; their files are queued for
-- deletion.  A job may have no file, and the address of a file may be longer than an index entry.
INSERT INTO export_jobs (workspace_id, status, file_url, completed_at, expires_at) VALUES
    ('e0900000-0000-0000-0000-000000000001', 'completed', 'store://old', now() - interval '8 days',
     now() - interval '1 day'),
    ('e0900000-0000-0000-0000-000000000001', 'completed', 'store://older', now() - interval '9 days',
     now() - interval '2 days'),
    ('e0900000-0000-0000-0000-000000000002', 'completed',
     (SELECT 'store://long?' || string_agg(md5(n::text), '') FROM generate_series(1, 200) n),
     now() - interval '8 days', now()),
    ('e0900000-0000-0000-0000-000000000002', 'failed', NULL, now() - interval '8 days',
     now() - interval '1 day'),
    ('e0900000-0000-0000-0000-000000000002', 'processing', ' ', NULL, now() - interval '1 day'),
    ('e0900000-0000-0000-0000-000000000002', 'pending', 'store://pending', NULL, NULL);
CREATE TEMP TABLE expected AS SELECT workspace_id, file_url, expires_at FROM export_jobs
 WHERE expires_at <= now() AND file_url LIKE 'store:%';
SET ROLE service_role;
SELECT cleanup_expired_exports();
SELECT w.slug, left(file_url, 13) AS file, length(file_url) AS length
  FROM expired_export_files JOIN workspaces w ON w.id = workspace_id WHERE slug LIKE 'exports-%'
 ORDER BY 1, 2;
SELECT w.slug, file_url, status
  FROM export_jobs JOIN workspaces w ON w.id = workspace_id WHERE slug LIKE 'exports-%' ORDER BY 1, 2;
RESET ROLE;
SELECT count(*) AS not_as_expected
  FROM expected e FULL JOIN expired_export_files f USING (workspace_id, file_url)
 WHERE e.expires_at IS DISTINCT FROM f.expired_at;
DROP TABLE expected;
-- A second run finds nothing, and queues no file twice.
SET ROLE service_role;
SELECT cleanup_expired_exports();
SELECT count(*) AS files FROM expired_export_files;

-- The file of an export is queued when a member or the service deletes it, as
-- expired now; not when that is rolled back.
DELETE FROM expired_export_files;
INSERT INTO export_jobs (workspace_id, user_id, file_url, completed_at, expires_at)
SELECT 'e0900000-0000-0000-0000-000000000001', 'e0900000-0000-0000-0000-0000000000a1', file_url, now(),
       expires_at
  FROM (VALUES ('store://mine', NULL::timestamptz),
               ('store://for ever', 'infinity'),
               ('store://taken back', NULL),
               (NULL, NULL),
               ('', NULL)) AS v (file_url, expires_at);
SET ROLE authenticated;
SET request.jwt.claim.sub = 'e0900000-0000-0000-0000-0000000000f1';
BEGIN;
DELETE FROM export_jobs WHERE file_url = 'store://taken back';
ROLLBACK;
DELETE FROM export_jobs WHERE file_url IN ('store://mine', 'store://for ever', '') OR file_url IS NULL;
SELECT count(*) FROM expired_export_files;
RESET request.jwt.claim.sub;
SET ROLE service_role;
DELETE FROM export_jobs WHERE file_url = 'store://fresh';
SELECT file_url, expired_at BETWEEN now() - interval '1 minute' AND now() AS now
  FROM expired_export_files ORDER BY 1;
SELECT file_url FROM export_jobs
 WHERE workspace_id = 'e0900000-0000-0000-0000-000000000001' AND file_url LIKE 'store:%';

-- No other role may run it: not the owner of the export, and not a role that was granted EXECUTE.
RESET ROLE;
BEGIN;
GRANT EXECUTE ON FUNCTION cleanup_expired_exports() TO authenticated;
SET LOCAL ROLE authenticated;
SELECT cleanup_expired_exports();
ROLLBACK;
SET ROLE authenticated;
SELECT cleanup_expired_exports();
SELECT * FROM expired_export_files;
RESET ROLE;
BEGIN READ ONLY;
SELECT cleanup_expired_exports();
ROLLBACK;

-- The files of a workspace that is deleted stay, those of exports that had not expired too.
DELETE FROM expired_export_files WHERE file_url <> 'store://mine';
DELETE FROM workspaces WHERE slug LIKE 'exports-%';
SELECT file_url FROM expired_export_files ORDER BY 1;
DELETE FROM expired_export_files;
SELECT (SELECT count(*) FROM export_jobs) + (SELECT count(*) FROM expired_export_files) AS left_behind;
