/*
 * domain.c
 *		The domain of a company, which identifies it in a workspace.
 *
 *	domain		a host name below a top-level domain, such as "acme.example", in lowercase
 *
 * People and programs write a domain as an address of a page or of a mailbox as well, and write "n/a" or "-"
 * when they know none.  The domain is what remains without scheme, user, "www.", port, path, white space and
 * a dot at the end; a text of which no host name remains is no domain.  Case is folded for ASCII alone,
 * whatever the locale.
 *
 * Invariant: all of it is linear in the length of the text, and nothing in it can raise an error.
 */
#include "openinfo.h"

#include "utils/builtins.h"

#include "core/white_space.h"
#include "leads/domain.h"

#define LABEL_MAX 63 /* characters of a label */

static bool
starts_with(const char *string, const char *end, const char *prefix)
{
	int length = strlen(prefix);

	return end - string >= length && pg_strncasecmp(string, prefix, length) == 0;
}

/* Where the authority of an address begins: after its scheme, if it has one. */
static const char *
skip_scheme(const char *string, const char *end)
{
	const char *at = string;

	/* browsers take any number of slashes, of either kind */
	if (starts_with(string, end, "http:") || starts_with(string, end, "https:"))
	{
		at = memchr(string, ':', end - string);
		at++;
		while (at < end && (*at == '/' || *at == '\\'))
			at++;
		return at;
	}
	while (at < end && strchr("abcdefghijklmnopqrstuvwxyz0123456789+-.", pg_ascii_tolower(*at)) != NULL)
		at++;
	if (starts_with(at, end, "://"))
		return at + 3;
	return starts_with(string, end, "//") ? string + 2 : string;
}

/*
 * Copies an authority without its user, in lowercase; returns its length, or -1 when it is too long or has
 * white space elsewhere than at its ends and beside a dot.
 */
static int
copy_host(const char *string, const char *end, char *host, int longest)
{
	int	 length = 0;
	bool space = false;

	for (const char *at = end; at > string; at--)
		if (at[-1] == '@')
		{
			string = at;
			break;
		}
	while (string < end)
	{
		int bytes = white_space_length(string, end - string);

		if (bytes > 0)
		{
			space = true;
			string += bytes;
			continue;
		}
		if (length == longest || (space && length > 0 && host[length - 1] != '.' && *string != '.'))
			return -1;
		space = false;
		host[length++] = pg_ascii_tolower((unsigned char) *string++);
	}
	return length;
}

/* Is it a host name of two labels or more, the last of which may be a top-level domain? */
static bool
is_host_name(const char *host, int length)
{
	int	 label = 0; /* where it begins */
	int	 characters = 0, labels = 0;
	bool letters = true; /* alone, in this label */

	for (int i = 0; i <= length; i++)
	{
		unsigned char c = i < length ? host[i] : '.';

		if (c == '.')
		{
			if (characters == 0 || characters > LABEL_MAX || host[label] == '-' || host[i - 1] == '-')
				return false;
			labels++;
			if (i < length)
			{
				label = i + 1;
				characters = 0;
				letters = true;
			}
		}
		else if (IS_HIGHBIT_SET(c) || (c >= 'a' && c <= 'z'))
			characters += (c & 0xC0) != 0x80;
		else if ((c >= '0' && c <= '9') || c == '-' || c == '_')
		{
			characters++;
			letters = false;
		}
		else
			return false;
	}
	return labels >= 2 && characters >= 2 && (letters || strncmp(host + label, "xn--", 4) == 0);
}

/* Copies the domain in a text to a buffer of DOMAIN_MAX bytes; returns its length, 0 when there is none. */
static int
domain_of_text(const char *string, int length, char *domain)
{
	const char *end = string + length;
	char		buffer[DOMAIN_MAX + 64]; /* with port and "www." */
	char	   *host = buffer;
	int			bytes;

	while ((bytes = white_space_length(string, end - string)) > 0)
		string += bytes;
	string = skip_scheme(string, end);
	for (const char *at = string; at < end; at++)
		if (strchr("/?#\\", *at) != NULL)
			end = at;

	length = copy_host(string, end, host, sizeof(buffer));
	if (length <= 0)
		return 0;
	bytes = length;
	while (bytes > 0 && host[bytes - 1] >= '0' && host[bytes - 1] <= '9')
		bytes--;
	if (bytes > 0 && host[bytes - 1] == ':')
		length = bytes - 1;
	while (length > 0 && host[length - 1] == '.')
		length--;
	while (length > 4 && memcmp(host, "www.", 4) == 0 && memchr(host + 4, '.', length - 4) != NULL)
	{
		host += 4;
		length -= 4;
	}
	if (length > DOMAIN_MAX || !is_host_name(host, length))
		return 0;
	memcpy(domain, host, length);
	return length;
}

/* Copies the domain of a company to a buffer of DOMAIN_MAX bytes; returns its length, 0 when it has none. */
int
domain_of_company(Jsonb *company, char *domain)
{
	JsonbValue *value = NULL;

	if (JB_ROOT_IS_OBJECT(company))
		value = getKeyJsonValueFromContainer(&company->root, "domain", strlen("domain"), NULL);
	if (value == NULL || value->type != jbvString)
		return 0;
	return domain_of_text(value->val.string.val, value->val.string.len, domain);
}

/*
 * lead_domain(company_data jsonb) returns text
 *
 * The domain, or NULL when there is none: no key, not a string, or no host name in it.  Indexed together with
 * the workspace, as a unique key and to find a lead by its domain.  IMMUTABLE. LEAKPROOF: it cannot fail, so
 * that the planner may use that index under row-level security.
 * Callers: authenticated, service_role.  Errors: none.
 */
PG_FUNCTION_INFO_V1(openinfo_lead_domain);
Datum
openinfo_lead_domain(PG_FUNCTION_ARGS)
{
	char domain[DOMAIN_MAX];
	int	 length = domain_of_company(PG_GETARG_JSONB_P(0), domain);

	if (length == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(domain, length));
}
