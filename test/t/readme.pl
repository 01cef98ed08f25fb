# The README's first session is what a newcomer pastes first: it runs as it stands there, and answers what it says.

use strict;
use warnings FATAL => 'all';

use IPC::Run;
use OpenInfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $readme = slurp_file('README.md');
my ($section) = $readme =~ /^## First session\n(.*?)^## /ms or BAIL_OUT('README.md has no section "First session"');

my $until_there = substr($readme, 0, $+[1]);
cmp_ok($until_there =~ tr/\n//, '<=', 75, 'it is near the top of the page');

# Blocks of SQL, each with the output that the page shows for it: a block without a language that follows it.
my @blocks;
while ($section =~ /^```(\w*)\n(.*?)^```$/msg)
{
	my ($language, $text) = ($1, $2);
	if ($language eq 'sql') { push @blocks, { sql => $text } }
	elsif (@blocks) { $blocks[-1]{shown} = $text }
}
cmp_ok(scalar @blocks, '>=', 3, 'the section has blocks of SQL');
ok((grep { $_->{shown} } @blocks), 'the section shows an output');

# One session, as it is pasted: from standard input, without stopping at the error that the page shows.
my $node = new_node('readme', bare => 1);
my $input = join '', map { "$_->{sql}\\echo <end of block>\n" } @blocks;
my $output = '';
IPC::Run::run([ 'psql', '-X', '-q', '-d', $node->connstr('app') ], '<', \$input, '>&', \$output);
my @answers = split /<end of block>\n/, $output;
is(scalar @answers, scalar @blocks, 'psql got to the end');

# What an editor strips, and nobody sees.
sub trimmed { my $text = shift; $text =~ s/[ \t]+$//mg; $text =~ s/\n+\z/\n/; return $text }

for my $n (0 .. $#blocks)
{
	my $name = sprintf 'block %d', $n + 1;
	if (defined $blocks[$n]{shown}) { is(trimmed($answers[$n]), trimmed($blocks[$n]{shown}), "$name answers what the page shows") }
	else { unlike($answers[$n], qr/^(ERROR|FATAL|PANIC|WARNING):/m, "$name runs") }
}

done_testing();
