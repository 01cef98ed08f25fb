/*
 * white_space.c
 *		What is white space, in every encoding.
 *
 *	white space		Unicode's property White_Space, which includes what PostgreSQL's lexer skips, and three
 *					spaces that have no width
 *	blank			empty, or nothing but white space
 *
 * Invariant: the constraints, which call is_blank(), and the functions in C judge by the same characters.  So
 * neither depends on a locale or a collation.
 */
#include "openinfo.h"

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"

#include "core/white_space.h"

static bool
is_white_space(pg_wchar c)
{
	return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || c == 0x180E ||
		   (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
		   c == 0x3000 || c == 0xFEFF;
}

/* The code point of a character that is not ASCII; 0 when the encoding does not tell. */
static pg_wchar
code_point(const char *character, int length)
{
	unsigned char utf8[MAX_CONVERSION_GROWTH * MAX_MULTIBYTE_CHAR_LEN + 1];
	Oid			  conversion;

	if (GetDatabaseEncoding() == PG_UTF8)
		return utf8_to_unicode((const unsigned char *) character);
	if (GetDatabaseEncoding() == PG_SQL_ASCII)
		return 0;
	conversion = FindDefaultConversionProc(GetDatabaseEncoding(), PG_UTF8);
	if (!OidIsValid(conversion) ||
		pg_do_encoding_conversion_buf(conversion, GetDatabaseEncoding(), PG_UTF8, (unsigned char *) character,
									  length, utf8, sizeof(utf8), true) != length)
		return 0;
	return utf8_to_unicode(utf8);
}

/* Bytes of the white space character that a string begins with; 0 when it begins with another or is empty. */
int
white_space_length(const char *string, int length)
{
	int bytes;

	if (length == 0)
		return 0;
	if (!IS_HIGHBIT_SET(*string))
		return is_white_space((unsigned char) *string) ? 1 : 0;
	bytes = Min(pg_mblen(string), length);
	return is_white_space(code_point(string, bytes)) ? bytes : 0;
}

/* Whether a string is blank */
bool
white_space_only(const char *string, int length)
{
	for (int bytes; length > 0; string += bytes, length -= bytes)
		if ((bytes = white_space_length(string, length)) == 0)
			return false;
	return true;
}

/*
 * is_blank(value text) returns boolean
 *
 * Whether a text is empty or nothing but white space; for constraints.  STRICT, IMMUTABLE.
 * Callers: authenticated, service_role, and any role that may write our tables.  Errors: none.
 */
PG_FUNCTION_INFO_V1(openinfo_is_blank);
Datum
openinfo_is_blank(PG_FUNCTION_ARGS)
{
	text *value = PG_GETARG_TEXT_PP(0);

	PG_RETURN_BOOL(white_space_only(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)));
}
