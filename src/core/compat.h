/*
 * compat.h
 *		What differs between the supported servers; the only file that says PG_VERSION_NUM.
 */
#ifndef OPENINFO_COMPAT_H
#define OPENINFO_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "openinfo needs PostgreSQL 15 or later"
#endif

/* 18 writes pg_noreturn in front of a declaration instead of this behind it */
#if PG_VERSION_NUM >= 180000
#define pg_attribute_noreturn() __attribute__((noreturn))
#endif

#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "parser/parse_type.h"
#include "utils/acl.h"
#include "utils/datetime.h"

/* 19 no longer includes it by way of others */
#include "utils/tuplestore.h"

/* 17 gave the lexer a caller-owned struct and a const input */
#if PG_VERSION_NUM >= 170000
#define compat_json_lexer(text, len) \
	makeJsonLexContextCstringLen(NULL, (text), (len), GetDatabaseEncoding(), true)
#else
#define compat_json_lexer(text, len) \
	makeJsonLexContextCstringLen((char *) (text), (len), GetDatabaseEncoding(), true)
#endif

/* 16 reports a malformed type name through an error context instead of a flag */
#if PG_VERSION_NUM >= 160000
#define compat_parse_type(name, oid, typmod) parseTypeString((name), (oid), (typmod), NULL)
#else
#define compat_parse_type(name, oid, typmod) parseTypeString((name), (oid), (typmod), false)
#endif

/* 19 hands the state of EXPLAIN to the planner */
#include "optimizer/planner.h"
#if PG_VERSION_NUM >= 190000
#define COMPAT_PLANNER_PARAM , ExplainState *explain
#define COMPAT_PLANNER_ARG , explain
#else
#define COMPAT_PLANNER_PARAM
#define COMPAT_PLANNER_ARG
#endif

/* 16 replaced the per-catalog checks by one for every catalog */
#if PG_VERSION_NUM >= 160000
#define compat_namespace_aclcheck(oid, role, mode) object_aclcheck(NamespaceRelationId, (oid), (role), (mode))
#else
#define compat_namespace_aclcheck(oid, role, mode) pg_namespace_aclcheck((oid), (role), (mode))
#endif

/* 16 tells more of what is wrong with a time */
#if PG_VERSION_NUM >= 160000
#define compat_decode_datetime(field, ftype, nf, dtype, tm, fsec, tz) \
	DecodeDateTime((field), (ftype), (nf), (dtype), (tm), (fsec), (tz), &(DateTimeErrorExtra){0})
#else
#define compat_decode_datetime(field, ftype, nf, dtype, tm, fsec, tz) \
	DecodeDateTime((field), (ftype), (nf), (dtype), (tm), (fsec), (tz))
#endif

/* 18 counts index searches for EXPLAIN, 19 takes flags for the access method: none, as before */
#include "access/genam.h"
#include "access/tableam.h"
#if PG_VERSION_NUM >= 190000
#define compat_index_beginscan(table, index, snapshot, nkeys) \
	index_beginscan((table), (index), (snapshot), NULL, (nkeys), 0, SO_NONE)
#elif PG_VERSION_NUM >= 180000
#define compat_index_beginscan(table, index, snapshot, nkeys) \
	index_beginscan((table), (index), (snapshot), NULL, (nkeys), 0)
#else
#define compat_index_beginscan(table, index, snapshot, nkeys) \
	index_beginscan((table), (index), (snapshot), (nkeys), 0)
#endif
#if PG_VERSION_NUM >= 180000
#define compat_index_beginscan_bitmap(index, snapshot, nkeys) \
	index_beginscan_bitmap((index), (snapshot), NULL, (nkeys))
#else
#define compat_index_beginscan_bitmap(index, snapshot, nkeys) \
	index_beginscan_bitmap((index), (snapshot), (nkeys))
#endif
#if PG_VERSION_NUM >= 190000
#define table_beginscan(table, snapshot, nkeys, keys) \
	(table_beginscan)((table), (snapshot), (nkeys), (keys), SO_NONE)
#define table_index_fetch_begin(table) (table_index_fetch_begin)((table), SO_NONE)
#endif

/* 19 keeps the value that is being built in the state that it is pushed to */
#include "utils/jsonb.h"
#if PG_VERSION_NUM >= 190000
static inline JsonbValue *
compat_push_jsonb(JsonbParseState **state, JsonbIteratorToken token, JsonbValue *value)
{
	JsonbInState in = {.parseState = *state};

	pushJsonbValue(&in, token, value);
	*state = in.parseState;
	return in.result;
}
#define pushJsonbValue compat_push_jsonb
#endif

/* 18 hands out the rows of a bitmap's page in a second step */
#include "access/htup_details.h"
#include "nodes/tidbitmap.h"
typedef struct CompatBitmapScan
{
#if PG_VERSION_NUM >= 180000
	TBMPrivateIterator *iterator;
	OffsetNumber		offsets[MaxHeapTuplesPerPage];
#else
	TBMIterator	 *iterator;
	OffsetNumber *offsets;
#endif
	BlockNumber block;
	bool		lossy; /* only the page is known */
	bool		recheck;
	int			ntuples;
} CompatBitmapScan;

static inline void
compat_bitmap_begin(CompatBitmapScan *scan, TIDBitmap *bitmap)
{
#if PG_VERSION_NUM >= 180000
	scan->iterator = tbm_begin_private_iterate(bitmap);
#else
	scan->iterator = tbm_begin_iterate(bitmap);
#endif
}

static inline bool
compat_bitmap_next(CompatBitmapScan *scan)
{
#if PG_VERSION_NUM >= 180000
	TBMIterateResult page;

	if (!tbm_private_iterate(scan->iterator, &page))
		return false;
	scan->block = page.blockno;
	scan->lossy = page.lossy;
	scan->recheck = page.recheck;
	scan->ntuples = page.lossy ? 0 : tbm_extract_page_tuple(&page, scan->offsets, MaxHeapTuplesPerPage);
#else
	TBMIterateResult *page = tbm_iterate(scan->iterator);

	if (page == NULL)
		return false;
	scan->block = page->blockno;
	scan->lossy = page->ntuples < 0;
	scan->recheck = page->recheck;
	scan->ntuples = page->ntuples;
	scan->offsets = page->offsets;
#endif
	return true;
}

static inline void
compat_bitmap_end(CompatBitmapScan *scan)
{
#if PG_VERSION_NUM >= 180000
	tbm_end_private_iterate(scan->iterator);
#else
	tbm_end_iterate(scan->iterator);
#endif
}

#endif
