-- What search_leads() promises, said again in plain SQL, with the words, typos and spaces of
-- topics_reference.sql; and random leads, changes and texts.

-- The leads of a workspace as the caller's transaction sees them now; to be called again after every change.
CREATE FUNCTION ref.prepare_leads(p_workspace uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS pg_temp.ref_topic, pg_temp.ref_word;
    CREATE TEMP TABLE ref_topic AS
        SELECT id::text AS topic, id, created_at,
               array_to_string(ref.words(company_data ->> 'name', false), ' ') AS norm,
               ref.words(company_data ->> 'name', true)
               || ref.words(coalesce(company_data ->> 'domain', ''), false)
               || ref.words(coalesce(company_data ->> 'industry', ''), true)
               || ref.words(coalesce(contact_data ->> 'name', ''), true)
               || ref.words(coalesce(contact_data ->> 'last_name', ''), true) AS words
          FROM leads WHERE workspace_id = p_workspace;
    CREATE TEMP TABLE ref_word AS SELECT DISTINCT unnest(words) AS w FROM ref_topic;
END
$$;

-- All that a text finds, in order: relevance and id.
CREATE FUNCTION ref.search_leads(p_text text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    v_typed text[] := ref.words(p_text, false);
    v_norm  text := array_to_string(v_typed, ' ');
    q       text[] := '{}';
    v_sets  jsonb[] := '{}';
    v_rows  text[];
BEGIN
    FOR i IN 1..cardinality(v_typed) LOOP
        IF i = cardinality(v_typed) OR NOT v_typed[i] = ANY (q) THEN
            q := q || v_typed[i];
        END IF;
    END LOOP;
    IF cardinality(q) = 0 THEN
        RETURN;
    END IF;

    FOR i IN 1..cardinality(q) LOOP
        v_sets := v_sets || to_jsonb(ref.meant(q, i));
    END LOOP;
    WITH direct AS MATERIALIZED (SELECT topic FROM ref.with_all(VARIADIC v_sets) AS topic)
    SELECT array_agg(tier || ' ' || id ORDER BY tier DESC, created_at DESC, id) INTO v_rows
      FROM (SELECT id, created_at,
                   CASE WHEN replace(norm, ' ', '') = replace(v_norm, ' ', '') THEN 5
                        WHEN topic NOT IN (SELECT topic FROM direct) THEN 0
                        WHEN starts_with(norm, v_norm) THEN 4 ELSE 3 END AS tier
              FROM ref_topic) t
     WHERE tier > 0;

    IF v_rows IS NULL AND cardinality(q) <= 8 THEN
        SELECT array_agg('1 ' || id ORDER BY created_at DESC, id) INTO v_rows
          FROM ref_topic WHERE topic IN (SELECT ref.with_spacings(q));
    END IF;

    IF v_rows IS NULL AND cardinality(q) <= 8 THEN
        SELECT array_agg('0 ' || id ORDER BY created_at DESC, id) INTO v_rows
          FROM ref_topic WHERE topic IN (SELECT ref.with_typos(q));
    END IF;
    RETURN QUERY SELECT unnest(v_rows);
END
$$;

CREATE FUNCTION fuzz.workspace() RETURNS uuid LANGUAGE sql AS
    $$ SELECT md5('workspace' || floor(random() ^ 2 * 3)::int)::uuid $$;

CREATE SEQUENCE fuzz.number;
-- Few times over and over, so that there are ties.
CREATE FUNCTION fuzz.add_leads(p_leads int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO leads (workspace_id, company_data, contact_data, created_at)
        SELECT fuzz.workspace(),
               jsonb_strip_nulls(jsonb_build_object(
                   'name', fuzz.phrase(),
                   'domain', CASE WHEN random() < 0.8 THEN
                                 regexp_replace(lower(fuzz.any_word()), '[^a-z0-9]', '', 'g') || 'x'
                                 || nextval('fuzz.number') || '.'
                                 || (ARRAY['com', 'co.uk', 'example'])[1 + floor(random() * 3)::int] END,
                   'industry',
                   CASE WHEN random() < 0.7 THEN fuzz.any_word() || ' & ' || fuzz.any_word() END)),
               jsonb_strip_nulls(jsonb_build_object(
                   'name',
                   CASE WHEN random() < 0.5 THEN initcap(fuzz.any_word() || ' ' || fuzz.any_word()) END,
                   'last_name', CASE WHEN random() < 0.2 THEN fuzz.any_word() END,
                   'title', fuzz.any_word())),
               '2026-01-01'::timestamptz + floor(random() * 40) * interval '1 hour'
          FROM generate_series(1, p_leads)
$$;

CREATE PROCEDURE fuzz.change_leads() LANGUAGE plpgsql AS $$
BEGIN
    CASE floor(random() * 4)::int
        WHEN 0 THEN
            PERFORM fuzz.add_leads(1 + floor(random() * 20)::int);
        WHEN 1 THEN
            UPDATE leads SET company_data = company_data || jsonb_build_object('name', fuzz.phrase())
             WHERE random() < 0.03;
        WHEN 2 THEN
            UPDATE leads SET enrichment_status = 'enriched',
                             contact_data = jsonb_build_object('name', fuzz.any_word())
             WHERE random() < 0.03;
        ELSE
            DELETE FROM leads WHERE random() < 0.02;
    END CASE;
EXCEPTION WHEN deadlock_detected THEN
    NULL;
END
$$;

CREATE PROCEDURE fuzz.write_leads(p_times int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..p_times LOOP
        CALL fuzz.change_leads();
        CALL fuzz.change_leads();
        IF random() < 0.33 THEN
            ROLLBACK;
        ELSE
            COMMIT;
        END IF;
    END LOOP;
END
$$;

CREATE FUNCTION fuzz.typed_lead() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v text;
BEGIN
    SELECT CASE floor(random() * 5)::int
               WHEN 0 THEN company_data ->> 'domain' WHEN 1 THEN company_data ->> 'industry'
               WHEN 2 THEN contact_data ->> 'name'
               WHEN 3 THEN (contact_data ->> 'name') || ' ' || (company_data ->> 'name')
               ELSE company_data ->> 'name' END
      INTO v FROM leads ORDER BY random() LIMIT 1;
    v := coalesce(v, fuzz.phrase());
    IF random() < 0.2 THEN
        SELECT string_agg(x, ' ' ORDER BY random()) INTO v FROM unnest(string_to_array(v, ' ')) x;
    END IF;
    IF random() < 0.15 THEN
        v := fuzz.any_word() || ' ' || left(v, 1 + floor(random() * 2)::int);
    END IF;
    IF random() < 0.6 THEN
        v := left(v, 1 + floor(random() * length(v))::int);
    END IF;
    v := fuzz.mistyped(v, 0.4);
    RETURN v;
END
$$;

-- Looks for so many random texts in a workspace, from the first row on and from one in the middle, and
-- returns those for which the two ways differ.
CREATE FUNCTION fuzz.check_leads(p_texts int)
    RETURNS TABLE (typed text, rows_wanted int, behind uuid, got text[], expected text[])
    LANGUAGE plpgsql AS $$
DECLARE
    v_workspace uuid := fuzz.workspace();
    v_all       text[];
    v_at        int;
BEGIN
    PERFORM ref.prepare_leads(v_workspace);
    FOR i IN 1..p_texts LOOP
        typed := fuzz.typed_lead();
        CONTINUE WHEN typed ~ '(^|\s)\.\s*$';
        rows_wanted := 1 + floor(random() ^ 2 * 60)::int;
        v_all := ARRAY(SELECT ref.search_leads(typed));
        FOR j IN 0..CASE WHEN cardinality(v_all) > 1 THEN 1 ELSE 0 END LOOP
            v_at := j * (1 + floor(random() * (cardinality(v_all) - 1))::int);
            behind := CASE WHEN v_at > 0 THEN split_part(v_all[v_at], ' ', 2)::uuid END;
            expected := v_all[v_at + 1:v_at + rows_wanted];
            got := ARRAY(SELECT relevance || ' ' || id
                           FROM search_leads(typed, rows_wanted, behind, v_workspace));
            IF got IS DISTINCT FROM expected THEN
                RETURN NEXT;
            END IF;
        END LOOP;
    END LOOP;
END
$$;
