import {
  countOf,
  launcherArgumentsOf,
  launcherOptions,
  listOf,
  OptionError,
  optionalCountOf,
  readArguments,
} from '../arguments.ts';
import { type LoopPlan, TURN_MS } from '../loops.ts';
import { FIGURE_NAMES, FIGURES, type FigureName } from './figures.ts';

export interface P2pOptions {
  readonly figures: readonly FigureName[];
  readonly pairs: number;
  readonly loops: LoopPlan;
  readonly json: boolean;
  readonly launcherArguments: readonly string[];
}

const DEFAULT_PAIRS = '5';
/** As many as the time allows. */
const ITERATIONS = 100_000;

export const P2P_HELP: string = `Usage: onecopy bench p2p [figure…] [options]

What point-to-point messages cost beyond a ping-pong, beside other ways to do the same, in turns: A B A B … between
two ranks. A ratio is the median of the ratios of each pair, ours over theirs: less than 1 is faster.

Figures (without a name: all of them)
${FIGURE_NAMES.map((name) => `  ${name.padEnd(18)}${FIGURES[name].measures}`).join('\n')}

Options
  --pairs K         turns of each (${DEFAULT_PAIRS})
  --iterations K, --warmup K
                    as many as this, however long they take
  --json            one object per figure
  --channel socket|ring, --eager-limit BYTES, --spin-us MICROSECONDS, --deny-pull, --grace SECONDS, --verbose
                    as for onecopy run
`;

const ownOptions = {
  pairs: { type: 'string' },
  iterations: { type: 'string' },
  warmup: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Reads the arguments after `onecopy bench p2p`. Throws an OptionError. */
export function parseP2pOptions(argv: readonly string[]): P2pOptions | 'help' {
  const { values, positionals } = readArguments(argv, { ...ownOptions, ...launcherOptions });
  if (values.help) return 'help';
  const iterations = optionalCountOf('--iterations', values.iterations, 1);
  const warmup = optionalCountOf('--warmup', values.warmup, 0);
  return {
    figures: positionals.length === 0 ? FIGURE_NAMES : positionals.map(figureOf),
    pairs: countOf('--pairs', values.pairs ?? DEFAULT_PAIRS, 1),
    loops: {
      ...(warmup === undefined ? { warmup: ITERATIONS, warmupBudgetMs: TURN_MS } : { warmup }),
      ...(iterations === undefined
        ? { iterations: ITERATIONS, iterationsBudgetMs: TURN_MS }
        : { iterations }),
    },
    json: values.json,
    launcherArguments: launcherArgumentsOf(values, undefined),
  };
}

function figureOf(name: string): FigureName {
  const figure = FIGURE_NAMES.find((known) => known === name);
  if (figure === undefined) {
    throw new OptionError(`p2p has no figure ${name}: name ${listOf(FIGURE_NAMES)}`);
  }
  return figure;
}
