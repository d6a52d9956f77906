import { countOf, listOf, OptionError, readArguments } from '../arguments.ts';
import { formatSize, parseSize } from '../sizes.ts';
import { MOVERS, PAGES, PATTERNS } from './record.ts';

export interface MoversOptions {
  readonly patterns: readonly string[];
  readonly pages: readonly string[];
  /** Empty: all. */
  readonly only: readonly string[];
  readonly sizes: readonly number[];
  readonly processes: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly slice: number;
  readonly cells: number;
  readonly cell: number;
  readonly offCache: boolean;
  readonly json: boolean;
}

const DEFAULTS = {
  pattern: 'one-to-one',
  pages: 'small,huge',
  sizes: '1K,4K,16K,64K,256K,1M,4M,16M',
  n: '4',
  seconds: '0.1',
  rounds: '5',
  slice: '128K',
  cells: '4',
  cell: '32K',
} as const;

/** As in the program: a pipe and a socket for each pair need descriptors. */
const MOST_PROCESSES = 32;
const LARGEST = 2 ** 32;

export const HELP: string = `Usage: onecopy bench movers [options]

How the bytes of a message get from one process into another on this machine, every way side by side. A program of
its own in C++ measures it, compiled at the first use. Every byte of each is looked at once before the clock starts.

Movers
${linesOf(MOVERS)}

Patterns
${linesOf(PATTERNS)}

Options
  --pattern LIST    of those above, or all (${DEFAULTS.pattern})
  --only LIST       of the movers above (all)
  --sizes LIST      bytes of a message (${DEFAULTS.sizes})
  --pages LIST      small, huge: what the buffers lie on (${DEFAULTS.pages})
  -n N              processes of many-to-one and all-to-all (${DEFAULTS.n})
  --seconds S       for each mover at each size (${DEFAULTS.seconds})
  --rounds K        turns into which that time is divided; movers take turns, the median counts (${DEFAULTS.rounds})
  --slice BYTES     both-sides: what is claimed at a time (${DEFAULTS.slice})
  --cells K, --cell BYTES
                    double-copy: the ring (${DEFAULTS.cells} of ${DEFAULTS.cell})
  --off-cache       take all buffers out of all caches before each message
  --json            one object per line
`;

const spec = {
  pattern: { type: 'string', default: DEFAULTS.pattern },
  only: { type: 'string' },
  sizes: { type: 'string', default: DEFAULTS.sizes },
  pages: { type: 'string', default: DEFAULTS.pages },
  n: { type: 'string', short: 'n', default: DEFAULTS.n },
  seconds: { type: 'string', default: DEFAULTS.seconds },
  rounds: { type: 'string', default: DEFAULTS.rounds },
  slice: { type: 'string', default: DEFAULTS.slice },
  cells: { type: 'string', default: DEFAULTS.cells },
  cell: { type: 'string', default: DEFAULTS.cell },
  'off-cache': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Reads the arguments after `onecopy bench movers`. Throws an OptionError; returns 'help' when that was asked for. */
export function parseMoversOptions(argv: readonly string[]): MoversOptions | 'help' {
  const { values, positionals } = readArguments(argv, spec);
  if (values.help) return 'help';
  if (positionals[0] !== undefined) {
    throw new OptionError(`movers takes options only: what is ${positionals[0]}?`);
  }
  const patterns = Object.keys(PATTERNS);
  return {
    patterns:
      values.pattern === 'all' ? patterns : namesOf('--pattern', values.pattern, [...patterns]),
    pages: namesOf('--pages', values.pages, Object.keys(PAGES)),
    only: values.only === undefined ? [] : namesOf('--only', values.only, Object.keys(MOVERS)),
    sizes: values.sizes.split(',').map((text) => sizeOf('--sizes', text, 1)),
    processes: upTo('-n', countOf('-n', values.n, 2), MOST_PROCESSES),
    seconds: secondsOf(values.seconds),
    rounds: upTo('--rounds', countOf('--rounds', values.rounds, 1), 1000),
    slice: sizeOf('--slice', values.slice, 4096),
    cells: upTo('--cells', countOf('--cells', values.cells, 1), 1024),
    cell: upTo('--cell', sizeOf('--cell', values.cell, 64), 64 * 2 ** 20),
    offCache: values['off-cache'],
    json: values.json,
  };
}

function linesOf(things: Readonly<Record<string, string>>): string {
  return Object.entries(things)
    .map(([name, meaning]) => `  ${name.padEnd(18)}${meaning}`)
    .join('\n');
}

function namesOf(option: string, list: string, known: readonly string[]): string[] {
  return list.split(',').map((text) => {
    const name = text.trim();
    if (known.includes(name)) return name;
    throw new OptionError(`${option}: there is no ${name || 'name'}; name ${listOf(known)}`);
  });
}

function sizeOf(option: string, text: string, least: number): number {
  const bytes = parseSize(text);
  if (bytes === undefined) {
    throw new OptionError(`${option}: "${text}" is not a size: write 1000, 64K or 1M`);
  }
  if (bytes < least) throw new OptionError(`${option}: ${text} is less than ${formatSize(least)}`);
  if (bytes > LARGEST) throw new OptionError(`${option}: ${text} is more than 4G`);
  return bytes;
}

function upTo(option: string, value: number, most: number): number {
  if (value > most) throw new OptionError(`${option} takes at most ${most}, not ${value}`);
  return value;
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() !== '' && seconds >= 0.0001 && seconds <= 3600) return seconds;
  throw new OptionError(`--seconds takes a time from 0.0001 to 3600, not "${text}"`);
}
