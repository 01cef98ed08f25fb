/*
 * person_data.h
 *		One person: what person_data says.
 */
#ifndef OPENINFO_PERSON_H
#define OPENINFO_PERSON_H

#include "openinfo.h"

/* A filter by text on a key of person_data. */
typedef struct PersonFilter
{
	const char *key;
	bool		contains; /* the text, in any case; else equal to it */
} PersonFilter;

#define PERSON_FILTERS 6

extern const PersonFilter person_filters[PERSON_FILTERS];

extern text *person_name_key(const char *string, int length);

#endif
