/*
 * people.c
 *		People that a search found: search, export, look-up and counts.
 *
 *	result	a row of people_search_results
 *	hidden	an e-mail that is known and not paid for; it is in sealed_contacts and shown as [HIDDEN]
 *
 * Keys of person_data that are read here: full_name, title, company, location, seniority_level, department
 * and linkedin_url; and any key that holds an e-mail, see person_data.c.  A contact is paid for in reveal.c.
 *
 * Invariant: nothing here returns more of sealed_contacts than that an e-mail is known.
 */
#include "openinfo.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "access/authorize.h"
#include "core/errors.h"
#include "core/statement.h"
#include "people/person_data.h"
#include "sealing/seal.h"
#include "workspaces/members.h"

#define PEOPLE_LIMIT_DEFAULT 50
#define PEOPLE_LIMIT_MAX 1000

/* What the caller may see of the e-mail of result r: itself when it is paid for, else that one is known. */
#define PEOPLE_EMAIL                                                                         \
	"CASE WHEN r.email_revealed_at IS NOT NULL THEN @extschema@.person_email(r.person_data)" \
	"     WHEN @extschema@.person_email(s.sealed) IS NOT NULL THEN '" SEAL_HIDDEN "' END"

/* The results of workspace $1 that filters $2 to $4 find; $3 is the key of a seniority, for the index. */
#define PEOPLE_FILTERED                                                                                  \
	" FROM @extschema@.people_search_results r"                                                          \
	" LEFT JOIN @extschema@.sealed_contacts s ON s.result_id = r.id AND s.workspace_id = r.workspace_id" \
	" WHERE r.workspace_id = $1"                                                                         \
	" AND ($2 IS NULL OR @extschema@.person_matches(r.person_data, $2))"                                 \
	" AND ($3 IS NULL OR @extschema@.person_seniority(r.person_data)"                                    \
	"                    = @extschema@.person_seniority(jsonb_build_object('seniority_level', $3)))"     \
	" AND ($4 IS NULL OR (r.email_revealed_at IS NOT NULL) = $4)"

#define PEOPLE_ORDER " ORDER BY r.created_at DESC, r.id"

/* Parameters of PEOPLE_FILTERED. */
#define PEOPLE_PARAMETERS 4
#define PEOPLE_TYPES "uuid, jsonb, text, bool"

/* The index of a filter by text, or -1. */
static int
text_filter(const char *key)
{
	for (int i = 0; i < PERSON_FILTERS; i++)
		if (strcmp(key, person_filters[i].key) == 0)
			return i;
	return -1;
}

/* A filter that is left out: JSON null or the empty string, as a form sends it. */
static bool
is_left_out(const JsonbValue *value)
{
	return value->type == jbvNull || (value->type == jbvString && value->val.string.len == 0);
}

static bool
is_string(const JsonbValue *value, const char *string)
{
	return value->type == jbvString && value->val.string.len == strlen(string) &&
		   memcmp(value->val.string.val, string, strlen(string)) == 0;
}

/* "true" or "false", as a string or as JSON has it. */
static bool
revealed_filter(const JsonbValue *value)
{
	if (value->type == jbvBool)
		return value->val.boolean;
	if (!is_string(value, "true") && !is_string(value, "false"))
		error_wrong_type("p_filters", "email_revealed", "\"true\" or \"false\"");
	return is_string(value, "true");
}

/*
 * Reads the workspace and p_filters, argument 1, into the parameters of PEOPLE_FILTERED.  SQL NULL is no
 * filter at all. A key that is no filter is refused: ignoring a misspelt one would return everybody.
 */
static void
people_parameters(FunctionCallInfo fcinfo, Datum *values, char *nulls)
{
	JsonbIterator *it;
	JsonbValue	   key, value;
	Jsonb		  *filters;

	values[0] = UUIDPGetDatum(authorize_workspace_argument(fcinfo));
	nulls[0] = ' ';
	memset(nulls + 1, 'n', PEOPLE_PARAMETERS - 1);
	if (PG_ARGISNULL(1))
		return;
	filters = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_OBJECT(filters))
		error_not_object("p_filters");
	values[1] = JsonbPGetDatum(filters);

	it = JsonbIteratorInit(&filters->root);
	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		const char *name = pnstrdup(key.val.string.val, key.val.string.len);
		int			filter = text_filter(name);

		(void) JsonbIteratorNext(&it, &value, true);
		if (filter < 0 && strcmp(name, "email_revealed") != 0)
			error_unknown_key("p_filters", name,
							  "full_name, title, company, location, seniority_level, department"
							  " and email_revealed");
		if (is_left_out(&value))
			continue;
		if (filter < 0)
		{
			values[3] = BoolGetDatum(revealed_filter(&value));
			nulls[3] = ' ';
			continue;
		}
		if (value.type != jbvString)
			error_wrong_type("p_filters", name, "a string");
		nulls[1] = ' ';
		if (strcmp(name, "seniority_level") == 0)
		{
			values[2] = PointerGetDatum(cstring_to_text_with_len(value.val.string.val, value.val.string.len));
			nulls[2] = ' ';
		}
	}
}

/* Reads where a page begins: behind result p_after of the workspace.  Within statement_begin(). */
static Datum
page_start(Datum workspace, pg_uuid_t *after)
{
	static Statement find = STATEMENT(
		"SELECT created_at FROM @extschema@.people_search_results WHERE workspace_id = $1 AND id = $2",
		"uuid, uuid");
	Datum values[2] = {workspace, UUIDPGetDatum(after)};
	bool  isnull;

	if (statement_run(&find, values, NULL, true, 0) == 0)
		error_no_such_row("person", after);
	return statement_value(1, &isnull);
}

/*
 * search_people(p_workspace_id uuid, p_filters jsonb, p_limit int default 50, p_offset int default 0,
 *		p_after uuid default null) returns table(id uuid, full_name text, title text, company text,
 *		location text, seniority_level text, department text, linkedin_url text, email text,
 *		email_revealed boolean, created_at timestamptz)
 *
 * The people of a workspace, newest first, those of the same time by id.  Filters: full_name, title, company,
 * location contain the text, in any case of the database's locale; seniority_level and department are equal
 * to it; see person_matches().  email_revealed: "true" or "false".  email is [HIDDEN] when one is known and
 * not paid for, NULL when none is known.  p_after is the id of the last row of the page before: no row is
 * repeated or left out, whatever is added meanwhile.
 * Callers: authenticated, service_role.  Errors: PT401; 42501 another workspace; 22023 filters that are no
 * object, an unknown filter or a value that it cannot have, p_limit below 1, a negative p_offset, p_after is
 * no person of the workspace.  p_limit above 1,000 counts as 1,000, NULL as 50; p_offset NULL as 0.  Locks:
 * none.
 */
PG_FUNCTION_INFO_V1(openinfo_search_people);
Datum
openinfo_search_people(PG_FUNCTION_ARGS)
{
	static Statement search = STATEMENT(
		"SELECT r.id, r.person_data ->> 'full_name', r.person_data ->> 'title', r.person_data ->> 'company',"
		"       r.person_data ->> 'location', r.person_data ->> 'seniority_level',"
		"       r.person_data ->> 'department', r.person_data ->> 'linkedin_url', " PEOPLE_EMAIL ","
		"       r.email_revealed_at IS NOT NULL, r.created_at" PEOPLE_FILTERED
		" AND ($7 IS NULL OR (r.created_at <= $7 AND (r.created_at < $7 OR r.id > $8)))" PEOPLE_ORDER
		" LIMIT $5 OFFSET $6",
		PEOPLE_TYPES ", int4, int4, timestamptz, uuid");
	int32		   limit = PG_ARGISNULL(2) ? PEOPLE_LIMIT_DEFAULT : PG_GETARG_INT32(2);
	int32		   offset = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT32(3);
	Datum		   values[8] = {0};
	char		   nulls[9] = "      nn";
	StatementScope scope;

	people_parameters(fcinfo, values, nulls);
	if (limit < 1)
		error_below_one("p_limit", limit);
	if (offset < 0)
		error_negative("p_offset", offset);
	values[4] = Int32GetDatum(Min(limit, PEOPLE_LIMIT_MAX));
	values[5] = Int32GetDatum(offset);

	statement_begin(&scope);
	if (!PG_ARGISNULL(4))
	{
		values[6] = page_start(values[0], PG_GETARG_UUID_P(4));
		values[7] = PG_GETARG_DATUM(4);
		nulls[6] = nulls[7] = ' ';
	}
	(void) statement_return_query(fcinfo, &search, values, nulls);
	statement_end(&scope);
	return (Datum) 0;
}

/*
 * count_people(p_workspace_id uuid, p_filters jsonb default '{}') returns bigint
 *
 * How many people search_people() finds with these filters, on all pages.  Callers and errors as
 * search_people().
 */
PG_FUNCTION_INFO_V1(openinfo_count_people);
Datum
openinfo_count_people(PG_FUNCTION_ARGS)
{
	static Statement count = STATEMENT("SELECT count(*)" PEOPLE_FILTERED, PEOPLE_TYPES);
	Datum			 values[PEOPLE_PARAMETERS] = {0};
	char			 nulls[PEOPLE_PARAMETERS + 1] = {0};
	StatementScope	 scope;
	int64			 people;
	bool			 isnull;

	people_parameters(fcinfo, values, nulls);
	statement_begin(&scope);
	(void) statement_run(&count, values, nulls, true, 0);
	people = DatumGetInt64(statement_value(1, &isnull));
	statement_end(&scope);
	PG_RETURN_INT64(people);
}

/*
 * export_people_to_csv(p_workspace_id uuid, p_filters jsonb default '{}') returns table(full_name text,
 *		title text, company text, location text, email text, linkedin_url text, seniority_level text,
 *		department text)
 *
 * The people of a workspace as rows of an export, newest first; filters and e-mails as search_people().  The
 * values are returned as they were stored: the program that writes the file must quote them, and guard
 * against formulas if a spreadsheet is to open it.
 * Callers and errors as search_people(); PT402 when there are more rows than the plan of the workspace has in
 * one export.
 */
PG_FUNCTION_INFO_V1(openinfo_export_people_to_csv);
Datum
openinfo_export_people_to_csv(PG_FUNCTION_ARGS)
{
	static Statement export = STATEMENT(
		"SELECT r.person_data ->> 'full_name', r.person_data ->> 'title', r.person_data ->> 'company',"
		"       r.person_data ->> 'location', " PEOPLE_EMAIL ", r.person_data ->> 'linkedin_url',"
		"       r.person_data ->> 'seniority_level', r.person_data ->> 'department'" PEOPLE_FILTERED
			PEOPLE_ORDER,
		PEOPLE_TYPES);
	static Statement allowed = STATEMENT(
		"SELECT name, export_rows FROM @extschema@.plans WHERE name = " MEMBERS_PLAN,
		"uuid");
	Datum		   values[PEOPLE_PARAMETERS] = {0};
	char		   nulls[PEOPLE_PARAMETERS + 1] = {0};
	StatementScope scope;
	uint64		   rows;
	bool		   isnull;

	people_parameters(fcinfo, values, nulls);

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
 * The oldest result of a workspace with that name at that company, compared as person_name() does, or NULL.
 * Without p_company (NULL or blank) a person without a known company: a person of that name elsewhere is not
 * the same person.
 * Callers: authenticated, service_role.  Errors: PT401; 42501 another workspace.  Locks: none.
 */
PG_FUNCTION_INFO_V1(openinfo_person_exists);
Datum
openinfo_person_exists(PG_FUNCTION_ARGS)
{
	static Statement at_company = STATEMENT(
		"SELECT id FROM @extschema@.people_search_results"
		" WHERE workspace_id = $1"
		"   AND @extschema@.person_name(person_data) = $2 AND @extschema@.person_company(person_data) = $3"
		" ORDER BY created_at, id LIMIT 1",
		"uuid, text, text");
	static Statement nowhere = STATEMENT(
		"SELECT id FROM @extschema@.people_search_results"
		" WHERE workspace_id = $1"
		"   AND @extschema@.person_name(person_data) = $2 AND @extschema@.person_company(person_data) IS NULL"
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
 * {"total_people", "people_today", "people_this_week", "emails_revealed", "emails_hidden",
 * "by_seniority_level", "by_department", "saved_searches", "credits_used"}: counts as of now; day and week
 * (from Monday) are UTC. emails_hidden: known and not paid for.  by_...: objects of the twenty most frequent
 * values.  credits_used: spent on reveals and searches since the beginning.
 * Callers: authenticated, service_role.  Errors: PT401; 42501 another workspace; 22023 (service_role) no such
 * workspace.
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
		"    LEFT JOIN @extschema@.sealed_contacts s"
		"      ON s.result_id = r.id AND s.workspace_id = r.workspace_id"
		"   WHERE r.workspace_id = $1),"
		" counted AS ("
		"  SELECT k.key, jsonb_object_agg(v.value, v.n) AS counts"
		"    FROM (VALUES ('seniority_level'), ('department')) AS k (key),"
		"         LATERAL (SELECT p.person_data ->> k.key AS value, count(*) AS n"
		"                    FROM people p WHERE p.person_data ->> k.key IS NOT NULL"
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
		"  'saved_searches', ("
		"    SELECT count(*) FROM @extschema@.saved_people_searches WHERE workspace_id = $1),"
		"  'credits_used', ("
		"    SELECT coalesce(sum(credits_used), 0) FROM @extschema@.credit_usage"
		"     WHERE workspace_id = $1 AND action_type IN ('email_reveal', 'people_search')))"
		" FROM people HAVING EXISTS (SELECT FROM @extschema@.workspaces WHERE id = $1)",
		"uuid");
	Datum workspace;

	return authorize_workspace_query(fcinfo, &stats, &workspace, false);
}

/*
 * update_saved_search_usage(p_search_id uuid) returns void
 *
 * Counts one use of a saved search, of people or of companies.  The counter stops at its maximum.
 * Callers: authenticated for those of the caller's workspace, service_role for any.  Errors: PT401; 42501 a
 * search of another workspace or one that does not exist; 22023 a NULL argument, or (service_role) no such
 * search.
 * Locks: the search's row.
 */
PG_FUNCTION_INFO_V1(openinfo_update_saved_search_usage);
Datum
openinfo_update_saved_search_usage(PG_FUNCTION_ARGS)
{
#define COUNT_USE(table)                                                                    \
	STATEMENT(                                                                              \
		"UPDATE @extschema@." table " SET last_used_at = now(),"                            \
		"       use_count = use_count + CASE WHEN use_count < 2147483647 THEN 1 ELSE 0 END" \
		" WHERE id = $1 AND workspace_id = $2",                                             \
		"uuid, uuid")
	static Statement count_people = COUNT_USE("saved_people_searches");
	static Statement count_companies = COUNT_USE("saved_searches");
	static Statement find = STATEMENT(
		"SELECT workspace_id FROM @extschema@.saved_people_searches WHERE id = $1"
		" UNION ALL SELECT workspace_id FROM @extschema@.saved_searches WHERE id = $1",
		"uuid");
	Caller		   caller;
	StatementScope scope;
	Datum		   values[2];
	bool		   isnull;

	if (PG_ARGISNULL(0))
		error_null("p_search_id");
	authorize_member(&caller);
	values[0] = PG_GETARG_DATUM(0);

	statement_begin(&scope);
	if (caller.is_service)
	{
		if (statement_run(&find, values, NULL, false, 0) == 0)
			error_no_such_row("saved search", PG_GETARG_UUID_P(0));
		values[1] = statement_value(1, &isnull);
	}
	else
		values[1] = UUIDPGetDatum(&caller.membership.workspace_id);
	if (statement_run(&count_people, values, NULL, false, 0) == 0 &&
		statement_run(&count_companies, values, NULL, false, 0) == 0)
		error_other_row("saved search", PG_GETARG_UUID_P(0));
	statement_end(&scope);
	PG_RETURN_VOID();
}
