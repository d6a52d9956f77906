/** What two ranks do again and again. */
export interface P2pExercise {
  /** Latencies per operation of `run`: a round trip is two. */
  readonly latenciesPerOperation: number;
  run(iterations: number): void | Promise<void>;
  /** Takes back what it has started. */
  end?(): void;
}
