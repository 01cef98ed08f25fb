/*
 * page_cache.c
 *		Pages of a relation, copied for the length of a search, so that none is read twice.
 *
 * Invariant: a copy is taken under the page's lock, and no lock or pin is held afterwards.
 */
#include "openinfo.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"

#include "topics/page_cache.h"

/* Most searches read no more than so many. */
#define PAGES_EXPECTED 32

typedef struct CachedPage
{
	BlockNumber block;
	char		status; /* of the entry of the hash table */
	Page		page;
} CachedPage;

/* the header shadows a name of its own */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#define SH_PREFIX pagetable
#define SH_ELEMENT_TYPE CachedPage
#define SH_KEY_TYPE BlockNumber
#define SH_KEY block
#define SH_HASH_KEY(table, key) murmurhash32(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"
#pragma GCC diagnostic pop

struct PageCache
{
	Relation		rel;
	BlockNumber		nblocks;
	pagetable_hash *pages;
};

PageCache *
page_cache_create(Relation rel)
{
	PageCache *cache = palloc0(sizeof(PageCache));

	cache->rel = rel;
	cache->pages = pagetable_create(CurrentMemoryContext, PAGES_EXPECTED, NULL);
	return cache;
}

/* Copies a page but for the space between its two parts, which is free. */
static void
page_copy(Page copy, Page page)
{
	PageHeader header = (PageHeader) page;
	int		   lower = header->pd_lower;
	int		   upper = header->pd_upper;

	if (lower < SizeOfPageHeaderData || lower > upper || upper > BLCKSZ)
		lower = upper = 0;
	memcpy(copy, page, lower);
	memcpy(copy + upper, page + upper, BLCKSZ - upper);
}

/* A copy of a page; NULL when there is no such page. */
Page
page_cache_get(PageCache *cache, BlockNumber block)
{
	CachedPage *cached = pagetable_lookup(cache->pages, block);
	Page		page;
	Buffer		buffer;
	bool		found;

	if (cached)
		return cached->page;
	CHECK_FOR_INTERRUPTS();
	if (block >= cache->nblocks)
		cache->nblocks = RelationGetNumberOfBlocks(cache->rel);
	if (block >= cache->nblocks)
		return NULL;
	page = palloc(BLCKSZ);
	buffer = ReadBuffer(cache->rel, block);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page_copy(page, BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
	pagetable_insert(cache->pages, block, &found)->page = page;
	return page;
}
