/*
 * lookup.c
 *		Rows of the extension's tables by key, read directly.
 *
 * A direct scan costs a microsecond where a statement costs five, so it serves what runs in every statement.
 * It bypasses row-level security and grants: callers must not return anything that the user is not allowed
 * to see.
 *
 *		lookup_begin(&lookup, relid, index, snapshot, keys, nkeys);
 *		while (lookup_next(&lookup))
 *			... lookup_value(&lookup, column, &isnull) ...		-- copy what must outlive the row
 *		lookup_end(&lookup);
 *
 * Invariant: these are the only direct scans of tenant tables, so that where a table's rows are is decided
 * in one place.
 */
#include "openinfo.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/catalog.h"
#include "core/lookup.h"

/*
 * Begins a scan for the rows in which every key is equal.  index: a unique btree index whose first columns
 * are the keys, if the caller knows one; otherwise one on exactly the keys is looked for, and without it the
 * whole table is read. snapshot NULL: the rows as they are now, with the changes of this transaction.
 *
 * The locks are kept until the end of the transaction, as those of any query are: taking them again is then
 * a matter of counting.
 */
void
lookup_begin(Lookup *lookup, Oid relid, Oid index, Snapshot snapshot, const LookupKey *keys, int nkeys)
{
	ScanKeyData scan_keys[LOOKUP_MAX_KEYS];

	lookup->latest = snapshot == NULL ? RegisterSnapshot(GetLatestSnapshot()) : NULL;
	if (lookup->latest)
		snapshot = lookup->latest;
	lookup->rel = table_open(relid, AccessShareLock);
	if (!OidIsValid(index))
		index = catalog_unique_index(lookup->rel, keys[0].column,
									 nkeys > 1 ? keys[1].column : InvalidAttrNumber);
	for (int i = 0; i < nkeys; i++)
		ScanKeyEntryInitialize(&scan_keys[i], 0, OidIsValid(index) ? i + 1 : keys[i].column,
							   BTEqualStrategyNumber, InvalidOid,
							   keys[i].type == TEXTOID ? DEFAULT_COLLATION_OID : InvalidOid,
							   keys[i].type == TEXTOID ? F_TEXTEQ : F_UUID_EQ, keys[i].value);
	lookup->row = table_slot_create(lookup->rel, NULL);
	lookup->index = NULL;
	if (OidIsValid(index))
	{
		lookup->index = index_open(index, AccessShareLock);
		lookup->index_scan = compat_index_beginscan(lookup->rel, lookup->index, snapshot, nkeys);
		index_rescan(lookup->index_scan, scan_keys, nkeys, NULL, 0);
	}
	else
		lookup->table_scan = table_beginscan(lookup->rel, snapshot, nkeys, scan_keys);
}

/* Moves to the next row; false when there is none. */
bool
lookup_next(Lookup *lookup)
{
	if (lookup->index)
		return index_getnext_slot(lookup->index_scan, ForwardScanDirection, lookup->row);
	return table_scan_getnextslot(lookup->table_scan, ForwardScanDirection, lookup->row);
}

/* A column of the row. */
Datum
lookup_value(Lookup *lookup, AttrNumber column, bool *isnull)
{
	return slot_getattr(lookup->row, column, isnull);
}

void
lookup_end(Lookup *lookup)
{
	if (lookup->index)
	{
		index_endscan(lookup->index_scan);
		index_close(lookup->index, NoLock);
	}
	else
		table_endscan(lookup->table_scan);
	ExecDropSingleTupleTableSlot(lookup->row);
	table_close(lookup->rel, NoLock);
	if (lookup->latest)
		UnregisterSnapshot(lookup->latest);
}

/*
 * Begins a lookup of the row that has an id, as it is now, and moves to it; false when there is none.  End
 * it anyway.
 */
bool
lookup_id(Lookup *lookup, const char *table, const pg_uuid_t *id)
{
	Oid		  relid = catalog_table(table);
	LookupKey key = {catalog_column(relid, "id"), UUIDOID, UUIDPGetDatum(id)};

	lookup_begin(lookup, relid, InvalidOid, NULL, &key, 1);
	return lookup_next(lookup);
}
