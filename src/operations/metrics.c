/*
 * metrics.c
 *		Totals over the rows of all workspaces, for monitoring.
 *
 *	queue		queries, enrichment, delivery (see work_queue.c) and integration_events (see outbox.c).  Its
 *				depth is the number of items that a worker could claim now; its age is how long the oldest of
 *				them has been waiting
 *
 * View openinfo_metrics adds what every role may read in the catalog, and the jobs.
 *
 * Invariant: numbers only; nothing here tells one workspace from another.
 */
#include "openinfo.h"

#include "access/authorize.h"
#include "core/catalog.h"
#include "core/statement.h"

/*
 * The statement.  waits_...: conditions on leads that have failed; event: what is read of integration_events;
 * more: further metrics.
 */
#define METRICS(waits_to_enrich, waits_to_deliver, event, more)                                              \
	STATEMENT(                                                                                               \
		"WITH lead AS ("                                                                                     \
		"  SELECT count(*) FILTER (WHERE to_enrich) AS enrich,"                                              \
		"         min(created_at) FILTER (WHERE to_enrich) AS enrich_since,"                                 \
		"         count(*) FILTER (WHERE to_deliver) AS deliver,"                                            \
		"         min(created_at) FILTER (WHERE to_deliver) AS deliver_since,"                               \
		"         count(*) FILTER (WHERE enrichment_status = 'failed' AND enrichment_attempts >= 3)"         \
		"           AS unenriched,"                                                                          \
		"         count(*) FILTER (WHERE delivery_status = 'failed' AND delivery_attempts >= 3)"             \
		"           AS undelivered,"                                                                         \
		"         count(*) FILTER (WHERE enrichment_status = 'failed' OR delivery_status = 'failed')"        \
		"           AS failed"                                                                               \
		"    FROM (SELECT *,"                                                                                \
		"                 (enrichment_status IN ('pending', 'enriching')"                                    \
		"                  OR enrichment_status = 'failed' AND enrichment_attempts < 3)"                     \
		"                 AND (enrichment_lease_until IS NULL"                                               \
		"                      OR enrichment_lease_until <= now())" waits_to_enrich                          \
		"                   AS to_enrich,"                                                                   \
		"                 enrichment_status = 'enriched'"                                                    \
		"                 AND (delivery_status = 'pending'"                                                  \
		"                      OR delivery_status = 'failed' AND delivery_attempts < 3)"                     \
		"                 AND (delivery_lease_until IS NULL"                                                 \
		"                      OR delivery_lease_until <= now())" waits_to_deliver                           \
		"                   AS to_deliver"                                                                   \
		"            FROM @extschema@.leads) l),"                                                            \
		" query AS ("                                                                                        \
		"  SELECT count(*) AS due, min(coalesce(next_run_at, created_at)) AS since FROM @extschema@.queries" \
		"   WHERE status = 'active' AND (next_run_at <= now() OR next_run_at IS NULL)"                       \
		"     AND (lease_until IS NULL OR lease_until <= now())),"                                           \
		" event AS (" event "),"                                                                             \
		" queue (name, depth, since) AS ("                                                                   \
		"  SELECT 'queries', due, since FROM query"                                                          \
		"  UNION ALL SELECT 'enrichment', enrich, enrich_since FROM lead"                                    \
		"  UNION ALL SELECT 'delivery', deliver, deliver_since FROM lead"                                    \
		"  UNION ALL SELECT 'integration_events', due, since FROM event)"                                    \
		" SELECT 'openinfo_queue_depth', jsonb_build_object('queue', name), depth::float8 FROM queue"        \
		" UNION ALL"                                                                                         \
		" SELECT 'openinfo_queue_age_seconds', jsonb_build_object('queue', name),"                           \
		"        greatest(coalesce(extract(epoch FROM now() - since), 0), 0)::float8 FROM queue"             \
		" UNION ALL"                                                                                         \
		" SELECT 'openinfo_leads_exhausted', jsonb_build_object('phase', x.phase), x.n::float8"              \
		"   FROM lead, LATERAL (VALUES ('enrichment', unenriched), ('delivery', undelivered)) x (phase, n)"  \
		" UNION ALL"                                                                                         \
		" SELECT 'openinfo_expired_export_files', '{}', count(*)::float8"                                    \
		"   FROM @extschema@.expired_export_files"                                                           \
		" UNION ALL"                                                                                         \
		" SELECT 'openinfo_credits_spent_today', '{}', coalesce(sum(daily_credits_used), 0)::float8"         \
		"   FROM @extschema@.users WHERE credits_reset_on = (now() AT TIME ZONE 'UTC')::date"                \
		" UNION ALL"                                                                                         \
		" SELECT 'openinfo_failed_rows', jsonb_build_object('table', 'leads'), failed::float8 FROM lead"     \
		" UNION ALL"                                                                                         \
		" SELECT 'openinfo_failed_rows', jsonb_build_object('table', 'export_jobs'), count(*)::float8"       \
		"   FROM @extschema@.export_jobs WHERE status = 'failed'"                                            \
		" UNION ALL"                                                                                         \
		" SELECT 'openinfo_failed_rows', jsonb_build_object('table', 'integrations'), count(*)::float8"      \
		"   FROM @extschema@.integrations WHERE status = 'error'" more,                                      \
		"")

#define WAITS(phase) " AND (" phase "_next_attempt_at IS NULL OR " phase "_next_attempt_at <= now())"

/*
 * tenant_metrics() returns table (name text, labels jsonb, value double precision)
 *
 * Behind view openinfo_metrics.  Reads leads, export_jobs, users and the queues once each.
 * Callers: openinfo_monitor, service_role and superusers.  Errors: 42501 other callers.  Locks: AccessShare.
 */
PG_FUNCTION_INFO_V1(openinfo_tenant_metrics);
Datum
openinfo_tenant_metrics(PG_FUNCTION_ARGS)
{
	/* of a database at 1.0.0, and after it */
	static Statement read[] = {
		METRICS("", "",
				"  SELECT count(*) AS due, min(created_at) AS since FROM @extschema@.integration_events"
				"   WHERE sent_at IS NULL",
				""),
		METRICS(WAITS("enrichment"), WAITS("delivery"),
				"  SELECT count(*) FILTER (WHERE due) AS due, min(created_at) FILTER (WHERE due) AS since,"
				"         count(*) FILTER (WHERE NOT exhausted) AS unsent,"
				"         count(*) FILTER (WHERE exhausted) AS exhausted,"
				"         count(*) FILTER (WHERE failed) AS failed"
				"    FROM (SELECT e.created_at, e.status = 'failed' AS failed, x.exhausted,"
				"                 NOT x.exhausted AND i.status = 'active'"
				"                 AND greatest(e.created_at, e.next_attempt_at, e.lease_until) <= now()"
				"                   AS due"
				"            FROM @extschema@.integration_events e"
				"            JOIN @extschema@.integrations i"
				"              ON i.id = e.integration_id AND i.workspace_id = e.workspace_id"
				"           CROSS JOIN LATERAL (SELECT e.status = 'failed' AND e.attempts >= 8) x (exhausted)"
				"           WHERE e.sent_at IS NULL AND e.status <> 'delivered') e",
				" UNION ALL"
				" SELECT 'openinfo_events_unsent', '{}', unsent::float8 FROM event"
				" UNION ALL"
				" SELECT 'openinfo_events_exhausted', '{}', exhausted::float8 FROM event"
				" UNION ALL"
				" SELECT 'openinfo_failed_rows', jsonb_build_object('table', 'integration_events'),"
				"        failed::float8"
				"   FROM event")};
	StatementScope scope;

	authorize_monitor("tenant_metrics");
	statement_begin(&scope);
	(void) statement_return_query(
		fcinfo, &read[catalog_has_column("integration_events", "next_attempt_at")], NULL, NULL);
	statement_end(&scope);
	return (Datum) 0;
}
