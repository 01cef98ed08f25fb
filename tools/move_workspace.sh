#!/bin/bash
# move_workspace.sh SOURCE TARGET SLUG: moves a workspace whole from one server with openinfo to another one.
#
# SOURCE and TARGET are connection strings or URIs of superusers.  Everything of the workspace is read in one REPEATABLE READ
# transaction of SOURCE, which streams it to TARGET, waits until TARGET has committed, and ends with the deletion of the
# workspace.  A row of the workspace that somebody else writes meanwhile makes that transaction fail, and it starts again, five
# times at most.  Whatever interrupts it, the workspace is in SOURCE, or in TARGET, or whole in both; called again, it goes on.
#
# Moved are the rows of every table that belong to the workspace: those of openinfo, and those of your own with a foreign key
# to "workspaces".  Files of exports are not queued for deletion.  See docs/scale-out.md.
set -euo pipefail

[ $# = 3 ] || { sed -n '2s/^# //p' "$0" >&2; exit 2; }
source=$1 target=$2 slug=$3
export target PGAPPNAME=move_workspace PGCLIENTENCODING=UTF8
PGOPTIONS="${PGOPTIONS:-} -c search_path=pg_catalog -c datestyle=ISO -c intervalstyle=postgres -c client_min_messages=warning"
export PGOPTIONS="$PGOPTIONS -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"

say() { echo "move_workspace: $*" >&2; }
die() { say "$*"; exit 1; }

W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT

# query SERVER SQL: the rows of a query, columns between tabs.  :'slug' and :'id' are known.
query() { psql -X -q -A -t -F $'\t' -v ON_ERROR_STOP=1 -v slug="$slug" -v id="${id:-}" -d "$1" <<<"$2"; }

# What psql prints as it is for \qecho.
quoted() { local text=${1//\\/\\\\}; printf "'%s'" "${text//\'/\'\'}"; }

# The tables with rows of workspaces, and the condition that finds those of one.
tables="WITH openinfo AS (SELECT extnamespace AS schema FROM pg_extension WHERE extname = 'openinfo'),
keys (oid, key) AS (
	SELECT c.oid, a.attname FROM openinfo o JOIN pg_class c ON c.relnamespace = o.schema JOIN pg_attribute a ON a.attrelid = c.oid
	 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT a.attisdropped
	   AND a.attname = CASE WHEN c.relname = 'workspaces' THEN 'id' ELSE 'workspace_id' END
	UNION
	SELECT f.conrelid, a.attname FROM openinfo o JOIN pg_class w ON w.relnamespace = o.schema AND w.relname = 'workspaces'
	  JOIN pg_constraint f ON f.confrelid = w.oid AND f.contype = 'f' AND f.conparentid = 0 AND cardinality(f.conkey) = 1
	  JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]),
tables AS (
	SELECT oid, string_agg(format('%I = %L', key, :'id'), ' OR ' ORDER BY key) AS mine FROM keys GROUP BY oid)"

# Table, columns that are copied and condition, the workspaces first; the schema of openinfo is written @.
list="$tables
SELECT CASE WHEN c.relnamespace = o.schema THEN '@.' || quote_ident(c.relname) ELSE format('%I.%I', n.nspname, c.relname) END,
       (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) FROM pg_attribute
         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''),
       mine
  FROM tables t JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN openinfo o
 ORDER BY c.relname <> 'workspaces' OR c.relnamespace <> o.schema, 1"

# Foreign keys of these tables to others, as conditions that are true when a row refers to one that is missing.
missing="$tables
SELECT f.confrelid::regclass, format('EXISTS (SELECT FROM %s t WHERE (%s) AND %s AND NOT EXISTS (SELECT FROM %s r WHERE %s))',
       f.conrelid::regclass, mine, string_agg(format('t.%I IS NOT NULL', a.attname), ' AND '), f.confrelid::regclass,
       string_agg(format('r.%I = t.%I', b.attname, a.attname), ' AND '))
  FROM tables t JOIN pg_constraint f ON f.conrelid = t.oid AND f.contype = 'f' AND f.conparentid = 0
 CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS u (key, ref)
  JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = u.key
  JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = u.ref
 WHERE f.confrelid NOT IN (SELECT oid FROM tables)
 GROUP BY f.oid, f.confrelid, f.conrelid, mine"

# Tables whose rows would be deleted or changed with the workspace, but say nothing of a workspace.
strangers="$tables
SELECT DISTINCT f.conrelid::regclass FROM tables t JOIN pg_constraint f ON f.confrelid = t.oid AND f.contype = 'f'
  JOIN pg_class c ON c.oid = f.conrelid
 WHERE NOT c.relispartition AND f.conrelid NOT IN (SELECT oid FROM tables)"

server="SELECT (SELECT system_identifier FROM pg_control_system()), d.oid, extversion, rolsuper, quote_ident(nspname)
  FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace, pg_database d, pg_roles
 WHERE extname = 'openinfo' AND datname = current_database() AND rolname = current_user"

# ----------------------------------------------------------------------------------------------------------------------------
# Whether it can be moved
# ----------------------------------------------------------------------------------------------------------------------------

IFS=$'\t' read -r source_cluster source_database source_version source_super source_schema < <(query "$source" "$server") ||
	die "no openinfo in SOURCE"
IFS=$'\t' read -r target_cluster target_database target_version target_super target_schema < <(query "$target" "$server") ||
	die "no openinfo in TARGET"
[ "$source_super$target_super" = tt ] || die "superusers are needed in both databases"
[ "$source_cluster $source_database" != "$target_cluster $target_database" ] || die "SOURCE and TARGET are the same database"
[ "$source_version" = "$target_version" ] ||
	die "SOURCE has openinfo $source_version and TARGET has $target_version: update the older one first"

workspace() { query "$1" "SELECT id FROM $2.workspaces WHERE slug = :'slug'"; }
id=$(workspace "$source" "$source_schema")
there=$(workspace "$target" "$target_schema")
if [ -z "$id" ]; then
	[ -n "$there" ] || die "no workspace \"$slug\" in SOURCE"
	say "workspace \"$slug\" is in TARGET alone: nothing to do"
	exit 0
fi
[ -z "$there" ] || [ "$there" = "$id" ] || die "another workspace of TARGET has the slug \"$slug\""

found=$(query "$source" "$strangers" | paste -sd ' ')
[ -z "$found" ] || die "tables without a foreign key to \"workspaces\" refer to rows of the workspace: $found"
query "$source" "$list" >"$W/tables"
query "$target" "$list" >"$W/target_tables"
query "$target" "$missing" >"$W/missing"
while read -r line; do
	grep -qxF -- "$line" "$W/target_tables" || die "TARGET has no such table, or other columns in it: ${line%%$'\t'*}"
done <"$W/tables"

# What an interrupted run has copied was written by one transaction, and nobody has written to it since.
copied() {
	local table columns mine sql=
	while IFS=$'\t' read -r table columns mine; do
		sql="$sql${sql:+ UNION ALL }SELECT xmin::text FROM ${table/#@./"$target_schema".} WHERE $mine"
	done <"$W/target_tables"
	query "$target" "SELECT count(DISTINCT xmin) FROM ($sql) AS t"
}
[ "$(copied)" -le 1 ] ||
	die "the workspace is in TARGET too, and has been used there; delete it on the side where it is out of date"

# ----------------------------------------------------------------------------------------------------------------------------
# The move
# ----------------------------------------------------------------------------------------------------------------------------

# forget SCHEMA: statements that delete the workspace and everything that belongs to it, also what its deletion queues.
forget() {
	local table columns mine first="" then=""
	while IFS=$'\t' read -r table columns mine; do
		case $table in
			@.workspaces) ;;
			@.expired_export_files) then=" DELETE FROM $1.expired_export_files WHERE $mine;" ;;
			@.*) ;;	# by foreign keys
			*) first="${first}DELETE FROM $table WHERE $mine; " ;;
		esac
	done <"$W/tables"
	echo "${first}DELETE FROM $1.workspaces WHERE id = '$id';$then"
}

# send TEXT: a line of the script for SOURCE that sends a line to TARGET.
send() { printf '\\qecho %s\n' "$(quoted "$1")"; }

# The script for SOURCE.  What it writes between \o and \o goes to TARGET: statements, rows, and at the end COMMIT.
script() {
	local table columns mine name condition
	cat <<-END
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		SELECT pg_try_advisory_xact_lock(hashtext('openinfo.move_workspace'), hashtext('$id')) AS alone \gset
		\if :alone
		\else
		\warn 'move_workspace: another run has not ended yet'
		\quit
		\endif
		\o |psql -X -q -A -t -v ON_ERROR_STOP=1 -d "\$target" >"$W/committed"
	END
	send 'BEGIN;'
	send "$(forget "$target_schema")"
	send 'SET LOCAL session_replication_role = replica;'
	while IFS=$'\t' read -r table columns mine; do
		send "COPY ${table/#@./"$target_schema".} ($columns) FROM stdin;"
		echo "COPY (SELECT $columns FROM ${table/#@./"$source_schema".} WHERE $mine) TO STDOUT;"
		send '\.'
	done <"$W/tables"
	while IFS=$'\t' read -r name condition; do
		send "SELECT $condition AS missing \\gset"
		send '\if :missing'
		send "\\warn $(quoted "move_workspace: rows of the workspace refer to rows of $name that TARGET does not have")"
		send '\quit'
		send '\endif'
	done <"$W/missing"
	# from here on nobody else can write to the workspace; this fails where somebody has since the snapshot
	while IFS=$'\t' read -r table columns mine; do
		echo "SELECT count(*) FROM (SELECT FROM ${table/#@./"$source_schema".} WHERE $mine FOR UPDATE) AS t \\g /dev/null"
	done <"$W/tables"
	send 'COMMIT;'
	send '\echo committed'
	cat <<-END
		\o
		\set committed \`cat "$W/committed"\`
		SELECT :'committed' = 'committed' AS committed \gset
		\if :committed
		$(forget "$source_schema")
		COMMIT;
		\echo moved
		\endif
	END
}

script >"$W/script"
for attempt in 1 2 3 4 5; do
	: >"$W/committed"
	if result=$(psql -X -q -A -t -v ON_ERROR_STOP=1 -v VERBOSITY=verbose -d "$source" -f "$W/script" 2>"$W/errors") && [ "$result" = moved ]; then
		say "workspace \"$slug\" is moved"
		exit 0
	fi
	grep -v '^LOCATION:' "$W/errors" >&2 || true
	# 40001: a row has been written since; 40P01: a deadlock with somebody who writes one
	grep -qE 'ERROR:  (40001|40P01):' "$W/errors" || die "workspace \"$slug\" is not moved"
	say "the workspace has been written to meanwhile (attempt $attempt)"
done
die "workspace \"$slug\" is not moved: stop what writes to it, and try again"
