# Drivers and ORMs: each example of docs/clients.md, as it stands there, with what a program does with it; the types that
# Supabase's generator makes of an installation; and a migration tool beside it.

use strict;
use warnings FATAL => 'all';
use Cwd qw(getcwd);
use File::Copy qw(copy);
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use OpenInfoTest;

my $top = getcwd();
my $limit = $PostgreSQL::Test::Utils::timeout_default;
my ($npm) = grep { -x } map { "$_/npm" } split /:/, $ENV{PATH};

# What runs a client's scripts, from a directory that has what they import; or why it cannot be tried.
sub npm_packages
{
	my ($dir, @packages) = @_;
	return undef unless $npm;
	local $ENV{npm_config_cache} = "$dir/cache";
	my $log;
	return 'node' if IPC::Run::run([ $npm, 'install', '--prefix', $dir, '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error', @packages ],
		'<', '/dev/null', '>&', \$log, IPC::Run::timeout($limit));
	diag $log;
	return undef;
}

# Debian's packages are for Debian's Python, which another one may hide.
sub python_modules
{
	my (@modules) = @_;
	my $import = 'import ' . join ', ', @modules;
	my ($python) = grep { -x && IPC::Run::run([ $_, '-c', $import ], '<', '/dev/null', '>&', \my $log) } map { "$_/python3" } '/usr/bin', split /:/, $ENV{PATH};
	return $python;
}

my $node_dir = PostgreSQL::Test::Utils::tempdir();
my $node_program = npm_packages($node_dir, 'pg@8', 'drizzle-orm@0.44');
my @clients = (
	# heading in docs/clients.md, name for the row it writes, script, what runs it, what is missing otherwise
	[ 'node-postgres', 'Pg', 'node_postgres.mjs', $node_program, 'npm, or its packages' ],
	[ 'Drizzle', 'Drizzle', 'drizzle.mjs', $node_program, 'npm, or its packages' ],
	[ 'psycopg', 'Psycopg', 'psycopg_driver.py', scalar python_modules('psycopg'), 'python3-psycopg' ],
	[ 'SQLAlchemy', 'SQLAlchemy', 'sqlalchemy_orm.py', scalar python_modules('sqlalchemy', 'psycopg2'), 'python3-sqlalchemy, python3-psycopg2' ],
	[ 'Django', 'Django', 'django_orm.py', scalar python_modules('django', 'psycopg2'), 'python3-django, python3-psycopg2' ]);
plan skip_all => 'there is none of the clients' unless grep { $_->[3] } @clients;

my $person = '0a000000-0000-4000-8000-00000000000a';
my $node = new_node('clients', bare => 1);
$node->safe_psql('app', <<"END");
	CREATE SCHEMA app;
	CREATE EXTENSION openinfo SCHEMA app;
	CREATE ROLE regress_requests LOGIN NOINHERIT;
	GRANT anon, authenticated TO regress_requests;
	BEGIN;
	SET LOCAL ROLE authenticated;
	SET LOCAL request.jwt.claims = '{"sub": "$person"}';
	SELECT app.create_workspace('north', 'North', 'ann\@north.example');
	COMMIT;
END

my $docs = slurp_file("$top/docs/clients.md");

sub write_file
{
	my ($name, $text) = @_;
	open my $file, '>', $name or BAIL_OUT("cannot write $name: $!");
	print $file $text;
	close $file;
	return;
}

# Writes the first example below a heading of the page into a file.
sub example
{
	my ($heading, $name) = @_;
	my ($text) = $docs =~ /^##+ \Q$heading\E\n(?:(?!^##).)*?^```(?:js|python|sql)\n(.*?)^```$/ms or BAIL_OUT("docs/clients.md has no example of $heading");
	write_file($name, $text);
	return;
}

foreach my $client (@clients)
{
	my ($heading, $name, $script, $program, $missing) = @$client;
  SKIP:
	{
		skip "$heading: needs $missing", 2 unless $program;
		my $dir = $script =~ /mjs$/ ? $node_dir : PostgreSQL::Test::Utils::tempdir();
		example($heading, "$dir/docs" . $script =~ s/.*(?=\.)//r);
		copy("$top/test/t/lib/clients/$script", $dir) or BAIL_OUT("cannot copy $script: $!");
		local $ENV{DATABASE_URL} = 'postgresql://regress_requests@/app?host=' . $node->host . '&port=' . $node->port;
		local $ENV{PERSON} = $person;
		my ($said, $complained);
		ok(IPC::Run::run([ $program, "$dir/$script" ], '<', '/dev/null', '>', \$said, '2>', \$complained, IPC::Run::timeout($limit)), "$heading: runs")
			or diag $complained;
		is($said, <<"END", "$heading: inserts and reads as the person, and is refused what it should be");
insert: [{"name":"$name"}]
read: [{"count":1}]
nobody: [{"count":0}]
refused: "42501"
signed out: "PT401"
END
	}
}

my $superuser = '@/app?host=' . $node->host . '&port=' . $node->port;

SKIP:
{
	my $dir = PostgreSQL::Test::Utils::tempdir();
	skip 'Types: needs npm, or its packages', 4 unless npm_packages($dir, '@supabase/postgrest-typegen@0.2', '@supabase/postgrest-js@2', 'typescript@5', 'pg@8');
	example('Types', "$dir/generate.mjs");
	local $ENV{DATABASE_URL} = "postgresql://$superuser";
	my ($generated, $complained);
	ok(IPC::Run::run([ 'node', "$dir/generate.mjs" ], '<', '/dev/null', '>', \$generated, '2>', \$complained, IPC::Run::timeout($limit)), 'Types: are generated')
		or diag $complained;
	is($generated, slurp_file("$top/examples/types/database.types.ts"), 'Types: those of examples/types are up to date (make types)');

	# The objects in jsonb, as they are returned: an object literal must have each key of its type, and no other one.
	my $objects = $node->safe_psql('app', <<"END");
		INSERT INTO app.billing_events (workspace_id, event_type, event_at) SELECT id, 'payment_succeeded', now() FROM app.workspaces;
		INSERT INTO app.people_search_results (workspace_id, person_data) SELECT id, '{"full_name": "Ada", "email": "ada\@west.example"}' FROM app.workspaces;
		BEGIN;
		SET LOCAL ROLE authenticated;
		SET LOCAL search_path = app;
		SELECT set_config('request.jwt.claims', '{"sub": "$person"}', true) \\g /dev/null
		SELECT format('export const revealed: RevealedEmail = %s;', reveal_person_email(id)) FROM people_search_results;
		SELECT format('export const stats: WorkspaceStats = %s;', get_workspace_stats());
		SELECT format('export const billing: BillingSummary = %s;', get_billing_summary());
		SELECT format('export const people: PeopleStats = %s;', get_people_search_stats(get_user_workspace_id()));
		COMMIT;
END
	write_file("$dir/database.types.ts", $generated);
	write_file("$dir/objects.ts", "import type { BillingSummary, PeopleStats, RevealedEmail, WorkspaceStats } from './openinfo.types.js';\n$objects\n");
	copy($_, $dir) or BAIL_OUT("cannot copy $_: $!") foreach "$top/examples/types/openinfo.types.ts", "$top/test/t/lib/clients/types.ts";
	my @tsc = ('node', "$dir/node_modules/typescript/bin/tsc", qw(--noEmit --strict --skipLibCheck --target es2022 --module nodenext), "$dir/types.ts", "$dir/objects.ts");
	my $said;
	ok(IPC::Run::run(\@tsc, '<', '/dev/null', '>&', \$said, IPC::Run::timeout($limit)), 'Types: a program compiles') or diag $said;

	# without the words that let a wrong line pass, and with a key too many and one too few
	my $wrong = (my $program = slurp_file("$dir/types.ts")) =~ s/^\s*\/\/ \@ts-expect-error$//mg;
	write_file("$dir/types.ts", $program);
	write_file("$dir/objects.ts", slurp_file("$dir/objects.ts") =~ s/(?<=revealed: RevealedEmail = \{)/"too": "many", /r =~ s/"members": \d+, //r);
	IPC::Run::run(\@tsc, '<', '/dev/null', '>&', \$said, IPC::Run::timeout($limit));
	my $refused = () = $said =~ /^\S*(?:types|objects)\.ts\(\d+,\d+\): error/mg;
	is($refused, $wrong + 2, 'Types: a wrong one does not') or diag $said;
}

SKIP:
{
	my $dir = PostgreSQL::Test::Utils::tempdir();
	skip 'Migration tools: needs npm, or its packages', 5 unless npm_packages($dir, 'dbmate@2');
	mkdir "$dir/migrations" or BAIL_OUT("cannot create $dir/migrations: $!");
	example('Migration tools', "$dir/migrations/20260101000000_notes.sql");
	$node->safe_psql('app', <<'END');
		CREATE ROLE regress_migrations LOGIN;
		GRANT CREATE ON DATABASE app TO regress_migrations;
		GRANT CREATE ON SCHEMA public TO regress_migrations;
		GRANT USAGE ON SCHEMA app TO regress_migrations;
		GRANT REFERENCES ON app.workspaces TO regress_migrations;
END
	my $dbmate = sub {
		my $said;
		my @command = ("$dir/node_modules/.bin/dbmate", '--url', 'postgres://regress_migrations' . $superuser =~ s/host=/socket=/r . '&sslmode=disable', '--migrations-dir', "$dir/migrations", '--no-dump-schema', @_);
		return IPC::Run::run(\@command, '<', '/dev/null', '>&', \$said, IPC::Run::timeout($limit)) ? 'done' : $said;
	};
	is($dbmate->('migrate'), 'done', 'dbmate: its table is beside that of openinfo');
	is($node->safe_psql('app', "SET search_path = app; SELECT item, detail FROM security_checklist() WHERE NOT ok"), '', 'dbmate: the checklist covers the new table');
	is($node->safe_psql('app', <<"END"), "1|a note", 'dbmate: which belongs to the workspace');
		BEGIN;
		SET LOCAL ROLE authenticated;
		SELECT set_config('request.jwt.claims', '{"sub": "$person"}', true) \\g /dev/null
		INSERT INTO crm.notes (note) VALUES ('a note');
		SELECT count(*), min(note) FROM crm.notes WHERE workspace_id = app.get_user_workspace_id();
		COMMIT;
END
	$node->safe_psql('app', 'ALTER EXTENSION openinfo UPDATE');
	is($dbmate->('rollback'), 'done', 'dbmate: the way back');
	is($node->safe_psql('app', "SELECT count(*) FROM public.schema_migrations"), '0', 'dbmate: nothing is left');
}

is($node->safe_psql('app', "SELECT count(*) FROM pg_stat_activity WHERE usename = 'regress_requests' AND state LIKE '%in transaction%'"), '0', 'no transaction is left open');
done_testing();
