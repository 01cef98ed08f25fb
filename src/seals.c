/*
 * seals.c
 *		What of a JSON object is sealed: contacts that have not been paid for, and secrets of integrations.
 *
 *	shown	what stays in the row
 *	sealed	what was taken out: the same nesting, with nothing in it but what the row must not show; an array whole
 *
 * It is told by the key, however that is spelled, and by what a string looks like, wherever it stands.  When in doubt it
 * is sealed: what is hidden by mistake comes back when it is paid for, or is shown to the admin; what is shown by mistake
 * is lost.
 *
 * Invariant: shown and sealed together are the whole, and splitting what is shown again seals nothing.
 */
#include "openinfo.h"

#include "miscadmin.h"

#include "seals.h"

/* ------------------------------------------------------------------------------------------------------------------
 * What is sealed
 * ------------------------------------------------------------------------------------------------------------------ */

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
	static const char *const parts[] = {"email", "mailaddr", "phone", "mobile", "whatsapp", "telef", "landline", "directdial", "cellular", "msisdn",
										"faxnumber", NULL};
	static const char *const names[] = {"tel", "telno", "telnr", "telnumber", "cell", "cellno", "cellnumber", "fax", "faxno", "handy", "fon", "mails", NULL};

	return name_has(name, parts) || name_is(name, names) || name_ends(name, "mail");
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* May stand in an e-mail address beside the @; generous, for what is sealed. */
bool
sealing_address_char(char c)
{
	return IS_HIGHBIT_SET(c) || is_alnum(c) || (c != '\0' && strchr(".!#$%&'*+/=?^_`{|}~-\"", c) != NULL);
}

/* Length of an @ here, as it may be written in an address: full width, small, or escaped in a URL or in HTML; or 0. */
int
sealing_at_sign(const char *string, int length)
{
	static const char *const signs[] = {"@", "\xef\xbc\xa0", "\xef\xb9\xab", "%40", "&#64;", NULL};

	for (const char *const *sign = signs; *sign; sign++)
		if (length >= strlen(*sign) && memcmp(string, *sign, strlen(*sign)) == 0)
			return strlen(*sign);
	return 0;
}

/* Digits of what could be one telephone number from here on; *end is where it ends. */
static int
phone_digits(const char *string, int length, int *end)
{
	int digits = 0, i;

	for (i = 0; i < length && (is_digit(string[i]) || strchr(" ()-./", string[i]) != NULL) && string[i] != '\0'; i++)
		if (is_digit(string[i]))
			digits++;
	*end = i;
	return digits;
}

/* Three, three and four digits, grouped: a number as it is written in North America. */
static bool
phone_grouped(const char *string, int length)
{
	static const char pattern[] = "999-999-9999"; /* a hyphen stands for what is between the groups */
	int				  i = 0;

	if (length > 0 && string[0] == '(')
		i++;
	for (const char *p = pattern; *p; p++)
	{
		int between = 0;

		if (*p == '9')
		{
			if (i >= length || !is_digit(string[i++]))
				return false;
			continue;
		}
		for (; i < length && between < 2 && string[i] != '\0' && strchr(" )-.", string[i]) != NULL; i++)
			between++;
		if (between == 0)
			return false;
	}
	return i == length || !is_digit(string[i]);
}

/*
 * An e-mail address or a telephone number.  An address and a number in international form are found anywhere in the
 * text, as is one in groups; other national numbers, which look like any number, only when they are all of it.
 */
static bool
contact_string(const char *string, int length)
{
	int end, digits;

	for (int i = 0; i < length; i++)
	{
		char before = i > 0 ? string[i - 1] : ' ';
		int	 at = sealing_at_sign(string + i, length - i);

		/* not after a slash: https://example.com/@name is a profile */
		if (at > 0 && sealing_address_char(before) && before != '/' && i + at < length && sealing_address_char(string[i + at]))
			return true;
		if (string[i] == '+' && before != '+' && !is_alnum(before) &&
			i + 1 < length && (is_digit(string[i + 1]) || string[i + 1] == '(') && phone_digits(string + i + 1, length - i - 1, &end) >= 7)
			return true;
		if ((is_digit(string[i]) || string[i] == '(') && !is_digit(before) && phone_grouped(string + i, length - i))
			return true;
	}

	digits = phone_digits(string, length, &end);
	if (end == length && length > 0 && (string[0] == '0' || string[0] == '(') && digits >= 9 && digits <= 15)
		return true;
	return length > 4 && pg_strncasecmp(string, "tel:", 4) == 0;
}

static bool
secret_key(const char *name)
{
	static const char *const parts[] = {"secret", "token", "password", "passwd", "passphrase", "passcode", "apikey", "privatekey", "accesskey",
										"signingkey", "encryptionkey", "credential", "authorization", "bearer", "webhook", "hookurl",
										"cookie", "connectionstring", "signature", NULL};
	static const char *const names[] = {"auth", "pwd", "dsn", "sig", "sessionid", NULL};

	return name_has(name, parts) || name_is(name, names) || name_ends(name, "pass") ||
		   (name_ends(name, "key") && !name_is(name, (const char *const[]){"publickey", "primarykey", NULL}));
}

/* Is there a parameter of that kind, with a value, in the query of a URL? */
static bool
query_has_secret(char *query)
{
	static const char *const names[] = {"code", "sig", NULL};

	for (char *parameter = strtok(query, "&;"); parameter != NULL; parameter = strtok(NULL, "&;"))
	{
		char *value = strchr(parameter, '=');
		char *name = parameter;
		int	  length = 0;

		if (value == NULL || value[1] == '\0')
			continue;
		for (char *c = parameter; c < value; c++)
			if (is_alnum(*c))
				name[length++] = pg_ascii_tolower((unsigned char) *c);
		name[length] = '\0';
		if (secret_key(name) || name_is(name, names))
			return true;
	}
	return false;
}

/*
 * A URL that carries a password or a key, or that is itself the secret, as those of incoming webhooks are; what goes
 * behind "Authorization:"; a private key.
 */
static bool
secret_string(const char *string, int length)
{
	static const char *const schemes[] = {"bearer ", "basic ", "token ", NULL};
	char					*copy = pnstrdup(string, length);
	char					*host, *path, *query;
	bool					 result = false;

	for (const char *const *scheme = schemes; *scheme; scheme++)
		if (pg_strncasecmp(copy, *scheme, strlen(*scheme)) == 0 && strlen(copy) >= strlen(*scheme) + 8 && strchr(copy + strlen(*scheme), ' ') == NULL)
			result = true;
	if (strstr(copy, "-----BEGIN ") != NULL)
		result = true;

	host = strstr(copy, "://");
	if (!result && host != NULL)
	{
		for (char *c = host; *c; c++)
			*c = pg_ascii_tolower((unsigned char) *c);
		host += 3;
		path = host + strcspn(host, "/?#");
		query = strchr(path, '?');
		if (query)
			*query++ = '\0';
		result = memchr(host, '@', path - host) != NULL || strncmp(host, "hooks.", 6) == 0 ||
				 strstr(host, "webhook") != NULL || strstr(path, "/hooks/") != NULL || (query != NULL && query_has_secret(query));
	}
	pfree(copy);
	return result;
}

const Seal contact_seal = {contact_key, contact_string, false};
const Seal secret_seal = {secret_key, secret_string, true};

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
 * Does an object say of itself, by a label, that its value is to be sealed?  {"type": "phone", "value": "..."}, or among
 * headers {"name": "Authorization", "value": "..."}.
 */
static bool
is_labelled(const Seal *seal, const JsonbValue *object)
{
	/* of a person, "name" and the like are names */
	static const char *const labels[] = {"type", "kind", "label", "channel", NULL};
	static const char *const more_labels[] = {"name", "key", "header", "field", NULL};
	const char *const *const lists[] = {labels, seal->leaves_placeholder ? more_labels : NULL};

	for (int i = 0; i < lengthof(lists); i++)
		for (const char *const *label = lists[i]; label != NULL && *label; label++)
		{
			JsonbValue *value = getKeyJsonValueFromContainer(object->val.binary.data, *label, strlen(*label), NULL);

			if (value != NULL && value->type == jbvString && seal->key(plain_name(value)))
				return true;
		}
	return false;
}

static bool
is_value_key(const char *name)
{
	static const char *const names[] = {"value", "val", "number", "address", "data", "content", NULL};

	return name_is(name, names);
}

/* Below this level nothing is told apart any more, because each level is put together once more for the one above. */
#define DEEPEST 64

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
	bool			   labelled = object && is_labelled(seal, value);
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
			char *name;

			key = item;
			(void) JsonbIteratorNext(&it, &item, true);
			name = plain_name(&key);
			if (!is_silent(&item) && (seal->key(name) || (labelled && is_value_key(name))))
				take = &item;
			/* a key can itself be the address */
			if (seal->string(key.val.string.val, key.val.string.len))
				take = &item;
		}
		if (take == NULL && item.type == jbvString && seal->string(item.val.string.val, item.val.string.len))
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

/*
 * What is shown of an object; *sealed is what is not, or NULL when all of it is.
 */
Jsonb *
sealing_split(const Seal *seal, Jsonb *whole, Jsonb **sealed)
{
	JsonbValue	value;
	JsonbValue *shown, *taken;

	root_value(whole, &value);
	shown = split(seal, &value, 0, &taken);
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
		return JsonbValueToJsonb(split(&secret_seal, value, 1, &sealed));
	if (value->type == jbvString && secret_string(value->val.string.val, value->val.string.len))
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
