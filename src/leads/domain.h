/*
 * domain.h
 *		The domain of a company.
 */
#ifndef OPENINFO_DOMAIN_H
#define OPENINFO_DOMAIN_H

#include "openinfo.h"

#include "utils/jsonb.h"

/* Bytes of the longest domain name. */
#define DOMAIN_MAX 253

extern int domain_of_company(Jsonb *company, char *domain);

#endif
