# The role that owns the tables: what it may be, who installs, and what happens to it in dumps.
use strict;
use warnings FATAL => 'all';
use OpenInfoCatalog;
use OpenInfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('owner_role', bare => 1);
my $dir = PostgreSQL::Test::Utils::tempdir;
my $n = 0;

sub sql { return $node->safe_psql(@_) }
sub new_database { my $name = 'd' . ++$n; sql('postgres', "CREATE DATABASE $name"); sql($name, 'CREATE SCHEMA app'); return $name }
sub owners { return "SELECT string_agg(DISTINCT relowner::regrole::text, ' ') FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r'" }

# ----------------------------------------------------------------------- a role of that name that has more

foreach my $attribute (qw(SUPERUSER LOGIN BYPASSRLS CREATEROLE CREATEDB REPLICATION))
{
	my $db = new_database();
	sql('postgres', "CREATE ROLE openinfo_owner $attribute");
	like(fails($node, $db, 'CREATE EXTENSION openinfo SCHEMA app'), qr/ERROR:  42501: role openinfo_owner must not have: $attribute.*HINT: /s, "$attribute is refused by name");
	sql('postgres', 'DROP ROLE openinfo_owner');
}
{
	my $db = new_database();
	sql('postgres', 'CREATE ROLE openinfo_owner; CREATE ROLE regress_above; GRANT regress_above TO openinfo_owner');
	like(fails($node, $db, 'CREATE EXTENSION openinfo SCHEMA app'), qr/must not have: membership in regress_above/, 'so is a role that it is in');
	sql('postgres', 'REVOKE regress_above FROM openinfo_owner; GRANT openinfo_owner TO regress_above');
	like(fails($node, $db, 'CREATE EXTENSION openinfo SCHEMA app'), qr/must not have: member regress_above/, 'and a role that may become it');
	sql('postgres', 'REVOKE openinfo_owner FROM regress_above');
	is(sql($db, 'CREATE EXTENSION openinfo SCHEMA app; ' . owners()), 'openinfo_owner', 'a plain one is taken as it is');
	sql('postgres', 'GRANT openinfo_owner TO regress_above');
	like(fails($node, $db, "ALTER EXTENSION openinfo UPDATE TO '0.5.0'"), qr/must not have: member regress_above/, 'an update looks again');
	sql('postgres', 'REVOKE openinfo_owner FROM regress_above');
}

# ----------------------------------------------------------------------- who installs, and beside what

# As hosted platforms have it: one superuser, an administrator without superuser who owns the database, and API roles with
# attributes of their own.
my $hosted = new_database();
sql('postgres', "CREATE ROLE regress_super SUPERUSER LOGIN; CREATE ROLE regress_admin LOGIN CREATEROLE CREATEDB; ALTER ROLE service_role BYPASSRLS;
	ALTER DATABASE $hosted OWNER TO regress_admin");
sql($hosted, 'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO anon, authenticated, service_role; ALTER SCHEMA app OWNER TO regress_super');
is(sql($hosted, 'SET ROLE regress_super; CREATE EXTENSION openinfo SCHEMA app; ' . owners()), 'openinfo_owner', 'a superuser installs into the database of somebody else');
is(sql('postgres', "SELECT rolbypassrls FROM pg_roles WHERE rolname = 'service_role'"), 't', 'the API roles stay as they are');
fill($node, $hosted, 'app');
works($node, $hosted, 'app', 'in a database of somebody else');
my @as_admin = (extra_params => [ '-U', 'regress_admin' ]);
isnt($node->psql($hosted, 'ALTER TABLE app.leads ADD COLUMN mine int', @as_admin), 0, 'its owner is not the owner of the tables');
isnt($node->psql($hosted, 'CREATE TABLE app.mine (id int)', @as_admin), 0, '... and creates nothing in the schema');
my $became = $node->psql($hosted, 'GRANT openinfo_owner TO regress_admin', @as_admin) == 0;
is($became ? 1 : 0, $node->pg_version < 16 ? 1 : 0, 'CREATEROLE makes itself a member of any role before PostgreSQL 16');
like(fails($node, $hosted, "ALTER EXTENSION openinfo UPDATE TO '0.5.0'"), qr/must not have: member regress_admin/, '... which an update refuses') if $became;
sql('postgres', 'REVOKE openinfo_owner FROM regress_admin');

# Two databases of a cluster share the role; one of them goes.
my $second = new_database();
sql($second, 'CREATE EXTENSION openinfo SCHEMA app');
fill($node, $second, 'app');
works($node, $second, 'app', 'a second database');
sql('postgres', "DROP DATABASE $second");
works($node, $hosted, 'app', 'the first, when the second is gone');

# ----------------------------------------------------------------------- dumps

sub dump_of { my ($file, @options) = @_; local $ENV{PGHOST} = $node->host; local $ENV{PGPORT} = $node->port; command_ok([ 'pg_dump', '-f', $file, @options, $hosted ], "dump @options"); return $file }

# A cluster that has none of the roles: what the dump itself names has to be there before, the rest comes with the extension.
my $other = new_node('owner_role_target', bare => 1);
$other->safe_psql('postgres', 'CREATE ROLE regress_super SUPERUSER; CREATE ROLE regress_admin');
my $file = dump_of("$dir/plain.sql");
is($other->psql('app', "\\i $file"), 0, 'a dump is restored where the roles are missing');
is($other->safe_psql('app', owners()), 'openinfo_owner', '... and the tables belong to openinfo_owner there');
works($other, 'app', 'app', 'restored where the roles were missing');

# Without owners the tables belong to whoever restores; functions say so before anything is written.
$file = dump_of("$dir/no_owner.sql", '--no-owner');
sql('postgres', 'CREATE DATABASE no_owner');
is($node->psql('no_owner', "\\i $file"), 0, 'a dump without owners is restored');
like(fails($node, 'no_owner', 'SELECT app.reset_daily_credits()'), qr/ERROR:  55000: table "\w+" is not owned by role openinfo_owner.*HINT: .*ALTER TABLE/s, '... and functions say what to do');
sql('no_owner', slurp_file('docs/operations.md') =~ /```sql\n( *DO \$\$.*?OWNER TO openinfo_owner.*?\n) *```/s ? $1 : die 'no statement in docs/operations.md');
works($node, 'no_owner', 'app', 'restored without owners, after what docs/operations.md says');

# A role that is no superuser cannot restore: the first statement that needs it says so, and a restore in one transaction ends there.
sql('postgres', 'CREATE DATABASE not_super OWNER regress_admin');
my ($code, $out, $err) = $node->psql('not_super', "\\i $dir/plain.sql", extra_params => [ '-U', 'regress_admin', '-1' ]);
isnt($code, 0, 'a role that is no superuser cannot restore a dump');
like($err, qr/permission denied|must be (superuser|able|owner|member)/, '... and is told so');
is($node->safe_psql('not_super', "SELECT count(*) FROM pg_namespace WHERE nspname = 'app'"), 0, '... and nothing is left');

done_testing();
