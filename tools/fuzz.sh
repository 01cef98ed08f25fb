#!/bin/bash
# fuzz.sh: generated calls of every C function and generated statements on every table (test/fuzz.sql), then sqlsmith's
# queries as "authenticated" where there is a sqlsmith.  The last line says what was found.
#
#   SEED=N       the same seed makes the same calls (default: another one each time, which is printed)
#   CALLS=N      calls (default 100000)
#   RECORDS=N    records with a contact in them that no member may read (default 120000), see test/fuzz_sealing.sql
#   QUERIES=N    queries of sqlsmith (default 2000; 0: none)
#   COPT=        as make check takes it, e.g. -fsanitize=undefined
#   V=17         another PostgreSQL
set -euo pipefail
. "$(dirname "$0")/lib.sh"

CALLS=${CALLS:-100000} RECORDS=${RECORDS:-120000} QUERIES=${QUERIES:-2000}

# What a server says of itself: a crash, a failed assertion, a sanitizer's report, an error that was never meant to be seen.
trouble='TRAP:|runtime error:|PANIC:|terminated by signal|ERROR:  XX[0-9A-Z]{3}'

sqlsmith_database() {
	psql -Xq -v ON_ERROR_STOP=1 <<-'END'
		CREATE ROLE fuzz_smith LOGIN IN ROLE authenticated;
		-- every connection is a member of the first workspace, with rows to read
		ALTER ROLE fuzz_smith SET search_path = openinfo;
		SELECT format('ALTER ROLE fuzz_smith SET request.jwt.claims = %L', json_build_object('sub', fuzz.id('personaowner'))) \gexec
		-- longer than any query on a few rows should take
		ALTER ROLE fuzz_smith SET statement_timeout = '10s';
		-- what is looked at afterwards
		CREATE TABLE fuzz.before AS SELECT fuzz.checksum(false) AS sum;
	END
}

fuzz_sqlsmith() {
	local seed=$1 status=0 changed
	command -v sqlsmith >/dev/null || { say "sqlsmith is not installed: no queries"; return 0; }
	sqlsmith_database
	say "$QUERIES queries by sqlsmith"
	sqlsmith --target="host=$PGHOST port=$PGPORT user=fuzz_smith dbname=$PGDATABASE" --exclude-catalog --verbose --seed="$seed" \
		--max-queries="$QUERIES" >"$W/smith.out" 2>&1 || status=$?
	grep -E '^error rate' "$W/smith.out" | tail -n 1 || true
	changed=$(psql -XAtc "SELECT fuzz.checksum(false) <> sum FROM fuzz.before")
	[ "$changed" = f ] || { echo "sqlsmith has changed rows that are not the caller's"; return 1; }
	# it ends with 1 when the server goes away
	return "$status"
}

if [ "${1:-}" != --server ]; then
	if [ "$QUERIES" != 0 ] && apt-cache show sqlsmith >/dev/null 2>&1; then export PACKAGES=sqlsmith; fi
	exec "$top/tools/cluster.sh" -d fuzz -c "log_error_verbosity = verbose" -c "client_min_messages = error" -- tools/fuzz.sh --server
fi

SEED=${SEED:-$RANDOM}
failed=0
say "$CALLS calls, seed $SEED"
psql -Xq -v seed="$SEED" -v calls="$CALLS" -f test/fuzz.sql >"$W/fuzz.out" 2>&1 || failed=1
cat "$W/fuzz.out"
result=$(tail -n 1 "$W/fuzz.out")
[[ $failed = 0 && $result = *", 0 problems" ]] || failed=1

say "$RECORDS records of people"
psql -Xq -v records="$RECORDS" -f test/fuzz_sealing.sql >"$W/sealing.out" 2>&1 || failed=1
cat "$W/sealing.out"
[[ $(tail -n 1 "$W/sealing.out") = *", 0 problems" ]] || failed=1

if [ "$failed" = 0 ] && [ "$QUERIES" != 0 ]; then fuzz_sqlsmith "$SEED" || failed=1; fi

if grep -E "$trouble" "$PGHOST/log"; then
	failed=1
	echo "the last call before:"
	grep -aE -B 100000 "$trouble" "$PGHOST/log" | grep -aE 'LOG: .*fuzz: ' | tail -n 1 || true
fi
[ "$failed" = 0 ] || result="$result: failed, SEED=$SEED CALLS=$CALLS repeats it"
echo "$result"
exit "$failed"
