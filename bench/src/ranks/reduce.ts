import { SUM, world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import { CheckedNumbers } from './checked-numbers.ts';
import { Collective } from './collective.ts';

const ROOT = 0;

/** The sum of all ranks' numbers, at the root. */
export class Reduce extends Collective {
  readonly #operand: CheckedNumbers;
  readonly #result: CheckedNumbers;

  constructor(bytes: number) {
    super();
    this.#operand = new CheckedNumbers(bytes);
    this.#result = new CheckedNumbers(bytes);
  }

  protected override operate(): void {
    world.reduce(this.#operand.data, this.#result.data, SUM, ROOT);
  }

  override check(iterations: number, corruption: Corruption | undefined): number {
    const { rank, size } = world;
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      this.#operand.fill({ rank, iteration });
      this.#result.fill({ rank, iteration });
      this.#operand.corrupt(corruption, rank, iteration);
      this.operate();
      // Once more puts it right: it is in the sum that it is to be found.
      this.#operand.corrupt(corruption, rank, iteration);
      this.#operand.verifySummand({ rank, iteration });
      if (rank === ROOT) this.#result.verifySum(size, { rank, iteration });
      // Not the root: nobody has any business here.
      else this.#result.verifySummand({ rank, iteration });
    }
    return rank === ROOT ? iterations : 0;
  }
}
