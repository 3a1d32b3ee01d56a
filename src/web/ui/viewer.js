// SPDX-License-Identifier: MIT
// Pictures and videos over the whole page.
import { el, byId, announce } from './dom.js';

/** SubRip text to cues of a text track: browsers know only WebVTT. */
function addCues(track, srt) {
  const time = /(?:(\d+):)?(\d+):(\d+)[,.](\d+)\s*-->\s*(?:(\d+):)?(\d+):(\d+)[,.](\d+)/;
  const seconds = (h, m, s, ms) => Number(h ?? 0) * 3600 + Number(m) * 60 + Number(s) + Number(`0.${ms}`);
  for (const block of srt.replaceAll('\r', '').split(/\n\n+/)) {
    const lines = block.split('\n');
    const at = lines.findIndex((line) => time.test(line));
    if (at < 0) continue;
    const t = lines[at].match(time);
    const text = lines.slice(at + 1).join('\n').replace(/<\/?font[^>]*>|\{\\[^}]*\}/g, '');
    if (text) track.addCue(new VTTCue(seconds(...t.slice(1, 5)), seconds(...t.slice(5, 9)), text));
  }
}

async function addSubtitles(video, subtitles) {
  for (const subtitle of (subtitles ?? []).filter((s) => /\.(srt|vtt)$/i.test(s.url)).slice(0, 4)) {
    try {
      const reply = await fetch(subtitle.url);
      const track = video.addTextTrack('subtitles', subtitle.language ?? 'Subtitles', subtitle.language ?? '');
      if (reply.ok) addCues(track, await reply.text());
    } catch { /* the film plays without */ }
  }
}

function facts(o) {
  const parts = [];
  if (o.width && o.height) parts.push(`${o.width} × ${o.height}`);
  if (o.dateTaken) {
    parts.push(new Date(o.dateTaken * 1000).toLocaleDateString(undefined, { timeZone: 'UTC', dateStyle: 'medium' }));
  }
  if (o.camera) parts.push(o.camera);
  return parts.join(' · ');
}

export class Viewer {
  constructor({ onMove, onClose }) {
    this.dialog = byId('viewer');
    this.stage = byId('viewer-stage');
    this.onMove = onMove;
    this.onClose = onClose;
    byId('viewer-close').addEventListener('click', () => this.onClose());
    byId('viewer-prev').addEventListener('click', () => this.onMove(-1));
    byId('viewer-next').addEventListener('click', () => this.onMove(1));
    this.dialog.addEventListener('cancel', (event) => { event.preventDefault(); this.onClose(); });
    this.dialog.addEventListener('keydown', (event) => this.#keys(event));
    this.#swipes();
  }

  get isOpen() { return this.dialog.open; }

  show(o, { hasPrev, hasNext }) {
    const film = o.kind === 'video';
    byId('viewer-title').textContent = o.title;
    byId('viewer-facts').textContent = facts(o);
    byId('viewer-prev').hidden = !hasPrev;
    byId('viewer-next').hidden = !hasNext;
    this.dialog.classList.toggle('film', film);
    this.#clear();
    this.stage.append(film ? this.#video(o) : this.#picture(o));
    if (!this.dialog.open) this.dialog.showModal();
    announce(o.title);
  }

  hide() {
    this.#clear();
    if (this.dialog.open) this.dialog.close();
  }

  #clear() {
    const video = this.stage.querySelector('video');
    if (video) {
      video.pause();
      video.removeAttribute('src');
      video.load(); // lets the connection go
    }
    this.stage.replaceChildren();
  }

  #picture(o) {
    const img = el('img', { src: o.url, alt: o.title, decoding: 'async' });
    // HEIC, TIFF: what the browser does not know it still shows in small.
    img.addEventListener('error', () => {
      if (o.thumbLarge && !img.src.endsWith(o.thumbLarge)) img.src = o.thumbLarge;
      else img.replaceWith(this.#refusal(o));
    });
    return img;
  }

  #video(o) {
    const video = el('video', { src: o.url, controls: true, autoplay: true, playsinline: true,
      poster: o.thumbLarge ?? null, 'aria-label': o.title });
    video.addEventListener('error', () => {
      if (video.isConnected && video.error && video.getAttribute('src')) video.replaceWith(this.#refusal(o));
    });
    addSubtitles(video, o.subtitles);
    return video;
  }

  #refusal(o) {
    return el('div', { class: 'refusal' },
      el('p', { text: 'This browser cannot show this file.' }),
      el('a', { class: 'pill primary', href: o.url, download: o.filename ?? '', text: 'Download it' }));
  }

  #keys(event) {
    if (event.target.matches('video')) return; // its own keys
    if (event.key === 'ArrowLeft' && !byId('viewer-prev').hidden) this.onMove(-1);
    if (event.key === 'ArrowRight' && !byId('viewer-next').hidden) this.onMove(1);
  }

  #swipes() {
    let start = null;
    this.stage.addEventListener('touchstart', (event) => {
      start = event.touches.length === 1 ? event.touches[0].clientX : null;
    }, { passive: true });
    this.stage.addEventListener('touchend', (event) => {
      if (start === null || this.dialog.classList.contains('film')) return;
      const moved = event.changedTouches[0].clientX - start;
      start = null;
      if (moved > 60 && !byId('viewer-prev').hidden) this.onMove(-1);
      if (moved < -60 && !byId('viewer-next').hidden) this.onMove(1);
    }, { passive: true });
  }
}
