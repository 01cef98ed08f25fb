/*
 * due.c
 *		When a schedule of pg_cron is due.
 *
 *	schedule	minute, hour, day of the month, month and weekday, each a list of numbers, ranges and steps, as cron has them
 *
 * pg_cron says when a job ran but not when it should.  What this does not read (names of months and weekdays, @daily,
 * "30 seconds", the last day of a month) it says it does not; it never guesses.
 */
#include "openinfo.h"

#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "operations/due.h"

/* a 29 February comes round within eight years */
#define DUE_HORIZON (8 * 366)

/* Reads a number and moves on; false when there is none or it is out of range. */
static bool
due_number(const char **at, int lowest, int highest, int *number)
{
	const char *p = *at;

	*number = 0;
	while (*p >= '0' && *p <= '9' && *number <= highest)
		*number = *number * 10 + (*p++ - '0');
	if (p == *at || *number < lowest || *number > highest)
		return false;
	*at = p;
	return true;
}

/* Reads one field and the blanks behind it, and moves on. */
static bool
due_field(const char **at, int lowest, int highest, uint64 *bits)
{
	*bits = 0;
	for (;;)
	{
		int first = lowest, last = highest, step = 1;

		if (**at == '*')
			(*at)++;
		else
		{
			if (!due_number(at, lowest, highest, &first))
				return false;
			last = first;
			if (**at == '-' && ((*at)++, !due_number(at, first, highest, &last)))
				return false;
			if (**at == '/' && last == first)
				return false;
		}
		if (**at == '/' && ((*at)++, !due_number(at, 1, highest, &step)))
			return false;
		for (int n = first; n <= last; n += step)
			*bits |= UINT64CONST(1) << n;
		if (**at != ',')
			break;
		(*at)++;
	}
	if (**at != '\0' && **at != ' ' && **at != '\t')
		return false;
	while (**at == ' ' || **at == '\t')
		(*at)++;
	return true;
}

/* Reads a schedule; false when it is none that we know. */
bool
due_parse(const char *at, Schedule *schedule)
{
	while (*at == ' ' || *at == '\t')
		at++;
	if (!due_field(&at, 0, 59, &schedule->minutes) || !due_field(&at, 0, 23, &schedule->hours))
		return false;
	schedule->any_day = *at == '*';
	if (!due_field(&at, 1, 31, &schedule->days) || !due_field(&at, 1, 12, &schedule->months))
		return false;
	schedule->any_weekday = *at == '*';
	if (!due_field(&at, 0, 7, &schedule->weekdays) || *at != '\0')
		return false;
	/* Sunday is 0 and 7 */
	if (schedule->weekdays & (UINT64CONST(1) << 7))
		schedule->weekdays |= 1;
	return true;
}

static bool
due_has(uint64 bits, int n)
{
	return (bits >> n) & 1;
}

/* As in every cron: when both days are restricted, either will do. */
static bool
due_on(const Schedule *schedule, int month, int day, int weekday)
{
	bool by_day = due_has(schedule->days, day);
	bool by_weekday = due_has(schedule->weekdays, weekday);

	if (!due_has(schedule->months, month))
		return false;
	return schedule->any_day || schedule->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

/* pg_cron runs by GMT unless, from 1.6 on, it is told otherwise. */
static pg_tz *
due_zone(void)
{
	const char *name = GetConfigOption("cron.timezone", true, false);
	pg_tz	   *zone = name != NULL ? pg_tzset(name) : NULL;

	return zone != NULL ? zone : pg_tzset("GMT");
}

/* First due minute after a time; false when there is none. */
bool
due_after(const Schedule *schedule, TimestampTz after, TimestampTz *due)
{
	pg_tz		*zone = due_zone();
	struct pg_tm tm;
	fsec_t		 fsec;
	int			 offset, today, past;

	if (timestamp2tm(after, &offset, &tm, &fsec, NULL, zone) != 0)
		return false;
	today = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday);
	past = tm.tm_hour * MINS_PER_HOUR + tm.tm_min;

	for (int julian = today; julian < today + DUE_HORIZON; julian++, past = -1)
	{
		j2date(julian, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		if (!due_on(schedule, tm.tm_mon, tm.tm_mday, j2day(julian)))
			continue;
		for (int minute = past + 1; minute < HOURS_PER_DAY * MINS_PER_HOUR; minute++)
			if (due_has(schedule->hours, minute / MINS_PER_HOUR) && due_has(schedule->minutes, minute % MINS_PER_HOUR))
			{
				tm.tm_hour = minute / MINS_PER_HOUR;
				tm.tm_min = minute % MINS_PER_HOUR;
				tm.tm_sec = 0;
				offset = DetermineTimeZoneOffset(&tm, zone);
				return tm2timestamp(&tm, 0, &offset, due) == 0;
			}
	}
	return false;
}
