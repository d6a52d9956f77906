import {
  type BufferLike,
  DATATYPES,
  type DatatypeName,
  datatypeOfClass,
  FLOAT16_CLASS,
  type TypedArray,
  type TypedArrayClass,
} from '@onecopy/engine';
import { type BasicDatatypeName, Datatype, findBasicTypesBy } from './datatype.ts';
import { basic } from './layouts/shape.ts';

export {
  type BasicDatatypeName,
  Datatype,
  type DatatypeArgument,
  type SubarrayOptions,
} from './datatype.ts';

/** How a basic type that is not one number lies in memory: its fields in bytes, and where they begin. */
interface Structure {
  readonly fields: readonly number[];
  readonly offsets: readonly number[];
}

/** A type of elements that messages are made of (MPI-4.1 section 3.2.2). */
export class BasicDatatype extends Datatype {
  declare readonly name: BasicDatatypeName;
  /** Bytes of one element in memory, with the gaps of a structure. */
  readonly bytes: number;
  /** The typed array that shows elements of this type, or the numbers that they consist of. */
  readonly arrayClass: TypedArrayClass;

  /** @internal */
  constructor(
    name: BasicDatatypeName,
    arrayClass: TypedArrayClass,
    alignment?: number,
    structure?: Structure,
  ) {
    const { code, bytes } = DATATYPES[name];
    const { fields, offsets } = structure ?? { fields: [bytes], offsets: [0] };
    super(name, { ...basic(code, fields, offsets, bytes), alignment: alignment ?? bytes });
    this.bytes = bytes;
    this.arrayClass = arrayClass;
  }

  /** Each element is one element of `arrayClass`, and arrays of that class have this type. */
  get isPlain(): boolean {
    return datatypeOfClass(this.arrayClass) === this.name;
  }
}

/** Uninterpreted bytes: Uint8Array, Buffer, DataView, ArrayBuffer, SharedArrayBuffer. Matches every other type. */
export const BYTE: BasicDatatype = new BasicDatatype('BYTE', Uint8Array);
/** Int8Array. */
export const INT8_T: BasicDatatype = new BasicDatatype('INT8_T', Int8Array);
/** Uint8ClampedArray. */
export const UINT8_CLAMPED: BasicDatatype = new BasicDatatype('UINT8_CLAMPED', Uint8ClampedArray);
/** Int16Array. */
export const INT16_T: BasicDatatype = new BasicDatatype('INT16_T', Int16Array);
/** Uint16Array. */
export const UINT16_T: BasicDatatype = new BasicDatatype('UINT16_T', Uint16Array);
/** Int32Array. */
export const INT32_T: BasicDatatype = new BasicDatatype('INT32_T', Int32Array);
/** Uint32Array. */
export const UINT32_T: BasicDatatype = new BasicDatatype('UINT32_T', Uint32Array);
/** BigInt64Array. */
export const INT64_T: BasicDatatype = new BasicDatatype('INT64_T', BigInt64Array);
/** BigUint64Array. */
export const UINT64_T: BasicDatatype = new BasicDatatype('UINT64_T', BigUint64Array);
/** Float32Array. */
export const FLOAT: BasicDatatype = new BasicDatatype('FLOAT', Float32Array);
/** Float64Array. */
export const DOUBLE: BasicDatatype = new BasicDatatype('DOUBLE', Float64Array);

/**
 * IEEE binary16, over a Uint16Array of its bits; also what a Float16Array holds, where Node has it (from 24 on).
 */
export const FLOAT16: BasicDatatype = new BasicDatatype('FLOAT16', FLOAT16_CLASS ?? Uint16Array);
/** The upper half of a float32, over a Uint16Array of its bits. */
export const BFLOAT16: BasicDatatype = new BasicDatatype('BFLOAT16', Uint16Array);
/** Two float32, real and imaginary part, over a Float32Array. */
export const COMPLEX: BasicDatatype = new BasicDatatype('COMPLEX', Float32Array, 4);
/** Two float64, real and imaginary part, over a Float64Array. */
export const DOUBLE_COMPLEX: BasicDatatype = new BasicDatatype('DOUBLE_COMPLEX', Float64Array, 8);

/** `struct { float; int32_t; }`: 8 bytes (MPI-4.1 section 6.9.4, as are those that follow). */
export const FLOAT_INT: BasicDatatype = pair('FLOAT_INT', 4, 4);
/** `struct { double; int32_t; }`: 12 bytes of data in 16 of memory, the number at byte 8. */
export const DOUBLE_INT: BasicDatatype = pair('DOUBLE_INT', 8, 8);
/** `struct { int64_t; int32_t; }`: 12 bytes of data in 16 of memory, the second at byte 8. */
export const LONG_INT: BasicDatatype = pair('LONG_INT', 8, 8);
/** `struct { int32_t; int32_t; }`: 8 bytes. */
export const TWO_INT: BasicDatatype = pair('TWO_INT', 4, 4);
/** `struct { int16_t; int32_t; }`: 6 bytes of data in 8 of memory, the second at byte 4. */
export const SHORT_INT: BasicDatatype = pair('SHORT_INT', 2, 4);

function pair(name: BasicDatatypeName, first: number, alignment: number): BasicDatatype {
  const offsets = [0, Math.max(first, 4)];
  return new BasicDatatype(name, Uint8Array, alignment, { fields: [first, 4], offsets });
}

const ALL: readonly BasicDatatype[] = [
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
  FLOAT16,
  BFLOAT16,
  COMPLEX,
  DOUBLE_COMPLEX,
  FLOAT_INT,
  DOUBLE_INT,
  LONG_INT,
  TWO_INT,
  SHORT_INT,
];

// The getter that all typed arrays inherit: a subclass such as Buffer has its parent's tag, and no lie gets past it.
const viewTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;

const BY_CODE: readonly BasicDatatype[] = [...ALL].sort((a, b) => a.code - b.code);
const BY_NAME: ReadonlyMap<unknown, BasicDatatype> = new Map(ALL.map((type) => [type.name, type]));
const BY_VIEW_TAG: ReadonlyMap<string | undefined, BasicDatatype> = new Map(
  ALL.filter(({ isPlain }) => isPlain).map((type) => [viewTag.call(new type.arrayClass(0)), type]),
);

export function datatypeOfCode(code: number): BasicDatatype | undefined {
  return BY_CODE[code];
}

/** The name of an element type that was received; of an unknown one, bytes are bytes. */
export function datatypeNameOf(code: number): DatatypeName {
  if (code === DATATYPES.MIXED.code) return 'MIXED';
  return BY_CODE[code]?.name ?? BYTE.name;
}

/** What a user means by a datatype, its name, or a typed-array class; undefined if it is none of them. */
export function datatypeOf(argument: unknown): Datatype | undefined {
  return argument instanceof Datatype ? argument : basicDatatypeOf(argument);
}

/** The same where it must be a basic one. */
export function basicDatatypeOf(argument: unknown): BasicDatatype | undefined {
  if (argument instanceof BasicDatatype) return argument;
  return BY_NAME.get(typeof argument === 'function' ? datatypeOfClass(argument) : argument);
}

findBasicTypesBy(basicDatatypeOf);

/** The element type of a buffer; undefined for a typed array that has none. */
export function datatypeOfBuffer(buffer: BufferLike): BasicDatatype | undefined {
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
