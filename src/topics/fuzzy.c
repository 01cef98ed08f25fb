/*
 * fuzzy.c
 *		What search_topics() tries when a text, read as it is, finds nothing.
 *
 * Spacing: one blank more or less (elastic search, machinelearning).
 *
 * Typos: a letter too many, too few, another one, or two neighbours swapped; one in a word
 * of three letters or more, two from eight letters on.  Of two typos at most one is among
 * the first four letters, unless the first three are right.  The fewest typos that find
 * anything, all words together, win.
 *
 * The vocabulary is the word index itself.  A typo behind the third letter leaves a range
 * of keys to be read that begins with the first three.  A typo before that is tried out:
 * the index tells which letters words begin with, and each of them in the place of the
 * wrong one gives one small range.
 *
 * Invariant: for one typo the vocabulary that is looked at is complete, whatever the
 * alphabet; see topic_typos() for the rule that an entry is judged by.
 */
#include "openinfo.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "port/pg_bitutils.h"

#include "topics/search.h"

#define TYPO_FIRST 3 /* letters that a range of the vocabulary begins with */
#define TYPO_HEAD 4	 /* of two typos one at most is in so many letters */

int
topic_typos_allowed(const TopicWord *q)
{
	if (q->nc < 3 || q->nc > TOPIC_TYPO_CHARS)
		return 0;
	return q->nc < 8 ? 1 : 2;
}

/*
 * The number of typos by which a typed word misses a word, or its beginning when it is
 * not finished; more than allowed is 1000.  *upto gets the length of that beginning.
 */
static int
typos_between(const TopicWord *q, const TopicWord *w, bool open, int most, int *upto)
{
	int nb = Min(w->nc, TOPIC_KEY_CHARS);
	int d = topic_distance(q->c, q->nc, w->c, nb, Min(most, 2), open, upto);
	int m;

	if (d <= 1 && d <= most)
		return d;
	if (most < 2 || q->nc < 8)
		return 1000;
	if (d == 2 && nb >= TYPO_FIRST && memcmp(q->c, w->c, sizeof(pg_wchar) * TYPO_FIRST) == 0)
		return 2;
	for (m = TYPO_HEAD - 1; m <= TYPO_HEAD + 1 && m <= nb; m++)
	{
		int rest;

		if (topic_distance(q->c, TYPO_HEAD, w->c, m, 1, false, NULL) <= 1 &&
			topic_distance(q->c + TYPO_HEAD, q->nc - TYPO_HEAD, w->c + m, nb - m, 1, open, &rest) <= 1)
		{
			*upto = m + rest;
			return 2;
		}
	}
	return 1000;
}

int
topic_typos(const TopicWord *q, const TopicWord *w, bool open, int most)
{
	int upto;

	return typos_between(q, w, open, most, &upto);
}

/* ---- spacing ---- */

/*
 * The text with one blank taken away, or one put in, in every place: a list of TopicQuery.
 */
List *
topic_spacings(const TopicQuery *q)
{
	List *list = NIL;
	int	  i;
	int	  at;

	for (i = 0; i < q->nwords; i++)
	{
		const TopicWord *w = &q->words[i];
		TopicWord		*words;
		TopicQuery		*v;

		if (i + 1 < q->nwords)
		{
			const TopicWord *next = w + 1;
			pg_wchar		*c = palloc(sizeof(pg_wchar) * (w->nc + next->nc));

			memcpy(c, w->c, sizeof(pg_wchar) * w->nc);
			memcpy(c + w->nc, next->c, sizeof(pg_wchar) * next->nc);
			words = palloc(sizeof(TopicWord) * q->nwords);
			memcpy(words, q->words, sizeof(TopicWord) * i);
			topic_word_make(&words[i], c, w->nc + next->nc);
			memcpy(words + i + 1, q->words + i + 2, sizeof(TopicWord) * (q->nwords - i - 2));
			v = palloc0(sizeof(TopicQuery));
			topic_query_make(v, words, q->nwords - 1);
			list = lappend(list, v);
		}
		if (w->nc > TOPIC_KEY_CHARS)
			continue;
		for (at = 2; at <= w->nc - 2; at++)
		{
			words = palloc(sizeof(TopicWord) * (q->nwords + 1));
			memcpy(words, q->words, sizeof(TopicWord) * i);
			topic_word_make(&words[i], w->c, at);
			topic_word_make(&words[i + 1], w->c + at, w->nc - at);
			memcpy(words + i + 2, q->words + i + 1, sizeof(TopicWord) * (q->nwords - i - 1));
			v = palloc0(sizeof(TopicQuery));
			topic_query_make(v, words, q->nwords + 1);
			list = lappend(list, v);
		}
	}
	return list;
}

static bool
spacing_see(TopicProbe *probe, TopicProbeKey *key, const char *word, int n, int band, int rows)
{
	uint32 *bands = (uint32 *) probe->arg;

	bands[key - probe->keys] |= 1u << band;
	return true;
}

/*
 * Every variant is first asked in one look which of its words exist at all; few do.
 */
void
topic_search_spacing(TopicSearch *s)
{
	List	  *list = topic_spacings(&s->query);
	ListCell  *lc;
	TopicProbe probe;
	uint32	  *bands;
	int		   n = 0;

	foreach (lc, list)
		n += ((TopicQuery *) lfirst(lc))->nwords;
	probe.keys = palloc0(sizeof(TopicProbeKey) * Max(n, 1));
	probe.arg = bands = palloc0(sizeof(uint32) * Max(n, 1));
	probe.nkeys = 0;
	probe.nwords = 0;
	probe.see = spacing_see;
	foreach (lc, list)
	{
		TopicQuery *v = lfirst(lc);
		int			i;

		for (i = 0; i < v->nwords; i++)
		{
			const TopicWord *w = &v->words[i];
			bool			 open = (i == v->nwords - 1);
			int				 nc = open ? Min(w->nc, TOPIC_PREFIX_CHARS) : Min(w->nc, TOPIC_KEY_CHARS);
			bool			 range = false;
			char			 family = open ? topic_open_family(nc, &range) : TOPIC_WORD;
			TopicProbeKey	*k = &probe.keys[probe.nkeys++];

			k->range = true;
			k->key = topic_key(family, w->s, topic_char_offset(w, nc), range ? TOPIC_ANY_WORD : TOPIC_ANY_BAND);
		}
	}
	topic_look(s, &probe);
	n = 0;
	foreach (lc, list)
	{
		TopicQuery *v = lfirst(lc);
		uint32		common = TOPIC_ALL_BANDS;
		int			i;

		for (i = 0; i < v->nwords; i++)
			common &= bands[n++];
		if (common != 0)
		{
			TopicWant wants[TOPIC_PROBE_WORDS];

			CHECK_FOR_INTERRUPTS();
			for (i = 0; i < v->nwords; i++)
			{
				topic_want_word(s, &wants[i], &v->words[i], i == v->nwords - 1);
				if (wants[i].bands == 0)
					break;
			}
			if (i == v->nwords)
				topic_collect(s, v, wants, TIER_SPACING, 0);
		}
	}
}

/* ---- typos ---- */

typedef struct TypoLook
{
	const TopicWord *q;
	bool			 open;
	int				 most;
	TopicWant		*wants;	  /* by number of typos, 1 and 2 */
	pg_wchar		*letters; /* what follows the first i letters, in [i * room] */
	int				 nletters[TYPO_FIRST];
	int				 room;
	int				 ndone; /* the word of the last key, so that its other bands cost nothing */
	char			 done[TOPIC_KEY_CHARS * 4];
	int				 verdict;
	int				 upto;
	MemoryContext	 context;
} TypoLook;

static void
typo_word(TopicWord *w, pg_wchar *c, const char *s, int n)
{
	int i;
	int nc = 0;

	for (i = 0; i < n && nc < TOPIC_KEY_CHARS;)
	{
		if (!((unsigned char) s[i] & 0x80))
			c[nc++] = s[i++];
		else
		{
			c[nc++] = utf8_to_unicode((const unsigned char *) s + i);
			i += pg_utf_mblen((const unsigned char *) s + i);
		}
	}
	w->c = c;
	w->nc = nc;
	w->s = unconstify(char *, s);
	w->n = n;
}

/* Which letters come after a beginning. */
static bool
typo_see_letter(TopicProbe *probe, TopicProbeKey *key, const char *word, int n, int band, int rows)
{
	TypoLook *look = probe->arg;
	pg_wchar  c[TOPIC_KEY_CHARS];
	TopicWord w;
	int		  at = key->word;
	int		  k = look->nletters[at];

	typo_word(&w, c, word, n);
	if (w.nc <= at)
		return true;
	if (k > 0 && look->letters[at * look->room + k - 1] == c[at])
		return true;
	if (k < look->room)
	{
		look->letters[at * look->room + k] = c[at];
		look->nletters[at]++;
	}
	return true;
}

/* A word of the vocabulary: how many typos away is it? */
static bool
typo_see_word(TopicProbe *probe, TopicProbeKey *key, const char *word, int n, int band, int rows)
{
	TypoLook	 *look = probe->arg;
	MemoryContext old;
	int			  at;

	if (n != look->ndone || memcmp(look->done, word, n) != 0)
	{
		pg_wchar  c[TOPIC_KEY_CHARS];
		TopicWord w;

		typo_word(&w, c, word, n);
		look->ndone = n;
		memcpy(look->done, word, n);
		look->verdict = typos_between(look->q, &w, look->open, look->most, &look->upto);
		if (look->verdict <= 2 && look->open)
			look->upto = topic_char_offset(&w, look->upto);
	}
	if (look->verdict < 1 || look->verdict > look->most)
		return true;
	old = MemoryContextSwitchTo(look->context);
	at = look->open ? look->upto : n;
	if (look->open)
	{
		TopicWord w;
		pg_wchar  c[TOPIC_KEY_CHARS];
		bool	  range;
		char	  family;

		typo_word(&w, c, word, at);
		family = topic_open_family(w.nc, &range);
		topic_want_add(&look->wants[look->verdict], family, range, word, at, look->verdict, band, rows);
	}
	else
		topic_want_add(&look->wants[look->verdict], TOPIC_WORD, false, word, n, look->verdict, band, rows);
	MemoryContextSwitchTo(old);
	return true;
}

static void
typo_range(TopicProbe *probe, const pg_wchar *c, int nc, bool whole)
{
	TopicProbeKey *k = &probe->keys[probe->nkeys++];
	TopicWord	   w;

	topic_word_make(&w, c, nc);
	memset(k, 0, sizeof(*k));
	k->range = true;
	k->key = topic_key(TOPIC_WORD, w.s, w.n, whole ? TOPIC_ANY_BAND : TOPIC_ANY_WORD);
}

/*
 * The words that a typed word may have been meant to be: wants[1] with one typo, and with
 * most = 2 also wants[2].
 */
static void
typo_candidates(TopicSearch *s, const TopicWord *q, bool open, int most, TopicWant *wants)
{
	TypoLook	  look;
	TopicProbe	  probe;
	TopicProbeKey first[TYPO_FIRST];
	pg_wchar	  v[TOPIC_KEY_CHARS + 2];
	int			  tail; /* letters of a variant that its range begins with */
	bool		  whole = (most == 1 && !open);
	int			  i;
	int			  k;

	memset(&look, 0, sizeof(look));
	look.q = q;
	look.open = open;
	look.most = most;
	look.wants = wants;
	look.room = 2000;
	look.letters = palloc(sizeof(pg_wchar) * TYPO_FIRST * look.room);
	look.ndone = -1;
	look.context = CurrentMemoryContext;
	memset(wants, 0, sizeof(TopicWant) * 3);

	memset(first, 0, sizeof(first));
	probe.keys = first;
	probe.nwords = 0;
	probe.arg = &look;
	probe.see = typo_see_letter;
	for (i = 0; i < TYPO_FIRST; i++)
	{
		first[i].key = topic_key(i == 0 ? TOPIC_FIRST : TOPIC_PREFIX, q->s, topic_char_offset(q, i), TOPIC_ANY_WORD);
		first[i].range = true;
		first[i].word = i;
	}
	probe.nkeys = TYPO_FIRST;
	topic_look(s, &probe);

	probe.keys = palloc(sizeof(TopicProbeKey) * (2 * (look.nletters[0] + look.nletters[1] + look.nletters[2]) + 4 * TYPO_FIRST + 1));
	probe.nkeys = 0;
	probe.see = typo_see_word;
	tail = most == 1 ? q->nc : TYPO_HEAD;

	/* the first three letters are right */
	typo_range(&probe, q->c, Min(q->nc, TYPO_FIRST), false);
	for (i = 0; i < TYPO_FIRST; i++)
	{
		/* one too many */
		memcpy(v, q->c, sizeof(pg_wchar) * i);
		memcpy(v + i, q->c + i + 1, sizeof(pg_wchar) * (tail - i - 1));
		typo_range(&probe, v, tail - 1, whole);
		/* two swapped */
		if (i + 1 < tail)
		{
			memcpy(v, q->c, sizeof(pg_wchar) * tail);
			v[i] = q->c[i + 1];
			v[i + 1] = q->c[i];
			typo_range(&probe, v, tail, whole);
		}
		for (k = 0; k < look.nletters[i]; k++)
		{
			pg_wchar c = look.letters[i * look.room + k];

			/* another one */
			if (c != q->c[i])
			{
				memcpy(v, q->c, sizeof(pg_wchar) * tail);
				v[i] = c;
				typo_range(&probe, v, tail, whole);
			}
			/* one too few */
			memcpy(v, q->c, sizeof(pg_wchar) * i);
			v[i] = c;
			memcpy(v + i + 1, q->c + i, sizeof(pg_wchar) * (tail - i));
			typo_range(&probe, v, tail + 1, whole);
		}
	}
	topic_look(s, &probe);
}

/*
 * Tries one typo, then two, up to what the words allow together, until something is found.
 */
void
topic_search_typos(TopicSearch *s)
{
	const TopicQuery *q = &s->query;
	TopicWant		  exact[TOPIC_TYPO_WORDS];
	TopicWant		  near[TOPIC_TYPO_WORDS][3];
	int				  known[TOPIC_TYPO_WORDS]; /* up to how many typos "near" is filled in */
	int				  allowed[TOPIC_TYPO_WORDS];
	int				  total = 0;
	int				  missing = 0;
	int				  most;
	int				  i;
	int				  c;

	for (i = 0; i < q->nwords; i++)
	{
		topic_want_word(s, &exact[i], &q->words[i], i == q->nwords - 1);
		allowed[i] = topic_typos_allowed(&q->words[i]);
		known[i] = 0;
		if (exact[i].bands == 0)
		{
			if (allowed[i] == 0)
				return;
			missing++;
		}
		total += allowed[i];
	}
	for (most = Max(1, missing); most <= Min(total, TOPIC_TYPO_MOST) && s->nfound == 0; most++)
	{
		TopicWant wants[TOPIC_TYPO_WORDS];
		bool	  hopeless = false;

		CHECK_FOR_INTERRUPTS();
		for (i = 0; i < q->nwords; i++)
		{
			/* the typos that the other words need are not to be had for this one */
			int mine = Min(allowed[i], most - (missing - (exact[i].bands == 0 ? 1 : 0)));

			if (mine > known[i])
			{
				typo_candidates(s, &q->words[i], i == q->nwords - 1, mine, near[i]);
				known[i] = mine;
			}
			memset(&wants[i], 0, sizeof(TopicWant));
			topic_want_merge(&wants[i], &exact[i], 0);
			for (c = 1; c <= mine; c++)
				topic_want_merge(&wants[i], &near[i][c], c);
			hopeless |= (wants[i].bands == 0);
		}
		if (!hopeless)
			topic_collect(s, q, wants, TIER_TYPO, most);
	}
}
