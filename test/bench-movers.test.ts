// `onecopy bench movers` as a user runs it, in as little time as shows that it works: nothing here looks at speed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Command, onecopy } from './support/command.ts';
import { jsonLines } from './support/launch.ts';
import { processesOf } from './support/leftovers.ts';
import { preload } from './support/refusal.ts';

const MOVERS = [
  ...['cma-read', 'cma-write', 'both-sides', 'heap', 'heap-nt'],
  ...['double-copy', 'proc-mem', 'vmsplice', 'socket'],
];
const SIZES = [1, 4097, 300_000];
const QUICK = ['--seconds', '0.005', '--rounds', '1'];

interface Line {
  readonly mover: string;
  readonly pattern: string;
  readonly processes: number;
  readonly pages: string;
  readonly bytes?: number;
  readonly us?: number;
  readonly gbPerS?: number;
  readonly iterations?: number;
  readonly hugeShare?: number;
  readonly skipped?: string;
}

function movers(args: readonly string[], env: NodeJS.ProcessEnv = {}): Command {
  return onecopy(['bench', 'movers', ...QUICK, ...args], {
    // A user's compiler may warn of what ours does not know; ours must not warn. The first to run compiles.
    env: { CXXFLAGS: '-Wall -Wextra -Werror', ONECOPY_BENCH_CORRUPT: '', ...env },
    deadlineMs: 120_000,
  });
}

/** Runs to its end, after which nothing may be left. */
async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const command = movers(args, env);
  const outcome = await command.ended;
  expect(processesOf(command.mark)).toEqual([]);
  return outcome;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'onecopy-bench-movers-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('every mover reports every size, or says once why it cannot', () => {
  test.each([
    ['one-to-one', [], 2, 1],
    ['many-to-one', ['-n', '3'], 3, 1],
    ['all-to-all', ['-n', '3'], 3, 3],
  ])('%s', async (pattern, options, processes, receivers) => {
    const outcome = await run([
      ...['--json', '--pattern', pattern, '--pages', 'small,huge', '--sizes', SIZES.join(',')],
      ...['--slice', '64K', '--cells', '2', '--cell', '16K', ...options],
    ]);
    expect(outcome.code, outcome.stderr).toBe(0);
    const lines = jsonLines<Line>(outcome);
    for (const pages of ['small', 'huge']) {
      for (const mover of MOVERS) {
        const own = lines.filter((line) => line.pages === pages && line.mover === mover);
        for (const line of own) expect(line).toMatchObject({ pattern, processes });
        if (own.some(({ skipped }) => skipped)) continue;
        expect(own.map(({ bytes }) => bytes)).toEqual(SIZES);
        for (const { bytes, us, gbPerS, iterations } of own) {
          expect(iterations).toBeGreaterThan(0);
          // One message for each process that receives at the same time.
          expect(gbPerS! / ((bytes! * receivers) / us! / 1e3)).toBeCloseTo(1, 3);
        }
      }
    }
    // These need nobody's permission.
    const skipped = lines.filter((line) => line.skipped).map(({ mover }) => mover);
    expect(skipped).not.toContain('heap');
    expect(skipped).not.toContain('double-copy');
    expect(skipped).not.toContain('socket');
    for (const { pages, hugeShare } of lines) {
      if (pages === 'small') expect(hugeShare ?? 0).toBe(0);
    }
  });
});

test.each(MOVERS)('a byte that %s gets wrong is found', async (mover) => {
  const outcome = await run(
    ['--json', '--pages', 'small', '--sizes', '300000', '--only', `heap,${mover}`],
    { ONECOPY_BENCH_CORRUPT: `${mover}:299999` },
  );
  const refused = jsonLines<Line>(outcome).some((line) => line.skipped && line.mover === mover);
  if (refused) return;
  expect(outcome).toMatchObject({ code: 1, stdout: '' });
  expect(outcome.stderr).toContain(
    `onecopy bench movers: ${mover} (one-to-one, 300000 bytes): byte 299999 of the message from process`,
  );
});

test('where the system forbids the calls, the others are measured', async () => {
  const outcome = await run(
    ['--pages', 'small', '--sizes', '64K', '--pattern', 'all-to-all', '-n', '3'],
    { LD_PRELOAD: preload(folder, 'no-cross-memory') },
  );
  expect(outcome.code, outcome.stderr).toBe(0);
  for (const mover of ['cma-read', 'cma-write', 'both-sides']) {
    expect(outcome.stdout).toContain(`Left out: ${mover}. process_vm_`);
  }
  expect(outcome.stdout).toMatch(/size +heap +heap-nt +double-copy/);
  expect(outcome.stdout).toMatch(/Fastest \(\*\): \S+ at 64K\./);
});

test('cold: the caches are emptied in between', async () => {
  const outcome = await run(['--json', '--off-cache', '--pages', 'small', '--sizes', '64K']);
  expect(outcome.code, outcome.stderr).toBe(0);
  for (const line of jsonLines<Line>(outcome)) {
    if (!line.skipped) expect(line).toMatchObject({ bytes: 65_536, cache: 'cold' });
  }
});

test('all processes go when the command is killed', async () => {
  const command = movers(['--json', '--pages', 'small', '--sizes', '64K', '--seconds', '30']);
  // Its two processes, their parent, and the command.
  await expect.poll(() => processesOf(command.mark).length, { timeout: 60_000 }).toBe(4);
  command.child.kill('SIGKILL');
  await command.ended;
  await expect.poll(() => processesOf(command.mark), { timeout: 10_000 }).toEqual([]);
});

describe('what is asked wrongly', () => {
  test.each([
    [['--only', 'telepathy'], 2, '--only: there is no telepathy; name cma-read, '],
    [['--sizes', 'big'], 2, '--sizes: "big" is not a size: write 1000, 64K or 1M'],
    [['--sizes', '0'], 2, '--sizes: 0 is less than 1'],
    [['-n', '1'], 2, '-n takes a whole number from 2 up, not "1"'],
    [['-n', '1000'], 2, '-n takes at most 32, not 1000'],
    [['pingpong'], 2, 'movers takes options only: what is pingpong?'],
    [['--pattern', 'all-to-all', '-n', '32', '--sizes', '4G'], 1, 'take smaller ones, or fewer'],
  ])('%j', async (args, code, sentence) => {
    const outcome = await run(args);
    expect(outcome).toMatchObject({ code });
    expect(outcome.stderr).toContain('onecopy bench movers: ');
    expect(outcome.stderr).toContain(sentence);
  });

  test('--help says what there is', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const mover of MOVERS) expect(stdout).toMatch(new RegExp(`^ {2}${mover} `, 'm'));
  });

  test('without a compiler: a sentence', async () => {
    const outcome = await run(['--sizes', '8'], { CXX: 'no-such-compiler' });
    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toBe(
      'onecopy bench movers: the C++ compiler that CXX names, no-such-compiler, was not found: install it or unset CXX\n',
    );
  });
});
