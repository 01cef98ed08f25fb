/*
 * work_queue.h
 *		What workers do with queries and leads: claim, work, report.
 */
#ifndef OPENINFO_WORK_QUEUE_H
#define OPENINFO_WORK_QUEUE_H

#include "openinfo.h"

#include "datatype/timestamp.h"

/* A query runs once in this time.  Not "1 day", which is an hour longer or shorter when clocks change. */
#define QUERY_INTERVAL (INT64CONST(24) * USECS_PER_HOUR)

extern void work_queue_count_leads(Datum workspace, Datum query, int32 count);

#endif
