-- Events on their way: claimed with a lease, sent, reported on, tried again; and their end.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse
\set event '''0eb00000-0000-4000-8000-0000000000e1'''

INSERT INTO workspaces (id, slug, name) VALUES
    ('0eb00000-0000-4000-8000-000000000001', 'outbox-one', 'One'),
    ('0eb00000-0000-4000-8000-000000000002', 'outbox-two', 'Two');
INSERT INTO users (workspace_id, auth_user_id, email, role) VALUES
    ('0eb00000-0000-4000-8000-000000000001', '0eb00000-0000-4000-8000-0000000000a1',
     'ann@outbox.example', 'owner');
INSERT INTO integrations (id, workspace_id, type, name, config) VALUES
    ('0eb00000-0000-4000-8000-0000000000d1', '0eb00000-0000-4000-8000-000000000001', 'slack', 'Chat',
     '{"channel": "#leads", "webhook_url": "https://hooks.slack.example/T0/secret-one"}'),
    ('0eb00000-0000-4000-8000-0000000000d2', '0eb00000-0000-4000-8000-000000000001', 'webhook', 'Hook', '{}'),
    ('0eb00000-0000-4000-8000-0000000000d3', '0eb00000-0000-4000-8000-000000000002', 'slack', 'Other', '{}');
-- Event 4 is the oldest.
CREATE PROCEDURE pg_temp.new_events() LANGUAGE sql AS $$
    DELETE FROM openinfo.integration_events;
    INSERT INTO openinfo.integration_events (id, workspace_id, integration_id, event_data, created_at)
    SELECT ('0eb00000-0000-4000-8000-0000000000e' || n)::uuid,
           ('0eb00000-0000-4000-8000-00000000000' || w)::uuid,
           ('0eb00000-0000-4000-8000-0000000000d' || i)::uuid,
           jsonb_build_object('event', n), now() - n * interval '1 hour'
      FROM (VALUES (1, 1, 1), (2, 1, 1), (3, 1, 2), (4, 2, 3)) v (n, w, i)
$$;
CREATE VIEW pg_temp.events AS
    SELECT event_data -> 'event' AS event, status, attempts, lease_until > now() AS leased,
           next_attempt_at > now() AS waits, sent_at IS NOT NULL AS sent, last_error
      FROM openinfo.integration_events;
-- the time of the last attempt, a minute or more ago
CREATE PROCEDURE pg_temp.minutes_pass(minutes int) LANGUAGE sql AS $$
    UPDATE openinfo.integration_events
       SET next_attempt_at = next_attempt_at - minutes * interval '1 minute',
           lease_until = lease_until - minutes * interval '1 minute'
$$;
GRANT SELECT ON pg_temp.events TO service_role;
GRANT EXECUTE ON PROCEDURE pg_temp.new_events(), pg_temp.minutes_pass(int) TO service_role;

-- Only the service claims and reports, also when EXECUTE has been granted to others.
SET ROLE authenticated;
SELECT * FROM get_integration_events_pending();
SELECT update_integration_event(:event, 'delivered');
RESET ROLE;
BEGIN;
GRANT EXECUTE ON FUNCTION get_integration_events_pending(int),
    update_integration_event(uuid, delivery_status, text) TO authenticated;
SET LOCAL ROLE authenticated;
SELECT set_config('request.jwt.claims', '{"sub": "0eb00000-0000-4000-8000-0000000000a1"}', true) \gset
SAVEPOINT s;
SELECT * FROM get_integration_events_pending();
ROLLBACK TO s;
SELECT update_integration_event(:event, 'delivered');
ROLLBACK;

-- The longest due first, each once; the claim counts the attempt; config is whole.
SET ROLE service_role;
CALL pg_temp.new_events();
SELECT event_data, workspace_id = '0eb00000-0000-4000-8000-000000000002' AS workspace,
       integration_id = '0eb00000-0000-4000-8000-0000000000d3' AS integration, type, config, attempts
  FROM get_integration_events_pending(batch_size => 1);
SELECT event_data, type, config, attempts FROM get_integration_events_pending();
SELECT count(*) AS again FROM get_integration_events_pending();
SELECT * FROM pg_temp.events ORDER BY event;
SELECT config FROM integrations WHERE name = 'Chat';

-- Arguments.
SELECT * FROM get_integration_events_pending(0);
SELECT * FROM get_integration_events_pending(NULL);
SELECT update_integration_event(NULL, 'delivered');
SELECT update_integration_event(:event, NULL);
SELECT update_integration_event('0eb00000-0000-4000-8000-00000000dead', 'delivered');
-- Claiming writes: in READ ONLY it raises PostgreSQL's own error.
BEGIN READ ONLY;
SELECT * FROM get_integration_events_pending();
ROLLBACK;

-- Delivered: the integration has been used, and its errors are no longer consecutive.
SELECT record_integration_error('0eb00000-0000-4000-8000-0000000000d1', 'timeout') FROM generate_series(1, 3);
UPDATE integrations SET last_used_at = '2026-01-05' WHERE name = 'Chat';
SELECT update_integration_event(p_event_id => :event, p_status => 'delivered');
SELECT * FROM pg_temp.events WHERE event = '1';
SELECT error_count, last_used_at > '2026-01-05' AS used_since FROM integrations WHERE name = 'Chat';
-- It is the end: no later report changes it.
SELECT update_integration_event(:event, 'failed', 'late'), update_integration_event(:event, 'pending');
SELECT * FROM pg_temp.events WHERE event = '1';
CALL pg_temp.minutes_pass(1000);
SELECT event_data, attempts FROM get_integration_events_pending() ORDER BY event_data;

-- Handed back: claimed again at once, and the attempt counts.
SELECT update_integration_event('0eb00000-0000-4000-8000-0000000000e2', 'pending');
SELECT * FROM pg_temp.events WHERE event = '2';
SELECT event_data, attempts FROM get_integration_events_pending();

-- ... the eighth attempt too: none has failed, and the event is claimed for the eighth time again.
CALL pg_temp.new_events();
DELETE FROM integration_events WHERE id <> :event;
UPDATE integration_events SET attempts = 7;
SELECT attempts FROM get_integration_events_pending();
SELECT update_integration_event(:event, 'pending');
SELECT * FROM pg_temp.events;
SELECT attempts FROM get_integration_events_pending();
SELECT update_integration_event(:event, 'failed', 'no answer');
SELECT * FROM pg_temp.events;
UPDATE integrations SET error_count = 0 WHERE name = 'Chat';

-- Failed: 1, 2, 4 ... minutes until the next attempt.
CALL pg_temp.new_events();
DELETE FROM integration_events WHERE id <> :event;
CREATE TEMP TABLE pg_temp.attempt (n int, wait interval, claimed_early bigint, claimed_then bigint);
DO $$
DECLARE
    v_event CONSTANT uuid := '0eb00000-0000-4000-8000-0000000000e1';
    v_wait  interval;
    v_early bigint;
BEGIN
    PERFORM FROM openinfo.get_integration_events_pending();
    FOR n IN 1 .. 7 LOOP
        v_wait := power(2, n - 1) * interval '1 minute';
        PERFORM openinfo.update_integration_event(v_event, 'failed', 'no answer');
        ASSERT (SELECT next_attempt_at BETWEEN statement_timestamp() + v_wait AND clock_timestamp() + v_wait
                  FROM openinfo.integration_events WHERE id = v_event);
        UPDATE openinfo.integration_events
           SET next_attempt_at = next_attempt_at - v_wait + interval '1 second' WHERE id = v_event;
        v_early := (SELECT count(*) FROM openinfo.get_integration_events_pending());
        UPDATE openinfo.integration_events SET next_attempt_at = statement_timestamp() WHERE id = v_event;
        INSERT INTO pg_temp.attempt
            SELECT n, v_wait, v_early, count(*) FROM openinfo.get_integration_events_pending();
    END LOOP;
END
$$;
SELECT * FROM pg_temp.attempt ORDER BY n;
SELECT * FROM pg_temp.events;
-- The eighth is the last one; it counts as an error of the integration, whose secrets no message has.
SELECT error_count FROM integrations WHERE name = 'Chat';
SELECT update_integration_event(:event, 'failed', p_error => 'POST /T0/secret-one: 500');
SELECT * FROM pg_temp.events;
SELECT error_count, last_error FROM integrations WHERE name = 'Chat';
CALL pg_temp.minutes_pass(1000);
SELECT count(*) AS again FROM get_integration_events_pending();
-- Reported again, it is not counted again.
SELECT update_integration_event(:event, 'failed', 'late');
SELECT error_count, last_error FROM integrations WHERE name = 'Chat';
SELECT * FROM pg_temp.events;
-- A late success is one all the same; and "pending" starts anew.
BEGIN;
SELECT update_integration_event(:event, 'delivered');
SELECT * FROM pg_temp.events;
ROLLBACK;
SELECT update_integration_event(:event, 'pending');
SELECT event_data, attempts FROM get_integration_events_pending();

-- Without a claim, a report counts as an attempt.
CALL pg_temp.new_events();
SELECT update_integration_event(:event, 'failed');
SELECT * FROM pg_temp.events WHERE event = '1';

-- A sender dies: when its lease ends, another gets the event; after the eighth the event is exhausted, and
-- others are claimed in its place.  That is no error of the integration.
CALL pg_temp.new_events();
DELETE FROM integration_events WHERE id NOT IN (:event, '0eb00000-0000-4000-8000-0000000000e4');
UPDATE integration_events SET attempts = 6 WHERE event_data = '{"event": 4}';
SELECT event_data, attempts FROM get_integration_events_pending(1);
CALL pg_temp.minutes_pass(15);
UPDATE integration_events SET created_at = now() WHERE id = :event;
SELECT event_data, attempts FROM get_integration_events_pending(1);
CALL pg_temp.minutes_pass(15);
UPDATE integration_events SET created_at = now() WHERE id = :event;
SELECT event_data, attempts FROM get_integration_events_pending(1);
SELECT * FROM pg_temp.events ORDER BY event;
SELECT error_count FROM integrations WHERE name = 'Other';

-- Events of an integration that is not active wait until it is; those of a deleted one are deleted with it.
CALL pg_temp.new_events();
UPDATE integrations SET status = CASE name WHEN 'Chat' THEN 'inactive' ELSE 'error' END::integration_status
 WHERE name IN ('Chat', 'Hook');
SELECT event_data FROM get_integration_events_pending() ORDER BY event_data;
UPDATE integrations SET status = 'active' WHERE name = 'Chat';
SELECT event_data FROM get_integration_events_pending() ORDER BY event_data;
-- What a sender has claimed before may be reported on.
UPDATE integrations SET status = 'inactive' WHERE name = 'Chat';
SELECT update_integration_event(:event, 'delivered');
-- ... "delivered" resets the errors of such an integration too, which stays what it is
BEGIN;
UPDATE integrations SET error_count = 5 WHERE name IN ('Chat', 'Hook');
SELECT update_integration_event('0eb00000-0000-4000-8000-0000000000e2', 'delivered'),
       update_integration_event('0eb00000-0000-4000-8000-0000000000e3', 'delivered');
SELECT name, status, error_count FROM integrations WHERE name IN ('Chat', 'Hook') ORDER BY name;
ROLLBACK;
DELETE FROM integrations WHERE name = 'Chat';
SELECT update_integration_event('0eb00000-0000-4000-8000-0000000000e2', 'delivered');
SELECT * FROM pg_temp.events ORDER BY event;

-- A sender of 1.0.0 sets sent_at itself: the event is not claimed, and its status follows.
UPDATE integrations SET status = 'active', error_count = 2 WHERE name = 'Hook';
UPDATE integration_events SET sent_at = now() WHERE event_data = '{"event": 3}';
SELECT * FROM pg_temp.events ORDER BY event;
SELECT error_count FROM integrations WHERE name = 'Hook';
CALL pg_temp.minutes_pass(1000);
SELECT event_data FROM get_integration_events_pending();

-- A claim reads events by their index.
RESET ROLE;
INSERT INTO integration_events (workspace_id, integration_id, event_data)
SELECT workspace_id, id, '{}' FROM integrations WHERE name = 'Hook';
DISCARD PLANS;
BEGIN;
SET LOCAL enable_seqscan = off;
CREATE VIEW pg_temp.scans AS
    SELECT sum(seq_scan) AS n
      FROM pg_stat_xact_user_tables WHERE schemaname = 'openinfo' AND relname LIKE 'integration%';
SELECT n AS before FROM pg_temp.scans \gset
SELECT count(*) FROM get_integration_events_pending();
SELECT n - :before AS tables_read FROM pg_temp.scans;
-- such a scan would be counted
SELECT count(*) FROM integration_events WHERE last_error = 'never';
SELECT n - :before AS tables_read FROM pg_temp.scans;
ROLLBACK;

DELETE FROM workspaces WHERE slug LIKE 'outbox-%';
SELECT count(*) AS left_behind FROM integration_events;
