/*
 * index.c
 *		What the two search indexes of global_topics are made of.
 *
 * Band: the power of four that a volume reaches.  A row's index entries change only
 * when its volume leaves the band; all other updates stay in the page (HOT).
 *
 * idx_global_topics_search_text: btree on (search_band, topic_search_text(topic)).
 *
 * idx_global_topics_search_words: GIN on topic_search_keys(topic, search_band), whose
 * keys are a family, a word and, behind \x01, the band as a letter:
 *	  w  a word
 *	  1  its first letter
 *	  3  its first three letters, or the word when it has less
 *	  s  its stem, where that is another word
 * The keys of one word lie side by side in the index, so that a look at the keys alone
 * tells in which bands it occurs, and a walk along them is a walk along the vocabulary.
 *
 * The operator class has no operators: no query of SQL is ever answered with it.  The
 * search hands it a TopicProbe.
 *
 * Invariant: the keys of a row follow from its topic and its band alone.
 */
#include "openinfo.h"

#include "access/gin.h"
#include "access/ginblock.h"
#include "access/itup.h"
#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "topics/index.h"

int
topic_band(int32 volume)
{
	return volume <= 0 ? 0 : 1 + pg_leftmost_one_pos32((uint32) volume) / 2;
}

/* A key of the word index, or the beginning of several. */
bytea *
topic_key(char family, const char *word, int n, int band)
{
	bytea *k = palloc(VARHDRSZ + n + 3);
	char  *p = VARDATA(k);

	p[0] = family;
	memcpy(p + 1, word, n);
	n++;
	if (band != TOPIC_ANY_WORD)
		p[n++] = '\001';
	if (band >= 0)
		p[n++] = 'A' + band;
	SET_VARSIZE(k, VARHDRSZ + n);
	return k;
}

/* Where to look for words that begin with so many letters: under one key, or in a range. */
char
topic_open_family(int nc, bool *range)
{
	*range = (nc != 1 && nc != TOPIC_PREFIX_CHARS);
	return nc == 1 ? TOPIC_FIRST : (nc <= TOPIC_PREFIX_CHARS ? TOPIC_PREFIX : TOPIC_WORD);
}

bytea *
topic_norm_key(const TopicText *t)
{
	int	   n = Min(t->nnorm, TOPIC_NORM_BYTES);
	bytea *k = palloc(VARHDRSZ + n);

	memcpy(VARDATA(k), t->norm, n);
	SET_VARSIZE(k, VARHDRSZ + n);
	return k;
}

PG_FUNCTION_INFO_V1(openinfo_topic_search_band);
/*
 * topic_search_band(volume int) returns smallint
 *
 * The band of a volume, 0 to 16.  IMMUTABLE; search_band of global_topics is made of it.
 */
Datum
openinfo_topic_search_band(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT16(topic_band(PG_GETARG_INT32(0)));
}

PG_FUNCTION_INFO_V1(openinfo_topic_search_text);
/*
 * topic_search_text(topic text) returns bytea
 *
 * The words of a topic, folded, one blank between them, in UTF-8 whatever the database's
 * encoding; the first 240 bytes.  IMMUTABLE.
 */
Datum
openinfo_topic_search_text(PG_FUNCTION_ARGS)
{
	text	 *topic = PG_GETARG_TEXT_PP(0);
	TopicText t;

	topic_read(VARDATA_ANY(topic), VARSIZE_ANY_EXHDR(topic), false, &t);
	PG_RETURN_BYTEA_P(topic_norm_key(&t));
}

static void
index_word_keys(const TopicWord *w, int band, Datum *keys, int *n)
{
	int	 nc = Min(w->nc, TOPIC_KEY_CHARS);
	int	 i;
	char stem[TOPIC_KEY_CHARS + 1];

	keys[(*n)++] = PointerGetDatum(topic_key(TOPIC_WORD, w->s, topic_char_offset(w, nc), band));
	keys[(*n)++] = PointerGetDatum(topic_key(TOPIC_FIRST, w->s, topic_char_offset(w, 1), band));
	keys[(*n)++] = PointerGetDatum(topic_key(TOPIC_PREFIX, w->s, topic_char_offset(w, Min(nc, TOPIC_PREFIX_CHARS)), band));
	i = topic_stem(w, stem);
	if (i > 0 && (i != w->n || memcmp(stem, w->s, i) != 0))
		keys[(*n)++] = PointerGetDatum(topic_key(TOPIC_STEM, stem, i, band));
}

PG_FUNCTION_INFO_V1(openinfo_topic_search_keys);
/*
 * topic_search_keys(topic text, band smallint) returns bytea[]
 *
 * The keys of a topic in the word index; see the head of this file.  IMMUTABLE.
 */
Datum
openinfo_topic_search_keys(PG_FUNCTION_ARGS)
{
	text	 *topic = PG_GETARG_TEXT_PP(0);
	int		  band = PG_GETARG_INT16(1);
	TopicText t;
	Datum	 *keys;
	int		  n = 0;
	int		  i;

	band = Max(0, Min(band, TOPIC_BANDS - 1));
	topic_read(VARDATA_ANY(topic), VARSIZE_ANY_EXHDR(topic), false, &t);
	keys = palloc(sizeof(Datum) * 4 * (t.nwords + t.nothers + 1));
	for (i = 0; i < t.nwords; i++)
		index_word_keys(&t.words[i], band, keys, &n);
	for (i = 0; i < t.nothers; i++)
		index_word_keys(&t.others[i], band, keys, &n);
	PG_RETURN_ARRAYTYPE_P(construct_array(keys, n, BYTEAOID, -1, false, TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(openinfo_topic_keys_extract);
/* topic_keys_extract(bytea[], internal, internal) returns internal: GIN support function 2 */
Datum
openinfo_topic_keys_extract(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P_COPY(0);
	int32	  *nkeys = (int32 *) PG_GETARG_POINTER(1);
	bool	 **null_flags = (bool **) PG_GETARG_POINTER(2);
	Datum	  *keys;

	deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &keys, null_flags, nkeys);
	PG_RETURN_POINTER(keys);
}

PG_FUNCTION_INFO_V1(openinfo_topic_keys_question);
/*
 * topic_keys_question(bytea[], internal, smallint, internal, internal, internal, internal) returns internal
 *
 * GIN support function 3.  The "bytea[]" is a pointer to a TopicProbe: the class has no
 * operator, so nothing but the search itself starts a scan.
 */
Datum
openinfo_topic_keys_question(PG_FUNCTION_ARGS)
{
	TopicProbe *probe = (TopicProbe *) PG_GETARG_POINTER(0);
	int32	   *nkeys = (int32 *) PG_GETARG_POINTER(1);
	bool	  **partial = (bool **) PG_GETARG_POINTER(3);
	Pointer	  **extra = (Pointer **) PG_GETARG_POINTER(4);
	Datum	   *keys = palloc(sizeof(Datum) * probe->nkeys);
	int			i;

	*nkeys = probe->nkeys;
	*partial = palloc(sizeof(bool) * probe->nkeys);
	*extra = palloc(sizeof(Pointer) * probe->nkeys);
	for (i = 0; i < probe->nkeys; i++)
	{
		keys[i] = PointerGetDatum(probe->keys[i].key);
		(*partial)[i] = probe->keys[i].range;
		(*extra)[i] = (Pointer) &probe->keys[i];
	}
	PG_RETURN_POINTER(keys);
}

/*
 * How many rows a key has, or where to ask.  The key that GIN shows lies in its index
 * tuple on the page, whose header is right before it; this serves the plan of a search
 * only, so a wrong number costs time and nothing else.
 */
static int
index_key_rows(const bytea *key)
{
	IndexTuple tuple = (IndexTuple) ((const char *) key - MAXALIGN(sizeof(IndexTupleData)));

	return GinIsPostingTree(tuple) ? -(int) GinGetPostingTree(tuple) : (int) GinGetNPosting(tuple);
}

PG_FUNCTION_INFO_V1(openinfo_topic_keys_in_range);
/*
 * topic_keys_in_range(bytea, bytea, smallint, internal) returns int
 *
 * GIN support function 5: 0 when the key is wanted, 1 at the end of the range, -1 to
 * leave the key out and go on.
 */
Datum
openinfo_topic_keys_in_range(PG_FUNCTION_ARGS)
{
	bytea		  *from = (bytea *) PG_GETARG_POINTER(0);
	bytea		  *at = (bytea *) PG_GETARG_POINTER(1);
	TopicProbeKey *key = (TopicProbeKey *) PG_GETARG_POINTER(3);
	int			   nfrom = VARSIZE_ANY_EXHDR(from);
	int			   nat = VARSIZE_ANY_EXHDR(at);
	const char	  *p = VARDATA_ANY(at);
	int			   band;

	if (nat < nfrom || memcmp(VARDATA_ANY(from), p, nfrom) != 0)
		PG_RETURN_INT32(1);
	band = p[nat - 1] - 'A';
	if (key->probe->see)
		PG_RETURN_INT32(key->probe->see(key->probe, key, p + 1, nat - 3, band, index_key_rows(at)) ? -1 : 1);
	PG_RETURN_INT32((key->bands & (1u << band)) ? 0 : -1);
}

PG_FUNCTION_INFO_V1(openinfo_topic_keys_answer);
/*
 * topic_keys_answer(internal, smallint, bytea[], integer, internal, internal, internal) returns "char"
 *
 * GIN support function 6: a row answers when each word of the text is in it, with no
 * more typos together than are allowed.
 */
Datum
openinfo_topic_keys_answer(PG_FUNCTION_ARGS)
{
	GinTernaryValue *check = (GinTernaryValue *) PG_GETARG_POINTER(0);
	TopicProbe		*probe = (TopicProbe *) PG_GETARG_POINTER(2);
	int				 nkeys = PG_GETARG_INT32(3);
	TopicProbeKey  **extra = (TopicProbeKey **) PG_GETARG_POINTER(4);
	int				 sure[TOPIC_PROBE_WORDS];
	int				 hoped[TOPIC_PROBE_WORDS];
	int				 sum_sure = 0;
	int				 sum_hoped = 0;
	int				 i;

	if (probe->see)
		PG_RETURN_GIN_TERNARY_VALUE(GIN_FALSE);
	for (i = 0; i < probe->nwords; i++)
		sure[i] = hoped[i] = 1000;
	for (i = 0; i < nkeys; i++)
	{
		TopicProbeKey *k = extra[i];

		if (check[i] == GIN_FALSE)
			continue;
		if (k->cost < hoped[k->word])
			hoped[k->word] = k->cost;
		if (check[i] == GIN_TRUE && k->cost < sure[k->word])
			sure[k->word] = k->cost;
	}
	for (i = 0; i < probe->nwords; i++)
	{
		sum_sure += sure[i];
		sum_hoped += hoped[i];
	}
	if (sum_sure <= probe->most)
		PG_RETURN_GIN_TERNARY_VALUE(GIN_TRUE);
	PG_RETURN_GIN_TERNARY_VALUE(sum_hoped <= probe->most ? GIN_MAYBE : GIN_FALSE);
}
