/**
 * What `onecopy bench` and its ranks tell each other: one command per line on rank 0's stdin, one answer per line on
 * its stdout. So a job lives as long as the comparison it is part of, and sleeps while a rival runs.
 */
import type { BenchmarkName } from './benchmarks.ts';
import type { LoopPlan } from './loops.ts';
import type { BenchRecord } from './record.ts';

export interface Command {
  readonly benchmark: BenchmarkName;
  readonly bytes: number;
  readonly loops: LoopPlan;
  /** What carries envelopes in this job. */
  readonly channel: string;
  /** From where the buffers are; undefined: ordinary memory that begins on a page. */
  readonly buffers?: 'alloc';
  /** By rank, the processor that its main thread is to stay on; undefined: where the kernel puts it. */
  readonly processors?: readonly number[];
  /** How much memory the buffers walk through; undefined: they stay where they are. */
  readonly offCacheBytes?: number;
  /** Verify every byte of every message of a pass of its own, before the clock starts. */
  readonly check: boolean;
  /** Spoil one message of that pass, so that a test sees the check fail. */
  readonly corruption?: Corruption;
}

/**
 * One byte of what `rank` sends in this iteration of the check is flipped after it was filled in. In a barrier, which
 * sends nothing, the rank gives its times of coming and leaving the wrong way round.
 */
export interface Corruption {
  readonly rank: number;
  readonly iteration: number;
  readonly offset: number;
}

export interface Answer {
  readonly record: BenchRecord;
  /** What was verified, on all ranks together: messages, results of a reduction, barriers. */
  readonly checked: number;
}
