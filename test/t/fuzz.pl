# A short run of test/fuzz.sql, with a seed of its own: the long one is make fuzz.
use strict;
use warnings FATAL => 'all';
use OpenInfoTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('fuzz', bare => 1);
my ($code, $out, $err) = $node->psql('app', "\\i test/fuzz.sql", extra_params => [ '-v', 'seed=20260101', '-v', 'calls=2000' ], on_error_stop => 0);

like($out, qr/^2000 calls with seed 20260101, 0 problems$/m, 'generated calls are answered or refused as documented') or diag $out, $err;
# a call that ends the server ends the connection too
is($code, 0, 'and the server is still there') or diag((grep { /fuzz:/ } split /\n/, slurp_file($node->logfile))[-1]);

($code, $out, $err) = $node->psql('app', "\\i test/fuzz_sealing.sql", extra_params => [ '-v', 'records=4000' ], on_error_stop => 0);
like($out, qr/^\d+ records with a contact, 0 problems$/m, 'no member reads a contact that is planted in a record, and what is on the list is visible') or diag $out, $err;
done_testing();
