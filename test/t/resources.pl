# What one call may cost: every function that takes text or jsonb, and every column that members write, with a megabyte of each
# hostile shape, answers or refuses within two seconds of CPU, ends within a tenth of a second of CPU when it is cancelled, and
# uses at most twenty times the input in memory.  A tenth of the cells here; all of them with FULL=1, as make fuzz runs it.
use strict;
use warnings FATAL => 'all';
use OpenInfoTest;
use Test::More;

use constant { BYTES => 1_000_000, CPU_MS => 2000, CANCEL_AFTER_MS => 20, CANCEL_CPU_MS => 100, MEMORY_TIMES => 20 };

# few shared buffers: pages of theirs that a process touches count as its memory
my $node = new_node('resources', bare => 1, conf => "shared_buffers = 1MB\nlog_error_verbosity = terse\nlog_min_error_statement = panic\n");
$node->psql('app', '\i test/t/lib/resources.sql', extra_params => [ '-v', 'bytes=' . BYTES ]) == 0
	or BAIL_OUT('resources.sql has failed');

# What a function may use: twenty times what it is handed (of jsonb, its own form, in which a short number takes six times
# its text), or twice what PostgreSQL's own parser needs for the same value, where that is more.
sub too_large
{
	return "place <> 'PostgreSQL itself' AND memory_kb > greatest(" . MEMORY_TIMES . ' * greatest(bytes, ' . BYTES . ") / 1000,
		2 * (SELECT max(memory_kb) FROM resource.spent f JOIN resource.cells c USING (n) WHERE place = 'PostgreSQL itself' AND c.shape = cells.shape))";
}

my $step = $ENV{FULL} ? 1 : 10;
my @places = split /\n/, $node->safe_psql('app', 'SELECT DISTINCT place FROM resource.cells ORDER BY 1');
cmp_ok(scalar @places, '>', 30, 'functions and columns that take text or jsonb: ' . @places);

# A session for each place, so that no memory of an earlier one is at hand.  \gexec goes on after an error, which is an answer.
sub run_cells
{
	my ($place, $where, $timeout, $limited) = @_;
	my $run = "SELECT 'SELECT resource.start()', 'BEGIN',
		format('SELECT set_config(''request.jwt.claims'', %L, true)', json_build_object('sub', resource.id('person'))::text),
		format('SET LOCAL ROLE %I', role), 'SET LOCAL statement_timeout = $timeout', statement, 'ROLLBACK',
		format('SELECT resource.stop(%s, $limited)', n)
		FROM resource.cells WHERE place = \$place\$$place\$place\$ AND $where ORDER BY n \\gexec";

	$node->psql('app', $run, on_error_stop => 0);
}

my $deadline = CPU_MS * 5;		# wall clock: a call beyond it has failed whatever the machine is at
run_cells($_, "(n % $step = 0 OR place = 'PostgreSQL itself')", $deadline, 'false') foreach @places;
my ($calls, $slow, $large) = split /\|/, $node->safe_psql('app', 'SELECT count(*), count(*) FILTER (WHERE cpu_ms > ' . CPU_MS . '),
	count(*) FILTER (WHERE ' . too_large() . ') FROM resource.spent JOIN resource.cells USING (n)');
cmp_ok($calls, '>', 100, "calls: $calls");
is($slow, 0, 'none needs more than ' . CPU_MS . ' ms of CPU');
is($large, 0, 'none needs more than ' . MEMORY_TIMES . ' times the input in memory');

# Those that take longer than a cancel may take are cancelled.
foreach (split /\n/, $node->safe_psql('app', "SELECT DISTINCT place FROM resource.spent JOIN resource.cells USING (n)
	WHERE place <> 'PostgreSQL itself' AND cpu_ms > " . CANCEL_CPU_MS))
{
	run_cells($_, 'n IN (SELECT n FROM resource.spent WHERE NOT was_limited AND cpu_ms > ' . CANCEL_CPU_MS . ')', CANCEL_AFTER_MS, 'true');
}
is($node->safe_psql('app', 'SELECT count(*) FROM resource.spent WHERE was_limited AND cpu_ms > ' . (CANCEL_AFTER_MS + CANCEL_CPU_MS)), 0,
	'none goes on for more than ' . CANCEL_CPU_MS . ' ms after a cancel');

diag $node->safe_psql('app', "SELECT format('%s ms, %s kB%s: %s, %s', round(cpu_ms), memory_kb, CASE WHEN was_limited THEN ', cancelled' ELSE '' END, place, shape)
	FROM resource.spent JOIN resource.cells USING (n) WHERE CASE WHEN was_limited THEN cpu_ms > " . (CANCEL_AFTER_MS + CANCEL_CPU_MS) . '
		ELSE cpu_ms > ' . CPU_MS . ' OR ' . too_large() . ' END ORDER BY cpu_ms DESC LIMIT 40')
	if grep { !$_ } Test::More->builder->summary;
done_testing();
