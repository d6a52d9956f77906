/**
 * Element types as they travel in envelopes. The native engine has the same table; a test compares the two.
 */
export type DatatypeName =
  | 'BYTE'
  | 'INT8_T'
  | 'UINT8_CLAMPED'
  | 'INT16_T'
  | 'UINT16_T'
  | 'INT32_T'
  | 'UINT32_T'
  | 'INT64_T'
  | 'UINT64_T'
  | 'FLOAT'
  | 'DOUBLE'
  | 'FLOAT16'
  | 'BFLOAT16'
  | 'COMPLEX'
  | 'DOUBLE_COMPLEX'
  | 'FLOAT_INT'
  | 'DOUBLE_INT'
  | 'LONG_INT'
  | 'TWO_INT'
  | 'SHORT_INT'
  | 'MIXED';

/** `bytes`: of one in memory, with the gaps of a structure. */
export const DATATYPES: Readonly<
  Record<DatatypeName, { readonly code: number; readonly bytes: number }>
> = {
  BYTE: { code: 0, bytes: 1 },
  INT8_T: { code: 1, bytes: 1 },
  UINT8_CLAMPED: { code: 2, bytes: 1 },
  INT16_T: { code: 3, bytes: 2 },
  UINT16_T: { code: 4, bytes: 2 },
  INT32_T: { code: 5, bytes: 4 },
  UINT32_T: { code: 6, bytes: 4 },
  INT64_T: { code: 7, bytes: 8 },
  UINT64_T: { code: 8, bytes: 8 },
  FLOAT: { code: 9, bytes: 4 },
  DOUBLE: { code: 10, bytes: 8 },
  FLOAT16: { code: 11, bytes: 2 },
  BFLOAT16: { code: 12, bytes: 2 },
  COMPLEX: { code: 13, bytes: 8 },
  DOUBLE_COMPLEX: { code: 14, bytes: 16 },
  FLOAT_INT: { code: 15, bytes: 8 },
  DOUBLE_INT: { code: 16, bytes: 16 },
  LONG_INT: { code: 17, bytes: 16 },
  TWO_INT: { code: 18, bytes: 8 },
  SHORT_INT: { code: 19, bytes: 8 },
  /** Elements of several types: what a structure sends. */
  MIXED: { code: 20, bytes: 1 },
};

export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

export interface TypedArrayClass<T extends TypedArray = TypedArray> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): T;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): T;
}

/** Memory that a message can be sent from or received into. */
export type BufferLike = NodeJS.ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

const NAMES_BY_CODE: ReadonlyMap<number, DatatypeName> = new Map(
  (Object.keys(DATATYPES) as DatatypeName[]).map((name) => [DATATYPES[name].code, name]),
);

/** The name of an element type code, for messages. */
export function datatypeName(code: number): string {
  return NAMES_BY_CODE.get(code) ?? `type ${code}`;
}

const CLASSES: ReadonlyArray<readonly [DatatypeName, TypedArrayClass]> = [
  ['BYTE', Uint8Array],
  ['INT8_T', Int8Array],
  ['UINT8_CLAMPED', Uint8ClampedArray],
  ['INT16_T', Int16Array],
  ['UINT16_T', Uint16Array],
  ['INT32_T', Int32Array],
  ['UINT32_T', Uint32Array],
  ['INT64_T', BigInt64Array],
  ['UINT64_T', BigUint64Array],
  ['FLOAT', Float32Array],
  ['DOUBLE', Float64Array],
];

/** Since Node 24; not in the library of ES2022. */
export const FLOAT16_CLASS: TypedArrayClass | undefined = (
  globalThis as { Float16Array?: TypedArrayClass }
).Float16Array;

/** The element type of a typed-array class; a Buffer is bytes. Undefined for anything else. */
export function datatypeOfClass(type: unknown): DatatypeName | undefined {
  for (const [name, candidate] of CLASSES) if (type === candidate) return name;
  if (type !== undefined && type === FLOAT16_CLASS) return 'FLOAT16';
  return type === Buffer ? 'BYTE' : undefined;
}
