-- update_topic_trends() and the trending lists.  A week passes by moving the rows of the last one back.
SET search_path = openinfo;
SET client_min_messages = warning;
INSERT INTO global_topics (topic, category, current_volume) VALUES
    ('grows', 'technology', 100), ('grows a little', 'technology', 100), ('shrinks', 'technology', 100),
    ('shrinks a little', 'marketing', 100),
    ('explodes', 'marketing', 1), ('falls to nothing', 'sales', 50), ('rises from nothing', 'sales', 0),
    ('stays nothing', 'sales', 0), ('missed a week', 'hr', 80);

CREATE PROCEDURE pg_temp.week_passes() LANGUAGE sql AS
    $$ UPDATE openinfo.trends SET week_start = week_start - 7, week_end = week_end - 7 $$;
CREATE TEMP VIEW this_week AS
    SELECT t.topic, r.volume, r.change_percent, r.rank_overall, r.rank_category,
        t.change_percent AS topic_change, t.trend_direction
      FROM openinfo.trends r JOIN openinfo.global_topics t ON t.id = r.topic_id
     WHERE r.week_start = date_trunc('week', now() AT TIME ZONE 'UTC')::date;

-- The first week: nothing to compare with.  Ranks: topics of the same volume share one.
SELECT update_topic_trends();
SELECT * FROM this_week ORDER BY topic;
SELECT DISTINCT extract(isodow FROM week_start) AS monday, week_end - week_start AS days FROM trends;

-- The second.
CALL pg_temp.week_passes();
UPDATE global_topics SET current_volume = CASE topic
    WHEN 'grows' THEN 150 WHEN 'grows a little' THEN 110 WHEN 'shrinks' THEN 50
        WHEN 'shrinks a little' THEN 90 WHEN 'explodes' THEN 2000000
    WHEN 'falls to nothing' THEN 0 WHEN 'rises from nothing' THEN 7 ELSE current_volume END;
INSERT INTO global_topics (topic, category, current_volume) VALUES ('is new', 'hr', 5000);
DELETE FROM trends WHERE topic_id = (SELECT id FROM global_topics WHERE topic = 'missed a week');
INSERT INTO trends (topic_id, week_start, volume)
    SELECT id, date_trunc('week', now() AT TIME ZONE 'UTC')::date - 21, 40 FROM global_topics
    WHERE topic = 'missed a week';
SELECT update_topic_trends();
SELECT * FROM this_week ORDER BY topic;

-- Again in the same week: the same result, and not one row is written.
CREATE TEMP TABLE before AS SELECT 't' AS what, id, xmin::text AS version FROM trends
    UNION ALL SELECT 'g', id, xmin::text FROM global_topics;
SELECT update_topic_trends();
SELECT count(*) AS written
  FROM (SELECT 't' AS what, id, xmin::text AS version FROM trends
        UNION ALL SELECT 'g', id, xmin::text FROM global_topics EXCEPT SELECT * FROM before) w;
-- A volume that changes within the week is taken over, and compared with the same earlier week.
UPDATE global_topics SET current_volume = 130 WHERE topic = 'grows';
SELECT update_topic_trends();
SELECT * FROM this_week WHERE topic = 'grows';
SELECT count(*), count(DISTINCT (topic_id, week_start)) FROM trends;
-- A week that lies ahead does not count as an earlier one.
INSERT INTO trends (topic_id, week_start, volume)
    SELECT id, date_trunc('week', now() AT TIME ZONE 'UTC')::date + 7, 1 FROM global_topics
    WHERE topic = 'grows';
SELECT update_topic_trends();
SELECT * FROM this_week WHERE topic = 'grows';

-- The greatest change there can be fits.
DELETE FROM trends;
UPDATE global_topics SET current_volume = 1 WHERE topic = 'explodes';
SELECT update_topic_trends();
CALL pg_temp.week_passes();
UPDATE global_topics SET current_volume = 2147483647 WHERE topic = 'explodes';
SELECT update_topic_trends();
SELECT topic, change_percent, topic_change FROM this_week WHERE topic = 'explodes';

-- Exactly ten per cent is stable, a hundredth more is not.
DELETE FROM trends;
UPDATE global_topics SET current_volume = 10000;
SELECT update_topic_trends();
CALL pg_temp.week_passes();
UPDATE global_topics SET current_volume = CASE topic WHEN 'grows' THEN 11001
    WHEN 'grows a little' THEN 11000 WHEN 'shrinks' THEN 8999 WHEN 'shrinks a little' THEN 9000
    ELSE 10000 END;
SELECT update_topic_trends();
SELECT topic, topic_change, trend_direction FROM this_week
 WHERE topic LIKE '%row%' OR topic LIKE 'shrink%' ORDER BY topic;

-- Nor is it lost when the change is rounded.
BEGIN;
UPDATE global_topics SET current_volume = 1000000;
SELECT update_topic_trends();
CALL pg_temp.week_passes();
UPDATE global_topics SET current_volume = CASE topic WHEN 'grows' THEN 1100001
    WHEN 'grows a little' THEN 1100000 WHEN 'shrinks' THEN 899999 WHEN 'shrinks a little' THEN 900000
    ELSE 1000000 END;
SELECT update_topic_trends();
SELECT topic, topic_change, trend_direction FROM this_week
 WHERE topic LIKE '%row%' OR topic LIKE 'shrink%' ORDER BY topic;
ROLLBACK;

-- Gainers: up, the greatest change first; losers: down, the greatest loss first.  Ties: the greater volume,
-- then by topic.
UPDATE global_topics SET trend_direction = 'up', change_percent = 10 + current_volume / 1000
    WHERE topic IN ('explodes', 'is new', 'missed a week');
UPDATE global_topics SET current_volume = 20000 WHERE topic = 'missed a week';
UPDATE global_topics SET trend_direction = 'down', change_percent = -99 WHERE topic = 'falls to nothing';
SELECT topic, category, current_volume, change_percent FROM get_trending_gainers();
SELECT topic, category, current_volume, change_percent FROM get_trending_losers();
SELECT topic FROM get_trending_gainers(1);
SELECT count(*) FROM get_trending_losers(NULL);
SELECT count(*) FROM get_trending_gainers(1000000);
SELECT * FROM get_trending_gainers(0);
SELECT * FROM get_trending_losers(-1);
-- They are served by their index, where it is worth it.
CREATE FUNCTION pg_temp.plan_of(p_sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_line text;
    v_plan text := '';
BEGIN
    FOR v_line IN EXECUTE 'EXPLAIN (COSTS off) ' || p_sql LOOP
        v_plan := v_plan || v_line;
    END LOOP;
    RETURN v_plan;
END
$$;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT pg_temp.plan_of($$SELECT id FROM global_topics
                          WHERE trend_direction = 'up' AND trend_change IS NOT NULL
                          ORDER BY trend_change DESC, current_volume DESC, topic COLLATE "C" LIMIT 20$$)
           LIKE '%Index Scan Backward using idx_global_topics_trend%' AS gainers,
       pg_temp.plan_of($$SELECT id FROM global_topics
                          WHERE trend_direction = 'down' AND trend_change IS NOT NULL
                          ORDER BY trend_change, current_volume DESC, topic COLLATE "C" LIMIT 20$$)
           LIKE '%Index Scan using idx_global_topics_trend%' AS losers;
RESET enable_seqscan;
RESET enable_bitmapscan;

-- Members read them; the job is for the backend alone.
SET ROLE authenticated;
SELECT count(*) FROM get_trending_gainers();
SELECT update_topic_trends();
RESET ROLE;
SET ROLE anon;
SELECT count(*) FROM openinfo.get_trending_gainers();
RESET ROLE;
SET ROLE service_role;
SELECT update_topic_trends();
SELECT count(*) FROM get_trending_losers();
RESET ROLE;
BEGIN READ ONLY;
SELECT count(*) FROM get_trending_gainers();
\set VERBOSITY sqlstate
SELECT update_topic_trends();
\set VERBOSITY default
ROLLBACK;

-- No topics, nothing to do.
DELETE FROM global_topics;
SELECT update_topic_trends();
SELECT count(*) FROM trends;
