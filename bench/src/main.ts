import { writeFileSync } from 'node:fs';
import { OptionError } from './arguments.ts';
import type { ChartedRecord } from './chart/series.ts';
import { compare, comparisonTable } from './comparison.ts';
import { loopsOf, PASS_MS, TURN_MS } from './loops.ts';
import { describeMachine } from './machine.ts';
import { describeOffCache, planOffCache } from './off-cache.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { ProgressLine } from './progress.ts';
import { JobEnded } from './ranks-job.ts';
import { measureSizes, singleTable } from './single.ts';

type Progress = (text: string) => void;

/** What is no benchmark. Each takes the arguments after its name, and yields lines. */
const COMMANDS: Readonly<
  Record<string, (argv: string[], progress: Progress) => AsyncGenerator<string>>
> = {
  async *peers(argv, progress) {
    const { parsePeersOptions, PEERS_HELP } = await import('./peers/options.ts');
    const options = parsePeersOptions(argv, process.env);
    if (options === 'help') {
      yield PEERS_HELP.trimEnd();
      return;
    }
    const { peersLines } = await import('./peers/main.ts');
    yield* withChart(options.svg, (keep) => peersLines(options, process.argv[1]!, progress, keep));
  },
  async *p2p(argv, progress) {
    const { parseP2pOptions, P2P_HELP } = await import('./p2p/options.ts');
    const options = parseP2pOptions(argv);
    if (options === 'help') {
      yield P2P_HELP.trimEnd();
      return;
    }
    const { p2pLines } = await import('./p2p/main.ts');
    yield* p2pLines(options, process.argv[1]!, progress);
  },
};

/**
 * `onecopy bench`, given the arguments after it; the result is the exit code. The ranks are started with the command
 * file this process was started with.
 */
export async function main(argv: string[]): Promise<number> {
  if (argv[0] === 'movers') {
    const { runMovers } = await import('./movers/index.ts');
    return runMovers(argv.slice(1), process.env);
  }
  process.stdout.once('error', stopWithoutReader);
  const progress = new ProgressLine(process.stderr);
  try {
    for await (const line of linesOf(argv, (text) => progress.show(text))) {
      progress.clear();
      process.stdout.write(`${line}\n`);
    }
    return 0;
  } catch (error) {
    progress.clear();
    // The launcher has said why.
    if (error instanceof JobEnded) return error.exitCode;
    process.stderr.write(`onecopy bench: ${(error as Error).message}\n`);
    return error instanceof OptionError ? 2 : 1;
  } finally {
    progress.clear();
  }
}

function linesOf(argv: string[], progress: Progress): AsyncGenerator<string> {
  const [name, ...args] = argv;
  if (name !== undefined && Object.hasOwn(COMMANDS, name)) return COMMANDS[name]!(args, progress);
  return benchmarkLines(argv, progress);
}

async function* benchmarkLines(argv: string[], progress: Progress): AsyncGenerator<string> {
  const options = parseOptions(argv, process.env);
  if (options === 'help') {
    yield HELP.trimEnd();
    return;
  }
  yield* withChart(options.svg, (keep) => measuredLines(options, progress, keep));
}

async function* measuredLines(
  options: Options,
  progress: Progress,
  keep: Keep,
): AsyncGenerator<string> {
  const offCache = options.offCache ? planOffCache(options.ranks) : undefined;
  const offCacheBytes = offCache && { offCacheBytes: offCache.bytes };
  const passMs = options.rivals ? TURN_MS : PASS_MS;
  const plan = {
    ...options,
    ...offCacheBytes,
    keep,
    cli: process.argv[1]!,
    loops: (bytes: number) => loopsOf({ ...options, ...offCacheBytes }, bytes, passMs),
  };
  if (options.json && options.rivals) {
    for await (const record of compare(plan, progress)) yield JSON.stringify(record);
  } else if (options.json) {
    for await (const { record } of measureSizes(plan, progress)) yield JSON.stringify(record);
  } else {
    yield `${describeMachine()}\n`;
    if (offCache) yield `${describeOffCache(offCache)}\n`;
    yield* options.rivals ? comparisonTable(plan, progress) : singleTable(plan, progress);
  }
}

type Keep = (record: ChartedRecord) => void;

/** Draws what was measured when all of it has been. */
async function* withChart(
  file: string | undefined,
  lines: (keep: Keep) => AsyncGenerator<string>,
): AsyncGenerator<string> {
  const records: ChartedRecord[] = [];
  yield* lines((record) => records.push(record));
  if (file === undefined) return;
  // The libraries for it are loaded by those alone who want a chart.
  const { drawCharts } = await import('./chart/chart.ts');
  writeFileSync(file, drawCharts(records));
}

/** Whoever read our output (head, less) has seen enough. The ranks end when they find their stdin closed. */
function stopWithoutReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}
