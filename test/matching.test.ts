// Probes, messages that are awaited, floods, and who is served.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { jsonLines, launch, type Outcome } from './support/launch.ts';

const CHANNELS = ['ring', 'socket'] as const;
const VARIANTS: readonly (readonly string[])[] = CHANNELS.flatMap((channel) => [
  ['--channel', channel],
  ['--channel', channel, '--eager-limit', '0'],
  ['--channel', channel, '--deny-pull'],
]);

function expectDone(outcome: Outcome, ranks: number): void {
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
  const done = Array.from({ length: ranks }, (_, rank) => `rank ${rank} done`);
  expect(outcome.stdout.trim().split('\n').sort()).toEqual(done);
}

describe.each(VARIANTS.map((options) => [options.join(' '), options] as const))(
  'with %s,',
  (_name, options) => {
    test.each([2, 3])('%i ranks take messages and receive them', async (ranks) => {
      expectDone(await launch('matching-probes.ts', { ranks, options }), ranks);
    });

    test.each([2, 3])('%i ranks listen', async (ranks) => {
      expectDone(await launch('matching-messages.ts', { ranks, options }), ranks);
    });
  },
);

const SENTENCE =
  /there is no memory for more messages\. Rank 1 keeps \d+ of them \(\d+ bytes\) that no receive has asked for, \d+ of these from rank 0 with tag 7; more have arrived\. Receive them/;

describe.each(CHANNELS)('over the %s,', (channel) => {
  const options = ['--channel', channel];

  test('a million messages that nobody has asked for are held, in order', async () => {
    const args = ['held', '1000000'];
    const deadlineMs = 120_000;
    const outcome = await launch('matching-flood.ts', { ranks: 2, options, args, deadlineMs });
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(jsonLines(outcome)).toHaveLength(1);
  }, 150_000);

  test('a sender waits where its receiver does not look', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'onecopy-'));
    try {
      const args = ['back-pressure', '100000', join(folder, 'done')];
      const outcome = await launch('matching-flood.ts', { ranks: 2, options, args });
      expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
      const [report] = jsonLines<{ taken: number; waiting: number }>(outcome);
      // A ring has 64 KiB for each direction, a line of them for each message; the buffers of a socket are as small.
      expect(report?.taken).toBeLessThan(20_000);
      expect((report?.taken ?? 0) + (report?.waiting ?? 0)).toBe(100_000);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.each([
    [
      'limit',
      [
        'recv',
        'recv with timeout',
        'probe',
        'mprobe',
        'irecv, wait',
        'iprobe',
        'improbe',
        'test',
        'testAny',
        'sendrecv',
        'barrier',
      ],
    ],
    ['awaited', ['irecv', 'messages', 'ibarrier']],
  ])('where no more can be kept, who waits is told: %s', async (what, names) => {
    const env = { ONECOPY_UNEXPECTED: '256K' };
    const args = [what, '20000'];
    const outcome = await launch('matching-flood.ts', { ranks: 2, options, args, env });
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    const reports = jsonLines<{ rank: number; name: string; code: string; message: string }>(
      outcome,
    );
    const here = reports.filter(({ rank }) => rank === 1);
    expect(here.map(({ name }) => name)).toEqual(names);
    for (const { name, code, message } of here) {
      expect(code, `${name}: ${message}`).toBe('ERR_NO_MEM');
      expect(message, name).toMatch(SENTENCE);
    }
    for (const { code, message } of reports.filter(({ rank }) => rank === 0)) {
      expect(code).toBe('ERR_NO_MEM');
      expect(message).toMatch(/it failed on rank 1/);
    }
  });

  test('a rank that keeps more than it may ends the job with a sentence', async () => {
    const env = { ONECOPY_UNEXPECTED: '1M' };
    const args = ['uncaught', '100000'];
    const outcome = await launch('matching-flood.ts', { ranks: 2, options, args, env });
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toMatch(SENTENCE);
  });

  test.each([3, 5])('none of %i ranks is served at the cost of another', async (ranks) => {
    const outcome = await launch('matching-flood.ts', { ranks, options, args: ['fair', '500'] });
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(jsonLines(outcome)).toHaveLength(1);
  });
});
