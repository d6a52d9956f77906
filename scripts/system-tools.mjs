// Tools that some checks need and npm does not bring: installed from Debian's packages when this is root, else the
// checks are left out and the reason is told. Never a reason to fail.

import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { findOnPath } from './prerequisites.mjs';
import { isDone, listFiles, markDone, say } from './steps.mjs';

const APT_TIMEOUT_MS = 10 * 60_000;

/** What each program is for, and the Debian packages that bring it. */
const tools = {
  spin: { packages: ['spin', 'gcc', 'libc6-dev'], wanted: () => has('native/models', '.pml') },
  'clang-format': { packages: ['clang-format'], wanted: () => true },
  'clang++': { packages: ['clang', 'libclang-rt-dev'], wanted: () => has('native/fuzz', '.cc') },
  strace: { packages: ['strace'], wanted: () => true },
};

/**
 * @param {string} folder
 * @param {string} extension
 */
function has(folder, extension) {
  return listFiles([folder], (path) => path.endsWith(extension)).length > 0;
}

/**
 * Brings what is missing where that is possible.
 *
 * @returns {Map<string, string>} the tools that are still missing, and why
 */
export function provideSystemTools() {
  const missing = Object.entries(tools).filter(
    ([name, tool]) => tool.wanted() && findOnPath(name) === undefined,
  );
  /** @type {Map<string, string>} */
  const reasons = new Map();
  let updated = false;
  for (const [name, { packages }] of missing) {
    const reason = whyNot(name, packages) ?? install(name, packages, updated);
    updated = true;
    if (reason !== undefined) reasons.set(name, reason);
    else if (findOnPath(name) === undefined) reasons.set(name, 'its Debian package lacks it');
  }
  return reasons;
}

/**
 * @param {string} name
 * @param {string[]} packages
 * @returns {string | undefined} why there is no use in trying
 */
function whyNot(name, packages) {
  if (findOnPath('apt-get') === undefined) return 'not installed, and there is no apt-get here';
  if (process.getuid?.() !== 0) {
    return `not installed, and only root may: sudo apt-get install ${packages.join(' ')}`;
  }
  if (isDone(`no-${name}`, today())) {
    return `could not be installed earlier today (remove .bootstrap/no-${name} to try again)`;
  }
  return undefined;
}

/**
 * @param {string} name
 * @param {string[]} packages
 * @param {boolean} updated whether the lists of packages are fresh
 * @returns {string | undefined} why it failed
 */
function install(name, packages, updated) {
  say(`installing ${name}`);
  const steps = [
    ...(updated ? [] : [['update']]),
    ['install', '--yes', '--no-install-recommends', ...packages],
  ];
  for (const args of steps) {
    const { status, stderr } = spawnSync(
      'apt-get',
      ['--quiet', '-o', 'DPkg::Lock::Timeout=120', ...args],
      {
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
        encoding: 'utf8',
        timeout: APT_TIMEOUT_MS,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    if (status !== 0) {
      markDone(`no-${name}`, today());
      const last = stderr?.trim().split('\n').at(-1);
      return `apt-get ${args[0]} failed${last ? `: ${last}` : ''}`;
    }
  }
  return undefined;
}

/** Once a day is enough: without a network, apt-get takes minutes to give up. */
function today() {
  return new Date().toISOString().slice(0, 10);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [name, reason] of provideSystemTools()) say(`no ${name}: ${reason}`);
}
