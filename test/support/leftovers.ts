import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface Process {
  readonly pid: number;
  readonly command: string;
  readonly environment: ReadonlyMap<string, string>;
}

/** All living processes whose environment can be read; zombies have none. */
export function processes(): Process[] {
  const found: Process[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      const environment = new Map<string, string>();
      for (const line of readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')) {
        const at = line.indexOf('=');
        if (at > 0) environment.set(line.slice(0, at), line.slice(at + 1));
      }
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      if (environment.size > 0) found.push({ pid, command, environment });
    } catch {
      // It has ended meanwhile, or belongs to somebody else.
    }
  }
  return found;
}

/** The processes that a test's command has started, itself included, by the mark that they inherit. */
export function processesOf(mark: string): Process[] {
  return processes().filter(({ environment }) => environment.get('ONECOPY_TEST') === mark);
}

/**
 * Everything of a job that could be left on this machine, in words. Compare before and after. Other jobs may run at the
 * same time: `mark` tells processes apart, and `temporary` is the temporary folder that the job was given.
 */
export function traces(mark: string, temporary: string): string[] {
  const own = processesOf(mark);
  return [
    ...own.map(({ pid, command }) => `process ${pid}: ${command}`),
    ...[process.pid, ...own.map(({ pid }) => pid)].flatMap(onecopyDescriptors),
    ...namedSockets(),
    ...namesIn(temporary, /./),
    ...namesIn('/dev/shm', /onecopy/),
    // Folders of the tests themselves have a dash after the name.
    ...namesIn('/tmp', /onecopy(?!-)/),
  ];
}

function onecopyDescriptors(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return list(folder).flatMap((fd) => {
    try {
      const target = readlinkSync(join(folder, fd));
      return target.includes('memfd:onecopy') ? [`descriptor ${fd} of ${pid}: ${target}`] : [];
    } catch {
      return [];
    }
  });
}

function namedSockets(): string[] {
  return (
    readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      // The set-up scripts of a clone lock each other out by such a name.
      .filter((line) => /onecopy(?!-setup-)/.test(line))
      .map((line) => `socket ${line}`)
  );
}

function namesIn(folder: string, pattern: RegExp): string[] {
  return list(folder)
    .filter((name) => pattern.test(name))
    .map((name) => `file ${join(folder, name)}`);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
