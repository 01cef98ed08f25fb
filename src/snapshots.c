/*
 * snapshots.c
 *		Whether a snapshot shows the same as an earlier one.
 *
 *	mark	what a snapshot was: its contents, the command that it belongs to, and the epoch
 *	epoch	ends with the transaction, and with each subtransaction that is rolled back
 *
 * What a snapshot shows of other transactions depends on its contents alone; what it shows of its own transaction depends
 * on the command, and on the subtransactions that were rolled back.  So what was read with one snapshot need not be read
 * again with another that has the same mark.  When somebody has committed in between, the contents are others.  Nor has
 * anybody truncated or changed the table: the lock of whoever read it lasts as long as the epoch.
 *
 * Invariant: two snapshots with the same mark show the same rows.  Where that is not certain they have none.
 */
#include "openinfo.h"

#include "access/xact.h"

#include "snapshots.h"

static uint64 epoch = 1;

static void
transaction_ended(XactEvent event, void *arg)
{
	epoch++;
}

static void
subtransaction_event(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		epoch++;
}

void
snapshots_init(void)
{
	RegisterXactCallback(transaction_ended, NULL);
	RegisterSubXactCallback(subtransaction_event, NULL);
}

/* Remembers a snapshot; the mark equals nothing when the snapshot is of a kind that cannot be compared. */
void
snapshots_mark(SnapshotMark *mark, Snapshot snapshot)
{
	mark->epoch = 0;
	if (snapshot->snapshot_type != SNAPSHOT_MVCC || snapshot->suboverflowed ||
		snapshot->xcnt + (uint32) snapshot->subxcnt > SNAPSHOT_MARK_MAX)
		return;

	mark->xmin = snapshot->xmin;
	mark->xmax = snapshot->xmax;
	mark->command = snapshot->curcid;
	mark->in_recovery = snapshot->takenDuringRecovery;
	mark->xcnt = snapshot->xcnt;
	mark->subxcnt = snapshot->subxcnt;
	if (snapshot->xcnt > 0)
		memcpy(mark->running, snapshot->xip, snapshot->xcnt * sizeof(TransactionId));
	if (snapshot->subxcnt > 0)
		memcpy(mark->running + snapshot->xcnt, snapshot->subxip, snapshot->subxcnt * sizeof(TransactionId));
	mark->epoch = epoch;
}

bool
snapshots_same(const SnapshotMark *mark, Snapshot snapshot)
{
	return mark->epoch == epoch && mark->command == snapshot->curcid &&
		   mark->xmin == snapshot->xmin && mark->xmax == snapshot->xmax &&
		   mark->xcnt == snapshot->xcnt && mark->subxcnt == snapshot->subxcnt &&
		   mark->in_recovery == snapshot->takenDuringRecovery &&
		   snapshot->snapshot_type == SNAPSHOT_MVCC && !snapshot->suboverflowed &&
		   (mark->xcnt == 0 || memcmp(mark->running, snapshot->xip, mark->xcnt * sizeof(TransactionId)) == 0) &&
		   (mark->subxcnt == 0 || memcmp(mark->running + mark->xcnt, snapshot->subxip, mark->subxcnt * sizeof(TransactionId)) == 0);
}
