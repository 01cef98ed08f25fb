-- Two logins, because a request must not become a worker (docs/security.md, "Trust boundary"): "requests" for PostgREST,
-- "worker" for the application's own programs.  Run once, when the database is created.
\set ON_ERROR_STOP on
\getenv requests_password REQUESTS_PASSWORD
\getenv worker_password WORKER_PASSWORD

CREATE ROLE requests LOGIN NOINHERIT PASSWORD :'requests_password';
GRANT anon, authenticated TO requests;
CREATE ROLE worker LOGIN NOINHERIT PASSWORD :'worker_password';
GRANT service_role TO worker;

-- The header x-workspace-id chooses the workspace (docs/clients.md, "Choosing the workspace").
CREATE FUNCTION public.choose_workspace() RETURNS void LANGUAGE sql AS $$
    SELECT set_config('openinfo.workspace_id',
                      coalesce(current_setting('request.headers', true)::json ->> 'x-workspace-id', ''), true)
$$;
