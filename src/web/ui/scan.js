// SPDX-License-Identifier: MIT
// What the server is doing: asked every 1.5 s while it scans, seldom otherwise, never while hidden.
import { byId, count, plural } from './dom.js';
import { status } from './api.js';

const BUSY_MS = 1500;
const QUIET_MS = 15000;

// null: the server cannot tell
function timeLeft(ms) {
  if (ms === null || ms === undefined) return '';
  if (ms < 60000) return `, ${plural(Math.ceil(ms / 1000), 'second', 'seconds')} left`;
  return `, ${plural(Math.ceil(ms / 60000), 'minute', 'minutes')} left`;
}

export class StatusWatch {
  constructor(onStatus) {
    this.onStatus = onStatus;
    this.timer = 0;
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) clearTimeout(this.timer);
      else this.tick();
    });
  }

  async tick() {
    clearTimeout(this.timer);
    let next = QUIET_MS;
    try {
      const s = await status();
      this.#show(s.scan);
      this.#lost(false);
      if (s.scan?.scanning) next = BUSY_MS;
      this.onStatus(s);
    } catch {
      this.#lost(true);
      next = BUSY_MS * 2;
    }
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => this.tick(), next);
  }

  #lost(is) {
    const notice = byId('notice');
    notice.hidden = !is;
    notice.textContent = is ? 'The server does not answer. Trying again.' : '';
  }

  #show(scan) {
    const chip = byId('scan');
    const scanning = Boolean(scan?.scanning);
    chip.hidden = !scanning;
    if (!scanning) return;
    const done = scan.stored + scan.unchanged + scan.failed;
    byId('scan-text').textContent =
      `Scanning: ${count(done)} of ${plural(scan.found, 'file', 'files')}${timeLeft(scan.leftMs)}`;
    const bar = byId('scan-bar');
    bar.max = Math.max(scan.found, 1);
    bar.value = Math.min(done, bar.max);
  }
}
