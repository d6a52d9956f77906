// A launcher whose JavaScript stands still from the moment that its ranks start. Prints when it stood still, and then
// what the ranks had written and how the job ended.
import { readFileSync } from 'node:fs';
import { loadBinding } from '../../native/dist/load.js';

const [, , stuckMs, ...args] = process.argv;
const events = [];
const job = loadBinding().launch(
  {
    ranks: 2,
    file: process.execPath,
    args,
    env: Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
    graceMs: 1000,
    stdin: 'pipe',
  },
  (event) => {
    events.push(event);
    if (event.type !== 'end') return;
    for (const fd of job.stdout) process.stdout.write(readFileSync(fd));
    console.log(JSON.stringify({ from, to, events }));
  },
);
console.log('started');
const from = Date.now();
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(stuckMs));
const to = Date.now();
