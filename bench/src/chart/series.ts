import { BENCHMARKS, type BenchmarkName } from '../benchmarks.ts';

export interface Point {
  readonly bytes: number;
  readonly us: number;
  /** Millions of bytes per second. */
  readonly bandwidthMBs: number;
}

/** What one program did, from the smallest size to the largest. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

/** All that is drawn into one chart. */
export interface ChartData {
  readonly benchmark: BenchmarkName;
  readonly ranks: number;
  readonly series: readonly Series[];
}

/** A record of any kind that `onecopy bench` gives: ours alone, or beside others. */
export interface ChartedRecord {
  readonly benchmark: BenchmarkName;
  readonly ranks: number;
  readonly bytes: number;
  readonly buffers?: 'alloc';
  readonly latencyUs?: { readonly mean: number };
  readonly oursUs?: number;
  readonly peersUs?: Readonly<Record<string, number>>;
}

/** Ours; always the first series. */
export const OURS = 'onecopy';

/** One chart for each benchmark and number of ranks that has sizes. */
export function chartsOf(records: readonly ChartedRecord[]): ChartData[] {
  const groups = new Map<string, ChartedRecord[]>();
  for (const record of records) {
    const key = `${record.benchmark} ${record.ranks}`;
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return [...groups.values()]
    .filter(([first]) => BENCHMARKS[first!.benchmark].elementBytes > 0)
    .map((group) => ({
      benchmark: group[0]!.benchmark,
      ranks: group[0]!.ranks,
      series: seriesOf(group),
    }));
}

function seriesOf(records: readonly ChartedRecord[]): Series[] {
  const series = new Map<string, Point[]>([[OURS, []]]);
  const add = (name: string, { benchmark, ranks, bytes }: ChartedRecord, us: number): void => {
    const bandwidthMBs = BENCHMARKS[benchmark].bytesMoved(bytes, ranks) / us;
    series.set(name, [...(series.get(name) ?? []), { bytes, us, bandwidthMBs }]);
  };
  for (const record of records) {
    const { buffers, oursUs, latencyUs, peersUs = {} } = record;
    const ours = oursUs ?? latencyUs?.mean;
    const ownName = buffers && oursUs !== undefined ? `${OURS}, alloc` : OURS;
    if (ours !== undefined) add(ownName, record, ours);
    // The peers have no such buffers: they are in the chart already, with their own.
    if (!buffers) for (const [name, us] of Object.entries(peersUs)) add(name, record, us);
  }
  return [...series]
    .filter(([, points]) => points.length > 0)
    .map(([name, points]) => ({ name, points: points.sort((a, b) => a.bytes - b.bytes) }));
}
