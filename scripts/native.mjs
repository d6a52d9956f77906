// Compiles what lies in native/: the addon with node-gyp, and core's test programs, which need no Node headers, with
// the same gyp file and gyp alone.

import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { compilerVersion, findTools, thisMachine, tryTools } from './prerequisites.mjs';
import {
  forget,
  isDone,
  keyOf,
  listFiles,
  markDone,
  root,
  runTool,
  say,
  seconds,
} from './steps.mjs';

const native = join(root, 'native');

/**
 * @typedef {object} Variant
 * @property {string} folder build folder below native/
 * @property {Record<string, string | number>} settings variables of binding.gyp
 * @property {string} [compiler] instead of the usual one
 */

/** @type {Record<string, Variant>} */
export const variants = {
  plain: { folder: 'build-plain', settings: { werror: 1, points: 1 } },
  address: { folder: 'build-address', settings: { sanitize: 'address', werror: 1, points: 1 } },
  thread: { folder: 'build-thread', settings: { sanitize: 'thread', werror: 1, points: 1 } },
  fuzz: { folder: 'build-fuzz', settings: { fuzz: 1 }, compiler: 'clang++' },
};

/** Compiles native/build/Release/onecopy.node when it is out of date. */
export async function buildAddon() {
  const machine = thisMachine();
  const tools = findTools(machine);
  const inputs = await nativeInputs(['core', 'addon'], tools.compiler, {});
  if (isDone('addon', inputs.key) && existsSync(join(native, 'build/Release/onecopy.node'))) return;

  const start = performance.now();
  say('compiling the native addon');
  tryTools(tools, machine.env);
  forget('addon');
  const env = buildEnvironment(tools);
  if (
    !isDone('addon-configure', inputs.configureKey) ||
    !existsSync(join(native, 'build/Makefile'))
  ) {
    forget('addon-configure');
    rmSync(join(native, 'build'), { recursive: true, force: true });
    const prefix = dirname(dirname(process.execPath));
    const headers = existsSync(join(prefix, 'include/node/node_api.h'));
    const args = [nodeGyp(), 'configure', ...(headers ? [`--nodedir=${prefix}`] : [])];
    await runTool('Configuring the native build', process.execPath, args, {
      cwd: native,
      env,
      hint: (output) =>
        !headers && output.includes('gyp http GET')
          ? "Node's headers could not be downloaded: go online, or set npm_config_nodedir to a folder that has them in include/node"
          : undefined,
    });
    markDone('addon-configure', inputs.configureKey);
  }
  await make(tools, 'build', 'Release', 'onecopy', env);
  markDone('addon', inputs.key);
  say(`compiled the native addon in ${seconds(start)}`);
}

/**
 * Compiles a program of core (`core_tests` or `core_fuzz`) as a variant.
 *
 * @param {string} name
 * @param {string} [target]
 * @returns {Promise<string>} the program
 */
export async function buildCore(name, target = 'core_tests') {
  const variant = variants[name];
  if (variant === undefined) throw new Error(`no such variant: ${name}`);
  const machine = thisMachine();
  const tools = findTools(machine);
  if (variant.compiler) tools.compiler = variant.compiler;
  const program = join(native, variant.folder, 'Default', target);
  const inputs = await nativeInputs(
    ['core', target === 'core_fuzz' ? 'fuzz' : 'test'],
    tools.compiler,
    variant.settings,
  );
  const step = `${variant.folder}-${target}`;
  if (isDone(step, inputs.key) && existsSync(program)) return program;

  const start = performance.now();
  say(`compiling ${target} (${name})`);
  forget(step);
  const env = buildEnvironment(tools);
  const folder = join(native, variant.folder);
  if (!isDone(`${step}-configure`, inputs.configureKey) || !existsSync(join(folder, 'Makefile'))) {
    forget(`${step}-configure`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    const gyp = join(dirname(dirname(nodeGyp())), 'gyp/gyp_main.py');
    const settings = Object.entries(variant.settings).map(([key, value]) => `-D${key}=${value}`);
    await runTool(
      'Configuring the native build',
      tools.python,
      [
        gyp,
        'binding.gyp',
        '-f',
        'make',
        '--depth=.',
        '--no-parallel',
        ...settings,
        `--generator-output=${variant.folder}`,
        '-Goutput_dir=.',
      ],
      { cwd: native, env },
    );
    markDone(`${step}-configure`, inputs.configureKey);
  }
  await make(tools, variant.folder, 'Default', target, env);
  markDone(step, inputs.key);
  say(`compiled ${target} (${name}) in ${seconds(start)}`);
  return program;
}

/**
 * Two keys: what the Makefile depends on (a change means a clean build), and everything.
 *
 * @param {string[]} folders below native/
 * @param {string} compiler
 * @param {object} settings
 */
async function nativeInputs(folders, compiler, settings) {
  const files = listFiles(
    folders.map((folder) => `native/${folder}`),
    (path) => /\.(cc|h|inc)$/.test(path),
  );
  const sources = listFiles(['native/core', 'native/addon', 'native/test', 'native/fuzz'], (path) =>
    path.endsWith('.cc'),
  );
  const { CXX, CXXFLAGS, CPPFLAGS, LDFLAGS } = process.env;
  const configureKey = keyOf(
    ['native/binding.gyp', 'native/package.json'],
    sources,
    settings,
    [compiler, compilerVersion(compiler, process.env), process.arch],
    [CXX, CXXFLAGS, CPPFLAGS, LDFLAGS],
  );
  return { configureKey, key: keyOf(files, configureKey) };
}

function nodeGyp() {
  const require = createRequire(join(native, 'package.json'));
  return join(dirname(require.resolve('node-gyp/package.json')), 'bin/node-gyp.js');
}

/** @param {ReturnType<typeof findTools>} tools */
function buildEnvironment(tools) {
  // binding.gyp asks "node" for a path: it must be this one.
  const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
  return { ...process.env, PATH: path, CXX: tools.compiler, NODE_GYP_FORCE_PYTHON: tools.python };
}

/**
 * @param {ReturnType<typeof findTools>} tools
 * @param {string} folder
 * @param {string} configuration
 * @param {string} target
 * @param {NodeJS.ProcessEnv} env
 */
async function make(tools, folder, configuration, target, env) {
  await runTool(
    'The native build',
    resolve(tools.make),
    [
      '-C',
      folder,
      `BUILDTYPE=${configuration}`,
      '-j',
      String(os.availableParallelism()),
      '--no-print-directory',
      target,
    ],
    { cwd: native, env },
  );
}
