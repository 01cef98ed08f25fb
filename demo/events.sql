\echo '== An event fails twice and is delivered'

CALL demo.sign_in('Ann');
INSERT INTO integrations (type, name, config)
    VALUES ('webhook', 'Hook', '{"url": "https://hooks.example/T0/k3y-of-north", "retries": 3}');
\echo '-- A member sees the integration without its secrets, the sender of the backend sees all of them:'
CALL demo.sign_in('Bob');
SELECT config FROM integrations WHERE name = 'Hook';
CALL demo.sign_out();
SET ROLE service_role;
SELECT send_integration_event(demo.workspace('north'), 'webhook',
                              '{"event": "lead", "company": "New 18"}') AS sent \gset
SELECT id AS event, config, event_data, attempts FROM get_integration_events_pending() \gset
SELECT :'config' AS config, :'event_data' AS event_data, :'attempts' AS attempts;
SELECT demo.claim(:'config'::jsonb ->> 'url' = 'https://hooks.example/T0/k3y-of-north',
                  'the sender has the address') \gset

\echo '-- The service does not answer. The event waits a minute, then two; nobody can claim it meanwhile:'
SELECT update_integration_event(:'event', 'failed', 'POST https://hooks.example/T0/k3y-of-north: 503') \gset
SELECT count(*) AS claimed_early FROM get_integration_events_pending() \gset
SELECT status, attempts, last_error, round(extract(epoch FROM next_attempt_at - now())) AS seconds
  FROM integration_events WHERE id = :'event';
SELECT demo.claim(:claimed_early = 0, 'an event that waits is not claimed') \gset
UPDATE integration_events SET next_attempt_at = now() WHERE id = :'event';
SELECT attempts FROM get_integration_events_pending() \gset
SELECT update_integration_event(:'event', 'failed', 'timeout') \gset
SELECT status, attempts, last_error, round(extract(epoch FROM next_attempt_at - now())) AS seconds
  FROM integration_events WHERE id = :'event';
\echo '-- The third attempt (the time is moved here) succeeds. That is the end, whatever is reported later:'
UPDATE integration_events SET next_attempt_at = now() WHERE id = :'event';
SELECT attempts FROM get_integration_events_pending() \gset
SELECT update_integration_event(:'event', 'delivered') \gset
SELECT update_integration_event(:'event', 'failed', 'late') \gset
SELECT status, attempts, sent_at IS NOT NULL AS sent
  FROM integration_events WHERE id = :'event';
SELECT demo.claim((SELECT status = 'delivered' AND attempts = 3
                     FROM integration_events WHERE id = :'event')
                  AND NOT EXISTS (SELECT FROM get_integration_events_pending()),
                  'it is delivered at the third attempt, and not sent again') \gset
CALL demo.sign_out();
