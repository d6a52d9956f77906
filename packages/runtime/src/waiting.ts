import { MpiError, type PendingOperation } from '@onecopy/engine';
import { show } from './arguments.ts';
import type { Completion } from './completion.ts';
import {
  checkWaitOptions,
  completionOf,
  isRequest,
  outcomeOf,
  type Request,
  type WaitOptions,
} from './request.ts';
import { processEngine } from './start.ts';

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
  if (!Array.isArray(requests)) {
    throw new MpiError('ERR_ARG', `waitAll: takes an array of requests, not ${show(requests)}`);
  }
  const open = openOf(requests);
  const timeout = checkWaitOptions('waitAll', options);
  if (open.length > 0) {
    if (timeout === undefined) endAll(open);
    else endAllWithin(open, timeout);
  }
  return outcomesOf(requests) as Values<R>;
}

// Loops by index, here and below: with a window of small messages each pass over it counts.

/** The completions of those that have not ended yet. */
function openOf(requests: readonly unknown[]): readonly Completion<unknown>[] {
  const open: Completion<unknown>[] = [];
  for (let index = 0; index < requests.length; index++) {
    const request = requests[index];
    if (!isRequest(request)) return wrongRequest(request, index);
    const completion = completionOf(request);
    if (completion?.operation !== undefined) open.push(completion);
  }
  return open;
}

function wrongRequest(request: unknown, index: number): never {
  throw new MpiError(
    'ERR_REQUEST',
    `waitAll: element ${index} is ${show(request)}, not a request as isend and irecv return`,
  );
}

/** The results, or the first failure thrown; all have ended. */
function outcomesOf(requests: readonly Request<unknown>[]): unknown[] {
  const outcomes: unknown[] = new Array(requests.length);
  for (let index = 0; index < requests.length; index++) {
    outcomes[index] = outcomeOf(requests[index] as Request<unknown>);
  }
  return outcomes;
}

function endAll(completions: readonly Completion<unknown>[]): void {
  const operations: PendingOperation[] = new Array(completions.length);
  for (let index = 0; index < completions.length; index++) {
    operations[index] = completions[index]?.operation as PendingOperation;
  }
  try {
    processEngine().waitAll(operations);
  } catch (error) {
    // Either one of them failed, and will say so itself; or they cannot all end.
    if (!operations.every((operation) => operation.done)) throw error;
  } finally {
    for (let index = 0; index < completions.length; index++) completions[index]?.note();
  }
}

function endAllWithin(completions: readonly Completion<unknown>[], timeout: number): void {
  const deadline = performance.now() + timeout;
  for (const completion of completions) {
    // Each wait moves all outstanding work on, so the order costs nothing.
    try {
      completion.wait(Math.max(0, deadline - performance.now()));
    } catch (error) {
      // A failure is kept by the completion, and comes last.
      if (completion.operation !== undefined) throw error;
    }
  }
}
