/*
 * lookup.h
 *		Rows of the extension's tables by key, read directly.
 */
#ifndef OPENINFO_LOOKUP_H
#define OPENINFO_LOOKUP_H

#include "openinfo.h"

#include "access/relscan.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
#include "utils/uuid.h"

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
	Relation		rel;
	Relation		index; /* NULL: the whole table is read */
	IndexScanDesc	index_scan;
	TableScanDesc	table_scan;
	TupleTableSlot *row;
	Snapshot		latest; /* registered here, or NULL */
} Lookup;

extern void	 lookup_begin(Lookup *lookup, Oid relid, Oid index, Snapshot snapshot, const LookupKey *keys,
						  int nkeys);
extern bool	 lookup_next(Lookup *lookup);
extern Datum lookup_value(Lookup *lookup, AttrNumber column, bool *isnull);
extern void	 lookup_end(Lookup *lookup);
extern bool	 lookup_id(Lookup *lookup, const char *table, const pg_uuid_t *id);

#endif
