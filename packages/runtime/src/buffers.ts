import { types } from 'node:util';
import { type BufferLike, MpiError, type TypedArray } from '@onecopy/engine';
import { isFreed } from './alloc.ts';
import { show, wrongDatatype } from './arguments.ts';
import { type Datatype, type DatatypeArgument, datatypeOf, datatypeOfBuffer } from './datatypes.ts';

/** A buffer of which only the beginning counts, or whose elements are not what its class says. */
export interface DescribedBuffer {
  readonly data: BufferLike;
  /** Number of elements of `datatype`, from the beginning of `data`; default: all. */
  readonly count?: number | undefined;
  /** Default: what the class of `data` says; bytes for a Buffer, DataView, ArrayBuffer or SharedArrayBuffer. */
  readonly datatype?: DatatypeArgument | undefined;
}

/** What a call can send from or receive into. */
export type BufferArgument = BufferLike | DescribedBuffer;

export function isBufferLike(value: unknown): value is BufferLike {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value);
}

/**
 * The view that a buffer argument means. The engine checks the view itself, since only it sees at which moment a
 * buffer is detached.
 *
 * @param call for messages, as is `role`: 'send buffer', 'receive buffer'
 */
export function resolveBuffer(call: string, role: string, argument: unknown): BufferLike {
  if (isBufferLike(argument)) return argument;
  if (typeof argument !== 'object' || argument === null || !('data' in argument)) {
    return wrongBuffer(call, role, argument);
  }
  const { data, count, datatype } = argument as { [K in keyof DescribedBuffer]: unknown };
  if (!isBufferLike(data)) return wrongBuffer(call, `data of the ${role}`, data);
  if (count === undefined && datatype === undefined) return data;
  const type = datatype === undefined ? elementType(call, role, data) : datatypeOf(datatype);
  return viewOf(call, role, data, count, type ?? wrongDatatype(call, datatype));
}

function wrongBuffer(call: string, role: string, value: unknown): never {
  throw new MpiError(
    'ERR_BUFFER',
    `${call}: the ${role} must be a typed array, Buffer, DataView, ArrayBuffer or ` +
      `SharedArrayBuffer, or { data, count, datatype } around one, not ${show(value)}`,
  );
}

/** The element type of a buffer. */
export function elementType(call: string, role: string, buffer: BufferLike): Datatype {
  const type = datatypeOfBuffer(buffer);
  if (type !== undefined) return type;
  throw new MpiError(
    'ERR_TYPE',
    `${call}: the ${role} is ${show(buffer)}, whose elements have no datatype. ` +
      'Send its bytes: new Uint8Array(x.buffer, x.byteOffset, x.byteLength)',
  );
}

function viewOf(
  call: string,
  role: string,
  data: BufferLike,
  count: unknown,
  type: Datatype,
): TypedArray {
  const { buffer, byteOffset, byteLength } = extent(call, role, data);
  const available = byteLength / type.bytes;
  if (count === undefined && !Number.isInteger(available)) {
    throw new MpiError(
      'ERR_COUNT',
      `${call}: the ${role} has ${byteLength} bytes, not a whole number of ${type.name} elements ` +
        `(${type.bytes} bytes each). Give a count, of at most ${Math.floor(available)}`,
    );
  }
  const elements = count === undefined ? available : checkCount(call, role, count);
  if (elements > available) {
    throw new MpiError(
      'ERR_COUNT',
      `${call}: ${elements} ${type.name} elements are ${elements * type.bytes} bytes, but the data ` +
        `of the ${role} has ${byteLength}`,
    );
  }
  return typedView(call, role, type, buffer, byteOffset, elements);
}

function checkCount(call: string, role: string, count: unknown): number {
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count;
  throw new MpiError(
    'ERR_COUNT',
    `${call}: the count of the ${role} must be a whole number of elements, 0 or more, ` +
      `not ${show(count)}`,
  );
}

interface Extent {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** Where the bytes of a buffer lie. */
export function extent(call: string, role: string, data: BufferLike): Extent {
  if (isFreed(data)) return freed(call, role);
  if (!ArrayBuffer.isView(data)) {
    return { buffer: data, byteOffset: 0, byteLength: data.byteLength };
  }
  try {
    return { buffer: data.buffer, byteOffset: data.byteOffset, byteLength: data.byteLength };
  } catch {
    // A DataView throws where a typed array says 0.
    return detached(call, role);
  }
}

/** A typed array over part of a buffer. */
export function typedView(
  call: string,
  role: string,
  type: Datatype,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): TypedArray {
  if (byteOffset % type.bytes !== 0) {
    throw new MpiError(
      'ERR_BUFFER',
      `${call}: the ${role} begins at byte ${byteOffset} of its ArrayBuffer, and ${type.name} ` +
        `elements need a multiple of ${type.bytes}. Copy it into an array of its own first`,
    );
  }
  try {
    return new type.arrayClass(buffer, byteOffset, length);
  } catch {
    // Offset and length were checked, so the only thing left to be wrong is that the memory is gone.
    return detached(call, role);
  }
}

function freed(call: string, role: string): never {
  throw new MpiError(
    'ERR_FREED',
    `${call}: the ${role} was freed, by its [Symbol.dispose](). Dispose of an array after its last use, ` +
      'or alloc another',
  );
}

function detached(call: string, role: string): never {
  throw new MpiError(
    'ERR_DETACHED',
    `${call}: the ${role} was transferred away (postMessage or structuredClone with transfer) and ` +
      'has no memory any more. Use it before it is transferred, or send a copy',
  );
}

/**
 * Refuses memory that an operation which outlives its call could not work on, before anything is started; the engine
 * would find it only when something else has begun.
 */
export function checkMemory(call: string, role: string, buffer: BufferLike): void {
  const { buffer: memory } = extent(call, role, buffer);
  const { resizable, growable } = memory as { resizable?: boolean; growable?: boolean };
  if (resizable === true || growable === true) {
    throw new MpiError(
      'ERR_RESIZABLE',
      `${call}: the ${role} can be resized while the operation is pending. Use a buffer of fixed length`,
    );
  }
  if (memory.byteLength > 0) return;
  // Empty, or gone.
  try {
    new Uint8Array(memory);
  } catch {
    detached(call, role);
  }
}

/** Of the same class, with memory of its own. */
export function copyOf(buffer: BufferLike): BufferLike {
  if (!ArrayBuffer.isView(buffer)) return new Uint8Array(buffer).slice();
  if (buffer instanceof DataView || Buffer.isBuffer(buffer)) {
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).slice();
  }
  return (buffer as TypedArray).slice();
}
