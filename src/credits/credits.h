/*
 * credits.h
 *		Credits: what a member may spend per UTC day, and the ledger of what was spent.
 */
#ifndef OPENINFO_CREDITS_H
#define OPENINFO_CREDITS_H

#include "openinfo.h"

#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

/* A line of the ledger that is to be written. */
typedef struct CreditSpend
{
	pg_uuid_t		 workspace;
	pg_uuid_t		 user;		/* users.id, in that workspace */
	Oid				 action;	/* value of enum credit_action: catalog_enum("credit_action", ...) */
	int32			 credits;	/* 1 or more */
	const pg_uuid_t *reference; /* the row that it is about, or NULL */
	Jsonb			*metadata;	/* an object; NULL is {} */
	text			*key;		/* idempotency key, or NULL */
} CreditSpend;

/* How a member's credits stand. */
typedef struct CreditBalance
{
	bool	unlimited; /* then limit and remaining mean nothing */
	int32	limit;
	int32	used;
	int32	remaining; /* never negative, also where the limit was lowered below what is used */
	DateADT day;	   /* UTC day that they belong to; credits come back at its end */
} CreditBalance;

extern pg_uuid_t credits_spend(const CreditSpend *spend, CreditBalance *balance);
extern bool		 credits_balance(const pg_uuid_t *user, bool latest, CreditBalance *balance);

#endif
