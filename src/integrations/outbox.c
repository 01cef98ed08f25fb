/*
 * outbox.c
 *		Events on their way to the services of a workspace: sent, claimed, reported on.
 *
 *	event		something that happened; a row of integration_events
 *	sender		a worker of the backend: claims events, sends them, and reports
 *	exhausted	of eight attempts none has succeeded: the last one failed, or its lease ended without a report
 *	wait		after an attempt that failed: 1, 2, 4 ... minutes
 *
 * Claims, leases and reports are those of queries/work_queue.c, with these differences: eight attempts; an
 * event that is delivered is never sent again, whatever is reported later; one that is handed back is never
 * exhausted; events of an integration that is not active wait until it is.
 *
 * Invariant: an event that is delivered, exhausted, claimed or waiting is not claimed.
 */
#include "openinfo.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "access/authorize.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "integrations/integrations.h"
#include "queries/claim.h"
#include "queries/work_queue.h"
#include "sealing/seal.h"

/* Columns of the statement that claims, besides those of the function. */
#define CLAIM_CONFIG 5
#define CLAIM_SEALED 9

/*
 * send_integration_event(p_workspace_id uuid, p_integration_type integration_type, p_event_data jsonb)
 * returns boolean
 *
 * Counts the event on the workspace's active integration of that type and adds it to integration_events, from
 * which the sender takes it; false, without an effect, when none is active.
 * Callers: service_role.  Errors: 42501; 22023 a NULL argument, or p_event_data is no object.  Locks: the
 * integration's row.
 */
PG_FUNCTION_INFO_V1(openinfo_send_integration_event);
Datum
openinfo_send_integration_event(PG_FUNCTION_ARGS)
{
	static Statement count = STATEMENT(
		"UPDATE @extschema@.integrations"
		"   SET total_events_sent = total_events_sent"
		"                         + CASE WHEN total_events_sent < 2147483647 THEN 1 ELSE 0 END,"
		"       last_used_at = now()"
		" WHERE workspace_id = $1 AND type = $2 AND status = 'active' RETURNING id",
		"uuid, @extschema@.integration_type");
	static Statement add = STATEMENT(
		"INSERT INTO @extschema@.integration_events (workspace_id, integration_id, event_data)"
		" VALUES ($1, $2, $3)",
		"uuid, uuid, jsonb");
	static const char *const names[] = {"p_workspace_id", "p_integration_type", "p_event_data"};
	StatementScope			 scope;
	Datum					 values[3];
	uint64					 sent;

	authorize_service("send_integration_event");
	for (int i = 0; i < 3; i++)
	{
		if (PG_ARGISNULL(i))
			error_null(names[i]);
		values[i] = PG_GETARG_DATUM(i);
	}
	if (!JB_ROOT_IS_OBJECT(PG_GETARG_JSONB_P(2)))
		error_not_object("p_event_data");

	statement_begin(&scope);
	sent = statement_run(&count, values, NULL, false, 0);
	if (sent > 0)
	{
		bool isnull;

		values[1] = statement_value(1, &isnull);
		(void) statement_run(&add, values, NULL, false, 0);
	}
	statement_end(&scope);
	PG_RETURN_BOOL(sent > 0);
}

/* A claimed event; its config is whole, secrets included. */
static void
return_event(FunctionCallInfo fcinfo, uint64 row)
{
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		   values[CLAIM_SEALED];
	bool		   nulls[CLAIM_SEALED];
	Jsonb		  *shown, *sealed;

	for (int i = 0; i < CLAIM_SEALED; i++)
		values[i] = statement_value_at(row, i + 1, &nulls[i]);
	shown = DatumGetJsonbP(values[CLAIM_CONFIG - 1]);
	sealed = nulls[CLAIM_SEALED - 1] ? NULL : DatumGetJsonbP(values[CLAIM_SEALED - 1]);
	values[CLAIM_CONFIG - 1] = JsonbPGetDatum(seal_restore(shown, shown, sealed, true));
	tuplestore_putvalues(set->setResult, set->setDesc, values, nulls);
}

/* The conditions and the order are those of idx_integration_events_due. */
#define EVENT_DUE                                                           \
	"e.sent_at IS NULL"                                                     \
	" AND (e.status = 'pending' OR e.status = 'failed' AND e.attempts < 8)" \
	" AND greatest(e.created_at, e.next_attempt_at, e.lease_until) <= $2"
#define EVENT_ORDER " ORDER BY greatest(e.created_at, e.next_attempt_at, e.lease_until), e.id LIMIT $1"
#define EVENT_INTEGRATION \
	"i.id = e.integration_id AND i.workspace_id = e.workspace_id AND i.status = 'active'"

/* A deletion of the integration locks it and then its events; so does this. */
#define CLAIM_EVENTS(there)                                                                       \
	"WITH claimed AS ("                                                                           \
	"  UPDATE @extschema@.integration_events"                                                     \
	"     SET status = CASE WHEN attempts < 8 THEN 'pending' ELSE 'failed' END"                   \
	"                  ::@extschema@.delivery_status,"                                            \
	"         attempts = attempts + (attempts < 8)::int4,"                                        \
	"         lease_until = CASE WHEN attempts < 8 THEN $3 END,"                                  \
	"         next_attempt_at = NULL,"                                                            \
	"         last_error = CASE WHEN attempts < 8 THEN last_error"                                \
	"                           ELSE 'no report within the lease' END"                            \
	"   WHERE id = ANY (ARRAY("                                                                   \
	"     SELECT e.id FROM @extschema@.integration_events e"                                      \
	"      CROSS JOIN LATERAL (SELECT FROM @extschema@.integrations i"                            \
	"                           WHERE " EVENT_INTEGRATION there                                   \
	"                             FOR KEY SHARE SKIP LOCKED) i"                                   \
	"      WHERE " EVENT_DUE there EVENT_ORDER                                                    \
	"        FOR NO KEY UPDATE OF e SKIP LOCKED))" there                                          \
	"  RETURNING *)"                                                                              \
	" SELECT c.id, c.workspace_id, c.integration_id, i.type, i.config, c.event_data, c.attempts," \
	"        c.status = 'failed', s.sealed"                                                       \
	"   FROM claimed c"                                                                           \
	"   JOIN (SELECT * FROM @extschema@.integrations WHERE true" there ") i"                      \
	"     ON i.id = c.integration_id AND i.workspace_id = c.workspace_id"                         \
	"   LEFT JOIN (SELECT * FROM @extschema@.sealed_secrets WHERE true" there ") s"               \
	"     ON s.integration_id = i.id AND s.workspace_id = i.workspace_id"                         \
	"  ORDER BY c.created_at, c.id"

/*
 * get_integration_events_pending(batch_size int default 50)
 *		returns table(id uuid, workspace_id uuid, integration_id uuid, type integration_type, config jsonb,
 *			event_data jsonb, attempts int)
 *
 * Claims events of active integrations, those that have been due for longest first, and counts an attempt of
 * each; attempts includes this one.  config is whole, secrets included.  Events found exhausted are marked as
 * such.
 * Callers, errors: as get_active_queries_for_processing().  Locks: the integrations, KEY SHARE; then the
 * events, NO KEY UPDATE; rows that are locked are skipped.
 */
PG_FUNCTION_INFO_V1(openinfo_get_integration_events_pending);
Datum
openinfo_get_integration_events_pending(PG_FUNCTION_ARGS)
{
	static Claim claim = CLAIM(
		CLAIM_EVENTS(""), CLAIM_EVENTS(CLAIM_THERE),
		"SELECT e.workspace_id FROM @extschema@.integration_events e"
		"  JOIN @extschema@.integrations i ON " EVENT_INTEGRATION
		" WHERE " EVENT_DUE EVENT_ORDER);

	return claim_run(fcinfo, "get_integration_events_pending", &claim, return_event);
}

/*
 * update_integration_event(p_event_id uuid, p_status delivery_status, p_error text default null) returns void
 *
 * Reports on an event.  "delivered": sent, last_used_at of the integration moves, its consecutive errors are
 * reset.  "failed": waits for the next attempt; after the eighth it stays so, and counts as an error of the
 * integration.  "pending": a claimed event is handed back, and can be claimed at once; the attempt counts,
 * but for the eighth, which is made again.  One that is exhausted or waits starts again at zero attempts.
 * p_error is stored as record_integration_error() stores it.  A report about a delivered event changes
 * nothing, nor does "failed" about an exhausted one.
 * Callers: service_role.  Errors: 42501; 22023 id or status NULL, or no such event (its integration may have
 * been deleted).  Locks: the integration, KEY SHARE; the event, NO KEY UPDATE; for an error that is counted,
 * the integration, NO KEY UPDATE.  A transaction that reports on events of several integrations in another
 * order than a second one may deadlock with it over errors that are counted.
 */
PG_FUNCTION_INFO_V1(openinfo_update_integration_event);
Datum
openinfo_update_integration_event(PG_FUNCTION_ARGS)
{
	static Statement find = STATEMENT(
		"SELECT e.workspace_id, e.integration_id FROM @extschema@.integration_events e"
		" WHERE e.id = $1",
		"uuid");
	static Statement hold = STATEMENT(
		"SELECT FROM @extschema@.integrations WHERE id = $1 AND workspace_id = $2 FOR KEY SHARE",
		"uuid, uuid");
	static Statement report = WORK_QUEUE_REPORT(
		"integration_events", "", "delivery_status", "8", "least(attempts, 7)", "delivered", "sent_at",
		"status <> 'delivered' AND sent_at IS NULL"
		" AND NOT ($3 = 'failed' AND status = 'failed' AND attempts >= 8)",
		WORK_QUEUE_WAIT("", "8"));
	static const NullableDatum none = {.isnull = true};
	StatementScope			   scope;
	Datum					   values[2], workspace;
	NullableDatum			   error = none;
	bool					   isnull;

	authorize_service("update_integration_event");
	if (PG_ARGISNULL(0))
		error_null("p_event_id");
	if (PG_ARGISNULL(1))
		error_null("p_status");

	statement_begin(&scope);
	if (statement_run(&find, &fcinfo->args[0].value, NULL, false, 0) == 0)
		error_no_such_row("integration event", PG_GETARG_UUID_P(0));
	values[1] = workspace = statement_value(1, &isnull);
	values[0] = statement_value(2, &isnull);
	if (statement_run(&hold, values, NULL, false, 0) == 0)
		error_no_such_row("integration event", PG_GETARG_UUID_P(0));
	if (!PG_ARGISNULL(2))
	{
		error.value = integration_message(workspace, values[0], PG_GETARG_TEXT_PP(2));
		error.isnull = false;
	}
	if (work_queue_report(&report, workspace, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), error, none) > 0 &&
		PG_GETARG_OID(1) == catalog_enum("delivery_status", "failed") &&
		DatumGetBool(statement_value(1, &isnull)))
		integration_count_error(workspace, values[0],
								error.isnull ? CStringGetTextDatum("unknown error") : error.value);
	statement_end(&scope);
	PG_RETURN_VOID();
}

/* A column of the row that fired the trigger. */
static Datum
trigger_column(TriggerData *trigger, const char *column)
{
	TupleDesc desc = RelationGetDescr(trigger->tg_relation);
	int		  attnum = SPI_fnumber(desc, column);
	bool	  isnull;

	if (attnum <= 0)
		error_missing_column(RelationGetRelationName(trigger->tg_relation), column);
	return heap_getattr(trigger->tg_newtuple, attnum, desc, &isnull);
}

/*
 * reset_integration_errors() returns trigger: AFTER UPDATE ON integration_events FOR EACH ROW
 *		WHEN (OLD.sent_at IS NULL AND NEW.sent_at IS NOT NULL)
 *
 * A delivered event resets the consecutive-error count and moves last_used_at, whatever the status of the
 * integration, which stays.  When a sender has set sent_at itself, status follows.
 */
PG_FUNCTION_INFO_V1(openinfo_reset_integration_errors);
Datum
openinfo_reset_integration_errors(PG_FUNCTION_ARGS)
{
	/*
	 * A batch of reports must not end in a deadlock, so this does not wait for whoever has the row: they are
	 * using the integration, and the next event resets what is left of the count.
	 */
	static Statement used = STATEMENT(
		"UPDATE @extschema@.integrations"
		"   SET last_used_at = $3, error_count = 0"
		" WHERE workspace_id = $2"
		"   AND id = (SELECT id FROM @extschema@.integrations"
		"              WHERE id = $1 AND workspace_id = $2"
		"                AND (last_used_at IS DISTINCT FROM $3 OR error_count > 0)"
		"                FOR NO KEY UPDATE SKIP LOCKED)",
		"uuid, uuid, timestamptz");
	static Statement follow = STATEMENT(
		"UPDATE @extschema@.integration_events SET status = 'delivered', lease_until = NULL"
		" WHERE id = $1 AND workspace_id = $2 AND status <> 'delivered'",
		"uuid, uuid");
	TriggerData	  *trigger = (TriggerData *) fcinfo->context;
	StatementScope scope;
	Datum		   values[3];

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		error_not_trigger("reset_integration_errors");
	values[0] = trigger_column(trigger, "integration_id");
	values[1] = trigger_column(trigger, "workspace_id");
	values[2] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());

	statement_begin(&scope);
	(void) statement_run(&used, values, NULL, false, 0);
	if (catalog_has_column("integration_events", "status"))
	{
		values[0] = trigger_column(trigger, "id");
		(void) statement_run(&follow, values, NULL, false, 0);
	}
	statement_end(&scope);
	return PointerGetDatum(NULL);
}
