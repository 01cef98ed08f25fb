/*
 * members.c
 *		Who is in a workspace.
 *
 *	actor	the caller, with their role in the workspace
 *	target	the member that something is done to
 *
 * Invariants: a workspace never loses its last owner through these functions; nobody grants a role above
 * their own; an admin does nothing to an owner.
 *
 * A function that changes the members of a workspace locks the workspace's row first, and then reads roles
 * again: so two owners who leave at the same time are one after the other, and an admin who was just demoted
 * is seen as demoted.
 */
#include "openinfo.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "access/authorize.h"
#include "access/claims.h"
#include "access/membership.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "workspaces/members.h"
#include "workspaces/violations.h"

pg_uuid_t *
members_copy_uuid(Datum value)
{
	pg_uuid_t *copy = SPI_palloc(sizeof(pg_uuid_t));

	*copy = *DatumGetUUIDP(value);
	return copy;
}

/*
 * Locks a workspace against being deleted; false when it does not exist.  Within statement_begin().  A
 * function that locks rows of a workspace and then adds one calls this first: the new row's foreign key locks
 * the workspace in any case, and the deletion of a workspace locks it before its rows.
 *
 * Not on a Citus cluster, where such a lock is one on all workspaces and makes their spending deadlock: there
 * the deletion of a workspace may end in a deadlock with who is spending.
 */
bool
members_keep_workspace(const pg_uuid_t *workspace)
{
	static Statement keep = STATEMENT(
		"SELECT FROM @extschema@.workspaces WHERE id = $1 FOR KEY SHARE",
		"uuid");
	static Statement find = STATEMENT("SELECT FROM @extschema@.workspaces WHERE id = $1", "uuid");
	Datum			 value = UUIDPGetDatum(workspace);

	return statement_run(catalog_is_distributed() ? &find : &keep, &value, NULL, false, 0) > 0;
}

/*
 * Locks a workspace against other changes of its membership or plan; false when it does not exist.  Within
 * statement_begin().  NO KEY UPDATE: rows that refer to the workspace may go on being written.
 */
bool
members_lock_workspace(const pg_uuid_t *workspace)
{
	static Statement lock = STATEMENT(
		"SELECT FROM @extschema@.workspaces WHERE id = $1 FOR NO KEY UPDATE",
		"uuid");
	Datum value = UUIDPGetDatum(workspace);

	return statement_run(&lock, &value, NULL, false, 0) > 0;
}

/* Role of a member of a workspace as it is now, ROLE_NONE when they are not in it. */
Role
members_role_of(const pg_uuid_t *user, const pg_uuid_t *workspace)
{
	static Statement read = STATEMENT(
		"SELECT role FROM @extschema@.users WHERE id = $1 AND workspace_id = $2 FOR UPDATE",
		"uuid, uuid");
	Datum values[2] = {UUIDPGetDatum(user), UUIDPGetDatum(workspace)};
	bool  isnull;

	if (statement_run(&read, values, NULL, false, 0) == 0)
		return ROLE_NONE;
	return membership_role(DatumGetObjectId(statement_value(1, &isnull)));
}

void
members_error_role_above_own(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to grant role \"owner\""),
			 errdetail("Only an owner can grant it.")));
}

/*
 * Owners are locked, not merely counted: under REPEATABLE READ a concurrent departure then fails to
 * serialise.
 */
static void
error_if_last_owner(const pg_uuid_t *workspace)
{
	static Statement owners = STATEMENT(
		"SELECT FROM @extschema@.users WHERE workspace_id = $1 AND role = 'owner' ORDER BY id FOR UPDATE",
		"uuid");
	Datum value = UUIDPGetDatum(workspace);

	if (statement_run(&owners, &value, NULL, false, 0) <= 1)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot remove the last owner of the workspace"),
				 errhint("Promote another member to owner first, with set_member_role().")));
}

/*
 * What the three functions on a target have in common: finds their workspace, locks it, and checks actor
 * against target. Returns the target's role; within statement_begin().
 */
static Role
begin_change(const Caller *actor, const pg_uuid_t *target, pg_uuid_t *workspace, Role *actor_role,
			 const char *what)
{
	static Statement find = STATEMENT("SELECT workspace_id FROM @extschema@.users WHERE id = $1", "uuid");
	Role			 target_role;

	if (actor->is_service)
	{
		Datum value = UUIDPGetDatum(target);
		bool  isnull;

		if (statement_run(&find, &value, NULL, false, 0) == 0)
			error_no_such_row("user", target);
		*workspace = *DatumGetUUIDP(statement_value(1, &isnull));
	}
	else
		*workspace = actor->membership.workspace_id;

	members_lock_workspace(workspace);

	*actor_role = actor->is_service ? ROLE_OWNER : members_role_of(&actor->membership.user_id, workspace);
	if (*actor_role < ROLE_ADMIN)
		error_role("admin", what);
	target_role = members_role_of(target, workspace);
	if (target_role == ROLE_NONE)
		error_other_row("user", target);
	if (target_role == ROLE_OWNER && *actor_role < ROLE_OWNER)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to change an owner"),
				 errdetail("Only an owner can change the membership of an owner.")));
	return target_role;
}

/*
 * Sets references to a deleted member to null, as the foreign keys do on one server.  Citus has no SET NULL
 * of one column; there these keys are checked at the end of the transaction.  values: the member, and the
 * workspace.
 */
static void
forget_author(const Datum *values)
{
	static Statement keys = STATEMENT(
		"SELECT format('UPDATE %s SET %I = NULL WHERE workspace_id = $2 AND %2$I = $1',"
		"              k.conrelid::pg_catalog.regclass, a.attname)"
		"  FROM pg_catalog.pg_constraint k"
		"  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]"
		" WHERE k.confrelid = $1 AND k.contype = 'f' AND k.condeferred ORDER BY 1",
		"oid");
	Oid	   types[2] = {UUIDOID, UUIDOID};
	Datum  users = ObjectIdGetDatum(catalog_users()->relid);
	uint64 count = statement_run(&keys, &users, NULL, true, 0);
	char **updates = palloc(Max(count, 1) * sizeof(char *));
	bool   isnull;

	for (uint64 i = 0; i < count; i++)
		updates[i] = TextDatumGetCString(statement_value_at(i, 1, &isnull));
	for (uint64 i = 0; i < count; i++)
		if (SPI_execute_with_args(updates[i], 2, types, (Datum *) values, NULL, false, 0) < 0)
			elog(ERROR, "SPI_execute_with_args failed");
}

static void
delete_member(const pg_uuid_t *user, const pg_uuid_t *workspace, Role role)
{
	static Statement remove = STATEMENT(
		"DELETE FROM @extschema@.users WHERE id = $1 AND workspace_id = $2",
		"uuid, uuid");
	Datum values[2] = {UUIDPGetDatum(user), UUIDPGetDatum(workspace)};

	if (role == ROLE_OWNER)
		error_if_last_owner(workspace);
	(void) statement_run(&remove, values, NULL, false, 0);
	if (catalog_is_distributed())
		forget_author(values);
}

/*
 * Credits that a person has spent in a workspace today, as of now, in whatever membership: somebody who
 * leaves and is added again does not get fresh ones.  Within statement_begin().
 */
static int32
spent_today(const pg_uuid_t *workspace, const pg_uuid_t *person)
{
	static Statement sum = STATEMENT(
		"SELECT least(coalesce(sum(credits_used), 0), 2147483647)::int4 FROM @extschema@.credit_usage"
		" WHERE workspace_id = $1 AND auth_user_id = $2 AND created_at >= $3",
		"uuid, uuid, timestamptz");
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	Datum		values[3] = {UUIDPGetDatum(workspace), UUIDPGetDatum(person),
							 TimestampTzGetDatum(now - now % USECS_PER_DAY)};
	int32		spent;
	bool		isnull;

	/* the ledger came with 0.4.0 */
	if (!catalog_has_column("credit_usage", "auth_user_id"))
		return 0;
	PushActiveSnapshot(GetLatestSnapshot());
	(void) statement_run(&sum, values, NULL, true, 0);
	spent = DatumGetInt32(statement_value(1, &isnull));
	PopActiveSnapshot();
	return spent;
}

/*
 * Inserts a member, on the best plan of the workspace and with that plan's daily credits; returns users.id.
 * Within statement_begin(), with the workspace locked.  role is a value of enum user_role.
 */
pg_uuid_t *
members_insert(const pg_uuid_t *workspace, const pg_uuid_t *person, text *email, text *full_name, Oid role)
{
	static Statement add = STATEMENT(
		"INSERT INTO @extschema@.users (workspace_id, auth_user_id, email, full_name, role, plan,"
		"                               daily_credit_limit, daily_credits_used)"
		" SELECT $1, $2, $3, $4, $5, p.name, p.daily_credits, $6"
		"   FROM @extschema@.plans p WHERE p.name = " MEMBERS_PLAN
		" RETURNING id",
		"uuid, uuid, text, text, @extschema@.user_role, int4");
	Datum values[6] = {UUIDPGetDatum(workspace), UUIDPGetDatum(person), PointerGetDatum(email),
					   PointerGetDatum(full_name), ObjectIdGetDatum(role),
					   Int32GetDatum(spent_today(workspace, person))};
	char  nulls[7] = {' ', ' ', ' ', full_name ? ' ' : 'n', ' ', ' ', '\0'};
	bool  isnull;

	violations_run(&add, values, nulls, email);
	if (SPI_processed == 0)
		error_plans_missing(workspace);
	return members_copy_uuid(statement_value(1, &isnull));
}

/*
 * add_member(p_workspace_id uuid, p_auth_user_id uuid, p_email text, p_role user_role default 'member')
 * returns uuid
 *
 * Adds a person to a workspace, on the best plan among its members and with that plan's daily credits;
 * returns users.id. An open invitation of the address is used up.  Callers: owners and admins of the
 * workspace, service_role for any.  Errors: PT401; 42501 another workspace, a role below admin, or a role
 * above one's own; 22023 a NULL argument; 23505 already a member, or the e-mail is; 23503 no such workspace;
 * 23514 e-mail malformed; PT402 no seat left.  Locks: the workspace's row, NO KEY UPDATE.
 */
PG_FUNCTION_INFO_V1(openinfo_add_member);
Datum
openinfo_add_member(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"p_workspace_id", "p_auth_user_id", "p_email", "p_role"};
	Caller					 actor;
	StatementScope			 scope;
	pg_uuid_t				*workspace, *member;
	Role					 role;

	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			error_null(names[i]);
	workspace = PG_GETARG_UUID_P(0);
	role = membership_role(PG_GETARG_OID(3));

	authorize_workspace(&actor, workspace);

	statement_begin(&scope);
	members_lock_workspace(workspace);
	if (!actor.is_service)
	{
		Role own = members_role_of(&actor.membership.user_id, workspace);

		if (own < ROLE_ADMIN)
			error_role("admin", "add members");
		if (role > own)
			members_error_role_above_own();
	}
	member = members_insert(workspace, PG_GETARG_UUID_P(1), PG_GETARG_TEXT_PP(2), NULL, PG_GETARG_OID(3));
	statement_end(&scope);
	PG_RETURN_UUID_P(member);
}

/*
 * set_member_role(p_user_id uuid, p_role user_role) returns void
 *
 * Callers: owners and admins of the member's workspace, service_role for any.  Errors: PT401; 42501 not a
 * member of the caller's workspace, a role below admin, an owner changed by an admin, a role above one's
 * own, or the last owner stepping down; 22023 a NULL argument, or (service_role) no such user.  Locks: the
 * workspace's row, then the users concerned.
 */
PG_FUNCTION_INFO_V1(openinfo_set_member_role);
Datum
openinfo_set_member_role(PG_FUNCTION_ARGS)
{
	static Statement change = STATEMENT(
		"UPDATE @extschema@.users SET role = $3 WHERE id = $1 AND workspace_id = $2 AND role <> $3",
		"uuid, uuid, @extschema@.user_role");
	Caller		   actor;
	StatementScope scope;
	pg_uuid_t	   workspace;
	Role		   actor_role, target_role, role;

	if (PG_ARGISNULL(0))
		error_null("p_user_id");
	if (PG_ARGISNULL(1))
		error_null("p_role");
	role = membership_role(PG_GETARG_OID(1));
	authorize_member(&actor);

	statement_begin(&scope);
	target_role = begin_change(&actor, PG_GETARG_UUID_P(0), &workspace, &actor_role, "change roles");
	if (role > actor_role)
		members_error_role_above_own();
	if (target_role == ROLE_OWNER && role != ROLE_OWNER)
		error_if_last_owner(&workspace);
	{
		Datum values[3] = {PG_GETARG_DATUM(0), UUIDPGetDatum(&workspace), PG_GETARG_DATUM(1)};

		(void) statement_run(&change, values, NULL, false, 0);
	}
	statement_end(&scope);
	PG_RETURN_VOID();
}

/*
 * remove_member(p_user_id uuid) returns void
 *
 * Deletes the membership; what the member wrote stays, without its author.  Callers, errors and locks as
 * set_member_role().
 */
PG_FUNCTION_INFO_V1(openinfo_remove_member);
Datum
openinfo_remove_member(PG_FUNCTION_ARGS)
{
	Caller		   actor;
	StatementScope scope;
	pg_uuid_t	   workspace;
	Role		   actor_role, target_role;

	if (PG_ARGISNULL(0))
		error_null("p_user_id");
	authorize_member(&actor);

	statement_begin(&scope);
	target_role = begin_change(&actor, PG_GETARG_UUID_P(0), &workspace, &actor_role, "remove members");
	delete_member(PG_GETARG_UUID_P(0), &workspace, target_role);
	statement_end(&scope);
	PG_RETURN_VOID();
}

/*
 * leave_workspace() returns void
 *
 * Ends the caller's membership in the active workspace.  Callers: any member.  Errors: PT401 nobody
 * signed in; 42501 no active workspace, or the last owner.  Locks: the workspace's row, then the users
 * concerned.
 */
PG_FUNCTION_INFO_V1(openinfo_leave_workspace);
Datum
openinfo_leave_workspace(PG_FUNCTION_ARGS)
{
	Membership	   membership;
	StatementScope scope;
	pg_uuid_t	   person;
	Role		   role;

	if (!claims_person(&person))
		error_signed_out();
	if (!membership_active(&membership))
		error_no_workspace();

	statement_begin(&scope);
	members_lock_workspace(&membership.workspace_id);
	role = members_role_of(&membership.user_id, &membership.workspace_id);
	if (role == ROLE_NONE)
		error_no_workspace();
	delete_member(&membership.user_id, &membership.workspace_id, role);
	statement_end(&scope);
	PG_RETURN_VOID();
}
