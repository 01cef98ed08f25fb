/*
 * vocabulary.h
 *		The words that the index has.
 */
#ifndef OPENINFO_VOCABULARY_H
#define OPENINFO_VOCABULARY_H

#include "topics/walk.h"

typedef struct NearWord
{
	char *s;
	int	  n;
	int	  typos;
} NearWord;

/* The words that a typed word may have been meant to be. */
typedef struct NearWords
{
	const TextWord *typed;
	bool			open;
	int				max;   /* typos, 0 as long as nothing is known */
	int				whole; /* bytes of the key that is looked for, when longer ones are not wanted */
	NearWord	   *words;
	int				n;
	int				capacity;
	Term		   *terms[3]; /* what has a word with so many typos, 0 to 2 */
} NearWords;

extern bool	 vocabulary_has(Search *s, const TextWord *w, bool open);
extern void	 near_find(Search *s, NearWords *near, int max);
extern Term *near_term(Search *s, NearWords *near, int typos);

#endif
