/*
 * integrations.h
 *		Errors of the services to which a workspace has its events sent.
 */
#ifndef OPENINFO_INTEGRATIONS_H
#define OPENINFO_INTEGRATIONS_H

#include "openinfo.h"

extern Datum integration_message(Datum workspace, Datum integration, text *message);
extern void	 integration_count_error(Datum workspace, Datum integration, Datum message);

#endif
