# Every version installs alone, step by step over data, and down and up again, and each way gives the same catalog.

use strict;
use warnings FATAL => 'all';
use Test::More;
use OpenInfoTest;
use OpenInfoCatalog;

my $node = new_node('versions', bare => 1);
my @versions = versions($node);
my ($first, $last, $previous) = @versions[ 0, -1, -2 ];
my $db;

# A fresh database with schema app and whatever else is asked for; the current one from then on.
sub database
{
	my ($name, $sql) = @_;
	$db = $name;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($db, 'CREATE SCHEMA app;' . ($sql // ''));
	return;
}

sub sql { return $node->safe_psql($db, $_[0]); }

sub version { return sql("SELECT extversion FROM pg_extension WHERE extname = 'openinfo'"); }

# Lines of a snapshot in which the user's own is a member, or has initial privileges; there should be none.
sub users_own
{
	my ($text) = @_;
	return join "\n", $text =~ /^(?:member\|.|initial privileges)\|(?:table|schema).*|^member\|.*\bauth\.(?:uid|jwt|role)\(.*/mg;
}

# ---------------------------------------------------------------------- each version alone

my %alone;
foreach my $version (@versions)
{
	database('alone_' . $version =~ s/\W/_/gr, "CREATE EXTENSION openinfo SCHEMA app VERSION '$version'");
	is(version(), $version, "$version installs alone");
	$alone{$version} = snapshot($node, $db);

	# the schema's and the tables' grants are the user's: pg_dump leaves out what is an initial privilege
	is(users_own($alone{$version}), '', "$version: no table and no schema is a member, or has initial privileges");
	is(sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r' AND relowner <> 'openinfo_owner'::regrole"), '0',
		"$version: the tables belong to openinfo_owner");
}
my $migrations = migrations($node, $db, 'app');
is(sql("SELECT count(DISTINCT name) FROM app.schema_migrations"), $migrations, 'all migrations are listed');
cmp_ok($migrations, '>=', 6, 'which are six or more');

# ---------------------------------------------------------------------- paths

is(join(',', map { s/.*openinfo--(.*)\.sql/$1/r } sort grep { !/--.*--/ } glob 'sql/*.sql'), $first, 'there is one base script');
is(sql("SELECT count(DISTINCT source) FROM pg_extension_update_paths('openinfo')"), scalar @versions, 'every version is on a path');
foreach (split /\n/, sql("SELECT source || ' ' || target || ' ' || coalesce(path, 'none') FROM pg_extension_update_paths('openinfo')"))
{
	my ($source, $target, $path) = split / /;
	my ($from, $to) = map { my $v = $_; grep { $versions[$_] eq $v } 0 .. $#versions } $source, $target;
	my @way = $from < $to ? @versions[ $from .. $to ] : reverse @versions[ $to .. $from ];
	is($path, join('--', @way), "from $source to $target by each step between, never there and back");
}

# ---------------------------------------------------------------------- step by step, with data

database('steps', "CREATE EXTENSION openinfo SCHEMA app VERSION '$first'");
my ($before, $version_before, %columns_of);
foreach my $version (@versions)
{
	sql("ALTER EXTENSION openinfo UPDATE TO '$version'") unless $version eq $first;
	same(snapshot($node, $db), $alone{$version}, "$version step by step is $version alone");
	# in the tables and columns that were there before
	is(checksums($node, $db, 'app', $columns_of{$version_before}), $before, "$version leaves every row as it was") if $version_before;
	fill($node, $db, 'app');
	$columns_of{$version} = columns($node, $db, 'app');
	delete $columns_of{$version}{schema_migrations};
	$before = checksums($node, $db, 'app', $columns_of{$version});
	$version_before = $version;
}

# ---------------------------------------------------------------------- down: nothing is lost unless it is said

# Other values than the default for a column that goes, so that there is something to lose; where a type has none here,
# %values of OpenInfoCatalog.pm has them.
sub give_values
{
	my ($table, $column) = @_;
	my $value = sql(qq{
		SELECT CASE WHEN t.typtype = 'e' THEN (SELECT format('CASE %I WHEN %L THEN %L ELSE %2\$L END::%4\$s', attname, max(enumlabel), min(enumlabel), t.oid::regtype)
												 FROM pg_enum WHERE enumtypid = t.oid)
					WHEN t.typcategory = 'N' THEN format('coalesce(%I, 0) + 1', attname)
					WHEN t.typcategory = 'S' THEN format('concat(%I, 1)', attname)
					WHEN t.typcategory = 'B' THEN format('%I IS NOT TRUE', attname)
					WHEN t.typcategory = 'D' THEN quote_literal('2026-01-05') END
		  FROM pg_attribute JOIN pg_type t ON t.oid = atttypid WHERE attrelid = 'app.$table'::regclass AND attname = '$column'});
	sql("ALTER TABLE app.$table DISABLE TRIGGER USER; UPDATE app.$table SET $column = $value; ALTER TABLE app.$table ENABLE TRIGGER USER") if $value;
	return;
}

sub refused_step
{
	my ($version) = @_;
	my ($catalog, $rows) = (snapshot($node, $db), checksums($node, $db, 'app'));
	my $error = fails($node, $db, "ALTER EXTENSION openinfo UPDATE TO '$version'");
	return if $error eq '';
	my ($state, $count, $column, $table) = $error =~ /ERROR:  (\w+): downgrade would delete (\d+) (?:rows?|values? from column "(\w+)" of) (?:from )?table "(\w+)"/ or die $error;
	is($state, '55000', "down to $version is refused over " . join '.', grep { defined } $table, $column);
	like($error, qr/HINT: .*openinfo\.allow_data_loss/, 'with a hint');
	is($count, ($rows =~ /^$table (\d+)/m)[0], 'and the number of rows');
	same(snapshot($node, $db), $catalog, 'the catalog is as before');
	same(checksums($node, $db, 'app'), $rows, 'so are the rows');
	return ($table, $column);
}

sql("UPDATE app.notification_preferences SET slack_daily_digest = true");
sql("DELETE FROM app.visible_fields; INSERT INTO app.visible_fields (object, field) VALUES ('person', 'shoe size')");
foreach my $version (reverse @versions[ 0 .. $#versions - 1 ])
{
	my $from = version();
	my @goes;
	foreach my $table (keys %{ $columns_of{$from} })
	{
		my %stays = map { $_ => 1 } @{ $columns_of{$version}{$table} // [] };
		push @goes, %stays ? map { "$table.$_" } grep { !$stays{$_} } @{ $columns_of{$from}{$table} } : $table;
	}
	give_values(split /\./) foreach grep { /\./ } @goes;
	my %refused;
	while (my ($table, $column) = refused_step($version))
	{
		$refused{ $column ? "$table.$column" : $table } = 1;
		# the ledger is append-only
		sql("ALTER TABLE app.$table DISABLE TRIGGER USER; " . ($column ? "UPDATE app.$table SET $column = DEFAULT; ALTER TABLE app.$table ENABLE TRIGGER USER" : "DELETE FROM app.$table"));
	}
	is(join(' ', sort keys %refused), join(' ', sort @goes), "$from to $version: each table and column that goes is defended (values for new columns: %values in OpenInfoCatalog.pm)");
	is(version(), $version, "down to $version once they are empty");
	same(snapshot($node, $db), $alone{$version}, "$version after the step down is $version alone");
}
foreach my $version (@versions[ 1 .. $#versions ])
{
	sql("ALTER EXTENSION openinfo UPDATE TO '$version'");
	same(snapshot($node, $db), $alone{$version}, "$version down and up again is $version alone");
}

# Preferences that nobody changed are made again on the way up, and are nothing to lose; a value of the user's own is.
is(sql("SELECT count(*) = (SELECT count(*) FROM app.users) AND count(*) > 0 FROM app.notification_preferences"), 't', 'preferences are there again');
sql("ALTER TABLE app.notification_preferences ADD COLUMN theme text");
sql("UPDATE app.notification_preferences SET theme = 'dark' WHERE user_id = (SELECT min(user_id::text)::uuid FROM app.notification_preferences)");
like(fails($node, $db, "ALTER EXTENSION openinfo UPDATE TO '0.5.0'"), qr/55000: .*delete 1 row from table "notification_preferences"/, 'a value in a column of the user\'s own counts');
sql("UPDATE app.notification_preferences SET theme = NULL");
sql("ALTER EXTENSION openinfo UPDATE TO '0.5.0'");
is(version(), '0.5.0', 'unchanged preferences do not count');

# Down over everything, when that is what is wanted: what older versions know stays.
sql("ALTER EXTENSION openinfo UPDATE");
fill($node, $db, 'app');
my $kept = sub { return checksums($node, $db, 'app', $columns_of{$first}) };
$before = $kept->();
sql("SET openinfo.allow_data_loss = on; ALTER EXTENSION openinfo UPDATE TO '0.1.0'");
same(snapshot($node, $db), $alone{'0.1.0'}, 'with allow_data_loss down to 0.1.0 at once');
is($kept->(), $before, 'and the rows of its tables are as before');
sql("ALTER EXTENSION openinfo UPDATE");
same(snapshot($node, $db), $alone{$last}, 'and up again at once');

# Rows that somebody added after the transaction's snapshot was taken cannot be counted in it.
fill($node, $db, 'app');
like(fails($node, $db, "BEGIN ISOLATION LEVEL REPEATABLE READ; ALTER EXTENSION openinfo UPDATE TO '0.5.0'"), qr/55000: .*HINT: .*READ COMMITTED/s, 'a step down must see every row');

# A step leaves the session as it found it; else the way up would take itself for a restore.
database('both_ways', "CREATE EXTENSION openinfo SCHEMA app");
is(sql(q{
	SET search_path = app; SET row_security = on;
	BEGIN;
	ALTER EXTENSION openinfo UPDATE TO '0.1.0';
	SELECT current_setting('row_security') || ' ' || current_setting('search_path');
	ALTER EXTENSION openinfo UPDATE;
	SELECT current_setting('row_security') || ' ' || current_setting('search_path');
	COMMIT;
	SELECT count(*) FROM schema_migrations;}), "on app\non app\n$migrations", 'down and up in one transaction');
same(snapshot($node, $db), $alone{$last}, 'gives the same catalog');

# ---------------------------------------------------------------------- what the user did stays

database('revoked', "CREATE EXTENSION openinfo SCHEMA app VERSION '0.1.0'");
sql(q{
	CREATE ROLE regress_reader;
	REVOKE SELECT ON app.workspaces FROM authenticated;
	REVOKE UPDATE (name) ON app.workspaces FROM authenticated;
	REVOKE DELETE ON app.users FROM service_role;
	REVOKE USAGE ON SCHEMA app FROM authenticated;
	REVOKE EXECUTE ON FUNCTION app.get_user_id() FROM authenticated;
	REVOKE USAGE ON TYPE app.user_role FROM PUBLIC;
	GRANT SELECT ON app.users TO regress_reader;
	GRANT USAGE ON SCHEMA app TO regress_reader;
	GRANT EXECUTE ON FUNCTION app.leave_workspace() TO regress_reader;
	CREATE POLICY mine ON app.users AS RESTRICTIVE TO authenticated USING (email <> 'x');
	DROP POLICY change_own_row ON app.users;
	ALTER TABLE app.users ADD COLUMN nickname text;
	UPDATE app.plans SET daily_credits = 4 WHERE name = 'free';
	DELETE FROM app.plans WHERE name = 'enterprise';
	INSERT INTO app.workspaces (slug, name) VALUES ('w', 'W');});
my @user = grep { /\|app\.(users|workspaces|plans)\b|\bapp\.(get_user_id|leave_workspace)\(|^schema\||\bapp\.user_role\b/ && !/stamp_|zz_|^routine/ } split /\n/, snapshot($node, $db);
$before = $kept->();
sql("ALTER EXTENSION openinfo UPDATE");
my %now = map { $_ => 1 } split /\n/, snapshot($node, $db);
is(join("\n", grep { !$now{$_} } @user), '', 'an update takes back nothing that the user granted, revoked, added or dropped');
ok(@user > 50, 'and there was something to take back');
is($kept->(), $before, 'nor does it touch a plan that the user changed');

# Whoever runs the update: tables belong to openinfo_owner, and one that belongs to another role stops it.
database('other_owner', "CREATE EXTENSION openinfo SCHEMA app VERSION '0.4.0'; CREATE ROLE regress_other SUPERUSER; CREATE ROLE regress_owner SUPERUSER");
sql("SET ROLE regress_other; ALTER EXTENSION openinfo UPDATE TO '0.5.0'");
is(sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r' AND relowner <> 'openinfo_owner'::regrole"), '0', 'tables of an update by another superuser');
sql("ALTER TABLE app.leads OWNER TO regress_owner");
like(fails($node, $db, 'ALTER EXTENSION openinfo UPDATE'), qr/ERROR:  55000: table "leads" is not owned by role openinfo_owner.*HINT: .*ALTER TABLE app\.leads OWNER TO openinfo_owner/s, 'a table with another owner stops an update');
sql('ALTER TABLE app.leads OWNER TO openinfo_owner; ALTER EXTENSION openinfo UPDATE');

# ---------------------------------------------------------------------- what an update makes of rows

# Events that 1.0.0 has sent are not sent again; the table is not rewritten; and nothing of that is lost on the way back.
database('events', "CREATE EXTENSION openinfo SCHEMA app VERSION '1.0.0'");
fill($node, $db, 'app');
sql(q{INSERT INTO app.integration_events (workspace_id, integration_id, event_data, sent_at)
	SELECT workspace_id, id, '{"sent": true}', now() FROM app.integrations;
	CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN ASSERT NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user); RETURN NEW; END $$;
	CREATE TRIGGER users_own BEFORE UPDATE ON app.integration_events FOR EACH ROW EXECUTE FUNCTION public.refuse()});
my $files = q{SELECT relname, pg_relation_filenode(oid) FROM pg_class WHERE oid IN ('app.integration_events'::regclass, 'app.leads'::regclass) ORDER BY 1};
my $were = sql($files);
sql("ALTER EXTENSION openinfo UPDATE TO '1.1.0'");
is(sql($files), $were, 'an update to 1.1.0 rewrites neither events nor leads');
is(sql("SELECT sent_at IS NOT NULL, status FROM app.integration_events ORDER BY 1"), "f|pending\nt|delivered", 'what 1.0.0 has sent is delivered');
is(sql("BEGIN; SELECT count(*), count(*) FILTER (WHERE event_data ? 'sent') FROM app.get_integration_events_pending(); ROLLBACK"), '1|0', 'and not sent again');
sql("INSERT INTO app.integration_events (workspace_id, integration_id, event_data) SELECT workspace_id, id, '{}' FROM app.integrations");
sql("ALTER EXTENSION openinfo UPDATE TO '1.0.0'; ALTER EXTENSION openinfo UPDATE TO '1.1.0'");
is(sql("SELECT status, count(*) FROM app.integration_events GROUP BY 1 ORDER BY 1"), "pending|2\ndelivered|1", 'down and up again they are what they were');

# Where many have not been sent, they are left alone, and what to do later is said.
database('many_events', "CREATE EXTENSION openinfo SCHEMA app VERSION '1.0.0'");
fill($node, $db, 'app');
sql(q{INSERT INTO app.integration_events (workspace_id, integration_id, event_data, sent_at)
	SELECT workspace_id, id, '{}', CASE n WHEN 1 THEN now() END FROM app.integrations, generate_series(1, 10002) n});
my (undef, undef, $notice) = $node->psql($db, "ALTER EXTENSION openinfo UPDATE TO '1.1.0'");
my ($statement) = $notice =~ /run: (UPDATE .*?)\.$/m or die $notice;
is(sql("SELECT status, count(*), count(sent_at) FROM app.integration_events GROUP BY 1"), 'pending|10003|1', 'of more than 10,000 events that are not sent the status is not written');
is(sql("BEGIN; UPDATE app.integration_events SET created_at = 'epoch' WHERE sent_at IS NOT NULL; SELECT count(*) FROM app.get_integration_events_pending(1000) JOIN app.integration_events USING (id) WHERE sent_at IS NOT NULL; ROLLBACK"), '0', 'what has been sent is not sent again');
sql($statement);
is(sql("SELECT status, count(*), count(sent_at) FROM app.integration_events GROUP BY 1 ORDER BY 1"), "pending|10002|0\ndelivered|1|1", 'the statement in the hint corrects it');

# ---------------------------------------------------------------------- where it installs

database('schemas', "CREATE SCHEMA open; GRANT CREATE ON SCHEMA open TO PUBLIC");
like(fails($node, $db, "CREATE EXTENSION openinfo SCHEMA open"), qr/ERROR:  42501: .*HINT: .*REVOKE CREATE/s, 'a schema in which PUBLIC may create is refused');
is(sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'open'::regnamespace"), '0', 'and nothing is left there');
sql(qq{CREATE SCHEMA "My 50% App, v2"; SET search_path = "My 50% App, v2", app; CREATE EXTENSION openinfo VERSION '0.1.0'; ALTER EXTENSION openinfo UPDATE});
fill($node, $db, 'My 50% App, v2');
is(sql("SELECT extnamespace::regnamespace FROM pg_extension WHERE extname = 'openinfo'"), '"My 50% App, v2"', 'without a name it goes into the first schema of the search_path, whatever its name');

my $use = sub {
	my ($schema, $slug) = @_;
	return qq{SELECT set_config('request.jwt.claims', format('{"sub": "%s"}', md5('$slug')::uuid), false) IS NULL;
		SELECT "$schema".create_workspace('$slug', 'W', '$slug\@a.example') IS NULL;
		SELECT "$schema".user_has_role('owner');
		SELECT "$schema".add_member("$schema".get_user_workspace_id(), gen_random_uuid(), 'b$slug\@a.example', 'admin') IS NOT NULL;
		SELECT count(*) FROM "$schema".notification_preferences WHERE workspace_id = "$schema".get_user_workspace_id();\n};
};
is(sql($use->('My 50% App, v2', 'odd')), join("\n", qw(f f t t 2)), 'and its functions work there');

# What a session remembers of one installation must not outlive it.
database('again', 'CREATE SCHEMA b; CREATE SCHEMA c; GRANT USAGE ON SCHEMA b, c TO authenticated, service_role');
is(sql("BEGIN; CREATE EXTENSION openinfo SCHEMA app;" . $use->('app', 'one') . "ROLLBACK;
	SELECT count(*) FROM pg_class WHERE relnamespace = 'app'::regnamespace;
	SELECT to_regnamespace('auth') IS NULL;
	CREATE EXTENSION openinfo SCHEMA b;" . $use->('b', 'two') . "
	SET openinfo.allow_drop = on; SET client_min_messages = error;
	DROP EXTENSION openinfo CASCADE; DROP SCHEMA b CASCADE; RESET client_min_messages;
	CREATE EXTENSION openinfo SCHEMA c;" . $use->('c', 'three')), join("\n", qw(f f t t 2  0 t  f f t t 2  f f t t 2)), 'rolled back, made elsewhere, dropped and made elsewhere again, in one session');
# Nothing is granted on the new schema while a dump is restored, and the tables of the old one may still be there.
sql('CREATE SCHEMA d');
is(sql($use->('c', 'four') . q{SET openinfo.allow_drop = on; SET client_min_messages = error; DROP EXTENSION openinfo CASCADE; RESET client_min_messages;
	SET openinfo.install_tables = off; CREATE EXTENSION openinfo SCHEMA d; RESET openinfo.install_tables;
	DO $$ BEGIN PERFORM d.get_user_id(); RAISE 'found a table'; EXCEPTION WHEN object_not_in_prerequisite_state THEN
		ASSERT SQLERRM ~ '^table "users"', SQLERRM; END $$;
	SELECT count(*) FROM d.apply_migrations();} . $use->('d', 'five')), join("\n", qw(f f t t 2), $migrations, qw(f f t t 2)), 'also before there are tables in the new schema');

# ---------------------------------------------------------------------- DROP EXTENSION

database('dropped', "CREATE EXTENSION openinfo SCHEMA app");
fill($node, $db, 'app');
my ($catalog, $rows) = (snapshot($node, $db), checksums($node, $db, 'app'));
like(fails($node, $db, "DROP EXTENSION openinfo"), qr/ERROR:  2BP01: .*depends on/s, 'DROP EXTENSION is refused: the tables depend on it');
like(fails($node, $db, "DROP SCHEMA app"), qr/ERROR:  2BP01: /, 'so is DROP SCHEMA');
same(snapshot($node, $db), $catalog, 'and the catalog is as before');
same(checksums($node, $db, 'app'), $rows, 'and so are the rows');

# ---------------------------------------------------------------------- the auth functions

$node->safe_psql('alone_' . $last =~ s/\W/_/gr, q{SET request.jwt.claims = '{"sub": "eeeeeeee-0000-0000-0000-000000000001", "role": "authenticated"}'; SET ROLE authenticated;
	DO $$ BEGIN ASSERT auth.uid() = 'eeeeeeee-0000-0000-0000-000000000001' AND auth.role() = 'authenticated' AND auth.jwt() ->> 'role' = 'authenticated'; END $$});
is(join(' ', $alone{$last} =~ /^routine\|auth\.(\w+)/mg), 'jwt role uid', 'all three auth functions are made');

foreach my $existing (qw(uid jwt role))
{
	my %type = (uid => 'uuid', jwt => 'jsonb', role => 'text');
	database("auth_$existing", "CREATE SCHEMA auth; CREATE FUNCTION auth.$existing() RETURNS $type{$existing} LANGUAGE sql AS 'SELECT NULL::$type{$existing}'; GRANT USAGE ON SCHEMA auth TO PUBLIC");
	my $mine = $node->safe_psql($db, "SELECT pg_get_functiondef('auth.$existing()'::regprocedure), proacl FROM pg_proc WHERE oid = 'auth.$existing()'::regprocedure");
	my $schema = $node->safe_psql($db, "SELECT nspacl, nspowner FROM pg_namespace WHERE nspname = 'auth'");
	sql("CREATE EXTENSION openinfo SCHEMA app");
	is($node->safe_psql($db, "SELECT pg_get_functiondef('auth.$existing()'::regprocedure), proacl FROM pg_proc WHERE oid = 'auth.$existing()'::regprocedure"), $mine, "an auth.$existing() of the user's is left alone");
	is($node->safe_psql($db, "SELECT nspacl, nspowner FROM pg_namespace WHERE nspname = 'auth'"), $schema, 'and so is the schema');
	is(sql("SELECT count(*) FROM pg_proc WHERE pronamespace = 'auth'::regnamespace"), '3', 'the other two are made');
	is(sql("SELECT count(*) FROM pg_depend d, pg_identify_object(d.classid, d.objid, 0) i WHERE d.deptype = 'e' AND (i.schema = 'auth' OR i.name = 'auth')"), '0', 'none is a member');
}

# The extension itself may live in a schema of that name.
database('auth_schema', 'CREATE SCHEMA auth; CREATE EXTENSION openinfo SCHEMA auth');
is(users_own(snapshot($node, $db)), '', 'in a schema "auth" too, tables and auth functions are no members');

$node->stop;
done_testing();
