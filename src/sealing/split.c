/*
 * split.c
 *		What of a JSON object is sealed: contacts that have not been paid for, and secrets of integrations.
 *
 *	shown	what stays in the row
 *	sealed	what was taken out: the same nesting, with nothing in it but what the row must not show; an array whole
 *
 * How a contact or a secret is told is said in contact_forms.c and secret_forms.c.
 *
 * Invariant: shown and sealed together are the whole, and splitting what is shown again seals nothing.
 */
#include "openinfo.h"

#include "miscadmin.h"

#include "sealing/split.h"

/* ------------------------------------------------------------------------------------------------------------------
 * Taking JSON apart and putting it together
 * ------------------------------------------------------------------------------------------------------------------ */

/* A key, or a string that stands for one, as Seal wants it. */
static char *
plain_name(const JsonbValue *key)
{
	return forms_plain_name(key->val.string.val, key->val.string.len);
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

/* What an object says of itself, by a label: of a person, "name" and the like are names. */
static const char *const labels[] = {"type", "kind", "label", "channel", NULL};
static const char *const more_labels[] = {"name", "key", "header", "field", NULL};

/* A label of an object as a key, or NULL. */
static char *
label_name(const JsonbValue *object, const char *label)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object->val.binary.data, label, strlen(label), NULL);

	return value != NULL && value->type == jbvString ? plain_name(value) : NULL;
}

/*
 * Does an object say by a label that its value is to be sealed?  {"type": "phone", "value": "..."}, or among headers
 * {"name": "Authorization", "value": "..."}.  *first is the first of labels that it has, or NULL.
 */
static bool
is_labelled(const Seal *seal, const JsonbValue *object, const char **first)
{
	const char *const *const lists[] = {labels, seal->leaves_placeholder ? more_labels : NULL};

	for (int i = 0; i < lengthof(lists); i++)
		for (const char *const *label = lists[i]; label != NULL && *label; label++)
		{
			const char *name = label_name(object, *label);

			if (name != NULL && *first == NULL)
				*first = name;
			if (name != NULL && seal->key(name))
				return true;
		}
	return false;
}

/* Is this the name of a value, whatever that is?  What it is, the label beside it says, or the key above it. */
static bool
is_value_key(const char *name)
{
	static const char *const names[] = {"value", "val", "number", "address", "data", "content", NULL};

	for (const char *const *known = names; *known; known++)
		if (strcmp(name, *known) == 0)
			return true;
	return false;
}

static bool
is_word(const JsonbValue *value)
{
	return value->type == jbvString || value->type == jbvNumeric;
}

/* Below this level nothing is told apart any more, because each level is put together once more for the one above. */
#define DEEPEST 64

/*
 * Splits a container into what is shown and what is sealed.  *sealed is NULL when nothing had to be.
 *
 * An array that has something to seal is sealed whole, and shown without it: its elements have no names by which they
 * could be put back.
 *
 * above: name of the key that the container stands under, or NULL.
 */
static JsonbValue *
split(const Seal *seal, const JsonbValue *value, const char *above, int depth, JsonbValue **sealed)
{
	JsonbIterator	  *it = JsonbIteratorInit(value->val.binary.data);
	JsonbParseState	  *shown_state = NULL, *sealed_state = NULL;
	JsonbIteratorToken token;
	JsonbValue		   key, item;
	JsonbValue		  *shown = NULL;
	bool			   object = is_object(value);
	const char		  *label = NULL;
	bool			   labelled = object && is_labelled(seal, value, &label);
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
		const char *name = above;

		if (token == WJB_KEY)
		{
			key = item;
			(void) JsonbIteratorNext(&it, &item, true);
			name = plain_name(&key);
			if (!is_silent(&item) && (seal->key(name) || (labelled && is_value_key(name))))
				take = &item;
			/* a key can itself be the address */
			if (seal->value(above, &key))
				take = &item;
			if (is_value_key(name) && (label != NULL || above != NULL))
				name = label != NULL ? label : above;
		}
		if (take == NULL && is_word(&item) && seal->value(name, &item))
			take = &item;
		if (take == NULL && depth == DEEPEST && is_container(&item))
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
			keep = split(seal, &item, name, depth + 1, &take);

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

/*
 * What is shown of an object; *sealed is what is not, or NULL when all of it is.
 */
Jsonb *
sealing_split(const Seal *seal, Jsonb *whole, Jsonb **sealed)
{
	JsonbValue	value;
	JsonbValue *shown, *taken;

	root_value(whole, &value);
	shown = split(seal, &value, NULL, 0, &taken);
	*sealed = taken ? JsonbValueToJsonb(taken) : NULL;
	return taken ? JsonbValueToJsonb(shown) : whole;
}

/* The member of an object by key, or NULL. */
static JsonbValue *
member(const JsonbValue *object, const JsonbValue *key)
{
	return getKeyJsonValueFromContainer(object->val.binary.data, key->val.string.val, key->val.string.len, NULL);
}

static JsonbValue *join(const JsonbValue *shown, const JsonbValue *sealed, bool only_placeholders);

static bool
is_array(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) && !JsonContainerIsScalar(value->val.binary.data);
}

/* What is shown of a secret that is sealed within an array. */
static Jsonb *
redacted(const JsonbValue *value)
{
	JsonbValue	placeholder;
	JsonbValue *sealed;

	if (is_container(value))
		return JsonbValueToJsonb(split(&secret_seal, value, NULL, 1, &sealed));
	if (is_word(value) && secret_seal.value(NULL, value))
	{
		string_value(&placeholder, SEALING_REDACTED);
		value = &placeholder;
	}
	return JsonbValueToJsonb((JsonbValue *) value);
}

/*
 * Puts secrets back into an array that somebody edited.  Its elements have no names; so an element stands for the sealed
 * one that is shown like it, preferably at the same place.  One that is like none was changed: if the array has kept its
 * length, it is filled from its place.
 */
static JsonbValue *
join_array(const JsonbValue *shown, const JsonbValue *sealed)
{
	int				 nshown = JsonContainerSize(shown->val.binary.data), nsealed = JsonContainerSize(sealed->val.binary.data);
	JsonbValue	   **elements = palloc(Max(nsealed, 1) * sizeof(JsonbValue *));
	Jsonb		   **masks = palloc(Max(nsealed, 1) * sizeof(Jsonb *));
	bool			*used = palloc0(Max(nsealed, 1) * sizeof(bool));
	int				*match = palloc(Max(nshown, 1) * sizeof(int));
	JsonbParseState *state = NULL;

	check_stack_depth();

	for (int i = 0; i < nsealed; i++)
	{
		elements[i] = getIthJsonbValueFromContainer(sealed->val.binary.data, i);
		masks[i] = redacted(elements[i]);
	}

	/* the same place first, then any */
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < nshown; i++)
		{
			Jsonb *element;

			CHECK_FOR_INTERRUPTS();
			if (pass == 0)
				match[i] = -1;
			if (match[i] >= 0 || (pass == 0 && i >= nsealed))
				continue;
			element = JsonbValueToJsonb(getIthJsonbValueFromContainer(shown->val.binary.data, i));
			for (int j = pass == 0 ? i : 0; j < (pass == 0 ? i + 1 : nsealed) && match[i] < 0; j++)
				if (!used[j] && compareJsonbContainers(&element->root, &masks[j]->root) == 0)
				{
					match[i] = j;
					used[j] = true;
				}
		}

	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < nshown; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(shown->val.binary.data, i);

		if (match[i] >= 0)
			element = elements[match[i]];
		else if (nshown == nsealed && !used[i])
		{
			if (is_object(element) && is_object(elements[i]))
				element = join(element, elements[i], true);
			else if (is_array(element) && is_array(elements[i]))
				element = join_array(element, elements[i]);
		}
		(void) pushJsonbValue(&state, WJB_ELEM, element);
	}
	return pushJsonbValue(&state, WJB_END_ARRAY, NULL);
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
		else if (other != NULL && only_placeholders && is_array(&item) && is_array(other))
			(void) pushJsonbValue(&state, WJB_VALUE, join_array(&item, other));
		else if (other != NULL && (!only_placeholders || is_string(&item, SEALING_REDACTED)))
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
