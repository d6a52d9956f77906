import type { Corruption } from '../protocol.ts';
import { CheckedBuffer, CheckFailure } from './checked-buffer.ts';
import {
  fillSummand,
  findWrongSum,
  findWrongSummand,
  type Summand,
  type WrongNumber,
} from './summands.ts';

/** The float64 of a reduction, in a checked buffer. */
export class CheckedNumbers {
  readonly data: Float64Array;
  readonly #buffer: CheckedBuffer;

  constructor(bytes: number, memory?: Uint8Array) {
    this.#buffer = new CheckedBuffer(bytes, 1, memory);
    const { buffer, byteOffset } = this.#buffer.data;
    this.data = new Float64Array(buffer, byteOffset, bytes / Float64Array.BYTES_PER_ELEMENT);
  }

  fill(summand: Summand): void {
    fillSummand(this.data, summand);
  }

  corrupt(corruption: Corruption | undefined, rank: number, iteration: number): void {
    this.#buffer.corrupt(corruption, rank, iteration);
  }

  /** Throws a CheckFailure unless everything is as it was filled in. */
  verifySummand(summand: Summand): void {
    const what = this.#describe('a buffer that should stay as it was', summand);
    this.#judge(what, findWrongSummand(this.data, summand));
  }

  /** Throws a CheckFailure unless this is the sum over all ranks. */
  verifySum(ranks: number, found: Summand): void {
    const what = this.#describe(`sum over ${ranks} ranks`, found);
    this.#judge(what, findWrongSum(this.data, ranks, found.iteration));
  }

  #describe(what: string, { rank, iteration }: Summand): string {
    return `rank ${rank}, ${what}, ${this.data.byteLength} bytes, iteration ${iteration}`;
  }

  #judge(what: string, wrong: WrongNumber | undefined): void {
    if (wrong) {
      const { index, expected, got } = wrong;
      throw new CheckFailure(`${what}: element ${index} should be ${expected} and is ${got}`);
    }
    this.#buffer.verifyGuard(what);
  }
}
