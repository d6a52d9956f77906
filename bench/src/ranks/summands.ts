/** What a rank brings to a sum, in one iteration. */
export interface Summand {
  readonly rank: number;
  readonly iteration: number;
}

export interface WrongNumber {
  readonly index: number;
  readonly expected: number;
  readonly got: number;
}

const LEAST = 2 ** 19;

/**
 * A whole number from 2^19 up to 2^20, other ones for other ranks, iterations and places. The sum of 2^33 of them is
 * exact in any order, and since all are of about one magnitude, a flipped byte of one is not rounded away in the sum.
 */
function summand({ rank, iteration }: Summand, index: number): number {
  return LEAST + (Math.imul(startOf(rank, iteration) + index, 0x9e3779b1) >>> 13);
}

function startOf(rank: number, iteration: number): number {
  return rank * 15_485_863 + iteration * 7919;
}

export function fillSummand(view: Float64Array, of: Summand): void {
  for (let index = 0; index < view.length; index += 1) view[index] = summand(of, index);
}

/** The first number that is not as `fillSummand` made it, or undefined. */
export function findWrongSummand(view: Float64Array, of: Summand): WrongNumber | undefined {
  for (let index = 0; index < view.length; index += 1) {
    const expected = summand(of, index);
    if (view[index] !== expected) return { index, expected, got: view[index]! };
  }
  return undefined;
}

/** The first number that is not the sum over ranks 0 to `ranks` - 1, added one after the other, or undefined. */
export function findWrongSum(
  view: Float64Array,
  ranks: number,
  iteration: number,
): WrongNumber | undefined {
  for (let index = 0; index < view.length; index += 1) {
    let expected = 0;
    for (let rank = 0; rank < ranks; rank += 1) expected += summand({ rank, iteration }, index);
    if (view[index] !== expected) return { index, expected, got: view[index]! };
  }
  return undefined;
}
