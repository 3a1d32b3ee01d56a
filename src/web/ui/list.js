// SPDX-License-Identifier: MIT
// The content of one container: header, rows, cards, tracks; more as one scrolls.
import { el, icon, count, plural, duration, cover, announce } from './dom.js';
import { searchText } from './api.js';

const CONTAINER_ICONS = { folder: 'folder', plain: 'folder', artist: 'artist', album: 'album', genre: 'genre',
  playlist: 'music', search: 'search' };
const ROOT_ICONS = { A: 'music', V: 'video', I: 'image', F: 'folder', AT: 'music', AR: 'artist', AL: 'album',
  AG: 'genre', AY: 'genre', VT: 'video', IT: 'image', AA: 'artist', AC: 'artist', AN: 'music', AF: 'folder',
  VN: 'video', VF: 'folder', IN: 'image', ID: 'image', IF: 'folder', P: 'music' };

const iconOf = (o) => ROOT_ICONS[o.id] ?? CONTAINER_ICONS[o.class] ?? 'folder';

export function hrefOf(id) {
  const q = searchText(id);
  return q === null ? `#/${id.split('/').map(encodeURIComponent).join('/')}` : `#/search?q=${encodeURIComponent(q)}`;
}

/** How a child is shown; neighbours of one shape share a list. */
function shapeOf(o, home) {
  if (o.kind === 'audio') return 'tracks';
  if (o.kind === 'video') return 'films';
  if (o.kind === 'image') return 'thumbs';
  if (home) return 'tiles';
  return o.class === 'album' ? 'albums' : 'rows';
}

function tile(o, ui) {
  const counts = ui.counts ?? {};
  const facts = {
    A: () => [plural(counts.audio ?? 0, 'song', 'songs'), plural(counts.albums ?? 0, 'album', 'albums')],
    V: () => [plural(counts.videos ?? 0, 'video', 'videos')],
    I: () => [plural(counts.images ?? 0, 'picture', 'pictures')],
    F: () => [plural(counts.folders ?? 0, 'folder', 'folders')],
  }[o.id]?.() ?? [count(o.childCount)];
  return el('a', { class: `tile tile-${o.id}`, href: hrefOf(o.id), 'data-id': o.id },
    el('span', { class: 'tile-icon' }, icon(iconOf(o))),
    el('span', { class: 'tile-title', text: o.title }),
    el('span', { class: 'tile-facts', text: facts.join(' · ') }));
}

function row(o) {
  const lead = o.thumb ? cover(o.thumb, iconOf(o), 'row-art') : el('span', { class: 'row-icon' }, icon(iconOf(o)));
  return el('a', { class: 'row', href: hrefOf(o.id), 'data-id': o.id }, lead,
    el('span', { class: 'row-title', text: o.title }),
    el('span', { class: 'row-count', text: count(o.childCount) }),
    icon('chevron'));
}

function albumCard(o) {
  return el('a', { class: 'card', href: hrefOf(o.id), 'data-id': o.id },
    cover(o.thumbLarge, 'album'),
    el('span', { class: 'card-title', text: o.title }),
    el('span', { class: 'card-sub', text: o.artist ?? plural(o.childCount, 'song', 'songs') }));
}

function filmCard(o) {
  const size = o.height ? `${o.height}p` : '';
  return el('a', { class: 'card film', href: '', 'data-id': o.id, 'data-open': o.id },
    cover(o.thumbLarge, 'video', 'wide'),
    o.durationMs ? el('span', { class: 'badge', text: duration(o.durationMs / 1000) }) : null,
    el('span', { class: 'card-title', text: o.title }),
    el('span', { class: 'card-sub', text: [o.year, size].filter(Boolean).join(' · ') }));
}

function thumb(o) {
  return el('a', { class: 'thumb', href: '', 'data-id': o.id, 'data-open': o.id, 'aria-label': o.title, title: o.title },
    cover(o.thumbLarge, 'image', 'square'));
}

function track(o, listing) {
  const inAlbum = listing.container.class === 'album';
  const lead = inAlbum ? el('span', { class: 'track-no', text: o.track ? String(o.track) : '' })
                       : cover(o.thumb, 'music', 'row-art');
  const sub = inAlbum && o.artist === listing.container.artist ? '' : (o.artist ?? '');
  return el('button', { class: 'track', type: 'button', 'data-id': o.id, 'data-play': o.id }, lead,
    el('span', { class: 'bars', 'aria-hidden': 'true' }, el('i'), el('i'), el('i')),
    el('span', { class: 'track-text' },
      el('span', { class: 'track-title', text: o.title }),
      sub ? el('span', { class: 'track-sub', text: sub }) : null),
    inAlbum ? null : el('span', { class: 'track-album', text: o.album ?? '' }),
    el('span', { class: 'track-time', text: o.durationMs ? duration(o.durationMs / 1000) : '' }));
}

const BUILDERS = { tiles: tile, rows: row, albums: albumCard, films: filmCard, thumbs: thumb };

function header(listing, ui) {
  const c = listing.container;
  const audio = listing.children.some((o) => o.kind === 'audio');
  const buttons = audio ? el('div', { class: 'head-buttons' },
    el('button', { class: 'pill primary', type: 'button', id: 'play-all' }, icon('play'), el('span', { text: 'Play' })),
    el('button', { class: 'pill', type: 'button', id: 'shuffle-all' }, icon('shuffle'), el('span', { text: 'Shuffle' }))) : null;
  if (c.id === '0') {
    return el('div', { class: 'head home' }, el('h1', { text: ui.name ?? c.title }));
  }
  if (c.class === 'search') {
    return listing.total === 0 ? '' : el('div', { class: 'head' },
      el('div', { class: 'head-text' }, el('h1', { text: countText(listing) }), buttons));
  }
  const facts = [c.artist, countText(listing)].filter(Boolean);
  const big = c.class === 'album';
  return el('div', { class: big ? 'head album' : 'head' },
    big ? cover(c.thumbLarge ?? listing.children.find((o) => o.thumbLarge)?.thumbLarge, 'album', 'big') : null,
    el('div', { class: 'head-text' },
      el('h1', { text: c.title }),
      el('p', { class: 'head-facts', text: facts.join(' · ') }), buttons));
}

/** "12 albums"; what is mixed is counted as entries. */
function countText(listing) {
  const words = { audio: ['song', 'songs'], video: ['video', 'videos'], image: ['picture', 'pictures'],
    artist: ['artist', 'artists'], album: ['album', 'albums'], genre: ['genre', 'genres'], folder: ['folder', 'folders'],
    playlist: ['playlist', 'playlists'] };
  if (listing.container.class === 'search') return plural(listing.total, 'result', 'results');
  const kinds = new Set(listing.children.map((o) => (o.kind === 'container' ? o.class : o.kind)));
  const alone = kinds.size === 1 && words[[...kinds][0]];
  return plural(listing.total, ...(alone || ['entry', 'entries']));
}

function emptyState(listing, ui) {
  const scanning = ui.scan?.scanning;
  if (listing.container.class === 'search') {
    return el('div', { class: 'empty' }, icon('search'),
      el('p', { text: 'Nothing has all of these words in its title, artist or album.' }),
      scanning ? el('p', { text: 'salver is still looking through your folders.' }) : null);
  }
  return el('div', { class: 'empty' }, icon(iconOf(listing.container)),
    el('p', { text: scanning ? 'Nothing here yet. salver is still looking through your folders.' : 'Nothing here.' }));
}

/** Shows listings in `root`. `ui` carries what the status knows: name, counts, scan. */
export class ListView {
  constructor(root, ui) {
    this.root = root;
    this.ui = ui;
    this.observer = new IntersectionObserver((entries) => {
      if (entries.some((e) => e.isIntersecting)) this.#more();
    }, { rootMargin: '900px' });
    root.addEventListener('keydown', (event) => this.#arrows(event));
  }

  show(listing) {
    this.listing = listing;
    this.observer.disconnect();
    this.root.replaceChildren(header(listing, this.ui));
    this.lists = el('div', { class: 'lists' });
    this.tail = el('div', { class: 'tail' });
    this.root.append(this.lists, this.tail);
    this.shown = 0; // of listing.children; the player and the viewer may load more than is shown
    this.#append();
    if (listing.children.length === 0) this.lists.append(emptyState(listing, this.ui));
    this.root.setAttribute('aria-busy', 'false');
    this.#watch();
  }

  /** Others loaded more of the listing: it follows when one scrolls there. */
  extended() { this.#watch(); }

  /** The row that plays is marked. */
  mark(itemId) {
    for (const node of this.root.querySelectorAll('.track.playing')) {
      node.classList.remove('playing');
      node.removeAttribute('aria-current');
    }
    if (!itemId) return;
    const node = this.root.querySelector(`[data-play="${CSS.escape(itemId)}"]`);
    node?.classList.add('playing');
    node?.setAttribute('aria-current', 'true');
  }

  #append() {
    for (const o of this.listing.children.slice(this.shown)) {
      const shape = shapeOf(o, this.listing.id === '0');
      if (this.run?.parentNode !== this.lists || this.shape !== shape) {
        this.run = el('ul', { class: shape });
        this.shape = shape;
        this.lists.append(this.run);
      }
      const build = shape === 'tracks' ? track(o, this.listing) : BUILDERS[shape](o, this.ui);
      this.run.append(el('li', {}, build));
    }
    this.shown = this.listing.children.length;
    this.onAppend?.();
  }

  #watch() {
    this.observer.disconnect();
    if (!this.listing.ended || this.shown < this.listing.children.length) this.observer.observe(this.tail);
  }

  async #more() {
    const listing = this.listing;
    this.observer.disconnect();
    this.tail.replaceChildren(el('p', { class: 'loading', text: 'Loading more' }));
    try {
      if (this.shown >= listing.children.length) await listing.more();
      if (listing !== this.listing) return;
      this.#append();
      this.tail.replaceChildren();
      this.#watch();
      announce(`${count(listing.children.length)} of ${count(listing.total)} shown`);
    } catch {
      if (listing !== this.listing) return;
      this.tail.replaceChildren(el('button', { class: 'pill', type: 'button', text: 'Try again', onclick: () => this.#more() }));
    }
  }

  /** Arrow keys walk through what is listed. */
  #arrows(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    const all = [...this.root.querySelectorAll('[data-id]')];
    const at = all.indexOf(document.activeElement);
    if (at < 0) return;
    const columns = this.#columns(document.activeElement);
    const to = all[Math.max(0, Math.min(all.length - 1, at + step * columns))];
    if (to === document.activeElement) return;
    event.preventDefault();
    to.focus();
    to.scrollIntoView({ block: 'nearest' });
  }

  #columns(node) {
    const list = node.closest('ul');
    const items = [...list.children];
    const top = items[0].offsetTop;
    const n = items.findIndex((li) => li.offsetTop !== top);
    return n > 0 ? n : list.matches('.rows, .tracks') ? 1 : items.length;
  }
}
