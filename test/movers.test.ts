// Which mover moved the bytes: as the engine counts it, as the kernel sees it, and where the copy is forbidden.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Command, cli, type Outcome, program } from './support/command.ts';
import { jsonLines, launch } from './support/launch.ts';
import { ordinaryUser, preload } from './support/refusal.ts';

const MEBIBYTE = 1024 * 1024;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'onecopy-movers-'));
  chmodSync(folder, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

function countersOf(outcome: Outcome): Record<string, number>[] {
  expect(outcome, outcome.stderr).toMatchObject({ code: 0 });
  const counters = jsonLines<Record<string, number>>(outcome);
  expect(counters).toHaveLength(2);
  for (const { lateWakeups } of counters) expect(lateWakeups).toBe(0);
  return counters;
}

function sum(counted: readonly Record<string, number>[], ...names: readonly string[]): number {
  return counted.reduce(
    (all, each) => names.reduce((one, name) => one + (each[name] ?? 0), all),
    0,
  );
}

describe('large messages', () => {
  test('a 1 MiB ping-pong moves at least 99 % of its bytes by cma', async () => {
    const rounds = 20;
    const args = [String(MEBIBYTE), String(rounds)];
    const counted = countersOf(await launch('mover-traffic.mjs', { ranks: 2, args }));
    // Both together: who moved how much of a message is between the two of them.
    const bytes = 2 * rounds * MEBIBYTE;
    expect(sum(counted, 'cmaBytes', 'stagedBytes', 'eagerBytes')).toBe(bytes);
    expect(sum(counted, 'cmaBytes')).toBeGreaterThanOrEqual(0.99 * bytes);
  });

  test('both sides copy where they may, and one where they may not', async () => {
    const args = [String(4 * MEBIBYTE), '50'];
    const pushed = async (env: Record<string, string>): Promise<number> => {
      const counted = countersOf(await launch('mover-traffic.mjs', { ranks: 2, args, env }));
      expect(sum(counted, 'cmaBytes')).toBe(2 * 50 * 4 * MEBIBYTE);
      return sum(counted, 'pushedBytes');
    };
    expect(await pushed({ ONECOPY_TWO_SIDED: '0' })).toBe(0);
    // No spin: as with more ranks than cores.
    expect(await pushed({ ONECOPY_SPIN_US: '0' })).toBe(0);
    // Both wait in blocking calls all the time; that no slice in 3200 were pushed would be strange.
    if (availableParallelism() > 1) expect(await pushed({})).toBeGreaterThan(0);
  });

  test('a refused copy is staged, and counted so', async () => {
    const args = [String(MEBIBYTE), '3'];
    const options = ['--deny-pull'];
    for (const counted of countersOf(
      await launch('mover-traffic.mjs', { ranks: 2, options, args }),
    )) {
      expect(counted).toMatchObject({ cmaBytes: 0, stagedBytes: 3 * MEBIBYTE });
    }
  });
});

describe.skipIf(unavailable('strace', ['--version']))('as strace sees it', () => {
  test('the kernel was called just as often as the engine counted', async () => {
    const rounds = 8;
    const table = join(folder, 'calls');
    const outcome = await new Command('strace', [
      ...['-f', '-c', '-S', 'name', '-o', table, '-e', 'trace=process_vm_readv,process_vm_writev'],
      ...[process.execPath, cli, 'run', '-n', '2', program('mover-traffic.mjs')],
      ...[String(MEBIBYTE), String(rounds)],
    ]).ended;
    const counted = countersOf(outcome);
    const calls = (name: string): number => {
      const line = readFileSync(table, 'utf8')
        .split('\n')
        .find((text) => text.trimEnd().endsWith(` ${name}`));
      return Number(line?.trim().split(/\s+/)[3] ?? 0);
    };
    // Beyond the payload: each rank reads the other's nonce, writes it back, and reads it again.
    const moved = sum(counted, 'cmaCalls');
    expect(moved).toBeGreaterThanOrEqual(2 * rounds);
    expect(calls('process_vm_readv') + calls('process_vm_writev')).toBe(moved + 2 * 3);
  });
});

describe('where the copy is forbidden', () => {
  const args = [String(MEBIBYTE), '3'];

  test.each(['EPERM', 'ENOSYS'])(
    'by a seccomp filter (%s): results equal, staged',
    async (errno) => {
      const env = {
        LD_PRELOAD: preload(folder, 'no-cross-memory'),
        ...(errno === 'ENOSYS' ? { TEST_REFUSAL_ENOSYS: '1' } : {}),
      };
      for (const counted of countersOf(
        await launch('mover-traffic.mjs', { ranks: 2, args, env }),
      )) {
        expect(counted).toMatchObject({ cmaBytes: 0, stagedBytes: 3 * MEBIBYTE });
      }
    },
  );

  const { command, reason } = ordinaryUser();
  if (reason !== undefined)
    console.warn(`left out: ranks that may not be read, as an ordinary user: ${reason}`);

  test.skipIf(reason !== undefined)(
    'because the ranks are not dumpable, as an ordinary user: results equal, staged',
    async () => {
      const [file = '', ...before] = command;
      const outcome = await new Command(
        file,
        [...before, process.execPath, cli, 'run', '-n', '2', program('mover-traffic.mjs'), ...args],
        { env: { LD_PRELOAD: preload(folder, 'not-readable'), HOME: folder } },
      ).ended;
      for (const counted of countersOf(outcome)) {
        expect(counted).toMatchObject({ cmaBytes: 0, stagedBytes: 3 * MEBIBYTE });
      }
    },
  );
});

function unavailable(tool: string, args: string[]): boolean {
  try {
    execFileSync(tool, args, { stdio: 'ignore' });
    return false;
  } catch {
    console.warn(`left out: ${tool} is not installed`);
    return true;
  }
}
