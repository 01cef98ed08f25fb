#!/bin/sh
# installcheck.sh PG_REGRESS --dbname=DATABASE ARGUMENT...: run the tests on the server that PGHOST, PGPORT and PGUSER name,
# for make installcheck.  What is not there before is not there afterwards: the database, and the roles of the extension.
# KEEP=1 keeps them.
set -eu

for argument; do
	case $argument in --dbname=*) database=${argument#--dbname=} ;; esac
done
roles() {
	psql -XAtq -v ON_ERROR_STOP=1 -d postgres \
		-c "SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role', 'openinfo_monitor')"
}

before=$(roles | tr '\n' ' ')
status=0
"$@" || status=$?
[ -z "${KEEP:-}" ] || exit "$status"
psql -Xq -d postgres -c 'SET client_min_messages = warning' -c "DROP DATABASE IF EXISTS \"$database\""
for role in $(roles); do
	# refused where the server has got the extension in another database meanwhile
	case " $before" in *" $role "*) ;; *) psql -Xq -d postgres -c "DROP ROLE $role" || true ;; esac
done
exit "$status"
