// SPDX-License-Identifier: MIT
// The page against a made-up server: what a real one cannot be made to show at will.
import { test, expect, equal, openPage, closePage, PHONE, DESKTOP } from './browser.mjs';
import { FakeServer } from './fake_server.mjs';
import { HOSTILE } from './media.mjs';

async function withServer(options, run) {
  const server = new FakeServer(options);
  await server.start();
  try { await run(server); } finally { await server.stop(); }
}

const texts = (page, selector) => page.locator(selector).allTextContents();

test('titles with HTML and quotes are shown as text', (browser) => withServer({ titles: [HOSTILE] }, async (server) => {
  const page = await openPage(browser, `${server.url}/#/AT`);
  await page.waitForSelector('.track');
  equal((await texts(page, '.track-title'))[0], HOSTILE, 'title');
  await page.click('.track >> nth=0');
  await page.waitForFunction(() => !document.getElementById('player').hidden);
  equal(await page.textContent('#now-title'), HOSTILE, 'title in the bar');
  equal(await page.evaluate(() => window.hacked), undefined, 'script from a title');
  equal(await page.locator('main img[src="x"]').count(), 0, 'elements from a title');
  await closePage(page);
}));

test('long lists load as one scrolls, and going back returns to the place', (browser) => withServer({ tracks: 450 }, async (server) => {
  const page = await openPage(browser, `${server.url}/#/A`);
  await page.click('.row >> text=All Music');
  await page.waitForSelector('.track');
  expect(await page.locator('.track').count() <= 200, 'not everything at once');
  for (let i = 0; i < 30 && await page.locator('.track').count() < 450; i++) {
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await page.waitForTimeout(100);
  }
  equal(await page.locator('.track').count(), 450, 'tracks after scrolling');
  equal(new Set(await texts(page, '.track-title')).size, 450, 'different tracks');
  const at = await page.evaluate(() => { window.scrollTo(0, 9000); return window.scrollY; });
  await page.click('#crumbs a >> nth=1');
  await page.waitForSelector('.row');
  await page.goBack();
  await page.waitForSelector('.track');
  await page.waitForFunction((y) => Math.abs(window.scrollY - y) < 60, at);
  await closePage(page);
}));

test('crumbs and the back button lead where they say', (browser) => withServer({}, async (server) => {
  const page = await openPage(browser, server.url);
  await page.click('.tile >> text=Music');
  await page.click('.row >> text=Albums');
  await page.click('.card >> text=Salt & Slate');
  await page.waitForSelector('.track');
  equal((await texts(page, '#crumbs li')).join(' > '), 'Home > Music > Albums > Salt & Slate', 'crumbs');
  equal(await page.textContent('h1'), 'Salt & Slate', 'heading');
  await page.goBack();
  await page.waitForSelector('.card');
  equal(await page.textContent('h1'), 'Albums', 'heading after back');
  await page.click('#crumbs a >> text=Home');
  await page.waitForSelector('.tile');
  await closePage(page);
}));

test('the end of a song brings the next one, beyond the loaded page too', (browser) => withServer({ tracks: 130 }, async (server) => {
  const page = await openPage(browser, `${server.url}/#/AT`);
  await page.waitForSelector('.track');
  await page.click('.track >> nth=97');
  await page.waitForFunction(() => document.getElementById('now-title').textContent === 'Song 101', null, { timeout: 20000 });
  await page.click('#prev');
  equal(await page.textContent('#now-title'), 'Song 100', 'previous');
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
  await page.waitForFunction(() => document.querySelectorAll('.track').length === 130);
  equal(new Set(await texts(page, '.track-title')).size, 130, 'each song listed once');
  await page.click('#queue-toggle');
  equal((await texts(page, '.queue-title'))[1], 'Song 101', 'next in the queue');
  await page.keyboard.press('Escape');
  expect(await page.isHidden('#queue'), 'queue closed by Escape');
  await closePage(page);
}));

test('scan progress is shown live and goes away', (browser) => withServer({}, async (server) => {
  server.scan = { scanning: true, found: 1000, stored: 100, unchanged: 0, failed: 0 };
  const page = await openPage(browser, server.url);
  await page.waitForSelector('#scan:not([hidden])');
  expect((await page.textContent('#scan-text')).includes('100 of 1,000'), 'first figures');
  expect(!(await page.textContent('#scan-text')).includes('left'), 'no guess where nobody can tell');
  server.scan = { ...server.scan, leftMs: 90000 };
  await page.waitForFunction(() => document.getElementById('scan-text').textContent.includes('2 minutes left'));
  server.scan = { ...server.scan, stored: 900 };
  await page.waitForFunction(() => document.getElementById('scan-text').textContent.includes('900 of'));
  equal(await page.evaluate(() => document.getElementById('scan-bar').value), 900, 'bar');
  server.scan = { ...server.scan, scanning: false };
  await page.waitForSelector('#scan', { state: 'hidden' });
  const asked = server.requests.length;
  await page.waitForTimeout(4000);
  expect(server.requests.length - asked <= 1, 'seldom asked when nothing happens');
  await closePage(page);
}));

test('new entries appear by themselves', (browser) => withServer({}, async (server) => {
  server.scan.scanning = true;
  const page = await openPage(browser, `${server.url}/#/d1`);
  await page.waitForSelector('.row');
  server.container('d77', 'd1', 'Just arrived', 'folder');
  server.commit++;
  await page.waitForSelector('.row >> text=Just arrived');
  await closePage(page);
}));

test('a list that has not changed is left alone', (browser) => withServer({}, async (server) => {
  server.scan.scanning = true;
  const page = await openPage(browser, `${server.url}/#/AL`);
  await page.waitForSelector('.card');
  await page.evaluate(() => { document.querySelector('.card').marked = true; });
  server.commit++;
  await page.waitForTimeout(4000);
  expect(await page.evaluate(() => document.querySelector('.card').marked), 'the same elements');
  await closePage(page);
}));

test('shuffle plays every song of the list once', (browser) => withServer({ tracks: 150 }, async (server) => {
  const page = await openPage(browser, `${server.url}/#/AT`);
  await page.click('#shuffle-all');
  await page.waitForFunction(() => document.getElementById('now-title').textContent !== '');
  await page.click('#queue-toggle');
  await page.waitForSelector('.queue-title');
  const queue = await texts(page, '.queue-title');
  equal(new Set(queue).size, 100, 'different songs in the queue');
  expect(queue.some((t) => Number(t.slice(5)) > 100), 'songs of the second page, too');
  await closePage(page);
}));

test('a server that goes away is told, and its return noticed', (browser) => withServer({}, async (server) => {
  server.scan.scanning = true;
  const page = await openPage(browser, server.url);
  await page.waitForSelector('.tile');
  const { port } = server.server.address();
  await server.stop();
  await page.waitForSelector('#notice:not([hidden])');
  await page.evaluate(() => { location.hash = '#/AL'; });
  await page.waitForSelector('.empty');
  await server.start(port);
  await page.waitForSelector('#notice', { state: 'hidden' });
  await page.waitForSelector('.albums .card');
  equal(await page.textContent('.head-facts'), '12 albums', 'what is counted');
  page.problems = page.problems.filter((p) => !p.includes('ERR_CONNECTION'));
  await closePage(page);
}));

test('what is gone says so and offers a way on', (browser) => withServer({}, async (server) => {
  const page = await openPage(browser, `${server.url}/#/d999`);
  await page.waitForSelector('.empty');
  expect((await page.textContent('.empty')).includes('not here any more'), 'text');
  await page.click('text=Start page');
  await page.waitForSelector('.tile');
  page.problems = page.problems.filter((p) => !p.includes('404'));
  await closePage(page);
}));

test('results appear as one types, with their exact number, and songs of them play', (browser) => withServer({ tracks: 450 }, async (server) => {
  const page = await openPage(browser, `${server.url}/#/AL`);
  await page.waitForSelector('.card');
  await page.type('#search', 'song', { delay: 10 });
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === '450 results');
  equal(await page.evaluate(() => document.activeElement.id), 'search', 'one goes on typing');
  equal(server.requests.filter((r) => r === '/api/v1/search').length, 1, 'requests for four quick keys');
  expect(await page.locator('.track').count() <= 200, 'not everything at once');
  await page.fill('#search', 'SONG 449');
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === '1 result');
  await page.keyboard.press('Enter');
  equal(await page.evaluate(() => document.activeElement.className), 'track', 'Enter goes to the results');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.getElementById('now-title').textContent === 'Song 449');
  await page.fill('#search', '');
  await page.waitForSelector('.card');
  equal(await page.evaluate(() => location.hash), '#/AL', 'an empty box leads back');
  await closePage(page);
}));

test('a search is an address, and back returns to it', (browser) => withServer({}, async (server) => {
  const page = await openPage(browser, `${server.url}/#/search?q=quiet%20rooms`);
  await page.waitForSelector('.card');
  equal(await page.inputValue('#search'), 'quiet rooms', 'text in the box');
  await page.click('.card >> text=Quiet Rooms');
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'Quiet Rooms');
  equal(await page.inputValue('#search'), '', 'box of an album');
  await page.goBack();
  await page.waitForFunction(() => document.querySelector('h1')?.textContent.endsWith('results'));
  equal(await page.inputValue('#search'), 'quiet rooms', 'text in the box again');
  await page.fill('#search', 'img_100');
  await page.click('.thumb >> nth=1');
  await page.waitForSelector('#viewer[open]');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#viewer', { state: 'hidden' });
  equal(await page.evaluate(() => location.hash), '#/search?q=img_100', 'address after closing');
  await closePage(page);
}));

test('an answer that comes late does not replace a newer one', (browser) => withServer({}, async (server) => {
  server.searchDelayMs = (words) => (words[0] === 'morning' ? 1500 : 0);
  const page = await openPage(browser, server.url);
  await page.fill('#search', 'morning');
  await page.waitForTimeout(400);
  await page.fill('#search', 'summer');
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === '1 result');
  await page.waitForTimeout(1500);
  equal(await page.textContent('h1'), '1 result', 'what is shown');
  await closePage(page);
}));

test('a search without results, or with too many words, says so', (browser) => withServer({}, async (server) => {
  const page = await openPage(browser, server.url);
  await page.waitForSelector('.tile');
  await page.keyboard.press('/');
  await page.keyboard.type(HOSTILE.slice(0, 60));
  await page.waitForSelector('.empty');
  expect((await page.textContent('.empty')).includes('Nothing has all of these words'), 'text');
  equal(await page.locator('main img[src="x"]').count(), 0, 'elements from what was typed');
  await page.fill('#search', 'a '.repeat(20));
  await page.waitForFunction(() => document.querySelector('.empty')?.textContent.includes('too much'));
  await page.keyboard.press('Escape');
  await page.waitForSelector('.tile');
  page.problems = page.problems.filter((p) => !p.includes('400'));
  await closePage(page);
}));

test('pictures open, move and close by keyboard and by back', (browser) => withServer({}, async (server) => {
  const page = await openPage(browser, `${server.url}/#/IT`);
  await page.click('.thumb >> nth=1');
  await page.waitForSelector('#viewer[open] img');
  equal(await page.textContent('#viewer-title'), 'IMG_1001', 'title');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.getElementById('viewer-title').textContent === 'IMG_1002');
  await page.keyboard.press('Escape');
  await page.waitForSelector('#viewer', { state: 'hidden' });
  equal(await page.evaluate(() => location.hash), '#/IT', 'address after closing');
  await page.click('.thumb >> nth=0');
  await page.waitForSelector('#viewer[open]');
  await page.goBack();
  await page.waitForSelector('#viewer', { state: 'hidden' });
  equal(await page.textContent('h1'), 'All Pictures', 'still in the list');
  await closePage(page);
}));

test('everything can be reached with the keyboard alone', (browser) => withServer({}, async (server) => {
  const page = await openPage(browser, server.url);
  await page.waitForSelector('.tile');
  await page.keyboard.press('Tab');
  equal(await page.evaluate(() => document.activeElement.className), 'skip', 'first stop');
  await page.focus('.tile-F');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.row');
  await page.focus('.row');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.row >> text=2019');
  await page.focus('.row >> nth=0');
  await page.keyboard.press('ArrowDown');
  equal(await page.evaluate(() => document.activeElement.dataset.id), 'd3', 'one down');
  await page.keyboard.press('ArrowUp');
  equal(await page.evaluate(() => document.activeElement.dataset.id), 'd2', 'one up');
  await closePage(page);
}));

for (const [name, viewport] of [['a phone', PHONE], ['a narrow phone', { width: 320, height: 640 }], ['a desktop', DESKTOP]]) {
  test(`nothing sticks out sideways on ${name}`, (browser) => withServer({ titles: ['W'.repeat(300), HOSTILE.repeat(5)] }, async (server) => {
    server.scan = { scanning: true, found: 123456, stored: 1, unchanged: 0, failed: 0 };
    server.container('dlong', 'F', 'X'.repeat(200), 'folder');
    const page = await openPage(browser, server.url, viewport);
    for (const id of ['0', 'A', 'AL', 'al0', 'AT', 'VT', 'IT', 'F', 'dlong', 'd1', 'search?q=w', 'search?q=XXX', 'search?q=nothing']) {
      await page.goto(`${server.url}/#/${id}`);
      await page.waitForFunction(() => document.getElementById('content').getAttribute('aria-busy') === 'false');
      await page.waitForTimeout(60);
      if (id === 'AT') await page.click('.track >> nth=0');
      const [inner, whole] = await page.evaluate(() => [window.innerWidth, document.documentElement.scrollWidth]);
      expect(whole <= inner, `${id}: width ${whole} within ${inner}`);
    }
    await closePage(page);
  }));
}

test('buttons and pictures have names for screen readers', (browser) => withServer({}, async (server) => {
  const page = await openPage(browser, `${server.url}/#/IT`);
  await page.waitForSelector('.thumb');
  const nameless = await page.evaluate(() => [...document.querySelectorAll('button, a, input, img')]
    .filter((n) => !(n.textContent.trim() || n.getAttribute('aria-label') || n.hasAttribute('alt') || n.labels?.length))
    .map((n) => n.outerHTML.slice(0, 90)));
  equal(nameless.join('\n'), '', 'elements without a name');
  await closePage(page);
}));
