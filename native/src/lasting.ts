import { type BufferLike, MpiError } from '@onecopy/engine';

/** The getter that all typed arrays inherit. Called like this it takes V8 half as long as by its name. */
const bufferOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  'buffer',
)?.get as (this: unknown) => ArrayBufferLike;

/** What an operation that outlives its call can work on: memory that stays where it is, and as long as it is. */
export function lasting(
  buffer: BufferLike,
  operation: string,
): NodeJS.ArrayBufferView | ArrayBuffer {
  const isView = ArrayBuffer.isView(buffer);
  const memory = isView ? buffer.buffer : buffer;
  if (changes(memory)) refuse(operation);
  if (isView) return buffer;
  return memory instanceof SharedArrayBuffer ? new Uint8Array(memory) : memory;
}

/** The same for what is certainly a typed array. */
export function checkLasting(array: BufferLike, operation: string): void {
  if (changes(bufferOf.call(array))) refuse(operation);
}

/** Not in the library of ES2022: `resizable` is of ArrayBuffer, `growable` of SharedArrayBuffer. */
function changes(memory: ArrayBufferLike & { resizable?: boolean; growable?: boolean }): boolean {
  return memory.resizable === true || memory.growable === true;
}

function refuse(operation: string): never {
  throw new MpiError(
    'ERR_RESIZABLE',
    `${operation}: the buffer can be resized while the operation is pending. ` +
      'Use a buffer of fixed length',
  );
}

/** Node-API 9 knows no SharedArrayBuffer, only views of one. */
export function knownToNode(buffer: BufferLike): NodeJS.ArrayBufferView | ArrayBuffer {
  return buffer instanceof SharedArrayBuffer ? new Uint8Array(buffer) : buffer;
}
