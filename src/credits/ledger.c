/*
 * ledger.c
 *		Credits: how many a member may spend per UTC day, and the ledger of what was spent.
 *
 *	credit day	a UTC day.  users.daily_credits_used belongs to the day in users.credits_reset_on; on a later day it counts
 *				as zero, so that a midnight job that was missed locks nobody out and frees nobody.  A day that is still to
 *				come was written before the clock was set back: it counts as it stands, or its credits could be spent twice
 *	today		the credit day on which the transaction began, as now() and the ledger's created_at have it
 *	limit		users.daily_credit_limit; unlimited (NULL) ends where the counter does
 *	key			names a spend within its workspace, so that a call that is repeated charges once
 *
 * Invariant: no counter exceeds its limit, and what counters and ledger say was spent is the same, whatever runs at the
 * same time and whatever is killed: both are written by one transaction, and the UPDATE that counts also checks, in the
 * row as it is once nobody else is changing it.
 *
 * Order of locks: the member's row, then the key.  Whoever spends in the name of a member waits for him alone; in the
 * opposite order two transactions could each hold a key and wait for the other's member.
 */
#include "openinfo.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/int.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
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

#define LONGEST_KEY 255 /* characters: in four bytes each it still fits an index */

/* ------------------------------------------------------------------------------------------------------------------
 * The counter
 * ------------------------------------------------------------------------------------------------------------------ */

/* A member's counter, as stored but for the day. */
typedef struct Counter
{
	pg_uuid_t	  workspace;
	char		 *plan;
	CreditBalance balance;
} Counter;

/* Timestamps count from midnight UTC of the day that dates count from. */
static DateADT
credits_today(void)
{
	return (DateADT) (GetCurrentTransactionStartTimestamp() / USECS_PER_DAY);
}

static void
credits_fill(CreditBalance *balance, bool unlimited, int32 limit, int32 used, DateADT day)
{
	balance->unlimited = unlimited;
	balance->limit = unlimited ? PG_INT32_MAX : limit;
	balance->day = Max(day, credits_today());
	balance->used = day < balance->day ? 0 : used;
	balance->remaining = Max(balance->limit - balance->used, 0);
}

/*
 * Reads a member's counter; false when there is no such member.  The snapshot is the statement's, or, with latest, as of
 * now with this transaction's own changes.  The plan is only read when it is wanted.
 */
static bool
credits_read(const pg_uuid_t *user, bool latest, bool with_plan, Counter *counter)
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

		credits_fill(&counter->balance, unlimited, limit, used,
					 DatumGetDateADT(lookup_value(&lookup, users->credits_reset_on, &isnull)));
		counter->workspace = *DatumGetUUIDP(lookup_value(&lookup, users->workspace_id, &isnull));
		counter->plan = with_plan ? TextDatumGetCString(lookup_value(&lookup, users->plan, &isnull)) : NULL;
	}
	lookup_end(&lookup);
	return found;
}

/*
 * How a member's credits stand, as the statement sees it or (latest) as of now; false when there is no such member.
 * For whoever may know it: this does not look at the caller.
 */
bool
credits_balance(const pg_uuid_t *user, bool latest, CreditBalance *balance)
{
	Counter counter;

	if (!credits_read(user, latest, false, &counter))
		return false;
	*balance = counter.balance;
	return true;
}

/* When the credits of a balance come back: midnight after its day; never, for a day beyond the calendar. */
static TimestampTz
credits_reset_at(const CreditBalance *balance)
{
	if (balance->day >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE - 1)
		return DT_NOEND;
	return ((TimestampTz) balance->day + 1) * USECS_PER_DAY;
}

/* ------------------------------------------------------------------------------------------------------------------
 * Spending
 * ------------------------------------------------------------------------------------------------------------------ */

/* Counts a spend if the limit allows it, in the row as it is when nobody else is changing it. */
static bool
spend_count(const CreditSpend *spend, CreditBalance *balance)
{
	/* the limit less what is needed: unlike the sum of used and needed it cannot overflow */
	static Statement count = STATEMENT(
		"UPDATE @extschema@.users SET"
		" daily_credits_used = CASE WHEN credits_reset_on < $4 THEN 0 ELSE daily_credits_used END + $3,"
		" credits_reset_on = greatest(credits_reset_on, $4)"
		" WHERE id = $1 AND workspace_id = $2"
		" AND CASE WHEN credits_reset_on < $4 THEN 0 ELSE daily_credits_used END <= coalesce(daily_credit_limit, 2147483647) - $3"
		" RETURNING daily_credits_used, daily_credit_limit, credits_reset_on",
		"uuid, uuid, int4, date");
	Datum values[4] = {UUIDPGetDatum(&spend->user), UUIDPGetDatum(&spend->workspace), Int32GetDatum(spend->credits),
					   DateADTGetDatum(credits_today())};
	bool  isnull, unlimited;
	int32 used, limit;

	if (statement_run(&count, values, NULL, false, 0) == 0)
		return false;
	used = DatumGetInt32(statement_value(1, &isnull));
	limit = DatumGetInt32(statement_value(2, &unlimited));
	credits_fill(balance, unlimited, limit, used, DatumGetDateADT(statement_value(3, &isnull)));
	return true;
}

/* Takes back what spend_count() just counted; the row is still ours. */
static void
spend_uncount(const CreditSpend *spend)
{
	static Statement uncount = STATEMENT("UPDATE @extschema@.users SET daily_credits_used = daily_credits_used - $2 WHERE id = $1",
										 "uuid, int4");
	Datum			 values[2] = {UUIDPGetDatum(&spend->user), Int32GetDatum(spend->credits)};

	(void) statement_run(&uncount, values, NULL, false, 0);
}

/* Arguments of the two statements on the ledger. */
typedef struct LedgerLine
{
	Datum values[7];
	char  nulls[8];
} LedgerLine;

static void
ledger_line(const CreditSpend *spend, LedgerLine *line)
{
	line->values[0] = UUIDPGetDatum(&spend->workspace);
	line->values[1] = UUIDPGetDatum(&spend->user);
	line->values[2] = ObjectIdGetDatum(spend->action);
	line->values[3] = Int32GetDatum(spend->credits);
	line->values[4] = UUIDPGetDatum(spend->reference);
	line->values[5] = JsonbPGetDatum(spend->metadata);
	line->values[6] = PointerGetDatum(spend->key);
	for (int i = 0; i < 7; i++)
		line->nulls[i] = i >= 4 && DatumGetPointer(line->values[i]) == NULL ? 'n' : ' ';
	line->nulls[7] = '\0';
}

/* Writes the line; false when its key is in the ledger already, also through a transaction that it had to wait for. */
static bool
ledger_write(const CreditSpend *spend, pg_uuid_t *id)
{
	static Statement with_key = STATEMENT(
		"INSERT INTO @extschema@.credit_usage (workspace_id, user_id, action_type, credits_used, reference_id, metadata, idempotency_key)"
		" VALUES ($1, $2, $3, $4, $5, coalesce($6, '{}'), $7) ON CONFLICT (workspace_id, idempotency_key) DO NOTHING RETURNING id",
		"uuid, uuid, @extschema@.credit_action, int4, uuid, jsonb, text");
	static Statement without_key = STATEMENT(
		"INSERT INTO @extschema@.credit_usage (workspace_id, user_id, action_type, credits_used, reference_id, metadata)"
		" VALUES ($1, $2, $3, $4, $5, coalesce($6, '{}')) RETURNING id",
		"uuid, uuid, @extschema@.credit_action, int4, uuid, jsonb");
	LedgerLine line;
	bool	   isnull;

	ledger_line(spend, &line);
	if (statement_run(spend->key ? &with_key : &without_key, line.values, line.nulls, false, 0) == 0)
		return false;
	*id = *DatumGetUUIDP(statement_value(1, &isnull));
	return true;
}

/* Is the key in the ledger?  Nearly every key is new, so this must be cheap: it saves a statement. */
static bool
ledger_has_key(const CreditSpend *spend)
{
	Oid		  relid = catalog_table("credit_usage");
	LookupKey keys[2] = {{catalog_column(relid, "workspace_id"), UUIDOID, UUIDPGetDatum(&spend->workspace)},
						 {catalog_column(relid, "idempotency_key"), TEXTOID, PointerGetDatum(spend->key)}};
	Lookup	  lookup;
	bool	  found;

	lookup_begin(&lookup, relid, InvalidOid, NULL, keys, 2);
	found = lookup_next(&lookup);
	lookup_end(&lookup);
	return found;
}

/* The line that has the spend's key; false when there is none, refused when it says something else. */
static bool
ledger_find(const CreditSpend *spend, pg_uuid_t *id)
{
	static Statement find = STATEMENT(
		"SELECT id, (user_id, action_type, credits_used, reference_id, metadata) IS NOT DISTINCT FROM ($2, $3, $4, $5, coalesce($6, '{}'))"
		" FROM @extschema@.credit_usage WHERE workspace_id = $1 AND idempotency_key = $7",
		"uuid, uuid, @extschema@.credit_action, int4, uuid, jsonb, text");
	LedgerLine line;
	bool	   isnull;

	ledger_line(spend, &line);
	if (statement_run(&find, line.values, line.nulls, false, 0) == 0)
		return false;
	*id = *DatumGetUUIDP(statement_value(1, &isnull));
	if (!DatumGetBool(statement_value(2, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("idempotency key \"%s\" was already used with other arguments", text_to_cstring(spend->key)),
				 errhint("Repeat the arguments of the first call, or use a new key.")));
	return true;
}

/* Says why nothing could be counted. */
static void
error_spend(const CreditSpend *spend)
{
	Counter counter;

	if (!credits_read(&spend->user, true, true, &counter))
		error_no_such_row("user", &spend->user);
	if (!uuid_same(&counter.workspace, &spend->workspace))
		error_not_in_workspace(&spend->user, &spend->workspace);
	error_payment_required("not enough credits",
						   "Credits are reset at midnight UTC; a larger plan has more of them.",
						   counter.plan, counter.balance.limit, counter.balance.used, spend->credits);
}

/* What the arguments must be like, whoever passes them. */
static void
check_spend(const CreditSpend *spend)
{
	if (spend->credits < 1)
		error_below_one("p_credits_used", spend->credits);
	if (spend->metadata && !JB_ROOT_IS_OBJECT(spend->metadata))
		error_not_object("p_metadata");
	if (spend->key)
	{
		const char *key = VARDATA_ANY(spend->key);
		int			length = VARSIZE_ANY_EXHDR(spend->key);
		bool		blank = true;

		for (int i = 0; i < length && blank; i++)
			blank = (unsigned char) key[i] <= ' ';
		if (blank || pg_mbstrlen_with_len(key, length) > LONGEST_KEY)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"p_idempotency_key\" must have 1 to %d characters and not be blank", LONGEST_KEY)));
	}
}

/*
 * Checks, counts and writes the ledger; returns credit_usage.id, and how the member's credits stand then.  A repeated key
 * returns the first id and charges nothing.  Within statement_begin(), for a caller who may spend that member's credits.
 *
 * Errors: PT402 not enough credits; 22023 credits below one, a malformed key or metadata, a key that was used for
 * something else, no such member in that workspace; 25006 in a read-only transaction; 40001, from REPEATABLE READ on, when
 * somebody else spends the same member's credits.  Locks: the member's row until the end of the transaction.
 */
pg_uuid_t
credits_spend(const CreditSpend *spend, CreditBalance *balance)
{
	pg_uuid_t id;

	check_spend(spend);
	if (spend->key && ledger_has_key(spend) && ledger_find(spend, &id))
		(void) credits_balance(&spend->user, true, balance);
	else if (!spend_count(spend, balance))
	{
		/* the same call may have taken the last credit while this one waited for the row */
		if (!spend->key || !ledger_find(spend, &id))
			error_spend(spend);
		(void) credits_balance(&spend->user, true, balance);
	}
	else if (!ledger_write(spend, &id))
	{
		/* ... or have left some */
		if (!spend->key || !ledger_find(spend, &id))
			error_lost_row("credit_usage");
		spend_uncount(spend);
		(void) credits_balance(&spend->user, true, balance);
	}
	return id;
}

/*
 * record_credit_usage(p_workspace_id uuid, p_user_id uuid, p_action_type credit_action, p_credits_used int default 1,
 *		p_reference_id uuid default null, p_metadata jsonb default '{}', p_idempotency_key text default null) returns uuid
 *
 * Spends a member's credits; returns credit_usage.id.  Callers: authenticated for himself, service_role for anybody.
 * Errors: 28000 nobody signed in; 42501 another workspace or another member; 22023 a NULL argument; and those of
 * credits_spend().  All arguments together are what a key stands for.
 */
PG_FUNCTION_INFO_V1(openinfo_record_credit_usage);
Datum
openinfo_record_credit_usage(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"p_workspace_id", "p_user_id", "p_action_type", "p_credits_used"};
	Caller					 caller;
	StatementScope			 scope;
	CreditSpend				 spend;
	CreditBalance			 balance;
	pg_uuid_t				*id;

	for (int i = 0; i < lengthof(names); i++)
		if (PG_ARGISNULL(i))
			error_null(names[i]);
	spend.workspace = *PG_GETARG_UUID_P(0);
	spend.user = *PG_GETARG_UUID_P(1);
	spend.action = PG_GETARG_OID(2);
	spend.credits = PG_GETARG_INT32(3);
	spend.reference = PG_ARGISNULL(4) ? NULL : PG_GETARG_UUID_P(4);
	spend.metadata = PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5);
	spend.key = PG_ARGISNULL(6) ? NULL : PG_GETARG_TEXT_PP(6);

	authorize_workspace(&caller, &spend.workspace);
	if (!caller.is_service && !uuid_same(&spend.user, &caller.membership.user_id))
		error_other_user(&spend.user);
	/* a repeated key writes nothing, and would pass */
	PreventCommandIfReadOnly("record_credit_usage()");

	id = palloc(sizeof(pg_uuid_t));
	statement_begin(&scope);
	*id = credits_spend(&spend, &balance);
	statement_end(&scope);
	PG_RETURN_UUID_P(id);
}

/* ------------------------------------------------------------------------------------------------------------------
 * Asking
 * ------------------------------------------------------------------------------------------------------------------ */

/*
 * The counter that the caller asks for; false when there is none.  NULL, which the default is for somebody without a
 * membership, is nobody's; anybody else's is refused.
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
 * check_credits_available(p_user_id uuid default get_user_id(), p_credits_needed int default 1) returns boolean
 *
 * Whether a member could spend that much now; false for an unknown one.  Callers: authenticated for himself, service_role
 * for anybody.  Errors: 28000 nobody signed in; 42501 another member; 22023 needed is NULL or below 1.
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
 * How a member's credits stand; limit and remaining are NULL when unlimited; no row for an unknown member.  Callers and
 * errors as check_credits_available().
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

/* ------------------------------------------------------------------------------------------------------------------
 * Midnight
 * ------------------------------------------------------------------------------------------------------------------ */

static void
reset_counters(void *rows)
{
	/* a counter that is locked is being spent from, or reset, and whoever does so brings it to today himself */
	static Statement reset = STATEMENT(
		"UPDATE @extschema@.users u SET daily_credits_used = 0, credits_reset_on = $1"
		" FROM (SELECT ctid AS place FROM @extschema@.users WHERE daily_credits_used <> 0 AND credits_reset_on < $1"
		"       FOR NO KEY UPDATE SKIP LOCKED) AS spent"
		" WHERE u.ctid = spent.place AND u.daily_credits_used <> 0 AND u.credits_reset_on < $1",
		"date");
	StatementScope scope;
	Datum		   today = DateADTGetDatum(credits_today());

	statement_begin(&scope);
	*(int64 *) rows = (int64) statement_run(&reset, &today, NULL, false, 0);
	statement_end(&scope);
}

/*
 * reset_daily_credits() returns bigint
 *
 * Sets the counters of earlier days to zero and returns how many: only those that are not zero, and updated_at stays.  It
 * tidies, nothing depends on it.  Callers: the scheduler's role, service_role.  Errors: 42501 anybody else.  Locks: the
 * rows that it writes; it waits for none, so an open transaction holds up neither the job nor, through it, anybody else.
 */
PG_FUNCTION_INFO_V1(openinfo_reset_daily_credits);
Datum
openinfo_reset_daily_credits(PG_FUNCTION_ARGS)
{
	int64 rows = 0;

	authorize_service("reset_daily_credits");
	audit_columns_hold(reset_counters, &rows);
	PG_RETURN_INT64(rows);
}

/* ------------------------------------------------------------------------------------------------------------------
 * The ledger
 * ------------------------------------------------------------------------------------------------------------------ */

/* Is there still a row with that id?  As of now, with this transaction's own changes: a cascade is one of them. */
static bool
row_exists(const char *table, Datum id)
{
	Lookup lookup;
	bool   found = lookup_id(&lookup, table, DatumGetUUIDP(id));

	lookup_end(&lookup);
	return found;
}

static void
error_ledger_change(const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("table \"%s\" is append-only", table),
			 errdetail("Its rows are deleted only with their workspace.")));
}

/* Is a column that may be forgotten set to null because the user it named has been removed? */
static bool
author_removed(const char *column, Datum before, bool now_null)
{
	return (strcmp(column, "user_id") == 0 || strcmp(column, "created_by") == 0) && now_null && !row_exists("users", before);
}

/*
 * forbid_ledger_change() returns trigger: BEFORE UPDATE OR DELETE FOR EACH ROW, BEFORE TRUNCATE FOR EACH STATEMENT
 *
 * The ledger is append-only, for every role.  Two things pass, both done by foreign keys: a row goes with its workspace,
 * and a removed user is forgotten in it.  Errors: 42501.
 */
PG_FUNCTION_INFO_V1(openinfo_forbid_ledger_change);
Datum
openinfo_forbid_ledger_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation	 rel;
	TupleDesc	 desc;
	bool		 isnull;
	bool		 forgotten = false;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event))
		error_not_trigger("forbid_ledger_change");
	rel = trigger->tg_relation;
	desc = RelationGetDescr(rel);

	if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		error_ledger_change(RelationGetRelationName(rel));

	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		int workspace_id = SPI_fnumber(desc, "workspace_id");

		if (workspace_id <= 0 || row_exists("workspaces", heap_getattr(trigger->tg_trigtuple, workspace_id, desc, &isnull)))
			error_ledger_change(RelationGetRelationName(rel));
		return PointerGetDatum(trigger->tg_trigtuple);
	}

	for (int attnum = 1; attnum <= desc->natts; attnum++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);
		bool			  old_null, new_null;
		Datum			  old_value, new_value;

		if (att->attisdropped)
			continue;
		old_value = heap_getattr(trigger->tg_trigtuple, attnum, desc, &old_null);
		new_value = heap_getattr(trigger->tg_newtuple, attnum, desc, &new_null);
		if (old_null && new_null)
			continue;
		if (old_null == new_null && datum_image_eq(old_value, new_value, att->attbyval, att->attlen))
			continue;
		if (old_null || !author_removed(NameStr(att->attname), old_value, new_null))
			error_ledger_change(RelationGetRelationName(rel));
		forgotten = true;
	}
	/* an UPDATE that changes nothing is one too: it would move updated_at */
	if (!forgotten)
		error_ledger_change(RelationGetRelationName(rel));
	return PointerGetDatum(trigger->tg_newtuple);
}
