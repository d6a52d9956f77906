/** When one rank came to each barrier, and when it left, by a clock that all share. */
export interface Passage {
  readonly came: Float64Array;
  readonly left: Float64Array;
}

export interface EarlyLeaver {
  readonly iteration: number;
  readonly leaver: number;
  /** The last rank to come. */
  readonly last: number;
  readonly ns: number;
}

/** The first barrier that somebody left before the last rank had come, or undefined. */
export function findEarlyLeaver(passages: readonly Passage[]): EarlyLeaver | undefined {
  const iterations = passages[0]!.came.length;
  for (let iteration = 0; iteration < iterations; iteration += 1) {
    const came = passages.map((passage) => passage.came[iteration]!);
    const left = passages.map((passage) => passage.left[iteration]!);
    const lastCame = Math.max(...came);
    const firstLeft = Math.min(...left);
    if (firstLeft < lastCame) {
      return {
        iteration,
        leaver: left.indexOf(firstLeft),
        last: came.indexOf(lastCame),
        ns: lastCame - firstLeft,
      };
    }
  }
  return undefined;
}
