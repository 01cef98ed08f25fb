/*
 * billing_plans.c
 *		The plan of a workspace, and what its members may know about billing.
 *
 *	plan			what the members may do, see MEMBERS_PLAN; changed by update_workspace_plan() alone
 *	subscription	what Stripe says about the workspace, see stripe_events.c
 *
 * Invariant: after update_workspace_plan() every member of the workspace is on the same plan.
 */
#include "openinfo.h"

#include "utils/builtins.h"
#include "utils/uuid.h"

#include "access/authorize.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "workspaces/members.h"

/*
 * update_workspace_plan(p_workspace_id uuid, p_new_plan text, p_stripe_subscription_id text default null)
 * returns void
 *
 * Puts every member of a workspace on a plan, with its daily credits, and records an event: plan_upgraded
 * when the new plan is as large as the old one or larger, else plan_downgraded (MEMBERS_LARGER_FIRST).  When
 * the workspace is on that plan already there is no event, and members who are on it keep the limits they
 * have; those who are not are put on it.  p_stripe_subscription_id is stored in the workspace's row of
 * stripe_customers, if there is one; later events of Stripe start from there.
 * Callers: service_role.  Errors: 42501; 22023 a NULL argument, no such plan or workspace, a workspace
 * without members; 23505 the subscription is another workspace's.  Locks: the workspace's row, so that a
 * member who is being added waits and gets the new plan; then the members in the order of their ids.
 */
PG_FUNCTION_INFO_V1(openinfo_update_workspace_plan);
Datum
openinfo_update_workspace_plan(PG_FUNCTION_ARGS)
{
	static Statement find_plan = STATEMENT(
		"SELECT FROM @extschema@.plans WHERE name = $2 FOR KEY SHARE",
		"uuid, text");
	static Statement lock_members = STATEMENT(
		"SELECT FROM @extschema@.users WHERE workspace_id = $1 ORDER BY id FOR NO KEY UPDATE",
		"uuid, text");
	static Statement compare = STATEMENT(
		"WITH ranked AS ("
		"  SELECT best.name, rank() OVER (ORDER BY " MEMBERS_LARGER_FIRST ") AS size"
		"    FROM @extschema@.plans best)"
		" SELECT o.name, n.size <= o.size FROM ranked n, ranked o"
		"  WHERE n.name = $2 AND o.name = " MEMBERS_PLAN,
		"uuid, text");
	static Statement change = STATEMENT(
		"UPDATE @extschema@.users u SET plan = p.name, daily_credit_limit = p.daily_credits"
		"  FROM @extschema@.plans p"
		" WHERE u.workspace_id = $1 AND p.name = $2"
		"   AND (u.plan <> p.name OR ($3 AND u.daily_credit_limit IS DISTINCT FROM p.daily_credits))",
		"uuid, text, bool");
	static Statement subscribe = STATEMENT(
		"UPDATE @extschema@.stripe_customers SET stripe_subscription_id = $2, initial_state = NULL"
		" WHERE workspace_id = $1 AND stripe_subscription_id IS DISTINCT FROM $2",
		"uuid, text");
	static Statement record = STATEMENT(
		"INSERT INTO @extschema@.billing_events (workspace_id, event_type, old_plan, new_plan)"
		" VALUES ($1, $4, $3, $2)",
		"uuid, text, text, @extschema@.billing_event_type");
	StatementScope scope;
	text		  *old_plan;
	bool		   changed, upgraded, isnull;

	authorize_service("update_workspace_plan");
	if (PG_ARGISNULL(0))
		error_null("p_workspace_id");
	if (PG_ARGISNULL(1))
		error_null("p_new_plan");

	statement_begin(&scope);
	{
		Datum values[2] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};

		if (!members_lock_workspace(PG_GETARG_UUID_P(0)))
			error_no_such_row("workspace", PG_GETARG_UUID_P(0));
		if (statement_run(&find_plan, values, NULL, false, 0) == 0)
			error_no_such_plan(PG_GETARG_TEXT_PP(1));
		if (statement_run(&lock_members, values, NULL, false, 0) == 0)
			error_empty_workspace(PG_GETARG_UUID_P(0));
		if (statement_run(&compare, values, NULL, false, 0) == 0)
			error_plans_missing(PG_GETARG_UUID_P(0));
		old_plan = DatumGetTextPCopy(statement_value(1, &isnull));
		upgraded = DatumGetBool(statement_value(2, &isnull));
		changed = strcmp(text_to_cstring(old_plan), TextDatumGetCString(values[1])) != 0;
	}
	{
		Datum values[3] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), BoolGetDatum(changed)};

		(void) statement_run(&change, values, NULL, false, 0);
	}
	if (!PG_ARGISNULL(2))
	{
		Datum values[2] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(2)};

		(void) statement_run(&subscribe, values, NULL, false, 0);
	}
	if (changed)
	{
		Oid	  event = catalog_enum("billing_event_type", upgraded ? "plan_upgraded" : "plan_downgraded");
		Datum values[4] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PointerGetDatum(old_plan),
						   ObjectIdGetDatum(event)};

		(void) statement_run(&record, values, NULL, false, 0);
	}
	statement_end(&scope);
	PG_RETURN_VOID();
}

/*
 * has_active_subscription(p_workspace_id uuid default get_user_workspace_id()) returns boolean
 *
 * Whether the subscription is active or trialing.  The end of the period does not matter: Stripe renews a
 * moment late, and sends an event when it does not renew.
 * Callers: authenticated, service_role.  Errors: PT401; 42501 another workspace.  Locks: none.
 */
PG_FUNCTION_INFO_V1(openinfo_has_active_subscription);
Datum
openinfo_has_active_subscription(PG_FUNCTION_ARGS)
{
	static Statement ask = STATEMENT(
		"SELECT EXISTS (SELECT FROM @extschema@.stripe_customers"
		"                WHERE workspace_id = $1 AND subscription_status IN ('active', 'trialing'))",
		"uuid");
	Datum workspace;

	return authorize_workspace_query(fcinfo, &ask, &workspace, true);
}

/*
 * get_billing_summary(p_workspace_id uuid default get_user_workspace_id()) returns jsonb
 *
 * {"current_plan", "subscription_status", "current_period_end", "total_events", "last_payment"}; last_payment
 * is null or {"amount_cents", "currency", "event_at"} of the newest payment_succeeded.  Status and period are
 * null when Stripe has no customer for the workspace.
 * Callers: authenticated, service_role.  Errors: PT401; 42501 another workspace; 22023 (service_role) no such
 * workspace.
 * Locks: none.
 */
PG_FUNCTION_INFO_V1(openinfo_get_billing_summary);
Datum
openinfo_get_billing_summary(PG_FUNCTION_ARGS)
{
	static Statement ask = STATEMENT(
		"SELECT jsonb_build_object("
		" 'current_plan', " MEMBERS_PLAN ","
		" 'subscription_status', c.subscription_status,"
		" 'current_period_end', c.current_period_end,"
		" 'total_events', (SELECT count(*) FROM @extschema@.billing_events WHERE workspace_id = $1),"
		" 'last_payment', ("
		"   SELECT jsonb_build_object("
		"            'amount_cents', e.amount_cents, 'currency', e.currency, 'event_at', e.event_at)"
		"     FROM @extschema@.billing_events e"
		"    WHERE e.workspace_id = $1 AND e.event_type = 'payment_succeeded'"
		"    ORDER BY e.event_at DESC, e.stripe_event_id COLLATE \"C\" DESC NULLS LAST,"
		"             e.created_at DESC, e.id"
		"    LIMIT 1))"
		" FROM @extschema@.workspaces w"
		" LEFT JOIN @extschema@.stripe_customers c ON c.workspace_id = w.id"
		" WHERE w.id = $1",
		"uuid");
	Datum workspace;

	return authorize_workspace_query(fcinfo, &ask, &workspace, false);
}
