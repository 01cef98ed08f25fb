/*
 * white_space.h
 *		What is white space, in every encoding.
 */
#ifndef OPENINFO_WHITE_SPACE_H
#define OPENINFO_WHITE_SPACE_H

#include "openinfo.h"

extern int	white_space_length(const char *string, int length);
extern bool white_space_only(const char *string, int length);

#endif
