import { world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import { CheckedBuffer } from './checked-buffer.ts';
import type { Exercise } from './exercise.ts';

const TAG = 1;

/** Ranks 0 and 1 in turns; what other ranks there are sleep until it is over. */
export class PingPong implements Exercise {
  readonly latenciesPerOperation = 2;
  readonly timedOnAllRanks = false;
  readonly #rank = world.rank;
  readonly #out: CheckedBuffer;
  readonly #into: CheckedBuffer;

  constructor(bytes: number) {
    this.#out = new CheckedBuffer(bytes);
    this.#into = new CheckedBuffer(bytes);
  }

  run(iterations: number): void {
    const out = this.#out.data;
    const into = this.#into.data;
    if (this.#rank === 0) {
      for (let left = iterations; left > 0; left -= 1) {
        world.send(out, 1, TAG);
        world.recv(into, 1, TAG);
      }
    } else if (this.#rank === 1) {
      for (let left = iterations; left > 0; left -= 1) {
        world.recv(into, 0, TAG);
        world.send(out, 0, TAG);
      }
    }
  }

  stamp(samples: Float64Array): void {
    if (this.#rank !== 0) {
      this.run(samples.length);
      return;
    }
    const out = this.#out.data;
    const into = this.#into.data;
    // Each stamp ends one sample and begins the next: one per iteration, half as dear as two.
    let before = performance.now();
    for (let index = 0; index < samples.length; index += 1) {
      world.send(out, 1, TAG);
      world.recv(into, 1, TAG);
      const after = performance.now();
      samples[index] = after - before;
      before = after;
    }
  }

  check(iterations: number, corruption: Corruption | undefined): number {
    if (this.#rank > 1) return 0;
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      if (this.#rank === 0) this.#send(iteration, corruption);
      this.#receive(iteration);
      if (this.#rank === 1) this.#send(iteration, corruption);
    }
    return iterations;
  }

  #send(iteration: number, corruption: Corruption | undefined): void {
    const dest = 1 - this.#rank;
    this.#out.fill({ source: this.#rank, dest, iteration });
    this.#out.corrupt(corruption, this.#rank, iteration);
    world.send(this.#out.data, dest, TAG);
  }

  #receive(iteration: number): void {
    const source = 1 - this.#rank;
    world.recv(this.#into.data, source, TAG);
    this.#into.verify({ source, dest: this.#rank, iteration });
  }
}
