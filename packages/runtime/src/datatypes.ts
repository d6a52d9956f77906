import {
  type BufferLike,
  DATATYPES,
  type DatatypeName,
  datatypeOfClass,
  type TypedArray,
  type TypedArrayClass,
} from '@onecopy/engine';

/** An element type (MPI-4.1 section 3.2.2). */
export class Datatype {
  readonly name: DatatypeName;
  /** As it travels in envelopes. */
  readonly code: number;
  /** Size of one element. */
  readonly bytes: number;
  /** The typed array that shows elements of this type. */
  readonly arrayClass: TypedArrayClass;

  /** @internal */
  constructor(name: DatatypeName, arrayClass: TypedArrayClass) {
    this.name = name;
    this.code = DATATYPES[name].code;
    this.bytes = DATATYPES[name].bytes;
    this.arrayClass = arrayClass;
  }

  toString(): string {
    return this.name;
  }
}

/** Uninterpreted bytes: Uint8Array, Buffer, DataView, ArrayBuffer, SharedArrayBuffer. Matches every other type. */
export const BYTE: Datatype = new Datatype('BYTE', Uint8Array);
/** Int8Array. */
export const INT8_T: Datatype = new Datatype('INT8_T', Int8Array);
/** Uint8ClampedArray. */
export const UINT8_CLAMPED: Datatype = new Datatype('UINT8_CLAMPED', Uint8ClampedArray);
/** Int16Array. */
export const INT16_T: Datatype = new Datatype('INT16_T', Int16Array);
/** Uint16Array. */
export const UINT16_T: Datatype = new Datatype('UINT16_T', Uint16Array);
/** Int32Array. */
export const INT32_T: Datatype = new Datatype('INT32_T', Int32Array);
/** Uint32Array. */
export const UINT32_T: Datatype = new Datatype('UINT32_T', Uint32Array);
/** BigInt64Array. */
export const INT64_T: Datatype = new Datatype('INT64_T', BigInt64Array);
/** BigUint64Array. */
export const UINT64_T: Datatype = new Datatype('UINT64_T', BigUint64Array);
/** Float32Array. */
export const FLOAT: Datatype = new Datatype('FLOAT', Float32Array);
/** Float64Array. */
export const DOUBLE: Datatype = new Datatype('DOUBLE', Float64Array);

const ALL: readonly Datatype[] = [
  BYTE,
  INT8_T,
  UINT8_CLAMPED,
  INT16_T,
  UINT16_T,
  INT32_T,
  UINT32_T,
  INT64_T,
  UINT64_T,
  FLOAT,
  DOUBLE,
];

// The getter that all typed arrays inherit: a subclass such as Buffer has its parent's tag, and no lie gets past it.
const viewTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;

const BY_CODE: readonly Datatype[] = [...ALL].sort((a, b) => a.code - b.code);
const NAME_BY_CODE: readonly DatatypeName[] = BY_CODE.map(({ name }) => name);
const BY_NAME: ReadonlyMap<unknown, Datatype> = new Map(ALL.map((type) => [type.name, type]));
const BY_VIEW_TAG: ReadonlyMap<string | undefined, Datatype> = new Map(
  ALL.map((type) => [viewTag.call(new type.arrayClass(0)), type]),
);

/** A datatype, or its name. */
export type DatatypeArgument = Datatype | DatatypeName;

export function datatypeOfCode(code: number): Datatype | undefined {
  return BY_CODE[code];
}

/** The name of an element type that was received; of an unknown one, bytes are bytes. */
export function datatypeNameOf(code: number): DatatypeName {
  return NAME_BY_CODE[code] ?? BYTE.name;
}

/** What a user means by a datatype, its name, or a typed-array class; undefined if it is none of them. */
export function datatypeOf(argument: unknown): Datatype | undefined {
  if (argument instanceof Datatype) return argument;
  return BY_NAME.get(typeof argument === 'function' ? datatypeOfClass(argument) : argument);
}

/** The element type of a buffer; undefined for a typed array that has none (a Float16Array). */
export function datatypeOfBuffer(buffer: BufferLike): Datatype | undefined {
  const tag = viewTag.call(buffer);
  return tag === undefined ? BYTE : BY_VIEW_TAG.get(tag);
}

/** What a call that allocates its result gives for a typed array: the same class; a Buffer gives a Uint8Array. */
export type Fresh<T extends TypedArray> = T extends Float64Array
  ? Float64Array<ArrayBuffer>
  : T extends Float32Array
    ? Float32Array<ArrayBuffer>
    : T extends Int32Array
      ? Int32Array<ArrayBuffer>
      : T extends Uint32Array
        ? Uint32Array<ArrayBuffer>
        : T extends BigInt64Array
          ? BigInt64Array<ArrayBuffer>
          : T extends BigUint64Array
            ? BigUint64Array<ArrayBuffer>
            : T extends Int16Array
              ? Int16Array<ArrayBuffer>
              : T extends Uint16Array
                ? Uint16Array<ArrayBuffer>
                : T extends Int8Array
                  ? Int8Array<ArrayBuffer>
                  : T extends Uint8ClampedArray
                    ? Uint8ClampedArray<ArrayBuffer>
                    : T extends Uint8Array
                      ? Uint8Array<ArrayBuffer>
                      : never;
