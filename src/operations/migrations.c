/*
 * migrations.c
 *		What the scripts of the extension need to know about tables, and how they write rows.
 *
 * Scripts run as a superuser.  A table of the extension that another role has replaced could run anything as
 * that superuser, and so could a trigger that a user has added to it; therefore scripts check the owners
 * first, and write rows as openinfo_owner.
 */
#include "openinfo.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "core/catalog.h"
#include "core/statement.h"

static void
require_superuser(const char *function)
{
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be superuser to call %s()", function)));
}

/*
 * require_owned_tables() returns void
 *
 * Raises 55000 when a table that has one of our names is not owned by openinfo_owner; tables of later
 * versions may be missing.  Callers: superusers.
 */
PG_FUNCTION_INFO_V1(openinfo_require_owned_tables);
Datum
openinfo_require_owned_tables(PG_FUNCTION_ARGS)
{
	require_superuser("require_owned_tables");
	catalog_check_owners();
	PG_RETURN_VOID();
}

/*
 * execute_as_owner(p_statement text) returns bigint
 *
 * Runs one SQL statement as openinfo_owner, so that triggers of users run as that role, and returns the
 * number of rows.  Names in it must be qualified: the search_path is pg_catalog, pg_temp.  Callers:
 * superusers.  Errors: 42501 anybody else; 55000 as require_owned_tables(); those of the statement.
 */
PG_FUNCTION_INFO_V1(openinfo_execute_as_owner);
Datum
openinfo_execute_as_owner(PG_FUNCTION_ARGS)
{
	char		  *statement = text_to_cstring(PG_GETARG_TEXT_PP(0));
	StatementScope scope;
	int			   result;
	uint64		   rows;

	require_superuser("execute_as_owner");
	statement_begin(&scope);
	result = SPI_execute(statement, false, 0);
	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	rows = SPI_processed;
	statement_end(&scope);
	PG_RETURN_INT64(rows);
}
