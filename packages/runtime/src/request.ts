import { MpiError } from '@onecopy/engine';
import { checkTimeout, isOptions, show } from './arguments.ts';
import type { Completion } from './completion.ts';

/** Options of `Request.wait` and of `waitAll`. */
export interface WaitOptions {
  /** Milliseconds; then ERR_TIMEOUT is thrown, and the request stays active. */
  readonly timeout?: number | undefined;
}

/** The completion behind a request; undefined for anything that is not a request of this copy of onecopy. */
export let completionOf: (request: unknown) => Completion<unknown> | undefined;

/**
 * An operation that was started and goes on by itself (MPI-4.1 section 3.7). It is a promise of its result, so it can
 * be awaited; or it is completed by `wait`, which blocks, or by `test`, which does not. Its buffer must not be touched
 * before it has completed.
 *
 * All methods can be called at any time and as often as one likes. The process stays alive exactly while a request is
 * being awaited. A request that fails without anybody having looked at it becomes an unhandled rejection.
 */
export class Request<T> implements Promise<T> {
  readonly #completion: Completion<T>;

  static {
    completionOf = (request) =>
      typeof request === 'object' && request !== null && #completion in request
        ? request.#completion
        : undefined;
  }

  /** @internal */
  constructor(completion: Completion<T>) {
    this.#completion = completion;
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
    return this.#completion.wait(checkWaitOptions('wait', options));
  }

  /**
   * Whether the operation has completed, after one look at all outstanding work (MPI_Test, MPI-4.1 section 3.7.3).
   * Does not block. When it is true, `value` is the result.
   *
   * @throws MpiError what the operation failed with
   */
  test(): boolean {
    return this.#completion.test();
  }

  /**
   * The result of a completed request.
   *
   * @throws MpiError what the operation failed with; `ERR_REQUEST` while `wait`, `test` or `await` has not shown that
   *   it has completed
   */
  get value(): T {
    if (this.#completion.operation !== undefined) {
      throw new MpiError(
        'ERR_REQUEST',
        'value: the request has not completed yet. Await it, or call wait() or test() until it has',
      );
    }
    return this.#completion.outcome;
  }

  /**
   * Takes the operation back if no peer has matched it yet (MPI_Cancel, MPI-4.1 section 3.8.4). The request then ends
   * with `ERR_CANCELLED`, and its buffer is free again at once.
   *
   * @returns false if it is too late: the operation completes as if nothing had happened
   */
  cancel(): boolean {
    return this.#completion.cancel();
  }

  then<A = T, B = never>(
    onfulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#completion.promise().then(onfulfilled, onrejected);
  }

  catch<B = never>(onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<T | B> {
    return this.#completion.promise().catch(onrejected);
  }

  finally(onfinally?: (() => void) | null): Promise<T> {
    return this.#completion.promise().finally(onfinally);
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
