// Messages of more than 2^31 bytes, in the ways named by the arguments, one after another, with the same two arrays.
// Prints for each how many bytes which mover has moved. Two ranks. Of the sender only the stamps are ever written, so
// that it takes hardly any memory; the receiver's array is all there.
import { alloc, counters, MpiError, type Status, self, world } from 'onecopy';
import { Random } from '../support/random.ts';

const [lengthArgument = '', memory = '', seed = '', ...ways] = process.argv.slice(2);
const LENGTH = Number(lengthArgument);
const { rank } = world;
const other = 1 - rank;

const STAMP = 8;
/** Where a number of 31 or 32 bits ends, signed or not, and what one system call of Linux moves at most. */
const BOUNDARIES = [2 ** 31 - 2 ** 12, 2 ** 31, 2 ** 32 - 2 ** 13, 2 ** 32];
const HALF = Math.floor(LENGTH / 2);

/** Around each boundary, at both ends, where two movers may meet, and at random. */
function places(): number[] {
  const random = new Random(Number(seed));
  const chosen = [0, LENGTH - STAMP, HALF - 3, HALF + STAMP];
  for (const boundary of BOUNDARIES) {
    for (const at of [boundary - 2 * STAMP, boundary - 3, boundary + STAMP]) {
      if (at + STAMP <= LENGTH) chosen.push(at);
    }
  }
  for (let i = 0; i < 8; i++) chosen.push(Math.floor((random.next() / 2 ** 32) * (LENGTH - STAMP)));
  chosen.sort((a, b) => a - b);
  return chosen.filter((at, i) => i === 0 || at - (chosen[i - 1] as number) >= STAMP);
}

const PLACES = places();

/** Of this place in this round: never 0, as all bytes without a stamp are. */
const stampAt = (round: number, place: number, byte: number): number =>
  1 + ((round * 59 + place * 17 + byte * 5) % 255);

function stamp(array: Uint8Array, round: number): void {
  for (const [place, at] of PLACES.entries()) {
    for (let byte = 0; byte < STAMP; byte++) array[at + byte] = stampAt(round, place, byte);
  }
}

/** Also that what lies beside each stamp is not one: nothing came from, or went to, a neighbouring place. */
function check(array: Uint8Array, round: number, what: string): void {
  const stamped = new Set(PLACES.flatMap((at) => Array.from({ length: STAMP }, (_, i) => at + i)));
  for (const [place, at] of PLACES.entries()) {
    for (let byte = -STAMP; byte < 2 * STAMP; byte++) {
      const here = at + byte;
      if (here < 0 || here >= LENGTH) continue;
      const inside = byte >= 0 && byte < STAMP;
      if (!inside && stamped.has(here)) continue;
      const expected = inside ? stampAt(round, place, byte) : 0;
      if (array[here] !== expected) {
        throw new Error(`${what}: byte ${here} is ${array[here]}, not ${expected}`);
      }
    }
  }
}

function checkStatus(status: Status, source: number, tag: number): void {
  const right = status.source === source && status.tag === tag && status.bytes === LENGTH;
  if (!right || status.count(Uint8Array) !== LENGTH)
    throw new Error(`wrong status: ${JSON.stringify(status)}`);
}

/** On both ranks; what was received is checked. Rank 0 sends what it has stamped. */
type Way = (tag: number, array: () => Uint8Array) => Received | undefined | Promise<Received>;
type Received = Uint8Array | undefined;

const WAYS: Readonly<Record<string, Way>> = {
  blocking(tag, array) {
    if (rank === 0) return sent(world.send(array(), other, tag));
    checkStatus(world.recv(array(), other, tag), other, tag);
    return array();
  },
  async awaited(tag, array) {
    if (rank === 0) return sent(await world.isend(array(), other, tag));
    checkStatus(await world.irecv(array(), other, tag), other, tag);
    return array();
  },
  counted(tag, array) {
    const described = { data: array().buffer, count: LENGTH, datatype: 'BYTE' } as const;
    if (rank === 0) return sent(world.isend(described, other, tag).wait());
    checkStatus(world.probe(other, tag), other, tag);
    checkStatus(world.irecv(described, other, tag).wait(), other, tag);
    return array();
  },
  truncated(tag, array) {
    if (rank === 0) return sent(world.send(array(), other, tag));
    try {
      world.recv(new Uint8Array(STAMP), other, tag);
    } catch (error) {
      if (error instanceof MpiError && error.code === 'ERR_TRUNCATE') return undefined;
      throw error;
    }
    throw new Error('no ERR_TRUNCATE');
  },
  new(tag, array) {
    if (rank === 0) return sent(world.send(array(), other, tag));
    const { data, status } = world.recvNew(Uint8Array, other, tag);
    checkStatus(status, other, tag);
    return data;
  },
  self(tag, array) {
    if (rank === 1) return undefined;
    const received = new Uint8Array(LENGTH);
    checkStatus(self.sendrecv(array(), 0, tag, received, 0, tag), 0, tag);
    return received;
  },
};

function sent(_: unknown): undefined {}

const MOVED = ['cmaBytes', 'heapBytes', 'pushedBytes', 'stagedBytes', 'localBytes'] as const;
const moved = (): number[] => MOVED.map((name) => counters()[name] ?? 0);

let array: Uint8Array | undefined;
const theArray = (): Uint8Array => {
  array ??= memory === 'alloc' ? alloc(Uint8Array, LENGTH) : new Uint8Array(LENGTH);
  return array;
};
for (const [round, way] of ways.entries()) {
  const run = WAYS[way];
  if (run === undefined) throw new Error(`there is no way ${way}`);
  const before = moved();
  if (rank === 0) stamp(theArray(), round);
  const received = await run(100 + round, theArray);
  if (received !== undefined) check(received, round, way);
  const bytes = moved().map((now, i) => now - (before[i] as number));
  console.log(
    JSON.stringify({ way, rank, ...Object.fromEntries(MOVED.map((name, i) => [name, bytes[i]])) }),
  );
}
