-- Workspaces of a person: how many they may have, which there are, and how one is deleted.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

CREATE FUNCTION pg_temp.sign_in(p_person text, p_workspace text DEFAULT NULL) RETURNS void
    LANGUAGE sql AS $$
    SELECT set_config('request.jwt.claims',
                      CASE WHEN p_person = '' THEN ''
                           ELSE json_build_object(
                               'sub', md5('workspaces' || p_person)::uuid,
                               'workspace_id', (SELECT id FROM workspaces WHERE slug = p_workspace))::text
                       END,
                      false) $$;

-- Nobody signed in; somebody without a workspace.
SET ROLE authenticated;
SELECT pg_temp.sign_in('');
SELECT * FROM get_my_workspaces();
SELECT delete_workspace('workspaces-1');
SELECT pg_temp.sign_in('ann');
SELECT * FROM get_my_workspaces();
SELECT delete_workspace('workspaces-1');

-- Every workspace of the person, the oldest membership first; the plan is the workspace's.
SELECT create_workspace('workspaces-1', 'First', 'ann@a.example') IS NOT NULL AS made;
SELECT pg_temp.sign_in('bob');
SELECT create_workspace('workspaces-2', 'Second', 'bob@a.example') IS NOT NULL AS made;
SELECT add_member(get_user_workspace_id(), md5('workspacesann')::uuid, 'ann@b.example', 'admin')
       IS NOT NULL AS added;
RESET ROLE;
UPDATE users SET created_at = created_at - interval '1 day' WHERE email = 'ann@b.example';
UPDATE users SET plan = 'pro' WHERE email = 'bob@a.example';
SELECT pg_temp.sign_in('ann');
SET ROLE authenticated;
SELECT slug, name, role, plan, is_active FROM get_my_workspaces();
SELECT workspace_id = get_user_workspace_id() AS the_active_one, member_since = created_at AS since
  FROM get_my_workspaces() JOIN users USING (workspace_id) WHERE users.id = get_user_id();
RESET ROLE;
SELECT pg_temp.sign_in('ann', 'workspaces-2');
SET ROLE authenticated;
SELECT slug, is_active FROM get_my_workspaces();
SELECT id AS one FROM workspaces WHERE slug = 'workspaces-2' \gset
-- one that they are not a member of is none
SET openinfo.workspace_id = '00000000-0000-0000-0000-000000000001';
SELECT slug, is_active FROM get_my_workspaces();
RESET openinfo.workspace_id;
-- by the service, in their name
SET ROLE service_role;
SELECT slug, is_active FROM get_my_workspaces();
SET ROLE authenticated;

-- An owner deletes the active workspace, by its slug, with all its rows.
SELECT delete_workspace('workspaces-2');
RESET ROLE;
SELECT pg_temp.sign_in('bob');
SET ROLE authenticated;
SELECT delete_workspace(NULL);
\set VERBOSITY default
SELECT delete_workspace('workspaces-1');
\set VERBOSITY terse
SELECT delete_workspace('Workspaces-2');
RESET ROLE;
INSERT INTO export_jobs (workspace_id, file_url, completed_at, expires_at)
    SELECT id, f, now(), now() + interval '1 day'
      FROM workspaces, unnest(ARRAY['store://one', 'store://two', NULL]) f
     WHERE slug = 'workspaces-2';
INSERT INTO credit_usage (workspace_id, user_id, action_type, credits_used)
    SELECT workspace_id, id, 'email_reveal', 1 FROM users WHERE email = 'bob@a.example';
SELECT token AS cam FROM invite_member('cam@b.example', p_workspace_id => :'one') \gset
SET ROLE authenticated;
SELECT delete_workspace('workspaces-2');
SELECT get_user_workspace_id() IS NULL AS gone, count(*) FROM get_my_workspaces();
SELECT delete_workspace('workspaces-2');
RESET ROLE;
SELECT slug FROM workspaces WHERE slug LIKE 'workspaces-%';
SELECT file_url, expired_at <= now() AS due, workspace_id = :'one' AS of_it
  FROM expired_export_files ORDER BY 1;
DELETE FROM expired_export_files;
SELECT pg_temp.sign_in('ann');
SET ROLE authenticated;
SELECT slug, is_active FROM get_my_workspaces();
-- an invitation to it is one to nowhere
SELECT accept_invitation(:'cam');

-- How many a person may have, with those that they created within a day, deleted or not.  Joining does not
-- count.
RESET ROLE;
DELETE FROM workspaces WHERE slug LIKE 'workspaces-%';
DELETE FROM workspace_creations
 WHERE auth_user_id IN (md5('workspacesann')::uuid, md5('workspacesbob')::uuid);
SHOW openinfo.workspaces_per_person;
SET openinfo.workspaces_per_person = 2;
SELECT pg_temp.sign_in('bob');
SET ROLE authenticated;
SELECT create_workspace('workspaces-of-bob', 'B', 'bob@a.example') IS NOT NULL AS made;
SELECT add_member(get_user_workspace_id(), md5('workspacesann')::uuid, 'ann@a.example') IS NOT NULL AS added;
SELECT pg_temp.sign_in('ann');
SELECT create_workspace('workspaces-1', 'W', 'ann@a.example') IS NOT NULL AS made;
SELECT create_workspace('workspaces-2', 'W', 'ann@a.example') IS NOT NULL AS made;
\set VERBOSITY default
SELECT create_workspace('workspaces-3', 'W', 'ann@a.example');
\set VERBOSITY terse
SELECT slug, role FROM get_my_workspaces() ORDER BY slug;
SELECT delete_workspace('workspaces-1');
SELECT create_workspace('workspaces-1', 'W', 'ann@a.example');
-- nor does it help to leave one to somebody else
SELECT set_config('openinfo.workspace_id', workspace_id::text, false) IS NOT NULL AS second
  FROM get_my_workspaces() WHERE slug = 'workspaces-2';
SELECT add_member(get_user_workspace_id(), md5('workspacesbob')::uuid, 'bob@a.example', 'owner')
       IS NOT NULL AS added;
SELECT leave_workspace();
RESET openinfo.workspace_id;
SELECT create_workspace('workspaces-1', 'W', 'ann@a.example');
SET ROLE service_role;
SELECT create_workspace('workspaces-1', 'W', 'ann@a.example');
RESET ROLE;
SELECT count(*) AS remembered FROM workspace_creations WHERE auth_user_id = md5('workspacesann')::uuid;
-- a day later
UPDATE workspace_creations SET created_at = created_at - interval '24 hours 1 second'
 WHERE auth_user_id = md5('workspacesann')::uuid;
SET ROLE authenticated;
SELECT create_workspace('workspaces-1', 'W', 'ann@a.example') IS NOT NULL AS made;
RESET ROLE;
-- what no longer counts is forgotten
SELECT count(*) AS remembered FROM workspace_creations WHERE auth_user_id = md5('workspacesann')::uuid;
-- an old workspace of one's own counts as long as one owns it
SET ROLE authenticated;
SELECT create_workspace('workspaces-3', 'W', 'ann@a.example') IS NOT NULL AS made;
RESET ROLE;
UPDATE workspace_creations SET created_at = created_at - interval '24 hours 1 second'
 WHERE auth_user_id = md5('workspacesann')::uuid;
SET ROLE authenticated;
SELECT create_workspace('workspaces-4', 'W', 'ann@a.example');
-- the setting is the operator's; -1 is unlimited, 0 is none
SET openinfo.workspaces_per_person = -1;
RESET ROLE;
SET openinfo.workspaces_per_person = -2;
SET openinfo.workspaces_per_person = 0;
SET ROLE authenticated;
SELECT pg_temp.sign_in('eva');
SELECT create_workspace('workspaces-eva', 'W', 'eva@a.example');
RESET ROLE;
SET openinfo.workspaces_per_person = -1;
SET ROLE authenticated;
SELECT pg_temp.sign_in('ann');
SELECT create_workspace('workspaces-4', 'W', 'ann@a.example') IS NOT NULL AS made;
RESET ROLE;

RESET openinfo.workspaces_per_person;
DELETE FROM workspaces WHERE slug LIKE 'workspaces-%';
DELETE FROM workspace_creations
 WHERE auth_user_id IN (SELECT md5('workspaces' || p)::uuid FROM unnest('{ann,bob,eva}'::text[]) p);
