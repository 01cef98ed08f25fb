// The page: each of its parts is a function that asks the database and shows the answer.  Nothing here decides what a
// person may see or do: that is the database's, and what it refuses is shown in its words.
const $ = (id) => document.getElementById(id);
const params = new URLSearchParams(location.hash.slice(1)); // #person=Ann, #invitation=TOKEN

let db; // the client of the person and workspace that are chosen
let me; // their row of get_my_workspaces

// ---------------------------------------------------------------------------------------------------------- showing

// An element with a text or with children.
function element(name, content, more = {}) {
	const made = document.createElement(name);
	made.append(...(Array.isArray(content) ? content : [content ?? '']));
	return Object.assign(made, more);
}

const option = (value, text) => element('option', text, { value });
const row = (cells) => element('tr', cells.map((cell) => element('td', cell ?? '')));
const capital = (text) => text[0].toUpperCase() + text.slice(1);

// What an error says to a person.  402 has numbers beside the words, and says what can be done.
function explain({ code, message, details, hint }) {
	const lines = [`${capital(message)}.`];
	if (code === 'PT402' && details) {
		const { plan, limit, used } = JSON.parse(details);
		lines[0] = `${capital(message)}: ${used} of ${limit} used, plan "${plan}".`;
	}
	return [...lines, ...(hint ? [hint] : [])].join('\n');
}

function notify(error) {
	$('notice').hidden = !error;
	$('notice').firstElementChild.textContent = error ? explain(error) : '';
}

// The data of an answer; an error is shown, and the caller gets nothing.  Nor does it when another workspace was entered
// meanwhile.
async function data(query) {
	const asked = db;
	const answer = await query;
	if (db !== asked) return undefined;
	if (answer.error) notify(answer.error);
	return answer.error ? undefined : answer.data;
}

// Of several questions asked while somebody types, only the answer to the last one counts; none does after forget().
function latest(ask) {
	let asked = 0;
	const question = async (...about) => {
		const mine = ++asked;
		const answer = await ask(...about);
		return mine === asked ? answer : undefined;
	};
	return Object.assign(question, { forget: () => { asked++; } });
}

// The page is busy until what somebody did is done; the parts that it changes may come one after the other.
let busy = 0;
function act(work) {
	return async (...given) => {
		document.body.ariaBusy = String(++busy > 0);
		try {
			await work(...given);
		} finally {
			document.body.ariaBusy = String(--busy > 0);
		}
	};
}

// ------------------------------------------------------------------------------------------------ person, workspace

function connect(token, workspace) {
	db = supabase.createClient(location.origin, 'not used', {
		db: { schema: 'app' },
		accessToken: async () => token,
		global: { headers: workspace ? { 'X-Workspace-Id': workspace } : {} },
	});
}

let token;

async function signIn() {
	const person = $('person').value;
	const signed = await (await fetch(`/token?person=${person}`)).text();
	if (person !== $('person').value) return; // another one was chosen meanwhile
	token = signed;
	await enter();
}

// Shows a workspace, by default the one that is active without a choice.
async function enter(workspace) {
	notify();
	connect(token);
	const mine = await data(db.rpc('get_my_workspaces'));
	if (!mine) return;
	me = mine.find((one) => (workspace ? one.workspace_id === workspace : one.is_active));
	$('workspace').replaceChildren(...mine.map((one) => option(one.workspace_id, one.name)));
	$('workspace').value = me?.workspace_id ?? '';
	$('in-workspace').hidden = $('credits').hidden = $('inside').hidden = !me;
	$('outside').hidden = Boolean(me);
	$('role').textContent = me ? `${me.role}, plan "${me.plan}"` : '';
	for (const form of document.forms) form.reset();
	$('invitation').textContent = $('search').value = $('topic').value = '';
	$('isolation').hidden = true;
	$('verdict').textContent = '';
	for (const shown of [$('leads').tBodies[0], $('queries'), $('people'), $('members')]) shown.replaceChildren();
	closeTopics();
	if (!me) return void ($('accept').elements.token.value = params.get('invitation') ?? '');
	$('invite').hidden = me.role === 'member';
	connect(token, me.workspace_id);
	await Promise.all([credits(), leads(), queries(), people(), members()]);
}

async function credits() {
	const balance = await data(db.rpc('get_credit_balance').single());
	if (!balance) return;
	const { credits_limit: limit, credits_remaining: left } = balance;
	$('balance').textContent = limit === null ? 'unlimited credits' : `${left} of ${limit} credits left today`;
	Object.assign($('meter'), { max: limit ?? 1, value: left ?? 1 });
}

// ------------------------------------------------------------------------------------------------------------ leads

const find = latest((text) => (text
	? db.rpc('search_leads', { p_query: text })
	: db.from('leads').select('id, company_data', { count: 'exact' }).order('created_at', { ascending: false }).order('id').limit(50)));

async function leads() {
	const answer = await find($('search').value.trim());
	if (!answer) return;
	if (answer.error) return notify(answer.error);
	$('count').textContent = answer.count ?? `${answer.data.length} found`;
	$('leads').tBodies[0].replaceChildren(...answer.data.map(({ company_data: company }) =>
		row([company.name, company.domain, company.industry, company.location])));
}

// ----------------------------------------------------------------------------------------------------------- topics

const complete = latest((text) => db.rpc('search_topics', { search_query: text, result_limit: 8 }));
let chosen = -1;

async function topics() {
	const text = $('topic').value.trim();
	const answer = text ? await complete(text) : { data: [] };
	if (!answer) return;
	if (answer.error) return notify(answer.error);
	chosen = -1;
	$('topics').replaceChildren(...answer.data.map(({ id, topic, category }) =>
		element('li', [topic, element('small', category)], { role: 'option', id: `topic-${id}`, onmousedown: act(() => keepSearching(id)) })));
	showTopics(answer.data.length > 0);
}

function showTopics(shown) {
	$('topics').hidden = !shown;
	$('topic').ariaExpanded = String(shown);
	[...$('topics').children].forEach((item, n) => { item.ariaSelected = String(n === chosen); });
	$('topic').setAttribute('aria-activedescendant', $('topics').children[chosen]?.id ?? '');
}

function closeTopics() {
	complete.forget();
	showTopics(false);
}

function topicKey(event) {
	const items = $('topics').children;
	if (event.key === 'Escape') return closeTopics();
	if (event.key === 'Enter' && items[Math.max(chosen, 0)]) return items[Math.max(chosen, 0)].onmousedown();
	if (!['ArrowDown', 'ArrowUp'].includes(event.key) || !items.length) return;
	event.preventDefault();
	chosen = (chosen + (event.key === 'ArrowDown' ? 1 : items.length - 1) + items.length) % items.length;
	showTopics(true);
}

async function keepSearching(topic) {
	closeTopics();
	notify();
	if (await data(db.from('queries').insert({ topic_id: topic }).select('id'))) $('topic').value = '';
	await queries();
}

async function queries() {
	const found = await data(db.from('queries').select('id, name, status, leads(count)').order('created_at'));
	if (!found) return;
	$('queries').replaceChildren(...found.map((query) => {
		const next = query.status === 'active' ? 'paused' : 'active';
		return element('li', [element('span', [query.name, element('small', `${query.status}, ${query.leads[0].count} leads`)]),
			element('button', next === 'paused' ? 'Pause' : 'Start', { onclick: act(async () => {
				notify();
				await data(db.from('queries').update({ status: next }).eq('id', query.id).select('id'));
				await queries();
			}) })]);
	}));
}

// ----------------------------------------------------------------------------------------------------------- people

async function people() {
	const found = await data(db.rpc('search_people', { p_workspace_id: me.workspace_id, p_filters: {} }));
	if (!found) return;
	$('people').replaceChildren(...found.map((person) =>
		element('li', [element('span', [person.full_name, element('small', `${person.title}, ${person.company}`)]),
			person.email === '[HIDDEN]'
				? element('button', 'Reveal e-mail (1 credit)', { onclick: act(() => reveal(person.id)) })
				: element('a', person.email ?? 'no e-mail', { href: `mailto:${person.email}` })])));
}

async function reveal(id) {
	notify();
	await data(db.rpc('reveal_person_email', { p_result_id: id }));
	await Promise.all([credits(), people()]);
}

// ---------------------------------------------------------------------------------------------------------- members

async function members() {
	const found = await data(db.from('users').select('email, full_name, role').order('created_at'));
	if (!found) return;
	$('members').replaceChildren(...found.map(({ email, full_name: name, role }) =>
		element('li', [element('span', [name ?? email, element('small', name ? email : '')]), role])));
}

async function invite(event) {
	event.preventDefault();
	notify();
	const made = await data(db.rpc('invite_member', { p_email: $('invite').elements.email.value }).single());
	if (made) $('invitation').textContent = `Send them this link: ${location.origin}/#invitation=${made.token}`;
}

async function accept(event) {
	event.preventDefault();
	notify();
	const workspace = await data(db.rpc('accept_invitation', { p_token: $('accept').elements.token.value.trim(), p_full_name: $('person').value }));
	if (workspace) await enter(workspace);
}

async function create(event) {
	event.preventDefault();
	notify();
	const { name, email } = event.target.elements;
	const slug = name.value.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
	const workspace = await data(db.rpc('create_workspace', { p_slug: slug, p_name: name.value, p_email: email.value, p_full_name: $('person').value }));
	if (workspace) await enter(workspace);
}

// -------------------------------------------------------------------------------------------------------- isolation

// Asks each table that the API offers for rows of the workspace and for rows of any other one.
async function check() {
	const asked = db;
	const api = await (await fetch('/rest/v1/', { headers: { Authorization: `Bearer ${token}`, Accept: 'application/openapi+json' } })).json();
	const tables = Object.keys(api.definitions).filter((name) => api.definitions[name].properties.workspace_id).sort();
	const count = (table) => asked.from(table).select('workspace_id', { count: 'exact', head: true });
	const seen = (await Promise.all(tables.map(async (table) => {
		const [mine, others] = await Promise.all([count(table).eq('workspace_id', me.workspace_id), count(table).neq('workspace_id', me.workspace_id)]);
		return mine.error ? undefined : { table, mine: mine.count, others: others.error ? NaN : others.count }; // not for members
	}))).filter(Boolean);
	if (db !== asked) return;
	const foreign = seen.filter(({ others }) => others !== 0);
	$('isolation').tBodies[0].replaceChildren(...seen.map(({ table, mine, others }) => row([table, String(mine), String(others)])));
	$('isolation').hidden = false;
	$('verdict').className = foreign.length || !seen.length ? 'bad' : '';
	$('verdict').textContent = foreign.length || !seen.length
		? `Rows of other workspaces are visible in ${foreign.map(({ table }) => table).join(', ')}.`
		: `No row of another workspace, in ${seen.length} tables.`;
}

// ------------------------------------------------------------------------------------------------------------ start

$('person').replaceChildren(...(await (await fetch('/people')).json()).map((name) => option(name, name)));
if (params.has('person')) $('person').value = params.get('person');
if (params.has('invitation')) $('person').value = 'Eve';
$('person').onchange = act(signIn);
$('workspace').onchange = act(() => enter($('workspace').value));
$('search').oninput = act(leads);
$('topic').oninput = act(topics);
$('topic').onkeydown = topicKey;
$('topic').onblur = closeTopics;
$('invite').onsubmit = act(invite);
$('accept').onsubmit = act(accept);
$('create').onsubmit = act(create);
$('check').onclick = act(check);
$('notice').lastElementChild.onclick = () => notify();
await act(signIn)();
