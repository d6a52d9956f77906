/**
 * Makes a power of two out of any number of ranks: as many pairs of neighbours (2i, 2i + 1) as there are ranks too many
 * come first, and one of each pair goes on for both. Neighbours, because then what they have combined is still a
 * contiguous range of ranks, and operators that are not commutative stay right.
 */
export class Fold {
  /** Number of positions, a power of two. */
  readonly positions: number;
  readonly #pairs: number;
  readonly #kept: number;

  /** `kept`: a rank that must be one of those that go on. */
  constructor(size: number, kept = -1) {
    this.positions = 2 ** Math.floor(Math.log2(size));
    this.#pairs = size - this.positions;
    this.#kept = kept;
  }

  /** The other rank of the pair, if the rank is in one. */
  partnerOf(rank: number): number | undefined {
    return rank < 2 * this.#pairs ? rank ^ 1 : undefined;
  }

  survives(rank: number): boolean {
    return this.rankAt(this.positionOf(rank)) === rank;
  }

  /** Both of a pair have the same position. */
  positionOf(rank: number): number {
    return rank < 2 * this.#pairs ? rank >> 1 : rank - this.#pairs;
  }

  /** The rank that goes on at a position. */
  rankAt(position: number): number {
    if (position >= this.#pairs) return position + this.#pairs;
    return 2 * position === this.#kept ? this.#kept : 2 * position + 1;
  }

  /** All ranks that a position stands for. */
  ranksOf(position: number): readonly number[] {
    if (position >= this.#pairs) return [position + this.#pairs];
    return [2 * position, 2 * position + 1];
  }
}
