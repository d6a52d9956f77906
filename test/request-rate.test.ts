// Requests that are complete when their call returns, and many small ones at once. This very process is a world of one:
// a send to itself is complete at once, and so is a receive of what has come.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type MpiError, Request, Status, waitAll, world } from 'onecopy';
import { describe, expect, test } from 'vitest';
import { type Binding, Call, GOES_ON, Outcome, Report } from '../native/src/binding.ts';
import { loadBinding } from '../native/src/load.ts';
import { jsonLines, launch } from './support/launch.ts';

const LARGE = 1 << 20;

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as MpiError).code;
  }
  return 'nothing was thrown';
}

function transferAway(view: Uint8Array<ArrayBuffer>): void {
  structuredClone(view.buffer, { transfer: [view.buffer] });
}

const DOUBLE = 10;

const kinds: readonly [string, () => Request<unknown>, unknown][] = [
  ['send', () => world.isend(Float64Array.of(1), 0, 1), undefined],
  [
    'receive',
    () => {
      world.send(Float64Array.of(1), 0, 1);
      return world.irecv(new Float64Array(1), 0, 1);
    },
    new Status(0, 1, 8, DOUBLE),
  ],
];

describe.each(kinds)('a %s that is complete at once', (kind, start, result) => {
  /** Leaves nothing behind. */
  function drain(): void {
    if (kind === 'send') world.recv(new Float64Array(1), 0, 1);
    expect(world.iprobe()).toBeUndefined();
  }

  test('answers like any other', async () => {
    const request = start();
    expect(request).toBeInstanceOf(Request);
    expect(request.value).toEqual(result);
    expect(request.test()).toBe(true);
    expect(request.wait()).toEqual(result);
    expect(request.wait({ timeout: 0 })).toBe(request.value);
    expect(codeOf(() => request.wait({ timeout: -1 }))).toBe('ERR_ARG');
    expect(request.cancel()).toBe(false);
    expect(await request).toBe(request.value);
    expect(await request.then((value) => [value])).toEqual([result]);
    expect(await request.catch(() => 'never')).toBe(request.value);
    let finished = 0;
    await request.finally(() => finished++);
    expect(finished).toBe(1);
    expect(waitAll([request, request])).toEqual([result, result]);
    expect(waitAll([request], { timeout: 0 })).toEqual([result]);
    expect(await Promise.all([request, request])).toEqual([result, result]);
    expect(request.cancel()).toBe(false);
    drain();
  });

  test('is an object of its own', () => {
    const first = start();
    drain();
    const second = start();
    drain();
    expect(first === second).toBe(false);
  });

  test('goes into waitAll beside those that are not', () => {
    const into = new Uint8Array(2);
    const pending = world.irecv(into, 0, 2);
    const request = start();
    drain();
    world.send(Uint8Array.of(3, 4), 0, 2);
    const results = waitAll([request, pending, request]);
    expect(results).toEqual([result, new Status(0, 2, 2, 0), result]);
    expect([...into]).toEqual([3, 4]);
  });

  test('does not lift ERR_DEADLOCK from the others, which stay active', () => {
    const into = new Uint8Array(1);
    const pending = world.irecv(into, 0, 2);
    const request = start();
    drain();
    expect(codeOf(() => waitAll([request, pending]))).toBe('ERR_DEADLOCK');
    expect(codeOf(() => pending.value)).toBe('ERR_REQUEST');
    world.send(Uint8Array.of(5), 0, 2);
    waitAll([pending, request]);
    expect(into[0]).toBe(5);
  });
});

describe('waitAll', () => {
  test('takes an array', () => {
    expect(codeOf(() => waitAll(world.isend(new Uint8Array(1), 0, 1) as never))).toBe('ERR_ARG');
    world.recv(new Uint8Array(1), 0, 1);
    expect(codeOf(() => waitAll(new Array(1)))).toBe('ERR_REQUEST');
  });

  test('ends one that is named twice', () => {
    const into = new Uint8Array(1);
    const first = world.irecv(into, 0, 1);
    const second = world.irecv(into, 0, 2);
    world.send(Uint8Array.of(1), 0, 1);
    world.send(Uint8Array.of(2), 0, 2);
    const tags = waitAll([first, second, first, first]).map(({ tag }) => tag);
    expect(tags).toEqual([1, 2, 1, 1]);
    const failing = world.irecv(into, 0, 3);
    world.send(new Uint8Array(2), 0, 3);
    expect(codeOf(() => waitAll([failing, first, failing]))).toBe('ERR_TRUNCATE');
    expect(world.iprobe()).toBeUndefined();
  });

  test('tells those who await what it ends', async () => {
    const request = world.irecv(new Uint8Array(1), 0, 1);
    const awaited = request.then(({ tag }) => tag);
    world.send(new Uint8Array(1), 0, 1);
    expect(waitAll([request])[0].tag).toBe(1);
    expect(await awaited).toBe(1);
  });

  test.each([8, LARGE])(
    'fails those whose buffers of %i bytes are gone, and no others',
    (bytes) => {
      const buffers = Array.from({ length: 20 }, () => new Uint8Array(bytes));
      const requests = buffers.map((buffer, i) => world.irecv(buffer, 0, i));
      const gone = buffers[7] as Uint8Array<ArrayBuffer>;
      const elsewhere = new Uint8Array(structuredClone(gone.buffer, { transfer: [gone.buffer] }));
      const sends = buffers.map((_, i) => world.isend(new Uint8Array(bytes).fill(i + 1), 0, i));
      expect(codeOf(() => waitAll(requests))).toBe('ERR_DETACHED');
      waitAll(sends);
      for (const [i, request] of requests.entries()) {
        if (i === 7) expect(codeOf(() => request.value)).toBe('ERR_DETACHED');
        else expect(request.value.tag).toBe(i);
      }
      for (const [i, buffer] of buffers.entries()) {
        if (i !== 7) expect(buffer.every((byte) => byte === i + 1)).toBe(true);
      }
      expect(elsewhere.every((byte) => byte === 0)).toBe(true);
    },
  );

  test('is not fooled by a view that says it has a length', () => {
    const into = new Uint8Array(8);
    Object.defineProperty(into, 'byteLength', { value: 8 });
    const request = world.irecv(into, 0, 1);
    transferAway(into);
    const send = world.isend(new Uint8Array(8), 0, 1);
    expect(codeOf(() => waitAll([request, send]))).toBe('ERR_DETACHED');
  });

  test.each<[string, (bytes: number) => ArrayBuffer | DataView | SharedArrayBuffer | Uint8Array]>([
    ['ArrayBuffer', (bytes) => new ArrayBuffer(bytes)],
    ['DataView', (bytes) => new DataView(new ArrayBuffer(bytes))],
    ['SharedArrayBuffer', (bytes) => new SharedArrayBuffer(bytes)],
    ['empty array', () => new Uint8Array(0)],
  ])('receives into %s', (_kind, make) => {
    const into = make(4);
    const request = world.irecv(into, 0, 1);
    world.send(make(4), 0, 1);
    const [status] = waitAll([request]);
    expect(status.bytes).toBe(into.byteLength);
  });
});

describe('the handles of the addon', () => {
  const { binding, open } = underTest();

  test('are used up by waitAll where it succeeds, and never name another operation', () => {
    const stale: number[] = [];
    const outcomes = new Float64Array(2 * Outcome.places);
    for (let round = 0; round < 100; round++) {
      const into = new Uint8Array(1);
      const handle = open(into, round);
      const short = open(new Uint8Array(1), 1000);
      for (const old of stale) expect(binding.test(old)).toBe(refused('ERR_REQUEST'));
      world.send(Uint8Array.of(7), 0, round);
      world.send(new Uint8Array(2), 0, 1000);
      expect(binding.waitAll(Float64Array.of(-handle, -short), outcomes, 2, -1)).toBe(0);
      expect(outcomes[Outcome.tag]).toBe(round);
      expect(outcomes[Outcome.places + Outcome.type]).toBe(-1);
      expect(into[0]).toBe(7);
      expect(binding.test(handle)).toBe(refused('ERR_REQUEST'));
      expect(binding.test(short)).toBe(refused('ERR_TRUNCATE'));
      expect(binding.waitAll(Float64Array.of(handle), outcomes, 1, -1)).toBe(
        refused('ERR_REQUEST'),
      );
      stale.push(handle, short);
    }
    expect(new Set(stale).size).toBe(stale.length);
  });

  test('that make no sense are refused', () => {
    const outcomes = new Float64Array(Outcome.places);
    for (const handle of [1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(binding.test(handle)).toBe(refused('ERR_REQUEST'));
      expect(binding.waitAll(Float64Array.of(handle), outcomes, 1, -1)).toBe(
        refused('ERR_REQUEST'),
      );
    }
    expect(binding.waitAll(Float64Array.of(0), outcomes, 1, -1)).toBe(0);
    expect(binding.waitAll(new Float64Array(1), outcomes, 2, -1)).toBe(refused('ERR_ARG'));
    expect(binding.waitAll(new Float64Array(2), outcomes, 2, -1)).toBe(refused('ERR_ARG'));
  });

  test('of persistent requests name a round while one goes on, and nothing else', () => {
    const outcomes = new Float64Array(Outcome.places);
    const start = (handle: number): number =>
      binding.startAll(Float64Array.of(handle), outcomes, 1);
    binding.call.set([0, 5, 0, 0, 0]);
    const into = new Uint8Array(1);
    binding.prepareRecv(into);
    const handle = binding.report[Report.result] as number;
    const slot = binding.report[Report.slot] as number;
    binding.views[slot] = into;
    expect(binding.test(handle)).toBe(refused('ERR_REQUEST'));
    expect(binding.cancel(handle)).toBe(0);
    expect(binding.waitAll(Float64Array.of(handle), outcomes, 1, -1)).toBe(refused('ERR_REQUEST'));
    for (let round = 0; round < 3; round++) {
      expect(start(handle)).toBe(0);
      expect(outcomes[Outcome.type]).toBe(GOES_ON);
      expect(start(-handle)).toBe(refused('ERR_REQUEST'));
      expect(binding.waitSome(Float64Array.of(handle), outcomes, 1, 0)).toBe(
        refused('ERR_TIMEOUT'),
      );
      world.send(Uint8Array.of(round), 0, 5);
      if (round === 2) binding.release(handle);
      expect(binding.waitSome(Float64Array.of(handle), outcomes, 1, -1)).toBe(0);
      expect([outcomes[Outcome.tag], into[0]]).toEqual([5, round]);
      expect(binding.test(handle)).toBe(refused('ERR_REQUEST'));
    }
    expect(start(handle)).toBe(refused('ERR_REQUEST'));
    binding.release(handle);
    binding.views[slot] = undefined;
    // Nor can anything else be started.
    const other = open(new Uint8Array(1), 1);
    expect(start(other)).toBe(refused('ERR_REQUEST'));
    binding.release(other);
    expect(binding.cancel(other)).toBe(1);
    expect(binding.test(other)).toBe(refused('ERR_CANCELLED'));
    binding.views[binding.report[Report.slot] as number] = undefined;
  });

  function refused(code: string): number {
    return binding.errorCodes.indexOf(code);
  }
});

/** The addon of this process, and a receive from this rank that nothing has matched. */
function underTest(): { binding: Binding; open: (into: Uint8Array, tag: number) => number } {
  const binding = loadBinding();
  const open = (into: Uint8Array, tag: number): number => {
    expect(world.rank).toBe(0);
    binding.call[Call.partner] = 0;
    binding.call[Call.tag] = tag;
    binding.call[Call.context] = 0;
    binding.call[Call.type] = 0;
    binding.irecv(into);
    const handle = binding.report[Report.result] as number;
    expect(handle).toBeGreaterThan(0);
    binding.views[binding.report[Report.slot] as number] = into;
    return handle;
  };
  return { binding, open };
}

test('100000 receives leave no memory behind, and no buffer', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const out = new Float64Array(1);
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round++) {
      const requests = Array.from({ length: 100 }, (_, i) =>
        world.irecv(new Float64Array(128), 0, i),
      );
      for (let i = 0; i < 100; i++) world.send(out, 0, i);
      waitAll(requests);
    }
  };
  const used = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  rounds(100);
  const before = used();
  rounds(1000);
  expect(used() - before).toBeLessThan(1 << 20);
  const { views } = loadBinding();
  expect(views.every((view) => view === undefined)).toBe(true);
});

test('between ranks: windows of all kinds, in order, whoever is ahead', async () => {
  const outcome = await launch('request-windows.ts', { ranks: 2 });
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
  for (const { rank, atOnce } of jsonLines<{ rank: number; atOnce: number }>(outcome)) {
    expect(atOnce, `rank ${rank}`).toBeGreaterThan(0);
  }
});

test.each(['ring', 'socket'])('the same among three, over the %s channel', async (channel) => {
  const options = ['--channel', channel];
  const outcome = await launch('request-windows.ts', { ranks: 3, options });
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
});
