# tools/move_workspace.sh, between two servers: a workspace moves whole while others are used, late writes move with it, and
# wherever the tool is killed, nothing is lost, nothing is there twice once it has been called again, and nothing is left behind.

use strict;
use warnings FATAL => 'all';
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;
use OpenInfoTest;
use OpenInfoCatalog;

my $source = new_node('source', bare => 1);
my $target = new_node('target', bare => 1);
my ($one, $two) = ("'11111111-1111-1111-1111-111111111111'", "'22222222-2222-2222-2222-222222222222'");
my $dir = PostgreSQL::Test::Utils::tempdir();
my $log = "$dir/log";

# the schemas have different names, and the user has a table of their own
my $notes = 'CREATE TABLE public.notes (note text, workspace uuid REFERENCES %s.workspaces (id) ON DELETE CASCADE)';
$source->safe_psql('app', 'CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app;' . sprintf($notes, 'app'));
$target->safe_psql('app', 'CREATE SCHEMA "Cell B"; CREATE EXTENSION openinfo SCHEMA "Cell B"');
fill($source, 'app', 'app');
$source->safe_psql('app', "INSERT INTO app.leads (workspace_id, company_data)
		SELECT $one, jsonb_build_object('name', E'tab\\t, \\\\N and \\n ' || i) FROM generate_series(1, 2000) i;
	INSERT INTO app.people_search_results (workspace_id, person_data)
		SELECT $one, jsonb_build_object('full_name', 'P' || i, 'email', i || '\@x.example') FROM generate_series(1, 100) i;
	INSERT INTO public.notes VALUES ('of one', $one), ('of two', $two)");

# All rows of a workspace: table, count and checksum.
sub digest
{
	my ($node, $id) = @_;
	my $schema = $node == $source ? 'app' : 'Cell B';
	my $columns = columns($node, 'app', $schema);
	my @tables = map { [ "\"$schema\".$_", $_, $_ eq 'workspaces' ? 'id' : 'workspace_id' ] }
		grep { $_ eq 'workspaces' || grep { $_ eq 'workspace_id' } @{ $columns->{$_} } } sort keys %$columns;
	push @tables, [ 'public.notes', 'notes', 'workspace' ] if $node->safe_psql('app', "SELECT to_regclass('public.notes')") ne '';
	return $node->safe_psql('app', join ' UNION ALL ', map {
		"SELECT '$_->[1] ' || count(*) || ' ' || md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM $_->[0] t WHERE $_->[2] = $id HAVING count(*) > 0"
	} @tables);
}

sub start_move
{
	my ($from, $to, $slug) = @_;
	my $pid = fork // die "could not fork: $!";
	return $pid if $pid;
	setpgrp;
	open STDOUT, '>', $log or die;
	open STDERR, '>&', \*STDOUT or die;
	exec 'tools/move_workspace.sh', $from->connstr('app'), $to->connstr('app'), $slug or die;
}

# Waits for the end of the tool; returns its exit status and what it has said.
sub end_move
{
	my ($pid) = @_;
	waitpid $pid, 0;
	return ($? >> 8, slurp_file($log));
}

sub move { return end_move(start_move(@_)); }

sub moves
{
	my ($from, $to, $name) = @_;
	my ($status, $said) = move($from, $to, 'one');
	is($status, 0, $name) or diag $said;
	return;
}

sub refuses
{
	my ($from, $to, $slug, $reason, $name) = @_;
	my ($status, $said) = move($from, $to, $slug);
	ok($status == 1 && $said =~ $reason, $name) or diag "$status: $said";
	return;
}

# Ends what holds the tool up, after it has come there and another thing has been done.
sub held_up
{
	my ($node, $lock, $where, $do) = @_;
	my $session = $node->background_psql('app');
	$session->query_safe("BEGIN; $lock");
	my $pid = start_move($source, $target, 'one');
	$where->poll_query_until('app', "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'move_workspace' AND wait_event_type = 'Lock')")
		or die 'the tool waits for nobody: ' . slurp_file($log);
	$do->($pid);
	$session->query_safe('ROLLBACK');
	$session->quit;
	return $pid;
}

sub kill_move
{
	my ($pid) = @_;
	kill 'KILL', -$pid;
	waitpid $pid, 0;
	return;
}

sub nobody_moves
{
	$_->poll_query_until('app', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'move_workspace')") or die
		foreach $source, $target;
	return;
}

# ---------------------------------------------------------------------- what is refused

my $whole = digest($source, $one);
my $other = digest($source, $two);
like($whole, qr/^$_ [1-9]/m, "there are rows in $_") foreach qw(credit_usage sealed_contacts sealed_secrets notes expired_export_files);

refuses($source, $source, 'one', qr/same database/, 'a move to where it is');
refuses($source, $target, 'none', qr/no workspace "none"/, 'a workspace that is not there');
refuses($source, $target, 'one', qr/no such table.*public\.notes/, 'a table that the target does not have');
$target->safe_psql('app', sprintf($notes, '"Cell B"'));
$target->safe_psql('app', q(ALTER TABLE "Cell B".leads ADD COLUMN region text NOT NULL DEFAULT 'eu'));
refuses($source, $target, 'one', qr/other columns in it: \@\.leads/, 'a table with other columns');
$target->safe_psql('app', 'ALTER TABLE "Cell B".leads DROP COLUMN region');
refuses($source, $target, 'one', qr/refer to rows of .*global_topics/, 'a topic that the target does not have');
foreach my $table (qw(global_topics trends))
{
	my $rows = "$dir/$table";
	my $columns = join ', ', @{ columns($source, 'app', 'app')->{$table} };
	$source->safe_psql('app', "COPY app.$table ($columns) TO '$rows'");
	$target->safe_psql('app', "COPY \"Cell B\".$table ($columns) FROM '$rows'");
}
$target->safe_psql('app', q(INSERT INTO "Cell B".workspaces (slug, name) VALUES ('one', 'Another')));
refuses($source, $target, 'one', qr/another workspace of TARGET has the slug/, 'a slug that another workspace has');
$target->safe_psql('app', q(DELETE FROM "Cell B".workspaces));
$target->safe_psql('app', q(UPDATE pg_extension SET extversion = '0' WHERE extname = 'openinfo'));
refuses($source, $target, 'one', qr/TARGET has 0: update/, 'another version of the extension');
my $version = $source->safe_psql('app', q(SELECT extversion FROM pg_extension WHERE extname = 'openinfo'));
$target->safe_psql('app', "UPDATE pg_extension SET extversion = '$version' WHERE extname = 'openinfo'");
$source->safe_psql('app', 'CREATE TABLE public.stars (lead uuid REFERENCES app.leads (id) ON DELETE CASCADE)');
refuses($source, $target, 'one', qr/without a foreign key to "workspaces".*stars/, 'a table whose rows would be lost');
$source->safe_psql('app', 'DROP TABLE public.stars');
is(digest($source, $one), $whole, 'nothing has changed');
is(digest($target, $one), '', 'and nothing has arrived');

# ---------------------------------------------------------------------- killed at each step, while another workspace is used

my $traffic = "$dir/traffic";
append_to_file($traffic, "INSERT INTO app.leads (workspace_id, company_data) VALUES ($two, '{\"name\": \"L\"}') RETURNING 1;\n" x 20_000);
my $client = IPC::Run::start([ 'psql', '-XqAt', '-d', $source->connstr('app') ], '<', $traffic, '>', '/dev/null', '2>', "$dir/errors");

held_up($target, 'LOCK TABLE "Cell B".leads IN SHARE MODE', $target, \&kill_move);
nobody_moves();
is(digest($source, $one), $whole, 'killed while it copies: the workspace is in the source');
is(digest($target, $one), '', 'and not in the target');

held_up($source, "SELECT FROM app.people_search_results WHERE workspace_id = $one FOR UPDATE", $source, \&kill_move);
nobody_moves();
is(digest($source, $one), $whole, 'killed before the target commits: it is in the source');
is(digest($target, $one), '', 'and not in the target');

held_up($source, 'LOCK TABLE app.saved_searches IN SHARE MODE', $source, \&kill_move);
nobody_moves();
is(digest($source, $one), $whole, 'killed before the source commits: it is in the source');
is(digest($target, $one), $whole, 'and in the target');
held_up($source, 'LOCK TABLE app.saved_searches IN SHARE MODE', $source, \&kill_move);
nobody_moves();
is(digest($target, $one), $whole, 'killed there again: the same');
refuses($target, $source, 'one', qr/in TARGET too, and has been used there/, 'it does not go back over the workspace that has been used');

# what is there from before is replaced, also where rows have gone since
$source->safe_psql('app', "DELETE FROM app.leads WHERE company_data ->> 'name' LIKE '% 1_'");
$whole = digest($source, $one);
moves($source, $target, 'called again, it goes on');
is(digest($target, $one), $whole, 'the workspace is in the target, whole');
is(digest($source, $one), '', 'and nothing of it is left in the source, nor a file to delete');
moves($source, $target, 'called once more, there is nothing to do');
is(digest($target, $one), $whole, 'and nothing is done');

# ---------------------------------------------------------------------- late writes

moves($target, $source, 'it moves back');
is(digest($source, $one), $whole, 'whole');
is(digest($target, $one), '', 'and nothing is left in the target');
foreach my $write ("INSERT INTO app.leads (workspace_id, company_data) VALUES ($one, '{\"name\": \"Late\"}')",
	"UPDATE app.leads SET company_data = company_data || '{\"late\": true}' WHERE workspace_id = $one AND company_data ->> 'name' = 'Late'",
	"DELETE FROM app.leads WHERE workspace_id = $one AND company_data ->> 'name' = 'Late'",
	"DELETE FROM app.expired_export_files WHERE workspace_id = $one",
	"INSERT INTO public.notes VALUES ('late', $one)")
{
	my $pid = held_up($target, 'LOCK TABLE "Cell B".leads IN SHARE MODE', $target, sub { $source->safe_psql('app', $write); $whole = digest($source, $one); });
	my ($status, $said) = end_move($pid);
	my ($kind) = $write =~ /^(\w+)/;
	ok($status == 0 && $said =~ /attempt 1/, "$kind while it copies: it starts again") or diag $said;
	is(digest($target, $one), $whole, 'and moves what was written');
	is(digest($source, $one), '', 'and leaves nothing behind');
	moves($target, $source, 'back');
}

$client->kill_kill;
is(slurp_file("$dir/errors"), '', 'another workspace has been used all the while');
my $added = $source->safe_psql('app', "WITH added AS (DELETE FROM app.leads WHERE workspace_id = $two AND company_data ->> 'name' = 'L' RETURNING 1)
	SELECT count(*) FROM added");
cmp_ok($added, '>', 0, 'and has grown');
is(digest($source, $two), $other, 'and has nothing else in it');
works($source, 'app', 'app', 'the source');
works($target, 'app', 'Cell B', 'the target');
done_testing();
