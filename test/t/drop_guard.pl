# Protection against accidental drops: DROP EXTENSION, DROP SCHEMA and DROP OWNED delete no data unless
# openinfo.allow_drop is on; nothing else is affected.

use strict;
use warnings FATAL => 'all';
use File::Basename qw(basename);
use Test::More;
use OpenInfoTest;
use OpenInfoCatalog;

my $node = new_node('guard', bare => 1);
my $db;

# A fresh database with the extension in schema app, and one workspace in it unless it is to stay empty.
sub database
{
	my ($name, %option) = @_;
	$db = $name;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($db, 'CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app');
	$node->safe_psql($db, "INSERT INTO app.workspaces (slug, name) VALUES ('one', 'One'), ('two', 'Two')") unless $option{empty};
	return;
}

# Every statement runs in a session of its own, which has not loaded the library: the event trigger does.
sub sql { return $node->safe_psql($db, $_[0]); }

# What a statement says: SQLSTATE, message, detail and hint; '' when it succeeds.
sub says
{
	my ($sql) = @_;
	my ($code, $out, $err) = $node->psql($db, "\\set VERBOSITY verbose\nSET client_min_messages = warning;\n$sql", on_error_stop => 1);
	return $code ? $err : '';
}

sub rows { return sql('SELECT count(*) FROM app.workspaces'); }

# ---------------------------------------------------------------------- what is refused

database('refused');
sql(q{
	CREATE ROLE regress_guard_owner;
	CREATE ROLE regress_guard_super SUPERUSER;
	CREATE SCHEMA side;
	CREATE TABLE side.archive () INHERITS (app.leads);
	INSERT INTO side.archive (workspace_id, company_data) SELECT id, '{"name": "Alpha"}' FROM app.workspaces WHERE slug = 'one'});
my $refusal = qr/ERROR:  55000: (DROP \w+) would delete data of extension "openinfo".*DETAIL:  Table "(\w+)" has (\d+) rows?\..*HINT:  .*"openinfo\.allow_drop" to "on"/s;
my @ways = (
	[ 'DROP EXTENSION openinfo CASCADE', 'DROP EXTENSION', 'workspaces', 2 ],
	[ 'DROP SCHEMA app CASCADE', 'DROP SCHEMA', undef, undef ],
	# a descendant of one of our tables in another schema
	[ 'DROP SCHEMA side CASCADE', 'DROP SCHEMA', 'archive', 1 ],
	[ 'ALTER TABLE app.workspaces OWNER TO regress_guard_owner; DROP OWNED BY regress_guard_owner CASCADE', 'DROP OWNED', 'workspaces', 2 ],
	[ 'ALTER TABLE app.leads OWNER TO regress_guard_owner; DROP OWNED BY regress_guard_owner CASCADE', 'DROP OWNED', 'archive', 1 ],
	[ 'DO $$ BEGIN DROP EXTENSION openinfo CASCADE; END $$', 'DROP EXTENSION', 'workspaces', 2 ],
	[ q{DO $$ BEGIN EXECUTE 'DROP SCHEMA app CASCADE'; END $$}, 'DROP SCHEMA', undef, undef ],
	[ 'SET ROLE regress_guard_super; DROP EXTENSION IF EXISTS openinfo CASCADE', 'DROP EXTENSION', 'workspaces', 2 ],
	# a session that has the library already
	[ 'SELECT app.get_user_id(); DROP EXTENSION openinfo CASCADE', 'DROP EXTENSION', 'workspaces', 2 ],
	[ 'SELECT app.get_user_id(); DROP SCHEMA app CASCADE', 'DROP SCHEMA', undef, undef ],
	# rows that the same transaction has inserted count, and those that it has deleted do not
	[ 'DROP TABLE side.archive; DELETE FROM app.workspaces; DELETE FROM app.plans; INSERT INTO app.plans (name) VALUES (1); DROP EXTENSION openinfo CASCADE', 'DROP EXTENSION', 'plans', 1 ],
	[ 'BEGIN ISOLATION LEVEL SERIALIZABLE; DROP EXTENSION openinfo CASCADE', 'DROP EXTENSION', 'workspaces', 2 ],
	[ 'CREATE SCHEMA one; CREATE SCHEMA two; DROP SCHEMA one, app, two CASCADE', 'DROP SCHEMA', undef, undef ]);
foreach my $way (@ways)
{
	my ($statement, $command, $table, $count) = @$way;
	my $error = says("BEGIN; $statement");
	like($error, $refusal, "refused: $statement");
	my @said = $error =~ $refusal;
	is("@said", defined $table ? "$command $table $count" : "$command $said[1] $said[2]", 'the error names command, table and rows');
}
is(rows(), '2', 'every row is there');

# Each table of the extension, with a row in it.
database('every', empty => 1);
fill($node, $db, 'app');
foreach my $table (tables($node, $db, 'app'))
{
	my @said = says("BEGIN; ALTER TABLE app.$table OWNER TO regress_guard_owner; DROP OWNED BY regress_guard_owner CASCADE") =~ $refusal;
	is("@said[0, 1]", "DROP OWNED $table", "$table is protected");
}
$db = 'refused';

# An error that is caught leaves everything in place, and the session as it was.
is(sql(q{
	DO $$ BEGIN
		BEGIN DROP EXTENSION openinfo CASCADE; EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL; END;
		ASSERT (SELECT count(*) = 2 FROM app.workspaces);
		DROP TABLE side.archive;
	END $$;
	DO $$ BEGIN
		PERFORM app.get_user_id();
		BEGIN DROP SCHEMA app CASCADE; EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL; END;
		INSERT INTO app.workspaces (slug, name) VALUES ('three', 'Three');
		DROP TABLE app.trends;
	END $$;
	SELECT count(*) FROM app.workspaces;}), '3', 'in a DO block that catches the refusal, the rows stay and a DROP TABLE goes on');

# PostgreSQL's own errors come first.
like(says('DROP EXTENSION openinfo'), qr/ERROR:  2BP01: .*other objects depend on it/, 'without CASCADE, DROP EXTENSION is refused for its dependants');
like(says('DROP SCHEMA app'), qr/ERROR:  2BP01: /, 'so is DROP SCHEMA');
sql('GRANT ALL ON SCHEMA app TO regress_guard_owner; CREATE ROLE regress_guard_nobody');
like(says("SET ROLE regress_guard_$_; DROP EXTENSION openinfo CASCADE"), qr/ERROR:  42501: must be owner of extension openinfo/, "$_ is not the owner") for qw(nobody owner);
like(says('SET ROLE regress_guard_nobody; DROP SCHEMA app CASCADE'), qr/ERROR:  42501: must be owner of schema app/, 'nor of the schema');
like(says('SET ROLE regress_guard_nobody; DROP OWNED BY regress_guard_owner CASCADE'), qr/ERROR:  42501: permission denied to drop objects/, 'nor a member of that role');
is(rows(), '3', 'and every row is still there');

# ---------------------------------------------------------------------- who may allow it

like(says('SET ROLE regress_guard_nobody; SET openinfo.allow_drop = on'), qr/^$/, 'before the library is loaded anyone can set the parameter');
sql('GRANT CREATE ON DATABASE refused TO regress_guard_nobody; ALTER SCHEMA app OWNER TO regress_guard_nobody');
like(says('SET ROLE regress_guard_nobody; SET openinfo.allow_drop = on; DROP SCHEMA app CASCADE'), $refusal, 'which has no effect unless it was set by a superuser');
like(says('SELECT app.get_user_id(); SET ROLE regress_guard_nobody; SET openinfo.allow_drop = on'), qr/ERROR:  42501: permission denied to set parameter "openinfo\.allow_drop"/,
	'and afterwards only superusers can');
is(rows(), '3', 'every row is still there');

is(says('BEGIN; SET LOCAL openinfo.allow_drop = on; DROP EXTENSION openinfo CASCADE; ROLLBACK'), '', 'a superuser may');
is(says('BEGIN; SET LOCAL openinfo.allow_drop = on; COMMIT; DROP EXTENSION openinfo CASCADE') =~ $refusal, 1, 'SET LOCAL lasts for its transaction');
is(says('SET openinfo.allow_drop = on; DROP SCHEMA app CASCADE'), '', 'then DROP SCHEMA succeeds');
is(sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'app'"), '0', 'and drops everything');
is(sql("SELECT count(*) FROM pg_event_trigger"), '0', 'with its event trigger');
is(says('CREATE SCHEMA other; DROP SCHEMA other'), '', 'and leaves nothing behind');

database('allowed');
is(says('SET openinfo.allow_drop = on; DROP EXTENSION openinfo CASCADE; DROP SCHEMA app CASCADE'), '', 'DROP EXTENSION too');

# Tables that have been emptied on purpose are not protected; nor is a whole database.
database('emptied');
is(says('SELECT app.get_user_id(); DROP TABLE app.workspaces, app.users CASCADE; TRUNCATE app.plans, app.visible_fields'), '', 'DROP TABLE is deliberate, also where the library is loaded');
like(says('DROP EXTENSION openinfo CASCADE'), qr/Table "schema_migrations" has @{[ migrations($node, $db, 'app') ]} rows/, 'the list of migrations is checked last');
sql('TRUNCATE app.schema_migrations');
is(says('DROP EXTENSION openinfo CASCADE'), '', 'DROP EXTENSION succeeds when all tables are empty');
database('whole');
is($node->psql('postgres', 'DROP DATABASE whole'), 0, 'DROP DATABASE is not protected');

# ---------------------------------------------------------------------- DROP TABLE behaves the same in every session

foreach my $loaded ('', 'SELECT app.get_user_id();', 'DO $$ BEGIN DROP SCHEMA app CASCADE; EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL; END $$;')
{
	database('session' . length $loaded);
	is(says("$loaded BEGIN; DROP TABLE app.leads CASCADE; DROP TABLE app.workspaces CASCADE; ROLLBACK"), '', 'DROP TABLE by its owner' . ($loaded && " after $loaded"));
}

# ---------------------------------------------------------------------- no false positives

database('peace');
foreach my $setup ('', 'SELECT app.get_user_id();')
{
	is(says("$setup $_"), '', "undisturbed: $setup $_") foreach (
		'VACUUM FULL app.workspaces', 'CLUSTER app.workspaces USING workspaces_pkey', 'REINDEX TABLE app.workspaces', 'REINDEX SCHEMA app',
		'ALTER TABLE app.workspaces ALTER COLUMN name TYPE varchar(100)', 'ALTER TABLE app.workspaces ALTER COLUMN name TYPE text',
		'ALTER TABLE app.workspaces ADD COLUMN more int; ALTER TABLE app.workspaces DROP COLUMN more',
		'CREATE TEMP TABLE workspaces AS SELECT 1 AS a; DROP TABLE workspaces',
		'CREATE TEMP TABLE users ON COMMIT DROP AS SELECT 1 AS a',
		'CREATE TEMP TABLE leads AS SELECT 1 AS a; DISCARD TEMP',
		'CREATE TEMP TABLE plans AS SELECT 1 AS a',
		'CREATE SCHEMA other; CREATE TABLE other.workspaces AS SELECT 1 AS a; DROP SCHEMA other CASCADE',
		'CREATE SCHEMA other; CREATE TABLE other.leads AS SELECT 1 AS a; ALTER SCHEMA other OWNER TO regress_guard_nobody; ALTER TABLE other.leads OWNER TO regress_guard_nobody; DROP OWNED BY regress_guard_nobody',
		'CREATE TABLE app.mine AS SELECT 1 AS a; DROP TABLE app.mine',
		'CREATE TABLE app.mine AS SELECT 1 AS a; ALTER TABLE app.mine OWNER TO regress_guard_nobody; DROP OWNED BY regress_guard_nobody',
		'DROP OWNED BY service_role, authenticated; ALTER TABLE app.workspaces ENABLE ROW LEVEL SECURITY',
		'DROP EXTENSION IF EXISTS pgcrypto; CREATE EXTENSION pgtap; DROP EXTENSION pgtap CASCADE',
		'TRUNCATE app.notification_preferences',
		'CREATE MATERIALIZED VIEW app.m AS SELECT slug FROM app.workspaces; REFRESH MATERIALIZED VIEW app.m; DROP MATERIALIZED VIEW app.m');
}
is(rows(), '2', 'and every row is there');

# A view with the name of one of our tables is not protected.
is(says('BEGIN; ALTER TABLE app.expired_export_files RENAME TO gone; CREATE VIEW app.expired_export_files AS SELECT slug FROM app.workspaces;
	ALTER VIEW app.expired_export_files OWNER TO regress_guard_nobody; DROP OWNED BY regress_guard_nobody; ROLLBACK'), '', 'a view of that name is not protected');

# Another event trigger that runs commands of its own between the announcement and the drop does not disable the protection.
sql(q{
	CREATE FUNCTION public.busy() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN CREATE TEMP TABLE busy (a int); DROP TABLE busy; END $$;
	CREATE EVENT TRIGGER zz_busy ON ddl_command_start WHEN TAG IN ('DROP SCHEMA', 'DROP EXTENSION') EXECUTE FUNCTION public.busy()});
like(says($_ . 'DROP SCHEMA app CASCADE'), $refusal, 'still refused with an event trigger of the user beside it') foreach '', 'SELECT app.get_user_id();';
sql('DROP EVENT TRIGGER zz_busy');

# ---------------------------------------------------------------------- downgrades drop tables by their own rules

is(says(q{DELETE FROM app.workspaces; ALTER EXTENSION openinfo UPDATE TO '0.1.0'; ALTER EXTENSION openinfo UPDATE}), '', 'downgrades are not hindered');
is(sql("SELECT evtname FROM pg_event_trigger ORDER BY 1"), "openinfo_guard\nopeninfo_revoke_default_privileges", 'and the upgrade creates the event trigger again');
is(says(q{SET openinfo.allow_drop = on; ALTER EXTENSION openinfo UPDATE TO '0.5.0'}), '', 'the downgrade from 1.0.0 drops the event triggers');
is(sql("SELECT count(*) FROM pg_event_trigger"), '0', 'all of them');

# ---------------------------------------------------------------------- a server that has lost the library

database('lost');
# what is in the server's own directory of libraries, but for ours, which may be installed there
my ($libraries, $remaining) = ($node->config_data('--pkglibdir'), $node->basedir . '/remaining');
mkdir $remaining or die "$remaining: $!";
symlink $_, "$remaining/" . basename($_) or die "$_: $!" foreach grep { basename($_) ne 'openinfo.so' } glob "$libraries/*";
my $lost = $node->safe_psql('postgres', "SELECT string_agg(format('SET %s = %L;', name, CASE name WHEN 'dynamic_library_path' THEN '$remaining' ELSE '' END), '') FROM pg_settings WHERE name IN ('dynamic_library_path', 'extension_destdir')");
like(says("$lost SELECT app.get_user_id()"), qr/ERROR:  58P01: could not access file/, 'the library is missing');
is(says("$lost $_"), '', "without it: $_") foreach (
	'CREATE TABLE public.t (a int); INSERT INTO public.t VALUES (1); DROP TABLE public.t', 'CREATE SCHEMA other', 'CREATE TEMP TABLE t (a int)',
	'CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; DROP FUNCTION public.f()',
	'VACUUM FULL app.plans', 'ALTER TABLE app.plans ADD COLUMN more int', 'DROP TABLE app.trends CASCADE', 'CREATE ROLE regress_guard_gone; DROP ROLE regress_guard_gone');
like(says("$lost DROP EXTENSION openinfo CASCADE"), qr/ERROR:  58P01: could not access file/, 'the protected commands fail');
is(rows(), '2', 'every row is there');
is(says("$lost ALTER EVENT TRIGGER openinfo_guard DISABLE; DROP SCHEMA other; ALTER EVENT TRIGGER openinfo_guard ENABLE"), '', 'until a superuser disables the event trigger');

# ---------------------------------------------------------------------- pg_restore --clean over an installation

database('cleaned');
my $dump = $node->basedir . '/guard.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr($db) ], 'pg_dump');
sql("INSERT INTO app.workspaces (slug, name) VALUES ('later', 'Later')");
$node->command_ok([ 'pg_restore', '--clean', '--if-exists', '-d', $node->connstr($db), $dump ], 'pg_restore --clean over the same installation, which drops table by table');
is(rows(), '2', 'restores the rows of the dump');
is(sql('SELECT count(*) FROM pg_policy') > 20, 1, 'with its policies');
like(says('DROP EXTENSION openinfo CASCADE'), $refusal, 'and with the protection');

done_testing();
