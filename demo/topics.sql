\echo '== A topic is found while it is typed'
CALL demo.sign_in('Ann');
CREATE FUNCTION pg_temp.shown(p_typed text) RETURNS text LANGUAGE sql AS
    $$ SELECT string_agg(topic, ' | ' ORDER BY n)
         FROM search_topics(p_typed, 4) WITH ORDINALITY s (id, topic, category, volume, direction,
                                                           relevance, n) $$;
\echo '-- Letter by letter, what the list below the field shows:'
SELECT typed, pg_temp.shown(typed) AS shown
  FROM (SELECT left('data gov', n) AS typed, n FROM generate_series(1, 8) n) t WHERE typed <> 'data '
 ORDER BY n;
\echo '-- Words in another order, a later word, small stop words, and other forms of a word:'
SELECT typed, pg_temp.shown(typed) AS shown
  FROM unnest(ARRAY['learning mach', 'learning', 'IT', 'automated marketing']) typed;
\echo '-- With typos, and with a space missing:'
SELECT typed, pg_temp.shown(typed) AS shown
  FROM unnest(ARRAY['machne lerning', 'artifical int', 'deeplearning']) typed;
SELECT demo.claim((SELECT topic FROM search_topics('machine learning') LIMIT 1) ILIKE 'machine learning',
                  'what equals the text comes first') \gset
SELECT demo.claim((SELECT bool_and(EXISTS (SELECT FROM search_topics(typed, 5)
                                            WHERE topic ILIKE 'machine learning'))
                     FROM unnest(ARRAY['mach', 'learning mach', 'machne lerning', 'MACHINELEARNING']) typed),
                  'machine learning is found however it is typed') \gset
\echo '-- Nothing that is typed is an error, and nobody can change a topic:'
SELECT (SELECT count(*) FROM search_topics($q$%_\ & | ! :* "$q$)) AS signs,
       (SELECT count(*) FROM search_topics(repeat('x', 10000))) AS ten_thousand_letters;
CALL demo.refused($$UPDATE global_topics SET current_volume = 1000000$$, '42501');
CALL demo.refused($$SELECT * FROM search_topics('data', 0)$$, '22023');
CALL demo.sign_out();

\echo '== Trends, week by week'
\echo '-- The weekly job compares with the week before; run twice, it changes nothing:'
SET ROLE service_role;
SELECT update_topic_trends() AS topics \gset
SELECT md5(string_agg(t::text, ',' ORDER BY id)) AS first FROM global_topics t \gset
SELECT update_topic_trends() AS again \gset
SELECT md5(string_agg(t::text, ',' ORDER BY id)) AS second FROM global_topics t \gset
RESET ROLE;
SELECT :topics AS topics, :'first' = :'second' AS the_same_again;
SELECT demo.claim(:topics = :again AND :'first' = :'second',
                  'a second run in the same week changes nothing') \gset
CALL demo.sign_in('Ann');
\echo '-- Who gains, and who loses:'
SELECT topic, category, current_volume, change_percent || ' %' AS change FROM get_trending_gainers(5);
SELECT topic, category, current_volume, change_percent || ' %' AS change FROM get_trending_losers(5);
SELECT demo.claim((SELECT count(*) = 5 AND bool_and(change_percent > 10) FROM get_trending_gainers(5))
                  AND (SELECT count(*) > 0 AND bool_and(change_percent < -10) FROM get_trending_losers(5)),
                  'gainers gain more than ten per cent, losers lose more') \gset
CALL demo.sign_out();
