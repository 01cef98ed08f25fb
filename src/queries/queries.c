/*
 * queries.c
 *		Queries: their names, and the week that their leads are counted in.  How many may be active: limits.c.
 */
#include "openinfo.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "access/authorize.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"

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
		error_missing_column("global_topics", id_column <= 0 ? "id" : "topic");
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
		error_not_trigger("set_query_name");
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
	static Statement reset = STATEMENT("UPDATE @extschema@.queries SET leads_this_week = 0 WHERE leads_this_week <> 0", "");
	StatementScope	 scope;
	uint64			 rows;

	authorize_service("reset_weekly_lead_counts");
	PreventCommandIfReadOnly("reset_weekly_lead_counts()");
	LockDatabaseObject(ProcedureRelationId, fcinfo->flinfo->fn_oid, 0, ShareUpdateExclusiveLock);

	statement_begin(&scope);
	rows = statement_run(&reset, NULL, NULL, false, 0);
	statement_end(&scope);
	PG_RETURN_INT64((int64) rows);
}
