\echo '== Bob, of North Labs, reaches for South Sales'
CALL demo.sign_in('Bob');
SELECT demo.lead_of('south') AS lead \gset
\echo '-- Bob knows the id of one of their leads, and reads it, changes it and deletes it:'
SELECT count(*) AS got FROM leads WHERE id = :'lead' \gset
UPDATE leads SET company_data = company_data || '{"name": "Stolen"}' WHERE id = :'lead';
\set changed :ROW_COUNT
DELETE FROM leads WHERE id = :'lead';
\set deleted :ROW_COUNT
SELECT :got AS rows_read, :changed AS rows_changed, :deleted AS rows_deleted;
SELECT demo.claim(:got = 0 AND :changed = 0 AND :deleted = 0, 'Bob reaches no row of South Sales') \gset
\echo '-- Bob inserts a lead into their workspace:'
CALL demo.refused($$INSERT INTO leads (workspace_id, company_data)
                        VALUES (demo.workspace('south'), '{"name": "Planted"}')$$,
                  '42501');
\echo '-- Bob attaches a lead to their query:'
CALL demo.refused($$INSERT INTO leads (query_id, company_data)
                        VALUES (demo.query_of('south'), '{"name": "Hooked"}')$$,
                  '23503');
\echo '-- Bob adds Bob to their members:'
CALL demo.refused($$SELECT add_member(demo.workspace('south'), demo.person('Bob'), 'bob@south.example')$$,
                  '42501');

\echo '== Bob, a member, reaches for the role of owner'
\echo '-- Bob updates the role in users, then the credits, then calls the function:'
CALL demo.refused($$UPDATE users SET role = 'owner' WHERE id = get_user_id()$$, '42501');
CALL demo.refused($$UPDATE users SET daily_credit_limit = NULL WHERE id = get_user_id()$$, '42501');
CALL demo.refused($$SELECT set_member_role(get_user_id(), 'owner')$$, '42501');
\echo '-- Dan, an admin of South Sales, removes Cleo, its owner:'
CALL demo.sign_in('Dan');
CALL demo.refused($$SELECT remove_member(demo.user_id('Cleo', 'south'))$$, '42501');
\echo '-- Cleo, the last owner, leaves:'
CALL demo.sign_in('Cleo');
CALL demo.refused($$SELECT leave_workspace()$$, '42501');
