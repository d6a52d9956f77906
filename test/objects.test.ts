// Objects that ranks send each other.
import { describe, expect, test } from 'vitest';
import { launch } from './support/launch.ts';

const CHANNELS = ['ring', 'socket'];
const VARIANTS: readonly (readonly [string, readonly string[]])[] = [
  ['cma', []],
  ['staging', ['--deny-pull']],
  ['an eager limit of 0', ['--eager-limit', '0']],
];

describe.each(CHANNELS)('on the %s,', (channel) => {
  test.each(VARIANTS)('objects arrive over %s', async (name, more) => {
    const options = ['--channel', channel, ...more];
    const args = name === 'cma' ? ['huge'] : [];
    const outcome = await launch('objects.ts', { ranks: 3, options, args });
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    const lines = outcome.stdout.split('\n').filter((line) => line !== '');
    expect(lines.sort()).toEqual(['rank 0 done', 'rank 1 done', 'rank 2 done']);
  });

  test.each(['sender', 'receiver'])('nobody waits for a %s that has died', async (who) => {
    const outcome = await launch('objects-ends.ts', {
      ranks: 2,
      options: ['--channel', channel, '--grace', '5'],
      args: [who],
    });
    expect(outcome.stdout, outcome.stderr).toMatch(/ERR_PROC_FAILED/);
    expect(outcome.code).not.toBe(0);
  });
});
