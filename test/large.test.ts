// Messages of more than 2 GiB: nothing on their way counts in 31 or 32 bits.
import { constants } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { jsonLines, launch } from './support/launch.ts';
import { availableMemory } from './support/memory.ts';

interface Line {
  readonly way: string;
  readonly rank: number;
  readonly [counter: string]: number | string;
}

const GIBIBYTE = 2 ** 30;
const NEEDED = 8 * GIBIBYTE;
const BEYOND_31_BITS = 2 ** 31 + 5;
/** As far as this Node goes: 2^32 in Node 20, which 32 bits do not hold either. */
const BEYOND_32_BITS = Math.min(2 ** 32 + 8, constants.MAX_LENGTH);
const DEADLINE_MS = 100_000;

const available = availableMemory();
const tooLittle = available < NEEDED;
if (tooLittle) {
  const gibibytes = (available / GIBIBYTE).toFixed(1);
  console.warn(
    `left out: messages beyond 2 GiB: 8 GiB of memory are needed, ${gibibytes} are there`,
  );
}
interface Large {
  readonly bytes?: number;
  readonly memory?: 'alloc' | 'array';
  readonly options?: readonly string[];
}

/** Runs test/programs/large.ts; the result is what rank 1 has moved, by way. */
async function send(
  ways: readonly string[],
  { bytes = BEYOND_31_BITS, memory = 'array', options = [] }: Large = {},
): Promise<Line[]> {
  const seed = String(Math.floor(Math.random() * 2 ** 31));
  const args = [String(bytes), memory, seed, ...ways];
  const outcome = await launch('large.ts', { ranks: 2, options, args, deadlineMs: DEADLINE_MS });
  expect(outcome, `seed ${seed}: ${outcome.stderr}`).toMatchObject({ code: 0, stderr: '' });
  const lines = jsonLines<Line>(outcome);
  expect(lines).toHaveLength(2 * ways.length);
  return lines;
}

/** What was moved by this, on both ranks together. */
function total(lines: readonly Line[], way: string, ...counters: readonly string[]): number {
  const own = lines.filter((line) => line.way === way);
  return own.flatMap((line) => counters.map((name) => Number(line[name]))).reduce((a, b) => a + b);
}

describe.skipIf(tooLittle)('messages of 2^31 + 5 bytes', () => {
  test('blocking, awaited, counted, cut off', async () => {
    const lines = await send(['blocking', 'awaited', 'counted', 'truncated']);
    for (const way of ['blocking', 'awaited', 'counted']) {
      expect(total(lines, way, 'cmaBytes', 'stagedBytes')).toBe(BEYOND_31_BITS);
    }
  });

  test('into a new array', async () => {
    await send(['new']);
  });

  test('from a rank to itself', async () => {
    expect(total(await send(['self']), 'self', 'localBytes')).toBe(BEYOND_31_BITS);
  });

  test('between arrays from alloc', async () => {
    const lines = await send(['blocking'], { memory: 'alloc' });
    expect(total(lines, 'blocking', 'heapBytes', 'cmaBytes')).toBe(BEYOND_31_BITS);
    expect(total(lines, 'blocking', 'heapBytes')).toBeGreaterThan(0);
  });

  test('in pieces, where pulling is forbidden', async () => {
    const lines = await send(['blocking'], { options: ['--deny-pull'] });
    expect(total(lines, 'blocking', 'stagedBytes')).toBe(BEYOND_31_BITS);
  });
});

test.skipIf(tooLittle)(
  'more than 2^31 bytes of pieces that lie apart, on either side',
  async () => {
    const seed = String(Math.floor(Math.random() * 2 ** 31));
    // Pieces that are moved as they lie, and such that are packed.
    const args = [seed, ...['1048576', '1048576', '32', '32']];
    const outcome = await launch('large-datatypes.ts', { ranks: 2, args, deadlineMs: DEADLINE_MS });
    expect(outcome, `seed ${seed}: ${outcome.stderr}`).toMatchObject({ code: 0, stderr: '' });
    const lines = jsonLines<{ bytes: number }>(outcome);
    expect(lines).toHaveLength(4);
    for (const { bytes } of lines) expect(bytes).toBeGreaterThan(2 ** 31);
  },
);

test.skipIf(tooLittle)(`a message of ${BEYOND_32_BITS} bytes`, async () => {
  const lines = await send(['blocking'], { bytes: BEYOND_32_BITS });
  expect(total(lines, 'blocking', 'cmaBytes', 'stagedBytes')).toBe(BEYOND_32_BITS);
});
