// Arrays from alloc: which mover moves their bytes, what becomes of those that are disposed of, dropped, or whose owner dies.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alloc, MpiError, SUM, world } from 'onecopy';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { program, runOnecopy } from './support/command.ts';
import { jsonLines, launch, type Outcome, runAlone } from './support/launch.ts';
import { preload } from './support/refusal.ts';

type Counted = Record<string, number>;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'onecopy-heap-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function countersOf(outcome: Outcome, ranks: number): Counted[] {
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
  const counters = jsonLines<Counted>(outcome).sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0));
  expect(counters).toHaveLength(ranks);
  for (const { lateWakeups } of counters) expect(lateWakeups).toBe(0);
  return counters;
}

describe('messages between arrays from alloc', () => {
  /** The counters of both ranks. What is longer than 16 KiB is large to the program, so it is here. */
  async function traffic(
    env: NodeJS.ProcessEnv,
    options: readonly string[] = ['--eager-limit', '16K'],
  ): Promise<Counted[]> {
    return countersOf(await launch('heap-traffic.ts', { ranks: 2, options, env }), 2);
  }
  /** What came to a rank from the other one's heap, whoever copied it. */
  function arrived(counted: readonly Counted[], rank: number): number {
    return (counted[rank]?.heapBytes ?? 0) + (counted[1 - rank]?.pushedBytes ?? 0);
  }

  test('at least 99 % of the bytes of large ones are copied from the heap', async () => {
    for (const counted of await traffic({ ONECOPY_TWO_SIDED: '0' })) {
      const { large = 0, heapBytes = 0 } = counted;
      expect(large).toBeGreaterThan(10_000_000);
      expect(heapBytes).toBeGreaterThanOrEqual(0.99 * large);
      expect(counted).toMatchObject({ cmaBytes: 0, stagedBytes: 0 });
    }
  });

  test('where both sides copy, each byte is copied from the heap or pushed', async () => {
    const counted = await traffic({});
    for (const [rank, { large, cmaBytes, pushedBytes, stagedBytes }] of counted.entries()) {
      expect(arrived(counted, rank)).toBe(large);
      expect({ cmaBytes, stagedBytes }).toEqual({ cmaBytes: pushedBytes, stagedBytes: 0 });
    }
  });

  test('with --deny-pull all of them are staged', async () => {
    for (const counted of await traffic({}, ['--eager-limit', '16K', '--deny-pull'])) {
      expect(counted).toMatchObject({ heapBytes: 0, cmaBytes: 0, stagedBytes: counted.large });
    }
  });

  test('where the system refuses to pull they are copied from the heap all the same', async () => {
    for (const counted of await traffic({ LD_PRELOAD: preload(folder, 'no-cross-memory') })) {
      expect(counted).toMatchObject({ heapBytes: counted.large, cmaBytes: 0, stagedBytes: 0 });
    }
  });

  test('without eager messages', async () => {
    const counted = await traffic({}, ['--eager-limit', '0']);
    for (const [rank, { large = 0 }] of counted.entries()) {
      expect(arrived(counted, rank)).toBeGreaterThan(large);
    }
  });
});

describe('collective operations on arrays from alloc', () => {
  test.each([1, 2, 3, 4])('of %i ranks', async (ranks) => {
    for (const counted of countersOf(await launch('heap-collectives.ts', { ranks }), ranks)) {
      if (ranks > 1) expect(counted.heapBytes).toBeGreaterThan(1_000_000);
    }
  });

  test('with --deny-pull', async () => {
    const options = ['--deny-pull'];
    const outcome = await launch('heap-collectives.ts', { ranks: 3, options });
    for (const counted of countersOf(outcome, 3)) expect(counted).toMatchObject({ heapBytes: 0 });
  });
});

describe('arrays that are disposed of', () => {
  test.each([
    ['copied', []],
    ['staged', ['--deny-pull']],
    ['copied, without eager messages', ['--eager-limit', '0']],
  ])('while operations work on them: %s', async (_name, options) => {
    const outcome = await launch('heap-dispose.ts', { ranks: 2, options });
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout.split('\n').sort()).toEqual(['', 'rank 0 done', 'rank 1 done']);
  });

  test('are empty, and using them is ERR_FREED with what to do', () => {
    const array = alloc(Float64Array, 1000);
    const part = array.subarray(5, 10);
    const bytes = new DataView(array.buffer);
    array[Symbol.dispose]();
    expect([array.length, part.length]).toEqual([0, 0]);
    const calls: (() => unknown)[] = [
      () => world.send(array, 0),
      () => world.isend(part, 0),
      () => world.irecv(bytes, 0),
      () => world.recv(array.buffer, 0),
      () => world.send({ data: array, count: 2 }, 0),
      () => world.sendrecv(array, 0, 0, new Uint8Array(1)),
      () => world.allreduce(array, SUM),
      () => world.bcast(part, 0),
    ];
    for (const call of calls) {
      const error = errorOf(call);
      expect(error.code, String(call)).toBe('ERR_FREED');
      expect(error.message).toMatch(/freed.*Dispose of an array after its last use/);
    }
    // Once is enough.
    array[Symbol.dispose]();
  });

  test('give their memory to the next one, zeroed', () => {
    const first = alloc(Uint8Array, 30_000_000).fill(1);
    first[Symbol.dispose]();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 50; i++) {
      const next = alloc(Uint8Array, 30_000_000);
      expect(next[i * 1000]).toBe(0);
      next.fill(2);
      next[Symbol.dispose]();
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
  });
});

describe('in a world of one', () => {
  test('alloc gives zeroed arrays of every class', () => {
    for (const arrayClass of [Int8Array, Uint8ClampedArray, Int16Array, Float32Array] as const) {
      const array = alloc(arrayClass as typeof Float32Array, 33);
      expect(array).toBeInstanceOf(arrayClass);
      expect(Array.from(array)).toEqual(new Array(33).fill(0));
    }
    const big = alloc(BigInt64Array, 3);
    big[2] = -5n;
    const got = alloc(BigInt64Array, 3);
    world.isend(big, 0, 1);
    world.recv(got, 0, 1);
    expect(Array.from(got)).toEqual([0n, 0n, -5n]);
    expect(alloc(Float64Array, 0)).toHaveLength(0);
    expect(Object.keys(alloc(Uint8Array, 2))).toEqual(['0', '1']);
  });

  test('wrong arguments are errors', () => {
    for (const length of [-1, 1.5, Number.NaN, '5', undefined, 2 ** 53, Number.POSITIVE_INFINITY]) {
      const error = errorOf(() => alloc(Float64Array, length as number));
      expect(error.code).toBe('ERR_COUNT');
      expect(error.message).toMatch(/whole number of elements/);
    }
    expect(errorOf(() => alloc(Float64Array, 2 ** 52))).toMatchObject({
      code: 'ERR_COUNT',
      message: expect.stringMatching(/more than an array of this Node can have/),
    });
    for (const arrayClass of [Array, Buffer, DataView, 'Float64Array', undefined, null]) {
      const error = errorOf(() => alloc(arrayClass as never, 5));
      expect(error.code).toBe('ERR_ARG');
      expect(error.message).toMatch(/class of typed arrays such as Float64Array/);
    }
  });

  test('dropped arrays are used again, though the event loop never has its turn', async () => {
    const outcome = await runAlone('heap-collected.ts');
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    const [{ allocated = 0, grown = 0 } = {}] = jsonLines<Counted>(outcome);
    expect(grown).toBeLessThan(allocated / 4);
  });
});

test('the owner is killed while a peer copies: ERR_PROC_FAILED, and the job ends', async () => {
  const outcome = await runOnecopy(['run', '-n', '2', program('heap-killed.ts')]);
  expect(outcome.stdout).toMatch(/^ERR_PROC_FAILED [01]$/m);
  expect(outcome.code).toBe(137);
});

function errorOf(call: () => unknown): MpiError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(MpiError);
    return error as MpiError;
  }
  throw new Error(`nothing was thrown by ${call}`);
}
