/*
 * text.h
 *		From text to words: what the search sees of a topic and of what somebody types.
 */
#ifndef OPENINFO_TEXT_H
#define OPENINFO_TEXT_H

#include "openinfo.h"

#include "mb/pg_wchar.h"

/* Of a text only so many bytes are read. */
#define TEXT_BYTES 2048
/* A word longer than this is shortened in the index keys, and compared in full in the table. */
#define WORD_KEY_CHARS 32

typedef struct TextWord
{
	pg_wchar *c; /* its characters, folded */
	int		  nc;
	char	 *s; /* the same in UTF-8, not terminated */
	int		  n;
	bool	  joined;	 /* follows the word before without a blank */
	bool	  dotted;	 /* begins with a dot: ".net" */
	bool	  spaceless; /* of a script that writes no blanks between words */
	bool	  inner;	 /* what follows a position inside a spaceless word */
} TextWord;

typedef struct TextWords
{
	char	 *norm; /* the words, one blank between them */
	int		  nnorm;
	TextWord *words; /* in the order of the text */
	int		  nwords;
	TextWord *others; /* second readings: "net" of ".net", "nodejs" of "node.js", inner words */
	int		  nothers;
} TextWords;

extern void	  textwords_read(const char *s, int n, bool typed, TextWords *out);
extern uint64 textwords_hash(const TextWords *t);
extern void	  textword_init(TextWord *w, const pg_wchar *c, int nc);
extern int	  textword_bytes(const TextWord *w, int nc);
extern int	  textword_stem(const TextWord *w, char *out);

#endif
