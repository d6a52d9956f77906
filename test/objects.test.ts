// Objects that ranks send each other.
import { describe, expect, test } from 'vitest';
import { launch } from './support/launch.ts';

const seed = Number(process.env.ONECOPY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const CHANNELS = ['ring', 'socket'];
const VARIANTS: readonly (readonly [string, readonly string[]])[] = [
  ['cma', []],
  ['staging', ['--deny-pull']],
  ['an eager limit of 0', ['--eager-limit', '0']],
];

describe.each(CHANNELS)('on the %s,', (channel) => {
  test.each(VARIANTS)('objects arrive over %s', async (name, more) => {
    const options = ['--channel', channel, ...more];
    const args = name === 'cma' ? ['large'] : [];
    const outcome = await launch('objects.ts', {
      ranks: 3,
      options,
      args,
      deadlineMs: 110_000,
    });
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    const lines = outcome.stdout.split('\n').filter((line) => line !== '');
    expect(lines.sort()).toEqual(['rank 0 done', 'rank 1 done', 'rank 2 done']);
  });

  test.each(VARIANTS)('what is no object is refused over %s', async (_name, more) => {
    const options = ['--channel', channel, ...more];
    const outcome = await launch('objects-corrupt.ts', { ranks: 2, options, args: [String(seed)] });
    expect(outcome, `seed ${seed}\n${outcome.stderr}`).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toContain('rank 1 done, many were refused');
  });

  test.each(['sender', 'receiver'])('nobody waits for a %s that is gone', async (who) => {
    const options = ['--channel', channel, '--grace', '5'];
    const died = await launch('objects-ends.ts', { ranks: 2, options, args: [who, 'dies'] });
    expect(died.stdout, died.stderr).toBe('ERR_PROC_FAILED\n');
    expect(died.code).not.toBe(0);
    const left = await launch('objects-ends.ts', { ranks: 2, options, args: [who, 'leaves'] });
    expect(left, left.stderr).toMatchObject({ code: 0, stdout: 'ERR_PROC_LEFT\n' });
  });
});
