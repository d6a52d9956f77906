/** Values as msgpackr writes them. */
// Not 'msgpackr' itself, which loads a native decoder.
import { Packr } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';
import { dataCloneError } from './survey.ts';

// Structured clone keeps cycles, Map, Set, Date, Error, RegExp and typed arrays. It knows no toJSON. What is received
// must not lie in the memory that the message was received into.
const options = { structuredClone: true, moreTypes: true, useToJSON: false, copyBuffers: true };
const packr = new Packr(options);
// Not the packr, which would keep what corrupt bytes have taught it.
const unpackr = new Unpackr(options);
// Asked for by msgpackr wherever it meets a function; without it, it would put undefined in its place.
Object.assign(packr, { writeFunction: refuse });

/** Good until the next call: the packer uses its memory again. */
export function pack(value: unknown): Uint8Array {
  return packr.pack(value);
}

/** @throws Error if the bytes are not what `pack` writes */
export function unpack(bytes: Uint8Array): unknown {
  return unpackr.unpack(bytes);
}

function refuse(value: unknown): never {
  throw dataCloneError(String(value));
}
