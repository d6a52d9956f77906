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
} from './arguments.ts';
import { BENCHMARKS, type Benchmark, type BenchmarkName, isBenchmarkName } from './benchmarks.ts';
import { DEFAULT_CHANNEL } from './launched-ranks.ts';
import type { Corruption } from './protocol.ts';

export interface Options {
  readonly benchmark: BenchmarkName;
  readonly ranks: number;
  readonly sizes: readonly number[];
  readonly iterations?: number;
  readonly warmup?: number;
  readonly check: boolean;
  readonly json: boolean;
  /** The file for a chart. */
  readonly svg?: string;
  readonly rivals: boolean;
  readonly rounds: number;
  /** What carries envelopes. */
  readonly channel: string;
  /** From where the buffers are; undefined: ordinary memory. */
  readonly buffers?: 'alloc';
  readonly offCache: boolean;
  /** What `onecopy run` is given beside the number of ranks. */
  readonly launcherArguments: readonly string[];
  readonly corruption?: Corruption;
}

const WITH_RIVALS: string = namesOf(({ hasRivals }) => hasRivals).join(' and ');

/** How wide the names of options are in the help. */
const NAMES = 18;

export const HELP: string = `Usage: onecopy bench <benchmark> [options]

Benchmarks
${Object.entries(BENCHMARKS)
  .map(([name, { measures }]) => `  ${name.padEnd(NAMES)}${measures}`)
  .join('\n')}

In turns with programs in C on Open MPI, MPICH and UCX: onecopy bench peers --help
Requests, matching, strides and objects, beside rivals: onecopy bench p2p --help
Every way from one process into another, side by side: onecopy bench movers --help

Options
  -n N              ranks (4 for collectives and multipair, 2 for the others)
  --sizes LIST      bytes: 8,1K,64K,1M; of a message, or of one block; multiples of 8 where float64 are summed
  --iterations K    as many as this, however long they take
  --warmup K        operations before the clock starts
  --check           verify every byte of every result in a pass of its own; exit code 1 if one is wrong
  --json            one object per line
  --svg FILE        also draw a chart of times and bandwidths by size
  --rivals          beside worker_threads postMessage and child_process IPC, in turns; ${WITH_RIVALS} only
  --rounds K        turns of each with --rivals (5)
  --off-cache       buffers walk through twice as much memory as the last-level cache has, and are taken out of
                    the caches before each pass, so that every message is cold on both sides; in less memory
                    where half of what is available, shared among the ranks, is less, which is then said.
                    Without --iterations no more small messages than there are cold places for
  --channel socket|ring
                    what carries envelopes, as for onecopy run
  --mover cma|heap|staging
                    what moves large messages: pulled out of ordinary memory (cma); out of memory that alloc has
                    given (heap); or in pieces through the channel, as where pulling is forbidden (staging)
  --eager-limit BYTES, --grace SECONDS, --verbose
                    as for onecopy run
`;

const DEFAULT_ROUNDS = '5';

const ownOptions = {
  ...methodOptions,
  check: { type: 'boolean', default: false },
  rivals: { type: 'boolean', default: false },
  rounds: { type: 'string' },
} as const;

/** Reads the arguments after `onecopy bench`. Throws an OptionError; returns 'help' when that was asked for. */
export function parseOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options | 'help' {
  const { values, positionals } = readArguments(argv, { ...ownOptions, ...launcherOptions });
  if (values.help) return 'help';
  const benchmark = benchmarkOf(positionals);
  if (values.rounds !== undefined && !values.rivals) {
    throw new OptionError('--rounds needs --rivals: only a comparison is done in turns');
  }
  if (values.rivals && !BENCHMARKS[benchmark].hasRivals) {
    throw new OptionError(
      `--rivals is for ${WITH_RIVALS}: neither worker_threads nor child_process has a ${benchmark}`,
    );
  }
  if (values.rivals && values['off-cache']) {
    throw new OptionError('--off-cache does not go with --rivals, whose buffers Node chooses');
  }
  const corruption = corruptionOf(env.ONECOPY_BENCH_CORRUPT);
  const iterations = optionalCountOf('--iterations', values.iterations, 1);
  const warmup = optionalCountOf('--warmup', values.warmup, 0);
  const mover = moverOf(values.mover);
  return {
    benchmark,
    ranks: ranksOf(values.n ?? String(BENCHMARKS[benchmark].defaultRanks), benchmark),
    sizes: sizesOf(values.sizes, benchmark),
    ...(iterations !== undefined && { iterations }),
    ...(warmup !== undefined && { warmup }),
    check: values.check,
    json: values.json,
    ...(values.svg !== undefined && { svg: values.svg }),
    rivals: values.rivals,
    rounds: countOf('--rounds', values.rounds ?? DEFAULT_ROUNDS, 1),
    channel: channelOf(values.channel, env),
    ...(mover === 'heap' && { buffers: 'alloc' }),
    offCache: values['off-cache'],
    launcherArguments: launcherArgumentsOf(values, mover),
    ...(corruption && { corruption }),
  };
}

/** As the launcher reads it. */
export function channelOf(text: string | undefined, env: NodeJS.ProcessEnv): string {
  return text ?? (env.ONECOPY_CHANNEL || DEFAULT_CHANNEL);
}

function benchmarkOf(positionals: readonly string[]): BenchmarkName {
  const [name, extra] = positionals;
  const names = listOf(namesOf(() => true));
  if (name === undefined) throw new OptionError(`which benchmark? name one: ${names}`);
  if (!isBenchmarkName(name)) {
    throw new OptionError(`there is no benchmark ${name}: name ${names}`);
  }
  if (extra !== undefined) {
    throw new OptionError(`one benchmark at a time: what is ${extra} after ${name}?`);
  }
  return name;
}

function namesOf(having: (benchmark: Benchmark) => boolean): string[] {
  return Object.entries(BENCHMARKS)
    .filter(([, benchmark]) => having(benchmark))
    .map(([name]) => name);
}

/** The environment, not an option: nobody but a test of `--check` wants it. */
function corruptionOf(text: string | undefined): Corruption | undefined {
  if (text === undefined || text === '') return undefined;
  const match = /^(\d+):(\d+):(\d+)$/.exec(text);
  if (match === null) {
    throw new OptionError(`ONECOPY_BENCH_CORRUPT is RANK:ITERATION:OFFSET, not "${text}"`);
  }
  return { rank: Number(match[1]), iteration: Number(match[2]), offset: Number(match[3]) };
}
