#!/bin/sh
# The server of the image.  The first start creates the cluster, a database with pg_cron and openinfo in schema "app",
# and runs what is in /docker-entrypoint-initdb.d; then, as later starts do, it becomes the command that it is given.
#
#   POSTGRES_PASSWORD   of the superuser "postgres", over TCP; or POSTGRES_PASSWORD_FILE, a file that contains it
#   POSTGRES_DB         the database (default app)
set -eu

create() {
	database=${POSTGRES_DB:-app}
	if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); fi
	: "${POSTGRES_PASSWORD:?is required to create the cluster}"

	# under another name until it is complete, so that a start that was interrupted begins again
	new=$PGDATA.new
	rm -rf "$new"
	mkdir -p "$new"
	(umask 077 && printf '%s\n' "$POSTGRES_PASSWORD" >"$new.password")
	initdb -D "$new" -U postgres -E UTF8 --locale=C.UTF-8 --data-checksums \
		--auth-local=peer --auth-host=scram-sha-256 --pwfile="$new.password"
	rm "$new.password"
	echo 'host all all all scram-sha-256' >>"$new/pg_hba.conf"
	cat >>"$new/postgresql.conf" <<-END
		listen_addresses = '*'
		shared_preload_libraries = 'pg_cron'
		cron.database_name = '$database'
		cron.host = '/run/postgresql'		# as the operating system's user, without a password
	END

	trap 'pg_ctl -D "$new" -s -m immediate stop' EXIT
	pg_ctl -D "$new" -w -s -o "-c listen_addresses= -c unix_socket_directories=/run/postgresql" start
	createdb -h /run/postgresql "$database"
	export PGHOST=/run/postgresql PGDATABASE="$database"
	psql -Xq -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION pg_cron' -c 'CREATE SCHEMA app' -c 'CREATE EXTENSION openinfo SCHEMA app'
	for file in /docker-entrypoint-initdb.d/*.sql; do
		[ ! -e "$file" ] || psql -Xq -v ON_ERROR_STOP=1 -f "$file"
	done
	trap - EXIT
	pg_ctl -D "$new" -w -s -m fast stop
	mv "$new" "$PGDATA"
}

if [ "${1:-}" = postgres ] && [ ! -e "$PGDATA/PG_VERSION" ]; then (create); fi
exec "$@"
