/*
 * authorize.c
 *		What a function may do for its caller.
 *
 * Functions work as the owner of the tables and so bypass row-level security; each of them asks here first.
 *
 * Invariant: a function refuses what the caller may not see in the same words whether it exists or not.
 */
#include "openinfo.h"

#include "miscadmin.h"
#include "utils/acl.h"

#include "access/authorize.h"
#include "access/claims.h"
#include "core/catalog.h"
#include "core/errors.h"

static const char *
role_name(Role role)
{
	return role == ROLE_OWNER ? "owner" : role == ROLE_ADMIN ? "admin"
															 : "member";
}

/* Refuses a caller without a signed-in person. */
static void
require_person(void)
{
	pg_uuid_t person;

	if (!claims_person(&person))
		error_signed_out();
}

void
authorize_caller(Caller *caller)
{
	caller->is_service = catalog_is_service_role(GetUserId());
	caller->is_member = membership_active(&caller->membership);
}

/* Refuses a workspace that is not the caller's active one; the service may use any. */
void
authorize_workspace(Caller *caller, const pg_uuid_t *workspace)
{
	authorize_caller(caller);
	if (caller->is_service)
		return;
	require_person();
	if (!caller->is_member && workspace == NULL)
		error_no_workspace();
	if (!caller->is_member || workspace == NULL || !uuid_same(workspace, &caller->membership.workspace_id))
		error_other_workspace(workspace);
}

/* Argument 0 of a function, p_workspace_id: refused when it is NULL or not the caller's active workspace. */
pg_uuid_t *
authorize_workspace_argument(FunctionCallInfo fcinfo)
{
	pg_uuid_t *workspace = PG_ARGISNULL(0) ? NULL : PG_GETARG_UUID_P(0);
	Caller	   caller;

	authorize_workspace(&caller, workspace);
	if (workspace == NULL)
		error_null("p_workspace_id");
	return workspace;
}

/* Refuses a caller who has no active workspace; the service needs none. */
void
authorize_member(Caller *caller)
{
	authorize_caller(caller);
	if (caller->is_service)
		return;
	require_person();
	if (!caller->is_member)
		error_no_workspace();
}

/* Refuses a user who is not the caller; the service may use any. */
void
authorize_user(Caller *caller, const pg_uuid_t *user)
{
	authorize_caller(caller);
	if (caller->is_service)
		return;
	require_person();
	if (!caller->is_member && user == NULL)
		error_no_workspace();
	if (!caller->is_member || user == NULL || !uuid_same(user, &caller->membership.user_id))
		error_other_user(user);
}

/* Refuses a caller below a role; what completes "permission denied to ...". */
void
authorize_role(const Caller *caller, Role required, const char *what)
{
	if (!caller->is_service && membership_role(caller->membership.role) < required)
		error_role(role_name(required), what);
}

/*
 * Refuses everybody but the service.  EXECUTE is not granted to others anyway; this holds when somebody
 * grants it.
 */
void
authorize_service(const char *function)
{
	if (!catalog_is_service_role(GetUserId()))
		error_service_only(function);
}

/* The same for a function that openinfo_monitor may call too. */
void
authorize_monitor(const char *function)
{
	Oid monitor = get_role_oid("openinfo_monitor", true);

	if (!OidIsValid(monitor) || !has_privs_of_role(GetUserId(), monitor))
		authorize_service(function);
}

/*
 * Returns the only value of a query on the workspace in argument 0, the caller's own; the service may ask
 * about any. values[0], which is filled in, is the workspace; byval is the property of the value's type.
 */
Datum
authorize_workspace_query(FunctionCallInfo fcinfo, Statement *query, Datum *values, bool byval)
{
	StatementScope scope;
	Datum		   value;
	bool		   isnull;

	values[0] = UUIDPGetDatum(authorize_workspace_argument(fcinfo));

	statement_begin(&scope);
	if (statement_run(query, values, NULL, true, 0) == 0)
		error_no_such_row("workspace", PG_GETARG_UUID_P(0));
	value = SPI_datumTransfer(statement_value(1, &isnull), byval, -1);
	statement_end(&scope);
	return value;
}
