import type { PendingOperation } from '@onecopy/engine';

/** What an operation does and with whom, for messages; put into words only when somebody reads them. */
export interface Purpose {
  readonly call: string;
  /** Absent for a collective operation. */
  readonly peer?: number;
  readonly tag?: number;
}

/** Reads the result of a completed operation. */
export type Result<T> = (operation: PendingOperation) => T;

/**
 * How a started operation ends: the state behind a Request. It outlives a Request that its user drops, so that a
 * failure nobody saw still comes to light.
 *
 * An engine's operation is used up by its end, so whatever learns of the end first keeps it here; later questions are
 * answered from here.
 */
export class Completion<T> {
  readonly purpose: Purpose | undefined;
  readonly #result: Result<T> | undefined;
  /** Absent once it has ended. */
  #operation: PendingOperation | undefined;
  #value: T | undefined;
  #failure: { readonly error: unknown } | undefined;
  #cancelled = false;
  #promise: Promise<T> | undefined;
  #settlePromise: (() => void) | undefined;

  private constructor(
    operation: PendingOperation | undefined,
    result: Result<T> | undefined,
    purpose: Purpose | undefined,
  ) {
    this.#operation = operation;
    this.#result = result;
    this.purpose = purpose;
  }

  static of<T>(operation: PendingOperation, result: Result<T>, purpose: Purpose): Completion<T> {
    return new Completion(operation, result, purpose);
  }

  /** Of an operation that had nothing to do. */
  static done<T>(value: T): Completion<T> {
    const completion = new Completion<T>(undefined, undefined, undefined);
    completion.#value = value;
    return completion;
  }

  /** The operation, while it has not ended as far as anybody here has noticed. */
  get operation(): PendingOperation | undefined {
    return this.#operation;
  }

  get awaited(): boolean {
    return this.#promise !== undefined;
  }

  /** The result, or the failure thrown; only after the end. */
  get outcome(): T {
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#value as T;
  }

  /** Whether it has ended; throws what it failed with. */
  test(): boolean {
    return this.#advance((operation) => operation.test());
  }

  /** Blocks until the end, or throws ERR_TIMEOUT after `timeout` milliseconds. */
  wait(timeout?: number): T {
    this.#advance((operation) => {
      operation.wait(timeout);
      return true;
    });
    return this.outcome;
  }

  /** Takes the operation back if nobody has matched it; it then has failed with ERR_CANCELLED. */
  cancel(): boolean {
    const operation = this.#operation;
    if (operation === undefined) return this.#cancelled;
    if (!operation.cancel()) return false;
    this.#cancelled = true;
    try {
      this.wait();
    } catch {
      // ERR_CANCELLED, which is what was asked for; who awaits the request gets it.
    }
    return true;
  }

  /** Settles with the operation. From the first call on the process stays alive until then. */
  promise(): Promise<T> {
    this.#promise ??= this.#makePromise();
    return this.#promise;
  }

  #makePromise(): Promise<T> {
    const operation = this.#operation;
    if (operation === undefined) {
      return this.#failure === undefined
        ? Promise.resolve(this.#value as T)
        : Promise.reject(this.#failure.error);
    }
    const promise = new Promise<T>((fulfil, reject) => {
      this.#settlePromise = () => {
        if (this.#failure === undefined) fulfil(this.#value as T);
        else reject(this.#failure.error);
      };
    });
    operation.notify((error) => this.#settled(operation, error));
    return promise;
  }

  #settled(operation: PendingOperation, error: unknown): void {
    // A wait() or test() may have learnt of the end between the event and this call.
    if (this.#operation === undefined) return;
    if (error === undefined) this.#succeed(operation);
    else this.#fail(error);
  }

  #advance(step: (operation: PendingOperation) => boolean): boolean {
    const operation = this.#operation;
    if (operation === undefined) {
      if (this.#failure !== undefined) throw this.#failure.error;
      return true;
    }
    try {
      if (!step(operation)) return false;
    } catch (error) {
      // After a timeout, for one, the operation goes on.
      if (operation.done) this.#fail(error);
      throw error;
    }
    this.#succeed(operation);
    return true;
  }

  #succeed(operation: PendingOperation): void {
    this.#value = this.#result?.(operation);
    this.#operation = undefined;
    this.#settlePromise?.();
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.#operation = undefined;
    this.#settlePromise?.();
  }
}
