/*
 * statement.h
 *		Run one kept SPI plan; the only SPI plumbing.
 */
#ifndef OPENINFO_PLANS_H
#define OPENINFO_PLANS_H

#include "openinfo.h"

#include "executor/spi.h"

#define STATEMENT_MAX_ARGS 12

/*
 * A statement and its plan, in a static variable of the function that runs it:
 *
 *		static Statement spend = STATEMENT("UPDATE @extschema@.users SET ... WHERE id = $1", "uuid, int4");
 *
 * @extschema@ is replaced by the schema of the extension, as in the scripts; the types may use it too.
 */
typedef struct Statement
{
	const char *sql;
	const char *types;
	SPIPlanPtr	plan;		/* NULL until it is first run */
	uint64		generation; /* of the catalog when it was prepared */
} Statement;

#define STATEMENT(sql, types)   \
	{                           \
		(sql), (types), NULL, 0 \
	}

/* What statement_begin() changed and statement_end() puts back. */
typedef struct StatementScope
{
	Oid user;
	int sec_context;
	int guc_nest_level;
} StatementScope;

extern void	  statement_init(void);
extern void	  statement_begin(StatementScope *scope);
extern void	  statement_begin_as(StatementScope *scope, Oid role);
extern void	  statement_begin_as_caller(StatementScope *scope);
extern void	  statement_end(const StatementScope *scope);
extern uint64 statement_run(Statement *plan, const Datum *values, const char *nulls, bool read_only,
							long limit);

/* A cursor, for results that may be large: SPI_cursor_fetch(). */
extern Portal statement_open(Statement *plan, const Datum *values, const char *nulls);

/* A function that returns a table: the rows of one query, */
extern uint64 statement_return_query(FunctionCallInfo fcinfo, Statement *plan, const Datum *values,
									 const char *nulls);
/*
 * or, for one that writes and chooses, statement_returns_table() before statement_begin(), and then rows of
 * the last result.
 */
extern void statement_returns_table(FunctionCallInfo fcinfo);
extern void statement_return_row(FunctionCallInfo fcinfo, uint64 row);

/* Columns of row 0 of the last result. */
extern Datum statement_value(int column, bool *isnull);
extern Datum statement_value_at(uint64 row, int column, bool *isnull);

#endif
