import { world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import type { Exercise } from './exercise.ts';

/**
 * An operation of all ranks, back to back. Nothing holds a rank back between two of them but the operation itself, so
 * where a root only gives it may run ahead, here as in the peers (`bench/peers/collectives.c`).
 */
export abstract class Collective implements Exercise {
  readonly latenciesPerOperation = 1;
  readonly clocks: number = world.size;
  readonly samples = 'mean';

  /** One of them. A job measures one kind, so V8 sees one callee and puts it into the loop. */
  protected abstract operate(): void;

  abstract check(iterations: number, corruption: Corruption | undefined): number;

  run(iterations: number): void {
    for (let left = iterations; left > 0; left -= 1) this.operate();
  }

  stamp(samples: Float64Array): void {
    // Each stamp ends one sample and begins the next: one per iteration, half as dear as two.
    let before = performance.now();
    for (let index = 0; index < samples.length; index += 1) {
      this.operate();
      const after = performance.now();
      samples[index] = after - before;
      before = after;
    }
  }
}
