// How ranks end, as seen from the API. What the launcher does about it is tested with the launcher.
import { describe, expect, test } from 'vitest';
import { launch, type Outcome } from './support/launch.ts';

function ends(how: string, ranks: number): Promise<Outcome> {
  // Some of them send before anybody receives, or leave before that.
  return launch('runtime-ends.ts', { ranks, options: ['--eager-limit', '8K'], args: [how] });
}

function lines(outcome: Outcome): string[] {
  return outcome.stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

describe('a rank that', () => {
  test('exits with pending sends completes them', async () => {
    const outcome = await ends('pending-sends', 2);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(lines(outcome)).toEqual(['all received']);
  });

  test('has left is ERR_PROC_LEFT for everything it did not send before', async () => {
    const outcome = await ends('left', 2);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(lines(outcome)).toEqual([`received 5; ${Array(10).fill('ERR_PROC_LEFT').join(' ')}`]);
  });

  test('is killed is ERR_PROC_FAILED for who waits for it, ERR_ABORTED for others', async () => {
    const outcome = await ends('killed', 3);
    expect(outcome, outcome.stderr).toMatchObject({ code: 137 });
    expect(lines(outcome)).toEqual([
      'rank 1 caught ERR_PROC_FAILED',
      'rank 1 cleaned up',
      'rank 2 caught ERR_ABORTED',
      'rank 2 cleaned up',
    ]);
  });

  test('handles its uncaught errors itself goes on, and so does the job', async () => {
    const outcome = await ends('handler', 2);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(lines(outcome)).toEqual(['handled not so bad', 'job lives']);
  });

  test('leaves a failed request unobserved dies of an unhandled rejection', async () => {
    const outcome = await ends('unobserved', 2);
    expect(outcome, outcome.stderr).toMatchObject({ code: 1 });
    expect(outcome.stderr).toMatch(/MpiError: irecv.*2 bytes.*1/s);
    expect(outcome.stderr).toMatch(/rank 0 .*nobody caught/);
  });

  test('leaves with a send that cannot be completed says so', async () => {
    const outcome = await ends('lost-send', 2);
    expect(outcome, outcome.stderr).toMatchObject({ code: 1 });
    expect(outcome.stderr).toMatch(/^onecopy: left with .*ERR_PROC_LEFT: isend\(rank 1, tag 1\)/m);
  });

  test('has seen the failure of a request goes on', async () => {
    const outcome = await ends('observed', 2);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(lines(outcome)).toEqual(['ERR_TRUNCATE', 'ERR_TRUNCATE']);
  });

  test('dies of an error does not wait for its sends', async () => {
    const outcome = await ends('uncaught', 2);
    expect(outcome, outcome.stderr).toMatchObject({ code: 1 });
    expect(outcome.stderr).toMatch(/TypeError: out of luck\n +at .*runtime-ends/);
    expect(lines(outcome)).toEqual(['rank 1 cleaned up']);
  });

  test('rejects without anybody handling it ends the job', async () => {
    const outcome = await ends('rejection', 2);
    expect(outcome, outcome.stderr).toMatchObject({ code: 1 });
    expect(outcome.stderr).toMatch(/rank 0 .*RangeError: nobody cares/);
    expect(lines(outcome)).toEqual(['ERR_PROC_FAILED']);
  });

  test('exits can still communicate in exit handlers that run before it leaves', async () => {
    const outcome = await ends('exit-handler', 3);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    const after = [0, 1, 2].map((rank) => `after: ERR_FINALIZED rank ${rank}`);
    expect(lines(outcome)).toEqual([...after, 'before: 0', 'before: 1', 'before: 2']);
  });
});
