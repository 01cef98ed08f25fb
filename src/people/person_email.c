/*
 * person_email.c
 *		Which e-mail address of a person counts.
 *
 *	label	a word that says whose or which address it is: in a key above it, or the "type" or "status" beside
 *			it
 *	list	the array that addresses are in
 *
 * The order of addresses:
 *	1. below a key that names mail, before any other place
 *	2. by their labels: work, and the key "email" of the person; none; personal; old; assistant's; company's
 *	3. in a list by their confidence, where it has one
 *	4. in the order in which jsonb keeps keys: shorter ones first
 *
 * A vendor's placeholder, such as email_not_unlocked@domain.com or a***@acme.example, is no address.
 *
 * Invariant: it takes time in proportion to the size of the object; of a string PLAIN_TEXT_MOST bytes are
 * searched.
 */
#include "openinfo.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "sealing/plain_text.h"

/* What labels say of an address; the worst of them counts. */
typedef enum Rank
{
	RANK_WORK,
	RANK_NONE,
	RANK_PERSONAL,
	RANK_OLD,
	RANK_ASSISTANT,
	RANK_COMPANY,
	RANK_ELSEWHERE /* added where no key names mail */
} Rank;

/* Words, by their beginnings. */
static const struct
{
	const char *word;
	Rank		rank;
} labels[] = {
	/* clang-format off */
	{"work", RANK_WORK}, {"business", RANK_WORK}, {"professional", RANK_WORK}, {"current", RANK_WORK},
	{"personal", RANK_PERSONAL}, {"private", RANK_PERSONAL}, {"home", RANK_PERSONAL}, {"old", RANK_OLD},
	{"former", RANK_OLD}, {"previous", RANK_OLD}, {"past", RANK_OLD}, {"historic", RANK_OLD},
	{"inactive", RANK_OLD}, {"invalid", RANK_OLD}, {"bounced", RANK_OLD}, {"expired", RANK_OLD},
	{"assistant", RANK_ASSISTANT}, {"secretary", RANK_ASSISTANT}, {"company", RANK_COMPANY},
	{"organi", RANK_COMPANY}, {"employer", RANK_COMPANY}, {"account", RANK_COMPANY},
	{"generic", RANK_COMPANY}, {"support", RANK_COMPANY}
	/* clang-format on */
};

/* A place in the object. */
typedef struct Place
{
	bool   mail;  /* a key above names mail */
	bool   work;  /* a label says work */
	Rank   other; /* the worst label, or RANK_NONE */
	int	   list;  /* 0: in none */
	double confidence;
} Place;

typedef struct Search
{
	char  *address; /* the best so far, in UTF-8; NULL: none */
	Rank   rank;
	int	   list;
	double confidence;
	int	   lists; /* seen so far */
} Search;

/*
 * Adds what the words of a label say.  Words end where letters do, and before a capital: workEmail,
 * work_email.
 */
static void
add_label(Place *place, const char *string, int length)
{
	for (int i = 0; i < length; i++)
	{
		bool letter = isalpha((unsigned char) string[i]);

		if (!letter || (i > 0 && isalpha((unsigned char) string[i - 1]) &&
						!(isupper((unsigned char) string[i]) && islower((unsigned char) string[i - 1]))))
			continue;
		for (int l = 0; l < lengthof(labels); l++)
		{
			int n = strlen(labels[l].word);

			if (n > length - i || pg_strncasecmp(string + i, labels[l].word, n) != 0)
				continue;
			if (labels[l].rank == RANK_WORK)
				place->work = true;
			else
				place->other = Max(place->other, labels[l].rank);
		}
	}
}

/* Does a key contain a word, or with at_end end with it? */
static bool
key_has(const JsonbValue *key, const char *word, bool at_end)
{
	int n = strlen(word), length = key->val.string.len;

	for (int i = at_end ? Max(length - n, 0) : 0; i + n <= length; i++)
		if (pg_strncasecmp(key->val.string.val + i, word, n) == 0)
			return true;
	return false;
}

/* Confidence as a number: 97, "0.97", "97 %", or a grade, of which "A" is the best. */
static double
confidence_of(const JsonbValue *value)
{
	char *string;
	char  grade;

	if (value->type == jbvNumeric)
		string = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	else if (value->type == jbvString && value->val.string.len < 32)
		string = pnstrdup(value->val.string.val, value->val.string.len);
	else
		return -1;
	grade = pg_toupper((unsigned char) *string);
	if (grade >= 'A' && grade <= 'F' && strlen(string) <= 2)
		return 'F' - grade + (string[1] == '+') * 0.3 - (string[1] == '-') * 0.3;
	return strtod(string, NULL);
}

/* What an object says of the addresses in it. */
static void
read_labels(JsonbContainer *object, Place *place)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	   key, item;

	(void) JsonbIteratorNext(&it, &item, false);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&it, &item, true);
		if (item.type == jbvString && (key_has(&key, "type", true) || key_has(&key, "status", true) ||
									   key_has(&key, "kind", true) || key_has(&key, "label", true)))
			add_label(place, item.val.string.val, Min(item.val.string.len, NAMEDATALEN));
		if (key_has(&key, "confidence", false) || key_has(&key, "score", true) ||
			key_has(&key, "grade", true))
			place->confidence = Max(place->confidence, confidence_of(&item));
	}
}

static bool
domain_char(char c)
{
	return IS_HIGHBIT_SET(c) || isalnum((unsigned char) c) || c == '.' || c == '-';
}

/* What may be before the at sign, as RFC 5322 has it of a dot-atom. */
static bool
local_char(char c)
{
	return domain_char(c) || (c != '\0' && strchr("!#$%&'*+/=?^_`{|}~", c) != NULL);
}

/* Is this what a vendor writes where it shows no address?  local ends at the at sign. */
static bool
is_placeholder(const char *local)
{
	static const char *const parts[] = {"notunlocked", "notavailable", "unavailable", "notfound",
										"notprovided", "noemail", "nomail", "redacted", "placeholder"};
	static const char *const words[] = {"none", "null", "unknown", "hidden", "locked", "masked",
										"xxx", "xxxx"};
	const char				*at = strchr(local, '@');
	char					 name[NAMEDATALEN];
	int						 length = 0;

	for (const char *c = local; c < at; c++)
	{
		if (*c == '*' || strncmp(c, "..", 2) == 0 || strncmp(c, "\xe2\x80\xa2", 3) == 0) /* a bullet */
			return true;
		if (isalpha((unsigned char) *c) && length < NAMEDATALEN - 1)
			name[length++] = pg_tolower((unsigned char) *c);
	}
	name[length] = '\0';
	for (int i = 0; i < lengthof(parts); i++)
		if (strstr(name, parts[i]))
			return true;
	for (int i = 0; i < lengthof(words); i++)
		if (strcmp(name, words[i]) == 0)
			return true;
	return strcmp(name, "email") == 0 &&
		   (pg_strcasecmp(at, "@domain.com") == 0 || pg_strcasecmp(at, "@company.com") == 0);
}

/* The first address in a string, or NULL. */
static char *
address_in(const char *string, int length)
{
	char *s = plain_text(string, length);
	char *begin = s;

	for (char *at = s; *at; at++)
	{
		char *end = at + 1;

		if (*at != '@')
		{
			if (!local_char(*at))
				begin = at + 1;
			continue;
		}
		while (domain_char(*end))
			end++;
		/* the quotes around it, and the full stop of the sentence */
		while (begin < at && strchr("'`.", *begin) != NULL)
			begin++;
		while (end > at + 1 && (end[-1] == '.' || end[-1] == '-'))
			end--;
		if (begin < at && end > at + 1)
		{
			char *address = pnstrdup(begin, end - begin);

			if (!is_placeholder(address))
				return address;
		}
		begin = at + 1;
	}
	return NULL;
}

/* Takes the address in a string, if it comes before the best so far. */
static void
offer(Search *search, const JsonbValue *string, const Place *place)
{
	Rank  rank = place->work ? RANK_WORK : RANK_NONE;
	char *address;

	if (place->other > RANK_NONE)
		rank = place->other;
	if (!place->mail)
		rank += RANK_ELSEWHERE;
	if (search->address != NULL && rank >= search->rank &&
		!(rank == search->rank && place->list != 0 && place->list == search->list &&
		  place->confidence > search->confidence))
		return;
	address = address_in(string->val.string.val, string->val.string.len);
	if (address == NULL)
		return;
	search->address = address;
	search->rank = rank;
	search->list = place->list;
	search->confidence = place->confidence;
}

/* Searches a container; above: the place that it is in. */
static void
search_container(Search *search, JsonbContainer *container, const Place *above, bool root)
{
	JsonbIterator	  *it = JsonbIteratorInit(container);
	JsonbIteratorToken token;
	JsonbValue		   item;
	Place			   here = *above;

	check_stack_depth();

	token = JsonbIteratorNext(&it, &item, false);
	if (token == WJB_BEGIN_ARRAY)
		here.list = ++search->lists;
	else if (!root)
		read_labels(container, &here);

	while ((token = JsonbIteratorNext(&it, &item, true)) == WJB_KEY || token == WJB_ELEM)
	{
		Place place = here;

		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
		{
			JsonbValue key = item;

			offer(search, &key, &here);
			(void) JsonbIteratorNext(&it, &item, true);
			add_label(&place, key.val.string.val, Min(key.val.string.len, NAMEDATALEN));
			place.mail |= key_has(&key, "mail", false);
			place.work |= root && key.val.string.len == 5 && key_has(&key, "email", false);
		}
		if (item.type == jbvString)
			offer(search, &item, &place);
		else if (item.type == jbvBinary)
			search_container(search, item.val.binary.data, &place, false);
	}
}

/*
 * person_email(person_data jsonb) returns text
 *
 * The e-mail address of a person, or NULL when none is known; which one, says the head of this file.  Only
 * the address is returned, not the text around it.  It tells nothing but what it is given: of a row that is
 * not paid for, nothing. Callers: authenticated, service_role; the functions of people.c, as the owner of the
 * tables.  Errors: none.
 */
PG_FUNCTION_INFO_V1(openinfo_person_email);
Datum
openinfo_person_email(PG_FUNCTION_ARGS)
{
	Search search = {0};
	Place  place = {.other = RANK_NONE, .confidence = -1};

	search_container(&search, &PG_GETARG_JSONB_P(0)->root, &place, true);
	if (search.address == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(pg_any_to_server(search.address, strlen(search.address), PG_UTF8)));
}
