// Datatypes: what they are made of and may not be made of, in a world of one, and messages of them among ranks.
import {
  type BasicDatatype,
  BasicDatatype as BasicDatatypeClass,
  BFLOAT16,
  type BufferArgument,
  COMPLEX,
  Datatype,
  DOUBLE,
  DOUBLE_COMPLEX,
  DOUBLE_INT,
  FLOAT,
  FLOAT_INT,
  FLOAT16,
  INT16_T,
  INT32_T,
  LONG_INT,
  MpiError,
  Op,
  pack,
  packSize,
  SHORT_INT,
  SUM,
  TWO_INT,
  UINT16_T,
  unpack,
  world,
} from 'onecopy';
import { describe, expect, test } from 'vitest';
import type { Report } from './programs/datatypes-random.ts';
import { jsonLines, launch } from './support/launch.ts';

const seed = Number(process.env.ONECOPY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const rounds = process.env.ONECOPY_TEST_FULL === '1' ? 2000 : 60;

function expectError(code: string, says: RegExp, action: () => unknown): void {
  let thrown: unknown;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(MpiError);
  const { code: found, message } = thrown as MpiError;
  expect({ code: found, message }).toEqual({ code, message: expect.stringMatching(says) });
}

/** Sent to oneself and received otherwise. */
function passed<T extends BufferArgument>(from: BufferArgument, into: T) {
  const receiving = world.irecv(into, 0, 1);
  world.send(from, 0, 1);
  return receiving.wait();
}

describe('the bounds of', () => {
  const bounds = ({ size, lb, extent, trueLb, trueExtent }: Datatype) => [
    size,
    lb,
    extent,
    trueLb,
    trueExtent,
  ];

  test('types of the standard', () => {
    expect(bounds(DOUBLE)).toEqual([8, 0, 8, 0, 8]);
    // MPI-4.1 section 5.1.2, example 5.2 and those after it: {(double, 0), (char, 8)} of extent 16.
    const pair = Datatype.struct([1, 1], [0, 8], [DOUBLE, 'INT8_T']);
    expect(bounds(pair)).toEqual([9, 0, 16, 0, 9]);
    expect(bounds(Datatype.contiguous(3, pair))).toEqual([27, 0, 48, 0, 41]);
    expect(bounds(Datatype.vector(2, 3, 4, pair))).toEqual([54, 0, 112, 0, 105]);
    expect(bounds(Datatype.vector(3, 1, -2, pair))).toEqual([27, -64, 80, -64, 73]);
    expect(bounds(Datatype.indexed([3, 1], [4, 0], pair))).toEqual([36, 0, 112, 0, 105]);
    // MPI-4.1 section 5.1.7: {(int, 0)} from -3 on, of 9 bytes, and twice that.
    const marked = Datatype.resized(INT32_T, -3, 9);
    expect(bounds(marked)).toEqual([4, -3, 9, 0, 4]);
    expect(bounds(Datatype.contiguous(2, marked))).toEqual([8, -3, 18, 0, 13]);
  });

  test('a structure are rounded up as in C, unless they were set', () => {
    expect(Datatype.struct([1, 1], [0, 8], [DOUBLE, INT32_T]).extent).toBe(16);
    expect(Datatype.struct([1, 1], [0, 2], [INT16_T, 'INT8_T']).extent).toBe(4);
    expect(Datatype.struct([1, 1], [0, 16], [DOUBLE_COMPLEX, INT32_T]).extent).toBe(24);
    const resized = Datatype.resized(INT32_T, 0, 4);
    expect(Datatype.struct([1, 1], [0, 8], [DOUBLE, resized]).extent).toBe(12);
  });

  test('a subarray are those of the whole array', () => {
    const type = Datatype.subarray([4, 5], [2, 3], [1, 2], FLOAT);
    expect(bounds(type)).toEqual([24, 0, 80, 28, 32]);
    const fortran = Datatype.subarray([4, 5], [2, 3], [1, 2], FLOAT, { order: 'Fortran' });
    expect(bounds(fortran)).toEqual([24, 0, 80, 36, 40]);
    expect(bounds(Datatype.subarray([4], [0], [4], FLOAT))).toEqual([0, 0, 16, 0, 0]);
    expect(bounds(Datatype.subarray([], [], [], FLOAT))).toEqual([4, 0, 4, 0, 4]);
  });

  test('nothing are nothing', () => {
    for (const type of [
      Datatype.contiguous(0, DOUBLE),
      Datatype.vector(0, 3, 5, DOUBLE),
      Datatype.vector(3, 0, 5, DOUBLE),
      Datatype.indexed([], [], DOUBLE),
      Datatype.indexed([0], [7], DOUBLE),
      Datatype.struct([], [], []),
    ])
      expect(bounds(type)).toEqual([0, 0, 0, 0, 0]);
    const status = passed(
      { data: new Uint8Array(4), count: 9, datatype: Datatype.contiguous(0, DOUBLE) },
      new Float64Array(1),
    );
    expect(status).toMatchObject({ bytes: 0 });
    expect(status.count(Datatype.contiguous(0, DOUBLE))).toBe(0);
  });

  test('pairs and complex numbers are those of C', () => {
    const rows: [BasicDatatype, number, number][] = [
      [FLOAT_INT, 8, 8],
      [DOUBLE_INT, 12, 16],
      [LONG_INT, 12, 16],
      [TWO_INT, 8, 8],
      [SHORT_INT, 6, 8],
      [COMPLEX, 8, 8],
      [DOUBLE_COMPLEX, 16, 16],
      [FLOAT16, 2, 2],
      [BFLOAT16, 2, 2],
    ];
    for (const [type, size, extent] of rows) {
      expect([type.name, type.size, type.extent]).toEqual([type.name, size, extent]);
      expect(type).toBeInstanceOf(BasicDatatypeClass);
      expect(type.bytes).toBe(extent);
    }
  });
});

test('names say how a type was made, in a few words', () => {
  const column = Datatype.vector(3, 1, 4, DOUBLE);
  expect(`${column}`).toBe('vector(3, 1, 4, DOUBLE)');
  expect(Datatype.dup(column).name).toBe(column.name);
  expect(Datatype.indexed([1, 2], [0, 3], column).name).toBe(
    'indexed(2 blocks of vector(3, 1, 4, DOUBLE))',
  );
  let nested: Datatype = DOUBLE;
  for (let i = 0; i < 100; i++) nested = Datatype.resized(nested, 0, 8);
  expect(nested.name.length).toBeLessThan(210);
});

test('a datatype keeps its own copy of the lists that it was made of', () => {
  const places = [0, 2];
  const type = Datatype.indexedBlock(1, places, INT32_T);
  places[1] = 1e6;
  expect(pack({ data: Int32Array.of(1, 2, 3), datatype: type })).toEqual(
    new Uint8Array(Int32Array.of(1, 3).buffer),
  );
});

describe('wrong arguments:', () => {
  const loose = Datatype as unknown as Record<string, (...args: unknown[]) => Datatype>;
  const rows: [string, string, RegExp, unknown[]][] = [
    ['contiguous', 'ERR_COUNT', /count must be a whole number, 0 or more, not -1/, [-1, DOUBLE]],
    ['contiguous', 'ERR_COUNT', /not 0\.5/, [0.5, DOUBLE]],
    ['contiguous', 'ERR_COUNT', /more than 2\^53 bytes/, [2 ** 52, DOUBLE]],
    ['contiguous', 'ERR_TYPE', /type: "REAL" is not/, [1, 'REAL']],
    ['contiguous', 'ERR_TYPE', /type: "MIXED" is not/, [1, 'MIXED']],
    ['contiguous', 'ERR_TYPE', /Float64Array/, [1, Float64Array]],
    ['vector', 'ERR_COUNT', /count/, ['1', 1, 1, DOUBLE]],
    ['vector', 'ERR_COUNT', /blocklength/, [1, -1, 1, DOUBLE]],
    ['vector', 'ERR_ARG', /stride must be a whole number, not NaN/, [1, 1, Number.NaN, DOUBLE]],
    ['vector', 'ERR_COUNT', /2\^53/, [3, 1, 2 ** 51, DOUBLE]],
    ['hvector', 'ERR_ARG', /stride/, [1, 1, 0.5, DOUBLE]],
    [
      'indexed',
      'ERR_ARG',
      /blocklengths has 2 members, displacements has 1/,
      [[1, 1], [0], DOUBLE],
    ],
    ['indexed', 'ERR_COUNT', /blocklengths\[1\] must be .* not -2/, [[1, -2], [0, 1], DOUBLE]],
    ['indexed', 'ERR_ARG', /displacements\[0\] .* not "x"/, [[1], ['x'], DOUBLE]],
    ['indexed', 'ERR_ARG', /blocklengths must be a list of numbers, not 3/, [3, [0], DOUBLE]],
    ['hindexed', 'ERR_ARG', /displacements must be a list .* not null/, [[1], null, DOUBLE]],
    ['indexedBlock', 'ERR_COUNT', /blocklength/, [-1, [0], DOUBLE]],
    ['hindexedBlock', 'ERR_ARG', /displacements\[1\]/, [1, [0, Infinity], DOUBLE]],
    ['subarray', 'ERR_ARG', /sizes has 2 members, subsizes has 1/, [[4, 4], [1], [0, 0], DOUBLE]],
    [
      'subarray',
      'ERR_COUNT',
      /dimension 1 of the block reaches from 2 to 5, but the array has 4/,
      [[4, 4], [1, 3], [0, 2], DOUBLE],
    ],
    [
      'subarray',
      'ERR_ARG',
      /order must be 'C' or 'Fortran', not "c"/,
      [[4], [1], [0], DOUBLE, { order: 'c' }],
    ],
    ['subarray', 'ERR_ARG', /options must be an object/, [[4], [1], [0], DOUBLE, 'C']],
    ['struct', 'ERR_ARG', /types must be a list of datatypes, not/, [[1], [0], DOUBLE]],
    [
      'struct',
      'ERR_TYPE',
      /types\[1\]/,
      [
        [1, 1],
        [0, 8],
        [DOUBLE, 'REAL'],
      ],
    ],
    ['struct', 'ERR_ARG', /types has 1 members/, [[1, 1], [0, 8], [DOUBLE]]],
    ['resized', 'ERR_ARG', /extent/, [DOUBLE, 0, '8']],
    ['resized', 'ERR_COUNT', /2\^53/, [DOUBLE, 2 ** 52, 2 ** 53 - 1]],
    ['dup', 'ERR_TYPE', /undefined/, [undefined]],
  ];
  test.each(rows)('%s %s', (name, code, says, args) => {
    expectError(code, says, () => loose[name]?.(...args));
  });

  test('types nested too deep', () => {
    expectError('ERR_ARG', /nested more than 1000 deep/, () => {
      let type: Datatype = INT32_T;
      for (let i = 1; i < 2000; i++) type = Datatype.struct([1, 1], [0, 8 * i], [type, INT32_T]);
    });
    let type: Datatype = INT32_T;
    for (let i = 1; i < 900; i++) type = Datatype.struct([1, 1], [0, 8 * i], [type, INT32_T]);
    expect(pack({ data: new Uint8Array(7200), datatype: type })).toHaveLength(3600);
  });
});

describe('buffers that do not hold what a type names are refused, and nothing is done:', () => {
  const column = Datatype.vector(3, 1, 4, DOUBLE);
  const rows: [string, RegExp, BufferArgument][] = [
    [
      'too short',
      /1 item of vector.* reach from byte 0 to byte 72, .* 0 to 64/,
      { data: new Float64Array(8), count: 1, datatype: column },
    ],
    [
      'not for so many',
      /2 items .* 0 to byte 144/,
      { data: new Float64Array(12), count: 2, datatype: column },
    ],
    [
      'no item fits',
      /no item of vector.* needs bytes 0 to 72/,
      { data: new Float64Array(8), datatype: column },
    ],
    [
      'before its start',
      /from byte -8 to byte 8/,
      { data: new Float64Array(8), count: 1, datatype: Datatype.hindexed([1, 1], [-8, 0], DOUBLE) },
    ],
    [
      'backwards',
      /from byte -64/,
      { data: new Float64Array(12), count: 1, datatype: Datatype.vector(3, 1, -4, DOUBLE) },
    ],
    [
      'items that go backwards',
      /from byte -16/,
      { data: new Float64Array(12), count: 3, datatype: Datatype.resized(DOUBLE, 0, -8) },
    ],
    [
      'a negative count',
      /whole number of elements/,
      { data: new Float64Array(12), count: -1, datatype: column },
    ],
  ];
  test.each(rows)('%s', (_name, says, buffer) => {
    for (const call of [
      () => world.send(buffer, 0),
      () => world.isend(buffer, 0),
      () => world.recv(buffer, 0),
      () => world.irecv(buffer, 0),
      () => world.sendrecv(new Uint8Array(1), 0, 0, buffer, 0, 0),
      () => pack(buffer),
      () => unpack(new Uint8Array(1000), buffer),
    ])
      expectError('ERR_COUNT', says, call);
    expect(world.iprobe()).toBeUndefined();
  });

  test('by default there are as many items as fit', () => {
    const columns = Datatype.resized(column, 0, 8);
    const matrix = Float64Array.from({ length: 12 }, (_, i) => i);
    expect(pack({ data: matrix, datatype: columns })).toEqual(
      pack(Float64Array.of(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11)),
    );
    expect(pack({ data: matrix, datatype: column })).toEqual(pack(Float64Array.of(0, 4, 8)));
  });

  test('what is gone', () => {
    const memory = new Float64Array(12);
    structuredClone(memory.buffer, { transfer: [memory.buffer] });
    expectError('ERR_COUNT', /bytes 0 to 0/, () =>
      world.send({ data: memory, count: 1, datatype: column }, 0),
    );
  });

  test('memory that can be resized, in what does not block', () => {
    const memory = Reflect.construct(ArrayBuffer, [96, { maxByteLength: 200 }]) as ArrayBuffer;
    const buffer = { data: memory, datatype: column };
    expectError('ERR_RESIZABLE', /fixed length/, () => world.isend(buffer, 0));
    expectError('ERR_RESIZABLE', /fixed length/, () => world.irecv(buffer, 0));
  });
});

describe('messages', () => {
  test('types that name a byte twice are sent, but not received', () => {
    const twice = Datatype.indexed([2, 2], [0, 1], INT32_T);
    const data = Int32Array.of(1, 2, 3);
    const into = new Int32Array(4);
    passed({ data, datatype: twice }, into);
    expect([...into]).toEqual([1, 2, 2, 3]);
    for (const call of [
      () => world.recv({ data, datatype: twice }, 0),
      () => world.irecv({ data, datatype: twice }, 0),
      () => unpack(new Uint8Array(16), { data, datatype: twice }),
      () => world.irecv({ data, count: 2, datatype: Datatype.resized(INT32_T, 0, 3) }, 0),
    ])
      expectError('ERR_TYPE', /blocks overlap/, call);
    expect(world.iprobe()).toBeUndefined();
    // One of them is no trouble.
    passed(Int32Array.of(7), { data, count: 1, datatype: Datatype.resized(INT32_T, 0, 3) });
    expect(data[0]).toBe(7);
  });

  test('element types must agree, bytes go with all', () => {
    const mixed = Datatype.struct([1, 1], [0, 8], [DOUBLE, INT32_T]);
    const data = new Uint8Array(16).fill(3);
    const refused = (from: BufferArgument, into: BufferArgument, says: RegExp): void => {
      const receiving = world.irecv(into, 0, 1);
      world.send(from, 0, 1);
      expectError('ERR_TYPE', says, () => receiving.wait());
    };
    refused({ data, datatype: mixed }, new Float64Array(2), /MIXED, the buffer is DOUBLE/);
    refused(Int32Array.of(1), { data, datatype: mixed }, /INT32_T, the buffer is MIXED/);
    refused({ data, datatype: 'COMPLEX' }, new Float32Array(4), /COMPLEX, the buffer is FLOAT/);
    refused({ data, datatype: FLOAT16 }, { data, datatype: UINT16_T }, /FLOAT16/);
    refused({ data, datatype: Datatype.contiguous(1, FLOAT) }, new Int32Array(4), /FLOAT/);
    expect(passed({ data, datatype: mixed }, { data, datatype: mixed }).type).toBe('MIXED');
    expect(passed({ data, datatype: mixed }, new Uint8Array(16)).bytes).toBe(12);
    expect(passed(data.subarray(0, 12), { data, datatype: mixed }).type).toBe('BYTE');
    expect(
      passed({ data, datatype: DOUBLE_COMPLEX }, { data, datatype: DOUBLE_COMPLEX }).type,
    ).toBe('DOUBLE_COMPLEX');
  });

  test('too long a message is truncated, a short one fills the first items and a part of the next', () => {
    const every = Datatype.vector(2, 1, 2, INT32_T);
    const into = new Int32Array(8).fill(-1);
    const receiving = world.irecv({ data: into, count: 2, datatype: every }, 0, 1);
    world.send(Int32Array.of(1, 2, 3, 4, 5), 0, 1);
    expectError('ERR_TRUNCATE', /20 bytes, the buffer has room for 16/, () => receiving.wait());
    expect([...into]).toEqual(Array(8).fill(-1));

    const status = passed(Int32Array.of(1, 2, 3), { data: into, count: 2, datatype: every });
    // The second item begins where the first one ends, at element 3.
    expect([...into]).toEqual([1, -1, 2, 3, -1, -1, -1, -1]);
    expect(status.count(every)).toBeUndefined();
    expect(status.elements(every)).toBe(3);
    expect(status.count(INT32_T)).toBe(3);
  });

  test('elements of items that came in part', () => {
    const mixed = Datatype.struct([2, 1], [0, 16], [DOUBLE, INT32_T]);
    const status = (bytes: number) => passed(new Uint8Array(bytes), new Uint8Array(100));
    expect(status(0).elements(mixed)).toBe(0);
    expect(status(8).elements(mixed)).toBe(1);
    expect(status(12).elements(mixed)).toBeUndefined();
    expect(status(20).elements(mixed)).toBe(3);
    expect(status(56).elements(mixed)).toBe(8);
    expect(status(16).elements(DOUBLE_INT)).toBeUndefined();
    expect(status(20).elements(DOUBLE_INT)).toBe(3);
    expect(status(20).elements(Float32Array)).toBe(5);
    expectError('ERR_TYPE', /REAL/, () => status(1).elements('REAL' as 'DOUBLE'));
  });

  test('pairs leave the gaps of their structure alone', () => {
    const from = new Uint8Array(32).fill(1);
    const into = new Uint8Array(32).fill(9);
    const status = passed(
      { data: from, datatype: DOUBLE_INT },
      { data: into, datatype: DOUBLE_INT },
    );
    expect([...into]).toEqual([0, 1].flatMap(() => [...Array(12).fill(1), ...Array(4).fill(9)]));
    expect(status).toMatchObject({ type: 'DOUBLE_INT', bytes: 24 });
    expect(status.count(DOUBLE_INT)).toBe(2);
  });

  test('any buffer, at any offset', () => {
    const type = Datatype.vector(2, 1, 2, DOUBLE);
    const memory = new SharedArrayBuffer(64);
    for (const data of [
      memory,
      new DataView(memory, 3),
      new Uint8Array(memory, 5),
      Buffer.from(memory, 1, 40),
    ]) {
      passed(
        { data: Float64Array.of(1, 2, 3), datatype: type },
        { data, count: 1, datatype: type },
      );
      expect(new Float64Array(pack({ data, count: 1, datatype: type }).buffer)).toEqual(
        Float64Array.of(1, 3),
      );
    }
  });

  const HalfArray = (globalThis as { Float16Array?: Uint16ArrayConstructor }).Float16Array;
  test.skipIf(HalfArray === undefined)('Float16Array, where Node has it (from 24 on)', () => {
    const Half = HalfArray as Uint16ArrayConstructor;
    const into = new Half(2);
    expect(passed(Half.of(0.5, 1.5), into).type).toBe('FLOAT16');
    expect([...into]).toEqual([0.5, 1.5]);
    expectError('ERR_TYPE', /FLOAT16/, () => world.bcast(into as BufferArgument));
  });
});

describe('packing', () => {
  test('goes on where the call before has ended', () => {
    const column = Datatype.vector(3, 1, 4, DOUBLE);
    const matrix = Float64Array.from({ length: 12 }, (_, i) => i);
    const size = packSize(1, column) + packSize(2, INT16_T) + packSize(3, 'INT8_T');
    expect(size).toBe(31);
    const bytes = new Uint8Array(size + 1).fill(7);
    let position = pack({ data: matrix, datatype: column }, bytes);
    position = pack(Int16Array.of(5, 6), bytes, position);
    position = pack(Int8Array.of(1, 2, 3), bytes, position);
    expect(position).toBe(size);
    expect(bytes[size]).toBe(7);

    const into = new Float64Array(12).fill(-1);
    const shorts = new Int16Array(2);
    const rest = new Int8Array(3);
    position = unpack(bytes, { data: into, datatype: column });
    position = unpack(bytes, shorts, position);
    expect(unpack(bytes, rest, position)).toBe(size);
    expect([...into]).toEqual([0, -1, -1, -1, 4, -1, -1, -1, 8, -1, -1, -1]);
    expect([[...shorts], [...rest]]).toEqual([
      [5, 6],
      [1, 2, 3],
    ]);
  });

  test('is received by any type of the same signature', () => {
    const mixed = Datatype.struct([1, 2], [8, 0], [DOUBLE, INT16_T]);
    const data = new Uint8Array(16).map((_, i) => i);
    const into = new Uint8Array(16);
    passed(pack({ data, datatype: mixed }), { data: into, datatype: mixed });
    expect([...into]).toEqual([0, 1, 2, 3, 0, 0, 0, 0, 8, 9, 10, 11, 12, 13, 14, 15]);
  });

  test('where there is no room nothing is done', () => {
    const bytes = new Uint8Array(10).fill(7);
    expectError('ERR_COUNT', /8 bytes at position 3 end at 11, but there are 10/, () =>
      pack(Float64Array.of(1), bytes, 3),
    );
    expect([...bytes]).toEqual(Array(10).fill(7));
    const into = Float64Array.of(5);
    expectError('ERR_COUNT', /end at 11/, () => unpack(bytes, into, 3));
    expect(into[0]).toBe(5);
    expectError('ERR_ARG', /position .* not -1/, () => pack(into, bytes, -1));
    expectError('ERR_ARG', /position .* not 0.5/, () => unpack(bytes, into, 0.5));
    expectError('ERR_ARG', /a Uint8Array, not/, () => pack(into, into as unknown as Uint8Array));
    expectError('ERR_ARG', /a Uint8Array, not/, () => unpack([] as unknown as Uint8Array, into));
    expectError('ERR_BUFFER', /not 5/, () => pack(5 as unknown as Uint8Array));
    expectError('ERR_COUNT', /count/, () => packSize(-1, DOUBLE));
    expectError('ERR_TYPE', /REAL/, () => packSize(1, 'REAL' as 'DOUBLE'));
  });
});

describe('collective operations', () => {
  const data = new Float64Array(4);

  test('take rows of elements only', () => {
    const column = { data, datatype: Datatype.vector(2, 1, 2, DOUBLE) };
    const says = /vector\(2, 1, 2, DOUBLE\) elements, which only point-to-point calls take/;
    expectError('ERR_TYPE', says, () => world.bcast(column));
    expectError('ERR_TYPE', says, () => world.allgather(column, data));
    expectError('ERR_TYPE', says, () => world.allreduce(column as never, SUM));
    expectError('ERR_TYPE', /COMPLEX/, () => world.bcast({ data, datatype: COMPLEX }));
    expectError('ERR_TYPE', /COMPLEX/, () =>
      world.allgatherv(data, { data, counts: [2], datatype: COMPLEX }),
    );
  });

  test.each([COMPLEX, DOUBLE_COMPLEX, FLOAT16, BFLOAT16, DOUBLE_INT, TWO_INT])(
    'have no operators for %s',
    (datatype) => {
      const says = new RegExp(`SUM is not defined for ${datatype} elements`);
      expectError('ERR_OP', says, () => world.allreduce({ data, datatype } as never, SUM));
      const own = Op.create(() => undefined);
      expectError('ERR_TYPE', /only point-to-point/, () =>
        world.allreduce({ data, datatype } as never, own),
      );
    },
  );
});

const VARIANTS: readonly (readonly string[])[] = [
  [],
  ['--deny-pull'],
  ['--eager-limit', '0'],
  ['--channel', 'socket'],
  ['--channel', 'socket', '--deny-pull', '--eager-limit', '0'],
];

describe.each(VARIANTS.map((options) => [options.join(' ') || 'defaults', options] as const))(
  'with %s',
  (_name, options) => {
    test('random nested types arrive as a naive list of their bytes says', async () => {
      const args = [String(seed), String(rounds)];
      const outcome = await launch('datatypes-random.ts', {
        ranks: 2,
        options,
        args,
        deadlineMs: 240_000,
      });
      expect(outcome, `seed ${seed}\n${outcome.stderr}`).toMatchObject({ code: 0, stderr: '' });
      const reports = jsonLines<Report>(outcome);
      expect(reports.reduce((sum, { messages }) => sum + messages, 0)).toBe(3 * rounds);
    }, 300_000);

    test('items in calls that exchange, replace, or go round by round', async () => {
      const outcome = await launch('datatypes-calls.ts', { ranks: 2, options });
      expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
      expect(outcome.stdout.trim().split('\n').sort()).toEqual(['rank 0 done', 'rank 1 done']);
    });

    test('large messages of blocks of all lengths, and errors between them', async () => {
      const outcome = await launch('datatypes-large.ts', {
        ranks: 2,
        options,
        deadlineMs: 120_000,
      });
      expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
      expect(outcome.stdout.trim().split('\n').sort()).toEqual(['rank 0 done', 'rank 1 done']);
    }, 150_000);
  },
);
