/*
 * text.c
 *		From text to words: what the search sees of a topic and of what somebody types.
 *
 * A word is a run of letters and digits (and of anything beyond ASCII that is not punctuation).  "+" and "#"
 * after it belong to it (c++, c#), a dot before it does when a blank stands before the dot (.net), an
 * apostrophe inside it is dropped (women's = womens).  Everything else separates.  Words that are separated
 * by punctuation without a blank (node.js, a/b, e-commerce) are also known joined (nodejs, ab, ecommerce).
 *
 * Scripts that write no blanks between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are spaceless: a
 * change between such a script and another one separates, and each position inside begins an inner word, so
 * that every part is found.
 *
 * Invariant: the same text gives the same words, whatever the caller's settings; no text is an error, and the
 * work is bounded: a text is cut after TEXT_BYTES before it is folded.
 */
#include "openinfo.h"

#include "common/hashfn.h"
#include "mb/pg_wchar.h"

#include "topics/fold.h"
#include "topics/text.h"

/* Sets up a word of known characters, with its UTF-8. */
void
textword_init(TextWord *w, const pg_wchar *c, int nc)
{
	unsigned char *s = palloc(nc * 4 + 1);
	int			   n = 0;

	memset(w, 0, sizeof(*w));
	w->c = unconstify(pg_wchar *, c);
	w->nc = nc;
	w->s = (char *) s;
	for (int i = 0; i < nc; i++)
	{
		if (c[i] < 0x80)
			s[n++] = (unsigned char) c[i];
		else
		{
			unicode_to_utf8(c[i], s + n);
			n += pg_utf_mblen(s + n);
			w->spaceless |= text_is_spaceless(c[i]);
		}
	}
	w->n = n;
}

/* The number of bytes that a word's first nc characters take. */
int
textword_bytes(const TextWord *w, int nc)
{
	int n = 0;

	if (w->n == w->nc)
		return Min(nc, w->n);
	for (int i = 0; i < nc && i < w->nc; i++)
		n += pg_utf_mblen((const unsigned char *) w->s + n);
	return n;
}

/* A hash of the words without the blanks between them: the same for "web 3" and "Web3". */
uint64
textwords_hash(const TextWords *t)
{
	char *all = palloc(t->nnorm + 1);
	int	  n = 0;

	for (int i = 0; i < t->nnorm; i++)
		if (t->norm[i] != ' ')
			all[n++] = t->norm[i];
	return DatumGetUInt64(hash_any_extended((unsigned char *) all, n, 0));
}

/* A text that is being read. */
typedef struct TextReader
{
	const pg_wchar *c;
	int				nc;
	int				at;
	bool			typed; /* may end in the middle of a word: a lone dot at the end begins ".net" */
	bool			joined;
	pg_wchar	   *store; /* all words' characters, packed */
} TextReader;

/* Goes to where the next word begins. */
static bool
reader_seek(TextReader *r, bool *dotted)
{
	*dotted = false;
	while (r->at < r->nc && !text_in_word(r->c[r->at]))
	{
		bool free_before = (r->at == 0 || text_is_blank(r->c[r->at - 1]));

		if (r->c[r->at] == '.' && free_before &&
			(r->at + 1 < r->nc ? text_in_word(r->c[r->at + 1]) : r->typed))
		{
			*dotted = true;
			break;
		}
		if (text_is_blank(r->c[r->at]))
			r->joined = false;
		r->at++;
	}
	return r->at < r->nc;
}

static void
reader_word(TextReader *r, bool dotted, TextWord *word)
{
	const pg_wchar *c = r->c;
	int				from = r->at;
	int				n = 0;

	if (dotted)
		r->store[n++] = c[r->at++];
	while (r->at < r->nc)
	{
		int i = r->at;

		if (text_in_word(c[i]))
		{
			if (i > from && text_in_word(c[i - 1]) && text_is_spaceless(c[i]) != text_is_spaceless(c[i - 1]))
				break;
			r->store[n++] = c[r->at++];
		}
		else if (text_is_apostrophe(c[i]) && i + 1 < r->nc && text_in_word(c[i + 1]))
			r->at++;
		else
			break;
	}
	if (r->at < r->nc && (c[r->at] == '+' || c[r->at] == '#') && n > 0)
	{
		int j = r->at;

		while (j < r->nc && (c[j] == '+' || c[j] == '#'))
			j++;
		if (j >= r->nc || !text_in_word(c[j]) || (c[j] >= '0' && c[j] <= '9'))
			while (r->at < j)
				r->store[n++] = c[r->at++];
	}
	textword_init(word, r->store, n);
	word->joined = r->joined;
	word->dotted = dotted && n > 1;
	r->store += n;
	r->joined = true;
}

static TextWord *
words_add_other(TextWords *t, int *capacity)
{
	if (t->nothers == *capacity)
	{
		*capacity = Max(8, *capacity * 2);
		t->others = t->others ? repalloc(t->others, sizeof(TextWord) * *capacity)
							  : palloc(sizeof(TextWord) * *capacity);
	}
	return &t->others[t->nothers++];
}

/* The word with all that are joined to it, from k - 1 on. */
static void
words_add_joined(TextWords *t, int k, int *capacity)
{
	int		  first = k - 1;
	int		  last = k;
	int		  n = 0;
	pg_wchar *c;

	while (last + 1 < t->nwords && t->words[last + 1].joined)
		last++;
	for (int j = first; j <= last; j++)
		n += t->words[j].nc;
	c = palloc(sizeof(pg_wchar) * n);
	n = 0;
	for (int j = first; j <= last; j++)
	{
		int skip = (j == first && t->words[j].dotted) ? 1 : 0;

		memcpy(c + n, t->words[j].c + skip, sizeof(pg_wchar) * (t->words[j].nc - skip));
		n += t->words[j].nc - skip;
	}
	textword_init(words_add_other(t, capacity), c, n);
}

/* Second readings of the words of a text that is not typed. */
static void
words_add_others(TextWords *t)
{
	int capacity = 0;

	for (int k = 0; k < t->nwords; k++)
	{
		const TextWord *w = &t->words[k];

		if (w->dotted)
			textword_init(words_add_other(t, &capacity), w->c + 1, w->nc - 1);
		if (w->joined && !t->words[k - 1].joined)
			words_add_joined(t, k, &capacity);
		for (int i = 1; w->spaceless && i < w->nc; i++)
		{
			TextWord *inner;
			int		  skip = textword_bytes(w, i);

			if (text_is_dependent(w->c[i]))
				continue;
			inner = words_add_other(t, &capacity);
			*inner = *w;
			inner->c += i;
			inner->nc -= i;
			inner->s += skip;
			inner->n -= skip;
			inner->inner = true;
		}
	}
}

/* Reads a text.  "typed" is a text that may end in the middle of a word. */
void
textwords_read(const char *s, int n, bool typed, TextWords *out)
{
	TextReader r = {.typed = typed};
	int		   capacity = 8;
	bool	   dotted;

	n = pg_mbcliplen(s, n, Min(n, TEXT_BYTES));
	r.c = text_characters(s, n, &r.nc);
	r.store = palloc(sizeof(pg_wchar) * (r.nc + 1));
	memset(out, 0, sizeof(*out));
	out->words = palloc(sizeof(TextWord) * capacity);
	while (reader_seek(&r, &dotted))
	{
		if (out->nwords == capacity)
		{
			capacity *= 2;
			out->words = repalloc(out->words, sizeof(TextWord) * capacity);
		}
		reader_word(&r, dotted, &out->words[out->nwords++]);
	}
	for (int k = 0; k < out->nwords; k++)
		out->nnorm += out->words[k].n + 1;
	out->norm = palloc(out->nnorm + 1);
	out->nnorm = 0;
	for (int k = 0; k < out->nwords; k++)
	{
		if (k > 0)
			out->norm[out->nnorm++] = ' ';
		memcpy(out->norm + out->nnorm, out->words[k].s, out->words[k].n);
		out->nnorm += out->words[k].n;
	}
	if (!typed)
		words_add_others(out);
}
