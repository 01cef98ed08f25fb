/*
 * route.h
 *		Tells the nodes of a Citus cluster who is calling, and sends a statement to the node of its workspace.
 */
#ifndef OPENINFO_ROUTE_H
#define OPENINFO_ROUTE_H

#include "openinfo.h"

#include "utils/uuid.h"

extern void route_init(void);
extern void route_toward(const pg_uuid_t *workspace);

#endif
