/*
 * jobs.c
 *		The four scheduled functions, through pg_cron.
 *
 *	job			what pg_cron runs; four of them are ours, known by their names
 *	run			one execution of a job, as cron.job_run_details keeps it
 *	due			the minute at which a schedule wants a run, in pg_cron's time zone
 *	overdue		due for more than OVERDUE_AFTER since the last run, or since it was scheduled, and not run
 *
 * pg_cron lives in one database of a server, if anywhere, and so nothing here may need it: its tables and functions are
 * looked up when they are used.  Jobs belong to the owner of the extension whoever schedules them, so that scheduling them
 * again finds them, and they run as somebody who may run the functions.
 *
 * Invariant: in a database with pg_cron, schedule_jobs() leaves exactly these four jobs for it, however often and by
 * however many at once it is called.
 */
#include "openinfo.h"

#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "access/authorize.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"
#include "operations/due.h"

#define OVERDUE_AFTER (10 * USECS_PER_MINUTE)

typedef struct Job
{
	const char *name;
	const char *schedule; /* UTC */
	const char *function;
} Job;

/* in the order in which they are listed everywhere */
static const Job jobs[] = {
	{"openinfo_reset_daily_credits", "0 0 * * *", "reset_daily_credits"},
	{"openinfo_update_topic_trends", "5 0 * * 1", "update_topic_trends"},
	{"openinfo_reset_weekly_lead_counts", "0 0 * * 1", "reset_weekly_lead_counts"},
	{"openinfo_cleanup_expired_exports", "30 0 * * *", "cleanup_expired_exports"},
};

static bool
jobs_have_cron(void)
{
	return OidIsValid(get_extension_oid("pg_cron", true));
}

/*
 * What a job runs.  Once the extension is gone the job has nothing left to do and unschedules itself; while the extension
 * is there, an error stays an error, to be seen in openinfo_jobs.  A block, because SQL that names a function which is gone
 * cannot be parsed; looking the job up, because pg_cron makes up for a minute that it missed even when the job is gone.
 * pg_cron does not know since when a job has been there; the first line does, for "overdue".
 */
static char *
jobs_command(const Job *job)
{
	pg_time_t now = timestamptz_to_time_t(GetCurrentTimestamp());
	char	  since[32];

	pg_strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", pg_gmtime(&now));
	return psprintf("-- openinfo, scheduled %s\n"
					"DO $openinfo$ BEGIN\n"
					"  IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname OPERATOR(pg_catalog.=) 'openinfo') THEN\n"
					"    PERFORM %s.%s();\n"
					"  ELSE\n"
					"    PERFORM cron.unschedule(jobid) FROM cron.job WHERE jobname OPERATOR(pg_catalog.=) '%s'\n"
					"      AND username OPERATOR(pg_catalog.=) current_user AND database OPERATOR(pg_catalog.=) pg_catalog.current_database();\n"
					"  END IF;\n"
					"END $openinfo$",
					since, catalog_schema_name(), job->function, job->name);
}

/*
 * schedule_jobs() returns setof text
 *
 * Schedules the four jobs for this database, or brings those that are there back to what they should be; returns their
 * names.  Callers: superusers and service_role; CREATE EXTENSION.  Errors: 42501 anybody else; 25006 read-only; 55000 pg_cron is not in this
 * database, or keeps a job of that name for another one.  Locks: RowExclusive on cron.job.
 * Rule: section 6 of the contract.
 */
PG_FUNCTION_INFO_V1(openinfo_schedule_jobs);
Datum
openinfo_schedule_jobs(PG_FUNCTION_ARGS)
{
	/* pg_cron finds a job by name and user alone, and would hand us the command of a job that runs elsewhere */
	static Statement elsewhere = STATEMENT("SELECT database FROM cron.job"
										   " WHERE jobname = $1::name AND username = current_user AND database <> current_database()",
										   "text");
	static Statement schedule = STATEMENT("SELECT cron.schedule($1, $2, $3)", "text, text, text");
	ReturnSetInfo	*set = (ReturnSetInfo *) fcinfo->resultinfo;
	StatementScope	 scope;

	authorize_service("schedule_jobs");
	PreventCommandIfReadOnly("schedule_jobs()");
	if (!jobs_have_cron())
		error_missing_cron(get_database_name(MyDatabaseId));

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	statement_begin_as(&scope, catalog_owner());
	for (int i = 0; i < lengthof(jobs); i++)
	{
		Datum values[3] = {CStringGetTextDatum(jobs[i].name), CStringGetTextDatum(jobs[i].schedule),
						   CStringGetTextDatum(jobs_command(&jobs[i]))};
		bool  isnull = false;

		if (statement_run(&elsewhere, values, NULL, true, 1) > 0)
			error_job_elsewhere(jobs[i].name, TextDatumGetCString(statement_value(1, &isnull)));
		(void) statement_run(&schedule, values, NULL, false, 0);
		tuplestore_putvalues(set->setResult, set->setDesc, values, &isnull);
	}
	statement_end(&scope);
	return (Datum) 0;
}

/*
 * unschedule_jobs() returns setof text
 *
 * Takes the four jobs of this database away, whoever scheduled them; returns the names of those that were there, and
 * nothing where pg_cron is not in this database.  Callers, locks: as schedule_jobs().  Errors: 42501 anybody else; 25006
 * read-only.
 */
PG_FUNCTION_INFO_V1(openinfo_unschedule_jobs);
Datum
openinfo_unschedule_jobs(PG_FUNCTION_ARGS)
{
	static Statement unschedule = STATEMENT("SELECT cron.unschedule(jobid) FROM cron.job"
											" WHERE jobname = $1::name AND database = current_database()",
											"text");
	ReturnSetInfo	*set = (ReturnSetInfo *) fcinfo->resultinfo;
	StatementScope	 scope;

	authorize_service("unschedule_jobs");
	/* pg_cron deletes without asking */
	PreventCommandIfReadOnly("unschedule_jobs()");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (!jobs_have_cron())
		return (Datum) 0;

	statement_begin_as(&scope, catalog_owner());
	for (int i = 0; i < lengthof(jobs); i++)
	{
		Datum name = CStringGetTextDatum(jobs[i].name);
		bool  isnull = false;

		if (statement_run(&unschedule, &name, NULL, false, 0) > 0)
			tuplestore_putvalues(set->setResult, set->setDesc, &name, &isnull);
	}
	statement_end(&scope);
	return (Datum) 0;
}

/* Whether runs are recorded at all; without that nothing is known of them. */
static bool
jobs_are_logged(void)
{
	const char *logged = GetConfigOption("cron.log_run", true, false);

	return logged == NULL || strcmp(logged, "off") != 0;
}

/* Columns of job_status(), and of what is read for it. */
enum
{
	STATUS_NAME,
	STATUS_SCHEDULE,
	STATUS_ACTIVE,
	STATUS_LAST_START,
	STATUS_LAST_STATUS,
	STATUS_LAST_MESSAGE,
	STATUS_DURATION,
	STATUS_NEXT_DUE,
	STATUS_OVERDUE,
	STATUS_COLUMNS
};

/* When a job is due, as far as its schedule can be read. */
static void
jobs_fill_due(Datum *values, bool *isnull, TimestampTz since)
{
	TimestampTz now = GetCurrentTimestamp();
	Schedule	schedule;
	TimestampTz due;

	if (!due_parse(TextDatumGetCString(values[STATUS_SCHEDULE]), &schedule))
		return;
	isnull[STATUS_NEXT_DUE] = !due_after(&schedule, now, &due);
	values[STATUS_NEXT_DUE] = TimestampTzGetDatum(due);

	if (since == DT_NOBEGIN || !jobs_are_logged())
		return;
	isnull[STATUS_OVERDUE] = false;
	values[STATUS_OVERDUE] = BoolGetDatum(due_after(&schedule, since, &due) && due + OVERDUE_AFTER < now);
}

/*
 * job_status() returns table (name text, schedule text, active boolean, last_start timestamptz, last_status text,
 *		last_message text, duration interval, next_due timestamptz, overdue boolean)
 *
 * The four jobs and how they are doing; behind view openinfo_jobs.  last_status is 'not scheduled' where pg_cron, in this
 * database, has no such job.  next_due is NULL when the job is not active, or somebody gave it a schedule that due.c does
 * not read; overdue is NULL when it cannot be known.
 * Callers: superusers and service_role.  Errors: 42501 anybody else.  Locks: AccessShare on pg_cron's two tables.
 */
PG_FUNCTION_INFO_V1(openinfo_job_status);
Datum
openinfo_job_status(PG_FUNCTION_ARGS)
{
	/* a run that never got a connection has an end and no start */
	static Statement read = STATEMENT("SELECT j.schedule, j.active, coalesce(r.start_time, r.end_time), r.status, r.return_message,"
									  " r.end_time - r.start_time,"
									  " greatest(coalesce(r.start_time, r.end_time),"
									  "  substring(j.command FROM '^-- openinfo, scheduled (\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ)')::timestamptz)"
									  " FROM cron.job j LEFT JOIN LATERAL"
									  "  (SELECT * FROM cron.job_run_details WHERE jobid = j.jobid ORDER BY runid DESC LIMIT 1) r ON true"
									  " WHERE j.jobname = $1::name AND j.database = current_database()"
									  " ORDER BY j.active DESC, j.jobid LIMIT 1",
									  "text");
	ReturnSetInfo	*set = (ReturnSetInfo *) fcinfo->resultinfo;
	bool			 have_cron = jobs_have_cron();
	StatementScope	 scope;

	authorize_service("job_status");
	InitMaterializedSRF(fcinfo, 0);
	statement_begin_as(&scope, catalog_owner());
	for (int i = 0; i < lengthof(jobs); i++)
	{
		Datum values[STATUS_COLUMNS];
		bool  isnull[STATUS_COLUMNS];

		memset(isnull, true, sizeof(isnull));
		isnull[STATUS_NAME] = isnull[STATUS_ACTIVE] = false;
		values[STATUS_NAME] = CStringGetTextDatum(jobs[i].name);
		if (have_cron && statement_run(&read, &values[STATUS_NAME], NULL, true, 1) > 0)
		{
			bool  unknown;
			Datum since = statement_value(7, &unknown);

			for (int column = STATUS_SCHEDULE; column <= STATUS_DURATION; column++)
				values[column] = statement_value(column, &isnull[column]);
			if (DatumGetBool(values[STATUS_ACTIVE]))
				jobs_fill_due(values, isnull, unknown ? DT_NOBEGIN : DatumGetTimestampTz(since));
		}
		else
		{
			values[STATUS_ACTIVE] = BoolGetDatum(false);
			values[STATUS_LAST_STATUS] = CStringGetTextDatum("not scheduled");
			isnull[STATUS_LAST_STATUS] = false;
		}
		tuplestore_putvalues(set->setResult, set->setDesc, values, isnull);
	}
	statement_end(&scope);
	return (Datum) 0;
}
