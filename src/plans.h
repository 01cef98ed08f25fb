/*
 * plans.h
 *		Run one kept SPI plan; the only SPI plumbing.
 */
#ifndef OPENINFO_PLANS_H
#define OPENINFO_PLANS_H

#include "openinfo.h"

#include "executor/spi.h"

#define PLAN_MAX_ARGS 12

/*
 * A statement and its plan, in a static variable of the room that runs it:
 *
 *		static KeptPlan spend = KEPT_PLAN("UPDATE @extschema@.users SET ... WHERE id = $1", "uuid, int4");
 *
 * @extschema@ stands for the extension's schema, as in the scripts; the types may use it too.
 */
typedef struct KeptPlan
{
	const char *sql;
	const char *types;
	SPIPlanPtr	plan;		/* NULL until it is first run */
	uint64		generation; /* of the catalog when it was made */
} KeptPlan;

#define KEPT_PLAN(sql, types)   \
	{                           \
		(sql), (types), NULL, 0 \
	}

/* What plans_begin() changed and plans_end() puts back. */
typedef struct PlanScope
{
	Oid user;
	int sec_context;
	int guc_nest_level;
} PlanScope;

extern void	  plans_init(void);
extern void	  plans_begin(PlanScope *scope);
extern void	  plans_begin_as(PlanScope *scope, Oid role);
extern void	  plans_end(const PlanScope *scope);
extern uint64 plans_run(KeptPlan *plan, const Datum *values, const char *nulls, bool read_only, long limit);

/* A function that returns a table: the rows of one query, */
extern uint64 plans_return_query(FunctionCallInfo fcinfo, KeptPlan *plan, const Datum *values, const char *nulls);
/* or, for one that writes and chooses, plans_returns_table() before plans_begin(), and then rows of the last result. */
extern void plans_returns_table(FunctionCallInfo fcinfo);
extern void plans_return_row(FunctionCallInfo fcinfo, uint64 row);

/* Columns of row 0 of the last result. */
extern Datum plans_value(int column, bool *isnull);
extern Datum plans_value_at(uint64 row, int column, bool *isnull);

#endif
