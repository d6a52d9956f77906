import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The file of a program beside a module of this package: `.js` when built, `.ts` when run from the sources. */
export function programFile(name: string, besides: string): string {
  return fileURLToPath(new URL(`${name}${extname(besides)}`, besides));
}
