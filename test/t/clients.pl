# Drivers and ORMs: each example of docs/clients.md, as it stands there, with what a program does with it; and the types
# that Supabase's generator makes of an installation.

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

# Copies the first example below a heading of the page, and the program that uses it, into a directory.
sub prepare
{
	my ($heading, $dir, $example, $program) = @_;
	my ($text) = $docs =~ /^##+ \Q$heading\E\n(?:(?!^##).)*?^```(?:js|python)\n(.*?)^```$/ms or BAIL_OUT("docs/clients.md has no example of $heading");
	open my $file, '>', "$dir/$example" or BAIL_OUT("cannot write $dir/$example: $!");
	print $file $text;
	close $file;
	copy("$top/test/t/lib/clients/$program", "$dir/$program") or BAIL_OUT("cannot copy $program: $!");
	return;
}

foreach my $client (@clients)
{
	my ($heading, $name, $script, $program, $missing) = @$client;
  SKIP:
	{
		skip "$heading: needs $missing", 2 unless $program;
		my $dir = $script =~ /mjs$/ ? $node_dir : PostgreSQL::Test::Utils::tempdir();
		prepare($heading, $dir, 'docs' . $script =~ s/.*(?=\.)//r, $script);
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

SKIP:
{
	my $dir = PostgreSQL::Test::Utils::tempdir();
	skip 'Types: needs npm, or its packages', 3 unless npm_packages($dir, '@supabase/postgrest-typegen@0.2', '@supabase/postgrest-js@2', 'typescript@5', 'pg@8');
	prepare('Types', $dir, 'types.mjs', 'types.ts');
	local $ENV{DATABASE_URL} = 'postgresql://@/app?host=' . $node->host . '&port=' . $node->port;
	my ($complained, $said);
	ok(IPC::Run::run([ 'node', "$dir/types.mjs" ], '<', '/dev/null', '>', "$dir/database.types.ts", '2>', \$complained, IPC::Run::timeout($limit)), 'Types: are generated')
		or diag $complained;
	my @tsc = ('node', "$dir/node_modules/typescript/bin/tsc", qw(--noEmit --strict --skipLibCheck --target es2022 --module nodenext), "$dir/types.ts");
	ok(IPC::Run::run(\@tsc, '<', '/dev/null', '>&', \$said, IPC::Run::timeout($limit)), 'Types: a program compiles') or diag $said;
	# and without the words that let a wrong line pass
	my $program = slurp_file("$dir/types.ts");
	my $wrong = $program =~ s/^\s*\/\/ \@ts-expect-error$//mg;
	open my $file, '>', "$dir/types.ts" or BAIL_OUT("cannot write $dir/types.ts: $!");
	print $file $program;
	close $file;
	IPC::Run::run(\@tsc, '<', '/dev/null', '>&', \$said, IPC::Run::timeout($limit));
	my $refused = () = $said =~ /^\S*types\.ts\(\d+,\d+\): error/mg;
	is($refused, $wrong, 'Types: a wrong one does not') or diag $said;
}

is($node->safe_psql('app', "SELECT count(*) FROM pg_stat_activity WHERE usename = 'regress_requests' AND state LIKE '%in transaction%'"), '0', 'no transaction is left open');
done_testing();
