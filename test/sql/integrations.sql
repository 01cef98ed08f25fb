-- Where a workspace wants its events sent, and who may read the secrets that this takes.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

CREATE FUNCTION pg_temp.sign_in(person text) RETURNS void LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims', CASE WHEN person IS NULL THEN ''
        ELSE format('{"sub": "6a000000-0000-4000-8000-0000000000%s"}', person) END, false) $$;
GRANT EXECUTE ON FUNCTION pg_temp.sign_in(text) TO PUBLIC;

INSERT INTO workspaces (id, slug, name) VALUES
    ('61000000-0000-4000-8000-000000000001', 'integrations-one', 'One'),
    ('61000000-0000-4000-8000-000000000002', 'integrations-two', 'Two');
INSERT INTO users (workspace_id, auth_user_id, email, role) VALUES
    ('61000000-0000-4000-8000-000000000001', '6a000000-0000-4000-8000-0000000000a1',
        'ann@integrations.example', 'owner'),
    ('61000000-0000-4000-8000-000000000001', '6a000000-0000-4000-8000-0000000000a2',
        'bob@integrations.example', 'admin'),
    ('61000000-0000-4000-8000-000000000001', '6a000000-0000-4000-8000-0000000000a3',
        'cam@integrations.example', 'member'),
    ('61000000-0000-4000-8000-000000000002', '6a000000-0000-4000-8000-0000000000a4',
        'dan@integrations.example', 'owner');
INSERT INTO integrations (id, workspace_id, type, name, config) VALUES
    ('63000000-0000-4000-8000-000000000001', '61000000-0000-4000-8000-000000000001', 'slack', 'Chat',
     '{"channel": "#leads", "webhook_url": "https://hooks.slack.example/T0/secret-one",
         "auth": {"token": "secret-two", "kind": "bot"}, "targets": [{"api_key": "secret-three"}, "plain"],
         "retries": 3, "proxy": null}'),
    ('63000000-0000-4000-8000-000000000002', '61000000-0000-4000-8000-000000000001', 'webhook', 'Hook', '{}'),
    ('63000000-0000-4000-8000-000000000003', '61000000-0000-4000-8000-000000000002', 'slack', 'Chat',
        '{"token": "secret-four"}');

-- Owner and admin get the config as it was given, members without the secrets; all with the same keys.
SET ROLE authenticated;
SELECT pg_temp.sign_in('a1');
SELECT get_integration_config(p_integration_id => '63000000-0000-4000-8000-000000000001') AS config \gset
SELECT :'config'::jsonb = '{"channel": "#leads", "webhook_url": "https://hooks.slack.example/T0/secret-one",
    "auth": {"token": "secret-two", "kind": "bot"}, "targets": [{"api_key": "secret-three"}, "plain"],
    "retries": 3, "proxy": null}' AS whole_for_the_owner;
SELECT pg_temp.sign_in('a2');
SELECT get_integration_config('63000000-0000-4000-8000-000000000001') = :'config' AS whole_for_the_admin;
SELECT pg_temp.sign_in('a3');
SELECT get_integration_config('63000000-0000-4000-8000-000000000001') AS for_a_member;
SELECT get_integration_config('63000000-0000-4000-8000-000000000002') AS nothing_added;
-- The table shows the member's view to everybody.
SELECT config = get_integration_config(id) AS same FROM integrations ORDER BY name;

-- What an admin reads, changes and writes back keeps its secrets.
SELECT pg_temp.sign_in('a2');
UPDATE integrations SET config = config || '{"channel": "#news"}' WHERE name = 'Chat';
SELECT get_integration_config('63000000-0000-4000-8000-000000000001') = jsonb_set(:'config', '{channel}',
    '"#news"') AS secrets_kept;

-- Another workspace, and an unknown one: 42501, alike.  A demoted admin is a member at once.
\set VERBOSITY default
SELECT get_integration_config('63000000-0000-4000-8000-000000000003');
SELECT get_integration_config('63000000-0000-4000-8000-0000000000ff');
\set VERBOSITY sqlstate
SELECT get_integration_config(NULL);
SELECT pg_temp.sign_in(NULL);
SELECT get_integration_config('63000000-0000-4000-8000-000000000001');
SET ROLE anon;
SELECT get_integration_config('63000000-0000-4000-8000-000000000001');
RESET ROLE;
\set VERBOSITY terse
UPDATE users SET role = 'member' WHERE email = 'bob@integrations.example';
SET ROLE authenticated;
SELECT pg_temp.sign_in('a2');
SELECT get_integration_config('63000000-0000-4000-8000-000000000001') -> 'auth' AS demoted;

-- service_role reads every workspace's.
SELECT pg_temp.sign_in(NULL);
SET ROLE service_role;
SELECT get_integration_config('63000000-0000-4000-8000-000000000003');
SELECT get_integration_config('63000000-0000-4000-8000-0000000000ff');

-- send_integration_event: counts, and fills the outbox; false, and nothing done, when none is active.
SELECT send_integration_event(p_workspace_id => '61000000-0000-4000-8000-000000000001',
    p_integration_type => 'slack', p_event_data => '{"event": "lead"}');
SELECT send_integration_event('61000000-0000-4000-8000-000000000001', 'slack', '{"event": "lead"}');
SELECT send_integration_event('61000000-0000-4000-8000-000000000001', 'zapier', '{}') AS none_of_that_type,
       send_integration_event('63000000-0000-4000-8000-0000000000ff', 'slack', '{}') AS no_such_workspace;
UPDATE integrations SET status = 'inactive' WHERE name = 'Hook';
SELECT send_integration_event('61000000-0000-4000-8000-000000000001', 'webhook', '{}') AS inactive;
SELECT name, total_events_sent, last_used_at IS NOT NULL AS used FROM integrations
    WHERE workspace_id = '61000000-0000-4000-8000-000000000001' ORDER BY name;
SELECT integration_id, event_data, sent_at FROM integration_events
    WHERE workspace_id = '61000000-0000-4000-8000-000000000001';
\set VERBOSITY sqlstate
SELECT send_integration_event(NULL, 'slack', '{}');
SELECT send_integration_event('61000000-0000-4000-8000-000000000001', NULL, '{}');
SELECT send_integration_event('61000000-0000-4000-8000-000000000001', 'slack', NULL);
SELECT send_integration_event('61000000-0000-4000-8000-000000000001', 'slack', 'null');
SELECT send_integration_event('61000000-0000-4000-8000-000000000001', 'slack', '[]');
\set VERBOSITY terse
SELECT send_integration_event('61000000-0000-4000-8000-000000000001', 'slack',
    jsonb_build_object('text', repeat('x', 1000000))) AS a_large_one;

-- record_integration_error: the fifth in a row sets the status; the message never holds a secret.
SELECT record_integration_error(p_integration_id => '63000000-0000-4000-8000-000000000001',
    p_error_message => 'POST https://hooks.slack.example/T0/secret-one: secret-two refused');
SELECT status, error_count, last_error FROM integrations WHERE name = 'Chat'
    AND workspace_id = '61000000-0000-4000-8000-000000000001';
SELECT record_integration_error('63000000-0000-4000-8000-000000000001', 'timeout') FROM generate_series(1, 2);
-- ... a success in between ends the row
UPDATE integration_events SET sent_at = now() WHERE integration_id = '63000000-0000-4000-8000-000000000001'
    AND event_data ? 'event';
SELECT status, error_count FROM integrations WHERE id = '63000000-0000-4000-8000-000000000001';
SELECT record_integration_error('63000000-0000-4000-8000-000000000001', 'timeout') FROM generate_series(1, 4);
SELECT status, error_count FROM integrations WHERE id = '63000000-0000-4000-8000-000000000001';
SELECT record_integration_error('63000000-0000-4000-8000-000000000001', NULL);
SELECT status, error_count, last_error FROM integrations WHERE id = '63000000-0000-4000-8000-000000000001';
SELECT send_integration_event('61000000-0000-4000-8000-000000000001', 'slack', '{}') AS no_longer;
SELECT record_integration_error('63000000-0000-4000-8000-000000000001', repeat('ü', 100000));
SELECT status, error_count, octet_length(last_error) AS bytes FROM integrations
    WHERE id = '63000000-0000-4000-8000-000000000001';
-- Made active again, it starts anew.
UPDATE integrations SET status = 'active' WHERE id = '63000000-0000-4000-8000-000000000001';
SELECT record_integration_error('63000000-0000-4000-8000-000000000001', 'timeout');
SELECT status, error_count FROM integrations WHERE id = '63000000-0000-4000-8000-000000000001';
-- The message holds no secret in another form either: encoded, or the path and query of a secret URL.
BEGIN;
UPDATE integrations SET config = '{"webhook_url":
    "https://hooks.slack.example/services/T0/k3y-of-the-hook-9f?sig=aGVsbG8tdGhlcmUh&n=1",
    "token": "se cret/+two"}'
 WHERE id = '63000000-0000-4000-8000-000000000002';
CREATE FUNCTION pg_temp.kept(message text) RETURNS text LANGUAGE sql AS $$
    SELECT record_integration_error('63000000-0000-4000-8000-000000000002', message);
    SELECT last_error FROM integrations WHERE id = '63000000-0000-4000-8000-000000000002'
$$;
SELECT pg_temp.kept(m) FROM unnest(ARRAY[
    'token se cret/+two', 'token se%20cret%2F%2Btwo', 'token se%20cret%2f%2btwo', 'Basic c2UgY3JldC8rdHdv==',
    'POST /services/T0/k3y-of-the-hook-9f?sig=aGVsbG8tdGhlcmUh&n=1 404',
    'no path /services/T0/k3y-of-the-hook-9f',
    'query sig=aGVsbG8tdGhlcmUh&n=1', 'hook k3y-of-the-hook-9f is gone', 'bad aGVsbG8tdGhlcmUh',
    'https%3A%2F%2Fhooks.slack.example%2Fservices%2FT0%2Fk3y-of-the-hook-9f%3Fsig%3DaGVsbG8tdGhlcmUh%26n%3D1',
    'timeout after 10 s at hooks.slack.example']) AS m;
ROLLBACK;
-- One that somebody switched off stays off.
SELECT record_integration_error('63000000-0000-4000-8000-000000000002', 'late') FROM generate_series(1, 6);
SELECT status, error_count FROM integrations WHERE id = '63000000-0000-4000-8000-000000000002';
\set VERBOSITY sqlstate
SELECT record_integration_error(NULL, 'timeout');
SELECT record_integration_error('63000000-0000-4000-8000-0000000000ff', 'timeout');

-- Both are the backend's alone, also when somebody grants them.
RESET ROLE;
GRANT EXECUTE ON FUNCTION send_integration_event(uuid, integration_type, jsonb),
    record_integration_error(uuid, text) TO authenticated;
SET ROLE authenticated;
SELECT pg_temp.sign_in('a1');
SELECT send_integration_event('61000000-0000-4000-8000-000000000001', 'slack', '{}');
SELECT record_integration_error('63000000-0000-4000-8000-000000000001', 'timeout');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION send_integration_event(uuid, integration_type, jsonb),
    record_integration_error(uuid, text) FROM authenticated;
SET ROLE authenticated;
SELECT send_integration_event('61000000-0000-4000-8000-000000000001', 'slack', '{}');
SELECT * FROM integration_events;
RESET ROLE;
\set VERBOSITY default

DELETE FROM workspaces WHERE slug LIKE 'integrations-%';
SELECT count(*) AS secrets_left FROM sealed_secrets;
