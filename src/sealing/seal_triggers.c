/*
 * seal_triggers.c
 *		What a row must not show: unpaid contacts and secrets of integrations.
 *
 * What is shown of an object and what is sealed is said in seals.c.
 *
 * A BEFORE trigger takes the sealed part out, so that neither the stored row nor RETURNING nor an error about the row
 * has it; an AFTER trigger, once the row is there, puts it into the sealed table.  Between the two it waits in memory,
 * by the row's id: a row that ON CONFLICT turns away never gets to the AFTER trigger and leaves nothing behind.
 *
 * Invariant: people_search_results.person_data holds no e-mail and no phone while email_revealed_at is null, and
 * integrations.config no secret at all.
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
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "sealing/seal_triggers.h"

/* ------------------------------------------------------------------------------------------------------------------
 * From the BEFORE trigger to the AFTER trigger
 * ------------------------------------------------------------------------------------------------------------------ */

typedef struct WaitingKey
{
	Oid		  relid;
	pg_uuid_t id;
} WaitingKey;

typedef struct Waiting
{
	WaitingKey key;
	Jsonb	  *sealed; /* NULL: whatever is sealed for the row is to go */
} Waiting;

/*
 * The last row that was offered to INSERT and has not arrived.  When ON CONFLICT DO UPDATE follows, this is EXCLUDED:
 * what was sealed from it belongs to the row that is updated instead.
 */
typedef struct Offered
{
	WaitingKey key;
	pg_uuid_t  workspace;
	CommandId  command; /* of the statement that offered it */
	Jsonb	  *shown;
	Jsonb	  *sealed; /* NULL: nothing was */
} Offered;

static HTAB	  *waiting = NULL;
static Offered offered;

static void
forget_waiting(XactEvent event, void *arg)
{
	/* the memory goes with the transaction */
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

/* Puts a copy that lives as long as the transaction in the place of another one; jsonb may be NULL. */
static void
keep_for_transaction(Jsonb **place, Jsonb *jsonb)
{
	Jsonb *before = *place;

	*place = jsonb ? memcpy(MemoryContextAlloc(TopTransactionContext, VARSIZE(jsonb)), jsonb, VARSIZE(jsonb)) : NULL;
	if (before)
		pfree(before);
}

static void
wait_for_row(const WaitingKey *key, Jsonb *sealed)
{
	Waiting *entry;
	bool	 found;

	if (waiting == NULL)
	{
		HASHCTL control = {0};

		control.keysize = sizeof(WaitingKey);
		control.entrysize = sizeof(Waiting);
		control.hcxt = TopTransactionContext;
		waiting = hash_create("openinfo sealed parts", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(waiting, key, HASH_ENTER, &found);
	if (!found)
		entry->sealed = NULL;
	keep_for_transaction(&entry->sealed, sealed);
}

static void
stop_waiting(const WaitingKey *key)
{
	Waiting *entry = waiting ? hash_search(waiting, key, HASH_REMOVE, NULL) : NULL;

	/* what was removed stays readable until the next one is entered */
	if (entry != NULL && entry->sealed != NULL)
		pfree(entry->sealed);
}

/* Tells the statements of a transaction apart: each one that writes runs in a snapshot of its own. */
static CommandId
current_statement(void)
{
	return ActiveSnapshotSet() ? GetActiveSnapshot()->curcid : InvalidCommandId;
}

/* ------------------------------------------------------------------------------------------------------------------
 * Triggers
 * ------------------------------------------------------------------------------------------------------------------ */

/* One table with sealed parts. */
typedef struct SealedTable
{
	const char *column;
	const Seal *seal;
	Statement	read;
	Statement	write;
	Statement	remove;
	Statement	find; /* in the table that is sealed */
} SealedTable;

static SealedTable contacts = {
	"person_data",
	&contact_seal,
	STATEMENT("SELECT sealed FROM @extschema@.sealed_contacts WHERE result_id = $1 AND workspace_id = $2", "uuid, uuid"),
	STATEMENT("INSERT INTO @extschema@.sealed_contacts (result_id, workspace_id, sealed) VALUES ($1, $2, $3)"
			  " ON CONFLICT (result_id, workspace_id) DO UPDATE SET sealed = EXCLUDED.sealed, sealed_at = now()",
			  "uuid, uuid, jsonb"),
	STATEMENT("DELETE FROM @extschema@.sealed_contacts WHERE result_id = $1 AND workspace_id = $2", "uuid, uuid"),
	STATEMENT("SELECT FROM @extschema@.people_search_results WHERE id = $1", "uuid"),
};

static SealedTable secrets = {
	"config",
	&secret_seal,
	STATEMENT("SELECT sealed FROM @extschema@.sealed_secrets WHERE integration_id = $1 AND workspace_id = $2", "uuid, uuid"),
	STATEMENT("INSERT INTO @extschema@.sealed_secrets (integration_id, workspace_id, sealed) VALUES ($1, $2, $3)"
			  " ON CONFLICT (integration_id, workspace_id) DO UPDATE SET sealed = EXCLUDED.sealed, sealed_at = now()",
			  "uuid, uuid, jsonb"),
	STATEMENT("DELETE FROM @extschema@.sealed_secrets WHERE integration_id = $1 AND workspace_id = $2", "uuid, uuid"),
	STATEMENT("SELECT FROM @extschema@.integrations WHERE id = $1", "uuid"),
};

static Datum
row_value(HeapTuple row, Relation rel, const char *name, bool *isnull)
{
	int attnum = SPI_fnumber(RelationGetDescr(rel), name);

	if (attnum <= 0)
		error_missing_column(RelationGetRelationName(rel), name);
	return heap_getattr(row, attnum, RelationGetDescr(rel), isnull);
}

/* A UUID of a row.  Zero when it is null, which a BEFORE trigger still sees: the constraint speaks after it. */
static pg_uuid_t
row_uuid(HeapTuple row, Relation rel, const char *name)
{
	bool	  isnull;
	Datum	  value = row_value(row, rel, name, &isnull);
	pg_uuid_t none = {{0}};

	return isnull ? none : *DatumGetUUIDP(value);
}

static void
row_key(HeapTuple row, Relation rel, WaitingKey *key)
{
	memset(key, 0, sizeof(*key));
	key->relid = RelationGetRelid(rel);
	key->id = row_uuid(row, rel, "id");
}

static HeapTuple
row_with(HeapTuple row, Relation rel, const char *name, Jsonb *jsonb)
{
	int	  attnum = SPI_fnumber(RelationGetDescr(rel), name);
	Datum value = JsonbPGetDatum(jsonb);
	bool  isnull = false;

	return heap_modify_tuple_by_cols(row, RelationGetDescr(rel), 1, &attnum, &value, &isnull);
}

/* In place of what is no object: the table's constraint refuses it too, and the error about it shows the row. */
static Jsonb *
no_object(void)
{
	JsonbValue null = {.type = jbvNull};

	return JsonbValueToJsonb(&null);
}

/* What is sealed for a row, or NULL. */
static Jsonb *
read_sealed(SealedTable *table, HeapTuple row, Relation rel)
{
	StatementScope scope;
	Datum		   values[2];
	bool		   isnull;
	Jsonb		  *sealed = NULL;

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
 * What was sealed from EXCLUDED, when this UPDATE is that of ON CONFLICT and takes over what EXCLUDED shows; NULL
 * otherwise.  A trigger is not told, and there are other ways to an UPDATE after an INSERT: the next statement of a
 * function, MERGE, a WITH.  In those the offered row either is in the table by now, or it was turned away for another
 * row than this one.
 */
static Jsonb *
take_offered(SealedTable *table, const TriggerData *trigger, Jsonb *whole)
{
	Relation   rel = trigger->tg_relation;
	HeapTuple  old_row = trigger->tg_trigtuple;
	WaitingKey key;
	pg_uuid_t  workspace;
	bool	   arrived = false;

	if (offered.sealed == NULL || offered.key.relid != RelationGetRelid(rel) || offered.command != current_statement() ||
		!bms_is_member(SPI_fnumber(RelationGetDescr(rel), table->column) - FirstLowInvalidHeapAttributeNumber, trigger->tg_updatedcols))
		return NULL;
	workspace = row_uuid(old_row, rel, "workspace_id");
	if (memcmp(&workspace, &offered.workspace, UUID_LEN) != 0 ||
		!DatumGetBool(DirectFunctionCall2(jsonb_contains, JsonbPGetDatum(whole), JsonbPGetDatum(offered.shown))))
		return NULL;
	row_key(old_row, rel, &key);
	if (memcmp(&key, &offered.key, sizeof(key)) != 0)
	{
		StatementScope scope;
		Datum		   id = UUIDPGetDatum(&offered.key.id);

		statement_begin(&scope);
		arrived = statement_run(&table->find, &id, NULL, false, 0) > 0;
		statement_end(&scope);
	}
	if (arrived)
		return NULL;
	stop_waiting(&offered.key);
	return offered.sealed;
}

static TriggerData *
seal_trigger(FunctionCallInfo fcinfo, bool before, const char *function)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ||
		TRIGGER_FIRED_BEFORE(trigger->tg_event) != before)
		error_not_trigger(function);
	return trigger;
}

/*
 * Splits the row's JSON, has the sealed part wait for the row, and returns the row without it.  whole: the JSON with
 * everything that belongs into it.
 */
static HeapTuple
seal_row(SealedTable *table, const TriggerData *trigger, HeapTuple row, Jsonb *whole, bool forget_if_none)
{
	Relation   rel = trigger->tg_relation;
	bool	   inserting = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	Jsonb	  *sealed;
	Jsonb	  *shown = sealing_split(table->seal, whole, &sealed);
	bool	   found = sealed != NULL;
	WaitingKey key;

	/* a phone that was sealed before an e-mail is found stays */
	if (sealed && !inserting && !forget_if_none)
	{
		Jsonb *before = read_sealed(table, trigger->tg_trigtuple, rel);

		if (before)
			sealed = sealing_merge(before, sealed);
	}

	row_key(row, rel, &key);
	if (sealed || forget_if_none)
		wait_for_row(&key, sealed);
	else
		stop_waiting(&key);
	if (inserting)
	{
		offered.key = key;
		offered.workspace = row_uuid(row, rel, "workspace_id");
		offered.command = current_statement();
		keep_for_transaction(&offered.shown, found ? shown : NULL);
		keep_for_transaction(&offered.sealed, sealed);
	}
	return found ? row_with(row, rel, table->column, shown) : row;
}

/* Puts what waits for the row into the sealed table. */
static Datum
keep_row(SealedTable *table, const TriggerData *trigger)
{
	HeapTuple	   row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	Relation	   rel = trigger->tg_relation;
	StatementScope scope;
	WaitingKey	   key;
	Waiting		  *entry;
	Datum		   values[3];
	bool		   isnull;

	if (waiting == NULL)
		return PointerGetDatum(NULL);
	row_key(row, rel, &key);
	entry = hash_search(waiting, &key, HASH_FIND, NULL);
	if (entry == NULL)
		return PointerGetDatum(NULL);

	values[0] = row_value(row, rel, "id", &isnull);
	values[1] = row_value(row, rel, "workspace_id", &isnull);
	statement_begin(&scope);
	if (entry->sealed)
	{
		values[2] = JsonbPGetDatum(entry->sealed);
		(void) statement_run(&table->write, values, NULL, false, 0);
	}
	else
		(void) statement_run(&table->remove, values, NULL, false, 0);
	statement_end(&scope);

	stop_waiting(&key);
	if (memcmp(&offered.key, &key, sizeof(key)) == 0)
		keep_for_transaction(&offered.sealed, NULL);
	return PointerGetDatum(NULL);
}

/*
 * seal_contact() returns trigger: BEFORE INSERT OR UPDATE ON people_search_results FOR EACH ROW
 *
 * Takes e-mails and phones out of person_data unless they are paid for (email_revealed_at is set), and puts them back
 * when they become so.
 * Errors: 42501 when somebody who is not the table's owner sets email_revealed_at on a row, or inserts one that has it:
 * that would be the e-mail without the credit.
 */
PG_FUNCTION_INFO_V1(openinfo_seal_contact);
Datum
openinfo_seal_contact(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = seal_trigger(fcinfo, true, "seal_contact");
	Relation	 rel = trigger->tg_relation;
	bool		 updating = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	 row = updating ? trigger->tg_newtuple : trigger->tg_trigtuple;
	Jsonb		*person, *before = NULL, *excluded = NULL;
	WaitingKey	 key;
	bool		 isnull, unpaid, was_unpaid = false;
	Datum		 value = row_value(row, rel, contacts.column, &isnull);

	if (isnull)
		return PointerGetDatum(row);
	person = DatumGetJsonbP(value);
	if (!JB_ROOT_IS_OBJECT(person))
		return PointerGetDatum(row_with(row, rel, contacts.column, no_object()));

	(void) row_value(row, rel, "email_revealed_at", &unpaid);
	if (updating)
	{
		(void) row_value(trigger->tg_trigtuple, rel, "email_revealed_at", &was_unpaid);
		excluded = take_offered(&contacts, trigger, person);
		if (excluded)
			person = sealing_merge(person, excluded);
	}

	if (!unpaid)
	{
		/* reveal_person_email() and a restore come here as the owner; whoever else may write the column, the backend too, pays */
		if ((was_unpaid || !updating) && !superuser_arg(GetUserId()) && !has_privs_of_role(GetUserId(), rel->rd_rel->relowner))
			error_unpaid_contact();
		row_key(row, rel, &key);
		if (was_unpaid)
		{
			before = read_sealed(&contacts, trigger->tg_trigtuple, rel);
			wait_for_row(&key, NULL);
		}
		else
			stop_waiting(&key);
		return PointerGetDatum(before || excluded ? row_with(row, rel, contacts.column, sealing_merge(person, before)) : row);
	}
	return PointerGetDatum(seal_row(&contacts, trigger, row, person, false));
}

/*
 * store_sealed_contact() returns trigger: AFTER INSERT OR UPDATE ON people_search_results FOR EACH ROW
 */
PG_FUNCTION_INFO_V1(openinfo_store_sealed_contact);
Datum
openinfo_store_sealed_contact(PG_FUNCTION_ARGS)
{
	return keep_row(&contacts, seal_trigger(fcinfo, false, "store_sealed_contact"));
}

/*
 * seal_secrets() returns trigger: BEFORE INSERT OR UPDATE ON integrations FOR EACH ROW
 *
 * Puts [REDACTED] in the place of each secret of config.  A placeholder that comes back in an UPDATE stands for the
 * secret that is sealed already, so that an admin may read a config, change the rest of it and write it.
 */
PG_FUNCTION_INFO_V1(openinfo_seal_secrets);
Datum
openinfo_seal_secrets(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = seal_trigger(fcinfo, true, "seal_secrets");
	Relation	 rel = trigger->tg_relation;
	bool		 updating = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	 row = updating ? trigger->tg_newtuple : trigger->tg_trigtuple;
	Jsonb		*config;
	WaitingKey	 key;
	bool		 isnull, was_null;
	Datum		 value = row_value(row, rel, secrets.column, &isnull);

	if (isnull)
		return PointerGetDatum(row);
	config = DatumGetJsonbP(value);
	if (!JB_ROOT_IS_OBJECT(config))
		return PointerGetDatum(row_with(row, rel, secrets.column, no_object()));
	if (updating)
	{
		Jsonb *excluded = take_offered(&secrets, trigger, config);
		Datum  before = row_value(trigger->tg_trigtuple, rel, secrets.column, &was_null);

		/* a counter, a status or an author changed: what is sealed stays as it is */
		if (excluded == NULL && !was_null && datum_image_eq(before, value, false, -1))
		{
			row_key(row, rel, &key);
			stop_waiting(&key);
			return PointerGetDatum(row);
		}
		config = sealing_fill(config, excluded);
		config = sealing_fill(config, read_sealed(&secrets, trigger->tg_trigtuple, rel));
	}
	return PointerGetDatum(seal_row(&secrets, trigger, row, config, updating));
}

/*
 * store_sealed_secrets() returns trigger: AFTER INSERT OR UPDATE ON integrations FOR EACH ROW
 */
PG_FUNCTION_INFO_V1(openinfo_store_sealed_secrets);
Datum
openinfo_store_sealed_secrets(PG_FUNCTION_ARGS)
{
	return keep_row(&secrets, seal_trigger(fcinfo, false, "store_sealed_secrets"));
}
