import { parseArgs } from 'node:util';
import { LOG_LEVELS, type LogWish } from './log.ts';
import { nearest, UsageError } from './usage.ts';

/** What carries envelopes between ranks. */
export type Channel = 'ring' | 'socket';

export interface RunOptions {
  readonly ranks: number;
  /** As the user wrote it: a file, or a name that PATH is searched for. */
  readonly program: string;
  readonly args: readonly string[];
  readonly tagOutput: boolean;
  readonly verbose: boolean;
  /** From the first failure to SIGKILL, milliseconds. */
  readonly graceMs: number;
  readonly eagerLimit: number | undefined;
  readonly channel: Channel | undefined;
  readonly denyPull: boolean;
  readonly spinUs: number | undefined;
}

/** The most that the job segment has lines for (kMaxRanks in native/core/job/segments.h). */
const MAX_RANKS = 4096;

/**
 * Long enough for ranks to run their `finally` blocks and write a small file, short enough to wait for. Open MPI gives
 * one second before SIGKILL; here that second is the one before SIGTERM.
 */
const DEFAULT_GRACE_SECONDS = 2;

export const RUN_HELP: string = `Usage: onecopy run -n N [options] program [arguments]

Starts N ranks of a program and ends when all of them have ended. The program is a file for Node
(.js .mjs .cjs .ts .mts .cts) or any other one; a bare name is looked up in PATH. What comes after
the program belongs to the program.

  -n, -np, -c N         how many ranks to start
  --tag-output          begin each line of output with [rank], as is done on a terminal
  --grace SECONDS       time from the first failure until what is left is killed; SIGTERM comes at
                        half of it (default ${DEFAULT_GRACE_SECONDS})
  --eager-limit BYTES   largest message that is sent along with its envelope, such as 8K or 1M;
                        larger ones are pulled by their receiver
  --verbose             say on stderr what happens
  -h, --help            show this

The exit code is that of the rank that failed first, 128 + the signal if one killed it, 130 after
Ctrl-C, 2 if the command could not be understood, and 0 if every rank ended with 0.
`;

const OPTIONS = {
  n: { type: 'string', short: 'n' },
  np: { type: 'string' },
  c: { type: 'string', short: 'c' },
  'tag-output': { type: 'boolean' },
  grace: { type: 'string' },
  'eager-limit': { type: 'string' },
  verbose: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  // For tests and experiments; not in the help.
  channel: { type: 'string' },
  'deny-pull': { type: 'boolean' },
  'spin-us': { type: 'string' },
} as const;

type OptionName = keyof typeof OPTIONS;

const VISIBLE_NAMES = [
  '-n',
  '-np',
  '-c',
  '--tag-output',
  '--grace',
  '--eager-limit',
  '--verbose',
  '--help',
];

/**
 * What stands after `onecopy run`. Throws a UsageError with one sentence.
 *
 * @param env ONECOPY_CHANNEL, ONECOPY_EAGER_LIMIT and ONECOPY_SPIN_US stand for options that were left out
 */
export function parseRunOptions(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
): RunOptions | 'help' {
  // parseArgs would read -np as -n p. The copy has the same places, so the program's own arguments stay as they are.
  const args = argv.map((argument) => argument.replace(/^-np(?=$|=)/, '--np'));
  const { tokens } = parseArgs({
    args,
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });

  const given = new Map<OptionName, string>();
  let programAt = argv.length;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      programAt = token.index;
      break;
    }
    if (token.kind === 'option-terminator') {
      programAt = token.index + 1;
      break;
    }
    const written = argv[token.index] ?? token.rawName;
    if (!isOptionName(token.name)) throw unknownOption(written);
    if (token.name === 'help') return 'help';
    const { type } = OPTIONS[token.name];
    if (type === 'boolean' && token.value !== undefined) {
      throw new UsageError(`${token.rawName} takes no value, but it was given ${token.value}.`);
    }
    if (type === 'string' && token.value === undefined) {
      throw new UsageError(`${written} needs a value, such as ${EXAMPLES[token.name]}.`);
    }
    given.set(token.name === 'np' || token.name === 'c' ? 'n' : token.name, token.value ?? '');
  }

  const chosen = <T>(
    option: OptionName,
    variable: string,
    read: (source: string, text: string) => T,
  ): T | undefined => {
    const text = given.get(option);
    if (text !== undefined) return read(`--${option}`, text);
    const preset = env[variable];
    return preset === undefined || preset === '' ? undefined : read(variable, preset);
  };
  const ranks = given.get('n');
  if (ranks === undefined) {
    throw new UsageError('Say how many ranks to start, such as: onecopy run -n 4 program.ts');
  }
  const options = {
    ranks: wholeNumber('-n', ranks, 1, MAX_RANKS),
    tagOutput: given.has('tag-output'),
    verbose: given.has('verbose'),
    graceMs: milliseconds('--grace', given.get('grace') ?? String(DEFAULT_GRACE_SECONDS)),
    eagerLimit: chosen('eager-limit', 'ONECOPY_EAGER_LIMIT', byteCount),
    channel: chosen('channel', 'ONECOPY_CHANNEL', channelNamed),
    denyPull: given.has('deny-pull'),
    spinUs: chosen('spin-us', 'ONECOPY_SPIN_US', (source, text) =>
      wholeNumber(source, text, 0, 1_000_000),
    ),
  };
  const program = argv[programAt];
  if (program === undefined || program === '') {
    throw new UsageError('Name the program to run, such as: onecopy run -n 4 program.ts');
  }
  return { ...options, program, args: argv.slice(programAt + 1) };
}

/** What ONECOPY_LOG and --verbose ask for. */
export function parseLogWish(level: string | undefined, verbose: boolean): LogWish | undefined {
  if (level === undefined || level === '' || level === 'silent') {
    return verbose ? 'verbose' : undefined;
  }
  const known = LOG_LEVELS.find((each) => each === level);
  if (known !== undefined) return known;
  const meant = nearest(level, LOG_LEVELS);
  const advice =
    meant === undefined ? `take one of ${LOG_LEVELS.join(', ')}` : `did you mean ${meant}?`;
  throw new UsageError(`ONECOPY_LOG=${level} is no level: ${advice}`);
}

const EXAMPLES: Partial<Record<OptionName, string>> = {
  n: '4',
  np: '4',
  c: '4',
  grace: '5',
  'eager-limit': '8K',
  'spin-us': '50',
  channel: 'socket',
};

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

function unknownOption(written: string): UsageError {
  const name = written.split('=', 1)[0] ?? written;
  const meant = nearest(name, VISIBLE_NAMES);
  const advice = meant === undefined ? 'see onecopy run --help' : `did you mean ${meant}?`;
  return new UsageError(`There is no option ${name}: ${advice}`);
}

function channelNamed(source: string, text: string): Channel {
  if (text === 'ring' || text === 'socket') return text;
  throw new UsageError(`${source} is ring (shared memory) or socket, not '${text}'.`);
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`${option} needs a whole number from ${min} to ${max}, but got '${text}'.`);
}

/** A day; more would not fit the native side's 32-bit milliseconds forever, and nobody waits that long. */
const MAX_GRACE_SECONDS = 86_400;

function milliseconds(option: string, text: string): number {
  const seconds = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= MAX_GRACE_SECONDS) return Math.round(seconds * 1000);
  throw new UsageError(
    `${option} needs a number of seconds from 0 to ${MAX_GRACE_SECONDS}, but got '${text}'.`,
  );
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

function byteCount(option: string, text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([KMG]?)(?:i?B)?$/i.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toUpperCase()] ?? 1);
  if (digits !== '' && bytes <= 2 ** 31) return bytes;
  throw new UsageError(
    `${option} needs a number of bytes up to 2G, such as 8K or 1M, but got '${text}'.`,
  );
}
