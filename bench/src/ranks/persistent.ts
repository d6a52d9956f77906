import { type PersistentRequest, startAll, waitAll, world } from '@onecopy/runtime';
import { WINDOW } from '../benchmarks.ts';
import type { Corruption } from '../protocol.ts';
import { CheckedBuffer } from './checked-buffer.ts';
import type { Memory } from './memory.ts';
import { OneWay } from './windows.ts';

const TAG = 1;
const ANSWER_TAG = 3;

/** The same windows as the message rate's, but of requests that are made once and started each time. */
export class Persistent extends OneWay {
  readonly #buffers: CheckedBuffer[] = [];
  readonly #window: PersistentRequest<unknown>[] = [];
  readonly #answer: Uint8Array = new CheckedBuffer(1).data;

  constructor(bytes: number, memory: Memory) {
    super(bytes, memory);
    if (this.rank > 1) return;
    const places = memory.buffers(bytes);
    for (let i = 0; i < WINDOW; i += 1) {
      this.#buffers.push(places.now);
      const { data } = places.now;
      this.#window.push(
        this.rank === 0
          ? world.sendInit(data, this.peer, TAG)
          : world.recvInit(data, this.peer, TAG),
      );
      places.advance();
    }
  }

  protected override operate(): void {
    waitAll(startAll(this.#window));
    if (this.rank === 0) world.recv(this.#answer, this.peer, ANSWER_TAG);
    else world.send(this.#answer, this.peer, ANSWER_TAG);
  }

  /** What a buffer holds in the end: all of a window may go through the same one. */
  override check(iterations: number, corruption: Corruption | undefined): number {
    if (this.rank > 1) return 0;
    const buffers = new Set(this.#buffers);
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      for (const [place, buffer] of [...buffers].entries()) {
        if (this.rank !== 0) continue;
        buffer.fill({ source: 0, dest: 1, iteration });
        if (place === 0) buffer.corrupt(corruption, 0, iteration);
      }
      this.operate();
      if (this.rank === 0) continue;
      for (const buffer of buffers) buffer.verify({ source: 0, dest: 1, iteration });
    }
    return this.rank === 0 ? 0 : iterations * buffers.size;
  }

  end(): void {
    for (const request of this.#window) request.free();
  }
}
