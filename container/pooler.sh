#!/bin/sh
# PgBouncer of the image: its users are in PGBOUNCER_USERS, lines of: "name" "password".
set -eu
(umask 077 && printf '%s\n' "${PGBOUNCER_USERS:?lines of: \"name\" \"password\"}" >/tmp/users.txt)
exec pgbouncer -q /etc/openinfo/pgbouncer.ini
