# Twenty sessions at once: with credits for three of twenty people, three are revealed and three are charged; twenty
# colleagues who reveal one person pay once between them.

use strict;
use warnings FATAL => 'all';
use Test::More;
use PostgreSQL::Test::Utils;
use OpenInfoTest;

my $node = new_node('twenty_reveals', conf => 'max_connections = 60');

# attempt() is one session's part: it waits until all twenty are there, reveals, and tells what became of it.
$node->safe_psql('app', q{
	UPDATE plans SET members = NULL;
	INSERT INTO workspaces (id, slug, name) VALUES ('10000000-0000-0000-0000-000000000001', 'twenty', 'Twenty');
	INSERT INTO users (workspace_id, auth_user_id, email)
	SELECT '10000000-0000-0000-0000-000000000001', ('20000000-0000-0000-0000-0000000000' || lpad(n::text, 2, '0'))::uuid, 'member' || n || '@twenty.example'
	  FROM generate_series(0, 19) n;
	INSERT INTO people_search_results (id, workspace_id, person_data)
	SELECT ('40000000-0000-0000-0000-0000000000' || lpad(n::text, 2, '0'))::uuid, '10000000-0000-0000-0000-000000000001',
	       jsonb_build_object('full_name', 'Person ' || n, 'email', 'person' || n || '@twenty.example')
	  FROM generate_series(0, 20) n;

	CREATE TABLE outcomes (test text, person int, answer jsonb, refused text);
	CREATE FUNCTION attempt(p_test text, p_member int, p_person int) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		v_answer jsonb;
	BEGIN
		PERFORM nextval('arrived');
		WHILE (SELECT last_value FROM arrived) < 20 LOOP
			PERFORM pg_sleep(0.001);
		END LOOP;
		BEGIN
			PERFORM set_config('request.jwt.claim.sub', '20000000-0000-0000-0000-0000000000' || lpad(p_member::text, 2, '0'), true);
			SET LOCAL ROLE authenticated;
			v_answer := reveal_person_email(('40000000-0000-0000-0000-0000000000' || lpad(p_person::text, 2, '0'))::uuid);
			RESET ROLE;
			INSERT INTO outcomes VALUES (p_test, p_person, v_answer);
		EXCEPTION WHEN SQLSTATE 'PT402' THEN
			INSERT INTO outcomes VALUES (p_test, p_person, NULL, SQLSTATE);
		END;
	END
	$$;
});

sub at_once
{
	my ($test, $member, $person) = @_;
	my $script = "$PostgreSQL::Test::Utils::tmp_check/$test.sql";

	$node->safe_psql('app', 'DROP SEQUENCE IF EXISTS arrived; CREATE SEQUENCE arrived');
	append_to_file($script, "SELECT attempt('$test', $member, $person);\n");
	$node->command_ok([ 'pgbench', '-n', '-c', '20', '-j', '2', '-t', '1', '-f', $script, 'app' ], "$test: twenty sessions, none in error");
}

sub answers { return $node->safe_psql('app', $_[0]); }

# One member with three credits, twenty people.
at_once('three_credits', 0, ':client_id');
is(answers(q{SELECT count(*) FILTER (WHERE answer ->> 'credits_used' = '1'), count(*) FILTER (WHERE refused = 'PT402'), count(*) FROM outcomes WHERE test = 'three_credits'}),
	'3|17|20', 'three are revealed, seventeen are refused');
is(answers(q{SELECT daily_credits_used, (SELECT sum(credits_used) FROM credit_usage) FROM users WHERE email = 'member0@twenty.example'}),
	'3|3', 'three are charged');
is(answers(q{SELECT count(*), count(*) FILTER (WHERE person_data ? 'email'), (SELECT count(*) FROM sealed_contacts) FROM people_search_results WHERE email_revealed_at IS NOT NULL}),
	'3|3|18', 'three rows are open, the others sealed');
is(answers(q{SELECT bool_and((o.answer IS NOT NULL) = (r.email_revealed_at IS NOT NULL))
		FROM outcomes o JOIN people_search_results r ON r.person_data ->> 'full_name' = 'Person ' || o.person WHERE test = 'three_credits'}),
	't', 'those that were answered are those that are open');

# Twenty members, one person.
at_once('one_person', ':client_id', 20);
# member0 has no credit left: refused if first, free otherwise
is(answers(q{SELECT sum((answer ->> 'credits_used')::int), count(*) FILTER (WHERE answer ->> 'credits_used' = '0') + count(refused), count(DISTINCT answer ->> 'email')
		FROM outcomes WHERE test = 'one_person'}),
	'1|19|1', 'one is charged, the others see it free');
is(answers(q{SELECT count(*) FROM credit_usage WHERE reference_id = '40000000-0000-0000-0000-000000000020'}), '1', 'one line in the ledger');
is(answers(q{SELECT (SELECT sum(daily_credits_used) FROM users) = (SELECT sum(credits_used) FROM credit_usage)}), 't', 'counters and ledger agree');

# Nobody can free a credit by taking the reveal back.
answers(q{BEGIN; SET LOCAL request.jwt.claim.sub = '20000000-0000-0000-0000-000000000001'; SET LOCAL ROLE authenticated;
	SELECT reveal_person_email(id) FROM people_search_results WHERE email_revealed_at IS NULL LIMIT 1; ROLLBACK;});
is(answers(q{SELECT count(*), (SELECT count(*) FROM sealed_contacts) FROM credit_usage}), '4|17', 'a rollback leaves neither charge nor e-mail');

done_testing();
