import { formatSize } from '../sizes.ts';
import { formatNumber, Table } from '../table.ts';
import {
  GOES_AHEAD,
  type Measured,
  MOVERS,
  type MoverRecord,
  PAGES,
  PATTERNS,
  SHARED,
  type Skipped,
} from './record.ts';

/** Less than this is what any mapping's ends may cost. */
const ALMOST_ALL = 0.99;

/** What is not slower than this times the fastest is as fast: runs differ by as much. */
const AS_FAST = 1.03;

/** What one pattern on pages of one kind came to: two tables, and sentences about them. */
export function reportLines(records: readonly MoverRecord[]): string[] {
  const measured = records.filter((record): record is Measured => 'bytes' in record);
  const skipped = records.filter((record): record is Skipped => 'skipped' in record);
  const first = records[0];
  if (first === undefined) return [];
  const movers = Object.keys(MOVERS).filter((name) => measured.some(({ mover }) => mover === name));
  const sizes = [...new Set(measured.map(({ bytes }) => bytes))];
  const at = (mover: string, bytes: number): Measured | undefined =>
    measured.find((record) => record.mover === mover && record.bytes === bytes);
  const fastest = fastestOf(sizes, movers, at);

  const table = (unit: string, value: (record: Measured) => number): string[] => {
    const columns = new Table([
      { title: 'size', width: 6 },
      // The mark stands behind the number, so behind the title is a blank.
      ...movers.map((title) => ({ title: `${title} `, width: 8 })),
    ]);
    const rows = sizes.map((bytes) => {
      const cells = movers.map((mover) => {
        const record = at(mover, bytes);
        const mark = fastest.get(bytes)!.includes(mover) ? '*' : ' ';
        return record === undefined ? '- ' : `${formatNumber(value(record))}${mark}`;
      });
      return `  ${columns.row([formatSize(bytes), ...cells])}`;
    });
    return [unit, '', `  ${columns.header}`, ...rows, ''].map((line) => line.trimEnd());
  };

  const title = `${first.pattern}, ${first.processes} processes, ${PAGES[first.pages]}`;
  const lines = [`${title}: ${PATTERNS[first.pattern]}`, ''];
  if (measured.length > 0) {
    lines.push(...table('GB/s, all messages together', ({ gbPerS }) => gbPerS));
    lines.push(...table('Microseconds per message', ({ us }) => us));
    lines.push(...sentences(sizes, movers, at).map((line) => `  ${line}`));
    lines.push(...remarks(measured).map((line) => `  ${line}`));
  }
  return [...lines, ...skipped.map(({ mover, skipped: why }) => `  Left out: ${mover}. ${why}.`)];
}

type Lookup = (mover: string, bytes: number) => Measured | undefined;

/** For each size the fastest mover and those that are as fast. */
function fastestOf(
  sizes: readonly number[],
  movers: readonly string[],
  at: Lookup,
): Map<number, readonly string[]> {
  return new Map(
    sizes.map((bytes) => {
      const time = (mover: string): number => at(mover, bytes)?.us ?? Number.POSITIVE_INFINITY;
      const least = Math.min(...movers.map(time));
      return [bytes, movers.filter((mover) => time(mover) <= least * AS_FAST)];
    }),
  );
}

function sentences(sizes: readonly number[], movers: readonly string[], at: Lookup): string[] {
  const won = (among: readonly string[]) => rangesOf(sizes, fastestOf(sizes, among, at));
  const lines = [`Fastest (*): ${won(movers)}.`];
  const forAnyBuffer = movers.filter((mover) => !SHARED.has(mover));
  if (forAnyBuffer.length > 0 && forAnyBuffer.length < movers.length) {
    lines.push(`Where buffers are not shared from the start: ${won(forAnyBuffer)}.`);
  }
  if (movers.includes('heap') && movers.includes('heap-nt')) {
    lines.push(`Ordinary stores or past the cache: ${won(['heap', 'heap-nt'])}.`);
  }
  return lines;
}

/** "heap from 1K to 256K, both-sides from 1M to 16M"; of those that are as fast, the one that won before. */
function rangesOf(
  sizes: readonly number[],
  fastest: ReadonlyMap<number, readonly string[]>,
): string {
  const ranges: { name: string; from: number; to: number }[] = [];
  for (const bytes of [...sizes].sort((a, b) => a - b)) {
    const names = fastest.get(bytes)!;
    const last = ranges.at(-1);
    if (last !== undefined && names.includes(last.name)) last.to = bytes;
    else ranges.push({ name: names[0]!, from: bytes, to: bytes });
  }
  return ranges
    .map(({ name, from, to }) =>
      from === to
        ? `${name} at ${formatSize(from)}`
        : `${name} from ${formatSize(from)} to ${formatSize(to)}`,
    )
    .join(', ');
}

function remarks(measured: readonly Measured[]): string[] {
  const lines: string[] = [];
  const { pattern, pages, processes, cores } = measured[0]!;
  const aheadOfReceiver = measured.some(({ mover }) => GOES_AHEAD.has(mover));
  if (pattern !== 'one-to-one' && aheadOfReceiver) {
    lines.push(`With ${[...GOES_AHEAD].join(' and ')} a sender need not wait for the receiver.`);
  }
  const shares = measured.map(({ hugeShare }) => hugeShare ?? Number.NaN);
  const least = Math.min(...shares);
  if (pages === 'huge' && !(least >= ALMOST_ALL)) {
    lines.push(
      Number.isNaN(least)
        ? 'The kernel does not tell how much of the memory got huge pages.'
        : `Only ${Math.round(least * 100)} % of some of the memory got huge pages.`,
    );
  }
  if (cores.length === 0) {
    lines.push(`There are fewer cores than the ${processes} processes: they take turns.`);
  }
  return lines;
}
