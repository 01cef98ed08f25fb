/*
 * look.c
 *		A search and what it has found: scans of the index, rows of the table, the best so far.
 *
 *	hit		a topic that satisfies the text, in order: tier, fewest typos, weight, then the topic by its bytes
 *
 * Topics that equal the text are kept apart: among those of the same words the one that is spelled as the
 * text comes first, and a variant with other blanks stands before or behind them by its volume
 * (search_finish()).
 *
 * Invariant: a row is read with the snapshot of the caller's statement and judged by match.c; an index entry
 * alone never becomes a hit.  No row is read twice for one question.
 */
#include "openinfo.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "utils/builtins.h"

#include "topics/fold.h"
#include "topics/look.h"

/* Row numbers of one scan are kept exactly up to this much memory, then by page. */
#define LOOK_BITMAP_BYTES (8 * 1024 * 1024)

/* ---- hits ---- */

static int
hit_compare(const Hit *a, const Hit *b)
{
	int c;

	if (a->match.tier != b->match.tier)
		return a->match.tier > b->match.tier ? -1 : 1;
	if (a->match.typos != b->match.typos)
		return a->match.typos < b->match.typos ? -1 : 1;
	if (a->match.weight != b->match.weight)
		return a->match.weight > b->match.weight ? -1 : 1;
	if (a->spelled != b->spelled)
		return a->spelled > b->spelled ? -1 : 1;
	c = memcmp(a->topic, b->topic, Min(a->ntopic, b->ntopic));
	if (c == 0)
		c = a->ntopic - b->ntopic;
	return c != 0 ? c : memcmp(a->id.data, b->id.data, UUID_LEN);
}

/* Where a hit would stand in a list. */
static int
hits_place(const HitList *list, const Hit *hit)
{
	int low = 0;
	int high = list->n;

	while (low < high)
	{
		int mid = (low + high) / 2;

		if (hit_compare(hit, list->hits[mid]) < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static void
hits_insert(HitList *list, int place, Hit *hit)
{
	if (list->n == list->capacity)
	{
		Hit *last = list->hits[--list->n];

		pfree(DatumGetPointer(last->values[1]));
		pfree(unconstify(char *, last->topic));
		pfree(last);
	}
	memmove(&list->hits[place + 1], &list->hits[place], sizeof(Hit *) * (list->n - place));
	list->hits[place] = hit;
	list->n++;
}

static int
hit_spelled(const TopicSearch *s, const Hit *hit)
{
	int		  n1;
	int		  n2;
	pg_wchar *c1;
	pg_wchar *c2;

	if (hit->ntopic == s->ntext && memcmp(hit->topic, s->text, s->ntext) == 0)
		return 2;
	c1 = text_spelling(hit->topic, hit->ntopic, &n1);
	c2 = text_spelling(s->text, s->ntext, &n2);
	return n1 == n2 && memcmp(c1, c2, sizeof(pg_wchar) * n1) == 0 ? 1 : 0;
}

/* Has anything of this tier or a better one been found, in the words of the text as they were typed? */
bool
search_has(const TopicSearch *s, MatchTier tier)
{
	if (s->other.n > 0 && s->other.hits[0]->match.tier >= tier)
		return true;
	for (int i = 0; i < s->equal.n; i++)
		if (s->equal.hits[i]->same_words || tier <= MATCH_TYPO)
			return true;
	return false;
}

/* Could a row of this kind still be among the first? */
bool
search_accepts(const TopicSearch *s, MatchTier tier, int64 weight)
{
	const Match *last;

	if (s->other.n < s->limit)
		return true;
	last = &s->other.hits[s->other.n - 1]->match;
	return tier > last->tier || (tier == last->tier && weight >= last->weight);
}

/* Adds a row; values are those of the columns, t the words of its topic. */
void
search_add(TopicSearch *s, const Match *m, const TextWords *t, Datum *values, bool *nulls)
{
	text	*topic = DatumGetTextPP(values[1]);
	HitList *list = m->tier == MATCH_EQUAL ? &s->equal : &s->other;
	Hit		 hit = {.match = *m};
	Hit		*kept;
	int		 place;

	hit.topic = VARDATA_ANY(topic);
	hit.ntopic = VARSIZE_ANY_EXHDR(topic);
	memcpy(&hit.id, DatumGetUUIDP(values[0]), sizeof(pg_uuid_t));
	if (m->tier == MATCH_EQUAL)
	{
		const TextWords *typed = &s->query.typed;

		hit.same_words = t->nnorm == typed->nnorm && memcmp(t->norm, typed->norm, t->nnorm) == 0;
		hit.spelled = hit_spelled(s, &hit);
	}
	place = hits_place(list, &hit);
	if (place >= list->capacity && m->tier != MATCH_EQUAL)
		return;
	if (list->n == list->capacity && m->tier == MATCH_EQUAL)
	{
		list->capacity *= 2;
		list->hits = repalloc(list->hits, sizeof(Hit *) * (list->capacity + 1));
	}
	kept = palloc(sizeof(Hit));
	*kept = hit;
	kept->topic = pnstrdup(hit.topic, hit.ntopic);
	memcpy(kept->values, values, sizeof(kept->values));
	memcpy(kept->nulls, nulls, sizeof(kept->nulls));
	kept->values[0] = UUIDPGetDatum(&kept->id);
	kept->values[1] = PointerGetDatum(cstring_to_text_with_len(hit.topic, hit.ntopic));
	hits_insert(list, place, kept);
}

/*
 * Puts the hits together.  The topic that is spelled most like the text counts as much as the most wanted one
 * of the same words.
 */
void
search_finish(TopicSearch *s)
{
	HitList all = {.capacity = s->limit};
	HitList equal = {.capacity = s->equal.capacity};
	int64	most = 0;
	int		spelled = 0;

	all.hits = palloc(sizeof(Hit *) * (all.capacity + 1));
	equal.hits = palloc(sizeof(Hit *) * (equal.capacity + 1));
	for (int i = 0; i < s->equal.n; i++)
		if (s->equal.hits[i]->same_words)
		{
			most = Max(most, s->equal.hits[i]->match.weight);
			spelled = Max(spelled, s->equal.hits[i]->spelled);
		}
	for (int i = 0; i < s->equal.n; i++)
	{
		Hit *hit = s->equal.hits[i];

		if (hit->same_words && hit->spelled > 0 && hit->spelled == spelled)
			hit->match.weight = most;
		hits_insert(&equal, hits_place(&equal, hit), hit);
	}
	for (int i = 0; i < equal.n && all.n < s->limit; i++)
		all.hits[all.n++] = equal.hits[i];
	for (int i = 0; i < s->other.n && all.n < s->limit; i++)
		all.hits[all.n++] = s->other.hits[i];
	s->equal.n = 0;
	s->other = all;
}

/* ---- the budget ---- */

bool
search_exhausted(const TopicSearch *s)
{
	return buffers_accessed() > s->stop_at;
}

/* From here on the access method is asked, which reads more than is needed: no limit would do for it. */
void
search_leave_pages(TopicSearch *s)
{
	s->pages = NULL;
	s->stop_at = PG_INT64_MAX;
}

/* ---- rows that have been read ---- */

static int
rows_place(const TopicSearch *s, uint64 row)
{
	int i = murmurhash32((uint32) (row ^ row >> 32)) & (s->capacity - 1);

	while (s->rows[i] != 0 && s->rows[i] != row)
		i = (i + 1) & (s->capacity - 1);
	return i;
}

static void
rows_note(TopicSearch *s, uint64 row)
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
rows_noted(const TopicSearch *s, uint64 row)
{
	return s->capacity > 0 && s->rows[rows_place(s, row)] == row;
}

/* What has been read may satisfy another question. */
void
search_forget_rows(TopicSearch *s)
{
	if (s->nrows > 0)
		memset(s->rows, 0, sizeof(uint64) * s->capacity);
	s->nrows = 0;
	s->again = true;
}

static bool
hits_have(const HitList *list, Datum id)
{
	for (int i = 0; i < list->n; i++)
		if (memcmp(&list->hits[i]->id, DatumGetUUIDP(id), sizeof(pg_uuid_t)) == 0)
			return true;
	return false;
}

/* Reads rows that the index gave, and adds those that satisfy the query. */
void
look_at_rows(TopicSearch *s, const SearchQuery *q, const RowSet *rows, MatchTier floor, int max_typos)
{
	for (int i = 0; i < rows->n && !search_exhausted(s); i++)
	{
		bool			again = false;
		bool			isnull;
		ItemPointerData tid;
		TextWords		t;
		text		   *topic;
		Match			m;
		int64			volume;
		Datum			values[SEARCH_COLUMNS];
		bool			nulls[SEARCH_COLUMNS];

		CHECK_FOR_INTERRUPTS();
		if (rows_noted(s, rows->rows[i]))
			continue;
		rows_note(s, rows->rows[i]);
		ItemPointerSet(&tid, rows->rows[i] >> 16, rows->rows[i] & 0xFFFF);
		if (!table_index_fetch_tuple(s->fetch, &tid, s->snapshot, s->slot, &again, NULL))
			continue;
		topic = DatumGetTextPP(slot_getattr(s->slot, s->attno[1], &isnull));
		volume = DatumGetInt32(slot_getattr(s->slot, s->attno[3], &isnull));
		textwords_read(VARDATA_ANY(topic), VARSIZE_ANY_EXHDR(topic), false, &t);
		if (!match_topic(q, &t, floor, max_typos, volume, &m))
			continue;
		if (q != &s->query && m.tier != MATCH_EQUAL)
		{
			m.tier = MATCH_SPACING;
			m.weight = volume;
		}
		if (m.tier != MATCH_EQUAL && !search_accepts(s, m.tier, m.weight))
			continue;
		for (int c = 0; c < SEARCH_COLUMNS; c++)
			values[c] = slot_getattr(s->slot, s->attno[c], &nulls[c]);
		if (s->again && (hits_have(&s->equal, values[0]) || hits_have(&s->other, values[0])))
			continue;
		search_add(s, &m, &t, values, nulls);
	}
}

/* ---- the index ---- */

/* Rows through the access method. */
static void
look_scan(TopicSearch *s, const KeyScan *scan, RowSet *out)
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
	TopicSearch	  *s;
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

	go_on = !search_exhausted(v->s) && v->visit(v->arg, key, n, &posting);
	MemoryContextSwitchTo(old);
	return go_on;
}

/* Shows all keys that begin with "from"; a key may be shown twice. */
void
look_at_keys(TopicSearch *s, const bytea *from, PostingVisitor visit, void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	LookVisit	  v = {.s = s, .visit = visit, .arg = arg};
	KeyScan		  scan = {.from = from, .look = look_visit, .arg = &v};
	RowSet		  none = {0};

	if (search_exhausted(s) || (s->pages && pages_keys(s->pages, from, visit, arg)))
		return;
	search_leave_pages(s);
	v.context = context;
	look_scan(s, &scan, &none);
}

/* Adds the rows of a key; with "only", at least those of these. */
void
look_up(TopicSearch *s, Posting *posting, const RowSet *only, RowSet *out)
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
		/* part of a tree is not kept */
		posting->read = !only || !s->pages || !BlockNumberIsValid(posting->tree);
	}
	rowset_add(out, posting->set.rows, posting->set.n);
}
