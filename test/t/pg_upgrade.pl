# pg_upgrade moves tables as files and rebuilds the catalog without running any script of an extension.  From a version
# to itself it does all of that, which is what can be tried where one version is installed.

use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Utils;
use Test::More;
use OpenInfoTest;
use OpenInfoCatalog;

my ($old, $new) = map { new_node($_, bare => 1) } qw(old new);
work_with($old, 'app');
my ($catalog, $rows) = (snapshot($old, 'app'), checksums($old, 'app', 'app'));
$new->safe_psql('postgres', 'DROP DATABASE app');
$_->stop for $old, $new;

my $bin = $new->config_data('--bindir');
chdir PostgreSQL::Test::Utils::tempdir;		# it leaves files where it runs
command_ok(
	[
		'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $bin, '-B', $bin,
		'-s', $new->host, '-p', $old->port, '-P', $new->port
	],
	'pg_upgrade') or diag map { slurp_file($_) } glob($new->data_dir . '/pg_upgrade_output.d/*/loadable_libraries.txt');
$new->start;
same(snapshot($new, 'app'), $catalog, 'the same catalog');
is(checksums($new, 'app', 'app'), $rows, 'the same rows');
works($new, 'app', 'app', 'upgraded');
is($new->safe_psql('app', "ALTER EXTENSION openinfo UPDATE; SELECT count(*) FROM app.apply_migrations()"), '0', 'and there is nothing left to do');
$new->stop;

done_testing();
