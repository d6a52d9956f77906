/** Values as msgpackr writes them. */
// Not 'msgpackr' itself, which loads a native decoder.
import { Packr } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';
import { dataCloneError } from './survey.ts';

// More types are Set, Date, Error, RegExp and typed arrays. Structured clone knows no toJSON. What is received must not
// lie in the memory that the message was received into. Strings are written together, since JavaScript decodes one
// long string five times as fast as ten thousand short ones.
const options = { moreTypes: true, useToJSON: false, copyBuffers: true, bundleStrings: true };

/** Keeps identity and cycles, at half as much time again. */
const keeper = new Packr({ ...options, structuredClone: true });
const packr = new Packr(options);
// Asked for by msgpackr wherever it meets a function; without it, it would put undefined in its place.
for (const each of [keeper, packr]) Object.assign(each, { writeFunction: refuse });
// Not one of them, which would keep what corrupt bytes have taught it.
const unpackr = new Unpackr({ ...options, structuredClone: true });

/**
 * Good until the next call: the packer uses its memory again.
 *
 * @param shared whether some object of the value is referred to more than once
 */
export function pack(value: unknown, shared: boolean): Uint8Array {
  return (shared ? keeper : packr).pack(value);
}

/** @throws Error if the bytes are not what `pack` writes */
export function unpack(bytes: Uint8Array): unknown {
  return unpackr.unpack(bytes);
}

function refuse(value: unknown): never {
  throw dataCloneError(String(value));
}
