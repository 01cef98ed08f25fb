/*
 * audit_columns.h
 *		The triggers that fill created_by, updated_at and their like.
 */
#ifndef OPENINFO_STAMPS_H
#define OPENINFO_STAMPS_H

#include "openinfo.h"

extern void audit_columns_hold(void (*run)(void *), void *argument);

#endif
