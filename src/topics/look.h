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

/* id, topic, category, current_volume, trend_direction */
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
	const char *topic;
	int			ntopic;
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

typedef struct TopicSearch
{
	Relation			 table;
	bool				 sees_all; /* no policy hides a row from the caller */
	Relation			 index;
	Snapshot			 snapshot;
	TupleTableSlot		*slot;
	IndexFetchTableData *fetch;
	IndexScanDesc		 scan;
	Pages				*pages; /* NULL: only the access method may read the index */
	AttrNumber			 attno[SEARCH_COLUMNS];
	const char			*text; /* as it was typed */
	int					 ntext;
	SearchQuery			 query;
	int					 limit;
	HitList				 equal; /* topics that equal the text, but for blanks */
	HitList				 other;
	uint64				*rows; /* that have been read: a hash table */
	int					 nrows;
	int					 capacity;
	bool				 again;	  /* rows that are hits may be read again */
	int64				 stop_at; /* the search ends when so many buffers have been accessed */
} TopicSearch;

extern bool search_exhausted(const TopicSearch *s);
extern void search_leave_pages(TopicSearch *s);
extern bool search_accepts(const TopicSearch *s, MatchTier tier, int64 weight);
extern bool search_has(const TopicSearch *s, MatchTier tier);
extern void search_add(TopicSearch *s, const Match *m, const TextWords *t, Datum *values, bool *nulls);
extern void search_finish(TopicSearch *s);
extern void search_forget_rows(TopicSearch *s);
extern void look_at_keys(TopicSearch *s, const bytea *from, PostingVisitor visit, void *arg);
extern void look_up(TopicSearch *s, Posting *posting, const RowSet *only, RowSet *out);
extern void look_at_rows(TopicSearch *s, const SearchQuery *q, const RowSet *rows, MatchTier floor,
						 int max_typos);

#endif
