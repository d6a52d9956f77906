import type { PendingOperation } from '@onecopy/engine';

/** What an operation does and with whom, for messages. */
export interface Purpose {
  readonly call: string;
  /** Absent for a collective operation. */
  readonly peer?: number | undefined;
  readonly tag?: number | undefined;
}

/** Reads the result of a completed operation. */
export type Result<T> = (operation: PendingOperation) => T;

/** What somebody who awaits an operation has got. */
interface Awaited<T> {
  readonly promise: Promise<T>;
  readonly settle: () => void;
}

/**
 * How an operation ends that goes on after its call: the state behind a Request. It outlives a Request that its user
 * drops, so that a failure nobody saw still comes to light.
 *
 * An engine's operation is used up by its end, so whatever learns of the end first keeps it here; later questions are
 * answered from here.
 */
export class Completion<T> {
  /** Absent once it has ended. */
  #operation: PendingOperation | undefined;
  readonly #result: Result<T>;
  readonly #call: string;
  readonly #peer: number | undefined;
  readonly #tag: number | undefined;
  /** After the end: the result, or what it failed with. */
  #value: unknown;
  #failed: boolean;
  #cancelled: boolean;
  #awaited: Awaited<T> | undefined;

  /** The rest says what it does, and with whom, for messages; a collective operation is with nobody in particular. */
  constructor(
    operation: PendingOperation,
    result: Result<T>,
    call: string,
    peer?: number,
    tag?: number,
  ) {
    this.#operation = operation;
    this.#result = result;
    this.#call = call;
    this.#peer = peer;
    this.#tag = tag;
    this.#failed = false;
    this.#cancelled = false;
  }

  get purpose(): Purpose {
    return { call: this.#call, peer: this.#peer, tag: this.#tag };
  }

  /** The operation, while it has not ended as far as anybody here has noticed. */
  get operation(): PendingOperation | undefined {
    return this.#operation;
  }

  get awaited(): boolean {
    return this.#awaited !== undefined;
  }

  /** The result, or the failure thrown; only after the end. */
  get outcome(): T {
    if (this.#failed) throw this.#value;
    return this.#value as T;
  }

  /** Whether it has ended; throws what it failed with. */
  test(): boolean {
    const operation = this.#operation;
    if (operation !== undefined) {
      try {
        if (!operation.test()) return false;
      } catch (error) {
        this.#noteError(operation, error);
        throw error;
      }
      this.#succeed(operation);
    } else if (this.#failed) {
      throw this.#value;
    }
    return true;
  }

  /** Blocks until the end, or throws ERR_TIMEOUT after `timeout` milliseconds. */
  wait(timeout?: number): T {
    const operation = this.#operation;
    if (operation !== undefined) {
      try {
        operation.wait(timeout);
      } catch (error) {
        this.#noteError(operation, error);
        throw error;
      }
      this.#succeed(operation);
    }
    return this.outcome;
  }

  /** Takes note of an end that the operation itself knows of already. */
  note(): void {
    const operation = this.#operation;
    if (operation === undefined || !operation.done) return;
    try {
      operation.test();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#succeed(operation);
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
    this.#awaited ??= this.#await();
    return this.#awaited.promise;
  }

  #await(): Awaited<T> {
    let settle = (): void => undefined;
    const promise = new Promise<T>((fulfil, reject) => {
      settle = () => {
        if (this.#failed) reject(this.#value);
        else fulfil(this.#value as T);
      };
    });
    const operation = this.#operation;
    if (operation === undefined) settle();
    else operation.notify((error) => this.#settled(operation, error));
    return { promise, settle };
  }

  #settled(operation: PendingOperation, error: unknown): void {
    // A wait() or test() may have learnt of the end between the event and this call.
    if (this.#operation === undefined) return;
    if (error === undefined) this.#succeed(operation);
    else this.#fail(error);
  }

  /** After a timeout, for one, the operation goes on. */
  #noteError(operation: PendingOperation, error: unknown): void {
    if (operation.done) this.#fail(error);
  }

  #succeed(operation: PendingOperation): void {
    this.#value = this.#result(operation);
    this.#operation = undefined;
    this.#awaited?.settle();
  }

  #fail(error: unknown): void {
    this.#value = error;
    this.#failed = true;
    this.#operation = undefined;
    this.#awaited?.settle();
  }
}
