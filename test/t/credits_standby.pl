# On a hot standby whatever asks about credits and limits answers, and whatever spends gets PostgreSQL's own error.

use strict;
use warnings FATAL => 'all';
use OpenInfoTest;
use Test::More;

my $primary = new_node('primary', conf => "wal_level = replica\nmax_wal_senders = 5\n");
$primary->safe_psql('app', <<'END');
	INSERT INTO workspaces (id, slug, name) VALUES ('c0000000-0000-4000-8000-000000000001', 'standby', 'Standby');
	INSERT INTO users (id, workspace_id, auth_user_id, email, daily_credits_used, credits_reset_on) VALUES
		('c0000000-0000-4000-8000-0000000000a1', 'c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000f1', 'ann@standby.example', 2, '2999-01-01');
	SELECT record_credit_usage('c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000a1', 'email_reveal', p_idempotency_key => 'once');
END

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));

my $claims = q(SET ROLE authenticated; SET request.jwt.claim.sub = 'c0000000-0000-4000-8000-0000000000f1';);

is($standby->safe_psql('app', "$claims SELECT check_credits_available(), (SELECT credits_used FROM get_credit_balance()), check_query_limit()"),
	'f|3|t', 'a member asks about their own');
is($standby->safe_psql('app', q(SELECT check_credits_available('c0000000-0000-4000-8000-0000000000a1', 1), check_query_limit('c0000000-0000-4000-8000-000000000001'))),
	'f|t', 'and the service about anybody');

for my $statement (
	"SELECT record_credit_usage(get_user_workspace_id(), get_user_id(), 'email_reveal')",
	"SELECT record_credit_usage(get_user_workspace_id(), get_user_id(), 'email_reveal', p_idempotency_key => 'once')",
	'RESET ROLE; SELECT reset_daily_credits()',
	'RESET ROLE; SELECT reset_weekly_lead_counts()')
{
	my ($status, $out, $error) = $standby->psql('app', "\\set VERBOSITY sqlstate\n$claims $statement;");
	like($error, qr/ERROR:  25006/, "$statement is refused: read-only");
}

done_testing();
