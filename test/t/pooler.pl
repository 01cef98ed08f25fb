# Behind PgBouncer in transaction mode two tenants take turns on one server connection: whoever a transaction says it is,
# it is, and nothing of it is left for the next one.

use strict;
use warnings FATAL => 'all';
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use OpenInfoTest;

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin';
plan skip_all => 'pgbouncer is not installed' unless $pgbouncer;

my $node = new_node('pooled');
$node->safe_psql('app', <<'END');
	CREATE ROLE regress_authenticator LOGIN NOINHERIT;
	GRANT authenticated, service_role TO regress_authenticator;
	INSERT INTO workspaces (id, slug, name) VALUES
		('11111111-0000-4000-8000-000000000000', 'one', 'One'), ('22222222-0000-4000-8000-000000000000', 'two', 'Two');
	INSERT INTO users (id, workspace_id, auth_user_id, email, role, plan, daily_credit_limit) VALUES
		('11111111-0000-4000-8000-000000000001', '11111111-0000-4000-8000-000000000000', '11111111-0000-4000-8000-00000000000f', 'ann@one.example', 'owner', 'pro', 1000),
		('22222222-0000-4000-8000-000000000001', '22222222-0000-4000-8000-000000000000', '22222222-0000-4000-8000-00000000000f', 'bob@two.example', 'owner', 'pro', 1000),
		-- Ann is in the second workspace too
		('22222222-0000-4000-8000-000000000002', '22222222-0000-4000-8000-000000000000', '11111111-0000-4000-8000-00000000000f', 'ann@two.example', 'member', 'pro', 1000);
	INSERT INTO leads (workspace_id, company_data) SELECT '11111111-0000-4000-8000-000000000000', jsonb_build_object('name', 'Of one ' || n) FROM generate_series(1, 3) n;
	INSERT INTO leads (workspace_id, company_data) SELECT '22222222-0000-4000-8000-000000000000', jsonb_build_object('name', 'Of two ' || n) FROM generate_series(1, 5) n;
	-- who a statement works as, in one row
	CREATE VIEW whoami WITH (security_invoker) AS
		SELECT coalesce(left(get_user_workspace_id()::text, 1), '-') AS workspace, coalesce(left(get_user_id()::text, 1), '-') AS member,
		       (SELECT count(*) FROM leads) AS leads, (SELECT count(DISTINCT workspace_id) FROM leads) AS workspaces;
	GRANT SELECT ON whoami TO authenticated;
END

# Since 1.21 it keeps the names of prepared statements apart.
my ($version) = `$pgbouncer --version` =~ /^PgBouncer (\d+\.\d+)/m or BAIL_OUT("$pgbouncer has no version");
my $keeps_names = $version !~ /^1\.(\d|1\d|20)$/;

# One server connection for everybody.
my $dir = PostgreSQL::Test::Utils::tempdir_short();
my $port = $node->port;
my $base = $node->basedir;
append_to_file("$base/users.txt", qq("regress_authenticator" ""\n));
append_to_file("$base/pgbouncer.ini", join "\n", '[databases]', 'app = host=' . $node->host . " port=$port dbname=app",
	'[pgbouncer]', 'listen_addr =', "listen_port = $port", "unix_socket_dir = $dir", 'auth_type = trust', "auth_file = $base/users.txt",
	'pool_mode = transaction', 'default_pool_size = 1', 'min_pool_size = 1', 'reserve_pool_size = 0', 'ignore_startup_parameters = extra_float_digits',
	$keeps_names ? 'max_prepared_statements = 10' : '', '');
my $bouncer = IPC::Run::start([ $pgbouncer, '-q', "$base/pgbouncer.ini" ], '<', '/dev/null', '>', "$base/pgbouncer.log", '2>&1');
END { local $?; $bouncer->signal('TERM'), $bouncer->finish if $bouncer; }

my $pooled = "host=$dir port=$port dbname=app user=regress_authenticator";
my $tries = 0;
until (IPC::Run::run([ 'psql', '-XAtqc', 'SELECT 1', $pooled ], '>', \my $there, '2>', \my $why))
{
	BAIL_OUT("pgbouncer does not answer: $why" . slurp_file("$base/pgbouncer.log")) if ++$tries > 10 * $PostgreSQL::Test::Utils::timeout_default || !$bouncer->pumpable;
	select undef, undef, undef, 0.1;
}

# A client that stays; ask() sends it a line and returns what it says, errors too.
sub client
{
	my %client = (in => '', out => '');
	$client{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', $pooled ], '<', \$client{in}, '>', \$client{out}, '2>&1', IPC::Run::timer($PostgreSQL::Test::Utils::timeout_default * 2));
	return \%client;
}

sub ask
{
	my ($client, $sql) = @_;
	$client->{out} = '';
	$client->{in} .= "$sql\n\\echo <said>\n";
	$client->{run}->pump until $client->{out} =~ /^<said>$/m;
	return join ' ', grep { $_ ne '<said>' && $_ ne '' } split /\n/, $client->{out};
}

my %claims = (
	ann => q({"sub": "11111111-0000-4000-8000-00000000000f"}),
	bob => q({"sub": "22222222-0000-4000-8000-00000000000f"}),
	none => '');
my %is = (ann => '1|1|3|1', bob => '2|2|5|1', none => '-|-|0|0');

# A transaction as PostgREST makes it.
sub as
{
	my ($who, $sql) = @_;
	return "BEGIN; SET LOCAL ROLE authenticated; SET LOCAL request.jwt.claims = '$claims{$who}'; $sql; COMMIT;";
}
my $nobody = 'BEGIN; SET LOCAL ROLE authenticated; SELECT * FROM whoami; COMMIT;';

my ($one, $two) = (client(), client());
is(ask($one, 'SELECT pg_backend_pid();'), ask($two, 'SELECT pg_backend_pid();'), 'two clients, one server connection');

# ---------------------------------------------------------------------- turn by turn

my $wrong = 0;
foreach my $round (1 .. 20)
{
	my ($first, $second) = $round % 2 ? qw(ann bob) : qw(bob ann);
	$wrong++ if ask($one, as($first, 'SELECT * FROM whoami')) ne $is{$first};
	$wrong++ if ask($two, as($second, 'SELECT * FROM whoami')) ne $is{$second};
	$wrong++ if ask($one, $nobody) ne $is{none};
	$wrong++ if ask($two, as('none', 'SELECT * FROM whoami')) ne $is{none};
}
is($wrong, 0, 'in turns, each is who the claims name, and without claims nobody');

# Within one transaction too, and through savepoints.
is(ask($one, "BEGIN; SET LOCAL ROLE authenticated; SET LOCAL request.jwt.claims = '$claims{ann}'; SELECT * FROM whoami; SAVEPOINT s;
	SET LOCAL request.jwt.claims = '$claims{bob}'; SELECT * FROM whoami; ROLLBACK TO s; SELECT * FROM whoami; COMMIT;"), "$is{ann} $is{bob} $is{ann}", 'claims go back with a savepoint');

# The active workspace.
is(ask($one, as('ann', "SET LOCAL openinfo.workspace_id = '22222222-0000-4000-8000-000000000000'; SELECT * FROM whoami")), '2|2|5|1', 'Ann in her other workspace');
is(ask($two, as('ann', 'SELECT * FROM whoami')), $is{ann}, 'the next transaction is in her oldest again');
is(ask($two, as('bob', "SET LOCAL openinfo.workspace_id = '11111111-0000-4000-8000-000000000000'; SELECT * FROM whoami")), '-|-|0|0', 'Bob has no other');

# ---------------------------------------------------------------------- after an error

foreach my $error (
	[ 'SELECT 1 / 0', '22012' ],
	[ "SELECT record_credit_usage(get_user_workspace_id(), get_user_id(), 'email_reveal', -1)", '22023' ],
	# an error while a function works as the owner of the tables
	[ "SELECT add_member(get_user_workspace_id(), gen_random_uuid(), 'ann\@one.example')", '23505' ],
	[ "SELECT create_workspace('two', 'Again', 'x\@y.example')", '23505' ],
	[ "SELECT create_workspace('three', 'Three', 'no address')", '23514' ],
	[ "SET LOCAL request.jwt.claims = '{'; SELECT get_user_id()", '22023' ],
	[ "SET LOCAL openinfo.workspace_id = 'x'; SELECT get_user_id()", '22023' ],
	[ 'SET LOCAL statement_timeout = 1; SELECT *, pg_sleep(60) FROM whoami', '57014' ])
{
	my ($statement, $state) = @$error;
	is(ask($one, as('ann', $statement)), "ERROR:  $state", "error $state: $statement");
	is(ask($two, 'SELECT current_user;'), 'regress_authenticator', 'the next is nobody else');
	is(ask($two, $nobody), $is{none}, 'nobody');
	is(ask($two, as('bob', 'SELECT * FROM whoami')), $is{bob}, 'or Bob');
	is(ask($two, q(SELECT current_setting('search_path');)), '"$user", public', 'with their own search_path');
}

# The same where the function's error is caught within the transaction.
ask($one, q(CREATE OR REPLACE FUNCTION pg_temp.tried() RETURNS text LANGUAGE plpgsql AS $$ BEGIN
	PERFORM add_member(get_user_workspace_id(), gen_random_uuid(), 'ann@one.example'); RETURN 'added';
	EXCEPTION WHEN unique_violation THEN RETURN current_user || ' ' || current_setting('search_path'); END $$;));
is(ask($one, as('ann', 'SELECT pg_temp.tried(); SELECT * FROM whoami')), "authenticated \"\$user\", public $is{ann}", 'a caught error leaves role and search_path as they were');
ask($one, 'DISCARD TEMP;');

# A client that is gone in the middle of a transaction.
my $third = client();
is(ask($third, as('ann', 'SELECT * FROM whoami') =~ s/COMMIT;//r), $is{ann}, 'a client in the middle of a transaction');
$third->{run}->kill_kill;
is(ask($two, $nobody), $is{none}, 'leaves nothing when it is gone');

# ---------------------------------------------------------------------- prepared statements

# Prepared by one, they stay on the server connection and are the others' too: they answer for whoever executes them, also
# as a generic plan, which is made after five times.
is(ask($one, as('ann', 'PREPARE whoami AS SELECT * FROM whoami; EXECUTE whoami')), $is{ann}, 'prepared by one');
$wrong = 0;
foreach my $round (1 .. 12)
{
	$wrong++ if ask($two, as('bob', 'EXECUTE whoami')) ne $is{bob};
	$wrong++ if ask($one, as('ann', 'EXECUTE whoami')) ne $is{ann};
	$wrong++ if ask($two, as('none', 'EXECUTE whoami')) ne $is{none};
}
is($wrong, 0, 'executed by the other, and by nobody');
is(ask($two, "SELECT generic_plans > 0 FROM pg_prepared_statements WHERE name = 'whoami';"), 't', 'as a generic plan too');
is(ask($two, as('bob', "SET LOCAL plan_cache_mode = force_generic_plan; EXECUTE whoami")), $is{bob}, 'or with nothing else');
ask($two, as('bob', 'PREPARE mine AS INSERT INTO leads (company_data) VALUES ($1) RETURNING left(workspace_id::text, 1), left(created_by::text, 1)'));
is(ask($one, as('ann', q(EXECUTE mine('{"name": "Prepared"}')))), '1|1', 'a row goes to the workspace of who executes');
is(ask($two, as('bob', q(EXECUTE mine('{"name": "Prepared"}')))), '2|2', 'and to the other\'s');
is(ask($one, as('none', q(EXECUTE mine('{"name": "Prepared"}')))), 'ERROR:  42501', 'and to nobody\'s');
ask($one, 'DEALLOCATE ALL;');

# By the protocol, as drivers do it, from several clients at once; each has a thread of its own, because one that prepares
# waits for the server connection, and must not keep the others from giving it back.
my $mode = $keeps_names ? 'prepared' : 'extended';
append_to_file("$base/turns.sql", q(\set who random(1, 2)
BEGIN;
SET LOCAL ROLE authenticated;
SELECT set_config('request.jwt.claims', '{"sub": "' || repeat(:who::text, 8) || '-0000-4000-8000-00000000000f"}', true);
SELECT 1 / (get_user_workspace_id()::text = repeat(:who::text, 8) || '-0000-4000-8000-000000000000')::int;
SELECT 1 / (count(*) FILTER (WHERE workspace_id::text <> repeat(:who::text, 8) || '-0000-4000-8000-000000000000') = 0 AND count(*) > 2)::int FROM leads;
SELECT record_credit_usage(get_user_workspace_id(), get_user_id(), 'email_reveal');
COMMIT;
BEGIN;
SET LOCAL ROLE authenticated;
SELECT 1 / (get_user_workspace_id() IS NULL AND NOT EXISTS (SELECT FROM leads))::int;
END;
));
command_ok([ 'pgbench', '-n', '-M', $mode, '-c', '6', '-j', '6', '-t', '50', '-f', "$base/turns.sql", $pooled ], "six clients in turns, 300 times, $mode ($version)");
is($node->safe_psql('app', 'SELECT count(*), count(*) FILTER (WHERE c.workspace_id = u.workspace_id) FROM credit_usage c JOIN users u ON u.id = c.user_id'), '300|300', 'and every credit is on the right account');

# ---------------------------------------------------------------------- what is left

is(ask($one, q(SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype NOT IN ('relation', 'virtualxid');)), '0', 'no lock is left to the session');
is(ask($one, q(SELECT string_agg(name || '=' || setting, ' ') FROM pg_settings WHERE source = 'session' AND name NOT IN ('application_name', 'client_encoding') AND name NOT LIKE 'request.%';)), '', 'no setting');
is(ask($one, q(SELECT count(*) FROM pg_class WHERE relpersistence = 't';)), '0', 'no temp table');
is(ask($one, q(SELECT count(*) FROM pg_prepared_statements WHERE name NOT LIKE 'PGBOUNCER%' AND name NOT LIKE 'P\_%';)), '0', 'no prepared statement');

foreach ($one, $two) { $_->{in} .= "\\q\n"; $_->{run}->finish; }
done_testing();
