import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Command, onecopy, program, root, runOnecopy } from './support/command.ts';
import { processesOf, traces } from './support/leftovers.ts';

/** Where nothing is installed. */
let folder: string;
let temporary: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onecopy-test-'));
  temporary = mkdtempSync(join(tmpdir(), 'onecopy-test-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(temporary, { recursive: true, force: true });
});

function file(name: string, content: string, mode = 0o644): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

const sorted = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .sort();
const ranks = (count: number): string[] =>
  Array.from({ length: count }, (_, rank) => `rank ${rank} of ${count}`);

/** Does this Node need tsx for TypeScript? */
const needsTsx = !Reflect.get(process.features, 'typescript');

const greet = "world.barrier();\nconsole.log('rank', world.rank, 'of', world.size);\n";
/** A file's name and what is in it. */
type Source = readonly [name: string, content: string];

const typed = `const name: string = 'x';\n${greet}`;

const commonTypeScript: Source = ['app.cts', `const { world } = require('onecopy');\n${typed}`];

const outside: readonly Source[] = [
  ['app.mjs', `import { world } from 'onecopy';\n${greet}`],
  ['app.cjs', `const { world } = require('onecopy');\n${greet}`],
  ['late.cjs', `import('onecopy').then(({ world }) => {\n${greet}});\n`],
  ['app.mts', `import { world } from 'onecopy';\n${typed}`],
  ['app.ts', `import { world } from 'onecopy';\n${typed}`],
  // Before Node 24, nothing that is preloaded, tsx or our fallback, lets a .cts file load a module by require() if that
  // module imports another one.
  ...(Number.parseInt(process.versions.node, 10) < 24 ? [] : [commonTypeScript]),
];

describe('a program outside of every project uses onecopy as', () => {
  test.each(outside)('%s', async (name, content) => {
    const command = onecopy(['run', '-n', '2', file(name, content)], {
      cwd: folder,
      env: { TMPDIR: temporary },
    });
    const { code, stdout, stderr } = await command.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(sorted(stdout)).toEqual(ranks(2));
    // Among what must be gone: tsx's esbuild and its cache.
    expect(traces(command.mark, temporary)).toEqual([]);
  });

  test('and other missing packages stay missing', async () => {
    const app = file('app.mjs', "import 'onecopier';\n");
    const { code, stderr } = await runOnecopy(['run', '-n', '1', app]);
    expect(code).toBe(1);
    expect(stderr).toContain("Cannot find package 'onecopier'");
  });
});

describe.runIf(needsTsx)('TypeScript through tsx', () => {
  test('leaves no esbuild behind, also when a rank is killed', async () => {
    const app = file(
      'app.mts',
      `import { world } from 'onecopy';
       const ready: number = world.rank;
       world.barrier();
       console.log('ready', ready);
       setInterval(() => {}, 1000);\n`,
    );
    const command = onecopy(['run', '-n', '2', app], { env: { TMPDIR: temporary } });
    await command.stdoutMatches(/ready 0/);
    await command.stdoutMatches(/ready 1/);
    expect(processesOf(command.mark).some(({ command }) => command.includes('--service'))).toBe(
      true,
    );
    command.child.kill('SIGINT');
    expect((await command.ended).code).toBe(130);
    expect(traces(command.mark, temporary)).toEqual([]);
  });

  test('says what to do about top-level await where a file is not a module', async () => {
    const app = file('app.ts', "import { world } from 'onecopy';\nawait world.rank;\n");
    const { code, stderr } = await runOnecopy(['run', '-n', '2', app]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^onecopy: app\.ts uses await at its top level, .*"type": "module".* or rename it to app\.mts$/m,
    );
    file('package.json', '{"type":"module"}');
    expect((await runOnecopy(['run', '-n', '2', app])).code).toBe(0);
  });
});

describe('programs that are not for Node:', () => {
  test('a shell, with the environment that MPI programs look at', async () => {
    const names = ['', 'LOCAL_'].map(
      (kind) => `$OMPI_COMM_WORLD_${kind}RANK/$OMPI_COMM_WORLD_${kind}SIZE`,
    );
    const script = `echo $ONECOPY_RANK/$ONECOPY_SIZE ${names.join(' ')} pmi:$PMI_RANK`;
    const { code, stdout } = await runOnecopy(['run', '-n', '2', 'sh', '-c', script]);
    expect(code).toBe(0);
    expect(sorted(stdout)).toEqual(['0/2 0/2 0/2 pmi:', '1/2 1/2 1/2 pmi:']);
  });

  test('a script with #!, and its arguments', async () => {
    const script = file('tool', '#!/bin/sh\nprintf "<%s>" "$@"; echo\n', 0o755);
    const { stdout } = await runOnecopy(['run', '-n', '2', script, 'a b', '', '--', '-n']);
    expect(stdout).toBe('<a b><><--><-n>\n'.repeat(2));
  });

  test('node with options of its own', async () => {
    const args = ['run', '-n', '2', 'node', '--expose-gc', program('world.mjs')];
    const { code, stdout } = await runOnecopy(args);
    expect(code).toBe(0);
    expect(sorted(stdout)).toEqual(ranks(2));
  });

  test('a file that cannot be executed after all', async () => {
    const script = file('tool', 'no interpreter is named here\n', 0o755);
    const { code, stderr } = await runOnecopy(['run', '-n', '2', script]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^onecopy: .*tool.*\n$/);
    expect(stderr.trim()).not.toContain('\n');
  });
});

describe('processes below a rank:', () => {
  test('a wrapper that starts the program in a Node of its own is an error that names it', async () => {
    const args = ['run', '-n', '2', program('wrapper.mjs'), program('world.mjs')];
    const { code, stdout, stderr } = await runOnecopy(args);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('ERR_BOOTSTRAP');
    expect(stderr).toContain('start the program directly');
  });

  test('so is tsx as a command', async () => {
    const tsx = join(root, 'node_modules/.bin/tsx');
    const { code, stderr } = await runOnecopy(['run', '-n', '2', tsx, program('world.mjs')]);
    expect(code).toBe(1);
    expect(stderr).toContain('ERR_BOOTSTRAP');
  });

  test('a Node that a rank starts is a world of one', async () => {
    const { code, stdout } = await runOnecopy(['run', '-n', '2', program('parent.mjs')]);
    expect(code).toBe(0);
    expect(sorted(stdout)).toEqual([
      'rank 0: its child exited with 0 and said [ 0, 1 ]',
      'rank 1: its child exited with 0 and said [ 0, 1 ]',
    ]);
  });
});

describe('the command says', () => {
  test.each([
    [
      ['run', '-n', '2', '--tagoutput', 'x'],
      'onecopy: There is no option --tagoutput: did you mean --tag-output?\n',
    ],
    [['run', '-n', '2', './nowhere'], 'onecopy: ./nowhere does not exist.\n'],
    [
      ['run', 'app.ts'],
      'onecopy: Say how many ranks to start, such as: onecopy run -n 4 program.ts\n',
    ],
    [['rnu'], 'onecopy: There is no command rnu: did you mean run?\n'],
    [['--versoin'], 'onecopy: There is no option --versoin: did you mean --version?\n'],
    [
      ['app.ts'],
      'onecopy: There is no command app.ts: to run a program, onecopy run -n 4 program.ts\n',
    ],
  ])('what is wrong with %j, and exits with 2', async (args, sentence) => {
    expect(await runOnecopy(args)).toEqual({ code: 2, signal: null, stdout: '', stderr: sentence });
  });

  test('how it is used', async () => {
    const help = await runOnecopy(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toMatch(/^Usage: onecopy COMMAND/);
    expect(await runOnecopy([])).toMatchObject({ code: 2, stdout: '', stderr: help.stdout });
    const run = await runOnecopy(['run', '--help']);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    for (const option of ['-np', '--tag-output', '--grace', '--eager-limit', '--verbose']) {
      expect(run.stdout).toContain(option);
    }
    expect(`${help.stdout}${run.stdout}`.split('\n').every((line) => line.length <= 100)).toBe(
      true,
    );
  });

  test('its version', async () => {
    const { stdout } = await runOnecopy(['--version']);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
  });

  test('what to do in a clone that was not built', async () => {
    const bin = join(folder, 'onecopy.js');
    copyFileSync(join(root, 'packages/onecopy/bin/onecopy.js'), bin);
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const { code, stderr } = await new Command(process.execPath, [bin]).ended;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        'onecopy: this clone has not been built yet: run npm run build (or npm start) at its root.\n',
    });
  });
});

describe('the launcher tells its story', () => {
  const args = ['-n', '2', 'sh', '-c', 'exit 0'];

  test('readably with --verbose', async () => {
    const { stderr } = await runOnecopy(['run', '--verbose', ...args]);
    expect(stderr).toMatch(/^onecopy: job [0-9a-f]{16}: 2 ranks of sh -c exit 0$/m);
    expect(stderr).toMatch(/^onecopy: rank 1 \(pid \d+\) exited with code 0$/m);
  });

  test('to machines with ONECOPY_LOG', async () => {
    const { stderr } = await runOnecopy(['run', ...args], { env: { ONECOPY_LOG: 'info' } });
    const records = sorted(stderr).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.length).toBeGreaterThanOrEqual(3);
    expect(records).toContainEqual(expect.objectContaining({ type: 'exit', rank: 1, code: 0 }));
  });

  test('not at all otherwise, and not to a level that does not exist', async () => {
    expect((await runOnecopy(['run', ...args])).stderr).toBe('');
    const { code, stderr } = await runOnecopy(['run', ...args], { env: { ONECOPY_LOG: 'debgu' } });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'onecopy: ONECOPY_LOG=debgu is no level: did you mean debug?\n',
    });
  });
});
