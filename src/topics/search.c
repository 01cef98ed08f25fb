/*
 * search.c
 *		search_topics(): completion while somebody types.
 *
 * The modules, from the bottom up: text.c reads words; keys.c puts them into the index; match.c is the rule
 * for one topic; look.c scans the index, reads rows and keeps the best; walk.c goes along the volume buckets;
 * vocabulary.c knows the words that the index has; fuzzy.c tries spacing and typos when the text as it is
 * finds nothing.  This file decides who may see what, and puts the steps together.
 *
 * Rows are read with the snapshot of the caller's statement through PostgreSQL's own index, so there is
 * nothing to keep fresh: what the statement sees is what is found.  When the index is missing or not usable
 * yet, or a row security policy decides row by row, the whole table is read as the caller, with the same
 * rules (search_table).
 *
 * The work is bounded: after SEARCH_BUFFERS accesses of a buffer the best so far is the answer, with a DEBUG1
 * message.  Only the access method, where it has to be asked instead, knows no bound, as a missing index does
 * not.
 *
 * Invariant: within that budget the rows and their order are those of reading the whole table.
 */
#include "openinfo.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type_d.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "rewrite/rowsecurity.h"
#include "storage/predicate.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "core/catalog.h"
#include "core/errors.h"
#include "core/shards.h"
#include "core/statement.h"
#include "topics/fuzzy.h"

#define SEARCH_LIMIT_DEFAULT 20
#define SEARCH_LIMIT_MAX 1000
/* Rows at a time when the whole table is read. */
#define SEARCH_FETCH_ROWS 1000

static const char *const search_columns[SEARCH_COLUMNS] = {
	"id", "topic", "category", "current_volume", "trend_direction"};

/* The words of the topic in the slot. */
static bool
topic_read(Search *s, TextWords *words, int64 *weight, Hit *hit)
{
	bool  isnull;
	text *topic = DatumGetTextPP(slot_getattr(s->slot, s->attno[1], &isnull));

	hit->text = VARDATA_ANY(topic);
	hit->ntext = VARSIZE_ANY_EXHDR(topic);
	*weight = DatumGetInt32(slot_getattr(s->slot, s->attno[3], &isnull));
	textwords_read(hit->text, hit->ntext, false, words);
	return true;
}

static const SearchSource topics_source = {
	.ncolumns = lengthof(search_columns),
	.columns = search_columns,
	.volumes = true,
	.read = topic_read,
};

/* Through the index. */
static void
search_index(Search *s)
{
	int budget = search_budget(s->limit);

	search_begin(s, budget, false);
	search_walk(s);
	search_end(s, "search_topics", budget);
}

/* One row of the table, judged by every rule. */
static void
search_row(Search *s, HeapTuple tuple, TupleDesc desc, List *variants,
		   MemoryContext caller, MemoryContext row)
{
	MatchTier floor = search_has(s, MATCH_STEM) ? MATCH_STEM : MATCH_TYPO;
	TextWords t;
	Hit		  hit = {0};
	Match	 *m = &hit.match;
	text	 *topic;
	int64	  volume;
	bool	  found;

	MemoryContextSwitchTo(row);
	for (int i = 0; i < SEARCH_COLUMNS; i++)
		hit.values[i] = SPI_getbinval(tuple, desc, i + 1, &hit.nulls[i]);
	topic = DatumGetTextPP(hit.values[1]);
	volume = DatumGetInt32(hit.values[3]);
	hit.id = *DatumGetUUIDP(hit.values[0]);
	hit.text = VARDATA_ANY(topic);
	hit.ntext = VARSIZE_ANY_EXHDR(topic);
	textwords_read(hit.text, hit.ntext, false, &t);
	found = search_judge(s, &s->query, &t, volume, floor, TYPO_MAX, m);
	if ((!found || m->tier < MATCH_STEM) && floor == MATCH_TYPO)
		found |= search_judge_variants(s, variants, &t, volume, m);
	MemoryContextSwitchTo(caller);
	if (found)
		search_add(s, &hit, &t);
	MemoryContextReset(row);
}

/*
 * By reading the whole table as the caller: for policies that decide row by row and for a table without its
 * index.
 */
static void
search_table(Search *s)
{
	static Statement all_topics = STATEMENT(
		"SELECT id, topic, category, current_volume, trend_direction"
		"  FROM @extschema@.global_topics",
		"");
	List		  *variants = s->query.nwords <= TYPO_MAX_WORDS ? spacing_variants(&s->query) : NIL;
	MemoryContext  caller = CurrentMemoryContext;
	MemoryContext  row;
	StatementScope scope;
	Portal		   portal;
	int			   n;

	statement_begin_as_caller(&scope);
	portal = statement_open(&all_topics, NULL, NULL);
	row = AllocSetContextCreate(CurrentMemoryContext, "topic", ALLOCSET_DEFAULT_SIZES);
	for (SPI_cursor_fetch(portal, true, SEARCH_FETCH_ROWS); SPI_processed > 0;
		 SPI_cursor_fetch(portal, true, SEARCH_FETCH_ROWS))
	{
		for (uint64 i = 0; i < SPI_processed; i++)
			search_row(s, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, variants, caller, row);
		SPI_freetuptable(SPI_tuptable);
	}
	MemoryContextSwitchTo(caller);
	statement_end(&scope);

	/* What is less than the best kind was only of use while nothing better was known. */
	for (n = 0; n < s->other.n; n++)
	{
		const Match *best = &s->other.hits[0]->match;
		const Match *m = &s->other.hits[n]->match;

		if (search_has(s, MATCH_STEM) ? m->tier < MATCH_STEM
									  : (m->tier < best->tier || m->typos > best->typos))
			break;
		if (m->tier == MATCH_TYPO && s->equal.n > 0)
			break;
	}
	s->other.n = n;
}

/* May the caller read the table at all; and does a policy hide rows from them? */
static bool
search_sees_all(Relation table)
{
	Oid		  user = GetUserId();
	Oid		  relid = RelationGetRelid(table);
	ListCell *lc;
	bool	  all = false;
	int		  i;

	if (pg_class_aclcheck(relid, user, ACL_SELECT) != ACLCHECK_OK)
		for (i = 0; i < SEARCH_COLUMNS; i++)
		{
			AttrNumber attno = get_attnum(relid, search_columns[i]);

			if (attno == InvalidAttrNumber ||
				pg_attribute_aclcheck(relid, attno, user, ACL_SELECT) != ACLCHECK_OK)
				aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(table));
		}
	if (check_enable_rls(relid, InvalidOid, false) != RLS_ENABLED)
		return true;
	if (table->rd_rsdesc == NULL)
		return false;
	foreach (lc, table->rd_rsdesc->policies)
	{
		RowSecurityPolicy *p = lfirst(lc);
		bool			   mine = false;
		Oid				  *roles = (Oid *) ARR_DATA_PTR(p->roles);

		if (p->polcmd != '*' && p->polcmd != ACL_SELECT_CHR)
			continue;
		for (i = 0; i < ARR_DIMS(p->roles)[0] && !mine; i++)
			mine = (roles[i] == ACL_ID_PUBLIC || has_privs_of_role(user, roles[i]));
		if (!mine)
			continue;
		if (!p->permissive)
			return false;
		if (p->qual && IsA(p->qual, Const) && !((Const *) p->qual)->constisnull &&
			DatumGetBool(((Const *) p->qual)->constvalue))
			all = true;
	}
	return all;
}

/* A number that falls along the list: the tier, and within it the logarithm of the weight. */
static float4
search_relevance(const Match *m)
{
	int tier = m->tier == MATCH_EQUAL ? 4 : m->tier - MATCH_TYPO;

	return (float4) tier + (float4) (log2((double) m->weight + 1) / 36.0);
}

/* Runs the search for a text that has words. */
static void
search_run(Search *s)
{
	/* on a Citus cluster the table is a replica, whose number follows the names of its indexes, too */
	const char *number = RelationGetRelationName(s->table) + strlen("global_topics");
	char	   *name = psprintf("idx_global_topics_search%s", number);

	if (s->sees_all)
		s->index = search_open_index(s->table, get_relname_relid(name, RelationGetNamespace(s->table)));
	if (s->index)
	{
		search_index(s);
		index_close(s->index, AccessShareLock);
	}
	else
		search_table(s);
	search_finish(s);
}

/*
 * search_topics(search_query text, result_limit int DEFAULT 20)
 *     returns table(id uuid, topic text, category topic_category, current_volume int,
 *                   trend_direction trend_direction, relevance real)
 *
 * Topics for what somebody has typed so far, the best first; no rows for NULL and for a text without a letter
 * or digit.  search_query: its first 2,048 bytes count.
 * result_limit: rows; NULL is the default, more than 1,000 is 1,000.
 * relevance falls along the list: 4 and more equals the text, 3 its words, 2 stems, 1 spacing, 0 typos, plus
 * the base-2 logarithm of the weight (match.c) + 1, over 36.
 * STABLE: what the caller's statement sees.  Runs with the caller's rights and policies on global_topics.
 * Callers: authenticated, service_role, any role that may read global_topics.
 * Locks: AccessShareLock, as any SELECT.
 * Errors: 22023 result_limit below 1; 42501 no right to read the table.
 */
PG_FUNCTION_INFO_V1(openinfo_search_topics);
Datum
openinfo_search_topics(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int32		   limit = PG_ARGISNULL(1) ? SEARCH_LIMIT_DEFAULT : PG_GETARG_INT32(1);
	MemoryContext  context;
	MemoryContext  old;
	Search		   s;
	text		  *query;

	InitMaterializedSRF(fcinfo, 0);
	if (limit < 1)
		error_below_one("result_limit", limit);

	context = AllocSetContextCreate(CurrentMemoryContext, "search_topics", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	memset(&s, 0, sizeof(s));
	s.source = &topics_source;
	s.query.stems = true;
	s.limit = Min(limit, SEARCH_LIMIT_MAX);
	s.snapshot = GetActiveSnapshot();
	s.table = table_open(shards_relation(catalog_table("global_topics"), NULL), AccessShareLock);
	s.sees_all = search_sees_all(s.table);

	if (!PG_ARGISNULL(0))
	{
		query = PG_GETARG_TEXT_PP(0);
		search_read(&s, query);
		if (s.query.nwords > 0)
			search_run(&s);
	}

	for (int i = 0; i < s.other.n; i++)
	{
		Datum values[SEARCH_COLUMNS + 1];
		bool  nulls[SEARCH_COLUMNS + 1];

		memcpy(values, s.other.hits[i]->values, sizeof(s.other.hits[i]->values));
		memcpy(nulls, s.other.hits[i]->nulls, sizeof(s.other.hits[i]->nulls));
		values[SEARCH_COLUMNS] = Float4GetDatum(search_relevance(&s.other.hits[i]->match));
		nulls[SEARCH_COLUMNS] = false;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	table_close(s.table, AccessShareLock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
