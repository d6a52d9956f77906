import { type Request, waitAll, world } from '@onecopy/runtime';
import { WINDOW } from '../benchmarks.ts';
import type { Corruption } from '../protocol.ts';
import { CheckedBuffer } from './checked-buffer.ts';
import type { Exercise } from './exercise.ts';
import type { Memory } from './memory.ts';
import type { Places } from './places.ts';

const TAG = 1;
const ANSWER_TAG = 3;

/** Each message of a window that is checked has a buffer of its own; there are fewer where they would be this large. */
const CHECKED_BYTES = 256 * 2 ** 20;

/**
 * Many messages in flight between ranks 0 and 1. As in OSU's, all of a window are sent from one buffer and received
 * into one: what is in it then is nobody's concern, except in `check`.
 */
abstract class Windows implements Exercise {
  readonly latenciesPerOperation: number = WINDOW;
  readonly clocks = 1;
  readonly samples = 'each';
  protected readonly rank: number = world.rank;
  protected readonly peer: number = 1 - world.rank;
  protected readonly requests: Request<unknown>[] = [];
  readonly #bytes: number;
  readonly #out: Places<CheckedBuffer>;
  readonly #into: Places<CheckedBuffer>;

  constructor(bytes: number, memory: Memory) {
    this.#bytes = bytes;
    this.#out = memory.buffers(bytes);
    this.#into = memory.buffers(bytes);
  }

  /** Of this rank, in a benchmark in which it takes part. */
  protected abstract readonly isSender: boolean;
  protected abstract readonly isReceiver: boolean;

  /** One window. */
  protected abstract operate(): void;

  run(iterations: number): void {
    if (this.rank > 1) return;
    for (let left = iterations; left > 0; left -= 1) this.operate();
  }

  stamp(samples: Float64Array): void {
    if (this.rank > 1) return;
    let before = performance.now();
    for (let index = 0; index < samples.length; index += 1) {
      this.operate();
      const after = performance.now();
      samples[index] = after - before;
      before = after;
    }
  }

  /** Into `requests`, from this place on. */
  protected startSends(place: number): void {
    for (let index = 0; index < WINDOW; index += 1) {
      this.requests[place + index] = world.isend(this.#out.now.data, this.peer, TAG);
      this.#out.advance();
    }
  }

  protected startReceives(place: number): void {
    for (let index = 0; index < WINDOW; index += 1) {
      this.requests[place + index] = world.irecv(this.#into.now.data, this.peer, TAG);
      this.#into.advance();
    }
  }

  check(iterations: number, corruption: Corruption | undefined): number {
    if (this.rank > 1) return 0;
    const { rank, peer } = this;
    const count = Math.max(1, Math.min(WINDOW, Math.floor(CHECKED_BYTES / (this.#bytes || 1))));
    const slots = Array.from({ length: count }, (_, slot) => slot);
    const out = this.isSender ? slots.map(() => new CheckedBuffer(this.#bytes)) : [];
    const into = this.isReceiver ? slots.map(() => new CheckedBuffer(this.#bytes)) : [];
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      const message = (slot: number) => iteration * count + slot;
      for (const [slot, buffer] of out.entries()) {
        buffer.fill({ source: rank, dest: peer, iteration: message(slot) });
        // Of a window that is to be spoilt, the first message.
        if (slot === 0) buffer.corrupt(corruption, rank, iteration);
      }
      const requests = [
        ...into.map(({ data }) => world.irecv(data, peer, TAG)),
        ...out.map(({ data }) => world.isend(data, peer, TAG)),
      ];
      waitAll(requests);
      for (const [slot, buffer] of into.entries()) {
        buffer.verify({ source: peer, dest: rank, iteration: message(slot) });
      }
    }
    return iterations * into.length;
  }
}

/** From rank 0 to rank 1, which says when it has a window: bandwidth, and with small messages their rate. */
export class OneWay extends Windows {
  protected readonly isSender: boolean = world.rank === 0;
  protected readonly isReceiver: boolean = world.rank === 1;
  readonly #answer: Uint8Array = new CheckedBuffer(1).data;

  protected override operate(): void {
    if (this.rank === 0) {
      this.startSends(0);
      waitAll(this.requests);
      world.recv(this.#answer, this.peer, ANSWER_TAG);
    } else {
      this.startReceives(0);
      waitAll(this.requests);
      world.send(this.#answer, this.peer, ANSWER_TAG);
    }
  }
}

/** Both ranks send and receive a window at the same time. */
export class BothWays extends Windows {
  protected readonly isSender = true;
  protected readonly isReceiver = true;

  protected override operate(): void {
    this.startReceives(0);
    this.startSends(WINDOW);
    waitAll(this.requests);
  }
}
