import type { CollectiveName } from '../algorithm.ts';
import { choose } from '../choose.ts';

/** From how many bytes on an algorithm is chosen. */
interface Threshold {
  readonly bytes: number;
  readonly name: string;
}

/** What is chosen for a range of sizes. */
export interface Choice {
  readonly from: number;
  readonly to: number;
  readonly commutative: boolean;
  readonly thresholds: readonly Threshold[];
}

/** Above, nothing is expected to change. */
export const LARGEST_SIZE = 256;
const LARGEST_BYTES = 2 ** 32;

/** What `choose` answers, found out by asking it, so that it cannot be told wrong. */
export function choicesOf(operation: CollectiveName): Choice[] {
  const choices: Choice[] = [];
  for (const commutative of [true, false]) {
    for (let size = 1; size <= LARGEST_SIZE; size += 1) {
      const thresholds = thresholdsOf(operation, size, commutative);
      const last = choices.at(-1);
      if (last?.commutative === commutative && sameThresholds(last.thresholds, thresholds)) {
        choices[choices.length - 1] = { ...last, to: size };
      } else {
        choices.push({ from: size, to: size, commutative, thresholds });
      }
    }
  }
  return choices;
}

function thresholdsOf(operation: CollectiveName, size: number, commutative: boolean): Threshold[] {
  const ask = (bytes: number): string => {
    const all = operation === 'allgatherv' ? bytes * size : bytes;
    return choose(operation, { size, bytes: all, commutative }).name;
  };
  const thresholds = [{ bytes: 0, name: ask(0) }];
  for (let low = 0, high = 1; high <= LARGEST_BYTES; low = high, high *= 2) {
    if (ask(high) !== ask(low))
      thresholds.push({ bytes: firstChange(ask, low, high), name: ask(high) });
  }
  return thresholds;
}

/** The first number in (low, high] for which the answer is not that for `low`. */
function firstChange(ask: (bytes: number) => string, low: number, high: number): number {
  let [same, other] = [low, high];
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    if (ask(middle) === ask(low)) same = middle;
    else other = middle;
  }
  return other;
}

function sameThresholds(one: readonly Threshold[], other: readonly Threshold[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
