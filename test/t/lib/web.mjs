// What two members do on the page of examples/web, side by side, in one browser; run by web.pl.
import { chromium } from 'playwright-core';

const { URL: url, CHROMIUM: executablePath } = process.env;
const report = (good, name, got) => {
	console.log(`${good ? 'ok' : 'not ok'} - ${name}`);
	if (!good && got !== undefined) console.log(`# got: ${JSON.stringify(got)}`);
};
const is = (got, expected, name) => report(JSON.stringify(got) === JSON.stringify(expected), name, got);

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const complaints = [];

// Until the page shows the answers to all that it asked.
const settled = (page) => page.locator('body[aria-busy=false]').waitFor();

// A person in a window of their own.
async function window(person, hash = '') {
	const page = await (await browser.newContext()).newPage();
	page.on('pageerror', (error) => complaints.push(error.message));
	page.on('console', (message) => { if (message.type() === 'error' && !/status of 40[0-9]/.test(message.text())) complaints.push(message.text()); });
	await page.goto(`${url}#person=${person}${hash}`);
	await settled(page);
	return page;
}

// What a person does, and all that the page does of it.
async function does(page, act, ...what) {
	await page[act](...what);
	await settled(page);
}
async function types(page, selector, text) {
	await page.fill(selector, '');
	await page.locator(selector).pressSequentially(text);
	await settled(page);
}

// Holds back the answers to some requests; the function that it returns lets go of them, and says how many there were.
async function hold(page, url, wanted) {
	let held = 0;
	let open;
	const gate = new Promise((resolve) => { open = resolve; });
	await page.route(url, async (route) => {
		if (wanted(route.request())) {
			held++;
			await gate;
		}
		await route.continue();
	});
	return async () => {
		open();
		await settled(page);
		return held;
	};
}

const text = async (page, selector) => (await page.locator(selector).innerText()).trim();
const texts = async (page, selector) => (await page.locator(selector).allInnerTexts()).map((one) => one.trim().replace(/\s+/g, ' '));

const ann = await window('Ann');
const cleo = await window('Cleo');

// ------------------------------------------------------------------------------------------------ two members

is([await text(ann, '#workspace option:checked'), await text(cleo, '#workspace option:checked')], ['North Labs', 'South Sales'], 'two members, each in a workspace');
is([await text(ann, '#role'), await texts(ann, '#workspace option')], ['owner, plan "free"', ['North Labs', 'South Sales']], 'Ann is the owner of one, and belongs to two');
is(await texts(cleo, '#workspace option'), ['South Sales'], 'Cleo belongs to one');
const [norths, souths] = [await text(ann, '#count'), await text(cleo, '#count')];
report(norths !== souths && await ann.locator('#leads tbody tr').count() > 10, 'each sees the leads of their own', [norths, souths]);

await does(ann, 'selectOption', '#workspace', { label: 'South Sales' });
is([await text(ann, '#role'), await text(ann, '#count')], ['member, plan "free"', souths], 'Ann switches, and sees what Cleo sees');
is(await texts(ann, '#members li'), await texts(cleo, '#members li'), 'and the members whom Cleo sees');
const south = await ann.inputValue('#workspace');

// She is back before all of it has come.
await does(ann, 'selectOption', '#workspace', { label: 'North Labs' });
const members = await texts(ann, '#members li');
const late = await hold(ann, '**/rest/v1/users*', (request) => request.headers()['x-workspace-id'] === south);
await ann.selectOption('#workspace', { label: 'South Sales' });
await ann.locator('#role').filter({ hasText: 'member' }).waitFor();
await ann.selectOption('#workspace', { label: 'North Labs' });
await ann.locator('#role').filter({ hasText: 'owner' }).waitFor();
is([await late(), await text(ann, '#count'), await texts(ann, '#members li')], [1, norths, members], 'late answers of the workspace that she left are not shown');

// ------------------------------------------------------------------------------------------------ leads, topics

const company = await text(ann, '#leads tbody tr:first-child td:first-child');
await types(ann, '#search', company.slice(0, 4).toLowerCase());
report(/found/.test(await text(ann, '#count')) && (await texts(ann, '#leads tbody td:first-child')).includes(company), 'leads are found as one types', company);
await does(ann, 'fill', '#search', '');
is(await text(ann, '#count'), norths, 'and all of them are shown again');

await types(ann, '#topic', 'machine le');
report((await texts(ann, '#topics li'))[0].startsWith('Machine Learning'), 'a topic is completed');
const completion = await hold(ann, '**/rpc/search_topics', (request) => request.postDataJSON().search_query === 'machine lea');
await ann.press('#topic', 'End');
await ann.locator('#topic').pressSequentially('a');
await ann.press('#topic', 'Escape');
is([await completion(), await ann.locator('#topics').isHidden()], [1, true], 'a list that was closed stays so when an answer comes late');

await types(ann, '#topic', 'cloud migr');
await ann.press('#topic', 'ArrowDown');
await does(ann, 'press', '#topic', 'Enter');
is((await text(ann, '#notice p')).split('\n'), ['Plan limit for active queries exceeded: 1 of 1 used, plan "free".',
	'Pause or delete an active query, or upgrade the plan of the workspace.'], 'the limit of the plan, in words to read');
await does(ann, 'click', '#queries button');
report(/paused/.test(await text(ann, '#queries li')), 'the first query is paused');
await types(ann, '#topic', 'cloud migr');
await does(ann, 'click', '#topics li');
is([await ann.locator('#queries li').count(), (await texts(ann, '#queries li')).some((one) => one.includes('Cloud Migration')), await ann.locator('#notice').isHidden()],
	[2, true, true], 'then there is room for another');

// ------------------------------------------------------------------------------------------------ credits

const balances = [];
for (let bought = 0; bought < 3; bought++) {
	await does(ann, 'click', '#people button >> nth=0');
	balances.push(await text(ann, '#balance'));
}
is(balances, [2, 1, 0].map((left) => `${left} of 3 credits left today`), 'each address costs a credit');
const bought = await texts(ann, '#people a');
report(bought.length === 3 && bought.every((email) => /^\S+@people\.example$/.test(email)), 'three e-mail addresses are revealed', bought);
await does(ann, 'click', '#people button >> nth=0');
is((await text(ann, '#notice p')).split('\n'), ['Not enough credits: 3 of 3 used, plan "free".',
	'Credits are reset at midnight UTC; a larger plan has more of them.'], 'the fourth is refused in words to read');
is([await ann.locator('#people button').count(), await text(cleo, '#balance')], [1, '3 of 3 credits left today'], 'it stays hidden, and Cleo has all credits');
is(await cleo.locator('#people a').count(), 0, 'and sees none of the addresses');

// ------------------------------------------------------------------------------------------------ invitation

await ann.fill('#invite input', 'eve@east.example');
await does(ann, 'click', '#invite button');
const invitation = await text(ann, '#invitation');
report(/invitation=/.test(invitation), 'an admin gets a link to send', invitation);
const eve = await window('Eve', `&${invitation.replace(/.*#/, '')}`);
is(await text(eve, '#outside h2'), 'You belong to no workspace yet', 'somebody who is invited');
await does(eve, 'click', '#accept button');
is([await text(eve, '#role'), await text(eve, '#workspace option:checked'), await eve.locator('#invite').isHidden(), (await texts(eve, '#members li')).some((one) => one.includes('eve@east.example'))],
	['member, plan "free"', 'North Labs', true, true], 'accepts, is a member, and cannot invite');
const dan = await window('Dan', '');
is(await text(dan, '#role'), 'admin, plan "free"', 'an admin');

// ------------------------------------------------------------------------------------------------ isolation

for (const [name, page] of [['Ann', ann], ['Cleo', cleo]]) {
	await does(page, 'click', '#check');
	const rows = (await texts(page, '#isolation tbody tr')).map((one) => one.split(' '));
	report(rows.length >= 12 && rows.every((row) => row[2] === '0') && rows.some((row) => Number(row[1]) > 10), `${name}: no row of another workspace in ${rows.length} tables`, rows);
}
is(complaints, [], 'the browser complains of nothing');

await browser.close();
console.log('done');
