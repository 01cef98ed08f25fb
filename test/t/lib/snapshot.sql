-- Everything in the catalog that a user can see, one line each, sorted, without OIDs and with attribute
-- numbers as ranks: what two databases must agree on to be the same.  It knows nothing of openinfo but the
-- extension's name, so that whatever a version brings is in it.
SET search_path = pg_catalog;

-- An ACL that is NULL means the default one; spelled out, so that both compare equal, and so does any order.
CREATE FUNCTION pg_temp.acl(acl aclitem[], kind "char", owner oid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(string_agg(format('%s:%s%s/%s',
                                      CASE WHEN a.grantee = 0 THEN 'PUBLIC'
                                           ELSE pg_get_userbyid(a.grantee)::text END,
                                      a.privilege_type, CASE WHEN a.is_grantable THEN '*' END,
                                          pg_get_userbyid(a.grantor)), ' '
                               ORDER BY pg_get_userbyid(a.grantee)::text COLLATE "C", a.privilege_type,
                                   a.grantor), 'nobody')
      FROM aclexplode(coalesce(acl, CASE kind WHEN ' ' THEN NULL ELSE acldefault(kind, owner) END)) a
$$;
CREATE VIEW pg_temp.relation AS
    SELECT c.*, c.oid::regclass::text AS name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';
CREATE VIEW pg_temp.member AS
    SELECT d.classid, d.objid, d.deptype
      FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
     WHERE d.deptype IN ('e', 'x') AND e.extname = 'openinfo';

SELECT line FROM (
    SELECT format('extension|%s|%s|%s|%s|%s', e.extname, e.extversion, e.extnamespace::regnamespace,
                  pg_get_userbyid(e.extowner),
                  coalesce(e.extconfig::regclass[]::text, '')) AS line
      FROM pg_extension e WHERE e.extname <> 'plpgsql'
    UNION ALL
    SELECT format('member|%s|%s|%s', m.deptype, i.type, i.identity)
      FROM pg_temp.member m, pg_identify_object(m.classid, m.objid, 0) i
    UNION ALL
    SELECT format('initial privileges|%s|%s|%s|%s', i.type, i.identity, p.privtype,
                  pg_temp.acl(p.initprivs, ' ', 0))
      FROM pg_init_privs p, pg_identify_object(p.classoid, p.objoid, p.objsubid) i
     WHERE p.objoid >= 16384
    UNION ALL
    SELECT format('schema|%s|%s|%s|%s', n.oid::regnamespace, pg_get_userbyid(n.nspowner),
                  pg_temp.acl(n.nspacl, 'n', n.nspowner),
                  obj_description(n.oid, 'pg_namespace'))
      FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT format('relation|%s|%s|%s|%s|rls %s, forced %s|%s|%s|%s|%s', c.relkind, c.name,
                  pg_get_userbyid(c.relowner), c.relpersistence,
                  c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.reloptions,
                  CASE WHEN c.relkind IN ('i', 'I') THEN ''
                       ELSE pg_temp.acl(c.relacl, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char",
                                        c.relowner) END,
                  obj_description(c.oid, 'pg_class'))
      FROM pg_temp.relation c
    UNION ALL
    SELECT format('view|%s|%s', c.name, pg_get_viewdef(c.oid)) FROM pg_temp.relation c
        WHERE c.relkind IN ('v', 'm')
    UNION ALL
    SELECT format('column|%s|%s|%s|%s|not null %s|%s%s%s|%s|%s|%s|%s', c.name,
                  row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
                      format_type(a.atttypid, a.atttypmod), a.attnotnull,
                  a.attgenerated, a.attidentity, pg_get_expr(d.adbin, d.adrelid),
                      nullif(a.attcollation, 0)::regcollation, a.attstorage,
                  pg_temp.acl(a.attacl, ' ', 0), col_description(c.oid, a.attnum))
      FROM pg_temp.relation c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE c.relkind NOT IN ('i', 'I')
    UNION ALL
    SELECT format('constraint|%s|%s|%s|valid %s|%s', c.name, k.conname, pg_get_constraintdef(k.oid),
                  k.convalidated, obj_description(k.oid, 'pg_constraint'))
      FROM pg_temp.relation c JOIN pg_constraint k ON k.conrelid = c.oid
    UNION ALL
    SELECT format('index|%s|valid %s|clustered %s', pg_get_indexdef(i.indexrelid), i.indisvalid,
                  i.indisclustered)
      FROM pg_temp.relation c JOIN pg_index i ON i.indrelid = c.oid
    UNION ALL
    SELECT format('trigger|%s|%s|%s', pg_get_triggerdef(t.oid), t.tgenabled,
                  obj_description(t.oid, 'pg_trigger'))
      FROM pg_temp.relation c JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT format('policy|%s|%s|%s|permissive %s|%s|using %s|check %s|%s', c.name, p.polname, p.polcmd,
                  p.polpermissive,
                  (SELECT string_agg(CASE WHEN r = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r)::text END, ', '
                                     ORDER BY pg_get_userbyid(r)::text COLLATE "C")
                      FROM unnest(p.polroles) r),
                  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
                      obj_description(p.oid, 'pg_policy'))
      FROM pg_temp.relation c JOIN pg_policy p ON p.polrelid = c.oid
    UNION ALL
    SELECT format('statistics|%s|%s', pg_get_statisticsobjdef(s.oid),
                  obj_description(s.oid, 'pg_statistic_ext'))
      FROM pg_temp.relation c JOIN pg_statistic_ext s ON s.stxrelid = c.oid
    UNION ALL
    SELECT format('routine|%s|%s|%s|%s|%s', p.oid::regprocedure, pg_get_userbyid(p.proowner),
                  CASE WHEN p.prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(p.oid) END,
                      pg_temp.acl(p.proacl, 'f', p.proowner), obj_description(p.oid, 'pg_proc'))
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT format('type|%s|%s|%s|%s|%s|%s', t.oid::regtype, t.typtype, pg_get_userbyid(t.typowner),
                  (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e
                   WHERE e.enumtypid = t.oid),
                  pg_temp.acl(t.typacl, 'T', t.typowner), obj_description(t.oid, 'pg_type'))
      FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND t.typelem = 0
       AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
    UNION ALL
    SELECT format('event trigger|%s|%s|%s|%s|%s', e.evtname, e.evtevent, e.evttags, e.evtenabled,
                  e.evtfoid::regprocedure) FROM pg_event_trigger e
    UNION ALL
    SELECT format('publication|%s|%s', p.pubname, t.schemaname || '.' || t.tablename)
      FROM pg_publication p LEFT JOIN pg_publication_tables t USING (pubname)
    ) AS lines
 ORDER BY line COLLATE "C";
