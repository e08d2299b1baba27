// How the page bears a large run: time to the first picture, main-thread processor time a frame while events arrive and while
// somebody also pans and zooms, and memory. It prints figures and says whether they are in bounds.
import { loadavg } from 'node:os';
import { check } from './browser.mjs';

/** How long each measurement lasts, seconds. */
const SECONDS = 8;
/** What is still good: milliseconds until the first picture, and of main-thread processor time a frame. */
const FIRST_PICTURE_MS = 2000;
const FRAME_MS = 8;
/** How long the first picture may take until the measurement is given up, milliseconds. */
const PATIENCE_MS = 120_000;

/** Opens the page at `url` and measures; `stream` lets events flow once the first picture is there. */
export async function measure(browser, url, { candidates, stream = () => {}, picture }) {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const metrics = async () => {
    const { metrics: list } = await session.send('Performance.getMetrics');
    return Object.fromEntries(list.map(({ name, value }) => [name, value]));
  };
  await page.addInitScript(watchFrames);
  const begun = Date.now();
  await page.goto(url);
  const first = await page.waitForFunction(
    (wanted) => {
      const shown = Number(document.querySelector('[data-figure="evaluations"]')?.textContent ?? 0);
      return shown >= wanted ? performance.now() - window.opened_ : false;
    },
    candidates - 1,
    { polling: 'raf', timeout: PATIENCE_MS },
  );
  const firstPicture = await first.jsonValue();
  console.log(`${candidates} candidates, ${SECONDS} s each; load ${loadavg()[0].toFixed(1)}`);
  console.log(`first picture: ${Math.round(firstPicture)} ms after the socket opened, ${Date.now() - begun} ms after navigation`);
  stream();

  const during = async (name, act) => {
    await page.waitForTimeout(500);
    const look = () => page.evaluate(() => [window.frames_, Number(document.querySelector('[data-figure="seq"]')?.textContent ?? 0)]);
    const before = await metrics();
    const [framesBefore, seqBefore] = await look();
    const started = Date.now();
    while (Date.now() - started < SECONDS * 1000) await act();
    const after = await metrics();
    const seconds = (Date.now() - started) / 1000;
    const [frames, seq] = await look();
    const a = (of) => ((after[of] - before[of]) * 1000) / (frames - framesBefore);
    const [rate, events] = [(frames - framesBefore) / seconds, (seq - seqBefore) / seconds];
    console.log(`${name}: ${a('TaskDuration').toFixed(2)} ms of main-thread CPU a frame (script ${a('ScriptDuration').toFixed(2)}), ${rate.toFixed(1)} frames/s, ${Math.round(events)} events/s`);
    return a('TaskDuration');
  };
  const box = await page.locator('.lin .plot').boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 3];
  const streaming = await during('streaming', () => page.waitForTimeout(200));
  let angle = 0;
  await page.mouse.move(x, y);
  await page.mouse.down();
  const panning = await during('streaming and panning', async () => {
    angle += 0.25;
    await page.mouse.move(x + Math.cos(angle) * 160, y + Math.sin(angle) * 60);
    await page.waitForTimeout(12);
  });
  await page.mouse.up();
  let turn = 0;
  const zooming = await during('streaming and zooming', async () => {
    await page.mouse.wheel(0, Math.sin(turn++ / 12) * 60);
    await page.waitForTimeout(12);
  });
  console.log(`JavaScript heap: ${((await metrics()).JSHeapUsedSize / 1e6).toFixed(1)} MB`);
  check(firstPicture < FIRST_PICTURE_MS, 'first picture under two seconds');
  check(Math.max(streaming, panning, zooming) < FRAME_MS, `under ${FRAME_MS} ms of main-thread CPU a frame`);
  await page.screenshot({ path: picture }).catch(() => {});
  await context.close();
}

/** Counts frames and notes when the socket opened; runs in the page before anything else. */
function watchFrames() {
  window.frames_ = 0;
  const Original = window.WebSocket;
  window.WebSocket = class extends Original {
    constructor(...all) {
      super(...all);
      this.addEventListener('open', () => (window.opened_ ??= performance.now()));
    }
  };
  const count = () => {
    window.frames_ += 1;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);
}
