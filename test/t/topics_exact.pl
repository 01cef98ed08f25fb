# search_topics() finds exactly what reading the whole table would find: random topics, changes and texts against a
# reference in plain SQL, with savepoints, rollbacks, other sessions and VACUUM in between; then after a crash, on a
# standby, after a dump and restore, after VACUUM FULL and REINDEX, and in databases that are not in UTF-8.
#
# OPENINFO_SEED=n repeats a run, OPENINFO_TEXTS=n looks for more texts in each round (default 25).

use strict;
use warnings FATAL => 'all';
use FindBin;
use OpenInfoTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{OPENINFO_SEED} // 20260101;
my $texts = $ENV{OPENINFO_TEXTS} // 25;
note "seed $seed";
my $reached = 0;	# searches that the budget stopped

my $node = new_node('topics', conf => "autovacuum = off\nwal_level = replica\nmax_wal_senders = 4\nhot_standby = on\n");
my $lib = "$FindBin::RealBin/lib";
$node->safe_psql('app', slurp_file("$lib/$_")) for qw(topics_reference.sql topics_random.sql);

# Seeds run on, so that every session does something else.
sub seeded
{
	return 'SELECT setseed(' . (($seed++ % 9973) / 9973) . ') \g /dev/null' . "\n" . shift;
}

# Differences that a session reports; none is an empty string.
sub exact
{
	my ($sql, $name) = @_;
	my ($status, $out, $err) = $node->psql('app', seeded("SET client_min_messages = debug1;\n$sql"), extra_params => ['-q'], on_error_die => 1);
	$reached += () = $err =~ /search_topics\(\) stopped after/g;
	is($out, '', $name);
}

$node->safe_psql('app', seeded(<<'SQL'));
INSERT INTO global_topics (topic, current_volume) SELECT fuzz.phrase(), fuzz.volume() FROM generate_series(1, 2600) ON CONFLICT DO NOTHING;
CREATE TABLE fuzz.text AS SELECT n, fuzz.typed() AS typed FROM generate_series(1, 300) n;
CREATE FUNCTION fuzz.digest() RETURNS text LANGUAGE sql AS
  $$ SELECT md5(string_agg(n || s.topic || s.current_volume || s.relevance, ',' ORDER BY n, s.ordinality))
       FROM fuzz.text, search_topics(typed, 30) WITH ORDINALITY s $$;
-- Changes one after the other; every third transaction is rolled back.
CREATE PROCEDURE fuzz.write(p_times int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..p_times LOOP
        CALL fuzz.change();
        CALL fuzz.change();
        IF random() < 0.33 THEN
            ROLLBACK;
        ELSE
            COMMIT;
        END IF;
    END LOOP;
END
$$;
SQL
cmp_ok($node->safe_psql('app', 'SELECT count(*) FROM global_topics'), '>', 2000, 'some thousand topics');

exact("SELECT * FROM fuzz.check($texts * 3);", 'freshly inserted');
$node->safe_psql('app', 'VACUUM global_topics');

exact(<<SQL, 'in a transaction that changes topics, with savepoints');
BEGIN;
CALL fuzz.change();
CALL fuzz.change();
SELECT * FROM fuzz.check($texts);
SAVEPOINT one;
CALL fuzz.change();
UPDATE global_topics SET current_volume = fuzz.volume() WHERE random() < 0.3;
SELECT * FROM fuzz.check($texts);
ROLLBACK TO one;
SAVEPOINT two;
DELETE FROM global_topics WHERE random() < 0.3;
SAVEPOINT three;
INSERT INTO global_topics (topic) SELECT fuzz.phrase() FROM generate_series(1, 50) ON CONFLICT DO NOTHING;
RELEASE three;
SELECT * FROM fuzz.check($texts);
ROLLBACK;
SELECT * FROM fuzz.check($texts);
SQL

# Other sessions write, commit and roll back while a transaction looks; VACUUM in between.
my @writers;
for my $writer (1 .. 2)
{
	my ($in, $out, $err) = (seeded('CALL fuzz.write(60);'), '', '');
	push @writers,
		{ err => \$err, run => IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('app'), '-f', '-' ], '<', \$in, '>', \$out, '2>', \$err) };
}
for my $round (1 .. 2)
{
	exact("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM fuzz.check($texts); COMMIT;", "while others write, round $round");
	$node->safe_psql('app', 'VACUUM global_topics');
}
for my $writer (@writers)
{
	$writer->{run}->finish;
	is(${ $writer->{err} }, '', 'a writer came through');
}
$node->safe_psql('app', 'VACUUM global_topics');
exact("SELECT * FROM fuzz.check($texts);", 'after they are done, and VACUUM');

# Without its index, and with a policy that decides row by row, the table is read: the same rules.
exact(<<SQL, 'reading the whole table');
BEGIN;
DROP INDEX idx_global_topics_search;
SELECT * FROM fuzz.check($texts);
ROLLBACK;
SQL

is($reached, 0, 'no search reached its budget');

# A transaction that is open in the crash is gone, what was committed is there.
my $before = $node->safe_psql('app', 'SELECT fuzz.digest()');
{
	my ($in, $out) = ("BEGIN; UPDATE global_topics SET topic = topic || ' lost', current_volume = 1; SELECT 'written';\n", '');
	my $open = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('app'), '-f', '-' ], '<', \$in, '>', \$out, '2>', \my $err);
	pump $open until $out =~ /written/;
	$node->stop('immediate');
	$open->finish;
}
$node->start;
is($node->safe_psql('app', 'SELECT fuzz.digest()'), $before, 'after a crash');

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('topics_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('app', seeded('CALL fuzz.write(10);'));
$before = $node->safe_psql('app', 'SELECT fuzz.digest()');
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('app', 'SELECT fuzz.digest()'), $before, 'on a hot standby');
$standby->stop;

$node->safe_psql('app', 'VACUUM FULL global_topics');
is($node->safe_psql('app', 'SELECT fuzz.digest()'), $before, 'after VACUUM FULL');
$node->safe_psql('app', 'REINDEX TABLE CONCURRENTLY global_topics');
is($node->safe_psql('app', 'SELECT fuzz.digest()'), $before, 'after REINDEX CONCURRENTLY');

my $dump = PostgreSQL::Test::Utils::tempdir() . '/app.sql';
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('app') ], 'dumped');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ], 'restored');
is($node->safe_psql('restored', 'SELECT fuzz.digest()'), $before, 'after a dump and restore');

# Databases that are not in UTF-8: bytes beyond ASCII are letters where nobody knows what they mean.
for my $encoding ([ 'LATIN1', 'cafe' ], [ 'SQL_ASCII', "E'caf\\xe9'" ], [ 'EUC_JP', 'cafe' ])
{
	my ($name, $typed) = @$encoding;
	my $db = lc $name;
	$typed = "'$typed'" unless $typed =~ /^E/;
	$node->safe_psql('postgres', "CREATE DATABASE $db ENCODING '$name' LOCALE 'C' TEMPLATE template0");
	my $topic = $name eq 'EUC_JP' ? "'cafe'" : "E'Caf\\xe9'";
	$node->safe_psql($db, "SET client_min_messages = error; CREATE EXTENSION openinfo; INSERT INTO global_topics (topic, current_volume) VALUES ($topic, 5), ('machine learning', 7);");
	is($node->safe_psql($db, "SELECT count(*) FROM search_topics($typed)"), 1, "$name: a topic with an accent");
	is($node->safe_psql($db, "SELECT topic FROM search_topics('lerning mach')"), 'machine learning', "$name: typos");
	is($node->safe_psql($db, "SELECT count(*) FROM search_topics(E'\\xff\\xfe')"), 0, "$name: any byte") if $name eq 'SQL_ASCII' or $name eq 'LATIN1';
}

$node->stop;
done_testing();
