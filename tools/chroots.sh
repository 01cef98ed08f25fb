# shellcheck shell=bash
# Debian chroots with other PostgreSQL majors, for matrix.sh and upgrade.sh.  Needs root and a Debian host; installs mmdebstrap.
#
#   CHROOTS=DIR   where they are kept between runs (default /var/cache/openinfo-matrix)
#
# A chroot is created once and never written to afterwards: it is used in a mount namespace.
#
# Experimental is not complete by itself: it is added to sid.  Debian has no pg_cron for what it has there, so the tests
# that need it are skipped; pgTAP, which is SQL alone, is the one that sid has for another version.

# shellcheck disable=SC2034,SC2016
declare -A suite=([15]=bookworm [17]=trixie [18]=forky [19]=experimental)
CHROOTS=${CHROOTS:-/var/cache/openinfo-matrix}

need_chroots() {	# VERSION...
	local version
	[ "$(id -u)" = 0 ] || die "making chroots needs root"
	for version; do [ -n "${suite[$version]:-}" ] || die "no Debian suite known for PostgreSQL $version"; done
	need_packages mmdebstrap
	mkdir -p "$CHROOTS"
}

# make_base SUITE: a Debian that has nothing but apt in $CHROOTS/base-SUITE.
make_base() (
	local root=$CHROOTS/base-$1
	mkdir -p "$CHROOTS"
	exec 9>"$CHROOTS/.base-$1.lock"
	flock 9
	[ ! -e "$root/.ready" ] || exit 0
	need_packages mmdebstrap
	rm -rf --one-file-system "$root.new"
	mmdebstrap --variant=minbase --mode=root --aptopt='Acquire::Retries "3"' --aptopt='Acquire::Check-Valid-Until "false"' \
		"$1" "$root.new" "$(mirror)" || exit 1
	touch "$root.new/.ready"
	mv "$root.new" "$root"
)

# shellcheck disable=SC2016		# what is expanded is expanded by apt and mmdebstrap
# The mirror that this machine already uses.
mirror() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1; }

# shellcheck disable=SC2016
# Created under a temporary name, so that half a chroot is never taken for one.  A mirror's copy of a suite that changes
# daily may be older than its term.
make_chroot() (	# VERSION
	local version=$1 root=$CHROOTS/pg$1 new=$CHROOTS/.pg$1.new
	local packages="make,gcc,libc6-dev,postgresql-$version,postgresql-server-dev-$version,libipc-run-perl,libtap-parser-sourcehandler-pgtap-perl,pgbouncer"
	local sources=("$(mirror)") base=${suite[$version]} options=()
	if [ "$base" = experimental ]; then
		base=sid
		sources=("deb $(mirror) sid main" "deb $(mirror) experimental main")
		options=(--setup-hook="printf 'Package: src:postgresql-$version\nPin: release a=experimental\nPin-Priority: 990\n' >\"\$1/etc/apt/preferences.d/postgresql\""
			--customize-hook="cd \"\$1/tmp\" && APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-get download postgresql-18-pgtap && dpkg-deb -x postgresql-18-pgtap_*.deb pgtap &&
				cp pgtap/usr/share/postgresql/18/extension/* ../usr/share/postgresql/$version/extension/ && rm -r pgtap ./*.deb")
	else
		packages+=",postgresql-$version-cron,postgresql-$version-pgtap"
	fi
	exec 9>"$CHROOTS/.pg$version.lock"
	flock 9
	[ ! -e "$root/.ready" ] || exit 0
	rm -rf --one-file-system "$new"
	mmdebstrap --variant=apt --mode=root --aptopt='Acquire::Retries "3"' \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--include="$packages" "${options[@]}" \
		--essential-hook='mkdir -p "$1/etc/postgresql-common"; echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"' \
		--customize-hook='rm -rf "$1"/usr/share/doc/* "$1"/usr/share/man/*' \
		"$base" "$new" "${sources[@]}" || exit 1
	touch "$new/.ready"
	mv "$new" "$root"
)
