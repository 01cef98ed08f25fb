#!/bin/bash
# deb.sh DIRECTORY: build the Debian packages postgresql-NN-openinfo and put them into DIRECTORY.
# The tree is copied first and stays as it is; packages that the build needs and that are missing are installed.
#
#   V=15    for which PostgreSQL; default: every one whose server headers are installed, or else Debian's own
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# = 1 ] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)

with_headers() { find /usr/lib/postgresql -path '*/lib/pgxs/src/makefiles/pgxs.mk' 2>/dev/null | sed 's#/usr/lib/postgresql/\([0-9]*\)/.*#\1#' | sort -n; }
V=${V:-$(with_headers | tr '\n' ' ')}

headers=()
for version in ${V:-all}; do
	[ -e "/usr/lib/postgresql/$version/lib/pgxs/src/makefiles/pgxs.mk" ] || headers+=("postgresql-server-dev-$version")
done
need_packages build-essential debhelper fakeroot postgresql-common "${headers[@]}"
# in a package of its own since Debian 14
command -v pg_buildext >/dev/null || need_packages postgresql-common-dev
V=${V:-$(with_headers | tr '\n' ' ')}

W=$(mktemp -d /tmp/oi.XXXXXX)
trap 'rm -rf "$W"' EXIT
trap 'exit 130' INT TERM HUP
copy_source "$W/openinfo"
cd "$W/openinfo"
unset MAKEFLAGS MFLAGS MAKELEVEL
export PG_SUPPORTED_VERSIONS=$V LC_ALL=C.UTF-8
# no package of debug symbols
export DEB_BUILD_OPTIONS="noautodbgsym ${DEB_BUILD_OPTIONS:-}"
pg_buildext updatecontrol
say "building packages for PostgreSQL $V"
dpkg-buildpackage --build=binary --no-sign >"$W/log" 2>&1 || { tail -n 60 "$W/log" >&2; die "the build failed"; }
for package in "$W"/*.deb; do
	cp "$package" "$out/"
	echo "$out/${package##*/}"
done
