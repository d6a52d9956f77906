import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Command, cli, onecopy, program, Command as Started } from './support/command.ts';
import { processesOf, traces } from './support/leftovers.ts';

const ending = program('ending.mjs');
const waiting = program('waiting.mjs');

/** The temporary folder that a job is given. */
let temporary: string;

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'onecopy-test-'));
});

afterEach(() => rmSync(temporary, { recursive: true, force: true }));

function run(...args: string[]): Command {
  return onecopy(['run', ...args], { env: { TMPDIR: temporary } });
}

/** Nothing of the command's job may be left; what ends by itself gets this long to do so. */
async function leavesNothing(command: Command, deadlineMs = 0): Promise<void> {
  const since = performance.now();
  while (performance.now() - since < deadlineMs && processesOf(command.mark).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(traces(command.mark, temporary)).toEqual([]);
}

/** All three ranks are in the state that the test is about. */
async function allWait(command: Command): Promise<void> {
  for (const rank of [0, 1, 2]) await command.stdoutMatches(new RegExp(`rank ${rank} of 3 waits`));
}

describe('a job of three ranks in which rank 1', () => {
  test.each([
    [
      ['throw', 'boom'],
      1,
      /^onecopy: rank 1 \(pid \d+\) died of an error that nobody caught \(Error: boom\); the other ranks were ended$/m,
    ],
    [
      ['reject', 'late'],
      1,
      /^onecopy: rank 1 \(pid \d+\) died of an error that nobody caught \(TypeError: late\); the other ranks were ended$/m,
    ],
    [
      ['exit', '3'],
      3,
      /^onecopy: rank 1 \(pid \d+\) exited with code 3; the other ranks were ended$/m,
    ],
    [
      ['signal', 'SIGSEGV'],
      139,
      /^onecopy: rank 1 \(pid \d+\) was killed by SIGSEGV; the other ranks were ended$/m,
    ],
    [
      ['signal', 'SIGKILL'],
      137,
      /^onecopy: rank 1 \(pid \d+\) was killed by SIGKILL; the other ranks were ended$/m,
    ],
    [
      ['abort', '5'],
      5,
      /^onecopy: rank 1 \(pid \d+\) called abort with code 5 \(no data\); the other ranks were ended$/m,
    ],
  ])(
    'ends by %j says who and why, lets the others clean up, and leaves nothing',
    async (args, code, sentence) => {
      const command = run('-n', '3', ending, ...args);
      const outcome = await command.ended;
      expect(outcome.stderr).toMatch(sentence);
      expect(outcome.code).toBe(code);
      // Who calls process.exit() leaves first, whatever the code; the others may be through before the code is known.
      const left = args[0] === 'exit';
      expect(outcome.stdout).toMatch(
        left ? /rank 0 caught ERR_PROC_(LEFT|FAILED)\n/ : /rank 0 caught ERR_PROC_FAILED\n/,
      );
      expect(outcome.stdout).toMatch(
        left ? /rank 2 caught ERR_(PROC_LEFT|ABORTED)\n/ : /rank 2 caught ERR_ABORTED\n/,
      );
      expect(outcome.stdout).toContain('rank 0 cleaned up\n');
      expect(outcome.stdout).toContain('rank 2 cleaned up\n');
      await leavesNothing(command);
    },
  );

  test('throws shows the error itself, and runs its own finally block', async () => {
    const { stdout, stderr } = await run('-n', '3', ending, 'throw', 'boom').ended;
    expect(stderr).toMatch(/Error: boom\n +at .*ending\.mjs/);
    expect(stdout).toContain('rank 1 cleaned up\n');
  });

  test('kills itself does not keep a busy rank alive beyond the grace period', async () => {
    const command = run('-n', '3', '--grace', '0.5', waiting, 'busy', 'deaf');
    await allWait(command);
    const pid = Number(/rank 1 of 3 waits, pid (\d+)/.exec(command.stdout)?.[1]);
    const since = performance.now();
    process.kill(pid, 'SIGKILL');
    const { code } = await command.ended;
    expect(performance.now() - since).toBeLessThan(1500);
    expect(code).toBe(137);
    await leavesNothing(command);
  });
});

describe('a job whose launcher gets', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends with all its ranks, wherever they wait', async (signal, code) => {
    for (const how of ['recv', 'loop', 'busy']) {
      const command = run('-n', '3', waiting, how);
      await allWait(command);
      command.child.kill(signal);
      const outcome = await command.ended;
      expect(outcome).toMatchObject({ code, signal: null });
      // Before it, perhaps, what a rank says that was told of the end before the signal reached it.
      expect(outcome.stderr).toMatch(new RegExp(`^onecopy: ${signal} ended the job\n$`, 'm'));
      await leavesNothing(command);
    }
  });

  test('SIGTERM gives its ranks the grace period, and no longer', async () => {
    const command = run('-n', '3', '--grace', '0.6', waiting, 'loop', 'deaf');
    await allWait(command);
    const since = performance.now();
    command.child.kill('SIGTERM');
    const { code, stdout } = await command.ended;
    const took = performance.now() - since;
    expect(took).toBeGreaterThan(590);
    expect(took).toBeLessThan(1600);
    expect(code).toBe(143);
    expect(stdout).toContain('rank 2 ignored SIGTERM\n');
    await leavesNothing(command);
  });

  test('a second SIGINT kills what ignored the first', async () => {
    const command = run('-n', '3', '--grace', '60', waiting, 'loop', 'deaf');
    await allWait(command);
    command.child.kill('SIGINT');
    await command.stdoutMatches(/rank 2 ignored SIGINT/);
    // Two that come together are one: a terminal and npx both pass it on. So it is pressed until it works.
    const pressing = setInterval(() => command.child.kill('SIGINT'), 50);
    const { code } = await command.ended;
    clearInterval(pressing);
    expect(code).toBe(130);
    await leavesNothing(command);
  });

  test('SIGKILL takes its ranks along', async () => {
    for (const how of ['recv', 'loop', 'busy']) {
      const command = run('-n', '3', waiting, how, 'deaf');
      await allWait(command);
      command.child.kill('SIGKILL');
      await command.ended;
      await leavesNothing(command, 1000);
    }
  });
});

describe('a job that npx started', () => {
  const likeNpx = program('like-npx.mjs');

  test.each([
    ['directly', [process.execPath, cli, 'run', '-n', '3', waiting, 'recv']],
    // dash and bash would replace themselves by a last command.
    [
      'by a shell',
      ['sh', '-c', `"${process.execPath}" "${cli}" run -n 3 "${waiting}" recv; exit $?`],
    ],
  ])('%s ends when npx is killed', async (_, args) => {
    const command = new Started(process.execPath, [likeNpx, ...args], {
      env: { TMPDIR: temporary },
    });
    await allWait(command);
    command.child.kill('SIGKILL');
    await command.ended;
    await leavesNothing(command, 3000);
  });
});

test('a job ends with 0, and without a word, when its ranks do', async () => {
  const command = run('-n', '3', 'sh', '-c', 'exit 0');
  expect(await command.ended).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  await leavesNothing(command);
});

test('every process of a job carries its id', async () => {
  const command = run('-n', '3', waiting, 'loop');
  await allWait(command);
  const own = processesOf(command.mark);
  const ids = own.map(({ environment }) => environment.get('ONECOPY_JOB'));
  expect(own.length).toBe(4);
  expect(ids.filter((id) => id === undefined)).toHaveLength(1);
  expect(new Set(ids).size).toBe(2);
  command.child.kill('SIGINT');
  await command.ended;
  await leavesNothing(command);
});
