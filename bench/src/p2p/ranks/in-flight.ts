import { type Request, waitAll, world } from '@onecopy/runtime';
import type { P2pExercise } from './exercise.ts';

const TAG = 1;
const READY_TAG = 2;

/** Rank 1 has this many receives posted when rank 0 begins to send as many messages: every one meets its request. */
export class InFlight implements P2pExercise {
  readonly latenciesPerOperation: number;
  readonly #buffer: Uint8Array;
  readonly #ready = new Uint8Array(1);
  readonly #requests: Request<unknown>[] = [];

  constructor(count: number, bytes: number) {
    this.latenciesPerOperation = count;
    this.#buffer = new Uint8Array(bytes);
  }

  run(iterations: number): void {
    const count = this.latenciesPerOperation;
    const requests = this.#requests;
    const peer = 1 - world.rank;
    for (let left = iterations; left > 0; left -= 1) {
      if (world.rank === 0) {
        world.recv(this.#ready, peer, READY_TAG);
        for (let i = 0; i < count; i += 1) requests[i] = world.isend(this.#buffer, peer, TAG);
        waitAll(requests);
        world.recv(this.#ready, peer, READY_TAG);
      } else {
        for (let i = 0; i < count; i += 1) requests[i] = world.irecv(this.#buffer, peer, TAG);
        world.send(this.#ready, peer, READY_TAG);
        waitAll(requests);
        world.send(this.#ready, peer, READY_TAG);
      }
    }
  }
}
