#!/bin/bash
# types.sh: TypeScript types of a new installation, by the generator of docs/clients.md.  Runs under tools/cluster.sh: make types.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

command -v npm >/dev/null || die "npm is missing"
psql -Xq -v ON_ERROR_STOP=1 -c 'SET client_min_messages = error' -c 'CREATE SCHEMA app' -c 'CREATE EXTENSION openinfo SCHEMA app'
# the first example of the page's section
# shellcheck disable=SC2016
sed -n '/^## Types$/,/^## /p' docs/clients.md | sed -n '/^```js$/,/^```$/p' | sed '1d; /^```$/,$d' >"$W/generate.mjs"
npm_config_cache=$W/cache npm install --prefix "$W" --no-audit --no-fund --no-update-notifier --loglevel=error \
	'@supabase/postgrest-typegen@0.2' pg@8 >&2
DATABASE_URL="postgresql://postgres@/$PGDATABASE?host=$PGHOST&port=$PGPORT" node "$W/generate.mjs"
