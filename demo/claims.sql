\echo '== Requests without claims, or with wrong ones'

-- What one set of claims gives, as role authenticated.
CREATE TEMP TABLE attempt (n int, request text, claims text, setting text);
INSERT INTO attempt VALUES
    (1, 'no claims at all', '', ''),
    (2, 'claims without "sub"', '{"role": "authenticated"}', ''),
    (3, 'a person nobody knows', json_build_object('sub', '0e000000-0000-4000-8000-00000000000e'), ''),
    (4, 'Cleo''s "sub", but in user_metadata',
     json_build_object('user_metadata', json_build_object('sub', demo.person('Cleo'))), ''),
    (5, 'Bob; claim workspace_id is South Sales',
     json_build_object('sub', demo.person('Bob'), 'workspace_id', demo.workspace('south')), ''),
    (6, 'Bob; openinfo.workspace_id is South Sales', json_build_object('sub', demo.person('Bob')),
     demo.workspace('south')),
    (7, 'Bob, and nothing else', json_build_object('sub', demo.person('Bob')), '');
CREATE FUNCTION pg_temp.leads_for(p_claims text, p_setting text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    PERFORM set_config('request.jwt.claims', p_claims, true),
            set_config('openinfo.workspace_id', p_setting, true),
            set_config('role', 'authenticated', true);
    EXECUTE 'SELECT count(*) FROM leads' INTO v_count;
    PERFORM set_config('role', 'none', true);
    RETURN v_count;
END
$$;
CREATE TEMP TABLE answer AS SELECT n, request, pg_temp.leads_for(claims, setting) AS leads FROM attempt;
SELECT request, leads FROM answer ORDER BY n;
SELECT demo.claim((SELECT bool_and(CASE WHEN n = 7 THEN leads > 0 ELSE leads = 0 END) FROM answer),
                  'only Bob, signed in, sees leads') \gset

SET ROLE authenticated;
\echo '-- Without claims, a workspace is created; then the claims are no JSON; then the role is anon:'
CALL demo.refused($$SELECT create_workspace('west', 'West', 'nobody@west.example')$$, 'PT401');
SET request.jwt.claims = '{"sub": "0b000000-0000';
CALL demo.refused($$SELECT count(*) FROM leads$$, '22023');
SET request.jwt.claims = '';
SET ROLE anon;
CALL demo.refused($$SELECT count(*) FROM app.leads$$, '42501');
RESET ROLE;

\echo '-- Cleo removes Ann from South Sales; Ann''s token is still valid, and is used once more:'
CALL demo.sign_in('Ann', 'south');
SELECT count(*) AS before FROM leads \gset
CALL demo.sign_in('Cleo');
SELECT remove_member(demo.user_id('Ann', 'south')) AS removed \gset
CALL demo.sign_in('Ann', 'south');
SELECT count(*) AS after FROM leads \gset
CALL demo.sign_in('Ann');
SELECT :before AS south_before, :after AS south_after, count(*) AS north FROM leads;
SELECT demo.claim(:before > 0 AND :after = 0 AND (SELECT count(*) > 0 FROM leads),
                  'a removed member sees nothing at the next statement') \gset

RESET ROLE;
\echo '-- Requests and workers have a login each; an SQL injection gets no further than its login:'
CREATE ROLE demo_requests LOGIN NOINHERIT;
GRANT anon, authenticated TO demo_requests;
CREATE ROLE demo_workers LOGIN NOINHERIT;
GRANT service_role TO demo_workers;
SET SESSION AUTHORIZATION demo_requests;
SET ROLE authenticated;
CALL demo.refused($$SELECT set_config('role', 'service_role', true)$$, '42501');
RESET SESSION AUTHORIZATION;
SELECT demo.claim((SELECT ok FROM security_checklist() WHERE item ~ '^Logins'),
                  'no login reaches too far') \gset
