/*
 * claim.c
 *		How workers claim items: queries and leads, see work_queue.c, and events, see integrations/outbox.c.
 *
 * Invariant: an item that is claimed is locked first, and others skip it, until the claim is committed and
 * its lease can be seen.
 */
#include "openinfo.h"

#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "access/authorize.h"
#include "access/claims.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "queries/claim.h"

#define CLAIM_MAX 1000

/*
 * Runs a statement that claims, adds the items to the result, and returns their number.  Others turned out to
 * be exhausted: *again, more may be due.
 */
static int32
claim_items(FunctionCallInfo fcinfo, Statement *claim, const Datum *values, ClaimReturnRow return_row,
			bool *again)
{
	int	   exhausted_column = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc->natts + 1;
	uint64 updated = statement_run(claim, values, NULL, false, 0);
	int32  claimed = 0;

	for (uint64 row = 0; row < updated; row++)
	{
		bool isnull;

		if (DatumGetBool(statement_value_at(row, exhausted_column, &isnull)))
			*again = true;
		else
		{
			return_row(fcinfo, row);
			claimed++;
		}
	}
	return claimed;
}

/*
 * Claims where Citus distributes the tables, and locks rows of one workspace at a time: of each workspace as
 * many as it has among the first items that are due.  When others have claimed these, more are looked at.
 */
static void
claim_by_workspace(FunctionCallInfo fcinfo, Claim *claim, Datum *values, int32 wanted,
				   ClaimReturnRow return_row)
{
	bool again = true;

	for (int32 look = wanted; again && wanted > 0; look = Min(look, PG_INT32_MAX / 4) * 4)
	{
		SPITupleTable *due;
		pg_uuid_t	 **workspaces;
		int32		   found;
		bool		   isnull;

		values[0] = Int32GetDatum(look);
		found = (int32) statement_run(&claim->due, values, NULL, false, 0);
		again = found == look;
		due = SPI_tuptable;
		workspaces = palloc(found * sizeof(pg_uuid_t *));
		for (int32 i = 0; i < found; i++)
			workspaces[i] = DatumGetUUIDP(SPI_getbinval(due->vals[i], due->tupdesc, 1, &isnull));
		for (int32 first = 0; first < found && wanted > 0; first++)
		{
			int32 items = 0;

			if (workspaces[first] == NULL)
				continue;
			values[3] = UUIDPGetDatum(workspaces[first]);
			for (int32 i = first; i < found; i++)
				if (workspaces[i] && uuid_same(workspaces[i], DatumGetUUIDP(values[3])))
					workspaces[i] = NULL, items++;
			values[0] = Int32GetDatum(Min(items, wanted));
			wanted -= claim_items(fcinfo, &claim->claim_there, values, return_row, &again);
		}
	}
}

/* A function that claims: claim(batch_size int) returns table(...). */
Datum
claim_run(FunctionCallInfo fcinfo, const char *function, Claim *claim,
		  ClaimReturnRow return_row)
{
	TimestampTz	   now = GetCurrentStatementStartTimestamp();
	Datum		   values[4] = {0, TimestampTzGetDatum(now), TimestampTzGetDatum(now + CLAIM_LEASE)};
	StatementScope scope;
	int32		   wanted;
	bool		   again = true;

	authorize_service(function);
	if (PG_ARGISNULL(0))
		error_null("batch_size");
	if (PG_GETARG_INT32(0) < 1)
		error_below_one("batch_size", PG_GETARG_INT32(0));
	wanted = Min(PG_GETARG_INT32(0), CLAIM_MAX);

	statement_returns_table(fcinfo);
	statement_begin(&scope);
	if (catalog_is_distributed())
		claim_by_workspace(fcinfo, claim, values, wanted, return_row);
	else
		while (again && wanted > 0)
		{
			again = false;
			values[0] = Int32GetDatum(wanted);
			wanted -= claim_items(fcinfo, &claim->claim, values, return_row, &again);
		}
	statement_end(&scope);
	return (Datum) 0;
}
