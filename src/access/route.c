/*
 * route.c
 *		Tells the nodes of a Citus cluster who is calling, and sends a statement to the node of its workspace.
 *
 * Policies are evaluated on the node that has the rows, so that node must know the claims.  Citus sends SET
 * LOCAL to other nodes, but clients such as PostgREST say who is calling with set_config(), which stays here.
 * A hook on the planner therefore, before a statement on distributed tables is planned,
 *
 *	1. says the claims and the workspace by SET LOCAL, in a transaction block and when they have changed;
 *	2. adds "workspace_id = the workspace" to what row-level security asks of each distributed table: so
 *	   Citus sends the statement to one node.  It only routes: the policy decides, there;
 *	3. drops cached plans when the caller is another one, and at the end of the transaction, because the
 *	   workspace is a constant in them.
 *
 * The hook works from the first statement on if the library is loaded by session_preload_libraries.  Without
 * that, or outside of a transaction block, the other nodes know nobody, and show nothing.
 *
 * Invariant: without Citus the hook does nothing but to look up one name that does not exist.
 */
#include "openinfo.h"

#include "access/xact.h"
#include "catalog/pg_namespace_d.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/planner.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

#include "access/membership.h"
#include "access/route.h"
#include "core/catalog.h"
#include "core/shards.h"

/* uuid = uuid; its macro has had other names */
#define UUID_EQUAL 2972

static planner_hook_type next_planner = NULL;
static bool				 busy = false;
static char				*told = NULL;	 /* what the other nodes know in this transaction */
static char				*planned = NULL; /* for whom the cached plans were made */

/* From now on plans are made for a caller, or for nobody. */
static void
route_plan_for(const char *caller)
{
	char *copy = caller ? MemoryContextStrdup(TopMemoryContext, caller) : NULL;

	if (planned)
	{
		ResetPlanCache();
		pfree(planned);
	}
	planned = copy;
}

static void
route_transaction_end(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	told = NULL;
	route_plan_for(NULL);
}

/* SET LOCAL of a subtransaction that is rolled back is undone on the other nodes, too. */
static void
route_subtransaction_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		told = NULL;
}

/* Is any of the tables in the statement distributed?  Shards are not: their statements are here already. */
static bool
route_concerns(Node *node, void *arg)
{
	ListCell *lc;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
		return expression_tree_walker(node, route_concerns, arg);
	foreach (lc, ((Query *) node)->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, lc);

		if (entry->rtekind == RTE_RELATION && catalog_is_ours(entry->relid) &&
			shards_distribution(entry->relid) != DISTRIBUTION_NONE)
			return true;
	}
	return query_tree_walker((Query *) node, route_concerns, arg, 0);
}

static bool
route_walk(Node *node, void *workspace)
{
	Query	 *query = (Query *) node;
	ListCell *lc;
	int		  index = 0;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
		return expression_tree_walker(node, route_walk, workspace);

	foreach (lc, query->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, lc);
		AttrNumber	   column;
		OpExpr		  *equal;

		index++;
		if (entry->rtekind != RTE_RELATION || entry->securityQuals == NIL ||
			!catalog_is_ours(entry->relid) || shards_distribution(entry->relid) != DISTRIBUTION_HASH)
			continue;
		column = catalog_column(entry->relid, "workspace_id");
		equal = (OpExpr *) make_opclause(UUID_EQUAL, BOOLOID, false,
										 (Expr *) makeVar(index, column, UUIDOID, -1, InvalidOid, 0),
										 (Expr *) makeConst(UUIDOID, -1, InvalidOid, UUID_LEN,
															UUIDPGetDatum(workspace), false, false),
										 InvalidOid, InvalidOid);
		equal->opfuncid = F_UUID_EQ;
		entry->securityQuals = lcons(equal, entry->securityQuals);
	}
	return query_tree_walker(query, route_walk, workspace, 0);
}

/* Says claims and workspace to the other nodes, until the end of the transaction. */
static void
route_tell(const char *claims, const char *workspace)
{
	int level = NewGUCNestLevel();

	(void) set_config_option("citus.propagate_set_commands", "local", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	SPI_execute(psprintf("SET LOCAL request.jwt.claims = %s", quote_literal_cstr(claims)), false, 0);
	SPI_execute(psprintf("SET LOCAL openinfo.workspace_id = %s", quote_literal_cstr(workspace)), false, 0);
	SPI_finish();
	AtEOXact_GUC(true, level);
}

static void
route_statement(Query *query)
{
	const char *claims = GetConfigOption("request.jwt.claims", true, false);
	pg_uuid_t  *workspace = palloc(sizeof(pg_uuid_t));
	bool		found;
	char	   *id, *caller;

	if (claims == NULL)
		claims = "";
	found = membership_asked(workspace);
	id = found ? DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(workspace))) : "";
	caller = psprintf("%s|%s", claims, id);

	if (IsTransactionBlock() && (told == NULL ? claims[0] != '\0' : strcmp(told, caller) != 0))
	{
		route_tell(claims, id);
		told = MemoryContextStrdup(TopTransactionContext, caller);
	}
	if (found && query->hasRowSecurity)
		(void) route_walk((Node *) query, workspace);
	if (planned == NULL || strcmp(planned, caller) != 0)
		route_plan_for(caller);
}

/* Are the tables distributed?  False where the extension is not, or is being created. */
static bool
route_is_on(void)
{
	Oid users;

	if (!OidIsValid(get_extension_oid("openinfo", true)))
		return false;
	users = get_relname_relid("users", catalog_schema());
	return OidIsValid(users) && shards_distribution(users) == DISTRIBUTION_HASH;
}

static PlannedStmt *
route_planner(Query *query, const char *sql, int options, ParamListInfo params COMPAT_PLANNER_PARAM)
{
	if (!busy && shards_present() && !shards_is_internal() && route_is_on())
	{
		busy = true;
		PG_TRY();
		{
			if (route_concerns((Node *) query, NULL))
				route_statement(query);
		}
		PG_FINALLY();
		{
			busy = false;
		}
		PG_END_TRY();
	}
	return next_planner ? next_planner(query, sql, options, params COMPAT_PLANNER_ARG)
						: standard_planner(query, sql, options, params COMPAT_PLANNER_ARG);
}

/*
 * Until statement_end() the caller asks for this workspace: of somebody who becomes a member of it all nodes
 * would be asked, and cannot be while rows are written on this one.
 */
void
route_toward(const pg_uuid_t *workspace)
{
	char *id;

	if (!catalog_is_distributed())
		return;
	id = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(workspace)));
	(void) set_config_option("openinfo.workspace_id", id, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
							 0, false);
}

void
route_init(void)
{
	next_planner = planner_hook;
	planner_hook = route_planner;
	RegisterXactCallback(route_transaction_end, NULL);
	RegisterSubXactCallback(route_subtransaction_end, NULL);
}
