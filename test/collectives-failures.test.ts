// Collective operations that fail: wrong arguments, ranks that do not agree, operators that throw, ranks that end.
import { describe, expect, test } from 'vitest';
import type { Report } from './programs/collectives-ends.ts';
import { jsonLines, launch, type Outcome } from './support/launch.ts';

const VARIANTS: readonly (readonly [string, readonly string[]])[] = [
  ['cma', []],
  ['staging', ['--deny-pull']],
  ['an eager limit of 0', ['--eager-limit', '0']],
];

/** Scenarios of collectives-misuse.ts: each is followed by operations that must give the right result. */
const SCENARIOS = [
  'counts',
  'counts of v-variants',
  'types',
  'operations',
  'arguments',
  'blocks',
  'resizable',
  'reentrant',
  'detached',
  'transferred',
  'objects',
];

/** Each in a launch of its own, since the ranks may not come back from it. */
const ALONE = [
  'throws',
  'operations that pass each other',
  'barrier against others',
  'requests inside',
  'detached views',
];

async function misuse(
  scenarios: readonly string[],
  options: readonly string[] = [],
): Promise<void> {
  const outcome = await launch('collectives-misuse.ts', {
    ranks: 3,
    options,
    args: scenarios,
    deadlineMs: 20_000,
  });
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
  expect(lines(outcome)).toEqual(['rank 0 done', 'rank 1 done', 'rank 2 done']);
}

function lines(outcome: Outcome): string[] {
  return outcome.stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

describe.each(VARIANTS)('over %s,', (_name, options) => {
  test('errors reach the right ranks and leave the communicator usable', () =>
    misuse(SCENARIOS, options));
});

test.each(ALONE)('an error and a usable communicator: %s', (scenario) => misuse([scenario]));

// --------------------------------------------------------------------------------------------------- ranks that end

const CALLS = [
  'barrier',
  'bcast',
  'reduce',
  'allreduce',
  'large bcast',
  'large allreduce',
  'large allgather',
  'large alltoall',
  'large operator',
] as const;

/** Every end meets every third call, and every call two ends. */
const ENDS: readonly (readonly [string, string])[] = [
  ...[
    'left before',
    'left inside',
    'left before, awaited',
    'killed before',
    'killed inside',
    'killed before, awaited',
  ].flatMap((how, i) =>
    CALLS.filter((_, j) => (i + j) % 3 === 0).map((call) => [how, call] as const),
  ),
  ['left inside', 'large operator'],
  ['killed inside', 'large operator'],
];

const GONE = ['ERR_PROC_FAILED', 'ERR_ABORTED'];

describe('the others are told that rank 2', () => {
  test.each(ENDS)('%s: %s', async (how, call) => {
    const outcome = await launch('collectives-ends.ts', {
      ranks: 3,
      args: [how, call],
      deadlineMs: 30_000,
    });
    const killed = how.startsWith('killed');
    expect(outcome, outcome.stderr).toMatchObject(killed ? { code: 137 } : { code: 0, stderr: '' });
    const codes = killed ? GONE : ['ERR_PROC_LEFT'];
    const reports = jsonLines<Report>(outcome);
    expect(reports.map(({ rank }) => rank).sort()).toEqual([0, 1]);
    for (const { rank, code, peer, usable, again, awaited } of reports) {
      // The root of a reduction needs everybody; others may have done their part.
      const needs = call !== 'reduce' || rank === 0;
      // Who was still there when its part was done does not keep the others from completing theirs.
      const mayComplete = how.endsWith('inside') || !needs;
      if (code === undefined) expect(mayComplete, `rank ${rank} completed it`).toBe(true);
      else expect(codes).toContain(code);
      // Not the one that has told this rank.
      if (code?.startsWith('ERR_PROC')) expect(peer).toBe(2);
      expect(usable).toBe(code === undefined);
      if (needs) {
        expect(codes).toContain(again);
        expect(codes).toContain(awaited);
      }
    }
    expect(outcome.stdout.match(/cleaned up/g)).toHaveLength(2);
  });

  test('left, and a request that nobody looks at is not lost silently', async () => {
    const outcome = await launch('collectives-ends.ts', {
      ranks: 3,
      args: ['unobserved', 'allreduce'],
    });
    expect(outcome, outcome.stderr).toMatchObject({ code: 1 });
    expect(outcome.stderr).toMatch(/allreduce: rank 2 has left the job without this operation/);
    expect(outcome.stderr).toMatch(/rank 0 .*(nobody caught|exited with code 1)/);
  });
});
