/*
 * seal.c
 *		What of a JSON object stays visible, and what is sealed.
 *
 *	shown		what stays in the row: values whose key is on the list, and the objects and arrays around them
 *	sealed		what was taken out: the same nesting, with nothing in it but what the row must not show; an
 *				array of which anything is sealed is in it whole, because elements have no names by which to
 *				put them back
 *	placeholder	[REDACTED] in the place of a sealed value, in objects that keep their keys; and [HIDDEN] in
 *				the place of a sealed full_name, which a person must have
 *
 * Elements of an array have the key of the array.  What is nested deeper than DEEPEST levels is sealed whole.
 *
 * Invariant: shown and sealed together are the whole, and splitting what is shown again seals nothing more.
 * Time and memory are proportional to the size of the object.
 */
#include "openinfo.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "sealing/detect.h"
#include "sealing/seal.h"

#define DEEPEST 8

/* Arrays with more pairs of elements than this are compared place by place only. */
#define MOST_PAIRS 10000

static void
string_value(JsonbValue *value, const char *string)
{
	value->type = jbvString;
	value->val.string.val = (char *) string;
	value->val.string.len = strlen(string);
}

static bool
is_string(const JsonbValue *value, const char *string)
{
	return value->type == jbvString && value->val.string.len == strlen(string) &&
		   memcmp(value->val.string.val, string, strlen(string)) == 0;
}

static bool
is_object(const JsonbValue *value)
{
	return value != NULL && value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

static bool
is_array(const JsonbValue *value)
{
	return value != NULL && value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data);
}

static void
root_value(Jsonb *jsonb, JsonbValue *value)
{
	value->type = jbvBinary;
	value->val.binary.data = &jsonb->root;
	value->val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
}

/* The member of an object by key, or NULL. */
static JsonbValue *
member(const JsonbValue *object, const JsonbValue *key)
{
	return getKeyJsonValueFromContainer(object->val.binary.data, key->val.string.val, key->val.string.len,
										NULL);
}

/* ----------------------------------------------------------------------------------------------------------
 * Splitting
 * -------------------------------------------------------------------------------------------------------- */

typedef struct Split
{
	const VisibleFields *fields;
	JsonbParseState		*shown;
	JsonbParseState		*sealed;
} Split;

/* What is in a value. */
#define SHOWS 1
#define SEALS 2

/* A key with a contact in it is never shown, nor is what it holds. */
static bool
is_contact(const JsonbValue *key)
{
	return detect_contact(key->val.string.val, key->val.string.len, VISIBLE_TEXT);
}

/* What is in a value that is not split.  kind: of its key. */
static int
look(const JsonbValue *value, VisibleKind kind)
{
	const char *string = value->val.string.val;
	int			length = value->val.string.len;

	if (kind == VISIBLE_NOT || value->type == jbvBinary)
		return SEALS;
	if (value->type == jbvNull || value->type == jbvBool)
		return SHOWS;
	if (value->type == jbvNumeric)
	{
		string = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		length = strlen(string);
	}
	return detect_contact(string, length, kind) ? SEALS : SHOWS;
}

/* What is shown in the place of a sealed value, or NULL.  top: it is a member of the object itself. */
static const char *
placeholder(const Split *split, const JsonbValue *key, const JsonbValue *value, bool top)
{
	if (split->fields->placeholders)
		return SEAL_REDACTED;
	return top && is_string(key, "full_name") && value->type == jbvString ? SEAL_HIDDEN : NULL;
}

/* Ends a container, or drops it with its memory: its key is replaced by the next one. */
static void
end_container(JsonbParseState **state, JsonbIteratorToken end, bool keep)
{
	JsonbParseState *ended = *state;
	JsonbValue		*container = &ended->contVal;

	if (keep)
	{
		(void) pushJsonbValue(state, end, NULL);
		return;
	}
	*state = ended->next;
	pfree(end == WJB_END_OBJECT ? (void *) container->val.object.pairs : container->val.array.elems);
	pfree(ended);
}

/*
 * Begins a container with what is shown of it, and with what is sealed when its members are sealed one by
 * one.  Returns what is in it; kind: of its key.
 */
static int
split_container(Split *split, const JsonbValue *container, VisibleKind kind, int level, bool one_by_one)
{
	JsonbIterator	  *it = JsonbIteratorInit(container->val.binary.data);
	JsonbValue		   key, item, replaced;
	JsonbIteratorToken token = JsonbIteratorNext(&it, &item, false);
	int				   found = 0;

	(void) pushJsonbValue(&split->shown, token, NULL);
	if (one_by_one)
		(void) pushJsonbValue(&split->sealed, token, NULL);
	while ((token = JsonbIteratorNext(&it, &item, true)) == WJB_KEY || token == WJB_ELEM)
	{
		JsonbIteratorToken place = token == WJB_KEY ? WJB_VALUE : WJB_ELEM;
		VisibleKind		   item_kind = kind;
		bool			   contact = false, split_item, members;
		const char		  *instead;
		int				   item_found;

		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
		{
			key = item;
			(void) JsonbIteratorNext(&it, &item, true);
			contact = is_contact(&key);
			item_kind = visible_kind(split->fields, key.val.string.val, key.val.string.len);
			(void) pushJsonbValue(&split->shown, WJB_KEY, &key);
			if (one_by_one)
				(void) pushJsonbValue(&split->sealed, WJB_KEY, &key);
		}
		split_item = item.type == jbvBinary && level < DEEPEST && !contact;
		members = split_item && one_by_one && is_object(&item);
		if (split_item)
		{
			JsonbIteratorToken end = is_object(&item) ? WJB_END_OBJECT : WJB_END_ARRAY;

			item_found = split_container(split, &item, item_kind, level + 1, members);
			end_container(&split->shown, end, item_found & SHOWS);
			if (members)
				end_container(&split->sealed, end, item_found & SEALS);
		}
		else
			item_found = contact ? SEALS : look(&item, item_kind);

		if (item_found == SHOWS && !split_item)
			(void) pushJsonbValue(&split->shown, place, &item);
		if (item_found != SHOWS && one_by_one && !members)
			(void) pushJsonbValue(&split->sealed, place, &item);
		if (item_found == SEALS && !contact &&
			(instead = placeholder(split, &key, &item, level == 1)) != NULL)
		{
			string_value(&replaced, instead);
			(void) pushJsonbValue(&split->shown, place, &replaced);
		}
		found |= item_found;
	}
	if (found == 0)
		found = kind == VISIBLE_NOT ? SEALS : SHOWS;
	return found;
}

/* What is shown of an object; *sealed is the rest, or NULL when there is none. */
Jsonb *
seal_split(const VisibleFields *fields, Jsonb *whole, Jsonb **sealed)
{
	Split	   split = {fields, NULL, NULL};
	JsonbValue value;

	*sealed = NULL;
	root_value(whole, &value);
	if (split_container(&split, &value, VISIBLE_TEXT, 1, true) == SHOWS)
		return whole;
	*sealed = JsonbValueToJsonb(pushJsonbValue(&split.sealed, WJB_END_OBJECT, NULL));
	return JsonbValueToJsonb(pushJsonbValue(&split.shown, WJB_END_OBJECT, NULL));
}

/* ----------------------------------------------------------------------------------------------------------
 * Restoring
 * -------------------------------------------------------------------------------------------------------- */

static JsonbValue *restore_object(JsonbParseState **state, const JsonbValue *shown, const JsonbValue *before,
								  const JsonbValue *sealed, bool placeholders, int level);
static void		   restore_array(JsonbParseState **state, const JsonbValue *shown, const JsonbValue *before,
								 const JsonbValue *sealed, int level);

static bool
is_equal(const JsonbValue *a, const JsonbValue *b)
{
	return compareJsonbContainers(&JsonbValueToJsonb((JsonbValue *) a)->root,
								  &JsonbValueToJsonb((JsonbValue *) b)->root) == 0;
}

/* Pushes a value, with what is sealed of it; before and sealed may be NULL. */
static void
restore_value(JsonbParseState **state, JsonbIteratorToken place, const JsonbValue *shown,
			  const JsonbValue *before, const JsonbValue *sealed, bool placeholders, int level)
{
	CHECK_FOR_INTERRUPTS();
	if (sealed != NULL && level <= DEEPEST && is_object(shown) && is_object(sealed))
		(void) restore_object(state, shown, before, sealed, placeholders, level);
	else if (sealed != NULL && level <= DEEPEST && placeholders && is_array(shown) && is_array(sealed))
		restore_array(state, shown, before, sealed, level);
	else if (sealed != NULL &&
			 (is_string(shown, SEAL_REDACTED) || is_string(shown, SEAL_HIDDEN) ||
			  (is_array(shown) && is_array(sealed) && before != NULL && is_equal(shown, before))))
		(void) pushJsonbValue(state, place, (JsonbValue *) sealed);
	else
		(void) pushJsonbValue(state, place, (JsonbValue *) shown);
}

static JsonbValue *
restore_object(JsonbParseState **state, const JsonbValue *shown, const JsonbValue *before,
			   const JsonbValue *sealed, bool placeholders, int level)
{
	JsonbIterator *it = JsonbIteratorInit(shown->val.binary.data);
	JsonbValue	   key, item;

	(void) JsonbIteratorNext(&it, &item, false);
	(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&it, &item, true);
		(void) pushJsonbValue(state, WJB_KEY, &key);
		restore_value(state, WJB_VALUE, &item, is_object(before) ? member(before, &key) : NULL,
					  member(sealed, &key), placeholders, level + 1);
	}

	it = JsonbIteratorInit(sealed->val.binary.data);
	(void) JsonbIteratorNext(&it, &item, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&it, &item, true);
		if (member(shown, &key) != NULL || (placeholders && !is_contact(&key)))
			continue;
		(void) pushJsonbValue(state, WJB_KEY, &key);
		(void) pushJsonbValue(state, WJB_VALUE, &item);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static JsonbValue **
elements_of(const JsonbValue *array, int *n)
{
	JsonbValue **elements;

	*n = JsonContainerSize(array->val.binary.data);
	elements = palloc(Max(*n, 1) * sizeof(JsonbValue *));
	for (int i = 0; i < *n; i++)
		elements[i] = getIthJsonbValueFromContainer(array->val.binary.data, i);
	return elements;
}

/*
 * Puts sealed values back into an array that somebody edited.  An element is the one before that looks like
 * it, preferably at the same place.  One that looks like none was changed: if the array has kept its length,
 * it is filled from its place.
 */
static void
restore_array(JsonbParseState **state, const JsonbValue *shown, const JsonbValue *before,
			  const JsonbValue *sealed, int level)
{
	int			 nshown, nsealed, nbefore = 0;
	JsonbValue **is = elements_of(shown, &nshown);
	JsonbValue **full = elements_of(sealed, &nsealed);
	JsonbValue **was = is_array(before) ? elements_of(before, &nbefore) : NULL;
	bool		*used = palloc0(Max(nsealed, 1) * sizeof(bool));
	int			*match = palloc(Max(nshown, 1) * sizeof(int));

	if (nbefore != nsealed)
		was = NULL;
	for (int i = 0; i < nshown; i++)
	{
		match[i] = was != NULL && i < nsealed && is_equal(is[i], was[i]) ? i : -1;
		if (match[i] >= 0)
			used[i] = true;
	}
	for (int i = 0; i < nshown && was != NULL && (int64) nshown * nsealed <= MOST_PAIRS; i++)
		for (int j = 0; j < nsealed && match[i] < 0; j++)
			if (!used[j] && is_equal(is[i], was[j]))
			{
				match[i] = j;
				used[j] = true;
			}

	(void) pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < nshown; i++)
	{
		bool by_place = match[i] < 0 && nshown == nsealed && !used[i];

		if (match[i] >= 0)
			(void) pushJsonbValue(state, WJB_ELEM, full[match[i]]);
		else
			restore_value(state, WJB_ELEM, is[i], was != NULL && by_place ? was[i] : NULL,
						  by_place ? full[i] : NULL, true, level + 1);
	}
	(void) pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/*
 * An object with what is sealed of it.  before is what was shown when it was sealed: a value that has been
 * written since counts, an array that is as it was shown is restored.  With placeholders no key is added, but
 * for those that cannot be shown.
 */
Jsonb *
seal_restore(Jsonb *shown, Jsonb *before, Jsonb *sealed, bool placeholders)
{
	JsonbParseState *state = NULL;
	JsonbValue		 a, b, c;

	if (sealed == NULL || !JB_ROOT_IS_OBJECT(shown) || !JB_ROOT_IS_OBJECT(sealed))
		return shown;
	root_value(shown, &a);
	root_value(before, &b);
	root_value(sealed, &c);
	return JsonbValueToJsonb(restore_object(&state, &a, &b, &c, placeholders, 1));
}
