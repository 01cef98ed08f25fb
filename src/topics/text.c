/*
 * text.c
 *		From text to words: what a topic, and what somebody types, is to the search.
 *
 * Folding: compatibility decomposition (NFKD), marks dropped, small letters.  The
 * folding of letters is a table of this file and not the operating system's or the
 * server's: index entries are made of it, so it must stay the same for every locale,
 * for every major version and on every standby.
 *
 * A word is a run of letters and digits (and of anything beyond ASCII that is not
 * punctuation).  "+" and "#" after it belong to it (c++, c#), a dot before it does
 * when a blank stands before the dot (.net), an apostrophe inside it is dropped
 * (women's = womens).  Everything else separates.  Words that are separated by
 * punctuation without a blank (node.js, a/b, e-commerce) are also known glued
 * together (nodejs, ab, ecommerce).
 *
 * Invariant: the same text gives the same words, whatever the caller's settings; no
 * text is an error.
 */
#include "openinfo.h"

#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"

#include "topics/text.h"

/*
 * Letters that have no decomposition but a plain sister; and small letters in scripts
 * where they are at a constant distance.  Letters with marks come here without them.
 */
static int
text_fold(pg_wchar c, pg_wchar *out)
{
	if (c < 0x80)
	{
		out[0] = (c >= 'A' && c <= 'Z') ? c + 32 : c;
		return 1;
	}
	switch (c)
	{
		case 0xC6:
		case 0xE6:
			out[0] = 'a', out[1] = 'e';
			return 2;
		case 0x152:
		case 0x153:
			out[0] = 'o', out[1] = 'e';
			return 2;
		case 0xDF:
		case 0x1E9E:
			out[0] = out[1] = 's';
			return 2;
		case 0xDE:
		case 0xFE:
			out[0] = 't', out[1] = 'h';
			return 2;
		case 0xD0:
		case 0xF0:
		case 0x110:
		case 0x111:
			out[0] = 'd';
			return 1;
		case 0xD8:
		case 0xF8:
			out[0] = 'o';
			return 1;
		case 0x126:
		case 0x127:
			out[0] = 'h';
			return 1;
		case 0x131:
			out[0] = 'i';
			return 1;
		case 0x141:
		case 0x142:
			out[0] = 'l';
			return 1;
		case 0x166:
		case 0x167:
			out[0] = 't';
			return 1;
		case 0x3C2: /* final sigma */
			out[0] = 0x3C3;
			return 1;
		case 0x4C0:
			out[0] = 0x4CF;
			return 1;
	}
	if ((c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
		c += 32;
	else if (c >= 0x400 && c <= 0x40F)
		c += 80;
	else if ((c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) || (c >= 0x4D0 && c <= 0x52F) ||
			 (c >= 0x14A && c <= 0x177) || (c >= 0x1E00 && c <= 0x1E95) || (c >= 0x3D8 && c <= 0x3EF))
		c |= 1;
	else if (c >= 0x4C1 && c <= 0x4CE)
		c += (c & 1);
	else if (c >= 0x531 && c <= 0x556)
		c += 48;
	else if (c >= 0x10A0 && c <= 0x10C5)
		c += 0x2D00 - 0x10A0;
	else if (c >= 0x1C90 && c <= 0x1CBF)
		c -= 0x1C90 - 0x10D0;
	out[0] = c;
	return 1;
}

/* Marks that say how a letter sounds, and characters that cannot be seen. */
static bool
text_is_mark(pg_wchar c)
{
	return (c >= 0x300 && c <= 0x36F) || (c >= 0x483 && c <= 0x489) ||
		   (c >= 0x591 && c <= 0x5BD) || c == 0x5BF || c == 0x5C1 || c == 0x5C2 || c == 0x5C4 || c == 0x5C5 || c == 0x5C7 ||
		   (c >= 0x610 && c <= 0x61A) || c == 0x640 || (c >= 0x64B && c <= 0x65F) || c == 0x670 ||
		   (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x1DC0 && c <= 0x1DFF) || (c >= 0x20D0 && c <= 0x20FF) ||
		   (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xFE20 && c <= 0xFE2F) ||
		   c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
		   (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xE0100 && c <= 0xE01EF);
}

static inline bool
text_in_word(pg_wchar c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
	return !((c >= 0x80 && c <= 0xBF) || c == 0xD7 || c == 0xF7 ||
			 (c >= 0x2000 && c <= 0x206F) || (c >= 0x2190 && c <= 0x23FF) ||
			 (c >= 0x2500 && c <= 0x25FF) || (c >= 0x27C0 && c <= 0x2BFF) || (c >= 0x2E00 && c <= 0x2E7F) ||
			 (c >= 0x3000 && c <= 0x3004) || (c >= 0x3008 && c <= 0x3020) || c == 0x30FB ||
			 c == 0x60C || c == 0x61B || c == 0x61F || c == 0x66A || c == 0x5BE || c == 0x5C0 || c == 0x5C3 || c == 0x5F3 || c == 0x5F4 ||
			 c == 0x964 || c == 0x965 || c == 0xFFFC || c == 0xFFFD ||
			 (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFFF0 && c <= 0xFFFB));
}

static inline bool
text_is_apostrophe(pg_wchar c)
{
	return c == '\'' || c == '`' || c == 0x2018 || c == 0x2019 || c == 0x2BC || c == 0xB4;
}

static inline bool
text_is_blank(pg_wchar c)
{
	return c <= ' ' || c == 0x7F || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
		   c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* The characters of a text, folded; the result has room for one more. */
static pg_wchar *
text_characters(const char *s, int n, int *count)
{
	const unsigned char *p = (const unsigned char *) s;
	pg_wchar			*c;
	pg_wchar			*d;
	int					 nc = 0;
	int					 nd;
	int					 i;
	bool				 ascii = true;

	for (i = 0; i < n; i++)
		if (p[i] & 0x80)
		{
			ascii = false;
			break;
		}
	if (ascii)
	{
		c = palloc(sizeof(pg_wchar) * (n + 1));
		for (i = 0; i < n; i++)
			c[i] = (p[i] >= 'A' && p[i] <= 'Z') ? p[i] + 32 : p[i];
		*count = n;
		return c;
	}

	if (GetDatabaseEncoding() == PG_UTF8)
	{
		c = palloc(sizeof(pg_wchar) * (n + 1));
		nc = pg_encoding_mb2wchar_with_len(PG_UTF8, s, c, n);
	}
	else if (GetDatabaseEncoding() == PG_SQL_ASCII)
	{
		/* Nobody knows what these bytes are: every one is a letter of its own. */
		c = palloc(sizeof(pg_wchar) * (n + 1));
		for (i = 0; i < n; i++)
			c[nc++] = p[i] < 0x80 ? ((p[i] >= 'A' && p[i] <= 'Z') ? p[i] + 32 : p[i]) : 0xF0000 + p[i];
		*count = nc;
		return c;
	}
	else
	{
		char *u = (char *) pg_do_encoding_conversion((unsigned char *) unconstify(char *, s), n, GetDatabaseEncoding(), PG_UTF8);
		int	  nu = (u == s) ? n : (int) strlen(u);

		c = palloc(sizeof(pg_wchar) * (nu + 1));
		nc = pg_encoding_mb2wchar_with_len(PG_UTF8, u, c, nu);
	}
	c[nc] = 0;
	c = unicode_normalize(UNICODE_NFKD, c);
	for (nc = 0; c[nc]; nc++)
		;
	d = palloc(sizeof(pg_wchar) * (2 * nc + 1));
	nd = 0;
	for (i = 0; i < nc; i++)
		if (!text_is_mark(c[i]))
			nd += text_fold(c[i], d + nd);
	*count = nd;
	return d;
}

/* Fills in the UTF-8 of a word whose characters are known. */
void
topic_word_make(TopicWord *w, const pg_wchar *c, int nc)
{
	unsigned char *s;
	int			   i;
	int			   n = 0;

	w->c = unconstify(pg_wchar *, c);
	w->nc = nc;
	w->s = palloc(nc * 4 + 1);
	w->glued = w->dotted = false;
	s = (unsigned char *) w->s;
	for (i = 0; i < nc; i++)
	{
		if (c[i] < 0x80)
			s[n++] = (unsigned char) c[i];
		else
		{
			unicode_to_utf8(c[i], s + n);
			n += pg_utf_mblen(s + n);
		}
	}
	w->n = n;
}

/* The number of bytes that a word's first nc characters take. */
int
topic_char_offset(const TopicWord *w, int nc)
{
	int i;
	int n = 0;

	if (w->n == w->nc)
		return Min(nc, w->n);
	for (i = 0; i < nc && i < w->nc; i++)
		n += pg_utf_mblen((const unsigned char *) w->s + n);
	return n;
}

/*
 * Reads a text.  "typed" is a text that may end in the middle of a word: there a lone
 * dot at the end is the beginning of ".net".
 */
void
topic_read(const char *s, int n, bool typed, TopicText *out)
{
	int		  nc;
	pg_wchar *c = text_characters(s, n, &nc);
	pg_wchar *w = palloc(sizeof(pg_wchar) * (nc + 1)); /* all words' characters, packed */
	int		  room = 8;
	int		  i = 0;
	int		  k;
	int		  len;
	bool	  touching = false; /* no blank since the last word */

	out->words = palloc(sizeof(TopicWord) * room);
	out->nwords = 0;
	out->others = NULL;
	out->nothers = 0;

	while (i < nc)
	{
		int	 from;
		bool dotted = false;

		while (i < nc && !text_in_word(c[i]))
		{
			bool free_before = (i == 0 || text_is_blank(c[i - 1]));

			if (c[i] == '.' && free_before &&
				(i + 1 < nc ? text_in_word(c[i + 1]) : typed))
			{
				dotted = true;
				break;
			}
			if (text_is_blank(c[i]))
				touching = false;
			i++;
		}
		if (i >= nc)
			break;
		if (out->nwords == room)
		{
			room *= 2;
			out->words = repalloc(out->words, sizeof(TopicWord) * room);
		}
		from = 0;
		if (dotted)
			w[from++] = c[i++];
		while (i < nc)
		{
			if (text_in_word(c[i]))
				w[from++] = c[i++];
			else if (text_is_apostrophe(c[i]) && i + 1 < nc && text_in_word(c[i + 1]))
				i++;
			else
				break;
		}
		if (i < nc && (c[i] == '+' || c[i] == '#') && from > 0)
		{
			int j = i;

			while (j < nc && (c[j] == '+' || c[j] == '#'))
				j++;
			if (j >= nc || !text_in_word(c[j]) || (c[j] >= '0' && c[j] <= '9'))
				while (i < j)
					w[from++] = c[i++];
		}
		topic_word_make(&out->words[out->nwords], w, from);
		out->words[out->nwords].glued = touching && out->nwords > 0;
		out->words[out->nwords].dotted = dotted && from > 1;
		out->nwords++;
		w += from;
		touching = true;
	}

	/* The words with one blank between them, and the second readings. */
	for (len = 0, k = 0; k < out->nwords; k++)
		len += out->words[k].n + 1;
	out->norm = palloc(len + 1);
	for (len = 0, k = 0; k < out->nwords; k++)
	{
		TopicWord *x = &out->words[k];

		if (k > 0)
			out->norm[len++] = ' ';
		memcpy(out->norm + len, x->s, x->n);
		len += x->n;
		if (!typed && (x->dotted || (x->glued && !out->words[k - 1].glued)))
		{
			if (out->others == NULL)
				out->others = palloc(sizeof(TopicWord) * 2 * out->nwords);
			if (x->dotted)
				topic_word_make(&out->others[out->nothers++], x->c + 1, x->nc - 1);
			if (x->glued)
			{
				int		  last = k;
				int		  first = k - 1;
				int		  skip = out->words[first].dotted ? 1 : 0;
				pg_wchar *g;
				int		  ng = 0;
				int		  j;

				while (last + 1 < out->nwords && out->words[last + 1].glued)
					last++;
				for (j = first; j <= last; j++)
					ng += out->words[j].nc;
				g = palloc(sizeof(pg_wchar) * ng);
				for (ng = 0, j = first; j <= last; j++)
				{
					int off = (j == first) ? skip : 0;

					memcpy(g + ng, out->words[j].c + off, sizeof(pg_wchar) * (out->words[j].nc - off));
					ng += out->words[j].nc - off;
				}
				topic_word_make(&out->others[out->nothers++], g, ng);
			}
		}
	}
	out->nnorm = len;
}

/*
 * How many typos lie between two words: a letter too many, too few, another one, or two
 * neighbours swapped; more than "most" is most + 1.  With "open" b may go on after a
 * ended, and *upto is the length of the shortest beginning of b that is nearest to a.
 */
int
topic_distance(const pg_wchar *a, int na, const pg_wchar *b, int nb, int most, bool open, int *upto)
{
	int	 row[3][TOPIC_KEY_CHARS + 4] = {{0}};
	int *r0 = row[0]; /* two characters of a ago */
	int *r1 = row[1];
	int *r2 = row[2];
	int	 i;
	int	 j;
	int	 best;

	if (nb > na + most)
	{
		if (!open)
			return most + 1;
		nb = na + most;
	}
	if (na > nb + most || nb > TOPIC_KEY_CHARS + 3)
		return most + 1;
	for (j = 0; j <= nb; j++)
		r1[j] = j;
	for (i = 1; i <= na; i++)
	{
		int	 least = i;
		int *t;

		r2[0] = i;
		for (j = 1; j <= nb; j++)
		{
			int v = r1[j - 1] + (a[i - 1] != b[j - 1]);

			if (r1[j] + 1 < v)
				v = r1[j] + 1;
			if (r2[j - 1] + 1 < v)
				v = r2[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && r0[j - 2] + 1 < v)
				v = r0[j - 2] + 1;
			r2[j] = v;
			if (v < least)
				least = v;
		}
		if (least > most)
			return most + 1;
		t = r0;
		r0 = r1;
		r1 = r2;
		r2 = t;
	}
	if (!open)
	{
		if (upto)
			*upto = nb;
		return Min(r1[nb], most + 1);
	}
	best = 0;
	for (j = 1; j <= nb; j++)
		if (r1[j] < r1[best])
			best = j;
	if (upto)
		*upto = best;
	return Min(r1[best], most + 1);
}
