/*
 * search.h
 *		The search for topics: what its rooms share.
 */
#ifndef TOPICS_H
#define TOPICS_H

#include "access/genam.h"
#include "access/relscan.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/snapshot.h"
#include "utils/uuid.h"

#include "topics/index.h"

/* id, topic, category, current_volume, trend_direction */
#define SEARCH_COLUMNS 5

/* So many times its volume counts a topic that begins with the text: two bands up. */
#define TOPIC_BEGINS 16

/* Words of more letters than this are not corrected, nor texts of more words. */
#define TOPIC_TYPO_CHARS 28
#define TOPIC_TYPO_WORDS 8
/* No more typos than this in a whole text. */
#define TOPIC_TYPO_MOST 4

/* Why a topic was found; the greater comes first. */
typedef enum TopicTier
{
	TIER_NONE,
	TIER_TYPO,
	TIER_SPACING,
	TIER_STEM,
	TIER_WORDS,
	TIER_EQUAL
} TopicTier;

/* A text that was typed, as words without repetitions; the last one may go on. */
typedef struct TopicQuery
{
	const char *norm;
	int			nnorm;
	TopicWord  *words;
	int			nwords;
} TopicQuery;

/* One way to satisfy a word of the text. */
typedef struct TopicAlt
{
	char		family; /* 'w', 's', '1' to '3' */
	bool		range;	/* any word that begins so */
	int			cost;
	uint32		bands; /* where it occurs, or may occur */
	const char *s;
	int			n;
} TopicAlt;

/* Trees of row numbers that are looked at to tell how frequent a word is. */
#define TOPIC_TREES 64

/* All ways to satisfy it. */
typedef struct TopicWant
{
	TopicAlt   *alts;
	int			n;
	int			room;
	uint32		bands;
	int64		rows[TOPIC_BANDS]; /* at most about so many rows satisfy it, by band; */
	int			ntrees;			   /* without what is in these trees */
	int			tree_band[TOPIC_TREES];
	BlockNumber tree[TOPIC_TREES];
} TopicWant;

typedef struct TopicFound
{
	TopicTier		tier;
	int				cost;
	int64			weight; /* the volume, sixteen times it where the topic begins with the text */
	ItemPointerData tid;
	Datum			topic;
	int				ntopic;
	const char	   *ptopic;
	pg_uuid_t		id;
	Datum			values[SEARCH_COLUMNS];
	bool			nulls[SEARCH_COLUMNS];
} TopicFound;

typedef struct TopicSearch
{
	Relation			 table;
	bool				 sees_all; /* no policy hides a row from the caller */
	Relation			 text_index;
	Relation			 word_index;
	Snapshot			 snapshot;
	TupleTableSlot		*slot;
	IndexFetchTableData *fetch;
	IndexScanDesc		 text_scan;
	IndexScanDesc		 equal_scan;
	IndexScanDesc		 word_scan;
	AttrNumber			 attno[SEARCH_COLUMNS];
	TopicQuery			 query;
	TopicFound		   **found; /* the best so far, in order */
	int					 nfound;
	int					 limit;
} TopicSearch;

/* The greatest volume of a band. */
static inline int64
topic_band_most(int band)
{
	return band == 0 ? 0 : (INT64CONST(1) << (2 * band)) - 1;
}

/* topic_match.c */
extern void		 topic_query_make(TopicQuery *q, const TopicWord *words, int n);
extern TopicTier topic_match(const TopicQuery *q, const TopicText *t, TopicTier floor, int most, int *cost);
extern bool		 topic_begins(const TopicText *t, const TopicQuery *q);
extern bool		 topic_found_room(const TopicSearch *s, TopicTier tier, int64 weight);
extern bool		 topic_found_has(const TopicSearch *s, ItemPointer tid);
extern void		 topic_found_add(TopicSearch *s, TopicTier tier, int cost, int64 weight, ItemPointer tid, Datum *values, bool *nulls);

/* topic_wants.c */
extern void topic_want_add(TopicWant *w, char family, bool range, const char *p, int n, int cost, int band, int rows);
extern void topic_want_merge(TopicWant *w, const TopicWant *more, int cost);
extern void topic_want_count(TopicSearch *s, TopicWant *w);
extern void topic_want_words(TopicSearch *s, const TopicQuery *q, TopicWant *wants, TopicWant *stems);
extern void topic_want_word(TopicSearch *s, TopicWant *w, const TopicWord *word, bool open);

/* topic_rows.c */
extern void topic_look(TopicSearch *s, TopicProbe *probe);
extern void topic_collect_begins(TopicSearch *s, int band, bool equal);
extern void topic_collect_group(TopicSearch *s, const TopicQuery *q, TopicWant *wants, const int *which, int nwhich, uint32 group, TopicTier tier, int most, bool recheck);
extern void topic_collect(TopicSearch *s, const TopicQuery *q, TopicWant *wants, TopicTier tier, int most);

/* topic_typos.c */
extern int	 topic_typos(const TopicWord *q, const TopicWord *w, bool open, int most);
extern int	 topic_typos_allowed(const TopicWord *q);
extern void	 topic_search_spacing(TopicSearch *s);
extern void	 topic_search_typos(TopicSearch *s);
extern List *topic_spacings(const TopicQuery *q);

#endif
