# What monitoring needs a server of its own for: installations that differ.

use strict;
use warnings FATAL => 'all';
use Test::More;
use OpenInfoTest;
use OpenInfoCatalog;
use PostgreSQL::Test::Utils;

my $node = new_node('monitoring', bare => 1);

$node->safe_psql('app', 'CREATE SCHEMA openinfo; CREATE EXTENSION openinfo SCHEMA openinfo');

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
	CREATE SCHEMA extensions; GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role;"
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
