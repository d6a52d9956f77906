// Synchronous, exchanged and persistent messages, waits for some of many, time limits and signals, in a world of one:
// this very process. What two ranks do with them is in requests-ranks.test.ts.
import { getEventListeners } from 'node:events';
import {
  alloc,
  MpiError,
  PersistentRequest,
  PROC_NULL,
  type Request,
  startAll,
  testAll,
  testAny,
  testSome,
  waitAll,
  waitAny,
  waitSome,
  world,
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

function expectError(code: string, says: RegExp, action: () => unknown): MpiError {
  const error = errorOf(action);
  expect(error.code, error.message).toBe(code);
  expect(error.message).toMatch(says);
  return error;
}

async function reasonOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it was fulfilled');
}

async function expectRejection(code: string, says: RegExp, promise: PromiseLike<unknown>) {
  const reason = (await reasonOf(promise)) as MpiError;
  expect(reason).toBeInstanceOf(MpiError);
  expect(reason.code, reason.message).toBe(code);
  expect(reason.message).toMatch(says);
}

/** After an error the communicator must be as it was: nothing pending, nothing left over. */
function expectUsable(): void {
  expect(world.iprobe()).toBeUndefined();
  world.send(Int32Array.of(42), 0, 3);
  const buffer = new Int32Array(1);
  expect(world.recv(buffer, 0, 3).bytes).toBe(4);
  expect(buffer[0]).toBe(42);
}

function resizable(bytes: number): Uint8Array {
  const options = { maxByteLength: 16 };
  return new Uint8Array(Reflect.construct(ArrayBuffer, [bytes, options]) as ArrayBuffer);
}

function transferAway(view: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

function bytes(...values: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(values);
}

/** Calls of methods with arguments that the types refuse. */
const loose = world as unknown as Record<string, (...args: unknown[]) => unknown>;

describe('a synchronous send', () => {
  test.each([0, 1, LARGE])('of %i bytes to itself waits for its receive', (length) => {
    const request = world.issend(new Uint8Array(length).fill(7), 0, 1);
    expect(request.test()).toBe(false);
    expect(world.iprobe(0, 1)?.bytes).toBe(length);
    expectError('ERR_DEADLOCK', /issend|isend/, () => request.wait());
    const into = new Uint8Array(length);
    expect(world.recv(into, 0, 1).bytes).toBe(length);
    expect(into.every((byte) => byte === 7)).toBe(true);
    expect(request.test()).toBe(true);
    expectUsable();
  });

  test('that blocks needs a receive that was posted', () => {
    const into = new Uint8Array(1);
    const receiving = world.irecv(into, 0, 1);
    world.ssend(bytes(4), 0, 1);
    expect(receiving.test()).toBe(true);
    expect(into[0]).toBe(4);
    expectError('ERR_DEADLOCK', /can never complete/, () => world.ssend(bytes(4), 0, 1));
    expectError('ERR_DEADLOCK', /can never/, () => world.ssend(bytes(4), 0, { timeout: 50 }));
    expectUsable();
  });

  test('to nobody is complete', () => {
    world.ssend(bytes(1), PROC_NULL);
    expect(world.issend(bytes(1), PROC_NULL, 3).test()).toBe(true);
  });

  test('can be taken back', () => {
    const request = world.issend(bytes(1), 0, 1);
    expect(request.cancel()).toBe(true);
    expect(errorOf(() => request.wait()).code).toBe('ERR_CANCELLED');
    expectUsable();
  });
});

describe('an exchange', () => {
  test('with itself', async () => {
    const into = new Uint8Array(3);
    const status = await world.isendrecv(bytes(1, 2, 3), 0, 5, into, 0, 5);
    expect(status).toMatchObject({ source: 0, tag: 5, bytes: 3 });
    expect([...into]).toEqual([1, 2, 3]);
    expectUsable();
  });

  test.each([1, LARGE])('of %i bytes in place with itself', async (length) => {
    const buffer = new Uint8Array(length).fill(6);
    expect(world.sendrecvReplace(buffer, 0, 1, 0, 1).bytes).toBe(length);
    expect((await world.isendrecvReplace(buffer, 0, 1, 0, 1)).bytes).toBe(length);
    expect(buffer.every((byte) => byte === 6)).toBe(true);
    expectUsable();
  });

  test('in place of every kind of buffer', () => {
    const memory = new SharedArrayBuffer(8);
    const all = [
      new Float64Array(2).fill(1.5),
      Buffer.from('abcdef'),
      new DataView(new ArrayBuffer(8), 2, 4),
      new ArrayBuffer(5),
      memory,
      new Int16Array(memory),
      { data: new Float32Array(4), count: 2 },
      alloc(Float64Array, 3),
    ];
    for (const buffer of all) {
      const { bytes } = world.sendrecvReplace(buffer, 0, 1, 0, 1);
      expect(bytes).toBe('data' in buffer ? 8 : buffer.byteLength);
    }
    expectUsable();
  });

  test('half of which is with nobody', async () => {
    const buffer = bytes(1);
    const nobody = { source: PROC_NULL, bytes: 0 };
    expect(world.sendrecvReplace(buffer, PROC_NULL, 0, PROC_NULL)).toMatchObject(nobody);
    expect(await world.isendrecvReplace(buffer, PROC_NULL, 0, PROC_NULL)).toMatchObject(nobody);
    expect(await world.isendrecv(buffer, PROC_NULL, 0, buffer, PROC_NULL)).toMatchObject(nobody);
    expect(world.sendrecvReplace(buffer, 0, 1, PROC_NULL)).toMatchObject(nobody);
    buffer[0] = 2;
    expect(world.sendrecvReplace(buffer, PROC_NULL, 1, 0, 1)).toMatchObject({ bytes: 1 });
    expect(buffer[0]).toBe(1);
    expect(await world.isendrecv(buffer, 0, 1, new Uint8Array(1), PROC_NULL)).toMatchObject(nobody);
    expect(await world.isendrecvReplace(buffer, PROC_NULL, 1, 0, 1)).toMatchObject({ bytes: 1 });
    expectUsable();
  });

  test('that fails to be received ends when both halves have', async () => {
    const request = world.isendrecv(new Uint8Array(LARGE), 0, 1, bytes(1), 0, 1);
    await expectRejection('ERR_TRUNCATE', /bytes/, request);
    expectUsable();
  });

  test('is taken back as a whole', async () => {
    const into = bytes(9);
    const request = world.isendrecv(new Uint8Array(LARGE), 0, 1, into, 0, 2);
    expect(request.test()).toBe(false);
    expectError('ERR_DEADLOCK', /can never/, () => request.wait());
    expectError('ERR_DEADLOCK', /can never/, () => waitAll([request]));
    expectError('ERR_DEADLOCK', /can never/, () => waitAny([request]));
    expect(request.cancel()).toBe(true);
    expect(errorOf(() => request.wait()).code).toBe('ERR_CANCELLED');
    expect(request.cancel()).toBe(true);
    const limited = world.isendrecv(new Uint8Array(LARGE), 0, 1, into, 0, 2, { timeout: 5 });
    await expectRejection('ERR_TIMEOUT', /isendrecv to rank 0, tag 1: .* 5 ms/, limited);
    expect(into[0]).toBe(9);
    expectUsable();
  });

  test('does nothing when one of its buffers is unusable', () => {
    world.send(bytes(1), 0, 1);
    const gone = transferAway(bytes(1, 2));
    const good = bytes(3);
    expectError('ERR_DETACHED', /send buffer/, () => world.isendrecv(gone, 0, 2, good, 0, 1));
    expectError('ERR_DETACHED', /receive/, () => world.isendrecv(good, 0, 2, gone, 0, 1));
    expectError('ERR_DETACHED', /send buffer/, () => world.sendrecv(gone, 0, 2, good, 0, 1));
    expectError('ERR_DETACHED', /buffer/, () => world.sendrecvReplace(gone, 0, 2, 0, 1));
    expectError('ERR_DETACHED', /buffer/, () => world.isendrecvReplace(gone, 0, 2, 0, 1));
    expectError('ERR_RESIZABLE', /resized/, () => world.isendrecv(resizable(8), 0, 2, good, 0, 1));
    expectError('ERR_RESIZABLE', /resized/, () => world.isendrecvReplace(resizable(8), 0, 2, 0, 1));
    // The message that was there is there still, and nothing else.
    expect(world.recv(new Uint8Array(1), 0, 1).bytes).toBe(1);
    expectUsable();
  });
});

type Numbered = Request<{ tag: number }>;

describe('waiting for some', () => {
  function three(): Numbered[] {
    return [1, 2, 3].map((tag) => world.irecv(new Uint8Array(1), 0, tag));
  }
  function finish(requests: readonly Numbered[]): void {
    for (const request of requests) request.cancel();
    expectUsable();
  }

  test('of an empty list finds nothing at once', () => {
    expect(waitAny([])).toBeUndefined();
    expect(testAny([])).toBeUndefined();
    expect(waitSome([])).toEqual([]);
    expect(testSome([])).toEqual([]);
    expect(testAll([])).toBe(true);
  });

  test('finds those that have completed', () => {
    const requests = three();
    expect(testAny(requests)).toBeUndefined();
    expect(testSome(requests)).toEqual([]);
    expect(testAll(requests)).toBe(false);
    world.send(bytes(0), 0, 2);
    expect(waitAny(requests)).toMatchObject({ index: 1, value: { tag: 2 } });
    expect(testAny(requests)).toMatchObject({ index: 1, value: { tag: 2 } });
    world.send(bytes(0), 0, 1);
    expect(waitSome(requests).map(({ index, value }) => [index, value.tag])).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(testAll(requests)).toBe(false);
    world.send(bytes(0), 0, 3);
    expect(testAll(requests)).toBe(true);
    expect(testSome(requests).map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(requests.map(({ value }) => value.tag)).toEqual([1, 2, 3]);
    expectUsable();
  });

  test('starves nobody: each place has its turn', () => {
    const complete = Array.from({ length: 10 }, () => world.isend(bytes(), PROC_NULL));
    const two = complete.slice(0, 2);
    const seen = new Set<number>();
    const seenOfTwo = new Set<number>();
    for (let i = 0; i < 40; i++) {
      seen.add(waitAny(complete)?.index as number);
      seenOfTwo.add(testAny(two)?.index as number);
    }
    expect(seen.size).toBe(10);
    expect(seenOfTwo.size).toBe(2);
  });

  test('moves on what goes on, though something is there all the time', () => {
    const complete = world.isend(bytes(), PROC_NULL);
    const receiving = world.irecv(new Uint8Array(1), 0, 1);
    const requests = [complete, receiving];
    world.send(bytes(1), 0, 1);
    const seen = new Set<number>();
    for (let i = 0; i < 20; i++) seen.add(waitAny(requests)?.index as number);
    expect(seen.size).toBe(2);
  });

  test('throws ERR_DEADLOCK when none can complete, and only then', () => {
    const requests = three();
    expectError('ERR_DEADLOCK', /can never/, () => waitAny(requests));
    expectError('ERR_DEADLOCK', /can never/, () => waitSome(requests));
    expectError('ERR_DEADLOCK', /can never/, () => waitAny(requests, { timeout: 50 }));
    expect(testAny(requests)).toBeUndefined();
    world.send(bytes(0), 0, 3);
    expect(waitAny(requests)?.index).toBe(2);
    finish(requests);
  });

  test('throws what one has failed with, and where it stands; the others are found later', () => {
    const requests = three();
    world.send(bytes(1, 2), 0, 2);
    const error = expectError('ERR_TRUNCATE', /waitAny: request 1 of 3 failed: irecv/, () =>
      waitAny(requests),
    );
    expect(error).toMatchObject({ index: 1, peer: 0 });
    expect(error.cause).toBe(errorOf(() => requests[1]?.wait()));
    expect(expectError('ERR_TRUNCATE', /testAny/, () => testAny(requests)).index).toBe(1);
    world.send(bytes(1), 0, 1);
    expect(expectError('ERR_TRUNCATE', /waitSome/, () => waitSome(requests)).index).toBe(1);
    expect(expectError('ERR_TRUNCATE', /testSome/, () => testSome(requests)).index).toBe(1);
    expect(testAll(requests)).toBe(false);
    requests.splice(1, 1);
    expect(waitSome(requests).map(({ index }) => index)).toEqual([0]);
    finish(requests);
  });

  test('testAll throws the first failure once all have ended', () => {
    const requests = three();
    world.send(bytes(1, 2), 0, 2);
    expect(testAll(requests)).toBe(false);
    world.send(bytes(1), 0, 1);
    world.send(bytes(1, 2), 0, 3);
    const error = expectError('ERR_TRUNCATE', /tag 2/, () => testAll(requests));
    expect(error).toBe(errorOf(() => requests[1]?.wait()));
    expectUsable();
  });

  test('takes the same request twice, and one that is awaited elsewhere', async () => {
    const [first, second, third] = three() as [Numbered, Numbered, Numbered];
    const awaited = first.then(({ tag }) => tag);
    world.send(bytes(1), 0, 1);
    expect(waitSome([first, second, first]).map(({ index }) => index)).toEqual([0, 2]);
    expect(await awaited).toBe(1);
    expect(waitAny([first])?.value.tag).toBe(1);
    second.cancel();
    expect(errorOf(() => waitAny([second])).code).toBe('ERR_CANCELLED');
    finish([third]);
  });

  test.each<[string, (list: never) => unknown]>([
    ['waitAny', waitAny],
    ['waitSome', waitSome],
    ['testAny', testAny],
    ['testSome', testSome],
    ['testAll', testAll],
    ['waitAll', waitAll],
  ])('%s refuses what is no list of requests, having done nothing', (call, wait) => {
    const request = world.irecv(new Uint8Array(1), 0, 1);
    const foreign = Promise.resolve(1);
    const persistent = world.recvInit(new Uint8Array(1), 0, 1);
    for (const [list, says] of [
      [[request, null], /element 1 is null/],
      [[request, undefined], /element 1 is undefined/],
      [[request, {}], /element 1 is an object of class Object/],
      [[foreign], /element 0 is an object of class Promise/],
      [[Object.create(Object.getPrototypeOf(request))], /element 0/],
      [[persistent], /element 0 is an object of class PersistentRequest/],
      [new Array(1), /element 0 is undefined/],
    ] as const) {
      const error = expectError('ERR_REQUEST', says, () => wait(list as never));
      expect(error.message).toMatch(call);
    }
    for (const list of [undefined, null, request, 'ab', new Set([request]), { length: 0 }]) {
      expectError('ERR_ARG', /takes an array of requests/, () => wait(list as never));
    }
    persistent.free();
    request.cancel();
    expectUsable();
  });

  test.each<[string, (list: never, options: never) => unknown]>([
    ['waitAny', waitAny],
    ['waitSome', waitSome],
    ['waitAll', waitAll],
  ])('%s checks its options', (_call, wait) => {
    const list = [world.isend(bytes(1), PROC_NULL)] as never;
    expectError('ERR_ARG', /options must be an object/, () => wait(list, 5 as never));
    expectError('ERR_ARG', /timeout/, () => wait(list, { timeout: -1 } as never));
    expectError('ERR_ARG', /timeout/, () => wait(list, { timeout: Number.NaN } as never));
    expect(wait(list, { timeout: Number.POSITIVE_INFINITY } as never)).toBeDefined();
  });
});

describe('a time limit or a signal', () => {
  test('ends what nobody has matched, and takes it back', async () => {
    const into = bytes(9);
    const late = world.irecv(into, 0, 1, { timeout: 5 });
    await expectRejection('ERR_TIMEOUT', /irecv from rank 0, tag 1: not .* 5 ms/, late);
    const late2 = world.isend(new Uint8Array(LARGE), 0, { timeout: 5 });
    await expectRejection('ERR_TIMEOUT', /isend to rank 0, tag 0/, late2);
    const late3 = world.issend(bytes(1), 0, 2, { timeout: 0 });
    await expectRejection('ERR_TIMEOUT', /issend to rank 0, tag 2/, late3);
    expect(errorOf(() => late.wait())).toBe(await reasonOf(late));
    expect(errorOf(() => late.value).code).toBe('ERR_TIMEOUT');
    expect(into[0]).toBe(9);
    expectUsable();
  });

  test('gives the reason of the signal, whatever that is', async () => {
    for (const reason of [new RangeError('enough'), 'enough', 0, null]) {
      const controller = new AbortController();
      const request = world.irecv(new Uint8Array(1), { signal: controller.signal });
      const waiting = reasonOf(request);
      controller.abort(reason);
      expect(await waiting).toBe(reason);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    }
    const plain = new AbortController();
    const request = world.isendrecvReplace(bytes(1), 0, 1, 0, 2, { signal: plain.signal });
    plain.abort();
    expect(await reasonOf(request)).toMatchObject({ name: 'AbortError' });
    world.recv(new Uint8Array(1), 0, 1);
    expectUsable();
  });

  test('is not too late for what is not awaited', async () => {
    const controller = new AbortController();
    const request = world.irecv(new Uint8Array(1), 0, 1, { signal: controller.signal });
    controller.abort(new RangeError('enough'));
    // It is taken back at once: this message is not for it.
    world.send(bytes(1), 0, 1);
    world.recv(new Uint8Array(1), 0, 1);
    expect(() => request.wait()).toThrow(RangeError);
    expect(() => waitAny([request])).toThrow(RangeError);
    expect(() => waitAll([request])).toThrow(RangeError);
    expect(await reasonOf(request)).toBeInstanceOf(RangeError);
  });

  test('that was aborted before starts nothing', async () => {
    const signal = AbortSignal.abort(new RangeError('before'));
    const limits = { signal, timeout: 5 };
    world.send(bytes(1), 0, 1);
    for (const request of [
      world.irecv(new Uint8Array(1), 0, 1, limits),
      world.isend(bytes(1), 0, 2, limits),
      world.issend(bytes(1), 0, 2, limits),
      world.isend(bytes(1), PROC_NULL, limits),
      world.isendrecv(bytes(1), 0, 2, new Uint8Array(1), 0, 1, limits),
      world.isendrecvReplace(bytes(1), 0, 2, 0, 1, limits),
    ]) {
      expect(await reasonOf(request)).toBe(signal.reason);
      expect(request.cancel()).toBe(false);
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(world.recv(new Uint8Array(1)).tag).toBe(1);
    expectUsable();
  });

  test('comes too late for what has completed', async () => {
    const controller = new AbortController();
    const limits = { signal: controller.signal, timeout: 30_000 };
    const request = world.irecv(new Uint8Array(1), 0, 1, limits);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    world.send(bytes(1), 0, 1);
    controller.abort();
    expect((await request).bytes).toBe(1);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(request.wait().bytes).toBe(1);
    const atOnce = world.isend(bytes(1), 0, 1, { signal: new AbortController().signal });
    expect(atOnce.test()).toBe(true);
    world.recv(new Uint8Array(1), 0, 1);
    expectUsable();
  });

  test('leaves no listener behind, however the request ends', () => {
    const { signal } = new AbortController();
    const count = (): number => getEventListeners(signal, 'abort').length;
    const byWait = world.irecv(new Uint8Array(1), 0, 1, { signal });
    const byTest = world.irecv(new Uint8Array(1), 0, 2, { signal });
    const byCancel = world.irecv(new Uint8Array(1), 0, 3, { signal });
    const byAny = world.irecv(new Uint8Array(1), 0, 4, { signal });
    const byFailure = world.irecv(new Uint8Array(1), 0, 5, { signal });
    expect(count()).toBe(5);
    for (const tag of [1, 2, 4]) world.send(bytes(1), 0, tag);
    world.send(bytes(1, 2), 0, 5);
    byWait.wait();
    expect(count()).toBe(4);
    expect(byTest.test()).toBe(true);
    byCancel.cancel();
    expect(count()).toBe(2);
    waitAny([byAny]);
    expect(errorOf(() => byFailure.wait()).code).toBe('ERR_TRUNCATE');
    expect(count()).toBe(0);
    expectUsable();
  });

  test('of a wait leaves the request active', () => {
    const request = world.irecv(new Uint8Array(1), 0, 1, { timeout: 60_000 });
    expect(errorOf(() => request.wait({ timeout: 1 })).code).toBe('ERR_DEADLOCK');
    world.send(bytes(1), 0, 1);
    expect(request.wait().bytes).toBe(1);
  });

  test.each<[string, () => unknown]>([
    ['isend', () => loose.isend?.(bytes(1), 0, 0, { timeOut: 3 })],
    ['issend', () => loose.issend?.(bytes(1), 0, { retry: 3 })],
    ['irecv', () => loose.irecv?.(bytes(1), { retry: 3 })],
    ['irecv', () => loose.irecv?.(bytes(1), 0, 0, 7)],
    ['irecv', () => world.irecv(bytes(1), { timeout: -1 })],
    ['isend', () => loose.isend?.(bytes(1), 0, 0, { signal: 'stop' })],
    ['isendrecv', () => loose.isendrecv?.(bytes(1), 0, 0, bytes(1), 0, 0, { signal: {} })],
    ['isendrecvReplace', () => loose.isendrecvReplace?.(bytes(1), 0, 0, 0, 0, null)],
    ['ssend', () => loose.ssend?.(bytes(1), 0, 0, { signal: AbortSignal.timeout(1) })],
    [
      'sendrecvReplace',
      () => loose.sendrecvReplace?.(bytes(1), 0, 0, 0, 0, { signal: AbortSignal.timeout(1) }),
    ],
  ])('is checked by %s', (call, action) => {
    expectError('ERR_ARG', new RegExp(call), action);
    expectUsable();
  });
});

describe('a persistent request', () => {
  test('sends what is in its buffer at each start', () => {
    const outgoing = new Float64Array(2);
    const sending = world.sendInit(outgoing, 0, 4);
    const incoming = new Float64Array(2);
    const receiving = world.recvInit(incoming, 0, 4);
    expect(sending).toBeInstanceOf(PersistentRequest);
    expect(String(sending)).toBe('[object PersistentRequest]');
    for (let round = 1; round <= 3; round++) {
      outgoing.fill(round);
      sending.start().wait();
      const request = receiving.start();
      expect(request.wait()).toMatchObject({ source: 0, tag: 4, bytes: 16 });
      expect([...incoming]).toEqual([round, round]);
    }
    sending.free();
    receiving.free();
    expectUsable();
  });

  test('is no promise', () => {
    const request = world.sendInit(bytes(1), 0);
    expect('then' in request).toBe(false);
    request.free();
  });

  test('is active from its start to the end of its round', async () => {
    const receiving = world.recvInit(new Uint8Array(1), 0, 1);
    expect(receiving.active).toBe(false);
    const round = receiving.start();
    expect(receiving.active).toBe(true);
    expectError('ERR_REQUEST', /start: .*recvInit from rank 0, tag 1.* active/, () =>
      receiving.start(),
    );
    world.send(bytes(1), 0, 1);
    await round;
    expect(receiving.active).toBe(false);
    const second = receiving.start();
    expect(second).not.toBe(round);
    expect(second.cancel()).toBe(true);
    expect(receiving.active).toBe(false);
    world.send(bytes(1), 0, 1);
    expect(receiving.start().wait().bytes).toBe(1);
    expect(round.value.bytes).toBe(1);
    receiving.free();
    expectUsable();
  });

  test('that is freed while active is freed at the end of its round', () => {
    const into = new Uint8Array(1);
    const receiving = world.recvInit(into, 0, 1);
    const round = receiving.start();
    receiving.free();
    receiving.free();
    expectError('ERR_REQUEST', /was freed/, () => receiving.start());
    world.send(bytes(8), 0, 1);
    expect(round.wait().bytes).toBe(1);
    expect(into[0]).toBe(8);
    expectError('ERR_REQUEST', /was freed/, () => startAll([receiving]));
    // Others may have its place by now.
    const next = Array.from({ length: 5 }, (_, tag) => world.irecv(new Uint8Array(1), 0, tag));
    for (let tag = 0; tag < 5; tag++) world.send(bytes(tag), 0, tag);
    expect(waitAll(next).map(({ tag }) => tag)).toEqual([0, 1, 2, 3, 4]);
    expectUsable();
  });

  test('synchronous waits for its receive', () => {
    const sending = world.ssendInit(bytes(3), 0, 1);
    for (let i = 0; i < 2; i++) {
      const round = sending.start();
      expect(round.test()).toBe(false);
      world.recv(new Uint8Array(1), 0, 1);
      expect(round.test()).toBe(true);
    }
    sending.free();
    expectUsable();
  });

  test.each([0, 1, 64, LARGE])('of %i bytes', (length) => {
    const outgoing = new Uint8Array(length);
    const incoming = new Uint8Array(length);
    const pair = [world.recvInit(incoming, 0, 1), world.sendInit(outgoing, 0, 1)] as const;
    for (let round = 1; round <= 3; round++) {
      outgoing.fill(round);
      const [status] = waitAll(startAll(pair));
      expect(status.bytes).toBe(length);
      expect(incoming.every((byte) => byte === round)).toBe(true);
    }
    for (const request of pair) request.free();
    expectUsable();
  });

  test('with nobody is complete at once', () => {
    const sending = world.sendInit(bytes(1), PROC_NULL);
    const receiving = world.recvInit(bytes(1), PROC_NULL);
    const [sent, received] = startAll([sending, receiving]);
    expect(sent.value).toBeUndefined();
    expect(received.value).toMatchObject({ source: PROC_NULL, bytes: 0 });
    sending.free();
    expectError('ERR_REQUEST', /freed/, () => sending.start());
  });

  test('fails as any request does', () => {
    const receiving = world.recvInit(bytes(1), 0, 1);
    world.send(bytes(1, 2), 0, 1);
    expect(errorOf(() => receiving.start().wait()).code).toBe('ERR_TRUNCATE');
    world.send(bytes(1), 0, 1);
    expect(receiving.start().wait().bytes).toBe(1);
    receiving.free();
    expectUsable();
  });

  test('does not start without its buffer', () => {
    for (const length of [1, 100, LARGE]) {
      const gone = new Uint8Array(length);
      const others = [world.sendInit(bytes(1), 0, 1), world.recvInit(new Uint8Array(1), 0, 2)];
      const request = world.sendInit(gone, 0, 1);
      transferAway(gone);
      expectError('ERR_DETACHED', /isend\(rank 0, tag 1\)/, () => request.start());
      const error = expectError('ERR_DETACHED', /detached/, () => startAll([...others, request]));
      expect(error.index).toBe(2);
      expect(others.map(({ active }) => active)).toEqual([false, false]);
      for (const each of [...others, request]) each.free();
    }
    const disposed = alloc(Float64Array, 8);
    const request = world.recvInit(disposed, 0, 1);
    disposed[Symbol.dispose]();
    expectError('ERR_FREED', /was freed/, () => request.start());
    request.free();
    expectUsable();
  });

  test('loses its buffer during a round as any request does', () => {
    const into = new Uint8Array(8);
    const receiving = world.recvInit(into, 0, 1);
    const round = receiving.start();
    transferAway(into);
    world.send(bytes(1), 0, 1);
    expect(errorOf(() => round.wait()).code).toBe('ERR_DETACHED');
    receiving.free();
    expectUsable();
  });

  test('startAll starts none if one cannot be', () => {
    const sending = world.sendInit(bytes(1), 0, 1);
    const receiving = world.recvInit(new Uint8Array(1), 0, 2);
    const freed = world.sendInit(bytes(1), 0, 1);
    freed.free();
    const round = receiving.start();
    for (const [list, says, index] of [
      [[sending, freed], /element 1 .*freed/, 1],
      [[sending, receiving], /element 1 .*active/, 1],
      [[sending, sending], /element 1 stands in the list twice/, 1],
      [[sending, null], /element 1 is null/, 1],
      [[sending, round], /element 1 is an object of class Request/, 1],
      [new Array(1), /element 0 is undefined/, 0],
    ] as const) {
      expect(expectError('ERR_REQUEST', says, () => startAll(list as never)).index).toBe(index);
    }
    expectError('ERR_ARG', /takes an array/, () => startAll(sending as never));
    expect(startAll([])).toEqual([]);
    round.cancel();
    for (const each of [sending, receiving]) each.free();
    expectUsable();
  });

  test('checks its arguments when it is made', () => {
    const ok = bytes(1);
    expectError('ERR_RANK', /sendInit: destination 1/, () => world.sendInit(ok, 1));
    expectError('ERR_RANK', /ssendInit.*wildcard/, () => world.ssendInit(ok, -1));
    expectError('ERR_RANK', /recvInit: source 7/, () => world.recvInit(ok, 7));
    expectError('ERR_TAG', /sendInit: tag -1/, () => world.sendInit(ok, 0, -1));
    expectError('ERR_TAG', /recvInit.*1\.5/, () => world.recvInit(ok, 0, 1.5));
    expectError('ERR_BUFFER', /recvInit.*class Array/, () => world.recvInit([] as never));
    expectError('ERR_COUNT', /-1/, () => world.sendInit({ data: ok, count: -1 }, 0));
    expectError('ERR_RESIZABLE', /sendInit.*resized/, () => world.sendInit(resizable(8), 0));
    expectError('ERR_DETACHED', /recvInit/, () => world.recvInit(transferAway(bytes(1)), 0));
    expectUsable();
  });

  test('a thousand that nobody has any more are no trouble', () => {
    for (let i = 0; i < 1000; i++) world.sendInit(new Uint8Array(10), 0, 1);
    expectUsable();
  });
});

test('new forms check rank, tag and buffer as the old ones do', () => {
  const ok = bytes(1);
  expectError('ERR_RANK', /ssend: destination 1/, () => world.ssend(ok, 1));
  expectError('ERR_RANK', /issend/, () => world.issend(ok, 0.5));
  expectError('ERR_TAG', /issend/, () => world.issend(ok, 0, -1));
  expectError('ERR_TAG', /ssend/, () => world.ssend(ok, 0, 2 ** 31));
  expectError('ERR_BUFFER', /ssend/, () => world.ssend('text' as never, 0));
  expectError('ERR_RANK', /isendrecv: source 3/, () => world.isendrecv(ok, 0, 0, ok, 3));
  expectError('ERR_RANK', /sendrecvReplace: destination/, () => world.sendrecvReplace(ok, 9, 0));
  expectError('ERR_TAG', /isendrecvReplace/, () => world.isendrecvReplace(ok, 0, -3));
  expectError('ERR_TAG', /sendrecvReplace/, () => world.sendrecvReplace(ok, 0, 0, 0, 0.5));
  expectError('ERR_BUFFER', /isendrecv: the receive buffer/, () =>
    world.isendrecv(ok, 0, 0, null as never),
  );
  expectError('ERR_DETACHED', /issend|isend/, () => world.issend(transferAway(bytes(1)), 0));
  expectError('ERR_RESIZABLE', /resized/, () => world.issend(resizable(8), 0));
  expectUsable();
});
