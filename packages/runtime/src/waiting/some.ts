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

/** One request of a list that has completed. */
export interface Completed<T> {
  /** Its place in the list. */
  readonly index: number;
  /** Its result. */
  readonly value: T;
}

/** The result of any of the requests of a tuple or array. */
export type AnyValue<R extends readonly Request<unknown>[]> =
  R[number] extends Request<infer T> ? T : never;

/**
 * Blocks until one of the requests has completed (MPI_Waitany, MPI-4.1 section 3.7.5). To wait without blocking, use
 * `Promise.race(requests)`.
 *
 * Requests stay what they are: one that has completed is found again as long as it is in the list, so take it out, or
 * put the next request into its place. When several have completed, all get their turn from call to call, wherever
 * they stand in the list.
 *
 * @param requests any number of them
 * @param options `timeout` in milliseconds
 * @returns its place in the list and its result; undefined for an empty list
 * @throws MpiError what the request that was found has failed with, with its place as `index` (what a signal gave as its
 *   reason is thrown as it is); `ERR_TIMEOUT` when the time is over and `ERR_DEADLOCK` when none can ever complete, all
 *   staying active; `ERR_REQUEST` for what is no request
 */
export function waitAny<const R extends readonly Request<unknown>[]>(
  requests: R,
  options?: WaitOptions,
): Completed<AnyValue<R>> | undefined {
  checkRequests('waitAny', requests);
  const timeout = checkWaitOptions('waitAny', options);
  endSome('waitAny', requests, timeout);
  return anyOf('waitAny', requests) as Completed<AnyValue<R>> | undefined;
}

/**
 * Blocks until at least one of the requests has completed, and finds all that have (MPI_Waitsome, MPI-4.1 section 3.7.5).
 * They are found again as long as they are in the list, see `waitAny`.
 *
 * @param requests any number of them
 * @param options `timeout` in milliseconds
 * @returns places and results, in the order of the list; none only for an empty list
 * @throws MpiError as `waitAny`; what the others have completed with is found by the next call
 */
export function waitSome<const R extends readonly Request<unknown>[]>(
  requests: R,
  options?: WaitOptions,
): Completed<AnyValue<R>>[] {
  checkRequests('waitSome', requests);
  const timeout = checkWaitOptions('waitSome', options);
  endSome('waitSome', requests, timeout);
  return someOf('waitSome', requests) as Completed<AnyValue<R>>[];
}

/**
 * One request that has completed, after one look at all outstanding work (MPI_Testany, MPI-4.1 section 3.7.5). Does not
 * block. Which one, and what becomes of it, is as with `waitAny`.
 *
 * @returns undefined if none has
 * @throws MpiError what it has failed with, see `waitAny`; `ERR_REQUEST` for what is no request
 */
export function testAny<const R extends readonly Request<unknown>[]>(
  requests: R,
): Completed<AnyValue<R>> | undefined {
  checkRequests('testAny', requests);
  lookOnce(requests);
  return anyOf('testAny', requests) as Completed<AnyValue<R>> | undefined;
}

/**
 * All requests that have completed, after one look at all outstanding work (MPI_Testsome, MPI-4.1 section 3.7.5). Does
 * not block. They are found again as long as they are in the list, see `waitAny`.
 *
 * @returns places and results, in the order of the list; empty if none has
 * @throws MpiError as `waitSome`
 */
export function testSome<const R extends readonly Request<unknown>[]>(
  requests: R,
): Completed<AnyValue<R>>[] {
  checkRequests('testSome', requests);
  lookOnce(requests);
  return someOf('testSome', requests) as Completed<AnyValue<R>>[];
}

/** Blocks until one of them has ended. */
function endSome(
  call: string,
  requests: readonly Request<unknown>[],
  timeout: number | undefined,
): void {
  const open = openOf(requests);
  if (open.length === 0) return;
  // What has ended must not keep what goes on from being looked at: it could be all that one ever sees.
  if (open.length < requests.length) {
    look(open);
    return;
  }
  const patience = new Patience(call, timeout);
  while (!noteSome(open)) {
    if (!processEngine().waitSome(operationsOf(open), patience.next(open))) {
      if (noteSome(open)) return;
      patience.review(open);
    }
  }
}

function lookOnce(requests: readonly Request<unknown>[]): void {
  const open = openOf(requests);
  if (open.length > 0) look(open);
}

function look(open: readonly Completion<unknown>[]): void {
  processEngine().waitSome(operationsOf(open), 0);
  noteSome(open);
}

/** Takes note of those that have ended; false if none has. */
function noteSome(open: readonly Completion<unknown>[]): boolean {
  let some = false;
  for (let index = 0; index < open.length; index++) {
    const completion = open[index] as Completion<unknown>;
    completion.note();
    if (completion.operation === undefined) some = true;
  }
  return some;
}

function hasEnded(request: Request<unknown>): boolean {
  return completionOf(request)?.operation === undefined;
}

/**
 * Where the next search begins, as a part of 2^32 of the list's length. By steps of the golden ratio, so that every place
 * has its turn soon, however calls with several lists follow each other.
 */
let beginning = 0;
const GOLDEN = 0x9e3779b9;

function anyOf(
  call: string,
  requests: readonly Request<unknown>[],
): Completed<unknown> | undefined {
  beginning = (beginning + GOLDEN) >>> 0;
  const first = Math.floor((beginning / 2 ** 32) * requests.length);
  for (let index = first; index < requests.length; index++) {
    if (hasEnded(requests[index] as Request<unknown>)) return completed(call, requests, index);
  }
  for (let index = 0; index < first; index++) {
    if (hasEnded(requests[index] as Request<unknown>)) return completed(call, requests, index);
  }
  return undefined;
}

function someOf(call: string, requests: readonly Request<unknown>[]): Completed<unknown>[] {
  const found: Completed<unknown>[] = [];
  for (let index = 0; index < requests.length; index++) {
    if (hasEnded(requests[index] as Request<unknown>)) found.push(completed(call, requests, index));
  }
  return found;
}

function completed(
  call: string,
  requests: readonly Request<unknown>[],
  index: number,
): Completed<unknown> {
  try {
    return { index, value: outcomeOf(requests[index] as Request<unknown>) };
  } catch (error) {
    if (!(error instanceof MpiError)) throw error;
    const { code, message, errno, syscall, peer } = error;
    throw new MpiError(code, `${call}: request ${index} of ${requests.length} failed: ${message}`, {
      errno,
      syscall,
      peer,
      index,
      cause: error,
    });
  }
}
