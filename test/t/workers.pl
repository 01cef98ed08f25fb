# Workers that claim, report, fail and die at the same time; and batches that overlap.  Afterwards every item was done
# once, or tried three times, or can be claimed again; and no company exists twice.

use strict;
use warnings FATAL => 'all';
use OpenInfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('workers');
my $workspace = '30b00000-0000-0000-0000-000000000001';

# claim: which worker claimed which item; open until it is reported on
$node->safe_psql('app', qq{
	INSERT INTO workspaces (id, slug, name) VALUES ('$workspace', 'workers', 'Workers');
	INSERT INTO users (workspace_id, auth_user_id, email, plan) VALUES ('$workspace', gen_random_uuid(), 'ann\@workers.example', 'enterprise');
	INSERT INTO global_topics (topic) VALUES ('workers');
	CREATE TABLE claim (kind text, item uuid, worker int DEFAULT pg_backend_pid(), open boolean DEFAULT true);
});

sub value
{
	return $node->safe_psql('app', shift);
}

sub new_leads
{
	my ($count) = @_;

	return value(qq{
		TRUNCATE claim;
		DELETE FROM leads;
		INSERT INTO leads (workspace_id, company_data) SELECT '$workspace', jsonb_build_object('name', 'Lead ' || n) FROM generate_series(1, $count) n;
	});
}

# Runs a script in eight clients, so many times each; an error in one of them is a failure.
sub eight_clients
{
	my ($name, $times, $script) = @_;

	return $node->pgbench("-n -c 8 -j 2 -t $times app", 0, [qr/actually processed: (\d+)\/\1/], [qr/^$/], $name, { $name => $script });
}

# What a worker does with items of a kind; a claim is committed before it is reported on.
sub work
{
	my ($kind, $claim, $report) = @_;

	return qq{
		INSERT INTO claim (kind, item) SELECT '$kind', id FROM $claim(7);
		WITH mine AS (UPDATE claim SET open = false WHERE kind = '$kind' AND open AND worker = pg_backend_pid() RETURNING item) SELECT count($report) FROM mine;
	};
}

# 1,000 items, eight workers: each item once, by several workers.
new_leads(1000);
value(qq{INSERT INTO queries (workspace_id, topic_id, name) SELECT '$workspace', id, 'query ' || n FROM global_topics, generate_series(1, 1000) n});
eight_clients('claim_and_report', 40,
	work('query', 'get_active_queries_for_processing', 'update_query_run_time(item)')
	  . work('enrichment', 'get_leads_pending_enrichment', q{update_lead_enrichment(item, 'enriched')})
	  . work('delivery', 'get_leads_pending_delivery', q{update_lead_delivery(item, 'delivered')}));
is(value('SELECT kind, count(*), count(DISTINCT item) FROM claim GROUP BY kind ORDER BY kind'),
	"delivery|1000|1000\nenrichment|1000|1000\nquery|1000|1000", 'each of 1,000 items was claimed once');
# a worker can claim at most 40 times 7
is(value('SELECT count(DISTINCT worker) >= 4 FROM claim'), 't', 'by several workers');
is(value('SELECT enrichment_status, delivery_status, enrichment_attempts, delivery_attempts, count(*) FROM leads GROUP BY 1, 2, 3, 4'),
	'enriched|delivered|1|1|1000', 'every lead was delivered at the first attempt');
is(value('SELECT count(*) FROM queries WHERE lease_until IS NULL AND next_run_at > now()'), '1000', 'every query has run, and its next run is in the future');

# Work that always fails is tried three times, by any worker; that it waits in between is in test/sql/work_queue.sql.
new_leads(300);
eight_clients('always_fails', 60, q{
	WITH waiting AS (SELECT id FROM leads WHERE enrichment_next_attempt_at > now() FOR NO KEY UPDATE SKIP LOCKED)
	UPDATE leads SET enrichment_next_attempt_at = now() WHERE id IN (SELECT id FROM waiting);
} . work('enrichment', 'get_leads_pending_enrichment', q{update_lead_enrichment(item, 'failed', NULL, 'no answer')}));
is(value('SELECT DISTINCT count(*) FROM claim GROUP BY item'), '3', 'what always fails is tried three times');
is(value('SELECT enrichment_status, enrichment_attempts, last_error, count(*) FROM leads GROUP BY 1, 2, 3'), 'failed|3|no answer|300', 'and is exhausted');

# A worker dies.  Claims that it had not committed are undone at once; those that it had end with its lease.
sub worker_that_dies
{
	my ($statement) = @_;
	my $worker = $node->background_psql('app', on_error_stop => 0);
	my $pid = $worker->query('SELECT pg_backend_pid()');

	is($worker->query($statement), 10, "a worker has ten leads: $statement");
	value("SELECT pg_terminate_backend($pid)");
	$node->poll_query_until('app', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)") or die 'the worker lives on';
	eval { $worker->quit };
}

new_leads(10);
worker_that_dies('BEGIN; SELECT count(*) FROM get_leads_pending_enrichment()');
worker_that_dies('SELECT count(*) FROM get_leads_pending_enrichment()');
is(value('SELECT count(*) FROM get_leads_pending_enrichment()'), '0', 'within the lease no other worker gets them');
value(q{UPDATE leads SET enrichment_lease_until = enrichment_lease_until - interval '15 minutes'});
eight_clients('after_the_lease', 1, work('enrichment', 'get_leads_pending_enrichment', q{update_lead_enrichment(item, 'enriched')}));
is(value('SELECT enrichment_status, enrichment_attempts, count(*) FROM leads GROUP BY 1, 2'), 'enriched|2|10', 'then others finish the work, and the attempt counts');

# 1,000 events of ten integrations, eight senders.  One report in three is a failure, some events always fail; senders die
# with what they have claimed, also while they report.  Then leases and waits end, and new senders go on.
value(q{
	TRUNCATE claim;
	ALTER TABLE claim ADD integration uuid, ADD at timestamptz DEFAULT clock_timestamp();
	INSERT INTO workspaces (slug, name) SELECT 'sender-' || n, 'S' FROM generate_series(1, 10) n;
	INSERT INTO integrations (workspace_id, type, name) SELECT id, 'webhook', 'W' FROM workspaces WHERE slug LIKE 'sender-%';
	INSERT INTO integration_events (workspace_id, integration_id, event_data)
		SELECT workspace_id, id, jsonb_build_object('event', n) FROM integrations, generate_series(1, 100) n;
	CREATE FUNCTION outcome(event uuid) RETURNS delivery_status LANGUAGE sql AS $$
		SELECT CASE WHEN pg_terminate_backend(CASE WHEN random() < 0.01 THEN pg_backend_pid() END) THEN 'failed'
					WHEN event::text ~ '^[01]' OR random() < 0.3 THEN 'failed'::delivery_status ELSE 'delivered' END $$;
});
my $sender = $node->basedir . '/sender.sql';
append_to_file($sender, q{
	INSERT INTO claim (kind, item, integration) SELECT 'event', id, integration_id FROM get_integration_events_pending(7);
	SELECT pg_terminate_backend(pg_backend_pid()) WHERE random() < 0.01;
	WITH mine AS (UPDATE claim SET open = false WHERE open AND worker = pg_backend_pid() RETURNING item, integration)
	SELECT count(update_integration_event(item, outcome(item), 'no answer')) FROM (SELECT * FROM mine ORDER BY integration) m;
});
my ($rounds, $died, $trouble) = (0, 0, '');
while (value("SELECT count(*) FROM integration_events WHERE NOT (status = 'delivered' OR status = 'failed' AND attempts = 8)") > 0 && $rounds < 100)
{
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'pgbench', '-n', '-c', 8, '-j', 2, '-t', 20, '-f', $sender, '-d', $node->connstr('app') ], '>', \$out, '2>', \$err);
	$died += () = $err =~ /terminating connection due to administrator command/g;
	$trouble .= join '', grep { /ERROR/ } split /^/m, $err;
	value(q{UPDATE integration_events SET lease_until = now(), next_attempt_at = now() WHERE sent_at IS NULL;
		UPDATE integrations SET status = 'active' WHERE status = 'error'});
	$rounds++;
}
cmp_ok($died, '>', 8, "senders died, in $rounds rounds");
is($trouble, '', 'and no sender had an error, in particular no deadlock');
is(value(q{SELECT string_agg(DISTINCT status::text, ' '), count(*) FROM integration_events}), 'delivered failed|1000', 'no event is forgotten');
is(value(q{SELECT count(*) FROM integration_events WHERE status = 'delivered' AND (sent_at IS NULL OR id::text ~ '^[01]')
	OR status = 'failed' AND (attempts <> 8 OR sent_at IS NOT NULL)}), '0', 'each was delivered, or eight attempts have failed');
is(value(q{SELECT count(*) FROM integration_events e WHERE attempts <> (SELECT count(*) FROM claim WHERE item = e.id)}), '0', 'each attempt was claimed by one sender');
is(value(q{SELECT count(*) FROM integration_events e JOIN claim c ON c.item = e.id AND c.at > e.sent_at}), '0', 'none was claimed after it was delivered');
is(value('SELECT count(*) FROM get_integration_events_pending()'), '0', 'nor is there anything left to claim');

# Overlapping batches, each in a random order, for two queries of one workspace: no error, in particular no deadlock.
value('DELETE FROM leads; UPDATE queries SET total_leads_generated = 0, leads_this_week = 0');
eight_clients('overlapping_batches', 25, q{
	\set query random(1, 2)
	SELECT * FROM ingest_leads(
		(SELECT id FROM queries WHERE name = 'query ' || :query),
		(SELECT jsonb_agg(jsonb_build_object('name', 'Company', 'domain', CASE WHEN random() < 0.5 THEN 'company' ELSE ' COMPANY' END || n || '.example') ORDER BY random())
		   FROM (SELECT (random() * 500)::int AS n FROM generate_series(1, 100)) r));
});
is(value('SELECT count(*) = count(DISTINCT lead_domain(company_data)) FROM leads'), 't', 'overlapping batches store each company once');
is(value('SELECT (SELECT count(*) FROM leads) = sum(total_leads_generated), (SELECT count(*) FROM leads) = sum(leads_this_week) FROM queries'), 't|t', 'and the counters agree');

done_testing();
