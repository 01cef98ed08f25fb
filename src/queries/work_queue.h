/*
 * work_queue.h
 *		What workers do with queries, leads and events: claim, work, report.
 */
#ifndef OPENINFO_WORK_QUEUE_H
#define OPENINFO_WORK_QUEUE_H

#include "openinfo.h"

#include "datatype/timestamp.h"

#include "core/statement.h"

/* A query runs once in this time.  Not "1 day", which is an hour longer or shorter when clocks change. */
#define QUERY_INTERVAL (INT64CONST(24) * USECS_PER_HOUR)

/*
 * The statement that reports on an item: $1 its workspace, $2 the item, $3 the status, $4 the error, $5 the
 * time, $6 the end of a new lease, $7 the contact, $8 the clock.  prefix: of the columns of the queue.  It
 * updates no row unless the report is accepted, and returns whether the item is exhausted.  back: the
 * attempts that a claimed item has once it is handed back.  other: more columns to set.
 */
#define WORK_QUEUE_REPORT(table, prefix, type, most, back, done, done_at, accepted, other)        \
	STATEMENT(                                                                                    \
		"UPDATE @extschema@." table                                                               \
		"   SET " prefix "status ="                                                               \
		"         CASE WHEN $3 = 'pending' AND " prefix "lease_until IS NOT NULL"                 \
		"                   AND " back " >= " most                                                \
		"              THEN 'failed' ELSE $3 END,"                                                \
		"       " prefix "attempts ="                                                             \
		"         CASE WHEN $3 = 'pending' AND " prefix "lease_until IS NOT NULL THEN " back      \
		"              WHEN $3 = 'pending' THEN 0"                                                \
		"              WHEN " prefix "lease_until IS NOT NULL THEN " prefix "attempts"            \
		"              ELSE " prefix "attempts + (" prefix "attempts < " most ")::int4 END,"      \
		"       " prefix "lease_until = $6,"                                                      \
		"       " done_at " = CASE WHEN $3 = '" done "' THEN $5 ELSE " done_at " END," other      \
		"       last_error = CASE WHEN $3 = '" done "' THEN $4 ELSE coalesce($4, last_error) END" \
		" WHERE workspace_id = $1 AND id = $2 AND (" accepted ")"                                 \
		" RETURNING " prefix "status = 'failed' AND " prefix "attempts >= " most,                 \
		"uuid, uuid, @extschema@." type ", text, timestamptz, timestamptz, jsonb, timestamptz")

/*
 * A column to set: an item that has failed waits 1, 2, 4 ... minutes for its next attempt, at most 6 hours.
 * A report without a claim counts as an attempt.
 */
#define WORK_QUEUE_WAIT(prefix, most)                                                           \
	"       " prefix "next_attempt_at ="                                                        \
	"         $8 + interval '1 minute' *"                                                       \
	"         CASE WHEN $3 = 'failed'"                                                          \
	"                   AND " prefix "attempts + (" prefix "lease_until IS NULL)::int4 < " most \
	"              THEN least(1 << (" prefix "attempts"                                         \
	"                              + (" prefix "lease_until IS NULL)::int4 - 1), 360) END,"

extern uint64 work_queue_report(Statement *report, Datum workspace, Datum item, Datum status,
								NullableDatum error, NullableDatum contact);
extern void	  work_queue_count_leads(Datum workspace, Datum query, int32 count);

#endif
