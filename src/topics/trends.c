/*
 * trends.c
 *		Where the volumes of topics are going: the weekly job, and its gainers and losers.
 *
 *	week	Monday to Sunday in UTC, named by its Monday
 *	change	per cent, from the latest earlier week to this one, rounded to two places; at most
 *			214,748,364,600.  Up and down are judged before it is rounded
 *	rank	1 is the greatest volume; topics of the same volume share a rank, and the next one counts them all
 *
 * Invariant: after the job has run, the rows of this week and the trend columns of global_topics follow from
 * the volumes and the earlier weeks alone, however often it ran.
 */
#include "openinfo.h"

#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"

#include "access/authorize.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"

#define TRENDING_LIMIT_DEFAULT 20
#define TRENDING_LIMIT_MAX 1000

/*
 * update_topic_trends() returns bigint
 *
 * Writes this week's row in trends for every topic, and change_percent and trend_direction on the topics;
 * rows whose values stay are not touched.  Returns the number of topics.
 * Callers: service_role and the scheduler.
 * Errors: 42501 any other role; 25006 READ ONLY; 40001 in REPEATABLE READ, when another run has finished
 * since the transaction began.
 * Locks: ShareUpdateExclusiveLock on trends, so that of two runs the second waits, and then finds nothing to
 * change; readers and writers of the table are not held up.  Rows of global_topics as any UPDATE.
 */
PG_FUNCTION_INFO_V1(openinfo_update_topic_trends);
Datum
openinfo_update_topic_trends(PG_FUNCTION_ARGS)
{
	static Statement update_trends = STATEMENT(
		"WITH week AS ("
		"    SELECT date_trunc('week', now() AT TIME ZONE 'UTC')::date AS starts"
		"), topic AS MATERIALIZED ("
		"    SELECT t.id, t.current_volume AS volume,"
		"           CASE WHEN before.volume > 0"
		"                THEN round((t.current_volume::numeric - before.volume) * 100 / before.volume, 2)"
		"           END AS change,"
		"           (t.current_volume::int8 - before.volume) * 10 AS tenfold,"
		"           before.volume AS base,"
		"           rank() OVER (ORDER BY t.current_volume DESC)::int AS overall,"
		"           rank() OVER (PARTITION BY t.category ORDER BY t.current_volume DESC)::int AS in_category"
		"      FROM @extschema@.global_topics t"
		"     CROSS JOIN week"
		"      LEFT JOIN LATERAL (SELECT r.volume"
		"                           FROM @extschema@.trends r"
		"                          WHERE r.topic_id = t.id AND r.week_start < week.starts"
		"                          ORDER BY r.week_start DESC"
		"                          LIMIT 1) before ON true"
		"), written AS ("
		"    INSERT INTO @extschema@.trends AS old"
		"           (topic_id, week_start, week_end, volume, change_percent, rank_overall, rank_category)"
		"    SELECT topic.id, week.starts, week.starts + 6, topic.volume, topic.change, topic.overall,"
		"           topic.in_category"
		"      FROM topic, week"
		"        ON CONFLICT (topic_id, week_start) DO UPDATE"
		"       SET volume = excluded.volume, change_percent = excluded.change_percent,"
		"           rank_overall = excluded.rank_overall, rank_category = excluded.rank_category"
		"     WHERE (old.volume, old.change_percent, old.rank_overall, old.rank_category)"
		"           IS DISTINCT FROM"
		"           (excluded.volume, excluded.change_percent, excluded.rank_overall, excluded.rank_category)"
		"), judged AS ("
		"    SELECT id, coalesce(change, 0) AS change,"
		"           (CASE WHEN tenfold > base THEN 'up' WHEN tenfold < -base THEN 'down' ELSE 'stable'"
		"            END)::@extschema@.trend_direction AS direction"
		"      FROM topic"
		"), marked AS ("
		"    UPDATE @extschema@.global_topics t"
		"       SET change_percent = judged.change, trend_direction = judged.direction"
		"      FROM judged"
		"     WHERE t.id = judged.id"
		"       AND (t.change_percent <> judged.change OR t.trend_direction <> judged.direction)"
		") SELECT count(*) FROM topic",
		"");
	StatementScope scope;
	int64		   topics;
	bool		   isnull;

	authorize_service("update_topic_trends");
	/* before the lock, which a standby refuses with another message */
	PreventCommandIfReadOnly("update_topic_trends()");

	LockRelationOid(catalog_table("trends"), ShareUpdateExclusiveLock);
	statement_begin(&scope);
	statement_run(&update_trends, NULL, NULL, false, 0);
	topics = DatumGetInt64(statement_value(1, &isnull));
	statement_end(&scope);
	PG_RETURN_INT64(topics);
}

/* The rows of get_trending_gainers() and get_trending_losers(), read as the caller. */
static Datum
trending(FunctionCallInfo fcinfo, Statement *statement)
{
	int32		   limit = PG_ARGISNULL(0) ? TRENDING_LIMIT_DEFAULT : PG_GETARG_INT32(0);
	Datum		   rows;
	StatementScope scope;

	if (limit < 1)
		error_below_one("result_limit", limit);

	rows = Int32GetDatum(Min(limit, TRENDING_LIMIT_MAX));
	statement_begin_as_caller(&scope);
	statement_return_query(fcinfo, statement, &rows, NULL);
	statement_end(&scope);
	return (Datum) 0;
}

/*
 * get_trending_gainers(result_limit int DEFAULT 20)
 *     returns table(id uuid, topic text, category topic_category, current_volume int, change_percent numeric)
 *
 * Topics that go up, by change, the greatest first; of the same change the one with the greater volume, then
 * by topic. result_limit: rows; NULL is the default, more than 1,000 is 1,000. Runs with the caller's rights
 * and policies on global_topics; served by idx_global_topics_trend.
 * Callers: authenticated, service_role.
 * Errors: 22023 result_limit below 1; 42501 no right to read the table.
 */
PG_FUNCTION_INFO_V1(openinfo_get_trending_gainers);
Datum
openinfo_get_trending_gainers(PG_FUNCTION_ARGS)
{
	static Statement gainers = STATEMENT(
		"SELECT id, topic, category, current_volume, change_percent"
		"  FROM @extschema@.global_topics"
		" WHERE trend_direction = 'up' AND trend_change IS NOT NULL"
		" ORDER BY trend_change DESC, current_volume DESC, topic COLLATE pg_catalog.\"C\""
		" LIMIT $1",
		"int4");

	return trending(fcinfo, &gainers);
}

/*
 * get_trending_losers(result_limit int DEFAULT 20)
 *     returns table(id uuid, topic text, category topic_category, current_volume int, change_percent numeric)
 *
 * Topics that go down, the greatest loss first; otherwise as get_trending_gainers().
 */
PG_FUNCTION_INFO_V1(openinfo_get_trending_losers);
Datum
openinfo_get_trending_losers(PG_FUNCTION_ARGS)
{
	static Statement losers = STATEMENT(
		"SELECT id, topic, category, current_volume, change_percent"
		"  FROM @extschema@.global_topics"
		" WHERE trend_direction = 'down' AND trend_change IS NOT NULL"
		" ORDER BY trend_change, current_volume DESC, topic COLLATE pg_catalog.\"C\""
		" LIMIT $1",
		"int4");

	return trending(fcinfo, &losers);
}
