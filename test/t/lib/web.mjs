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

// A person in a window of their own; ready when the page shows what it asked for.
async function window(person, hash = '') {
	const page = await (await browser.newContext()).newPage();
	page.on('pageerror', (error) => complaints.push(error.message));
	page.on('console', (message) => { if (message.type() === 'error' && !/status of 40[0-9]/.test(message.text())) complaints.push(message.text()); });
	await page.goto(`${url}#person=${person}${hash}`);
	await page.locator('#inside, #outside').filter({ visible: true }).waitFor();
	return page;
}
const text = async (page, selector) => (await page.locator(selector).innerText()).trim();
const texts = async (page, selector) => (await page.locator(selector).allInnerTexts()).map((one) => one.trim().replace(/\s+/g, ' '));
const shows = (page, selector, pattern) => page.locator(selector).filter({ hasText: pattern }).first().waitFor();

const ann = await window('Ann');
const cleo = await window('Cleo');
await Promise.all([shows(ann, '#count', /\d/), shows(cleo, '#count', /\d/)]);

// ------------------------------------------------------------------------------------------------ two members

is([await text(ann, '#workspace option:checked'), await text(cleo, '#workspace option:checked')], ['North Labs', 'South Sales'], 'two members, each in a workspace');
is([await text(ann, '#role'), await texts(ann, '#workspace option')], ['owner, plan "free"', ['North Labs', 'South Sales']], 'Ann is the owner of one, and belongs to two');
is(await texts(cleo, '#workspace option'), ['South Sales'], 'Cleo belongs to one');
const [norths, souths] = [await text(ann, '#count'), await text(cleo, '#count')];
report(norths !== souths && await ann.locator('#leads tbody tr').count() > 10, 'each sees the leads of their own', [norths, souths]);

await ann.selectOption('#workspace', { label: 'South Sales' });
await shows(ann, '#role', 'member');
await shows(ann, '#count', souths);
report(true, 'Ann switches, and sees what Cleo sees');
await ann.selectOption('#workspace', { label: 'North Labs' });
await shows(ann, '#role', 'owner');
await shows(ann, '#count', norths);

// ------------------------------------------------------------------------------------------------ leads, topics

const company = await text(ann, '#leads tbody tr:first-child td:first-child');
await ann.locator('#search').pressSequentially(company.slice(0, 4).toLowerCase());
await shows(ann, '#count', 'found');
report((await texts(ann, '#leads tbody td:first-child')).includes(company), 'leads are found as one types', company);
await ann.fill('#search', '');
await shows(ann, '#count', norths);

await ann.locator('#topic').pressSequentially('machine le');
await shows(ann, '#topics li', 'Machine Learning');
report((await texts(ann, '#topics li'))[0].startsWith('Machine Learning'), 'a topic is completed');
await ann.fill('#topic', '');
await ann.locator('#topic').pressSequentially('cloud migr');
await shows(ann, '#topics li', 'Cloud Migration');
await ann.press('#topic', 'ArrowDown');
await ann.press('#topic', 'Enter');
await shows(ann, '#notice', /limit/);
is((await text(ann, '#notice p')).split('\n'), ['Plan limit for active queries exceeded: 1 of 1 used, plan "free".',
	'Pause or delete an active query, or upgrade the plan of the workspace.'], 'the limit of the plan, in words to read');
await ann.click('#queries button');
await shows(ann, '#queries small', 'paused');
await ann.fill('#topic', '');
await ann.locator('#topic').pressSequentially('cloud migr');
await shows(ann, '#topics li', 'Cloud Migration');
await ann.click('#topics li');
await shows(ann, '#queries li', 'Cloud Migration');
is([await ann.locator('#queries li').count(), await ann.locator('#notice').isHidden()], [2, true], 'after pausing the first query there is room for another');

// ------------------------------------------------------------------------------------------------ credits

for (const left of [2, 1, 0]) {
	await ann.locator('#people button').first().click();
	await shows(ann, '#balance', `${left} of 3 credits left today`);
}
const bought = await texts(ann, '#people a');
report(bought.length === 3 && bought.every((email) => /^\S+@people\.example$/.test(email)), 'three e-mail addresses are revealed, the credits go down', bought);
await ann.locator('#people button').first().click();
await shows(ann, '#notice', /credits/);
is((await text(ann, '#notice p')).split('\n'), ['Not enough credits: 3 of 3 used, plan "free".',
	'Credits are reset at midnight UTC; a larger plan has more of them.'], 'the fourth is refused in words to read');
is([await ann.locator('#people button').count(), await text(cleo, '#balance')], [1, '3 of 3 credits left today'], 'it stays hidden, and Cleo has all credits');
is(await cleo.locator('#people a').count(), 0, 'and sees none of the addresses');

// ------------------------------------------------------------------------------------------------ invitation

await ann.fill('#invite input', 'eve@east.example');
await ann.click('#invite button');
await shows(ann, '#invitation', /invitation=/);
const eve = await window('Eve', `&${(await text(ann, '#invitation')).replace(/.*#/, '')}`);
is(await text(eve, '#outside h2'), 'You belong to no workspace yet', 'somebody who is invited');
await eve.click('#accept button');
await shows(eve, '#role', 'member');
is([await text(eve, '#workspace option:checked'), await eve.locator('#invite').isHidden(), (await texts(eve, '#members li')).some((one) => one.includes('eve@east.example'))],
	['North Labs', true, true], 'accepts, is a member, and cannot invite');
const dan = await window('Dan', '');
is(await text(dan, '#role'), 'admin, plan "free"', 'an admin');

// ------------------------------------------------------------------------------------------------ isolation

for (const [name, page] of [['Ann', ann], ['Cleo', cleo]]) {
	await page.click('#check');
	await shows(page, '#verdict', /\w/);
	const rows = (await texts(page, '#isolation tbody tr')).map((one) => one.split(' '));
	report(rows.length >= 12 && rows.every((row) => row[2] === '0') && rows.some((row) => Number(row[1]) > 10), `${name}: no row of another workspace in ${rows.length} tables`, rows);
}
is(complaints, [], 'the browser complains of nothing');

await browser.close();
console.log('done');
