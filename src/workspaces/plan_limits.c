/*
 * plan_limits.c
 *		How much of something a workspace may have at once: active queries, saved searches, seats.
 *
 *	plan of a workspace	the best plan among its members; see MEMBERS_PLAN.  A workspace without members, which
 *						only the service can create, is on plan "free"
 *	limit				a column of table plans; NULL is unlimited
 *	rows that count		active queries; every saved search; members and open invitations
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
#include "utils/fmgrprotos.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "access/authorize.h"
#include "access/claims.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/lookup.h"
#include "core/statement.h"
#include "workspaces/members.h"
#include "workspaces/plan_limits.h"

/*
 * The plan of workspace $1, its limit, and how many rows count at time $2; no row when table plans lacks the
 * plan.
 */
#define PLAN_AND_COUNT(limit, count, types)                              \
	STATEMENT("SELECT p.name, p." limit "::int8,"                        \
			  "       CASE WHEN p." limit " IS NOT NULL"                 \
			  "            THEN " count " END"                           \
			  "  FROM @extschema@.plans p WHERE p.name = " MEMBERS_PLAN, \
			  types)

#define COUNT_OF(rows) "(SELECT count(*) FROM @extschema@." rows ")"

#define QUERIES COUNT_OF("queries WHERE workspace_id = $1 AND status = 'active'")
#define SEARCHES COUNT_OF("saved_searches WHERE workspace_id = $1")
#define MEMBERS COUNT_OF("users WHERE workspace_id = $1")
#define INVITATIONS                                                                               \
	COUNT_OF("invitations WHERE workspace_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL" \
			 " AND expires_at > $2")

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
	PLAN_AND_COUNT("active_queries", QUERIES, "uuid")};
static CountedLimit saved_searches = {
	"limit_saved_searches", "saved_searches", "plan limit for saved searches exceeded",
	"Delete a saved search, or upgrade the plan of the workspace.",
	PLAN_AND_COUNT("saved_searches", SEARCHES, "uuid")};
static CountedLimit seats = {
	NULL, NULL, "plan limit for members exceeded",
	"Remove a member or revoke an invitation, or upgrade the plan of the workspace.",
	PLAN_AND_COUNT("members", MEMBERS " + " INVITATIONS, "uuid, timestamptz")};

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
	Datum	 values[2] = {UUIDPGetDatum(workspace),
						  TimestampTzGetDatum(GetCurrentTransactionStartTimestamp())};
	bool	 isnull;

	if (statement_run(&limited->read, values, NULL, true, 0) > 0)
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
 * Refuses what a command has left, when more rows count than the plan allows.  before: the command that wrote
 * them.  Within statement_begin(), with the workspace locked: one transaction at a time counts the rows of a
 * workspace, and it counts them as of now: also under REPEATABLE READ it must see the row that the
 * transaction before it added.
 */
static void
limit_check(CountedLimit *limited, const pg_uuid_t *workspace, CommandId before)
{
	LimitUse now, earlier;

	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	now = limit_read(limited, workspace);
	if (!now.unlimited && now.used > now.limit)
	{
		PushCopiedSnapshot(GetActiveSnapshot());
		GetActiveSnapshot()->curcid = before;
		earlier = now.plan ? limit_read(limited, workspace) : (LimitUse){.used = 0};
		error_payment_required(limited->message, limited->hint, now.plan, now.limit, earlier.used,
							   Max(now.used - earlier.used, 1));
	}
	PopActiveSnapshot();
}

/*
 * Lets one transaction at a time count the rows of a workspace; false when there is no such workspace.
 *
 * A trigger on a shard of a Citus cluster takes an advisory lock on its node, where all rows of the workspace
 * are: the row of workspaces, which every node has, may be locked by the function whose statement this is.
 */
bool
plan_limits_lock(Relation rel, const char *table, const pg_uuid_t *workspace)
{
	int64 key;

	if (RelationGetRelid(rel) == catalog_table(table))
		return members_lock_workspace(workspace);
	memcpy(&key, workspace->data, sizeof(key));
	(void) DirectFunctionCall1(pg_advisory_xact_lock_int8, Int64GetDatum(key));
	return true;
}

/*
 * What both triggers do: AFTER INSERT OR UPDATE FOR EACH ROW, for a row that has come to count in its
 * workspace
 *
 * After, so that it judges what the statement leaves: all its rows, in the workspace and as they were
 * stored.
 */
static void
limit_rows(FunctionCallInfo fcinfo, CountedLimit *limited)
{
	TriggerData	  *trigger = (TriggerData *) fcinfo->context;
	HeapTuple	   row;
	pg_uuid_t	   workspace;
	StatementScope scope;
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
	if (plan_limits_lock(trigger->tg_relation, limited->table, &workspace))
		limit_check(limited, &workspace, HeapTupleHeaderGetCmin(row->t_data));
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

/* Whether the plans of this database limit members; they do from 1.1.0 on. */
bool
plan_limits_has_seats(void)
{
	return catalog_has_column("plans", "members");
}

/*
 * Refuses members and open invitations that a command has left beyond the limit, with PT402.  before: that
 * command. Within statement_begin(), with the workspace locked.
 */
void
plan_limits_check_seats(const pg_uuid_t *workspace, CommandId before)
{
	limit_check(&seats, workspace, before);
}

/* Whether a workspace has more members and open invitations than its plan allows.  As above. */
bool
plan_limits_overfull(const pg_uuid_t *workspace)
{
	LimitUse now;

	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	now = limit_read(&seats, workspace);
	PopActiveSnapshot();
	return !now.unlimited && now.used > now.limit;
}
