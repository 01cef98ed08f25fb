/*
 * work_queue.h
 *		What the workers do: claim, work, report.
 */
#ifndef OPENINFO_PROCESSING_H
#define OPENINFO_PROCESSING_H

#include "openinfo.h"

#include "utils/uuid.h"

/* Adds leads to a query's counters, within statement_begin(); false when there is no such query. */
extern bool work_queue_count_leads(const pg_uuid_t *query, int count);

#endif
