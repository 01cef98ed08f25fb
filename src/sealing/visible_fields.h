/*
 * visible_fields.h
 *		The list of fields that stay visible.
 */
#ifndef OPENINFO_VISIBLE_FIELDS_H
#define OPENINFO_VISIBLE_FIELDS_H

#include "openinfo.h"

/* What the value of a field is, and so what the second line lets through; see detect.c. */
typedef enum VisibleKind
{
	VISIBLE_NOT, /* the field is not on the list */
	VISIBLE_TEXT,
	VISIBLE_URL,
	VISIBLE_ID,
	VISIBLE_DATE
} VisibleKind;

typedef struct VisibleFields
{
	const char	*object;
	bool		 placeholders; /* in the place of sealed values */
	Oid			 table;		   /* that the list was read from; InvalidOid: it must be read */
	struct HTAB *names;
} VisibleFields;

extern void					visible_fields_init(void);
extern const VisibleFields *visible_fields(const char *object);
extern VisibleKind			visible_kind(const VisibleFields *fields, const char *key, int length);

#endif
