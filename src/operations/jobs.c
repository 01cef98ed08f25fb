/*
 * jobs.c
 *		The four scheduled functions, run by pg_cron.
 *
 *	job			what pg_cron runs; four jobs are ours, known by their names
 *	run			one execution of a job, as recorded in cron.job_run_details
 *	overdue		active, and not started since the job's interval (a day or a week) and ten minutes
 *
 * pg_cron is in one database of a server, if in any, so nothing here may require it: its tables and functions
 * are looked up when they are used.  Jobs belong to the owner of the extension, no matter who schedules them:
 * so scheduling them again finds them, and they run as a role that may call the functions.
 *
 * Invariant: in a database with pg_cron, schedule_jobs() leaves exactly these four jobs for it, however often
 * and in however many sessions at once it is called.
 */
#include "openinfo.h"

#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "access/authorize.h"
#include "core/catalog.h"
#include "core/errors.h"
#include "core/statement.h"

typedef struct Job
{
	const char *name;
	const char *schedule; /* UTC */
	int			interval; /* hours */
	const char *function;
} Job;

/* in the order in which they are listed everywhere */
static const Job jobs[] = {
	{"openinfo_reset_daily_credits", "0 0 * * *", 24, "reset_daily_credits"},
	{"openinfo_update_topic_trends", "5 0 * * 1", 7 * 24, "update_topic_trends"},
	{"openinfo_reset_weekly_lead_counts", "0 0 * * 1", 7 * 24, "reset_weekly_lead_counts"},
	{"openinfo_cleanup_expired_exports", "30 0 * * *", 24, "cleanup_expired_exports"},
};

static bool
jobs_have_cron(void)
{
	return OidIsValid(get_extension_oid("pg_cron", true));
}

/* Whether the extension has the function of a job; a library may be newer than the extension. */
static bool
job_exists(const Job *job)
{
	List *function = list_make2(makeString(get_namespace_name(catalog_schema())),
								makeString(pstrdup(job->function)));

	return OidIsValid(LookupFuncName(function, 0, NULL, true));
}

/*
 * The command of a job.  The function is looked up among the members of the extension: a function of that
 * name in a schema of that name may be anybody's, and the job belongs to a superuser.  When the extension has
 * been dropped, the job unschedules itself; while the extension exists, an error is an error, shown in
 * openinfo_jobs.  It looks the job up, because pg_cron runs a minute that it missed even when the job no
 * longer exists.  pg_cron does not record when a job was scheduled; the first line does, for "overdue".
 */
static char *
jobs_command(const Job *job)
{
	pg_time_t now = timestamptz_to_time_t(GetCurrentTimestamp());
	char	  since[32];

	pg_strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", pg_gmtime(&now));
	return psprintf("-- openinfo, scheduled %s\n"
					"DO $openinfo$ DECLARE v_call pg_catalog.text; BEGIN\n"
					"  SELECT pg_catalog.format('SELECT %%I.%%I()', n.nspname, p.proname) INTO v_call\n"
					"    FROM pg_catalog.pg_extension e\n"
					"    JOIN pg_catalog.pg_depend d ON d.refobjid OPERATOR(pg_catalog.=) e.oid\n"
					"     AND d.refclassid OPERATOR(pg_catalog.=)"
					" 'pg_catalog.pg_extension'::pg_catalog.regclass\n"
					"     AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass\n"
					"     AND d.deptype OPERATOR(pg_catalog.=) 'e'\n"
					"    JOIN pg_catalog.pg_proc p ON p.oid OPERATOR(pg_catalog.=) d.objid\n"
					"     AND p.proname OPERATOR(pg_catalog.=) '%s' AND p.pronargs OPERATOR(pg_catalog.=) 0\n"
					"    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace\n"
					"   WHERE e.extname OPERATOR(pg_catalog.=) 'openinfo';\n"
					"  IF FOUND THEN\n"
					"    EXECUTE v_call;\n"
					"  ELSIF EXISTS (SELECT FROM pg_catalog.pg_extension\n"
					"                WHERE extname OPERATOR(pg_catalog.=) 'openinfo') THEN\n"
					"    RAISE EXCEPTION 'extension openinfo has no function %s()';\n"
					"  ELSE\n"
					"    PERFORM cron.unschedule(jobid) FROM cron.job\n"
					"      WHERE jobname OPERATOR(pg_catalog.=) '%s'\n"
					"      AND username OPERATOR(pg_catalog.=) current_user\n"
					"      AND database OPERATOR(pg_catalog.=) pg_catalog.current_database();\n"
					"  END IF;\n"
					"END $openinfo$",
					since, job->function, job->function, job->name);
}

/*
 * schedule_jobs() returns setof text
 *
 * Schedules the four jobs for this database, or restores the schedule and the command of those that exist;
 * returns their names.
 * Callers: superusers and service_role; CREATE EXTENSION.  Errors: 42501 other callers; 25006 read-only;
 * 55000 pg_cron is not in this database, or has a job of that name for another one.  Locks: RowExclusive on
 * cron.job.
 */
PG_FUNCTION_INFO_V1(openinfo_schedule_jobs);
Datum
openinfo_schedule_jobs(PG_FUNCTION_ARGS)
{
	/* pg_cron finds a job by name and user alone, and would replace the command of another database's job */
	static Statement elsewhere = STATEMENT(
		"SELECT database FROM cron.job"
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
	statement_begin_as(&scope, catalog_extension_owner());
	for (int i = 0; i < lengthof(jobs); i++)
	{
		Datum values[3] = {CStringGetTextDatum(jobs[i].name), CStringGetTextDatum(jobs[i].schedule),
						   CStringGetTextDatum(jobs_command(&jobs[i]))};
		bool  isnull = false;

		if (!job_exists(&jobs[i]))
			continue;
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
 * Unschedules the four jobs of this database, no matter who scheduled them; returns the names of those that
 * existed, no rows where pg_cron is not in this database. Callers, locks: as schedule_jobs().  Errors: 42501
 * other callers; 25006 read-only.
 */
PG_FUNCTION_INFO_V1(openinfo_unschedule_jobs);
Datum
openinfo_unschedule_jobs(PG_FUNCTION_ARGS)
{
	static Statement unschedule = STATEMENT(
		"SELECT cron.unschedule(jobid) FROM cron.job"
		" WHERE jobname = $1::name AND database = current_database()",
		"text");
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;
	StatementScope scope;

	authorize_service("unschedule_jobs");
	/* pg_cron does not check it */
	PreventCommandIfReadOnly("unschedule_jobs()");
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	if (!jobs_have_cron())
		return (Datum) 0;

	statement_begin_as(&scope, catalog_extension_owner());
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

/* Columns of job_status(). */
enum
{
	STATUS_NAME,
	STATUS_SCHEDULE,
	STATUS_ACTIVE,
	STATUS_LAST_START,
	STATUS_LAST_SUCCESS,
	STATUS_LAST_STATUS,
	STATUS_LAST_MESSAGE,
	STATUS_DURATION,
	STATUS_OVERDUE,
	STATUS_COLUMNS
};

/*
 * job_status() returns table (name text, schedule text, active boolean, last_start timestamptz,
 *		last_success timestamptz, last_status text, last_message text, duration interval, overdue boolean)
 *
 * The four jobs and their last runs; behind view openinfo_jobs.  last_status is 'not scheduled' where
 * pg_cron, in this database, has no such job.  overdue is NULL for a job that is not scheduled, or when
 * pg_cron does not record runs.
 * Callers: superusers, service_role and openinfo_monitor.  Errors: 42501 other callers.  Locks: AccessShare
 * on pg_cron's two tables.
 */
PG_FUNCTION_INFO_V1(openinfo_job_status);
Datum
openinfo_job_status(PG_FUNCTION_ARGS)
{
	/* a run without a connection has an end and no start; a job that never ran counts from its scheduling */
	static Statement read = STATEMENT(
		"SELECT j.schedule, j.active, coalesce(r.start_time, r.end_time),"
		"       (SELECT end_time FROM cron.job_run_details"
		"         WHERE jobid = j.jobid AND status = 'succeeded' ORDER BY runid DESC LIMIT 1),"
		"       r.status, r.return_message,"
		"       r.end_time - r.start_time,"
		"       j.active AND CASE WHEN current_setting('cron.log_run', true) IS DISTINCT FROM 'off' THEN"
		"         greatest(coalesce(r.start_time, r.end_time),"
		"                  substring(j.command"
		"                            FROM '^-- openinfo, scheduled ([-0-9]{10}T[:0-9]{8}Z)')::timestamptz)"
		"           < clock_timestamp() - $2 * interval '1 hour' - interval '10 minutes' END"
		"  FROM cron.job j"
		"  LEFT JOIN LATERAL (SELECT * FROM cron.job_run_details"
		"                      WHERE jobid = j.jobid ORDER BY runid DESC LIMIT 1) r ON true"
		" WHERE j.jobname = $1::name AND j.database = current_database()"
		" ORDER BY j.active DESC, j.jobid LIMIT 1",
		"text, int4");
	ReturnSetInfo *set = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		   have_cron = jobs_have_cron();
	StatementScope scope;

	authorize_monitor("job_status");
	InitMaterializedSRF(fcinfo, 0);
	statement_begin_as(&scope, catalog_extension_owner());
	for (int i = 0; i < lengthof(jobs); i++)
	{
		Datum arguments[2] = {CStringGetTextDatum(jobs[i].name), Int32GetDatum(jobs[i].interval)};
		Datum values[STATUS_COLUMNS];
		bool  isnull[STATUS_COLUMNS];

		if (!job_exists(&jobs[i]))
			continue;
		memset(isnull, true, sizeof(isnull));
		values[STATUS_NAME] = arguments[0];
		isnull[STATUS_NAME] = false;
		if (have_cron && statement_run(&read, arguments, NULL, true, 1) > 0)
			for (int column = STATUS_SCHEDULE; column < STATUS_COLUMNS; column++)
				values[column] = statement_value(column, &isnull[column]);
		else
		{
			values[STATUS_ACTIVE] = BoolGetDatum(false);
			values[STATUS_LAST_STATUS] = CStringGetTextDatum("not scheduled");
			isnull[STATUS_ACTIVE] = isnull[STATUS_LAST_STATUS] = false;
		}
		tuplestore_putvalues(set->setResult, set->setDesc, values, isnull);
	}
	statement_end(&scope);
	return (Datum) 0;
}
