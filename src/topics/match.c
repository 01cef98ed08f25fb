/*
 * match.c
 *		What satisfies a text that was typed, and in which order topics are shown.
 *
 * This is the rule of search_topics(), said for one topic; topic_rows.c finds through the indexes what this would
 * find in the whole table, and falls back on it where an index cannot tell.
 *
 *	tier	why a topic was found: it equals the text; its words begin with the words of the text (only the last one
 *			may go on); their stems are the same; with a blank more or less; with typos
 *	weight	the volume; sixteen times it where the topic begins with the text as it was typed
 *
 * Order: tier, fewest typos, weight, then the topic itself by its bytes.
 */
#include "openinfo.h"

#include "utils/builtins.h"

#include "topics/search.h"

/*
 * Takes the words over without repetitions.  The last word stays last: it may be unfinished.
 */
void
topic_query_make(TopicQuery *q, const TopicWord *words, int n)
{
	int i;
	int j;

	q->words = palloc(sizeof(TopicWord) * Max(n, 1));
	q->nwords = 0;
	for (i = 0; i < n; i++)
	{
		for (j = 0; i < n - 1 && j < q->nwords; j++)
			if (q->words[j].n == words[i].n && memcmp(q->words[j].s, words[i].s, words[i].n) == 0)
				break;
		if (i == n - 1 || j == q->nwords)
			q->words[q->nwords++] = words[i];
	}
}

static inline bool
match_starts(const TopicWord *w, const TopicWord *begin, bool open)
{
	return (open ? w->n >= begin->n : w->n == begin->n) && memcmp(w->s, begin->s, begin->n) == 0;
}

static inline const TopicWord *
match_word(const TopicText *t, int i)
{
	return i < t->nwords ? &t->words[i] : &t->others[i - t->nwords];
}

static bool
match_stem(const TopicWord *a, const TopicWord *b)
{
	char sa[TOPIC_KEY_CHARS + 1];
	char sb[TOPIC_KEY_CHARS + 1];
	int	 na;

	if (a->s[0] != b->s[0]) /* no stem changes that */
		return false;
	na = topic_stem(a, sa);
	return na > 0 && na == topic_stem(b, sb) && memcmp(sa, sb, na) == 0;
}

/*
 * Does a topic satisfy a text, and why?  Tiers below "floor" are not looked for.
 */
TopicTier
topic_match(const TopicQuery *q, const TopicText *t, TopicTier floor, int most, int *cost)
{
	int		  all = t->nwords + t->nothers;
	TopicTier tier = TIER_WORDS;
	int		  i;
	int		  k;

	*cost = 0;
	for (i = 0; i < q->nwords && tier >= TIER_STEM; i++)
	{
		bool open = (i == q->nwords - 1);

		for (k = 0; k < all; k++)
			if (match_starts(match_word(t, k), &q->words[i], open))
				break;
		if (k < all)
			continue;
		tier = TIER_NONE;
		if (floor <= TIER_STEM)
			for (k = 0; k < all && tier == TIER_NONE; k++)
				if (match_stem(match_word(t, k), &q->words[i]))
					tier = TIER_STEM;
	}
	if (tier >= TIER_STEM)
		return tier >= floor ? tier : TIER_NONE;
	if (floor > TIER_TYPO || q->nwords > TOPIC_TYPO_WORDS)
		return TIER_NONE;
	for (i = 0; i < q->nwords; i++)
	{
		int allowed = topic_typos_allowed(&q->words[i]);
		int best = 1000;

		for (k = 0; k < all && best > 0; k++)
		{
			const TopicWord *w = match_word(t, k);
			bool			 open = (i == q->nwords - 1);
			int				 d = match_starts(w, &q->words[i], open) ? 0 : (allowed > 0 ? topic_typos(&q->words[i], w, open, allowed) : 1000);

			if (d <= allowed && d < best)
				best = d;
		}
		*cost += best;
		if (*cost > most)
			return TIER_NONE;
	}
	return TIER_TYPO;
}

static int
match_cmp(const TopicFound *a, const TopicFound *b)
{
	int c;

	if (a->tier != b->tier)
		return a->tier > b->tier ? -1 : 1;
	if (a->cost != b->cost)
		return a->cost < b->cost ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	c = memcmp(a->ptopic, b->ptopic, Min(a->ntopic, b->ntopic));
	if (c == 0)
		c = a->ntopic - b->ntopic;
	if (c == 0)
		c = memcmp(a->id.data, b->id.data, UUID_LEN);
	return c;
}

/* Could a row of this kind still get in? */
bool
topic_found_room(const TopicSearch *s, TopicTier tier, int64 weight)
{
	const TopicFound *last;

	if (s->nfound < s->limit)
		return true;
	last = s->found[s->nfound - 1];
	return tier > last->tier || (tier == last->tier && weight >= last->weight);
}

bool
topic_found_has(const TopicSearch *s, ItemPointer tid)
{
	int i;

	for (i = 0; i < s->nfound; i++)
		if (ItemPointerEquals(&s->found[i]->tid, tid))
			return true;
	return false;
}

void
topic_found_add(TopicSearch *s, TopicTier tier, int cost, int64 weight, ItemPointer tid, Datum *values, bool *nulls)
{
	TopicFound	probe;
	TopicFound *f;
	text	   *topic = DatumGetTextPP(values[1]);
	int			low = 0;
	int			high = s->nfound;

	probe.tier = tier;
	probe.cost = cost;
	probe.weight = weight;
	probe.ptopic = VARDATA_ANY(topic);
	probe.ntopic = VARSIZE_ANY_EXHDR(topic);
	memcpy(&probe.id, DatumGetUUIDP(values[0]), sizeof(pg_uuid_t));
	while (low < high)
	{
		int mid = (low + high) / 2;

		if (match_cmp(&probe, s->found[mid]) < 0)
			high = mid;
		else
			low = mid + 1;
	}
	if (low >= s->limit)
		return;
	if (s->nfound == s->limit)
	{
		f = s->found[--s->nfound];
		pfree(DatumGetPointer(f->topic));
	}
	else
		f = palloc(sizeof(TopicFound));
	*f = probe;
	ItemPointerCopy(tid, &f->tid);
	f->topic = PointerGetDatum(cstring_to_text_with_len(probe.ptopic, probe.ntopic));
	f->ptopic = VARDATA_ANY(DatumGetPointer(f->topic));
	memcpy(f->values, values, sizeof(f->values));
	memcpy(f->nulls, nulls, sizeof(f->nulls));
	f->values[0] = UUIDPGetDatum(&f->id);
	f->values[1] = f->topic;
	memmove(&s->found[low + 1], &s->found[low], sizeof(TopicFound *) * (s->nfound - low));
	s->found[low] = f;
	s->nfound++;
}

bool
topic_begins(const TopicText *t, const TopicQuery *q)
{
	return t->nnorm >= q->nnorm && memcmp(t->norm, q->norm, q->nnorm) == 0;
}
