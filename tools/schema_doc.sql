-- docs/schema.md, from the catalog of a database that has nothing but openinfo: "make docs" writes it,
-- test/t/schema_doc.pl sees that it is current.  Everything is sorted by name and written alike by every
-- supported PostgreSQL.
\set ON_ERROR_STOP on
\set QUIET on
\pset format unaligned
\pset tuples_only on
\pset null ''
SET client_min_messages = warning;
SELECT extnamespace::regnamespace AS schema FROM pg_extension WHERE extname = 'openinfo' \gset
SET search_path = :schema;

-- Text for a cell of a table.
CREATE FUNCTION pg_temp.cell(p text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce(replace(btrim(regexp_replace(p, '\s+', ' ', 'g')), '|', '\|'), '') $$;
CREATE FUNCTION pg_temp.code(p text) RETURNS text LANGUAGE sql AS $$
    SELECT coalesce('`' || nullif(pg_temp.cell(p), '') || '`', '') $$;
CREATE FUNCTION pg_temp.short(p text) RETURNS text LANGUAGE sql AS $$
    SELECT replace(replace(replace(p, 'timestamp with time zone', 'timestamptz'), 'double precision',
                           'float8'), 'character varying', 'varchar') $$;
CREATE FUNCTION pg_temp.columns(p_relation oid, p_numbers int2[]) RETURNS text[] LANGUAGE sql AS $$
    SELECT array_agg(a.attname::text ORDER BY n.position)
        FROM unnest(p_numbers) WITH ORDINALITY n (number, position)
      JOIN pg_attribute a ON a.attrelid = p_relation AND a.attnum = n.number $$;

CREATE VIEW pg_temp.relation AS
    SELECT c.oid, c.relname::text AS name, c.relkind, obj_description(c.oid, 'pg_class') AS comment
      FROM pg_class c WHERE c.relnamespace = :'schema'::regnamespace AND c.relkind IN ('r', 'p', 'v');
CREATE VIEW pg_temp.col AS
    SELECT r.oid AS relation, a.attnum, a.attname::text AS name,
        pg_temp.short(format_type(a.atttypid, a.atttypmod)) AS type, a.attnotnull, a.attgenerated,
           pg_get_expr(d.adbin, d.adrelid) AS otherwise, col_description(r.oid, a.attnum) AS comment
      FROM pg_temp.relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
          AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum;
CREATE VIEW pg_temp.fkey AS
    SELECT r.oid AS relation, r.name, f.name AS referred, k.conkey,
        pg_temp.columns(r.oid, k.conkey) AS columns,
        pg_temp.columns(k.confrelid, k.confkey) AS referred_columns,
           CASE k.confdeltype WHEN 'c' THEN 'cascade' WHEN 'r' THEN 'restrict' WHEN 'n' THEN 'set null'
                WHEN 'd' THEN 'set default' ELSE 'no action' END AS on_delete,
           obj_description(k.oid, 'pg_constraint') AS comment
      FROM pg_temp.relation r JOIN pg_constraint k ON k.conrelid = r.oid AND k.contype = 'f'
          JOIN pg_temp.relation f ON f.oid = k.confrelid;

\qecho '# The schema of openinfo'
\qecho
\qecho 'Generated from the catalog of a new installation by `make docs`: do not edit it by hand. What tables'
\qecho 'and functions are for is in [reference.md](reference.md).'
\qecho
\qecho '- [Diagram](#diagram)'
\qecho '- [Tables](#tables)'
\qecho '- [Views](#views)'
\qecho '- [Enum types](#enum-types)'
\qecho '- [Functions](#functions)'
\qecho
\qecho '## Diagram'
\qecho
\qecho 'Keys alone. Left out: `created_by`, which refers to `users` wherever it is, but on the global tables.'
\qecho 'As a picture: [schema.svg](schema.svg).'
\qecho
\qecho '```mermaid'
\qecho 'erDiagram'

-- One on the left when the reference must be there; one on the right when it is unique.
SELECT format('    %s %s--%s %s : "%s"', f.referred,
              CASE WHEN (SELECT bool_and(c.attnotnull) FROM pg_temp.col c
                         WHERE c.relation = f.relation AND c.attnum = ANY (f.conkey)) THEN '||' ELSE '|o' END,
              CASE WHEN EXISTS (SELECT FROM pg_index i
                                WHERE i.indrelid = f.relation AND i.indisunique AND i.indpred IS NULL
                  AND i.indexprs IS NULL AND i.indkey::int2[] <@ f.conkey) THEN 'o|' ELSE 'o{' END,
              f.name, array_to_string(CASE WHEN cardinality(f.columns) > 1 THEN array_remove(f.columns,
                      'workspace_id') ELSE f.columns END, ', '))
  FROM pg_temp.fkey f WHERE NOT 'created_by' = ANY (f.columns)
 ORDER BY f.referred COLLATE "C", f.name COLLATE "C", f.columns::text COLLATE "C";

SELECT format(E'    %s {\n%s    }', r.name,
              (SELECT string_agg(format(E'        %s %s%s\n', c.type, c.name,
                                        ' ' || nullif(concat_ws(', ',
                                            CASE WHEN k.part_of_primary THEN 'PK' END,
                                            CASE WHEN k.refers THEN 'FK' END,
                                            CASE WHEN k.alone_unique THEN 'UK' END), '')), ''
                                            ORDER BY c.attnum)
                 FROM pg_temp.col c
                CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_index i
                    WHERE i.indrelid = r.oid AND i.indisprimary
                    AND c.attnum = ANY (i.indkey::int2[])) AS part_of_primary,
                                           EXISTS (SELECT FROM pg_index i
                                               WHERE i.indrelid = r.oid AND i.indisunique
                                               AND NOT i.indisprimary AND i.indpred IS NULL
                                               AND i.indkey::text = c.attnum::text) AS alone_unique,
                                           EXISTS (SELECT FROM pg_temp.fkey f
                                               WHERE f.relation = r.oid AND c.name = ANY (f.columns)
                                               AND NOT 'created_by' = ANY (f.columns)) AS refers) k
                WHERE c.relation = r.oid AND (k.part_of_primary OR k.alone_unique OR k.refers)))
  FROM pg_temp.relation r WHERE r.relkind <> 'v' ORDER BY r.name COLLATE "C";
\qecho '```'
\qecho
\qecho '## Tables'

SELECT format(E'\n### %s\n\n%s.\n\n| column | type | null | default | meaning |\n|---|---|---|---|---|\n%s',
              r.name, rtrim(pg_temp.cell(r.comment), '.'),
              (SELECT string_agg(format('| %s | %s | %s | %s | %s |', c.name, c.type,
                                        CASE WHEN c.attnotnull THEN 'no' ELSE 'yes' END,
                                        CASE WHEN c.attgenerated <> '' THEN 'generated: ' ELSE '' END
                                            || pg_temp.code(c.otherwise), pg_temp.cell(c.comment)), E'\n'
                                            ORDER BY c.attnum)
                 FROM pg_temp.col c WHERE c.relation = r.oid))
    || coalesce(E'\n\n| reference | to | on delete | meaning |\n|---|---|---|---|\n' ||
              (SELECT string_agg(format('| %s | %s (%s) | %s | %s |', array_to_string(f.columns, ', '),
                                        f.referred, array_to_string(f.referred_columns, ', '), f.on_delete,
                  pg_temp.cell(f.comment)),
                                 E'\n' ORDER BY f.columns::text COLLATE "C", f.referred COLLATE "C")
                                     FROM pg_temp.fkey f WHERE f.relation = r.oid), '')
    || coalesce(E'\n\n| index | on | meaning |\n|---|---|---|\n' ||
              (SELECT string_agg(format('| %s | %s%s | %s |', x.relname,
                                        CASE WHEN i.indisunique THEN 'unique ' ELSE '' END,
                                        pg_temp.code(replace(substring(pg_get_indexdef(i.indexrelid)
                                            FROM ' USING (.*)$'), :'schema' || '.', '')),
                                            pg_temp.cell(obj_description(x.oid, 'pg_class'))), E'\n'
                                            ORDER BY x.relname COLLATE "C")
                 FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = r.oid), '')
    || coalesce(E'\n\n| check | meaning |\n|---|---|\n' ||
              (SELECT string_agg(format('| %s | %s |', k.conname,
                                        pg_temp.cell(obj_description(k.oid, 'pg_constraint'))), E'\n'
                  ORDER BY k.conname COLLATE "C")
                 FROM pg_constraint k WHERE k.conrelid = r.oid AND k.contype = 'c'), '')
    || coalesce(E'\n\n| policy | for | to | meaning |\n|---|---|---|---|\n' ||
              (SELECT string_agg(format('| %s | %s | %s | %s |', p.polname,
                                        CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert'
                                             WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
                                        (SELECT string_agg(CASE g WHEN 0 THEN 'public'
                                            ELSE pg_get_userbyid(g)::text END, ', '
                                            ORDER BY pg_get_userbyid(g)::text COLLATE "C")
                                            FROM unnest(p.polroles) g),
                                        pg_temp.cell(obj_description(p.oid, 'pg_policy'))), E'\n'
                                            ORDER BY p.polname COLLATE "C")
                 FROM pg_policy p WHERE p.polrelid = r.oid), '')
    || coalesce(E'\n\n| trigger | runs | meaning |\n|---|---|---|\n' ||
              (SELECT string_agg(format('| %s | %s | %s |', g.tgname, p.proname,
                                        pg_temp.cell(obj_description(g.oid, 'pg_trigger'))), E'\n'
                  ORDER BY g.tgname COLLATE "C")
                 FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
                     WHERE g.tgrelid = r.oid AND NOT g.tgisinternal), '')
  FROM pg_temp.relation r WHERE r.relkind <> 'v' ORDER BY r.name COLLATE "C";

\qecho
\qecho '## Views'
\qecho
\qecho 'For service_role and openinfo_monitor.'
SELECT format(E'\n### %s\n\n%s.\n\n| column | type | meaning |\n|---|---|---|\n%s', r.name,
              rtrim(pg_temp.cell(r.comment), '.'),
              (SELECT string_agg(format('| %s | %s | %s |', c.name, c.type, pg_temp.cell(c.comment)), E'\n'
                                 ORDER BY c.attnum) FROM pg_temp.col c WHERE c.relation = r.oid))
  FROM pg_temp.relation r WHERE r.relkind = 'v' ORDER BY r.name COLLATE "C";

\qecho
\qecho '## Enum types'
\qecho
\qecho '| type | labels | meaning |'
\qecho '|---|---|---|'
SELECT format('| %s | %s | %s |', t.typname, (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
    FROM pg_enum e WHERE e.enumtypid = t.oid), pg_temp.cell(obj_description(t.oid, 'pg_type')))
  FROM pg_type t WHERE t.typnamespace = :'schema'::regnamespace AND t.typtype = 'e'
      ORDER BY t.typname COLLATE "C";

\qecho
\qecho '## Functions'

SELECT format(E'\n### %s\n\n| function | returns | does |\n|---|---|---|\n%s', g.title,
              string_agg(format('| %s | %s | %s |',
                                pg_temp.code(f.proname || '('
                  || pg_temp.short(pg_get_function_arguments(f.oid)) || ')'),
                  pg_temp.code(pg_temp.short(pg_get_function_result(f.oid))),
                                pg_temp.cell(obj_description(f.oid, 'pg_proc'))), E'\n'
                                    ORDER BY f.proname COLLATE "C", f.oid))
  FROM (VALUES (1, 'For authenticated and service_role'), (2, 'For service_role alone'),
        (3, 'For the owner of the extension'), (4, 'Triggers')) g (n, title)
  JOIN (SELECT p.oid, p.proname,
               CASE WHEN p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype) THEN 4
                    WHEN has_function_privilege('authenticated', p.oid, 'EXECUTE') THEN 1
                    WHEN has_function_privilege('service_role', p.oid, 'EXECUTE') THEN 2 ELSE 3 END AS n
          FROM pg_proc p WHERE p.pronamespace = :'schema'::regnamespace) f USING (n)
 GROUP BY g.n, g.title ORDER BY g.n;
