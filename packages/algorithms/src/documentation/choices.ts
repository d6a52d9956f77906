import type { CollectiveName, Situation } from '../algorithm.ts';
import { choose } from '../choose.ts';

/** From how many bytes on an algorithm is chosen. */
interface Threshold {
  readonly bytes: number;
  readonly name: string;
}

/** What a choice depends on beside size and bytes. */
export type Circumstances = Required<Pick<Situation, 'commutative' | 'area'>>;

/** What is chosen for a range of sizes. */
export interface Choice {
  readonly from: number;
  readonly to: number;
  readonly thresholds: readonly Threshold[];
}

/** Above, nothing is expected to change. */
export const LARGEST_SIZE = 256;
const LARGEST_BYTES = 2 ** 32;

/** What `choose` answers, found out by asking it, so that it cannot be told wrong. */
export function choicesOf(operation: CollectiveName, circumstances: Circumstances): Choice[] {
  const choices: Choice[] = [];
  for (let size = 1; size <= LARGEST_SIZE; size += 1) {
    const thresholds = thresholdsOf(operation, size, circumstances);
    const last = choices.at(-1);
    if (last !== undefined && JSON.stringify(last.thresholds) === JSON.stringify(thresholds)) {
      choices[choices.length - 1] = { ...last, to: size };
    } else {
      choices.push({ from: size, to: size, thresholds });
    }
  }
  return choices;
}

function thresholdsOf(
  operation: CollectiveName,
  size: number,
  circumstances: Circumstances,
): Threshold[] {
  const ask = (bytes: number): string => {
    const all = operation === 'allgatherv' ? bytes * size : bytes;
    return choose(operation, { size, bytes: all, ...circumstances }).name;
  };
  const thresholds = [{ bytes: 0, name: ask(0) }];
  for (let low = 0, high = 1; high <= LARGEST_BYTES; low = high, high *= 2) {
    if (ask(high) === ask(low)) continue;
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
