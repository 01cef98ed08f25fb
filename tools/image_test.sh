#!/bin/bash
# image_test.sh: build the images of the Dockerfile with buildah, and try them as compose.yaml has them: make image.
# Needs root, and installs buildah.  No container engine is needed: what is built is run as a chroot, with a network, a
# process table and a /tmp of its own.
#
#   V=17 SUITE=trixie   another PostgreSQL and the Debian that has it
#   CHROOTS=DIR         where that Debian is kept between runs (default /var/cache/openinfo-matrix)
#   LOGS=DIR            where the output of the builds goes (default: a new directory below /tmp, named at the end)
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/chroots.sh"

V=${V:-17} SUITE=${SUITE:-trixie}

# ------------------------------------------------------------------------------------------ in a namespace of its own

# run IMAGE [NAME=VALUE]... -- COMMAND...: in the files of an image, as its user and with its environment.
run() {
	local root=$W/$1 environment=()
	shift
	while [ "$1" != -- ]; do environment+=("$1"); shift; done
	shift
	mapfile -t -O "${#environment[@]}" environment <"$root.env"
	chroot --userspec="$(cat "$root.user")" "$root" env -i "${environment[@]}" "$@"
}

passed=0 failed=0
is() {	# TEXT WANTED COMMAND...: what the command prints
	local got
	got=$("${@:3}" 2>&1) || true
	if [ "$got" = "$2" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'not ok: %s\n  wanted: %s\n  got:    %s\n' "$1" "$2" "$got"; fi
}
says() {	# TEXT PART COMMAND...: the command fails, and what it prints has a part
	local got
	if got=$("${@:3}" 2>&1); then got="no failure: $got"; fi
	case $got in *"$2"*) passed=$((passed + 1)) ;; *) failed=$((failed + 1)); printf 'not ok: %s\n  wanted: ... %s ...\n  got:    %s\n' "$1" "$2" "$got" ;; esac
}
wait_for() {	# IMAGE: until its health check succeeds
	local check
	mapfile -t check <"$W/$1.health"
	for _ in {1..120}; do
		if run "$1" -- "${check[@]}" 2>"$W/null"; then return; fi
		sleep 0.5
	done
	cat "$W/$1.log"
	die "$1 does not become healthy"
}
arguments=()
start() {	# IMAGE [NAME=VALUE]...: its command, with more arguments
	local entry
	mapfile -t entry <"$W/$1.entry"
	run "$@" -- "${entry[@]}" "${arguments[@]}" >>"$W/$1.log" 2>&1 &
	eval "$1_pid=\$!"
}
# the signal of the image
stop_server() {
	kill -INT "$(head -n 1 "$W/server/var/lib/postgresql/$V/data/postmaster.pid")"
	wait "$server_pid" || true
}
sql() { run server PGPASSWORD="$2" -- psql -XAtq "host=127.0.0.1 port=$3 dbname=app user=$1" -c "$4"; }

inside() {
	local image person=0a000000-0000-4000-8000-00000000000a server_pid
	ip link set lo up
	for image in server pooler; do
		mount -t proc proc "$W/$image/proc"
		mount --rbind /dev "$W/$image/dev"
		mount -t tmpfs -o mode=1777 tmp "$W/$image/tmp"
		echo '127.0.0.1 localhost db' >"$W/$image/etc/hosts"
	done

	is 'the server does not run as root' 999 run server -- id -u
	says 'without a password nothing is created' 'POSTGRES_PASSWORD' run server -- sh /etc/openinfo/server.sh postgres
	# as the compose file has it
	mkdir "$W/server/docker-entrypoint-initdb.d"
	cp container/logins.sql "$W/server/docker-entrypoint-initdb.d/"
	says 'a login that cannot be created ends the start' 'logins.sql' run server POSTGRES_PASSWORD=first -- sh /etc/openinfo/server.sh postgres

	start server POSTGRES_DB=app POSTGRES_PASSWORD=first REQUESTS_PASSWORD=second WORKER_PASSWORD=third
	wait_for server
	start pooler PGBOUNCER_USERS='"worker" "third"'
	wait_for pooler

	is 'the extension is there' "$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" openinfo.control)" \
		sql postgres first 5432 "SELECT extversion FROM pg_extension WHERE extname = 'openinfo'"
	is 'and safe' '' sql postgres first 5432 'SELECT * FROM app.security_checklist() WHERE NOT ok'
	is 'the jobs are scheduled' 4 sql postgres first 5432 'SELECT count(*) FROM app.openinfo_jobs WHERE active'
	is 'as the operating system'\''s user there is no password' postgres run server -- psql -XAtq -d app -c 'SELECT current_user'
	says 'a wrong password is refused' 'password authentication failed' sql postgres wrong 5432 'SELECT 1'
	is 'a request' t sql requests second 5432 "BEGIN; SET LOCAL ROLE authenticated; SET LOCAL request.jwt.claims = '{\"sub\": \"$person\"}';
		SELECT app.create_workspace('north', 'North', 'ann@north.example') IS NOT NULL; COMMIT"
	says 'does not become a worker' 'permission denied to set role' sql requests second 5432 'SET ROLE service_role'
	is 'a worker behind the pooler' 1 sql worker third 6432 'BEGIN; SET LOCAL ROLE service_role; SELECT count(*) FROM app.workspaces; COMMIT'
	says 'has a password' 'authentication failed' sql worker wrong 6432 'SELECT 1'

	stop_server
	start server
	wait_for server
	is 'a second start has the data of the first' North sql postgres first 5432 'SELECT name FROM app.workspaces'
	is 'the checksums of pages are on' on sql postgres first 5432 'SHOW data_checksums'

	if [ "$V" -ge 18 ]; then
		# the files of image "extension", in a server that has no others
		stop_server
		rm "$W/server/usr/share/postgresql/$V/extension"/{openinfo,pg_cron}* "$W/server/usr/lib/postgresql/$V/lib"/{openinfo,pg_cron}.so
		mkdir -p "$W/server/extensions/openinfo"
		mount --bind "$(readlink "$W/extension")" "$W/server/extensions/openinfo"
		# shellcheck disable=SC2016
		arguments=(-c 'extension_control_path=$system:/extensions/openinfo/share' -c 'dynamic_library_path=$libdir:/extensions/openinfo/lib')
		start server
		wait_for server
		is 'the extension from elsewhere serves the database' '' sql postgres first 5432 'SELECT * FROM app.security_checklist() WHERE NOT ok'
		is 'and can be created' t sql postgres first 5432 "SET openinfo.allow_drop = on; SET client_min_messages = warning; DROP EXTENSION openinfo CASCADE;
			DROP SCHEMA app CASCADE; CREATE SCHEMA app; CREATE EXTENSION openinfo SCHEMA app; SELECT count(*) > 0 FROM app.plans"
	fi
	printf '%s passed, %s failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
}

# ---------------------------------------------------------------------------------------------------------- building

if [ "${1:-}" = inside ]; then inside; exit; fi
[ "$(id -u)" = 0 ] || die "building images needs root"
need_packages buildah iproute2
LOGS=${LOGS:-$(mktemp -d /tmp/openinfo-image.XXXXXX)}
mkdir -p "$LOGS"
make_base "$SUITE" >"$LOGS/base" 2>&1 || { tail -n 20 "$LOGS/base" >&2; die "no base, see $LOGS/base"; }

W=$(mktemp -d /var/tmp/oi.XXXXXX)		# an overlay's upper layer cannot be on another overlay, as /tmp may be
export W V BUILDAH_FORMAT=docker
buildah() { command buildah --root "$W/storage" --runroot "$W/run" --storage-driver overlay "$@"; }
finish() {
	{ buildah umount --all && buildah rm --all; } >"$W/null" 2>&1 || true
	rm -rf --one-file-system "$W"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
mkdir "$W/run"
cp -a --no-target-directory "$CHROOTS/base-$SUITE" "$W/base"
rm "$W/base/.ready"
tar -C "$W/base" -cf "$W/base.tar" .
printf 'FROM scratch\nADD base.tar /\n' >"$W/Dockerfile"
buildah bud -q -t localhost/base -f "$W/Dockerfile" "$W" >"$LOGS/base.image" 2>&1
copy_source "$W/openinfo"

for image in server pooler extension; do
	say "building $image, see $LOGS/$image"
	buildah bud --isolation chroot --network host --layers --build-arg BASE=localhost/base --build-arg PG="$V" --target "$image" \
		-t "localhost/$image" "$W/openinfo" >"$LOGS/$image" 2>&1 || { tail -n 20 "$LOGS/$image" >&2; die "image $image cannot be built"; }
	container=$(buildah from "localhost/$image")
	ln -s "$(buildah mount "$container")" "$W/$image"
	config() { buildah inspect --type image --format "$1" "localhost/$image"; }
	config '{{.Docker.Config.User}}' >"$W/$image.user"
	config '{{range .Docker.Config.Env}}{{println .}}{{end}}' | sed '/^$/d' >"$W/$image.env"
	config '{{range .Docker.Config.Entrypoint}}{{println .}}{{end}}{{range .Docker.Config.Cmd}}{{println .}}{{end}}' | sed '/^$/d' >"$W/$image.entry"
	config '{{with .Docker.Config.Healthcheck}}{{range .Test}}{{println .}}{{end}}{{end}}' | sed '/^$/d; /^CMD$/d' >"$W/$image.health"
done
for file in lib/openinfo.so lib/pg_cron.so share/extension/openinfo.control share/extension/pg_cron.control; do
	[ -e "$W/extension/$file" ] || die "image extension has no $file"
done

cd "$W/openinfo"
unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private tools/image_test.sh inside
say "the output of the builds is in $LOGS"
