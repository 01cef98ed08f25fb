/*
 * queries.c
 *		Queries: their names, the time of their next run, and the week that their leads are counted in.
 *
 * How many of them may be active is the concern of workspaces/plan_limits.c, who runs them that of
 * work_queue.c.
 */
#include "openinfo.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "access/authorize.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/lookup.h"
#include "core/statement.h"
#include "core/white_space.h"
#include "queries/work_queue.h"

/* --------------------------------------------------------------------------------------------------------
 * Names
 * -------------------------------------------------------------------------------------------------------- */

#define NAMELESS "Untitled query"
#define NAME_LONGEST 120 /* characters */
#define NAME_MAX_PARTS 5 /* filters in a name */
#define NAME_MAX_ITEMS 3 /* elements of an array in a name */

/* Appends a text with each run of white space or control characters as one space, and none at its ends. */
static void
append_folded(StringInfo name, const char *string, int length)
{
	int	 start = name->len;
	bool space = false;

	for (int bytes; length > 0; string += bytes, length -= bytes)
	{
		bytes = Min(pg_mblen(string), length);
		if ((unsigned char) *string <= ' ' || *string == 0x7f || white_space_length(string, length) > 0)
			space = true;
		else
		{
			if (space && name->len > start)
				appendStringInfoChar(name, ' ');
			space = false;
			appendBinaryStringInfo(name, string, bytes);
		}
	}
}

/* Appends a string or a number. */
static void
append_scalar(StringInfo name, const JsonbValue *value)
{
	if (value->type == jbvString)
		append_folded(name, value->val.string.val, value->val.string.len);
	else if (value->type == jbvNumeric)
	{
		Datum number = NumericGetDatum(value->val.numeric);

		appendStringInfoString(name, DatumGetCString(DirectFunctionCall1(numeric_out, number)));
	}
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
			/* nothing was appended: remove the separator */
			name->len = before - 1;
			name->data[name->len] = '\0';
		}
	}
}

/* The name of a query, from its topic and its filters: "topic: filter, filter"; never blank. */
static text *
compose_name(text *topic, Jsonb *filters)
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
			else if (!JsonContainerIsObject(value.val.binary.data) ||
					 !append_range(&part, value.val.binary.data))
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
 * The topic, and after a colon the values of the filters: strings, numbers, lists and ranges, in the order of
 * their keys; what is null, empty or of another type is skipped.  Never NULL, never blank.  IMMUTABLE.
 * Callers: authenticated, service_role.  Errors: none.
 */
PG_FUNCTION_INFO_V1(openinfo_generate_query_name);
Datum
openinfo_generate_query_name(PG_FUNCTION_ARGS)
{
	text  *topic = PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);
	Jsonb *filters = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);

	PG_RETURN_TEXT_P(compose_name(topic, filters));
}

/* A topic's text, or NULL when there is no such topic: the foreign key raises that error. */
static text *
topic_text(Datum id)
{
	AttrNumber column = catalog_column(catalog_table("global_topics"), "topic");
	text	  *result = NULL;
	Lookup	   lookup;
	bool	   isnull;

	if (lookup_id(&lookup, "global_topics", DatumGetUUIDP(id)))
		result = DatumGetTextPCopy(lookup_value(&lookup, column, &isnull));
	lookup_end(&lookup);
	return result;
}

/*
 * set_query_name() returns trigger: BEFORE INSERT OR UPDATE FOR EACH ROW WHEN (NEW.name IS NULL)
 *
 * Names a query that has no name after its topic and filters.
 */
PG_FUNCTION_INFO_V1(openinfo_set_query_name);
Datum
openinfo_set_query_name(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc	 desc;
	HeapTuple	 row;
	Oid			 relid;
	Datum		 topic, filters, name;
	bool		 no_topic, no_filters, isnull = false;
	int			 column;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ||
		!catalog_is_table(trigger->tg_relation, "queries"))
		error_not_trigger("set_query_name");
	desc = RelationGetDescr(trigger->tg_relation);
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;

	relid = RelationGetRelid(trigger->tg_relation);
	topic = heap_getattr(row, catalog_column(relid, "topic_id"), desc, &no_topic);
	filters = heap_getattr(row, catalog_column(relid, "filters"), desc, &no_filters);
	name = PointerGetDatum(compose_name(no_topic ? NULL : topic_text(topic),
										no_filters ? NULL : DatumGetJsonbP(filters)));
	column = catalog_column(relid, "name");
	return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, 1, &column, &name, &isnull));
}

/* --------------------------------------------------------------------------------------------------------
 * The next run
 * -------------------------------------------------------------------------------------------------------- */

/*
 * set_next_run_at() returns trigger: BEFORE INSERT OR UPDATE FOR EACH ROW
 *		WHEN (NEW.next_run_at IS NULL
 *			OR NEW.next_run_at < greatest(now(), NEW.last_run_at + interval '24 hours'))
 *
 * Members may postpone a query, but not have it run earlier than now, or than 24 hours after its last run: a
 * time that is too early, or NULL, is replaced by the earliest one that is allowed.  The service may write
 * any time.
 */
PG_FUNCTION_INFO_V1(openinfo_set_next_run_at);
Datum
openinfo_set_next_run_at(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc	 desc;
	HeapTuple	 row;
	TimestampTz	 earliest = GetCurrentTransactionStartTimestamp();
	Oid			 relid;
	Datum		 last, next, old;
	bool		 no_last, no_next, no_old, isnull = false;
	int			 column;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ||
		!catalog_is_table(trigger->tg_relation, "queries"))
		error_not_trigger("set_next_run_at");
	desc = RelationGetDescr(trigger->tg_relation);
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	if (catalog_is_service_role(GetUserId()))
		return PointerGetDatum(row);

	relid = RelationGetRelid(trigger->tg_relation);
	column = catalog_column(relid, "next_run_at");
	next = heap_getattr(row, column, desc, &no_next);
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		old = heap_getattr(trigger->tg_trigtuple, column, desc, &no_old);
		if (no_old == no_next && (no_old || DatumGetTimestampTz(old) == DatumGetTimestampTz(next)))
			return PointerGetDatum(row);
	}

	last = heap_getattr(row, catalog_column(relid, "last_run_at"), desc, &no_last);
	if (!no_last && !TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(last)))
		earliest = Max(earliest, DatumGetTimestampTz(last) + QUERY_INTERVAL);
	if (no_next || DatumGetTimestampTz(next) < earliest)
	{
		next = TimestampTzGetDatum(earliest);
		row = heap_modify_tuple_by_cols(row, desc, 1, &column, &next, &isnull);
	}
	return PointerGetDatum(row);
}

/* --------------------------------------------------------------------------------------------------------
 * The week
 * -------------------------------------------------------------------------------------------------------- */

/*
 * reset_weekly_lead_counts() returns bigint
 *
 * Sets leads_this_week to zero where it is not, and returns the number of rows.  Rows that another
 * transaction is writing are skipped: while the job waited for a row of one workspace, the rows of all others
 * that it has written would be locked.  Their number stays until leads are next counted, which starts at
 * zero, or the next call.
 * Callers: the scheduler's role, service_role.  Errors: 42501 other callers.  Locks: first itself, by its
 * entry in pg_proc, so that a second call continues when the first one is rolled back; then the rows, NO KEY
 * UPDATE, without waiting.
 */
PG_FUNCTION_INFO_V1(openinfo_reset_weekly_lead_counts);
Datum
openinfo_reset_weekly_lead_counts(PG_FUNCTION_ARGS)
{
	static Statement reset = STATEMENT(
		"WITH free AS MATERIALIZED ("
		"  SELECT id FROM @extschema@.queries WHERE leads_this_week <> 0 FOR NO KEY UPDATE SKIP LOCKED)"
		" UPDATE @extschema@.queries q SET leads_this_week = 0 FROM free WHERE q.id = free.id",
		"");
	/* Citus locks rows of one workspace at a time only */
	static Statement reset_all = STATEMENT(
		"UPDATE @extschema@.queries SET leads_this_week = 0 WHERE leads_this_week <> 0",
		"");
	StatementScope scope;
	uint64		   rows;
	bool		   spread;

	authorize_service("reset_weekly_lead_counts");
	PreventCommandIfReadOnly("reset_weekly_lead_counts()");
	LockDatabaseObject(ProcedureRelationId, fcinfo->flinfo->fn_oid, 0, ShareUpdateExclusiveLock);

	statement_begin(&scope);
	spread = catalog_is_distributed();
	rows = statement_run(spread ? &reset_all : &reset, NULL, NULL, false, 0);
	statement_end(&scope);
	PG_RETURN_INT64((int64) rows);
}
