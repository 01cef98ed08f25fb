/*
 * members.h
 *		Who is in a workspace.
 */
#ifndef OPENINFO_MEMBERS_H
#define OPENINFO_MEMBERS_H

#include "openinfo.h"

#include "utils/uuid.h"

#include "access/membership.h"

/*
 * SQL: the limits of plan "best", for ORDER BY, so that the larger plan comes first.  This
 * is what "best plan", "upgraded" and "downgraded" mean.
 */
#define MEMBERS_LARGER_FIRST                                                      \
	"best.active_queries DESC NULLS FIRST, best.daily_credits DESC NULLS FIRST, " \
	"best.saved_searches DESC NULLS FIRST, best.export_rows DESC NULLS FIRST"

/* SQL: name of the plan of workspace $1, which is the best among its members. */
#define MEMBERS_PLAN                                                                           \
	"coalesce((SELECT best.name"                                                               \
	"            FROM @extschema@.plans best"                                                  \
	"           WHERE best.name = ANY (ARRAY(SELECT member.plan FROM @extschema@.users member" \
	"                                         WHERE member.workspace_id = $1))"                \
	"           ORDER BY " MEMBERS_LARGER_FIRST ", best.name LIMIT 1), 'free')"

extern pg_uuid_t *members_copy_uuid(Datum value);
extern bool		  members_keep_workspace(const pg_uuid_t *workspace);
extern bool		  members_lock_workspace(const pg_uuid_t *workspace);
extern Role		  members_role_of(const pg_uuid_t *user, const pg_uuid_t *workspace);
extern pg_uuid_t *members_insert(const pg_uuid_t *workspace, const pg_uuid_t *person, text *email,
								 text *full_name, Oid role);
extern void		  members_error_role_above_own(void) pg_attribute_noreturn();

#endif
