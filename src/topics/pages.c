/*
 * pages.c
 *		The search index, read page by page.  Only this file and pending.c know what GIN's pages look like.
 *
 * The access method reads all rows of a key and does not tell how many there are, so that of several words
 * the frequent one costs as much as all its topics.  Here a list tells its length, and of a tree only the
 * parts are read that may have rows of the other words.  Pages may split meanwhile: entries move to the
 * right, so right links are followed.  No page is reused that our snapshot may read.
 * Invariant: on any doubt (page type, flags, version, pending list, key) a function returns false.
 */
#include "openinfo.h"

#include "access/gin_private.h"
#include "access/ginblock.h"
#include "access/itup.h"

#include "topics/keys.h"
#include "topics/page_cache.h"
#include "topics/pages.h"

#define entry_at(page, offset) ((IndexTuple) PageGetItem((page), PageGetItemId((page), (offset))))

struct Pages
{
	PageCache *cache;
	int64	   stop_at;
};

/* A page that has some flags and lacks others; NULL otherwise. */
static Page
pages_get(Pages *pages, BlockNumber block, uint16 has, uint16 lacks)
{
	Page page = page_cache_get(pages->cache, block);

	if (page == NULL || PageIsNew(page) || PageGetSpecialSize(page) != MAXALIGN(sizeof(GinPageOpaqueData)) ||
		(GinPageGetOpaque(page)->flags & (has | lacks | GIN_DELETED)) != has)
		return NULL;
	return page;
}

/* The index, if it can be read so, for so many buffers; "pending": a pending list is read elsewhere. */
Pages *
pages_open(Relation index, int budget, bool pending)
{
	Pages *pages = palloc0(sizeof(Pages));
	Page   page;

	pages->cache = page_cache_create(index);
	pages->stop_at = buffers_accessed() + budget;
	page = pages_get(pages, GIN_METAPAGE_BLKNO, GIN_META, GIN_DATA | GIN_LEAF);
	if (page == NULL || GinPageGetMeta(page)->ginVersion != GIN_CURRENT_VERSION ||
		(!pending && GinPageGetMeta(page)->head != InvalidBlockNumber))
		return NULL;
	return pages;
}

/* Compares a key of a page with the beginning of a range; NULL stands behind all keys. */
static int
entry_compare(IndexTuple itup, const bytea *from, const char **key, int *n, bool *doubt)
{
	const char *datum = (char *) itup + IndexInfoFindDataOffset(itup->t_info);
	int			nfrom = VARSIZE(from) - VARHDRSZ;
	int			c;

	if (IndexTupleHasNulls(itup))
		return 1;
	if (VARATT_IS_EXTERNAL(datum) || VARATT_IS_COMPRESSED(datum))
		return *doubt = true;
	*key = VARDATA_ANY(datum);
	*n = VARSIZE_ANY_EXHDR(datum);
	c = memcmp(*key, VARDATA(from), Min(*n, nfrom));
	return c != 0 ? c : *n - nfrom;
}

/* The first entry of a page that is not before "from", or the place behind the last one. */
static OffsetNumber
entry_search(Page page, const bytea *from, bool *doubt)
{
	bool		 infinity = !GinPageIsLeaf(page) && GinPageRightMost(page); /* its last key */
	OffsetNumber low = FirstOffsetNumber;
	OffsetNumber high = PageGetMaxOffsetNumber(page) + (infinity ? 0 : 1);

	while (low < high)
	{
		OffsetNumber mid = (low + high) / 2;
		const char	*key;
		int			 n;

		if (entry_compare(entry_at(page, mid), from, &key, &n, doubt) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Shows the keys from "from" on that share its prefix, without their scope, with where their rows are. */
bool
pages_keys(Pages *pages, const bytea *from, int nprefix, int scope, PostingVisitor visit, void *arg)
{
	BlockNumber block = GIN_ROOT_BLKNO;
	bool		doubt = false;

	for (;;)
	{
		Page		 page = pages_get(pages, block, 0, GIN_DATA | GIN_META | GIN_LIST);
		OffsetNumber offset;

		if (page == NULL || doubt)
			return false;
		offset = entry_search(page, from, &doubt);
		for (; GinPageIsLeaf(page) && offset <= PageGetMaxOffsetNumber(page); offset++)
		{
			IndexTuple	itup = entry_at(page, offset);
			Posting		posting = {0};
			const char *key = NULL;
			int			n = 0;

			(void) entry_compare(itup, from, &key, &n, &doubt);
			if (doubt || (!GinIsPostingTree(itup) && !GinItupIsCompressed(itup)))
				return false;
			if (key == NULL || n < nprefix || memcmp(key, VARDATA(from), nprefix) != 0 ||
				buffers_accessed() > pages->stop_at)
				return true;
			posting.key = key_copy(key, n);
			posting.tree = GinIsPostingTree(itup) ? GinGetPostingTree(itup) : InvalidBlockNumber;
			posting.list = GinIsPostingTree(itup) ? NULL : GinGetPosting(itup);
			posting.n = GinIsPostingTree(itup) ? 0 : GinGetNPosting(itup);
			if (!visit(arg, key + scope, n - scope, &posting))
				return true;
		}
		if (offset <= PageGetMaxOffsetNumber(page))
			block = GinGetDownlink(entry_at(page, offset));
		else if (GinPageRightMost(page))
			return !doubt;
		else
			block = GinPageGetOpaque(page)->rightlink;
	}
}

static void
segment_read(const GinPostingList *segment, const RowSet *only, RowSet *out)
{
	int			n;
	ItemPointer items = ginPostingListDecode(unconstify(GinPostingList *, segment), &n);

	rowset_take_items(out, items, n, only);
}

/* The rows of one page of a tree, or below it: those above "from", up to "upto". */
static bool
tree_read(Pages *pages, BlockNumber block, uint64 from, uint64 upto, const RowSet *only, RowSet *out)
{
	for (;;)
	{
		Page			page = pages_get(pages, block, GIN_DATA, GIN_META | GIN_LIST);
		bool			leaf = page && GinPageIsLeaf(page);
		uint64			bound, last;
		char		   *end;
		GinPostingList *part, *next;

		if (page == NULL || (leaf && !GinPageIsCompressed(page)))
			return false;
		if (buffers_accessed() > pages->stop_at)
			return true;
		bound = GinPageRightMost(page) ? PG_UINT64_MAX : row_number(GinDataPageGetRightBound(page));
		part = GinDataLeafPageGetPostingList(page);
		end = (char *) part + (leaf ? GinDataLeafPageGetPostingListSize(page) : 0);
		for (; (char *) part < end; part = next)
		{
			next = GinNextPostingListSegment(part);
			last = (char *) next < end ? row_number(&next->first) : bound;
			if (rowset_has(only, row_number(&part->first), last))
				segment_read(part, only, out);
		}
		for (int i = 1; !leaf && i <= GinPageGetOpaque(page)->maxoff; i++)
		{
			PostingItem *item = GinDataPageGetPostingItem(page, i);
			last = i == GinPageGetOpaque(page)->maxoff ? bound : row_number(&item->key);
			if (rowset_has(only, from, last) &&
				!tree_read(pages, PostingItemGetBlockNumber(item), from, last, only, out))
				return false;
			from = last;
		}
		if (bound >= upto)
			return true;
		from = bound;
		block = GinPageGetOpaque(page)->rightlink;
	}
}

/* Adds the rows of a key; with "only", those among these. */
bool
pages_rows(Pages *pages, const Posting *posting, const RowSet *only, RowSet *out)
{
	if (posting->list && posting->n > 0)
		segment_read(posting->list, only, out);
	return posting->list || tree_read(pages, posting->tree, 0, PG_UINT64_MAX, only, out);
}
