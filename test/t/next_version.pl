# The next version, rehearsed: a made-up one, by the recipe of CONTRIBUTING.md, with a column, a table, an enum, a function,
# a setting and a job.  Its library serves every older version; its scripts lead there and back over data and over what the
# user has changed; a dump of it is complete.

use strict;
use warnings FATAL => 'all';
use Test::More;
use PostgreSQL::Test::Utils;
use OpenInfoTest;
use OpenInfoCatalog;

# Today's server, with the extension of today and what users do to it.
my $node = new_node('next', cron => 1, bare => 1);
$node->safe_psql('app', 'CREATE EXTENSION pg_cron');
work_with($node, 'app');
my @versions = versions($node);
my $today = $versions[-1];
my $next = $today =~ s/(\d+)$/$1 + 1/er;
my $jobs = "SELECT count(*) FROM cron.job WHERE jobname LIKE 'openinfo\\_%'";

sub sql { return $node->safe_psql('app', $_[0]); }

my $count = sql($jobs);

# ---------------------------------------------------------------------- the next version, in a copy of the tree

my $tree = $node->basedir . '/next';
mkdir $tree or die "$tree: $!";
system_or_bail('cp', '-a', qw(Makefile openinfo.control src sql), $tree);

sub edit
{
	my ($file, $change) = @_;
	local $_ = slurp_file("$tree/$file");
	$change->() or die "$file is not as it was: nothing to change";
	unlink "$tree/$file";
	append_to_file("$tree/$file", $_);
	return;
}

edit('openinfo.control', sub { s/^default_version = '.*'/default_version = '$next'/m });
edit('Makefile', sub {
	s{^(\tsrc/leads/leads\.o )}{\tsrc/leads/moods.o \\\n$1}m
	  && s{^(DATA = )}{$1\\\n\tsql/openinfo--$today--$next.sql \\\n\tsql/openinfo--$next--$today.sql }m });
edit('src/core/catalog.c', sub { s/("schema_migrations",\s+NULL)/"rehearsal_notes", $1/ });
edit('src/operations/jobs.c', sub { s/^(\t\{"openinfo_cleanup_expired_exports")/\t{"openinfo_rest", "0 1 * * *", 24, "rest"},\n$1/m });
edit('src/openinfo.h', sub { s/^(#endif)/extern char *openinfo_rehearsal_mood;\n$1/m });
edit('src/openinfo.c', sub {
	s/^(void _PG_init)/char *openinfo_rehearsal_mood = NULL;\n\n$1/m
	  && s/^(\tMarkGUCPrefixReserved)/\tDefineCustomStringVariable("openinfo.rehearsal_mood", "Mood of leads.", NULL, &openinfo_rehearsal_mood, "warm", PGC_USERSET, 0, NULL, NULL, NULL);\n$1/m });
append_to_file("$tree/src/leads/moods.c", <<'END');
#include "openinfo.h"

#include "core/catalog.h"

PG_FUNCTION_INFO_V1(openinfo_get_rehearsal_mood);
Datum
openinfo_get_rehearsal_mood(PG_FUNCTION_ARGS)
{
	PG_RETURN_OID(catalog_enum("rehearsal_mood", openinfo_rehearsal_mood));
}
END

my $privileges = <<'SQL';
CREATE FUNCTION @extschema@.api_privileges_99990101000001() RETURNS TABLE (
        relname text, reads boolean, inserts text[], updates text[], deletes boolean)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    VALUES ('leads', true, '{rehearsal_rank}'::text[], '{rehearsal_rank}'::text[], false),
           ('rehearsal_notes', true, '{query_id,note}', '{note}', true);
END;
REVOKE ALL ON FUNCTION @extschema@.api_privileges_99990101000001() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION @extschema@.api_privileges_99990101000001() TO service_role;
COMMENT ON FUNCTION @extschema@.api_privileges_99990101000001() IS 'Privileges of the migration';
SQL

append_to_file("$tree/sql/openinfo--$today--$next.sql", <<"SCRIPT");
\\echo Use "ALTER EXTENSION openinfo UPDATE TO '$next'" to load this file. \\quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT \@extschema\@.require_trusted_schema();

CREATE TYPE \@extschema\@.rehearsal_mood AS ENUM ('cold', 'warm');
COMMENT ON TYPE \@extschema\@.rehearsal_mood IS 'How a lead feels';

CREATE FUNCTION \@extschema\@.get_rehearsal_mood() RETURNS \@extschema\@.rehearsal_mood
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'openinfo_get_rehearsal_mood';
REVOKE ALL ON FUNCTION \@extschema\@.get_rehearsal_mood() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION \@extschema\@.get_rehearsal_mood() TO authenticated, service_role;
COMMENT ON FUNCTION \@extschema\@.get_rehearsal_mood() IS 'Mood of leads';

CREATE FUNCTION \@extschema\@.rest() RETURNS bigint LANGUAGE c AS 'MODULE_PATHNAME', 'openinfo_reset_daily_credits';
REVOKE ALL ON FUNCTION \@extschema\@.rest() FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION \@extschema\@.rest() TO service_role;
COMMENT ON FUNCTION \@extschema\@.rest() IS 'Job';

$privileges
CREATE FUNCTION \@extschema\@.migration_99990101000001_moods() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS \$migration\$
BEGIN
    ALTER TABLE \@extschema\@.leads
        ADD COLUMN rehearsal_rank int NOT NULL DEFAULT 0 CONSTRAINT leads_rehearsal_rank_not_negative CHECK (rehearsal_rank >= 0),
        ADD COLUMN rehearsal_mood \@extschema\@.rehearsal_mood;
    GRANT INSERT (rehearsal_rank), UPDATE (rehearsal_rank) ON TABLE \@extschema\@.leads TO authenticated;
    PERFORM \@extschema\@.comment_on_table('\@extschema\@.leads'::regclass, NULL, ARRAY[
        ['rehearsal_rank', 'What comes first'],
        ['rehearsal_mood', 'How the lead feels'],
        ['leads_rehearsal_rank_not_negative', 'Priorities are counts']]);

    CREATE TABLE \@extschema\@.rehearsal_notes (
        id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        created_at   timestamptz NOT NULL DEFAULT now(),
        updated_at   timestamptz NOT NULL DEFAULT now(),
        created_by   uuid,
        workspace_id uuid NOT NULL DEFAULT \@extschema\@.get_user_workspace_id() REFERENCES \@extschema\@.workspaces (id) ON DELETE CASCADE,
        query_id     uuid NOT NULL,
        note         text NOT NULL,
        FOREIGN KEY (query_id, workspace_id) REFERENCES \@extschema\@.queries (id, workspace_id) ON DELETE CASCADE,
        FOREIGN KEY (created_by, workspace_id) REFERENCES \@extschema\@.users (id, workspace_id) ON DELETE SET NULL (created_by)
    );
    PERFORM \@extschema\@.secure_table('\@extschema\@.rehearsal_notes'::regclass);
    CREATE INDEX idx_rehearsal_notes_workspace_id ON \@extschema\@.rehearsal_notes (workspace_id, created_at DESC);
    CREATE INDEX idx_rehearsal_notes_query_id ON \@extschema\@.rehearsal_notes (query_id, workspace_id);
    CREATE INDEX idx_rehearsal_notes_created_by ON \@extschema\@.rehearsal_notes (created_by, workspace_id);
    GRANT SELECT, DELETE, INSERT (query_id, note), UPDATE (note) ON TABLE \@extschema\@.rehearsal_notes TO authenticated;
    CREATE POLICY work_in_workspace ON \@extschema\@.rehearsal_notes TO authenticated
        USING (workspace_id = (SELECT \@extschema\@.get_user_workspace_id()))
        WITH CHECK (workspace_id = (SELECT \@extschema\@.get_user_workspace_id()));
    PERFORM \@extschema\@.comment_on_table('\@extschema\@.rehearsal_notes'::regclass, 'Notes on queries'::text, ARRAY[
        ['query_id', 'Query that the note is about'],
        ['note', 'The note'],
        ['idx_rehearsal_notes_query_id', 'Notes on a query'],
        ['work_in_workspace', 'Members write the notes of their workspace']]);
END
\$migration\$;
REVOKE ALL ON FUNCTION \@extschema\@.migration_99990101000001_moods() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION \@extschema\@.migration_99990101000001_moods() IS 'Migration: leads.rehearsal_rank, leads.rehearsal_mood, rehearsal_notes';

SELECT \@extschema\@.apply_migrations();

-- not while a dump is restored, which brings the jobs
DO \$do\$
BEGIN
    IF to_regclass('\@extschema\@.rehearsal_notes') IS NOT NULL AND EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
        PERFORM \@extschema\@.schedule_jobs();
    END IF;
END
\$do\$;
SCRIPT

append_to_file("$tree/sql/openinfo--$next--$today.sql", <<"SCRIPT");
\\echo Use "ALTER EXTENSION openinfo UPDATE TO '$today'" to load this file. \\quit
SET LOCAL search_path = pg_catalog, pg_temp;
SELECT \@extschema\@.require_trusted_schema();

SELECT \@extschema\@.drop_table_if_empty('\@extschema\@.rehearsal_notes'::regclass);
SELECT \@extschema\@.drop_column_if_empty('\@extschema\@.leads'::regclass, 'rehearsal_rank'::text, '0'::text);
SELECT \@extschema\@.drop_column_if_empty('\@extschema\@.leads'::regclass, 'rehearsal_mood'::text);
SELECT \@extschema\@.execute_as_owner('DELETE FROM \@extschema\@.schema_migrations WHERE version = ''99990101000001''');

DO \$do\$
BEGIN
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
        PERFORM cron.unschedule(jobid) FROM cron.job WHERE jobname = 'openinfo_rest' AND database = current_database();
    END IF;
END
\$do\$;

DROP FUNCTION \@extschema\@.api_privileges_99990101000001();
DROP FUNCTION \@extschema\@.migration_99990101000001_moods();
DROP FUNCTION \@extschema\@.rest();
DROP FUNCTION \@extschema\@.get_rehearsal_mood();
DROP TYPE \@extschema\@.rehearsal_mood;
SCRIPT

my $make = "make -s --no-print-directory -C '$tree' with_llvm=no PG_CONFIG='$ENV{PGBIN}/pg_config'";
is(system("$make all && $make install DESTDIR='$tree/stage'"), 0, 'the next version compiles') or BAIL_OUT('no next version');

# ---------------------------------------------------------------------- its library serves what is there

my $settings = slurp_file($ENV{TEMP_CONFIG}) =~ s{\Q$ENV{W}\E/stage}{$tree/stage}gr;
$node->append_conf('postgresql.conf', $settings);
$node->restart;
is((versions($node))[-1], $next, 'the library is new');
is(sql("SELECT extversion FROM pg_extension WHERE extname = 'openinfo'"), $today, 'the extension is not');
my ($catalog, $columns) = (snapshot($node, 'app'), columns($node, 'app', 'app'));
delete $columns->{schema_migrations};
my $rows = checksums($node, 'app', 'app', $columns);
works($node, 'app', 'app', 'old schema, new library');
is(sql("SELECT count(*) FROM app.schedule_jobs(); $jobs"), "$count\n$count", 'a job whose function is not there yet is not scheduled');
is(sql('SELECT count(*) FROM app.job_status()'), $count, 'nor expected');

# Every function that a version has can be called: none misses what that version does not have yet.
my $call_all = q{
CREATE FUNCTION pg_temp.call_all() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	v record;
BEGIN
	FOR v IN
		SELECT p.oid::regprocedure::text AS name, r AS role,
			   format('SELECT * FROM app.%I(%s)', p.proname, (
				   SELECT string_agg(format('%L::%s', CASE
							  WHEN t.typtype = 'e' THEN (SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder LIMIT 1)
							  WHEN t.typcategory = 'A' THEN '{}' WHEN t.typcategory = 'N' THEN '1' WHEN t.typcategory = 'B' THEN 'true'
							  WHEN t.typcategory = 'D' THEN '2026-01-05' WHEN t.typname = 'uuid' THEN '11111111-1111-1111-1111-111111111111'
							  WHEN t.typname = 'jsonb' THEN '{}' ELSE 'one' END, a.type::regtype), ', ' ORDER BY a.n)
					 FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, n) JOIN pg_type t ON t.oid = a.type)) AS call
		  FROM pg_proc p CROSS JOIN unnest('{service_role,authenticated}'::text[]) r
		 WHERE p.pronamespace = 'app'::regnamespace AND p.prokind = 'f' AND p.proname !~ '^migration_'
		   AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
		   AND NOT 'internal'::regtype = ANY (p.proargtypes) AND has_function_privilege(r, p.oid, 'EXECUTE')
		 ORDER BY 1, 2
	LOOP
		BEGIN
			PERFORM set_config('request.jwt.claims', '{"sub": "aaaaaaaa-0000-0000-0000-000000000001"}', true), set_config('role', v.role, true);
			EXECUTE v.call;
			RAISE EXCEPTION 'called' USING ERRCODE = 'P0001';
		EXCEPTION WHEN OTHERS THEN
			-- what pg_cron has to do is refused without it
			RETURN NEXT CASE WHEN SQLSTATE ~ '^(42P01|42703|42704|42883|55000|XX)' AND SQLERRM !~ 'pg_cron'
						THEN format('%s by %s: %s %s', v.name, v.role, SQLSTATE, SQLERRM) ELSE 'called' END;
		END;
	END LOOP;
END $$;
SELECT count(*) FILTER (WHERE c = 'called') >= 8, string_agg(c, E'\n') FILTER (WHERE c <> 'called') FROM pg_temp.call_all() c;
};
foreach my $version (@versions, $next)
{
	my $db = 'at_' . $version =~ s/\W/_/gr;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, "CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app VERSION '$version'");
	fill($node, $db, 'app', rehearsal_notes => "(workspace_id, query_id, note) SELECT workspace_id, id, 'n' FROM app.queries");
	is($node->safe_psql($db, $call_all), 't|', "every function of $version works with the library of $next");
}

# ---------------------------------------------------------------------- up, over data and the user's own

my $findings = 'SELECT item, detail FROM app.security_checklist() WHERE NOT ok';
my $found = sql($findings);
sql('ALTER EXTENSION openinfo UPDATE');
is(checksums($node, 'app', 'app', $columns), $rows, 'the update leaves every row as it was');
my %now = map { $_ => 1 } split /\n/, snapshot($node, 'app');
is(join("\n", grep { !$now{$_} && !/^extension\|/ && !/api_privileges|^ VALUES |^table\|app\.leads\|/ } split /\n/, $catalog), '', 'and everything that was there');
my $granted = q{SELECT string_agg(c || ' ' || p, ', ' ORDER BY c, p) FROM unnest('{rehearsal_rank,rehearsal_mood}'::text[]) c, unnest('{INSERT,UPDATE,SELECT}'::text[]) p WHERE has_column_privilege('authenticated', 'app.leads', c, p)};
my $may = 'rehearsal_mood SELECT, rehearsal_rank INSERT, rehearsal_rank SELECT, rehearsal_rank UPDATE';
is(sql($granted), $may, 'members may write the new column');
is(sql($findings), $found, 'the checklist finds nothing new');
is(sql($jobs), $count + 1, 'the new job is scheduled');
is(sql("SET openinfo.rehearsal_mood = 'cold'; SELECT app.get_rehearsal_mood()"), 'cold', 'the new function reads the new setting');
is(sql('SELECT count(*) FROM app.apply_migrations()'), '0', 'there is nothing left to do');
works($node, 'app', 'app', 'updated');

# the extension in which the user has changed nothing, installed at once and step by step
$node->safe_psql('at_' . $today =~ s/\W/_/gr, 'ALTER EXTENSION openinfo UPDATE');
same(snapshot($node, 'at_' . $today =~ s/\W/_/gr), snapshot($node, 'at_' . $next =~ s/\W/_/gr), "$next from $today is $next alone");

is(sql(q{SET search_path = app; SET ROLE authenticated; SET request.jwt.claims = '{"sub": "aaaaaaaa-0000-0000-0000-000000000001"}';
	UPDATE leads SET rehearsal_rank = 3 WHERE company_data ->> 'name' = 'Alpha';
	INSERT INTO rehearsal_notes (query_id, note) SELECT id, 'call' FROM queries WHERE name = 'First'; SELECT count(*), min(note) FROM rehearsal_notes}), '1|call', 'a member works with the new version');
sql('CREATE ROLE regress_next_owner');
like(fails($node, 'app', 'BEGIN; ALTER TABLE app.rehearsal_notes OWNER TO regress_next_owner; DROP OWNED BY regress_next_owner CASCADE'),
	qr/ERROR:  55000: .*Table "rehearsal_notes" has 1 row/s, 'the new table is guarded');

# ---------------------------------------------------------------------- dumped and restored

my $other = new_node('restored', cron => 1, bare => 1, conf => $settings);
$other->safe_psql('postgres', 'CREATE ROLE regress_reader; CREATE ROLE regress_next_owner');
my $dump = $node->basedir . '/next.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('app') ], 'dumped');
$other->command_ok([ 'pg_restore', '--exit-on-error', '-d', $other->connstr('app'), $dump ], 'restored without an error');
my $at_next = snapshot($node, 'app');
same(snapshot($other, 'app'), $at_next, 'the same catalog');
is(checksums($other, 'app', 'app'), checksums($node, 'app', 'app'), 'the same rows');
is($other->safe_psql('app', $granted), $may, 'members may still write the new column');
is($other->safe_psql('app', "$jobs; SELECT count(*) FROM app.schedule_jobs(); $jobs"), join("\n", ($count + 1) x 3), 'no job is there twice');
works($other, 'app', 'app', 'restored');
$other->stop;

# ---------------------------------------------------------------------- down

my $down = "ALTER EXTENSION openinfo UPDATE TO '$today'";
like(fails($node, 'app', $down), qr/ERROR:  55000: .*1 row from table "rehearsal_notes"/, 'down is refused over a row of the new table');
sql('DELETE FROM app.rehearsal_notes');
like(fails($node, 'app', $down), qr/ERROR:  55000: .*1 value from column "rehearsal_rank" of table "leads"/, 'and over a value in the new column');
same(snapshot($node, 'app'), $at_next, 'the catalog is as before');
sql('ALTER TABLE app.leads DISABLE TRIGGER USER; UPDATE app.leads SET rehearsal_rank = DEFAULT; ALTER TABLE app.leads ENABLE TRIGGER USER');
sql("ALTER TABLE app.leads ENABLE ALWAYS TRIGGER users_own; ALTER TABLE app.leads ENABLE TRIGGER users_own; $down");
same(snapshot($node, 'app'), $catalog, 'down, once nothing would be lost, the catalog is that of before');
is(sql($jobs), $count, 'and so are the jobs');
works($node, 'app', 'app', 'downgraded');
sql('ALTER EXTENSION openinfo UPDATE; UPDATE app.leads SET rehearsal_rank = 3');
is(sql("SET openinfo.allow_data_loss = on; $down; SELECT extversion FROM pg_extension WHERE extname = 'openinfo'"), $today, 'or when that is allowed');
same(snapshot($node, 'app'), $catalog, 'with the same catalog');

$node->stop;
done_testing();
