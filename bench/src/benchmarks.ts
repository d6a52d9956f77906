export type BenchmarkName =
  | 'pingpong'
  | 'awaited'
  | 'multipair'
  | 'bandwidth'
  | 'bibandwidth'
  | 'rate'
  | 'persistent'
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
  /** Half of them send to the other half. */
  readonly evenRanks?: true;
  /** As in `--sizes`, where one has others than the usual ones. */
  readonly defaultSizes?: string;
  /** Up to `LARGE_BYTES`. */
  readonly small: Loops;
  /** Above `LARGE_BYTES`. */
  readonly large: Loops;
  /** Sizes are multiples of it; 0: there is nothing to have a size. */
  readonly elementBytes: number;
  /** Whether `worker_threads` and `child_process` do the same here, for a comparison. */
  readonly hasRivals: boolean;
  /** Messages that a rank sends in one operation: so many places one takes up with `--off-cache`. */
  readonly messagesPerOperation?: number;
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

/** Messages in flight at a time, where there are many: as in OSU's. */
export const WINDOW = 64;

const everyByte = (count: number): string => `every byte of ${count} messages`;
const everyElement = (count: number): string =>
  `every element of ${count} results, against a serial sum`;

/** As the design of our measurements has it; 100 would do for an MPI in C, but here the loop must also be compiled. */
const LOOPS = {
  small: { iterations: 10_000, warmup: 10_000 },
  large: { iterations: 1_000, warmup: 100 },
} as const;

/** With less, what V8 does beside the loop at first stood for up to a third of the mean, and for all of the 99th percentile. */
const LONG_LOOPS = {
  small: { iterations: 100_000, warmup: 100_000 },
  large: { iterations: 1_000, warmup: 2_000 },
} as const;

/** Of whole windows, with 64 messages in each; as long as the others, for the same reason. */
const WINDOWS = {
  small: { iterations: 5_000, warmup: 2_000 },
  large: { iterations: 100, warmup: 10 },
  messagesPerOperation: WINDOW,
} as const;

export const BENCHMARKS: Readonly<Record<BenchmarkName, Benchmark>> = {
  pingpong: {
    title: 'Ping-pong',
    measures: 'half a round trip of blocking send and recv',
    defaultRanks: 2,
    ...LONG_LOOPS,
    elementBytes: 1,
    hasRivals: true,
    bytesMoved: (bytes) => bytes,
    checked: everyByte,
  },
  awaited: {
    title: 'Ping-pong, awaited',
    measures: 'half a round trip of awaited isend and irecv',
    defaultRanks: 2,
    ...LOOPS,
    elementBytes: 1,
    hasRivals: false,
    bytesMoved: (bytes) => bytes,
    checked: everyByte,
  },
  multipair: {
    title: 'Ping-pong among pairs',
    measures: 'half a round trip between ranks i and i + n/2, all pairs at once, mean over pairs',
    defaultRanks: 4,
    evenRanks: true,
    ...LONG_LOOPS,
    elementBytes: 1,
    hasRivals: false,
    bytesMoved: (bytes) => bytes,
    checked: everyByte,
  },
  bandwidth: {
    title: 'Bandwidth',
    measures: `one message of a window of ${WINDOW} isend and irecv, which an answer of 1 byte ends`,
    defaultRanks: 2,
    ...WINDOWS,
    elementBytes: 1,
    hasRivals: false,
    bytesMoved: (bytes) => bytes,
    checked: everyByte,
  },
  bibandwidth: {
    title: 'Bandwidth both ways',
    measures: `one message there and one back, of windows of ${WINDOW} isend and irecv on both sides`,
    defaultRanks: 2,
    ...WINDOWS,
    elementBytes: 1,
    hasRivals: false,
    bytesMoved: (bytes) => 2 * bytes,
    checked: everyByte,
  },
  rate: {
    title: 'Message rate',
    measures: `one small message of a window of ${WINDOW} isend and irecv, which an answer of 1 byte ends`,
    defaultRanks: 2,
    defaultSizes: '8',
    ...WINDOWS,
    elementBytes: 1,
    hasRivals: false,
    bytesMoved: (bytes) => bytes,
    checked: everyByte,
  },
  persistent: {
    title: 'Message rate, persistent',
    measures: `one small message of a startAll of ${WINDOW} persistent requests, which an answer of 1 byte ends`,
    defaultRanks: 2,
    defaultSizes: '8',
    ...WINDOWS,
    elementBytes: 1,
    hasRivals: false,
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
    ...LONG_LOOPS,
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
