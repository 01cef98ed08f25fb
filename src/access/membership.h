/*
 * membership.h
 *		Person -> membership, active workspace, role.
 */
#ifndef OPENINFO_MEMBERSHIP_H
#define OPENINFO_MEMBERSHIP_H

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
	Oid		  role; /* value of enum user_role; membership_role() ranks it */
} Membership;

extern bool membership_active(Membership *membership);
extern bool membership_asked(pg_uuid_t *workspace);
extern bool membership_in(const pg_uuid_t *workspace, Membership *membership);
extern Role membership_role(Oid role);

#endif
