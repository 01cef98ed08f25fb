/*
 * identity.c
 *		Claims -> person, membership, active workspace, role.
 *
 *	claims			what the JWT says; PostgREST and Supabase put it into request.jwt.claims, as JSON
 *	person			somebody who has signed in: claim "sub", which is users.auth_user_id
 *	membership		a row of users: one person in one workspace
 *	active workspace	openinfo.workspace_id if set, else claim "workspace_id", top level or under "app_metadata"; either
 *					counts only for a member of it.  With neither, the person's oldest membership
 *
 * Invariant: who the caller is comes from the two claims settings alone, and what he belongs to from table users as the
 * statement's snapshot shows it.  Parsed claims are kept, because they depend on nothing but their text.  A membership
 * may end at any time, so the last one is kept only for snapshots that cannot but show the same (snapshots.c).
 *
 * users is read here without regard to its row-level security, because the policies themselves ask these functions; so
 * nothing of a row leaves this room but what belongs to the caller.
 */
#include "openinfo.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_enum.h"
#include "common/jsonapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "identity.h"
#include "refuse.h"
#include "snapshots.h"

/* ------------------------------------------------------------------------------------------------------------------
 * UUIDs
 * ------------------------------------------------------------------------------------------------------------------ */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads the standard form, 8-4-4-4-12 in either case.  uuid_in() would do, but its error is not one of ours. */
static bool
uuid_parse(const char *string, pg_uuid_t *uuid)
{
	for (int byte = 0; byte < UUID_LEN; byte++)
	{
		int high, low;

		if ((byte == 4 || byte == 6 || byte == 8 || byte == 10) && *string++ != '-')
			return false;
		if ((high = hex_digit(string[0])) < 0 || (low = hex_digit(string[1])) < 0)
			return false;
		uuid->data[byte] = (unsigned char) (high << 4 | low);
		string += 2;
	}
	return *string == '\0';
}

/* ------------------------------------------------------------------------------------------------------------------
 * Claims
 * ------------------------------------------------------------------------------------------------------------------ */

/* What the claims say, kept per backend by their text. */
typedef struct Claims
{
	char	 *json; /* in TopMemoryContext; NULL when nothing is kept */
	bool	  has_person;
	pg_uuid_t person;
	bool	  has_workspace;
	pg_uuid_t workspace;
} Claims;

static Claims kept;

/* A claim while the parser runs.  An empty string counts as left out, like null. */
typedef struct Claim
{
	char *value;	/* NULL: left out */
	bool  is_other; /* there, but neither string nor null */
} Claim;

typedef struct ClaimsParser
{
	int	   depth;			/* of objects and arrays around the current token */
	bool   is_object;		/* the whole is an object */
	bool   in_app_metadata; /* inside the value of top-level key app_metadata */
	Claim *pending;			/* the claim whose value comes next */
	Claim  sub;
	Claim  workspace;
	Claim  app_workspace;
} ClaimsParser;

static void
claims_enter(ClaimsParser *parser)
{
	if (parser->pending)
		parser->pending->is_other = true;
	parser->pending = NULL;
	parser->depth++;
}

static COMPAT_JSON_ACTION
claims_object_start(void *state)
{
	ClaimsParser *parser = state;

	if (parser->depth == 0)
		parser->is_object = true;
	claims_enter(parser);
	COMPAT_JSON_ACTION_RETURN();
}

static COMPAT_JSON_ACTION
claims_array_start(void *state)
{
	claims_enter(state);
	COMPAT_JSON_ACTION_RETURN();
}

static COMPAT_JSON_ACTION
claims_leave(void *state)
{
	((ClaimsParser *) state)->depth--;
	COMPAT_JSON_ACTION_RETURN();
}

/* Of a key that comes twice the last value counts, as in jsonb; so each occurrence starts afresh. */
static COMPAT_JSON_ACTION
claims_field_start(void *state, char *name, bool isnull)
{
	ClaimsParser *parser = state;

	parser->pending = NULL;
	if (parser->depth == 1)
	{
		parser->in_app_metadata = strcmp(name, "app_metadata") == 0;
		if (parser->in_app_metadata)
			memset(&parser->app_workspace, 0, sizeof(Claim));
		if (strcmp(name, "sub") == 0)
			parser->pending = &parser->sub;
		else if (strcmp(name, "workspace_id") == 0)
			parser->pending = &parser->workspace;
	}
	else if (parser->depth == 2 && parser->in_app_metadata && strcmp(name, "workspace_id") == 0)
		parser->pending = &parser->app_workspace;
	if (parser->pending)
		memset(parser->pending, 0, sizeof(Claim));
	COMPAT_JSON_ACTION_RETURN();
}

static COMPAT_JSON_ACTION
claims_scalar(void *state, char *token, JsonTokenType type)
{
	ClaimsParser *parser = state;

	if (parser->pending)
	{
		if (type == JSON_TOKEN_STRING)
			parser->pending->value = token[0] != '\0' ? token : NULL;
		else if (type != JSON_TOKEN_NULL)
			parser->pending->is_other = true;
		parser->pending = NULL;
	}
	COMPAT_JSON_ACTION_RETURN();
}

/* A claim as a UUID; false when it was left out. */
static bool
claim_uuid(const Claim *claim, const char *name, pg_uuid_t *uuid)
{
	if (claim->is_other)
		refuse_malformed_uuid(psprintf("claim \"%s\"", name), "(not a string)");
	if (claim->value == NULL)
		return false;
	if (!uuid_parse(claim->value, uuid))
		refuse_malformed_uuid(psprintf("claim \"%s\"", name), claim->value);
	return true;
}

static void
claims_parse(const char *json, Claims *claims)
{
	ClaimsParser	   parser = {0};
	JsonSemAction	   actions = {0};
	JsonLexContext	  *lexer = compat_json_lexer(json, strlen(json));
	JsonParseErrorType error;

	actions.semstate = &parser;
	actions.object_start = claims_object_start;
	actions.object_end = claims_leave;
	actions.array_start = claims_array_start;
	actions.array_end = claims_leave;
	actions.object_field_start = claims_field_start;
	actions.scalar = claims_scalar;

	error = pg_parse_json(lexer, &actions);
	if (error != JSON_SUCCESS)
		refuse_malformed_claims(json_errdetail(error, lexer));
	if (!parser.is_object)
		refuse_malformed_claims("They are not a JSON object.");

	claims->has_person = claim_uuid(&parser.sub, "sub", &claims->person);
	claims->has_workspace = claim_uuid(&parser.workspace, "workspace_id", &claims->workspace) ||
							claim_uuid(&parser.app_workspace, "app_metadata.workspace_id", &claims->workspace);
}

/*
 * The caller's claims, or NULL when he sent none.
 *
 * request.jwt.claims, when it is not empty, decides alone; request.jwt.claim.sub is what older PostgREST sets instead.
 */
static const Claims *
claims_current(void)
{
	static Claims from_sub;
	const char	 *json = GetConfigOption("request.jwt.claims", true, false);
	Claims		  parsed = {0};

	if (json == NULL || json[0] == '\0')
	{
		json = GetConfigOption("request.jwt.claim.sub", true, false);
		if (json == NULL || json[0] == '\0')
			return NULL;
		if (!uuid_parse(json, &from_sub.person))
			refuse_malformed_uuid("request.jwt.claim.sub", json);
		from_sub.has_person = true;
		return &from_sub;
	}

	if (kept.json != NULL && strcmp(kept.json, json) == 0)
		return &kept;

	claims_parse(json, &parsed);
	if (kept.json)
	{
		pfree(kept.json);
		kept.json = NULL;
	}
	parsed.json = MemoryContextStrdup(TopMemoryContext, json);
	kept = parsed;
	return &kept;
}

/* The person who is signed in; false when nobody is. */
bool
identity_person(pg_uuid_t *person)
{
	const Claims *claims = claims_current();

	if (claims == NULL || !claims->has_person)
		return false;
	*person = claims->person;
	return true;
}

/* ------------------------------------------------------------------------------------------------------------------
 * Membership
 * ------------------------------------------------------------------------------------------------------------------ */

/* The membership found last, what was looked for, and with which snapshot. */
static struct
{
	SnapshotMark seen;
	pg_uuid_t	 person;
	bool		 has_workspace;
	pg_uuid_t	 workspace;
	bool		 found;
	Membership	 membership;
} last;

static bool
last_was(const pg_uuid_t *person, const pg_uuid_t *workspace, Snapshot snapshot)
{
	return snapshots_same(&last.seen, snapshot) && uuid_same(&last.person, person) &&
		   last.has_workspace == (workspace != NULL) && (workspace == NULL || uuid_same(&last.workspace, workspace));
}

/* Takes a row over if it is the first, or of an older membership than the one found before. */
static void
membership_consider(const UsersTable *users, TupleTableSlot *row, Membership *membership, TimestampTz *oldest, bool *found)
{
	bool		isnull;
	Oid			role = DatumGetObjectId(slot_getattr(row, users->role, &isnull));
	TimestampTz created = DatumGetTimestampTz(slot_getattr(row, users->created_at, &isnull));
	pg_uuid_t  *id = DatumGetUUIDP(slot_getattr(row, users->id, &isnull));

	/* users.id breaks a tie, so that the choice is the same every time */
	if (*found && (created > *oldest || (created == *oldest && memcmp(id->data, membership->user_id.data, UUID_LEN) > 0)))
		return;
	membership->user_id = *id;
	membership->workspace_id = *DatumGetUUIDP(slot_getattr(row, users->workspace_id, &isnull));
	membership->role = role;
	*oldest = created;
	*found = true;
}

/*
 * A membership of a person: in the given workspace, or, with NULL, his oldest.  False when there is none.
 *
 * The locks are kept until the end of the transaction, as those of any query are: taking them again is then a matter of
 * counting, and this runs in every statement.
 */
static bool
membership_find(const pg_uuid_t *person, const pg_uuid_t *workspace, Membership *membership)
{
	Snapshot		  snapshot = ActiveSnapshotSet() ? GetActiveSnapshot() : GetTransactionSnapshot();
	const UsersTable *users;
	Relation		  rel;
	TupleTableSlot	 *row;
	int				  nkeys = workspace ? 2 : 1;
	ScanKeyData		  keys[2];
	TimestampTz		  oldest = 0;
	bool			  found = false;
	bool			  by_index;

	if (last_was(person, workspace, snapshot))
	{
		if (last.found)
			*membership = last.membership;
		return last.found;
	}

	users = catalog_users();
	rel = table_open(users->relid, AccessShareLock);
	row = table_slot_create(rel, NULL);
	by_index = OidIsValid(users->person_index);
	ScanKeyInit(&keys[0], by_index ? 1 : users->auth_user_id, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(person));
	if (workspace)
		ScanKeyInit(&keys[1], by_index ? 2 : users->workspace_id, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(workspace));

	if (by_index)
	{
		Relation	  index = index_open(users->person_index, AccessShareLock);
		IndexScanDesc scan = compat_index_beginscan(rel, index, snapshot, nkeys);

		index_rescan(scan, keys, nkeys, NULL, 0);
		while (index_getnext_slot(scan, ForwardScanDirection, row))
			membership_consider(users, row, membership, &oldest, &found);
		index_endscan(scan);
		index_close(index, NoLock);
	}
	else
	{
		TableScanDesc scan = table_beginscan(rel, snapshot, nkeys, keys);

		while (table_scan_getnextslot(scan, ForwardScanDirection, row))
			membership_consider(users, row, membership, &oldest, &found);
		table_endscan(scan);
	}
	ExecDropSingleTupleTableSlot(row);
	table_close(rel, NoLock);

	snapshots_mark(&last.seen, snapshot);
	last.person = *person;
	last.has_workspace = workspace != NULL;
	if (workspace)
		last.workspace = *workspace;
	last.found = found;
	if (found)
		last.membership = *membership;
	return found;
}

/* The caller's membership in his active workspace; false when he has none. */
bool
identity_membership(Membership *membership)
{
	const Claims *claims = claims_current();
	pg_uuid_t	  chosen;

	if (claims == NULL || !claims->has_person)
		return false;
	if (openinfo_workspace_id && openinfo_workspace_id[0] != '\0')
	{
		if (!uuid_parse(openinfo_workspace_id, &chosen))
			refuse_malformed_uuid("openinfo.workspace_id", openinfo_workspace_id);
		return membership_find(&claims->person, &chosen, membership);
	}
	return membership_find(&claims->person, claims->has_workspace ? &claims->workspace : NULL, membership);
}

/* The caller's membership in a certain workspace, active or not; false when he has none. */
bool
identity_membership_in(const pg_uuid_t *workspace, Membership *membership)
{
	pg_uuid_t person;

	return identity_person(&person) && membership_find(&person, workspace, membership);
}

/* Rank of a value of enum user_role. */
Role
identity_role(Oid role)
{
	HeapTuple tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(role));
	Role	  result = ROLE_NONE;

	if (HeapTupleIsValid(tuple))
	{
		const char *label = NameStr(((Form_pg_enum) GETSTRUCT(tuple))->enumlabel);

		if (strcmp(label, "owner") == 0)
			result = ROLE_OWNER;
		else if (strcmp(label, "admin") == 0)
			result = ROLE_ADMIN;
		else if (strcmp(label, "member") == 0)
			result = ROLE_MEMBER;
		ReleaseSysCache(tuple);
	}
	return result;
}

/* ------------------------------------------------------------------------------------------------------------------
 * What a function may do for its caller
 * ------------------------------------------------------------------------------------------------------------------ */

static const char *
role_name(Role role)
{
	return role == ROLE_OWNER ? "owner" : role == ROLE_ADMIN ? "admin"
															 : "member";
}

void
identity_caller(Caller *caller)
{
	caller->is_service = catalog_is_service_role(GetUserId());
	caller->is_member = identity_membership(&caller->membership);
}

/* Refuses a workspace that is not the caller's active one; the service may use any. */
void
identity_authorize_workspace(Caller *caller, const pg_uuid_t *workspace)
{
	pg_uuid_t person;

	identity_caller(caller);
	if (caller->is_service)
		return;
	if (!identity_person(&person))
		refuse_signed_out();
	if (!caller->is_member || workspace == NULL || !uuid_same(workspace, &caller->membership.workspace_id))
		refuse_other_workspace();
}

/* Argument 0 of a function, p_workspace_id: refused when it is NULL or not the caller's active workspace. */
pg_uuid_t *
identity_workspace_argument(FunctionCallInfo fcinfo)
{
	pg_uuid_t *workspace = PG_ARGISNULL(0) ? NULL : PG_GETARG_UUID_P(0);
	Caller	   caller;

	identity_authorize_workspace(&caller, workspace);
	if (workspace == NULL)
		refuse_null("p_workspace_id");
	return workspace;
}

/* Refuses a caller who has no active workspace; the service needs none. */
void
identity_authorize_member(Caller *caller)
{
	pg_uuid_t person;

	identity_caller(caller);
	if (caller->is_service)
		return;
	if (!identity_person(&person))
		refuse_signed_out();
	if (!caller->is_member)
		refuse_other_workspace();
}

/* Refuses a user who is not the caller; the service may use any. */
void
identity_authorize_user(Caller *caller, const pg_uuid_t *user)
{
	pg_uuid_t person;

	identity_caller(caller);
	if (caller->is_service)
		return;
	if (!identity_person(&person))
		refuse_signed_out();
	if (!caller->is_member || user == NULL || !uuid_same(user, &caller->membership.user_id))
		refuse_other_user();
}

/* Refuses a caller below a role; what completes "permission denied to ...". */
void
identity_authorize_role(const Caller *caller, Role required, const char *what)
{
	if (!caller->is_service && identity_role(caller->membership.role) < required)
		refuse_role(role_name(required), what);
}

/* Refuses everybody but the service.  EXECUTE is not granted to others anyway; this holds when somebody grants it. */
void
identity_authorize_service(const char *function)
{
	if (!catalog_is_service_role(GetUserId()))
		refuse_service_only(function);
}

/* ------------------------------------------------------------------------------------------------------------------
 * SQL
 * ------------------------------------------------------------------------------------------------------------------ */

/*
 * get_user_workspace_id() returns uuid
 *
 * The caller's active workspace, or NULL: nobody signed in, no membership, or not a member of the one he asked for.
 * Callers: authenticated, service_role; every policy.  Errors: 22023 for malformed claims or a malformed
 * openinfo.workspace_id.  Locks: AccessShare on users.  Rule: contract of the README, "Who calls".
 */
PG_FUNCTION_INFO_V1(openinfo_get_user_workspace_id);
Datum
openinfo_get_user_workspace_id(PG_FUNCTION_ARGS)
{
	Membership membership;
	pg_uuid_t *result;

	if (!identity_membership(&membership))
		PG_RETURN_NULL();
	result = palloc(sizeof(pg_uuid_t));
	*result = membership.workspace_id;
	PG_RETURN_UUID_P(result);
}

/*
 * get_user_id() returns uuid
 *
 * users.id of the caller in his active workspace, or NULL.  Callers, errors and locks as above.
 */
PG_FUNCTION_INFO_V1(openinfo_get_user_id);
Datum
openinfo_get_user_id(PG_FUNCTION_ARGS)
{
	Membership membership;
	pg_uuid_t *result;

	if (!identity_membership(&membership))
		PG_RETURN_NULL();
	result = palloc(sizeof(pg_uuid_t));
	*result = membership.user_id;
	PG_RETURN_UUID_P(result);
}

/*
 * user_has_role(required_role user_role) returns boolean
 *
 * Whether the caller has that role or a higher one in his active workspace; false for nobody.  Callers, errors and
 * locks as above.
 */
PG_FUNCTION_INFO_V1(openinfo_user_has_role);
Datum
openinfo_user_has_role(PG_FUNCTION_ARGS)
{
	Membership membership;
	Role	   required = identity_role(PG_GETARG_OID(0));

	if (required == ROLE_NONE || !identity_membership(&membership))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(identity_role(membership.role) >= required);
}
