// Random nested datatypes against a naive list of their bytes: node datatypes-random.ts seed rounds
// Two ranks: 0 sends with one type, 1 receives with another of the same signature. Each writes one line of JSON.
import { Datatype, pack, type Status, unpack, waitAll, world } from 'onecopy';
import { Random } from '../support/random.ts';
import { bytesOf, randomSample, type Sample, scattered } from '../support/random-datatype.ts';

export interface Report {
  readonly rank: number;
  readonly messages: number;
  readonly bytes: number;
  readonly overlapping: number;
}

const [seed = 0, rounds = 0] = process.argv.slice(2).map(Number);
const { rank } = world;
const GUARD = 0xa5;

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`rank ${rank}, seed ${seed}: ${what}`);
}

/** Memory that has room for items on both sides of where they are placed. */
class Field {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #begin: number;
  readonly #places: readonly number[];

  constructor(sample: Sample, count: number, fill: (bytes: Uint8Array) => void) {
    this.#places = bytesOf(sample, count);
    const low = this.#places.reduce((least, each) => Math.min(least, each), 0);
    const high = this.#places.reduce((most, each) => Math.max(most, each), -1) + 1;
    // Where a type reaches before its place, it is moved: a buffer has nothing before its first byte.
    this.#begin = -low;
    this.bytes = new Uint8Array(high - low + 16);
    fill(this.bytes);
  }

  get data(): Uint8Array<ArrayBuffer> {
    return this.bytes;
  }

  /** The same type, moved to where it lies in the memory. */
  placed({ datatype, lb, ub }: Sample): Datatype {
    if (this.#begin === 0) return datatype;
    const moved = Datatype.hindexed([1], [this.#begin], datatype);
    return Datatype.resized(moved, lb, ub - lb);
  }

  stream(): Uint8Array {
    return Uint8Array.from(this.#places, (place) => this.bytes[this.#begin + place]!);
  }

  /** Whether it holds the beginning of a stream, and nothing else has changed. */
  holds(stream: Uint8Array): boolean {
    const expected = new Uint8Array(this.bytes.length).fill(GUARD);
    stream.forEach((byte, i) => {
      expected[this.#begin + this.#places[i]!] = byte;
    });
    return Buffer.compare(expected, this.bytes) === 0;
  }

  get namesTwice(): boolean {
    return new Set(this.#places).size < this.#places.length;
  }
}

function guarded(sample: Sample, count: number): Field {
  return new Field(sample, count, (bytes) => bytes.fill(GUARD));
}

function checkBounds(sample: Sample): void {
  const { datatype, lb, ub } = sample;
  must(datatype.lb === lb, `${datatype}: lb ${datatype.lb}, not ${lb}`);
  must(datatype.extent === ub - lb, `${datatype}: extent ${datatype.extent}, not ${ub - lb}`);
  const places = bytesOf(sample, 1);
  must(datatype.size === places.length, `${datatype}: size ${datatype.size}, not ${places.length}`);
  if (places.length === 0) return;
  const low = places.reduce((least, each) => Math.min(least, each));
  const high = places.reduce((most, each) => Math.max(most, each)) + 1;
  must(datatype.trueLb === low, `${datatype}: trueLb ${datatype.trueLb}, not ${low}`);
  must(datatype.trueExtent === high - low, `${datatype}: true extent, not ${high - low}`);
}

type Send = (buffer: Parameters<typeof world.send>[0]) => void;
type Receive = (buffer: Parameters<typeof world.recv>[0]) => Status;

const SENDS: readonly Send[] = [
  (buffer) => world.send(buffer, 1, 3),
  (buffer) => world.isend(buffer, 1, 3).wait(),
  (buffer) => world.send(buffer, 1, 3, { timeout: 60_000 }),
  (buffer) => world.sendrecv(buffer, 1, 3, new Uint8Array(1), 1, 4),
];
const RECEIVES: readonly Receive[] = [
  (buffer) => world.recv(buffer, 0, 3),
  (buffer) => waitAll([world.irecv(buffer, 0, 3)])[0],
  (buffer) => world.recv(buffer, { timeout: 60_000 }),
  (buffer) => world.sendrecv(new Uint8Array(1), 0, 4, buffer, 0, 3),
];

let messages = 0;
let bytes = 0;
let overlapping = 0;

for (let round = 0; round < rounds; round++) {
  const random = new Random(seed, round);
  const sample = randomSample(random, 1 + random.below(4));
  checkBounds(sample);
  // Now and then enough for every way that bytes go.
  const many = sample.entries.length > 0 ? Math.ceil(60_000 / sample.entries.length) : 3;
  const count = random.below(4) === 0 ? Math.min(many, 4000) : random.below(4);
  const from = new Field(sample, count, (memory) => memory.set(random.bytes(memory.length)));
  const stream = from.stream();

  // Packing, of both ranks alike.
  const described = { data: from.data, count, datatype: from.placed(sample) };
  const packed = pack(described);
  must(Buffer.compare(packed, stream) === 0, `${sample.datatype}: packed otherwise`);
  const back = guarded(sample, count);
  if (!back.namesTwice) {
    const end = unpack(packed, { ...described, data: back.data });
    must(end === packed.length, `position ${end}`);
    must(back.holds(stream), `${sample.datatype}: unpacked otherwise`);
  } else {
    overlapping++;
    try {
      unpack(packed, { ...described, data: back.data });
      must(false, `${sample.datatype}: overlaps, and was accepted`);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_TYPE') throw error;
    }
  }

  // With the same type, with a type of the same signature, into bytes.
  const elements = sample.entries.map(({ type }) => type);
  const other = scattered(random, elements);
  const ways = [random.below(SENDS.length), random.below(SENDS.length), random.below(SENDS.length)];
  const room = count + (round % 2);
  const kinds = [guarded(sample, room).namesTwice ? other : sample, other, undefined];
  for (const [i, receiver] of kinds.entries()) {
    const way = ways[i]!;
    if (rank === 0) {
      if (count % 2 === 0 || way === 3) SENDS[way]!(described);
      else SENDS[0]!(described);
      continue;
    }
    const field = receiver === undefined ? undefined : guarded(receiver, room);
    const plain = new Uint8Array(stream.length + 3).fill(GUARD);
    const buffer =
      receiver === undefined || field === undefined
        ? plain
        : { data: field.data, count: room, datatype: field.placed(receiver) };
    const status = way === 3 ? RECEIVES[3]!(buffer) : RECEIVES[(way + round) % 3]!(buffer);
    must(status.bytes === stream.length, `${status.bytes} bytes, not ${stream.length}`);
    const whole = field?.holds(stream) ?? Buffer.compare(plain.subarray(0, -3), stream) === 0;
    must(
      whole,
      `round ${round}: ${sample.datatype} into ${receiver?.datatype ?? 'bytes'}: other bytes`,
    );
    must(
      plain.subarray(receiver === undefined ? -3 : 0).every((byte) => byte === GUARD),
      'guards',
    );
    if (sample.datatype.size > 0) {
      must(status.count(sample.datatype) === count, `count ${status.count(sample.datatype)}`);
      const expected = sample.entries.reduce((sum, { type }) => sum + type.shape.node.elements, 0);
      must(status.elements(sample.datatype) === count * expected, 'elements');
    }
    messages++;
    bytes += status.bytes;
  }
}
world.barrier();
const report: Report = { rank, messages, bytes, overlapping };
console.log(JSON.stringify(report));
