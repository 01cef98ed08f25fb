/*
 * search_leads.c
 *		search_leads(): leads of a workspace, found as topics are.
 *
 * The search itself is that of src/topics: this file says what the words of a lead are, and how rows are
 * looked at.  Leads have no volume; of one tier the newest come first.  Where many rows have the words, they
 * are not all read: idx_leads_workspace_id has the rows of the workspace from the newest on, and those of
 * them that the search index named are read, until the list is full.
 *
 * Invariant: every row that is read is one of the workspace, whatever an index says.
 */
#include "openinfo.h"

#include "access/table.h"
#include "catalog/index.h"
#include "catalog/partition.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "access/authorize.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/lookup.h"
#include "core/shards.h"
#include "core/statement.h"
#include "leads/lead_words.h"
#include "topics/fuzzy.h"

#define SEARCH_INDEX "idx_leads_search"
#define NEWEST_INDEX "idx_leads_workspace_id"

#define LEADS_LIMIT_DEFAULT 50
#define LEADS_LIMIT_MAX 1000
/* To read a row costs as much as so many entries of the index of the newest. */
#define ENTRIES_PER_ROW 40
/* More rows than this are not read one by one. */
#define ROWS_TO_READ 500
/* What says that a row is none of a set, most of the time: a bit for each place of a hash table. */
#define FILTER_BITS 65536
#define filter_place(row) ((uint32) (((row) *UINT64CONST(0x9E3779B97F4A7C15)) >> 48))

static const char *const lead_columns[] = {"id", "company_data", "query_id", "created_at"};
#define CREATED_AT 3

typedef struct LeadSearch
{
	Search	   s; /* first: the callbacks get it */
	AttrNumber workspace_id;
	AttrNumber contact_data;
	Relation   newest; /* (workspace_id, created_at DESC), or NULL */
	Relation   parent; /* of a partition, or NULL */
	bool	   spread; /* the table is a shard */
} LeadSearch;

/* The words of the lead in the slot. */
static bool
lead_read(Search *s, TextWords *words, int64 *weight, Hit *hit)
{
	LeadSearch *leads = (LeadSearch *) s;
	bool		isnull;
	bool		no_contact;
	Datum		workspace = slot_getattr(s->slot, leads->workspace_id, &isnull);
	Datum		contact = slot_getattr(s->slot, leads->contact_data, &no_contact);

	if (isnull || memcmp(DatumGetUUIDP(workspace)->data, s->scope.s, UUID_LEN) != 0)
		return false;
	lead_words_read(DatumGetJsonbP(slot_getattr(s->slot, s->attno[1], &isnull)),
					no_contact ? NULL : DatumGetJsonbP(contact), words);
	*weight = DatumGetTimestampTz(slot_getattr(s->slot, s->attno[CREATED_AT], &isnull));
	return true;
}

/*
 * Reads rows from the newest on, no more than "most", until the list is full.  False when it is not, and also
 * when there are so few rows that it costs less to read them all.
 */
static bool
leads_look(Search *s, const SearchQuery *q, const RowSet *rows, MatchTier tier, MatchTier floor,
		   int max_typos, int most)
{
	LeadSearch *leads = (LeadSearch *) s;
	int64		entries = (int64) Min(rows->n, most) * ENTRIES_PER_ROW;
	uint8	   *filter;
	/* whether variants count is decided by those in front, too */
	bool		  behind = s->after && s->after->match.tier == tier && tier >= MATCH_STEM;
	ScanKeyData	  keys[2];
	IndexScanDesc scan;
	bool		  done = false;
	ItemPointer	  tid;
	uint64		  row;

	if (rows->n <= s->limit || !leads->newest)
		return false;
	if (rows->n > ROWS_TO_READ && rows->n <= most)
		entries = PG_INT64_MAX;
	filter = palloc0(FILTER_BITS / 8);
	for (int i = 0; i < rows->n; i++)
		filter[filter_place(rows->rows[i]) / 8] |= 1 << (filter_place(rows->rows[i]) % 8);
	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, PointerGetDatum(s->scope.s));
	if (behind)
		ScanKeyInit(&keys[1], 2, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
					TimestampTzGetDatum(s->after->match.weight));
	scan = compat_index_beginscan(s->table, leads->newest, s->snapshot, behind ? 2 : 1);
	scan->xs_want_itup = true;
	index_rescan(scan, keys, behind ? 2 : 1, NULL, 0);
	while (!done && entries-- > 0 && most > 0)
	{
		bool  isnull;
		int64 created_at;

		tid = index_getnext_tid(scan, ForwardScanDirection);
		if (tid == NULL)
		{
			done = true;
			break;
		}
		created_at = DatumGetTimestampTz(index_getattr(scan->xs_itup, 2, RelationGetDescr(leads->newest),
													   &isnull));
		done = search_exhausted(s) || !search_accepts(s, tier, created_at);
		row = row_number(tid);
		if (done || !(filter[filter_place(row) / 8] & 1 << (filter_place(row) % 8)) ||
			!rowset_has(rows, row, row))
			continue;
		look_at_row(s, q, row, floor, max_typos);
		most--;
	}
	index_endscan(scan);
	return done;
}

static const SearchSource leads_source = {
	.ncolumns = lengthof(lead_columns),
	.columns = lead_columns,
	.read = lead_read,
	.look = leads_look,
};

/*
 * The table that has the leads of a workspace: leads itself, its shard on a Citus cluster, or its partition
 * (partition_leads() of 1.2.0), which "parent" keeps open.  NULL: another node has the shard.
 */
static Relation
open_table(Relation *parent, const pg_uuid_t *workspace)
{
	Oid			  place = shards_relation(catalog_table("leads"), workspace);
	Datum		  value = UUIDPGetDatum(workspace);
	bool		  isnull = false;
	Relation	  leads = OidIsValid(place) ? table_open(place, AccessShareLock) : NULL;
	PartitionKey  key;
	PartitionDesc desc;
	uint64		  hash;

	*parent = NULL;
	if (leads == NULL || leads->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return leads;
	*parent = leads;
	key = RelationGetPartitionKey(leads);
	desc = RelationGetPartitionDesc(leads, false);
	if (key->strategy != PARTITION_STRATEGY_HASH || key->partnatts != 1 ||
		key->partattrs[0] != catalog_column(RelationGetRelid(leads), "workspace_id"))
		elog(ERROR, "table \"leads\" is not partitioned by workspace_id");
	hash = compute_partition_hash_value(1, key->partsupfunc, key->partcollation, &value, &isnull);
	return table_open(desc->oids[desc->boundinfo->indexes[hash % desc->boundinfo->nindexes]],
					  AccessShareLock);
}

/* An index of leads by its name, or what it is in the partition or shard; InvalidOid when there is none. */
static Oid
find_index(Relation table, Relation parent, const char *name)
{
	/* a shard has the name of its table and a number, and so have its indexes */
	const char *number = parent ? "" : RelationGetRelationName(table) + strlen("leads");
	Oid			oid = get_relname_relid(psprintf("%s%s", name, number), RelationGetNamespace(table));

	if (parent && OidIsValid(oid))
		oid = get_rel_relkind(oid) == RELKIND_PARTITIONED_INDEX ? index_get_partition(table, oid)
																: InvalidOid;
	return oid;
}

/* The index from the newest to the oldest lead of a workspace; NULL when it is not there as it should be. */
static Relation
open_newest(Relation table, Oid oid, AttrNumber workspace_id, AttrNumber created_at)
{
	Relation index;

	if (!OidIsValid(oid) || get_rel_relkind(oid) != RELKIND_INDEX)
		return NULL;
	index = index_open(oid, AccessShareLock);
	if (index->rd_index->indrelid == RelationGetRelid(table) && index->rd_index->indisvalid &&
		!index->rd_index->indcheckxmin && index->rd_rel->relam == BTREE_AM_OID &&
		index->rd_index->indnkeyatts >= 2 && index->rd_index->indkey.values[0] == workspace_id &&
		index->rd_index->indkey.values[1] == created_at && index->rd_indoption[1] & INDOPTION_DESC &&
		RelationGetIndexPredicate(index) == NIL)
		return index;
	index_close(index, AccessShareLock);
	return NULL;
}

/* The search index; an error says what to do where it cannot be used. */
static Relation
open_search_index(Relation table, Relation parent)
{
	Oid			oid = find_index(table, parent, SEARCH_INDEX);
	Relation	index = search_open_index(table, oid);
	const char *schema = quote_identifier(catalog_schema_name());

	if (index)
		return index;
	if (!OidIsValid(oid))
		error_unusable_index(SEARCH_INDEX,
							 psprintf("CREATE INDEX %s" SEARCH_INDEX " ON %s.leads USING gin"
									  " (%s.lead_search_keys(workspace_id, company_data, contact_data)"
									  " %s.topic_keys_ops) WITH (gin_pending_list_limit = 512);",
									  /* a partitioned table has no other way */
									  parent ? "" : "CONCURRENTLY ", schema, schema, schema));
	if (get_rel_relkind(oid) == RELKIND_INDEX && !get_index_isvalid(oid))
		error_unusable_index(SEARCH_INDEX,
							 psprintf("REINDEX INDEX CONCURRENTLY %s." SEARCH_INDEX ";", schema));
	error_unusable_index(SEARCH_INDEX, "Repeat the search in a new transaction.");
}

/* Where the page begins: behind a lead that the same search finds. */
static Hit *
page_start(LeadSearch *leads, pg_uuid_t *id)
{
	Search *s = &leads->s;
	Hit	   *after = palloc0(sizeof(Hit));
	/* the unique index of a partition or shard is on both */
	LookupKey keys[2] = {{s->attno[0], UUIDOID, UUIDPGetDatum(id)},
						 {leads->workspace_id, UUIDOID, PointerGetDatum(s->scope.s)}};
	Lookup	  lookup;
	TextWords words;
	int64	  weight;
	bool	  found;

	lookup_begin(&lookup, leads->spread ? catalog_table("leads") : RelationGetRelid(s->table), InvalidOid,
				 s->snapshot, keys, leads->parent || leads->spread ? 2 : 1);
	s->slot = lookup.row;
	if (!lookup_next(&lookup) || !lead_read(s, &words, &weight, after))
		error_no_such_row("lead", id);
	found = search_judge(s, &s->query, &words, weight, MATCH_TYPO, TYPO_MAX, &after->match);
	if ((!found || after->match.tier < MATCH_STEM) && s->query.nwords <= TYPO_MAX_WORDS)
		found |= search_judge_variants(s, spacing_variants(&s->query), &words, weight, &after->match);
	lookup_end(&lookup);
	if (!found)
		error_not_found_by_search("lead", id);
	after->id = *id;
	after->text = "";
	if (after->match.tier >= MATCH_STEM)
		s->best = after->match.tier;
	return after;
}

/* Runs the search for a text that has words. */
static void
leads_run(LeadSearch *leads, pg_uuid_t *after)
{
	Search *s = &leads->s;
	int		budget = search_budget(s->limit);

	s->index = open_search_index(s->table, leads->parent);
	leads->workspace_id = catalog_column(RelationGetRelid(s->table), "workspace_id");
	leads->contact_data = catalog_column(RelationGetRelid(s->table), "contact_data");
	leads->newest = open_newest(s->table, find_index(s->table, leads->parent, NEWEST_INDEX),
								leads->workspace_id, s->attno[CREATED_AT]);
	if (after)
		s->after = page_start(leads, after);
	search_begin(s, budget, true);
	search_walk(s);
	search_end(s, "search_leads", budget);
	index_close(s->index, AccessShareLock);
	if (leads->newest)
		index_close(leads->newest, AccessShareLock);
}

/*
 * The same search on the node that has the shard, as the caller.  The count sends the statement there.
 */
static void
ask_node(FunctionCallInfo fcinfo)
{
	static Statement search = STATEMENT(
		"SELECT s.id, s.company_data, s.query_id, s.created_at, s.relevance"
		"  FROM (SELECT count(*) FROM @extschema@.users WHERE workspace_id = $4) u,"
		"       @extschema@.search_leads($1, $2, $3, $4) WITH ORDINALITY s"
		" ORDER BY s.ordinality",
		"text, int4, uuid, uuid");
	StatementScope scope;
	Datum		   values[4];
	char		   nulls[5] = "    ";

	/* a part of a statement that another node has sent to the wrong one */
	if (shards_is_internal())
		error_distributed("search_leads");
	for (int i = 0; i < 4; i++)
	{
		values[i] = fcinfo->args[i].value;
		nulls[i] = fcinfo->args[i].isnull ? 'n' : ' ';
	}
	statement_begin_as_caller(&scope);
	(void) statement_return_query(fcinfo, &search, values, nulls);
	statement_end(&scope);
}

/*
 * search_leads(p_query text, p_limit int default 50, p_after uuid default null,
 *		p_workspace_id uuid default get_user_workspace_id())
 *     returns table(id uuid, company_data jsonb, query_id uuid, created_at timestamptz, relevance real)
 *
 * Leads of a workspace for what somebody has typed so far, by the words of the company's name, domain and
 * industry and of the contact's name; no rows for NULL and for a text without a letter or digit.  Order:
 * relevance, then the newest, then by id.  relevance: 5 the name equals the text, 4 it begins with it, 3 the
 * words are there, 1 with a blank more or less, 0 with typos.  p_query: its first 2,048 bytes count.
 * p_limit: rows; NULL is the default, more than 1,000 is 1,000.  p_after is the id of the last row of the
 * page before.
 * STABLE: what the caller's statement sees.
 * Callers: authenticated, service_role.  Locks: AccessShareLock, as any SELECT.
 * Errors: PT401; 42501 another workspace; 0A000 a part of a statement on several nodes of a Citus cluster;
 * 22023 p_limit below 1, p_after is no lead of the workspace, or is not found by this search, p_workspace_id
 * is NULL; 55000 the index is missing, with the statement that creates it as hint.
 */
PG_FUNCTION_INFO_V1(openinfo_search_leads);
Datum
openinfo_search_leads(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	pg_uuid_t	  *workspace = PG_ARGISNULL(3) ? NULL : PG_GETARG_UUID_P(3);
	int32		   limit = PG_ARGISNULL(1) ? LEADS_LIMIT_DEFAULT : PG_GETARG_INT32(1);
	LeadSearch	   leads = {.s = {.source = &leads_source}};
	Search		  *s = &leads.s;
	Caller		   caller;
	MemoryContext  context;
	MemoryContext  old;

	authorize_workspace(&caller, workspace);
	if (workspace == NULL)
		error_null("p_workspace_id");
	if (limit < 1)
		error_below_one("p_limit", limit);
	catalog_check_owners();
	s->table = open_table(&leads.parent, workspace);
	if (s->table == NULL)
	{
		ask_node(fcinfo);
		return (Datum) 0;
	}
	InitMaterializedSRF(fcinfo, 0);

	context = AllocSetContextCreate(CurrentMemoryContext, "search_leads", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	s->limit = Min(limit, LEADS_LIMIT_MAX);
	s->scope = (KeyScope){.n = UUID_LEN, .s = (char *) workspace->data};
	s->snapshot = GetActiveSnapshot();
	leads.spread = catalog_is_distributed();
	if (!PG_ARGISNULL(0))
	{
		search_read(s, PG_GETARG_TEXT_PP(0));
		if (s->query.nwords > 0)
			leads_run(&leads, PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2));
	}
	for (int i = 0; i < s->other.n; i++)
	{
		Hit	 *hit = s->other.hits[i];
		Datum values[SEARCH_COLUMNS];
		bool  nulls[SEARCH_COLUMNS];

		memcpy(values, hit->values, sizeof(values));
		memcpy(nulls, hit->nulls, sizeof(nulls));
		values[lengthof(lead_columns)] = Float4GetDatum((float4) (hit->match.tier - MATCH_TYPO));
		nulls[lengthof(lead_columns)] = false;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	table_close(s->table, AccessShareLock);
	if (leads.parent)
		table_close(leads.parent, AccessShareLock);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return (Datum) 0;
}
