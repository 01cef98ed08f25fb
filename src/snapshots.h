/*
 * snapshots.h
 *		Whether a snapshot shows the same as an earlier one.
 */
#ifndef OPENINFO_SNAPSHOTS_H
#define OPENINFO_SNAPSHOTS_H

#include "openinfo.h"

#include "utils/snapshot.h"

/* snapshots with more running transactions than this are not worth comparing */
#define SNAPSHOT_MARK_MAX 256

/* What a snapshot was; zero is no snapshot at all. */
typedef struct SnapshotMark
{
	uint64		  epoch;
	TransactionId xmin;
	TransactionId xmax;
	CommandId	  command;
	bool		  in_recovery;
	uint32		  xcnt;
	int32		  subxcnt;
	TransactionId running[SNAPSHOT_MARK_MAX]; /* xip, then subxip */
} SnapshotMark;

extern void snapshots_init(void);
extern void snapshots_mark(SnapshotMark *mark, Snapshot snapshot);
extern bool snapshots_same(const SnapshotMark *mark, Snapshot snapshot);

#endif
