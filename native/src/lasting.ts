import { type BufferLike, MpiError } from '@onecopy/engine';
import type { Attempt } from './failure.ts';

/** What an operation that outlives its call can work on: memory that stays where it is, and as long as it is. */
export function lasting(
  buffer: BufferLike,
  attempt: Attempt,
): NodeJS.ArrayBufferView | ArrayBuffer {
  const memory: ArrayBufferLike = ArrayBuffer.isView(buffer) ? buffer.buffer : buffer;
  const changes =
    ('resizable' in memory && memory.resizable === true) ||
    ('growable' in memory && memory.growable === true);
  if (changes) {
    throw new MpiError(
      'ERR_RESIZABLE',
      `${attempt.operation}: the buffer can be resized while the operation is pending. ` +
        'Use a buffer of fixed length',
    );
  }
  return buffer instanceof SharedArrayBuffer ? new Uint8Array(buffer) : buffer;
}
