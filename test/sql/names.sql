-- Names: a name of nothing but white space of any kind is blank and refused; every other name is accepted.
SET search_path = openinfo, pg_temp;
\set VERBOSITY terse

-- White space of ASCII and of Unicode, and the spaces without width; no other
-- character, and not the letters of an escape.
SELECT count(*) AS white_space,
       bool_and(is_blank(chr(c)) AND is_blank(repeat(chr(c), 3)) AND is_blank(' ' || chr(c) || E'\n')
       AND NOT is_blank(chr(c) || 'v' || chr(c))) AS blank
  FROM unnest(ARRAY[9, 10, 11, 12, 13, 32, 133, 160, 5760, 6158, 8192, 8193, 8194, 8195, 8196, 8197, 8198,
                    8199, 8200, 8201, 8202, 8203,
                    8232, 8233, 8239, 8287, 12288, 65279]) c;
SELECT string_agg(to_hex(c), ' ') AS also_blank FROM generate_series(1, 70000) c
 WHERE c NOT BETWEEN 55296 AND 57343 AND is_blank(chr(c))
   AND c <> ALL (ARRAY[9, 10, 11, 12, 13, 32, 133, 160, 5760, 6158, 8192, 8193, 8194, 8195, 8196, 8197, 8198,
                       8199, 8200, 8201, 8202, 8203,
                       8232, 8233, 8239, 8287, 12288, 65279]);
SELECT name, is_blank(name)
  FROM unnest(ARRAY['', 'v', 't', 'f', 'x0B', E'\\v', '-', '0', E'\x0B', 'é', NULL]) name;

-- Each constraint on a name refuses blank ones and accepts "v".
INSERT INTO workspaces (id, slug, name) VALUES ('4a3e0000-0000-0000-0000-000000000001', 'names-one', 'One');
INSERT INTO users (id, workspace_id, auth_user_id, email, plan) VALUES
    ('4a3e0000-0000-0000-0000-0000000000a1', '4a3e0000-0000-0000-0000-000000000001',
     '4a3e0000-0000-0000-0000-0000000000f1', 'ann@names.example', 'enterprise');
INSERT INTO global_topics (id, topic) VALUES ('4a3e0000-0000-0000-0000-0000000000e1', 'names: a topic');
CREATE FUNCTION pg_temp.result(statement text, name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_constraint text;
BEGIN
    EXECUTE format(statement, name);
    RAISE EXCEPTION 'accepted' USING ERRCODE = 'P0002';
EXCEPTION
    WHEN no_data_found THEN RETURN 'accepted';
    WHEN check_violation THEN
        GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
        RETURN v_constraint;
END
$$;
SELECT pg_temp.result(statement, 'v') AS v, array_agg(DISTINCT pg_temp.result(statement, blank)) AS blank
  FROM unnest(ARRAY['', ' ', E'\x0B', E' \t\n\r\f\x0B', U&'\00A0', U&'\3000\200B']) blank,
       unnest(ARRAY[
           'INSERT INTO plans (name) VALUES (%L)',
           'UPDATE workspaces SET name = %L WHERE slug = ''names-one''',
           'INSERT INTO global_topics (topic) VALUES (%L)',
           'INSERT INTO queries (workspace_id, topic_id, name) VALUES '
           '(''4a3e0000-0000-0000-0000-000000000001'', ''4a3e0000-0000-0000-0000-0000000000e1'', %L)',
           'INSERT INTO saved_searches (workspace_id, name) VALUES '
           '(''4a3e0000-0000-0000-0000-000000000001'', %L)',
           'INSERT INTO leads (workspace_id, company_data) VALUES (''4a3e0000-0000-0000-0000-000000000001'', '
           'jsonb_build_object(''name'', %L))',
           'INSERT INTO people_search_results (workspace_id, user_id, person_data) VALUES '
           '(''4a3e0000-0000-0000-0000-000000000001'', ''4a3e0000-0000-0000-0000-0000000000a1'', '
           'jsonb_build_object(''full_name'', %L))',
           'INSERT INTO saved_people_searches (workspace_id, user_id, name) VALUES '
           '(''4a3e0000-0000-0000-0000-000000000001'', ''4a3e0000-0000-0000-0000-0000000000a1'', %L)',
           'INSERT INTO integrations (workspace_id, type, name, config) VALUES '
           '(''4a3e0000-0000-0000-0000-000000000001'', ''email'', %L, ''{}'')']) WITH ORDINALITY s (statement,
                                                                                                    place)
 GROUP BY place, statement ORDER BY place;
-- Batches of leads agree.
SET ROLE service_role;
INSERT INTO queries (id, workspace_id, topic_id, name)
    VALUES ('4a3e0000-0000-0000-0000-000000000011', '4a3e0000-0000-0000-0000-000000000001',
            '4a3e0000-0000-0000-0000-0000000000e1', 'v');
SELECT inserted, skipped FROM ingest_leads('4a3e0000-0000-0000-0000-000000000011', jsonb_build_array(
    '{"name": "v"}'::jsonb, '{"name": "\u000b"}'::jsonb, '{"name": "\f"}'::jsonb, '{"name": "\u00a0"}'::jsonb,
    '{"name": " \u3000\u2003"}'::jsonb,
    '{"name": "\ufeff"}'::jsonb, '{"name": "\u00a0É"}'::jsonb));
RESET ROLE;

DELETE FROM workspaces WHERE slug = 'names-one';
DELETE FROM global_topics WHERE topic = 'names: a topic';
