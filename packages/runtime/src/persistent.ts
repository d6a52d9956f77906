import { MpiError, type PendingOperation, type PreparedOperation } from '@onecopy/engine';
import { show } from './arguments.ts';
import { Completion, type Result } from './completion.ts';
import { neverForget } from './forgotten.ts';
import { NOTHING } from './nothing.ts';
import { describe, type Purpose } from './purpose.ts';
import { Request } from './request.ts';
import { processEngine } from './start.ts';

/** What it was prepared for; nothing where it names `PROC_NULL`. */
export interface Preparation<T> {
  readonly prepared: PreparedOperation | undefined;
  readonly result: Result<T>;
  readonly purpose: Purpose;
}

/** Requests that nobody has any more hold on to no buffer. */
const dropped = new FinalizationRegistry<PreparedOperation>((prepared) => prepared.free());

let stateOf: (request: PersistentRequest<unknown>) => State<unknown>;
let isPersistent: (value: unknown) => value is PersistentRequest<unknown>;

/**
 * A send or receive whose arguments were checked once, and which can be started again and again (MPI-4.1 section 3.9).
 * Its buffer is read, or written, by each round anew. It is no promise: what can be awaited is the `Request` of a round.
 */
export class PersistentRequest<T> {
  readonly #state: State<T>;

  static {
    isPersistent = (value): value is PersistentRequest<unknown> =>
      typeof value === 'object' && value !== null && #state in value;
    stateOf = (request) => request.#state;
  }

  /** @internal */
  constructor(preparation: Preparation<T>) {
    this.#state = new State(preparation);
    if (preparation.prepared !== undefined) dropped.register(this, preparation.prepared, this);
  }

  /**
   * Starts a round (MPI_Start, MPI-4.1 section 3.9). `startAll` starts many in one call.
   *
   * @returns the request of this round; the buffer must not be touched before it has completed
   * @throws MpiError `ERR_REQUEST` if the round before has not been completed (by `wait`, `test`, `await` or one of the
   *   calls for lists) or the request was freed; `ERR_DETACHED` or `ERR_FREED` if its buffer is gone
   */
  start(): Request<T> {
    return startTogether('start', [this])[0] as Request<T>;
  }

  /** Whether a round goes on, as far as its request has been looked at. */
  get active(): boolean {
    return this.#state.active;
  }

  /**
   * Frees what it holds, once the round that goes on has completed (MPI_Request_free, MPI-4.1 section 3.7.3). It cannot
   * be started again; a second call does nothing. Requests that nobody refers to are freed by themselves.
   */
  free(): void {
    dropped.unregister(this);
    this.#state.free();
  }

  get [Symbol.toStringTag](): string {
    return 'PersistentRequest';
  }
}

class State<T> {
  readonly prepared: PreparedOperation | undefined;
  readonly purpose: Purpose;
  readonly #result: Result<T>;
  #round: Completion<T> | undefined;
  freed: boolean;
  /** The number of the call that starts it, so that a list which names it twice is found out. */
  startedBy: number;

  constructor({ prepared, result, purpose }: Preparation<T>) {
    this.prepared = prepared;
    this.purpose = purpose;
    this.#result = result;
    this.#round = undefined;
    this.freed = false;
    this.startedBy = 0;
  }

  get active(): boolean {
    return this.#round?.operation !== undefined;
  }

  /** The request of a round that was just started. */
  request(operation: PendingOperation): Request<T> {
    if (operation.done) return new Request<T>(undefined, this.#result(operation));
    const { call, peer, tag } = this.purpose;
    this.#round = new Completion(operation, this.#result, call, peer, tag);
    const request = new Request(this.#round);
    neverForget(request);
    return request;
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.prepared?.free();
  }
}

/** The requests of the rounds of a tuple or array. */
export type Rounds<R extends readonly PersistentRequest<unknown>[]> = {
  -readonly [K in keyof R]: R[K] extends PersistentRequest<infer T> ? Request<T> : never;
};

/**
 * Starts a round of each (MPI_Startall, MPI-4.1 section 3.9), in the order given and with one call of the engine: for
 * many small messages this costs much less than to start one after the other.
 *
 * @param requests any number of them, also none
 * @returns the requests of the rounds, in the same order
 * @throws MpiError as `PersistentRequest.start`, with the place in the list as `index`; then none has been started
 */
export function startAll<const R extends readonly PersistentRequest<unknown>[]>(
  requests: R,
): Rounds<R> {
  if (!Array.isArray(requests)) {
    throw new MpiError(
      'ERR_ARG',
      `startAll: takes an array of persistent requests, not ${show(requests)}`,
    );
  }
  return startTogether('startAll', requests) as Rounds<R>;
}

let starts = 0;

function startTogether(call: string, requests: readonly unknown[]): Request<unknown>[] {
  const thisCall = ++starts;
  const prepared: PreparedOperation[] = [];
  // By index: with a window of small messages each pass over it counts.
  for (let index = 0; index < requests.length; index++) {
    const request = requests[index];
    if (!isPersistent(request)) return wrong(call, index, `is ${show(request)}`, HINT);
    const state = stateOf(request);
    if (state.freed) {
      return wrong(call, index, `(${describe(state.purpose)}) was freed`, 'Make another one');
    }
    if (state.active) {
      const hint = 'Complete the request of its last round first: await it, or call its wait()';
      return wrong(call, index, `(${describe(state.purpose)}) is active`, hint);
    }
    if (state.startedBy === thisCall) {
      return wrong(call, index, 'stands in the list twice', 'One round at a time');
    }
    state.startedBy = thisCall;
    if (state.prepared !== undefined) prepared.push(state.prepared);
  }
  const rounds = prepared.length === 0 ? [] : processEngine().startAll(prepared);
  const started: Request<unknown>[] = new Array(requests.length);
  let next = 0;
  for (let index = 0; index < requests.length; index++) {
    const state = stateOf(requests[index] as PersistentRequest<unknown>);
    const round = state.prepared === undefined ? NOTHING : (rounds[next++] as PendingOperation);
    started[index] = state.request(round);
  }
  return started;
}

const HINT = 'Pass requests as sendInit, ssendInit and recvInit return';

function wrong(call: string, index: number, what: string, hint: string): never {
  const which = call === 'start' ? 'the request' : `element ${index}`;
  throw new MpiError('ERR_REQUEST', `${call}: ${which} ${what}. ${hint}`, { index });
}
