// How the page bears a large run: time to the first picture, main-thread processor time a frame while events arrive and while
// somebody also pans and zooms, and memory. Against a synthetic run; prints figures and says whether they are in bounds.
//   node e2e/bench.mjs [candidates] [events per second]
import { check, daemon, launch } from './browser.mjs';

const candidates = Number(process.argv[2] ?? 100_000);
const rate = Number(process.argv[3] ?? 500);
const SECONDS = 8;
const browser = await launch();
const { startMock } = await import('../dev/mock-daemon.mjs');
void daemon;
const mock = await startMock({ logs: [], synthetic: candidates, rate });
const context = await browser.newContext({ viewport: { width: 1600, height: 1000 } });
const page = await context.newPage();
const session = await context.newCDPSession(page);
await session.send('Performance.enable', { timeDomain: 'threadTicks' });

async function metrics() {
  const { metrics: list } = await session.send('Performance.getMetrics');
  return Object.fromEntries(list.map(({ name, value }) => [name, value]));
}

await page.addInitScript(() => {
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
});
const begun = Date.now();
await page.goto(`${mock.url}#t=mock`);
const first = await page.waitForFunction(
  (wanted) => {
    const shown = Number(document.querySelector('[data-figure="evaluations"]')?.textContent ?? 0);
    return shown >= wanted ? performance.now() - window.opened_ : false;
  },
  candidates - 1,
  { polling: 'raf' },
);
const firstPicture = await first.jsonValue();
console.log(`${candidates} candidates, ${rate} events/s, ${SECONDS} s each; load ${(await import('node:os')).loadavg()[0].toFixed(1)}`);
console.log(`first picture: ${Math.round(firstPicture)} ms after the socket opened, ${Date.now() - begun} ms after navigation`);

async function measure(name, act) {
  await page.waitForTimeout(500);
  const before = await metrics();
  const framesBefore = await page.evaluate(() => window.frames_);
  const started = Date.now();
  while (Date.now() - started < SECONDS * 1000) await act();
  const after = await metrics();
  const frames = (await page.evaluate(() => window.frames_)) - framesBefore;
  const cpu = (after.TaskDuration - before.TaskDuration) * 1000;
  const script = (after.ScriptDuration - before.ScriptDuration) * 1000;
  const seconds = (Date.now() - started) / 1000;
  console.log(`${name}: ${(cpu / frames).toFixed(2)} ms of main-thread CPU a frame (script ${(script / frames).toFixed(2)}), ${(frames / seconds).toFixed(1)} frames/s`);
  return cpu / frames;
}

const box = await page.locator('.lin .plot').boundingBox();
const stream = await measure('streaming', () => page.waitForTimeout(200));
let angle = 0;
await page.mouse.move(box.x + box.width / 2, box.y + box.height / 3);
await page.mouse.down();
const pan = await measure('streaming and panning', async () => {
  angle += 0.25;
  await page.mouse.move(box.x + box.width / 2 + Math.cos(angle) * 160, box.y + box.height / 3 + Math.sin(angle) * 60);
  await page.waitForTimeout(12);
});
await page.mouse.up();
let turn = 0;
const zoom = await measure('streaming and zooming', async () => {
  await page.mouse.wheel(0, Math.sin(turn++ / 12) * 60);
  await page.waitForTimeout(12);
});
const heap = (await metrics()).JSHeapUsedSize / 1e6;
console.log(`JavaScript heap: ${heap.toFixed(1)} MB`);
check(firstPicture < 2000, 'first picture under two seconds');
check(Math.max(stream, pan, zoom) < 8, 'under 8 ms of main-thread CPU a frame');
await page.screenshot({ path: 'shots/bench.png' }).catch(() => {});
await browser.close();
mock.stop();
