-- Leads to be searched: names of companies out of the words of topics, domains that follow from them, 40
-- industries, and contacts.  bench.phrase has topics.  What a lead is follows from its number.
CREATE TABLE bench.phrase (n serial PRIMARY KEY, words text[]);

CREATE FUNCTION bench.pick(p_seed text, p_of text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT p_of[1 + (hashtextextended(p_seed, 0) & 1073741823) % cardinality(p_of)] $$;
CREATE FUNCTION bench.words(p_seed text) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT words FROM bench.phrase
     WHERE n = 1 + (hashtextextended(p_seed, 0) & 1073741823) % (SELECT max(n) FROM bench.phrase)
$$;

CREATE FUNCTION bench.company_name(p_n bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT btrim(initcap(array_to_string((bench.words('name' || p_n))[1:(1 + p_n % 2)::int], ' ')) || ' '
                 || bench.pick('suffix' || p_n, ARRAY['Inc', 'LLC', 'GmbH', 'Group', 'Systems', 'Labs',
                                                      'Partners', 'Solutions', 'Holdings', '', '']))
$$;
CREATE FUNCTION bench.lead_company(p_n bigint, p_name text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'name', p_name,
        'domain', lower(regexp_replace(p_name, ' (Inc|LLC|GmbH|Group|Holdings)$|[^A-Za-z0-9]', '', 'g'))
                  || p_n || bench.pick('tld' || p_n, ARRAY['.com', '.com', '.com', '.io', '.de', '.co.uk']),
        'industry', bench.pick('industry' || p_n, ARRAY[
            'Computer Software', 'Information Technology', 'Financial Services', 'Banking', 'Insurance',
            'Hospital & Health Care', 'Medical Devices', 'Biotechnology', 'Pharmaceuticals', 'Automotive',
            'Construction', 'Real Estate', 'Management Consulting', 'Marketing and Advertising', 'Education',
            'Telecommunications', 'Internet', 'Media Production', 'Oil & Energy', 'Utilities', 'Logistics',
            'Food & Beverages', 'Hospitality', 'Machinery', 'Electrical Manufacturing', 'Semiconductors',
            'Aviation & Aerospace', 'Law Practice', 'Accounting', 'Human Resources', 'Retail', 'Packaging',
            'Computer & Network Security', 'Design', 'Entertainment', 'Government Relations', 'Farming',
            'Textiles', 'Chemicals', 'Staffing and Recruiting']),
        'employees', p_n % 5000, 'country', 'Country ' || p_n % 60)
$$;
CREATE FUNCTION bench.lead_contact(p_n bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'full_name', bench.pick('first' || p_n, ARRAY[
            'Anna', 'Ben', 'Carla', 'David', 'Elena', 'Frank', 'Grace', 'Hugo', 'Irene', 'James', 'Karin',
            'Maria', 'Noah', 'Olga', 'Paul', 'Quentin', 'Rosa', 'Sofia', 'Thomas', 'Uma', 'Victor', 'Wei'])
            || ' ' || initcap((bench.words('last' || p_n))[1]),
        'title', bench.pick('title' || p_n, ARRAY['CTO', 'CEO', 'Head of Sales', 'VP Marketing', 'Buyer']))
$$;

-- Batches of 500 at the same time, one an hour, the newest last.
CREATE FUNCTION bench.leads(p_from bigint, p_upto bigint)
    RETURNS TABLE (id uuid, company_data jsonb, contact_data jsonb, created_at timestamptz)
    LANGUAGE sql STABLE AS $$
    SELECT md5('lead' || n)::uuid, bench.lead_company(n, bench.company_name(n)), bench.lead_contact(n),
           '2026-01-01'::timestamptz + n / 500 * interval '1 hour'
      FROM generate_series(p_from, p_upto) n
$$;

-- What people type to find a lead: the beginning of its name, of its contact's name, of its domain; its
-- industry; words in another order; with a typo; something else.
CREATE TABLE bench.typed_lead (n serial, kind text, typed text, first_us float8, buffers int, us float8);

CREATE FUNCTION bench.typo(p_text text, p_seed text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE abs(hashtext(p_seed || 'kind')) % 3
                WHEN 0 THEN overlay(p_text PLACING '' FROM at FOR 1)
                WHEN 1 THEN overlay(p_text PLACING chr(97 + abs(hashtext(p_seed || 'letter')) % 26)
                                    FROM at FOR 1)
                ELSE overlay(p_text PLACING reverse(substr(p_text, at, 2)) FROM at FOR 2) END
      FROM (SELECT 1 + abs(hashtext(p_seed)) % length(p_text) AS at) a
$$;

CREATE FUNCTION bench.type_leads(p_workspace uuid, p_of_each int) RETURNS void LANGUAGE sql AS $$
    WITH chosen AS (
        SELECT row_number() OVER (ORDER BY id) AS n, lower(company_data ->> 'name') AS name,
               company_data ->> 'domain' AS domain, lower(company_data ->> 'industry') AS industry,
               lower(contact_data ->> 'full_name') AS contact
          FROM leads WHERE workspace_id = p_workspace ORDER BY id LIMIT p_of_each
    )
    INSERT INTO bench.typed_lead (kind, typed)
    SELECT kind, typed
      FROM chosen, LATERAL (VALUES
        ('one letter', left(name, 1)), ('two letters', left(name, 2)), ('three letters', left(name, 3)),
        ('the beginning of a name', left(name, (4 + n % 7)::int)), ('a name', name),
        ('the beginning of a domain', left(domain, (4 + n % 9)::int)),
        ('a contact', left(contact, (4 + n % 12)::int)),
        ('the last name of a contact', split_part(contact, ' ', 2)),
        ('an industry', left(industry, (4 + n % 12)::int)),
        ('words in any order', split_part(contact, ' ', 2) || ' ' || left(name, (2 + n % 4)::int)),
        ('a typo', bench.typo(name, 'typo' || n)),
        ('nonsense', left(md5(name), (5 + n % 6)::int))) t (kind, typed)
     WHERE typed ~ '[[:alnum:]]'
     ORDER BY md5(kind || n)
$$;

-- As bench.keystrokes() does it for topics; in microseconds.
CREATE FUNCTION bench.key_leads(p_workspace uuid, p_rounds int) RETURNS void
    LANGUAGE plpgsql SET jit = off AS $$
DECLARE
    r       record;
    v_start timestamptz;
    v_first float8[];
    v_best  float8;
    v_plan  json;
BEGIN
    PERFORM * FROM search_leads('warm up', 50, NULL, p_workspace);
    FOR r IN SELECT typed FROM bench.typed_lead ORDER BY n LOOP
        v_start := clock_timestamp();
        PERFORM * FROM search_leads(r.typed, 50, NULL, p_workspace);
        v_first := v_first || extract(epoch FROM clock_timestamp() - v_start)::float8 * 1e6;
    END LOOP;
    FOR r IN SELECT n, typed, row_number() OVER (ORDER BY n) AS place FROM bench.typed_lead ORDER BY n LOOP
        v_best := 'infinity';
        FOR i IN 1..p_rounds LOOP
            v_start := clock_timestamp();
            PERFORM * FROM search_leads(r.typed, 50, NULL, p_workspace);
            v_best := least(v_best, extract(epoch FROM clock_timestamp() - v_start) * 1e6);
        END LOOP;
        EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)'
                       ' SELECT * FROM search_leads(%L, 50, NULL, %L)', r.typed, p_workspace)
           INTO v_plan;
        v_plan := v_plan -> 0 -> 'Plan';
        UPDATE bench.typed_lead
           SET first_us = v_first[r.place], us = v_best,
               buffers = (v_plan ->> 'Shared Hit Blocks')::int + (v_plan ->> 'Shared Read Blocks')::int
         WHERE n = r.n;
    END LOOP;
END
$$;

-- Microseconds for each lead of a batch of 500 fresh ones.
CREATE FUNCTION bench.insert_leads(p_workspace uuid, p_query uuid, p_round int, OUT us float8, OUT cpu float8)
    LANGUAGE plpgsql AS $$
DECLARE
    v_batch jsonb := (SELECT jsonb_agg(jsonb_build_object('company_data', company_data,
                                                          'contact_data', contact_data))
                        FROM bench.leads(1000000 + p_round * 500, 1000499 + p_round * 500));
    v_cpu   float8 := bench.cpu();
    v_start timestamptz := clock_timestamp();
BEGIN
    PERFORM ingest_leads(p_query, v_batch);
    us := extract(epoch FROM clock_timestamp() - v_start) * 1e6 / 500;
    cpu := (bench.cpu() - v_cpu) * 1e6 / 500;
END
$$;

-- The processor time of a lead, of 500 fresh ones that are inserted one by one.
CREATE FUNCTION bench.insert_singles(p_workspace uuid, p_round int, OUT cpu float8) LANGUAGE plpgsql AS $$
DECLARE
    v_leads record;
BEGIN
    SELECT array_agg(company_data) AS company, array_agg(contact_data) AS contact INTO v_leads
      FROM bench.leads(2000000 + p_round * 500, 2000499 + p_round * 500);
    cpu := bench.cpu();
    FOR i IN 1..500 LOOP
        INSERT INTO leads (workspace_id, company_data, contact_data)
        VALUES (p_workspace, v_leads.company[i], v_leads.contact[i]);
    END LOOP;
    cpu := (bench.cpu() - cpu) * 1e6 / 500;
END
$$;
