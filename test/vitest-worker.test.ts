// onecopy inside a test runner's worker: a world of one, or an error that says why not.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Command, cli, root } from './support/command.ts';

const vitest = join(root, 'node_modules/vitest/vitest.mjs');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'onecopy-vitest-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(
    join(folder, 'inner.test.mjs'),
    `import { test } from 'vitest';
     import { world } from 'onecopy';
     test('inside', () => {
       try {
         const got = new Uint8Array(1);
         world.send(Uint8Array.of(42), 0, 1);
         world.recv(got, 0, 1);
         console.log('outcome: a world of ' + world.size + ' ' + got[0]);
       } catch (error) {
         console.log('outcome:', error.code, error.message);
       }
     });`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

async function outcome(pool: string, launched: boolean): Promise<string> {
  const inner = [vitest, 'run', '--root', folder, '--pool', pool, 'inner.test.mjs'];
  const args = launched ? [cli, 'run', '-n', '1', 'node', ...inner] : inner;
  const { stdout, stderr } = await new Command(process.execPath, args, { cwd: folder }).ended;
  return /outcome: (.*)/.exec(stdout)?.[1] ?? `none: ${stdout}${stderr}`;
}

test('a worker process is a world of one', async () => {
  expect(await outcome('forks', false)).toBe('a world of 1 42');
});

test('a worker thread is told that only main threads can communicate', async () => {
  expect(await outcome('threads', false)).toMatch(/^ERR_THREAD .*main thread/);
});

test('a worker process of a rank is told that it is not the rank', async () => {
  expect(await outcome('forks', true)).toMatch(/^ERR_BOOTSTRAP .*(closed on the way|in its name)/);
});
