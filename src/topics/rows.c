/*
 * rows.c
 *		Sets of row numbers.
 *
 * Lists of rows come in order, so several of them are merged and never sorted: at 10,000,000 topics that is
 * most of the time of a search.
 */
#include "openinfo.h"

#include "topics/rows.h"

/* Where so many rows may be added. */
static uint64 *
rowset_end(RowSet *set, int n)
{
	if (set->n + n > set->capacity)
	{
		Size size;

		set->capacity = (set->n + n) * 2 + 16;
		size = sizeof(uint64) * set->capacity;
		set->rows = set->rows ? repalloc_huge(set->rows, size)
							  : MemoryContextAllocHuge(CurrentMemoryContext, size);
	}
	return set->rows + set->n;
}

/* Adds rows behind those that are there; rowset_sort() puts them in order. */
void
rowset_add(RowSet *set, const uint64 *rows, int n)
{
	if (n > 0)
		memcpy(rowset_end(set, n), rows, sizeof(uint64) * n);
	set->n += n;
}

/* The first place in a set, from a place on, whose row is not before this one. */
static int
rowset_place(const RowSet *set, uint64 row, int low)
{
	int high = set->n;

	while (low < high)
	{
		int mid = (low + high) / 2;

		if (set->rows[mid] < row)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Has the set a row from "from" to "upto"?  NULL has them all. */
bool
rowset_has(const RowSet *set, uint64 from, uint64 upto)
{
	int place = set ? rowset_place(set, from, 0) : 0;

	return set == NULL || (place < set->n && set->rows[place] <= upto);
}

/* The same for item pointers, which are in order and are freed; with "only", those among these. */
void
rowset_take_items(RowSet *set, ItemPointerData *items, int n, const RowSet *only)
{
	uint64 *rows = rowset_end(set, n);
	int		kept = 0;
	/* only those between the first item and the last can be among them */
	int	 low = only && n > 0 ? rowset_place(only, row_number(&items[0]), 0) : 0;
	int	 end = only && n > 0 ? rowset_place(only, row_number(&items[n - 1]) + 1, low) : 0;
	bool few = n < (end - low) / 8; /* then each is searched for */

	for (int i = 0; i < n && (!only || low < end); i++)
	{
		uint64 row = row_number(&items[i]);

		if (few)
			low = rowset_place(only, row, low);
		while (only && !few && low < end && only->rows[low] < row)
			low++;
		if (!only || (low < end && only->rows[low] == row))
			rows[kept++] = row;
	}
	set->n += kept;
	pfree(items);
}

/* Merges two runs. */
static void
rows_merge(const uint64 *a, const uint64 *enda, const uint64 *b, const uint64 *endb, uint64 *out)
{
	while (a < enda && b < endb)
		*out++ = *a <= *b ? *a++ : *b++;
	while (a < enda)
		*out++ = *a++;
	while (b < endb)
		*out++ = *b++;
}

/* Puts rows that were added in ordered runs in order, each once. */
void
rowset_sort(RowSet *set)
{
	int		n = set->n;
	uint64 *rows = set->rows;
	uint64 *other = NULL;
	int	   *run = palloc(sizeof(int) * (n + 2));
	int		nruns = 0;
	int		kept = 0;

	for (int i = 0; i < n; i++)
		if (i == 0 || rows[i] < rows[i - 1])
			run[nruns++] = i;
	run[nruns] = n;
	if (nruns > 1)
		other = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * set->capacity);
	while (nruns > 1)
	{
		uint64 *swap = rows;
		int		merged = 0;

		for (int r = 0; r < nruns; r += 2)
		{
			int mid = run[r + 1];
			int end = r + 1 < nruns ? run[r + 2] : mid;

			rows_merge(rows + run[r], rows + mid, rows + mid, rows + end, other + run[r]);
			run[merged++] = run[r];
		}
		run[merged] = n;
		nruns = merged;
		rows = other;
		other = swap;
	}
	if (other)
		pfree(other);
	pfree(run);
	for (int i = 0; i < n; i++)
		if (kept == 0 || rows[kept - 1] != rows[i])
			rows[kept++] = rows[i];
	set->rows = rows;
	set->n = kept;
}

/* Leaves the rows that are in the other set too. */
void
rowset_intersect(RowSet *set, const RowSet *other)
{
	int i = 0;
	int k = 0;
	int kept = 0;

	while (i < set->n && k < other->n)
	{
		if (set->rows[i] == other->rows[k])
		{
			set->rows[kept++] = set->rows[i++];
			k++;
		}
		else if (set->rows[i] < other->rows[k])
			i++;
		else
			k++;
	}
	set->n = kept;
}
