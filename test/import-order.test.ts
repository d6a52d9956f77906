import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findViolations } from './import-order.ts';

const root = join(import.meta.dirname, '..');

test('every module imports downwards only', () => {
  const { files, violations } = findViolations(root);
  expect(violations).toEqual([]);
  expect(files).toBeGreaterThan(10);
});

describe('a violation is caught:', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'onecopy-import-order-'));
    for (const manifest of [
      'native',
      'packages/engine',
      'packages/runtime',
      'packages/launcher',
      'packages/onecopy',
      'bench',
    ]) {
      cpSync(join(root, manifest, 'package.json'), join(folder, manifest, 'package.json'));
    }
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function write(file: string, content: string): void {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }

  test('none in a sound workspace', () => {
    write('packages/runtime/src/index.ts', "export { load } from '@onecopy/native';\n");
    write('native/core/ring/ring.cc', '#include "core/ring/ring.h"\n#include <atomic>\n');
    expect(findViolations(folder)).toEqual({ files: 2, violations: [] });
  });

  const cases: [what: string, file: string, content: string, message: string][] = [
    [
      'an import upwards',
      'packages/engine/src/index.ts',
      "import { world } from '@onecopy/runtime';\n",
      'packages/engine/src/index.ts: engine imports nothing, but it imports @onecopy/runtime',
    ],
    [
      'a built-in module in engine',
      'packages/engine/src/index.ts',
      "import { join } from 'node:path';\n",
      'packages/engine/src/index.ts: engine imports nothing, but it imports node:path',
    ],
    [
      'a type from above',
      'native/src/binding.ts',
      "import type { Request } from '@onecopy/runtime';\n",
      'native/src/binding.ts: native may not import @onecopy/runtime, which stands above it',
    ],
    [
      'a dynamic import upwards',
      'packages/runtime/src/index.ts',
      "export const spawn = () => import('@onecopy/launcher');\n",
      'packages/runtime/src/index.ts: runtime may not import @onecopy/launcher, which stands above it',
    ],
    [
      'a re-export from the top',
      'bench/src/index.ts',
      "export * from 'onecopy';\n",
      'bench/src/index.ts: bench may not import onecopy, which stands above it',
    ],
    [
      'a path into the neighbour',
      'packages/runtime/src/index.ts',
      "export * from '../../launcher/src/index.ts';\n",
      'packages/runtime/src/index.ts: ../../launcher/src/index.ts leaves the package: import it by its name',
    ],
    [
      'a package that the manifest does not name',
      'packages/runtime/src/index.ts',
      "import pino from 'pino';\n",
      'packages/runtime/src/index.ts: pino is not among the dependencies of runtime',
    ],
    [
      'a .node file loaded outside native',
      'packages/runtime/src/index.ts',
      "import load from 'node-gyp-build';\n",
      'packages/runtime/src/index.ts: only native loads a .node file, but it imports node-gyp-build',
    ],
    [
      'core including the addon',
      'native/core/ring/ring.cc',
      '#include "addon/args.h"\n',
      'native/core/ring/ring.cc: core may not include addon/args.h',
    ],
    [
      'core including the addon by a path',
      'native/core/ring/ring.cc',
      '#include "../../addon/args.h"\n',
      'native/core/ring/ring.cc: core may not include ../../addon/args.h',
    ],
    [
      'core including Node-API',
      'native/core/ring/ring.h',
      '#  include <node_api.h>\n',
      'native/core/ring/ring.h: node_api.h is for native/addon only',
    ],
    [
      'a test of core including libuv',
      'native/test/ring_test.cc',
      '#include <uv.h>\n',
      'native/test/ring_test.cc: uv.h is for native/addon only',
    ],
  ];

  test.each(cases)('%s', (_what, file, content, message) => {
    write(file, content);
    expect(findViolations(folder).violations).toEqual([message]);
  });

  test('a dependency upwards in a manifest', () => {
    write(
      'packages/engine/package.json',
      JSON.stringify({
        name: '@onecopy/engine',
        dependencies: { '@onecopy/native': 'workspace:*' },
      }),
    );
    expect(findViolations(folder).violations).toEqual([
      'packages/engine/package.json: engine imports nothing, but it depends on @onecopy/native',
    ]);
  });

  test('a package that the plan does not know', () => {
    write('packages/helpers/package.json', JSON.stringify({ name: '@onecopy/helpers' }));
    expect(findViolations(folder).violations).toEqual([
      'packages/helpers/package.json: helpers has no place in the import order',
    ]);
  });
});
