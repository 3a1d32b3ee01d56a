// SPDX-License-Identifier: MIT
// All browser tests; `./run NAME_PART` runs a part. The last line is "N passed, N failed".
import { runAll } from './browser.mjs';
import './page.test.mjs';
import { stopServer } from './app.test.mjs';

let { passed, failed } = await runAll();
if (await stopServer() !== 0) {
  failed++;
  console.log('FAIL the server ended with an error');
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
