/*
 * openinfo.c
 *		Module magic and settings; nothing else.
 */
#include "openinfo.h"

#include "utils/guc.h"

#include "access/route.h"
#include "core/catalog.h"
#include "core/statement.h"
#include "operations/drop_guard.h"
#include "sealing/seal_triggers.h"
#include "sealing/visible_fields.h"

PG_MODULE_MAGIC;

char *openinfo_workspace_id = NULL;
bool  openinfo_allow_data_loss = false;
bool  openinfo_allow_drop = false;
bool  openinfo_install_tables = true;
int	  openinfo_workspaces_per_person = 10;

void _PG_init(void);

void
_PG_init(void)
{
	/*
	 * openinfo.workspace_id (uuid, default empty): the active workspace of a person who is a member of
	 * several.  It is checked when it is used and not when it is set, because it may be set before this
	 * library is loaded.
	 */
	DefineCustomStringVariable("openinfo.workspace_id",
							   "Active workspace of the session; ignored unless the caller is a member.",
							   "If empty, the claim workspace_id is used, or else the oldest workspace "
							   "that the caller created, or joined.",
							   &openinfo_workspace_id, "", PGC_USERSET, 0, NULL, NULL, NULL);

	/*
	 * openinfo.allow_data_loss (boolean, default off): lets a downgrade with ALTER EXTENSION ... UPDATE
	 * delete rows.
	 */
	DefineCustomBoolVariable("openinfo.allow_data_loss",
							 "Allows a downgrade to an older version to delete rows.",
							 NULL,
							 &openinfo_allow_data_loss, false, PGC_SUSET, 0, NULL, NULL, NULL);

	/*
	 * openinfo.allow_drop (boolean, default off): lets DROP EXTENSION, DROP SCHEMA and DROP OWNED delete
	 * rows.
	 */
	DefineCustomBoolVariable("openinfo.allow_drop",
							 "Allows DROP EXTENSION, DROP SCHEMA and DROP OWNED to delete tables "
							 "that have rows.",
							 NULL,
							 &openinfo_allow_drop, false, PGC_SUSET, 0, NULL, NULL, NULL);

	/*
	 * openinfo.install_tables (boolean, default on): whether CREATE EXTENSION and apply_migrations() create
	 * tables.  A restore of pg_dump's is recognised without it; it is for tools that set row_security on.
	 */
	DefineCustomBoolVariable("openinfo.install_tables",
							 "Creates the tables with the extension; turn off while they are restored "
							 "from a dump.",
							 NULL,
							 &openinfo_install_tables, true, PGC_SUSET, 0, NULL, NULL, NULL);

	/*
	 * openinfo.workspaces_per_person (integer, default 10, -1 unlimited): how many workspaces a person may
	 * own when they create another one.
	 */
	DefineCustomIntVariable("openinfo.workspaces_per_person",
							"Workspaces that a person may own when they create another one.",
							"Those that they created within the last 24 hours count too, deleted or not; "
							"-1 is unlimited.",
							&openinfo_workspaces_per_person, 10, -1, INT_MAX, PGC_SUSET, 0, NULL, NULL, NULL);

	MarkGUCPrefixReserved("openinfo");

	catalog_init();
	statement_init();
	route_init();
	seal_triggers_init();
	visible_fields_init();
	drop_guard_init();
}
