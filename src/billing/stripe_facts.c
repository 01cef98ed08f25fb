/*
 * stripe_facts.c
 *		What an event of Stripe says about the subscription of a workspace.
 *
 *	object	what came with the event: Stripe's object as it is sent, or one that the backend put together
 *	facts	what is read of it: an object with some of the keys customer, subscription, status, period_start,
 *			period_end and payment_method (null: there is none any more); about: "customer" when it is not
 *			about a subscription
 *
 * Invariant: the facts depend on the type of the event and its object alone, so they are read once.
 */
#include "openinfo.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "billing/stripe_facts.h"
#include "core/catalog.h"
#include "core/errors.h"

/* Seconds since 1970 from which on a number is taken for milliseconds: the year 5138. */
#define SECONDS_MAX INT64CONST(100000000000)

typedef enum EventKind
{
	EVENT_CREATED,
	EVENT_UPDATED,
	EVENT_CANCELLED,
	EVENT_PAYMENT, /* succeeded or failed */
	EVENT_PLAN	   /* says nothing about a subscription: update_workspace_plan() changes plans */
} EventKind;

/* What an event says; NULL is nothing. */
typedef struct Facts
{
	const char *customer;
	const char *subscription;
	const char *status;
	Datum		start, end; /* timestamptz */
	bool		has_start, has_end;
	const char *method;
	bool		has_method; /* method NULL: there is none any more */
	bool		general;	/* about the customer, not about a subscription */
} Facts;

static EventKind
event_kind(Oid event_type)
{
	static const char *const types[] = {
		"subscription_created", "subscription_updated", "subscription_cancelled",
		"payment_succeeded", "payment_failed"};

	for (int i = 0; i < lengthof(types); i++)
		if (catalog_enum("billing_event_type", types[i]) == event_type)
			return Min(i, EVENT_PAYMENT);
	return EVENT_PLAN;
}

/* ---------------------------------------------------------------------------------------------------------
 * Members of p_metadata
 * ---------------------------------------------------------------------------------------------------------
 * */

/* A member of an object, JSON null included; NULL when it is not there. */
static JsonbValue *
member(JsonbContainer *object, const char *key)
{
	return object ? getKeyJsonValueFromContainer(object, key, strlen(key), NULL) : NULL;
}

static bool
has_null(JsonbContainer *object, const char *key)
{
	JsonbValue *value = member(object, key);

	return value != NULL && value->type == jbvNull;
}

/* A member that is an object; NULL when it is none. */
static JsonbContainer *
member_object(JsonbContainer *object, const char *key)
{
	JsonbValue *value = member(object, key);

	if (value == NULL || value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return NULL;
	return value->val.binary.data;
}

/* A member that is a string; NULL when it is not there or JSON null. */
const char *
stripe_string(JsonbContainer *object, const char *key)
{
	JsonbValue *value = member(object, key);

	if (value == NULL || value->type == jbvNull)
		return NULL;
	if (value->type != jbvString)
		error_wrong_type("p_metadata", key, "a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* The id of another object of Stripe: a string, or the object itself where it was expanded. */
static const char *
member_id(JsonbContainer *object, const char *key)
{
	JsonbContainer *expanded = member_object(object, key);

	return expanded ? stripe_string(expanded, "id") : stripe_string(object, key);
}

static bool
member_is(JsonbContainer *object, const char *key, const char *string)
{
	JsonbValue *value = member(object, key);

	return value != NULL && value->type == jbvString && value->val.string.len == strlen(string) &&
		   strncmp(value->val.string.val, string, value->val.string.len) == 0;
}

/* A string as a time.  timestamptz_in() would raise errors of its own; "infinity" is not a time here. */
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

/* Seconds since 1970 as a time; false when PostgreSQL has no such time, or when they are milliseconds. */
bool
stripe_seconds(float8 seconds, TimestampTz *result)
{
	/* written so that NaN is refused */
	if (!(seconds >= (float8) SECS_PER_DAY * (DATETIME_MIN_JULIAN - UNIX_EPOCH_JDATE) &&
		  seconds < (float8) SECONDS_MAX))
		return false;
	*result = DatumGetTimestampTz(DirectFunctionCall1(float8_timestamptz, Float8GetDatum(seconds)));
	return true;
}

/* A member that is a time: ISO 8601, or seconds since 1970 as Stripe has it; false when it is not there. */
static bool
member_time(JsonbContainer *object, const char *key, Datum *result)
{
	JsonbValue *value = member(object, key);
	TimestampTz time = 0;
	bool		valid = false;

	if (value == NULL || value->type == jbvNull)
		return false;
	if (value->type == jbvString)
		valid = string_time(pnstrdup(value->val.string.val, value->val.string.len), &time);
	else if (value->type == jbvNumeric)
	{
		Datum number = DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric));

		valid = stripe_seconds(DatumGetFloat8(number), &time);
	}
	if (!valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key \"%s\" of argument \"p_metadata\" must be %s",
						key, "a time: ISO 8601, or seconds since 1970"),
				 errhint("Divide milliseconds by 1000.")));
	*result = TimestampTzGetDatum(time);
	return true;
}

/* A status of a subscription as Stripe writes it, in any case; NULL when it is not there. */
static const char *
member_status(JsonbContainer *object, const char *key)
{
	static const char *const statuses[] = {"incomplete", "incomplete_expired", "trialing", "active",
										   "past_due", "canceled", "unpaid", "paused"};
	const char				*string = stripe_string(object, key);

	if (string == NULL)
		return NULL;
	for (int i = 0; i < lengthof(statuses); i++)
		if (pg_strcasecmp(string, statuses[i]) == 0)
			return statuses[i];
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("key \"%s\" of argument \"p_metadata\" is an unknown status: \"%s\"", key, string),
			 errhint("Valid statuses are incomplete, incomplete_expired, trialing, active, past_due,"
					 " canceled, unpaid and paused.")));
}

/* ---------------------------------------------------------------------------------------------------------
 * Facts
 * ---------------------------------------------------------------------------------------------------------
 * */

static bool
has_prefix(const char *string, const char *prefix)
{
	return string != NULL && strncmp(string, prefix, strlen(prefix)) == 0;
}

/* The id in an object, where it is a string. */
static const char *
own_id(JsonbContainer *object)
{
	JsonbValue *id = member(object, "id");

	return id != NULL && id->type == jbvString ? pnstrdup(id->val.string.val, id->val.string.len) : NULL;
}

/* Is it an object of Stripe's, and not one that the backend put together?  Stripe's name their subject. */
static bool
is_stripe_object(JsonbContainer *object)
{
	static const char *const prefixes[] = {"in_", "ch_", "py_", "pi_", "cus_", "pm_", "cs_"};
	const char				*id = own_id(object);

	if (member(object, "object") != NULL)
		return true;
	for (int i = 0; i < lengthof(prefixes); i++)
		if (has_prefix(id, prefixes[i]))
			return true;
	return false;
}

static bool
is_subscription(JsonbContainer *object, EventKind kind)
{
	if (member(object, "object") != NULL)
		return member_is(object, "object", "subscription");
	return kind != EVENT_PAYMENT && has_prefix(own_id(object), "sub_");
}

static const char *
subscription_id(JsonbContainer *object, EventKind kind)
{
	static const char *const keys[] = {"stripe_subscription_id", "subscription_id", "subscription"};
	const char				*id = NULL;

	for (int i = 0; i < lengthof(keys) && id == NULL; i++)
		id = member_id(object, keys[i]);
	/* an invoice, as of API 2025-03-31 */
	if (id == NULL)
	{
		JsonbContainer *details = member_object(member_object(object, "parent"), "subscription_details");

		id = member_id(details, "subscription");
	}
	if (id == NULL && is_subscription(object, kind))
		id = own_id(object);
	return id;
}

static const char *
customer_id(JsonbContainer *object)
{
	const char *id = stripe_string(object, "stripe_customer_id");

	if (id == NULL)
		id = member_id(object, "customer");
	if (id == NULL && (member_is(object, "object", "customer") || has_prefix(own_id(object), "cus_")))
		id = own_id(object);
	return id;
}

/* Status, period and payment method, as a subscription has them; or an object of the backend's own. */
static void
subscription_facts(JsonbContainer *object, EventKind kind, Facts *facts)
{
	JsonbContainer *items = member_object(object, "items");
	JsonbValue	   *data = member(items, "data");
	JsonbContainer *period = object;

	if (kind == EVENT_CANCELLED)
		facts->status = "canceled";
	else if ((facts->status = member_status(object, "subscription_status")) == NULL)
		facts->status = member_status(object, "status");

	/* as of API 2025-03-31 it is the items that have a period */
	if (data != NULL && data->type == jbvBinary && JsonContainerIsArray(data->val.binary.data) &&
		member(object, "current_period_start") == NULL && member(object, "current_period_end") == NULL)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(data->val.binary.data, 0);

		if (item != NULL && item->type == jbvBinary && JsonContainerIsObject(item->val.binary.data))
			period = item->val.binary.data;
	}
	facts->has_start = member_time(period, "current_period_start", &facts->start);
	facts->has_end = member_time(period, "current_period_end", &facts->end);
	if (facts->has_start && facts->has_end &&
		DatumGetTimestampTz(facts->end) < DatumGetTimestampTz(facts->start))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("period in argument \"p_metadata\" ends before it starts")));

	facts->has_method = member(object, "default_payment_method") != NULL;
	facts->method = member_id(object, "default_payment_method");
}

/* What a customer says of itself. */
static void
customer_facts(JsonbContainer *object, Facts *facts)
{
	JsonbContainer *settings = member_object(object, "invoice_settings");

	facts->general = true;
	facts->has_method = member(settings, "default_payment_method") != NULL;
	facts->method = member_id(settings, "default_payment_method");
}

/*
 * Is it a payment for something else than a subscription?  Stripe's invoices and charges say so by naming
 * none; what the backend put together, by a key that is null.
 */
static bool
is_one_off(JsonbContainer *object)
{
	static const char *const keys[] = {
		"subscription", "subscription_id", "stripe_subscription_id", "invoice"};

	for (int i = 0; i < lengthof(keys); i++)
		if (has_null(object, keys[i]))
			return true;
	return is_stripe_object(object) || member(object, "parent") != NULL ||
		   member(object, "billing_reason") != NULL;
}

/* Reads what an event says; false when that is nothing about the workspace's subscription or customer. */
static bool
read_facts(JsonbContainer *object, EventKind kind, Facts *facts)
{
	JsonbContainer *subscription = member_object(object, "subscription");

	memset(facts, 0, sizeof(Facts));
	if (kind == EVENT_PLAN)
		return false;
	facts->customer = customer_id(object);
	facts->subscription = subscription_id(object, kind);
	if (kind == EVENT_PAYMENT)
		return facts->subscription != NULL || !is_one_off(object);

	if (subscription != NULL)
		subscription_facts(subscription, kind, facts);
	else if (is_subscription(object, kind) || !is_stripe_object(object))
		subscription_facts(object, kind, facts);
	else if (facts->subscription == NULL)
		customer_facts(object, facts);

	if (kind == EVENT_CANCELLED && !facts->general)
		facts->status = "canceled";
	else if (kind == EVENT_CREATED && !facts->general && facts->status == NULL)
		facts->status = "active";
	return true;
}

static void
push_string(JsonbParseState **state, JsonbIteratorToken token, const char *string)
{
	JsonbValue value;

	value.type = string ? jbvString : jbvNull;
	if (string)
	{
		value.val.string.val = (char *) string;
		value.val.string.len = strlen(string);
	}
	(void) pushJsonbValue(state, token, &value);
}

static void
push_time(JsonbParseState **state, const char *key, Datum time)
{
	JsonbValue value;

	push_string(state, WJB_KEY, key);
	value.type = jbvDatetime;
	value.val.datetime.value = time;
	value.val.datetime.typid = TIMESTAMPTZOID;
	value.val.datetime.typmod = -1;
	value.val.datetime.tz = 0;
	(void) pushJsonbValue(state, WJB_VALUE, &value);
}

static void
push_fact(JsonbParseState **state, const char *key, const char *string)
{
	push_string(state, WJB_KEY, key);
	push_string(state, WJB_VALUE, string);
}

/* What an event says, as column billing_events.facts has it; NULL when that is nothing. */
Jsonb *
stripe_facts(Oid event_type, JsonbContainer *object)
{
	JsonbParseState *state = NULL;
	Facts			 facts;

	if (!read_facts(object, event_kind(event_type), &facts))
		return NULL;
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (facts.customer)
		push_fact(&state, "customer", facts.customer);
	if (facts.subscription)
		push_fact(&state, "subscription", facts.subscription);
	if (facts.status)
		push_fact(&state, "status", facts.status);
	if (facts.has_start)
		push_time(&state, "period_start", facts.start);
	if (facts.has_end)
		push_time(&state, "period_end", facts.end);
	if (facts.has_method)
		push_fact(&state, "payment_method", facts.method);
	if (facts.general)
		push_fact(&state, "about", "customer");
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* The object of p_metadata that the event is about: of an event as it is sent, its data.object. */
JsonbContainer *
stripe_object(Jsonb *metadata)
{
	JsonbContainer *object = metadata ? &metadata->root : NULL;

	if (member_is(object, "object", "event"))
		return member_object(member_object(object, "data"), "object");
	return object;
}
