/*
 * page_cache.h
 *		Pages of a relation, copied for the length of a search.
 */
#ifndef OPENINFO_PAGE_CACHE_H
#define OPENINFO_PAGE_CACHE_H

#include "storage/bufpage.h"
#include "utils/rel.h"

typedef struct PageCache PageCache;

extern PageCache *page_cache_create(Relation rel);
extern Page		  page_cache_get(PageCache *cache, BlockNumber block);

#endif
