/*
 * stats.h
 *		Questions about a workspace.
 */
#ifndef OPENINFO_STATS_H
#define OPENINFO_STATS_H

#include "openinfo.h"

#include "core/statement.h"

/* Answers with the only value of a plan; value $1, which is filled in, is the workspace in argument 0: the caller's own. */
extern Datum stats_ask(FunctionCallInfo fcinfo, Statement *plan, Datum *values, bool byval);

#endif
