/*
 * shards.c
 *		Where the rows of a table are, on a Citus cluster.
 *
 *	shell		the table that a distributed table is on every node; it has no rows
 *	shard		a table, named as the shell and a number, with the rows of the workspaces whose hash is in its
 *				range.  It is on one node
 *	replica		the one shard of a reference table, which every node has
 *
 * Without Citus every table has its own rows, and this module looks up one name that does not exist.
 *
 * Invariant: a shard is read only where its placement is: after a move the old one remains for a while.  What
 * is kept here is forgotten when PostgreSQL says that the table changed; Citus says so when shards move.
 */
#include "openinfo.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_namespace_d.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "core/shards.h"

#define MAX_TABLES 64

/* Columns of Citus' catalog, which have not moved since it exists. */
#define PARTITION_RELATION 1
#define PARTITION_METHOD 2
#define SHARD_RELATION 1
#define SHARD_ID 2
#define SHARD_MIN 5
#define PLACEMENT_SHARD 2
#define PLACEMENT_GROUP 5
#define LOCAL_GROUP 1

typedef struct Shard
{
	int32 min; /* of the hashes of its workspaces */
	int64 id;
	bool  here; /* on this node */
} Shard;

typedef struct Shards
{
	Oid			 relid; /* InvalidOid: an empty entry */
	Distribution distribution;
	int			 count;
	Shard		*shards; /* by their minimum */
} Shards;

static Shards known[MAX_TABLES];

/* Whether Citus is in the database; looked up again when any table has changed, as every statement asks. */
static bool present;
static bool present_known = false;

/* Forgets what is known of a table, InvalidOid: of all. */
void
shards_forget(Oid relid)
{
	present_known = false;
	for (int i = 0; i < MAX_TABLES; i++)
		if (relid == InvalidOid || relid == known[i].relid)
			known[i].relid = InvalidOid;
}

static Oid
citus_table(const char *name)
{
	return get_relname_relid(name, PG_CATALOG_NAMESPACE);
}

/* Is Citus in this database? */
bool
shards_present(void)
{
	if (!present_known)
	{
		present = OidIsValid(citus_table("pg_dist_partition"));
		present_known = true;
	}
	return present;
}

/* Rows of a table of Citus whose column has a value; column 0: all. */
static List *
citus_rows(Relation rel, AttrNumber column, RegProcedure equal, Datum value)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *rows = NIL;

	if (column > 0)
		ScanKeyInit(&key, column, BTEqualStrategyNumber, equal, value);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, column > 0 ? 1 : 0, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		rows = lappend(rows, heap_copytuple(tuple));
	systable_endscan(scan);
	return rows;
}

static Distribution
read_distribution(Oid relid)
{
	Relation	 rel = table_open(citus_table("pg_dist_partition"), AccessShareLock);
	List		*rows = citus_rows(rel, PARTITION_RELATION, F_OIDEQ, ObjectIdGetDatum(relid));
	Distribution result = DISTRIBUTION_NONE;
	bool		 isnull;

	/* of a table that is distributed in a way that is not known, no rows are here */
	if (rows != NIL && RelationGetDescr(rel)->natts < PARTITION_METHOD)
		result = DISTRIBUTION_HASH;
	else if (rows != NIL)
		result = (Distribution) DatumGetChar(
			heap_getattr(linitial(rows), PARTITION_METHOD, RelationGetDescr(rel), &isnull));
	table_close(rel, AccessShareLock);
	return result;
}

/* Group of this node; 0 is the coordinator. */
static int32
read_local_group(void)
{
	Relation rel = table_open(citus_table("pg_dist_local_group"), AccessShareLock);
	List	*rows = citus_rows(rel, 0, InvalidOid, (Datum) 0);
	bool	 isnull;
	int32	 group = -1;

	if (rows != NIL)
		group = DatumGetInt32(heap_getattr(linitial(rows), LOCAL_GROUP, RelationGetDescr(rel), &isnull));
	table_close(rel, AccessShareLock);
	return group;
}

static int
compare_shards(const ListCell *a, const ListCell *b)
{
	const Shard *left = lfirst(a), *right = lfirst(b);

	return left->min < right->min ? -1 : left->min > right->min;
}

/* The shards of a table, by their minimum. */
static List *
read_shards(Oid relid)
{
	Relation  shard_rel = table_open(citus_table("pg_dist_shard"), AccessShareLock);
	Relation  placement_rel = table_open(citus_table("pg_dist_placement"), AccessShareLock);
	int32	  group = read_local_group();
	List	 *result = NIL;
	ListCell *lc, *pc;
	bool	  isnull;

	foreach (lc, citus_rows(shard_rel, SHARD_RELATION, F_OIDEQ, ObjectIdGetDatum(relid)))
	{
		Shard *shard = palloc0(sizeof(Shard));
		Datum  min = heap_getattr(lfirst(lc), SHARD_MIN, RelationGetDescr(shard_rel), &isnull);

		shard->min = isnull ? PG_INT32_MIN : pg_strtoint32(TextDatumGetCString(min));
		shard->id = DatumGetInt64(heap_getattr(lfirst(lc), SHARD_ID, RelationGetDescr(shard_rel), &isnull));
		foreach (pc, citus_rows(placement_rel, PLACEMENT_SHARD, F_INT8EQ, Int64GetDatum(shard->id)))
			if (DatumGetInt32(heap_getattr(lfirst(pc), PLACEMENT_GROUP, RelationGetDescr(placement_rel),
										   &isnull)) == group)
				shard->here = true;
		result = lappend(result, shard);
	}
	list_sort(result, compare_shards);
	table_close(placement_rel, AccessShareLock);
	table_close(shard_rel, AccessShareLock);
	return result;
}

/* What is known of a table; NULL without Citus. */
static Shards *
shards_of(Oid relid)
{
	Shards	 *entry = NULL, found = {.relid = relid};
	List	 *shards;
	ListCell *lc;

	if (!shards_present())
		return NULL;
	for (int i = 0; i < MAX_TABLES; i++)
	{
		if (known[i].relid == relid)
			return &known[i];
		if (entry == NULL && !OidIsValid(known[i].relid))
			entry = &known[i];
	}
	if (entry == NULL)
		elog(ERROR, "too many distributed tables");

	found.distribution = read_distribution(relid);
	shards = NIL;
	if (found.distribution != DISTRIBUTION_NONE && OidIsValid(citus_table("pg_dist_shard")))
		shards = read_shards(relid);
	if (entry->shards)
		pfree(entry->shards);
	entry->shards = NULL;
	found.shards = MemoryContextAllocZero(TopMemoryContext, Max(list_length(shards), 1) * sizeof(Shard));
	foreach (lc, shards)
		found.shards[found.count++] = *(Shard *) lfirst(lc);
	*entry = found;
	return entry;
}

Distribution
shards_distribution(Oid relid)
{
	Shards *shards = shards_of(relid);

	return shards ? shards->distribution : DISTRIBUTION_NONE;
}

/*
 * The relation on this node that has the rows of a table, of a workspace where it is distributed by that;
 * InvalidOid when they are on other nodes, or a workspace is not given.
 */
Oid
shards_relation(Oid relid, const pg_uuid_t *workspace)
{
	Shards *shards = shards_of(relid);
	int		i = 0;

	if (shards == NULL || shards->distribution == DISTRIBUTION_NONE)
		return relid;
	if (shards->distribution == DISTRIBUTION_HASH)
	{
		int32 hash;

		if (workspace == NULL)
			return InvalidOid;
		hash = DatumGetInt32(DirectFunctionCall1(uuid_hash, UUIDPGetDatum(workspace)));
		while (i + 1 < shards->count && shards->shards[i + 1].min <= hash)
			i++;
	}
	if (i >= shards->count || !shards->shards[i].here)
		return InvalidOid;
	return get_relname_relid(psprintf("%s_" INT64_FORMAT, get_rel_name(relid), shards->shards[i].id),
							 get_rel_namespace(relid));
}

/* Is this a connection that another node has made, to run its part of a statement? */
bool
shards_is_internal(void)
{
	const char *name = GetConfigOption("application_name", true, false);

	return name != NULL && strncmp(name, "citus_internal", strlen("citus_internal")) == 0;
}
