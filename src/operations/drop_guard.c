/*
 * drop_guard.c
 *		Protection against accidental drops: DROP EXTENSION, DROP SCHEMA and DROP OWNED.
 *
 *	announced	of a command: event trigger openinfo_guard has seen it start, so it is one of the three
 *	our tables	those that the migrations create, and their partitions and other descendants
 *
 * The event trigger only announces the command; the object access hook raises the error when that command is
 * about to drop the extension, or one of our tables, while it holds rows.  By then PostgreSQL has checked
 * that the caller may drop it and that nothing else forbids it, so PostgreSQL's own errors come first, and
 * every way to the drop (CASCADE, a DO block, another schema that the extension depends on) ends in the same
 * place.
 *
 * Invariant: whether a command is refused depends on the command alone, never on whether this session has
 * loaded the library before.  So a plain DROP TABLE, which no event trigger announces, is never refused: it
 * names the table, only its owner may run it, and pg_restore --clean runs it for every table.  If the event
 * trigger had DROP TABLE in its list, no table of the database could be dropped on a server that has lost the
 * library.
 */
#include "openinfo.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_inherits.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/catalog.h"
#include "core/errors.h"
#include "operations/drop_guard.h"

/* Name of the announced command that is running, or NULL. */
static const char *announced = NULL;

static object_access_hook_type	next_access_hook = NULL;
static ProcessUtility_hook_type next_utility_hook = NULL;

/* --------------------------------------------------------------------------------------------------------
 * The command
 * -------------------------------------------------------------------------------------------------------- */

/*
 * guard_against_drop() returns event_trigger: ON ddl_command_start, tags DROP EXTENSION, DROP SCHEMA, DROP
 * OWNED
 *
 * Announces the command; because it is written in C, it also loads the library, and so the hook.
 * Callers: event trigger openinfo_guard.  Errors: 39P01 when called otherwise.
 */
PG_FUNCTION_INFO_V1(openinfo_guard_against_drop);
Datum
openinfo_guard_against_drop(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		error_not_trigger("guard_against_drop");
	announced = GetCommandTagName(((EventTriggerData *) fcinfo->context)->tag);
	PG_RETURN_NULL();
}

/*
 * Every command starts unannounced, and restores the announcement of the command around it when it ends: an
 * event trigger of the user's may run commands of its own between the announcement and the drop.
 */
static void
guard_utility(PlannedStmt *statement, const char *query, bool read_only_tree, ProcessUtilityContext context,
			  ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver,
			  QueryCompletion *completion)
{
	const char *around = announced;

	announced = NULL;
	PG_TRY();
	{
		ProcessUtility_hook_type next = next_utility_hook ? next_utility_hook : standard_ProcessUtility;

		next(statement, query, read_only_tree, context, params, environment, receiver, completion);
	}
	PG_FINALLY();
	{
		announced = around;
	}
	PG_END_TRY();
}

/* The command that loaded the library did not pass through guard_utility(): its announcement ends here. */
static void
guard_transaction_end(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		announced = NULL;
}

/* --------------------------------------------------------------------------------------------------------
 * What is protected
 * -------------------------------------------------------------------------------------------------------- */

/* Is a relation one of our tables? */
static bool
guard_is_ours(Oid relid)
{
	Relation	inherits;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	char		kind = get_rel_relkind(relid);
	bool		ours = false;

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
		return false;
	if (catalog_is_ours(relid))
		return true;

	inherits = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (!ours && HeapTupleIsValid(tuple = systable_getnext(scan)))
		ours = guard_is_ours(((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
	systable_endscan(scan);
	table_close(inherits, AccessShareLock);
	return ours;
}

/*
 * Raises an error when a table, or one of its descendants, holds rows.  It counts those of now, not those of
 * the statement's snapshot: other transactions may have committed rows since that was taken.  Row-level
 * security is ignored; only the number is reported.
 */
static void
guard_check_rows(Oid relid)
{
	Snapshot  now;
	ListCell *lc;
	int64	  rows = 0;

	LockRelationOid(relid, AccessShareLock);
	if (get_rel_name(relid) == NULL)
		return;
	now = RegisterSnapshot(GetLatestSnapshot());
	foreach (lc, find_all_inheritors(relid, AccessShareLock, NULL))
	{
		Relation		rel = table_open(lfirst_oid(lc), NoLock);
		TableScanDesc	scan;
		TupleTableSlot *slot;

		if (rel->rd_rel->relkind == RELKIND_RELATION && !RELATION_IS_OTHER_TEMP(rel))
		{
			slot = table_slot_create(rel, NULL);
			scan = table_beginscan(rel, now, 0, NULL);
			while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
			{
				CHECK_FOR_INTERRUPTS();
				rows++;
			}
			table_endscan(scan);
			ExecDropSingleTupleTableSlot(slot);
		}
		table_close(rel, NoLock);
	}
	UnregisterSnapshot(now);
	if (rows > 0)
		error_drop(announced, get_rel_name(relid), rows);
}

/*
 * The extension itself: without it the tables lose their policies, their triggers and all columns of its
 * types.  Tables that the same command has dropped already were empty.
 */
static void
guard_check_extension(void)
{
	for (int i = 0; catalog_tables[i] != NULL; i++)
	{
		Oid relid = get_relname_relid(catalog_tables[i], catalog_schema());

		if (OidIsValid(relid) && guard_is_ours(relid))
			guard_check_rows(relid);
	}
}

static void
guard_access(ObjectAccessType access, Oid class, Oid object, int column, void *arg)
{
	Oid extension;

	if (next_access_hook)
		next_access_hook(access, class, object, column, arg);

	if (access != OAT_DROP || announced == NULL || openinfo_allow_drop)
		return;
	if (class != ExtensionRelationId && (class != RelationRelationId || column != 0))
		return;
	extension = get_extension_oid("openinfo", true);
	if (!OidIsValid(extension))
		return;

	if (class == ExtensionRelationId && object == extension)
		guard_check_extension();
	else if (class == RelationRelationId && guard_is_ours(object))
		guard_check_rows(object);
}

void
drop_guard_init(void)
{
	next_access_hook = object_access_hook;
	object_access_hook = guard_access;
	next_utility_hook = ProcessUtility_hook;
	ProcessUtility_hook = guard_utility;
	RegisterXactCallback(guard_transaction_end, NULL);
}
