#!/bin/bash
# upgrade.sh [OLD NEW]...: pg_upgrade from one PostgreSQL major to another, with the extension, data, jobs and a user's
# changes in the old one.  Default: 15 17 17 18.  Needs root and a Debian host.
#
#   CHROOTS=DIR   where the chroots are, see chroots.sh
#
# pg_upgrade wants the programs of both versions at once, and no Debian has two.  So it runs where the new version is at
# home, and the old one's programs are called with the libraries of their own home; its C library is not among them, for
# a newer one serves older programs.  All of that is in a mount namespace, on overlays that are gone with it.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/chroots.sh"

overlay() {	# LOWER NAME MOUNTPOINT
	mkdir -p "$work/$2.upper" "$work/$2.work" "$3"
	mount -t overlay overlay -o "lowerdir=$1,upperdir=$work/$2.upper,workdir=$work/$2.work" "$3"
	mount -t proc proc "$3/proc"
	mount --rbind /dev "$3/dev"
}

# Build and install in a home of its own; as anybody would, but for the overlay.
install_in() {	# ROOT VERSION
	mkdir "$1/src"
	tar -C "$top" --exclude=.git --exclude='*.o' --exclude='*.so' --exclude='*.bc' -cf - . | tar -C "$1/src" --no-same-owner -xf -
	chroot "$1" make -s -C /src with_llvm=no PG_CONFIG="/usr/lib/postgresql/$2/bin/pg_config" all install
}

# The old programs: each with the libraries that its home has for them.  ldd complains of those that are scripts.
wrap_programs() {	# ROOT VERSION
	local name path program
	mkdir "$1/wrapped" "$1/libraries"
	# shellcheck disable=SC2016
	chroot "$1/old" sh -c 'ldd /usr/lib/postgresql/$1/bin/* /usr/lib/postgresql/$1/lib/*.so 2>/dev/null || true' _ "$2" |
		sed -n 's/^\t\([^ ]*\) => \([^ ]*\) .*/\1 \2/p' | sort -u |
		while read -r name path; do
			case $name in
				libc.so* | libm.so* | libdl.so* | librt.so* | libpthread.so* | libresolv.so* | libutil.so* | ld-*) ;;
				*) ln -sf "/old$path" "$1/libraries/$name" ;;
			esac
		done
	for program in "$1/old/usr/lib/postgresql/$2/bin"/*; do
		program=${program##*/}
		printf '#!/bin/sh\nLD_LIBRARY_PATH=/libraries exec /old/usr/lib/postgresql/%s/bin/%s "$@"\n' "$2" "$program" >"$1/wrapped/$program"
		chmod 755 "$1/wrapped/$program"
	done
}

inside() {	# OLD NEW, in a namespace of its own
	work=$(mktemp -d)
	mount -t tmpfs -o mode=755 tmpfs "$work"
	local root=$work/root
	overlay "$CHROOTS/pg$2" new "$root"
	overlay "$CHROOTS/pg$1" old "$root/old"
	mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
	mount -t tmpfs tmpfs "$root/run"
	install_in "$root/old" "$1"
	install_in "$root" "$2"
	wrap_programs "$root" "$1"
	# shellcheck disable=SC2016
	exec chroot "$root" env -i PATH="/usr/lib/postgresql/$2/bin:/usr/bin:/bin" HOME=/tmp LC_ALL=C.UTF-8 sh -c '
		cd /tmp
		exec setpriv --reuid=postgres --regid=postgres --clear-groups prove -v -I /src/test/t/lib \
			-I "$(dirname "$(pg_config --pgxs)")/../test/perl" /src/tools/upgrade.pl :: /wrapped "/usr/lib/postgresql/$1/bin"' _ "$2"
}

if [ "${1:-}" = --inside ]; then
	inside "$2" "$3"
fi

[ $# -gt 0 ] || set -- 15 17 17 18
need_chroots "$@"
for version; do make_chroot "$version"; done
while [ $# -gt 1 ]; do
	say "pg_upgrade from $1 to $2"
	unshare --mount --pid --fork --kill-child --ipc --propagation private "$0" --inside "$1" "$2"
	shift 2
done
