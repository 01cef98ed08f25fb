/*
 * claims.c
 *		JWT claims -> person.
 *
 *	claims		what the JWT says; PostgREST and Supabase put it into request.jwt.claims, as a JSON object
 *	person		somebody who has signed in: claim "sub", which is users.auth_user_id
 *
 * Invariant: the caller is known by the two claims settings alone, never by a table or by anything else in
 * the token. Parsed claims are kept per backend, because they depend on nothing but their text.
 */
#include "openinfo.h"

#include "common/jsonapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "access/claims.h"
#include "core/errors.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * Reads the standard form, 8-4-4-4-12 in either case.  uuid_in() would do, but its error is not one of ours.
 */
bool
claims_parse_uuid(const char *string, pg_uuid_t *uuid)
{
	for (int byte = 0; byte < UUID_LEN; byte++)
	{
		int high, low;

		if ((byte == 4 || byte == 6 || byte == 8 || byte == 10) && *string++ != '-')
			return false;
		if ((high = hex_digit(string[0])) < 0 || (low = hex_digit(string[1])) < 0)
			return false;
		uuid->data[byte] = (unsigned char) (high << 4 | low);
		string += 2;
	}
	return *string == '\0';
}

/* The last claims that were parsed, and their text in TopMemoryContext; NULL: none. */
static Claims kept;
static char	 *kept_json;

static pg_noinline void
error_malformed_claims(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid claims in setting \"request.jwt.claims\""),
			 errdetail("%s", detail),
			 errhint("Set it to a JSON object, as PostgREST does, or to an empty string.")));
}

/* A value of an object, or NULL when the key is missing or its value is null. */
static JsonbValue *
claim_value(JsonbContainer *object, const char *key)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, key, strlen(key), NULL);

	return value == NULL || value->type == jbvNull ? NULL : value;
}

/* A claim as a UUID; false when it is missing, null or an empty string.  path: how the error names it. */
static bool
claim_uuid(JsonbContainer *object, const char *key, const char *path, pg_uuid_t *uuid)
{
	JsonbValue *value = claim_value(object, key);
	char	   *string;

	if (value == NULL)
		return false;
	if (value->type != jbvString)
		error_malformed_claims(psprintf("Claim \"%s\" is not a string.", path));
	if (value->val.string.len == 0)
		return false;
	string = pnstrdup(value->val.string.val, value->val.string.len);
	if (!claims_parse_uuid(string, uuid))
		error_malformed_uuid(psprintf("claim \"%s\"", path), string);
	return true;
}

static void
claims_parse(const char *json, Claims *claims)
{
	JsonLexContext	  *lexer = compat_json_lexer(json, strlen(json));
	JsonParseErrorType error = pg_parse_json(lexer, &nullSemAction);
	JsonbContainer	  *object;
	JsonbValue		  *metadata;

	if (error != JSON_SUCCESS)
		error_malformed_claims(json_errdetail(error, lexer));
	object = &DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)))->root;
	if (!JsonContainerIsObject(object))
		error_malformed_claims("The claims are not a JSON object.");

	claims->has_person = claim_uuid(object, "sub", "sub", &claims->person);
	claims->has_workspace = claim_uuid(object, "workspace_id", "workspace_id", &claims->workspace);
	metadata = claim_value(object, "app_metadata");
	if (!claims->has_workspace && metadata != NULL && metadata->type == jbvBinary &&
		JsonContainerIsObject(metadata->val.binary.data))
		claims->has_workspace = claim_uuid(metadata->val.binary.data,
										   "workspace_id", "app_metadata.workspace_id",
										   &claims->workspace);
}

/*
 * The caller's claims, or NULL without any.
 *
 * request.jwt.claims, when it is not empty, decides alone; request.jwt.claim.sub is what older PostgREST
 * sets instead.
 */
const Claims *
claims_current(void)
{
	static Claims from_sub;
	const char	 *json = GetConfigOption("request.jwt.claims", true, false);
	Claims		  parsed = {0};

	if (json == NULL || json[0] == '\0')
	{
		json = GetConfigOption("request.jwt.claim.sub", true, false);
		if (json == NULL || json[0] == '\0')
			return NULL;
		if (!claims_parse_uuid(json, &from_sub.person))
			error_malformed_uuid("setting \"request.jwt.claim.sub\"", json);
		from_sub.has_person = true;
		return &from_sub;
	}

	if (kept_json != NULL && strcmp(kept_json, json) == 0)
		return &kept;

	claims_parse(json, &parsed);
	if (kept_json)
		pfree(kept_json);
	kept_json = NULL;
	kept_json = MemoryContextStrdup(TopMemoryContext, json);
	kept = parsed;
	return &kept;
}

/* The signed-in person; false when there is none. */
bool
claims_person(pg_uuid_t *person)
{
	const Claims *claims = claims_current();

	if (claims == NULL || !claims->has_person)
		return false;
	*person = claims->person;
	return true;
}
