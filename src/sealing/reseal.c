/*
 * reseal.c
 *		Rows that were written before visible_fields was changed.
 *
 * Invariant: reseal() leaves every row as the triggers would write it now.
 */
#include "openinfo.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "sealing/seal.h"
#include "sealing/seal_triggers.h"

/* Rows between two notices of progress. */
#define RESEAL_NOTICE_ROWS 100000

/* Updates the next rows after an id; returns the last id, the rows read and the rows changed. */
#define RESEAL_BATCH(table, column, condition)                                                   \
	STATEMENT(                                                                                   \
		"WITH batch AS ("                                                                        \
		"  SELECT id, workspace_id FROM @extschema@." table                                      \
		"   WHERE id > $1 AND " condition " ORDER BY id LIMIT 1000),"                            \
		" changed AS ("                                                                          \
		"  UPDATE @extschema@." table " t SET " column " = t." column " FROM batch b"            \
		"   WHERE t.id = b.id AND t.workspace_id = b.workspace_id RETURNING 1)"                  \
		" SELECT (SELECT id FROM batch ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM batch)," \
		"        (SELECT count(*) FROM changed)",                                                \
		"uuid")

static const VisibleFields *
object_argument(FunctionCallInfo fcinfo)
{
	const VisibleFields *fields;

	if (PG_ARGISNULL(0))
		error_null("p_object");
	fields = visible_fields(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (fields == NULL)
		error_invalid_value("p_object", text_to_cstring(PG_GETARG_TEXT_PP(0)), "person and integration");
	return fields;
}

/*
 * is_sealed(p_object text, p_data jsonb) returns boolean
 *
 * Whether an object shows only what visible_fields lets it show; NULL for NULL data.
 * Callers: service_role.  Errors: 22023 another object than person and integration.  Locks: none.
 */
PG_FUNCTION_INFO_V1(openinfo_is_sealed);
Datum
openinfo_is_sealed(PG_FUNCTION_ARGS)
{
	const VisibleFields *fields = object_argument(fcinfo);
	Jsonb				*data, *shown, *sealed;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	data = PG_GETARG_JSONB_P(1);
	if (!JB_ROOT_IS_OBJECT(data))
		PG_RETURN_BOOL(false);
	shown = seal_split(fields, data, &sealed);
	PG_RETURN_BOOL(compareJsonbContainers(&shown->root, &data->root) == 0);
}

/*
 * reseal(p_object text) returns bigint
 *
 * Applies visible_fields to the rows that are there, in both directions: seals what is no longer on the list
 * and shows what is.  Rows that are paid for stay as they are.  Returns how many rows it changed; a NOTICE
 * reports progress.
 * Callers: superusers.  Errors: 42501; 0A000 where Citus distributes the tables, because triggers on other
 * nodes would not know; 22023 another object than person and integration.  Locks: the rows that it changes,
 * until the end of the transaction.
 */
PG_FUNCTION_INFO_V1(openinfo_reseal);
Datum
openinfo_reseal(PG_FUNCTION_ARGS)
{
	static Statement people =
		RESEAL_BATCH("people_search_results", "person_data", "email_revealed_at IS NULL");
	static Statement integrations = RESEAL_BATCH("integrations", "config", "true");

	const char	  *object = object_argument(fcinfo)->object;
	Statement	  *batch = strcmp(object, "person") == 0 ? &people : &integrations;
	pg_uuid_t	   last = {{0}};
	int64		   read = 0, changed = 0, rows;
	StatementScope scope;
	bool		   isnull;

	if (!superuser())
		error_superuser_only("reseal");
	if (catalog_is_distributed())
		error_distributed("reseal");
	statement_begin(&scope);
	seal_triggers_resealing = true;
	PG_TRY();
	{
		do
		{
			Datum value = UUIDPGetDatum(&last);

			CHECK_FOR_INTERRUPTS();
			(void) statement_run(batch, &value, NULL, false, 0);
			value = statement_value(1, &isnull);
			if (!isnull)
				last = *DatumGetUUIDP(value);
			rows = DatumGetInt64(statement_value(2, &isnull));
			changed += DatumGetInt64(statement_value(3, &isnull));
			read += rows;
			if (rows == 0 || read % RESEAL_NOTICE_ROWS == 0)
				ereport(NOTICE, (errmsg("resealed " INT64_FORMAT " of " INT64_FORMAT " rows of object \"%s\"",
										changed, read, object)));
			SPI_freetuptable(SPI_tuptable);
		} while (rows > 0);
	}
	PG_FINALLY();
	{
		seal_triggers_resealing = false;
	}
	PG_END_TRY();
	statement_end(&scope);
	PG_RETURN_INT64(changed);
}
