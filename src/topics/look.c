/*
 * look.c
 *		A search: scans of the index, rows of the table.
 *
 * Invariant: a row is read with the snapshot of the caller's statement and judged by match.c; an index entry
 * alone never becomes a hit.  No row is read twice for one question.
 */
#include "openinfo.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type_d.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "storage/predicate.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/errors.h"
#include "topics/look.h"

/* Row numbers of one scan are kept exactly up to this much memory, then by page. */
#define LOOK_BITMAP_BYTES (8 * 1024 * 1024)

/* ---- the budget ---- */

bool
search_exhausted(const Search *s)
{
	return buffers_accessed() > s->stop_at;
}

/* From here on the access method is asked, which reads more than is needed: no limit would do for it. */
static void
search_leave_pages(Search *s)
{
	s->pages = NULL;
	s->stop_at = PG_INT64_MAX;
}

/* ---- rows that have been read ---- */

static int
rows_place(const Search *s, uint64 row)
{
	int i = murmurhash32((uint32) (row ^ row >> 32)) & (s->capacity - 1);

	while (s->rows[i] != 0 && s->rows[i] != row)
		i = (i + 1) & (s->capacity - 1);
	return i;
}

static void
rows_note(Search *s, uint64 row)
{
	if (s->nrows * 2 >= s->capacity)
	{
		uint64 *old = s->rows;
		int		n = s->capacity;

		s->capacity = Max(256, n * 2);
		s->rows = palloc0(sizeof(uint64) * s->capacity);
		for (int i = 0; i < n; i++)
			if (old[i] != 0)
				s->rows[rows_place(s, old[i])] = old[i];
	}
	s->rows[rows_place(s, row)] = row;
	s->nrows++;
}

static bool
rows_noted(const Search *s, uint64 row)
{
	return s->capacity > 0 && s->rows[rows_place(s, row)] == row;
}

/* What has been read may satisfy another question. */
void
search_forget_rows(Search *s)
{
	if (s->nrows > 0)
		memset(s->rows, 0, sizeof(uint64) * s->capacity);
	s->nrows = 0;
	s->again = true;
}

static bool
hits_have(const HitList *list, const pg_uuid_t *id)
{
	for (int i = 0; i < list->n; i++)
		if (memcmp(&list->hits[i]->id, id, sizeof(pg_uuid_t)) == 0)
			return true;
	return false;
}

/* Does a row satisfy the query, and how?  "weight" is its own, the match gets what it counts. */
bool
search_judge(const Search *s, const SearchQuery *q, const TextWords *t, int64 weight, MatchTier floor,
			 int max_typos, Match *m)
{
	if (!match_text(q, t, floor, max_typos, m))
		return false;
	m->weight = weight;
	if (q != &s->query && m->tier != MATCH_EQUAL)
		m->tier = MATCH_SPACING;
	else if (m->begins && s->source->volumes)
		m->weight *= MATCH_BEGINS_WEIGHT;
	else if (m->begins && m->tier == MATCH_WORDS)
		m->tier = MATCH_BEGINS;
	return true;
}

/* The same with a blank more or less; the match is set when it does. */
bool
search_judge_variants(const Search *s, List *variants, const TextWords *t, int64 weight, Match *m)
{
	ListCell *lc;

	foreach (lc, variants)
	{
		Match v;

		if (match_text(lfirst(lc), t, MATCH_WORDS, 0, &v))
		{
			*m = (Match){.tier = MATCH_SPACING, .weight = weight};
			return true;
		}
	}
	return false;
}

/* Does the row in the slot satisfy the query, and may it be wanted? */
static bool
row_satisfies(Search *s, const SearchQuery *q, MatchTier floor, int max_typos, TextWords *t, Hit *hit)
{
	int64 weight;

	if (!s->source->read(s, t, &weight, hit) ||
		!search_judge(s, q, t, weight, floor, max_typos, &hit->match) ||
		(hit->match.tier != MATCH_EQUAL && !search_accepts(s, hit->match.tier, hit->match.weight)))
		return false;
	for (int c = 0; c < s->source->ncolumns; c++)
		hit->values[c] = slot_getattr(s->slot, s->attno[c], &hit->nulls[c]);
	hit->id = *DatumGetUUIDP(hit->values[0]);
	return !s->again || !(hits_have(&s->equal, &hit->id) || hits_have(&s->other, &hit->id));
}

/* Reads a row that the index gave, and adds it when it satisfies the query. */
void
look_at_row(Search *s, const SearchQuery *q, uint64 row, MatchTier floor, int max_typos)
{
	bool			again = false;
	bool			found;
	ItemPointerData tid;
	TextWords		t;
	Hit				hit = {.text = ""};
	MemoryContext	search;

	CHECK_FOR_INTERRUPTS();
	if (rows_noted(s, row))
		return;
	rows_note(s, row);
	ItemPointerSet(&tid, row >> 16, row & 0xFFFF);
	if (!table_index_fetch_tuple(s->fetch, &tid, s->snapshot, s->slot, &again, NULL))
		return;
	search = MemoryContextSwitchTo(s->row);
	found = row_satisfies(s, q, floor, max_typos, &t, &hit);
	MemoryContextSwitchTo(search);
	if (found)
		search_add(s, &hit, &t);
	MemoryContextReset(s->row);
}

/* Reads rows that the index gave, as SearchSource.look() does. */
bool
look_at_rows(Search *s, const SearchQuery *q, const RowSet *rows, MatchTier tier, MatchTier floor,
			 int max_typos, int most)
{
	if (s->source->look && s->source->look(s, q, rows, tier, floor, max_typos, most))
		return true;
	if (rows->n > most)
		return false;
	for (int i = 0; i < rows->n && !search_exhausted(s); i++)
		look_at_row(s, q, rows->rows[i], floor, max_typos);
	return true;
}

/* ---- the index ---- */

/* Rows through the access method. */
static void
look_scan(Search *s, const KeyScan *scan, RowSet *out)
{
	TIDBitmap		*bitmap = tbm_create(LOOK_BITMAP_BYTES, NULL);
	ScanKeyData		 key;
	CompatBitmapScan pages;

	memset(&key, 0, sizeof(key));
	key.sk_attno = 1;
	key.sk_strategy = 1;
	key.sk_argument = PointerGetDatum(scan);
	index_rescan(s->scan, &key, 1, NULL, 0);
	index_getbitmap(s->scan, bitmap);
	if (!tbm_is_empty(bitmap))
	{
		compat_bitmap_begin(&pages, bitmap);
		while (compat_bitmap_next(&pages))
		{
			int n = pages.lossy ? MaxHeapTuplesPerPage : pages.ntuples;

			for (int i = 0; i < n; i++)
			{
				uint64 row = ((uint64) pages.block << 16) | (pages.lossy ? i + 1 : pages.offsets[i]);

				rowset_add(out, &row, 1);
			}
		}
		compat_bitmap_end(&pages);
	}
	tbm_free(bitmap);
}

typedef struct LookVisit
{
	Search		  *s;
	PostingVisitor visit;
	void		  *arg;
	MemoryContext  context; /* the access method calls in one of its own */
} LookVisit;

static bool
look_visit(void *arg, const char *key, int n)
{
	LookVisit	 *v = arg;
	MemoryContext old = MemoryContextSwitchTo(v->context);
	Posting		  posting = {.key = key_copy(key, n), .tree = InvalidBlockNumber};
	bool		  go_on;

	go_on = !search_exhausted(v->s) && v->visit(v->arg, key + v->s->scope.n, n - v->s->scope.n, &posting);
	MemoryContextSwitchTo(old);
	return go_on;
}

/* An index of a table, if it is one of our operator class and can serve this snapshot, or NULL. */
Relation
search_open_index(Relation table, Oid oid)
{
	Relation index;

	if (!OidIsValid(oid) || get_rel_relkind(oid) != RELKIND_INDEX)
		return NULL;
	index = index_open(oid, AccessShareLock);
	if (index->rd_index->indrelid == RelationGetRelid(table) && index->rd_index->indisvalid &&
		index->rd_rel->relam == GIN_AM_OID && index->rd_opcintype[0] == BYTEAARRAYOID &&
		!(index->rd_index->indcheckxmin &&
		  !TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin)))
		return index;
	index_close(index, AccessShareLock);
	return NULL;
}

/* The buffers that a search may access. */
int
search_budget(int limit)
{
	return SEARCH_BUFFERS + SEARCH_BUFFERS_PER_ROW * Max(0, limit - 20);
}

/* Reads what was typed; "source", "table" and "limit" are set. */
void
search_read(Search *s, const text *typed)
{
	s->text = VARDATA_ANY(typed);
	s->ntext = VARSIZE_ANY_EXHDR(typed);
	textwords_read(s->text, s->ntext, true, &s->query.typed);
	query_init(&s->query, s->query.typed.words, s->query.typed.nwords);
	s->query.hash = textwords_hash(&s->query.typed);
	s->other.capacity = s->equal.capacity = s->limit;
	s->other.hits = palloc(sizeof(Hit *) * (s->limit + 1));
	s->equal.hits = palloc(sizeof(Hit *) * (s->limit + 1));
	for (int i = 0; i < s->source->ncolumns; i++)
	{
		s->attno[i] = get_attnum(RelationGetRelid(s->table), s->source->columns[i]);
		if (s->attno[i] == InvalidAttrNumber)
			error_missing_column(RelationGetRelationName(s->table), s->source->columns[i]);
	}
}

/* Begins to look through the index, for so many buffers; "pending": its pending list is read here, too. */
void
search_begin(Search *s, int budget, bool pending)
{
	s->row = AllocSetContextCreate(CurrentMemoryContext, "row of a search", ALLOCSET_DEFAULT_SIZES);
	s->slot = table_slot_create(s->table, NULL);
	s->fetch = table_index_fetch_begin(s->table);
	s->scan = compat_index_beginscan_bitmap(s->index, s->snapshot, 1);
	s->stop_at = buffers_accessed() + budget;
	/* a page that is read by itself has no predicate lock of its own */
	PredicateLockRelation(s->index, s->snapshot);
	/* the pending list first: what leaves it goes to the pages */
	if (pending)
		s->pending = pending_read(s->index, s->scope);
	s->pages = pages_open(s->index, budget, s->pending != NULL);
	if (!s->pages)
		search_leave_pages(s);
}

void
search_end(Search *s, const char *name, int budget)
{
	if (search_exhausted(s))
		ereport(DEBUG1, (errmsg_internal("%s() stopped after %d buffers", name, budget)));
	if (!s->pages)
		ereport(DEBUG1, (errmsg_internal("%s() asked the access method", name)));
	index_endscan(s->scan);
	table_index_fetch_end(s->fetch);
	ExecDropSingleTupleTableSlot(s->slot);
}

/*
 * Shows the keys of the index from "from" on that share its first bytes, without their scope; those of its
 * pages in order.
 */
void
look_from_key(Search *s, const bytea *from, int nprefix, PostingVisitor visit, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	LookVisit	  v = {.s = s, .visit = visit, .arg = arg};
	KeyScan		  scan = {.from = from, .nprefix = nprefix, .look = look_visit, .arg = &v};
	RowSet		  none = {0};

	if (search_exhausted(s) ||
		(s->pages && pages_keys(s->pages, from, nprefix, s->scope.n, visit, arg)))
		return;
	search_leave_pages(s);
	v.context = context;
	look_scan(s, &scan, &none);
}

/*
 * Shows all keys that begin with "from"; a key may be shown twice, those of the pending list are shown first,
 * all of them and in any order.
 */
void
look_at_keys(Search *s, const bytea *from, PostingVisitor visit, void *arg)
{
	if (s->pending && !search_exhausted(s))
		pending_keys(s->pending, from, s->scope.n, visit, arg);
	look_from_key(s, from, VARSIZE(from) - VARHDRSZ, visit, arg);
}

/* Adds the rows of a key; with "only", at least those among these. */
void
look_up(Search *s, Posting *posting, const RowSet *only, RowSet *out)
{
	KeyScan scan = {.from = posting->key};

	if (!posting->read)
	{
		posting->set.n = 0;
		if (s->pages && !pages_rows(s->pages, posting, only, &posting->set))
			search_leave_pages(s);
		if (!s->pages)
		{
			posting->set.n = 0;
			look_scan(s, &scan, &posting->set);
		}
		/* a part is not kept */
		posting->read = !only || !s->pages;
	}
	rowset_add(out, posting->set.rows, posting->set.n);
}
