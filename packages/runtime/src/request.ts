import { MpiError } from '@onecopy/engine';
import { checkTimeout, isOptions, show } from './arguments.ts';
import type { Completion } from './completion.ts';

/** Options of `Request.wait`, `waitAll`, `waitAny` and `waitSome`. */
export interface WaitOptions {
  /** Milliseconds; then ERR_TIMEOUT is thrown, and what has not completed stays active. */
  readonly timeout?: number | undefined;
}

/** Whether it is a request of this copy of onecopy. */
export let isRequest: (value: unknown) => value is Request<unknown>;
/** The completion behind a request; undefined if the request was complete from the start. */
export let completionOf: (request: Request<unknown>) => Completion<unknown> | undefined;
/** The result of a request that has ended, or what it failed with thrown. */
export let outcomeOf: (request: Request<unknown>) => unknown;

/**
 * An operation that was started and goes on by itself (MPI-4.1 section 3.7). It is a promise of its result, so it can
 * be awaited; or it is completed by `wait`, which blocks, or by `test`, which does not. Its buffer must not be touched
 * before it has completed.
 *
 * All methods can be called at any time and as often as one likes. The process stays alive exactly while a request is
 * being awaited. A request that fails without anybody having looked at it becomes an unhandled rejection.
 */
export class Request<T> implements Promise<T> {
  /** Absent if it was complete from the start, as most small messages are. */
  readonly #completion: Completion<T> | undefined;
  /** Its result then. */
  readonly #value: T | undefined;

  static {
    isRequest = (value): value is Request<unknown> =>
      typeof value === 'object' && value !== null && #completion in value;
    completionOf = (request) => request.#completion;
    outcomeOf = (request) =>
      request.#completion === undefined ? request.#value : request.#completion.outcome;
  }

  /**
   * @internal
   * @param value the result, where there is no completion
   */
  constructor(completion: Completion<T> | undefined, value?: T) {
    this.#completion = completion;
    this.#value = value;
  }

  /**
   * Blocks until the operation has completed (MPI_Wait, MPI-4.1 section 3.7.3). Other outstanding operations of this
   * process go on meanwhile; timers and I/O do not.
   *
   * @param options `timeout` in milliseconds
   * @returns the result, again each time
   * @throws MpiError what the operation failed with; `ERR_TIMEOUT` when the time is over (the request then stays
   *   active); `ERR_DEADLOCK` when it can never complete
   */
  wait(options?: WaitOptions): T {
    const timeout = checkWaitOptions('wait', options);
    return this.#completion === undefined ? (this.#value as T) : this.#completion.wait(timeout);
  }

  /**
   * Whether the operation has completed, after one look at all outstanding work (MPI_Test, MPI-4.1 section 3.7.3).
   * Does not block. When it is true, `value` is the result.
   *
   * @throws MpiError what the operation failed with
   */
  test(): boolean {
    return this.#completion === undefined || this.#completion.test();
  }

  /**
   * The result of a completed request.
   *
   * @throws MpiError what the operation failed with; `ERR_REQUEST` while `wait`, `test` or `await` has not shown that
   *   it has completed
   */
  get value(): T {
    if (this.#completion?.operation !== undefined) {
      throw new MpiError(
        'ERR_REQUEST',
        'value: the request has not completed yet. Await it, or call wait() or test() until it has',
      );
    }
    return outcomeOf(this) as T;
  }

  /**
   * Takes the operation back if no peer has matched it yet (MPI_Cancel, MPI-4.1 section 3.8.4). The request then ends
   * with `ERR_CANCELLED`, and its buffer is free again at once.
   *
   * @returns false if it is too late: the operation completes as if nothing had happened
   */
  cancel(): boolean {
    return this.#completion?.cancel() ?? false;
  }

  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise().then(onfulfilled, onrejected);
  }

  catch<B = never>(onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#promise().catch(onrejected);
  }

  finally(onfinally?: (() => void) | null): Promise<T> {
    return this.#promise().finally(onfinally);
  }

  #promise(): Promise<T> {
    const completion = this.#completion;
    if (completion?.operation !== undefined) return completion.promise();
    if (++settledAtOnce > MOST_AT_ONCE) return afterATurn(() => this.#settled());
    return this.#settled();
  }

  #settled(): Promise<T> {
    return this.#completion?.promise() ?? Promise.resolve(this.#value as T);
  }

  get [Symbol.toStringTag](): string {
    return 'Request';
  }
}

export function checkWaitOptions(call: string, options: unknown): number | undefined {
  if (options === undefined) return undefined;
  if (!isOptions(options)) {
    throw new MpiError(
      'ERR_ARG',
      `${call}: the options must be an object such as { timeout: 100 }, not ${show(options)}`,
    );
  }
  return checkTimeout(call, (options as WaitOptions).timeout);
}

/**
 * A program that awaits one complete request after the other never leaves its turn of the event loop, and timers and I/O
 * would get none. So every so many of them take a turn, which costs some microseconds.
 */
const MOST_AT_ONCE = 1000;
let settledAtOnce = 0;
let turn: Promise<void> | undefined;

function afterATurn<T>(settled: () => Promise<T>): Promise<T> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      settledAtOnce = 0;
      turn = undefined;
      resolve();
    });
  });
  return turn.then(settled);
}
