import { BENCHMARKS } from '../benchmarks.ts';
import { formatSize } from '../sizes.ts';
import { formatNumber, Table } from '../table.ts';
import type { Comparison, PeersRecord } from './record.ts';

const FIGURES = ['mean', 'p50', 'p99'] as const;

/** The comparison for people: lines as they come. `peers` are the columns. */
export async function* peersTable(
  records: AsyncIterable<PeersRecord>,
  peers: readonly string[],
): AsyncGenerator<string> {
  const table = new Table([
    { title: 'size', width: 'alloc 64M'.length },
    { title: '', width: 4 },
    ...['onecopy', ...peers].map((title) => ({ title, width: 8 })),
    { title: 'vs best', width: 7 },
    { title: 'best', width: Math.max(4, ...peers.map(({ length }) => length)) },
  ]);
  let heading = '';
  for await (const record of records) {
    const { title, measures } = BENCHMARKS[record.benchmark];
    const next = `${title}, ${record.ranks} ranks: ${measures}, in microseconds`;
    if (next !== heading) {
      yield* [...(heading === '' ? [] : ['']), next, '', `  ${table.header}`];
      heading = next;
    }
    for (const figure of FIGURES) {
      const size = figure === 'mean' ? sizeOf(record) : '';
      const comparison = figure === 'mean' ? record : record[figure];
      yield `  ${table.row([size, figure, ...cellsOf(comparison, peers)])}`;
    }
    for (const [name, reason] of Object.entries(record.failures ?? {})) {
      yield `  ${name} has no figure: ${reason.replace(/\s+/g, ' ')}`;
    }
  }
}

function sizeOf({ buffers, bytes }: PeersRecord): string {
  return `${buffers ? 'alloc ' : ''}${formatSize(bytes)}`;
}

function cellsOf({ oursUs, peersUs, ratioToBest, best }: Comparison, peers: readonly string[]) {
  return [
    ...[oursUs, ...peers.map((name) => peersUs[name] ?? Number.NaN)].map(formatNumber),
    ratioToBest === null ? '-' : formatNumber(ratioToBest),
    best ?? '-',
  ];
}

export function footnotes(pairs: number): string[] {
  return [
    `vs best: ours over theirs, median of the ratios of ${pairs} turns, against the peer where it is highest; below 1`,
    'onecopy is faster. Times are medians over the same turns, so their quotient need not be the ratio.',
    'mean: one timer around the loop; p50 and p99: a second pass with a time stamp per operation.',
    'UCX is measured by its own ucx_perftest, which tells no p99.',
  ];
}
