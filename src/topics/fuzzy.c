/*
 * fuzzy.c
 *		What the search tries when a text, read as it is, finds nothing: spacing and typos.
 *
 * Spacing: one blank more or less (elastic search, machinelearning), no part shorter than two letters.
 *
 * Typos: the vocabulary of the index, in two orders, gives the near words, as match.c counts typos.  Where
 * the first three letters are right, the vocabulary from them on is looked at.  A letter too many or two
 * swapped among them leave one word, or one beginning, to be looked for.  Another letter or one missing among
 * them leaves the letters behind right, which is the second order.  The fewest typos that find anything, all
 * words together, win.
 *
 * Where there is no second order (leads, which have fewer keys so that inserting costs less), every letter
 * is tried in each of the first three places.
 *
 * Invariant: the near words are complete as long as the budget lasts, whatever the alphabet; where letters
 * are tried, of those alphabets that the typed word has letters of.
 */
#include "openinfo.h"

#include "miscadmin.h"

#include "topics/fold.h"
#include "topics/fuzzy.h"

/* Letters of one block of Unicode, and of so many at most, are tried in place of others. */
#define LETTER_BLOCK 64
#define LETTERS_MAX 160

/* ---- spacing ---- */

static SearchQuery *
variant_init(const SearchQuery *q, int nwords)
{
	SearchQuery *v = palloc(sizeof(SearchQuery));

	*v = *q;
	v->words = palloc(sizeof(TextWord) * nwords);
	v->nwords = nwords;
	return v;
}

/* The text with one blank less or one more, in every place: a list of SearchQuery. */
List *
spacing_variants(const SearchQuery *q)
{
	List *list = NIL;

	for (int i = 0; i < q->nwords; i++)
	{
		const TextWord *w = &q->words[i];

		if (i + 1 < q->nwords)
		{
			const TextWord *next = w + 1;
			pg_wchar	   *c = palloc(sizeof(pg_wchar) * (w->nc + next->nc));
			SearchQuery	   *v = variant_init(q, q->nwords - 1);

			memcpy(c, w->c, sizeof(pg_wchar) * w->nc);
			memcpy(c + w->nc, next->c, sizeof(pg_wchar) * next->nc);
			memcpy(v->words, q->words, sizeof(TextWord) * i);
			textword_init(&v->words[i], c, w->nc + next->nc);
			memcpy(v->words + i + 1, q->words + i + 2, sizeof(TextWord) * (q->nwords - i - 2));
			list = lappend(list, v);
		}
		for (int at = 2; at <= w->nc - 2 && w->nc <= WORD_KEY_CHARS; at++)
		{
			SearchQuery *v = variant_init(q, q->nwords + 1);

			memcpy(v->words, q->words, sizeof(TextWord) * i);
			textword_init(&v->words[i], w->c, at);
			textword_init(&v->words[i + 1], w->c + at, w->nc - at);
			memcpy(v->words + i + 2, q->words + i + 1, sizeof(TextWord) * (q->nwords - i - 1));
			list = lappend(list, v);
		}
	}
	return list;
}

/* The vocabulary has a kind of its own where the keys of words go by volume. */
static KeyKind
search_vocabulary(const Search *s)
{
	return s->source->volumes ? KEY_VOCABULARY : KEY_WORD;
}

/* The length of the whole key of a word, without its scope. */
static int
vocabulary_bytes(const Search *s, const bytea *from)
{
	return VARSIZE(from) - VARHDRSZ - s->scope.n + (s->source->volumes ? 0 : KEY_END_BYTES);
}

/* The shortest key: keys of a pending list come in any order. */
static bool
variant_visit(void *arg, const char *key, int n, const Posting *posting)
{
	int *shortest = arg;

	*shortest = *shortest < 0 ? n : Min(*shortest, n);
	return false;
}

/* Parts that are known to be no word, and no beginning of one when they are open. */
typedef struct Absent
{
	const TextWord *word;
	bool			open;
} Absent;

/* Is a part of a variant in the vocabulary?  Inner words are not, so parts of spaceless words may be any. */
static bool
variant_part_exists(Search *s, const TextWord *w, bool open, List **absent)
{
	bytea	 *from;
	KeyKind	  kind = search_vocabulary(s);
	int		  found = -1;
	Absent	 *a;
	ListCell *lc;

	if (w->spaceless)
		return true;
	foreach (lc, *absent)
	{
		a = lfirst(lc);
		if (a->open == open && a->word->n == w->n && memcmp(a->word->s, w->s, w->n) == 0)
			return false;
	}
	from = key_make(s->scope, kind, 0, w->s, textword_bytes(w, WORD_KEY_CHARS), KEY_ANY_WORD, 0);
	look_at_keys(s, from, variant_visit, &found);
	if (open ? found >= 0 : found == vocabulary_bytes(s, from))
		return true;
	a = palloc(sizeof(Absent));
	*a = (Absent){.word = w, .open = open};
	*absent = lappend(*absent, a);
	return false;
}

/* Topics that have the text with one blank more or less; "exact" has the words of the text as they are. */
static void
fuzzy_spacing(Walk *exact)
{
	Search			  *s = exact->s;
	const SearchQuery *q = exact->q;
	List			  *absent = NIL;
	ListCell		  *lc;

	foreach (lc, spacing_variants(q))
	{
		const SearchQuery *v = lfirst(lc);
		Walk			   w = {.s = s, .q = v, .tier = MATCH_SPACING, .nwords = Min(v->nwords, WALK_WORDS)};
		bool			   exists = true;

		CHECK_FOR_INTERRUPTS();
		/* words that the text has are known; the others are asked for in the vocabulary first */
		for (int i = 0; i < w.nwords && exists; i++)
			for (int k = 0; k < q->nwords; k++)
				if (v->words[i].s == q->words[k].s)
				{
					w.words[i] = exact->words[k];
					exists = w.words[i]->nkeys > 0;
				}
		for (int i = 0; i < w.nwords && exists; i++)
			if (!w.words[i])
				exists = variant_part_exists(s, &v->words[i], query_word_open(v, i), &absent);
		if (!exists || search_exhausted(s))
			continue;
		for (int i = 0; i < w.nwords; i++)
			if (!w.words[i])
				w.words[i] = term_of_word(s, &v->words[i], query_word_open(v, i), 0);
		search_forget_rows(s);
		walk(&w);
	}
}

/* ---- typos ---- */

typedef struct NearWord
{
	char *s;
	int	  n;
	int	  typos;
} NearWord;

/* The words that a typed word may have been meant to be. */
typedef struct NearWords
{
	const TextWord *typed;
	bool			open;
	int				max;   /* typos, 0 as long as nothing is known */
	int				whole; /* bytes of the key that is looked for, when longer ones are not wanted */
	NearWord	   *words;
	int				n;
	int				capacity;
	Term		   *terms[3]; /* what has a word with so many typos, 0 to 2 */
} NearWords;

/* A word of the vocabulary: is it near? */
static bool
near_visit(void *arg, const char *key, int n, const Posting *posting)
{
	NearWords *near = arg;
	char	   s[WORD_KEY_CHARS * 4 + 8];
	pg_wchar   c[WORD_KEY_CHARS + 1];
	TextWord   w = {.c = c, .s = s};
	int		   upto;
	int		   typos;

	if (n > (int) sizeof(s) || (near->whole > 0 && n > near->whole))
		return near->whole == 0;
	w.n = key_word(key, n, s);
	for (int i = 0; i < w.n && w.nc < WORD_KEY_CHARS;)
	{
		bool ascii = !(s[i] & 0x80); /* most are, and a call takes longer than the letter */

		c[w.nc++] = ascii ? s[i] : utf8_to_unicode((unsigned char *) s + i);
		i += ascii ? 1 : pg_utf_mblen((unsigned char *) s + i);
	}
	typos = typos_between(near->typed, &w, near->open, near->max, &upto);
	if (typos < 1 || typos > near->max)
		return true;
	n = near->open ? textword_bytes(&w, upto) : w.n;
	for (int i = 0; i < near->n; i++)
		if (near->words[i].n == n && memcmp(near->words[i].s, s, n) == 0)
		{
			near->words[i].typos = Min(near->words[i].typos, typos);
			return true;
		}
	if (near->n == near->capacity)
	{
		near->capacity *= 2;
		near->words = repalloc(near->words, sizeof(NearWord) * near->capacity);
	}
	near->words[near->n++] = (NearWord){.s = pnstrdup(s, n), .n = n, .typos = typos};
	return true;
}

static void
near_look_word(Search *s, NearWords *near, const pg_wchar *c, int nc, bool whole)
{
	TextWord w;
	bytea	*from;

	textword_init(&w, c, nc);
	from = key_make(s->scope, search_vocabulary(s), 0, w.s, w.n, KEY_ANY_WORD, 0);
	near->whole = whole ? vocabulary_bytes(s, from) : 0;
	look_at_keys(s, from, near_visit, near);
	near->whole = 0;
}

static void
near_look_tail(Search *s, NearWords *near, const pg_wchar *c, int nc, bool whole)
{
	look_at_keys(s, key_make_tail(s->scope, c, nc, c, 0, whole), near_visit, near);
}

/* The letters that may stand in place of those of a word: of its alphabets, each by its block of Unicode. */
static int
near_letters(const TextWord *w, pg_wchar *letters)
{
	int n = 0;

	for (int i = 0; i < w->nc; i++)
	{
		pg_wchar first = w->c[i] < 0x80 ? '0' : w->c[i] & ~(pg_wchar) (LETTER_BLOCK - 1);
		bool	 known = false;

		for (int k = 0; k < n && !known; k++)
			known = letters[k] == w->c[i];
		for (pg_wchar c = first; c < first + LETTER_BLOCK + 16 && !known && n < LETTERS_MAX; c++)
			if (text_in_word(c))
				letters[n++] = c;
	}
	return n;
}

/* Another letter, and one missing, among the first three of the first n letters of a word. */
static void
near_try_letters(Search *s, NearWords *near, int n, bool whole)
{
	const pg_wchar *q = near->typed->c;
	pg_wchar		letters[LETTERS_MAX];
	pg_wchar		v[TYPO_MAX_CHARS + 1];
	int				nletters = near_letters(near->typed, letters);

	for (int i = 0; i < TYPO_HEAD; i++)
		for (int k = 0; k < nletters && !search_exhausted(s); k++)
		{
			memcpy(v, q, sizeof(pg_wchar) * n);
			v[i] = letters[k];
			near_look_word(s, near, v, n, whole);
			memcpy(v + i + 1, q + i, sizeof(pg_wchar) * (n - i));
			near_look_word(s, near, v, n + 1, whole);
		}
}

/* One letter too many among the first four, or two of the first three swapped, and the two behind right. */
static void
near_try_heads(Search *s, NearWords *near)
{
	const pg_wchar *q = near->typed->c;
	pg_wchar		v[TYPO_HEAD + 3];

	for (int i = 0; i <= TYPO_HEAD; i++)
	{
		memcpy(v, q, sizeof(pg_wchar) * i);
		memcpy(v + i, q + i + 1, sizeof(pg_wchar) * (TYPO_HEAD + 2 - i));
		near_look_word(s, near, v, TYPO_HEAD + 2, false);
	}
	for (int i = 0; i + 1 < TYPO_HEAD; i++)
	{
		memcpy(v, q, sizeof(pg_wchar) * (TYPO_HEAD + 3));
		v[i] = q[i + 1];
		v[i + 1] = q[i];
		near_look_word(s, near, v, TYPO_HEAD + 3, false);
	}
	near_try_letters(s, near, TYPO_HEAD + 3, false);
}

/* Finds the words of the vocabulary with up to so many typos. */
static void
near_find(Search *s, NearWords *near, int max)
{
	const pg_wchar *q = near->typed->c;
	int				nc = near->typed->nc;
	bool			whole = !near->open;
	pg_wchar		v[TYPO_MAX_CHARS + 1];

	near->max = max;
	near->n = 0;
	near->capacity = 16;
	near->words = palloc(sizeof(NearWord) * near->capacity);
	near->terms[1] = near->terms[2] = NULL;

	near_look_word(s, near, q, TYPO_HEAD, false);
	for (int i = 0; i < TYPO_HEAD; i++)
	{
		/* a letter too many */
		memcpy(v, q, sizeof(pg_wchar) * i);
		memcpy(v + i, q + i + 1, sizeof(pg_wchar) * (nc - i - 1));
		near_look_word(s, near, v, nc - 1, whole);
		/* two swapped */
		if (i + 1 < nc)
		{
			memcpy(v, q, sizeof(pg_wchar) * nc);
			v[i] = q[i + 1];
			v[i + 1] = q[i];
			near_look_word(s, near, v, nc, whole);
		}
	}
	/* another letter; one missing */
	if (s->source->volumes)
	{
		near_look_tail(s, near, q + TYPO_HEAD, nc - TYPO_HEAD, whole);
		near_look_tail(s, near, q + TYPO_HEAD - 1, nc - TYPO_HEAD + 1, whole);
	}
	else
		near_try_letters(s, near, nc, whole);
	if (max < 2)
		return;
	/* one typo in the first four letters, the two behind right: one letter less, as many, one more, a swap */
	if (s->source->volumes)
	{
		near_look_tail(s, near, q + TYPO_HEAD + 1, 2, false);
		near_look_tail(s, near, q + TYPO_HEAD, 3, false);
		near_look_tail(s, near, q + TYPO_HEAD - 1, 4, false);
	}
	else
		near_try_heads(s, near);
	memcpy(v, q, sizeof(pg_wchar) * (TYPO_HEAD - 1));
	v[TYPO_HEAD - 1] = q[TYPO_HEAD];
	v[TYPO_HEAD] = q[TYPO_HEAD - 1];
	near_look_word(s, near, v, TYPO_HEAD + 1, false);
}

/* What has one of the words with so many typos. */
static Term *
near_term(Search *s, NearWords *near, int typos)
{
	Term *term;

	if (near->terms[typos])
		return near->terms[typos];
	term = palloc0(sizeof(Term));
	for (int i = 0; i < near->n; i++)
	{
		const NearWord *word = &near->words[i];
		pg_wchar	   *c = palloc(sizeof(pg_wchar) * (word->n + 1));
		TextWord		w;
		int				nc = 0;

		if (word->typos != typos)
			continue;
		for (int k = 0; k < word->n; k += pg_utf_mblen((unsigned char *) word->s + k))
			c[nc++] = utf8_to_unicode((unsigned char *) word->s + k);
		textword_init(&w, c, nc);
		term_add(term, term_complete(s, term_of_word(s, &w, near->open, 0)));
	}
	term_finish(term);
	return near->terms[typos] = term;
}

/* Walks every way in which so many typos can be spread over the words from number i on. */
static void
typos_spread(Walk *w, NearWords *near, int i, int left)
{
	int allowed;

	if (i == w->nwords)
	{
		if (left == 0)
			walk(w);
		return;
	}
	allowed = Min(left, typos_allowed(near[i].typed));
	for (int typos = 0; typos <= allowed && !search_exhausted(w->s); typos++)
	{
		if (typos > near[i].max)
			near_find(w->s, &near[i], typos);
		w->words[i] = near_term(w->s, &near[i], typos);
		if (w->words[i]->nkeys > 0)
			typos_spread(w, near, i + 1, left - typos);
	}
}

/* Tries one typo, then more, up to what the words allow together, until something is found. */
static void
fuzzy_typos(Walk *exact)
{
	Search			  *s = exact->s;
	const SearchQuery *q = exact->q;
	Walk			   w = {.s = s, .q = q, .tier = MATCH_TYPO, .nwords = q->nwords};
	NearWords		   near[TYPO_MAX_WORDS];
	int				   total = 0;
	int				   missing = 0;

	for (int i = 0; i < q->nwords; i++)
	{
		const TextWord *typed = &q->words[i];

		near[i] = (NearWords){.typed = typed, .open = query_word_open(q, i) && typed->nc > TYPO_HEAD};
		near[i].terms[0] = exact->words[i];
		total += typos_allowed(typed);
		if (exact->words[i]->nkeys == 0)
		{
			if (typos_allowed(typed) == 0)
				return;
			missing++;
		}
	}
	for (int max = Max(1, missing); max <= Min(total, TYPO_MAX) && s->best == MATCH_NONE; max++)
	{
		w.max_typos = max;
		search_forget_rows(s);
		typos_spread(&w, near, 0, max);
	}
}

/* All that a search tries, in order. */
void
search_walk(Search *s)
{
	Walk walk = {.s = s, .q = &s->query};

	walk_words(&walk);
	if (search_has(s, MATCH_STEM) || s->query.nwords > TYPO_MAX_WORDS)
		return;
	fuzzy_spacing(&walk);
	if (!search_has(s, MATCH_TYPO))
		fuzzy_typos(&walk);
}
