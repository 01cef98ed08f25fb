#!/usr/bin/perl
# coverage.pl DIRECTORY LEAST: what gcov has counted in DIRECTORY, file by file and in total.
#
# Fails when less than LEAST percent of the lines were reached, or a function of refuse.c was not: a refusal that no test
# provokes may have lost its check.  UNCOVERED=1 lists the lines that were not reached.
use strict;
use warnings FATAL => 'all';
use JSON::PP;

my ($directory, $least) = @ARGV;
my (%lines, %refusals);

for my $data (glob "$directory/*.gcda")
{
	my $text = qx{gcov --json-format --stdout '$data' 2>/dev/null};
	die "gcov says nothing of $data\n" if $text eq '';
	for my $file (map { @{ decode_json($_)->{files} } } split /\n/, $text)
	{
		my $name = $file->{file} =~ s{^.*/}{}r;
		next if $file->{file} =~ m{^/usr/} || $name !~ /\.c$/;
		$lines{$name}{ $_->{line_number} } += $_->{count} for @{ $file->{lines} };
		next unless $name eq 'refuse.c';
		$refusals{ $_->{name} } += $_->{execution_count} for @{ $file->{functions} };
	}
}
die "no counts in $directory: compile with --coverage\n" unless %lines && %refusals;

my ($all, $reached) = (0, 0);
for my $name (sort keys %lines)
{
	my @missed = sort { $a <=> $b } grep { !$lines{$name}{$_} } keys %{ $lines{$name} };
	my $count = keys %{ $lines{$name} };
	$all += $count;
	$reached += $count - @missed;
	printf "%-16s %5d of %5d lines  %5.1f %%\n", $name, $count - @missed, $count, 100 * ($count - @missed) / $count;
	print "                 not reached: @missed\n" if $ENV{UNCOVERED} && @missed;
}
my $percent = 100 * $reached / $all;
printf "%-16s %5d of %5d lines  %5.1f %%\n", 'all', $reached, $all, $percent;

my @silent = grep { !$refusals{$_} } sort keys %refusals;
printf "%-16s %5d of %5d\n", 'refusals', keys(%refusals) - @silent, scalar keys %refusals;
print "no test reaches $_()\n" for @silent;
print "less than $least % of the lines were reached\n" if $percent < $least;
exit(@silent || $percent < $least ? 1 : 0);
