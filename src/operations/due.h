/*
 * due.h
 *		When a schedule of pg_cron is due.
 */
#ifndef OPENINFO_DUE_H
#define OPENINFO_DUE_H

#include "openinfo.h"

#include "datatype/timestamp.h"

/* A schedule of five fields; bit n of a field is set when n matches. */
typedef struct Schedule
{
	uint64 minutes;
	uint64 hours;
	uint64 days; /* of the month, 1 to 31 */
	uint64 months;
	uint64 weekdays; /* 0 is Sunday */
	bool   any_day;
	bool   any_weekday;
} Schedule;

extern bool due_parse(const char *at, Schedule *schedule);
extern bool due_after(const Schedule *schedule, TimestampTz after, TimestampTz *due);

#endif
