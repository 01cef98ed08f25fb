/*
 * errors.h
 *		Errors that more than one module raises; each function never returns.
 */
#ifndef OPENINFO_ERRORS_H
#define OPENINFO_ERRORS_H

#include "openinfo.h"

#include "utils/uuid.h"

/* PostgREST answers PTnnn with HTTP status nnn */
#define ERRCODE_OPENINFO_UNAUTHORIZED MAKE_SQLSTATE('P', 'T', '4', '0', '1')
#define ERRCODE_OPENINFO_PAYMENT_REQUIRED MAKE_SQLSTATE('P', 'T', '4', '0', '2')

/* PT401: authentication required */
extern void error_signed_out(void) pg_attribute_noreturn();

/* 42501: a row of another workspace, or a role that is too low */
extern void error_no_workspace(void) pg_attribute_noreturn();
extern void error_other_workspace(const pg_uuid_t *workspace) pg_attribute_noreturn();
extern void error_other_user(const pg_uuid_t *user) pg_attribute_noreturn();
extern void error_other_row(const char *what, const pg_uuid_t *id) pg_attribute_noreturn();
extern void error_service_only(const char *function) pg_attribute_noreturn();
extern void error_superuser_only(const char *function) pg_attribute_noreturn();
extern void error_role(const char *required, const char *what) pg_attribute_noreturn();
extern void error_unpaid_contact(void) pg_attribute_noreturn();

/* PT402: not enough credits, or a plan limit exceeded */
extern void error_payment_required(const char *message, const char *hint, const char *plan, int64 limit,
								   int64 used,
								   int64 needed) pg_attribute_noreturn();

/* 22023: an argument out of range */
extern void error_malformed_uuid(const char *where, const char *value) pg_attribute_noreturn();
extern void error_null(const char *argument) pg_attribute_noreturn();
extern void error_blank(const char *argument) pg_attribute_noreturn();
extern void error_infinite(const char *argument) pg_attribute_noreturn();
extern void error_below_one(const char *argument, int64 value) pg_attribute_noreturn();
extern void error_negative(const char *argument, int64 value) pg_attribute_noreturn();
extern void error_not_object(const char *argument) pg_attribute_noreturn();
extern void error_not_array(const char *argument) pg_attribute_noreturn();
extern void error_invalid_value(const char *argument, const char *value, const char *valid)
	pg_attribute_noreturn();
extern void error_unknown_key(const char *argument, const char *key, const char *valid)
	pg_attribute_noreturn();
extern void error_wrong_type(const char *argument, const char *key, const char *wanted)
	pg_attribute_noreturn();
extern void error_no_such_row(const char *what, const pg_uuid_t *id) pg_attribute_noreturn();
extern void error_not_found_by_search(const char *what, const pg_uuid_t *id) pg_attribute_noreturn();
extern void error_no_such_plan(const text *plan) pg_attribute_noreturn();
extern void error_plans_missing(const pg_uuid_t *workspace) pg_attribute_noreturn();
extern void error_not_in_workspace(const pg_uuid_t *user, const pg_uuid_t *workspace) pg_attribute_noreturn();
extern void error_empty_workspace(const pg_uuid_t *workspace) pg_attribute_noreturn();

/* 55000: tables and indexes that are missing, or tables that discard what is written */
extern void error_missing_table(const char *table) pg_attribute_noreturn();
extern void error_missing_column(const char *table, const char *column) pg_attribute_noreturn();
extern void error_unusable_index(const char *index, const char *hint) pg_attribute_noreturn();
extern void error_lost_row(const char *table) pg_attribute_noreturn();

/* 55000: pg_cron is not installed, or has a job of that name for another database */
extern void error_missing_cron(const char *database) pg_attribute_noreturn();
extern void error_job_elsewhere(const char *job, const char *database) pg_attribute_noreturn();

/* 55000: a DROP that would delete data */
extern void error_drop(const char *command, const char *table, int64 rows) pg_attribute_noreturn();

/* 0A000: what reads a table of its own server, where Citus distributes it */
extern void error_distributed(const char *function) pg_attribute_noreturn();

/* 39P01: a trigger function that was called by anything but a trigger of its table */
extern void error_not_trigger(const char *function) pg_attribute_noreturn();

#endif
