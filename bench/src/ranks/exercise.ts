import type { Corruption } from '../protocol.ts';

/** What a benchmark does, on every rank: the parts that the method in `measure.ts` puts together. */
export interface Exercise {
  /** Latencies per operation of `run`: a round trip is two. */
  readonly latenciesPerOperation: number;
  /** Whose time counts: that of the ranks from 0 up to, but without, this one. */
  readonly clocks: number;
  /** Their times of one operation are one sample, the mean; or a sample each. */
  readonly samples: 'mean' | 'each';

  /** Operations back to back, and nothing else. A promise where they are awaited. */
  run(iterations: number): void | Promise<void>;
  /** The same, with the milliseconds of each operation in `samples`. */
  stamp(samples: Float64Array): void | Promise<void>;
  /**
   * Each message filled with a pattern of its own and verified to the last byte, also that nothing was written beyond
   * it. Throws a CheckFailure; the result is how many messages, results or barriers this rank has verified.
   */
  check(iterations: number, corruption: Corruption | undefined): number | Promise<number>;
}
