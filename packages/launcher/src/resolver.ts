import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

/**
 * The `--import` that lets a program import 'onecopy' although it is not installed where the program lies: a script in
 * a folder of its own under a global install. Undefined where it is installed.
 *
 * The fallback answers only what Node itself cannot resolve, so one too many would do no harm.
 */
export function fallbackFor(script: string, library: string): string | undefined {
  if (isInstalledFor(script)) return undefined;
  // The same folder, whether this runs compiled or from sources.
  const module = new URL(`./fallback${extname(import.meta.url)}`, import.meta.url);
  module.searchParams.set('library', library);
  return module.href;
}

/** As Node looks for packages: in the node_modules of each folder above the script. */
function isInstalledFor(script: string): boolean {
  for (let folder = dirname(script); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'node_modules/onecopy/package.json'))) return true;
    if (folder === dirname(folder)) return false;
  }
}
