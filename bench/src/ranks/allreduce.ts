import { SUM, world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import type { CheckedNumbers } from './checked-numbers.ts';
import { Collective } from './collective.ts';
import type { Memory } from './memory.ts';
import type { Places } from './places.ts';

/** The sum of all ranks' numbers, on every rank. */
export class AllReduce extends Collective {
  readonly #operand: Places<CheckedNumbers>;
  readonly #result: Places<CheckedNumbers>;

  constructor(bytes: number, memory: Memory) {
    super();
    this.#operand = memory.numbers(bytes);
    this.#result = memory.numbers(bytes);
  }

  protected override operate(): void {
    world.allreduce(this.#operand.now.data, this.#result.now.data, SUM);
    this.#operand.advance();
    this.#result.advance();
  }

  override check(iterations: number, corruption: Corruption | undefined): number {
    const { rank, size } = world;
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      const operand = this.#operand.now;
      const result = this.#result.now;
      operand.fill({ rank, iteration });
      operand.corrupt(corruption, rank, iteration);
      this.operate();
      // Once more puts it right: it is in the sum that it is to be found.
      operand.corrupt(corruption, rank, iteration);
      operand.verifySummand({ rank, iteration });
      result.verifySum(size, { rank, iteration });
    }
    return iterations;
  }
}
