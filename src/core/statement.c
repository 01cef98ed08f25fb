/*
 * statement.c
 *		Run one kept SPI plan; the only SPI plumbing.
 *
 * A function that writes checks its caller first, and then runs its statements as the owner of the tables,
 * so that triggers, foreign keys and READ ONLY hold as in any statement:
 *
 *		statement_begin(&scope);
 *		if (statement_run(&spend, values, NULL, false, 0) == 0) ...
 *		result = statement_value(1, &isnull);		-- copy what must outlive statement_end()
 *		statement_end(&scope);
 *
 * Invariant: between the two the search_path is pg_catalog, pg_temp, so that neither our SQL nor a trigger
 * that it fires is looked up in a schema of the caller's.  An error in between undoes both by itself: the
 * transaction or the subtransaction restores the user, and the GUC level is unwound with it.
 */
#include "openinfo.h"

#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "executor/tstoreReceiver.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

#include "core/catalog.h"
#include "core/shards.h"
#include "core/statement.h"

static void
statement_enter(StatementScope *scope, Oid role, int more_context)
{
	GetUserIdAndSecContext(&scope->user, &scope->sec_context);
	SetUserIdAndSecContext(role, scope->sec_context | more_context);
	scope->guc_nest_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	/* Citus writes no reference table after it has read several shards at once in the transaction */
	if (shards_present())
		(void) set_config_option("citus.multi_shard_modify_mode", "sequential", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

/* As another role than openinfo_owner. */
void
statement_begin_as(StatementScope *scope, Oid role)
{
	/*
	 * SECURITY_NOFORCE_RLS: FORCE ROW LEVEL SECURITY does not apply to the owner here, superuser or not
	 */
	statement_enter(scope, role, SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
}

/*
 * As the caller, for what they are allowed to do anyway: their grants and policies apply.
 */
void
statement_begin_as_caller(StatementScope *scope)
{
	statement_enter(scope, GetUserId(), 0);
}

void
statement_begin(StatementScope *scope)
{
	catalog_check_owners();
	statement_begin_as(scope, catalog_owner());
}

void
statement_end(const StatementScope *scope)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	AtEOXact_GUC(true, scope->guc_nest_level);
	SetUserIdAndSecContext(scope->user, scope->sec_context);
}

/* Replaces @extschema@ by the name of the schema. */
static char *
with_schema(const char *sql)
{
	Datum replaced = DirectFunctionCall3Coll(replace_text, C_COLLATION_OID, CStringGetTextDatum(sql),
											 CStringGetTextDatum("@extschema@"),
											 CStringGetTextDatum(catalog_schema_name()));

	return text_to_cstring(DatumGetTextPP(replaced));
}

/*
 * Plans that were replaced.  One of them may be running further up, and have fired the trigger that replaced
 * it; so they are freed when the transaction has ended.
 */
static List *stale = NIL;

static void
statement_free_stale(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	while (stale != NIL)
	{
		SPIPlanPtr plan = linitial(stale);

		stale = list_delete_first(stale);
		(void) SPI_freeplan(plan);
	}
}

void
statement_init(void)
{
	RegisterXactCallback(statement_free_stale, NULL);
}

static void
statement_prepare(Statement *plan)
{
	Oid	  types[STATEMENT_MAX_ARGS];
	int	  ntypes = 0;
	char *list = pstrdup(plan->types);

	/* split first: the schema's name may have a comma in it */
	for (char *name = strtok(list, ","); name != NULL; name = strtok(NULL, ","))
	{
		int32 typmod;

		if (ntypes == STATEMENT_MAX_ARGS)
			elog(ERROR, "too many arguments of a kept plan");
		compat_parse_type(with_schema(name), &types[ntypes++], &typmod);
	}

	if (plan->plan)
	{
		MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

		stale = lappend(stale, plan->plan);
		MemoryContextSwitchTo(before);
		plan->plan = NULL;
	}
	plan->generation = catalog_generation();
	plan->plan = SPI_prepare(with_schema(plan->sql), ntypes, types);
	if (plan->plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan->plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
}

static void
statement_current(Statement *plan)
{
	if (plan->plan == NULL || plan->generation != catalog_generation())
		statement_prepare(plan);
}

/*
 * Opens a cursor on a plan within statement_begin(), in the caller's snapshot; for results that may be
 * large.
 */
Portal
statement_open(Statement *plan, const Datum *values, const char *nulls)
{
	statement_current(plan);
	return SPI_cursor_open(NULL, plan->plan, (Datum *) values, nulls, true);
}

/*
 * Runs a plan within statement_begin() and returns the number of rows; a row of results is read with
 * statement_value(). read_only runs it in the caller's snapshot, without a new command; limit 0 is all rows.
 */
uint64
statement_run(Statement *plan, const Datum *values, const char *nulls, bool read_only, long limit)
{
	int result;

	statement_current(plan);
	result = SPI_execute_plan(plan->plan, (Datum *) values, nulls, read_only, limit);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/*
 * Runs a plan within statement_begin() in the caller's snapshot, and returns its rows as those of the
 * set-returning function that is being executed; returns their number.  They go to the caller's tuplestore
 * one by one, which spills to disk.
 */
uint64
statement_return_query(FunctionCallInfo fcinfo, Statement *plan, const Datum *values, const char *nulls)
{
	ReturnSetInfo	 *set = (ReturnSetInfo *) fcinfo->resultinfo;
	SPIExecuteOptions options = {0};
	int				  nparams, result;

	InitMaterializedSRF(fcinfo, 0);
	statement_current(plan);
	nparams = SPI_getargcount(plan->plan);

	/* none rather than an empty list, which Citus 13.2 does not bear */
	if (nparams > 0)
	{
		options.params = makeParamList(nparams);
		options.params->numParams = nparams;
	}
	for (int i = 0; i < nparams; i++)
	{
		options.params->params[i].value = values[i];
		options.params->params[i].isnull = nulls != NULL && nulls[i] == 'n';
		options.params->params[i].pflags = PARAM_FLAG_CONST;
		options.params->params[i].ptype = SPI_getargtypeid(plan->plan, i);
	}
	options.read_only = true;
	options.dest = CreateDestReceiver(DestTuplestore);
	SetTuplestoreDestReceiverParams(options.dest, set->setResult, set->econtext->ecxt_per_query_memory,
									false, set->setDesc,
									"rows of the statement do not fit the function");
	result = SPI_execute_plan_extended(plan->plan, &options);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan_extended failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

Datum
statement_value_at(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

Datum
statement_value(int column, bool *isnull)
{
	return statement_value_at(0, column, isnull);
}

void
statement_returns_table(FunctionCallInfo fcinfo)
{
	InitMaterializedSRF(fcinfo, 0);
}

/*
 * Adds a row of the last result to what the function returns: as many of its first columns as are declared.
 */
void
statement_return_row(FunctionCallInfo fcinfo, uint64 row)
{
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;
	int			   ncolumns = set->setDesc->natts;
	Datum		  *values = palloc(ncolumns * sizeof(Datum));
	bool		  *nulls = palloc(ncolumns * sizeof(bool));

	for (int i = 0; i < ncolumns; i++)
		values[i] = statement_value_at(row, i + 1, &nulls[i]);
	tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
	pfree(values);
	pfree(nulls);
}
