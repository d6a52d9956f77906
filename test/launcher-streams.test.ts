import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Command, cli, onecopy, program, runOnecopy } from './support/command.ts';
import { findOnPath } from './support/path.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onecopy-test-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('what ranks write', () => {
  test('5 MB just before process.exit arrive entirely, in whole lines', async () => {
    const [count, bytes] = [5120, 1024];
    const { code, stdout, stderr } = await runOnecopy([
      ...['run', '-n', '2', program('lines.mjs')],
      ...[String(count), String(bytes)],
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expectLines(stdout, 2, count, bytes);
  });

  test('as lines longer than a pipe is not mixed either', async () => {
    const [count, bytes] = [5, 300_000];
    const { stdout } = await runOnecopy([
      ...['run', '-n', '3', program('lines.mjs')],
      ...[String(count), String(bytes)],
    ]);
    expectLines(stdout, 3, count, bytes);
  });

  function expectLines(text: string, ranks: number, count: number, bytes: number): void {
    const expected = Array.from({ length: ranks }, (_, rank) =>
      `${rank}:`.padEnd(bytes - 1, String.fromCharCode(97 + rank)),
    );
    const seen = new Map<string, number>();
    for (const line of text.split('\n')) seen.set(line, (seen.get(line) ?? 0) + 1);
    expect([...seen.keys()].map((line) => line.slice(0, 20)).sort()).toEqual([
      '',
      ...expected.map((line) => line.slice(0, 20)),
    ]);
    for (const line of expected) expect(seen.get(line)).toBe(count);
  }

  test('is passed on byte by byte', async () => {
    const bytes = randomBytes(300_000);
    writeFileSync(join(folder, 'bytes'), bytes);
    const command = onecopy(['run', '-n', '1', 'cat', join(folder, 'bytes')]);
    await command.ended;
    expect(Buffer.concat(command.stdoutChunks).equals(bytes)).toBe(true);
  });

  test('is passed on from stderr to stderr', async () => {
    const { stdout, stderr } = await runOnecopy([
      'run',
      '-n',
      '2',
      'sh',
      '-c',
      'echo out; echo err >&2',
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: 'out\nout\n', stderr: 'err\nerr\n' });
  });

  test('names the rank with --tag-output, also in a last line without an end', async () => {
    const { stdout, stderr } = await runOnecopy([
      ...['run', '-n', '2', '--tag-output', 'sh', '-c'],
      'echo one; echo err >&2; printf two',
    ]);
    const rows = stdout.split('\n').filter((line) => line !== '');
    expect(rows.sort()).toEqual(['[0] one', '[0] two', '[1] one', '[1] two']);
    expect(stderr.split('\n').sort()).toEqual(['', '[0] err', '[1] err']);
  });

  test('goes to a file as well', async () => {
    const out = openSync(join(folder, 'out'), 'w');
    const command = new Command(
      'sh',
      [
        '-c',
        '"$0" "$@" >&3',
        process.execPath,
        cli,
        'run',
        '-n',
        '2',
        program('lines.mjs'),
        '2000',
        '1000',
      ],
      { descriptors: [out] },
    );
    expect((await command.ended).code).toBe(0);
    expectLines(readFileSync(join(folder, 'out'), 'utf8'), 2, 2000, 1000);
  });

  test('waits for a slow reader in the ranks, not in the memory of the launcher', async () => {
    const total = 32 * 2 ** 20;
    const command = onecopy(['run', '-n', '2', program('writer.mjs'), String(total)]);
    command.child.stdout.pause();
    const launcher = command.pid;
    const ranks = await children(launcher, 2);
    const written = await settled(() => ranks.map((pid) => ioOf(pid, 'wchar')));
    for (const bytes of written) expect(bytes).toBeLessThan(2 ** 20);
    command.child.stdout.resume();
    const { code } = await command.ended;
    expect(code).toBe(0);
    const read = command.stdoutChunks.reduce((sum, chunk) => sum + chunk.length, 0);
    expect(read).toBe(2 * total);
  });

  test('ends the job when nobody reads it any more', async () => {
    const command = onecopy(['run', '-n', '2', program('writer.mjs'), String(2 ** 40)]);
    await command.stdoutMatches(/0\.+\n/);
    command.child.stdout.destroy();
    expect(await command.ended).toMatchObject({ code: 141, stderr: '' });
  });

  test('does not keep an unwanted job from ending when nobody reads it', async () => {
    const command = onecopy(['run', '-n', '2', program('writer.mjs'), String(2 ** 40)]);
    command.child.stdout.pause();
    const ranks = await children(command.pid, 2);
    await settled(() => ranks.map((pid) => ioOf(pid, 'wchar')));
    command.child.kill('SIGTERM');
    const [code] = await once(command.child, 'exit');
    expect(code).toBe(143);
    command.child.stdout.resume();
  });

  test('is missed where it cannot be written', async () => {
    const line = '"$0" "$@" > /dev/full';
    const args = ['-c', line, process.execPath, cli, 'run', '-n', '2', 'echo', 'hello'];
    const { code, stderr } = await new Command('sh', args).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^onecopy: cannot write to stdout: ENOSPC: .*\n$/);
  });

  async function children(parent: number, count: number): Promise<number[]> {
    for (;;) {
      const text = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8');
      const pids = text
        .split(' ')
        .filter((pid) => pid !== '')
        .map(Number);
      if (pids.length === count) return pids;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  function ioOf(pid: number, field: string): number {
    const value = new RegExp(`^${field}: (\\d+)$`, 'm').exec(
      readFileSync(`/proc/${pid}/io`, 'utf8'),
    );
    return Number(value?.[1]);
  }

  /** The first values that are more than a start and stay for a while. */
  async function settled(values: () => number[]): Promise<number[]> {
    let before = '';
    for (let same = 0; same < 20; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const now = values();
      same = now.every((value) => value > 60_000) && String(now) === before ? same + 1 : 0;
      before = String(now);
    }
    return values();
  }
});

describe('stdin goes to rank 0', () => {
  const script = 'cat | sed "s/^/$ONECOPY_RANK:/"';

  test('from a pipe', async () => {
    const text = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join('');
    const { stdout, code } = await runOnecopy(['run', '-n', '3', 'sh', '-c', script], {
      input: text,
    });
    expect(code).toBe(0);
    expect(stdout).toBe(text.replace(/^(?=.)/gm, '0:'));
  });

  test('from a file', async () => {
    writeFileSync(join(folder, 'in'), 'some\ntext\n');
    const file = openSync(join(folder, 'in'), 'r');
    const command = new Command(
      'sh',
      ['-c', '"$0" "$@" <&3', process.execPath, cli, 'run', '-n', '2', 'sh', '-c', script],
      { descriptors: [file] },
    );
    expect((await command.ended).stdout).toBe('0:some\n0:text\n');
  });

  test('after a prompt without a newline', async () => {
    const command = onecopy(['run', '-n', '3', program('ask.mjs')], { input: 'open' });
    await command.stdoutMatches(/name\? $/);
    command.child.stdin.write('Ada\n');
    const { stdout, code } = await command.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('hello Ada\n');
    expect(stdout).toContain('rank 2 read 0 characters\n');
  });

  test('which need not read it', async () => {
    const command = onecopy(['run', '-n', '1', 'true'], { input: 'x'.repeat(1_000_000) });
    expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

// util-linux brings it; it gives its command a terminal, and passes on what it reads and what that writes.
if (findOnPath('script') === undefined) {
  console.warn('left out: output on a terminal: script (util-linux) is not installed');
}
describe.skipIf(findOnPath('script') === undefined)('on a terminal', () => {
  function onTerminal(...args: string[]): Command {
    const line = [process.execPath, cli, 'run', ...args].map((word) => `'${word}'`).join(' ');
    return new Command('script', ['-qec', line, '/dev/null'], { input: 'open' });
  }

  test('each line names its rank', async () => {
    const command = onTerminal('-n', '2', program('world.mjs'));
    const { stdout, code } = await command.ended;
    expect(code).toBe(0);
    expect(stdout.split('\r\n').sort()).toEqual(['', '[0] rank 0 of 2', '[1] rank 1 of 2']);
  });

  test('rank 0 reads what is typed', async () => {
    const command = onTerminal('-n', '2', program('ask.mjs'));
    await command.stdoutMatches(/\[0\] name\? /);
    command.child.stdin.write('Ada\n');
    const { stdout, code } = await command.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('[0] hello Ada\r\n');
  });

  test('a job in the background reads nothing until it comes to the foreground', async () => {
    const line = [process.execPath, cli, 'run', '-n', '2', program('ask.mjs')].join(' ');
    const shell = join(folder, 'shell');
    writeFileSync(shell, `set -m\n${line} &\nread typed\necho "the shell read $typed"\nfg\n`);
    const command = new Command('script', ['-qec', `bash ${shell}`, '/dev/null'], {
      input: 'open',
    });
    await command.stdoutMatches(/name\? /);
    command.child.stdin.write('Grace\n');
    await command.stdoutMatches(/the shell read Grace/);
    command.child.stdin.write('Ada\n');
    const { stdout, code } = await command.ended;
    expect(code).toBe(0);
    expect(stdout).toContain('[0] hello Ada\r\n');
  });

  test('Ctrl-C ends the job with 130', async () => {
    const command = onTerminal('-n', '2', program('waiting.mjs'), 'recv');
    await command.stdoutMatches(/rank 0 of 2 waits/);
    await command.stdoutMatches(/rank 1 of 2 waits/);
    command.child.stdin.write('\x03');
    const { stdout, code } = await command.ended;
    expect(code).toBe(130);
    expect(stdout).toContain('onecopy: SIGINT ended the job\r\n');
  });

  test('a job that takes its time is told how to end at once', async () => {
    const command = onTerminal('-n', '2', '--grace', '60', program('waiting.mjs'), 'loop', 'deaf');
    await command.stdoutMatches(/rank 0 of 2 waits/);
    await command.stdoutMatches(/rank 1 of 2 waits/);
    command.child.stdin.write('\x03');
    await command.stdoutMatches(/onecopy: ending the job; Ctrl-C again kills it at once\r\n/);
    command.child.stdin.write('\x03');
    expect((await command.ended).code).toBe(130);
  });
});
