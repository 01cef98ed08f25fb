/*
 * members.c
 *		Workspaces and who is in them.
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
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/rel.h"
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

static pg_uuid_t *
uuid_copy(Datum value)
{
	pg_uuid_t *copy = SPI_palloc(sizeof(pg_uuid_t));

	*copy = *DatumGetUUIDP(value);
	return copy;
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
static Role
current_role_of(const pg_uuid_t *user, const pg_uuid_t *workspace)
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

static void
error_role_above_own(void)
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

	*actor_role = actor->is_service ? ROLE_OWNER : current_role_of(&actor->membership.user_id, workspace);
	if (*actor_role < ROLE_ADMIN)
		error_role("admin", what);
	target_role = current_role_of(target, workspace);
	if (target_role == ROLE_NONE)
		error_other_row("user", target);
	if (target_role == ROLE_OWNER && *actor_role < ROLE_OWNER)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to change an owner"),
				 errdetail("Only an owner can change the membership of an owner.")));
	return target_role;
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
 * create_workspace(p_slug text, p_name text, p_email text, p_full_name text default null) returns uuid
 *
 * A workspace and its owner, the signed-in person, in one transaction; returns workspaces.id. Callers:
 * authenticated and service_role, with claims.  Errors: PT401 nobody signed in; 22023 a NULL argument; 23505
 * the slug is taken; 23514 slug or e-mail malformed.  Locks: RowExclusive on workspaces and users.
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
	{
		Datum values[2] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};

		violations_run(&make_workspace, values, NULL, PG_GETARG_TEXT_PP(0));
		workspace = uuid_copy(statement_value(1, &isnull));
	}
	{
		Datum values[4] = {UUIDPGetDatum(workspace), UUIDPGetDatum(&person),
						   PG_GETARG_DATUM(2), PG_GETARG_DATUM(3)};
		char  nulls[5] = {' ', ' ', ' ', PG_ARGISNULL(3) ? 'n' : ' ', '\0'};

		violations_run(&make_owner, values, nulls, PG_GETARG_TEXT_PP(2));
		owner = uuid_copy(statement_value(1, &isnull));
	}
	{
		Datum values[2] = {UUIDPGetDatum(workspace), UUIDPGetDatum(owner)};

		(void) statement_run(&set_author, values, NULL, false, 0);
	}
	statement_end(&scope);
	PG_RETURN_UUID_P(workspace);
}

/*
 * add_member(p_workspace_id uuid, p_auth_user_id uuid, p_email text, p_role user_role default 'member')
 * returns uuid
 *
 * Adds a person to a workspace, on the best plan among its members and with that plan's daily credits;
 * returns users.id. Callers: owners and admins of the workspace, service_role for any.  Errors: PT401; 42501
 * another workspace, a role below admin, or a role above one's own; 22023 a NULL argument; 23505 already a
 * member, or the e-mail is; 23503 no such workspace; 23514 e-mail malformed.  Locks: the workspace's row, NO
 * KEY UPDATE.
 */
PG_FUNCTION_INFO_V1(openinfo_add_member);
Datum
openinfo_add_member(PG_FUNCTION_ARGS)
{
	static Statement add = STATEMENT(
		"INSERT INTO @extschema@.users (workspace_id, auth_user_id, email, role, plan, daily_credit_limit,"
		"                               daily_credits_used)"
		" SELECT $1, $2, $3, $4, p.name, p.daily_credits, $5"
		"   FROM @extschema@.plans p WHERE p.name = " MEMBERS_PLAN
		" RETURNING id",
		"uuid, uuid, text, @extschema@.user_role, int4");
	static const char *const names[] = {"p_workspace_id", "p_auth_user_id", "p_email", "p_role"};
	Caller					 actor;
	StatementScope			 scope;
	pg_uuid_t				*workspace, *member;
	Role					 role;
	bool					 isnull;

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
		Role own = current_role_of(&actor.membership.user_id, workspace);

		if (own < ROLE_ADMIN)
			error_role("admin", "add members");
		if (role > own)
			error_role_above_own();
	}
	{
		Datum values[5] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GETARG_DATUM(2), PG_GETARG_DATUM(3),
						   Int32GetDatum(spent_today(workspace, PG_GETARG_UUID_P(1)))};

		violations_run(&add, values, NULL, PG_GETARG_TEXT_PP(2));
		if (SPI_processed == 0)
			error_plans_missing(workspace);
		member = uuid_copy(statement_value(1, &isnull));
	}
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
		error_role_above_own();
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
	role = current_role_of(&membership.user_id, &membership.workspace_id);
	if (role == ROLE_NONE)
		error_no_workspace();
	delete_member(&membership.user_id, &membership.workspace_id, role);
	statement_end(&scope);
	PG_RETURN_VOID();
}

/*
 * create_preferences() returns trigger: AFTER INSERT ON users FOR EACH ROW
 *
 * Notification preferences are created with the member, with their default values.
 */
PG_FUNCTION_INFO_V1(openinfo_create_preferences);
Datum
openinfo_create_preferences(PG_FUNCTION_ARGS)
{
	static Statement make = STATEMENT(
		"INSERT INTO @extschema@.notification_preferences (user_id, workspace_id)"
		" VALUES ($1, $2) ON CONFLICT DO NOTHING",
		"uuid, uuid");
	TriggerData	  *trigger = (TriggerData *) fcinfo->context;
	TupleDesc	   desc;
	StatementScope scope;
	Datum		   values[2];
	bool		   isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || !catalog_is_table(trigger->tg_relation, "users"))
		error_not_trigger("create_preferences");

	desc = RelationGetDescr(trigger->tg_relation);
	values[0] = heap_getattr(trigger->tg_trigtuple, catalog_users()->id, desc, &isnull);
	values[1] = heap_getattr(trigger->tg_trigtuple, catalog_users()->workspace_id, desc, &isnull);

	statement_begin(&scope);
	(void) statement_run(&make, values, NULL, false, 0);
	statement_end(&scope);
	return PointerGetDatum(NULL);
}
