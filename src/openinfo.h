/*
 * openinfo.h
 *		What every module shares: the settings.
 *
 * The folders of src/ are the architecture; the modules are listed in the Makefile in reading order.
 */
#ifndef OPENINFO_H
#define OPENINFO_H

#include "postgres.h"

#include "fmgr.h"

#include "core/compat.h"

/* settings; see _PG_init() */
extern char *openinfo_workspace_id;
extern bool	 openinfo_allow_data_loss;
extern bool	 openinfo_allow_drop;
extern bool	 openinfo_install_tables;
extern int	 openinfo_workspaces_per_person;

#endif
