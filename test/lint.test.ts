import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

function run(
  program: string,
  args: string[],
  cwd: string,
): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

describe('the sources are in order:', () => {
  test.each(['biome', 'clang-format', 'types'])('%s', (check) => {
    const { status, output } = run(process.execPath, ['scripts/lint.mjs', check], root);
    if (output.includes('left out')) console.log(output.trim());
    expect(status, output).toBe(0);
  });
});

describe('biome refuses', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'onecopy-lint-'));
    const settings = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8'));
    writeFileSync(join(folder, 'biome.json'), JSON.stringify({ ...settings, vcs: {} }));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function lint(source: string): { status: number | null; output: string } {
    writeFileSync(join(folder, 'example.ts'), source);
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
    return run(process.execPath, [biome, 'lint', '--error-on-warnings'], folder);
  }

  test('nothing in sound code', () => {
    const { status, output } = lint(
      'export function twice(x: number): number {\n  return x + x;\n}\n',
    );
    expect(status, output).toBe(0);
  });

  test.each([
    ['noExplicitAny', 'export function twice(x: any): number {\n  return 2 * x;\n}\n'],
    ['noDefaultExport', 'export default 2;\n'],
    ['noFloatingPromises', 'async function f(): Promise<void> {}\nf();\n'],
    ['useImportExtensions', "import { f } from './other';\n\nf();\n"],
  ])('%s', (rule, source) => {
    writeFileSync(join(folder, 'other.ts'), 'export function f(): void {}\n');
    const { status, output } = lint(source);
    expect(output).toContain(`/${rule}`);
    expect(status).toBe(1);
  });
});
