// node scripts/instructions.mjs: how many instructions an 8-byte message costs its sender and its receiver, counted by
// callgrind. Times depend on what else the machine does; these hardly do, so a change can be judged by them.
//
// `call` is the addon's function with all it calls. `whole` is the difference of two whole runs of different length, with
// the JavaScript around the calls: of a send and a receive together.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runScript } from './bootstrap.mjs';
import { findOnPath } from './prerequisites.mjs';
import { root } from './steps.mjs';

const BURST = 64;
const SHORT = 400;
const LONG = 1200;

await runScript(async () => {
  if (!findOnPath('valgrind')) {
    console.log('instructions: needs valgrind (Debian: apt-get install valgrind)');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'onecopy-instructions-'));
  try {
    const short = measure(folder, SHORT);
    const long = measure(folder, LONG);
    const messages = (LONG - SHORT) * BURST;
    /** @param {'send' | 'recv' | 'whole'} name */
    const each = (name) => Math.round((long[name] - short[name]) / messages);
    console.log(
      JSON.stringify({ bytes: 8, send: each('send'), recv: each('recv'), whole: each('whole') }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/**
 * Instructions of rank 0 in a run.
 *
 * @param {string} folder
 * @param {number} bursts
 */
function measure(folder, bursts) {
  const script = join(root, 'scripts/instructions/rank.sh');
  const cli = join(root, 'packages/onecopy/bin/onecopy.js');
  const run = spawnSync(process.execPath, [cli, 'run', '-n', '2', script, folder, String(bursts)], {
    stdio: 'inherit',
  });
  if (run.status !== 0) throw new Error(`the run ended with ${run.status ?? run.signal}`);
  const file = join(folder, `out.${bursts}`);
  const report = execFileSync('callgrind_annotate', ['--inclusive=yes', '--threshold=100', file], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return {
    whole: count(report, 'PROGRAM TOTALS'),
    send: count(report, '::send(napi_env__*, napi_callback_info__*)'),
    recv: count(report, '::recv(napi_env__*, napi_callback_info__*)'),
  };
}

/**
 * The most that a line with this name says; a function stands there once for each file that it is compiled from.
 *
 * @param {string} report
 * @param {string} name
 */
function count(report, name) {
  const lines = report.split('\n').filter((line) => line.includes(name) && !line.includes('=>'));
  return Math.max(...lines.map((line) => Number(line.trim().split(/\s/)[0]?.replaceAll(',', ''))));
}
