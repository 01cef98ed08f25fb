/*
 * exports.c
 *		Exports that have expired.
 *
 * Invariant: a job disappears in the same transaction in which its file is written down for deletion; so no file is
 * forgotten in the store, and none is deleted whose job is still there.
 */
#include "openinfo.h"

#include "identity.h"
#include "plans.h"

/*
 * cleanup_expired_exports() returns bigint
 *
 * Deletes the jobs whose expires_at has come, whatever their status, after writing what was stored under file_url to
 * expired_export_files; returns the number of jobs.  Safe twice at once: each takes what the other does not.
 * Callers: the scheduler and service_role.  Errors: 42501.  Locks: the workspaces of the jobs KEY SHARE, then the jobs;
 * locked ones are left for the next run, so that deleting a workspace meanwhile is no deadlock.
 */
PG_FUNCTION_INFO_V1(openinfo_cleanup_expired_exports);
Datum
openinfo_cleanup_expired_exports(PG_FUNCTION_ARGS)
{
	static KeptPlan cleanup = KEPT_PLAN("WITH due AS MATERIALIZED ("
										"  SELECT j.id FROM @extschema@.workspaces w JOIN @extschema@.export_jobs j ON j.workspace_id = w.id"
										"   WHERE j.expires_at <= now()"
										"   FOR KEY SHARE OF w SKIP LOCKED FOR UPDATE OF j SKIP LOCKED),"
										" gone AS ("
										"  DELETE FROM @extschema@.export_jobs j USING due WHERE j.id = due.id"
										"  RETURNING j.file_url, j.workspace_id, j.expires_at),"
										" listed AS ("
										"  INSERT INTO @extschema@.expired_export_files (file_url, workspace_id, expired_at)"
										"  SELECT file_url, workspace_id, expires_at FROM gone WHERE btrim(file_url) <> '')"
										" SELECT count(*) FROM gone",
										"");
	PlanScope		scope;
	int64			count;
	bool			isnull;

	identity_authorize_service("cleanup_expired_exports");

	plans_begin(&scope);
	(void) plans_run(&cleanup, NULL, NULL, false, 0);
	count = DatumGetInt64(plans_value(1, &isnull));
	plans_end(&scope);
	PG_RETURN_INT64(count);
}
