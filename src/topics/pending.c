/*
 * pending.c
 *		What the pending list of a search index has.
 *
 * With fastupdate GIN appends the keys of new rows to a list of pages, and moves them to where they belong
 * when the list is long, or in VACUUM: that makes inserting cheap.  The list is short
 * (gin_pending_list_limit of the index), so a search reads all of it, once, and keeps what is of its scope.
 *
 * Invariant: the list is read before any other page of the index, because what leaves it goes to those; and
 * each page of it is locked before the one in front of it is released, as GIN's own scan does.
 */
#include "openinfo.h"

#include "access/gin_private.h"
#include "access/ginblock.h"
#include "access/itup.h"
#include "common/hashfn.h"
#include "storage/bufmgr.h"

#include "topics/pending.h"

/* Keys are found by their first bytes behind the scope; a range that is not so long asks them all. */
#define PENDING_BYTES 4
#define PENDING_CHAINS 4096

/* Where a key is: the number of its page's copy and the offset there. */
#define PENDING_WHERE(page, offset) ((uint32) (page) << 16 | (offset))

struct Pending
{
	int		chains[PENDING_CHAINS]; /* the last key of each; -1: none */
	char  **pages;
	int		npages;
	uint32 *where;
	int	   *next; /* the one before in its chain */
	int		n;
	int		capacity;
};

static int
pending_chain(const char *key)
{
	uint32 bytes;

	memcpy(&bytes, key, PENDING_BYTES);
	return murmurhash32(bytes) % PENDING_CHAINS;
}

/* Space for the keys of one more page. */
static void
pending_reserve(Pending *pending)
{
	if (pending->npages % 64 == 0)
	{
		Size size = sizeof(char *) * (pending->npages + 64);

		pending->pages = pending->pages ? repalloc(pending->pages, size) : palloc(size);
	}
	if (pending->capacity - pending->n >= MaxIndexTuplesPerPage)
		return;
	pending->capacity = pending->capacity * 2 + MaxIndexTuplesPerPage;
	pending->where = pending->where ? repalloc(pending->where, sizeof(uint32) * pending->capacity)
									: palloc(sizeof(uint32) * pending->capacity);
	pending->next = pending->next ? repalloc(pending->next, sizeof(int) * pending->capacity)
								  : palloc(sizeof(int) * pending->capacity);
}

/* Takes what a page has of the scope; false when it is not what it should be. */
static bool
pending_page(Pending *pending, Page page, KeyScope scope)
{
	int before = pending->n;

	if (PageIsNew(page) || PageGetSpecialSize(page) != MAXALIGN(sizeof(GinPageOpaqueData)) ||
		(GinPageGetOpaque(page)->flags & (GIN_LIST | GIN_DELETED)) != GIN_LIST)
		return false;
	pending_reserve(pending);
	for (OffsetNumber i = FirstOffsetNumber; i <= PageGetMaxOffsetNumber(page); i++)
	{
		IndexTuple	itup = (IndexTuple) PageGetItem(page, PageGetItemId(page, i));
		const char *datum = (char *) itup + IndexInfoFindDataOffset(itup->t_info);
		const char *key = VARDATA_ANY(datum);
		int		   *chain;

		if (IndexTupleHasNulls(itup))
			continue;
		if (VARATT_IS_EXTERNAL(datum) || VARATT_IS_COMPRESSED(datum))
			return false;
		if (VARSIZE_ANY_EXHDR(datum) < scope.n + PENDING_BYTES || memcmp(key, scope.s, scope.n) != 0)
			continue;
		chain = &pending->chains[pending_chain(key + scope.n)];
		pending->where[pending->n] = PENDING_WHERE(pending->npages, (char *) itup - (char *) page);
		pending->next[pending->n] = *chain;
		*chain = pending->n++;
	}
	if (pending->n > before)
		pending->pages[pending->npages++] = memcpy(palloc(BLCKSZ), page, BLCKSZ);
	return true;
}

/* Reads the list; NULL when there is none, or it cannot be read so. */
Pending *
pending_read(Relation index, KeyScope scope)
{
	Pending	   *pending = NULL;
	Buffer		buffer = ReadBuffer(index, GIN_METAPAGE_BLKNO);
	BlockNumber next;
	bool		known;

	LockBuffer(buffer, GIN_SHARE);
	next = GinPageGetMeta(BufferGetPage(buffer))->head;
	known = BlockNumberIsValid(next);
	if (known)
	{
		pending = palloc0(sizeof(Pending));
		memset(pending->chains, -1, sizeof(pending->chains));
	}
	while (known && BlockNumberIsValid(next))
	{
		Buffer before = buffer;

		buffer = ReadBuffer(index, next);
		LockBuffer(buffer, GIN_SHARE);
		UnlockReleaseBuffer(before);
		known = pending_page(pending, BufferGetPage(buffer), scope);
		next = GinPageGetOpaque(BufferGetPage(buffer))->rightlink;
	}
	UnlockReleaseBuffer(buffer);
	return known ? pending : NULL;
}

/* Shows all keys that begin with "from", each with one row. */
void
pending_keys(const Pending *pending, const bytea *from, int scope, PostingVisitor visit, void *arg)
{
	const char *begin = VARDATA(from);
	int			nfrom = VARSIZE(from) - VARHDRSZ;
	bool		all = nfrom < scope + PENDING_BYTES;
	int			i = all ? pending->n - 1 : pending->chains[pending_chain(begin + scope)];

	for (; i >= 0; i = all ? i - 1 : pending->next[i])
	{
		uint32		where = pending->where[i];
		IndexTuple	itup = (IndexTuple) (pending->pages[where >> 16] + (where & 0xFFFF));
		const char *datum = (char *) itup + IndexInfoFindDataOffset(itup->t_info);
		const char *key = VARDATA_ANY(datum);
		int			n = VARSIZE_ANY_EXHDR(datum);
		Posting		posting = {.list = key, .tree = InvalidBlockNumber, .n = 1, .read = true};
		uint64		row = row_number(&itup->t_tid);

		if (n < nfrom || memcmp(key + scope, begin + scope, nfrom - scope) != 0)
			continue;
		posting.key = key_copy(key, n);
		rowset_add(&posting.set, &row, 1);
		(void) visit(arg, key + scope, n - scope, &posting);
	}
}
