/*
 * lookup.h
 *		Rows of the extension's tables by key, read directly.
 */
#ifndef OPENINFO_LOOKUP_H
#define OPENINFO_LOOKUP_H

#include "openinfo.h"

#include "access/relscan.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
#include "utils/uuid.h"

#include "core/statement.h"

#define LOOKUP_MAX_KEYS 2

/* A column that must equal a value, of type uuid or text. */
typedef struct LookupKey
{
	AttrNumber column;
	Oid		   type;
	Datum	   value;
} LookupKey;

/* A scan that has begun. */
typedef struct Lookup
{
	Oid				relid; /* the table; rel is what has its rows on this node */
	Relation		rel;   /* NULL: its rows are on other nodes */
	Relation		index; /* NULL: the whole table is read */
	IndexScanDesc	index_scan;
	TableScanDesc	table_scan;
	TupleTableSlot *row;
	Snapshot		latest; /* registered here, or NULL */
	SPITupleTable  *answer; /* of other nodes */
	uint64			next;	/* row of the answer */
	StatementScope	scope;	/* in which the other nodes were asked */
	bool			asked;
} Lookup;

extern void	 lookup_begin(Lookup *lookup, Oid relid, Oid index, Snapshot snapshot, const LookupKey *keys,
						  int nkeys);
extern bool	 lookup_next(Lookup *lookup);
extern Datum lookup_value(Lookup *lookup, AttrNumber column, bool *isnull);
extern void	 lookup_end(Lookup *lookup);
extern bool	 lookup_id(Lookup *lookup, const char *table, const pg_uuid_t *id);

#endif
