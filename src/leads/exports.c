/*
 * exports.c
 *		Exports that go, and their files.
 *
 * Invariant: a job disappears in the same transaction in which its file is written down for deletion; so no file is
 * forgotten in the store, and none is deleted whose job is still there.  Only with a whole workspace nothing is written
 * down, because the list of its files goes with it.
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
 * queue_file_deletion() returns trigger: AFTER DELETE ON export_jobs FOR EACH ROW WHEN (btrim(OLD.file_url) <> '')
 *
 * Writes the file of a job that somebody has deleted to expired_export_files, as expired when it expired, and at the
 * latest now.  Errors: 39P01 when it is not called as that trigger.  Locks: the workspace KEY SHARE, as its foreign key does.
 */
PG_FUNCTION_INFO_V1(openinfo_queue_file_deletion);
Datum
openinfo_queue_file_deletion(PG_FUNCTION_ARGS)
{
	static Statement		 list = STATEMENT("INSERT INTO @extschema@.expired_export_files (file_url, workspace_id, expired_at)"
													  " SELECT $1, id, least($3, now()) FROM @extschema@.workspaces WHERE id = $2",
											  "text, uuid, timestamptz");
	static const char *const columns[] = {"file_url", "workspace_id", "expires_at"};
	TriggerData				*trigger = (TriggerData *) fcinfo->context;
	StatementScope			 scope;
	Datum					 values[lengthof(columns)];
	char					 nulls[lengthof(columns)];

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || RelationGetRelid(trigger->tg_relation) != catalog_table("export_jobs"))
		error_not_trigger("queue_file_deletion");

	for (int i = 0; i < lengthof(columns); i++)
	{
		bool isnull;

		values[i] = heap_getattr(trigger->tg_trigtuple, catalog_column(RelationGetRelid(trigger->tg_relation), columns[i]),
								 RelationGetDescr(trigger->tg_relation), &isnull);
		nulls[i] = isnull ? 'n' : ' ';
	}

	statement_begin(&scope);
	(void) statement_run(&list, values, nulls, false, 0);
	statement_end(&scope);
	return PointerGetDatum(NULL);
}

/*
 * cleanup_expired_exports() returns bigint
 *
 * Deletes the jobs whose expires_at has come, whatever their status; returns how many.  Safe twice at once: each takes
 * what the other does not.
 * Callers: the scheduler and service_role.  Errors: 42501.  Locks: the workspaces of the jobs KEY SHARE, then the jobs;
 * locked ones are left for the next run, so that deleting a workspace meanwhile is no deadlock.
 */
PG_FUNCTION_INFO_V1(openinfo_cleanup_expired_exports);
Datum
openinfo_cleanup_expired_exports(PG_FUNCTION_ARGS)
{
	static Statement cleanup = STATEMENT("WITH due AS MATERIALIZED ("
										 "  SELECT j.id FROM @extschema@.workspaces w JOIN @extschema@.export_jobs j ON j.workspace_id = w.id"
										 "   WHERE j.expires_at <= now()"
										 "   FOR KEY SHARE OF w SKIP LOCKED FOR UPDATE OF j SKIP LOCKED)"
										 " DELETE FROM @extschema@.export_jobs j USING due WHERE j.id = due.id",
										 "");
	StatementScope	 scope;
	uint64			 count;

	authorize_service("cleanup_expired_exports");

	statement_begin(&scope);
	count = statement_run(&cleanup, NULL, NULL, false, 0);
	statement_end(&scope);
	PG_RETURN_INT64((int64) count);
}
