/*
 * sealing.h
 *		What a row must not show: unpaid contacts and secrets of integrations.
 */
#ifndef OPENINFO_SEALING_H
#define OPENINFO_SEALING_H

#include "openinfo.h"

#include "utils/jsonb.h"

#define SEALING_REDACTED "[REDACTED]"
#define SEALING_HIDDEN	 "[HIDDEN]"

extern void	  sealing_init(void);
extern Jsonb *sealing_fill(Jsonb *shown, Jsonb *sealed);
extern Jsonb *sealing_merge(Jsonb *shown, Jsonb *sealed);

#endif
