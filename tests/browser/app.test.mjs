// SPDX-License-Identifier: MIT
// The page against the real server with a small library of real files.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, expect, equal, openPage, closePage, PHONE, DESKTOP } from './browser.mjs';
import { makeMedia, HOSTILE } from './media.mjs';

const ROOT = new URL('../../', import.meta.url).pathname;

/** The program to test: $SALVER, else the newest build. */
export function program() {
  const all = [process.env.SALVER, `${ROOT}build/release/salver`, `${ROOT}build/dev/salver`];
  return all.find((p) => p && existsSync(p));
}

let running = null;

/** The server on loopback, started once, with everything scanned. */
async function server() {
  if (running) return running;
  if (!program()) throw new Error('there is no server to test: build it first, or name one in SALVER');
  const dir = await mkdtemp(join(tmpdir(), 'salver-browser-'));
  const media = join(dir, 'media');
  await mkdir(join(dir, 'db'));
  const made = await makeMedia(media);
  const child = spawn(program(), ['--interface', 'lo', '--port', '0', '--name', 'Attic', '--database', join(dir, 'db'), media],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, HOME: dir, XDG_CONFIG_HOME: dir } });
  const url = await new Promise((done, no) => {
    let said = '';
    child.stdout.on('data', (bytes) => {
      said += bytes;
      const found = said.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (found) done(found[0]);
    });
    child.on('exit', (code) => no(new Error(`the server ended with ${code}: ${said}`)));
  });
  running = { url, child, dir, made };
  for (let i = 0; i < 300; i++) {
    const s = await (await fetch(`${url}/api/v1/status`)).json();
    const { audio, videos, images } = s.server.library;
    if (!s.scan.scanning && audio === made.audio && videos === made.videos && images >= made.images) return running;
    await new Promise((done) => { setTimeout(done, 100); });
  }
  throw new Error('the scan did not end');
}

/** Its exit status; 0 where none was started. */
export async function stopServer() {
  if (!running) return 0;
  const ended = new Promise((done) => { running.child.on('exit', done); });
  running.child.kill('SIGTERM');
  const status = await ended;
  await rm(running.dir, { recursive: true });
  return status;
}

const audioTime = (page) => page.evaluate(() => document.getElementById('audio').currentTime);

for (const [name, viewport] of [['desktop', DESKTOP], ['phone', PHONE]]) {
  test(`real server, ${name}: through the folders to a song, and it plays`, async (browser) => {
    const { url } = await server();
    const page = await openPage(browser, url, viewport);
    await page.waitForSelector('.tile');
    equal(await page.textContent('h1'), 'Attic', 'name of the server');
    await page.click('.tile-F');
    for (const folder of ['Music', 'Nina Vale', 'Quiet Rooms']) await page.click(`.row >> text="${folder}"`);
    await page.waitForSelector('.track');
    const titles = await page.locator('.track-title').allTextContents();
    equal(titles.join(), 'Morning,Window,Evening', 'songs in order');
    await page.click('.track >> text=Evening');
    await page.waitForFunction(() => document.getElementById('audio').currentTime > 0.4);
    const before = await audioTime(page);
    await page.waitForTimeout(700);
    expect(await audioTime(page) > before, 'time goes on');
    await page.evaluate(() => { document.getElementById('audio').currentTime = 15; });
    await page.waitForFunction(() => document.getElementById('audio').currentTime > 15.2);
    await page.click('#toggle');
    expect(await page.evaluate(() => document.getElementById('audio').paused), 'paused');
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'no sideways scrolling');
    await closePage(page);
  });
}

test('real server: a song is found by the parts of its name, and plays', async (browser) => {
  const { url } = await server();
  const page = await openPage(browser, url, PHONE);
  await page.waitForSelector('.tile');
  await page.type('#search', 'nina eveni', { delay: 20 });
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === '1 result');
  await page.click('.track >> text=Evening');
  await page.waitForFunction(() => document.getElementById('audio').currentTime > 0.2);
  await page.fill('#search', 'quiet');
  await page.waitForSelector('.card >> text=Quiet Rooms');
  equal(await page.locator('.track').count(), 3, 'songs of the album');
  await closePage(page);
});

test('real server: flac, ogg and mp3 follow each other', async (browser) => {
  const { url } = await server();
  const page = await openPage(browser, `${url}/#/AL`);
  await page.click('.card >> text=Quiet Rooms');
  await page.click('#play-all');
  for (const title of ['Morning', 'Window', 'Evening']) {
    await page.waitForFunction((t) => document.getElementById('now-title').textContent === t
      && document.getElementById('audio').currentTime > 0.2, title);
    if (title === 'Evening') continue;
    await page.evaluate(() => { const a = document.getElementById('audio'); a.currentTime = a.duration - 0.3; });
  }
  await page.waitForFunction(() => document.querySelector('.head .cover.loaded'));
  await closePage(page);
});

test('real server: a film plays with its subtitles', async (browser) => {
  const { url } = await server();
  const page = await openPage(browser, `${url}/#/VT`);
  await page.click('.film');
  await page.waitForFunction(() => document.querySelector('#viewer video')?.currentTime > 0.3);
  await page.waitForFunction(() => document.querySelector('#viewer video')?.textTracks[0]?.cues?.length === 1);
  await page.click('#viewer-close');
  await page.waitForSelector('#viewer', { state: 'hidden' });
  await closePage(page);
});

test('real server: pictures are shown and turned over', async (browser) => {
  const { url } = await server();
  const page = await openPage(browser, `${url}/#/IT`);
  await page.click('.thumb >> nth=0');
  await page.waitForFunction(() => document.querySelector('#viewer img')?.naturalWidth > 0);
  const first = await page.textContent('#viewer-title');
  await page.click('#viewer-next');
  await page.waitForFunction((t) => document.getElementById('viewer-title').textContent !== t, first);
  await closePage(page);
});

test('real server: a hostile tag is only text', async (browser) => {
  const { url } = await server();
  const page = await openPage(browser, `${url}/#/AT`);
  await page.waitForSelector('.track');
  expect((await page.locator('.track-title').allTextContents()).includes(HOSTILE), 'title as it is');
  equal(await page.evaluate(() => window.hacked), undefined, 'no script ran');
  await closePage(page);
});

test('real server: a picture inside a song is taken out once', async (browser) => {
  const { url } = await server();
  const page = await openPage(browser, `${url}/#/AL`);
  await page.waitForFunction(() => [...document.querySelectorAll('.card')]
    .find((c) => c.textContent.includes('Inside'))?.querySelector('.cover.loaded'));
  const art = await page.evaluate(() => [...document.querySelectorAll('.card')]
    .find((c) => c.textContent.includes('Inside')).querySelector('img').src);
  await closePage(page);
  const replies = await Promise.all(Array.from({ length: 12 }, () => fetch(art)));
  expect(replies.every((r) => r.status === 200 && r.headers.get('content-type') === 'image/jpeg'), 'all get it');
  const again = await fetch(art, { headers: { 'If-None-Match': replies[0].headers.get('etag') } });
  equal(again.status, 304, 'asked again');
});

test('real server: replies carry the security headers', async () => {
  const { url } = await server();
  const reply = await fetch(url);
  expect(reply.headers.get('content-security-policy').includes("frame-ancestors 'none'"), 'policy');
  equal(reply.headers.get('x-content-type-options'), 'nosniff', 'nosniff');
});
