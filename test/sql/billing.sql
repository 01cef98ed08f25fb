-- The plan of a workspace, its subscription at Stripe, and what happened to both.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

CREATE FUNCTION pg_temp.sign_in(person text) RETURNS void LANGUAGE sql AS
    $$ SELECT set_config('request.jwt.claims', CASE WHEN person IS NULL THEN ''
        ELSE format('{"sub": "7a000000-0000-4000-8000-0000000000%s"}', person) END, false) $$;
GRANT EXECUTE ON FUNCTION pg_temp.sign_in(text) TO PUBLIC;
CREATE FUNCTION pg_temp.ws() RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT '71000000-0000-4000-8000-000000000001'::uuid $$;
GRANT EXECUTE ON FUNCTION pg_temp.ws() TO PUBLIC;

INSERT INTO workspaces (id, slug, name) VALUES (pg_temp.ws(), 'billing-one', 'One'),
    ('71000000-0000-4000-8000-000000000002', 'billing-two', 'Two'),
    ('71000000-0000-4000-8000-000000000003', 'billing-empty', 'Empty');
INSERT INTO users (workspace_id, auth_user_id, email, role) VALUES
    (pg_temp.ws(), '7a000000-0000-4000-8000-0000000000a1', 'ann@billing.example', 'owner'),
    (pg_temp.ws(), '7a000000-0000-4000-8000-0000000000a2', 'bob@billing.example', 'member'),
    ('71000000-0000-4000-8000-000000000002', '7a000000-0000-4000-8000-0000000000a3', 'cam@billing.example',
        'owner');
INSERT INTO stripe_customers (workspace_id, stripe_customer_id, stripe_subscription_id)
    VALUES ('71000000-0000-4000-8000-000000000002', 'cus_two', 'sub_two');
CREATE TEMP VIEW members AS SELECT email, plan, daily_credit_limit AS credits FROM openinfo.users
    WHERE workspace_id = pg_temp.ws() ORDER BY email;
CREATE TEMP VIEW customer AS SELECT stripe_customer_id, stripe_subscription_id, subscription_status,
    current_period_end AT TIME ZONE 'UTC' AS period_end, last_event_at AT TIME ZONE 'UTC' AS last_event
    FROM openinfo.stripe_customers WHERE workspace_id = pg_temp.ws();
GRANT SELECT ON pg_temp.members, pg_temp.customer TO service_role;

-- Nothing is paid for at first.
SET ROLE authenticated;
SELECT pg_temp.sign_in('a1');
SELECT has_active_subscription(), get_billing_summary();

-- update_workspace_plan: every member's plan and limit, and an event; up or down as the plans' limits say.
SELECT pg_temp.sign_in(NULL);
SET ROLE service_role;
SELECT update_workspace_plan(p_workspace_id => pg_temp.ws(), p_new_plan => 'pro');
SELECT * FROM pg_temp.members;
SELECT update_workspace_plan(pg_temp.ws(), 'starter');
SELECT update_workspace_plan(pg_temp.ws(), 'enterprise');
SELECT * FROM pg_temp.members;
SELECT event_type, old_plan, new_plan FROM billing_events ORDER BY created_at;
-- The same plan: no event, and a limit that somebody was given stays.
UPDATE users SET daily_credit_limit = 77 WHERE email = 'bob@billing.example';
SELECT update_workspace_plan(pg_temp.ws(), 'enterprise');
SELECT count(*) AS events FROM billing_events;
SELECT * FROM pg_temp.members;
-- ... but members who are on another plan are put on it.
UPDATE users SET plan = 'free', daily_credit_limit = 3 WHERE email = 'ann@billing.example';
SELECT update_workspace_plan(pg_temp.ws(), 'enterprise');
SELECT count(*) AS events FROM billing_events;
SELECT * FROM pg_temp.members;
-- Plans of one's own, compared by their limits; one with the same limits is no downgrade.
INSERT INTO plans (name, active_queries, saved_searches, daily_credits, export_rows)
    VALUES ('regress_team', 5, 50, 1000, 10000), ('regress_tiny', 0, 0, 0, 0);
SELECT update_workspace_plan(pg_temp.ws(), 'pro');
SELECT update_workspace_plan(pg_temp.ws(), 'regress_team');
SELECT update_workspace_plan(pg_temp.ws(), 'pro');
SELECT update_workspace_plan(pg_temp.ws(), 'regress_tiny');
SELECT event_type, old_plan, new_plan FROM billing_events ORDER BY created_at OFFSET 3;
-- Below what is used today: nothing is left, and nothing breaks.
UPDATE users SET daily_credits_used = 2 WHERE email = 'bob@billing.example';
SELECT check_credits_available(id) FROM users WHERE email = 'bob@billing.example';
-- A new member inherits.
SELECT update_workspace_plan(pg_temp.ws(), 'starter');
SELECT add_member(pg_temp.ws(), '7a000000-0000-4000-8000-0000000000a4', 'dan@billing.example') IS NOT NULL
    AS added;
SELECT * FROM pg_temp.members;
\set VERBOSITY default
SELECT update_workspace_plan(pg_temp.ws(), 'no such plan');
SELECT update_workspace_plan('71000000-0000-4000-8000-0000000000ff', 'pro');
SELECT update_workspace_plan('71000000-0000-4000-8000-000000000003', 'pro');
SELECT update_workspace_plan(pg_temp.ws(), NULL);
\set VERBOSITY sqlstate
SELECT update_workspace_plan(NULL, 'pro');
\set VERBOSITY terse

-- record_billing_event: an event without a customer is recorded, but there is nothing to reflect it in.
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_0', '2026-02-01 00:00Z', 100,
    '{"currency": "eur"}');
SELECT count(*) AS customers FROM pg_temp.customer;
-- metadata.stripe_customer_id creates the customer; periods in ISO 8601 or in seconds, as Stripe has them.
SELECT record_billing_event(p_workspace_id => pg_temp.ws(), p_event_type => 'subscription_created',
    p_stripe_event_id => 'evt_1', p_event_at => '2026-03-01 00:00Z',
                            p_metadata => '{"stripe_customer_id": "cus_one", "subscription_id": "sub_one",
                                "status": "trialing", "current_period_start": 1772323200,
                                "current_period_end": "2026-04-01T00:00:00Z"}');
SELECT * FROM pg_temp.customer;
SELECT has_active_subscription(pg_temp.ws()) AS trialing;
-- The same event again: false, and nothing done; in another workspace too.
SELECT record_billing_event(pg_temp.ws(), 'subscription_cancelled', 'evt_1', '2026-03-09 00:00Z') AS again,
       record_billing_event('71000000-0000-4000-8000-000000000002', 'subscription_cancelled', 'evt_1',
           '2026-03-09 00:00Z') AS elsewhere;
-- A trial's invoice over nothing does not end it; what the subscription says does.
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_2', '2026-03-01 00:00Z', 0);
SELECT subscription_status FROM pg_temp.customer;
SELECT record_billing_event(pg_temp.ws(), 'subscription_updated', 'evt_3', '2026-03-15 00:00Z', NULL,
    '{"subscription_status": "active", "current_period_end": "2026-05-01T00:00:00Z"}');
SELECT record_billing_event(pg_temp.ws(), 'payment_failed', 'evt_4', '2026-03-20 00:00Z', 4900,
    '{"currency": "eur", "status": "open"}');
SELECT * FROM pg_temp.customer;
SELECT has_active_subscription(pg_temp.ws()) AS past_due;
-- An older event is recorded and changes nothing; one of the same moment counts.
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_5', '2026-03-19 00:00Z', 4900,
    '{"currency": "eur", "subscription_id": "sub_old", "current_period_end": "2026-03-19T00:00:00Z"}');
SELECT * FROM pg_temp.customer;
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_6', '2026-03-20 00:00Z', 4900,
    '{"currency": "usd"}');
SELECT subscription_status FROM pg_temp.customer;
-- Cancelled, it is not brought back by its last invoice, but by a new subscription.
SELECT record_billing_event(pg_temp.ws(), 'subscription_cancelled', 'evt_7', '2026-04-01 00:00Z', NULL,
    '{"status": "active"}');
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_8', '2026-04-02 00:00Z', 10),
    record_billing_event(pg_temp.ws(), 'payment_failed', 'evt_9', '2026-04-03 00:00Z', 10);
SELECT subscription_status FROM pg_temp.customer;
SELECT record_billing_event(pg_temp.ws(), 'subscription_created', 'evt_10', '2026-04-04 00:00Z', NULL,
    '{"stripe_subscription_id": "sub_new", "status": null}');
SELECT subscription_status, stripe_subscription_id FROM pg_temp.customer;
-- Events about plans are recorded alone; so are those that are not Stripe's, each time.
SELECT record_billing_event(pg_temp.ws(), 'plan_downgraded', 'evt_11', '2026-12-31 00:00Z', NULL,
    '{"old_plan": "pro", "new_plan": "free"}'),
       record_billing_event(pg_temp.ws(), 'subscription_updated', NULL, '2026-04-05 00:00Z'),
           record_billing_event(pg_temp.ws(), 'subscription_updated', NULL, '2026-04-05 00:00Z', NULL, NULL);
SELECT last_event FROM pg_temp.customer;
SELECT event_type, stripe_event_id, amount_cents, currency, old_plan, new_plan, metadata FROM billing_events
    WHERE stripe_event_id IN ('evt_6', 'evt_11') ORDER BY stripe_event_id;
-- The plan's own subscription.
SELECT update_workspace_plan(pg_temp.ws(), 'pro', 'sub_pro'),
    update_workspace_plan(p_workspace_id => pg_temp.ws(), p_new_plan => 'pro',
    p_stripe_subscription_id => 'sub_pro_2');
SELECT stripe_subscription_id FROM pg_temp.customer;
SELECT update_workspace_plan(pg_temp.ws(), 'free', 'sub_two');
SELECT DISTINCT plan FROM pg_temp.members;

-- What is refused is not recorded, so it may be sent again.
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_bad', 'infinity', 1);
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', ' ', now(), 1);
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_bad', NULL, 1);
SELECT record_billing_event(pg_temp.ws(), NULL, 'evt_bad', now(), 1);
SELECT record_billing_event(NULL, 'payment_succeeded', 'evt_bad', now(), 1);
SELECT record_billing_event('71000000-0000-4000-8000-0000000000ff', 'payment_succeeded', 'evt_bad', now(), 1);
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_bad', now(), 1, '[]');
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_bad', now(), 1, 'null');
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_bad', now(), 1, '{"currency": 1}');
SELECT record_billing_event(pg_temp.ws(), 'subscription_updated', 'evt_bad', now(), 1,
    '{"status": ["active"]}');
SELECT record_billing_event(pg_temp.ws(), 'subscription_updated', 'evt_bad', now(), 1,
    '{"current_period_end": {}}');
SELECT record_billing_event(pg_temp.ws(), 'subscription_updated', 'evt_bad', now(), 1,
    '{"current_period_end": "soon"}');
SELECT record_billing_event(pg_temp.ws(), 'subscription_updated', 'evt_bad', now(), 1,
    '{"current_period_end": "2026-02-30"}');
SELECT record_billing_event(pg_temp.ws(), 'subscription_updated', 'evt_bad', now(), 1,
    '{"current_period_end": "infinity"}');
SELECT record_billing_event(pg_temp.ws(), 'subscription_updated', 'evt_bad', '2026-06-01', 1,
    '{"current_period_start": "2025-02-01", "current_period_end": "2025-01-01"}');
SELECT record_billing_event(pg_temp.ws(), 'subscription_updated', 'evt_bad', '2026-06-01', 1,
    '{"current_period_end": 1e300}');
SELECT record_billing_event(pg_temp.ws(), 'subscription_updated', 'evt_bad', '2026-06-01', 1,
    '{"current_period_end": -1e1000}');
SELECT record_billing_event(pg_temp.ws(), 'subscription_updated', 'evt_bad', '2026-06-01', 1,
    '{"stripe_customer_id": "cus_two"}');
SELECT record_billing_event(pg_temp.ws(), 'subscription_updated', 'evt_bad', '2026-06-01',
    9223372036854775807, jsonb_build_object('text', repeat('x', 1000000), 'deep',
    (repeat('[', 1000) || repeat(']', 1000))::jsonb)) AS large;
SELECT count(*) AS once FROM billing_events WHERE stripe_event_id = 'evt_bad';

-- The summary.
SELECT jsonb_pretty(get_billing_summary(pg_temp.ws()));
RESET ROLE;
SET ROLE authenticated;
SELECT pg_temp.sign_in('a1');
SELECT has_active_subscription() AS active, get_billing_summary() ->> 'current_plan' AS plan,
    get_billing_summary() -> 'last_payment' AS last_payment;
-- Another workspace's: 42501; nobody: PT401; anon: not at all.  The others are the backend's alone.
\set VERBOSITY sqlstate
SELECT has_active_subscription('71000000-0000-4000-8000-000000000002');
SELECT get_billing_summary('71000000-0000-4000-8000-000000000002');
SELECT get_billing_summary(NULL);
SELECT update_workspace_plan(pg_temp.ws(), 'enterprise');
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_mine', now(), 1);
RESET ROLE;
GRANT EXECUTE ON FUNCTION update_workspace_plan(uuid, text, text),
    record_billing_event(uuid, billing_event_type, text, timestamptz, bigint, jsonb, bigint) TO authenticated;
SET ROLE authenticated;
SELECT update_workspace_plan(pg_temp.ws(), 'enterprise');
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_mine', now(), 1);
RESET ROLE;
REVOKE EXECUTE ON FUNCTION update_workspace_plan(uuid, text, text),
    record_billing_event(uuid, billing_event_type, text, timestamptz, bigint, jsonb, bigint)
    FROM authenticated;
SET ROLE authenticated;
SELECT pg_temp.sign_in(NULL);
SELECT has_active_subscription();
SELECT get_billing_summary();
SET ROLE anon;
SELECT has_active_subscription();
SET ROLE service_role;
SELECT has_active_subscription();
RESET ROLE;
\set VERBOSITY default

-- Events that arrive before the customer is known take effect once it is, in the order in which they
-- happened.
INSERT INTO workspaces (id, slug, name) VALUES ('71000000-0000-4000-8000-0000000000e1', 'billing-early',
    'Early'), ('71000000-0000-4000-8000-0000000000e2', 'billing-trial', 'Trial');
SET ROLE service_role;
SELECT record_billing_event('71000000-0000-4000-8000-0000000000e1', 'subscription_cancelled', 'evt_early_3',
    '2026-05-03');
SELECT record_billing_event('71000000-0000-4000-8000-0000000000e1', 'plan_upgraded', 'evt_early_4',
    '2026-05-04');
SELECT record_billing_event('71000000-0000-4000-8000-0000000000e1', 'subscription_created', 'evt_early_1',
    '2026-05-01', NULL, '{"stripe_customer_id": "cus_early"}');
SELECT record_billing_event('71000000-0000-4000-8000-0000000000e2', 'subscription_created', 'evt_trial_1',
    '2026-05-01', NULL, '{"status": "trialing", "current_period_end": "2026-06-01"}');
SELECT record_billing_event('71000000-0000-4000-8000-0000000000e2', 'payment_succeeded', 'evt_trial_2',
    '2026-05-02', 0, '{"stripe_customer_id": "cus_trial"}');
SELECT slug, subscription_status, last_event_at::date, current_period_end::date,
    has_active_subscription(workspace_id)
  FROM stripe_customers JOIN workspaces w ON w.id = workspace_id
      WHERE slug IN ('billing-early', 'billing-trial') ORDER BY slug;
-- the service asks for a workspace that there is
SELECT get_billing_summary('71000000-0000-4000-8000-00000000dead');
SELECT get_people_search_stats('71000000-0000-4000-8000-00000000dead');
RESET ROLE;

DELETE FROM workspaces WHERE slug LIKE 'billing-%';
DELETE FROM plans WHERE name LIKE 'regress_%';
