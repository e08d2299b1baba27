// One look at a page by axe-core: what is serious or critical fails, what is milder is told.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { check } from './browser.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** The page's policy refuses inline scripts, as it should; evaluation by the debugger is not subject to it. */
export const prepare = (page) => page.evaluate(AXE);

export async function audit(page, name) {
  const found = await page.evaluate(async (rules) => {
    const { violations } = await window.axe.run(document, { runOnly: rules });
    return violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.slice(0, 3).map((node) => node.target.join(' ')) }));
  }, RULES);
  const isGrave = ({ impact }) => impact === 'serious' || impact === 'critical';
  const grave = found.filter(isGrave);
  check(grave.length === 0, `${name}: ${grave.length} serious or critical ${grave.length > 0 ? JSON.stringify(grave) : ''}`);
  const mild = found.filter((one) => !isGrave(one));
  if (mild.length > 0) console.log(`   milder: ${mild.map(({ id, where }) => `${id} (${where[0]})`).join(', ')}`);
}
