// SPDX-License-Identifier: MIT
// The page: where one is (the address after #), what is shown, what plays.
import { el, byId, announce, plural } from './dom.js';
import { Listing, object, searchId, searchText } from './api.js';
import { ListView, hrefOf } from './list.js';
import { Player } from './player.js';
import { Viewer } from './viewer.js';
import { SearchBox } from './search.js';
import { StatusWatch } from './scan.js';

const KEPT_LISTINGS = 20;
const RELOADED_MAX = 1000; // entries that are asked for again when one comes back to a changed list

const ui = { name: '', counts: null, scan: null, commit: 0 };
const content = byId('content');
const view = new ListView(content, ui);
const player = new Player();
const viewer = new Viewer({ onMove: moveViewer, onClose: closeViewer });
const box = new SearchBox({ onSearch: searchFor, onLeave: () => (content.querySelector('[data-id]') ?? content).focus() });
const kept = new Map(); // container id -> Listing, newest last: going back is instant
let route = { id: '0', open: null };
let listing = null;
let opened = null;
let followed = null;
let beforeSearch = '#/0'; // where one was when one began to type
let failed = false; // the server did not answer: what is asked for comes when it does again

history.scrollRestoration = 'manual';

function parseRoute() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const id = path.split('/').map((part) => {
    try { return decodeURIComponent(part); } catch { return part; }
  }).join('/');
  const params = new URLSearchParams(query ?? ''), q = params.get('q')?.trim();
  return { id: id === 'search' && q ? searchId(q) : id || '0', open: params.get('open') };
}

function showCrumbs(container) {
  const nav = byId('crumbs');
  const list = el('ol');
  for (const a of container.ancestors) {
    const home = a.id === '0';
    list.append(el('li', {}, el('a', { href: hrefOf(a.id), text: home ? 'Home' : a.title })));
  }
  if (container.id !== '0') list.append(el('li', {}, el('span', { 'aria-current': 'page', text: container.title })));
  const shown = container.id !== '0' && container.class !== 'search'; // the box says what was searched for
  nav.replaceChildren(shown ? list : '');
  list.scrollLeft = list.scrollWidth;
}

function keep(l) {
  if (searchText(l.id) !== null) // the last search only: each key makes one
    for (const id of [...kept.keys()]) if (searchText(id) !== null) kept.delete(id);
  kept.delete(l.id);
  kept.set(l.id, l);
  if (kept.size > KEPT_LISTINGS) kept.delete(kept.keys().next().value);
}

function showError(error) {
  failed = error.status === undefined; // no answer at all
  if (failed) watch.tick();
  const reasons = { 400: 'That is too much to search for.', 404: 'This is not here any more.' };
  content.setAttribute('aria-busy', 'false');
  content.replaceChildren(el('div', { class: 'empty' },
    el('p', { text: reasons[error.status] ?? 'This could not be loaded.' }),
    el('a', { class: 'pill', href: '#/0', text: 'Start page' }),
    el('button', { class: 'pill', type: 'button', text: 'Try again', onclick: () => openContainer(route.id, false) })));
}

async function openContainer(id, quiet) {
  if (!quiet) failed = false;
  if (!quiet) content.setAttribute('aria-busy', 'true');
  let next = kept.get(id);
  if (!next || next.container.commit !== ui.commit) {
    const scrollY = next?.scrollY ?? 0, loaded = Math.min(next?.children.length ?? 0, RELOADED_MAX);
    try {
      next = await Listing.open(id);
      while (scrollY > 0 && next.children.length < loaded && !next.ended) await next.more();
    } catch (error) {
      if (route.id === id && !quiet) showError(error);
      return;
    }
    next.scrollY = scrollY;
  }
  if (route.id !== id) return;
  if (quiet && id !== '0' && listing?.sameAs(next)) {
    listing.container.commit = next.container.commit;
    return;
  }
  const focused = quiet ? document.activeElement?.dataset?.id : null;
  listing = next;
  keep(listing);
  ui.commit = Math.max(ui.commit, listing.container.commit);
  listing.onMore = () => { if (view.listing === listing) view.extended(); };
  view.show(listing);
  view.mark(player.current?.id);
  showCrumbs(listing.container);
  document.title = id === '0' ? ui.name || 'salver' : `${listing.container.title} · ${ui.name || 'salver'}`;
  if (focused) content.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  if (!quiet) {
    window.scrollTo(0, listing.scrollY);
    announce(searchText(id) === null ? listing.container.title : plural(listing.total, 'result', 'results'));
  }
}

/** Once for each address: browsers tell of a new fragment by two events. */
async function follow() {
  if (location.hash === followed) return;
  followed = location.hash;
  const last = route;
  route = parseRoute();
  box.show(searchText(route.id) ?? '');
  if (searchText(route.id) === null) beforeSearch = location.hash || '#/0';
  if (!listing || last.id !== route.id) {
    if (listing) listing.scrollY = window.scrollY;
    if (viewer.isOpen) viewer.hide();
    await openContainer(route.id, false);
  }
  if (route.open) await openItem(route.open);
  else if (viewer.isOpen) viewer.hide();
}

/** What one types is one step of the history, however many keys it takes. */
function searchFor(text) {
  const searching = searchText(route.id) !== null, mine = history.state?.search;
  if (!text && mine) {
    history.back(); // follow() comes by its event
    return null;
  }
  const href = text ? hrefOf(searchId(text)) : beforeSearch;
  if (searching) history.replaceState(text && mine ? { search: true } : null, '', href);
  else history.pushState({ search: true }, '', href);
  return follow();
}

/* ---- pictures and videos ---- */

const neighbours = () => listing.children.filter((o) => o.kind === opened.kind);

async function openItem(id) {
  opened = listing?.children.find((o) => o.id === id);
  if (!opened) {
    try { opened = await object(id); } catch { return; }
  }
  if (opened.kind !== 'video' && opened.kind !== 'image') return;
  if (opened.kind === 'video') player.pause();
  const all = neighbours(), at = all.findIndex((o) => o.id === opened.id);
  viewer.show(opened, { hasPrev: at > 0, hasNext: at >= 0 && (at + 1 < all.length || !listing.ended) });
}

const openHref = (id) => `${hrefOf(route.id)}${searchText(route.id) === null ? '?' : '&'}open=${encodeURIComponent(id)}`;

async function moveViewer(by) {
  let all = neighbours();
  const at = all.findIndex((o) => o.id === opened.id);
  if (at + by >= all.length && !listing.ended) {
    await listing.more().catch(() => {});
    all = neighbours();
  }
  const to = all[at + by];
  if (!to) return;
  history.replaceState({ viewer: true }, '', openHref(to.id));
  follow();
}

function closeViewer() {
  // Where we came from a list, going back keeps the history clean.
  if (history.state?.viewer) history.back();
  else {
    history.replaceState(null, '', hrefOf(route.id));
    follow();
  }
}

/* ---- what people press ---- */

content.addEventListener('click', (event) => {
  const play = event.target.closest('[data-play]'), open = event.target.closest('[data-open]');
  if (play) {
    if (player.current?.id === play.dataset.play) player.toggle();
    else player.playListing(listing, play.dataset.play);
  } else if (open && !event.ctrlKey && !event.metaKey && event.button === 0) {
    event.preventDefault();
    history.pushState({ viewer: true }, '', openHref(open.dataset.open));
    follow();
  } else if (event.target.closest('#play-all')) {
    player.playListing(listing, null);
  } else if (event.target.closest('#shuffle-all')) {
    player.playListing(listing, null, { shuffle: true });
  }
});

document.addEventListener('keydown', (event) => {
  const busy = event.target.closest?.('input, button, a, video, dialog');
  if (event.key === ' ' && !busy && player.current) {
    event.preventDefault();
    player.toggle();
  }
});

player.onChange = (id) => view.mark(id);
view.onAppend = () => view.mark(player.current?.id);
window.addEventListener('hashchange', follow);
window.addEventListener('popstate', follow);

/* ---- news from the server ---- */

function onStatus(s) {
  const changed = s.server.library.commit !== ui.commit;
  const counts = JSON.stringify(s.server.library);
  const home = counts !== ui.lastCounts || s.server.name !== ui.name;
  ui.name = s.server.name;
  ui.counts = s.server.library;
  ui.lastCounts = counts;
  ui.scan = s.scan;
  ui.commit = s.server.library.commit;
  byId('server-name').textContent = ui.name;
  if (failed) openContainer(route.id, false); // it answers again
  if (!listing || viewer.isOpen || failed) return;
  // New content appears by itself, unless someone is deep in a list.
  const atStart = window.scrollY < 80 && listing.children.length <= 100;
  if ((changed || (home && listing.id === '0')) && atStart) openContainer(route.id, true);
}

const watch = new StatusWatch(onStatus);
watch.tick().then(follow);
