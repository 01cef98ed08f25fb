# A script that has been released never changes.  test/frozen.sha256 has its checksum, from the day on which CHANGELOG.md
# gives its version a date; "make freeze" writes it.  No server is needed.

use strict;
use warnings FATAL => 'all';

use Digest::SHA;
use File::Copy qw(copy);
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

# Versions as one number each, and the version in which a script appeared: the later one of a step, whatever its direction.
sub number { return sprintf '%04d%04d%04d', split /\./, shift }
sub version_of { return (sort { number($b) <=> number($a) } shift =~ /(?<=--)(\d+\.\d+\.\d+)(?=--|\.sql)/g)[0] }

# What is wrong with the tree in a directory.
sub problems
{
	my ($dir) = @_;
	my (%frozen, @problems);
	foreach (grep { !/^#/ } split /\n/, slurp_file("$dir/test/frozen.sha256"))
	{
		my ($sum, $script) = /^([0-9a-f]{64})  (sql\/openinfo--\S+\.sql)$/ or return "not a line of sha256sum: $_";
		push @problems, "$script is listed twice" if $frozen{$script}++;
		if (!-e "$dir/$script") { push @problems, "$script has been released and is missing" }
		elsif (Digest::SHA->new(256)->addfile("$dir/$script")->hexdigest ne $sum) { push @problems, "$script has been released and was changed" }
	}
	my @released = slurp_file("$dir/CHANGELOG.md") =~ /^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$/mg;
	my ($newest) = sort { number($b) <=> number($a) } @released, '0.0.0';
	foreach my $script (map { s#^\Q$dir\E/##r } sort glob "$dir/sql/*.sql")
	{
		my $released = number(version_of($script)) <= number($newest);
		push @problems, "$script has been released and is not listed" if $released && !$frozen{$script};
		push @problems, "$script is listed, but its version has no date in CHANGELOG.md" if !$released && $frozen{$script};
	}
	my %scripts = map { version_of($_) => 1 } keys %frozen;
	push @problems, map { "no script of $_ is listed, which has a date in CHANGELOG.md" } grep { !$scripts{$_} } @released;
	return join "\n", @problems;
}

is(problems('.'), '', 'the released scripts are as they were released') or diag 'a change of a released script belongs into a new version; after a release: make freeze';

# The same on the day of the next release, in a copy.
my $dir = PostgreSQL::Test::Utils::tempdir();
mkdir "$dir/$_" or BAIL_OUT("cannot create $dir/$_: $!") foreach qw(sql test);
copy($_, "$dir/$_") or BAIL_OUT("cannot copy $_: $!") foreach qw(Makefile openinfo.control CHANGELOG.md test/frozen.sha256), glob 'sql/*.sql';
my ($version) = slurp_file('openinfo.control') =~ /^default_version = '(.*)'$/m;

sub edit
{
	my ($file, $change) = @_;
	local $_ = slurp_file("$dir/$file");
	$change->();
	open my $out, '>', "$dir/$file" or BAIL_OUT("cannot write $file: $!");
	print $out $_;
	close $out;
	return;
}
sub freeze { return IPC::Run::run([ 'make', '-s', '-C', $dir, 'freeze' ], '<', '/dev/null', '>&', \$_[0]) }

edit('CHANGELOG.md', sub { s/^(## \[\Q$version\E\] - )unreleased$/${1}2026-01-01/m });
# a later version, which is not released yet, may be there
my $later = "sql/openinfo--$version--99.1.0.sql";
copy((glob 'sql/*.sql')[0], "$dir/$later") or BAIL_OUT("cannot write $later: $!");
edit('Makefile', sub { s/^(DATA = )/$1$later /m });
my $log;
ok(freeze($log), 'make freeze') or diag $log;
is(problems($dir), '', 'then every script is listed');
my $list = slurp_file("$dir/test/frozen.sha256");
ok(freeze($log), 'make freeze, again');
is(slurp_file("$dir/test/frozen.sha256"), $list, 'changes nothing');

my ($script) = glob "$dir/sql/*--$version.sql";
$script =~ s#^\Q$dir\E/##;
edit($script, sub { $_ .= "\n" });
is(problems($dir), "$script has been released and was changed", 'a change of a script is found');
ok(!freeze($log), 'make freeze refuses it');
is(slurp_file("$dir/test/frozen.sha256"), $list, 'and writes nothing');
edit($script, sub { s/\n\z// });
edit('CHANGELOG.md', sub { s/^(## \[\Q$version\E\])/## [99.0.0] - 2026-01-02\n\n$1/m });
is(problems($dir), 'no script of 99.0.0 is listed, which has a date in CHANGELOG.md', 'so is a release without scripts');
edit('CHANGELOG.md', sub { s/^(## \[)(?:99.0.0|\Q$version\E)(\] - )\S+$/$1$version$2unreleased/mg });
like(problems($dir), qr/^\Q$script\E is listed, but its version has no date/m, 'and a list that is ahead of the release');

done_testing();
