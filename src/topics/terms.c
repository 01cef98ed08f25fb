/*
 * terms.c
 *		How the words of a text can be satisfied: what the keys of the word index say.
 *
 * An unfinished word becomes the words that begin so, or a range where they are many.
 */
#include "openinfo.h"

#include "access/ginblock.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"

#include "topics/search.h"

/* More words than this that begin alike are asked for as a range. */
#define SEARCH_RANGE_WORDS 64
/* A page of row numbers holds some so many. */
#define SEARCH_MANY_ROWS 5000

void
topic_want_add(TopicWant *w, char family, bool range, const char *p, int n, int cost, int band, int rows)
{
	uint32	  bands = 1u << band;
	TopicAlt *a;
	int		  i;

	w->bands |= bands;
	if (rows >= 0)
		w->rows[band] += rows;
	else if (w->ntrees < TOPIC_TREES)
	{
		w->tree_band[w->ntrees] = band;
		w->tree[w->ntrees++] = -rows;
	}
	else
		w->rows[band] += SEARCH_MANY_ROWS;
	/* keys come in order: the same word in another band is right behind */
	for (i = w->n - 1; i >= 0 && i >= w->n - 4; i--)
	{
		a = &w->alts[i];
		if (a->family == family && a->range == range && a->cost == cost && a->n == n && memcmp(a->s, p, n) == 0)
		{
			a->bands |= bands;
			return;
		}
	}
	if (w->n == w->room)
	{
		w->room = Max(8, w->room * 2);
		w->alts = w->alts ? repalloc(w->alts, sizeof(TopicAlt) * w->room) : palloc(sizeof(TopicAlt) * w->room);
	}
	a = &w->alts[w->n++];
	a->family = family;
	a->range = range;
	a->cost = cost;
	a->bands = bands;
	a->s = memcpy(palloc(n + 1), p, n);
	a->n = n;
}

/*
 * Counts the rows of the keys that have trees of their own, roughly: by what the first
 * page of a tree holds, or points to.
 */
void
topic_want_count(TopicSearch *s, TopicWant *w)
{
	while (w->ntrees > 0)
	{
		int	   i = --w->ntrees;
		Buffer buffer = ReadBuffer(s->word_index, w->tree[i]);
		Page   page = BufferGetPage(buffer);
		int64  pages = 1;

		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		if (!PageIsNew(page) && GinPageIsData(page) && !GinPageIsLeaf(page))
			pages = GinPageGetOpaque(page)->maxoff;
		UnlockReleaseBuffer(buffer);
		w->rows[w->tree_band[i]] += pages * SEARCH_MANY_ROWS;
	}
}

/* Takes over all ways of another want. */
void
topic_want_merge(TopicWant *w, const TopicWant *more, int cost)
{
	TopicAlt *old;
	int		  i;

	if (more->n == 0)
		return;
	old = w->alts; /* may be another want's too */
	w->alts = palloc(sizeof(TopicAlt) * (w->n + more->n));
	if (w->n > 0)
		memcpy(w->alts, old, sizeof(TopicAlt) * w->n);
	memcpy(w->alts + w->n, more->alts, sizeof(TopicAlt) * more->n);
	for (i = w->n; i < w->n + more->n; i++)
		w->alts[i].cost = cost;
	w->room = w->n += more->n;
	w->bands |= more->bands;
	for (i = 0; i < TOPIC_BANDS; i++)
		w->rows[i] += more->rows[i];
	for (i = 0; i < more->ntrees; i++)
		if (w->ntrees < TOPIC_TREES)
		{
			w->tree_band[w->ntrees] = more->tree_band[i];
			w->tree[w->ntrees++] = more->tree[i];
		}
		else
			w->rows[more->tree_band[i]] += SEARCH_MANY_ROWS;
}

typedef struct WantLook
{
	TopicWant	 *wants; /* by word, direct */
	TopicWant	 *stems; /* by word, stems */
	MemoryContext context;
} WantLook;

/* One key of a look at the words of the text. */
static bool
want_see(TopicProbe *probe, TopicProbeKey *key, const char *word, int n, int band, int rows)
{
	WantLook	 *look = probe->arg;
	MemoryContext old = MemoryContextSwitchTo(look->context);
	const char	 *k = VARDATA(key->key);
	bool		  go_on = true;

	if (key->cost == 1) /* a stem, or the word that is the stem */
		topic_want_add(&look->stems[key->word], k[0], false, word, n, 0, band, rows);
	else
	{
		topic_want_add(&look->wants[key->word], k[0], false, word, n, 0, band, rows);
		go_on = key->bands != 0 || look->wants[key->word].n <= SEARCH_RANGE_WORDS;
	}
	MemoryContextSwitchTo(old);
	return go_on;
}

/*
 * Looks up the words of a text: how each can be satisfied as it is, and by its stem, and
 * in which bands.
 */
void
topic_want_words(TopicSearch *s, const TopicQuery *q, TopicWant *wants, TopicWant *stems)
{
	int			  nw = Min(q->nwords, TOPIC_PROBE_WORDS);
	TopicProbe	  probe;
	WantLook	  look;
	TopicProbeKey keys[TOPIC_PROBE_WORDS * 3];
	int			  i;

	memset(wants, 0, sizeof(TopicWant) * nw);
	if (stems)
		memset(stems, 0, sizeof(TopicWant) * nw);
	memset(&look, 0, sizeof(look));
	look.wants = wants;
	look.stems = stems;
	look.context = CurrentMemoryContext;
	probe.keys = keys;
	probe.nkeys = 0;
	probe.nwords = nw;
	probe.most = 0;
	probe.see = want_see;
	probe.arg = &look;
	for (i = 0; i < nw; i++)
	{
		const TopicWord *w = &q->words[i];
		bool			 open = (i == q->nwords - 1);
		int				 nc = Min(w->nc, TOPIC_KEY_CHARS);
		int				 n = topic_char_offset(w, nc);
		char			 family = TOPIC_WORD;
		TopicProbeKey	*k = &keys[probe.nkeys++];
		char			 stem[TOPIC_KEY_CHARS + 1];
		int				 nstem;

		k->range = true;
		k->word = i;
		k->cost = 0;
		if (open)
			family = topic_open_family(nc, &open);
		k->key = topic_key(family, w->s, n, open ? TOPIC_ANY_WORD : TOPIC_ANY_BAND);
		k->bands = open ? 0 : 1;
		if (stems && (nstem = topic_stem(w, stem)) > 0)
		{
			TopicWord sw;
			char	  again[TOPIC_KEY_CHARS + 1];

			k = &keys[probe.nkeys++];
			*k = (TopicProbeKey){.range = true, .word = i, .cost = 1, .bands = 1};
			k->key = topic_key(TOPIC_STEM, stem, nstem, TOPIC_ANY_BAND);
			/* a word that is its own stem has no stem key */
			sw.s = stem;
			sw.n = nstem;
			if (topic_stem(&sw, again) == nstem && memcmp(again, stem, nstem) == 0 &&
				!(nstem == w->n && memcmp(stem, w->s, nstem) == 0))
			{
				k = &keys[probe.nkeys++];
				*k = (TopicProbeKey){.range = true, .word = i, .cost = 1, .bands = 1};
				k->key = topic_key(TOPIC_WORD, stem, nstem, TOPIC_ANY_BAND);
			}
		}
	}
	topic_look(s, &probe);

	/* An unfinished word that too many words begin with: as a range, in the bands of its first letters. */
	i = nw - 1;
	if (nw == q->nwords && wants[i].n > SEARCH_RANGE_WORDS && q->words[i].nc > TOPIC_PREFIX_CHARS)
	{
		const TopicWord *w = &q->words[i];
		TopicWant		 first;
		int				 k;

		memset(&first, 0, sizeof(first));
		look.wants = &first;
		probe.nkeys = 1;
		keys[0] = (TopicProbeKey){.range = true, .word = 0, .cost = 0, .bands = 1};
		keys[0].key = topic_key(TOPIC_PREFIX, w->s, topic_char_offset(w, TOPIC_PREFIX_CHARS), TOPIC_ANY_BAND);
		topic_look(s, &probe);
		memset(&wants[i], 0, sizeof(TopicWant));
		topic_want_count(s, &first);
		for (k = 0; k < TOPIC_BANDS; k++)
			if (first.bands & (1u << k))
				topic_want_add(&wants[i], TOPIC_WORD, true, w->s, topic_char_offset(w, Min(w->nc, TOPIC_KEY_CHARS)), 0, k, first.rows[k]);
	}
}

/* How one word can be satisfied as it is. */
void
topic_want_word(TopicSearch *s, TopicWant *w, const TopicWord *word, bool open)
{
	TopicWord  two[2];
	TopicWant  wants[2];
	TopicQuery q = {.words = two, .nwords = open ? 1 : 2};

	two[0] = two[1] = *word;
	topic_want_words(s, &q, wants, NULL);
	*w = wants[0];
}
