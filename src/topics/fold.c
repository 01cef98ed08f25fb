/*
 * fold.c
 *		Which characters are the same letter to the search, and what kind of character each one is.
 *
 * Folding: compatibility decomposition (NFKD), marks dropped, small letters.  The table of letters is in this
 * file and not the operating system's or the server's: index entries depend on it, so it must stay the same
 * for every locale, for every major version and on every standby.
 *
 * Spaceless are scripts that write no blanks between words: Chinese, Japanese, Thai, Lao, Khmer, Burmese.
 */
#include "openinfo.h"

#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"

#include "topics/fold.h"

/* The spelling of a longer text is compared so far. */
#define SPELLING_BYTES 512

/*
 * Letters that have no decomposition but a plain sister; and small letters in scripts
 * where they are at a constant distance.  Letters with marks come here without them.
 */
static int
text_fold(pg_wchar c, pg_wchar *out)
{
	out[0] = (c >= 'A' && c <= 'Z') ? c + 32 : c;
	if (c < 0x80)
		return 1;
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
		case 0x649: /* Arabic and Persian yeh, kaf */
		case 0x6CC:
			out[0] = 0x64A;
			return 1;
		case 0x6A9:
			out[0] = 0x643;
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
		   (c >= 0x591 && c <= 0x5BD) || c == 0x5BF || c == 0x5C1 || c == 0x5C2 || c == 0x5C4 || c == 0x5C5 ||
		   c == 0x5C7 ||
		   (c >= 0x610 && c <= 0x61A) || c == 0x640 || (c >= 0x64B && c <= 0x65F) || c == 0x670 ||
		   (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x1DC0 && c <= 0x1DFF) || (c >= 0x20D0 && c <= 0x20FF) ||
		   (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xFE20 && c <= 0xFE2F) ||
		   c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
		   (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xE0100 && c <= 0xE01EF);
}

bool
text_in_word_beyond_ascii(pg_wchar c)
{
	return !((c >= 0x80 && c <= 0xBF) || c == 0xD7 || c == 0xF7 ||
			 (c >= 0x2000 && c <= 0x206F) || (c >= 0x2190 && c <= 0x23FF) ||
			 (c >= 0x2500 && c <= 0x25FF) || (c >= 0x27C0 && c <= 0x2BFF) || (c >= 0x2E00 && c <= 0x2E7F) ||
			 (c >= 0x3000 && c <= 0x3004) || (c >= 0x3008 && c <= 0x3020) || c == 0x30FB ||
			 c == 0x60C || c == 0x61B || c == 0x61F || c == 0x66A ||
			 c == 0x5BE || c == 0x5C0 || c == 0x5C3 || c == 0x5F3 || c == 0x5F4 ||
			 c == 0x964 || c == 0x965 || c == 0xFFFC || c == 0xFFFD ||
			 (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xFFF0 && c <= 0xFFFB));
}

bool
text_is_apostrophe(pg_wchar c)
{
	return c == '\'' || c == '`' || c == 0x2018 || c == 0x2019 || c == 0x2BC || c == 0xB4;
}

bool
text_is_blank(pg_wchar c)
{
	return c <= ' ' || c == 0x7F || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
		   c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Scripts that write no blanks between words. */
bool
text_is_spaceless_beyond_ascii(pg_wchar c)
{
	return c >= 0xE00 &&
		   ((c <= 0xEFF) || (c >= 0x1000 && c <= 0x109F) || (c >= 0x1780 && c <= 0x17FF) ||
			(c >= 0x3005 && c <= 0x3007) || (c >= 0x3040 && c <= 0x30FF) || (c >= 0x31F0 && c <= 0x31FF) ||
			(c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
			(c >= 0x20000 && c <= 0x3FFFF));
}

/* Signs of those scripts that hang on the letter before them, and so begin no word. */
bool
text_is_dependent(pg_wchar c)
{
	return c == 0xE31 || (c >= 0xE34 && c <= 0xE3A) || (c >= 0xE47 && c <= 0xE4E) ||
		   c == 0xEB1 || (c >= 0xEB4 && c <= 0xEBC) || (c >= 0xEC8 && c <= 0xECD) ||
		   (c >= 0x102B && c <= 0x103E) || (c >= 0x17B4 && c <= 0x17D3) ||
		   c == 0x3099 || c == 0x309A || c == 0x30FC;
}

/*
 * The characters of a text without marks, decomposed; the result has a 0 behind.  In SQL_ASCII nobody knows
 * what bytes beyond ASCII are: each is a letter of its own.  Marks go before the decomposition, whose work
 * grows with the square of a run of them.
 */
static pg_wchar *
text_decompose(const char *s, int n, bool keep_marks, int *count)
{
	const char *u = s;
	int			nu = n;
	pg_wchar   *c;
	int			nc = 0;
	int			kept = 0;

	if (GetDatabaseEncoding() == PG_SQL_ASCII)
	{
		c = palloc(sizeof(pg_wchar) * (n + 1));
		for (int i = 0; i < n; i++)
			c[i] = (unsigned char) s[i] < 0x80 ? s[i] : 0xF0000 + (unsigned char) s[i];
		c[n] = 0;
		*count = n;
		return c;
	}
	if (GetDatabaseEncoding() != PG_UTF8)
	{
		u = (char *) pg_do_encoding_conversion((unsigned char *) unconstify(char *, s), n,
											   GetDatabaseEncoding(), PG_UTF8);
		if (u != s)
			nu = strlen(u);
	}
	c = palloc(sizeof(pg_wchar) * (nu + 1));
	nc = pg_encoding_mb2wchar_with_len(PG_UTF8, u, c, nu);
	for (int i = 0; i < nc; i++)
		if (keep_marks || !text_is_mark(c[i]))
			c[kept++] = c[i];
	c[kept] = 0;
	c = unicode_normalize(UNICODE_NFKD, c);
	for (nc = 0; c[nc]; nc++)
		;
	*count = nc;
	return c;
}

static bool
text_is_ascii(const char *s, int n)
{
	for (int i = 0; i < n; i++)
		if (s[i] & 0x80)
			return false;
	return true;
}

/* The characters of a text, folded; the result has capacity for one more. */
pg_wchar *
text_characters(const char *s, int n, int *count)
{
	pg_wchar *c;
	pg_wchar *folded;
	int		  nc;
	int		  nf = 0;

	if (text_is_ascii(s, n))
	{
		c = palloc(sizeof(pg_wchar) * (n + 1));
		for (int i = 0; i < n; i++)
			c[i] = (s[i] >= 'A' && s[i] <= 'Z') ? s[i] + 32 : s[i];
		*count = n;
		return c;
	}
	c = text_decompose(s, n, false, &nc);
	folded = palloc(sizeof(pg_wchar) * (2 * nc + 1));
	for (int i = 0; i < nc; i++)
		if (!text_is_mark(c[i]))
			nf += text_fold(c[i], folded + nf);
	*count = nf;
	return folded;
}

/*
 * How a text is spelled: as it is but for case, blanks at its ends and the way in which its letters are
 * composed.  Two texts of the same words may be spelled differently (marks, "ss" for a sharp s).
 */
pg_wchar *
text_spelling(const char *s, int n, int *length)
{
	int		  nc;
	pg_wchar *c;
	int		  from = 0;

	n = pg_mbcliplen(s, n, Min(n, SPELLING_BYTES));
	c = text_decompose(s, n, true, &nc);
	for (int i = 0; i < nc; i++)
	{
		pg_wchar folded[2];

		if (c[i] == 0x141)
			c[i] = 0x142;
		else if ((c[i] >= 0xC0 && c[i] <= 0xDE) && c[i] != 0xD7)
			c[i] += 32;
		else if (c[i] == 0x110 || c[i] == 0x126 || c[i] == 0x152 || c[i] == 0x166)
			c[i] |= 1;
		else if (c[i] == 0x1E9E)
			c[i] = 0xDF;
		else if (!(c[i] >= 0xDF && c[i] <= 0x167) && !(c[i] >= 0x600 && c[i] <= 0x6FF) &&
				 text_fold(c[i], folded) == 1)
			c[i] = folded[0];
	}
	while (nc > 0 && text_is_blank(c[nc - 1]))
		nc--;
	while (from < nc && text_is_blank(c[from]))
		from++;
	*length = nc - from;
	return c + from;
}
