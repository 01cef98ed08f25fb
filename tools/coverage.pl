#!/usr/bin/perl
# coverage.pl DIRECTORY LEAST: what gcov has counted in DIRECTORY, file by file and in total.
#
# Fails when less than LEAST percent of the lines were reached, or an error that a user can meet was not: a function of
# core/errors.c, or an ereport(ERROR) elsewhere.  An error that no test raises may have lost its check.  Where that is so by
# nature, the line says "not tested".  UNCOVERED=1 lists the lines that were not reached.
use strict;
use warnings FATAL => 'all';
use JSON::PP;

my ($directory, $least) = @ARGV;
my (%lines, %errors);

sub source
{
	my ($name) = @_;
	open my $in, '<', $name or die "$name: $!\n";
	return <$in>;
}

for my $data (glob "$directory/*.gcda $directory/*/*.gcda")
{
	my $text = qx{gcov --json-format --stdout '$data' 2>/dev/null};
	die "gcov says nothing of $data\n" if $text eq '';
	for my $file (map { @{ decode_json($_)->{files} } } split /\n/, $text)
	{
		my $name = $file->{file} =~ s{^.*/}{}r;
		next if $file->{file} =~ m{^/usr/} || $name !~ /\.c$/;
		$lines{$name}{ $_->{line_number} } += $_->{count} for @{ $file->{lines} };
		if ($name eq 'errors.c')
		{
			$errors{"$_->{name}()"} += $_->{execution_count} for @{ $file->{functions} };
			next;
		}
		my @source = source($file->{file});
		for my $line (@{ $file->{lines} })
		{
			next unless ($source[ $line->{line_number} - 1 ] // '') =~ /\bereport\(ERROR/ && $' !~ /not tested/;
			$errors{"$name:$line->{line_number}"} += $line->{count};
		}
	}
}
die "no counts in $directory: compile with --coverage\n" unless %lines && %errors;

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

my @silent = grep { !$errors{$_} } sort keys %errors;
printf "%-16s %5d of %5d\n", 'errors', keys(%errors) - @silent, scalar keys %errors;
print "no test reaches $_\n" for @silent;
print "less than $least % of the lines were reached\n" if $percent < $least;
exit(@silent || $percent < $least ? 1 : 0);
