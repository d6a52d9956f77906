import type { BenchmarkName } from './benchmarks.ts';
import type { LoopPlan } from './loops.ts';

export interface Task {
  readonly benchmark: BenchmarkName;
  readonly bytes: number;
  readonly loops: LoopPlan;
}

export interface Timing {
  /** One latency, as the benchmark defines it. */
  readonly meanUs: number;
  readonly iterations: number;
}

/** What can take part in a comparison. It is asleep while it is not measuring. */
export interface Contestant {
  readonly name: string;
  measure(task: Task): Promise<Timing>;
  close(): Promise<void>;
}
