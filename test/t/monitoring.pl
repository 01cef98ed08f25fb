# What watching needs a server of its own for: pg_stat_statements, and installations that differ.

use strict;
use warnings FATAL => 'all';
use Test::More;
use OpenInfoTest;
use OpenInfoCatalog;
use PostgreSQL::Test::Utils;

my $node = new_node('monitoring', bare => 1, conf => "shared_preload_libraries = 'pg_stat_statements'\npg_stat_statements.track_utility = off\n");

# ---------------------------------------------------------------------- slow queries

$node->safe_psql('app', 'CREATE SCHEMA openinfo; CREATE EXTENSION openinfo SCHEMA openinfo; CREATE SCHEMA "my Stats"; CREATE EXTENSION pg_stat_statements SCHEMA "my Stats"');
$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements');
$node->safe_psql('app', 'SELECT 40 + 2 AS asked_by_postgres; SELECT count(*) AS three_times FROM pg_class') foreach 1 .. 3;
$node->safe_psql('postgres', 'SELECT 41 + 1 AS asked_elsewhere');
$node->safe_psql('app', 'SET ROLE service_role; SELECT 43 - 1 AS asked_by_service');

my $asked = sub { return $node->safe_psql('app', "$_[0] SELECT role_name, calls, rows_returned, substring(query FROM 'asked_by_\\w+') FROM openinfo.openinfo_slow_queries WHERE query ~ ' AS asked_' OR query ~ 'insufficient' AND calls = 3 ORDER BY query COLLATE \"C\"") };
is($asked->(''), "postgres|3|3|asked_by_postgres\nservice_role|1|1|asked_by_service", 'a superuser sees what was asked in this database');
like($node->safe_psql('app', 'SELECT mean_ms > 0, max_ms >= mean_ms, abs(total_ms - 3 * mean_ms) < 0.001, cache_hit_percent BETWEEN 0 AND 100 FROM openinfo.openinfo_slow_queries WHERE query ~ \'three_times\' AND calls = 3'),
	qr/^t\|t\|t\|t$/, 'with its times');
is($node->safe_psql('app', 'SELECT array_agg(mean_ms) = array_agg(mean_ms ORDER BY mean_ms DESC) FROM openinfo.openinfo_slow_queries'), 't', 'the slowest first');

my ($code, $out, $err) = $node->psql('app', 'SET ROLE service_role; SELECT count(*) FROM openinfo.openinfo_slow_queries');
is("$code $out", '0 0', 'service_role, who may not look into the schema, sees nothing');
like($err, qr/NOTICE:  role "service_role" may not read pg_stat_statements\nHINT:  Run GRANT USAGE ON SCHEMA "my Stats" TO service_role; GRANT SELECT ON "my Stats"\.pg_stat_statements TO service_role;/, 'and is told what to run');
my ($grants) = $err =~ /HINT:  Run (.*)/;
$node->safe_psql('app', $grants);
is($node->safe_psql('app', "SET ROLE service_role; SELECT substring(query FROM 'asked_by_\\w+') FROM openinfo.openinfo_slow_queries WHERE query ~ ' AS asked_'"), 'asked_by_service', 'then it sees its own');
is($node->safe_psql('app', "SET ROLE service_role; SELECT count(*) > 0 FROM openinfo.openinfo_slow_queries WHERE role_name = 'postgres' AND query = '<insufficient privilege>'"), 't', 'and of others that they asked something');
$node->safe_psql('app', 'GRANT pg_read_all_stats TO service_role');
is($asked->('SET ROLE service_role;'), $asked->(''), 'with pg_read_all_stats it sees what they asked');
$node->safe_psql('app', 'REVOKE pg_read_all_stats FROM service_role');
$node->safe_psql('app', 'CREATE SCHEMA moved; ALTER EXTENSION pg_stat_statements SET SCHEMA moved');
isnt($node->safe_psql('app', 'SELECT count(*) FROM openinfo.openinfo_slow_queries'), '0', 'it is found after it has moved');
foreach my $old ('1.7', '1.8')
{
	$node->safe_psql('app', "DROP EXTENSION pg_stat_statements; CREATE EXTENSION pg_stat_statements VERSION '$old'");
	($code, $out, $err) = $node->psql('app', 'SELECT count(*) > 0 FROM openinfo.openinfo_slow_queries');
	like("$code $out $err", $old eq '1.7' ? qr/^0 f .*NOTICE:  pg_stat_statements is of an older version.*HINT:  Run ALTER EXTENSION pg_stat_statements UPDATE/s : qr/^0 t $/, "pg_stat_statements $old");
}

# ---------------------------------------------------------------------- connections

my $background = $node->background_psql('app');
my $waiting = $node->background_psql('app');
$background->query_safe('BEGIN; LOCK TABLE openinfo.plans');
$waiting->query_until(qr/sent/, "\\echo sent\nSELECT count(*) FROM openinfo.plans;\n");
ok($node->poll_query_until('app', "SELECT EXISTS (SELECT FROM openinfo.openinfo_connections WHERE state = 'active' AND waiting_for_lock = 1)"), 'who waits for a lock is counted');
is($node->safe_psql('app', "SELECT role_name, connections, waiting_for_lock, longest_transaction >= longest_in_state FROM openinfo.openinfo_connections WHERE state = 'idle in transaction'"), 'postgres|1|0|t', 'and who makes them wait');
is($node->safe_psql('app', 'SET ROLE service_role; SELECT sum(connections), count(state) FROM openinfo.openinfo_connections'), '3|0', 'service_role sees how many, and not what they do');
$background->query_safe('ROLLBACK');
$background->quit;
$waiting->quit;

# ---------------------------------------------------------------------- the checklist on other installations

sub found
{
	my ($db, $schema) = @_;
	return $node->safe_psql($db, "SET ROLE service_role; SELECT item, detail FROM $schema.security_checklist() WHERE NOT ok");
}

is(found('app', 'openinfo'), '', 'nothing is found in a schema of its own, without BYPASSRLS');

# As on Supabase: in public, with default privileges that give everything away, and roles that are there already.
$node->safe_psql('postgres', 'CREATE DATABASE supabase');
$node->safe_psql('supabase', "ALTER ROLE service_role BYPASSRLS; GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
	CREATE SCHEMA extensions; GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role; CREATE EXTENSION pg_stat_statements SCHEMA extensions;"
	. join '', map { "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON $_ TO anon, authenticated, service_role;" } qw(TABLES FUNCTIONS SEQUENCES));
$node->safe_psql('supabase', 'CREATE EXTENSION openinfo SCHEMA public');
is(found('supabase', 'public'), '', 'nor with default privileges as Supabase has them');
$node->safe_psql('supabase', 'CREATE TABLE notes (id uuid, workspace_id uuid)');
like(found('supabase', 'public'), qr/^anon has no access\|DELETE on public\.notes; /m, 'which do open a table of the user\'s own');
$node->safe_psql('supabase', 'DROP TABLE notes');

$node->safe_psql('postgres', 'CREATE DATABASE steps');
$node->safe_psql('steps', "CREATE SCHEMA \"My App\"; CREATE EXTENSION openinfo SCHEMA \"My App\" VERSION '0.1.0'; "
	. join ' ', map { "ALTER EXTENSION openinfo UPDATE TO '$_';" } grep { $_ ne '0.1.0' } versions($node));
is(found('steps', '"My App"'), '', 'nor after every step of the way up');
$node->safe_psql('steps', 'GRANT INSERT ON "My App".leads TO anon');
is(found('steps', '"My App"'), 'anon has no access|INSERT on "My App".leads', 'names are quoted where they must be');

# A dump brings the privileges that the user gave; its restore must not make them look like the extension's own.
$node->safe_psql('steps', 'REVOKE INSERT ON "My App".leads FROM anon; GRANT EXECUTE ON FUNCTION "My App".reset_daily_credits() TO authenticated; CREATE TABLE "My App".own (workspace_id uuid)');
my $before = found('steps', '"My App"');
my $dump = $node->basedir . '/steps.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, '-d', $node->connstr('steps') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $node->connstr('restored') ], 'restore');
is(found('restored', '"My App"'), $before, 'after a restore the same is found');
like($before, qr/^Service functions are not executable by API roles\|"My App"\.reset_daily_credits\(\)$/m, '... a grant on a function among it');
like($before, qr/^RLS is enabled on all tables\|"My App"\.own$/m, '... and a table of the user\'s own');

# The table that docs/security.md shows, as it stands there.
my ($shown) = slurp_file('docs/security.md') =~ /^## Your own tables\n.*?^```sql\n(.*?)^```$/ms or BAIL_OUT('docs/security.md has no SQL in section "Your own tables"');
$node->safe_psql('postgres', 'CREATE DATABASE readme');
$node->safe_psql('readme', "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO anon, authenticated; CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app; $shown");
is(found('readme', 'app'), '', 'a table made as docs/security.md says is in order');
$node->safe_psql('readme', 'ALTER TABLE app.notes DISABLE ROW LEVEL SECURITY');
is(found('readme', 'app'), 'RLS is enabled on all tables|app.notes', 'and looked at');
foreach my $item (split /\n/, $node->safe_psql('readme', 'SELECT item FROM app.security_checklist()'))
{
	like(slurp_file('docs/security.md'), qr/^\|.*\Q$item\E.*\|.*\|$/m, "docs/security.md says when this holds: $item");
}

# The tables are not there yet.
$node->safe_psql('postgres', 'CREATE DATABASE empty');
$node->safe_psql('empty', 'SET openinfo.install_tables = off; CREATE EXTENSION openinfo');
like(found('empty', 'public'), qr/^RLS is enabled on all tables\|public\.billing_events is missing; /m, 'missing tables are found, and nothing fails');

$node->safe_psql('steps', 'ALTER SCHEMA "My App" RENAME TO renamed');
is(found('steps', 'renamed'), $before =~ s/"My App"/renamed/gr, 'it works after the schema was renamed');

done_testing();
