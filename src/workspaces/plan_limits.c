/*
 * plan_limits.c
 *		How much of something a workspace may have at once: active queries, saved searches.
 *
 *	plan of a workspace	the best plan among its members; see MEMBERS_PLAN.  A workspace without members, which
 *						only the service can create, is on plan "free"
 *	limit				a column of table plans; NULL is unlimited
 *	rows that count		active queries; every saved search
 *
 * Invariant: no statement adds rows that count to a workspace and leaves it with more of them than its plan
 * allows.  When a limit is lowered nothing is deleted; only nothing can be added until the workspace is
 * below the limit again.
 */
#include "openinfo.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "access/authorize.h"
#include "access/claims.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/lookup.h"
#include "core/statement.h"
#include "workspaces/members.h"

/* The plan of workspace $1, its limit, and how many rows count; no row when table plans lacks the plan. */
#define PLAN_AND_COUNT(limit, rows)                                              \
	STATEMENT("SELECT p.name, p." limit "::int8,"                                \
			  "       CASE WHEN p." limit " IS NOT NULL"                         \
			  "            THEN (SELECT count(*) FROM @extschema@." rows ") END" \
			  "  FROM @extschema@.plans p WHERE p.name = " MEMBERS_PLAN,         \
			  "uuid")

/* A limit whose rows are counted. */
typedef struct CountedLimit
{
	const char *function; /* of its triggers */
	const char *table;	  /* that they belong to */
	const char *message;  /* of the error */
	const char *hint;
	Statement	read;
} CountedLimit;

static CountedLimit active_queries = {
	"limit_active_queries", "queries", "plan limit for active queries exceeded",
	"Pause or delete an active query, or upgrade the plan of the workspace.",
	PLAN_AND_COUNT("active_queries", "queries WHERE workspace_id = $1 AND status = 'active'")};
static CountedLimit saved_searches = {
	"limit_saved_searches", "saved_searches", "plan limit for saved searches exceeded",
	"Delete a saved search, or upgrade the plan of the workspace.",
	PLAN_AND_COUNT("saved_searches", "saved_searches WHERE workspace_id = $1")};

/* The usage and the limit of a workspace. */
typedef struct LimitUse
{
	char *plan; /* NULL: table plans lacks it; nothing is allowed, and rows are not counted */
	bool  unlimited;
	int64 limit;
	int64 used;
} LimitUse;

/* Reads plan and count of a workspace that exists, in the active snapshot.  Within statement_begin(). */
static LimitUse
limit_read(CountedLimit *limited, const pg_uuid_t *workspace)
{
	LimitUse state = {.plan = NULL, .limit = 0, .used = 1};
	Datum	 value = UUIDPGetDatum(workspace);
	bool	 isnull;

	if (statement_run(&limited->read, &value, NULL, true, 0) > 0)
	{
		state.plan = TextDatumGetCString(statement_value(1, &isnull));
		state.limit = DatumGetInt64(statement_value(2, &state.unlimited));
		state.used = DatumGetInt64(statement_value(3, &isnull));
	}
	return state;
}

/* Whether a workspace exists, as the service may be wrong about. */
static bool
workspace_exists(const pg_uuid_t *workspace)
{
	Lookup lookup;
	bool   found = lookup_id(&lookup, "workspaces", workspace);

	lookup_end(&lookup);
	return found;
}

/*
 * check_query_limit(user_workspace_id uuid default get_user_workspace_id()) returns boolean
 *
 * May one more query of the workspace become active?  False for an unknown workspace.  Callers:
 * authenticated for their active workspace, service_role for any.  Errors: PT401 authentication required;
 * 42501 another workspace.
 */
PG_FUNCTION_INFO_V1(openinfo_check_query_limit);
Datum
openinfo_check_query_limit(PG_FUNCTION_ARGS)
{
	Caller		   caller;
	StatementScope scope;
	LimitUse	   state;
	pg_uuid_t	   person;

	if (PG_ARGISNULL(0))
	{
		/* the default for a caller without a membership */
		authorize_caller(&caller);
		if (!caller.is_service && !claims_person(&person))
			error_signed_out();
		PG_RETURN_BOOL(false);
	}
	authorize_workspace(&caller, PG_GETARG_UUID_P(0));
	if (caller.is_service && !workspace_exists(PG_GETARG_UUID_P(0)))
		PG_RETURN_BOOL(false);

	statement_begin(&scope);
	state = limit_read(&active_queries, PG_GETARG_UUID_P(0));
	statement_end(&scope);
	PG_RETURN_BOOL(state.unlimited || state.used < state.limit);
}

/*
 * What both triggers do: AFTER INSERT OR UPDATE FOR EACH ROW, for a row that has come to count in its
 * workspace
 *
 * After, so that it judges what the statement leaves: all its rows, in the workspace and as they were
 * stored.  One transaction at a time counts the rows of a workspace, and it counts them as of now: also
 * under REPEATABLE READ it must see the row that the transaction before it added.
 */
static void
limit_rows(FunctionCallInfo fcinfo, CountedLimit *limited)
{
	TriggerData	  *trigger = (TriggerData *) fcinfo->context;
	HeapTuple	   row;
	pg_uuid_t	   workspace;
	StatementScope scope;
	LimitUse	   now, before;
	AttrNumber	   column;
	bool		   isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ||
		!catalog_is_table(trigger->tg_relation, limited->table))
		error_not_trigger(limited->function);
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	column = catalog_column(RelationGetRelid(trigger->tg_relation), "workspace_id");
	workspace = *DatumGetUUIDP(heap_getattr(row, column, RelationGetDescr(trigger->tg_relation), &isnull));

	statement_begin(&scope);
	/* a workspace that does not exist is an error of the foreign key */
	if (members_lock_workspace(&workspace))
	{
		CommandCounterIncrement();
		PushActiveSnapshot(GetLatestSnapshot());
		now = limit_read(limited, &workspace);
		if (!now.unlimited && now.used > now.limit)
		{
			/* as it was before the command that wrote the row */
			PushCopiedSnapshot(GetActiveSnapshot());
			GetActiveSnapshot()->curcid = HeapTupleHeaderGetCmin(row->t_data);
			before = now.plan ? limit_read(limited, &workspace) : (LimitUse){.used = 0};
			error_payment_required(limited->message, limited->hint, now.plan, now.limit, before.used,
								   Max(now.used - before.used, 1));
		}
		PopActiveSnapshot();
	}
	statement_end(&scope);
}

/*
 * limit_active_queries() returns trigger: AFTER INSERT OR UPDATE FOR EACH ROW, for a query that has become
 * active in its workspace
 *
 * Errors: PT402 one active query too many.  Locks: the workspace's row, NO KEY UPDATE, until the end of the
 * transaction.
 */
PG_FUNCTION_INFO_V1(openinfo_limit_active_queries);
Datum
openinfo_limit_active_queries(PG_FUNCTION_ARGS)
{
	limit_rows(fcinfo, &active_queries);
	return PointerGetDatum(NULL);
}

/*
 * limit_saved_searches() returns trigger: AFTER INSERT OR UPDATE FOR EACH ROW, for a saved search that has
 * come into its workspace
 *
 * Errors: PT402 one saved search too many.  Locks: the workspace's row, NO KEY UPDATE, until the end of the
 * transaction.
 */
PG_FUNCTION_INFO_V1(openinfo_limit_saved_searches);
Datum
openinfo_limit_saved_searches(PG_FUNCTION_ARGS)
{
	limit_rows(fcinfo, &saved_searches);
	return PointerGetDatum(NULL);
}
