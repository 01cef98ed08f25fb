\echo '== An invitation, from mail to membership'
CALL demo.sign_in('Cleo');
\echo '-- Cleo invites Eve, who has no account yet. The token is shown once, and sent in a mail:'
SELECT invitation_id AS id, token FROM invite_member('eve@people.example') \gset
SELECT 'Eve, join us: https://south.example/join?token=' || left(:'token', 12) || '...' AS mail;
\echo '-- The table has its hash, and the seat is taken:'
SELECT email, role, left(encode(token_sha256, 'hex'), 12) || '...' AS token_sha256,
       expires_at::date - current_date AS days
  FROM invitations WHERE id = :'id';
SELECT demo.claim((SELECT token_sha256 = sha256(:'token') FROM invitations WHERE id = :'id'),
                  'the table has the hash of the token') \gset
\echo '-- Eve signs up, and tries a token that is not quite it:'
CALL demo.sign_in('Eve');
SELECT format('CALL demo.refused(%L, %L)',
              format('SELECT accept_invitation(%L)', left(:'token', 53)), '22023') \gexec
\echo '-- Then the one of the mail, twice, as a browser does:'
SELECT accept_invitation(:'token', 'Eve') AS once \gset
SELECT accept_invitation(:'token', 'Eve') AS again \gset
SELECT slug, role, plan, is_active FROM get_my_workspaces();
SELECT demo.claim(:'once' = :'again' AND :'once'::uuid = demo.workspace('south')
                  AND (SELECT count(*) = 1 FROM users WHERE full_name = 'Eve'),
                  'Eve is a member, once') \gset
\echo '-- Bob has seen the mail, too late; and a member invites nobody:'
CALL demo.sign_in('Bob');
SELECT format('CALL demo.refused(%L, %L)', format('SELECT accept_invitation(%L)', :'token'), '22023') \gexec
CALL demo.refused($$SELECT invite_member('friend@people.example')$$, '42501');
\echo '-- Cleo has four members now, and invites two more; the plan has five seats:'
CALL demo.sign_in('Cleo');
SELECT invitation_id AS last FROM invite_member('fay@people.example') \gset
CALL demo.refused($$SELECT invite_member('gus@people.example')$$, 'PT402');
SELECT revoke_invitation(:'last') AS revoked \gset
\echo '-- Eve is removed; the old token does not let them in again:'
SELECT remove_member(demo.user_id('Eve', 'south')) AS removed \gset
CALL demo.sign_in('Eve');
SELECT format('CALL demo.refused(%L, %L)', format('SELECT accept_invitation(%L)', :'token'), '22023') \gexec
SELECT demo.claim((SELECT count(*) = 0 FROM get_my_workspaces()), 'Eve has no workspace') \gset
CALL demo.sign_out();
