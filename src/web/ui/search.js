// SPDX-License-Identifier: MIT
// The search box: results appear as one types.
import { byId } from './dom.js';

const PAUSE_MS = 150; // between two keys of somebody who goes on typing

export class SearchBox {
  /** onSearch(text): what is in the box now, without spaces around it; '' where it was emptied.
   * onLeave(): the keyboard goes on to the results. */
  constructor({ onSearch, onLeave }) {
    this.input = byId('search');
    this.onSearch = onSearch;
    this.onLeave = onLeave;
    this.text = '';
    this.input.addEventListener('input', () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#tell(), this.input.value.trim() ? PAUSE_MS : 0);
    });
    this.input.addEventListener('keydown', (event) => this.#key(event));
    document.addEventListener('keydown', (event) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest?.('input, dialog')) return;
      event.preventDefault();
      this.input.focus();
      this.input.select();
    });
  }

  /** What the address says; what somebody is typing stays as it is. */
  show(text) {
    clearTimeout(this.timer);
    this.text = text;
    if (this.input.value.trim() !== text) this.input.value = text;
  }

  #tell() {
    clearTimeout(this.timer);
    const text = this.input.value.trim();
    if (text === this.text) return null;
    this.text = text;
    return this.onSearch(text);
  }

  async #key(event) {
    if (event.key === 'Escape') {
      this.input.value = '';
      this.#tell();
    } else if (event.key === 'Enter' || event.key === 'ArrowDown') {
      event.preventDefault();
      await this.#tell();
      this.onLeave(); // also puts a phone's keyboard away
    }
  }
}
