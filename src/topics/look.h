/*
 * look.h
 *		A search and what it has found: scans of the index, rows of the table, the best so far.
 */
#ifndef OPENINFO_LOOK_H
#define OPENINFO_LOOK_H

#include "access/genam.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/snapshot.h"
#include "utils/uuid.h"

#include "topics/keys.h"
#include "topics/match.h"
#include "topics/pages.h"
#include "topics/pending.h"

/* Columns of the answer that are columns of the table: so many at most. */
#define SEARCH_COLUMNS 5

/* A search ends after so many buffers, and so many more for each row above 20, with the best so far. */
#define SEARCH_BUFFERS 1500
#define SEARCH_BUFFERS_PER_ROW 3

typedef struct Hit
{
	Match		match;
	bool		same_words; /* as the text, with the same blanks */
	int			spelled;	/* 2 letter by letter as the text, 1 but for case, 0 otherwise */
	pg_uuid_t	id;
	const char *text; /* orders those that are equal otherwise; may be empty */
	int			ntext;
	Datum		values[SEARCH_COLUMNS];
	bool		nulls[SEARCH_COLUMNS];
} Hit;

/* Hits in order, at most as many as its capacity. */
typedef struct HitList
{
	Hit **hits;
	int	  n;
	int	  capacity;
} HitList;

typedef struct Search Search;

/* What is searched: how the rows of a table are read. */
typedef struct SearchSource
{
	int				   ncolumns;
	const char *const *columns; /* the first is the id */
	bool			   volumes; /* all keys of keys.c, by volume; without it fewer, see there */
	/* the words of the row in the slot, its weight, and what it is ordered by; false: not to be found */
	bool (*read)(Search *s, TextWords *words, int64 *weight, Hit *hit);
	/*
	 * reads rows in an order of its own, with look_at_row(), no more than "most"; none of them is better than
	 * the tier.  False when those that it has left out may be wanted
	 */
	bool (*look)(Search *s, const SearchQuery *q, const RowSet *rows, MatchTier tier, MatchTier floor,
				 int max_typos, int most);
} SearchSource;

struct Search
{
	const SearchSource	*source;
	KeyScope			 scope;
	Relation			 table;
	bool				 sees_all; /* no policy hides a row from the caller */
	Relation			 index;
	Snapshot			 snapshot;
	TupleTableSlot		*slot;
	IndexFetchTableData *fetch;
	MemoryContext		 row; /* for the words of one row */
	IndexScanDesc		 scan;
	Pages				*pages;	  /* NULL: only the access method may read the index */
	Pending				*pending; /* what its pending list has; NULL: nothing */
	AttrNumber			 attno[SEARCH_COLUMNS];
	const char			*text; /* as it was typed */
	int					 ntext;
	SearchQuery			 query;
	int					 limit;
	HitList				 equal; /* topics that equal the text, but for blanks */
	HitList				 other;
	const Hit			*after; /* only what comes behind it is wanted */
	MatchTier			 best;	/* of what was found apart from those that are equal, wanted or not */
	uint64				*rows;	/* that have been read: a hash table */
	int					 nrows;
	int					 capacity;
	bool				 again;	  /* rows that are hits may be read again */
	int64				 stop_at; /* the search ends when so many buffers have been accessed */
};

extern int		search_budget(int limit);
extern void		search_read(Search *s, const text *typed);
extern void		search_begin(Search *s, int budget, bool pending);
extern void		search_end(Search *s, const char *name, int budget);
extern Relation search_open_index(Relation table, Oid index);
extern bool		search_judge_variants(const Search *s, List *variants, const TextWords *t, int64 weight,
									  Match *m);
extern bool		search_judge(const Search *s, const SearchQuery *q, const TextWords *t, int64 weight,
							 MatchTier floor, int max_typos, Match *m);
extern bool		search_exhausted(const Search *s);
extern bool		search_accepts(const Search *s, MatchTier tier, int64 weight);
extern bool		search_has(const Search *s, MatchTier tier);
extern void		search_add(Search *s, Hit *hit, const TextWords *t);
extern void		search_finish(Search *s);
extern void		search_forget_rows(Search *s);
extern void		look_from_key(Search *s, const bytea *from, int nprefix, PostingVisitor visit, void *arg);
extern void		look_at_keys(Search *s, const bytea *from, PostingVisitor visit, void *arg);
extern void		look_up(Search *s, Posting *posting, const RowSet *only, RowSet *out);
extern void		look_at_row(Search *s, const SearchQuery *q, uint64 row, MatchTier floor, int max_typos);
extern bool		look_at_rows(Search *s, const SearchQuery *q, const RowSet *rows, MatchTier tier,
							 MatchTier floor, int max_typos, int most);

#endif
