# Hot standby: every function and table that reads answers as on the primary, and every function that writes is refused
# as PostgreSQL refuses any write there.  Which functions there are is for the catalog to say.

use strict;
use warnings FATAL => 'all';
use Test::More;
use OpenInfoTest;

my $primary = new_node('primary', cron => 1, conf => "wal_level = replica\nmax_wal_senders = 5\n");
$primary->safe_psql('app', <<'END');
	INSERT INTO workspaces (id, slug, name) VALUES ('c0000000-0000-4000-8000-000000000001', 'standby', 'Standby');
	INSERT INTO users (id, workspace_id, auth_user_id, email, role, plan, daily_credit_limit) VALUES
		('c0000000-0000-4000-8000-0000000000a1', 'c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000f1', 'ann@standby.example', 'owner', 'pro', 1000),
		('c0000000-0000-4000-8000-0000000000a2', 'c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000f2', 'bob@standby.example', 'owner', 'pro', 1000);
	INSERT INTO global_topics (id, topic, category, current_volume) VALUES ('c0000000-0000-4000-8000-0000000000b1', 'Machine Learning', 'technology', 100);
	INSERT INTO queries (id, workspace_id, topic_id, name, next_run_at) VALUES
		('c0000000-0000-4000-8000-0000000000c1', 'c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000b1', 'Due', '2026-01-01');
	INSERT INTO leads (id, workspace_id, company_data, enrichment_status, delivery_status) VALUES
		('c0000000-0000-4000-8000-0000000000d1', 'c0000000-0000-4000-8000-000000000001', '{"name": "Alpha"}', 'pending', 'pending');
	INSERT INTO saved_people_searches (id, workspace_id, user_id, name) VALUES
		('c0000000-0000-4000-8000-0000000000e1', 'c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000a1', 'Mine');
	INSERT INTO people_search_results (id, workspace_id, user_id, person_data) VALUES
		('c0000000-0000-4000-8000-0000000000e2', 'c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000a1', '{"full_name": "Dan", "email": "dan@alpha.example"}');
	INSERT INTO integrations (id, workspace_id, type, name, config) VALUES
		('c0000000-0000-4000-8000-0000000000e3', 'c0000000-0000-4000-8000-000000000001', 'webhook', 'Hook', '{"url": "https://a.example", "token": "t"}');
	INSERT INTO integration_events (id, workspace_id, integration_id, event_data) VALUES
		('c0000000-0000-4000-8000-0000000000e4', 'c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000e3', '{}');
	INSERT INTO export_jobs (workspace_id, user_id, status, file_url, completed_at) VALUES
		('c0000000-0000-4000-8000-000000000001', 'c0000000-0000-4000-8000-0000000000a1', 'completed', 'file', '2026-01-05');
END

my ($invitation, $token) = split /\|/, $primary->safe_psql('app', q{SELECT invitation_id, token
	FROM invite_member('eve@standby.example', p_workspace_id => 'c0000000-0000-4000-8000-000000000001')});

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));

# A value for each argument that a function must or may be given, by its name or as function.name; "" leaves it out.
my %value = (
	value => q('a'),
	p_workspace_id => "'c0000000-0000-4000-8000-000000000001'", user_workspace_id => "'c0000000-0000-4000-8000-000000000001'",
	p_user_id => "'c0000000-0000-4000-8000-0000000000a1'", p_auth_user_id => "'c0000000-0000-4000-8000-0000000000f3'",
	'remove_member.p_user_id' => "'c0000000-0000-4000-8000-0000000000a2'", 'set_member_role.p_user_id' => "'c0000000-0000-4000-8000-0000000000a2'",
	query_id => "'c0000000-0000-4000-8000-0000000000c1'", p_query_id => "'c0000000-0000-4000-8000-0000000000c1'",
	p_lead_id => "'c0000000-0000-4000-8000-0000000000d1'", p_search_id => "'c0000000-0000-4000-8000-0000000000e1'",
	p_result_id => "'c0000000-0000-4000-8000-0000000000e2'", p_integration_id => "'c0000000-0000-4000-8000-0000000000e3'", p_event_id => "'c0000000-0000-4000-8000-0000000000e4'",
	p_invitation_id => "'$invitation'", p_token => "'$token'", p_query => "'alp'", 'delete_workspace.p_slug' => "'standby'",
	p_slug => "'other'", p_name => "'Other'", p_email => "'cam\@standby.example'", p_full_name => "'Dan'", p_company => "'Alpha'",
	p_role => "'member'", required_role => "'member'", p_new_plan => "'starter'",
	p_object => "'person'", p_data => q('{"title": "CTO"}'), p_field => "'title'",
	p_action_type => "'email_reveal'", p_integration_type => "'webhook'", p_event_type => "'subscription_created'",
	'update_lead_enrichment.p_status' => "'failed'", 'update_lead_delivery.p_status' => "'failed'", 'update_integration_event.p_status' => "'failed'",
	search_query => "'mach'", topic_name => "'Machine Learning'", query_filters => "'{}'", lead_count => '1',
	p_filters => "'{}'", p_event_data => "'{}'", p_error_message => "'no'", p_leads => q('[{"name": "Beta"}]'),
	p_stripe_event_id => "'evt_1'", p_event_at => "'2026-01-05'", p_topic => "'Machine Learning'", p_volume => '1', p_bucket => '1::smallint',
	p_scope => "'c0000000-0000-4000-8000-000000000001'", p_company_data => q('{"name": "Alpha"}'), p_contact_data => q('{}'),
	company_data => q('{"name": "Alpha"}'), person_data => q('{"full_name": "Dan"}'));

my $who = q(SET request.jwt.claims = '{"sub": "c0000000-0000-4000-8000-0000000000f1"}';);

sub answer
{
	my ($node, $role, $statement) = @_;
	my ($code, $out, $err) = $node->psql('app', "\\set VERBOSITY verbose\n$who SET ROLE $role; BEGIN; $statement; ROLLBACK;", on_error_stop => 1);
	return "answer $out" unless $code;
	my ($error) = $err =~ /(ERROR: .*)/ or die $err;
	return $error;
}

# Those that are granted to a role, with the arguments that have no default, and a workspace or user where one is asked for.
my @functions = split /\n/, $primary->safe_psql('app', q{
	SELECT DISTINCT p.proname, r.rolname, p.provolatile,
	       coalesce((SELECT string_agg(a.name, ',' ORDER BY a.n)
	                   FROM unnest(p.proargnames) WITH ORDINALITY a (name, n)
	                  WHERE a.n <= p.pronargs AND (a.n <= p.pronargs - p.pronargdefaults OR a.name IN ('p_user_id', 'p_workspace_id', 'user_workspace_id'))), '')
	  FROM pg_proc p
	  JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'openinfo'
	 CROSS JOIN LATERAL aclexplode(p.proacl) x
	  JOIN pg_roles r ON r.oid = x.grantee AND r.rolname IN ('authenticated', 'service_role')
	 ORDER BY 1, 2});
cmp_ok(scalar @functions, '>', 20, 'functions that are granted to somebody');

# Without a write, though they may not be called STABLE: their answer depends on the time of day.
my %reads = map { $_ => 1 } qw(job_status);
my %count;
foreach (@functions)
{
	my ($function, $role, $volatility, $arguments) = split /\|/, $_, -1;
	my @arguments = map {
		my $value = $value{"$function.$_"} // $value{$_} // die "standby.pl lacks a value for argument $_ of $function()";
		"$_ => $value"
	} split /,/, $arguments;
	my $call = "$function(" . join(', ', @arguments) . ')';
	my $here = answer($primary, $role, "SELECT * FROM $call");
	like($here, qr/^answer/, "on the primary $role calls $call");

	my $there = answer($standby, $role, "SELECT * FROM $call");
	# ages go on between the two calls
	s/(_seconds\|[^|]*\|)\d[\d.e+]*/$1age/g foreach $here, $there;
	if ($volatility ne 'v' || $reads{$function})
	{
		is($there, $here, 'and reads the same on the standby');
		$count{reads}++;
	}
	else
	{
		like($there, qr/^ERROR:  25006: cannot execute .* (in a read-only transaction|during recovery)/, 'and is told that the standby is read-only');
		$count{writes}++;
	}
}
cmp_ok($count{$_}, '>', 5, "there are some that $_: $count{$_}") foreach qw(reads writes);

# Tables and views, with their row-level security.
foreach (split /\n/, $primary->safe_psql('app', q{
	SELECT c.relname, r.rolname FROM pg_class c, pg_roles r
	 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND r.rolname IN ('authenticated', 'service_role')
	   AND has_table_privilege(r.oid, c.oid, 'SELECT') AND c.relname !~ '^openinfo_'
	 ORDER BY 1, 2}))
{
	my ($table, $role) = split /\|/;
	is(answer($standby, $role, "SELECT * FROM $table ORDER BY 1"), answer($primary, $role, "SELECT * FROM $table ORDER BY 1"), "$role reads $table");
}

# The jobs run on the primary, and are seen from the standby; what is due is a matter of the clock.
is(answer($standby, 'service_role', 'SELECT name, schedule, active FROM openinfo_jobs'), answer($primary, 'service_role', 'SELECT name, schedule, active FROM openinfo_jobs'), 'service_role reads openinfo_jobs');
# What a server says of itself, each says for itself.
like(answer($standby, 'service_role', "SELECT count(*) > 0 FROM $_"), qr/^answer t/, "service_role reads $_") foreach qw(openinfo_metrics);

# The guard.
like(answer($standby, 'postgres', 'DROP EXTENSION openinfo CASCADE'), qr/^ERROR:  25006: cannot execute DROP EXTENSION/, 'DROP EXTENSION is refused before the guard sees it');

# What was read before is seen to change when the primary changes it, in the same session.
$primary->safe_psql('app', "UPDATE users SET role = 'member' WHERE id = 'c0000000-0000-4000-8000-0000000000a1'");
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
is(answer($standby, 'authenticated', "SELECT user_has_role('owner')"), 'answer f', 'a demotion arrives');
$primary->safe_psql('app', "DELETE FROM users WHERE id = 'c0000000-0000-4000-8000-0000000000a1'");
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('write'));
is(answer($standby, 'authenticated', "SELECT get_user_workspace_id() IS NULL, count(*) FROM leads"), 'answer t|0', 'and a removal');

# Promoted, it is a primary.
$standby->promote;
is(answer($standby, 'postgres', "SELECT count(*) FROM unschedule_jobs()"), 'answer 4', 'a promoted standby writes');

done_testing();
