/*
 * pending.h
 *		What the pending list of a search index has.
 */
#ifndef OPENINFO_PENDING_H
#define OPENINFO_PENDING_H

#include "topics/keys.h"
#include "topics/pages.h"

typedef struct Pending Pending;

extern Pending *pending_read(Relation index, KeyScope scope);
extern void		pending_keys(const Pending *pending, const bytea *from, int scope, PostingVisitor visit,
							 void *arg);

#endif
