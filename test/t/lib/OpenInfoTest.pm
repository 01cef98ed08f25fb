package OpenInfoTest;

# What the Perl tests share: a server of their own that finds the extension under test.
#
#   my $node = new_node('jobs', cron => 1);       # initialised, started
#   $node->safe_psql('app', ...)                  # database "app" has openinfo, and pg_cron when asked for
#
# Options: cron => 1 preloads pg_cron, at home in "app", and skips the whole test where it is not installed; conf => "..." adds settings; bare => 1 leaves "app"
# without any extension.  The server goes away with the test.

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils ();
use Test::More;

our @EXPORT = qw(new_node crash_within on_standby restored);

sub new_node
{
	my ($name, %option) = @_;
	plan skip_all => 'pg_cron is not installed' if $option{cron} && !-e (`pg_config --pkglibdir` =~ s{\n}{/pg_cron.so}r);
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
	$node->append_conf('postgresql.conf', join "\n",
		"shared_preload_libraries = 'pg_cron'",
		"cron.database_name = 'app'",
		# its default, localhost, wants a listener
		"cron.host = '" . $node->host . "'",
		'') if $option{cron};
	$node->append_conf('postgresql.conf', $option{conf}) if $option{conf};
	$node->start;
	$node->safe_psql('postgres', 'CREATE DATABASE app');
	return $node if $option{bare};

	$node->safe_psql('app', 'CREATE EXTENSION pg_cron') if $option{cron};
	$node->safe_psql('app', 'CREATE EXTENSION openinfo');
	return $node;
}

# The server crashes while a transaction that has run a statement is open, and starts again.
sub crash_within
{
	my ($node, $statement) = @_;
	my ($in, $out, $err) = ("BEGIN; $statement; SELECT 'written';\n", '', '');
	my $open = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('app'), '-f', '-' ], '<', \$in, '>', \$out, '2>', \$err);
	$open->pump until $out =~ /written/;
	$node->stop('immediate');
	$open->finish;
	$node->start;
	return;
}

# What a query gives on a hot standby that was made before "$change" was run, and on the primary after it.
sub on_standby
{
	my ($node, $change, $query) = @_;
	$node->backup('base');
	my $standby = PostgreSQL::Test::Cluster->new($node->name . '_standby');
	$standby->init_from_backup($node, 'base', has_streaming => 1);
	$standby->start;
	$node->safe_psql('app', $change);
	my $there = $node->safe_psql('app', $query);
	$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
	my $here = $standby->safe_psql('app', $query);
	$standby->stop;
	return ($here, $there);
}

# Dumps the database and restores it into database "restored".
sub restored
{
	my ($node) = @_;
	my $dump = PostgreSQL::Test::Utils::tempdir() . '/app.sql';
	$node->safe_psql('postgres', 'CREATE DATABASE restored');
	$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('app') ], 'dumped');
	$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], 'restored');
	return;
}

1;
