/*
 * lead_words.c
 *		What a lead is found by: the words of its company's name, domain and industry, and of its contact's
 *		name.
 *
 * Only the name is what a text can equal or begin.  Nothing else of a lead is read, so nothing else can be
 * found out by searching.
 *
 * Invariant: the keys of a row follow from its workspace, company_data and contact_data alone, and each
 * begins with the id of the workspace.
 */
#include "openinfo.h"

#include "utils/builtins.h"
#include "utils/uuid.h"

#include "leads/domain.h"
#include "leads/lead_words.h"

/* What a contact's name may be under; the parts of a name as well as the whole. */
static const char *const contact_names[] = {"name", "full_name", "first_name", "last_name"};

/* Adds the words of another text, which stand behind the name and cannot begin it. */
static void
words_add(TextWords *words, const char *s, int n, bool typed)
{
	TextWords more;
	int		  all;

	textwords_read(s, n, typed, &more);
	all = words->nothers + more.nwords + more.nothers;
	if (all == words->nothers)
		return;
	words->others = words->nothers > 0 ? repalloc(words->others, sizeof(TextWord) * all)
									   : palloc(sizeof(TextWord) * all);
	memcpy(words->others + words->nothers, more.words, sizeof(TextWord) * more.nwords);
	if (more.nothers > 0)
		memcpy(words->others + words->nothers + more.nwords, more.others, sizeof(TextWord) * more.nothers);
	words->nothers = all;
}

/* Reads a string of an object; false when there is none. */
static bool
object_string(Jsonb *object, const char *key, JsonbValue *value)
{
	return JB_ROOT_IS_OBJECT(object) &&
		   getKeyJsonValueFromContainer(&object->root, key, strlen(key), value) != NULL &&
		   value->type == jbvString;
}

/* The words of a lead: those of the name in their order, all others behind.  contact may be NULL. */
void
lead_words_read(Jsonb *company, Jsonb *contact, TextWords *words)
{
	char	   domain[DOMAIN_MAX];
	int		   n = domain_of_company(company, domain);
	JsonbValue value;

	if (object_string(company, "name", &value))
		textwords_read(value.val.string.val, value.val.string.len, false, words);
	else
		textwords_read("", 0, false, words);
	/* without the second reading, in which acme.com is acmecom */
	if (n > 0)
		words_add(words, domain, n, true);
	if (object_string(company, "industry", &value))
		words_add(words, value.val.string.val, value.val.string.len, false);
	for (int i = 0; contact && i < lengthof(contact_names); i++)
		if (object_string(contact, contact_names[i], &value))
			words_add(words, value.val.string.val, value.val.string.len, false);
}

/*
 * lead_search_keys(p_scope uuid, p_company_data jsonb, p_contact_data jsonb) returns bytea[]
 *
 * The keys of a lead in idx_leads_search; see keys.c.  p_scope is its workspace.  NULL without it or company.
 * IMMUTABLE.  Callers: the index, as the role that writes leads.  Errors: none.
 */
PG_FUNCTION_INFO_V1(openinfo_lead_search_keys);
Datum
openinfo_lead_search_keys(PG_FUNCTION_ARGS)
{
	KeyList	  list = {0};
	TextWords words;
	uint64	  hash;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	list.scope = (KeyScope){.n = UUID_LEN, .s = (char *) PG_GETARG_UUID_P(0)->data};
	lead_words_read(PG_GETARG_JSONB_P(1), PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), &words);
	hash = textwords_hash(&words);
	keys_add(&list, KEY_EQUAL, 0, (char *) &hash, sizeof(hash));
	for (int i = 0; i < words.nwords + words.nothers; i++)
	{
		const TextWord *w = i < words.nwords ? &words.words[i] : &words.others[i - words.nwords];

		keys_add(&list, KEY_WORD, 0, w->s, textword_bytes(w, WORD_KEY_CHARS));
	}
	if (words.nwords > 0)
	{
		const TextWord *first = &words.words[0];

		keys_add(&list, KEY_WORD, 1, first->s, textword_bytes(first, WORD_KEY_CHARS));
		keys_add(&list, KEY_LETTER, 1, first->s, textword_bytes(first, 1));
	}
	PG_RETURN_DATUM(keys_array(&list));
}
