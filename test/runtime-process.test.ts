// The runtime as part of a process: modules, threads, copies of it, and what keeps the process alive.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VERSION } from 'onecopy';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Command, root } from './support/command.ts';
import { launch, type Outcome, runAlone } from './support/launch.ts';

const runtime = join(root, 'packages/runtime');

function expectOutput(outcome: Outcome, ...lines: string[]): void {
  expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
  expect(outcome.stdout.trimEnd().split('\n')).toEqual(lines);
}

describe('importing', () => {
  test('loads nothing native; the first use does, and a worker thread may not', async () => {
    const outcome = await runAlone('runtime-import-only.mjs');
    const refusal = expect.stringMatching(/^ERR_THREAD: .*main thread.*postMessage/);
    const refusals = Array(6).fill(refusal);
    expectOutput(outcome, 'imported: 0 loaded', 'rank 0: 1 loaded', ...refusals);
  });

  test('starts nothing; the first use joins the job, and the exit leaves it', async () => {
    expectOutput(
      await runAlone('runtime-lifetime.mjs'),
      'imported: false false',
      'joined: true false',
      'first exit handler: true false',
      'last exit handler: true true',
    );
  });

  test('and require give one world', async () => {
    expectOutput(await runAlone('runtime-both-modules.cjs'), 'true 1 7');
  });

  test('says the version of its package', () => {
    const manifest = JSON.parse(readFileSync(join(runtime, 'package.json'), 'utf8'));
    expect(VERSION).toBe(manifest.version);
  });
});

describe('a second copy in one process', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'onecopy-copies-'));
    const require = createRequire(join(runtime, 'package.json'));
    for (const copy of ['first', 'second']) {
      const target = join(folder, copy);
      cpSync(join(runtime, 'dist'), join(target, 'dist'), { recursive: true });
      cpSync(join(runtime, 'package.json'), join(target, 'package.json'));
      for (const name of ['engine', 'native']) {
        const installed = join(require.resolve(`@onecopy/${name}/package.json`), '..');
        cpSync(
          join(installed, 'package.json'),
          join(target, 'node_modules/@onecopy', name, 'package.json'),
        );
        symlinkSync(join(installed, 'dist'), join(target, 'node_modules/@onecopy', name, 'dist'));
      }
      const msgpackr = join(require.resolve('msgpackr'), '../..');
      symlinkSync(msgpackr, join(target, 'node_modules/msgpackr'));
    }
    writeFileSync(
      join(folder, 'main.mjs'),
      `import * as first from './first/dist/index.js';
       import * as second from './second/dist/index.js';
       first.world.send(Uint8Array.of(7), 0, 1);
       const buffer = new Uint8Array(1);
       try {
         second.world.recv(buffer, 0, 1);
         console.log(first.world === second.world, buffer[0]);
       } catch (error) {
         console.log(error.code + ': ' + error.message);
       }`,
    );
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function runCopies(): Promise<Outcome> {
    return new Command(process.execPath, [join(folder, 'main.mjs')]).ended;
  }

  test('of the same version uses the same engine', async () => {
    expectOutput(await runCopies(), 'false 7');
  });

  test('of another version says so', async () => {
    writeFileSync(join(folder, 'second/dist/version.js'), "export const VERSION = '9.9.9';");
    const says = new RegExp(
      `^ERR_NATIVE: .*runs onecopy ${VERSION} .*first/.*this is onecopy 9\\.9\\.9 .*second/.*npm ls`,
    );
    expectOutput(await runCopies(), expect.stringMatching(says));
  });
});

describe('a process', () => {
  test.each([
    ['pending', []],
    ['awaited', ['8 bytes']],
    ['asked', ['false']],
    ['ended', ['nobody', 'waited', 'ERR_CANCELLED']],
    ['observed', ['ERR_TRUNCATE', 'true']],
  ])('is kept alive only by what is awaited: %s', async (how, lines) => {
    const outcome = await runAlone('runtime-alive.mjs', [how]);
    expect(outcome, outcome.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout.split('\n').slice(0, -1).sort()).toEqual([...lines].sort());
  });

  test.each(['unobserved', 'unhandled'])('dies of a failed request: %s', async (how) => {
    const outcome = await runAlone('runtime-alive.mjs', [how]);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(/MpiError: irecv.*8 bytes.* 4/s);
  });
});

describe('a threshold in the environment', () => {
  test.each([
    ['ONECOPY_TWO_SIDED', 'many', 0],
    ['ONECOPY_TWO_SIDED', '-1', 0],
    ['ONECOPY_PUSH_SLICE', '1Q', 0],
    ['ONECOPY_PUSH_SLICE', '99999999999999999999', 0],
    ['ONECOPY_SLICE', '0', 1],
    ['ONECOPY_SLICE', '64 K', 1],
  ])('that is none is an error at the first use: %s=%s', async (name, value, least) => {
    const sentence = `MpiError: ${name}=${value} is not a number of bytes from ${least} up, such as 65536, 64K or 1M`;
    const env = { [name]: value };
    const launched = await launch('world.mjs', { ranks: 2, env });
    for (const outcome of [await runAlone('world.mjs', [], env), launched]) {
      expect(outcome).toMatchObject({ code: 1, signal: null, stdout: '' });
      expect(outcome.stderr).toContain(sentence);
      expect(outcome.stderr).toContain("code: 'ERR_ARG'");
    }
    expect(launched.stderr).toMatch(/rank [01] \(pid \d+\) exited with code 1;/);
  });

  test.each([
    [{ ONECOPY_TWO_SIDED: '1', ONECOPY_PUSH_SLICE: '1', ONECOPY_SLICE: '1' }],
    [{ ONECOPY_TWO_SIDED: '0', ONECOPY_PUSH_SLICE: '', ONECOPY_SLICE: '1M' }],
  ])('is taken: %j', async (env) => {
    const outcome = await launch('world.mjs', { ranks: 2, env });
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
  });
});
