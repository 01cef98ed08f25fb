# The token of an invitation, sent as a parameter, is nowhere but with who invited and who was invited: in no error, no line
# of the log at the default level, no statistic and no row.

use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Utils;
use Test::More;
use OpenInfoTest;

# what the log has by default, and statistics of every statement, those within functions too
my $node = new_node('tokens', conf => join "\n", "shared_preload_libraries = 'pg_stat_statements'", "pg_stat_statements.track = 'all'",
	"log_statement = 'none'", "log_line_prefix = '%m [%p] '", '');
my $extension = $node->safe_psql('app', "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'");
$node->safe_psql('app', 'CREATE EXTENSION pg_stat_statements') if $extension;
$node->safe_psql('app', "UPDATE plans SET members = 10 WHERE name = 'free'");
my $ann = '0a000000-0000-4000-8000-00000000000a';
my $one = $node->safe_psql('app', qq{SET request.jwt.claim.sub = '$ann'; SELECT create_workspace('one', 'One', 'ann\@one.example')});

# A function called by a person, with its arguments as parameters: pgbench sends them so.
sub call
{
	my ($person, $function, %argument) = @_;
	my $script = $node->basedir . '/call.sql';
	unlink $script;
	append_to_file($script, "SET request.jwt.claim.sub = '$person';\nSET ROLE authenticated;\n"
		. "SELECT count(*) FROM $function(" . join(', ', map { "$_ => :$_" } sort keys %argument) . ");\n");
	my ($out, $err);
	my @define = map { ('-D', "$_=$argument{$_}") } sort keys %argument;
	IPC::Run::run([ 'pgbench', '-n', '-t', '1', '-M', 'extended', '-f', $script, @define, $node->connstr('app') ], '>', \$out, '2>', \$err);
	return $err;
}

sub invite { return $node->safe_psql('app', "SELECT token FROM invite_member('$_[0]', p_workspace_id => '$one')") }

my %token = map { $_ => invite("$_\@one.example") } qw(used again revoked expired full);
my $wrong = $token{used} =~ tr/a-zA-Z/b-zaB-ZA/r;
$node->safe_psql('app', "SELECT revoke_invitation(id) FROM invitations WHERE email = 'revoked\@one.example';
	UPDATE invitations SET expires_at = now() WHERE email = 'expired\@one.example'");
sub person { return sprintf '0b000000-0000-4000-8000-%012d', $_[0] }

unlike(call(person(1), 'accept_invitation', p_token => $token{used}, p_full_name => 'Bea'), qr/ERROR/, 'an invitation is accepted');
my @errors = map { call(person(2), 'accept_invitation', p_token => $_, p_full_name => 'Cam') } $token{used}, @token{qw(revoked expired)}, $wrong, 'x' x 10_000;
like($_, qr/ERROR: +invitation is not valid/, 'or is not') foreach @errors;
$node->safe_psql('app', "UPDATE plans SET members = 1 WHERE name = 'free'");
push @errors, call(person(3), 'accept_invitation', p_token => $token{full}, p_full_name => 'Dan');
like($errors[-1], qr/ERROR: +workspace has no seat left/, 'for another reason');
$node->safe_psql('app', "UPDATE plans SET members = 10 WHERE name = 'free'");
# the address has become a member's behind the back of everybody
$node->safe_psql('app', "SET session_replication_role = replica; INSERT INTO users (workspace_id, auth_user_id, email, credits_reset_on) VALUES ('$one', gen_random_uuid(), 'again\@one.example', current_date)");
push @errors, call(person(4), 'accept_invitation', p_token => $token{again}, p_full_name => 'Eva');
like($errors[-1], qr/ERROR: +e-mail address "again\@one\.example" belongs to a member/, 'or for a constraint');

my @tokens = (values %token, $wrong, 'x' x 60);
my $any = join '|', map { quotemeta } map { substr $_, -40 } @tokens;
unlike(join("\n", @errors), qr/$any/, 'no error names a token');
my $log = slurp_file($node->logfile);
like($log, qr/ERROR: +invitation is not valid\n.*DETAIL.*\n.*HINT.*\n.*STATEMENT: .*accept_invitation\(/, 'the log has the errors');
unlike($log, qr/$any/, 'and no token');
SKIP:
{
	skip 'pg_stat_statements is not installed', 2 unless $extension;
	cmp_ok($node->safe_psql('app', "SELECT count(*) FROM pg_stat_statements WHERE query ~ 'token_sha256'"), '>', 2, 'the statistics have the statements');
	is($node->safe_psql('app', "SELECT query FROM pg_stat_statements WHERE query ~ '$any'"), '', 'and no token');
}
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-d', $node->connstr('app'), '-f', $dump ], 'dumped');
my $rows = slurp_file($dump);
like($rows, qr/used\@one\.example/, 'the dump has the invitations');
unlike($rows, qr/$any/, 'and no token');

$node->stop;
done_testing();
