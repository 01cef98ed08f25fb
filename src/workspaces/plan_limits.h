/*
 * plan_limits.h
 *		How much of something a workspace may have at once.
 */
#ifndef OPENINFO_PLAN_LIMITS_H
#define OPENINFO_PLAN_LIMITS_H

#include "openinfo.h"

#include "utils/relcache.h"
#include "utils/uuid.h"

extern bool plan_limits_has_seats(void);
extern bool plan_limits_lock(Relation rel, const char *table, const pg_uuid_t *workspace);
extern void plan_limits_check_seats(const pg_uuid_t *workspace, CommandId before);
extern bool plan_limits_overfull(const pg_uuid_t *workspace);

#endif
