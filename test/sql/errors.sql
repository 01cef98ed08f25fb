-- What nobody meets who leaves the extension's objects as they are: trigger functions
-- where they do not belong, and tables and columns that are gone.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

-- A trigger function called as a function, or as a trigger of another kind
-- or for the statement: refused, never a crash.
CREATE TABLE public.regress_scratch (id uuid, workspace_id uuid, note text);
DO $$
DECLARE
    v record;
BEGIN
    FOR v IN
        SELECT p.proname, p.oid::regprocedure AS name, k.kind, k.ddl
          FROM pg_proc p, (VALUES ('as a function', NULL),
                                  ('before the statement',
                                   'BEFORE INSERT OR UPDATE OR DELETE ON public.regress_scratch FOR EACH '
                                   'STATEMENT'),
                                  ('after the statement',
                                   'AFTER INSERT OR UPDATE OR DELETE ON public.regress_scratch FOR EACH '
                                   'STATEMENT'),
                                  ('on TRUNCATE',
                                   'BEFORE TRUNCATE ON public.regress_scratch FOR EACH STATEMENT'),
                                  ('before DELETE', 'BEFORE DELETE ON public.regress_scratch FOR EACH ROW'),
                                  ('after INSERT', 'AFTER INSERT ON public.regress_scratch FOR EACH ROW'),
                                  ('before UPDATE',
                                   'BEFORE UPDATE ON public.regress_scratch FOR EACH ROW')) AS k (kind, ddl)
         WHERE p.pronamespace = 'openinfo'::regnamespace AND p.prorettype = 'trigger'::regtype
         ORDER BY p.proname, k.kind COLLATE "C"
    LOOP
        BEGIN
            IF v.ddl IS NULL THEN
                EXECUTE format('SELECT %s', v.name);
            ELSE
                INSERT INTO public.regress_scratch VALUES (gen_random_uuid(), gen_random_uuid(), 'a');
                EXECUTE format('CREATE TRIGGER t %s EXECUTE FUNCTION %s', v.ddl, v.name);
                INSERT INTO public.regress_scratch VALUES (gen_random_uuid(), gen_random_uuid(), 'b');
                UPDATE public.regress_scratch SET note = 'c';
                DELETE FROM public.regress_scratch;
                TRUNCATE public.regress_scratch;
            END IF;
            RAISE EXCEPTION 'worked' USING ERRCODE = 'P0001';
        EXCEPTION
            WHEN trigger_protocol_violated OR object_not_in_prerequisite_state THEN NULL;
            WHEN OTHERS THEN RAISE INFO '% %: % %', v.proname, v.kind, SQLSTATE, SQLERRM;
        END;
    END LOOP;
END
$$;
DROP TABLE public.regress_scratch;

-- A workspace that does not exist: the error names the row that was written, not one that a trigger of ours
-- writes for it, whatever the order in which the server runs triggers and checks foreign keys.
INSERT INTO users (workspace_id, auth_user_id, email)
    VALUES ('4ef00000-0000-4000-8000-00000000dead', gen_random_uuid(), 'ann@refusals.example');
INSERT INTO people_search_results (workspace_id, person_data)
    VALUES ('4ef00000-0000-4000-8000-00000000dead', '{"full_name": "Ann", "email": "ann@refusals.example"}');
INSERT INTO integrations (workspace_id, type, name, config)
    VALUES ('4ef00000-0000-4000-8000-00000000dead', 'webhook', 'Hook', '{"secret": "x"}');
INSERT INTO saved_searches (workspace_id, name) VALUES ('4ef00000-0000-4000-8000-00000000dead', 'Search');

-- A column or a table of ours that is gone: each function that needs it says so, and what the user should
-- do.  Renaming is as good as dropping, and is undone with the transaction.
CREATE FUNCTION pg_temp.asked(p_ddl text, p_question text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE p_ddl;
    EXECUTE p_question;
    RAISE EXCEPTION 'answered';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
INSERT INTO workspaces (id, slug, name) VALUES ('4ef00000-0000-4000-8000-000000000001', 'refusals', 'R');
INSERT INTO users (id, workspace_id, auth_user_id, email, role)
    VALUES ('4ef00000-0000-4000-8000-0000000000a1', '4ef00000-0000-4000-8000-000000000001',
            '4ef00000-0000-4000-8000-0000000000f1', 'ann@refusals.example', 'owner');
INSERT INTO global_topics (id, topic) VALUES ('4ef00000-0000-4000-8000-000000000009', 'refusals');
SET request.jwt.claims = '{"sub": "4ef00000-0000-4000-8000-0000000000f1"}';
SELECT pg_temp.asked('ALTER TABLE users RENAME auth_user_id TO gone', 'SELECT get_user_id()');
SELECT pg_temp.asked('ALTER TABLE users RENAME TO gone', 'SELECT get_user_id()');
SELECT pg_temp.asked('ALTER TABLE plans RENAME active_queries TO gone', 'SELECT check_query_limit()');
SELECT pg_temp.asked('ALTER TABLE plans RENAME TO gone', 'SELECT check_query_limit()');
SELECT pg_temp.asked('ALTER TABLE global_topics RENAME topic TO gone',
                     $$INSERT INTO queries (topic_id) VALUES ('4ef00000-0000-4000-8000-000000000009')$$);
SELECT pg_temp.asked('ALTER TABLE queries RENAME filters TO gone',
                     $$INSERT INTO queries (topic_id) VALUES ('4ef00000-0000-4000-8000-000000000009')$$);
-- Every table of the extension is known to the library, which does not work on one that
-- belongs to another role; a new table that catalog_tables[] in src/core/catalog.c lacks,
-- and the drop guard therefore too, is listed here.
SELECT relname AS unknown
  FROM pg_class
 WHERE relnamespace = 'openinfo'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
   AND pg_temp.asked(format('ALTER TABLE openinfo.%I OWNER TO CURRENT_USER', relname),
                     $$SELECT check_query_limit('4ef00000-0000-4000-8000-000000000001')$$) NOT LIKE '55000 %"'
                                                                                           || relname || '"%';
-- Afterwards all is as before.
SELECT get_user_id() IS NOT NULL AS found, check_query_limit();
RESET request.jwt.claims;
DELETE FROM workspaces WHERE slug = 'refusals';
DELETE FROM global_topics WHERE topic = 'refusals';
