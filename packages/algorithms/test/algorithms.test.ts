import { afterAll, describe, test } from 'vitest';
import type { Algorithm } from '../src/index.ts';
import { algorithmsOf, COLLECTIVES } from '../src/index.ts';
import { check, type Problem, schedulesOf } from '../src/simulator/index.ts';

// Every algorithm, simulated: no process, no time, so every size can be had. What a check covers is said in
// src/simulator/check.ts. All sizes up to 33 have every edge of powers of two and four; above, the seams only.
const EVERY_SIZE = 33;
const LARGER_SIZES = [48, 63, 64, 65, 96, 127, 128];
const LARGEST_SIZES = [129, 200, 256];

const ROOTED = new Set(['bcast', 'reduce', 'gather', 'gatherv', 'scatter', 'scatterv']);
const IN_PLACE = new Set([
  'reduce',
  'allreduce',
  'scan',
  'exscan',
  'gather',
  'gatherv',
  'scatter',
  'scatterv',
  'allgather',
  'allgatherv',
]);
/** Steps per rank grow with the size, so all together with its square: fewer cases for these. */
const DIRECT = new Set(['direct', 'pull']);

let checked = 0;
afterAll(() => console.log(`simulated ${checked} calls, each in several orders`));

function rootsOf(size: number, all: boolean): number[] {
  if (all) return [...new Array(size).keys()];
  return [...new Set([0, 1 % size, size >> 1, size - 1])];
}

function countsOf(size: number): number[] {
  return [...new Set([0, 1, size - 1, size, 3 * size + 1])];
}

function simulate(algorithm: Algorithm, problem: Problem, seeds: readonly number[]): void {
  checked += 1;
  try {
    check(schedulesOf(algorithm, problem), problem, { ordered: algorithm.ordered, seeds });
  } catch (error) {
    throw new Error(`seeds ${seeds}, ${JSON.stringify(problem)}`, { cause: error });
  }
}

for (const operation of COLLECTIVES) {
  describe(operation, () => {
    const places = IN_PLACE.has(operation) ? [false, true] : [false];

    test.each(algorithmsOf(operation))('$name, all sizes up to 33', (algorithm) => {
      for (let size = 1; size <= EVERY_SIZE; size += 1) {
        const small = size <= 9;
        const roots = ROOTED.has(operation) ? rootsOf(size, size <= 17) : [0];
        const counts = operation === 'barrier' ? [0] : countsOf(size);
        for (const root of roots) {
          for (const [turn, count] of counts.entries()) {
            // Of larger ones, every second combination: another half for each size and root.
            const pick = turn + size + root;
            if (!small && pick % 2 === 1) continue;
            const seed = 1000 * size + 10 * root + count;
            for (const inPlace of size <= 17 ? places : [places[(pick >> 1) % places.length]!]) {
              const problem = { operation, size, root, count, inPlace };
              simulate(algorithm, problem, small ? [seed, seed + 1] : [seed]);
            }
          }
        }
      }
    });

    test.each(algorithmsOf(operation))('$name, larger sizes', (algorithm) => {
      const heavy = DIRECT.has(algorithm.name) || operation === 'alltoall';
      const sizes = heavy ? [64, 127] : [...LARGER_SIZES, ...LARGEST_SIZES];
      for (const size of sizes) {
        const roots = ROOTED.has(operation) ? [0, size >> 1, size - 1] : [0];
        for (const [turn, root] of roots.entries()) {
          const count = heavy || size > 128 ? 1 : ([3, size + 1, 0][(turn + size) % 3] as number);
          const inPlace = places.length > 1 && (turn + size) % 2 === 0;
          simulate(algorithm, { operation, size, root, count, inPlace }, heavy ? [] : [size]);
        }
      }
    });
  });
}
