# search_leads() finds exactly what reading a workspace's leads would find, page by page: random leads, changes and texts
# against a reference in plain SQL, with savepoints, rollbacks, other sessions, VACUUM, a full pending list and partitions
# in between; then after a crash, on a standby, and after a dump and restore.  And an update of a large installation.
#
# OPENINFO_SEED=n repeats a run, OPENINFO_TEXTS=n looks for more texts in each round (default 15).

use strict;
use warnings FATAL => 'all';
use FindBin;
use OpenInfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{OPENINFO_SEED} // 20260201;
my $texts = $ENV{OPENINFO_TEXTS} // 15;
note "seed $seed";
my ($reached, $asked) = (0, 0);	# searches that the budget stopped, and those that asked the access method

my $node = new_node('leads', conf => "autovacuum = off\nwal_level = replica\nmax_wal_senders = 4\nhot_standby = on\n");
my $lib = "$FindBin::RealBin/lib";
$node->safe_psql('app', slurp_file("$lib/$_")) for qw(topics_reference.sql topics_random.sql leads_reference.sql);

sub seeded
{
	return 'SELECT setseed(' . (($seed++ % 9973) / 9973) . ') \g /dev/null' . "\n" . shift;
}

# Differences that a session reports; none is an empty string.
sub exact
{
	my ($sql, $name) = @_;
	my ($status, $out, $err) = $node->psql('app', seeded("SET client_min_messages = debug1;\n$sql"), extra_params => ['-q'], on_error_die => 1);
	$reached += () = $err =~ /search_leads\(\) stopped after/g;
	$asked += () = $err =~ /search_leads\(\) asked the access method/g;
	is($out, '', $name);
	return;
}

$node->safe_psql('app', seeded(<<'SQL'));
INSERT INTO workspaces (id, slug, name) SELECT md5('workspace' || n)::uuid, 'workspace-' || n, 'Workspace ' || n FROM generate_series(0, 2) n;
SELECT fuzz.add_leads(2500);
CREATE TABLE fuzz.text AS SELECT n, fuzz.typed_lead() AS typed FROM generate_series(1, 200) n;
CREATE FUNCTION fuzz.digest() RETURNS text LANGUAGE sql AS
  $$ SELECT md5(string_agg(n || s.id::text || s.relevance, ',' ORDER BY n, s.place))
       FROM fuzz.text, search_leads(typed, 30, NULL, md5('workspace0')::uuid)
            WITH ORDINALITY s (id, company_data, query_id, created_at, relevance, place) $$;
SQL

exact("SELECT * FROM fuzz.check_leads($texts * 3);", 'freshly inserted, some of it in the pending list');
$node->safe_psql('app', 'VACUUM leads');
exact("SELECT * FROM fuzz.check_leads($texts * 2);", 'after VACUUM');

exact(<<SQL, 'in a transaction that changes leads, with savepoints');
BEGIN;
CALL fuzz.change_leads();
CALL fuzz.change_leads();
SELECT * FROM fuzz.check_leads($texts);
SAVEPOINT one;
UPDATE leads SET company_data = company_data || jsonb_build_object('name', fuzz.phrase()) WHERE random() < 0.3;
SELECT * FROM fuzz.check_leads($texts);
ROLLBACK TO one;
DELETE FROM leads WHERE random() < 0.3;
SAVEPOINT two;
SELECT fuzz.add_leads(60) \\g /dev/null
RELEASE two;
SELECT * FROM fuzz.check_leads($texts);
ROLLBACK;
SELECT * FROM fuzz.check_leads($texts);
SQL

# Other sessions write, commit and roll back while a transaction looks; VACUUM and the pending list in between.
my @writers;
for my $writer (1 .. 2)
{
	my ($in, $out, $err) = (seeded('CALL fuzz.write_leads(60);'), '', '');
	push @writers,
		{ err => \$err, run => IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('app'), '-f', '-' ], '<', \$in, '>', \$out, '2>', \$err) };
}
for my $round (1 .. 3)
{
	exact("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM fuzz.check_leads($texts); COMMIT;", "while others write, round $round");
	$node->safe_psql('app', $round % 2 ? "SELECT gin_clean_pending_list('idx_leads_search')" : 'VACUUM leads');
}
for my $writer (@writers)
{
	$writer->{run}->finish;
	is(${ $writer->{err} }, '', 'a writer came through');
}

exact(<<SQL, 'without the index of the newest');
BEGIN;
DROP INDEX idx_leads_workspace_id;
SELECT * FROM fuzz.check_leads($texts);
ROLLBACK;
SQL
$node->safe_psql('app', 'SELECT partition_leads(3)');
exact("SELECT * FROM fuzz.check_leads($texts);", 'in partitions');
$node->safe_psql('app', seeded('SELECT fuzz.add_leads(300)'));
exact("SELECT * FROM fuzz.check_leads($texts);", 'with the pending list of a partition');
$node->safe_psql('app', 'SELECT unpartition_leads()');
exact("SELECT * FROM fuzz.check_leads($texts);", 'in one table again');
is($reached, 0, 'no search reached its budget');
is($asked, 0, 'and none asked the access method');

# A transaction that is open in the crash is gone, what was committed is there; also what is in the pending list.
$node->safe_psql('app', seeded('SELECT fuzz.add_leads(100)'));
my $before = $node->safe_psql('app', 'SELECT fuzz.digest()');
crash_within($node, "UPDATE leads SET company_data = company_data || '{\"name\": \"lost\"}'");
is($node->safe_psql('app', 'SELECT fuzz.digest()'), $before, 'after a crash');

(my $replayed, $before) = on_standby($node, seeded('CALL fuzz.write_leads(10);'), 'SELECT fuzz.digest()');
is($replayed, $before, 'on a hot standby');
$node->safe_psql('app', 'REINDEX TABLE CONCURRENTLY leads');
is($node->safe_psql('app', 'SELECT fuzz.digest()'), $before, 'after REINDEX CONCURRENTLY');

restored($node);
is($node->safe_psql('restored', 'SELECT fuzz.digest()'), $before, 'after a dump and restore');

# An update with more than 100,000 leads does not build the index; it prints the statement that does.
sub large
{
	my ($db, $leads) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, "CREATE EXTENSION openinfo VERSION '1.0.0'");
	$node->safe_psql($db, <<SQL);
INSERT INTO workspaces (id, slug, name) VALUES (md5('workspace0')::uuid, 'one', 'One');
DROP INDEX idx_leads_company_data, idx_leads_contact_data;
SET session_replication_role = replica;
INSERT INTO leads (workspace_id, company_data) SELECT md5('workspace0')::uuid, jsonb_build_object('name', 'Acme ' || n) FROM generate_series(1, $leads) n;
SQL
	my ($status, $out, $err) = $node->psql($db, "ALTER EXTENSION openinfo UPDATE TO '1.1.0'", on_error_die => 1);
	return $err;
}
my $search = "SELECT company_data ->> 'name' FROM search_leads('acme 777', 1, NULL, md5('workspace0')::uuid)";

unlike(large('small', 100000), qr/WARNING/, 'an update with 100,000 leads needs nothing more');
is($node->safe_psql('small', $search), 'Acme 777', 'leads are found');

my ($statement) = large('large', 100001) =~ /WARNING:  search_leads\(\) needs an index.*\n(?:DETAIL:.*\n)?HINT:  (CREATE INDEX CONCURRENTLY .*;)/;
ok($statement, 'with one more it prints a statement');
my ($status, $out, $err) = $node->psql('large', "\\set VERBOSITY verbose\n$search");
like($err, qr/ERROR:  55000: .*\n(?:.*\n)*HINT:  \Q$statement\E/, 'without the index the search is refused, with that statement as hint');
$node->safe_psql('large', $statement);
is($node->safe_psql('large', $search), 'Acme 777', 'which makes it work');
is($node->safe_psql('large', "SELECT indexdef FROM pg_indexes WHERE indexname = 'idx_leads_search'"),
	$node->safe_psql('small', "SELECT indexdef FROM pg_indexes WHERE indexname = 'idx_leads_search'"), 'with the same index');
$node->safe_psql('large', "ALTER EXTENSION openinfo UPDATE TO '1.0.0'");
is($node->safe_psql('large', "SELECT count(*) FROM pg_indexes WHERE indexname = 'idx_leads_search'"), '0', 'and goes with it');

$node->stop;
done_testing();
