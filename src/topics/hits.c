/*
 * hits.c
 *		What a search has found: the best so far.
 *
 *	hit		a row that satisfies the text, in order: tier, fewest typos, weight, then its text by its bytes,
 *			then its id
 *
 * Topics that equal the text are kept apart: among those of the same words the one that is spelled as the
 * text comes first, and a variant with other blanks stands before or behind them by its volume
 * (search_finish()).
 *
 * Invariant: a list has the first rows in order of all that were added, as many as are wanted.
 */
#include "openinfo.h"

#include "utils/datum.h"

#include "topics/fold.h"
#include "topics/look.h"

static int
search_compare(const Hit *a, const Hit *b)
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
	c = memcmp(a->text, b->text, Min(a->ntext, b->ntext));
	if (c == 0)
		c = a->ntext - b->ntext;
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

		if (search_compare(hit, list->hits[mid]) < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* What does not fit any more is dropped. */
static void
hits_insert(HitList *list, int place, Hit *hit)
{
	if (list->n == list->capacity)
		pfree(list->hits[--list->n]);
	memmove(&list->hits[place + 1], &list->hits[place], sizeof(Hit *) * (list->n - place));
	list->hits[place] = hit;
	list->n++;
}

static int
hit_spelled(const Search *s, const Hit *hit)
{
	int		  n1;
	int		  n2;
	pg_wchar *c1;
	pg_wchar *c2;

	if (hit->ntext == s->ntext && memcmp(hit->text, s->text, s->ntext) == 0)
		return 2;
	c1 = text_spelling(hit->text, hit->ntext, &n1);
	c2 = text_spelling(s->text, s->ntext, &n2);
	return n1 == n2 && memcmp(c1, c2, sizeof(pg_wchar) * n1) == 0 ? 1 : 0;
}

/* Has anything of this tier or a better one been found, in the words of the text as they were typed? */
bool
search_has(const Search *s, MatchTier tier)
{
	if (s->best >= tier)
		return true;
	for (int i = 0; i < s->equal.n; i++)
		if (s->equal.hits[i]->same_words || tier <= MATCH_TYPO)
			return true;
	return false;
}

/* Could a row of this kind be among those that are wanted, as far as is known? */
bool
search_accepts(const Search *s, MatchTier tier, int64 weight)
{
	const Match *last;

	/* as long as nothing better than a variant is known, everything decides whether variants count */
	if (s->after && s->after->match.tier >= MATCH_STEM && tier > s->after->match.tier)
		return false;
	if (s->other.n < s->limit)
		return true;
	last = &s->other.hits[s->other.n - 1]->match;
	return tier > last->tier || (tier == last->tier && weight >= last->weight);
}

/* A copy of a hit, with its text and values in the same chunk of memory. */
static Hit *
hit_copy(const Search *s, const Hit *hit)
{
	Size  size[SEARCH_COLUMNS] = {0};
	Size  all = MAXALIGN(sizeof(Hit)) + MAXALIGN(hit->ntext);
	Hit	 *copy;
	char *p;

	for (int c = 0; c < s->source->ncolumns; c++)
	{
		Form_pg_attribute column = TupleDescAttr(RelationGetDescr(s->table), s->attno[c] - 1);

		if (!hit->nulls[c] && !column->attbyval)
			size[c] = datumGetSize(hit->values[c], false, column->attlen);
		all += MAXALIGN(size[c]);
	}
	copy = palloc(all);
	*copy = *hit;
	p = (char *) copy + MAXALIGN(sizeof(Hit));
	copy->text = memcpy(p, hit->text, hit->ntext);
	p += MAXALIGN(hit->ntext);
	for (int c = 0; c < s->source->ncolumns; c++)
		if (size[c] > 0)
		{
			copy->values[c] = PointerGetDatum(memcpy(p, DatumGetPointer(hit->values[c]), size[c]));
			p += MAXALIGN(size[c]);
		}
	return copy;
}

/* Adds a row, whose words are t. */
void
search_add(Search *s, Hit *hit, const TextWords *t)
{
	bool	 apart = hit->match.tier == MATCH_EQUAL && s->source->volumes;
	HitList *list = apart ? &s->equal : &s->other;
	int		 place;

	if (apart)
	{
		const TextWords *typed = &s->query.typed;

		hit->same_words = t->nnorm == typed->nnorm && memcmp(t->norm, typed->norm, t->nnorm) == 0;
		hit->spelled = hit_spelled(s, hit);
	}
	else
		s->best = Max(s->best, hit->match.tier);
	if (s->after && search_compare(hit, s->after) <= 0)
		return;
	place = hits_place(list, hit);
	if (place >= list->capacity && !apart)
		return;
	if (list->n == list->capacity && apart)
	{
		list->capacity *= 2;
		list->hits = repalloc(list->hits, sizeof(Hit *) * (list->capacity + 1));
	}
	hits_insert(list, place, hit_copy(s, hit));
}

/*
 * Puts the hits together.  The topic that is spelled most like the text counts as much as the most wanted one
 * of the same words.
 */
void
search_finish(Search *s)
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
