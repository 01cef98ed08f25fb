# shellcheck shell=bash
# A worker that dies in the middle of a transaction that has written there.  tools/citus_check.sh reads this file.

stop_node() { pg_ctl -D "$W/$1/data" -m immediate -s stop; }
start_node() { pg_ctl -D "$W/$1/data" -l "$W/$1/log" -s -w start 9>&-; }
# A person with the claim of their workspace, so that no other node is asked who they are.
claiming() { echo "$1\", \"workspace_id\": \"$1"; }
fails() { [[ $1 =~ ^(08006|XX000|57P0.)$ ]] && echo error || echo "$1"; }

node_down() {
	local here there entry before died
	here=$(workspace_of worker1) there=$(workspace_of worker2)
	died="\\! pg_ctl -D $W/worker1/data -m immediate -s stop"
	sql -c "UPDATE leads SET enrichment_lease_until = NULL, enrichment_status = 'pending', enrichment_attempts = 0"
	before=$(rows)
	half() {	# NAME ROLE PERSON STATEMENTS: what is begun on a node that dies is an error, and leaves nothing
		is "$entry: $1" error "$(fails "$(request "$entry" "$2" "$3" "$4")")"
		start_node worker1
		sql -o /dev/null -c 'SELECT recover_prepared_transactions()'
		is "$entry: $1, afterwards" "$before" "$(rows)"
	}
	for entry in coordinator worker2; do
		half 'INSERT, and the node dies' authenticated "$(claiming "$here")" "INSERT INTO leads (company_data) VALUES ('{\"name\": \"N\"}') \\g /dev/null
			$died
			SELECT count(*) FROM leads"
		half 'spending, and the node dies before COMMIT' authenticated "$(claiming "$here")" \
			"SELECT record_credit_usage('$here', '$here', 'people_search') \\g /dev/null
			$died"
		half 'claims on two nodes, and one dies before COMMIT' service_role '' "SELECT count(*) FROM get_leads_pending_enrichment(1000) \\g /dev/null
			$died"
	done

	stop_node worker1
	for entry in coordinator worker2; do
		is "$entry: others read while a node is down" t "$(request "$entry" authenticated "$(claiming "$there")" 'SELECT count(*) >= 100 FROM leads')"
		is "$entry: others write" 1 "$(request "$entry" authenticated "$(claiming "$there")" "WITH i AS (INSERT INTO leads (company_data) VALUES ('{\"name\": \"N\"}') RETURNING 1) SELECT count(*) FROM i")"
		is "$entry: others spend" t "$(request "$entry" authenticated "$(claiming "$there")" "SELECT record_credit_usage('$there', '$there', 'people_search') IS NOT NULL")"
		is "$entry: others search" t "$(request "$entry" authenticated "$(claiming "$there")" "SELECT count(*) > 0 FROM search_leads('c1')")"
		is "$entry: those of the node do not" error "$(fails "$(request "$entry" authenticated "$(claiming "$here")" 'SELECT count(*) FROM leads')")"
		is "$entry: without the claim all nodes are asked" error "$(fails "$(request "$entry" authenticated "$there" 'SELECT count(*) FROM leads')")"
		is "$entry: nor do workers" error "$(fails "$(request "$entry" service_role '' 'SELECT * FROM get_leads_pending_enrichment()')")"
	done
	start_node worker1
	is 'the node is back' t "$(request coordinator authenticated "$(claiming "$here")" 'SELECT count(*) >= 100 FROM leads')"
}
