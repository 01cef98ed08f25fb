/*
 * ledger.c
 *		The ledger of what was spent, and spending itself.
 *
 *	key		names a spend within its workspace, so that a call that is repeated charges once
 *
 * Invariant: what counters and ledger say was spent is the same, whatever runs at the same time and whatever
 * is killed: both are written by one transaction.
 *
 * Order of locks: the member's row, then the key.  A transaction that spends a member's credits waits for
 * that member alone; in the opposite order two transactions could each hold a key and wait for the other's
 * member.
 */
#include "openinfo.h"

#include "access/htup_details.h"
#include "catalog/pg_namespace_d.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "access/authorize.h"
#include "access/claims.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/lookup.h"
#include "core/statement.h"
#include "core/white_space.h"
#include "credits/credits.h"
#include "workspaces/members.h"

#define LONGEST_KEY 255 /* characters: in four bytes each it still fits an index */

/* Arguments of the two statements on the ledger. */
typedef struct LedgerLine
{
	Datum values[8];
	char  nulls[9];
} LedgerLine;

static void
ledger_line(const CreditSpend *spend, const pg_uuid_t *person, LedgerLine *line)
{
	line->values[0] = UUIDPGetDatum(&spend->workspace);
	line->values[1] = UUIDPGetDatum(&spend->user);
	line->values[2] = ObjectIdGetDatum(spend->action);
	line->values[3] = Int32GetDatum(spend->credits);
	line->values[4] = UUIDPGetDatum(spend->reference);
	line->values[5] = JsonbPGetDatum(spend->metadata);
	line->values[6] = PointerGetDatum(spend->key);
	line->values[7] = UUIDPGetDatum(person);
	for (int i = 0; i < 8; i++)
		line->nulls[i] = i >= 4 && DatumGetPointer(line->values[i]) == NULL ? 'n' : ' ';
	line->nulls[8] = '\0';
}

/*
 * Writes the line; false when its key is in the ledger already, also through a transaction that it had to
 * wait for.
 */
static bool
ledger_write(const CreditSpend *spend, const pg_uuid_t *person, pg_uuid_t *id)
{
	static Statement with_key = STATEMENT(
		"INSERT INTO @extschema@.credit_usage"
		" (workspace_id, user_id, action_type, credits_used, reference_id, metadata, idempotency_key,"
		"  auth_user_id)"
		" VALUES ($1, $2, $3, $4, $5, coalesce($6, '{}'), $7, $8)"
		" ON CONFLICT (workspace_id, idempotency_key) DO NOTHING RETURNING id",
		"uuid, uuid, @extschema@.credit_action, int4, uuid, jsonb, text, uuid");
	static Statement without_key = STATEMENT(
		"INSERT INTO @extschema@.credit_usage"
		" (workspace_id, user_id, action_type, credits_used, reference_id, metadata, auth_user_id)"
		" VALUES ($1, $2, $3, $4, $5, coalesce($6, '{}'), $8) RETURNING id",
		"uuid, uuid, @extschema@.credit_action, int4, uuid, jsonb, text, uuid");
	LedgerLine line;
	bool	   isnull;

	ledger_line(spend, person, &line);
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
		"SELECT id, (user_id, action_type, credits_used, reference_id, metadata)"
		"           IS NOT DISTINCT FROM ($2, $3, $4, $5, coalesce($6, '{}'))"
		"  FROM @extschema@.credit_usage WHERE workspace_id = $1 AND idempotency_key = $7",
		"uuid, uuid, @extschema@.credit_action, int4, uuid, jsonb, text");
	LedgerLine line;
	bool	   isnull;

	ledger_line(spend, NULL, &line);
	if (statement_run(&find, line.values, line.nulls, false, 0) == 0)
		return false;
	*id = *DatumGetUUIDP(statement_value(1, &isnull));
	if (!DatumGetBool(statement_value(2, &isnull)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("idempotency key \"%s\" was already used with other arguments",
						text_to_cstring(spend->key)),
				 errhint("Repeat the arguments of the first call, or use a new key.")));
	return true;
}

/* Raises the error that says why nothing could be counted. */
static void
error_spend(const CreditSpend *spend)
{
	Counter counter;

	if (!counter_read(&spend->user, true, &counter))
		error_no_such_row("user", &spend->user);
	if (!uuid_same(&counter.workspace, &spend->workspace))
		error_not_in_workspace(&spend->user, &spend->workspace);
	error_payment_required("not enough credits",
						   "Credits are reset at midnight UTC; a larger plan has more of them.",
						   counter.plan, counter.balance.limit, counter.balance.used, spend->credits);
}

/* Checks the arguments, for every caller. */
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

		if (white_space_only(key, length) || pg_mbstrlen_with_len(key, length) > LONGEST_KEY)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"p_idempotency_key\" must have 1 to %d characters and not be blank",
							LONGEST_KEY)));
	}
}

/*
 * Checks, counts and writes the ledger; returns credit_usage.id and the member's balance.  A repeated key
 * returns the first id and charges nothing.  Within statement_begin(), for a caller who is allowed to spend
 * that member's credits.
 *
 * Errors: PT402 not enough credits; 22023 credits below one, a malformed key or metadata, a key that was
 * used with other arguments, no such member in that workspace; 25006 in a read-only transaction; 40001, from
 * REPEATABLE READ on, when another transaction spends the same member's credits.  Locks: the workspace's row
 * KEY SHARE, then the member's, until the end of the transaction.
 */
pg_uuid_t
credits_spend(const CreditSpend *spend, CreditBalance *balance)
{
	pg_uuid_t id, person;

	check_spend(spend);
	if (spend->key && ledger_has_key(spend) && ledger_find(spend, &id))
		(void) credits_balance(&spend->user, true, balance);
	else if (!members_keep_workspace(&spend->workspace) ||
			 !counter_spend(&spend->user, &spend->workspace, spend->credits, &person, balance))
	{
		/* the same call may have taken the last credit while this one waited for the row */
		if (!spend->key || !ledger_find(spend, &id))
			error_spend(spend);
		(void) credits_balance(&spend->user, true, balance);
	}
	else if (!ledger_write(spend, &person, &id))
	{
		/* ... or have left some */
		if (!spend->key || !ledger_find(spend, &id))
			error_lost_row("credit_usage");
		counter_unspend(&spend->user, &spend->workspace, spend->credits);
		(void) credits_balance(&spend->user, true, balance);
	}
	return id;
}

/*
 * record_credit_usage(p_workspace_id uuid, p_user_id uuid, p_action_type credit_action, p_credits_used int
 * default 1,
 *		p_reference_id uuid default null, p_metadata jsonb default '{}', p_idempotency_key text default null)
 *		returns uuid
 *
 * Spends a member's credits; returns credit_usage.id.  Callers: authenticated for themselves, service_role
 * for any member.  Errors: PT401 authentication required; 42501 another workspace or another member; 22023 a
 * NULL argument; and those of credits_spend().  A repeated key must come with the same arguments.
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

/*
 * Is a row certainly deleted?  As of now, with this transaction's own changes: a cascade is one of them.
 * workspace: that of a tenant table's row, NULL: the table is workspaces.
 */
static bool
row_is_deleted(const char *table, Datum id, const Datum *workspace)
{
	Oid		  relid = catalog_table(table);
	LookupKey keys[2] = {{catalog_column(relid, "id"), UUIDOID, id}};
	Lookup	  lookup;
	bool	  found;

	/* of a partitioned table nothing is certain */
	if (get_rel_relkind(relid) != RELKIND_RELATION)
		return false;
	if (workspace)
		keys[1] = (LookupKey){catalog_column(relid, "workspace_id"), UUIDOID, *workspace};
	lookup_begin(&lookup, relid, InvalidOid, NULL, keys, workspace ? 2 : 1);
	found = lookup.rel == NULL || lookup_next(&lookup);
	lookup_end(&lookup);
	return !found;
}

static void
error_ledger_change(const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("table \"%s\" is append-only", table),
			 errdetail("Its rows are deleted only with their workspace.")));
}

/* Is a column that names a user set to null because that user has been deleted? */
static bool
author_removed(const char *column, Datum before, bool now_null, const Datum *workspace)
{
	return (strcmp(column, "user_id") == 0 || strcmp(column, "created_by") == 0) &&
		   now_null && row_is_deleted("users", before, workspace);
}

/*
 * forbid_ledger_change() returns trigger: BEFORE UPDATE OR DELETE FOR EACH ROW, BEFORE TRUNCATE FOR EACH
 * STATEMENT
 *
 * The ledger is append-only, for every role.  Foreign keys do two things that are allowed: a row is deleted
 * with its workspace, and a reference to a deleted user is set to null.  Errors: 42501.
 */
PG_FUNCTION_INFO_V1(openinfo_forbid_ledger_change);
Datum
openinfo_forbid_ledger_change(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation	 rel;
	TupleDesc	 desc;
	Datum		 workspace;
	bool		 isnull;
	bool		 forgotten = false;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event))
		error_not_trigger("forbid_ledger_change");
	rel = trigger->tg_relation;
	desc = RelationGetDescr(rel);

	if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		error_ledger_change(RelationGetRelationName(rel));

	workspace = heap_getattr(trigger->tg_trigtuple, catalog_column(RelationGetRelid(rel), "workspace_id"),
							 desc, &isnull);
	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		if (!row_is_deleted("workspaces", workspace, NULL))
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
		if (old_null || !author_removed(NameStr(att->attname), old_value, new_null, &workspace))
			error_ledger_change(RelationGetRelationName(rel));
		forgotten = true;
	}
	/* an UPDATE that changes nothing is one too: it would move updated_at */
	if (!forgotten)
		error_ledger_change(RelationGetRelationName(rel));
	return PointerGetDatum(trigger->tg_newtuple);
}
