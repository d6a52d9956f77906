// Where the copy is forbidden: a library that forbids it to who loads it, and a user whom the kernel does not let pass.
import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { program, root } from './command.ts';

/** Compiles a library of test/programs/preload into a folder. Result: the file, for LD_PRELOAD. */
export function preload(folder: string, name: string): string {
  const library = join(folder, `${name}.so`);
  const source = program(`preload/${name}.c`);
  execFileSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-O1', '-o', library, source]);
  return library;
}

const NOBODY = 65534;

/** What to write before a command so that an ordinary user runs it, or why it cannot be done here. */
export function ordinaryUser(): { command: readonly string[]; reason: string | undefined } {
  if (process.getuid?.() !== 0) return { command: ['env'], reason: undefined };
  const command = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  try {
    execFileSync('setpriv', ['--version'], { stdio: 'ignore' });
  } catch {
    return { command, reason: 'setpriv (util-linux) is not installed' };
  }
  const reason = readableByAll(root) ? undefined : `${root} cannot be read by an ordinary user`;
  return { command, reason };
}

/** Every folder up to the root lets others through. */
function readableByAll(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    accessSync(folder, constants.R_OK);
    const mode = Number.parseInt(execFileSync('stat', ['-c', '%a', folder]).toString().trim(), 8);
    if ((mode & 0o005) !== 0o005) return false;
    if (folder === dirname(folder)) return true;
  }
}
