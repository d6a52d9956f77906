// What a fresh clone needs, and one sentence for each thing that is missing.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const OLDEST_NODE = [20, 19];
const OLDEST_PYTHON = [3, 6];
const INSTALL_HINT = 'on Debian or Ubuntu: sudo apt-get install g++ make python3';

/** A sentence for the user: printed alone, without a stack trace. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';
}

/**
 * @typedef {object} Machine
 * @property {string} platform
 * @property {string} arch
 * @property {string} node
 * @property {NodeJS.ProcessEnv} env
 */

/** @returns {Machine} */
export function thisMachine() {
  return {
    platform: process.platform,
    arch: process.arch,
    node: process.versions.node,
    env: process.env,
  };
}

/**
 * Where the tools are; throws a SetupError for the first one that is missing. Starts no process.
 *
 * @param {Machine} machine
 */
export function findTools(machine) {
  const { platform, arch, node, env } = machine;
  if (platform !== 'linux') {
    throw new SetupError(
      `Only Linux is supported (this is ${platform}): use a Linux machine, a container or WSL 2.`,
    );
  }
  if (arch !== 'x64' && arch !== 'arm64') {
    throw new SetupError(
      `Only x64 and arm64 are supported (this Node is built for ${arch}): use a 64-bit Node.`,
    );
  }
  if (isOlder(node, OLDEST_NODE)) {
    throw new SetupError(
      `Node ${OLDEST_NODE.join('.')} or newer is needed (this is ${node}): install a newer Node and run the command again.`,
    );
  }
  const compiler = findCompiler(env);
  const make = findOnPath('make', env);
  if (make === undefined) {
    throw new SetupError(`make was not found: install it (${INSTALL_HINT}).`);
  }
  const python = findPython(env);
  return { compiler, make, python };
}

/** @param {NodeJS.ProcessEnv} env */
function findCompiler(env) {
  // CXX may carry arguments or a wrapper: "ccache g++".
  const asked = env.CXX?.trim();
  if (asked) {
    const program = asked.split(/\s+/)[0] ?? asked;
    if (findOnPath(program, env) === undefined) {
      throw new SetupError(
        `The C++ compiler that CXX names, ${program}, was not found: install it or unset CXX.`,
      );
    }
    return asked;
  }
  const found = ['g++', 'c++', 'clang++'].find((name) => findOnPath(name, env) !== undefined);
  if (found === undefined) {
    throw new SetupError(
      `No C++ compiler was found (g++, c++, clang++): install one (${INSTALL_HINT}), or name yours in CXX.`,
    );
  }
  return found;
}

/** @param {NodeJS.ProcessEnv} env */
function findPython(env) {
  const asked = env.NODE_GYP_FORCE_PYTHON || env.PYTHON;
  if (asked) {
    const found = findOnPath(asked, env);
    if (found === undefined) {
      throw new SetupError(
        `The Python that ${env.NODE_GYP_FORCE_PYTHON ? 'NODE_GYP_FORCE_PYTHON' : 'PYTHON'} names, ${asked}, was not found: install it or unset the variable.`,
      );
    }
    return found;
  }
  const found = findOnPath('python3', env) ?? findOnPath('python', env);
  if (found === undefined) {
    throw new SetupError(
      `Python 3 was not found, and node-gyp needs it: install it (${INSTALL_HINT}).`,
    );
  }
  return found;
}

/**
 * Tries what is slow to try; called only when something is about to be compiled.
 *
 * @param {{ compiler: string, make: string, python: string }} tools
 * @param {NodeJS.ProcessEnv} env
 */
export function tryTools(tools, env) {
  const python = spawnSync(tools.python, ['--version'], { env, encoding: 'utf8' });
  const version = /Python (\d+\.\d+\S*)/.exec(`${python.stdout}${python.stderr}`)?.[1];
  if (version === undefined || isOlder(version, OLDEST_PYTHON)) {
    throw new SetupError(
      `Python ${OLDEST_PYTHON.join('.')} or newer is needed (${tools.python} ${version === undefined ? 'does not run' : `is ${version}`}): install it (${INSTALL_HINT}).`,
    );
  }
  const sample = '#include <atomic>\n#include <bit>\n#include <concepts>\n#include <span>\n';
  const compiled = spawnSync(`${tools.compiler} -std=c++20 -fsyntax-only -x c++ -`, {
    env,
    shell: true,
    input: sample,
    encoding: 'utf8',
  });
  if (compiled.status !== 0) {
    throw new SetupError(
      `The C++ compiler (${tools.compiler}) cannot compile C++20: install g++ 11 or newer (${INSTALL_HINT}), or name another one in CXX.`,
    );
  }
}

/**
 * @param {string} compiler
 * @param {NodeJS.ProcessEnv} env
 */
export function compilerVersion(compiler, env) {
  const { stdout, status } = spawnSync(`${compiler} --version`, {
    env,
    shell: true,
    encoding: 'utf8',
  });
  if (status !== 0) {
    throw new SetupError(
      `The C++ compiler (${compiler}) does not run: install a working one (${INSTALL_HINT}), or name another one in CXX.`,
    );
  }
  return stdout.split('\n')[0] ?? '';
}

/**
 * @param {string} program
 * @param {NodeJS.ProcessEnv} [env]
 */
export function findOnPath(program, env = process.env) {
  if (program.includes('/')) return isExecutable(program) ? program : undefined;
  return (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * @param {string} version
 * @param {number[]} oldest
 */
function isOlder(version, oldest) {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  for (const [index, wanted] of oldest.entries()) {
    const have = parts[index] ?? 0;
    if (have !== wanted) return have < wanted;
  }
  return false;
}
