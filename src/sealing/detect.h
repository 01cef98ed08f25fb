/*
 * detect.h
 *		Contacts in text that is visible by the name of its field.
 */
#ifndef OPENINFO_DETECT_H
#define OPENINFO_DETECT_H

#include "openinfo.h"

#include "sealing/visible_fields.h"

extern bool detect_contact(const char *string, int length, VisibleKind kind);

#endif
