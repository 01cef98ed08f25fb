/*
 * rows.h
 *		Sets of row numbers.
 */
#ifndef OPENINFO_ROWS_H
#define OPENINFO_ROWS_H

#include "storage/itemptr.h"

/* Block and offset of index entries, each as one number; in order, but for rowset_add(). */
typedef struct RowSet
{
	uint64 *rows;
	int		n;
	int		capacity;
} RowSet;

/* The number of a row. */
static inline uint64
row_number(const ItemPointerData *item)
{
	return ((uint64) ItemPointerGetBlockNumberNoCheck(item) << 16) | ItemPointerGetOffsetNumberNoCheck(item);
}

extern void rowset_add(RowSet *set, const uint64 *rows, int n);
extern void rowset_take_items(RowSet *set, ItemPointerData *items, int n, const RowSet *only);
extern bool rowset_has(const RowSet *set, uint64 from, uint64 upto);
extern void rowset_sort(RowSet *set);
extern void rowset_intersect(RowSet *set, const RowSet *other);

#endif
