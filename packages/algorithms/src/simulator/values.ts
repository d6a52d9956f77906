import { SimulationError } from './error.ts';

/** What fresh scratch memory holds. */
export const UNWRITTEN = -1;
/** What the caller's memory holds where nothing of the operation lies: it must neither be read nor written. */
export const FOREIGN = -2;

const INDEX_SPAN = 2 ** 22;
const SEQUENCE_SPAN = 2 ** 20;

/**
 * The elements that the simulator computes with. An element says whose it is: the sequence of ranks that were combined
 * into it, in the order of operands, and its index in their send buffers. So a missing, doubled, misplaced or swapped
 * contribution shows. An element is a number, so that a memory is a `Float64Array`: sequences are numbered.
 */
export class Values {
  /** Each as a string of one character per rank. */
  readonly #sequences: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #firstRanks: (number | undefined)[] = [];
  readonly #combined = new Map<number, number>();

  /** The element that a rank brings in. */
  operand(rank: number, index: number): number {
    return this.#number(String.fromCharCode(rank)) * INDEX_SPAN + index;
  }

  /** What the first `ranks` ranks make, combined in their order. */
  ofRanks(ranks: number, index: number): number {
    let number = this.#firstRanks[ranks];
    if (number === undefined) {
      number = this.#number(String.fromCharCode(...new Array(ranks).keys()));
      this.#firstRanks[ranks] = number;
    }
    return number * INDEX_SPAN + index;
  }

  combine(left: number, right: number): number {
    const index = left % INDEX_SPAN;
    if (index !== right % INDEX_SPAN) {
      throw new SimulationError(
        'result',
        `${this.describe(left)} is combined with ${this.describe(right)}`,
      );
    }
    const first = Math.floor(left / INDEX_SPAN);
    const second = Math.floor(right / INDEX_SPAN);
    const key = first * SEQUENCE_SPAN + second;
    let number = this.#combined.get(key);
    if (number === undefined) {
      number = this.#number(`${this.#sequences[first]}${this.#sequences[second]}`);
      this.#combined.set(key, number);
    }
    return number * INDEX_SPAN + index;
  }

  /** Whether two elements have the same contributions, in whatever order. */
  agreeInAnyOrder(one: number, other: number): boolean {
    if (one < 0 || other < 0 || one % INDEX_SPAN !== other % INDEX_SPAN) return false;
    return sorted(this.ranksOf(one)) === sorted(this.ranksOf(other));
  }

  ranksOf(value: number): number[] {
    const sequence = this.#sequences[Math.floor(value / INDEX_SPAN)] ?? '';
    return Array.from(sequence, (character) => character.charCodeAt(0));
  }

  describe(value: number): string {
    if (value === UNWRITTEN) return 'unwritten';
    if (value < 0) return 'untouched';
    return `${this.ranksOf(value).join('∘')}[${value % INDEX_SPAN}]`;
  }

  #number(sequence: string): number {
    let number = this.#numbers.get(sequence);
    if (number === undefined) {
      number = this.#sequences.length;
      this.#sequences.push(sequence);
      this.#numbers.set(sequence, number);
    }
    return number;
  }
}

function sorted(ranks: number[]): string {
  return ranks.sort((a, b) => a - b).join();
}
