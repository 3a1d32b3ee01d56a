// SPDX-License-Identifier: MIT
// Building the page. Text from outside only ever enters by textContent or an attribute.

/** An element. props: properties, or attributes where the name has a dash or is `role`, `href`. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'class') node.className = value;
    else if (name === 'text') node.textContent = value;
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

const numbers = new Intl.NumberFormat();
export const count = (n) => numbers.format(n);
export const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many}`;

/** 3:07, 1:02:45 */
export function duration(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return '';
  const s = Math.floor(seconds % 60), m = Math.floor(seconds / 60) % 60, h = Math.floor(seconds / 3600);
  const two = (n) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A picture with a drawn stand-in behind it: shown until it has loaded, and where there is none. */
export function cover(src, standIn, cls = '') {
  const box = el('span', { class: `cover ${cls}` }, icon(standIn));
  if (!src) return box;
  const img = el('img', { src, alt: '', loading: 'lazy', decoding: 'async' });
  let tries = 0;
  img.addEventListener('load', () => box.classList.add('loaded'));
  img.addEventListener('error', () => {
    // The server turns requests away while many pictures are taken out of files at once.
    if (++tries > 2) return img.remove();
    setTimeout(() => { img.src = `${src}?again=${tries}`; }, 1200 * tries);
  });
  if (img.complete) box.classList.add('loaded');
  box.append(img);
  return box;
}

export function announce(text) {
  byId('announce').textContent = text;
}
