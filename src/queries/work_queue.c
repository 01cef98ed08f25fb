/*
 * work_queue.c
 *		What the workers do with queries and leads: claim, work, report.
 *
 *	claim	take items for oneself; everybody else passes them by until the lease ends
 *	lease	fifteen minutes from the statement that claims.  A worker that dies gives its items back by letting it end
 *	report	what became of an item; ends its lease
 *	attempt	one claim.  A report about an item that nobody has claimed counts as an attempt of its own
 *	spent	the third attempt's lease ended without a report
 *
 * Queries are due when they are active and next_run_at has come; NULL is at once.  update_query_run_time() is the
 * report.  A query is tried as often as it takes.
 *
 * Leads go twice through the same states, first for enrichment, then, once enriched, for delivery:
 *
 *		state				kept as									goes to
 *		waiting				pending, attempts below 3				claimed
 *		claimed				lease set (and status "enriching")		done, failed, waiting; at the lease's end: claimed again,
 *																	or given up when spent
 *		failed				failed, attempts below 3				claimed, at once: the application decides when to call
 *		given up			failed, attempts 3						nothing but a report "pending"
 *		done				enriched, or delivered					nothing but a report "pending"
 *
 * Reports: "enriched" and "delivered" end in done; "failed" in failed, or given up after the third attempt; "enriching"
 * renews the lease, or claims what nobody has claimed; "pending" hands a claimed lead back (given up, if that was its
 * third attempt), and lets any other lead start again from zero attempts.  A worker whose lease had ended may report
 * late: done stays done whatever he says, but the others take the last report, for nobody can tell the two apart.
 *
 * Invariant: within its lease an item belongs to one worker.  The row lock decides who that is: whoever gets it sees the
 * lease of a worker who was faster, and passes by.  NO KEY UPDATE, so that rows referring to the item can be written.
 *
 * Leases are counted from the clock at the statement's start, so that a long transaction does not claim with a lease
 * that has ended already; times that are kept, like last_run_at, are the transaction's, as all default times are.
 */
#include "openinfo.h"

#include "access/xact.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "access/authorize.h"
#include "core/errors.h"
#include "core/statement.h"
#include "queries/work_queue.h"

#define LEASE (INT64CONST(15) * USECS_PER_MINUTE)
#define QUERY_INTERVAL (INT64CONST(24) * USECS_PER_HOUR) /* not "1 day", which is an hour off when clocks change */
#define CLAIM_MAX 1000

/* ------------------------------------------------------------------------------------------------------------------
 * Claiming
 * ------------------------------------------------------------------------------------------------------------------ */

/* What every claiming function begins with: checks its caller and returns the number of items wanted. */
static int
claim_begin(FunctionCallInfo fcinfo, const char *function, StatementScope *scope)
{
	int32 wanted;

	authorize_service(function);
	if (PG_ARGISNULL(0))
		error_null("batch_size");
	wanted = PG_GETARG_INT32(0);
	if (wanted < 1)
		error_below_one("batch_size", wanted);
	statement_returns_table(fcinfo);
	statement_begin(scope);
	return Min(wanted, CLAIM_MAX);
}

/*
 * Claims up to so many items and adds them to what the function returns; returns how many are still wanted.
 *
 * The plan takes the number of items, the time and the end of the lease, and returns what it touched, oldest first, with
 * one column after those of the function: whether the item was spent and has been given up.  Those do not reach the
 * caller, and others are claimed in their place.
 */
static int
claim_items(FunctionCallInfo fcinfo, Statement *plan, int wanted)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	int			spent_column = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc->natts + 1;
	bool		again = true;

	while (again && wanted > 0)
	{
		Datum  values[3] = {Int32GetDatum(wanted), TimestampTzGetDatum(now), TimestampTzGetDatum(now + LEASE)};
		uint64 touched = statement_run(plan, values, NULL, false, 0);

		again = false;
		for (uint64 row = 0; row < touched; row++)
		{
			bool isnull;

			if (DatumGetBool(statement_value_at(row, spent_column, &isnull)))
				again = true;
			else
			{
				statement_return_row(fcinfo, row);
				wanted--;
			}
		}
	}
	return wanted;
}

/*
 * get_active_queries_for_processing(batch_size int default 100)
 *		returns table(id uuid, workspace_id uuid, topic_id uuid, filters jsonb, topic text)
 *
 * Claims due queries, the longest due first; batch_size above 1,000 is 1,000.  Two statements, because a scan that is
 * ordered by next_run_at cannot stop at the present when NULL is due too.
 * Callers: service_role.  Errors: 42501; 22023 batch_size NULL or below 1.  Locks: the rows, NO KEY UPDATE; locked rows
 * are skipped.
 */
PG_FUNCTION_INFO_V1(openinfo_get_active_queries_for_processing);
Datum
openinfo_get_active_queries_for_processing(PG_FUNCTION_ARGS)
{
	static Statement unplanned = STATEMENT("WITH claimed AS ("
										   "  UPDATE @extschema@.queries SET lease_until = $3"
										   "   WHERE id = ANY (ARRAY("
										   "     SELECT id FROM @extschema@.queries"
										   "      WHERE status = 'active' AND next_run_at IS NULL AND (lease_until IS NULL OR lease_until <= $2)"
										   "      ORDER BY created_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED))"
										   "  RETURNING *)"
										   " SELECT c.id, c.workspace_id, c.topic_id, c.filters, t.topic, false"
										   "   FROM claimed c JOIN @extschema@.global_topics t ON t.id = c.topic_id ORDER BY c.created_at, c.id",
										   "int4, timestamptz, timestamptz");
	static Statement due = STATEMENT("WITH claimed AS ("
									 "  UPDATE @extschema@.queries SET lease_until = $3"
									 "   WHERE id = ANY (ARRAY("
									 "     SELECT id FROM @extschema@.queries"
									 "      WHERE status = 'active' AND next_run_at <= $2 AND (lease_until IS NULL OR lease_until <= $2)"
									 "      ORDER BY next_run_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED))"
									 "  RETURNING *)"
									 " SELECT c.id, c.workspace_id, c.topic_id, c.filters, t.topic, false"
									 "   FROM claimed c JOIN @extschema@.global_topics t ON t.id = c.topic_id ORDER BY c.next_run_at, c.id",
									 "int4, timestamptz, timestamptz");
	StatementScope	 scope;
	int				 wanted = claim_begin(fcinfo, "get_active_queries_for_processing", &scope);

	wanted = claim_items(fcinfo, &unplanned, wanted);
	(void) claim_items(fcinfo, &due, wanted);
	statement_end(&scope);
	return (Datum) 0;
}

/*
 * get_leads_pending_enrichment(batch_size int default 50)
 *		returns table(id uuid, workspace_id uuid, query_id uuid, company_data jsonb, contact_data jsonb, attempts int)
 *
 * Claims leads that are to be enriched, the oldest first, and counts an attempt of each; attempts includes this one.
 * Leads that are spent are given up on the way.  Callers, errors and locks as above.
 */
PG_FUNCTION_INFO_V1(openinfo_get_leads_pending_enrichment);
Datum
openinfo_get_leads_pending_enrichment(PG_FUNCTION_ARGS)
{
	/* the first condition is the predicate of idx_leads_to_enrich; ARRAY, because a join might read the whole table */
	static Statement leads = STATEMENT("WITH claimed AS ("
									   "  UPDATE @extschema@.leads"
									   "     SET enrichment_status = CASE WHEN enrichment_attempts >= 3 THEN 'failed' ELSE 'enriching' END::@extschema@.enrichment_status,"
									   "         enrichment_attempts = enrichment_attempts + (enrichment_attempts < 3)::int4,"
									   "         enrichment_lease_until = CASE WHEN enrichment_attempts < 3 THEN $3 END,"
									   "         last_error = CASE WHEN enrichment_attempts < 3 THEN last_error ELSE 'no report within the lease' END"
									   "   WHERE id = ANY (ARRAY("
									   "     SELECT id FROM @extschema@.leads"
									   "      WHERE (enrichment_status IN ('pending', 'enriching') OR enrichment_status = 'failed' AND enrichment_attempts < 3)"
									   "        AND (enrichment_lease_until IS NULL OR enrichment_lease_until <= $2)"
									   "      ORDER BY created_at, id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED))"
									   "  RETURNING *)"
									   " SELECT id, workspace_id, query_id, company_data, contact_data, enrichment_attempts, enrichment_status = 'failed'"
									   "   FROM claimed ORDER BY created_at, id",
									   "int4, timestamptz, timestamptz");
	StatementScope	 scope;
	int				 wanted = claim_begin(fcinfo, "get_leads_pending_enrichment", &scope);

	(void) claim_items(fcinfo, &leads, wanted);
	statement_end(&scope);
	return (Datum) 0;
}

/*
 * get_leads_pending_delivery(batch_size int default 50)
 *		returns table(id uuid, workspace_id uuid, query_id uuid, company_data jsonb, contact_data jsonb, attempts int)
 *
 * Claims enriched leads that are to be delivered, otherwise as get_leads_pending_enrichment().
 */
PG_FUNCTION_INFO_V1(openinfo_get_leads_pending_delivery);
Datum
openinfo_get_leads_pending_delivery(PG_FUNCTION_ARGS)
{
	/* the first condition is the predicate of idx_leads_to_deliver */
	static Statement leads = STATEMENT("WITH claimed AS ("
									   "  UPDATE @extschema@.leads"
									   "     SET delivery_status = CASE WHEN delivery_attempts >= 3 THEN 'failed' ELSE 'pending' END::@extschema@.delivery_status,"
									   "         delivery_attempts = delivery_attempts + (delivery_attempts < 3)::int4,"
									   "         delivery_lease_until = CASE WHEN delivery_attempts < 3 THEN $3 END,"
									   "         last_error = CASE WHEN delivery_attempts < 3 THEN last_error ELSE 'no report within the lease' END"
									   "   WHERE id = ANY (ARRAY("
									   "     SELECT id FROM @extschema@.leads"
									   "      WHERE enrichment_status = 'enriched' AND (delivery_status = 'pending' OR delivery_status = 'failed' AND delivery_attempts < 3)"
									   "        AND (delivery_lease_until IS NULL OR delivery_lease_until <= $2)"
									   "      ORDER BY created_at, id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED))"
									   "  RETURNING *)"
									   " SELECT id, workspace_id, query_id, company_data, contact_data, delivery_attempts, delivery_status = 'failed'"
									   "   FROM claimed ORDER BY created_at, id",
									   "int4, timestamptz, timestamptz");
	StatementScope	 scope;
	int				 wanted = claim_begin(fcinfo, "get_leads_pending_delivery", &scope);

	(void) claim_items(fcinfo, &leads, wanted);
	statement_end(&scope);
	return (Datum) 0;
}

/* ------------------------------------------------------------------------------------------------------------------
 * Reporting on leads
 * ------------------------------------------------------------------------------------------------------------------ */

/* Runs a report.  It touches no row when the lead is done already, and that is well; but there must be such a lead. */
static void
report_on_lead(Statement *report, const Datum *values, const char *nulls)
{
	static Statement find = STATEMENT("SELECT FROM @extschema@.leads WHERE id = $1", "uuid");
	StatementScope	 scope;

	statement_begin(&scope);
	if (statement_run(report, values, nulls, false, 0) == 0 && statement_run(&find, values, NULL, false, 0) == 0)
		error_no_such_row("p_lead_id", "leads");
	statement_end(&scope);
}

/*
 * update_lead_enrichment(p_lead_id uuid, p_status enrichment_status, p_contact_data jsonb default null,
 *		p_error text default null) returns void
 *
 * Reports on the enrichment of a lead; the states are at the head of this file.  p_contact_data, when given, replaces
 * contact_data; p_error is kept in last_error, which success clears.  A late report about an enriched lead changes
 * nothing, but for "enriched" and "pending".
 * Callers: service_role.  Errors: 42501; 22023 id or status NULL, no such lead, or p_contact_data no object.
 * Locks: the row, NO KEY UPDATE.
 */
PG_FUNCTION_INFO_V1(openinfo_update_lead_enrichment);
Datum
openinfo_update_lead_enrichment(PG_FUNCTION_ARGS)
{
	static Statement report = STATEMENT("UPDATE @extschema@.leads"
										"   SET enrichment_status = CASE WHEN $2 = 'pending' AND enrichment_lease_until IS NOT NULL AND enrichment_attempts >= 3"
										"                                THEN 'failed' ELSE $2 END,"
										"       contact_data = coalesce($3, contact_data),"
										"       enrichment_attempts = CASE WHEN enrichment_lease_until IS NOT NULL THEN enrichment_attempts"
										"                                  WHEN $2 = 'pending' THEN 0 ELSE greatest(enrichment_attempts, least(enrichment_attempts + 1, 3)) END,"
										"       enrichment_lease_until = CASE WHEN $2 = 'enriching' THEN $5 END,"
										"       enriched_at = CASE WHEN $2 = 'enriched' THEN now() ELSE enriched_at END,"
										"       last_error = CASE WHEN $2 = 'enriched' THEN $4 ELSE coalesce($4, last_error) END"
										" WHERE id = $1 AND (enrichment_status <> 'enriched' OR $2 IN ('enriched', 'pending'))",
										"uuid, @extschema@.enrichment_status, jsonb, text, timestamptz");
	Datum			 values[5];
	char			 nulls[6] = "     ";

	authorize_service("update_lead_enrichment");
	if (PG_ARGISNULL(0))
		error_null("p_lead_id");
	if (PG_ARGISNULL(1))
		error_null("p_status");
	if (!PG_ARGISNULL(2) && !JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(2)))
		error_not_object("p_contact_data");

	for (int i = 0; i < 4; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	values[4] = TimestampTzGetDatum(GetCurrentStatementStartTimestamp() + LEASE);
	report_on_lead(&report, values, nulls);
	PG_RETURN_VOID();
}

/*
 * update_lead_delivery(p_lead_id uuid, p_status delivery_status, p_error text default null) returns void
 *
 * Reports on the delivery of a lead, otherwise as update_lead_enrichment().
 */
PG_FUNCTION_INFO_V1(openinfo_update_lead_delivery);
Datum
openinfo_update_lead_delivery(PG_FUNCTION_ARGS)
{
	static Statement report = STATEMENT("UPDATE @extschema@.leads"
										"   SET delivery_status = CASE WHEN $2 = 'pending' AND delivery_lease_until IS NOT NULL AND delivery_attempts >= 3"
										"                              THEN 'failed' ELSE $2 END,"
										"       delivery_attempts = CASE WHEN delivery_lease_until IS NOT NULL THEN delivery_attempts"
										"                                WHEN $2 = 'pending' THEN 0 ELSE greatest(delivery_attempts, least(delivery_attempts + 1, 3)) END,"
										"       delivery_lease_until = NULL,"
										"       delivered_at = CASE WHEN $2 = 'delivered' THEN now() ELSE delivered_at END,"
										"       last_error = CASE WHEN $2 = 'delivered' THEN $3 ELSE coalesce($3, last_error) END"
										" WHERE id = $1 AND (delivery_status <> 'delivered' OR $2 IN ('delivered', 'pending'))",
										"uuid, @extschema@.delivery_status, text");
	Datum			 values[3];
	char			 nulls[4] = "   ";

	authorize_service("update_lead_delivery");
	if (PG_ARGISNULL(0))
		error_null("p_lead_id");
	if (PG_ARGISNULL(1))
		error_null("p_status");

	for (int i = 0; i < 3; i++)
	{
		values[i] = PG_GETARG_DATUM(i);
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
	}
	report_on_lead(&report, values, nulls);
	PG_RETURN_VOID();
}

/* ------------------------------------------------------------------------------------------------------------------
 * Reporting on queries
 * ------------------------------------------------------------------------------------------------------------------ */

/*
 * update_query_run_time(query_id uuid) returns void
 *
 * The query has run: last run now, next in 24 hours; its lease ends.
 * Callers: service_role.  Errors: 42501; 22023 query_id NULL, or no such query.  Locks: the row, NO KEY UPDATE.
 */
PG_FUNCTION_INFO_V1(openinfo_update_query_run_time);
Datum
openinfo_update_query_run_time(PG_FUNCTION_ARGS)
{
	static Statement report = STATEMENT("UPDATE @extschema@.queries SET last_run_at = $2, next_run_at = $3, lease_until = NULL WHERE id = $1",
										"uuid, timestamptz, timestamptz");
	StatementScope	 scope;
	TimestampTz		 now = GetCurrentTransactionStartTimestamp();
	Datum			 values[3];

	authorize_service("update_query_run_time");
	if (PG_ARGISNULL(0))
		error_null("query_id");
	values[0] = PG_GETARG_DATUM(0);
	values[1] = TimestampTzGetDatum(now);
	values[2] = TimestampTzGetDatum(now + QUERY_INTERVAL);

	statement_begin(&scope);
	if (statement_run(&report, values, NULL, false, 0) == 0)
		error_no_such_row("query_id", "queries");
	statement_end(&scope);
	PG_RETURN_VOID();
}

/* A counter stops at its maximum, as all of them do: leads that are there matter more than how many there were. */
bool
work_queue_count_leads(const pg_uuid_t *query, int count)
{
	static Statement add = STATEMENT("UPDATE @extschema@.queries"
									 "   SET total_leads_generated = least(total_leads_generated::int8 + $2, 2147483647)::int4,"
									 "       leads_this_week = least(leads_this_week::int8 + $2, 2147483647)::int4"
									 " WHERE id = $1",
									 "uuid, int4");
	Datum			 values[2] = {UUIDPGetDatum(query), Int32GetDatum(count)};

	return statement_run(&add, values, NULL, false, 0) > 0;
}

/*
 * increment_query_leads(query_id uuid, lead_count int) returns void
 *
 * Adds to both counters of a query, which stop at their maximum.  ingest_leads() does so by itself; this is for leads that came another way.
 * Callers: service_role.  Errors: 42501; 22023 an argument NULL, lead_count negative, or no such query.  Locks: the row,
 * NO KEY UPDATE.
 */
PG_FUNCTION_INFO_V1(openinfo_increment_query_leads);
Datum
openinfo_increment_query_leads(PG_FUNCTION_ARGS)
{
	StatementScope scope;

	authorize_service("increment_query_leads");
	if (PG_ARGISNULL(0))
		error_null("query_id");
	if (PG_ARGISNULL(1))
		error_null("lead_count");
	if (PG_GETARG_INT32(1) < 0)
		error_negative("lead_count", PG_GETARG_INT32(1));

	statement_begin(&scope);
	if (!work_queue_count_leads(PG_GETARG_UUID_P(0), PG_GETARG_INT32(1)))
		error_no_such_row("query_id", "queries");
	statement_end(&scope);
	PG_RETURN_VOID();
}
