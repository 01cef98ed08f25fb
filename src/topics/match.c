/*
 * match.c
 *		What satisfies a text that was typed: the rule of the search for one row.
 *
 *	tier	why a row was found: it equals the text, but for blanks; its words begin with the words of the
 *			text (only an open word may go on); their stems are the same; with a blank more or less; typos
 *	open	a typed word that may go on: the last one, and those of scripts without blanks
 *	begins	it begins with the text as it was typed, or equals it
 *
 * Typos: a letter too many, too few, another one, or two neighbours swapped; one in a word of three letters
 * or more, two from eight letters on.  Of two typos the first three letters are right, or one typo is among
 * the first four letters, the two letters behind those are right, and the other typo comes after that.  An
 * unfinished word of three letters is compared with whole words.
 *
 * Invariant: walk.c and fuzzy.c find through the index what this finds in the whole table; every row that the
 * index gives is judged here.
 */
#include "openinfo.h"

#include "topics/match.h"

/* Copies the words without repetitions.  The last word stays last: it may be unfinished. */
void
query_init(SearchQuery *q, const TextWord *words, int n)
{
	q->words = palloc(sizeof(TextWord) * Max(n, 1));
	q->nwords = 0;
	for (int i = 0; i < n; i++)
	{
		int j = 0;

		while (i < n - 1 && j < q->nwords &&
			   (q->words[j].n != words[i].n || memcmp(q->words[j].s, words[i].s, words[i].n) != 0))
			j++;
		if (i == n - 1 || j == q->nwords)
			q->words[q->nwords++] = words[i];
	}
}

bool
query_word_open(const SearchQuery *q, int i)
{
	return i == q->nwords - 1 || q->words[i].spaceless;
}

static inline bool
match_starts(const TextWord *w, const TextWord *begin, bool open)
{
	return (open ? w->n >= begin->n : w->n == begin->n) && memcmp(w->s, begin->s, begin->n) == 0;
}

static inline const TextWord *
match_word(const TextWords *t, int i)
{
	return i < t->nwords ? &t->words[i] : &t->others[i - t->nwords];
}

static bool
match_stem(const TextWord *a, const TextWord *b)
{
	char sa[WORD_KEY_CHARS + 1];
	char sb[WORD_KEY_CHARS + 1];
	int	 na;

	if (a->s[0] != b->s[0]) /* no stem changes that */
		return false;
	na = textword_stem(a, sa);
	return na > 0 && na == textword_stem(b, sb) && memcmp(sa, sb, na) == 0;
}

/* As it was typed, or by stems. */
static MatchTier
match_words(const SearchQuery *q, const TextWords *t, MatchTier floor)
{
	int		  all = t->nwords + t->nothers;
	MatchTier tier = MATCH_WORDS;

	for (int i = 0; i < q->nwords && tier != MATCH_NONE; i++)
	{
		bool open = query_word_open(q, i);
		int	 k = 0;

		while (k < all && !match_starts(match_word(t, k), &q->words[i], open))
			k++;
		if (k < all)
			continue;
		tier = MATCH_NONE;
		for (k = 0; k < all && tier == MATCH_NONE && q->stems && floor <= MATCH_STEM; k++)
			if (match_stem(match_word(t, k), &q->words[i]))
				tier = MATCH_STEM;
	}
	return tier;
}

/* The fewest typos, or more than the maximum. */
static int
match_typos(const SearchQuery *q, const TextWords *t, int max)
{
	int all = t->nwords + t->nothers;
	int sum = 0;

	for (int i = 0; i < q->nwords && sum <= max; i++)
	{
		const TextWord *typed = &q->words[i];
		bool			open = query_word_open(q, i);
		int				allowed = Min(typos_allowed(typed), max - sum);
		int				best = max + 1;

		for (int k = 0; k < all && best > 0; k++)
		{
			const TextWord *w = match_word(t, k);
			int				upto;
			int				d = 0;

			if (!match_starts(w, typed, open))
				d = allowed > 0 && !w->inner ? typos_between(typed, w, open, allowed, &upto) : max + 1;
			if (d <= allowed)
				best = Min(best, d);
		}
		sum += best;
	}
	return sum;
}

/*
 * Does a row satisfy a text, and how?  Tiers below "floor" are not looked for; the weight is the caller's.
 */
bool
match_text(const SearchQuery *q, const TextWords *t, MatchTier floor, int max_typos, Match *m)
{
	m->typos = 0;
	m->begins = t->nnorm >= q->typed.nnorm && memcmp(t->norm, q->typed.norm, q->typed.nnorm) == 0;
	if (t->nnorm - t->nwords == q->typed.nnorm - q->typed.nwords && q->hash == textwords_hash(t))
	{
		m->tier = MATCH_EQUAL;
		m->begins = true;
		return true;
	}
	m->tier = match_words(q, t, floor);
	if (m->tier == MATCH_NONE && floor <= MATCH_TYPO && q->nwords <= TYPO_MAX_WORDS)
	{
		m->typos = match_typos(q, t, max_typos);
		if (m->typos <= max_typos)
			m->tier = MATCH_TYPO;
	}
	m->begins &= m->tier == MATCH_WORDS;
	return m->tier >= floor && m->tier != MATCH_NONE;
}

int
typos_allowed(const TextWord *q)
{
	if (q->nc < 3 || q->nc > TYPO_MAX_CHARS)
		return 0;
	return q->nc < 8 ? 1 : 2;
}

/*
 * How many typos lie between two words; more than "max" is max + 1.  With "open" b may go on after a ended,
 * and *upto is the length of the shortest beginning of b that is nearest to a.  Lengths that differ by more
 * than "max" are more typos than that, so only a band of the table is computed, with max + 1 at its sides.
 */
static int
distance(const pg_wchar *a, int na, const pg_wchar *b, int nb, int max, bool open, int *upto)
{
	int	 row[3][WORD_KEY_CHARS + 5] = {{0}};
	int *r0 = row[0]; /* two characters of a ago */
	int *r1 = row[1];
	int *r2 = row[2];
	int	 best;

	if (nb > na + max && open)
		nb = na + max;
	if (nb > na + max || na > nb + max || nb > WORD_KEY_CHARS + 3)
		return max + 1;
	for (int j = 0; j <= nb; j++)
		r1[j] = j;
	for (int i = 1; i <= na; i++)
	{
		int	 first = Max(1, i - max);
		int	 last = Min(nb, i + max);
		int	 least = max + 1;
		int *free = r0;

		r2[first - 1] = first == 1 ? i : max + 1;
		for (int j = first; j <= last; j++)
		{
			int v = r1[j - 1] + (a[i - 1] != b[j - 1]);

			v = Min(v, Min(r1[j], r2[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				v = Min(v, r0[j - 2] + 1);
			r2[j] = v;
			least = Min(least, v);
		}
		r2[last + 1] = max + 1;
		if (least > max && r2[first - 1] > max)
			return max + 1;
		r0 = r1;
		r1 = r2;
		r2 = free;
	}
	*upto = nb;
	if (!open)
		return Min(r1[nb], max + 1);
	best = Max(0, na - max);
	for (int j = best + 1; j <= nb; j++)
		if (r1[j] < r1[best])
			best = j;
	*upto = best;
	return Min(r1[best], max + 1);
}

/*
 * The number of typos by which a typed word misses a word, or its beginning when it is not finished; more
 * than "max" is max + 1.  *upto gets the length of that beginning.
 */
int
typos_between(const TextWord *q, const TextWord *w, bool open, int max, int *upto)
{
	const int head = TYPO_HEAD + 1;
	int		  nb = Min(w->nc, WORD_KEY_CHARS);
	int		  d;

	if (q->nc <= TYPO_HEAD)
		open = false;
	d = distance(q->c, q->nc, w->c, nb, Min(max, 2), open, upto);
	if (d <= 1 && d <= max)
		return d;
	if (max < 2 || q->nc < 8)
		return max + 1;
	if (d == 2 && nb >= TYPO_HEAD && memcmp(q->c, w->c, sizeof(pg_wchar) * TYPO_HEAD) == 0)
		return 2;
	for (int m = head - 1; m <= head + 1 && m + 2 <= nb; m++)
	{
		int rest;

		if (w->c[m] == q->c[head] && w->c[m + 1] == q->c[head + 1] &&
			distance(q->c, head, w->c, m, 1, false, &rest) <= 1 &&
			distance(q->c + head + 2, q->nc - head - 2, w->c + m + 2, nb - m - 2, 1, open, &rest) <= 1)
		{
			*upto = m + 2 + rest;
			return 2;
		}
	}
	return max + 1;
}
