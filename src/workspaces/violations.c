/*
 * violations.c
 *		Violated constraints, in words for the person who sent the value.
 *
 * PostgreSQL's own message names the constraint alone, and its DETAIL shows the whole row.  The values that
 * create_workspace() and add_member() are called with were typed into a form, so they say what is wrong.
 *
 * Invariant: SQLSTATE and names are those of the violation; nothing of the row is shown but one value.
 */
#include "openinfo.h"

#include "mb/pg_wchar.h"

#include "workspaces/violations.h"

/* Bytes of a value in a message. */
#define VALUE_BYTES 100

typedef struct Violation
{
	const char *constraint;
	const char *message; /* %s: the value */
	const char *hint;
} Violation;

static const Violation violations[] = {
	{"workspaces_slug_format", "invalid slug: \"%s\"", "Use the letters a to z, digits and hyphens."},
	{"workspaces_slug_key", "slug \"%s\" is already taken", "Choose another slug."},
	{"workspaces_name_not_blank", "name of workspace \"%s\" must not be blank", "Pass a name to show."},
	{"users_email_format", "invalid e-mail address: \"%s\"", "Pass an address such as name@company.example."},
	{"invitations_email_format", "invalid e-mail address: \"%s\"",
	 "Pass an address such as name@company.example."},
	{"users_workspace_id_email_key", "e-mail address \"%s\" belongs to a member of the workspace",
	 "Pass another address."},
	{"users_auth_user_id_workspace_id_key", "person \"%s\" is already a member of the workspace",
	 "Change the role with set_member_role()."},
};

/*
 * Is an error about a constraint?  That of a shard has a number behind its name; from another node comes the
 * message alone.
 */
static bool
is_about(const ErrorData *error, const char *constraint)
{
	const char *name = error->constraint_name ? error->constraint_name : strstr(error->message, constraint);
	size_t		length = strlen(constraint);

	if (name == NULL || strncmp(name, constraint, length) != 0)
		return false;
	name += length;
	if (*name == '_')
		name += 1 + strspn(name + 1, "0123456789");
	return *name == '\0' || *name == '"';
}

/* The violation that an error is about; NULL when it is another error. */
static const Violation *
find_violation(const ErrorData *error)
{
	if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION && error->sqlerrcode != ERRCODE_CHECK_VIOLATION)
		return NULL;
	for (int i = 0; i < lengthof(violations); i++)
		if (is_about(error, violations[i].constraint))
			return &violations[i];
	return NULL;
}

/* The beginning of a value, for a message. */
char *
violations_shorten(text *value)
{
	const char *string = VARDATA_ANY(value);

	return pnstrdup(string, pg_mbcliplen(string, VARSIZE_ANY_EXHDR(value), VALUE_BYTES));
}

/* Runs a statement that inserts a row, as statement_run() does.  value: what may violate a constraint. */
void
violations_run(Statement *statement, const Datum *values, const char *nulls, text *value)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		(void) statement_run(statement, values, nulls, false, 0);
	}
	PG_CATCH();
	{
		const Violation *violation;
		ErrorData		*error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		violation = find_violation(error);
		if (violation == NULL)
			PG_RE_THROW();
		FlushErrorState();
		ereport(ERROR,
				(errcode(error->sqlerrcode),
				 errmsg(violation->message, violations_shorten(value)),
				 errhint("%s", violation->hint),
				 error->schema_name ? err_generic_string(PG_DIAG_SCHEMA_NAME, error->schema_name) : 0,
				 error->table_name ? err_generic_string(PG_DIAG_TABLE_NAME, error->table_name) : 0,
				 err_generic_string(PG_DIAG_CONSTRAINT_NAME, violation->constraint)));
	}
	PG_END_TRY();
}
