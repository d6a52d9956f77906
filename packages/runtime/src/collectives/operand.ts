import { type BufferLike, type CollectiveBuffer, MpiError, type TypedArray } from '@onecopy/engine';
import { show } from '../arguments.ts';
import { elementType, extent, resolveView } from '../buffers.ts';
import { type BasicDatatype, BYTE, datatypeOf } from '../datatypes.ts';

/**
 * In place of a send buffer (in scatter and scatterv: of the receive buffer): the data lie already where the result
 * goes (MPI_IN_PLACE, MPI-4.1 section 6.4).
 */
export const IN_PLACE: unique symbol = Symbol('IN_PLACE');
export type InPlace = typeof IN_PLACE;

type View = NodeJS.ArrayBufferView | ArrayBuffer;

/** One buffer of a collective operation. */
export interface Operand {
  readonly role: string;
  readonly view: View;
  readonly type: BasicDatatype;
  /** Elements that it has. */
  readonly elements: number;
}

export function operandOf(call: string, role: string, argument: unknown): Operand {
  return operandOver(call, role, resolveView(call, role, argument));
}

export function operandOver(call: string, role: string, buffer: BufferLike): Operand {
  const type = elementType(call, role, buffer);
  const { byteLength } = extent(call, role, buffer);
  // Node-API 9 knows no SharedArrayBuffer, only views of one.
  const view = buffer instanceof SharedArrayBuffer ? new Uint8Array(buffer) : buffer;
  return { role, view, type, elements: byteLength / type.bytes };
}

/** A new array of the operand's class; a Buffer, DataView or ArrayBuffer gives a Uint8Array. */
export function fresh(call: string, like: Operand, elements: number): TypedArray {
  try {
    return new like.type.arrayClass(elements);
  } catch (cause) {
    throw new MpiError(
      'ERR_NO_MEM',
      `${call}: there is no memory for a result of ${elements} ${like.type} elements`,
      { cause },
    );
  }
}

export function buffer(operand: Operand, count: number): CollectiveBuffer {
  return { view: operand.view, count };
}

/** Elements of one of `size` equal blocks. */
export function blockOf(call: string, operand: Operand, size: number): number {
  const count = operand.elements / size;
  if (Number.isInteger(count)) return count;
  throw new MpiError(
    'ERR_COUNT',
    `${call}: the ${operand.role} has ${operand.elements} elements, which cannot be shared out evenly ` +
      `among ${size} ranks. Its length must be a multiple of ${size}`,
  );
}

/** A part of an operand, as a buffer of its own. */
export function partOf(operand: Operand, first: number, count: number): CollectiveBuffer {
  const { buffer: memory, byteOffset } = extent('', operand.role, operand.view);
  const { bytes, arrayClass } = operand.type;
  const at = byteOffset + first * bytes;
  const aligned = at % bytes === 0;
  return {
    view: aligned ? new arrayClass(memory, at, count) : new Uint8Array(memory, at, count * bytes),
    count: aligned ? count : count * bytes,
  };
}

/** The elements may differ only where one side is bytes. */
export function checkSameType(call: string, one: Operand, other: Operand): void {
  if (one.type === other.type || one.type === BYTE || other.type === BYTE) return;
  throw new MpiError(
    'ERR_TYPE',
    `${call}: the ${one.role} holds ${one.type} elements and the ${other.role} ${other.type}. ` +
      'They must be the same, unless one of them is bytes (Uint8Array, Buffer)',
  );
}

export function checkSameLength(
  call: string,
  one: Operand,
  oneCount: number,
  other: Operand,
  otherCount: number,
  what: string,
): void {
  const mine = oneCount * one.type.bytes;
  const theirs = otherCount * other.type.bytes;
  if (mine === theirs) return;
  throw new MpiError(
    'ERR_COUNT',
    `${call}: the ${one.role} has ${mine} bytes ${what} and the ${other.role} ${theirs}. They must be equal`,
  );
}

/** MPI forbids that the two overlap; IN_PLACE is what is meant by that. */
export function checkApart(call: string, input: Operand, output: Operand): void {
  const one = extent(call, input.role, input.view);
  const other = extent(call, output.role, output.view);
  if (one.buffer !== other.buffer) return;
  const apart =
    one.byteOffset >= other.byteOffset + other.byteLength ||
    other.byteOffset >= one.byteOffset + one.byteLength;
  if (apart) return;
  throw new MpiError(
    'ERR_BUFFER',
    `${call}: the ${input.role} and the ${output.role} overlap. Pass IN_PLACE instead of the ` +
      `${input.role}, or use separate memory`,
  );
}

/** Lengths and places of the blocks of a v-variant. */
export interface BlocksArgument {
  readonly data: BufferLike;
  /** Elements for or from each rank. */
  readonly counts: ArrayLike<number>;
  /** Where each block begins, in elements; default: one after the other. */
  readonly displs?: ArrayLike<number> | undefined;
  readonly datatype?: import('../datatypes.ts').DatatypeArgument | undefined;
}

/** A buffer with its blocks. */
export interface Blocks extends Operand {
  readonly counts: readonly number[];
  readonly displs: readonly number[];
  readonly buffer: CollectiveBuffer;
}

export function blocksOf(call: string, role: string, argument: unknown, size: number): Blocks {
  if (
    typeof argument !== 'object' ||
    argument === null ||
    !('data' in argument) ||
    !('counts' in argument)
  ) {
    throw new MpiError(
      'ERR_BUFFER',
      `${call}: the ${role} must be { data, counts, displs? }, not ${show(argument)}`,
    );
  }
  const { data, counts, displs, datatype } = argument as { [K in keyof BlocksArgument]: unknown };
  const operand = operandOf(
    call,
    role,
    datatype === undefined ? data : { data, datatype: datatypeOf(datatype) ?? datatype },
  );
  const lengths = numbers(call, `counts of the ${role}`, counts, size);
  const places =
    displs === undefined ? sums(lengths) : numbers(call, `displs of the ${role}`, displs, size);
  for (const [rank, count] of lengths.entries()) {
    const end = (places[rank] as number) + count;
    if (count > 0 && end > operand.elements) {
      throw new MpiError(
        'ERR_COUNT',
        `${call}: block ${rank} of the ${role} ends at element ${end}, but its data has ` +
          `${operand.elements} elements`,
      );
    }
  }
  const blocks = Float64Array.of(
    ...lengths,
    ...lengths.map((count, i) => (count > 0 ? (places[i] as number) : 0)),
  );
  return {
    ...operand,
    counts: lengths,
    displs: places,
    buffer: { view: operand.view, count: 0, blocks },
  };
}

/** Blocks into which several ranks' data go must not overlap (MPI-4.1 section 6.5). */
export function checkDisjoint(call: string, { role, counts, displs }: Blocks): void {
  const order = [...counts.keys()]
    .filter((rank) => (counts[rank] as number) > 0)
    .sort((a, b) => (displs[a] as number) - (displs[b] as number));
  for (const [i, rank] of order.entries()) {
    const next = order[i + 1];
    if (next === undefined) return;
    if ((displs[rank] as number) + (counts[rank] as number) > (displs[next] as number)) {
      throw new MpiError(
        'ERR_COUNT',
        `${call}: blocks ${rank} and ${next} of the ${role} overlap, and both would be written`,
      );
    }
  }
}

function sums(counts: readonly number[]): number[] {
  let sum = 0;
  return counts.map((count) => {
    sum += count;
    return sum - count;
  });
}

function numbers(call: string, what: string, list: unknown, size: number): number[] {
  const length = (list as ArrayLike<number> | null | undefined)?.length;
  if (length !== size) {
    throw new MpiError(
      'ERR_COUNT',
      `${call}: the ${what} must be ${size} numbers, one for each rank, not ` +
        `${length === undefined ? show(list) : `${length}`}`,
    );
  }
  return Array.from(list as ArrayLike<unknown>, (value, rank) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw new MpiError(
      'ERR_COUNT',
      `${call}: the ${what} must be whole numbers, 0 or more; for rank ${rank} it is ${show(value)}`,
    );
  });
}
