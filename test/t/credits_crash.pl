# Clients spend while a backend or the postmaster is killed, or the server stops at once.  No acknowledged spend is lost,
# none is doubled (also when a client repeats the call of which it never heard), and counters and ledger agree.

use strict;
use warnings FATAL => 'all';
use OpenInfoTest;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run;
use Time::HiRes qw(usleep);

my $rounds   = 2;       # of each way to crash
my $calls    = 20_000;  # that a client has ready: more than it gets to make
my $between  = 200;     # lines of the ledger from one crash to the next

# the node's default is to stay down after a crash
my $node = new_node('credits_crash', conf => "restart_after_crash = on\n");

# The credit day is one to come, so that midnight cannot pass by.
$node->safe_psql('app', <<'END');
	INSERT INTO workspaces (id, slug, name) VALUES ('c0000000-0000-4000-8000-000000000001', 'crash', 'Crash');
	INSERT INTO users (id, workspace_id, auth_user_id, email, plan, daily_credit_limit, credits_reset_on) VALUES
		('c0000000-0000-4000-8000-0000000000a1', 'c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000f1', 'ann@crash.example', 'enterprise', NULL, '2999-01-01'),
		('c0000000-0000-4000-8000-0000000000a2', 'c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000f2', 'bob@crash.example', 'enterprise', NULL, '2999-01-01'),
		('c0000000-0000-4000-8000-0000000000a3', 'c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000f3', 'cam@crash.example', 'free', 150, '2999-01-01');
END

# Two clients share a member, so that they wait for each other; one has a member of its own; and one runs into a limit.
my @clients = map { { member => $_->[0], name => $_->[1], stops => $_->[2], acked => [] } }
	[ 'a1', 'one', 1 ], [ 'a1', 'two', 1 ], [ 'a2', 'three', 1 ], [ 'a3', 'limited', 0 ];

sub call
{
	my ($client, $number) = @_;
	return sprintf "SELECT '%d', record_credit_usage('c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000%s', 'email_reveal', %d, p_idempotency_key => '%s-%d');\n",
		$number, $client->{member}, 1 + $number % 3, $client->{name}, $number;
}

# psql prints a line only after its transaction was acknowledged; a client goes on with the first call that was not.
sub spend
{
	my ($client, $last) = @_;
	my $file = $node->basedir . "/$client->{name}.sql";
	my $from = $client->{stops} ? @{ $client->{acked} } + 1 : ($client->{from} // 1);

	$client->{from} = $from + 50;	# of the limited one: most are refused, so it does not count what it gets
	append_to_file($file, '');
	open my $out, '>', $file or die "could not write $file: $!";
	print $out call($client, $_) for $from .. ($last // $from + $calls);
	close $out;
	$client->{output} = '';
	$client->{run} = IPC::Run::start(
		[ 'psql', '-XqAt', '-v', "ON_ERROR_STOP=$client->{stops}", '-d', $node->connstr('app') . ' application_name=spender' ],
		'<', $file, '>', \$client->{output}, '2>', \$client->{errors});
	return;
}

sub finish_spending
{
	my ($client) = @_;
	$client->{run}->finish;
	push @{ $client->{acked} }, map { [ split /\|/ ] } grep { /^\d+\|[0-9a-f-]{36}$/ } split /\n/, $client->{output};
	return;
}

sub start_again
{
	# orphaned processes may still hold the shared memory
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		# what a failed start found in the file that the killed one left
		$node->{_pid} = undef;
		return if $node->start(fail_ok => 1);
		usleep(100_000);
	}
	die 'the server did not start';
}

my %crash = (
	'kill -9 of a backend' => sub {
		my $pid = $node->safe_psql('app', "SELECT pid FROM pg_stat_activity WHERE application_name = 'spender' LIMIT 1");
		kill 'KILL', $pid;
	},
	'kill -9 of the postmaster' => sub {
		$node->kill9;
		$_->{run}->finish for @clients;
		start_again();
	},
	'an immediate stop' => sub {
		$node->stop('immediate');
		start_again();
	});

sub check
{
	my ($how) = @_;
	my $acked = join ',', map { my $c = $_; map { "('$c->{name}-$_->[0]', '$_->[1]')" } @{ $c->{acked} } } @clients;
	is($node->safe_psql('app', "SELECT count(*) FROM (VALUES $acked) AS a(key, id)
		WHERE NOT EXISTS (SELECT FROM credit_usage l WHERE l.idempotency_key = a.key AND l.id = a.id::uuid)"),
		'0', "$how: no acknowledged spend is lost");
	is($node->safe_psql('app', 'SELECT count(*) FROM users u
		WHERE daily_credits_used <> (SELECT sum(credits_used) FROM credit_usage l WHERE l.user_id = u.id) OR daily_credits_used > daily_credit_limit'),
		'0', "$how: counters and ledger agree");
	for my $client (grep { $_->{stops} } @clients)
	{
		my $count = @{ $client->{acked} };
		my $lines = $node->safe_psql('app', "SELECT count(*) FROM credit_usage WHERE idempotency_key LIKE '$client->{name}-%'");

		cmp_ok($count, '>', 0, "$how: client $client->{name} has spent");
		cmp_ok($lines - $count, '<=', 1, "$how: and at most one of its spends was not acknowledged");
	}
	return;
}

for my $round (1 .. $rounds)
{
	for my $how (sort keys %crash)
	{
		my $before = $node->safe_psql('app', 'SELECT count(*) FROM credit_usage');

		spend($_) for @clients;
		$node->poll_query_until('app', "SELECT count(*) >= $before + $between AND (SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'spender') FROM credit_usage")
			or die 'nothing was spent';
		$crash{$how}->();
		finish_spending($_) for @clients;
		$node->poll_query_until('app', 'SELECT true') or die 'the server did not come back';
		check("$round, $how");
	}
}

# The limited client goes on until it has no credit left.
foreach my $client (grep { !$_->{stops} } @clients)
{
	spend($client, $client->{from} + 200);
	finish_spending($client);
}
# Each other client repeats the call it never heard of, and makes one more.
for my $client (grep { $_->{stops} } @clients)
{
	spend($client, @{ $client->{acked} } + 2);
	finish_spending($client);
}
for my $client (grep { $_->{stops} } @clients)
{
	my $count = @{ $client->{acked} };

	is(join(' ', map { $_->[0] } @{ $client->{acked} }), join(' ', 1 .. $count), "client $client->{name} was acknowledged each call once");
	is($node->safe_psql('app', "SELECT count(*) FROM credit_usage WHERE idempotency_key LIKE '$client->{name}-%'"), $count, "and the ledger has each once");
}
is($node->safe_psql('app', "SELECT daily_credits_used FROM users WHERE email LIKE 'cam%'"), '150', 'the limit was reached and not passed');
is($node->safe_psql('app', 'CREATE EXTENSION amcheck; SELECT count(bt_index_check(indexrelid, true)) > 0 FROM pg_index WHERE indrelid IN (\'credit_usage\'::regclass, \'users\'::regclass)'), 't', 'the indexes are sound');

done_testing();
