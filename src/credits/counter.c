/*
 * counter.c
 *		The counter of the credits that a member has spent today.
 *
 *	credit day	a UTC day.  users.daily_credits_used belongs to the day in users.credits_reset_on; on a later
 *				day it counts as zero, so a midnight job that did not run neither blocks nor frees a member.
 *				A day in the future was written before the clock was set back: its count holds, or credits
 *				could be spent twice
 *	today		the credit day on which the transaction began, as in now() and in the ledger's created_at
 *	limit		users.daily_credit_limit; unlimited (NULL) ends at the counter's maximum
 *
 * Invariant: no counter exceeds its limit: the UPDATE that counts also checks, in the row as it is once no
 * other transaction is changing it.
 */
#include "openinfo.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "access/authorize.h"
#include "access/claims.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/lookup.h"
#include "core/statement.h"
#include "credits/credits.h"
#include "workspaces/audit_columns.h"

/* Timestamps count from midnight UTC of the day that dates count from. */
static DateADT
counter_today(void)
{
	return (DateADT) (GetCurrentTransactionStartTimestamp() / USECS_PER_DAY);
}

static void
counter_balance(CreditBalance *balance, bool unlimited, int32 limit, int32 used, DateADT day)
{
	balance->unlimited = unlimited;
	balance->limit = unlimited ? PG_INT32_MAX : limit;
	balance->day = Max(day, counter_today());
	balance->used = day < balance->day ? 0 : used;
	balance->remaining = Max(balance->limit - balance->used, 0);
}

/*
 * Reads a member's counter; false when there is no such member.  The snapshot is the statement's, or, with
 * latest, the rows are read as they are now, with this transaction's own changes.  Does not check the
 * caller.
 */
bool
counter_read(const pg_uuid_t *user, bool latest, Counter *counter)
{
	const UsersTable *users = catalog_users();
	LookupKey		  key = {users->id, UUIDOID, UUIDPGetDatum(user)};
	Lookup			  lookup;
	bool			  found, isnull, unlimited;

	lookup_begin(&lookup, users->relid, users->id_index, latest ? NULL : GetActiveSnapshot(), &key, 1);
	found = lookup_next(&lookup);
	if (found)
	{
		int32 limit = DatumGetInt32(lookup_value(&lookup, users->daily_credit_limit, &unlimited));
		int32 used = DatumGetInt32(lookup_value(&lookup, users->daily_credits_used, &isnull));

		counter_balance(&counter->balance, unlimited, limit, used,
						DatumGetDateADT(lookup_value(&lookup, users->credits_reset_on, &isnull)));
		counter->workspace = *DatumGetUUIDP(lookup_value(&lookup, users->workspace_id, &isnull));
		counter->plan = TextDatumGetCString(lookup_value(&lookup, users->plan, &isnull));
	}
	lookup_end(&lookup);
	return found;
}

/* A member's balance; otherwise as counter_read(). */
bool
credits_balance(const pg_uuid_t *user, bool latest, CreditBalance *balance)
{
	Counter counter;

	if (!counter_read(user, latest, &counter))
		return false;
	*balance = counter.balance;
	return true;
}

/*
 * Counts credits of a member in a workspace, if the limit allows it; false when it does not, or there is no
 * such member. Within statement_begin().  Locks: the member's row, until the end of the transaction.
 */
bool
counter_spend(const pg_uuid_t *user, const pg_uuid_t *workspace, int32 credits, pg_uuid_t *person,
			  CreditBalance *balance)
{
	/* the limit less what is needed: unlike the sum of used and needed it cannot overflow */
	static Statement spend = STATEMENT(
		"UPDATE @extschema@.users"
		"   SET daily_credits_used = CASE WHEN credits_reset_on < $4 THEN 0 ELSE daily_credits_used END + $3,"
		"       credits_reset_on = greatest(credits_reset_on, $4)"
		" WHERE id = $1 AND workspace_id = $2"
		"   AND CASE WHEN credits_reset_on < $4 THEN 0 ELSE daily_credits_used END"
		"       <= coalesce(daily_credit_limit, 2147483647) - $3"
		" RETURNING daily_credits_used, daily_credit_limit, credits_reset_on, auth_user_id",
		"uuid, uuid, int4, date");
	Datum values[4] = {UUIDPGetDatum(user), UUIDPGetDatum(workspace), Int32GetDatum(credits),
					   DateADTGetDatum(counter_today())};
	bool  isnull, unlimited;
	int32 used, limit;

	if (statement_run(&spend, values, NULL, false, 0) == 0)
		return false;
	used = DatumGetInt32(statement_value(1, &isnull));
	limit = DatumGetInt32(statement_value(2, &unlimited));
	counter_balance(balance, unlimited, limit, used, DatumGetDateADT(statement_value(3, &isnull)));
	*person = *DatumGetUUIDP(statement_value(4, &isnull));
	return true;
}

/* Undoes what counter_spend() has just counted; the row is still locked. */
void
counter_unspend(const pg_uuid_t *user, const pg_uuid_t *workspace, int32 credits)
{
	static Statement unspend = STATEMENT(
		"UPDATE @extschema@.users SET daily_credits_used = daily_credits_used - $3"
		" WHERE id = $1 AND workspace_id = $2",
		"uuid, uuid, int4");
	Datum values[3] = {UUIDPGetDatum(user), UUIDPGetDatum(workspace), Int32GetDatum(credits)};

	(void) statement_run(&unspend, values, NULL, false, 0);
}

/*
 * When the credits of a balance are reset: at the midnight after its day; never, for a day at the end of the
 * calendar.
 */
static TimestampTz
credits_reset_at(const CreditBalance *balance)
{
	if (balance->day >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE - 1)
		return DT_NOEND;
	return ((TimestampTz) balance->day + 1) * USECS_PER_DAY;
}

/*
 * The balance that the caller asks for; false when there is none.  NULL, the default for a caller without a
 * membership, has none; that of another member is refused.
 */
static bool
ask_balance(FunctionCallInfo fcinfo, CreditBalance *balance)
{
	Caller	  caller;
	pg_uuid_t person;

	if (!PG_ARGISNULL(0))
	{
		authorize_user(&caller, PG_GETARG_UUID_P(0));
		return credits_balance(PG_GETARG_UUID_P(0), false, balance);
	}
	authorize_caller(&caller);
	if (!caller.is_service && !claims_person(&person))
		error_signed_out();
	return false;
}

/*
 * check_credits_available(p_user_id uuid default get_user_id(), p_credits_needed int default 1) returns
 * boolean
 *
 * Whether a member could spend that much now; false for an unknown one.  Callers: authenticated for
 * themselves, service_role for any member.  Errors: PT401 authentication required; 42501 another member;
 * 22023 p_credits_needed is NULL or below 1.
 */
PG_FUNCTION_INFO_V1(openinfo_check_credits_available);
Datum
openinfo_check_credits_available(PG_FUNCTION_ARGS)
{
	CreditBalance balance;
	int32		  needed, sum;

	if (PG_ARGISNULL(1))
		error_null("p_credits_needed");
	needed = PG_GETARG_INT32(1);
	if (needed < 1)
		error_below_one("p_credits_needed", needed);
	if (!ask_balance(fcinfo, &balance))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(!pg_add_s32_overflow(balance.used, needed, &sum) && sum <= balance.limit);
}

/*
 * get_credit_balance(p_user_id uuid default get_user_id())
 *		returns table(credits_limit int, credits_used int, credits_remaining int, resets_at timestamptz)
 *
 * A member's balance; limit and remaining are NULL when unlimited; no row for an unknown member.  Callers
 * and errors as check_credits_available().
 */
PG_FUNCTION_INFO_V1(openinfo_get_credit_balance);
Datum
openinfo_get_credit_balance(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CreditBalance  balance;
	TupleDesc	   desc;
	Datum		   values[4];
	bool		   nulls[4] = {false, false, false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!ask_balance(fcinfo, &balance))
	{
		if (result && IsA(result, ReturnSetInfo))
			result->isDone = ExprEndResult;
		PG_RETURN_NULL();
	}
	values[0] = Int32GetDatum(balance.limit);
	values[1] = Int32GetDatum(balance.used);
	values[2] = Int32GetDatum(balance.remaining);
	values[3] = TimestampTzGetDatum(credits_reset_at(&balance));
	nulls[0] = nulls[2] = balance.unlimited;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static void
reset_counters(void *rows)
{
	/* a counter that is locked is being spent from, or reset, and either sets it to today */
	static Statement reset = STATEMENT(
		"UPDATE @extschema@.users u SET daily_credits_used = 0, credits_reset_on = $1"
		"  FROM (SELECT ctid AS place FROM @extschema@.users"
		"         WHERE daily_credits_used <> 0 AND credits_reset_on < $1"
		"          FOR NO KEY UPDATE SKIP LOCKED) AS spent"
		" WHERE u.ctid = spent.place AND u.daily_credits_used <> 0 AND u.credits_reset_on < $1",
		"date");
	/* Citus locks rows of one workspace at a time only */
	static Statement reset_all = STATEMENT(
		"UPDATE @extschema@.users SET daily_credits_used = 0, credits_reset_on = $1"
		" WHERE daily_credits_used <> 0 AND credits_reset_on < $1",
		"date");
	StatementScope scope;
	Datum		   today = DateADTGetDatum(counter_today());
	bool		   spread = catalog_is_distributed();

	statement_begin(&scope);
	*(int64 *) rows = (int64) statement_run(spread ? &reset_all : &reset, &today, NULL, false, 0);
	statement_end(&scope);
}

/*
 * reset_daily_credits() returns bigint
 *
 * Sets the counters of earlier days to zero and returns how many: only those that are not zero, and
 * updated_at stays.  It only tidies; nothing depends on it.  Callers: the scheduler's role, service_role.
 * Errors: 42501 any other role.  Locks: the rows that it writes; it waits for none, so an open transaction
 * blocks neither the job nor, through it, others.
 */
PG_FUNCTION_INFO_V1(openinfo_reset_daily_credits);
Datum
openinfo_reset_daily_credits(PG_FUNCTION_ARGS)
{
	int64 rows = 0;

	authorize_service("reset_daily_credits");
	audit_columns_keep_updated_at(reset_counters, &rows);
	PG_RETURN_INT64(rows);
}
