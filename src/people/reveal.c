/*
 * reveal.c
 *		The contact of a person, paid for with a credit.
 *
 *	result	a row of people_search_results
 *	reveal	to pay for the contact of a result; from then on person_data has it, for the whole workspace
 *
 * Invariant: a result is charged once, and its contact leaves sealed_contacts in the transaction that pays
 * for it.
 */
#include "openinfo.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "access/authorize.h"
#include "access/claims.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "credits/credits.h"
#include "workspaces/members.h"

/* A result as reveal_person_email() needs it. */
typedef struct Found
{
	pg_uuid_t workspace;
	bool	  revealed;
	text	 *email; /* paid for or not; NULL when none is known */
} Found;

/* The workspace of a result; false when there is no such result.  Within statement_begin(). */
static bool
reveal_workspace(const pg_uuid_t *result, pg_uuid_t *workspace)
{
	static Statement find = STATEMENT(
		"SELECT workspace_id FROM @extschema@.people_search_results WHERE id = $1",
		"uuid");
	Datum value = UUIDPGetDatum(result);
	bool  isnull;

	if (statement_run(&find, &value, NULL, false, 0) == 0)
		return false;
	*workspace = *DatumGetUUIDP(statement_value(1, &isnull));
	return true;
}

/* Reads a result of found->workspace; false when there is none.  Within statement_begin(). */
static bool
reveal_read(const pg_uuid_t *result, Found *found)
{
	static Statement read = STATEMENT(
		"SELECT r.email_revealed_at IS NOT NULL,"
		"       @extschema@.person_email("
		"         CASE WHEN r.email_revealed_at IS NULL THEN s.sealed ELSE r.person_data END)"
		"  FROM @extschema@.people_search_results r"
		"  LEFT JOIN @extschema@.sealed_contacts s ON s.result_id = r.id AND s.workspace_id = r.workspace_id"
		" WHERE r.id = $1 AND r.workspace_id = $2",
		"uuid, uuid");
	Datum values[2] = {UUIDPGetDatum(result), UUIDPGetDatum(&found->workspace)};
	bool  isnull;
	Datum email;

	if (statement_run(&read, values, NULL, false, 0) == 0)
		return false;
	found->revealed = DatumGetBool(statement_value(1, &isnull));
	email = statement_value(2, &isnull);
	found->email = isnull ? NULL : DatumGetTextPCopy(email);
	return true;
}

/* Charges a member one credit for a result; PT402 when none is left. */
static void
reveal_charge(const Found *found, const pg_uuid_t *user, const pg_uuid_t *result, CreditBalance *balance)
{
	CreditSpend spend = {0};

	spend.workspace = found->workspace;
	spend.user = *user;
	spend.action = catalog_enum("credit_action", "email_reveal");
	spend.credits = 1;
	spend.reference = result;
	(void) credits_spend(&spend, balance);
}

static void
answer_key(JsonbParseState **state, const char *key)
{
	JsonbValue value;

	value.type = jbvString;
	value.val.string.val = (char *) key;
	value.val.string.len = strlen(key);
	(void) pushJsonbValue(state, WJB_KEY, &value);
}

static void
answer_number(JsonbParseState **state, const char *key, bool isnull, int32 number)
{
	JsonbValue value;

	answer_key(state, key);
	value.type = isnull ? jbvNull : jbvNumeric;
	if (!isnull)
		value.val.numeric = int64_to_numeric(number);
	(void) pushJsonbValue(state, WJB_VALUE, &value);
}

/* The result of reveal_person_email(), copied to where it outlives statement_end(). */
static Datum
reveal_answer(const Found *found, int32 used, const CreditBalance *balance)
{
	JsonbParseState *state = NULL;
	JsonbValue		 value;
	Jsonb			*answer;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	answer_key(&state, "email");
	value.type = found->email ? jbvString : jbvNull;
	if (found->email)
	{
		value.val.string.val = VARDATA_ANY(found->email);
		value.val.string.len = VARSIZE_ANY_EXHDR(found->email);
	}
	(void) pushJsonbValue(&state, WJB_VALUE, &value);
	answer_key(&state, "already_revealed");
	value.type = jbvBool;
	value.val.boolean = found->revealed;
	(void) pushJsonbValue(&state, WJB_VALUE, &value);
	answer_number(&state, "credits_used", false, used);
	answer_number(&state, "credits_remaining", balance->unlimited, balance->remaining);
	answer = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	return SPI_datumTransfer(JsonbPGetDatum(answer), false, -1);
}

/* The user who is to pay is not a member of the result's workspace. */
static void
error_payer(const Caller *caller, const pg_uuid_t *user, const pg_uuid_t *workspace)
{
	if (caller->is_service)
		error_not_in_workspace(user, workspace);
	error_other_user(user);
}

/*
 * reveal_person_email(p_result_id uuid, p_user_id uuid default get_user_id()) returns jsonb
 *
 * Charges the user one credit and unseals the contact of the result, e-mails and phones alike, for the whole
 * workspace.
 * Returns {"email", "already_revealed", "credits_used", "credits_remaining"}; see person_email() for which
 * e-mail. credits_used is what this call charged, credits_remaining what the user has left today, null when
 * unlimited. Already revealed: free.  No e-mail known: free, email null, and what else is sealed stays
 * sealed: the credit is the price of an e-mail, so a phone alone is not for sale, and nobody pays for an
 * e-mail that is not there.
 * Callers: authenticated for themselves, service_role for any member of the result's workspace.
 * Errors: PT401; 42501 another user's credits, or a result that is not in the caller's workspace or does not
 * exist; 22023 a NULL argument, or (service_role) no such result; PT402 no credits left.
 * Locks: the workspace KEY SHARE, the user's row, and then the result's.  In this order, because removing a
 * member locks the member's row first and the results that name the member after it; the other way round the
 * two would deadlock.
 */
PG_FUNCTION_INFO_V1(openinfo_reveal_person_email);
Datum
openinfo_reveal_person_email(PG_FUNCTION_ARGS)
{
	static Statement lock_user = STATEMENT(
		"SELECT FROM @extschema@.users WHERE id = $1 AND workspace_id = $2 FOR NO KEY UPDATE",
		"uuid, uuid");
	static Statement find_user = STATEMENT(
		"SELECT FROM @extschema@.users WHERE id = $1 AND workspace_id = $2",
		"uuid, uuid");
	static Statement lock_result = STATEMENT(
		"SELECT FROM @extschema@.people_search_results WHERE id = $1 AND workspace_id = $2 FOR UPDATE",
		"uuid, uuid");
	static Statement unseal = STATEMENT(
		"UPDATE @extschema@.people_search_results SET email_revealed_at = now(), email_revealed_by = $3"
		" WHERE id = $1 AND workspace_id = $2",
		"uuid, uuid, uuid");
	Caller		   caller;
	StatementScope scope;
	pg_uuid_t	  *result, *user;
	Found		   found;
	CreditBalance  balance;
	Datum		   answer;
	Datum		   member[2], values[3];

	if (PG_ARGISNULL(0))
		error_null("p_result_id");
	result = PG_GETARG_UUID_P(0);
	user = PG_ARGISNULL(1) ? NULL : PG_GETARG_UUID_P(1);
	authorize_user(&caller, user);
	if (user == NULL)
		error_null("p_user_id");

	statement_begin(&scope);
	if (!caller.is_service)
		found.workspace = caller.membership.workspace_id;
	else if (!reveal_workspace(result, &found.workspace))
		error_no_such_row("person", result);
	if (!reveal_read(result, &found))
		error_other_row("person", result);
	values[0] = UUIDPGetDatum(result);
	values[1] = UUIDPGetDatum(&found.workspace);
	values[2] = UUIDPGetDatum(user);
	member[0] = UUIDPGetDatum(user);
	member[1] = UUIDPGetDatum(&found.workspace);

	if (!found.revealed && found.email != NULL)
	{
		if (!members_keep_workspace(&found.workspace) ||
			statement_run(&lock_user, member, NULL, false, 0) == 0)
			error_payer(&caller, user, &found.workspace);
		/* as it is now that nobody else can reveal it */
		if (statement_run(&lock_result, values, NULL, false, 0) == 0 || !reveal_read(result, &found))
			error_other_row("person", result);
	}
	else if (statement_run(&find_user, member, NULL, false, 0) == 0)
		error_payer(&caller, user, &found.workspace);

	if (!found.revealed && found.email != NULL)
	{
		reveal_charge(&found, user, result, &balance);
		(void) statement_run(&unseal, values, NULL, false, 0);
		answer = reveal_answer(&found, 1, &balance);
	}
	else
	{
		/* nothing was written: this works in a read-only transaction too */
		if (!credits_balance(user, true, &balance))
			error_payer(&caller, user, &found.workspace);
		answer = reveal_answer(&found, 0, &balance);
	}
	statement_end(&scope);
	PG_RETURN_DATUM(answer);
}
