import { world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import type { CheckedBuffer } from './checked-buffer.ts';
import { Collective } from './collective.ts';
import type { Memory } from './memory.ts';
import type { Places } from './places.ts';

const ROOT = 0;

/** The root's message goes to all. */
export class Broadcast extends Collective {
  readonly #buffer: Places<CheckedBuffer>;

  constructor(bytes: number, memory: Memory) {
    super();
    this.#buffer = memory.buffers(bytes);
  }

  protected override operate(): void {
    world.bcast(this.#buffer.now.data, ROOT);
    this.#buffer.advance();
  }

  override check(iterations: number, corruption: Corruption | undefined): number {
    const { rank } = world;
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      const buffer = this.#buffer.now;
      const message = { source: ROOT, dest: ROOT, iteration };
      if (rank === ROOT) {
        buffer.fill(message);
        buffer.corrupt(corruption, rank, iteration);
        this.operate();
        // Once more puts it right: the ranks that received it are to find it.
        buffer.corrupt(corruption, rank, iteration);
      } else {
        this.operate();
      }
      // The root's too must be as it was.
      buffer.verify(message, 0, rank);
    }
    return rank === ROOT ? 0 : iterations;
  }
}
