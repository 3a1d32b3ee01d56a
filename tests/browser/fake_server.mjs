// SPDX-License-Identifier: MIT
// The page's files and a made-up library behind the same API: for what a real server cannot be made
// to show at will (a scan half done, thousands of entries, a server that goes away). Tests only.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { join, extname } from 'node:path';

const UI = new URL('../../src/web/ui/', import.meta.url).pathname;
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const CSP = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ALBUMS = ['Quiet Rooms', 'Salt & Slate', 'Northern Line', 'A Year of Rain', 'Paper Boats', 'Small Hours', 'Meridian',
  'Field Notes', 'The Long Table', 'Lanterns', 'Copper', 'Low Tide'];
const ARTISTS = ['Nina Vale', 'The Harbour Choir', 'Ada Brandt', 'Ōkami', 'Paul & Mara', 'Tomás Rey'];

/** 1 s of silence, as WAV. */
function wav() {
  const n = 8000, b = Buffer.alloc(44 + n, 128);
  b.write('RIFF', 0); b.writeUInt32LE(36 + n, 4); b.write('WAVEfmt ', 8); b.writeUInt32LE(16, 16);
  b.writeUInt16LE(1, 20); b.writeUInt16LE(1, 22); b.writeUInt32LE(8000, 24); b.writeUInt32LE(8000, 28);
  b.writeUInt16LE(1, 32); b.writeUInt16LE(8, 34); b.write('data', 36); b.writeUInt32LE(n, 40);
  return b;
}

const pictures = (url) => ({ art: url, thumb: url, thumbLarge: url });

function art(id) {
  const a = (id * 47) % 360, b = (a + 60 + (id * 13) % 80) % 360;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 300"><defs><linearGradient id="g" x2="1" y2="1"><stop stop-color="hsl(${a} 34% 46%)"/><stop offset="1" stop-color="hsl(${b} 38% 68%)"/></linearGradient></defs><rect width="300" height="300" fill="url(#g)"/><circle cx="${80 + id * 31 % 150}" cy="${90 + id * 53 % 130}" r="${40 + id * 17 % 60}" fill="hsl(${b} 40% 84% / .55)"/></svg>`;
}

export class FakeServer {
  constructor({ tracks = 40, titles = [] } = {}) {
    this.scan = { scanning: false, found: 0, stored: 0, unchanged: 0, failed: 0 };
    this.commit = 5;
    this.requests = [];
    this.objects = new Map();
    this.build(tracks, titles);
    this.server = createServer((req, res) => this.answer(req, res));
  }

  container(id, parentId, title, cls, extra = {}) {
    const o = { id, parentId, kind: 'container', title, class: cls, updateId: 1, children: [], ...extra };
    this.objects.set(id, o);
    this.objects.get(parentId)?.children.push(o);
    return o;
  }

  item(id, parentId, kind, title, extra) {
    const n = this.objects.size;
    const ext = { audio: 'wav', video: 'mp4', image: 'svg' }[kind];
    const o = { id, parentId, kind, title, mediaId: n, url: `/media/${n}.${ext}`, ...extra };
    this.objects.set(id, o);
    this.objects.get(parentId).children.push(o);
    return o;
  }

  build(tracks, titles) {
    this.container('0', '-1', 'Root', 'plain');
    this.container('A', '0', 'Music', 'plain');
    this.container('V', '0', 'Video', 'plain');
    this.container('I', '0', 'Pictures', 'plain');
    this.container('F', '0', 'Browse Folders', 'folder');
    this.container('AT', 'A', 'All Music', 'plain');
    this.container('AR', 'A', 'Artists', 'plain');
    this.container('AL', 'A', 'Albums', 'plain');
    this.container('AG', 'A', 'Genres', 'plain');
    ALBUMS.forEach((title, i) => {
      const artist = ARTISTS[i % ARTISTS.length];
      this.container(`al${i}`, 'AL', title, 'album', { artist, ...pictures(`/art/${i + 1}`) });
      for (let k = 1; k <= 9; k++) {
        this.item(`al${i}/i${i}${k}`, `al${i}`, 'audio', `${['Morning', 'Window', 'Evening', 'Glass', 'Harbour', 'Snow', 'Letters', 'Orchard', 'Homeward'][(k + i) % 9]}`,
          { artist, album: title, track: k, durationMs: 150000 + ((i * 37 + k * 71) % 160) * 1000, ...pictures(`/art/${i + 1}`) });
      }
    });
    ARTISTS.forEach((name, i) => this.container(`ar${i}`, 'AR', name, 'artist', { childCount: 2 + i }));
    for (let i = 0; i < tracks; i++) {
      this.item(`AT/i${i}`, 'AT', 'audio', titles[i] ?? `Song ${i + 1}`, { artist: ARTISTS[i % 6], album: ALBUMS[i % 12], durationMs: 1000, ...pictures(`/art/${i % 12 + 1}`) });
    }
    this.container('VT', 'V', 'All Videos', 'plain');
    ['Harbour at night', 'Summer 2019', 'The lighthouse keeper', 'Lena’s birthday', 'Ferry', 'Snow day'].forEach((t, i) =>
      this.item(`VT/i${i}`, 'VT', 'video', t, { durationMs: 400000 + i * 1234000, height: 1080, year: 2015 + i, ...(i % 2 ? {} : { ...pictures(`/art/${20 + i}`) }) }));
    this.container('IT', 'I', 'All Pictures', 'plain');
    for (let i = 0; i < 40; i++) this.item(`IT/i${i}`, 'IT', 'image', `IMG_${1000 + i}`, { width: 4000, height: 3000, ...pictures(`/art/${i}`), dateTaken: 1565000000 + i * 90000 });
    this.container('d1', 'F', 'Family', 'folder');
    ['2018', '2019', '2020 – Møn', 'Concerts & rehearsals'].forEach((t, i) => this.container(`d${i + 2}`, 'd1', t, 'folder', { childCount: 12 * (i + 1) }));
  }

  get url() { return `http://127.0.0.1:${this.server.address().port}`; }
  start(port = 0) { return new Promise((done) => this.server.listen(port, '127.0.0.1', done)); }
  stop() { this.server.closeAllConnections(); return new Promise((done) => this.server.close(done)); }

  shown(o) {
    const { children, ...rest } = o;
    return children ? { childCount: children.length, ...rest } : rest;
  }

  ancestors(o) {
    const all = [];
    for (let p = this.objects.get(o.parentId); p; p = this.objects.get(p.parentId)) all.unshift({ id: p.id, title: p.title });
    return all;
  }

  json(res, body, status = 200) {
    res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  }

  answer(req, res) {
    const url = new URL(req.url, 'http://x'), q = url.searchParams, o = this.objects.get(q.get('id') ?? '0');
    this.requests.push(url.pathname);
    if (url.pathname === '/api/v1/status') {
      const count = (kind) => [...this.objects.values()].filter((x) => x.kind === kind).length;
      return this.json(res, { scan: this.scan, server: { name: 'Living room', version: '0', uptimeSeconds: 1,
        library: { commit: this.commit, audio: count('audio'), videos: count('video'), images: count('image'), folders: 5, albums: 12, artists: 6 } } });
    }
    if (url.pathname === '/api/v1/browse' && o?.children) {
      const offset = Number(q.get('offset') ?? 0), limit = Number(q.get('limit') ?? 100);
      return this.json(res, { ...this.shown(o), ancestors: this.ancestors(o), commit: this.commit, offset, total: o.children.length,
        children: o.children.slice(offset, offset + limit).map((c) => this.shown(c)) });
    }
    if (url.pathname === '/api/v1/search') {
      const words = (q.get('q') ?? '').toLowerCase().split(' ').filter(Boolean), offset = Number(q.get('offset') ?? 0);
      if (words.length === 0 || words.length > 16) return res.writeHead(400).end();
      const found = [...this.objects.values()].filter((x) => words.every((w) => `${x.title} ${x.artist ?? ''} ${x.album ?? ''}`.toLowerCase().includes(w)))
        .sort((a, b) => (a.kind !== 'container') - (b.kind !== 'container'));
      const reply = () => this.json(res, { commit: this.commit, offset, total: found.length,
        children: found.slice(offset, offset + Number(q.get('limit') ?? 50)).map((c) => this.shown(c)) });
      return setTimeout(reply, this.searchDelayMs?.(words) ?? 0);
    }
    if (url.pathname === '/api/v1/object' && o) return this.json(res, { ...this.shown(o), ancestors: this.ancestors(o) });
    if (url.pathname.startsWith('/api/')) return res.writeHead(404).end();
    return this.file(url.pathname, res);
  }

  async file(path, res) {
    const svg = path.match(/^\/(?:art\/|media\/)(\d+)(?:\.svg)?$/);
    if (svg) return res.writeHead(200, { 'Content-Type': 'image/svg+xml' }).end(art(Number(svg[1])));
    if (path.endsWith('.wav')) return res.writeHead(200, { 'Content-Type': 'audio/wav' }).end(wav());
    const name = path === '/' ? 'index.html' : path === '/favicon.ico' ? 'icon.svg' : path.replace(/^\/ui\//, '');
    try {
      const bytes = await readFile(join(UI, name.replaceAll('..', '')));
      res.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'text/plain', 'Content-Security-Policy': CSP }).end(bytes);
    } catch {
      res.writeHead(404).end();
    }
  }
}
