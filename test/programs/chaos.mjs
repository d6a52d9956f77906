// Ranks that exchange messages of 8 bytes, 1 MiB and 64 MiB in all sorts of ways until one of them is killed from
// outside: node chaos.mjs seed. Who gets an error says which and when, and whether anything was still written into its
// buffers after the call had returned.
import { alloc, IN_PLACE, MpiError, SUM, waitAll, world } from 'onecopy';

const { rank, size } = world;
const seed = Number(process.argv[2]);
const SMALL = 8;
const MIDDLE = 1 << 20;
const LARGE = 64 << 20;
const GUARD = 0xee;

/** The same on all ranks: mulberry32. */
let state = seed;
function random(limit) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) % limit;
}

const out = { [SMALL]: new Uint8Array(SMALL), [MIDDLE]: alloc(Uint8Array, MIDDLE) };
const into = { [SMALL]: guarded(SMALL), [MIDDLE]: guarded(MIDDLE) };
const sum = new Float64Array(MIDDLE / 8);

function guarded(bytes) {
  return new Uint8Array(bytes + 64).fill(GUARD);
}

/** Pages that nobody has touched cost no time. */
function sending(bytes) {
  out[bytes] ??= new Uint8Array(bytes);
  return out[bytes];
}
function receiving(bytes) {
  into[bytes] ??= guarded(bytes);
  return into[bytes].subarray(0, bytes);
}

let round = 0;
function stamp(bytes) {
  const data = sending(bytes);
  data[0] = data[bytes - 1] = (round + rank) & 0xff;
  return data;
}
function check(bytes, source) {
  const data = into[bytes];
  const expected = (round + source) & 0xff;
  if (data[0] !== expected || data[bytes - 1] !== expected) {
    throw new Error(`rank ${rank}: round ${round}: other bytes from rank ${source}`);
  }
  if (data[bytes] !== GUARD) throw new Error(`rank ${rank}: wrote behind ${bytes} bytes`);
}

const right = (rank + 1) % size;
const left = (rank + size - 1) % size;

const TRAFFIC = [
  (bytes) => {
    world.sendrecv(stamp(bytes), right, 1, receiving(bytes), left, 1);
    check(bytes, left);
  },
  // In turns, so that both sides wait in blocking calls.
  (bytes) => {
    const partner = rank ^ 1;
    for (const sender of [0, 1]) {
      if ((rank & 1) === sender) world.send(stamp(bytes), partner, 2);
      else world.recv(receiving(bytes), partner, 2);
    }
    check(bytes, partner);
  },
  (bytes) => {
    waitAll([world.irecv(receiving(bytes), left, 3), world.isend(stamp(bytes), right, 3)]);
    check(bytes, left);
  },
  async (bytes) => {
    const sent = world.isend(stamp(bytes), right, 4);
    await world.irecv(receiving(bytes), left, 4);
    await sent;
    check(bytes, left);
  },
  () => world.allreduce(IN_PLACE, sum, SUM),
  () => world.barrier(),
  (bytes) => {
    const comm = world.dup();
    const half = comm.split(rank & 1, -rank);
    half.allreduce(1, SUM);
    const pair = half.createGroup(half.group);
    comm.sendrecv(stamp(bytes), right, 1, receiving(bytes), left, 1);
    check(bytes, left);
    for (const each of [pair, half, comm]) each.free();
  },
];

/** What the peers still do to buffers that are this rank's own again; it looks for so many milliseconds. */
async function lateWrites(milliseconds) {
  const buffers = Object.values(into);
  for (const buffer of buffers) buffer.fill(GUARD);
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  // Each byte is like the one before it.
  return buffers.some(
    (buffer) =>
      buffer[0] !== GUARD || Buffer.compare(buffer.subarray(0, -1), buffer.subarray(1)) !== 0,
  );
}

console.log(JSON.stringify({ rank, pid: process.pid }));
try {
  for (; ; round++) {
    const bytes = [SMALL, SMALL, MIDDLE, MIDDLE, LARGE][random(5)];
    const times = bytes === SMALL ? 200 : bytes === MIDDLE ? 4 : 1;
    const traffic = TRAFFIC[random(TRAFFIC.length)];
    for (let i = 0; i < times; i++) await traffic(bytes);
    if (round === 2) console.log(JSON.stringify({ rank, runs: true }));
  }
} catch (error) {
  const at = Date.now();
  if (!(error instanceof MpiError)) throw error;
  console.log(JSON.stringify({ rank, code: error.code, at }));
  console.log(JSON.stringify({ rank, late: await lateWrites(20) }));
}
