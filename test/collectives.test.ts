// Collective operations: random calls against a serial model, and what they cost.
import { describe, expect, test } from 'vitest';
import { algorithmsOf, COLLECTIVES } from '../packages/algorithms/src/index.ts';
import { CHANNELS, type Launch, launchKey, launchOptions, RANKS } from './matrix.ts';
import type { Report } from './programs/collectives-random.ts';
import { jsonLines, launch } from './support/launch.ts';

const full = process.env.ONECOPY_TEST_FULL === '1';
const seed = Number(process.env.ONECOPY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const deadlineMs = full ? 900_000 : 60_000;

/** Every rank works out what all do, so more ranks take more time for a round. */
function roundsOf(ranks: number): number {
  return full ? 1000 : Math.min(60, Math.ceil(200 / ranks));
}

console.log(
  `collectives: ONECOPY_TEST_SEED=${seed}${full ? '' : ' (ONECOPY_TEST_FULL=1 runs more)'}`,
);

interface Setting extends Launch {
  readonly forced?: string;
}

const MOVERS = ['cma', 'staging'] as const;
const EAGER_LIMITS = ['default', 'zero'] as const;

/** Of number of ranks, channel, mover and limit every two values meet. */
const SETTINGS: readonly Setting[] = RANKS.flatMap((ranks, i) =>
  MOVERS.flatMap((mover, j) =>
    EAGER_LIMITS.filter((_, k) => full || k === (i + j) % 2).flatMap((eager, k) =>
      CHANNELS.filter((_, l) => full || l === (i + (i >> 1) + j + k) % 2).map((channel) => ({
        ranks,
        channel,
        mover,
        eager,
      })),
    ),
  ),
);

/** Values of ONECOPY_COLL that together force every algorithm of every operation. */
const ALTERNATIVES: readonly string[] = alternatives();

function alternatives(): string[] {
  const most = Math.max(...COLLECTIVES.map((operation) => algorithmsOf(operation).length));
  return Array.from({ length: most }, (_, turn) =>
    COLLECTIVES.map((operation) => {
      const names = algorithmsOf(operation).map(({ name }) => name);
      return `${operation}=${names[turn % names.length]}`;
    }).join(','),
  );
}

/** Each of them, with few and many ranks. */
const FORCED: readonly Setting[] = ALTERNATIVES.flatMap((forced, i) =>
  [5, 8].map((ranks, j) => ({
    ranks,
    channel: CHANNELS[(i + (i >> 1) + j) % 2]!,
    mover: MOVERS[(i + j) % 2]!,
    eager: EAGER_LIMITS[Number(full && i % 2 === 1)]!,
    forced,
  })),
);

async function runRandom(setting: Setting): Promise<void> {
  const { ranks, forced } = setting;
  const outcome = await launch('collectives-random.ts', {
    ranks,
    options: launchOptions(setting),
    env: { ONECOPY_COLL: forced ?? '' },
    args: [String(seed), String(roundsOf(ranks))],
    deadlineMs,
  });
  const again = `ONECOPY_TEST_SEED=${seed} ${forced === undefined ? '' : `ONECOPY_COLL=${forced}`}`;
  expect(outcome, `${again}\n${outcome.stderr}`).toMatchObject({ code: 0, stderr: '' });
  const reports = jsonLines<Report>(outcome);
  expect(reports).toHaveLength(ranks);
  const [first] = reports;
  for (const { calls, operations } of reports) {
    expect({ calls, operations }).toEqual({ calls: first?.calls, operations: first?.operations });
  }
}

describe('random calls give what the serial model gives,', () => {
  for (const setting of SETTINGS) {
    test(launchKey(setting), () => runRandom(setting), 2 * deadlineMs);
  }
  for (const setting of FORCED) {
    const turn = ALTERNATIVES.indexOf(setting.forced ?? '') + 1;
    test(
      `${launchKey(setting)}, algorithm ${turn} of each operation`,
      () => runRandom(setting),
      2 * deadlineMs,
    );
  }
});

test('each in both forms, by its name', async () => {
  const outcome = await launch('collectives-each.ts', { ranks: 3 });
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
  expect(jsonLines(outcome)).toHaveLength(3);
});

test('the list of forced algorithms is complete', () => {
  const forced = new Set(ALTERNATIVES.flatMap((each) => each.split(',')));
  const all = COLLECTIVES.flatMap((operation) =>
    algorithmsOf(operation).map(({ name }) => `${operation}=${name}`),
  );
  expect([...forced].sort()).toEqual([...all].sort());
});

test('after the first, a broadcast of 8 bytes is one call of the addon on every rank', async () => {
  const outcome = await launch('collectives-calls.ts', { ranks: 3 });
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
  expect(jsonLines(outcome)).toEqual(
    [0, 1, 2].map(() => ({ bcast: 100, barrier: 100, allreduce: 100, number: 100 })),
  );
});
