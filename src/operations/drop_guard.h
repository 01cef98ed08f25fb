/*
 * drop_guard.h
 *		DROP EXTENSION, DROP SCHEMA and DROP OWNED do not take data along by the way.
 */
#ifndef OPENINFO_GUARD_H
#define OPENINFO_GUARD_H

#include "openinfo.h"

extern void drop_guard_init(void);

#endif
