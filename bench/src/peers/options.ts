import {
  countOf,
  launcherArgumentsOf,
  launcherOptions,
  listOf,
  methodOptions,
  moverOf,
  OptionError,
  optionalCountOf,
  ranksOf,
  readArguments,
  sizesOf,
} from '../arguments.ts';
import { BENCHMARKS } from '../benchmarks.ts';
import { channelOf } from '../options.ts';
import { type Pair, parsePair } from './installation.ts';
import { PEER_BENCHMARKS, type PeerBenchmark } from './programs.ts';

export interface PeersOptions {
  /** None: the usual set. */
  readonly benchmarks: readonly PeerBenchmark[];
  readonly ranks?: number;
  readonly sizes?: readonly number[];
  readonly pairs: number;
  readonly quick: boolean;
  readonly iterations?: number;
  readonly warmup?: number;
  readonly timeoutMs: number;
  /** None: those that are found. */
  readonly mpi: readonly Pair[];
  readonly pages: 'small' | 'huge';
  readonly json: boolean;
  readonly svg?: string;
  readonly channel: string;
  readonly buffers?: 'alloc';
  readonly offCache: boolean;
  readonly launcherArguments: readonly string[];
}

const DEFAULT_PAIRS = '5';
const QUICK_PAIRS = '3';
const DEFAULT_TIMEOUT = '60';

export const PEERS_HELP: string = `Usage: onecopy bench peers [benchmark…] [options]

Ours and programs in C on the MPIs of this machine, in turns: A B C A B C, each started anew. The figure is the
median of the ratios of each turn, ours over theirs: less than 1 is faster. Programs, loops, warm-up and timers are
the same; bench/peers has the sources, and install.sh there sets several MPIs up.

Benchmarks
  ${PEER_BENCHMARKS.join(' ')}
  without a name: pingpong from 8 bytes to 64 MiB, rate, multipair and barrier with 4 and 8 ranks

Options
  --mpi NAME=MPICC,MPIRUN[,ROOT]
                    a compiler and its launcher, in a folder that is a system of its own if ROOT is given (chroot);
                    may be repeated. Without it: mpicc.openmpi, mpicc.mpich or mpicc of this system, and what is in
                    the root that ONECOPY_PEERS names, or in /opt/onecopy-peers, there also UCX's ucx_perftest
  -n N              ranks
  --sizes LIST      bytes: 8,1K,64K,1M
  --pairs K         turns of each (${DEFAULT_PAIRS})
  --quick           fewer sizes, turns and iterations: a glance
  --iterations K, --warmup K
                    as many as this, however long they take
  --timeout SECONDS for one run (${DEFAULT_TIMEOUT}); who takes longer is ended, and said to have stalled
  --huge-pages      the C programs ask for huge pages too, as onecopy does for large buffers that come again
  --json            one object per benchmark and size
  --svg FILE        also draw a chart of times and bandwidths by size
  --off-cache, --channel socket|ring, --mover cma|heap|staging, --eager-limit BYTES
                    as for onecopy bench; --off-cache for peers too, the others for ours alone
`;

const ownOptions = {
  ...methodOptions,
  mpi: { type: 'string', multiple: true },
  pairs: { type: 'string' },
  quick: { type: 'boolean', default: false },
  timeout: { type: 'string' },
  'huge-pages': { type: 'boolean', default: false },
} as const;

/** Reads the arguments after `onecopy bench peers`. Throws an OptionError. */
export function parsePeersOptions(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): PeersOptions | 'help' {
  const { values, positionals } = readArguments(argv, { ...ownOptions, ...launcherOptions });
  if (values.help) return 'help';
  const benchmarks = positionals.map(benchmarkOf);
  if (benchmarks.length === 0 && (values.n !== undefined || values.sizes !== undefined)) {
    const option = values.n === undefined ? '--sizes' : '-n';
    throw new OptionError(
      `${option} is for benchmarks that are named: onecopy bench peers pingpong`,
    );
  }
  const iterations = optionalCountOf('--iterations', values.iterations, 1);
  const warmup = optionalCountOf('--warmup', values.warmup, 0);
  const mover = moverOf(values.mover);
  const pairs = values.pairs ?? (values.quick ? QUICK_PAIRS : DEFAULT_PAIRS);
  return {
    benchmarks,
    ...(values.n !== undefined && { ranks: ranksOfAll(values.n, benchmarks) }),
    ...(values.sizes !== undefined && { sizes: sizesOfAll(values.sizes, benchmarks) }),
    pairs: countOf('--pairs', pairs, 1),
    quick: values.quick,
    ...(iterations !== undefined && { iterations }),
    ...(warmup !== undefined && { warmup }),
    timeoutMs: 1000 * countOf('--timeout', values.timeout ?? DEFAULT_TIMEOUT, 1),
    mpi: (values.mpi ?? []).map(parsePair),
    pages: values['huge-pages'] ? 'huge' : 'small',
    json: values.json,
    ...(values.svg !== undefined && { svg: values.svg }),
    channel: channelOf(values.channel, env),
    ...(mover === 'heap' && { buffers: 'alloc' }),
    offCache: values['off-cache'],
    launcherArguments: launcherArgumentsOf(values, mover),
  };
}

function benchmarkOf(name: string): PeerBenchmark {
  const benchmark = PEER_BENCHMARKS.find((known) => known === name);
  if (benchmark === undefined) {
    throw new OptionError(`the peers have no benchmark ${name}: name ${listOf(PEER_BENCHMARKS)}`);
  }
  return benchmark;
}

function ranksOfAll(text: string, benchmarks: readonly PeerBenchmark[]): number {
  const [ranks] = benchmarks.map((benchmark) => ranksOf(text, benchmark));
  return ranks!;
}

/** For those that move something; barrier may stand among them. */
function sizesOfAll(list: string, benchmarks: readonly PeerBenchmark[]): number[] {
  const sized = benchmarks.filter((benchmark) => BENCHMARKS[benchmark].elementBytes > 0);
  const [sizes] = (sized.length > 0 ? sized : benchmarks).map((name) => sizesOf(list, name));
  return sizes!;
}
