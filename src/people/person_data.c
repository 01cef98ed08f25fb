/*
 * person_data.c
 *		One person: what his person_data says.
 *
 * Keys that mean something here: full_name, company, seniority_level (strings; what is none counts as missing), and
 * whatever an e-mail may stand in.
 */
#include "openinfo.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/jsonb.h"

#include "people/person_data.h"
#include "sealing/detect.h"

/* Bytes of an index key (an entry of a btree holds some 2,700), and of the string that is read for it. */
#define PERSON_KEY_BYTES 512
#define PERSON_READ_BYTES 2048

/* A member of the object that is a string; false when there is none. */
static bool
person_string(Jsonb *person, const char *key, const char **string, int *length)
{
	JsonbValue *value;

	if (!JB_ROOT_IS_OBJECT(person))
		return false;
	value = getKeyJsonValueFromContainer(&person->root, key, strlen(key), NULL);
	if (value == NULL || value->type != jbvString)
		return false;
	*string = value->val.string.val;
	*length = value->val.string.len;
	return true;
}

static bool
person_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Key of an index: what is longer than the index has room for is cut, between characters.  NULL when empty. */
static text *
person_key(const char *string, int length)
{
	length = pg_mbcliplen(string, length, PERSON_KEY_BYTES);
	return length == 0 ? NULL : cstring_to_text_with_len(string, length);
}

/* The same in lower case, as the database's locale knows it, and with one space between words. */
text *
person_name_key(const char *string, int length)
{
	char *lower = str_tolower(string, pg_mbcliplen(string, length, PERSON_READ_BYTES), DEFAULT_COLLATION_OID);
	char *to = lower;

	for (const char *from = lower; *from; from++)
	{
		if (!person_space(*from))
			*to++ = *from;
		else if (to > lower && to[-1] != ' ')
			*to++ = ' ';
	}
	if (to > lower && to[-1] == ' ')
		to--;
	return person_key(lower, to - lower);
}

static Datum
person_return_text(FunctionCallInfo fcinfo, text *result)
{
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}

/*
 * person_name(person_data jsonb) returns text
 * person_company(person_data jsonb) returns text
 *
 * full_name and company as they are compared: in lower case, one space between words, the first 512 bytes; NULL when
 * missing or blank.  Indexed with the workspace, as the way to a person by name and company under row-level security:
 *
 *		... WHERE person_name(person_data) = person_name('{"full_name": "Ann Lee"}')
 *
 * IMMUTABLE as lower() is.  LEAKPROOF: no value makes them fail, so that the planner may use the index below RLS.
 * Callers: authenticated, service_role.  Errors: none.
 */
PG_FUNCTION_INFO_V1(openinfo_person_name);
Datum
openinfo_person_name(PG_FUNCTION_ARGS)
{
	const char *string;
	int			length;

	if (!person_string(PG_GETARG_JSONB_P(0), "full_name", &string, &length))
		PG_RETURN_NULL();
	return person_return_text(fcinfo, person_name_key(string, length));
}

PG_FUNCTION_INFO_V1(openinfo_person_company);
Datum
openinfo_person_company(PG_FUNCTION_ARGS)
{
	const char *string;
	int			length;

	if (!person_string(PG_GETARG_JSONB_P(0), "company", &string, &length))
		PG_RETURN_NULL();
	return person_return_text(fcinfo, person_name_key(string, length));
}

/*
 * person_seniority(person_data jsonb) returns text
 *
 * seniority_level as it is, the first 512 bytes; NULL when missing or empty.  Indexed with the workspace.  Attributes,
 * callers and errors as above.
 */
PG_FUNCTION_INFO_V1(openinfo_person_seniority);
Datum
openinfo_person_seniority(PG_FUNCTION_ARGS)
{
	const char *string;
	int			length;

	if (!person_string(PG_GETARG_JSONB_P(0), "seniority_level", &string, &length))
		PG_RETURN_NULL();
	return person_return_text(fcinfo, person_key(string, length));
}

/* What may stand in a domain; letters beyond ASCII too. */
static bool
person_domain_char(char c)
{
	return IS_HIGHBIT_SET(c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-';
}

/* What may stand before the @, as RFC 5322 has it of a dot-atom. */
static bool
person_local_char(char c)
{
	return person_domain_char(c) || (c != '\0' && strchr("!#$%&'*+/=?^_`{|}~", c) != NULL);
}

/* The address around the first @, as it may be written, that has something on both sides of it; false when there is none. */
static bool
person_address(const char *string, int length, const char **address, int *address_length)
{
	for (int at = 1; at < length; at++)
	{
		int sign = forms_at_sign(string + at, length - at);
		int begin = at, domain = at + sign, end = domain;

		if (sign == 0)
			continue;
		while (begin > 0 && person_local_char(string[begin - 1]))
			begin--;
		while (end < length && person_domain_char(string[end]))
			end++;
		/* the quotes around it, and the full stop of the sentence */
		while (begin < at && strchr("'`.", string[begin]) != NULL)
			begin++;
		while (end > domain && (string[end - 1] == '.' || string[end - 1] == '-'))
			end--;
		if (begin < at && end > domain)
		{
			*address = string + begin;
			*address_length = end - begin;
			return true;
		}
	}
	return false;
}

/* Does a key speak of mail?  email, E-Mail, mails, work_mail. */
static bool
person_mail_key(const JsonbValue *key)
{
	for (int i = 0; i + 4 <= key->val.string.len; i++)
		if (pg_strncasecmp(key->val.string.val + i, "mail", 4) == 0)
			return true;
	return false;
}

/* The first address in a container at any depth; with by_key, only where a key above it speaks of mail. */
static bool
person_find_address(JsonbContainer *container, bool by_key, const char **address, int *length)
{
	JsonbIterator	  *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue		   item;
	bool			   only_below = by_key;

	check_stack_depth();

	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
	{
		if (token == WJB_BEGIN_OBJECT || token == WJB_BEGIN_ARRAY || token == WJB_END_OBJECT || token == WJB_END_ARRAY)
			continue;
		if (token == WJB_KEY)
			only_below = by_key && !person_mail_key(&item);
		if (item.type == jbvString && !only_below && person_address(item.val.string.val, item.val.string.len, address, length))
			return true;
		if (item.type == jbvBinary && person_find_address(item.val.binary.data, only_below, address, length))
			return true;
	}
	return false;
}

/*
 * person_email(person_data jsonb) returns text
 *
 * The e-mail of a person, or NULL: the first address in "email", else below any key that speaks of mail, else in any key
 * or string; each time in the order in which jsonb keeps keys.  Only the address is returned, not the text around it.
 * It tells nothing but what it is given: of a row that is not paid for, nothing.
 * Callers: authenticated, service_role; the functions of people.c, as the owner of the tables.  Errors: none.
 */
PG_FUNCTION_INFO_V1(openinfo_person_email);
Datum
openinfo_person_email(PG_FUNCTION_ARGS)
{
	Jsonb	   *person = PG_GETARG_JSONB_P(0);
	JsonbValue *email = JB_ROOT_IS_OBJECT(person) ? getKeyJsonValueFromContainer(&person->root, "email", strlen("email"), NULL) : NULL;
	const char *address;
	int			length;

	if ((email != NULL && email->type == jbvString && person_address(email->val.string.val, email->val.string.len, &address, &length)) ||
		(email != NULL && email->type == jbvBinary && person_find_address(email->val.binary.data, false, &address, &length)) ||
		person_find_address(&person->root, true, &address, &length) || person_find_address(&person->root, false, &address, &length))
		PG_RETURN_TEXT_P(cstring_to_text_with_len(address, length));
	PG_RETURN_NULL();
}
