// SPDX-License-Identifier: MIT
// The server's JSON API.

export const PAGE = 100;

async function get(path, params = {}) {
  const query = new URLSearchParams(params).toString().replaceAll('+', '%20');
  const reply = await fetch(query ? `${path}?${query}` : path);
  if (!reply.ok) {
    const error = new Error(`${reply.status}`);
    error.status = reply.status;
    throw error;
  }
  return reply.json();
}

export const browse = (id, offset = 0, limit = PAGE) => get('/api/v1/browse', { id, offset, limit });
export const search = (q, offset = 0, limit = PAGE) => get('/api/v1/search', { q, offset, limit });
export const object = (id) => get('/api/v1/object', { id });
export const status = () => get('/api/v1/status');

/* What was searched for is listed like a container, under an id that no container has. */
export const searchId = (q) => `?${q}`;
export const searchText = (id) => (id.startsWith('?') ? id.slice(1) : null);

async function page(id, offset) {
  const q = searchText(id);
  if (q === null) return browse(id, offset);
  return { id, title: q, class: 'search', ancestors: [], ...await search(q, offset) };
}

/** What is loaded of one container, and the way to get more of it. */
export class Listing {
  constructor(first) {
    this.container = first;
    this.children = first.children;
    this.offset = first.offset + first.children.length;
    this.ended = first.children.length === 0 || this.offset >= first.total;
    this.pending = null;
    this.scrollY = 0;
  }

  get id() { return this.container.id; }
  get total() { return this.container.total; }

  static async open(id) { return new Listing(await page(id, 0)); }

  /** The next page's children; [] at the end. Calls that overlap share one request. */
  more() {
    if (this.ended) return Promise.resolve([]);
    this.pending ??= this.#fetch().finally(() => { this.pending = null; });
    return this.pending;
  }

  /** Equal to what is on the screen? */
  sameAs(other) {
    return this.total === other.total && this.id === other.id
      && JSON.stringify(this.children) === JSON.stringify(other.children);
  }

  async #fetch() {
    const next = await page(this.id, this.offset);
    this.offset += next.children.length;
    this.ended = next.children.length === 0 || this.offset >= next.total;
    this.container.total = next.total;
    this.children.push(...next.children);
    this.onMore?.();
    return next.children;
  }
}
