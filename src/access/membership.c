/*
 * membership.c
 *		Person -> membership, active workspace, role.
 *
 *	membership			a row of users: one person in one workspace
 *	active workspace	openinfo.workspace_id if set, else claim "workspace_id", top level or under
 *						"app_metadata"; either counts only for a member of it.  With neither, the oldest
 *						membership that the person created, with create_workspace(), or else the oldest that
 *						they were added to: so nobody can move a person's work into a workspace of theirs by
 *						adding them
 *
 * Invariant: what a person belongs to comes from table users as the statement's snapshot shows it, and is
 * never kept across statements: a membership may end at any time.
 *
 * users is read here without regard to its row-level security, because the policies themselves call these
 * functions; so nothing of a row leaves this module but what belongs to the caller.
 */
#include "openinfo.h"

#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "access/claims.h"
#include "access/membership.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/lookup.h"

/*
 * A membership of a person: in the given workspace, or, with NULL, the one that is active by default.  False
 * when there is none.
 */
static bool
membership_find(const pg_uuid_t *person, const pg_uuid_t *workspace, Membership *membership)
{
	const UsersTable *users = catalog_users();
	LookupKey		  keys[2] = {{users->auth_user_id, UUIDOID, UUIDPGetDatum(person)},
								 {users->workspace_id, UUIDOID, UUIDPGetDatum(workspace)}};
	TimestampTz		  oldest = 0;
	bool			  found = false, own = false;
	Lookup			  lookup;

	lookup_begin(&lookup, users->relid, users->person_index,
				 ActiveSnapshotSet() ? GetActiveSnapshot() : GetTransactionSnapshot(),
				 keys, workspace ? 2 : 1);
	while (lookup_next(&lookup))
	{
		bool		isnull, no_creator, created_self;
		TimestampTz created = DatumGetTimestampTz(lookup_value(&lookup, users->created_at, &isnull));
		pg_uuid_t  *id = DatumGetUUIDP(lookup_value(&lookup, users->id, &isnull));

		pg_uuid_t *creator = DatumGetUUIDP(lookup_value(&lookup, users->created_by, &no_creator));

		/* users.id breaks a tie, so that the choice is the same every time */
		created_self = !no_creator && uuid_same(creator, id);
		if (found && own && !created_self)
			continue;
		if (found && own == created_self &&
			(created > oldest ||
			 (created == oldest && memcmp(id->data, membership->user_id.data, UUID_LEN) > 0)))
			continue;
		membership->user_id = *id;
		membership->workspace_id = *DatumGetUUIDP(lookup_value(&lookup, users->workspace_id, &isnull));
		membership->role = DatumGetObjectId(lookup_value(&lookup, users->role, &isnull));
		oldest = created;
		own = created_self;
		found = true;
	}
	lookup_end(&lookup);
	return found;
}

/* The caller's membership in their active workspace; false when they have none. */
bool
membership_active(Membership *membership)
{
	const Claims *claims = claims_current();
	pg_uuid_t	  chosen;

	if (claims == NULL || !claims->has_person)
		return false;
	if (openinfo_workspace_id && openinfo_workspace_id[0] != '\0')
	{
		if (!claims_parse_uuid(openinfo_workspace_id, &chosen))
			error_malformed_uuid("setting \"openinfo.workspace_id\"", openinfo_workspace_id);
		return membership_find(&claims->person, &chosen, membership);
	}
	return membership_find(&claims->person, claims->has_workspace ? &claims->workspace : NULL, membership);
}

/*
 * The workspace that the caller asks for, a member of it or not; without one, the workspace that is active by
 * default.  False when there is none, or nobody is signed in.
 */
bool
membership_asked(pg_uuid_t *workspace)
{
	const Claims *claims = claims_current();
	Membership	  membership;

	if (claims == NULL || !claims->has_person)
		return false;
	if (openinfo_workspace_id && openinfo_workspace_id[0] != '\0')
		return claims_parse_uuid(openinfo_workspace_id, workspace);
	if (claims->has_workspace)
		*workspace = claims->workspace;
	else if (membership_active(&membership))
		*workspace = membership.workspace_id;
	else
		return false;
	return true;
}

/* The caller's membership in a certain workspace, active or not; false when they have none. */
bool
membership_in(const pg_uuid_t *workspace, Membership *membership)
{
	pg_uuid_t person;

	return claims_person(&person) && membership_find(&person, workspace, membership);
}

/* Rank of a value of enum user_role. */
Role
membership_role(Oid role)
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

/* ----------------------------------------------------------------------------------------------------
 * SQL
 * ---------------------------------------------------------------------------------------------------- */

/*
 * get_user_workspace_id() returns uuid
 *
 * The caller's active workspace, or NULL: not authenticated, no membership, or not a member of the one that
 * was asked for.  Callers: authenticated, service_role; every policy.  Errors: 22023 for malformed claims or
 * a malformed openinfo.workspace_id.  Locks: AccessShare on users.  Rules: docs/security.md.
 */
PG_FUNCTION_INFO_V1(openinfo_get_user_workspace_id);
Datum
openinfo_get_user_workspace_id(PG_FUNCTION_ARGS)
{
	Membership membership;
	pg_uuid_t *result;

	if (!membership_active(&membership))
		PG_RETURN_NULL();
	result = palloc(sizeof(pg_uuid_t));
	*result = membership.workspace_id;
	PG_RETURN_UUID_P(result);
}

/*
 * get_user_id() returns uuid
 *
 * users.id of the caller in the active workspace, or NULL.  Callers, errors and locks as above.
 */
PG_FUNCTION_INFO_V1(openinfo_get_user_id);
Datum
openinfo_get_user_id(PG_FUNCTION_ARGS)
{
	Membership membership;
	pg_uuid_t *result;

	if (!membership_active(&membership))
		PG_RETURN_NULL();
	result = palloc(sizeof(pg_uuid_t));
	*result = membership.user_id;
	PG_RETURN_UUID_P(result);
}

/*
 * user_has_role(required_role user_role) returns boolean
 *
 * Whether the caller has that role or a higher one in the active workspace; false without one.  Callers,
 * errors and locks as above.
 */
PG_FUNCTION_INFO_V1(openinfo_user_has_role);
Datum
openinfo_user_has_role(PG_FUNCTION_ARGS)
{
	Membership membership;
	Role	   required = membership_role(PG_GETARG_OID(0));

	if (required == ROLE_NONE || !membership_active(&membership))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(membership_role(membership.role) >= required);
}
