#!/bin/bash
# Every test, on throwaway servers: make check.  The last line is "N passed, N failed", alone.
#
#   V=17                        another PostgreSQL
#   SUITES="regress isolation"  only these of: regress isolation pgtap partitioned tap
#   ONLY="access credits"     only these tests (with the first regress test, which creates the extension)
#   ACCEPT=1                    write what regress and isolation tests printed to expected/; then read git diff
#   COVERAGE=1                  which lines of src/ the tests reach, and whether they reach every error: make coverage
#   VALGRIND=1                  servers run under Valgrind: make valgrind
#   SANITIZE=1                  AddressSanitizer and UBSan: compiled in, and preloaded into the servers; without the Perl tests
#   PARTITIONS=4                regress, isolation and pgtap on a database whose leads has so many partitions
#   KEEP=1                      keep the working directory: results, differences, server logs
set -euo pipefail
. "$(dirname "$0")/lib.sh"

limit=${SUITE_TIMEOUT:-1800}	# seconds; a hanging test must not hang the machine that builds

kept() { stop_servers; say "kept $W"; }

# ---------------------------------------------------------------------- lists

list() { build_make "print-$1" | tr ' ' '\n' | sed '/^$/d'; }

# The tests of a suite that ONLY leaves over.
chosen() {
	local test first=1
	for test in $(list "$1"); do
		# it prints how to create an index, which is another way there
		[ -z "${PARTITIONS:-}" ] || [ "$test" != search_leads ] || continue
		if [ -z "${ONLY:-}" ] || [[ " $ONLY " = *" $test "* ]] || [[ "$1$first" =~ ^(REGRESS|PARTITIONED)1$ ]]; then echo "$test"; fi
		first=
	done
}

files() { find "$1" -name "*$2" -not -path '*/lib/*' -printf '%P\n' 2>/dev/null | sed "s/\\$2\$//"; }

# A test that no list names would never run, unnoticed.
unlisted() {
	local variable directory suffix
	while read -r variable directory suffix; do
		diff <(list "$variable" | sed "s#^$directory/##; s#\\.o\$##; s#\\$suffix\$##" | sort) <(files "$directory" "$suffix" | sort) |
			sed -n "s#^> \\(.*\\)#$directory/\\1$suffix is not listed in $variable in the Makefile#p
			        s#^< \\(.*\\)#$directory/\\1$suffix is listed in $variable in the Makefile but missing#p" || true
	done <<-END
		OBJS      src         .c
		DATA      sql         .sql
		REGRESS   test/sql    .sql
		ISOLATION test/specs  .spec
		PGTAP     test/pgtap  .sql
		TAP       test/t      .pl
	END
	{ list REGRESS; list ISOLATION; } | sort >"$W/tests"
	uniq -d "$W/tests" | sed 's#.*#expected/&.out would belong to two tests: rename one#'
	diff <(uniq "$W/tests") <(files expected .out | sed 's/_[0-9]$//' | sort -u) |
		sed -n 's#^> \(.*\)#expected/\1.out belongs to no listed test#p
		        s#^< \(.*\)#expected/\1.out is missing#p' || true
}

# --------------------------------------------------------------------- suites
# Each suite is handed the names of its tests, prints what its runner says, and calls count PASSED FAILED LOG...

# What a server says of itself and no client sees, a sanitizer's report above all, is one more failure.
count() {
	local trouble='TRAP:|runtime error:|ERROR: AddressSanitizer'
	[ "$suite" = tap ] || trouble+='|PANIC:|terminated by signal'	# there, servers are killed on purpose
	if grep -hE "$trouble" "${@:3}" 2>/dev/null; then set -- "$1" $(($2 + 1)); fi
	echo "$1 $2" >"$W/count.$suite"
}

# The tests then run on a partitioned table: the end of the first regress test makes it one, or a database of our own does.
partition_database() {
	local call="SELECT openinfo.partition_leads($PARTITIONS) \\g /dev/null"
	[ -z "${ACCEPT:-}" ] || die "what is expected is what a plain table gives: ACCEPT=1 without PARTITIONS"
	if [[ "$1" = isolation/* ]]; then
		createdb "openinfo_$suite"
		psql -Xq -d "openinfo_$suite" -c "CREATE EXTENSION openinfo" -c "SELECT partition_leads($PARTITIONS)" >/dev/null
		options=(--use-existing)
	else
		echo "$call" | tee -a "$W/$suite/in/sql/install.sql" >>"$W/$suite/in/expected/install.out"
	fi
}

# PostgreSQL's messages name the partition, and its index, where they would name the table: leads_p0 for leads.  This
# replaces the verdict of pg_regress.
judge_partitioned() {
	local failed=0 in=$W/$suite/in/expected results=$W/$suite/results test
	: >"$W/$suite/regression.diffs"
	for test; do
		sed -Ei 's/\b(leads[a-z_]*|idx_leads[a-z_]*)_p[0-9]+\b/\1/g' "$in/$test.out" "$results/$test.out" || true
		diff -U3 "$in/$test.out" "$results/$test.out" >>"$W/$suite/regression.diffs" && continue
		echo "test $test ... FAILED"
		failed=$((failed + 1))
	done >"$out"
	if [ "$failed" = 0 ]; then echo " All $# tests passed"; else echo " $failed of $# tests failed"; fi >>"$out"
}

# pg_regress and pg_isolation_regress are one program with two ways to run a file.
with_pg_regress() {
	local runner=$1 options=() tests=("${@:2}") out=$W/$suite/out database=openinfo_$suite closing test
	# the same tests as those of suite regress, and they name the database
	[ "$suite" != partitioned ] || database=openinfo_regress
	[[ "$runner" != isolation/* ]] || options=(--load-extension=openinfo)
	start_server "$suite" openinfo_cron
	# input of its own: a missing expected file would end pg_regress, an empty one shows the whole output
	mkdir -p "$W/$suite/in" expected
	cp -r expected test/sql "$W/$suite/in/"
	ln -s "$PWD/test/specs" "$W/$suite/in/"
	[ -z "${PARTITIONS:-}" ] || partition_database "$runner"
	for test in "${tests[@]}"; do touch "$W/$suite/in/expected/$test.out"; done

	timeout --foreground "$limit" "$test_dir/$runner" --inputdir="$W/$suite/in" --outputdir="$W/$suite" \
		--bindir="$PGBIN" --host="$PGHOST" --port="$PGPORT" --user=postgres --dbname="$database" \
		"${options[@]}" "${tests[@]}" >"$out" 2>&1 || true
	[ -z "${PARTITIONS:-}" ] || judge_partitioned "${tests[@]}"
	grep -vE '^(=====|# (using|initial)|\(using|(CREATE|DROP|ALTER|GRANT|SET)( |$)|$)' "$out" || true
	head -n "${DIFF_LINES:-400}" "$W/$suite/regression.diffs" 2>/dev/null || true
	if [ -n "${ACCEPT:-}" ]; then
		for test in "${tests[@]}"; do cp "$W/$suite/results/$test.out" "$W/accepted/" || true; done
	fi

	closing=$(grep -E '(All|[0-9]+ of) [0-9]+ tests (passed|failed)' "$out" | tail -n 1 || true)
	case $closing in
		*All*)   count "${#tests[@]}" 0 "$W/$suite/log" ;;
		*failed*)
			closing=$(grep -oE '[0-9]+ of' <<<"$closing")
			count $((${#tests[@]} - ${closing% of})) "${closing% of}" "$W/$suite/log" ;;
		*)       count 0 "${#tests[@]}" "$W/$suite/log" ;;		# it did not get to its end
	esac
}
suite_regress()   { with_pg_regress regress/pg_regress "$@"; }
suite_isolation() { with_pg_regress isolation/pg_isolation_regress "$@"; }
suite_partitioned() { PARTITIONS=${PARTITIONS:-4}; with_pg_regress regress/pg_regress "$@"; }

# A file in prove's summary has failed even when all the tests that it got to passed.
count_prove() {
	local run failed
	run=$(sed -n 's/^Files=[0-9]*, Tests=\([0-9]*\),.*/\1/p' "$1")
	failed=0
	grep -qx 'Result: PASS' "$1" ||
		failed=$(sed -n 's/.*(Wstat: .* Tests: [0-9]* Failed: \([0-9]*\))$/\1/p' "$1" | awk '{ n += ($1 ? $1 : 1) } END { print (n ? n : 1) }')
	run=${run:-0}
	# prove calls a run that a test has bailed out of a success
	if grep -q 'Further testing stopped' "$1"; then failed=$((failed + 1)) run=$((run + 1)); fi
	count $((run > failed ? run - failed : 0)) "$failed" "${@:2}"
}

suite_pgtap() {
	start_server pgtap openinfo_cron
	createdb openinfo_pgtap
	# pgTAP in a schema of its own, which the tests' roles may use, keeps it apart from what is tested
	psql -Xq -v ON_ERROR_STOP=1 -d openinfo_pgtap <<-'END'
		CREATE SCHEMA tap;
		GRANT USAGE ON SCHEMA tap TO PUBLIC;
		CREATE EXTENSION pgtap SCHEMA tap;
		CREATE EXTENSION openinfo SCHEMA public;
		ALTER DATABASE openinfo_pgtap SET search_path = public, tap;
	END
	[ -z "${PARTITIONS:-}" ] || psql -Xq -v ON_ERROR_STOP=1 -d openinfo_pgtap -c "SELECT partition_leads($PARTITIONS)" >/dev/null
	timeout --foreground "$limit" pg_prove --psql-bin "$PGBIN/psql" --dbname openinfo_pgtap \
		"${@/#/test/pgtap/}" 2>&1 | tee "$W/pgtap/out" || true
	count_prove "$W/pgtap/out" "$W/pgtap/log"
}

suite_tap() {
	local log
	mkdir "$W/tap"
	{ cat test/postgresql.conf; staged_settings; } >"$W/tap/conf"
	# TESTDIR is what 15 reads, the other two what 16 and later do
	env TESTDIR="$W/tap" TESTDATADIR="$W/tap/tmp_check" TESTLOGDIR="$W/tap/tmp_check/log" TEMP_CONFIG="$W/tap/conf" \
		PG_REGRESS="$test_dir/regress/pg_regress" PGPORT=65432 \
		timeout --foreground "$limit" prove -j2 -I "$test_dir/perl" -I test/t/lib "${@/#/test/t/}" 2>&1 |
		tee "$W/tap/out" || true
	count_prove "$W/tap/out" "$W"/tap/tmp_check/log/*.log
	sed -n 's#^test/t/\(.*\)\.pl *(Wstat:.*#\1#p' "$W/tap/out" | while read -r log; do
		echo "--- the end of the log of test/t/$log.pl"
		tail -n 40 "$W/tap/tmp_check/log/regress_log_$log" || true
	done
}

# ------------------------------------------------------- servers with a watcher

# wrap_postgres COMMAND: servers are started by COMMAND, whose last words are the server and its arguments.
wrap_postgres() {
	export POSTGRES=$W/postgres-watched
	printf '#!/bin/sh\nexec %s %s "$@"\n' "$1" "$PGBIN/postgres" >"$POSTGRES"
	chmod +x "$POSTGRES"
}

# The server has not been compiled with it, so the library comes first by preloading.  Memory contexts are blocks of malloc()
# to it: it finds what leaves a block, and what goes wrong on the stack and in static data.
prepare_sanitizer() {
	export COPT="${COPT:-} -g -fsanitize=address,undefined -fno-sanitize-recover=undefined"
	# Started by the constructor of libgpg-error, which calls malloc() in bindtextdomain(), it would call that
	# again and leave a lock behind, for which the server then waits: so it is started before, by an allocation.
	echo 'void *malloc(unsigned long), free(void *); __attribute__((constructor)) static void begin(void) { free(malloc(1)); }' |
		gcc -x c -O0 -fPIC -shared -Wl,-z,initfirst -o "$W/begin.so" -
	wrap_postgres "env LD_PRELOAD=$(gcc -print-file-name=libasan.so):$W/begin.so ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1"
}

# Debian's server has none of Valgrind's annotations of memory contexts: a use of what was never allocated or never written
# is found, a use after pfree() is not.
prepare_valgrind() {
	mkdir "$W/valgrind"
	export COPT="${COPT:-} -g"
	wrap_postgres "valgrind --quiet --trace-children=yes --leak-check=no --num-callers=30 --log-file=$W/valgrind/%p.log"
}

# An error is a paragraph; one that does not come by our library is the server's own.
judge_valgrind() {
	local processes errors
	processes=$(find "$W/valgrind" -name '*.log' | wc -l)
	[ "$processes" -gt 3 ] || { echo "valgrind has watched no server"; return 1; }
	cat "$W"/valgrind/*.log | sed 's/^==[0-9]*== *//' | awk -v RS= -v ORS='\n\n' '/openinfo/' >"$W/valgrind.errors"
	cat "$W/valgrind.errors"
	errors=$(grep -c '^$' "$W/valgrind.errors" || true)
	echo "$processes processes watched, $errors errors"
	[ "$errors" = 0 ]
}

# ----------------------------------------------------------------------- main

run_suite() {	# NAME VARIABLE SUFFIX; in a subshell of its own: a suite's environment is its own affair
	suite=$1
	local tests
	[[ " $SUITES " = *" $suite "* ]] || return 0
	mapfile -t tests < <(chosen "$2" | sed "s/\$/$3/")
	[ "${#tests[@]}" -gt 0 ] || return 0
	echo "0 1" >"$W/count.$suite"		# until it says otherwise
	( "suite_$suite" "${tests[@]}" ) >"$W/output.$suite" 2>&1 || echo "the suite ended early" >>"$W/output.$suite"
	[ "$(cat "$W/count.$suite")" != "0 0" ] || { echo "0 1" >"$W/count.$suite"; echo "no test ran" >>"$W/output.$suite"; }
	echo "== $suite"
	cat "$W/output.$suite"
}

# The Perl tests take longest and mostly wait for servers to start: they run beside the others.
run_suites() {
	run_suite tap TAP .pl >"$W/tap.late" &
	run_suite regress REGRESS ''
	run_suite isolation ISOLATION ''
	run_suite pgtap PGTAP .sql
	run_suite partitioned PARTITIONED ''
	wait
	cat "$W/tap.late"
}

finish() {
	echo
	echo "$1 passed, $2 failed"
	[ "$2" = 0 ] && [ "$1" -gt 0 ]
}

# As postgres, the tests may not write to the tree; so the script that root started keeps a pipe into expected/ open.
if [ -n "${ACCEPT:-}" ] && [ -z "${OI_WORKDIR:-}" ]; then
	mkdir -p "$top/expected"
	exec 9> >(tar -C "$top/expected" --no-same-owner --no-same-permissions -xf -)
fi

if [ -n "${VALGRIND:-}" ]; then export PACKAGES=valgrind; fi
enter_workdir "$0" "$@"
# the Perl tests start servers of their own, without what is preloaded
if [ -n "${SANITIZE:-}" ]; then SUITES=${SUITES:-regress isolation pgtap}; fi
[ -n "${ONLY:-}" ] || SUITES=${SUITES:-regress isolation pgtap partitioned tap}
SUITES=${SUITES:-regress isolation pgtap tap}
if [ -n "${COVERAGE:-}" ]; then export COPT="${COPT:-} --coverage -O0"; fi
if [ -n "${VALGRIND:-}" ]; then prepare_valgrind; fi
if [ -n "${SANITIZE:-}" ]; then prepare_sanitizer; fi
mkdir "$W/accepted"
build || { finish 0 1; exit 1; }
test_dir=$(dirname "$(pg_config --pgxs)")/../test
echo "openinfo $(build_make print-EXTVERSION) on $("$PGBIN/postgres" --version)"

interruptible run_suites </dev/null

passed=0 failed=0
for counted in "$W"/count.*; do
	[ -e "$counted" ] || continue
	read -r good bad <"$counted"
	passed=$((passed + good)) failed=$((failed + bad))
done
if [ -n "${COVERAGE:-}" ]; then
	echo "== coverage"
	tools/coverage.pl src "${LEAST:-92}" || failed=$((failed + 1))
fi
if [ -n "${VALGRIND:-}" ]; then
	echo "== valgrind"
	judge_valgrind || failed=$((failed + 1))
fi
{ unlisted; tools/lint.sh arrows columns files functions words; } >"$W/tree" || true
if [ -s "$W/tree" ]; then
	echo "== tree"
	cat "$W/tree"
	# a selection is run in the middle of something
	[ -n "${ONLY:-}" ] || failed=$((failed + $(wc -l <"$W/tree")))
fi
if [ -n "${ACCEPT:-}" ]; then tar -C "$W/accepted" -cf - . >&9; fi
finish "$passed" "$failed"
