/*
 * openinfo.c
 *		Module magic and settings; nothing else.
 */
#include "openinfo.h"

#include "utils/guc.h"

#include "core/catalog.h"
#include "core/statement.h"
#include "operations/drop_guard.h"
#include "sealing/seal_triggers.h"

PG_MODULE_MAGIC;

char *openinfo_workspace_id = NULL;
bool  openinfo_allow_data_loss = false;
bool  openinfo_allow_drop = false;
bool  openinfo_install_tables = true;

void _PG_init(void);

void
_PG_init(void)
{
	/*
	 * openinfo.workspace_id (uuid, default empty): the workspace that a person who is in several works in.  It counts
	 * only if he is a member of it.  Read when it is used and not when it is set, because it may be set before this
	 * library is loaded; so a value that is no UUID is refused there.
	 */
	DefineCustomStringVariable("openinfo.workspace_id",
							   "Workspace that the caller works in, if he is a member of it.",
							   "Empty: the claim workspace_id, else his oldest membership.",
							   &openinfo_workspace_id, "", PGC_USERSET, 0, NULL, NULL, NULL);

	/* openinfo.allow_data_loss (boolean, default off): lets ALTER EXTENSION ... UPDATE step down over rows. */
	DefineCustomBoolVariable("openinfo.allow_data_loss",
							 "Lets a step down to an older version delete rows.",
							 NULL,
							 &openinfo_allow_data_loss, false, PGC_SUSET, 0, NULL, NULL, NULL);

	/* openinfo.allow_drop (boolean, default off): lets DROP EXTENSION and its like delete rows. */
	DefineCustomBoolVariable("openinfo.allow_drop",
							 "Lets DROP EXTENSION, DROP SCHEMA and DROP OWNED delete tables that hold rows.",
							 NULL,
							 &openinfo_allow_drop, false, PGC_SUSET, 0, NULL, NULL, NULL);

	/*
	 * openinfo.install_tables (boolean, default on): whether CREATE EXTENSION and apply_migrations() make tables.
	 * pg_dump's restores are recognised without it; it is for tools that set row_security on.
	 */
	DefineCustomBoolVariable("openinfo.install_tables",
							 "Makes the tables with the extension; off while they come from a dump.",
							 NULL,
							 &openinfo_install_tables, true, PGC_SUSET, 0, NULL, NULL, NULL);

	MarkGUCPrefixReserved("openinfo");

	catalog_init();
	statement_init();
	seal_triggers_init();
	drop_guard_init();
}
