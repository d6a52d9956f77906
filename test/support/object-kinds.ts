/** Kinds of values, for the list of what arrives otherwise than structuredClone would copy it. */
import { types } from 'node:util';
import fc from 'fast-check';

export interface Kind {
  readonly name: string;
  /** For the page. */
  readonly example: () => unknown;
  /** More of the kind. */
  readonly values: fc.Arbitrary<unknown>;
}

class Point {
  readonly x: number;
  constructor(x: number) {
    this.x = x;
  }
  get double(): number {
    return 2 * this.x;
  }
}
class Names extends Map<string, number> {}
class Failure extends Error {
  readonly detail = 1;
}

function own(key: string, value: unknown): object {
  return Object.defineProperty({}, key, { value, enumerable: true, writable: true });
}

const bytes = fc.uint8Array({ maxLength: 40 });
const text = fc.string({ unit: 'grapheme', maxLength: 100 });
/** Nothing that a row of its own is about. */
const plain = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: false }).map((number) => (Object.is(number, -0) ? 0 : number)),
  text,
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
);
const key = fc.string({ maxLength: 10 }).filter((name) => name !== '__proto__');

const ARRAYS = [
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
] as const;

const view = fc
  .tuple(fc.constantFrom(...ARRAYS), fc.nat(3000))
  .map(([ArrayClass, length]) => new ArrayClass(length));

export const KINDS: readonly Kind[] = [
  {
    name: 'numbers, strings, booleans, null, undefined, bigint',
    example: () => [1.5, 'ü', true, null, undefined, 2n ** 70n],
    values: plain,
  },
  { name: 'negative zero', example: () => -0, values: fc.constant(-0) },
  {
    name: 'lone surrogates',
    example: () => '\ud800',
    values: fc.constantFrom('\ud800', 'a\udfff'),
  },
  { name: 'arrays', example: () => [1, [2]], values: fc.array(plain) },
  { name: 'holes in arrays', example: sparse, values: fc.constant(sparse()) },
  {
    name: 'named properties of arrays',
    example: () => Object.assign([1], { name: 'x' }),
    values: fc.constant(Object.assign([1], { name: 'x' })),
  },
  { name: 'plain objects', example: () => ({ a: 1 }), values: fc.dictionary(key, plain) },
  {
    name: 'objects without prototype',
    example: () => Object.assign(Object.create(null), { a: 1 }),
    values: fc.dictionary(key, plain, { noNullPrototype: false }),
  },
  {
    name: 'an own property named `__proto__`',
    example: () => own('__proto__', 1),
    values: plain.map((value) => own('__proto__', value)),
  },
  {
    name: 'objects with toJSON',
    example: () => ({ toJSON: 1, a: 2 }),
    values: fc.constant({ toJSON: 1, a: 2 }),
  },
  {
    name: 'instances of classes',
    example: () => new Point(1),
    values: fc.integer().map((x) => new Point(x)),
  },
  {
    name: 'Map',
    example: () => new Map([['a', 1]]),
    values: fc.array(fc.tuple(plain, plain)).map((entries) => new Map(entries)),
  },
  {
    name: 'Set',
    example: () => new Set([1]),
    values: fc.array(plain).map((items) => new Set(items)),
  },
  {
    name: 'subclasses of Map and Set',
    example: () => new Names([['a', 1]]),
    values: fc.array(fc.tuple(text, fc.nat())).map((entries) => new Names(entries)),
  },
  { name: 'Date', example: () => new Date(0), values: fc.date({ noInvalidDate: false }) },
  { name: 'RegExp', example: () => /a+/gi, values: fc.constantFrom(/a+/, /[é]/giu, /^$/ms) },
  {
    name: 'Error and those of the language',
    example: () => bare(new TypeError('no')),
    values: text.map((message) => bare(new RangeError(message))),
  },
  {
    name: 'cause of an error',
    example: () => bare(new Error('no', { cause: 1 })),
    values: plain.map((cause) => bare(new Error('no', { cause }))),
  },
  {
    name: 'stack of an error',
    example: () => fixed(new Error('no')),
    values: fc.constant(fixed(new Error('no'))),
  },
  {
    name: 'subclasses of Error',
    example: () => bare(new Failure('no')),
    values: text.map((message) => bare(new Failure(message))),
  },
  {
    name: 'objects around numbers, strings, booleans',
    example: () => new Number(1),
    values: fc.constantFrom(new Number(1), new String('a'), new Boolean(true)),
  },
  { name: 'typed arrays', example: () => new Float64Array([1.5]), values: view },
  {
    name: 'DataView',
    example: () => new DataView(new ArrayBuffer(3)),
    values: bytes.map((array) => new DataView(array.buffer, array.byteOffset, array.byteLength)),
  },
  {
    name: 'ArrayBuffer',
    example: () => new ArrayBuffer(3),
    values: fc.nat(20_000).map((length) => new ArrayBuffer(length)),
  },
  {
    name: 'Buffer',
    example: () => Buffer.from([1, 2]),
    values: bytes.map((array) => Buffer.from(array)),
  },
  {
    name: 'memory beside what a view covers',
    example: () => new Uint8Array(new ArrayBuffer(9), 4, 2),
    values: fc.nat(20_000).map((length) => new Uint8Array(new ArrayBuffer(length + 9), 5, length)),
  },
  {
    name: 'two views of one ArrayBuffer',
    example: () => twoViews(8),
    values: fc.nat(20_000).map(twoViews),
  },
  {
    name: 'an object at two places',
    example: () => twice({ a: 1 }),
    values: fc.dictionary(key, plain).map(twice),
  },
  {
    name: 'a typed array at two places',
    example: () => twice(new Uint8Array(2)),
    values: view.map(twice),
  },
  { name: 'cycles', example: () => cycle({ a: 1 }), values: fc.dictionary(key, plain).map(cycle) },
  {
    name: 'cycles through a Map or Set',
    example: () => mapCycle(),
    values: fc.constant(mapCycle()),
  },
];

function sparse(): number[] {
  const array = [1];
  array[2] = 3;
  return array;
}

function bare<E extends Error>(error: E): E {
  error.stack = '';
  return error;
}

function fixed(error: Error): Error {
  error.stack = 'Error: no\n    at here';
  return error;
}

function twice(value: unknown): unknown[] {
  return [value, value];
}

function twoViews(bytes: number): unknown[] {
  const memory = new ArrayBuffer(8 * bytes);
  return [new Float64Array(memory), new Uint8Array(memory), memory];
}

function cycle(object: Record<string, unknown>): object {
  object.self = object;
  return object;
}

function mapCycle(): unknown {
  const map = new Map<string, unknown>();
  const set = new Set<unknown>([map]);
  return map.set('map', map).set('set', set);
}

/** Whether nobody could tell the two apart: values, classes, identity, memory behind views. */
export function isSame(
  one: unknown,
  other: unknown,
  seen: Map<object, unknown> = new Map(),
): boolean {
  if (typeof one !== 'object' || one === null) return Object.is(one, other);
  if (typeof other !== 'object' || other === null) return false;
  if (seen.has(one)) return seen.get(one) === other;
  seen.set(one, other);
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false;
  const parts = partsOf(one);
  const others = partsOf(other);
  return (
    parts.length === others.length &&
    parts.every((part, index) => isSame(part, others[index], seen))
  );
}

/** All that an object consists of, in an order of its own. */
function partsOf(object: object): unknown[] {
  if (ArrayBuffer.isView(object)) return [object.byteOffset, object.byteLength, object.buffer];
  if (types.isArrayBuffer(object)) return [Buffer.from(object).toString('latin1')];
  const properties = Object.keys(object).flatMap((name) => [name, Reflect.get(object, name)]);
  if (types.isMap(object)) return [...[...object].flat(), ...properties];
  if (types.isSet(object)) return [...object, ...properties];
  if (types.isDate(object)) return [object.getTime()];
  if (types.isRegExp(object)) return [object.source, object.flags];
  if (types.isBoxedPrimitive(object)) return [object.valueOf()];
  if (types.isNativeError(object)) {
    return [
      object.name,
      object.message,
      object.stack,
      'cause' in object,
      object.cause,
      ...properties,
    ];
  }
  return Array.isArray(object) ? [object.length, ...properties] : properties;
}
