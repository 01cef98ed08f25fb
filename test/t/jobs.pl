# The four jobs, with a real pg_cron: they are scheduled once, run, survive a dump, and are unscheduled.

use strict;
use warnings FATAL => 'all';
use Test::More;
use IPC::Run;
use Time::HiRes qw(usleep);
use PostgreSQL::Test::Utils;
use OpenInfoTest;
use OpenInfoCatalog;

# Database "app" has pg_cron and openinfo, the usual case.
my $node = new_node('jobs', cron => 1);
# Another server, whose database "app" has pg_cron alone; openinfo is in others.
my $else = new_node('elsewhere', cron => 1, bare => 1);
$else->safe_psql('app', 'CREATE EXTENSION pg_cron');
# A third one, for a dump of the first; and until then for an extension that has been dropped.
my $gone = new_node('gone', cron => 1, bare => 1);

my @jobs = (
	[ 'openinfo_reset_daily_credits', '0 0 * * *', 'reset_daily_credits' ],
	[ 'openinfo_update_topic_trends', '5 0 * * 1', 'update_topic_trends' ],
	[ 'openinfo_reset_weekly_lead_counts', '0 0 * * 1', 'reset_weekly_lead_counts' ],
	[ 'openinfo_cleanup_expired_exports', '30 0 * * *', 'cleanup_expired_exports' ]);
my $names = join "\n", map { $_->[0] } @jobs;

sub sql { return $node->safe_psql('app', $_[0]); }

# The messages of a statement: NOTICE, WARNING, or error with SQLSTATE and hint.
sub says
{
	my ($server, $db, $sql) = @_;
	my ($code, $out, $err) = $server->psql($db, "\\set VERBOSITY verbose\n$sql", on_error_stop => 1);
	return $err;
}

my $listed = 'SELECT jobname, schedule, database, username, active FROM cron.job ORDER BY jobid';
my $four = join "\n", map { "$_->[0]|$_->[1]|app|postgres|t" } @jobs;

# ---------------------------------------------------------------------- scheduled, once

is(sql($listed), $four, 'CREATE EXTENSION has scheduled the four jobs');
is(sql("SELECT count(*) FROM cron.job WHERE command LIKE '%proname OPERATOR(pg_catalog.=) ''' || substr(jobname::text, 10) || '''%'"), '4', 'each runs its function');
is(sql('SELECT schedule_jobs()'), $names, 'schedule_jobs() returns their names');
is(sql("CREATE ROLE regress_jobs_super SUPERUSER; SET ROLE regress_jobs_super; SELECT count(*) FROM schedule_jobs()"), '4', 'another superuser may do it again');
is(sql("SET ROLE service_role; SELECT count(*) FROM schedule_jobs()"), '4', 'and so may service_role, which may not even use schema cron');
is(sql($listed), $four, 'there are still four jobs, of one owner');

my @said = ('') x 4;
my @clients = map { IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('app') ], '<', \'SELECT schedule_jobs();', '>', \my $out, '2>', \$said[$_]) } 0 .. 3;
$_->finish foreach @clients;
is(join('', @said), '', 'four sessions at once raise no error');
is(sql($listed), $four, 'and leave four jobs');

foreach my $role (qw(anon authenticated))
{
	like(says($node, 'app', "SET ROLE $role; SELECT * FROM $_"), qr/ERROR:  42501: permission denied/, "$role: $_")
	  foreach qw(schedule_jobs() unschedule_jobs() job_status() openinfo_jobs);
}
# also when EXECUTE has been granted to them
like(says($node, 'app', "BEGIN; GRANT EXECUTE ON FUNCTION $_ TO authenticated; SET ROLE authenticated; SELECT $_"), qr/ERROR:  42501: permission denied for function/, "$_ for service_role only")
  foreach qw(schedule_jobs() unschedule_jobs() job_status());

# ---------------------------------------------------------------------- they run within a minute; meanwhile, the rest

# pg_cron before 1.5 has no schedules in seconds, so a run starts within the minute.
my $soon = sql(q{SELECT CASE WHEN substring(extversion FROM '^1\.(\d+)')::int >= 5 THEN '2 seconds' ELSE '* * * * *' END FROM pg_extension WHERE extname = 'pg_cron'});
my $hasten = "SELECT cron.alter_job(jobid, schedule => '$soon') FROM cron.job WHERE jobname LIKE 'openinfo\\_%'";
sql($hasten);

$gone->safe_psql('app', 'CREATE EXTENSION pg_cron; CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app');
$gone->safe_psql('app', "SELECT cron.schedule('mine', '0 4 * * *', 'SELECT 1')");
$gone->safe_psql('app', 'SET openinfo.allow_drop = on; SET client_min_messages = warning; DROP EXTENSION openinfo CASCADE; DROP SCHEMA app CASCADE');
is($gone->safe_psql('app', 'SELECT count(*) FROM cron.job'), '5', 'DROP EXTENSION leaves the jobs behind');
$gone->safe_psql('app', $hasten);

# ---------------------------------------------------------------------- pg_cron in another database

$else->safe_psql('postgres', 'CREATE DATABASE other');
my $notice = says($else, 'other', 'CREATE SCHEMA openinfo; CREATE EXTENSION openinfo SCHEMA openinfo');
like($notice, qr/NOTICE: .*schedules no jobs: pg_cron is not in this database.*HINT: .*SELECT openinfo\.schedule_jobs\(\).*operations\.md/s, 'without pg_cron, CREATE EXTENSION tells how to schedule them later');
my $refusal = says($else, 'other', 'SELECT openinfo.schedule_jobs()');
like($refusal, qr/ERROR:  55000: extension "pg_cron" is not installed in database "other".*HINT: .*CREATE EXTENSION pg_cron.*schedule_in_database/s, 'schedule_jobs() refuses');
is($else->safe_psql('other', 'SELECT openinfo.unschedule_jobs()'), '', 'unschedule_jobs() finds none');
is($else->safe_psql('other', 'SELECT name, schedule, active, last_start, last_status, last_message, duration, overdue FROM openinfo.openinfo_jobs'),
	join("\n", map { "$_->[0]||f||not scheduled|||" } @jobs), 'openinfo_jobs lists the four as not scheduled');

# the statement of docs/operations.md, with other names
my ($section) = slurp_file('docs/operations.md') =~ /^## Jobs\n(.*?)^## /ms or BAIL_OUT('docs/operations.md has no section "Jobs"');
my ($statement) = $section =~ /^```sql\n(.*?)^```$/ms or BAIL_OUT('section "Jobs" of docs/operations.md has no SQL');
$statement =~ s/\bapp\.%I/openinfo.%I/ && $statement =~ s/'mydb'/'other'/ or BAIL_OUT("other names than expected in: $statement");
$else->safe_psql('app', $statement) foreach 1 .. 2;
is($else->safe_psql('app', $listed), $four =~ s/\|app\|/|other|/gr, 'one statement in the database of pg_cron schedules them, also twice');
$else->safe_psql('app', $hasten);

# pg_cron has one job of a name per user
my $warning = says($else, 'app', 'CREATE EXTENSION openinfo');
like($warning, qr/WARNING: .*schedules no jobs: job "openinfo_reset_daily_credits" is already scheduled for database "other".*HINT: .*schedule_jobs\(\)/s, 'what pg_cron refuses is a warning');
is($else->safe_psql('app', 'SELECT count(*) FROM schema_migrations'), migrations($else, 'app', 'public'), 'and the installation completes');
like(says($else, 'app', 'SELECT schedule_jobs()'), qr/ERROR:  55000: job "openinfo_reset_daily_credits" is already scheduled for database "other".*HINT: /s, 'a job of another database is not taken over');
is($else->safe_psql('app', 'SELECT unschedule_jobs()'), '', 'nor unscheduled');
is($else->safe_psql('app', 'SELECT count(*) FROM cron.job'), '4', 'all four are still there');

is(sql("SELECT cron.schedule('mine', '0 4 * * *', 'SELECT 1') > 0"), 't', 'a job of the user\'s own');

# ---------------------------------------------------------------------- overdue

# Overdue: not started for a day, or a week, and ten minutes, since the last start or since it was scheduled.
my $overdue = sub { return sql("BEGIN; DELETE FROM cron.job_run_details; $_[0];
	SELECT coalesce(string_agg(name, ' '), '-') FROM openinfo_jobs WHERE overdue; ROLLBACK"); };
my $old = "UPDATE cron.job SET command = regexp_replace(command, '\\d{4}-', '2020-') WHERE jobname = 'openinfo_cleanup_expired_exports'";
my $run = sub { my ($start, $end) = @_; return "INSERT INTO cron.job_run_details (jobid, status, return_message, start_time, end_time)
	SELECT jobid, 'failed', 'no', $start, $end FROM cron.job WHERE jobname = 'openinfo_cleanup_expired_exports'" };
is($overdue->('SELECT'), '-', 'a job that has just been scheduled is not overdue');
is($overdue->($old), 'openinfo_cleanup_expired_exports', 'a job that was scheduled long ago and never ran is');
is($overdue->("$old; " . $run->('clock_timestamp()', 'clock_timestamp()')), '-', 'but not when it has run');
is($overdue->("$old; " . $run->('NULL', 'clock_timestamp()')), '-', 'or tried to');
my $started = sub { my ($ago, $job) = @_; $job //= 'cleanup_expired_exports';
	return "UPDATE cron.job SET command = regexp_replace(command, '\\d{4}-', '2020-') WHERE jobname = 'openinfo_$job';
	INSERT INTO cron.job_run_details (jobid, status, start_time, end_time)
		SELECT jobid, 'succeeded', clock_timestamp() - interval '$ago', clock_timestamp() FROM cron.job WHERE jobname = 'openinfo_$job'" };
is($overdue->($started->('24 hours 9 minutes')), '-', 'a daily job has a day and ten minutes from start to start');
is($overdue->($started->('24 hours 11 minutes')), 'openinfo_cleanup_expired_exports', 'and is overdue afterwards');
is($overdue->($started->('7 days 9 minutes', 'update_topic_trends')), '-', 'a weekly job has a week and ten minutes');
is($overdue->($started->('7 days 11 minutes', 'update_topic_trends')), 'openinfo_update_topic_trends', 'and is overdue afterwards');

is($overdue->("$old; UPDATE cron.job SET active = false"), '-', 'an inactive job is not overdue');
is(sql('BEGIN; UPDATE cron.job SET active = false; SELECT count(*) FROM openinfo_jobs WHERE NOT active AND NOT overdue AND schedule IS NOT NULL; ROLLBACK'), '4', 'it is listed as inactive');
is(sql("BEGIN; DELETE FROM cron.job_run_details; " . $run->("now()", "now() + interval '2 seconds'") . ";
	SELECT last_start = now(), last_status, last_message, duration FROM openinfo_jobs WHERE name = 'openinfo_cleanup_expired_exports'; ROLLBACK"), 't|failed|no|00:00:02', 'how the last run went');

# ---------------------------------------------------------------------- a dump and its restore

my $dump = $node->basedir . '/jobs';
$node->command_ok([ 'pg_dump', @$_, '-d', $node->connstr('app') ], "pg_dump @$_[0]") foreach ([ '-Fp', '-f', "$dump.sql" ], [ '-Fc', '-f', "$dump.dump" ]);
my $all = sql('SELECT jobid, jobname, command FROM cron.job ORDER BY jobid');
my $target = new_node('restored', cron => 1, bare => 1);
is(() = $all =~ /^\d+\|/mg, 5, 'five jobs are dumped');
foreach my $form (qw(plain custom))
{
	$target->safe_psql('postgres', 'DROP DATABASE app WITH (FORCE)');
	$target->safe_psql('postgres', 'CREATE DATABASE app');
	$target->command_ok($form eq 'plain'
		? [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $target->connstr('app'), '-f', "$dump.sql" ]
		: [ 'pg_restore', '--exit-on-error', '-d', $target->connstr('app'), "$dump.dump" ], "$form: restored without an error");
	is($target->safe_psql('app', 'SELECT jobid, jobname, command FROM cron.job ORDER BY jobid'), $all, "$form: all jobs are there, the user's own too");
	is($target->safe_psql('app', 'SELECT schedule_jobs()'), $names, "$form: scheduled again");
	is($target->safe_psql('app', 'SELECT count(*) FROM cron.job'), '5', "$form: they are still five");
}
# a restore is recognized by either of two settings
foreach my $setting ('row_security = off', 'openinfo.install_tables = off')
{
	$target->safe_psql('postgres', 'DROP DATABASE app WITH (FORCE)');
	$target->safe_psql('postgres', 'CREATE DATABASE app');
	$target->safe_psql('app', 'CREATE EXTENSION pg_cron');
	is(says($target, 'app', "SET $setting; CREATE EXTENSION openinfo"), '', "with $setting CREATE EXTENSION says nothing");
	is($target->safe_psql('app', 'SELECT count(*) FROM cron.job'), '0', "no job is registered with $setting");
}
is($target->safe_psql('app', 'SELECT count(*) FROM apply_migrations(); SELECT count(*) FROM schedule_jobs()'), migrations($target, 'app', 'public') . "\n4", 'afterwards they can be');

# ---------------------------------------------------------------------- versions come and go

$target->safe_psql('app', "SELECT cron.schedule('mine', '0 4 * * *', 'SELECT 1')");
$target->safe_psql('app', "ALTER EXTENSION openinfo UPDATE TO '0.5.0'");
is($target->safe_psql('app', 'SELECT jobname FROM cron.job'), 'mine', 'the downgrade from 1.0.0 unschedules the four');
$target->safe_psql('app', "ALTER EXTENSION openinfo UPDATE");
is($target->safe_psql('app', $listed), "mine|0 4 * * *|app|postgres|t\n$four", 'the upgrade schedules them');
is($target->safe_psql('app', 'SET ROLE service_role; SELECT unschedule_jobs()'), $names, 'unschedule_jobs() returns the names');
is($target->safe_psql('app', 'SELECT jobname FROM cron.job'), 'mine', 'and leaves other jobs');
is($target->safe_psql('app', 'SELECT unschedule_jobs()'), '', 'a second call returns no rows');

# A job runs after ALTER SCHEMA ... RENAME; one whose function does not exist while the extension does fails and is kept.
$target->safe_psql('app', 'SELECT schedule_jobs()');
my $command = $target->safe_psql('app', "SELECT command FROM cron.job WHERE jobname = 'openinfo_reset_daily_credits'");
is(says($target, 'app', "BEGIN; ALTER SCHEMA public RENAME TO renamed; $command; ROLLBACK"), '', 'a job runs after the schema was renamed');
like(says($target, 'app', $command =~ s/reset_daily_credits/gone/gr), qr/ERROR:  P0001: extension openinfo has no function gone\(\)/, 'a job that cannot run raises an error');
is($target->safe_psql('app', 'SELECT count(*) FROM cron.job'), '5', 'and is not unscheduled');
$target->safe_psql('app', 'DROP EXTENSION pg_cron');
is($target->safe_psql('app', "SELECT count(*) FROM openinfo_jobs WHERE last_status = 'not scheduled'"), '4', 'pg_cron may be dropped');
$target->safe_psql('app', 'CREATE EXTENSION pg_cron');
is($target->safe_psql('app', 'SELECT schedule_jobs()'), $names, 'and created again');
$target->append_conf('postgresql.conf', 'cron.log_run = off');
$target->restart;
is($target->safe_psql('app', 'SELECT count(*) FROM openinfo_jobs WHERE active AND overdue IS NULL'), '4', 'when runs are not recorded, overdue is NULL');

# ---------------------------------------------------------------------- they have run

# Waits for a condition.  pg_cron 1.4 misses a change that commits while it reads the one before, until the next change;
# so the schedules are set again whenever a minute has passed without a run.
sub comes
{
	my ($server, $condition) = @_;
	my $start = time;
	foreach my $minute (1 .. 5)
	{
		while (time - $start < 65 * $minute)
		{
			return 1 if $server->safe_psql('app', $condition) eq 't';
			usleep(200_000);
		}
		$server->safe_psql('app', $hasten);
	}
	return 0;
}
my $succeeded = "SELECT count(DISTINCT j.jobname) = 4 FROM cron.job_run_details d JOIN cron.job j USING (jobid) WHERE d.status = 'succeeded' AND j.jobname LIKE 'openinfo\\_%'";
ok(comes($node, $succeeded), 'each job has run')
  or diag sql('SELECT command, status, return_message FROM cron.job_run_details ORDER BY runid DESC LIMIT 12');
# unless the next run has just begun
ok(comes($node, "SELECT count(*) = 4 FROM openinfo_jobs WHERE last_start IS NOT NULL AND last_status = 'succeeded' AND NOT coalesce(overdue, false) AND duration >= interval '0'"), 'and openinfo_jobs says so')
  or diag sql('SELECT * FROM openinfo_jobs');
ok(comes($else, $succeeded), 'so has each from another database')
  or diag $else->safe_psql('app', 'SELECT command, status, return_message FROM cron.job_run_details ORDER BY runid DESC LIMIT 12');

ok(comes($gone, "SELECT count(*) = 1 FROM cron.job"), 'once the extension is dropped the jobs unschedule themselves');
is($gone->safe_psql('app', 'SELECT jobname FROM cron.job'), 'mine', 'and leave the user\'s own job');
is($gone->safe_psql('app', "SELECT count(*) FROM cron.job_run_details WHERE status = 'failed' AND return_message <> 'job canceled'"), '0',
	'without an error; pg_cron may call a job canceled that has ended by unscheduling itself')
  or diag $gone->safe_psql('app', 'SELECT * FROM cron.job_run_details ORDER BY runid DESC LIMIT 12');

done_testing();
