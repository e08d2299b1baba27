// How the page bears a large run of a real daemon: the engine drives a simulated run of so many candidates into a data folder
// that the daemon serves, and goes on writing at a few hundred events a second while the page is measured. What the engine takes
// to make the run is no part of it, and it stands still until the first picture is there.
//   DARWIND=../target/debug/darwind node e2e/large.mjs [candidates]
import { spawn } from 'node:child_process';
import { launch } from './browser.mjs';
import { measure } from './measure.mjs';
import { RealDaemon } from './real-daemon.mjs';

const candidates = Number(process.argv[2] ?? 100_000);
/** More than so many are never needed while the page is measured. */
const MORE = 100_000;
/** How long the engine may take until the run is large, and how often it is looked at, milliseconds. */
const LIMIT_MS = 3_600_000;
const LOOK_MS = 2000;
/** While the page is measured the engine runs for so long in each stretch, milliseconds: a few hundred events a second. */
const STRETCH_MS = 250;
const RUNS_MS = 25;

if (!process.env.DARWIND) {
  console.log('skipped: DARWIND does not name the binary');
  process.exit(0);
}
const daemon = new RealDaemon(process.env.DARWIND);
await daemon.start();
const engine = spawn(process.env.DARWIND, ['bench', 'engine', '--keep', '--contained', '0', '--candidates', String(candidates + MORE)], {
  env: { ...process.env, DARWIND_DATA_DIR: daemon.data },
  stdio: 'ignore',
});
const ended = new Promise((end) => engine.once('exit', end));
try {
  const size = await grown();
  engine.kill('SIGSTOP');
  console.log(`the engine has recorded ${size} evaluations`);
  const browser = await launch();
  const pulse = () => {
    engine.kill('SIGCONT');
    setTimeout(() => engine.kill('SIGSTOP'), RUNS_MS);
  };
  let beat;
  await measure(browser, daemon.url, { candidates, stream: () => (beat = setInterval(pulse, STRETCH_MS)), picture: 'shots/large.png' });
  clearInterval(beat);
  await browser.close();
} finally {
  engine.kill('SIGKILL');
  await ended;
  await daemon.end();
}

/** Waits until the run is large enough; resolves with how many evaluations it has. */
async function grown() {
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; ) {
    const { runs } = await daemon.get('runs');
    const done = runs[0]?.evaluations ?? 0;
    if (done >= candidates) return done;
    if (engine.exitCode !== null) throw new Error('the engine has ended');
    await new Promise((next) => setTimeout(next, LOOK_MS));
  }
  throw new Error(`no ${candidates} evaluations after ${LIMIT_MS / 1000} s`);
}
