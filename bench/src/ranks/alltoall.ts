import { world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import { CheckedBuffer } from './checked-buffer.ts';
import { Collective } from './collective.ts';

/** Every rank sends a block to every rank, itself included. */
export class AllToAll extends Collective {
  readonly #out: CheckedBuffer;
  readonly #into: CheckedBuffer;

  constructor(bytes: number) {
    super();
    this.#out = new CheckedBuffer(bytes, world.size);
    this.#into = new CheckedBuffer(bytes, world.size);
  }

  protected override operate(): void {
    world.alltoall(this.#out.data, this.#into.data);
  }

  override check(iterations: number, corruption: Corruption | undefined): number {
    const { rank, size } = world;
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      for (let dest = 0; dest < size; dest += 1) {
        this.#out.fill({ source: rank, dest, iteration }, dest);
      }
      this.#out.corrupt(corruption, rank, iteration);
      this.operate();
      for (let source = 0; source < size; source += 1) {
        this.#into.verify({ source, dest: rank, iteration }, source);
      }
    }
    return iterations * size;
  }
}
