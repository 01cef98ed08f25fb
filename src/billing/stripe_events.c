/*
 * stripe_events.c
 *		The subscription of a workspace at Stripe, computed from the events that were recorded.
 *
 *	event			a row of billing_events; events of Stripe arrive late, twice and in any order
 *	facts			what an event says, see stripe_facts.c; NULL: nothing
 *	subscription	what Stripe says about the workspace: one row of stripe_customers
 *
 * Invariants: an event of Stripe is recorded once.  The row of stripe_customers is a function of the set of
 * recorded events, and of what was written into it before the first of them (initial_state).
 */
#include "openinfo.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "access/authorize.h"
#include "billing/stripe_facts.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "core/white_space.h"
#include "workspaces/members.h"

/* SQL: the facts in row c of stripe_customers. */
#define STRIPE_ROW_FACTS                                                            \
	"jsonb_strip_nulls(jsonb_build_object("                                         \
	"  'customer', c.stripe_customer_id, 'subscription', c.stripe_subscription_id," \
	"  'status', c.subscription_status, 'period_start', c.current_period_start,"    \
	"  'period_end', c.current_period_end, 'payment_method', c.default_payment_method))"

/*
 * Computes the row of workspace $1 in stripe_customers.  before: what an existing row said before the first
 * event.
 *
 *	said			the events that say something, in their order; place 0 is what the row said before them
 *	subscriptions	those that are named, and one for each creation without a name.  born: where it begins,
 *					never after what is said of it; known: its creation was recorded, or the row had it
 *	chosen			the current one: the latest of those that are known, else the latest that has not ended
 *	counted			n: the order, with the creation of the current one where it begins; counts: it says
 *					something about the current one or the customer.  An event without a name does; where the
 *					current one has no name, so do those of a subscription that is not known
 *	merged			each fact of the newest event that says it, and the n of that event
 *	state			the end, which nothing undoes, and the payments since a status was said
 *
 * A payment leaves a subscription that has ended as it is; the first invoice of a trial, over nothing, does
 * not end the trial; a payment that failed does not bring back what was not paid before.  Of a start and an
 * end of the period that do not fit the older one is dropped.
 */
#define REFLECT(before)                                                                                    \
	"WITH said AS ("                                                                                       \
	"  SELECT event_type, event_at, facts, facts ->> 'subscription' AS name, facts ? 'about' AS general,"  \
	"         row_number() OVER ("                                                                         \
	"           ORDER BY date_trunc('second', event_at, 'UTC'),"                                           \
	"                    CASE event_type WHEN 'subscription_created' THEN 0"                               \
	"                                    WHEN 'subscription_cancelled' THEN 2 ELSE 1 END,"                 \
	"                    stripe_event_id COLLATE \"C\" NULLS FIRST, event_type, facts) AS place"           \
	"    FROM @extschema@.billing_events WHERE workspace_id = $1 AND facts IS NOT NULL"                    \
	"  UNION ALL"                                                                                          \
	"  SELECT NULL, NULL, i.state, i.state ->> 'subscription', false, 0"                                   \
	"    FROM (SELECT coalesce(c.initial_state, " STRIPE_ROW_FACTS ") AS state"                            \
	"            FROM @extschema@.stripe_customers c WHERE c.workspace_id = $1) i),"                       \
	" subscriptions AS ("                                                                                  \
	"  SELECT name, bool_or(place = 0 OR event_type = 'subscription_created') AS known,"                   \
	"         bool_or(place > 0 AND event_type = 'subscription_cancelled') AS ended,"                      \
	"         CASE WHEN bool_or(place > 0 AND event_type = 'subscription_created')"                        \
	"              THEN min(place) FILTER (WHERE place > 0) ELSE min(place) END AS born"                   \
	"    FROM said"                                                                                        \
	"   WHERE NOT general AND (name IS NOT NULL OR event_type = 'subscription_created')"                   \
	"   GROUP BY name, CASE WHEN name IS NULL THEN place END),"                                            \
	" chosen AS ("                                                                                         \
	"  SELECT name, born FROM subscriptions"                                                               \
	"   ORDER BY known DESC, ended AND NOT known, born DESC, name COLLATE \"C\" DESC LIMIT 1),"            \
	" counted AS ("                                                                                        \
	"  SELECT s.*, c.name AS current, s.place > 0 AND s.place >= coalesce(c.born, 0) AS since,"            \
	"         s.name IS NULL OR s.name = c.name"                                                           \
	"         OR (c.name IS NULL AND NOT EXISTS ("                                                         \
	"               SELECT FROM subscriptions k WHERE k.name = s.name AND k.known)) AS counts,"            \
	"         row_number() OVER ("                                                                         \
	"           ORDER BY CASE WHEN s.name = c.name AND s.event_type = 'subscription_created'"              \
	"                         THEN c.born ELSE s.place END,"                                               \
	"                    s.event_type IS DISTINCT FROM 'subscription_created', s.place) AS n"              \
	"    FROM said s LEFT JOIN chosen c ON true),"                                                         \
	" merged AS ("                                                                                         \
	"  SELECT jsonb_object_agg(f.key, f.value ORDER BY s.counts, s.n) AS fact,"                            \
	"         jsonb_object_agg(f.key, s.n ORDER BY s.counts, s.n) AS n,"                                   \
	"         max(s.current) AS current"                                                                   \
	"    FROM counted s, jsonb_each(s.facts) f"                                                            \
	"   WHERE s.counts OR f.key = 'customer'),"                                                            \
	" state AS ("                                                                                          \
	"  SELECT m.current, m.fact, m.fact ->> 'status' AS status,"                                           \
	"         (m.fact ->> 'period_start')::timestamptz AS period_start,"                                   \
	"         (m.fact ->> 'period_end')::timestamptz AS period_end,"                                       \
	"         (m.n -> 'period_start')::bigint AS start_n, (m.n -> 'period_end')::bigint AS end_n,"         \
	"         (SELECT max(s.event_at) FROM counted s WHERE s.counts) AS event_at,"                         \
	"         (SELECT s.facts ->> 'status' FROM counted s"                                                 \
	"           WHERE s.counts AND s.since AND s.facts ->> 'status' IN ('canceled', 'incomplete_expired')" \
	"           ORDER BY s.n DESC LIMIT 1) AS ended,"                                                      \
	"         (SELECT array_agg(s.event_type ORDER BY s.n DESC) FROM counted s"                            \
	"           WHERE s.counts AND s.event_type IN ('payment_succeeded', 'payment_failed')"                \
	"             AND s.n > coalesce((m.n -> 'status')::bigint, 0)) AS payments"                           \
	"    FROM merged m)"                                                                                   \
	" INSERT INTO @extschema@.stripe_customers AS c"                                                       \
	"   (workspace_id, stripe_customer_id, stripe_subscription_id, subscription_status,"                   \
	"    current_period_start, current_period_end, default_payment_method, last_event_at, initial_state)"  \
	" SELECT $1, fact ->> 'customer', coalesce(current, fact ->> 'subscription'),"                         \
	"        CASE WHEN ended IS NOT NULL THEN ended"                                                       \
	"             WHEN payments IS NULL OR status IN ('canceled', 'incomplete_expired')"                   \
	"               OR (status IN ('trialing', 'paused') AND NOT 'payment_failed' = ANY (payments))"       \
	"               OR (status IN ('unpaid', 'incomplete') AND NOT 'payment_succeeded' = ANY (payments))"  \
	"             THEN status"                                                                             \
	"             WHEN payments[1] = 'payment_succeeded' THEN 'active' ELSE 'past_due' END,"               \
	"        CASE WHEN period_end IS NULL OR period_start <= period_end OR start_n >= end_n"               \
	"             THEN period_start END,"                                                                  \
	"        CASE WHEN period_start IS NULL OR period_start <= period_end OR end_n > start_n"              \
	"             THEN period_end END,"                                                                    \
	"        fact ->> 'payment_method', event_at,"                                                         \
	"        coalesce((SELECT facts FROM said WHERE place = 0), '{}')"                                     \
	"   FROM state WHERE fact ? 'customer'"                                                                \
	" ON CONFLICT (workspace_id) DO UPDATE"                                                                \
	"   SET stripe_customer_id = EXCLUDED.stripe_customer_id,"                                             \
	"       stripe_subscription_id = EXCLUDED.stripe_subscription_id,"                                     \
	"       subscription_status = EXCLUDED.subscription_status,"                                           \
	"       current_period_start = EXCLUDED.current_period_start,"                                         \
	"       current_period_end = EXCLUDED.current_period_end,"                                             \
	"       default_payment_method = EXCLUDED.default_payment_method,"                                     \
	"       last_event_at = EXCLUDED.last_event_at,"                                                       \
	"       initial_state = coalesce(c.initial_state, " before ")"                                         \
	" WHERE (c.stripe_customer_id, c.stripe_subscription_id, c.subscription_status,"                       \
	"        c.current_period_start, c.current_period_end, c.default_payment_method, c.last_event_at)"     \
	"       IS DISTINCT FROM"                                                                              \
	"       (EXCLUDED.stripe_customer_id, EXCLUDED.stripe_subscription_id, EXCLUDED.subscription_status,"  \
	"        EXCLUDED.current_period_start, EXCLUDED.current_period_end, EXCLUDED.default_payment_method," \
	"        EXCLUDED.last_event_at)"

static Statement reflect = STATEMENT(REFLECT(STRIPE_ROW_FACTS), "uuid");

/* Citus has no STABLE functions in DO UPDATE.  So a row that somebody else writes meanwhile is not seen. */
static Statement reflect_there = STATEMENT(REFLECT("EXCLUDED.initial_state"), "uuid");

/* Refuses arguments that cannot be an event. */
static void
check_event(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		error_null("p_workspace_id");
	if (PG_ARGISNULL(1))
		error_null("p_event_type");
	if (!PG_ARGISNULL(2))
	{
		text *id = PG_GETARG_TEXT_PP(2);

		if (white_space_only(VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id)))
			error_blank("p_stripe_event_id");
	}
	if (!PG_ARGISNULL(5) && !JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(5)))
		error_not_object("p_metadata");
}

/* When the event happened: p_event_at or p_event_seconds. */
static TimestampTz
event_time(FunctionCallInfo fcinfo)
{
	TimestampTz time;

	if (PG_ARGISNULL(3) == PG_ARGISNULL(6))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("exactly one of \"p_event_at\" and \"p_event_seconds\" must be given"),
				 errhint("Pass \"created\" of Stripe's event as p_event_seconds, and NULL as p_event_at.")));
	if (PG_ARGISNULL(6))
	{
		time = PG_GETARG_TIMESTAMPTZ(3);
		if (TIMESTAMP_NOT_FINITE(time))
			error_infinite("p_event_at");
	}
	else if (!stripe_seconds((float8) PG_GETARG_INT64(6), &time))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"p_event_seconds\" is out of range: " INT64_FORMAT, PG_GETARG_INT64(6)),
				 errhint("Pass seconds since 1970; divide milliseconds by 1000.")));
	return time;
}

/*
 * record_billing_event(p_workspace_id uuid, p_event_type billing_event_type, p_stripe_event_id text,
 *		p_event_at timestamptz, p_amount_cents bigint default null, p_metadata jsonb default '{}',
 *		p_event_seconds bigint default null) returns boolean
 *
 * Records an event; false, and nothing done, when that event of Stripe was recorded before, in whatever
 * workspace. NULL for p_stripe_event_id is an event that is not Stripe's: always recorded.  When it happened
 * is p_event_at, or p_event_seconds, seconds since 1970 as Stripe has it in "created": one of the two.
 * p_amount_cents may be negative.
 *
 * Then stripe_customers is computed from all events of the workspace, in the order of their seconds, in one
 * second of their types (created, then changes and payments, then cancelled), then of Stripe's ids:
 *
 *		subscription_created	status: the one in p_metadata, else active
 *		subscription_updated	status: the one in p_metadata, else as it was
 *		subscription_cancelled	status: canceled, which nothing undoes
 *		payment_succeeded		status: active, unless trialing, paused, canceled or incomplete_expired
 *		payment_failed			status: past_due, unless unpaid, incomplete, canceled or incomplete_expired
 *		plan_upgraded, plan_downgraded	nothing: plans are changed by update_workspace_plan()
 *
 * The current subscription is the one that was created last.  What another subscription says, and a payment
 * for none, is recorded and changes nothing; the creation of a subscription is never newer than what else is
 * said of it; a payment changes the status alone.  The row is created with the first event that names the
 * customer.
 *
 * p_metadata is Stripe's object as it is sent (a subscription, an invoice, a charge, a customer; ids or
 * expanded objects; an event with its data.object), or an object of the backend's own.  Keys that are read:
 * customer or stripe_customer_id; subscription, subscription_id, stripe_subscription_id,
 * parent.subscription_details.subscription or a subscription's id; status or subscription_status;
 * current_period_start and current_period_end (ISO 8601 or seconds since 1970), also in items.data[0];
 * default_payment_method (null: none any more), of a customer in invoice_settings; currency, old_plan,
 * new_plan; all others are stored with the event.  A payment that Stripe's object attributes to no
 * subscription, or that has null in one of these keys, is for none; one of the backend's own that has none of
 * them is for the current one.
 * Callers: service_role.  Errors: 42501; 22023 a NULL argument, a blank p_stripe_event_id, an infinite
 * p_event_at, both or none of p_event_at and p_event_seconds, milliseconds for seconds, p_metadata is no
 * object, a key of it has a wrong type or is a status that Stripe does not have; 23503 no such workspace;
 * 23505 the customer or the subscription is another workspace's; 23514 a period that ends before it starts.
 * After an error nothing is recorded, so the event may be sent again.  Locks: the workspace's row, then that
 * of stripe_customers.
 */
PG_FUNCTION_INFO_V1(openinfo_record_billing_event);
Datum
openinfo_record_billing_event(PG_FUNCTION_ARGS)
{
	static Statement record = STATEMENT(
		"INSERT INTO @extschema@.billing_events"
		" (workspace_id, event_type, stripe_event_id, event_at, amount_cents, metadata,"
		"  currency, old_plan, new_plan, facts)"
		" VALUES ($1, $2, $3, $4, $5, coalesce($6, '{}'), $7, $8, $9, $10) ON CONFLICT DO NOTHING",
		"uuid, @extschema@.billing_event_type, text, timestamptz, int8, jsonb, text, text, text, jsonb");
	/* on a Citus cluster the event is unique in its workspace only */
	static Statement find = STATEMENT(
		"SELECT FROM @extschema@.billing_events WHERE stripe_event_id = $1 LIMIT 1",
		"text");
	static const char *const texts[] = {"currency", "old_plan", "new_plan"};
	JsonbContainer			*object;
	Jsonb					*facts;
	StatementScope			 scope;
	Datum					 values[10] = {0};
	char					 nulls[11] = "nnnnnnnnnn";
	bool					 spread, recorded;

	authorize_service("record_billing_event");
	check_event(fcinfo);
	object = stripe_object(PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5));
	for (int i = 0; i < 6; i++)
		if (!PG_ARGISNULL(i))
			values[i] = PG_GETARG_DATUM(i), nulls[i] = ' ';
	values[3] = TimestampTzGetDatum(event_time(fcinfo));
	nulls[3] = ' ';
	for (int i = 0; i < lengthof(texts); i++)
	{
		const char *string = stripe_string(object, texts[i]);

		if (string != NULL)
			values[6 + i] = CStringGetTextDatum(string), nulls[6 + i] = ' ';
	}
	facts = stripe_facts(PG_GETARG_OID(1), object);
	if (facts != NULL)
		values[9] = JsonbPGetDatum(facts), nulls[9] = ' ';

	statement_begin(&scope);
	spread = catalog_is_distributed();
	/* one at a time, so that each sees what the others recorded; an unknown one violates the foreign key */
	(void) members_lock_workspace(PG_GETARG_UUID_P(0));
	recorded = !(spread && nulls[2] == ' ' && statement_run(&find, &values[2], NULL, false, 0) > 0) &&
			   statement_run(&record, values, nulls, false, 0) > 0;
	if (recorded && facts != NULL)
		(void) statement_run(spread ? &reflect_there : &reflect, values, NULL, false, 0);
	statement_end(&scope);
	PG_RETURN_BOOL(recorded);
}
