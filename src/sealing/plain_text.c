/*
 * plain_text.c
 *		Text as its reader sees it: what contacts are looked for in.
 *
 * The plain form of a string is in UTF-8, without the escapes of URLs, HTML and JSON, in compatibility form
 * (NFKC), and with ASCII digits for the decimal digits of every script.
 *
 * Invariant: it takes time in proportion to the length, of which PLAIN_TEXT_MOST bytes are read.
 */
#include "openinfo.h"

#include "common/string.h"
#include "common/unicode_norm.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "sealing/plain_text.h"

/*
 * The zeros of Unicode 17; nine digits follow each.  PostgreSQL knows the categories of characters from 17 on
 * only.  And what is in front of nine circled digits that have no compatibility form.
 */
static const pg_wchar zeros[] = {
	0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
	0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50,
	0x24f4, 0x2775, 0x277f, 0x2789, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0,
	0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0,
	0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50, 0x11da0, 0x11de0, 0x11f50,
	0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
	0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0};

/* Characters that a reader does not see. */
static bool
is_invisible(pg_wchar c)
{
	return c == 0xad || c == 0x34f || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
		   (c >= 0x2060 && c <= 0x206f) || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || c >= 0xe0000;
}

/*
 * Compatibility forms and ASCII digits, without what is invisible; a byte that is not UTF-8 becomes a space.
 * A pair of surrogates, which JSON writes as two escapes, is one character.
 */
static char *
fold(const char *string)
{
	const unsigned char *s = (const unsigned char *) string;
	StringInfoData		 plain;

	initStringInfo(&plain);
	for (int length, left = strlen(string); left > 0; s += length, left -= length)
	{
		pg_wchar one[] = {' ', 0}, *c = one;

		length = Min(pg_utf_mblen(s), left);
		if (pg_utf8_islegal(s, length))
			one[0] = utf8_to_unicode(s);
		else if (left >= 6 && s[0] == 0xed && s[3] == 0xed && is_utf16_surrogate_first(utf8_to_unicode(s)) &&
				 is_utf16_surrogate_second(utf8_to_unicode(s + 3)))
		{
			one[0] = surrogate_pair_to_codepoint(utf8_to_unicode(s), utf8_to_unicode(s + 3));
			length = 6;
		}
		else
			length = 1;
		if (is_invisible(one[0]))
			continue;
		if (one[0] == 0x24d0) /* a circled "a" */
			one[0] = '@';
		else if (one[0] == 0x3002)
			one[0] = '.';
		else if (one[0] >= 0x2000 || one[0] == 0xb2 || one[0] == 0xb3 || one[0] == 0xb9)
			c = unicode_normalize(UNICODE_NFKC, one);
		for (; *c; c++)
		{
			unsigned char bytes[MAX_MULTIBYTE_CHAR_LEN];

			for (int z = 0; z < lengthof(zeros) && *c >= zeros[z]; z++)
				if (*c <= zeros[z] + 9)
					*c = '0' + (*c - zeros[z]);
			unicode_to_utf8(*c, bytes);
			appendBinaryStringInfo(&plain, (char *) bytes, pg_utf_mblen(bytes));
		}
	}
	return plain.data;
}

/* Digits of a number in HTML at most, aside from zeros in front; others have as many as the table says. */
#define HTML_DIGITS 7

static const struct Escape
{
	const char *prefix;
	int			base, digits; /* of the number behind it */
	pg_wchar	c;			  /* without a number */
} escapes[] = {
	/* clang-format off */
	{"%u", 16, 4, 0}, {"%", 16, 2, 0}, {"\\u", 16, 4, 0}, {"\\x", 16, 2, 0}, {"&#x", 16, HTML_DIGITS, 0},
	{"&#", 10, HTML_DIGITS, 0}, {"&commat", 0, 0, '@'}, {"&period", 0, 0, '.'}, {"&plus", 0, 0, '+'},
	{"&colon", 0, 0, ':'}, {"&amp", 0, 0, '&'}, {"&nbsp", 0, 0, ' '}, {"(at)", 0, 0, '@'},
	{"[at]", 0, 0, '@'}, {"{at}", 0, 0, '@'}, {"(dot)", 0, 0, '.'}, {"[dot]", 0, 0, '.'}
	/* clang-format on */
};

/* The value of a hexadecimal digit; 16 when it is none. */
static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char		 *digit = strchr(digits, pg_ascii_tolower((unsigned char) c));

	return digit != NULL ? digit - digits : 16;
}

/* The character that an escape at the beginning of s means, and its length; 0 when there is none. */
static pg_wchar
escape_here(const char *s, int *length)
{
	for (const struct Escape *e = escapes; e < escapes + lengthof(escapes); e++)
	{
		pg_wchar c = e->c;
		int		 n = 0;

		*length = strlen(e->prefix);
		if (pg_strncasecmp(s, e->prefix, *length) != 0)
			continue;
		if (e->digits == HTML_DIGITS)
			*length += strspn(s + *length, "0");
		for (int digit; n < e->digits && (digit = hex_digit(s[*length])) < e->base; n++, ++*length)
			c = c * e->base + digit;
		/* what the database's encoding may not have stays as it is */
		if (c == 0 || (n != e->digits && e->digits != HTML_DIGITS) ||
			c > (GetDatabaseEncoding() == PG_UTF8 ? 0x10ffff : 0x7f))
			continue;
		*length += *s == '&' && s[*length] == ';';
		return c;
	}
	/* other characters that HTML has a name for, up to &NonBreakingSpace;, may be spaces */
	for (*length = 1; *length < 20 && isalpha((unsigned char) s[*length]); ++*length)
		;
	return *s == '&' && *length > 1 && s[(*length)++] == ';' ? ' ' : 0;
}

/* Replaces escapes by what they mean, which is shorter; false when there is none. */
static bool
unescape(char *s)
{
	char *to = s;
	bool  found = false;

	while (*s)
	{
		int		 length;
		pg_wchar c = strchr("%\\&([{", *s) ? escape_here(s, &length) : 0;

		if (c == 0)
			*to++ = *s++;
		else if (*s == '%' && length == 3)
			*to++ = c; /* a byte of UTF-8 */
		else
			to += pg_utf_mblen(unicode_to_utf8(c, (unsigned char *) to));
		found |= c != 0;
		s += c != 0 ? length : 0;
	}
	*to = '\0';
	return found;
}

/* The plain form of the beginning of a string.  Escapes may be escaped again, as in %2540. */
char *
plain_text(const char *string, int length)
{
	int	  encoding = GetDatabaseEncoding();
	char *s = pnstrdup(string, pg_mbcliplen(string, length, PLAIN_TEXT_MOST));

	if (encoding != PG_UTF8 && encoding != PG_SQL_ASCII)
		s = (char *) pg_do_encoding_conversion((unsigned char *) s, strlen(s), encoding, PG_UTF8);
	for (int level = 0; level < 4; level++)
	{
		if (!pg_is_ascii(s))
			s = fold(s);
		if (!unescape(s))
			break;
	}
	return s;
}
