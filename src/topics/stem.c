/*
 * stem.c
 *		The stem of an English word, by the steps that M. F. Porter described in 1980.
 *
 * The server brings a stemmer too, but its rules change between major versions, and
 * the search index is made of stems: after pg_upgrade the two would disagree.  This one
 * never changes.
 *
 * Words used here: the "measure" of a beginning is how often vowels are followed by
 * consonants in it; a rule applies only when what it leaves has enough of it.
 *
 * Invariant: only words of small ASCII letters are touched, and the stem is never
 * longer than the word.
 */
#include "openinfo.h"

#include "topics/text.h"

typedef struct StemRule
{
	const char *ends;
	const char *becomes;
} StemRule;

static const StemRule stem_step2[] = {
	{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"}, {"anci", "ance"}, {"izer", "ize"}, {"abli", "able"}, {"alli", "al"}, {"entli", "ent"}, {"eli", "e"}, {"ousli", "ous"}, {"ization", "ize"}, {"ation", "ate"}, {"ator", "ate"}, {"alism", "al"}, {"iveness", "ive"}, {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"}, {"iviti", "ive"}, {"biliti", "ble"}, {NULL, NULL}};

static const StemRule stem_step3[] = {
	{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"}, {"ical", "ic"}, {"ful", ""}, {"ness", ""}, {NULL, NULL}};

static const StemRule stem_step4[] = {
	{"al", ""}, {"ance", ""}, {"ence", ""}, {"er", ""}, {"ic", ""}, {"able", ""}, {"ible", ""}, {"ant", ""}, {"ement", ""}, {"ment", ""}, {"ent", ""}, {"sion", "s"}, {"tion", "t"}, {"ou", ""}, {"ism", ""}, {"ate", ""}, {"iti", ""}, {"ous", ""}, {"ive", ""}, {"ize", ""}, {NULL, NULL}};

static bool
stem_consonant(const char *w, int i)
{
	switch (w[i])
	{
		case 'a':
		case 'e':
		case 'i':
		case 'o':
		case 'u':
			return false;
		case 'y':
			return i == 0 || !stem_consonant(w, i - 1);
	}
	return true;
}

static int
stem_measure(const char *w, int n)
{
	int m = 0;
	int i = 0;

	while (i < n && stem_consonant(w, i))
		i++;
	while (i < n)
	{
		while (i < n && !stem_consonant(w, i))
			i++;
		if (i >= n)
			break;
		m++;
		while (i < n && stem_consonant(w, i))
			i++;
	}
	return m;
}

static bool
stem_has_vowel(const char *w, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (!stem_consonant(w, i))
			return true;
	return false;
}

static bool
stem_doubled(const char *w, int n)
{
	return n >= 2 && w[n - 1] == w[n - 2] && stem_consonant(w, n - 1);
}

/* consonant, vowel, consonant at the end, the last of them not w, x or y: "hop" of "hope" */
static bool
stem_short(const char *w, int n)
{
	return n >= 3 && stem_consonant(w, n - 1) && !stem_consonant(w, n - 2) && stem_consonant(w, n - 3) &&
		   w[n - 1] != 'w' && w[n - 1] != 'x' && w[n - 1] != 'y';
}

static bool
stem_ends(const char *w, int n, const char *end)
{
	int k = strlen(end);

	return k < n && memcmp(w + n - k, end, k) == 0;
}

/* The longest rule of a list that fits decides, whether it then applies or not. */
static int
stem_apply(char *w, int n, const StemRule *rules, int measure)
{
	const StemRule *best = NULL;
	const StemRule *r;
	int				left;

	for (r = rules; r->ends; r++)
		if (stem_ends(w, n, r->ends) && (best == NULL || strlen(r->ends) > strlen(best->ends)))
			best = r;
	if (best == NULL)
		return n;
	left = n - strlen(best->ends);
	if (stem_measure(w, left + (measure > 1 ? (int) strlen(best->becomes) : 0)) < measure)
		return n;
	memcpy(w + left, best->becomes, strlen(best->becomes));
	return left + strlen(best->becomes);
}

/*
 * Writes the stem of a word to "out", which has room for the word, and returns its
 * length; 0 when the word has none of its own (not English letters, or too short).
 */
int
topic_stem(const TopicWord *word, char *out)
{
	int	  n = word->n;
	int	  i;
	char *w = out;
	bool  cut;

	if (n < 3 || n > TOPIC_KEY_CHARS)
		return 0;
	for (i = 0; i < n; i++)
		if (word->s[i] < 'a' || word->s[i] > 'z')
			return 0;
	memcpy(w, word->s, n);

	/* plurals */
	if (w[n - 1] == 's')
	{
		if (stem_ends(w, n, "sses") || stem_ends(w, n, "ies"))
			n -= 2;
		else if (w[n - 2] != 's')
			n--;
	}
	/* -eed, -ed, -ing */
	cut = false;
	if (stem_ends(w, n, "eed"))
	{
		if (stem_measure(w, n - 3) > 0)
			n--;
	}
	else if (stem_ends(w, n, "ed") && stem_has_vowel(w, n - 2))
	{
		n -= 2;
		cut = true;
	}
	else if (stem_ends(w, n, "ing") && stem_has_vowel(w, n - 3))
	{
		n -= 3;
		cut = true;
	}
	if (cut)
	{
		if (stem_ends(w, n, "at") || stem_ends(w, n, "bl") || stem_ends(w, n, "iz"))
			w[n++] = 'e';
		else if (stem_doubled(w, n) && w[n - 1] != 'l' && w[n - 1] != 's' && w[n - 1] != 'z')
			n--;
		else if (stem_measure(w, n) == 1 && stem_short(w, n))
			w[n++] = 'e';
	}
	if (n > 1 && w[n - 1] == 'y' && stem_has_vowel(w, n - 1))
		w[n - 1] = 'i';
	n = stem_apply(w, n, stem_step2, 1);
	n = stem_apply(w, n, stem_step3, 1);
	n = stem_apply(w, n, stem_step4, 2);
	/* a final e, a final double l */
	if (w[n - 1] == 'e')
	{
		int m = stem_measure(w, n - 1);

		if (m > 1 || (m == 1 && !stem_short(w, n - 1)))
			n--;
	}
	if (n > 1 && w[n - 1] == 'l' && w[n - 2] == 'l' && stem_measure(w, n) > 1)
		n--;
	return n;
}
