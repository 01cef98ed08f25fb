/*
 * work_queue.c
 *		What workers do with queries, leads and events: claim, work, report.  Events are in
 *		integrations/outbox.c.
 *
 *	claim		reserve items for one worker; other workers skip them until the lease ends
 *	lease		fifteen minutes from the statement that claims.  The items of a worker that dies can be
 *				claimed again when their lease has ended
 *	report		what became of an item; ends its lease
 *	attempt		one claim.  A report about an item that nobody has claimed counts as an attempt of its own
 *	exhausted	of three attempts none has succeeded: the last one failed, or its lease ended without a report
 *	wait		one minute after the first attempt that failed, two after the second
 *
 * Queries are due when they are active and next_run_at has come; NULL means at once.  update_query_run_time()
 * is the report.  The number of attempts is not limited.
 *
 * A lead passes the same states twice: in phase "enrichment" and, once it is enriched, in phase "delivery".
 *
 *		state		stored as								next state
 *		waiting		pending, fewer than 3 attempts			claimed
 *		claimed		lease set (and status "enriching")		done, failed or waiting; at the end of the lease
 *															claimed again, or exhausted
 *		failed		failed, fewer than 3 attempts			claimed, after its wait
 *		exhausted	failed, 3 attempts						only a report "pending" leads out of it
 *		done		enriched or delivered					only a report "pending" leads out of it
 *
 * Reports: "enriched" and "delivered" lead to done; "failed" to failed, or to exhausted after the third
 * attempt; "enriching" renews the lease, or claims a lead that nobody has claimed; "pending" returns a
 * claimed lead (exhausted, if that was its third attempt), and restarts any other lead at zero attempts.  A
 * worker whose lease has ended may report late: a lead that is done stays done, and in every other state the
 * last report counts, because the two workers cannot be told apart.  A database that is still
 * at 1.0.0 has no column for the wait: there a failed lead can be claimed at once.
 *
 * Invariant: until its lease ends an item belongs to one worker.  The row lock decides which: the next one to
 * get it sees the new lease and skips the item.  The lock is NO KEY UPDATE, so that rows that refer to the
 * item can be written.
 *
 * Leases are counted from the clock at the start of the statement, so that a long transaction does not claim
 * with a lease that has ended already; times that are stored, like last_run_at, are those of the transaction,
 * as all default times are.
 */
#include "openinfo.h"

#include "access/xact.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "access/authorize.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "queries/claim.h"
#include "queries/work_queue.h"

/* 2000-01-03 00:00 UTC; timestamps count from the Saturday before. */
#define FIRST_MONDAY (2 * USECS_PER_DAY)

/* --------------------------------------------------------------------------------------------------------
 * Claiming
 * -------------------------------------------------------------------------------------------------------- */

#define QUERY_DUE                                                            \
	"q.status = 'active' AND (q.next_run_at <= $2 OR q.next_run_at IS NULL)" \
	" AND (q.lease_until IS NULL OR q.lease_until <= $2)"

/* Due queries with their turn. */
#define QUERY_TURNS(there)                                                     \
	"(SELECT id, workspace_id AS workspace, next_run_at,"                      \
	"        row_number() OVER (PARTITION BY workspace_id"                     \
	"                           ORDER BY next_run_at NULLS FIRST, id) AS turn" \
	"   FROM @extschema@.queries q WHERE " QUERY_DUE there ") due"

/* The conditions are repeated for the locked row, which may have been claimed in the meantime. */
#define CLAIM_QUERIES(turns, there)                                               \
	"WITH claimed AS ("                                                           \
	"  UPDATE @extschema@.queries SET lease_until = $3"                           \
	"   WHERE id = ANY (ARRAY("                                                   \
	"     SELECT q.id FROM " turns " JOIN @extschema@.queries q ON q.id = due.id" \
	"      WHERE " QUERY_DUE there                                                \
	"      ORDER BY due.turn, q.next_run_at NULLS FIRST, q.id LIMIT $1"           \
	"        FOR NO KEY UPDATE OF q SKIP LOCKED))" there                          \
	"  RETURNING *)"                                                              \
	" SELECT c.id, c.workspace_id, c.topic_id, c.filters, t.topic, false"         \
	"   FROM claimed c JOIN @extschema@.global_topics t ON t.id = c.topic_id"     \
	"  ORDER BY row_number() OVER (PARTITION BY c.workspace_id"                   \
	"                              ORDER BY c.next_run_at NULLS FIRST, c.id),"    \
	"           c.next_run_at NULLS FIRST, c.id"

/*
 * get_active_queries_for_processing(batch_size int default 100)
 *		returns table(id uuid, workspace_id uuid, topic_id uuid, filters jsonb, topic text)
 *
 * Claims due queries in turns: one query of each workspace, then a second one of each, and so on; within a
 * turn the longest due comes first.  So a workspace waits for as many queries of another as it has itself,
 * however many are due there.  batch_size above 1,000 is 1,000.
 * Callers: service_role.  Errors: 42501; 22023 batch_size NULL or below 1.  Locks: the rows, NO KEY UPDATE;
 * locked rows are skipped.
 */
PG_FUNCTION_INFO_V1(openinfo_get_active_queries_for_processing);
Datum
openinfo_get_active_queries_for_processing(PG_FUNCTION_ARGS)
{
	static Claim claim = CLAIM(
		CLAIM_QUERIES(QUERY_TURNS(""), ""),
		CLAIM_QUERIES(QUERY_TURNS(CLAIM_THERE), CLAIM_THERE),
		"SELECT workspace FROM " QUERY_TURNS("") " ORDER BY turn, next_run_at NULLS FIRST, id LIMIT $1");

	return claim_run(fcinfo, "get_active_queries_for_processing", &claim, statement_return_row);
}

/*
 * Leads that are due in a phase.  The condition is the predicate of the phase's partial index, word for word;
 * waited: another one, or "" without the column for the wait.
 */
#define LEADS_DUE(phase, condition, waited, there)                                 \
	"FROM @extschema@.leads"                                                       \
	" WHERE (" condition ")"                                                       \
	"   AND (" phase "_lease_until IS NULL OR " phase "_lease_until <= $2)" waited \
		there " ORDER BY created_at, id LIMIT $1"

/* The statement that claims them; ARRAY, because the planner might read the whole table for a join. */
#define CLAIM_LEADS_SQL(phase, claimed, due, end_wait, there)                                 \
	"WITH claimed AS ("                                                                       \
	"  UPDATE @extschema@.leads"                                                              \
	"     SET " phase "_status = CASE WHEN " phase "_attempts < 3 THEN '" claimed "'"         \
	"                            ELSE 'failed' END::@extschema@." phase "_status,"            \
	"         " phase "_attempts = " phase "_attempts + (" phase "_attempts < 3)::int4,"      \
	"         " phase "_lease_until = CASE WHEN " phase "_attempts < 3 THEN $3 END," end_wait \
	"         last_error = CASE WHEN " phase "_attempts < 3 THEN last_error"                  \
	"                           ELSE 'no report within the lease' END"                        \
	"   WHERE id = ANY (ARRAY(SELECT id " due " FOR NO KEY UPDATE SKIP LOCKED))" there        \
	"  RETURNING *)"                                                                          \
	" SELECT id, workspace_id, query_id, company_data, contact_data, " phase "_attempts,"     \
	"        " phase "_status = 'failed'"                                                     \
	"   FROM claimed ORDER BY created_at, id"

#define CLAIM_LEADS_WAITED(phase, claimed, condition, waited, end_wait)                         \
	CLAIM(                                                                                      \
		CLAIM_LEADS_SQL(phase, claimed, LEADS_DUE(phase, condition, waited, ""), end_wait, ""), \
		CLAIM_LEADS_SQL(phase, claimed, LEADS_DUE(phase, condition, waited, CLAIM_THERE),       \
						end_wait, CLAIM_THERE),                                                 \
		"SELECT workspace_id " LEADS_DUE(phase, condition, waited, ""))

/* Without the column for the wait, and with it. */
#define CLAIM_LEADS(phase, claimed, condition)                               \
	{                                                                        \
		CLAIM_LEADS_WAITED(phase, claimed, condition, "", ""),               \
			CLAIM_LEADS_WAITED(phase, claimed, condition,                    \
							   " AND (" phase "_next_attempt_at IS NULL"     \
							   "      OR " phase "_next_attempt_at <= $2)",  \
							   "         " phase "_next_attempt_at = NULL,") \
	}

/*
 * get_leads_pending_enrichment(batch_size int default 50)
 *		returns table(id uuid, workspace_id uuid, query_id uuid, company_data jsonb, contact_data jsonb,
 *			attempts int)
 *
 * Claims leads that are to be enriched, the oldest first, and counts an attempt of each; attempts includes
 * this one. Leads found exhausted are marked as such.  Callers, errors and locks: as
 * get_active_queries_for_processing().
 */
PG_FUNCTION_INFO_V1(openinfo_get_leads_pending_enrichment);
Datum
openinfo_get_leads_pending_enrichment(PG_FUNCTION_ARGS)
{
	static Claim claim[] = CLAIM_LEADS("enrichment", "enriching",
									   "enrichment_status IN ('pending', 'enriching')"
									   " OR enrichment_status = 'failed'"
									   " AND enrichment_attempts < 3");

	return claim_run(fcinfo, "get_leads_pending_enrichment",
					 &claim[catalog_has_column("leads", "enrichment_next_attempt_at")],
					 statement_return_row);
}

/*
 * get_leads_pending_delivery(batch_size int default 50)
 *		returns table(id uuid, workspace_id uuid, query_id uuid, company_data jsonb, contact_data jsonb,
 *			attempts int)
 *
 * Claims enriched leads that are to be delivered, otherwise as get_leads_pending_enrichment().
 */
PG_FUNCTION_INFO_V1(openinfo_get_leads_pending_delivery);
Datum
openinfo_get_leads_pending_delivery(PG_FUNCTION_ARGS)
{
	static Claim claim[] = CLAIM_LEADS("delivery", "pending",
									   "enrichment_status = 'enriched'"
									   " AND (delivery_status = 'pending'"
									   " OR delivery_status = 'failed' AND delivery_attempts < 3)");

	return claim_run(fcinfo, "get_leads_pending_delivery",
					 &claim[catalog_has_column("leads", "delivery_next_attempt_at")],
					 statement_return_row);
}

/* --------------------------------------------------------------------------------------------------------
 * Reporting on leads
 * -------------------------------------------------------------------------------------------------------- */

/* The workspace of an item that the service names by its id alone. */
static Datum
workspace_of(Statement *find, const char *what, Datum id)
{
	bool isnull;

	if (statement_run(find, &id, NULL, false, 0) == 0)
		error_no_such_row(what, DatumGetUUIDP(id));
	return statement_value(1, &isnull);
}

/*
 * Runs a report within statement_begin(), and returns the number of rows that it has changed; error and
 * contact may be NULL.
 */
uint64
work_queue_report(Statement *report, Datum workspace, Datum item, Datum status, NullableDatum error,
				  NullableDatum contact)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();
	Datum		values[8] = {workspace, item, status, error.value,
							 TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()),
							 TimestampTzGetDatum(now + CLAIM_LEASE), contact.value, TimestampTzGetDatum(now)};
	char		nulls[9] = "        ";

	nulls[3] = error.isnull ? 'n' : ' ';
	nulls[6] = contact.isnull ? 'n' : ' ';
	/* a report ends the lease, but the one that renews it */
	if (DatumGetObjectId(status) != catalog_enum("enrichment_status", "enriching"))
		nulls[5] = 'n';
	return statement_run(report, values, nulls, false, 0);
}

/* The statements that report on a lead, without the column for the wait and with it. */
#define REPORT_ON_LEAD(phase, done, other)                                         \
	{                                                                              \
		REPORT_ON_LEAD_SQL(phase, done, other),                                    \
			REPORT_ON_LEAD_SQL(phase, done, other WORK_QUEUE_WAIT(phase "_", "3")) \
	}
#define REPORT_ON_LEAD_SQL(phase, done, other)                  \
	WORK_QUEUE_REPORT("leads", phase "_", phase "_status", "3", \
					  phase "_attempts", done, done "_at",      \
					  phase "_status <> '" done "' OR $3 IN ('" done "', 'pending')", other)

static Statement find_lead = STATEMENT("SELECT workspace_id FROM @extschema@.leads WHERE id = $1", "uuid");

/* A function that reports on a lead, whose first two arguments are the lead and the status. */
static Datum
report_on_lead(FunctionCallInfo fcinfo, const char *function, Statement *report, int error, int contact)
{
	static const NullableDatum missing = {.isnull = true};
	StatementScope			   scope;
	Datum					   lead;

	authorize_service(function);
	if (PG_ARGISNULL(0))
		error_null("p_lead_id");
	if (PG_ARGISNULL(1))
		error_null("p_status");
	if (contact >= 0 && !PG_ARGISNULL(contact) && !JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(contact)))
		error_not_object("p_contact_data");

	lead = PG_GETARG_DATUM(0);
	statement_begin(&scope);
	(void) work_queue_report(report, workspace_of(&find_lead, "lead", lead), lead, PG_GETARG_DATUM(1),
							 fcinfo->args[error], contact < 0 ? missing : fcinfo->args[contact]);
	statement_end(&scope);
	PG_RETURN_VOID();
}

/*
 * update_lead_enrichment(p_lead_id uuid, p_status enrichment_status, p_contact_data jsonb default null,
 *		p_error text default null) returns void
 *
 * Reports on the enrichment of a lead; the states are described at the head of this file.  p_contact_data,
 * when given, replaces contact_data; p_error is stored in last_error, which success clears.  A late report
 * about an enriched lead changes nothing, except "enriched" and "pending".
 * Callers: service_role.  Errors: 42501; 22023 id or status NULL, no such lead, or p_contact_data is not an
 * object.
 * Locks: the row, NO KEY UPDATE.
 */
PG_FUNCTION_INFO_V1(openinfo_update_lead_enrichment);
Datum
openinfo_update_lead_enrichment(PG_FUNCTION_ARGS)
{
	static Statement report[] = REPORT_ON_LEAD("enrichment", "enriched",
											   " contact_data = coalesce($7, contact_data),");

	return report_on_lead(fcinfo, "update_lead_enrichment",
						  &report[catalog_has_column("leads", "enrichment_next_attempt_at")], 3, 2);
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
	static Statement report[] = REPORT_ON_LEAD("delivery", "delivered", "");

	return report_on_lead(fcinfo, "update_lead_delivery",
						  &report[catalog_has_column("leads", "delivery_next_attempt_at")], 2, -1);
}

/* --------------------------------------------------------------------------------------------------------
 * Reporting on queries
 * -------------------------------------------------------------------------------------------------------- */

static Statement find_query = STATEMENT("SELECT workspace_id FROM @extschema@.queries WHERE id = $1", "uuid");

/*
 * update_query_run_time(query_id uuid) returns void
 *
 * Reports that the query has run: last run now, next run in 24 hours; its lease ends.
 * Callers: service_role.  Errors: 42501; 22023 query_id NULL, or no such query.  Locks: the row, NO KEY
 * UPDATE.
 */
PG_FUNCTION_INFO_V1(openinfo_update_query_run_time);
Datum
openinfo_update_query_run_time(PG_FUNCTION_ARGS)
{
	static Statement report = STATEMENT("UPDATE @extschema@.queries"
										"   SET last_run_at = $3, next_run_at = $4, lease_until = NULL"
										" WHERE workspace_id = $1 AND id = $2",
										"uuid, uuid, timestamptz, timestamptz");
	StatementScope	 scope;
	TimestampTz		 now = GetCurrentTransactionStartTimestamp();
	Datum			 values[4];

	authorize_service("update_query_run_time");
	if (PG_ARGISNULL(0))
		error_null("query_id");
	values[1] = PG_GETARG_DATUM(0);
	values[2] = TimestampTzGetDatum(now);
	values[3] = TimestampTzGetDatum(now + QUERY_INTERVAL);

	statement_begin(&scope);
	values[0] = workspace_of(&find_query, "query", values[1]);
	(void) statement_run(&report, values, NULL, false, 0);
	statement_end(&scope);
	PG_RETURN_VOID();
}

/*
 * Adds leads to the counters of a query, within statement_begin().  A counter stops at its maximum: that the
 * leads are stored matters more than their number.  A row that was last written before this week has the
 * count of an earlier one: reset_weekly_lead_counts() has skipped it, or has not run.
 */
void
work_queue_count_leads(Datum workspace, Datum query, int32 count)
{
	static Statement add = STATEMENT(
		"UPDATE @extschema@.queries"
		"   SET total_leads_generated = least(total_leads_generated::int8 + $3, 2147483647)::int4,"
		"       leads_this_week = least(CASE WHEN updated_at < $4 THEN 0 ELSE leads_this_week END::int8 + $3,"
		"                               2147483647)::int4"
		" WHERE workspace_id = $1 AND id = $2",
		"uuid, uuid, int4, timestamptz");
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	TimestampTz week = now - (now - FIRST_MONDAY) % (7 * USECS_PER_DAY);
	Datum		values[4] = {workspace, query, Int32GetDatum(count), TimestampTzGetDatum(week)};

	(void) statement_run(&add, values, NULL, false, 0);
}

/*
 * increment_query_leads(query_id uuid, lead_count int) returns void
 *
 * Adds to both counters of a query, which stop at their maximum.  ingest_leads() does so itself; this is for
 * leads that were stored in another way.
 * Callers: service_role.  Errors: 42501; 22023 an argument NULL, lead_count negative, or no such query.
 * Locks: the row, NO KEY UPDATE.
 */
PG_FUNCTION_INFO_V1(openinfo_increment_query_leads);
Datum
openinfo_increment_query_leads(PG_FUNCTION_ARGS)
{
	StatementScope scope;
	Datum		   query;

	authorize_service("increment_query_leads");
	if (PG_ARGISNULL(0))
		error_null("query_id");
	if (PG_ARGISNULL(1))
		error_null("lead_count");
	if (PG_GETARG_INT32(1) < 0)
		error_negative("lead_count", PG_GETARG_INT32(1));

	query = PG_GETARG_DATUM(0);
	statement_begin(&scope);
	work_queue_count_leads(workspace_of(&find_query, "query", query), query,
						   PG_GETARG_INT32(1));
	statement_end(&scope);
	PG_RETURN_VOID();
}
