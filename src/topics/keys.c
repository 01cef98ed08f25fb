/*
 * keys.c
 *		What the search indexes consist of.
 *
 * idx_global_topics_search is a GIN index on topic_search_keys(topic, search_bucket), idx_leads_search one on
 * the keys that src/leads/lead_words.c makes.  A key is
 *
 *		scope | family | word | \x01 | bucket
 *
 * The scope is empty for topics, which all workspaces share; leads have the id of their workspace there, so
 * that its keys lie together.  The family says what the word is (KeyKind) and where in the topic it
 * stands.  The bucket is a byte, the greatest volume first, so that the keys of a word lie side by side, best
 * bucket first: to walk along them is to walk along the volumes, and a text needs only the first of them.
 * Three kinds have no bucket: the hash for topics that equal the text, and the vocabulary in two orders, for
 * typos.
 *
 * A lead has fewer keys, so that inserting costs less: each word; the first word of its name once more, and
 * the first letter of that; and the hash.  Its bucket is always 0.
 *
 * search_bucket is kept by the trigger set_search_bucket.  It stays while the volume is within a margin of
 * its bucket, so that the changes of a week leave most rows' index entries alone (HOT).
 *
 * The operator class has no operators: no query of SQL is ever answered with it.  The search hands it a
 * KeyScan.
 *
 * Invariant: the keys of a row follow from its topic and its bucket alone, and no volume is above
 * bucket_max().
 */
#include "openinfo.h"

#include <math.h>

#include "access/gin.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/instrument.h"
#include "executor/spi.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "core/errors.h"
#include "topics/keys.h"

/* Buffers that this backend has accessed so far. */
int64
buffers_accessed(void)
{
	return pgBufferUsage.shared_blks_hit + pgBufferUsage.shared_blks_read;
}

static int
bucket_of(int32 volume)
{
	return volume <= 0 ? 0 : 1 + pg_leftmost_one_pos64((uint64) volume * (uint64) volume);
}

/* The greatest volume that a row of the bucket may have. */
int64
bucket_max(int bucket)
{
	return bucket == 0 ? 0 : (int64) (BUCKET_MARGIN * sqrt(ldexp(1.0, bucket)));
}

static bool
bucket_fits(int bucket, int32 volume)
{
	if (bucket <= 0 || bucket >= BUCKETS || volume <= 0)
		return bucket == 0 && volume <= 0;
	return volume <= bucket_max(bucket) && volume * BUCKET_MARGIN >= sqrt(ldexp(1.0, bucket - 1));
}

static inline char
key_family(KeyKind kind, int place)
{
	return 'A' + kind * (BEGINS_WORDS + 1) + place;
}

/* A key, or the beginning of several. */
bytea *
key_make(KeyScope scope, KeyKind kind, int place, const char *s, int n, KeyEnd end, int bucket)
{
	bytea *k = palloc(VARHDRSZ + scope.n + n + 3);
	char  *p = VARDATA(k) + scope.n;

	if (scope.n > 0)
		memcpy(VARDATA(k), scope.s, scope.n);
	*p++ = key_family(kind, place);
	memcpy(p, s, n);
	p += n;
	if (kind <= KEY_BUCKETED && end != KEY_ANY_WORD)
		*p++ = '\001';
	if (kind <= KEY_BUCKETED && end == KEY_COMPLETE)
		*p++ = (char) (255 - bucket);
	SET_VARSIZE(k, p - (char *) k);
	return k;
}

bytea *
key_copy(const char *key, int n)
{
	bytea *k = palloc(VARHDRSZ + n);

	memcpy(VARDATA(k), key, n);
	SET_VARSIZE(k, VARHDRSZ + n);
	return k;
}

/* The key of a word's tail, and its head behind; without "whole" the beginning of several. */
bytea *
key_make_tail(KeyScope scope, const pg_wchar *c, int nc, const pg_wchar *head, int nhead, bool whole)
{
	TextWord tail;
	TextWord first;
	char	*s;
	int		 n;

	textword_init(&tail, c, nc);
	textword_init(&first, head, nhead);
	s = palloc(tail.n + first.n + 1);
	memcpy(s, tail.s, tail.n);
	n = tail.n;
	if (whole)
	{
		s[n++] = 0;
		memcpy(s + n, first.s, first.n);
		n += first.n;
	}
	return key_make(scope, KEY_TAIL, 0, s, n, KEY_COMPLETE, 0);
}

/* The bucket of a key without its scope; 0 when its kind has none. */
int
key_bucket(const char *key, int n)
{
	return key[0] < key_family(KEY_BUCKETED + 1, 0) ? 255 - (unsigned char) key[n - 1] : 0;
}

/* The word of a key, without its scope, of a word or of the vocabulary, in either order. */
int
key_word(const char *key, int n, char *word)
{
	const char *p = key + 1;
	const char *zero;

	n -= key[0] == key_family(KEY_WORD, 0) ? 1 + KEY_END_BYTES : 1;
	zero = key[0] == key_family(KEY_TAIL, 0) ? memchr(p, 0, n) : NULL;
	if (zero)
	{
		int tail = zero - p;

		memcpy(word, zero + 1, n - tail - 1);
		memcpy(word + n - tail - 1, p, tail);
		return n - 1;
	}
	memcpy(word, p, n);
	return n;
}

static void
keys_add_key(KeyList *list, bytea *key)
{
	if (list->n == list->capacity)
	{
		list->capacity = Max(32, list->capacity * 2);
		list->keys = list->keys ? repalloc(list->keys, sizeof(Datum) * list->capacity)
								: palloc(sizeof(Datum) * list->capacity);
	}
	list->keys[list->n++] = PointerGetDatum(key);
}

void
keys_add(KeyList *list, KeyKind kind, int place, const char *s, int n)
{
	bytea *key = key_make(list->scope, kind, place, s, n, KEY_COMPLETE, list->bucket);

	keys_add_key(list, key);
}

/* The keys of a word in one place. */
static void
keys_of_place(KeyList *list, const TextWord *w, int place)
{
	keys_add(list, KEY_WORD, place, w->s, textword_bytes(w, WORD_KEY_CHARS));
	keys_add(list, KEY_LETTER, place, w->s, textword_bytes(w, 1));
	keys_add(list, KEY_PREFIX, place, w->s, textword_bytes(w, PREFIX_CHARS));
}

/* The keys of a word wherever it stands. */
static void
keys_of_word(KeyList *list, const TextWord *w)
{
	char stem[WORD_KEY_CHARS + 1];
	int	 nc = Min(w->nc, WORD_KEY_CHARS);
	int	 n;

	keys_of_place(list, w, 0);
	if (w->inner)
		return;
	n = textword_stem(w, stem);
	if (n > 0 && (n != w->n || memcmp(stem, w->s, n) != 0))
		keys_add(list, KEY_STEM, 0, stem, n);
	keys_add(list, KEY_VOCABULARY, 0, w->s, textword_bytes(w, nc));
	if (nc >= PREFIX_CHARS)
		keys_add_key(list, key_make_tail(list->scope, w->c + PREFIX_CHARS, nc - PREFIX_CHARS,
										 w->c, PREFIX_CHARS, true));
}

Datum
keys_array(KeyList *list)
{
	return PointerGetDatum(construct_array(list->keys, list->n, BYTEAOID, -1, false, TYPALIGN_INT));
}

/*
 * topic_search_keys(topic text, bucket smallint) returns bytea[]
 *
 * The keys of a topic in the search index; see the head of this file.  IMMUTABLE.
 * Callers: the index, as the role that writes topics.  Errors: 42704 the dictionary porter_stem is missing.
 */
PG_FUNCTION_INFO_V1(openinfo_topic_search_keys);
Datum
openinfo_topic_search_keys(PG_FUNCTION_ARGS)
{
	text	 *topic = PG_GETARG_TEXT_PP(0);
	KeyList	  list = {.bucket = Max(0, Min(PG_GETARG_INT16(1), BUCKETS - 1))};
	TextWords t;
	uint64	  hash;

	textwords_read(VARDATA_ANY(topic), VARSIZE_ANY_EXHDR(topic), false, &t);
	hash = textwords_hash(&t);
	keys_add(&list, KEY_EQUAL, 0, (char *) &hash, sizeof(hash));
	for (int i = 0; i < t.nwords; i++)
		keys_of_word(&list, &t.words[i]);
	for (int i = 0; i < t.nothers; i++)
		keys_of_word(&list, &t.others[i]);
	for (int i = 0; i < t.nwords && i < BEGINS_WORDS; i++)
		keys_of_place(&list, &t.words[i], i + 1);
	PG_RETURN_DATUM(keys_array(&list));
}

/*
 * set_search_bucket() returns trigger: BEFORE INSERT OR UPDATE FOR EACH ROW on a table with current_volume
 *
 * Keeps search_bucket where the volume is within its margin, and computes it anew otherwise, whatever was
 * written there.
 */
PG_FUNCTION_INFO_V1(openinfo_set_search_bucket);
Datum
openinfo_set_search_bucket(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const char	*names[2] = {"current_volume", "search_bucket"};
	int			 attnums[2];
	Datum		 values[2];
	bool		 nulls[2];
	HeapTuple	 row;
	TupleDesc	 desc;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		error_not_trigger("set_search_bucket");
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	desc = RelationGetDescr(trigger->tg_relation);
	for (int i = 0; i < 2; i++)
	{
		attnums[i] = SPI_fnumber(desc, names[i]);
		if (attnums[i] <= 0)
			error_missing_column(RelationGetRelationName(trigger->tg_relation), names[i]);
		values[i] = heap_getattr(row, attnums[i], desc, &nulls[i]);
	}
	/* NULL is refused by the table */
	if (nulls[0] || (!nulls[1] && bucket_fits(DatumGetInt16(values[1]), DatumGetInt32(values[0]))))
		return PointerGetDatum(row);
	values[1] = Int16GetDatum(bucket_of(DatumGetInt32(values[0])));
	nulls[1] = false;
	return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, 1, &attnums[1], &values[1], &nulls[1]));
}

/* topic_keys_extract(bytea[], internal, internal) returns internal: GIN support function 2 */
PG_FUNCTION_INFO_V1(openinfo_topic_keys_extract);
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

/*
 * topic_keys_scan(bytea[], internal, smallint, internal, internal, internal, internal) returns internal
 *
 * GIN support function 3.  The "bytea[]" is a pointer to a KeyScan: the class has no operator, so nothing but
 * the search itself starts a scan.
 */
PG_FUNCTION_INFO_V1(openinfo_topic_keys_scan);
Datum
openinfo_topic_keys_scan(PG_FUNCTION_ARGS)
{
	KeyScan	 *scan = (KeyScan *) PG_GETARG_POINTER(0);
	int32	 *nkeys = (int32 *) PG_GETARG_POINTER(1);
	bool	**partial = (bool **) PG_GETARG_POINTER(3);
	Pointer **extra = (Pointer **) PG_GETARG_POINTER(4);
	Datum	 *keys = palloc(sizeof(Datum));

	*nkeys = 1;
	*partial = palloc(sizeof(bool));
	*extra = palloc(sizeof(Pointer));
	(*partial)[0] = scan->look != NULL;
	(*extra)[0] = (Pointer) scan;
	keys[0] = PointerGetDatum(scan->from);
	PG_RETURN_POINTER(keys);
}

/*
 * topic_keys_in_range(bytea, bytea, smallint, internal) returns int
 *
 * GIN support function 5: 1 at the end of the range, -1 to leave the key out and go on.
 */
PG_FUNCTION_INFO_V1(openinfo_topic_keys_in_range);
Datum
openinfo_topic_keys_in_range(PG_FUNCTION_ARGS)
{
	bytea	*from = (bytea *) PG_GETARG_POINTER(0);
	bytea	*at = (bytea *) PG_GETARG_POINTER(1);
	KeyScan *scan = (KeyScan *) PG_GETARG_POINTER(3);
	int		 n = VARSIZE_ANY_EXHDR(at);

	if (n < scan->nprefix || memcmp(VARDATA_ANY(from), VARDATA_ANY(at), scan->nprefix) != 0)
		PG_RETURN_INT32(1);
	PG_RETURN_INT32(scan->look(scan->arg, VARDATA_ANY(at), n) ? -1 : 1);
}

/*
 * topic_keys_answer(internal, smallint, bytea[], integer, internal, internal, internal) returns "char"
 *
 * GIN support function 6: a row answers when it has the key.
 */
PG_FUNCTION_INFO_V1(openinfo_topic_keys_answer);
Datum
openinfo_topic_keys_answer(PG_FUNCTION_ARGS)
{
	const GinTernaryValue *check = (GinTernaryValue *) PG_GETARG_POINTER(0);

	PG_RETURN_GIN_TERNARY_VALUE(check[0]);
}
