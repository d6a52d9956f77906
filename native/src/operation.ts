/** Operations that outlive the call which started them. */
import type { Arrival, BufferLike, EndListener, PendingOperation } from '@onecopy/engine';

import { type Binding, Outcome, Report } from './binding.ts';
import { type Attempt, failure } from './failure.ts';
import type { Layouts } from './layouts.ts';
import type { Members } from './members.ts';

/** The getter that all typed arrays inherit; a property of that name on one of them does not get past it. */
const byteLengthOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  'byteLength',
)?.get as (this: unknown) => number;

/** A send that was complete when its call returned: there is nothing to be said of it. */
export const SENT: PendingOperation = {
  done: true,
  arrival: undefined,
  test: () => true,
  wait: () => undefined,
  notify: (listener) => queueMicrotask(() => listener.ended(undefined)),
  cancel: () => false,
};

const { source: SOURCE, tag: TAG, bytes: BYTES, type: TYPE } = Outcome;

/** A receive that was complete when its call returned; or what any other one has received. */
export class Received implements PendingOperation, Arrival {
  readonly source: number;
  readonly tag: number;
  readonly bytes: number;
  readonly type: number;

  /** What came stands in `numbers`, in the places of `Outcome`. */
  constructor(numbers: Float64Array, at: number) {
    // As integers: V8 gives any other number an object of its own.
    const bytes = numbers[at + BYTES] as number;
    this.source = (numbers[at + SOURCE] as number) | 0;
    this.tag = (numbers[at + TAG] as number) | 0;
    this.bytes = bytes <= 0x7fffffff ? bytes | 0 : bytes;
    this.type = (numbers[at + TYPE] as number) | 0;
  }

  get done(): boolean {
    return true;
  }

  get arrival(): Arrival {
    return this;
  }

  test(): boolean {
    return true;
  }

  wait(): void {}

  notify(listener: EndListener): void {
    queueMicrotask(() => listener.ended(undefined));
  }

  cancel(): boolean {
    return false;
  }
}

/** What the operations of one engine share. */
export interface Started {
  readonly binding: Binding;
  /** Those that the event loop will name when they are done, by handle. */
  readonly awaited: Map<number, NativeOperation>;
  readonly layouts: Layouts;
}

/** What kind of operation it is; not a class for each, since they are made for each message. */
export interface Nature {
  readonly operation: string;
  readonly receives: boolean;
  /** Of a probe that has matched, while the report still says what. */
  matched?(arrival: Arrival): void;
  /** The error behind a number other than 0, where it is not the usual one. */
  translate?(result: number): Error;
}

export const SEND: Nature = { operation: 'isend', receives: false };
export const RECEIVE: Nature = { operation: 'irecv', receives: true };
export const SEND_OBJECT: Nature = { operation: 'isendObject', receives: false };
export const RECEIVE_OBJECT: Nature = { operation: 'irecvObject', receives: true };

/** The slot of an operation whose buffers the addon holds by itself. */
const NO_SLOT = -1;
/** Of a round of a persistent request: the slot outlasts it. */
const LASTING_SLOT = -2;

/** Memory that cannot be resized is all there or, being transferred away, nothing of it. */
export function isThere(array: NodeJS.TypedArray | undefined): boolean {
  return array !== undefined && byteLengthOf.call(array) > 0;
}

export class NativeOperation implements PendingOperation {
  readonly #handle: number;
  readonly #started: Started;
  readonly #nature: Nature;
  readonly #partner: number;
  readonly #tag: number;
  /** Of its communicator; undefined: all ranks of the world. */
  readonly #members: Members | undefined;
  #slot: number;
  /** Where its bytes lie, if that is a typed array; `Binding.views` has it in any case. */
  readonly #array: NodeJS.TypedArray | undefined;
  #done: boolean;
  #arrival: Arrival | undefined;
  #error: Error | undefined;
  #listener: EndListener | undefined;
  #onFailure: ((error: unknown) => void) | undefined;

  private constructor(
    handle: number,
    started: Started,
    nature: Nature,
    partner: number,
    tag: number,
    members: Members | undefined,
    slot: number,
    array: NodeJS.TypedArray | undefined,
  ) {
    this.#handle = handle;
    this.#started = started;
    this.#nature = nature;
    this.#partner = partner;
    this.#tag = tag;
    this.#members = members;
    this.#slot = slot;
    this.#array = array;
    this.#done = false;
  }

  /** A send or receive; `slot` is where the addon looks for its buffer, unless it holds that by itself. */
  static ofMessage(
    started: Started,
    nature: Nature,
    handle: number,
    slot: number,
    view: BufferLike | undefined,
    isTyped: boolean,
    partner: number,
    tag: number,
    members: Members | undefined,
  ): NativeOperation {
    started.binding.views[slot] = view;
    const array = isTyped ? (view as NodeJS.TypedArray) : undefined;
    return new NativeOperation(handle, started, nature, partner, tag, members, slot, array);
  }

  /** A round of a persistent request. */
  static ofRound(
    started: Started,
    nature: Nature,
    handle: number,
    array: NodeJS.TypedArray | undefined,
    partner: number,
    tag: number,
    members: Members | undefined,
  ): NativeOperation {
    return new NativeOperation(handle, started, nature, partner, tag, members, LASTING_SLOT, array);
  }

  static ofProbe(
    started: Started,
    nature: Nature,
    handle: number,
    source: number,
    tag: number,
    members: Members | undefined,
  ): NativeOperation {
    return new NativeOperation(handle, started, nature, source, tag, members, NO_SLOT, undefined);
  }

  static ofCollective(started: Started, nature: Nature, handle: number): NativeOperation {
    return new NativeOperation(handle, started, nature, 0, 0, undefined, NO_SLOT, undefined);
  }

  get done(): boolean {
    return this.#done;
  }

  get arrival(): Arrival | undefined {
    return this.#arrival;
  }

  /**
   * For `Binding.waitAll`: the handle, negated unless its buffer is certainly there at this moment; 0 when there is
   * nothing to wait for.
   */
  get handleForAll(): number {
    if (this.#done) return 0;
    return isThere(this.#array) ? this.#handle : -this.#handle;
  }

  /** Its round is the last one: the buffer can go with it. */
  lastIn(slot: number): void {
    this.#slot = slot;
  }

  test(): boolean {
    if (!this.#done) {
      const { binding } = this.#started;
      const result = binding.test(this.#handle);
      if (result === -1) return false;
      // Asked from inside an operator, it goes on; so it does where it waits behind what finds no room.
      const code = binding.errorCodes[result];
      if (code === 'ERR_REENTRANT' || this.#isShortage(code)) throw this.#failure(result);
      this.#finish(result);
    }
    if (this.#error !== undefined) throw this.#error;
    return true;
  }

  wait(timeout?: number): void {
    if (!this.#done) {
      const { binding } = this.#started;
      const result = binding.wait(this.#handle, timeout ?? -1);
      if (result !== 0) {
        const code = binding.errorCodes[result];
        if (
          code === 'ERR_TIMEOUT' ||
          code === 'ERR_DEADLOCK' ||
          code === 'ERR_REENTRANT' ||
          this.#isShortage(code)
        ) {
          throw failure(binding, result, this.#attempt());
        }
      }
      this.#finish(result);
    }
    if (this.#error !== undefined) throw this.#error;
  }

  notify(listener: EndListener): void {
    this.#listener = listener;
    if (this.#done) {
      queueMicrotask(() => this.#tell());
      return;
    }
    this.#started.awaited.set(this.#handle, this);
    this.#started.binding.watch(this.#handle);
  }

  onFailure(failed: (error: unknown) => void): void {
    this.#onFailure = failed;
  }

  cancel(): boolean {
    return !this.#done && this.#started.binding.cancel(this.#handle) === 1;
  }

  /** Called from the event loop, for a watched operation that is complete. */
  settle(): void {
    if (this.#done) return;
    // At once, since nothing of the script is under way: a microtask for each message would cost as much as the rest.
    const listener = this.#listener;
    this.#listener = undefined;
    this.#finish(this.#started.binding.test(this.#handle));
    listener?.ended(this.#error);
  }

  /** It has succeeded, its handle is used up, and what came stands in `numbers`, in the places of `Outcome`. */
  succeed(numbers: Float64Array, at: number): void {
    if (this.#nature.receives) this.#arrival = new Received(numbers, at);
    this.#end();
  }

  #finish(result: number): void {
    const { binding } = this.#started;
    if (result === 0) {
      this.succeed(binding.report, Report.source);
      if (this.#arrival !== undefined) this.#nature.matched?.(this.#arrival);
      return;
    }
    this.#error = this.#failure(result);
    this.#end();
    this.#onFailure?.(this.#error);
  }

  #end(): void {
    this.#done = true;
    if (this.#slot >= 0) this.#started.binding.views[this.#slot] = undefined;
    if (this.#listener === undefined) return;
    this.#started.awaited.delete(this.#handle);
    queueMicrotask(() => this.#tell());
  }

  #tell(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.ended(this.#error);
  }

  /** Not its own failure: whoever waits for it is told that there is no room for what may come before its end. */
  #isShortage(code: string | undefined): boolean {
    return code === 'ERR_NO_MEM' && this.#started.binding.report[Report.result] === 1;
  }

  #failure(result: number): Error {
    return (
      this.#nature.translate?.(result) ?? failure(this.#started.binding, result, this.#attempt())
    );
  }

  #attempt(): Attempt {
    const { operation } = this.#nature;
    if (this.#slot === NO_SLOT && !this.#nature.receives) return { operation };
    return { operation, peer: this.#partner, tag: this.#tag, members: this.#members };
  }
}
