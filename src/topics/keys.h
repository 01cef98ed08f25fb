/*
 * keys.h
 *		The keys of the search index, and the scans that may be put to it.
 */
#ifndef OPENINFO_KEYS_H
#define OPENINFO_KEYS_H

#include "topics/text.h"

/*
 * Volume bucket: 0 is volume 0, b is half an octave, from the square root of 2^(b-1) to that of 2^b.  A
 * bucket is kept while the volume is within the factor BUCKET_MARGIN of its ends.
 */
#define BUCKETS 63
#define ALL_BUCKETS ((UINT64CONST(1) << BUCKETS) - 1)
#define BUCKET_MARGIN 1.2
/* Sixteen times the volume is so many buckets up. */
#define BUCKETS_OF_BEGINS 8

/* The keys of a word begin with its first letter, its first three, or the whole word. */
#define PREFIX_CHARS 3
/* Behind the word of a complete key that has a bucket. */
#define KEY_END_BYTES 2
/* The first words of a topic have keys of their own, for texts that a topic begins with. */
#define BEGINS_WORDS 3

/* What a key says; the family of a key is its kind and the place of the word in the topic, 0 is any place. */
typedef enum KeyKind
{
	KEY_WORD,
	KEY_LETTER,				 /* the first letter of a word */
	KEY_PREFIX,				 /* its first three, or the word when it has less */
	KEY_STEM,				 /* its stem, where that is another word */
	KEY_BUCKETED = KEY_STEM, /* kinds up to here carry the bucket, the greatest volume first */
	KEY_EQUAL,				 /* textwords_hash() */
	KEY_VOCABULARY,			 /* a word, whatever its volume */
	KEY_TAIL				 /* its letters from the fourth on, a 0, its first three */
} KeyKind;

/* What all keys of one set of rows begin with: nothing for topics, the workspace for leads. */
typedef struct KeyScope
{
	int			n;
	const char *s;
} KeyScope;

/* Keys of a row that are being put together. */
typedef struct KeyList
{
	KeyScope scope;
	Datum	*keys;
	int		 n;
	int		 capacity;
	int		 bucket;
} KeyList;

/* How a key ends. */
typedef enum KeyEnd
{
	KEY_ANY_WORD, /* the beginning of the keys of all words that begin so */
	KEY_ONE_WORD, /* the beginning of the keys of one word */
	KEY_COMPLETE  /* one word in one bucket, or a kind without buckets */
} KeyEnd;

/*
 * One question to the index, through its access method: with "look" each key from "from" on that has its
 * first "nprefix" bytes is shown to that function, which says whether to go on, and no row is found; without
 * it, the rows of the one key.
 */
typedef struct KeyScan
{
	const bytea *from;
	int			 nprefix;
	bool (*look)(void *arg, const char *key, int n);
	void *arg;
} KeyScan;

extern int64  buffers_accessed(void);
extern int64  bucket_max(int bucket);
extern bytea *key_make(KeyScope scope, KeyKind kind, int place, const char *s, int n, KeyEnd end, int bucket);
extern bytea *key_copy(const char *key, int n);
extern bytea *key_make_tail(KeyScope scope, const pg_wchar *c, int nc, const pg_wchar *head, int nhead,
							bool whole);
extern int	  key_bucket(const char *key, int n);
extern int	  key_word(const char *key, int n, char *word);
extern void	  keys_add(KeyList *list, KeyKind kind, int place, const char *s, int n);
extern Datum  keys_array(KeyList *list);

#endif
