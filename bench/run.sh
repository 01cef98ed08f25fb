#!/bin/bash
# The benchmarks: make bench.  Runs under tools/cluster.sh; each benchmark has a database of its own.
#
#   BENCH="isolation credits"   only these
#   SCALE=0.1                   a tenth of the rows; what the numbers mean is said for SCALE=1
#   RESULTS=FILE                set when the figures are to be kept: make bench has FILE open as descriptor 9
. "$(dirname "$0")/lib.sh"

all=(
	isolation
	topics
	trends
	credits
	leads
	requests
	search_leads
	partitions
)

export SCALE

read -r -a modules <<<"${BENCH:-${all[*]}}"
for module in "${modules[@]}"; do
	[ -x "bench/$module.sh" ] || { progress "there is no bench/$module.sh"; exit 1; }
done
unlisted=$(comm -13 <(printf 'bench/%s.sh\n' lib run "${all[@]}" | sort) <(printf '%s\n' bench/*.sh | sort))
[ -z "$unlisted" ] || { progress "not listed in bench/run.sh:" "$unlisted"; exit 1; }

sql -d postgres -c 'SELECT version()' | sed 's/ on .*//'
results=$W/bench.out
for module in "${modules[@]}"; do
	progress "$module"
	export PGDATABASE=bench_$module
	createdb "$PGDATABASE"
	PGOPTIONS='-c client_min_messages=error' sql -c 'CREATE EXTENSION openinfo' -f bench/lib.sql
	"bench/$module.sh" | tee -a "$results"
	dropdb "$PGDATABASE"
done
printf '\n%s of %s targets reached\n' "$(grep -c ' ok$' "$results" || true)" "$(grep -cE ' (ok|MISSED)$' "$results" || true)"

# date, server, machine and scale, then what figure() has
if [ -n "${RESULTS:-}" ]; then
	sed "s/^/$(date -u +%F)\tPostgreSQL $(sql -d postgres -c "SHOW server_version_num" | sed 's/....$//')\t$(nproc) cores, $(sed -n 's/^model name\t: //p' /proc/cpuinfo | head -n 1)\t$SCALE\t/" "$W/results" >&9
fi
