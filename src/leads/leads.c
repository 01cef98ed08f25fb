/*
 * leads.c
 *		Companies found for a workspace: what makes two of them the same, and how a batch of them comes in.
 *
 *	domain	company_data ->> 'domain', without white space and in lower case; what makes two leads the same company
 *	batch	a JSON array; its elements are leads
 *	bad		an element that the constraints of the table would refuse
 *
 * Invariant: two batches never wait for each other in a circle.  A batch locks its workspace, its query, and then its
 * domains in ascending order; whoever deletes a workspace or a query goes the same way.
 */
#include "openinfo.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "access/authorize.h"
#include "access/claims.h"
#include "core/errors.h"
#include "core/statement.h"
#include "queries/work_queue.h"

/* Bytes of a domain, as constraint leads_domain_length says: an index entry holds 2,700, a domain name 253. */
#define DOMAIN_MAX 1000

/* ------------------------------------------------------------------------------------------------------------------
 * Domains
 * ------------------------------------------------------------------------------------------------------------------ */

/* The domain of a company, or NULL; not terminated. */
static char *
domain_of(Jsonb *company, int *length)
{
	JsonbValue *domain;
	char	   *result;

	*length = 0;
	if (!JB_ROOT_IS_OBJECT(company))
		return NULL;
	domain = getKeyJsonValueFromContainer(&company->root, "domain", strlen("domain"), NULL);
	if (domain == NULL || domain->type != jbvString)
		return NULL;

	result = palloc(domain->val.string.len);
	for (int i = 0; i < domain->val.string.len; i++)
	{
		unsigned char c = (unsigned char) domain->val.string.val[i];

		if (c > ' ' && c != 0x7f)
			result[(*length)++] = pg_ascii_tolower(c);
	}
	return *length > 0 ? result : NULL;
}

/*
 * lead_domain(company_data jsonb) returns text
 *
 * The domain, or NULL when there is none: no key, not a string, blank.  Indexed together with the workspace, as what is
 * unique and as the way to a lead by domain.  IMMUTABLE: case is folded for ASCII alone, whatever the locale.
 * LEAKPROOF: it cannot fail, so that the planner may use that index below row-level security.
 * Callers: authenticated, service_role.  Errors: none.
 */
PG_FUNCTION_INFO_V1(openinfo_lead_domain);
Datum
openinfo_lead_domain(PG_FUNCTION_ARGS)
{
	int	  length;
	char *domain = domain_of(PG_GETARG_JSONB_P(0), &length);

	if (domain == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(domain, length));
}

/* ------------------------------------------------------------------------------------------------------------------
 * Batches
 * ------------------------------------------------------------------------------------------------------------------ */

/* An element that is not bad. */
typedef struct Lead
{
	Jsonb *company;
	Jsonb *contact;
	char  *domain; /* NULL: none; not terminated */
	int	   domain_length;
	int	   place; /* in the batch */
} Lead;

/* Does a company have a name?  As constraint leads_company_data_named says. */
static bool
company_is_named(Jsonb *company)
{
	JsonbValue *name = getKeyJsonValueFromContainer(&company->root, "name", strlen("name"), NULL);

	if (name == NULL || name->type != jbvString)
		return false;
	for (int i = 0; i < name->val.string.len; i++)
		if (strchr(" \t\n\r", name->val.string.val[i]) == NULL)
			return true;
	return false;
}

/* The value of a key, or NULL when it is missing or null; *is_other when it is there but no object. */
static Jsonb *
object_at(Jsonb *element, const char *key, bool *is_other)
{
	JsonbValue *value = getKeyJsonValueFromContainer(&element->root, key, strlen(key), NULL);
	Jsonb	   *object;

	*is_other = false;
	if (value == NULL || value->type == jbvNull)
		return NULL;
	object = value->type == jbvBinary ? JsonbValueToJsonb(value) : NULL;
	*is_other = object == NULL || !JB_ROOT_IS_OBJECT(object);
	return *is_other ? NULL : object;
}

/*
 * Reads an element: {"company_data": {...}, "contact_data": {...}}, the second of them optional, or the company alone.
 * False when it is bad.
 */
static bool
lead_read(JsonbValue *value, Jsonb *no_contact, Lead *lead)
{
	Jsonb *element;
	bool   is_other;

	if (value->type != jbvBinary)
		return false;
	element = JsonbValueToJsonb(value);
	if (!JB_ROOT_IS_OBJECT(element))
		return false;

	lead->contact = no_contact;
	lead->company = object_at(element, "company_data", &is_other);
	if (is_other)
		return false;
	if (lead->company)
	{
		Jsonb *contact = object_at(element, "contact_data", &is_other);

		if (is_other)
			return false;
		if (contact)
			lead->contact = contact;
	}
	else
		lead->company = element;

	if (!company_is_named(lead->company))
		return false;
	lead->domain = domain_of(lead->company, &lead->domain_length);
	return lead->domain_length <= DOMAIN_MAX;
}

/* By domain, so that concurrent batches wait for one another in one direction; of equals the first comes first. */
static int
lead_compare(const void *left, const void *right)
{
	const Lead *a = left, *b = right;
	int			shorter = Min(a->domain_length, b->domain_length);
	int			order = shorter > 0 ? memcmp(a->domain, b->domain, shorter) : 0;

	if (order != 0)
		return order;
	if (a->domain_length != b->domain_length)
		return a->domain_length < b->domain_length ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

/* The leads of a batch, sorted; *nelements is the number of elements, bad ones included. */
static Lead *
batch_read(Jsonb *batch, int *nelements, int *nleads)
{
	JsonbIterator *iterator = JsonbIteratorInit(&batch->root);
	JsonbValue	   value;
	Jsonb		  *no_contact;
	Lead		  *leads = palloc_extended(Max(JB_ROOT_COUNT(batch), 1) * sizeof(Lead), MCXT_ALLOC_HUGE);

	value.type = jbvObject;
	value.val.object.nPairs = 0;
	value.val.object.pairs = NULL;
	no_contact = JsonbValueToJsonb(&value);

	*nelements = *nleads = 0;
	for (JsonbIteratorToken token; (token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE;)
	{
		CHECK_FOR_INTERRUPTS();
		if (token != WJB_ELEM)
			continue;
		leads[*nleads].place = (*nelements)++;
		if (lead_read(&value, no_contact, &leads[*nleads]))
			(*nleads)++;
	}
	qsort(leads, *nleads, sizeof(Lead), lead_compare);
	return leads;
}

/* Half of the leads as jsonb[], for unnest(). */
static Datum
batch_array(const Lead *leads, int nleads, bool contacts)
{
	Datum *values = palloc_extended(Max(nleads, 1) * sizeof(Datum), MCXT_ALLOC_HUGE);

	for (int i = 0; i < nleads; i++)
		values[i] = JsonbPGetDatum(contacts ? leads[i].contact : leads[i].company);
	return PointerGetDatum(construct_array(values, nleads, JSONBOID, -1, false, TYPALIGN_INT));
}

/*
 * Finds a query that the caller may use, and locks first its workspace and then itself, as whoever deletes the workspace
 * does.  A query of somebody else's is not even waited for.
 */
static void
query_lock(const Caller *caller, const pg_uuid_t *query, pg_uuid_t *workspace)
{
	static Statement lock = STATEMENT("SELECT w.id FROM @extschema@.workspaces w, @extschema@.queries q"
									  " WHERE q.id = $1 AND w.id = q.workspace_id AND w.id = coalesce($2, w.id) FOR KEY SHARE",
									  "uuid, uuid");
	Datum			 values[2] = {UUIDPGetDatum(query), UUIDPGetDatum(&caller->membership.workspace_id)};
	bool			 isnull;

	if (statement_run(&lock, values, caller->is_service ? " n" : NULL, false, 0) == 0)
	{
		if (caller->is_service)
			error_no_such_row("query", query);
		error_other_row("query", query);
	}
	*workspace = *DatumGetUUIDP(statement_value(1, &isnull));
}

/*
 * ingest_leads(p_query_id uuid, p_leads jsonb) returns table(inserted int, skipped int)
 *
 * Adds a batch to the query's workspace.  Skipped and counted are bad elements, and those whose company is there
 * already, in the workspace or earlier in the batch.  What is inserted is added to the query's counters.
 * Callers: authenticated for a query of the active workspace, service_role for any.  Errors: 28000; 42501 another
 * workspace's query, or (authenticated) none; 22023 an argument NULL, p_leads no array, or (service_role) no such query.
 * Locks: the workspace and the query, KEY SHARE; then the domains, in order;
 * then the query, NO KEY UPDATE.  A transaction that ingests twice may deadlock with another that does: commit between.
 */
PG_FUNCTION_INFO_V1(openinfo_ingest_leads);
Datum
openinfo_ingest_leads(PG_FUNCTION_ARGS)
{
	static Statement insert = STATEMENT("INSERT INTO @extschema@.leads (workspace_id, query_id, company_data, contact_data)"
										" SELECT $1, $2, l.company, l.contact FROM unnest($3, $4) AS l (company, contact)"
										" ON CONFLICT DO NOTHING",
										"uuid, uuid, jsonb[], jsonb[]");
	static Statement result = STATEMENT("SELECT $1, $2", "int4, int4");
	Caller			 caller;
	StatementScope	 scope;
	pg_uuid_t		 person, workspace;
	pg_uuid_t		*query;
	Jsonb			*batch;
	Lead			*leads;
	int				 nelements, nleads;
	int				 inserted = 0;

	if (PG_ARGISNULL(0))
		error_null("p_query_id");
	if (PG_ARGISNULL(1))
		error_null("p_leads");
	query = PG_GETARG_UUID_P(0);
	batch = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_ARRAY(batch) || JB_ROOT_IS_SCALAR(batch))
		error_not_array("p_leads");

	authorize_caller(&caller);
	if (!caller.is_service && !claims_person(&person))
		error_signed_out();
	if (!caller.is_service && !caller.is_member)
		error_no_workspace();

	leads = batch_read(batch, &nelements, &nleads);

	statement_begin(&scope);
	query_lock(&caller, query, &workspace);
	if (nleads > 0)
	{
		Datum values[4] = {UUIDPGetDatum(&workspace), UUIDPGetDatum(query),
						   batch_array(leads, nleads, false), batch_array(leads, nleads, true)};

		inserted = (int) statement_run(&insert, values, NULL, false, 0);
	}
	if (inserted > 0)
		work_queue_count_leads(UUIDPGetDatum(&workspace), UUIDPGetDatum(query), inserted);
	{
		Datum values[2] = {Int32GetDatum(inserted), Int32GetDatum(nelements - inserted)};

		(void) statement_return_query(fcinfo, &result, values, NULL);
	}
	statement_end(&scope);
	return (Datum) 0;
}
