#!/bin/bash
# Leads: finding one by its domain, the numbers of a workspace, ingesting a batch, and claiming work.
#
# 1,000 workspaces of 1,000 leads.  Nine of ten leads are enriched; the newest of the others are claimed.
. "$(dirname "$0")/lib.sh"

workspaces=$(scaled 1000 10)

progress "loading $workspaces workspaces of 1,000 leads"
sql -v workspaces="$workspaces" <<'SQL'
SET client_min_messages = warning;
SET session_replication_role = replica;		-- no foreign key is checked a million times

INSERT INTO global_topics (id, topic) VALUES (bench.id('topic', 1), 'Bench');
INSERT INTO workspaces (id, slug, name)
    SELECT bench.id('workspace', n), 'workspace-' || n, 'Workspace ' || n FROM generate_series(1, :workspaces) n;
INSERT INTO users (id, workspace_id, auth_user_id, email, role, plan, referral_code)
    SELECT bench.id('user', n), bench.id('workspace', n / 5 + 1), bench.id('person', n), 'person' || n || '@example.org',
           CASE n % 5 WHEN 0 THEN 'owner' ELSE 'member' END::user_role, 'enterprise', to_char(n, 'FM00000000')
      FROM generate_series(0, :workspaces * 5 - 1) n;
INSERT INTO queries (id, workspace_id, topic_id, name, status)
    SELECT bench.id('query', n), bench.id('workspace', n / 5 + 1), bench.id('topic', 1), 'Query', CASE n % 5 WHEN 0 THEN 'active' ELSE 'paused' END::query_status
      FROM generate_series(0, :workspaces * 5 - 1) n;
-- round robin, as tenants write: the leads of one workspace lie all over the table
INSERT INTO leads (id, workspace_id, query_id, company_data, created_at, enrichment_status, delivery_status)
    SELECT bench.id('lead', n), bench.id('workspace', n % :workspaces + 1), bench.id('query', n % :workspaces * 5), bench.company(n),
           now() - (:workspaces * 1000 - n) * interval '1 second',
           CASE WHEN n % 10 = 0 THEN 'pending' ELSE 'enriched' END::enrichment_status, CASE WHEN n % 10 = 0 THEN 'pending' ELSE 'delivered' END::delivery_status
      FROM generate_series(0, :workspaces * 1000 - 1) n;
RESET session_replication_role;

-- The floor: checked for its privileges as everybody is, but not held by row-level security.
CREATE ROLE bench_leads_floor NOLOGIN BYPASSRLS;
GRANT USAGE ON SCHEMA public TO bench_leads_floor;
GRANT SELECT ON leads TO bench_leads_floor;
GRANT EXECUTE ON FUNCTION lead_domain(jsonb) TO bench_leads_floor;

-- A member of the workspace in the middle; and the domains of that workspace's leads in no order.
CREATE TABLE bench.chosen AS
    SELECT u.workspace_id, json_build_object('sub', u.auth_user_id, 'role', 'authenticated')::text AS claims,
           (SELECT array_agg(lead_domain(l.company_data) ORDER BY l.id) FROM leads l WHERE l.workspace_id = u.workspace_id) AS domains
      FROM users u WHERE u.id = bench.id('user', :workspaces / 2 * 5 + 1);
GRANT SELECT ON bench.chosen TO PUBLIC;

SELECT bench.add(s.name, replace(s.statement, '%L', quote_literal(c.workspace_id)), s.role, c.claims, 'v_domains text[] := (SELECT domains FROM bench.chosen);')
  FROM bench.chosen c,
       (VALUES
           ('domain_floor', 'SELECT * FROM public.leads WHERE public.lead_domain(company_data) = v_domains[i % 1000 + 1] AND workspace_id = %L', 'bench_leads_floor'),
           ('domain_openinfo', 'SELECT * FROM public.leads WHERE public.lead_domain(company_data) = v_domains[i % 1000 + 1]', 'authenticated'),
           ('domain_text', 'SELECT * FROM public.leads WHERE company_data ->> ''domain'' = v_domains[i % 1000 + 1]', 'authenticated'),
           ('domain_contains', 'SELECT * FROM public.leads WHERE company_data @> jsonb_build_object(''domain'', v_domains[i % 1000 + 1])', 'authenticated'),
           ('stats_counts', $$SELECT (SELECT count(*) FROM public.leads), (SELECT count(*) FROM public.leads WHERE created_at >= date_trunc('day', now(), 'UTC')),
                (SELECT count(*) FROM public.leads WHERE created_at >= date_trunc('week', now(), 'UTC')),
                (SELECT jsonb_object_agg(s, n) FROM (SELECT enrichment_status s, count(*) n FROM public.leads GROUP BY 1) g),
                (SELECT jsonb_object_agg(s, n) FROM (SELECT delivery_status s, count(*) n FROM public.leads GROUP BY 1) g),
                (SELECT jsonb_object_agg(s, n) FROM (SELECT status s, count(*) n FROM public.queries GROUP BY 1) g),
                (SELECT count(*) FROM public.users), (SELECT sum(daily_credits_used) FROM public.users)$$, 'authenticated'),
           ('stats_openinfo', 'SELECT public.get_workspace_stats()', 'authenticated')) AS s (name, statement, role)
\g /dev/null

-- One batch of fresh companies each time; what is compared takes turns, and each in a transaction of its own.
CREATE TABLE bench.taken (way text, us float8);
CREATE FUNCTION bench.bare(p_workspace uuid, p_query uuid, p_leads jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO leads (workspace_id, query_id, company_data) SELECT p_workspace, p_query, e FROM jsonb_array_elements(p_leads) e ON CONFLICT DO NOTHING;
    UPDATE queries SET total_leads_generated = total_leads_generated + 1000, leads_this_week = leads_this_week + 1000 WHERE id = p_query;
$$;
CREATE FUNCTION bench.one_by_one(p_workspace uuid, p_query uuid, p_leads jsonb) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_lead     jsonb;
    v_inserted int := 0;
BEGIN
    FOR v_lead IN SELECT jsonb_array_elements(p_leads) LOOP
        BEGIN
            INSERT INTO leads (workspace_id, query_id, company_data) VALUES (p_workspace, p_query, v_lead);
            v_inserted := v_inserted + 1;
        EXCEPTION WHEN unique_violation OR check_violation THEN
            NULL;
        END;
    END LOOP;
    UPDATE queries SET total_leads_generated = total_leads_generated + v_inserted, leads_this_week = leads_this_week + v_inserted WHERE id = p_query;
    RETURN v_inserted;
END;
$$;
CREATE PROCEDURE bench.batches(p_rounds int) LANGUAGE plpgsql AS $$
DECLARE
    v_workspace uuid := (SELECT workspace_id FROM bench.chosen);
    v_query     uuid := (SELECT id FROM queries WHERE workspace_id = v_workspace LIMIT 1);
    v_ways      text[] := ARRAY['bare', 'openinfo', 'one_by_one'];
    v_way       text;
    v_batch     jsonb;
    v_start     timestamptz;
    v_next      int := 100000000;
BEGIN
    FOR r IN 1..p_rounds LOOP
        FOREACH v_way IN ARRAY v_ways LOOP
            SELECT jsonb_agg(bench.company(v_next + n)) INTO v_batch FROM generate_series(1, 1000) n;
            v_next := v_next + 1000;
            v_start := clock_timestamp();
            CASE v_way
                WHEN 'bare' THEN PERFORM bench.bare(v_workspace, v_query, v_batch);
                WHEN 'openinfo' THEN PERFORM ingest_leads(v_query, v_batch);
                ELSE PERFORM bench.one_by_one(v_workspace, v_query, v_batch);
            END CASE;
            INSERT INTO bench.taken VALUES (v_way, extract(epoch FROM clock_timestamp() - v_start) * 1e6 / 1000);
            COMMIT;
        END LOOP;
        v_ways := v_ways[2:3] || v_ways[1];
    END LOOP;
END;
$$;

-- Claims of fifty; beside them the writing alone: the same UPDATE of fifty rows whose ids are known.
CREATE PROCEDURE bench.claims(p_rounds int) LANGUAGE plpgsql AS $$
DECLARE
    v_ids   uuid[];
    v_start timestamptz;
BEGIN
    FOR r IN 1..p_rounds LOOP
        SELECT array_agg(id) INTO v_ids FROM (SELECT id FROM leads WHERE enrichment_status = 'pending' ORDER BY created_at DESC LIMIT 50) l;
        v_start := clock_timestamp();
        UPDATE leads SET enrichment_status = 'enriching', enrichment_attempts = enrichment_attempts + 1, enrichment_lease_until = now() + interval '15 minutes'
         WHERE id = ANY (v_ids);
        INSERT INTO bench.taken VALUES ('update', extract(epoch FROM clock_timestamp() - v_start) * 1e6);
        COMMIT;
        UPDATE leads SET enrichment_status = 'enriched', delivery_status = 'delivered', enrichment_lease_until = NULL WHERE id = ANY (v_ids);
        COMMIT;
        v_start := clock_timestamp();
        SELECT array_agg(id) INTO v_ids FROM get_leads_pending_enrichment(50);
        INSERT INTO bench.taken VALUES ('claim', extract(epoch FROM clock_timestamp() - v_start) * 1e6);
        COMMIT;
        UPDATE leads SET enrichment_status = 'enriched', delivery_status = 'delivered', enrichment_lease_until = NULL WHERE id = ANY (v_ids);
        COMMIT;
    END LOOP;
END;
$$;
SQL
sql -c 'VACUUM (ANALYZE)' -c CHECKPOINT

race() {	# FLOOR NAME ROUNDS TARGET TEXT
	local measured ratio floor
	sql -c "SELECT median, ratio FROM bench.race(ARRAY['$1', '$2'], $3)" >"$W/race"
	IFS='|' read -r floor ratio < <(head -n 1 "$W/race")
	IFS='|' read -r measured ratio < <(tail -n 1 "$W/race")
	figure "$5" us "$measured" "$floor" "$4" "$ratio"
}
# the least of many: what the rest of the machine does can only add to it
least() { sql -c "SELECT min(us) FROM bench.taken WHERE way = '$1'"; }

heading "Leads: $workspaces workspaces of 1,000, as a member of one; the floor has no row-level security"
race domain_floor domain_openinfo "$(scaled 400 60)" 1.3 'a lead by domain: lead_domain(company_data) = ...'
race domain_floor domain_text 5 - "  ... company_data ->> 'domain' = ..."
race domain_floor domain_contains 5 - '  ... company_data @> ...'

heading 'Numbers of a workspace of 1,000 leads; the floor is the eight counts that a dashboard sends'
race stats_counts stats_openinfo "$(scaled 100 30)" 1 'get_workspace_stats()'

progress 'batches'
sql -c "CALL bench.batches($(scaled 20 10))"
heading 'Ingesting 1,000 new leads, per lead; the floor is a bare INSERT ... ON CONFLICT and the counters'
figure 'ingest_leads()' us "$(least openinfo)" "$(least bare)" 1.1
figure '  ... as PL/pgSQL, one by one' us "$(least one_by_one)" "$(least bare)" -

progress 'claims'
sql -c "CALL bench.claims($(scaled 100 20))"
heading "Claiming 50 of $((workspaces * 100)) waiting leads; the floor is the UPDATE alone, the ids known"
figure 'get_leads_pending_enrichment(50)' us "$(least claim)" "$(least update)" 1.5
