-- Keystrokes: bench.typed has what is typed.  bench.keystrokes() calls the search for each text once, one
-- text after the other with nothing in between, for the time of a first call; then for each p_rounds times
-- for the least time, and once for the shared buffers that it accesses.  In microseconds.
CREATE TABLE bench.typed (
    n        serial,
    kind     text,
    typed    text,
    topic    text,
    first_us float8,
    buffers  int,
    us       float8,
    usual_us float8
);

CREATE FUNCTION bench.keystrokes(p_rounds int) RETURNS void LANGUAGE plpgsql SET jit = off AS $$
DECLARE
    r       record;
    v_start timestamptz;
    v_first float8[];
    v_best  float8;
    v_plan  json;
BEGIN
    PERFORM * FROM search_topics('warm up');
    FOR r IN SELECT typed FROM bench.typed ORDER BY n LOOP
        v_start := clock_timestamp();
        PERFORM * FROM search_topics(r.typed);
        v_first := v_first || extract(epoch FROM clock_timestamp() - v_start)::float8 * 1e6;
    END LOOP;
    FOR r IN SELECT n, typed, row_number() OVER (ORDER BY n) AS place FROM bench.typed ORDER BY n LOOP
        v_best := 'infinity';
        FOR i IN 1..p_rounds LOOP
            v_start := clock_timestamp();
            PERFORM * FROM search_topics(r.typed);
            v_best := least(v_best, extract(epoch FROM clock_timestamp() - v_start) * 1e6);
        END LOOP;
        EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM search_topics(%L)', r.typed)
           INTO v_plan;
        v_plan := v_plan -> 0 -> 'Plan';
        UPDATE bench.typed
           SET first_us = v_first[r.place], us = v_best,
               buffers = (v_plan ->> 'Shared Hit Blocks')::int + (v_plan ->> 'Shared Read Blocks')::int
         WHERE n = r.n;
        CONTINUE WHEN r.n % 20 <> 0;
        v_best := 'infinity';
        FOR i IN 1..p_rounds LOOP
            v_start := clock_timestamp();
            PERFORM id, topic, category, current_volume, trend_direction
               FROM global_topics, websearch_to_tsquery('pg_catalog.english', r.typed) q
              WHERE topic_tsv @@ q ORDER BY ts_rank(topic_tsv, q) DESC LIMIT 20;
            v_best := least(v_best, extract(epoch FROM clock_timestamp() - v_start) * 1e6);
        END LOOP;
        UPDATE bench.typed SET usual_us = v_best WHERE n = r.n;
    END LOOP;
END
$$;

-- The slowest of so many random strings: letters, punctuation, other scripts, with and without spaces.
CREATE FUNCTION bench.slowest_random(p_times int) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    v_typed text;
    v_start timestamptz;
    v_worst float8 := 0;
    c_signs CONSTANT text := 'aeiounrtslcdmpghbfyvkwz    aeiou  .-+#/&''"%_\()!|:*ßéøłжשعक漢🚀';
BEGIN
    PERFORM setseed(0.5);
    FOR i IN 1..p_times LOOP
        SELECT string_agg(substr(c_signs, 1 + floor(random() * length(c_signs) * CASE WHEN i % 4 = 0 THEN 1
                ELSE 0.5 END)::int, 1), '')
          INTO v_typed FROM generate_series(1,
              1 + floor(random() ^ 2 * CASE WHEN i % 100 = 0 THEN 10000 ELSE 60 END)::int);
        v_start := clock_timestamp();
        PERFORM * FROM search_topics(v_typed);
        v_worst := greatest(v_worst, extract(epoch FROM clock_timestamp() - v_start) * 1e6);
    END LOOP;
    RETURN v_worst;
END
$$;
