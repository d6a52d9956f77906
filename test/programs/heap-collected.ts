// Arrays that are dropped without being disposed of, in a program that never lets the event loop have its turn: their
// memory is used again. Prints, in MiB, how much was allocated and by how much the process has grown at most.
import { alloc, counters } from 'onecopy';

const MEBIBYTE = 1024 * 1024;
const rounds = 3000;
let most = 0;
const before = process.memoryUsage.rss();
for (let i = 0; i < rounds; i++) {
  const array = alloc(Uint8Array, MEBIBYTE);
  if (array[12_345] !== 0) throw new Error('not zeroed');
  array.fill(i);
  most = Math.max(most, process.memoryUsage.rss() - before);
}
// Small ones too.
for (let i = 0; i < 100_000; i++) alloc(Uint8Array, 100)[5] = 1;
console.log(
  JSON.stringify({ allocated: rounds, grown: Math.round(most / MEBIBYTE), ...counters() }),
);
