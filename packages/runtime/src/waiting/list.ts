/** Lists of requests, as the calls that wait for several take them. */
import { MpiError, type PendingOperation } from '@onecopy/engine';
import { show } from '../arguments.ts';
import type { Completion } from '../completion.ts';
import { completionOf, isRequest, type Request } from '../request.ts';

// Loops by index, here and in the other files: with a window of small messages each pass over it counts.

/** Throws unless it is an array of requests. */
export function checkRequests(
  call: string,
  requests: unknown,
): asserts requests is readonly Request<unknown>[] {
  if (!Array.isArray(requests)) {
    throw new MpiError('ERR_ARG', `${call}: takes an array of requests, not ${show(requests)}`);
  }
  for (let index = 0; index < requests.length; index++) {
    if (!isRequest(requests[index])) wrongRequest(call, requests[index], index);
  }
}

function wrongRequest(call: string, request: unknown, index: number): never {
  throw new MpiError(
    'ERR_REQUEST',
    `${call}: element ${index} is ${show(request)}, not a request as isend and irecv return`,
    { index },
  );
}

/** The completions of those that have not ended yet. */
export function openOf(requests: readonly Request<unknown>[]): readonly Completion<unknown>[] {
  const open: Completion<unknown>[] = [];
  for (let index = 0; index < requests.length; index++) {
    const completion = completionOf(requests[index] as Request<unknown>);
    if (completion?.operation !== undefined) open.push(completion);
  }
  return open;
}

/** What the engine knows of them: the parts of those that are made of several. */
export function operationsOf(completions: readonly Completion<unknown>[]): PendingOperation[] {
  const operations: PendingOperation[] = [];
  for (let index = 0; index < completions.length; index++) {
    const operation = completions[index]?.operation;
    if (operation === undefined) continue;
    if (operation.parts === undefined) {
      operations.push(operation);
      continue;
    }
    for (const part of operation.parts) if (!part.done) operations.push(part);
  }
  return operations;
}

/** Milliseconds until the first of their own time limits; undefined if none has one. */
export function firstLimit(completions: readonly Completion<unknown>[]): number | undefined {
  let first: number | undefined;
  for (let index = 0; index < completions.length; index++) {
    const left = completions[index]?.timeLeft;
    if (left !== undefined && (first === undefined || left < first)) first = left;
  }
  return first;
}

/** Time limits of their own and one for the call; timers cannot fire while it blocks. */
export class Patience {
  readonly #call: string;
  readonly #timeout: number | undefined;
  readonly #end: number | undefined;

  constructor(call: string, timeout: number | undefined) {
    this.#call = call;
    this.#timeout = timeout;
    this.#end = timeout === undefined ? undefined : performance.now() + timeout;
  }

  /** How long the engine may block for these; undefined: as long as it takes. */
  next(completions: readonly Completion<unknown>[]): number | undefined {
    const own = firstLimit(completions);
    if (this.#end === undefined) return own;
    const left = Math.max(0, this.#end - performance.now());
    return own === undefined ? left : Math.min(own, left);
  }

  /** Ends those whose time is over; throws if that of the call is. */
  review(completions: readonly Completion<unknown>[]): void {
    for (let index = 0; index < completions.length; index++) completions[index]?.lookAtTime();
    if (this.#end === undefined || performance.now() < this.#end) return;
    const open = completions.filter(({ operation }) => operation !== undefined);
    if (open.length === 0) return;
    throw new MpiError(
      'ERR_TIMEOUT',
      `${this.#call}: ${open.length} of the requests have not completed within ${this.#timeout} ms; they go on`,
    );
  }
}
