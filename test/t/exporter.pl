# monitoring/: postgres_exporter yields every metric of openinfo_metrics, as a number; rules and dashboard ask for metrics
# that there are; and each alert fires when it should.

use strict;
use warnings FATAL => 'all';
use Cwd qw(abs_path);
use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;
use OpenInfoTest;

my ($exporter) = grep { -x } map { ("$_/prometheus-postgres-exporter", "$_/postgres_exporter") } split /:/, $ENV{PATH};
my ($promtool) = grep { -x } map { "$_/promtool" } split /:/, $ENV{PATH};
plan skip_all => 'prometheus-postgres-exporter and prometheus are not installed' unless $exporter && $promtool;

my $node = new_node('exporter', cron => 1, bare => 1);
$node->safe_psql('app', 'CREATE EXTENSION pg_cron; CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app;' . slurp_file('monitoring/setup.sql'));
my $findings = $node->safe_psql('app', 'SET ROLE service_role; SELECT count(*), string_agg(item || detail, $$;$$) FROM app.security_checklist() WHERE NOT ok');
is($findings, '0|', 'what setup.sql creates is in order');

# something to count
$node->safe_psql('app', q{
	SET search_path = app;
	INSERT INTO workspaces (id, slug, name) VALUES ('0e400000-0000-4000-8000-000000000001', 'exporter', 'E');
	INSERT INTO leads (workspace_id, company_data, enrichment_status, enrichment_attempts)
		SELECT id, '{"name": "L"}', 'failed', 3 FROM workspaces, generate_series(1, 7);
	INSERT INTO integrations (workspace_id, type, name) SELECT id, 'slack', 'S' FROM workspaces;
	INSERT INTO integration_events (workspace_id, integration_id, event_data, status, attempts)
		SELECT workspace_id, id, '{}', s::delivery_status, a FROM integrations, (VALUES ('pending', 0), ('pending', 0), ('failed', 8)) v (s, a);
	INSERT INTO cron.job_run_details (jobid, runid, database, username, command, status, start_time, end_time)
		SELECT jobid, jobid, database, username, command, 'succeeded', now(), now() FROM cron.job;
	VACUUM ANALYZE});

# ---------------------------------------------------------------------- scraped

my $address = '127.0.0.1:' . PostgreSQL::Test::Cluster::get_free_port();
my ($host, $port) = ($node->host, $node->port);
my $log = '';
my $process;
{
	local $ENV{DATA_SOURCE_NAME} = "host=$host port=$port user=exporter dbname=app sslmode=disable";
	$process = IPC::Run::start([ $exporter, "--web.listen-address=$address", '--extend.query-path=monitoring/queries.yaml', '--disable-default-metrics', '--disable-settings-metrics', '--no-collector.database', '--no-collector.bgwriter' ], '>&', \$log);
}
END { $process->kill_kill if $process }
my $scrape = '';
foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	my $answer = HTTP::Tiny->new->get("http://$address/metrics");
	$scrape = $answer->{content} if $answer->{success};
	last if $scrape =~ /^openinfo_/m;
	$process->pump_nb;
	select undef, undef, undef, 0.1;
}
my %value;
foreach ($scrape =~ /^(openinfo_.*)$/mg)
{
	my ($name, $labels, $value) = /^(\w+)\{(.*)\} (\S+)$/ or die $_;
	my %labels = $labels =~ /(\w+)="([^"]*)"/g;
	delete $labels{server};
	$value{ join ' ', $name, map { "$_=$labels{$_}" } sort keys %labels } = $value;
}
cmp_ok(scalar(keys %value), '>', 100, 'the exporter has metrics') or diag $log;
is(join(' ', grep { $value{$_} !~ /^\d+(\.\d+)?(e[+-]?\d+)?$/ } sort keys %value), '', 'each is a number');
like($scrape, qr/^pg_exporter_last_scrape_error 0$/m, 'no query has failed') or diag $log;

# The same as in the view, by name, labels and, where it stands still, value.
my %in_view = map { my ($name, $labels, $value) = split /\|/; (join(' ', $name, $labels ? $labels : ()) => $value) } split /\n/, $node->safe_psql('app', q{
	SELECT name, (SELECT string_agg(key || '=' || value, ' ' ORDER BY key COLLATE "C") FROM jsonb_each_text(labels)), value FROM app.openinfo_metrics});
is(join("\n", grep { !exists $value{$_} } sort keys %in_view), '', 'every metric of the view is there');
is(join("\n", grep { !exists $in_view{$_} } sort keys %value), 'openinfo_checklist_failures', 'and the security checklist');
my @stands_still = grep { !/_seconds|_bytes/ } sort keys %in_view;
is(join("\n", map { "$_ $value{$_}" } @stands_still), join("\n", map { "$_ $in_view{$_}" } @stands_still), 'with the same values');
is("@value{'openinfo_leads_exhausted phase=enrichment', 'openinfo_events_unsent', 'openinfo_events_exhausted', 'openinfo_checklist_failures'}", '7 2 1 0', 'which are those of the rows');
$process->kill_kill;
undef $process;

my (undef, undef, $refused) = $node->psql('app', 'SET ROLE exporter; SELECT FROM app.leads');
like($refused, qr/permission denied for table leads/, 'the exporter reads no row of a tenant');

# ---------------------------------------------------------------------- rules and dashboard

command_ok([ $promtool, 'check', 'rules', 'monitoring/alerts.yaml' ], 'the rules are valid');

my $dashboard = decode_json(slurp_file('monitoring/dashboard.json'));
my @queries = map { $_->{expr} } map { @{ $_->{targets} } } @{ $dashboard->{panels} };
my $rules = $node->basedir . '/dashboard.yaml';
append_to_file($rules, encode_json({ groups => [ { name => 'dashboard', rules => [ map { { record => "panel_$_", expr => $queries[$_] } } 0 .. $#queries ] } ] }));
command_ok([ $promtool, 'check', 'rules', $rules ], 'so are the queries of the dashboard');
my %scraped = map { s/ .*//r => 1 } keys %value;
my %asked = map { $_ => 1 } map { /\b(openinfo_\w+)/g } @queries, slurp_file('monitoring/alerts.yaml') =~ /expr: (.*)/g;
is(join(' ', grep { !$scraped{$_} } sort keys %asked), '', 'both ask for metrics that there are');

# Each alert, when there is reason for it; none, when there is not.
my @alerts = slurp_file('monitoring/alerts.yaml') =~ /alert: (\w+)/g;
my $absolute = abs_path('monitoring/alerts.yaml');
sub alerts
{
	my ($name, $expected, %series) = @_;
	my $file = $node->basedir . "/$name.yaml";
	append_to_file($file, encode_json({ rule_files => [$absolute], evaluation_interval => '1m', tests => [ {
		interval => '1m',
		input_series => [ map { { series => $_, values => $series{$_} } } sort keys %series ],
		promql_expr_test => [ { expr => 'count by (alertname) (ALERTS{alertstate="firing"})', eval_time => '100m',
			exp_samples => [ map { { labels => "{alertname=\"$_\"}", value => 1 } } @$expected ] } ] } ] }));
	command_ok([ $promtool, 'test', 'rules', $file ], $name);
	return;
}
my %calm = ('openinfo_queue_depth{queue="queries"}' => '5x120', 'openinfo_job_overdue{job="j"}' => '0x120', 'openinfo_job_active{job="j"}' => '1x120',
	'openinfo_queue_age_seconds{queue="queries"}' => '600x120', 'openinfo_leads_exhausted{phase="delivery"}' => '3x120', 'openinfo_events_unsent' => '10x120',
	'openinfo_events_exhausted' => '2x120', 'openinfo_failed_rows{table="integrations"}' => '1x120', 'openinfo_checklist_failures' => '0x120');
alerts('calm', [], %calm);
alerts('trouble', [ grep { $_ ne 'OpenInfoMetricsMissing' } @alerts ], %calm, 'openinfo_job_overdue{job="j"}' => '1x120', 'openinfo_job_active{job="j"}' => '0x120',
	'openinfo_queue_age_seconds{queue="queries"}' => '0+60x120', 'openinfo_leads_exhausted{phase="delivery"}' => '3+1x120', 'openinfo_events_unsent' => '5000x120',
	'openinfo_events_exhausted' => '2+1x120', 'openinfo_failed_rows{table="integrations"}' => '1+1x120', 'openinfo_checklist_failures' => '2x120');
alerts('silence', ['OpenInfoMetricsMissing']);

$node->stop;
done_testing();
