/*
 * person_data.h
 *		One person: what his person_data says.
 */
#ifndef OPENINFO_PERSON_H
#define OPENINFO_PERSON_H

#include "openinfo.h"

extern text *person_name_key(const char *string, int length);

#endif
