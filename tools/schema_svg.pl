#!/usr/bin/perl
# schema_svg.pl <docs/schema.md: docs/schema.svg, the diagram of that page drawn by Graphviz: "make docs" writes it,
# test/t/schema_doc.pl sees that it is current.  Tables that refer to workspaces are in one box instead of being linked to it.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use IPC::Open2;

my $page = do { local $/; <STDIN> };
my ($diagram) = $page =~ /^```mermaid\nerDiagram\n(.*?)^```/ms or die "there is no diagram\n";
my (%columns, %tenant, @links);
while ($diagram =~ /^ +(?:(\w+) (\S+)--(\S+) (\w+) : "([^"]*)"|(\w+) \{\n(.*?)^ +\})/msg)
{
	if ($6) { $columns{$6} = [ map { [split] } split /\n/, $7 ]; next }
	if ($1 eq 'workspaces') { $tenant{$4} = 1; next }
	push @links, { to => $1, optional => $2 eq '|o', single => $3 eq 'o|', from => $4, by => $5 };
}

sub table
{
	my $name = shift;
	my $rows = join '', map {
		my ($type, $column, @keys) = @$_;
		sprintf '<tr><td align="left">%s</td><td align="left"><font color="#666666">%s</font></td><td port="%s"><font color="#666666">%s</font></td></tr>',
		  $column, $type, $column, join ' ', map { s/,//r } @keys
	} grep { $name eq 'workspaces' || $_->[1] ne 'workspace_id' } @{ $columns{$name} };
	return qq(\t$name [label=<<table border="0" cellborder="1" cellspacing="0" cellpadding="4" color="#bbbbbb">)
	  . qq(<tr><td colspan="3" bgcolor="#e8eef4"><b>$name</b></td></tr>$rows</table>>];\n);
}

my $dot = qq(digraph schema {
	graph [rankdir=LR, bgcolor=white, fontname="Helvetica,Arial,sans-serif", fontsize=12, nodesep=0.2, ranksep=0.9];
	node [shape=plaintext, fontname="Helvetica,Arial,sans-serif", fontsize=11];
	edge [color="#555555", dir=both, arrowsize=0.8];
);
$dot .= join '', map { table($_) } grep { !$tenant{$_} } sort keys %columns;
$dot .= qq(subgraph cluster_tenants {\n\tgraph [label="each row belongs to one of the workspaces (workspace_id)", labeljust=l, style="rounded,filled", color="#bbbbbb", fillcolor="#fafafa"];\n);
$dot .= join '', map { table($_) } grep { $tenant{$_} } sort keys %columns;
$dot .= "}\n";
foreach my $link (@links)
{
	$dot .= sprintf "\t%s:%s:e -> %s:w [arrowtail=%s, arrowhead=%s];\n", $link->{from}, $link->{by} =~ /^(\w+)/, $link->{to},
	  $link->{single} ? 'teeodot' : 'crowodot', $link->{optional} ? 'teeodot' : 'teetee';
}
$dot .= "}\n";

my $pid = open2(my $out, my $in, 'dot', '-Tsvg');
print $in $dot;
close $in;
my $svg = do { local $/; <$out> };
waitpid $pid, 0;
die "dot failed\n" if $?;
$svg =~ s/<!.*?>\n?//gs;
# what it was drawn from, for the test
$svg =~ s/(<svg .*?>\n)/$1 . '<!-- ' . md5_hex($diagram) . " -->\n"/se;
print $svg;
