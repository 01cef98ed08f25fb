/*
 * invitations.c
 *		Invitations: from an e-mail address to a membership.
 *
 *	token	what the invited person proves the invitation with: the id of the workspace and 24 random bytes,
 *			in base64url.  Whoever has it may join; so it is shown once, and the table has its SHA-256
 *	open	neither accepted, revoked nor expired; an open invitation takes a seat
 *
 * Invariant: a token makes at most one membership, and none once its invitation has ended.  A function that
 * ends an invitation locks the workspace first, and then reads the invitation again.
 *
 * No message names a token, and whatever is wrong with one takes the same path to the same error.
 */
#include "openinfo.h"

#include "access/xact.h"
#include "common/int.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "access/authorize.h"
#include "access/claims.h"
#include "access/route.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "workspaces/members.h"
#include "workspaces/plan_limits.h"
#include "workspaces/violations.h"

#define SECRET_BYTES 24
#define TOKEN_BYTES (UUID_LEN + SECRET_BYTES)
#define TOKEN_LENGTH ((TOKEN_BYTES * 8 + 5) / 6) /* without padding */

#define SHORTEST_LIFE USECS_PER_MINUTE
#define LONGEST_LIFE (90 * USECS_PER_DAY)

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* What accept_invitation() finds. */
typedef struct Invitation
{
	text	  *email;
	Oid		   role;
	bool	   open;
	bool	   accepted; /* by the caller, who still is the member that it made */
	pg_uuid_t *member;	 /* the caller in the workspace, or NULL */
} Invitation;

static text *
token_new(const pg_uuid_t *workspace)
{
	unsigned char bytes[TOKEN_BYTES];
	char		  token[TOKEN_LENGTH];
	uint32		  bits = 0;
	int			  nbits = 0, length = 0;

	memcpy(bytes, workspace->data, UUID_LEN);
	if (!pg_strong_random(bytes + UUID_LEN, SECRET_BYTES))
		ereport(ERROR, /* not tested */
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	for (int i = 0; i < TOKEN_BYTES; i++)
	{
		bits = bits << 8 | bytes[i];
		for (nbits += 8; nbits >= 6; nbits -= 6)
			token[length++] = base64url[bits >> (nbits - 6) & 63];
	}
	token[length++] = base64url[bits << (6 - nbits) & 63];
	Assert(length == TOKEN_LENGTH);
	return cstring_to_text_with_len(token, length);
}

/* The workspace that a token begins with; of what is no token, one that nobody has. */
static pg_uuid_t
token_workspace(text *token)
{
	pg_uuid_t	workspace;
	const char *string = VARDATA_ANY(token);
	uint32		bits = 0;
	int			nbits = 0;

	memset(&workspace, 0, sizeof(workspace));
	if (VARSIZE_ANY_EXHDR(token) != TOKEN_LENGTH)
		return workspace;
	for (int i = 0, byte = 0; byte < UUID_LEN; i++)
	{
		const char *digit = string[i] == '\0' ? NULL : strchr(base64url, string[i]);

		bits = bits << 6 | (digit ? digit - base64url : 0);
		nbits += 6;
		if (nbits >= 8)
		{
			nbits -= 8;
			workspace.data[byte++] = bits >> nbits & 255;
		}
	}
	return workspace;
}

/* SHA-256 of the token, as a bytea. */
static Datum
token_hash(text *token)
{
	return DirectFunctionCall1(sha256_bytea, PointerGetDatum(token));
}

/* How long an invitation is to live, in microseconds; a day of an interval has 24 hours, a month 30 days. */
static int64
life_of(Interval *interval)
{
	int64 life;

	if (pg_mul_s64_overflow((int64) interval->month * 30 + interval->day, USECS_PER_DAY, &life) ||
		pg_add_s64_overflow(life, interval->time, &life) ||
		life < SHORTEST_LIFE || life > LONGEST_LIFE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"p_expires_in\" must be between 1 minute and 90 days, not \"%s\"",
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval))))));
	return life;
}

/* Refuses the address of a member, in any case.  Within statement_begin(), with the workspace locked. */
static void
refuse_member_address(const pg_uuid_t *workspace, text *email)
{
	static Statement find = STATEMENT(
		"SELECT FROM @extschema@.users WHERE workspace_id = $1 AND lower(email) = lower($2)",
		"uuid, text");
	Datum values[2] = {UUIDPGetDatum(workspace), PointerGetDatum(email)};

	if (statement_run(&find, values, NULL, false, 1) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("e-mail address \"%s\" belongs to a member of the workspace",
						violations_shorten(email)),
				 errhint("Change the role with set_member_role()."),
				 err_generic_string(PG_DIAG_SCHEMA_NAME, get_namespace_name(catalog_schema())),
				 err_generic_string(PG_DIAG_TABLE_NAME, "users"),
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, "users_workspace_id_email_key")));
}

/*
 * invite_member(p_email text, p_role user_role default 'member', p_expires_in interval default '7 days',
 *		p_workspace_id uuid default get_user_workspace_id())
 *		returns table(invitation_id uuid, token text, expires_at timestamptz)
 *
 * Invites somebody, who need not have an account; returns the token, which is not stored.  An invitation of
 * the same address that has not ended is revoked.  Callers: owners and admins of the workspace, service_role
 * for any.  Errors: PT401; 42501 another workspace, a role below admin, or a role above one's own; 22023 a
 * NULL argument, a life below a minute or above 90 days, or (service_role) no such workspace; 23505 a
 * member's address; 23514 e-mail malformed; PT402 no seat left.  Locks: the workspace's row, NO KEY UPDATE.
 */
PG_FUNCTION_INFO_V1(openinfo_invite_member);
Datum
openinfo_invite_member(PG_FUNCTION_ARGS)
{
	static Statement replace = STATEMENT(
		"UPDATE @extschema@.invitations SET revoked_at = now()"
		" WHERE workspace_id = $1 AND lower(email) = lower($2)"
		"   AND accepted_at IS NULL AND revoked_at IS NULL",
		"uuid, text");
	static Statement invite = STATEMENT(
		"INSERT INTO @extschema@.invitations (workspace_id, email, role, token_sha256, expires_at)"
		" VALUES ($1, $2, $3, $4, $5) RETURNING id, $6, expires_at",
		"uuid, text, @extschema@.user_role, bytea, timestamptz, text");
	static const char *const names[] = {"p_email", "p_role", "p_expires_in"};
	Caller					 actor;
	StatementScope			 scope;
	pg_uuid_t				*workspace = PG_ARGISNULL(3) ? NULL : PG_GETARG_UUID_P(3);
	text					*token;
	CommandId				 before;
	int64					 life;
	Datum					 values[6];

	for (int i = 0; i < lengthof(names); i++)
		if (PG_ARGISNULL(i))
			error_null(names[i]);
	authorize_workspace(&actor, workspace);
	if (workspace == NULL)
		error_null("p_workspace_id");
	authorize_role(&actor, ROLE_ADMIN, "invite members");
	life = life_of(PG_GETARG_INTERVAL_P(2));
	(void) catalog_table("invitations");
	token = token_new(workspace);
	values[0] = UUIDPGetDatum(workspace);
	values[1] = PG_GETARG_DATUM(0);
	values[2] = PG_GETARG_DATUM(1);
	values[3] = token_hash(token);
	values[4] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp() + life);
	values[5] = PointerGetDatum(token);

	statement_returns_table(fcinfo);
	statement_begin(&scope);
	if (!members_lock_workspace(workspace))
		error_no_such_row("workspace", workspace);
	if (!actor.is_service)
	{
		Role own = members_role_of(&actor.membership.user_id, workspace);

		if (own < ROLE_ADMIN)
			error_role("admin", "invite members");
		if (membership_role(PG_GETARG_OID(1)) > own)
			members_error_role_above_own();
	}
	refuse_member_address(workspace, PG_GETARG_TEXT_PP(0));
	CommandCounterIncrement();
	before = GetCurrentCommandId(false);
	(void) statement_run(&replace, values, NULL, false, 0);
	violations_run(&invite, values, NULL, PG_GETARG_TEXT_PP(0));
	statement_return_row(fcinfo, 0);
	plan_limits_check_seats(workspace, before);
	statement_end(&scope);
	return (Datum) 0;
}

/*
 * Finds the invitation of a token, and what the person who accepts it is in its workspace; with locked, the
 * invitation as it is now, which nobody else changes until the end of the transaction.  False when there is
 * none.  Within statement_begin().
 */
static bool
find_invitation(text *token, const pg_uuid_t *workspace, const pg_uuid_t *person, bool locked,
				Invitation *invitation)
{
#define FIND_INVITATION                                                                             \
	"SELECT i.email, i.role, i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $3," \
	"       coalesce(i.accepted_by = u.id, false), u.id"                                            \
	"  FROM @extschema@.invitations i"                                                              \
	"  LEFT JOIN @extschema@.users u ON u.workspace_id = i.workspace_id AND u.auth_user_id = $4"    \
	" WHERE i.workspace_id = $1 AND i.token_sha256 = $2"
	static Statement find = STATEMENT(FIND_INVITATION, "uuid, bytea, timestamptz, uuid");
	static Statement find_locked = STATEMENT(
		FIND_INVITATION " FOR UPDATE OF i",
		"uuid, bytea, timestamptz, uuid");
	Datum values[4] = {UUIDPGetDatum(workspace), token_hash(token),
					   TimestampTzGetDatum(GetCurrentTimestamp()), UUIDPGetDatum(person)};
	Datum member;
	bool  isnull;

	if (statement_run(locked ? &find_locked : &find, values, NULL, false, 1) == 0)
		return false;
	invitation->email = DatumGetTextPCopy(statement_value(1, &isnull));
	invitation->role = DatumGetObjectId(statement_value(2, &isnull));
	invitation->open = DatumGetBool(statement_value(3, &isnull));
	invitation->accepted = DatumGetBool(statement_value(4, &isnull));
	member = statement_value(5, &isnull);
	invitation->member = isnull ? NULL : members_copy_uuid(member);
	return true;
}

/* The caller is a member already: nothing changes but that the invitation has been used. */
static void
use_up(text *token, const pg_uuid_t *workspace, const pg_uuid_t *member)
{
	static Statement accept = STATEMENT(
		"UPDATE @extschema@.invitations SET accepted_at = now(), accepted_by = $3"
		" WHERE workspace_id = $1 AND token_sha256 = $2",
		"uuid, bytea, uuid");
	Datum values[3] = {UUIDPGetDatum(workspace), token_hash(token), UUIDPGetDatum(member)};

	(void) statement_run(&accept, values, NULL, false, 0);
}

/*
 * accept_invitation(p_token text, p_full_name text default null) returns uuid
 *
 * Makes the signed-in person a member, with the address and the role of the invitation and the plan of the
 * workspace; returns workspaces.id.  Again by the same person: the same, and nothing changes.  A member
 * already: the same, and the invitation is used up.  Callers: authenticated and service_role, with claims.
 * Errors: PT401 nobody signed in; 22023 a NULL token, or one that is unknown, malformed, expired, revoked or
 * accepted by somebody else, in the same words; PT402 the workspace has more members than its plan allows;
 * 23505 the address belongs to another member.  Locks: the workspace's row, NO KEY UPDATE.
 */
PG_FUNCTION_INFO_V1(openinfo_accept_invitation);
Datum
openinfo_accept_invitation(PG_FUNCTION_ARGS)
{
	StatementScope scope;
	pg_uuid_t	   person;
	pg_uuid_t	  *workspace = palloc(sizeof(pg_uuid_t));
	text		  *token;
	Invitation	   invitation;

	if (!claims_person(&person))
		error_signed_out();
	if (PG_ARGISNULL(0))
		error_null("p_token");
	token = PG_GETARG_TEXT_PP(0);
	*workspace = token_workspace(token);
	(void) catalog_table("invitations");

	statement_begin(&scope);
	route_toward(workspace);
	/* without a lock first: nobody locks a workspace whose invitation they do not have */
	if (!find_invitation(token, workspace, &person, false, &invitation) ||
		!(invitation.accepted ||
		  (invitation.open && members_lock_workspace(workspace) &&
		   find_invitation(token, workspace, &person, true, &invitation) &&
		   (invitation.accepted || invitation.open))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invitation is not valid"),
				 errdetail("It has ended, or does not exist."),
				 errhint("Ask for another invitation.")));
	if (!invitation.accepted && invitation.member)
		use_up(token, workspace, invitation.member);
	else if (!invitation.accepted)
	{
		/* as a member would be told, but who is not one yet learns nothing of the plan */
		if (plan_limits_overfull(workspace))
			ereport(ERROR,
					(errcode(ERRCODE_OPENINFO_PAYMENT_REQUIRED),
					 errmsg("workspace has no seat left"),
					 errhint("Ask an owner or admin of the workspace for a seat.")));
		/* the trigger uses the invitation up */
		(void) members_insert(workspace, &person, invitation.email,
							  PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1), invitation.role);
	}
	statement_end(&scope);
	PG_RETURN_UUID_P(workspace);
}

/*
 * revoke_invitation(p_invitation_id uuid) returns void
 *
 * Ends an open invitation; one that has ended stays as it is.  Callers: owners and admins of the workspace,
 * service_role for any.  Errors: PT401; 42501 no active workspace, a role below admin, or an invitation that
 * is not one of the workspace; 22023 NULL, or (service_role) no such invitation.  Locks: the workspace's row,
 * NO KEY UPDATE.
 */
PG_FUNCTION_INFO_V1(openinfo_revoke_invitation);
Datum
openinfo_revoke_invitation(PG_FUNCTION_ARGS)
{
	static Statement find = STATEMENT(
		"SELECT workspace_id FROM @extschema@.invitations WHERE id = $1",
		"uuid");
	static Statement find_own = STATEMENT(
		"SELECT FROM @extschema@.invitations WHERE id = $1 AND workspace_id = $2",
		"uuid, uuid");
	static Statement revoke = STATEMENT(
		"UPDATE @extschema@.invitations SET revoked_at = now()"
		" WHERE id = $1 AND workspace_id = $2 AND accepted_at IS NULL AND revoked_at IS NULL"
		"   AND expires_at > now()",
		"uuid, uuid");
	Caller		   actor;
	StatementScope scope;
	pg_uuid_t	   workspace;
	Datum		   values[2];
	bool		   isnull;

	if (PG_ARGISNULL(0))
		error_null("p_invitation_id");
	authorize_member(&actor);
	(void) catalog_table("invitations");
	values[0] = PG_GETARG_DATUM(0);

	statement_begin(&scope);
	if (!actor.is_service)
		workspace = actor.membership.workspace_id;
	else if (statement_run(&find, values, NULL, false, 0) > 0)
		workspace = *DatumGetUUIDP(statement_value(1, &isnull));
	else
		error_no_such_row("invitation", PG_GETARG_UUID_P(0));
	values[1] = UUIDPGetDatum(&workspace);

	members_lock_workspace(&workspace);
	if (!actor.is_service && members_role_of(&actor.membership.user_id, &workspace) < ROLE_ADMIN)
		error_role("admin", "revoke invitations");
	if (statement_run(&find_own, values, NULL, false, 0) == 0)
		error_other_row("invitation", PG_GETARG_UUID_P(0));
	(void) statement_run(&revoke, values, NULL, false, 0);
	statement_end(&scope);
	PG_RETURN_VOID();
}
