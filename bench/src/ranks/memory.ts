import * as runtime from '@onecopy/runtime';
import { placeStride, placesFor } from '../off-cache.ts';
import type { Command } from '../protocol.ts';
import { CheckedBuffer, GUARD_BYTES } from './checked-buffer.ts';
import { CheckedNumbers } from './checked-numbers.ts';
import { pageAligned } from './page-aligned.ts';
import { Places } from './places.ts';

/** This onecopy cannot do what was asked for. */
export class Unavailable extends Error {
  override name = 'Unavailable';
}

type Allocate = (bytes: number) => Uint8Array;

const CACHE_LINE = 64;

/** The buffers of one exercise: from where the command says, and one or many of each. */
export class Memory {
  readonly #allocate: Allocate;
  /** Of one buffer; undefined: everything stays in the cache. */
  readonly #areaBytes: number | undefined;
  readonly #areas: Uint8Array[] = [];

  constructor({ buffers, offCacheBytes }: Pick<Command, 'buffers' | 'offCacheBytes'>) {
    this.#allocate = buffers === 'alloc' ? allocOfOnecopy() : pageAligned;
    // An exercise has two buffers at most, one to send from and one to receive into.
    this.#areaBytes = offCacheBytes === undefined ? undefined : offCacheBytes / 2;
  }

  buffers(blockBytes: number, blocks = 1): Places<CheckedBuffer> {
    return this.#places(
      blockBytes * blocks,
      (memory) => new CheckedBuffer(blockBytes, blocks, memory),
    );
  }

  numbers(bytes: number): Places<CheckedNumbers> {
    return this.#places(bytes, (memory) => new CheckedNumbers(bytes, memory));
  }

  /** What lies at the front of each area leaves the caches: everything is read, from front to back. */
  cool(): number {
    let sum = 0;
    for (const area of this.#areas) {
      for (let at = 0; at < area.length; at += CACHE_LINE) sum += area[at]!;
    }
    return sum;
  }

  #places<T>(bytes: number, make: (memory: Uint8Array) => T): Places<T> {
    const room = bytes + GUARD_BYTES;
    if (this.#areaBytes === undefined) return new Places([make(this.#allocate(room))]);
    const stride = placeStride(room);
    const count = placesFor(room, this.#areaBytes);
    const area = this.#allocate(Math.max(count * stride, this.#areaBytes)).fill(0);
    this.#areas.push(area);
    return new Places(
      Array.from({ length: count }, (_, place) => make(area.subarray(place * stride))),
    );
  }
}

function allocOfOnecopy(): Allocate {
  const { alloc } = runtime as {
    alloc?: (type: Uint8ArrayConstructor, length: number) => Uint8Array;
  };
  if (alloc === undefined) {
    throw new Unavailable('--mover heap needs alloc, which this version of onecopy does not have');
  }
  return (bytes) => alloc(Uint8Array, bytes);
}
