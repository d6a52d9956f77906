// Messages of more than 2^31 bytes, in the ways named by the arguments, one after another, with the same two arrays.
// Prints for each how many bytes which mover has moved. Two ranks. Of the sender's array only the stamps are ever
// written, so that it takes hardly any memory; the receiver's is all there.
import { alloc, counters, MpiError, type Status, self, world } from 'onecopy';
import { Stamps } from '../support/stamps.ts';

const [lengthArgument = '', memory = '', seed = '', ...ways] = process.argv.slice(2);
const LENGTH = Number(lengthArgument);
const { rank } = world;
const other = 1 - rank;

const stamps = new Stamps(LENGTH, Number(seed));

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
      world.recv(new Uint8Array(8), other, tag);
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
  if (rank === 0) stamps.write(theArray(), round);
  const received = await run(100 + round, theArray);
  if (received !== undefined) stamps.check(received, round);
  const bytes = moved().map((now, i) => now - (before[i] as number));
  console.log(
    JSON.stringify({ way, rank, ...Object.fromEntries(MOVED.map((name, i) => [name, bytes[i]])) }),
  );
}
