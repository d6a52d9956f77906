import { world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import type { CheckedBuffer } from './checked-buffer.ts';
import type { Exercise } from './exercise.ts';
import type { Memory } from './memory.ts';
import type { Places } from './places.ts';

const TAG = 1;

/** Ranks 0 and 1 in turns, neither of which ever blocks: between two messages each goes back to its event loop. */
export class Awaited implements Exercise {
  readonly latenciesPerOperation = 2;
  readonly clocks = 1;
  readonly samples = 'each';
  readonly #rank = world.rank;
  readonly #out: Places<CheckedBuffer>;
  readonly #into: Places<CheckedBuffer>;

  constructor(bytes: number, memory: Memory) {
    this.#out = memory.buffers(bytes);
    this.#into = memory.buffers(bytes);
  }

  async run(iterations: number): Promise<void> {
    if (this.#rank > 1) return;
    for (let left = iterations; left > 0; left -= 1) await this.#exchange();
  }

  async stamp(samples: Float64Array): Promise<void> {
    if (this.#rank > 1) return;
    let before = performance.now();
    for (let index = 0; index < samples.length; index += 1) {
      await this.#exchange();
      const after = performance.now();
      samples[index] = after - before;
      before = after;
    }
  }

  async check(iterations: number, corruption: Corruption | undefined): Promise<number> {
    const rank = this.#rank;
    if (rank > 1) return 0;
    const peer = 1 - rank;
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      const into = this.#into.now;
      this.#out.now.fill({ source: rank, dest: peer, iteration });
      this.#out.now.corrupt(corruption, rank, iteration);
      await this.#exchange();
      into.verify({ source: peer, dest: rank, iteration });
    }
    return iterations;
  }

  async #exchange(): Promise<void> {
    const peer = 1 - this.#rank;
    if (this.#rank === 0) await world.isend(this.#out.now.data, peer, TAG);
    await world.irecv(this.#into.now.data, peer, TAG);
    if (this.#rank === 1) await world.isend(this.#out.now.data, peer, TAG);
    this.#out.advance();
    this.#into.advance();
  }
}
