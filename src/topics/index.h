/*
 * index.h
 *		The keys in the word index of topics, and the questions that may be put to it.
 */
#ifndef TOPIC_INDEX_H
#define TOPIC_INDEX_H

#include "topics/text.h"

/* Bands of volume: 0 is volume 0, b is 4^(b-1) to 4^b - 1. */
#define TOPIC_BANDS 17
#define TOPIC_ALL_BANDS ((1u << TOPIC_BANDS) - 1)

/* The index looks at no more words of a text than this; the table is asked about the others. */
#define TOPIC_PROBE_WORDS 16

struct TopicProbe;

/* One key, or one range of keys, that the index is asked for. */
typedef struct TopicProbeKey
{
	bytea			  *key;	  /* without the band when "range" */
	bool			   range; /* every key that begins so */
	int				   word;  /* which word of the text it stands for */
	int				   cost;  /* how many typos that would be */
	uint32			   bands; /* only in these bands */
	struct TopicProbe *probe;
} TopicProbeKey;

/*
 * "rows" is how many rows have the key, dead ones too; where they are too many to lie
 * beside the key it is minus the block in which their own tree begins.
 *
 * A question.  With "see" it is about the keys alone: each key in the ranges is shown
 * to the callback, which says whether to go on with that range, and no row is found.
 */
typedef struct TopicProbe
{
	TopicProbeKey *keys;
	int			   nkeys;
	int			   nwords;
	int			   most; /* typos allowed, all words together */
	bool (*see)(struct TopicProbe *probe, TopicProbeKey *key, const char *word, int n, int band, int rows);
	void *arg;
} TopicProbe;

extern int topic_band(int32 volume);
/* in place of a band: the beginning of the keys of one word, or of all words that begin so */
#define TOPIC_ANY_BAND (-1)
#define TOPIC_ANY_WORD (-2)

/* families of keys */
#define TOPIC_FIRST '1'	 /* the first letter of a word */
#define TOPIC_PREFIX '3' /* its first three, or less if it has no more */
#define TOPIC_WORD 'w'
#define TOPIC_STEM 's' /* its stem, where that is another word */

extern bytea *topic_key(char family, const char *word, int n, int band);
extern char	  topic_open_family(int nc, bool *range);
extern bytea *topic_norm_key(const TopicText *t);

#endif
