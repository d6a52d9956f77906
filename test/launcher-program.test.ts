import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  chooseProgram,
  type Program,
  type Surroundings,
} from '../packages/launcher/src/program.ts';
import { TopLevelAwait } from '../packages/launcher/src/top-level-await.ts';
import { UsageError } from '../packages/launcher/src/usage.ts';

const library = 'file:///somewhere/onecopy/dist/index.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'onecopy-test-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, mode = 0o644): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '');
  chmodSync(path, mode);
  return path;
}

function choose(name: string, args: string[] = [], more: Partial<Surroundings> = {}): Program {
  const path = join(folder, 'bin');
  const surroundings = { cwd: folder, path, node: '/usr/bin/node', stripsTypes: true, library };
  return chooseProgram(name, args, { ...surroundings, ...more });
}

function complaint(name: string, more: Partial<Surroundings> = {}): string {
  try {
    choose(name, [], more);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('no complaint');
}

/** As if onecopy were installed there. */
function install(name: string): void {
  file(`node_modules/${name}/package.json`);
}

describe('a program for Node', () => {
  test.each(['app.js', 'app.mjs', 'app.cjs', 'app.ts', 'app.mts', 'app.cts'])('%s', (name) => {
    install('onecopy');
    const script = file(name);
    expect(choose(name, ['a', '-b'])).toEqual({
      file: '/usr/bin/node',
      args: [script, 'a', '-b'],
      env: {},
      tsx: false,
    });
    expect(choose(script).args).toEqual([script]);
  });

  test.each(['app.ts', 'app.mts', 'app.cts'])('%s through tsx, which leaves no cache', (name) => {
    install('onecopy');
    file('node_modules/tsx/package.json');
    writeFileSync(
      join(folder, 'node_modules/tsx/package.json'),
      '{"name":"tsx","exports":"./own.mjs"}',
    );
    const own = file('node_modules/tsx/own.mjs');
    const script = file(name);
    expect(choose(name, ['a'], { stripsTypes: false })).toEqual({
      file: '/usr/bin/node',
      args: ['--import', `file://${own}`, script, 'a'],
      env: { TSX_DISABLE_CACHE: '1' },
      tsx: true,
    });
  });

  test('through our own tsx where the program has none', () => {
    install('onecopy');
    file('app.ts');
    const { args } = choose('app.ts', [], { stripsTypes: false });
    expect(args[1]).toMatch(/^file:\/\/.*\/tsx\/dist\/loader\.mjs$/);
  });

  test('without tsx if it is JavaScript', () => {
    install('onecopy');
    const script = file('app.js');
    expect(choose('app.js', [], { stripsTypes: false }).args).toEqual([script]);
  });

  test('gets our onecopy where it has none', () => {
    const script = file('app.mjs');
    const [option, module, ...rest] = choose('app.mjs').args;
    expect(option).toBe('--import');
    const url = new URL(module!);
    expect(url.pathname).toMatch(/\/launcher\/(src|dist)\/fallback\.[jt]s$/);
    expect(url.searchParams.get('library')).toBe(library);
    expect(rest).toEqual([script]);
  });

  test('keeps its own onecopy, also that of a folder above, and of where a link leads to', () => {
    install('onecopy');
    const script = file('deep/below/app.mjs');
    expect(choose('deep/below/app.mjs').args).toEqual([script]);
    const elsewhere = mkdtempSync(join(tmpdir(), 'onecopy-test-'));
    try {
      const link = join(elsewhere, 'link.mjs');
      symlinkSync(script, link);
      expect(choose(link).args).toEqual([link]);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });
});

describe('any other program is executed as it is:', () => {
  test('a name of PATH, node among them', () => {
    file('bin/node', 0o755);
    const expected = { file: 'node', args: ['--expose-gc', 'app.ts'], env: {}, tsx: false };
    expect(choose('node', ['--expose-gc', 'app.ts'], { stripsTypes: false })).toEqual(expected);
  });

  test('a file', () => {
    file('tool', 0o755);
    expect(choose('./tool', ['x'])).toMatchObject({ file: './tool', args: ['x'] });
    expect(choose(join(folder, 'tool'))).toMatchObject({ file: join(folder, 'tool') });
  });

  test('a name found through an empty entry of PATH', () => {
    file('tool', 0o755);
    expect(choose('tool', [], { path: '/nowhere:' }).file).toBe('tool');
  });
});

describe('a program that cannot be run is a sentence:', () => {
  test('no such script', () => {
    expect(complaint('app.ts')).toBe(`There is no file app.ts in ${folder}.`);
  });

  test('a folder with the name of a script', () => {
    file('app.js/x');
    expect(complaint('app.js')).toBe('app.js is a folder: name the program in it.');
  });

  test('no such file', () => {
    expect(complaint('./tool')).toBe('./tool does not exist.');
  });

  test('a folder', () => {
    file('tool/x');
    expect(complaint('./tool')).toBe('./tool is a folder: name the program in it.');
  });

  test('a file that may not be executed', () => {
    file('tool');
    expect(complaint('./tool')).toMatch(
      /^\.\/tool may not be executed: make it executable \(chmod/,
    );
  });

  test('a name that is nowhere in PATH', () => {
    expect(complaint('tool')).toBe('There is no program tool in PATH.');
    file('bin/tool');
    expect(complaint('tool'), 'not executable').toBe('There is no program tool in PATH.');
  });

  test('a name that is a file here', () => {
    file('tool', 0o755);
    expect(complaint('tool')).toBe('There is no program tool in PATH: did you mean ./tool?');
  });

  test('a name that lacks its extension', () => {
    file('app.ts');
    expect(complaint('app')).toBe('There is no program app in PATH: did you mean app.ts?');
  });
});

describe('top-level await that tsx cannot translate', () => {
  const said =
    '\nnode:internal:1\nError: Transform failed with 1 error:\n' +
    '/tmp/grün/app.ts:1:18: ERROR: Top-level await is currently not supported with the "cjs" output format\n';

  test('is recognised, also in two pieces, and explained', () => {
    const bytes = Buffer.from(said);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const awaits = new TopLevelAwait();
      awaits.look(bytes.subarray(0, cut));
      awaits.look(bytes.subarray(cut));
      expect(awaits.advice).toBe(
        'app.ts uses await at its top level, which only modules may: put "type": "module" into its package.json, or rename it to app.mts',
      );
    }
  });

  test('is not seen where it is not', () => {
    const awaits = new TopLevelAwait();
    awaits.look(Buffer.from('Top-level await is currently not supported in my head\n'));
    awaits.look(Buffer.alloc(100_000, 'x'));
    expect(awaits.advice).toBeUndefined();
  });
});
