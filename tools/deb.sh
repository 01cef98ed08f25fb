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

missing=()
for package in build-essential debhelper fakeroot ${V:+postgresql-common}; do
	dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
for version in $V; do
	[ -e "/usr/lib/postgresql/$version/lib/pgxs/src/makefiles/pgxs.mk" ] || missing+=("postgresql-server-dev-$version")
done
[ -n "$V" ] || missing+=(postgresql-server-dev-all)
if [ "${#missing[@]}" -gt 0 ]; then
	as_root=()
	[ "$(id -u)" = 0 ] || as_root=(sudo)
	say "installing ${missing[*]}"
	"${as_root[@]}" apt-get -qq update || true
	DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
fi
V=${V:-$(with_headers | tr '\n' ' ')}

W=$(mktemp -d /tmp/oi.XXXXXX)
trap 'rm -rf "$W"' EXIT
trap 'exit 130' INT TERM HUP
copy_source "$W/openinfo"
cd "$W/openinfo"
unset MAKEFLAGS MFLAGS MAKELEVEL
export PG_SUPPORTED_VERSIONS=$V LC_ALL=C.UTF-8
# debug symbols are in a package of their own that nobody asked for
export DEB_BUILD_OPTIONS="noautodbgsym ${DEB_BUILD_OPTIONS:-}"
pg_buildext updatecontrol
say "building packages for PostgreSQL $V"
dpkg-buildpackage --build=binary --no-sign >"$W/log" 2>&1 || { tail -n 60 "$W/log" >&2; die "the build failed"; }
for package in "$W"/*.deb; do
	cp "$package" "$out/"
	echo "$out/${package##*/}"
done
