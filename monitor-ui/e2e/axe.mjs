// Accessibility by axe-core on every place and dialog, wide and narrow, light and dark: nothing serious or critical.
import { audit, prepare } from './audit.mjs';
import { daemon, launch, open } from './browser.mjs';

const browser = await launch();
const served = await daemon({ logs: ['broken_toolbox', 'small_or_fast'] });

for (const theme of ['light', 'dark']) {
  for (const width of [1600, 390]) {
    const { page, close } = await open(browser, served.url, { width, height: width < 720 ? 844 : 1000, theme });
    await prepare(page);
    for (const place of ['run', 'candidates', 'front', 'fleet', 'alerts']) {
      for (const tab of place === 'run' ? ['summary', 'diff', 'log', 'files'] : ['summary']) {
        await page.evaluate((view) => (location.hash = view), `#place=${place}&tab=${tab}`);
        await page.waitForTimeout(350);
        await audit(page, `${place}/${tab} ${width} ${theme}`);
      }
    }
    await page.evaluate(() => (location.hash = '#place=run&twin=1'));
    await page.waitForTimeout(300);
    await audit(page, `table twin ${width} ${theme}`);
    await page.keyboard.press('?');
    await audit(page, `help ${width} ${theme}`);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await audit(page, `palette ${width} ${theme}`);
    await page.keyboard.press('Escape');
    await close();
  }
}
await browser.close();
served.stop();
