// Random collective calls against a serial model: node collectives-random.ts seed rounds [round]. All ranks know from the
// seed what each of them contributes, and work out for themselves what the result must be. A failure names seed and
// round; with `round` that one alone runs.
import {
  BAND,
  BOR,
  BXOR,
  IN_PLACE,
  LAND,
  LOR,
  LXOR,
  MAX,
  MIN,
  Op,
  PROD,
  type Request,
  SUM,
  type TypedArray,
  waitAll,
} from 'onecopy';
import { communicatorUnderTest } from '../support/communicator.ts';
import { Random } from '../support/random.ts';

export interface Report {
  readonly rank: number;
  readonly calls: number;
  readonly operations: Readonly<Record<string, number>>;
}

const comm = communicatorUnderTest();
const { rank, size } = comm;
const [seed = 0, rounds = 0, onlyRound] = process.argv.slice(2).map(Number);
const GUARD = 0xa5;

// -------------------------------------------------------------------------------------------------- classes, operators

const CLASSES = {
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
} as const;
type Element = keyof typeof CLASSES;
const ELEMENTS = Object.keys(CLASSES) as Element[];

/** Any of the classes, its elements numbers or bigints. */
type Numbers = Record<number, number | bigint> & TypedArray;
type Combine = (left: never, right: never) => number | bigint | boolean;

function isFloat(element: Element): boolean {
  return element === 'Float32Array' || element === 'Float64Array';
}

function isBig(element: Element): boolean {
  return element === 'BigInt64Array' || element === 'BigUint64Array';
}

function widthOf(element: Element): number {
  return CLASSES[element].BYTES_PER_ELEMENT;
}

function make(element: Element, memory: ArrayBufferLike, at: number, count: number): Numbers {
  return new CLASSES[element](memory as ArrayBuffer, at, count) as unknown as Numbers;
}

function empty(element: Element, count: number): Numbers {
  return new CLASSES[element](count) as unknown as Numbers;
}

function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** x -> a x + b, with a and b in the two halves of one element: composition is associative and not commutative. */
function compose(half: number, left: number, right: number): number {
  const mask = 2 ** half - 1;
  const high = (value: number): number => (value >>> half) & mask;
  const low = (value: number): number => value & mask;
  const a = Math.imul(high(left), high(right)) & mask;
  const b = (Math.imul(high(right), low(left)) + low(right)) & mask;
  return a * 2 ** half + b;
}

const HALVES: Partial<Record<Element, number>> = {
  Int16Array: 8,
  Uint16Array: 8,
  Float32Array: 12,
};

function affine(element: Element): Combine {
  const half = widthOf(element) === 1 ? 4 : (HALVES[element] ?? 16);
  if (!isBig(element)) return (left: number, right: number) => compose(half, left, right);
  const low = (value: bigint): number => Number(BigInt.asUintN(32, value));
  return (left: bigint, right: bigint) => BigInt(compose(half, low(left), low(right)));
}

interface Operator {
  readonly op: Op;
  readonly onFloats: boolean;
  combine(element: Element): Combine;
}

function predefined(op: Op, onNumbers: Combine, onBigs: Combine, onFloats = false): Operator {
  return { op, onFloats, combine: (element) => (isBig(element) ? onBigs : onNumbers) };
}

function created(name: string, commute: boolean, combine: (element: Element) => Combine): Operator {
  const op = Op.create(
    (left, inout, datatype) => {
      const element = left.constructor.name as Element;
      if (inout.constructor !== left.constructor || inout.length !== left.length) {
        throw new Error(`${name} of ${left.constructor.name} and ${inout.constructor.name}`);
      }
      if (datatype.bytes !== left.BYTES_PER_ELEMENT) throw new Error(`${datatype} in ${element}`);
      fold(left as Numbers, inout as Numbers, inout as Numbers, combine(element));
    },
    { commute },
  );
  return { op, onFloats: true, combine };
}

/** `into` = left ∘ right, element by element. */
function fold(left: Numbers, right: Numbers, into: Numbers, combine: Combine): void {
  for (let i = 0; i < into.length; i++) {
    into[i] = combine(left[i] as never, right[i] as never) as number;
  }
}

const plus: Combine = (a: number, b: number) => a + b;
const truth: Record<string, Combine> = {
  and: (a: number, b: number) => (a && b ? 1 : 0),
  or: (a: number, b: number) => (a || b ? 1 : 0),
  xor: (a: number, b: number) => (!a === !b ? 0 : 1),
};
const bigTruth = (combine: Combine): Combine => {
  return (a: bigint, b: bigint) => BigInt(combine(a as never, b as never) as number);
};
const product: Combine = (a: number, b: number) =>
  Number.isInteger(a) && Number.isInteger(b) && Math.abs(a * b) > 2 ** 50 ? Math.imul(a, b) : a * b;

const OPERATORS: Readonly<Record<string, Operator>> = {
  SUM: predefined(SUM, plus, plus, true),
  PROD: predefined(PROD, product, ((a: bigint, b: bigint) => a * b) as Combine, true),
  MAX: predefined(
    MAX,
    Math.max as Combine,
    ((a: bigint, b: bigint) => (a > b ? a : b)) as Combine,
    true,
  ),
  MIN: predefined(
    MIN,
    Math.min as Combine,
    ((a: bigint, b: bigint) => (a < b ? a : b)) as Combine,
    true,
  ),
  LAND: predefined(LAND, truth.and!, bigTruth(truth.and!)),
  LOR: predefined(LOR, truth.or!, bigTruth(truth.or!)),
  LXOR: predefined(LXOR, truth.xor!, bigTruth(truth.xor!)),
  BAND: predefined(
    BAND,
    (a: number, b: number) => a & b,
    (a: bigint, b: bigint) => a & b,
  ),
  BOR: predefined(
    BOR,
    (a: number, b: number) => a | b,
    (a: bigint, b: bigint) => a | b,
  ),
  BXOR: predefined(
    BXOR,
    (a: number, b: number) => a ^ b,
    (a: bigint, b: bigint) => a ^ b,
  ),
  plus: created('plus', true, () => plus),
  left: created('left', false, () => (a: number) => a),
  right: created('right', false, () => (_: number, b: number) => b),
  affine: created('affine', false, affine),
};
const OPERATOR_NAMES = Object.keys(OPERATORS);

// --------------------------------------------------------------------------------------------------------------- calls

const REDUCTIONS = ['reduce', 'allreduce', 'scan', 'exscan', 'reduceScatterBlock'];
const EQUAL_BLOCKS = ['gather', 'allgather', 'scatter', 'alltoall'];
const UNEQUAL_BLOCKS = ['gatherv', 'allgatherv', 'scatterv', 'alltoallv'];
const OPERATIONS = [
  'barrier',
  'bcast',
  ...REDUCTIONS,
  ...EQUAL_BLOCKS,
  ...UNEQUAL_BLOCKS,
  'object',
];
const SCALAR = new Set(['reduce', 'allreduce', 'scan', 'exscan']);

/** What all ranks know of a call. */
interface Call {
  readonly round: number;
  readonly index: number;
  readonly operation: string;
  readonly element: Element;
  /** Elements of the message or of one block. */
  readonly count: number;
  readonly root: number;
  readonly operator: string;
  /** The value is a number or a bigint. */
  readonly scalar: boolean;
  readonly inPlace: boolean;
  readonly blocking: boolean;
  /** Of the v-variants: `counts[i][j]` elements go from i to j. */
  readonly counts: readonly (readonly number[])[];
}

/** On both sides of where algorithms change, packets end and pieces of staging end. */
const BYTES = [8, 64, 128, 256, 512, 1024, 4096, 8192, 16384, 32768, 65536, 70_000];

function countBy(random: Random, width: number, blocks: number): number {
  const kind = random.below(200);
  if (kind < 60) return [0, 1, 1, 2, 3, 7][kind % 6]!;
  if (kind === 199) return Math.ceil(600_000 / width / blocks);
  const bytes = random.pick(kind < 175 ? BYTES.slice(0, 6) : BYTES);
  return Math.max(0, Math.floor(bytes / width) + random.below(3) - 1);
}

function callBy(random: Random, round: number, index: number): Call {
  const operation = random.pick(OPERATIONS);
  const element = random.pick(ELEMENTS);
  const scalar = SCALAR.has(operation) && random.below(6) === 0;
  const chosen = scalar ? random.pick<Element>(['Float64Array', 'BigInt64Array']) : element;
  const allowed = OPERATOR_NAMES.filter(
    (name) => OPERATORS[name]!.onFloats || !isFloat(chosen) || (scalar && name.startsWith('L')),
  );
  const hasBlocks = operation === 'reduceScatterBlock' || EQUAL_BLOCKS.includes(operation);
  const count = scalar ? 1 : countBy(random, widthOf(chosen), hasBlocks ? size : 1);
  const root = random.below(size);
  const operator = random.pick(allowed);
  const inPlace = random.below(3) === 0;
  const symmetric = operation === 'alltoallv' && inPlace;
  const longest = random.pick([1, 3, 40, 40, 1000, Math.floor(20_000 / size)]);
  const counts = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      counts[i]![j] = symmetric && j < i ? counts[j]![i]! : random.below(longest + 1);
    }
  }
  return {
    round,
    index,
    operation,
    element: chosen,
    count,
    root,
    operator,
    scalar,
    inPlace,
    blocking: operation === 'object' || random.below(2) === 0,
    counts,
  };
}

/** What goes from `source` to `dest`; every rank can work it out. */
function block(call: Call, source: number, dest: number, count: number = call.count): Numbers {
  const { element } = call;
  const random = new Random(seed, call.round, call.index, source, dest);
  if (!REDUCTIONS.includes(call.operation)) {
    return make(element, random.bytes(count * widthOf(element) + 3).buffer, 0, count);
  }
  if (isFloat(element)) {
    const values = empty(element, count);
    const value = floatBy(call.operator, element);
    for (let i = 0; i < count; i++) values[i] = value(random);
    return values;
  }
  const values = make(element, random.bytes(count * widthOf(element) + 3).buffer, 0, count);
  if (call.operator.startsWith('L') && !isBig(element)) {
    for (let i = 0; i < count; i++) if (random.below(2) === 0) values[i] = 0;
  }
  return values;
}

/** Values with which the order of operations makes no difference. */
function floatBy(operator: string, element: Element): (random: Random) => number {
  switch (operator) {
    case 'PROD':
      return (random) => random.pick([1, -1, 2, -2, 0.5, 3]);
    case 'MAX':
    case 'MIN':
      return (random) =>
        random.pick([
          -0,
          0,
          1,
          -1,
          0.25,
          Infinity,
          -Infinity,
          random.below(9) === 0 ? Number.NaN : 5,
        ]);
    case 'LAND':
    case 'LOR':
    case 'LXOR':
      return (random) => random.pick([0, -0, 1, -7, 0.5]);
    case 'affine':
      return (random) => (element === 'Float32Array' ? random.below(2 ** 24) : random.next());
    default:
      return (random) => random.below(2001) - 1000;
  }
}

/** Rank 0 ∘ … ∘ rank `last`. */
function reduced(call: Call, dest: number, last: number): Numbers {
  const combine = OPERATORS[call.operator]!.combine(call.element);
  const sum = block(call, 0, dest);
  for (let each = 1; each <= last; each++) fold(sum, block(call, each, dest), sum, combine);
  return sum;
}

// ------------------------------------------------------------------------------------------------------------- buffers

/** A buffer, and what must be in it afterwards. */
class Place {
  readonly view: Numbers;
  readonly #element: Element;
  readonly #memory: Uint8Array;
  readonly #expected: Uint8Array;
  readonly #begin: number;

  /** Alone in its memory (which V8 moves, if it is short), or with a guard element on each side. */
  constructor(element: Element, count: number, random: Random) {
    const width = widthOf(element);
    const kind = random.below(4);
    this.#element = element;
    this.#begin = kind === 0 ? 0 : width * (1 + random.below(3));
    if (kind === 0) {
      this.view = empty(element, count);
    } else {
      const bytes = this.#begin + (count + 1) * width;
      const memory = kind === 1 ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
      this.view = make(element, memory, this.#begin, count);
    }
    // Not view.buffer where it is alone: to ask for it would move the elements out of V8's heap.
    this.#memory =
      kind === 0 ? new Uint8Array(0) : new Uint8Array(this.view.buffer as ArrayBuffer).fill(GUARD);
    if (kind === 0) for (let i = 0; i < count; i++) this.view[i] = this.#guard(width);
    this.#expected = new Uint8Array(this.#begin + (count + (kind === 0 ? 0 : 1)) * width).fill(
      GUARD,
    );
  }

  #guard(width: number): number | bigint {
    const memory = new Uint8Array(width).fill(GUARD);
    return make(this.#element, memory.buffer, 0, 1)[0] as number | bigint;
  }

  /** What is there before, at an element, and unless something else is expected also afterwards. */
  fill(values: Numbers, at = 0): this {
    if (values.length > 0) this.view.set(values as never, at);
    return this.expect(values, at);
  }

  expect(values: Numbers, at = 0): this {
    this.#expected.set(bytesOf(values), this.#begin + at * widthOf(this.#element));
    return this;
  }

  check(): void {
    const memory = this.#memory.length === 0 ? bytesOf(this.view) : this.#memory;
    if (Buffer.compare(memory, this.#expected) === 0) return;
    const wrong = difference(this.#element, this.#expected, memory);
    if (wrong === undefined) return;
    const width = widthOf(this.#element);
    const at = wrong.at - this.#begin / width;
    const outside = at < 0 || at >= this.view.length ? ', outside of the buffer' : '';
    throw new Error(
      `element ${at} of ${this.view.length} is ${wrong.is}, not ${wrong.not}${outside}`,
    );
  }
}

/** The first element that differs; NaNs are all equal. */
function difference(
  element: Element,
  expected: Uint8Array,
  memory: Uint8Array,
): { at: number; is: number | bigint; not: number | bigint } | undefined {
  const count = Math.max(expected.length, memory.length) / widthOf(element);
  const one = make(
    element,
    Uint8Array.from(expected).buffer,
    0,
    expected.length / widthOf(element),
  );
  const other = make(element, Uint8Array.from(memory).buffer, 0, memory.length / widthOf(element));
  for (let at = 0; at < count; at++) {
    const not = one[at] as number | bigint;
    const is = other[at] as number | bigint;
    if (!Object.is(is, not)) return { at, is, not };
  }
  return undefined;
}

// --------------------------------------------------------------------------------------------------- what a rank does

/** One call on this rank: the arguments, and how to see that it has done right. */
interface Part {
  readonly args: readonly unknown[];
  check(result: unknown): void;
}

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

function concatenated(call: Call, parts: readonly Numbers[]): Numbers {
  const whole = empty(
    call.element,
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytesOf(whole).set(bytesOf(part), at);
    at += part.byteLength;
  }
  return whole;
}

/** For each rank. */
function each<T>(of: (rank: number) => T): T[] {
  return Array.from({ length: size }, (_, one) => of(one));
}

function checkFresh(call: Call, result: unknown, expected: Numbers): void {
  must(
    result instanceof CLASSES[call.element],
    `a ${(result as object)?.constructor?.name} came back`,
  );
  const wrong = difference(call.element, bytesOf(expected), bytesOf(result as TypedArray));
  if (wrong === undefined) return;
  throw new Error(`element ${wrong.at} of a new array is ${wrong.is}, not ${wrong.not}`);
}

function partOf(call: Call, own: Random): Part {
  if (call.operation === 'barrier')
    return { args: [], check: (result) => must(result === undefined, 'a result') };
  if (call.operation === 'bcast') return bcastPart(call, own);
  if (call.scalar) return scalarPart(call);
  if (REDUCTIONS.includes(call.operation)) return reductionPart(call, own);
  if (UNEQUAL_BLOCKS.includes(call.operation)) return unequalPart(call, own);
  return call.operation === 'scatter' ? scatterPart(call, own) : equalPart(call, own);
}

function bcastPart(call: Call, own: Random): Part {
  const content = block(call, call.root, 0);
  const place = new Place(call.element, call.count, own);
  if (rank === call.root) place.fill(content);
  else place.expect(content);
  // Bytes on one side are allowed.
  const asBytes = own.below(8) === 0 && call.element !== 'Uint8Array';
  const view = asBytes ? bytesOf(place.view) : place.view;
  return {
    args: [view, call.root],
    check(result) {
      must(result === view, 'another buffer came back');
      place.check();
    },
  };
}

function scalarPart(call: Call): Part {
  const { operation, operator, root } = call;
  const last = operation === 'scan' ? rank : operation === 'exscan' ? rank - 1 : size - 1;
  const nothing = last < 0 || (operation === 'reduce' && rank !== root);
  const logical = operator.startsWith('L') && !isBig(call.element);
  const value = block(call, rank, 0)[0];
  return {
    args: [value, OPERATORS[operator]!.op, ...(operation === 'reduce' ? [root] : [])],
    check(result) {
      let expected = nothing ? undefined : reduced(call, 0, last)[0];
      if (logical && expected !== undefined) expected = expected ? 1 : 0;
      must(Object.is(result, expected), `${String(result)}, not ${String(expected)}`);
    },
  };
}

function reductionPart(call: Call, own: Random): Part {
  const { operation, element, count, root } = call;
  const { op } = OPERATORS[call.operator]!;
  const blocks = operation === 'reduceScatterBlock';
  const last = operation === 'scan' ? rank : operation === 'exscan' ? rank - 1 : size - 1;
  const nothing = last < 0 || (operation === 'reduce' && rank !== root);
  const input = blocks
    ? concatenated(
        call,
        each((dest) => block(call, rank, dest)),
      )
    : block(call, rank, 0);
  const result = nothing ? undefined : reduced(call, blocks ? rank : 0, last);
  const tail = operation === 'reduce' ? [op, root] : [op];
  // Each rank has its own way to pass it.
  const way = own.below(3);
  const place = new Place(element, input.length, own).fill(input);
  if (way === 0) {
    if (result !== undefined) place.expect(result);
    return {
      args: [IN_PLACE, place.view, ...tail],
      check(got) {
        must(
          got === (operation === 'reduce' && nothing ? undefined : place.view),
          'another buffer came back',
        );
        place.check();
      },
    };
  }
  if (way === 1) {
    return {
      args: [place.view, ...tail],
      check(got) {
        place.check();
        if (result === undefined) must(got === undefined, 'a result');
        else checkFresh(call, got, result);
      },
    };
  }
  const into = new Place(element, count, own);
  if (result !== undefined) into.expect(result);
  const none = operation === 'reduce' && nothing && own.below(2) === 0;
  return {
    args: [place.view, none ? undefined : into.view, ...tail],
    check(got) {
      must(
        got === (operation === 'reduce' && nothing ? undefined : into.view),
        'another buffer came back',
      );
      place.check();
      into.check();
    },
  };
}

/** gather, allgather, alltoall. */
function equalPart(call: Call, own: Random): Part {
  const { operation, element, count, root } = call;
  const all = operation === 'alltoall';
  const tail = operation === 'gather' ? [root] : [];
  const isReceiver = operation !== 'gather' || rank === root;
  const input = all
    ? concatenated(
        call,
        each((dest) => block(call, rank, dest)),
      )
    : block(call, rank, 0);
  const place = new Place(element, input.length, own).fill(input);
  if (!isReceiver) {
    return {
      args: own.below(2) === 0 ? [place.view, root] : [place.view, undefined, root],
      check(got) {
        must(got === undefined, 'a result');
        place.check();
      },
    };
  }
  const result = concatenated(
    call,
    each((source) => block(call, source, all ? rank : 0)),
  );
  const way = own.below(3);
  if (way === 0) {
    return {
      args: [place.view, ...tail],
      check(got) {
        place.check();
        checkFresh(call, got, result);
      },
    };
  }
  const into = new Place(element, count * size, own);
  if (way === 1) {
    if (all) into.fill(input);
    else into.fill(input, rank * count);
    into.expect(result);
    return {
      args: [IN_PLACE, into.view, ...tail],
      check(got) {
        must(got === into.view, 'another buffer came back');
        into.check();
      },
    };
  }
  into.expect(result);
  return {
    args: [place.view, into.view, ...tail],
    check(got) {
      must(got === into.view, 'another buffer came back');
      place.check();
      into.check();
    },
  };
}

function scatterPart(call: Call, own: Random): Part {
  const { element, count, root } = call;
  const into = new Place(element, count, own).expect(block(call, root, rank));
  if (rank !== root) {
    return {
      args: [undefined, into.view, root],
      check(got) {
        must(got === into.view, 'another buffer came back');
        into.check();
      },
    };
  }
  const from = new Place(element, count * size, own).fill(
    concatenated(
      call,
      each((dest) => block(call, root, dest)),
    ),
  );
  const target = call.inPlace ? IN_PLACE : into.view;
  return {
    args: [from.view, target, root],
    check(got) {
      must(got === target, 'another buffer came back');
      from.check();
      if (!call.inPlace) into.check();
    },
  };
}

/** Blocks one after the other, or in another order with gaps between them. */
interface Layout {
  readonly counts: readonly number[];
  readonly displs: readonly number[];
  readonly given: boolean;
  readonly length: number;
}

function layoutOf(counts: readonly number[], own: Random): Layout {
  const given = own.below(2) === 0;
  const order = [...counts.keys()];
  if (given) shuffle(order, own);
  const displs = new Array<number>(counts.length).fill(0);
  let length = 0;
  for (const one of order) {
    if (given) length += own.below(3);
    displs[one] = length;
    length += counts[one]!;
  }
  return { counts, displs, given, length: length + own.below(2) };
}

function argumentOf(place: Place, { counts, displs, given }: Layout, own: Random): object {
  const list = own.below(2) === 0 ? counts : Int32Array.from(counts);
  return { data: place.view, counts: list, ...(given && { displs }) };
}

function unequalPart(call: Call, own: Random): Part {
  const { operation, element, root, counts } = call;
  // gatherv and allgatherv: counts[0][i] of rank i; scatterv: counts[0][i] for rank i.
  const row = counts[0]!;
  const all = operation === 'alltoallv';
  if (operation === 'scatterv') {
    const expected = block(call, root, rank, row[rank]);
    const into = new Place(element, expected.length, own).expect(expected);
    if (rank !== root) {
      return {
        args: [undefined, into.view, root],
        check(got) {
          must(got === into.view, 'another buffer came back');
          into.check();
        },
      };
    }
    const layout = layoutOf(row, own);
    const from = new Place(element, layout.length, own);
    for (const [dest, count] of row.entries())
      from.fill(block(call, root, dest, count), layout.displs[dest]);
    const target = call.inPlace ? IN_PLACE : into.view;
    return {
      args: [argumentOf(from, layout, own), target, root],
      check(got) {
        must(got === target, 'another buffer came back');
        from.check();
        if (!call.inPlace) into.check();
      },
    };
  }
  const tail = operation === 'gatherv' ? [root] : [];
  const incoming = all ? each((source) => counts[source]![rank]!) : row;
  const from = all
    ? undefined
    : new Place(element, row[rank]!, own).fill(block(call, rank, 0, row[rank]));
  if (operation === 'gatherv' && rank !== root) {
    return {
      args: [from!.view, undefined, root],
      check(got) {
        must(got === undefined, 'a result');
        from!.check();
      },
    };
  }
  const layout = layoutOf(incoming, own);
  const into = new Place(element, layout.length, own);
  const inPlace = all ? call.inPlace : own.below(3) === 0;
  let send: unknown = from?.view;
  let sent = from;
  if (all && !inPlace) {
    const outgoing = layoutOf(counts[rank]!, own);
    sent = new Place(element, outgoing.length, own);
    for (const [dest, count] of outgoing.counts.entries()) {
      sent.fill(block(call, rank, dest, count), outgoing.displs[dest]);
    }
    send = argumentOf(sent, outgoing, own);
  }
  if (inPlace) {
    send = IN_PLACE;
    if (all) {
      for (const [dest, count] of counts[rank]!.entries()) {
        into.fill(block(call, rank, dest, count), layout.displs[dest]);
      }
    } else into.fill(block(call, rank, 0, row[rank]), layout.displs[rank]);
  }
  for (const [source, count] of incoming.entries()) {
    into.expect(block(call, source, all ? rank : 0, count), layout.displs[source]);
  }
  return {
    args: [send, argumentOf(into, layout, own), ...tail],
    check(got) {
      must(got === into.view, 'another buffer came back');
      into.check();
      if (!inPlace) sent?.check();
    },
  };
}

/** The operations on values. */
function object({ round, root }: Call): void {
  const value = (one: number): unknown => ({ one, round, text: 'x'.repeat((one * round) % 100) });
  const isRoot = rank === root;
  const [got, expected] = [
    () => [comm.bcastObject(isRoot ? value(root) : undefined, root), value(root)],
    () => [comm.gatherObject(value(rank), root), isRoot ? each(value) : undefined],
    () => [comm.allgatherObject(value(rank)), each(value)],
    () => [comm.scatterObject(isRoot ? each(value) : undefined, root), value(rank)],
    () => [
      comm.allreduceObject(String(rank), (left, right) => `${left}${right}`),
      each(String).join(''),
    ],
  ][round % 5]!();
  must(JSON.stringify(got) === JSON.stringify(expected), `${JSON.stringify(got)} came back`);
}

// -------------------------------------------------------------------------------------------------------------- rounds

interface Open {
  readonly what: string;
  readonly request: Request<unknown>;
  check(result: unknown): void;
}

function shuffle<T>(values: T[], random: Random): T[] {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return values;
}

function method(name: string): (...args: readonly unknown[]) => unknown {
  const methods = comm as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
  return (...args) => methods[name]!(...args);
}

/** A message around the ring, as one of the open requests. */
function pointToPoint(round: number, index: number, open: Open[]): void {
  const above = (rank + 1) % size;
  const below = (rank - 1 + size) % size;
  const content = (source: number): Uint8Array => {
    const random = new Random(seed, round, index, 77, source);
    return random.bytes(random.pick([1, 100, 9000, 40_000]));
  };
  const expected = content(below);
  const into = new Uint8Array(expected.length);
  open.push({
    what: 'irecv',
    request: comm.irecv(into, below, index),
    check: () => must(Buffer.compare(into, expected) === 0, 'another message'),
  });
  open.push({
    what: 'isend',
    request: comm.isend(content(rank), above, index),
    check: () => undefined,
  });
}

async function endSome(open: Open[], own: Random): Promise<void> {
  const some = shuffle(open, own).splice(0, 1 + own.below(4));
  const requests = some.map(({ request }) => request);
  switch (own.below(4)) {
    case 0:
      waitAll(requests);
      break;
    case 1:
      await Promise.all(requests);
      break;
    case 2:
      for (const request of requests) request.wait();
      break;
    default:
      while (!requests.every((request) => request.test()));
  }
  for (const one of some) named(one.what, () => one.check(one.request.value));
}

function named<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new Error(what, { cause: error });
  }
}

async function play(round: number, seen: Record<string, number>): Promise<number> {
  const common = new Random(seed, round);
  const own = new Random(seed, round, 1000 + rank);
  const calls = 1 + common.below(6);
  const open: Open[] = [];
  for (let index = 0; index < calls; index++) {
    if (common.below(6) === 0) pointToPoint(round, index, open);
    const call = callBy(common, round, index);
    const { counts, ...rest } = call;
    const what = JSON.stringify({
      ...rest,
      ...(UNEQUAL_BLOCKS.includes(call.operation) && { counts }),
    });
    seen[call.operation] = (seen[call.operation] ?? 0) + 1;
    if (call.operation === 'object') {
      named(what, () => object(call));
      continue;
    }
    const part = named(what, () => partOf(call, own));
    if (call.blocking) {
      named(what, () => part.check(method(call.operation)(...part.args)));
    } else {
      const request = named(what, () => method(`i${call.operation}`)(...part.args));
      open.push({ what, request: request as Request<unknown>, check: (got) => part.check(got) });
    }
    if (open.length > 0 && own.below(5) === 0) await endSome(open, own);
  }
  while (open.length > 0) await endSome(open, own);
  return calls;
}

let calls = 0;
const operations: Record<string, number> = {};
const [first, end] = onlyRound === undefined ? [0, rounds] : [onlyRound, onlyRound + 1];
for (let round = first; round < end; round++) {
  try {
    calls += await play(round, operations);
  } catch (error) {
    throw new Error(`rank ${rank}, seed ${seed}, round ${round}`, { cause: error });
  }
}
const report: Report = { rank, calls, operations };
console.log(JSON.stringify(report));
