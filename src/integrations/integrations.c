/*
 * integrations.c
 *		The services to which a workspace has its events sent (see outbox.c): Slack, Zapier, webhooks, e-mail.
 *
 *	secret	a value of config that is sealed; see sealing/
 *
 * Invariant: an integration that had five consecutive errors is in status error.
 */
#include "openinfo.h"

#include "catalog/pg_collation.h"
#include "common/base64.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "access/authorize.h"
#include "access/membership.h"
#include "core/errors.h"
#include "core/statement.h"
#include "integrations/integrations.h"
#include "sealing/seal.h"

/* Bytes of an error message that are kept. */
#define INTEGRATION_MESSAGE_BYTES 2000

/* A shorter secret is not looked for in error messages: it would be found in words. */
#define INTEGRATION_SECRET_BYTES 6

/* A part of a URL that is as long as this is taken for a token. */
#define INTEGRATION_TOKEN_BYTES 16

/* A jsonb column of the last result, copied; NULL when it is null. */
static Jsonb *
jsonb_value(int column)
{
	bool  isnull;
	Datum value = statement_value(column, &isnull);

	return isnull ? NULL : DatumGetJsonbPCopy(value);
}

/* The workspace of an integration that service_role names; within statement_begin(). */
static Datum
integration_workspace(Datum integration)
{
	static Statement find = STATEMENT(
		"SELECT workspace_id FROM @extschema@.integrations WHERE id = $1",
		"uuid");
	bool isnull;

	if (statement_run(&find, &integration, NULL, false, 0) == 0)
		error_no_such_row("integration", DatumGetUUIDP(integration));
	return statement_value(1, &isnull);
}

/*
 * get_integration_config(p_integration_id uuid) returns jsonb
 *
 * The config of an integration: whole for owners, admins and service_role; for members with [REDACTED] in the
 * place of each secret.  Both have the same keys.
 * Callers: authenticated for the caller's workspace, service_role for any.  Errors: PT401; 42501 an
 * integration of another workspace or one that does not exist; 22023 a NULL argument, or (service_role) no
 * such integration.
 * Locks: none.
 */
PG_FUNCTION_INFO_V1(openinfo_get_integration_config);
Datum
openinfo_get_integration_config(PG_FUNCTION_ARGS)
{
	static Statement read = STATEMENT(
		"SELECT i.config, CASE WHEN $3 THEN s.sealed END"
		"  FROM @extschema@.integrations i"
		"  LEFT JOIN @extschema@.sealed_secrets s"
		"    ON s.integration_id = i.id AND s.workspace_id = i.workspace_id"
		" WHERE i.id = $1 AND i.workspace_id = $2",
		"uuid, uuid, bool");
	Caller		   caller;
	StatementScope scope;
	Datum		   values[3];
	Jsonb		  *shown;
	Datum		   config;

	if (PG_ARGISNULL(0))
		error_null("p_integration_id");
	authorize_member(&caller);
	values[0] = PG_GETARG_DATUM(0);
	values[2] = BoolGetDatum(caller.is_service || membership_role(caller.membership.role) >= ROLE_ADMIN);

	statement_begin(&scope);
	if (caller.is_service)
		values[1] = integration_workspace(values[0]);
	else
		values[1] = UUIDPGetDatum(&caller.membership.workspace_id);
	if (statement_run(&read, values, NULL, true, 0) == 0)
		error_other_row("integration", PG_GETARG_UUID_P(0));
	shown = jsonb_value(1);
	config = SPI_datumTransfer(JsonbPGetDatum(seal_restore(shown, shown, jsonb_value(2), true)), false, -1);
	statement_end(&scope);
	PG_RETURN_DATUM(config);
}

/* A message in which one form of a secret is replaced. */
static text *
without(text *message, const char *form, int length)
{
	text *secret;

	if (length < INTEGRATION_SECRET_BYTES)
		return message;
	secret = cstring_to_text_with_len(form, length);
	return DatumGetTextPP(DirectFunctionCall3Coll(
		replace_text, C_COLLATION_OID,
		PointerGetDatum(message), PointerGetDatum(secret), CStringGetTextDatum(SEAL_REDACTED)));
}

/* ... percent-encoded, with hexadecimal digits in upper or in lower case. */
static text *
without_percent(text *message, const char *secret, int length, const char *digits)
{
	StringInfoData form;

	initStringInfo(&form);
	for (int i = 0; i < length; i++)
	{
		unsigned char c = secret[i];

		if (isalnum(c) && c < 0x80)
			appendStringInfoChar(&form, c);
		else if (c != '\0' && strchr("-._~", c))
			appendStringInfoChar(&form, c);
		else
			appendStringInfo(&form, "%%%c%c", digits[c >> 4], digits[c & 15]);
	}
	return without(message, form.data, form.len);
}

/* ... in base64, with or without padding. */
static text *
without_base64(text *message, const char *secret, int length)
{
	int	  size = pg_b64_enc_len(length);
	char *form = palloc(size + 1);

	size = pg_b64_encode((const void *) secret, length, form, size);
	while (size > 0 && form[size - 1] == '=')
		size--;
	return without(message, form, size);
}

/* ... of a URL its path and query, which HTTP clients report alone, and parts of them as long as a token. */
static text *
without_url_parts(text *message, const char *url, int length)
{
	const char *end = url + length;
	const char *host = memchr(url, ':', length);
	const char *path, *part;

	if (host == NULL || end - host < 3 || strncmp(host, "://", 3) != 0)
		return message;
	for (path = host + 3; path < end && strchr("/?#", *path) == NULL;)
		path++;
	message = without(message, path, end - path);
	for (part = path; part < end; part++)
		if (*part == '?')
			message = without(without(message, path, part - path), part + 1, end - part - 1);
	for (part = path; part < end; part++)
	{
		const char *begin = part;

		while (part < end && strchr("/?#&=", *part) == NULL)
			part++;
		if (part - begin >= INTEGRATION_TOKEN_BYTES)
			message = without(message, begin, part - begin);
	}
	return message;
}

/* A message without the secrets of the integration: members may read last_error. */
static text *
without_secrets(text *message, Jsonb *sealed)
{
	JsonbIterator	  *it;
	JsonbIteratorToken token;
	JsonbValue		   item;

	if (sealed == NULL)
		return message;
	it = JsonbIteratorInit(&sealed->root);
	while ((token = JsonbIteratorNext(&it, &item, false)) != WJB_DONE)
	{
		const char *secret;
		int			length;

		if ((token != WJB_VALUE && token != WJB_ELEM) || item.type != jbvString ||
			item.val.string.len < INTEGRATION_SECRET_BYTES)
			continue;
		secret = item.val.string.val;
		length = item.val.string.len;
		message = without(message, secret, length);
		message = without_percent(message, secret, length, "0123456789ABCDEF");
		message = without_percent(message, secret, length, "0123456789abcdef");
		message = without_base64(message, secret, length);
		message = without_url_parts(message, secret, length);
	}
	return message;
}

/*
 * The part of an error message that is kept, without the secrets of the integration: members may read it.
 * Within statement_begin().
 */
Datum
integration_message(Datum workspace, Datum integration, text *message)
{
	static Statement secrets = STATEMENT(
		"SELECT sealed FROM @extschema@.sealed_secrets WHERE integration_id = $1 AND workspace_id = $2",
		"uuid, uuid");
	Datum values[2] = {integration, workspace};
	int	  kept;

	if (statement_run(&secrets, values, NULL, false, 0) > 0)
		message = without_secrets(message, jsonb_value(1));
	kept = pg_mbcliplen(VARDATA_ANY(message), VARSIZE_ANY_EXHDR(message), INTEGRATION_MESSAGE_BYTES);
	return PointerGetDatum(cstring_to_text_with_len(VARDATA_ANY(message), kept));
}

/* Counts an error, with a message of integration_message(), within statement_begin(). */
void
integration_count_error(Datum workspace, Datum integration, Datum message)
{
	static Statement count = STATEMENT(
		"UPDATE @extschema@.integrations i"
		"   SET error_count = c.n, last_error = $3,"
		"       status = CASE WHEN c.n >= 5 AND i.status = 'active' THEN 'error' ELSE i.status END"
		"  FROM (SELECT CASE WHEN status = 'active' AND error_count >= 5 THEN 1"
		"                    WHEN error_count < 2147483647 THEN error_count + 1 ELSE error_count END AS n"
		"          FROM @extschema@.integrations WHERE id = $1 AND workspace_id = $2) c"
		" WHERE i.id = $1 AND i.workspace_id = $2",
		"uuid, uuid, text");
	static Statement lock = STATEMENT(
		"SELECT FROM @extschema@.integrations WHERE id = $1 AND workspace_id = $2 FOR NO KEY UPDATE",
		"uuid, uuid");
	Datum values[3] = {integration, workspace, message};

	if (statement_run(&lock, values, NULL, false, 0) == 0)
		error_no_such_row("integration", DatumGetUUIDP(integration));
	(void) statement_run(&count, values, NULL, false, 0);
}

/*
 * record_integration_error(p_integration_id uuid, p_error_message text) returns void
 *
 * Counts an error of the sender and stores its message, 2,000 bytes at most, without the integration's
 * secrets: as they are, percent-encoded, in base64, and of a secret URL its path and query.  The fifth
 * consecutive error sets the status to error; an integration that is set to active with five or more starts
 * from zero.
 * Callers: service_role.  Errors: 42501; 22023 a NULL id or no such integration.  A NULL message is "unknown
 * error".  Locks: the integration's row.
 */
PG_FUNCTION_INFO_V1(openinfo_record_integration_error);
Datum
openinfo_record_integration_error(PG_FUNCTION_ARGS)
{
	StatementScope scope;
	Datum		   integration, workspace;
	text		  *message;

	authorize_service("record_integration_error");
	if (PG_ARGISNULL(0))
		error_null("p_integration_id");
	message = PG_ARGISNULL(1) ? cstring_to_text("unknown error") : PG_GETARG_TEXT_PP(1);
	integration = PG_GETARG_DATUM(0);

	statement_begin(&scope);
	workspace = integration_workspace(integration);
	integration_count_error(workspace, integration, integration_message(workspace, integration, message));
	statement_end(&scope);
	PG_RETURN_VOID();
}
