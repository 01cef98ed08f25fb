/*
 * page_cache.c
 *		Pages of a relation, copied for the length of a search, so that none is read twice.
 *
 * Invariant: a copy is taken under the page's lock, and no lock or pin is held afterwards.
 */
#include "openinfo.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "storage/bufmgr.h"

#include "topics/page_cache.h"

typedef struct CachedPage
{
	BlockNumber block;
	Page		page;
} CachedPage;

struct PageCache
{
	Relation	rel;
	BlockNumber nblocks;
	int			n;
	int			mask; /* of the hash table, a power of two minus 1 */
	CachedPage *pages;
};

/* With capacity for so many pages. */
PageCache *
page_cache_create(Relation rel, int npages)
{
	PageCache *cache = palloc0(sizeof(PageCache));

	cache->rel = rel;
	cache->mask = pg_nextpower2_32(npages + npages / 4) - 1;
	cache->pages = palloc0(sizeof(CachedPage) * (cache->mask + 1));
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

/* A copy of a page; NULL when there is no such page, or no space left for it. */
Page
page_cache_get(PageCache *cache, BlockNumber block)
{
	int			i = (block * 2654435761u) & cache->mask;
	CachedPage *cached;
	Buffer		buffer;

	for (; cache->pages[i].page; i = (i + 1) & cache->mask)
		if (cache->pages[i].block == block)
			return cache->pages[i].page;
	CHECK_FOR_INTERRUPTS();
	if (block >= cache->nblocks)
		cache->nblocks = RelationGetNumberOfBlocks(cache->rel);
	if (cache->n >= cache->mask || block >= cache->nblocks)
		return NULL;
	cached = &cache->pages[i];
	buffer = ReadBuffer(cache->rel, block);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	cached->page = palloc(BLCKSZ);
	page_copy(cached->page, BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);
	cached->block = block;
	cache->n++;
	return cached->page;
}
