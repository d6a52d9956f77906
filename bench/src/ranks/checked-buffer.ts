import type { Corruption } from '../protocol.ts';
import { pageAligned } from './page-aligned.ts';
import { fill, type Message, verify } from './pattern.ts';

export const GUARD_BYTES = 64;
const GUARD = 0xa5;

/** A message was not what had been sent. */
export class CheckFailure extends Error {
  override name = 'CheckFailure';
}

/** Page-aligned blocks of equal size, with a guard behind the last that no receive may touch. */
export class CheckedBuffer {
  /** All blocks, without the guard. */
  readonly data: Uint8Array;
  readonly #blocks: readonly Uint8Array[];
  readonly #guard: Uint8Array;

  /** `memory` has room for the blocks and GUARD_BYTES. */
  constructor(
    blockBytes: number,
    blocks = 1,
    memory: Uint8Array = pageAligned(blockBytes * blocks + GUARD_BYTES),
  ) {
    const bytes = blockBytes * blocks;
    const all = memory.subarray(0, bytes + GUARD_BYTES);
    // Every page is written once, or the first pass would pay for them.
    all.fill(0);
    this.data = all.subarray(0, bytes);
    this.#blocks = Array.from({ length: blocks }, (_, index) =>
      all.subarray(index * blockBytes, (index + 1) * blockBytes),
    );
    this.#guard = all.subarray(bytes).fill(GUARD);
  }

  fill(message: Message, block = 0): void {
    fill(this.#blocks[block]!, message);
  }

  /** Does nothing to other ranks' buffers, in other iterations and where there is no such byte. */
  corrupt(corruption: Corruption | undefined, rank: number, iteration: number): void {
    if (corruption?.rank !== rank || corruption.iteration !== iteration) return;
    const { offset } = corruption;
    if (offset < this.data.length) this.data[offset]! ^= 0xff;
  }

  /** Throws a CheckFailure that names the first wrong byte, and who found it. */
  verify(message: Message, block = 0, reader: number = message.dest): void {
    const { source, iteration } = message;
    const bytes = this.#blocks[block]!.length;
    const what = `rank ${reader}, message of ${bytes} bytes from rank ${source}, iteration ${iteration}`;
    const mismatch = verify(this.#blocks[block]!, message);
    if (mismatch) {
      const { offset, expected, got } = mismatch;
      throw new CheckFailure(
        `${what}: byte ${offset} should be ${hex(expected)} and is ${hex(got)}`,
      );
    }
    this.verifyGuard(what);
  }

  /** Throws a CheckFailure when something was written beyond the last block; `what` was to be written before it. */
  verifyGuard(what: string): void {
    const touched = this.#guard.findIndex((byte) => byte !== GUARD);
    if (touched >= 0) {
      throw new CheckFailure(`${what}: byte ${touched} after the end of the buffer was written`);
    }
  }
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
