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

/* A row of the ledger that is to be written. */
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

/* A member's balance. */
typedef struct CreditBalance
{
	bool	unlimited; /* then limit and remaining mean nothing */
	int32	limit;
	int32	used;
	int32	remaining; /* never negative, also where the limit was lowered below what is used */
	DateADT day;	   /* UTC day that it belongs to; credits are reset at its end */
} CreditBalance;

/* A member's counter; the plan is for errors. */
typedef struct Counter
{
	pg_uuid_t	  workspace;
	char		 *plan;
	CreditBalance balance;
} Counter;

/* counter.c */
extern bool counter_read(const pg_uuid_t *user, bool latest, Counter *counter);
extern bool counter_spend(const pg_uuid_t *user, const pg_uuid_t *workspace, int32 credits, pg_uuid_t *person,
						  CreditBalance *balance);
extern void counter_unspend(const pg_uuid_t *user, const pg_uuid_t *workspace, int32 credits);
extern bool credits_balance(const pg_uuid_t *user, bool latest, CreditBalance *balance);

/* ledger.c */
extern pg_uuid_t credits_spend(const CreditSpend *spend, CreditBalance *balance);

#endif
