/*
 * joining.c
 *		What happens when a person becomes a member, in whatever way.
 *
 * It is one trigger, and not one for each step, because sessions that have loaded the library of an earlier
 * version go on inserting members: they know this one.
 */
#include "openinfo.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "utils/rel.h"

#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "workspaces/members.h"
#include "workspaces/plan_limits.h"

/* The member is new here: whoever was to have that address is there. */
static void
use_up_invitation(const Datum *member)
{
	static Statement accept = STATEMENT(
		"UPDATE @extschema@.invitations SET accepted_at = now(), accepted_by = $1"
		" WHERE workspace_id = $2 AND lower(email) = lower($3)"
		"   AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now()",
		"uuid, uuid, text");

	(void) statement_run(&accept, member, NULL, false, 0);
}

/*
 * create_preferences() returns trigger: AFTER INSERT OR UPDATE ON users FOR EACH ROW, for a member who
 * has come into their workspace
 *
 * The new member gets notification preferences, with their default values; an open invitation of their
 * address is used up; and they take a seat.
 * Errors: PT402 no seat is left.  Locks: the workspace's row, NO KEY UPDATE, until the end of the
 * transaction.
 */
PG_FUNCTION_INFO_V1(openinfo_create_preferences);
Datum
openinfo_create_preferences(PG_FUNCTION_ARGS)
{
	static Statement make = STATEMENT(
		"INSERT INTO @extschema@.notification_preferences (user_id, workspace_id)"
		" VALUES ($1, $2) ON CONFLICT DO NOTHING",
		"uuid, uuid");
	TriggerData	  *trigger = (TriggerData *) fcinfo->context;
	HeapTuple	   row;
	TupleDesc	   desc;
	StatementScope scope;
	Datum		   member[3];
	AttrNumber	   email;
	bool		   isnull;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ||
		!catalog_is_table(trigger->tg_relation, "users"))
		error_not_trigger("create_preferences");

	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	desc = RelationGetDescr(trigger->tg_relation);
	email = catalog_column(RelationGetRelid(trigger->tg_relation), "email");
	member[0] = heap_getattr(row, catalog_users()->id, desc, &isnull);
	member[1] = heap_getattr(row, catalog_users()->workspace_id, desc, &isnull);
	member[2] = heap_getattr(row, email, desc, &isnull);

	statement_begin(&scope);
	(void) statement_run(&make, member, NULL, false, 0);
	/* both came with 1.1.0 */
	if (plan_limits_has_seats())
	{
		(void) plan_limits_lock(trigger->tg_relation, "users", DatumGetUUIDP(member[1]));
		use_up_invitation(member);
		plan_limits_check_seats(DatumGetUUIDP(member[1]), HeapTupleHeaderGetCmin(row->t_data));
	}
	statement_end(&scope);
	return PointerGetDatum(NULL);
}
