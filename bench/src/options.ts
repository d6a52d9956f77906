import { parseArgs } from 'node:util';
import { BENCHMARKS, type Benchmark, type BenchmarkName, isBenchmarkName } from './benchmarks.ts';
import type { Corruption } from './protocol.ts';
import { parseSize } from './sizes.ts';

export interface Options {
  readonly benchmark: BenchmarkName;
  readonly ranks: number;
  readonly sizes: readonly number[];
  readonly iterations?: number;
  readonly warmup?: number;
  readonly check: boolean;
  readonly json: boolean;
  readonly rivals: boolean;
  readonly rounds: number;
  /** What `onecopy run` is given beside the number of ranks. */
  readonly launcherArguments: readonly string[];
  readonly corruption?: Corruption;
}

/** A sentence for the user, printed alone. */
export class OptionError extends Error {
  override name = 'OptionError';
}

const WITH_RIVALS: string = namesOf(({ hasRivals }) => hasRivals).join(' and ');

export const HELP: string = `Usage: onecopy bench <benchmark> [options]

Benchmarks
${Object.entries(BENCHMARKS)
  .map(([name, { measures }]) => `  ${name.padEnd(18)}${measures}`)
  .join('\n')}

Options
  -n N              ranks (2 for pingpong, 4 for the others)
  --sizes LIST      bytes: 8,1K,64K,1M; of a message, or of one block; multiples of 8 where float64 are summed
  --iterations K    as many as this, however long they take
  --warmup K        operations before the clock starts
  --check           verify every byte of every result in a pass of its own; exit code 1 if one is wrong
  --json            one object per line
  --rivals          beside worker_threads postMessage and child_process IPC, in turns; ${WITH_RIVALS} only
  --rounds K        turns of each with --rivals (5)
  --eager-limit BYTES, --grace SECONDS, --verbose
                    as for onecopy run
`;

const DEFAULT_SIZES = '8,1K,64K,1M';
const DEFAULT_ROUNDS = '5';

/** Options of the launcher that make sense here; it reads their values itself. */
const launcherOptions = {
  'eager-limit': { type: 'string' },
  'deny-pull': { type: 'boolean' },
  'spin-us': { type: 'string' },
  grace: { type: 'string' },
  verbose: { type: 'boolean' },
} as const;

const ownOptions = {
  n: { type: 'string', short: 'n' },
  sizes: { type: 'string' },
  iterations: { type: 'string' },
  warmup: { type: 'string' },
  check: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  rivals: { type: 'boolean', default: false },
  rounds: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Reads the arguments after `onecopy bench`. Throws an OptionError; returns 'help' when that was asked for. */
export function parseOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options | 'help' {
  const { values, positionals } = parse(argv);
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
  const corruption = corruptionOf(env.ONECOPY_BENCH_CORRUPT);
  return {
    benchmark,
    ranks: ranksOf(values.n, benchmark),
    sizes: sizesOf(values.sizes, benchmark),
    ...(values.iterations !== undefined && {
      iterations: countOf('--iterations', values.iterations, 1),
    }),
    ...(values.warmup !== undefined && { warmup: countOf('--warmup', values.warmup, 0) }),
    check: values.check,
    json: values.json,
    rivals: values.rivals,
    rounds: countOf('--rounds', values.rounds ?? DEFAULT_ROUNDS, 1),
    launcherArguments: Object.keys(launcherOptions).flatMap((name) => {
      const value = values[name as keyof typeof launcherOptions];
      if (value === undefined || value === false) return [];
      return value === true ? [`--${name}`] : [`--${name}`, value];
    }),
    ...(corruption && { corruption }),
  };
}

function parse(argv: readonly string[]) {
  // mpirun's -np would be read as -n with the value p.
  const args = argv.map((argument) => (/^-(np|c)$/.test(argument) ? '-n' : argument));
  try {
    return parseArgs({
      args,
      options: { ...ownOptions, ...launcherOptions },
      allowPositionals: true,
    });
  } catch (error) {
    throw new OptionError(sentenceOf(error as NodeJS.ErrnoException));
  }
}

function sentenceOf(error: NodeJS.ErrnoException): string {
  const name = /'(--?[^\s',=]+)/.exec(error.message)?.[1] ?? 'an option';
  switch (error.code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
      return `there is no option ${name}: onecopy bench --help lists them`;
    case 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE':
      return /does not take/.test(error.message)
        ? `${name} takes no value`
        : `${name} needs a value`;
    default:
      return error.message;
  }
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

function listOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

function ranksOf(text: string | undefined, benchmark: BenchmarkName): number {
  if (text === undefined) return BENCHMARKS[benchmark].defaultRanks;
  const ranks = countOf('-n', text, 1);
  if (ranks < 2) throw new OptionError(`-n ${ranks}: ${benchmark} needs at least 2 ranks`);
  return ranks;
}

function sizesOf(list: string | undefined, benchmark: BenchmarkName): number[] {
  const { elementBytes } = BENCHMARKS[benchmark];
  if (elementBytes === 0) {
    if (list === undefined) return [0];
    throw new OptionError(`${benchmark} moves nothing that has a size: leave --sizes out`);
  }
  return (list ?? DEFAULT_SIZES).split(',').map((text) => {
    const bytes = parseSize(text);
    if (bytes === undefined) {
      throw new OptionError(`--sizes: "${text}" is not a size: write 8, 64K, 1M or 2G`);
    }
    if (bytes % elementBytes !== 0) {
      throw new OptionError(
        `--sizes: ${text} is no size for ${benchmark}, which sums float64: take a multiple of ${elementBytes}`,
      );
    }
    return bytes;
  });
}

function countOf(name: string, text: string, least: number): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < least) {
    throw new OptionError(`${name} takes a whole number from ${least} up, not "${text}"`);
  }
  return count;
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
