import { world } from '@onecopy/runtime';
import type { P2pExercise } from './exercise.ts';

/** Ranks 0 and 1 send to each other in turns. */
export class InTurns implements P2pExercise {
  readonly latenciesPerOperation = 2;
  readonly #send: () => void;
  readonly #receive: () => void;
  readonly end: () => void;

  constructor(send: () => void, receive: () => void, end: () => void = () => undefined) {
    this.#send = send;
    this.#receive = receive;
    this.end = end;
  }

  run(iterations: number): void {
    const isFirst = world.rank === 0;
    for (let left = iterations; left > 0; left -= 1) {
      if (isFirst) this.#send();
      this.#receive();
      if (!isFirst) this.#send();
    }
  }
}
