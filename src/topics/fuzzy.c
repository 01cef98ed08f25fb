/*
 * fuzzy.c
 *		What the search tries when a text, read as it is, finds nothing: spacing and typos.
 *
 * Spacing: one blank more or less (elastic search, machinelearning), no part shorter than two letters.
 *
 * Typos: each word may stand for those of the vocabulary that are near to it.  The fewest typos that find
 * anything, all words together, win.
 */
#include "openinfo.h"

#include "miscadmin.h"

#include "topics/fuzzy.h"
#include "topics/vocabulary.h"

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
	if (vocabulary_has(s, w, open))
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

/*
 * Walks every way in which so many typos can be spread over the words from number i on.  A word that is not
 * there has one at least; such words come first, so that the others are not looked at when none is left.
 */
static void
typos_spread(Walk *w, NearWords *near, int i, int left)
{
	int allowed = left;

	if (i == w->nwords)
	{
		if (left == 0)
			walk(w);
		return;
	}
	for (int k = i + 1; k < w->nwords; k++)
		allowed -= near[k].terms[0]->nkeys == 0;
	allowed = Min(allowed, typos_allowed(near[i].typed));
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
	int				   first = 0;

	for (int i = 0; i < q->nwords; i++)
		missing += exact->words[i]->nkeys == 0;
	for (int i = 0, next = missing; i < q->nwords; i++)
	{
		const TextWord *typed = &q->words[i];
		bool			there = exact->words[i]->nkeys > 0;
		NearWords	   *n = &near[there ? next++ : first++];

		if (!there && typos_allowed(typed) == 0)
			return;
		*n = (NearWords){.typed = typed, .open = query_word_open(q, i) && typed->nc > TYPO_HEAD};
		n->terms[0] = exact->words[i];
		total += typos_allowed(typed);
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
