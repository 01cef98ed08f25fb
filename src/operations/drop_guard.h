/*
 * drop_guard.h
 *		Protection against accidental drops.
 */
#ifndef OPENINFO_DROP_GUARD_H
#define OPENINFO_DROP_GUARD_H

#include "openinfo.h"

extern void drop_guard_init(void);

#endif
