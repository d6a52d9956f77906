import { BENCHMARKS } from './benchmarks.ts';
import { type JobPlan, LaunchedRanks } from './launched-ranks.ts';
import type { LoopPlan } from './loops.ts';
import type { Options } from './options.ts';
import type { Answer } from './protocol.ts';
import type { BenchRecord } from './record.ts';
import { formatSize } from './sizes.ts';
import { formatNumber, Table } from './table.ts';

export interface SinglePlan
  extends JobPlan,
    Pick<Options, 'benchmark' | 'sizes' | 'check' | 'corruption'> {
  loops(bytes: number): LoopPlan;
  /** Is given each record, also where only lines are asked for. */
  keep?(record: BenchRecord): void;
}

/** Ours alone, size by size. */
export async function* measureSizes(
  plan: SinglePlan,
  progress: (text: string) => void,
): AsyncGenerator<Answer> {
  const { benchmark, check, corruption } = plan;
  const ranks = new LaunchedRanks(plan);
  for (const [index, bytes] of plan.sizes.entries()) {
    progress(`${benchmark} ${formatSize(bytes)}, size ${index + 1} of ${plan.sizes.length}`);
    const loops = plan.loops(bytes);
    const answer = await ranks.ask({
      benchmark,
      bytes,
      loops,
      check,
      ...(corruption && { corruption }),
    });
    plan.keep?.(answer.record);
    yield answer;
  }
  await ranks.close();
}

/** The same for people: lines as they come. */
export async function* singleTable(
  plan: SinglePlan,
  progress: (text: string) => void,
): AsyncGenerator<string> {
  const { title, measures, checked: checkedThings } = BENCHMARKS[plan.benchmark];
  yield `${title}, ${plan.ranks} ranks: ${measures}, in microseconds`;
  yield '';
  const table = new Table([
    { title: 'size', width: 6 },
    { title: 'iterations', width: 10 },
    { title: 'min', width: 8 },
    { title: 'mean', width: 8 },
    { title: 'p50', width: 8 },
    { title: 'p99', width: 8 },
    { title: 'max', width: 8 },
    { title: 'MB/s', width: 8 },
    ...(plan.benchmark === 'rate' ? [{ title: 'messages/s', width: 10 }] : []),
    { title: 'channel', width: 7 },
    { title: 'path', width: 'rendezvous, staging'.length },
  ]);
  yield `  ${table.header}`;
  let checked = 0;
  for await (const { record, checked: count } of measureSizes(plan, progress)) {
    checked += count;
    const { min, mean, p50, p99, max } = record.latencyUs;
    yield `  ${table.row([
      formatSize(record.bytes),
      String(record.iterations),
      ...[min, mean, p50, p99, max, record.bandwidthMBs].map(formatNumber),
      ...(record.messagesPerSecond === undefined ? [] : [String(record.messagesPerSecond)]),
      record.channel,
      record.mover === null ? record.path : `${record.path}, ${record.mover}`,
    ])}`;
  }
  yield '';
  yield '  mean: one timer around the loop; the others: a second pass with a time stamp per iteration.';
  if (plan.check) yield `  checked: ${checkedThings(checked)}, in a pass of their own.`;
}
