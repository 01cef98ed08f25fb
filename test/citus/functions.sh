# shellcheck shell=bash
# Every function that the API roles may execute, called on one server and then on each node of a cluster, and compared:
# answers, errors, and what is in the workspace afterwards.  tools/citus_check.sh reads this file.
#
# The calls are in the file "calls", and a function without a call is a failure.  The functions that answer otherwise on a
# cluster are those of a table in docs/scale-out.md.

functions_sql() { psql -d functions -XqAt -v ON_ERROR_STOP=1 "$@"; }

# All rows of a workspace, in an order that does not depend on ids and times.
state() {
	local table rows="SELECT 'workspaces ' || to_jsonb(t) AS line FROM workspaces t WHERE id = :'workspace'"
	for table in $(functions_sql -c "SELECT relname FROM table_distribution() WHERE kind = 'distributed' ORDER BY 1"); do
		rows+=" UNION ALL SELECT '$table ' || to_jsonb(t) FROM $table t WHERE workspace_id = :'workspace'"
	done
	echo "SELECT line FROM ($rows) s ORDER BY regexp_replace(line, '[0-9a-f-]{36}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T0-9:.+]*', '', 'g');"
}

# What psql runs: each call is a transaction, as a request is.
session() {
	local who call person
	while read -r who call; do
		person=
		case $who in
			'' | '#'*) continue ;;
			state) echo '\echo == state'; state; continue ;;
			owner | member) person=":'$who'" ;;
			stranger) person="('d0000000-0000-4000-8001-' || lpad(:'n', 12, '0'))" ;;
		esac
		cat <<-END
			\\echo '== $who: ${call//\'/\'\'}'
			BEGIN;
			${person:+SELECT set_config('request.jwt.claims', jsonb_build_object('sub', $person)::text, true) \\g /dev/null}
			SELECT set_config('role', '$([[ $who = service* ]] && echo service_role || echo authenticated)', true) \\g /dev/null
			SELECT $call
			;
			\\if :ERROR
			\\echo :SQLSTATE :LAST_ERROR_MESSAGE
			\\endif
			$([ "$who" = service_all ] && echo ROLLBACK || echo COMMIT);
		END
	done <test/citus/calls
}

# Runs the calls: NODE WORKSPACE.  Ids and times are no difference.
run_calls() {
	local kinds=(workspace owner member third query lead lead2 result integration event search export) i set=()
	local digits=123456789abc
	for i in "${!kinds[@]}"; do set+=(-v "${kinds[i]}=${digits:i:1}0000000-0000-4000-8000-$(printf %012d "$2")"); done
	session | psql -h "$W/$1" -d functions -XqAt -v n="$2" "${set[@]}" 2>/dev/null | sed -E "
		s/$(printf %012d "$2")/N/g; s/\b(workspace-|created-|evt_[0-9]_|cus_|sub_)$2\b/\1N/g
		s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/UUID/g; s/[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:.]+(\+00(:00)?)?/TIME/g"
}

# The calls that two runs answer differently.
differing() {
	awk '/^== / { call = $0; next } { answer[FILENAME, call] = answer[FILENAME, call] "\n" $0; calls[call] }
		END { for (c in calls) if (answer[ARGV[1], c] != answer[ARGV[2], c]) print c }' "$1" "$2"
}

# On one server, before anything is distributed.
functions_before() {
	local missing
	functions_sql -c 'CREATE EXTENSION openinfo' -f test/citus/seed.sql
	missing=$(functions_sql -c "SELECT DISTINCT p.proname FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
		 WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'openinfo')
		   AND (has_function_privilege('authenticated', p.oid, 'EXECUTE') OR has_function_privilege('service_role', p.oid, 'EXECUTE'))" |
		while read -r name; do grep -qE "\b$name\(" test/citus/calls || echo "$name"; done)
	is 'every function is called' '' "$missing"
	run_calls coordinator 1 >"$W/functions"
	is 'no call is malformed' '' "$(grep -E '^42(601|703|725|883|P0[12]) ' "$W/functions")"
}

# On each node, in a workspace of each worker.
functions_after() {
	local node worker workspace names
	functions_sql -c 'CALL distribute()'
	for node in coordinator worker1 worker2; do
		for worker in worker1 worker2; do
			workspace=$(functions_sql -c "SELECT ltrim(split_part(w.id::text, '-', 5), '0') FROM workspaces w
				 WHERE slug LIKE 'workspace-%' AND slug <> 'workspace-20' AND '$W/$worker' = (
				       SELECT nodename FROM citus_shards WHERE shardid = get_shard_id_for_distribution_column('users', w.id))
				 ORDER BY w.id LIMIT 1")
			run_calls "$node" "$workspace" >"$W/functions.$node.$worker"
			differing "$W/functions" "$W/functions.$node.$worker" >"$W/functions.$node.$worker.differing"
		done
	done
	# names in the table of the documentation, and names of functions in calls that differ
	names=$(sed -n '/^| function /,/^$/p' docs/scale-out.md | grep -oE '`[a-z_]+\(\)`' | tr -d '`()' | sort -u)
	is 'the table of docs/scale-out.md is complete' '' "$(cat "$W"/functions.*.differing | sort -u | grep -vwE "$(paste -sd'|' <<<"$names")")"
	is '... and has nothing more' '' "$(for name in $names; do grep -qw "$name" "$W"/functions.*.differing || echo "$name"; done)"
}
