-- Measuring inside one backend: no client, no network and no context switch in the measured part.
--
--   bench.subject   a statement, and as whom it runs


--                   median of its ratio to the first subject of the same round

CREATE SCHEMA bench;
GRANT USAGE ON SCHEMA bench TO PUBLIC;

CREATE TABLE bench.subject (
    name   text PRIMARY KEY,
    role   text NOT NULL DEFAULT 'none',
    claims text NOT NULL DEFAULT ''
);

-- p_statement begins with SELECT; it is planned once and run as a kept plan, as a prepared statement is.  It
-- may use i, the number of the execution, and what p_declare declares.
CREATE FUNCTION bench.add(p_name text, p_statement text, p_role text DEFAULT 'none', p_claims text DEFAULT '',
                          p_declare text DEFAULT '') RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    IF p_statement !~* '^\s*SELECT\s' THEN
        RAISE EXCEPTION 'the statement of a subject begins with SELECT: %', p_statement;
    END IF;
    EXECUTE format($f$
        CREATE FUNCTION bench.%I(p_times int) RETURNS float8 LANGUAGE plpgsql AS $b$
        DECLARE
            v_start timestamptz;
            %s
        BEGIN
            v_start := clock_timestamp();
            FOR i IN 1..p_times LOOP
                PERFORM %s;
            END LOOP;
            RETURN extract(epoch FROM clock_timestamp() - v_start) * 1e6 / p_times;
        END
        $b$ $f$, 'loop_' || p_name, p_declare, regexp_replace(p_statement, '^\s*SELECT\s', '', 'i'));
    INSERT INTO bench.subject VALUES (p_name, p_role, p_claims);
END
$$;

-- One batch, as the subject's role.
CREATE FUNCTION bench.batch(p_name text, p_times int) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    v_subject bench.subject;
    v_result  float8;
BEGIN
    SELECT * INTO STRICT v_subject FROM bench.subject WHERE name = p_name;
    PERFORM set_config('request.jwt.claims', v_subject.claims, true),
        set_config('role', v_subject.role, true);
    EXECUTE format('SELECT bench.%I(%s)', 'loop_' || p_name, p_times) INTO v_result;
    PERFORM set_config('role', 'none', true);
    RETURN v_result;
END
$$;

CREATE FUNCTION bench.race(p_names text[], p_rounds int DEFAULT 60, p_batch_ms float8 DEFAULT 3)
    RETURNS TABLE (name text, minimum float8, median float8, ratio float8) LANGUAGE plpgsql
    SET jit = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
    v_times int[];
    v_value float8;
    v_order int[];
BEGIN
    CREATE TEMP TABLE measured (subject int, round int, value float8);
    FOR i IN 1..cardinality(p_names) LOOP
        v_value := bench.batch(p_names[i], 10);		-- plans, and fills the caches
        v_value := bench.batch(p_names[i], greatest(3, least(1000, (500 / v_value)::int)));
        v_times[i] := greatest(1, p_batch_ms * 1000 / v_value);
    END LOOP;
    FOR r IN 1..p_rounds LOOP
        -- in alternating order, so that no subject always follows the same one
        SELECT array_agg(s ORDER BY CASE WHEN r % 2 = 0 THEN s ELSE -s END) INTO v_order
            FROM generate_subscripts(p_names, 1) s;
        FOR i IN 1..cardinality(p_names) LOOP
            INSERT INTO measured VALUES (v_order[i], r,
                                         bench.batch(p_names[v_order[i]], v_times[v_order[i]]));
        END LOOP;
    END LOOP;
    RETURN QUERY
        SELECT p_names[m.subject], min(m.value), percentile_cont(0.5) WITHIN GROUP (ORDER BY m.value),
               percentile_cont(0.5) WITHIN GROUP (ORDER BY m.value / f.value)
          FROM measured m JOIN measured f ON f.round = m.round AND f.subject = 1
         GROUP BY m.subject ORDER BY m.subject;
    DROP TABLE measured;
END
$$;

-- Seconds of processor time that this backend has used: other work of the machine does not count.
CREATE FUNCTION bench.cpu() RETURNS float8 LANGUAGE sql AS $$
    SELECT (field[12]::float8 + field[13]::float8) / 100
      FROM (SELECT string_to_array(regexp_replace(pg_read_file('/proc/self/stat'), '^.*\) ', ''), ' ')
               AS field) stat
$$;

-- The id of the n-th row of a kind.
CREATE FUNCTION bench.id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (left(h, 12) || '4' || substr(h, 14, 3) || '8' || substr(h, 18))::uuid FROM md5(kind || n) h
$$;

-- company_data of the n-th lead.
CREATE FUNCTION bench.company(n bigint) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('name', 'Company ' || n, 'domain', 'company' || n || '.example',
                              'industry', 'Industry ' || n % 40, 'employees', n % 5000,
                              'country', 'Country ' || n % 60)
$$;

-- Reads a table and its indexes into shared buffers: loading goes around them.
CREATE EXTENSION IF NOT EXISTS pg_prewarm;
CREATE FUNCTION bench.warm(p_table regclass) RETURNS bigint LANGUAGE sql AS $$
    SELECT sum(pg_prewarm(c.oid))
      FROM pg_class c
     WHERE c.oid = p_table OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = p_table)
$$;
