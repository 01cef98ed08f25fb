#!/bin/bash
# Searching the leads of a workspace while somebody types: 200,000 leads in it and as many in others.  Of each keystroke,
# as for topics: shared buffers, the time of its first call, and the best of four; then the same while the pending list is
# nearly full, with leads of that workspace; then what inserting costs.
. "$(dirname "$0")/lib.sh"

size=$(scaled 200000 2000)
progress "$size leads in a workspace"
sql -f bench/search_leads.sql
python3 bench/gen_topics.py "$(scaled 100000 2000)" "$W/topics.tsv"
cut -f2 "$W/topics.tsv" | sql -c 'CREATE TEMP TABLE topic (topic text)' -c '\copy topic FROM pstdin' \
	-c "INSERT INTO bench.phrase (words) SELECT string_to_array(topic, ' ') FROM topic"
sql -v size="$size" <<'SQL'
SET client_min_messages = warning;
ANALYZE bench.phrase;
INSERT INTO workspaces (id, slug, name) SELECT md5('workspace' || n)::uuid, 'workspace-' || n, 'Workspace ' || n FROM generate_series(0, 9) n;
INSERT INTO global_topics (id, topic) VALUES (md5('topic')::uuid, 'Bench');
INSERT INTO queries (id, workspace_id, topic_id, name) VALUES (md5('query')::uuid, md5('workspace0')::uuid, md5('topic')::uuid, 'Bench');
-- half of them in one workspace; all lie all over the table
INSERT INTO leads (id, workspace_id, company_data, contact_data, created_at)
    SELECT id, md5('workspace' || CASE n % 2 WHEN 0 THEN 0 ELSE 1 + n % 9 END)::uuid, company_data, contact_data, created_at
      FROM bench.leads(1, 2 * :size) WITH ORDINALITY l (id, company_data, contact_data, created_at, n);
VACUUM (ANALYZE) leads;
SELECT bench.warm('leads'), bench.type_leads(md5('workspace0')::uuid, 120), bench.key_leads(md5('workspace0')::uuid, 4)
\g /dev/null
SQL
percentile() { sql -c "SELECT percentile_disc($2) WITHIN GROUP (ORDER BY $1) FROM bench.typed_lead"; }
searched() {	# MORE-OF-THE-TITLE: what bench.key_leads() found
	local name column unit half nearly most
	heading "Search of leads: $(sql -c 'SELECT count(*) FROM bench.typed_lead') keystrokes among $size leads of a workspace, 50 rows$1"
	for figure in 'buffers accessed|buffers||-|-|1600' 'first call|first_us|us|-|-|-' 'best of four calls|us|us|300|5000|-'; do
		IFS='|' read -r name column unit half nearly most <<<"$figure"
		[ -z "$1" ] || half=- nearly=-
		figure "$name, p50" "$unit" "$(percentile "$column" 0.5)" - "$half"
		figure "$name, p99" "$unit" "$(percentile "$column" 0.99)" - "$nearly"
		figure "$name, at most" "$unit" "$(percentile "$column" 1)" - "$most"
	done
}
searched ''
sql -F '|' -c "SELECT kind, percentile_disc(0.5) WITHIN GROUP (ORDER BY buffers), percentile_disc(0.5) WITHIN GROUP (ORDER BY us),
                      percentile_disc(0.99) WITHIN GROUP (ORDER BY us)
                 FROM bench.typed_lead GROUP BY kind ORDER BY kind" |
	while IFS='|' read -r kind buffers half nearly; do
		figure "  $kind: buffers, p50" '' "$buffers" - -
		figure "  $kind: best of four, p50" us "$half" - -
		figure "  $kind: best of four, p99" us "$nearly" - -
	done
sql -c "SELECT bench.add('like', format('SELECT id FROM public.leads WHERE workspace_id = %L AND company_data ->> ''name'' ILIKE ''%%elast%%'' ORDER BY created_at DESC LIMIT 50', md5('workspace0')::uuid))" >/dev/null
figure '  ILIKE on the name alone' us "$(sql -c "SELECT median FROM bench.race(ARRAY['like'], 3)")" - -
figure '  size of the index' MB "$(sql -c "SELECT pg_relation_size('idx_leads_search') / 1048576.0")" - -

sql -c 'ALTER TABLE leads SET (autovacuum_enabled = off)' -c "SELECT gin_clean_pending_list('idx_leads_search')" \
	-c "SELECT bench.insert_leads(md5('workspace0')::uuid, md5('query')::uuid, -n) FROM generate_series(1, 2) n" \
	-c "SELECT bench.key_leads(md5('workspace0')::uuid, 4)" >/dev/null
searched '; 1,000 new ones in the pending list'
# Batches take turns.  New keys go to the pending list, and every other batch or so moves them to where they belong.
heading 'Writing new leads, per lead, 500 in a batch; the floor is without the search index'
for round in $(seq "$(scaled 40 10)"); do
	for way in with without; do
		echo 'BEGIN;'
		[ "$way" = with ] || echo 'DROP INDEX idx_leads_search;'
		echo "SELECT '$way', us, b.cpu, s.cpu FROM bench.insert_leads(md5('workspace0')::uuid, md5('query')::uuid, $round) b, bench.insert_singles(md5('workspace0')::uuid, $round) s;"
		echo 'ROLLBACK;'
	done | sql -q
done >"$W/inserted"
least() { awk -F '|' -v way="$1" '$1 == way && (!n++ || $2 < least) { least = $2 } END { print least }' "$W/inserted"; }
mean() { awk -F '|' -v way="$1" -v of="$2" '$1 == way { n++; sum += $of } END { print sum / n }' "$W/inserted"; }
figure 'ingest_leads()' us "$(least with)" "$(least without)" 1.5
figure '  ... on average, processor time, with moving keys' us "$(mean with 3)" "$(mean without 3)" -
figure 'INSERT of one lead, the same' us "$(mean with 4)" "$(mean without 4)" 1.5
