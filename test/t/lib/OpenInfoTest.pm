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
use PostgreSQL::Test::Cluster;
use Test::More;

our @EXPORT = qw(new_node);

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

1;
