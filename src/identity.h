/*
 * identity.h
 *		Claims -> person, membership, active workspace, role.
 */
#ifndef OPENINFO_IDENTITY_H
#define OPENINFO_IDENTITY_H

#include "openinfo.h"

#include "utils/uuid.h"

/* Roles in ascending order, so that they compare. */
typedef enum Role
{
	ROLE_NONE = 0,
	ROLE_MEMBER,
	ROLE_ADMIN,
	ROLE_OWNER
} Role;

/* A row of users. */
typedef struct Membership
{
	pg_uuid_t user_id;
	pg_uuid_t workspace_id;
	Oid		  role; /* value of enum user_role; identity_role() ranks it */
} Membership;

/* Who calls a function. */
typedef struct Caller
{
	bool	   is_service; /* works in every workspace */
	bool	   is_member;  /* has an active workspace: membership is set */
	Membership membership;
} Caller;

extern bool identity_person(pg_uuid_t *person);
extern bool identity_membership(Membership *membership);
extern bool identity_membership_in(const pg_uuid_t *workspace, Membership *membership);
extern Role identity_role(Oid role);

extern void		  identity_caller(Caller *caller);
extern void		  identity_authorize_workspace(Caller *caller, const pg_uuid_t *workspace);
extern pg_uuid_t *identity_workspace_argument(FunctionCallInfo fcinfo);
extern void		  identity_authorize_member(Caller *caller);
extern void		  identity_authorize_user(Caller *caller, const pg_uuid_t *user);
extern void		  identity_authorize_role(const Caller *caller, Role required, const char *what);
extern void		  identity_authorize_service(const char *function);

static inline bool
uuid_same(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a->data, b->data, UUID_LEN) == 0;
}

#endif
