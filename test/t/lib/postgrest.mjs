// A browser's session with the demonstration's data: the client of supabase-js, PostgREST, JWTs of three members.
// Run by test/t/postgrest.pl, which gives URL, WORKERS, SECRET and EMBEDDED and turns each line into a test.
import { createHmac } from 'node:crypto';
import { PostgrestClient } from '@supabase/postgrest-js';

const { URL: url, WORKERS: workers, SECRET: secret, EMBEDDED: embedded } = process.env;

// ---------------------------------------------------------------------------------------------------------------

const report = (good, name, got) => {
	console.log(`${good ? 'ok' : 'not ok'} - ${name}`);
	if (!good) console.log(`# got: ${JSON.stringify(got)}`);
};
const is = (got, expected, name) => report(JSON.stringify(got) === JSON.stringify(expected), name, got);
const ok = (good, name, got) => report(Boolean(good), name, got);

// An answer that is an error: HTTP status and SQLSTATE.
const refused = (answer, status, code, name) => is([answer.status, answer.error?.code], [status, code], name);

const base64url = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const jwt = (claims, key = secret) => {
	const text = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
	return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
};
const client = (token, headers = {}, server = url) => new PostgrestClient(server, { headers: { ...(token && { Authorization: `Bearer ${token}` }), ...headers } });

const soon = Math.floor(Date.now() / 1000) + 3600;
const person = (letter) => `0${letter}000000-0000-4000-8000-00000000000${letter}`;
const member = (letter, more = {}) => jwt({ role: 'authenticated', sub: person(letter), exp: soon, ...more });

const ann = client(member('a')); // owner of North Labs, member of South Sales
const bob = client(member('b')); // member of North Labs
const cleo = client(member('c')); // owner of South Sales
const nobody = client(jwt({ role: 'authenticated', exp: soon }));
const anon = client();
const service = client(jwt({ role: 'service_role', exp: soon }), {}, workers);

const one = async (query) => (await query).data;
const north = await one(bob.rpc('get_user_workspace_id'));
const south = await one(cleo.rpc('get_user_workspace_id'));
ok(north && south && north !== south, 'two members, two workspaces', [north, south]);

// --------------------------------------------------------------------------------------------------------- who calls

refused(await anon.from('leads').select('id'), 401, '42501', 'without a JWT no table');
refused(await client(jwt({ role: 'service_role', exp: soon })).from('leads').select('id'), 403, '42501', 'requests cannot become the service');
refused(await client(member('b'), {}, workers).from('leads').select('id'), 403, '42501', 'nor workers a member');
refused(await anon.rpc('get_user_id'), 401, '42501', 'and no function');
is([(await client(jwt({ role: 'authenticated', sub: person('b') }, 'x'.repeat(40))).from('leads').select('id')).status,
	(await client(jwt({ role: 'authenticated', sub: person('b'), exp: soon - 7200 })).from('leads').select('id')).status], [401, 401],
	'a forged JWT and an expired one are refused');
is([(await nobody.from('leads').select('id')).data, await one(nobody.rpc('get_user_id'))], [[], null], 'a JWT without a person sees nothing');
refused(await nobody.rpc('create_workspace', { p_slug: 'none', p_name: 'None', p_email: 'x@y.example' }), 401, 'PT401', 'and creates nothing');
refused(await client(member('b', { sub: 'bob' })).from('leads').select('id'), 400, '22023', 'a person that is no UUID is an error');

// Ann is in two workspaces: the oldest, the one of a claim, the one of a header.
is([await one(ann.rpc('get_user_workspace_id')), await one(client(member('a', { app_metadata: { workspace_id: south } })).rpc('get_user_workspace_id')),
	await one(client(member('a'), { 'X-Workspace-Id': south }).rpc('get_user_workspace_id'))], [north, south, south], 'the active workspace: oldest, by claim, by header');
is((await client(member('b'), { 'X-Workspace-Id': south }).from('leads').select('id')).data, [], 'a workspace that one is not a member of shows nothing');

// ------------------------------------------------------------------------------------------------------------ select

const leads = await bob.from('leads').select('id, workspace_id, company_data->>name, queries(name, global_topics(topic)), workspaces(slug)', { count: 'exact' }).order('created_at').limit(5);
is([leads.status, leads.data?.length, leads.count > 5], [206, 5, true], 'leads with what they refer to, counted');
ok(leads.data?.every((lead) => lead.workspace_id === north && lead.name && lead.queries.global_topics.topic === 'Machine Learning' && lead.workspaces.slug === 'north'),
	'each lead with its query, its topic and its workspace', leads);
const queries = await cleo.from('queries').select('name, leads(count), created_by, users(full_name)').single();
ok(queries.data?.leads[0].count > 0 && queries.data.users.full_name === 'Cleo', 'a query with the number of its leads and its author', queries);
// as docs/clients.md has it
for (const [table, embed] of embedded.split('\n').map((line) => line.split(' '))) {
	const answer = await ann.from(table).select(embed);
	is([answer.status, answer.error], [200, null], `${table}: select=${embed}`);
}
is((await ann.from('users').select('workspaces(name)')).status, 300, 'without the name of the constraint it is ambiguous');
ok((await bob.from('leads').select('id').eq('company_data->>domain', 'siemens.com')).status === 200, 'a filter within jsonb');
const computed = await bob.from('leads').select('id, lead_domain').not('lead_domain', 'is', null).order('lead_domain').limit(1).single();
is((await bob.from('leads').select('id').eq('lead_domain', computed.data.lead_domain)).data, [{ id: computed.data.id }], 'a computed field is selected, ordered and filtered by');
is((await ann.from('users').select('email, role').order('email')).data, [{ email: 'ann@north.example', role: 'owner' }, { email: 'bob@north.example', role: 'member' }], 'members see one another');
is((await bob.from('plans').select('name, daily_credits').eq('name', 'free').single()).data, { name: 'free', daily_credits: 3 }, 'and the plans');

// -------------------------------------------------------------------------------------------- insert, update, delete

const topic = await one(bob.from('global_topics').select('id').eq('topic', 'Cloud Migration').single());
const made = await bob.from('queries').insert({ topic_id: topic.id, name: 'Later', status: 'paused' }).select('workspace_id, created_by, status').single();
is([made.status, made.data], [201, { workspace_id: north, created_by: await one(bob.rpc('get_user_id')), status: 'paused' }], 'an insert is stamped with workspace and author');
const full = await bob.from('queries').insert({ topic_id: topic.id, name: 'One too many' });
refused(full, 402, 'PT402', 'the limit of the plan is 402 Payment Required');
is(JSON.parse(full.error.details), { plan: 'free', limit: 1, used: 1, needed: 1 }, 'whose details are JSON');
ok(full.error.hint, 'with a hint', full.error);
refused(await bob.from('queries').update({ status: 'active' }).eq('name', 'Later'), 402, 'PT402', 'also by an update');
refused(await bob.from('queries').insert({ topic_id: topic.id, name: 'There', workspace_id: south }), 403, '42501', 'a workspace cannot be written');
refused(await bob.from('users').update({ role: 'owner' }).eq('email', 'bob@north.example'), 403, '42501', 'nor one\'s own role');
is((await bob.from('users').update({ full_name: 'Bob' }).eq('email', 'bob@north.example').select('full_name').single()).data, { full_name: 'Bob' }, 'but one\'s own name');
refused(await bob.from('leads').insert({ company_data: { domain: 'none.example' } }), 400, '23514', 'a check constraint is 400');
refused(await bob.from('leads').insert([{ company_data: { name: 'Twice', domain: 'twice.example' } }, { company_data: { name: 'Twice', domain: 'TWICE.example ' } }]), 409, '23505', 'a unique one is 409');

const saved = await bob.from('saved_searches').insert([{ name: 'First' }, { name: 'Second', filters: { industry: ['software'] } }], { defaultToNull: false }).select('id, name').order('name');
is([saved.status, saved.data?.length], [201, 2], 'two rows in one insert');
is((await bob.from('saved_searches').update({ use_count: 3 }).eq('id', saved.data[0].id).select('use_count').single()).data, { use_count: 3 }, 'update');
is((await bob.from('saved_searches').delete().eq('id', saved.data[0].id).select('name')).data, [{ name: 'First' }], 'delete');
is((await bob.from('saved_searches').upsert({ name: 'Third' }, { ignoreDuplicates: true }).select('name')).data, [{ name: 'Third' }], 'upsert that skips what is there');
is((await bob.from('saved_searches').upsert({ name: 'Fourth' }).select('name')).data, [{ name: 'Fourth' }], 'upsert that merges, without an id');
refused(await bob.from('saved_searches').upsert({ id: saved.data[1].id, name: 'Fifth' }), 403, '42501', 'by id it is refused: nobody chooses ids');
const volume = async (current_volume) => (await service.from('global_topics').upsert({ topic: 'Upserted', category: 'other', current_volume }, { onConflict: 'topic' }).select('id, current_volume').single()).data;
const [before, after] = [await volume(1), await volume(2)];
ok(before.id === after.id && after.current_volume === 2, 'the backend upserts topics by their text', [before, after]);

// --------------------------------------------------------------------------------------------------------------- rpc

is((await bob.rpc('user_has_role', { required_role: 'member' })).data, true, 'a function with a named argument');
const balance = await bob.rpc('get_credit_balance').single();
is([balance.data.credits_limit, balance.data.credits_used, balance.data.credits_remaining], [3, 0, 3], 'a function that returns a row');
const me = await one(bob.rpc('get_user_id'));
const spend = (who, more = {}) => who.rpc('record_credit_usage', { p_workspace_id: north, p_user_id: me, p_action_type: 'email_reveal', ...more });
const first = await spend(bob, { p_idempotency_key: 'click' });
is([first.status, (await spend(bob, { p_idempotency_key: 'click' })).data], [200, first.data], 'a repeated click charges once');
refused(await spend(bob, { p_credits_used: -1 }), 400, '22023', 'negative credits');
refused(await spend(cleo), 403, '42501', 'somebody else\'s credits');
// twenty tabs at once, two credits left
const tabs = await Promise.all(Array.from({ length: 20 }, () => spend(bob)));
is([tabs.filter((tab) => tab.status === 200).length, tabs.filter((tab) => tab.status === 402 && tab.error.code === 'PT402').length], [2, 18], 'of twenty at once two get the two credits, the others 402');
is(JSON.parse(tabs.find((tab) => tab.error).error.details), { plan: 'free', limit: 3, used: 3, needed: 1 }, 'and are told how much there was');
is((await bob.rpc('check_credits_available')).data, false, 'none is left');
refused(await bob.rpc('reset_daily_credits'), 403, '42501', 'a member cannot have them back');
refused(await bob.rpc('get_active_queries_for_processing'), 403, '42501', 'nor do the backend\'s work');
refused(await bob.rpc('add_member', { p_workspace_id: north, p_auth_user_id: person('d'), p_email: 'dan@north.example' }), 403, '42501', 'nor the owner\'s');
ok((await ann.rpc('add_member', { p_workspace_id: north, p_auth_user_id: person('d'), p_email: 'dan@north.example' })).data, 'which an owner does');
const found = await bob.rpc('search_topics', { search_query: 'machine learn', result_limit: 3 });
is(found.data?.[0]?.topic, 'Machine Learning', 'search while typing');
is((await bob.rpc('get_workspace_stats')).status, 200, 'statistics');

// ------------------------------------------------------------------------------------------------------------- teams

// Ann, of two workspaces, switches between them: what is listed, and with the header what is active.
const mine = await ann.rpc('get_my_workspaces');
is(mine.data?.map((w) => [w.slug, w.role, w.plan, w.is_active]), [['north', 'owner', 'free', true], ['south', 'member', 'free', false]], 'the workspaces of a person');
const annThere = client(member('a'), { 'X-Workspace-Id': mine.data[1].workspace_id });
is((await annThere.rpc('get_my_workspaces')).data.map((w) => w.is_active), [false, true], 'the header switches');
is([...new Set((await annThere.from('leads').select('workspace_id')).data.map((row) => row.workspace_id))], [south], 'and shows the rows of the other');
is((await annThere.from('invitations').select('id')).data, [], 'where a member sees no invitations');
refused(await annThere.rpc('invite_member', { p_email: 'eve@people.example' }), 403, '42501', 'and invites nobody');
refused(await nobody.rpc('get_my_workspaces'), 401, 'PT401', 'nobody has none');

const invited = await ann.rpc('invite_member', { p_email: 'eve@people.example', p_role: 'admin' }).single();
ok(invited.status === 200 && /^[\w-]{54}$/.test(invited.data.token), 'an owner invites an address', invited);
is((await ann.from('invitations').select('email, role').is('accepted_at', null).is('revoked_at', null).gt('expires_at', new Date().toISOString())).data,
	[{ email: 'eve@people.example', role: 'admin' }], 'sees whom they invited');
is(JSON.stringify(await ann.from('invitations').select()).includes(invited.data.token), false, 'and not the token');
const eve = client(member('e'));
refused(await anon.rpc('accept_invitation', { p_token: invited.data.token }), 401, '42501', 'without a JWT nobody accepts');
refused(await eve.rpc('accept_invitation', { p_token: `${invited.data.token}x` }), 400, '22023', 'nor with another token');
const joined = await eve.rpc('accept_invitation', { p_token: invited.data.token, p_full_name: 'Eve' });
is([joined.status, joined.data], [200, north], 'the invited person joins');
is((await eve.rpc('accept_invitation', { p_token: invited.data.token })).data, north, 'once or twice');
refused(await cleo.rpc('accept_invitation', { p_token: invited.data.token }), 400, '22023', 'nobody else does');
is((await eve.from('users').select('email, full_name, role').eq('id', await one(eve.rpc('get_user_id'))).single()).data,
	{ email: 'eve@people.example', full_name: 'Eve', role: 'admin' }, 'and is what the invitation says');
refused(await ann.rpc('invite_member', { p_email: 'EVE@people.example' }), 409, '23505', 'the address is a member\'s now');

// four members: the fifth seat is the last one of the plan
const fay = await eve.rpc('invite_member', { p_email: 'fay@people.example' }).single();
const noSeat = await eve.rpc('invite_member', { p_email: 'gus@people.example' });
refused(noSeat, 402, 'PT402', 'a seat that is not there is 402');
is(JSON.parse(noSeat.error.details), { plan: 'free', limit: 5, used: 5, needed: 1 }, 'whose details are JSON');
is((await service.from('plans').update({ members: 4 }).eq('name', 'free')).status, 204, 'the plan shrinks');
const noRoom = await client(member('f')).rpc('accept_invitation', { p_token: fay.data.token });
refused(noRoom, 402, 'PT402', 'who accepts then is told 402');
is(noRoom.error.details, null, 'and nothing of the plan');
await service.from('plans').update({ members: 5 }).eq('name', 'free');
is((await eve.rpc('revoke_invitation', { p_invitation_id: fay.data.invitation_id })).status, 204, 'an invitation is revoked');
refused(await client(member('f')).rpc('accept_invitation', { p_token: fay.data.token }), 400, '22023', 'and is none any more');
is((await eve.rpc('leave_workspace')).status, 204, 'Eve leaves');
refused(await eve.rpc('accept_invitation', { p_token: invited.data.token }), 400, '22023', 'and does not come back');

const lab = await eve.rpc('create_workspace', { p_slug: 'lab', p_name: 'Lab', p_email: 'eve@lab.example' });
refused(await eve.rpc('delete_workspace', { p_slug: 'north' }), 400, '22023', 'an owner deletes by the right slug only');
is([lab.status, (await eve.rpc('delete_workspace', { p_slug: 'lab' })).status, (await eve.rpc('get_my_workspaces')).data], [200, 204, []], 'and then the workspace is gone');

// ------------------------------------------------------------------------------------------------------------ sealed

const dan = await ann.from('people_search_results').insert({ person_data: { full_name: 'Dan Roe', email: 'dan@roe.example', title: 'CTO' } }).select().single();
ok(dan.status === 201 && dan.data.person_data.title === 'CTO' && !JSON.stringify(dan).includes('roe.example'), 'an e-mail that is not paid for does not come back', dan);
refused(await ann.from('sealed_contacts').select('sealed'), 403, '42501', 'nor from where it is kept');
refused(await service.from('sealed_contacts').select('sealed'), 403, '42501', 'not even to the backend');
const reveal = await ann.rpc('reveal_person_email', { p_result_id: dan.data.id });
is([reveal.data?.email, reveal.data?.already_revealed, reveal.data?.credits_used], ['dan@roe.example', false, 1], 'a credit reveals it');
refused(await bob.rpc('reveal_person_email', { p_result_id: dan.data.id }), 200, undefined, 'what is revealed is free for the colleague who has no credit left');
const hook = await ann.from('integrations').insert({ type: 'webhook', name: 'Hook', config: { channel: '#north', url: 'https://hook.example', token: 'secret-of-north' } }).select().single();
ok(hook.status === 201 && hook.data.config.channel === '#north' && !JSON.stringify(hook).includes('secret-of-north'), 'a secret does not come back', hook);
is((await ann.rpc('get_integration_config', { p_integration_id: hook.data.id })).data, { url: 'https://hook.example', token: 'secret-of-north', channel: '#north' }, 'but to the owner who asks for it');
refused(await bob.from('integrations').insert({ type: 'slack', name: 'Mine', config: {} }), 403, '42501', 'a member adds none');

// --------------------------------------------------------------------------------------------------------- isolation

// Every table that PostgREST offers to a member: what the API itself lists.
const api = await (await fetch(url, { headers: { Authorization: `Bearer ${member('b')}`, Accept: 'application/openapi+json' } })).json();
const tables = Object.keys(api.definitions).sort();
ok(tables.length >= 16 && tables.includes('leads'), `the API offers ${tables.length} tables`, tables);
for (const table of tables) {
	const tenant = api.definitions[table].properties.workspace_id;
	if (!tenant) continue;
	const rows = await bob.from(table).select('workspace_id');
	if (rows.status === 403) { is(table, rows.error.code === '42501' ? table : rows.error, `${table}: not for members`); continue; }
	ok(rows.status === 200 && rows.data.every((row) => row.workspace_id === north), `${table}: rows of their own workspace only`, rows);
	is((await bob.from(table).select('workspace_id').eq('workspace_id', south)).data, [], `${table}: none when the other is asked for`);
}
const theirs = (await service.from('leads').select('id').eq('workspace_id', south).limit(1).single()).data.id;
is((await bob.from('leads').select('id').eq('id', theirs)).data, [], 'a lead of the other workspace, by id: not to be seen');
is((await bob.from('leads').update({ company_data: { name: 'Mine' } }).eq('id', theirs).select('id')).data, [], 'nor changed');
is((await bob.from('leads').delete().eq('id', theirs).select('id')).data, [], 'nor deleted');
const theirQuery = (await service.from('queries').select('id').eq('workspace_id', south).limit(1).single()).data.id;
refused(await bob.from('leads').insert({ query_id: theirQuery, company_data: { name: 'Pointing' } }), 409, '23503', 'nor pointed at');
is(Boolean((await service.from('leads').select('id').eq('id', theirs).single()).data), true, 'it is still there');
const both = await service.from('leads').select('workspace_id');
is([...new Set(both.data.map((row) => row.workspace_id))].sort(), [north, south].sort(), 'the backend sees both workspaces');

// ---------------------------------------------------------------------------------------- the page of docs/clients.md

const page = await import('./page.mjs');
const ida = page.connect(url, (await import('./jwt.mjs')).jwt('0f000000-0000-4000-8000-00000000000f', secret));
is((await page.workspace(ida)).data, null, 'somebody new has no workspace');
const east = (await page.signUp(ida, 'east', 'East', 'ida@east.example')).data;
is((await page.workspace(ida)).data, east, 'and signs up');
const [choice] = (await page.complete(ida, 'machine lea')).data;
const search = await page.keepSearching(ida, choice.id);
is(search.data?.name, 'Machine Learning', 'a completed topic becomes a query');
is((await page.addLead(ida, search.data.id, { name: 'Siemens' })).status, 201, 'a lead is added');
is((await page.leads(ida)).data.map(({ company_data, queries }) => [company_data.name, queries.global_topics.topic]), [['Siemens', 'Machine Learning']], 'and seen with its topic');
for (const name of ['Ada', 'Bea', 'Cay', 'Dee']) await page.addPerson(ida, { full_name: name, email: `${name}@west.example` });
const strangers = (await page.people(ida, east)).data;
is(strangers.map((one) => one.email), Array(4).fill('[HIDDEN]'), 'people, their addresses hidden');
const answers = [];
for (const one of strangers) answers.push(await page.reveal(ida, one.id));
is(answers.map((one) => one.data?.email ?? page.explain(one.error)), [...strangers.slice(0, 3).map((one) => `${one.full_name}@west.example`),
	'Not enough credits (3 of 3 are used, plan "free"). Credits are reset at midnight UTC; a larger plan has more of them.'], 'three are paid for, the fourth is refused in words to read');
is((await page.credits(ida)).data.credits_remaining, 0, 'no credit is left');
refused(await page.keepSearching(ida, choice.id), 402, 'PT402', 'nor room for another query');

console.log('done');
