// SPDX-License-Identifier: MIT
// Playing songs: one audio element, a queue taken from a listing, the bar at the bottom.
import { el, icon, byId, duration, cover, announce } from './dom.js';
import { hrefOf } from './list.js';

const QUEUE_SHOWN = 100;
const SHUFFLED_MAX = 1000;

function shuffled(items) {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const k = Math.floor(Math.random() * (i + 1));
    [all[i], all[k]] = [all[k], all[i]];
  }
  return all;
}

export class Player {
  constructor() {
    this.audio = byId('audio');
    this.bar = byId('player');
    this.items = [];
    this.at = -1;
    this.failures = 0;
    this.seeking = false;
    this.onChange = () => {};
    this.#wire();
  }

  get current() { return this.items[this.at]; }

  /** Play a listing from one item on; what follows in it comes by itself. */
  async playListing(listing, itemId, { shuffle = false } = {}) {
    while (shuffle && !listing.ended && listing.children.length < SHUFFLED_MAX) await listing.more();
    this.listing = shuffle ? null : listing;
    this.items = listing.children.filter((o) => o.kind === 'audio');
    if (shuffle) this.items = shuffled(this.items);
    this.at = itemId ? this.items.findIndex((o) => o.id === itemId) : 0;
    this.taken = listing.children.length;
    this.from = listing.id;
    this.failures = 0;
    await this.#start();
  }

  toggle() {
    if (!this.current) return;
    if (this.audio.paused) this.audio.play().catch(() => {});
    else this.audio.pause();
  }

  pause() { this.audio.pause(); }

  async step(by) {
    if (by < 0 && this.audio.currentTime > 4) {
      this.audio.currentTime = 0;
      return;
    }
    if (by > 0 && this.at + 1 >= this.items.length) await this.#fetchMore();
    const to = this.at + by;
    if (to < 0 || to >= this.items.length) {
      if (by > 0) this.audio.pause();
      return;
    }
    this.at = to;
    await this.#start();
  }

  async #fetchMore() {
    if (!this.listing) return;
    // The page may have loaded more of the same listing in the meantime.
    if (this.taken >= this.listing.children.length) await this.listing.more().catch(() => {});
    const fresh = this.listing.children.slice(this.taken);
    this.taken += fresh.length;
    this.items.push(...fresh.filter((o) => o.kind === 'audio'));
  }

  async #start() {
    const o = this.current;
    if (!o) return;
    this.audio.src = o.url;
    this.bar.hidden = false;
    document.body.classList.add('with-player');
    this.#showCurrent(o);
    this.onChange(o.id);
    try {
      await this.audio.play();
    } catch { /* told by the error event, or another song was chosen meanwhile */ }
  }

  #showCurrent(o) {
    byId('now-title').textContent = o.title;
    byId('now-artist').textContent = [o.artist, o.album].filter(Boolean).join(' · ');
    const art = byId('now-art');
    art.replaceChildren(cover(o.thumb, 'music', 'fill'));
    art.href = hrefOf(this.from);
    this.#showQueue();
    if ('mediaSession' in navigator) {
      navigator.mediaSession.metadata = new MediaMetadata({
        title: o.title, artist: o.artist ?? '', album: o.album ?? '',
        artwork: o.thumbLarge ? [{ src: o.thumbLarge, type: 'image/jpeg' }] : [],
      });
    }
  }

  #showQueue() {
    const list = byId('queue-list');
    list.replaceChildren();
    this.items.slice(this.at, this.at + QUEUE_SHOWN).forEach((o, i) => {
      list.append(el('li', {}, el('button', {
        type: 'button', class: i === 0 ? 'queue-item playing' : 'queue-item',
        'aria-current': i === 0 ? 'true' : null,
        onclick: () => { this.at += i; this.#start(); },
      }, el('span', { class: 'queue-title', text: o.title }),
        el('span', { class: 'queue-sub', text: o.artist ?? '' }))));
    });
  }

  #showTime() {
    const { currentTime, duration: whole } = this.audio;
    const known = Number.isFinite(whole) && whole > 0 ? whole : (this.current?.durationMs ?? 0) / 1000;
    byId('time').textContent = known ? `${duration(currentTime)} / ${duration(known)}` : duration(currentTime);
    const seek = byId('seek');
    if (!this.seeking) seek.value = known ? Math.round((currentTime / known) * 1000) : 0;
    seek.style.setProperty('--done', `${seek.value / 10}%`);
    seek.setAttribute('aria-valuetext', `${duration(currentTime)} of ${duration(known)}`);
  }

  #showState() {
    const playing = !this.audio.paused;
    const button = byId('toggle');
    button.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    button.querySelector('use').setAttribute('href', playing ? '#i-pause' : '#i-play');
    document.body.classList.toggle('is-playing', playing);
    if ('mediaSession' in navigator) navigator.mediaSession.playbackState = playing ? 'playing' : 'paused';
  }

  #failed() {
    if (!this.current || !this.audio.error) return;
    announce(`${this.current.title} cannot be played here`);
    const lost = !byId('notice').hidden || this.audio.error.code === MediaError.MEDIA_ERR_NETWORK;
    byId('now-artist').textContent = lost ? 'The server does not answer' : 'This browser cannot play this file';
    if (lost) return;
    if (++this.failures < 4) setTimeout(() => this.step(1), 1500);
  }

  #wire() {
    const { audio } = this;
    audio.addEventListener('ended', () => this.step(1));
    audio.addEventListener('timeupdate', () => this.#showTime());
    audio.addEventListener('durationchange', () => this.#showTime());
    audio.addEventListener('play', () => this.#showState());
    audio.addEventListener('pause', () => this.#showState());
    audio.addEventListener('playing', () => { this.failures = 0; });
    audio.addEventListener('error', () => this.#failed());
    byId('toggle').addEventListener('click', () => this.toggle());
    byId('prev').addEventListener('click', () => this.step(-1));
    byId('next').addEventListener('click', () => this.step(1));
    this.#wireSeek();
    this.#wireVolume();
    this.#wireQueue();
    if (!('mediaSession' in navigator)) return;
    const actions = { play: () => this.toggle(), pause: () => this.toggle(),
      previoustrack: () => this.step(-1), nexttrack: () => this.step(1) };
    for (const [name, fn] of Object.entries(actions)) navigator.mediaSession.setActionHandler(name, fn);
  }

  #wireSeek() {
    const seek = byId('seek');
    seek.addEventListener('input', () => { this.seeking = true; this.#showTime(); });
    seek.addEventListener('change', () => {
      this.seeking = false;
      if (Number.isFinite(this.audio.duration)) this.audio.currentTime = (seek.value / 1000) * this.audio.duration;
    });
  }

  #wireVolume() {
    const volume = byId('volume');
    const show = () => volume.style.setProperty('--done', `${volume.value * 100}%`);
    try {
      volume.value = localStorage.getItem('volume') ?? '1';
    } catch { /* storage may be switched off */ }
    this.audio.volume = Number(volume.value);
    show();
    volume.addEventListener('input', () => {
      this.audio.volume = Number(volume.value);
      show();
      try {
        localStorage.setItem('volume', volume.value);
      } catch { /* as above */ }
    });
  }

  #wireQueue() {
    const button = byId('queue-toggle'), panel = byId('queue');
    const set = (open) => {
      panel.hidden = !open;
      button.setAttribute('aria-expanded', String(open));
    };
    button.addEventListener('click', () => set(panel.hidden));
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || panel.hidden) return;
      set(false);
      button.focus();
    });
    document.addEventListener('click', (event) => {
      if (!panel.hidden && !panel.contains(event.target) && !button.contains(event.target)) set(false);
    });
  }
}
