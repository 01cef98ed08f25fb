/*
 * visible_fields.c
 *		The list of fields that stay visible.
 *
 *	field	a row of table visible_fields: of an object (person or integration), the key whose values stay
 *			visible
 *	name	a key or a field without case and without anything but letters and digits, and without digits at
 *			its end: E-Mail, e_mail and email2 have the name "email"
 *
 * Of the list, only the names that occur are read, once for each execution of a statement: an INSERT of one
 * row has some ten, and the list some three hundred.
 *
 * Invariant: an execution of a statement sees one list, that of its snapshot.
 */
#include "openinfo.h"

#include "catalog/pg_type_d.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "core/statement.h"
#include "sealing/visible_fields.h"

/* Bytes of a key that can be on the list; a longer one is not. */
#define NAME_MOST 64

/* Names that are kept from one row to the next. */
#define NAMES_MOST 10000

typedef struct Field
{
	char		name[NAME_MOST]; /* filled up with zeros */
	VisibleKind kind;
} Field;

struct VisibleFields
{
	const char *object;
	HTAB	   *names; /* those that have occurred, on the list or not */
};

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

/* Reads which of these names are on the list. */
static void
read_names(VisibleFields *fields, Datum *names, int n)
{
	static Statement read = STATEMENT(
		"SELECT @extschema@.visible_field_name(field), kind FROM @extschema@.visible_fields"
		" WHERE object = $1 AND @extschema@.visible_field_name(field) = ANY ($2)",
		"text, text[]");
	static const char letters[] = "?tuid"; /* the kinds' first letters, in the order of VisibleKind */
	StatementScope	  scope;
	Datum			  values[2];
	uint64			  rows;
	bool			  isnull;

	values[0] = CStringGetTextDatum(fields->object);
	values[1] = PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
	statement_begin(&scope);
	rows = statement_run(&read, values, NULL, true, 0);
	for (uint64 row = 0; row < rows; row++)
	{
		text	   *found = DatumGetTextPP(statement_value_at(row, 1, &isnull));
		text	   *kind = DatumGetTextPP(statement_value_at(row, 2, &isnull));
		const char *letter = VARSIZE_ANY_EXHDR(kind) > 0 ? strchr(letters, *VARDATA_ANY(kind)) : NULL;
		char		name[NAME_MOST] = {0};
		Field	   *field;

		memcpy(name, VARDATA_ANY(found), Min(VARSIZE_ANY_EXHDR(found), NAME_MOST));
		field = hash_search(fields->names, name, HASH_FIND, NULL);
		if (field != NULL && letter != NULL)
			field->kind = letter - letters;
	}
	statement_end(&scope);
}

/*
 * The list of an object, as far as it is about keys of data, as the caller's statement sees it.  It is kept
 * in what PostgreSQL keeps for the function during one execution of a statement.
 */
const VisibleFields *
visible_fields(FmgrInfo *function, const char *object, Jsonb *data)
{
	VisibleFields *fields = function->fn_extra;
	JsonbIterator *it = JsonbIteratorInit(&data->root);
	JsonbValue	   item;
	Datum		  *names = NULL;
	int			   n = 0, room = 0, token;

	if (fields == NULL)
		fields = function->fn_extra = MemoryContextAllocZero(function->fn_mcxt, sizeof(VisibleFields));
	if (fields->names != NULL &&
		(strcmp(fields->object, object) != 0 || hash_get_num_entries(fields->names) > NAMES_MOST))
	{
		hash_destroy(fields->names);
		fields->names = NULL;
	}
	if (fields->names == NULL)
	{
		HASHCTL control = {.keysize = NAME_MOST, .entrysize = sizeof(Field), .hcxt = function->fn_mcxt};

		fields->names = hash_create("openinfo visible fields", 64, &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		fields->object = object;
	}

	while ((token = JsonbIteratorNext(&it, &item, false)) != WJB_DONE)
	{
		char   name[NAME_MOST];
		int	   length;
		Field *field;
		bool   known;

		CHECK_FOR_INTERRUPTS();
		if (token != WJB_KEY || (length = name_of(item.val.string.val, item.val.string.len, name)) == 0)
			continue;
		field = hash_search(fields->names, name, HASH_ENTER, &known);
		if (known)
			continue;
		field->kind = VISIBLE_NOT;
		if (n == room)
		{
			room = Max(2 * room, 32);
			names = names ? repalloc_huge(names, room * sizeof(Datum)) : palloc(room * sizeof(Datum));
		}
		names[n++] = PointerGetDatum(cstring_to_text_with_len(name, length));
	}
	if (n > 0)
		read_names(fields, names, n);
	return fields;
}

/* The kind of the field that a key names, among the keys that visible_fields() has been given. */
VisibleKind
visible_kind(const VisibleFields *fields, const char *key, int key_length)
{
	char   name[NAME_MOST];
	Field *field = NULL;

	if (name_of(key, key_length, name) > 0)
		field = hash_search(fields->names, name, HASH_FIND, NULL);
	return field == NULL ? VISIBLE_NOT : field->kind;
}
