import type { Algorithm } from '../algorithm.ts';
import { trace } from './check.ts';
import { type Prices, priceOf } from './price.ts';

/** Elements that stand for a message of any length: enough that its parts are about equal. */
const STAND_IN = 256;

/** How long an operation is expected to take with messages or blocks of `bytes`, by its schedule. */
export function estimate(
  algorithm: Algorithm,
  { size, root, bytes }: { readonly size: number; readonly root: number; readonly bytes: number },
  prices: Prices,
): number {
  const { operation } = algorithm;
  const count = operation === 'barrier' ? 0 : Math.min(bytes, STAND_IN);
  const elementBytes = count === 0 ? 1 : bytes / count;
  const problem = { operation, size, root, count, inPlace: false, equal: true };
  return priceOf(trace(algorithm, problem, { elementBytes }), prices);
}
