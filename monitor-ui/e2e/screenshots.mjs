// Pictures of every place, wide and narrow, light and dark, into shots/. For a person to look at.
//   node e2e/screenshots.mjs [place...]
import { mkdirSync } from 'node:fs';
import { daemon, launch, open } from './browser.mjs';

const wanted = process.argv.slice(2);
const PLACES = ['run', 'candidates', 'front', 'fleet', 'alerts'];
const log = process.env.LOG ?? 'small_or_fast';
mkdirSync('shots', { recursive: true });
const browser = await launch();
const served = await daemon({ logs: [log, 'slow_report', 'broken_toolbox'] });
for (const place of PLACES.filter((one) => wanted.length === 0 || wanted.includes(one))) {
  for (const theme of ['light', 'dark']) {
    for (const width of [1600, 390]) {
      const { page, faults, close } = await open(browser, served.url, { width, height: width < 720 ? 844 : 1000, theme, view: `place=${place}&${process.env.VIEW ?? ''}` });
      await page.waitForTimeout(400);
      await page.screenshot({ path: `shots/${process.env.NAME ?? ''}${place}-${width}-${theme}.png`, fullPage: width < 720 });
      if (faults.length > 0) console.log(place, theme, width, faults);
      await close();
    }
  }
}
await browser.close();
served.stop();
