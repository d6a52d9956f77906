/** Parts of files. Nothing here knows of ranks. */
import { closeSync, openSync, readSync } from 'node:fs';

/** Up to `length` bytes from place `at` on; fewer only where the file ends. */
export function readAt(fd: number, at: number, length: number): Uint8Array {
  const buffer = new Uint8Array(length);
  return buffer.subarray(0, readSync(fd, buffer, 0, length, at));
}

export function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
