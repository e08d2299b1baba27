// Commands from the page: pause really pauses, resume goes on, a rollback moves the champion and can be undone, stop ends.
// Against a real daemon it wants a run that is still running, and stops it at the end.
import { check, daemon, launch, open } from './browser.mjs';

const browser = await launch();
const served = await daemon({ logs: ['slow_report'], grow: 2 });
const { page, faults } = await open(browser, served.url);
const state = async (word) => page.waitForFunction((wanted) => document.querySelector('.state')?.textContent === wanted, word, { timeout: 20000 });
const button = (name) => page.getByRole('button', { name, exact: true });
const runId = await page.evaluate(async () => (await (await fetch('/api/v1/runs')).json()).runs[0].run_id);
const told = () => page.evaluate(async (run) => (await fetch(`/api/v1/runs/${run}`)).json(), runId);

const running = await page.locator('.state').textContent();
if (!/Running/.test(running)) {
  console.log(`skipped: the run shown is ${running}, not running; start one`);
  await browser.close();
  served.stop();
  process.exit(0);
}
await page.waitForFunction(() => Number(document.querySelector('[data-figure="evaluations"]')?.textContent) >= 8, null, { timeout: 120000 });
await button('Pause').click();
await state('Paused');
check(true, 'Pause pauses');
if (!served.mock) check((await told()).state === 'paused', 'the API says so too');
await page.waitForTimeout(4000);
const before = await page.locator('[data-figure="evaluations"]').textContent();
await page.waitForTimeout(1500);
check((await page.locator('[data-figure="evaluations"]').textContent()) === before, 'nothing new is started while paused');
await page.screenshot({ path: 'shots/paused.png' }).catch(() => {});

await page.evaluate(() => (location.hash = '#pick=0'));
await page.waitForFunction(() => document.querySelector('.ititle h2')?.textContent === '#0');
if (await button('Roll back').isEnabled()) {
  await button('Roll back').click();
  const dialog = page.getByRole('dialog');
  check(await dialog.getByRole('button', { name: 'Confirm' }).isDisabled(), 'a rollback wants the candidate typed');
  await dialog.getByLabel('Reason, for the log').fill('end-to-end check');
  await dialog.getByLabel(/^Type/).fill('0');
  await page.screenshot({ path: 'shots/rollback.png' }).catch(() => {});
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await page.waitForFunction(() => /champion/.test(document.querySelector('.ititle .status')?.textContent ?? ''), null, { timeout: 60000 });
  check(true, 'the rollback moves the champion');
  if (!served.mock) check((await told()).champion.number === 0, 'the API says so too');
  await button('Roll back').click();
  const undo = page.getByRole('dialog');
  const number = /#(\d+)/.exec(await undo.getByRole('heading').first().textContent())[1];
  await undo.getByLabel(/^Type/).fill(`#${number}`);
  await undo.getByRole('button', { name: 'Confirm' }).click();
  await page.waitForFunction(() => document.querySelector('.ititle .status')?.textContent.startsWith('baseline'), null, { timeout: 60000 });
  check(true, `and is undone by another, to #${number}`);
} else {
  console.log('skipped: the baseline is the champion still, there is nothing to roll back to');
}
await button('Resume').click();
await state('Running');
check(true, 'Resume goes on');
await button('Stop').click();
await page.getByRole('dialog').getByRole('button', { name: 'Confirm' }).click();
await page.waitForFunction(() => /Stopped|Finished/.test(document.querySelector('.state')?.textContent ?? ''), null, { timeout: 60000 });
check(true, 'Stop asks once and stops');
await page.evaluate(() => (location.hash = '#place=alerts'));
await page.waitForSelector('#h-commands');
await page.waitForTimeout(400);
check((await page.locator('[aria-labelledby="h-commands"]').textContent()).includes('stop evolution'), 'every command stands in the log');
check(faults.length === 0, `no errors in the console ${faults.join(' | ')}`);
await browser.close();
served.stop();
