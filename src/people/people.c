/*
 * people.c
 *		People that a search found, and the e-mails that are paid for one by one.
 *
 *	result	a row of people_search_results
 *	reveal	to pay for the contact of a result: from then on person_data holds it, for everybody in the workspace
 *	hidden	an e-mail that is known and not paid for; it is in sealed_contacts and shown as [HIDDEN]
 *
 * Keys of person_data that mean something here: full_name, title, company, location, seniority_level, department,
 * linkedin_url; and whatever holds an e-mail, see person.c.
 *
 * Invariant: a result is charged once, and its e-mail leaves sealed_contacts in the transaction that pays for it.
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
#include "people/person_data.h"
#include "sealing/seal_triggers.h"
#include "workspaces/members.h"

#define PEOPLE_LIMIT_DEFAULT 50
#define PEOPLE_LIMIT_MAX 1000

/* ------------------------------------------------------------------------------------------------------------------
 * Reveal
 * ------------------------------------------------------------------------------------------------------------------ */

/* A result as reveal_person_email() needs it. */
typedef struct Found
{
	pg_uuid_t workspace;
	bool	  revealed;
	text	 *email; /* paid for or not; NULL when none is known */
} Found;

/* Reads a result; within statement_begin().  False when there is none. */
static bool
reveal_read(const pg_uuid_t *result, Found *found)
{
	static Statement read = STATEMENT(
		"SELECT r.workspace_id, r.email_revealed_at IS NOT NULL,"
		"       @extschema@.person_email(CASE WHEN r.email_revealed_at IS NULL THEN s.sealed ELSE r.person_data END)"
		"  FROM @extschema@.people_search_results r"
		"  LEFT JOIN @extschema@.sealed_contacts s ON s.result_id = r.id AND s.workspace_id = r.workspace_id"
		" WHERE r.id = $1",
		"uuid");
	Datum value = UUIDPGetDatum(result);
	bool  isnull;
	Datum email;

	if (statement_run(&read, &value, NULL, false, 0) == 0)
		return false;
	found->workspace = *DatumGetUUIDP(statement_value(1, &isnull));
	found->revealed = DatumGetBool(statement_value(2, &isnull));
	email = statement_value(3, &isnull);
	found->email = isnull ? NULL : DatumGetTextPCopy(email);
	return true;
}

/* Charges one credit for a result to a member; PT402 when he has none left. */
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

/* The answer of reveal_person_email(), copied to where it outlives statement_end(). */
static Datum
reveal_answer(const Found *found, int32 used, const CreditBalance *balance)
{
	JsonbParseState *state = NULL;
	JsonbValue		 value;

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
	return SPI_datumTransfer(JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL))), false, -1);
}

/* Who is to pay is no member of the result's workspace. */
static void
error_revealer(const Caller *caller, const pg_uuid_t *user, const pg_uuid_t *workspace)
{
	if (caller->is_service)
		error_not_in_workspace(user, workspace);
	error_other_user(user);
}

/*
 * reveal_person_email(p_result_id uuid, p_user_id uuid default get_user_id()) returns jsonb
 *
 * Pays one credit of the user's and unseals the contact of the result: e-mails and phones alike, for his whole workspace.
 * Returns {"email", "already_revealed", "credits_used", "credits_remaining"}; see person_email() for which e-mail.
 * credits_used is what this call charged, credits_remaining what the user has left today, null when unlimited.
 * Already revealed: free.  No e-mail known: free, email null, and what else is sealed stays so.
 * Callers: authenticated for himself, service_role for any member of the result's workspace.
 * Errors: 28000; 42501 somebody else's credits, or a result that is not of the caller's workspace or does not exist;
 * 22023 a NULL argument, or (service_role) no such result; PT402 no credits left.
 * Locks: the user's row and then the result's.  In this order, because removing a member takes his row first and the
 * results that name him after it; the other way round the two would deadlock.
 */
PG_FUNCTION_INFO_V1(openinfo_reveal_person_email);
Datum
openinfo_reveal_person_email(PG_FUNCTION_ARGS)
{
	static Statement lock_user = STATEMENT("SELECT FROM @extschema@.users WHERE id = $1 AND workspace_id = $2 FOR NO KEY UPDATE", "uuid, uuid");
	static Statement find_user = STATEMENT("SELECT FROM @extschema@.users WHERE id = $1 AND workspace_id = $2", "uuid, uuid");
	static Statement lock_result = STATEMENT("SELECT FROM @extschema@.people_search_results WHERE id = $1 FOR UPDATE", "uuid");
	static Statement unseal = STATEMENT(
		"UPDATE @extschema@.people_search_results SET email_revealed_at = now(), email_revealed_by = $2 WHERE id = $1",
		"uuid, uuid");
	Caller		   caller;
	StatementScope scope;
	pg_uuid_t	  *result, *user;
	Found		   found;
	CreditBalance  balance;
	Datum		   answer;
	Datum		   member[2];
	Datum		   values[2];

	if (PG_ARGISNULL(0))
		error_null("p_result_id");
	result = PG_GETARG_UUID_P(0);
	user = PG_ARGISNULL(1) ? NULL : PG_GETARG_UUID_P(1);
	authorize_user(&caller, user);
	if (user == NULL)
		error_null("p_user_id");
	values[0] = UUIDPGetDatum(result);
	values[1] = UUIDPGetDatum(user);

	statement_begin(&scope);
	if (!reveal_read(result, &found))
	{
		if (caller.is_service)
			error_no_such_row("person", result);
		error_other_row("person", result);
	}
	if (!caller.is_service && !uuid_same(&found.workspace, &caller.membership.workspace_id))
		error_other_row("person", result);
	member[0] = UUIDPGetDatum(user);
	member[1] = UUIDPGetDatum(&found.workspace);

	if (!found.revealed && found.email != NULL)
	{
		if (statement_run(&lock_user, member, NULL, false, 0) == 0)
			error_revealer(&caller, user, &found.workspace);
		/* as it is now that nobody else can reveal it */
		if (statement_run(&lock_result, values, NULL, false, 0) == 0 || !reveal_read(result, &found))
			error_other_row("person", result);
	}
	else if (statement_run(&find_user, member, NULL, false, 0) == 0)
		error_revealer(&caller, user, &found.workspace);

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
			error_revealer(&caller, user, &found.workspace);
		answer = reveal_answer(&found, 0, &balance);
	}
	statement_end(&scope);
	PG_RETURN_DATUM(answer);
}

/* ------------------------------------------------------------------------------------------------------------------
 * Search and export
 * ------------------------------------------------------------------------------------------------------------------ */

/* The filters, in the order of the parameters $2 to $6 of PEOPLE_FILTERED. */
static const char *const filter_keys[] = {"title", "company", "location", "seniority_level", "department"};

#define PEOPLE_FILTERS 5

/* What the caller may see of the e-mail of result r: itself when it is paid for, else only that there is one. */
#define PEOPLE_EMAIL                                                                         \
	"CASE WHEN r.email_revealed_at IS NOT NULL THEN @extschema@.person_email(r.person_data)" \
	"     WHEN @extschema@.person_email(s.sealed) IS NOT NULL THEN '" SEALING_HIDDEN "' END"

/* strpos() and not LIKE: nothing in what somebody types is a wildcard. */
#define PEOPLE_FILTERED                                                                                                                          \
	" FROM @extschema@.people_search_results r"                                                                                                  \
	" LEFT JOIN @extschema@.sealed_contacts s ON s.result_id = r.id AND s.workspace_id = r.workspace_id"                                         \
	" WHERE r.workspace_id = $1"                                                                                                                 \
	" AND ($2 IS NULL OR strpos(lower(r.person_data ->> 'title'), lower($2)) > 0)"                                                               \
	" AND ($3 IS NULL OR strpos(lower(r.person_data ->> 'company'), lower($3)) > 0)"                                                             \
	" AND ($4 IS NULL OR strpos(lower(r.person_data ->> 'location'), lower($4)) > 0)"                                                            \
	" AND ($5 IS NULL OR (@extschema@.person_seniority(r.person_data) = @extschema@.person_seniority(jsonb_build_object('seniority_level', $5))" \
	"                     AND r.person_data ->> 'seniority_level' = $5))"                                                                        \
	" AND ($6 IS NULL OR r.person_data ->> 'department' = $6)"                                                                                   \
	" ORDER BY r.created_at DESC, r.id"

/*
 * Reads p_filters into parameters.  SQL NULL is no filter at all; so is a filter that is JSON null or the empty string,
 * as a form sends it.  A key that is no filter is refused: ignoring a misspelt one would return everybody.
 */
static void
people_filters(FunctionCallInfo fcinfo, int argument, Datum *values, char *nulls)
{
	JsonbIterator *it;
	JsonbValue	   key, value;
	Jsonb		  *filters;

	memset(nulls, 'n', PEOPLE_FILTERS);
	memset(values, 0, PEOPLE_FILTERS * sizeof(Datum));
	if (PG_ARGISNULL(argument))
		return;
	filters = PG_GETARG_JSONB_P(argument);
	if (!JB_ROOT_IS_OBJECT(filters))
		error_not_object("p_filters");

	it = JsonbIteratorInit(&filters->root);
	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		int			filter;
		const char *name = pnstrdup(key.val.string.val, key.val.string.len);

		(void) JsonbIteratorNext(&it, &value, true);
		for (filter = 0; filter < PEOPLE_FILTERS; filter++)
			if (strcmp(name, filter_keys[filter]) == 0)
				break;
		if (filter == PEOPLE_FILTERS)
			error_unknown_key("p_filters", name, "title, company, location, seniority_level and department");
		if (value.type == jbvNull || (value.type == jbvString && value.val.string.len == 0))
			continue;
		if (value.type != jbvString)
			error_wrong_type("p_filters", name, "a string");
		values[filter] = PointerGetDatum(cstring_to_text_with_len(value.val.string.val, value.val.string.len));
		nulls[filter] = ' ';
	}
}

/*
 * search_people(p_workspace_id uuid, p_filters jsonb, p_limit int default 50, p_offset int default 0) returns table(
 *		id uuid, full_name text, title text, company text, location text, seniority_level text, department text,
 *		linkedin_url text, email text, email_revealed boolean, created_at timestamptz)
 *
 * The people of a workspace, newest first.  Filters: title, company, location contain the text, in any case of the
 * database's locale; seniority_level and department are equal to it.  email is [HIDDEN] when one is known and not paid
 * for, NULL when none is known.
 * Callers: authenticated, service_role.  Errors: 28000; 42501 another workspace; 22023 filters that are no object, an
 * unknown filter, one that is no string, p_limit below 1, a negative p_offset.  p_limit above 1,000 counts as 1,000,
 * NULL as 50; p_offset NULL as 0.  Locks: none.
 */
PG_FUNCTION_INFO_V1(openinfo_search_people);
Datum
openinfo_search_people(PG_FUNCTION_ARGS)
{
	static Statement search = STATEMENT(
		"SELECT r.id, r.person_data ->> 'full_name', r.person_data ->> 'title', r.person_data ->> 'company',"
		"       r.person_data ->> 'location', r.person_data ->> 'seniority_level', r.person_data ->> 'department',"
		"       r.person_data ->> 'linkedin_url', " PEOPLE_EMAIL ", r.email_revealed_at IS NOT NULL, r.created_at" PEOPLE_FILTERED " LIMIT $7 OFFSET $8",
		"uuid, text, text, text, text, text, int4, int4");
	int32		   limit = PG_ARGISNULL(2) ? PEOPLE_LIMIT_DEFAULT : PG_GETARG_INT32(2);
	int32		   offset = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT32(3);
	pg_uuid_t	  *workspace;
	Datum		   values[8];
	char		   nulls[9] = "        ";
	StatementScope scope;

	workspace = authorize_workspace_argument(fcinfo);
	if (limit < 1)
		error_below_one("p_limit", limit);
	if (offset < 0)
		error_negative("p_offset", offset);
	values[0] = UUIDPGetDatum(workspace);
	people_filters(fcinfo, 1, values + 1, nulls + 1);
	values[6] = Int32GetDatum(Min(limit, PEOPLE_LIMIT_MAX));
	values[7] = Int32GetDatum(offset);

	statement_begin(&scope);
	(void) statement_return_query(fcinfo, &search, values, nulls);
	statement_end(&scope);
	return (Datum) 0;
}

/*
 * export_people_to_csv(p_workspace_id uuid, p_filters jsonb default '{}') returns table(full_name text, title text,
 *		company text, location text, email text, linkedin_url text, seniority_level text, department text)
 *
 * The people of a workspace as rows of an export, newest first; filters and e-mails as search_people().  The values are
 * what was stored: whoever writes the file quotes them, and guards against formulas if a spreadsheet is to open it.
 * Callers and errors as search_people(); PT402 when there are more rows than the plan of the workspace has in one export.
 */
PG_FUNCTION_INFO_V1(openinfo_export_people_to_csv);
Datum
openinfo_export_people_to_csv(PG_FUNCTION_ARGS)
{
	static Statement export = STATEMENT(
		"SELECT r.person_data ->> 'full_name', r.person_data ->> 'title', r.person_data ->> 'company',"
		"       r.person_data ->> 'location', " PEOPLE_EMAIL ", r.person_data ->> 'linkedin_url',"
		"       r.person_data ->> 'seniority_level', r.person_data ->> 'department'" PEOPLE_FILTERED,
		"uuid, text, text, text, text, text");
	static Statement allowed = STATEMENT("SELECT name, export_rows FROM @extschema@.plans WHERE name = " MEMBERS_PLAN, "uuid");
	Datum			 values[6];
	char			 nulls[7] = "      ";
	StatementScope	 scope;
	uint64			 rows;
	bool			 isnull;

	values[0] = UUIDPGetDatum(authorize_workspace_argument(fcinfo));
	people_filters(fcinfo, 1, values + 1, nulls + 1);

	statement_begin(&scope);
	rows = statement_return_query(fcinfo, &export, values, nulls);
	if (statement_run(&allowed, values, NULL, true, 0) > 0)
	{
		int32 limit = DatumGetInt32(statement_value(2, &isnull));

		if (!isnull && rows > limit)
			error_payment_required("plan limit for exported rows exceeded",
								   "Use narrower filters, or upgrade the plan of the workspace.",
								   TextDatumGetCString(statement_value(1, &isnull)), limit, 0, rows);
	}
	statement_end(&scope);
	return (Datum) 0;
}

/*
 * person_exists(p_workspace_id uuid, p_full_name text, p_company text) returns uuid
 *
 * The oldest result of a workspace with that name at that company, compared as person_name() does, or NULL.  Without
 * p_company (NULL or blank) the person of whom no company is known: a namesake somewhere is not the same person.
 * Callers: authenticated, service_role.  Errors: 28000; 42501 another workspace.  Locks: none.
 */
PG_FUNCTION_INFO_V1(openinfo_person_exists);
Datum
openinfo_person_exists(PG_FUNCTION_ARGS)
{
	static Statement at_company = STATEMENT(
		"SELECT id FROM @extschema@.people_search_results"
		" WHERE workspace_id = $1 AND @extschema@.person_name(person_data) = $2 AND @extschema@.person_company(person_data) = $3"
		" ORDER BY created_at, id LIMIT 1",
		"uuid, text, text");
	static Statement nowhere = STATEMENT(
		"SELECT id FROM @extschema@.people_search_results"
		" WHERE workspace_id = $1 AND @extschema@.person_name(person_data) = $2 AND @extschema@.person_company(person_data) IS NULL"
		" ORDER BY created_at, id LIMIT 1",
		"uuid, text");
	pg_uuid_t	  *workspace;
	text		  *name = NULL, *company = NULL;
	StatementScope scope;
	Datum		   values[3];
	Datum		   found = (Datum) 0;
	bool		   isnull = true;

	workspace = authorize_workspace_argument(fcinfo);
	if (!PG_ARGISNULL(1))
		name = person_name_key(VARDATA_ANY(PG_GETARG_TEXT_PP(1)), VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(1)));
	if (!PG_ARGISNULL(2))
		company = person_name_key(VARDATA_ANY(PG_GETARG_TEXT_PP(2)), VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(2)));
	if (name == NULL)
		PG_RETURN_NULL();

	values[0] = UUIDPGetDatum(workspace);
	values[1] = PointerGetDatum(name);
	values[2] = PointerGetDatum(company);
	statement_begin(&scope);
	if (statement_run(company ? &at_company : &nowhere, values, NULL, true, 0) > 0)
		found = SPI_datumTransfer(statement_value(1, &isnull), false, UUID_LEN);
	statement_end(&scope);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(found);
}

/*
 * get_people_search_stats(p_workspace_id uuid) returns jsonb
 *
 * {"total_people", "people_today", "people_this_week", "emails_revealed", "emails_hidden", "by_seniority_level",
 * "by_department", "saved_searches", "credits_used"}: counts as of now; day and week (from Monday) are UTC.
 * emails_hidden: known and not paid for.  by_...: objects of the twenty most frequent values.  credits_used: spent on
 * reveals and searches since the beginning.
 * Callers: authenticated, service_role.  Errors: 28000; 42501 another workspace; 22023 (service_role) no such workspace.
 * Locks: none.
 */
PG_FUNCTION_INFO_V1(openinfo_get_people_search_stats);
Datum
openinfo_get_people_search_stats(PG_FUNCTION_ARGS)
{
	static Statement stats = STATEMENT(
		"WITH people AS ("
		"  SELECT r.created_at, r.person_data, r.email_revealed_at IS NOT NULL AS revealed,"
		"         @extschema@.person_email(s.sealed) IS NOT NULL AS hidden"
		"    FROM @extschema@.people_search_results r"
		"    LEFT JOIN @extschema@.sealed_contacts s ON s.result_id = r.id AND s.workspace_id = r.workspace_id"
		"   WHERE r.workspace_id = $1),"
		" counted AS ("
		"  SELECT k.key, jsonb_object_agg(v.value, v.n) AS counts"
		"    FROM (VALUES ('seniority_level'), ('department')) AS k (key),"
		"         LATERAL (SELECT p.person_data ->> k.key AS value, count(*) AS n FROM people p WHERE p.person_data ->> k.key IS NOT NULL"
		"                   GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20) v"
		"   GROUP BY k.key)"
		" SELECT jsonb_build_object("
		"  'total_people', count(*),"
		"  'people_today', count(*) FILTER (WHERE created_at >= date_trunc('day', now(), 'UTC')),"
		"  'people_this_week', count(*) FILTER (WHERE created_at >= date_trunc('week', now(), 'UTC')),"
		"  'emails_revealed', count(*) FILTER (WHERE revealed),"
		"  'emails_hidden', count(*) FILTER (WHERE hidden AND NOT revealed),"
		"  'by_seniority_level', coalesce((SELECT counts FROM counted WHERE key = 'seniority_level'), '{}'),"
		"  'by_department', coalesce((SELECT counts FROM counted WHERE key = 'department'), '{}'),"
		"  'saved_searches', (SELECT count(*) FROM @extschema@.saved_people_searches WHERE workspace_id = $1),"
		"  'credits_used', (SELECT coalesce(sum(credits_used), 0) FROM @extschema@.credit_usage"
		"                    WHERE workspace_id = $1 AND action_type IN ('email_reveal', 'people_search')))"
		" FROM people HAVING EXISTS (SELECT FROM @extschema@.workspaces WHERE id = $1)",
		"uuid");
	Datum workspace;

	return authorize_workspace_query(fcinfo, &stats, &workspace, false);
}

/*
 * update_saved_search_usage(p_search_id uuid) returns void
 *
 * Counts one use of a saved search, of people or of companies.  The counter stops at its maximum.
 * Callers: authenticated for those of his workspace, service_role for any.  Errors: 28000; 42501 another workspace's or
 * none; 22023 a NULL argument, or (service_role) no such search.  Locks: the search's row.
 */
PG_FUNCTION_INFO_V1(openinfo_update_saved_search_usage);
Datum
openinfo_update_saved_search_usage(PG_FUNCTION_ARGS)
{
#define COUNT_USE(table)                                                                                                                          \
	STATEMENT("UPDATE @extschema@." table " SET use_count = use_count + CASE WHEN use_count < 2147483647 THEN 1 ELSE 0 END, last_used_at = now()" \
			  " WHERE id = $1 AND (workspace_id = $2 OR $2 IS NULL)",                                                                             \
			  "uuid, uuid")
	static Statement count_people = COUNT_USE("saved_people_searches");
	static Statement count_companies = COUNT_USE("saved_searches");
	Caller			 caller;
	StatementScope	 scope;
	Datum			 values[2];
	char			 nulls[3] = "  ";

	if (PG_ARGISNULL(0))
		error_null("p_search_id");
	authorize_member(&caller);
	values[0] = PG_GETARG_DATUM(0);
	values[1] = UUIDPGetDatum(&caller.membership.workspace_id);
	if (caller.is_service)
		nulls[1] = 'n';

	statement_begin(&scope);
	if (statement_run(&count_people, values, nulls, false, 0) == 0 && statement_run(&count_companies, values, nulls, false, 0) == 0)
	{
		if (caller.is_service)
			error_no_such_row("saved search", PG_GETARG_UUID_P(0));
		error_other_row("saved search", PG_GETARG_UUID_P(0));
	}
	statement_end(&scope);
	PG_RETURN_VOID();
}
