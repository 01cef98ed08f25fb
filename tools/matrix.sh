#!/bin/bash
# matrix.sh [-j N] [VERSION...]: make check on other PostgreSQL majors, each in a Debian chroot that has it.
# Needs root and a Debian host; asks for mmdebstrap.  Default: 15 17 18 19.
#
#   CHROOTS=DIR   where chroots are kept between runs, see chroots.sh
#   LOGS=DIR      where the output of each version goes (default: a new directory below /tmp, named at the end)
#   COPT=, SANITIZE=, SUITES=, ONLY=   as make check takes them
#   WERROR=         lets warnings of the compiler pass
#
# Tests run in a mount namespace that sees the chroot read-only, with
# its own /tmp, /run and process ids, so that nothing survives a run and two runs may share a chroot.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/chroots.sh"

parallel=2
if [ "${1:-}" = -j ]; then parallel=$2; shift 2; fi
[ $# -gt 0 ] || set -- 15 17 18 19
need_chroots "$@"
LOGS=${LOGS:-$(mktemp -d /tmp/openinfo-matrix.XXXXXX)}
mkdir -p "$LOGS"

run_version() {
	local version=$1 root=$CHROOTS/pg$1 start=$SECONDS result=0
	make_chroot "$version" >"$LOGS/$version.chroot" 2>&1 || { say "PostgreSQL $version: no chroot, see $LOGS/$version.chroot"; return 1; }
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child --ipc --propagation private bash -c '
		set -e
		mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"
		mount --bind "$2" "$1/mnt" && mount -o remount,bind,ro "$1/mnt"
		mount -t proc proc "$1/proc"
		mount -t tmpfs -o mode=1777 tmp "$1/tmp"
		mount -t tmpfs run "$1/run"
		mount --rbind /dev "$1/dev"
		mkdir "$1/run/lock"
		exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp TERM=dumb V="$3" WERROR="${WERROR-1}" COPT="${COPT:-}" SANITIZE="${SANITIZE:-}" \
			${SUITES:+SUITES="$SUITES"} ${ONLY:+ONLY="$ONLY"} /mnt/tools/check.sh
	' _ "$root" "$top" "$version" >"$LOGS/$version.log" 2>&1 </dev/null || result=$?
	echo "PostgreSQL $version (${suite[$version]}): $(tail -n 1 "$LOGS/$version.log"), $((SECONDS - start)) s, $LOGS/$version.log"
	return "$result"
}

failed=0 running=0
for version; do
	run_version "$version" &
	running=$((running + 1))
	if [ "$running" -ge "$parallel" ]; then wait -n || failed=1; running=$((running - 1)); fi
done
while [ "$running" -gt 0 ]; do wait -n || failed=1; running=$((running - 1)); done
exit "$failed"
