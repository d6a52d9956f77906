export type BenchmarkName = 'pingpong' | 'alltoall';

interface Loops {
  readonly iterations: number;
  readonly warmup: number;
}

export interface Benchmark {
  readonly title: string;
  /** What one latency is the time of. */
  readonly measures: string;
  readonly defaultRanks: number;
  /** Up to `LARGE_BYTES`. */
  readonly small: Loops;
  /** Above `LARGE_BYTES`. */
  readonly large: Loops;
  /** Bytes that one rank sends to others while one latency passes; bandwidth is this over the mean. */
  bytesSent(bytes: number, ranks: number): number;
}

/** Where the OSU micro-benchmarks begin to take fewer iterations. */
const LARGE_BYTES = 8192;

export const BENCHMARKS: Readonly<Record<BenchmarkName, Benchmark>> = {
  pingpong: {
    title: 'Ping-pong',
    measures: 'half a round trip of blocking send and recv',
    defaultRanks: 2,
    // 100 would do for an MPI in C; here the loop must also have been compiled.
    small: { iterations: 10_000, warmup: 10_000 },
    large: { iterations: 1_000, warmup: 100 },
    bytesSent: (bytes) => bytes,
  },
  alltoall: {
    title: 'All-to-all',
    measures: 'one alltoall of a block to each rank, mean over ranks',
    defaultRanks: 4,
    small: { iterations: 1_000, warmup: 100 },
    large: { iterations: 100, warmup: 10 },
    // The block that a rank sends to itself crosses nothing.
    bytesSent: (bytes, ranks) => bytes * (ranks - 1),
  },
};

export function isBenchmarkName(name: string): name is BenchmarkName {
  return Object.hasOwn(BENCHMARKS, name);
}

export function defaultLoops(benchmark: Benchmark, bytes: number): Loops {
  return bytes > LARGE_BYTES ? benchmark.large : benchmark.small;
}
