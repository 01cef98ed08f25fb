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
#include "sealing/seal_triggers.h"
#include "workspaces/members.h"

#define PEOPLE_LIMIT_DEFAULT 50
#define PEOPLE_LIMIT_MAX 1000

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
 * Reads p_filters into parameters.  SQL NULL is no filter at all; so is a filter that is JSON null or the
 * empty string, as a form sends it.  A key that is no filter is refused: ignoring a misspelt one would return
 * everybody.
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
 * search_people(p_workspace_id uuid, p_filters jsonb, p_limit int default 50, p_offset int default 0) returns
 * table(
 *		id uuid, full_name text, title text, company text, location text, seniority_level text, department text,
 *		linkedin_url text, email text, email_revealed boolean, created_at timestamptz)
 *
 * The people of a workspace, newest first.  Filters: title, company, location contain the text, in any case
 * of the database's locale; seniority_level and department are equal to it.  email is [HIDDEN] when one is
 * known and not paid for, NULL when none is known.
 * Callers: authenticated, service_role.  Errors: 28000; 42501 another workspace; 22023 filters that are no
 * object, an unknown filter, one that is no string, p_limit below 1, a negative p_offset.  p_limit above
 * 1,000 counts as 1,000, NULL as 50; p_offset NULL as 0.  Locks: none.
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
 * export_people_to_csv(p_workspace_id uuid, p_filters jsonb default '{}') returns table(full_name text, title
 * text,
 *		company text, location text, email text, linkedin_url text, seniority_level text, department text)
 *
 * The people of a workspace as rows of an export, newest first; filters and e-mails as search_people().  The
 * values are what was stored: whoever writes the file quotes them, and guards against formulas if a
 * spreadsheet is to open it.
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
 * The oldest result of a workspace with that name at that company, compared as person_name() does, or NULL.
 * Without p_company (NULL or blank) the person of whom no company is known: a namesake somewhere is not the
 * same person.
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
 * {"total_people", "people_today", "people_this_week", "emails_revealed", "emails_hidden",
 * "by_seniority_level", "by_department", "saved_searches", "credits_used"}: counts as of now; day and week
 * (from Monday) are UTC. emails_hidden: known and not paid for.  by_...: objects of the twenty most frequent
 * values.  credits_used: spent on reveals and searches since the beginning.
 * Callers: authenticated, service_role.  Errors: 28000; 42501 another workspace; 22023 (service_role) no such
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
 * Callers: authenticated for those of the caller's workspace, service_role for any.  Errors: 28000; 42501 a
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
