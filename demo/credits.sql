\echo '== Three credits a day, and one query at a time'

CALL demo.sign_in('Bob');
\echo '-- Bob spends two of them. The application gives each click a key; a click sent twice is charged once:'
SELECT record_credit_usage(get_user_workspace_id(), get_user_id(), 'email_reveal', 2,
                           p_idempotency_key => 'click 1') AS first \gset
SELECT record_credit_usage(get_user_workspace_id(), get_user_id(), 'email_reveal', 2,
                           p_idempotency_key => 'click 1') = :'first' AS same_line_of_the_ledger;
SELECT * FROM get_credit_balance();
\echo '-- Two more are one too many, and nothing is charged:'
CALL demo.refused($$SELECT record_credit_usage(get_user_workspace_id(), get_user_id(), 'lead_export', 2)$$,
                  'PT402');
\echo '-- The last one:'
SELECT check_credits_available() AS one_left \gset
SELECT record_credit_usage(get_user_workspace_id(), get_user_id(), 'people_search') AS last \gset
SELECT action_type, credits_used FROM credit_usage WHERE id IN (:'first', :'last') ORDER BY created_at;
CALL demo.refused($$SELECT record_credit_usage(get_user_workspace_id(), get_user_id(), 'people_search')$$,
                  'PT402');
SELECT demo.claim(:'one_left' AND NOT check_credits_available() AND credits_used = 3
                  AND credits_remaining = 0,
                  'all are spent, and no more')
  FROM get_credit_balance() \gset
SELECT demo.claim((SELECT sum(credits_used) = 3 FROM credit_usage WHERE user_id = get_user_id()),
                  'the ledger says the same') \gset
\echo '-- The ledger is nobody''s to correct, not even the backend''s:'
CALL demo.sign_out();
SET ROLE service_role;
CALL demo.refused($$DELETE FROM credit_usage$$, '42501');
CALL demo.sign_in('Bob');
\echo '-- Their plan allows one active query, and one is active:'
CALL demo.refused($$INSERT INTO queries (topic_id) SELECT id
                      FROM global_topics WHERE topic = 'Cloud Security'$$,
                  'PT402');
\echo '-- A paused one may wait for its turn, and is named after what it asks:'
INSERT INTO queries (topic_id, filters, status)
    SELECT id, '{"industry": "Healthcare", "employees": {"min": 50, "max": 200}}', 'paused'
      FROM global_topics WHERE topic = 'Cloud Security';
SELECT name, status FROM queries ORDER BY created_at;
SELECT demo.claim((SELECT count(*) = 1 FROM queries WHERE status = 'active') AND NOT check_query_limit(),
                  'one is active') \gset
CALL demo.sign_out();
