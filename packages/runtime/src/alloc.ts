import { constants } from 'node:buffer';
import {
  type BufferLike,
  datatypeOfClass,
  MpiError,
  type TypedArray,
  type TypedArrayClass,
} from '@onecopy/engine';
import { show } from './arguments.ts';
import { processEngine } from './start.ts';

const freed = new WeakSet<ArrayBufferLike>();

/**
 * A typed array whose memory is shared with the ranks that it is sent to: they read it where it lies, without a system
 * call. Otherwise it is an array like any other, and can be used wherever a buffer can, as can its subarrays (MPI-4.1
 * section 9.2, MPI_Alloc_mem).
 *
 * Sending such arrays saves most for messages from some ten kibibytes to some mebibytes; receiving into one saves
 * nothing by itself. Small ones take 64 bytes at least.
 *
 * The memory is given back when the array is garbage, as usual, or at once by `array[Symbol.dispose]()`. From then on
 * the array has length 0, and every call with it throws `ERR_FREED`. Operations that are pending at that moment go on
 * and end as if nothing had happened: the memory is not used for anything else before.
 *
 * @param arrayClass class of the array, such as Float64Array
 * @param length elements; all of them are 0
 * @returns the array
 * @throws MpiError
 * | code | thrown when |
 * | --- | --- |
 * | `ERR_ARG` | not a class of typed arrays |
 * | `ERR_COUNT` | the length is not a whole number, is negative, or more than an array can have |
 * | `ERR_NO_MEM` | there is not so much memory |
 * | `ERR_SYSTEM` | something else has run out, such as descriptors |
 * | `ERR_THREAD` `ERR_BOOTSTRAP` `ERR_NATIVE` | onecopy cannot be used here |
 */
export function alloc<T extends TypedArray>(
  arrayClass: TypedArrayClass<T>,
  length: number,
): T & Disposable {
  if (arrayClass === (Buffer as unknown) || datatypeOfClass(arrayClass) === undefined) {
    throw new MpiError(
      'ERR_ARG',
      `alloc: the first argument must be a class of typed arrays such as Float64Array, not ${show(arrayClass)}`,
    );
  }
  const buffer = allocate(arrayClass, length);
  const array = viewOf(arrayClass, buffer);
  Object.defineProperty(array, Symbol.dispose, { value: () => dispose(buffer) });
  return array as T & Disposable;
}

function allocate({ BYTES_PER_ELEMENT }: TypedArrayClass, length: unknown): ArrayBuffer {
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0) {
    throw new MpiError(
      'ERR_COUNT',
      `alloc: the length must be a whole number of elements, 0 or more, not ${show(length)}`,
    );
  }
  const bytes = length * BYTES_PER_ELEMENT;
  if (bytes > constants.MAX_LENGTH) return tooLong(length);
  return processEngine().alloc(bytes);
}

/** What a buffer may have and what an array may have are two limits of V8. */
function viewOf<T extends TypedArray>(arrayClass: TypedArrayClass<T>, buffer: ArrayBuffer): T {
  try {
    return new arrayClass(buffer);
  } catch {
    const length = buffer.byteLength / arrayClass.BYTES_PER_ELEMENT;
    processEngine().free(buffer);
    return tooLong(length);
  }
}

function tooLong(length: number): never {
  throw new MpiError(
    'ERR_COUNT',
    `alloc: ${length} elements are more than an array of this Node can have. Use several arrays`,
  );
}

function dispose(buffer: ArrayBuffer): void {
  if (processEngine().free(buffer)) freed.add(buffer);
}

/** Whether the memory behind a buffer came from alloc and was given back. */
export function isFreed(buffer: BufferLike): boolean {
  return freed.has(ArrayBuffer.isView(buffer) ? buffer.buffer : buffer);
}
