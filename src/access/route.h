/*
 * route.h
 *		Tells the nodes of a Citus cluster who is calling, and sends a statement to the node of its workspace.
 */
#ifndef OPENINFO_ROUTE_H
#define OPENINFO_ROUTE_H

extern void route_init(void);

#endif
