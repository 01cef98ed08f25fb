/*
 * audit_columns.h
 *		The triggers that fill created_by, updated_at and similar columns.
 */
#ifndef OPENINFO_AUDIT_COLUMNS_H
#define OPENINFO_AUDIT_COLUMNS_H

#include "openinfo.h"

/* Runs a function during which set_updated_at() changes nothing. */
extern void audit_columns_keep_updated_at(void (*run)(void *), void *argument);

#endif
