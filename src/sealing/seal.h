/*
 * seal.h
 *		What of a JSON object stays visible, and what is sealed.
 */
#ifndef OPENINFO_SEAL_H
#define OPENINFO_SEAL_H

#include "openinfo.h"

#include "utils/jsonb.h"

#include "sealing/visible_fields.h"

#define SEAL_REDACTED "[REDACTED]"
#define SEAL_HIDDEN "[HIDDEN]"

extern Jsonb *seal_split(const VisibleFields *fields, Jsonb *whole, Jsonb **sealed);
extern Jsonb *seal_restore(Jsonb *shown, Jsonb *before, Jsonb *sealed, bool placeholders);

#endif
