/*
 * detect_secret.c
 *		How a secret of an integration is told: by the name of a key, and by the form of a string.
 */
#include "openinfo.h"

#include "sealing/detect.h"

static bool
secret_key(const char *name)
{
	static const char *const parts[] = {"secret", "token", "password", "passwd", "passphrase", "passcode", "passwort", "kennwort", "apikey",
										"privatekey", "accesskey", "signingkey", "encryptionkey", "credential", "authorization", "bearer", "webhook",
										"hookurl", "cookie", "connectionstring", "signature", "jwt", "hmac", NULL};
	static const char *const names[] = {"pwd", "pw", "dsn", "sig", "sessionid", "sk", "pat", "pin", "otp", "totp", "creds", NULL};
	static const char *const ends[] = {"pass", "key", "auth", NULL};
	static const char *const public_ends[] = {"publickey", "publishablekey", NULL};

	return forms_name_has(name, parts) || forms_name_is(name, names) ||
		   (forms_name_ends(name, ends) && !forms_name_ends(name, public_ends) && strcmp(name, "primarykey") != 0);
}

/* May stand in a token. */
static bool
is_token_char(char c)
{
	return forms_is_alnum(c) || c == '_' || c == '-';
}

static int
token_length(const char *string)
{
	int length = 0;

	while (is_token_char(string[length]))
		length++;
	return length;
}

/* "Bearer x", as it goes behind "Authorization:", and nothing else; but not "basic plan". */
static bool
is_scheme(const char *string)
{
	static const char *const schemes[] = {"bearer", "basic", "token", "digest", "negotiate", "apikey", "api-key", "geniekey", "sharedaccesssignature", NULL};
	static const char *const words[] = {"plan", "tier", "auth", "authentication", "authorization", "access", "account", "token", "package", "support",
										"version", "edition", "based", "only", "required", "mode", "type", NULL};

	string += strspn(string, " \t\r\n");
	for (const char *const *scheme = schemes; *scheme; scheme++)
		if (pg_strncasecmp(string, *scheme, strlen(*scheme)) == 0)
		{
			const char *word = string + strlen(*scheme);
			int			blanks = strspn(word, " \t\r\n"), length;

			word += blanks;
			length = strcspn(word, " \t\r\n");
			if (blanks > 0 && length > 0 && word[length + strspn(word + length, " \t\r\n")] == '\0' && forms_word_here(word, words) != length)
				return true;
		}
	return false;
}

/* A token in a form of its own, wherever it stands. */
static bool
has_token(const char *string)
{
	static const struct
	{
		const char *begin;
		int			least; /* characters behind it */
	} forms[] = {
		{"xoxb-", 1}, {"xoxp-", 1}, {"xoxa-", 1}, {"xoxr-", 1}, {"xoxs-", 1}, {"xoxe-", 1}, {"xoxe.", 1}, {"xoxc-", 1}, {"xoxd-", 1}, {"xapp-", 1}, {"sk_live_", 1}, {"sk_test_", 1}, {"rk_live_", 1}, {"rk_test_", 1}, {"whsec_", 1}, {"ghp_", 1}, {"gho_", 1}, {"ghu_", 1}, {"ghs_", 1}, {"ghr_", 1}, {"github_pat_", 1}, {"glpat-", 1}, {"shpat_", 1}, {"shpss_", 1}, {"shpca_", 1}, {"shppa_", 1}, {"AKIA", 16}, {"ASIA", 16}, {"AIza", 10}, {"ya29.", 10}, {"GOCSPX-", 1}, {"xkeysib-", 1}, {"pat-na1-", 1}, {"pat-eu1-", 1}, {"sq0atp-", 1}, {"sq0csp-", 1}, {"npm_", 20}, {"dop_v1_", 1}, {"lin_api_", 1}, {"sb_secret_", 1}, {"hvs.", 20}, {"key-", 32}};

	for (int i = 0; string[i] != '\0'; i++)
	{
		char		before = i > 0 ? string[i - 1] : ' ';
		const char *here = string + i;

		if (!forms_is_alnum(*here) || forms_is_alnum(before))
			continue;
		for (int f = 0; f < lengthof(forms); f++)
		{
			int length = 0;

			if (*here != forms[f].begin[0] || strncmp(here, forms[f].begin, strlen(forms[f].begin)) != 0)
				continue;
			while (length < forms[f].least && is_token_char(here[strlen(forms[f].begin) + length]))
				length++;
			if (length == forms[f].least)
				return true;
		}
		/* the rest is read to the end of the word, so only once for each */
		if (is_token_char(before))
			continue;
		if (strncmp(here, "eyJ", 3) == 0 || (strncmp(here, "SG.", 3) == 0 && before != '/'))
		{
			int first = here[0] == 'S' ? 2 : token_length(here);

			if (here[first] == '.' && token_length(here + first + 1) > 0 && (here[0] == 'e' || here[first + 1 + token_length(here + first + 1)] == '.'))
				return true;
		}
		if (strncmp(here, "sk-", 3) == 0)
		{
			/* a channel may be called sk-leads */
			int	 length = token_length(here);
			bool digit = false;

			for (int c = 3; c < length; c++)
				digit |= forms_is_digit(here[c]);
			if (length >= (digit ? 16 : 32))
				return true;
		}
	}
	return false;
}

/* A name with a value: "X-Api-Key: x", "Password=x;", {"token": "x"}, ?access_token=x; in a URL also ?code=x. */
static bool
has_named_secret(const char *string)
{
	for (const char *c = strpbrk(string, ":="); c != NULL; c = strpbrk(c + 1, ":="))
	{
		const char *end = c, *begin, *value = c + 1;
		char	   *name;
		bool		secret;

		while (end > string && forms_is_one_of(end[-1], " \"'"))
			end--;
		for (begin = end; begin > string && is_token_char(begin[-1]);)
			begin--;
		value += strspn(value, " \t\"'");
		if (begin == end || forms_is_one_of(*value, "&;,#}\r\n") || *value == '\0')
			continue;
		name = forms_plain_name(begin, end - begin);
		secret = secret_key(name) || (*c == '=' && begin > string && forms_is_one_of(begin[-1], "?&;#") && strcmp(name, "code") == 0);
		pfree(name);
		if (secret)
			return true;
	}
	return false;
}

/* Is there a PEM block that is not for everybody to read? */
static bool
has_private_block(const char *string)
{
	for (const char *block = strstr(string, "-----BEGIN "); block != NULL; block = strstr(block + 1, "-----BEGIN "))
	{
		const char *label = block + strlen("-----BEGIN ");
		int			length = strspn(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ");
		char	   *name = pnstrdup(label, length);
		bool public = strncmp(label + length, "-----", 5) == 0 && (strcmp(name, "CERTIFICATE") == 0 || strstr(name, "PUBLIC KEY") != NULL);

		pfree(name);
		if (!public)
			return true;
	}
	return false;
}

/* Does anything come behind the host? */
static bool
has_path(const char *rest)
{
	rest += strcspn(rest, "/?#");
	return rest[strspn(rest, "/")] != '\0';
}

/*
 * Services where whoever has the URL may send: the host, or the part of it that comes last; by its first part, when there
 * is something behind it to keep secret.
 */
static bool
is_hook_host(const char *host, int length)
{
	static const char *const hosts[] = {"maker.ifttt.com", "events.pagerduty.com", "alert.victorops.com", "api.telegram.org", "hc-ping.com", "hookb.in",
										"hkdk.events", "events.hookdeck.com", "logic.azure.com", "m.pipedream.net", "trayapp.io", NULL};

	if (strncmp(host, "hook.", 5) == 0 || strncmp(host, "hooks.", 6) == 0)
		return has_path(host + length);
	for (const char *const *known = hosts; *known; known++)
	{
		int rest = length - (int) strlen(*known);

		if (rest >= 0 && strncmp(host + rest, *known, strlen(*known)) == 0 && (rest == 0 || host[rest - 1] == '.'))
			return true;
	}
	return false;
}

/* A URL that carries a user and a password, or that is itself the secret, as those of incoming webhooks are. */
static bool
has_secret_url(const char *string)
{
	char *copy = pstrdup(string);
	char *url, *word;
	bool  result = false;

	for (char *c = copy; *c; c++)
		*c = pg_ascii_tolower((unsigned char) *c);
	url = strstr(copy, "://");
	if (url != NULL && (strstr(url, "webhook") != NULL || strstr(url, "/hooks/") != NULL || strstr(url, "/hook/") != NULL))
		result = true;
	for (; !result && url != NULL; url = strstr(url + 3, "://"))
	{
		char *host = url + 3;

		result = memchr(host, '@', strcspn(host, "/?#")) != NULL;
	}
	/* the scheme may have been left out */
	for (word = copy + strspn(copy, " \t\r\n<>\"'(,"); !result && *word != '\0'; word += strspn(word, " \t\r\n<>\"'(,"))
	{
		int	  length = strcspn(word, " \t\r\n<>\"'(,");
		bool  last = word[length] == '\0';
		char *host, *slashes;
		int	  host_length;

		word[length] = '\0';
		slashes = strstr(word, "://");
		host = slashes ? slashes + 3 : word;
		host_length = strcspn(host, "/?#:");
		if (slashes != NULL || host[host_length] == '/')
			result = is_hook_host(host, host_length) || (memchr(host, '.', host_length) != NULL && strstr(host, "webhook") != NULL);
		word += length + (last ? 0 : 1);
	}
	pfree(copy);
	return result;
}

static bool
secret_value(const char *name, const JsonbValue *value)
{
	char *string;
	bool  result;

	if (value->type != jbvString)
		return false;
	string = pnstrdup(value->val.string.val, value->val.string.len);
	result = is_scheme(string) || has_token(string) || has_named_secret(string) || has_private_block(string) || has_secret_url(string);
	pfree(string);
	return result;
}

const Seal secret_seal = {secret_key, secret_value, true};
