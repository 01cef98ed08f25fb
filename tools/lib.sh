# shellcheck shell=bash
# What deps.sh, cluster.sh and check.sh share: choosing a PostgreSQL, leaving root behind, building into a
# staging directory, and servers that live below one working directory and die with it.
#
# The one invariant: everything a run makes (copy of the source, build, servers, sockets, temporary files) is
# below $W, a directory of mode 700, and cleanup() stops every server found there before it removes it.  That
# is why two runs never meet, and why "trust" on the socket is safe: nobody else can reach the socket.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
job=		# process group that interruptible() is waiting for

say() { echo "openinfo: $*" >&2; }
die() { say "$*"; exit 1; }

# The PostgreSQL to use when V does not say: the newest server that is installed.
installed_version() {
	local postgres
	for postgres in /usr/lib/postgresql/*/bin/postgres; do
		if [ -x "$postgres" ]; then basename "${postgres%/bin/postgres}"; fi
	done | sort -n | tail -n 1
}

# need_packages NAME...: install those Debian packages that are missing.
need_packages() {
	local package missing=() as_root=()
	for package; do
		dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || as_root=(sudo)
	say "installing ${missing[*]}"
	"${as_root[@]}" apt-get -qq update || true
	DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# Run a command or a function so that a signal to this script is acted upon at once: bash runs a trap only
# between commands, but interrupts a wait.  The job has a process group of its own, so that all of it can be
# ended.  On a terminal the command stays in the foreground, where it may read keys and is sent ^C itself.
interruptible() {
	if [ -t 0 ]; then "$@"; return; fi
	local status=0
	set -m
	"$@" <&0 &
	job=$!
	set +m
	wait "$job" || status=$?
	job=
	return "$status"
}

stop_servers() {
	local pidfile
	find "$W" -name postmaster.pid 2>/dev/null | while read -r pidfile; do
		"$PGBIN/pg_ctl" -D "${pidfile%/*}" -m fast -t 15 -s stop 2>/dev/null ||
			"$PGBIN/pg_ctl" -D "${pidfile%/*}" -m immediate -s stop 2>/dev/null || true
	done
}

# KEEP=1 keeps $W, and calls the script's own kept() to say what is left and how to use it.
cleanup() {
	local status=$?
	trap '' INT TERM HUP
	trap - EXIT
	if [ -n "$job" ]; then
		kill -TERM -- "-$job" 2>/dev/null || true
		wait "$job" 2>/dev/null || true
	fi
	cd /
	if [ -n "${KEEP:-}" ]; then kept; else stop_servers; rm -rf "$W"; fi
	exit "$status"
}

# tar says 1 when a file changed or went away while it was read; in a tree that people work in, that is life.
copy_source() {
	mkdir "$1"
	{ tar -C "$top" --exclude=.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' -cf - . 2>/dev/null || [ $? -eq 1 ]; } |
		tar -C "$1" --no-same-owner -xf -
}

# enter_workdir SCRIPT ARGUMENT...: install what is missing, make $W with a copy of the source, and of the
# directory $input when it is set, and continue there.  A server refuses to run as root, so root starts SCRIPT again as postgres, who may not be able to read
# the original tree; exec, not a child, so that signals arrive where the traps are.
enter_workdir() {
	if [ -n "${OI_WORKDIR:-}" ]; then
		W=$OI_WORKDIR
		unset OI_WORKDIR
	else
		"$top/tools/deps.sh"
		W=$(mktemp -d /tmp/oi.XXXXXX)		# short: a socket's path has 107 bytes at most
		trap 'rm -rf "$W"' EXIT
		trap 'exit 130' INT TERM HUP
		copy_source "$W/src"
		[ -z "${input:-}" ] || { cp -RL "$input" "$W/input" && chmod -R u+w "$W/input"; }	# or it could not be removed
		if [ "$(id -u)" = 0 ]; then
			local user=${OI_USER:-postgres}
			chown -R "$user:" "$W"
			cd /
			OI_WORKDIR=$W HOME=$W USER=$user LOGNAME=$user exec setpriv --reuid="$user" \
				--regid="$(id -g "$user")" --clear-groups "$W/src/tools/${1##*/}" "${@:2}"
		fi
	fi
	V=${V:-$(installed_version)}
	PGBIN=/usr/lib/postgresql/$V/bin
	[ -x "$PGBIN/postgres" ] || die "there is no PostgreSQL ${V:-server} below /usr/lib/postgresql"
	trap cleanup EXIT
	trap 'exit 130' INT TERM HUP

	# the caller's PGUSER, PGOPTIONS, PG_TEST_... and make's own -n or -j must not leak into a run
	local name
	for name in "${!PG@}"; do [ "$name" = PGBIN ] || unset "$name"; done
	unset MAKEFLAGS MFLAGS MAKELEVEL
	mkdir "$W/tmp"
	export W V PGBIN PATH="$PGBIN:$PATH" HOME="$W" TMPDIR="$W/tmp" LC_ALL=C.UTF-8
	cd "$W/src" || exit
}

# clang is not required: bitcode serves only the JIT compiler
build_make() { make -s --no-print-directory with_llvm=no PG_CONFIG="$PGBIN/pg_config" "$@"; }

# Build and install below $W/stage: the system's PostgreSQL never sees the extension.
build() {
	say "building for PostgreSQL $V"
	if ! { build_make -j2 all && build_make install DESTDIR="$W/stage"; } >"$W/build.log" 2>&1; then
		cat "$W/build.log" >&2
		return 1
	fi
	grep -A 6 'warning:' "$W/build.log" >&2 || true
}

# The settings that let a server find what build() staged.
staged_settings() {
	local share lib
	share=$(pg_config --sharedir) lib=$(pg_config --pkglibdir)
	echo "dynamic_library_path = '$W/stage$lib:\$libdir'"
	if grep -q extension_destdir "$share/postgresql.conf.sample"; then
		echo "extension_destdir = '$W/stage'"					# Debian's own, up to 17
	else
		echo "extension_control_path = '$W/stage$share:\$system'"	# everybody's, from 18
	fi
}

# start_server NAME DATABASE [SETTING...]: a server below $W/NAME, with pg_cron at home in DATABASE, and the
# environment set so that every client speaks to it.  POSTGRES is run instead of postgres when it is set.
start_server() {
	export PGDATA=$W/$1/data PGHOST=$W/$1 PGPORT=${OI_PORT:-5432} PGUSER=postgres PGDATABASE=$2
	local sockets=$PGHOST
	mkdir -p "$PGHOST"
	# passwords over TCP: with OI_LISTEN other users of the machine could otherwise be superuser here
	initdb -D "$PGDATA" -N --auth-local=trust --auth-host=scram-sha-256 -U postgres -E UTF8 --locale=C.UTF-8 >"$PGHOST/initdb.log" 2>&1 ||
		{ cat "$PGHOST/initdb.log" >&2; return 1; }
	{
		cat "$W/src/test/postgresql.conf"
		staged_settings
		echo "port = $PGPORT"
		echo "listen_addresses = '${OI_LISTEN:-}'"
		echo "unix_socket_directories = '$sockets'"
		if [ -e "$(pg_config --pkglibdir)/pg_cron.so" ]; then
			echo "shared_preload_libraries = 'pg_cron'"
			echo "cron.database_name = '$2'"
			echo "cron.host = '$sockets'"		# its default, localhost, wants a listener and a password
		fi
		[ $# -lt 3 ] || printf '%s\n' "${@:3}"
	} >>"$PGDATA/postgresql.conf"
	pg_ctl -l "$PGHOST/log" -s -w -t 300 ${POSTGRES:+-p "$POSTGRES"} start 9>&- || { tail -n 20 "$PGHOST/log" >&2; return 1; }
	createdb "$2"
}
