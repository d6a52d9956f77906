export type BenchmarkName =
  | 'pingpong'
  | 'alltoall'
  | 'bcast'
  | 'reduce'
  | 'allreduce'
  | 'allgather'
  | 'barrier';

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
  /** Sizes are multiples of it; 0: there is nothing to have a size. */
  readonly elementBytes: number;
  /** Whether `worker_threads` and `child_process` do the same here, for a comparison. */
  readonly hasRivals: boolean;
  /**
   * Bytes that count while one latency passes; bandwidth is this over the mean. Where every rank has messages of its
   * own for others, these; for what is one message or one sum for all, that, however often it travels.
   */
  bytesMoved(bytes: number, ranks: number): number;
  /** What `--check` has verified, `count` of them. */
  checked(count: number): string;
}

/** Where the OSU micro-benchmarks begin to take fewer iterations. */
const LARGE_BYTES = 8192;

const everyByte = (count: number): string => `every byte of ${count} messages`;
const everyElement = (count: number): string =>
  `every element of ${count} results, against a serial sum`;

/** As the design of our measurements has it; 100 would do for an MPI in C, but here the loop must also be compiled. */
const LOOPS = {
  small: { iterations: 10_000, warmup: 10_000 },
  large: { iterations: 1_000, warmup: 100 },
} as const;

export const BENCHMARKS: Readonly<Record<BenchmarkName, Benchmark>> = {
  pingpong: {
    title: 'Ping-pong',
    measures: 'half a round trip of blocking send and recv',
    defaultRanks: 2,
    ...LOOPS,
    elementBytes: 1,
    hasRivals: true,
    bytesMoved: (bytes) => bytes,
    checked: everyByte,
  },
  alltoall: {
    title: 'All-to-all',
    measures: 'one alltoall of a block to each rank, mean over ranks',
    defaultRanks: 4,
    small: { iterations: 1_000, warmup: 100 },
    large: { iterations: 100, warmup: 10 },
    elementBytes: 1,
    hasRivals: true,
    // The block that a rank sends to itself crosses nothing.
    bytesMoved: (bytes, ranks) => bytes * (ranks - 1),
    checked: everyByte,
  },
  bcast: {
    title: 'Broadcast',
    measures: 'one bcast of a message from rank 0, mean over ranks',
    defaultRanks: 4,
    ...LOOPS,
    elementBytes: 1,
    hasRivals: false,
    bytesMoved: (bytes) => bytes,
    checked: everyByte,
  },
  reduce: {
    title: 'Reduce',
    measures: 'one sum of float64 arrays at rank 0, mean over ranks',
    defaultRanks: 4,
    ...LOOPS,
    elementBytes: Float64Array.BYTES_PER_ELEMENT,
    hasRivals: false,
    bytesMoved: (bytes) => bytes,
    checked: everyElement,
  },
  allreduce: {
    title: 'Allreduce',
    measures: 'one sum of float64 arrays on every rank, mean over ranks',
    defaultRanks: 4,
    ...LOOPS,
    elementBytes: Float64Array.BYTES_PER_ELEMENT,
    hasRivals: false,
    bytesMoved: (bytes) => bytes,
    checked: everyElement,
  },
  allgather: {
    title: 'Allgather',
    measures: 'one allgather of a block from each rank, mean over ranks',
    defaultRanks: 4,
    ...LOOPS,
    elementBytes: 1,
    hasRivals: false,
    bytesMoved: (bytes, ranks) => bytes * (ranks - 1),
    checked: everyByte,
  },
  barrier: {
    title: 'Barrier',
    measures: 'one barrier, mean over ranks',
    defaultRanks: 4,
    ...LOOPS,
    elementBytes: 0,
    hasRivals: false,
    bytesMoved: () => 0,
    checked: (count) => `that no rank left one of ${count} barriers before all had come`,
  },
};

export function isBenchmarkName(name: string): name is BenchmarkName {
  return Object.hasOwn(BENCHMARKS, name);
}

export function defaultLoops(benchmark: Benchmark, bytes: number): Loops {
  return bytes > LARGE_BYTES ? benchmark.large : benchmark.small;
}
