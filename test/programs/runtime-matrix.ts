// Runs cases of the table in test/matrix.ts on all ranks: node runtime-matrix.ts seed code code…
// Each rank writes one line of JSON, see `Report`.
import {
  ANY_SOURCE,
  ANY_TAG,
  alloc,
  type BufferArgument,
  type BufferLike,
  IN_PLACE,
  MpiError,
  type Status,
  SUM,
  self,
  type TypedArray,
  type TypedArrayClass,
  waitAll,
  wtime,
} from 'onecopy';
import { type Case, type Count, decode, type Element, type Mover } from '../matrix.ts';
import { communicatorUnderTest } from '../support/communicator.ts';
import { Random } from '../support/random.ts';
import { PROBE_OPERATIONS } from './matrix-probes.ts';
import { REQUEST_OPERATIONS } from './matrix-requests.ts';
import { SHAPE_OPERATIONS } from './matrix-shapes.ts';

export interface Report {
  readonly rank: number;
  readonly ran: number;
  readonly eagerLimit: number;
  readonly failures: readonly string[];
}

const comm = communicatorUnderTest();
const { rank, size } = comm;
const above = (rank + 1) % size;
const below = (rank - 1 + size) % size;
/** What every byte around a receive buffer is filled with. */
const GUARD = 0xa5;

const CLASSES: Readonly<Record<string, TypedArrayClass>> = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
};

/** A buffer of some class with a guard element on each side, where the class allows one. */
class Guarded {
  readonly buffer: BufferLike;
  readonly #memory: Uint8Array;
  readonly #begin: number;

  constructor(element: Element, length: number, mover: Mover) {
    const width = widthOf(element);
    const bytes = length * width;
    const whole = element === 'ArrayBuffer' || element === 'SharedArrayBuffer';
    this.#begin = whole ? 0 : width;
    const total = whole ? bytes : bytes + 2 * width;
    const memory = memoryOf(element, total, mover);
    this.#memory = new Uint8Array(memory).fill(GUARD);
    this.buffer = whole ? memory : viewOf(element, memory, this.#begin, length);
  }

  fill(content: Uint8Array, at = 0): this {
    this.#memory.set(content, this.#begin + at);
    return this;
  }

  /** Throws unless the buffer begins with `content` and everything else is as it was. */
  check(content: Uint8Array): void {
    const expected = new Uint8Array(this.#memory.length).fill(GUARD);
    expected.set(content, this.#begin);
    if (Buffer.compare(this.#memory, expected) === 0) return;
    const at = expected.findIndex((byte, i) => byte !== this.#memory[i]);
    const place = at - this.#begin;
    throw new Error(
      `byte ${place} of ${content.length} is ${this.#memory[at]}, not ${expected[at]}` +
        (place < 0 || place >= content.length ? ', outside of the message' : ''),
    );
  }
}

function memoryOf(element: Element, bytes: number, mover: Mover): ArrayBufferLike {
  if (element === 'SharedArrayBuffer') return new SharedArrayBuffer(bytes);
  if (mover !== 'heap') return new ArrayBuffer(bytes);
  const { buffer } = alloc(Uint8Array, bytes);
  must(buffer.byteLength === bytes, `${buffer.byteLength} bytes from alloc, not ${bytes}`);
  return buffer;
}

function widthOf(element: Element): number {
  return CLASSES[element]?.BYTES_PER_ELEMENT ?? 1;
}

function viewOf(element: Element, memory: ArrayBufferLike, at: number, length: number): BufferLike {
  if (element === 'Buffer') return Buffer.from(memory as ArrayBuffer, at, length);
  if (element === 'DataView') return new DataView(memory, at, length);
  return new CLASSES[element]!(memory, at, length);
}

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** One case on this rank. */
export class Trial {
  readonly #case: Case;
  readonly #code: number;
  readonly #count: number;
  readonly #tag: number;

  constructor(one: Case, code: number) {
    this.#case = one;
    this.#code = code;
    this.#count = elementsOf(one.count, widthOf(one.element));
    this.#tag = code;
  }

  async run(): Promise<void> {
    await OPERATIONS[this.#case.operation](this);
    // Wildcards must not find what a faster rank sends in the next case.
    comm.barrier();
    must(comm.iprobe(ANY_SOURCE, this.#tag) === undefined, 'a message is left over');
  }

  get tag(): number {
    return this.#tag;
  }

  get count(): number {
    return this.#count;
  }

  get typedClass(): TypedArrayClass {
    return CLASSES[this.#case.element] ?? Uint8Array;
  }

  /** What `source` sends to `dest`; every rank can work it out. */
  content(source: number, dest: number): Uint8Array<ArrayBuffer> {
    const length = this.#count * widthOf(this.#case.element);
    return new Random(seed, this.#code, source, dest).bytes(length);
  }

  /** Every root has its turn. */
  get root(): number {
    return this.#code % size;
  }

  /** What `source` contributes to a sum of `dest`: small enough for the sum of all to fit into every class. */
  operand(source: number, dest = 0): Uint8Array {
    const values = new Random(seed, this.#code, source, dest).bytes(this.#count);
    return values.map((value) => value & 15);
  }

  /** The sum of what ranks 0 to `last` contribute, as bytes of the elements. */
  sum(last: number, dest = 0): Uint8Array<ArrayBuffer> {
    const sum = new Uint8Array(this.#count);
    for (let source = 0; source <= last; source++) {
      const values = this.operand(source, dest);
      for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
    }
    return this.widened(sum);
  }

  /** Small numbers as elements of the class. */
  widened(values: Uint8Array): Uint8Array<ArrayBuffer> {
    const { typedClass } = this;
    if (typedClass === BigInt64Array || typedClass === BigUint64Array) {
      const wide = new BigInt64Array(values.length);
      for (let i = 0; i < values.length; i++) wide[i] = BigInt(values[i]!);
      return new Uint8Array(wide.buffer);
    }
    const wide = new (typedClass as Float64ArrayConstructor)(values.length);
    wide.set(values);
    return new Uint8Array(wide.buffer);
  }

  /** One message of this case, with something in it. */
  one(content?: Uint8Array): Guarded {
    const guarded = this.#guarded(this.#count);
    return content === undefined ? guarded : guarded.fill(content);
  }

  outgoing(dest: number = above): Guarded {
    return this.#guarded(this.#count).fill(this.content(rank, dest));
  }

  /** Of exactly the length of the message, or one longer, in turns. */
  incoming(): Guarded {
    return this.#guarded(this.#count + (this.#code % 2));
  }

  /** One block for each rank. */
  blocks(): Guarded {
    return this.#guarded(this.#count * size);
  }

  #guarded(length: number): Guarded {
    return new Guarded(this.#case.element, length, this.#case.mover);
  }

  checkArrival(status: Status, incoming: Guarded, source: number = below): void {
    const content = this.content(source, rank);
    incoming.check(content);
    this.checkStatus(status, source, content.length);
  }

  checkStatus(status: Status, source: number, bytes: number): void {
    must(status.source === source, `source ${status.source}, not ${source}`);
    must(status.tag === this.#tag, `tag ${status.tag}, not ${this.#tag}`);
    must(status.bytes === bytes, `${status.bytes} bytes, not ${bytes}`);
    const count = status.count(this.typedClass);
    must(count === this.#count, `count ${count}, not ${this.#count}`);
  }
}

function elementsOf(count: Count, width: number): number {
  const atEager = Math.floor((eagerLimit || 8192) / width);
  const counts: Record<Count, number> = {
    none: 0,
    one: 1,
    odd: 7,
    'below eager': atEager - 1,
    'at eager': atEager,
    'above eager': atEager + 1,
    'below sharing': 32768 / width - 1,
    'at sharing': 32768 / width,
    'at a piece': 65536 / width,
    'above a piece': 65536 / width + 1,
    'above a slice': 524288 / width + 1,
  };
  return counts[count];
}

/** Every rank sends to the one above and receives from the one below, in one way or another. */
const OPERATIONS: Readonly<Record<Case['operation'], (trial: Trial) => void | Promise<void>>> = {
  ...REQUEST_OPERATIONS,
  ...PROBE_OPERATIONS,
  ...SHAPE_OPERATIONS,

  'send, recv'(trial) {
    const outgoing = trial.outgoing();
    const incoming = trial.incoming();
    if (size === 1) {
      const request = comm.irecv(incoming.buffer, 0, trial.tag);
      comm.send(outgoing.buffer, 0, trial.tag);
      trial.checkArrival(request.wait(), incoming);
    } else if (rank % 2 === 0) {
      comm.send(outgoing.buffer, above, trial.tag);
      trial.checkArrival(comm.recv(incoming.buffer, below, trial.tag), incoming);
    } else {
      trial.checkArrival(comm.recv(incoming.buffer, below, trial.tag), incoming);
      comm.send(outgoing.buffer, above, trial.tag);
    }
  },

  'isend, irecv, waitAll'(trial) {
    const incoming = trial.incoming();
    const requests = [
      comm.irecv(incoming.buffer, below, trial.tag),
      comm.isend(trial.outgoing().buffer, above, trial.tag),
    ] as const;
    const [status] = waitAll(requests);
    trial.checkArrival(status, incoming);
  },

  async 'isend, irecv, await'(trial) {
    const incoming = trial.incoming();
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag);
    const status = await comm.irecv(incoming.buffer, below, trial.tag);
    trial.checkArrival(status, incoming);
    await sending;
  },

  'isend, irecv, test'(trial) {
    const incoming = trial.incoming();
    const receiving = comm.irecv(incoming.buffer, ANY_SOURCE, trial.tag);
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag);
    while (!receiving.test() || !sending.test());
    trial.checkArrival(receiving.value, incoming);
  },

  'isend, recv with timeout'(trial) {
    const incoming = trial.incoming();
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag);
    const status = comm.recv(incoming.buffer, below, trial.tag, { timeout: 30_000 });
    trial.checkArrival(status, incoming);
    sending.wait({ timeout: 30_000 });
  },

  sendrecv(trial) {
    const incoming = trial.incoming();
    const { buffer } = trial.outgoing();
    const status = comm.sendrecv(buffer, above, trial.tag, incoming.buffer, below, trial.tag);
    trial.checkArrival(status, incoming);
  },

  'probe, recv from any'(trial) {
    const incoming = trial.incoming();
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag);
    const found = comm.probe();
    trial.checkStatus(found, below, trial.content(below, rank).length);
    trial.checkArrival(comm.recv(incoming.buffer), incoming);
    sending.wait();
  },

  'iprobe, recv'(trial) {
    const incoming = trial.incoming();
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag);
    let found: Status | undefined;
    while (found === undefined) found = comm.iprobe(below, ANY_TAG);
    trial.checkStatus(found, below, trial.content(below, rank).length);
    trial.checkArrival(comm.recv(incoming.buffer, found.source, found.tag), incoming);
    sending.wait();
  },

  'isend, recvNew'(trial) {
    const sending = comm.isend(trial.outgoing().buffer, above, trial.tag);
    const { data, status } = comm.recvNew(trial.typedClass, below, trial.tag);
    const content = trial.content(below, rank);
    must(data instanceof trial.typedClass, `a ${data.constructor.name}`);
    must(Buffer.compare(bytesOf(data), content) === 0, 'other bytes');
    trial.checkStatus(status, below, content.length);
    sending.wait();
  },

  'described buffers'(trial) {
    // The other side is described too, by what it is not: bytes as elements.
    const { typedClass, count } = trial;
    const name = comm.rank % 2 === 0 ? typedClass : undefined;
    const content = trial.content(rank, above);
    const padded = new Uint8Array(content.length + 8);
    padded.set(content);
    const incoming = trial.incoming();
    const outgoing: BufferArgument =
      name === undefined
        ? trial.outgoing().buffer
        : { data: new typedClass(padded.buffer, 0, count), count };
    const sending = comm.isend(outgoing, above, trial.tag);
    const status = comm.recv({ data: incoming.buffer, count }, below, trial.tag);
    trial.checkArrival(status, incoming);
    sending.wait();
  },

  self(trial) {
    const content = trial.content(rank, rank);
    const incoming = trial.incoming();
    const receiving = self.irecv(incoming.buffer, ANY_SOURCE, trial.tag);
    self.send(trial.outgoing(rank).buffer, 0, trial.tag);
    const status = receiving.wait();
    incoming.check(content);
    trial.checkStatus(status, 0, content.length);
  },

  'alltoall into'(trial) {
    const outgoing = trial.blocks().fill(concatenated((dest) => trial.content(rank, dest)));
    const incoming = trial.blocks();
    const result = comm.alltoall(outgoing.buffer, incoming.buffer);
    must(result === incoming.buffer, 'another buffer came back');
    incoming.check(concatenated((source) => trial.content(source, rank)));
  },

  'alltoall new'(trial) {
    const content = concatenated((dest) => trial.content(rank, dest));
    const result = comm.alltoall(new trial.typedClass(content.buffer) as TypedArray);
    const expected = concatenated((source) => trial.content(source, rank));
    must(Buffer.compare(bytesOf(result), expected) === 0, 'other bytes');
  },

  barrier(trial) {
    const times = Float64Array.of(0, 0);
    times[0] = wtime();
    comm.barrier();
    times[1] = wtime();
    const all = Array.from({ length: size }, () => new Float64Array(2));
    const receiving = all.map((into, source) => comm.irecv(into, source, trial.tag));
    for (let dest = 0; dest < size; dest++) comm.isend(times, dest, trial.tag).wait();
    waitAll(receiving);
    const lastIn = Math.max(...all.map(([entered]) => entered!));
    const firstOut = Math.min(...all.map(([, left]) => left!));
    must(lastIn <= firstOut, `a rank left ${lastIn - firstOut} s before all had come`);
  },

  bcast(trial) {
    const content = trial.content(trial.root, 0);
    const place = trial.one(rank === trial.root ? content : undefined);
    same(comm.bcast(place.buffer, trial.root), place);
    place.check(content);
  },

  'allreduce new'(trial) {
    const content = trial.widened(trial.operand(rank));
    const x = new trial.typedClass(content.slice().buffer) as TypedArray;
    const result = comm.allreduce(x, SUM);
    must(result instanceof trial.typedClass, `a ${result.constructor.name}`);
    must(Buffer.compare(bytesOf(result), trial.sum(size - 1)) === 0, 'another sum');
    must(Buffer.compare(bytesOf(x), content) === 0, 'the operand has changed');
  },

  'allreduce in place'(trial) {
    const place = trial.one(trial.widened(trial.operand(rank)));
    same(comm.allreduce(IN_PLACE, numbers(place), SUM), place);
    place.check(trial.sum(size - 1));
  },

  'reduce into'(trial) {
    const content = trial.widened(trial.operand(rank));
    const outgoing = trial.one(content);
    const isRoot = rank === trial.root;
    const incoming = trial.one();
    const result = comm.reduce(numbers(outgoing), numbers(incoming), SUM, trial.root);
    if (isRoot) same(result, incoming);
    else must(result === undefined, 'a result off the root');
    outgoing.check(content);
    incoming.check(isRoot ? trial.sum(size - 1) : new Uint8Array(content.length).fill(GUARD));
  },

  'scan into'(trial) {
    const outgoing = trial.one(trial.widened(trial.operand(rank)));
    const incoming = trial.one();
    same(comm.scan(numbers(outgoing), numbers(incoming), SUM), incoming);
    incoming.check(trial.sum(rank));
  },

  'reduceScatterBlock in place'(trial) {
    const content = concatenated((dest) => trial.widened(trial.operand(rank, dest)));
    const place = trial.blocks().fill(content);
    same(comm.reduceScatterBlock(IN_PLACE, numbers(place), SUM), place);
    content.set(trial.sum(size - 1, rank));
    place.check(content);
  },

  'allgather into'(trial) {
    const incoming = trial.blocks();
    same(comm.allgather(trial.outgoing(0).buffer, incoming.buffer), incoming);
    incoming.check(concatenated((source) => trial.content(source, 0)));
  },

  'allgather in place'(trial) {
    const own = trial.content(rank, 0);
    const place = trial.blocks().fill(own, rank * own.length);
    same(comm.allgather(IN_PLACE, place.buffer), place);
    place.check(concatenated((source) => trial.content(source, 0)));
  },

  'gather in place'(trial) {
    const own = trial.content(rank, 0);
    if (rank !== trial.root) {
      const result = comm.gather(trial.one(own).buffer, undefined, trial.root);
      must(result === undefined, 'a result off the root');
      return;
    }
    const place = trial.blocks().fill(own, rank * own.length);
    same(comm.gather(IN_PLACE, place.buffer, trial.root), place);
    place.check(concatenated((source) => trial.content(source, 0)));
  },

  'scatter into'(trial) {
    const { root } = trial;
    const whole = trial.blocks().fill(concatenated((dest) => trial.content(root, dest)));
    const incoming = trial.one();
    const send = rank === root ? whole.buffer : undefined;
    same(comm.scatter(send, incoming.buffer, root), incoming);
    incoming.check(trial.content(root, rank));
  },
};

function same(result: unknown, { buffer }: Guarded): void {
  must(result === buffer, 'another buffer came back');
}

/** Reductions are declared for typed arrays; other buffers are bytes to them. */
function numbers({ buffer }: Guarded): TypedArray {
  return buffer as unknown as TypedArray;
}

function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function concatenated(part: (rank: number) => Uint8Array): Uint8Array<ArrayBuffer> {
  const parts = Array.from({ length: size }, (_, each) => part(each));
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const each of parts) {
    whole.set(each, at);
    at += each.length;
  }
  return whole;
}

const [seed = 0, ...codes] = process.argv.slice(2).map(Number);
const eagerLimit = findEagerLimit();
const failures: string[] = [];

for (const code of codes) {
  const one = decode(code);
  try {
    await new Trial(one, code).run();
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    failures.push(`rank ${rank}, ${JSON.stringify(one)}: ${text}`);
    // The others may wait for what this rank has not done: what follows would fail for no reason of its own.
    break;
  }
}
// Nobody leaves while another still looks for what is left over.
if (failures.length === 0) comm.barrier();
const report: Report = { rank, ran: codes.length, eagerLimit, failures };
console.log(JSON.stringify(report));
if (failures.length > 0) process.exitCode = 1;

/** The largest message that a blocking send to oneself does not wait with; 0 if there is none. */
function findEagerLimit(): number {
  const isEager = (bytes: number): boolean => {
    try {
      self.send(new Uint8Array(bytes), 0);
    } catch (error) {
      if (error instanceof MpiError && error.code === 'ERR_DEADLOCK') return false;
      throw error;
    }
    self.recv(new Uint8Array(bytes), 0);
    return true;
  };
  let low = 0;
  let high = 1 << 24;
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    if (isEager(middle)) low = middle;
    else high = middle;
  }
  return low;
}
