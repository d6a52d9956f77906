/**
 * How heat spreads over a plate, by Jacobi's method, for some of the plate's rows. Nothing here knows of ranks.
 *
 * Above the plate it is `HOT`, on its other three sides 0, and so is the plate itself in the beginning. In each step a
 * cell takes the mean of its four neighbours before the step. No cell sees another one's new value, so the result is
 * the same to the last bit however the rows are split.
 */

export const HOT = 100;

/** The rows from `first` to `last` (exclusive) of a plate, with one more row above and one below: the neighbours. */
export class PlateRows {
  readonly columns: number;
  /** How many, without the two neighbours. */
  readonly rows: number;
  /** Number of the first one in the whole plate. */
  readonly first: number;
  /** All rows have one more cell on each side, which stays as it is. */
  readonly #width: number;
  #cells: Float64Array;
  #before: Float64Array;

  constructor(columns: number, first: number, last: number) {
    this.columns = columns;
    this.rows = last - first;
    this.first = first;
    this.#width = columns + 2;
    this.#cells = new Float64Array((this.rows + 2) * this.#width);
    if (first === 0) this.row(0).fill(HOT);
    this.#before = this.#cells.slice();
  }

  /** A row from 1 to `rows`; 0 is the neighbour above, `rows` + 1 the one below. Valid until the next step. */
  row(row: number): Float64Array {
    const start = row * this.#width + 1;
    return this.#cells.subarray(start, start + this.columns);
  }

  step(): void {
    const [from, to, width] = [this.#cells, this.#before, this.#width];
    // Neighbours are not copied: either they are exchanged before the next step, or they never change.
    for (let row = 1; row <= this.rows; row++) {
      const start = row * width + 1;
      const end = start + this.columns;
      for (let at = start; at < end; at++) {
        to[at] = 0.25 * (from[at - width]! + from[at + width]! + from[at - 1]! + from[at + 1]!);
      }
    }
    [this.#cells, this.#before] = [to, from];
  }

  /** How much the last step changed the cell that it changed most. */
  largestChange(): number {
    let largest = 0;
    for (let row = 1; row <= this.rows; row++) {
      const start = row * this.#width + 1;
      for (let at = start; at < start + this.columns; at++) {
        const change = Math.abs(this.#cells[at]! - this.#before[at]!);
        if (change > largest) largest = change;
      }
    }
    return largest;
  }

  /** The cells without their neighbours, row by row. */
  toArray(): Float64Array {
    const cells = new Float64Array(this.rows * this.columns);
    for (let row = 0; row < this.rows; row++) cells.set(this.row(row + 1), row * this.columns);
    return cells;
  }

  /** Of each row. */
  sums(): Float64Array {
    return Float64Array.from({ length: this.rows }, (_, row) =>
      this.row(row + 1).reduce((sum, cell) => sum + cell, 0),
    );
  }

  /** Of every bit of every cell and where it is. Those of parts of a plate add up, modulo 2^32, to that of the plate. */
  checksum(): number {
    const cells = this.toArray();
    const words = new Uint32Array(cells.buffer);
    const start = this.first * this.columns * 2;
    let sum = 0;
    for (let i = 0; i < words.length; i++)
      sum = (sum + scramble(words[i]! ^ scramble(start + i))) | 0;
    return sum >>> 0;
  }
}

/** A permutation of the 32-bit numbers in which every bit depends on every other: the end of MurmurHash3. */
function scramble(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
