# shellcheck shell=bash
# A change of visible_fields acts on all nodes, also in sessions that have read the list.  tools/citus_check.sh reads this file.

visible_fields_everywhere() {
	local node worker person insert
	for node in "${nodes[@]}"; do
		for worker in worker1 worker2; do
			person=$(workspace_of "$worker")
			insert="INSERT INTO people_search_results (person_data) VALUES ('{\"full_name\": \"X\", \"shoe\": \"12\"}') RETURNING person_data ? 'shoe';"
			is "$node, rows on $worker: a field becomes visible, and hidden again" $'f\nt\nf' "$(psql -h "$W/$node" -XqAt <<-END
				SELECT set_config('request.jwt.claims', '{"sub": "$person"}', false) \\g /dev/null
				SET ROLE authenticated;
				BEGIN; $insert COMMIT;
				\\! psql -h $W/coordinator -Xqc "INSERT INTO visible_fields VALUES ('person', 'shoe', 'text')"
				BEGIN; $insert COMMIT;
				\\! psql -h $W/coordinator -Xqc "DELETE FROM visible_fields WHERE field = 'shoe'"
				BEGIN; $insert COMMIT;
			END
			)"
		done
	done
	is 'what was sealed' 12 "$(sql -c "SELECT count(*) FROM sealed_contacts WHERE sealed ? 'shoe'")"
	is 'reseal()' 0A000 "$(sql -v VERBOSITY=sqlstate -c "SELECT reseal('person')" 2>&1 | grep -oE '[0-9A-Z]{5}$')"
}
