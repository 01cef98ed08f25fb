/*
 * claims.h
 *		JWT claims -> person.
 */
#ifndef OPENINFO_CLAIMS_H
#define OPENINFO_CLAIMS_H

#include "openinfo.h"

#include "utils/uuid.h"

/* What the claims say. */
typedef struct Claims
{
	bool	  has_person;
	pg_uuid_t person;
	bool	  has_workspace;
	pg_uuid_t workspace;
} Claims;

extern const Claims *claims_current(void);
extern bool			 claims_person(pg_uuid_t *person);
extern bool			 claims_parse_uuid(const char *string, pg_uuid_t *uuid);

static inline bool
uuid_same(const pg_uuid_t *a, const pg_uuid_t *b)
{
	return memcmp(a->data, b->data, UUID_LEN) == 0;
}

#endif
