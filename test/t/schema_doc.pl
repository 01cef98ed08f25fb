# docs/schema.md says what the catalog says; "make docs" writes it.

use strict;
use warnings FATAL => 'all';
use Digest::MD5 qw(md5_hex);
use Test::More;
use OpenInfoTest;
use PostgreSQL::Test::Utils;

my $node = new_node('schema_doc', bare => 1);
# wherever it is installed: the page names no schema
$node->safe_psql('app', 'CREATE SCHEMA elsewhere; CREATE EXTENSION openinfo SCHEMA elsewhere');

my ($made, $said) = run_command([ 'psql', '-Xq', '-f', 'tools/schema_doc.sql', $node->connstr('app') ]);
is($said, '', 'the page is made without a word');
like($made, qr/^# The schema of openinfo$/m, 'it is a page');
unlike($made, qr/\belsewhere\b/, 'that names no schema');

# What differs, not two pages of two thousand lines.
my $kept = slurp_file('docs/schema.md');
my @made = split /\n/, $made;
my @kept = split /\n/, $kept;
my ($n) = grep { ($made[$_] // '') ne ($kept[$_] // '') } 0 .. ($#made > $#kept ? $#made : $#kept);
ok(!defined $n, 'docs/schema.md is current') or diag sprintf "line %d\nis        %s\nshould be %s\nrun make docs", $n + 1, $kept[$n] // '(end)', $made[$n] // '(end)';

# The picture was drawn from it.
my ($diagram) = $made =~ /^```mermaid\nerDiagram\n(.*?)^```/ms;
my $picture = slurp_file('docs/schema.svg');
is(($picture =~ /^<!-- (\w+) -->$/m)[0], md5_hex($diagram), 'docs/schema.svg is current') or diag 'run make docs';
unlike($picture, qr/\d{4}-\d\d-\d\d/, 'and is the same every day');

# Every table, view and enum type has its place, and every table is in the diagram.
foreach my $object (split /\n/, $node->safe_psql('app', "SELECT relkind, relname FROM pg_class WHERE relnamespace = 'elsewhere'::regnamespace AND relkind IN ('r', 'v')"))
{
	my ($kind, $name) = split /\|/, $object;
	like($made, qr/^### $name$/m, "$name has a section");
	next if $kind ne 'r';
	like($made, qr/^    $name \{$/m, "$name is in the diagram");
	like($picture, qr/<title>$name<\/title>/, "$name is in the picture");
}

done_testing();
