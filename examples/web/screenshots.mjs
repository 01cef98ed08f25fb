// Pictures of the page for README.md and docs/: make screenshots.  Node finds playwright-core in MODULES.
import { createRequire } from 'node:module';
import path from 'node:path';

const { URL: url, MODULES: modules, OUT: out, CHROMIUM: executablePath = '/usr/bin/chromium' } = process.env;
const { chromium } = createRequire(path.join(modules, 'package.json'))('playwright-core');

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const page = await browser.newPage({ viewport: { width: 1100, height: 620 } });
const settled = () => page.locator('body[aria-busy=false]').waitFor();
const picture = async (name) => page.screenshot({ path: path.join(out, `${name}.png`), animations: 'disabled', caret: 'hide' });

await page.goto(`${url}#person=Ann`);
await settled();
await page.locator('#people button').first().click();
await settled();
await page.locator('#search').pressSequentially('soft');
await page.locator('#topic').pressSequentially('cloud');
await settled();
await page.press('#topic', 'ArrowDown');
await picture('web');

await page.press('#topic', 'Escape');
await page.fill('#topic', '');
for (let bought = 1; bought < 4; bought++) {
	await page.locator('#people button').first().click();
	await settled();
}
await page.evaluate(() => scrollTo(0, 0));
await picture('web-402');

await browser.close();
