#!/bin/bash
# Install the Debian packages that building, testing and the demonstration need, and that are missing; say
# nothing when none is.  PACKAGES names more of them.  V chooses the PostgreSQL, otherwise the installed one, otherwise Debian's own.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Nothing, while apt has not read its lists yet.
debian_version() {
	{ apt-cache depends postgresql 2>/dev/null || true; } | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p'
}

# One test is skipped without pgbouncer; where nothing can be installed, that is no reason to stop.  Of a version that is
# not in a release of its own yet, Debian has no extensions.
optional_packages() {
	if [ "$V" -le 18 ]; then echo "postgresql-$V-cron" "postgresql-$V-pgtap"; fi
	if [ "$(id -u)" != 0 ] || [ -w /var/lib/dpkg ]; then echo pgbouncer; fi
}

missing_packages() {
	local package
	for package in make gcc libc6-dev "postgresql-$V" "postgresql-server-dev-$V" \
		libipc-run-perl libtap-parser-sourcehandler-pgtap-perl $(optional_packages) ${PACKAGES:-}; do
		dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
	done
}

# Debian makes and starts a cluster "main" with a newly installed server, and starts a newly installed pgbouncer, unless
# it is told not to.  The words are taken back afterwards: they were meant for this installation, not for the next one.
drop_in=/etc/postgresql-common/createcluster.d/openinfo.conf
policy=/usr/sbin/policy-rc.d

install() {
	log=$(mktemp)
	[ ! -e "$policy" ] || policy=		# the machine has one of its own
	# shellcheck disable=SC2086
	trap 'rm -f "$drop_in" $policy "$log"' EXIT
	trap 'exit 130' INT TERM HUP
	if [ -n "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	mkdir -p "${drop_in%/*}"
	echo "create_main_cluster = false" >"$drop_in"
	export DEBIAN_FRONTEND=noninteractive
	{
		apt-get -q update || true		# a stale list of some other source does no harm
		apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends "$@"
	} >"$log" 2>&1 </dev/null || { tail -n 30 "$log" >&2; die "could not install: $*"; }
}

# Another system's packages have other names: leave it to the build to say what it misses.
command -v dpkg-query >/dev/null || exit 0

V=${V:-$(installed_version)}
V=${V:-$(debian_version)}
if [ -n "$V" ]; then
	mapfile -t missing < <(missing_packages)
	[ "${#missing[@]}" -gt 0 ] || exit 0
fi
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null ||
		die "neither root nor sudo; please have these installed: ${missing[*]:-postgresql make gcc}"
	exec sudo V="$V" PACKAGES="${PACKAGES:-}" "$0"
fi

exec 8</var/lib/dpkg		# two at once would take back each other's word
flock 8
if [ -z "$V" ]; then
	apt-get -qq update >/dev/null || true
	V=$(debian_version)
	[ -n "$V" ] || die "apt knows no package \"postgresql\""
fi
mapfile -t missing < <(missing_packages)
[ "${#missing[@]}" -gt 0 ] || exit 0
say "installing ${missing[*]}"
install "${missing[@]}" 8>&-
