// Set-up steps that run only when their inputs changed, one process of this clone at a time.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from './prerequisites.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stateFolder = join(root, '.bootstrap');

/**
 * Says what is happening, on stderr: stdout belongs to the command that follows.
 *
 * @param {string} text
 */
export function say(text) {
  process.stderr.write(`onecopy: ${text}\n`);
}

/**
 * All files under the given files and folders, sorted; what does not exist is left out.
 *
 * @param {string[]} starts relative to the root
 * @param {(path: string) => boolean} [wanted]
 * @returns {string[]} relative to the root
 */
export function listFiles(starts, wanted = () => true) {
  /** @type {string[]} */
  const found = [];
  /** @param {string} path */
  const visit = (path) => {
    let entries;
    try {
      entries = readdirSync(join(root, path), { withFileTypes: true });
    } catch (error) {
      if (error.code === 'ENOTDIR' && wanted(path)) found.push(path);
      if (error.code === 'ENOTDIR' || error.code === 'ENOENT') return;
      throw error;
    }
    for (const entry of entries) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules' && entry.name !== 'dist') visit(child);
      } else if (entry.isFile() && wanted(child)) found.push(child);
    }
  };
  for (const start of starts) visit(start);
  return [...new Set(found)].sort();
}

/** The folders of all workspace packages, relative to the root. */
export function packageFolders() {
  return listFiles(['native', 'packages', 'bench'], (path) =>
    /(^|\/)package\.json$/.test(path),
  ).map(dirname);
}

/**
 * A key over the contents of files and anything else that decides a result.
 *
 * @param {string[]} files relative to the root
 * @param {...unknown} others
 */
export function keyOf(files, ...others) {
  const hash = createHash('sha256').update(JSON.stringify(others));
  for (const file of files) {
    const content = readFileSync(join(root, file));
    hash.update(`\0${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * @param {string} step
 * @param {string} key
 */
export function isDone(step, key) {
  try {
    return readFileSync(join(stateFolder, step), 'utf8') === key;
  } catch {
    return false;
  }
}

/**
 * @param {string} step
 * @param {string} key
 */
export function markDone(step, key) {
  mkdirSync(stateFolder, { recursive: true });
  const file = join(stateFolder, step);
  writeFileSync(`${file}.${process.pid}`, key);
  renameSync(`${file}.${process.pid}`, file);
}

/** @param {string} step */
export function forget(step) {
  rmSync(join(stateFolder, step), { force: true });
}

/**
 * Runs `action` while no other process works on this clone. The lock is an abstract socket: the kernel frees it
 * however its holder ends, so it cannot be left behind.
 *
 * @template T
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function exclusively(action) {
  const name = `\0onecopy-setup-${createHash('sha256').update(root).digest('hex').slice(0, 32)}`;
  let told = false;
  for (;;) {
    const server = createServer((socket) => socket.destroy());
    const taken = await new Promise((resolve, reject) => {
      server.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
        if (error.code === 'EADDRINUSE') resolve(true);
        else reject(error);
      });
      server.listen(name, () => resolve(false));
    });
    if (!taken) {
      try {
        return await action();
      } finally {
        server.close();
      }
    }
    if (!told) say('another set-up of this clone is running, waiting for it');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * Runs a tool quietly; shows what it printed only when it warned, or failed for a reason `hint` does not know.
 *
 * @param {string} what a noun for the message: "the native build"
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, hint?: (output: string) => string | undefined }} [options]
 */
export async function runTool(what, program, args, options = {}) {
  const child = spawn(program, args, {
    cwd: options.cwd ?? root,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (/** @type {string} */ text) => {
    output += text;
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  const [code, signal, error] = await new Promise((resolve) => {
    child.once('error', (failure) => resolve([null, null, failure]));
    child.once('close', (exitCode, exitSignal) => resolve([exitCode, exitSignal, undefined]));
  });
  if (error) throw new SetupError(`${what} could not start: ${error.message}.`);
  if (code !== 0) {
    const hint = options.hint?.(output);
    if (hint) throw new SetupError(`${what} failed: ${hint}.`);
    process.stderr.write(output);
    const how = signal ? `was ended by ${signal}` : `failed (exit code ${code})`;
    throw new SetupError(`${what} ${how}; its output stands above.`);
  }
  if (/\bwarning: /.test(output)) process.stderr.write(output);
  return output;
}

/** @param {number} start from performance.now() */
export function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
