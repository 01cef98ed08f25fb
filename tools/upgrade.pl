# pg_upgrade from the programs in one directory to those in another: everything is there afterwards, as in an
# installation that has known no other version.  Run by tools/upgrade.sh.

use strict;
use warnings FATAL => 'all';
use File::Temp qw(tempdir);
use IPC::Run;
use Test::More;
use OpenInfoCatalog;

my ($old_bin, $new_bin) = @ARGV;
my $top = tempdir('/tmp/upXXXX', CLEANUP => 1);
my $port = 5432;

# A server, as far as OpenInfoCatalog asks for one.
package Server
{
	sub new
	{
		my ($class, $name, $bin) = @_;
		my $self = bless { bin => $bin, data => "$top/$name" }, $class;
		$self->run('initdb', '-k', '-D', $self->{data}, '-N', '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8');
		open my $conf, '>>', "$self->{data}/postgresql.conf" or die;
		print $conf "$_\n" foreach "port = $port", "listen_addresses = ''", "unix_socket_directories = '$top'", 'fsync = off',
		  "shared_preload_libraries = 'pg_cron'", "cron.database_name = 'app'", "cron.host = '$top'", "timezone = 'UTC'";
		close $conf or die;
		return $self;
	}

	sub run
	{
		my ($self, $program, @arguments) = @_;
		my $said;
		IPC::Run::run([ "$self->{bin}/$program", @arguments ], '<', '/dev/null', '>&', \$said) or die "$program failed: $said";
		return $said;
	}

	sub start { my $self = shift; $self->{started} = 1; return $self->run('pg_ctl', '-D', $self->{data}, '-l', "$self->{data}/log", '-s', '-w', 'start'); }
	sub stop { my $self = shift; $self->{started} = 0; return $self->run('pg_ctl', '-D', $self->{data}, '-m', 'fast', '-s', '-w', 'stop'); }
	sub DESTROY { my $self = shift; local ($?, $@); eval { $self->stop } if $self->{started}; return; }

	# The new version's psql speaks to both.
	sub psql
	{
		my ($self, $db, $sql) = @_;
		my ($out, $err) = ('', '');
		my $ended = IPC::Run::run([ "$new_bin/psql", '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', $top, '-p', $port, '-U', 'postgres', '-d', $db ], '<', \$sql, '>', \$out, '2>', \$err);
		chomp $out;
		return ($ended ? 0 : $? >> 8, $out, $err);
	}

	sub safe_psql
	{
		my ($self, $db, $sql) = @_;
		my ($code, $out, $err) = $self->psql($db, $sql);
		die "psql: $err\n$sql" if $code;
		return $out;
	}
}

# The extension in schema app, changed as users do, with rows in each table, and the jobs.
sub furnish
{
	my ($server) = @_;
	$server->start;
	$server->safe_psql('postgres', 'CREATE DATABASE app');
	$server->safe_psql('app', 'CREATE EXTENSION pg_cron');
	work_with($server, 'app');
	$server->safe_psql('app', "SELECT cron.schedule('mine', '0 4 * * *', 'SELECT 1')");
	return;
}

# The index of topics has stems in it: beginnings of one and more syllables, with each ending that Porter's steps know, twice.
my $stems = <<'SQL';
WITH ending (e) AS (SELECT unnest(string_to_array(',s,sses,ies,ss,eed,ed,ing,at,bl,iz,y,ational,tional,enci,anci,izer,abli,alli,entli,eli,'
        'ousli,ization,ation,ator,alism,iveness,fulness,ousness,aliti,iviti,biliti,icate,ative,alize,iciti,ical,ful,ness,al,ance,ence,er,ic,'
        'able,ible,ant,ement,ment,ent,ion,ou,ism,ate,iti,ous,ive,ize,e,ll', ','))),
     beginning (b) AS (SELECT unnest(string_to_array('tr,by,tro,oat,tree,priv,oaten,orr,hop,fall,hiss,fizz,fail,fil,happ,sk,relat,condit,'
        'valenc,conform,radic,differ,vil,analog,vietnam,predic,oper,feudal,decis,hope,callous,form,sensit,triplic,electr,reviv,allow,'
        'infer,airlin,gyroscop,adjust,defens,irrit,replac,adopt,communi,activ,effect,bowdler,rate,ceas,controll,roll', ','))),
     word (w) AS (SELECT DISTINCT b || e.e || f.e FROM beginning, ending e, ending f)
SELECT count(*) > 100000, md5(string_agg(w || ' ' || (ts_lexize('app.porter_stem', w))[1], ',' ORDER BY w COLLATE "C")) FROM word
SQL

my $jobs = 'SELECT jobid, jobname, schedule, command, database, username, active FROM cron.job ORDER BY jobid';

# The data directory of a stopped server becomes that of another one; undef, or what pg_upgrade complains of.
sub upgrade
{
	my ($from, $to) = @_;
	my $said;
	chdir $top;
	return undef if IPC::Run::run([ "$new_bin/pg_upgrade", '-U', 'postgres', '-b', $old_bin, '-B', $new_bin, '-d', $from->{data}, '-D', $to->{data}, '-s', $top ], '<', '/dev/null', '>&', \$said);
	return join "\n", $said, map { IPC::Run::run([ 'tail', '-n', '40', $_ ], '>', \my $tail); "$_\n$tail" } glob "$to->{data}/pg_upgrade_output.d/*/log/*.log";
}

# Minor versions that cannot upgrade even one table of nobody's say nothing about the extension: 17.12 marks each column
# with an option, pg_attver, that 18.6 refuses.
my ($plain, $trial) = (Server->new('plain', $old_bin), Server->new('trial', $new_bin));
$plain->start;
$plain->safe_psql('postgres', 'CREATE TABLE plain (id int)');
my $pair = 'pg_upgrade from ' . $plain->safe_psql('postgres', 'SHOW server_version');
$plain->stop;
if (my $complaint = upgrade($plain, $trial))
{
	plan skip_all => "$pair fails without the extension, too: " . join ' ', $complaint =~ /(ERROR: .*)/;
}

my $old = Server->new('old', $old_bin);
furnish($old);
my ($rows, $scheduled, $was) = (checksums($old, 'app', 'app'), $old->safe_psql('app', $jobs), $old->safe_psql('app', 'SHOW server_version'));
is(() = $scheduled =~ /^\d+\|/mg, 5, 'five jobs are scheduled');
my $stemmed = $old->safe_psql('app', $stems);
like($stemmed, qr/^t\|\w{32}$/, 'the stems of a hundred thousand words');
$old->stop;

my $new = Server->new('new', $new_bin);
is(upgrade($old, $new), undef, 'pg_upgrade');
$new->start;
isnt($new->safe_psql('app', 'SHOW server_version'), $was, "from $was to " . $new->safe_psql('app', 'SHOW server_version'));
is(checksums($new, 'app', 'app'), $rows, 'every row is there');
is($new->safe_psql('app', $jobs), $scheduled, 'every job');
is($new->safe_psql('app', $stems), $stemmed, 'each is the same');
$new->safe_psql('app', 'ALTER EXTENSION pg_cron UPDATE');
my $catalog = snapshot($new, 'app');
works($new, 'app', 'app', 'upgraded');
is($new->safe_psql('app', 'ALTER EXTENSION openinfo UPDATE; SELECT count(*) FROM app.apply_migrations()'), '0', 'there is nothing left to do');
like(fails($new, 'app', 'DROP EXTENSION openinfo CASCADE'), qr/ERROR:  55000: DROP EXTENSION would delete data/, 'the guard stands');
is($new->safe_psql('app', 'SELECT count(*) FROM app.openinfo_jobs WHERE active'), '4', 'the jobs are active');

# One of them runs: within the minute.
$new->safe_psql('app', "SELECT cron.alter_job(jobid, schedule => '* * * * *') FROM cron.job WHERE jobname = 'openinfo_reset_daily_credits'");
my $status = '';
for (my $tries = 0; $tries < 1200 && $status !~ /succeeded|failed/; $tries++)
{
	select undef, undef, undef, 0.1;
	$status = $new->safe_psql('app', "SELECT coalesce(last_status, '-') || ' ' || coalesce(last_message, '-') FROM app.openinfo_jobs WHERE name = 'openinfo_reset_daily_credits'");
}
like($status, qr/^succeeded/, 'and one has run');

$new->stop;

# Beside it an installation that has known no other version.
my $fresh = Server->new('fresh', $new_bin);
furnish($fresh);
# pg_cron itself names another schema from version to version
same((map { s/^extension\|pg_cron\|.*\n//mr } $catalog, snapshot($fresh, 'app')), 'the catalog is that of a fresh installation');
$fresh->stop;

done_testing();
