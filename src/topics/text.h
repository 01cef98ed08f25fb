/*
 * text.h
 *		What a topic, and what somebody types, is to the search: words.
 */
#ifndef TOPIC_TEXT_H
#define TOPIC_TEXT_H

#include "mb/pg_wchar.h"

/* A word longer than this is shortened in the index keys, and looked at again in the table. */
#define TOPIC_KEY_CHARS 32
/* So is the whole normalised text in the index that serves "begins with". */
#define TOPIC_NORM_BYTES 240
/* The first letter of a word has keys of its own, and so have the first letters up to so many. */
#define TOPIC_PREFIX_CHARS 3

typedef struct TopicWord
{
	pg_wchar *c; /* its characters, folded */
	int		  nc;
	char	 *s; /* the same in UTF-8, not terminated */
	int		  n;
	bool	  glued;  /* follows the word before without a blank */
	bool	  dotted; /* begins with a dot: ".net" */
} TopicWord;

typedef struct TopicText
{
	char	  *norm; /* the words, one blank between them */
	int		   nnorm;
	TopicWord *words; /* in the order of the text */
	int		   nwords;
	TopicWord *others; /* second readings: "net" of ".net", "nodejs" of "node.js" */
	int		   nothers;
} TopicText;

extern void topic_read(const char *s, int n, bool typed, TopicText *out);
extern int	topic_char_offset(const TopicWord *w, int nc);
extern void topic_word_make(TopicWord *w, const pg_wchar *c, int nc);
extern int	topic_stem(const TopicWord *w, char *out);
extern int	topic_distance(const pg_wchar *a, int na, const pg_wchar *b, int nb, int most, bool open, int *upto);

#endif
