import { world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import { CheckedBuffer } from './checked-buffer.ts';
import { Collective } from './collective.ts';

const ROOT = 0;

/** The root's message goes to all. */
export class Broadcast extends Collective {
  readonly #buffer: CheckedBuffer;

  constructor(bytes: number) {
    super();
    this.#buffer = new CheckedBuffer(bytes);
  }

  protected override operate(): void {
    world.bcast(this.#buffer.data, ROOT);
  }

  override check(iterations: number, corruption: Corruption | undefined): number {
    const { rank } = world;
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      const message = { source: ROOT, dest: ROOT, iteration };
      if (rank === ROOT) {
        this.#buffer.fill(message);
        this.#buffer.corrupt(corruption, rank, iteration);
        this.operate();
        // Once more puts it right: the ranks that received it are to find it.
        this.#buffer.corrupt(corruption, rank, iteration);
      } else {
        this.operate();
      }
      // The root's too must be as it was.
      this.#buffer.verify(message, 0, rank);
    }
    return rank === ROOT ? 0 : iterations;
  }
}
