import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const bootstrap = join(root, 'scripts/bootstrap.mjs');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onecopy-set-up-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

function runNode(args: string[], env: NodeJS.ProcessEnv): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** Runs the bootstrap with a PATH that has links to these programs and nothing else. */
function bootstrapWith(programs: string[], environment: NodeJS.ProcessEnv = {}): Outcome {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const program of programs) {
    const found = (process.env.PATH ?? '')
      .split(':')
      .map((part) => join(part, program))
      .find((file) => existsSync(file));
    symlinkSync(found ?? '/bin/true', join(bin, program));
  }
  return runNode([bootstrap], { PATH: bin, HOME: folder, ...environment });
}

/** Runs the bootstrap as if it were on another machine. */
function bootstrapOn(machine: { platform?: string; arch?: string; node?: string }): Outcome {
  const source = `
    const { bootstrap, runScript } = await import(${JSON.stringify(pathToFileURL(bootstrap).href)});
    const { thisMachine } = await import(${JSON.stringify(
      pathToFileURL(join(root, 'scripts/prerequisites.mjs')).href,
    )});
    await runScript(() => bootstrap({ ...thisMachine(), ...${JSON.stringify(machine)} }));
  `;
  return runNode(['--input-type=module', '--eval', source], process.env);
}

function expectSentence(outcome: Outcome, sentence: string): void {
  expect(outcome).toEqual({ status: 1, stdout: '', stderr: `onecopy: ${sentence}\n` });
}

const debian = 'on Debian or Ubuntu: sudo apt-get install g++ make python3';

describe('one sentence and exit code 1 for', () => {
  test('no C++ compiler', () => {
    expectSentence(
      bootstrapWith(['make', 'python3']),
      `No C++ compiler was found (g++, c++, clang++): install one (${debian}), or name yours in CXX.`,
    );
  });

  test('a compiler in CXX that is not there', () => {
    expectSentence(
      bootstrapWith(['make', 'python3', 'g++'], { CXX: 'g++-99 -pipe' }),
      'The C++ compiler that CXX names, g++-99, was not found: install it or unset CXX.',
    );
  });

  test('a compiler that does not run', () => {
    expectSentence(
      bootstrapWith(['make', 'python3', 'sh', 'false'], { CXX: 'false' }),
      `The C++ compiler (false) does not run: install a working one (${debian}), or name another one in CXX.`,
    );
  });

  test('no make', () => {
    expectSentence(
      bootstrapWith(['g++', 'python3']),
      `make was not found: install it (${debian}).`,
    );
  });

  test('no Python', () => {
    expectSentence(
      bootstrapWith(['g++', 'make']),
      `Python 3 was not found, and node-gyp needs it: install it (${debian}).`,
    );
  });

  test('a Python in PYTHON that is not there', () => {
    expectSentence(
      bootstrapWith(['g++', 'make', 'python3'], { PYTHON: 'python9' }),
      'The Python that PYTHON names, python9, was not found: install it or unset the variable.',
    );
  });

  test('an old Node', () => {
    expectSentence(
      bootstrapOn({ node: '20.18.3' }),
      'Node 20.19 or newer is needed (this is 20.18.3): install a newer Node and run the command again.',
    );
  });

  test('another system', () => {
    expectSentence(
      bootstrapOn({ platform: 'darwin' }),
      'Only Linux is supported (this is darwin): use a Linux machine, a container or WSL 2.',
    );
  });

  test('another processor', () => {
    expectSentence(
      bootstrapOn({ arch: 'ia32' }),
      'Only x64 and arm64 are supported (this Node is built for ia32): use a 64-bit Node.',
    );
  });
});

test('nothing changed: silence, and soon over', () => {
  runNode([bootstrap], process.env);
  const start = performance.now();
  expect(runNode([bootstrap], process.env)).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(performance.now() - start).toBeLessThan(3000);
});

describe('two set-ups of one clone', () => {
  /** Prints "in" when it has the lock, and gives it back when its stdin ends. */
  const program = `
    const { exclusively } = await import(${JSON.stringify(
      pathToFileURL(join(root, 'scripts/steps.mjs')).href,
    )});
    await exclusively(async () => {
      process.stdout.write('in');
      for await (const _ of process.stdin);
    });
  `;
  let children: ChildProcess[] = [];

  function start(): ChildProcess {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
    child.stdout?.setEncoding('utf8');
    child.stderr?.setEncoding('utf8');
    children.push(child);
    return child;
  }

  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children = [];
  });

  test.each(['ends', 'is killed'])('wait for each other until the first one %s', async (how) => {
    const first = start();
    expect(await once(first.stdout!, 'data')).toEqual(['in']);

    const second = start();
    let entered = false;
    const enters = once(second.stdout!, 'data').then(() => {
      entered = true;
    });
    expect(await once(second.stderr!, 'data')).toEqual([
      'onecopy: another set-up of this clone is running, waiting for it\n',
    ]);
    expect(entered).toBe(false);

    if (how === 'ends') first.stdin?.end();
    else first.kill('SIGKILL');
    await enters;
    second.stdin?.end();
    expect(await once(second, 'exit')).toEqual([0, null]);
  });
});
