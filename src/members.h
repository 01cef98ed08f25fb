/*
 * members.h
 *		Workspaces and who is in them.
 */
#ifndef OPENINFO_MEMBERS_H
#define OPENINFO_MEMBERS_H

#include "openinfo.h"

#include "utils/uuid.h"

extern bool members_lock_workspace(const pg_uuid_t *workspace);

#endif
