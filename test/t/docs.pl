# The pages for readers: docs/reference.md names everything that the catalog has, links and tables of contents lead
# somewhere, and the README stays short.

use strict;
use warnings FATAL => 'all';

use File::Basename;
use File::Find;
use File::Spec;
use OpenInfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('docs', bare => 1);
$node->safe_psql('app', 'CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app');

sub rows { return map { [ split /\|/, $_, -1 ] } split /\n/, $node->safe_psql('app', "SET search_path = app; $_[0]") }

# ---------------------------------------------------------------------- docs/reference.md

my $reference = slurp_file('docs/reference.md');

# The rows of tables whose first cell is this name in code.
sub row_of { my $name = shift; return join "\n", $reference =~ /^(\| `\Q$name\E` \|.*)$/mg }

# Functions that someone calls: not triggers, the support functions of an index, the migrations, nor the parts of the
# security checklist.  Signatures are
# compared in one spelling: int, no casts in defaults, nothing returned instead of void.
sub spelled
{
	my $text = lc shift;
	$text =~ s/::[a-z_.]+//g;
	$text =~ s/\btimestamp with time zone\b/timestamptz/g;
	$text =~ s/\bdouble precision\b/float8/g;
	$text =~ s/\binteger\b/int/g;
	$text =~ s/\breturns void\b//;
	$text =~ s/\s+$//;
	return $text;
}
my %documented;
push @{ $documented{$1} }, spelled("$1$2") while $reference =~ /^\| `(\w+)(\(.*?)` \|/mg;
foreach (rows(<<'END'))
	SELECT proname, format('%s(%s) returns %s', proname, pg_get_function_arguments(p.oid), coalesce(pg_get_function_result(p.oid), 'void'))
	  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'openinfo')
	 WHERE prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AND NOT 'internal'::regtype = ANY (proargtypes)
	   AND NOT EXISTS (SELECT FROM pg_amproc WHERE amproc = p.oid) AND proname !~ '^(migration|checked|checklist|api_privileges)_' ORDER BY 1
END
{
	my ($name, $signature) = @$_;
	ok((grep { $_ eq spelled($signature) } @{ $documented{$name} }), "function $name")
		or diag 'docs/reference.md needs: ', spelled($signature), "\n              it has: ", join('; ', @{ $documented{$name} // ['nothing'] });
	delete $documented{$name};
}
is_deeply([ sort keys %documented ], [], 'no function that does not exist');

ok(row_of($_->[0]), ($_->[1] eq 'v' ? 'view ' : 'table ') . $_->[0])
	foreach rows("SELECT relname, relkind FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind IN ('r', 'p', 'v') ORDER BY 2, 1");

foreach (rows("SELECT typname, (SELECT string_agg(enumlabel, ',') FROM pg_enum WHERE enumtypid = t.oid) FROM pg_type t WHERE typnamespace = 'app'::regnamespace AND typtype = 'e' ORDER BY 1"))
{
	my ($name, $labels) = @$_;
	my $row = row_of($name);
	ok($row && !(grep { $row !~ /\b$_\b/ } split /,/, $labels), "enum type $name, with its labels");
}

foreach (rows("LOAD 'openinfo'; SELECT name, vartype, coalesce(nullif(boot_val, ''), 'empty'), coalesce(unit, '') FROM pg_settings WHERE name LIKE 'openinfo.%' ORDER BY 1"))
{
	my ($name, $type, $default, $unit) = @$_;
	like(row_of($name), qr/\|[^|]*\Q$unit\E[^|]*\| \Q$default\E \|/, "setting $name, with its default and unit");
}

# SQLSTATEs that openinfo raises, in C by their macros and in scripts by their names.
my %sqlstate;
foreach my $header ('src/core/errors.h', map { "$_/utils/errcodes.h" } map { chomp; $_ } scalar `pg_config --includedir-server`)
{
	my $text = slurp_file($header);
	while ($text =~ /^#define (ERRCODE_\w+)\s+MAKE_SQLSTATE\(([^)]*)\)/mg)
	{
		my ($macro, $code) = ($1, $2);
		$sqlstate{$macro} = $code =~ s/[', ]//gr;
	}
}
my %raised;
find({ no_chdir => 1, wanted => sub {
	return unless /\.(c|sql)$/;
	my $text = slurp_file($_);
	$raised{ $sqlstate{$1} // $1 } = 1 while $text =~ /\berrcode\((ERRCODE_\w+)\)/g;
	$raised{ $sqlstate{ 'ERRCODE_' . uc $1 } // $1 } = 1 while $text =~ /\bERRCODE\s*=\s*'([^']+)'/g;
} }, 'src', 'sql');
cmp_ok(scalar keys %raised, '>', 5, 'the sources raise errors');
my ($errors) = $reference =~ /^## Errors\n(.*?)^## /ms or BAIL_OUT('docs/reference.md has no section "Errors"');
foreach my $code (sort keys %raised)
{
	like($errors, qr/^\|[^|]*`$code`[^|]*\| [1-5]\d\d\b/m, "SQLSTATE $code, with its HTTP status");
}

# ---------------------------------------------------------------------- links and contents

my @pages = grep { -f } glob 'README.md CONTRIBUTING.md SECURITY.md CHANGELOG.md docs/*.md test/README.md bench/README.md';
my (%text, %headings);
foreach my $page (@pages)
{
	my %seen;
	my $prose = slurp_file($page) =~ s/^```.*?^```$//msgr;
	$text{$page} = $prose =~ s/^    .*$//mgr =~ s/`[^`\n]*`//gr;
	# anchors as GitHub makes them; the level, then the anchor
	while ($prose =~ /^(#+) (.*?)\s*$/mg)
	{
		my ($level, $anchor) = (length $1, lc $2);
		$anchor =~ s/[^\w\- ]//g;
		$anchor =~ s/ /-/g;
		push @{ $headings{$page} }, [ $level, $anchor . ($seen{$anchor}++ ? "-$seen{$anchor}" : '') ];
	}
}
sub anchors { my ($page, $level) = @_; return map { $_->[1] } grep { !$level || $_->[0] == $level } @{ $headings{$page} } }

foreach my $page (@pages)
{
	my @dead;
	while ($text{$page} =~ /\]\(([^)\s]+)\)/g)
	{
		my $link = $1;
		next if $link =~ /^[a-z]+:/;
		my ($file, $anchor) = $link =~ /^([^#]*)#?(.*)$/;
		my $target = $file eq '' ? $page : File::Spec->canonpath(join '/', grep { $_ ne '.' } dirname($page), $file);
		1 while $target =~ s#(?<![^/])(?!\.\./)[^/]+/\.\./##;
		push @dead, $link unless -e $target && ($anchor eq '' || grep { $_ eq $anchor } anchors($target));
	}
	is_deeply(\@dead, [], "$page: every link leads somewhere");
}

foreach my $page ('README.md', glob 'docs/*.md')
{
	my ($before) = $text{$page} =~ /^(.*?)^## /ms or next;
	my @contents = $before =~ /\]\(#([^)]+)\)/g;
	my %section = map { $_ => 1 } anchors($page, 2);
	is_deeply([ grep { $section{$_} } @contents ], [ anchors($page, 2) ], "$page: the table of contents lists its sections, in their order");
}

cmp_ok(-s 'README.md', '<=', 12_288, 'the README is at most 12 kB');

done_testing();
