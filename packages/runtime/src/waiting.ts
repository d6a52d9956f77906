import { MpiError, type PendingOperation } from '@onecopy/engine';
import { show } from './arguments.ts';
import type { Completion } from './completion.ts';
import { checkWaitOptions, completionOf, type Request, type WaitOptions } from './request.ts';
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
  const completions = requests.map(completionAt);
  const timeout = checkWaitOptions('waitAll', options);
  if (timeout === undefined) endAll(completions);
  else endAllWithin(completions, timeout);
  return completions.map((completion) => completion.outcome) as Values<R>;
}

function completionAt(request: unknown, index: number): Completion<unknown> {
  const completion = completionOf(request);
  if (completion !== undefined) return completion;
  throw new MpiError(
    'ERR_REQUEST',
    `waitAll: element ${index} is ${show(request)}, not a request as isend and irecv return`,
  );
}

function endAll(completions: readonly Completion<unknown>[]): void {
  const pending: PendingOperation[] = [];
  for (const { operation } of completions) if (operation !== undefined) pending.push(operation);
  if (pending.length === 0) return;
  try {
    processEngine().waitAll(pending);
  } catch (error) {
    // Either one of them failed, and will say so itself below; or they cannot all end.
    if (!pending.every((operation) => operation.done)) throw error;
  } finally {
    for (const completion of completions) if (completion.operation?.done) collect(completion);
  }
}

function endAllWithin(completions: readonly Completion<unknown>[], timeout: number): void {
  const deadline = performance.now() + timeout;
  for (const completion of completions) {
    // Each wait moves all outstanding work on, so the order costs nothing.
    collect(completion, Math.max(0, deadline - performance.now()));
  }
}

/** Lets a completion take note of its end; its failure is kept there. Throws only if it has not ended. */
function collect(completion: Completion<unknown>, timeout?: number): void {
  try {
    completion.wait(timeout);
  } catch (error) {
    if (completion.operation !== undefined) throw error;
  }
}
