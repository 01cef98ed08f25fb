/*
 * visible_fields.c
 *		The list of fields that stay visible.
 *
 *	field	a row of table visible_fields: of an object (person or integration), the key whose values stay
 *			visible
 *	name	a key or a field without case and without anything but letters and digits, and without digits at
 *			its end: E-Mail, e_mail and email2 have the name "email"
 *
 * The list has some three hundred rows, and changes rarely; so it is kept per backend.
 *
 * Invariant: what is kept is what was committed, with the changes of this transaction.  Triggers on the
 * table tell every backend of a change as PostgreSQL tells of one of the table's definition; a rollback tells
 * this backend.
 */
#include "openinfo.h"

#include "catalog/pg_type_d.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "core/catalog.h"
#include "core/errors.h"
#include "core/lookup.h"
#include "core/shards.h"
#include "sealing/visible_fields.h"

/* Bytes of a key that can be on the list; a longer one is not. */
#define NAME_MOST 64

typedef struct Field
{
	char		name[NAME_MOST]; /* filled up with zeros */
	VisibleKind kind;
} Field;

static VisibleFields lists[] = {{"person", false, InvalidOid, NULL}, {"integration", true, InvalidOid, NULL}};

/* Changes of any table so far: a list that was read while it changed is not kept. */
static uint64 changes = 0;

static void
visible_fields_changed(Datum arg, Oid relid)
{
	changes++;
	for (int i = 0; i < lengthof(lists); i++)
		if (relid == InvalidOid || relid == lists[i].table)
			lists[i].table = InvalidOid;
}

void
visible_fields_init(void)
{
	CacheRegisterRelcacheCallback(visible_fields_changed, (Datum) 0);
}

/*
 * visible_fields_changed() returns trigger: AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE FOR EACH STATEMENT,
 *		and AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW
 *
 * The second one is for logical replication, which fires no triggers of statements.
 * Makes every backend read the list again, once the transaction commits.
 * Errors: 39P01 when called otherwise.
 */
PG_FUNCTION_INFO_V1(openinfo_visible_fields_changed);
Datum
openinfo_visible_fields_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event))
		error_not_trigger("visible_fields_changed");
	CacheInvalidateRelcache(trigger->tg_relation);
	return PointerGetDatum(NULL);
}

/* Writes the name of a key and returns its length; 0 when no field can have that name. */
static int
name_of(const char *key, int length, char *name)
{
	int to = 0;

	memset(name, 0, NAME_MOST);
	if (length > NAME_MOST)
		return 0;
	for (int i = 0; i < length; i++)
	{
		unsigned char c = pg_ascii_tolower((unsigned char) key[i]);

		if (IS_HIGHBIT_SET(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			name[to++] = c;
	}
	while (to > 0 && name[to - 1] >= '0' && name[to - 1] <= '9')
		name[--to] = '\0';
	return to;
}

/*
 * visible_field_name(p_field text) returns text
 *
 * A field as keys are compared with it: lowercase ASCII letters, other letters and digits, without digits at
 * its end; NULL for one that no key is compared with.  Unique for each object. Callers: none but the index of
 * visible_fields.  Errors: none.
 */
PG_FUNCTION_INFO_V1(openinfo_visible_field_name);
Datum
openinfo_visible_field_name(PG_FUNCTION_ARGS)
{
	text *field = PG_GETARG_TEXT_PP(0);
	char  name[NAME_MOST];
	int	  length = name_of(VARDATA_ANY(field), VARSIZE_ANY_EXHDR(field), name);

	if (length == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(name, length));
}

static void
read_list(VisibleFields *list)
{
	static const char letters[] = "?tuid"; /* the kinds' first letters, in the order of VisibleKind */
	HASHCTL			  control = {.keysize = NAME_MOST, .entrysize = sizeof(Field), .hcxt = TopMemoryContext};
	Oid				  relid = catalog_table("visible_fields");
	AttrNumber		  field_column = catalog_column(relid, "field");
	AttrNumber		  kind_column = catalog_column(relid, "kind");
	LookupKey		  key = {catalog_column(relid, "object"), TEXTOID, CStringGetTextDatum(list->object)};
	uint64			  before = changes;
	Lookup			  lookup;
	bool			  isnull;

	if (list->names != NULL)
		hash_destroy(list->names);
	list->names = NULL;
	list->names = hash_create("openinfo visible fields", 512, &control,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	lookup_begin(&lookup, relid, InvalidOid, NULL, &key, 1);
	while (lookup_next(&lookup))
	{
		text	   *field = DatumGetTextPP(lookup_value(&lookup, field_column, &isnull));
		text	   *kind = DatumGetTextPP(lookup_value(&lookup, kind_column, &isnull));
		const char *letter = VARSIZE_ANY_EXHDR(kind) > 0 ? strchr(letters, *VARDATA_ANY(kind)) : NULL;
		char		name[NAME_MOST];

		if (letter != NULL && name_of(VARDATA_ANY(field), VARSIZE_ANY_EXHDR(field), name) > 0)
			((Field *) hash_search(list->names, name, HASH_ENTER, NULL))->kind = letter - letters;
	}
	lookup_end(&lookup);
	if (changes == before)
		list->table = shards_relation(relid, NULL);
}

/* The list of an object; NULL when it is neither person nor integration. */
const VisibleFields *
visible_fields(const char *object)
{
	for (VisibleFields *list = lists; list < lists + lengthof(lists); list++)
	{
		if (strcmp(object, list->object) != 0)
			continue;
		if (!OidIsValid(list->table))
			read_list(list);
		return list;
	}
	return NULL;
}

/* The kind of the field that a key names. */
VisibleKind
visible_kind(const VisibleFields *fields, const char *key, int key_length)
{
	char   name[NAME_MOST];
	Field *field = NULL;

	if (name_of(key, key_length, name) > 0)
		field = hash_search(fields->names, name, HASH_FIND, NULL);
	return field == NULL ? VISIBLE_NOT : field->kind;
}
