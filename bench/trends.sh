#!/bin/bash
# The weekly job beside the bare statements that write the same rows, and beside a loop over the topics.
. "$(dirname "$0")/lib.sh"

size=$(scaled 1000000 2000)
progress "loading $size topics and their last week"
sql -v size="$size" <<'SQL'
SET client_min_messages = warning;
DROP INDEX idx_global_topics_search;	-- built at once, not row by row
INSERT INTO global_topics (id, topic, category, current_volume)
    SELECT (left(h, 12) || '4' || substr(h, 14, 3) || '8' || substr(h, 18))::uuid, 'topic ' || n || ' word' || n % 5000,
           (enum_range(NULL::topic_category))[1 + n % 9], 5e6 / (n + 3) ^ 0.8
      FROM generate_series(1, :size) n, md5('topic' || n) h;
CREATE INDEX idx_global_topics_search ON global_topics USING gin (topic_search_keys(topic, search_bucket) topic_keys_ops) WITH (fastupdate = off);
-- two topics of three stay within ten per cent, as most do
INSERT INTO trends (topic_id, week_start, week_end, volume)
    SELECT id, monday - 7, monday - 1, current_volume * CASE abs(hashtext(id::text)) % 6 WHEN 0 THEN 0.7 WHEN 1 THEN 1.4 ELSE 1.03 END
      FROM global_topics, (SELECT date_trunc('week', now() AT TIME ZONE 'UTC')::date AS monday) w;

CREATE PROCEDURE bench.bare() LANGUAGE sql AS $$
    INSERT INTO trends (topic_id, week_start, week_end, volume, change_percent, rank_overall, rank_category)
    SELECT t.id, w.monday, w.monday + 6, t.current_volume,
           CASE WHEN b.volume > 0 THEN round((t.current_volume::numeric - b.volume) * 100 / b.volume, 2) END,
           rank() OVER (ORDER BY t.current_volume DESC), rank() OVER (PARTITION BY t.category ORDER BY t.current_volume DESC)
      FROM global_topics t
     CROSS JOIN (SELECT date_trunc('week', now() AT TIME ZONE 'UTC')::date AS monday) w
      LEFT JOIN LATERAL (SELECT volume FROM trends r WHERE r.topic_id = t.id AND r.week_start < w.monday ORDER BY week_start DESC LIMIT 1) b ON true;
    UPDATE global_topics t
       SET change_percent = coalesce(r.change_percent, 0),
           trend_direction = (CASE WHEN r.change_percent > 10 THEN 'up' WHEN r.change_percent < -10 THEN 'down' ELSE 'stable' END)::trend_direction
      FROM trends r WHERE r.topic_id = t.id AND r.week_start = date_trunc('week', now() AT TIME ZONE 'UTC')::date;
$$;

CREATE PROCEDURE bench.looped() LANGUAGE plpgsql AS $$
DECLARE
    t        record;
    v_before int;
    v_change numeric;
    v_monday date := date_trunc('week', now() AT TIME ZONE 'UTC')::date;
BEGIN
    FOR t IN SELECT id, current_volume, category, rank() OVER (ORDER BY current_volume DESC) AS o,
                    rank() OVER (PARTITION BY category ORDER BY current_volume DESC) AS c FROM global_topics LOOP
        SELECT volume INTO v_before FROM trends WHERE topic_id = t.id AND week_start < v_monday ORDER BY week_start DESC LIMIT 1;
        v_change := CASE WHEN v_before > 0 THEN round((t.current_volume::numeric - v_before) * 100 / v_before, 2) END;
        INSERT INTO trends (topic_id, week_start, week_end, volume, change_percent, rank_overall, rank_category)
            VALUES (t.id, v_monday, v_monday + 6, t.current_volume, v_change, t.o, t.c);
        UPDATE global_topics SET change_percent = coalesce(v_change, 0),
               trend_direction = (CASE WHEN v_change > 10 THEN 'up' WHEN v_change < -10 THEN 'down' ELSE 'stable' END)::trend_direction WHERE id = t.id;
    END LOOP;
END
$$;
SQL

# Every way starts from the same pages: as they are after loading, with room for one new version of each topic.
seconds() {	# STATEMENT
	progress "$1"
	sql -c 'VACUUM FULL global_topics' -c 'VACUUM FULL trends' -c 'VACUUM (ANALYZE) global_topics, trends' -c CHECKPOINT
	sql >"$W/timing" <<-END
		SELECT pg_total_relation_size('global_topics') + pg_total_relation_size('trends');
		BEGIN;
		\\timing on
		$1;
		\\timing off
		SELECT pg_total_relation_size('global_topics') + pg_total_relation_size('trends');
		ROLLBACK;
	END
	awk '/^Time:/ { t = $2 / 1000 } /^[0-9]+$/ { if (!first) first = $1; last = $1 } END { print t, (last - first) / 1048576 }' "$W/timing"
}
read -r bare bare_size < <(seconds 'CALL bench.bare()')
read -r job job_size < <(seconds 'DO $$ BEGIN PERFORM update_topic_trends(); END $$')
read -r loop _ < <(seconds 'CALL bench.looped()')
heading "Trends: $size topics, of which a third moves by more than ten per cent"
figure 'update_topic_trends(); floor: bare statements' s "$job" "$bare" 1.2
figure '  growth of both tables and their indexes' MB "$job_size" "$bare_size" 1.2
figure '  ... as a loop in PL/pgSQL' s "$loop" "$bare" -
sql -c 'SELECT update_topic_trends()' >/dev/null
figure 'once more in the same week' s "$(sql -c '\timing on' -c 'SELECT update_topic_trends()' | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | awk '{ print $1 / 1000 }')" - -
sql -c "SELECT bench.add('gainers', 'SELECT count(*) FROM public.get_trending_gainers()')" >/dev/null
figure 'get_trending_gainers()' us "$(sql -c "SELECT median FROM bench.race(ARRAY['gainers'], 20)")" - -
