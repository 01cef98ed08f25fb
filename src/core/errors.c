/*
 * errors.c
 *		Errors that more than one module raises, and those of the modules above that have no better place.
 *
 * The SQLSTATE says what kind of error it is, and clients act on it; docs/reference.md lists them.  The
 * message follows PostgreSQL's style guide and names the value that was refused; a hint says what to do, or
 * is left out.
 *
 * Invariant: a row of another workspace and one that does not exist get the same message, so that a caller
 * learns nothing about either.  Only the service, which sees every row, is told that a row does not exist.
 */
#include "openinfo.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"

#include "core/errors.h"

static const char *
uuid_text(const pg_uuid_t *uuid)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(uuid)));
}

/* ----------------------------------------------------------------------------------------------------
 * Who calls
 * ---------------------------------------------------------------------------------------------------- */

void
error_signed_out(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OPENINFO_UNAUTHORIZED),
			 errmsg("authentication required"),
			 errhint("Send a JWT with a \"sub\" claim; in plain SQL, set \"request.jwt.claims\" "
					 "in the transaction.")));
}

/* A function that works in the active workspace was called without one. */
void
error_no_workspace(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied: the caller has no active workspace"),
			 errhint("Create a workspace with create_workspace(), or set \"openinfo.workspace_id\" "
					 "to a workspace that the caller is a member of.")));
}

/* workspace: what the caller asked for; NULL when they passed null */
void
error_other_workspace(const pg_uuid_t *workspace)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 workspace ? errmsg("permission denied for workspace \"%s\"", uuid_text(workspace))
					   : errmsg("permission denied for workspace null"),
			 errhint("Use the active workspace, or set \"openinfo.workspace_id\" to another workspace"
					 " that the caller is a member of.")));
}

/* user: as above */
void
error_other_user(const pg_uuid_t *user)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 user ? errmsg("permission denied for user \"%s\"", uuid_text(user))
				  : errmsg("permission denied for user null"),
			 errhint("Use the caller's own users.id, as get_user_id() returns it.")));
}

/* what: the kind of row, e.g. "query" */
void
error_other_row(const char *what, const pg_uuid_t *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for %s \"%s\"", what, uuid_text(id)),
			 errhint("Use a row of the active workspace.")));
}

void
error_service_only(const char *function)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for function %s", function),
			 errhint("Call it from the backend, as role \"service_role\".")));
}

void
error_superuser_only(const char *function)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for function %s", function),
			 errhint("Call it as a superuser.")));
}

/* what: completes "permission denied to ..." */
void
error_role(const char *required, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to %s", what),
			 errdetail("Role \"%s\" or a higher one is required in the workspace.", required)));
}

void
error_unpaid_contact(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to reveal contact data that has not been paid for"),
			 errhint("Call reveal_person_email(), which charges one credit.")));
}

/* ----------------------------------------------------------------------------------------------------
 * Payment
 * ---------------------------------------------------------------------------------------------------- */

/*
 * DETAIL is a JSON object that a client can act on without reading the message.  A limit below zero is
 * unlimited.
 */
void
error_payment_required(const char *message, const char *hint, const char *plan, int64 limit, int64 used,
					   int64 needed)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoString(&json, "{\"plan\": ");
	if (plan)
		escape_json(&json, plan);
	else
		appendStringInfoString(&json, "null");
	if (limit < 0)
		appendStringInfoString(&json, ", \"limit\": null");
	else
		appendStringInfo(&json, ", \"limit\": " INT64_FORMAT, limit);
	appendStringInfo(&json, ", \"used\": " INT64_FORMAT ", \"needed\": " INT64_FORMAT "}", used, needed);

	ereport(ERROR,
			(errcode(ERRCODE_OPENINFO_PAYMENT_REQUIRED),
			 errmsg_internal("%s", message),
			 errdetail_internal("%s", json.data),
			 errhint("%s", hint)));
}

/* ----------------------------------------------------------------------------------------------------
 * Arguments
 * ---------------------------------------------------------------------------------------------------- */

/* where: claim or setting, e.g. setting "openinfo.workspace_id" */
void
error_malformed_uuid(const char *where, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid UUID in %s: \"%s\"", where, value)));
}

void
error_null(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must not be null", argument)));
}

void
error_blank(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must not be blank", argument)));
}

void
error_infinite(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must be finite", argument)));
}

void
error_below_one(const char *argument, int64 value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must be at least 1, not " INT64_FORMAT, argument, value)));
}

void
error_negative(const char *argument, int64 value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must be at least 0, not " INT64_FORMAT, argument, value)));
}

void
error_not_object(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must be a JSON object", argument)));
}

void
error_not_array(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must be a JSON array", argument)));
}

/* valid: the valid keys, as a phrase */
void
error_unknown_key(const char *argument, const char *key, const char *valid)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown key \"%s\" in argument \"%s\"", key, argument),
			 errhint("Valid keys are %s.", valid)));
}

void
error_invalid_value(const char *argument, const char *value, const char *valid)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for argument \"%s\": \"%s\"", argument, value),
			 errhint("Valid values are %s.", valid)));
}

/* wanted: with its article, e.g. "a string" */
void
error_wrong_type(const char *argument, const char *key, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("key \"%s\" of argument \"%s\" must be %s", key, argument, wanted)));
}

/* A row that the service names and that does not exist; any other caller gets error_other_...() for it. */
void
error_no_such_row(const char *what, const pg_uuid_t *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s \"%s\" does not exist", what, uuid_text(id))));
}

void
error_not_found_by_search(const char *what, const pg_uuid_t *id)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s \"%s\" is not found by this search", what, uuid_text(id)),
			 errhint("Use the last row of the page before, or begin with the first page.")));
}

void
error_no_such_plan(const text *plan)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("plan \"%s\" does not exist", text_to_cstring(plan))));
}

/* The members of a workspace are on plans of which table "plans" has none. */
void
error_plans_missing(const pg_uuid_t *workspace)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the plan of workspace \"%s\" does not exist", uuid_text(workspace)),
			 errhint("Insert the plan into table \"plans\".")));
}

void
error_not_in_workspace(const pg_uuid_t *user, const pg_uuid_t *workspace)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("user \"%s\" is not a member of workspace \"%s\"",
					uuid_text(user), uuid_text(workspace))));
}

void
error_empty_workspace(const pg_uuid_t *workspace)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("workspace \"%s\" has no members", uuid_text(workspace)),
			 errdetail("The plan of a workspace is a property of its members."),
			 errhint("Add a member with add_member() first.")));
}

/* ----------------------------------------------------------------------------------------------------
 * Tables, jobs and triggers
 * ---------------------------------------------------------------------------------------------------- */

void
error_missing_table(const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" of extension \"openinfo\" is missing", table),
			 errhint("Restore it from a dump, or call apply_migrations() as the owner of the extension.")));
}

void
error_unusable_index(const char *index, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("index \"%s\" is missing or cannot be used", index),
			 errhint("%s", hint)));
}

void
error_missing_column(const char *table, const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("column \"%s\" of table \"%s\" of extension \"openinfo\" is missing", column, table),
			 errhint("Restore the column: columns can be added to the extension's tables, "
					 "but not dropped or renamed.")));
}

/* A trigger or a rule of the user's discarded what must not be lost. */
void
error_lost_row(const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("row for table \"%s\" was discarded", table),
			 errhint("Look for a trigger or rule on the table that discards rows.")));
}

/* command: its tag, e.g. "DROP EXTENSION" */
void
error_drop(const char *command, const char *table, int64 rows)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s would delete data of extension \"openinfo\"", command),
			 errdetail_plural("Table \"%s\" has " INT64_FORMAT " row.",
							  "Table \"%s\" has " INT64_FORMAT " rows.",
							  (unsigned long) rows, table, rows),
			 errhint("Back up the data, or set \"openinfo.allow_drop\" to \"on\" as a superuser.")));
}

void
error_missing_cron(const char *database)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("extension \"pg_cron\" is not installed in database \"%s\"", database),
			 errhint("Run CREATE EXTENSION pg_cron; if it is installed in another database, "
					 "schedule the jobs there with cron.schedule_in_database().")));
}

void
error_job_elsewhere(const char *job, const char *database)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("job \"%s\" is already scheduled for database \"%s\"", job, database),
			 errdetail("In pg_cron, a user can have only one job of a name."),
			 errhint("Unschedule that job first, or schedule it again under another name.")));
}

void
error_not_trigger(const char *function)
{
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("function \"%s\" was not called by a trigger of its table", function)));
}

void
error_distributed(const char *function)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s() does not work on distributed tables", function)));
}
