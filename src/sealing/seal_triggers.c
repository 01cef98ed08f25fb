/*
 * seal_triggers.c
 *		What a row must not show: unpaid contacts and secrets of integrations.
 *
 * A BEFORE trigger takes the sealed part out, so that neither the stored row nor RETURNING nor an error about
 * the row has it; an AFTER trigger, once the row is there, puts it into the sealed table.  Between the two it
 * waits in memory, by the row's id: a row that ON CONFLICT turns away never gets to the AFTER trigger and
 * leaves nothing behind.
 *
 * Invariant: people_search_results.person_data shows only what is visible (seal.c) while email_revealed_at is
 * null, and integrations.config always.
 */
#include "openinfo.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "core/errors.h"
#include "core/statement.h"
#include "sealing/seal.h"
#include "sealing/seal_triggers.h"

/* One table with sealed parts. */
typedef struct SealedTable
{
	const char *object; /* of visible_fields */
	const char *column;
	Statement	read;
	Statement	write;
	Statement	remove;
	Statement	find; /* in the table that is sealed */
} SealedTable;

/* clang-format off */
#define SEALED_STATEMENTS(table, sealed_table, id)                                                       \
	STATEMENT(                                                                                           \
		"SELECT sealed FROM @extschema@." sealed_table " WHERE " id " = $1 AND workspace_id = $2",       \
		"uuid, uuid"),                                                                                   \
	STATEMENT(                                                                                           \
		"INSERT INTO @extschema@." sealed_table " (" id ", workspace_id, sealed) VALUES ($1, $2, $3)"    \
		" ON CONFLICT (" id ", workspace_id) DO UPDATE"                                                      \
		"   SET sealed = EXCLUDED.sealed, sealed_at = EXCLUDED.sealed_at", \
		"uuid, uuid, jsonb"),                                                                            \
	STATEMENT(                                                                                           \
		"DELETE FROM @extschema@." sealed_table " WHERE " id " = $1 AND workspace_id = $2",              \
		"uuid, uuid"),                                                                                   \
	STATEMENT(                                                                                           \
		"SELECT FROM @extschema@." table " WHERE id = $1 AND workspace_id = $2",                         \
		"uuid, uuid")
/* clang-format on */

static SealedTable contacts = {
	"person", "person_data",
	SEALED_STATEMENTS("people_search_results", "sealed_contacts", "result_id")};

static SealedTable secrets = {
	"integration", "config",
	SEALED_STATEMENTS("integrations", "sealed_secrets", "integration_id")};

/* While reseal() runs, an UPDATE splits each row anew and skips those that stay as they are. */
bool seal_triggers_resealing = false;

/* ----------------------------------------------------------------------------------------------------------
 * Rows
 * -------------------------------------------------------------------------------------------------------- */

static Datum
row_value(HeapTuple row, Relation rel, const char *name, bool *isnull)
{
	int attnum = SPI_fnumber(RelationGetDescr(rel), name);

	if (attnum <= 0)
		error_missing_column(RelationGetRelationName(rel), name);
	return heap_getattr(row, attnum, RelationGetDescr(rel), isnull);
}

/*
 * A UUID of a row.  Zero when it is null, which a BEFORE trigger still sees: the constraint raises the error
 * after it.
 */
static pg_uuid_t
row_uuid(HeapTuple row, Relation rel, const char *name)
{
	bool	  isnull;
	Datum	  value = row_value(row, rel, name, &isnull);
	pg_uuid_t none = {{0}};

	return isnull ? none : *DatumGetUUIDP(value);
}

static HeapTuple
row_with(HeapTuple row, Relation rel, const char *name, Jsonb *jsonb)
{
	int	  attnum = SPI_fnumber(RelationGetDescr(rel), name);
	Datum value = JsonbPGetDatum(jsonb);
	bool  isnull = false;

	return heap_modify_tuple_by_cols(row, RelationGetDescr(rel), 1, &attnum, &value, &isnull);
}

/*
 * In place of what is no object: the table's constraint refuses it too, and the error about it shows the row.
 */
static Jsonb *
no_object(void)
{
	JsonbValue null = {.type = jbvNull};

	return JsonbValueToJsonb(&null);
}

/* ----------------------------------------------------------------------------------------------------------
 * From the BEFORE trigger to the AFTER trigger
 * -------------------------------------------------------------------------------------------------------- */

/* Tells the statements of a transaction apart: each one that writes runs in a snapshot of its own. */
static CommandId
current_statement(void)
{
	return ActiveSnapshotSet() ? GetActiveSnapshot()->curcid : InvalidCommandId;
}

typedef struct WaitingKey
{
	Oid		  relid;
	pg_uuid_t id;
} WaitingKey;

typedef struct Waiting
{
	WaitingKey key;
	CommandId  command; /* of the statement that writes the row */
	Jsonb	  *sealed;	/* NULL: whatever is sealed for the row is to be deleted */
} Waiting;

static HTAB *waiting = NULL;

/*
 * The last row that was offered to INSERT.  When ON CONFLICT DO UPDATE follows, this is EXCLUDED: what waits
 * for it belongs to the row that is updated instead.
 */
static struct
{
	WaitingKey key;
	pg_uuid_t  workspace;
	CommandId  command; /* of the statement that offered it */
} offered;

static void
forget_waiting(XactEvent event, void *arg)
{
	/* the memory is freed with the transaction */
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
	{
		waiting = NULL;
		memset(&offered, 0, sizeof(offered));
	}
}

void
seal_triggers_init(void)
{
	RegisterXactCallback(forget_waiting, NULL);
}

static WaitingKey
row_key(HeapTuple row, Relation rel)
{
	WaitingKey key;

	memset(&key, 0, sizeof(key));
	key.relid = RelationGetRelid(rel);
	key.id = row_uuid(row, rel, "id");
	return key;
}

static Waiting *
find_waiting(const WaitingKey *key)
{
	return waiting ? hash_search(waiting, key, HASH_FIND, NULL) : NULL;
}

static void
stop_waiting(const WaitingKey *key)
{
	Waiting *entry = find_waiting(key);

	if (entry == NULL)
		return;
	if (entry->sealed != NULL)
		pfree(entry->sealed);
	(void) hash_search(waiting, key, HASH_REMOVE, NULL);
}

/* sealed may be NULL. */
static void
wait_for_row(const WaitingKey *key, const Jsonb *sealed)
{
	HASHCTL	 control = {.keysize = sizeof(WaitingKey), .entrysize = sizeof(Waiting)};
	Waiting *entry;
	Jsonb	*copy = NULL;

	control.hcxt = TopTransactionContext;
	if (waiting == NULL)
		waiting = hash_create("openinfo sealed parts", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	stop_waiting(key);
	if (sealed != NULL)
		copy = memcpy(MemoryContextAlloc(TopTransactionContext, VARSIZE(sealed)), sealed, VARSIZE(sealed));
	entry = hash_search(waiting, key, HASH_ENTER, NULL);
	entry->command = current_statement();
	entry->sealed = copy;
}

/*
 * What is sealed for a row, or NULL.  It still waits when another AFTER trigger of the statement that wrote
 * the row updates it.
 */
static Jsonb *
read_sealed(SealedTable *table, HeapTuple row, Relation rel)
{
	WaitingKey	   key = row_key(row, rel);
	Waiting		  *entry = find_waiting(&key);
	StatementScope scope;
	Datum		   values[2];
	bool		   isnull;
	Jsonb		  *sealed = NULL;

	if (entry != NULL && TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(row->t_data)) &&
		HeapTupleHeaderGetCmin(row->t_data) == entry->command)
		return entry->sealed;
	values[0] = row_value(row, rel, "id", &isnull);
	values[1] = row_value(row, rel, "workspace_id", &isnull);
	statement_begin(&scope);
	if (statement_run(&table->read, values, NULL, false, 0) > 0)
	{
		Jsonb *found = DatumGetJsonbP(statement_value(1, &isnull));

		sealed = memcpy(SPI_palloc(VARSIZE(found)), found, VARSIZE(found));
	}
	statement_end(&scope);
	return sealed;
}

/*
 * What was sealed from EXCLUDED, when this UPDATE is that of ON CONFLICT and writes the column; NULL
 * otherwise.  A trigger is not told, and there are other ways to an UPDATE after an INSERT: the next
 * statement of a function, MERGE, a WITH.  In those the offered row either is in the table by now, or it was
 * turned away for another row than this one.
 */
static Jsonb *
offered_part(SealedTable *table, const TriggerData *trigger)
{
	Relation   rel = trigger->tg_relation;
	WaitingKey key = row_key(trigger->tg_trigtuple, rel);
	Waiting	  *entry = find_waiting(&offered.key);
	pg_uuid_t  workspace = row_uuid(trigger->tg_trigtuple, rel, "workspace_id");
	int		   attnum = SPI_fnumber(RelationGetDescr(rel), table->column);
	bool	   arrived = false;

	if (entry == NULL || offered.key.relid != key.relid || offered.command != current_statement() ||
		memcmp(&workspace, &offered.workspace, UUID_LEN) != 0 ||
		!bms_is_member(attnum - FirstLowInvalidHeapAttributeNumber, trigger->tg_updatedcols))
		return NULL;
	if (memcmp(&key, &offered.key, sizeof(key)) != 0)
	{
		StatementScope scope;
		Datum		   values[] = {UUIDPGetDatum(&offered.key.id), UUIDPGetDatum(&offered.workspace)};

		statement_begin(&scope);
		arrived = statement_run(&table->find, values, NULL, false, 0) > 0;
		statement_end(&scope);
	}
	return arrived ? NULL : entry->sealed;
}

/* ----------------------------------------------------------------------------------------------------------
 * Triggers
 * -------------------------------------------------------------------------------------------------------- */

static TriggerData *
seal_trigger(FunctionCallInfo fcinfo, bool before, const char *function)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event) || TRIGGER_FIRED_BEFORE(trigger->tg_event) != before)
		error_not_trigger(function);
	return trigger;
}

/*
 * The BEFORE trigger.  Restores what belongs into the row's JSON, splits it, has the sealed part wait for the
 * row, and returns the row without it.  open, was_open: nothing is sealed of the row, and nothing was before
 * the UPDATE.
 */
static Datum
seal_row(SealedTable *table, FunctionCallInfo fcinfo, bool open, bool was_open)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	Relation	 rel = trigger->tg_relation;
	bool		 updating = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	 row = updating ? trigger->tg_newtuple : trigger->tg_trigtuple;
	WaitingKey	 key = row_key(row, rel);
	bool		 isnull, was_null;
	Datum		 value = row_value(row, rel, table->column, &isnull);
	Jsonb		*whole, *shown, *sealed = NULL;
	Waiting		*entry;

	const VisibleFields *fields = visible_fields(table->object);

	if (isnull)
		return PointerGetDatum(row);
	whole = DatumGetJsonbP(value);
	if (!JB_ROOT_IS_OBJECT(whole))
		return PointerGetDatum(row_with(row, rel, table->column, no_object()));

	if (updating)
	{
		Jsonb *excluded = offered_part(table, trigger);
		Datum  before = row_value(trigger->tg_trigtuple, rel, table->column, &was_null);

		/* a counter, a status or an author changed: what is sealed stays as it is */
		if (excluded == NULL && open == was_open && !seal_triggers_resealing && !was_null &&
			datum_image_eq(before, value, false, -1))
		{
			stop_waiting(&key);
			return PointerGetDatum(row);
		}
		whole = seal_restore(whole, whole, excluded, fields->placeholders);
		if (excluded != NULL)
			stop_waiting(&offered.key);
		if (!was_open && !was_null)
			whole = seal_restore(whole, DatumGetJsonbP(before),
								 read_sealed(table, trigger->tg_trigtuple, rel), fields->placeholders);
	}

	shown = whole;
	if (!open)
		shown = seal_split(fields, whole, &sealed);
	if (seal_triggers_resealing && updating &&
		compareJsonbContainers(&shown->root, &DatumGetJsonbP(value)->root) == 0)
		return PointerGetDatum(NULL);
	entry = updating ? NULL : find_waiting(&key);
	if (entry != NULL && entry->command == current_statement())
		; /* the statement has offered this row before: it keeps the first one */
	else if (sealed != NULL || !updating || !was_open)
		wait_for_row(&key, sealed);
	else
		stop_waiting(&key);
	if (!updating)
	{
		offered.key = key;
		offered.workspace = row_uuid(row, rel, "workspace_id");
		offered.command = current_statement();
	}
	return PointerGetDatum(shown == DatumGetJsonbP(value) ? row : row_with(row, rel, table->column, shown));
}

/* The AFTER trigger.  Puts what waits for the row into the sealed table. */
static Datum
store_sealed(SealedTable *table, const TriggerData *trigger)
{
	bool		   updating = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	   row = updating ? trigger->tg_newtuple : trigger->tg_trigtuple;
	Relation	   rel = trigger->tg_relation;
	StatementScope scope;
	WaitingKey	   key;
	Waiting		  *entry;
	Datum		   values[3];
	bool		   isnull;

	key = row_key(row, rel);
	entry = find_waiting(&key);
	if (entry == NULL)
		return PointerGetDatum(NULL);

	values[0] = row_value(row, rel, "id", &isnull);
	values[1] = row_value(row, rel, "workspace_id", &isnull);
	values[2] = PointerGetDatum(entry->sealed);
	if (entry->sealed != NULL || updating)
	{
		statement_begin(&scope);
		(void) statement_run(entry->sealed ? &table->write : &table->remove, values, NULL, false, 0);
		statement_end(&scope);
	}

	stop_waiting(&key);
	return PointerGetDatum(NULL);
}

/*
 * seal_contact() returns trigger: BEFORE INSERT OR UPDATE ON people_search_results FOR EACH ROW
 *
 * Takes out of person_data what is not visible, unless it is paid for (email_revealed_at is set), and puts it
 * back when it becomes so. Errors: 42501 when a role that does not own the table sets email_revealed_at on a
 * row, or inserts one that has it: that would be the e-mail without the credit.
 */
PG_FUNCTION_INFO_V1(openinfo_seal_contact);
Datum
openinfo_seal_contact(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = seal_trigger(fcinfo, true, "seal_contact");
	Relation	 rel = trigger->tg_relation;
	bool		 updating = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	bool		 unpaid, was_unpaid = true;
	HeapTuple	 row = updating ? trigger->tg_newtuple : trigger->tg_trigtuple;

	(void) row_value(row, rel, "email_revealed_at", &unpaid);
	if (updating)
		(void) row_value(trigger->tg_trigtuple, rel, "email_revealed_at", &was_unpaid);
	/*
	 * reveal_person_email() and a restore work as the owner; any other role that may write the column has not
	 * paid
	 */
	if (!unpaid && was_unpaid && !superuser_arg(GetUserId()) &&
		!has_privs_of_role(GetUserId(), rel->rd_rel->relowner))
		error_unpaid_contact();
	return seal_row(&contacts, fcinfo, !unpaid, !was_unpaid);
}

/*
 * store_sealed_contact() returns trigger: AFTER INSERT OR UPDATE ON people_search_results FOR EACH ROW
 */
PG_FUNCTION_INFO_V1(openinfo_store_sealed_contact);
Datum
openinfo_store_sealed_contact(PG_FUNCTION_ARGS)
{
	return store_sealed(&contacts, seal_trigger(fcinfo, false, "store_sealed_contact"));
}

/*
 * seal_secrets() returns trigger: BEFORE INSERT OR UPDATE ON integrations FOR EACH ROW
 *
 * Puts [REDACTED] in the place of each value of config that is not visible.  In an UPDATE a placeholder means
 * the value that is sealed, so that an admin may read a config, change the rest of it and write it.
 */
PG_FUNCTION_INFO_V1(openinfo_seal_secrets);
Datum
openinfo_seal_secrets(PG_FUNCTION_ARGS)
{
	(void) seal_trigger(fcinfo, true, "seal_secrets");
	return seal_row(&secrets, fcinfo, false, false);
}

/*
 * store_sealed_secrets() returns trigger: AFTER INSERT OR UPDATE ON integrations FOR EACH ROW
 */
PG_FUNCTION_INFO_V1(openinfo_store_sealed_secrets);
Datum
openinfo_store_sealed_secrets(PG_FUNCTION_ARGS)
{
	return store_sealed(&secrets, seal_trigger(fcinfo, false, "store_sealed_secrets"));
}
