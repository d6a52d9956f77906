/** Sends and receives that are prepared once and started often. */
import type { PendingOperation, PreparedOperation } from '@onecopy/engine';

import { GOES_ON, Outcome } from './binding.ts';
import type { Members } from './members.ts';
import {
  isThere,
  NativeOperation,
  type Nature,
  Received,
  SENT,
  type Started,
} from './operation.ts';

export class NativePrepared implements PreparedOperation {
  readonly nature: Nature;
  readonly partner: number;
  readonly tag: number;
  /** Of its communicator; undefined: all ranks of the world. */
  readonly members: Members | undefined;
  readonly #started: Started;
  readonly #handle: number;
  readonly #slot: number;
  readonly #array: NodeJS.TypedArray | undefined;
  #round: NativeOperation | undefined;

  /** `array`: where its bytes lie, if that is a typed array; `slot` has it in any case. */
  constructor(
    started: Started,
    nature: Nature,
    handle: number,
    slot: number,
    array: NodeJS.TypedArray | undefined,
    partner: number,
    tag: number,
    members: Members | undefined,
  ) {
    this.#started = started;
    this.nature = nature;
    this.#handle = handle;
    this.#slot = slot;
    this.#array = array;
    this.partner = partner;
    this.tag = tag;
    this.members = members;
    this.#round = undefined;
  }

  /** For `Binding.startAll`: negated unless its buffer is certainly there at this moment. */
  get handleToStart(): number {
    return isThere(this.#array) ? this.#handle : -this.#handle;
  }

  /** What a round is that was just started, by what `Binding.startAll` said of it. */
  round(outcomes: Float64Array, at: number): PendingOperation {
    if (outcomes[at + Outcome.type] !== GOES_ON) {
      return this.nature.receives ? new Received(outcomes, at) : SENT;
    }
    this.#round = NativeOperation.ofRound(
      this.#started,
      this.nature,
      this.#handle,
      this.#array,
      this.partner,
      this.tag,
      this.members,
    );
    return this.#round;
  }

  free(): void {
    const { binding } = this.#started;
    binding.release(this.#handle);
    if (this.#round === undefined || this.#round.done) binding.views[this.#slot] = undefined;
    else this.#round.lastIn(this.#slot);
  }
}
