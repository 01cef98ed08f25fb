/*
 * match.h
 *		What satisfies a text that was typed: the rule of the search for one topic.
 */
#ifndef OPENINFO_MATCH_H
#define OPENINFO_MATCH_H

#include "topics/text.h"

/* A topic that begins with the text counts so many times its volume. */
#define MATCH_BEGINS_WEIGHT 16

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
	MATCH_BEGINS, /* only where rows have no volume that could count more times */
	MATCH_EQUAL
} MatchTier;

/* A text that was typed, as words without repetitions; the last one may be unfinished. */
typedef struct SearchQuery
{
	TextWords typed;
	TextWord *words;
	int		  nwords;
	bool	  stems; /* a stem satisfies, too */
	uint64	  hash;	 /* textwords_hash() of what was typed */
} SearchQuery;

/* How well a topic satisfies a text. */
typedef struct Match
{
	MatchTier tier;
	int		  typos;
	bool	  begins; /* begins with the text as it was typed, or equals it */
	int64	  weight; /* orders those of one tier: the volume or its multiple, or the time */
} Match;

extern void query_init(SearchQuery *q, const TextWord *words, int n);
extern bool query_word_open(const SearchQuery *q, int i);
extern bool match_text(const SearchQuery *q, const TextWords *t, MatchTier floor, int max_typos, Match *m);
extern int	typos_allowed(const TextWord *q);
extern int	typos_between(const TextWord *q, const TextWord *w, bool open, int max, int *upto);

#endif
