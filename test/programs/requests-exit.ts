// Rank 0 leaves while nothing of what it sends has been received: requests-exit.ts how
import { PROC_NULL, startAll, world } from 'onecopy';

const { rank } = world;
const [how = ''] = process.argv.slice(2);
const LARGE = 1 << 20;
const COUNT = 5;

const large = (i: number): Uint8Array => new Uint8Array(LARGE).fill(i + 1);
const small = (i: number): Uint8Array => Uint8Array.of(i + 1);

/** Starts two sends, a large one with tag 2 i and a small one with tag 2 i + 1. */
const START: Readonly<Record<string, (i: number) => unknown>> = {
  isend: (i) => [world.isend(large(i), 1, 2 * i), world.isend(small(i), 1, 2 * i + 1)],
  issend: (i) => [world.issend(large(i), 1, 2 * i), world.issend(small(i), 1, 2 * i + 1)],
  limited: (i) => [
    world.isend(large(i), 1, 2 * i, { timeout: 60_000 }),
    world.issend(small(i), 1, 2 * i + 1, { signal: new AbortController().signal }),
  ],
  awaited: (i) => {
    void world.isend(large(i), 1, 2 * i).then();
    void world.issend(small(i), 1, 2 * i + 1).then();
  },
  persistent: (i) =>
    startAll([world.sendInit(large(i), 1, 2 * i), world.ssendInit(small(i), 1, 2 * i + 1)]),
  freed: (i) => {
    const both = [world.ssendInit(large(i), 1, 2 * i), world.ssendInit(small(i), 1, 2 * i + 1)];
    startAll(both);
    for (const each of both) each.free();
  },
  exchange: (i) => [
    world.isendrecv(large(i), 1, 2 * i, new Uint8Array(1), PROC_NULL),
    world.isendrecvReplace(small(i), 1, 2 * i + 1, PROC_NULL),
  ],
};

if (rank === 0) {
  for (let i = 0; i < COUNT; i++) START[how]?.(i);
  process.exit(0);
}
// The other one is on its way out by then; that it has gone would be an error here.
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
const into = new Uint8Array(LARGE);
for (let i = COUNT - 1; i >= 0; i--) {
  if (world.recv(into, 0, 2 * i + 1).bytes !== 1 || into[0] !== i + 1) throw new Error('small');
  if (world.recv(into, 0, 2 * i).bytes !== LARGE) throw new Error('another length');
  if (!into.every((byte) => byte === i + 1)) throw new Error('large');
}
console.log('all received');
