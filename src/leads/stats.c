/*
 * stats.c
 *		The numbers of a workspace, for its dashboard.
 *
 * Invariant: one statement, so that all numbers are those of one snapshot; it reads each table once.
 */
#include "openinfo.h"

#include "access/xact.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "access/authorize.h"
#include "core/statement.h"

/* Timestamps count from 2000-01-01 00:00 UTC, a Saturday. */
#define FIRST_MONDAY (2 * USECS_PER_DAY)

/*
 * Start of the period that a time is in; one of the periods starts at origin.  Computed here, once, because
 * date_trunc() would be called for every row.
 */
static TimestampTz
period_start(TimestampTz time, TimestampTz origin, int64 length)
{
	int64 into = (time - origin) % length;

	return time - (into < 0 ? into + length : into);
}

/*
 * get_workspace_stats(p_workspace_id uuid default get_user_workspace_id()) returns jsonb
 *
 *		{"leads":	{"total", "today", "this_week",
 *					 "by_status": {"enrichment": {"pending", "enriching", "enriched", "failed"},
 *								   "delivery":   {"pending", "delivered", "failed"}}},
 *		 "queries": {"total", "active", "paused", "completed"},
 *		 "credits": {"used", "limit", "remaining"},		-- of all members together; null is unlimited
 *		 "members": n}
 *
 * Today and this week begin at midnight and on Monday, UTC.  Credits are those of the UTC day: a counter that
 * belongs to an earlier day counts as zero.
 * Callers: authenticated for the active workspace, service_role for any.  Errors: PT401; 42501 another
 * workspace, or none; 22023 (service_role) NULL, or no such workspace.  Locks: none but AccessShare.
 */
PG_FUNCTION_INFO_V1(openinfo_get_workspace_stats);
Datum
openinfo_get_workspace_stats(PG_FUNCTION_ARGS)
{
	static Statement stats = STATEMENT(
		"SELECT jsonb_build_object('leads', l.stats, 'queries', q.stats, 'credits', m.credits,"
		"                          'members', m.members)"
		"  FROM @extschema@.workspaces w,"
		"       (SELECT jsonb_build_object("
		"                 'total', count(*),"
		"                 'today', count(*) FILTER (WHERE created_at >= $2),"
		"                 'this_week', count(*) FILTER (WHERE created_at >= $3),"
		"                 'by_status', jsonb_build_object("
		"                   'enrichment', jsonb_build_object("
		"                     'pending', count(*) FILTER (WHERE enrichment_status = 'pending'),"
		"                     'enriching', count(*) FILTER (WHERE enrichment_status = 'enriching'),"
		"                     'enriched', count(*) FILTER (WHERE enrichment_status = 'enriched'),"
		"                     'failed', count(*) FILTER (WHERE enrichment_status = 'failed')),"
		"                   'delivery', jsonb_build_object("
		"                     'pending', count(*) FILTER (WHERE delivery_status = 'pending'),"
		"                     'delivered', count(*) FILTER (WHERE delivery_status = 'delivered'),"
		"                     'failed', count(*) FILTER (WHERE delivery_status = 'failed')))) AS stats"
		"          FROM @extschema@.leads WHERE workspace_id = $1) l,"
		"       (SELECT jsonb_build_object("
		"                 'total', count(*),"
		"                 'active', count(*) FILTER (WHERE status = 'active'),"
		"                 'paused', count(*) FILTER (WHERE status = 'paused'),"
		"                 'completed', count(*) FILTER (WHERE status = 'completed')) AS stats"
		"          FROM @extschema@.queries WHERE workspace_id = $1) q,"
		"       (SELECT count(*) AS members,"
		"               jsonb_build_object("
		"                 'used', coalesce(sum(used), 0),"
		"                 'limit', CASE WHEN count(*) = count(daily_credit_limit)"
		"                               THEN coalesce(sum(daily_credit_limit), 0) END,"
		"                 'remaining', CASE WHEN count(*) = count(daily_credit_limit)"
		"                                   THEN coalesce(sum(greatest(daily_credit_limit - used, 0)), 0)"
		"                                   END)"
		"                 AS credits"
		"          FROM @extschema@.users,"
		"               LATERAL (SELECT CASE WHEN credits_reset_on >= $4 THEN daily_credits_used"
		"                                    ELSE 0 END AS used) u"
		"         WHERE workspace_id = $1) m"
		" WHERE w.id = $1",
		"uuid, timestamptz, timestamptz, date");
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	TimestampTz today = period_start(now, 0, USECS_PER_DAY);
	Datum		values[4];

	values[1] = TimestampTzGetDatum(today);
	values[2] = TimestampTzGetDatum(period_start(now, FIRST_MONDAY, 7 * USECS_PER_DAY));
	values[3] = DateADTGetDatum((DateADT) (today / USECS_PER_DAY));
	return authorize_workspace_query(fcinfo, &stats, values, false);
}
