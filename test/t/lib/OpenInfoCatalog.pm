package OpenInfoCatalog;

# What the tests of survival share: rows for every table of every version, a snapshot of the whole catalog, and
# checksums of the rows.
#
#   versions($node)                    # all versions of the extension, the oldest first
#   migrations($node, $db, $schema)    # how many migrations the installed version has
#   fill($node, $db, $schema)          # one row or more into each table that is there and empty; more arguments are
#                                      # tables and their rows, as in @rows
#   work_with($node, $db)              # installs into schema app and changes it as users do; needs no role
#   works($node, $db, $schema, $name)  # one test: every stamp, seal and cascade does its work; rolled back
#   snapshot($node, $db)               # the catalog as text; snapshot.sql says what is in it
#   columns($node, $db, $schema)       # { table => [ columns ] }, generated ones left out
#   checksums($node, $db, $schema)     # "table count md5" for each table of the schema; a fourth argument, as
#                                      # columns() returns it, says which tables and columns count
#   same($got, $expected, $name)       # one test; shows only the lines that differ
#   fails($node, $db, $sql)            # message, with SQLSTATE and hint, of SQL that must fail; '' when it does not

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use File::Basename qw(dirname);
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(versions migrations fill work_with works tables columns snapshot checksums same fails);

# Rows of two workspaces, table by table, in the order of their foreign keys.
my $one = "'11111111-1111-1111-1111-111111111111'";
my $two = "'22222222-2222-2222-2222-222222222222'";
my $ann = "'aaaaaaaa-0000-0000-0000-000000000001'";
my $bob = "'aaaaaaaa-0000-0000-0000-000000000002'";
my $cam = "'aaaaaaaa-0000-0000-0000-000000000003'";
my $topic = "'bbbbbbbb-0000-0000-0000-000000000001'";
my $query = "'cccccccc-0000-0000-0000-000000000001'";
my @rows = (
	workspaces => "(id, slug, name, branding) VALUES ($one, 'one', 'One', '{\"logo_url\": \"a\"}'), ($two, 'two', 'Two', '{}')",
	users => "(id, workspace_id, auth_user_id, email, role, plan, daily_credit_limit, daily_credits_used) VALUES
		($ann, $one, $ann, 'ann\@one.example', 'owner', 'pro', 1000, 7), ($bob, $one, $bob, 'bob\@one.example', 'member', 'pro', 1000, 0),
		($cam, $two, $cam, 'cam\@two.example', 'owner', 'free', 3, 0)",
	global_topics => "(id, topic, category, current_volume) VALUES ($topic, 'machine learning', 'technology', 120),
		(gen_random_uuid(), 'C++ & \"quotes\", \\backslash', 'other', 0)",
	trends => "(topic_id, week_start, volume) VALUES ($topic, '2026-01-05', 100), ($topic, '2026-01-12', 120)",
	queries => "(id, workspace_id, created_by, topic_id, name, filters) VALUES
		($query, $one, $ann, $topic, 'First', '{\"industry\": [\"software\"]}'),
		(gen_random_uuid(), $two, $cam, $topic, 'Other', '{}')",
	saved_searches => "(workspace_id, created_by, name) VALUES ($one, $bob, 'Mine')",
	leads => "(workspace_id, created_by, query_id, company_data, contact_data) VALUES
		($one, $ann, $query, '{\"name\": \"Alpha\", \"domain\": \"alpha.example\"}', '{\"a\": 1}'),
		($one, NULL, NULL, '{\"name\": \"Beta\"}', '{}')",
	credit_usage => "(workspace_id, user_id, created_by, action_type, credits_used, idempotency_key) VALUES ($one, $ann, $ann, 'email_reveal', 7, 'k')",
	export_jobs => "(workspace_id, user_id, status, file_url, completed_at) VALUES ($one, $bob, 'completed', 'file', '2026-01-05')",
	expired_export_files => "(workspace_id, file_url) VALUES ($one, 'old file')",
	# with an e-mail in it, which goes to sealed_contacts
	people_search_results => "(workspace_id, user_id, person_data) VALUES ($one, $bob, '{\"full_name\": \"Dan\", \"email\": \"dan\@alpha.example\"}')",
	saved_people_searches => "(workspace_id, user_id, name) VALUES ($one, $bob, 'People')",
	# with a secret in it, which goes to sealed_secrets
	integrations => "(id, workspace_id, created_by, type, name, config) VALUES
		('dddddddd-0000-0000-0000-000000000001', $one, $ann, 'webhook', 'Hook', '{\"url\": \"https://a.example\", \"token\": \"t\"}')",
	integration_events => "(workspace_id, integration_id, event_data) VALUES ($one, 'dddddddd-0000-0000-0000-000000000001', '{\"a\": 1}')",
	billing_events => "(workspace_id, event_type, stripe_event_id, amount_cents, currency) VALUES ($one, 'payment_succeeded', 'evt_1', 4900, 'usd')",
	invitations => "(workspace_id, created_by, email, role, token_sha256, expires_at) VALUES ($one, $ann, 'eli\@one.example', 'member', sha256('t'), '2036-01-01')",
	workspace_creations => "(workspace, auth_user_id) VALUES ($one, $ann)",
	stripe_customers => "(workspace_id, stripe_customer_id, subscription_status) VALUES ($one, 'cus_1', 'active')",
);

# Values for columns that a later version adds to a table of an earlier one, "table.column" => SQL expression; other than
# the column's default, so that the way down has something to lose.
our %values = (
	'leads.enrichment_next_attempt_at' => "'2026-01-05'",
	'leads.delivery_next_attempt_at' => "'2026-01-05'",
	'integration_events.attempts' => '3',
	'integration_events.lease_until' => "'2026-01-05'",
	'integration_events.next_attempt_at' => "'2026-01-06'",
	'integration_events.last_error' => "'no answer'",
);

sub quoted
{
	my ($name) = @_;
	return '"' . ($name =~ s/"/""/gr) . '"';
}

sub versions
{
	my ($node) = @_;
	# not from pg_available_extension_versions, which does not know Debian's extension_destdir
	return split /\n/, $node->safe_psql('postgres', "SELECT source FROM pg_extension_update_paths('openinfo') GROUP BY source ORDER BY string_to_array(source, '.')::int[]");
}

sub migrations
{
	my ($node, $db, $schema) = @_;
	return $node->safe_psql($db, "SELECT count(*) FROM pg_proc WHERE pronamespace = '" . quoted($schema) . "'::regnamespace AND proname ~ '^migration_\\d+_'");
}

# Names of the tables in the schema.
sub tables
{
	my ($node, $db, $schema) = @_;
	my $text = $node->safe_psql($db,
		"SELECT relname FROM pg_class WHERE relnamespace = '" . quoted($schema) . "'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname COLLATE \"C\"");
	return split /\n/, $text;
}

sub fill
{
	my ($node, $db, $schema, @more) = @_;
	my @rows = (@rows, @more);
	my %there = map { $_ => 1 } tables($node, $db, $schema);
	my $s = quoted($schema);
	my $sql = '';
	for (my $i = 0; $i < @rows; $i += 2)
	{
		my $table = "$s.$rows[$i]";
		$sql .= "SELECT NOT EXISTS (SELECT FROM $table) AS empty \\gset\n\\if :empty\nINSERT INTO $table $rows[$i + 1];\n\\endif\n" if $there{ $rows[$i] };
	}
	my $columns = columns($node, $db, $schema);
	foreach my $name (sort keys %values)
	{
		my ($table, $column) = split /\./, $name;
		$sql .= "UPDATE $s.$table SET $column = $values{$name};\n" if grep { $_ eq $column } @{ $columns->{$table} // [] };
	}
	$node->safe_psql($db, $sql);

	# or else a table that a version brings would go through all these tests empty, and nobody would notice
	my @empty = map { s/ .*//r } grep { / 0 / } split /\n/, checksums($node, $db, $schema);
	die "no rows for table @empty: add some to OpenInfoCatalog.pm" if @empty;
	return;
}

sub snapshot
{
	my ($node, $db) = @_;
	my $text = $node->safe_psql($db, slurp_file(dirname(__FILE__) . '/snapshot.sql'));

	# an empty snapshot would equal another one
	for my $kind (qw(extension member schema relation column constraint index trigger policy routine type))
	{
		die "snapshot of $db shows no $kind" unless $text =~ /^$kind\|/m;
	}
	return $text;
}

sub columns
{
	my ($node, $db, $schema) = @_;
	my %columns;
	foreach (split /\n/, $node->safe_psql($db, "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relnamespace = '" . quoted($schema) . "'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attgenerated = '' ORDER BY c.relname, a.attnum"))
	{
		my ($table, $column) = split /\|/;
		push @{ $columns{$table} }, $column;
	}
	return \%columns;
}

sub checksums
{
	my ($node, $db, $schema, $columns) = @_;
	my $sql = join "\nUNION ALL\n", map {
		my $table = quoted($schema) . '.' . quoted($_);
		my $row = $columns ? 'ROW(' . join(', ', map { 't.' . quoted($_) } @{ $columns->{$_} }) . ')' : 't';
		"SELECT '$_ ' || count(*) || ' ' || coalesce(md5(string_agg($row\::text, chr(10) ORDER BY $row\::text)), '-') FROM $table t"
	} grep { !$columns || $columns->{$_} } tables($node, $db, $schema);
	my $text = $node->safe_psql($db, $sql);
	die "$db has no tables in $schema" if $text eq '';
	return $text;
}

# A whole catalog beside another says nothing: show what only one of them has.
sub same
{
	my ($got, $expected, $name) = @_;
	my %got = map { $_ => 1 } split /\n/, $got;
	my %expected = map { $_ => 1 } split /\n/, $expected;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return if ok($got ne '' && $got eq $expected, $name);
	diag map { "missing:    $_\n" } sort grep { !$got{$_} } keys %expected;
	diag map { "unexpected: $_\n" } sort grep { !$expected{$_} } keys %got;
	return;
}

sub fails
{
	my ($node, $db, $sql) = @_;
	my ($code, $out, $err) = $node->psql($db, "\\set VERBOSITY verbose\n$sql", on_error_stop => 1);
	return $code ? $err : '';
}

# Installs into schema app, and does to it what users do: add, change, drop, grant and revoke.
sub work_with
{
	my ($node, $db) = @_;
	$node->safe_psql($db, q{
	CREATE SCHEMA app;
	CREATE EXTENSION openinfo SCHEMA app;
	CREATE ROLE regress_reader;
	CREATE TABLE public.notes (note text, workspace uuid REFERENCES app.workspaces (id) ON DELETE CASCADE);
	CREATE FUNCTION public.take_note() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN INSERT INTO public.notes VALUES (NEW.company_data ->> 'name', NEW.workspace_id); RETURN NULL; END $$;
	CREATE VIEW public.counted AS SELECT count(*) FROM app.leads WHERE enrichment_status = 'pending';

	ALTER TABLE app.leads ADD COLUMN score int DEFAULT 5 CHECK (score >= 0), DROP COLUMN last_error, SET (fillfactor = 70);
	ALTER TABLE app.leads ADD COLUMN last_error text;
	CREATE INDEX leads_score ON app.leads (score);
	CREATE TRIGGER users_own AFTER INSERT ON app.leads FOR EACH ROW EXECUTE FUNCTION public.take_note();
	CREATE POLICY signed_in ON app.leads AS RESTRICTIVE FOR SELECT TO authenticated USING (auth.uid() IS NOT NULL);
	CREATE POLICY reader ON app.leads FOR SELECT TO regress_reader USING (score > 3);
	DROP POLICY delete_own ON app.export_jobs;
	DROP INDEX app.idx_leads_contact_data;
	ALTER TABLE app.users ENABLE ALWAYS TRIGGER set_updated_at;
	COMMENT ON COLUMN app.leads.score IS 'mine';
	COMMENT ON TABLE app.leads IS 'mine too';

	GRANT USAGE ON SCHEMA app TO regress_reader;
	GRANT SELECT ON app.leads TO regress_reader WITH GRANT OPTION;
	GRANT UPDATE (name) ON app.queries TO regress_reader;
	GRANT EXECUTE ON FUNCTION app.get_user_id() TO regress_reader;
	GRANT USAGE ON TYPE app.user_role TO regress_reader;
	REVOKE SELECT ON app.trends FROM authenticated;
	REVOKE UPDATE (email_new_leads) ON app.notification_preferences FROM authenticated;
	REVOKE INSERT ON app.billing_events FROM service_role;
	REVOKE USAGE ON SCHEMA app FROM service_role;
	REVOKE EXECUTE ON FUNCTION app.leave_workspace() FROM authenticated;
	REVOKE EXECUTE ON FUNCTION auth.role() FROM authenticated;

	CREATE PUBLICATION leads_out FOR TABLE app.leads;
	INSERT INTO app.plans (name, daily_credits) VALUES ('mine', 77);
	UPDATE app.plans SET daily_credits = 4 WHERE name = 'free';
	DELETE FROM app.plans WHERE name = 'starter';
});
	fill($node, $db, 'app');
	return;
}

# Every kind of stamp and seal, tried out and rolled back.
sub works
{
	my ($node, $db, $schema, $form) = @_;
	my $result = $node->safe_psql($db, qq{
		BEGIN;
		SET search_path = "$schema";
		SELECT set_config('request.jwt.claims', '{"sub": "eeeeeeee-0000-0000-0000-000000000001"}', true) \\gset ignored_
		GRANT USAGE ON SCHEMA "$schema" TO authenticated;
		SET ROLE authenticated;
		SELECT create_workspace('three', 'Three', 'eve\@three.example') AS w \\gset
		SELECT add_member(:'w', gen_random_uuid(), 'fay\@three.example') AS fay \\gset
		SELECT 'referral ' || count(*) FROM users WHERE length(referral_code) = 8;
		RESET ROLE;
		SELECT 'preferences ' || count(*) FROM notification_preferences WHERE workspace_id = :'w';
		INSERT INTO trends (topic_id, week_start) SELECT id, '2026-03-02' FROM global_topics LIMIT 1 RETURNING 'week end ' || week_end;
		INSERT INTO queries (workspace_id, topic_id, name, status) SELECT :'w', id, 'Q', 'paused' FROM global_topics LIMIT 1 RETURNING 'author ' || (created_by = get_user_id());
		SELECT updated_at AS was FROM queries WHERE name = 'Q' \\gset
		UPDATE queries SET name = 'R' WHERE name = 'Q' RETURNING 'updated ' || (updated_at > :'was');
		INSERT INTO leads (workspace_id, company_data) VALUES (:'w', '{"name": "Gamma"}');
		INSERT INTO export_jobs (workspace_id, completed_at) VALUES (:'w', '2026-03-01 12:00Z') RETURNING 'expires ' || (expires_at - completed_at);
		INSERT INTO people_search_results (workspace_id, person_data) VALUES (:'w', '{"full_name": "Gus", "email": "gus\@three.example"}') RETURNING 'person ' || person_data::text;
		SELECT 'sealed ' || (sealed ->> 'email') FROM sealed_contacts WHERE workspace_id = :'w';
		INSERT INTO integrations (workspace_id, type, name, config) VALUES (:'w', 'slack', 'S', '{"token": "t"}') RETURNING 'config ' || config::text;
		SELECT 'secret ' || (sealed ->> 'token') FROM sealed_secrets WHERE workspace_id = :'w';
		INSERT INTO credit_usage (workspace_id, user_id, action_type, credits_used) VALUES (:'w', :'fay', 'email_reveal', 1);
		DO \$\$ BEGIN DELETE FROM credit_usage; ASSERT false; EXCEPTION WHEN insufficient_privilege THEN NULL; END \$\$;
		DELETE FROM users WHERE id = :'fay';
		SELECT 'ledger ' || count(*) FROM credit_usage WHERE workspace_id = :'w' AND user_id IS NULL;
		DELETE FROM workspaces WHERE id = :'w';
		SELECT 'left ' || count(*) FROM credit_usage WHERE workspace_id = :'w';
		ROLLBACK;
	});
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($result, join("\n", 'referral 2', 'preferences 2', 'week end 2026-03-08', 'author true', 'updated true', 'expires 7 days',
		'person {"full_name": "Gus"}', 'sealed gus@three.example', 'config {"token": "[REDACTED]"}', 'secret t', 'ledger 1', 'left 0'),
		"$form: everything works afterwards");
	return;
}

1;
