import { type EndListener, MpiError, type PendingOperation } from '@onecopy/engine';
import { type Limit, type Limits, limitOf } from './limits.ts';
import { NOTHING } from './nothing.ts';
import { describe, type Purpose } from './purpose.ts';

/** Reads the result of a completed operation. */
export type Result<T> = (operation: PendingOperation) => T;

/**
 * How an operation ends that goes on after its call: the state behind a Request. It outlives a Request that its user
 * drops, so that a failure nobody saw still comes to light.
 *
 * An engine's operation is used up by its end, so whatever learns of the end first keeps it here; later questions are
 * answered from here.
 */
export class Completion<T> implements EndListener {
  /** Absent once it has ended. */
  #operation: PendingOperation | undefined;
  readonly #result: Result<T>;
  readonly #call: string;
  readonly #peer: number | undefined;
  readonly #tag: number | undefined;
  /** After the end: the result, or what it failed with. */
  #value: unknown;
  #failed: boolean;
  /** Somebody has got the failure. */
  #seen: boolean;
  #cancelled: boolean;
  /** What somebody who awaits it has got. */
  #awaited: Promise<T> | undefined;
  #fulfil: ((value: unknown) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #limit: Limit | undefined;
  /** Taken back by its limit: what it ends with, whatever its parts end with. */
  #givenUp: { readonly reason: unknown } | undefined;

  /** One that has failed before anything was started. */
  static failed<T>(error: unknown, call: string, peer?: number, tag?: number): Completion<T> {
    const completion = new Completion<T>(NOTHING, () => undefined as T, call, peer, tag);
    completion.#fail(error);
    return completion;
  }

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
    this.#seen = false;
    this.#cancelled = false;
    this.#awaited = undefined;
    this.#fulfil = undefined;
    this.#reject = undefined;
    this.#limit = undefined;
    this.#givenUp = undefined;
  }

  get purpose(): Purpose {
    return { call: this.#call, peer: this.#peer, tag: this.#tag };
  }

  /** The operation, while it has not ended as far as anybody here has noticed. */
  get operation(): PendingOperation | undefined {
    return this.#operation;
  }

  /** Whether nothing can be missed: its end is known here, and a failure has been or will be told to somebody. */
  get lookedAt(): boolean {
    if (this.#awaited !== undefined) return true;
    return this.#operation === undefined && (!this.#failed || this.#seen);
  }

  /** The result, or the failure thrown; only after the end. */
  get outcome(): T {
    if (this.#failed) this.#throw();
    return this.#value as T;
  }

  /** Whether it has ended with a failure. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Somebody has been told of its end, among others. */
  see(): void {
    this.#seen = true;
  }

  #throw(): never {
    this.#seen = true;
    throw this.#value;
  }

  /** From now on it ends at a time limit or a signal at the latest, unless a peer has matched it by then. */
  limit(limits: Limits): void {
    this.#limit = limitOf(limits, (reason) => {
      if (this.#giveUp(reason)) return;
      // An operator in whose middle a signal comes lets nothing be taken back.
      queueMicrotask(() => this.#giveUp(reason));
    });
  }

  /** Milliseconds until its time limit; undefined if it has none. */
  get timeLeft(): number | undefined {
    return this.#operation === undefined ? undefined : this.#limit?.timeLeft;
  }

  /** Its time may be over, while timers could not fire. */
  lookAtTime(): void {
    if (this.timeLeft === 0 && !this.#giveUp(undefined)) this.#lift();
  }

  /** A peer has matched it: nothing limits it any more. */
  #lift(): void {
    this.#limit?.release();
    this.#limit = undefined;
  }

  /** Whether it has ended; `reason` is undefined for a time limit. */
  #giveUp(reason: { readonly signal: unknown } | undefined): boolean {
    const operation = this.#operation;
    if (operation === undefined) return true;
    if (operation.done) {
      this.note();
      return true;
    }
    if (!operation.cancel()) return false;
    this.#givenUp = { reason: reason === undefined ? this.#timedOut() : reason.signal };
    this.#lookAgain();
    return true;
  }

  /** After it was taken back. One that is made of several may go on for a while. */
  #lookAgain(): void {
    const operation = this.#operation as PendingOperation;
    try {
      if (operation.test()) this.#succeed(operation);
    } catch (error) {
      if (operation.done) this.#fail(error);
    }
  }

  #timedOut(): MpiError {
    const what = describe(this.purpose);
    return new MpiError(
      'ERR_TIMEOUT',
      `${what}: not complete within ${this.#limit?.timeout} ms, so it was taken back`,
      this.#peer === undefined || this.#peer < 0 ? {} : { peer: this.#peer },
    );
  }

  /** Whether it has ended; throws what it failed with. */
  test(): boolean {
    const operation = this.#operation;
    if (operation !== undefined) {
      try {
        if (!operation.test()) return false;
        this.#succeed(operation);
      } catch (error) {
        this.#noteError(operation, error);
      }
    }
    if (this.#failed) this.#throw();
    return true;
  }

  /** Blocks until the end, or throws ERR_TIMEOUT after `timeout` milliseconds. */
  wait(timeout?: number): T {
    const operation = this.#operation;
    if (operation !== undefined) {
      const { timeLeft } = this;
      if (timeLeft !== undefined && (timeout === undefined || timeLeft < timeout)) {
        return this.#waitToTheLimit(timeLeft, timeout);
      }
      try {
        operation.wait(timeout);
        this.#succeed(operation);
      } catch (error) {
        this.#noteError(operation, error);
      }
    }
    return this.outcome;
  }

  /** Timers cannot fire meanwhile. */
  #waitToTheLimit(left: number, timeout: number | undefined): T {
    const operation = this.#operation as PendingOperation;
    try {
      operation.wait(left);
      this.#succeed(operation);
      return this.outcome;
    } catch (error) {
      if (operation.done || !(error instanceof MpiError && error.code === 'ERR_TIMEOUT')) {
        this.#noteError(operation, error);
        return this.outcome;
      }
    }
    if (!this.#giveUp(undefined) || this.#operation !== undefined) {
      // What a peer has matched is completed, or waited for as long as this call may take.
      this.#lift();
      return this.wait(timeout === undefined ? undefined : Math.max(0, timeout - left));
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
    // ERR_CANCELLED is what was asked for; who awaits the request gets it.
    this.#seen = true;
    this.#lookAgain();
    return true;
  }

  /** Settles with the operation. From the first call on the process stays alive until then. */
  promise(): Promise<T> {
    this.#awaited ??= this.#await();
    return this.#awaited;
  }

  #await(): Promise<T> {
    const promise = new Promise<T>((fulfil, reject) => {
      this.#fulfil = fulfil as (value: unknown) => void;
      this.#reject = reject;
    });
    const operation = this.#operation;
    if (operation === undefined) this.#settle();
    else operation.notify(this);
    return promise;
  }

  #settle(): void {
    if (this.#failed) this.#reject?.(this.#value);
    else this.#fulfil?.(this.#value);
  }

  /** Told by the operation. */
  ended(error: unknown): void {
    // A wait() or test() may have learnt of the end between the event and this call.
    const operation = this.#operation;
    if (operation === undefined) return;
    if (error === undefined) this.#succeed(operation);
    else this.#fail(error);
  }

  /** After a timeout, for one, the operation goes on. */
  #noteError(operation: PendingOperation, error: unknown): void {
    // An end that is known, and whose result could not be made.
    if (this.#operation === undefined || !operation.done) throw error;
    this.#fail(error);
  }

  #succeed(operation: PendingOperation): void {
    if (this.#givenUp !== undefined) {
      this.#fail(this.#givenUp.reason);
      return;
    }
    try {
      this.#value = this.#result(operation);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#operation = undefined;
    this.#limit?.release();
    this.#settle();
  }

  #fail(error: unknown): void {
    this.#value = this.#givenUp === undefined ? error : this.#givenUp.reason;
    this.#failed = true;
    this.#operation = undefined;
    this.#limit?.release();
    this.#settle();
  }
}
