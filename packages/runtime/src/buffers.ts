import { types } from 'node:util';
import {
  type BufferLike,
  Items,
  type MessageBuffer,
  MpiError,
  type TypedArray,
} from '@onecopy/engine';
import { isFreed } from './alloc.ts';
import { show, wrongDatatype } from './arguments.ts';
import {
  BasicDatatype,
  type Datatype,
  type DatatypeArgument,
  datatypeOf,
  datatypeOfBuffer,
  FLOAT16,
} from './datatypes.ts';

/** A buffer of which only the beginning counts, or whose elements are not what its class says. */
export interface DescribedBuffer {
  readonly data: BufferLike;
  /** Number of elements or items of `datatype`, from the first byte of `data` on; default: as many as there are. */
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
 * What the engine is to send or receive for a buffer argument: a view, or items of a datatype that lie in one. The
 * engine checks the view itself, since only it sees at which moment a buffer is detached.
 *
 * @param call for messages, as is `role`: 'send buffer', 'receive buffer'
 */
export function resolveBuffer(call: string, role: string, argument: unknown): MessageBuffer {
  if (isBufferLike(argument) || argument instanceof Items) return argument;
  if (typeof argument !== 'object' || argument === null || !('data' in argument)) {
    return wrongBuffer(call, role, argument);
  }
  const { data, count, datatype } = argument as { [K in keyof DescribedBuffer]: unknown };
  if (!isBufferLike(data)) return wrongBuffer(call, `data of the ${role}`, data);
  if (count === undefined && datatype === undefined) return data;
  const type = datatype === undefined ? elementType(call, role, data) : datatypeOf(datatype);
  if (type === undefined) return wrongDatatype(call, datatype);
  return type instanceof BasicDatatype && type.isPlain
    ? viewOf(call, role, data, count, type)
    : itemsOf(call, role, data, count, type);
}

/** The same where only a row of elements of a typed array will do. */
export function resolveView(call: string, role: string, argument: unknown): BufferLike {
  const buffer = resolveBuffer(call, role, argument);
  const items = buffer instanceof Items ? buffer : undefined;
  if (items === undefined && datatypeOfBuffer(buffer as BufferLike)?.code !== FLOAT16.code)
    return buffer as BufferLike;
  throw new MpiError(
    'ERR_TYPE',
    `${call}: the ${role} holds ${items?.layout.name ?? FLOAT16} elements, which only point-to-point calls take. ` +
      'Pack them first, with pack(), or pass their bytes as a Uint8Array',
  );
}

/** Any buffer as items of a datatype, as packing takes them. */
export function resolveItems(call: string, role: string, argument: unknown): Items {
  const buffer = resolveBuffer(call, role, argument);
  if (buffer instanceof Items) return buffer;
  const type = elementType(call, role, buffer);
  return itemsOf(call, role, buffer, undefined, type);
}

function wrongBuffer(call: string, role: string, value: unknown): never {
  throw new MpiError(
    'ERR_BUFFER',
    `${call}: the ${role} must be a typed array, Buffer, DataView, ArrayBuffer or ` +
      `SharedArrayBuffer, or { data, count, datatype } around one, not ${show(value)}`,
  );
}

/** The element type of a buffer. */
export function elementType(call: string, role: string, buffer: BufferLike): BasicDatatype {
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
  type: BasicDatatype,
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

/** Items of a datatype from the first byte of a buffer on. All of their data must lie in it. */
function itemsOf(
  call: string,
  role: string,
  data: BufferLike,
  count: unknown,
  type: Datatype,
): Items {
  const { byteLength } = extent(call, role, data);
  const items =
    count === undefined ? itemsThatFit(type, byteLength) : checkCount(call, role, count);
  if (items === 0 && count === undefined && byteLength > 0) {
    throw new MpiError(
      'ERR_COUNT',
      `${call}: the ${role} has ${byteLength} bytes, in which no item of ${type} fits, which needs ` +
        `bytes ${type.trueLb} to ${type.trueLb + type.trueExtent}`,
    );
  }
  if (items > 0 && type.size > 0) {
    const reach = (items - 1) * type.extent;
    const low = type.trueLb + Math.min(reach, 0);
    const high = type.trueLb + type.trueExtent + Math.max(reach, 0);
    if (low < 0 || high > byteLength) {
      throw new MpiError(
        'ERR_COUNT',
        `${call}: ${items} ${items === 1 ? 'item' : 'items'} of ${type} reach from byte ${low} to byte ${high}, ` +
          `but the data of the ${role} are bytes 0 to ${byteLength}`,
      );
    }
    if (!Number.isSafeInteger(items * type.size)) {
      throw new MpiError(
        'ERR_COUNT',
        `${call}: ${items} items of ${type} are more than 2^53 bytes`,
      );
    }
  }
  return new Items(data, type.layout, items, type.code);
}

/** As many as there are from the first byte on; one, where they do not move on. */
function itemsThatFit({ trueLb, trueExtent, extent: step, size }: Datatype, bytes: number): number {
  const end = trueLb + trueExtent;
  if (size === 0 || trueLb < 0 || end > bytes) return 0;
  return step > 0 ? Math.floor((bytes - end) / step) + 1 : 1;
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
  type: BasicDatatype,
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
export function checkMemory(call: string, role: string, buffer: MessageBuffer): void {
  const data = buffer instanceof Items ? buffer.data : buffer;
  const { buffer: memory } = extent(call, role, data);
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

/** The length of the message. */
export function bytesIn(buffer: MessageBuffer): number {
  return buffer instanceof Items ? buffer.bytes : buffer.byteLength;
}

/** Of the same class or type, with memory of its own. */
export function copyOf(buffer: MessageBuffer): MessageBuffer {
  if (!(buffer instanceof Items)) return copyOfView(buffer);
  const { data, layout, count, type } = buffer;
  return new Items(copyOfView(data), layout, count, type);
}

function copyOfView(buffer: BufferLike): BufferLike {
  if (!ArrayBuffer.isView(buffer)) return new Uint8Array(buffer).slice();
  if (buffer instanceof DataView || Buffer.isBuffer(buffer)) {
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength).slice();
  }
  return (buffer as TypedArray).slice();
}
