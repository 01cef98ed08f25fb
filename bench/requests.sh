#!/bin/bash
# Requests per second, each a transaction as PostgREST sends it: BEGIN, the claims and the role, one call, COMMIT.
#
# 1,000 workspaces of 1,000 leads, each with an owner; eight clients, each request of another member.  The first line is a
# request that does nothing: what the connection, the transaction and the claims take.  fsync is off, as on all throwaway
# servers, so what writes waits for no disk.
. "$(dirname "$0")/lib.sh"

workspaces=$(scaled 1000 10)
clients=8
seconds=$(scaled 10 1)

progress "loading $workspaces workspaces of 1,000 leads"
sql -v workspaces="$workspaces" <<'SQL'
SET client_min_messages = warning;
SET session_replication_role = replica;
INSERT INTO workspaces (id, slug, name)
    SELECT bench.id('workspace', n), 'workspace-' || n, 'Workspace ' || n FROM generate_series(1, :workspaces) n;
INSERT INTO users (id, workspace_id, auth_user_id, email, role, plan, daily_credit_limit, referral_code)
    SELECT bench.id('user', n), bench.id('workspace', n), bench.id('person', n), 'owner@example.org', 'owner', 'enterprise',
           NULL, to_char(n, 'FM00000000')
      FROM generate_series(1, :workspaces) n;
INSERT INTO global_topics (id, topic) VALUES (bench.id('topic', 1), 'Bench');
INSERT INTO queries (id, workspace_id, topic_id, name)
    SELECT bench.id('query', n), bench.id('workspace', n), bench.id('topic', 1), 'Bench' FROM generate_series(1, :workspaces) n;
INSERT INTO leads (id, workspace_id, company_data, created_at)
    SELECT bench.id('lead', n), bench.id('workspace', n % :workspaces + 1),
           jsonb_build_object('name', 'Company ' || n, 'domain', 'company' || n || '.example', 'industry', 'Industry ' || n % 40),
           now() - (:workspaces * 1000 - n) * interval '1 second'
      FROM generate_series(0, :workspaces * 1000 - 1) n;
RESET session_replication_role;
VACUUM (ANALYZE);
SELECT bench.warm('leads'), bench.warm('users') \g /dev/null
SQL
heading "Requests per second: $clients clients, $(nproc) cores, $((workspaces * 1000)) leads in $workspaces workspaces"
while IFS='|' read -r name statement; do
	cat >"$W/request.sql" <<-SQL
		\\set n random(1, $workspaces)
		\\set lead :n - 1 + $workspaces * random(0, 999)
		BEGIN;
		SELECT set_config('request.jwt.claims', json_build_object('sub', bench.id('person', :n), 'role', 'authenticated')::text, true),
		       set_config('role', 'authenticated', true);
		$statement
		COMMIT;
	SQL
	pgbench -n -M prepared -c "$clients" -j "$(nproc)" -T "$seconds" -f "$W/request.sql" >"$W/pgbench.out"
	figure "$name" 1/s "$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$W/pgbench.out")" - -
done <<'END'
nothing|
latest 20 leads|SELECT * FROM leads ORDER BY created_at DESC LIMIT 20;
a lead by id|SELECT * FROM leads WHERE id = bench.id('lead', :lead);
search_leads()|SELECT * FROM search_leads('company ' || :lead / 10);
get_workspace_stats()|SELECT get_workspace_stats();
record_credit_usage()|SELECT record_credit_usage(bench.id('workspace', :n), bench.id('user', :n), 'people_search');
ingest_leads() of one lead|SELECT * FROM ingest_leads(bench.id('query', :n), jsonb_build_array(jsonb_build_object('name', 'New', 'domain', 'new' || :lead || random() || '.example')));
END
