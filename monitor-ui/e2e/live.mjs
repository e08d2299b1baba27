// The page against a real daemon that evolves a real example, with no other network: what is shown is what the API says,
// commands do what they say, a killed daemon is found again without a gap, every place is accessible. Conditions are waited
// for, nothing is timed.
//   DARWIND=../target/debug/darwind node e2e/live.mjs
import { audit, prepare } from './audit.mjs';
import { check, launch, open } from './browser.mjs';
import { PATIENCE_MS, RealDaemon, until } from './real-daemon.mjs';

/** The whole suite is over by then, or it failed: two minutes of work, and a machine that does much else. Milliseconds. */
const LIMIT_MS = 480_000;
/**
 * Its goals are exact: whether a rollback can be verified hangs on the daemon alone, not on how busy the machine is. The second
 * one, which its evaluator reports as well, gives the front more than one member.
 */
const EXAMPLE = 'tuned_controller';
const SECOND_GOAL = `
[[objective]]
name = "worst"
kind = "metric"
metric = "worst"
direction = "minimize"
`;
const REASON = 'end-to-end check';
/** What must not happen in a pause, and what may: the answers to questions that were asked before it. */
const BEGINNINGS = new Set(['proposal_requested', 'validation_started']);
const ANSWERS = new Set(['improvement_proposed', 'proposal_discarded']);

if (!process.env.DARWIND) {
  console.log('skipped: DARWIND does not name the binary');
  process.exit(0);
}
const daemon = new RealDaemon(process.env.DARWIND);
const watchdog = setTimeout(() => fail(new Error(`not over after ${LIMIT_MS / 1000} s`)), LIMIT_MS);
let browser = null;
let run = '';

const said = (page, selector) => page.locator(selector).first().textContent();
const phase = (page, word) => page.waitForFunction((wanted) => document.querySelector('.state')?.textContent === wanted, word, { timeout: PATIENCE_MS });
const visit = (page, view) => page.evaluate((hash) => (location.hash = hash), `#${view}`);
const button = (page, name) => page.getByRole('button', { name, exact: true });

/** Waits until the page has folded the event that the daemon wrote last. */
async function caughtUp(page, seq) {
  await page.waitForFunction((wanted) => Number(document.querySelector('[data-figure="seq"]')?.textContent) >= wanted, seq, { timeout: PATIENCE_MS });
}

async function pause(page) {
  await button(page, 'Pause').click();
  await phase(page, 'Paused');
  const log = await daemon.drained(run);
  await caughtUp(page, log.at(-1).seq);
  return log;
}

/** The page's figures of a run that stands still, beside those of the API. */
async function sameAsTheApi(page, when) {
  const told = await daemon.run(run);
  await caughtUp(page, told.seq);
  const { front } = await daemon.get(`runs/${run}/front`);
  check((await said(page, '[data-figure="evaluations"]')) === String(told.counters.evaluations), `${when}: ${told.counters.evaluations} evaluations on both sides`);
  await visit(page, 'place=run&pick=-1');
  await page.waitForFunction((wanted) => document.querySelector('.ititle h2')?.textContent === wanted, `#${told.champion.number}`, { timeout: PATIENCE_MS });
  check(true, `${when}: the champion is #${told.champion.number} on both sides`);
  await visit(page, 'place=front&twin=1');
  // A long front is drawn as far as it is in sight; how many there are stands on the table.
  const members = new Set(front.map(({ number }) => `#${number}`));
  const table = page.getByRole('table', { name: 'Front', exact: true });
  const rows = async () => Number(await table.getAttribute('aria-rowcount', { timeout: PATIENCE_MS })) - 1;
  await until(`${when}: the front has ${members.size} rows`, async () => (await rows()) === members.size);
  const seen = await table.locator('[role="cell"]:first-child').allTextContents();
  check(seen.length > 0 && seen.every((name) => members.has(name)), `${when}: the front is ${[...members].join(' ')} on both sides, seen ${seen.join(' ')}`);
}

async function pausing(page) {
  const log = await pause(page);
  const told = await daemon.run(run);
  check(told.state === 'paused', 'Pause: the API says paused');
  await sameAsTheApi(page, 'paused');
  const paused = log.findLast(({ event_type }) => event_type === 'run_paused').seq;
  const later = await daemon.log(run);
  const begun = later.filter(({ seq, event_type }) => seq > paused && BEGINNINGS.has(event_type));
  check(begun.length === 0, `Pause: nothing was begun after event ${paused}, ${begun.length} were`);
  const more = later.slice(log.length).filter(({ event_type }) => !ANSWERS.has(event_type));
  check(more.length === 0, `Pause: the log ends at event ${log.length} and stays there, ${more.length} more`);
}

async function rollingBack(page) {
  const before = (await daemon.run(run)).champion.number;
  await visit(page, 'place=run&pick=0');
  await page.waitForFunction(() => document.querySelector('.ititle h2')?.textContent === '#0', null, { timeout: PATIENCE_MS });
  await button(page, 'Roll back').click();
  const dialog = page.getByRole('dialog');
  check(await dialog.getByRole('button', { name: 'Confirm' }).isDisabled(), 'a rollback wants the candidate typed');
  await confirmRollback(page, '0');
  await until('the champion is the baseline', async () => (await daemon.run(run)).champion.number === 0);
  await page.waitForFunction(() => /champion/.test(document.querySelector('.ititle .status')?.textContent ?? ''), null, { timeout: PATIENCE_MS });
  check(true, `Roll back: the champion moved from #${before} to #0, on both sides`);
  await until('the rollback is verified', async () => (await daemon.log(run)).some(({ event_type, data }) => event_type === 'rollback_completed' && data.verified));
  await button(page, 'Roll back').click();
  await confirmRollback(page, `#${before}`);
  await until('the champion is back', async () => (await daemon.run(run)).champion.number === before);
  await daemon.drained(run);
  await sameAsTheApi(page, 'undone');
  const commands = (await daemon.log(run)).filter(({ event_type }) => event_type === 'control_received');
  check(commands.filter(({ data }) => data.reason === REASON).length === 2, 'both rollbacks stand in the log with their reason');
}

async function confirmRollback(page, typed) {
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason, for the log').fill(REASON);
  await dialog.getByLabel(/^Type/).fill(typed);
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await dialog.waitFor({ state: 'detached', timeout: PATIENCE_MS });
}

async function resuming(page, of) {
  const before = (await daemon.run(run)).counters.evaluations;
  await button(page, 'Resume').click();
  await phase(page, 'Running');
  await growsBeyond(page, before + 3);
  check(true, `${of}: evaluations go on beyond ${before}`);
}

async function growsBeyond(page, evaluations) {
  await page.waitForFunction((least) => Number(document.querySelector('[data-figure="evaluations"]')?.textContent) > least, evaluations, { timeout: PATIENCE_MS });
}

/** `kill -9` under a page that is open: it says so, finds the daemon again by itself and has lost and doubled nothing. */
async function beingKilled(page) {
  await page.evaluate(() => (window.sameDocument = true));
  const before = Number(await said(page, '[data-figure="evaluations"]'));
  await daemon.kill();
  await page.waitForSelector('.banner.fail', { timeout: PATIENCE_MS });
  check(true, 'kill -9: the page says that it is disconnected');
  await daemon.start();
  await page.waitForSelector('.banner.fail', { state: 'detached', timeout: PATIENCE_MS });
  await growsBeyond(page, before + 3);
  check(await page.evaluate(() => window.sameDocument === true), 'kill -9: the page found the daemon again by itself');
  const log = await pause(page);
  check(log.every(({ seq }, index) => seq === index + 1), 'kill -9: the log has no gap');
  await sameAsTheApi(page, 'after kill -9');
}

/** A pin and its end, on the champion of a run that stands still. */
async function pinning(page) {
  await visit(page, 'place=run&pick=-1');
  for (const [name, pinned] of [['Pin', true], ['Unpin', false]]) {
    await button(page, name).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason, for the log').fill(REASON);
    await dialog.getByRole('button', { name: 'Confirm' }).click();
    await dialog.waitFor({ state: 'detached', timeout: PATIENCE_MS });
    await until(`${name} is told by the API`, async () => (await daemon.run(run)).pinned === pinned);
    await page.waitForFunction((wanted) => /pinned/.test(document.querySelector('.ititle .status')?.textContent ?? '') === wanted, pinned, { timeout: PATIENCE_MS });
    check(true, `${name}: the champion is ${pinned ? '' : 'no longer '}pinned, on both sides`);
  }
}

async function accessible() {
  for (const theme of ['light', 'dark']) {
    for (const width of [1600, 390]) {
      const { page, close } = await open(browser, daemon.url, { width, height: width < 720 ? 844 : 1000, theme });
      await prepare(page);
      for (const place of ['run', 'candidates', 'front', 'fleet', 'alerts']) {
        await visit(page, `place=${place}`);
        await page.waitForSelector(`.app[data-place="${place}"]`);
        await audit(page, `axe, ${place} ${width} ${theme}`);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        check(wider <= 0, `${place} ${width} ${theme}: nothing overflows sideways${wider > 0 ? `, but ${wider} px` : ''}`);
      }
      await close();
    }
  }
}

/** A program whose every change hangs: its check passes what does not change and otherwise waits longer than anybody will. */
const HANGING = {
  'program.py': 'def area(a, b):\n    return a + b\n',
  'patient.py': 'import time\nimport program\ntime.sleep(0 if program.area(2, 3) == 5 else 3000)\n',
  'cases.json': '[{"function": "area", "args": [2, 3], "expected": 6}]',
  'darwind.toml': `[target]
name = "hanging"
files = ["program.py"]

[[check]]
name = "patience"
run = ["python", "patient.py"]
timeout = "50m"

[[objective]]
name = "accuracy"
kind = "pass_rate"
cases = "cases.json"

[budget]
evaluations = 1000
`,
};

/** Aborts the first evaluation under way; its number, or nothing when it ended by itself before the order arrived. */
async function abortOne(page, reason) {
  const lanes = page.getByRole('list', { name: 'Evaluations under way' }).getByRole('listitem');
  const lane = lanes.filter({ has: page.getByRole('button', { name: 'Abort', disabled: false }) }).first();
  const number = Number((await lane.getByRole('button', { name: /^#/ }).textContent({ timeout: PATIENCE_MS })).slice(1));
  const same = lanes.filter({ has: button(page, `#${number}`) });
  const pressed = same.getByRole('button', { name: 'Abort' }).click({ timeout: PATIENCE_MS / 10 });
  if (!(await pressed.then(() => true, () => false))) return null;
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('heading', { name: `Abort the evaluation: candidate #${number}` }).waitFor({ timeout: PATIENCE_MS });
  await dialog.getByLabel('Reason, for the log').fill(reason);
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  const refused = async () => (await dialog.getByRole('alert').count()) > 0;
  await until('the daemon answered', async () => (await dialog.count()) === 0 || refused());
  if ((await dialog.count()) > 0) {
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    return null;
  }
  await same.waitFor({ state: 'detached', timeout: PATIENCE_MS });
  return number;
}

/** An evaluation that hangs is ended from Fleet, with a reason, and the run goes on; the log says both. */
async function aborting(page) {
  run = (await daemon.begin(HANGING)).run;
  await visit(page, `run=${run}&place=fleet`);
  const aborted = [];
  // Two of them: the second shows that the lane of the first works again.
  for (const reason of [`${REASON}, it hangs`, `${REASON}, this one too`]) {
    aborted.push({ number: await until('an evaluation was aborted', () => abortOne(page, reason)), reason });
  }
  for (const { number, reason } of aborted) {
    const id = `${run}-${number}`;
    const log = await until(`the verdict on #${number}`, async () => {
      const all = await daemon.log(run);
      return all.some(({ event_type, modification_id }) => event_type === 'improvement_rejected' && modification_id === id) && all;
    });
    const of = (type) => log.find(({ event_type, modification_id }) => event_type === type && modification_id === id)?.data;
    check(of('control_received')?.reason === reason, `Abort: the command for #${number} stands in the log with its reason`);
    check(of('evaluation_failed')?.aborted === true, `Abort: the log says that the evaluation of #${number} was aborted`);
    const { gate, reason: why } = of('improvement_rejected');
    check(gate === 'aborted' && why.includes(reason), `Abort: #${number} was rejected for it: ${why}`);
  }
  const told = await daemon.run(run);
  check(told.state === 'running' && told.breakers.evaluator.state === 'closed', 'Abort: the run goes on, no breaker minds');
  await visit(page, `run=${run}&place=alerts`);
  await page.getByRole('table', { name: 'Commands' }).getByText(aborted[1].reason).waitFor({ timeout: PATIENCE_MS });
  check((await page.locator('.alert').count()) === 0, 'Abort: the page shows the command, and no alert');
  await visit(page, `run=${run}&place=run&pick=${aborted[0].number}`);
  await page.locator('.gates .broke').filter({ hasText: 'aborted' }).waitFor({ timeout: PATIENCE_MS });
  check(true, `Abort: the inspector says why #${aborted[0].number} was rejected`);
}

async function stopping(page) {
  await button(page, 'Stop').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Confirm' }).click();
  await phase(page, 'Stopped');
  const told = await until('the API says stopped', async () => {
    const now = await daemon.run(run);
    return now.state === 'stopped' && now;
  });
  check(told.state === 'stopped', 'Stop: stopped on both sides');
  await visit(page, 'place=alerts');
  await page.getByText('stop evolution').first().waitFor({ timeout: PATIENCE_MS });
  check(true, 'Stop: the command stands among those given');
}

async function suite() {
  await daemon.start();
  const begun = await daemon.evolve(EXAMPLE, SECOND_GOAL);
  if (begun.run === null) {
    console.log(`skipped: ${begun.why}`);
    return;
  }
  run = begun.run;
  // Every name but the daemon's address fails to resolve: the page has to do without a network.
  browser = await launch(['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']);
  const { page, faults, foreign } = await open(browser, daemon.url);
  await until('a champion was found', async () => (await daemon.run(run)).champion?.number > 0);
  await growsBeyond(page, 7);
  await pausing(page);
  await rollingBack(page);
  await pinning(page);
  await accessible();
  await resuming(page, 'Resume');
  await beingKilled(page);
  await resuming(page, 'after kill -9');
  await stopping(page);
  await aborting(page);
  await stopping(page);
  check(foreign.length === 0, `the page asked nobody but its daemon ${foreign.join(' ')}`);
  const meant = faults.filter((fault) => !/WebSocket|ERR_CONNECTION/.test(fault));
  check(meant.length === 0, `no errors in the console ${meant.join(' | ')}`);
}

async function finish() {
  clearTimeout(watchdog);
  await browser?.close().catch(() => {});
  await daemon.end();
}

function fail(error) {
  console.error(`FAILED: ${error.stack ?? error}`);
  process.exitCode = 1;
  return finish().finally(() => process.exit());
}

await suite().then(finish, fail);
