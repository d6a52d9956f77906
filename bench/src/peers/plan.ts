import { BENCHMARKS } from '../benchmarks.ts';
import type { Configuration } from './competitor.ts';
import type { PeerBenchmark } from './programs.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;

/** What is compared of a benchmark when only it, or nothing, is named. */
interface Usual {
  readonly ranks: readonly number[];
  readonly sizes: readonly number[];
}

const PINGPONG_SIZES = [8, KiB, 8 * KiB, 64 * KiB, MiB, 4 * MiB, 64 * MiB];

/** With names but without sizes of their own here: as `onecopy bench` has them. */
const USUAL: Partial<Readonly<Record<PeerBenchmark, Usual>>> = {
  pingpong: { ranks: [2], sizes: PINGPONG_SIZES },
  bandwidth: { ranks: [2], sizes: PINGPONG_SIZES },
  bibandwidth: { ranks: [2], sizes: PINGPONG_SIZES },
  rate: { ranks: [2], sizes: [8] },
  persistent: { ranks: [2], sizes: [8] },
  multipair: { ranks: [4, 8], sizes: [8] },
  barrier: { ranks: [4, 8], sizes: [0] },
};

/** What is compared when nothing is named. */
const DEFAULT: readonly PeerBenchmark[] = [
  'pingpong',
  'rate',
  'persistent',
  'multipair',
  'barrier',
];

const ALLOCATED: Configuration = { benchmark: 'pingpong', ranks: 2, bytes: MiB, buffers: 'alloc' };

const QUICK: readonly Configuration[] = [
  { benchmark: 'pingpong', ranks: 2, bytes: 8 },
  { benchmark: 'pingpong', ranks: 2, bytes: 64 * KiB },
  { benchmark: 'pingpong', ranks: 2, bytes: MiB },
  { benchmark: 'rate', ranks: 2, bytes: 8 },
  { benchmark: 'multipair', ranks: 4, bytes: 8 },
  { benchmark: 'barrier', ranks: 4, bytes: 0 },
];

export interface Wishes {
  readonly benchmarks: readonly PeerBenchmark[];
  readonly ranks?: number;
  readonly sizes?: readonly number[];
  readonly quick: boolean;
  /** All buffers from alloc. */
  readonly buffers?: 'alloc';
  /** Whether this onecopy has it. */
  readonly hasAlloc: boolean;
}

export function configurationsOf(wishes: Wishes): Configuration[] {
  const { benchmarks, ranks, sizes, quick, buffers, hasAlloc } = wishes;
  const all =
    quick && benchmarks.length === 0
      ? [...QUICK]
      : (benchmarks.length === 0 ? DEFAULT : benchmarks).flatMap((name) =>
          usualOf(name, ranks, sizes, buffers),
        );
  if (buffers) return all.map((configuration) => ({ ...configuration, buffers }));
  if (benchmarks.length === 0 && !quick && hasAlloc) {
    const place = all.findIndex(({ benchmark }) => benchmark !== 'pingpong');
    all.splice(place, 0, ALLOCATED);
  }
  return all;
}

function usualOf(
  benchmark: PeerBenchmark,
  ranks: number | undefined,
  sizes: readonly number[] | undefined,
  buffers: 'alloc' | undefined,
): Configuration[] {
  const { defaultRanks, elementBytes } = BENCHMARKS[benchmark];
  const usual = USUAL[benchmark] ?? { ranks: [defaultRanks], sizes: [8, KiB, 64 * KiB, MiB] };
  const allRanks = ranks === undefined ? usual.ranks : [ranks];
  const allSizes = elementBytes === 0 ? [0] : (sizes ?? usual.sizes);
  return allRanks.flatMap((each) =>
    allSizes.map((bytes) => ({ benchmark, ranks: each, bytes, ...(buffers && { buffers }) })),
  );
}
