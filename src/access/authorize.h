/*
 * authorize.h
 *		What a function may do for its caller.
 */
#ifndef OPENINFO_AUTHORIZE_H
#define OPENINFO_AUTHORIZE_H

#include "openinfo.h"

#include "access/membership.h"
#include "core/statement.h"

/* Who calls a function. */
typedef struct Caller
{
	bool	   is_service; /* works in every workspace */
	bool	   is_member;  /* has an active workspace: membership is set */
	Membership membership;
} Caller;

extern void		  authorize_caller(Caller *caller);
extern void		  authorize_workspace(Caller *caller, const pg_uuid_t *workspace);
extern pg_uuid_t *authorize_workspace_argument(FunctionCallInfo fcinfo);
extern void		  authorize_member(Caller *caller);
extern void		  authorize_user(Caller *caller, const pg_uuid_t *user);
extern void		  authorize_role(const Caller *caller, Role required, const char *what);
extern void		  authorize_service(const char *function);
extern void		  authorize_monitor(const char *function);
extern Datum	  authorize_workspace_query(FunctionCallInfo fcinfo, Statement *query, Datum *values,
											bool byval);

#endif
