/*
 * queries.c
 *		Queries: their names, and how many of a workspace may be active at once.
 *
 *	plan of a workspace	the best plan among its members: the one with most active queries.  A workspace without members,
 *						which only the service can make, is on plan "free"
 *	limit				plans.active_queries of that plan; NULL is unlimited
 *
 * Invariant: no statement leaves a workspace with more active queries than its plan allows, unless they were active
 * before it.  A limit that is lowered stops no query; it only lets none become active until there is room again.
 */
#include "openinfo.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/predicate.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "identity.h"
#include "members.h"
#include "plans.h"
#include "refuse.h"

/* ------------------------------------------------------------------------------------------------------------------
 * The limit
 * ------------------------------------------------------------------------------------------------------------------ */

#define DEFAULT_PLAN "free"

/* What the plan of a workspace says about queries. */
typedef struct QueryPlan
{
	char *name;
	bool  unlimited;
	int32 active;
} QueryPlan;

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

/* The best of some plans, none known: nothing is allowed. */
static void
best_plan(const List *names, Snapshot snapshot, QueryPlan *best)
{
	Relation	rel = table_open(catalog_table("plans"), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	int			name_column = SPI_fnumber(desc, "name");
	int			active_column = SPI_fnumber(desc, "active_queries");
	SysScanDesc scan;
	HeapTuple	tuple;

	if (name_column <= 0 || active_column <= 0)
		refuse_missing_column("plans", name_column <= 0 ? "name" : "active_queries");

	best->name = NULL;
	best->unlimited = false;
	best->active = 0;
	scan = systable_beginscan(rel, InvalidOid, false, snapshot, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool	  isnull, unlimited, wanted = false;
		int32	  active = DatumGetInt32(heap_getattr(tuple, active_column, desc, &unlimited));
		char	 *name = TextDatumGetCString(heap_getattr(tuple, name_column, desc, &isnull));
		ListCell *lc;

		foreach (lc, names)
			wanted = wanted || strcmp(lfirst(lc), name) == 0;
		if (!wanted)
			continue;
		/* of equal ones the first in the alphabet, so that a refusal names the same plan every time */
		if (best->name == NULL || unlimited > best->unlimited || (unlimited == best->unlimited && (unlimited || active == best->active) && strcmp(name, best->name) < 0) ||
			(!unlimited && !best->unlimited && active > best->active))
		{
			best->name = name;
			best->unlimited = unlimited;
			best->active = unlimited ? 0 : active;
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/*
 * Active queries of a workspace, by the index that has no others: as an index-only scan it need not look at the rows of a
 * page that everybody sees.
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

/* Active queries of a workspace; counting ends at "enough". */
static int64
count_active(const pg_uuid_t *workspace, Snapshot snapshot, int64 enough)
{
	const QueriesTable *queries = catalog_queries();
	Relation			rel = table_open(queries->relid, AccessShareLock);
	ScanKeyData			key;
	SysScanDesc			scan;
	HeapTuple			tuple;
	int64				count = 0;
	bool				isnull;

	ScanKeyInit(&key, queries->workspace_id, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(workspace));
	if (queries->active_alone)
		count = count_index(rel, queries->active_index, &key, snapshot, enough);
	else
	{
		scan = systable_beginscan(rel, queries->active_index, OidIsValid(queries->active_index), snapshot, 1, &key);
		while (count < enough && HeapTupleIsValid(tuple = systable_getnext(scan)))
			if (DatumGetObjectId(heap_getattr(tuple, queries->status, RelationGetDescr(rel), &isnull)) == queries->active)
				count++;
		systable_endscan(scan);
	}
	table_close(rel, AccessShareLock);
	return count;
}

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
	Snapshot   snapshot = GetActiveSnapshot();
	Caller	   caller;
	QueryPlan  plan;
	pg_uuid_t *workspace;
	pg_uuid_t  person;
	List	  *names;

	if (PG_ARGISNULL(0))
	{
		/* the default of somebody without a membership */
		identity_caller(&caller);
		if (!caller.is_service && !identity_person(&person))
			refuse_signed_out();
		PG_RETURN_BOOL(false);
	}
	workspace = PG_GETARG_UUID_P(0);
	identity_authorize_workspace(&caller, workspace);

	names = plan_names(workspace, snapshot);
	if (names == NIL)
	{
		if (!workspace_exists(workspace, snapshot))
			PG_RETURN_BOOL(false);
		names = list_make1(DEFAULT_PLAN);
	}
	best_plan(names, snapshot, &plan);
	PG_RETURN_BOOL(plan.unlimited || count_active(workspace, snapshot, plan.active) < plan.active);
}

/*
 * limit_active_queries() returns trigger: AFTER INSERT OR UPDATE FOR EACH ROW, for a row that has become active in its
 * workspace
 *
 * After, so that it judges what the statement leaves: all its rows, in the workspace and with the status that they were
 * stored with.  One transaction at a time counts the queries of a workspace, and it counts them as of now: also under
 * REPEATABLE READ it must see the query that the transaction before it made active.
 * Errors: PT402 one active query too many.  Locks: the workspace's row, NO KEY UPDATE, until the end of the transaction.
 */
PG_FUNCTION_INFO_V1(openinfo_limit_active_queries);
Datum
openinfo_limit_active_queries(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	HeapTuple	 row;
	pg_uuid_t	 workspace;
	PlanScope	 scope;
	Snapshot	 snapshot;
	QueryPlan	 plan;
	List		*names;
	bool		 isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event) || RelationGetRelid(trigger->tg_relation) != catalog_queries()->relid)
		refuse_not_trigger("limit_active_queries");
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	workspace = *DatumGetUUIDP(heap_getattr(row, catalog_queries()->workspace_id, RelationGetDescr(trigger->tg_relation), &isnull));

	plans_begin(&scope);
	(void) members_lock_workspace(&workspace);
	plans_end(&scope);

	CommandCounterIncrement();
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	names = plan_names(&workspace, snapshot);
	best_plan(names == NIL ? list_make1(DEFAULT_PLAN) : names, snapshot, &plan);
	if (!plan.unlimited && count_active(&workspace, snapshot, (int64) plan.active + 1) > plan.active)
	{
		int64 used, after = count_active(&workspace, snapshot, PG_INT64_MAX);

		/* the copy that is ours, turned back to before the command that wrote the row */
		snapshot->curcid = HeapTupleHeaderGetCmin(row->t_data);
		used = count_active(&workspace, snapshot, PG_INT64_MAX);
		refuse_plan_limit("active queries", plan.name, plan.active, used, Max(after - used, 1));
	}
	UnregisterSnapshot(snapshot);
	return PointerGetDatum(NULL);
}

/* ------------------------------------------------------------------------------------------------------------------
 * Names
 * ------------------------------------------------------------------------------------------------------------------ */

#define NAMELESS "Untitled query"
#define NAME_LONGEST 120 /* characters */
#define NAME_MAX_PARTS 5 /* filters that are named */
#define NAME_MAX_ITEMS 3 /* elements of an array that are named */

/* Appends a text with each run of white space as one space, and none at its ends. */
static void
append_folded(StringInfo name, const char *string, int length)
{
	int	 start = name->len;
	bool space = false;

	for (int i = 0; i < length; i++)
	{
		if ((unsigned char) string[i] <= ' ' || string[i] == 0x7f)
			space = true;
		else
		{
			if (space && name->len > start)
				appendStringInfoChar(name, ' ');
			space = false;
			appendStringInfoChar(name, string[i]);
		}
	}
}

/* Appends a scalar that has something to show. */
static void
append_scalar(StringInfo name, const JsonbValue *value)
{
	if (value->type == jbvString)
		append_folded(name, value->val.string.val, value->val.string.len);
	else if (value->type == jbvNumeric)
		appendStringInfoString(name, DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))));
}

/* {"min": 50, "max": 200} is 50-200, {"min": 50} is 50+, {"max": 200} is up to 200. */
static bool
append_range(StringInfo name, JsonbContainer *object)
{
	JsonbValue *min = getKeyJsonValueFromContainer(object, "min", strlen("min"), NULL);
	JsonbValue *max = getKeyJsonValueFromContainer(object, "max", strlen("max"), NULL);
	bool		has_min = min && min->type == jbvNumeric;
	bool		has_max = max && max->type == jbvNumeric;

	if (!has_min && has_max)
		appendStringInfoString(name, "up to ");
	if (has_min)
		append_scalar(name, min);
	if (has_min)
		appendStringInfoChar(name, has_max ? '-' : '+');
	if (has_max)
		append_scalar(name, max);
	return has_min || has_max;
}

/* Scalars of an array, or of an object in the order of its keys. */
static void
append_container(StringInfo name, JsonbContainer *container)
{
	JsonbIterator	  *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue		   value;
	int				   items = 0;

	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE && items < NAME_MAX_ITEMS)
	{
		int before = name->len;

		if (token != WJB_ELEM && token != WJB_VALUE)
			continue;
		if (items > 0)
			appendStringInfoString(name, token == WJB_ELEM ? "/" : " ");
		before = items > 0 ? name->len : before;
		append_scalar(name, &value);
		if (name->len > before)
			items++;
		else if (items > 0)
		{
			/* nothing to show: take the separator back */
			name->len = before - 1;
			name->data[name->len] = '\0';
		}
	}
}

/* The name that a query gets from its topic and its filters: "topic: filter, filter"; never blank. */
static text *
make_name(text *topic, Jsonb *filters)
{
	StringInfoData name;

	initStringInfo(&name);
	if (topic)
		append_folded(&name, VARDATA_ANY(topic), VARSIZE_ANY_EXHDR(topic));
	if (name.len == 0)
		appendStringInfoString(&name, NAMELESS);

	if (filters && JB_ROOT_IS_OBJECT(filters))
	{
		JsonbIterator	  *it = JsonbIteratorInit(&filters->root);
		JsonbIteratorToken token;
		JsonbValue		   value;
		int				   parts = 0;

		while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE && parts < NAME_MAX_PARTS)
		{
			StringInfoData part;

			if (token != WJB_VALUE)
				continue;
			initStringInfo(&part);
			if (value.type != jbvBinary)
				append_scalar(&part, &value);
			else if (!JsonContainerIsObject(value.val.binary.data) || !append_range(&part, value.val.binary.data))
				append_container(&part, value.val.binary.data);
			if (part.len > 0)
				appendStringInfo(&name, "%s%s", parts++ == 0 ? ": " : ", ", part.data);
			pfree(part.data);
		}
	}
	return cstring_to_text_with_len(name.data, pg_mbcharcliplen(name.data, name.len, NAME_LONGEST));
}

/*
 * generate_query_name(topic_name text, query_filters jsonb) returns text
 *
 * The topic, and after a colon what the filters say: strings, numbers, lists and ranges, in the order of their keys; what
 * is null, empty or of another type is passed over.  Never NULL, never blank.  IMMUTABLE.  Callers: authenticated,
 * service_role.  Errors: none.
 */
PG_FUNCTION_INFO_V1(openinfo_generate_query_name);
Datum
openinfo_generate_query_name(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(make_name(PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0), PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1)));
}

/* A topic's text, or NULL when there is no such topic: the foreign key will say so. */
static text *
topic_text(Datum id)
{
	Relation	rel = table_open(catalog_table("global_topics"), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	int			id_column = SPI_fnumber(desc, "id");
	int			topic_column = SPI_fnumber(desc, "topic");
	Oid			index;
	Snapshot	snapshot;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	text	   *result = NULL;
	bool		isnull;

	if (id_column <= 0 || topic_column <= 0)
		refuse_missing_column("global_topics", id_column <= 0 ? "id" : "topic");
	index = catalog_unique_index(rel, id_column, InvalidAttrNumber);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyInit(&key, id_column, BTEqualStrategyNumber, F_UUID_EQ, id);
	scan = systable_beginscan(rel, index, OidIsValid(index), snapshot, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		result = DatumGetTextPCopy(heap_getattr(tuple, topic_column, desc, &isnull));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return result;
}

/*
 * set_query_name() returns trigger: BEFORE INSERT OR UPDATE FOR EACH ROW WHEN (NEW.name IS NULL)
 *
 * A query without a name gets one from its topic and filters.
 */
PG_FUNCTION_INFO_V1(openinfo_set_query_name);
Datum
openinfo_set_query_name(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc	 desc;
	HeapTuple	 row;
	Datum		 topic, filters, name;
	bool		 no_topic, no_filters, isnull = false;
	int			 column;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event) || RelationGetRelid(trigger->tg_relation) != catalog_queries()->relid)
		refuse_not_trigger("set_query_name");
	desc = RelationGetDescr(trigger->tg_relation);
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;

	topic = heap_getattr(row, catalog_column(catalog_queries()->relid, "topic_id"), desc, &no_topic);
	filters = heap_getattr(row, catalog_column(catalog_queries()->relid, "filters"), desc, &no_filters);
	name = PointerGetDatum(make_name(no_topic ? NULL : topic_text(topic), no_filters ? NULL : DatumGetJsonbP(filters)));
	column = catalog_column(catalog_queries()->relid, "name");
	return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, 1, &column, &name, &isnull));
}

/* ------------------------------------------------------------------------------------------------------------------
 * The week
 * ------------------------------------------------------------------------------------------------------------------ */

/*
 * reset_weekly_lead_counts() returns bigint
 *
 * Sets leads_this_week to zero where it is not, and returns how often.  Callers: the scheduler's role, service_role.
 * Errors: 42501 anybody else.  Locks: the rows that it writes; and itself, by its entry in pg_proc, because two of it could
 * meet the rows in a different order.
 */
PG_FUNCTION_INFO_V1(openinfo_reset_weekly_lead_counts);
Datum
openinfo_reset_weekly_lead_counts(PG_FUNCTION_ARGS)
{
	static KeptPlan reset = KEPT_PLAN("UPDATE @extschema@.queries SET leads_this_week = 0 WHERE leads_this_week <> 0", "");
	PlanScope		scope;
	uint64			rows;

	identity_authorize_service("reset_weekly_lead_counts");
	PreventCommandIfReadOnly("reset_weekly_lead_counts()");
	LockDatabaseObject(ProcedureRelationId, fcinfo->flinfo->fn_oid, 0, ShareUpdateExclusiveLock);

	plans_begin(&scope);
	rows = plans_run(&reset, NULL, NULL, false, 0);
	plans_end(&scope);
	PG_RETURN_INT64((int64) rows);
}
