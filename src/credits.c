/*
 * credits.c
 *		Credits: how many a member may spend per UTC day, and the ledger of what was spent.
 */
#include "openinfo.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "refuse.h"

/* Is there still a row with that id?  As of now, with this transaction's own changes: a cascade is one of them. */
static bool
row_exists(const char *table, Datum id)
{
	Relation	rel = table_open(catalog_table(table), AccessShareLock);
	int			attnum = SPI_fnumber(RelationGetDescr(rel), "id");
	Oid			index = catalog_unique_index(rel, attnum, InvalidAttrNumber);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	ScanKeyInit(&key, attnum, BTEqualStrategyNumber, F_UUID_EQ, id);
	scan = systable_beginscan(rel, index, OidIsValid(index), snapshot, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return found;
}

/* Is a column that may be forgotten set to null because the user it named has been removed? */
static bool
author_removed(const char *column, Datum before, bool now_null)
{
	return (strcmp(column, "user_id") == 0 || strcmp(column, "created_by") == 0) && now_null && !row_exists("users", before);
}

/*
 * keep_ledger() returns trigger: BEFORE UPDATE OR DELETE FOR EACH ROW, BEFORE TRUNCATE FOR EACH STATEMENT
 *
 * The ledger is append-only, for every role.  Two things pass, both done by foreign keys: a row goes with its workspace,
 * and a removed user is forgotten in it.  Errors: 42501.
 */
PG_FUNCTION_INFO_V1(openinfo_keep_ledger);
Datum
openinfo_keep_ledger(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation	 rel;
	TupleDesc	 desc;
	bool		 isnull;
	bool		 forgotten = false;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event))
		refuse_not_trigger("keep_ledger");
	rel = trigger->tg_relation;
	desc = RelationGetDescr(rel);

	if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		refuse_ledger_change(RelationGetRelationName(rel));

	if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		int workspace_id = SPI_fnumber(desc, "workspace_id");

		if (workspace_id <= 0 || row_exists("workspaces", heap_getattr(trigger->tg_trigtuple, workspace_id, desc, &isnull)))
			refuse_ledger_change(RelationGetRelationName(rel));
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
			refuse_ledger_change(RelationGetRelationName(rel));
		forgotten = true;
	}
	/* an UPDATE that changes nothing is one too: it would move updated_at */
	if (!forgotten)
		refuse_ledger_change(RelationGetRelationName(rel));
	return PointerGetDatum(trigger->tg_newtuple);
}
