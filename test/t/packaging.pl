# What the packages say of themselves: META.json by PGXN's specification 1.0.0, and one version everywhere.

use strict;
use warnings FATAL => 'all';
use CPAN::Meta::YAML;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::Piece;

my $semver = qr/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)([a-zA-Z][-0-9A-Za-z]*)?$/;
my $control = slurp_file('openinfo.control');
my ($version) = $control =~ /^default_version = '(.*)'$/m or BAIL_OUT('openinfo.control has no default_version');

# ---------------------------------------------------------------------- META.json

my $meta = eval { JSON::PP->new->decode(slurp_file('META.json')) };
is(ref $meta, 'HASH', 'META.json is an object') or BAIL_OUT("META.json: $@");

# Required, and nothing that the specification does not know but what begins with x_.
my @required = qw(abstract license maintainer meta-spec name provides version);
my %known = map { $_ => 1 } @required, qw(description generated_by no_index prereqs release_status resources tags);
is_deeply([ grep { !defined $meta->{$_} } @required ], [], 'nothing that is required is missing');
is_deeply([ grep { !$known{$_} && !/^x_/i } sort keys %$meta ], [], 'nothing that is unknown is there');

like($meta->{name}, qr/^[^\/\\[:space:][:cntrl:]]{2,}$/, 'name');
is($meta->{name}, 'openinfo', 'the name is the extension\'s');
like($meta->{version}, $semver, 'version');
is($meta->{'meta-spec'}{version}, '1.0.0', 'meta-spec');
like($meta->{'meta-spec'}{url}, qr{^https?://pgxn\.org/meta/spec\.txt$}, 'meta-spec url');
ok(length $meta->{$_} && !ref $meta->{$_}, "$_ is a text") foreach qw(abstract description generated_by);
like($_, qr/\S/, 'maintainer') foreach ref $meta->{maintainer} ? @{ $meta->{maintainer} } : $meta->{maintainer};
my %license = map { $_ => 1 } qw(agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd freebsd gfdl_1_2 gfdl_1_3 gpl_1 gpl_2 gpl_3 lgpl_2_1 lgpl_3_0 mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql qpl_1_0 ssleay sun zlib open_source restricted unrestricted unknown);
ok($license{ $meta->{license} }, 'license');
like($meta->{release_status}, qr/^(stable|testing|unstable)$/, 'release_status');

foreach my $name (sort keys %{ $meta->{provides} })
{
	my $provided = $meta->{provides}{$name};
	is_deeply([ grep { !/^(abstract|file|version|docfile)$/ } keys %$provided ], [], "provides $name: known keys");
	ok(-f $provided->{$_}, "provides $name: $provided->{$_} is there") foreach qw(file docfile);
	is($provided->{version}, $version, "provides $name: version");
}
is_deeply([ keys %{ $meta->{provides} } ], ['openinfo'], 'the extension is provided');
foreach my $phase (sort keys %{ $meta->{prereqs} })
{
	like($phase, qr/^(configure|build|test|runtime|develop)$/, "prereqs: phase $phase");
	foreach my $relation (sort keys %{ $meta->{prereqs}{$phase} })
	{
		like($relation, qr/^(requires|recommends|suggests|conflicts)$/, "prereqs: $phase $relation");
		my $wanted = $meta->{prereqs}{$phase}{$relation};
		like($wanted->{$_}, $semver, "prereqs: $phase $relation $_") foreach sort keys %$wanted;
	}
}
is_deeply([ grep { !/^(homepage|bugtracker|repository)$/ } keys %{ $meta->{resources} } ], [], 'resources: known keys');
is_deeply([ grep { ref || !/^[^\/\\[:cntrl:]]{1,255}$/ } @{ $meta->{tags} } ], [], 'tags');

# ---------------------------------------------------------------------- one version

is($meta->{version}, $version, 'META.json has the version of openinfo.control');
my ($released) = slurp_file('CHANGELOG.md') =~ /^## \[\Q$version\E\] - (\d{4}-\d\d-\d\d|unreleased)$/m;
ok($released, 'CHANGELOG.md has it, with its date or "unreleased"') or $released = 'unreleased';
ok(scalar(glob "sql/openinfo--*--$version.sql"), 'a script leads to it');
my $debian = slurp_file('debian/changelog');
like($debian, qr/\Aopeninfo \(\Q$version\E(-\d+)?\) /, 'debian/changelog has it');

# ---------------------------------------------------------------------- released everywhere, or nowhere

is($meta->{release_status}, $released eq 'unreleased' ? 'testing' : 'stable', 'META.json knows whether it is released');
my $state = $released eq 'unreleased' ? "$version (unreleased)" : $version;
like(slurp_file('README.md'), qr/^\Q$state\E ·/m, "README.md says $state");
if ($released ne 'unreleased')
{
	my ($day) = $debian =~ /^ -- .*>  (\w{3}, \d\d \w{3} \d{4}) /m;
	is(Time::Piece->strptime($day, '%a, %d %b %Y')->ymd, $released, 'debian/changelog has the same day');
}

# ---------------------------------------------------------------------- the Debian package

my $template = slurp_file('debian/control.in');
is(slurp_file('debian/control'), $template =~ s/PGVERSION/15/gr, 'debian/control is made from control.in, for 15');
ok(-x $_, "$_ can be executed") foreach qw(debian/rules debian/tests/session tools/deb.sh tools/deb_test.sh);
my ($license) = slurp_file('LICENSE') =~ /^(Permission .*?)\n\n/ms;
like(slurp_file('debian/copyright') =~ s/^ //mgr, qr/\Q$license\E/, 'debian/copyright has the licence');

# ---------------------------------------------------------------------- containers

my $dockerfile = slurp_file('Dockerfile');
my %stage = map { $_ => 1 } $dockerfile =~ /^FROM \S+ AS (\w+)$/mg;
my @copied = map { my @words = split; @words[0 .. $#words - 1] } $dockerfile =~ /^COPY (?!--)(.*)$/mg;
cmp_ok(scalar @copied, '>=', 4, 'the Dockerfile copies files');
ok(-e, "COPY $_") foreach @copied;
ok($stage{$_}, "stage $_") foreach $dockerfile =~ /\bfrom=(\w+)/g;
# what is behind the last FROM is what is built when nothing is said
my ($server) = $dockerfile =~ /^(FROM \S+ AS server\n(?:(?!^FROM ).*\n)*)\z/m or fail('the last stage is the server');
like($server, qr/^$_ /m, "the server has $_") foreach qw(USER VOLUME HEALTHCHECK ENTRYPOINT);
like($server, qr/^USER postgres$/m, 'it does not run as root');
foreach my $script (glob 'container/*.sh')
{
	is(system('sh', '-n', $script), 0, "$script is a shell script");
}

# These files keep to the part of YAML that Perl reads by itself.
my ($compose, $cluster) = map { CPAN::Meta::YAML->read_string(slurp_file($_))->[0] } 'compose.yaml', 'container/cloudnativepg.yaml';
is_deeply([ sort keys %{ $compose->{services} } ], [qw(api db pooler)], 'services');
foreach my $name (sort keys %{ $compose->{services} })
{
	my $service = $compose->{services}{$name};
	ok($service->{image}, "$name: an image");
	ok($stage{ $service->{build}{target} // 'server' }, "$name: what is built is in the Dockerfile") if $service->{build};
	ok(-f, "$name: $_ is there") foreach map { m{^(\./[^:]*):} } @{ $service->{volumes} // [] };
	ok($compose->{services}{$_}, "$name: $_ is a service") foreach keys %{ $service->{depends_on} // {} };
	like($_, qr/^127\.0\.0\.1:/, "$name: $_ is not open to other machines") foreach @{ $service->{ports} // [] };
	# with :? an installation without a password does not start
	my %variable = (%{ $service->{environment} // {} });
	unlike($variable{$_}, qr/\$(?!\{\w+:\?\})/, "$name: $_ is required") foreach sort keys %variable;
}
my $logins = slurp_file('container/logins.sql');
ok(defined $compose->{services}{db}{environment}{$_}, "the server is given $_") foreach $logins =~ /^\\getenv \w+ (\w+)$/mg;
is_deeply([ sort map { $_->{name} } @{ $cluster->{spec}{managed}{roles} } ], [ sort $logins =~ /^CREATE ROLE (\w+)/mg ], 'the cluster of the operator has the same logins');
like((join ' ', @{ $cluster->{spec}{bootstrap}{initdb}{postInitApplicationSQL} }), qr/CREATE EXTENSION pg_cron CREATE SCHEMA app CREATE EXTENSION openinfo SCHEMA app$/, 'and creates the extension');

done_testing();
