/*
 * stripe_facts.h
 *		What an event of Stripe says about the subscription of a workspace.
 */
#ifndef OPENINFO_STRIPE_FACTS_H
#define OPENINFO_STRIPE_FACTS_H

#include "openinfo.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"

extern JsonbContainer *stripe_object(Jsonb *metadata);
extern Jsonb		  *stripe_facts(Oid event_type, JsonbContainer *object);
extern const char	  *stripe_string(JsonbContainer *object, const char *key);
extern bool			   stripe_seconds(float8 seconds, TimestampTz *result);

#endif
