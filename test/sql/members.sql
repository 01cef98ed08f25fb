-- Workspaces and who is in them.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

-- Who calls is a matter of claims alone; these sign in and out.
CREATE FUNCTION pg_temp.sign_in(person text) RETURNS void LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims',
                         CASE WHEN person IS NULL THEN ''
                              ELSE format('{"sub": "00000000-0000-0000-0000-0000000000%s"}', person) END,
                         false) $$;
GRANT EXECUTE ON FUNCTION pg_temp.sign_in(text) TO PUBLIC;
-- The members as a person would list them: name, role, plan, daily credits.
CREATE VIEW pg_temp.members WITH (security_invoker) AS
    SELECT w.slug, split_part(u.email, '@', 1) AS member, u.role, u.plan, u.daily_credit_limit AS credits
      FROM users u JOIN workspaces w ON w.id = u.workspace_id;
GRANT SELECT ON pg_temp.members TO authenticated;
CREATE FUNCTION pg_temp.member(name text) RETURNS uuid LANGUAGE sql SECURITY DEFINER AS
    $$ SELECT id FROM openinfo.users WHERE email = name || '@members.example' $$;
GRANT EXECUTE ON FUNCTION pg_temp.member(text) TO PUBLIC;
-- The error of a call with an id that differs from run to run, without the id.
CREATE FUNCTION pg_temp.error_of(call text, id uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT openinfo.' || format(call, id);
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN replace(SQLERRM, id::text, 'ID');
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.error_of(text, uuid) TO PUBLIC;

SET ROLE authenticated;

-- create_workspace: the signed-in person becomes the owner, in one transaction.
SELECT pg_temp.sign_in('a1');
SELECT create_workspace(p_slug => 'members-one', p_name => 'One', p_email => 'ann@members.example',
                        p_full_name => 'Ann') AS made \gset
SELECT :'made' = get_user_workspace_id() AS is_active;
SELECT full_name, role, plan, daily_credits_used, daily_credit_limit, length(referral_code) AS code,
       credits_reset_on = (now() AT TIME ZONE 'UTC')::date AS today,
       workspaces.created_by = users.id AS author
  FROM users JOIN workspaces ON workspaces.id = workspace_id;

-- Nobody signed in: PT401.  Arguments: 22023, 23505, 23514, by the constraints' names.
SELECT pg_temp.sign_in(NULL);
\set VERBOSITY default
SELECT create_workspace('members-none', 'None', 'none@members.example');
SELECT pg_temp.sign_in('a1');
SELECT create_workspace(NULL, 'None', 'none@members.example');
\set VERBOSITY terse
SELECT create_workspace('members-none', NULL, 'none@members.example');
SELECT create_workspace('members-none', 'None', NULL);
SELECT create_workspace('members-one', 'Again', 'ann@members.example');
SELECT create_workspace('Not A Slug', 'None', 'none@members.example');
SELECT create_workspace('members-none', ' ', 'none@members.example');
SELECT create_workspace('members-none', 'None', 'no address');
SELECT count(*) AS still_one FROM workspaces;
-- In words for the person who typed it, with SQLSTATE and constraint, and without the row.
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_state text; v_table text; v_constraint text; v_message text; v_detail text; v_hint text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_table = TABLE_NAME, v_constraint = CONSTRAINT_NAME,
        v_message = MESSAGE_TEXT, v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', v_state, v_table, v_constraint, v_message, v_detail, v_hint);
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.refusal(text) TO PUBLIC;
SELECT pg_temp.refusal(s) FROM unnest(ARRAY[
    $$SELECT create_workspace('No Rth', 'North', 'none@members.example')$$,
        $$SELECT create_workspace('members-one', 'Again', 'ann@members.example')$$,
    $$SELECT create_workspace('members-none', E'\t', 'none@members.example')$$,
        $$SELECT create_workspace('members-none', 'None', 'none.members.example')$$,
    $$SELECT create_workspace('members-none', 'None', repeat('x', 100000))$$,
    $$SELECT add_member(get_user_workspace_id(), '00000000-0000-0000-0000-0000000000a1',
        'other@members.example')$$,
    $$SELECT add_member(get_user_workspace_id(), '00000000-0000-0000-0000-0000000000f1',
        'ANN@members.example')$$,
    $$SELECT add_member(get_user_workspace_id(), '00000000-0000-0000-0000-0000000000f1', 'nobody')$$]) AS s;

-- add_member: owners and admins add, nobody above their own role, on the workspace's plan.
SELECT add_member(p_workspace_id => get_user_workspace_id(),
                  p_auth_user_id => '00000000-0000-0000-0000-0000000000a2', p_email => 'bob@members.example',
                  p_role => 'admin') IS NOT NULL AS added;
SELECT add_member(get_user_workspace_id(), '00000000-0000-0000-0000-0000000000a3', 'cam@members.example')
       = pg_temp.member('cam') AS added;
RESET ROLE;
UPDATE users SET plan = 'pro' WHERE email = 'ann@members.example';
SET ROLE authenticated;
SELECT pg_temp.sign_in('a2');
SELECT add_member(get_user_workspace_id(), '00000000-0000-0000-0000-0000000000a4', 'dan@members.example')
       IS NOT NULL AS added_on_the_best_plan;
SELECT add_member(get_user_workspace_id(), '00000000-0000-0000-0000-0000000000a5', 'eve@members.example',
                  'owner');
SELECT pg_temp.sign_in('a3');
\set VERBOSITY default
SELECT add_member(get_user_workspace_id(), '00000000-0000-0000-0000-0000000000a5', 'eve@members.example');
\set VERBOSITY terse
SELECT pg_temp.sign_in('a1');
SELECT add_member(get_user_workspace_id(), '00000000-0000-0000-0000-0000000000a2', 'other@members.example');
SELECT add_member(get_user_workspace_id(), '00000000-0000-0000-0000-0000000000a6', 'BOB@members.example');
SELECT add_member(get_user_workspace_id(), NULL, 'eve@members.example');
SELECT add_member(get_user_workspace_id(), '00000000-0000-0000-0000-0000000000a6', 'eve@members.example',
                  NULL);
SELECT add_member(NULL, '00000000-0000-0000-0000-0000000000a6', 'eve@members.example');
SELECT add_member('00000000-0000-0000-0000-00000000dead', '00000000-0000-0000-0000-0000000000a6',
                  'eve@members.example');
SELECT * FROM pg_temp.members ORDER BY member;

-- A second workspace of another person: the first one's members do not reach it, nor the other way round.
SELECT pg_temp.sign_in('b1');
SELECT create_workspace('members-two', 'Two', 'una@members.example') IS NOT NULL AS made;
SELECT pg_temp.error_of('add_member(%L, ''00000000-0000-0000-0000-0000000000b1'', ''una@members.example'', '
                        '''owner'')',
                        :'made');
SELECT pg_temp.error_of('set_member_role(%L, ''member'')', pg_temp.member('ann'));
SELECT pg_temp.error_of('remove_member(%L)', pg_temp.member('cam'));
SELECT set_member_role('00000000-0000-0000-0000-00000000dead', 'member');
SELECT * FROM pg_temp.members;

-- set_member_role: admins cannot change owners, members nobody, and nobody can grant a role above their own.
SELECT pg_temp.sign_in('a2');
\set VERBOSITY default
SELECT set_member_role(pg_temp.member('ann'), 'member');
SELECT set_member_role(pg_temp.member('bob'), 'owner');
\set VERBOSITY terse
SELECT set_member_role(pg_temp.member('cam'), 'admin');
SELECT set_member_role(pg_temp.member('cam'), 'member');
SELECT set_member_role(NULL, 'member');
SELECT set_member_role(pg_temp.member('cam'), NULL);
SELECT pg_temp.sign_in('a3');
SELECT set_member_role(pg_temp.member('cam'), 'admin');
SELECT remove_member(pg_temp.member('dan'));
SELECT remove_member(NULL);

-- The last owner can neither step down nor leave nor be removed, whether by the owner or by the service; with
-- a second owner they can.
SELECT pg_temp.sign_in('a1');
\set VERBOSITY default
SELECT set_member_role(get_user_id(), 'admin');
\set VERBOSITY terse
SELECT leave_workspace();
SELECT remove_member(get_user_id());
RESET ROLE;
SET ROLE service_role;
SELECT pg_temp.sign_in(NULL);
SELECT remove_member(pg_temp.member('ann'));
SELECT set_member_role('00000000-0000-0000-0000-00000000dead', 'member');
SELECT remove_member('00000000-0000-0000-0000-00000000dead');
SELECT leave_workspace();
SELECT set_member_role(pg_temp.member('bob'), 'owner');
RESET ROLE;
SET ROLE authenticated;
SELECT pg_temp.sign_in('a1');
SELECT leave_workspace();
SELECT get_user_workspace_id() IS NULL AS gone, get_user_id() IS NULL AS nobody,
       user_has_role('member') AS member;
SELECT leave_workspace();
SELECT pg_temp.sign_in(NULL);
SELECT leave_workspace();
SELECT set_member_role(pg_temp.member('cam'), 'admin');

-- remove_member: the rows of removed members are kept without their author; they lose access at the next
-- statement.
SELECT pg_temp.sign_in('a3');
INSERT INTO saved_searches (name) VALUES ('kept') RETURNING created_by = get_user_id() AS author;
BEGIN;
SELECT get_user_id() = pg_temp.member('cam') AS still_in;
RESET ROLE;
DELETE FROM users WHERE email = 'cam@members.example';
SET ROLE authenticated;
SELECT get_user_id() IS NULL AS out, count(*) AS rows FROM saved_searches;
ROLLBACK;
SELECT pg_temp.sign_in('a2');
SELECT remove_member(pg_temp.member('cam'));
SELECT name, created_by FROM saved_searches;
SELECT * FROM pg_temp.members ORDER BY member;

-- The service works in any workspace, and its own limits are the constraints.
RESET ROLE;
SET ROLE service_role;
SELECT pg_temp.sign_in(NULL);
SELECT add_member((SELECT id FROM workspaces WHERE slug = 'members-two'),
                  '00000000-0000-0000-0000-0000000000a2', 'bob@members.example', 'owner')
       IS NOT NULL AS added;
SELECT add_member('00000000-0000-0000-0000-00000000dead', '00000000-0000-0000-0000-0000000000a2',
                  'bob@members.example');

-- A person in two workspaces works in the oldest, unless the session names another; functions follow.
RESET ROLE;
SET ROLE authenticated;
SELECT pg_temp.sign_in('a2');
SELECT slug FROM workspaces;
SELECT remove_member(id) FROM users WHERE email = 'una@members.example';
BEGIN;
RESET ROLE;
SELECT set_config('openinfo.workspace_id', id::text, true) IS NOT NULL AS set
  FROM workspaces WHERE slug = 'members-two';
SET ROLE authenticated;
SELECT slug FROM workspaces;
SELECT remove_member(id) FROM users WHERE email = 'una@members.example';
SELECT * FROM pg_temp.members ORDER BY member;
COMMIT;

-- Referral codes: generated when omitted, eight characters, unique; one that is given is kept.
RESET ROLE;
UPDATE plans SET members = NULL WHERE name = 'free';
INSERT INTO users (workspace_id, auth_user_id, email, referral_code)
SELECT w.id, gen_random_uuid(), 'mass' || n || '@members.example', CASE WHEN n = 1 THEN 'ABCD2345' END
  FROM workspaces w, generate_series(1, 500) n WHERE w.slug = 'members-two';
SELECT count(DISTINCT referral_code) AS codes, bool_and(referral_code ~ '^[2-9A-HJ-NP-Z]{8}$') AS well_formed,
       count(*) FILTER (WHERE referral_code = 'ABCD2345') AS given
  FROM users WHERE email LIKE 'mass%';
INSERT INTO users (workspace_id, auth_user_id, email, referral_code)
    SELECT id, gen_random_uuid(), 'twice@members.example', 'ABCD2345' FROM workspaces
     WHERE slug = 'members-two';

-- Notification preferences are created and deleted with the user.
SELECT count(*) AS users, count(p.id) AS preferences
  FROM users u LEFT JOIN notification_preferences p ON p.user_id = u.id AND p.workspace_id = u.workspace_id
 WHERE u.email LIKE '%@members.example';

-- updated_at moves on every UPDATE, also twice in one transaction.
BEGIN;
SELECT updated_at AS t0 FROM workspaces WHERE slug = 'members-two' \gset
UPDATE workspaces SET name = 'Two!' WHERE slug = 'members-two'
    RETURNING updated_at > :'t0' AS moved, updated_at AS t1 \gset
UPDATE workspaces SET name = 'Two.' WHERE slug = 'members-two' RETURNING updated_at > :'t1' AS moved;
COMMIT;
ALTER TABLE workspaces ADD COLUMN regress_note text;
UPDATE workspaces SET regress_note = 'x', industry_vertical = NULL WHERE slug = 'members-two'
    RETURNING updated_at > :'t1' AS moved, name, regress_note;
ALTER TABLE workspaces DROP COLUMN regress_note;

-- One host is one value; white space of any kind is no name.
UPDATE workspaces SET custom_domain = 'shop.members.example' WHERE slug = 'members-two';
UPDATE workspaces SET custom_domain = d
  FROM unnest('{Shop.members.example}'::text[]) d WHERE slug = 'members-two';
SELECT d AS accepted
  FROM unnest(ARRAY['Shop.example', 'shop.example ', 'shop.example.', 'https://shop.example',
                    'shop.example:80', ' ', E'\n', '', '-shop.example', 'shop', 'xn--mnchen-3ya.example']) d
 WHERE d ~ (SELECT substring(pg_get_constraintdef(oid) FROM $$'(.*)'$$)
              FROM pg_constraint WHERE conname = 'workspaces_custom_domain_format');
UPDATE workspaces SET name = E' \t\n\r\f\x0B' WHERE slug = 'members-two';

-- A referral code that is set to NULL is replaced.
SELECT u.referral_code AS before FROM users u JOIN workspaces w ON w.id = workspace_id
 WHERE slug LIKE 'members-%' ORDER BY u.id LIMIT 1 \gset
UPDATE users SET referral_code = NULL WHERE referral_code = :'before'
    RETURNING length(referral_code) = 8 AND referral_code <> :'before' AS another;

-- READ ONLY gets PostgreSQL's own error.
BEGIN READ ONLY;
SELECT pg_temp.sign_in('c1');
SELECT create_workspace('members-three', 'Three', 'ann@members.example');
ROLLBACK;

SELECT pg_temp.sign_in(NULL);
DELETE FROM workspaces WHERE slug LIKE 'members-%';
SELECT count(*) AS left_behind FROM users WHERE email LIKE '%@members.example';

-- A person who leaves or is removed and is added again on the same day has spent what they had spent.
RESET ROLE;
\set guest '00000000-0000-0000-0000-0000000000d2'
SET ROLE authenticated;
SELECT pg_temp.sign_in('d1');
SELECT create_workspace('members-refill', 'Refill', 'oda@members.example') AS refill \gset
SELECT add_member(:'refill', :'guest', 'gus@members.example') IS NOT NULL AS added;
CREATE FUNCTION pg_temp.spend(credits int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM openinfo.record_credit_usage(openinfo.get_user_workspace_id(), openinfo.get_user_id(),
                                         'email_reveal', credits);
    RETURN 'spent';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
GRANT EXECUTE ON FUNCTION pg_temp.spend(int) TO PUBLIC;
SELECT pg_temp.sign_in('d2');
SELECT pg_temp.spend(2), leave_workspace() IS NOT NULL AS left_it;
SELECT pg_temp.sign_in('d1');
SELECT add_member(:'refill', :'guest', 'gus@members.example') IS NOT NULL AS added;
SELECT pg_temp.sign_in('d2');
SELECT pg_temp.spend(2), pg_temp.spend(1), pg_temp.spend(1), credits_used, credits_remaining
  FROM get_credit_balance();
SELECT pg_temp.sign_in('d1');
SELECT remove_member(pg_temp.member('gus'));
SELECT add_member(:'refill', :'guest', 'gus@members.example') IS NOT NULL AS added;
SELECT pg_temp.sign_in('d2');
SELECT pg_temp.spend(1), credits_used FROM get_credit_balance();
-- Spending on an earlier day is not counted; nor is what the person spent elsewhere.
SELECT pg_temp.sign_in('d1');
SELECT remove_member(pg_temp.member('gus'));
RESET ROLE;
SET session_replication_role = replica;
UPDATE credit_usage SET created_at = created_at - interval '1 day' WHERE workspace_id = :'refill';
RESET session_replication_role;
SET ROLE authenticated;
SELECT add_member(:'refill', :'guest', 'gus@members.example') IS NOT NULL AS added;
SELECT pg_temp.sign_in('d2');
SELECT credits_used FROM get_credit_balance();

-- A workspace that a person creates is the active one, also when another
-- owner had added them to theirs before.
SELECT get_user_workspace_id() = :'refill' AS added_to;
SELECT create_workspace('members-own', 'Own', 'gus@members.example') AS own \gset
SELECT get_user_workspace_id() = :'own' AS own;
SELECT create_workspace('members-own-two', 'Own two', 'gus@members.example') IS NOT NULL AS made;
SELECT get_user_workspace_id() = :'own' AS the_first_of_their_own;
SELECT pg_temp.sign_in(NULL);
RESET ROLE;
DELETE FROM workspaces WHERE slug LIKE 'members-refill' OR slug LIKE 'members-own%';
UPDATE plans SET members = 5 WHERE name = 'free';
DELETE FROM workspace_creations;
