import { type BufferLike, MpiError, type TypedArray } from '@onecopy/engine';
import { exchange } from '../blocking.ts';
import { elementType, extent, typedView } from '../buffers.ts';
import { BYTE, type Datatype } from '../datatypes.ts';
import type { Site } from './site.ts';

const TAG = 1;

/** After these nothing that follows can succeed, and nobody waits for it any more. */
const FINAL: ReadonlySet<string> = new Set(['ERR_ABORTED', 'ERR_FINALIZED']);

/** A buffer seen as one block of equal length for each rank. */
class Blocks {
  readonly type: Datatype;
  /** Elements of one block. */
  readonly length: number;
  readonly #role: string;
  readonly #buffer: ArrayBufferLike;
  readonly #byteOffset: number;

  constructor(data: BufferLike, role: string, ranks: number) {
    const { buffer, byteOffset, byteLength } = extent('alltoall', role, data);
    this.type = elementType('alltoall', role, data);
    const elements = byteLength / this.type.bytes;
    if (elements % ranks !== 0) {
      throw new MpiError(
        'ERR_COUNT',
        `alltoall: the ${role} has ${elements} elements, which cannot be shared out evenly among ` +
          `${ranks} ranks. Its length must be a multiple of ${ranks}`,
      );
    }
    this.length = elements / ranks;
    this.#role = role;
    this.#buffer = buffer;
    this.#byteOffset = byteOffset;
    // Once at the beginning, so that a buffer without memory is refused before anything is sent.
    this.of(0);
  }

  get bytes(): number {
    return this.length * this.type.bytes;
  }

  of(rank: number): TypedArray {
    const at = this.#byteOffset + rank * this.bytes;
    return typedView('alltoall', this.#role, this.type, this.#buffer, at, this.length);
  }
}

/** Writes block `r` of every rank's `send`, for r = this rank, into `recv` in the order of ranks. */
export function alltoall(site: Site, send: BufferLike, recv: BufferLike): void {
  const { size } = site.group;
  const from = new Blocks(send, 'send buffer', size);
  const into = new Blocks(recv, 'receive buffer', size);
  checkFit(from, into);
  exchangeBlocks(site, from, into);
}

/** The same into a new array of the send buffer's class; a Buffer gives a Uint8Array. */
export function alltoallNew(site: Site, send: BufferLike): TypedArray {
  const from = new Blocks(send, 'send buffer', site.group.size);
  const recv = new from.type.arrayClass(from.length * site.group.size);
  exchangeBlocks(site, from, new Blocks(recv, 'receive buffer', site.group.size));
  return recv;
}

/** What a rank sends to itself must fit, and all other blocks have the same length and type. */
function checkFit(from: Blocks, into: Blocks): void {
  if (from.type !== into.type && from.type !== BYTE && into.type !== BYTE) {
    throw new MpiError(
      'ERR_TYPE',
      `alltoall: the send buffer holds ${from.type} elements and the receive buffer ${into.type}. ` +
        'They must be the same, unless one of them is bytes (Uint8Array, Buffer)',
    );
  }
  if (from.bytes !== into.bytes) {
    throw new MpiError(
      'ERR_COUNT',
      `alltoall: the send buffer has ${from.bytes} bytes for each rank and the receive buffer ` +
        `${into.bytes}. They must be equal`,
    );
  }
}

/**
 * Pairwise exchange: in step s every rank sends to the one s above and receives from the one s below. Each begins at
 * another peer, so that no rank is everybody's target at the same time.
 */
function exchangeBlocks({ engine, group, context }: Site, from: Blocks, into: Blocks): void {
  const { rank, size } = group;
  copyOwn(from.of(rank), into.of(rank));
  let failure: unknown;
  for (let step = 1; step < size; step++) {
    const above = (rank + step) % size;
    const below = (rank - step + size) % size;
    try {
      exchange(
        engine,
        context,
        { buffer: from.of(above), peer: group.toWorld(above), tag: TAG },
        { buffer: into.of(below), peer: group.toWorld(below), tag: TAG },
      );
    } catch (error) {
      // The other pairs get what they wait for all the same, so that the communicator stays usable.
      failure ??= error;
      if (error instanceof MpiError && FINAL.has(error.code)) break;
    }
  }
  if (failure !== undefined) throw failure;
}

function copyOwn(from: TypedArray, into: TypedArray): void {
  const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
  bytes.set(new Uint8Array(from.buffer, from.byteOffset, from.byteLength));
}
