/*
 * errors.h
 *		One function per refusal, each with its SQLSTATE, message and hint.
 */
#ifndef OPENINFO_REFUSE_H
#define OPENINFO_REFUSE_H

#include "openinfo.h"

/* PostgREST answers PTnnn with HTTP status nnn: 402 is Payment Required */
#define ERRCODE_OPENINFO_PAYMENT_REQUIRED MAKE_SQLSTATE('P', 'T', '4', '0', '2')

/* 28000: nobody is signed in */
extern void error_signed_out(void) pg_attribute_noreturn();

/* 42501: not yours, or not your role */
extern void error_other_workspace(void) pg_attribute_noreturn();
extern void error_other_user(void) pg_attribute_noreturn();
extern void error_no_membership(void) pg_attribute_noreturn();
extern void error_service_only(const char *function) pg_attribute_noreturn();
extern void error_role(const char *required, const char *what) pg_attribute_noreturn();
extern void error_role_above_own(void) pg_attribute_noreturn();
extern void error_owner_by_admin(void) pg_attribute_noreturn();
extern void error_last_owner(void) pg_attribute_noreturn();
extern void error_unpaid_contact(void) pg_attribute_noreturn();
extern void error_ledger_change(const char *table) pg_attribute_noreturn();

/* PT402: no credits left, or the plan's limit is reached */
extern void error_credits(const char *plan, int64 limit, int64 used, int64 needed) pg_attribute_noreturn();
extern void error_plan_limit(const char *what, const char *remedy, const char *plan, int64 limit, int64 used, int64 needed) pg_attribute_noreturn();
extern void error_export_rows(const char *plan, int64 limit, int64 needed) pg_attribute_noreturn();

/* 22023: an argument out of range */
extern void error_malformed_claims(const char *detail) pg_attribute_noreturn();
extern void error_malformed_uuid(const char *where, const char *value) pg_attribute_noreturn();
extern void error_null(const char *argument) pg_attribute_noreturn();
extern void error_blank(const char *argument) pg_attribute_noreturn();
extern void error_infinite(const char *argument) pg_attribute_noreturn();
extern void error_below_one(const char *argument, int64 value) pg_attribute_noreturn();
extern void error_negative(const char *argument, int64 value) pg_attribute_noreturn();
extern void error_not_object(const char *argument) pg_attribute_noreturn();
extern void error_unknown_key(const char *argument, const char *key, const char *known) pg_attribute_noreturn();
extern void error_wrong_type(const char *argument, const char *key, const char *wanted) pg_attribute_noreturn();
extern void error_not_array(const char *argument) pg_attribute_noreturn();
extern void error_no_such_row(const char *argument, const char *table) pg_attribute_noreturn();
extern void error_not_in_workspace(const char *user, const char *workspace) pg_attribute_noreturn();
extern void error_key_form(const char *argument, int longest) pg_attribute_noreturn();
extern void error_key_reused(const char *key) pg_attribute_noreturn();
extern void error_empty_workspace(const char *argument) pg_attribute_noreturn();

/* 55000: the tables are not there, or do not take what is written */
extern void error_missing_table(const char *table) pg_attribute_noreturn();
extern void error_missing_column(const char *table, const char *column) pg_attribute_noreturn();
extern void error_lost_row(const char *table) pg_attribute_noreturn();

/* 55000: pg_cron is not here, or has that job for another database */
extern void error_missing_cron(const char *database) pg_attribute_noreturn();
extern void error_job_elsewhere(const char *job, const char *database) pg_attribute_noreturn();

/* 55000: data would go along */
extern void error_drop(const char *command, const char *table, int64 rows) pg_attribute_noreturn();

/* 0A000, 39P01: a trigger function where it does not belong */
extern void error_not_trigger(const char *function) pg_attribute_noreturn();

#endif
