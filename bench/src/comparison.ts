import { BENCHMARKS, type BenchmarkName } from './benchmarks.ts';
import type { Contestant, Task } from './contestant.ts';
import { type JobPlan, LaunchedRanks } from './launched-ranks.ts';
import type { LoopPlan } from './loops.ts';
import { toThreeDecimals } from './record.ts';
import { ChildProcesses } from './rivals/child-process.ts';
import { WorkerThreads } from './rivals/worker-threads.ts';
import { formatSize } from './sizes.ts';
import { median } from './statistics.ts';
import { formatNumber, Table } from './table.ts';

export interface ComparisonPlan extends JobPlan {
  readonly benchmark: BenchmarkName;
  readonly sizes: readonly number[];
  readonly rounds: number;
  loops(bytes: number): LoopPlan;
  /** Is given each record, also where only lines are asked for. */
  keep?(record: ComparisonRecord): void;
}

/** One line of `onecopy bench --rivals --json`: keys are only ever added. Times are medians over the rounds. */
export interface ComparisonRecord {
  readonly benchmark: BenchmarkName;
  readonly ranks: number;
  readonly bytes: number;
  readonly oursUs: number;
  readonly peersUs: Readonly<Record<string, number>>;
  /** Ours over each peer: median of the ratios of each round, so less than 1 is faster. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Ours over the best peer of the same round, median. */
  readonly ratioToBest: number;
  /** How often each was measured, in turns. */
  readonly pairs: number;
  readonly node: string;
}

/**
 * Ours and the rivals in turns, A B C A B C, size by size: on a machine whose speed drifts only what was measured
 * within moments of each other can be compared. All live from beginning to end, and sleep out of turn.
 */
export async function* compare(
  plan: ComparisonPlan,
  progress: (text: string) => void,
): AsyncGenerator<ComparisonRecord> {
  const { benchmark, ranks, rounds } = plan;
  progress('starting');
  const ours = new LaunchedRanks(plan);
  const contestants: Contestant[] = [ours];
  try {
    contestants.push(new WorkerThreads(ranks), new ChildProcesses(benchmark, ranks));
    // Nobody is measured while another is still starting.
    const once: Task = { benchmark, bytes: 0, loops: { warmup: 0, iterations: 1 } };
    await Promise.all(contestants.map((contestant) => contestant.measure(once)));
    for (const bytes of plan.sizes) {
      const task: Task = { benchmark, bytes, loops: plan.loops(bytes) };
      const times = new Map(contestants.map(({ name }) => [name, [] as number[]]));
      for (let round = 1; round <= rounds; round += 1) {
        for (const contestant of contestants) {
          const where = `${benchmark} ${formatSize(bytes)}, round ${round} of ${rounds}`;
          progress(`${where}: ${contestant.name}`);
          times.get(contestant.name)!.push((await contestant.measure(task)).meanUs);
        }
      }
      const record = summariseRounds(plan, bytes, times);
      plan.keep?.(record);
      yield record;
    }
  } catch (error) {
    // Ctrl-C ends the children of a rival too, which is no failure of theirs.
    throw ours.interruption ?? error;
  } finally {
    await Promise.allSettled(contestants.map((contestant) => contestant.close()));
  }
}

function summariseRounds(
  { benchmark, ranks, rounds }: ComparisonPlan,
  bytes: number,
  times: ReadonlyMap<string, readonly number[]>,
): ComparisonRecord {
  const [[, ours], ...peers] = [...times] as [
    [string, readonly number[]],
    ...[string, readonly number[]][],
  ];
  const ratioTo = (theirs: (round: number) => number) =>
    toThreeDecimals(median(ours.map((time, round) => time / theirs(round))));
  return {
    benchmark,
    ranks,
    bytes,
    oursUs: toThreeDecimals(median(ours)),
    peersUs: Object.fromEntries(
      peers.map(([name, theirs]) => [name, toThreeDecimals(median(theirs))]),
    ),
    ratios: Object.fromEntries(
      peers.map(([name, theirs]) => [name, ratioTo((round) => theirs[round]!)]),
    ),
    ratioToBest: ratioTo((round) => Math.min(...peers.map(([, theirs]) => theirs[round]!))),
    pairs: rounds,
    node: process.version,
  };
}

const PEERS = ['postMessage', 'child_process'] as const;

/** The comparison for people: lines as they come. */
export async function* comparisonTable(
  plan: ComparisonPlan,
  progress: (text: string) => void,
): AsyncGenerator<string> {
  const { title, measures } = BENCHMARKS[plan.benchmark];
  yield `${title}, ${plan.ranks} ranks: ${measures}, in microseconds`;
  yield '';
  const table = new Table([
    { title: 'size', width: 6 },
    ...['onecopy', ...PEERS].map((title) => ({ title, width: 8 })),
    ...PEERS.map((name) => ({ title: `vs ${name}`, width: 8 })),
  ]);
  yield `  ${table.header}`;
  for await (const { bytes, oursUs, peersUs, ratios } of compare(plan, progress)) {
    yield `  ${table.row([
      formatSize(bytes),
      ...[oursUs, ...PEERS.map((name) => peersUs[name]!)].map(formatNumber),
      ...PEERS.map((name) => `${formatNumber(1 / ratios[name]!)}x`),
    ])}`;
  }
  yield '';
  yield* footnotes(plan).map((line) => `  ${line}`);
}

function footnotes({ benchmark, rounds, loops }: ComparisonPlan): string[] {
  const { iterationsBudgetMs } = loops(0);
  return [
    rounds === 1
      ? 'vs: how many times as fast onecopy was. One turn each, so a glance and no more.'
      : `vs: how many times as fast onecopy was; times and ratios are medians of ${rounds} turns each.`,
    benchmark === 'pingpong'
      ? 'postMessage: between two worker threads. child_process: IPC between parent and child.'
      : 'postMessage: a channel per pair of threads. child_process: IPC, relayed by the parent.',
    'Both copy a Uint8Array: no transfer list, "advanced" serialization.',
    ...(iterationsBudgetMs === undefined
      ? []
      : [
          `Same method for all; the slower, the fewer iterations, for a turn of ${iterationsBudgetMs} ms.`,
        ]),
  ];
}
