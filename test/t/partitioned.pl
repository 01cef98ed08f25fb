# An installation whose leads is partitioned: what users did to the table is carried there and back, and a dump of it is
# complete, also where default privileges grant everything.

use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Utils;
use Test::More;
use OpenInfoTest;
use OpenInfoCatalog;

my $node = new_node('partitions', bare => 1);
my $dir = PostgreSQL::Test::Utils::tempdir();

sub sql { return $node->safe_psql(@_); }

work_with($node, 'app');
like(fails($node, 'app', 'SELECT app.partition_leads(4)'), qr/55000.*publication leads_out depends on it\.\nview (public\.)?counted depends on it\./s, 'what depends on the table is named');
sql('app', 'DROP VIEW public.counted; DROP PUBLICATION leads_out');

# a column that was dropped and added again has the last place in the new table too
my $plain = snapshot($node, 'app');
my $rows = checksums($node, 'app', 'app') . checksums($node, 'app', 'public');
sql('app', 'SELECT app.partition_leads(4)');
my $partitioned = snapshot($node, 'app');
is(checksums($node, 'app', 'app') . checksums($node, 'app', 'public'), $rows, 'partitioned: the same rows; no trigger was fired');
works($node, 'app', 'app', 'partitioned');
is(sql('app', 'SELECT count(*) FROM app.security_checklist() WHERE NOT ok'), sql('app', 'SELECT app.unpartition_leads()') . sql('app', 'SELECT count(*) FROM app.security_checklist() WHERE NOT ok'),
	'the checklist says of it what it says of the plain table');
same(snapshot($node, 'app'), $plain, 'unpartitioned: the catalog is as it was');
is(checksums($node, 'app', 'app') . checksums($node, 'app', 'public'), $rows, 'and so are the rows');
sql('app', 'SELECT app.partition_leads(4)');
same(snapshot($node, 'app'), $partitioned, 'partitioned again, it is as it was then');

# ---------------------------------------------------------------------- dump and restore

foreach my $form ([ 'plain' => [], [ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f' ] ], [ 'directory' => [ '-Fd', '-j2' ], [ 'pg_restore', '-j2', '--exit-on-error' ] ])
{
	my ($name, $options, $restore) = @$form;
	sql('postgres', "CREATE DATABASE restored_$name");
	sql("restored_$name", 'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO anon, authenticated, service_role');
	$node->command_ok([ 'pg_dump', '-d', 'app', '-f', "$dir/$name", @$options ], "$name: dumped");
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	ok(run_log($restore->[0] eq 'psql' ? [ @$restore, "$dir/$name", "restored_$name" ] : [ @$restore, '-d', "restored_$name", "$dir/$name" ]), "$name: restored without an error");
	sql("restored_$name", 'ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM anon, authenticated, service_role');
	is(checksums($node, "restored_$name", 'app') . checksums($node, "restored_$name", 'public'), $rows, "$name: the same rows");
	# tables of the user's own do get the default privileges
	same(join("\n", grep { !/^relation\|r\|public\.notes\|/ } split /\n/, snapshot($node, "restored_$name")), join("\n", grep { !/^relation\|r\|public\.notes\|/ } split /\n/, $partitioned),
		"$name: the same catalog");
	works($node, "restored_$name", 'app', $name);
}
sql('restored_plain', 'SELECT app.unpartition_leads()');
same(join("\n", grep { !/^relation\|r\|public\.notes\|/ } split /\n/, snapshot($node, 'restored_plain')), join("\n", grep { !/^relation\|r\|public\.notes\|/ } split /\n/, $plain),
	'a restored installation can be unpartitioned');

# ---------------------------------------------------------------------- older versions, and a schema with another name

like(fails($node, 'app', "ALTER EXTENSION openinfo UPDATE TO '1.1.0'"), qr/55000: table "leads" is partitioned.*unpartition_leads\(\)/s, 'no way down while it is partitioned');
sql('app', 'ALTER SCHEMA app RENAME TO "My 50% App, v2"; SELECT "My 50% App, v2".partition_leads(3)');
is(sql('app', q{SELECT count(*) FROM pg_inherits WHERE inhparent = '"My 50% App, v2".leads'::regclass}), '3', 'the schema may have been renamed');
works($node, 'app', 'My 50% App, v2', 'renamed');
sql('app', 'SELECT "My 50% App, v2".unpartition_leads()');
sql('app', "ALTER EXTENSION openinfo UPDATE TO '1.1.0'; ALTER EXTENSION openinfo UPDATE");
is(sql('app', 'SELECT count(*) FROM "My 50% App, v2".leads'), '2', 'down and up again');

$node->stop;
done_testing();
