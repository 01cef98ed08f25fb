-- search_topics(): what is typed completes to topics, the most wanted first.
SET search_path = openinfo;
SET client_min_messages = warning;
CREATE ROLE regress_topics_reader;
CREATE ROLE regress_topics_stranger;
GRANT USAGE ON SCHEMA openinfo TO regress_topics_reader, regress_topics_stranger;
GRANT EXECUTE ON FUNCTION search_topics(text, int) TO regress_topics_reader, regress_topics_stranger;

INSERT INTO global_topics (topic, category, current_volume) VALUES
    ('machine learning', 'technology', 9000), ('deep learning', 'technology', 4000),
    ('learning management system', 'hr', 300),
    ('Learning', 'hr', 10), ('IT service management', 'technology', 700),
    ('AI in marketing', 'marketing', 650),
    ('HR software', 'hr', 500),
    ('Italy travel', 'other', 90), ('C++', 'technology', 800), ('C#', 'technology', 790),
    ('c', 'technology', 5),
    ('.NET', 'technology', 780),
    ('net promoter score', 'marketing', 200), ('Node.js', 'technology', 770),
    ('A/B testing', 'marketing', 760),
    ('e-commerce', 'sales', 640),
    ('Café management', 'operations', 120), ('São Paulo real estate', 'other', 110),
    ('insurance companies', 'finance', 330),
    ('company culture', 'hr', 310),
    ('elasticsearch', 'technology', 560), ('postgresql', 'technology', 870),
    ('kubernetes', 'technology', 860),
    ('100% renewable energy', 'operations', 60),
    ('snake_case naming', 'technology', 50), ('women''s health', 'other', 140), ('zero volume', 'other', 0),
    ('zero gravity', 'other', 0),
    ('платформа данных', 'technology', 30), ('sap s/4hana', 'technology', 220);

CREATE FUNCTION pg_temp.found(p_text text, p_limit int DEFAULT 3) RETURNS text LANGUAGE sql AS
    $$ SELECT coalesce(string_agg(topic, ' | ' ORDER BY n), '-')
         FROM openinfo.search_topics(p_text, p_limit) WITH ORDINALITY
              s(id, topic, category, volume, direction, relevance, n) $$;

-- Prefixes from one letter on, in any case; a topic that begins with the text counts sixteen times its
-- volume, so that
-- "learning" still shows "machine learning", and the topic that equals the text comes first.
SELECT typed, pg_temp.found(typed)
  FROM unnest(ARRAY['l', 'le', 'LEARN', 'learning', 'learning ', 'm', 'machine l']) typed;

-- Any order of words; the last one may be unfinished, the others may not.
SELECT typed, pg_temp.found(typed)
  FROM unnest(ARRAY['learning mach', 'system learning', 'learn machine', 'learning learning mach']) typed;

-- Stop words are words.
SELECT typed, pg_temp.found(typed) FROM unnest(ARRAY['IT', 'it s', 'AI', 'HR', 'in']) typed;

-- Punctuation.
SELECT typed, pg_temp.found(typed)
  FROM unnest(ARRAY['c', 'c+', 'c++', 'C#', '.', '.n', '.net', 'net', 'node.js', 'node js', 'nodejs',
                    'a/b testing', 'ab test', 'a b t',
                    'e-commerce', 'ecommerce', 's4hana', 'sap s/4',
                    'women''s', 'womens h', '100%', '100% r',
                    'snake_case', 'snake case']) typed;

-- Accents, on either side; other scripts.
SELECT typed, pg_temp.found(typed)
  FROM unnest(ARRAY['cafe', 'CAFÉ', U&'cafe\0301 man', 'sao p', 'São', 'Платф',
                    'данных плат', U&'\FF2B\FF35\FF22\FF25']) typed;

-- Stems, after everything that has the words themselves.
SELECT typed, pg_temp.found(typed)
  FROM unnest(ARRAY['companies', 'company', 'learned', 'managing it services']) typed;

-- One typo: a letter wrong, missing, too many, swapped; also where the word is not finished.
SELECT typed, pg_temp.found(typed)
  FROM unnest(ARRAY['kubernetis', 'kuberntes', 'kubbernetes', 'kubenretes', 'jubernetes', 'kubenr',
                    'machine lerning', 'mahcine learn',
                                                       'nachine leaening', 'hr sofware', 'elastik']) typed;
-- Two in words of eight letters or more; never one in words of less than three.
SELECT typed, pg_temp.found(typed)
  FROM unnest(ARRAY['kuberntis', 'postgersqk', 'psotgresq', 'lerningg', 'hq', 'kbrnts']) typed;
-- A space too many or too few.
SELECT typed, pg_temp.found(typed)
  FROM unnest(ARRAY['elastic search', 'machinelearning', 'post gresql']) typed;
-- Only when nothing else is found: "net" does not show "new".
SELECT typed, pg_temp.found(typed, 20) FROM unnest(ARRAY['net', 'comp']) typed;

-- Ties: by topic, by its bytes.
SELECT typed, pg_temp.found(typed) FROM unnest(ARRAY['zero', 'z']) typed;

-- Relevance falls along the list.
SELECT bool_and(relevance >= next) AS falls
  FROM (SELECT relevance, lead(relevance) OVER () AS next FROM search_topics('m', 100)) s;
SELECT topic, category, current_volume, trend_direction, relevance > 4 AS equal
  FROM search_topics('e-commerce');

-- Nothing typed, nothing found.
SELECT count(*) FROM search_topics(NULL);
SELECT count(*) FROM search_topics('');
SELECT count(*) FROM search_topics(E' \t\n');

-- result_limit: NULL is 20, above 1,000 is 1,000, below 1 is refused.
SELECT count(*) FROM search_topics('e', NULL);
SELECT count(*) FROM search_topics('c', 2000000000);
SELECT count(*) FROM search_topics('c', 1);
SELECT count(*) FROM search_topics('c', 0);
SELECT count(*) FROM search_topics(NULL, -5);
INSERT INTO global_topics (topic, current_volume) SELECT 'filler ' || n, n FROM generate_series(1, 1200) n;
SELECT count(*), count(*) FILTER (WHERE current_volume > 200) AS the_best FROM search_topics('filler', 5000);
SELECT count(*) FROM search_topics('filler');
DELETE FROM global_topics WHERE topic LIKE 'filler %';

-- Any text is safe: operators of queries and patterns, quotes, control characters, broken combining marks,
-- emoji, right to left, long ones.  Nothing but result_limit is ever refused.
SELECT n, (SELECT count(*) >= 0 FROM search_topics(typed)) AS safe
  FROM unnest(ARRAY['%', '_', '\', '%_\', '& | ! <-> () :*', 'machine:* & !learning', '''', '"', ''';--',
                    E'\x01\x02\x7f', U&'\0301\0301\0301', U&'a\0301\0301\0301\0301', U&'\+01F680',
                    U&'\200F\05E9\05DC\05D5\05DD', U&'\0627\0644\0639\0631\0628\064A\0629', '+++', '###',
                    '...', '. .', '-', repeat('a', 10000), repeat('machine ', 1250), repeat('.', 10000),
                    repeat('a b ', 100), (SELECT string_agg('w' || n, ' ') FROM generate_series(1, 200) n),
                    repeat(U&'e\0301', 3000), repeat('a/b', 3000)]) WITH ORDINALITY t(typed, n) ORDER BY n;
SELECT pg_temp.found('%'), pg_temp.found('_'), pg_temp.found('\'), pg_temp.found('!learning & (machine)');
-- A very long word and a very long topic.
INSERT INTO global_topics (topic, current_volume) VALUES
    (repeat('x', 60) || ' one', 3), (repeat('x', 60) || 'y two', 2), (repeat('long ', 60) || 'end', 1);
SELECT count(*), bool_and(topic LIKE '% one') FROM search_topics(repeat('x', 60) || ' o');
SELECT count(*) FROM search_topics(repeat('x', 61));
SELECT count(*) FROM search_topics(repeat('x', 50));
SELECT count(*) FROM search_topics(repeat('long ', 60) || 'en');
SELECT count(*) FROM search_topics(repeat('long ', 60) || 'x');
DELETE FROM global_topics WHERE topic LIKE 'xxxxx%' OR topic LIKE 'long %';

-- What the statement sees is what is found: rows of this transaction, of a savepoint, and no others.
BEGIN;
INSERT INTO global_topics (topic, current_volume) VALUES ('quantum computing', 40);
SELECT pg_temp.found('quant');
SAVEPOINT s;
UPDATE global_topics SET topic = 'quantum sensing', current_volume = 100000 WHERE topic = 'quantum computing';
SELECT pg_temp.found('quant'), pg_temp.found('quantum comp');
DELETE FROM global_topics WHERE topic = 'kubernetes';
SELECT pg_temp.found('kubern'), pg_temp.found('kubernetis');
ROLLBACK TO s;
SELECT pg_temp.found('quant'), pg_temp.found('kubern');
ROLLBACK;
SELECT pg_temp.found('quant');
BEGIN READ ONLY;
SELECT pg_temp.found('quant'), pg_temp.found('kubern');
COMMIT;
-- A statement does not see what it is writing itself; the next one does.
WITH new AS (INSERT INTO global_topics (topic) VALUES ('quantum leap') RETURNING 1)
SELECT count(*) AS written, (SELECT count(*) FROM search_topics('quantum le')) AS seen FROM new;
SELECT pg_temp.found('quantum le');
DELETE FROM global_topics WHERE topic = 'quantum leap';

-- A volume that moves from bucket to bucket, and back.
UPDATE global_topics SET current_volume = 2147483647 WHERE topic = 'company culture';
SELECT pg_temp.found('c', 1), pg_temp.found('culture');
UPDATE global_topics SET current_volume = 0 WHERE topic = 'company culture';
SELECT pg_temp.found('comp'), pg_temp.found('culture');
UPDATE global_topics SET current_volume = 310 WHERE topic = 'company culture';

-- Members search; nobody else does.
SET ROLE authenticated;
SELECT pg_temp.found('learning');
RESET ROLE;
SET ROLE anon;
SELECT count(*) FROM openinfo.search_topics('learning');
RESET ROLE;
-- The grants on the table hold, whole or column by column.
SET ROLE regress_topics_stranger;
SELECT count(*) FROM search_topics('learning');
SELECT count(*) FROM search_topics('');
RESET ROLE;
GRANT SELECT (id, topic, category, current_volume) ON global_topics TO regress_topics_stranger;
SET ROLE regress_topics_stranger;
SELECT count(*) FROM search_topics('learning');
RESET ROLE;
GRANT SELECT (trend_direction) ON global_topics TO regress_topics_stranger;
SET ROLE regress_topics_stranger;
-- No policy lets them see a row.
SELECT count(*) FROM search_topics('learning');
RESET ROLE;
-- Nor do the policies of others count: their own decide, row by row; and a restrictive one narrows
-- everybody's.
CREATE POLICY regress_reads_hr ON global_topics FOR SELECT TO regress_topics_reader USING (category = 'hr');
GRANT SELECT ON global_topics TO regress_topics_reader;
SET ROLE regress_topics_reader;
SELECT pg_temp.found('learning'), pg_temp.found('machine'), pg_temp.found('company'),
    pg_temp.found('leanring'), pg_temp.found('hrsoftware');
RESET ROLE;
CREATE POLICY regress_hides_learning ON global_topics AS RESTRICTIVE FOR SELECT TO authenticated
    USING (topic <> 'machine learning');
SET ROLE authenticated;
SELECT pg_temp.found('learning'), pg_temp.found('machine'), pg_temp.found('kubernetis');
RESET ROLE;
DROP POLICY regress_hides_learning ON global_topics;
DROP POLICY regress_reads_hr ON global_topics;

-- Without its index it is slow, and right.
BEGIN;
DROP INDEX idx_global_topics_search;
SELECT typed, pg_temp.found(typed)
  FROM unnest(ARRAY['learning', 'learning mach', 'companies', 'kuberntis', 'elastic search',
                    'machinelearning', 'c++', '']) typed;
ROLLBACK;
REINDEX TABLE global_topics;
SELECT typed, pg_temp.found(typed)
  FROM unnest(ARRAY['learning', 'learning mach', 'companies', 'kuberntis', 'elastic search',
                    'machinelearning', 'c++', '']) typed;

-- Spelling variants that differ in spaces are listed together, the one with the largest volume first.
INSERT INTO global_topics (topic, current_volume) VALUES
    ('SupplyChain', 3), ('Supply Chain', 5000), ('Web3', 900), ('Web 3', 20), ('no code', 40), ('NoCode', 60),
    ('No-Code', 50);
SELECT typed, pg_temp.found(typed, 4)
  FROM unnest(ARRAY['supplychain', 'supply chain', 'web3', 'web 3', 'no code', 'nocode', 'no-code']) typed;
-- Among topics of the same letters the one that is spelled as the text comes first.
INSERT INTO global_topics (topic, current_volume) VALUES
    ('Strasse', 10), ('Straße', 500), ('resume', 10), ('résumé', 500), ('US', 10), ('us', 500),
    (U&'\0457\0436\0430', 10), (U&'\0456\0436\0430', 500);
SELECT typed, pg_temp.found(typed, 2)
  FROM unnest(ARRAY['strasse', 'STRASSE', 'straße', 'resume', 'résumé', U&'re\0301sume\0301', 'US', 'us',
                    'Us', U&'\0457\0436\0430', U&'\0456\0436\0430']) typed;

-- Scripts without spaces between words: what is inside is found, also beside words of other scripts.
INSERT INTO global_topics (topic, current_volume) VALUES
    (U&'\4EBA\5DE5\667A\80FD\6280\672F', 50), (U&'\751F\6210AI\6280\672F', 40),
    (U&'\30DE\30FC\30B1\30C6\30A3\30F3\30B0\6226\7565', 30),
    (U&'\0E01\0E32\0E23\0E15\0E25\0E32\0E14\0E14\0E34\0E08\0E34\0E17\0E31\0E25', 20);
SELECT typed, pg_temp.found(typed)
  FROM unnest(ARRAY[U&'\667A\80FD', U&'\4EBA\5DE5', U&'\6280\672F', U&'\672F', U&'ai \6280\672F',
                    U&'\6280\672F \4EBA\5DE5', U&'\751F\6210AI', U&'\6226\7565',
                    U&'\FF8F\FF70\FF79\FF83\FF68\FF9D\FF78\FF9E', U&'\0E14\0E34\0E08\0E34\0E17\0E31\0E25',
                    U&'\0E15\0E25\0E32\0E14']) typed;
-- Arabic and Persian yeh and kaf are the same letters.
INSERT INTO global_topics (topic, current_volume) VALUES
    (U&'\0628\0627\0632\0627\0631\06CC\0627\0628\06CC \06A9\0627\0644\0627', 30);
SELECT count(*) FROM search_topics(U&'\0628\0627\0632\0627\0631\064A\0627\0628\064A \0643\0627');

-- What is typed is cut before it is folded: 40,000 combining marks, also of kinds that are letters to the
-- search.
SELECT count(*) FROM search_topics('kubernetes' || repeat(U&'\0301', 40000));
SELECT count(*) FROM search_topics(repeat(U&'\0E38\0E48', 20000));

-- A volume bucket is half an octave, and a topic stays in it while the volume is within a fifth of its ends;
-- then all
-- indexes stay as they are (HOT).  Whatever is written there, the database decides.
INSERT INTO global_topics (topic, current_volume, search_bucket) VALUES ('hot update', 100, 7);
SELECT search_bucket, current_volume FROM global_topics WHERE topic = 'hot update';
UPDATE global_topics SET current_volume = 150 WHERE topic = 'hot update' RETURNING search_bucket;
UPDATE global_topics SET current_volume = 160 WHERE topic = 'hot update' RETURNING search_bucket;
UPDATE global_topics SET current_volume = 120 WHERE topic = 'hot update' RETURNING search_bucket;
UPDATE global_topics SET current_volume = 0 WHERE topic = 'hot update' RETURNING search_bucket;
UPDATE global_topics SET current_volume = 1, search_bucket = 60 WHERE topic = 'hot update'
    RETURNING search_bucket;
UPDATE global_topics SET current_volume = 2147483647, search_bucket = NULL WHERE topic = 'hot update'
    RETURNING search_bucket;
SET session_replication_role = replica;
UPDATE global_topics SET current_volume = 5 WHERE topic = 'hot update' RETURNING search_bucket;
RESET session_replication_role;
CREATE TEMP TABLE elsewhere (id int);
CREATE TRIGGER misplaced BEFORE INSERT ON elsewhere FOR EACH ROW EXECUTE FUNCTION set_search_bucket();
INSERT INTO elsewhere VALUES (1);
SELECT set_search_bucket();
DROP TABLE elsewhere;

-- The work is bounded, also where all topics share a volume and a letter.
BEGIN;
DROP INDEX idx_global_topics_search;
INSERT INTO global_topics (topic, current_volume)
    SELECT 'quick ' || n || ' ' || repeat('q', 3 + n % 5) || n, 77 FROM generate_series(1, 30000) n;
CREATE INDEX idx_global_topics_search ON global_topics
    USING gin (topic_search_keys(topic, search_bucket) topic_keys_ops) WITH (fastupdate = off);
CREATE FUNCTION pg_temp.buffers(p_text text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_plan json;
BEGIN
    EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM openinfo.search_topics(%L)', p_text)
       INTO v_plan;
    v_plan := v_plan -> 0 -> 'Plan';
    RETURN (v_plan ->> 'Shared Hit Blocks')::int + (v_plan ->> 'Shared Read Blocks')::int;
END
$$;
SELECT typed, pg_temp.buffers(typed) <= 1800 AS bounded, (SELECT count(*) FROM search_topics(typed)) AS rows
  FROM unnest(ARRAY['q', 'qu', 'qui', 'quick', 'quick 1', 'quick 12 q', 'quick q', 'quick quick q']) typed;
ROLLBACK;

-- No planted function, operator or temporary table gets in between.
CREATE TEMP TABLE global_topics (id uuid, topic text);
SET search_path = pg_temp, public;
SELECT pg_temp.found('kubern');
DROP TABLE pg_temp.global_topics;
SET search_path = openinfo;

DELETE FROM global_topics;
REVOKE ALL ON global_topics FROM regress_topics_reader, regress_topics_stranger;
REVOKE ALL (id, topic, category, current_volume, trend_direction) ON global_topics
    FROM regress_topics_stranger;
REVOKE ALL ON FUNCTION search_topics(text, int) FROM regress_topics_reader, regress_topics_stranger;
REVOKE ALL ON SCHEMA openinfo FROM regress_topics_reader, regress_topics_stranger;
DROP ROLE regress_topics_reader;
DROP ROLE regress_topics_stranger;
