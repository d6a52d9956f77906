import { world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import { CheckedBuffer } from './checked-buffer.ts';
import { Collective } from './collective.ts';

/** Every rank gives one block, and gets those of all, its own included. */
export class AllGather extends Collective {
  readonly #out: CheckedBuffer;
  readonly #into: CheckedBuffer;

  constructor(bytes: number) {
    super();
    this.#out = new CheckedBuffer(bytes);
    this.#into = new CheckedBuffer(bytes, world.size);
  }

  protected override operate(): void {
    world.allgather(this.#out.data, this.#into.data);
  }

  override check(iterations: number, corruption: Corruption | undefined): number {
    const { rank, size } = world;
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      this.#out.fill({ source: rank, dest: rank, iteration });
      this.#out.corrupt(corruption, rank, iteration);
      this.operate();
      for (let source = 0; source < size; source += 1) {
        this.#into.verify({ source, dest: source, iteration }, source, rank);
      }
    }
    return iterations * size;
  }
}
