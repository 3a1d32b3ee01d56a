// SPDX-License-Identifier: MIT
// Chromium for the tests, and their tiny harness.
import { chromium } from 'playwright-core';

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 820 };

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-first-run', '--disable-quic', '--autoplay-policy=no-user-gesture-required'],
});

const cases = [];
export const test = (name, run) => cases.push({ name, run });

export function expect(condition, what) {
  if (!condition) throw new Error(`expected: ${what}`);
}

export function equal(got, want, what) {
  if (got !== want) throw new Error(`${what}: want ${JSON.stringify(want)}, got ${JSON.stringify(got)}`);
}

/** A page that fails the test where it logs an error or asks another server. */
export async function openPage(browser, url, viewport = DESKTOP, options = {}) {
  const context = await browser.newContext({ viewport, colorScheme: 'light', hasTouch: viewport === PHONE, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10000);
  page.problems = [];
  page.on('console', (m) => { if (m.type() === 'error' || m.type() === 'warning') page.problems.push(m.text()); });
  page.on('pageerror', (e) => page.problems.push(String(e)));
  page.on('request', (r) => { if (new URL(r.url()).origin !== new URL(url).origin) page.problems.push(`foreign request ${r.url()}`); });
  await page.goto(url);
  return page;
}

export async function closePage(page) {
  const { problems } = page;
  await page.context().close();
  equal(problems.join('\n'), '', 'console errors');
}

export async function runAll() {
  const part = process.argv[2] ?? '';
  const browser = await launch();
  let passed = 0, failed = 0;
  for (const { name, run } of cases.filter((c) => c.name.includes(part))) {
    let timer;
    try {
      await Promise.race([run(browser),
        new Promise((_, no) => { timer = setTimeout(() => no(new Error('took longer than 60 s')), 60000); })]);
      passed++;
      console.log(`ok   ${name}`);
    } catch (error) {
      failed++;
      console.log(`     ${error.message.split('\n').slice(0, 12).join('\n     ')}\nFAIL ${name}`);
    }
    clearTimeout(timer);
  }
  await browser.close();
  return { passed, failed };
}
