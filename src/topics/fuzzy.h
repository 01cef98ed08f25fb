/*
 * fuzzy.h
 *		What the search tries when a text, read as it is, finds nothing: spacing and typos.
 */
#ifndef OPENINFO_FUZZY_H
#define OPENINFO_FUZZY_H

#include "nodes/pg_list.h"

#include "topics/walk.h"

extern List *spacing_variants(const SearchQuery *q);
extern void	 search_walk(Search *s);

#endif
