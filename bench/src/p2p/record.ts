/** One line of `onecopy bench p2p --json`: keys are only ever added. Times are medians over the pairs, in microseconds. */
export interface P2pRecord {
  readonly benchmark: 'p2p';
  readonly figure: string;
  /** Of one message. */
  readonly bytes: number;
  /** Null where this onecopy, or this machine, cannot do it; `unavailable` says why. */
  readonly oursUs: number | null;
  /** Other ways to do the same: rivals, and other calls of onecopy. */
  readonly rivalsUs: Readonly<Record<string, number>>;
  /** Ours over each of them: median of the ratios of each pair, so less than 1 is faster. */
  readonly ratios: Readonly<Record<string, number>>;
  /** The greatest of them: ours over the fastest of the others; null where there is none. */
  readonly ratio: number | null;
  /** Of what was measured, per second. */
  readonly perSecond?: number;
  /** How often each was measured, in turns. */
  readonly pairs: number;
  /** Why something is missing, by name. */
  readonly unavailable?: Readonly<Record<string, string>>;
  readonly node: string;
}
