/*
 * stripe_events.c
 *		The subscription of a workspace at Stripe, and the events that say what happened to it.
 *
 *	subscription	what Stripe says about the workspace: one row of stripe_customers
 *	event			one row of billing_events; events of Stripe arrive late, twice and in any order
 *
 * Invariants: an event of Stripe is recorded once; the subscription reflects the newest event that was recorded.
 */
#include "openinfo.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "access/authorize.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"

/* A member of p_metadata, or NULL when it is not there or JSON null. */
static JsonbValue *
fact(Jsonb *metadata, const char *key)
{
	JsonbValue *value = metadata ? getKeyJsonValueFromContainer(&metadata->root, key, strlen(key), NULL) : NULL;

	return value == NULL || value->type == jbvNull ? NULL : value;
}

/* A string of p_metadata; false when it is not there. */
static bool
fact_text(Jsonb *metadata, const char *key, Datum *result)
{
	JsonbValue *value = fact(metadata, key);

	if (value == NULL)
		return false;
	if (value->type != jbvString)
		error_wrong_type("p_metadata", key, "a string");
	*result = PointerGetDatum(cstring_to_text_with_len(value->val.string.val, value->val.string.len));
	return true;
}

/* A string as a time.  timestamptz_in() would do, but its errors are none of ours; "infinity" is not a time here. */
static bool
string_time(const char *string, TimestampTz *result)
{
	char		*field[MAXDATEFIELDS];
	int			 ftype[MAXDATEFIELDS];
	char		 buffer[MAXDATELEN + MAXDATEFIELDS];
	int			 nfields, dtype, tz;
	struct pg_tm tm;
	fsec_t		 fsec;

	return ParseDateTime(string, buffer, sizeof(buffer), field, ftype, MAXDATEFIELDS, &nfields) == 0 &&
		   compat_decode_datetime(field, ftype, nfields, &dtype, &tm, &fsec, &tz) == 0 && dtype == DTK_DATE &&
		   tm2timestamp(&tm, fsec, &tz, result) == 0;
}

/* Seconds since 1970 as a time, when it is one that PostgreSQL has. */
static bool
number_time(Numeric number, TimestampTz *result)
{
	float8 seconds = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(number)));

	/* written so that NaN is refused */
	if (!(seconds >= (float8) SECS_PER_DAY * (DATETIME_MIN_JULIAN - UNIX_EPOCH_JDATE) &&
		  seconds < (float8) SECS_PER_DAY * (TIMESTAMP_END_JULIAN - UNIX_EPOCH_JDATE)))
		return false;
	*result = DatumGetTimestampTz(DirectFunctionCall1(float8_timestamptz, Float8GetDatum(seconds)));
	return true;
}

/* A time of p_metadata: ISO 8601, or seconds since 1970 as Stripe writes it; false when it is not there. */
static bool
fact_time(Jsonb *metadata, const char *key, Datum *result)
{
	JsonbValue *value = fact(metadata, key);
	TimestampTz time;

	if (value == NULL)
		return false;
	if (!(value->type == jbvNumeric && number_time(value->val.numeric, &time)) &&
		!(value->type == jbvString && string_time(pnstrdup(value->val.string.val, value->val.string.len), &time)))
		error_wrong_type("p_metadata", key, "a time: ISO 8601, or seconds since 1970");
	*result = TimestampTzGetDatum(time);
	return true;
}

/*
 * What an event makes of the subscription's status.  reported: what p_metadata says comes before "to".  to NULL: nothing.
 * unless: statuses that it leaves as they are: the last invoice of a cancelled subscription does not bring it back, that of a trial over nothing
 * does not end the trial.
 */
typedef struct Effect
{
	const char *event;
	bool		reported; /* in payments "status" would be the payment's */
	const char *to;
	const char *unless; /* text[] */
} Effect;

static const Effect effects[] = {
	{"subscription_created", true, "active", "{}"},
	{"subscription_updated", true, NULL, "{}"},
	{"subscription_cancelled", false, "canceled", "{}"},
	{"payment_succeeded", false, "active", "{trialing,paused,canceled,incomplete_expired}"},
	{"payment_failed", false, "past_due", "{unpaid,incomplete,canceled,incomplete_expired}"},
};

/* NULL for the events that say nothing of the subscription: plan_upgraded, plan_downgraded. */
static const Effect *
effect_of(Oid event_type)
{
	for (int i = 0; i < lengthof(effects); i++)
		if (catalog_enum("billing_event_type", effects[i].event) == event_type)
			return &effects[i];
	return NULL;
}

enum
{
	SUB_WORKSPACE,
	SUB_AT,
	SUB_CUSTOMER,
	SUB_SUBSCRIPTION,
	SUB_STATUS,
	SUB_START,
	SUB_END,
	SUB_METHOD,
	SUB_UNLESS,
	SUB_COUNT
};

/* Reflects an event in the workspace's row of stripe_customers, unless a newer one is reflected there; within statement_begin(). */
static void
reflect_event(const Effect *effect, Datum workspace, Datum event_at, Jsonb *metadata)
{
	static Statement change = STATEMENT(
		"UPDATE @extschema@.stripe_customers SET last_event_at = $2,"
		" stripe_customer_id = coalesce($3, stripe_customer_id),"
		" stripe_subscription_id = coalesce($4, stripe_subscription_id),"
		" subscription_status = CASE WHEN subscription_status = ANY ($9::text[]) THEN subscription_status"
		"                            ELSE coalesce($5, subscription_status) END,"
		" current_period_start = coalesce($6, current_period_start),"
		" current_period_end = coalesce($7, current_period_end),"
		" default_payment_method = coalesce($8, default_payment_method)"
		" WHERE workspace_id = $1 AND (last_event_at IS NULL OR last_event_at <= $2)",
		"uuid, timestamptz, text, text, text, timestamptz, timestamptz, text, text");
	Datum values[SUB_COUNT] = {0};
	char  nulls[SUB_COUNT + 1] = {0};
	bool  status;

	memset(nulls, ' ', SUB_COUNT);
	values[SUB_WORKSPACE] = workspace;
	values[SUB_AT] = event_at;
	if (!fact_text(metadata, "stripe_customer_id", &values[SUB_CUSTOMER]))
		nulls[SUB_CUSTOMER] = 'n';
	if (!fact_text(metadata, "stripe_subscription_id", &values[SUB_SUBSCRIPTION]) &&
		!fact_text(metadata, "subscription_id", &values[SUB_SUBSCRIPTION]))
		nulls[SUB_SUBSCRIPTION] = 'n';
	status = effect->reported && (fact_text(metadata, "subscription_status", &values[SUB_STATUS]) || fact_text(metadata, "status", &values[SUB_STATUS]));
	if (!status && effect->to)
		values[SUB_STATUS] = CStringGetTextDatum(effect->to);
	else if (!status)
		nulls[SUB_STATUS] = 'n';
	if (!fact_time(metadata, "current_period_start", &values[SUB_START]))
		nulls[SUB_START] = 'n';
	if (!fact_time(metadata, "current_period_end", &values[SUB_END]))
		nulls[SUB_END] = 'n';
	if (!fact_text(metadata, "default_payment_method", &values[SUB_METHOD]))
		nulls[SUB_METHOD] = 'n';
	values[SUB_UNLESS] = CStringGetTextDatum(effect->unless);
	(void) statement_run(&change, values, nulls, false, 0);
}

/*
 * Reflects an event that has just been recorded.  The first one that names the customer makes his row, and with it the
 * events that were recorded before, with nothing to be reflected in, take effect in the order in which they happened.
 */
static void
update_subscription(const Effect *effect, Datum workspace, Datum event_at, Jsonb *metadata)
{
	static Statement make = STATEMENT(
		"INSERT INTO @extschema@.stripe_customers (workspace_id, stripe_customer_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
		"uuid, text");
	static Statement recorded = STATEMENT(
		"SELECT event_type, event_at, metadata FROM @extschema@.billing_events WHERE workspace_id = $1 ORDER BY event_at, created_at",
		"uuid");
	Datum		   values[2] = {workspace};
	SPITupleTable *events;
	uint64		   count;

	if (!fact_text(metadata, "stripe_customer_id", &values[1]) || statement_run(&make, values, NULL, false, 0) == 0)
	{
		reflect_event(effect, workspace, event_at, metadata);
		return;
	}

	count = statement_run(&recorded, values, NULL, false, 0);
	events = SPI_tuptable;
	for (uint64 i = 0; i < count; i++)
	{
		bool		  isnull;
		const Effect *then = effect_of(DatumGetObjectId(SPI_getbinval(events->vals[i], events->tupdesc, 1, &isnull)));
		Datum		  at = SPI_getbinval(events->vals[i], events->tupdesc, 2, &isnull);
		Datum		  facts = SPI_getbinval(events->vals[i], events->tupdesc, 3, &isnull);

		if (then)
			reflect_event(then, workspace, at, isnull ? NULL : DatumGetJsonbP(facts));
	}
}

/*
 * record_billing_event(p_workspace_id uuid, p_event_type billing_event_type, p_stripe_event_id text,
 *		p_event_at timestamptz, p_amount_cents bigint default null, p_metadata jsonb default '{}') returns boolean
 *
 * Records an event; false, and nothing done, when that event of Stripe was recorded before, in whatever workspace.  NULL
 * for p_stripe_event_id is an event that is not Stripe's: always recorded.  Then reflects it in stripe_customers, unless
 * an event that happened later is reflected there already (of two at the same time the one that comes last counts); so too
 * those that were recorded before there was a row to reflect them in:
 *
 *		subscription_created	status: the one in p_metadata, else active
 *		subscription_updated	status: the one in p_metadata, else as it was
 *		subscription_cancelled	status: canceled
 *		payment_succeeded		status: active, unless trialing, paused, canceled or incomplete_expired
 *		payment_failed			status: past_due, unless unpaid, incomplete, canceled or incomplete_expired
 *		plan_upgraded, plan_downgraded	nothing: plans are changed by update_workspace_plan()
 *
 * Keys of p_metadata that are read: stripe_customer_id (makes the row when there is none; without it nothing can be
 * reflected), stripe_subscription_id or subscription_id, subscription_status or status, current_period_start and
 * current_period_end (ISO 8601 or seconds since 1970), default_payment_method, currency, old_plan, new_plan; all others
 * are kept with the event.  JSON null is the same as no key.
 * Callers: service_role.  Errors: 42501; 22023 a NULL argument, a blank p_stripe_event_id, an infinite p_event_at,
 * p_metadata is no object or a key of it no string or no time; 23503 no such workspace; 23505 the customer or
 * the subscription is another workspace's; 23514 a negative amount, or a period that ends before it starts.  After an
 * error nothing is recorded, so the event may be sent again.  Locks: the row of stripe_customers.
 */
PG_FUNCTION_INFO_V1(openinfo_record_billing_event);
Datum
openinfo_record_billing_event(PG_FUNCTION_ARGS)
{
	static Statement record = STATEMENT(
		"INSERT INTO @extschema@.billing_events"
		" (workspace_id, event_type, stripe_event_id, event_at, amount_cents, metadata, currency, old_plan, new_plan)"
		" VALUES ($1, $2, $3, $4, $5, coalesce($6, '{}'), $7, $8, $9) ON CONFLICT DO NOTHING",
		"uuid, @extschema@.billing_event_type, text, timestamptz, int8, jsonb, text, text, text");
	static const char *const names[] = {"p_workspace_id", "p_event_type", "p_stripe_event_id", "p_event_at"};
	const Effect			*effect;
	Jsonb					*metadata = PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5);
	StatementScope			 scope;
	Datum					 values[9];
	char					 nulls[10] = "         ";
	bool					 recorded;

	authorize_service("record_billing_event");
	for (int i = 0; i < 6; i++)
	{
		if (i < 4 && i != 2 && PG_ARGISNULL(i))
			error_null(names[i]);
		values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	if (!PG_ARGISNULL(2) && strspn(text_to_cstring(PG_GETARG_TEXT_PP(2)), " \t\r\n") == VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(2)))
		error_blank("p_stripe_event_id");
	if (TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(3)))
		error_infinite("p_event_at");
	if (metadata && !JB_ROOT_IS_OBJECT(metadata))
		error_not_object("p_metadata");
	nulls[6] = fact_text(metadata, "currency", &values[6]) ? ' ' : 'n';
	nulls[7] = fact_text(metadata, "old_plan", &values[7]) ? ' ' : 'n';
	nulls[8] = fact_text(metadata, "new_plan", &values[8]) ? ' ' : 'n';
	effect = effect_of(PG_GETARG_OID(1));

	statement_begin(&scope);
	recorded = statement_run(&record, values, nulls, false, 0) > 0;
	if (recorded && effect)
		update_subscription(effect, values[0], values[3], metadata);
	statement_end(&scope);
	PG_RETURN_BOOL(recorded);
}
