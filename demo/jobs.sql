\echo '== Four jobs, and protection against accidental drops'

\echo '-- pg_cron is here, so CREATE EXTENSION has scheduled the jobs. None has run yet, and none is overdue:'
SELECT name, schedule, active, overdue FROM openinfo_jobs;
SELECT demo.claim((SELECT count(*) = 4 AND bool_and(active AND NOT overdue) FROM openinfo_jobs),
                  'four jobs are active and none is overdue') \gset
SELECT count(*) AS registered_again FROM schedule_jobs() \gset
SELECT demo.claim((SELECT count(*) = 4 FROM cron.job) AND :registered_again = 4,
                  'registering them twice leaves four') \gset

-- CASCADE lists what it would drop
SET client_min_messages = warning;
\echo '-- The superuser drops the extension, or its schema, with CASCADE, from within a procedure:'
CALL demo.refused('DROP EXTENSION openinfo CASCADE', '55000');
CALL demo.refused('DROP SCHEMA app CASCADE', '55000');
RESET client_min_messages;
SELECT demo.claim((SELECT count(*) > 0 FROM leads) AND (SELECT count(*) = 4 FROM openinfo_jobs WHERE active),
                  'everything is still there') \gset
