#!/bin/bash
# deb_test.sh [-b CHROOT]: make deb in a clean Debian, install what it makes in another one that has nothing yet, try it
# (debian/tests/session), remove it, and see that nothing is left.  Needs root, and mmdebstrap unless CHROOT is given.
#
#   -b CHROOT     a Debian to start from; it is not written to.  Default: created once, below CHROOTS
#   CHROOTS=DIR   where that is kept between runs (default /var/cache/openinfo-matrix)
#   V=17 SUITE=trixie   another PostgreSQL and the release that has it (default 15, bookworm)
#   LOGS=DIR      where the output goes (default: a new directory below /tmp, named at the end)
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/chroots.sh"

V=${V:-15} SUITE=${SUITE:-bookworm}
base=
while getopts b: option; do
	case $option in
		b) base=$OPTARG ;;
		*) sed -n '2s/^# //p' "$0" >&2; exit 2 ;;
	esac
done
[ "$(id -u)" = 0 ] || die "chroots need root"
LOGS=${LOGS:-$(mktemp -d /tmp/openinfo-deb.XXXXXX)}
mkdir -p "$LOGS"

if [ -z "$base" ]; then
	base=$CHROOTS/base-$SUITE
	make_base "$SUITE" >"$LOGS/chroot" 2>&1 || { tail -n 20 "$LOGS/chroot" >&2; die "no chroot, see $LOGS/chroot"; }
fi

W=$(mktemp -d /var/tmp/oi.XXXXXX)		# an overlay's upper layer cannot be on another overlay, as /tmp may be
trap 'rm -rf --one-file-system "$W"' EXIT
trap 'exit 130' INT TERM HUP
mkdir "$W/packages"
copy_source "$W/openinfo"

# in_clean NAME SCRIPT: run SCRIPT as root in a fresh copy of the chroot, with the tree in /mnt, read-only, and the
# packages in /media.  The copy is an overlay, and gone afterwards with every process that it ran.
in_clean() {
	mkdir -p "$W/$1/upper" "$W/$1/work" "$W/$1/root"
	say "$1, see $LOGS/$1.log"
	# shellcheck disable=SC2016
	unshare --mount --pid --fork --kill-child --ipc --propagation private bash -c '
		set -e
		root=$1/root
		mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$root"
		mkdir -p "$root/mnt" "$root/media"
		mount --bind "$3/openinfo" "$root/mnt" && mount -o remount,bind,ro "$root/mnt"
		mount --bind "$3/packages" "$root/media"
		mount -t proc proc "$root/proc"
		mount -t tmpfs -o mode=1777 tmp "$root/tmp"
		mount --rbind /dev "$root/dev"
		cp /etc/resolv.conf "$root/etc/resolv.conf"
		# no service is started in a chroot; pg_virtualenv starts its own server
		printf "#!/bin/sh\nexit 101\n" >"$root/usr/sbin/policy-rc.d" && chmod +x "$root/usr/sbin/policy-rc.d"
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive V="$5" sh -exc "$4"
	' _ "$W/$1" "$base" "$W" "$2" "$V" >"$LOGS/$1.log" 2>&1 </dev/null || { tail -n 30 "$LOGS/$1.log" >&2; die "$1 failed"; }
	rm -rf --one-file-system "${W:?}/$1"
}

# shellcheck disable=SC2016
in_clean build '
	apt-get -q update
	apt-get -q install -y --no-install-recommends make debhelper build-essential fakeroot "postgresql-server-dev-$V"
	make -C /mnt deb OUT=/media V="$V"'

# shellcheck disable=SC2016
in_clean install '
	mkdir -p /etc/postgresql-common
	echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
	apt-get -q update
	apt-get -q install -y --no-install-recommends /media/postgresql-"$V"-openinfo_*.deb
	test -f "/usr/share/postgresql/$V/extension/openinfo.control"
	/mnt/debian/tests/session

	files=$(dpkg -L "postgresql-$V-openinfo" | while read -r f; do if [ -f "$f" ]; then echo "$f"; fi; done)
	apt-get -q remove -y "postgresql-$V-openinfo"
	for f in $files; do test ! -e "$f"; done
	test -z "$(find / -xdev -name "*openinfo*" -not -path "/mnt/*" -not -path "/media/*" -not -path "/var/lib/dpkg/*" -not -path "/var/log/*" -not -path "/proc/*")"'

grep -h '^openinfo works' "$LOGS/install.log"
(cd "$W/packages" && for package in *.deb; do say "$package is fine"; done)
