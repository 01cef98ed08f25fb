#!/bin/bash
# Searching topics while somebody types: whether the right topic is found, how long a keystroke takes at three sizes, and
# what the search costs those who write.
#
# Topics are made of WordNet's terms and of the names and descriptions of Debian's packages (gen_topics.py).
# Of each keystroke: the shared buffers that it accesses, which are the same on every machine; the time of its first call,
# which is what people wait for; and the best of four calls, which the machine's other work hardly touches.  Percentiles
# are over the keystrokes.
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
-- spelling: the topic that is spelled so; otherwise in any case
CREATE VIEW bench.verdict AS
    SELECT j.*, (SELECT s.n
                   FROM search_topics(j.typed, j.within) WITH ORDINALITY s (id, topic, c, v, d, r, n)
                  WHERE s.topic = j.topic OR (j.kind <> 'spelling' AND lower(s.topic) = lower(j.topic))
                  LIMIT 1) AS rank
      FROM bench.judged j;
END
judged() {	# WHERE LEAST-PER-CENT TEXT
	local count share
	IFS='|' read -r count share < <(sql -c "SELECT count(*), 100.0 * count(rank) / count(*) FROM bench.verdict WHERE $1")
	# figure() judges by "at most": so what is judged is the share that is missed
	figure "$3 ($count)" '% missed' "$(awk -v s="$share" 'BEGIN { print 100 - s }')" - "$2"
}
judged true 3 'all'
for kind in exact case 'stop word' spelling; do judged "kind = '$kind'" 0 "$kind"; done
judged "kind = 'scripts without spaces'" 5 'scripts without spaces'
judged "kind = 'one typo'" 10 'one typo'
sql -c "SELECT DISTINCT kind FROM bench.judged
         WHERE kind NOT IN ('exact', 'case', 'stop word', 'spelling', 'scripts without spaces', 'one typo') ORDER BY kind" |
	while read -r kind; do judged "kind = '$kind'" - "$kind"; done
figure 'searches that the budget stopped' '' \
	"$(PGOPTIONS='-c client_min_messages=debug1' sql -c 'SELECT count(*) FROM bench.verdict WHERE rank >= 0' 2>&1 | grep -c 'stopped after' || true)" - 0

# ------------------------------------------------------------------------------------ speed

sql -f bench/topics.sql
load() {	# N FILE
	sql <<-END
		SET maintenance_work_mem = '1GB';
		TRUNCATE global_topics CASCADE;
		DROP INDEX IF EXISTS idx_global_topics_search;	-- built at once, not row by row
		\\copy global_topics (id, topic, category, current_volume) FROM $2
		CREATE INDEX idx_global_topics_search ON global_topics USING gin (topic_search_keys(topic, search_bucket) topic_keys_ops) WITH (fastupdate = off);
		VACUUM (ANALYZE) global_topics;
		SELECT bench.warm('global_topics') \\g /dev/null
	END
}
percentile() { sql -c "SELECT percentile_disc($2) WITHIN GROUP (ORDER BY $1) FROM bench.typed WHERE $1 IS NOT NULL"; }

# TOPICS: the sizes; 10000000 needs 10 GB and an hour
for n in ${TOPICS:-10000 100000 1000000}; do
	size=$(scaled "$n" 1000)
	progress "$size topics"
	python3 bench/gen_topics.py "$size" "$W/topics.tsv"
	load "$size" "$W/topics.tsv"
	python3 bench/keystrokes.py "$W/topics.tsv" "$W/typed.tsv" 4000
	sql -c 'TRUNCATE bench.typed' -c "\\copy bench.typed (kind, typed, topic) FROM $W/typed.tsv" -c 'SELECT bench.keystrokes(4)' >/dev/null
	heading "Topics: keystrokes among $size topics"
	b50=50 b99=300 most=1500 f50=- f99=- fmost=-
	case $n in 1000000) f50=150 f99=2000 fmost=10000 ;; 10000000) b50=75 b99=450 most=2250 ;; esac
	figure 'buffers accessed, p50' '' "$(percentile buffers 0.5)" - $b50
	figure 'buffers accessed, p99' '' "$(percentile buffers 0.99)" - $b99
	figure 'buffers accessed, at most' '' "$(percentile buffers 1)" - $most
	figure 'first call, p50' us "$(percentile first_us 0.5)" - $f50
	figure 'first call, p99' us "$(percentile first_us 0.99)" - $f99
	figure 'first call, the slowest' us "$(percentile first_us 1)" - $fmost
	figure 'best of four calls, p50' us "$(percentile us 0.5)" - -
	figure 'best of four calls, p99' us "$(percentile us 0.99)" - -
	figure 'best of four calls, the slowest' us "$(percentile us 1)" - -
	sql -F '|' -c "SELECT kind, percentile_disc(0.5) WITHIN GROUP (ORDER BY buffers), percentile_disc(0.99) WITHIN GROUP (ORDER BY buffers), max(buffers),
	                      percentile_disc(0.5) WITHIN GROUP (ORDER BY us), percentile_disc(0.99) WITHIN GROUP (ORDER BY us)
	                 FROM bench.typed GROUP BY kind ORDER BY min(n)" |
		while IFS='|' read -r kind half nearly most half_us nearly_us; do
			figure "  $kind: buffers, p50" '' "$half" - -
			figure "  $kind: buffers, p99" '' "$nearly" - -
			figure "  $kind: buffers, at most" '' "$most" - -
			figure "  $kind: best of four, p50" us "$half_us" - -
			figure "  $kind: best of four, p99" us "$nearly_us" - -
		done
	figure "websearch_to_tsquery + ts_rank, p50" us "$(percentile usual_us 0.5)" - -
	figure "websearch_to_tsquery + ts_rank, p99" us "$(percentile usual_us 0.99)" - -
	sql -c "SELECT bench.add('one', 'SELECT 1'), bench.add('rows', format('SELECT id, topic, category, current_volume, trend_direction FROM public.global_topics WHERE id = ANY (%L::uuid[])',
	        ARRAY(SELECT id FROM global_topics ORDER BY md5(id::text) LIMIT 20)))" >/dev/null
	sql -c "SELECT minimum FROM bench.race(ARRAY['one', 'rows'], 20)" >"$W/race"
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
# a tenth more, to be inserted: topics like those that are there
more=$((size / 10))
python3 bench/gen_topics.py $((size + more)) "$W/all_topics.tsv"
head -n "$size" "$W/all_topics.tsv" >"$W/topics.tsv"
tail -n "$more" "$W/all_topics.tsv" >"$W/more_topics.tsv"
sql -c 'CREATE TABLE bench.more (id uuid, topic text, category topic_category, current_volume int)' \
	-c "\copy bench.more FROM $W/more_topics.tsv"
heading "Topics: writing among $size"
# cpu STATEMENT: its processor time in milliseconds
cpu() { printf 'SELECT bench.cpu() AS before \\gset\n%s;\nSELECT (bench.cpu() - :before) * 1000;\n' "$1" | sql | tail -n 1; }
insert='INSERT INTO global_topics (id, topic, category, current_volume) TABLE bench.more'
update="UPDATE global_topics SET current_volume = (current_volume * (0.8 + 0.4 * (abs(hashtext(id::text)) % 1000) / 1000.0))::int"
without() { sql -c 'DROP INDEX idx_global_topics_search'; }
load "$size" "$W/topics.tsv"
update_with=$(cpu "$update")
sql -c 'VACUUM (ANALYZE) global_topics'
insert_with=$(cpu "$insert")
load "$size" "$W/topics.tsv"
without
update_without=$(cpu "$update")
sql -c 'VACUUM (ANALYZE) global_topics'
insert_without=$(cpu "$insert")
per_row() { awk -v ms="$1" -v n="$2" 'BEGIN { print ms * 1000 / n }'; }
figure 'processor time: a topic inserted' us "$(per_row "$insert_with" "$more")" - 170
figure '  ... without the index' us "$(per_row "$insert_without" "$more")" - -
figure 'all volumes changed by up to 20 %, per topic' us "$(per_row "$update_with" "$size")" "$(per_row "$update_without" "$size")" 3
sql -c 'ALTER TABLE global_topics SET (fillfactor = 100)'
sql -c 'VACUUM FULL global_topics'
figure '  ... without them, on pages without room' us "$(per_row "$(cpu "$update")" "$size")" - -
