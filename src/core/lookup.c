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
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/catalog.h"
#include "core/lookup.h"
#include "core/shards.h"

/* The value of the key that is the workspace of a tenant table; NULL when there is none. */
static const pg_uuid_t *
lookup_workspace(Oid relid, const LookupKey *keys, int nkeys)
{
	AttrNumber workspace = get_attnum(relid, "workspace_id");

	for (int i = 0; i < nkeys; i++)
		if (workspace != InvalidAttrNumber && keys[i].column == workspace)
			return DatumGetUUIDP(keys[i].value);
	return NULL;
}

/* A column of the table in the relation that has its rows: columns of a shard may be numbered otherwise. */
static AttrNumber
lookup_column(const Lookup *lookup, AttrNumber column)
{
	if (lookup->rel == NULL || RelationGetRelid(lookup->rel) == lookup->relid)
		return column;
	return get_attnum(RelationGetRelid(lookup->rel), get_attname(lookup->relid, column, false));
}

/*
 * Asks the other nodes of a cluster for the rows, all columns of them.  A part of a statement that another
 * node runs here does not: rows of its workspace are here, and where they are not, there are none.
 */
static void
lookup_ask(Lookup *lookup, bool latest, const LookupKey *keys, int nkeys)
{
	StringInfoData sql;
	Oid			   types[LOOKUP_MAX_KEYS];
	Datum		   values[LOOKUP_MAX_KEYS];

	if (shards_is_internal())
		return;
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT * FROM %s.%s", catalog_schema_name(),
					 quote_identifier(get_rel_name(lookup->relid)));
	for (int i = 0; i < nkeys; i++)
	{
		appendStringInfo(&sql, " %s %s = $%d", i == 0 ? "WHERE" : "AND",
						 quote_identifier(get_attname(lookup->relid, keys[i].column, false)), i + 1);
		types[i] = keys[i].type;
		values[i] = keys[i].value;
	}
	/*
	 * As the caller where a policy lets them see the rows: Citus has a connection for each role, and one does
	 * not see what another has written in the transaction.
	 */
	lookup->asked = true;
	if (lookup_workspace(lookup->relid, keys, nkeys) != NULL && !latest)
		statement_begin_as_caller(&lookup->scope);
	else
		statement_begin(&lookup->scope);
	if (SPI_execute_with_args(sql.data, nkeys, types, values, NULL, !latest, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not ask other nodes for rows of table \"%s\"", get_rel_name(lookup->relid));
	lookup->answer = SPI_tuptable;
}

/*
 * Begins a scan for the rows in which every key is equal.  index: a unique btree index whose first columns
 * are the keys, if the caller knows one; otherwise one that begins with the keys is looked for, and without
 * it the whole table is read. snapshot NULL: the rows as they are now, with the changes of this transaction.
 *
 * The locks are kept until the end of the transaction, as those of any query are: taking them again is then
 * a matter of counting.
 */
void
lookup_begin(Lookup *lookup, Oid relid, Oid index, Snapshot snapshot, const LookupKey *keys, int nkeys)
{
	ScanKeyData scan_keys[LOOKUP_MAX_KEYS];
	AttrNumber	columns[LOOKUP_MAX_KEYS] = {0};
	Oid			place = relid;

	if (shards_present())
		place = shards_relation(relid, lookup_workspace(relid, keys, nkeys));
	memset(lookup, 0, sizeof(Lookup));
	lookup->relid = relid;
	if (!OidIsValid(place))
	{
		lookup_ask(lookup, snapshot == NULL, keys, nkeys);
		return;
	}
	lookup->latest = snapshot == NULL ? RegisterSnapshot(GetLatestSnapshot()) : NULL;
	if (lookup->latest)
		snapshot = lookup->latest;
	lookup->rel = table_open(place, AccessShareLock);
	for (int i = 0; i < nkeys; i++)
		columns[i] = lookup_column(lookup, keys[i].column);
	if (place != relid || !OidIsValid(index))
		index = catalog_unique_index(lookup->rel, columns[0], nkeys > 1 ? columns[1] : InvalidAttrNumber);
	for (int i = 0; i < nkeys; i++)
		ScanKeyEntryInitialize(&scan_keys[i], 0, OidIsValid(index) ? i + 1 : columns[i],
							   BTEqualStrategyNumber, InvalidOid,
							   keys[i].type == TEXTOID ? DEFAULT_COLLATION_OID : InvalidOid,
							   keys[i].type == TEXTOID ? F_TEXTEQ : F_UUID_EQ, keys[i].value);
	lookup->row = table_slot_create(lookup->rel, NULL);
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
	if (lookup->rel == NULL)
		return lookup->answer != NULL && lookup->next < lookup->answer->numvals && ++lookup->next > 0;
	if (lookup->index)
		return index_getnext_slot(lookup->index_scan, ForwardScanDirection, lookup->row);
	return table_scan_getnextslot(lookup->table_scan, ForwardScanDirection, lookup->row);
}

/* A column of the row. */
Datum
lookup_value(Lookup *lookup, AttrNumber column, bool *isnull)
{
	if (lookup->rel == NULL)
	{
		TupleDesc desc = lookup->answer->tupdesc;

		return SPI_getbinval(lookup->answer->vals[lookup->next - 1], desc,
							 SPI_fnumber(desc, get_attname(lookup->relid, column, false)), isnull);
	}
	return slot_getattr(lookup->row, lookup_column(lookup, column), isnull);
}

void
lookup_end(Lookup *lookup)
{
	if (lookup->rel == NULL)
	{
		if (lookup->asked)
			statement_end(&lookup->scope);
		return;
	}
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
