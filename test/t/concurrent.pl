# Two installations at once, and sessions that go on working while the extension is updated or its schema renamed.

use strict;
use warnings FATAL => 'all';
use Test::More;
use OpenInfoTest;
use OpenInfoCatalog;

my $node = new_node('concurrent', bare => 1);
my $roles = 'anon, authenticated, service_role';

sub sql { return $node->safe_psql(@_); }

# Runs SQL in a session, or waits for the end of what it was sent; dies of an error, but not of a notice.
sub run_sql
{
	my ($session, $sql) = @_;
	my $out = $session->query($sql // 'SELECT 1');
	my $err = $session->{stderr};
	$session->{stderr} = '';
	die "query failed: $err" if $err =~ /ERROR|FATAL|PANIC/;
	return $out;
}

# Sends SQL to a session without waiting for its end.
sub send_sql
{
	my ($session, $sql) = @_;
	$session->query_until(qr/sent/, "\\echo sent\n$sql;\n");
	return;
}

sub wait_for_lock
{
	my ($db) = @_;
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = '$db' AND wait_event_type = 'Lock'")
	  or die "nobody in $db waits for a lock";
	return;
}

sub installed
{
	my ($db, $name) = @_;
	is(sql($db, q{SELECT (SELECT count(*) FROM openinfo.schema_migrations) = (SELECT count(*) FROM pg_proc WHERE proname ~ '^migration_'), (SELECT count(*) FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role')),
		has_table_privilege('authenticated', 'openinfo.leads', 'SELECT')}), 't|3|t', $name);
	return;
}

# ---------------------------------------------------------------------- two databases, and no roles yet

my $create = 'CREATE SCHEMA openinfo; CREATE EXTENSION openinfo SCHEMA openinfo';

foreach my $end ('COMMIT', 'ROLLBACK')
{
	sql('postgres', "CREATE DATABASE $_") for qw(one two);
	my ($one, $two) = map { $node->background_psql($_) } qw(one two);
	run_sql($one, "BEGIN; $create");
	send_sql($two, $create);
	wait_for_lock('two');
	run_sql($one, $end);
	run_sql($two);
	$_->quit for $one, $two;
	installed('two', "the second succeeds after the first's $end");
	installed('one', 'so did the first') if $end eq 'COMMIT';
	sql('postgres', "DROP DATABASE $_") for qw(one two);
	sql('postgres', "DROP ROLE $roles");
}

my @several = qw(a b c);
foreach my $round (1 .. 3)
{
	sql('postgres', "CREATE DATABASE $_") for @several;
	my @sessions = map { $node->background_psql($_) } @several;
	send_sql($_, $create) for @sessions;
	run_sql($_), $_->quit for @sessions;
	installed($_, "three at once, round $round: database $_") for @several;
	sql('postgres', "DROP DATABASE $_") for @several;
	sql('postgres', "DROP ROLE $roles");
}

# Somebody drops a role while the extension is being installed: all or nothing.
sql('postgres', "CREATE DATABASE app_a; CREATE ROLE authenticated");
my $dropping = $node->background_psql('postgres');
run_sql($dropping, 'BEGIN; DROP ROLE authenticated');
my $installing = $node->background_psql('app_a', on_error_stop => 0);
send_sql($installing, "BEGIN; $create; COMMIT");
wait_for_lock('app_a');
run_sql($dropping, 'COMMIT');
$dropping->quit;
$installing->query('SELECT 1');
like($installing->{stderr}, qr/ERROR:  .*role/, 'a role that is dropped meanwhile: refused');
$installing->quit;
is(sql('app_a', "SELECT count(*) FROM pg_namespace WHERE nspname IN ('openinfo', 'auth')"), '0', 'and nothing is left');
sql('app_a', $create);
installed('app_a', 'the next try succeeds');

# ---------------------------------------------------------------------- one database, an update, and sessions at work

sql('postgres', 'CREATE DATABASE live');
sql('live', "CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app VERSION '0.5.0'");
my $working = $node->background_psql('live');
my $claims = q{SET request.jwt.claims = '{"sub": "eeeeeeee-0000-0000-0000-000000000001"}'};
run_sql($working, qq{$claims; SELECT app.create_workspace('one', 'One', 'ann\@one.example')});

# One more member, one more person with an e-mail: what the functions and triggers with kept plans do.
my $members = 1;
sub work
{
	my ($schema) = @_;
	$members++;
	return qq{
		SELECT $schema.add_member($schema.get_user_workspace_id(), gen_random_uuid(), 'm$members\@one.example') IS NULL AS failed;
		INSERT INTO $schema.people_search_results (workspace_id, person_data) VALUES ($schema.get_user_workspace_id(), '{"full_name": "P", "email": "p\@a.example"}');
	};
}

sub worked
{
	my ($schema, $name, $preferences) = @_;
	my $people = $members - 1;
	is(sql('live', "SELECT (SELECT count(*) FROM $schema.users), (SELECT count(*) FROM $schema.people_search_results WHERE NOT person_data ? 'email'), (SELECT count(*) FROM $schema.sealed_contacts)"),
		"$members|$people|$people", $name);
	is(sql('live', "SELECT count(*) FROM $schema.notification_preferences"), $members, 'each member has preferences') if $preferences;
	return;
}
run_sql($working, work('app'));
worked('app', 'a session works in 0.5.0');

# The update waits for other writers, and sees what they wrote.
run_sql($working, 'BEGIN;' . work('app'));
my $updating = $node->background_psql('live');
send_sql($updating, 'ALTER EXTENSION openinfo UPDATE');
wait_for_lock('live');
run_sql($working, 'COMMIT');
run_sql($updating);
worked('app', 'an update waits for a writer', 'preferences');
run_sql($working, work('app'));
worked('app', 'who goes on working in the new version', 'preferences');

# So does a downgrade, which counts what they wrote.
sql('live', 'UPDATE app.notification_preferences SET slack_new_leads = false');
run_sql($working, 'BEGIN; UPDATE app.notification_preferences SET slack_new_leads = true WHERE user_id = app.get_user_id()');
my $down = $node->background_psql('live', on_error_stop => 0);
send_sql($down, "ALTER EXTENSION openinfo UPDATE TO '0.5.0'");
wait_for_lock('live');
run_sql($working, 'COMMIT');
$down->query('SELECT 1');
like($down->{stderr}, qr/downgrade would delete 1 row from table "notification_preferences"/, 'a step down counts what was written while it waited');
$down->quit;
run_sql($updating, "SET openinfo.allow_data_loss = on; ALTER EXTENSION openinfo UPDATE TO '0.5.0'");
run_sql($working, work('app'));
worked('app', 'a session goes on after a step down');

# ALTER SCHEMA RENAME: nothing forbids it.  A decoy where the tables were must not be touched.
run_sql($updating, 'ALTER SCHEMA app RENAME TO moved; CREATE SCHEMA app; CREATE TABLE app.users (LIKE moved.users); CREATE TABLE app.sealed_contacts (LIKE moved.sealed_contacts)');
run_sql($working, work('moved'));
worked('moved', 'a session goes on after its schema was renamed');
run_sql($updating, 'ALTER EXTENSION openinfo UPDATE');
run_sql($working, work('moved'));
worked('moved', 'and the extension can still be updated', 'preferences');
is(sql('live', 'SELECT (SELECT count(*) FROM app.users) + (SELECT count(*) FROM app.sealed_contacts)'), '0', 'a decoy under the old name gets nothing');
is(sql('live', q{SELECT string_agg(p.oid::regprocedure::text, ' ') FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
	WHERE p.pronamespace = 'moved'::regnamespace AND p.prosrc ~ '\mapp\.' AND p.proname !~ '^migration_'}), '', 'no function but those of migrations that have run knows the old name');
sql('live', 'DROP SCHEMA app CASCADE');
$updating->quit;

# A statement whose plan goes stale while it runs, and that runs again within itself.
sql('live', q{
	CREATE FUNCTION public.nested() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
	BEGIN
		IF NEW.email = 'outer@one.example' THEN
			GRANT USAGE ON SCHEMA moved TO CURRENT_USER;
			PERFORM moved.add_member(NEW.workspace_id, gen_random_uuid(), 'inner@one.example');
		END IF;
		RETURN NULL;
	END $$;
	CREATE TRIGGER nested AFTER INSERT ON moved.users FOR EACH ROW EXECUTE FUNCTION public.nested()});
run_sql($working, q{SELECT moved.add_member(moved.get_user_workspace_id(), gen_random_uuid(), 'outer@one.example')});
$members += 2;
run_sql($working, work('moved'));
is(sql('live', "SELECT count(*) FROM moved.users WHERE email IN ('outer\@one.example', 'inner\@one.example')"), '2', 'a plan that goes stale while it runs');
$working->quit;

# ---------------------------------------------------------------------- apply_migrations() twice at once

sql('postgres', 'CREATE DATABASE migrated');
sql('migrated', 'CREATE SCHEMA app; SET openinfo.install_tables = off; CREATE EXTENSION openinfo SCHEMA app');
my ($first, $second) = map { $node->background_psql('migrated') } 1 .. 2;
is(run_sql($first, 'BEGIN; SELECT count(*) FROM app.apply_migrations()'), migrations($node, 'migrated', 'app'), 'apply_migrations() creates everything');
send_sql($second, 'SELECT count(*) FROM app.apply_migrations()');
wait_for_lock('migrated');
run_sql($first, 'COMMIT');
is(run_sql($second), "0\n1", 'and nothing in a session that asked at the same time');
$_->quit for $first, $second;

$node->stop;
done_testing();
