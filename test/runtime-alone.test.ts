// What holds in a program that was started without the launcher, a world of one; this very process is one.
import { hostname } from 'node:os';
import {
  ANY_SOURCE,
  ANY_TAG,
  type BufferArgument,
  BYTE,
  DOUBLE,
  finalized,
  INT64_T,
  initialized,
  libraryVersion,
  MPI_SUBVERSION,
  MPI_VERSION,
  MpiError,
  PROC_NULL,
  processorName,
  Request,
  Status,
  self,
  VERSION,
  waitAll,
  world,
  wtick,
  wtime,
} from 'onecopy';
import { describe, expect, test } from 'vitest';

/** Above every eager limit. */
const LARGE = 1 << 20;

function errorOf(action: () => unknown): MpiError {
  try {
    action();
  } catch (error) {
    if (error instanceof MpiError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function expectError(code: string, says: RegExp, action: () => unknown): void {
  const error = errorOf(action);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(says);
  expect(error.errorClass).toBe(`MPI_${code}`);
}

/** After an error the communicator must be as it was: nothing pending, nothing left over. */
function expectUsable(): void {
  expect(world.iprobe()).toBeUndefined();
  world.send(Int32Array.of(42), 0, 3);
  const buffer = new Int32Array(1);
  expect(world.recv(buffer, 0, 3).bytes).toBe(4);
  expect(buffer[0]).toBe(42);
}

/** Not in the library of ES2022, but in every Node that is supported. */
interface ResizableArrayBuffer extends ArrayBuffer {
  resize(bytes: number): void;
}

function resizable(bytes: number): ResizableArrayBuffer {
  return Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: 16 }]) as ResizableArrayBuffer;
}

function transferred<T extends BufferArgument>(buffer: T): T {
  const memory = (ArrayBuffer.isView(buffer) ? buffer.buffer : buffer) as ArrayBuffer;
  structuredClone(memory, { transfer: [memory] });
  return buffer;
}

test('the first use may be a receive from anybody', () => {
  expectError('ERR_DEADLOCK', /can never complete/, () => world.recv(new Uint8Array(1)));
});

describe('a world of one', () => {
  test('has rank 0 of 1, and so has self', () => {
    expect([world.rank, world.size, self.rank, self.size]).toEqual([0, 1, 0, 1]);
  });

  test('sends to itself', () => {
    world.send(Float64Array.of(1, 2, 3), 0, 7);
    const buffer = new Float64Array(4).fill(-1);
    const status = world.recv(buffer, ANY_SOURCE, ANY_TAG);
    expect([...buffer]).toEqual([1, 2, 3, -1]);
    expect(status).toEqual(new Status(0, 7, 24, 10));
    expect(status.type).toBe('DOUBLE');
  });

  test('keeps world and self apart', () => {
    world.send(Uint8Array.of(1), 0, 5);
    expect(self.iprobe()).toBeUndefined();
    self.send(Uint8Array.of(2), 0, 5);
    const buffer = new Uint8Array(1);
    world.recv(buffer);
    expect(buffer[0]).toBe(1);
    self.recv(buffer);
    expect(buffer[0]).toBe(2);
  });

  test('sends large messages to a receive that was started before', () => {
    const incoming = new Uint8Array(LARGE + 1).fill(9);
    const request = world.irecv(incoming, 0, 1);
    world.send(new Uint8Array(LARGE).fill(5), 0, 1);
    expect(request.wait().bytes).toBe(LARGE);
    expect([incoming[0], incoming[LARGE - 1], incoming[LARGE]]).toEqual([5, 5, 9]);
  });

  test('receives large messages whose send was started before', () => {
    const request = world.isend(new Uint8Array(LARGE).fill(6), 0, 1);
    const incoming = new Uint8Array(LARGE);
    world.recv(incoming, 0, 1);
    expect(incoming.every((byte) => byte === 6)).toBe(true);
    expect(request.test()).toBe(true);
  });

  test('does what collectives do', () => {
    world.barrier();
    expect(world.alltoall(Float32Array.of(1, 2))).toEqual(Float32Array.of(1, 2));
    const into = new Int16Array(2);
    expect(world.alltoall(Int16Array.of(3, 4), into)).toBe(into);
    expect(into).toEqual(Int16Array.of(3, 4));
    const fromBuffer = world.alltoall(Buffer.from('ab'));
    expect(fromBuffer.constructor).toBe(Uint8Array);
    expect(fromBuffer).toEqual(Uint8Array.of(97, 98));
  });

  test.each<[string, () => unknown]>([
    ['a receive that nobody will send', () => world.recv(new Uint8Array(1))],
    ['one from self', () => self.recv(new Uint8Array(1), ANY_SOURCE, 3)],
    ['a wait for one', () => world.irecv(new Uint8Array(1), 0, 1).wait()],
    ['a probe', () => world.probe()],
    ['recvNew', () => world.recvNew(Uint8Array)],
    ['a large blocking send to itself', () => world.send(new Uint8Array(LARGE), 0)],
    ['waitAll', () => waitAll([world.irecv(new Uint8Array(1), 0, 2)])],
  ])('throws ERR_DEADLOCK at once for %s', (_what, action) => {
    expectError('ERR_DEADLOCK', /can never complete/, action);
    // What a wait did not end is still there for these.
    world.send(new Uint8Array(1), 0, 1);
    world.send(new Uint8Array(1), 0, 2);
    while (world.iprobe()) world.recv(new Uint8Array(1));
    expectUsable();
  });

  test('has a clock in seconds', () => {
    const before = wtime();
    const after = wtime();
    expect(after).toBeGreaterThanOrEqual(before);
    expect(Math.abs(before - Number(process.hrtime.bigint()) / 1e9)).toBeLessThan(1);
    expect(wtick()).toBe(1e-9);
  });

  test('says where it runs, and on what', () => {
    expect(processorName()).toBe(hostname());
    expect(libraryVersion()).toBe(`onecopy ${VERSION}`);
    expect([MPI_VERSION, MPI_SUBVERSION]).toEqual([4, 1]);
    expect([initialized(), finalized()]).toEqual([true, false]);
  });
});

describe('buffers:', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

  test.each<[string, () => BufferArgument, (sent: number[]) => void]>([
    ['Buffer from the pool', () => Buffer.from(bytes), () => undefined],
    ['DataView', () => new DataView(bytes.slice().buffer, 0, 8), () => undefined],
    ['ArrayBuffer', () => bytes.slice().buffer, () => undefined],
    ['Uint8ClampedArray', () => new Uint8ClampedArray(bytes), () => undefined],
  ])('%s', (_name, make) => {
    const type = make() instanceof Uint8ClampedArray ? 'UINT8_CLAMPED' : 'BYTE';
    const request = world.irecv(make(), 0, 1);
    world.send(make(), 0, 1);
    expect(request.wait()).toMatchObject({ bytes: 8, type });
    world.send(make(), 0, 1);
    expect([...world.recvNew(Uint8Array).data]).toEqual([...bytes]);
  });

  test('SharedArrayBuffer, blocking and not', () => {
    const shared = new SharedArrayBuffer(8);
    new Uint8Array(shared).set(bytes);
    const into = new SharedArrayBuffer(9);
    world.send(shared, 0, 1);
    expect(world.recv(into).bytes).toBe(8);
    expect([...new Uint8Array(into)]).toEqual([...bytes, 0]);
    const request = world.irecv(new Uint32Array(into, 0, 2), 0, 1);
    world.isend(new Uint32Array(shared), 0, 1).wait();
    expect(request.wait().type).toBe('UINT32_T');
  });

  test('a view in the middle writes nothing outside', () => {
    const memory = new Uint8Array(24).fill(7);
    const request = world.irecv(new Float64Array(memory.buffer, 8, 1), 0, 1);
    world.send(Float64Array.of(0), 0, 1);
    request.wait();
    expect([...memory]).toEqual([...Array(8).fill(7), ...Array(8).fill(0), ...Array(8).fill(7)]);
  });

  test('{ data, count, datatype }', () => {
    const doubles = Float64Array.of(1, 2, 3);
    world.send({ data: doubles, count: 2 }, 0, 1);
    world.send({ data: Buffer.from(doubles.buffer), datatype: DOUBLE }, 0, 1);
    world.send({ data: doubles.buffer, datatype: 'INT64_T', count: 1 }, 0, 1);
    world.send({ data: doubles }, 0, 1);
    const found = Array.from({ length: 4 }, () => world.recv(new Uint8Array(24)));
    expect(found.map(({ bytes, type }) => [bytes, type])).toEqual([
      [16, 'DOUBLE'],
      [24, 'DOUBLE'],
      [8, 'INT64_T'],
      [24, 'DOUBLE'],
    ]);
    const into = { data: new Uint8Array(24), datatype: DOUBLE, count: 3 } as const;
    world.send(doubles, 0, 1);
    world.recv(into);
    expect(new Float64Array(into.data.buffer)).toEqual(doubles);
    expect(world.alltoall({ ...into, data: new Uint8Array(24) }, into)).toBe(into);
  });

  test('resizable ones in blocking calls', () => {
    const memory = resizable(4);
    const view = new Uint8Array(memory);
    view.set([1, 2, 3, 4]);
    world.send(view, 0, 1);
    memory.resize(2);
    world.send(view, 0, 1);
    memory.resize(8);
    expect(world.recv(memory).bytes).toBe(4);
    expect([...view]).toEqual([1, 2, 3, 4, 0, 0, 0, 0]);
    expect(world.recvNew(Uint8Array).data.length).toBe(2);
  });

  test('empty ones', () => {
    world.send(new Float64Array(0), 0, 1);
    expect(world.recv(new Float64Array(0))).toMatchObject({ bytes: 0, type: 'DOUBLE' });
    world.send(new ArrayBuffer(0), 0, 1);
    expect(world.recvNew(Int8Array).data).toEqual(new Int8Array(0));
  });
});

describe('misuse has its own code and leaves the communicator usable:', () => {
  const ok = new Float64Array(2);
  const unaligned = new Uint8Array(new ArrayBuffer(24), 1, 16);
  /** As a program without types could call it. */
  const loose = world as unknown as Record<string, (...args: unknown[]) => unknown>;

  test.each<[string, string, RegExp, () => unknown]>([
    // ranks
    [
      'ERR_RANK',
      'destination above',
      /destination 1 .* world, which has rank 0 only/,
      () => world.send(ok, 1),
    ],
    ['ERR_RANK', 'negative destination', /destination -7 /, () => world.isend(ok, -7)],
    [
      'ERR_RANK',
      'wildcard as destination',
      /wildcard for receiving/,
      () => world.send(ok, ANY_SOURCE),
    ],
    ['ERR_RANK', 'fraction as rank', /0\.5/, () => world.send(ok, 0.5)],
    ['ERR_RANK', 'NaN as rank', /NaN/, () => world.recv(ok, Number.NaN)],
    ['ERR_RANK', 'string as rank', /"0"/, () => loose.send?.(ok, '0')],
    ['ERR_RANK', 'missing destination', /undefined/, () => loose.send?.(ok)],
    ['ERR_RANK', 'bigint as rank', /0n/, () => loose.irecv?.(ok, 0n)],
    ['ERR_RANK', 'source above', /source 3 .*ANY_SOURCE/, () => world.recv(ok, 3)],
    ['ERR_RANK', 'source of a probe', /probe: source 3/, () => world.probe(3)],
    ['ERR_RANK', 'source of iprobe', /iprobe: source 3/, () => world.iprobe(3)],
    ['ERR_RANK', 'source of recvNew', /recvNew: source 2 /, () => world.recvNew(Uint8Array, 2)],
    [
      'ERR_RANK',
      'destination of sendrecv',
      /sendrecv: destination 2 /,
      () => world.sendrecv(ok, 2, 0, ok),
    ],
    [
      'ERR_RANK',
      'source of sendrecv',
      /sendrecv: source 2 /,
      () => world.sendrecv(ok, 0, 0, ok, 2),
    ],
    ['ERR_RANK', 'rank of self', /self, which has rank 0 only/, () => self.send(ok, 1)],
    // tags
    ['ERR_TAG', 'negative tag', /-5 .*0 to 2147483647/, () => world.send(ok, 0, -5)],
    ['ERR_TAG', 'wildcard as tag', /wildcard/, () => world.isend(ok, 0, ANY_TAG)],
    ['ERR_TAG', 'tag above', /2147483648/, () => world.send(ok, 0, 2 ** 31)],
    ['ERR_TAG', 'fraction as tag', /1\.5/, () => world.recv(ok, 0, 1.5)],
    ['ERR_TAG', 'tag of irecv', /-2/, () => world.irecv(ok, 0, -2)],
    ['ERR_TAG', 'string as tag', /"7"/, () => loose.send?.(ok, 0, '7')],
    ['ERR_TAG', 'tag of a probe', /-3/, () => world.probe(0, -3)],
    ['ERR_TAG', 'tag of sendrecv', /-1/, () => world.sendrecv(ok, 0, -1, ok)],
    // buffers
    ['ERR_BUFFER', 'array as buffer', /class Array/, () => loose.send?.([1, 2], 0)],
    ['ERR_BUFFER', 'string as buffer', /"hello"/, () => loose.send?.('hello', 0)],
    ['ERR_BUFFER', 'null as buffer', /null/, () => loose.recv?.(null)],
    ['ERR_BUFFER', 'nothing as buffer', /undefined/, () => loose.irecv?.()],
    ['ERR_BUFFER', 'object as buffer', /class Object/, () => loose.send?.({ a: 1 }, 0)],
    [
      'ERR_BUFFER',
      'data that is none',
      /data of the buffer .*class Array/,
      () => loose.send?.({ data: [1] }, 0),
    ],
    [
      'ERR_BUFFER',
      'unaligned data',
      /byte 1 .*DOUBLE.*multiple of 8/,
      () => world.send({ data: unaligned, datatype: DOUBLE }, 0),
    ],
    [
      'ERR_DETACHED',
      'detached view',
      /detached|transferred/,
      () => world.send(transferred(new Uint8Array(8)), 0),
    ],
    [
      'ERR_DETACHED',
      'detached ArrayBuffer',
      /detached|transferred/,
      () => world.irecv(transferred(new ArrayBuffer(8)), 0),
    ],
    [
      'ERR_DETACHED',
      'detached DataView',
      /detached|transferred/,
      () => world.isend(transferred(new DataView(new ArrayBuffer(8))), 0),
    ],
    [
      'ERR_DETACHED',
      'detached data',
      /transferred away/,
      () => world.send({ data: transferred(new Uint8Array(8)), count: 0 }, 0),
    ],
    [
      'ERR_DETACHED',
      'detached in alltoall',
      /detached or resized/,
      () => world.alltoall(transferred(new Int8Array(4))),
    ],
    [
      'ERR_RESIZABLE',
      'resizable buffer in irecv',
      /resized/,
      () => world.irecv(new Uint8Array(resizable(8))),
    ],
    [
      'ERR_RESIZABLE',
      'resizable ArrayBuffer in isend',
      /resized/,
      () => world.isend(resizable(8), 0),
    ],
    // counts and types
    ['ERR_COUNT', 'negative count', /-1/, () => world.send({ data: ok, count: -1 }, 0)],
    ['ERR_COUNT', 'fraction as count', /1\.5/, () => world.send({ data: ok, count: 1.5 }, 0)],
    [
      'ERR_COUNT',
      'count beyond',
      /3 DOUBLE elements are 24 bytes.*has 16/,
      () => world.send({ data: ok, count: 3 }, 0),
    ],
    [
      'ERR_COUNT',
      'bytes that are no whole elements',
      /13 bytes, not a whole number of DOUBLE/,
      () => world.send({ data: new ArrayBuffer(13), datatype: 'DOUBLE' }, 0),
    ],
    [
      'ERR_COUNT',
      'unequal lengths in alltoall',
      /16 .* 8/,
      () => world.alltoall(ok, new Float64Array(1)),
    ],
    [
      'ERR_TYPE',
      'unknown datatype',
      /"REAL"/,
      () => loose.send?.({ data: ok, datatype: 'REAL' }, 0),
    ],
    ['ERR_TYPE', 'class that is no typed array', /function Date/, () => loose.recvNew?.(Date)],
    [
      'ERR_TYPE',
      'unequal types in alltoall',
      /DOUBLE .*FLOAT/,
      () => world.alltoall(ok, new Float32Array(4)),
    ],
    ['ERR_TYPE', 'count() of no type', /"x"/, () => new Status(0, 0, 8, 0).count('x' as 'BYTE')],
    // options
    [
      'ERR_ARG',
      'signal in a blocking call',
      /signal.*isend, irecv/,
      () => loose.recv?.(ok, 0, 0, { signal: AbortSignal.timeout(1) }),
    ],
    ['ERR_ARG', 'unknown option', /timeOut.*timeout/, () => loose.send?.(ok, 0, 0, { timeOut: 3 })],
    ['ERR_ARG', 'options that are none', /not 5/, () => loose.send?.(ok, 0, 0, 5)],
    ['ERR_ARG', 'negative timeout', /-1/, () => world.send(ok, 0, { timeout: -1 })],
    ['ERR_ARG', 'timeout of NaN', /NaN/, () => world.recv(ok, { timeout: Number.NaN })],
    ['ERR_ARG', 'options of isend', /no option retry/, () => loose.isend?.(ok, 0, 0, { retry: 1 })],
    ['ERR_ARG', 'options of irecv', /not 5/, () => loose.irecv?.(ok, 0, 0, 5)],
    ['ERR_ARG', 'exit code', /256/, () => world.abort(256)],
    // requests
    [
      'ERR_REQUEST',
      'no request in waitAll',
      /element 1 is 3/,
      () => waitAll([world.isend(ok, PROC_NULL), 3 as never]),
    ],
  ])('%s: %s', (code, _what, says, action) => {
    expectError(code, says, action);
    expectUsable();
  });

  test('a fixed view of a resizable buffer is refused too', () => {
    const memory = resizable(8);
    expectError('ERR_RESIZABLE', /resized/, () => world.isend(new Uint8Array(memory, 0, 4), 0));
  });

  test('truncation names both sizes and consumes the message', () => {
    world.send(new Float32Array(8), 0, 1);
    expectError('ERR_TRUNCATE', /32 bytes.* 8/, () => world.recv(new Float32Array(2), 0, 1));
    expectUsable();
  });

  test('element types must agree, unless one side is bytes', () => {
    world.send(new Float32Array(2), 0, 1);
    expectError('ERR_TYPE', /FLOAT.*DOUBLE/, () => world.recv(new Float64Array(2), 0, 1));
    world.send(new Float32Array(2), 0, 1);
    expectError('ERR_TYPE', /FLOAT.*DOUBLE/, () => world.recvNew(Float64Array, 0, 1));
    world.send(new Uint8Array(8), 0, 1);
    expect(world.recv(new Float64Array(1), 0, 1).type).toBe('BYTE');
    expectUsable();
  });

  test('recvNew says when a message is not a whole number of elements', () => {
    world.send(new Uint8Array(13), 0, 1);
    expectError('ERR_COUNT', /13 bytes.*DOUBLE/, () => world.recvNew(Float64Array));
    expectUsable();
  });
});

describe('PROC_NULL', () => {
  const untouched = Uint8Array.of(9);
  const nobody = { source: PROC_NULL, tag: ANY_TAG, bytes: 0 };

  test('sends nothing and receives nothing', async () => {
    world.send(untouched, PROC_NULL);
    world.send(untouched, PROC_NULL, 3, { timeout: 1 });
    expect(world.recv(untouched, PROC_NULL)).toMatchObject(nobody);
    expect(world.recv(untouched, PROC_NULL, 4, { timeout: 1 })).toMatchObject(nobody);
    expect(await world.irecv(untouched, PROC_NULL)).toMatchObject(nobody);
    expect(await world.isend(untouched, PROC_NULL)).toBeUndefined();
    expect(world.probe(PROC_NULL)).toMatchObject(nobody);
    expect(world.iprobe(PROC_NULL)).toMatchObject(nobody);
    expect(world.recvNew(Float64Array, PROC_NULL)).toMatchObject({ status: nobody });
    expect(world.recvNew(Float64Array, PROC_NULL).data).toEqual(new Float64Array(0));
    expect(untouched[0]).toBe(9);
  });

  test('in either half of sendrecv', () => {
    const buffer = new Uint8Array(1);
    expect(world.sendrecv(untouched, PROC_NULL, 0, buffer, PROC_NULL)).toMatchObject(nobody);
    expect(world.sendrecv(untouched, 0, 5, buffer, PROC_NULL)).toMatchObject(nobody);
    expect(world.sendrecv(untouched, PROC_NULL, 0, buffer, 0, 5)).toMatchObject({
      bytes: 1,
      tag: 5,
    });
    expect(buffer[0]).toBe(9);
  });

  test('arguments are checked all the same', () => {
    expectError('ERR_TAG', /-4/, () => world.send(untouched, PROC_NULL, -4));
    expectError('ERR_BUFFER', /class Array/, () => world.recv([] as never, PROC_NULL));
  });
});

describe('a request', () => {
  const buffer = new Float64Array(1);

  test('is a promise', async () => {
    const request = world.irecv(buffer, 0, 1);
    expect(request).toBeInstanceOf(Request);
    expect(String(request)).toBe('[object Request]');
    const promise: Promise<Status> = request;
    world.send(Float64Array.of(3), 0, 1);
    const [first, second] = await Promise.all([promise, request.then((status) => status.bytes)]);
    expect(first.bytes).toBe(8);
    expect(second).toBe(8);
    let finished = 0;
    await request.finally(() => finished++);
    expect(finished).toBe(1);
    expect(await request.catch(() => 'never')).toBe(first);
  });

  test('can be asked again in every way, and answers the same', async () => {
    const request = world.irecv(buffer, 0, 1);
    expect(request.test()).toBe(false);
    expect(() => request.value).toThrow(MpiError);
    expect(errorOf(() => request.value).code).toBe('ERR_REQUEST');
    world.send(Float64Array.of(3), 0, 1);
    const status = request.wait();
    expect(request.wait()).toBe(status);
    expect(request.test()).toBe(true);
    expect(request.value).toBe(status);
    expect(await request).toBe(status);
    expect(request.cancel()).toBe(false);
    expect(waitAll([request, request])).toEqual([status, status]);
  });

  test('that was awaited first can be waited for', async () => {
    const request = world.irecv(buffer, 0, 1);
    const awaited = request.then((status) => status.tag);
    world.send(Float64Array.of(3), 0, 1);
    expect(request.wait().tag).toBe(1);
    expect(await awaited).toBe(1);
  });

  test('that failed fails in every way', async () => {
    world.send(new Float64Array(2), 0, 1);
    const request = world.irecv(buffer, 0, 1);
    const error = errorOf(() => request.wait());
    expect(error.code).toBe('ERR_TRUNCATE');
    expect(errorOf(() => request.wait())).toBe(error);
    expect(errorOf(() => request.test())).toBe(error);
    expect(errorOf(() => request.value)).toBe(error);
    await expect(request).rejects.toBe(error);
    expect(await request.catch((reason: unknown) => reason)).toBe(error);
    expect(request.cancel()).toBe(false);
  });

  test('can be taken back', async () => {
    const request = world.irecv(buffer, 0, 1);
    const awaited = request.catch((error: unknown) => (error as MpiError).code);
    expect(request.cancel()).toBe(true);
    expect(request.cancel()).toBe(true);
    expect(await awaited).toBe('ERR_CANCELLED');
    expect(errorOf(() => request.wait()).code).toBe('ERR_CANCELLED');
    const send = world.isend(new Uint8Array(LARGE), 0, 1);
    expect(send.cancel()).toBe(true);
    expectUsable();
  });

  test('stays active after a timeout', async () => {
    const shared = world.irecv(buffer, 0, 1);
    world.send(Float64Array.of(4), 0, 1);
    expect(shared.wait({ timeout: 1000 }).bytes).toBe(8);
    expectError('ERR_ARG', /timeout/, () => shared.wait({ timeout: 'soon' as never }));
    expectError('ERR_ARG', /options/, () => shared.wait(5 as never));
  });

  test.each([8, LARGE])('fails when its buffer of %i bytes is transferred away', (bytes) => {
    const into = new Uint8Array(bytes);
    const receiving = world.irecv(into, 0, 1);
    const elsewhere = structuredClone(into.buffer, { transfer: [into.buffer] });
    const sending = world.isend(new Uint8Array(bytes).fill(5), 0, 1);
    expect(errorOf(() => receiving.wait()).code).toBe('ERR_DETACHED');
    expect(new Uint8Array(elsewhere).every((byte) => byte === 0)).toBe(true);
    sending.wait();
    expectUsable();
  });

  test('fails on both sides when a large buffer that is being sent is transferred away', () => {
    const outgoing = new Uint8Array(LARGE);
    const sending = world.isend(outgoing, 0, 1);
    transferred(outgoing);
    expect(errorOf(() => world.recv(new Uint8Array(LARGE), 0, 1)).code).toBe('ERR_TRANSFER');
    expect(errorOf(() => sending.wait()).code).toBe('ERR_DETACHED');
    expectUsable();
  });

  test('is not awaited by asking', async () => {
    const request = world.irecv(buffer, 0, 1);
    expect(request.test()).toBe(false);
    expect(request.cancel()).toBe(true);
  });
});

describe('waitAll', () => {
  test('gives the results in order', () => {
    const first = new Uint8Array(1);
    const second = new Uint8Array(2);
    const requests = [world.irecv(first, 0, 1), world.irecv(second, 0, 2)] as const;
    world.send(new Uint8Array(2), 0, 2);
    world.send(new Uint8Array(1), 0, 1);
    const [one, two] = waitAll(requests);
    expect([one.bytes, two.bytes]).toEqual([1, 2]);
    expect(waitAll([])).toEqual([]);
    expect(waitAll([world.isend(first, PROC_NULL)])).toEqual([undefined]);
  });

  test('throws the first failure in order after all have ended', () => {
    const requests = [
      world.irecv(new Uint8Array(4), 0, 1),
      world.irecv(new Uint8Array(1), 0, 2),
      world.irecv(new Float64Array(1), 0, 3),
    ];
    world.send(new Float32Array(1), 0, 3);
    world.send(new Uint8Array(2), 0, 2);
    world.send(new Uint8Array(4), 0, 1);
    expect(errorOf(() => waitAll(requests)).code).toBe('ERR_TRUNCATE');
    expect(requests[0]?.value.bytes).toBe(4);
    expect(errorOf(() => requests[2]?.value).code).toBe('ERR_TYPE');
  });

  test('takes a time limit', () => {
    const requests = [world.irecv(new Uint8Array(1), 0, 1), world.irecv(new Uint8Array(1), 0, 2)];
    world.send(new Uint8Array(1), 0, 1);
    world.send(new Uint8Array(1), 0, 2);
    expect(waitAll(requests, { timeout: 1000 }).map(({ tag }) => tag)).toEqual([1, 2]);
  });
});

test('a status counts elements', () => {
  const status = new Status(0, 0, 24, 10);
  expect(status.count(Float64Array)).toBe(3);
  expect(status.count(DOUBLE)).toBe(3);
  expect(status.count('INT32_T')).toBe(6);
  expect(status.count(Buffer)).toBe(24);
  expect(new Status(0, 0, 12, 0).count(INT64_T)).toBeUndefined();
  expect(new Status(0, 0, 0, 0).count(BYTE)).toBe(0);
});
