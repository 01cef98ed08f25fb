/*
 * detect.c
 *		What the forms of contacts (contact_forms.c) and of secrets (secret_forms.c) are made of.
 *
 *	name	a key without case and without anything but letters and digits, and without digits at its end; E_Mail and
 *			e-mail are one, tel and tel2 too
 *
 * When in doubt it is sealed: what is hidden by mistake comes back when it is paid for, or is shown to the admin; what is
 * shown by mistake is lost.
 *
 * Invariants of both: whether something is sealed depends on itself, its key and its labels alone, so that what is shown
 * stays shown when the rest is gone.  And it takes time in proportion to the length of the string: the backend takes
 * what others wrote.
 */
#include "openinfo.h"

#include "sealing/detect.h"

bool
forms_name_has(const char *name, const char *const *parts)
{
	for (; *parts; parts++)
		if (strstr(name, *parts))
			return true;
	return false;
}

bool
forms_name_is(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

bool
forms_name_ends(const char *name, const char *const *ends)
{
	size_t length = strlen(name);

	for (; *ends; ends++)
		if (length >= strlen(*ends) && strcmp(name + length - strlen(*ends), *ends) == 0)
			return true;
	return false;
}

/* The name of a key. */
char *
forms_plain_name(const char *key, int key_length)
{
	char *name = palloc(key_length + 1);
	int	  length = 0;

	for (int i = 0; i < key_length; i++)
	{
		char c = pg_ascii_tolower((unsigned char) key[i]);

		if (forms_is_letter(c) || forms_is_digit(c))
			name[length++] = c;
	}
	while (length > 0 && forms_is_digit(name[length - 1]))
		length--;
	name[length] = '\0';
	return name;
}

/* Length of an @ here, as it may be written in an address: full width, small, or escaped in a URL or in HTML; or 0. */
int
forms_at_sign(const char *string, int length)
{
	static const char *const signs[] = {"@", "\xef\xbc\xa0", "\xef\xb9\xab", "%40", "&#64;", NULL};

	for (const char *const *sign = signs; *sign; sign++)
		if (length >= strlen(*sign) && memcmp(string, *sign, strlen(*sign)) == 0)
			return strlen(*sign);
	return 0;
}

/* Length of one of words here, as a word of its own; or 0. */
int
forms_word_here(const char *string, const char *const *words)
{
	for (; *words; words++)
		if (pg_strncasecmp(string, *words, strlen(*words)) == 0 && !forms_is_letter(string[strlen(*words)]))
			return strlen(*words);
	return 0;
}
