/*
 * catalog.c
 *		Where the extension's schema, tables, columns and indexes are.
 *
 * Everything is found by name in the extension's schema, never through the search_path, and by column name,
 * never by number: a restored dump may number columns otherwise.  What is found is kept until PostgreSQL
 * says that something about it changed.
 *
 * Invariant: nothing kept here outlives an invalidation of its table, of the schema, or of the extension.
 * There is no cache of pg_extension and so no invalidation; a function that is created and dropped
 * with it is watched instead.
 */
#include "openinfo.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "core/catalog.h"
#include "core/errors.h"
#include "core/shards.h"

#define MAX_TABLES 64

/* Tables that were found to belong to openinfo_owner, until one of them changes. */
static bool owners_checked = false;
static Oid	checked_tables[MAX_TABLES];
static int	nchecked;

static Oid		  schema = InvalidOid;
static char		 *schema_name = NULL; /* quoted for SQL */
static uint32	  schema_hash;		  /* of its row in pg_namespace */
static uint32	  function_hash;	  /* of the row in pg_proc of a function of the extension */
static uint64	  generation = 1;
static UsersTable users; /* valid when users.relid is */

static void
catalog_forget(void)
{
	schema = InvalidOid;
	users.relid = InvalidOid;
	owners_checked = false;
	generation++;
}

static void
catalog_relation_changed(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == users.relid)
		users.relid = InvalidOid;
	if (relid == InvalidOid)
		owners_checked = false;
	for (int i = 0; owners_checked && i < nchecked; i++)
		if (checked_tables[i] == relid)
			owners_checked = false;
	shards_forget(relid);
}

/*
 * The schema may have been renamed, or the extension dropped and created again elsewhere: plans that name it
 * are stale.
 */
static void
catalog_schema_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	if (OidIsValid(schema) &&
		(hashvalue == 0 || hashvalue == (cacheid == NAMESPACEOID ? schema_hash : function_hash)))
		catalog_forget();
}

void
catalog_init(void)
{
	/* one callback for all: a process has room for ten, and Citus takes five */
	CacheRegisterRelcacheCallback(catalog_relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, catalog_schema_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(PROCOID, catalog_schema_changed, (Datum) 0);
}

/*
 * Our row of pg_extension; PostgreSQL exports a function for the schema from 17 on, and none for the owner.
 */
static FormData_pg_extension
extension_row(void)
{
	Relation			  rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData			  key;
	SysScanDesc			  scan;
	HeapTuple			  tuple;
	FormData_pg_extension result = {0};

	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(get_extension_oid("openinfo", false)));
	scan = systable_beginscan(rel, ExtensionOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		memcpy(&result, GETSTRUCT(tuple), offsetof(FormData_pg_extension, extrelocatable) + sizeof(bool));
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/* Schema that the extension is installed in. */
Oid
catalog_schema(void)
{
	Oid		   found, function;
	oidvector *no_arguments;
	char	  *name;

	if (OidIsValid(schema))
		return schema;

	found = extension_row().extnamespace;
	name = get_namespace_name(found);
	if (name == NULL)
		error_missing_table("schema_migrations");
	no_arguments = buildoidvector(NULL, 0);
	function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("get_user_workspace_id"),
							   PointerGetDatum(no_arguments), ObjectIdGetDatum(found));
	if (schema_name)
		pfree(schema_name);
	schema_name = MemoryContextStrdup(TopMemoryContext, quote_identifier(name));
	schema_hash = GetSysCacheHashValue1(NAMESPACEOID, ObjectIdGetDatum(found));
	function_hash = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(function));
	schema = found;
	return schema;
}

/* Role that installed the extension. */
Oid
catalog_extension_owner(void)
{
	return extension_row().extowner;
}

/* Its name, quoted for use in SQL. */
const char *
catalog_schema_name(void)
{
	(void) catalog_schema();
	return schema_name;
}

/* Changes whenever SQL that names the schema may have gone stale. */
uint64
catalog_generation(void)
{
	return generation;
}

/* openinfo_owner, which owns the tables and which functions work as; an error when it does not exist. */
Oid
catalog_owner(void)
{
	return get_role_oid(OWNER_ROLE, false);
}

/*
 * Raises an error when a table belongs to another role: the owner of the schema may drop any table in it and
 * create another in its place, with triggers of their own.
 */
static void
check_owner(Oid relid, const char *name)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid		  owner = InvalidOid;
	char	  kind = '\0';

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		kind = ((Form_pg_class) GETSTRUCT(tuple))->relkind;
		ReleaseSysCache(tuple);
	}
	if (OidIsValid(owner) && owner == get_role_oid(OWNER_ROLE, true) &&
		(kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" is not owned by role %s", name, OWNER_ROLE),
			 errhint("If the table is the one that extension openinfo created, "
					 "run ALTER TABLE %s.%s OWNER TO %s.",
					 catalog_schema_name(), name, OWNER_ROLE)));
}

/* A table of ours by name; an error when it is not there. */
Oid
catalog_table(const char *name)
{
	Oid relid = get_relname_relid(name, catalog_schema());

	if (!OidIsValid(relid))
		error_missing_table(name);
	check_owner(relid, name);
	return relid;
}

/* Does Citus distribute the tables?  users stands for all. */
bool
catalog_is_distributed(void)
{
	return shards_present() && shards_distribution(catalog_users()->relid) != DISTRIBUTION_NONE;
}

/* Is that the table of ours with this name, or a shard of it, which has the table's name and a number? */
bool
catalog_is_table(Relation rel, const char *name)
{
	const char *own = RelationGetRelationName(rel);
	size_t		length = strlen(name);

	if (RelationGetNamespace(rel) != catalog_schema() || strncmp(own, name, length) != 0)
		return false;
	own += length;
	return own[0] == '\0' ||
		   (own[0] == '_' && own[1] != '\0' && strspn(own + 1, "0123456789") == strlen(own + 1));
}

/*
 * Our tables: the users' own data before what could be created again, so that an error names the former.
 */
const char *const catalog_tables[] = {
	"workspaces", "users", "leads", "queries", "saved_searches", "credit_usage", "export_jobs",
	"expired_export_files", "people_search_results", "sealed_contacts", "saved_people_searches",
	"integrations", "sealed_secrets", "integration_events", "billing_events", "stripe_customers",
	"notification_preferences", "invitations", "global_topics", "trends", "plans", "visible_fields",
	"workspace_creations", "schema_migrations", NULL};

/*
 * Raises an error when one of our tables belongs to another role; SQL looks them up by name.  While one is
 * missing, as in a schema of an older version, they are looked at each time, because nothing tells when it is
 * created.
 */
void
catalog_check_owners(void)
{
	bool missing = false;

	if (owners_checked)
		return;

	nchecked = 0;
	for (int i = 0; catalog_tables[i] != NULL; i++)
	{
		Oid relid = get_relname_relid(catalog_tables[i], catalog_schema());

		if (!OidIsValid(relid))
		{
			missing = true;
			continue;
		}
		Assert(nchecked < MAX_TABLES);
		check_owner(relid, catalog_tables[i]);
		checked_tables[nchecked++] = relid;
	}
	owners_checked = !missing;
}

/* Whether a relation is one of these tables.  False while the extension is being dropped. */
bool
catalog_is_ours(Oid relid)
{
	char *name;

	if (!OidIsValid(get_extension_oid("openinfo", true)) || get_rel_namespace(relid) != catalog_schema())
		return false;
	name = get_rel_name(relid);
	for (int i = 0; name != NULL && catalog_tables[i] != NULL; i++)
		if (strcmp(name, catalog_tables[i]) == 0)
			return true;
	return false;
}

/*
 * A valid, immediate unique index on these columns (one when the second is InvalidAttrNumber), or on these
 * and others, as the primary key of a shard is; InvalidOid: a scan reads the table.
 */
Oid
catalog_unique_index(Relation rel, AttrNumber first, AttrNumber second)
{
	List	 *indexes = RelationGetIndexList(rel);
	ListCell *lc;
	int		  ncolumns = second == InvalidAttrNumber ? 1 : 2;
	Oid		  result = InvalidOid;
	bool	  exact = false;

	foreach (lc, indexes)
	{
		HeapTuple	  tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			continue;
		index = (Form_pg_index) GETSTRUCT(tuple);
		if (index->indisvalid && index->indisunique && index->indimmediate &&
			index->indnkeyatts >= ncolumns && index->indkey.values[0] == first &&
			(ncolumns == 1 || index->indkey.values[1] == second) &&
			heap_attisnull(tuple, Anum_pg_index_indpred, NULL))
		{
			result = lfirst_oid(lc);
			exact = index->indnkeyatts == ncolumns;
		}
		ReleaseSysCache(tuple);
		if (exact)
			break;
	}
	list_free(indexes);
	return result;
}

/*
 * Does a table have a column?  Databases of an older version, which this library serves as well, may lack a
 * new one.
 */
bool
catalog_has_column(const char *table, const char *name)
{
	Oid relid = get_relname_relid(table, catalog_schema());

	return OidIsValid(relid) && get_attnum(relid, name) != InvalidAttrNumber;
}

/* Number of a column; an error when somebody has dropped it. */
AttrNumber
catalog_column(Oid relid, const char *name)
{
	AttrNumber attnum = get_attnum(relid, name);

	if (attnum == InvalidAttrNumber)
		error_missing_column(get_rel_name(relid), name);
	return attnum;
}

/* Table users. */
const UsersTable *
catalog_users(void)
{
	UsersTable found;
	Relation   rel;

	if (OidIsValid(users.relid))
		return &users;

	found.relid = catalog_table("users");
	rel = table_open(found.relid, AccessShareLock);
	found.id = catalog_column(found.relid, "id");
	found.workspace_id = catalog_column(found.relid, "workspace_id");
	found.auth_user_id = catalog_column(found.relid, "auth_user_id");
	found.role = catalog_column(found.relid, "role");
	found.created_at = catalog_column(found.relid, "created_at");
	found.created_by = catalog_column(found.relid, "created_by");
	found.plan = catalog_column(found.relid, "plan");
	found.daily_credits_used = catalog_column(found.relid, "daily_credits_used");
	found.daily_credit_limit = catalog_column(found.relid, "daily_credit_limit");
	found.credits_reset_on = catalog_column(found.relid, "credits_reset_on");
	found.id_index = catalog_unique_index(rel, found.id, InvalidAttrNumber);
	found.person_index = catalog_unique_index(rel, found.auth_user_id, found.workspace_id);
	table_close(rel, AccessShareLock);
	users = found;
	return &users;
}

/* A label of one of our enum types, as the Oid that is its value. */
Oid
catalog_enum(const char *type, const char *label)
{
	Oid typid = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(type),
								ObjectIdGetDatum(catalog_schema()));

	return GetSysCacheOid2(ENUMTYPOIDNAME, Anum_pg_enum_oid, ObjectIdGetDatum(typid), CStringGetDatum(label));
}

/*
 * Does a role work in every workspace?  service_role, roles that inherit from it, superusers, and roles with
 * BYPASSRLS.
 */
bool
catalog_is_service_role(Oid role)
{
	Oid service = get_role_oid("service_role", true);

	return superuser_arg(role) || has_bypassrls_privilege(role) ||
		   (OidIsValid(service) && has_privs_of_role(role, service));
}
