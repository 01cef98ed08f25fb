/*
 * page_cache.c
 *		Pages of a relation, copied for the length of a search, so that none is read twice.
 *
 * Invariant: a copy is taken under the page's lock, and no lock or pin is held afterwards.
 */
#include "openinfo.h"

#include "miscadmin.h"
#include "storage/bufmgr.h"

#include "topics/page_cache.h"

#define CACHE_PAGES 4096 /* a power of two; three quarters of them are used at most */

struct PageCache
{
	Relation	rel;
	BlockNumber nblocks;
	int			n;
	BlockNumber block[CACHE_PAGES];
	Page		page[CACHE_PAGES];
};

PageCache *
page_cache_create(Relation rel)
{
	PageCache *cache = palloc0(sizeof(PageCache));

	cache->rel = rel;
	return cache;
}

/* A copy of a page; NULL when there is no such page, or no space left for it. */
Page
page_cache_get(PageCache *cache, BlockNumber block)
{
	int	   i = (block * 2654435761u) & (CACHE_PAGES - 1);
	Buffer buffer;

	for (; cache->page[i]; i = (i + 1) & (CACHE_PAGES - 1))
		if (cache->block[i] == block)
			return cache->page[i];
	CHECK_FOR_INTERRUPTS();
	if (block >= cache->nblocks)
		cache->nblocks = RelationGetNumberOfBlocks(cache->rel);
	if (cache->n >= CACHE_PAGES * 3 / 4 || block >= cache->nblocks)
		return NULL;
	buffer = ReadBuffer(cache->rel, block);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	cache->page[i] = palloc(BLCKSZ);
	memcpy(cache->page[i], BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	cache->block[i] = block;
	cache->n++;
	return cache->page[i];
}
