// A visit without changing anything: every place, the keys, the address, time travel, the tables, text as text.
import { check, daemon, launch, open } from './browser.mjs';

const browser = await launch();
const served = await daemon({ logs: ['small_or_fast', 'slow_report', 'broken_toolbox'] });
const { page, faults } = await open(browser, served.url);

const shownEvaluations = () => page.locator('[data-figure="evaluations"]').textContent();
const runId = await page.evaluate(async () => (await (await fetch('/api/v1/runs')).json()).runs[0].run_id);
check(!page.url().includes('t='), 'the token is gone from the address');
check(!(await page.evaluate(() => document.cookie)).includes('session'), 'the cookie is out of reach of scripts');

if (!served.mock) {
  const told = await page.evaluate(async (run) => (await fetch(`/api/v1/runs/${run}`)).json(), runId);
  await page.waitForTimeout(600);
  const shown = Number(await shownEvaluations());
  check(Math.abs(shown - told.counters.evaluations) <= 60, `evaluations: the page shows ${shown}, the API ${told.counters.evaluations}`);
} else {
  check((await shownEvaluations()) === '120', 'the number of evaluations is exact text');
}

for (const [key, place] of [['c', 'candidates'], ['f', 'front'], ['w', 'fleet'], ['a', 'alerts'], ['r', 'run']]) {
  await page.keyboard.press('g');
  await page.keyboard.press(key);
  await page.waitForSelector(`.app[data-place="${place}"]`);
  const current = await page.locator('nav a[aria-current="page"]').textContent();
  check(current.toLowerCase().startsWith(place), `g ${key} goes to ${place}`);
}
await page.goBack();
await page.waitForSelector('.app[data-place="alerts"]');
check(true, 'the back button undoes a place');
await page.goForward();

const heading = () => page.locator('.ititle h2').textContent();
await page.keyboard.press('j');
const second = await heading();
await page.keyboard.press('[');
check((await heading()) !== second || second === '#0', 'the bracket goes to the parent');
await page.keyboard.press('d');
check(await page.locator('#tab-diff[aria-selected="true"]').isVisible(), 'd shows the diff');
const address = page.url();
await page.reload();
await page.waitForSelector('.ititle h2');
await page.waitForTimeout(500);
check(page.url() === address && (await page.locator('#tab-diff[aria-selected="true"]').isVisible()), 'a reload gives the same view');

await page.keyboard.press('Control+k');
await page.keyboard.type('5');
await page.keyboard.press('Enter');
await page.waitForFunction(() => document.querySelector('.ititle h2')?.textContent === '#5');
check(true, 'the palette finds a candidate by number');
await page.keyboard.press('?');
check(await page.getByRole('dialog', { name: 'Keys and help' }).isVisible(), 'the help opens');
await page.keyboard.press('Escape');

const before = await shownEvaluations();
await page.getByLabel('Moment of the run').evaluate((input) => {
  input.value = String(Number(input.max) / 2);
  input.dispatchEvent(new Event('input', { bubbles: true }));
});
await page.waitForSelector('.banner.replay');
await page.waitForTimeout(500);
const half = Number(await shownEvaluations());
check(half < Number(before) || Number(before) < 4, `half-way there were ${half} evaluations, at the end ${before}`);
if (!served.mock) {
  const at = Number(new URLSearchParams(page.url().split('#')[1]).get('at'));
  const told = await page.evaluate(async ([run, seq]) => (await fetch(`/api/v1/runs/${run}?at=${seq}`)).json(), [runId, at]);
  check(told.counters.evaluations === half, `at event ${at} the daemon's own fold has ${told.counters.evaluations}, the page ${half}`);
}
check(await page.getByRole('button', { name: 'Pause' }).isDisabled(), 'the past cannot be commanded');
await page.getByRole('button', { name: 'Live', exact: true }).click();
await page.waitForSelector('.banner.replay', { state: 'detached' });
check(true, 'Live goes back to now');

await page.keyboard.press('g');
await page.keyboard.press('c');
const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save CSV' }).click()]);
check(download.suggestedFilename() === 'candidates.csv', 'the table can be saved');
await page.keyboard.press('/');
await page.waitForTimeout(100);
await page.keyboard.type('zzzz-nothing');
await page.waitForTimeout(300);
check(await page.getByText('Nothing to list.').isVisible(), 'an empty table says so');

if (served.mock) {
  await page.evaluate(() => (location.hash = '#pick=7&tab=files'));
  await page.waitForSelector('pre.log');
  check((await page.locator('pre.log').textContent()).includes('<b>only ever text</b>') && (await page.locator('pre.log b').count()) === 0, 'what a candidate wrote is text and nothing else');
  served.mock.hold = true;
  for (const client of served.mock.clients) client.drop();
  await page.waitForSelector('.banner.fail');
  check(true, 'a lost connection is said');
  await page.waitForSelector('.banner.fail', { state: 'detached', timeout: 15000 });
  check((await shownEvaluations()) === '120', 'after the reconnection nothing is missing or doubled');
}
const meant = faults.filter((fault) => !/WebSocket|ERR_CONNECTION|401/.test(fault));
check(meant.length === 0, `no errors in the console ${meant.join(' | ')}`);
await browser.close();
served.stop();
