/*
 * stem.c
 *		The stem of an English word, by the steps that M. F. Porter described in 1980.
 *
 * It is the dictionary porter_stem of the extension, on the server's snowball template with the language
 * "porter", whose rules do not change between major versions, unlike those of "english": the search index
 * depends on the stems.
 *
 * Invariant: only words of the letters a to z are looked up, which mean the same in every encoding.
 */
#include "openinfo.h"

#include "catalog/pg_ts_dict.h"
#include "tsearch/ts_cache.h"
#include "tsearch/ts_public.h"
#include "utils/syscache.h"

#include "core/catalog.h"
#include "topics/text.h"

/*
 * Writes the stem of a word to "out", which has capacity for the word and a byte more, and returns its
 * length; 0 when the word has none (other letters, too short or too long).
 */
int
textword_stem(const TextWord *word, char *out)
{
	Oid						dictionary;
	TSDictionaryCacheEntry *entry;
	TSLexeme			   *stem;
	int						n;

	if (word->n < 3 || word->n > WORD_KEY_CHARS)
		return 0;
	for (int i = 0; i < word->n; i++)
		if (word->s[i] < 'a' || word->s[i] > 'z')
			return 0;
	dictionary = GetSysCacheOid2(TSDICTNAMENSP, Anum_pg_ts_dict_oid, CStringGetDatum("porter_stem"),
								 ObjectIdGetDatum(catalog_schema()));
	if (!OidIsValid(dictionary))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("text search dictionary \"%s\" does not exist", "porter_stem")));
	entry = lookup_ts_dictionary_cache(dictionary);
	stem = (TSLexeme *) DatumGetPointer(FunctionCall4(&entry->lexize, PointerGetDatum(entry->dictData),
													  PointerGetDatum(word->s), Int32GetDatum(word->n),
													  PointerGetDatum(NULL)));
	if (stem == NULL || stem->lexeme == NULL)
		return 0;
	n = strlen(stem->lexeme);
	if (n > word->n)
		return 0;
	memcpy(out, stem->lexeme, n);
	return n;
}
