import { BENCHMARKS, type BenchmarkName } from './benchmarks.ts';

/** One line of `onecopy bench --json`. A contract: keys are only ever added. */
export interface BenchRecord {
  readonly benchmark: BenchmarkName;
  readonly ranks: number;
  /** Of one message; for alltoall what each rank sends to each, for allgather to all; 0 for barrier. */
  readonly bytes: number;
  /** Measured, after the warm-up; of a ping-pong, round trips; of bandwidth and rate, windows. */
  readonly iterations: number;
  /**
   * Microseconds. `mean` is from one timer around the loop; the others are from a second pass, in which every
   * iteration pays for a time stamp. Of windows: of one message, if all of its window took the same time.
   */
  readonly latencyUs: {
    readonly min: number;
    readonly mean: number;
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
  };
  /**
   * Millions of bytes per second, by the mean: what one rank sends to others; for bcast, reduce and allreduce the
   * message, however often it travels.
   */
  readonly bandwidthMBs: number;
  /** Of `rate` alone. */
  readonly messagesPerSecond?: number;
  /** What carries envelopes: socket or ring. */
  readonly channel: string;
  /** Whether the payload travelled with its envelope. */
  readonly path: 'eager' | 'rendezvous';
  /** What moved most of the payload; null when eager. */
  readonly mover: string | null;
  /** Set when the buffers came from onecopy's `alloc`. */
  readonly buffers?: 'alloc';
  /** Set when every message was cold: what the buffers of a rank walked through. */
  readonly offCacheBytes?: number;
  readonly node: string;
}

export function bandwidthMBs(
  benchmark: BenchmarkName,
  ranks: number,
  bytes: number,
  meanUs: number,
): number {
  // Bytes per microsecond are megabytes of 1e6 bytes per second.
  return BENCHMARKS[benchmark].bytesMoved(bytes, ranks) / meanUs;
}

/** Nanoseconds are as fine as any clock here. */
export function toThreeDecimals(value: number): number {
  return Math.round(value * 1000) / 1000;
}
