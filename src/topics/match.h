/*
 * match.h
 *		What satisfies a text that was typed: the rule of the search for one topic.
 */
#ifndef OPENINFO_MATCH_H
#define OPENINFO_MATCH_H

#include "topics/text.h"

/* A topic that begins with the text counts as many times its volume. */
#define MATCH_BEGINS 16

/* Words of more letters than this are not corrected, nor texts of more words. */
#define TYPO_MAX_CHARS 28
#define TYPO_MAX_WORDS 8
/* No more typos than this in a whole text. */
#define TYPO_MAX 4
/* The first letters: what is right there, or wrong only once, decides where the index is looked at. */
#define TYPO_HEAD 3

/* Why a topic was found; the greater comes first. */
typedef enum MatchTier
{
	MATCH_NONE,
	MATCH_TYPO,
	MATCH_SPACING,
	MATCH_STEM,
	MATCH_WORDS,
	MATCH_EQUAL
} MatchTier;

/* A text that was typed, as words without repetitions; the last one may be unfinished. */
typedef struct SearchQuery
{
	TextWords typed;
	TextWord *words;
	int		  nwords;
	uint64	  hash; /* textwords_hash() of what was typed */
} SearchQuery;

/* How well a topic satisfies a text. */
typedef struct Match
{
	MatchTier tier;
	int		  typos;
	int64	  weight; /* the volume, sixteen times that where the topic begins with the text */
} Match;

extern void query_init(SearchQuery *q, const TextWord *words, int n);
extern bool query_word_open(const SearchQuery *q, int i);
extern bool match_topic(const SearchQuery *q, const TextWords *t, MatchTier floor, int max_typos,
						int64 volume, Match *m);
extern int	typos_allowed(const TextWord *q);
extern int	typos_between(const TextWord *q, const TextWord *w, bool open, int max, int *upto);

#endif
