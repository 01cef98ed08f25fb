/*
 * plan_limits.c
 *		How much of something a workspace may have at once: active queries, saved searches.
 *
 *	plan of a workspace	the best plan among its members; see MEMBERS_LARGER_FIRST.  A workspace without members, which only
 *						the service can make, is on plan "free"
 *	limit				a column of table plans; NULL is unlimited
 *	rows that count		active queries; every saved search
 *
 * Invariant: no statement adds rows that count to a workspace and leaves it with more of them than its plan allows.  A
 * limit that is lowered takes nothing away; it only lets nothing be added until there is room again.
 */
#include "openinfo.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "access/authorize.h"
#include "access/claims.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "workspaces/members.h"

#define DEFAULT_PLAN "free"
#define UNLIMITED PG_INT64_MAX

/* Limits of a plan, in the order in which they decide which plan is the larger one: that of MEMBERS_LARGER_FIRST. */
typedef enum PlanLimit
{
	PLAN_ACTIVE_QUERIES,
	PLAN_DAILY_CREDITS,
	PLAN_SAVED_SEARCHES,
	PLAN_EXPORT_ROWS
} PlanLimit;

#define PLAN_LIMITS (PLAN_EXPORT_ROWS + 1)

static const char *const plan_columns[PLAN_LIMITS] = {"active_queries", "daily_credits", "saved_searches", "export_rows"};

typedef struct WorkspacePlan
{
	char *name;
	int64 limits[PLAN_LIMITS];
} WorkspacePlan;

/* A limit whose rows are counted. */
typedef struct CountedLimit
{
	PlanLimit	limit;
	const char *function; /* of its triggers */
	const char *message;  /* of the error */
	const char *hint;
	const LimitedTable *(*table)(void);
} CountedLimit;

static const CountedLimit active_queries = {PLAN_ACTIVE_QUERIES, "limit_active_queries", "plan limit for active queries exceeded",
											"Pause or delete an active query, or upgrade the plan of the workspace.",
											catalog_queries};
static const CountedLimit saved_searches = {PLAN_SAVED_SEARCHES, "limit_saved_searches", "plan limit for saved searches exceeded",
											"Delete a saved search, or upgrade the plan of the workspace.",
											catalog_saved_searches};

/* ------------------------------------------------------------------------------------------------------------------
 * The plan
 * ------------------------------------------------------------------------------------------------------------------ */

/* The names of the plans that a workspace's members are on, each once. */
static List *
plan_names(const pg_uuid_t *workspace, Snapshot snapshot)
{
	const UsersTable *users = catalog_users();
	Relation		  rel = table_open(users->relid, AccessShareLock);
	ScanKeyData		  key;
	SysScanDesc		  scan;
	HeapTuple		  tuple;
	List			 *names = NIL;

	ScanKeyInit(&key, users->workspace_id, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(workspace));
	scan = systable_beginscan(rel, users->workspace_index, OidIsValid(users->workspace_index), snapshot, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool	  isnull, known = false;
		text	 *plan = DatumGetTextPP(heap_getattr(tuple, users->plan, RelationGetDescr(rel), &isnull));
		ListCell *lc;

		foreach (lc, names)
		{
			const char *name = lfirst(lc);

			known = strlen(name) == VARSIZE_ANY_EXHDR(plan) && memcmp(name, VARDATA_ANY(plan), VARSIZE_ANY_EXHDR(plan)) == 0;
			if (known)
				break;
		}
		if (!known)
			names = lappend(names, text_to_cstring(plan));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return names;
}

/* Of equal ones the first in the alphabet is the better, so that a refusal names the same plan every time. */
static bool
plan_better(const WorkspacePlan *plan, const WorkspacePlan *other)
{
	for (int i = 0; i < PLAN_LIMITS; i++)
		if (plan->limits[i] != other->limits[i])
			return plan->limits[i] > other->limits[i];
	return strcmp(plan->name, other->name) < 0;
}

/* The best of some plans, none known: nothing is allowed. */
static void
plan_best(const List *names, Snapshot snapshot, WorkspacePlan *best)
{
	Relation	rel = table_open(catalog_table("plans"), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	int			name_column = SPI_fnumber(desc, "name");
	int			columns[PLAN_LIMITS];
	SysScanDesc scan;
	HeapTuple	tuple;

	if (name_column <= 0)
		error_missing_column("plans", "name");
	for (int i = 0; i < PLAN_LIMITS; i++)
	{
		columns[i] = SPI_fnumber(desc, plan_columns[i]);
		if (columns[i] <= 0)
			error_missing_column("plans", plan_columns[i]);
	}

	memset(best, 0, sizeof(WorkspacePlan));
	scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		  isnull, wanted = false;
		WorkspacePlan plan = {.name = TextDatumGetCString(heap_getattr(tuple, name_column, desc, &isnull))};
		ListCell	 *lc;

		foreach (lc, names)
			wanted = wanted || strcmp(lfirst(lc), plan.name) == 0;
		if (!wanted)
			continue;
		for (int i = 0; i < PLAN_LIMITS; i++)
		{
			Datum limit = heap_getattr(tuple, columns[i], desc, &isnull);

			plan.limits[i] = isnull ? UNLIMITED : DatumGetInt32(limit);
		}
		if (best->name == NULL || plan_better(&plan, best))
			*best = plan;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/* ------------------------------------------------------------------------------------------------------------------
 * Counting
 * ------------------------------------------------------------------------------------------------------------------ */

/*
 * Rows of a workspace that count, by the index that has no others: as an index-only scan it need not look at the rows of
 * a page that everybody sees.
 */
static int64
count_index(Relation rel, Oid index_oid, ScanKey key, Snapshot snapshot, int64 enough)
{
	Relation		index = index_open(index_oid, AccessShareLock);
	IndexScanDesc	scan = compat_index_beginscan(rel, index, snapshot, 1);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	Buffer			map = InvalidBuffer;
	ItemPointer		place;
	int64			count = 0;

	/* keeps the index page pinned, so that VACUUM cannot give the place to another row before the map is asked */
	scan->xs_want_itup = true;
	key->sk_attno = 1;
	index_rescan(scan, key, 1, NULL, 0);
	while (count < enough && (place = index_getnext_tid(scan, ForwardScanDirection)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		if (VM_ALL_VISIBLE(rel, ItemPointerGetBlockNumber(place), &map))
			PredicateLockPage(rel, ItemPointerGetBlockNumber(place), snapshot);
		else if (!index_fetch_heap(scan, slot))
			continue;
		count++;
	}
	if (BufferIsValid(map))
		ReleaseBuffer(map);
	ExecDropSingleTupleTableSlot(slot);
	index_endscan(scan);
	index_close(index, AccessShareLock);
	return count;
}

/* Rows of a workspace that count; counting ends at "enough". */
static int64
count_rows(const CountedLimit *limited, const pg_uuid_t *workspace, Snapshot snapshot, int64 enough)
{
	const LimitedTable *table = limited->table();
	Relation			rel = table_open(table->relid, AccessShareLock);
	ScanKeyData			key;
	SysScanDesc			scan;
	HeapTuple			tuple;
	int64				count = 0;
	bool				isnull;

	ScanKeyInit(&key, table->workspace_id, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(workspace));
	if (table->index_alone)
		count = count_index(rel, table->index, &key, snapshot, enough);
	else
	{
		scan = systable_beginscan(rel, table->index, OidIsValid(table->index), snapshot, 1, &key);
		while (count < enough && HeapTupleIsValid(tuple = systable_getnext(scan)))
			if (table->status == InvalidAttrNumber ||
				DatumGetObjectId(heap_getattr(tuple, table->status, RelationGetDescr(rel), &isnull)) == table->active)
				count++;
		systable_endscan(scan);
	}
	table_close(rel, AccessShareLock);
	return count;
}

/* ------------------------------------------------------------------------------------------------------------------
 * Asking
 * ------------------------------------------------------------------------------------------------------------------ */

static bool
workspace_exists(const pg_uuid_t *workspace, Snapshot snapshot)
{
	Relation	rel = table_open(catalog_table("workspaces"), AccessShareLock);
	int			id = catalog_column(RelationGetRelid(rel), "id");
	Oid			index = catalog_unique_index(rel, id, InvalidAttrNumber);
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	ScanKeyInit(&key, id, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(workspace));
	scan = systable_beginscan(rel, index, OidIsValid(index), snapshot, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * check_query_limit(user_workspace_id uuid default get_user_workspace_id()) returns boolean
 *
 * May one more query of the workspace become active?  False for an unknown workspace.  Callers: authenticated for his
 * active workspace, service_role for any.  Errors: 28000 nobody signed in; 42501 another workspace.
 */
PG_FUNCTION_INFO_V1(openinfo_check_query_limit);
Datum
openinfo_check_query_limit(PG_FUNCTION_ARGS)
{
	Snapshot	  snapshot = GetActiveSnapshot();
	Caller		  caller;
	WorkspacePlan plan;
	int64		  limit;
	pg_uuid_t	 *workspace;
	pg_uuid_t	  person;
	List		 *names;

	if (PG_ARGISNULL(0))
	{
		/* the default of somebody without a membership */
		authorize_caller(&caller);
		if (!caller.is_service && !claims_person(&person))
			error_signed_out();
		PG_RETURN_BOOL(false);
	}
	workspace = PG_GETARG_UUID_P(0);
	authorize_workspace(&caller, workspace);

	names = plan_names(workspace, snapshot);
	if (names == NIL)
	{
		if (!workspace_exists(workspace, snapshot))
			PG_RETURN_BOOL(false);
		names = list_make1(DEFAULT_PLAN);
	}
	plan_best(names, snapshot, &plan);
	limit = plan.limits[PLAN_ACTIVE_QUERIES];
	PG_RETURN_BOOL(limit == UNLIMITED || count_rows(&active_queries, workspace, snapshot, limit) < limit);
}

/* ------------------------------------------------------------------------------------------------------------------
 * Enforcing
 * ------------------------------------------------------------------------------------------------------------------ */

/*
 * What both triggers do: AFTER INSERT OR UPDATE FOR EACH ROW, for a row that has come to count in its workspace
 *
 * After, so that it judges what the statement leaves: all its rows, in the workspace and as they were stored.  One
 * transaction at a time counts the rows of a workspace, and it counts them as of now: also under REPEATABLE READ it must
 * see the row that the transaction before it added.
 */
static void
limit_rows(FunctionCallInfo fcinfo, const CountedLimit *limited)
{
	TriggerData		   *trigger = (TriggerData *) fcinfo->context;
	const LimitedTable *table = limited->table();
	HeapTuple			row;
	pg_uuid_t			workspace;
	StatementScope		scope;
	Snapshot			snapshot;
	WorkspacePlan		plan;
	List			   *names;
	int64				limit;
	bool				isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event) || RelationGetRelid(trigger->tg_relation) != table->relid)
		error_not_trigger(limited->function);
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	workspace = *DatumGetUUIDP(heap_getattr(row, table->workspace_id, RelationGetDescr(trigger->tg_relation), &isnull));

	statement_begin(&scope);
	(void) members_lock_workspace(&workspace);
	statement_end(&scope);

	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	names = plan_names(&workspace, snapshot);
	plan_best(names == NIL ? list_make1(DEFAULT_PLAN) : names, snapshot, &plan);
	limit = plan.limits[limited->limit];
	if (limit != UNLIMITED && count_rows(limited, &workspace, snapshot, limit + 1) > limit)
	{
		int64 used, after = count_rows(limited, &workspace, snapshot, PG_INT64_MAX);

		/* the copy that is ours, turned back to before the command that wrote the row */
		snapshot->curcid = HeapTupleHeaderGetCmin(row->t_data);
		used = count_rows(limited, &workspace, snapshot, PG_INT64_MAX);
		error_payment_required(limited->message, limited->hint, plan.name, limit, used, Max(after - used, 1));
	}
	UnregisterSnapshot(snapshot);
}

/*
 * limit_active_queries() returns trigger: AFTER INSERT OR UPDATE FOR EACH ROW, for a query that has become active in its
 * workspace
 *
 * Errors: PT402 one active query too many.  Locks: the workspace's row, NO KEY UPDATE, until the end of the transaction.
 */
PG_FUNCTION_INFO_V1(openinfo_limit_active_queries);
Datum
openinfo_limit_active_queries(PG_FUNCTION_ARGS)
{
	limit_rows(fcinfo, &active_queries);
	return PointerGetDatum(NULL);
}

/*
 * limit_saved_searches() returns trigger: AFTER INSERT OR UPDATE FOR EACH ROW, for a saved search that has come into its
 * workspace
 *
 * Errors: PT402 one saved search too many.  Locks: the workspace's row, NO KEY UPDATE, until the end of the transaction.
 */
PG_FUNCTION_INFO_V1(openinfo_limit_saved_searches);
Datum
openinfo_limit_saved_searches(PG_FUNCTION_ARGS)
{
	limit_rows(fcinfo, &saved_searches);
	return PointerGetDatum(NULL);
}
