// Accessibility by axe-core on every place and dialog, wide and narrow, light and dark: nothing serious or critical.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { check, daemon, launch, open } from './browser.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await launch();
const served = await daemon({ logs: ['broken_toolbox', 'small_or_fast'] });

async function audit(page, name) {
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.slice(0, 3).map((node) => node.target.join(' ')) }));
  });
  const grave = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  check(grave.length === 0, `${name}: ${grave.length} serious or critical ${grave.length > 0 ? JSON.stringify(grave) : ''}`);
  const mild = found.filter(({ impact }) => !['serious', 'critical'].includes(impact));
  if (mild.length > 0) console.log(`   milder: ${mild.map(({ id, where }) => `${id} (${where[0]})`).join(', ')}`);
}

for (const theme of ['light', 'dark']) {
  for (const width of [1600, 390]) {
    const { page, close } = await open(browser, served.url, { width, height: width < 720 ? 844 : 1000, theme });
    // The page's policy refuses inline scripts, as it should; evaluation by the debugger is not subject to it.
    await page.evaluate(axe);
    for (const place of ['run', 'candidates', 'front', 'fleet', 'alerts']) {
      for (const tab of place === 'run' ? ['summary', 'diff', 'log', 'files'] : ['summary']) {
        await page.evaluate((view) => (location.hash = view), `#place=${place}&tab=${tab}`);
        await page.waitForTimeout(350);
        await audit(page, `${place}/${tab} ${width} ${theme}`);
      }
    }
    await page.evaluate(() => (location.hash = '#place=run&mode=table'));
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
