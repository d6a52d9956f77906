import { DATATYPES } from '@onecopy/engine';

/** The getter of %TypedArray%.prototype[@@toStringTag]: no object can pretend to it what it is not. */
const nameOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;

const DOUBLE = DATATYPES.DOUBLE.code;
const BYTE = DATATYPES.BYTE.code;

/** What the addon takes for "not known": it finds out itself, at the price of some calls of Node-API. */
export const UNKNOWN_TYPE = -1;

/**
 * The code of a typed array's element type; UNKNOWN_TYPE for anything else. Two comparisons for what most programs send,
 * and short enough to become part of its callers.
 */
export function elementTypeCode(value: unknown): number {
  const name = nameOf.call(value);
  if (name === 'Float64Array') return DOUBLE;
  return name === 'Uint8Array' ? BYTE : codeOf(name);
}

function codeOf(name: string | undefined): number {
  switch (name) {
    case 'Int32Array':
      return DATATYPES.INT32_T.code;
    case 'Float32Array':
      return DATATYPES.FLOAT.code;
    case 'Uint32Array':
      return DATATYPES.UINT32_T.code;
    case 'BigInt64Array':
      return DATATYPES.INT64_T.code;
    case 'BigUint64Array':
      return DATATYPES.UINT64_T.code;
    case 'Int16Array':
      return DATATYPES.INT16_T.code;
    case 'Uint16Array':
      return DATATYPES.UINT16_T.code;
    case 'Int8Array':
      return DATATYPES.INT8_T.code;
    case 'Uint8ClampedArray':
      return DATATYPES.UINT8_CLAMPED.code;
    default:
      return UNKNOWN_TYPE;
  }
}
