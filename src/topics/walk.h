/*
 * walk.h
 *		The walk along the volume buckets, from the top.
 */
#ifndef OPENINFO_WALK_H
#define OPENINFO_WALK_H

#include "topics/look.h"

/* More words than this are not asked for: the rows are judged by the others. */
#define WALK_WORDS 16

/* The keys that satisfy a word in one bucket. */
typedef struct Bucket
{
	Posting **postings;
	int		  n;
	int		  capacity;
	double	  rows; /* about */
} Bucket;

/* All keys that satisfy one word of the text. */
typedef struct Term
{
	Bucket		 buckets[BUCKETS];
	int			 nkeys;
	int			 most; /* so many are looked at before it is known that they are needed; 0 is no limit */
	bool		 wide; /* there are more */
	const bytea *from; /* what they begin with */
} Term;

/* Rows that satisfy all words are walked, and before them those that satisfy all of a beginning. */
typedef struct Walk
{
	Search			  *s;
	const SearchQuery *q;
	MatchTier		   tier; /* the best that it can give */
	int				   max_typos;
	Term			  *words[WALK_WORDS];
	int				   nwords;
	Term			  *begins[WALK_WORDS];
	int				   nbegins;
} Walk;

extern Term *term_of_word(Search *s, const TextWord *w, bool open, int place);
extern Term *term_complete(Search *s, Term *term);
extern void	 term_add(Term *term, const Term *more);
extern void	 term_finish(Term *term);
extern void	 walk(Walk *w);
extern void	 walk_words(Walk *w);

#endif
