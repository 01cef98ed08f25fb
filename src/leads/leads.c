/*
 * leads.c
 *		Batches of leads.
 *
 *	batch		a JSON array; its elements are leads
 *	bad			of an element: it is not an object, or its company has no name
 *	refused		of an element: a constraint, a unique index or a trigger, of ours or of the user's, raises an
 *				error for it
 *
 * Elements that are bad or refused are skipped and counted, and the others are stored.  A batch is written by
 * one statement in a subtransaction.  When that fails because of its elements, each half of the batch is
 * tried, and so on, down to the element that is refused: k of n elements cost some k log n statements, and
 * none cost one.
 *
 * Invariant: two batches never wait for each other in a circle.  A batch locks its workspace, its query, and
 * then its domains in ascending order; the deletion of a workspace or a query locks them in the same order.
 */
#include "openinfo.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/resowner.h"

#include "access/authorize.h"
#include "core/errors.h"
#include "core/statement.h"
#include "core/white_space.h"
#include "leads/domain.h"
#include "queries/work_queue.h"

/* --------------------------------------------------------------------------------------------------------
 * Reading a batch
 * -------------------------------------------------------------------------------------------------------- */

/* An element that is not bad. */
typedef struct Lead
{
	Jsonb *company;
	Jsonb *contact;
	char  *domain;		  /* not terminated */
	int	   domain_length; /* 0: it has none */
	int	   position;	  /* in the batch */
} Lead;

/* Does a company have a name?  Agrees with constraint leads_company_data_named. */
static bool
company_is_named(Jsonb *company)
{
	JsonbValue *name = getKeyJsonValueFromContainer(&company->root, "name", strlen("name"), NULL);

	return name != NULL && name->type == jbvString &&
		   !white_space_only(name->val.string.val, name->val.string.len);
}

/* The object at a key, or NULL when it is missing or null; *is_other: the value is not an object. */
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
 * Reads an element: {"company_data": {...}, "contact_data": {...}}, the second of them optional, or the
 * company alone. False when it is bad.
 */
static bool
lead_read(JsonbValue *value, Jsonb *no_contact, Lead *lead)
{
	Jsonb *element;
	char   domain[DOMAIN_MAX];
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
	lead->domain_length = domain_of_company(lead->company, domain);
	lead->domain = pnstrdup(domain, lead->domain_length);
	return true;
}

/* By domain, so that concurrent batches wait for each other in one direction; then by position. */
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
	return a->position < b->position ? -1 : 1;
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
		leads[*nleads].position = (*nelements)++;
		if (lead_read(&value, no_contact, &leads[*nleads]))
			(*nleads)++;
	}
	qsort(leads, *nleads, sizeof(Lead), lead_compare);
	return leads;
}

/* Companies or contacts of leads as jsonb[], for unnest(). */
static ArrayType *
batch_array(const Lead *leads, int nleads, bool contacts)
{
	Datum	  *values = palloc_extended(nleads * sizeof(Datum), MCXT_ALLOC_HUGE);
	ArrayType *array;

	for (int i = 0; i < nleads; i++)
		values[i] = JsonbPGetDatum(contacts ? leads[i].contact : leads[i].company);
	array = construct_array(values, nleads, JSONBOID, -1, false, TYPALIGN_INT);
	pfree(values);
	return array;
}

/* --------------------------------------------------------------------------------------------------------
 * Writing a batch
 * -------------------------------------------------------------------------------------------------------- */

/* A batch of leads: its workspace, its options and its result */
typedef struct Ingestion
{
	Datum	   workspace;
	Datum	   query;
	Statement *statement;
	int		   inserted;
	int		   updated;
} Ingestion;

/*
 * $1 workspace, $2 query, $3 companies, $4 contacts; returns the numbers of inserted and of updated leads.  A
 * row that was inserted has the id that the statement gave it; xmax, which would tell as well, cannot be
 * returned from a partitioned table.
 */
static Statement ingest_or_skip = STATEMENT(
	"WITH written AS ("
	"  INSERT INTO @extschema@.leads (workspace_id, query_id, company_data, contact_data)"
	"  SELECT $1, $2, e.company, e.contact FROM unnest($3, $4) AS e (company, contact)"
	"  ON CONFLICT DO NOTHING RETURNING id)"
	" SELECT count(*), 0::int8 FROM written",
	"uuid, uuid, jsonb[], jsonb[]");
static Statement ingest_or_update = STATEMENT(
	"WITH batch AS MATERIALIZED ("
	"  SELECT pg_catalog.gen_random_uuid() AS id, e.company, e.contact"
	"    FROM unnest($3, $4) AS e (company, contact)"
	"), written AS ("
	"  INSERT INTO @extschema@.leads AS l (id, workspace_id, query_id, company_data, contact_data)"
	"  SELECT b.id, $1, $2, b.company, b.contact FROM batch b"
	"  ON CONFLICT (workspace_id, @extschema@.lead_domain(company_data)) DO UPDATE"
	"    SET company_data = excluded.company_data,"
	"        contact_data = CASE WHEN excluded.contact_data = '{}' THEN l.contact_data"
	"                            ELSE excluded.contact_data END"
	"  RETURNING l.id)"
	" SELECT count(b.id), count(*) - count(b.id) FROM written w LEFT JOIN batch b ON b.id = w.id",
	"uuid, uuid, jsonb[], jsonb[]");

/*
 * Is an error one about the rows that were written?  Errors of the connection, the transaction, the server or
 * the code of a trigger, and lack of privileges, are not: they would be the same for every element.
 */
static bool
is_refusal(int sqlstate)
{
	static const char *const others = "08 0A 25 28 3D 3F 40 42 53 55 57 58 F0 XX";
	char class[3];

	strlcpy(class, unpack_sql_state(sqlstate), sizeof(class));
	return strstr(others, class) == NULL;
}

/* Writes leads in a subtransaction; false, and nothing is written, when one of them is refused. */
static bool
ingest_all(Ingestion *to, const Lead *leads, int nleads)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ArrayType	 *companies = batch_array(leads, nleads, false);
	ArrayType	 *contacts = batch_array(leads, nleads, true);
	Datum		  values[4] = {to->workspace, to->query,
							   PointerGetDatum(companies), PointerGetDatum(contacts)};
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		int64 inserted, updated;
		bool  isnull;

		(void) statement_run(to->statement, values, NULL, false, 0);
		inserted = DatumGetInt64(statement_value(1, &isnull));
		updated = DatumGetInt64(statement_value(2, &isnull));
		ReleaseCurrentSubTransaction();
		to->inserted += (int) inserted;
		to->updated += (int) updated;
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;

	pfree(companies);
	pfree(contacts);
	if (error == NULL)
		return true;
	if (!is_refusal(error->sqlerrcode))
		ReThrowError(error);
	FreeErrorData(error);
	return false;
}

/*
 * Writes the leads that are not refused.  Leads with one domain in a batch that updates are an error of the
 * statement, too, and so end up in statements of their own, in the order in which they were sent.
 */
static void
ingest(Ingestion *to, const Lead *leads, int nleads)
{
	CHECK_FOR_INTERRUPTS();
	if (nleads == 0 || ingest_all(to, leads, nleads) || nleads == 1)
		return;
	ingest(to, leads, nleads / 2);
	ingest(to, leads + nleads / 2, nleads - nleads / 2);
}

/*
 * Finds the workspace of a query that the caller may use, and locks the workspace and then the query, as the
 * deletion of a workspace does.  A query of another workspace is not locked.
 */
static Datum
query_lock(const Caller *caller, const pg_uuid_t *query)
{
	static Statement find = STATEMENT("SELECT workspace_id FROM @extschema@.queries WHERE id = $1", "uuid");
	static Statement lock = STATEMENT(
		"SELECT w.id FROM @extschema@.workspaces w, @extschema@.queries q"
		" WHERE w.id = $2 AND q.workspace_id = $2 AND q.id = $1 FOR KEY SHARE",
		"uuid, uuid");
	Datum values[2] = {UUIDPGetDatum(query), UUIDPGetDatum(&caller->membership.workspace_id)};
	bool  isnull, found = true;

	if (caller->is_service && (found = statement_run(&find, values, NULL, false, 0) > 0))
		values[1] = statement_value(1, &isnull);
	if (!found || statement_run(&lock, values, NULL, false, 0) == 0)
	{
		if (caller->is_service)
			error_no_such_row("query", query);
		error_other_row("query", query);
	}
	return statement_value(1, &isnull);
}

/* The statement for an argument p_on_conflict. */
static Statement *
on_conflict(text *value)
{
	char *word = text_to_cstring(value);

	if (strcmp(word, "skip") == 0)
		return &ingest_or_skip;
	if (strcmp(word, "update") == 0)
		return &ingest_or_update;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"p_on_conflict\" must be \"skip\" or \"update\", not \"%s\"", word)));
}

/*
 * ingest_leads(p_query_id uuid, p_leads jsonb, p_on_conflict text default 'skip')
 *		returns table(inserted int, skipped int, updated int)
 *
 * Adds a batch to the query's workspace, and the number of new leads to the query's counters.  An element
 * whose company, by its domain, is known in the workspace or comes earlier in the batch is skipped, or with
 * 'update' replaces company_data, and contact_data unless its own is missing or empty; its status and its
 * query stay.  Elements that are bad or refused are skipped.
 * Callers: authenticated for a query of the active workspace, service_role for any.  Errors: PT401; 42501
 * another workspace's query, or (authenticated) no workspace; 22023 an argument NULL, p_leads is not an
 * array, p_on_conflict is another word, or (service_role) no such query.
 * Locks: the workspace and the query, KEY SHARE; then the domains, in order; then the query, NO KEY UPDATE.
 * A transaction that calls it twice may deadlock with another that does: commit between the calls.
 */
PG_FUNCTION_INFO_V1(openinfo_ingest_leads);
Datum
openinfo_ingest_leads(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"p_query_id", "p_leads", "p_on_conflict"};
	static Statement		 result = STATEMENT("SELECT $1, $2, $3", "int4, int4, int4");
	Caller					 caller;
	StatementScope			 scope;
	Ingestion				 to = {0};
	pg_uuid_t				*query;
	Jsonb					*batch;
	Lead					*leads;
	int						 nelements, nleads;
	Datum					 values[3];

	for (int i = 0; i < lengthof(arguments); i++)
		if (PG_ARGISNULL(i))
			error_null(arguments[i]);
	query = PG_GETARG_UUID_P(0);
	batch = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_ARRAY(batch) || JB_ROOT_IS_SCALAR(batch))
		error_not_array("p_leads");
	to.query = UUIDPGetDatum(query);
	to.statement = on_conflict(PG_GETARG_TEXT_PP(2));
	authorize_member(&caller);

	leads = batch_read(batch, &nelements, &nleads);
	statement_begin(&scope);
	to.workspace = query_lock(&caller, query);
	ingest(&to, leads, nleads);
	if (to.inserted > 0)
		work_queue_count_leads(to.workspace, to.query, to.inserted);

	values[0] = Int32GetDatum(to.inserted);
	values[1] = Int32GetDatum(nelements - to.inserted - to.updated);
	values[2] = Int32GetDatum(to.updated);
	(void) statement_return_query(fcinfo, &result, values, NULL);
	statement_end(&scope);
	return (Datum) 0;
}
