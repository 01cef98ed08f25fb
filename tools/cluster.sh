#!/bin/bash
# cluster.sh [-v VERSION] [-c 'setting = value']... [-d DATABASE] [-i DIRECTORY] -- COMMAND [ARGUMENT...]
#
# Run COMMAND beside a throwaway server that has this tree's extension staged and pg_cron preloaded (at home
# in DATABASE, default "openinfo").  COMMAND starts in a private copy of the tree with PGHOST, PGPORT, PGUSER,
# PGDATABASE, PGDATA, PGBIN, W (a directory for its own files) and PATH set; it creates the extension itself.
# DIRECTORY, which COMMAND may not be able to read where it is, is copied to $W/input.
# Nothing is installed into the system's PostgreSQL and nothing is left running.
#
#   KEEP=1           leave the server running, and say how to reach it and how to end it
#   OI_LISTEN=ADDR   listen on TCP too (OI_PORT, default 5432); give a role a password first
#   OI_USER=NAME     whom root becomes (default postgres)
set -euo pipefail
. "$(dirname "$0")/lib.sh"

usage() { sed -n '2s/^# //p' "$0" >&2; exit 2; }

kept() {
	say "the server is still running:  psql -h $PGHOST -p $PGPORT -U postgres -d $PGDATABASE"
	say "to end it:  kill -INT \$(head -n 1 $PGDATA/postmaster.pid); rm -rf $W"
}

arguments=("$@")
database=openinfo settings=()
while getopts v:c:d:i: option; do
	case $option in
		v) export V=$OPTARG ;;
		c) settings+=("$OPTARG") ;;
		d) database=$OPTARG ;;
		i) input=$OPTARG ;;
		*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage

enter_workdir "$0" "${arguments[@]}"
build
start_server server "$database" "${settings[@]}"
interruptible "$@"
