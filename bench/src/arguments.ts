/** What the commands of `onecopy bench` have in common in reading their arguments. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { BENCHMARKS, type BenchmarkName } from './benchmarks.ts';
import { parseSize } from './sizes.ts';

/** A sentence for the user, printed alone. */
export class OptionError extends Error {
  override name = 'OptionError';
}

export const DEFAULT_SIZES = '8,1K,64K,1M';

/** Options of the launcher that make sense here; it reads their values itself. */
export const launcherOptions = {
  channel: { type: 'string' },
  'eager-limit': { type: 'string' },
  'deny-pull': { type: 'boolean' },
  'spin-us': { type: 'string' },
  grace: { type: 'string' },
  verbose: { type: 'boolean' },
} as const;

/** Options that say how both ours and others are measured. */
export const methodOptions = {
  n: { type: 'string', short: 'n' },
  sizes: { type: 'string' },
  iterations: { type: 'string' },
  warmup: { type: 'string' },
  mover: { type: 'string' },
  'off-cache': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  svg: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Values = Readonly<Record<string, unknown>>;

/** `parseArgs` for people: what it does not understand is said in one sentence. */
export function readArguments<T extends NonNullable<ParseArgsConfig['options']>>(
  argv: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true }>> {
  // mpirun's -np would be read as -n with the value p.
  const args = argv.map((argument) => (/^-(np|c)$/.test(argument) ? '-n' : argument));
  try {
    return parseArgs({ args, options, allowPositionals: true });
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

/** What `onecopy run` is given beside the number of ranks. */
export function launcherArgumentsOf(values: Values, mover: Mover | undefined): string[] {
  const passedOn = Object.keys(launcherOptions).flatMap((name) => {
    const value = values[name];
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });
  if (mover === 'staging' && !passedOn.includes('--deny-pull')) passedOn.push('--deny-pull');
  return passedOn;
}

const MOVERS = ['cma', 'heap', 'staging'] as const;
export type Mover = (typeof MOVERS)[number];

export function moverOf(text: string | undefined): Mover | undefined {
  const mover = MOVERS.find((name) => name === text);
  if (mover === undefined && text !== undefined) {
    throw new OptionError(`there is no mover ${text}: name ${listOf(MOVERS)}`);
  }
  return mover;
}

export function ranksOf(text: string, benchmark: BenchmarkName): number {
  const ranks = countOf('-n', text, 1);
  if (ranks < 2) throw new OptionError(`-n ${ranks}: ${benchmark} needs at least 2 ranks`);
  if (BENCHMARKS[benchmark].evenRanks && ranks % 2 !== 0) {
    throw new OptionError(`-n ${ranks}: ${benchmark} needs an even number of ranks`);
  }
  return ranks;
}

export function sizesOf(list: string | undefined, benchmark: BenchmarkName): number[] {
  const { elementBytes, defaultSizes = DEFAULT_SIZES } = BENCHMARKS[benchmark];
  if (elementBytes === 0) {
    if (list === undefined) return [0];
    throw new OptionError(`${benchmark} moves nothing that has a size: leave --sizes out`);
  }
  return (list ?? defaultSizes).split(',').map((text) => {
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

export function countOf(name: string, text: string, least: number): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < least) {
    throw new OptionError(`${name} takes a whole number from ${least} up, not "${text}"`);
  }
  return count;
}

/** Undefined when it was left out. */
export function optionalCountOf(
  name: string,
  text: string | undefined,
  least: number,
): number | undefined {
  return text === undefined ? undefined : countOf(name, text, least);
}

export function listOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
