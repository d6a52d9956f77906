import { world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import type { CheckedBuffer } from './checked-buffer.ts';
import { Collective } from './collective.ts';
import type { Memory } from './memory.ts';
import type { Places } from './places.ts';

/** Every rank sends a block to every rank, itself included. */
export class AllToAll extends Collective {
  readonly #out: Places<CheckedBuffer>;
  readonly #into: Places<CheckedBuffer>;

  constructor(bytes: number, memory: Memory) {
    super();
    this.#out = memory.buffers(bytes, world.size);
    this.#into = memory.buffers(bytes, world.size);
  }

  protected override operate(): void {
    world.alltoall(this.#out.now.data, this.#into.now.data);
    this.#out.advance();
    this.#into.advance();
  }

  override check(iterations: number, corruption: Corruption | undefined): number {
    const { rank, size } = world;
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      const out = this.#out.now;
      const into = this.#into.now;
      for (let dest = 0; dest < size; dest += 1) {
        out.fill({ source: rank, dest, iteration }, dest);
      }
      out.corrupt(corruption, rank, iteration);
      this.operate();
      for (let source = 0; source < size; source += 1) {
        into.verify({ source, dest: rank, iteration }, source);
      }
    }
    return iterations * size;
  }
}
