// Ranks that talk to each other through the API.
import { describe, expect, test } from 'vitest';
import { jsonLines, launch, type Outcome } from './support/launch.ts';

const seed = Number(process.env.ONECOPY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

const VARIANTS: readonly (readonly [string, readonly string[]])[] = [
  ['cma', []],
  ['staging', ['--deny-pull']],
  ['an eager limit of 0', ['--eager-limit', '0']],
];

function lines(outcome: Outcome): string[] {
  return outcome.stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

function expectDone(outcome: Outcome, expected: readonly string[]): void {
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
  expect(lines(outcome)).toEqual(expected);
}

describe.each(VARIANTS)('over %s,', (_name, options) => {
  test.each([1, 2, 3, 5])("mpi4py's ring of %i", async (ranks) => {
    const outcome = await launch('runtime-ring.ts', { ranks, options });
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(jsonLines(outcome)).toHaveLength(ranks);
  });

  test.each([2, 4])('random traffic among %i', async (ranks) => {
    const args = [String(seed), '30'];
    const outcome = await launch('runtime-traffic.ts', { ranks, options, args });
    expect(outcome, `seed ${seed}\n${outcome.stderr}`).toMatchObject({ code: 0, stderr: '' });
    const reports = jsonLines<{ messages: number }>(outcome);
    expect(reports.reduce((sum, { messages }) => sum + messages, 0)).toBe(30 * 40);
  });

  test('awaiting leaves the event loop to others', async () => {
    expectDone(await launch('runtime-await.ts', { ranks: 2, options }), [
      'rank 0 done',
      'rank 1 done',
    ]);
  });

  test('errors between ranks leave the communicator usable', async () => {
    expectDone(await launch('runtime-misuse.ts', { ranks: 2, options }), [
      'rank 0 done',
      'rank 1 done',
    ]);
  });
});

// With a limit of 0 there are no eager messages that could meet head to head.
describe.each(VARIANTS.slice(0, 2))('over %s,', (_name, options) => {
  test('floods from both sides pass each other', async () => {
    const eager = ['--eager-limit', '16K', ...options];
    expectDone(await launch('runtime-flood.ts', { ranks: 2, options: eager }), [
      'rank 0 done',
      'rank 1 done',
    ]);
  });
});

test('buffers of pending operations survive garbage collection', async () => {
  const outcome = await launch('runtime-collected.ts', { ranks: 2 });
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  const reports = jsonLines<{ warnings: string[] }>(outcome);
  expect(reports).toHaveLength(2);
  for (const { warnings } of reports) {
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/dropped before it had completed: irecv from rank [01], tag 2000/);
  }
});
