#!/bin/bash
# citus_check.sh [COMMAND ARGUMENT...]: what openinfo does on a Citus cluster, a coordinator and two workers on throwaway servers.
#
# Citus is used when it is installed in the server (pg_config --pkglibdir has citus.so), or below CITUS_STAGE, a directory that
# "make install DESTDIR=CITUS_STAGE" of Citus wrote to.  Without it the checks are skipped, with a message.
#
#   COMMAND   is run instead of the checks, with PGHOST and so on set for the coordinator, and NODES for the three of them
set -euo pipefail
. "$(dirname "$0")/lib.sh"

citus_stage=${CITUS_STAGE:-}
if ! find "$citus_stage$(pg_config --pkglibdir 2>/dev/null)" -maxdepth 1 -name citus.so 2>/dev/null | grep -q .; then
	echo "citus: skipped, Citus is not installed"
	exit 0
fi
[ -z "$citus_stage" ] || export input=$citus_stage

kept() { say "kept $W; to end it: for p in $W/*/data/postmaster.pid; do kill -INT \$(head -n 1 \$p); done"; }

enter_workdir "$0" "$@"
build
[ ! -d "$W/input" ] || cp -a "$W/input/." "$W/stage/"

# Citus asks pg_available_extensions for its version, which does not know Debian's extension_destdir.
unchecked=()
[ -z "$citus_stage" ] || unchecked=('citus.enable_version_checks = off' 'columnar.enable_version_checks = off')

# The nodes reach each other by their sockets, which nobody else can open.
for node in coordinator worker1 worker2; do
	start_server "$node" openinfo "shared_preload_libraries = 'citus, pg_cron'" 'citus.enable_statistics_collection = off' \
		'max_prepared_transactions = 50' 'max_connections = 60' "citus.node_conninfo = 'sslmode=disable'" 'citus.shard_count = 8' "citus.local_hostname = '$W/$node'" "session_preload_libraries = 'openinfo'" "${unchecked[@]}"
	createdb functions
	for database in openinfo functions; do psql -Xq -d "$database" -c 'CREATE EXTENSION citus'; done
done
export NODES="$W/coordinator $W/worker1 $W/worker2" PGHOST=$W/coordinator PGDATA=$W/coordinator/data
for database in openinfo functions; do
	psql -Xq -d "$database" -v ON_ERROR_STOP=1 -o /dev/null -c "SELECT citus_set_coordinator_host('$W/coordinator', 5432)" \
		-c "SELECT citus_add_node('$W/worker1', 5432)" -c "SELECT citus_add_node('$W/worker2', 5432)"
done

if [ $# -gt 0 ]; then interruptible "$@"; exit; fi

# ------------------------------------------------------------------------------------------------- tools

passed=0 failed=0
is() {	# NAME EXPECTED GOT
	if [ "$2" = "$3" ]; then passed=$((passed + 1)); else
		failed=$((failed + 1))
		printf 'not ok: %s\n  expected: %s\n  got:      %s\n' "$1" "$2" "$3"
	fi
}

# One transaction on a node, as a request is: NODE ROLE PERSON STATEMENT.  Prints what it returns, or its SQLSTATE.
request() {
	local claims='' out
	[ -z "$3" ] || claims="SELECT set_config('request.jwt.claims', '{\"sub\": \"$3\"}', true) \\g /dev/null"
	out=$(psql -h "$W/$1" -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate 2>&1 <<-END
		BEGIN;
		$claims
		SELECT set_config('role', '$2', true) \\g /dev/null
		$4;
		COMMIT;
	END
	) || true
	grep -oE 'ERROR:  [0-9A-Z]{5}' <<<"$out" | sed 's/ERROR:  //' || echo "$out"
}
sql() { psql -XqAt -v ON_ERROR_STOP=1 "$@"; }
nodes=(coordinator worker1 worker2)
id() { echo "00000000-0000-4000-8000-$(printf '%012d' $(($1)))"; }		# workspace n is its own person and member

# ------------------------------------------------------------------------------------------------- the installation

export PGOPTIONS='-c client_min_messages=error'
. test/citus/functions.sh
functions_before
sql <<'SQL'
CREATE EXTENSION openinfo;
INSERT INTO global_topics (id, topic) VALUES ('10000000-0000-4000-8000-000000000001', 'Machine Learning');
INSERT INTO workspaces (id, slug, name)
    SELECT format('00000000-0000-4000-8000-%s', lpad(n::text, 12, '0'))::uuid, 'workspace-' || n, 'W' FROM generate_series(1, 24) n;
INSERT INTO users (id, workspace_id, auth_user_id, created_by, email, role, plan, daily_credit_limit)
    SELECT id, id, id, id, 'owner@example.org', 'owner', 'starter', 50 FROM workspaces;
INSERT INTO queries (id, workspace_id, topic_id, name)
    SELECT id, id, '10000000-0000-4000-8000-000000000001', 'Q' FROM workspaces;
INSERT INTO leads (workspace_id, query_id, company_data)
    SELECT w.id, w.id, jsonb_build_object('name', 'C' || n, 'domain', format('c%s.example', n))
      FROM workspaces w, generate_series(1, 100) n;
INSERT INTO people_search_results (id, workspace_id, user_id, person_data)
    SELECT id, id, id, '{"full_name": "Ann", "email": "ann@company.example"}' FROM workspaces;
INSERT INTO integrations (id, workspace_id, type, name, config) SELECT id, id, 'slack', 'S', '{"token": "t"}' FROM workspaces;
SELECT record_credit_usage(id, id, 'people_search') IS NOT NULL FROM workspaces \g /dev/null
SQL
snapshot() { sql -f test/t/lib/snapshot.sql; }
snapshot >"$W/before"

is 'roles must be able to log in' 55000 "$(sql -v VERBOSITY=sqlstate -c 'CALL distribute()' 2>&1 | grep -oE '[0-9A-Z]{5}$')"
for role in authenticated service_role openinfo_owner; do sql -c "ALTER ROLE $role LOGIN"; done
functions_after
is 'not in a transaction block' 25001 "$(sql -v VERBOSITY=sqlstate -c BEGIN -c 'CALL distribute()' 2>&1 | grep -oE '[0-9A-Z]{5}$')"
is 'not on a worker' 55000 "$(sql -h "$W/worker1" -v VERBOSITY=sqlstate -c 'CALL distribute()' 2>&1 | grep -oE '[0-9A-Z]{5}$')"
sql -c 'CALL distribute()'
is 'every table has its place' '' "$(sql -c "SELECT relname, kind FROM table_distribution() d
	WHERE kind <> CASE (SELECT partmethod FROM pg_dist_partition WHERE logicalrelid = d.relname::regclass) WHEN 'h' THEN 'distributed' WHEN 'n' THEN 'reference' ELSE 'local' END")"
for node in "${nodes[@]}"; do
	is "$node: the checklist holds" 23 "$(sql -h "$W/$node" -c 'SELECT count(*) FROM security_checklist() WHERE ok')"
done
sql -c 'CALL distribute()'
is 'twice changes nothing' 2400 "$(sql -c 'SELECT count(*) FROM leads')"
is 'no way down' 55000 "$(sql -v VERBOSITY=sqlstate -c "ALTER EXTENSION openinfo UPDATE TO '1.1.0'" 2>&1 | grep -oE '[0-9A-Z]{5}$' | head -n 1)"

# ------------------------------------------------------------------------------------------------- isolation

for node in "${nodes[@]}"; do
	for n in $(seq 1 24); do
		is "workspace $n by $node: its own rows, none of others" "100|1|1|1|1|t" "$(request "$node" authenticated "$(id "$n")" \
			'SELECT (SELECT count(*) FROM leads), (SELECT count(*) FROM queries), (SELECT count(*) FROM users),
			        (SELECT count(*) FROM credit_usage), (SELECT count(*) FROM workspaces), get_user_id() = get_user_workspace_id()')"
	done
	other=$(request "$node" authenticated "$(id 3)" "SELECT set_config('openinfo.workspace_id', '$(id 4)', true) \\g /dev/null
		SELECT count(*) FROM leads")
	is "$node: a workspace that the person is no member of" 0 "$other"
	is "$node: nobody" 0 "$(request "$node" authenticated '' 'SELECT count(*) FROM leads')"
	is "$node: rows of another are not changed" '' "$(request "$node" authenticated "$(id 3)" "UPDATE leads SET contact_data = '{}' WHERE query_id = '$(id 4)' RETURNING 1")"
	is "$node: sealed tables" 42501 "$(request "$node" authenticated "$(id 3)" 'SELECT count(*) FROM sealed_contacts')"
	is "$node: a column that is not granted" 42501 "$(request "$node" authenticated "$(id 3)" "INSERT INTO leads (company_data, enrichment_status) VALUES ('{\"name\": \"N\"}', 'enriched')")"
	is "$node: a workspace that is named" 42501 "$(request "$node" authenticated "$(id 3)" "INSERT INTO leads (company_data, workspace_id) VALUES ('{\"name\": \"N\"}', '$(id 4)')")"
	is "$node: ledger, UPDATE" 42501 "$(request "$node" service_role '' 'UPDATE credit_usage SET credits_used = 9')"
	is "$node: ledger, DELETE" 42501 "$(request "$node" service_role '' 'DELETE FROM credit_usage')"
	is "$node: ledger, another author" 42501 "$(request "$node" service_role '' "UPDATE credit_usage SET user_id = NULL WHERE workspace_id = '$(id 3)'")"
done
is 'the ledger is whole' 24 "$(sql -c 'SELECT count(*) FROM credit_usage WHERE user_id IS NOT NULL')"

# ------------------------------------------------------------------------------------------------- workers

# Until nothing is left: NODE STATEMENT, which returns a batch.
until_empty() {
	local batch
	while batch=$(request "$1" service_role '' "$2") && [ -n "$batch" ]; do echo "$batch"; done
}
for node in "${nodes[@]}"; do
	sql -c "UPDATE leads SET enrichment_status = 'pending', enrichment_attempts = 0, enrichment_lease_until = NULL"
	for worker in 1 2 3 4; do until_empty "$node" 'SELECT id FROM get_leads_pending_enrichment(100)' >"$W/claimed$worker" & clients[worker]=$!; done
	wait "${clients[@]}"
	is "$node: 2400 leads are claimed once, by four workers at a time" '2400|2400' \
		"$(cat "$W"/claimed? | wc -l)|$(sort -u "$W"/claimed? | wc -l)"
	sql -c "UPDATE leads SET enrichment_status = 'pending', enrichment_attempts = 0, enrichment_lease_until = NULL,
		created_at = now() - CASE WHEN workspace_id = '$(id 3)' THEN interval '2 days' ELSE '1 day' END"
	is "$node: what another worker holds is passed over" '5' "$(request "$node" service_role '' "SELECT count(*) FROM get_leads_pending_enrichment(100) \\g /dev/null
		\\! psql -h $W/$node -XqAtc 'SELECT count(*) FROM get_leads_pending_enrichment(5)'
		ROLLBACK")"
	sql -c "UPDATE leads SET enrichment_lease_until = now(), enrichment_attempts = CASE WHEN workspace_id = '$(id 3)' THEN 3 ELSE 2 END"
	is "$node: what is exhausted is not claimed" 1000 "$(request "$node" service_role '' 'SELECT count(*) FROM get_leads_pending_enrichment(1000)')"
	is "$node: but marked" t "$(sql -c "SELECT bool_and(workspace_id = '$(id 3)') FROM leads WHERE enrichment_status = 'failed'")"
	is "$node: queries in turns" '24|24' "$(sql -c 'UPDATE queries SET lease_until = NULL';
		request "$node" service_role '' 'SELECT count(*), count(DISTINCT workspace_id) FROM get_active_queries_for_processing()')"
	is "$node: a delivery" 1 "$(sql -c "UPDATE leads SET enrichment_status = 'enriched', delivery_lease_until = NULL WHERE id IN (SELECT id FROM leads WHERE workspace_id = '$(id 3)' LIMIT 1)"
		request "$node" service_role '' 'SELECT count(*) FROM get_leads_pending_delivery()')"
	is "$node: events of two workspaces" 't|t|2|2' "$(request "$node" service_role '' "SELECT send_integration_event('$(id 3)', 'slack', '{}'), send_integration_event('$(id 4)', 'slack', '{}')")|$(
		request "$node" service_role '' "SELECT count(*), count(config ->> 'token') FROM get_integration_events_pending()")"
done
sql -c "UPDATE leads SET enrichment_status = 'pending', delivery_status = 'pending', enrichment_attempts = 0, enrichment_lease_until = NULL, delivery_attempts = 0, delivery_lease_until = NULL, last_error = NULL"

# ------------------------------------------------------------------------------------------------- one call for each transaction

n=4
for node in "${nodes[@]}"; do
	n=$((n + 1)) me=$(id $n)
	# the functions of openinfo are called without FROM: within a statement on distributed tables they are refused
	call() { is "$node: $1" "$2" "$(request "$node" authenticated "$me" "$3")"; }
	service() { is "$node, service: $1" "$2" "$(request "$node" service_role '' "$3")"; }
	after() { is "$node: then $1" "$2" "$(sql -c "$3")"; }
	call 'INSERT of a lead' "$me|$me" "INSERT INTO leads (query_id, company_data) VALUES ('$me', '{\"name\": \"N\"}') RETURNING workspace_id, created_by"
	call 'UPDATE' 1 "WITH u AS (UPDATE leads SET contact_data = '{\"a\": 1}' WHERE lead_domain(company_data) = 'c7.example' RETURNING 1) SELECT count(*) FROM u"
	call 'a query without a name' 'Machine Learning' "INSERT INTO queries (topic_id) VALUES ('10000000-0000-4000-8000-000000000001') RETURNING name"
	call 'one active query too many' PT402 "INSERT INTO queries (topic_id) VALUES ('10000000-0000-4000-8000-000000000001')"
	call 'ingest_leads()' '1|2|0' "SELECT * FROM ingest_leads('$me', '[{\"name\": \"A\", \"domain\": \"a.example\"}, {\"name\": \"B\", \"domain\": \"c1.example\"}, 7]')"
	after 'the leads' 102 "SELECT count(*) FROM leads WHERE workspace_id = '$me'"
	call 'record_credit_usage()' t "SELECT record_credit_usage('$me', '$me', 'people_search', 2, NULL, '{}', 'key') IS NOT NULL"
	call 'the same key' t "SELECT record_credit_usage('$me', '$me', 'people_search', 2, NULL, '{}', 'key') IS NOT NULL"
	after 'charged once' '3|2' "SELECT daily_credits_used, (SELECT count(*) FROM credit_usage WHERE workspace_id = '$me') FROM users WHERE id = '$me'"
	call 'too many credits' PT402 "SELECT record_credit_usage('$me', '$me', 'people_search', 50)"
	call 'credits of another' 42501 "SELECT record_credit_usage('$(id 1)', '$(id 1)', 'people_search')"
	call 'reveal_person_email()' 'ann@company.example' "SELECT reveal_person_email('$me') ->> 'email'"
	call 'get_workspace_stats()' 102 "SELECT get_workspace_stats() -> 'leads' ->> 'total'"
	call 'search_topics()' 'Machine Learning' "SELECT topic FROM search_topics('machine lear')"
	call 'get_integration_config()' t "SELECT get_integration_config('$me') ->> 'token'"
	call 'a person is sealed' '{"full_name": "X"}' "INSERT INTO people_search_results (person_data) VALUES ('{\"full_name\": \"X\", \"email\": \"x@y.example\"}') RETURNING person_data"
	after 'what was sealed' 1 "SELECT count(*) FROM sealed_contacts WHERE workspace_id = '$me' AND sealed ->> 'email' = 'x@y.example'"
	call 'add_member()' t "SELECT add_member('$me', '$(id $((n + 100)))', 'bob@example.org') IS NOT NULL"
	after 'their preferences' 2 "SELECT count(*) FROM notification_preferences WHERE workspace_id = '$me'"
	is "$node: the new member" 103 "$(request "$node" authenticated "$(id $((n + 100)))" "INSERT INTO leads (company_data) VALUES ('{\"name\": \"M\"}'); SELECT count(*) FROM leads")"
	member=$(sql -c "SELECT id FROM users WHERE auth_user_id = '$(id $((n + 100)))'")
	call 'remove_member()' '' "SELECT remove_member('$member')"
	after 'their row has no author' 1 "SELECT count(*) FROM leads WHERE workspace_id = '$me' AND created_by IS NULL AND company_data ->> 'name' = 'M'"
	for i in 1 2 3 4; do
		is "$node: create_workspace()" t "$(request "$node" authenticated "$(id $((n + 200 * i)))" "SELECT create_workspace('new-$n-$i', 'New', 'n@example.org') IS NOT NULL")"
	done
	for i in 14 15 16 17; do
		token=$(request "$node" authenticated "$(id $i)" "SELECT token FROM invite_member('i$n@example.org')")
		is "$node: accept_invitation()" "$(id $i)" "$(request "$node" authenticated "$(id $((n * 1000)))" "SELECT accept_invitation('$token')")"
	done
	call 'search_leads()' 'C13|5' "SELECT company_data ->> 'name', relevance FROM search_leads('c13')"
	call 'search_leads(), typos' 'C13|0' "SELECT company_data ->> 'name', relevance FROM search_leads('cc13')"
	call 'search_leads(), the next page' 'C100' "SELECT company_data ->> 'name' FROM search_leads('c10', 1, (SELECT id FROM search_leads('c10', 1)))"
	call 'search_leads() in another workspace' 42501 "SELECT search_leads('c13', p_workspace_id => '$(id 3)')"
	service 'search_leads()' 'C13|5' "SELECT company_data ->> 'name', relevance FROM search_leads('c13', p_workspace_id => '$me')"
	lead=$(sql -c "SELECT id FROM leads WHERE workspace_id = '$me' AND lead_domain(company_data) = 'c9.example'")
	service 'update_lead_enrichment()' '' "SELECT update_lead_enrichment('$lead', 'enriched', '{\"x\": 1}')"
	after 'enriched' enriched "SELECT enrichment_status FROM leads WHERE id = '$lead'"
	service 'send_integration_event()' t "SELECT send_integration_event('$me', 'slack', '{}')"
	service 'update_workspace_plan()' '' "SELECT update_workspace_plan('$me', 'pro')"
	after 'the plan' pro "SELECT plan FROM users WHERE id = '$me'"
	event() { echo "SELECT record_billing_event('$1', '$2', '$3', now(), 1, '{\"customer\": \"cus_$n\", \"subscription_id\": \"sub_$n\"}')"; }
	service 'record_billing_event()' t "$(event "$me" subscription_created "evt_$n")"
	service 'record_billing_event(), the same' f "$(event "$me" subscription_created "evt_$n")"
	service 'record_billing_event(), the same in another workspace' f "$(event "$(id 3)" subscription_created "evt_$n")"
	service 'record_billing_event(), a payment' t "$(event "$me" payment_failed "evt_${n}b")"
	after 'the subscription' 'past_due' "SELECT subscription_status FROM stripe_customers WHERE workspace_id = '$me'"
done
# what docs/scale-out.md names besides
for node in "${nodes[@]}"; do
	[ "$W/$node" != "$(sql -c "SELECT nodename FROM citus_shards WHERE shardid = get_shard_id_for_distribution_column('users', '$(id 18)')")" ] || continue
	is "$node: a function that writes, and then a statement of the caller" 25001 "$(request "$node" authenticated "$(id 18)" "SELECT record_credit_usage('$(id 18)', '$(id 18)', 'people_search') \\g /dev/null
		SELECT count(*) FROM leads")"
	is "$node: outside of a transaction block" 0 "$(psql -h "$W/$node" -XqAt -c "SET request.jwt.claims = '{\"sub\": \"$(id 18)\", \"workspace_id\": \"$(id 18)\"}'" -c 'SET ROLE authenticated' -c 'SELECT count(*) FROM leads')"
done
is 'reset_daily_credits() moves updated_at' t "$(sql <<-END
	UPDATE users SET daily_credits_used = 1, credits_reset_on = current_date - 2 WHERE id = '$(id 18)';
	SELECT updated_at AS before FROM users WHERE id = '$(id 18)' \gset
	SELECT reset_daily_credits() \g /dev/null
	SELECT updated_at > :'before' FROM users WHERE id = '$(id 18)';
END
)"
is 'jobs' '0|t|0' "$(request coordinator service_role '' 'SELECT reset_daily_credits(), update_topic_trends() > 0, cleanup_expired_exports()')"

# ------------------------------------------------------------------------------------------------- at the same time

me=$(id 12)
for client in 1 2 3 4 5 6 7 8; do
	for round in $(seq 1 10); do
		request "${nodes[$((client % 3))]}" authenticated "$me" "SELECT record_credit_usage('$me', '$me', 'people_search') IS NOT NULL /* $round */"
	done >"$W/spent$client" &
	clients[client]=$!
done
wait "${clients[@]}"
is 'eight clients spend no more than the limit, and none meets another error' '31 PT402,49 t' "$(sort "$W"/spent? | uniq -c | awk '{print $1, $2}' | paste -sd,)"
is 'what they spent' '50|50' \
	"$(sql -c "SELECT daily_credits_used, (SELECT sum(credits_used) FROM credit_usage WHERE workspace_id = '$me') FROM users WHERE id = '$me'")"

# A shard moves.  It is created by the owner of the tables, and has the grants of the table until distribute() is called.
shard=$(sql -c "SELECT get_shard_id_for_distribution_column('users', '$(id 1)')")
from=$(sql -c "SELECT nodename FROM citus_shards WHERE shardid = $shard")
[ "$from" = "$W/worker1" ] && to=$W/worker2 || to=$W/worker1
# What the owner of the tables needs to create a shard, by GRANT TO or REVOKE FROM: Citus sends the first to all nodes.
creator() {
	sql -c "$1 CREATE ON SCHEMA public $2 openinfo_owner"
	sql -c "SELECT result FROM run_command_on_all_nodes(\$command\$ DO \$do\$ DECLARE f regprocedure; BEGIN
		FOR f IN SELECT DISTINCT tgfoid FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid
		          WHERE NOT tgisinternal AND p.pronamespace = 'public'::regnamespace
		LOOP EXECUTE format('$1 EXECUTE ON FUNCTION %s $2 openinfo_owner', f); END LOOP; END \$do\$ \$command\$) WHERE NOT success"
}
creator GRANT TO
sql -c "SELECT citus_move_shard_placement($shard, '$from', 5432, '$to', 5432, shard_transfer_mode => 'block_writes')" >/dev/null
creator REVOKE FROM
sql -c 'CALL distribute()'
for node in "${nodes[@]}"; do
	is "$node: after the move" '100|1' "$(request "$node" authenticated "$(id 1)" 'SELECT (SELECT count(*) FROM leads), (SELECT count(*) FROM credit_usage)')"
	is "$node: INSERT after the move" 1 "$(request "$node" authenticated "$(id 1)" "WITH i AS (INSERT INTO saved_searches (name) VALUES ('S') RETURNING 1) SELECT count(*) FROM i")"
done

# A member is removed while their transaction is open.
member=$(sql -c "SELECT add_member('$(id 2)', '$(id 302)', 'guest@example.org')")
is 'removed in the meantime' $'100\n0' "$(request coordinator authenticated "$(id 302)" "SELECT count(*) FROM leads;
	\\! psql -h $W/coordinator -XqAtc \"SELECT remove_member('$member')\" >/dev/null
	SELECT count(*) FROM leads")"

# Digests of all tables.
rows() { sql -c "SELECT string_agg(format('SELECT %L, count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM %1\$I t', relname), ' UNION ALL ') FROM table_distribution()" | sql -f - | sort; }

# A workspace of a worker.
workspace_of() {
	sql -c "SELECT id FROM workspaces w WHERE slug ~ '^workspace-' AND '$W/$1' = (SELECT nodename FROM citus_shards
		 WHERE shardid = get_shard_id_for_distribution_column('users', w.id)) ORDER BY id LIMIT 1"
}
. test/citus/visible_fields.sh
visible_fields_everywhere
. test/citus/postgrest.sh
postgrest_in_front
. test/citus/node_down.sh
node_down

# ------------------------------------------------------------------------------------------------- and back

rows >"$W/rows1"
sql -c 'CALL undistribute()'
for role in authenticated service_role openinfo_owner; do sql -c "ALTER ROLE $role NOLOGIN"; done
rows >"$W/rows2"
is 'undistributed: nothing is left on the workers' '0|0' "$(sql -c 'SELECT count(*) FROM pg_dist_partition')|$(sql -h "$W/worker1" -c "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")"
snapshot >"$W/after"
is 'undistributed: the same rows' '' "$(diff "$W/rows1" "$W/rows2")"
is 'undistributed: the catalog of one server' '' "$(diff "$W/before" "$W/after")"
is 'undistributed: reseal()' 6 "$(sql -c "SELECT reseal('person')")"
is 'undistributed: the checklist holds' '' "$(sql -c 'SELECT item, detail FROM security_checklist() WHERE NOT ok')"
is 'undistributed: a member works' 101 "$(request coordinator authenticated "$(id 8)" "INSERT INTO leads (company_data) VALUES ('{\"name\": \"N\"}'); SELECT count(*) FROM leads")"

echo "citus: $passed passed, $failed failed"
[ "$failed" = 0 ]
