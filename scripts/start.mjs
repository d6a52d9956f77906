// node scripts/start.mjs, after the set-up: what onecopy is for, in two tables measured here and now.

import { join } from 'node:path';
import {
  comparisonTable,
  describeMachine,
  loopsOf,
  ProgressLine,
  TURN_MS,
} from '../bench/dist/index.js';
import { root } from './steps.mjs';

const KiB = 2 ** 10;
const SIZES = [8, KiB, 64 * KiB, KiB * KiB];
// As few as have a median: npm start should not be a wait.
const ROUNDS = 3;

const progress = new ProgressLine(process.stderr);

/**
 * @param {'pingpong' | 'alltoall'} benchmark
 * @param {number} ranks
 */
async function show(benchmark, ranks) {
  const lines = comparisonTable(
    {
      benchmark,
      ranks,
      sizes: SIZES,
      rounds: ROUNDS,
      launcherArguments: [],
      cli: join(root, 'packages/onecopy/bin/onecopy.js'),
      loops: (bytes) => loopsOf({ benchmark }, bytes, TURN_MS),
    },
    (text) => progress.show(text),
  );
  for await (const line of lines) {
    progress.clear();
    console.log(line);
  }
  console.log();
}

try {
  console.log(`onecopy on ${describeMachine()}\n`);
  await show('pingpong', 2);
  await show('alltoall', 4);
  console.log(`Next:
  npx onecopy bench pingpong --sizes 8,64K,1M --check     percentiles and bandwidth, every byte verified
  npx onecopy run -n 4 examples/wordcount.ts node_modules  a program on real input
  README.md                                                ten lines of your own`);
} catch (error) {
  progress.clear();
  console.error(`onecopy: ${error.message}`);
  process.exitCode = 1;
}
