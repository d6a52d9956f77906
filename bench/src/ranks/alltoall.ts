import { world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import { CheckedBuffer } from './checked-buffer.ts';
import type { Exercise } from './exercise.ts';

/** Every rank sends a block to every rank, itself included. */
export class AllToAll implements Exercise {
  readonly latenciesPerOperation = 1;
  readonly timedOnAllRanks = true;
  readonly #out: CheckedBuffer;
  readonly #into: CheckedBuffer;

  constructor(bytes: number) {
    this.#out = new CheckedBuffer(bytes, world.size);
    this.#into = new CheckedBuffer(bytes, world.size);
  }

  run(iterations: number): void {
    const out = this.#out.data;
    const into = this.#into.data;
    for (let left = iterations; left > 0; left -= 1) world.alltoall(out, into);
  }

  stamp(samples: Float64Array): void {
    const out = this.#out.data;
    const into = this.#into.data;
    let before = performance.now();
    for (let index = 0; index < samples.length; index += 1) {
      world.alltoall(out, into);
      const after = performance.now();
      samples[index] = after - before;
      before = after;
    }
  }

  check(iterations: number, corruption: Corruption | undefined): number {
    const { rank, size } = world;
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      for (let dest = 0; dest < size; dest += 1) {
        this.#out.fill({ source: rank, dest, iteration }, dest);
      }
      this.#out.corrupt(corruption, rank, iteration);
      world.alltoall(this.#out.data, this.#into.data);
      for (let source = 0; source < size; source += 1) {
        this.#into.verify({ source, dest: rank, iteration }, source);
      }
    }
    return iterations * size;
  }
}
