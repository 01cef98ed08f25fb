#!/bin/bash
# Searching topics while somebody types: whether the right topic is found, how long a keystroke takes at three sizes, and
# what the search costs those who write.
#
# Topics are made of WordNet's terms and of the names and descriptions of Debian's packages (gen_topics.py).
# A keystroke is the best of three, so that what is measured is the search and not the machine's other work; the
# percentiles are over the keystrokes.
. "$(dirname "$0")/lib.sh"

export PGOPTIONS='-c client_min_messages=warning'	# a text of stop words alone is a NOTICE each time

# ---------------------------------------------------------------------------------- quality

heading 'Topics: judged keystrokes (bench/judged.tsv), share with the right topic within the first 1, 5 or 20'
sql <<'END'
CREATE TABLE bench.judged (kind text, typed text, topic text, within int);
CREATE TABLE bench.judged_topics (topic text, volume int);
CREATE TABLE bench.names (topic text);
\copy bench.judged FROM bench/judged.tsv
\copy bench.judged_topics FROM bench/judged_topics.tsv
END
if [ -r "$W/input/topics.csv" ]; then
	python3 -c 'import csv, sys
for row in csv.DictReader(open(sys.argv[1], encoding="utf-8")): print(row["display_name"].replace("\\", "\\\\"))' "$W/input/topics.csv" |
		sql -c '\copy bench.names FROM pstdin'
fi
sql <<'END'
INSERT INTO global_topics (topic, current_volume) SELECT topic, volume FROM bench.judged_topics;
INSERT INTO global_topics (topic, current_volume)
    SELECT topic, (2e5 / (row_number() OVER (ORDER BY md5(topic)) + 3) ^ 0.6)::int
      FROM (SELECT DISTINCT ON (lower(topic)) topic FROM bench.names ORDER BY lower(topic), topic) n
     WHERE lower(topic) NOT IN (SELECT lower(topic) FROM global_topics);
CREATE VIEW bench.verdict AS
    SELECT j.*, (SELECT s.n FROM search_topics(j.typed, j.within) WITH ORDINALITY s (id, topic, c, v, d, r, n) WHERE lower(s.topic) = lower(j.topic) LIMIT 1) AS rank
      FROM bench.judged j;
END
judged() {	# WHERE LEAST-PER-CENT TEXT
	local count share
	IFS='|' read -r count share < <(sql -c "SELECT count(*), 100.0 * count(rank) / count(*) FROM bench.verdict WHERE $1")
	# figure() judges by "at most": so what is judged is the share that is missed
	figure "$3 ($count)" '% missed' "$(awk -v s="$share" 'BEGIN { print 100 - s }')" - "$2"
}
judged true 3 'all'
judged "kind = 'exact'" 0 exact
judged "kind = 'case'" 0 case
judged "kind = 'stop word'" 0 'stop word'
judged "kind = 'one typo'" 10 'one typo'
sql -c "SELECT DISTINCT kind FROM bench.judged WHERE kind NOT IN ('exact', 'case', 'stop word', 'one typo') ORDER BY kind" | while read -r kind; do
	judged "kind = '$kind'" - "$kind"
done

# ------------------------------------------------------------------------------------ speed

sql -f bench/topics.sql
load() {	# N FILE
	sql <<-END
		TRUNCATE global_topics CASCADE;
		DROP INDEX idx_global_topics_search_words, idx_global_topics_search_text;	-- built anew at once, not row by row
		\\copy global_topics (id, topic, category, current_volume) FROM $2
		CREATE INDEX idx_global_topics_search_text ON global_topics (search_band, topic_search_text(topic));
		CREATE INDEX idx_global_topics_search_words ON global_topics USING gin (topic_search_keys(topic, search_band) topic_keys_ops) WITH (fastupdate = off);
		VACUUM (ANALYZE) global_topics;
	END
}
percentile() { sql -c "SELECT percentile_disc($2) WITHIN GROUP (ORDER BY $1) FROM bench.typed WHERE $1 IS NOT NULL"; }

for n in 10000 100000 1000000; do
	size=$(scaled "$n" 1000)
	progress "$size topics"
	python3 bench/gen_topics.py "$size" "$W/topics.tsv"
	load "$size" "$W/topics.tsv"
	python3 bench/keystrokes.py "$W/topics.tsv" "$W/typed.tsv" 4000
	sql -c 'TRUNCATE bench.typed' -c "\\copy bench.typed (kind, typed, topic) FROM $W/typed.tsv" -c 'SELECT bench.keystrokes(3)' >/dev/null
	heading "Topics: keystrokes among $size topics"
	p50=- p99=-
	case $n in 100000) p99=1000 ;; 1000000) p50=100 p99=3000 ;; esac
	figure 'search_topics(), p50' us "$(percentile us 0.5)" - $p50
	figure 'search_topics(), p90' us "$(percentile us 0.9)" - -
	figure 'search_topics(), p99' us "$(percentile us 0.99)" - $p99
	figure 'search_topics(), the slowest' us "$(percentile us 1)" - -
	sql -F ' ' -c "SELECT kind, percentile_disc(0.5) WITHIN GROUP (ORDER BY us), percentile_disc(0.99) WITHIN GROUP (ORDER BY us) FROM bench.typed GROUP BY kind ORDER BY kind" |
		while read -r kind half most; do
			figure "  $kind: p50" us "$half" - -
			figure "  $kind: p99" us "$most" - -
		done
	figure "websearch_to_tsquery + ts_rank, p50" us "$(percentile usual_us 0.5)" - -
	figure "websearch_to_tsquery + ts_rank, p99" us "$(percentile usual_us 0.99)" - -
	sql -c "SELECT bench.add('one', 'SELECT 1'), bench.add('rows', format('SELECT id, topic, category, current_volume, trend_direction FROM public.global_topics WHERE id = ANY (%L::uuid[])',
	        ARRAY(SELECT id FROM global_topics ORDER BY md5(id::text) LIMIT 20)))" >/dev/null
	sql -c "SELECT median FROM bench.race(ARRAY['one', 'rows'], 20)" >"$W/race"
	figure 'SELECT 1' us "$(head -n 1 "$W/race")" - -
	figure '20 rows by id: the floor' us "$(tail -n 1 "$W/race")" - -
	sql -c 'TRUNCATE bench.subject' -c 'DROP FUNCTION bench.loop_one, bench.loop_rows'
	figure "slowest of $(scaled 10000 500) random strings" us "$(sql -c "SELECT bench.slowest_random($(scaled 10000 500))")" - -
done
figure 'memory of the backend, with all of the above' MB \
	"$(sql -c 'SELECT bench.slowest_random(200)' -c "SELECT sum(total_bytes) / 1048576.0 FROM pg_backend_memory_contexts" | tail -n 1)" - 64
sql -F ' ' -c "SELECT c.relname, pg_relation_size(c.oid) / 1048576.0 FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid WHERE i.indrelid = 'global_topics'::regclass ORDER BY 1" |
	while read -r name size; do figure "  $name" MB "$size" - -; done

# ---------------------------------------------------------------------- what it costs to write

size=$(scaled 100000 1000)
progress "writing among $size topics"
python3 bench/gen_topics.py "$size" "$W/topics.tsv"
heading "Topics: writing among $size"
milliseconds() { sql -c '\timing on' -c "$1" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -n 1; }
insert="INSERT INTO global_topics (topic, current_volume) SELECT topic || ' more', current_volume FROM global_topics ORDER BY md5(id::text) LIMIT $((size / 10))"
update="UPDATE global_topics SET current_volume = (current_volume * (0.8 + 0.4 * (abs(hashtext(id::text)) % 1000) / 1000.0))::int"
without() { sql -c 'DROP INDEX idx_global_topics_search_words, idx_global_topics_search_text'; }
load "$size" "$W/topics.tsv"
update_with=$(milliseconds "$update")
sql -c 'VACUUM (ANALYZE) global_topics'
insert_with=$(milliseconds "$insert")
load "$size" "$W/topics.tsv"
without
update_without=$(milliseconds "$update")
sql -c 'VACUUM (ANALYZE) global_topics'
insert_without=$(milliseconds "$insert")
per_row() { awk -v ms="$1" -v n="$2" 'BEGIN { print ms * 1000 / n }'; }
figure 'a topic inserted; floor: without the search indexes' us "$(per_row "$insert_with" $((size / 10)))" "$(per_row "$insert_without" $((size / 10)))" -
figure 'all volumes changed by up to 20 %, per topic' us "$(per_row "$update_with" "$size")" "$(per_row "$update_without" "$size")" 3
sql -c 'ALTER TABLE global_topics SET (fillfactor = 100)'
sql -c 'VACUUM FULL global_topics'
figure '  ... without them, on pages without room' us "$(per_row "$(milliseconds "$update")" "$size")" - -
