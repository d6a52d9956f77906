// node scripts/lint.mjs [--fix] [biome] [clang-format] [types]: all of them when none is named.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findOnPath } from './prerequisites.mjs';
import { listFiles, root, say } from './steps.mjs';

const fix = process.argv.includes('--fix');
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

/** @type {Record<string, () => boolean>} each returns whether all is well */
const checks = {
  biome() {
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
    const options = ['--error-on-warnings', '--diagnostic-level=warn', ...(fix ? ['--write'] : [])];
    return run(process.execPath, [biome, 'check', ...options]);
  },

  'clang-format'() {
    const files = listFiles(
      ['native/core', 'native/addon', 'native/bench-movers', 'native/test', 'native/fuzz'],
      (path) => /\.(cc|h)$/.test(path),
    );
    if (files.length === 0) return true;
    if (findOnPath('clang-format') === undefined) {
      say(
        'left out: clang-format is not installed (as root, node scripts/system-tools.mjs installs it)',
      );
      return true;
    }
    return run('clang-format', fix ? ['-i', ...files] : ['--dry-run', '--Werror', ...files]);
  },

  types() {
    return run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b']);
  },
};

/**
 * @param {string} program
 * @param {string[]} args
 */
function run(program, args) {
  return spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status === 0;
}

for (const name of asked.length > 0 ? asked : Object.keys(checks)) {
  const check = checks[name];
  if (check === undefined) {
    say(`no check is named ${name}: there are ${Object.keys(checks).join(', ')}`);
    process.exitCode = 1;
  } else if (!check()) {
    say(`${name} found something${fix ? ' it cannot fix' : ''}`);
    process.exitCode = 1;
  }
}
