/*
 * fold.h
 *		Which characters are the same letter to the search, and what kind of character each one is.
 */
#ifndef OPENINFO_FOLD_H
#define OPENINFO_FOLD_H

#include "openinfo.h"

#include "mb/pg_wchar.h"

extern pg_wchar *text_characters(const char *s, int n, int *count);
extern pg_wchar *text_spelling(const char *s, int n, int *count);
extern bool		 text_is_apostrophe(pg_wchar c);
extern bool		 text_is_blank(pg_wchar c);
extern bool		 text_is_dependent(pg_wchar c);
extern bool		 text_in_word_beyond_ascii(pg_wchar c);
extern bool		 text_is_spaceless_beyond_ascii(pg_wchar c);

/* Is it part of a word? */
static inline bool
text_in_word(pg_wchar c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
	return text_in_word_beyond_ascii(c);
}

/* Is it of a script that writes no blanks between words? */
static inline bool
text_is_spaceless(pg_wchar c)
{
	return c >= 0x80 && text_is_spaceless_beyond_ascii(c);
}

#endif
