/*
 * detect.h
 *		How a contact and a secret are told.  Lists of names and words end with NULL.
 */
#ifndef OPENINFO_SEALED_FORMS_H
#define OPENINFO_SEALED_FORMS_H

#include "openinfo.h"

#include "utils/jsonb.h"

/*
 * A kind of sealing: which keys and which values, and whether a placeholder stays.  A name is that of a key as
 * forms_plain_name() has it.
 */
typedef struct Seal
{
	bool (*key)(const char *name);
	bool (*value)(const char *name, const JsonbValue *value); /* value: string or number; name: of the key above it, or NULL */
	bool leaves_placeholder;
} Seal;

extern const Seal contact_seal;
extern const Seal secret_seal;

extern char *forms_plain_name(const char *key, int length);
extern bool	 forms_name_has(const char *name, const char *const *parts);
extern bool	 forms_name_is(const char *name, const char *const *names);
extern bool	 forms_name_ends(const char *name, const char *const *ends);
extern int	 forms_at_sign(const char *string, int length);
extern int	 forms_word_here(const char *string, const char *const *words);

static inline bool
forms_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
forms_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IS_HIGHBIT_SET(c);
}

static inline bool
forms_is_alnum(char c)
{
	return forms_is_digit(c) || (forms_is_letter(c) && !IS_HIGHBIT_SET(c));
}

static inline bool
forms_is_one_of(char c, const char *characters)
{
	return c != '\0' && strchr(characters, c) != NULL;
}

#endif
