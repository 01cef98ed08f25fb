/*
 * violations.h
 *		Violated constraints, in words for the person who sent the value.
 */
#ifndef OPENINFO_VIOLATIONS_H
#define OPENINFO_VIOLATIONS_H

#include "openinfo.h"

#include "core/statement.h"

extern char *violations_shorten(text *value);
extern void	 violations_run(Statement *statement, const Datum *values, const char *nulls, text *value);

#endif
