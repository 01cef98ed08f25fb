/*
 * seals.h
 *		What of a JSON object is sealed.
 */
#ifndef OPENINFO_SEALS_H
#define OPENINFO_SEALS_H

#include "openinfo.h"

#include "utils/jsonb.h"

#define SEALING_REDACTED "[REDACTED]"
#define SEALING_HIDDEN "[HIDDEN]"

/* A kind of sealing: which keys and which strings, and whether a placeholder stays. */
typedef struct Seal
{
	bool (*key)(const char *name); /* name: lower case, letters and digits only */
	bool (*string)(const char *string, int length);
	bool leaves_placeholder;
} Seal;

extern const Seal contact_seal;
extern const Seal secret_seal;

extern Jsonb *sealing_split(const Seal *seal, Jsonb *whole, Jsonb **sealed);
extern Jsonb *sealing_fill(Jsonb *shown, Jsonb *sealed);
extern Jsonb *sealing_merge(Jsonb *shown, Jsonb *sealed);
extern bool	  sealing_address_char(char c);
extern int	  sealing_at_sign(const char *string, int length);

#endif
