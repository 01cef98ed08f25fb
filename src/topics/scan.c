/*
 * scan.c
 *		Rows for search_topics() through the two indexes, band by band.
 *
 *	probe	one question to the word index (topic_index.c)
 *	look	a probe that walks along keys and touches no row
 *	want	all ways in which one word of the text can be satisfied, with how many rows each band has for it
 *
 * Bands are walked from the top, until nothing in the ones below could come before what is there already.
 *
 * Invariant: a row is read with the snapshot of the caller's statement; an index entry alone never makes a result.
 */
#include "openinfo.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "miscadmin.h"
#include "nodes/tidbitmap.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

#include "topics/search.h"

/* Row numbers of one probe are kept exactly up to this much memory, then by page. */
#define SEARCH_BITMAP_BYTES (8 * 1024 * 1024)
/* To read one row costs as much as to walk over so many row numbers. */
#define SEARCH_READ_COST 40
/* To put one into the bitmap of a range costs as much as walking over so many. */
#define SEARCH_RANGE_COST 10
/* Of so many keys for one word, each has to be looked at for every row number. */
#define SEARCH_KEYS_COST 4

static inline int64
row_volume(TopicSearch *s)
{
	bool isnull;

	return DatumGetInt32(slot_getattr(s->slot, s->attno[3], &isnull));
}

static void
row_add(TopicSearch *s, TopicTier tier, int cost, int64 weight)
{
	Datum values[SEARCH_COLUMNS];
	bool  nulls[SEARCH_COLUMNS];
	int	  i;

	for (i = 0; i < SEARCH_COLUMNS; i++)
		values[i] = slot_getattr(s->slot, s->attno[i], &nulls[i]);
	topic_found_add(s, tier, cost, weight, &s->slot->tts_tid, values, nulls);
}

static void
row_read(TopicSearch *s, TopicText *t)
{
	bool  isnull;
	text *topic = DatumGetTextPP(slot_getattr(s->slot, s->attno[1], &isnull));

	topic_read(VARDATA_ANY(topic), VARSIZE_ANY_EXHDR(topic), false, t);
}

/* Topics of one band that begin with the text, or (equal) are the text. */
void
topic_collect_begins(TopicSearch *s, int band, bool equal)
{
	TopicQuery	 *q = &s->query;
	int			  n = Min(q->nnorm, TOPIC_NORM_BYTES);
	IndexScanDesc scan = equal ? s->equal_scan : s->text_scan;
	ScanKeyData	  key[3];
	bytea		 *from = palloc(VARHDRSZ + n);

	memcpy(VARDATA(from), q->norm, n);
	SET_VARSIZE(from, VARHDRSZ + n);
	ScanKeyInit(&key[0], 1, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum(band));
	if (equal)
	{
		ScanKeyInit(&key[1], 2, BTEqualStrategyNumber, F_BYTEAEQ, PointerGetDatum(from));
		if (!scan)
			scan = s->equal_scan = compat_index_beginscan(s->table, s->text_index, s->snapshot, 2);
	}
	else
	{
		bytea *upto = palloc(VARHDRSZ + n);

		/* no byte of UTF-8 is the greatest one */
		memcpy(upto, from, VARHDRSZ + n);
		((unsigned char *) VARDATA(upto))[n - 1]++;
		ScanKeyInit(&key[1], 2, BTGreaterEqualStrategyNumber, F_BYTEAGE, PointerGetDatum(from));
		ScanKeyInit(&key[2], 2, BTLessStrategyNumber, F_BYTEALT, PointerGetDatum(upto));
		if (!scan)
			scan = s->text_scan = compat_index_beginscan(s->table, s->text_index, s->snapshot, 3);
	}
	index_rescan(scan, key, equal ? 2 : 3, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, s->slot))
	{
		int64	  weight = row_volume(s) * TOPIC_BEGINS;
		TopicText t;

		CHECK_FOR_INTERRUPTS();
		if (!topic_found_room(s, TIER_WORDS, weight) && !topic_found_room(s, TIER_EQUAL, weight))
			continue;
		row_read(s, &t);
		if (!topic_begins(&t, q))
			continue; /* only the first bytes are in the index */
		if (t.nnorm == q->nnorm)
			row_add(s, TIER_EQUAL, 0, weight);
		else if (!equal && topic_found_room(s, TIER_WORDS, weight))
			row_add(s, TIER_WORDS, 0, weight);
	}
}

/* One row that the word index gave; without a tier it may be anything down to a stem. */
static void
collect_row(TopicSearch *s, const TopicQuery *q, ItemPointer tid, TopicTier tier, int most, bool recheck)
{
	bool	  again = false;
	int64	  volume;
	int		  cost = most;
	TopicText t;

	if (!table_index_fetch_tuple(s->fetch, tid, s->snapshot, s->slot, &again, NULL))
		return;
	volume = row_volume(s);
	if (tier == TIER_NONE)
	{
		row_read(s, &t);
		tier = topic_match(q, &t, TIER_STEM, 0, &cost);
		if (tier == TIER_WORDS && topic_begins(&t, q))
		{
			volume *= TOPIC_BEGINS;
			if (t.nnorm == q->nnorm)
				tier = TIER_EQUAL;
		}
		if (tier != TIER_NONE && topic_found_room(s, tier, volume))
			row_add(s, tier, 0, volume);
		return;
	}
	if (!topic_found_room(s, tier, volume))
		return;
	if (tier == TIER_WORDS || recheck)
	{
		row_read(s, &t);
		if (recheck && topic_match(q, &t, tier == TIER_SPACING ? TIER_WORDS : tier, most, &cost) == TIER_NONE)
			return;
		if (tier == TIER_WORDS && topic_begins(&t, q))
			return; /* the btree gave it */
	}
	if (tier < TIER_WORDS && topic_found_has(s, &s->slot->tts_tid))
		return;
	row_add(s, tier, tier == TIER_TYPO ? most : 0, volume);
}

static void
collect_probe(TopicSearch *s, const TopicQuery *q, TopicProbe *probe, TopicTier tier, int most, bool recheck)
{
	TIDBitmap		*tbm = tbm_create(SEARCH_BITMAP_BYTES, NULL);
	ScanKeyData		 key;
	CompatBitmapScan scan;

	memset(&key, 0, sizeof(key));
	key.sk_attno = 1;
	key.sk_strategy = 1;
	key.sk_argument = PointerGetDatum(probe);
	index_rescan(s->word_scan, &key, 1, NULL, 0);
	index_getbitmap(s->word_scan, tbm);
	if (probe->see == NULL && !tbm_is_empty(tbm))
	{
		compat_bitmap_begin(&scan, tbm);
		while (compat_bitmap_next(&scan))
		{
			ItemPointerData tid;
			int				i;

			CHECK_FOR_INTERRUPTS();
			if (scan.lossy)
			{
				for (i = FirstOffsetNumber; i <= MaxHeapTuplesPerPage; i++)
				{
					ItemPointerSet(&tid, scan.block, i);
					collect_row(s, q, &tid, tier, most, true);
				}
				continue;
			}
			for (i = 0; i < scan.ntuples; i++)
			{
				ItemPointerSet(&tid, scan.block, scan.offsets[i]);
				collect_row(s, q, &tid, tier, most, recheck || scan.recheck);
			}
		}
		compat_bitmap_end(&scan);
	}
	tbm_free(tbm);
}

/* Shows keys of the word index to the probe's callback. */
void
topic_look(TopicSearch *s, TopicProbe *probe)
{
	int i;

	if (probe->nkeys == 0)
		return;
	for (i = 0; i < probe->nkeys; i++)
		probe->keys[i].probe = probe;
	collect_probe(s, NULL, probe, TIER_NONE, 0, false);
}

/* Rows in which some of the wants are satisfied, in some bands. */
void
topic_collect_group(TopicSearch *s, const TopicQuery *q, TopicWant *wants, const int *which, int nwhich, uint32 group,
					TopicTier tier, int most, bool recheck)
{
	TopicProbe probe;
	int		   room = 0;
	int		   i;
	int		   j;

	for (i = 0; i < nwhich; i++)
		for (j = 0; j < wants[which[i]].n; j++)
			room += wants[which[i]].alts[j].range ? 1 : pg_popcount32(wants[which[i]].alts[j].bands & group);
	probe.keys = palloc(sizeof(TopicProbeKey) * Max(room, 1));
	probe.nkeys = 0;
	probe.nwords = nwhich;
	probe.most = most;
	probe.see = NULL;
	for (i = 0; i < nwhich; i++)
		for (j = 0; j < wants[which[i]].n; j++)
		{
			TopicAlt *a = &wants[which[i]].alts[j];
			uint32	  in = a->bands & group;

			while (in != 0)
			{
				TopicProbeKey *k = &probe.keys[probe.nkeys++];
				int			   b = pg_rightmost_one_pos32(in);

				k->key = topic_key(a->family, a->s, a->n, a->range ? TOPIC_ANY_WORD : b);
				k->range = a->range;
				k->word = i;
				k->cost = a->cost;
				k->bands = a->range ? in : 1u << b;
				k->probe = &probe;
				if (a->range)
					break;
				in &= in - 1;
			}
		}
	collect_probe(s, q, &probe, tier, most, recheck);
}

/*
 * Rows in which every want is satisfied, from the highest band to the lowest that can
 * still give something.
 */
void
topic_collect(TopicSearch *s, const TopicQuery *q, TopicWant *wants, TopicTier tier, int most)
{
	int	   nw = Min(q->nwords, TOPIC_PROBE_WORDS);
	uint32 bands = TOPIC_ALL_BANDS;
	bool   recheck = (nw < q->nwords);
	int	   i;
	int	   j;

	for (i = 0; i < nw; i++)
		bands &= wants[i].bands;
	for (i = 0; i < nw && bands != 0; i++)
		topic_want_count(s, &wants[i]);
	for (i = 0; i < q->nwords; i++)
		recheck |= (q->words[i].nc > TOPIC_KEY_CHARS);

	while (bands != 0)
	{
		uint32 group = 0;
		int64  rows[TOPIC_PROBE_WORDS] = {0};
		int64  fewest = 0;
		int64  left;
		int	   which[TOPIC_PROBE_WORDS];
		int	   nwhich;

		/* As many bands at once as have a screenful or two together. */
		while (bands != 0)
		{
			int	  b = pg_leftmost_one_pos32(bands);
			int64 least = PG_INT64_MAX;

			if (group == 0 && !topic_found_room(s, tier, topic_band_most(b)))
				return;
			for (i = 0; i < nw; i++)
				least = Min(least, wants[i].rows[b]);
			if (group != 0 && fewest + least > s->limit * 2)
				break;
			fewest += least;
			for (i = 0; i < nw; i++)
				rows[i] += wants[i].rows[b];
			group |= 1u << b;
			bands &= ~(1u << b);
		}

		/*
		 * The index is asked for the rarest word, and for further ones as long as walking
		 * through their row numbers costs less than reading the rows that they rule out, taken
		 * as four of five.  The rows that are left are asked for the others.
		 */
		for (i = 0; i < nw; i++)
		{
			for (j = 0; j < wants[i].n; j++)
				if (wants[i].alts[j].range && (wants[i].alts[j].bands & group))
					break;
			if (j < wants[i].n)
				rows[i] *= SEARCH_RANGE_COST;
			else
				rows[i] *= 1 + wants[i].n / SEARCH_KEYS_COST;
			for (j = i; j > 0 && rows[which[j - 1]] > rows[i]; j--)
				which[j] = which[j - 1];
			which[j] = i;
		}
		left = rows[which[0]];
		for (nwhich = 1; nwhich < nw && rows[which[nwhich]] < left * SEARCH_READ_COST; nwhich++)
			left = left / 5 + 1;
		topic_collect_group(s, q, wants, which, nwhich, group, tier, most, recheck || nwhich < nw);
	}
}
