import { Random } from './random.ts';

const BYTES = 8;
/** Where a number of 31 or 32 bits ends, signed or not, and what one system call of Linux moves at most. */
const BOUNDARIES = [2 ** 31 - 2 ** 12, 2 ** 31, 2 ** 32 - 2 ** 13, 2 ** 32];

/** Where a byte of a message lies in an array. */
export type Layout = (byte: number) => number;
const inOrder: Layout = (byte) => byte;

/**
 * A few bytes to know a long message by, the rest of which is 0: around each boundary, at both ends, where two movers
 * may meet, and at random.
 */
export class Stamps {
  readonly #length: number;
  readonly #places: readonly number[];

  constructor(length: number, seed: number) {
    this.#length = length;
    this.#places = choose(length, new Random(seed));
  }

  /** Only there is the array written to. */
  write(array: Uint8Array, round: number, layout: Layout = inOrder): void {
    for (const [place, at] of this.#places.entries()) {
      for (let i = 0; i < BYTES; i++) array[layout(at + i)] = stampAt(round, place, i);
    }
  }

  /** Throws unless all are there, and nothing beside them: from, or for, a neighbouring place. */
  check(array: Uint8Array, round: number, layout: Layout = inOrder): void {
    const stamped = new Set(
      this.#places.flatMap((at) => Array.from({ length: BYTES }, (_, i) => at + i)),
    );
    for (const [place, at] of this.#places.entries()) {
      for (let i = -BYTES; i < 2 * BYTES; i++) {
        const byte = at + i;
        const isInside = i >= 0 && i < BYTES;
        if (byte < 0 || byte >= this.#length || (!isInside && stamped.has(byte))) continue;
        const expected = isInside ? stampAt(round, place, i) : 0;
        const found = array[layout(byte)];
        if (found !== expected) {
          throw new Error(`byte ${byte} of round ${round} is ${found}, not ${expected}`);
        }
      }
    }
  }
}

function choose(length: number, random: Random): number[] {
  const half = Math.floor(length / 2);
  const chosen = [0, length - BYTES, half - 3, half + BYTES];
  for (const boundary of BOUNDARIES) {
    const around = [boundary - 2 * BYTES, boundary - 3, boundary + BYTES];
    chosen.push(...around.filter((at) => at + BYTES <= length));
  }
  for (let i = 0; i < 8; i++) chosen.push(Math.floor((random.next() / 2 ** 32) * (length - BYTES)));
  chosen.sort((a, b) => a - b);
  return chosen.filter((at, i) => i === 0 || at - (chosen[i - 1] as number) >= BYTES);
}

/** Never 0, as all bytes without a stamp are. */
function stampAt(round: number, place: number, i: number): number {
  return 1 + ((round * 59 + place * 17 + i * 5) % 255);
}
