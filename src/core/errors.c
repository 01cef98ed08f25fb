/*
 * errors.c
 *		One function per refusal.
 *
 * The table of SQLSTATEs is in docs/reference.md; a caller acts on the SQLSTATE and shows the hint.
 */
#include "openinfo.h"

#include "lib/stringinfo.h"
#include "utils/json.h"

#include "core/errors.h"

void
error_signed_out(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("nobody is signed in"),
			 errhint("Send a JWT with claim \"sub\"; with plain SQL, set request.jwt.claims in the transaction.")));
}

/* One message for a workspace that is not the caller's and for one that does not exist: he learns nothing of either. */
void
error_other_workspace(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for workspace"),
			 errhint("Only your active workspace may be used; set openinfo.workspace_id to another one that you are a member of.")));
}

void
error_other_user(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for user"),
			 errhint("Use your own users.id, as get_user_id() returns it.")));
}

void
error_no_membership(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for user"),
			 errhint("Name a member of your active workspace, by users.id.")));
}

void
error_service_only(const char *function)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for function %s", function),
			 errhint("Call it as service_role, from the backend.")));
}

void
error_role(const char *required, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to %s", what),
			 errdetail("Role %s or higher is required in the workspace.", required),
			 errhint("Ask an owner of the workspace.")));
}

void
error_role_above_own(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to grant a role above your own"),
			 errhint("Ask an owner of the workspace.")));
}

void
error_owner_by_admin(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to change an owner"),
			 errhint("Only an owner may change another owner.")));
}

void
error_last_owner(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the last owner cannot leave or step down"),
			 errhint("Make another member owner first, with set_member_role().")));
}

void
error_unpaid_contact(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to reveal a contact that has not been paid for"),
			 errhint("Call reveal_person_email(), which charges a credit for it.")));
}

void
error_ledger_change(const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("table \"%s\" is append-only", table),
			 errhint("Its rows go only with their workspace.")));
}

/* DETAIL of PT402: a JSON object that a client can act on without reading the message. */
static char *
payment_detail(const char *plan, int64 limit, int64 used, int64 needed)
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
	return json.data;
}

void
error_credits(const char *plan, int64 limit, int64 used, int64 needed)
{
	ereport(ERROR,
			(errcode(ERRCODE_OPENINFO_PAYMENT_REQUIRED),
			 errmsg("not enough credits"),
			 errdetail_internal("%s", payment_detail(plan, limit, used, needed)),
			 errhint("Credits come back at midnight UTC; a larger plan gives more of them.")));
}

/* what: plural of the thing that is limited, e.g. "active queries"; remedy: what makes room, e.g. "Free" */
void
error_plan_limit(const char *what, const char *remedy, const char *plan, int64 limit, int64 used, int64 needed)
{
	ereport(ERROR,
			(errcode(ERRCODE_OPENINFO_PAYMENT_REQUIRED),
			 errmsg("limit of the plan on %s is reached", what),
			 errdetail_internal("%s", payment_detail(plan, limit, used, needed)),
			 errhint("%s one of the %s, or move the workspace to a larger plan.", remedy, what)));
}

/* needed: rows that the export would have */
void
error_export_rows(const char *plan, int64 limit, int64 needed)
{
	ereport(ERROR,
			(errcode(ERRCODE_OPENINFO_PAYMENT_REQUIRED),
			 errmsg("limit of the plan on rows of an export is reached"),
			 errdetail_internal("%s", payment_detail(plan, limit, 0, needed)),
			 errhint("Export fewer rows by narrower filters, or move the workspace to a larger plan.")));
}

void
error_malformed_claims(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("malformed claims in request.jwt.claims"),
			 detail ? errdetail("%s", detail) : 0,
			 errhint("The setting must be empty or a JSON object, as PostgREST sets it.")));
}

void
error_malformed_uuid(const char *where, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is not a UUID: \"%s\"", where, value),
			 errhint("Set it to a UUID, or leave it out.")));
}

void
error_null(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must not be null", argument),
			 errhint("Pass a value.")));
}

void
error_blank(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must not be blank", argument),
			 errhint("Pass a value, or leave it out.")));
}

void
error_infinite(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must be finite", argument),
			 errhint("Pass the time at which it happened.")));
}

void
error_below_one(const char *argument, int64 value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must be at least 1, not " INT64_FORMAT, argument, value),
			 errhint("Pass a positive number.")));
}

void
error_negative(const char *argument, int64 value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must not be negative: " INT64_FORMAT, argument, value),
			 errhint("Pass zero or a positive number.")));
}

void
error_not_object(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must be a JSON object", argument),
			 errhint("Pass an object, for example '{}'.")));
}

/* known: the keys that there are, as a phrase */
void
error_unknown_key(const char *argument, const char *key, const char *known)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" has an unknown key \"%s\"", argument, key),
			 errhint("Known are %s.", known)));
}

/* wanted: with its article, e.g. "a string" */
void
error_wrong_type(const char *argument, const char *key, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("key \"%s\" of argument \"%s\" must be %s", key, argument, wanted),
			 errhint("Pass %s, or leave the key out.", wanted)));
}

void
error_not_array(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must be a JSON array", argument),
			 errhint("Pass an array, for example '[]'.")));
}

/* A row that service_role names and that is not there; anybody else gets error_other_...() for it. */
void
error_no_such_row(const char *argument, const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" names no row of table \"%s\"", argument, table),
			 errhint("Pass one that exists.")));
}

void
error_not_in_workspace(const char *user, const char *workspace)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" names no member of the workspace in \"%s\"", user, workspace),
			 errhint("Pass the users.id of the person in that workspace.")));
}

void
error_key_form(const char *argument, int longest)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must have 1 to %d characters and not be blank", argument, longest),
			 errhint("Pass a UUID made for this one call, or leave it out.")));
}

void
error_key_reused(const char *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("idempotency key \"%s\" was used with other arguments", key),
			 errhint("Repeat a call with exactly the arguments of the first one, or make a new key.")));
}

void
error_empty_workspace(const char *argument)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" names a workspace without members", argument),
			 errhint("Add a member first: it is the members who are on a plan.")));
}

void
error_missing_table(const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" of extension openinfo is missing", table),
			 errhint("Restore it from the dump, or run apply_migrations() as the owner of the extension.")));
}

void
error_missing_column(const char *table, const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("column \"%s\" of table \"%s\" of extension openinfo is missing", column, table),
			 errhint("Columns may be added to the tables, but those of the extension must stay.")));
}

/* A trigger or a rule of the user's swallowed what must not be lost. */
void
error_lost_row(const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" did not take a row of extension openinfo", table),
			 errhint("Look for a trigger or a rule on it that discards rows.")));
}

/* command: its tag, e.g. "DROP EXTENSION" */
void
error_drop(const char *command, const char *table, int64 rows)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s would delete data of extension openinfo", command),
			 errdetail_plural("Table \"%s\" holds " INT64_FORMAT " row.", "Table \"%s\" holds " INT64_FORMAT " rows.",
							  (unsigned long) rows, table, rows),
			 errhint("Save it first, or SET openinfo.allow_drop = on as a superuser to let it go.")));
}

void
error_missing_cron(const char *database)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("pg_cron is not in database \"%s\"", database),
			 errhint("Run CREATE EXTENSION pg_cron here first; where it lives in another database, schedule the jobs there with cron.schedule_in_database().")));
}

void
error_job_elsewhere(const char *job, const char *database)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("job \"%s\" runs in database \"%s\"", job, database),
			 errdetail("pg_cron keeps one job of a name for each user."),
			 errhint("Unschedule that one first, or schedule it again under another name.")));
}

void
error_not_trigger(const char *function)
{
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("function \"%s\" was not called as its trigger", function),
			 errhint("It belongs to the tables of extension openinfo.")));
}
