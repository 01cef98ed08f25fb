# The extension is updated from 1.0.0 while clients work: with sessions that have loaded the library of 1.0.0 and keep it,
# none of which fails, waits for long or deadlocks; and what they wrote adds up.
#
#   FULL=1                      a hundred workspaces and a million leads; prints latencies
#   OLD=/path/to/tree/of/1.0.0  the library of that tree; otherwise today's, without the symbols that 1.0.0 did not have

use strict;
use warnings FATAL => 'all';
use File::Copy qw(copy move);
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use OpenInfoTest;
use OpenInfoCatalog;

my ($from, $workspaces, $leads, $clients) = ('1.0.0', $ENV{FULL} ? (100, 1_000_000, 12) : (5, 2_000, 8));

# ---------------------------------------------------------------------- two libraries in one place

my $base = PostgreSQL::Test::Utils::tempdir();
system_or_bail('cp', '-a', $ENV{OLD} // '.', "$base/old");
my $make = "make -s --no-print-directory -C '$base/old' with_llvm=no PG_CONFIG='$ENV{PGBIN}/pg_config'";
unless ($ENV{OLD})
{
	# the scripts up to 1.0.0 say which symbols it has
	my %symbol;
	foreach my $script (glob 'sql/*.sql')
	{
		next if grep { /^1\.[1-9]/ } $script =~ /(\d+\.\d+\.\d+)/g;
		$symbol{$_} = 1 foreach slurp_file($script) =~ /'MODULE_PATHNAME', '(\w+)'/g;
	}
	append_to_file("$base/symbols", join '', '{ global: Pg_magic_func; _PG_init; ', (map { "$_; pg_finfo_$_; " } sort keys %symbol), "local: *; };\n");
	$make .= " SHLIB_LINK='-Wl,--version-script=$base/symbols'";
}
is(system("rm -f '$base/old/openinfo.so'; $make all"), 0, 'the library of 1.0.0 is built') or BAIL_OUT('no library');

system_or_bail('cp', '-a', "$ENV{W}/stage", "$base/stage");
chomp(my $library = `find '$base/stage' -name openinfo.so`);
move($library, "$base/new.so") && copy("$base/old/openinfo.so", $library) or BAIL_OUT("cannot place the library: $!");
my $settings = slurp_file($ENV{TEMP_CONFIG}) =~ s{\Q$ENV{W}\E/stage}{$base/stage}gr;

# ---------------------------------------------------------------------- an installation at work

my $node = new_node('at_work', bare => 1, conf => "$settings\nlog_statement = none\nlog_lock_waits = on\ndeadlock_timeout = 1s\n"
	. ($ENV{FULL} ? "shared_buffers = '512MB'\nmax_wal_size = '4GB'\n" : ''));
sub sql { return $node->safe_psql('app', $_[0]); }

sql("CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app VERSION '$from'; ALTER DATABASE app SET search_path = app");
sql(qq{
	SET session_replication_role = replica;
	INSERT INTO workspaces (id, slug, name) SELECT md5('w' || n)::uuid, 'w' || n, 'W' FROM generate_series(1, $workspaces) n;
	-- without a referral code, the first UPDATE of each would give it one, and so lock the row against its own foreign keys
	INSERT INTO users (id, workspace_id, auth_user_id, email, role, plan, daily_credit_limit, credits_reset_on, referral_code)
		SELECT md5('u' || n)::uuid, md5('w' || n)::uuid, md5('p' || n)::uuid, n || '\@w.example', 'owner', 'enterprise', NULL, '2999-01-01', to_char(n, 'FM00000000') FROM generate_series(1, $workspaces) n;
	INSERT INTO global_topics (id, topic) VALUES (md5('t')::uuid, 'Topic');
	INSERT INTO queries (id, workspace_id, topic_id, name, status) SELECT md5('q' || n)::uuid, md5('w' || n)::uuid, md5('t')::uuid, 'Q', 'paused' FROM generate_series(1, $workspaces) n;
	INSERT INTO leads (workspace_id, query_id, company_data)
		SELECT md5('w' || n % $workspaces + 1)::uuid, md5('q' || n % $workspaces + 1)::uuid, jsonb_build_object('name', 'Company ' || n, 'domain', 'd' || n || '.example', 'industry', 'software')
		  FROM generate_series(0, $leads - 1) n;
	INSERT INTO integrations (id, workspace_id, type, name) SELECT md5('i' || n)::uuid, md5('w' || n)::uuid, 'webhook', 'I' FROM generate_series(1, $workspaces) n;
	RESET session_replication_role;
	ANALYZE;
	-- what every session does first, so that it has loaded the library that is there
	SELECT is_blank('')});

# What clients do: requests of one statement, as PostgREST sends them, and now and then a transaction of several.  Row locks
# are taken in one order, or they would deadlock without any update.
my %script = (
	spend => "SELECT record_credit_usage(md5('w' || :n)::uuid, md5('u' || :n)::uuid, 'email_reveal');",
	insert => "INSERT INTO leads (company_data) VALUES (jsonb_build_object('name', 'New', 'domain', random() || '.example'));",
	limit => "SELECT check_query_limit();",
	members => "SELECT add_member(md5('w' || :n)::uuid, gen_random_uuid(), random() || '\@w.example');",
	worker => "SELECT update_lead_enrichment(id, 'failed', p_error => 'E') FROM get_leads_pending_enrichment(2);",
	service => "SELECT send_integration_event(md5('w' || :n)::uuid, 'webhook', jsonb_build_object('a', 1));",
	several => "INSERT INTO leads (company_data) VALUES (jsonb_build_object('name', 'New'));\nSELECT record_credit_usage(md5('w' || :n)::uuid, md5('u' || :n)::uuid, 'lead_export');\nSELECT get_billing_summary();",
);
my @scripts;
foreach my $name (sort keys %script)
{
	my $role = $name =~ /^(?:worker|service)$/ ? 'service_role' : 'authenticated';
	append_to_file("$base/$name.sql", "\\set n random(1, $workspaces)\nBEGIN;\nSELECT set_config('request.jwt.claims', format('{\"sub\": \"%s\"}', md5('p' || :n)::uuid), true), set_config('role', '$role', true);\n$script{$name}\nCOMMIT;\n");
	push @scripts, '-f', "$base/$name.sql\@" . ($name eq 'several' ? 1 : 4);
}
my ($out, $err) = ('', '');
my $work = IPC::Run::start([ 'pgbench', '-n', '-c', $clients, '-j', 2, '-T', 3600, '--log', "--log-prefix=$base/log", @scripts, $node->connstr('app') ], '<', '/dev/null', '>', \$out, '2>', \$err);

sub done_so_far { return sql('SELECT count(*) FROM credit_usage') + sql('SELECT count(*) FROM users') }

# Until every client has had a turn, a few times over; or one has given up.
sub wait_for_work
{
	my $goal = done_so_far() + 20 * $clients;
	until (done_so_far() >= $goal)
	{
		$work->pump_nb;
		if ($err =~ /ERROR|aborted/ || !$work->pumpable) { diag $err; return 0 }
		select undef, undef, undef, 0.05;
	}
	return 1;
}

my $old = $node->background_psql('app');
$old->query_safe('SELECT is_blank($$$$)');
ok(wait_for_work(), 'clients work');

# ---------------------------------------------------------------------- the library, then the extension

rename "$base/new.so", $library or BAIL_OUT("cannot replace the library: $!");
ok(wait_for_work(), 'clients work on with the library that they have');
my $update = q{DO $$ BEGIN ASSERT current_setting('deadlock_timeout') = '1s'; END $$; ALTER EXTENSION openinfo UPDATE;};
my ($code, $stdout, $stderr) = $node->psql('app', "\\timing on\n$update");
is($code, 0, 'the extension is updated while they work') or diag $stderr;
diag $stdout if $ENV{FULL};
ok(wait_for_work(), 'clients work on with the new schema');
is(sql("SELECT extversion FROM pg_extension WHERE extname = 'openinfo'"), (versions($node))[-1], 'the version is the newest');
is($old->query_safe(q{SELECT set_config('request.jwt.claims', format('{"sub": "%s"}', md5('p1')::uuid), false) IS NULL; SELECT add_member(md5('w1')::uuid, gen_random_uuid(), 'old@w.example') IS NULL;}), "f\nf", 'a session from before the update adds a member');
sql(q{SELECT invite_member('new@w.example', p_workspace_id => md5('w1')::uuid)});
is(sql(q{SELECT count(*) FROM invitations}), 1, 'a new session invites one');
$old->quit;

# a client ends its last transaction when the time is over
kill 'ALRM', $work->{KIDS}[0]{PID};
$work->finish;
is($work->full_result(0) >> 8, 0, 'no client has failed');
unlike($err, qr/ERROR|aborted/, 'nor reported an error') or diag $err;
my $log = slurp_file($node->logfile);
unlike($log, qr/deadlock detected/, 'there was no deadlock');
is(join("\n", grep { !/canceling autovacuum task/ } $log =~ /^.*(?:ERROR|FATAL|PANIC): .*/mg), '', 'and no other error');

# ---------------------------------------------------------------------- what they wrote

is(sql('SELECT count(*) FROM (SELECT user_id, sum(credits_used) AS n FROM credit_usage GROUP BY 1) l JOIN users u ON u.id = l.user_id WHERE u.daily_credits_used <> l.n'), '0', 'every counter is the sum of its ledger');
is(sql("SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT FROM notification_preferences p WHERE p.user_id = u.id) AND email !~ '^[0-9]+\@'"), '0', 'members who joined have preferences');
is(sql('SELECT sum(total_events_sent) FROM integrations'), sql('SELECT count(*) FROM integration_events'), 'every event is counted');

if ($ENV{FULL})
{
	my %slowest;
	foreach my $file (glob "$base/log.*")
	{
		foreach (split /\n/, slurp_file($file))
		{
			my ($client, $n, $latency, $which) = split / /;
			push @{ $slowest{ (sort keys %script)[$which] } }, $latency / 1000;
		}
	}
	foreach my $name (sort keys %slowest)
	{
		my @sorted = sort { $a <=> $b } @{ $slowest{$name} };
		diag sprintf '%-10s %6d transactions, p50 %.1f ms, p99 %.1f ms, slowest %.1f ms', $name, scalar @sorted, map { $sorted[ $_ * $#sorted ] } 0.5, 0.99, 1;
	}
	diag 'waits of more than a second for a table: ', scalar(() = $log =~ /still waiting for (?!AccessExclusive|ShareRowExclusive)\w+Lock on relation/g);
	diag $out;
}

$node->stop;
done_testing();
