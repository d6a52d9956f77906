// Large messages of scattered items, in each way that they can go, by calls of each kind; errors in between leave the
// communicator as it was. Two ranks, 0 sends.
import { alloc, Datatype, DOUBLE, type MpiError, waitAll, world } from 'onecopy';

const { rank } = world;
const BYTES = 600_000;

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`rank ${rank}: ${what}`);
}

/** Blocks of so many doubles, every other of which is left out. */
function blocksOf(doubles: number): Datatype {
  const count = BYTES / 8 / doubles;
  return Datatype.vector(count, doubles, 2 * doubles, DOUBLE);
}

function memory(fromHeap: boolean): Float64Array {
  const length = BYTES / 4;
  return fromHeap ? alloc(Float64Array, length) : new Float64Array(length);
}

/** Element i of the message is i. */
function filled(doubles: number, fromHeap: boolean): Float64Array {
  const data = memory(fromHeap).fill(-1);
  for (let i = 0; i < BYTES / 8; i++) data[placeOf(i, doubles)] = i;
  return data;
}

function placeOf(i: number, doubles: number): number {
  return Math.floor(i / doubles) * 2 * doubles + (i % doubles);
}

function check(data: Float64Array, doubles: number): void {
  const expected = filled(doubles, false);
  const at = expected.findIndex((value, i) => value !== data[i]);
  must(at === -1, `${doubles} at a time: element ${at} is ${data[at]}, not ${expected[at]}`);
}

const LENGTHS = [1, 25, 75, 625, 5000, BYTES / 8];

for (const fromHeap of [false, true]) {
  for (const out of LENGTHS) {
    for (const into of LENGTHS.filter((into) => !fromHeap || into === 1 || out === 1)) {
      if (rank === 0) {
        const buffer = { data: filled(out, fromHeap), count: 1, datatype: blocksOf(out) };
        world.send(buffer, 1, 1);
        await world.isend(buffer, 1, 2);
      } else {
        const first = memory(fromHeap).fill(-1);
        const second = memory(false).fill(-1);
        const datatype = blocksOf(into);
        const request = world.irecv({ data: second, count: 1, datatype }, 0, 2);
        world.recv({ data: first, count: 1, datatype }, 0, 1);
        check(first, into);
        const status = await request;
        check(second, into);
        must(status.count(datatype) === 1, `count ${status.count(datatype)}`);
      }
    }
  }
}

// A message of unknown length; a receive that is too short, on both of which the sender does not depend.
for (const doubles of LENGTHS) {
  const datatype = blocksOf(doubles);
  if (rank === 0) {
    const buffer = { data: filled(doubles, false), count: 1, datatype };
    waitAll([world.isend(buffer, 1, 1), world.isend(buffer, 1, 1), world.isend(buffer, 1, 1)]);
    const synchronous = { data: buffer.data, count: 1, datatype: Datatype.dup(datatype) };
    world.send(synchronous, 1, 1, { timeout: 60_000 });
  } else {
    const { data } = world.recvNew(Float64Array, 0, 1);
    must(data.length === BYTES / 8 && data.every((value, i) => value === i), 'another message');
    try {
      world.recv({ data: memory(false), count: 1, datatype: Datatype.resized(DOUBLE, 0, 8) }, 0, 1);
      must(false, 'it was not truncated');
    } catch (error) {
      must((error as MpiError).code === 'ERR_TRUNCATE', String(error));
    }
    // Into one item of twice the length, of which only the beginning comes.
    const twice = Datatype.contiguous(2, Datatype.resized(datatype, 0, 2 * BYTES));
    const room = new Float64Array(BYTES / 2).fill(-1);
    const status = world.recv({ data: room, datatype: twice }, 0, 1);
    must(status.count(twice) === undefined, 'a whole item');
    must(status.elements(twice) === BYTES / 8, `${status.elements(twice)} elements`);
    check(room.subarray(0, BYTES / 4), doubles);
    must(
      room.subarray(BYTES / 4).every((value) => value === -1),
      'beyond the message',
    );
    world.recv(new Uint8Array(BYTES), 0, 1);
  }
}

// A buffer that is transferred away while its message waits: both sides learn of it.
if (rank === 1) {
  const { buffer } = new Float64Array(BYTES / 4);
  const request = world.irecv({ data: buffer, count: 1, datatype: blocksOf(25) }, 0, 1);
  structuredClone(buffer, { transfer: [buffer] });
  world.send(new Uint8Array(1), 0, 2);
  try {
    request.wait();
    must(false, 'a buffer that is gone was filled');
  } catch (error) {
    must((error as MpiError).code === 'ERR_DETACHED', String(error));
  }
} else {
  world.recv(new Uint8Array(1), 1, 2);
  try {
    world.send({ data: filled(25, false), count: 1, datatype: blocksOf(25) }, 1, 1);
    must(false, 'a message that nobody could take was sent');
  } catch (error) {
    must((error as MpiError).code === 'ERR_TRANSFER', String(error));
  }
}

// Types that are dropped in use: operations keep what they need (MPI-4.1 section 5.1.9).
const requests = Array.from({ length: 50 }, (_, tag) => {
  const datatype = Datatype.indexedBlock(1, [tag % 3, 5, 9000], DOUBLE);
  const data = new Float64Array(9001).fill(tag);
  return rank === 0
    ? world.isend({ data, datatype }, 1, tag)
    : world.irecv({ data, datatype }, 0, tag);
});
(globalThis as { gc?: () => void }).gc?.();
waitAll(requests);
world.barrier();
must(world.iprobe() === undefined, 'something is left over');
world.barrier();
console.log(`rank ${rank} done`);
