import type { Corruption } from '../protocol.ts';

/** What a benchmark does, on every rank: the parts that the method in `measure.ts` puts together. */
export interface Exercise {
  /** Latencies per operation of `run`: a round trip is two. */
  readonly latenciesPerOperation: number;
  /** Whether the time of every rank counts, or that of rank 0 alone. */
  readonly timedOnAllRanks: boolean;

  /** Operations back to back, and nothing else. */
  run(iterations: number): void;
  /** The same, with the milliseconds of each operation in `samples`. */
  stamp(samples: Float64Array): void;
  /**
   * Each message filled with a pattern of its own and verified to the last byte, also that nothing was written beyond
   * it. Throws a CheckFailure; the result is how many messages, results or barriers this rank has verified.
   */
  check(iterations: number, corruption: Corruption | undefined): number;
}
