#!/bin/bash
# Leads in one table and in partitions by workspace: what growing tenfold does to the latency of a request.
#
# Two databases, with 100 and with 1,000 workspaces of 10,000 leads: 1,000,000 and 10,000,000.  Both are measured in turn, as
# a member of one of the first hundred, so that the machine's other work affects both; the figures are minima.
. "$(dirname "$0")/lib.sh"

workspaces=$(scaled 1000 20)
few=$((workspaces / 10))
per_workspace=10000
small=$((few * per_workspace)) large=$((workspaces * per_workspace))
parts=${PARTS:-16}
createdb -T "$PGDATABASE" "${PGDATABASE}_small"

in_size() {	# small or large, ARGUMENT...: psql there
	local database=$PGDATABASE
	[ "$1" = large ] || database=${PGDATABASE}_small
	PGDATABASE=$database sql "${@:2}"
}

create() {	# SIZE WORKSPACES
	in_size "$1" -v workspaces="$2" -v chosen="$((few / 2))" <<'SQL'
SET client_min_messages = warning;
SET session_replication_role = replica;
INSERT INTO workspaces (id, slug, name)
    SELECT bench.id('workspace', n), 'workspace-' || n, 'Workspace ' || n FROM generate_series(0, :workspaces - 1) n;
INSERT INTO users (id, workspace_id, auth_user_id, email, role, plan, referral_code)
    SELECT bench.id('user', n), bench.id('workspace', n), bench.id('person', n), 'person@example.org', 'owner', 'enterprise', to_char(n, 'FM00000000')
      FROM generate_series(0, :workspaces - 1) n;
-- p_leads for each of p_workspaces, round robin, as tenants write: those of one lie all over the table.
-- Indexes are built afterwards, which takes less time.
CREATE PROCEDURE bench.fill(p_workspaces int, p_leads bigint) LANGUAGE plpgsql AS $$
DECLARE
    v_index record;
BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL maintenance_work_mem = '1GB';
    CREATE TEMP TABLE index ON COMMIT DROP AS
        SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
          FROM pg_index WHERE indrelid = 'leads'::regclass AND NOT indisunique;
    FOR v_index IN SELECT * FROM index LOOP
        EXECUTE 'DROP INDEX ' || v_index.name;
    END LOOP;
    INSERT INTO leads (id, workspace_id, company_data, created_at, enrichment_status, delivery_status)
        SELECT bench.id('lead', n), bench.id('workspace', n % p_workspaces), bench.company(n),
               timestamptz '2026-01-01' + n * interval '1 second', 'enriched', 'delivered'
          FROM generate_series(0, p_workspaces * p_leads - 1) n;
    FOR v_index IN SELECT * FROM index LOOP
        EXECUTE v_index.definition;
    END LOOP;
END
$$;
CREATE TABLE bench.chosen AS
    SELECT u.workspace_id, json_build_object('sub', u.auth_user_id, 'role', 'authenticated')::text AS claims
      FROM users u WHERE u.id = bench.id('user', :chosen);
GRANT SELECT ON bench.chosen TO PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA bench TO PUBLIC;
-- 200 of its ids and domains
SELECT bench.add(s.name, s.statement, 'authenticated', c.claims,
                 format('v_ids uuid[] := (SELECT array_agg(bench.id(''lead'', %2$s + n::bigint * %1$s)) FROM generate_series(0, 199) n); '
                        'v_domains text[] := (SELECT array_agg(''company'' || %2$s + n::bigint * %1$s || ''.example'') FROM generate_series(0, 199) n);',
                        :workspaces, :chosen))
  FROM bench.chosen c,
       (VALUES ('latest', 'SELECT * FROM public.leads ORDER BY created_at DESC LIMIT 20'),
               ('by_id', 'SELECT * FROM public.leads WHERE id = v_ids[i % 200 + 1]'),
               ('by_domain', 'SELECT * FROM public.leads WHERE public.lead_domain(company_data) = v_domains[i % 200 + 1]'),
               ('count', 'SELECT count(*) FROM public.leads'),
               ('unplanned', 'SELECT bench.unplanned()')) AS s (name, statement)
\g /dev/null
-- planned anew each time, as the simple protocol does
CREATE FUNCTION bench.unplanned() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT * FROM public.leads ORDER BY created_at DESC LIMIT 20';
END
$$;
GRANT EXECUTE ON FUNCTION bench.unplanned() TO PUBLIC;
-- Microseconds of 200 inserts of one lead, each in a transaction of its own.
CREATE TABLE bench.taken (us float8);
CREATE PROCEDURE bench.inserts() LANGUAGE plpgsql AS $$
DECLARE
    v_workspace uuid := (SELECT workspace_id FROM bench.chosen);
    v_start     timestamptz;
BEGIN
    TRUNCATE bench.taken;
    FOR n IN 1..200 LOOP
        v_start := clock_timestamp();
        INSERT INTO leads (workspace_id, company_data) VALUES (v_workspace, bench.company(1000000000 + n));
        INSERT INTO bench.taken VALUES (extract(epoch FROM clock_timestamp() - v_start) * 1e6);
        COMMIT;
    END LOOP;
    DELETE FROM leads WHERE workspace_id = v_workspace AND created_at > '2026-11-01';
END
$$;
SQL
}

subjects=(latest by_id by_domain count unplanned search)
measure() {	# LAYOUT: the least of every subject at both sizes, in files $W/LAYOUT.SIZE.SUBJECT
	local subject size
	for size in small large; do in_size "$size" -c 'VACUUM (ANALYZE) leads' -c CHECKPOINT; done
	for _ in $(seq "$(scaled 5 3)"); do
		for subject in "${subjects[@]}"; do
			for size in small large; do
				in_size "$size" -c "SELECT minimum FROM bench.race(ARRAY['$subject'], 40)" >>"$W/$1.$size.$subject"
			done
		done
		for size in small large; do
			in_size "$size" -c 'CALL bench.inserts()' -c 'SELECT percentile_cont(0.1) WITHIN GROUP (ORDER BY us) FROM bench.taken' >>"$W/$1.$size.insert"
		done
	done
}
least() { sort -g "$W/$1" | head -n 1; }

for size in small large; do
	[ "$size" = small ] && n=$few || n=$workspaces
	progress "${!size} leads"
	create "$size" "$n"
	in_size "$size" -c "SELECT bench.add('search', 'SELECT * FROM public.search_leads(''company '' || $((few / 2)) + i % 200 * $n)', 'authenticated', claims) FROM bench.chosen" >/dev/null
	in_size "$size" -c "CALL bench.fill($n, $per_workspace)"
done
measure plain
progress 'partitioning'
in_size small -c "SELECT partition_leads($parts)" >/dev/null
SECONDS=0
in_size large -c "SELECT partition_leads($parts)" >/dev/null
took=$SECONDS
measure parts
dropdb "${PGDATABASE}_small"

for layout in plain parts; do
	case $layout in
		plain) heading "One table: $large leads; the floor is the same with $small" ;;
		parts) heading "$parts partitions: $large leads; the floor is the same with $small" ;;
	esac
	for subject in "${subjects[@]}" insert; do
		case $subject in
			latest) text='latest 20 leads, prepared' ;;
			by_id) text='a lead by id, prepared' ;;
			by_domain) text='a lead by domain, prepared' ;;
			count) text='count of the 10,000 of the workspace, prepared' ;;
			unplanned) text='latest 20 leads, planned anew' ;;
			search) text='search_leads()' ;;
			insert) text='INSERT of one lead' ;;
		esac
		figure "$text" us "$(least "$layout.large.$subject")" "$(least "$layout.small.$subject")" 1.3
	done
done
heading "What partitions cost at $large leads; the floor is one table"
for subject in "${subjects[@]}" insert; do
	figure "  $subject" us "$(least "parts.large.$subject")" "$(least "plain.large.$subject")" -
done
figure "partition_leads() of $large leads" s "$took" - -
