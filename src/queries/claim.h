/*
 * claim.h
 *		How workers claim items.
 */
#ifndef OPENINFO_CLAIM_H
#define OPENINFO_CLAIM_H

#include "openinfo.h"

#include "datatype/timestamp.h"

#include "core/statement.h"

#define CLAIM_LEASE (INT64CONST(15) * USECS_PER_MINUTE)

/*
 * How items are claimed.  claim: $1 the number of items, $2 the time, $3 the end of the lease; returns the
 * items that it has updated, with one column after those of the function: whether the item turned out to be
 * exhausted.  Those are not returned; others are claimed in their place.
 *
 * Where Citus distributes the tables, due returns the workspaces of the first $1 items that are due at $2, a
 * row for each item; claim_there is claim in workspace $4.
 */
typedef struct Claim
{
	Statement claim;
	Statement claim_there;
	Statement due;
} Claim;

#define CLAIM(claim, claim_there, due)                                      \
	{                                                                       \
		STATEMENT(claim, "int4, timestamptz, timestamptz"),                 \
			STATEMENT(claim_there, "int4, timestamptz, timestamptz, uuid"), \
			STATEMENT(due, "int4, timestamptz")                             \
	}

/* The condition that claim_there has in addition, on each table. */
#define CLAIM_THERE " AND workspace_id = $4"

/* What a row of the last result adds to the result of a function that claims; statement_return_row(). */
typedef void (*ClaimReturnRow)(FunctionCallInfo fcinfo, uint64 row);

extern Datum claim_run(FunctionCallInfo fcinfo, const char *function, Claim *claim,
					   ClaimReturnRow return_row);

#endif
