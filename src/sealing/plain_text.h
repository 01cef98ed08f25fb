/*
 * plain_text.h
 *		Text as its reader sees it.
 */
#ifndef OPENINFO_PLAIN_TEXT_H
#define OPENINFO_PLAIN_TEXT_H

#include "openinfo.h"

/* Bytes of a string that are read. */
#define PLAIN_TEXT_MOST 4096

extern char *plain_text(const char *string, int length);

#endif
