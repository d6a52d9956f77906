import { world } from '@onecopy/runtime';
import type { Corruption } from '../protocol.ts';
import type { CheckedBuffer } from './checked-buffer.ts';
import type { Exercise } from './exercise.ts';
import type { Memory } from './memory.ts';
import type { Places } from './places.ts';

const TAG = 1;

/**
 * Pairs in turns, rank i with i + `distance`: the first of a pair sends, the second answers. Ranks beyond sleep until
 * it is over.
 */
abstract class PairsInTurns implements Exercise {
  readonly latenciesPerOperation = 2;
  readonly samples = 'each';
  readonly clocks: number;
  readonly #role: 'first' | 'second' | 'none';
  readonly #peer: number;
  readonly #out: Places<CheckedBuffer>;
  readonly #into: Places<CheckedBuffer>;

  constructor(bytes: number, memory: Memory, distance: number) {
    const { rank } = world;
    this.clocks = distance;
    this.#role = rank < distance ? 'first' : rank < 2 * distance ? 'second' : 'none';
    this.#peer = this.#role === 'first' ? rank + distance : rank - distance;
    this.#out = memory.buffers(bytes);
    this.#into = memory.buffers(bytes);
  }

  run(iterations: number): void {
    const out = this.#out;
    const into = this.#into;
    const peer = this.#peer;
    if (this.#role === 'first') {
      for (let left = iterations; left > 0; left -= 1) {
        world.send(out.now.data, peer, TAG);
        world.recv(into.now.data, peer, TAG);
        out.advance();
        into.advance();
      }
    } else if (this.#role === 'second') {
      for (let left = iterations; left > 0; left -= 1) {
        world.recv(into.now.data, peer, TAG);
        world.send(out.now.data, peer, TAG);
        out.advance();
        into.advance();
      }
    }
  }

  stamp(samples: Float64Array): void {
    if (this.#role !== 'first') {
      this.run(samples.length);
      return;
    }
    const out = this.#out;
    const into = this.#into;
    const peer = this.#peer;
    // Each stamp ends one sample and begins the next: one per iteration, half as dear as two.
    let before = performance.now();
    for (let index = 0; index < samples.length; index += 1) {
      world.send(out.now.data, peer, TAG);
      world.recv(into.now.data, peer, TAG);
      out.advance();
      into.advance();
      const after = performance.now();
      samples[index] = after - before;
      before = after;
    }
  }

  check(iterations: number, corruption: Corruption | undefined): number {
    if (this.#role === 'none') return 0;
    for (let iteration = 0; iteration < iterations; iteration += 1) {
      if (this.#role === 'first') this.#send(iteration, corruption);
      this.#receive(iteration);
      if (this.#role === 'second') this.#send(iteration, corruption);
      this.#out.advance();
      this.#into.advance();
    }
    return iterations;
  }

  #send(iteration: number, corruption: Corruption | undefined): void {
    const { rank } = world;
    const out = this.#out.now;
    out.fill({ source: rank, dest: this.#peer, iteration });
    out.corrupt(corruption, rank, iteration);
    world.send(out.data, this.#peer, TAG);
  }

  #receive(iteration: number): void {
    const into = this.#into.now;
    world.recv(into.data, this.#peer, TAG);
    into.verify({ source: this.#peer, dest: world.rank, iteration });
  }
}

/** Ranks 0 and 1. */
export class PingPong extends PairsInTurns {
  constructor(bytes: number, memory: Memory) {
    super(bytes, memory, 1);
  }
}

/** All ranks, the lower half with the upper half. */
export class MultiPair extends PairsInTurns {
  constructor(bytes: number, memory: Memory) {
    super(bytes, memory, world.size / 2);
  }
}
