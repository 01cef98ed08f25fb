\echo '== Leads are stored, enriched and delivered; an export expires'

CALL demo.sign_in('Bob');
\echo '-- A batch of 22: eighteen new companies, one known company, one that is in it twice,'
\echo '-- one without a name, and one that is not an object:'
SELECT company_data AS company
  FROM leads WHERE lead_domain(company_data) IS NOT NULL ORDER BY created_at, id LIMIT 1 \gset
SELECT count(*) AS before FROM leads \gset
SELECT total_leads_generated AS counted FROM queries WHERE id = demo.query_of('north') \gset
SELECT jsonb_agg(company_data) || :'company'::jsonb || '{"name": "New 18", "domain": " NEW-18.example "}'
       || '{"domain": "nameless.example"}' || '"no object"' AS batch
  FROM (SELECT jsonb_build_object('name', 'New ' || n, 'domain', 'new-' || n || '.example') AS company_data
          FROM generate_series(1, 18) n) c \gset
SELECT * FROM ingest_leads(demo.query_of('north'), :'batch') \gset
SELECT :inserted AS inserted, :skipped AS skipped;
SELECT demo.claim(:inserted = 18 AND :skipped = 4 AND (SELECT count(*) FROM leads) = :before + 18
                  AND (SELECT total_leads_generated FROM queries WHERE id = demo.query_of('north'))
                      = :counted + 18,
                  'eighteen are new, and counted') \gset
\echo '-- An index finds a lead by its domain, under row-level security too:'
SELECT company_data ->> 'name' AS name, enrichment_status, delivery_status
  FROM leads WHERE lead_domain(company_data) = 'new-18.example';

CALL demo.sign_out();
SET ROLE service_role;
\echo '-- Two workers claim; no lead goes to both. The first reports, the second dies, and when its lease has'
\echo '-- ended (it is moved back here) another gets the lead:'
SELECT id AS first FROM get_leads_pending_enrichment(1) \gset
SELECT id AS second FROM get_leads_pending_enrichment(1) \gset
SELECT demo.claim(:'first' <> :'second', 'each lead has one worker') \gset
SELECT update_lead_enrichment(:'first', 'enriched', '{"title": "Chief Technology Officer"}') \gset
UPDATE leads SET enrichment_lease_until = enrichment_lease_until - interval '15 minutes' WHERE id = :'second';
SELECT id = :'second' AS comes_back, attempts FROM get_leads_pending_enrichment(1);
\echo '-- What is enriched can be delivered; a late report of failure does not undo it:'
SELECT update_lead_delivery(id, 'delivered') FROM get_leads_pending_delivery() WHERE id = :'first' \gset
SELECT update_lead_delivery(:'first', 'failed', 'late') \gset
SELECT enrichment_status, delivery_status, contact_data FROM leads WHERE id = :'first';
SELECT demo.claim((SELECT delivery_status = 'delivered' FROM leads WHERE id = :'first')
                  AND (SELECT enrichment_status = 'enriching' AND enrichment_attempts = 2
                         FROM leads WHERE id = :'second'),
                  'one is delivered, one is worked on again') \gset

CALL demo.sign_in('Bob');
INSERT INTO export_jobs (export_format) VALUES ('csv') RETURNING id AS export \gset
CALL demo.sign_out();
SET ROLE service_role;
\echo '-- Eight days after an export its job is deleted, and its file is listed for the file store to delete:'
UPDATE export_jobs
   SET status = 'completed', file_url = 'store://north/leads.csv', completed_at = now() - interval '8 days'
 WHERE id = :'export';
SELECT cleanup_expired_exports() AS removed \gset
SELECT file_url, date_trunc('day', now() - expired_at) AS since FROM expired_export_files;
SELECT demo.claim(:removed = 1 AND NOT EXISTS (SELECT FROM export_jobs WHERE id = :'export'),
                  'the job is gone') \gset

CALL demo.sign_in('Bob');
\echo '-- All of it in one pass, for the dashboard:'
SELECT key, value FROM jsonb_each(get_workspace_stats() #- '{leads,by_status}')
UNION ALL
SELECT key, value FROM jsonb_each(get_workspace_stats() #> '{leads,by_status}');
SELECT demo.claim((get_workspace_stats() #>> '{leads,total}')::int = (SELECT count(*) FROM leads),
                  'the numbers are those of the tables') \gset
CALL demo.sign_out();
