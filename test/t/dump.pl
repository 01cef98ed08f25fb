# A dump holds every row and everything that the user did to the tables, in whatever form it is written and restored.

use strict;
use warnings FATAL => 'all';
use PostgreSQL::Test::Utils;
use Test::More;
use OpenInfoTest;
use OpenInfoCatalog;

my $node = new_node('dump', bare => 1);
my $dir = PostgreSQL::Test::Utils::tempdir;
my @stop = qw(psql -XqAt -v ON_ERROR_STOP=1 -o /dev/null);

sub sql { return $node->safe_psql(@_); }
sub create { sql('postgres', "CREATE DATABASE $_") for @_; return; }

# What a second dump must repeat.  Newer pg_dumps write a random key into plain dumps.
sub dump_text
{
	my ($db, @options) = @_;
	my ($out) = run_command([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-d', $db, @options ]);
	return join "\n", grep { !/^\\(un)?restrict / } split /\n/, $out;
}

# ---------------------------------------------------------------------- a database that somebody has worked with

create('source');
work_with($node, 'source');
my $catalog = snapshot($node, 'source');
my $rows = checksums($node, 'source', 'app') . checksums($node, 'source', 'public');
my $dump = dump_text('source');

is(join(' ', sort $dump =~ /CREATE (?:FUNCTION|TYPE) app\.(.*) RETURNS/g), 'lead_domain(app.leads) person_company(app.people_search_results) '
	. 'person_name(app.people_search_results) person_seniority(app.people_search_results)', 'functions and types come with the extension, but the computed fields');
like($dump, qr/CREATE TABLE app\.leads/, 'tables come with the dump');
like($dump, qr/CREATE FUNCTION auth\.uid\(\)/, 'so do the auth functions');

# ---------------------------------------------------------------------- every form

my $clean = [ '--clean', '--if-exists' ];
my @forms = (
	# name, options of pg_dump, how to restore (the file is last but for pg_restore's own -d)
	[ 'plain', [], [ @stop, '-f' ] ],
	[ 'plain, one transaction', [], [ @stop, '-1', '-f' ] ],
	[ 'inserts', ['--inserts'], [ @stop, '-1', '-f' ] ],
	[ 'custom', ['-Fc'], [ 'pg_restore', '--exit-on-error' ] ],
	[ 'custom, one transaction', ['-Fc'], [ 'pg_restore', '-1' ] ],
	[ 'directory, four jobs', [ '-Fd', '-j4' ], [ 'pg_restore', '-j4', '--exit-on-error' ] ],
	[ 'clean', $clean, [ @stop, '-f' ] ],
	[ 'schema, then data', [], undef ],
	[ 'row security on', ['--enable-row-security'], [ @stop, '-f' ], 'install_tables' ],
	[ 'row security on, custom', [ '-Fc', '--enable-row-security' ], [ 'pg_restore', '--enable-row-security', '--exit-on-error' ], 'install_tables' ],
);

sub restore_into
{
	my ($db, $file, $restore) = @_;
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	return $restore->[0] eq 'pg_restore' ? run_log([ @$restore, '-d', $db, $file ]) : run_log([ @$restore, $file, '-d', $db ]);
}

sub same_as_source
{
	my ($db, $form) = @_;
	same(snapshot($node, $db), $catalog, "$form: the same catalog");
	is(checksums($node, $db, 'app') . checksums($node, $db, 'public'), $rows, "$form: the same rows");
	same(dump_text($db), $dump, "$form: a second dump is the first");
	works($node, $db, 'app', $form);
	return;
}

my $n = 0;
foreach my $form (@forms)
{
	my ($name, $options, $restore, $install_tables) = @$form;
	my ($db, $file) = ('restored_' . ++$n, "$dir/$n");
	create($db);
	local $ENV{PGOPTIONS} = $install_tables ? '-c openinfo.install_tables=off' : '';
	if ($restore)
	{
		$node->command_ok([ 'pg_dump', '-d', 'source', '-f', $file, @$options ], "$name: dumped");
		ok(restore_into($db, $file, $restore), "$name: restored without an error");
	}
	else
	{
		# the triggers are there already; --disable-triggers would do too, but for those that are set to fire ALWAYS
		$ENV{PGOPTIONS} = '-c session_replication_role=replica';
		foreach my $part ('--schema-only', '--data-only')
		{
			$node->command_ok([ 'pg_dump', '-d', 'source', '-f', "$file$part", $part ], "$name: dumped");
			ok(restore_into($db, "$file$part", [ @stop, '-f' ]), "$name: restored without an error");
		}
	}
	$ENV{PGOPTIONS} = '';
	same_as_source($db, $name);
}

# Over what is there already: the same database after more work, and a newly installed extension.
sql('restored_1', q{
	ALTER TABLE app.credit_usage DISABLE TRIGGER USER; DELETE FROM app.workspaces WHERE slug = 'two';
	ALTER TABLE app.leads DROP COLUMN score CASCADE; UPDATE app.plans SET daily_credits = 5; DROP POLICY read_all ON app.plans});
create('installed');
sql('installed', 'CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app');
$node->command_ok([ 'pg_dump', '-d', 'source', '-Fc', '-f', "$dir/custom" ], 'dumped');
foreach my $db ('restored_1', 'installed')
{
	ok(restore_into($db, "$dir/custom", [ 'pg_restore', @$clean, '-1' ]), "clean over $db: restored without an error");
	same_as_source($db, "clean over $db");
}

# Into a server that has none of the three roles.
my $other = new_node('other', bare => 1);
$other->safe_psql('postgres', 'CREATE ROLE regress_reader');
$other->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'app', "$dir/custom" ], 'restored on another server');
same(snapshot($other, 'app'), $catalog, 'the roles were made before they were needed');
$other->stop;

# ---------------------------------------------------------------------- other schemas

foreach my $schema ('public', 'My 50% App, v2')
{
	my ($from, $to) = $schema eq 'public' ? qw(from_public to_public) : qw(from_odd to_odd);
	create($from, $to);
	sql($from, $schema eq 'public' ? 'CREATE EXTENSION openinfo' : qq{CREATE SCHEMA "$schema"; SET search_path = "$schema"; CREATE EXTENSION openinfo});
	sql($from, qq{
		GRANT USAGE ON SCHEMA "$schema" TO regress_reader;
		REVOKE USAGE ON SCHEMA "$schema" FROM service_role;
		GRANT SELECT ON "$schema".leads TO regress_reader;
		REVOKE SELECT ON "$schema".trends FROM authenticated});
	fill($node, $from, $schema);
	$node->command_ok([ 'pg_dump', '-d', $from, '-f', "$dir/$from" ], "$schema: dumped");
	ok(restore_into($to, "$dir/$from", [ @stop, '-1', '-f' ]), "$schema: restored without an error");
	same(snapshot($node, $to), snapshot($node, $from), "$schema: the same catalog");
	is(checksums($node, $to, $schema), checksums($node, $from, $schema), "$schema: the same rows");
	same(dump_text($to), dump_text($from), "$schema: a second dump is the first");
	works($node, $to, $schema, $schema);
}

# One schema alone: -n leaves extensions out unless -e names them.
create('one_schema');
sql('from_odd', qq{CREATE POLICY signed_in ON "My 50% App, v2".leads AS RESTRICTIVE TO authenticated USING (auth.uid() IS NOT NULL)});
$node->command_ok([ 'pg_dump', '-d', 'from_odd', '-n', '"My 50% App, v2"', '-n', 'auth', '-e', 'openinfo', '-f', "$dir/one" ], 'one schema: dumped');
ok(restore_into('one_schema', "$dir/one", [ @stop, '-f' ]), 'one schema: restored without an error');
same(snapshot($node, 'one_schema'), snapshot($node, 'from_odd'), 'one schema: the same catalog');
is(checksums($node, 'one_schema', 'My 50% App, v2'), checksums($node, 'from_odd', 'My 50% App, v2'), 'one schema: the same rows');
works($node, 'one_schema', 'My 50% App, v2', 'one schema');

# ---------------------------------------------------------------------- an older version's dump

create('new');
sql('new', 'CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app');
my @versions = versions($node);
foreach my $version ('0.4.0', grep { /^1\./ && $_ ne $versions[-1] } @versions)
{
	my ($old, $newer) = map { $_ . $version =~ s/\W/_/gr } 'old', 'newer';
	create($old, $newer);
	sql($old, "CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app VERSION '$version'");
	fill($node, $old, 'app');
	$node->command_ok([ 'pg_dump', '-d', $old, '-f', "$dir/$old" ], "$version: dumped");
	ok(restore_into($newer, "$dir/$old", [ @stop, '-f' ]), "$version: restored under the newest version");
	is(sql($newer, "SELECT extversion FROM pg_extension WHERE extname = 'openinfo'"), $versions[-1], 'the functions are those of the newest');
	is(checksums($node, $newer, 'app'), checksums($node, $old, 'app'), 'the rows are those of the dump');
	works($node, $newer, 'app', "$version, with its tables") if $version =~ /^1\./;
	my ($applied) = sql($newer, 'SELECT min(name) FROM (SELECT m AS name FROM app.apply_migrations() m) a') =~ /^(\d+)/;
	cmp_ok($applied, '>', sql($old, 'SELECT max(version) FROM app.schema_migrations'), 'apply_migrations() creates what is missing');
	is(sql($newer, 'SELECT count(*) FROM app.schema_migrations'), migrations($node, $newer, 'app'), 'all of it');
	is(sql($newer, 'SELECT app.apply_migrations()'), '', 'once');
	same(snapshot($node, $newer), snapshot($node, 'new'), 'and the catalog is that of a new installation');
	is(sql($newer, 'SELECT (SELECT count(*) FROM app.users) = count(*) FROM app.notification_preferences'), 't', 'with preferences for every member');
	fill($node, $newer, 'app');
	works($node, $newer, 'app', $version);
}

# The same session that restored still has row security off; it is told what to do.
my ($code, $out, $err) = $node->psql('newer0_4_0', 'SET row_security = off; SELECT app.apply_migrations()');
like($err, qr/NOTICE: .*dump.*HINT: .*SET row_security = on;.*SELECT app\.apply_migrations\(\)/s, 'in a restore apply_migrations() says why it does nothing');

$node->stop;
done_testing();
