/** Views of memory that travels by itself, apart from the value that they belong to. */
import type { Memory } from './survey.ts';

/**
 * Shorter memory is copied into the encoded value. Microseconds to encode an object with one array, copy it once and decode
 * it, with the array in the value and beside it: 4 KiB 6.0 and 7.2, 8 KiB 8.6 and 8.4, 16 KiB 11 and 7.4, 64 KiB 37 and 17
 * (the best of 60, Node 20, Xeon, a busy machine).
 */
export const LEAST_ATTACHED = 8192;

/** A piece of memory that is sent from where it lies. */
export interface Region {
  readonly buffer: ArrayBuffer;
  readonly start: number;
  readonly bytes: number;
}

/** A view, as it is described to the receiver: attachment, class, first byte, length in elements. */
export type Description = [part: number, type: string, offset: number, length: number];

const WHOLE = 'ArrayBuffer';

interface ViewClass {
  readonly BYTES_PER_ELEMENT?: number;
  readonly prototype: object;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): NodeJS.ArrayBufferView;
}

const CLASSES: ReadonlyMap<string, ViewClass> = new Map(
  [
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
    'BigInt64Array',
    'BigUint64Array',
    // From Node 24 on.
    'Float16Array',
    'Float32Array',
    'Float64Array',
    'DataView',
  ].flatMap((name) => {
    const viewClass = (globalThis as unknown as Record<string, ViewClass | undefined>)[name];
    return viewClass === undefined ? [] : [[name, viewClass] as const];
  }),
);

/** The getter of %TypedArray%.prototype[@@toStringTag]: no object can pretend to it what it is not. */
const nameOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;

/** Whether msgpackr gives the receiver the same: one array, small, and nobody else looks at its memory. */
export function fitsInValue(buffer: ArrayBuffer, memory: Memory): boolean {
  if (memory.views.size + (memory.whole ? 1 : 0) > 1) return false;
  const [view] = memory.views;
  if (view === undefined) return buffer.byteLength < LEAST_ATTACHED;
  if (view.byteLength >= LEAST_ATTACHED) return false;
  const name = nameOf.call(view);
  const prototype: unknown = Object.getPrototypeOf(view);
  if (prototype === Buffer.prototype) return true;
  return name !== 'Float16Array' && prototype === CLASSES.get(name ?? 'DataView')?.prototype;
}

/**
 * The memory that views of one ArrayBuffer cover: all of it only if the ArrayBuffer itself is a part of the value. What
 * else lies there is nobody's business; a Buffer mostly shares its memory with others.
 */
export function regionOf(buffer: ArrayBuffer, memory: Memory): Region {
  if (memory.whole) return { buffer, start: 0, bytes: buffer.byteLength };
  let start = Number.POSITIVE_INFINITY;
  let end = 0;
  let unit = 1;
  for (const view of memory.views) {
    start = Math.min(start, view.byteOffset);
    end = Math.max(end, view.byteOffset + view.byteLength);
    unit = Math.max(unit, elementBytes(view));
  }
  // Offsets must stay multiples of what they are multiples of.
  start -= start % unit;
  return { buffer, start, bytes: end - start };
}

/** The bytes as they will be sent. What could be resized meanwhile is copied. */
export function bytesOf({ buffer, start, bytes }: Region): Uint8Array {
  const changes = (buffer as { resizable?: boolean }).resizable === true;
  return changes
    ? new Uint8Array(buffer.slice(start, start + bytes))
    : new Uint8Array(buffer, start, bytes);
}

export function describeBuffer(part: number): Description {
  return [part, WHOLE, 0, 0];
}

export function describeView(
  view: NodeJS.ArrayBufferView,
  part: number,
  region: Region,
): Description {
  const offset = view.byteOffset - region.start;
  return [part, nameOf.call(view) ?? 'DataView', offset, view.byteLength / elementBytes(view)];
}

/** @throws Error if it is no description of a view of these */
export function viewFrom(description: unknown, parts: readonly ArrayBuffer[]): object {
  if (!Array.isArray(description)) throw new Error('a description of a view is none');
  const [part, type, offset, length] = description as readonly unknown[];
  const buffer = typeof part === 'number' ? parts[part] : undefined;
  if (buffer === undefined) throw new Error('a view is of memory that did not come');
  if (type === WHOLE) return buffer;
  const viewClass = typeof type === 'string' ? CLASSES.get(type) : undefined;
  if (viewClass === undefined)
    throw new Error(`this version of Node.js has no class ${String(type)}`);
  if (typeof offset !== 'number' || typeof length !== 'number') {
    throw new Error('a view has neither beginning nor length');
  }
  return new viewClass(buffer, offset, length);
}

function elementBytes(view: NodeJS.ArrayBufferView): number {
  return nameOf.call(view) === undefined ? 1 : (view as NodeJS.TypedArray).BYTES_PER_ELEMENT;
}
