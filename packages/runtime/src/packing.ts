import { type Items, MpiError } from '@onecopy/engine';
import { show, wrongDatatype } from './arguments.ts';
import { type BufferArgument, resolveItems } from './buffers.ts';
import { type DatatypeArgument, datatypeOf } from './datatypes.ts';
import { checkCount } from './layouts/numbers.ts';
import { processEngine } from './start.ts';

/**
 * Copies the data of a buffer, without gaps, into bytes (MPI_Pack, MPI-4.1 section 5.2). What several calls have packed
 * one behind the other can be sent as one message, and be received as bytes or by any type of the same signature.
 *
 * @param buffer what to pack; most useful as `{ data, count, datatype }`
 * @returns a new array, as long as the data
 * @throws MpiError as `send` does of its buffer
 */
export function pack(buffer: BufferArgument): Uint8Array<ArrayBuffer>;
/**
 * The same into bytes that are there already.
 *
 * @param position where in `into` to begin
 * @returns the position behind what was packed, for the next call
 * @throws MpiError `ERR_COUNT` if there is no room, nothing being packed then; `ERR_ARG`
 */
export function pack(buffer: BufferArgument, into: Uint8Array, position?: number): number;
export function pack(buffer: BufferArgument, into?: Uint8Array, position = 0): Uint8Array | number {
  const items = resolveItems('pack', 'buffer', buffer);
  if (into === undefined) {
    const packed = bytesFor(items);
    processEngine().pack(items, packed, 0);
    return packed;
  }
  const end = checkRoom('pack', items, into, position);
  processEngine().pack(items, into, position);
  return end;
}

/**
 * Copies packed bytes to where a buffer's data lie (MPI_Unpack, MPI-4.1 section 5.2). What lies between them is left as
 * it was.
 *
 * @param buffer says by its count how much to unpack
 * @param position where in `packed` to begin
 * @returns the position behind what was unpacked, for the next call
 * @throws MpiError `ERR_COUNT` if `packed` ends before; `ERR_TYPE` for a datatype that names a byte twice; `ERR_ARG`
 */
export function unpack(packed: Uint8Array, buffer: BufferArgument, position = 0): number {
  const items = resolveItems('unpack', 'buffer', buffer);
  const end = checkRoom('unpack', items, packed, position);
  processEngine().unpack(items, packed, position);
  return end;
}

/**
 * Bytes that so many items take when they are packed (MPI_Pack_size, MPI-4.1 section 5.2); exactly so many.
 *
 * @throws MpiError `ERR_COUNT`, `ERR_TYPE`
 */
export function packSize(count: number, datatype: DatatypeArgument): number {
  const { size } = datatypeOf(datatype) ?? wrongDatatype('packSize', datatype);
  return checkCount('packSize', 'count', count) * size;
}

function bytesFor({ bytes }: Items): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new MpiError('ERR_NO_MEM', `pack: there is no memory for ${bytes} bytes`, { cause });
  }
}

/** @returns the position behind the items */
function checkRoom(call: string, { bytes }: Items, packed: unknown, position: unknown): number {
  if (!(packed instanceof Uint8Array)) {
    throw new MpiError('ERR_ARG', `${call}: packed data are a Uint8Array, not ${show(packed)}`);
  }
  if (typeof position !== 'number' || !Number.isSafeInteger(position) || position < 0) {
    throw new MpiError(
      'ERR_ARG',
      `${call}: the position must be a whole number of bytes, 0 or more, not ${show(position)}`,
    );
  }
  const end = position + bytes;
  if (end <= packed.byteLength) return end;
  throw new MpiError(
    'ERR_COUNT',
    `${call}: ${bytes} bytes at position ${position} end at ${end}, but there are ${packed.byteLength} packed bytes`,
  );
}
