# Objects that somebody else has planted under our names: nothing of theirs runs as a superuser or as service_role through
# install, update, jobs or calls of our functions.
#
#	attacker	a role without rights of its own: owner of the database, owner of the schema, or with CREATE on it
#	double		an object of the attacker's that has the name of one that our scripts or functions use
#
# Every double writes "double ran as ROLE (superuser: t|f)" to the server's log, which no rollback takes back.
use strict;
use warnings FATAL => 'all';
use OpenInfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('planted', bare => 1, cron => 1);
$node->safe_psql('postgres', 'CREATE ROLE regress_attacker LOGIN; CREATE ROLE regress_signed_in LOGIN');

# A database of the attacker's, with the means to plant.
sub new_database
{
	my ($name) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $name OWNER regress_attacker");
	plant($name, <<~'END');
		CREATE SCHEMA evil;
		GRANT USAGE ON SCHEMA evil TO PUBLIC;
		CREATE FUNCTION evil.log() RETURNS boolean LANGUAGE plpgsql AS $$
		BEGIN
			RAISE LOG 'double ran as % (superuser: %)', current_user, (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user);
			RETURN true;
		END $$;
		CREATE FUNCTION evil.on_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.log(); RETURN coalesce(NEW, OLD); END $$;
		END
}

# Run something as the attacker; what PostgreSQL refuses to them is no matter of ours.
sub plant
{
	my ($database, $sql) = @_;

	return $node->psql($database, $sql, extra_params => [ '-U', 'regress_attacker', '-q' ], on_error_stop => 0, stderr => \my $err);
}

sub plant_each { my ($database, $sql) = @_; plant($database, $sql =~ s{;;\n}{;\n}gr); }

# What ran since the last look, but for what ran as the attacker or as the owner of the tables, who can do nothing else.
my $seen = 0;
sub is_harmless
{
	my ($what) = @_;
	my $log = substr(slurp_file($node->logfile), $seen);

	$seen = length(slurp_file($node->logfile));
	my @bad = grep { !/double ran as (regress_attacker|openinfo_owner|authenticated|anon) \(superuser: f\)/ } $log =~ /LOG:  (double ran as \S+ \(superuser: [tf]\))/g;
	is("@bad", '', "$what: no double ran as a superuser or as service_role");
}

sub try_sql
{
	my ($database, $sql) = @_;
	my ($code, $out, $err) = $node->psql($database, $sql);

	return $code == 0 ? '' : $err;
}

# ----------------------------------------------------------------------- the names, from an installation of the newest version

$node->safe_psql('postgres', 'CREATE DATABASE reference');
$node->safe_psql('reference', 'CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app');
sub names { split /\n/, $node->safe_psql('reference', $_[0]) }

my @tables = names("SELECT relname FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r' ORDER BY 1");
my @types = names("SELECT typname FROM pg_type WHERE typnamespace = 'app'::regnamespace AND typtype = 'e' ORDER BY 1");
my @functions = names("SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'app'::regnamespace ORDER BY 1");
# with the types of the arguments, where nothing of ours is in them
my @signatures = names("SELECT format('%I(%s)', proname, pg_get_function_identity_arguments(oid)) FROM pg_proc
	WHERE pronamespace = 'app'::regnamespace AND pg_get_function_identity_arguments(oid) !~ 'app\\.|internal' ORDER BY 1");
my @versions = names("SELECT source FROM pg_extension_update_paths('openinfo') GROUP BY source
	ORDER BY string_to_array(source, '.')::int[]");
cmp_ok(scalar @functions, '>', 80, 'functions of ours: ' . @functions);

sub double_of_function
{
	my ($schema, $signature) = @_;

	return "CREATE FUNCTION $schema.$signature RETURNS text LANGUAGE plpgsql AS \$\$ BEGIN PERFORM evil.log(); RETURN NULL; END \$\$;;\n";
}

# For every name, overloads that collide with nothing; and a double of each function that takes no type of ours.
sub overloads
{
	my ($schema) = @_;
	my @arguments = ('anyelement', 'VARIADIC text[]', 'unknown_to_us polygon');

	return join '', map { my $name = $_; map { double_of_function($schema, "\"$name\"($_)") } @arguments } @functions;
}

sub doubles { my ($schema) = @_; return join '', map { double_of_function($schema, $_) } @signatures }

sub double_of_table
{
	my ($schema, $table) = @_;
	my $columns = $node->safe_psql('reference', "SELECT string_agg(format('%I %s', attname,
		CASE WHEN atttypid IN (SELECT oid FROM pg_type WHERE typnamespace = 'app'::regnamespace) THEN 'text' ELSE format_type(atttypid, atttypmod) END), ', ' ORDER BY attnum)
		FROM pg_attribute WHERE attrelid = 'app.$table'::regclass AND attnum > 0 AND NOT attisdropped");

	return "CREATE TABLE $schema.$table ($columns, CONSTRAINT double CHECK (evil.log()));;
		GRANT ALL ON $schema.$table TO PUBLIC;;
		CREATE TRIGGER double BEFORE INSERT OR UPDATE OR DELETE ON $schema.$table FOR EACH ROW EXECUTE FUNCTION evil.on_row();;
		ALTER TABLE $schema.$table ENABLE ROW LEVEL SECURITY;;
		CREATE POLICY double ON $schema.$table USING (evil.log());;\n";
}

# ----------------------------------------------------------------------- install: a schema that is not closed is refused

foreach my $case (
	[ 'owned by the attacker', 'ALTER SCHEMA app OWNER TO regress_attacker' ],
	[ 'with CREATE for the attacker', 'GRANT CREATE ON SCHEMA app TO regress_attacker' ],
	[ 'with CREATE for PUBLIC', 'GRANT CREATE ON SCHEMA app TO PUBLIC' ],
	[ 'with CREATE for a role that the attacker is in', 'CREATE ROLE regress_group; GRANT regress_group TO regress_attacker; GRANT CREATE ON SCHEMA app TO regress_group' ],
	[ 'of the database\'s owner', 'ALTER SCHEMA app OWNER TO pg_database_owner' ])
{
	my ($how, $sql) = @$case;
	new_database('open');
	$node->safe_psql('open', "CREATE SCHEMA app; $sql");
	plant_each('open', overloads('app') . double_of_table('app', 'schema_migrations') .
		double_of_function('app', 'migration_20250101000000_evil()'));
	my $error = try_sql('open', 'CREATE EXTENSION openinfo SCHEMA app');
	like($error, qr/schema "app".*HINT:/s, "a schema $how is refused, with a hint");
	is_harmless("install into a schema $how");
	$node->safe_psql('postgres', 'DROP DATABASE open');
	$node->safe_psql('postgres', 'DROP ROLE IF EXISTS regress_group');
}

# public of a database belongs to its owner
new_database('open');
like(try_sql('open', 'CREATE EXTENSION openinfo SCHEMA public'), qr/schema "public".*HINT:/s, "public of somebody else's database is refused");
$node->safe_psql('postgres', 'DROP DATABASE open');

# ----------------------------------------------------------------------- install: what was planted while the schema was open

my %planted = (
	'overloads of every function' => overloads('app'),
	'a migration' => double_of_function('app', 'migration_20250101000000_evil()'),
	(map { ("the table $_" => double_of_table('app', $_)) } @tables),
	(map { ("the type $_" => "CREATE DOMAIN app.$_ AS text CHECK (evil.log());;\n") } @types[0, -1]),
	(map { ("the function $_" => double_of_function('app', $_)) } grep { /apply_migrations|secure_table|comment_on_table|get_user_workspace_id|set_updated_at|schedule_jobs|check/ } @signatures));
foreach my $what (sort keys %planted)
{
	new_database('planted');
	$node->safe_psql('planted', 'CREATE SCHEMA app; GRANT CREATE ON SCHEMA app TO regress_attacker');
	plant_each('planted', $planted{$what});
	$node->safe_psql('planted', 'REVOKE CREATE ON SCHEMA app FROM regress_attacker');
	try_sql('planted', 'CREATE EXTENSION openinfo SCHEMA app');
	is_harmless("install over $what");
	$node->safe_psql('postgres', 'DROP DATABASE planted');
}

# The owner of a database chooses its search_path: a double of everything in pg_catalog that our scripts could mean.
new_database('path');
plant_each('path', join '', names("SELECT format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS \$\$ BEGIN PERFORM evil.log(); RETURN NULL; END \$\$;;', proname,
		oidvectortypes(proargtypes), format_type(prorettype, NULL)) FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset
		AND proname ~ '^(format|quote_|to_reg|has_|current_setting|set_config|coalesce|btrim|substring|lower|upper|array_|string_|jsonb_|pg_get_|pg_identify|now|gen_random|hashtext|aclexplode|regexp_|length|split_part|obj_desc)'
		AND 'internal'::regtype <> ALL (proargtypes) AND prorettype::regtype::text !~ '^(any|internal|trigger|void)'"));
plant_each('path', join '', names("SELECT format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS \$\$ BEGIN PERFORM evil.log(); RETURN NULL; END \$\$;;
CREATE OPERATOR evil.%s (FUNCTION = evil.%I, LEFTARG = %s, RIGHTARG = %s);;', 'op_' || oid, format('%s, %s', oprleft::regtype, oprright::regtype), oprresult::regtype, oprname, 'op_' || oid, oprleft::regtype, oprright::regtype)
		FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprkind = 'b'
		AND oprleft = ANY ('{text,name,oid,uuid,jsonb,int4,int8,bool,timestamptz}'::regtype[]) AND oprright = ANY ('{text,name,oid,uuid,jsonb,int4,int8,bool,timestamptz}'::regtype[])"));
plant('path', 'ALTER DATABASE path SET search_path = evil, pg_catalog, public');
plant('path', 'CREATE SCHEMA auth; GRANT ALL ON SCHEMA auth TO PUBLIC');
$node->safe_psql('path', 'CREATE SCHEMA app');
is(try_sql('path', "CREATE EXTENSION openinfo SCHEMA app VERSION '$versions[0]'"), '', 'an install under a hostile search_path');
foreach my $version (@versions[1 .. $#versions], reverse(@versions[0 .. $#versions - 1]), $versions[-1])
{
	is(try_sql('path', "ALTER EXTENSION openinfo UPDATE TO '$version'"), '', "... an update to $version");
}
is_harmless('install, update and downgrade under a hostile search_path');
call_everything('path');
is_harmless('every function under a hostile search_path');

# ----------------------------------------------------------------------- update: the schema was opened since

new_database('opened');
$node->safe_psql('opened', "CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app VERSION '$versions[-2]'; GRANT CREATE ON SCHEMA app TO regress_attacker");
plant_each('opened', overloads('app') . double_of_function('app', 'migration_20990101000000_evil()'));
like(try_sql('opened', 'ALTER EXTENSION openinfo UPDATE'), qr/schema "app".*HINT:/s, 'an update in a schema that is no longer closed is refused');
$node->safe_psql('opened', 'REVOKE CREATE ON SCHEMA app FROM regress_attacker');
is(try_sql('opened', 'ALTER EXTENSION openinfo UPDATE'), '', '... and runs when it is closed again');
is($node->safe_psql('opened', 'SELECT count(*) FROM app.apply_migrations()'), 0, "... and the attacker's migration is none of ours");
is_harmless('update over overloads and a migration');

# ----------------------------------------------------------------------- afterwards: the schema is given away

# Every function that the API roles or a superuser may call, with values of its types; what it answers is no matter here.
sub call_everything
{
	my ($database) = @_;
	my $calls = "SELECT format('SELECT count(*) FROM app.%I(%s)', p.proname, (SELECT string_agg(format('%L::%s', CASE
			WHEN t.typname = 'uuid' THEN '11111111-1111-4111-8111-111111111111' WHEN t.typname = 'text' THEN 'x' WHEN t.typname = 'jsonb' THEN '{}'
			WHEN t.typname IN ('int4', 'int8') THEN '1' WHEN t.typname = 'timestamptz' THEN '2026-01-05' WHEN t.typname = 'bool' THEN 't'
			WHEN t.typname = 'interval' THEN '1 day' WHEN t.typtype = 'e' THEN (SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder LIMIT 1) END,
			t.oid::regtype), ', ' ORDER BY a.n) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, n) JOIN pg_type t ON t.oid = a.type))
		FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
		WHERE p.pronamespace = 'app'::regnamespace AND p.prokind = 'f' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
			AND 'internal'::regtype <> ALL (p.proargtypes) AND 'regclass'::regtype <> ALL (p.proargtypes) AND 'text[]'::regtype <> ALL (p.proargtypes)
			AND p.proname !~ '^migration_' ORDER BY p.proname";
	foreach my $role (qw(postgres service_role authenticated))
	{
		$node->psql($database, "SET search_path = pg_catalog; SELECT set_config('request.jwt.claims', '{\"sub\": \"22222222-2222-4222-8222-222222222222\"}', false);
			$calls \\g (tuples_only=on format=unaligned) $ENV{TESTDATADIR}/calls.sql\nSET ROLE $role;\n\\i $ENV{TESTDATADIR}/calls.sql\n", on_error_stop => 0);
	}
}

# The jobs, as pg_cron runs them: as the role that they belong to.
sub run_jobs
{
	my ($database) = @_;
	my @commands = split /\x1e/, $node->safe_psql('app', "SELECT string_agg(command, E'\\x1e') FROM cron.job WHERE jobname LIKE 'openinfo%'");

	cmp_ok(scalar @commands, '>', 3, 'jobs: ' . @commands);
	$node->psql($database, $_) foreach @commands;
}

$node->safe_psql('app', 'CREATE EXTENSION pg_cron; CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app');
new_database('given');
$node->safe_psql('given', 'CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app; ALTER SCHEMA app OWNER TO regress_attacker');
foreach my $table (@tables)
{
	plant_each('given', "DROP TABLE app.$table CASCADE;;\n" . double_of_table('app', $table));
}
cmp_ok($node->safe_psql('given', "SELECT count(*) FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r' AND relowner = 'regress_attacker'::regrole"),
	'==', @tables, 'every table has been replaced by a double');
is_harmless('planting');
call_everything('given');
is_harmless('every function over doubles of the tables');
run_jobs('given');
is_harmless('the jobs over doubles of the tables');
like(try_sql('given', 'SELECT app.reset_daily_credits()'), qr/table "\w+" .*openinfo_owner/, 'a function names the table that is not ours');

plant('given', 'ALTER SCHEMA app RENAME TO was_app; CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO PUBLIC');
plant_each('given', doubles('app') . overloads('app'));
run_jobs('given');
is_harmless('the jobs after the schema was renamed, over doubles of the functions');
foreach my $version (reverse(@versions[0 .. $#versions - 1]))
{
	like(try_sql('given', "ALTER EXTENSION openinfo UPDATE TO '$version'"), qr/schema "was_app"/, "a downgrade to $version is refused there");
}
is_harmless('downgrades after the schema was given away');

done_testing();
