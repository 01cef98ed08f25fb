-- Invitations: from an address to a membership, and every way in which a token must not work.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

CREATE FUNCTION pg_temp.sign_in(p_person text) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('request.jwt.claims',
                      CASE WHEN p_person = '' THEN ''
                           ELSE json_build_object('sub', md5('invitations' || p_person)::uuid)::text END,
                      false) $$;
-- What comes of a statement, as somebody: what it returns, or its error.
CREATE FUNCTION pg_temp.try(p_person text, p_statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_result text;
    v_detail text;
    v_hint   text;
BEGIN
    PERFORM pg_temp.sign_in(p_person);
    SET LOCAL ROLE authenticated;
    EXECUTE p_statement INTO v_result;
    SET LOCAL ROLE NONE;
    RETURN coalesce(v_result, 'done');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' / ', SQLSTATE || ' ' || SQLERRM, nullif(v_detail, ''), nullif(v_hint, ''));
END
$$;
CREATE FUNCTION pg_temp.accept(p_person text, p_token text) RETURNS text LANGUAGE sql AS $$
    SELECT CASE WHEN t ~ '^[0-9a-f-]{36}$' THEN (SELECT slug FROM workspaces WHERE id = t::uuid) ELSE t END
      FROM pg_temp.try(p_person, format('SELECT accept_invitation(%L)', p_token)) t $$;
CREATE FUNCTION pg_temp.token(p_bytes bytea) RETURNS text LANGUAGE sql AS $$
    SELECT left(translate(encode(p_bytes, 'base64'), '+/', '-_'), 54) $$;
CREATE FUNCTION pg_temp.bytes(p_token text) RETURNS bytea LANGUAGE sql AS $$
    SELECT decode(rpad(translate(p_token, '-_', '+/'), 56, '='), 'base64') $$;
CREATE VIEW pg_temp.shown AS
    SELECT i.email, i.role, i.accepted_at IS NOT NULL AS accepted, u.email AS accepted_by,
           i.revoked_at IS NOT NULL AS revoked
      FROM invitations i LEFT JOIN users u ON u.id = i.accepted_by
     WHERE i.workspace_id IN (SELECT id FROM workspaces WHERE slug LIKE 'invitations-%')
     ORDER BY i.email COLLATE "C", i.created_at, i.revoked_at;

SELECT pg_temp.sign_in('ann');
SELECT create_workspace('invitations-one', 'One', 'ann@one.example') AS one \gset
SELECT pg_temp.sign_in('zoe');
SELECT create_workspace('invitations-two', 'Two', 'zoe@two.example') AS two \gset
SELECT add_member(:'one', md5('invitationsadam')::uuid, 'adam@one.example', 'admin') IS NOT NULL AS adam,
       add_member(:'one', md5('invitationsmia')::uuid, 'mia@one.example') IS NOT NULL AS mia;
UPDATE users SET plan = 'pro', daily_credit_limit = 1000 WHERE workspace_id IN (:'one', :'two');

-- An invitation, and what of it is stored: the SHA-256 of a token of 54 characters.
SELECT pg_temp.sign_in('ann');
SET ROLE authenticated;
SELECT invitation_id AS bea_id, token AS bea, expires_at = now() + interval '7 days' AS a_week
  FROM invite_member(p_email => 'Bea@one.example') \gset
SELECT :'a_week' AS a_week, :'bea' ~ '^[A-Za-z0-9_-]{54}$' AS is_base64url,
       token_sha256 = sha256(:'bea'::bytea) AS is_hashed, email, role
  FROM invitations WHERE id = :'bea_id';
SELECT created_by = get_user_id() AS by_ann, workspace_id = :'one' AS of_one, accepted_at, accepted_by,
       revoked_at
  FROM invitations WHERE id = :'bea_id';
-- the workspace's id, and then 24 bytes that are never the same
SELECT encode(pg_temp.bytes(:'bea'), 'hex') ~ ('^' || replace(:'one', '-', '') || '[0-9a-f]{48}$')
           AS behind_the_workspace;
RESET ROLE;
SELECT count(DISTINCT pg_temp.try('ann', format('SELECT token FROM invite_member(%L)',
                                                n || '@one.example')))
  FROM generate_series(1, 20) n;
DELETE FROM invitations WHERE email ~ '^\d+@one.example$';

-- It is accepted by whoever has the token, once; again by the same person changes nothing.
SELECT pg_temp.accept('bea', :'bea');
SELECT email, full_name, role, plan, daily_credit_limit, created_by FROM users
 WHERE auth_user_id = md5('invitationsbea')::uuid;
SELECT xmin AS was FROM invitations WHERE id = :'bea_id' \gset
SELECT pg_temp.accept('bea', :'bea');
SELECT xmin = :'was' AS unchanged FROM invitations WHERE id = :'bea_id';
SELECT pg_temp.accept('cam', :'bea');
SELECT count(*) FROM users WHERE workspace_id = :'one';
SELECT * FROM pg_temp.shown;
-- with a name
SELECT token AS cam FROM invite_member('cam@one.example', 'admin', '1 minute', :'one') \gset
SELECT pg_temp.try('cam', format('SELECT accept_invitation(p_token => %L, p_full_name => %L) IS NULL',
                                 :'cam', 'Cam'));
SELECT full_name, role FROM users WHERE auth_user_id = md5('invitationscam')::uuid;

-- A member who accepts another invitation stays what they are; the invitation is used up.
SELECT token AS other FROM invite_member('bea2@one.example', 'owner', p_workspace_id => :'one') \gset
SELECT pg_temp.accept('bea', :'other');
SELECT email, role FROM users WHERE auth_user_id = md5('invitationsbea')::uuid;
SELECT pg_temp.accept('dan', :'other');
SELECT pg_temp.accept('bea', :'other');

-- Another invitation of an address replaces the first, in any case of letters, also one that has expired.
SELECT token AS dan1 FROM invite_member('dan@one.example', p_workspace_id => :'one') \gset
SELECT token AS dan2 FROM invite_member('DAN@one.example', 'admin', p_workspace_id => :'one') \gset
SELECT pg_temp.accept('dan', :'dan1');
UPDATE invitations SET expires_at = now() WHERE email = 'DAN@one.example';
SELECT pg_temp.accept('dan', :'dan2');
SELECT token AS dan3 FROM invite_member('dan@one.example', p_workspace_id => :'one') \gset
SELECT * FROM pg_temp.shown WHERE email ~* '^dan';
SELECT pg_temp.accept('dan', :'dan2');
SELECT pg_temp.accept('dan', :'dan3');

-- add_member() uses the invitation of its address up; the token is dead.  So does any other way to insert a
-- member.
SELECT token AS eva FROM invite_member('eva@one.example', p_workspace_id => :'one') \gset
SELECT add_member(:'one', md5('invitationseva')::uuid, 'Eva@one.example') IS NOT NULL AS added;
SELECT * FROM pg_temp.shown WHERE email ~* '^eva';
SELECT pg_temp.accept('eva', :'eva');
SELECT pg_temp.accept('fay', :'eva');
SELECT token AS fay FROM invite_member('fay@one.example', p_workspace_id => :'one') \gset
SELECT token AS fay_two FROM invite_member('fay@one.example', p_workspace_id => :'two') \gset
INSERT INTO users (workspace_id, auth_user_id, email)
    VALUES (:'one', md5('invitationsfay')::uuid, 'fay@one.example');
SELECT * FROM pg_temp.shown WHERE email ~ '^fay';
SELECT pg_temp.accept('guy', :'fay');

-- Revoked, once and again; one that has ended stays as it is.
SELECT invitation_id AS guy_id, token AS guy
  FROM invite_member('guy@one.example', p_workspace_id => :'one') \gset
SELECT pg_temp.try('adam', format('SELECT revoke_invitation(%L)', :'guy_id'));
SELECT pg_temp.accept('guy', :'guy');
SELECT pg_temp.try('adam', format('SELECT revoke_invitation(%L)', :'guy_id'));
SELECT pg_temp.try('adam', format('SELECT revoke_invitation(%L)', :'bea_id'));
SELECT * FROM pg_temp.shown WHERE email IN ('Bea@one.example', 'guy@one.example');

-- A removed member's token is dead, and stays so when they are added again.
SELECT pg_temp.try('ann', format('SELECT remove_member(%L)', id))
  FROM users WHERE email = 'Bea@one.example';
SELECT pg_temp.accept('bea', :'bea');
SELECT pg_temp.accept('bea', :'other');
SELECT add_member(:'one', md5('invitationsbea')::uuid, 'bea@one.example') IS NOT NULL AS added_again;
SELECT pg_temp.accept('bea', :'bea');

-- Nobody gets in with anything but the token.  One message for all of it, without detail on which.
SELECT token AS hal FROM invite_member('hal@one.example', p_workspace_id => :'one') \gset
SELECT token AS expired FROM invite_member('ida@one.example', p_workspace_id => :'one') \gset
UPDATE invitations SET expires_at = now() WHERE email = 'ida@one.example';
CREATE TABLE pg_temp.wrong AS
    -- each bit of the token's bytes
    SELECT 'one bit changed' AS what, pg_temp.token(set_bit(b, bit, 1 - get_bit(b, bit))) AS token
      FROM pg_temp.bytes(:'hal') b, generate_series(0, 319) bit
    UNION ALL
    -- other last characters, which differ in bits that mean nothing
    SELECT 'another last character', left(:'hal', 53) || c
      FROM regexp_split_to_table('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', '') c
     WHERE c <> right(:'hal', 1)
    UNION ALL SELECT 'cut', left(:'hal', n) FROM generate_series(0, 53) n
    UNION ALL SELECT 'longer', :'hal' || c FROM unnest(ARRAY['A', '=', '==', ' ', e'\n', 'é']) c
    UNION ALL SELECT 'in front', c || :'hal' FROM unnest(ARRAY['A', ' ', e'\n']) c
    UNION ALL SELECT 'other case', f FROM unnest(ARRAY[lower(:'hal'), upper(:'hal')]) f
    UNION ALL SELECT 'base64, not base64url', translate(:'hal', '-_', '+/') || '=='
    UNION ALL SELECT '10 kB', repeat(:'hal', 190)
    UNION ALL SELECT 'other workspace in front',
                     pg_temp.token(decode(replace(:'two', '-', ''), 'hex')
                                   || substr(pg_temp.bytes(:'hal'), 17))
    UNION ALL SELECT 'not a token', t
                FROM unnest(ARRAY['', ' ', '%', '''; DROP TABLE users; --', repeat('é', 54),
                                  repeat('é', 27), repeat('A', 54), repeat('_', 54), :'one', :'bea_id']) t
    UNION ALL SELECT 'the hash', encode(sha256(:'hal'::bytea), 'hex')
    UNION ALL SELECT 'expired', :'expired';
SELECT what, count(*), min(answer) = max(answer) AS alike
  FROM (SELECT what, pg_temp.accept('hal', token) AS answer FROM pg_temp.wrong) w
 GROUP BY what ORDER BY what COLLATE "C";
SELECT DISTINCT pg_temp.accept('hal', token) FROM pg_temp.wrong;
SELECT pg_temp.try('hal', 'SELECT accept_invitation(NULL)');
SELECT pg_temp.try('', format('SELECT accept_invitation(%L)', :'hal'));
SELECT count(*) AS in_it FROM users WHERE auth_user_id = md5('invitationshal')::uuid;
SELECT pg_temp.accept('hal', :'hal');

-- Who may invite, and into which role.
SELECT pg_temp.try('mia', $$SELECT invite_member('jim@one.example')$$);
SELECT pg_temp.try('adam', $$SELECT invite_member('jim@one.example', 'owner')$$);
SELECT pg_temp.try('adam', $$SELECT token <> '' FROM invite_member('jim@one.example', 'admin')$$);
SELECT pg_temp.try('ann', $$SELECT token <> '' FROM invite_member('jim@one.example', 'owner')$$);
SELECT replace(pg_temp.try('ann', format($$SELECT invite_member('jim@one.example', 'member', '1 day', %L)$$,
                                         w)), w::text, 'WORKSPACE') AS somebody_elses_and_none
  FROM unnest(ARRAY[:'two', md5('no such')]::uuid[]) w;
SELECT pg_temp.try('nobody', $$SELECT invite_member('jim@one.example')$$);
SELECT pg_temp.try('', $$SELECT invite_member('jim@one.example')$$);
-- and who may revoke
SELECT invitation_id AS kim_id FROM invite_member('kim@two.example', p_workspace_id => :'two') \gset
SELECT pg_temp.try('mia', format('SELECT revoke_invitation(%L)', :'kim_id'));
SELECT replace(pg_temp.try('ann', format('SELECT revoke_invitation(%L)', i)), i::text, 'INVITATION')
           AS somebody_elses_and_none
  FROM unnest(ARRAY[:'kim_id', md5('no such')]::uuid[]) i;
SELECT pg_temp.try('ann', 'SELECT revoke_invitation(NULL)');
SELECT pg_temp.try('nobody', format('SELECT revoke_invitation(%L)', :'kim_id'));
SELECT pg_temp.try('', format('SELECT revoke_invitation(%L)', :'kim_id'));
SELECT revoked_at FROM invitations WHERE id = :'kim_id';
SET ROLE service_role;
SELECT pg_temp.sign_in('');
SELECT revoke_invitation(md5('no such')::uuid);
SELECT revoke_invitation(:'kim_id');
SELECT invite_member('kim@two.example');
SELECT invite_member('kim@two.example', p_workspace_id => md5('no such')::uuid);
RESET ROLE;
SELECT revoked_at IS NOT NULL AS revoked FROM invitations WHERE id = :'kim_id';

-- Arguments.
SELECT a AS argument, pg_temp.try('ann', format('SELECT invite_member(%s)', a)) FROM unnest(ARRAY[
    'NULL', $$'jim@one.example', NULL$$, $$'jim@one.example', p_expires_in => NULL$$,
    $$'jim@one.example', p_workspace_id => NULL$$, $$''$$, $$'jim'$$, $$'a b@one.example'$$,
    $$repeat('j', 320) || '@one.example'$$, $$'MIA@one.example'$$]) a;
SELECT i AS expires_in,
       pg_temp.try('ann', format(
           $$SELECT expires_at - now() FROM invite_member('jim@one.example', 'member', %L)$$, i))
  FROM unnest(ARRAY['59.999999 seconds', '1 minute', '90 days', '90 days 0.000001 seconds', '-1 day', '0',
                    '3 months', '4 months -30 days', '1 month -30 days 30 seconds', '170000000 years',
                    '-170000000 years']) i;

-- Owners and admins read the invitations of their workspace; nobody writes them.
SELECT p AS who, pg_temp.try(p, 'SELECT count(*) > 0 FROM invitations') AS reads,
       pg_temp.try(p, format('SELECT count(*) FROM invitations WHERE workspace_id = %L', :'two')) AS of_two
  FROM unnest('{ann,adam,mia,nobody}'::text[]) p;
SELECT pg_temp.try('ann', $$INSERT INTO invitations (email, role, token_sha256, expires_at)
                          VALUES ('x@one.example', 'owner', '', now())$$);
SELECT pg_temp.try('ann', 'UPDATE invitations SET role = ''owner''');
SELECT pg_temp.try('ann', 'DELETE FROM invitations');

DELETE FROM workspaces WHERE slug LIKE 'invitations-%';
SELECT count(*) AS left_behind FROM invitations;
DELETE FROM workspace_creations
 WHERE auth_user_id IN (md5('invitationsann')::uuid, md5('invitationszoe')::uuid);
