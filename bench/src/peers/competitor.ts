import type { BenchmarkName } from '../benchmarks.ts';
import type { LoopPlan } from '../loops.ts';

/** What is compared: one line of the result. */
export interface Configuration {
  readonly benchmark: BenchmarkName;
  readonly ranks: number;
  readonly bytes: number;
  /** Ours has its buffers from onecopy's `alloc`; the peers, which have nothing like it, from where they always are. */
  readonly buffers?: 'alloc';
}

export interface Turn {
  readonly loops: LoopPlan;
  /** What ours did in this round; for programs that know no budget. */
  readonly iterations: number;
}

/** Microseconds of one latency, as the benchmark defines it. */
export interface Figures {
  readonly mean: number;
  readonly p50: number;
  /** Undefined where the program does not say. */
  readonly p99?: number;
}

export interface Outcome {
  readonly figures: Figures;
  readonly iterations: number;
}

export interface Competitor {
  /** The key in the results. */
  readonly name: string;
  readonly version: string;
  takesPartIn(configuration: Configuration): boolean;
  /** How it is started, for people. */
  settings(configuration: Configuration): string;
  /** One run from start to end. Throws a ProgramFailed. */
  measure(configuration: Configuration, turn: Turn): Promise<Outcome>;
}
