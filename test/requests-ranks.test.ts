// Requests between ranks: how they are waited for, limited, started again, and what becomes of them at the end.
import { describe, expect, test } from 'vitest';
import { jsonLines, launch, type Outcome } from './support/launch.ts';

const seed = Number(process.env.ONECOPY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

const VARIANTS: readonly (readonly [string, readonly string[]])[] = [
  ['the ring', ['--channel', 'ring']],
  ['the socket', ['--channel', 'socket']],
  ['an eager limit of 0', ['--eager-limit', '0']],
  ['staging', ['--deny-pull']],
];

function lines(outcome: Outcome): string[] {
  return outcome.stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

function expectClean(outcome: Outcome): void {
  expect(outcome, `seed ${seed}\n${outcome.stderr}`).toMatchObject({ code: 0, stderr: '' });
}

describe.each(VARIANTS)('over %s,', (_name, options) => {
  test.each([1, 2, 3])('random traffic of %i is completed in every way', async (ranks) => {
    const args = [String(seed), '12'];
    const outcome = await launch('requests-random.ts', { ranks, options, args });
    expectClean(outcome);
    const reports = jsonLines<{ messages: number }>(outcome);
    const total = reports.reduce((sum, { messages }) => sum + messages, 0);
    expect(total).toBe(12 * 6 * ranks * ranks);
  });

  test('limits take back what nobody has matched, and lose nothing', async () => {
    const args = [String(seed)];
    const outcome = await launch('requests-limits.ts', { ranks: 2, options, args });
    expectClean(outcome);
    expect(jsonLines(outcome)).toHaveLength(2);
  });

  test('what must be refused leaves everything as it was', async () => {
    const outcome = await launch('requests-misuse.ts', { ranks: 2, options });
    expectClean(outcome);
    expect(lines(outcome)).toEqual([
      'rank 0 after: ERR_FINALIZED',
      'rank 0 done',
      'rank 1 after: ERR_FINALIZED',
      'rank 1 done',
    ]);
  });

  test.each(['isend', 'issend', 'limited', 'awaited', 'persistent', 'freed', 'exchange'])(
    'a rank that exits completes what was started by %s',
    async (how) => {
      const outcome = await launch('requests-exit.ts', { ranks: 2, options, args: [how] });
      expectClean(outcome);
      expect(lines(outcome)).toEqual(['all received']);
    },
  );
});

test('a rank whose exit takes long says what it waits for', async () => {
  const outcome = await launch('exit-slowly.ts', { ranks: 2 });
  expect(outcome).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringMatching(
      /^onecopy: rank 0 is exiting, and stays until its messages are received by rank 1 \(2\)\n$/,
    ),
  });
});

test('waitAny serves who seldom has something as well', async () => {
  const outcome = await launch('requests-fair.ts', { ranks: 3, options: ['--eager-limit', '8K'] });
  expectClean(outcome);
  const [report] = jsonLines<{ calls: number }>(outcome);
  // By turns it is the second one that is found; some calls more if its message was not seen at once.
  expect(report?.calls).toBeLessThan(20);
});

describe('a failure', () => {
  const look = (how: string): Promise<Outcome> =>
    launch('requests-unseen.ts', { ranks: 2, args: [how] });

  test('that a call for lists has thrown is nobody else’s business', async () => {
    for (const [how, codes] of [
      ['any', ['ERR_TRUNCATE', 'ERR_TRUNCATE']],
      ['all', ['ERR_TRUNCATE']],
    ] as const) {
      const outcome = await look(how);
      expectClean(outcome);
      expect(lines(outcome)).toEqual(codes);
    }
  });

  test('that it has found and not thrown becomes an unhandled rejection', async () => {
    for (const how of ['some', 'tested']) {
      const outcome = await look(how);
      expect(outcome, outcome.stderr).toMatchObject({ code: 1 });
      expect(outcome.stderr).toMatch(/MpiError: irecv.*tag [12].*2 bytes/s);
      expect(outcome.stderr).toMatch(/rank 0 .*nobody caught/);
    }
  });
});

test('timers fire while much is awaited', async () => {
  const args = ['512', '10000'];
  const outcome = await launch('requests-loop.ts', { ranks: 2, args, deadlineMs: 120_000 });
  expectClean(outcome);
  interface Report {
    readonly rank: number;
    readonly delays: readonly {
      readonly what: string;
      wall: number;
      cpu: number;
      timers: number;
    }[];
  }
  const reports = jsonLines<Report>(outcome);
  expect(reports).toHaveLength(2);
  for (const { rank, delays } of reports) {
    for (const { what, wall, cpu, timers } of delays) {
      console.log(
        `rank ${rank}, ${what}: ${timers} timers, at worst ${wall.toFixed(1)} ms apart, ` +
          `${cpu.toFixed(1)} ms of them computing`,
      );
      // Not by the clock: where others want the cores as well, a rank may not run for long.
      expect(cpu, what).toBeLessThan(100);
    }
  }
}, 150_000);
