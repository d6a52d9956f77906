/** How values become bytes. */
// Not 'msgpackr' itself, which loads a native decoder.
import { Packr } from 'msgpackr/pack';

// Structured clone keeps cycles, Map, Set, Date, Error, RegExp and typed arrays.
const packr = new Packr({ structuredClone: true, moreTypes: true });
// Asked for by msgpackr wherever it meets a function; without it, it would put undefined in its place.
Object.assign(packr, { writeFunction: refuse });

/** Throws a DataCloneError for what cannot be cloned, where msgpackr would drop it silently. */
export function encode(value: unknown): Uint8Array {
  refuseUncloneable(value);
  // A copy: the packer's own buffer is used again for the next value.
  return Uint8Array.from(packr.pack(value));
}

export function decode(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}

function refuseUncloneable(value: unknown): void {
  if (typeof value === 'function' || typeof value === 'symbol') refuse(value);
}

function refuse(value: unknown): never {
  throw new DOMException(`${String(value)} could not be cloned.`, 'DataCloneError');
}
