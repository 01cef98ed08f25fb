/*
 * seal_triggers.h
 *		What a row must not show: unpaid contacts and secrets of integrations.
 */
#ifndef OPENINFO_SEALING_H
#define OPENINFO_SEALING_H

#include "openinfo.h"

#include "sealing/split.h"

extern void seal_triggers_init(void);

#endif
