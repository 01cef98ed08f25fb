# search_topics() finds exactly what reading the whole table would find: random topics, changes and texts against a
# reference in plain SQL, with savepoints, rollbacks, other sessions and VACUUM in between; then after a crash, on a
# standby, after a dump and restore, after VACUUM FULL and REINDEX, and in databases that are not in UTF-8.
#
# OPENINFO_SEED=n repeats a run, OPENINFO_TEXTS=n looks for more texts in each round (default 25).

use strict;
use warnings FATAL => 'all';
use FindBin;
use OpenInfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{OPENINFO_SEED} // 20260101;
my $texts = $ENV{OPENINFO_TEXTS} // 25;
note "seed $seed";
my $reached = 0;	# searches that the budget stopped
my $asked = 0;	# and those that did not read the pages of the index

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
	$asked += () = $err =~ /search_topics\(\) asked the access method/g;
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

# The search reads the pages of the index itself.  The same texts, in one snapshot, against a role for which a policy
# decides row by row, so that the table is read: with long lists of rows, while others split the pages and VACUUM deletes
# some, and through the access method, which is asked when there is a pending list.
$node->safe_psql('app', <<'SQL');
INSERT INTO global_topics (topic, current_volume)
    SELECT 'long ' || (ARRAY['list', 'lists', 'lost', 'last'])[1 + n % 4] || ' ' || n, n % 7 FROM generate_series(1, 20000) n;
-- Words with a letter of another alphabet: Greek, Cyrillic, Armenian.
CREATE PROCEDURE fuzz.piers(p_letters int) LANGUAGE sql AS $$
    INSERT INTO global_topics (topic, current_volume)
        SELECT word || ' pier', n
        FROM unnest(ARRAY(SELECT generate_series(945, 969)) || ARRAY(SELECT generate_series(1072, 1103)) || ARRAY(SELECT generate_series(1377, 1414)))
                 WITH ORDINALITY l(code, n),
             unnest(ARRAY[chr(code) || 'uay', 'q' || chr(code) || 'ays', chr(code) || 'ay']) word
        WHERE n <= p_letters
        ON CONFLICT DO NOTHING
$$;
CALL fuzz.piers(12);
CREATE ROLE fuzz_by_row;
GRANT USAGE ON SCHEMA fuzz TO fuzz_by_row;
GRANT SELECT ON global_topics, fuzz.text TO fuzz_by_row;
GRANT EXECUTE ON FUNCTION search_topics(text, int) TO fuzz_by_row;
CREATE POLICY fuzz_by_row ON global_topics TO fuzz_by_row USING (topic IS NOT NULL);
CREATE TABLE fuzz.long AS SELECT typed, n FROM unnest(ARRAY['l', 'lo', 'long', 'long l', 'list', 'lists 1', 'long last 7', 'lost 77', 'lsit 5', 'longlist',
    'list long', 'last 1 l', '19999', 'long 1', 'quayworkers', 'xuay', 'qxay', 'quxy', 'xay pier', 'pier qay']) WITH ORDINALITY t(typed, n);
GRANT SELECT ON fuzz.long TO fuzz_by_row;
CREATE FUNCTION fuzz.long_digest() RETURNS text LANGUAGE sql AS
  $$ SELECT md5(string_agg(n || s.topic || s.current_volume || s.relevance, ',' ORDER BY n, s.ordinality))
       FROM fuzz.long, search_topics(typed, 7) WITH ORDINALITY s $$;
CREATE PROCEDURE fuzz.split(p_times int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..p_times LOOP
        INSERT INTO global_topics (topic, current_volume)
            SELECT 'long list ' || i || ' ' || n || ' ' || random(), n % 7 FROM generate_series(1, 150) n;
        DELETE FROM global_topics WHERE topic LIKE 'long l%' || i || '%' AND random() < 0.3;
        COMMIT;
    END LOOP;
END
$$;
SQL
my $both = <<'SQL';
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT fuzz.long_digest() AS pages \gset
SET ROLE fuzz_by_row;
SELECT fuzz.long_digest() AS rows \gset
SELECT :'pages', :'rows' WHERE :'pages' <> :'rows';
ROLLBACK;
SQL
exact($both, 'pages of the index against rows of the table');
is(join(' ', map { $node->safe_psql('app', "SELECT count(*) FROM search_topics('$_', 100)") } qw(xuay qxay xay)), '12 12 12', 'another letter in place of one that few words have');
{
	my ($in, $out, $err) = ("CALL fuzz.split(40);\n", '', '');
	my $writer = IPC::Run::start([ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('app'), '-f', '-' ], '<', \$in, '>', \$out, '2>', \$err);
	for my $round (1 .. 3)
	{
		exact($both, "while pages are split, round $round");
		$node->safe_psql('app', 'VACUUM global_topics');
	}
	$writer->finish;
	is($err, '', 'the writer came through');
}
$node->safe_psql('app', "DELETE FROM global_topics WHERE topic LIKE 'long l%' AND current_volume > 2");
$node->safe_psql('app', 'VACUUM global_topics');
exact($both, 'after VACUUM has deleted pages');
$node->safe_psql('app', 'CALL fuzz.piers(95)');
exact($both, 'more letters in one place than are tried one by one');
is($asked, 0, 'so far all of them have read the pages');
$reached = 0;
$node->safe_psql('app', "ALTER INDEX idx_global_topics_search SET (fastupdate = on); INSERT INTO global_topics (topic, current_volume) SELECT 'long list pending ' || n, n FROM generate_series(1, 50) n;
	INSERT INTO global_topics (topic) VALUES ('quay workers united'), ('quays for workers')");
exact($both, 'through the access method, with a pending list');
exact("SELECT * FROM fuzz.check($texts);", 'through the access method, against the reference');
cmp_ok($asked, '>', 0, 'which then was asked');
is($reached, 0, 'and to the end, whatever it reads');
$node->safe_psql('app', "ALTER INDEX idx_global_topics_search SET (fastupdate = off); SELECT gin_clean_pending_list('idx_global_topics_search')");
exact($both, 'after the pending list has been cleaned');
$node->safe_psql('app', "DELETE FROM global_topics WHERE topic LIKE 'long l%' OR topic LIKE 'quay%'; DROP POLICY fuzz_by_row ON global_topics; VACUUM global_topics");

# A transaction that is open in the crash is gone, what was committed is there.
my $before = $node->safe_psql('app', 'SELECT fuzz.digest()');
crash_within($node, "UPDATE global_topics SET topic = topic || ' lost', current_volume = 1");
is($node->safe_psql('app', 'SELECT fuzz.digest()'), $before, 'after a crash');

(my $replayed, $before) = on_standby($node, seeded('CALL fuzz.write(10);'), 'SELECT fuzz.digest()');
is($replayed, $before, 'on a hot standby');

$node->safe_psql('app', 'VACUUM FULL global_topics');
is($node->safe_psql('app', 'SELECT fuzz.digest()'), $before, 'after VACUUM FULL');
$node->safe_psql('app', 'REINDEX TABLE CONCURRENTLY global_topics');
is($node->safe_psql('app', 'SELECT fuzz.digest()'), $before, 'after REINDEX CONCURRENTLY');

restored($node);
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
