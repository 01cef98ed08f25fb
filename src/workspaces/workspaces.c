/*
 * workspaces.c
 *		Workspaces of a person: they are created, listed and deleted.
 *
 * Invariant: through create_workspace() nobody comes to own more workspaces than
 * openinfo.workspaces_per_person.  What a person created within the last 24 hours counts as well, although it
 * may have been deleted: each workspace brings the credits of a new member.
 */
#include "openinfo.h"

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "access/claims.h"
#include "access/membership.h"
#include "access/route.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "workspaces/members.h"
#include "workspaces/violations.h"

/* Distinguishes the advisory locks on persons from other ones. */
#define PERSON_LOCK_SEED UINT64CONST(0x6f70656e696e666f)

/* Databases of a version before 1.1.0 have no table of creations. */
static bool
creations_counted(void)
{
	return catalog_has_column("workspace_creations", "workspace");
}

/*
 * Refuses another workspace to a person who has enough of them.  Within statement_begin().  Two calls of a
 * person are one after the other, and count as of now.
 */
static void
limit_workspaces(const pg_uuid_t *person)
{
	static Statement count = STATEMENT(
		"SELECT count(*) FROM ("
		"  SELECT workspace_id FROM @extschema@.users WHERE auth_user_id = $1 AND role = 'owner'"
		"  UNION"
		"  SELECT workspace FROM @extschema@.workspace_creations"
		"   WHERE auth_user_id = $1 AND created_at > $2) owned",
		"uuid, timestamptz");
	Datum values[2] = {UUIDPGetDatum(person),
					   TimestampTzGetDatum(GetCurrentTransactionStartTimestamp() - USECS_PER_DAY)};
	int64 owned;
	bool  isnull;

	if (openinfo_workspaces_per_person < 0 || !creations_counted())
		return;
	(void) DirectFunctionCall1(pg_advisory_xact_lock_int8,
							   Int64GetDatum(hash_bytes_extended(person->data, UUID_LEN, PERSON_LOCK_SEED)));
	PushActiveSnapshot(GetLatestSnapshot());
	(void) statement_run(&count, values, NULL, true, 0);
	owned = DatumGetInt64(statement_value(1, &isnull));
	PopActiveSnapshot();
	if (owned >= openinfo_workspaces_per_person)
		error_payment_required("limit of workspaces per person exceeded",
							   "Delete a workspace; one that was created within the last 24 hours"
							   " counts until then.",
							   NULL, openinfo_workspaces_per_person, owned, 1);
}

/* Within statement_begin().  Of the creations that no longer count it deletes some. */
static void
remember_creation(const pg_uuid_t *workspace, const pg_uuid_t *person)
{
	static Statement forget = STATEMENT(
		"DELETE FROM @extschema@.workspace_creations WHERE workspace IN ("
		"  SELECT workspace FROM @extschema@.workspace_creations WHERE created_at <= $1"
		"   ORDER BY created_at LIMIT 10 FOR UPDATE SKIP LOCKED)",
		"timestamptz");
	static Statement remember = STATEMENT(
		"INSERT INTO @extschema@.workspace_creations (workspace, auth_user_id) VALUES ($1, $2)",
		"uuid, uuid");
	Datum before = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp() - USECS_PER_DAY);
	Datum values[2] = {UUIDPGetDatum(workspace), UUIDPGetDatum(person)};

	if (!creations_counted())
		return;
	(void) statement_run(&forget, &before, NULL, false, 0);
	(void) statement_run(&remember, values, NULL, false, 0);
}

/*
 * create_workspace(p_slug text, p_name text, p_email text, p_full_name text default null) returns uuid
 *
 * A workspace and its owner, the signed-in person, in one transaction; returns workspaces.id. Callers:
 * authenticated and service_role, with claims.  Errors: PT401 nobody signed in; 22023 a NULL argument; 23505
 * the slug is taken; 23514 slug or e-mail malformed; PT402 the person has as many workspaces as
 * openinfo.workspaces_per_person.  Locks: an advisory lock on the person; RowExclusive on workspaces and
 * users.
 */
PG_FUNCTION_INFO_V1(openinfo_create_workspace);
Datum
openinfo_create_workspace(PG_FUNCTION_ARGS)
{
	static Statement make_workspace = STATEMENT(
		"INSERT INTO @extschema@.workspaces (slug, name) VALUES ($1, $2) RETURNING id",
		"text, text");
	/*
	 * created_by is the membership itself: that tells a workspace that a person created from one that they
	 * were added to
	 */
	static Statement make_owner = STATEMENT(
		"INSERT INTO @extschema@.users"
		" (id, created_by, workspace_id, auth_user_id, email, full_name, role, plan,"
		"                               daily_credit_limit)"
		" SELECT new.id, new.id, $1, $2, $3, $4, 'owner', 'free',"
		"        (SELECT daily_credits FROM @extschema@.plans WHERE name = 'free')"
		"   FROM (SELECT pg_catalog.gen_random_uuid() AS id) new"
		" RETURNING id",
		"uuid, uuid, text, text");
	static Statement set_author = STATEMENT(
		"UPDATE @extschema@.workspaces SET created_by = $2 WHERE id = $1",
		"uuid, uuid");
	StatementScope scope;
	pg_uuid_t	   person;
	pg_uuid_t	  *workspace, *owner;
	bool		   isnull;

	if (!claims_person(&person))
		error_signed_out();
	if (PG_ARGISNULL(0))
		error_null("p_slug");
	if (PG_ARGISNULL(1))
		error_null("p_name");
	if (PG_ARGISNULL(2))
		error_null("p_email");

	statement_begin(&scope);
	limit_workspaces(&person);
	{
		Datum values[2] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};

		violations_run(&make_workspace, values, NULL, PG_GETARG_TEXT_PP(0));
		workspace = members_copy_uuid(statement_value(1, &isnull));
		route_toward(workspace);
	}
	{
		Datum values[4] = {UUIDPGetDatum(workspace), UUIDPGetDatum(&person),
						   PG_GETARG_DATUM(2), PG_GETARG_DATUM(3)};
		char  nulls[5] = {' ', ' ', ' ', PG_ARGISNULL(3) ? 'n' : ' ', '\0'};

		violations_run(&make_owner, values, nulls, PG_GETARG_TEXT_PP(2));
		owner = members_copy_uuid(statement_value(1, &isnull));
	}
	{
		Datum values[2] = {UUIDPGetDatum(workspace), UUIDPGetDatum(owner)};

		(void) statement_run(&set_author, values, NULL, false, 0);
	}
	remember_creation(workspace, &person);
	statement_end(&scope);
	PG_RETURN_UUID_P(workspace);
}

/*
 * get_my_workspaces() returns table(workspace_id uuid, slug text, name text, role user_role, plan text,
 *		is_active boolean, member_since timestamptz)
 *
 * Every workspace of the signed-in person, the oldest membership first; plan is that of the workspace,
 * is_active is true of the one that get_user_workspace_id() returns.  Callers: authenticated and
 * service_role, with claims.  Errors: PT401 nobody signed in.
 */
PG_FUNCTION_INFO_V1(openinfo_get_my_workspaces);
Datum
openinfo_get_my_workspaces(PG_FUNCTION_ARGS)
{
	static Statement list = STATEMENT(
		"SELECT w.id, w.slug, w.name, u.role,"
		/* as MEMBERS_PLAN, in a form that Citus knows */
		"       coalesce((SELECT (array_agg(best.name ORDER BY " MEMBERS_LARGER_FIRST ", best.name))[1]"
		"                   FROM @extschema@.users member"
		"                   JOIN @extschema@.plans best ON best.name = member.plan"
		"                  WHERE member.workspace_id = u.workspace_id), 'free'),"
		"       w.id IS NOT DISTINCT FROM $2, u.created_at"
		"  FROM @extschema@.users u JOIN @extschema@.workspaces w ON w.id = u.workspace_id"
		" WHERE u.auth_user_id = $1 ORDER BY u.created_at, u.id",
		"uuid, uuid");
	StatementScope scope;
	Membership	   active;
	pg_uuid_t	   person;
	Datum		   values[2];
	const char	  *nulls;

	if (!claims_person(&person))
		error_signed_out();
	values[0] = UUIDPGetDatum(&person);
	nulls = membership_active(&active) ? "  " : " n";
	values[1] = UUIDPGetDatum(&active.workspace_id);

	statement_begin(&scope);
	(void) statement_return_query(fcinfo, &list, values, nulls);
	statement_end(&scope);
	return (Datum) 0;
}

/*
 * delete_workspace(p_slug text) returns void
 *
 * Deletes the active workspace with all that is in it; the files of its exports are left in
 * expired_export_files.  p_slug must be its slug, so that nobody deletes another one than they mean.
 * Callers: its owners.  Errors: PT401 nobody signed in; 42501 no active workspace, or not an owner; 22023
 * another slug, or NULL.  Locks: the workspace, FOR UPDATE, and then all its rows.
 */
PG_FUNCTION_INFO_V1(openinfo_delete_workspace);
Datum
openinfo_delete_workspace(PG_FUNCTION_ARGS)
{
	static Statement lock = STATEMENT(
		"SELECT slug = $2, slug FROM @extschema@.workspaces WHERE id = $1 FOR UPDATE",
		"uuid, text");
	static Statement remove = STATEMENT("DELETE FROM @extschema@.workspaces WHERE id = $1", "uuid");
	StatementScope	 scope;
	Membership		 membership;
	pg_uuid_t		 person;
	Datum			 values[2];
	char			*slug;
	bool			 same, isnull;
	Role			 role;

	if (!claims_person(&person))
		error_signed_out();
	if (!membership_active(&membership))
		error_no_workspace();
	if (PG_ARGISNULL(0))
		error_null("p_slug");
	values[0] = UUIDPGetDatum(&membership.workspace_id);
	values[1] = PG_GETARG_DATUM(0);

	statement_begin(&scope);
	if (statement_run(&lock, values, NULL, false, 0) == 0)
		error_no_workspace();
	same = DatumGetBool(statement_value(1, &isnull));
	slug = TextDatumGetCString(statement_value(2, &isnull));
	role = members_role_of(&membership.user_id, &membership.workspace_id);
	if (role == ROLE_NONE)
		error_no_workspace();
	if (role < ROLE_OWNER)
		error_role("owner", "delete the workspace");
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not the slug of the active workspace",
						violations_shorten(PG_GETARG_TEXT_PP(0))),
				 errhint("To delete the active workspace, pass \"%s\".", slug)));
	(void) statement_run(&remove, values, NULL, false, 0);
	statement_end(&scope);
	PG_RETURN_VOID();
}
