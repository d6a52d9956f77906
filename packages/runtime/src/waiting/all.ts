import { MpiError } from '@onecopy/engine';
import type { Completion } from '../completion.ts';
import {
  checkWaitOptions,
  completionOf,
  outcomeOf,
  type Request,
  type WaitOptions,
} from '../request.ts';
import { processEngine } from '../start.ts';
import { checkRequests, openOf, operationsOf, Patience } from './list.ts';

/** The results of a tuple or array of requests. */
export type Values<R extends readonly Request<unknown>[]> = {
  -readonly [K in keyof R]: R[K] extends Request<infer T> ? T : never;
};

/**
 * Blocks until all requests have completed (MPI_Waitall, MPI-4.1 section 3.7.5). To wait without blocking, use
 * `Promise.all(requests)`.
 *
 * @param requests any number of them, also none
 * @param options `timeout` in milliseconds, for all of them together
 * @returns their results, in the same order
 * @throws MpiError the failure of the first that failed, in the order given, after all have ended; `ERR_TIMEOUT` when
 *   the time is over, `ERR_DEADLOCK` when they can never all complete (those not completed stay active then)
 */
export function waitAll<const R extends readonly Request<unknown>[]>(
  requests: R,
  options?: WaitOptions,
): Values<R> {
  checkRequests('waitAll', requests);
  const timeout = checkWaitOptions('waitAll', options);
  const open = openOf(requests);
  if (open.length > 0) endAll(open, timeout);
  return outcomesOf(requests) as Values<R>;
}

/**
 * Whether all requests have completed, after one look at all outstanding work (MPI_Testall, MPI-4.1 section 3.7.5). Does
 * not block.
 *
 * @param requests any number of them; true for none
 * @returns when it is true, each `value` is there
 * @throws MpiError the failure of the first that failed, in the order given, once all have ended; `ERR_REQUEST` for
 *   what is no request
 */
export function testAll(requests: readonly Request<unknown>[]): boolean {
  checkRequests('testAll', requests);
  const open = openOf(requests);
  if (open.length > 0) {
    processEngine().waitSome(operationsOf(open), 0);
    let all = true;
    for (let index = 0; index < open.length; index++) {
      open[index]?.note();
      if (open[index]?.operation !== undefined) all = false;
    }
    if (!all) return false;
  }
  outcomesOf(requests);
  return true;
}

/** The results, or the first failure thrown; all have ended. */
function outcomesOf(requests: readonly Request<unknown>[]): unknown[] {
  const outcomes: unknown[] = new Array(requests.length);
  for (let index = 0; index < requests.length; index++) {
    const request = requests[index] as Request<unknown>;
    if (completionOf(request)?.failed) seeAll(requests);
    outcomes[index] = outcomeOf(request);
  }
  return outcomes;
}

/** As with `Promise.all`, who is told of the first failure is told of all. */
function seeAll(requests: readonly Request<unknown>[]): void {
  for (const request of requests) completionOf(request)?.see();
}

function endAll(completions: readonly Completion<unknown>[], timeout: number | undefined): void {
  const patience = new Patience('waitAll', timeout);
  for (;;) {
    const operations = operationsOf(completions);
    if (operations.length === 0) break;
    try {
      processEngine().waitAll(operations, patience.next(completions));
    } catch (error) {
      // Either one of them failed, and will say so itself; or time is over, or they cannot all end.
      const timedOut = error instanceof MpiError && error.code === 'ERR_TIMEOUT';
      if (!timedOut && !operations.every(({ done }) => done)) throw error;
    } finally {
      for (let index = 0; index < completions.length; index++) completions[index]?.note();
    }
    if (operations.every(({ done }) => done)) break;
    patience.review(completions);
  }
}
