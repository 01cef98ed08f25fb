-- What a membership is kept for: snapshots that cannot but show the same, and no others.
SET search_path = openinfo, pg_temp;

INSERT INTO workspaces (id, slug, name) VALUES
    ('a1000000-0000-4000-8000-000000000001', 'snapshots-one', 'One'),
    ('a1000000-0000-4000-8000-000000000002', 'snapshots-two', 'Two');
INSERT INTO users (workspace_id, auth_user_id, email, role, created_at) VALUES
    ('a1000000-0000-4000-8000-000000000001', 'a2000000-0000-4000-8000-000000000001', 'ann@one.example',
     'owner', '2020-01-01'),
    ('a1000000-0000-4000-8000-000000000002', 'a2000000-0000-4000-8000-000000000001', 'ann@two.example',
     'member', '2021-01-01'),
    ('a1000000-0000-4000-8000-000000000001', 'a2000000-0000-4000-8000-000000000002', 'bob@one.example',
     'member', '2020-01-01');
SET request.jwt.claims = '{"sub": "a2000000-0000-4000-8000-000000000001"}';
-- The caller's workspace, and whether the caller owns it, as a row that is read several times.
CREATE VIEW pg_temp.caller AS
    SELECT (SELECT slug FROM workspaces WHERE id = get_user_workspace_id()) AS workspace,
           user_has_role('owner') AS owner;

-- The transaction's own changes count from the next statement on, and no longer once they are rolled back.
BEGIN;
TABLE pg_temp.caller;
DELETE FROM users WHERE email = 'ann@one.example';
TABLE pg_temp.caller;
ROLLBACK;
TABLE pg_temp.caller;

-- So too with savepoints: after ROLLBACK TO the snapshot has the same
-- contents and the same command as before.
BEGIN;
SAVEPOINT s;
UPDATE users SET role = 'member' WHERE email = 'ann@one.example';
TABLE pg_temp.caller;
ROLLBACK TO s;
TABLE pg_temp.caller;
DELETE FROM users WHERE email = 'ann@one.example';
TABLE pg_temp.caller;
ROLLBACK TO s;
TABLE pg_temp.caller;
COMMIT;

-- A block with an exception is a subtransaction too; each statement of a
-- volatile function has a snapshot of its own.
CREATE FUNCTION pg_temp.demoted_and_back() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_told text := format('before %s', user_has_role('owner'));
BEGIN
    BEGIN
        UPDATE users SET role = 'member' WHERE email = 'ann@one.example';
        v_told := v_told || format(', within %s', user_has_role('owner'));
        RAISE EXCEPTION 'back';
    EXCEPTION WHEN raise_exception THEN
        v_told := v_told || format(', after %s', user_has_role('owner'));
    END;
    RETURN v_told;
END
$$;
SELECT pg_temp.demoted_and_back();

-- Within one statement, which has one snapshot, it depends on who asks for what.
SELECT p.who, s.chosen, right(get_user_workspace_id()::text, 1) AS workspace, user_has_role('owner') AS owner
  FROM (VALUES (1, 'Ann', 'a2000000-0000-4000-8000-000000000001'),
               (2, 'Bob', 'a2000000-0000-4000-8000-000000000002'),
               (3, 'nobody', 'a2000000-0000-4000-8000-000000000003')) AS p (n, who, sub)
 CROSS JOIN (VALUES (1, '-', ''),
                    (2, 'one', 'a1000000-0000-4000-8000-000000000001'),
                    (3, 'two', 'a1000000-0000-4000-8000-000000000002')) AS s (n, chosen, id)
 CROSS JOIN LATERAL (SELECT set_config('request.jwt.claims', format('{"sub": "%s"}', p.sub), false),
                            set_config('openinfo.workspace_id', s.id, false) OFFSET 0) AS c
 WHERE c IS NOT NULL
 ORDER BY p.n, s.n;

RESET openinfo.workspace_id;
RESET request.jwt.claims;
DELETE FROM workspaces WHERE slug LIKE 'snapshots-%';
