/*
 * leads.c
 *		Companies found for a workspace, on their way through enrichment and delivery.
 *
 *	domain	company_data ->> 'domain', without white space and in lower case; what makes two leads the same company
 */
#include "openinfo.h"

#include "utils/builtins.h"
#include "utils/jsonb.h"

/*
 * lead_domain(company_data jsonb) returns text
 *
 * The domain, or NULL when there is none: no key, not a string, blank.  Indexed together with the workspace, as what is
 * unique and as the way to a lead by domain.  IMMUTABLE: case is folded for ASCII alone, whatever the locale.
 * LEAKPROOF: it cannot fail, so that the planner may use that index below row-level security.
 * Callers: authenticated, service_role.  Errors: none.
 */
PG_FUNCTION_INFO_V1(openinfo_lead_domain);
Datum
openinfo_lead_domain(PG_FUNCTION_ARGS)
{
	Jsonb	   *company = PG_GETARG_JSONB_P(0);
	JsonbValue *domain;
	char	   *result;
	int			length = 0;

	if (!JB_ROOT_IS_OBJECT(company))
		PG_RETURN_NULL();
	domain = getKeyJsonValueFromContainer(&company->root, "domain", strlen("domain"), NULL);
	if (domain == NULL || domain->type != jbvString)
		PG_RETURN_NULL();

	result = palloc(domain->val.string.len);
	for (int i = 0; i < domain->val.string.len; i++)
	{
		unsigned char c = (unsigned char) domain->val.string.val[i];

		if (c > ' ' && c != 0x7f)
			result[length++] = pg_ascii_tolower(c);
	}
	if (length == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(result, length));
}
