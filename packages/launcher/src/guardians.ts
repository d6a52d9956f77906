import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * The processes whose death must end the job: if we were started by npm or npx, they and what is between. Killed, they
 * leave us behind without a word, and whoever started them believes the job gone.
 *
 * npm gives `npm_command` to what it starts; npm itself is the parent of the first process that has it.
 */
export function findGuardians(environment: NodeJS.ProcessEnv, parent: number): number[] {
  if (environment.npm_command === undefined) return [];
  const guardians: number[] = [];
  let pid: number | undefined = parent;
  // If 1 dies, everything does.
  while (pid !== undefined && pid > 1 && hasNpmCommand(pid)) {
    guardians.push(pid);
    pid = parentOf(pid);
  }
  if (pid !== undefined && pid > 1 && isNode(pid)) guardians.push(pid);
  return guardians;
}

function hasNpmCommand(pid: number): boolean {
  const environment = read(pid, 'environ');
  return environment !== undefined && `\0${environment}`.includes('\0npm_command=');
}

/** Where npm has died already, the parent is whoever takes in orphans. */
function isNode(pid: number): boolean {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)).startsWith('node');
  } catch {
    return false;
  }
}

function parentOf(pid: number): number | undefined {
  const stat = read(pid, 'stat');
  // pid (name) state ppid; the name may contain anything.
  const parent = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  return parent === undefined ? undefined : Number(parent);
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    // It has ended, or belongs to somebody else.
    return undefined;
  }
}
