/*
 * sealing.h
 *		What a row must not show: unpaid contacts and secrets of integrations.
 */
#ifndef OPENINFO_SEALING_H
#define OPENINFO_SEALING_H

#include "openinfo.h"

#include "seals.h"

extern void sealing_init(void);

#endif
