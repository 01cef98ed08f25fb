/*
 * shards.h
 *		Where the rows of a table are, on a Citus cluster.
 */
#ifndef OPENINFO_SHARDS_H
#define OPENINFO_SHARDS_H

#include "openinfo.h"

#include "utils/uuid.h"

/* How Citus distributes a table. */
typedef enum Distribution
{
	DISTRIBUTION_NONE = 0,		  /* an ordinary table */
	DISTRIBUTION_REFERENCE = 'n', /* every node has all rows */
	DISTRIBUTION_HASH = 'h'		  /* a shard has the rows of some workspaces */
} Distribution;

extern void			shards_forget(Oid relid);
extern bool			shards_present(void);
extern Distribution shards_distribution(Oid relid);
extern Oid			shards_relation(Oid relid, const pg_uuid_t *workspace);
extern bool			shards_is_internal(void);

#endif
