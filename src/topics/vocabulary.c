/*
 * vocabulary.c
 *		The words that the index has: is one there, and which are near to one that was typed?
 *
 * The vocabulary is in the index in two orders, and gives the near words as match.c counts typos.  Where
 * the first three letters are right, the vocabulary from them on is looked at.  A letter too many or two
 * swapped among them leave one word, or one beginning, to be looked for.  Another letter or one missing among
 * them leaves the letters behind right, which is the second order.  Of an unfinished word with one letter
 * behind, and of a whole one with none, too many words have that; then the first order is walked in leaps,
 * from one letter that stands in the place to the next.
 *
 * Where there is no second order (leads, which have fewer keys so that inserting costs less), every letter
 * is tried in each of the first three places.
 *
 * Invariant: the near words are complete as long as the budget lasts, whatever the alphabet; where letters
 * are tried, of those alphabets that the typed word has letters of.
 */
#include "openinfo.h"

#include "topics/fold.h"
#include "topics/vocabulary.h"

/* Letters of one block of Unicode, and of so many at most, are tried in place of others. */
#define LETTER_BLOCK 64
#define LETTERS_MAX 160
/* An unfinished word with no more letters than this behind the typo: the second order has too many words. */
#define LEAP_TAIL 1
/* Then there are so many leaps at most, one or two for each letter that stands in its place. */
#define LEAPS_MAX 80
#define NO_LETTER UINT_MAX

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
shortest_visit(void *arg, const char *key, int n, const Posting *posting)
{
	int *shortest = arg;

	*shortest = *shortest < 0 ? n : Min(*shortest, n);
	return false;
}

/* Is a word in the vocabulary, or the beginning of one when it is open? */
bool
vocabulary_has(Search *s, const TextWord *w, bool open)
{
	bytea *from = key_make(s->scope, search_vocabulary(s), 0, w->s, textword_bytes(w, WORD_KEY_CHARS),
						   KEY_ANY_WORD, 0);
	int	   found = -1;

	look_at_keys(s, from, shortest_visit, &found);
	return open ? found >= 0 : found == vocabulary_bytes(s, from);
}

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

/* A leap along the vocabulary: how keys should begin, and the least letter that they have in a place. */
typedef struct Leap
{
	NearWords  *near;
	const char *from;
	int			nfrom;
	int			place; /* in bytes */
	pg_wchar	letter;
} Leap;

static bool
leap_visit(void *arg, const char *key, int n, const Posting *posting)
{
	Leap *leap = arg;

	/* the least: should the access method take over, its keys come in any order */
	leap->letter = Min(leap->letter, utf8_to_unicode((const unsigned char *) key + leap->place));
	return n >= leap->nfrom && memcmp(key, leap->from, leap->nfrom) == 0 &&
		   near_visit(leap->near, key, n, posting);
}

/* Words with any letter in one place of the typed one; false when that would take too many leaps. */
static bool
near_leap(Search *s, NearWords *near, int place, bool whole)
{
	int		 nc = near->typed->nc;
	pg_wchar v[TYPO_HEAD + LEAP_TAIL];

	Assert(s->scope.n == 0 && !s->pending);
	memcpy(v, near->typed->c, sizeof(pg_wchar) * nc);
	v[place] = 1;
	for (int leaps = 0; leaps < LEAPS_MAX && !search_exhausted(s); leaps++)
	{
		Leap	 leap = {.near = near, .letter = NO_LETTER};
		TextWord w;
		bytea	*from;

		textword_init(&w, v, nc);
		from = key_make(s->scope, KEY_VOCABULARY, 0, w.s, w.n, KEY_ANY_WORD, 0);
		leap.from = VARDATA(from);
		leap.nfrom = VARSIZE(from) - VARHDRSZ;
		leap.place = leap.nfrom - w.n + textword_bytes(&w, place);
		near->whole = whole ? leap.nfrom : 0;
		look_from_key(s, from, leap.place, leap_visit, &leap);
		near->whole = 0;
		if (leap.letter == NO_LETTER)
			return true;
		/* behind that letter, or to the one that stands there instead */
		v[place] = leap.letter == v[place] ? leap.letter + 1 : leap.letter;
	}
	return false;
}

/* Another letter among the first three. */
static void
near_other_letter(Search *s, NearWords *near, bool whole)
{
	int	 ntail = near->typed->nc - TYPO_HEAD;
	bool done = s->pages && ntail <= (whole ? 0 : LEAP_TAIL);

	for (int place = 0; place < TYPO_HEAD && done; place++)
		done = near_leap(s, near, place, whole);
	if (!done)
		near_look_tail(s, near, near->typed->c + TYPO_HEAD, ntail, whole);
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
void
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
		near_other_letter(s, near, whole);
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
Term *
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
