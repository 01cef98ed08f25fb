/*
 * detect_contact.c
 *		How an e-mail address and a telephone number are told: by the name of a key, and by the form of a value.
 *
 *	national	of a number: with no + and no country in front
 */
#include "openinfo.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "sealing/detect.h"

/* ------------------------------------------------------------------------------------------------------------------
 * Keys
 * ------------------------------------------------------------------------------------------------------------------ */

static bool
contact_key(const char *name)
{
	static const char *const parts[] = {"email", "mailaddr", "phone", "mobile", "whatsapp", "telef", "landline", "directdial", "directline", "cellular",
										"msisdn", "faxnumber", "contactnumber", "officenumber", "worknumber", "homenumber", "directnumber",
										"callnumber", "dialnumber", "hotline", "switchboard", "rufnummer", "viber", NULL};
	static const char *const names[] = {"tel", "telno", "telnr", "telnum", "telnumber", "telnummer", "worktel", "hometel", "officetel", "maintel",
										"directtel", "companytel", "cell", "cellno", "cellnr", "cellnumber", "workcell", "fax", "faxno", "faxnr",
										"workfax", "officefax", "handy", "fon", "mails", "ph", "phno", "phnr", "phnum", "phnumber", "call", "callme",
										"callat", "callto", "callno", "callerid", "contactno", "contactnr", "contactnum", "officeno", "officenr",
										"officeline", "workno", "homeno", "directno", "mainline", "durchwahl", "sms", "waid", NULL};

	return forms_name_has(name, parts) || forms_name_is(name, names) || forms_name_ends(name, (const char *const[]){"mail", NULL});
}

/* Does a key say that ten digits under it are something else than a telephone number?  A key that says nothing does not. */
static bool
contact_other_key(const char *name)
{
	static const char *const parts[] = {"revenue", "employee", "headcount", "follower", "salary", "timestamp", "linkedin", "hubspot", "salesforce",
										"crunchbase", "zip", "postal", "postcode", NULL};
	static const char *const ends[] = {"id", "ids", "urn", "urns", "guid", "uuid", "hash", "code", "codes", "date", "dates", "time", "times", "edat",
									   "esat", "seenat", "sentat", "epoch", "millis", "year", "years", "month", "birthday", "since", "until", "period",
									   "count", "counts", "total", "size", "sizes", "range", "connections", "subscribers", "visits", "views", "likes",
									   "sales", "turnover", "income", "profit", "ebitda", "funding", "raised", "valuation", "marketcap", "capital",
									   "capitalization", "budget", "amount", "price", "cost", "assets", "rank", "score", "index", "percent", "ratio",
									   "rate", "latitude", "longitude", "coordinates", "ipaddress", "version", "bytes", "sequence", "offset", "isbn",
									   "issn", "orcid", "duns", "dunsnumber", "siret", "siren", "vatnumber", "taxnumber", "registrationnumber",
									   "companynumber", "ordernumber", "invoicenumber", "serialnumber", "iban", "swift", NULL};
	static const char *const names[] = {"ts", "at", "dob", "plz", "lat", "lon", "lng", "geo", "ip", "usd", "eur", "gbp", "ein", "vat", "vatno", "taxno", "cik",
										"lei", "bic", "crn", "abn", "ean", "gtin", "sku", "seq", "founded", "established", "staff", NULL};
	static const char *const contacts[] = {"candidate", NULL};

	return name != NULL && !forms_name_is(name, contacts) && (forms_name_has(name, parts) || forms_name_ends(name, ends) || forms_name_is(name, names));
}

/* ------------------------------------------------------------------------------------------------------------------
 * Addresses
 * ------------------------------------------------------------------------------------------------------------------ */

/* May stand in an e-mail address beside the @; generous, for what is sealed. */
static bool
address_char(char c)
{
	return IS_HIGHBIT_SET(c) || forms_is_alnum(c) || forms_is_one_of(c, ".!#$%&'*+/=?^_`{|}~-\"");
}

static bool
has_address(const char *string, int length)
{
	for (int i = 1; i < length; i++)
	{
		int at = forms_at_sign(string + i, length - i);

		/* not after a slash: https://example.com/@name is a profile */
		if (at > 0 && address_char(string[i - 1]) && string[i - 1] != '/' && i + at < length && address_char(string[i + at]))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------------------------------------------------------
 * Telephone numbers
 * ------------------------------------------------------------------------------------------------------------------ */

/* Digits of a national number that says nothing else of itself, and of any. */
#define NUMBER_LEAST 10
#define NUMBER_MOST 15

/* Digits of one that begins with 0, and of one beside a word such as "tel". */
#define NUMBER_LEAST_ZERO 9
#define NUMBER_LEAST_CUED 7

/* What may stand within a number. */
#define NUMBER_BETWEEN " ()-./"

/* Of the characters U+2000 to U+203F, by the last byte: blanks, what is not seen, hyphens and dashes, quotation marks. */
static char
general_punctuation(unsigned char last)
{
	if (last >= 0x8b && last <= 0x8f)
		return '\0';
	return last >= 0x90 && last <= 0x95 ? '-' : ' ';
}

/*
 * A string as numbers are looked for in it: blanks, hyphens and digits as in ASCII, however the writer's keyboard or his
 * HTML has them, and nothing that is not seen.
 */
static char *
fold_string(const char *string, int length)
{
	static const struct
	{
		const char *from;
		char		to; /* '\0': nothing */
	} folds[] = {
		{"\xc2\xa0", ' '}, {"\xe3\x80\x80", ' '}, {"\xc2\xad", '\0'}, {"\xe2\x81\xa0", '\0'}, {"\xef\xbb\xbf", '\0'}, {"\xef\xb8\x8f", '\0'}, {"\xef\xbc\x9a", ':'}, {"\xc2\xb7", '.'}, {"\xe2\x88\x92", '-'}, {"\xef\xbc\x8b", '+'}, {"\xef\xbc\x88", '('}, {"\xef\xbc\x89", ')'}, {"\xef\xbc\x8d", '-'}, {"\xef\xbc\x8e", '.'}, {"\xef\xbc\x8f", '/'}, {"%2B", '+'}, {"%2b", '+'}, {"&#43;", '+'}, {"&plus;", '+'}, {"%20", ' '}, {"&nbsp;", ' '}};
	char *folded = palloc(length + 1);
	int	  to = 0;

	for (int i = 0; i < length;)
	{
		const unsigned char *s = (const unsigned char *) string + i;
		int					 left = length - i, taken = 0;
		char				 c = '\0';

		if (forms_is_alnum(*s) || *s == ' ')
			;
		else if (*s == '\t')
			taken = 1, c = ' ';
		else if (left >= 3 && s[0] == 0xe2 && s[1] == 0x80 && s[2] >= 0x80)
			taken = 3, c = general_punctuation(s[2]);
		else if (left >= 3 && s[0] == 0xe2 && s[1] >= 0x98 && s[1] <= 0x9e)
			taken = 3, c = ' '; /* symbols: a telephone among them */
		else if (left >= 4 && s[0] == 0xf0 && s[1] == 0x9f)
			taken = 4, c = ' ';
		else if (left >= 3 && s[0] == 0xef && s[1] == 0xbc && s[2] >= 0x90 && s[2] <= 0x99)
			taken = 3, c = '0' + s[2] - 0x90;
		else if (left >= 2 && ((s[0] == 0xd9 && s[1] >= 0xa0 && s[1] <= 0xa9) || (s[0] == 0xdb && s[1] >= 0xb0 && s[1] <= 0xb9)))
			taken = 2, c = '0' + (s[1] & 0x0f);
		else
			for (int f = 0; f < lengthof(folds) && taken == 0; f++)
				if (left >= strlen(folds[f].from) && memcmp(s, folds[f].from, strlen(folds[f].from)) == 0)
					taken = strlen(folds[f].from), c = folds[f].to;

		if (taken == 0)
			folded[to++] = string[i++];
		else if (c != '\0')
			folded[to++] = c;
		i += taken;
	}
	folded[to] = '\0';
	return folded;
}

/* Digits of what could be one number from here on; *end is where it ends. */
static int
phone_digits(const char *string, int *end)
{
	int digits = 0, i;

	for (i = 0; forms_is_digit(string[i]) || forms_is_one_of(string[i], NUMBER_BETWEEN); i++)
		if (forms_is_digit(string[i]))
			digits++;
	*end = i;
	return digits;
}

/* Three, three and four digits, grouped: a number as it is written in North America. */
static bool
phone_grouped(const char *string)
{
	static const char pattern[] = "999-999-9999"; /* a hyphen stands for what is between the groups */
	int				  i = 0;

	if (string[0] == '(')
		i++;
	for (const char *p = pattern; *p; p++)
	{
		int between = 0;

		if (*p == '9')
		{
			if (!forms_is_digit(string[i++]))
				return false;
			continue;
		}
		for (; between < 2 && forms_is_one_of(string[i], " )-."); i++)
			between++;
		if (between == 0)
			return false;
	}
	return !forms_is_digit(string[i]);
}

/* The groups of digits that a number may have, from its first digit or parenthesis on. */
typedef struct Groups
{
	int	 count;
	int	 digits; /* of all of them */
	int	 length[NUMBER_MOST];
	int	 value[NUMBER_MOST];
	int	 end[NUMBER_MOST];	  /* offset in the string */
	bool marked[NUMBER_MOST]; /* more than blanks between it and the one before */
} Groups;

/* Reads a bounded piece of the string: no more digits than a number has, no more than three characters between groups. */
static void
read_groups(const char *string, Groups *groups)
{
	int i = 0;

	memset(groups, 0, sizeof(*groups));
	while (groups->count < NUMBER_MOST && groups->digits < NUMBER_MOST)
	{
		int	 n = groups->count, between;
		bool marked = false;

		for (between = 0; between < 3 && forms_is_one_of(string[i], NUMBER_BETWEEN); between++)
			marked |= string[i++] != ' ';
		if (!forms_is_digit(string[i]) || (n > 0 && between == 0))
			return;
		groups->marked[n] = marked;
		for (; forms_is_digit(string[i]) && groups->length[n] <= NUMBER_MOST; i++)
		{
			groups->length[n]++;
			if (groups->length[n] <= 4)
				groups->value[n] = groups->value[n] * 10 + string[i] - '0';
		}
		groups->digits += groups->length[n];
		groups->end[n] = i;
		groups->count++;
	}
}

static bool
is_year(const Groups *groups, int n)
{
	return n < groups->count && groups->length[n] == 4 && groups->value[n] >= 1900 && groups->value[n] < 2100;
}

static bool
is_day_or_month(const Groups *groups, int n, int most)
{
	return n < groups->count && groups->length[n] <= 2 && groups->value[n] >= 1 && groups->value[n] <= most;
}

/* Do they begin as a date or a period does?  01.02.2024, 2024-01-02, 02/2024, 2019-2024. */
static bool
is_dated(const Groups *groups)
{
	if (groups->count < 2 || !groups->marked[1])
		return false;
	if (is_year(groups, 0))
		return is_year(groups, 1) || (is_day_or_month(groups, 1, 12) && groups->marked[2] && is_day_or_month(groups, 2, 31));
	return (is_day_or_month(groups, 0, 12) && is_year(groups, 1)) ||
		   (is_day_or_month(groups, 0, 31) && is_day_or_month(groups, 1, 31) && groups->marked[2] && is_year(groups, 2));
}

/* One number with a point: a decimal, as 13.4049540 is; or four as in an address of the Internet. */
static bool
is_decimal_or_ip(const char *string, const Groups *groups)
{
	for (const char *c = string; *c; c++)
		if (forms_is_one_of(*c, " ()-/"))
			return false;
	if (groups->count == 2)
		return groups->length[0] == 1 || (groups->length[0] == 2 && string[0] != '0');
	for (int i = 0; i < groups->count; i++)
		if (groups->length[i] > 3 || groups->value[i] > 255)
			return false;
	return groups->count == 4;
}

/* All of the string is a number, in a national form. */
static bool
is_number(const char *name, const char *string)
{
	int	   start = strspn(string, " "), end, digits;
	bool   zero, together;
	Groups groups;

	string += start;
	zero = string[0] == '0' || string[0] == '(';
	if (!zero && !forms_is_digit(string[0]))
		return false;
	digits = phone_digits(string, &end);
	if (string[end] != '\0' || digits > NUMBER_MOST || digits < (zero ? NUMBER_LEAST_ZERO : NUMBER_LEAST))
		return false;
	read_groups(string, &groups);
	if (is_dated(&groups) || is_decimal_or_ip(string, &groups))
		return false;
	together = groups.count == 1;
	return (zero && !together) || !contact_other_key(name);
}

/* Does a number of its own begin here?  Not within a word, a decimal, a date, a path. */
static bool
begins_apart(const char *string, int i)
{
	char before = i > 0 ? string[i - 1] : ' ', second = i > 1 ? string[i - 2] : ' ';

	if (forms_is_digit(before) || forms_is_letter(before) || forms_is_one_of(before, "_$@%&=+"))
		return false;
	if (forms_is_one_of(before, ".,:/-"))
		return !forms_is_digit(second) && (before == ':' || (!forms_is_letter(second) && second != '/' && second != before));
	return true;
}

static bool
ends_apart(const char *string, int i)
{
	if (forms_is_digit(string[i]) || forms_is_letter(string[i]) || forms_is_one_of(string[i], "_%@"))
		return false;
	return !forms_is_one_of(string[i], ".:-") || (!forms_is_digit(string[i + 1]) && !forms_is_letter(string[i + 1]));
}

/* Within a text: a number that begins with 0, or of ten digits and more together. */
static bool
is_number_in_text(const char *name, const char *string, int i)
{
	Groups groups;
	int	   digits = 0;

	if (!begins_apart(string, i))
		return false;
	read_groups(string + i, &groups);
	if (groups.count == 0 || is_dated(&groups))
		return false;
	if (groups.length[0] >= NUMBER_LEAST_ZERO)
		return groups.length[0] >= (string[i] == '0' ? NUMBER_LEAST_ZERO : NUMBER_LEAST) && groups.length[0] <= NUMBER_MOST &&
			   ends_apart(string, i + groups.end[0]) && !contact_other_key(name);
	/* an area code, of which none begins with three zeros */
	if (string[i] != '0' || groups.count < 2 || strncmp(string + i, "000", 3) == 0 || (groups.length[0] == 1 && string[i + 1] != ')'))
		return false;
	for (int n = 0; n < groups.count; n++)
	{
		digits += groups.length[n];
		if (digits >= NUMBER_LEAST_ZERO && digits <= NUMBER_MOST && !forms_is_letter(string[i + groups.end[n]]) && string[i + groups.end[n]] != '_')
			return true;
	}
	return false;
}

/* A word that speaks of telephones, and a number behind it: "Tel. 4930123", "call me at 2125550100", "wa.me/4930123456". */
static bool
is_cued_number(const char *string, int i)
{
	static const char *const cues[] = {"tel", "telephone", "telefon", "telefono", "phone", "phones", "mobile", "mobil", "mob", "cell", "cellphone",
									   "call", "callto", "sms", "ph", "fax", "fon", "handy", "whatsapp", "viber", "wa.me", "dial", "ring", NULL};
	static const char *const fillers[] = {"no", "nr", "num", "number", "nummer", "me", "us", "at", "on", "is", "under", "office", "work", "home", NULL};
	int						 length;
	Groups					 groups;

	if ((i > 0 && forms_is_letter(string[i - 1])) || (length = forms_word_here(string + i, cues)) == 0)
		return false;
	for (int fill = 0; fill < 4; fill++)
	{
		i += length;
		for (int between = 0; between < 4 && forms_is_one_of(string[i], " .:-/=#*['\""); between++)
			i++;
		if ((length = forms_word_here(string + i, fillers)) == 0)
			break;
	}
	if (string[i] != '(' && !forms_is_digit(string[i]))
		return false;
	read_groups(string + i, &groups);
	return groups.digits >= NUMBER_LEAST_CUED && !is_dated(&groups);
}

/*
 * A telephone number.  One in international form, in groups, with a 0 in front or beside a word that speaks of it is
 * found anywhere in the text; other national numbers, which look like any number, only when they are all of it or ten
 * digits together, and the key does not say what else they are.
 */
static bool
has_number(const char *name, const char *string)
{
	/* profiles have numbers of their own in them */
	bool profile = strstr(string, "linkedin.com/") != NULL;

	if (is_number(name, string) || pg_strncasecmp(string, "tel:", 4) == 0)
		return true;
	for (int i = 0; string[i] != '\0'; i++)
	{
		char before = i > 0 ? string[i - 1] : ' ';
		int	 end;

		if (string[i] == '+' && before != '+' && !forms_is_alnum(before) && (forms_is_digit(string[i + 1]) || string[i + 1] == '(') &&
			phone_digits(string + i + 1, &end) >= 7)
			return true;
		if (!profile && (forms_is_digit(string[i]) || string[i] == '(') && !forms_is_digit(before) && phone_grouped(string + i))
			return true;
		if (forms_is_digit(string[i]) && !forms_is_digit(before) && is_number_in_text(name, string, i))
			return true;
		if (forms_is_letter(string[i]) && is_cued_number(string, i))
			return true;
	}
	return false;
}

/* A JSON number as it would be dialled. */
static bool
is_number_value(const char *name, Numeric number)
{
	char *string = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	int	  digits = strspn(string, "0123456789");
	bool  whole = string[digits] == '\0' || (string[digits] == '.' && string[digits + 1 + strspn(string + digits + 1, "0")] == '\0');

	pfree(string);
	return whole && digits >= NUMBER_LEAST && digits <= NUMBER_MOST && !contact_other_key(name);
}

static bool
contact_value(const char *name, const JsonbValue *value)
{
	char *folded;
	bool  result;

	if (value->type == jbvNumeric)
		return is_number_value(name, value->val.numeric);
	if (has_address(value->val.string.val, value->val.string.len))
		return true;
	folded = fold_string(value->val.string.val, value->val.string.len);
	result = has_number(name, folded);
	pfree(folded);
	return result;
}

const Seal contact_seal = {contact_key, contact_value, false};
