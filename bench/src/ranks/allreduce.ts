import { SUM, world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import { CheckedNumbers } from './checked-numbers.ts';
import { Collective } from './collective.ts';

/** The sum of all ranks' numbers, on every rank. */
export class AllReduce extends Collective {
  readonly #operand: CheckedNumbers;
  readonly #result: CheckedNumbers;

  constructor(bytes: number) {
    super();
    this.#operand = new CheckedNumbers(bytes);
    this.#result = new CheckedNumbers(bytes);
  }

  protected override operate(): void {
    world.allreduce(this.#operand.data, this.#result.data, SUM);
  }

  override check(iterations: number, corruption: Corruption | undefined): number {
    const { rank, size } = world;
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      this.#operand.fill({ rank, iteration });
      this.#operand.corrupt(corruption, rank, iteration);
      this.operate();
      // Once more puts it right: it is in the sum that it is to be found.
      this.#operand.corrupt(corruption, rank, iteration);
      this.#operand.verifySummand({ rank, iteration });
      this.#result.verifySum(size, { rank, iteration });
    }
    return iterations;
  }
}
