// node scripts/test.mjs [--full] [--only=core,models,fuzz,vitest] [vitest filters]: a filter means vitest only.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runScript } from './bootstrap.mjs';
import { buildCore } from './native.mjs';
import { findOnPath, SetupError } from './prerequisites.mjs';
import { exclusively, listFiles, root, say, seconds } from './steps.mjs';
import { provideSystemTools } from './system-tools.mjs';

const CHANNELS = ['ring', 'socket'];
const CORE_TIMEOUT_MS = 10 * 60_000;

/**
 * Tests that run on the socket channel too, each time: those in which it matters how ranks talk, end and fail. The
 * tables (matrix, collectives) and chaos choose channels themselves.
 */
const ON_THE_SOCKET_CHANNEL = [
  ...[
    'runtime-ranks',
    'runtime-ends',
    'collectives-failures',
    'launcher-endings',
    'movers',
    'heap',
  ],
].map((name) => `test/${name}.test.ts`);
/** Tests that launch nothing, or nothing that a channel is for. */
const WITHOUT_CHANNEL = ['lint', 'set-up', 'import-order', 'launcher-options', 'tables'];
const FUZZ_SECONDS = 10;

const start = performance.now();
const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const filters = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const full = options.includes('--full');
const only = options
  .find((option) => option.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',');

const passed = /** @type {string[]} */ ([]);
const failed = /** @type {string[]} */ ([]);
const leftOut = /** @type {string[]} */ ([]);

/** @param {string} part */
function wanted(part) {
  return only ? only.includes(part) : filters.length === 0 || part === 'vitest';
}

await runScript(async () => {
  const missing = provideSystemTools();
  for (const [tool, reason] of missing) leftOut.push(`what needs ${tool} (${reason})`);

  if (wanted('core')) {
    if (full) await core('plain', 'core tests', {});
    else leftOut.push('core tests without sanitizers (npm run test:full runs them too)');
    await core('address', 'core tests under ASan and UBSan', {
      ASAN_OPTIONS: 'detect_stack_use_after_return=1',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    });
    const channels = full ? CHANNELS : CHANNELS.slice(0, 1);
    if (!full) leftOut.push('core tests under TSan on the socket channel');
    const options = { TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1' };
    await core('thread', 'core tests under TSan', options, channels);
  }
  if (wanted('fuzz') && hasFuzzers() && findOnPath('clang++')) await fuzz();
  if (wanted('models') && existsSync(join(root, 'native/models/run.mjs'))) await models();
  if (wanted('vitest')) {
    await vitest('vitest', filters, {});
    if (filters.length === 0) await otherChannels();
  }
  summarise();
});

/**
 * @param {string} variant
 * @param {string} name
 * @param {NodeJS.ProcessEnv} environment
 * @param {readonly string[]} channels
 */
async function core(variant, name, environment, channels = CHANNELS) {
  const program = await built(name, () => buildCore(variant));
  if (program === undefined) return;
  // Side by side: some of what they do is to wait.
  const results = await Promise.all(
    channels.map((channel) => runCore(program, environment, channel)),
  );
  for (const [index, result] of results.entries()) {
    record(`${name}, ${channels[index]} channel`, result);
  }
}

/**
 * @param {string} program
 * @param {NodeJS.ProcessEnv} environment
 * @param {string} channel
 */
async function runCore(program, environment, channel) {
  const env = { ...process.env, ...environment, CHANNEL_UNDER_TEST: channel };
  const result = await runCaptured(program, [], env);
  // TSan cannot start where the kernel spreads mappings too widely.
  return /unexpected memory mapping/.test(result.output) && findOnPath('setarch')
    ? runCaptured('setarch', ['-R', program], env)
    : result;
}

function hasFuzzers() {
  return listFiles(['native/fuzz'], (path) => path.endsWith('.cc')).length > 0;
}

async function fuzz() {
  const name = `fuzzer for ${FUZZ_SECONDS} s`;
  const sample = 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }';
  const trial = ['-fsanitize=fuzzer,address', '-x', 'c++', '-', '-o', '/dev/null'];
  if (spawnSync('clang++', trial, { input: sample }).status !== 0) {
    leftOut.push('the fuzzer (this clang++ has no libFuzzer)');
    return;
  }
  const program = await built(name, () => buildCore('fuzz', 'core_fuzz'));
  if (program === undefined) return;
  const args = [`-max_total_time=${FUZZ_SECONDS}`, '-artifact_prefix=.bootstrap/'];
  record(name, await runCaptured(program, args, process.env));
}

async function models() {
  say('models');
  const args = [join(root, 'native/models/run.mjs'), ...(full ? ['--full'] : [])];
  const code = await runShown(process.execPath, args, process.env);
  (code === 0 ? passed : failed).push('models');
}

/** The default is the ring, and messages of some length travel at once. */
async function otherChannels() {
  if (!full) {
    leftOut.push(
      'other tests on the socket channel, and all without eager messages (npm run test:full runs them)',
    );
    await vitest('vitest, socket channel', ON_THE_SOCKET_CHANNEL, { ONECOPY_CHANNEL: 'socket' });
    return;
  }
  const exclude = WITHOUT_CHANNEL.flatMap((name) => ['--exclude', `test/${name}.test.ts`]);
  const rest = ['test/', ...exclude];
  await vitest('vitest, socket channel', rest, { ONECOPY_CHANNEL: 'socket' });
  await vitest('vitest, no eager messages', rest, { ONECOPY_EAGER_LIMIT: '0' });
}

/**
 * @param {string} name
 * @param {string[]} selection
 * @param {NodeJS.ProcessEnv} environment
 */
async function vitest(name, selection, environment) {
  say(name);
  const report = join(root, `.bootstrap/vitest-${process.pid}.json`);
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...selection,
  ];
  const env = { ...process.env, ...(full ? { ONECOPY_TEST_FULL: '1' } : {}), ...environment };
  const code = await runShown(process.execPath, args, env);
  let counts = '';
  try {
    const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(report, 'utf8'));
    counts = ` (${numPassedTests} of ${numTotalTests})`;
  } catch {
    // Without a report vitest has said itself what went wrong.
  } finally {
    rmSync(report, { force: true });
  }
  (code === 0 ? passed : failed).push(`${name}${counts}`);
}

function summarise() {
  const parts = [
    failed.length > 0 ? `FAILED: ${failed.join(', ')}` : '',
    passed.length > 0 ? `passed: ${passed.join(', ')}` : '',
    leftOut.length > 0 ? `left out: ${leftOut.join(', ')}` : '',
  ];
  say(`${parts.filter((part) => part !== '').join('; ')}; ${seconds(start)}`);
  if (failed.length > 0) process.exitCode = 1;
}

/**
 * @param {string} name
 * @param {() => Promise<string>} build
 */
async function built(name, build) {
  try {
    return await exclusively(build);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    failed.push(name);
    return undefined;
  }
}

/**
 * @param {string} name
 * @param {{ code: number | null, how: string, output: string, took: string }} result
 */
function record(name, result) {
  if (result.code === 0) {
    const last = result.output.trim().split('\n').at(-1);
    say(`${name}: ${last || 'passed'} (${result.took})`);
    passed.push(name);
  } else {
    process.stderr.write(result.output);
    say(`${name} failed: ${result.how}`);
    failed.push(name);
  }
}

/**
 * Runs a program in a process group of its own, which is ended when it takes too long.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
async function runCaptured(program, args, env) {
  const begin = performance.now();
  const child = spawn(program, args, {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (/** @type {string} */ text) => {
    output += text;
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  let late = false;
  const end = () => {
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
  };
  const timer = setTimeout(() => {
    late = true;
    end();
  }, CORE_TIMEOUT_MS);
  const interrupt = () => {
    end();
    process.exit(130);
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const [code, signal] = await new Promise((done) => {
    child.once('error', (error) => done([1, error.message]));
    child.once('close', (exitCode, exitSignal) => done([exitCode, exitSignal]));
  });
  clearTimeout(timer);
  process.removeListener('SIGINT', interrupt).removeListener('SIGTERM', interrupt);
  const how = late
    ? `no end after ${CORE_TIMEOUT_MS / 1000} s`
    : code === null
      ? `ended by ${signal}`
      : `exit code ${code}`;
  return { code, how, output, took: seconds(begin) };
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number | null>}
 */
function runShown(program, args, env) {
  const child = spawn(program, args, { cwd: root, env, stdio: 'inherit' });
  return new Promise((done) => {
    child.once('error', () => done(null));
    child.once('close', done);
  });
}
