import type { BenchmarkName } from '../benchmarks.ts';
import type { Machine } from '../machine.ts';
import { toThreeDecimals } from '../record.ts';
import { median } from '../statistics.ts';
import type { Configuration, Figures } from './competitor.ts';
import type { Rounds } from './turns.ts';

/** One figure of ours beside that of each peer: medians over the rounds, microseconds. */
export interface Comparison {
  readonly oursUs: number;
  readonly peersUs: Readonly<Record<string, number>>;
  /** Ours over each peer's: median of the ratios of each round, so less than 1 is faster. */
  readonly ratios: Readonly<Record<string, number>>;
  /** The peer against which ours does worst, and the ratio to it; null when no peer has a figure. */
  readonly best: string | null;
  readonly ratioToBest: number | null;
}

/** One line of `onecopy bench peers --json`: keys are only ever added. What stands beside `p50` and `p99` is the mean. */
export interface PeersRecord extends Comparison {
  readonly benchmark: BenchmarkName;
  readonly ranks: number;
  readonly bytes: number;
  readonly buffers?: 'alloc';
  /** How often each was run, in turns. */
  readonly pairs: number;
  readonly p50: Comparison;
  readonly p99: Comparison;
  /** Why a peer has no figure here. */
  readonly failures?: Readonly<Record<string, string>>;
  /** How ours and each peer were started. */
  readonly settings: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Machine;
  readonly offCacheBytes?: number;
  readonly node: string;
}

export interface Surroundings
  extends Pick<PeersRecord, 'settings' | 'versions' | 'machine' | 'offCacheBytes'> {}

export function summariseRounds(
  configuration: Configuration,
  rounds: Rounds,
  surroundings: Surroundings,
): PeersRecord {
  const { benchmark, ranks, bytes, buffers } = configuration;
  return {
    benchmark,
    ranks,
    bytes,
    ...(buffers && { buffers }),
    ...compareBy(rounds, ({ mean }) => mean),
    pairs: rounds.ours.length,
    p50: compareBy(rounds, ({ p50 }) => p50),
    p99: compareBy(rounds, ({ p99 }) => p99),
    ...(rounds.failures.size > 0 && { failures: Object.fromEntries(rounds.failures) }),
    ...surroundings,
    node: process.version,
  };
}

function compareBy(rounds: Rounds, figure: (figures: Figures) => number | undefined): Comparison {
  const ours = rounds.ours.map((figures) => figure(figures)!);
  const peersUs: Record<string, number> = {};
  const ratios: Record<string, number> = {};
  for (const [name, figures] of rounds.peers) {
    const theirs = figures.map(figure).filter((value) => value !== undefined);
    if (theirs.length < ours.length) continue;
    peersUs[name] = toThreeDecimals(median(theirs));
    ratios[name] = toThreeDecimals(median(ours.map((time, round) => time / theirs[round]!)));
  }
  const [best, ratioToBest] = Object.entries(ratios).reduce<[string | null, number | null]>(
    (worst, [name, ratio]) => (worst[1] === null || ratio > worst[1] ? [name, ratio] : worst),
    [null, null],
  );
  return { oursUs: toThreeDecimals(median(ours)), peersUs, ratios, best, ratioToBest };
}
