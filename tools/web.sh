#!/bin/bash
# web.sh [COMMAND...]: the page of examples/web on the data of the demonstration: make demo WEB=1.  Runs under tools/cluster.sh.
# With COMMAND, run it with the page's address in URL and the packages of npm in MODULES, and end; otherwise serve until
# interrupted.
#
#   WEB_PORT=8080   on which port of 127.0.0.1
set -euo pipefail
. "$(dirname "$0")/lib.sh"

command -v npm >/dev/null || die "npm is missing"
for part in demo/setup.sql demo/members.sql examples/web/setup.sql; do
	psql -Xq -v ON_ERROR_STOP=1 -v own="$PWD/demo" -v real= -f "$part" >"$W/part.log" 2>&1 || { cat "$W/part.log" >&2; die "$part failed"; }
done

export MODULES=$W/web
mkdir -p "$MODULES"
cp examples/web/package.json "$MODULES/"
# shellcheck disable=SC2086	# a list
npm_config_cache=$W/cache npm install --prefix "$MODULES" --no-audit --no-fund --no-update-notifier --loglevel=error \
	${WEB_PACKAGES:-} >&2
export DATABASE_URL="postgres://requests@/$PGDATABASE?host=$PGHOST&port=$PGPORT"
if [ $# = 0 ]; then
	say "Ann, Bob, Cleo and Dan belong to two workspaces, Eve to none yet; Ctrl-C ends it"
	PORT=${WEB_PORT:-8080} exec node examples/web/server.mjs
fi
PORT=0 node examples/web/server.mjs >"$W/url" &
trap 'kill $!' EXIT
until [ -s "$W/url" ]; do kill -0 $! || die "the page is not served"; sleep 0.1; done
URL=$(cat "$W/url")
export URL
"$@"
