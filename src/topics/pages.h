/*
 * pages.h
 *		The search index, read page by page.
 */
#ifndef OPENINFO_PAGES_H
#define OPENINFO_PAGES_H

#include "utils/rel.h"

#include "topics/rows.h"

/* The rows of a key: in a list, in a tree, or where only the access method knows; read when needed. */
typedef struct Posting
{
	const bytea *key;
	const void	*list;
	BlockNumber	 tree;
	int			 n; /* rows, when in a list */
	bool		 read;
	RowSet		 set;
} Posting;

/* Shown a key; says whether to go on. */
typedef bool (*PostingVisitor)(void *arg, const char *key, int n, const Posting *posting);

typedef struct Pages Pages;

extern Pages *pages_open(Relation index, int budget, bool pending);
extern bool	  pages_keys(Pages *pages, const bytea *from, int nprefix, int scope, PostingVisitor visit,
						 void *arg);
extern bool	  pages_rows(Pages *pages, const Posting *posting, const RowSet *only, RowSet *out);

#endif
