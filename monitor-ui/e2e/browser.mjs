// Debian's Chromium under playwright-core, on a page that a mock or a real daemon serves. With DARWIND_URL (its token in the
// fragment) the scripts look at a real daemon; without it they start a mock.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { startMock } from '../dev/mock-daemon.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

export async function launch(more = []) {
  if (!existsSync(CHROMIUM)) {
    console.log(`skipped: no Chromium at ${CHROMIUM}; set CHROMIUM to one`);
    process.exit(0);
  }
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', ...more] });
}

/** The daemon to look at: `{ url, mock }`, where `url` carries the token and `mock` is null for a real one. */
export async function daemon(options) {
  if (process.env.DARWIND_URL) return { url: process.env.DARWIND_URL, mock: null, stop() {} };
  const mock = await startMock(options);
  return { url: `${mock.url}#t=mock`, mock, stop: mock.stop };
}

/** A page of a width and theme that reports what goes wrong in it and whom else it asks. */
export async function open(browser, url, { width = 1600, height = 1000, theme = 'light', view = '' } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce', hasTouch: width < 720 });
  const page = await context.newPage();
  const faults = [];
  const foreign = [];
  const { origin } = new URL(url);
  page.on('request', (request) => /^(https?|wss?):/.test(request.url()) && new URL(request.url()).origin !== origin && foreign.push(request.url()));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  await page.goto(view ? `${url}&${view}` : url);
  await page.waitForSelector('[data-figure="evaluations"]');
  await page.waitForFunction(() => /Running|Paused|Finished|Stopped|Failed/.test(document.querySelector('.state')?.textContent ?? ''));
  return { page, faults, foreign, close: () => context.close() };
}

export function check(condition, words) {
  if (!condition) {
    console.error(`FAILED: ${words}`);
    process.exitCode = 1;
  } else {
    console.log(`ok: ${words}`);
  }
}
