# Ways for rows to reach another installation that docs/operations.md describes: a dump by a role of its own, a restore
# into an installation that exists, logical replication.

use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Utils;
use Test::More;
use OpenInfoTest;
use OpenInfoCatalog;

my $conf = "wal_level = logical\nmax_wal_senders = 10\n";
my $source = new_node('source', bare => 1, conf => $conf);
my $target = new_node('target', bare => 1, conf => $conf);
my $dir = PostgreSQL::Test::Utils::tempdir();
my $install = 'CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app';

$source->safe_psql('app', $install);
fill($source, 'app', 'app');
$source->safe_psql('app', "DELETE FROM app.plans WHERE name = 'starter'");
my $rows = checksums($source, 'app', 'app');

# ---------------------------------------------------------------------- a role that dumps

$source->safe_psql('app', 'CREATE ROLE regress_backup LOGIN; GRANT pg_read_all_data TO regress_backup');
my @dump = ('pg_dump', '-U', 'regress_backup', '-Fc', '-f', "$dir/dump", $source->connstr('app'));
$source->command_fails_like(\@dump, qr/row-level security/, 'a role that is restricted by row-level security cannot dump');
$source->safe_psql('app', 'ALTER ROLE regress_backup BYPASSRLS');
$source->command_ok(\@dump, 'one with BYPASSRLS and pg_read_all_data can');
$target->command_ok([ 'pg_restore', '--exit-on-error', '-d', $target->connstr('app'), "$dir/dump" ], 'the dump is restored');
is(checksums($target, 'app', 'app'), $rows, 'with all rows');

# ---------------------------------------------------------------------- into an installation that exists

$target->safe_psql('postgres', 'CREATE DATABASE existing');
$target->safe_psql('existing', $install);
$target->safe_psql('existing', 'DELETE FROM app.plans; DELETE FROM app.visible_fields; DELETE FROM app.schema_migrations');
{
	local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
	$target->command_ok([ 'pg_restore', '--exit-on-error', '-1', '--data-only', '-n', 'app', '-d', $target->connstr('existing'), "$dir/dump" ],
		'its rows are restored into an installation that exists');
}
is(checksums($target, 'existing', 'app'), $rows, 'all of them');
works($target, 'existing', 'app', 'an installation that existed');

# ---------------------------------------------------------------------- logical replication

$source->command_ok([ 'pg_dump', '--schema-only', '-Fc', '-f', "$dir/schema", $source->connstr('app') ], 'the schema alone is dumped');
$target->safe_psql('postgres', 'CREATE DATABASE replica');
$target->command_ok([ 'pg_restore', '--exit-on-error', '-d', $target->connstr('replica'), "$dir/schema" ], 'and restored');
$source->safe_psql('app', 'CREATE PUBLICATION openinfo FOR TABLES IN SCHEMA app');
my $as_owner = $target->pg_version >= 16 ? 'WITH (run_as_owner = true)' : '';
$target->safe_psql('replica', "CREATE SUBSCRIPTION openinfo CONNECTION \$\$" . $source->connstr('app') . "\$\$ PUBLICATION openinfo $as_owner");
$target->wait_for_subscription_sync($source, 'openinfo', 'replica');
is(checksums($target, 'replica', 'app'), $rows, 'the rows that there are get there');
$source->safe_psql('app', "UPDATE app.leads SET company_data = company_data || '{\"employees\": 7}';
	INSERT INTO app.people_search_results (workspace_id, person_data)
	    SELECT id, '{\"full_name\": \"Gus\", \"email\": \"gus\@three.example\"}' FROM app.workspaces LIMIT 1");
$source->wait_for_catchup('openinfo');
is(checksums($target, 'replica', 'app'), checksums($source, 'app', 'app'), 'and those that are written later, sealed data too');
# a session that has read the list of visible fields seals by what is replicated since
my $reader = $target->background_psql('replica');
my $sealed = q(SELECT app.is_sealed('person', '{"hat": "bowler"}'));
is($reader->query_safe($sealed), 'f', 'what is not on the list is sealed there');
$source->safe_psql('app', "INSERT INTO app.visible_fields (object, field) VALUES ('person', 'hat')");
$source->wait_for_catchup('openinfo');
is($reader->query_safe($sealed), 't', 'a field that is added to the list is visible');
$source->safe_psql('app', "DELETE FROM app.visible_fields WHERE field = 'hat'");
$source->wait_for_catchup('openinfo');
is($reader->query_safe($sealed), 'f', 'and is sealed again after it is deleted');
$reader->quit;
$target->safe_psql('replica', 'DROP SUBSCRIPTION openinfo');
works($target, 'replica', 'app', 'the replica, once it is on its own');

done_testing();
