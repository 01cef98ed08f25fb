/*
 * walk.c
 *		The walk along the volume buckets, from the top: topics with the words of a text, or their stems.
 *
 *	term	a word of the text, with all keys that satisfy it, by bucket
 *	level	what orders the walk: a bucket, or eight above it for topics that begin with the text, whose
 *			volume counts sixteen times
 *
 * The keys of each word are looked at once, which tells in which buckets it occurs, and about how often.
 * Then the levels are walked from the top, until no row below can be better than the last hit.  In a bucket
 * the rarest word comes first; the rows of the others are looked at as long as that costs less than to read
 * the rows that are left.
 *
 * Invariant: a level is left out only when its greatest weight is below that of the last hit, or when the
 * budget is exhausted.
 */
#include "openinfo.h"

#include "topics/walk.h"

#define LEVELS (BUCKETS + BUCKETS_OF_BEGINS)
/* A tree of rows has at least so many, and a page of it some so many. */
#define TREE_ROWS 1500
#define TREE_PAGE_ROWS 5000
/* In a tree so many times the rows of the bucket above are expected. */
#define TREE_GROWTH 1.5
/* So many short lists cost as much as a page. */
#define LISTS_PER_PAGE 20
/* A word of more keys is looked up only where more rows than this are left, after reading these. */
#define WIDE_KEYS 300
#define WIDE_ROWS 400
/* Of the rows that are left so many are ruled out by another word. */
#define RULED_OUT 0.8

/* ---- terms ---- */

static void
bucket_add(Bucket *b, Posting *posting)
{
	if (b->n == b->capacity)
	{
		b->capacity = Max(4, b->capacity * 2);
		b->postings = b->postings ? repalloc(b->postings, sizeof(Posting *) * b->capacity)
								  : palloc(sizeof(Posting *) * b->capacity);
	}
	b->postings[b->n++] = posting;
}

static bool
term_visit(void *arg, const char *key, int n, const Posting *posting)
{
	Term	*term = arg;
	Posting *kept;

	if (term->most > 0 && term->nkeys >= term->most)
		term->wide = true;
	if (term->wide)
		return false;
	kept = palloc(sizeof(Posting));
	*kept = *posting;
	bucket_add(&term->buckets[Min(key_bucket(key, n), BUCKETS - 1)], kept);
	term->nkeys++;
	return true;
}

/* Adds the keys of another term. */
void
term_add(Term *term, const Term *more)
{
	for (int b = 0; b < BUCKETS; b++)
		for (int i = 0; i < more->buckets[b].n; i++)
			bucket_add(&term->buckets[b], more->buckets[b].postings[i]);
	term->nkeys += more->nkeys;
}

/* How many rows has a bucket, about? */
void
term_finish(Term *term)
{
	double above = 0;

	for (int b = BUCKETS - 1; b >= 0; b--)
	{
		Bucket *bucket = &term->buckets[b];
		bool	tree = false;

		bucket->rows = 0;
		for (int i = 0; i < bucket->n; i++)
		{
			bucket->rows += bucket->postings[i]->n;
			tree |= bucket->postings[i]->list == NULL;
		}
		if (tree)
			bucket->rows = Max(bucket->rows + TREE_ROWS, above * TREE_GROWTH);
		above = Max(above, bucket->rows);
	}
}

/* A typed word: all words that begin so, or that one; with a place, as word number so many of the topic. */
Term *
term_of_word(Search *s, const TextWord *w, bool open, int place)
{
	Term   *term = palloc0(sizeof(Term));
	int		nc = Min(w->nc, WORD_KEY_CHARS);
	KeyKind kind = KEY_WORD;
	KeyEnd	end = open ? KEY_ANY_WORD : KEY_ONE_WORD;

	if (open && !s->source->volumes && nc <= PREFIX_CHARS)
		term->most = WIDE_KEYS;
	if (open && s->source->volumes)
	{
		kind = nc == 1 ? KEY_LETTER : nc <= PREFIX_CHARS ? KEY_PREFIX
														 : KEY_WORD;
		end = nc == 1 || nc == PREFIX_CHARS ? KEY_ONE_WORD : KEY_ANY_WORD;
	}
	term->from = key_make(s->scope, kind, place, w->s, textword_bytes(w, nc), end, 0);
	look_at_keys(s, term->from, term_visit, term);
	term_finish(term);
	return term;
}

/* The letter that the first word begins with, where only that one has such a key. */
static Term *
term_of_letter(Search *s, const TextWord *w)
{
	Term *term = palloc0(sizeof(Term));

	look_at_keys(s, key_make(s->scope, KEY_LETTER, 1, w->s, textword_bytes(w, 1), KEY_ONE_WORD, 0),
				 term_visit, term);
	term_finish(term);
	return term;
}

/* Looks at the keys that were left out, if any. */
Term *
term_complete(Search *s, Term *term)
{
	const bytea *from = term->from;

	if (!term->wide)
		return term;
	memset(term, 0, sizeof(Term));
	term->from = from;
	look_at_keys(s, from, term_visit, term);
	term_finish(term);
	return term;
}

/* ---- buckets ---- */

/* Rows of a bucket of one term; with "only", at least those of these. */
static void
bucket_rows(Search *s, const Bucket *b, const RowSet *only, RowSet *out)
{
	for (int i = 0; i < b->n; i++)
		look_up(s, b->postings[i], only, out);
	rowset_sort(out);
}

/* Does it cost less to look up a term than to read the rows that it rules out? */
static bool
bucket_pays(const Bucket *b, int left)
{
	int unread = b->n / LISTS_PER_PAGE;

	for (int i = 0; i < b->n; i++)
		unread += b->postings[i]->list == NULL && !b->postings[i]->read;
	return unread == 0 || left * RULED_OUT > unread + Min(left, b->rows / TREE_PAGE_ROWS);
}

/* Rows of a bucket that may satisfy all terms; true when a wide one has been left out. */
static bool
bucket_and(Search *s, Term *const *terms, int n, int bucket, RowSet *out)
{
	Term *order[WALK_WORDS] = {NULL};
	bool  left_out = false;

	out->n = 0;
	for (int i = 0; i < n; i++)
	{
		Term  *t = terms[i];
		double rows = t->buckets[bucket].rows;
		int	   k = i;

		if (t->buckets[bucket].n == 0)
			return false;
		for (; k > 0 && !t->wide && (order[k - 1]->wide || order[k - 1]->buckets[bucket].rows > rows); k--)
			order[k] = order[k - 1];
		order[k] = t;
	}
	for (int i = 0; i < n && (i == 0 || out->n > 0); i++)
	{
		RowSet other = {0};

		if (i == 0)
			(void) term_complete(s, order[i]);
		left_out |= order[i]->wide;
		if (order[i]->wide || (i > 0 && !bucket_pays(&order[i]->buckets[bucket], out->n)))
			continue;
		bucket_rows(s, &order[i]->buckets[bucket], i > 0 ? out : NULL, i > 0 ? &other : out);
		if (i > 0)
			rowset_intersect(out, &other);
		if (other.rows)
			pfree(other.rows);
	}
	return left_out;
}

/* ---- the walk ---- */

/* The least tier that rows are judged by. */
static MatchTier
tier_floor(MatchTier tier)
{
	return tier == MATCH_TYPO ? MATCH_TYPO : tier == MATCH_SPACING ? MATCH_WORDS
																   : MATCH_STEM;
}

static void
walk_bucket(Walk *w, MatchTier tier, Term *const *terms, int n, int bucket)
{
	RowSet rows = {0};

	if (bucket_and(w->s, terms, n, bucket, &rows) &&
		!look_at_rows(w->s, w->q, &rows, tier, tier_floor(w->tier), w->max_typos, WIDE_ROWS))
	{
		for (int i = 0; i < n; i++)
			(void) term_complete(w->s, terms[i]);
		(void) bucket_and(w->s, terms, n, bucket, &rows);
	}
	(void) look_at_rows(w->s, w->q, &rows, tier, tier_floor(w->tier), w->max_typos, INT_MAX);
	if (rows.rows)
		pfree(rows.rows);
}

/* Where all rows are in one bucket: those that begin with the text are better than the others. */
static void
walk_flat(Walk *w)
{
	if (w->nbegins > 0 && search_accepts(w->s, MATCH_BEGINS, PG_INT64_MAX))
		walk_bucket(w, MATCH_BEGINS, w->begins, w->nbegins, 0);
	if (w->nwords > 0 && !search_exhausted(w->s) && search_accepts(w->s, w->tier, PG_INT64_MAX))
		walk_bucket(w, w->tier, w->words, w->nwords, 0);
}

void
walk(Walk *w)
{
	bool words = w->nwords > 0;
	bool begins = w->nbegins > 0;

	if (!w->s->source->volumes)
	{
		walk_flat(w);
		return;
	}
	for (int level = LEVELS - 1; level >= 0 && (words || begins); level--)
	{
		int bucket = level - BUCKETS_OF_BEGINS;

		if (search_exhausted(w->s))
			return;
		begins = begins && bucket >= 0 &&
				 search_accepts(w->s, w->tier, bucket_max(bucket) * MATCH_BEGINS_WEIGHT);
		if (begins)
			walk_bucket(w, w->tier, w->begins, w->nbegins, bucket);
		if (level >= BUCKETS)
			continue;
		words = words && search_accepts(w->s, w->tier, bucket_max(level));
		if (words)
			walk_bucket(w, w->tier, w->words, w->nwords, level);
	}
}

/* ---- words and stems ---- */

/* What has the stem of a word, or NULL when it has none. */
static Term *
term_of_stem(Search *s, const TextWord *w)
{
	char  stem[WORD_KEY_CHARS + 1];
	int	  n = textword_stem(w, stem);
	Term *term;

	if (n == 0)
		return NULL;
	term = palloc0(sizeof(Term));
	look_at_keys(s, key_make(s->scope, KEY_STEM, 0, stem, n, KEY_ONE_WORD, 0), term_visit, term);
	/* a word that is its own stem has no stem key */
	if (n != w->n || memcmp(stem, w->s, n) != 0)
		look_at_keys(s, key_make(s->scope, KEY_WORD, 0, stem, n, KEY_ONE_WORD, 0), term_visit, term);
	term_finish(term);
	return term->nkeys > 0 ? term : NULL;
}

/* Topics in which one word at least is there by its stem alone. */
static void
walk_stems(Walk *w)
{
	Term *stems[WALK_WORDS];
	Term *words[WALK_WORDS];
	Term *either[WALK_WORDS];

	memcpy(words, w->words, sizeof(words));
	for (int i = 0; i < w->nwords; i++)
	{
		stems[i] = term_of_stem(w->s, &w->q->words[i]);
		either[i] = words[i];
		if (stems[i])
		{
			either[i] = palloc0(sizeof(Term));
			term_add(either[i], words[i]);
			term_add(either[i], stems[i]);
			term_finish(either[i]);
		}
		if (either[i]->nkeys == 0)
			return;
	}
	w->tier = MATCH_STEM;
	for (int b = BUCKETS - 1; b >= 0 && search_accepts(w->s, MATCH_STEM, bucket_max(b)); b--)
		for (int i = 0; i < w->nwords && !search_exhausted(w->s); i++)
			if (stems[i] && stems[i]->buckets[b].n > 0)
			{
				memcpy(w->words, either, sizeof(either));
				w->words[i] = stems[i];
				walk_bucket(w, w->tier, w->words, w->nwords, b);
			}
	memcpy(w->words, words, sizeof(words));
}

/* Topics that equal the text, but for blanks. */
static void
walk_equal(Search *s)
{
	const SearchQuery *q = &s->query;
	Term			   term = {0};
	RowSet			   rows = {0};

	look_at_keys(s,
				 key_make(s->scope, KEY_EQUAL, 0, (const char *) &q->hash, sizeof(q->hash), KEY_COMPLETE, 0),
				 term_visit, &term);
	bucket_rows(s, &term.buckets[0], NULL, &rows);
	(void) look_at_rows(s, q, &rows, MATCH_EQUAL, MATCH_EQUAL, 0, INT_MAX);
}

/* The words of the text; true when each is there. */
static bool
walk_terms(Walk *w)
{
	bool all = true;

	w->nwords = Min(w->q->nwords, WALK_WORDS);
	for (int i = 0; i < w->nwords; i++)
	{
		w->words[i] = term_of_word(w->s, &w->q->words[i], query_word_open(w->q, i), 0);
		all &= w->words[i]->nkeys > 0;
	}
	return all;
}

static void
begins_add(Walk *w, Term *term)
{
	if (w->nbegins < WALK_WORDS)
		w->begins[w->nbegins++] = term;
}

/* Where rows go by volume: topics with all words of the text. */
static void
walk_by_volume(Walk *w)
{
	const TextWords *typed = &w->q->typed;

	if (!walk_terms(w))
		return;
	for (int i = 0; i < typed->nwords && i < BEGINS_WORDS; i++)
		begins_add(w, term_of_word(w->s, &typed->words[i], i == typed->nwords - 1, i + 1));
	/* further words stand anywhere; those that have their place are not asked for once more */
	for (int i = 0; typed->nwords > BEGINS_WORDS && i < w->nwords; i++)
	{
		bool placed = false;

		for (int k = 0; k < BEGINS_WORDS; k++)
			placed |= typed->words[k].s == w->q->words[i].s;
		if (!placed)
			begins_add(w, w->words[i]);
	}
	walk(w);
}

/* Where they do not: first those that begin with the text. */
static void
walk_by_beginning(Walk *w)
{
	const TextWord *first = &w->q->typed.words[0];
	bool			alone = w->q->typed.nwords == 1;
	bool			all;

	if (alone && first->nc <= PREFIX_CHARS)
		begins_add(w, term_of_letter(w->s, first));
	if (!alone || first->nc > 1)
		begins_add(w, term_of_word(w->s, first, alone, 1));
	if (alone)
	{
		walk(w);
		w->nbegins = 0;
		if (!search_accepts(w->s, w->tier, PG_INT64_MAX) && search_has(w->s, w->tier))
			return;
	}
	all = walk_terms(w);
	for (int i = 0; w->nbegins > 0 && i < w->nwords; i++)
		begins_add(w, w->words[i]);
	if (all)
		walk(w);
}

/* Rows with all words of the text, and, when the list has space left, with their stems. */
void
walk_words(Walk *w)
{
	w->tier = MATCH_WORDS;
	walk_equal(w->s);
	if (w->s->source->volumes)
		walk_by_volume(w);
	else
		walk_by_beginning(w);
	w->nbegins = 0;
	if (w->q->stems && w->s->other.n < w->s->limit)
		walk_stems(w);
}
