#!/bin/bash
# Row-level security beside the same query without it and with the workspace written in, which is the floor, and beside
# the classic policy: workspace_id IN (SELECT workspace_id FROM users WHERE auth_user_id = <PL/pgSQL helper>).
#
# 1,000 workspaces of 1,000 leads and 5 members each.  All three ways read the same table: policies name their role,
# and the classic one has a role of its own.
. "$(dirname "$0")/lib.sh"

workspaces=$(scaled 1000 10)

progress "loading $workspaces workspaces of 1,000 leads"
sql -v workspaces="$workspaces" <<'END'
SET client_min_messages = warning;
SET session_replication_role = replica;		-- no foreign key is checked a million times

INSERT INTO workspaces (id, slug, name)
    SELECT bench.id('workspace', n), 'workspace-' || n, 'Workspace ' || n FROM generate_series(1, :workspaces) n;
INSERT INTO users (id, workspace_id, auth_user_id, email, role, referral_code)
    SELECT bench.id('user', n), bench.id('workspace', n / 5 + 1), bench.id('person', n), 'person' || n || '@example.org',
           CASE n % 5 WHEN 0 THEN 'owner' ELSE 'member' END::user_role, to_char(n, 'FM00000000')
      FROM generate_series(0, :workspaces * 5 - 1) n;
-- round robin, as tenants write: the leads of one workspace lie all over the table
INSERT INTO leads (id, workspace_id, company_data, contact_data, created_at)
    SELECT bench.id('lead', n), bench.id('workspace', n % :workspaces + 1),
           jsonb_build_object('name', 'Company ' || n, 'domain', 'company' || n || '.example', 'industry', 'Industry ' || n % 40,
                              'employees', n % 5000, 'country', 'Country ' || n % 60),
           jsonb_build_object('full_name', 'Person ' || n, 'title', 'Title ' || n % 30),
           now() - (:workspaces * 1000 - n) * interval '1 second'
      FROM generate_series(0, :workspaces * 1000 - 1) n;
RESET session_replication_role;

CREATE FUNCTION bench.classic_uid() RETURNS uuid LANGUAGE plpgsql STABLE AS
    $$ BEGIN RETURN (current_setting('request.jwt.claims', true)::jsonb ->> 'sub')::uuid; END $$;
CREATE FUNCTION bench.classic_workspace() RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ BEGIN RETURN (SELECT workspace_id FROM users WHERE auth_user_id = bench.classic_uid() ORDER BY created_at LIMIT 1); END $$;
CREATE ROLE bench_classic NOLOGIN;
GRANT USAGE ON SCHEMA public TO bench_classic;
GRANT SELECT ON leads, users TO bench_classic;
CREATE POLICY classic ON users FOR SELECT TO bench_classic USING (auth_user_id = bench.classic_uid());
CREATE POLICY classic ON leads FOR SELECT TO bench_classic
    USING (workspace_id IN (SELECT workspace_id FROM users WHERE auth_user_id = bench.classic_uid()));

-- The floor: privileges are checked as for every role, row-level security is not.
CREATE ROLE bench_floor NOLOGIN BYPASSRLS;
GRANT USAGE ON SCHEMA public TO bench_floor;
GRANT SELECT ON leads TO bench_floor;

-- What the sub-select costs, with a constant in it; and what the function costs without a sub-select.
CREATE ROLE bench_constant NOLOGIN;
CREATE ROLE bench_bare NOLOGIN;
GRANT USAGE ON SCHEMA public TO bench_constant, bench_bare;
GRANT SELECT ON leads TO bench_constant, bench_bare;
GRANT EXECUTE ON FUNCTION get_user_workspace_id() TO bench_bare;
CREATE POLICY bare ON leads FOR SELECT TO bench_bare USING (workspace_id = get_user_workspace_id());

-- The caller: a member of the workspace in the middle; and the leads of that workspace in no order.
CREATE TABLE bench.chosen AS
    SELECT u.workspace_id, json_build_object('sub', u.auth_user_id, 'role', 'authenticated')::text AS claims,
           (SELECT array_agg(l.id ORDER BY l.id) FROM leads l WHERE l.workspace_id = u.workspace_id) AS leads
      FROM users u WHERE u.id = bench.id('user', :workspaces / 2 * 5 + 1);
GRANT SELECT ON bench.chosen TO PUBLIC;
SELECT format('CREATE POLICY constant ON leads FOR SELECT TO bench_constant USING (workspace_id = (SELECT %L::uuid))', workspace_id) FROM bench.chosen
\gexec

SELECT bench.add(q.name || '_' || w.way, replace(q.statement, '{filter}', CASE w.way WHEN 'floor' THEN format(q.filter, c.workspace_id) ELSE '' END),
                 w.role, c.claims, 'v_leads uuid[] := (SELECT leads FROM bench.chosen);')
  FROM bench.chosen c,
       (VALUES
           ('latest', 'SELECT * FROM public.leads {filter} ORDER BY created_at DESC LIMIT 20', 'WHERE workspace_id = %L'),
           ('by_id',  'SELECT * FROM public.leads WHERE id = v_leads[i % 1000 + 1] {filter}', 'AND workspace_id = %L'),
           ('count',  'SELECT count(*) FROM public.leads {filter}', 'WHERE workspace_id = %L')) AS q (name, statement, filter),
       (VALUES ('floor', 'bench_floor'), ('openinfo', 'authenticated'), ('constant', 'bench_constant'), ('bare', 'bench_bare'), ('classic', 'bench_classic')) AS w (way, role)
\g /dev/null

-- The function alone: called for each of 1,000 rows; what the rows themselves cost is measured too.
SELECT bench.add('call_' || f.name, f.statement, f.role, c.claims)
  FROM bench.chosen c,
       LATERAL (VALUES
           ('nothing',  'SELECT count(g) FROM generate_series(1, 1000) g', 'none'),
           ('empty',    'SELECT count(pg_backend_pid()) FROM generate_series(1, 1000) g', 'none'),
           ('openinfo', 'SELECT count(public.get_user_workspace_id()) FROM generate_series(1, 1000) g', 'authenticated'),
           ('classic',  'SELECT count(bench.classic_workspace()) FROM generate_series(1, 1000) g', 'authenticated')) AS f (name, statement, role)
\g /dev/null
END
sql -c 'VACUUM (ANALYZE)' -c CHECKPOINT

queries=(latest by_id count)
declare -A target=([latest]=1.15 [by_id]=1.2 [count]=1.1)
declare -A text=([latest]='the latest 20 leads of the workspace' [by_id]='a lead by id' [count]="count of the workspace's leads")
owned="Isolation: $workspaces workspaces of 1,000 leads, as a member of one"

# As an application runs it: a prepared statement, each time in a transaction of its own, sent and answered.
IFS='|' read -r workspace lead claims < <(sql -c "SELECT workspace_id, leads[500], replace(claims, ' ', '') FROM bench.chosen")
statement() {	# QUERY WAY
	local filter=
	[ "$2" != floor ] || filter="workspace_id = '$workspace'"
	case $1 in
		latest) echo "SELECT * FROM leads ${filter:+WHERE $filter} ORDER BY created_at DESC LIMIT 20;" ;;
		by_id) echo "SELECT * FROM leads WHERE id = '$lead' ${filter:+AND $filter};" ;;
		count) echo "SELECT count(*) FROM leads ${filter:+WHERE $filter};" ;;
	esac
}
as_client() {	# QUERY WAY ROLE: adds the microseconds of each execution to $W/QUERY.WAY
	statement "$1" "$2" >"$W/statement"
	PGOPTIONS="-c role=$3 -c request.jwt.claims=$claims -c max_parallel_workers_per_gather=0" \
		pgbench -n -M prepared -t "$(scaled 1000 200)" -f "$W/statement" -l --log-prefix="$W/pgbench.log" >"$W/null" 2>"$W/pgbench.err" ||
		{ cat "$W/pgbench.err" >&2; exit 1; }
	# the first one connects, plans and fills the caches
	cut -d' ' -f3 "$W"/pgbench.log.* | tail -n +20 >>"$W/$1.$2"
	rm -f "$W"/pgbench.log.*
}
median() { sort -g "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
heading "$owned; what an application waits for"
for query in "${queries[@]}"; do
	for _ in $(seq "$(scaled 20 5)"); do
		as_client "$query" floor bench_floor
		as_client "$query" openinfo authenticated
	done
	figure "${text[$query]}" us "$(median "$W/$query.openinfo")" "$(median "$W/$query.floor")" "${target[$query]}"
done

# Without the client: no message, no transaction, no row put into text.
heading "$owned; in the executor alone"
for query in "${queries[@]}"; do
	sql -c "SELECT name, minimum FROM bench.race(ARRAY['${query}_floor', '${query}_openinfo', '${query}_constant', '${query}_bare'], $(scaled 400 100))" >"$W/race"
	minimum() { sed -n "s/^${query}_$1|//p" "$W/race"; }
	figure "${text[$query]}" us "$(minimum openinfo)" "$(minimum floor)" "${target[$query]}"
	figure '  ... with nothing but a constant in the sub-select' us "$(minimum constant)" "$(minimum floor)" -
	figure '  ... with the function, but no sub-select' us "$(minimum bare)" "$(minimum floor)" -
	# it takes so long that it would thin out the rounds of the others
	figure '  ... with the classic policy' us "$(sql -c "SELECT minimum FROM bench.race(ARRAY['${query}_classic'], 5)")" "$(minimum floor)" -
done

# Why the policies have a sub-select: a statement without parameters is planned once, for its first caller.
sql -v workspaces="$workspaces" <<'END'
SET session_replication_role = replica;
WITH one AS (SELECT workspace_id FROM leads WHERE workspace_id <> (SELECT workspace_id FROM bench.chosen) LIMIT 1)
UPDATE leads SET workspace_id = one.workspace_id FROM one
 WHERE leads.workspace_id <> (SELECT workspace_id FROM bench.chosen) AND hashtext(leads.id::text) % 10 < 7;
END
sql -c 'VACUUM (ANALYZE) leads'
large=$(sql -c "SELECT json_build_object('sub', u.auth_user_id, 'workspace_id', l.workspace_id) FROM (SELECT workspace_id FROM leads GROUP BY 1 ORDER BY count(*) DESC LIMIT 1) l JOIN users u USING (workspace_id) LIMIT 1")
second() {	# ROLE: the member of the small workspace, after one of the large on the same connection
	sql <<-END | awk '/^Time:/ { t = $2 } END { print t }'
		SET role = $1; SET max_parallel_workers_per_gather = 0; SET jit = off;
		PREPARE q AS SELECT count(company_data) FROM leads;
		SET request.jwt.claims = '$large'; EXECUTE q;
		SET request.jwt.claims = '$claims'; EXECUTE q;
		\\timing on
		EXECUTE q;
	END
}
heading 'A workspace of 1,000 leads, after one of most leads on the same connection: a prepared statement that reads all'
usual=$(second authenticated)
figure 'with the sub-select' ms "$usual" - -
figure '  ... with the function, but no sub-select' ms "$(second bench_bare)" "$usual" -

heading "Per call within a statement, without the cost of the row"
sql -c "SELECT name, minimum FROM bench.race(ARRAY['call_nothing', 'call_empty', 'call_openinfo', 'call_classic'], $(scaled 100 20))" >"$W/race"
per_call() {	# SUBJECT WITHOUT: the difference, per row, in microseconds
	awk -F'|' -v name="$1" -v without="$2" '{ t[$1] = $2 } END { d = (t[name] - t[without]) / 1000; printf "%.4f", (d > 0 ? d : 0) }' "$W/race"
}
figure 'an empty C function' us "$(per_call call_empty call_nothing)" - -
figure 'get_user_workspace_id()' us "$(per_call call_openinfo call_nothing)" - 2.5
figure '  ... as PL/pgSQL, SECURITY DEFINER' us "$(per_call call_classic call_nothing)" - -
