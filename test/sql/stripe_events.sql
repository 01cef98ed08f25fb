-- What events of Stripe say, object by object, and the state that a set of them gives in every order of
-- arrival.
SET search_path = openinfo, pg_temp;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
\set VERBOSITY terse

CREATE FUNCTION pg_temp.ws() RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT '74000000-0000-4000-8000-000000000001'::uuid $$;
INSERT INTO workspaces (id, slug, name) VALUES (pg_temp.ws(), 'stripe-events', 'Stripe events');
GRANT EXECUTE ON FUNCTION pg_temp.ws() TO PUBLIC;

-- The state of the workspace, in one line.
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
    SELECT concat_ws(' ', stripe_customer_id, coalesce(stripe_subscription_id, '-'),
        coalesce(subscription_status, '-'),
                     coalesce(current_period_start::date::text, '-'),
                         coalesce(current_period_end::date::text, '-'), coalesce(default_payment_method, '-'))
      FROM openinfo.stripe_customers WHERE workspace_id = pg_temp.ws()
$$;
-- Records an event that happened n seconds after some moment.
CREATE FUNCTION pg_temp.record(n int, event openinfo.billing_event_type, object jsonb,
    id text DEFAULT NULL) RETURNS boolean LANGUAGE sql AS $$
    SELECT openinfo.record_billing_event(pg_temp.ws(), event,
        coalesce(id, 'evt_' || n || event || md5(object::text)), NULL, NULL, object, 1780000000 + n)
$$;
-- The state after one event more than a subscription that was created; or why it is refused.  Nothing of it
-- stays.
CREATE FUNCTION pg_temp.after(event openinfo.billing_event_type, object jsonb) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    v_state text;
    v_hint  text;
BEGIN
    PERFORM pg_temp.record(0, 'subscription_created',
        '{"object": "subscription", "id": "sub_1", "customer": "cus_1", "status": "active",
        "current_period_start": 1780000000, "current_period_end": 1782600000,
        "default_payment_method": "pm_1"}');
    PERFORM pg_temp.record(1, event, object);
    v_state := pg_temp.state();
    RAISE EXCEPTION SQLSTATE 'ROLLB';
EXCEPTION
    WHEN SQLSTATE 'ROLLB' THEN RETURN v_state;
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_hint = PG_EXCEPTION_HINT;
        RETURN concat_ws('; ', SQLSTATE || ' ' || SQLERRM, nullif(v_hint, ''));
END
$$;

-- Changes of the subscription.  Times of the items, as of API 2025-03-31; expanded objects; null.
SELECT o AS object, pg_temp.after('subscription_updated', o::jsonb) AS state FROM unnest(ARRAY[
    '{"object": "subscription", "id": "sub_1", "customer": "cus_1", "status": "past_due"}',
    '{"object": "subscription", "id": "sub_1", "items": {"object": "list", "data": [{"id": "si_1",
        "current_period_start": 1790000000, "current_period_end": 1792600000}]}}',
    '{"id": "sub_1", "customer": "cus_1", "items": {"data": [{"current_period_end": 1792600000}]}}',
    '{"object": "subscription", "id": "sub_1", "items": {"data": []}}',
    '{"object": "subscription", "id": "sub_1", "items": {"data": {"current_period_end": "x"}}}',
    '{"object": "subscription", "id": "sub_1", "default_payment_method": {"id": "pm_2",
        "object": "payment_method"}}',
    '{"object": "subscription", "id": "sub_1", "default_payment_method": "pm_2"}',
    '{"object": "subscription", "id": "sub_1", "default_payment_method": null}',
    '{"object": "subscription", "id": "sub_1", "customer": {"id": "cus_2", "object": "customer"}}',
    '{"object": "event", "id": "evt_1", "type": "customer.subscription.updated",
        "data": {"object": {"object": "subscription", "id": "sub_1", "status": "unpaid"}}}',
    '{"stripe_subscription_id": "sub_1", "subscription_status": "paused"}',
    '{"subscription": {"id": "sub_1", "status": "paused"}}',
    '{"status": "trialing"}',
    '{"object": "subscription", "id": "sub_1", "status": "ACTIVE"}',
        '{"object": "subscription", "id": "sub_1", "status": "Past_Due"}',
    '{"object": "subscription", "id": "sub_1", "status": "cancelled"}', '{"status": ""}', '{"status": 1}',
    '{"object": "subscription", "id": "sub_1", "current_period_end": 1792600000000}',
    '{"object": "subscription", "id": "sub_1", "items": {"data": [{"current_period_end": 1792600000000}]}}',
    '{"object": "subscription", "id": "sub_1", "current_period_start": 1792600000,
        "current_period_end": 1790000000}',
    '{"object": "subscription", "id": "sub_1", "default_payment_method": 5}', '{"customer": []}',
        '{"subscription": 1}']) AS o;
-- Of a start and an end that do not fit the older one is dropped.
SELECT pg_temp.after('subscription_updated',
    '{"object": "subscription", "id": "sub_1", "current_period_start": 1790000000}'),
       pg_temp.after('subscription_updated',
           '{"object": "subscription", "id": "sub_1", "current_period_end": 1770000000}');
-- Of another subscription: recorded, and nothing changes.  Of the customer: what it says of itself.
SELECT o AS object, pg_temp.after('subscription_updated', o::jsonb) AS state FROM unnest(ARRAY[
    '{"object": "subscription", "id": "sub_0", "customer": "cus_1", "status": "canceled",
        "default_payment_method": "pm_0"}',
    '{"object": "customer", "id": "cus_1", "invoice_settings": {"default_payment_method": "pm_2"}}',
    '{"object": "customer", "id": "cus_1", "invoice_settings": {"default_payment_method": {"id": "pm_2"}}}',
    '{"object": "customer", "id": "cus_1", "invoice_settings": {"default_payment_method": null}}',
    '{"object": "customer", "id": "cus_1"}',
    '{"object": "payment_method", "id": "pm_2", "customer": "cus_1"}']) AS o;
SELECT pg_temp.after('subscription_cancelled',
    '{"object": "subscription", "id": "sub_0", "customer": "cus_1", "status": "canceled"}') AS of_another,
       pg_temp.after('subscription_cancelled',
           '{"object": "subscription", "id": "sub_1", "customer": "cus_1", "status": "canceled"}') AS its_end;
-- A session of the checkout has a status, which is none of a subscription.
SELECT pg_temp.after('subscription_created',
    '{"object": "checkout.session", "id": "cs_1", "status": "complete", "customer": "cus_1",
    "subscription": "sub_2"}');

-- Payments change the status alone, and only those for the subscription: an invoice or a charge without one
-- does not.
SELECT o AS object, pg_temp.after('payment_failed', o::jsonb) AS state FROM unnest(ARRAY[
    '{"object": "invoice", "id": "in_1", "customer": "cus_1", "subscription": "sub_1", "status": "open",
        "default_payment_method": null, "period_end": 1}',
    '{"object": "invoice", "id": "in_1", "customer": "cus_1", "subscription": {"id": "sub_1"}}',
    '{"object": "invoice", "id": "in_1", "customer": "cus_1", "parent": {"type": "subscription_details",
        "subscription_details": {"subscription": "sub_1"}}}',
    '{"currency": "eur", "status": "open"}', '{}',
    '{"object": "invoice", "id": "in_1", "customer": "cus_1", "subscription": null,
        "billing_reason": "manual"}',
    '{"object": "invoice", "id": "in_1", "customer": "cus_1", "parent": null}',
    '{"object": "invoice", "id": "in_1", "customer": "cus_1", "parent": {"type": "quote_details",
        "subscription_details": null}}',
    '{"object": "invoice", "id": "in_1", "customer": "cus_1", "subscription": "sub_0"}',
    '{"object": "charge", "id": "ch_1", "customer": "cus_1", "invoice": null}',
        '{"object": "charge", "id": "ch_1", "customer": "cus_1"}',
    '{"id": "ch_1", "customer": "cus_1"}', '{"subscription": null}', '{"stripe_subscription_id": null}',
        '{"invoice": null}',
    '{"object": "payment_intent", "id": "pi_1", "customer": "cus_1"}']) AS o;

-- A negative amount, of a credit, is recorded.
BEGIN;
SELECT record_billing_event(pg_temp.ws(), 'payment_succeeded', 'evt_credit', now(), -4900,
    '{"object": "invoice", "subscription": null, "currency": "eur"}');
SELECT amount_cents, facts FROM billing_events WHERE stripe_event_id = 'evt_credit';
ROLLBACK;

-- When it happened: as a time or in seconds since 1970, and exactly one of the two.
\set VERBOSITY default
SELECT record_billing_event(pg_temp.ws(), 'payment_failed', 'evt_time', NULL);
SELECT record_billing_event(pg_temp.ws(), 'payment_failed', 'evt_time', now(), p_event_seconds => 1700000000);
SELECT record_billing_event(pg_temp.ws(), 'payment_failed', 'evt_time', NULL,
    p_event_seconds => 1700000000000);
\set VERBOSITY terse
SELECT record_billing_event(pg_temp.ws(), 'payment_failed', 'evt_time', NULL,
    p_event_seconds => -9223372036854775808);
BEGIN;
SELECT record_billing_event(pg_temp.ws(), 'payment_failed', 'evt_time', NULL, p_event_seconds => 1700000000);
SELECT event_at FROM billing_events WHERE stripe_event_id = 'evt_time';
ROLLBACK;

-- A row that was written by hand is where the events start from: what none of them says stays.
CREATE FUNCTION pg_temp.by_hand(event openinfo.billing_event_type, object jsonb) RETURNS text LANGUAGE plpgsql
    AS $$
DECLARE
    v_state text;
BEGIN
    INSERT INTO openinfo.stripe_customers (workspace_id, stripe_customer_id, stripe_subscription_id,
        subscription_status, current_period_end)
    VALUES (pg_temp.ws(), 'cus_1', 'sub_1', 'trialing', '2026-12-01');
    PERFORM pg_temp.record(1, event, object);
    v_state := pg_temp.state();
    RAISE EXCEPTION SQLSTATE 'ROLLB';
EXCEPTION WHEN SQLSTATE 'ROLLB' THEN
    RETURN v_state;
END
$$;
SELECT e AS event, o AS object, pg_temp.by_hand(e::billing_event_type, o::jsonb) AS state FROM (VALUES
    ('payment_succeeded', '{"object": "invoice", "subscription": "sub_1"}'),
        ('payment_failed', '{"object": "invoice", "subscription": "sub_1"}'),
    ('payment_failed', '{"object": "invoice", "subscription": "sub_0"}'),
        ('payment_failed', '{"object": "invoice", "subscription": null}'),
    ('subscription_updated', '{"object": "subscription", "id": "sub_1", "default_payment_method": "pm_1"}'),
    ('subscription_updated', '{"object": "subscription", "id": "sub_0", "status": "canceled"}'),
    ('subscription_updated',
        '{"object": "customer", "id": "cus_1", "invoice_settings": {"default_payment_method": "pm_1"}}'),
    ('subscription_created', '{"object": "subscription", "id": "sub_2", "status": "active"}')) AS v(e, o);

-- Every order of arrival of a story gives one state, and it is the right one.  arrivals() walks through all
-- orders and
-- returns the states at their ends; each event is taken back with its subtransaction.
CREATE FUNCTION pg_temp.arrivals(story jsonb) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_states text[] := '{}';
    v_event  jsonb;
BEGIN
    IF jsonb_array_length(story) = 0 THEN
        RETURN ARRAY[pg_temp.state()];
    END IF;
    FOR i IN 0 .. jsonb_array_length(story) - 1 LOOP
        BEGIN
            v_event := story -> i;
            PERFORM pg_temp.record((v_event ->> 0)::int, (v_event ->> 1)::openinfo.billing_event_type,
                v_event -> 2, v_event ->> 3);
            v_states := (SELECT array_agg(DISTINCT s) FROM unnest(v_states || pg_temp.arrivals(story - i)) s);
            RAISE EXCEPTION SQLSTATE 'ROLLB';
        EXCEPTION WHEN SQLSTATE 'ROLLB' THEN
        END;
    END LOOP;
    RETURN v_states;
END
$$;
CREATE TEMP TABLE objects (name text PRIMARY KEY, object jsonb);
INSERT INTO objects VALUES
    ('created 1',
        '{"object": "subscription", "id": "sub_1", "customer": "cus_1", "status": "incomplete",
        "items": {"data": [{"current_period_start": 1780000000, "current_period_end": 1782600000}]}}'),
    ('trial 1',
        '{"object": "subscription", "id": "sub_1", "customer": "cus_1", "status": "trialing",
        "items": {"data": [{"current_period_start": 1780000000, "current_period_end": 1782600000}]}}'),
    ('active 1',
        '{"object": "subscription", "id": "sub_1", "customer": "cus_1", "status": "active",
        "default_payment_method": "pm_1"}'),
    ('renewed 1',
        '{"object": "subscription", "id": "sub_1", "customer": "cus_1", "status": "active",
        "default_payment_method": null, "items": {"data": [{"current_period_start": 1782600000,
        "current_period_end": 1785200000}]}}'),
    ('ended 1', '{"object": "subscription", "id": "sub_1", "customer": "cus_1", "status": "canceled"}'),
    ('invoice 1', '{"object": "invoice", "id": "in_1", "customer": "cus_1", "subscription": "sub_1"}'),
    ('created 2',
        '{"object": "subscription", "id": "sub_2", "customer": "cus_1", "status": "active",
        "items": {"data": [{"current_period_end": 1790000000}]}}'),
    ('unpaid 2', '{"object": "subscription", "id": "sub_2", "customer": "cus_1", "status": "unpaid"}'),
    ('invoice 2',
        '{"object": "invoice", "id": "in_2", "customer": "cus_1",
        "parent": {"subscription_details": {"subscription": "sub_2"}}}'),
    ('one-off',
        '{"object": "invoice", "id": "in_3", "customer": "cus_1", "subscription": null,
        "billing_reason": "manual"}'),
    ('charge', '{"object": "charge", "id": "ch_1", "customer": "cus_1"}'),
    ('customer',
        '{"object": "customer", "id": "cus_1", "invoice_settings": {"default_payment_method": "pm_9"}}'),
    ('backend', '{"stripe_customer_id": "cus_1"}'),
    ('backend paused', '{"status": "paused"}'),
    ('nothing', '{}');
-- second, type, object; Stripe's id only where it decides
CREATE TEMP TABLE stories (name text, state text, story text[]);
INSERT INTO stories VALUES
    ('a subscription begins and is paid', 'cus_1 sub_1 active 2026-05-28 2026-06-27 pm_1', ARRAY[
        '0|subscription_created|created 1', '1|payment_succeeded|invoice 1',
            '2|subscription_updated|active 1']),
    ('all in one second', 'cus_1 sub_1 active 2026-05-28 2026-06-27 pm_1', ARRAY[
        '0|subscription_created|created 1|evt_z', '0|subscription_updated|active 1|evt_a',
            '0|payment_succeeded|invoice 1|evt_b']),
    ('in one second Stripe''s id decides', 'cus_1 sub_1 past_due 2026-05-28 2026-06-27 -', ARRAY[
        '0|subscription_created|created 1|evt_z', '0|payment_succeeded|invoice 1|evt_a',
            '0|payment_failed|invoice 1|evt_b']),
    ('the end is the last of its second', 'cus_1 sub_1 canceled 2026-05-28 2026-06-27 pm_1', ARRAY[
        '0|subscription_cancelled|ended 1|evt_a', '0|subscription_updated|active 1|evt_b',
            '0|subscription_created|created 1|evt_c', '0|payment_succeeded|invoice 1|evt_d']),
    ('nothing undoes the end', 'cus_1 sub_1 canceled 2026-06-27 2026-07-28 -', ARRAY[
        '0|subscription_created|created 1', '5|subscription_cancelled|ended 1', '6|payment_failed|invoice 1',
            '7|payment_succeeded|invoice 1', '8|subscription_updated|renewed 1']),
    ('a creation that is dated later', 'cus_1 sub_1 active 2026-06-27 2026-07-28 -', ARRAY[
        '5|subscription_created|created 1', '4|subscription_updated|renewed 1',
            '3|payment_failed|invoice 1']),
    ('a trial, its invoice over nothing, a renewal', 'cus_1 sub_1 trialing 2026-05-28 2026-06-27 -', ARRAY[
        '0|subscription_created|trial 1', '0|payment_succeeded|invoice 1', '9|payment_succeeded|one-off',
            '9|payment_failed|charge']),
    ('late, failed, paid, one-off', 'cus_1 sub_1 past_due 2026-06-27 2026-07-28 -', ARRAY[
        '0|subscription_created|created 1', '2|subscription_updated|renewed 1',
            '3|payment_succeeded|invoice 1', '4|payment_failed|invoice 1', '5|payment_succeeded|one-off']),
    ('another subscription, and the end of the first', 'cus_1 sub_2 active - 2026-09-21 -', ARRAY[
        '0|subscription_created|created 1', '1|subscription_updated|active 1',
            '5|subscription_created|created 2', '6|subscription_cancelled|ended 1',
            '7|payment_failed|invoice 1', '8|payment_succeeded|invoice 2']),
    ('another subscription, which is not paid', 'cus_1 sub_2 past_due - 2026-09-21 pm_9', ARRAY[
        '0|subscription_created|created 1', '5|subscription_created|created 2', '5|payment_failed|invoice 2',
            '5|payment_succeeded|invoice 1', '6|subscription_updated|customer']),
    ('a creation that never came', 'cus_1 sub_1 past_due - - pm_1', ARRAY[
        '1|subscription_updated|active 1', '2|payment_failed|invoice 1', '3|payment_succeeded|one-off']),
    ('no creation, and two subscriptions', 'cus_1 sub_2 unpaid - - -', ARRAY[
        '1|subscription_updated|active 1', '2|subscription_updated|unpaid 2',
            '3|subscription_cancelled|ended 1', '4|payment_succeeded|invoice 1']),
    ('without names, as a backend puts it together', 'cus_1 - past_due - - -', ARRAY[
        '0|subscription_created|backend', '1|payment_succeeded|nothing', '2|payment_failed|nothing',
            '3|payment_succeeded|one-off']),
    ('without names, begun again after the end', 'cus_1 - paused - - -', ARRAY[
        '0|subscription_created|backend', '2|subscription_cancelled|nothing',
            '3|subscription_created|nothing', '4|subscription_updated|backend paused',
            '5|payment_succeeded|nothing']);
SELECT s.name, cardinality(r.states) = 1 AS one_state, CASE WHEN s.state = ALL (r.states) THEN 'right'
    ELSE array_to_string(r.states, '; ') END AS state
  FROM stories s,
       LATERAL (SELECT pg_temp.arrivals(jsonb_agg(jsonb_build_array(split_part(e, '|', 1),
           split_part(e, '|', 2), o.object, nullif(split_part(e, '|', 4), '')))) AS states
                  FROM unnest(s.story) e JOIN objects o ON o.name = split_part(e, '|', 3)) r;

DELETE FROM workspaces WHERE slug = 'stripe-events';
