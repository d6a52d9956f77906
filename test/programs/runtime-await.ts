// Two ranks that await: rank 1 waits in the event loop while timers and files go on; then many messages both ways.
import { readFile } from 'node:fs/promises';
import { waitAll, world } from 'onecopy';

const { rank } = world;
const other = 1 - rank;
const TICKS = 10;
const ROUNDS = 500;

if (rank === 0) {
  // Rank 1 can only ask for it from a timer.
  world.recv(new Uint8Array(1), 1, 1);
  world.send(Float64Array.of(42), 1, 2);
} else {
  const answer = new Float64Array(1);
  const receiving = world.irecv(answer, 0, 2);
  let ticks = 0;
  const tick = async (): Promise<void> => {
    await readFile(import.meta.filename);
    if (++ticks === TICKS) world.send(new Uint8Array(1), 0, 1);
    else setTimeout(tick, 2);
  };
  setTimeout(tick, 2);
  const status = await receiving;
  if (ticks !== TICKS) throw new Error(`${ticks} ticks`);
  if (answer[0] !== 42 || status.bytes !== 8) throw new Error('not the answer');
}

// There and back, small and large in turns.
for (let i = 0; i < ROUNDS; i++) {
  const bytes = i % 10 === 0 ? 300_000 : 8;
  const outgoing = new Uint8Array(bytes).fill(i);
  const incoming = new Uint8Array(bytes);
  if (rank === 0) await world.isend(outgoing, other, 3);
  await world.irecv(incoming, other, 3);
  if (rank === 1) await world.isend(outgoing, other, 3);
  if (!incoming.every((byte) => byte === i % 256)) throw new Error(`round ${i}`);
}

// Many at once, settled by turns of the event loop.
const outgoing = Array.from({ length: 2000 }, (_, i) => Uint32Array.of(i));
const incoming = outgoing.map(() => new Uint32Array(1));
const receiving = incoming.map((buffer) => world.irecv(buffer, other, 4));
const sending = outgoing.map((buffer) => world.isend(buffer, other, 4));
await Promise.all([...receiving, ...sending]);
if (!incoming.every((buffer, i) => buffer[0] === i)) throw new Error('out of order');

// One that is awaited and waited for at the same time.
const both = world.irecv(new Uint8Array(1), other, 5);
const awaited = both.then(({ tag }) => tag);
waitAll([world.isend(new Uint8Array(1), other, 5), both]);
if ((await awaited) !== 5) throw new Error('not the tag');

// The last one is all that keeps rank 1 alive, for rank 0 takes its time.
if (rank === 0) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  world.send(new Uint8Array(1), 1, 6);
} else {
  await world.irecv(new Uint8Array(1), 0, 6);
}
console.log(`rank ${rank} done`);
