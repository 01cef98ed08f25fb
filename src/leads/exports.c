/*
 * exports.c
 *		Deletion of exports and of their files.
 *
 * Invariant: a job is deleted in the same transaction that adds its file to the queue of files to delete,
 * expired_export_files; so no file is forgotten in the store, and none is deleted while its job exists.  The
 * queue outlives the workspace.
 */
#include "openinfo.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "utils/rel.h"

#include "access/authorize.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"

/*
 * queue_file_deletion() returns trigger: AFTER DELETE ON export_jobs FOR EACH ROW
 *		WHEN (NOT is_blank(OLD.file_url))
 *
 * Adds the file of a deleted job to expired_export_files; expired_at is the time at which the job expired,
 * now at the latest.
 * Errors: 39P01 when it is not called as that trigger.
 */
PG_FUNCTION_INFO_V1(openinfo_queue_file_deletion);
Datum
openinfo_queue_file_deletion(PG_FUNCTION_ARGS)
{
	static Statement queue = STATEMENT(
		"INSERT INTO @extschema@.expired_export_files (file_url, workspace_id, expired_at)"
		" VALUES ($1, $2, least($3, now()))",
		"text, uuid, timestamptz");
	/* before 1.1.0 the queue is deleted with its workspace, which may be what deletes the job */
	static Statement queue_of_workspace = STATEMENT(
		"INSERT INTO @extschema@.expired_export_files (file_url, workspace_id, expired_at)"
		" SELECT $1, id, least($3, now()) FROM @extschema@.workspaces WHERE id = $2",
		"text, uuid, timestamptz");
	static const char *const columns[] = {"file_url", "workspace_id", "expires_at"};
	TriggerData				*trigger = (TriggerData *) fcinfo->context;
	StatementScope			 scope;
	Relation				 rel;
	Datum					 values[lengthof(columns)];
	char					 nulls[lengthof(columns)];

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_DELETE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!catalog_is_table(trigger->tg_relation, "export_jobs"))
		error_not_trigger("queue_file_deletion");

	rel = trigger->tg_relation;
	for (int i = 0; i < lengthof(columns); i++)
	{
		int	 column = catalog_column(RelationGetRelid(rel), columns[i]);
		bool isnull;

		values[i] = heap_getattr(trigger->tg_trigtuple, column, RelationGetDescr(rel), &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}

	statement_begin(&scope);
	(void) statement_run(catalog_has_column("invitations", "id") ? &queue : &queue_of_workspace,
						 values, nulls, false, 0);
	statement_end(&scope);
	return PointerGetDatum(NULL);
}

/*
 * cleanup_expired_exports() returns bigint
 *
 * Deletes the jobs whose expires_at has come, whatever their status, and returns their number.  Two calls at
 * once are safe: each deletes what the other does not.
 * Callers: the scheduler's role, service_role.  Errors: 42501 other callers.  Locks: the workspaces of the
 * jobs KEY SHARE, then the jobs, without waiting: locked ones are left for the next run, which also avoids a
 * deadlock with the deletion of a workspace.
 */
PG_FUNCTION_INFO_V1(openinfo_cleanup_expired_exports);
Datum
openinfo_cleanup_expired_exports(PG_FUNCTION_ARGS)
{
	static Statement cleanup = STATEMENT(
		"WITH expired AS MATERIALIZED ("
		"  SELECT j.id FROM @extschema@.workspaces w JOIN @extschema@.export_jobs j ON j.workspace_id = w.id"
		"   WHERE j.expires_at <= now()"
		"   FOR KEY SHARE OF w SKIP LOCKED FOR UPDATE OF j SKIP LOCKED)"
		" DELETE FROM @extschema@.export_jobs j USING expired WHERE j.id = expired.id",
		"");
	/* Citus locks rows of one workspace at a time only */
	static Statement cleanup_all = STATEMENT(
		"DELETE FROM @extschema@.export_jobs WHERE expires_at <= now()",
		"");
	StatementScope scope;
	uint64		   count;

	authorize_service("cleanup_expired_exports");

	statement_begin(&scope);
	count = statement_run(catalog_is_distributed() ? &cleanup_all : &cleanup, NULL, NULL, false, 0);
	statement_end(&scope);
	PG_RETURN_INT64((int64) count);
}
