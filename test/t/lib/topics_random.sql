-- Random topics, random changes and random texts for topics_exact.pl; everything follows from setseed().

CREATE SCHEMA fuzz;

CREATE TABLE fuzz.word (n serial PRIMARY KEY, w text);
INSERT INTO fuzz.word (w)
    SELECT unnest(string_to_array('machine,learning,learn,learned,deep,data,date,dating,database,'
        'marketing,market,markets,company,companies,software,'
        'softwares,hardware,manage,manager,management,managing,analytics,analytic,analysis,cloud,'
        'cloudy,security,secure,secured,'
        'insurance,insurer,for,from,form,the,and,of,in,it,ai,hr,a,c++,c#,c,.net,net,node.js,nodejs,'
        'a/b,ab,e-commerce,ecommerce,'
        'café,cafe,naïve,Zürich,résumé,ÉLAN,elastic,elasticsearch,search,kubernetes,kubernetics,'
        'container,containers,contained,'
        'postgresql,postgres,mysql,automation,automatic,automatically,testing,tested,test,tset,crm,'
        'cms,erp,api,apis,api-first,'
        'women''s,s/4hana,R&D,tcp/ip,ruby,rails,rail,railway,sales,sale,salesforce,force,work,'
        'workflow,flow,time,lifetime,'
        'straße,strasse,smørrebrød,łódź,privacy,private,prime,primer,price,pricing,5g,3d,401k,web3,'
        'b2b,saas,iaas,paas,платформа,данные', ','));

CREATE FUNCTION fuzz.any_word() RETURNS text LANGUAGE sql AS $$
    SELECT w FROM fuzz.word WHERE n = (SELECT 1 + floor(max(n) * random() ^ 1.5)::int FROM fuzz.word)
$$;

CREATE FUNCTION fuzz.phrase() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v text := fuzz.any_word();
BEGIN
    FOR i IN 1..floor(random() * 4)::int LOOP
        v := v || CASE WHEN random() < 0.1 THEN '-' ELSE ' ' END || fuzz.any_word();
    END LOOP;
    RETURN CASE WHEN random() < 0.2 THEN initcap(v) WHEN random() < 0.1 THEN upper(v) ELSE v END;
END
$$;

-- Few volumes over and over, so that there are ties, and zeros.
CREATE FUNCTION fuzz.volume() RETURNS int LANGUAGE sql AS $$
    SELECT CASE WHEN random() < 0.2 THEN 0
        WHEN random() < 0.5 THEN (2 ^ floor(random() * 31))::int8 - floor(random() * 2)::int8
        ELSE floor(random() * 500)::int8 END::int
$$;

-- A text, in such a share of cases with one to three typos.
CREATE FUNCTION fuzz.mistyped(v text, p_share float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_at int;
BEGIN
    FOR i IN 1..CASE WHEN random() < p_share THEN 1 + floor(random() * 2.5)::int ELSE 0 END LOOP
        v_at := 1 + floor(random() * length(v))::int;
        v := CASE floor(random() * 5)::int
                WHEN 0 THEN overlay(v PLACING '' FROM v_at FOR 1)
                WHEN 1 THEN overlay(v PLACING chr(97 + floor(random() * 26)::int) FROM v_at FOR 1)
                WHEN 2 THEN overlay(v PLACING chr(97 + floor(random() * 26)::int) FROM v_at FOR 0)
                WHEN 3 THEN overlay(v PLACING reverse(substr(v, v_at, 2)) FROM v_at FOR 2)
                ELSE overlay(v PLACING ' ' FROM v_at FOR 0) END;
    END LOOP;
    RETURN v;
END
$$;

CREATE FUNCTION fuzz.typed() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v text;
BEGIN
    SELECT topic INTO v FROM global_topics ORDER BY random() LIMIT 1;
    v := coalesce(v, fuzz.phrase());
    IF random() < 0.25 THEN
        SELECT string_agg(x, ' ' ORDER BY random()) INTO v FROM unnest(string_to_array(v, ' ')) x;
    END IF;
    IF random() < 0.15 THEN
        v := v || ' ' || fuzz.any_word();
    END IF;
    IF random() < 0.7 THEN
        v := left(v, 1 + floor(random() * length(v))::int);
    END IF;
    v := fuzz.mistyped(v, 0.35);
    RETURN v;
END
$$;

-- One random change.
CREATE PROCEDURE fuzz.change() LANGUAGE plpgsql AS $$
BEGIN
    CASE floor(random() * 5)::int
        WHEN 0, 1 THEN
            INSERT INTO global_topics (topic, current_volume)
                SELECT fuzz.phrase(), fuzz.volume()
                  FROM generate_series(1, 1 + floor(random() * 20)::int) ON CONFLICT DO NOTHING;
        WHEN 2 THEN
            UPDATE global_topics SET current_volume = fuzz.volume() WHERE random() < 0.05;
        WHEN 3 THEN
            UPDATE global_topics SET topic = topic || ' ' || fuzz.any_word()
             WHERE id = (SELECT id FROM global_topics ORDER BY random() LIMIT 1);
        ELSE
            DELETE FROM global_topics WHERE random() < 0.02;
    END CASE;
EXCEPTION WHEN unique_violation OR query_canceled OR deadlock_detected THEN
    NULL;
END
$$;

-- Looks for so many random texts, in this transaction's eyes, and returns those for which the two ways
-- differ.  Where others commit meanwhile, the transaction is REPEATABLE READ.
CREATE FUNCTION fuzz.check(p_texts int)
    RETURNS TABLE (typed text, rows_wanted int, got text[], expected text[]) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ref.prepare();
    FOR i IN 1..p_texts LOOP
        typed := fuzz.typed();
        CONTINUE WHEN typed ~ '(^|\s)\.\s*$';
        rows_wanted := 1 + floor(random() ^ 2 * 60)::int;
        got := ARRAY(SELECT topic FROM search_topics(typed, rows_wanted));
        expected := ARRAY(SELECT ref.search(typed, rows_wanted));
        IF got IS DISTINCT FROM expected THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
