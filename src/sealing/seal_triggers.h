/*
 * seal_triggers.h
 *		What a row must not show: unpaid contacts and secrets of integrations.
 */
#ifndef OPENINFO_SEAL_TRIGGERS_H
#define OPENINFO_SEAL_TRIGGERS_H

#include "openinfo.h"

extern bool seal_triggers_resealing;

extern void seal_triggers_init(void);

#endif
