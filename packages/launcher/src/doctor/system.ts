import { readFileSync, readlinkSync } from 'node:fs';

/** What the kernel tells in files. Tests give one that is made up. */
export interface System {
  /** Without white space at its ends; undefined where there is no such file, or it may not be read. */
  read(path: string): string | undefined;
  /** Where a symbolic link points. */
  link(path: string): string | undefined;
}

export const thisSystem: System = {
  read: (path) => orUndefined(() => readFileSync(path, 'utf8').trim()),
  link: (path) => orUndefined(() => readlinkSync(path)),
};

/** A system that has just these files. */
export function systemOf(files: Readonly<Record<string, string>>): System {
  return { read: (path) => files[path]?.trim(), link: (path) => files[path] };
}

function orUndefined<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
