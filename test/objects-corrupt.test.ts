// What arrives instead of an encoded value must give an error or a value: no crash, no hang, no pollution, no huge memory.
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { MpiError } from '../packages/engine/src/index.ts';
import {
  decode,
  decodeParts,
  encodeParts,
  type ObjectCodec,
} from '../packages/runtime/src/objects/codec.ts';
import { KINDS } from './support/object-kinds.ts';

const seed = Number(process.env.ONECOPY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const numRuns = process.env.ONECOPY_TEST_FULL === '1' ? 100_000 : 5_000;
const CODECS = ['msgpack', 'v8'] as const;

/** Decodes, and lets nothing but the one error pass. */
function attempt(message: Uint8Array): unknown {
  try {
    return decode('test', message, 3);
  } catch (error) {
    expect(error, inspect(error)).toBeInstanceOf(MpiError);
    expect(error).toMatchObject({ code: 'ERR_PROTOCOL', peer: 3 });
    return undefined;
  }
}

function message(value: unknown, codec: ObjectCodec): Buffer {
  return Buffer.concat(encodeParts('test', value, codec));
}

const everything = KINDS.flatMap(({ example }) => [example(), example()]);
const values = [
  ...KINDS.map(({ example }) => example()),
  everything,
  { a: new Float64Array(2000), everything },
];
const real = CODECS.flatMap((codec) => values.map((value) => message(value, codec)));

const before = Object.getOwnPropertyNames(Object.prototype).concat(
  Object.getOwnPropertyNames(Array.prototype),
);

afterEach(() => {
  const after = Object.getOwnPropertyNames(Object.prototype).concat(
    Object.getOwnPropertyNames(Array.prototype),
  );
  expect(after).toEqual(before);
});

describe(`seed ${seed}:`, () => {
  test('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void attempt(bytes)),
      { seed, numRuns },
    );
  });

  test('random bytes behind a head', () => {
    const property = fc.property(
      fc.integer({ min: 0, max: 4 }),
      fc.uint8Array({ maxLength: 200 }),
      (codec, bytes) => {
        const head = Buffer.alloc(16 + bytes.length);
        head.writeUInt32LE(codec, 0);
        head.writeUInt32LE(head.length, 8);
        head.set(bytes, 16);
        attempt(head);
      },
    );
    fc.assert(property, { seed, numRuns });
  });

  test('messages with some bytes changed', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    const property = fc.property(
      fc.constantFrom(...real),
      fc.array(change, { minLength: 1, maxLength: 8 }),
      (original, changes) => {
        const bytes = Buffer.from(original);
        // Mostly in what the codec wrote, which is shorter than its arrays.
        for (const [at, value] of changes) bytes[at % Math.min(bytes.length, 2000)] = value;
        attempt(bytes);
      },
    );
    fc.assert(property, { seed, numRuns });
  });

  test('messages cut short, or longer than they say', () => {
    const property = fc.property(fc.constantFrom(...real), fc.nat(), (original, at) => {
      const shorter = original.subarray(0, at % original.length);
      expect(attempt(shorter)).toBe(undefined);
      expect(attempt(Buffer.concat([original, shorter, Buffer.alloc(1)]))).toBe(undefined);
    });
    fc.assert(property, { seed, numRuns: numRuns / 10 });
  });

  test('unchanged messages still pass afterwards', () => {
    for (const one of real) expect(() => decode('test', one, 3)).not.toThrow();
  });
});

test('lengths and counts beyond the message cost no memory', () => {
  const used = process.memoryUsage().arrayBuffers;
  for (const codec of [1, 2]) {
    // Arrays, maps, strings, binaries, extensions and typed arrays of 4294967295 and more.
    for (const start of [
      [0xdd],
      [0xdf],
      [0xdb],
      [0xc6],
      [0xc9],
      [0xc9, 0, 0, 0, 9, 0x74],
      [0xd6, 0x69],
      [0xd4, 0x73, 0, 0xdd],
    ]) {
      const bytes = Buffer.from([...start, 255, 255, 255, 255, 0x74, 8, 1, 2, 3]);
      const head = Buffer.alloc(16 + bytes.length);
      head.writeUInt32LE(codec, 0);
      head.writeUInt32LE(head.length, 8);
      head.set(bytes, 16);
      attempt(head);
    }
  }
  for (const [count, length] of [
    [2 ** 32 - 1, 16],
    [1, 2 ** 52],
    [0, 2 ** 52],
  ]) {
    const head = Buffer.alloc(64);
    head.writeUInt32LE(1, 0);
    head.writeUInt32LE(count as number, 4);
    head.writeBigUInt64LE(BigInt(length as number), 8);
    expect(attempt(head)).toBe(undefined);
  }
  expect(process.memoryUsage().arrayBuffers - used).toBeLessThan(64 * 2 ** 20);
});

test('views of memory that did not come, and places that are none, are refused', () => {
  const [head, attachment] = encodeParts('test', { a: new Uint8Array(10_000) }, 'msgpack');
  expect(attachment).toBeDefined();
  const parts = [(head as Uint8Array).slice().buffer, new ArrayBuffer(8)];
  expect(() => decodeParts('test', parts as ArrayBuffer[], 3)).toThrow(/cannot be decoded/);
});

test.each(['__proto__', 'constructor', 'toString'])(
  'a property named %s pollutes nothing',
  (name) => {
    const value = Object.defineProperty({}, name, { value: { polluted: 1 }, enumerable: true });
    for (const codec of CODECS) {
      const copy = attempt(message({ value, list: new Float64Array(2000) }, codec));
      expect(copy).toBeDefined();
      expect(({} as Record<string, unknown>).polluted).toBe(undefined);
    }
  },
);
