# shellcheck shell=bash
# What the benchmarks share; each of them sources it.  A benchmark is an executable script bench/MODULE.sh that run.sh
# starts with a database of its own, in which the extension and bench/lib.sql are loaded.

set -euo pipefail

SCALE=${SCALE:-1}

# scaled N [MINIMUM]: N times SCALE, as a whole number
scaled() { awk -v n="$1" -v s="$SCALE" -v least="${2:-1}" 'BEGIN { n = int(n * s + 0.5); print (n < least ? least : n) }'; }

# sql ARGUMENT...: psql that prints bare values, separated by |
sql() { psql -XqAt -v ON_ERROR_STOP=1 "$@"; }

progress() { echo "bench: $*" >&2; }

# heading TEXT: the title of a table, and its head
heading() {
	table=$1
	printf '\n%s\n' "$1"
	printf '  %-52s %-8s %12s %12s %8s %9s\n' figure unit measured floor ratio target
}

# figure NAME UNIT MEASURED FLOOR TARGET [RATIO]
#
# One line.  With a floor, the target is a ratio to it, and RATIO, when given, is the paired one; with "-" for the floor,
# the target is a value of its own.  "-" for the target: there is none.  What is not a number, and a ratio to a floor of 0,
# reaches no target.
#
# With RESULTS it is a line of that file as well; what begins with "..." belongs to the figure before.
figure() {
	case $1 in *...*) ;; *) subject=$1 ;; esac
	if [ -n "${RESULTS:-}" ]; then
		printf '%s\t%s\t%s\t%s\t%s\n' "$table" "$subject" "$(sed -n 's/^ *\.\.\. //p' <<<"$1")" "$3" "$4" >>"$W/results"
	fi
	awk -v name="$1" -v unit="$2" -v measured="$3" -v floor="$4" -v target="$5" -v ratio="${6:-}" '
		function known(x) { return x ~ /^[0-9]*\.?[0-9]+(e[-+]?[0-9]+)?$/ }
		function number(x) { return x == "-" ? x : !known(x) ? "?" : x >= 1000 ? sprintf("%.0f", x) : x >= 10 ? sprintf("%.1f", x) : sprintf("%.2f", x) }
		BEGIN {
			if (ratio == "") ratio = known(measured) && known(floor) && floor > 0 ? measured / floor : floor == "-" ? "-" : "?"
			judged = floor == "-" ? measured : ratio
			verdict = target == "-" ? "" : known(judged) && judged + 0 <= target + 0 ? "ok" : "MISSED"
			printf "  %-52s %-8s %12s %12s %8s %9s %s\n", name, unit, number(measured), number(floor),
				known(ratio) ? sprintf("%.2f", ratio) : ratio, target == "-" ? "" : "<= " target, verdict
		}' | sed 's/ *$//'
}
