/*
 * cluster.c
 *		Distributing the tables over the nodes of a Citus cluster, and back.
 *
 * The work is done by functions in SQL.  These are procedures for two reasons: Citus sends SET LOCAL to the
 * nodes from a procedure and not from a function, and what is granted on shards must find them committed.
 */
#include "openinfo.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"

#include "core/catalog.h"

/* Runs a statement, which may name the schema by %s; returns its value, a boolean, or false. */
static bool
cluster_run(const char *format)
{
	bool  isnull = true;
	Datum value = (Datum) 0;

	if (SPI_execute(psprintf(format, catalog_schema_name()), false, 0) < 0)
		elog(ERROR, "SPI_execute failed");
	if (SPI_processed > 0 && SPI_tuptable != NULL && SPI_gettypeid(SPI_tuptable->tupdesc, 1) == BOOLOID)
		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return !isnull && DatumGetBool(value);
}

static void
cluster_begin(FunctionCallInfo fcinfo, const char *procedure)
{
	bool atomic = fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
				  castNode(CallContext, fcinfo->context)->atomic;

	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be superuser to call %s()", procedure)));
	if (SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	(void) cluster_run("SELECT %s.require_cluster()");
	if (atomic)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s() cannot run inside a transaction block", procedure)));
}

/* In this transaction triggers are fired neither here nor on the nodes: rows are copied as they are. */
static void
cluster_quiet(void)
{
	(void) cluster_run("SET LOCAL citus.propagate_set_commands = 'local'");
	(void) cluster_run("SET LOCAL session_replication_role = replica");
}

/*
 * distribute(), a procedure
 *
 * Distributes the tables by workspace; docs/scale-out.md.  Called again, it grants INSERT on shards that have
 * been moved.
 * Callers: superusers, outside of a transaction block.  Errors: 42501; 0A000 without Citus; 55000 on a
 * worker, when roles cannot log in (the hint has the statements), when leads is partitioned; 25001 in
 * a transaction block.  Locks: every table, ACCESS EXCLUSIVE.
 */
PG_FUNCTION_INFO_V1(openinfo_distribute);
Datum
openinfo_distribute(PG_FUNCTION_ARGS)
{
	cluster_begin(fcinfo, "distribute");
	(void) cluster_run("SELECT %s.require_owned_tables()");
	if (!cluster_run("SELECT %s.is_distributed()"))
	{
		cluster_quiet();
		(void) cluster_run("SELECT %s.distribute_tables()");
		SPI_commit();
	}
	(void) cluster_run("SELECT %s.grant_on_shards()");
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * undistribute(), a procedure
 *
 * Brings all rows back to the coordinator, and keys and policies to what they are on one server; does nothing
 * when the tables are not distributed.  Callers, errors and locks: as distribute().
 */
PG_FUNCTION_INFO_V1(openinfo_undistribute);
Datum
openinfo_undistribute(PG_FUNCTION_ARGS)
{
	cluster_begin(fcinfo, "undistribute");
	if (cluster_run("SELECT %s.is_distributed()"))
		(void) cluster_run("SELECT %s.undistribute_tables()");
	SPI_finish();
	PG_RETURN_VOID();
}
