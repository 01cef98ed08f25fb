/*
 * search.c
 *		search_topics(): completion while somebody types.
 *
 * Words used here:
 *	  band	  the power of four that a topic's volume reaches (topic_index.c)
 *	  weight  what orders the rows: the volume, sixteen times it where the topic begins
 *			  with the text.  Sixteen times the volume is two bands up.
 *	  tier	  why a topic was found: it equals the text; its words begin with the words of
 *			  the text; their stems are the same; with a blank more or less; with typos
 *	  look	  a walk along the keys of the word index that touches no row
 *
 * The way: a look tells in which bands all words of the text occur.  Those bands are walked
 * from the top, first in the btree for topics that begin with the text, then in the word
 * index for the others, until no band below can hold anything better than what is there.
 * Stems fill up what is missing; spacing and typos are tried when there is nothing at all.
 *
 * Rows are read with the snapshot of the caller's statement through PostgreSQL's own
 * indexes, so there is nothing to keep fresh: what the statement sees is what is found.
 * When an index is missing or not usable yet, or a row security policy decides row by row,
 * the whole table is read as the caller, with the same rules (search_table).
 *
 * Invariant: the rows and their order are those of reading the whole table.
 */
#include "openinfo.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "port/pg_bitutils.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "topics/search.h"

#define SEARCH_LIMIT_DEFAULT 20
#define SEARCH_LIMIT_MOST 1000
/* A text is answered by reading all rows that have its rarest word when these are no more. */
#define SEARCH_FEW_ROWS 250
/* Rows at a time when the whole table is read. */
#define SEARCH_FETCH_ROWS 1000

static const char *const search_columns[SEARCH_COLUMNS] = {"id", "topic", "category", "current_volume", "trend_direction"};

static void
search_indexes(TopicSearch *s)
{
	TopicQuery *q = &s->query;
	int			nw = Min(q->nwords, TOPIC_PROBE_WORDS);
	TopicWant	wants[TOPIC_PROBE_WORDS];
	TopicWant	stems[TOPIC_PROBE_WORDS];
	TopicWant	either[TOPIC_PROBE_WORDS]; /* as it is or by its stem */
	uint32		bands = TOPIC_ALL_BANDS;
	uint32		all = TOPIC_ALL_BANDS;
	uint32		left;
	int64		fewest = PG_INT64_MAX;
	int			rarest = 0;
	bool		any = false;
	int			i;

	topic_want_words(s, q, wants, stems);
	memcpy(either, wants, sizeof(TopicWant) * nw);
	for (i = 0; i < nw; i++)
	{
		bands &= wants[i].bands;
		any |= (stems[i].n > 0);
		topic_want_merge(&either[i], &stems[i], 0);
		all &= either[i].bands;
	}
	for (i = 0; i < nw; i++)
	{
		int64 rows = either[i].ntrees > 0 ? PG_INT64_MAX : 0;
		int	  b;

		for (b = 0; b < TOPIC_BANDS && rows <= SEARCH_FEW_ROWS; b++)
			if (all & (1u << b))
				rows += either[i].rows[b];
		if (rows < fewest)
		{
			fewest = rows;
			rarest = i;
		}
	}

	if (all == 0)
		/* a word that no topic has */;
	else if (fewest <= SEARCH_FEW_ROWS)
		topic_collect_group(s, q, either, &rarest, 1, all, TIER_NONE, 0, true);
	else
	{
		/*
		 * A topic that begins with the text has all its words, so it is in one of these
		 * bands too.  Once the best rows cannot change any more, only the topic that equals
		 * the text is still looked for.
		 */
		for (left = bands; left != 0;)
		{
			int b = pg_leftmost_one_pos32(left);

			left &= ~(1u << b);
			topic_collect_begins(s, b, !topic_found_room(s, TIER_WORDS, topic_band_most(b) * TOPIC_BEGINS));
		}
		if (bands != 0)
			topic_collect(s, q, wants, TIER_WORDS, 0);
		if (any && s->nfound < s->limit)
			topic_collect(s, q, either, TIER_STEM, 0);
	}
	if (s->nfound == 0 && q->nwords <= TOPIC_TYPO_WORDS)
	{
		topic_search_spacing(s);
		if (s->nfound == 0)
			topic_search_typos(s);
	}
}

/* One row of it. */
static void
search_row(TopicSearch *s, HeapTuple tuple, TupleDesc desc, List *spacings, MemoryContext caller, MemoryContext row)
{
	TopicQuery *q = &s->query;
	TopicTier	floor = s->nfound > 0 && s->found[0]->tier >= TIER_STEM ? TIER_STEM : TIER_TYPO;
	TopicTier	tier;
	Datum		values[SEARCH_COLUMNS];
	bool		nulls[SEARCH_COLUMNS];
	TopicText	t;
	text	   *topic;
	int64		weight;
	int			cost;
	ListCell   *lc;

	MemoryContextSwitchTo(row);
	for (int i = 0; i < SEARCH_COLUMNS; i++)
		values[i] = SPI_getbinval(tuple, desc, i + 1, &nulls[i]);
	topic = DatumGetTextPP(values[1]);
	topic_read(VARDATA_ANY(topic), VARSIZE_ANY_EXHDR(topic), false, &t);
	weight = DatumGetInt32(values[3]);
	tier = topic_match(q, &t, floor, TOPIC_TYPO_MOST, &cost);
	if (tier < TIER_STEM && floor == TIER_TYPO)
		foreach (lc, spacings)
		{
			int none;

			if (topic_match(lfirst(lc), &t, TIER_WORDS, 0, &none) == TIER_WORDS)
			{
				tier = TIER_SPACING;
				cost = 0;
				break;
			}
		}
	if (tier == TIER_WORDS && topic_begins(&t, q))
	{
		weight *= TOPIC_BEGINS;
		if (t.nnorm == q->nnorm)
			tier = TIER_EQUAL;
	}
	MemoryContextSwitchTo(caller);
	if (tier != TIER_NONE)
		topic_found_add(s, tier, cost, weight, &tuple->t_self, values, nulls);
	MemoryContextReset(row);
}

/*
 * The same by reading the whole table as the caller: for policies that decide row by row and for a table without its
 * indexes.  Slow, and right.
 */
static void
search_table(TopicSearch *s)
{
	static Statement all_topics = STATEMENT("SELECT id, topic, category, current_volume, trend_direction FROM @extschema@.global_topics", "");
	TopicQuery		*q = &s->query;
	List			*spacings = q->nwords <= TOPIC_TYPO_WORDS ? topic_spacings(q) : NIL;
	MemoryContext	 caller = CurrentMemoryContext;
	MemoryContext	 row;
	StatementScope	 scope;
	Portal			 portal;

	statement_begin_as_caller(&scope);
	portal = statement_open(&all_topics, NULL, NULL);
	row = AllocSetContextCreate(CurrentMemoryContext, "topic", ALLOCSET_DEFAULT_SIZES);
	for (SPI_cursor_fetch(portal, true, SEARCH_FETCH_ROWS); SPI_processed > 0; SPI_cursor_fetch(portal, true, SEARCH_FETCH_ROWS))
	{
		for (uint64 i = 0; i < SPI_processed; i++)
			search_row(s, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, spacings, caller, row);
		SPI_freetuptable(SPI_tuptable);
	}
	MemoryContextSwitchTo(caller);
	statement_end(&scope);

	/* What is less than the best kind was only of use while nothing better was known. */
	while (s->nfound > 0)
	{
		TopicFound *best = s->found[0];
		TopicFound *last = s->found[s->nfound - 1];

		if (last->tier >= Min(best->tier, TIER_STEM) && last->cost <= best->cost)
			break;
		s->nfound--;
	}
}

/* May the caller read the table at all; and does a policy hide rows from him? */
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

			if (attno == InvalidAttrNumber || pg_attribute_aclcheck(relid, attno, user, ACL_SELECT) != ACLCHECK_OK)
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
		if (p->qual && IsA(p->qual, Const) && !((Const *) p->qual)->constisnull && DatumGetBool(((Const *) p->qual)->constvalue))
			all = true;
	}
	return all;
}

/* An index of the table that can serve this snapshot, or NULL. */
static Relation
search_open_index(TopicSearch *s, const char *name)
{
	Oid		 oid = get_relname_relid(name, RelationGetNamespace(s->table));
	Relation index;

	if (!OidIsValid(oid) || get_rel_relkind(oid) != RELKIND_INDEX)
		return NULL;
	index = index_open(oid, AccessShareLock);
	if (index->rd_index->indrelid == RelationGetRelid(s->table) && index->rd_index->indisvalid &&
		!(index->rd_index->indcheckxmin &&
		  !TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin)))
		return index;
	index_close(index, AccessShareLock);
	return NULL;
}

/* A number that falls along the list: the tier, and within it the logarithm of the weight. */
static float4
search_relevance(const TopicFound *f)
{
	return (float4) (f->tier - TIER_TYPO) + (float4) (log2((double) f->weight + 1) / 36.0);
}

/* Runs the search for a text that has words. */
static void
search_run(TopicSearch *s)
{
	s->snapshot = GetActiveSnapshot();
	s->found = palloc(sizeof(TopicFound *) * (s->limit + 1));
	for (int i = 0; i < SEARCH_COLUMNS; i++)
	{
		s->attno[i] = get_attnum(RelationGetRelid(s->table), search_columns[i]);
		if (s->attno[i] == InvalidAttrNumber)
			error_missing_column("global_topics", search_columns[i]);
	}
	if (s->sees_all)
	{
		s->text_index = search_open_index(s, "idx_global_topics_search_text");
		s->word_index = search_open_index(s, "idx_global_topics_search_words");
	}
	if (s->text_index && s->word_index)
	{
		s->slot = table_slot_create(s->table, NULL);
		s->fetch = table_index_fetch_begin(s->table);
		s->word_scan = compat_index_beginscan_bitmap(s->word_index, s->snapshot, 1);
		search_indexes(s);
		if (s->text_scan)
			index_endscan(s->text_scan);
		if (s->equal_scan)
			index_endscan(s->equal_scan);
		index_endscan(s->word_scan);
		table_index_fetch_end(s->fetch);
		ExecDropSingleTupleTableSlot(s->slot);
	}
	else
		search_table(s);
	if (s->text_index)
		index_close(s->text_index, AccessShareLock);
	if (s->word_index)
		index_close(s->word_index, AccessShareLock);
}

/*
 * search_topics(search_query text, result_limit int DEFAULT 20)
 *     returns table(id uuid, topic text, category topic_category, current_volume int,
 *                   trend_direction trend_direction, relevance real)
 *
 * Topics for what somebody has typed so far, the best first; no rows for NULL and for a text without a letter or digit.
 * result_limit: rows; NULL is the default, more than 1,000 is 1,000.
 * relevance falls along the list: 4 and more equals the text, 3 its words, 2 stems, 1 spacing, 0 typos, plus the base-2
 * logarithm of the weight (topic_match.c) over 36.
 * STABLE: what the caller's statement sees.  Runs with the caller's rights and policies on global_topics.
 * Callers: authenticated, service_role, whoever may read global_topics.  Locks: AccessShareLock, as any SELECT.
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
	TopicSearch	   s;
	TopicText	   typed;
	text		  *query;

	InitMaterializedSRF(fcinfo, 0);
	if (limit < 1)
		error_below_one("result_limit", limit);

	context = AllocSetContextCreate(CurrentMemoryContext, "search_topics", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	memset(&s, 0, sizeof(s));
	s.limit = Min(limit, SEARCH_LIMIT_MOST);
	s.table = table_open(catalog_table("global_topics"), AccessShareLock);
	s.sees_all = search_sees_all(s.table);

	if (!PG_ARGISNULL(0))
	{
		query = PG_GETARG_TEXT_PP(0);
		topic_read(VARDATA_ANY(query), VARSIZE_ANY_EXHDR(query), true, &typed);
		topic_query_make(&s.query, typed.words, typed.nwords);
		s.query.norm = typed.norm;
		s.query.nnorm = typed.nnorm;
		if (typed.nwords > 0)
			search_run(&s);
	}

	for (int i = 0; i < s.nfound; i++)
	{
		Datum values[SEARCH_COLUMNS + 1];
		bool  nulls[SEARCH_COLUMNS + 1];

		memcpy(values, s.found[i]->values, sizeof(s.found[i]->values));
		memcpy(nulls, s.found[i]->nulls, sizeof(s.found[i]->nulls));
		values[SEARCH_COLUMNS] = Float4GetDatum(search_relevance(s.found[i]));
		nulls[SEARCH_COLUMNS] = false;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	table_close(s.table, AccessShareLock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
