/*
 * sealing.c
 *		What a row must not show: unpaid contacts and secrets of integrations.
 *
 *	shown	what stays in the row
 *	sealed	what was taken out: the same nesting, with nothing in it but what the row must not show
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
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/uuid.h"

#include "catalog.h"
#include "plans.h"
#include "refuse.h"
#include "sealing.h"

/* ------------------------------------------------------------------------------------------------------------------
 * What is sealed
 * ------------------------------------------------------------------------------------------------------------------ */

/* A kind of sealing: which keys and which strings, and whether a placeholder stays. */
typedef struct Seal
{
	bool (*key)(const char *name);				/* name: lower case, letters and digits only */
	bool (*string)(const char *string, int length);
	bool leaves_placeholder;
} Seal;

static bool
name_has(const char *name, const char *const *parts)
{
	for (; *parts; parts++)
		if (strstr(name, *parts))
			return true;
	return false;
}

static bool
name_is(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static bool
name_ends(const char *name, const char *end)
{
	size_t length = strlen(name), end_length = strlen(end);

	return length >= end_length && strcmp(name + length - end_length, end) == 0;
}

static bool
contact_key(const char *name)
{
	static const char *const parts[] = {"email", "phone", "mobile", "whatsapp", "telefon", "faxnumber", NULL};
	static const char *const names[] = {"tel", "telno", "telnumber", "cell", "fax", "mails", NULL};

	return name_has(name, parts) || name_is(name, names) || name_ends(name, "mail");
}

static bool
address_char(char c)
{
	return IS_HIGHBIT_SET(c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		   (c != '\0' && strchr(".!#$%&'*+/=?^_`{|}~-\"", c) != NULL);
}

/* An e-mail address anywhere in the text, or a phone number in international form that is all of it. */
static bool
contact_string(const char *string, int length)
{
	int digits = 0;

	for (int i = 1; i + 1 < length; i++)
		if (string[i] == '@' && address_char(string[i - 1]) && address_char(string[i + 1]))
			return true;

	if (length > 0 && string[0] == '+')
	{
		for (int i = 1; i < length; i++)
		{
			if (string[i] >= '0' && string[i] <= '9')
				digits++;
			else if (strchr(" ()-./", string[i]) == NULL)
				return false;
		}
		return digits >= 7;
	}
	return length > 4 && pg_strncasecmp(string, "tel:", 4) == 0;
}

static bool
secret_key(const char *name)
{
	static const char *const parts[] = {"secret", "token", "password", "passwd", "passphrase", "apikey", "privatekey", "accesskey",
										"signingkey", "encryptionkey", "credential", "authorization", "bearer", "webhook", "hookurl",
										"cookie", "connectionstring", NULL};
	static const char *const names[] = {"key", "auth", "pass", "pwd", "dsn", "sessionid", NULL};

	return name_has(name, parts) || name_is(name, names);
}

/* A URL that carries a password, or that is itself the secret, as those of incoming webhooks are. */
static bool
secret_string(const char *string, int length)
{
	char *copy = pnstrdup(string, length);
	char *host, *end, *at;
	bool  result;

	host = strstr(copy, "://");
	if (host == NULL)
		return false;
	host += 3;
	end = host + strcspn(host, "/?#");
	at = memchr(host, '@', end - host);
	result = at != NULL || pg_strncasecmp(host, "hooks.", 6) == 0;
	pfree(copy);
	return result;
}

static const Seal contact_seal = {contact_key, contact_string, false};
static const Seal secret_seal = {secret_key, secret_string, true};

/* ------------------------------------------------------------------------------------------------------------------
 * Taking JSON apart and putting it together
 * ------------------------------------------------------------------------------------------------------------------ */

/* A key as Seal.key wants it: E_Mail and e-mail are one. */
static char *
plain_name(const JsonbValue *key)
{
	char *name = palloc(key->val.string.len + 1);
	int	  length = 0;

	for (int i = 0; i < key->val.string.len; i++)
	{
		unsigned char c = pg_ascii_tolower((unsigned char) key->val.string.val[i]);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || IS_HIGHBIT_SET(c))
			name[length++] = c;
	}
	name[length] = '\0';
	return name;
}

static void
string_value(JsonbValue *value, const char *string)
{
	value->type = jbvString;
	value->val.string.val = (char *) string;
	value->val.string.len = strlen(string);
}

static bool
is_container(const JsonbValue *value)
{
	return value->type == jbvBinary;
}

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

static bool
is_string(const JsonbValue *value, const char *string)
{
	return value->type == jbvString && value->val.string.len == strlen(string) && memcmp(value->val.string.val, string, strlen(string)) == 0;
}

static void
root_value(Jsonb *jsonb, JsonbValue *value)
{
	value->type = jbvBinary;
	value->val.binary.data = &jsonb->root;
	value->val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
}

/* Null and boolean say nothing of what they stand for. */
static bool
is_silent(const JsonbValue *value)
{
	return value->type == jbvNull || value->type == jbvBool;
}

/*
 * Splits a container into what is shown and what is sealed.  *sealed is NULL when nothing had to be.
 *
 * An array that has something to seal is sealed whole, and shown without it: its elements have no names by which they
 * could be put back.
 */
static JsonbValue *
split(const Seal *seal, const JsonbValue *value, int depth, JsonbValue **sealed)
{
	JsonbIterator	  *it = JsonbIteratorInit(value->val.binary.data);
	JsonbParseState	  *shown_state = NULL, *sealed_state = NULL;
	JsonbIteratorToken token;
	JsonbValue		   key, item;
	JsonbValue		  *shown = NULL;
	bool			   object = is_object(value);
	bool			   found = false;

	check_stack_depth();

	(void) JsonbIteratorNext(&it, &item, false);
	(void) pushJsonbValue(&shown_state, object ? WJB_BEGIN_OBJECT : WJB_BEGIN_ARRAY, NULL);
	if (object)
		(void) pushJsonbValue(&sealed_state, WJB_BEGIN_OBJECT, NULL);

	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_END_OBJECT && token != WJB_END_ARRAY)
	{
		JsonbValue *keep = &item, *take = NULL;
		JsonbValue	placeholder;

		if (token == WJB_KEY)
		{
			key = item;
			(void) JsonbIteratorNext(&it, &item, true);

			/* a key can itself be the address */
			if ((seal->key(plain_name(&key)) && !is_silent(&item)) || seal->string(key.val.string.val, key.val.string.len))
				take = &item;
		}
		if (take == NULL && item.type == jbvString && seal->string(item.val.string.val, item.val.string.len))
			take = &item;

		if (take != NULL)
		{
			keep = NULL;
			if (seal->leaves_placeholder)
				string_value(keep = &placeholder, SEALING_REDACTED);
			else if (depth == 0 && object && is_string(&key, "full_name"))
				string_value(keep = &placeholder, SEALING_HIDDEN);
		}
		else if (is_container(&item))
			keep = split(seal, &item, depth + 1, &take);

		if (keep != NULL)
		{
			if (object)
				(void) pushJsonbValue(&shown_state, WJB_KEY, &key);
			(void) pushJsonbValue(&shown_state, object ? WJB_VALUE : WJB_ELEM, keep);
		}
		if (take != NULL)
		{
			found = true;
			if (object)
			{
				(void) pushJsonbValue(&sealed_state, WJB_KEY, &key);
				(void) pushJsonbValue(&sealed_state, WJB_VALUE, take);
			}
		}
	}

	shown = pushJsonbValue(&shown_state, object ? WJB_END_OBJECT : WJB_END_ARRAY, NULL);
	*sealed = NULL;
	if (found)
		*sealed = object ? pushJsonbValue(&sealed_state, WJB_END_OBJECT, NULL) : (JsonbValue *) memcpy(palloc(sizeof(JsonbValue)), value, sizeof(JsonbValue));
	return shown;
}

/* The member of an object by key, or NULL. */
static JsonbValue *
member(const JsonbValue *object, const JsonbValue *key)
{
	return getKeyJsonValueFromContainer(object->val.binary.data, key->val.string.val, key->val.string.len, NULL);
}

/*
 * Puts sealed values back.  only_placeholders: just where the shown value is a placeholder (a config that an admin
 * edited); else all of them, also where nothing is shown (a contact that was paid for).
 */
static JsonbValue *
join(const JsonbValue *shown, const JsonbValue *sealed, bool only_placeholders)
{
	JsonbIterator	  *it = JsonbIteratorInit(shown->val.binary.data);
	JsonbParseState	  *state = NULL;
	JsonbIteratorToken token;
	JsonbValue		   key, item;

	check_stack_depth();

	(void) JsonbIteratorNext(&it, &item, false);
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	while ((token = JsonbIteratorNext(&it, &item, true)) == WJB_KEY)
	{
		JsonbValue *other;

		key = item;
		(void) JsonbIteratorNext(&it, &item, true);
		(void) pushJsonbValue(&state, WJB_KEY, &key);
		other = member(sealed, &key);
		if (other != NULL && is_object(&item) && is_object(other))
			(void) pushJsonbValue(&state, WJB_VALUE, join(&item, other, only_placeholders));
		else if (other != NULL && (!only_placeholders || is_string(&item, SEALING_REDACTED) || (is_container(&item) && !is_object(&item))))
			(void) pushJsonbValue(&state, WJB_VALUE, other);
		else
			(void) pushJsonbValue(&state, WJB_VALUE, &item);
	}

	if (!only_placeholders)
	{
		it = JsonbIteratorInit(sealed->val.binary.data);
		(void) JsonbIteratorNext(&it, &item, false);
		while ((token = JsonbIteratorNext(&it, &item, true)) == WJB_KEY)
		{
			key = item;
			(void) JsonbIteratorNext(&it, &item, true);
			if (member(shown, &key) == NULL)
			{
				(void) pushJsonbValue(&state, WJB_KEY, &key);
				(void) pushJsonbValue(&state, WJB_VALUE, &item);
			}
		}
	}
	return pushJsonbValue(&state, WJB_END_OBJECT, NULL);
}

static Jsonb *
join_root(Jsonb *shown, Jsonb *sealed, bool only_placeholders)
{
	JsonbValue a, b;

	if (sealed == NULL || !JB_ROOT_IS_OBJECT(shown) || !JB_ROOT_IS_OBJECT(sealed))
		return shown;
	root_value(shown, &a);
	root_value(sealed, &b);
	return JsonbValueToJsonb(join(&a, &b, only_placeholders));
}

/* shown, with sealed values in place of placeholders; no key is added */
Jsonb *
sealing_fill(Jsonb *shown, Jsonb *sealed)
{
	return join_root(shown, sealed, true);
}

/* shown and sealed together; where both have something, sealed counts */
Jsonb *
sealing_merge(Jsonb *shown, Jsonb *sealed)
{
	return join_root(shown, sealed, false);
}

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
	WaitingKey	key;
	TimestampTz statement;
	Jsonb	   *sealed;
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
sealing_init(void)
{
	RegisterXactCallback(forget_waiting, NULL);
}

static Jsonb *
keep_for_transaction(Jsonb *jsonb)
{
	if (jsonb == NULL)
		return NULL;
	return memcpy(MemoryContextAlloc(TopTransactionContext, VARSIZE(jsonb)), jsonb, VARSIZE(jsonb));
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
	entry->sealed = keep_for_transaction(sealed);
}

static void
stop_waiting(const WaitingKey *key)
{
	if (waiting)
		(void) hash_search(waiting, key, HASH_REMOVE, NULL);
}

/* What was sealed from EXCLUDED, when this UPDATE is that of ON CONFLICT; NULL otherwise. */
static Jsonb *
take_offered(Oid relid)
{
	if (offered.sealed == NULL || offered.key.relid != relid || offered.statement != GetCurrentStatementStartTimestamp())
		return NULL;
	stop_waiting(&offered.key);
	return offered.sealed;
}

/* ------------------------------------------------------------------------------------------------------------------
 * Triggers
 * ------------------------------------------------------------------------------------------------------------------ */

/* One table with sealed parts. */
typedef struct SealedTable
{
	const char *column;
	const Seal *seal;
	KeptPlan	read;
	KeptPlan	write;
	KeptPlan	remove;
} SealedTable;

static SealedTable contacts = {
	"person_data", &contact_seal,
	KEPT_PLAN("SELECT sealed FROM @extschema@.sealed_contacts WHERE result_id = $1 AND workspace_id = $2", "uuid, uuid"),
	KEPT_PLAN("INSERT INTO @extschema@.sealed_contacts (result_id, workspace_id, sealed) VALUES ($1, $2, $3)"
	 " ON CONFLICT (result_id, workspace_id) DO UPDATE SET sealed = EXCLUDED.sealed, sealed_at = now()",
	 "uuid, uuid, jsonb"),
	KEPT_PLAN("DELETE FROM @extschema@.sealed_contacts WHERE result_id = $1 AND workspace_id = $2", "uuid, uuid"),
};

static SealedTable secrets = {
	"config", &secret_seal,
	KEPT_PLAN("SELECT sealed FROM @extschema@.sealed_secrets WHERE integration_id = $1 AND workspace_id = $2", "uuid, uuid"),
	KEPT_PLAN("INSERT INTO @extschema@.sealed_secrets (integration_id, workspace_id, sealed) VALUES ($1, $2, $3)"
	 " ON CONFLICT (integration_id, workspace_id) DO UPDATE SET sealed = EXCLUDED.sealed, sealed_at = now()",
	 "uuid, uuid, jsonb"),
	KEPT_PLAN("DELETE FROM @extschema@.sealed_secrets WHERE integration_id = $1 AND workspace_id = $2", "uuid, uuid"),
};

static Datum
row_value(HeapTuple row, Relation rel, const char *name, bool *isnull)
{
	int attnum = SPI_fnumber(RelationGetDescr(rel), name);

	if (attnum <= 0)
		refuse_missing_column(RelationGetRelationName(rel), name);
	return heap_getattr(row, attnum, RelationGetDescr(rel), isnull);
}

static void
row_key(HeapTuple row, Relation rel, WaitingKey *key)
{
	bool isnull;

	memset(key, 0, sizeof(*key));
	key->relid = RelationGetRelid(rel);
	key->id = *DatumGetUUIDP(row_value(row, rel, "id", &isnull));
}

static HeapTuple
row_with(HeapTuple row, Relation rel, const char *name, Jsonb *jsonb)
{
	int	  attnum = SPI_fnumber(RelationGetDescr(rel), name);
	Datum value = JsonbPGetDatum(jsonb);
	bool  isnull = false;

	return heap_modify_tuple_by_cols(row, RelationGetDescr(rel), 1, &attnum, &value, &isnull);
}

/* What is sealed for a row, or NULL. */
static Jsonb *
read_sealed(SealedTable *table, HeapTuple row, Relation rel)
{
	PlanScope scope;
	Datum	  values[2];
	bool	  isnull;
	Jsonb	 *sealed = NULL;

	values[0] = row_value(row, rel, "id", &isnull);
	values[1] = row_value(row, rel, "workspace_id", &isnull);
	plans_begin(&scope);
	if (plans_run(&table->read, values, NULL, false, 0) > 0)
	{
		Jsonb *found = DatumGetJsonbP(plans_value(1, &isnull));

		sealed = memcpy(SPI_palloc(VARSIZE(found)), found, VARSIZE(found));
	}
	plans_end(&scope);
	return sealed;
}

static TriggerData *
seal_trigger(FunctionCallInfo fcinfo, bool before, const char *function)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ||
		TRIGGER_FIRED_BEFORE(trigger->tg_event) != before)
		refuse_not_trigger(function);
	return trigger;
}

/*
 * Splits the row's JSON, has the sealed part wait for the row, and returns the row without it.  whole: the JSON with
 * everything that belongs into it.
 */
static HeapTuple
seal_row(SealedTable *table, const TriggerData *trigger, HeapTuple row, Jsonb *whole, bool forget_if_none)
{
	Relation	rel = trigger->tg_relation;
	bool		inserting = TRIGGER_FIRED_BY_INSERT(trigger->tg_event);
	JsonbValue	value;
	JsonbValue *shown, *sealed = NULL;
	Jsonb	   *sealed_jsonb = NULL;
	WaitingKey	key;

	root_value(whole, &value);
	shown = split(table->seal, &value, 0, &sealed);
	if (sealed)
		sealed_jsonb = JsonbValueToJsonb(sealed);

	row_key(row, rel, &key);
	if (sealed_jsonb || forget_if_none)
		wait_for_row(&key, sealed_jsonb);
	else
		stop_waiting(&key);
	if (inserting)
	{
		offered.key = key;
		offered.statement = GetCurrentStatementStartTimestamp();
		offered.sealed = keep_for_transaction(sealed_jsonb);
	}
	return sealed ? row_with(row, rel, table->column, JsonbValueToJsonb(shown)) : row;
}

/* Puts what waits for the row into the sealed table. */
static Datum
keep_row(SealedTable *table, const TriggerData *trigger)
{
	HeapTuple  row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	Relation   rel = trigger->tg_relation;
	PlanScope  scope;
	WaitingKey key;
	Waiting	  *entry;
	Datum	   values[3];
	bool	   isnull;

	if (waiting == NULL)
		return PointerGetDatum(NULL);
	row_key(row, rel, &key);
	entry = hash_search(waiting, &key, HASH_FIND, NULL);
	if (entry == NULL)
		return PointerGetDatum(NULL);

	values[0] = row_value(row, rel, "id", &isnull);
	values[1] = row_value(row, rel, "workspace_id", &isnull);
	plans_begin(&scope);
	if (entry->sealed)
	{
		values[2] = JsonbPGetDatum(entry->sealed);
		(void) plans_run(&table->write, values, NULL, false, 0);
	}
	else
		(void) plans_run(&table->remove, values, NULL, false, 0);
	plans_end(&scope);

	stop_waiting(&key);
	if (memcmp(&offered.key, &key, sizeof(key)) == 0)
		offered.sealed = NULL;
	return PointerGetDatum(NULL);
}

/*
 * seal_contact() returns trigger: BEFORE INSERT OR UPDATE ON people_search_results FOR EACH ROW
 *
 * Takes e-mails and phones out of person_data unless they are paid for (email_revealed_at is set), and puts them back
 * when they become so.  What is no object is left to the table's constraint.
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
		return PointerGetDatum(row);

	(void) row_value(row, rel, "email_revealed_at", &unpaid);
	if (updating)
	{
		(void) row_value(trigger->tg_trigtuple, rel, "email_revealed_at", &was_unpaid);
		excluded = take_offered(RelationGetRelid(rel));
		if (excluded)
			person = sealing_merge(person, excluded);
	}

	if (!unpaid)
	{
		if (was_unpaid)
		{
			before = read_sealed(&contacts, trigger->tg_trigtuple, rel);
			row_key(row, rel, &key);
			wait_for_row(&key, NULL);
		}
		return PointerGetDatum(before || excluded ? row_with(row, rel, contacts.column, sealing_merge(person, before)) : row);
	}
	return PointerGetDatum(seal_row(&contacts, trigger, row, person, false));
}

/*
 * keep_sealed_contact() returns trigger: AFTER INSERT OR UPDATE ON people_search_results FOR EACH ROW
 */
PG_FUNCTION_INFO_V1(openinfo_keep_sealed_contact);
Datum
openinfo_keep_sealed_contact(PG_FUNCTION_ARGS)
{
	return keep_row(&contacts, seal_trigger(fcinfo, false, "keep_sealed_contact"));
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
	bool		 isnull;
	Datum		 value = row_value(row, rel, secrets.column, &isnull);

	if (isnull)
		return PointerGetDatum(row);
	config = DatumGetJsonbP(value);
	if (!JB_ROOT_IS_OBJECT(config))
		return PointerGetDatum(row);
	if (updating)
	{
		config = sealing_fill(config, take_offered(RelationGetRelid(rel)));
		config = sealing_fill(config, read_sealed(&secrets, trigger->tg_trigtuple, rel));
	}
	return PointerGetDatum(seal_row(&secrets, trigger, row, config, updating));
}

/*
 * keep_sealed_secrets() returns trigger: AFTER INSERT OR UPDATE ON integrations FOR EACH ROW
 */
PG_FUNCTION_INFO_V1(openinfo_keep_sealed_secrets);
Datum
openinfo_keep_sealed_secrets(PG_FUNCTION_ARGS)
{
	return keep_row(&secrets, seal_trigger(fcinfo, false, "keep_sealed_secrets"));
}
