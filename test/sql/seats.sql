-- Seats: members and open invitations of a workspace, and the limit of its plan.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

CREATE FUNCTION pg_temp.sign_in(p_person text) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('request.jwt.claims',
                      json_build_object('sub', md5('seats' || p_person)::uuid)::text, false) $$;
-- A statement as the backend does it, and its error.
CREATE FUNCTION pg_temp.try(p_statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_detail text;
    v_hint   text;
BEGIN
    SET LOCAL ROLE service_role;
    EXECUTE p_statement;
    SET LOCAL ROLE NONE;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' / ', SQLSTATE || ' ' || SQLERRM, nullif(v_detail, ''), nullif(v_hint, ''));
END
$$;
CREATE FUNCTION pg_temp.try_accept(p_person text, p_token text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.sign_in(p_person);
    RETURN pg_temp.try(format('SELECT accept_invitation(%L)', p_token));
END
$$;
CREATE FUNCTION pg_temp.add(p_person text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.try(format('SELECT add_member(%L, %L, %L)', id, md5('seats' || p_person)::uuid,
                              p_person || '@seats.example')) FROM workspaces WHERE slug = 'seats-one' $$;
CREATE FUNCTION pg_temp.invite(p_person text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.try(format('SELECT invite_member(%L, p_workspace_id => %L)', p_person || '@seats.example',
                              (SELECT id FROM workspaces WHERE slug = 'seats-one'))) $$;
CREATE FUNCTION pg_temp.remove(p_person text) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.try(format('SELECT remove_member(%L)',
                              (SELECT id FROM users WHERE email = p_person || '@seats.example'))) $$;
CREATE VIEW pg_temp.seats AS
    SELECT (SELECT count(*) FROM users WHERE workspace_id = w.id) AS members,
           (SELECT count(*) FROM invitations WHERE workspace_id = w.id AND accepted_at IS NULL
               AND revoked_at IS NULL AND expires_at > now()) AS invited
      FROM workspaces w WHERE slug = 'seats-one';

INSERT INTO plans (name, daily_credits, members) VALUES ('seats', 1, 3), ('seats larger', 2, 5);
SELECT pg_temp.sign_in('ann');
SELECT create_workspace('seats-one', 'One', 'ann@seats.example') AS one \gset
UPDATE users SET plan = 'seats' WHERE workspace_id = :'one';

-- Members and open invitations count; the third seat is the last.
SELECT pg_temp.add('bea');
SELECT pg_temp.invite('cam');
SELECT * FROM pg_temp.seats;
SELECT pg_temp.add('dan');
SELECT pg_temp.invite('dan');
SELECT pg_temp.try(format('INSERT INTO users (workspace_id, auth_user_id, email)
                           SELECT %L, gen_random_uuid(), n || %L FROM generate_series(1, 2) n',
                          :'one', '@seats.example'));
SELECT * FROM pg_temp.seats;

-- To accept takes the seat of one's own invitation, and so does to be added.
SELECT token AS cam FROM invite_member('cam@seats.example', p_workspace_id => :'one') \gset
SELECT pg_temp.try_accept('cam', :'cam');
SELECT * FROM pg_temp.seats;
SELECT pg_temp.remove('cam');
SELECT pg_temp.invite('dan'), pg_temp.add('dan');
SELECT * FROM pg_temp.seats;

-- A seat is free again when its invitation is revoked or has expired, or its member has gone.
SELECT pg_temp.remove('dan');
SELECT invitation_id AS id FROM invite_member('eva@seats.example', p_workspace_id => :'one') \gset
SELECT pg_temp.invite('fay');
SELECT pg_temp.try(format('SELECT revoke_invitation(%L)', :'id'));
SELECT token AS fay FROM invite_member('fay@seats.example', p_workspace_id => :'one') \gset
SELECT pg_temp.add('guy');
UPDATE invitations SET expires_at = now() WHERE email = 'fay@seats.example';
SELECT pg_temp.add('guy');
SELECT * FROM pg_temp.seats;
SELECT pg_temp.try_accept('fay', :'fay');

-- A larger plan has more seats; NULL is unlimited.
SELECT pg_temp.try(format('SELECT update_workspace_plan(%L, %L)', :'one', 'seats larger'));
SELECT token AS hal FROM invite_member('hal@seats.example', p_workspace_id => :'one') \gset
SELECT token AS ida FROM invite_member('ida@seats.example', p_workspace_id => :'one') \gset
SELECT pg_temp.invite('jim');
UPDATE plans SET members = NULL WHERE name = 'seats larger';
SELECT pg_temp.invite('jim');
SELECT * FROM pg_temp.seats;

-- After a downgrade nobody has to go, and nobody can come.  Who was invited is told no figures.
SELECT pg_temp.try(format('SELECT update_workspace_plan(%L, %L)', :'one', 'seats'));
SELECT * FROM pg_temp.seats;
SELECT pg_temp.add('kim');
SELECT pg_temp.add('jim');
SELECT pg_temp.invite('kim');
SELECT pg_temp.try_accept('hal', :'hal');
SELECT pg_temp.try_accept('bea', :'hal') AS a_member;
SELECT pg_temp.try_accept('ida', :'ida');
SELECT * FROM pg_temp.seats;
SELECT pg_temp.try(format('UPDATE users SET full_name = %L WHERE workspace_id = %L', 'still here', :'one'));
SELECT pg_temp.try(format('SELECT revoke_invitation(%L)', id))
  FROM invitations WHERE workspace_id = :'one' AND email = 'jim@seats.example' AND revoked_at IS NULL;
SELECT pg_temp.remove('bea');
SELECT * FROM pg_temp.seats;
SELECT pg_temp.try_accept('ida', :'ida');
SELECT * FROM pg_temp.seats;

-- Who is moved to the workspace takes a seat like a new member: their invitation is used up, they get
-- preferences, and a statement that moves one too many fails as a whole.
INSERT INTO workspaces (slug, name) VALUES ('seats-three', 'Three') RETURNING id AS three \gset
INSERT INTO users (workspace_id, auth_user_id, email, plan)
SELECT :'three', md5('seats' || p)::uuid, p || '@seats.example', 'seats'
  FROM unnest('{lea,mia,ned}'::text[]) p;
DELETE FROM notification_preferences WHERE workspace_id = :'three';
CREATE FUNCTION pg_temp.move(VARIADIC p_people text[]) RETURNS text LANGUAGE sql AS $$
    SELECT pg_temp.try(format('UPDATE users SET workspace_id = %L WHERE split_part(email, %L, 1) = ANY (%L)',
                              id, '@', p_people)) FROM workspaces WHERE slug = 'seats-one' $$;
SELECT pg_temp.move('lea');
UPDATE plans SET members = 5 WHERE name = 'seats';
SELECT pg_temp.invite('lea');
SELECT pg_temp.move('lea', 'mia', 'ned');
SELECT * FROM pg_temp.seats;
SELECT pg_temp.move('lea', 'mia');
SELECT * FROM pg_temp.seats;
SELECT split_part(u.email, '@', 1) AS moved, accepted_by IS NOT NULL AS was_invited,
       p.user_id IS NOT NULL AS has_preferences
  FROM users u LEFT JOIN invitations i ON i.accepted_by = u.id
  LEFT JOIN notification_preferences p ON p.user_id = u.id AND p.workspace_id = u.workspace_id
 WHERE u.email ~ '^(lea|mia|ned)@seats' ORDER BY u.email;
SELECT pg_temp.move('ned');
-- ... who stays takes none, also where there are too many
UPDATE plans SET members = 3 WHERE name = 'seats';
SELECT pg_temp.move('lea', 'mia');

-- Limits are not negative; zero lets nobody in, not even a first owner.
UPDATE plans SET members = -1 WHERE name = 'seats';
BEGIN;
UPDATE plans SET members = 0 WHERE name = 'free';
SELECT pg_temp.sign_in('zoe');
SELECT pg_temp.try($$SELECT create_workspace('seats-two', 'Two', 'zoe@seats.example')$$);
ROLLBACK;

DELETE FROM workspaces WHERE slug LIKE 'seats-%';
DELETE FROM plans WHERE name LIKE 'seats%';
DELETE FROM workspace_creations WHERE auth_user_id = md5('seatsann')::uuid;
