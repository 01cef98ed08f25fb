-- What search_topics() promises, said again in plain SQL over the whole table: nothing of the extension is
-- used but the table itself.  The rules are those of docs/topics.md.

CREATE SCHEMA ref;

-- The server's own implementation of Porter's stemmer.
CREATE TEXT SEARCH DICTIONARY ref.porter (TEMPLATE = snowball, language = porter);

CREATE FUNCTION ref.fold(p_text text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT translate(replace(regexp_replace(normalize(lower(normalize(p_text, NFKC)), NFKD),
                                            '[\u0300-\u036f]', '', 'g'), 'ß', 'ss'), 'øłđ', 'old')
$$;

-- The words of a text in their order; with p_others also the second readings: net of .net, nodejs of node.js.
CREATE FUNCTION ref.words(p_text text, p_others boolean) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_chunk  text;
    v_words  text[];
    v_all    text[] := '{}';
    v_others text[] := '{}';
BEGIN
    FOREACH v_chunk IN ARRAY regexp_split_to_array(regexp_replace(ref.fold(p_text),
            '(?<=[[:alnum:]])[''`](?=[[:alnum:]])', '', 'g'), '\s+') LOOP
        SELECT coalesce(array_agg(m[1]), '{}') INTO v_words
          FROM regexp_matches(v_chunk, '((?:(?<!.)\.)?[[:alnum:]]+(?:[+#]+(?![[:alpha:]+#]))?)', 'g') m;
        v_all := v_all || v_words;
        IF v_words[1] LIKE '.%' THEN
            v_others := v_others || ltrim(v_words[1], '.');
        END IF;
        IF cardinality(v_words) > 1 THEN
            v_others := v_others || ltrim(array_to_string(v_words, ''), '.');
        END IF;
    END LOOP;
    RETURN v_all || CASE WHEN p_others THEN v_others ELSE '{}' END;
END
$$;

-- Typos between two words; with p_open the second may go on.  The whole matrix, nothing saved.
CREATE FUNCTION ref.typos(a text, b text, p_open boolean) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    n int := length(a);
    m int := CASE WHEN p_open THEN least(length(b), length(a) + 2) ELSE length(b) END;
    ca text[] := regexp_split_to_array(a, '');
    cb text[] := regexp_split_to_array(b, '');
    d int[] := '{}';        -- row i, column j in [i * (m + 1) + j + 1]
    w int := m + 1;
    v int;
BEGIN
    IF abs(length(a) - length(b)) > 2 AND NOT p_open OR length(a) > length(b) + 2 THEN
        RETURN 1000;
    END IF;
    FOR i IN 0..n LOOP
        FOR j IN 0..m LOOP
            IF i = 0 OR j = 0 THEN
                v := i + j;
            ELSE
                v := least(d[(i - 1) * w + j] + CASE WHEN ca[i] = cb[j] THEN 0 ELSE 1 END,
                           d[(i - 1) * w + j + 1] + 1, d[i * w + j] + 1);
                IF i > 1 AND j > 1 AND ca[i] = cb[j - 1] AND ca[i - 1] = cb[j] THEN
                    v := least(v, d[(i - 2) * w + j - 1] + 1);
                END IF;
            END IF;
            d[i * w + j + 1] := v;
        END LOOP;
    END LOOP;
    IF p_open THEN
        RETURN (SELECT min(d[n * w + j + 1]) FROM generate_series(0, m) j);
    END IF;
    RETURN d[n * w + m + 1];
END
$$;

-- What a typed word costs where it meets a word of a topic: 0 the same, 1 or 2 typos, NULL another word.
CREATE FUNCTION ref.cost(q text, w text, p_open boolean) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_typos int;
BEGIN
    IF w = q OR p_open AND starts_with(w, q) THEN
        RETURN 0;
    ELSIF length(q) NOT BETWEEN 3 AND 28 THEN
        RETURN NULL;
    END IF;
    -- three letters are compared with whole words
    v_typos := ref.typos(q, w, p_open AND length(q) > 3);
    IF v_typos <= 1 THEN
        RETURN v_typos;
    ELSIF length(q) < 8 THEN
        RETURN NULL;
    ELSIF v_typos = 2 AND left(q, 3) = left(w, 3) THEN
        RETURN 2;
    -- one among the first four letters, the two behind right, one after that
    ELSIF EXISTS (SELECT FROM generate_series(3, 5) m
                   WHERE ref.typos(left(q, 4), left(w, m), false) <= 1
                     AND length(w) >= m + 2 AND substr(q, 5, 2) = substr(w, m + 1, 2)
                     AND ref.typos(substr(q, 7), substr(w, m + 3), p_open) <= 1) THEN
        RETURN 2;
    END IF;
    RETURN NULL;
END
$$;

-- How a topic is spelled, compared with a text: 2 letter by letter, 1 but for case, 0 otherwise.
CREATE FUNCTION ref.spelled(p_topic text, p_text text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_topic = p_text COLLATE "C" THEN 2
                WHEN normalize(lower(btrim(p_topic))) = normalize(lower(btrim(p_text))) COLLATE "C" THEN 1
                ELSE 0 END
$$;

CREATE FUNCTION ref.stem(w text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN w ~ '^[a-z]{3,32}$' THEN (ts_lexize('ref.porter', w))[1] END
$$;

-- The table and its vocabulary as the caller's transaction sees them now; to be called again after every
-- change.
CREATE FUNCTION ref.prepare() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS pg_temp.ref_topic, pg_temp.ref_word;
    CREATE TEMP TABLE ref_topic AS
        SELECT topic, current_volume::bigint AS volume, array_to_string(ref.words(topic, false), ' ') AS norm,
            ref.words(topic, true) AS words
          FROM global_topics;
    CREATE TEMP TABLE ref_word AS
        SELECT w, ref.stem(w) AS stem FROM (SELECT DISTINCT unnest(words) AS w FROM ref_topic) v;
END
$$;

-- The words of the vocabulary that are meant by word i of a text.
CREATE FUNCTION ref.meant(q text[], i int) RETURNS text[] LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(SELECT w FROM ref_word WHERE w = q[i] OR i = cardinality(q) AND starts_with(w, q[i]));
END
$$;

-- Which topics have one word of each set?
CREATE FUNCTION ref.with_all(VARIADIC p_sets jsonb[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT topic FROM ref_topic
     WHERE NOT EXISTS (SELECT FROM unnest(p_sets) s
                       WHERE NOT words && ARRAY(SELECT jsonb_array_elements_text(s)));
END
$$;

-- One space less or more.
CREATE FUNCTION ref.spacings(q text[]) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT array_to_string(q[:i - 1] || (q[i] || q[i + 1]) || q[i + 2:], ' ')
      FROM generate_series(1, cardinality(q) - 1) i
    UNION
    SELECT array_to_string(q[:i - 1] || left(q[i], k) || substr(q[i], k + 1) || q[i + 1:], ' ')
      FROM generate_subscripts(q, 1) i, generate_series(2, length(q[i]) - 2) k
     WHERE length(q[i]) <= 32
$$;

-- Topics with all words of the text when it has one space less or more; the rows of ref_topic are "topics".
CREATE FUNCTION ref.with_spacings(q text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    v_text text;
    v_sets jsonb[];
BEGIN
    FOR v_text IN SELECT ref.spacings(q) LOOP
        v_sets := ARRAY(SELECT to_jsonb(ref.meant(string_to_array(v_text, ' '), i))
                          FROM generate_subscripts(string_to_array(v_text, ' '), 1) i);
        IF '[]' <> ALL (v_sets) THEN
            RETURN QUERY SELECT ref.with_all(VARIADIC v_sets);
        END IF;
    END LOOP;
END
$$;

-- Topics with all words of the text with the fewest typos, of which there are at most four.
CREATE FUNCTION ref.with_typos(q text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
        WITH cost AS MATERIALIZED (
            SELECT i, w, ref.cost(q[i], w, i = cardinality(q)) AS cost
                FROM generate_subscripts(q, 1) i, ref_word
        ), near AS MATERIALIZED (
            SELECT i, array_agg(w) FILTER (WHERE cost = 0) AS none,
                array_agg(w) FILTER (WHERE cost = 1) AS one, array_agg(w) FILTER (WHERE cost = 2) AS two
              FROM cost GROUP BY i
        ), sums AS (
            SELECT topic,
                   (SELECT CASE WHEN count(c) = cardinality(q) THEN sum(c) END
                      FROM (SELECT CASE WHEN words && none THEN 0 WHEN words && one THEN 1
                                        WHEN words && two THEN 2 END AS c FROM near) x) AS cost
              FROM ref_topic
        )
        SELECT topic FROM sums WHERE cost = (SELECT min(cost) FROM sums) AND cost <= 4;
END
$$;

-- needs ref.prepare()
CREATE FUNCTION ref.search(p_text text, p_limit int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    v_typed text[] := ref.words(p_text, false);
    v_norm  text := array_to_string(v_typed, ' ');
    q       text[] := '{}';
    v_sets  jsonb[] := '{}';
    v_stems jsonb[] := '{}';
    v_rows  text[];
    v_equal text[];
    v_same  boolean;
BEGIN
    IF p_text ~ '(^|\s)\.\s*$' THEN
        RAISE EXCEPTION 'the reference does not know an unfinished ".net"';
    END IF;
    -- repetitions count once; the last word stays, it may be unfinished
    FOR i IN 1..cardinality(v_typed) LOOP
        IF i = cardinality(v_typed) OR NOT v_typed[i] = ANY (q) THEN
            q := q || v_typed[i];
        END IF;
    END LOOP;
    IF cardinality(q) = 0 THEN
        RETURN;
    END IF;

    -- as it is, and by stems
    FOR i IN 1..cardinality(q) LOOP
        v_sets := v_sets || to_jsonb(ref.meant(q, i));
        v_stems := v_stems || to_jsonb(ref.meant(q, i)
                                       || ARRAY(SELECT w FROM ref_word WHERE stem = ref.stem(q[i])));
    END LOOP;
    WITH direct AS MATERIALIZED (SELECT topic FROM ref.with_all(VARIADIC v_sets) AS topic)
    SELECT array_agg(topic ORDER BY tier DESC, weight DESC, topic COLLATE "C") INTO v_rows
      FROM (SELECT topic, CASE WHEN direct THEN 2 ELSE 1 END AS tier,
                   volume * CASE WHEN direct AND starts_with(norm, v_norm) THEN 16 ELSE 1 END AS weight
              FROM (SELECT t.*, t.topic IN (SELECT topic FROM direct) AS direct FROM ref_topic t
                     WHERE t.topic IN (SELECT topic FROM ref.with_all(VARIADIC v_stems) AS topic)
                       AND replace(t.norm, ' ', '') <> replace(v_norm, ' ', '')) t) found;

    -- What equals the text, but for spaces, comes first.  Of the same words the one that is spelled most like
    -- it counts as much as the most wanted one.
    WITH equal AS (
        SELECT topic, volume, norm = v_norm AS same, ref.spelled(topic, p_text) AS spelled
          FROM ref_topic WHERE replace(norm, ' ', '') = replace(v_norm, ' ', '')
    ), most AS (
        SELECT max(volume) AS volume, nullif(max(spelled), 0) AS spelled FROM equal WHERE same
    ), raised AS (
        SELECT e.topic, e.same, e.spelled,
               CASE WHEN e.same AND e.spelled = most.spelled THEN most.volume ELSE e.volume END AS volume
          FROM equal e, most
    )
    SELECT array_agg(topic ORDER BY volume DESC, spelled DESC, topic COLLATE "C"), bool_or(same)
      INTO v_equal, v_same FROM raised;

    IF v_rows IS NULL AND v_same IS NOT TRUE AND cardinality(q) <= 8 THEN
        SELECT array_agg(topic ORDER BY volume DESC, topic COLLATE "C") INTO v_rows FROM ref_topic
            WHERE topic IN (SELECT ref.with_spacings(q)) AND topic <> ALL (coalesce(v_equal, '{}'));
    END IF;

    IF v_rows IS NULL AND v_equal IS NULL AND cardinality(q) <= 8 THEN
        SELECT array_agg(topic ORDER BY volume DESC, topic COLLATE "C") INTO v_rows
          FROM ref_topic WHERE topic IN (SELECT ref.with_typos(q));
    END IF;
    RETURN QUERY SELECT unnest((v_equal || v_rows)[:p_limit]);
END
$$;
