// How the page bears a large run, against a synthetic one: quick to make, and the same everywhere.
//   node e2e/bench.mjs [candidates] [events per second]
import { startMock } from '../dev/mock-daemon.mjs';
import { launch } from './browser.mjs';
import { measure } from './measure.mjs';

const candidates = Number(process.argv[2] ?? 100_000);
const rate = Number(process.argv[3] ?? 500);
const browser = await launch();
const mock = await startMock({ logs: [], synthetic: candidates, rate });
await measure(browser, `${mock.url}#t=mock`, { candidates, picture: 'shots/bench.png' });
await browser.close();
mock.stop();
