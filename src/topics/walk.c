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
	Posting *kept = palloc(sizeof(Posting));

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
term_of_word(TopicSearch *s, const TextWord *w, bool open, int place)
{
	Term   *term = palloc0(sizeof(Term));
	int		nc = Min(w->nc, WORD_KEY_CHARS);
	KeyKind kind = KEY_WORD;
	KeyEnd	end = KEY_ONE_WORD;

	if (open)
	{
		kind = nc == 1 ? KEY_LETTER : nc <= PREFIX_CHARS ? KEY_PREFIX
														 : KEY_WORD;
		end = nc == 1 || nc == PREFIX_CHARS ? KEY_ONE_WORD : KEY_ANY_WORD;
	}
	look_at_keys(s, key_make(kind, place, w->s, textword_bytes(w, nc), end, 0), term_visit, term);
	term_finish(term);
	return term;
}

/* ---- buckets ---- */

/* Rows of a bucket of one term; with "only", at least those of these. */
static void
bucket_rows(TopicSearch *s, const Bucket *b, const RowSet *only, RowSet *out)
{
	for (int i = 0; i < b->n; i++)
		look_up(s, b->postings[i], only, out);
	rowset_sort(out);
}

/* Does it cost less to look up a term than to read the rows that it rules out? */
static bool
bucket_pays(const Bucket *b, int left)
{
	int unread = 0;

	for (int i = 0; i < b->n; i++)
		unread += b->postings[i]->list == NULL && !b->postings[i]->read;
	return unread == 0 || left * RULED_OUT > unread + Min(left, b->rows / TREE_PAGE_ROWS);
}

/* Rows of a bucket that may satisfy all terms. */
static void
bucket_and(TopicSearch *s, Term *const *terms, int n, int bucket, RowSet *out)
{
	const Bucket *order[WALK_WORDS] = {NULL};

	out->n = 0;
	for (int i = 0; i < n; i++)
	{
		const Bucket *b = &terms[i]->buckets[bucket];
		int			  k = i;

		if (b->n == 0)
			return;
		for (; k > 0 && order[k - 1]->rows > b->rows; k--)
			order[k] = order[k - 1];
		order[k] = b;
	}
	bucket_rows(s, order[0], NULL, out);
	for (int i = 1; i < n && out->n > 0; i++)
	{
		RowSet other = {0};

		if (!bucket_pays(order[i], out->n))
			continue;
		bucket_rows(s, order[i], out, &other);
		rowset_intersect(out, &other);
		if (other.rows)
			pfree(other.rows);
	}
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
walk_bucket(Walk *w, Term *const *terms, int n, int bucket)
{
	RowSet rows = {0};

	bucket_and(w->s, terms, n, bucket, &rows);
	look_at_rows(w->s, w->q, &rows, tier_floor(w->tier), w->max_typos);
	if (rows.rows)
		pfree(rows.rows);
}

void
walk(Walk *w)
{
	bool words = w->nwords > 0;
	bool begins = w->nbegins > 0;

	for (int level = LEVELS - 1; level >= 0 && (words || begins); level--)
	{
		int bucket = level - BUCKETS_OF_BEGINS;

		if (search_exhausted(w->s))
			return;
		begins = begins && bucket >= 0 && search_accepts(w->s, w->tier, bucket_max(bucket) * MATCH_BEGINS);
		if (begins)
			walk_bucket(w, w->begins, w->nbegins, bucket);
		if (level >= BUCKETS)
			continue;
		words = words && search_accepts(w->s, w->tier, bucket_max(level));
		if (words)
			walk_bucket(w, w->words, w->nwords, level);
	}
}

/* ---- words and stems ---- */

/* What has the stem of a word, or NULL when it has none. */
static Term *
term_of_stem(TopicSearch *s, const TextWord *w)
{
	char  stem[WORD_KEY_CHARS + 1];
	int	  n = textword_stem(w, stem);
	Term *term;

	if (n == 0)
		return NULL;
	term = palloc0(sizeof(Term));
	look_at_keys(s, key_make(KEY_STEM, 0, stem, n, KEY_ONE_WORD, 0), term_visit, term);
	/* a word that is its own stem has no stem key */
	if (n != w->n || memcmp(stem, w->s, n) != 0)
		look_at_keys(s, key_make(KEY_WORD, 0, stem, n, KEY_ONE_WORD, 0), term_visit, term);
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
				walk_bucket(w, w->words, w->nwords, b);
			}
	memcpy(w->words, words, sizeof(words));
}

static bool
equal_visit(void *arg, const char *key, int n, const Posting *posting)
{
	*(Posting *) arg = *posting;
	return false;
}

/* Topics that equal the text, but for blanks. */
static void
walk_equal(TopicSearch *s)
{
	const SearchQuery *q = &s->query;
	Posting			   posting = {0};
	RowSet			   rows = {0};

	look_at_keys(s, key_make(KEY_EQUAL, 0, (const char *) &q->hash, sizeof(q->hash), KEY_COMPLETE, 0),
				 equal_visit, &posting);
	if (posting.key == NULL)
		return;
	look_up(s, &posting, NULL, &rows);
	look_at_rows(s, q, &rows, MATCH_EQUAL, 0);
}

/* Topics with all words of the text, and, when the list has space left, with their stems. */
void
walk_words(Walk *w)
{
	TopicSearch		*s = w->s;
	const TextWords *typed = &w->q->typed;
	bool			 missing = false;

	w->nwords = Min(w->q->nwords, WALK_WORDS);
	w->tier = MATCH_WORDS;
	for (int i = 0; i < w->nwords; i++)
	{
		w->words[i] = term_of_word(s, &w->q->words[i], query_word_open(w->q, i), 0);
		missing |= w->words[i]->nkeys == 0;
	}
	walk_equal(s);
	if (!missing)
	{
		for (int i = 0; i < typed->nwords && i < BEGINS_WORDS; i++)
			w->begins[w->nbegins++] = term_of_word(s, &typed->words[i], i == typed->nwords - 1, i + 1);
		/* further words stand anywhere */
		for (int i = 0; typed->nwords > BEGINS_WORDS && i < w->nwords; i++)
			if (w->nbegins < WALK_WORDS)
				w->begins[w->nbegins++] = w->words[i];
		walk(w);
		w->nbegins = 0;
	}
	if (s->other.n < s->limit)
		walk_stems(w);
}
