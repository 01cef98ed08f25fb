/*
 * split.h
 *		What of a JSON object is sealed.
 */
#ifndef OPENINFO_SEALS_H
#define OPENINFO_SEALS_H

#include "openinfo.h"

#include "sealing/detect.h"

#define SEALING_REDACTED "[REDACTED]"
#define SEALING_HIDDEN "[HIDDEN]"

extern Jsonb *sealing_split(const Seal *seal, Jsonb *whole, Jsonb **sealed);
extern Jsonb *sealing_fill(Jsonb *shown, Jsonb *sealed);
extern Jsonb *sealing_merge(Jsonb *shown, Jsonb *sealed);

#endif
