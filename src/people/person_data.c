/*
 * person_data.c
 *		One person: what person_data says.
 *
 *	folded	as names are compared: NFC, one space between words, the first 2,048 bytes; in lower case
 *	key		what an index has of a folded name: its first 512 bytes
 *
 * Keys that mean something here: full_name, title, company, location, seniority_level and department
 * (strings; anything else counts as missing), and those that an e-mail may be in.
 *
 * Invariant: two spellings of a name that look the same, composed and decomposed or with different spaces,
 * are one.
 */
#include "openinfo.h"

#include "catalog/pg_collation.h"
#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/jsonb.h"

#include "people/person_data.h"

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

/* Key of an index: what does not fit into one is cut, between characters.  NULL when empty. */
static text *
person_key(const char *string, int length)
{
	length = pg_mbcliplen(string, length, PERSON_KEY_BYTES);
	return length == 0 ? NULL : cstring_to_text_with_len(string, length);
}

/* The spaces of Unicode that are not in ASCII; a line may not be broken at some of them. */
static bool
is_space(pg_wchar c)
{
	return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
		   c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Characters of no width that say nothing: soft hyphen, zero width space, word joiner, byte order mark. */
static bool
is_invisible(pg_wchar c)
{
	return c == 0xAD || c == 0x200B || c == 0x2060 || c == 0xFEFF;
}

/*
 * A string in NFC, with the spaces of ASCII alone.  It is short (PERSON_READ_BYTES), because the time that
 * unicode_normalize() takes grows with the square of the marks on one letter.
 */
static char *
compose(const char *string, int length)
{
	pg_wchar *chars = palloc((length + 1) * sizeof(pg_wchar));
	pg_wchar *to = chars;
	char	 *result;

	(void) pg_mb2wchar_with_len(string, chars, length);
	for (pg_wchar *from = chars; *from; from++)
		if (!is_invisible(*from))
			*to++ = is_space(*from) ? ' ' : *from;
	*to = 0;
	if (unicode_is_normalized_quickcheck(UNICODE_NFC, chars) != UNICODE_NORM_QC_YES)
		chars = unicode_normalize(UNICODE_NFC, chars);
	for (length = 0; chars[length];)
		length++;
	result = palloc(length * MAX_MULTIBYTE_CHAR_LEN + 1);
	(void) pg_wchar2mb_with_len(chars, result, length);
	return result;
}

/* A string as names are compared: composed, one space between words, none around; lowercase if asked for. */
static char *
person_fold(const char *string, int length, bool lower)
{
	char *folded, *to;
	bool  ascii = true;

	length = pg_mbcliplen(string, length, PERSON_READ_BYTES);
	for (int i = 0; i < length && ascii; i++)
		ascii = !IS_HIGHBIT_SET(string[i]);
	folded = ascii || GetDatabaseEncoding() != PG_UTF8 ? pnstrdup(string, length) : compose(string, length);
	if (lower)
		folded = str_tolower(folded, strlen(folded), DEFAULT_COLLATION_OID);
	to = folded;
	for (const char *from = folded; *from; from++)
	{
		if (*from != ' ' && !(*from >= '\t' && *from <= '\r'))
			*to++ = *from;
		else if (to > folded && to[-1] != ' ')
			*to++ = ' ';
	}
	if (to > folded && to[-1] == ' ')
		to--;
	*to = '\0';
	return folded;
}

/* A name as an index has it; NULL when it is empty. */
text *
person_name_key(const char *string, int length)
{
	const char *folded = person_fold(string, length, true);

	return person_key(folded, strlen(folded));
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
 * full_name and company as they are compared: in NFC and lower case, with one space between words, the first
 * 512 bytes; NULL when missing or blank.  Indexed with the workspace, for lookups by name and company under
 * row-level security:
 *
 *		... WHERE person_name(person_data) = person_name('{"full_name": "Ann Lee"}'::jsonb)
 *
 * IMMUTABLE as lower() and normalize() are.  LEAKPROOF: no value makes them fail, so that the planner may use
 * the index below RLS.
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
 * seniority_level in NFC, with one space between words, the first 512 bytes; NULL when missing or blank.
 * Indexed with the workspace.  Attributes, callers and errors as above.
 */
PG_FUNCTION_INFO_V1(openinfo_person_seniority);
Datum
openinfo_person_seniority(PG_FUNCTION_ARGS)
{
	const char *string;
	int			length;

	if (!person_string(PG_GETARG_JSONB_P(0), "seniority_level", &string, &length))
		PG_RETURN_NULL();
	string = person_fold(string, length, false);
	return person_return_text(fcinfo, person_key(string, strlen(string)));
}

/* The filters by text, folded, as person_matches() keeps them between two rows. */
typedef struct Matcher
{
	Jsonb *filters; /* that they were read from */
	text  *wanted[PERSON_FILTERS];
} Matcher;

const PersonFilter person_filters[PERSON_FILTERS] = {
	{"full_name", true},
	{"title", true},
	{"company", true},
	{"location", true},
	{"seniority_level", false},
	{"department", false},
};

static Matcher *
person_matcher(FunctionCallInfo fcinfo, Jsonb *filters)
{
	Matcher		 *matcher = fcinfo->flinfo->fn_extra;
	MemoryContext before;

	if (matcher && VARSIZE(matcher->filters) == VARSIZE(filters) &&
		memcmp(matcher->filters, filters, VARSIZE(filters)) == 0)
		return matcher;

	before = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	matcher = palloc0(sizeof(Matcher));
	matcher->filters = palloc(VARSIZE(filters));
	memcpy(matcher->filters, filters, VARSIZE(filters));
	for (int i = 0; i < PERSON_FILTERS; i++)
	{
		const char *string, *folded;
		int			length;

		if (!person_string(matcher->filters, person_filters[i].key, &string, &length))
			continue;
		folded = person_fold(string, length, person_filters[i].contains);
		/* what is longer than what is read of a person is kept whole: it is found in nobody */
		if (length > PERSON_READ_BYTES)
			matcher->wanted[i] = cstring_to_text_with_len(string, length);
		else if (*folded)
			matcher->wanted[i] = cstring_to_text(folded);
	}
	fcinfo->flinfo->fn_extra = matcher;
	MemoryContextSwitchTo(before);
	return matcher;
}

/*
 * person_matches(person_data jsonb, filters jsonb) returns boolean
 *
 * Do the filters by text find a person?  full_name, title, company and location contain the text of the
 * filter, in any case; seniority_level and department are equal to it.  Both are folded first.  A filter that
 * is blank or not a string is left out.
 * Callers: the functions of people.c, as openinfo_owner.  Errors: none.
 */
PG_FUNCTION_INFO_V1(openinfo_person_matches);
Datum
openinfo_person_matches(PG_FUNCTION_ARGS)
{
	Jsonb	*person = PG_GETARG_JSONB_P(0);
	Matcher *matcher = person_matcher(fcinfo, PG_GETARG_JSONB_P(1));

	for (int i = 0; i < PERSON_FILTERS; i++)
	{
		const char *string;
		int			length;
		text	   *folded;
		Datum		found;

		if (matcher->wanted[i] == NULL)
			continue;
		if (!person_string(person, person_filters[i].key, &string, &length))
			PG_RETURN_BOOL(false);
		folded = cstring_to_text(person_fold(string, length, person_filters[i].contains));
		found = DirectFunctionCall2Coll(person_filters[i].contains ? textpos : texteq, C_COLLATION_OID,
										PointerGetDatum(folded), PointerGetDatum(matcher->wanted[i]));
		if (person_filters[i].contains ? DatumGetInt32(found) == 0 : !DatumGetBool(found))
			PG_RETURN_BOOL(false);
	}
	PG_RETURN_BOOL(true);
}
