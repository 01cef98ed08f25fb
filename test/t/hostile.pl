# Installing into a database that is not friendly: default privileges that give everything away, a schema that others may
# create in, and functions planted there that look like the extension's own.

use strict;
use warnings FATAL => 'all';
use Test::More;
use OpenInfoTest;
use OpenInfoCatalog;

my $node = new_node('hostile', bare => 1);
my @roles = qw(anon authenticated service_role);
my @versions = versions($node);

sub database
{
	my ($name, $sql) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, "CREATE SCHEMA app; $sql");
	return $name;
}

# What each role may do to each object of ours: effective privileges, whatever the lists of grants look like.
sub privileges
{
	my ($db) = @_;
	return $node->safe_psql($db, q{
		WITH role(name) AS (VALUES ('anon'), ('authenticated'), ('service_role'), ('public')),
		     relation AS (SELECT c.oid, c.relname, c.relkind FROM pg_class c WHERE c.relnamespace = 'app'::regnamespace AND c.relkind IN ('r', 'v', 'S'))
		SELECT 'table', r.relname, p, role.name FROM relation r, role, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p
		 WHERE r.relkind <> 'S' AND has_table_privilege(role.name, r.oid, p)
		UNION ALL
		SELECT 'column', r.relname || '.' || a.attname, p, role.name FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped, role, unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) p
		 WHERE r.relkind <> 'S' AND has_column_privilege(role.name, r.oid, a.attnum, p)
		UNION ALL
		SELECT 'function', p.oid::regprocedure::text, 'EXECUTE', role.name FROM pg_proc p, role WHERE p.pronamespace IN ('app'::regnamespace, 'auth'::regnamespace) AND has_function_privilege(role.name, p.oid, 'EXECUTE')
		UNION ALL
		SELECT 'schema', s, p, role.name FROM unnest('{app,auth}'::text[]) s, role, unnest('{CREATE,USAGE}'::text[]) p WHERE has_schema_privilege(role.name, s, p)
		ORDER BY 1, 2, 3, 4});
}

# What the second has and the first has not, and the other way round.
sub difference
{
	my ($before, $after) = @_;
	my %before = map { $_ => 1 } split /\n/, $before;
	my %after = map { $_ => 1 } split /\n/, $after;
	return join '', sort((map { "+ $_\n" } grep { !$before{$_} } keys %after), (map { "- $_\n" } grep { !$after{$_} } keys %before));
}

# ---------------------------------------------------------------------- default privileges

my $friendly = database('friendly', 'CREATE EXTENSION openinfo SCHEMA app');
my $wanted = privileges($friendly);
unlike($wanted, qr/\|anon$/m, 'anon may do nothing');
unlike($wanted, qr/\|public$/m, 'PUBLIC may do nothing');
like($wanted, qr/^table\|leads\|SELECT\|authenticated$/m, 'there is something to compare');

my $generous = join ';', map { my $what = $_; map { "ALTER DEFAULT PRIVILEGES $_ GRANT ALL ON $what TO PUBLIC, " . join(', ', @roles) } '', 'IN SCHEMA app' } qw(TABLES FUNCTIONS SEQUENCES);
$generous .= '; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, ' . join(', ', @roles);

my $open = database('generous', "$generous; CREATE EXTENSION openinfo SCHEMA app");
is(difference($wanted, privileges($open)), '', 'default privileges that give everything to everybody open nothing');

my $steps = database('steps', "$generous; CREATE EXTENSION openinfo SCHEMA app VERSION '$versions[0]'");
$node->safe_psql($steps, "ALTER EXTENSION openinfo UPDATE TO '$_'") foreach @versions[ 1 .. $#versions ];
is(difference($wanted, privileges($steps)), '', '... nor on the way from the first version to the last');
$node->safe_psql($steps, "ALTER EXTENSION openinfo UPDATE TO '$_'") foreach reverse @versions[ 0 .. $#versions - 1 ];
$node->safe_psql($steps, "ALTER EXTENSION openinfo UPDATE TO '$_'") foreach @versions[ 1 .. $#versions ];
is(difference($wanted, privileges($steps)), '', '... nor on the way down and up again');

# A dump grants, and takes nothing back; so the tables that it makes must start with nothing.
my $dump = $node->basedir . '/friendly.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr($friendly) ], 'a dump');
my $restored = database('restored', 'DROP SCHEMA app; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, ' . join(', ', @roles));
foreach my $options ([], [ '--clean', '--if-exists' ], [ '--clean', '--if-exists', '-j', '2' ])
{
	$node->command_ok([ 'pg_restore', '--exit-on-error', @$options, '-d', $node->connstr($restored), $dump ], "pg_restore @$options");
	is(difference($wanted, privileges($restored)), '', '... where default privileges give everything to everybody, opens nothing');
}

# The default privileges were there, and take effect on what is not ours.
is($node->safe_psql($open, "CREATE TABLE app.other (id int); SELECT has_table_privilege('anon', 'app.other', 'SELECT')"), 't', 'the default privileges do what they say for other tables');

# ---------------------------------------------------------------------- a schema that everybody may create in

my $shared = database('shared', 'GRANT CREATE ON SCHEMA app TO PUBLIC');
my ($code, undef, $stderr) = $node->psql($shared, '\set VERBOSITY verbose' . "\nCREATE EXTENSION openinfo SCHEMA app");
isnt($code, 0, 'a schema in which PUBLIC may create is refused');
like($stderr, qr/ERROR:  42501: schema "app" allows PUBLIC to create objects in it/, '... with the reason');
like($stderr, qr/HINT:  Run REVOKE CREATE ON SCHEMA/, '... and what to do');
is($node->safe_psql($shared, "SELECT count(*) FROM pg_class WHERE relnamespace = 'app'::regnamespace"), '0', '... and nothing is left behind');
$node->safe_psql($shared, 'REVOKE CREATE ON SCHEMA app FROM PUBLIC; CREATE EXTENSION openinfo SCHEMA app');
pass('what the hint says helps');

# ---------------------------------------------------------------------- planted functions

# For each function of ours that takes arguments: one that an untyped literal would prefer, and one that takes only the
# arguments without defaults.  Whoever calls one of them is told.
my @planted = split /\n/, $node->safe_psql($friendly, q{
	WITH f AS (
		SELECT p.proname, p.pronargs, p.pronargdefaults, p.oid::regprocedure::text AS signature,
		       ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY a(t, i) ORDER BY i) AS types
		  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
		  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'openinfo')
	SELECT DISTINCT format('CREATE OR REPLACE FUNCTION app.%I(%s) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION $$captured: %1$s$$; END''', proname, arguments)
	  FROM (SELECT proname, array_to_string(array_fill('text'::text, ARRAY[pronargs]), ', ') AS arguments FROM f WHERE pronargs > 0 AND array_to_string(types, ',') ~ '[^,]' AND types <> array_fill('text'::text, ARRAY[pronargs])
	        UNION ALL
	        SELECT proname, array_to_string(ARRAY(SELECT CASE WHEN t = 'text[]' THEN t ELSE 'text' END FROM unnest(types) t), ', ') FROM f WHERE 'text[]' = ANY (types) AND types <> ARRAY['text[]']
	        UNION ALL
	        SELECT proname, array_to_string(types[:pronargs - pronargdefaults], ', ') FROM f WHERE pronargdefaults > 0 AND NOT types::text ~ 'app\.') p});
cmp_ok(scalar(@planted), '>', 20, 'there are functions to plant');
my $planted_db = database('planted', join(";\n", @planted) . ';');
is($node->safe_psql($planted_db, "SELECT count(*) FROM pg_proc WHERE pronamespace = 'app'::regnamespace"), scalar(@planted), 'they are there before the extension is');

($code, undef, $stderr) = $node->psql($planted_db, 'CREATE EXTENSION openinfo SCHEMA app');
unlike($stderr, qr/ERROR/, 'the installation calls none of them');
is($code, 0, '... and succeeds');
is($node->safe_psql($planted_db, q{
	SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid
	 WHERE p.pronamespace = 'app'::regnamespace AND p.prosrc LIKE '%captured%'}), '', 'no policy, default, trigger or index uses one');

foreach my $version (reverse(@versions[ 0 .. $#versions - 1 ]), @versions[ 1 .. $#versions ])
{
	($code, undef, $stderr) = $node->psql($planted_db, "ALTER EXTENSION openinfo UPDATE TO '$version'");
	unlike($stderr, qr/ERROR/, "nor does the step to $version");
}

# What the functions do, they do among themselves too.
is($node->safe_psql($planted_db, q{
	SET request.jwt.claims = '{"sub": "4057011e-0000-4000-8000-0000000000f1"}';
	SET ROLE authenticated;
	SELECT app.create_workspace('hostile', 'H', 'h@x.example', 'H') IS NOT NULL;
	SELECT app.add_member(app.get_user_workspace_id(), '4057011e-0000-4000-8000-0000000000f2'::uuid, 'i@x.example'::text, 'member'::app.user_role) IS NOT NULL;
	UPDATE app.workspaces SET name = 'I';
	INSERT INTO app.people_search_results (person_data) VALUES ('{"full_name": "P", "email": "p@x.example"}');
	INSERT INTO app.integrations (type, name, config) VALUES ('slack', 'S', '{"token": "t"}');
	INSERT INTO app.leads (company_data) VALUES ('{"name": "L"}');
	SELECT count(*) FROM app.users;
	RESET ROLE;
	INSERT INTO app.global_topics (topic) VALUES ('hostile');
	INSERT INTO app.queries (workspace_id, topic_id) SELECT w.id, t.id FROM app.workspaces w, app.global_topics t;
	SELECT name FROM app.queries}), "t\nt\n2\nhostile", 'what the functions and triggers call is theirs');

done_testing();
